// SPDX-License-Identifier: Apache-2.0
//
// JSON: records, domain metadata, agent messages, `-o json`. The only door to json-c.
//
// Getters take NULL and wrong types and then yield the fallback: a reader of records asks for what
// it knows and checks what it must have. Numbers are 64-bit integers; the language has no others.
#pragma once

#include "base/error.h"

struct vg_json; // an object, array, string, number, boolean; NULL is null

void vg_json_free(struct vg_json *json);
VG_AUTO(vg_json);

struct vg_json *vg_json_object(void);
struct vg_json *vg_json_array(void);
struct vg_json *vg_json_string(const char *text); // NULL gives null
struct vg_json *vg_json_integer(int64_t value);
struct vg_json *vg_json_boolean(bool value);
struct vg_json *vg_json_copy(const struct vg_json *json); // deep

// Both take over `value`. set replaces; set of a NULL value stores null.
void vg_json_set(struct vg_json *object, const char *key, struct vg_json *value);
void vg_json_push(struct vg_json *array, struct vg_json *value);
void vg_json_set_string(struct vg_json *object, const char *key, const char *text);
void vg_json_set_integer(struct vg_json *object, const char *key, int64_t value);
void vg_json_set_boolean(struct vg_json *object, const char *key, bool value);
void vg_json_delete(struct vg_json *object, const char *key);

bool vg_json_is_object(const struct vg_json *json);
bool vg_json_is_array(const struct vg_json *json);
bool vg_json_is_string(const struct vg_json *json);
bool vg_json_is_integer(const struct vg_json *json);

// All results are borrowed from the object.
struct vg_json *vg_json_get(const struct vg_json *object, const char *key); // NULL if not there
const char *vg_json_get_string(const struct vg_json *object, const char *key, const char *fallback);
int64_t vg_json_get_integer(const struct vg_json *object, const char *key, int64_t fallback);
bool vg_json_get_boolean(const struct vg_json *object, const char *key, bool fallback);

size_t vg_json_length(const struct vg_json *array_or_object); // entries; 0 for others
struct vg_json *vg_json_at(const struct vg_json *array, size_t i); // NULL if no array, or too short
// The value of a string, number or boolean itself.
const char *vg_json_text(const struct vg_json *json, const char *fallback);
int64_t vg_json_number(const struct vg_json *json, int64_t fallback);
bool vg_json_truth(const struct vg_json *json, bool fallback);

// Calls visit for each entry of an object, in order of insertion.
void vg_json_each(const struct vg_json *object,
	void (*visit)(const char *key, struct vg_json *value, void *data), void *data);

bool vg_json_equal(const struct vg_json *a, const struct vg_json *b);

// Strict UTF-8 JSON of at most 64 MiB and depth 64, nothing behind it. Foreign bytes are welcome.
struct vg_error *vg_json_read(const char *bytes, size_t size, struct vg_json **ret_json)
	VG_MUST_CHECK;
// One line without spaces, keys in the order they were set. malloc'ed.
char *vg_json_write(const struct vg_json *json);
// Indented, ends in a newline: for people and `-o json`. malloc'ed.
char *vg_json_write_pretty(const struct vg_json *json);
// Like vg_json_write with keys sorted by byte: the same value always gives the same bytes, to hash
// and compare (in the spirit of RFC 8785). malloc'ed.
char *vg_json_write_canonical(const struct vg_json *json);
