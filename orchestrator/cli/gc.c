// SPDX-License-Identifier: Apache-2.0
//
// `vgrid gc`: what carries this store's tags and no record claims. Grids with a record are theirs
// to keep, whatever their state.
#include "orchestrator/cli/verbs.h"

#include <stdio.h>

#include "base/file.h"
#include "base/text.h"
#include "orchestrator/cli/result.h"
#include "orchestrator/cli/show.h"
#include "orchestrator/gc/gc.h"
#include "orchestrator/report/progress.h"
#include "orchestrator/report/table.h"
#include "orchestrator/state/ledger.h"

static void print_json(const struct vg_gc *gc)
{
	_auto(vg_json) struct vg_json *result = vg_result_new(&vg_verb_gc);
	struct vg_json *items = vg_json_array();
	for (size_t i = 0; i < gc->n_items; i++) {
		struct vg_json *item = vg_json_object();
		vg_json_set_string(item, "kind", vg_gc_kind_name(gc->items[i].kind));
		vg_json_set_string(item, "name", gc->items[i].name);
		vg_json_set_string(item, "detail", gc->items[i].detail);
		vg_json_set_boolean(item, "is_foreign", gc->items[i].is_foreign);
		vg_json_set_string(item, "done", gc->items[i].done);
		vg_json_push(items, item);
	}
	vg_json_set(result, "items", items);
	vg_result_print(result);
}

static void print_table(const struct vg_gc *gc, bool removes)
{
	static const struct vg_column columns[] = {{.title = "KIND"}, {.title = "NAME"},
		{.title = "DETAIL", .may_wrap = true}, {.title = "DONE"}};
	if (!gc->n_items) {
		puts("Nothing is left over.");
		return;
	}
	_auto(vg_table) struct vg_table *table = vg_table_new(columns, VG_LENGTH(columns));
	bool has_data = false;
	for (size_t i = 0; i < gc->n_items; i++) {
		const struct vg_gc_item *item = &gc->items[i];
		has_data |= item->is_data;
		vg_table_row(table, (const char *const[]){vg_gc_kind_name(item->kind), item->name,
					    item->detail, item->done});
	}
	vg_table_print(table, stdout);
	if (!removes)
		printf("'vgrid gc -y%s' removes %s.\n", has_data ? " --delete-disks" : "",
			has_data ? "this, data disks too" : "this");
}

static struct vg_error *run(const struct vg_cli *cli, struct vg_context *context, int *ret_status)
{
	(void)ret_status;
	const char *store = vg_cli_option(cli, "store");
	bool removes = vg_cli_flag(cli, "yes"), deletes = vg_cli_flag(cli, "delete-disks");
	_auto(vg_gc) struct vg_gc *gc = NULL;
	struct vg_error *error = vg_show_enter(context);
	if (error)
		return error;
	// Orders it with other sweeps, and with the first use of the store.
	_auto(vg_fd) int lock = -1;
	_auto(vg_string) char *path = vg_format("%s/store.lock", context->home);
	error = vg_lock_take(path, true, &lock);
	if (!error)
		error = vg_gc_find(context, store ? store : context->store, &gc);
	if (!error && gc->has_unreadable)
		vg_progress_say(context->progress, "A record cannot be read ('vgrid list' shows "
						   "it): what could be its grid's is "
						   "left alone");
	// Who changes a grid holds its lock and then wants the store's: never the other way round.
	if (lock >= 0)
		close(vg_take_fd(&lock));
	if (!error && removes)
		error = vg_gc_remove(gc, deletes);
	if (!error && removes)
		error = vg_ledger_settle(context);
	vg_progress_pause(context->progress);
	if (gc && vg_cli_is_json(cli))
		print_json(gc);
	else if (gc)
		print_table(gc, removes);
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
	{"items[].kind", "string",
		"box, machine, network, link, process, disk, file, folder or image"},
	{"items[].name", "string", "as a person would call it"},
	{"items[].detail", "string", "what it is"},
	{"items[].is_foreign", "boolean", "not vgrid's: never touched, and what holds it stays"},
	{"items[].done", "string?", "removed, kept or failed; null where it was only listed"},
	{0},
};

const struct vg_command vg_verb_gc = {
	.verb = "gc",
	.summary = "find what no grid claims any more, and remove it",
	.help = "Lists what carries this store's tags and belongs to no recorded grid: boxes, "
		"machines, networks, disks and folders; and images that were never finished. With "
		"-y it removes them. Grids with a record are left alone, whatever their state; so "
		"are data disks, unless --delete-disks says otherwise. What is not vgrid's is "
		"never "
		"touched: it is listed where it keeps a box or a folder from being removed, and "
		"stays in it. With --store it looks in this VGRID_HOME for what carries the tags "
		"of "
		"another store, such as the one that was here before its file 'store' was lost.",
	.example = "$ vgrid gc\n$ vgrid gc -y\n",
	.operands = operands,
	.options = options,
	.result = fields,
	.run = run,
};
