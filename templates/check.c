// SPDX-License-Identifier: Apache-2.0
#include "templates/check.h"

#include <inttypes.h>
#include <string.h>

enum { KEYS_MAX = 40 };

struct vg_finding *vg_check_fault(
	struct vg_check *check, struct vg_value *value, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	_auto(vg_string) char *message = vg_vformat(format, arguments);
	va_end(arguments);
	value->is_faulty = true;
	return vg_finding_add(check->findings, value->place, "%s", message);
}

void vg_check_error(struct vg_check *check, struct vg_value *value, struct vg_error *error)
{
	if (!error)
		return;
	struct vg_finding *finding = vg_check_fault(check, value, "%s", vg_error_message(error));
	if (vg_error_remedy(error))
		vg_finding_hint(finding, "%s", vg_error_remedy(error));
	vg_error_free(error);
}

// Findings beyond the bound are counted, not kept: no need to think of what would be right.
static bool is_overfull(const struct vg_check *check)
{
	return check->findings->n_found > VG_FINDINGS_MAX;
}

void vg_check_suggest(struct vg_check *check, struct vg_finding *finding, const char *what,
	const char *wrong, const struct vg_map *declared)
{
	if (is_overfull(check))
		return;
	size_t n = vg_map_size(declared);
	const char **names = vg_alloc((n + 1) * sizeof(*names));
	for (size_t i = 0; i < n; i++)
		names[i] = vg_map_key_at(declared, i);
	const char *near = vg_text_nearest(wrong, names, n);
	_auto(vg_text) struct vg_text list = {0};
	for (size_t i = 0; i < n && i < 8; i++)
		vg_text_addf(&list, "%s%s", i ? ", " : "", names[i]);
	if (near)
		vg_finding_hint(finding, "did you mean '%s'?", near);
	else if (n)
		vg_finding_hint(finding, "there %s: %s%s", n == 1 ? "is" : "are", list.bytes,
			n > 8 ? ", …" : "");
	else
		vg_finding_hint(finding, "there is no %s at all", what);
	free(names);
}

void vg_check_unknown(struct vg_check *check, struct vg_value *value, const char *what,
	const char *name, const struct vg_map *declared)
{
	struct vg_finding *finding = vg_check_fault(check, value, "unknown %s '%.60s'", what, name);
	vg_check_suggest(check, finding, what, name, declared);
}

const char *vg_check_word(const struct vg_value *map, const char *key)
{
	const struct vg_value *value = vg_value_get(map, key);
	return value && !value->is_faulty ? value->text : NULL;
}

struct vg_value *vg_check_tree(const struct vg_value *map, const char *key)
{
	struct vg_value *value = vg_value_get(map, key);
	bool is_tree = value && !value->is_faulty && value->n_entries;
	return is_tree ? value : NULL;
}

static void check_value(struct vg_check *check, const struct vg_field *row, struct vg_value *value,
	bool is_profile);

// Goes one step down the path and back.
static void check_below(struct vg_check *check, const struct vg_field *row, const char *key,
	struct vg_value *value, bool is_profile)
{
	size_t length = check->path.length;
	vg_text_addf(&check->path, "%s%.60s", length ? "." : "", key);
	check_value(check, row, value, is_profile);
	check->path.length = length;
	check->path.bytes[length] = '\0';
}

// The keys that may stand in a map, in the order of the table.
static size_t allowed_keys(const struct vg_field *row, bool is_profile, const char **ret_keys)
{
	const struct vg_field *rows[KEYS_MAX];
	size_t n_rows = vg_field_keys(row, rows, KEYS_MAX), n = 0;
	for (size_t i = 0; i < n_rows; i++) {
		bool is_offered = rows[i]->type != VG_FIELD_NOT_YET &&
				  (!is_profile || vg_field_has_quantum(rows[i]));
		if (is_offered)
			ret_keys[n++] = vg_field_key(rows[i]);
	}
	return n;
}

