// SPDX-License-Identifier: Apache-2.0
#include "box/home.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "box/probe.h"

enum { TUN_MAJOR = 10, TUN_MINOR = 200 };

struct vg_error *vg_home_own(const struct vg_home_owner *as, int fd, const char *name)
{
	if (as->is_chosen && fchown(fd, as->owner.uid, as->owner.gid) < 0)
		return vg_error_errno(errno, "giving '%s' to uid %u", name, as->owner.uid);
	return NULL;
}

// Opened without following a link: it may be in another's hands.
static struct vg_error *own_folder(const struct vg_home_owner *as, const char *path)
{
	_auto(vg_fd) int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return vg_error_errno(errno, "opening the folder '%s'", path);
	return vg_home_own(as, fd, path);
}

static struct vg_error *make_folders(const char *home, const struct vg_home_owner *as)
{
	static const char *const names[] = {
		"run", "run/members", "run/boxes", "cache", "cache/libvirt"};
	for (size_t i = 0; i < VG_LENGTH(names); i++) {
		_auto(vg_string) char *path = vg_format("%s/%s", home, names[i]);
		if (mkdir(path, 0700) < 0 && errno != EEXIST)
			return vg_error_errno(errno, "making the folder '%s'", path);
		struct vg_error *error = as->is_chosen ? own_folder(as, path) : NULL;
		if (error)
			return error;
	}
	return NULL;
}

// Does it hold nothing but what vgrid itself puts there? Root may have looked (`list`, `doctor`)
// before the first box was made.
static bool holds_only_ours(const char *path)
{
	static const char *const ours[] = {
		"store", "store.lock", "cache", "images", "run", "grids", "locks", "sites"};
	char **names;
	size_t n_names, n_ours = 0;
	struct vg_error *error = vg_folder_list(path, &names, &n_names);
	if (error) {
		vg_error_ignore(error);
		return false;
	}
	for (size_t i = 0; i < n_names; i++) {
		bool is_ours = vg_text_starts(names[i], "fake-");
		for (size_t k = 0; k < VG_LENGTH(ours); k++)
			is_ours |= strcmp(names[i], ours[k]) == 0;
		n_ours += is_ours;
	}
	vg_folder_list_free(names, n_names);
	return n_ours == n_names;
}

static int own_entry(const char *path, const struct stat *status, int type, struct FTW *at)
{
	(void)type;
	(void)at;
	return status->st_uid == 0 ? lchown(path, VG_HOME_UID, VG_HOME_UID) : 0;
}

// What root left in it becomes the uid's, without following links or leaving the file system.
static struct vg_error *own_all(const char *home)
{
	if (nftw(home, own_entry, 16, FTW_PHYS | FTW_MOUNT) != 0)
		return vg_error_errno(errno, "giving '%s' to uid %u", home, VG_HOME_UID);
	return NULL;
}

static bool opens_for(const struct vg_owner *owner, const char *path)
{
	if (setegid(owner->gid) < 0 || seteuid(owner->uid) < 0)
		return false;
	_auto(vg_fd) int fd = open(path, O_RDWR | O_CLOEXEC);
	if (seteuid(0) < 0 || setegid(0) < 0)
		return false;
	return fd >= 0;
}

// A node of our own on a file system of our own, in a mount namespace of our own.
static struct vg_error *open_tun(void)
{
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return vg_error_errno(errno, "making a mount namespace");
	if (mount("vgrid", "/dev/net", "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=0755,size=4k") < 0)
		return vg_error_errno(errno, "mounting a file system on '/dev/net'");
	if (mknod("/dev/net/tun", S_IFCHR | 0666, makedev(TUN_MAJOR, TUN_MINOR)) < 0 ||
		chmod("/dev/net/tun", 0666) < 0)
		return vg_probe_explain_tun("", errno);
	return NULL;
}

static struct vg_error *become(const struct vg_owner *owner)
{
	if (setresgid(owner->gid, owner->gid, owner->gid) < 0 ||
		setresuid(owner->uid, owner->uid, owner->uid) < 0)
		return vg_error_errno(errno, "becoming uid %u", owner->uid);
	// Else the kernel keeps /proc/self, and with it the maps, root's (prctl(2)).
	if (prctl(PR_SET_DUMPABLE, 1) < 0)
		return vg_error_errno(errno, "staying traceable");
	return NULL;
}

static struct vg_error *prepare_as_root(const char *home, struct vg_home_owner *as)
{
	struct stat status;
	if (stat(home, &status) < 0)
		return vg_error_errno(errno, "looking at '%s'", home);
	bool is_users = status.st_uid != 0 && status.st_uid != VG_HOME_UID;
	if (is_users)
		as->owner = (struct vg_owner){status.st_uid, status.st_gid};
	// A folder that holds other things stays root's: inside, vgrid may write there all the same.
	bool is_taken = status.st_uid == 0 && holds_only_ours(home);
	if (setgroups(0, NULL) < 0)
		return vg_error_errno(errno, "leaving root's groups");
	struct vg_error *error = is_taken ? own_all(home) : NULL;
	if (error)
		return error;
	if (vg_file_exists("/dev/net") && !opens_for(&as->owner, "/dev/net/tun"))
		error = open_tun();
	as->is_chosen = !is_users;
	if (!error)
		error = is_users ? become(&as->owner) : NULL;
	return error;
}

struct vg_error *vg_home_prepare(const char *home, struct vg_home_owner *ret_as)
{
	struct vg_home_owner as = {.owner = {VG_HOME_UID, VG_HOME_UID}};
	struct vg_error *error = vg_folder_make(home, 0700);
	if (!error && vg_mapping_may_choose(&as.owner))
		error = prepare_as_root(home, &as);
	else
		as.owner = (struct vg_owner){geteuid(), getegid()};
	if (!error)
		error = make_folders(home, &as);
	if (!error)
		*ret_as = as;
	return error;
}
