// SPDX-License-Identifier: Apache-2.0
#include "box/namespace.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/file.h"
#include "base/memory.h"
#include "box/home.h"
#include "box/mapping.h"
#include "box/member.h"
#include "box/probe.h"
#include "net/inside.h"

static bool is_inside;

bool vg_namespace_is_inside(void)
{
	return is_inside;
}

// Root leaves its own user namespace for one whose maps it has to write from outside: a child that
// stays there does it.
static struct vg_error *make_as_root(const struct vg_owner *owner)
{
	int go[2];
	if (pipe2(go, O_CLOEXEC) < 0)
		return vg_error_errno(errno, "making a pipe");
	pid_t parent = getpid(), pid = fork();
	if (pid == 0) {
		char byte;
		close(go[1]);
		_exit(read(go[0], &byte, 1) == 1 ? vg_mapping_write_for(parent, owner) : ECANCELED);
	}
	int code = pid < 0 || unshare(CLONE_NEWUSER) < 0 ? errno : 0;
	if (!code && write(go[1], "", 1) != 1)
		code = EIO;
	close(go[0]);
	close(go[1]);
	int status = 0;
	if (pid > 0 && waitpid(pid, &status, 0) == pid && !code)
		code = WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
	return code ? vg_probe_explain_namespace("", code, "making a user namespace") : NULL;
}

static struct vg_error *make(const struct vg_home_owner *as)
{
	if (as->is_chosen)
		return make_as_root(&as->owner);
	if (unshare(CLONE_NEWUSER) < 0)
		return vg_probe_explain_namespace("", errno, "making a user namespace");
	int code = vg_mapping_write_own(0, &as->owner);
	return code ? vg_probe_explain_namespace("", code, "mapping its user") : NULL;
}

static struct vg_error *join(int fd)
{
	struct stat theirs, ours;
	if (fstat(fd, &theirs) == 0 && stat("/proc/self/ns/user", &ours) == 0 &&
		theirs.st_ino == ours.st_ino)
		return NULL; // started by a process inside: setns into one's own is refused
	if (setns(fd, CLONE_NEWUSER) < 0)
		return vg_probe_explain_namespace("", errno, "joining the user namespace");
	return NULL;
}

// Under the lock of the home, so that of two at once one makes the namespace and one joins it.
static struct vg_error *join_or_make(const char *home, const struct vg_home_owner *as)
{
	_auto(vg_fd) int fd = -1;
	struct vg_error *error = vg_member_find(home, as->owner.uid, &fd);
	if (!error)
		error = fd >= 0 ? join(fd) : make(as);
	if (!error && (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0))
		error = vg_error_errno(errno, "becoming uid 0 of the user namespace");
	return error;
}

static struct vg_error *enter(const char *home, const char *what)
{
	struct vg_home_owner as;
	struct vg_error *error = vg_home_prepare(home, &as);
	_auto(vg_string) char *lock = vg_format("%s/run/lock", home);
	_auto(vg_fd) int fd = -1;
	if (!error)
		error = vg_lock_take(lock, true, &fd);
	if (!error)
		error = vg_home_own(&as, fd, lock);
	if (!error)
		error = join_or_make(home, &as);
	// Who has changed his user may not look at his own /proc/self, nor may others of the
	// namespace.
	if (!error && prctl(PR_SET_DUMPABLE, 1) < 0)
		error = vg_error_errno(errno, "opening this process to its user namespace");
	return error ? error : vg_member_register(home, what);
}

struct vg_error *vg_namespace_enter(const char *home, const char *what)
{
	if (is_inside)
		return NULL;
	struct vg_error *error = enter(home, what);
	if (error)
		return vg_error_while(error, "entering the user namespace of '%s'", home);
	is_inside = true;
	vg_member_leave_at_exit(home);
	return NULL;
}

struct vg_error *vg_namespace_call(
	int namespace_fd, struct vg_error *(*call)(void *data), void *data)
{
	assert(namespace_fd >= 0);
	return vg_inside(namespace_fd, call, data);
}
