// SPDX-License-Identifier: Apache-2.0
//
// POSIX extended regular expressions (IEEE Std 1003.1, 9.4) as users write them: is there a match
// anywhere in a text? Whatever the expression and the text, the answer comes in bounded time and
// memory, which regcomp(3) and regexec(3) do not promise: all ways of matching are followed at once
// (K. Thompson, Regular Expression Search Algorithm, CACM 11(6), 1968), so that a character of the
// text costs at most a step for each of the expression.
//
// `^` and `$` match at line ends, `.` and `[^a]` no newline (REG_NEWLINE). Characters are those of
// UTF-8, in every locale; a byte that is none is a character of its own. Classes and words are
// those of ASCII, ranges go by code points. Of what GNU adds there is `\w \W \s \S \b \B \< \>`,
// and \` and \' for the text's ends; there are no back-references.
#pragma once

#include "base/error.h"

enum {
	VG_REGEX_LENGTH_MAX = 1000,     // bytes
	VG_REGEX_SIZE_MAX = 5000,       // characters once every repetition is written out
	VG_REGEX_STEPS_MAX = 256 << 20, // about a second, for vg_regex_find()
};

struct vg_regex;

// A usage error when the text is no expression, too large a one, or has a back-reference; it says
// what would be right.
struct vg_error *vg_regex_make(const char *text, struct vg_regex **ret_regex) VG_MUST_CHECK;
void vg_regex_free(struct vg_regex *regex);
VG_AUTO(vg_regex);

// Does a part of the text, which may be empty, match? Fails only when that takes more than
// steps_max steps: those are at most four for each byte of the text and character of the
// expression, written out, and one for each range beyond ASCII in its brackets. The expression may
// be used by many threads at once.
struct vg_error *vg_regex_find(const struct vg_regex *regex, const char *text, size_t size,
	uint64_t steps_max, bool *ret_is_there) VG_MUST_CHECK;
