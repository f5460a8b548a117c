// SPDX-License-Identifier: Apache-2.0
#include "orchestrator/every_host.h"

#include <pthread.h>
#include <signal.h>
#include <time.h>

#include "base/text.h"
#include "orchestrator/context.h"
#include "orchestrator/report/progress.h"

enum { LOOK_EVERY_MS = 100, PATIENCE_MS = 1000 };

struct visit;

struct visits {
	struct vg_error *(*act)(struct vg_host *host, void *data);
	void *data;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	size_t n_left;
	struct visit *items;
};

struct visit {
	struct visits *all;
	struct vg_host *host;
	pthread_t thread;
	bool has_thread, is_done;
	struct vg_error *error;
};

static void *visit_host(void *data)
{
	struct visit *visit = data;
	struct visits *all = visit->all;
	struct vg_error *error = all->act(visit->host, all->data);
	pthread_mutex_lock(&all->lock);
	visit->error = error;
	visit->is_done = true;
	all->n_left--;
	pthread_cond_signal(&all->changed);
	pthread_mutex_unlock(&all->lock);
	return NULL;
}

static void say_waiting(const struct visits *visits, size_t n, struct vg_progress *progress)
{
	_auto(vg_text) struct vg_text names = {0};
	for (size_t i = 0; i < n; i++) {
		if (visits->items[i].has_thread && !visits->items[i].is_done)
			vg_text_addf(&names, "%s'%s'", names.length ? ", " : "",
				visits->items[i].host->name);
	}
	vg_progress_say(progress, "Stopping; %s %s not answered yet, Ctrl-C again ends at once",
		names.bytes, visits->n_left == 1 ? "has" : "have");
}

// To be called with the lock held.
static void wait_for(struct visits *visits, size_t n, struct vg_context *context)
{
	bool was_said = false;
	for (unsigned patience = PATIENCE_MS / LOOK_EVERY_MS; visits->n_left;) {
		struct timespec until;
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += LOOK_EVERY_MS * 1000000;
		until.tv_sec += until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
		pthread_cond_timedwait(&visits->changed, &visits->lock, &until);
		if (was_said || !context->is_interrupted(context->interrupted_data))
			continue;
		if (visits->n_left && --patience == 0) {
			say_waiting(visits, n, context->progress);
			was_said = true;
		}
	}
}

struct vg_error *vg_every_host(struct vg_site *site, struct vg_context *context,
	struct vg_error *(*act)(struct vg_host *host, void *data), void *data)
{
	struct visits visits = {act, data, PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0,
		vg_alloc(site->n_hosts * sizeof(struct visit))};
	// Signals are the main thread's.
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_mutex_lock(&visits.lock);
	for (size_t h = 0; h < site->n_hosts; h++) {
		struct visit *visit = &visits.items[h];
		*visit = (struct visit){.all = &visits, .host = &site->hosts[h]};
		if (visit->host->problem)
			continue;
		if (pthread_create(&visit->thread, NULL, visit_host, visit))
			abort();
		visit->has_thread = true;
		visits.n_left++;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	wait_for(&visits, site->n_hosts, context);
	pthread_mutex_unlock(&visits.lock);
	for (size_t h = 0; h < site->n_hosts; h++) {
		if (!visits.items[h].has_thread)
			continue;
		pthread_join(visits.items[h].thread, NULL);
		site->hosts[h].problem = visits.items[h].error;
	}
	pthread_cond_destroy(&visits.changed);
	pthread_mutex_destroy(&visits.lock);
	free(visits.items);
	return site->is_lenient ? NULL : vg_hosts_problems(site);
}

struct vg_error *vg_hosts_problems(const struct vg_site *site)
{
	struct vg_error *error = NULL;
	_auto(vg_text) struct vg_text below = {0};
	const char *remedy = NULL;
	for (size_t h = 0; h < site->n_hosts; h++) {
		const struct vg_error *problem = site->hosts[h].problem;
		if (!problem || site->hosts[h].is_replaced)
			continue;
		if (error) {
			vg_text_addf(&below, "%s\n", vg_error_text(problem));
			continue;
		}
		error = vg_error_of(vg_error_kind(problem), "%s", vg_error_message(problem));
		remedy = vg_error_remedy(problem);
	}
	vg_text_add(&below, remedy ? remedy : "");
	return below.length ? vg_error_hint(error, "%s", below.bytes) : error;
}
