// SPDX-License-Identifier: Apache-2.0
#include "templates/check.h"

#include <string.h>

#include "templates/parameter.h"

static const struct vg_value *declaration(const struct vg_map *map, const char *name)
{
	const struct vg_entry *entry = vg_map_get(map, name);
	return entry ? entry->value : NULL;
}

void vg_check_parameter_value(
	struct vg_check *check, const struct vg_field *row, struct vg_value *value)
{
	char name[VG_REFERENCE_NAME_SIZE];
	if (!vg_reference_is_parameter(value->text, name)) {
		vg_finding_hint(vg_check_fault(check, value,
					"'%s' takes %s, or one parameter and nothing else",
					check->path.bytes, vg_field_type_name(row->type)),
			"for example %s", row->example);
		return;
	}
	const struct vg_entry *entry = vg_map_get(check->parameters, name);
	if (!entry) {
		vg_check_unknown(check, value, "parameter", name, check->parameters);
		return;
	}
	enum vg_parameter_type type;
	if (vg_parameter_fits(entry->value, row) || !vg_parameter_type(entry->value, &type))
		return;
	vg_finding_also(vg_check_fault(check, value, "'%s' takes %s, and '%s' is of type %s",
				check->path.bytes, vg_field_type_name(row->type), name,
				vg_parameter_type_name(type)),
		entry->place, "declared here");
}

static void check_role(
	struct vg_check *check, struct vg_value *value, const struct vg_reference *part)
{
	if (!declaration(check->roles, part->subject))
		vg_check_unknown(check, value, "role", part->subject, check->roles);
}

static void check_address(
	struct vg_check *check, struct vg_value *value, const struct vg_reference *part)
{
	const struct vg_value *role = declaration(check->roles, part->subject);
	check_role(check, value, part);
	if (!declaration(check->networks, part->network))
		vg_check_unknown(check, value, "network", part->network, check->networks);
	if (!role || value->is_faulty)
		return;
	const struct vg_value *nics = vg_value_get(role, "nics");
	bool is_on = false;
	for (size_t i = 0; nics && i < nics->n_entries; i++) {
		const struct vg_entry *nic = &nics->entries[i];
		const char *name = nic->key ? nic->key : nic->value->text;
		is_on = is_on || vg_text_equal(name, part->network);
	}
	const struct vg_entry *entry = vg_map_get(check->roles, part->subject);
	if (!is_on) {
		vg_finding_also(vg_check_fault(check, value, "role '%s' is not on network '%s'",
					part->subject, part->network),
			entry->place, "the role stands here");
		return;
	}
	const struct vg_entry *count = vg_value_entry(role, "count");
	if (part->kind != VG_REFERENCE_ROLE_IP || !count)
		return;
	struct vg_finding *finding =
		vg_check_fault(check, value, "'%.*s' is one address, and role '%s' has a count",
			(int)part->length, part->text, part->subject);
	vg_finding_hint(finding, "all of them: '${%s.ips.%s}'", part->subject, part->network);
	vg_finding_also(finding, count->place, "the count is given here");
}

static void refuse_unknown(
	struct vg_check *check, struct vg_value *value, const struct vg_reference *part)
{
	int length = part->length > 60 ? 60 : (int)part->length;
	if (part->text[part->length - 1] != '}') {
		vg_finding_hint(vg_check_fault(check, value, "a reference without its '}': '%.*s'",
					length, part->text),
			"a literal '${' is written '$${'");
		return;
	}
	struct vg_finding *finding =
		vg_check_fault(check, value, "'%.*s' is no reference", length, part->text);
	vg_finding_hint(finding,
		"'${PARAMETER}', '${grid.name}', '${node.name}', '${ROLE.ips.NET}' and a few more; "
		"for the guest's shell write '$%.*s'",
		length, part->text);
}

