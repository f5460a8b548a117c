// SPDX-License-Identifier: Apache-2.0
//
// Regular expressions: they match what regexec(3) matches, refuse what regcomp(3) refuses, and take
// no more steps than promised.
#include "tests/unit/test.h"

#include <locale.h>
#include <regex.h>
#include <string.h>

#include "base/regex.h"
#include "base/text.h"

enum { N_RANDOM = 10000, TEXT_SIZE = 1 << 20 };

// The same numbers in every run.
static unsigned random_below(unsigned bound)
{
	static uint64_t seed = 1;
	seed = seed * 6364136223846793005 + 1442695040888963407;
	return (unsigned)(seed >> 33) % bound;
}

#define PICK(list) ((list)[random_below(VG_LENGTH(list))])

static const char *const atoms[] = {"a", "b", "c", ".", "\n", "ab", "[ab]", "[^a]", "[a-c]", "[]a]",
	"[^]b-]", "[[:alpha:]]", "[^[:space:]b]", "[a[:digit:]]", "[[.a.]-b]", "[[=b=]]", "\\.",
	"\\n", "\\w", "\\W", "\\s", "\\S", "}", "[\\]", "-", "1"};
static const char *const wide_atoms[] = {
	"a", "é", "€", ".", "[é€]", "[^é]", "[^€a]", "é", "\xf0\x9f\x98\x80", "\n"};
static const char *const spots[] = {"^", "$", "\\<", "\\>", "\\b", "\\B", "\\`", "\\'"};
static const char *const repetitions[] = {
	"*", "+", "?", "{2}", "{0}", "{1,}", "{,2}", "{1,3}", "{0,2}", "{3,}"};
static const char *const letters[] = {"a", "a", "b", "b", "c", "1", " ", "\n", "]", "\\", "-", "."};
static const char *const wide_letters[] = {"a", "é", "é", "€", "à", "\xf0\x9f\x98\x80", "\n", "x"};

static void add_expression(struct vg_text *text, unsigned depth, bool is_wide)
{
	// Repeated empty groups are avoided: regexec(3) may never come back from one.
	unsigned n_items = random_below(3) + 1;
	for (unsigned i = 0; i < n_items; i++) {
		unsigned kind = random_below(12);
		if (kind == 0 && i > 0 && i + 1 < n_items) {
			vg_text_add(text, "|");
			continue;
		}
		// Where a spot is repeated, regexec(3) matches what it must not: the spot is
		// forgotten.
		if (kind == 1 && depth == 0) {
			vg_text_add(text, spots[random_below(is_wide ? 2 : VG_LENGTH(spots))]);
			continue;
		}
		if (kind < 5 && depth < 2) {
			vg_text_add(text, "(");
			add_expression(text, depth + 1, is_wide);
			vg_text_add(text, ")");
		} else {
			vg_text_add(text, is_wide ? PICK(wide_atoms) : PICK(atoms));
		}
		for (unsigned k = 0; k < 1 + (depth == 0) && random_below(3) == 0; k++)
			vg_text_add(text, PICK(repetitions));
	}
}

static void compare(const char *expression, bool is_wide)
{
	regex_t oracle;
	int code = regcomp(&oracle, expression, REG_EXTENDED | REG_NEWLINE | REG_NOSUB);
	_auto(vg_regex) struct vg_regex *regex = NULL;
	_auto(vg_error) struct vg_error *error = vg_regex_make(expression, &regex);
	if (error && strstr(vg_error_text(error), "too large")) {
		if (code == 0)
			regfree(&oracle);
		return;
	}
	if (!error != (code == 0))
		fail_msg("'%s': regcomp: %d, here: %s", expression, code,
			error ? vg_error_text(error) : "good");
	for (unsigned i = 0; i < 8 && code == 0; i++) {
		_auto(vg_text) struct vg_text text = {0};
		vg_text_add(&text, "");
		for (unsigned n = random_below(12); n > 0; n--)
			vg_text_add(&text, is_wide ? PICK(wide_letters) : PICK(letters));
		bool wanted = regexec(&oracle, text.bytes, 0, NULL, 0) == 0, is_there = !wanted;
		assert_null(vg_regex_find(
			regex, text.bytes, text.length, VG_REGEX_STEPS_MAX, &is_there));
		if (is_there != wanted)
			fail_msg("'%s' in '%s': regexec: %d, here: %d", expression, text.bytes,
				wanted, is_there);
	}
	if (code == 0)
		regfree(&oracle);
}

static void random_expressions_match_what_regexec_matches(void **state)
{
	(void)state;
	for (unsigned i = 0; i < N_RANDOM; i++) {
		_auto(vg_text) struct vg_text text = {0};
		vg_text_add(&text, "");
		add_expression(&text, 0, false);
		compare(text.bytes, false);
	}
}

static void characters_beyond_ascii_match_as_in_a_locale_of_utf8(void **state)
{
	(void)state;
	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		skip();
	for (unsigned i = 0; i < N_RANDOM / 4; i++) {
		_auto(vg_text) struct vg_text text = {0};
		vg_text_add(&text, "");
		add_expression(&text, 0, true);
		compare(text.bytes, true);
	}
	setlocale(LC_CTYPE, "C");
}

