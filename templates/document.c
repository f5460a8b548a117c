// SPDX-License-Identifier: Apache-2.0
#include "templates/document.h"

#include <libfyaml.h>
#include <string.h>

#include "base/map.h"
#include "base/text.h"

enum { EMPTY_LINES_MAX = 1000 };

// One open list or map.
struct level {
	struct vg_value *value;
	struct vg_map *keys; // of a map: key → vg_entry's place
	const char *key;     // the key whose value comes next; NULL: a key comes next
	struct vg_place key_place;
	struct vg_entry *entries; // malloc'ed, moved into the arena at the end
	size_t n_entries;
};

struct reader {
	struct vg_arena *arena;
	const char *name, *text;
	size_t size;
	struct vg_findings *findings;
	// Places are asked for in nearly ascending order: the last one is where to go on.
	size_t at;
	unsigned line, column;
	struct level levels[VG_DOCUMENT_DEPTH_MAX];
	size_t depth, n_values;
	unsigned n_documents;
	size_t end;      // of the last event that has one
	bool is_stopped; // by a bound
	struct vg_value *root;
};

static bool begins_character(char byte)
{
	return ((unsigned char)byte & 0xc0) != 0x80;
}

// A short way back, as from a value to the anchor before it.
static void step_back(struct reader *reader, size_t offset)
{
	bool is_same_line = true;
	for (; reader->at > offset; reader->at--) {
		char passed = reader->text[reader->at - 1];
		reader->column -= begins_character(passed);
		reader->line -= passed == '\n';
		is_same_line = is_same_line && passed != '\n';
	}
	if (is_same_line)
		return;
	reader->column = 1;
	for (; offset > 0 && reader->text[offset - 1] != '\n'; offset--)
		reader->column += begins_character(reader->text[offset - 1]);
}

static struct vg_place place_at(struct reader *reader, size_t offset)
{
	if (offset > reader->size)
		offset = reader->size;
	if (offset < reader->at)
		step_back(reader, offset);
	for (; reader->at < offset; reader->at++) {
		reader->column += begins_character(reader->text[reader->at]);
		if (reader->text[reader->at] == '\n') {
			reader->line++;
			reader->column = 1;
		}
	}
	return (struct vg_place){reader->name, reader->line, reader->column};
}

static bool is_digits(const char *text, size_t length)
{
	return length > 0 && strspn(text, "0123456789") == length;
}

// The core schema's float: [-+]? ( \. digits | digits ( \. digits? )? ) ( [eE] [-+]? digits )?
static bool is_number(const char *text)
{
	text += *text == '-' || *text == '+';
	size_t whole = strspn(text, "0123456789");
	text += whole;
	size_t fraction = 0;
	if (*text == '.') {
		fraction = strspn(text + 1, "0123456789");
		text += 1 + fraction;
	}
	if (!whole && !fraction)
		return false;
	if (*text == 'e' || *text == 'E') {
		text++;
		text += *text == '-' || *text == '+';
		return is_digits(text, strlen(text));
	}
	return *text == '\0';
}

static bool is_any(const char *text, const char *const *words, size_t n_words)
{
	for (size_t i = 0; i < n_words; i++) {
		if (strcmp(text, words[i]) == 0)
			return true;
	}
	return false;
}

static enum vg_value_kind plain_kind(const char *text)
{
	static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};
	static const char *const booleans[] = {"true", "True", "TRUE", "false", "False", "FALSE"};
	static const char *const numbers[] = {".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF",
		"-.inf", "-.Inf", "-.INF", ".nan", ".NaN", ".NAN"};
	if (is_any(text, nulls, VG_LENGTH(nulls)))
		return VG_VALUE_NULL;
	if (is_any(text, booleans, VG_LENGTH(booleans)))
		return VG_VALUE_BOOLEAN;
	const char *digits = text + (*text == '-' || *text == '+');
	size_t length = strlen(digits);
	bool is_octal =
		vg_text_starts(text, "0o") && text[2] && strspn(text + 2, "01234567") == length - 2;
	bool is_hexadecimal = vg_text_starts(text, "0x") && text[2] &&
			      strspn(text + 2, "0123456789abcdefABCDEF") == length - 2;
	if (is_digits(digits, length) || is_octal || is_hexadecimal)
		return VG_VALUE_INTEGER;
	if (is_number(text) || is_any(text, numbers, VG_LENGTH(numbers)))
		return VG_VALUE_NUMBER;
	return VG_VALUE_STRING;
}

