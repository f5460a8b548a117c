// SPDX-License-Identifier: Apache-2.0
#include "box/box.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>

#include "base/crypto.h"
#include "base/file.h"
#include "base/process.h"
#include "base/tag.h"
#include "base/text.h"
#include "box/arguments.h"
#include "box/launch.h"
#include "box/registration.h"

enum { MAKING_TIMEOUT_MS = 30 * 1000, KEY_DIGITS = 20 };

void vg_box_free(struct vg_box *box)
{
	if (!box)
		return;
	if (box->net_fd >= 0)
		close(box->net_fd);
	free(box->home);
	free(box->tag);
	free(box->name);
	free(box->folder);
	free(box);
}

void vg_box_list_done(struct vg_box_list *list)
{
	for (size_t i = 0; i < list->n_items; i++)
		vg_box_free(list->items[i]);
	free(list->items);
	*list = (struct vg_box_list){0};
}

// HOME/run/boxes/HASH.EXTENSION: a tag may be longer than a file's name.
static char *path_of(const char *home, const char *tag, const char *extension)
{
	char hex[VG_SHA256_HEX];
	vg_sha256_hex(tag, strlen(tag), hex);
	return vg_format("%s/run/boxes/%.*s.%s", home, KEY_DIGITS, hex, extension);
}

// Whoever stops a box removes its lock too: what was locked must still be the file of that name.
static struct vg_error *lock_tag(const char *home, const char *tag, bool wait, int *ret_fd)
{
	_auto(vg_string) char *path = path_of(home, tag, "lock");
	for (;;) {
		_auto(vg_fd) int fd = -1;
		struct vg_error *error = vg_lock_take(path, wait, &fd);
		if (error)
			return error;
		struct stat locked, named;
		if (fstat(fd, &locked) == 0 && stat(path, &named) == 0 &&
			locked.st_ino == named.st_ino) {
			*ret_fd = vg_take_fd(&fd);
			return NULL;
		}
	}
}

static bool is_in_our_namespace(pid_t pid)
{
	ino_t ours = vg_registration_user_namespace(getpid());
	return ours != 0 && vg_registration_user_namespace(pid) == ours;
}

// NULL when the process is not a finished or nearly finished box of this user namespace.
static struct vg_box *box_of(const struct vg_box_process *process)
{
	if (!process->is_first || !is_in_our_namespace(process->pid))
		return NULL;
	_auto(vg_string) char *path = vg_format("/proc/%d/ns/net", (int)process->pid);
	_auto(vg_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || !vg_process_is(process->pid, process->start_time))
		return NULL;
	struct vg_box *box = vg_new(struct vg_box);
	*box = (struct vg_box){
		.home = vg_strdup(process->spec.home),
		.tag = vg_strdup(process->spec.tag),
		.name = vg_strdup(process->spec.name),
		.folder = vg_strdup(process->spec.folder),
		.pid = process->pid,
		.start_time = process->start_time,
		.has_libvirtd = process->spec.has_hypervisor,
		.net_fd = vg_take_fd(&fd),
	};
	return box;
}

// Waits until this process has ended.
static void wait_for_end(pid_t pid, uint64_t start_time)
{
	_auto(vg_fd) int fd = pidfd_open(pid, 0);
	if (fd < 0 || !vg_process_is(pid, start_time))
		return;
	struct pollfd end = {.fd = fd, .events = POLLIN};
	while (poll(&end, 1, MAKING_TIMEOUT_MS) < 0 && errno == EINTR)
		;
}

struct search {
	const char *store, *grid, *tag; // tag, or else store and grid
	struct vg_box_list found;
	struct vg_box_process maker; // one that was seen on the way
};

static bool look_at(struct vg_box_process *process, void *data)
{
	struct search *search = data;
	const char *tag = process->spec.tag;
	if (search->tag ? strcmp(tag, search->tag) != 0
			: !vg_tag_is_of(tag, search->store, search->grid))
		return true;
	struct vg_box *box = box_of(process);
	if (box)
		vg_append(search->found.items, search->found.n_items) = box;
	else if (process->is_maker && !search->maker.bytes && is_in_our_namespace(process->pid)) {
		search->maker = *process;
		*process = (struct vg_box_process){0};
	}
	return true;
}

// Looks through /proc. The look is repeated as long as it meets a process that is just making a
// box, which it waits for: so a box is seen however early its starter died.
static struct vg_error *scan(struct search *search)
{
	for (;;) {
		struct vg_error *error = vg_box_process_each(look_at, search);
		if (error || !search->maker.bytes)
			return error;
		// Then the box is there, or nothing is.
		wait_for_end(search->maker.pid, search->maker.start_time);
		vg_box_process_done(&search->maker);
		vg_box_list_done(&search->found);
	}
}

