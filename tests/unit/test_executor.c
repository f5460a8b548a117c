// SPDX-License-Identifier: Apache-2.0
//
// Claims about the executor, on steps that do nothing but note that they ran.
#include "tests/unit/test.h"

#include <sched.h>
#include <stdatomic.h>
#include <time.h>

#include "base/memory.h"
#include "orchestrator/run/executor.h"

enum { STEPS_MAX = 60, HOSTS = 2, GRAPHS = 1000, MANY = 100000, MANY_CPU_S = 10 };

struct trial {
	struct vg_step steps[STEPS_MAX];
	size_t needs[STEPS_MAX][STEPS_MAX];
	size_t n_steps;
	unsigned n_booting;   // at once, on each host
	size_t interrupts_at; // the step that sees Ctrl-C; n_steps: none
	bool fails[STEPS_MAX];
	bool has_ready[STEPS_MAX]; // a start that something waits for
	atomic_int runs[STEPS_MAX];
	atomic_bool done[STEPS_MAX];
	atomic_bool broke_order, broke_limit;
	atomic_int running[HOSTS][VG_STEP_N_KINDS], booting[HOSTS];
	atomic_int n_failures;
	atomic_bool interrupts;
};

// Counts one more of what there may be `most` of.
static void enter(struct trial *trial, atomic_int *counter, unsigned most)
{
	if ((unsigned)atomic_fetch_add(counter, 1) >= most && most)
		atomic_store(&trial->broke_limit, true);
}

static void begin(struct trial *trial, const struct vg_step *step)
{
	enter(trial, &trial->running[step->host][step->kind], vg_step_types[step->kind].limit);
	if (step->kind == VG_STEP_MACHINE_START)
		enter(trial, &trial->booting[step->host], trial->n_booting);
}

static void end(struct trial *trial, const struct vg_step *step)
{
	size_t number = (size_t)(step - trial->steps);
	bool leaves = step->kind == VG_STEP_NODE_READY ||
		      (step->kind == VG_STEP_MACHINE_START &&
			      (trial->fails[number] || !trial->has_ready[number]));
	if (leaves)
		atomic_fetch_sub(&trial->booting[step->host], 1);
	atomic_fetch_sub(&trial->running[step->host][step->kind], 1);
}

static struct vg_error *run(const struct vg_step *step, void *data)
{
	struct trial *trial = data;
	size_t number = (size_t)(step - trial->steps);
	begin(trial, step);
	atomic_fetch_add(&trial->runs[number], 1);
	for (size_t k = 0; k < step->n_needs; k++) {
		if (!atomic_load(&trial->done[step->needs[k]]))
			atomic_store(&trial->broke_order, true);
	}
	if (number == trial->interrupts_at)
		atomic_store(&trial->interrupts, true);
	if (number % 3 == 0)
		sched_yield();
	end(trial, step);
	if (trial->fails[number])
		return vg_error_new("step %zu fails", number);
	atomic_store(&trial->done[number], true);
	return NULL;
}

static void failed(const struct vg_step *step, const struct vg_error *error, void *data)
{
	(void)step;
	(void)error;
	struct trial *trial = data;
	atomic_fetch_add(&trial->n_failures, 1);
}

static bool is_interrupted(void *data)
{
	return atomic_load(&((struct trial *)data)->interrupts);
}

static struct vg_error *execute(struct trial *trial, enum vg_outcome *outcomes)
{
	const unsigned booting[HOSTS] = {trial->n_booting, trial->n_booting};
	const struct vg_execution execution = {.steps = trial->steps,
		.n_steps = trial->n_steps,
		.n_hosts = HOSTS,
		.n_booting = booting,
		.run = run,
		.failed = failed,
		.is_interrupted = is_interrupted,
		.interrupted_data = trial,
		.data = trial,
		.outcomes = outcomes};
	return vg_execute(&execution);
}

static struct trial *new_trial(size_t n_steps, unsigned n_booting)
{
	struct trial *trial = vg_new(struct trial);
	trial->n_steps = n_steps;
	trial->n_booting = n_booting;
	trial->interrupts_at = n_steps;
	for (size_t i = 0; i < n_steps; i++)
		trial->steps[i].needs = trial->needs[i];
	return trial;
}

static void add_need(struct trial *trial, size_t number, size_t need)
{
	trial->needs[number][trial->steps[number].n_needs++] = need;
}

