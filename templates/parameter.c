// SPDX-License-Identifier: Apache-2.0
#include "templates/parameter.h"

#include <string.h>

#include "base/text.h"

static const char *const type_names[] = {
	[VG_PARAMETER_INTEGER] = "integer",
	[VG_PARAMETER_STRING] = "string",
	[VG_PARAMETER_BOOLEAN] = "boolean",
	[VG_PARAMETER_SIZE] = "size",
	[VG_PARAMETER_DURATION] = "duration",
	[VG_PARAMETER_CHOICE] = "choice",
};

// Rows to read values with; without limits, which are the declaration's.
static const struct vg_field number_rows[] = {
	[VG_PARAMETER_INTEGER] = {.path = "", .type = VG_FIELD_INTEGER},
	[VG_PARAMETER_SIZE] = {.path = "", .type = VG_FIELD_SIZE},
	[VG_PARAMETER_DURATION] = {.path = "", .type = VG_FIELD_DURATION},
};

static bool is_numeric(enum vg_parameter_type type)
{
	return type == VG_PARAMETER_INTEGER || type == VG_PARAMETER_SIZE ||
	       type == VG_PARAMETER_DURATION;
}

bool vg_parameter_type(const struct vg_value *declaration, enum vg_parameter_type *ret_type)
{
	const struct vg_value *type = vg_value_get(declaration, "type");
	for (size_t i = 0; type && type->text && i < VG_LENGTH(type_names); i++) {
		if (strcmp(type->text, type_names[i]) == 0) {
			*ret_type = (enum vg_parameter_type)i;
			return true;
		}
	}
	return false;
}

const char *vg_parameter_type_name(enum vg_parameter_type type)
{
	return type_names[type];
}

static struct vg_error *check_limit(const struct vg_value *declaration, const char *key,
	enum vg_parameter_type type, const char *text, uint64_t number)
{
	const struct vg_value *limit = vg_value_get(declaration, key);
	uint64_t bound;
	if (!limit || !limit->text)
		return NULL;
	struct vg_error *error = vg_field_read(&number_rows[type], limit->text, &bound);
	if (error) {
		vg_error_ignore(error); // found where the limit stands
		return NULL;
	}
	bool is_min = strcmp(key, "min") == 0;
	if (is_min ? number >= bound : number <= bound)
		return NULL;
	return vg_error_of(VG_ERROR_USAGE, "'%.60s' is %s than its %s, %s", text,
		is_min ? "smaller" : "greater", key, limit->text);
}

static struct vg_error *read_number(
	const struct vg_value *declaration, enum vg_parameter_type type, const char *text)
{
	uint64_t number;
	struct vg_error *error = vg_field_read(&number_rows[type], text, &number);
	if (!error)
		error = check_limit(declaration, "min", type, text, number);
	if (!error)
		error = check_limit(declaration, "max", type, text, number);
	return error;
}

static struct vg_error *read_choice(const struct vg_value *declaration, const char *text)
{
	const struct vg_value *of = vg_value_get(declaration, "of");
	const char *words[256];
	size_t n_words = 0;
	for (size_t i = 0; of && i < of->n_entries && n_words < VG_LENGTH(words); i++) {
		const char *word = of->entries[i].value->text;
		if (word && strcmp(word, text) == 0)
			return NULL;
		if (word)
			words[n_words++] = word;
	}
	struct vg_error *error =
		vg_error_of(VG_ERROR_USAGE, "'%.60s' is none of its choices", text);
	const char *near = vg_text_nearest(text, words, n_words);
	if (near)
		return vg_error_hint(error, "did you mean '%s'?", near);
	_auto(vg_text) struct vg_text list = {0};
	for (size_t i = 0; i < n_words && i < 10; i++)
		vg_text_addf(&list, "%s%.60s", i ? ", " : "", words[i]);
	return vg_error_hint(error, "one of: %s", list.bytes ? list.bytes : "");
}

struct vg_error *vg_parameter_read(const struct vg_value *declaration, const char *text)
{
	enum vg_parameter_type type;
	if (!vg_parameter_type(declaration, &type))
		return NULL;
	if (is_numeric(type))
		return read_number(declaration, type, text);
	if (type == VG_PARAMETER_CHOICE)
		return read_choice(declaration, text);
	if (type == VG_PARAMETER_BOOLEAN && strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
		return vg_error_of(VG_ERROR_USAGE, "'%.60s' is neither true nor false", text);
	if (type == VG_PARAMETER_STRING && !vg_text_is_utf8(text, strlen(text)))
		return vg_error_of(VG_ERROR_USAGE, "the value is not UTF-8 text");
	return NULL;
}

struct vg_error *vg_parameter_read_value(
	const struct vg_value *declaration, const struct vg_value *value)
{
	static const enum vg_value_kind kinds[] = {
		[VG_PARAMETER_INTEGER] = VG_VALUE_INTEGER,
		[VG_PARAMETER_STRING] = VG_VALUE_STRING,
		[VG_PARAMETER_BOOLEAN] = VG_VALUE_BOOLEAN,
		[VG_PARAMETER_SIZE] = VG_VALUE_STRING,
		[VG_PARAMETER_DURATION] = VG_VALUE_STRING,
	};
	enum vg_parameter_type type;
	if (!vg_parameter_type(declaration, &type) || !value->text)
		return NULL;
	if (type == VG_PARAMETER_CHOICE || value->kind == kinds[type])
		return vg_parameter_read(declaration, value->text);
	if (type == VG_PARAMETER_SIZE || type == VG_PARAMETER_DURATION)
		return vg_parameter_read(declaration, value->text); // says which unit is missing
	struct vg_error *error =
		vg_error_of(VG_ERROR_USAGE, "'%.60s' is %s, and the parameter is %s %s",
			value->text, vg_value_kind_name(value->kind),
			type == VG_PARAMETER_INTEGER ? "an" : "a", type_names[type]);
	if (type == VG_PARAMETER_STRING)
		return vg_error_hint(error, "put it in quotes: \"%.60s\"", value->text);
	return error;
}

bool vg_parameter_fits(const struct vg_value *declaration, const struct vg_field *row)
{
	enum vg_parameter_type type;
	if (!vg_parameter_type(declaration, &type))
		return true; // found where it is declared
	if (type == VG_PARAMETER_INTEGER)
		return row->type == VG_FIELD_INTEGER || row->type == VG_FIELD_CORES;
	if (type == VG_PARAMETER_SIZE)
		return row->type == VG_FIELD_SIZE;
	if (type == VG_PARAMETER_DURATION)
		return row->type == VG_FIELD_DURATION;
	const struct vg_value *of = vg_value_get(declaration, "of");
	if (type != VG_PARAMETER_CHOICE || !of)
		return false;
	for (size_t i = 0; i < of->n_entries; i++) {
		const char *word = of->entries[i].value->text;
		uint64_t number;
		struct vg_error *error = vg_field_read(row, word ? word : "", &number);
		if (error) {
			vg_error_ignore(error);
			return false;
		}
	}
	return true;
}
