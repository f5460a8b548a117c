// SPDX-License-Identifier: Apache-2.0
#include "orchestrator/run/executor.h"

#include <pthread.h>

#include "base/memory.h"

enum { THREADS_MIN = 2, THREADS_MAX = 64, THREADS_OF_WORK = 12 };

// A step's dependants, found once.
struct dependants {
	size_t *items;
	size_t n_items;
};

struct pool {
	const struct vg_execution *execution;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	enum vg_outcome *outcomes;
	size_t *n_missing; // needs that are not done yet
	struct dependants *dependants;
	size_t *ready; // a ring of steps whose needs are done, in order of their numbers
	size_t n_ready;
	unsigned *running; // [host * VG_STEP_N_KINDS + kind]
	unsigned *booting; // per host
	size_t n_open;     // pending or running
	size_t n_running, n_failed, n_skipped;
	bool is_stopped;
};

static unsigned *running_of(struct pool *pool, const struct vg_step *step)
{
	return &pool->running[(size_t)step->host * VG_STEP_N_KINDS + step->kind];
}

static bool has_room(struct pool *pool, const struct vg_step *step)
{
	const struct vg_step_type *type = &vg_step_types[step->kind];
	if (type->limit && *running_of(pool, step) >= type->limit)
		return false;
	return type->lane != VG_LANE_BOOT_ENTER ||
	       pool->booting[step->host] < pool->execution->n_booting[step->host];
}

// Takes the first ready step that has room; SIZE_MAX if there is none.
static size_t take_ready(struct pool *pool)
{
	for (size_t i = 0; i < pool->n_ready; i++) {
		size_t number = pool->ready[i];
		if (!has_room(pool, &pool->execution->steps[number]))
			continue;
		for (size_t k = i + 1; k < pool->n_ready; k++)
			pool->ready[k - 1] = pool->ready[k];
		pool->n_ready--;
		return number;
	}
	return SIZE_MAX;
}

static void make_ready(struct pool *pool, size_t number)
{
	pool->ready[pool->n_ready++] = number;
}

// Steps that need this one will never run. Iterative: a chain may be as long as the plan.
static void skip_dependants(struct pool *pool, size_t failed)
{
	size_t *stack = vg_alloc((pool->execution->n_steps + 1) * sizeof(*stack));
	size_t depth = 0;
	stack[depth++] = failed;
	while (depth) {
		const struct dependants *next = &pool->dependants[stack[--depth]];
		for (size_t i = 0; i < next->n_items; i++) {
			if (pool->outcomes[next->items[i]] != VG_OUTCOME_PENDING)
				continue;
			pool->outcomes[next->items[i]] = VG_OUTCOME_SKIPPED;
			pool->n_skipped++;
			pool->n_open--;
			stack[depth++] = next->items[i];
		}
	}
	free(stack);
}

static void begin(struct pool *pool, size_t number)
{
	const struct vg_step *step = &pool->execution->steps[number];
	pool->outcomes[number] = VG_OUTCOME_RUNNING;
	pool->n_running++;
	++*running_of(pool, step);
	if (vg_step_types[step->kind].lane == VG_LANE_BOOT_ENTER)
		pool->booting[step->host]++;
}

static void end(struct pool *pool, size_t number, bool is_good)
{
	const struct vg_step *step = &pool->execution->steps[number];
	enum vg_step_lane lane = vg_step_types[step->kind].lane;
	pool->outcomes[number] = is_good ? VG_OUTCOME_DONE : VG_OUTCOME_FAILED;
	pool->n_running--;
	pool->n_open--;
	--*running_of(pool, step);
	// A start that fails has no ready to leave the lane; a ready without a start never entered
	// it.
	bool leaves = lane == VG_LANE_BOOT_LEAVE || (lane == VG_LANE_BOOT_ENTER && !is_good);
	if (leaves && pool->booting[step->host])
		pool->booting[step->host]--;
	if (!is_good) {
		pool->n_failed++;
		skip_dependants(pool, number);
		return;
	}
	for (size_t i = 0; i < pool->dependants[number].n_items; i++) {
		size_t next = pool->dependants[number].items[i];
		if (--pool->n_missing[next] == 0 && pool->outcomes[next] == VG_OUTCOME_PENDING)
			make_ready(pool, next);
	}
}

