// SPDX-License-Identifier: Apache-2.0
//
// Two-way streams to a machine: libvirt's stream on one side, one end of a socket pair on the
// other, and between them a pump that runs on the driver's event thread. The caller has the other
// end.
//
// The stream has a connection of its own, closed at its end: two threads never call over it at the
// same time. Before the first event only the opening thread does, afterwards only the event thread,
// and in the end only the thread that ends it.
//
// A caller that half-closes goes on reading: a guest's port knows no half-close, so the guest does
// not hear of it. All that either side sent before it ended is delivered, unless the other side is
// gone.
#include "compute/libvirt.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>

#include "base/memory.h"

enum { BUFFER_SIZE = 64 * 1024, NOT_NOW = -2 };

struct buffer {
	char bytes[BUFFER_SIZE];
	size_t begin, size; // what is waiting: bytes[begin .. begin + size)
};

// A stream and the connection that it has for itself.
struct line {
	virConnectPtr connection;
	virStreamPtr stream;
};

struct pump {
	struct line line;
	int fd, watch; // watch -1: the caller is gone, its end is no longer looked at
	pthread_mutex_t lock;
	atomic_int references; // the handle's, the stream callback's, and one of each running call
	struct buffer to_guest, from_guest;
	bool is_followed; // the stream has its callback
	bool has_guest_ended, has_caller_ended, is_caller_gone, is_over;
};

static size_t room_behind(struct buffer *buffer)
{
	if (buffer->begin > 0) {
		memmove(buffer->bytes, buffer->bytes + buffer->begin, buffer->size);
		buffer->begin = 0;
	}
	return BUFFER_SIZE - buffer->size;
}

static void receive_from_guest(struct pump *pump)
{
	struct buffer *buffer = &pump->from_guest;
	size_t room = room_behind(buffer);
	while (!pump->has_guest_ended && room > 0) {
		int got = vg_libvirt.virStreamRecv(
			pump->line.stream, buffer->bytes + buffer->size, room);
		if (got == NOT_NOW)
			return;
		if (got <= 0) {
			pump->has_guest_ended = true;
			return;
		}
		buffer->size += (size_t)got;
		room -= (size_t)got;
	}
}

static void send_to_caller(struct pump *pump)
{
	struct buffer *buffer = &pump->from_guest;
	while (buffer->size > 0 && !pump->is_caller_gone) {
		ssize_t put = send(pump->fd, buffer->bytes + buffer->begin, buffer->size,
			MSG_DONTWAIT | MSG_NOSIGNAL);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		if (put < 0) {
			pump->is_caller_gone = true;
			return;
		}
		buffer->begin += (size_t)put;
		buffer->size -= (size_t)put;
	}
}

static void receive_from_caller(struct pump *pump)
{
	struct buffer *buffer = &pump->to_guest;
	size_t room = room_behind(buffer);
	while (!pump->has_caller_ended && room > 0) {
		ssize_t got = recv(pump->fd, buffer->bytes + buffer->size, room, MSG_DONTWAIT);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		if (got <= 0) {
			pump->has_caller_ended = true;
			return;
		}
		buffer->size += (size_t)got;
		room -= (size_t)got;
	}
}

static void send_to_guest(struct pump *pump)
{
	struct buffer *buffer = &pump->to_guest;
	while (buffer->size > 0 && !pump->has_guest_ended) {
		int put = vg_libvirt.virStreamSend(
			pump->line.stream, buffer->bytes + buffer->begin, buffer->size);
		if (put == NOT_NOW)
			return;
		if (put < 0) {
			pump->has_guest_ended = true;
			return;
		}
		buffer->begin += (size_t)put;
		buffer->size -= (size_t)put;
	}
}

// To end a stream takes a round trip, which must not hold up the event thread.
static void *run_ending(void *data)
{
	struct line *line = data;
	if (vg_libvirt.virStreamFinish(line->stream) < 0)
		vg_libvirt.virStreamAbort(line->stream);
	vg_libvirt.virStreamFree(line->stream);
	vg_libvirt.virConnectClose(line->connection);
	free(line);
	return NULL;
}

static void end_line(struct line line)
{
	struct line *copy = vg_new(struct line);
	*copy = line;
	pthread_t thread;
	if (pthread_create(&thread, NULL, run_ending, copy) == 0)
		pthread_detach(thread);
	else
		run_ending(copy);
}

static void release(void *data)
{
	struct pump *pump = data;
	if (atomic_fetch_sub(&pump->references, 1) > 1)
		return;
	close(pump->fd);
	pthread_mutex_destroy(&pump->lock);
	free(pump);
}

// A closed end would be reported again and again. What was sent before is still read from it.
static void forget_caller(struct pump *pump)
{
	pump->from_guest.size = 0;
	if (pump->watch < 0)
		return;
	vg_libvirt.virEventRemoveHandle(pump->watch);
	pump->watch = -1;
}

// The pump lives on until the last call returns. Libvirt itself does not call back to free what was
// given to a stream's callback.
static void end(struct pump *pump)
{
	struct line line = pump->line;
	pump->is_over = true;
	shutdown(pump->fd, SHUT_RDWR);
	forget_caller(pump);
	if (pump->is_followed) {
		vg_libvirt.virStreamEventRemoveCallback(line.stream);
		release(pump);
	}
	end_line(line);
}

