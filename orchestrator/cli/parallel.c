// SPDX-License-Identifier: Apache-2.0
#include "orchestrator/cli/parallel.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "base/memory.h"

struct work {
	size_t n;
	atomic_size_t next;
	void (*act)(void *data, size_t i);
	void *data;
};

static void *take_items(void *data)
{
	struct work *work = data;
	for (size_t i; (i = atomic_fetch_add(&work->next, 1)) < work->n;)
		work->act(work->data, i);
	return NULL;
}

void vg_parallel(size_t n, size_t n_threads, void (*act)(void *data, size_t i), void *data)
{
	struct work work = {.n = n, .act = act, .data = data};
	n_threads = n_threads < n ? n_threads : n;
	pthread_t *threads = vg_alloc((n_threads + 1) * sizeof(*threads));
	size_t n_started = 0;
	// Signals are the main thread's.
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (n_started < n_threads &&
		pthread_create(&threads[n_started], NULL, take_items, &work) == 0)
		n_started++;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	// Without threads it is done here.
	if (!n_started)
		take_items(&work);
	for (size_t i = 0; i < n_started; i++)
		pthread_join(threads[i], NULL);
	free(threads);
}
