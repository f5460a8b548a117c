// SPDX-License-Identifier: Apache-2.0
//
// `vgrid image list`: the golden images of the store.
#include "orchestrator/cli/verbs.h"

#include <stdio.h>

#include "base/text.h"
#include "orchestrator/cli/result.h"
#include "orchestrator/cli/show.h"
#include "orchestrator/report/table.h"
#include "storage/images.h"

static struct vg_json *image_json(const struct vg_image_info *info)
{
	struct vg_json *json = vg_json_object();
	_auto(vg_string) char *made = vg_show_moment(info->made_at);
	vg_json_set_string(json, "name", info->name);
	vg_json_set_string(json, "digest", info->digest);
	vg_json_set_string(json, "origin", info->origin);
	vg_json_set_string(json, "format", info->format);
	vg_json_set_boolean(json, "has_kernel", info->has_kernel);
	vg_json_set_integer(json, "root_size", (int64_t)info->root_size);
	vg_json_set_integer(json, "stored_size", (int64_t)info->stored_size);
	vg_json_set_string(json, "made_at", made);
	return json;
}

static void print_json(const struct vg_image_list *list)
{
	_auto(vg_json) struct vg_json *result = vg_result_new(&vg_verb_image_list);
	struct vg_json *images = vg_json_array();
	for (size_t i = 0; i < list->n_items; i++)
		vg_json_push(images, image_json(list->items[i]));
	vg_json_set(result, "images", images);
	vg_result_print(result);
}

static void print_table(const struct vg_context *context, const struct vg_image_list *list)
{
	static const struct vg_column columns[] = {{.title = "IMAGE"}, {.title = "DIGEST"},
		{.title = "BOOTS"}, {.title = "ROOT", .is_right = true},
		{.title = "STORED", .is_right = true}, {.title = "AGE", .is_right = true},
		{.title = "ORIGIN", .may_wrap = true}};
	if (!list->n_items) {
		puts("No images. 'vgrid up' builds what it needs; 'vgrid image build tiny' does it "
		     "now.");
		return;
	}
	_auto(vg_table) struct vg_table *table = vg_table_new(columns, VG_LENGTH(columns));
	uint64_t now = context->now();
	for (size_t i = 0; i < list->n_items; i++) {
		const struct vg_image_info *info = list->items[i];
		_auto(vg_string) char *digest = vg_strndup(info->digest, 12);
		_auto(vg_string) char *root = info->format ? vg_show_size(info->root_size) : NULL;
		_auto(vg_string) char *stored = vg_show_size(info->stored_size);
		_auto(vg_string) char *age =
			vg_show_age(now > info->made_at ? now - info->made_at : 0);
		vg_table_row(table, (const char *const[]){info->name, digest,
					    info->has_kernel ? "kernel" : "disk", root, stored, age,
					    info->origin});
	}
	vg_table_print(table, stdout);
}

static struct vg_error *run(const struct vg_cli *cli, struct vg_context *context, int *ret_status)
{
	(void)ret_status;
	struct vg_image_list list = {0};
	_auto(vg_string) char *folder = vg_context_images(context);
	struct vg_error *error = vg_images_list(folder, &list);
	if (!error && vg_cli_is_json(cli))
		print_json(&list);
	else if (!error)
		print_table(context, &list);
	vg_image_list_done(&list);
	return error;
}

static const struct vg_operand operands[] = {{0}};

static const struct vg_result_field fields[] = {
	{"images[].name", "string", "a builtin's, or the file's it came from"},
	{"images[].digest", "string", "its identity; 64 hexadecimal digits"},
	{"images[].origin", "string", "builtin:NAME or file:SHA256"},
	{"images[].format", "string?", "of the root disk; null: stateless"},
	{"images[].has_kernel", "boolean", "it boots its own kernel directly"},
	{"images[].root_size", "integer", "bytes that the guest sees"},
	{"images[].stored_size", "integer", "bytes on this disk"},
	{"images[].made_at", "string?", "RFC 3339"},
	{0},
};

const struct vg_command vg_verb_image_list = {
	.verb = "image list",
	.summary = "show the golden images",
	.help = "Shows the images in the store. They are shared by all grids of this VGRID_HOME "
		"and "
		"named by their digests.",
	.example = "$ vgrid image list\n",
	.operands = operands,
	.result = fields,
	.run = run,
};