static void stop(struct reader *reader, struct vg_place place, const char *message)
{
	vg_finding_add(reader->findings, place, "%s", message);
	reader->is_stopped = true;
}

// Puts a finished scalar or a beginning list or map where it belongs.
static struct vg_value *add_value(
	struct reader *reader, enum vg_value_kind kind, struct vg_place place)
{
	struct vg_value *value = vg_arena_alloc(reader->arena, sizeof(*value));
	*value = (struct vg_value){.kind = kind, .place = place};
	if (++reader->n_values > VG_DOCUMENT_VALUES_MAX)
		stop(reader, place, "more values than a template may hold");
	if (reader->depth == 0) {
		if (!reader->root)
			reader->root = value;
		return value;
	}
	struct level *level = &reader->levels[reader->depth - 1];
	struct vg_entry entry = {level->key, level->key ? level->key_place : place, value};
	vg_append(level->entries, level->n_entries) = entry;
	level->key = NULL;
	return value;
}

static bool expects_key(const struct reader *reader)
{
	if (!reader->depth)
		return false;
	const struct level *level = &reader->levels[reader->depth - 1];
	return level->value->kind == VG_VALUE_MAP && !level->key;
}

// A key: remembered for its value. Of a repeated one the first stays; the second's value is read
// and dropped with the level it is in.
static void take_key(struct reader *reader, const char *key, struct vg_place place)
{
	struct level *level = &reader->levels[reader->depth - 1];
	level->key = key;
	level->key_place = place;
	if (strcmp(key, "<<") == 0)
		vg_finding_hint(vg_finding_add(reader->findings, place,
					"merge keys are not part of the language"),
			"write the fields out, or generate the template");
	struct vg_place *first = vg_map_get(level->keys, key);
	if (first) {
		vg_finding_also(
			vg_finding_add(reader->findings, place, "'%.60s' is given twice", key),
			*first, "first given here");
		return;
	}
	vg_map_set(level->keys, key, vg_arena_copy(reader->arena, &place, 1, sizeof(place)));
}

static void open_level(struct reader *reader, enum vg_value_kind kind, struct vg_place place)
{
	if (expects_key(reader)) {
		stop(reader, place, "a key must be a single word");
		return;
	}
	if (reader->depth == VG_DOCUMENT_DEPTH_MAX) {
		stop(reader, place, "nested deeper than any field of a template");
		return;
	}
	struct vg_value *value = add_value(reader, kind, place);
	reader->levels[reader->depth++] =
		(struct level){.value = value, .keys = kind == VG_VALUE_MAP ? vg_map_new() : NULL};
}

// Keeps the first of entries with the same key; the others were found already.
static void close_level(struct reader *reader)
{
	struct level *level = &reader->levels[--reader->depth];
	struct vg_value *value = level->value;
	size_t n_kept = 0;
	for (size_t i = 0; i < level->n_entries; i++) {
		const struct vg_entry *entry = &level->entries[i];
		if (level->keys) {
			const struct vg_place *first = vg_map_get(level->keys, entry->key);
			if (first->line != entry->place.line ||
				first->column != entry->place.column)
				continue;
		}
		level->entries[n_kept++] = *entry;
	}
	value->entries =
		vg_arena_copy(reader->arena, level->entries, n_kept, sizeof(*level->entries));
	value->n_entries = n_kept;
	vg_map_free(level->keys);
	free(level->entries);
	*level = (struct level){0};
}

