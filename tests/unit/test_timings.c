// SPDX-License-Identifier: Apache-2.0
//
// Claims about where the time went: on made-up spans, and on a clock that stands until it is
// turned.
#include "tests/unit/test.h"

#include "base/text.h"
#include "orchestrator/report/timings.h"

static uint64_t hands;

static uint64_t read_hands(void)
{
	return hands;
}

static struct vg_span span(
	enum vg_timed kind, const char *subject, uint64_t ready, uint64_t begun, uint64_t ended)
{
	return (struct vg_span){
		.kind = kind, .subject = subject, .ready = ready, .begun = begun, .ended = ended};
}

static void what_overlaps_is_counted_once_and_not_as_alone(void **state)
{
	(void)state;
	const struct vg_span spans[] = {
		span(VG_TIMED_DISK, "a", 0, 0, 10),
		span(VG_TIMED_DISK, "b", 0, 5, 20), // overlaps one of its own kind
		span(VG_TIMED_SEED, "a", 15, 15, 30),
	};
	_auto(vg_timings_sum) struct vg_timings_sum *sum =
		vg_timings_sum_up(spans, VG_LENGTH(spans), 0, 40);
	const struct vg_timed_sum *disks = &sum->kinds[VG_TIMED_DISK];
	assert_int_equal(disks->wall, 20);
	assert_int_equal(disks->alone, 15);
	assert_int_equal(disks->work, 25);
	assert_int_equal(disks->n_steps, 2);
	assert_int_equal(sum->kinds[VG_TIMED_SEED].wall, 15);
	assert_int_equal(sum->kinds[VG_TIMED_SEED].alone, 10);
	assert_int_equal(sum->total, 40);
	assert_int_equal(sum->other, 10);
}

static void waiting_is_from_ready_to_begun(void **state)
{
	(void)state;
	const struct vg_span spans[] = {span(VG_TIMED_START, "a", 3, 10, 12),
		span(VG_TIMED_START, "b", 12, 12, 14), span(VG_TIMED_START, "c", 12, 16, 17)};
	_auto(vg_timings_sum) struct vg_timings_sum *sum =
		vg_timings_sum_up(spans, VG_LENGTH(spans), 0, 17);
	assert_int_equal(sum->kinds[VG_TIMED_START].waited, 7 + 0 + 4);
}

static void the_slowest_come_first_and_only_so_many(void **state)
{
	(void)state;
	const struct vg_span spans[] = {span(VG_TIMED_BOOT, "b", 0, 0, 20),
		span(VG_TIMED_BOOT, "e", 0, 0, 5), span(VG_TIMED_BOOT, "a", 0, 0, 30),
		span(VG_TIMED_BOOT, "c", 0, 0, 20), span(VG_TIMED_BOOT, "d", 0, 0, 9)};
	_auto(vg_timings_sum) struct vg_timings_sum *sum =
		vg_timings_sum_up(spans, VG_LENGTH(spans), 0, 30);
	const struct vg_timed_sum *boots = &sum->kinds[VG_TIMED_BOOT];
	assert_int_equal(boots->n_slowest, VG_TIMINGS_SLOWEST);
	assert_string_equal(boots->slowest[0].subject, "a");
	assert_string_equal(boots->slowest[1].subject, "b");
	assert_string_equal(boots->slowest[2].subject, "c");
}

static void nothing_at_all_has_a_sum_too(void **state)
{
	(void)state;
	_auto(vg_timings_sum) struct vg_timings_sum *sum = vg_timings_sum_up(NULL, 0, 5, 12);
	assert_int_equal(sum->total, 7);
	assert_int_equal(sum->other, 7);
	assert_int_equal(sum->kinds[VG_TIMED_READ].wall, 0);
}

static void what_lies_outside_is_cut_off(void **state)
{
	(void)state;
	const struct vg_span spans[] = {
		span(VG_TIMED_READ, NULL, 0, 0, 15), span(VG_TIMED_RECORD, NULL, 0, 18, 30)};
	_auto(vg_timings_sum) struct vg_timings_sum *sum =
		vg_timings_sum_up(spans, VG_LENGTH(spans), 10, 20);
	assert_int_equal(sum->kinds[VG_TIMED_READ].wall, 5);
	assert_int_equal(sum->kinds[VG_TIMED_RECORD].wall, 2);
	assert_int_equal(sum->other, 3);
}

static void the_main_thread_does_one_thing_at_a_time(void **state)
{
	(void)state;
	hands = 100;
	_auto(vg_timings) struct vg_timings *timings =
		vg_timings_new(read_hands, 90, VG_TIMED_READ);
	assert_int_equal(vg_timings_turn(timings, VG_TIMED_OBSERVE), VG_TIMED_READ);
	hands = 103;
	assert_int_equal(vg_timings_turn(timings, VG_TIMED_NOTHING), VG_TIMED_OBSERVE);
	hands = 110; // others work meanwhile
	vg_timings_add(timings, &(struct vg_span){.kind = VG_TIMED_BOOT,
					.subject = "head",
					.host = "box-0",
					.place = {"grid.yaml", 7, 3},
					.ready = 103,
					.begun = 104,
					.ended = 110});
	assert_int_equal(vg_timings_turn(timings, VG_TIMED_READ), VG_TIMED_NOTHING);
	hands = 112;
	_auto(vg_timings_sum) struct vg_timings_sum *sum = vg_timings_sum(timings);
	assert_int_equal(sum->total, 22);
	assert_int_equal(sum->kinds[VG_TIMED_READ].wall, 10 + 2);
	assert_int_equal(sum->kinds[VG_TIMED_READ].n_steps, 0);
	assert_int_equal(sum->kinds[VG_TIMED_OBSERVE].wall, 3);
	assert_int_equal(sum->kinds[VG_TIMED_BOOT].wall, 6);
	assert_int_equal(sum->other, 1);
	_auto(vg_json) struct vg_json *json = vg_timings_to_json(sum);
	_auto(vg_string) char *text = vg_json_write(json);
	assert_non_null(strstr(text, "\"place\":\"grid.yaml:7:3\""));
	assert_non_null(strstr(text, "\"what\":\"head\",\"host\":\"box-0\""));
}

static void nothing_is_kept_for_who_does_not_ask(void **state)
{
	(void)state;
	assert_int_equal(vg_timings_now(NULL), 0);
	assert_int_equal(vg_timings_turn(NULL, VG_TIMED_READ), VG_TIMED_NOTHING);
	vg_timings_add(NULL, &(struct vg_span){.kind = VG_TIMED_READ});
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_overlaps_is_counted_once_and_not_as_alone),
		cmocka_unit_test(waiting_is_from_ready_to_begun),
		cmocka_unit_test(the_slowest_come_first_and_only_so_many),
		cmocka_unit_test(nothing_at_all_has_a_sum_too),
		cmocka_unit_test(what_lies_outside_is_cut_off),
		cmocka_unit_test(the_main_thread_does_one_thing_at_a_time),
		cmocka_unit_test(nothing_is_kept_for_who_does_not_ask),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