// A parameter that is not there may be a role or a word of the language that lacks its rest.
static void refuse_parameter(struct vg_check *check, struct vg_value *value, const char *name)
{
	const bool is_role = declaration(check->roles, name) != NULL;
	struct vg_finding *finding = vg_check_fault(check, value, "unknown parameter '%s'", name);
	if (strcmp(name, "grid") == 0)
		vg_finding_hint(finding, "there are '${grid.name}' and '${grid.uuid}'");
	else if (strcmp(name, "node") == 0)
		vg_finding_hint(finding, "there are '${node.name}' and '${node.index}'");
	else if (is_role)
		vg_finding_hint(finding,
			"'%s' is a role: there are '${%s.count}', '${%s.names}' and "
			"'${%s.ips.NET}'",
			name, name, name, name);
	else
		vg_check_suggest(check, finding, "parameter", name, check->parameters);
}

static void check_part(struct vg_check *check, const struct vg_field *row, struct vg_value *value,
	const struct vg_reference *part)
{
	switch (part->kind) {
	case VG_REFERENCE_LITERAL:
	case VG_REFERENCE_GRID_NAME:
	case VG_REFERENCE_GRID_UUID:
		return;
	case VG_REFERENCE_PARAMETER:
		if (!declaration(check->parameters, part->subject))
			refuse_parameter(check, value, part->subject);
		return;
	case VG_REFERENCE_NODE_NAME:
	case VG_REFERENCE_NODE_INDEX:
		if (row->references != VG_REFERENCES_NODE)
			vg_check_fault(check, value, "'%.*s' has no meaning here: no node is meant",
				(int)part->length, part->text);
		return;
	case VG_REFERENCE_ROLE_COUNT:
	case VG_REFERENCE_ROLE_NAMES:
		check_role(check, value, part);
		return;
	case VG_REFERENCE_ROLE_IP:
	case VG_REFERENCE_ROLE_IPS:
		check_address(check, value, part);
		return;
	case VG_REFERENCE_UNKNOWN:
		refuse_unknown(check, value, part);
		return;
	}
}

// How far the raw text of a value has been gone through, and the place there.
struct cursor {
	const char *at, *end; // at: NULL once a part was not found
	struct vg_place place;
};

// Where in the file a part of a text stands: the first place from here on that looks like it.
// Escapes and folding may hide it; then the text's own place must do, for all that follows too.
static struct vg_place part_place(
	const struct vg_value *value, const struct vg_reference *part, struct cursor *cursor)
{
	const char *hit = NULL;
	if (cursor->at)
		hit = memmem(
			cursor->at, (size_t)(cursor->end - cursor->at), part->text, part->length);
	if (!hit) {
		cursor->at = NULL;
		return value->place;
	}
	for (; cursor->at < hit; cursor->at++) {
		cursor->place.column += ((unsigned char)*cursor->at & 0xc0) != 0x80;
		if (*cursor->at == '\n') {
			cursor->place.line++;
			cursor->place.column = 1;
		}
	}
	return cursor->place;
}

void vg_check_text(struct vg_check *check, const struct vg_field *row, struct vg_value *value)
{
	_auto(vg_text) struct vg_text stripped = {0};
	struct cursor cursor = {.at = value->raw, .place = value->place};
	cursor.end = value->raw ? value->raw + value->raw_size : NULL;
	struct vg_reference part;
	for (const char *at = value->text; vg_reference_next(&at, &part);) {
		if (part.kind == VG_REFERENCE_LITERAL) {
			vg_text_add_bytes(&stripped, part.text, part.length);
			continue;
		}
		struct vg_value here = {.kind = value->kind};
		here.place = part_place(value, &part, &cursor);
		check_part(check, row, &here, &part);
		value->is_faulty |= here.is_faulty;
		vg_text_add(&stripped, "0");
	}
	uint64_t number;
	if (!value->is_faulty)
		vg_check_error(check, value,
			vg_field_read(row, stripped.bytes ? stripped.bytes : "", &number));
}