static void nonsense_is_refused_where_regcomp_refuses_it(void **state)
{
	(void)state;
	static const char signs[] = "ab01(())[[]]{{}},,||**++??^$.\\:=-";
	for (unsigned i = 0; i < 10 * N_RANDOM; i++) {
		char text[12];
		size_t size = random_below(sizeof(text));
		for (size_t k = 0; k < size; k++)
			text[k] = signs[random_below(sizeof(signs) - 1)];
		text[size] = '\0';
		// regcomp(3) takes `{\1\,\2}` for `{1,2}`.
		const char *brace = strchr(text, '{');
		if (!strstr(text, "\\1") && (!brace || !strchr(brace, '\\')))
			compare(text, false);
	}
}

struct example {
	const char *expression, *text;
	bool is_there;
};

static bool finds(const char *expression, const char *text, size_t size)
{
	_auto(vg_regex) struct vg_regex *regex = NULL;
	bool is_there = false;
	assert_null(vg_regex_make(expression, &regex));
	assert_null(vg_regex_find(regex, text, size, VG_REGEX_STEPS_MAX, &is_there));
	return is_there;
}

static void what_a_user_writes_is_found_and_nothing_else(void **state)
{
	(void)state;
	static const struct example examples[] = {
		{"login:", "\nhead login: ", true}, {"^login:", "head login: ", false},
		{"^8$", "7\n8\n9\n", true}, {"^8$", "88\n", false}, {"^$", "a\n\nb", true},
		{"a.b", "a\nb", false}, {"a[^c]b", "a\nb", false}, {"a\\Wb", "a\nb", true},
		{"^[0-9]{1,3}(\\.[0-9]{1,3}){3}$", "eth0\n10.9.0.2\n", true},
		{"^[0-9]{1,3}(\\.[0-9]{1,3}){3}$", "10.9.0.2222", false},
		{"(up|ready)( in [0-9]+s)?$", "ready in 12s", true}, {"", "", true},
		{"()", "a", true}, {"(()){0,2}b|", "a", true}, {"x{0}y", "y", true},
		{"^(ab){2}$", "ab", false}, {"^(ab){2}$", "abab", true},
		{"^a{2,3}$", "aaaa", false}, {"^(a|b|)+c$", "abbac", true},
		{"((^|,)a)+$", "b\na,a", true},
		{"1(\\<([^b]){0,2}\\w){0,2}()[^b]", "b1ba", false}, // regexec(3) finds it
		{"(\\bof\\b)", "all of it", true}, {"(\\bof\\b)", "off", false},
		{"\\`a", "b\na", false}, {"a\\'", "a\nb", false}, {"a)b}", "a)b}", true},
		{"[[.-.]]x", "-x", true}, {"[\\]", "\\", true}, {"^.$", "é", true},
		{"^é{2}$", "éé", true}, {"^[à-ï]$", "é", true}, {"^[à-ï]$", "a", false},
		{"^[^à-ï]$", "é", false}, {"^[^à-ï]$", "€", true}, {"^[a-€]$", "~", true},
		{"^.$", "\xc3", true}, {"^\xc3\xa9$", "\xc3", false},
		{"A", "\xc1\x81", false}, // too long a form of 'A'
	};
	for (size_t i = 0; i < VG_LENGTH(examples); i++) {
		const struct example *example = &examples[i];
		if (finds(example->expression, example->text, strlen(example->text)) !=
			example->is_there)
			fail_msg("'%s' in '%s'", example->expression, example->text);
	}
	assert_true(finds("a.b", "a\0b", 3));
	assert_false(finds("b", "ab", 1));
}

static void a_fault_is_named_with_what_would_be_right(void **state)
{
	(void)state;
	static const char *const faults[][3] = {
		{"(a", "a '(' has no ')'", "write '\\('"},
		{"a|*b", "before a '*' there is nothing to repeat", "write '\\*'"},
		{"^+", "before a '+' there is nothing to repeat", "write '\\+'"},
		{"{2}", "before a '{' there is nothing to repeat", "write '\\{'"},
		{"a{x}", "a '{' without a number and its '}'", "as in 'a{2}'"},
		{"a{1", "a '{' without a number and its '}'", "as in 'a{2}'"},
		{"a{5,2}", "'{5,2}' allows fewer than it demands", "as in '{2,5}'"},
		{"[a", "a '[' has no ']'", "as in '[a-z]'"},
		{"[]", "a '[' has no ']'", "as in '[a-z]'"},
		{"[[:alpha:]", "a '[' has no ']'", "as in '[a-z]'"},
		{"[[:word:]]", "'[:word:]' is no class of characters", "alnum, alpha"},
		{"[[.space.]]", "'[.space.]' is not one character", "as in '[.-.]'"},
		{"[z-a]", "the range 'z-a' ends before it begins", "first or last"},
		{"[a-[:digit:]]", "'a-[:digit:]' is a range of a class", "first or last"},
		{"[a-c-e]", "a '-' behind a range", "first or last"},
		{"a\\", "it ends in a '\\'", "write '\\\\'"},
		{"(a)\\1", "'\\1' refers back", "have no '\\1'"},
		{"a{5001}", "the regular expression is too large", "at most 5000"},
		{"(a{0,80}){0,80}", "the regular expression is too large", "at most 5000"},
		{"a{99999999999999999999}", "the regular expression is too large", "at most 5000"},
	};
	for (size_t i = 0; i < VG_LENGTH(faults); i++) {
		_auto(vg_regex) struct vg_regex *regex = NULL;
		_auto(vg_error) struct vg_error *error = vg_regex_make(faults[i][0], &regex);
		assert_null(regex);
		assert_int_equal(vg_error_kind(error), VG_ERROR_USAGE);
		if (!strstr(vg_error_text(error), faults[i][1]) ||
			!strstr(vg_error_remedy(error), faults[i][2]))
			fail_msg("'%s': %s: %s", faults[i][0], vg_error_text(error),
				vg_error_remedy(error));
	}
}

