// SPDX-License-Identifier: Apache-2.0
//
// Claims about the executor, on steps that do nothing but note that they ran.
#include "tests/unit/test.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/memory.h"
#include "orchestrator/run/executor.h"

enum { STEPS_MAX = 60, GRAPHS = 1000 };

struct trial {
	struct vg_step steps[STEPS_MAX];
	size_t needs[STEPS_MAX][STEPS_MAX];
	size_t n_steps;
	bool fails[STEPS_MAX];
	atomic_int runs[STEPS_MAX];
	atomic_bool done[STEPS_MAX];
	atomic_bool broke_order;
	atomic_int booting, booting_most, n_failures;
	atomic_bool interrupts;
};

static struct vg_error *run(const struct vg_step *step, void *data)
{
	struct trial *trial = data;
	size_t number = (size_t)(step - trial->steps);
	atomic_fetch_add(&trial->runs[number], 1);
	for (size_t k = 0; k < step->n_needs; k++) {
		if (!atomic_load(&trial->done[step->needs[k]]))
			atomic_store(&trial->broke_order, true);
	}
	if (step->kind == VG_STEP_MACHINE_START) {
		int now = atomic_fetch_add(&trial->booting, 1) + 1;
		if (now > atomic_load(&trial->booting_most))
			atomic_store(&trial->booting_most, now);
	}
	if (step->kind == VG_STEP_NODE_READY)
		atomic_fetch_sub(&trial->booting, 1);
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

static struct vg_error *execute(struct trial *trial, unsigned n_booting, enum vg_outcome *outcomes)
{
	const unsigned booting[2] = {n_booting, n_booting};
	const struct vg_execution execution = {.steps = trial->steps,
		.n_steps = trial->n_steps,
		.n_hosts = 2,
		.n_booting = booting,
		.run = run,
		.failed = failed,
		.is_interrupted = is_interrupted,
		.interrupted_data = trial,
		.data = trial,
		.outcomes = outcomes};
	return vg_execute(&execution);
}

static void make_random(struct trial *trial, unsigned seed)
{
	trial->n_steps = 1 + seed % STEPS_MAX;
	for (size_t i = 0; i < trial->n_steps; i++) {
		struct vg_step *step = &trial->steps[i];
		step->kind = VG_STEP_VOLUME_CREATE;
		step->host = rand_r(&seed) % 2;
		step->needs = trial->needs[i];
		for (size_t k = 0; k < i; k++) {
			if (rand_r(&seed) % 8 == 0)
				trial->needs[i][step->n_needs++] = k;
		}
		trial->fails[i] = rand_r(&seed) % 12 == 0;
	}
}

// A step must be skipped exactly when something it needs failed or was skipped.
static void check_outcomes(struct trial *trial, const enum vg_outcome *outcomes)
{
	for (size_t i = 0; i < trial->n_steps; i++) {
		bool is_blocked = false;
		for (size_t k = 0; k < trial->steps[i].n_needs; k++)
			is_blocked |= outcomes[trial->needs[i][k]] != VG_OUTCOME_DONE;
		assert_int_equal(atomic_load(&trial->runs[i]), is_blocked ? 0 : 1);
		enum vg_outcome wanted = is_blocked	  ? VG_OUTCOME_SKIPPED
					 : trial->fails[i] ? VG_OUTCOME_FAILED
							   : VG_OUTCOME_DONE;
		assert_int_equal(outcomes[i], wanted);
	}
	assert_false(atomic_load(&trial->broke_order));
}

static void in_random_graphs_each_ready_step_runs_once_and_none_after_a_failed_need(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= GRAPHS; seed++) {
		struct trial *trial = vg_new(struct trial);
		enum vg_outcome outcomes[STEPS_MAX];
		make_random(trial, seed);
		_auto(vg_error) struct vg_error *error = execute(trial, 4, outcomes);
		check_outcomes(trial, outcomes);
		bool any_failed = atomic_load(&trial->n_failures) > 0;
		assert_int_equal(error != NULL, any_failed);
		free(trial);
	}
}

static void no_more_guests_boot_at_once_than_the_host_allows(void **state)
{
	(void)state;
	struct trial *trial = vg_new(struct trial);
	trial->n_steps = 40;
	for (size_t i = 0; i < trial->n_steps; i += 2) {
		trial->steps[i].kind = VG_STEP_MACHINE_START;
		trial->steps[i + 1].kind = VG_STEP_NODE_READY;
		trial->steps[i + 1].needs = trial->needs[i + 1];
		trial->needs[i + 1][0] = i;
		trial->steps[i + 1].n_needs = 1;
	}
	trial->fails[6] = true; // a start that fails gives its place back
	_auto(vg_error) struct vg_error *error = execute(trial, 2, NULL);
	assert_non_null(error);
	assert_in_range(atomic_load(&trial->booting_most), 1, 3);
	assert_int_equal(atomic_load(&trial->runs[39]), 1);
	free(trial);
}

static void an_interrupted_execution_begins_nothing_more_and_says_so(void **state)
{
	(void)state;
	struct trial *trial = vg_new(struct trial);
	trial->n_steps = 20;
	trial->interrupts = true;
	enum vg_outcome outcomes[STEPS_MAX];
	_auto(vg_error) struct vg_error *error = execute(trial, 2, outcomes);
	assert_int_equal(vg_error_kind(error), VG_ERROR_INTERRUPTED);
	for (size_t i = 0; i < trial->n_steps; i++)
		assert_int_equal(outcomes[i], VG_OUTCOME_SKIPPED);
	free(trial);
}

static void an_empty_plan_is_done_at_once(void **state)
{
	(void)state;
	struct trial *trial = vg_new(struct trial);
	assert_null(execute(trial, 1, NULL));
	free(trial);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			in_random_graphs_each_ready_step_runs_once_and_none_after_a_failed_need),
		cmocka_unit_test(no_more_guests_boot_at_once_than_the_host_allows),
		cmocka_unit_test(an_interrupted_execution_begins_nothing_more_and_says_so),
		cmocka_unit_test(an_empty_plan_is_done_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
