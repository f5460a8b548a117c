// SPDX-License-Identifier: Apache-2.0
#include "storage/images.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/crypto.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "storage/image_known.h"

enum { SIDECAR_SIZE_MAX = 1 << 20, DIGEST_LENGTH = VG_SHA256_HEX - 1, PREFIX_LENGTH_MIN = 6 };

void vg_image_info_free(struct vg_image_info *info)
{
	if (!info)
		return;
	free(info->digest);
	free(info->name);
	free(info->origin);
	free(info->format);
	free(info->cmdline);
	free(info);
}

void vg_image_list_done(struct vg_image_list *list)
{
	for (size_t i = 0; i < list->n_items; i++)
		vg_image_info_free(list->items[i]);
	free(list->items);
	*list = (struct vg_image_list){0};
}

static bool is_digits(const char *text)
{
	return text[strspn(text, "0123456789abcdef")] == '\0';
}

static bool is_digest(const char *text)
{
	return strlen(text) == DIGEST_LENGTH && is_digits(text);
}

struct parts {
	const char *folder; // of the image
	uint64_t stored_size;
	bool is_whole, has_kernel;
};

static void look_at_part(const char *name, struct vg_json *part, void *data)
{
	struct parts *parts = data;
	_auto(vg_string) char *path = vg_format("%s/%s", parts->folder, name);
	struct stat status;
	if (strchr(name, '/') || lstat(path, &status) < 0 || !S_ISREG(status.st_mode) ||
		status.st_size != vg_json_get_integer(part, "size", -1)) {
		parts->is_whole = false;
		return;
	}
	parts->stored_size += (uint64_t)status.st_blocks * 512;
	if (vg_text_equal(name, "kernel"))
		parts->has_kernel = true;
}

static char *copy_string(const struct vg_json *json, const char *key)
{
	const char *text = vg_json_get_string(json, key, NULL);
	return text ? vg_strdup(text) : NULL;
}

static struct vg_error *load(
	const char *folder, const char *digest, struct vg_image_info **ret_info)
{
	_auto(vg_string) char *image = vg_format("%s/%s", folder, digest);
	_auto(vg_string) char *path = vg_format("%s/image.json", image);
	_auto(vg_string) char *bytes = NULL;
	size_t size;
	_auto(vg_json) struct vg_json *json = NULL;
	struct vg_error *error = vg_file_read(path, SIDECAR_SIZE_MAX, &bytes, &size);
	if (!error)
		error = vg_json_read(bytes, size, &json);
	if (error)
		return vg_error_while(error, "reading the image '%s'", digest);
	struct parts parts = {.folder = image, .is_whole = true};
	vg_json_each (vg_json_get(json, "parts"), look_at_part, &parts)
		;
	const char *name = vg_json_get_string(json, "name", NULL);
	const char *origin = vg_json_get_string(json, "origin", NULL);
	if (!parts.is_whole || !name || !origin || vg_json_get_integer(json, "version", 0) != 1 ||
		!vg_text_equal(vg_json_get_string(json, "digest", NULL), digest))
		return vg_error_new("the image '%s' is damaged", digest);
	struct vg_image_info *info = vg_new(struct vg_image_info);
	*info = (struct vg_image_info){
		.digest = vg_strdup(digest),
		.name = vg_strdup(name),
		.origin = vg_strdup(origin),
		.format = copy_string(json, "format"),
		.root_size = (uint64_t)vg_json_get_integer(json, "root_size", 0),
		.stored_size = parts.stored_size,
		.has_kernel = parts.has_kernel,
		.cmdline = copy_string(json, "cmdline"),
		.made_at = (uint64_t)vg_json_get_integer(json, "made_at", 0),
	};
	*ret_info = info;
	return NULL;
}

static int compare_images(const void *a, const void *b)
{
	const struct vg_image_info *left = *(struct vg_image_info *const *)a;
	const struct vg_image_info *right = *(struct vg_image_info *const *)b;
	int order = strcmp(left->name, right->name);
	if (!order)
		order = (left->made_at < right->made_at) - (left->made_at > right->made_at);
	return order ? order : strcmp(left->digest, right->digest);
}

struct vg_error *vg_images_list(const char *folder, struct vg_image_list *ret_list)
{
	char **names;
	size_t n_names;
	struct vg_error *error = vg_folder_list(folder, &names, &n_names);
	if (error)
		return error;
	struct vg_image_list list = {0};
	for (size_t i = 0; i < n_names; i++) {
		struct vg_image_info *info = NULL;
		if (is_digest(names[i]))
			vg_error_ignore(load(folder, names[i], &info));
		if (info)
			vg_append(list.items, list.n_items) = info;
	}
	vg_folder_list_free(names, n_names);
	if (list.n_items)
		qsort(list.items, list.n_items, sizeof(*list.items), compare_images);
	*ret_list = list;
	return NULL;
}

static struct vg_error *say_missing(const char *what)
{
	return vg_error_hint(vg_error_of(VG_ERROR_NOT_FOUND, "there is no image '%s'", what),
		"`vgrid image list` shows what is there");
}

// The first of this name is the newest.
static struct vg_image_info **find_by_name(struct vg_image_list *list, const char *name)
{
	for (size_t i = 0; i < list->n_items; i++) {
		if (vg_text_equal(list->items[i]->name, name))
			return &list->items[i];
	}
	return NULL;
}

static struct vg_error *find_by_prefix(
	struct vg_image_list *list, const char *what, struct vg_image_info ***ret_item)
{
	struct vg_image_info **found = NULL;
	for (size_t i = 0; i < list->n_items; i++) {
		if (strlen(what) < PREFIX_LENGTH_MIN ||
			!vg_text_starts(list->items[i]->digest, what))
			continue;
		if (found)
			return vg_error_of(VG_ERROR_USAGE,
				"'%s' could be the image '%.12s' or '%.12s'", what,
				(*found)->digest, list->items[i]->digest);
		found = &list->items[i];
	}
	*ret_item = found;
	return NULL;
}

struct vg_error *vg_images_find(
	const char *folder, const char *what, struct vg_image_info **ret_info)
{
	if (is_digest(what)) {
		_auto(vg_string) char *path = vg_format("%s/%s", folder, what);
		return vg_file_exists(path) ? load(folder, what, ret_info) : say_missing(what);
	}
	_auto(vg_image_list) struct vg_image_list list = {0};
	struct vg_error *error = vg_images_list(folder, &list);
	if (error)
		return error;
	struct vg_image_info **item = find_by_name(&list, what);
	if (!item)
		error = find_by_prefix(&list, what, &item);
	if (error)
		return error;
	if (!item)
		return say_missing(what);
	*ret_info = vg_take(*item);
	return NULL;
}

struct vg_error *vg_images_remove(const char *folder, const char *digest)
{
	if (!is_digest(digest))
		return vg_error_of(VG_ERROR_USAGE, "'%s' is no digest of an image", digest);
	_auto(vg_string) char *path = vg_format("%s/%s", folder, digest);
	char uuid[VG_UUID_LENGTH];
	vg_uuid_random(uuid);
	// At once for everybody else; a kill from here on leaves a dead draft, which the next
	// removes.
	_auto(vg_string) char *gone = vg_format("%s/.new-%s", folder, uuid);
	if (rename(path, gone) < 0)
		return errno == ENOENT ? say_missing(digest)
				       : vg_error_errno(errno, "removing the image '%s'", digest);
	vg_image_known_forget(folder, digest);
	return vg_folder_remove(gone);
}

char *vg_images_path(const char *folder, const char *digest, const char *part)
{
	return vg_format("%s/%s/%s", folder, digest, part);
}