static void take_scalar(
	struct reader *reader, struct fy_token *token, size_t offset, struct vg_place place)
{
	size_t size = 0;
	const char *bytes = token ? fy_token_get_text(token, &size) : "";
	if (bytes && size && memchr(bytes, '\0', size)) {
		vg_finding_add(reader->findings, place, "a text cannot hold a NUL character");
		size = strlen(bytes);
	}
	char *text = vg_arena_strndup(reader->arena, bytes ? bytes : "", bytes ? size : 0);
	if (expects_key(reader)) {
		take_key(reader, text, place);
		return;
	}
	bool is_plain = !token || fy_token_scalar_style(token) == FYSS_PLAIN;
	struct vg_value *value =
		add_value(reader, is_plain ? plain_kind(text) : VG_VALUE_STRING, place);
	const struct fy_mark *end = token ? fy_token_end_mark(token) : NULL;
	value->text = text;
	if (end && end->input_pos >= offset && end->input_pos <= reader->size) {
		value->raw = reader->text + offset;
		value->raw_size = end->input_pos - offset;
	}
}

// Nothing more is said about what it stands for.
static void take_alias(struct reader *reader, struct vg_place place)
{
	vg_finding_add(reader->findings, place, "aliases are not part of the language");
	if (expects_key(reader))
		take_key(reader, "", place);
	else
		add_value(reader, VG_VALUE_NULL, place)->is_faulty = true;
}

static void refuse_token(
	struct reader *reader, struct fy_token *token, struct vg_place place, const char *what)
{
	if (!token)
		return;
	const struct fy_mark *mark = fy_token_start_mark(token);
	vg_finding_add(reader->findings, mark ? place_at(reader, mark->input_pos) : place,
		"%s are not part of the language", what);
}

// The mark of a scalar in quotes stands behind the first one.
static bool is_quoted(struct fy_event *event)
{
	if (event->type != FYET_SCALAR || !event->scalar.value)
		return false;
	enum fy_scalar_style style = fy_token_scalar_style(event->scalar.value);
	return style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED;
}

// What comes behind the last event: the `-` of an empty entry, the `:` of an empty key.
static size_t skip_blanks(const struct reader *reader)
{
	size_t at = reader->end;
	while (at < reader->size) {
		if (reader->text[at] == '#') {
			while (at < reader->size && reader->text[at] != '\n')
				at++;
		} else if (memchr(" \t\r\n,", reader->text[at], 5)) {
			at++;
		} else {
			break;
		}
	}
	return at;
}

static void take_event(struct reader *reader, struct fy_event *event)
{
	const struct fy_mark *mark = fy_event_start_mark(event);
	size_t offset = mark ? mark->input_pos - is_quoted(event) : 0;
	const struct fy_mark *end = fy_event_end_mark(event);
	struct vg_place place;
	if (mark)
		place = place_at(reader, offset);
	else if (reader->depth && reader->levels[reader->depth - 1].key)
		place = reader->levels[reader->depth - 1].key_place; // an empty value
	else
		place = place_at(reader, skip_blanks(reader));
	if (end && end->input_pos > reader->end)
		reader->end = end->input_pos;
	refuse_token(reader, fy_event_get_anchor_token(event), place, "anchors");
	refuse_token(reader, fy_event_get_tag_token(event), place, "tags");
	switch (event->type) {
	case FYET_DOCUMENT_START:
		if (++reader->n_documents == 2)
			stop(reader, place, "a second document begins here: a template is one");
		return;
	case FYET_MAPPING_START:
		open_level(reader, VG_VALUE_MAP, place);
		return;
	case FYET_SEQUENCE_START:
		open_level(reader, VG_VALUE_LIST, place);
		return;
	case FYET_MAPPING_END:
	case FYET_SEQUENCE_END:
		close_level(reader);
		return;
	case FYET_SCALAR:
		take_scalar(reader, event->scalar.value, offset, place);
		return;
	case FYET_ALIAS:
		take_alias(reader, place);
		return;
	case FYET_NONE:
	case FYET_STREAM_START:
	case FYET_STREAM_END:
	case FYET_DOCUMENT_END:
		return;
	}
}

