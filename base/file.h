// SPDX-License-Identifier: Apache-2.0
//
// Files: whole reads with a bound, atomic writes, locks, trees. Paths are UTF-8, absolute or
// relative to the working directory.
#pragma once

#include <sys/types.h>

#include "base/error.h"

// Reads all of a regular file or pipe, at most size_max bytes (more, and nothing else, is
// VG_ERROR_USAGE). The result is
// malloc'ed and has a NUL behind it. VG_ERROR_NOT_FOUND when there is no such file; VG_ERROR_TIMEOUT
// for a named pipe that nobody opens for writing within 5 s.
struct vg_error *vg_file_read(const char *path, size_t size_max, char **ret_bytes,
	size_t *ret_size) VG_MUST_CHECK;
struct vg_error *vg_file_read_fd(int fd, const char *name, size_t size_max, char **ret_bytes,
	size_t *ret_size) VG_MUST_CHECK;
// Writes a draft beside it (PATH.new, locked while its writer lives), fsyncs, renames, fsyncs the
// folder: the old content or the new, never a mixture. On an error nothing has changed. A draft that
// a killed writer left is removed by the next.
struct vg_error *vg_file_write(const char *path, mode_t mode, const void *bytes, size_t size)
	VG_MUST_CHECK;
// Removes the draft of this file that a killed writer left, if there is one.
void vg_file_tidy(const char *path);
// Writes all bytes, through EINTR and short writes.
struct vg_error *vg_file_write_all(int fd, const char *name, const void *bytes, size_t size)
	VG_MUST_CHECK;
bool vg_file_exists(const char *path);
// Removes a file; none is no error.
struct vg_error *vg_file_remove(const char *path) VG_MUST_CHECK;

// Like mkdir -p.
struct vg_error *vg_folder_make(const char *path, mode_t mode) VG_MUST_CHECK;
// Removes a folder with all that is in it, follows no link, stays on one file system. None is no
// error.
struct vg_error *vg_folder_remove(const char *path) VG_MUST_CHECK;
// The names in a folder, sorted, without . and .. ; malloc'ed with malloc'ed entries. A missing
// folder is empty.
struct vg_error *vg_folder_list(const char *path, char ***ret_names, size_t *ret_n_names)
	VG_MUST_CHECK;
void vg_folder_list_free(char **names, size_t n_names);

// Opens (creating it, 0600) and locks a file exclusively; closing the descriptor unlocks. With
// `wait` false a lock held by another is VG_ERROR_TIMEOUT; a folder that is not there is
// VG_ERROR_NOT_FOUND. The file's content is the holder's to
// use: vg_lock_holder_write() leaves who holds it for those who wait.
struct vg_error *vg_lock_take(const char *path, bool wait, int *ret_fd) VG_MUST_CHECK;
// Removes the lock's file and unlocks; who waits for it makes a new one.
void vg_lock_remove(const char *path, int *fd);
void vg_lock_holder_write(int fd, const char *who);
// What the present or last holder wrote, malloc'ed; "" if nothing.
char *vg_lock_holder_read(const char *path);
