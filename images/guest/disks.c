// SPDX-License-Identifier: Apache-2.0
#include "images/guest/guest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

void mount_kernel_folders(void)
{
	static const struct {
		const char *type, *path, *options;
		unsigned long flags;
	} mounts[] = {
		{"proc", "/proc", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC},
		{"sysfs", "/sys", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC},
		{"devtmpfs", "/dev", "mode=0755", MS_NOSUID},
		{"devpts", "/dev/pts", "mode=0620,gid=5,ptmxmode=0666", MS_NOSUID | MS_NOEXEC},
		{"tmpfs", "/dev/shm", "mode=1777", MS_NOSUID | MS_NODEV},
		{"tmpfs", "/run", "mode=0755", MS_NOSUID | MS_NODEV},
	};
	for (size_t i = 0; i < LENGTH(mounts); i++) {
		mkdir(mounts[i].path, 0755);
		if (mount(mounts[i].type, mounts[i].path, mounts[i].type, mounts[i].flags,
			    mounts[i].options) < 0 &&
			errno != EBUSY)
			fault("mounting '%s': %s", mounts[i].path, strerror(errno));
	}
	mkdir("/run/vgrid", 0755);
	mkdir("/run/sshd", 0755);
	make_link("/proc/self/fd", "/dev/fd");
	make_link("fd/0", "/dev/stdin");
	make_link("fd/1", "/dev/stdout");
	make_link("fd/2", "/dev/stderr");
}

const char *disk_find(const char *serial)
{
	static char device[64];
	DIR *folder = opendir("/sys/block");
	const struct dirent *entry;
	const char *found = NULL;
	while (folder && !found && (entry = readdir(folder))) {
		char path[300];
		snprintf(path, sizeof(path), "/sys/block/%s/serial", entry->d_name);
		char *text = file_read(path, NULL);
		if (text && strcmp(strsep(&(char *){text}, "\n"), serial) == 0) {
			snprintf(device, sizeof(device), "/dev/%.50s", entry->d_name);
			found = device;
		}
		free(text);
	}
	if (folder)
		closedir(folder);
	return found;
}

// Frees the memory of the initrd: everything on its file system, which the root disk now hides.
static void remove_tree(int folder_fd, dev_t device)
{
	DIR *folder = fdopendir(folder_fd);
	const struct dirent *entry;
	while (folder && (entry = readdir(folder))) {
		struct stat status;
		const char *name = entry->d_name;
		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
			fstatat(dirfd(folder), name, &status, AT_SYMLINK_NOFOLLOW) < 0 ||
			status.st_dev != device)
			continue;
		if (S_ISDIR(status.st_mode)) {
			int fd = openat(dirfd(folder), name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
			if (fd >= 0)
				remove_tree(fd, device);
			unlinkat(dirfd(folder), name, AT_REMOVEDIR);
		} else {
			unlinkat(dirfd(folder), name, 0);
		}
	}
	if (folder)
		closedir(folder);
}

bool switch_to_root_disk(void)
{
	static const char *const folders[] = {"/dev", "/proc", "/sys", "/run"};
	const char *device = disk_find(VG_ROOT_SERIAL);
	struct stat old;
	if (!device)
		return false;
	mkdir("/newroot", 0755);
	if (mount(device, "/newroot", "ext4", 0, NULL) < 0) {
		fault("mounting the root disk: %s", strerror(errno));
		return false;
	}
	int initrd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool is_known = stat("/", &old) == 0;
	for (size_t i = 0; i < LENGTH(folders); i++) {
		char target[32];
		snprintf(target, sizeof(target), "/newroot%s", folders[i]);
		mkdir(target, 0755);
		if (mount(folders[i], target, NULL, MS_MOVE, NULL) < 0)
			fault("moving '%s': %s", folders[i], strerror(errno));
	}
	if (chdir("/newroot") < 0 || mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0 ||
		chdir("/") < 0) {
		fault("switching to the root disk: %s", strerror(errno));
		return false;
	}
	if (initrd >= 0 && is_known)
		remove_tree(initrd, old.st_dev);
	return true;
}

static bool is_zero(int fd, off_t offset, size_t size)
{
	static const char zeros[65536];
	static char bytes[65536];
	while (size > 0) {
		ssize_t n = pread(fd, bytes, size < sizeof(bytes) ? size : sizeof(bytes), offset);
		if (n <= 0 || memcmp(bytes, zeros, (size_t)n) != 0)
			return false;
		offset += n;
		size -= (size_t)n;
	}
	return true;
}

// Only zeros in the first and the last MiB: there the signatures of all file systems, partition
// tables, volume managers, RAIDs and encryptions lie. What cannot be read is not blank.
static bool is_blank(const char *device)
{
	enum { EDGE = 1 << 20 };
	uint64_t size = 0;
	int fd = open(device, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool is_it = ioctl(fd, BLKGETSIZE64, &size) == 0 && size > 0;
	size_t edge = size < EDGE ? (size_t)size : EDGE;
	is_it = is_it && is_zero(fd, 0, edge) && is_zero(fd, (off_t)(size - edge), edge);
	close(fd);
	return is_it;
}

static bool format(const char *device)
{
	pid_t pid = fork();
	if (pid == 0) {
		execl("/usr/sbin/mke2fs", "mke2fs", "-q", "-t", "ext4", "-m", "0", "-E",
			"lazy_itable_init=1,lazy_journal_init=1", device, (char *)NULL);
		_exit(127);
	}
	int status = -1;
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	sync();
	return pid > 0 && status == 0;
}

// Tries each file system that the kernel has for disks.
static bool mount_any(const char *device, const char *path)
{
	char *list = file_read("/proc/filesystems", NULL), *rest = list, *line;
	bool is_mounted = mount(device, path, "ext4", 0, NULL) == 0;
	while (!is_mounted && list && (line = strsep(&rest, "\n")))
		if (*line == '\t')
			is_mounted = mount(device, path, line + 1, 0, NULL) == 0;
	free(list);
	return is_mounted;
}

void mount_data_disk(const char *serial, const char *path)
{
	const char *device = disk_find(serial);
	if (!device) {
		fault("no disk '%s'", serial);
		return;
	}
	if (is_blank(device)) {
		say("formatting disk '%s'", serial);
		if (!format(device)) {
			fault("disk '%s' cannot be formatted", serial);
			return;
		}
	}
	make_folders(path, 0755);
	if (!mount_any(device, path))
		fault("disk '%s' is not blank and holds no file system that can be mounted at '%s'",
			serial, path);
}

void unmount_all(void)
{
	enum { MOUNTS_MAX = 256 };
	static char *paths[MOUNTS_MAX];
	size_t n_paths = 0;
	FILE *mounts = setmntent("/proc/self/mounts", "r");
	const struct mntent *entry;
	while (mounts && n_paths < MOUNTS_MAX && (entry = getmntent(mounts)))
		if (strcmp(entry->mnt_dir, "/") != 0 && strncmp(entry->mnt_dir, "/proc", 5) != 0 &&
			strncmp(entry->mnt_dir, "/sys", 4) != 0 &&
			strncmp(entry->mnt_dir, "/dev", 4) != 0)
			paths[n_paths++] = strdup(entry->mnt_dir);
	if (mounts)
		endmntent(mounts);
	while (n_paths > 0)
		if (umount2(paths[--n_paths], 0) < 0)
			umount2(paths[n_paths], MNT_DETACH);
	mount(NULL, "/", NULL, MS_REMOUNT | MS_RDONLY, NULL);
}
