// SPDX-License-Identifier: Apache-2.0
#include "base/regex_set.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

enum { NAME_SIZE = 32 };

static const struct {
	const char *name;
	int (*has)(int character); // only asked for ASCII, where all locales agree
} classes[] = {
	{"alnum", isalnum},
	{"alpha", isalpha},
	{"blank", isblank},
	{"cntrl", iscntrl},
	{"digit", isdigit},
	{"graph", isgraph},
	{"lower", islower},
	{"print", isprint},
	{"punct", ispunct},
	{"space", isspace},
	{"upper", isupper},
	{"xdigit", isxdigit},
};

// What stands in a bracket expression between others: a character, or a whole class.
struct element {
	bool is_class;
	uint32_t character;
	const char *from; // of its text
};

void vg_regex_set_done(struct vg_regex_set *set)
{
	free(set->ranges);
	*set = (struct vg_regex_set){0};
}

static bool add_class(struct vg_regex_set *set, const char *name)
{
	for (size_t i = 0; i < VG_LENGTH(classes); i++) {
		if (strcmp(classes[i].name, name) != 0)
			continue;
		for (int c = 0; c < 128; c++)
			set->ascii[c] |= classes[i].has(c) != 0;
		return true;
	}
	return false;
}

static void add_range(struct vg_regex_set *set, uint32_t first, uint32_t last)
{
	for (uint32_t c = first; c <= last && c < 128; c++)
		set->ascii[c] = true;
	if (last >= 128)
		vg_append(set->ranges, set->n_ranges) = (struct vg_regex_range){first, last};
}

static void negate(struct vg_regex_set *set)
{
	for (size_t c = 0; c < VG_LENGTH(set->ascii); c++)
		set->ascii[c] = !set->ascii[c];
	set->is_negated = true;
}

static uint32_t take_character(const char **text)
{
	uint32_t character;
	*text += vg_text_character(*text, strlen(*text), &character);
	return character;
}

static struct vg_error *not_closed(void)
{
	return vg_error_hint(vg_error_of(VG_ERROR_USAGE, "a '[' has no ']'"),
		"as in '[a-z]'; for the character itself write '\\['");
}

static struct vg_error *unknown_class(const char *name)
{
	_auto(vg_text) struct vg_text names = {0};
	for (size_t i = 0; i < VG_LENGTH(classes); i++)
		vg_text_addf(&names, "%s%s", i ? ", " : "", classes[i].name);
	return vg_error_hint(
		vg_error_of(VG_ERROR_USAGE, "'[:%s:]' is no class of characters", name),
		"there are %s", names.bytes);
}

// `[:alpha:]`, `[.-.]` or `[=a=]` without the first bracket: the latter two are a way to write one
// character, since no character is equivalent to another here.
static struct vg_error *take_named(
	const char **text, struct vg_regex_set *set, struct element *element)
{
	const char kind = **text, end[] = {kind, ']', '\0'};
	const char *name = *text + 1, *close = strstr(name, end);
	if (!close)
		return not_closed();
	size_t size = (size_t)(close - name);
	*text = close + 2;
	if (kind == ':') {
		char copy[NAME_SIZE];
		snprintf(copy, sizeof(copy), "%.*s", size < NAME_SIZE ? (int)size : 0, name);
		element->is_class = true;
		return add_class(set, copy) ? NULL : unknown_class(copy);
	}
	const char *rest = name;
	if (size > 0)
		element->character = take_character(&rest);
	if (size == 0 || rest != close)
		return vg_error_hint(
			vg_error_of(VG_ERROR_USAGE, "'[%c%.*s%c]' is not one character", kind,
				size < NAME_SIZE ? (int)size : NAME_SIZE, name, kind),
			"as in '[%c-%c]'", kind, kind);
	return NULL;
}

static struct vg_error *take_element(
	const char **text, struct vg_regex_set *set, struct element *ret_element)
{
	*ret_element = (struct element){.from = *text};
	if (!**text)
		return not_closed();
	if (**text == '[' && (*text)[1] && strchr(":.=", (*text)[1])) {
		++*text;
		return take_named(text, set, ret_element);
	}
	ret_element->character = take_character(text);
	return NULL;
}

static bool is_range(const char *text)
{
	return text[0] == '-' && text[1] != ']' && text[1];
}

// Behind the first element: a range, or that alone.
static struct vg_error *take_rest(
	const char **text, struct vg_regex_set *set, const struct element *first)
{
	struct element last = *first;
	struct vg_error *error = NULL;
	bool is_equivalence = first->from[0] == '[' && first->from[1] == '=';
	if (is_range(*text)) {
		++*text;
		is_equivalence |= (*text)[0] == '[' && (*text)[1] == '=';
		error = take_element(text, set, &last);
		if (!error && (first->is_class || last.is_class || is_equivalence))
			error = vg_error_hint(
				vg_error_of(VG_ERROR_USAGE, "'%.*s' is a range of a class",
					(int)(*text - first->from), first->from),
				"a '-' itself stands first or last, as in '[a-z-]'");
		else if (!error && first->character > last.character)
			error = vg_error_hint(vg_error_of(VG_ERROR_USAGE,
						      "the range '%.*s' ends before it begins",
						      (int)(*text - first->from), first->from),
				"a '-' itself stands first or last, as in '[a-z-]'");
	}
	if (!error && !first->is_class)
		add_range(set, first->character, last.character);
	return error;
}

struct vg_error *vg_regex_set_read(const char **text, struct vg_regex_set *ret_set)
{
	_auto(vg_regex_set) struct vg_regex_set set = {0};
	bool is_negated = **text == '^';
	*text += is_negated;
	const char *begin = *text;
	while (*text == begin || **text != ']') {
		struct element first;
		if (**text == '-' && *text != begin && (*text)[1] != ']')
			return vg_error_hint(vg_error_of(VG_ERROR_USAGE, "a '-' behind a range"),
				"a '-' itself stands first or last, as in '[a-z-]'");
		struct vg_error *error = take_element(text, &set, &first);
		if (!error)
			error = take_rest(text, &set, &first);
		if (error)
			return error;
	}
	++*text;
	if (is_negated) {
		negate(&set);
		set.ascii['\n'] = false;
	}
	*ret_set = set;
	set = (struct vg_regex_set){0};
	return NULL;
}

bool vg_regex_set_letter(char letter, struct vg_regex_set *ret_set)
{
	struct vg_regex_set set = {0};
	if (!letter || !strchr("wWsS", letter))
		return false;
	bool is_word = tolower(letter) == 'w';
	add_class(&set, is_word ? "alnum" : "space");
	set.ascii['_'] |= is_word;
	if (isupper(letter))
		negate(&set);
	*ret_set = set;
	return true;
}

bool vg_regex_set_has(const struct vg_regex_set *set, uint32_t character, uint64_t *steps)
{
	if (character < VG_LENGTH(set->ascii))
		return set->ascii[character];
	for (size_t i = 0; i < set->n_ranges; i++) {
		++*steps;
		if (character >= set->ranges[i].first && character <= set->ranges[i].last)
			return !set->is_negated;
	}
	return set->is_negated;
}
