// SPDX-License-Identifier: Apache-2.0
//
// The file driver: volumes are files in a folder of the host that this process sees too (a box of
// this machine). Used by the sandbox and the practice site.
#include "storage/driver.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/tag.h"
#include "base/text.h"
#include "base/units.h"
#include "storage/file_volume.h"
#include "storage/images.h"
#include "storage/qcow2.h"

enum { HEADER_SIZE = 64 * 1024 };

struct vg_storage {
	char *host, *folder, *folder_seen, *images, *images_seen;
};

static struct vg_error *open_storage(
	const struct vg_storage_target *target, struct vg_storage **ret_storage)
{
	struct vg_storage *storage = vg_new(struct vg_storage);
	const char *images = target->images ? target->images : "";
	*storage = (struct vg_storage){
		.host = vg_strdup(target->host),
		.folder = vg_strdup(target->folder),
		.folder_seen =
			vg_strdup(target->folder_seen ? target->folder_seen : target->folder),
		.images = vg_strdup(images),
		.images_seen = vg_strdup(target->images_seen ? target->images_seen : images),
	};
	*ret_storage = storage;
	return NULL;
}

static void close_storage(struct vg_storage *storage)
{
	if (!storage)
		return;
	free(storage->host);
	free(storage->folder);
	free(storage->folder_seen);
	free(storage->images);
	free(storage->images_seen);
	free(storage);
}

static struct vg_error *check_tag(const char *tag)
{
	struct vg_tag parts;
	if (!vg_tag_read(tag, &parts) || !*parts.path)
		return vg_error_new("'%s' is no tag of a volume", tag ? tag : "");
	return NULL;
}

// The volumes of one folder of a grid.
static struct vg_error *observe_grid(
	const char *path, const char *store, const char *grid, struct vg_volumes_seen *seen)
{
	char **names;
	size_t n_names;
	struct vg_error *error = vg_folder_list(path, &names, &n_names);
	if (error)
		return error;
	for (size_t i = 0; i < n_names; i++) {
		_auto(vg_string) char *volume = vg_format("%s/%s", path, names[i]);
		_auto(vg_volume_seen) struct vg_volume_seen item = {0};
		if (vg_file_volume_look(volume, &item) != VG_FILE_VOLUME_SEEN ||
			!vg_tag_is_of(item.tag, store, grid))
			continue;
		vg_append(seen->items, seen->n_items) = item;
		item = (struct vg_volume_seen){0};
	}
	vg_folder_list_free(names, n_names);
	return NULL;
}

static struct vg_error *observe_all(struct vg_storage *storage, const char *store, const char *grid,
	struct vg_volumes_seen *seen)
{
	_auto(vg_string) char *path = vg_format("%s/volumes", storage->folder);
	char **names;
	size_t n_names;
	struct vg_error *error = vg_folder_list(path, &names, &n_names);
	if (error)
		return error;
	for (size_t i = 0; !error && i < n_names; i++) {
		_auto(vg_string) char *folder = vg_format("%s/%s", path, names[i]);
		error = observe_grid(folder, store, grid, seen);
	}
	vg_folder_list_free(names, n_names);
	return error;
}

static struct vg_error *observe(struct vg_storage *storage, const char *store, const char *grid,
	struct vg_volumes_seen *ret_seen)
{
	struct vg_volumes_seen seen = {0};
	_auto(vg_fd) int lock = -1;
	struct vg_error *error = NULL;
	if (vg_file_exists(storage->folder))
		error = vg_file_volumes_lock(storage->folder, &lock);
	if (!error)
		error = observe_all(storage, store, grid, &seen);
	if (error) {
		vg_volumes_seen_done(&seen);
		return vg_error_while(error, "reading the volumes of '%s'", storage->host);
	}
	*ret_seen = seen;
	return NULL;
}

static struct vg_error *make_root(struct vg_storage *storage, const struct vg_volume *volume,
	uint64_t *ret_virtual_size, void **ret_bytes, size_t *ret_size)
{
	_auto(vg_image_info) struct vg_image_info *image = NULL;
	struct vg_error *error = vg_images_find(storage->images, volume->image, &image);
	if (error)
		return error;
	if (!image->format)
		return vg_error_new("the image '%s' has no root disk", image->name);
	_auto(vg_string) char *has = vg_units_write_size(image->root_size);
	_auto(vg_string) char *wants = vg_units_write_size(volume->size);
	if (volume->size && volume->size < image->root_size)
		return vg_error_new(
			"the image '%s' has %s and does not fit into %s", image->name, has, wants);
	_auto(vg_string) char *backing =
		vg_images_path(storage->images_seen, image->digest, "root");
	struct vg_qcow2_wish wish = {
		volume->size ? volume->size : image->root_size, backing, image->format};
	error = vg_qcow2_make(&wish, ret_bytes, ret_size);
	if (!error)
		*ret_virtual_size = wish.size;
	return error;
}