// What has not begun when the user stops never will.
static void stop(struct pool *pool)
{
	pool->is_stopped = true;
	pool->n_ready = 0;
	for (size_t i = 0; i < pool->execution->n_steps; i++) {
		if (pool->outcomes[i] != VG_OUTCOME_PENDING)
			continue;
		pool->outcomes[i] = VG_OUTCOME_SKIPPED;
		pool->n_skipped++;
		pool->n_open--;
	}
}

static void *work(void *data)
{
	struct pool *pool = data;
	const struct vg_execution *execution = pool->execution;
	pthread_mutex_lock(&pool->lock);
	while (pool->n_open) {
		if (!pool->is_stopped && execution->is_interrupted &&
			execution->is_interrupted(execution->interrupted_data))
			stop(pool);
		size_t number = take_ready(pool);
		if (number == SIZE_MAX) {
			if (pool->n_open)
				pthread_cond_wait(&pool->changed, &pool->lock);
			continue;
		}
		begin(pool, number);
		pthread_mutex_unlock(&pool->lock);
		const struct vg_step *step = &execution->steps[number];
		_auto(vg_error) struct vg_error *error = execution->run(step, execution->data);
		pthread_mutex_lock(&pool->lock);
		bool was_stopped = error && vg_error_kind(error) == VG_ERROR_INTERRUPTED;
		if (error && !was_stopped && execution->failed)
			execution->failed(step, error, execution->data);
		// A step that was interrupted says so even where no other is left to ask.
		if (was_stopped && !pool->is_stopped)
			stop(pool);
		end(pool, number, !error);
		if (was_stopped) { // the user's doing, no failure
			pool->n_failed--;
			pool->n_skipped++;
		}
		pthread_cond_broadcast(&pool->changed);
	}
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

static void pool_init(struct pool *pool, const struct vg_execution *execution)
{
	size_t n = execution->n_steps;
	*pool = (struct pool){
		.execution = execution,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.changed = PTHREAD_COND_INITIALIZER,
		.outcomes = vg_alloc(n * sizeof(*pool->outcomes)),
		.n_missing = vg_alloc(n * sizeof(*pool->n_missing)),
		.dependants = vg_alloc(n * sizeof(*pool->dependants)),
		.ready = vg_alloc(n * sizeof(*pool->ready)),
		.running = vg_alloc(execution->n_hosts * VG_STEP_N_KINDS * sizeof(*pool->running)),
		.booting = vg_alloc(execution->n_hosts * sizeof(*pool->booting)),
		.n_open = n,
	};
	for (size_t i = 0; i < n; i++) {
		const struct vg_step *step = &execution->steps[i];
		pool->n_missing[i] = step->n_needs;
		for (size_t k = 0; k < step->n_needs; k++) {
			assert(step->needs[k] < i);
			struct dependants *of = &pool->dependants[step->needs[k]];
			vg_append(of->items, of->n_items) = i;
		}
		if (!step->n_needs)
			make_ready(pool, i);
	}
}

static void pool_done(struct pool *pool)
{
	for (size_t i = 0; i < pool->execution->n_steps; i++)
		free(pool->dependants[i].items);
	free(pool->outcomes);
	free(pool->n_missing);
	free(pool->dependants);
	free(pool->ready);
	free(pool->running);
	free(pool->booting);
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
	if (!pool->n_failed && !pool->n_skipped)
		return NULL;
	if (pool->is_stopped && !pool->n_failed)
		return vg_error_of(VG_ERROR_INTERRUPTED, "stopped, %zu of %zu steps are not done",
			pool->n_skipped, pool->execution->n_steps);
	return vg_error_of(pool->is_stopped ? VG_ERROR_INTERRUPTED : VG_ERROR_FAILED,
		"%zu of %zu steps failed, %zu were not begun", pool->n_failed,
		pool->execution->n_steps, pool->n_skipped);
}

struct vg_error *vg_execute(const struct vg_execution *execution)
{
	struct pool pool;
	pool_init(&pool, execution);
	pthread_t threads[THREADS_MAX];
	size_t n_threads = count_threads(execution), n_started = 0;
	for (; n_started < n_threads; n_started++) {
		if (pthread_create(&threads[n_started], NULL, work, &pool))
			break;
	}
	if (!n_started)
		work(&pool);
	for (size_t i = 0; i < n_started; i++)
		pthread_join(threads[i], NULL);
	struct vg_error *error = sum_up(&pool);
	for (size_t i = 0; execution->outcomes && i < execution->n_steps; i++)
		execution->outcomes[i] = pool.outcomes[i];
	pool_done(&pool);
	return error;
}
