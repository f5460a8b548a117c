// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"

#include <json-c/json.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

enum { JSON_SIZE_MAX = 64 << 20, JSON_DEPTH_MAX = 64 };

// struct vg_json is json-c's object under our name.
static struct json_object *of(const struct vg_json *json)
{
	return (struct json_object *)json;
}

static struct vg_json *ours(struct json_object *object)
{
	return (struct vg_json *)object;
}

void vg_json_free(struct vg_json *json)
{
	if (json)
		json_object_put(of(json));
}

struct vg_json *vg_json_object(void)
{
	return ours(json_object_new_object());
}

struct vg_json *vg_json_array(void)
{
	return ours(json_object_new_array());
}

struct vg_json *vg_json_string(const char *text)
{
	return text ? ours(json_object_new_string(text)) : NULL;
}

struct vg_json *vg_json_integer(int64_t value)
{
	return ours(json_object_new_int64(value));
}

struct vg_json *vg_json_boolean(bool value)
{
	return ours(json_object_new_boolean(value));
}

struct vg_json *vg_json_copy(const struct vg_json *json)
{
	struct json_object *copy = NULL;
	if (json && json_object_deep_copy(of(json), &copy, NULL) < 0)
		abort();
	return ours(copy);
}

void vg_json_set(struct vg_json *object, const char *key, struct vg_json *value)
{
	json_object_object_add(of(object), key, of(value));
}

void vg_json_push(struct vg_json *array, struct vg_json *value)
{
	json_object_array_add(of(array), of(value));
}

void vg_json_set_string(struct vg_json *object, const char *key, const char *text)
{
	vg_json_set(object, key, vg_json_string(text));
}

void vg_json_set_integer(struct vg_json *object, const char *key, int64_t value)
{
	vg_json_set(object, key, vg_json_integer(value));
}

void vg_json_set_boolean(struct vg_json *object, const char *key, bool value)
{
	vg_json_set(object, key, vg_json_boolean(value));
}

void vg_json_delete(struct vg_json *object, const char *key)
{
	json_object_object_del(of(object), key);
}

bool vg_json_is_object(const struct vg_json *json)
{
	return json_object_is_type(of(json), json_type_object);
}

bool vg_json_is_array(const struct vg_json *json)
{
	return json_object_is_type(of(json), json_type_array);
}

bool vg_json_is_string(const struct vg_json *json)
{
	return json_object_is_type(of(json), json_type_string);
}

bool vg_json_is_integer(const struct vg_json *json)
{
	return json_object_is_type(of(json), json_type_int);
}

struct vg_json *vg_json_get(const struct vg_json *object, const char *key)
{
	struct json_object *value = NULL;
	if (!vg_json_is_object(object) || !json_object_object_get_ex(of(object), key, &value))
		return NULL;
	return ours(value);
}

const char *vg_json_get_string(const struct vg_json *object, const char *key, const char *fallback)
{
	return vg_json_text(vg_json_get(object, key), fallback);
}

int64_t vg_json_get_integer(const struct vg_json *object, const char *key, int64_t fallback)
{
	return vg_json_number(vg_json_get(object, key), fallback);
}

bool vg_json_get_boolean(const struct vg_json *object, const char *key, bool fallback)
{
	return vg_json_truth(vg_json_get(object, key), fallback);
}

size_t vg_json_length(const struct vg_json *json)
{
	if (vg_json_is_array(json))
		return json_object_array_length(of(json));
	return vg_json_is_object(json) ? (size_t)json_object_object_length(of(json)) : 0;
}

struct vg_json *vg_json_at(const struct vg_json *array, size_t i)
{
	bool is_there = vg_json_is_array(array) && i < vg_json_length(array);
	return is_there ? ours(json_object_array_get_idx(of(array), i)) : NULL;
}

const char *vg_json_text(const struct vg_json *json, const char *fallback)
{
	return vg_json_is_string(json) ? json_object_get_string(of(json)) : fallback;
}

int64_t vg_json_number(const struct vg_json *json, int64_t fallback)
{
	return vg_json_is_integer(json) ? json_object_get_int64(of(json)) : fallback;
}

bool vg_json_truth(const struct vg_json *json, bool fallback)
{
	return json_object_is_type(of(json), json_type_boolean) ? json_object_get_boolean(of(json))
								: fallback;
}

void vg_json_each(const struct vg_json *object,
	void (*visit)(const char *key, struct vg_json *value, void *data), void *data)
{
	if (!vg_json_is_object(object))
		return;
	json_object_object_foreach(of(object), key, value)
	{
		visit(key, ours(value), data);
	}
}

