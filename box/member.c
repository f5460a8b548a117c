// SPDX-License-Identifier: Apache-2.0
#include "box/member.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/process.h"
#include "base/text.h"
#include "box/arguments.h"
#include "box/registration.h"

enum { STATUS_SIZE_MAX = 64 * 1024 };

// Whose is a process, as this user namespace sees it? Root must not be lured into a namespace of
// somebody else who calls his process a box.
static bool is_process_of(pid_t pid, uid_t uid)
{
	_auto(vg_string) char *path = vg_format("/proc/%d/status", (int)pid);
	_auto(vg_string) char *status = NULL;
	vg_error_ignore(vg_file_read(path, STATUS_SIZE_MAX, &status, NULL));
	const char *line = status ? strstr(status, "\nUid:") : NULL;
	unsigned real, effective;
	return line && sscanf(line, "\nUid: %u %u", &real, &effective) == 2 && real == uid &&
	       effective == uid;
}

// -1 when the process is not what it should be any more.
static int open_namespace(pid_t pid, uint64_t start_time, uid_t uid)
{
	_auto(vg_string) char *path = vg_format("/proc/%d/ns/user", (int)pid);
	_auto(vg_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	// Last, so that the descriptor is known to be of this process and not of a later one.
	if (fd < 0 || !is_process_of(pid, uid) || !vg_process_is(pid, start_time))
		return -1;
	return vg_take_fd(&fd);
}

// Looks only until it has found one; or, when it tidies, at all.
static struct vg_error *find_registered(const char *folder, bool is_tidied, uid_t uid, int *ret_fd)
{
	char **names;
	size_t n_names;
	struct vg_error *error = vg_folder_list(folder, &names, &n_names);
	if (error)
		return error;
	int fd = -1;
	for (size_t i = 0; i < n_names && (fd < 0 || is_tidied); i++) {
		_auto(vg_string) char *path = vg_format("%s/%s", folder, names[i]);
		struct vg_registration found;
		bool is_live = vg_registration_read(path, &found) == VG_REGISTRATION_LIVE;
		if (is_live && fd < 0)
			fd = open_namespace(found.pid, found.start_time, uid);
		else if (!is_live && is_tidied)
			unlink(path);
	}
	vg_folder_list_free(names, n_names);
	*ret_fd = fd;
	return NULL;
}

struct search {
	const char *home;
	uid_t uid;
	int fd;
};

static bool look_at(struct vg_box_process *process, void *data)
{
	struct search *search = data;
	if (strcmp(process->spec.home, search->home) == 0)
		search->fd = open_namespace(process->pid, process->start_time, search->uid);
	return search->fd < 0;
}

struct vg_error *vg_member_find(const char *home, uid_t uid, int *ret_fd)
{
	_auto(vg_string) char *boxes = vg_format("%s/run/boxes", home);
	_auto(vg_string) char *members = vg_format("%s/run/members", home);
	struct search search = {.home = home, .uid = uid, .fd = -1};
	_auto(vg_fd) int member = -1;
	struct vg_error *error = find_registered(members, true, uid, &member);
	// Boxes' registrations are written under other locks: theirs are tidied in box.c.
	if (!error)
		error = find_registered(boxes, false, uid, &search.fd);
	if (!error && search.fd < 0)
		search.fd = vg_take_fd(&member);
	if (!error && search.fd < 0)
		error = vg_box_process_each(look_at, &search);
	if (!error)
		*ret_fd = search.fd;
	return error;
}

static char *own_path(const char *home)
{
	return vg_format("%s/run/members/%d", home, (int)getpid());
}

struct vg_error *vg_member_register(const char *home, const char *what)
{
	_auto(vg_string) char *path = own_path(home);
	return vg_registration_write(path, getpid(), what);
}

// What the handler below has to know; atexit() hands nothing over.
static char *registered_path;
static pid_t registered_pid;

static void leave(void)
{
	if (getpid() == registered_pid)
		unlink(registered_path);
	free(vg_take(registered_path));
}

void vg_member_leave_at_exit(const char *home)
{
	registered_path = own_path(home);
	registered_pid = getpid();
	atexit(leave); // should it fail: the next command removes the stale file
}
