// SPDX-License-Identifier: Apache-2.0
//
// Streams of the fake driver.
#include "compute/fake_world.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>

#include "base/memory.h"

// The other end of a stream: says what the console said so far, then gives back what it gets.
struct echo {
	int fd;
	char *greeting;
};

static bool send_all(int fd, const char *bytes, size_t size)
{
	while (size > 0) {
		ssize_t put = send(fd, bytes, size, MSG_NOSIGNAL);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return false;
		bytes += put;
		size -= (size_t)put;
	}
	return true;
}

static void *run_echo(void *data)
{
	struct echo *echo = data;
	bool is_open = send_all(echo->fd, echo->greeting, strlen(echo->greeting));
	while (is_open) {
		char buffer[4096];
		ssize_t got = recv(echo->fd, buffer, sizeof(buffer), 0);
		if (got < 0 && errno == EINTR)
			continue;
		is_open = got > 0 && send_all(echo->fd, buffer, (size_t)got);
	}
	close(echo->fd);
	free(echo->greeting);
	free(echo);
	return NULL;
}

struct vg_error *vg_fake_stream(char *greeting, int *ret_fd)
{
	int ends[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) {
		free(greeting);
		return vg_error_errno(errno, "making a socket pair");
	}
	struct echo *echo = vg_new(struct echo);
	*echo = (struct echo){ends[0], greeting};
	pthread_t thread;
	int code = pthread_create(&thread, NULL, run_echo, echo);
	if (code != 0) {
		close(ends[0]);
		close(ends[1]);
		free(greeting);
		free(echo);
		return vg_error_errno(code, "starting a thread");
	}
	pthread_detach(thread);
	*ret_fd = ends[1];
	return NULL;
}
