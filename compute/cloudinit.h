// SPDX-License-Identifier: Apache-2.0
//
// The three files of a cloud-init NoCloud source, for compute/seed.c. All are JSON, which is YAML
// too, so that nothing a user wrote needs quoting. Pure.
#pragma once

#include "base/defs.h"

struct vg_grid;
struct vg_node;
struct vg_facts;

// A file to be written on the node's first boot.
struct vg_seed_file {
	const char *path; // absolute
	unsigned mode;
	const char *content;
	size_t size;
	const char *base64; // the same, or NULL: it is made here
};

// Each is malloc'ed; user-data holds secrets. `host_key` is public, private.
char *vg_cloudinit_meta_data(const struct vg_node *node, const char *instance);
char *vg_cloudinit_network(const struct vg_grid *grid, const struct vg_node *node);
char *vg_cloudinit_user_data(const struct vg_grid *grid, const struct vg_node *node,
	const struct vg_facts *facts, char *const host_key[2], const struct vg_seed_file *files,
	size_t n_files);
