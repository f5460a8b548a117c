// SPDX-License-Identifier: Apache-2.0
//
// A site file: the checked document that describes hardware. text → document → site file; the
// orchestrator makes a site of it (orchestrator/site_file.c). Reading and checking report all
// faults of a file in one run.
#pragma once

#include <stdio.h>

#include "base/finding.h"
#include "templates/endpoint.h"
#include "templates/grid_resources.h"

enum { VG_SITE_FILE_SIZE_MAX = 16 << 20 };

struct vg_site_host {
	const char *name;
	struct vg_place place;
	const char *libvirt;
	enum vg_libvirt_transport transport;
	struct vg_place libvirt_place;
	const char *ovsdb; // NULL: not given
	bool has_underlay;
	struct vg_ip underlay;
	struct vg_host_label *labels;
	size_t n_labels;
	struct vg_resources given; // cores in thousandths, bytes; VG_UNLIMITED: not given
};

// `driver` is NULL where none is given.
struct vg_site_driver {
	const char *driver, *pool, *config, *user;
	struct vg_place place;
};

// Plain data; everything in it lives in its arena.
struct vg_site_file {
	struct vg_arena *arena;
	const char *file; // for messages
	char *text;       // as read
	size_t size;
	const char *name, *description;
	const char *accelerator; // "auto", "kvm", "tcg"
	struct vg_site_host *hosts;
	size_t n_hosts;
	bool is_fake; // all hosts exist only in a file
	struct vg_site_driver network, storage, state;
	uint32_t vni_first, vni_last;
	unsigned underlay_mtu;
	unsigned overcommit[VG_N_RESOURCES]; // thousandths
};

// Is the text a site file rather than a template? It has `vgrid-site`, or `hosts` and no `vgrid`. What
// is no document at all is one if it has that word anywhere.
bool vg_site_file_is(const char *text, size_t size);
// An error, always a usage error, is for what kept the file from being read at all; faults in it are
// findings. *ret_file
// is set whenever the text was read; with findings only vg_site_file_print_findings() may be
// called.
struct vg_error *vg_site_file_read(const char *path, struct vg_findings *findings,
	struct vg_site_file **ret_file) VG_MUST_CHECK;
struct vg_error *vg_site_file_read_text(const char *name, const char *text, size_t size,
	struct vg_findings *findings, struct vg_site_file **ret_file) VG_MUST_CHECK;
void vg_site_file_free(struct vg_site_file *file);
VG_AUTO(vg_site_file);

void vg_site_file_print_findings(
	const struct vg_site_file *file, const struct vg_findings *findings, FILE *out);
