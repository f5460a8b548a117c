// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "base/crypto.h"
#include "base/ip.h"
#include "base/json.h"
#include "templates/expand.h"

static struct vg_json *write_value(const struct vg_field *row, const struct vg_value *value);

// A scalar as its value, so that `1024KiB` and `1MiB` are the same.
static struct vg_json *write_scalar(const struct vg_field *row, const char *text)
{
	uint64_t number;
	struct vg_cidr cidr;
	struct vg_ip ip;
	char spelled[VG_CIDR_LENGTH];
	struct vg_error *error = vg_field_read(row, text, &number);
	if (error) {
		vg_error_ignore(error); // a reference: it stays symbolic
		return vg_json_string(text);
	}
	if (vg_field_is_number(row->type))
		return vg_json_integer((int64_t)number);
	if (row->type == VG_FIELD_CIDR) {
		vg_error_ignore(vg_cidr_read(text, &cidr));
		vg_cidr_write(&cidr, spelled);
		text = spelled;
	} else if (row->type == VG_FIELD_ADDRESS) {
		vg_error_ignore(vg_ip_read(text, &ip));
		vg_ip_write(&ip, spelled);
		text = spelled;
	}
	return vg_json_string(text);
}

// Is it no more than what holds when it is not there?
static bool is_standard(const struct vg_field *row, const struct vg_json *json)
{
	bool is_tree = row->type == VG_FIELD_MAP || row->type == VG_FIELD_MAP_OF ||
		       row->type == VG_FIELD_LIST || row->type == VG_FIELD_NICS;
	if (is_tree)
		return vg_json_length(json) == 0;
	if (!row->standard)
		return false;
	_auto(vg_json) struct vg_json *standard = write_scalar(row, row->standard);
	return vg_json_equal(json, standard);
}

static struct vg_json *write_map(const struct vg_field *row, const struct vg_value *map)
{
	struct vg_json *object = vg_json_object();
	for (size_t i = 0; i < map->n_entries; i++) {
		const struct vg_entry *entry = &map->entries[i];
		const struct vg_field *child = vg_field_child(row, entry->key);
		bool is_fixed = row->type == VG_FIELD_MAP;
		// How many is a quantum; that the nodes are numbered is not.
		if (strcmp(child->path, "roles.*.count") == 0)
			vg_json_set_boolean(object, entry->key, true);
		if (child->is_quantum)
			continue;
		struct vg_json *json = write_value(child, entry->value);
		if (is_fixed && is_standard(child, json))
			vg_json_free(json);
		else
			vg_json_set(object, entry->key, json);
	}
	return object;
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

// Nics are in the order of a list, or of the names in a map, whose order says nothing.
static struct vg_json *write_nics(const struct vg_field *row, const struct vg_value *nics)
{
	struct vg_json *array = vg_json_array();
	const char *names[16];
	size_t n = 0;
	for (; n < nics->n_entries && n < VG_LENGTH(names); n++) {
		const struct vg_entry *entry = &nics->entries[n];
		names[n] = entry->key ? entry->key : entry->value->text;
	}
	if (nics->kind == VG_VALUE_MAP)
		qsort(names, n, sizeof(*names), compare_keys);
	for (size_t i = 0; i < n; i++) {
		const struct vg_value *value = vg_value_get(nics, names[i]);
		struct vg_json *json = value && value->kind == VG_VALUE_MAP
					       ? write_map(vg_field_child(row, names[i]), value)
					       : vg_json_object();
		vg_json_set_string(json, "network", names[i]);
		vg_json_push(array, json);
	}
	return array;
}

// The roles that one waits for are a set.
static struct vg_json *write_list(const struct vg_field *row, const struct vg_value *list)
{
	struct vg_json *array = vg_json_array();
	const struct vg_field *child = vg_field_child(row, NULL);
	const char *names[64];
	bool is_set = child->type == VG_FIELD_NAME;
	size_t n = 0;
	for (; is_set && n < list->n_entries && n < VG_LENGTH(names); n++)
		names[n] = list->entries[n].value->text;
	if (is_set)
		qsort(names, n, sizeof(*names), compare_keys);
	for (size_t i = 0; i < n; i++)
		vg_json_push(array, vg_json_string(names[i]));
	for (size_t i = 0; !is_set && i < list->n_entries; i++)
		vg_json_push(array, write_value(child, list->entries[i].value));
	return array;
}

static struct vg_json *write_value(const struct vg_field *row, const struct vg_value *value)
{
	if (value->kind == VG_VALUE_NULL)
		return vg_json_object();
	if (row->type == VG_FIELD_NICS)
		return write_nics(row, value);
	if (value->kind == VG_VALUE_MAP)
		return write_map(row, value);
	if (value->kind == VG_VALUE_LIST)
		return write_list(row, value);
	return write_scalar(row, value->text);
}

const char *vg_topology_hash(struct vg_arena *arena, const struct vg_value *root)
{
	char hex[VG_SHA256_HEX];
	_auto(vg_json) struct vg_json *json = write_value(&vg_fields[0], root);
	_auto(vg_string) char *text = vg_json_write_canonical(json);
	vg_sha256_hex(text, strlen(text), hex);
	return vg_arena_strdup(arena, hex);
}
