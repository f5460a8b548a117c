// SPDX-License-Identifier: Apache-2.0
#include "orchestrator/gc/gc.h"

#include <string.h>

#include "base/file.h"
#include "base/map.h"
#include "base/tag.h"
#include "base/text.h"
#include "box/box.h"
#include "orchestrator/context.h"
#include "orchestrator/state/store.h"
#include "storage/image_draft.h"

static const char *const kind_names[] = {
	[VG_GC_BOX] = "box",
	[VG_GC_MACHINE] = "machine",
	[VG_GC_NETWORK] = "network",
	[VG_GC_LINK] = "link",
	[VG_GC_PROCESS] = "process",
	[VG_GC_DISK] = "disk",
	[VG_GC_FILE] = "file",
	[VG_GC_FOLDER] = "folder",
	[VG_GC_IMAGE] = "image",
};

const char *vg_gc_kind_name(enum vg_gc_kind kind)
{
	return kind_names[kind];
}

struct vg_gc_item *vg_gc_add(
	struct vg_gc *gc, enum vg_gc_kind kind, size_t host, char *name, char *detail)
{
	struct vg_gc_item *item = &vg_append(gc->items, gc->n_items);
	*item = (struct vg_gc_item){.kind = kind, .host = host, .name = name, .detail = detail};
	return item;
}

// Shared things are no grid's.
bool vg_gc_is_lost(const struct vg_gc *gc, const char *text, char ret_grid[37])
{
	struct vg_tag tag;
	if (gc->has_unreadable || !vg_tag_is_of(text, gc->store, NULL) ||
		!vg_tag_read(text, &tag) || vg_map_has(gc->uuids, tag.grid) ||
		strcmp(tag.grid, "site") == 0)
		return false;
	memcpy(ret_grid, tag.grid, sizeof(tag.grid));
	return true;
}

static struct vg_error *read_records(struct vg_gc *gc)
{
	char **keys;
	size_t n_keys;
	struct vg_error *error = vg_store_list(gc->context, &keys, &n_keys);
	if (error)
		return error;
	for (size_t i = 0; i < n_keys; i++) {
		_auto(vg_record) struct vg_record *record = NULL;
		vg_error_ignore(vg_store_load(gc->context, keys[i], &record));
		if (record)
			vg_map_set(gc->uuids, record->uuid, gc);
		else
			gc->has_unreadable = true;
	}
	vg_folder_list_free(keys, n_keys);
	return NULL;
}

static struct vg_error *find_boxes(struct vg_gc *gc)
{
	struct vg_error *error = NULL;
	for (size_t i = 0; i < gc->n_boxes && !error; i++) {
		char grid[37];
		if (vg_gc_is_lost(gc, gc->boxes[i]->tag, grid))
			error = vg_gc_look_into_box(gc, gc->boxes[i]);
	}
	return error;
}

static void find_drafts(struct vg_gc *gc)
{
	_auto(vg_string) char *images = vg_context_images(gc->context);
	size_t n = vg_image_drafts_dead(images, false);
	if (n)
		vg_gc_add(gc, VG_GC_IMAGE, VG_GC_NOWHERE, vg_strdup("drafts"),
			vg_format("%zu half-made image%s", n, n == 1 ? "" : "s"));
}

static void free_item(struct vg_gc_item *item)
{
	free(item->name);
	free(item->detail);
	free(item->id);
}

// What is not vgrid's is only worth a word where something of vgrid's is found beside it.
static void forget_lone_strangers(struct vg_gc *gc)
{
	for (size_t i = 0; i < gc->n_items; i++) {
		if (!gc->items[i].is_foreign)
			return;
	}
	for (size_t i = 0; i < gc->n_items; i++)
		free_item(&gc->items[i]);
	gc->n_items = 0;
}

// Boxes are listed before the records are read: a box is only made when its record is there, so
// one that is just being made is claimed.
struct vg_error *vg_gc_find(struct vg_context *context, const char *store, struct vg_gc **ret_gc)
{
	_auto(vg_gc) struct vg_gc *gc = vg_new(struct vg_gc);
	struct vg_box_list boxes = {0};
	gc->context = context;
	gc->store = store;
	gc->uuids = vg_map_new();
	struct vg_error *error = vg_box_list(context->home, store, NULL, &boxes);
	gc->boxes = boxes.items;
	gc->n_boxes = boxes.n_items;
	if (!error)
		error = read_records(gc);
	if (!error)
		error = find_boxes(gc);
	if (!error)
		error = vg_gc_look_at_practice(gc);
	if (!error)
		error = vg_gc_look_at_fakes(gc);
	if (!error)
		error = vg_gc_look_at_folders(gc);
	if (error)
		return error;
	find_drafts(gc);
	forget_lone_strangers(gc);
	*ret_gc = vg_take(gc);
	return NULL;
}

// To be called with the lock of the folder's key: has a record come meanwhile that claims the item?
static bool is_claimed(const struct vg_gc *gc, const char *key, const struct vg_gc_item *item)
{
	_auto(vg_record) struct vg_record *record = NULL;
	_auto(vg_error) struct vg_error *error = vg_store_load(gc->context, key, &record);
	if (error)
		return vg_error_kind(error) != VG_ERROR_NOT_FOUND;
	if (item->kind == VG_GC_FOLDER)
		return true;
	struct vg_tag tag;
	const struct vg_box *box = item->host == VG_GC_NOWHERE ? NULL : gc->hosts[item->host].box;
	const char *text = item->kind == VG_GC_DISK ? item->id : box ? box->tag : "";
	return vg_tag_read(text, &tag) && strcmp(tag.grid, record->uuid) == 0;
}

