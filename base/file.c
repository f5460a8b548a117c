// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/text.h"

enum { WRITER_TIMEOUT_MS = 5000, WRITER_POLL_MS = 50 };

// Adds all that comes to what is there.
static struct vg_error *read_rest(int fd, const char *name, size_t size_max, struct vg_text *text)
{
	char buffer[64 * 1024];
	for (;;) {
		ssize_t got = read(fd, buffer, sizeof(buffer));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return vg_error_errno(errno, "reading '%s'", name);
		if (got == 0)
			return NULL;
		if (text->length + (size_t)got > size_max)
			return vg_error_of(
				VG_ERROR_USAGE, "'%s' is larger than %zu bytes", name, size_max);
		vg_text_add_bytes(text, buffer, (size_t)got);
	}
}

static struct vg_error *read_all(int fd, const char *name, size_t size_max, struct vg_text *text,
	char **ret_bytes, size_t *ret_size)
{
	struct vg_error *error = read_rest(fd, name, size_max, text);
	if (error)
		return error;
	if (ret_size)
		*ret_size = text->length;
	*ret_bytes = vg_text_take(text);
	return NULL;
}

struct vg_error *vg_file_read_fd(
	int fd, const char *name, size_t size_max, char **ret_bytes, size_t *ret_size)
{
	_auto(vg_text) struct vg_text text = {0};
	return read_all(fd, name, size_max, &text, ret_bytes, ret_size);
}

// A named pipe that nobody has open for writing would hold us for ever. `fd` does not block: then
// a read says whether there is a writer (EAGAIN) or none (0).
static struct vg_error *wait_for_writer(int fd, const char *path, struct vg_text *text)
{
	for (int waited = 0; waited < WRITER_TIMEOUT_MS; waited += WRITER_POLL_MS) {
		struct pollfd wanted = {.fd = fd, .events = POLLIN};
		char byte;
		if (poll(&wanted, 1, WRITER_POLL_MS) != 0)
			return NULL;
		ssize_t got = read(fd, &byte, 1);
		if (got > 0)
			vg_text_add_bytes(text, &byte, 1);
		if (got != 0)
			return NULL;
	}
	return vg_error_of(VG_ERROR_TIMEOUT, "'%s' is a pipe that nobody writes to", path);
}

struct vg_error *vg_file_read(const char *path, size_t size_max, char **ret_bytes, size_t *ret_size)
{
	_auto(vg_text) struct vg_text text = {0};
	_auto(vg_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat status;
	if (fd < 0 && errno == ENOENT)
		return vg_error_of(VG_ERROR_NOT_FOUND, "there is no file '%s'", path);
	if (fd < 0 || fstat(fd, &status) < 0)
		return vg_error_errno(errno, "opening '%s'", path);
	struct vg_error *error = S_ISFIFO(status.st_mode) ? wait_for_writer(fd, path, &text) : NULL;
	if (error)
		return error;
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
	return read_all(fd, path, size_max, &text, ret_bytes, ret_size);
}

struct vg_error *vg_file_write_all(int fd, const char *name, const void *bytes, size_t size)
{
	const char *at = bytes;
	while (size > 0) {
		ssize_t put = write(fd, at, size);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return vg_error_errno(errno, "writing '%s'", name);
		at += put;
		size -= (size_t)put;
	}
	return NULL;
}

static struct vg_error *sync_folder_of(const char *path)
{
	_auto(vg_string) char *copy = vg_strdup(path);
	_auto(vg_fd) int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0)
		return vg_error_errno(errno, "syncing the folder of '%s'", path);
	return NULL;
}

// A file that is being written, and its lock, which tells the living writer from the dead.
static char *draft_of(const char *path)
{
	return vg_format("%s.new", path);
}

// A locked file may be renamed or removed by its holder: whoever got such a one's lock tries again.
static bool is_still_there(int fd, const char *path)
{
	struct stat mine, there;
	return fstat(fd, &mine) == 0 && stat(path, &there) == 0 && mine.st_ino == there.st_ino &&
	       mine.st_dev == there.st_dev;
}

// Empty, of the mode, and ours alone.
static struct vg_error *open_draft(const char *path, mode_t mode, int *ret_fd)
{
	for (;;) {
		_auto(vg_fd) int fd = open(
			path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, mode | S_IRUSR | S_IWUSR);
		if (fd < 0)
			return vg_error_errno(errno, "creating '%s'", path);
		if (flock(fd, LOCK_EX) < 0) {
			if (errno != EINTR)
				return vg_error_errno(errno, "locking '%s'", path);
			continue;
		}
		bool is_ours = is_still_there(fd, path);
		// What a dead writer left goes.
		if (is_ours && lseek(fd, 0, SEEK_END) > 0 && unlink(path) < 0)
			return vg_error_errno(errno, "removing '%s'", path);
		if (!is_still_there(fd, path))
			continue;
		*ret_fd = vg_take_fd(&fd);
		return NULL;
	}
}

// Its owner could write the draft; a file that nobody is to write loses that last.
static struct vg_error *restrict_mode(int fd, const char *path, mode_t mode)
{
	struct stat status;
	if ((mode & (S_IRUSR | S_IWUSR)) == (S_IRUSR | S_IWUSR))
		return NULL;
	if (fstat(fd, &status) < 0 || fchmod(fd, status.st_mode & mode & 07777) < 0)
		return vg_error_errno(errno, "setting the mode of '%s'", path);
	return NULL;
}

