// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include <stdio.h>
#include <string.h>

void vg_text_done(struct vg_text *text)
{
	if (!text)
		return;
	free(text->bytes);
	*text = (struct vg_text){0};
}

void vg_text_add_bytes(struct vg_text *text, const void *bytes, size_t size)
{
	if (text->length + size + 1 > text->room) {
		text->room = (text->length + size + 1) * 2;
		text->bytes = vg_realloc(text->bytes, text->room);
	}
	if (size)
		memcpy(text->bytes + text->length, bytes, size);
	text->length += size;
	text->bytes[text->length] = '\0';
}

void vg_text_add(struct vg_text *text, const char *more)
{
	vg_text_add_bytes(text, more, strlen(more));
}

void vg_text_addf(struct vg_text *text, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	_auto(vg_string) char *more = vg_vformat(format, arguments);
	va_end(arguments);
	vg_text_add(text, more);
}

char *vg_text_take(struct vg_text *text)
{
	if (!text->bytes)
		return vg_strdup("");
	char *bytes = text->bytes;
	*text = (struct vg_text){0};
	return bytes;
}

bool vg_text_equal(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

bool vg_text_starts(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool vg_text_ends(const char *text, const char *suffix)
{
	size_t length = strlen(text), tail = strlen(suffix);
	return length >= tail && strcmp(text + length - tail, suffix) == 0;
}

// Bytes of the character that starts at `bytes`, 0 if it is not valid UTF-8.
static size_t read_utf8(const unsigned char *bytes, size_t size, uint32_t *ret_point)
{
	static const struct {
		unsigned char mask, lead;
		size_t length;
		uint32_t least;
	} forms[] = {{0x80, 0x00, 1, 1}, {0xe0, 0xc0, 2, 0x80}, {0xf0, 0xe0, 3, 0x800},
		{0xf8, 0xf0, 4, 0x10000}};
	for (size_t i = 0; i < VG_LENGTH(forms); i++) {
		if ((bytes[0] & forms[i].mask) != forms[i].lead)
			continue;
		if (forms[i].length > size)
			return 0;
		uint32_t point = bytes[0] & (unsigned char)~forms[i].mask;
		for (size_t k = 1; k < forms[i].length; k++) {
			if ((bytes[k] & 0xc0) != 0x80)
				return 0;
			point = point << 6 | (bytes[k] & 0x3f);
		}
		bool is_surrogate = point >= 0xd800 && point <= 0xdfff;
		*ret_point = point;
		return point < forms[i].least || point > 0x10ffff || is_surrogate ? 0
										  : forms[i].length;
	}
	return 0;
}

static size_t utf8_size(const unsigned char *bytes, size_t size)
{
	uint32_t point;
	return read_utf8(bytes, size, &point);
}

size_t vg_text_character(const char *bytes, size_t size, uint32_t *ret_character)
{
	const unsigned char *at = (const unsigned char *)bytes;
	uint32_t point;
	size_t step = *at < 0x80 ? 0 : read_utf8(at, size, &point);
	if (!step)
		point = *at < 0x80 ? *at : VG_TEXT_NO_CHARACTER + (uint32_t)*at;
	*ret_character = point;
	return step ? step : 1;
}

bool vg_text_is_utf8(const char *bytes, size_t size)
{
	for (size_t at = 0; at < size;) {
		size_t step = utf8_size((const unsigned char *)bytes + at, size - at);
		if (!step)
			return false;
		at += step;
	}
	return true;
}

// Of three bytes: marks that turn the direction of writing, that break lines, or that nobody sees
// (U+200B, U+200E, U+200F, U+2028 to U+202E, U+2060 to U+2069, U+FEFF). The joiners, U+200C and
// U+200D, have their place in words.
static bool is_mark(const unsigned char *at)
{
	if (at[0] == 0xe2 && at[1] == 0x80)
		return at[2] == 0x8b || at[2] == 0x8e || at[2] == 0x8f ||
		       (at[2] >= 0xa8 && at[2] <= 0xae);
	if (at[0] == 0xe2 && at[1] == 0x81)
		return at[2] >= 0xa0 && at[2] <= 0xa9;
	return at[0] == 0xef && at[1] == 0xbb && at[2] == 0xbf;
}

size_t vg_text_step(const char *bytes, size_t size, bool *ret_is_plain)
{
	const unsigned char *at = (const unsigned char *)bytes;
	size_t step = utf8_size(at, size);
	bool is_control = *at < 0x20 || *at == 0x7f || (step == 2 && *at == 0xc2 && at[1] < 0xa0);
	*ret_is_plain = step && !is_control && !(step == 3 && is_mark(at)) &&
			!(step == 2 && at[0] == 0xd8 && at[1] == 0x9c);
	return step ? step : 1;
}

enum { NEAREST_LENGTH_MAX = 64 };

// Optimal string alignment distance (Damerau-Levenshtein without overlapping swaps).
static size_t distance(const char *a, const char *b)
{
	size_t n_a = strlen(a), n_b = strlen(b);
	size_t cost[NEAREST_LENGTH_MAX + 1][NEAREST_LENGTH_MAX + 1];
	for (size_t i = 0; i <= n_a; i++)
		cost[i][0] = i;
	for (size_t k = 0; k <= n_b; k++)
		cost[0][k] = k;
	for (size_t i = 1; i <= n_a; i++) {
		for (size_t k = 1; k <= n_b; k++) {
			size_t best = cost[i - 1][k - 1] + (a[i - 1] != b[k - 1]);
			if (cost[i - 1][k] + 1 < best)
				best = cost[i - 1][k] + 1;
			if (cost[i][k - 1] + 1 < best)
				best = cost[i][k - 1] + 1;
			bool is_swap =
				i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1];
			if (is_swap && cost[i - 2][k - 2] + 1 < best)
				best = cost[i - 2][k - 2] + 1;
			cost[i][k] = best;
		}
	}
	return cost[n_a][n_b];
}

const char *vg_text_nearest(const char *wrong, const char *const *names, size_t n_names)
{
	const char *nearest = NULL;
	size_t least = SIZE_MAX;
	if (strlen(wrong) > NEAREST_LENGTH_MAX)
		return NULL;
	for (size_t i = 0; i < n_names; i++) {
		if (strlen(names[i]) > NEAREST_LENGTH_MAX)
			continue;
		size_t far = distance(wrong, names[i]);
		size_t allowed = (strlen(names[i]) + 2) / 3;
		if (far <= allowed && far < least) {
			least = far;
			nearest = names[i];
		}
	}
	return nearest;
}
