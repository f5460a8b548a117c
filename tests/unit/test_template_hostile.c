// SPDX-License-Identifier: Apache-2.0
//
// Claims about templates that mean harm: no crash, no long wait, nothing said but findings.
#include "tests/unit/test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include "base/memory.h"
#include "base/process.h"
#include "base/regex.h"
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
		{"\"", "\\", ""}, {"'", "'", ""}, {"", "'x", ""}, {"a: '", "''", ""},
		{"a: >\n", "   \n", ""}, {"", "a:\n ", ""}, {"", ":", ""}, {"", "? - ", ""},
		{"", "{[", ""}, {"a: {", "b, ", ""}, {"[", ",", "]"}, {"", "&a ", ""},
		{"", "!a ", ""}, {"vgrid: ", "9", ""}, {"roles: {a: {count: -", "9", "}}"},
		{"roles: {a: {memory: ", "9", "TiB}}"}, {"roles: {a: {cpu-limit: 0.", "0", "1}}"},
		{"roles: {a: {files: {", "\"/a\": {content: b}, ", "}}}"},
		{"networks: {a: {cidr: \"", "f:", ":/64\"}}"},
		{"parameters: {a: {type: choice, of: [", "b, ", "]}}"},
		{"tests: [", "{name: a, reach: b}, ", "]"}, {"profiles: {", "a: , ", "}"},
		{"outputs: {a: \"", "${a.ips.b} ", "\"}"}, {"", "\r", ""}, {"", "\xef\xbb\xbf", ""},
		{"", "\xed\xa0\x80", ""}, {"a: \"", "\\ud800", "\""}};
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

static void expressions_that_could_take_gigabytes_are_refused_at_once(void **state)
{
	(void)state;
	static const char *const bad[] = {"((a|b)?){9999}", "((((((a?){9}){9}){9}){9}){9}){9}",
		"(a{0,255}){0,255}", "[^]a]{5001}", "(x){1,99999999999999999999}",
		"[[:alpha:]]{3000}(b{3000})", "(a)\\1", "(.*)(.*)\\2", "\\(a{2})\\3"};
	static const char *const good[] = {"^[0-9]{1,3}(\\.[0-9]{1,3}){3}$",
		"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "a{5000}", "\\{9999\\}", "[{9999}]",
		"[]{9999}]", "[^]{9999}]", "[[.{.]{9999}]", "a\\\\1", "(a|b)*c{2,}", "x{0}",
		"login:"};
	for (size_t i = 0; i < VG_LENGTH(bad) + VG_LENGTH(good); i++) {
		bool is_bad = i < VG_LENGTH(bad);
		const char *text = is_bad ? bad[i] : good[i - VG_LENGTH(bad)];
		clock_t start = clock();
		_auto(vg_regex) struct vg_regex *regex = NULL;
		_auto(vg_error) struct vg_error *error = vg_regex_make(text, &regex);
		assert_true(clock() - start < CLOCKS_PER_SEC);
		if (!error == is_bad)
			fail_msg("%s: %s", text, error ? vg_error_text(error) : "it is taken");
	}
}

static void a_pipe_without_a_writer_is_an_error_in_bounded_time(void **state)
{
	(void)state;
	char folder[] = "/tmp/vgrid-test-XXXXXX";
	assert_non_null(mkdtemp(folder));
	_auto(vg_string) char *path = vg_format("%s/pipe", folder);
	assert_int_equal(mkfifo(path, 0600), 0);
	_auto(vg_findings) struct vg_findings findings = {0};
	_auto(vg_template) struct vg_template *template = NULL;
	_auto(vg_error) struct vg_error *error = vg_template_read(path, &findings, &template);
	assert_int_equal(vg_error_kind(error), VG_ERROR_USAGE);
	assert_non_null(strstr(vg_error_text(error), "is a pipe that nobody writes to"));
	// With a writer that takes its time it is read like any other.
	pid_t pid = fork();
	if (pid == 0) {
		static const char text[] = "name: t\n";
		int fd = open(path, O_WRONLY);
		bool is_done = fd >= 0 && write(fd, text, 4) == 4 && usleep(100000) == 0 &&
			       write(fd, text + 4, 4) == 4;
		_exit(is_done ? 0 : 1);
	}
	assert_null(vg_template_read(path, &findings, &template));
	assert_true(findings.n_found > 0);
	assert_int_equal(findings.items[0].places[0].line, 1);
	int status;
	assert_null(vg_process_wait(pid, &status));
	assert_int_equal(status, 0);
	unlink(path);
	rmdir(folder);
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
		cmocka_unit_test(expressions_that_could_take_gigabytes_are_refused_at_once),
		cmocka_unit_test(a_pipe_without_a_writer_is_an_error_in_bounded_time),
		cmocka_unit_test(a_template_above_a_mebibyte_is_refused),
		cmocka_unit_test(reading_prints_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
