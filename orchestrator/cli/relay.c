// SPDX-License-Identifier: Apache-2.0
#include "orchestrator/cli/relay.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/file.h"
#include "orchestrator/cli/interrupt.h"

struct state {
	const struct vg_relay *relay;
	char waiting[32 * 1024]; // read from standard input, not sent yet
	size_t begin, end;
	bool has_input_ended, has_told; // told: the stream knows of the input's end
	bool is_over;
};

static struct vg_error *take_input(struct state *state)
{
	ssize_t got = read(STDIN_FILENO, state->waiting, sizeof(state->waiting));
	if (got < 0)
		return errno == EINTR ? NULL : vg_error_errno(errno, "reading standard input");
	const char *escape = state->relay->escape == VG_RELAY_NO_ESCAPE
				     ? NULL
				     : memchr(state->waiting, state->relay->escape, (size_t)got);
	state->begin = 0;
	state->end = escape ? (size_t)(escape - state->waiting) : (size_t)got;
	state->is_over = escape;
	state->has_input_ended = got == 0;
	return NULL;
}

static struct vg_error *send_waiting(struct state *state)
{
	ssize_t put = send(state->relay->fd, state->waiting + state->begin,
		state->end - state->begin, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (put < 0 && (errno == EPIPE || errno == ECONNRESET))
		state->begin = state->end; // what it still has to say comes by take_output()
	else if (put < 0 && errno != EINTR && errno != EAGAIN)
		return vg_error_errno(errno, "writing to the node");
	else if (put > 0)
		state->begin += (size_t)put;
	return NULL;
}

static struct vg_error *take_output(struct state *state)
{
	char bytes[32 * 1024];
	ssize_t got = recv(state->relay->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return NULL;
	if (got < 0 && errno != ECONNRESET)
		return vg_error_errno(errno, "reading from the node");
	state->is_over = got <= 0;
	return got <= 0 ? NULL
			: vg_file_write_all(STDOUT_FILENO, "standard output", bytes, (size_t)got);
}

// One round of waiting and moving.
static struct vg_error *turn(struct state *state)
{
	bool has_waiting = state->begin < state->end;
	if (state->has_input_ended && !has_waiting && !state->has_told) {
		shutdown(state->relay->fd, SHUT_WR);
		state->has_told = true;
	}
	struct pollfd polls[] = {
		{.fd = state->relay->fd, .events = POLLIN | (has_waiting ? POLLOUT : 0)},
		{.fd = vg_interrupt_fd(), .events = POLLIN},
		{.fd = has_waiting || state->has_input_ended ? -1 : STDIN_FILENO,
			.events = POLLIN}};
	int n = poll(polls, VG_LENGTH(polls), state->has_told ? state->relay->linger_ms : -1);
	if (n < 0 && errno != EINTR)
		return vg_error_errno(errno, "waiting for the node");
	if (vg_interrupt_was_seen(NULL))
		return vg_error_of(VG_ERROR_INTERRUPTED, "interrupted");
	if (n == 0)
		state->is_over = true;
	struct vg_error *error = NULL;
	if (n > 0 && polls[0].revents & (POLLIN | POLLHUP | POLLERR))
		error = take_output(state);
	if (!error && n > 0 && polls[0].revents & POLLOUT)
		error = send_waiting(state);
	if (!error && !state->is_over && n > 0 && polls[2].revents)
		error = take_input(state);
	return error;
}

struct vg_error *vg_relay(const struct vg_relay *relay)
{
	struct state state = {.relay = relay};
	struct vg_error *error = NULL;
	while (!error && !state.is_over)
		error = turn(&state);
	// What stood before the escape is still the node's.
	while (!error && state.begin < state.end) {
		size_t before = state.begin;
		error = send_waiting(&state);
		if (state.begin == before)
			break;
	}
	return error;
}