static void want_events(struct pump *pump)
{
	int stream = 0, handle = VIR_EVENT_HANDLE_HANGUP | VIR_EVENT_HANDLE_ERROR;
	if (!pump->has_guest_ended && pump->from_guest.size < BUFFER_SIZE)
		stream |= VIR_STREAM_EVENT_READABLE;
	if (!pump->has_guest_ended && pump->to_guest.size > 0)
		stream |= VIR_STREAM_EVENT_WRITABLE;
	if (!pump->has_caller_ended && pump->to_guest.size < BUFFER_SIZE)
		handle |= VIR_EVENT_HANDLE_READABLE;
	if (pump->from_guest.size > 0)
		handle |= VIR_EVENT_HANDLE_WRITABLE;
	vg_libvirt.virStreamEventUpdateCallback(pump->line.stream, stream);
	if (pump->watch >= 0)
		vg_libvirt.virEventUpdateHandle(pump->watch, handle);
}

// Moves what can be moved now, and asks to be called when more can.
static void run(struct pump *pump)
{
	receive_from_guest(pump);
	send_to_caller(pump);
	receive_from_caller(pump);
	send_to_guest(pump);
	if (pump->is_caller_gone)
		forget_caller(pump);
	bool is_guest_done = pump->has_guest_ended && pump->from_guest.size == 0;
	bool is_caller_done =
		pump->is_caller_gone && pump->has_caller_ended && pump->to_guest.size == 0;
	if (is_guest_done || is_caller_done || (pump->has_guest_ended && pump->is_caller_gone))
		end(pump);
	else
		want_events(pump);
}

static void on_stream(virStreamPtr stream, int events, void *data)
{
	(void)stream;
	struct pump *pump = data;
	atomic_fetch_add(&pump->references, 1);
	pthread_mutex_lock(&pump->lock);
	if (!pump->is_over) {
		receive_from_guest(pump);
		if ((events & (VIR_STREAM_EVENT_ERROR | VIR_STREAM_EVENT_HANGUP)) &&
			pump->from_guest.size < BUFFER_SIZE)
			pump->has_guest_ended = true;
		run(pump);
	}
	pthread_mutex_unlock(&pump->lock);
	release(pump);
}

static void on_caller(int watch, int fd, int events, void *data)
{
	(void)watch, (void)fd;
	struct pump *pump = data;
	atomic_fetch_add(&pump->references, 1);
	pthread_mutex_lock(&pump->lock);
	if (!pump->is_over) {
		if (events & (VIR_EVENT_HANDLE_HANGUP | VIR_EVENT_HANDLE_ERROR))
			pump->is_caller_gone = true;
		run(pump);
	}
	pthread_mutex_unlock(&pump->lock);
	release(pump);
}

// Takes over the line and the descriptor, also when it fails. Both callbacks wait for the lock
// until all is set up.
static struct vg_error *start_pump(struct vg_compute *compute, struct line line, int fd)
{
	struct pump *pump = vg_new(struct pump);
	pthread_mutex_init(&pump->lock, NULL);
	pump->line = line;
	pump->fd = fd;
	pump->references = 1;
	pthread_mutex_lock(&pump->lock);
	pump->watch = vg_libvirt.virEventAddHandle(fd, 0, on_caller, pump, release);
	pump->references += pump->watch >= 0;
	pump->is_followed =
		pump->watch >= 0 && vg_libvirt.virStreamEventAddCallback(line.stream,
					    VIR_STREAM_EVENT_READABLE, on_stream, pump, NULL) == 0;
	pump->references += pump->is_followed;
	struct vg_error *error = NULL;
	if (pump->is_followed) {
		want_events(pump);
	} else {
		error = vg_libvirt_error(compute, NULL, "following a stream");
		end(pump);
	}
	pthread_mutex_unlock(&pump->lock);
	release(pump);
	return error;
}

// Takes the connection out of the hold when it succeeds.
static struct vg_error *open_line(
	struct vg_libvirt_hold *hold, const char *channel, struct line *ret_line)
{
	virStreamPtr stream = vg_libvirt.virStreamNew(hold->connection, VIR_STREAM_NONBLOCK);
	int code = -1;
	if (stream && channel)
		code = vg_libvirt.virDomainOpenChannel(hold->domain, channel, stream, 0);
	else if (stream)
		code = vg_libvirt.virDomainOpenConsole(
			hold->domain, NULL, stream, VIR_DOMAIN_CONSOLE_FORCE);
	if (code == 0) {
		*ret_line = (struct line){vg_take(hold->connection), stream};
		return NULL;
	}
	struct vg_error *error = vg_libvirt_error(
		hold->compute, hold->domain, channel ? "opening a channel" : "opening the console");
	if (stream)
		vg_libvirt.virStreamFree(stream);
	return error;
}

struct vg_error *vg_libvirt_open_stream(
	struct vg_compute *compute, const char *uuid, const char *channel, int *ret_fd)
{
	_auto(vg_libvirt_hold) struct vg_libvirt_hold hold = {0};
	struct line line;
	struct vg_error *error = vg_libvirt_find(compute, uuid, &hold, NULL);
	if (!error)
		error = open_line(&hold, channel, &line);
	if (error)
		return error;
	int ends[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) {
		error = vg_error_errno(errno, "making a socket pair");
		end_line(line);
		return error;
	}
	error = start_pump(compute, line, ends[0]);
	if (error)
		close(ends[1]);
	else
		*ret_fd = ends[1];
	return error;
}