static struct vg_box *find_registered(const char *path, const char *tag)
{
	struct vg_registration registration;
	struct vg_box_process process;
	switch (vg_registration_read(path, &registration)) {
	case VG_REGISTRATION_NONE:
		return NULL;
	case VG_REGISTRATION_STALE:
		unlink(path);
		return NULL;
	case VG_REGISTRATION_LIVE:
		break;
	}
	if (!vg_box_process_read(registration.pid, &process)) {
		// It is dying: whoever was to wait for that was killed. Its emulators may still run, so
		// only with its end there is no box.
		wait_for_end(registration.pid, registration.start_time);
		return NULL;
	}
	struct vg_box *box = strcmp(process.spec.tag, tag) == 0 ? box_of(&process) : NULL;
	vg_box_process_done(&process);
	return box;
}

struct vg_error *vg_box_find(const char *home, const char *tag, struct vg_box **ret_box)
{
	_auto(vg_string) char *path = path_of(home, tag, "json");
	struct vg_box *box = find_registered(path, tag);
	struct search search = {.tag = tag};
	struct vg_error *error = box ? NULL : scan(&search);
	if (!error && search.found.n_items > 0) {
		box = vg_take(search.found.items[0]);
		vg_error_ignore(vg_registration_write(path, box->pid, tag));
	}
	vg_box_list_done(&search.found);
	if (!error)
		*ret_box = box;
	return error;
}

// Removes what boxes leave that ended by themselves, or with the machine: stale registrations, and
// locks that nobody holds and no registration needs.
static void tidy_file(const char *folder, const char *name)
{
	_auto(vg_string) char *path = vg_format("%s/%s", folder, name);
	struct vg_registration registration;
	if (vg_text_ends(name, ".json") &&
		vg_registration_read(path, &registration) == VG_REGISTRATION_STALE)
		unlink(path);
	if (!vg_text_ends(name, ".lock"))
		return;
	_auto(vg_string) char *of =
		vg_format("%.*sjson", (int)(strlen(path) - strlen("lock")), path);
	_auto(vg_fd) int lock = -1;
	if (vg_file_exists(of))
		return;
	struct vg_error *error = vg_lock_take(path, false, &lock);
	if (!error)
		unlink(path);
	vg_error_ignore(error);
}

static void tidy(const char *home)
{
	_auto(vg_string) char *folder = vg_format("%s/run/boxes", home);
	char **names = NULL;
	size_t n_names = 0;
	vg_error_ignore(vg_folder_list(folder, &names, &n_names));
	// Sorted: HASH.json comes before HASH.lock.
	for (size_t i = 0; i < n_names; i++)
		tidy_file(folder, names[i]);
	vg_folder_list_free(names, n_names);
}

struct vg_error *vg_box_list(
	const char *home, const char *store, const char *grid, struct vg_box_list *ret_list)
{
	struct search search = {.store = store, .grid = grid};
	tidy(home);
	struct vg_error *error = scan(&search);
	if (error)
		vg_box_list_done(&search.found);
	else
		*ret_list = search.found;
	return error;
}

struct vg_error *vg_box_start(const struct vg_box_spec *spec, struct vg_box **ret_box)
{
	_auto(vg_fd) int lock = -1;
	_auto(vg_box) struct vg_box *box = NULL;
	struct vg_error *error = lock_tag(spec->home, spec->tag, true, &lock);
	if (!error)
		error = vg_box_find(spec->home, spec->tag, &box);
	if (!error && !box) {
		error = vg_launch(spec, lock, MAKING_TIMEOUT_MS);
		if (!error)
			error = vg_box_find(spec->home, spec->tag, &box);
		if (!error && !box)
			error = vg_error_new("it ended right after its start");
	}
	if (error)
		return vg_error_while(error, "starting the box '%s'", spec->name);
	*ret_box = vg_take(box);
	return NULL;
}

static struct vg_error *kill_and_wait(const struct vg_box *box)
{
	_auto(vg_fd) int fd = pidfd_open(box->pid, 0);
	// The descriptor is taken first and then the process is looked at, so it is of this one.
	if (fd < 0 || !vg_process_is(box->pid, box->start_time))
		return NULL;
	if (pidfd_send_signal(fd, SIGKILL, NULL, 0) < 0 && errno != ESRCH)
		return vg_error_errno(errno, "killing process %d", (int)box->pid);
	// Process 1 ends when all others of its pid namespace have ended (pid_namespaces(7)).
	struct pollfd end = {.fd = fd, .events = POLLIN};
	int n_ended;
	while ((n_ended = poll(&end, 1, MAKING_TIMEOUT_MS)) < 0 && errno == EINTR)
		;
	return n_ended == 1
		       ? NULL
		       : vg_error_of(VG_ERROR_TIMEOUT, "process %d does not end", (int)box->pid);
}

struct vg_error *vg_box_stop(struct vg_box *box)
{
	struct vg_error *error = kill_and_wait(box);
	if (error)
		return vg_error_while(error, "stopping the box '%s'", box->name);
	// A lock that is held is held by one who starts the box anew: then the files are his.
	_auto(vg_fd) int lock = -1;
	error = lock_tag(box->home, box->tag, false, &lock);
	if (!error) {
		_auto(vg_string) char *registration = path_of(box->home, box->tag, "json");
		_auto(vg_string) char *lock_path = path_of(box->home, box->tag, "lock");
		unlink(registration);
		unlink(lock_path);
	}
	vg_error_ignore(error);
	return NULL;
}
