// SPDX-License-Identifier: Apache-2.0
//
// Claims about the topology hash: what it is blind to, and what it sees.
#include "tests/unit/test.h"

#include "base/text.h"
#include "templates/template.h"

static const char base[] =
	"vgrid: 1\nname: t\n"
	"parameters: {n: {type: integer, default: 2}, s: {type: string, default: x}}\n"
	"images: {b: {builtin: tiny}}\n"
	"networks: {lan: {cidr: 10.9.0.0/24}, wan: {cidr: 10.8.0.0/24}}\n"
	"roles:\n"
	"  h: {image: b, memory: 256MiB, disks: {d: {size: 1GiB, mount: /d}}, nics: [lan, wan]}\n"
	"  w: {image: b, count: \"${n}\", nics: {lan: {rate: 1Mbit}}, env: {A: \"${s}\"}, after: "
	"[h]}\n"
	"tests: [{name: a, on: w, run: \"true\", within: 60s}]\n";

// The hash of a text, "" if it has faults.
static void hash_of(const char *text, char ret_hash[65])
{
	_auto(vg_findings) struct vg_findings findings = {0};
	_auto(vg_template) struct vg_template *template = NULL;
	assert_null(vg_template_read_text("t.yaml", text, strlen(text), &findings, &template));
	if (findings.n_found)
		vg_template_print_findings(template, &findings, stderr);
	assert_int_equal(findings.n_found, 0);
	snprintf(ret_hash, 65, "%s", vg_template_topology_hash(template));
	assert_int_equal(strlen(ret_hash), 64);
}

// The base with one spelling replaced by another.
static bool is_blind_to(const char *before, const char *after)
{
	const char *at = strstr(base, before);
	assert_non_null(at);
	_auto(vg_text) struct vg_text text = {0};
	vg_text_add_bytes(&text, base, (size_t)(at - base));
	vg_text_add(&text, after);
	vg_text_add(&text, at + strlen(before));
	char one[65], other[65];
	hash_of(base, one);
	hash_of(text.bytes, other);
	return strcmp(one, other) == 0;
}

static void quanta_and_values_of_parameters_are_not_in_it(void **state)
{
	(void)state;
	assert_true(is_blind_to("memory: 256MiB", "memory: 8GiB, cpu: 4, cpu-limit: 2"));
	assert_true(is_blind_to("size: 1GiB", "size: 9GiB"));
	assert_true(is_blind_to("rate: 1Mbit", "rate: 2Mbit"));
	assert_true(is_blind_to("count: \"${n}\"", "count: 7"));
	assert_true(is_blind_to("default: 2", "default: 3, min: 1, max: 9"));
	assert_true(is_blind_to("default: x", "default: y"));
	assert_true(is_blind_to("after: [h]", "after: [h], place: {spread: rack}"));
	assert_true(is_blind_to("tests:", "lease: 2h\ntests:"));
	assert_true(is_blind_to("tests:", "profiles: {p: {parameters: {n: 9}}}\ntests:"));
}

static void order_comments_style_and_defaults_are_not_in_it(void **state)
{
	(void)state;
	assert_true(is_blind_to("vgrid: 1\nname: t\n", "# hello\n'name': \"t\"\nvgrid: 1\n"));
	assert_true(is_blind_to("lan: {cidr: 10.9.0.0/24}, wan: {cidr: 10.8.0.0/24}",
		"wan: {cidr: 10.8.0.0/24, mtu: 1450}, lan: {cidr: 10.9.0.0/24}"));
	assert_true(is_blind_to("nics: [lan, wan]", "nics: {wan: , lan: {}}"));
	assert_true(is_blind_to("within: 60s", "within: 1m"));
	assert_true(is_blind_to(", within: 60s", ""));
	assert_true(is_blind_to("image: b, memory", "image: b, env: {}, ready: {}, memory"));
}

static void everything_else_is_in_it(void **state)
{
	(void)state;
	assert_false(is_blind_to("name: t", "name: u"));
	assert_false(is_blind_to("builtin: tiny", "file: tiny.raw"));
	assert_false(is_blind_to("10.8.0.0/24", "10.7.0.0/24"));
	assert_false(is_blind_to("10.8.0.0/24", "10.8.0.0/24, mtu: 1400"));
	assert_false(is_blind_to("mount: /d", "mount: /e"));
	assert_false(is_blind_to(", mount: /d", ""));
	assert_false(is_blind_to("nics: [lan, wan]", "nics: [lan]"));
	assert_false(is_blind_to("nics: [lan, wan]", "nics: [wan, lan]"));
	assert_false(is_blind_to("count: \"${n}\", ", ""));
	assert_false(is_blind_to("A: \"${s}\"", "A: x"));
	assert_false(is_blind_to("A: \"${s}\"", "B: \"${s}\""));
	assert_false(is_blind_to(", after: [h]", ""));
	assert_false(is_blind_to("run: \"true\"", "run: \"false\""));
	assert_false(is_blind_to("type: string", "type: choice, of: [x]"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quanta_and_values_of_parameters_are_not_in_it),
		cmocka_unit_test(order_comments_style_and_defaults_are_not_in_it),
		cmocka_unit_test(everything_else_is_in_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
