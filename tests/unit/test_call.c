// SPDX-License-Identifier: Apache-2.0
//
// Claims about base/call.h: calls that hang, that come late, and that do neither.
#include "tests/unit/test.h"

#include <sched.h>
#include <string.h>
#include <time.h>

#include "base/call.h"
#include "base/memory.h"

enum { SHORT_MS = 50, LONG_MS = 60 * 1000, CALLS = 2000 };

struct call {
	struct vg_call call;
	atomic_bool *may_end; // NULL: at once
	char *argument, *result;
};

static atomic_int n_living;

static void done(struct vg_call *base)
{
	struct call *call = (struct call *)base;
	free(call->argument);
	free(call->result);
	atomic_fetch_sub(&n_living, 1);
}

static struct vg_error *act(struct vg_call *base)
{
	struct call *call = (struct call *)base;
	while (call->may_end && !atomic_load(call->may_end))
		sched_yield();
	call->result = vg_strdup(call->argument);
	return strcmp(call->argument, "fail") == 0 ? vg_error_new("it fails") : NULL;
}

static const struct vg_operation changes = {"compute.start", "the hypervisor", 60, false, act};
static const struct vg_operation looks = {"compute.observe", "the hypervisor", 60, true, act};

static struct vg_call *new_call(struct vg_call_line *line, const struct vg_operation *operation,
	const char *argument, atomic_bool *may_end)
{
	struct call *call = vg_new(struct call);
	call->call = (struct vg_call){.operation = operation, .line = line, .done = done};
	call->argument = vg_strdup(argument);
	call->may_end = may_end;
	atomic_fetch_add(&n_living, 1);
	return &call->call;
}

static uint64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void a_call_yields_its_own_result_or_error(void **state)
{
	(void)state;
	const struct vg_call_rules rules = {.limit_ms = LONG_MS};
	struct vg_call_line line = {.rules = &rules, .host = "h1"};
	for (size_t i = 0; i < CALLS; i++) {
		_auto(vg_call) struct vg_call *good = new_call(&line, &changes, "word", NULL);
		assert_null(vg_call_make(&good, 0));
		assert_string_equal(((struct call *)good)->result, "word");
		_auto(vg_call) struct vg_call *bad = new_call(&line, &changes, "fail", NULL);
		_auto(vg_error) struct vg_error *error = vg_call_make(&bad, 0);
		assert_string_equal(vg_error_text(error), "it fails");
	}
	assert_int_equal(atomic_load(&n_living), 0);
	assert_false(vg_call_is_owed());
}

static void a_call_that_hangs_is_given_up_and_may_come_back_late(void **state)
{
	(void)state;
	const struct vg_call_rules rules = {.limit_ms = SHORT_MS};
	struct vg_call_line line = {.rules = &rules, .host = "h1"};
	atomic_bool may_end = false;
	struct vg_call *call = new_call(&line, &changes, "word", &may_end);
	_auto(vg_error) struct vg_error *error = vg_call_make(&call, 0);
	assert_null(call);
	assert_int_equal(vg_error_kind(error), VG_ERROR_TIMEOUT);
	assert_string_equal(vg_error_text(error),
		"no answer from the hypervisor of 'h1' within 50ms; it may still be carried out");
	assert_true(vg_call_is_owed());
	assert_int_equal(atomic_load(&line.n_owed), 1);
	atomic_store(&may_end, true);
	while (vg_call_is_owed())
		sched_yield();
	assert_int_equal(atomic_load(&line.n_owed), 0);
	assert_int_equal(atomic_load(&n_living), 0);
}

static void a_look_that_hangs_changes_nothing_later(void **state)
{
	(void)state;
	const struct vg_call_rules rules = {.limit_ms = SHORT_MS};
	struct vg_call_line line = {.rules = &rules, .host = "h1"};
	atomic_bool may_end = false;
	struct vg_call *call = new_call(&line, &looks, "word", &may_end);
	_auto(vg_error) struct vg_error *error = vg_call_make(&call, 0);
	assert_string_equal(
		vg_error_text(error), "no answer from the hypervisor of 'h1' within 50ms");
	atomic_store(&may_end, true);
	while (vg_call_is_owed())
		sched_yield();
}

static void a_backend_that_owes_an_answer_is_given_less_time(void **state)
{
	(void)state;
	const struct vg_call_rules rules = {.limit_ms = 1000};
	struct vg_call_line line = {.rules = &rules, .host = "h1"};
	atomic_bool may_end = false;
	uint64_t begin = now_ms();
	for (size_t i = 0; i < 4; i++) {
		struct vg_call *call = new_call(&line, &looks, "word", &may_end);
		vg_error_ignore(vg_call_make(&call, 0));
		assert_null(call);
	}
	assert_in_range(now_ms() - begin, 1000, 3000);
	atomic_store(&may_end, true);
	while (vg_call_is_owed())
		sched_yield();
}

static void what_a_call_waits_itself_comes_on_top(void **state)
{
	(void)state;
	const struct vg_call_rules rules = {.limit_ms = 1};
	struct vg_call_line line = {.rules = &rules, .host = "h1"};
	atomic_bool may_end = false;
	uint64_t begin = now_ms();
	struct vg_call *call = new_call(&line, &looks, "word", &may_end);
	vg_error_ignore(vg_call_make(&call, 200));
	assert_true(now_ms() - begin >= 200);
	atomic_store(&may_end, true);
	while (vg_call_is_owed())
		sched_yield();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_yields_its_own_result_or_error),
		cmocka_unit_test(a_call_that_hangs_is_given_up_and_may_come_back_late),
		cmocka_unit_test(a_look_that_hangs_changes_nothing_later),
		cmocka_unit_test(a_backend_that_owes_an_answer_is_given_less_time),
		cmocka_unit_test(what_a_call_waits_itself_comes_on_top),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
