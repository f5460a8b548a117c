// SPDX-License-Identifier: Apache-2.0
#include "box/mapping.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MAP_SIZE_MAX = 128, PATH_SIZE_MAX = 64 };

// A map is one write (user_namespaces(7)).
static int write_once(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	size_t length = strlen(text);
	ssize_t put = write(fd, text, length);
	int code = put == (ssize_t)length ? 0 : put < 0 ? errno : EIO;
	close(fd);
	return code;
}

static int write_maps(const char *folder, const char *uids, const char *gids)
{
	char path[PATH_SIZE_MAX];
	snprintf(path, sizeof(path), "%s/setgroups", folder);
	int code = write_once(path, "deny");
	if (code)
		return code;
	snprintf(path, sizeof(path), "%s/gid_map", folder);
	code = write_once(path, gids);
	if (code)
		return code;
	snprintf(path, sizeof(path), "%s/uid_map", folder);
	return write_once(path, uids);
}

int vg_mapping_write_own(unsigned inside, const struct vg_owner *owner)
{
	char uids[MAP_SIZE_MAX], gids[MAP_SIZE_MAX];
	snprintf(uids, sizeof(uids), "%u %u 1\n", inside, owner->uid);
	snprintf(gids, sizeof(gids), "%u %u 1\n", inside, owner->gid);
	return write_maps("/proc/self", uids, gids);
}

int vg_mapping_write_for(pid_t pid, const struct vg_owner *owner)
{
	char folder[PATH_SIZE_MAX], uids[MAP_SIZE_MAX], gids[MAP_SIZE_MAX];
	snprintf(folder, sizeof(folder), "/proc/%d", (int)pid);
	snprintf(gids, sizeof(gids), "0 %u 1\n1 0 1\n", owner->gid);
	snprintf(uids, sizeof(uids), "0 %u 1\n1 0 1\n", owner->uid);
	int code = write_maps(folder, uids, gids);
	if (code != EPERM)
		return code;
	char path[PATH_SIZE_MAX + 8];
	snprintf(path, sizeof(path), "%s/uid_map", folder);
	snprintf(uids, sizeof(uids), "0 %u 1\n", owner->uid);
	return write_once(path, uids);
}

// Does the map of our own namespace have this id?
static bool is_mapped(const char *path, unsigned id)
{
	FILE *file = fopen(path, "re");
	if (!file)
		return false;
	bool found = false;
	unsigned inside, outside, count;
	while (!found && fscanf(file, "%u %u %u", &inside, &outside, &count) == 3)
		found = id >= inside && id - inside < count;
	fclose(file);
	return found;
}

static bool has_capability(unsigned capability)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};
	return syscall(SYS_capget, &header, data) == 0 &&
	       (data[CAP_TO_INDEX(capability)].effective & CAP_TO_MASK(capability));
}

bool vg_mapping_may_choose(const struct vg_owner *owner)
{
	return geteuid() == 0 && has_capability(CAP_SETUID) && has_capability(CAP_SETGID) &&
	       has_capability(CAP_SYS_ADMIN) && has_capability(CAP_CHOWN) &&
	       is_mapped("/proc/self/uid_map", owner->uid) &&
	       is_mapped("/proc/self/gid_map", owner->gid);
}