// Finds the first byte that is not UTF-8, or a control character, which YAML forbids (YAML 1.2,
// section 5.1). False if the text is clean.
static bool find_foreign(struct reader *reader)
{
	for (size_t at = 0; at < reader->size;) {
		const unsigned char *c = (const unsigned char *)reader->text + at;
		size_t step = *c < 0x80 ? 1 : *c < 0xe0 ? 2 : *c < 0xf0 ? 3 : 4;
		bool is_blank = *c == '\t' || *c == '\n' || *c == '\r';
		bool is_control = (*c < 0x20 && !is_blank) || *c == 0x7f;
		if (is_control) {
			vg_finding_add(reader->findings, place_at(reader, at),
				"a control character (byte 0x%02x) stands in the text", *c);
			return true;
		}
		if (at + step > reader->size || !vg_text_is_utf8(reader->text + at, step)) {
			vg_finding_add(reader->findings, place_at(reader, at),
				"byte 0x%02x is not UTF-8 text", *c);
			return true;
		}
		if (step == 3 && memcmp(c, "\xef\xbb\xbf", 3) == 0) {
			vg_finding_add(reader->findings, place_at(reader, at),
				"a byte order mark (U+FEFF), which nobody sees, stands in the "
				"text");
			return true;
		}
		if (c[0] == 0xc2 && c[1] < 0xa0) {
			vg_finding_add(reader->findings, place_at(reader, at),
				"a control character (U+%04X) stands in the text", c[1]);
			return true;
		}
		at += step;
	}
	return false;
}

// In a text over several lines libfyaml looks, at each empty line, for the end of all that follow:
// a mebibyte of them takes it half an hour.
static bool find_emptiness(struct reader *reader)
{
	size_t n_empty = 0;
	for (size_t at = 0; at < reader->size; at++) {
		char byte = reader->text[at];
		if (byte == '\n' || byte == '\r')
			n_empty++;
		else if (byte != ' ' && byte != '\t')
			n_empty = 0;
		if (n_empty <= EMPTY_LINES_MAX)
			continue;
		vg_finding_add(reader->findings, place_at(reader, at),
			"more than %d lines in a row are empty", EMPTY_LINES_MAX);
		return true;
	}
	return false;
}

static const char *line_begin(const struct reader *reader, unsigned line)
{
	const char *at = reader->text, *end = reader->text + reader->size;
	for (; line > 1 && at < end; line--) {
		const char *next = memchr(at, '\n', (size_t)(end - at));
		at = next ? next + 1 : end;
	}
	return at;
}

// Two traps that the parser's own words do not name.
static void hint_syntax(
	const struct reader *reader, struct vg_finding *finding, unsigned line, unsigned column)
{
	const char *end = reader->text + reader->size;
	const char *at = line_begin(reader, line);
	const char *next = memchr(at, '\n', (size_t)(end - at));
	const char *brace = memmem(at, (size_t)((next ? next : end) - at), "${", 2);
	if (brace && (unsigned)(brace - at) + 2 <= column + 1) {
		vg_finding_hint(finding,
			"inside of '{…}' and '[…]' a reference stands in quotes: \"${…}\"");
		return;
	}
	for (unsigned n = 0; n < 2 && at < end; n++) {
		const char *word = at;
		while (word < end && *word == ' ')
			word++;
		if (word < end && *word == '\t')
			vg_finding_hint(
				finding, "line %u begins with a tab: YAML wants spaces", line + n);
		next = memchr(at, '\n', (size_t)(end - at));
		at = next ? next + 1 : end;
	}
}

