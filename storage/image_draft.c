// SPDX-License-Identifier: Apache-2.0
#include "storage/image_draft.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "base/crypto.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"

static const char prefix[] = ".new-";

struct vg_image_draft {
	char *store, *path;
	int fd;                // of the folder; its lock is the maker's sign of life
	struct vg_json *parts; // name → {sha256, size}
};

// Opens and locks a draft's folder. False when somebody else has it or it is gone.
static bool lock_draft(const char *path, int *ret_fd)
{
	_auto(vg_fd) int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat opened, named;
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0 || fstat(fd, &opened) < 0 ||
		lstat(path, &named) < 0 || opened.st_ino != named.st_ino)
		return false;
	*ret_fd = vg_take_fd(&fd);
	return true;
}

// What cannot be removed today is tried again with the next draft.
size_t vg_image_drafts_dead(const char *store, bool removes)
{
	size_t n_dead = 0;
	char **names = NULL;
	size_t n_names = 0;
	vg_error_ignore(vg_folder_list(store, &names, &n_names));
	for (size_t i = 0; i < n_names; i++) {
		_auto(vg_string) char *path = vg_format("%s/%s", store, names[i]);
		_auto(vg_fd) int fd = -1;
		if (!vg_text_starts(names[i], prefix) || !lock_draft(path, &fd))
			continue;
		n_dead++;
		if (removes)
			vg_error_ignore(vg_folder_remove(path));
	}
	vg_folder_list_free(names, n_names);
	return n_dead;
}

// Of `.known` too: a killed import may have been about to remember a file.
static void tidy_known(const char *store)
{
	_auto(vg_string) char *folder = vg_format("%s/.known", store);
	char **names = NULL;
	size_t n_names = 0;
	vg_error_ignore(vg_folder_list(folder, &names, &n_names));
	for (size_t i = 0; i < n_names; i++) {
		_auto(vg_string) char *path = vg_format("%s/%s", folder, names[i]);
		if (!vg_text_ends(path, ".new"))
			continue;
		path[strlen(path) - strlen(".new")] = '\0';
		vg_file_tidy(path);
	}
	vg_folder_list_free(names, n_names);
}

struct vg_error *vg_image_draft_new(const char *store, struct vg_image_draft **ret_draft)
{
	struct vg_error *error = vg_folder_make(store, 0755);
	if (error)
		return error;
	vg_image_drafts_dead(store, true);
	tidy_known(store);
	// Between making and locking, another may take a draft for dead: then a new one is made.
	for (;;) {
		char uuid[VG_UUID_LENGTH];
		vg_uuid_random(uuid);
		_auto(vg_string) char *path = vg_format("%s/%s%s", store, prefix, uuid);
		if (mkdir(path, 0700) < 0)
			return vg_error_errno(errno, "making the folder '%s'", path);
		int fd;
		if (!lock_draft(path, &fd))
			continue;
		struct vg_image_draft *draft = vg_new(struct vg_image_draft);
		*draft = (struct vg_image_draft){
			vg_strdup(store), vg_take(path), fd, vg_json_object()};
		*ret_draft = draft;
		return NULL;
	}
}

void vg_image_draft_free(struct vg_image_draft *draft)
{
	if (!draft)
		return;
	if (draft->path)
		vg_error_ignore(vg_folder_remove(draft->path));
	if (draft->fd >= 0)
		close(draft->fd);
	vg_json_free(draft->parts);
	free(draft->store);
	free(draft->path);
	free(draft);
}

const char *vg_image_draft_path(const struct vg_image_draft *draft)
{
	return draft->path;
}

// Read-only and on the disk, whatever happens next.
static struct vg_error *seal(const char *path)
{
	_auto(vg_fd) int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fchmod(fd, 0444) < 0 || fsync(fd) < 0)
		return vg_error_errno(errno, "storing '%s'", path);
	return NULL;
}

