// SPDX-License-Identifier: Apache-2.0
#include "orchestrator/report/follow.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "orchestrator/report/progress.h"

enum { LOOK_EVERY_MS = 250, TAIL_SIZE = 1024 };

struct vg_follow {
	struct vg_progress *progress;
	unsigned step;
	char *path;
	int end_fd; // readable when it is over
	pthread_t thread;
	bool has_thread;
};

// The last line that is not blank, in `tail`; NULL if there is none.
static char *last_line(char *tail)
{
	size_t length = strlen(tail);
	while (length && strchr(" \t\r\n", tail[length - 1]))
		tail[--length] = '\0';
	char *newline = strrchr(tail, '\n'), *back = strrchr(tail, '\r');
	char *line = newline > back ? newline : back;
	line = line ? line + 1 : tail;
	return *line ? line : NULL;
}

static void look(const struct vg_follow *follow)
{
	_auto(vg_fd) int fd = open(follow->path, O_RDONLY | O_CLOEXEC);
	struct stat status;
	if (fd < 0 || fstat(fd, &status) < 0)
		return;
	char tail[TAIL_SIZE + 1];
	off_t from = status.st_size > TAIL_SIZE ? status.st_size - TAIL_SIZE : 0;
	ssize_t got = pread(fd, tail, TAIL_SIZE, from);
	if (got <= 0)
		return;
	tail[got] = '\0';
	const char *line = last_line(tail);
	if (line)
		vg_progress_note(follow->progress, follow->step, "%s", line);
}

static void *run(void *data)
{
	const struct vg_follow *follow = data;
	struct pollfd end = {.fd = follow->end_fd, .events = POLLIN};
	while (poll(&end, 1, LOOK_EVERY_MS) == 0)
		look(follow);
	return NULL;
}

struct vg_follow *vg_follow_new(struct vg_progress *progress, unsigned step, const char *path)
{
	struct vg_follow *follow = vg_new(struct vg_follow);
	follow->progress = progress;
	follow->step = step;
	follow->path = vg_strdup(path);
	follow->end_fd = eventfd(0, EFD_CLOEXEC);
	// Signals are the main thread's.
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	follow->has_thread =
		follow->end_fd >= 0 && pthread_create(&follow->thread, NULL, run, follow) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return follow;
}

void vg_follow_free(struct vg_follow *follow)
{
	if (!follow)
		return;
	if (follow->has_thread && eventfd_write(follow->end_fd, 1) == 0)
		pthread_join(follow->thread, NULL);
	if (follow->end_fd >= 0)
		close(follow->end_fd);
	free(follow->path);
	free(follow);
}
