// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "base/regex_program.h"
#include "base/text.h"

enum { COUNT_MAX = 100000 };
static const uint32_t UNLIMITED = UINT32_MAX;

struct reader {
	const char *at;
	struct vg_regex *regex;
	unsigned depth; // of groups
	bool is_too_large;
};

static struct vg_error *read_alternatives(struct reader *reader, uint64_t *ret_size);

static void emit(struct reader *reader, enum vg_regex_operation operation, uint32_t operand)
{
	struct vg_regex *regex = reader->regex;
	vg_append(regex->program, regex->n_program) =
		(struct vg_regex_instruction){operation, {operand}};
}

static void emit_to(struct reader *reader, enum vg_regex_operation operation, size_t target)
{
	emit(reader, operation, (uint32_t)((int64_t)target - (int64_t)reader->regex->n_program));
}

static void emit_all(struct reader *reader, const struct vg_regex_instruction *part, size_t n)
{
	for (size_t i = 0; i < n; i++)
		emit(reader, part[i].operation, part[i].operand);
}

// Takes what was emitted from there on away again.
static struct vg_regex_instruction *cut(struct reader *reader, size_t from, size_t *ret_n)
{
	struct vg_regex *regex = reader->regex;
	size_t n = regex->n_program - from;
	struct vg_regex_instruction *part = vg_alloc((n + 1) * sizeof(*part));
	if (n)
		memcpy(part, regex->program + from, n * sizeof(*part));
	regex->n_program = from;
	*ret_n = n;
	return part;
}

static void emit_set(struct reader *reader, const struct vg_regex_set *set)
{
	struct vg_regex *regex = reader->regex;
	emit(reader, VG_REGEX_SET, (uint32_t)regex->n_sets);
	vg_append(regex->sets, regex->n_sets) = *set;
}

static struct vg_error *too_large(struct reader *reader)
{
	reader->is_too_large = true;
	return vg_error_hint(vg_error_of(VG_ERROR_USAGE, "the regular expression is too large"),
		"with every repetition written out, at most %d characters", VG_REGEX_SIZE_MAX);
}

// Repeats what was emitted from there on. Of a part of the size s there are at most 3s - 1
// instructions before and after, since what is repeated is at least 1 in size, and an optional
// repetition makes it at least 1 larger.
static struct vg_error *repeat(
	struct reader *reader, size_t from, uint32_t least, uint32_t most, uint64_t *size)
{
	uint32_t written = most != UNLIMITED ? most : least;
	uint64_t whole = *size * (written ? written : 1) + (least != most);
	if (whole > VG_REGEX_SIZE_MAX)
		return too_large(reader);
	*size = whole;
	size_t n, end;
	struct vg_regex_instruction *part = cut(reader, from, &n);
	for (uint32_t i = 0; i < least; i++)
		emit_all(reader, part, n);
	end = reader->regex->n_program;
	if (most != UNLIMITED) {
		end += (most - least) * (n + 1);
		for (uint32_t i = least; i < most; i++) {
			emit_to(reader, VG_REGEX_SPLIT, end);
			emit_all(reader, part, n);
		}
	} else if (least == 0) {
		emit_to(reader, VG_REGEX_SPLIT, end + n + 2);
		emit_all(reader, part, n);
		emit_to(reader, VG_REGEX_JUMP, end);
	} else {
		emit_to(reader, VG_REGEX_SPLIT, end - n);
	}
	free(part);
	return NULL;
}

static uint32_t take_number(const char **at)
{
	uint32_t number = 0;
	for (; **at >= '0' && **at <= '9'; ++*at)
		number = number < COUNT_MAX ? number * 10 + (uint32_t)(**at - '0') : COUNT_MAX;
	return number;
}

// `{2}`, `{2,}`, `{,5}`, `{2,5}`
static struct vg_error *read_counts(struct reader *reader, uint32_t *ret_least, uint32_t *ret_most)
{
	const char *from = reader->at, *at = from + 1;
	uint32_t least = take_number(&at), most = least;
	bool is_good = at > from + 1 || *at == ',';
	if (*at == ',') {
		const char *digits = ++at;
		most = take_number(&at);
		most = at > digits ? most : UNLIMITED;
	}
	if (!is_good || *at != '}')
		return vg_error_hint(
			vg_error_of(VG_ERROR_USAGE, "a '{' without a number and its '}'"),
			"as in 'a{2}', 'a{2,}' or 'a{2,5}'; for the character itself write '\\{'");
	reader->at = at + 1;
	if (most < least)
		return vg_error_hint(
			vg_error_of(VG_ERROR_USAGE, "'%.*s' allows fewer than it demands",
				(int)(reader->at - from), from),
			"the smaller number comes first, as in '{%u,%u}'", most, least);
	*ret_least = least;
	*ret_most = most;
	return NULL;
}

// The repetitions behind an item, if there are any.
static struct vg_error *read_repetitions(struct reader *reader, size_t from, uint64_t *size)
{
	struct vg_error *error = NULL;
	while (!error && *reader->at && strchr("*+?{", *reader->at)) {
		uint32_t least = *reader->at == '+', most = *reader->at == '?' ? 1 : UNLIMITED;
		if (*reader->at == '{')
			error = read_counts(reader, &least, &most);
		else
			reader->at++;
		if (!error)
			error = repeat(reader, from, least, most, size);
	}
	return error;
}

