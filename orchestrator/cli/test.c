// SPDX-License-Identifier: Apache-2.0
//
// `vgrid test GRID`: the template's tests, on the grid as it runs.
#include "orchestrator/cli/verbs.h"

#include <stdio.h>
#include <string.h>

#include "orchestrator/cli/result.h"
#include "orchestrator/cli/tests_print.h"
#include "orchestrator/report/progress.h"

static struct vg_json *outcome_json(const struct vg_test_outcome *outcome)
{
	struct vg_json *json = vg_json_object();
	bool is_text = outcome->output && vg_text_is_utf8(outcome->output, strlen(outcome->output));
	vg_json_set_string(json, "node", outcome->node->name);
	vg_json_set_boolean(json, "is_good", outcome->is_good);
	vg_json_set_string(json, "why", outcome->why);
	vg_json_set_integer(json, "tries", outcome->n_tries);
	vg_json_set_string(json, "output", is_text ? outcome->output : NULL);
	return json;
}

static void print_json(const char *grid, const struct vg_test_result *results, size_t n)
{
	_auto(vg_json) struct vg_json *result = vg_result_new(&vg_verb_test);
	struct vg_json *tests = vg_json_array();
	for (size_t i = 0; i < n; i++) {
		struct vg_json *test = vg_json_object(), *nodes = vg_json_array();
		for (size_t k = 0; k < results[i].n_outcomes; k++)
			vg_json_push(nodes, outcome_json(&results[i].outcomes[k]));
		vg_json_set_string(test, "name", results[i].test->name);
		vg_json_set_boolean(test, "is_good", results[i].is_good);
		vg_json_set_integer(test, "took_ms", (int64_t)results[i].took_ms);
		vg_json_set(test, "nodes", nodes);
		vg_json_push(tests, test);
	}
	vg_json_set_string(result, "grid", grid);
	vg_json_set(result, "tests", tests);
	vg_result_print(result);
}

static void print(
	const struct vg_cli *cli, const char *grid, const struct vg_test_result *results, size_t n)
{
	const char *format = vg_cli_option(cli, "format");
	_auto(vg_text) struct vg_text text = {0};
	if (vg_cli_is_json(cli))
		print_json(grid, results, n);
	else if (format && strcmp(format, "tap") == 0)
		vg_tests_add_tap(&text, results, n);
	else if (format && strcmp(format, "junit") == 0)
		vg_tests_add_junit(&text, grid, results, n);
	else
		vg_tests_add_table(&text, results, n);
	fputs(text.bytes ? text.bytes : "", stdout);
}

static struct vg_error *run(const struct vg_cli *cli, struct vg_context *context, int *ret_status)
{
	_auto(vg_session) struct vg_session *session = NULL;
	struct vg_test_result *results = NULL;
	struct vg_error *error = vg_session_open(context, vg_cli_operand(cli, 0), NULL, &session);
	if (!error)
		error = vg_tests_run(session, &results);
	if (error)
		return error;
	size_t n = session->record->grid->n_tests;
	vg_progress_pause(context->progress);
	print(cli, session->record->name, results, n);
	for (size_t i = 0; i < n; i++) {
		if (!results[i].is_good)
			*ret_status = VG_EXIT_TESTS_FAILED;
	}
	vg_tests_done(results, n);
	return NULL;
}

static const struct vg_operand operands[] = {{.name = "GRID", .completion = VG_COMPLETE_GRID}, {0}};

static const struct vg_option options[] = {
	{.name = "format",
		.argument = VG_ARGUMENT_TEXT,
		.argument_name = "FORMAT",
		.help = "table (for people), tap (TAP 14) or junit (XML)",
		.completion = VG_COMPLETE_WORDS,
		.words = "table tap junit"},
	{0}};

static const struct vg_result_field fields[] = {
	{"grid", "string", "its name"},
	{"tests[].name", "string", "in the template"},
	{"tests[].is_good", "boolean", "it passed on every node"},
	{"tests[].took_ms", "integer", "milliseconds"},
	{"tests[].nodes[].node", "string", "where it ran"},
	{"tests[].nodes[].is_good", "boolean", "it passed there"},
	{"tests[].nodes[].why", "string?", "why it failed"},
	{"tests[].nodes[].tries", "integer", "how often it was tried within its time"},
	{"tests[].nodes[].output", "string?", "of the last try; null if it is no text"},
	{0},
};

const struct vg_command vg_verb_test = {
	.verb = "test",
	.summary = "run the tests of a grid's template",
	.help = "Runs the tests that stand in the template: each command on every node of its "
		"role, "
		"tried again until it succeeds or its time is over; and for `reach` every node of "
		"the "
		"network pings every other by name, small and with packets that fill the MTU. What "
		"failed is shown with its output. The exit code is 4 when a test failed.",
	.example = "$ vgrid test hello\n$ vgrid test hello --format junit > results.xml\n",
	.operands = operands,
	.options = options,
	.result = fields,
	.run = run,
};
