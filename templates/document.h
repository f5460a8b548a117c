// SPDX-License-Identifier: Apache-2.0
//
// A document: the text of a template as a tree of values that know where they stand. The only door
// to libfyaml. Read by check.h and everything behind it; knows nothing of the language.
//
// Strict: repeated keys, anchors, aliases, tags, merge keys and a second document are findings. The
// text is foreign: it is scanned event by event with bounds on depth and number of values, so that
// no input takes more than a moment.
#pragma once

#include "base/finding.h"

struct vg_arena;

enum { VG_DOCUMENT_DEPTH_MAX = 16, VG_DOCUMENT_VALUES_MAX = 200000 };

// What a plain scalar means follows the core schema of YAML 1.2 (section 10.3): `yes` and `0644`
// are what they look like, text and a number.
enum vg_value_kind {
	VG_VALUE_NULL,
	VG_VALUE_BOOLEAN,
	VG_VALUE_INTEGER,
	VG_VALUE_NUMBER, // with a fraction or an exponent
	VG_VALUE_STRING,
	VG_VALUE_LIST,
	VG_VALUE_MAP,
};

struct vg_value {
	enum vg_value_kind kind;
	bool is_faulty; // a finding was made on it: whoever comes later leaves it alone
	struct vg_place place;
	const char *text; // of scalars, as written (escapes undone); no NUL inside
	const char *raw;  // of scalars: where they begin in the text that was read, at `place`
	size_t raw_size;
	struct vg_entry *entries; // of lists and maps, in order
	size_t n_entries;
};

struct vg_entry {
	const char *key;       // NULL in lists
	struct vg_place place; // of the key, in lists of the value
	struct vg_value *value;
};

// `text` need not end in NUL and has no byte order mark. `name` is kept by the places and must
// outlive the tree. *ret_root is in the arena; it is NULL when the text is no YAML or holds nothing
// (then there is a finding).
void vg_document_read(struct vg_arena *arena, const char *name, const char *text, size_t size,
	struct vg_findings *findings, struct vg_value **ret_root);

// "a list", "a whole number": for messages.
const char *vg_value_kind_name(enum vg_value_kind kind);

// The value of a key; NULL if `map` is NULL, no map, or has no such key.
struct vg_value *vg_value_get(const struct vg_value *map, const char *key);
// The same as an entry, which knows the key's place.
const struct vg_entry *vg_value_entry(const struct vg_value *map, const char *key);