// A ready waits for its start alone, as in a plan; all other needs, kinds and hosts are random.
static struct trial *make_random(unsigned seed)
{
	static const enum vg_step_kind kinds[] = {VG_STEP_NET_CONVERGE, VG_STEP_VOLUME_CREATE,
		VG_STEP_VOLUME_RESIZE, VG_STEP_MACHINE_DEFINE, VG_STEP_MACHINE_START};
	struct trial *trial = new_trial(1 + seed % STEPS_MAX, 1 + seed % 3);
	for (size_t i = 0; i < trial->n_steps; i++) {
		struct vg_step *step = &trial->steps[i];
		trial->fails[i] = rand_r(&seed) % 12 == 0;
		if (i && step[-1].kind == VG_STEP_MACHINE_START && rand_r(&seed) % 4) {
			step->kind = VG_STEP_NODE_READY;
			step->host = step[-1].host;
			trial->has_ready[i - 1] = true;
			add_need(trial, i, i - 1);
			continue;
		}
		step->kind = kinds[rand_r(&seed) % VG_LENGTH(kinds)];
		step->host = rand_r(&seed) % HOSTS;
		for (size_t k = 0; k < i; k++) {
			if (rand_r(&seed) % 8 == 0)
				add_need(trial, i, k);
		}
	}
	if (seed % 5 == 0)
		trial->interrupts_at = rand_r(&seed) % trial->n_steps;
	return trial;
}

// A step runs once or is skipped, and is skipped exactly when something it needs failed or was
// skipped, or when the user stopped.
static void check_outcomes(struct trial *trial, const enum vg_outcome *outcomes)
{
	for (size_t i = 0; i < trial->n_steps; i++) {
		bool is_blocked = false;
		for (size_t k = 0; k < trial->steps[i].n_needs; k++)
			is_blocked |= outcomes[trial->needs[i][k]] != VG_OUTCOME_DONE;
		bool is_skipped = outcomes[i] == VG_OUTCOME_SKIPPED;
		assert_int_equal(atomic_load(&trial->runs[i]), is_skipped ? 0 : 1);
		assert_true(is_skipped || !is_blocked);
		assert_true(!is_skipped || is_blocked || atomic_load(&trial->interrupts));
		if (!is_skipped)
			assert_int_equal(
				outcomes[i], trial->fails[i] ? VG_OUTCOME_FAILED : VG_OUTCOME_DONE);
	}
	assert_false(atomic_load(&trial->broke_order));
	assert_false(atomic_load(&trial->broke_limit));
}

static void in_random_graphs_each_ready_step_runs_once_and_none_after_a_failed_need(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= GRAPHS; seed++) {
		struct trial *trial = make_random(seed);
		enum vg_outcome outcomes[STEPS_MAX];
		_auto(vg_error) struct vg_error *error = execute(trial, outcomes);
		check_outcomes(trial, outcomes);
		bool all_done = true;
		for (size_t i = 0; i < trial->n_steps; i++)
			all_done &= outcomes[i] == VG_OUTCOME_DONE;
		assert_int_equal(error == NULL, all_done);
		if (error && !atomic_load(&trial->interrupts))
			assert_int_equal(vg_error_kind(error), VG_ERROR_FAILED);
		free(trial);
	}
}

// Starts on one host, each with its ready.
static struct trial *make_boots(size_t n_steps, unsigned n_booting)
{
	struct trial *trial = new_trial(n_steps, n_booting);
	for (size_t i = 0; i < n_steps; i += 2) {
		trial->steps[i].kind = VG_STEP_MACHINE_START;
		trial->steps[i + 1].kind = VG_STEP_NODE_READY;
		trial->has_ready[i] = true;
		add_need(trial, i + 1, i);
	}
	return trial;
}

static void no_more_guests_boot_at_once_than_the_host_allows(void **state)
{
	(void)state;
	struct trial *trial = make_boots(40, 2);
	trial->fails[6] = true; // a start that fails gives its place back
	_auto(vg_error) struct vg_error *error = execute(trial, NULL);
	assert_non_null(error);
	assert_false(atomic_load(&trial->broke_limit));
	assert_int_equal(atomic_load(&trial->runs[39]), 1);
	free(trial);
}

static void a_boot_that_nobody_waits_for_any_more_gives_its_place_back(void **state)
{
	(void)state;
	struct trial *trial = make_boots(40, 1);
	// All readies but the last need the first step too, which fails before or after their
	// starts.
	trial->steps[0].kind = VG_STEP_VOLUME_CREATE;
	trial->fails[0] = true;
	for (size_t i = 3; i < 39; i += 2)
		add_need(trial, i, 0);
	_auto(vg_error) struct vg_error *error = execute(trial, NULL);
	assert_non_null(error);
	for (size_t i = 2; i < 40; i += 2)
		assert_int_equal(atomic_load(&trial->runs[i]), 1);
	assert_int_equal(atomic_load(&trial->runs[37]), 0);
	assert_int_equal(atomic_load(&trial->runs[39]), 1);
	free(trial);
}

