// SPDX-License-Identifier: Apache-2.0
#include "box/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/file.h"
#include "base/memory.h"
#include "box/probe.h"

// While the tree is made its root is the working directory: targets are relative to it, sources are
// absolute.

static struct vg_error *make_folder(const char *target, mode_t mode)
{
	if (mkdir(target, mode) < 0 && errno != EEXIST)
		return vg_error_errno(errno, "making the folder '/%s'", target);
	return NULL;
}

static struct vg_error *mount_fresh(
	const char *type, const char *target, unsigned long flags, const char *options)
{
	struct vg_error *error = make_folder(target, 0755);
	if (!error && mount(type, target, type, flags, options) < 0)
		error = vg_error_errno(errno, "mounting a %s on '/%s'", type, target);
	return error;
}

// Adds attributes to a mount and all below it; those that it inherited and that are locked stay.
static struct vg_error *restrict_mount(const char *target, uint64_t attributes)
{
	struct mount_attr wanted = {.attr_set = attributes};
	if (syscall(SYS_mount_setattr, AT_FDCWD, target, AT_RECURSIVE, &wanted, sizeof(wanted)) < 0)
		return vg_error_errno(errno, "restricting the mount '/%s'", target);
	return NULL;
}

static struct vg_error *bind(const char *source, const char *target, uint64_t attributes)
{
	if (mount(source, target, NULL, MS_BIND | MS_REC, NULL) < 0)
		return vg_error_errno(errno, "showing '%s' as '/%s'", source, target);
	return attributes ? restrict_mount(target, attributes) : NULL;
}

static struct vg_error *bind_folder(const char *source, const char *target, uint64_t attributes)
{
	struct vg_error *error = make_folder(target, 0755);
	return error ? error : bind(source, target, attributes);
}

static struct vg_error *bind_file(const char *source, const char *target, uint64_t attributes)
{
	int fd = open(target, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd >= 0)
		close(fd);
	else if (!vg_file_exists(target))
		return vg_error_errno(errno, "making the file '/%s'", target);
	return bind(source, target, attributes);
}

