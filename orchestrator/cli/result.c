// SPDX-License-Identifier: Apache-2.0
#include "orchestrator/cli/result.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

static char *format_of(const struct vg_command *command)
{
	char *format = vg_format("vgrid/%s/1", command->verb);
	for (char *at = format; *at; at++)
		*at = *at == ' ' ? '-' : *at;
	return format;
}

struct vg_json *vg_result_new(const struct vg_command *command)
{
	_auto(vg_string) char *format = format_of(command);
	struct vg_json *result = vg_json_object();
	vg_json_set_string(result, "format", format);
	return result;
}

void vg_result_print(const struct vg_json *result)
{
	_auto(vg_string) char *text = vg_json_write_pretty(result);
	fputs(text, stdout);
}

static void set_type(struct vg_json *schema, const char *type)
{
	if (!vg_text_ends(type, "?")) {
		vg_json_set_string(schema, "type", type);
		return;
	}
	_auto(vg_string) char *name = vg_strndup(type, strlen(type) - 1);
	struct vg_json *types = vg_json_array();
	vg_json_push(types, vg_json_string(name));
	vg_json_push(types, vg_json_string("null"));
	vg_json_set(schema, "type", types);
}

// The schema of an object's property, made when it is not there yet.
static struct vg_json *property(struct vg_json *object, const char *name, bool is_required)
{
	bool is_any = strcmp(name, "*") == 0;
	struct vg_json *all = is_any ? object : vg_json_get(object, "properties");
	const char *key = is_any ? "additionalProperties" : name;
	struct vg_json *found = vg_json_get(all, key);
	if (vg_json_is_object(found))
		return found;
	found = vg_json_object();
	vg_json_set(all, key, found);
	if (!is_any && is_required)
		vg_json_push(vg_json_get(object, "required"), vg_json_string(name));
	return found;
}

// Turns a property's schema into that of a list or an object and goes one step in.
static struct vg_json *inner(struct vg_json *schema, bool is_list)
{
	if (is_list) {
		vg_json_set_string(schema, "type", "array");
		if (!vg_json_get(schema, "items"))
			vg_json_set(schema, "items", vg_json_object());
		return vg_json_get(schema, "items");
	}
	if (!vg_json_get(schema, "properties")) {
		vg_json_set_string(schema, "type", "object");
		vg_json_set(schema, "properties", vg_json_object());
		vg_json_set(schema, "required", vg_json_array());
		vg_json_set_boolean(schema, "additionalProperties", false);
	}
	return schema;
}

static void add_field(struct vg_json *root, const struct vg_result_field *field)
{
	_auto(vg_string) char *path = vg_strdup(field->path);
	struct vg_json *at = root;
	char *rest = NULL;
	for (char *part = strtok_r(path, ".", &rest); part; part = strtok_r(NULL, ".", &rest)) {
		bool is_required = !vg_text_ends(part, "?");
		if (!is_required)
			part[strlen(part) - 1] = '\0';
		bool is_list = vg_text_ends(part, "[]");
		if (is_list)
			part[strlen(part) - 2] = '\0';
		at = property(inner(at, false), part, is_required);
		if (is_list)
			at = inner(at, true);
	}
	set_type(at, field->type);
	vg_json_set_string(at, "description", field->help);
}

struct vg_json *vg_result_schema(const struct vg_command *command)
{
	_auto(vg_string) char *format = format_of(command);
	struct vg_json *schema = vg_json_object();
	vg_json_set_string(schema, "$schema", "https://json-schema.org/draft/2020-12/schema");
	vg_json_set_string(schema, "title", format);
	inner(schema, false);
	struct vg_json *constant = property(schema, "format", true);
	vg_json_set_string(constant, "const", format);
	for (const struct vg_result_field *field = command->result; field->path; field++)
		add_field(schema, field);
	return schema;
}
