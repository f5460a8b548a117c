// SPDX-License-Identifier: Apache-2.0
#include "storage/file_volume.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/tag.h"
#include "base/text.h"
#include "storage/qcow2.h"

enum { SIDECAR_SIZE_MAX = 64 * 1024, HEADER_SIZE = 4096, BLOCK_SIZE = 4096 };

static const char sidecar_name[] = "volume.json";

static void add_encoded(struct vg_text *text, const char *raw)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
	for (; *raw; raw++) {
		if (*raw == '/')
			vg_text_add(text, ".");
		else if (strchr(plain, *raw))
			vg_text_add_bytes(text, raw, 1);
		else
			vg_text_addf(text, "%%%02X", (unsigned char)*raw);
	}
}

char *vg_file_volume_path(const char *folder, const char *tag)
{
	struct vg_tag parts;
	bool is_tag = vg_tag_read(tag, &parts);
	assert(is_tag && "a volume is named by a tag");
	struct vg_text text = {0};
	vg_text_addf(&text, "%s/volumes/", folder);
	add_encoded(&text, is_tag ? parts.grid : "");
	vg_text_add(&text, "/");
	add_encoded(&text, is_tag ? parts.path : tag);
	return vg_text_take(&text);
}

const char *vg_file_volume_name(enum vg_volume_kind kind)
{
	return kind == VG_VOLUME_SEED ? "seed.raw" : "disk.qcow2";
}

