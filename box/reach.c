// SPDX-License-Identifier: Apache-2.0
//
// The daemons of a box, from the outside: is one there, does it answer, start it again.
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/process.h"
#include "box/box.h"
#include "box/daemon.h"
#include "box/libvirtd.h"

enum {
	PAUSE_MS = 10, // between two tries to reach the socket
	LOG_SIZE_MAX = 4 * 1024 * 1024,
	LOG_LINES = 5,
	STARTS_SIZE_MAX = 32,
	STARTS_MAX = 3, // then one that ends at once will not do otherwise
};

static uint64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

char *vg_box_path(const struct vg_box *box, const char *path)
{
	return vg_format("/proc/%d/root%s", (int)box->pid, path);
}

// -1 when nobody listens there.
static int connect_to(const struct vg_box *box, const struct vg_daemon *daemon)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	_auto(vg_string) char *path = vg_box_path(box, daemon->socket);
	_auto(vg_fd) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (strlen(path) >= sizeof(address.sun_path))
		return -1;
	strcpy(address.sun_path, path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
		!vg_process_is(box->pid, box->start_time))
		return -1;
	return vg_take_fd(&fd);
}

bool vg_box_runs(const struct vg_box *box, enum vg_box_daemon daemon)
{
	_auto(vg_fd) int fd = connect_to(box, &vg_daemons[daemon]);
	return fd >= 0;
}

bool vg_box_has_hypervisor(const struct vg_box *box)
{
	return vg_box_runs(box, VG_BOX_LIBVIRTD);
}

// A daemon listens before it can serve: it is asked something, and answers once it does. False when
// it hung up or the time is over.
static bool answers(const struct vg_daemon *daemon, int fd, uint64_t end)
{
	if (send(fd, daemon->request, daemon->n_request, MSG_NOSIGNAL) !=
		(ssize_t)daemon->n_request)
		return false;
	for (;;) {
		uint64_t now = now_ms();
		struct pollfd ready = {.fd = fd, .events = POLLIN};
		int n_ready = now < end ? poll(&ready, 1, (int)(end - now)) : 0;
		char byte;
		if (n_ready < 0 && errno == EINTR)
			continue;
		return n_ready > 0 && recv(fd, &byte, 1, 0) == 1;
	}
}

static unsigned count_starts(const struct vg_box *box, const struct vg_daemon *daemon)
{
	_auto(vg_string) char *file = vg_daemon_starts(daemon);
	_auto(vg_string) char *path = vg_box_path(box, file);
	_auto(vg_string) char *text = NULL;
	vg_error_ignore(vg_file_read(path, STARTS_SIZE_MAX, &text, NULL));
	return text ? (unsigned)strtoul(text, NULL, 10) : 0;
}

// Process 1 knows best whether one runs, perhaps still starting: it does nothing then.
static struct vg_error *ask_for_start(const struct vg_box *box)
{
	_auto(vg_fd) int fd = pidfd_open(box->pid, 0);
	if (fd < 0 || !vg_process_is(box->pid, box->start_time))
		return vg_error_new("the box does not run any more");
	if (pidfd_send_signal(fd, SIGUSR1, NULL, 0) < 0)
		return vg_error_errno(errno, "signalling process %d", (int)box->pid);
	return NULL;
}

// Borrowed from `text`: where its last lines begin.
static const char *last_lines(const char *text, unsigned n_lines)
{
	const char *at = text + strlen(text);
	while (at > text && at[-1] == '\n')
		at--;
	while (at > text && (at[-1] != '\n' || --n_lines > 0))
		at--;
	return at;
}

static struct vg_error *complain(
	const struct vg_box *box, const struct vg_daemon *daemon, struct vg_error *error)
{
	_auto(vg_string) char *file = vg_daemon_log(daemon);
	_auto(vg_string) char *path = vg_box_path(box, file);
	_auto(vg_string) char *log = NULL;
	vg_error_ignore(vg_file_read(path, LOG_SIZE_MAX, &log, NULL));
	return vg_error_hint(error, "the end of its log:\n%s",
		log && *log ? last_lines(log, LOG_LINES) : "(empty)");
}

struct vg_error *vg_box_await(
	struct vg_box *box, enum vg_box_daemon which, uint64_t timeout_ms, bool *ret_was_restarted)
{
	const struct vg_daemon *daemon = &vg_daemons[which];
	uint64_t end = now_ms() + timeout_ms;
	unsigned n_starts = count_starts(box, daemon);
	for (;;) {
		_auto(vg_fd) int fd = connect_to(box, daemon);
		if (fd >= 0 && answers(daemon, fd, end))
			break;
		if (now_ms() >= end)
			return complain(box, daemon,
				vg_error_of(VG_ERROR_TIMEOUT,
					"%s of the box '%s' does not answer after %llu ms",
					daemon->program, box->name,
					(unsigned long long)timeout_ms));
		if (count_starts(box, daemon) > n_starts + STARTS_MAX)
			return complain(box, daemon,
				vg_error_new("%s of the box '%s' ends right after its start",
					daemon->program, box->name));
		struct vg_error *error = fd < 0 ? ask_for_start(box) : NULL;
		if (error)
			return vg_error_while(
				error, "reaching %s of '%s'", daemon->program, box->name);
		poll(NULL, 0, PAUSE_MS);
	}
	if (ret_was_restarted)
		*ret_was_restarted = n_starts > 0 && count_starts(box, daemon) > n_starts;
	return NULL;
}

struct vg_error *vg_box_hypervisor(
	struct vg_box *box, uint64_t timeout_ms, char **ret_uri, bool *ret_was_restarted)
{
	struct vg_error *error = vg_box_await(box, VG_BOX_LIBVIRTD, timeout_ms, ret_was_restarted);
	if (error)
		return error;
	_auto(vg_string) char *socket = vg_box_path(box, VG_LIBVIRTD_SOCKET);
	*ret_uri = vg_format("qemu+unix:///session?socket=%s", socket);
	return NULL;
}
