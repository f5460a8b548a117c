// SPDX-License-Identifier: Apache-2.0
//
// Text: a growing string, and the small questions one asks of strings.
#pragma once

#include "base/memory.h"

// Plain data; `{0}` is empty. `bytes` is NULL or ends in NUL; length does not count it.
struct vg_text {
	char *bytes;
	size_t length, room;
};

void vg_text_done(struct vg_text *text);
static inline void vg_text_auto_free(struct vg_text *text)
{
	vg_text_done(text);
}

void vg_text_add(struct vg_text *text, const char *more);
void vg_text_add_bytes(struct vg_text *text, const void *bytes, size_t size);
void vg_text_addf(struct vg_text *text, const char *format, ...) VG_PRINTF(2, 3);
// Hands the string on (never NULL) and empties the text.
char *vg_text_take(struct vg_text *text);

bool vg_text_equal(const char *a, const char *b); // both may be NULL
bool vg_text_starts(const char *text, const char *prefix);
bool vg_text_ends(const char *text, const char *suffix);
// Is it valid UTF-8 without NUL (RFC 3629)?
bool vg_text_is_utf8(const char *bytes, size_t size);
// The size of the first character of foreign text, at least 1, and its code point. A byte that is no
// UTF-8 is a character of its own: VG_TEXT_NO_CHARACTER, which is beyond all code points, and the
// byte. size > 0.
enum { VG_TEXT_NO_CHARACTER = 0x110000 };
size_t vg_text_character(const char *bytes, size_t size, uint32_t *ret_character);
// The size of the first character of foreign text, at least 1. *ret_is_plain is false when it must
// not reach a terminal as it is: no UTF-8, a control character, a mark that turns the direction of
// writing (Unicode UAX #9) or that cannot be seen. size > 0.
size_t vg_text_step(const char *bytes, size_t size, bool *ret_is_plain);

// The entry of `names` nearest to `wrong` for a "did you mean", or NULL when none is near
// (Damerau-Levenshtein distance at most a third of its length).
const char *vg_text_nearest(const char *wrong, const char *const *names, size_t n_names);