static bool read_sidecar(int folder, struct vg_volume_seen *ret_seen)
{
	_auto(vg_fd) int fd = openat(folder, sidecar_name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	_auto(vg_string) char *bytes = NULL;
	size_t size;
	_auto(vg_json) struct vg_json *json = NULL;
	struct vg_error *error =
		fd < 0 ? NULL : vg_file_read_fd(fd, sidecar_name, SIDECAR_SIZE_MAX, &bytes, &size);
	if (!error && bytes)
		error = vg_json_read(bytes, size, &json);
	vg_error_ignore(error);
	return vg_volume_from_json(json, ret_seen);
}

// A plausible header suffices: this is asked of every volume with every command.
static bool disk_is_whole(int fd, struct vg_volume_seen *seen)
{
	char header[HEADER_SIZE];
	ssize_t size = pread(fd, header, sizeof(header), 0);
	_auto(vg_qcow2_facts) struct vg_qcow2_facts facts = {0};
	_auto(vg_error) struct vg_error *error =
		size < 0 ? vg_error_errno(errno, "reading")
			 : vg_qcow2_read(header, (size_t)size, &facts);
	if (error)
		return false;
	seen->size = facts.size;
	return !facts.is_corrupt && facts.has_backing == (seen->kind == VG_VOLUME_ROOT);
}

static bool is_whole(int folder, struct vg_volume_seen *seen)
{
	_auto(vg_fd) int fd = openat(folder, vg_file_volume_name(seen->kind),
		O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat status;
	if (fd < 0 || fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
		return false;
	if (seen->kind == VG_VOLUME_SEED)
		return (uint64_t)status.st_size == seen->size;
	return disk_is_whole(fd, seen);
}

enum vg_file_volume_state vg_file_volume_look(const char *path, struct vg_volume_seen *ret_seen)
{
	_auto(vg_fd) int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (folder < 0)
		return errno == ENOENT ? VG_FILE_VOLUME_ABSENT : VG_FILE_VOLUME_UNKNOWN;
	struct vg_volume_seen seen = {0};
	if (!read_sidecar(folder, &seen))
		return VG_FILE_VOLUME_UNKNOWN;
	seen.is_broken = !is_whole(folder, &seen);
	*ret_seen = seen;
	return VG_FILE_VOLUME_SEEN;
}

static bool is_zero(const char *bytes, size_t size)
{
	return bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0;
}

static struct vg_error *write_sparsely(int fd, const char *path, const char *bytes, size_t size)
{
	if (ftruncate(fd, (off_t)size) < 0)
		return vg_error_errno(errno, "writing '%s'", path);
	for (size_t at = 0; at < size; at += BLOCK_SIZE) {
		size_t length = size - at < BLOCK_SIZE ? size - at : BLOCK_SIZE;
		if (is_zero(bytes + at, length))
			continue;
		if (lseek(fd, (off_t)at, SEEK_SET) < 0)
			return vg_error_errno(errno, "writing '%s'", path);
		struct vg_error *error = vg_file_write_all(fd, path, bytes + at, length);
		if (error)
			return error;
	}
	return NULL;
}

static struct vg_error *write_file(const char *path, const void *bytes, size_t size, bool is_synced)
{
	_auto(vg_fd) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return vg_error_errno(errno, "creating '%s'", path);
	struct vg_error *error = write_sparsely(fd, path, bytes, size);
	if (!error && is_synced && fsync(fd) < 0)
		error = vg_error_errno(errno, "syncing '%s'", path);
	return error;
}

static struct vg_error *sync_folder(const char *path)
{
	_auto(vg_fd) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0)
		return vg_error_errno(errno, "syncing '%s'", path);
	return NULL;
}

static struct vg_error *fill(const char *draft, const struct vg_volume_seen *volume,
	const void *bytes, size_t size, bool is_synced)
{
	if (mkdir(draft, 0700) < 0)
		return vg_error_errno(errno, "making the folder '%s'", draft);
	_auto(vg_string) char *disk = vg_format("%s/%s", draft, vg_file_volume_name(volume->kind));
	_auto(vg_string) char *sidecar = vg_format("%s/%s", draft, sidecar_name);
	_auto(vg_json) struct vg_json *json = vg_volume_to_json(volume);
	_auto(vg_string) char *text = vg_json_write_pretty(json);
	struct vg_error *error = write_file(disk, bytes, size, is_synced);
	if (!error)
		error = write_file(sidecar, text, strlen(text), is_synced);
	if (!error && is_synced)
		error = sync_folder(draft);
	return error;
}

// The folders above stay only as long as something is in them.
static void prune(const char *path)
{
	_auto(vg_string) char *above = vg_strdup(path);
	for (int level = 0; level < 2; level++)
		rmdir(dirname(above));
}

struct vg_error *vg_file_volume_put(
	const char *folder, const struct vg_volume_seen *volume, const void *bytes, size_t size)
{
	_auto(vg_string) char *path = vg_file_volume_path(folder, volume->tag);
	_auto(vg_string) char *draft = vg_format("%s/volumes/.new", folder);
	_auto(vg_string) char *copy = vg_strdup(path);
	const char *above = dirname(copy);
	bool is_synced = volume->kind == VG_VOLUME_DATA;
	struct vg_error *error = vg_folder_make(above, 0700);
	if (!error)
		error = fill(draft, volume, bytes, size, is_synced);
	bool is_done = !error && rename(draft, path) == 0;
	if (!error && !is_done && (errno == EEXIST || errno == ENOTEMPTY))
		is_done = renameat2(AT_FDCWD, draft, AT_FDCWD, path, RENAME_EXCHANGE) == 0;
	if (!error && !is_done)
		error = vg_error_errno(errno, "renaming '%s' to '%s'", draft, path);
	// Ours after a failure, what was there before after an exchange, or nothing.
	vg_error_ignore(vg_folder_remove(draft));
	if (error)
		prune(path);
	else if (is_synced)
		error = sync_folder(above);
	return error;
}

struct vg_error *vg_file_volume_note(const char *path, const struct vg_volume_seen *volume)
{
	_auto(vg_string) char *sidecar = vg_format("%s/%s", path, sidecar_name);
	_auto(vg_json) struct vg_json *json = vg_volume_to_json(volume);
	_auto(vg_string) char *text = vg_json_write_pretty(json);
	return vg_file_write(sidecar, 0600, text, strlen(text));
}

// The disk in a volume's folder, of whichever kind it is; -1: none that can be opened.
static int open_disk(const char *path)
{
	static const enum vg_volume_kind kinds[] = {VG_VOLUME_ROOT, VG_VOLUME_SEED};
	int fd = -1;
	for (size_t i = 0; i < VG_LENGTH(kinds) && fd < 0; i++) {
		_auto(vg_string) char *disk =
			vg_format("%s/%s", path, vg_file_volume_name(kinds[i]));
		fd = open(disk, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	}
	return fd;
}

struct vg_error *vg_file_volume_drop(const char *folder, const char *tag, int *ret_fd)
{
	_auto(vg_string) char *path = vg_file_volume_path(folder, tag);
	_auto(vg_string) char *gone = vg_format("%s/volumes/.gone", folder);
	if (rename(path, gone) < 0 && errno != ENOENT)
		return vg_error_errno(errno, "removing '%s'", path);
	_auto(vg_fd) int fd = open_disk(gone);
	struct vg_error *error = vg_folder_remove(gone);
	prune(path);
	if (!error)
		*ret_fd = vg_take_fd(&fd);
	return error;
}

// What a kill left: a volume that was not there yet or not any more, and folders without volumes.
static struct vg_error *clear_away(const char *folder)
{
	static const char *const left[] = {".new", ".gone"};
	_auto(vg_string) char *volumes = vg_format("%s/volumes", folder);
	for (size_t i = 0; i < VG_LENGTH(left); i++) {
		_auto(vg_string) char *path = vg_format("%s/%s", volumes, left[i]);
		struct vg_error *error = vg_folder_remove(path);
		if (error)
			return error;
	}
	char **names;
	size_t n_names;
	struct vg_error *error = vg_folder_list(volumes, &names, &n_names);
	if (error)
		return error;
	for (size_t i = 0; i < n_names; i++) {
		_auto(vg_string) char *path = vg_format("%s/%s", volumes, names[i]);
		rmdir(path);
	}
	rmdir(volumes);
	vg_folder_list_free(names, n_names);
	return NULL;
}

struct vg_error *vg_file_volumes_lock(const char *folder, int *ret_fd)
{
	// The folder itself is locked: a file of its own for that would have to be left behind.
	_auto(vg_fd) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT
			       ? vg_error_of(VG_ERROR_NOT_FOUND, "there is no folder '%s'", folder)
			       : vg_error_errno(errno, "opening the folder '%s'", folder);
	while (flock(fd, LOCK_EX) < 0) {
		if (errno != EINTR)
			return vg_error_errno(errno, "locking the folder '%s'", folder);
	}
	struct vg_error *error = clear_away(folder);
	if (error)
		return error;
	*ret_fd = vg_take_fd(&fd);
	return NULL;
}
