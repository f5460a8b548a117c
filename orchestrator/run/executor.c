// SPDX-License-Identifier: Apache-2.0
#include "orchestrator/run/executor.h"

#include <pthread.h>
#include <signal.h>
#include <time.h>

#include "base/memory.h"
#include "orchestrator/run/schedule.h"

enum {
	THREADS_MIN = 2,
	THREADS_MAX = 64,
	THREADS_OF_WORK = 12,
	LOOK_EVERY_MS = 100,
	PATIENCE_MS = 1000,
};

struct pool {
	const struct vg_execution *execution;
	pthread_mutex_t lock;
	pthread_cond_t changed; // something is ready, or all is over
	pthread_cond_t ended;   // a thread has
	struct vg_schedule *schedule;
	const struct vg_schedule_count *count;
	size_t n_idle, n_threads;
	bool is_stopped;
};

// What has not begun when the user stops never will.
static void stop(struct pool *pool)
{
	pool->is_stopped = true;
	vg_schedule_stop(pool->schedule);
	pthread_cond_broadcast(&pool->changed);
}

static void stop_if_interrupted(struct pool *pool)
{
	const struct vg_execution *execution = pool->execution;
	if (!pool->is_stopped && execution->is_interrupted &&
		execution->is_interrupted(execution->interrupted_data))
		stop(pool);
}

// To be called with the lock held.
static void run_step(struct pool *pool, size_t number)
{
	const struct vg_execution *execution = pool->execution;
	const struct vg_step *step = &execution->steps[number];
	// Whoever takes a step wakes the next if there is another: one at a time, never all for
	// nothing.
	if (pool->n_idle && vg_schedule_has_ready(pool->schedule))
		pthread_cond_signal(&pool->changed);
	pthread_mutex_unlock(&pool->lock);
	_auto(vg_error) struct vg_error *error = execution->run(step, execution->data);
	pthread_mutex_lock(&pool->lock);
	// The user's doing is no failure.
	bool was_stopped = error && vg_error_kind(error) == VG_ERROR_INTERRUPTED;
	if (error && !was_stopped && execution->failed)
		execution->failed(step, error, execution->data);
	// A step that was interrupted says so even where no other is left to ask.
	if (was_stopped && !pool->is_stopped)
		stop(pool);
	vg_schedule_end(pool->schedule, number,
		was_stopped ? VG_OUTCOME_SKIPPED
		: error     ? VG_OUTCOME_FAILED
			    : VG_OUTCOME_DONE);
}

static void *work(void *data)
{
	struct pool *pool = data;
	pthread_mutex_lock(&pool->lock);
	while (pool->count->n_open) {
		size_t number;
		stop_if_interrupted(pool);
		if (vg_schedule_take(pool->schedule, &number)) {
			run_step(pool, number);
		} else if (pool->count->n_open) {
			pool->n_idle++;
			pthread_cond_wait(&pool->changed, &pool->lock);
			pool->n_idle--;
		}
	}
	pool->n_threads--;
	pthread_cond_broadcast(&pool->changed);
	pthread_cond_signal(&pool->ended);
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

// Waiting guests hold a thread each, so there is one for every guest that may boot.
static size_t count_threads(const struct vg_execution *execution)
{
	size_t n = execution->n_threads;
	if (!n) {
		n = THREADS_OF_WORK;
		for (size_t h = 0; h < execution->n_hosts; h++)
			n += execution->n_booting[h];
	}
	n = n > THREADS_MAX ? THREADS_MAX : n;
	n = n > execution->n_steps ? execution->n_steps : n;
	return n < THREADS_MIN ? THREADS_MIN : n;
}

static struct vg_error *sum_up(const struct pool *pool)
{
	if (!pool->count->n_failed && !pool->count->n_skipped)
		return NULL;
	if (pool->is_stopped && !pool->count->n_failed)
		return vg_error_of(VG_ERROR_INTERRUPTED, "stopped, %zu of %zu steps are not done",
			pool->count->n_skipped, pool->execution->n_steps);
	return vg_error_of(pool->is_stopped ? VG_ERROR_INTERRUPTED : VG_ERROR_FAILED,
		"%zu of %zu steps failed, %zu were not begun", pool->count->n_failed,
		pool->execution->n_steps, pool->count->n_skipped);
}

// Tells which step is still running when the user has stopped. To be called with the lock held.
static void say_lingering(struct pool *pool)
{
	const struct vg_execution *execution = pool->execution;
	const enum vg_outcome *outcomes = vg_schedule_outcomes(pool->schedule);
	size_t number = 0, n_running = pool->count->n_running;
	while (outcomes[number] != VG_OUTCOME_RUNNING)
		number++;
	pthread_mutex_unlock(&pool->lock);
	execution->lingers(&execution->steps[number], n_running, execution->data);
	pthread_mutex_lock(&pool->lock);
}

// Threads ask for an interruption between steps; in the midst of long ones it is asked for here.
static void wait_for_threads(struct pool *pool)
{
	unsigned patience = PATIENCE_MS / LOOK_EVERY_MS;
	pthread_mutex_lock(&pool->lock);
	while (pool->n_threads) {
		struct timespec until;
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += LOOK_EVERY_MS * 1000000;
		until.tv_sec += until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
		pthread_cond_timedwait(&pool->ended, &pool->lock, &until);
		stop_if_interrupted(pool);
		if (!pool->is_stopped || !pool->count->n_running || !patience)
			continue;
		if (--patience == 0 && pool->execution->lingers)
			say_lingering(pool);
	}
	pthread_mutex_unlock(&pool->lock);
}

struct vg_error *vg_execute(const struct vg_execution *execution)
{
	_auto(vg_schedule) struct vg_schedule *schedule = vg_schedule_new(execution);
	struct pool pool = {
		.execution = execution,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.changed = PTHREAD_COND_INITIALIZER,
		.ended = PTHREAD_COND_INITIALIZER,
		.schedule = schedule,
		.count = vg_schedule_count(schedule),
	};
	pthread_t threads[THREADS_MAX];
	size_t n_threads = count_threads(execution), n_started = 0;
	// Signals are the main thread's.
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_mutex_lock(&pool.lock);
	while (n_started < n_threads && pthread_create(&threads[n_started], NULL, work, &pool) == 0)
		n_started++;
	pool.n_threads = n_started ? n_started : 1;
	pthread_mutex_unlock(&pool.lock);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!n_started)
		work(&pool);
	wait_for_threads(&pool);
	for (size_t i = 0; i < n_started; i++)
		pthread_join(threads[i], NULL);
	struct vg_error *error = sum_up(&pool);
	for (size_t i = 0; execution->outcomes && i < execution->n_steps; i++)
		execution->outcomes[i] = vg_schedule_outcomes(schedule)[i];
	pthread_cond_destroy(&pool.changed);
	pthread_cond_destroy(&pool.ended);
	pthread_mutex_destroy(&pool.lock);
	return error;
}
