// SPDX-License-Identifier: Apache-2.0
//
// The practice site: boxes as hosts that no grid owns, joined by an underlay, each with libvirtd
// (and Open vSwitch) over TLS, with certificates of an authority made for this site alone. All that
// it has lies below HOME/sites/NAME:
//
//	practice.json         what was asked for; without it there is no such site
//	pki/                  the authority's own key and certificate, 0600
//	pki/operator, pki/h1  what one end needs, under libvirt's names (its `pkipath`)
//	h1, h2, …             the hosts' folders, each /v of its box
//	site.yaml             its site file, which the orchestrator writes
//
// Boxes carry tags of the store: site/NAME/host/1 and site/NAME/underlay. Used by site.c and the
// verbs `site …`; all functions that touch boxes are called inside vg_namespace_enter().
#pragma once

#include "box/box.h"

#define VG_PRACTICE_FILE "practice.json"

enum { VG_PRACTICE_HOSTS_MAX = 100, VG_PRACTICE_NAME_MAX = 31 };

struct vg_practice {
	char *home; // VGRID_HOME
	char *name;
	size_t n_hosts;
	bool has_switch; // Open vSwitch on every host
};

void vg_practice_free(struct vg_practice *practice);
VG_AUTO(vg_practice);

// May a site be called so? [a-z][a-z0-9-]{0,30}, and not `sandbox` or `fake`.
bool vg_practice_may_be_called(const char *name);
// VG_ERROR_NOT_FOUND when there is none of this name.
struct vg_error *vg_practice_load(
	const char *home, const char *name, struct vg_practice **ret_practice) VG_MUST_CHECK;
// Makes its folder, and it is there.
struct vg_error *vg_practice_save(const struct vg_practice *practice) VG_MUST_CHECK;
// Has a practice site of this name left anything, whole or in part?
bool vg_practice_has_traces(const char *home, const char *name);
// Is the name another site's, one that was used and is remembered in the same place?
bool vg_practice_is_taken(const char *home, const char *name);
// The names of all that are there or that have left something, sorted; vg_folder_list_free().
struct vg_error *vg_practice_list(
	const char *home, char ***ret_names, size_t *ret_n_names) VG_MUST_CHECK;
// Waits for the lock that orders what is done to the site as a whole; and gives it back, with all
// trace of it where there is no such site (any more).
struct vg_error *vg_practice_lock(const char *home, const char *name, int *ret_fd) VG_MUST_CHECK;
void vg_practice_unlock(const char *home, const char *name, int *fd);

// Paths and names, malloc'ed. Hosts count from 0 and are called from h1 on.
char *vg_practice_path(const struct vg_practice *practice, const char *below);
char *vg_practice_file(const struct vg_practice *practice); // the site file
char *vg_practice_host_name(size_t host);
// The folder with the keys of the operator: `pkipath` of its URIs.
char *vg_practice_keys(const struct vg_practice *practice);
// The libvirt URI of a host, for a process in the underlay's network namespace.
char *vg_practice_libvirt(const struct vg_practice *practice, size_t host);
// The OVSDB endpoint of a host; NULL when it has none.
char *vg_practice_ovsdb(const struct vg_practice *practice, size_t host);
// Its underlay address, and the operator's own.
struct vg_ip vg_practice_address(size_t host);

// Makes the keys that are missing or no longer good. A host that runs has its old ones until it is
// started anew.
struct vg_error *vg_practice_make_keys(const struct vg_practice *practice) VG_MUST_CHECK;

// NULL when it does not run. `store` is the store's uuid, here and below.
struct vg_error *vg_practice_find(const struct vg_practice *practice, const char *store,
	size_t host, struct vg_box **ret_box) VG_MUST_CHECK;
struct vg_error *vg_practice_find_switch(const struct vg_practice *practice, const char *store,
	struct vg_box **ret_box) VG_MUST_CHECK;
// Starts those that do not run; `images` becomes /i of a host.
struct vg_error *vg_practice_start(const struct vg_practice *practice, const char *store,
	size_t host, const char *images, struct vg_box **ret_box) VG_MUST_CHECK;
struct vg_error *vg_practice_start_switch(const struct vg_practice *practice, const char *store,
	struct vg_box **ret_box) VG_MUST_CHECK;
// Joins a running host to the underlay and waits until its daemons serve. May be repeated. Hosts
// may be joined at the same time. *ret_restarted: the daemon that had died, or NULL; a constant.
struct vg_error *vg_practice_join(const struct vg_practice *practice, struct vg_box *sw,
	size_t host, struct vg_box *box, uint64_t timeout_ms,
	const char **ret_restarted) VG_MUST_CHECK;

// Ends all boxes of the site that there are and removes all its files, also of one that was made
// only in part; the lock must be held. *ret_had_any: there was something.
struct vg_error *vg_practice_end(
	const char *home, const char *store, const char *name, bool *ret_had_any) VG_MUST_CHECK;
