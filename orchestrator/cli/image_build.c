// SPDX-License-Identifier: Apache-2.0
//
// `vgrid image build NAME`: one of vgrid's own images, by its recipe.
#include "orchestrator/cli/verbs.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "orchestrator/cli/show.h"
#include "orchestrator/report/follow.h"
#include "orchestrator/report/progress.h"
#include "storage/images.h"

static struct vg_error *unknown_image(const struct vg_context *context, const char *name)
{
	_auto(vg_string) char *folder = vg_format("%s/share/vgrid/images", context->prefix);
	char **names;
	size_t n_names;
	struct vg_error *error = vg_folder_list(folder, &names, &n_names);
	if (error)
		return error;
	_auto(vg_text) struct vg_text all = {0};
	for (size_t i = 0; i < n_names; i++)
		vg_text_addf(&all, "%s'%s'", i ? ", " : "", names[i]);
	vg_folder_list_free(names, n_names);
	error = vg_error_of(VG_ERROR_USAGE, "there is no builtin image '%.60s'", name);
	return all.length ? vg_error_hint(error, "there is %s", all.bytes)
			  : vg_error_hint(error, "no recipes are in '%s'", folder);
}

static struct vg_error *build(
	struct vg_context *context, const char *name, struct vg_image_info **ret_info)
{
	_auto(vg_string) char *folder = vg_context_images(context);
	_auto(vg_string) char *recipe = vg_context_recipe(context, name);
	_auto(vg_string) char *guest = vg_context_guest_program(context);
	_auto(vg_string) char *log = vg_format("%s/build-%s.log", folder, name);
	if (strchr(name, '/') || !vg_file_exists(recipe))
		return unknown_image(context, name);
	struct vg_error *error = vg_folder_make(folder, 0755);
	if (error)
		return error;
	unsigned step = vg_progress_begin(context->progress, "image %s: building", name);
	struct vg_follow *follow = vg_follow_new(context->progress, step, log);
	error = vg_images_build(folder, name, recipe, guest, log, ret_info);
	vg_follow_free(follow);
	vg_progress_end(context->progress, step, !error);
	return error;
}

static struct vg_error *run(const struct vg_cli *cli, struct vg_context *context, int *ret_status)
{
	(void)ret_status;
	_auto(vg_image_info) struct vg_image_info *info = NULL;
	struct vg_error *error = vg_show_enter(context);
	if (!error)
		error = build(context, vg_cli_operand(cli, 0), &info);
	vg_progress_pause(context->progress);
	if (!error)
		printf("%s %s\n", info->name, info->digest);
	return error;
}

static const struct vg_operand operands[] = {
	{.name = "NAME", .completion = VG_COMPLETE_WORDS, .words = "tiny"}, {0}};

const struct vg_command vg_verb_image_build = {
	.verb = "image build",
	.summary = "build one of vgrid's own images",
	.help = "Builds a builtin image from the packages of this machine's distribution and "
		"prints its "
		"digest. `vgrid up` does it by itself when a template needs one that is not there. "
		"Packages that were fetched before are not fetched again.",
	.example = "$ vgrid image build tiny\n",
	.operands = operands,
	.run = run,
};
