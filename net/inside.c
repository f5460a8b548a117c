// SPDX-License-Identifier: Apache-2.0
#include "net/inside.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>

struct visit {
	int namespace_fd;
	struct vg_error *(*call)(void *data);
	void *data;
	struct vg_error *error;
};

static void *enter(void *data)
{
	struct visit *visit = data;
	if (setns(visit->namespace_fd, CLONE_NEWNET) < 0)
		visit->error = vg_error_errno(errno, "entering a network namespace");
	else
		visit->error = visit->call(visit->data);
	return NULL;
}

struct vg_error *vg_inside(int namespace_fd, struct vg_error *(*call)(void *data), void *data)
{
	if (namespace_fd < 0)
		return call(data);
	struct visit visit = {.namespace_fd = namespace_fd, .call = call, .data = data};
	// Signals stay with the threads that expect them.
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_t thread;
	int status = pthread_create(&thread, NULL, enter, &visit);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (status != 0)
		return vg_error_errno(status, "starting a thread");
	pthread_join(thread, NULL);
	return visit.error;
}
