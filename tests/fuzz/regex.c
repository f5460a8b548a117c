// SPDX-License-Identifier: Apache-2.0
//
// Regular expressions and the texts that they are searched in: the first line is the expression,
// the rest is the text. A search takes no more steps than promised, and what is found in a text is
// found with more text behind it, unless the expression asks what stands there.
#include "tests/fuzz/fuzz.h"

#include "base/regex.h"

static bool finds(const struct vg_regex *regex, const char *text, size_t size)
{
	uint64_t steps_max = (4 * (uint64_t)VG_REGEX_SIZE_MAX + VG_REGEX_LENGTH_MAX) * (size + 1);
	bool is_there = false;
	fuzz_must(!vg_regex_find(regex, text, size, steps_max, &is_there));
	return is_there;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	_auto(vg_string) char *input = fuzz_text(bytes, size);
	char *text = strchr(input, '\n');
	_auto(vg_regex) struct vg_regex *regex = NULL;
	if (text)
		*text++ = '\0';
	else
		text = input + strlen(input);
	_auto(vg_error) struct vg_error *error = vg_regex_make(input, &regex);
	if (error) {
		fuzz_must(vg_error_kind(error) == VG_ERROR_USAGE && vg_error_remedy(error));
		return 0;
	}
	size_t size_whole = strlen(text), size_part = size_whole / 2;
	while (text[size_part] & 0x80)
		size_part++; // no character is cut
	bool is_in_whole = finds(regex, text, size_whole);
	bool looks_behind = strpbrk(input, "$\\");
	fuzz_must(is_in_whole || looks_behind || !finds(regex, text, size_part));
	return 0;
}