static void hint_keys(struct vg_check *check, struct vg_finding *finding,
	const struct vg_field *row, bool is_profile, const char *wrong)
{
	const char *keys[KEYS_MAX];
	if (is_overfull(check))
		return;
	size_t n = allowed_keys(row, is_profile, keys);
	const char *near = wrong ? vg_text_nearest(wrong, keys, n) : NULL;
	if (near) {
		vg_finding_hint(finding, "did you mean '%s'?", near);
		return;
	}
	_auto(vg_text) struct vg_text list = {0};
	for (size_t i = 0; i < n; i++)
		vg_text_addf(&list, "%s%s", i ? ", " : "", keys[i]);
	vg_finding_hint(finding, "known here: %s", list.bytes ? list.bytes : "nothing");
}

static void refuse_key(struct vg_check *check, const struct vg_field *row,
	const struct vg_entry *entry, const struct vg_field *child, bool is_profile)
{
	struct vg_finding *finding;
	entry->value->is_faulty = true;
	if (child) {
		finding = vg_finding_add(check->findings, entry->place,
			"a profile changes only quanta, and '%.60s' is topology", entry->key);
		hint_keys(check, finding, row, is_profile, NULL);
		return;
	}
	if (check->path.length)
		finding = vg_finding_add(check->findings, entry->place,
			"unknown field '%.60s' in '%s'", entry->key, check->path.bytes);
	else
		finding = vg_finding_add(
			check->findings, entry->place, "unknown field '%.60s'", entry->key);
	hint_keys(check, finding, row, is_profile, entry->key);
}

// Of what the row says must be there: required fields, one of several.
static void check_presence(struct vg_check *check, const struct vg_field *row, struct vg_value *map)
{
	const struct vg_field *rows[KEYS_MAX];
	size_t n_rows = vg_field_keys(row, rows, KEYS_MAX);
	for (size_t i = 0; i < n_rows; i++) {
		const char *key = vg_field_key(rows[i]);
		if (!rows[i]->is_required || vg_value_entry(map, key))
			continue;
		struct vg_finding *finding = vg_finding_add(check->findings, map->place,
			"'%s' is missing%s%s%s", key, check->path.length ? " in '" : "",
			check->path.length ? check->path.bytes : "", check->path.length ? "'" : "");
		if (rows[i]->example)
			vg_finding_hint(finding, "for example '%s: %s'", key, rows[i]->example);
	}
}

static void check_alternatives(
	struct vg_check *check, const struct vg_field *row, struct vg_value *map)
{
	const char *const *words = row->one_of ? row->one_of : row->at_most_one_of;
	const struct vg_entry *first = NULL;
	_auto(vg_text) struct vg_text list = {0};
	for (size_t i = 0; words && words[i]; i++) {
		vg_text_addf(&list, "%s%s", i == 0 ? "" : words[i + 1] ? ", " : " or ", words[i]);
		const struct vg_entry *entry = vg_value_entry(map, words[i]);
		if (entry && first) {
			entry->value->is_faulty = true;
			vg_finding_also(
				vg_finding_add(check->findings, entry->place,
					"'%s' and '%s' exclude each other", first->key, entry->key),
				first->place, "'%s' is given here", first->key);
		}
		first = first ? first : entry;
	}
	if (row->one_of && !first)
		vg_finding_add(check->findings, map->place, "'%s' needs %s", check->path.bytes,
			list.bytes);
}

static void check_map(
	struct vg_check *check, const struct vg_field *row, struct vg_value *map, bool is_profile)
{
	for (size_t i = 0; i < map->n_entries; i++) {
		const struct vg_entry *entry = &map->entries[i];
		const struct vg_field *child = vg_field_child(row, entry->key);
		if (strcmp(entry->key, "<<") == 0)
			continue; // found by the document
		if (!child || (is_profile && !vg_field_has_quantum(child)))
			refuse_key(check, row, entry, child, is_profile);
		else
			check_below(check, child, entry->key, entry->value, is_profile);
	}
	if (!is_profile)
		check_presence(check, row, map);
	check_alternatives(check, row, map);
}

