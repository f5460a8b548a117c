// SPDX-License-Identifier: Apache-2.0
//
// vg_images_import of storage/images.h: a user's disk becomes an image. What is checked, hashed and
// published is our copy, so that nobody can change it in between.
#include "storage/images.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "base/crypto.h"
#include "base/memory.h"
#include "base/text.h"
#include "storage/image_check.h"
#include "storage/image_draft.h"
#include "storage/image_known.h"

enum { CHUNK_SIZE = 1 << 20 };

struct copy {
	int from, to;
	const char *from_name, *to_name;
	uint64_t size, done; // bytes
	struct vg_sha256 *hash;
	char *buffer, *zeros; // of CHUNK_SIZE
	vg_image_progress progress;
	void *data;
};

static bool show(uint64_t done, void *data)
{
	const struct copy *copy = data;
	return !copy->progress || copy->progress("copying", done, copy->size, copy->data);
}

static struct vg_error *go_on(struct copy *copy)
{
	return show(copy->done, copy) ? NULL : vg_error_of(VG_ERROR_INTERRUPTED, "interrupted");
}

static struct vg_error *write_at(const struct copy *copy, size_t size)
{
	for (size_t put = 0; put < size;) {
		ssize_t n =
			pwrite(copy->to, copy->buffer + put, size - put, (off_t)(copy->done + put));
		if (n < 0 && errno != EINTR)
			return vg_error_errno(errno, "writing '%s'", copy->to_name);
		put += n > 0 ? (size_t)n : 0;
	}
	return NULL;
}

// A hole stays one; the hash is taken over its zeros.
static struct vg_error *skip_hole(struct copy *copy, uint64_t end)
{
	struct vg_error *error = NULL;
	while (copy->done < end && !error) {
		uint64_t left = end - copy->done;
		size_t size = left < CHUNK_SIZE ? (size_t)left : CHUNK_SIZE;
		vg_sha256_add(copy->hash, copy->zeros, size);
		copy->done += size;
		error = go_on(copy);
	}
	return error;
}

static struct vg_error *copy_data(struct copy *copy, uint64_t end)
{
	while (copy->done < end) {
		uint64_t left = end - copy->done;
		size_t size = left < CHUNK_SIZE ? (size_t)left : CHUNK_SIZE;
		ssize_t got = pread(copy->from, copy->buffer, size, (off_t)copy->done);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return vg_error_errno(errno, "reading '%s'", copy->from_name);
		if (got == 0)
			return vg_error_new(
				"'%s' became shorter while it was read", copy->from_name);
		struct vg_error *error = write_at(copy, (size_t)got);
		if (error)
			return error;
		vg_sha256_add(copy->hash, copy->buffer, (size_t)got);
		copy->done += (uint64_t)got;
		error = go_on(copy);
		if (error)
			return error;
	}
	return NULL;
}

// Where the next data and the next hole begin; a file system that does not know has no holes.
static void find_data(const struct copy *copy, uint64_t *ret_data, uint64_t *ret_hole)
{
	off_t data = lseek(copy->from, (off_t)copy->done, SEEK_DATA);
	bool is_end = data < 0 && errno == ENXIO;
	off_t hole = data < 0 ? -1 : lseek(copy->from, data, SEEK_HOLE);
	*ret_data = is_end ? copy->size : data < 0 ? copy->done : (uint64_t)data;
	*ret_hole = hole < 0 ? copy->size : (uint64_t)hole;
	if (*ret_data > copy->size)
		*ret_data = copy->size;
	if (*ret_hole > copy->size)
		*ret_hole = copy->size;
}

static struct vg_error *copy_sparsely(struct copy *copy, char ret_sha256[VG_SHA256_HEX])
{
	_auto(vg_string) char *buffer = vg_alloc(CHUNK_SIZE);
	_auto(vg_string) char *zeros = vg_alloc(CHUNK_SIZE);
	_auto(vg_sha256) struct vg_sha256 *hash = vg_sha256_new();
	copy->buffer = buffer;
	copy->zeros = zeros;
	copy->hash = hash;
	struct vg_error *error = NULL;
	while (!error && copy->done < copy->size) {
		uint64_t data, hole;
		find_data(copy, &data, &hole);
		error = skip_hole(copy, data);
		if (!error)
			error = copy_data(copy, hole);
	}
	if (!error && ftruncate(copy->to, (off_t)copy->size) < 0)
		error = vg_error_errno(errno, "writing '%s'", copy->to_name);
	if (!error)
		vg_sha256_finish(vg_take(hash), ret_sha256);
	return error;
}

static struct vg_error *copy_file(struct copy *copy, char ret_sha256[VG_SHA256_HEX])
{
	if (ioctl(copy->to, FICLONE, copy->from) == 0)
		return vg_sha256_fd(copy->to, copy->to_name, show, copy, ret_sha256);
	return copy_sparsely(copy, ret_sha256);
}

struct source {
	int fd;
	const char *path, *format, *wanted_sha256;
	struct stat status;
};

