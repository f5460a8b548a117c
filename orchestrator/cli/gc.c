// SPDX-License-Identifier: Apache-2.0
//
// `vgrid gc`: what carries this store's tags and no record claims. Grids with a record are theirs
// to keep, whatever their state.
#include "orchestrator/cli/verbs.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/map.h"
#include "base/tag.h"
#include "base/text.h"
#include "box/box.h"
#include "orchestrator/cli/result.h"
#include "orchestrator/cli/show.h"
#include "orchestrator/report/progress.h"
#include "orchestrator/report/table.h"
#include "orchestrator/site.h"
#include "orchestrator/state/store.h"
#include "storage/image_draft.h"

enum kind { BOX, FOLDER, DRAFTS };

static const char *const kind_names[] = {[BOX] = "box", [FOLDER] = "folder", [DRAFTS] = "image"};

struct item {
	enum kind kind;
	char *name, *detail;
	const char *done;   // "removed", "kept", or NULL: only listed
	struct vg_box *box; // borrowed
	size_t n_data;      // data disks of a folder
};

struct sweep {
	struct vg_context *context;
	const char *store;
	struct vg_map *uuids; // of grids that have a record
	struct vg_box_list boxes;
	struct item *items;
	size_t n_items;
	bool has_unreadable; // a record could not be read: whose uuid it is, is not known
};

static struct vg_error *read_records(struct sweep *sweep)
{
	char **keys;
	size_t n_keys;
	struct vg_error *error = vg_store_list(sweep->context, &keys, &n_keys);
	if (error)
		return error;
	for (size_t i = 0; i < n_keys; i++) {
		_auto(vg_record) struct vg_record *record = NULL;
		vg_error_ignore(vg_store_load(sweep->context, keys[i], &record));
		if (record)
			vg_map_set(sweep->uuids, record->uuid, sweep);
		else
			sweep->has_unreadable = true;
	}
	vg_folder_list_free(keys, n_keys);
	return NULL;
}

static struct vg_error *find_boxes(struct sweep *sweep)
{
	struct vg_error *error =
		vg_box_list(sweep->context->home, sweep->store, NULL, &sweep->boxes);
	for (size_t i = 0; !error && i < sweep->boxes.n_items; i++) {
		struct vg_box *box = sweep->boxes.items[i];
		struct vg_tag tag;
		if (!vg_tag_read(box->tag, &tag) || vg_map_has(sweep->uuids, tag.grid))
			continue;
		vg_append(sweep->items, sweep->n_items) = (struct item){.kind = BOX,
			.name = vg_strdup(box->name),
			.detail = vg_format("process %d, %s", (int)box->pid, box->tag),
			.box = box};
	}
	return error;
}

// Data disks below a grid's folder, host by host; a host that cannot be read counts as one.
static size_t count_data(const char *folder, const char *store)
{
	const struct vg_drivers *drivers;
	char **names;
	size_t n_names, n_data = 0;
	_auto(vg_error) struct vg_error *error = vg_drivers_of("sandbox", &drivers);
	if (!error)
		error = vg_folder_list(folder, &names, &n_names);
	if (error)
		return 1;
	for (size_t i = 0; i < n_names; i++) {
		if (!vg_text_starts(names[i], "host-"))
			continue;
		_auto(vg_string) char *path = vg_format("%s/%s", folder, names[i]);
		struct vg_storage *storage = NULL;
		struct vg_volumes_seen seen = {0};
		error = vg_drivers_open_storage(drivers,
			&(struct vg_storage_target){names[i], path, path, path, path}, &storage);
		if (!error)
			error = drivers->storage->observe(storage, store, NULL, &seen);
		n_data += error != NULL;
		for (size_t k = 0; k < seen.n_items; k++)
			n_data += seen.items[k].kind == VG_VOLUME_DATA;
		vg_volumes_seen_done(&seen);
		if (storage)
			drivers->storage->close(storage);
		vg_error_free(vg_take(error));
	}
	vg_folder_list_free(names, n_names);
	return n_data;
}

