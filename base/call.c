// SPDX-License-Identifier: Apache-2.0
#include "base/call.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>

#include "base/filter_spec.h"
#include "base/memory.h"
#include "base/units.h"

enum { OWING_DIVISOR = 10 };

struct vg_call_state {
	pthread_cond_t done;
	bool is_done, is_abandoned;
	struct vg_error *error;
};

// A thread that makes calls, one after the other, and never ends.
struct worker {
	pthread_cond_t woken;
	struct vg_call *call; // NULL: nothing to do
	struct worker *next;  // among the idle
};

// One lock for all: what is done under it takes no time.
static struct {
	pthread_mutex_t lock;
	struct worker *idle;
	size_t n_owed;
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER};

void vg_call_free(struct vg_call *call)
{
	if (!call)
		return;
	call->done(call);
	if (call->state) {
		vg_error_free(call->state->error);
		pthread_cond_destroy(&call->state->done);
		free(call->state);
	}
	free(call->who);
	free(call);
}

static struct vg_error *run(struct vg_call *call)
{
	struct vg_filter_call filtered;
	struct vg_error *error = vg_filter_begin(
		call->line->rules->filter, call->operation->name, call->who, &filtered);
	if (!error)
		error = call->operation->act(call);
	return vg_filter_end(&filtered, error);
}

// To be called with the lock held, which it lets go.
static void hand_back(struct worker *worker, struct vg_error *error)
{
	struct vg_call *call = vg_take(worker->call);
	call->state->error = error;
	call->state->is_done = true;
	worker->next = pool.idle;
	pool.idle = worker;
	bool is_abandoned = call->state->is_abandoned;
	if (!is_abandoned)
		pthread_cond_signal(&call->state->done);
	pthread_mutex_unlock(&pool.lock);
	if (!is_abandoned)
		return;
	struct vg_call_line *line = call->line;
	vg_call_free(call);
	atomic_fetch_sub(&line->n_owed, 1);
	pthread_mutex_lock(&pool.lock);
	pool.n_owed--;
	pthread_mutex_unlock(&pool.lock);
}

static void *work(void *data)
{
	struct worker *worker = data;
	for (;;) {
		pthread_mutex_lock(&pool.lock);
		while (!worker->call)
			pthread_cond_wait(&worker->woken, &pool.lock);
		pthread_mutex_unlock(&pool.lock);
		struct vg_error *error = run(worker->call);
		pthread_mutex_lock(&pool.lock);
		hand_back(worker, error);
	}
	return NULL;
}

// An idle one, or a new one; NULL if there can be none. Signals are the main thread's.
static struct worker *take_worker(void)
{
	struct worker *worker = pool.idle;
	if (worker) {
		pool.idle = worker->next;
		return worker;
	}
	worker = vg_new(struct worker);
	pthread_cond_init(&worker->woken, NULL);
	pthread_t thread;
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int code = pthread_create(&thread, NULL, work, worker);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (code == 0) {
		pthread_detach(thread);
		return worker;
	}
	pthread_cond_destroy(&worker->woken);
	free(worker);
	return NULL;
}

static uint64_t limit_of(const struct vg_call *call, uint64_t own_ms)
{
	const struct vg_call_rules *rules = call->line->rules;
	uint64_t limit = rules->limit_ms ? rules->limit_ms : call->operation->limit_s * 1000ull;
	if (!rules->limit_ms && rules->look_limit_ms && call->operation->only_looks)
		limit = limit < rules->look_limit_ms ? limit : rules->look_limit_ms;
	if (atomic_load(&call->line->n_owed))
		limit /= OWING_DIVISOR;
	return limit + own_ms;
}

static struct timespec time_in(uint64_t ms)
{
	struct timespec at;
	clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_sec += (time_t)(ms / 1000);
	at.tv_nsec += (long)(ms % 1000) * 1000000;
	at.tv_sec += at.tv_nsec / 1000000000;
	at.tv_nsec %= 1000000000;
	return at;
}

static struct vg_error *no_answer(const struct vg_call *call, uint64_t limit_ms)
{
	_auto(vg_string) char *time = vg_units_write_duration(limit_ms);
	struct vg_error *error = vg_error_of(VG_ERROR_TIMEOUT,
		"no answer from %s of '%s' within %s%s", call->operation->backend, call->line->host,
		time, call->operation->only_looks ? "" : "; it may still be carried out");
	return vg_error_hint(error, "if it is only slow, VGRID_CALL_TIMEOUT=5m gives it more time");
}

struct vg_error *vg_call_make(struct vg_call **call_pointer, uint64_t own_ms)
{
	struct vg_call *call = *call_pointer;
	struct vg_call_state *state = call->state = vg_new(struct vg_call_state);
	pthread_condattr_t monotonic;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&state->done, &monotonic);
	pthread_condattr_destroy(&monotonic);
	uint64_t limit_ms = limit_of(call, own_ms);
	const struct timespec end = time_in(limit_ms);
	pthread_mutex_lock(&pool.lock);
	struct worker *worker = take_worker();
	if (!worker) { // better unbounded than not at all
		pthread_mutex_unlock(&pool.lock);
		return run(call);
	}
	worker->call = call;
	pthread_cond_signal(&worker->woken);
	int code = 0;
	while (!state->is_done && code != ETIMEDOUT)
		code = pthread_cond_timedwait(&state->done, &pool.lock, &end);
	struct vg_error *error = NULL;
	if (state->is_done) {
		error = vg_take(state->error);
	} else {
		state->is_abandoned = true;
		pool.n_owed++;
		atomic_fetch_add(&call->line->n_owed, 1);
		error = no_answer(call, limit_ms);
		*call_pointer = NULL;
	}
	pthread_mutex_unlock(&pool.lock);
	return error;
}

bool vg_call_is_owed(void)
{
	pthread_mutex_lock(&pool.lock);
	bool is_owed = pool.n_owed;
	pthread_mutex_unlock(&pool.lock);
	return is_owed;
}