bool vg_json_equal(const struct vg_json *a, const struct vg_json *b)
{
	return json_object_equal(of(a), of(b));
}

struct vg_error *vg_json_read(const char *bytes, size_t size, struct vg_json **ret_json)
{
	if (size > JSON_SIZE_MAX)
		return vg_error_new("larger than 64 MiB");
	if (!vg_text_is_utf8(bytes, size))
		return vg_error_new("not valid UTF-8");
	struct json_tokener *tokener = json_tokener_new_ex(JSON_DEPTH_MAX);
	if (!tokener)
		abort();
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	struct json_object *object = json_tokener_parse_ex(tokener, bytes, (int)size);
	size_t end = json_tokener_get_parse_end(tokener);
	if (json_tokener_get_error(tokener) == json_tokener_continue) // a number ends at the NUL
		object = json_tokener_parse_ex(tokener, "", 1);
	enum json_tokener_error fault = json_tokener_get_error(tokener);
	json_tokener_free(tokener);
	while (end < size && bytes[end] && strchr(" \t\r\n", bytes[end]))
		end++;
	if (fault == json_tokener_success && end == size) {
		*ret_json = ours(object);
		return NULL;
	}
	json_object_put(object);
	if (fault == json_tokener_continue || fault == json_tokener_error_parse_eof)
		return vg_error_new("the JSON ends too early, after %zu bytes", size);
	return vg_error_new("not JSON at byte %zu: %s", end,
		fault == json_tokener_success ? "something follows it"
					      : json_tokener_error_desc(fault));
}

static char *serialise(const struct vg_json *json, int flags)
{
	return vg_strdup(json_object_to_json_string_ext(
		of(json), flags | JSON_C_TO_STRING_NOSLASHESCAPE));
}

char *vg_json_write(const struct vg_json *json)
{
	return serialise(json, JSON_C_TO_STRING_PLAIN);
}

char *vg_json_write_pretty(const struct vg_json *json)
{
	_auto(vg_string) char *text =
		serialise(json, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED);
	return vg_format("%s\n", text);
}

struct entry {
	const char *key;
	const struct vg_json *value;
};

static int compare_keys(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->key, ((const struct entry *)b)->key);
}

static void add_canonical(struct vg_text *text, const struct vg_json *json);

// A text without anything to escape is written as it is; json-c knows the rest.
static void add_string(struct vg_text *text, const char *string)
{
	const unsigned char *at = (const unsigned char *)string;
	while (*at >= 0x20 && *at < 0x7f && *at != '"' && *at != '\\' && *at != '/')
		at++;
	if (!*at) {
		vg_text_add(text, "\"");
		vg_text_add_bytes(text, string, (size_t)((const char *)at - string));
		vg_text_add(text, "\"");
		return;
	}
	_auto(vg_json) struct vg_json *json = vg_json_string(string);
	_auto(vg_string) char *quoted = vg_json_write(json);
	vg_text_add(text, quoted);
}

static void add_object(struct vg_text *text, const struct vg_json *json)
{
	size_t n_entries = 0;
	struct entry *entries = vg_alloc((vg_json_length(json) + 1) * sizeof(*entries));
	json_object_object_foreach(of(json), key, value)
	{
		entries[n_entries++] = (struct entry){key, (const struct vg_json *)value};
	}
	qsort(entries, n_entries, sizeof(*entries), compare_keys);
	vg_text_add(text, "{");
	for (size_t i = 0; i < n_entries; i++) {
		vg_text_add(text, i ? "," : "");
		add_string(text, entries[i].key);
		vg_text_add(text, ":");
		add_canonical(text, entries[i].value);
	}
	vg_text_add(text, "}");
	free(entries);
}

static void add_canonical(struct vg_text *text, const struct vg_json *json)
{
	if (vg_json_is_object(json)) {
		add_object(text, json);
		return;
	}
	const char *string = vg_json_text(json, NULL);
	if (string && strlen(string) == (size_t)json_object_get_string_len(of(json))) {
		add_string(text, string);
		return;
	}
	if (!vg_json_is_array(json)) {
		_auto(vg_string) char *plain = vg_json_write(json);
		vg_text_add(text, plain);
		return;
	}
	vg_text_add(text, "[");
	for (size_t i = 0; i < vg_json_length(json); i++) {
		vg_text_add(text, i ? "," : "");
		add_canonical(text, vg_json_at(json, i));
	}
	vg_text_add(text, "]");
}

char *vg_json_write_canonical(const struct vg_json *json)
{
	struct vg_text text = {0};
	add_canonical(&text, json);
	return vg_text_take(&text);
}