static struct vg_error *find_folders(struct sweep *sweep)
{
	_auto(vg_string) char *grids = vg_format("%s/grids", sweep->context->home);
	char **names;
	size_t n_names;
	struct vg_error *error = vg_folder_list(grids, &names, &n_names);
	if (error)
		return error;
	for (size_t i = 0; i < n_names; i++) {
		_auto(vg_string) char *path = vg_context_grid(sweep->context, names[i]);
		_auto(vg_string) char *record = vg_format("%s/record.json", path);
		if (vg_file_exists(record))
			continue;
		size_t n_data = count_data(path, sweep->store);
		vg_append(sweep->items, sweep->n_items) = (struct item){.kind = FOLDER,
			.name = vg_strdup(names[i]),
			.detail = n_data ? vg_format("without a record, with %zu data disk%s",
						   n_data, n_data == 1 ? "" : "s")
					 : vg_strdup("without a record"),
			.n_data = n_data};
	}
	vg_folder_list_free(names, n_names);
	return NULL;
}

static void find_drafts(struct sweep *sweep)
{
	_auto(vg_string) char *images = vg_context_images(sweep->context);
	size_t n = vg_image_drafts_dead(images, false);
	if (n)
		vg_append(sweep->items, sweep->n_items) = (struct item){.kind = DRAFTS,
			.name = vg_strdup("drafts"),
			.detail = vg_format("%zu half-made image%s", n, n == 1 ? "" : "s")};
}

// Under the lock of the grid that it would belong to, and only if no record has come meanwhile.
static struct vg_error *remove_folder(struct sweep *sweep, const struct item *item)
{
	_auto(vg_fd) int lock = -1;
	_auto(vg_string) char *path = vg_context_grid(sweep->context, item->name);
	_auto(vg_string) char *record = vg_format("%s/record.json", path);
	struct vg_error *error = vg_store_lock(sweep->context, item->name, "vgrid gc", &lock);
	bool is_gone = !error && !vg_file_exists(record);
	if (is_gone)
		error = vg_folder_remove(path);
	if (is_gone)
		vg_store_unlock_gone(sweep->context, item->name, &lock);
	return error;
}

static struct vg_error *remove_item(struct sweep *sweep, struct item *item, bool deletes_disks)
{
	struct vg_error *error = NULL;
	if (item->n_data && !deletes_disks) {
		item->done = "kept";
		return NULL;
	}
	switch (item->kind) {
	case BOX:
		error = vg_box_stop(item->box);
		break;
	case FOLDER:
		error = remove_folder(sweep, item);
		break;
	case DRAFTS: {
		_auto(vg_string) char *images = vg_context_images(sweep->context);
		vg_image_drafts_dead(images, true);
		break;
	}
	}
	item->done = error ? "failed" : "removed";
	return vg_error_while(error, "removing %s '%s'", kind_names[item->kind], item->name);
}

static void print_json(const struct sweep *sweep)
{
	_auto(vg_json) struct vg_json *result = vg_result_new(&vg_verb_gc);
	struct vg_json *items = vg_json_array();
	for (size_t i = 0; i < sweep->n_items; i++) {
		struct vg_json *item = vg_json_object();
		vg_json_set_string(item, "kind", kind_names[sweep->items[i].kind]);
		vg_json_set_string(item, "name", sweep->items[i].name);
		vg_json_set_string(item, "detail", sweep->items[i].detail);
		vg_json_set_string(item, "done", sweep->items[i].done);
		vg_json_push(items, item);
	}
	vg_json_set(result, "items", items);
	vg_result_print(result);
}

