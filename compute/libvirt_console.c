// SPDX-License-Identifier: Apache-2.0
//
// What a guest says by itself: its agent's replies, and the log of its serial console.
#include "compute/libvirt.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/memory.h"
#include "base/text.h"

enum { PARTS_MAX = 16, RETRY_NS = 100 * 1000 * 1000 };

// Right after a guest's or a libvirtd's start the channel is not connected yet: nothing was sent,
// so the request may be tried again for as long as its caller waits.
static char *ask_agent(virDomainPtr domain, const char *request, int timeout_s)
{
	struct timespec begin, now;
	clock_gettime(CLOCK_MONOTONIC, &begin);
	while (true) {
		char *reply = vg_libvirt.virDomainQemuAgentCommand(domain, request, timeout_s, 0);
		clock_gettime(CLOCK_MONOTONIC, &now);
		bool is_unconnected = !reply && vg_libvirt_code() == VIR_ERR_AGENT_UNRESPONSIVE &&
				      strstr(vg_libvirt.virGetLastErrorMessage(), "not connected");
		if (!is_unconnected || now.tv_sec - begin.tv_sec >= timeout_s)
			return reply;
		nanosleep(&(struct timespec){.tv_nsec = RETRY_NS}, NULL);
	}
}

struct vg_error *vg_libvirt_agent(struct vg_compute *compute, const char *uuid, const char *request,
	unsigned timeout_s, char **ret_reply)
{
	_auto(vg_libvirt_hold) struct vg_libvirt_hold hold = {0};
	struct vg_error *error = vg_libvirt_find(compute, uuid, &hold, NULL);
	if (error)
		return error;
	// 0 would mean not to wait for the reply at all.
	char *reply = ask_agent(
		hold.domain, request, timeout_s > 0 && timeout_s < 1 << 20 ? (int)timeout_s : 1);
	if (!reply) {
		bool is_too_large = vg_libvirt_code() == VIR_ERR_RPC;
		error = vg_libvirt_error(compute, hold.domain, "asking the guest agent");
		if (is_too_large)
			error = vg_error_hint(error, "libvirt carries replies of up to 4 MiB, which"
						     " is 3 MiB of a program's output");
		return error;
	}
	*ret_reply = reply;
	return NULL;
}

// The parts of a log, oldest first: virtlogd renames FILE to FILE.0, FILE.0 to FILE.1, and so on.
struct parts {
	int fds[PARTS_MAX];
	uint64_t sizes[PARTS_MAX];
	size_t n_parts;
};

static void parts_close(struct parts *parts)
{
	for (size_t i = 0; i < parts->n_parts; i++)
		close(parts->fds[i]);
}

static struct vg_error *add_part(struct parts *parts, const char *path)
{
	_auto(vg_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 && errno == ENOENT)
		return NULL;
	struct stat status;
	if (fd < 0 || fstat(fd, &status) < 0)
		return vg_error_errno(errno, "opening the console's log '%s'", path);
	if (!S_ISREG(status.st_mode))
		return vg_error_new("the console's log '%s' is no file", path);
	parts->sizes[parts->n_parts] = (uint64_t)status.st_size;
	parts->fds[parts->n_parts++] = vg_take_fd(&fd);
	return NULL;
}

static struct vg_error *open_parts(const char *path, struct parts *ret_parts)
{
	struct parts parts = {0};
	struct vg_error *error = NULL;
	for (int i = PARTS_MAX - 2; i >= 0 && !error; i--) {
		_auto(vg_string) char *rotated = vg_format("%s.%d", path, i);
		error = add_part(&parts, rotated);
	}
	if (!error)
		error = add_part(&parts, path);
	if (error)
		parts_close(&parts);
	else
		*ret_parts = parts;
	return error;
}

static struct vg_error *read_part(
	int fd, const char *name, uint64_t offset, size_t size, struct vg_text *text)
{
	_auto(vg_string) char *buffer = vg_alloc(size + 1);
	size_t done = 0;
	while (done < size) {
		ssize_t got = pread(fd, buffer + done, size - done, (off_t)(offset + done));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return vg_error_errno(errno, "reading '%s'", name);
		if (got == 0)
			break;
		done += (size_t)got;
	}
	vg_text_add_bytes(text, buffer, done);
	return NULL;
}

static struct vg_error *read_parts(const struct parts *parts, const char *name, uint64_t offset,
	size_t size_max, struct vg_text *text, uint64_t *ret_end)
{
	struct vg_error *error = NULL;
	uint64_t begin = 0; // of the part
	for (size_t i = 0; i < parts->n_parts && !error; i++) {
		uint64_t end = begin + parts->sizes[i];
		uint64_t at = offset > begin ? offset : begin;
		if (at < end && text->length < size_max) {
			size_t room = size_max - text->length;
			size_t size = end - at < room ? (size_t)(end - at) : room;
			error = read_part(parts->fds[i], name, at - begin, size, text);
		}
		begin = end;
	}
	*ret_end = offset < begin ? offset + text->length : begin;
	return error;
}

// The log's path as this process sees it, malloc'ed.
static struct vg_error *map_path(
	const struct vg_compute *compute, const char *seen, char **ret_path)
{
	size_t length = compute->folder_seen ? strlen(compute->folder_seen) : 0;
	if (!compute->folder || !length || strncmp(seen, compute->folder_seen, length) != 0 ||
		seen[length] != '/')
		return vg_error_new("host '%s': the console's log '%s' cannot be read from here",
			compute->host, seen);
	*ret_path = vg_format("%s%s", compute->folder, seen + length);
	return NULL;
}

struct vg_error *vg_libvirt_console_log(struct vg_compute *compute, const char *uuid,
	uint64_t offset, size_t size_max, char **ret_bytes, size_t *ret_size, uint64_t *ret_end)
{
	_auto(vg_libvirt_hold) struct vg_libvirt_hold hold = {0};
	_auto(vg_domain_seen) struct vg_domain_seen seen = {0};
	_auto(vg_string) char *path = NULL;
	struct parts parts = {0};
	struct vg_error *error = vg_libvirt_find(compute, uuid, &hold, NULL);
	if (!error)
		error = vg_libvirt_read(compute, hold.domain, 0, &seen);
	if (!error && !seen.console_log)
		error = vg_error_new("host '%s': machine '%s' keeps no log of its console",
			compute->host, vg_libvirt.virDomainGetName(hold.domain));
	if (!error)
		error = map_path(compute, seen.console_log, &path);
	if (!error)
		error = open_parts(path, &parts);
	if (error)
		return error;
	_auto(vg_text) struct vg_text text = {0};
	uint64_t end;
	error = read_parts(&parts, path, offset, size_max, &text, &end);
	parts_close(&parts);
	if (error)
		return error;
	*ret_size = text.length;
	*ret_bytes = vg_text_take(&text);
	*ret_end = end;
	return NULL;
}

void vg_libvirt_console_forget(struct vg_compute *compute, virDomainPtr domain)
{
	_auto(vg_domain_seen) struct vg_domain_seen seen = {0};
	_auto(vg_string) char *path = NULL;
	struct vg_error *error = vg_libvirt_read(compute, domain, 0, &seen);
	if (!error && seen.console_log)
		error = map_path(compute, seen.console_log, &path);
	vg_error_ignore(error);
	if (!path)
		return;
	unlink(path);
	for (int i = 0; i < PARTS_MAX - 1; i++) {
		_auto(vg_string) char *rotated = vg_format("%s.%d", path, i);
		unlink(rotated);
	}
}
