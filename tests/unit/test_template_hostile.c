// SPDX-License-Identifier: Apache-2.0
//
// Claims about templates that mean harm: no crash, no long wait, nothing said but findings.
#include "tests/unit/test.h"

#include <fcntl.h>
#include <time.h>

#include "base/memory.h"
#include "base/text.h"
#include "templates/template.h"

enum { REPEATS = 100000 };

// Reads a text of any kind; returns how many faults were found. Slower than a second under a
// sanitizer counts as harm.
static size_t faults_of(const char *text, size_t size)
{
	_auto(vg_findings) struct vg_findings findings = {0};
	_auto(vg_template) struct vg_template *template = NULL;
	clock_t start = clock();
	_auto(vg_error) struct vg_error *error =
		vg_template_read_text("t.yaml", text, size, &findings, &template);
	double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
	if (seconds > 5)
		fail_msg("%.40s…: %.1f s", text, seconds);
	if (error)
		return 1;
	char *printed = NULL;
	size_t n_printed;
	FILE *out = open_memstream(&printed, &n_printed);
	vg_template_print_findings(template, &findings, out);
	fclose(out);
	assert_true(vg_text_is_utf8(printed, n_printed));
	for (size_t i = 0; i < n_printed; i++)
		assert_true((unsigned char)printed[i] >= 0x20 || printed[i] == '\n');
	free(printed);
	return findings.n_found;
}

static char *repeat(const char *head, const char *body, size_t n, const char *tail)
{
	struct vg_text text = {0};
	vg_text_add(&text, head);
	for (size_t i = 0; i < n && text.length < VG_TEMPLATE_SIZE_MAX - 100; i++)
		vg_text_add(&text, body);
	vg_text_add(&text, tail);
	return vg_text_take(&text);
}

static void nesting_repetition_and_bombs_are_faults_within_a_moment(void **state)
{
	(void)state;
	static const struct {
		const char *head, *body, *tail;
	} cases[] = {{"", "[", ""}, {"", "{a: ", ""}, {"", "- ", ""}, {"", "? ", ""},
		{"a: ", "&a ", ""}, {"", "a: &a\n", ""}, {"a: [&x 1", ", *x", "]"}, {"", "{", ""},
		{"", "[a: ", ""}, {"", "- a\n", ""}, {"", "a: b\n", ""}, {"", "---\n", ""},
		{"", "# c\n", ""}, {"", "\n", ""}, {"a: |\n", "  x\n", ""},
		{"a: \"", "\\u0041", "\""}, {"a: \"", "\\x00", "\""}, {"", "%TAG !a! b\n", ""},
		{"", "!<", ""}, {"vgrid: 1\nname: ", "a", ""},
		{"vgrid: 1\nname: \"", "\\e[31m", "\""},
		{"roles: {a: {ready: {console: \"", "(", "\"}}}"},
		{"roles: {a: {ready: {console: \"a", "{255}", "\"}}}"},
		{"roles: {a: {env: {A: \"", "${", "\"}}}"},
		{"roles: {a: {env: {A: \"", "${a}", "\"}}}"},
		{"roles: {a: {setup: \"", "$${a}", "\"}}}"}, {"roles: {a: {nics: [", "a, ", "]}}"},
		{"tests: [", "{name: a}, ", "]"}, {"", "\xff", ""}, {"", "\xc2\x85", ""},
		{"a: ", "\xe2\x80\xae", ""}, {"roles: {", "? a\n", "}"}, {"", "\t", ""},
		{"\"", "\\", ""}, {"'", "'", ""}};
	for (size_t i = 0; i < VG_LENGTH(cases); i++) {
		_auto(vg_string) char *text =
			repeat(cases[i].head, cases[i].body, REPEATS, cases[i].tail);
		assert_true(faults_of(text, strlen(text)) > 0);
	}
}

static void many_distinct_names_stay_quick(void **state)
{
	(void)state;
	static const char *const sections[] = {
		"roles", "networks", "images", "parameters", "profiles", "outputs", "nothing"};
	for (size_t i = 0; i < VG_LENGTH(sections); i++) {
		_auto(vg_text) struct vg_text text = {0};
		vg_text_addf(&text, "%s:\n", sections[i]);
		for (unsigned k = 0; text.length < VG_TEMPLATE_SIZE_MAX - 100; k++)
			vg_text_addf(&text, "  a%u: {image: b%u, after: [a%u]}\n", k, k, k + 1);
		assert_true(faults_of(text.bytes, text.length) > 0);
	}
}