// The bytes of a new volume, malloc'ed.
static struct vg_error *make_bytes(struct vg_storage *storage, const struct vg_volume *volume,
	uint64_t *ret_virtual_size, void **ret_bytes, size_t *ret_size)
{
	switch (volume->kind) {
	case VG_VOLUME_ROOT:
		return make_root(storage, volume, ret_virtual_size, ret_bytes, ret_size);
	case VG_VOLUME_DATA:
		*ret_virtual_size = volume->size;
		return vg_qcow2_make(
			&(struct vg_qcow2_wish){.size = volume->size}, ret_bytes, ret_size);
	case VG_VOLUME_SEED:
		*ret_bytes = vg_alloc(volume->n_bytes + 1);
		if (volume->n_bytes)
			memcpy(*ret_bytes, volume->bytes, volume->n_bytes);
		*ret_virtual_size = *ret_size = volume->n_bytes;
		return NULL;
	}
	abort();
}

// May what is there stay? True also when it is the wanted volume; false when it is to be replaced.
// A data disk is never replaced.
static struct vg_error *judge(const char *path, const struct vg_volume *volume, bool *ret_stays)
{
	_auto(vg_volume_seen) struct vg_volume_seen there = {0};
	_auto(vg_volume_seen) struct vg_volume_seen wanted = vg_volume_expect(volume, volume->size);
	const char *title = vg_volume_title(volume->tag);
	bool is_data = volume->kind == VG_VOLUME_DATA;
	switch (vg_file_volume_look(path, &there)) {
	case VG_FILE_VOLUME_ABSENT:
		*ret_stays = false;
		return NULL;
	case VG_FILE_VOLUME_UNKNOWN:
		*ret_stays = false;
		return is_data ? vg_error_new("'%s' is in the way of the data disk '%s': it has no "
					      "volume.json that can be read",
					 path, title)
			       : NULL;
	case VG_FILE_VOLUME_SEEN:
		break;
	}
	if (is_data && there.kind == VG_VOLUME_DATA && there.is_broken)
		return vg_error_hint(
			vg_error_new("the data disk '%s' is gone or cannot be read", title),
			"it belongs to '%s/%s'", path, vg_file_volume_name(volume->kind));
	// What is broken has no size of its own any more.
	if (there.is_broken)
		wanted.size = 0;
	bool is_other_seed =
		volume->kind == VG_VOLUME_SEED && !vg_text_equal(there.version, wanted.version);
	*ret_stays = !there.is_broken && !is_other_seed;
	return vg_volume_compare(&there, &wanted);
}

static struct vg_error *create_locked(struct vg_storage *storage, const struct vg_volume *volume)
{
	_auto(vg_string) char *path = vg_file_volume_path(storage->folder, volume->tag);
	bool stays = false;
	struct vg_error *error = judge(path, volume, &stays);
	if (error || stays)
		return error;
	uint64_t virtual_size = 0;
	void *bytes = NULL;
	size_t size;
	error = make_bytes(storage, volume, &virtual_size, &bytes, &size);
	if (error)
		return error;
	_auto(vg_volume_seen) struct vg_volume_seen made = vg_volume_expect(volume, virtual_size);
	error = vg_file_volume_put(storage->folder, &made, bytes, size);
	if (volume->kind == VG_VOLUME_SEED)
		explicit_bzero(bytes, size);
	free(bytes);
	return error;
}

static struct vg_error *create(struct vg_storage *storage, const struct vg_volume *volume)
{
	struct vg_error *error = check_tag(volume->tag);
	if (!error)
		error = vg_folder_make(storage->folder, 0700);
	_auto(vg_fd) int lock = -1;
	if (!error)
		error = vg_file_volumes_lock(storage->folder, &lock);
	if (!error)
		error = create_locked(storage, volume);
	error = vg_error_while(error, "making the %s '%s'", vg_volume_kind_title(volume->kind),
		vg_volume_title(volume->tag));
	return vg_error_place(error, volume->place);
}

