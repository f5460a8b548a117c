// SPDX-License-Identifier: Apache-2.0
//
// `vgrid image remove NAME`: an image that no grid uses.
#include "orchestrator/cli/verbs.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "orchestrator/cli/show.h"
#include "orchestrator/state/store.h"
#include "storage/images.h"

// A record that cannot be read may use any image.
static struct vg_error *check_record(
	const struct vg_context *context, const char *key, const struct vg_image_info *info)
{
	_auto(vg_record) struct vg_record *record = NULL;
	struct vg_error *error = vg_store_load(context, key, &record);
	if (error)
		return vg_error_while(error, "finding out who uses image '%s'", info->name);
	for (size_t i = 0; i < record->n_images; i++) {
		if (vg_text_equal(record->images[i].digest, info->digest))
			return vg_error_new(
				"grid '%s' uses image '%s' (%.12s)", key, info->name, info->digest);
	}
	return NULL;
}

static struct vg_error *check_unused(
	const struct vg_context *context, const struct vg_image_info *info)
{
	char **keys;
	size_t n_keys;
	struct vg_error *error = vg_store_list(context, &keys, &n_keys);
	if (error)
		return error;
	for (size_t i = 0; !error && i < n_keys; i++)
		error = check_record(context, keys[i], info);
	vg_folder_list_free(keys, n_keys);
	return error;
}

static struct vg_error *run(const struct vg_cli *cli, struct vg_context *context, int *ret_status)
{
	(void)ret_status;
	_auto(vg_image_info) struct vg_image_info *info = NULL;
	_auto(vg_string) char *folder = vg_context_images(context);
	struct vg_error *error = vg_show_enter(context);
	if (!error)
		error = vg_images_find(folder, vg_cli_operand(cli, 0), &info);
	if (!error)
		error = check_unused(context, info);
	if (!error)
		error = vg_images_remove(folder, info->digest);
	if (!error)
		printf("%s %s removed\n", info->name, info->digest);
	return error;
}

static const struct vg_operand operands[] = {
	{.name = "IMAGE", .completion = VG_COMPLETE_IMAGE}, {0}};

const struct vg_command vg_verb_image_remove = {
	.verb = "image remove",
	.summary = "remove an image that no grid uses",
	.help = "IMAGE is a name (the newest of that name), a digest, or at least six digits of "
		"one. An "
		"image that the record of a grid names is not removed.",
	.example = "$ vgrid image remove tiny\n",
	.operands = operands,
	.run = run,
};