static void as_many_roles_as_allowed_are_quick_and_good(void **state)
{
	(void)state;
	_auto(vg_text) struct vg_text text = {0};
	vg_text_add(&text, "vgrid: 1\nname: a\nimages: {b: {builtin: tiny}}\nroles:\n");
	for (unsigned i = 0; i < 1024; i++)
		vg_text_addf(&text, "  a%u: {image: b%s%u%s}\n", i,
			i ? ", after: [a" : ", cpu: ", i ? i - 1 : 1, i ? "]" : "");
	vg_text_add(&text, "profiles:\n");
	for (unsigned i = 0; i < 64; i++) {
		vg_text_addf(&text, "  p%u: {roles: {", i);
		for (unsigned k = 0; k < 1024; k += 4)
			vg_text_addf(&text, "%sa%u: {cpu: 2}", k ? ", " : "", k);
		vg_text_add(&text, "}}\n");
	}
	assert_int_equal(faults_of(text.bytes, text.length), 0);
}

// Every prefix of a good template, and the template with each byte turned, each into a few others.
static void no_damage_to_a_good_template_crashes_the_reader(void **state)
{
	(void)state;
	static const char good[] =
		"vgrid: 1\nname: t\nlease: 2h\nparameters: {n: {type: integer, default: 2}}\n"
		"images: {b: {builtin: tiny}, f: {file: a.raw}}\n"
		"networks: {lan: {cidr: 10.9.0.0/24}}\n"
		"roles:\n  h:\n    image: b\n    nics: {lan: {address: 10.9.0.9}}\n"
		"    disks: {d: {size: 1GiB, mount: /d}}\n    files: {/a: {content: \"${n}\"}}\n"
		"    setup: |\n      a ${node.name}\n      b\n    ready: {console: \"x$\"}\n"
		"  w: {image: f, count: \"${n}\", nics: [lan], after: [h], place: {with: h}}\n"
		"profiles: {p: {parameters: {n: 3}, roles: {w: {cpu: 2}}}}\n"
		"tests: [{name: a, on: w, run: \"true\", expect: \"^${node.index}$\"}]\n"
		"outputs: {a: \"${h.ip.lan}\"}\n";
	assert_int_equal(faults_of(good, strlen(good)), 0);
	for (size_t i = 0; i < strlen(good); i++) {
		static const char bytes[] = "\0\n\t :-{}[]\"'#&*!|>%@`$?x9\xff";
		char copy[sizeof(good)];
		faults_of(good, i);
		for (size_t k = i % 9; k < sizeof(bytes) - 1; k += 9) {
			memcpy(copy, good, sizeof(good));
			copy[i] = bytes[k];
			faults_of(copy, strlen(good));
		}
	}
}

static void a_template_above_a_mebibyte_is_refused(void **state)
{
	(void)state;
	_auto(vg_findings) struct vg_findings findings = {0};
	struct vg_template *template = NULL;
	_auto(vg_string) char *text = vg_alloc(VG_TEMPLATE_SIZE_MAX + 1);
	_auto(vg_error) struct vg_error *error = vg_template_read_text(
		"t.yaml", text, VG_TEMPLATE_SIZE_MAX + 1, &findings, &template);
	assert_int_equal(vg_error_kind(error), VG_ERROR_USAGE);
	assert_null(template);
}

// The parser's library has a mouth of its own, which must stay shut.
static void reading_prints_nothing(void **state)
{
	(void)state;
	char path[] = "/tmp/vgrid-test-XXXXXX";
	int file = mkstemp(path), saved = dup(STDERR_FILENO);
	assert_true(file >= 0 && saved >= 0);
	assert_int_equal(dup2(file, STDERR_FILENO), STDERR_FILENO);
	size_t n_faults = faults_of("a: [b\n\t- c: \"", 13) + faults_of("a: b\n- c", 8) +
			  faults_of("%YAML 9.9\n--- *x", 16);
	assert_int_equal(dup2(saved, STDERR_FILENO), STDERR_FILENO);
	off_t size = lseek(file, 0, SEEK_END);
	close(saved);
	close(file);
	unlink(path);
	assert_true(n_faults >= 3);
	assert_int_equal(size, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nesting_repetition_and_bombs_are_faults_within_a_moment),
		cmocka_unit_test(many_distinct_names_stay_quick),
		cmocka_unit_test(as_many_roles_as_allowed_are_quick_and_good),
		cmocka_unit_test(no_damage_to_a_good_template_crashes_the_reader),
		cmocka_unit_test(a_template_above_a_mebibyte_is_refused),
		cmocka_unit_test(reading_prints_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
