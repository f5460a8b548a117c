// SPDX-License-Identifier: Apache-2.0
#include "images/guest/guest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char *file_read(const char *path, size_t *ret_size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	size_t size = 0, room = 4096;
	struct stat status;
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0)
		room = (size_t)status.st_size + 2;
	char *bytes = malloc(room);
	ssize_t n = -1;
	while (bytes && (n = read(fd, bytes + size, room - size - 1)) > 0) {
		size += (size_t)n;
		if (size + 1 < room)
			continue;
		room *= 2;
		char *more = realloc(bytes, room);
		if (!more)
			break;
		bytes = more;
	}
	int saved = errno;
	close(fd);
	if (n != 0) {
		free(bytes);
		errno = saved;
		return NULL;
	}
	bytes[size] = '\0';
	if (ret_size)
		*ret_size = size;
	return bytes;
}

static bool write_all(int fd, const char *bytes, size_t size)
{
	while (size > 0) {
		ssize_t n = write(fd, bytes, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		bytes += n;
		size -= (size_t)n;
	}
	return true;
}

bool file_write(const char *path, mode_t mode, const void *bytes, size_t size)
{
	char beside[4096];
	if (snprintf(beside, sizeof(beside), "%s.vgrid-new", path) >= (int)sizeof(beside)) {
		errno = ENAMETOOLONG;
		return false;
	}
	unlink(beside);
	int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	bool is_written = write_all(fd, bytes, size) && fchmod(fd, mode) == 0;
	is_written = close(fd) == 0 && is_written && rename(beside, path) == 0;
	if (!is_written) {
		int saved = errno;
		unlink(beside);
		errno = saved;
	}
	return is_written;
}

bool put_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool is_written = write_all(fd, text, strlen(text));
	close(fd);
	return is_written;
}

void make_folders(const char *path, mode_t mode)
{
	make_parents(path);
	mkdir(path, mode);
}

void make_parents(const char *path)
{
	char *copy = strdup(path);
	for (char *slash = copy ? strchr(copy + 1, '/') : NULL; slash;
		slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(copy, 0755);
		*slash = '/';
	}
	free(copy);
}

void make_link(const char *target, const char *path)
{
	if (symlink(target, path) < 0 && errno != EEXIST)
		fault("linking '%s': %s", path, strerror(errno));
}