static struct vg_error *count(const struct vg_step *step, void *data)
{
	(void)step;
	atomic_fetch_add((atomic_size_t *)data, 1);
	return NULL;
}

static void a_hundred_thousand_steps_that_are_ready_at_once_cost_no_more_each(void **state)
{
	(void)state;
	struct vg_step *steps = vg_alloc(MANY * sizeof(*steps));
	static const size_t first[] = {0};
	for (size_t i = 0; i < MANY; i++)
		steps[i] = (struct vg_step){
			.kind = i % 2 ? VG_STEP_VOLUME_CREATE : VG_STEP_MACHINE_DEFINE,
			.needs = first,
			.n_needs = i ? 1 : 0};
	const unsigned booting[] = {8};
	atomic_size_t n_runs = 0;
	const struct vg_execution execution = {.steps = steps,
		.n_steps = MANY,
		.n_hosts = 1,
		.n_booting = booting,
		.run = count,
		.data = &n_runs};
	clock_t begin_at = clock();
	assert_null(vg_execute(&execution));
	assert_int_equal(atomic_load(&n_runs), MANY);
	assert_in_range((clock() - begin_at) / CLOCKS_PER_SEC, 0, MANY_CPU_S - 1);
	free(steps);
}

struct lingering {
	atomic_bool was_told;
	atomic_size_t n_running;
};

static void note_lingering(const struct vg_step *step, size_t n_running, void *data)
{
	struct lingering *lingering = data;
	assert_non_null(step);
	atomic_store(&lingering->n_running, n_running);
	atomic_store(&lingering->was_told, true);
}

// A call that goes on until the user has been told of it.
static struct vg_error *linger(const struct vg_step *step, void *data)
{
	(void)step;
	struct lingering *lingering = data;
	while (!atomic_load(&lingering->was_told))
		sched_yield();
	return NULL;
}

static bool always(void *data)
{
	return atomic_load((atomic_bool *)data);
}

static atomic_bool user_has_stopped;

static struct vg_error *linger_from_now_on(const struct vg_step *step, void *data)
{
	atomic_store(&user_has_stopped, true);
	return linger(step, data);
}

static void who_stops_is_told_what_still_runs(void **state)
{
	(void)state;
	const struct vg_step step = {.kind = VG_STEP_VOLUME_CREATE};
	const unsigned booting[] = {1};
	struct lingering lingering = {0};
	const struct vg_execution execution = {.steps = &step,
		.n_steps = 1,
		.n_hosts = 1,
		.n_booting = booting,
		.run = linger_from_now_on,
		.lingers = note_lingering,
		.is_interrupted = always,
		.interrupted_data = &user_has_stopped,
		.data = &lingering};
	assert_null(vg_execute(&execution));
	assert_int_equal(atomic_load(&lingering.n_running), 1);
}

static void an_interrupted_execution_begins_nothing_more_and_says_so(void **state)
{
	(void)state;
	struct trial *trial = new_trial(20, 2);
	trial->interrupts = true;
	enum vg_outcome outcomes[STEPS_MAX];
	_auto(vg_error) struct vg_error *error = execute(trial, outcomes);
	assert_int_equal(vg_error_kind(error), VG_ERROR_INTERRUPTED);
	for (size_t i = 0; i < trial->n_steps; i++)
		assert_int_equal(outcomes[i], VG_OUTCOME_SKIPPED);
	free(trial);
}

static void an_empty_plan_is_done_at_once(void **state)
{
	(void)state;
	struct trial *trial = new_trial(0, 1);
	assert_null(execute(trial, NULL));
	free(trial);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			in_random_graphs_each_ready_step_runs_once_and_none_after_a_failed_need),
		cmocka_unit_test(no_more_guests_boot_at_once_than_the_host_allows),
		cmocka_unit_test(a_boot_that_nobody_waits_for_any_more_gives_its_place_back),
		cmocka_unit_test(a_hundred_thousand_steps_that_are_ready_at_once_cost_no_more_each),
		cmocka_unit_test(who_stops_is_told_what_still_runs),
		cmocka_unit_test(an_interrupted_execution_begins_nothing_more_and_says_so),
		cmocka_unit_test(an_empty_plan_is_done_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