static void check_size(struct vg_check *check, const struct vg_field *row, struct vg_value *value)
{
	if (value->n_entries < row->min)
		vg_check_fault(check, value, "'%s' is empty", check->path.bytes);
	if (row->max && value->n_entries > row->max)
		vg_check_fault(check, value,
			"'%s' has %zu entries, and at most %" PRIu64 " are allowed",
			check->path.bytes, value->n_entries, row->max);
}

static void check_map_of(
	struct vg_check *check, const struct vg_field *row, struct vg_value *map, bool is_profile)
{
	bool is_profile_roles = strcmp(row->path, "profiles.*.roles") == 0;
	check_size(check, row, map);
	for (size_t i = 0; i < map->n_entries && !map->is_faulty; i++) {
		const struct vg_entry *entry = &map->entries[i];
		struct vg_error *error = vg_field_read_key(row->keys, entry->key);
		if (error) {
			struct vg_value at = {.place = entry->place};
			vg_check_error(check, &at, error);
			entry->value->is_faulty = true;
			continue;
		}
		check_below(check, vg_field_child(row, entry->key), entry->key, entry->value,
			is_profile || is_profile_roles);
	}
}

// A list of entries, each of which may be a word (nics, roles) or whatever the row below says.
static void check_list(struct vg_check *check, const struct vg_field *row, struct vg_value *list)
{
	static const struct vg_field name = {.path = "", .type = VG_FIELD_NAME};
	const struct vg_field *child =
		row->type == VG_FIELD_LIST ? vg_field_child(row, NULL) : &name;
	check_size(check, row, list);
	for (size_t i = 0; i < list->n_entries && !list->is_faulty; i++) {
		_auto(vg_string) char *index = vg_format("[%zu]", i);
		check_below(check, child, index, list->entries[i].value, false);
		if (child->type != VG_FIELD_NAME || !list->entries[i].value->text)
			continue;
		for (size_t k = 0; k < i; k++) {
			struct vg_value *one = list->entries[i].value,
					*other = list->entries[k].value;
			if (!vg_text_equal(one->text, other->text))
				continue;
			vg_finding_also(
				vg_check_fault(check, one, "'%.60s' is given twice", one->text),
				other->place, "first given here");
			break;
		}
	}
}

static void refuse_kind(struct vg_check *check, const struct vg_field *row, struct vg_value *value)
{
	struct vg_finding *finding;
	if (!check->path.length) {
		const struct vg_language *language = vg_field_language(row);
		vg_finding_hint(vg_check_fault(check, value, "a %s must be %s, not %s",
					language->thing, vg_field_type_name(row->type),
					vg_value_kind_name(value->kind)),
			"a %s begins with '%s: 1'", language->thing, language->version);
		return;
	}
	if (value->kind == VG_VALUE_NULL)
		finding = vg_check_fault(check, value, "'%s' is empty", check->path.bytes);
	else
		finding = vg_check_fault(check, value, "'%s' must be %s, not %s", check->path.bytes,
			vg_field_type_name(row->type), vg_value_kind_name(value->kind));
	bool is_scalar = value->kind == VG_VALUE_INTEGER || value->kind == VG_VALUE_NUMBER ||
			 value->kind == VG_VALUE_BOOLEAN;
	bool is_quotable = row->type == VG_FIELD_TEXT || row->type == VG_FIELD_VARIABLE ||
			   row->type == VG_FIELD_REGEX || row->type == VG_FIELD_MODE;
	uint64_t number;
	if (is_scalar && (row->type == VG_FIELD_SIZE || row->type == VG_FIELD_RATE ||
				 row->type == VG_FIELD_DURATION)) {
		struct vg_error *error = vg_field_read(row, value->text, &number);
		if (error && vg_error_remedy(error))
			vg_finding_hint(finding, "%s", vg_error_remedy(error));
		vg_error_ignore(error);
	} else if (is_scalar && is_quotable) {
		vg_finding_hint(finding, "put it in quotes: \"%.60s\"", value->text);
	} else if (value->kind == VG_VALUE_STRING && row->type == VG_FIELD_INTEGER &&
		   *value->text && strspn(value->text, "0123456789") == strlen(value->text)) {
		vg_finding_hint(finding, "without quotes: %.60s", value->text);
	} else if (row->example) {
		vg_finding_hint(finding, "for example %s", row->example);
	}
}

