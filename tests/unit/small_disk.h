// SPDX-License-Identifier: Apache-2.0
//
// A file system that is soon full, for tests of what happens then. Used in a child process.
#pragma once

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/defs.h"

static inline bool small_disk_write(const char *path, const char *text)
{
	_auto(vg_fd) int fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

// Mounts a tmpfs with these options (`size=1m`) on the folder, in namespaces of this process alone.
// False where that is not possible.
static inline bool small_disk_mount(const char *folder, const char *options)
{
	char uids[32], gids[32];
	snprintf(uids, sizeof(uids), "0 %d 1", (int)geteuid());
	snprintf(gids, sizeof(gids), "0 %d 1", (int)getegid());
	return unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 &&
	       small_disk_write("/proc/self/uid_map", uids) &&
	       small_disk_write("/proc/self/setgroups", "deny") &&
	       small_disk_write("/proc/self/gid_map", gids) &&
	       mount("none", folder, "tmpfs", 0, options) == 0;
}