static struct vg_error *read_group(struct reader *reader, uint64_t *ret_size)
{
	reader->at++;
	reader->depth++;
	struct vg_error *error = read_alternatives(reader, ret_size);
	reader->depth--;
	if (error)
		return error;
	if (*reader->at != ')')
		return vg_error_hint(vg_error_of(VG_ERROR_USAGE, "a '(' has no ')'"),
			"for the character itself write '\\('");
	reader->at++;
	++*ret_size;
	return NULL;
}

static struct vg_error *read_bracket(struct reader *reader)
{
	struct vg_regex_set set;
	reader->at++;
	struct vg_error *error = vg_regex_set_read(&reader->at, &set);
	if (!error)
		emit_set(reader, &set);
	return error;
}

static void read_character(struct reader *reader)
{
	uint32_t character;
	reader->at += vg_text_character(reader->at, strlen(reader->at), &character);
	emit(reader, VG_REGEX_CHARACTER, character);
}

// Spots are what no repetition can follow.
static bool read_spot(struct reader *reader)
{
	static const struct {
		const char *text;
		uint32_t spots;
	} all[] = {
		{"^", VG_REGEX_LINE_BEGIN},
		{"$", VG_REGEX_LINE_END},
		{"\\`", VG_REGEX_TEXT_BEGIN},
		{"\\'", VG_REGEX_TEXT_END},
		{"\\<", VG_REGEX_WORD_BEGIN},
		{"\\>", VG_REGEX_WORD_END},
		{"\\b", VG_REGEX_WORD_BEGIN | VG_REGEX_WORD_END},
		{"\\B", VG_REGEX_NO_WORD_EDGE},
	};
	for (size_t i = 0; i < VG_LENGTH(all); i++) {
		if (!vg_text_starts(reader->at, all[i].text))
			continue;
		reader->at += strlen(all[i].text);
		emit(reader, VG_REGEX_ASSERT, all[i].spots);
		return true;
	}
	return false;
}

static struct vg_error *read_escape(struct reader *reader)
{
	struct vg_regex_set set;
	char escaped = *++reader->at;
	if (!escaped)
		return vg_error_hint(vg_error_of(VG_ERROR_USAGE, "it ends in a '\\'"),
			"for the character itself write '\\\\'");
	if (escaped >= '1' && escaped <= '9')
		return vg_error_hint(vg_error_of(VG_ERROR_USAGE,
					     "'\\%c' refers back to what a group matched", escaped),
			"POSIX extended regular expressions have no '\\%c'", escaped);
	if (vg_regex_set_letter(escaped, &set)) {
		reader->at++;
		emit_set(reader, &set);
		return NULL;
	}
	read_character(reader);
	return NULL;
}

static struct vg_error *read_item(struct reader *reader, uint64_t *ret_size)
{
	*ret_size = 1;
	switch (*reader->at) {
	case '(':
		return read_group(reader, ret_size);
	case '[':
		return read_bracket(reader);
	case '\\':
		return read_escape(reader);
	case '*':
	case '+':
	case '?':
	case '{':
		return vg_error_hint(
			vg_error_of(VG_ERROR_USAGE, "before a '%c' there is nothing to repeat",
				*reader->at),
			"for the character itself write '\\%c'", *reader->at);
	case '.':
		reader->at++;
		emit(reader, VG_REGEX_ANY, 0);
		return NULL;
	}
	read_character(reader);
	return NULL;
}

static struct vg_error *read_branch(struct reader *reader, uint64_t *ret_size)
{
	uint64_t total = 0;
	while (*reader->at && *reader->at != '|' && (*reader->at != ')' || !reader->depth)) {
		size_t from = reader->regex->n_program;
		uint64_t size = 1;
		if (!read_spot(reader)) {
			struct vg_error *error = read_item(reader, &size);
			if (!error)
				error = read_repetitions(reader, from, &size);
			if (error)
				return error;
		}
		total += size;
		if (total > VG_REGEX_SIZE_MAX)
			return too_large(reader);
	}
	*ret_size = total;
	return NULL;
}

// Up to the `)` of a group, or the end.
static struct vg_error *read_alternatives(struct reader *reader, uint64_t *ret_size)
{
	size_t from = reader->regex->n_program, n;
	uint64_t rest = 0;
	struct vg_error *error = read_branch(reader, ret_size);
	if (error || *reader->at != '|')
		return error;
	reader->at++;
	struct vg_regex_instruction *part = cut(reader, from, &n);
	emit_to(reader, VG_REGEX_SPLIT, from + n + 2);
	emit_all(reader, part, n);
	emit(reader, VG_REGEX_JUMP, 0);
	free(part);
	error = read_alternatives(reader, &rest);
	if (error)
		return error;
	reader->regex->program[from + n + 1].offset =
		(int32_t)(reader->regex->n_program - (from + n + 1));
	*ret_size += 1 + rest;
	return *ret_size > VG_REGEX_SIZE_MAX ? too_large(reader) : NULL;
}

struct vg_error *vg_regex_read(const char *text, struct vg_regex *regex)
{
	struct reader reader = {.at = text, .regex = regex};
	uint64_t size;
	struct vg_error *error = read_alternatives(&reader, &size);
	if (error && !reader.is_too_large)
		return vg_error_while(
			error, "'%.60s' is no POSIX extended regular expression", text);
	if (error)
		return error;
	emit(&reader, VG_REGEX_END, 0);
	assert(regex->n_program <= 3 * VG_REGEX_SIZE_MAX + 1);
	return NULL;
}
