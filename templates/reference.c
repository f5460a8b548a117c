// SPDX-License-Identifier: Apache-2.0
#include "templates/reference.h"

#include <string.h>

enum { WORDS_MAX = 3 };

struct words {
	const char *at[WORDS_MAX];
	size_t length[WORDS_MAX], n;
};

// Cuts at dots; false when there are more words than any reference has, or an empty one.
static bool split(const char *inside, size_t length, struct words *ret_words)
{
	struct words words = {.n = 0};
	const char *end = inside + length;
	for (;;) {
		const char *dot = memchr(inside, '.', (size_t)(end - inside));
		const char *stop = dot ? dot : end;
		if (words.n == WORDS_MAX || stop == inside)
			return false;
		words.at[words.n] = inside;
		words.length[words.n++] = (size_t)(stop - inside);
		if (!dot)
			break;
		inside = dot + 1;
	}
	*ret_words = words;
	return true;
}

static bool is_word(const struct words *words, size_t i, const char *word)
{
	return words->length[i] == strlen(word) &&
	       memcmp(words->at[i], word, words->length[i]) == 0;
}

static bool take_name(const struct words *words, size_t i, char ret_name[VG_REFERENCE_NAME_SIZE])
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
	size_t length = words->length[i];
	if (length >= VG_REFERENCE_NAME_SIZE)
		return false;
	memcpy(ret_name, words->at[i], length);
	ret_name[length] = '\0';
	return strspn(ret_name, allowed) == length && ret_name[0] >= 'a';
}

static enum vg_reference_kind kind_of(const struct words *words, struct vg_reference *reference)
{
	if (!take_name(words, 0, reference->subject))
		return VG_REFERENCE_UNKNOWN;
	if (words->n == 1)
		return VG_REFERENCE_PARAMETER;
	bool is_grid = is_word(words, 0, "grid"), is_node = is_word(words, 0, "node");
	if (words->n == 2) {
		if (is_grid && is_word(words, 1, "name"))
			return VG_REFERENCE_GRID_NAME;
		if (is_grid && is_word(words, 1, "uuid"))
			return VG_REFERENCE_GRID_UUID;
		if (is_node && is_word(words, 1, "name"))
			return VG_REFERENCE_NODE_NAME;
		if (is_node && is_word(words, 1, "index"))
			return VG_REFERENCE_NODE_INDEX;
		if (is_grid || is_node)
			return VG_REFERENCE_UNKNOWN;
		if (is_word(words, 1, "count"))
			return VG_REFERENCE_ROLE_COUNT;
		if (is_word(words, 1, "names"))
			return VG_REFERENCE_ROLE_NAMES;
		return VG_REFERENCE_UNKNOWN;
	}
	if (is_grid || is_node || !take_name(words, 2, reference->network))
		return VG_REFERENCE_UNKNOWN;
	if (is_word(words, 1, "ip"))
		return VG_REFERENCE_ROLE_IP;
	if (is_word(words, 1, "ips"))
		return VG_REFERENCE_ROLE_IPS;
	return VG_REFERENCE_UNKNOWN;
}

static const char *literal_end(const char *text)
{
	const char *at = text;
	while (*at && strncmp(at, "${", 2) != 0 && strncmp(at, "$${", 3) != 0)
		at++;
	return at;
}

bool vg_reference_next(const char **text, struct vg_reference *ret_reference)
{
	const char *at = *text;
	if (!*at)
		return false;
	*ret_reference = (struct vg_reference){.kind = VG_REFERENCE_LITERAL, .text = at};
	if (strncmp(at, "$${", 3) == 0) {
		ret_reference->text = at + 1; // the `${` of `$${`
		ret_reference->length = 2;
		*text = at + 3;
		return true;
	}
	if (strncmp(at, "${", 2) != 0) {
		*text = literal_end(at);
		ret_reference->length = (size_t)(*text - at);
		return true;
	}
	const char *close = at + 2 + strcspn(at + 2, "}\n");
	struct words words;
	ret_reference->kind = VG_REFERENCE_UNKNOWN;
	ret_reference->length = (size_t)(close - at) + (*close == '}');
	if (*close == '}' && split(at + 2, (size_t)(close - at) - 2, &words))
		ret_reference->kind = kind_of(&words, ret_reference);
	*text = at + ret_reference->length;
	return true;
}

bool vg_reference_in(const char *text)
{
	struct vg_reference part;
	while (vg_reference_next(&text, &part)) {
		if (part.kind != VG_REFERENCE_LITERAL)
			return true;
	}
	return false;
}

bool vg_reference_in_node(const char *text)
{
	struct vg_reference part;
	while (vg_reference_next(&text, &part)) {
		if (part.kind == VG_REFERENCE_NODE_NAME || part.kind == VG_REFERENCE_NODE_INDEX)
			return true;
	}
	return false;
}

bool vg_reference_is_parameter(const char *text, char ret_name[VG_REFERENCE_NAME_SIZE])
{
	struct vg_reference part;
	const char *at = text;
	if (!vg_reference_next(&at, &part) || part.kind != VG_REFERENCE_PARAMETER || *at)
		return false;
	memcpy(ret_name, part.subject, sizeof(part.subject));
	return true;
}