// QEMU holds locks on bytes 100 to 299 of an image that it has open (its block/file-posix.c).
static struct vg_error *check_unused(int fd)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 100, .l_len = 200};
	if (fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK)
		return vg_error_new("a running machine has it open");
	return NULL;
}

static struct vg_error *grow(const char *path, uint64_t size)
{
	_auto(vg_fd) int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return vg_error_errno(errno, "opening '%s'", path);
	_auto(vg_string) char *header = vg_alloc(HEADER_SIZE);
	ssize_t got = pread(fd, header, HEADER_SIZE, 0);
	if (got < 0)
		return vg_error_errno(errno, "reading '%s'", path);
	_auto(vg_qcow2_facts) struct vg_qcow2_facts facts = {0};
	uint8_t field[8];
	struct vg_error *error = vg_qcow2_read(header, (size_t)got, &facts);
	if (error || facts.size == size)
		return error;
	error = vg_qcow2_grow(&facts, size, field);
	if (!error)
		error = check_unused(fd);
	if (error)
		return error;
	if (pwrite(fd, field, sizeof(field), VG_QCOW2_SIZE_AT) != (ssize_t)sizeof(field) ||
		fsync(fd) < 0)
		return vg_error_errno(errno, "writing '%s'", path);
	return NULL;
}

static struct vg_error *resize_locked(struct vg_storage *storage, const char *tag, uint64_t size)
{
	_auto(vg_string) char *path = vg_file_volume_path(storage->folder, tag);
	_auto(vg_volume_seen) struct vg_volume_seen seen = {0};
	if (vg_file_volume_look(path, &seen) != VG_FILE_VOLUME_SEEN)
		return vg_error_of(VG_ERROR_NOT_FOUND, "there is no such disk");
	if (seen.kind != VG_VOLUME_DATA)
		return vg_error_new("it is a %s", vg_volume_kind_title(seen.kind));
	if (seen.is_broken)
		return vg_error_new("it is gone or cannot be read");
	_auto(vg_string) char *disk = vg_format("%s/%s", path, vg_file_volume_name(seen.kind));
	// The disk's own header is what is believed; the sidecar follows.
	struct vg_error *error = grow(disk, size);
	if (error)
		return error;
	seen.size = size;
	return vg_file_volume_note(path, &seen);
}

static struct vg_error *resize(struct vg_storage *storage, const char *tag, uint64_t size)
{
	struct vg_error *error = check_tag(tag);
	_auto(vg_fd) int lock = -1;
	if (!error)
		error = vg_file_volumes_lock(storage->folder, &lock);
	if (!error)
		error = resize_locked(storage, tag, size);
	return vg_error_while(error, "growing the data disk '%s'", vg_volume_title(tag));
}

static struct vg_error *remove_volume(struct vg_storage *storage, const char *tag)
{
	struct vg_error *error = check_tag(tag);
	if (!error && !vg_file_exists(storage->folder))
		return NULL;
	_auto(vg_fd) int disk = -1; // closed behind the lock
	_auto(vg_fd) int lock = -1;
	if (!error)
		error = vg_file_volumes_lock(storage->folder, &lock);
	if (!error)
		error = vg_file_volume_drop(storage->folder, tag, &disk);
	return vg_error_while(error, "removing the volume '%s'", vg_volume_title(tag));
}

static void locate(struct vg_storage *storage, const char *tag, enum vg_volume_kind kind,
	char **ret_path, const char **ret_format)
{
	_auto(vg_string) char *path = vg_file_volume_path(storage->folder_seen, tag);
	*ret_path = vg_format("%s/%s", path, vg_file_volume_name(kind));
	*ret_format = kind == VG_VOLUME_SEED ? "raw" : "qcow2";
}

static struct vg_error *look_at_facts(
	struct vg_storage *storage, struct vg_storage_facts *ret_facts)
{
	struct statvfs status;
	if (statvfs(storage->folder, &status) < 0)
		return vg_error_errno(
			errno, "host '%s': looking at '%s'", storage->host, storage->folder);
	*ret_facts = (struct vg_storage_facts){(uint64_t)status.f_blocks * status.f_frsize,
		(uint64_t)status.f_bavail * status.f_frsize};
	return NULL;
}

const struct vg_storage_driver vg_storage_file = {
	.name = "file",
	.open = open_storage,
	.close = close_storage,
	.observe = observe,
	.create = create,
	.resize = resize,
	.remove = remove_volume,
	.locate = locate,
	.facts = look_at_facts,
};
