// SPDX-License-Identifier: Apache-2.0
//
// Claims about how results of a grid's tests are judged and printed: table, TAP, JUnit.
#include "tests/unit/test.h"

#include "orchestrator/cli/tests_print.h"

static const struct vg_node head = {.name = "head"}, worker = {.name = "worker-0"};
static const struct vg_test good_test = {.name = "it is # good"};
static const struct vg_test bad_test = {.name = "<bad>", .place = {"t.yaml", 7, 5}};

// One test that passed and one that failed on one of two nodes.
static struct vg_text printed(
	void (*add)(struct vg_text *text, const struct vg_test_result *results))
{
	struct vg_test_outcome good[] = {{.node = &head, .is_good = true, .n_tries = 1}};
	struct vg_test_outcome bad[] = {{.node = &head, .is_good = true, .n_tries = 1},
		{.node = &worker,
			.why = (char *)"exit status 1",
			.output = (char *)"a \"b\" & c\033\nd\n",
			.n_tries = 3}};
	struct vg_test_result results[] = {{.test = &good_test,
						   .is_good = true,
						   .took_ms = 1500,
						   .outcomes = good,
						   .n_outcomes = 1},
		{.test = &bad_test, .took_ms = 2000, .outcomes = bad, .n_outcomes = 2}};
	struct vg_text text = {0};
	add(&text, results);
	return text;
}

static void add_table(struct vg_text *text, const struct vg_test_result *results)
{
	vg_tests_add_table(text, results, 2);
}

static void add_tap(struct vg_text *text, const struct vg_test_result *results)
{
	vg_tests_add_tap(text, results, 2);
}

static void add_junit(struct vg_text *text, const struct vg_test_result *results)
{
	vg_tests_add_junit(text, "g&1", results, 2);
}

static void a_failed_test_shows_node_reason_output_and_place(void **state)
{
	(void)state;
	_auto(vg_text) struct vg_text text = printed(add_table);
	assert_string_equal(text.bytes, "ok    it is # good  (1 node, 1.5 s)\n"
					"FAIL  <bad>  (2 nodes, 2.0 s)\n"
					"      worker-0: exit status 1 (after 3 tries)\n"
					"        | a \"b\" & c?\n"
					"        | d\n"
					"      t.yaml:7\n"
					"1 of 2 tests passed\n");
}

static void tap_has_a_plan_and_escapes(void **state)
{
	(void)state;
	_auto(vg_text) struct vg_text text = printed(add_tap);
	assert_string_equal(text.bytes,
		"TAP version 14\n1..2\nok 1 - it is \\# good\nnot ok 2 - <bad>\n"
		"  ---\n  duration_ms: 2000\n  at: \"t.yaml:7\"\n  nodes:\n"
		"    - node: worker-0\n      message: \"exit status 1\"\n"
		"      output: \"a \\\"b\\\" & c\\x1b\\x0ad\\x0a\"\n  ...\n");
}

static void junit_counts_and_escapes(void **state)
{
	(void)state;
	_auto(vg_text) struct vg_text text = printed(add_junit);
	assert_non_null(strstr(text.bytes, "<testsuite name=\"g&amp;1\" tests=\"3\" failures=\"1\" "
					   "errors=\"0\" time=\"3.500\">"));
	assert_non_null(strstr(text.bytes, "classname=\"worker-0\" name=\"&lt;bad&gt;\""));
	assert_non_null(strstr(text.bytes, ">a &quot;b&quot; &amp; c?&#10;d&#10;</failure>"));
}

static void only_the_end_of_a_long_output_is_shown(void **state)
{
	(void)state;
	struct vg_text output = {0};
	for (int i = 0; i < 50; i++)
		vg_text_addf(&output, "line %d\n", i);
	struct vg_test_outcome outcome = {
		.node = &head, .why = (char *)"exit status 1", .output = output.bytes};
	struct vg_test_result result = {.test = &good_test, .outcomes = &outcome, .n_outcomes = 1};
	_auto(vg_text) struct vg_text text = {0};
	vg_tests_add_table(&text, &result, 1);
	assert_non_null(strstr(text.bytes, "        | ...\n        | line 30\n"));
	assert_non_null(strstr(text.bytes, "line 49\n"));
	assert_null(strstr(text.bytes, "line 29\n"));
	vg_text_done(&output);
}

static void an_expectation_is_searched_line_by_line(void **state)
{
	(void)state;
	_auto(vg_string) char *why = NULL;
	assert_true(vg_test_matches("^8$", "7\n8\n9\n", &why));
	assert_null(why);
	assert_false(vg_test_matches("^8$", "88\n", &why));
	assert_string_equal(why, "standard output does not match '^8$'");
	free(vg_take(why));
	assert_false(vg_test_matches("(", "", &why));
	assert_non_null(strstr(why, "is no POSIX extended regular expression: a '(' has no ')'"));
}

static void an_expectation_that_takes_too_long_is_not_met_and_says_so(void **state)
{
	(void)state;
	_auto(vg_string) char *why = NULL;
	_auto(vg_string) char *output = vg_alloc((1 << 20) + 1);
	memset(output, 'a', 1 << 20);
	assert_false(vg_test_matches("(a|b)*a(a|b){20}c", output, &why));
	assert_string_equal(why, "standard output does not match '(a|b)*a(a|b){20}c'");
	free(vg_take(why));
	assert_false(vg_test_matches("[[:alpha:]]{4000}c", output, &why));
	assert_string_equal(
		why, "to look for '[[:alpha:]]{4000}c' in 1048576 bytes takes too long");
}

static void a_matrix_says_who_does_not_reach_whom(void **state)
{
	(void)state;
	const char *probed = NULL;
	assert_null(vg_test_read_reach("df\nend\n", &probed));
	assert_string_equal(probed, "full-size packets, not to be fragmented");
	assert_null(vg_test_read_reach("nodf\nend\n", &probed));
	assert_string_equal(probed, "full-size packets");
	_auto(vg_string) char *why = vg_test_read_reach(
		"df\nmtu a.lan\nname b.lan\nname c.lan\nrubbish\nend\n", &probed);
	assert_string_equal(why, "does not reach b.lan, c.lan; no full-size packets to a.lan");
	_auto(vg_string) char *broken = vg_test_read_reach("sh: not found\n", &probed);
	assert_string_equal(broken, "the probe did not run to its end");
	_auto(vg_string) char *half = vg_test_read_reach("df\n", &probed);
	assert_string_equal(half, "the probe did not run to its end");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_failed_test_shows_node_reason_output_and_place),
		cmocka_unit_test(tap_has_a_plan_and_escapes),
		cmocka_unit_test(junit_counts_and_escapes),
		cmocka_unit_test(only_the_end_of_a_long_output_is_shown),
		cmocka_unit_test(an_expectation_is_searched_line_by_line),
		cmocka_unit_test(an_expectation_that_takes_too_long_is_not_met_and_says_so),
		cmocka_unit_test(a_matrix_says_who_does_not_reach_whom),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