static struct vg_error *remove_network(struct vg_gc *gc, const struct vg_gc_item *item)
{
	const struct vg_gc_host *host = &gc->hosts[item->host];
	struct vg_slice nothing = {.store = (char *)gc->store,
		.grid = item->id,
		.link_group = vg_tag_link_group(gc->store, item->id)};
	return host->drivers->net->converge(host->net, &nothing);
}

// A box that stays loses what is the store's; any other takes all with it.
static struct vg_error *remove_on_host(struct vg_gc *gc, struct vg_gc_item *item)
{
	const struct vg_gc_host *host = &gc->hosts[item->host];
	switch (item->kind) {
	case VG_GC_BOX:
		return vg_box_stop(host->box);
	case VG_GC_MACHINE:
		return host->box && !host->stays
			       ? NULL
			       : host->drivers->compute->remove(host->compute, item->id);
	case VG_GC_NETWORK:
		return host->box && !host->stays ? NULL : remove_network(gc, item);
	case VG_GC_DISK:
		return host->drivers->storage->remove(host->storage, item->id);
	case VG_GC_LINK:
	case VG_GC_PROCESS:
	case VG_GC_FILE:
	case VG_GC_FOLDER:
	case VG_GC_IMAGE:
		break;
	}
	return NULL;
}

static struct vg_error *remove_lock(const struct vg_gc *gc, const struct vg_gc_item *item)
{
	_auto(vg_fd) int lock = -1;
	_auto(vg_error) struct vg_error *held = vg_lock_take(item->id, false, &lock);
	if (!held)
		vg_store_unlock_gone(gc->context, strrchr(item->id, '/') + 1, &lock);
	return NULL;
}

static struct vg_error *remove_item(struct vg_gc *gc, struct vg_gc_item *item)
{
	_auto(vg_string) char *images = vg_context_images(gc->context);
	bool is_gone = true;
	struct vg_error *error = NULL;
	if (item->kind == VG_GC_FOLDER)
		error = vg_gc_clear_folder(gc, item->id, &is_gone);
	else if (item->kind == VG_GC_FILE)
		error = remove_lock(gc, item);
	else if (item->kind == VG_GC_IMAGE)
		vg_image_drafts_dead(images, true);
	else
		error = remove_on_host(gc, item);
	item->done = error ? "failed" : is_gone ? "removed" : "kept";
	return vg_error_while(error, "removing %s '%s'", vg_gc_kind_name(item->kind), item->name);
}

// Under the lock of the grid that the item would belong to.
static struct vg_error *remove_locked(struct vg_gc *gc, struct vg_gc_item *item)
{
	const char *key = item->kind == VG_GC_FOLDER    ? item->id
			  : item->host != VG_GC_NOWHERE ? gc->hosts[item->host].key
							: NULL;
	_auto(vg_fd) int lock = -1;
	struct vg_error *error = key ? vg_store_lock(gc->context, key, "vgrid gc", &lock) : NULL;
	if (error)
		return error;
	if (key && is_claimed(gc, key, item))
		item->done = "kept";
	else
		error = remove_item(gc, item);
	_auto(vg_string) char *folder = key ? vg_context_grid(gc->context, key) : NULL;
	if (folder && !vg_file_exists(folder))
		vg_store_unlock_gone(gc->context, key, &lock);
	return error;
}

struct vg_error *vg_gc_remove(struct vg_gc *gc, bool deletes_disks)
{
	// Machines before the disks that they have open, volumes before the folders that hold them.
	static const enum vg_gc_kind order[] = {VG_GC_MACHINE, VG_GC_NETWORK, VG_GC_BOX, VG_GC_DISK,
		VG_GC_FOLDER, VG_GC_FILE, VG_GC_IMAGE};
	struct vg_error *error = NULL;
	for (size_t k = 0; k < VG_LENGTH(order) && !error; k++) {
		for (size_t i = 0; i < gc->n_items && !error; i++) {
			struct vg_gc_item *item = &gc->items[i];
			if (item->kind != order[k] && !(k == 0 && item->is_foreign))
				continue;
			bool is_box = item->kind == VG_GC_BOX;
			if (item->is_foreign || (item->is_data && !deletes_disks) ||
				(is_box && gc->hosts[item->host].stays))
				item->done = "kept";
			else
				error = remove_locked(gc, item);
		}
	}
	_auto(vg_string) char *grids = vg_format("%s/grids", gc->context->home);
	rmdir(grids); // only when the last has gone
	return error;
}

void vg_gc_free(struct vg_gc *gc)
{
	if (!gc)
		return;
	for (size_t i = 0; i < gc->n_items; i++)
		free_item(&gc->items[i]);
	free(gc->items);
	for (size_t i = 0; i < gc->n_hosts; i++)
		vg_gc_host_done(&gc->hosts[i]);
	free(gc->hosts);
	for (size_t i = 0; i < gc->n_boxes; i++)
		vg_box_free(gc->boxes[i]);
	free(gc->boxes);
	vg_map_free(gc->uuids);
	free(gc);
}
