// SPDX-License-Identifier: Apache-2.0
#include "orchestrator/cli/tests_print.h"

#include <string.h>

enum { OUTPUT_LINES = 20 };

// The last lines of foreign bytes, each behind `indent`, control characters made visible.
static void add_output(struct vg_text *text, const char *output, const char *indent)
{
	size_t n_lines = 0;
	const char *start = output + strlen(output);
	while (start > output && (start[-1] != '\n' || !*start || ++n_lines < OUTPUT_LINES))
		start--;
	if (start > output)
		vg_text_addf(text, "%s...\n", indent);
	bool is_at_start = true;
	for (; *start; start++) {
		if (is_at_start)
			vg_text_add(text, indent);
		is_at_start = *start == '\n';
		unsigned char byte = (unsigned char)*start;
		if ((byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7f)
			vg_text_add(text, byte == '\r' ? "" : "?");
		else
			vg_text_add_bytes(text, start, 1);
	}
	if (!is_at_start)
		vg_text_add(text, "\n");
}

static void add_place(struct vg_text *text, const struct vg_test_result *result)
{
	struct vg_place place = result->test->place;
	if (place.line)
		vg_text_addf(text, "%s:%u", place.file, place.line);
}

void vg_tests_add_table(struct vg_text *text, const struct vg_test_result *results, size_t n)
{
	size_t n_failed = 0;
	for (size_t i = 0; i < n; i++) {
		const struct vg_test_result *result = &results[i];
		n_failed += !result->is_good;
		vg_text_addf(text, "%-4s  %s  (%zu %s, %.1f s%s%s)\n",
			result->is_good ? "ok" : "FAIL", result->test->name, result->n_outcomes,
			result->n_outcomes == 1 ? "node" : "nodes", (double)result->took_ms / 1000,
			result->probed ? ", " : "", result->probed ? result->probed : "");
		for (size_t k = 0; k < result->n_outcomes; k++) {
			const struct vg_test_outcome *outcome = &result->outcomes[k];
			if (outcome->is_good)
				continue;
			vg_text_addf(text, "      %s: %s", outcome->node->name, outcome->why);
			if (outcome->n_tries > 1)
				vg_text_addf(text, " (after %u tries)", outcome->n_tries);
			vg_text_add(text, "\n");
			if (outcome->output && !result->test->is_reach)
				add_output(text, outcome->output, "        | ");
		}
		if (!result->is_good && result->test->place.line) {
			vg_text_add(text, "      ");
			add_place(text, result);
			vg_text_add(text, "\n");
		}
	}
	vg_text_addf(text, "%zu of %zu tests passed\n", n - n_failed, n);
}

// TAP's descriptions end at a `#`, which is escaped as is the escape itself.
static void add_tap_text(struct vg_text *text, const char *more)
{
	for (; *more; more++) {
		if (*more == '#' || *more == '\\')
			vg_text_add(text, "\\");
		vg_text_add_bytes(text, *more == '\n' ? " " : more, 1);
	}
}

// A double-quoted YAML scalar.
static void add_yaml_text(struct vg_text *text, const char *more)
{
	vg_text_add(text, "\"");
	for (; *more; more++) {
		unsigned char byte = (unsigned char)*more;
		if (byte == '"' || byte == '\\')
			vg_text_addf(text, "\\%c", byte);
		else if (byte < 0x20 || byte == 0x7f)
			vg_text_addf(text, "\\x%02x", byte);
		else
			vg_text_add_bytes(text, more, 1);
	}
	vg_text_add(text, "\"\n");
}

void vg_tests_add_tap(struct vg_text *text, const struct vg_test_result *results, size_t n)
{
	vg_text_addf(text, "TAP version 14\n1..%zu\n", n);
	for (size_t i = 0; i < n; i++) {
		const struct vg_test_result *result = &results[i];
		vg_text_addf(text, "%sok %zu - ", result->is_good ? "" : "not ", i + 1);
		add_tap_text(text, result->test->name);
		vg_text_add(text, "\n");
		if (result->is_good)
			continue;
		vg_text_addf(text,
			"  ---\n  duration_ms: %llu\n  at: ", (unsigned long long)result->took_ms);
		_auto(vg_text) struct vg_text place = {0};
		add_place(&place, result);
		add_yaml_text(text, place.bytes ? place.bytes : "");
		vg_text_add(text, "  nodes:\n");
		for (size_t k = 0; k < result->n_outcomes; k++) {
			const struct vg_test_outcome *outcome = &result->outcomes[k];
			if (outcome->is_good)
				continue;
			vg_text_addf(text, "    - node: %s\n      message: ", outcome->node->name);
			add_yaml_text(text, outcome->why);
			vg_text_add(text, "      output: ");
			add_yaml_text(text, outcome->output ? outcome->output : "");
		}
		vg_text_add(text, "  ...\n");
	}
}

// XML 1.0 has no way to write most control characters; bytes that are no UTF-8 are replaced.
static void add_xml_text(struct vg_text *text, const char *more)
{
	bool is_utf8 = vg_text_is_utf8(more, strlen(more));
	for (; *more; more++) {
		unsigned char byte = (unsigned char)*more;
		if (byte == '&')
			vg_text_add(text, "&amp;");
		else if (byte == '<')
			vg_text_add(text, "&lt;");
		else if (byte == '>')
			vg_text_add(text, "&gt;");
		else if (byte == '"')
			vg_text_add(text, "&quot;");
		else if (byte == '\n' || byte == '\t')
			vg_text_addf(text, "&#%u;", byte);
		else if (byte < 0x20 || byte == 0x7f || (byte > 0x7f && !is_utf8))
			vg_text_add(text, "?");
		else
			vg_text_add_bytes(text, more, 1);
	}
}

static void add_junit_case(struct vg_text *text, const struct vg_test_result *result,
	const struct vg_test_outcome *outcome)
{
	vg_text_add(text, "    <testcase classname=\"");
	add_xml_text(text, outcome->node->name);
	vg_text_add(text, "\" name=\"");
	add_xml_text(text, result->test->name);
	vg_text_addf(text, "\" time=\"%.3f\"", (double)result->took_ms / 1000);
	if (outcome->is_good) {
		vg_text_add(text, "/>\n");
		return;
	}
	vg_text_add(text, ">\n      <failure message=\"");
	add_xml_text(text, outcome->why);
	vg_text_add(text, "\">");
	add_xml_text(text, outcome->output ? outcome->output : "");
	vg_text_add(text, "</failure>\n    </testcase>\n");
}

void vg_tests_add_junit(
	struct vg_text *text, const char *grid, const struct vg_test_result *results, size_t n)
{
	size_t n_cases = 0, n_failures = 0;
	uint64_t took_ms = 0;
	for (size_t i = 0; i < n; i++) {
		took_ms += results[i].took_ms;
		n_cases += results[i].n_outcomes;
		for (size_t k = 0; k < results[i].n_outcomes; k++)
			n_failures += !results[i].outcomes[k].is_good;
	}
	vg_text_add(text, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n"
			  "  <testsuite name=\"");
	add_xml_text(text, grid);
	vg_text_addf(text, "\" tests=\"%zu\" failures=\"%zu\" errors=\"0\" time=\"%.3f\">\n",
		n_cases, n_failures, (double)took_ms / 1000);
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < results[i].n_outcomes; k++)
			add_junit_case(text, &results[i], &results[i].outcomes[k]);
	}
	vg_text_add(text, "  </testsuite>\n</testsuites>\n");
}
