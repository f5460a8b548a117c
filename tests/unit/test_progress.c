// SPDX-License-Identifier: Apache-2.0
//
// Claims about the display: pictures that fit the terminal, plain lines elsewhere.
#include "tests/unit/test.h"

#include <locale.h>

#include "base/text.h"
#include "orchestrator/report/frame.h"
#include "orchestrator/report/progress.h"
#include "orchestrator/report/table.h"

static struct vg_frame frame_of(const struct vg_frame_step *steps, size_t n_steps)
{
	return (struct vg_frame){.steps = steps,
		.n_steps = n_steps,
		.now_ms = 10000,
		.width = 40,
		.height = 10,
		.text_width = 12};
}

static void a_running_step_shows_what_it_does_and_since_when(void **state)
{
	(void)state;
	const struct vg_frame_step steps[] = {
		{1, (char *)"head: start", NULL, VG_FRAME_GOOD, 6000, 7250},
		{2, (char *)"node: start", (char *)"the agent", VG_FRAME_RUNNING, 8000, 0}};
	struct vg_frame frame = frame_of(steps, 2);
	frame.done = 1;
	frame.total = 2;
	_auto(vg_text) struct vg_text text = {0};
	assert_int_equal(vg_frame_draw(&frame, &text), 3);
	assert_string_equal(text.bytes, "  + head: start     1.2s\033[K\n"
					"  | node: start     2.0s  the agent\033[K\n"
					"    1 of 2 steps\033[K\n");
}

static void no_line_is_wider_than_the_terminal(void **state)
{
	(void)state;
	const struct vg_frame_step steps[] = {{1, (char *)"a name that is far too long for it",
		(char *)"x", VG_FRAME_RUNNING, 0, 0}};
	for (unsigned width = 1; width < 60; width++) {
		struct vg_frame frame = frame_of(steps, 1);
		frame.width = width;
		frame.text_width = 34;
		_auto(vg_text) struct vg_text text = {0};
		vg_frame_draw(&frame, &text);
		size_t shown = strcspn(text.bytes, "\033");
		assert_true(width < 14 || shown < width);
	}
}

static void ten_thousand_steps_fit_the_terminal(void **state)
{
	(void)state;
	enum { N = 10000 };
	struct vg_frame_step *steps = vg_alloc(N * sizeof(*steps));
	for (size_t i = 0; i < N; i++)
		steps[i] = (struct vg_frame_step){
			(unsigned)i, (char *)"step", NULL, VG_FRAME_RUNNING, 0, 0};
	struct vg_frame frame = frame_of(steps, N);
	frame.total = N;
	frame.n_folded = 3;
	_auto(vg_text) struct vg_text text = {0};
	assert_in_range(vg_frame_draw(&frame, &text), 5, 9);
	assert_non_null(strstr(text.bytes, "more"));
	free(steps);
}

static void control_characters_of_others_do_not_reach_the_terminal(void **state)
{
	(void)state;
	_auto(vg_text) struct vg_text text = {0};
	vg_frame_add_cut(&text, "a\033[2Jb\tc\xff", 20);
	assert_string_equal(text.bytes, "a [2Jb c?");
}

static void wide_characters_count_double(void **state)
{
	(void)state;
	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		vg_test_lacks("the locale C.UTF-8");
	_auto(vg_text) struct vg_text text = {0};
	vg_frame_add_cut(&text, "日本語", 5);
	assert_string_equal(text.bytes, "日本…");
	assert_int_equal(vg_frame_columns("é日"), 3);
	setlocale(LC_CTYPE, "C");
}

static char *shown(enum vg_progress_style style, void (*act)(struct vg_progress *progress))
{
	char *bytes = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&bytes, &size);
	struct vg_progress *progress = vg_progress_new(out, style);
	act(progress);
	vg_progress_free(progress);
	fclose(out);
	return bytes;
}

static void act(struct vg_progress *progress)
{
	vg_progress_say(progress, "Planning '%s'", "hello");
	unsigned one = vg_progress_begin(progress, "head: start");
	unsigned two = vg_progress_begin(progress, "node: start");
	vg_progress_note(progress, two, "the agent");
	vg_progress_end(progress, one, true);
	vg_progress_end(progress, two, false);
	vg_progress_end(progress, two, true);
}

static void without_a_terminal_there_are_plain_lines(void **state)
{
	(void)state;
	_auto(vg_string) char *plain = shown(VG_PROGRESS_PLAIN, act);
	assert_string_equal(
		plain, "Planning 'hello'\nhead: start (0.0s)\nnode: start: failed (0.0s)\n");
	_auto(vg_string) char *quiet = shown(VG_PROGRESS_QUIET, act);
	assert_string_equal(quiet, "");
	_auto(vg_string) char *verbose = shown(VG_PROGRESS_VERBOSE, act);
	assert_non_null(strstr(verbose, "node: start ...\n"));
}

static void what_has_ended_stays_on_the_terminal(void **state)
{
	(void)state;
	_auto(vg_string) char *live = shown(VG_PROGRESS_LIVE, act);
	const char *last = strrchr(live, '\033');
	assert_non_null(last);
	assert_non_null(strstr(live, "Planning 'hello'"));
	assert_non_null(strstr(live, "head: start"));
	assert_non_null(strstr(live, "node: start"));
}

static void a_table_aligns_and_shows_nothing_as_a_dash(void **state)
{
	(void)state;
	static const struct vg_column columns[] = {
		{.title = "NAME"}, {.title = "CPU", .is_right = true}};
	char *bytes = NULL;
	size_t size = 0;
	FILE *out = fopen("/dev/null", "w");
	_auto(vg_table) struct vg_table *table = vg_table_new(columns, 2);
	vg_table_row(table, (const char *const[]){"head", "1"});
	vg_table_row(table, (const char *const[]){"worker-0", NULL});
	vg_table_print(table, out);
	fclose(out);
	out = open_memstream(&bytes, &size);
	vg_table_print(table, out);
	fclose(out);
	assert_string_equal(bytes, "NAME      CPU\nhead        1\nworker-0    -\n");
	free(bytes);
}

int main(void)
{
	setenv("NO_COLOR", "1", 1);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_running_step_shows_what_it_does_and_since_when),
		cmocka_unit_test(no_line_is_wider_than_the_terminal),
		cmocka_unit_test(ten_thousand_steps_fit_the_terminal),
		cmocka_unit_test(control_characters_of_others_do_not_reach_the_terminal),
		cmocka_unit_test(wide_characters_count_double),
		cmocka_unit_test(without_a_terminal_there_are_plain_lines),
		cmocka_unit_test(what_has_ended_stays_on_the_terminal),
		cmocka_unit_test(a_table_aligns_and_shows_nothing_as_a_dash),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
