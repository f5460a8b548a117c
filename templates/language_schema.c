// SPDX-License-Identifier: Apache-2.0
//
// `vgrid schema`: the table as a JSON Schema (draft 2020-12). What a schema cannot say is listed at
// the end of docs/template-language.md.
#include <string.h>

#include "base/json.h"
#include "templates/field.h"

enum { KEYS_MAX = 40 };

static const char parameter_pattern[] = "^\\$\\{[a-z][a-z0-9-]{0,30}\\}$";

static struct vg_json *value_schema(const struct vg_field *row, bool is_profile);

static struct vg_json *type_schema(const char *type)
{
	struct vg_json *schema = vg_json_object();
	vg_json_set_string(schema, "type", type);
	return schema;
}

static struct vg_json *pattern_schema(const char *pattern)
{
	struct vg_json *schema = type_schema("string");
	vg_json_set_string(schema, "pattern", pattern);
	return schema;
}

static struct vg_json *types_schema(const char *const *types, size_t n_types)
{
	struct vg_json *schema = vg_json_object(), *list = vg_json_array();
	for (size_t i = 0; i < n_types; i++)
		vg_json_push(list, vg_json_string(types[i]));
	vg_json_set(schema, "type", list);
	return schema;
}

static struct vg_json *words_schema(const struct vg_field *row)
{
	struct vg_json *schema = vg_json_object(), *list = vg_json_array();
	for (size_t i = 0; row->words[i]; i++)
		vg_json_push(list, vg_json_string(row->words[i]));
	vg_json_set(schema, "enum", list);
	return schema;
}

static struct vg_json *number_schema(const struct vg_field *row)
{
	bool is_cores = row->type == VG_FIELD_CORES || row->type == VG_FIELD_FACTOR;
	struct vg_json *schema = type_schema(is_cores ? "number" : "integer");
	// Cores are kept in thousandths; their least value is 0.01, which has no exact binary form.
	if (is_cores)
		vg_json_set_integer(schema, "exclusiveMinimum", 0);
	else
		vg_json_set_integer(schema, "minimum", (int64_t)row->min);
	if (row->max)
		vg_json_set_integer(
			schema, "maximum", (int64_t)(is_cores ? row->max / 1000 : row->max));
	return schema;
}

static struct vg_json *scalar_schema(const struct vg_field *row)
{
	static const char *const scalars[] = {"string", "number", "boolean"};
	const char *pattern = vg_field_pattern(row->type);
	if (row->type == VG_FIELD_INTEGER || row->type == VG_FIELD_CORES ||
		row->type == VG_FIELD_FACTOR)
		return number_schema(row);
	if (row->type == VG_FIELD_CHOICE)
		return words_schema(row);
	if (row->type == VG_FIELD_SCALAR)
		return types_schema(scalars, 3);
	if (row->type == VG_FIELD_VARIABLE)
		return types_schema(scalars, 2);
	struct vg_json *schema = pattern ? pattern_schema(pattern) : type_schema("string");
	if (row->type == VG_FIELD_PATH)
		vg_json_set_integer(schema, "maxLength", 255);
	else if (row->min && (row->type == VG_FIELD_TEXT || row->type == VG_FIELD_REGEX))
		vg_json_set_integer(schema, "minLength", (int64_t)row->min);
	return schema;
}

// Either of two; takes both.
static struct vg_json *either(struct vg_json *one, struct vg_json *other)
{
	struct vg_json *schema = vg_json_object(), *list = vg_json_array();
	vg_json_push(list, one);
	vg_json_push(list, other);
	vg_json_set(schema, "anyOf", list);
	return schema;
}

static struct vg_json *required_schema(const char *key)
{
	struct vg_json *schema = vg_json_object(), *keys = vg_json_array();
	vg_json_push(keys, vg_json_string(key));
	vg_json_set(schema, "required", keys);
	return schema;
}

// Exactly one of these keys, or at most one: then the last alternative is "none of them".
static void add_alternatives(struct vg_json *schema, const struct vg_field *row)
{
	const char *const *words = row->one_of ? row->one_of : row->at_most_one_of;
	struct vg_json *list = vg_json_array(), *any = vg_json_array();
	for (size_t i = 0; words && words[i]; i++) {
		vg_json_push(list, required_schema(words[i]));
		vg_json_push(any, required_schema(words[i]));
	}
	if (row->at_most_one_of) {
		struct vg_json *none = vg_json_object(), *some = vg_json_object();
		vg_json_set(some, "anyOf", any);
		vg_json_set(none, "not", some);
		vg_json_push(list, none);
	} else {
		vg_json_free(any);
	}
	if (words)
		vg_json_set(schema, "oneOf", list);
	else
		vg_json_free(list);
}

// What is only wrong together and yet can be said: `run` needs `on`, `reach` has neither it nor
// `expect`.
static void add_test_rules(struct vg_json *schema)
{
	struct vg_json *dependent = vg_json_object();
	static const struct {
		const char *key, *needs;
	} rules[] = {{"run", "on"}, {"on", "run"}, {"expect", "run"}};
	for (size_t i = 0; i < VG_LENGTH(rules); i++) {
		struct vg_json *keys = vg_json_array();
		vg_json_push(keys, vg_json_string(rules[i].needs));
		vg_json_set(dependent, rules[i].key, keys);
	}
	vg_json_set(schema, "dependentRequired", dependent);
}