// The system's folders, as links where this machine has links (/bin → usr/bin).
static struct vg_error *show_system(void)
{
	static const char *const names[] = {
		"usr", "etc", "bin", "sbin", "lib", "lib32", "lib64", "libx32"};
	struct vg_error *error = NULL;
	for (size_t i = 0; i < VG_LENGTH(names) && !error; i++) {
		_auto(vg_string) char *source = vg_format("/%s", names[i]);
		char link[256] = {0};
		struct stat status;
		if (lstat(source, &status) < 0)
			continue;
		if (!S_ISLNK(status.st_mode))
			error = bind_folder(source, names[i],
				MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
		else if (readlink(source, link, sizeof(link) - 1) < 0 ||
			 symlink(link, names[i]) < 0)
			error = vg_error_errno(errno, "copying the link '%s'", source);
	}
	return error;
}

static struct vg_error *show_kernel(void)
{
	const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
	struct vg_error *error = mount_fresh("proc", "proc", flags, NULL);
	if (error)
		return vg_error_hint(error, "a container that hides parts of /proc allows no new "
					    "one: start it with --security-opt "
					    "systempaths=unconfined");
	error = mount_fresh("sysfs", "sys", flags | MS_RDONLY, NULL);
	if (!error)
		return NULL;
	vg_error_free(error);
	return bind_folder("/sys", "sys", MOUNT_ATTR_RDONLY);
}

// A node that does not open for an emulator is left out: libvirt then does not count on it.
static struct vg_error *show_devices(void)
{
	static const char *const nodes[] = {"dev/null", "dev/zero", "dev/full", "dev/random",
		"dev/urandom", "dev/tty", "dev/net/tun", "dev/kvm"};
	static const char *const links[][2] = {{"/proc/self/fd", "dev/fd"},
		{"/proc/self/fd/0", "dev/stdin"}, {"/proc/self/fd/1", "dev/stdout"},
		{"/proc/self/fd/2", "dev/stderr"}, {"pts/ptmx", "dev/ptmx"}};
	struct vg_error *error = mount_fresh("tmpfs", "dev", MS_NOSUID | MS_NOEXEC, "mode=0755");
	if (!error)
		error = make_folder("dev/net", 0755);
	for (size_t i = 0; i < VG_LENGTH(nodes) && !error; i++) {
		_auto(vg_string) char *source = vg_format("/%s", nodes[i]);
		int code = vg_probe_device(source);
		if (code == 0 || code == ENXIO) // ENXIO: /dev/tty without a terminal
			error = bind_file(source, nodes[i], 0);
	}
	for (size_t i = 0; i < VG_LENGTH(links) && !error; i++) {
		if (symlink(links[i][0], links[i][1]) < 0)
			error = vg_error_errno(errno, "making the link '/%s'", links[i][1]);
	}
	if (!error)
		error = mount_fresh("devpts", "dev/pts", MS_NOSUID | MS_NOEXEC,
			"newinstance,ptmxmode=0666,mode=0620");
	if (!error)
		error = mount_fresh("tmpfs", "dev/shm", MS_NOSUID | MS_NODEV, "mode=1777");
	return error;
}

static struct vg_error *make_scratch(void)
{
	const unsigned long flags = MS_NOSUID | MS_NODEV;
	struct vg_error *error = mount_fresh("tmpfs", "run", flags, "mode=0755");
	if (!error)
		error = mount_fresh("tmpfs", "tmp", flags, "mode=1777");
	if (!error)
		error = mount_fresh("tmpfs", "var", flags, "mode=0755");
	// libvirt locks the consoles and channels that it opens by files in /var/lock.
	static const char *const shared[] = {"var/tmp", "var/lock"};
	for (size_t i = 0; i < VG_LENGTH(shared) && !error; i++) {
		if (mkdir(shared[i], 0755) < 0 || chmod(shared[i], 01777) < 0)
			error = vg_error_errno(errno, "making the folder '/%s'", shared[i]);
	}
	if (!error && symlink("/run", "var/run") < 0)
		error = vg_error_errno(errno, "making the link '/var/run'");
	if (!error)
		error = make_folder(&VG_BOX_RUN[1], 0700);
	return error;
}

static struct vg_error *show_folders(const struct vg_box_spec *spec)
{
	const uint64_t data = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
	_auto(vg_string) char *cache = vg_format("%s/cache/libvirt", spec->home);
	struct vg_error *error = bind_folder(spec->folder, "v", data);
	if (!error && spec->images)
		error = bind_folder(spec->images, "i", data | MOUNT_ATTR_RDONLY);
	if (!error && spec->keys)
		error = bind_folder(spec->keys, &VG_BOX_KEYS[1], data | MOUNT_ATTR_RDONLY);
	if (!error)
		error = bind_folder(cache, &VG_BOX_CACHE[1], data);
	return error;
}

// uids have names in here, since libvirt asks for the name of the one it runs as.
static struct vg_error *show_names(void)
{
	static const struct {
		const char *source, *target, *text;
	} files[] = {
		{"run/vg/passwd", "etc/passwd",
			"root:x:0:0:root:/:/usr/sbin/nologin\n"
			"vgrid:x:1000:1000:vgrid:" VG_BOX_RUN ":/usr/sbin/nologin\n"
			"nobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n"},
		{"run/vg/group", "etc/group", "root:x:0:\nvgrid:x:1000:\nnogroup:x:65534:\n"},
	};
	struct vg_error *error = NULL;
	for (size_t i = 0; i < VG_LENGTH(files) && !error; i++) {
		error = vg_file_write(files[i].source, 0644, files[i].text, strlen(files[i].text));
		if (!error)
			error = bind(files[i].source, files[i].target, MOUNT_ATTR_RDONLY);
	}
	return error;
}

static struct vg_error *make_root(const struct vg_box_spec *spec)
{
	// Any folder will do to mount it on; this one lies beside whatever is shown below.
	_auto(vg_string) char *point = vg_format("%s/run", spec->home);
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return vg_error_errno(errno, "making a mount namespace");
	if (mount("vgrid", point, "tmpfs", MS_NOSUID, "mode=0755") < 0 || chdir(point) < 0)
		return vg_error_errno(errno, "mounting a file system on '%s'", point);
	return NULL;
}

// The old root is stacked on the new one and then taken away (pivot_root(2), last example).
static struct vg_error *enter_root(void)
{
	if (syscall(SYS_pivot_root, ".", ".") < 0)
		return vg_error_errno(errno, "changing the root");
	if (umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return vg_error_errno(errno, "leaving the old root");
	if (mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID, NULL) < 0)
		return vg_error_errno(errno, "making the root read-only");
	return NULL;
}

struct vg_error *vg_mounts_make(const struct vg_box_spec *spec)
{
	struct vg_error *error = make_root(spec);
	if (!error)
		error = show_system();
	if (!error)
		error = show_kernel();
	if (!error)
		error = show_devices();
	if (!error)
		error = make_scratch();
	if (!error)
		error = show_folders(spec);
	if (!error)
		error = show_names();
	return error ? error : enter_root();
}