struct vg_error *vg_file_write(const char *path, mode_t mode, const void *bytes, size_t size)
{
	_auto(vg_string) char *draft = draft_of(path);
	_auto(vg_fd) int fd = -1;
	struct vg_error *error = open_draft(draft, mode, &fd);
	if (error)
		return error;
	error = vg_file_write_all(fd, draft, bytes, size);
	if (!error && fsync(fd) < 0)
		error = vg_error_errno(errno, "syncing '%s'", draft);
	if (!error && rename(draft, path) < 0)
		error = vg_error_errno(errno, "renaming '%s' to '%s'", draft, path);
	if (error) {
		unlink(draft);
		return error;
	}
	error = restrict_mode(fd, path, mode);
	return error ? error : sync_folder_of(path);
}

void vg_file_tidy(const char *path)
{
	_auto(vg_string) char *draft = draft_of(path);
	_auto(vg_fd) int fd = open(draft, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 && is_still_there(fd, draft))
		unlink(draft);
}

bool vg_file_exists(const char *path)
{
	return access(path, F_OK) == 0;
}

struct vg_error *vg_file_remove(const char *path)
{
	if (unlink(path) < 0 && errno != ENOENT)
		return vg_error_errno(errno, "removing '%s'", path);
	return NULL;
}

struct vg_error *vg_folder_make(const char *path, mode_t mode)
{
	_auto(vg_string) char *partial = vg_strdup(path);
	for (char *slash = partial + 1;; slash++) {
		slash += strcspn(slash, "/");
		char kept = *slash;
		*slash = '\0';
		if (mkdir(partial, mode) < 0 && errno != EEXIST)
			return vg_error_errno(errno, "making the folder '%s'", partial);
		if (!kept)
			break;
		*slash = kept;
	}
	struct stat status;
	if (stat(path, &status) == 0 && !S_ISDIR(status.st_mode))
		return vg_error_new("'%s' is not a folder", path);
	return NULL;
}

static struct vg_error *empty_folder(int fd, const char *name, dev_t device);

static struct vg_error *remove_entry(int folder, const char *name, dev_t device)
{
	if (unlinkat(folder, name, 0) == 0 || errno == ENOENT)
		return NULL;
	if (errno != EISDIR && errno != EPERM)
		return vg_error_errno(errno, "removing '%s'", name);
	int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return vg_error_errno(errno, "opening '%s'", name);
	struct vg_error *error = empty_folder(fd, name, device);
	if (!error && unlinkat(folder, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		error = vg_error_errno(errno, "removing the folder '%s'", name);
	return error;
}

// Takes over fd.
static struct vg_error *empty_folder(int fd, const char *name, dev_t device)
{
	struct stat status;
	if (fstat(fd, &status) < 0 || status.st_dev != device) {
		close(fd);
		return vg_error_new("'%s' is a mount point", name);
	}
	DIR *folder = fdopendir(fd);
	if (!folder) {
		close(fd);
		return vg_error_errno(errno, "reading the folder '%s'", name);
	}
	struct vg_error *error = NULL;
	for (struct dirent *entry; !error && (entry = readdir(folder));) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			error = remove_entry(dirfd(folder), entry->d_name, device);
	}
	closedir(folder);
	return error;
}

struct vg_error *vg_folder_remove(const char *path)
{
	struct stat status;
	if (lstat(path, &status) < 0 && errno == ENOENT)
		return NULL;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return vg_error_errno(errno, "opening the folder '%s'", path);
	struct vg_error *error = empty_folder(fd, path, status.st_dev);
	if (!error && rmdir(path) < 0 && errno != ENOENT)
		return vg_error_errno(errno, "removing the folder '%s'", path);
	return vg_error_while(error, "removing the folder '%s'", path);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

struct vg_error *vg_folder_list(const char *path, char ***ret_names, size_t *ret_n_names)
{
	char **names = NULL;
	size_t n_names = 0;
	DIR *folder = opendir(path);
	if (!folder && errno != ENOENT)
		return vg_error_errno(errno, "reading the folder '%s'", path);
	for (struct dirent *entry; folder && (entry = readdir(folder));) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			vg_append(names, n_names) = vg_strdup(entry->d_name);
	}
	if (folder)
		closedir(folder);
	if (n_names)
		qsort(names, n_names, sizeof(*names), compare_names);
	*ret_names = names;
	*ret_n_names = n_names;
	return NULL;
}

void vg_folder_list_free(char **names, size_t n_names)
{
	for (size_t i = 0; i < n_names; i++)
		free(names[i]);
	free(names);
}

struct vg_error *vg_lock_take(const char *path, bool wait, int *ret_fd)
{
	for (;;) {
		_auto(vg_fd) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (fd < 0 && errno == ENOENT)
			return vg_error_of(VG_ERROR_NOT_FOUND,
				"opening the lock '%s': there is no such folder", path);
		if (fd < 0)
			return vg_error_errno(errno, "opening the lock '%s'", path);
		if (flock(fd, LOCK_EX | (wait ? 0 : LOCK_NB)) < 0) {
			if (errno == EWOULDBLOCK)
				return vg_error_of(VG_ERROR_TIMEOUT, "'%s' is locked", path);
			if (errno != EINTR)
				return vg_error_errno(errno, "locking '%s'", path);
			continue;
		}
		if (is_still_there(fd, path)) {
			*ret_fd = vg_take_fd(&fd);
			return NULL;
		}
	}
}

void vg_lock_remove(const char *path, int *fd)
{
	unlink(path);
	close(vg_take_fd(fd));
}

void vg_lock_holder_write(int fd, const char *who)
{
	// Only for display; a failure is no harm.
	if (ftruncate(fd, 0) == 0)
		vg_error_ignore(vg_file_write_all(fd, "lock", who, strlen(who)));
}

char *vg_lock_holder_read(const char *path)
{
	char *who = NULL;
	vg_error_ignore(vg_file_read(path, 4096, &who, NULL));
	return who ? who : vg_strdup("");
}
