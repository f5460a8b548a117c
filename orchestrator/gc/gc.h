// SPDX-License-Identifier: Apache-2.0
//
// What carries a store's tags and no record claims: found by the tags alone, so that it does not
// matter which records, registrations or folders are lost; and removed piece by piece. What has no
// tag of the store is never touched: a box or a folder that holds such things stays because of
// them, and what is the store's own in it goes. Used by `vgrid gc`. gc.c finds and orders,
// host.c looks into hosts, practice.c at those of practice sites, folder.c into folders of grids.
#pragma once

#include "orchestrator/site.h"

struct vg_context;
struct vg_map;

enum vg_gc_kind {
	VG_GC_BOX,
	VG_GC_MACHINE,
	VG_GC_NETWORK,
	VG_GC_LINK,    // only foreign ones: those of the store belong to a network
	VG_GC_PROCESS, // likewise
	VG_GC_DISK,
	VG_GC_FILE,
	VG_GC_FOLDER,
	VG_GC_IMAGE,
};

const char *vg_gc_kind_name(enum vg_gc_kind kind);

struct vg_gc_item {
	enum vg_gc_kind kind;
	char *name, *detail;
	bool is_foreign;  // carries no tag of the store: shown since something stays for it
	bool is_data;     // a data disk
	const char *done; // "removed", "kept", "failed"; NULL: not tried
	size_t host;      // index of the host it is on; VG_GC_NOWHERE: on none
	char *id;         // what its driver calls it: uuid, grid, tag, key of a folder
};

enum { VG_GC_NOWHERE = SIZE_MAX };

// One place where things are: a box, a folder of volumes, a host of a practice site or the fake one.
struct vg_gc_host {
	char *name, *key;   // of the grid's folder it belongs to; NULL: none
	struct vg_box *box; // borrowed; NULL: none
	const struct vg_drivers *drivers;
	struct vg_compute *compute; // NULL: not to be had here, as the others
	struct vg_net *net;
	struct vg_storage *storage;
	bool stays; // something foreign is in it, or it could not be looked into
};

struct vg_gc {
	struct vg_context *context;
	const char *store;
	struct vg_map *uuids; // of grids that have a record
	bool has_unreadable;  // a record cannot be read: whose uuid it is, is not known
	struct vg_gc_host *hosts;
	size_t n_hosts;
	struct vg_gc_item *items;
	size_t n_items;
	struct vg_box **boxes; // owned
	size_t n_boxes;
};

// Finds all. Inside vg_show_enter(), with the store's lock held.
struct vg_error *vg_gc_find(
	struct vg_context *context, const char *store, struct vg_gc **ret_gc) VG_MUST_CHECK;
// Removes what was found, data disks only with `deletes_disks`, and says in each item what became
// of it. Nothing that a record claims meanwhile is touched.
struct vg_error *vg_gc_remove(struct vg_gc *gc, bool deletes_disks) VG_MUST_CHECK;
void vg_gc_free(struct vg_gc *gc);
VG_AUTO(vg_gc);

// Private to this folder.

// Appends an item; name and detail are taken over.
struct vg_gc_item *vg_gc_add(
	struct vg_gc *gc, enum vg_gc_kind kind, size_t host, char *name, char *detail);
// Is this a tag of the store whose grid no record claims? *ret_grid is filled in then.
bool vg_gc_is_lost(const struct vg_gc *gc, const char *tag, char ret_grid[37]);
// host.c: opens what is to be had and appends what is there.
struct vg_error *vg_gc_look_into_box(struct vg_gc *gc, struct vg_box *box) VG_MUST_CHECK;
struct vg_error *vg_gc_look_at_fakes(struct vg_gc *gc) VG_MUST_CHECK;
// Volumes below a host's folder; appends the host if there are any.
struct vg_error *vg_gc_look_at_volumes(
	struct vg_gc *gc, const char *key, const char *host, const char *folder) VG_MUST_CHECK;
void vg_gc_host_done(struct vg_gc_host *host);
// Looks for machines, links and volumes on a host whose drivers are open.
struct vg_error *vg_gc_look_at_host(struct vg_gc *gc, size_t number) VG_MUST_CHECK;
// practice.c: hosts of practice sites.
struct vg_error *vg_gc_look_at_practice(struct vg_gc *gc) VG_MUST_CHECK;
// folder.c: folders of grids, with their volumes.
struct vg_error *vg_gc_look_at_folders(struct vg_gc *gc) VG_MUST_CHECK;
// Removes what is vgrid's in the folder of this key and each folder that is empty then;
// *ret_is_gone says whether nothing is left.
struct vg_error *vg_gc_clear_folder(
	struct vg_gc *gc, const char *key, bool *ret_is_gone) VG_MUST_CHECK;