static void report_syntax(struct reader *reader, struct fy_diag *diag)
{
	void *position = NULL;
	const struct fy_diag_error *error = fy_diag_errors_iterate(diag, &position);
	unsigned line = error && error->line > 0 ? (unsigned)error->line : reader->line;
	unsigned column = error && error->column > 0 ? (unsigned)error->column : 1;
	const char *why = error && error->msg ? error->msg : "unknown reason";
	struct vg_finding *finding = vg_finding_add(reader->findings,
		(struct vg_place){reader->name, line, column}, "no valid YAML: %.200s", why);
	if (strstr(why, "without a closing") && reader->depth)
		vg_finding_also(finding, reader->levels[reader->depth - 1].value->place,
			"it is opened here");
	else
		hint_syntax(reader, finding, line, column);
}

static void parse(struct reader *reader, struct fy_diag *diag)
{
	const struct fy_parse_cfg config = {.flags = FYPCF_DEFAULT_VERSION_1_2 | FYPCF_JSON_NONE |
						     FYPCF_SLOPPY_FLOW_INDENTATION,
		.diag = diag};
	struct fy_parser *parser = fy_parser_create(&config);
	if (!parser)
		abort(); // out of memory
	if (fy_parser_set_string(parser, reader->text, reader->size) != 0)
		abort();
	while (!reader->is_stopped) {
		struct fy_event *event = fy_parser_parse(parser);
		if (!event)
			break;
		take_event(reader, event);
		fy_parser_event_free(parser, event);
	}
	if (!reader->is_stopped && fy_parser_get_stream_error(parser)) {
		report_syntax(reader, diag);
		reader->is_stopped = true;
	}
	while (reader->depth)
		close_level(reader);
	fy_parser_destroy(parser);
}

void vg_document_read(struct vg_arena *arena, const char *name, const char *text, size_t size,
	struct vg_findings *findings, struct vg_value **ret_root)
{
	*ret_root = NULL;
	struct reader reader = {.arena = arena,
		.name = name,
		.text = text,
		.size = size,
		.findings = findings,
		.line = 1,
		.column = 1};
	if (find_foreign(&reader) || find_emptiness(&reader))
		return;
	struct fy_diag_cfg config;
	fy_diag_cfg_default(&config);
	config.fp = NULL;
	config.output_fn = NULL;
	config.level = FYET_ERROR;
	struct fy_diag *diag = fy_diag_create(&config);
	if (!diag)
		abort(); // out of memory
	fy_diag_set_collect_errors(diag, true);
	parse(&reader, diag);
	fy_diag_destroy(diag);
	if (reader.is_stopped)
		return;
	if (!reader.root || reader.root->kind == VG_VALUE_NULL) {
		vg_finding_hint(vg_finding_add(findings, (struct vg_place){name, 1, 1},
					"the file is empty"),
			"a template begins with 'vgrid: 1'");
		return;
	}
	*ret_root = reader.root;
}

const char *vg_value_kind_name(enum vg_value_kind kind)
{
	switch (kind) {
	case VG_VALUE_NULL:
		return "nothing";
	case VG_VALUE_BOOLEAN:
		return "a boolean";
	case VG_VALUE_INTEGER:
		return "a whole number";
	case VG_VALUE_NUMBER:
		return "a number with a fraction";
	case VG_VALUE_STRING:
		return "text";
	case VG_VALUE_LIST:
		return "a list";
	case VG_VALUE_MAP:
		return "a map";
	}
	return "";
}

const struct vg_entry *vg_value_entry(const struct vg_value *map, const char *key)
{
	if (!map || map->kind != VG_VALUE_MAP)
		return NULL;
	for (size_t i = 0; i < map->n_entries; i++) {
		if (strcmp(map->entries[i].key, key) == 0)
			return &map->entries[i];
	}
	return NULL;
}

struct vg_value *vg_value_get(const struct vg_value *map, const char *key)
{
	const struct vg_entry *entry = vg_value_entry(map, key);
	return entry ? entry->value : NULL;
}
