// SPDX-License-Identifier: Apache-2.0
//
// One row of the language's table, and what can be asked of a row. language.c holds the rows;
// check.c, expand.c, topology.c and the language_*.c pages are made from them.
#pragma once

#include "templates/document.h"
#include "templates/language.h"

enum vg_field_type {
	VG_FIELD_MAP,    // of the fields below it
	VG_FIELD_MAP_OF, // any keys of the row's key rule, all of the one row `PATH.*`
	VG_FIELD_LIST,   // of the row `PATH.[]`
	VG_FIELD_NICS,   // a map of `PATH.*`, or a list of its keys
	VG_FIELD_ROLES,  // the name of a role, or a list of them
	VG_FIELD_NAME,   // [a-z][a-z0-9-]{0,30}
	VG_FIELD_TEXT,
	VG_FIELD_SCALAR,   // text, a number or a boolean
	VG_FIELD_VARIABLE, // text or a number: what an environment can hold
	VG_FIELD_CHOICE,   // one of the row's words
	VG_FIELD_INTEGER,
	VG_FIELD_CORES, // a number with at most three decimals, kept in thousandths
	VG_FIELD_SIZE,
	VG_FIELD_RATE,
	VG_FIELD_DURATION,
	VG_FIELD_CIDR,
	VG_FIELD_ADDRESS,
	VG_FIELD_PATH, // absolute, normalised, of a guest
	VG_FIELD_FILE, // relative or absolute, of the machine that reads the template
	VG_FIELD_MODE, // octal permission bits, as text
	VG_FIELD_REGEX,
	VG_FIELD_SHA256,
	VG_FIELD_LABEL,   // of a host: [A-Za-z0-9_.-]
	VG_FIELD_LIBVIRT, // a URI (templates/endpoint.h)
	VG_FIELD_OVSDB,   // an endpoint
	VG_FIELD_VNIS,    // FIRST-LAST
	VG_FIELD_FACTOR,  // like cores
	VG_FIELD_NOT_YET, // reserved
};

// Which references a field's text may hold.
enum vg_field_references {
	VG_REFERENCES_NONE,
	VG_REFERENCES_VALUE, // the whole value may be one `${PARAMETER}`
	VG_REFERENCES_GRID,  // in a text: parameters, grid.*, ROLE.*
	VG_REFERENCES_NODE,  // these and node.*
};

// What the keys of a VG_FIELD_MAP_OF look like.
enum vg_field_keys { VG_KEYS_NAME, VG_KEYS_DISK, VG_KEYS_VARIABLE, VG_KEYS_PATH, VG_KEYS_LABEL };

struct vg_field {
	const char *path; // "roles.*.memory"; `[]` is an entry of a list
	enum vg_field_type type;
	enum vg_field_effect effect;
	enum vg_field_references references;
	enum vg_field_keys keys;
	bool is_quantum;
	bool is_required;
	bool is_nullable;     // may be left empty: `lan:` in a map of nics
	uint64_t min, max;    // of the value, in its unit; of maps and lists: entries; of texts:
			      // bytes (min 1: not empty)
	const char *standard; // the default as it would be written, NULL: none
	const char *const *words;  // of choices; NULL-terminated
	const char *const *one_of; // of maps: exactly one of these keys; NULL-terminated
	const char *const *at_most_one_of;
	const char *help, *example;
};

extern const struct vg_field vg_fields[];
extern const size_t vg_n_fields;

// A row belongs to the language in whose table it lies.
struct vg_language {
	const char *thing;   // what is written in it: "template", "site"
	const char *version; // the field that says so: "vgrid"
	const struct vg_field *fields; // the first row is the top
	size_t n_fields;
};

extern const struct vg_language vg_template_language; // vg_fields
extern const struct vg_language vg_site_language;     // site_language.c
const struct vg_language *vg_field_language(const struct vg_field *row);

// The row of templates of exactly this path; NULL if there is none.
const struct vg_field *vg_field_find(const char *path);
// The same in a language.
const struct vg_field *vg_language_find(const struct vg_language *language, const char *path);
// The row of a key of a map, or of a list's entries (key NULL). NULL if there is none. In a profile
// the rows of `profiles.*.roles` are those of `roles`.
const struct vg_field *vg_field_child(const struct vg_field *row, const char *key);
// The fixed keys below a row; returns how many, at most `room`.
size_t vg_field_keys(const struct vg_field *row, const struct vg_field **ret_rows, size_t room);
// The last word of the row's path.
const char *vg_field_key(const struct vg_field *row);
// Is the row a quantum, or is one below it? Only these stand in a profile.
bool vg_field_has_quantum(const struct vg_field *row);

// A scalar's text as the row's type reads it: `ret_number` is the value in its unit (bytes, bits
// per second, milliseconds, thousandths of a core, mode bits), 0 for types without one. Usage
// errors say what is wrong, their hint what would be right. Ranges are checked, references are not
// expected here.
struct vg_error *vg_field_read(
	const struct vg_field *row, const char *text, uint64_t *ret_number) VG_MUST_CHECK;
struct vg_error *vg_field_read_key(enum vg_field_keys keys, const char *key) VG_MUST_CHECK;
// A value in the spelling of the row's unit, malloc'ed.
char *vg_field_write(const struct vg_field *row, uint64_t number);
// A range of VNIs that vg_field_read() took.
void vg_field_read_vnis(const char *text, uint32_t *ret_first, uint32_t *ret_last);

// Does the type take values of this kind? And is what it reads a number?
bool vg_field_takes(enum vg_field_type type, enum vg_value_kind kind);
bool vg_field_is_number(enum vg_field_type type);

// ECMA-262 patterns for the JSON Schema that accept what vg_field_read() does, ranges apart; NULL
// for types without one.
const char *vg_field_pattern(enum vg_field_type type);
const char *vg_field_key_pattern(enum vg_field_keys keys);
// "a size such as 256MiB": for messages and pages.
const char *vg_field_type_name(enum vg_field_type type);
