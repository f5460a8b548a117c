// SPDX-License-Identifier: Apache-2.0
//
// The libvirtd of a box, from the outside: is it there, does it answer, start it again.
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <arpa/inet.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/process.h"
#include "box/box.h"
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

// -1 when nobody listens there.
static int connect_to(const struct vg_box *box)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	_auto(vg_string) char *path = vg_format("/proc/%d/root" VG_LIBVIRTD_SOCKET, (int)box->pid);
	_auto(vg_fd) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (strlen(path) >= sizeof(address.sun_path))
		return -1;
	strcpy(address.sun_path, path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
		!vg_process_is(box->pid, box->start_time))
		return -1;
	return vg_take_fd(&fd);
}

bool vg_box_has_hypervisor(const struct vg_box *box)
{
	_auto(vg_fd) int fd = connect_to(box);
	return fd >= 0;
}

// libvirtd listens before it can serve. One call without arguments, REMOTE_PROC_AUTH_LIST, is
// answered once it does (libvirt's RPC protocol: seven big-endian words: length, program, version,
// procedure, type, serial, status). False when it hung up or the time is over.
static bool answers(int fd, uint64_t end)
{
	enum { PROGRAM = 0x20008086, VERSION = 1, AUTH_LIST = 66, CALL = 0, SERIAL = 1, OK = 0 };
	uint32_t request[7] = {sizeof(request), PROGRAM, VERSION, AUTH_LIST, CALL, SERIAL, OK};
	for (size_t i = 0; i < VG_LENGTH(request); i++)
		request[i] = htonl(request[i]);
	if (send(fd, request, sizeof(request), MSG_NOSIGNAL) != (ssize_t)sizeof(request))
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

static unsigned count_starts(const struct vg_box *box)
{
	_auto(vg_string) char *path = vg_format("/proc/%d/root" VG_LIBVIRTD_STARTS, (int)box->pid);
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

static struct vg_error *complain(const struct vg_box *box, struct vg_error *error)
{
	_auto(vg_string) char *path = vg_format("/proc/%d/root" VG_LIBVIRTD_LOG, (int)box->pid);
	_auto(vg_string) char *log = NULL;
	vg_error_ignore(vg_file_read(path, LOG_SIZE_MAX, &log, NULL));
	return vg_error_hint(error, "the end of its log:\n%s",
		log && *log ? last_lines(log, LOG_LINES) : "(empty)");
}

struct vg_error *vg_box_hypervisor(
	struct vg_box *box, uint64_t timeout_ms, char **ret_uri, bool *ret_was_restarted)
{
	uint64_t end = now_ms() + timeout_ms;
	unsigned n_starts = count_starts(box);
	for (;;) {
		_auto(vg_fd) int fd = connect_to(box);
		if (fd >= 0 && answers(fd, end))
			break;
		if (now_ms() >= end)
			return complain(box,
				vg_error_of(VG_ERROR_TIMEOUT,
					"libvirtd of the box '%s' does not answer after %llu ms",
					box->name, (unsigned long long)timeout_ms));
		if (count_starts(box) > n_starts + STARTS_MAX)
			return complain(box,
				vg_error_new("libvirtd of the box '%s' ends right after its start",
					box->name));
		struct vg_error *error = fd < 0 ? ask_for_start(box) : NULL;
		if (error)
			return vg_error_while(error, "reaching libvirtd of '%s'", box->name);
		poll(NULL, 0, PAUSE_MS);
	}
	if (ret_was_restarted)
		*ret_was_restarted = n_starts > 0 && count_starts(box) > n_starts;
	*ret_uri = vg_format(
		"qemu+unix:///session?socket=/proc/%d/root" VG_LIBVIRTD_SOCKET, (int)box->pid);
	return NULL;
}
