// SPDX-License-Identifier: Apache-2.0
#include "orchestrator/run/images.h"

#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "base/units.h"
#include "orchestrator/context.h"
#include "orchestrator/report/follow.h"
#include "orchestrator/report/progress.h"
#include "orchestrator/site.h"
#include "storage/images.h"

static struct vg_record_image *slot_of(struct vg_record *record, const char *name)
{
	for (size_t i = 0; i < record->n_images; i++) {
		if (strcmp(record->images[i].name, name) == 0)
			return &record->images[i];
	}
	struct vg_record_image *slot = &vg_append(record->images, record->n_images);
	slot->name = vg_strdup(name);
	return slot;
}

static struct vg_error *build(struct vg_context *context, const char *folder,
	const struct vg_image *image, struct vg_image_info **ret_info)
{
	_auto(vg_string) char *recipe = vg_context_recipe(context, image->source);
	_auto(vg_string) char *guest = vg_context_guest_program(context);
	_auto(vg_string) char *log = vg_format("%s/build-%s.log", folder, image->source);
	if (!vg_file_exists(recipe))
		return vg_error_at(image->place, "there is no builtin image '%s': no recipe '%s'",
			image->source, recipe);
	unsigned line = vg_progress_begin(context->progress, "image %s: building", image->source);
	struct vg_follow *follow = vg_follow_new(context->progress, line, log);
	struct vg_error *error =
		vg_images_build(folder, image->source, recipe, guest, log, ret_info);
	vg_follow_free(follow);
	vg_progress_end(context->progress, line, !error);
	return error;
}

static struct vg_error *get_builtin(struct vg_context *context, const char *folder,
	const struct vg_image *image, const char *recorded, bool only_looks,
	struct vg_image_info **ret_info)
{
	struct vg_error *error =
		vg_images_find(folder, recorded ? recorded : image->source, ret_info);
	if (error && recorded && vg_error_kind(error) == VG_ERROR_NOT_FOUND) {
		vg_error_ignore(error);
		error = vg_images_find(folder, image->source, ret_info);
	}
	if (!error || vg_error_kind(error) != VG_ERROR_NOT_FOUND)
		return error;
	vg_error_ignore(error);
	return only_looks ? NULL : build(context, folder, image, ret_info);
}

struct importing {
	const struct vg_context *context;
	unsigned line;
};

static bool note_import(const char *what, uint64_t done, uint64_t total, void *data)
{
	struct importing *importing = data;
	_auto(vg_string) char *so_far = vg_units_write_size(done >> 20 << 20);
	_auto(vg_string) char *all = vg_units_write_size(total >> 20 << 20);
	vg_progress_note(
		importing->context->progress, importing->line, "%s %s of %s", what, so_far, all);
	return !importing->context->is_interrupted(importing->context->interrupted_data);
}

static struct vg_error *get_file(struct vg_context *context, const char *folder,
	const struct vg_image *image, const char *template_path, struct vg_image_info **ret_info)
{
	const char *slash = strrchr(template_path, '/');
	_auto(vg_string) char *path = *image->source == '/' || !slash
					      ? vg_strdup(image->source)
					      : vg_format("%.*s/%s", (int)(slash - template_path),
							template_path, image->source);
	struct importing importing = {context,
		vg_progress_begin(context->progress, "image %s: taking in", image->name)};
	struct vg_error *error = vg_images_import(
		folder, path, image->format, image->sha256, note_import, &importing, ret_info);
	vg_progress_end(context->progress, importing.line, !error);
	return error;
}

static struct vg_error *get(struct vg_context *context, const char *folder,
	const struct vg_image *image, const char *template_path, const char *recorded,
	bool only_looks, struct vg_image_info **ret_info)
{
	switch (image->kind) {
	case VG_IMAGE_BUILTIN:
		return get_builtin(context, folder, image, recorded, only_looks, ret_info);
	case VG_IMAGE_FILE:
		return only_looks && !recorded
			       ? NULL
			       : get_file(context, folder, image, template_path, ret_info);
	case VG_IMAGE_RBD:
		return vg_error_hint(
			vg_error_new("an RBD image needs a site with Ceph, which this is not"),
			"take an image of kind 'builtin' or 'file'");
	}
	return NULL;
}

static void simulate(const struct vg_grid *grid, struct vg_record *record)
{
	for (size_t i = 0; i < grid->n_images; i++) {
		struct vg_record_image *slot = slot_of(record, grid->images[i].name);
		char digest[VG_SHA256_HEX];
		vg_sha256_hex(grid->images[i].source, strlen(grid->images[i].source), digest);
		free(slot->digest);
		slot->digest = vg_strdup(digest);
	}
}

struct vg_error *vg_images_get(struct vg_context *context, const struct vg_site *site,
	const struct vg_grid *grid, const char *template_path, bool only_looks,
	struct vg_record *record)
{
	if (site->is_simulated) {
		simulate(grid, record);
		return NULL;
	}
	_auto(vg_string) char *folder = vg_context_images(context);
	struct vg_error *error = only_looks ? NULL : vg_folder_make(folder, 0755);
	for (size_t i = 0; i < grid->n_images && !error; i++) {
		const struct vg_image *image = &grid->images[i];
		struct vg_record_image *slot = slot_of(record, image->name);
		_auto(vg_image_info) struct vg_image_info *info = NULL;
		error = get(context, folder, image, template_path, slot->digest, only_looks, &info);
		error = vg_error_while(error, "getting image '%s'", image->name);
		error = vg_error_place(error, image->place);
		if (!info)
			continue;
		free(slot->digest);
		slot->digest = vg_strdup(info->digest);
	}
	return error;
}