static void check_scalar(struct vg_check *check, const struct vg_field *row, struct vg_value *value)
{
	uint64_t number;
	if (row->references == VG_REFERENCES_VALUE && value->kind == VG_VALUE_STRING &&
		strstr(value->text, "${")) {
		vg_check_parameter_value(check, row, value);
		return;
	}
	if (!vg_field_takes(row->type, value->kind)) {
		refuse_kind(check, row, value);
		return;
	}
	if (row->references == VG_REFERENCES_GRID || row->references == VG_REFERENCES_NODE) {
		vg_check_text(check, row, value);
		return;
	}
	struct vg_error *error = vg_field_read(row, value->text, &number);
	if (error && strstr(value->text, "${") && vg_error_kind(error) == VG_ERROR_USAGE)
		error = vg_error_hint(error, "no reference can stand here");
	vg_check_error(check, value, error);
}

static void check_value(
	struct vg_check *check, const struct vg_field *row, struct vg_value *value, bool is_profile)
{
	if (value->is_faulty)
		return;
	if (row->type == VG_FIELD_NOT_YET) {
		vg_finding_hint(vg_check_fault(check, value, "'%s' is not yet part of the language",
					check->path.bytes),
			"the word is reserved: %s", row->help);
		return;
	}
	if (value->kind == VG_VALUE_NULL && row->is_nullable)
		return;
	bool is_tree = value->kind == VG_VALUE_MAP || value->kind == VG_VALUE_LIST;
	if (!is_tree) {
		check_scalar(check,
			row->type == VG_FIELD_ROLES ? &(struct vg_field){.path = row->path,
							      .type = VG_FIELD_NAME,
							      .example = row->example}
						    : row,
			value);
		return;
	}
	if (!vg_field_takes(row->type, value->kind) ||
		(is_profile && row->type == VG_FIELD_NICS && value->kind == VG_VALUE_LIST)) {
		refuse_kind(check, row, value);
		return;
	}
	if (value->kind == VG_VALUE_LIST)
		check_list(check, row, value);
	else if (row->type == VG_FIELD_MAP)
		check_map(check, row, value, is_profile);
	else
		check_map_of(check, row, value, is_profile);
}

void vg_check_fields(struct vg_check *check, const struct vg_field *top)
{
	check_value(check, top, check->root, false);
}

static struct vg_map *declared(const struct vg_value *root, const char *key)
{
	struct vg_map *map = vg_map_new();
	const struct vg_value *value = vg_value_get(root, key);
	for (size_t i = 0; value && value->kind == VG_VALUE_MAP && i < value->n_entries; i++)
		vg_map_set(map, value->entries[i].key, &value->entries[i]);
	return map;
}

void vg_check_document(struct vg_value *root, struct vg_findings *findings)
{
	struct vg_check check = {.findings = findings, .root = root};
	check.parameters = declared(root, "parameters");
	check.images = declared(root, "images");
	check.networks = declared(root, "networks");
	check.roles = declared(root, "roles");
	vg_text_add(&check.path, "");
	vg_check_fields(&check, &vg_fields[0]);
	vg_check_parameters(&check);
	vg_check_images(&check);
	vg_check_networks(&check);
	vg_check_roles(&check);
	vg_check_profiles(&check);
	vg_check_tests(&check);
	vg_text_done(&check.path);
	vg_map_free(check.parameters);
	vg_map_free(check.images);
	vg_map_free(check.networks);
	vg_map_free(check.roles);
}