static struct vg_json *map_schema(const struct vg_field *row, bool is_profile)
{
	struct vg_json *schema = type_schema("object");
	struct vg_json *properties = vg_json_object(), *required = vg_json_array();
	const struct vg_field *rows[KEYS_MAX];
	size_t n = vg_field_keys(row, rows, KEYS_MAX);
	for (size_t i = 0; i < n; i++) {
		bool is_offered = rows[i]->type != VG_FIELD_NOT_YET &&
				  (!is_profile || vg_field_has_quantum(rows[i]));
		if (!is_offered)
			continue;
		struct vg_json *child = value_schema(rows[i], is_profile);
		vg_json_set_string(child, "description", rows[i]->help);
		vg_json_set(properties, vg_field_key(rows[i]), child);
		if (rows[i]->is_required && !is_profile)
			vg_json_push(required, vg_json_string(vg_field_key(rows[i])));
	}
	vg_json_set(schema, "properties", properties);
	vg_json_set_boolean(schema, "additionalProperties", false);
	vg_json_set(schema, "required", required);
	add_alternatives(schema, row);
	if (strcmp(row->path, "tests.[]") == 0)
		add_test_rules(schema);
	return schema;
}

static struct vg_json *map_of_schema(const struct vg_field *row, bool is_profile)
{
	struct vg_json *schema = type_schema("object"), *names = vg_json_object();
	bool is_below = is_profile || strcmp(row->path, "profiles.*.roles") == 0;
	vg_json_set_string(names, "pattern", vg_field_key_pattern(row->keys));
	if (row->keys == VG_KEYS_PATH)
		vg_json_set_integer(names, "maxLength", 255);
	vg_json_set(schema, "propertyNames", names);
	vg_json_set(
		schema, "additionalProperties", value_schema(vg_field_child(row, "*"), is_below));
	if (row->min)
		vg_json_set_integer(schema, "minProperties", (int64_t)row->min);
	if (row->max)
		vg_json_set_integer(schema, "maxProperties", (int64_t)row->max);
	return schema;
}

// A list; of names each may stand once.
static struct vg_json *list_schema(const struct vg_field *row, struct vg_json *items, bool is_set)
{
	struct vg_json *schema = type_schema("array");
	vg_json_set(schema, "items", items);
	if (is_set)
		vg_json_set_boolean(schema, "uniqueItems", true);
	if (row->min)
		vg_json_set_integer(schema, "minItems", (int64_t)row->min);
	if (row->max)
		vg_json_set_integer(schema, "maxItems", (int64_t)row->max);
	return schema;
}

static struct vg_json *name_schema(void)
{
	return pattern_schema(vg_field_pattern(VG_FIELD_NAME));
}

static struct vg_json *tree_schema(const struct vg_field *row, bool is_profile)
{
	if (row->type == VG_FIELD_MAP)
		return map_schema(row, is_profile);
	if (row->type == VG_FIELD_MAP_OF || (row->type == VG_FIELD_NICS && is_profile))
		return map_of_schema(row, is_profile);
	if (row->type == VG_FIELD_NICS)
		return either(list_schema(row, name_schema(), true), map_of_schema(row, false));
	if (row->type == VG_FIELD_ROLES)
		return either(name_schema(), list_schema(row, name_schema(), true));
	if (row->type != VG_FIELD_LIST)
		return scalar_schema(row);
	const struct vg_field *child = vg_field_child(row, NULL);
	return list_schema(row, value_schema(child, is_profile), child->type == VG_FIELD_NAME);
}

static struct vg_json *value_schema(const struct vg_field *row, bool is_profile)
{
	struct vg_json *schema = tree_schema(row, is_profile);
	if (row->references == VG_REFERENCES_VALUE)
		schema = either(schema, pattern_schema(parameter_pattern));
	if (row->is_nullable)
		schema = either(schema, type_schema("null"));
	return schema;
}

static struct vg_json *whole_schema(const struct vg_field *row, const char *title)
{
	struct vg_json *schema = vg_json_object();
	vg_json_set_string(schema, "$schema", "https://json-schema.org/draft/2020-12/schema");
	vg_json_set_string(schema, "title", title);
	struct vg_json *top = map_schema(row, false);
	static const char *const keys[] = {
		"type", "properties", "additionalProperties", "required"};
	for (size_t i = 0; i < VG_LENGTH(keys); i++)
		vg_json_set(schema, keys[i], vg_json_copy(vg_json_get(top, keys[i])));
	vg_json_free(top);
	return schema;
}

struct vg_json *vg_language_schema(void)
{
	return whole_schema(vg_template_language.fields, "vgrid template, version 1");
}

struct vg_json *vg_site_language_schema(void)
{
	return whole_schema(vg_site_language.fields, "vgrid site, version 1");
}