static struct vg_error *compare_hash(const struct source *source, const char *sha256)
{
	if (!source->wanted_sha256 || strcasecmp(source->wanted_sha256, sha256) == 0)
		return NULL;
	return vg_error_new("the SHA-256 of '%s' is %s, but %s is demanded", source->path, sha256,
		source->wanted_sha256);
}

static struct vg_error *open_source(struct source *source)
{
	if (!vg_text_equal(source->format, "qcow2") && !vg_text_equal(source->format, "raw"))
		return vg_error_of(VG_ERROR_USAGE, "the format is 'qcow2' or 'raw', not '%s'",
			source->format ? source->format : "");
	// Without O_NONBLOCK a pipe of that name would hold us.
	source->fd = open(source->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (source->fd < 0)
		return errno == ENOENT ? vg_error_of(VG_ERROR_NOT_FOUND, "there is no file '%s'",
						 source->path)
				       : vg_error_errno(errno, "opening '%s'", source->path);
	if (fstat(source->fd, &source->status) < 0)
		return vg_error_errno(errno, "reading '%s'", source->path);
	if (!S_ISREG(source->status.st_mode))
		return vg_error_new("'%s' is no regular file", source->path);
	return NULL;
}

static struct vg_error *check_unchanged(const struct source *source)
{
	struct stat now;
	if (fstat(source->fd, &now) < 0)
		return vg_error_errno(errno, "reading '%s'", source->path);
	const struct stat *then = &source->status;
	if (now.st_size != then->st_size || now.st_mtim.tv_sec != then->st_mtim.tv_sec ||
		now.st_mtim.tv_nsec != then->st_mtim.tv_nsec)
		return vg_error_new("'%s' was changed while it was read", source->path);
	return NULL;
}

static struct vg_error *fill_draft(const struct source *source, struct vg_image_draft *draft,
	vg_image_progress progress, void *data, char ret_sha256[VG_SHA256_HEX], uint64_t *ret_size)
{
	_auto(vg_string) char *path = vg_format("%s/root", vg_image_draft_path(draft));
	_auto(vg_fd) int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return vg_error_errno(errno, "creating '%s'", path);
	struct copy copy = {.from = source->fd,
		.to = fd,
		.from_name = source->path,
		.to_name = path,
		.size = (uint64_t)source->status.st_size,
		.progress = progress,
		.data = data};
	struct vg_error *error = copy_file(&copy, ret_sha256);
	if (!error)
		error = check_unchanged(source);
	if (!error)
		error = compare_hash(source, ret_sha256);
	if (!error)
		error = vg_image_check_disk(fd, source->path, source->format, ret_size);
	return error ? error : vg_image_draft_part(draft, "root", ret_sha256);
}

static struct vg_error *ingest(const char *folder, const struct source *source,
	vg_image_progress progress, void *data, struct vg_image_info **ret_info)
{
	char sha256[VG_SHA256_HEX];
	uint64_t size;
	_auto(vg_image_draft) struct vg_image_draft *draft = NULL;
	// First as it stands there: what is refused need not be copied.
	struct vg_error *error =
		vg_image_check_disk(source->fd, source->path, source->format, &size);
	if (!error)
		error = vg_image_draft_new(folder, &draft);
	if (!error)
		error = fill_draft(source, draft, progress, data, sha256, &size);
	if (error)
		return error;
	const char *slash = strrchr(source->path, '/');
	_auto(vg_string) char *name = vg_strdup(slash ? slash + 1 : source->path);
	_auto(vg_string) char *origin = vg_format("file:%s", sha256);
	_auto(vg_string) char *format = vg_strdup(source->format);
	struct vg_image_info info = {
		.name = name, .origin = origin, .format = format, .root_size = size};
	error = vg_image_draft_publish(draft, &info, ret_info);
	if (!error)
		vg_image_known_remember(folder, source->path, &source->status, source->format,
			(*ret_info)->digest, sha256);
	return error;
}

struct vg_error *vg_images_import(const char *folder, const char *path, const char *format,
	const char *sha256, vg_image_progress progress, void *data, struct vg_image_info **ret_info)
{
	_auto(vg_fd) int fd = -1;
	struct source source = {.path = path, .format = format, .wanted_sha256 = sha256, .fd = -1};
	struct vg_error *error = open_source(&source);
	fd = source.fd;
	if (error)
		return error;
	_auto(vg_string) char *digest = NULL, *known_sha256 = NULL;
	struct vg_image_info *info = NULL;
	if (vg_image_known_find(folder, path, &source.status, format, &digest, &known_sha256))
		vg_error_ignore(vg_images_find(folder, digest, &info));
	if (!info)
		return vg_error_while(ingest(folder, &source, progress, data, ret_info),
			"importing the image '%s'", path);
	error = compare_hash(&source, known_sha256);
	if (error) {
		vg_image_info_free(info);
		return error;
	}
	*ret_info = info;
	return NULL;
}