// Of a and b, in no order.
static char *long_text(size_t size)
{
	char *text = vg_alloc(size + 1);
	for (size_t i = 0; i < size; i++)
		text[i] = random_below(2) ? 'a' : 'b';
	return text;
}

// How large an expression is is also how often it can take a step for a byte of a text.
static void no_expression_takes_more_steps_than_text_times_size(void **state)
{
	(void)state;
	static const struct {
		const char *expression;
		uint64_t size, bytes;
	} all[] = {
		{"(a|b)*a(a|b){20}c", 92, TEXT_SIZE},
		{"(a*)*(a*)*(a*)*c", 18, TEXT_SIZE},
		{"(((a|b)*)*|(a*b*)*)*c", 18, TEXT_SIZE},
		{"(a?){200}(a{0,9}){0,9}c", 700, TEXT_SIZE / 16},
		{"(a|b){1200}c", 4801, TEXT_SIZE / 256},
		{"a{0,4998}c", 5000, TEXT_SIZE / 256},
		{"((((((a?){0,5}){0,4}){0,4}){0,4}){0,3})*c", 5000, TEXT_SIZE / 256},
		{"(^|$|\\b|\\B|a|b)*c", 12, TEXT_SIZE},
	};
	_auto(vg_string) char *text = long_text(TEXT_SIZE);
	for (size_t i = 0; i < VG_LENGTH(all); i++) {
		_auto(vg_regex) struct vg_regex *regex = NULL;
		bool is_there = true;
		assert_null(vg_regex_make(all[i].expression, &regex));
		_auto(vg_error) struct vg_error *error = vg_regex_find(
			regex, text, all[i].bytes, 4 * all[i].size * (all[i].bytes + 1), &is_there);
		if (error || is_there)
			fail_msg("'%s': %s", all[i].expression,
				error ? vg_error_text(error) : "it is there");
	}
}

static void a_search_of_too_many_steps_is_an_error(void **state)
{
	(void)state;
	_auto(vg_string) char *text = long_text(TEXT_SIZE);
	_auto(vg_regex) struct vg_regex *regex = NULL;
	bool is_there;
	assert_null(vg_regex_make("[[:alpha:]]{4000}c", &regex));
	_auto(vg_error) struct vg_error *error =
		vg_regex_find(regex, text, TEXT_SIZE, 10 * TEXT_SIZE, &is_there);
	assert_int_equal(vg_error_kind(error), VG_ERROR_FAILED);
	assert_string_equal(vg_error_text(error),
		"to look for '[[:alpha:]]{4000}c' in 1048576 bytes takes too long");
	assert_non_null(vg_error_remedy(error));
}

// Most bytes of a console are looked at once.
static void an_ordinary_search_takes_about_a_step_for_each_byte(void **state)
{
	(void)state;
	_auto(vg_string) char *text = long_text(TEXT_SIZE);
	_auto(vg_regex) struct vg_regex *regex = NULL;
	bool is_there = true;
	assert_null(vg_regex_make("(login|ready)[: ]*$", &regex));
	assert_null(vg_regex_find(regex, text, TEXT_SIZE, TEXT_SIZE + 16, &is_there));
	assert_false(is_there);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_expressions_match_what_regexec_matches),
		cmocka_unit_test(characters_beyond_ascii_match_as_in_a_locale_of_utf8),
		cmocka_unit_test(nonsense_is_refused_where_regcomp_refuses_it),
		cmocka_unit_test(what_a_user_writes_is_found_and_nothing_else),
		cmocka_unit_test(a_fault_is_named_with_what_would_be_right),
		cmocka_unit_test(no_expression_takes_more_steps_than_text_times_size),
		cmocka_unit_test(a_search_of_too_many_steps_is_an_error),
		cmocka_unit_test(an_ordinary_search_takes_about_a_step_for_each_byte),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