struct vg_error *vg_image_draft_part(
	struct vg_image_draft *draft, const char *part, const char *sha256)
{
	struct stat status;
	_auto(vg_string) char *path = vg_format("%s/%s", draft->path, part);
	if (lstat(path, &status) < 0)
		return vg_error_errno(errno, "storing '%s'", path);
	if (!S_ISREG(status.st_mode))
		return vg_error_new("'%s' is no regular file", part);
	struct vg_error *error = seal(path);
	if (error)
		return error;
	struct vg_json *entry = vg_json_object();
	vg_json_set_string(entry, "sha256", sha256);
	vg_json_set_integer(entry, "size", status.st_size);
	vg_json_set(draft->parts, part, entry);
	return NULL;
}

static void add_hash(const char *key, struct vg_json *value, void *data)
{
	vg_json_set_string(data, key, vg_json_get_string(value, "sha256", NULL));
}

static void make_digest(const struct vg_image_draft *draft, const struct vg_image_info *info,
	char ret_digest[VG_SHA256_HEX])
{
	struct vg_json *hashes = vg_json_object();
	vg_json_each(draft->parts, add_hash, hashes);
	_auto(vg_json) struct vg_json *whole = vg_json_object();
	vg_json_set(whole, "parts", hashes);
	vg_json_set_string(whole, "format", info->format);
	vg_json_set_string(whole, "cmdline", info->cmdline);
	_auto(vg_string) char *text = vg_json_write_canonical(whole);
	vg_sha256_hex(text, strlen(text), ret_digest);
}

static struct vg_error *write_sidecar(
	struct vg_image_draft *draft, const char *digest, const struct vg_image_info *info)
{
	_auto(vg_json) struct vg_json *json = vg_json_object();
	vg_json_set_integer(json, "version", 1);
	vg_json_set_string(json, "digest", digest);
	vg_json_set_string(json, "name", info->name);
	vg_json_set_string(json, "origin", info->origin);
	vg_json_set_string(json, "format", info->format);
	vg_json_set_integer(json, "root_size", (int64_t)info->root_size);
	vg_json_set_string(json, "cmdline", info->cmdline);
	vg_json_set_integer(json, "made_at", (int64_t)time(NULL));
	vg_json_set(json, "parts", vg_json_copy(draft->parts));
	_auto(vg_string) char *text = vg_json_write_pretty(json);
	_auto(vg_string) char *path = vg_format("%s/image.json", draft->path);
	return vg_file_write(path, 0444, text, strlen(text));
}

// Renames the draft to its digest, unless that image is there: then it is kept.
static struct vg_error *put_in_place(struct vg_image_draft *draft, const char *target)
{
	if (rename(draft->path, target) == 0) {
		free(vg_take(draft->path));
		return NULL;
	}
	if (errno != EEXIST && errno != ENOTEMPTY)
		return vg_error_errno(errno, "renaming '%s' to '%s'", draft->path, target);
	_auto(vg_image_info) struct vg_image_info *there = NULL;
	_auto(vg_error) struct vg_error *broken =
		vg_images_find(draft->store, strrchr(target, '/') + 1, &there);
	// A damaged one is exchanged for ours, and goes with the draft.
	if (broken && renameat2(AT_FDCWD, draft->path, AT_FDCWD, target, RENAME_EXCHANGE) < 0)
		return vg_error_errno(errno, "replacing the damaged image '%s'", target);
	return NULL;
}

struct vg_error *vg_image_draft_publish(struct vg_image_draft *draft,
	const struct vg_image_info *info, struct vg_image_info **ret_info)
{
	char digest[VG_SHA256_HEX];
	make_digest(draft, info, digest);
	struct vg_error *error = write_sidecar(draft, digest, info);
	if (error)
		return error;
	if (fchmod(draft->fd, 0755) < 0 || fsync(draft->fd) < 0)
		return vg_error_errno(errno, "storing '%s'", draft->path);
	_auto(vg_string) char *target = vg_format("%s/%s", draft->store, digest);
	error = put_in_place(draft, target);
	if (error)
		return error;
	_auto(vg_fd) int fd = open(draft->store, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0)
		return vg_error_errno(errno, "syncing '%s'", draft->store);
	return vg_images_find(draft->store, digest, ret_info);
}
