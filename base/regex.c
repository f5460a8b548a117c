// SPDX-License-Identifier: Apache-2.0
#include "base/regex.h"

#include <regex.h>
#include <string.h>

// Behind `[`: behind the closing `]` (POSIX 9.3.5: first in the list, it stands for itself).
static const char *skip_bracket(const char *at)
{
	at += *at == '^';
	at += *at == ']';
	while (*at && *at != ']') {
		char kind = *at == '[' ? at[1] : '\0'; // [:alpha:], [=a=], [.-.]
		if (kind == ':' || kind == '=' || kind == '.') {
			const char end[] = {kind, ']', '\0'};
			const char *close = strstr(at + 2, end);
			at = close ? close + 2 : at + 2;
		} else {
			at++;
		}
	}
	return at + (*at == ']');
}

// Takes `{least,most}` off the text; at least 1 of what it says.
static uint64_t take_count(const char **text)
{
	char *end;
	uint64_t least = strtoull(*text + 1, &end, 10), most = least;
	if (*end == ',')
		most = strtoull(end + 1, &end, 10);
	*text = end + (*end == '}');
	most = most > least ? most : least;
	return most > 0 ? most : 1;
}

static uint64_t bounded(uint64_t size)
{
	return size > VG_REGEX_SIZE_MAX ? VG_REGEX_SIZE_MAX + 1 : size;
}

// How long the expression is when every repetition is written out; ends at the `)` of a group.
static uint64_t written_out(const char **text, bool *ret_has_back_reference)
{
	uint64_t total = 0, last = 0; // last: of the item that a repetition repeats
	const char *at = *text;
	while (*at && *at != ')') {
		if (*at == '{' && at[1] >= '0' && at[1] <= '9') {
			last = bounded(last * bounded(take_count(&at)));
			continue;
		}
		total = bounded(total + last);
		last = 1;
		if (*at == '(') {
			at++;
			last = 1 + written_out(&at, ret_has_back_reference);
			at += *at == ')';
		} else if (*at == '[') {
			at = skip_bracket(at + 1);
		} else if (*at == '\\' && at[1]) {
			*ret_has_back_reference |= at[1] >= '1' && at[1] <= '9';
			at += 2;
		} else {
			at++;
		}
	}
	*text = at;
	return bounded(total + last);
}

// An unmatched `)` stands for itself.
static uint64_t whole_size(const char *text, bool *ret_has_back_reference)
{
	uint64_t size = 0;
	while (*text) {
		size = bounded(size + written_out(&text, ret_has_back_reference));
		text += *text == ')';
	}
	return size;
}

struct vg_error *vg_regex_check(const char *text)
{
	bool has_back_reference = false;
	if (strlen(text) > VG_REGEX_LENGTH_MAX)
		return vg_error_hint(
			vg_error_of(VG_ERROR_USAGE, "the regular expression is too long"),
			"at most %d characters", VG_REGEX_LENGTH_MAX);
	if (whole_size(text, &has_back_reference) > VG_REGEX_SIZE_MAX)
		return vg_error_hint(
			vg_error_of(VG_ERROR_USAGE, "the regular expression is too large"),
			"with every repetition written out, at most %d characters",
			VG_REGEX_SIZE_MAX);
	if (has_back_reference)
		return vg_error_hint(vg_error_of(VG_ERROR_USAGE,
					     "'%.60s' refers back to what a group matched", text),
			"POSIX extended regular expressions have no '\\1'");
	regex_t regex;
	int code = regcomp(&regex, text, REG_EXTENDED | REG_NEWLINE | REG_NOSUB);
	if (code == 0) {
		regfree(&regex);
		return NULL;
	}
	char why[100];
	regerror(code, &regex, why, sizeof(why));
	return vg_error_of(
		VG_ERROR_USAGE, "'%.60s' is no POSIX extended regular expression: %s", text, why);
}
