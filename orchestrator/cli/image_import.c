// SPDX-License-Identifier: Apache-2.0
//
// `vgrid image import FILE`: a disk image of one's own, taken in.
#include "orchestrator/cli/verbs.h"

#include <stdio.h>

#include "base/file.h"
#include "base/text.h"
#include "orchestrator/cli/show.h"
#include "orchestrator/report/progress.h"
#include "storage/images.h"

struct importing {
	const struct vg_context *context;
	unsigned step;
};

static bool note(const char *what, uint64_t done, uint64_t total, void *data)
{
	struct importing *importing = data;
	_auto(vg_string) char *so_far = vg_show_size(done);
	_auto(vg_string) char *all = vg_show_size(total);
	vg_progress_note(
		importing->context->progress, importing->step, "%s %s of %s", what, so_far, all);
	return !importing->context->is_interrupted(importing->context->interrupted_data);
}

static struct vg_error *import(struct vg_context *context, const char *path, const char *format,
	const char *sha256, struct vg_image_info **ret_info)
{
	_auto(vg_string) char *folder = vg_context_images(context);
	if (!format)
		format = vg_text_ends(path, ".qcow2") ? "qcow2"
			 : vg_text_ends(path, ".raw") ? "raw"
						      : NULL;
	if (!format)
		return vg_error_hint(
			vg_error_of(VG_ERROR_USAGE, "the format of '%s' must be stated", path),
			"--format qcow2 or --format raw; it is never guessed from what is inside");
	struct vg_error *error = vg_folder_make(folder, 0755);
	if (error)
		return error;
	struct importing importing = {
		context, vg_progress_begin(context->progress, "%s: importing", path)};
	error = vg_images_import(folder, path, format, sha256, note, &importing, ret_info);
	vg_progress_end(context->progress, importing.step, !error);
	return error;
}

static struct vg_error *run(const struct vg_cli *cli, struct vg_context *context, int *ret_status)
{
	(void)ret_status;
	_auto(vg_image_info) struct vg_image_info *info = NULL;
	struct vg_error *error = vg_show_enter(context);
	if (!error)
		error = import(context, vg_cli_operand(cli, 0), vg_cli_option(cli, "format"),
			vg_cli_option(cli, "sha256"), &info);
	vg_progress_pause(context->progress);
	if (!error)
		printf("%s %s\n", info->name, info->digest);
	return error;
}

static const struct vg_operand operands[] = {{.name = "FILE", .completion = VG_COMPLETE_FILE}, {0}};

static const struct vg_option options[] = {
	{.name = "format",
		.argument = VG_ARGUMENT_TEXT,
		.argument_name = "FORMAT",
		.help = "qcow2 or raw; default: what the file's name ends in",
		.completion = VG_COMPLETE_WORDS,
		.words = "qcow2 raw"},
	{.name = "sha256",
		.argument = VG_ARGUMENT_TEXT,
		.argument_name = "HASH",
		.help = "refuse the file unless it has this hash"},
	{0}};

const struct vg_command vg_verb_image_import = {
	.verb = "image import",
	.summary = "take a disk image into the store",
	.help = "Copies a qcow2 or raw disk image into the store (by reflink where the file system "
		"can) "
		"and prints its digest; the file itself is never used by a grid. Refused are "
		"images "
		"with a backing file, an external data file or encryption. A template that names "
		"the "
		"file does the same at `vgrid up`.",
	.example = "$ vgrid image import debian-12.qcow2\n",
	.operands = operands,
	.options = options,
	.run = run,
};