static void print_table(const struct sweep *sweep, bool removes)
{
	static const struct vg_column columns[] = {{.title = "KIND"}, {.title = "NAME"},
		{.title = "DETAIL", .may_wrap = true}, {.title = "DONE"}};
	if (!sweep->n_items) {
		puts("Nothing is left over.");
		return;
	}
	_auto(vg_table) struct vg_table *table = vg_table_new(columns, VG_LENGTH(columns));
	bool keeps = false;
	for (size_t i = 0; i < sweep->n_items; i++) {
		const struct item *item = &sweep->items[i];
		keeps |= item->n_data > 0;
		vg_table_row(table, (const char *const[]){kind_names[item->kind], item->name,
					    item->detail, item->done});
	}
	vg_table_print(table, stdout);
	if (!removes)
		printf("'vgrid gc -y%s' removes %s.\n", keeps ? " --delete-disks" : "",
			keeps ? "this, data disks too" : "this");
}

static struct vg_error *find_all(struct sweep *sweep)
{
	struct vg_error *error = read_records(sweep);
	if (!error && sweep->has_unreadable)
		vg_progress_say(sweep->context->progress,
			"A record cannot be read ('vgrid list' shows it): boxes are left alone");
	if (!error && !sweep->has_unreadable)
		error = find_boxes(sweep);
	if (!error)
		error = find_folders(sweep);
	if (!error)
		find_drafts(sweep);
	return error;
}

static struct vg_error *run(const struct vg_cli *cli, struct vg_context *context, int *ret_status)
{
	(void)ret_status;
	const char *store = vg_cli_option(cli, "store");
	bool removes = vg_cli_flag(cli, "yes"), deletes = vg_cli_flag(cli, "delete-disks");
	struct vg_error *error = vg_show_enter(context);
	if (error)
		return error;
	_auto(vg_map) struct vg_map *uuids = vg_map_new();
	struct sweep sweep = {
		.context = context, .store = store ? store : context->store, .uuids = uuids};
	// Orders it with other sweeps, and with the first use of the store.
	_auto(vg_fd) int lock = -1;
	_auto(vg_string) char *path = vg_format("%s/store.lock", context->home);
	error = vg_lock_take(path, true, &lock);
	if (!error)
		error = find_all(&sweep);
	for (size_t i = 0; !error && removes && i < sweep.n_items; i++)
		error = remove_item(&sweep, &sweep.items[i], deletes);
	vg_progress_pause(context->progress);
	if (!error && vg_cli_is_json(cli))
		print_json(&sweep);
	else if (!error)
		print_table(&sweep, removes);
	for (size_t i = 0; i < sweep.n_items; i++) {
		free(sweep.items[i].name);
		free(sweep.items[i].detail);
	}
	free(sweep.items);
	vg_box_list_done(&sweep.boxes);
	return error;
}

static const struct vg_operand operands[] = {{0}};

static const struct vg_option options[] = {
	{.name = "yes", .letter = 'y', .help = "remove what is listed"},
	{.name = "delete-disks", .help = "with -y: also folders that hold data disks"},
	{.name = "store",
		.argument = VG_ARGUMENT_TEXT,
		.argument_name = "UUID",
		.help = "look for what carries the tags of another store"},
	{0}};

static const struct vg_result_field fields[] = {
	{"items[].kind", "string", "box, folder or image"},
	{"items[].name", "string", "as a person would call it"},
	{"items[].detail", "string", "what it is"},
	{"items[].done", "string?", "removed or kept; null where it was only listed"},
	{0},
};

const struct vg_command vg_verb_gc = {
	.verb = "gc",
	.summary = "find what no grid claims any more, and remove it",
	.help = "Lists boxes and folders that carry this store's tags and belong to no recorded "
		"grid, and "
		"images that were never finished. With -y it removes them. Grids with a record are "
		"left alone, whatever their state; so are folders with data disks, unless "
		"--delete-disks says otherwise.",
	.example = "$ vgrid gc\n$ vgrid gc -y\n",
	.operands = operands,
	.options = options,
	.result = fields,
	.run = run,
};
