// SPDX-License-Identifier: Apache-2.0
#include "templates/check.h"

#include <string.h>

#include "templates/parameter.h"

// A limit or a choice that the type cannot have.
static void check_misfit(struct vg_check *check, const struct vg_entry *entry,
	enum vg_parameter_type type, const char *key, bool is_allowed)
{
	const struct vg_entry *field = vg_value_entry(entry->value, key);
	if (field && !is_allowed)
		vg_check_fault(check, field->value, "a parameter of type %s has no '%s'",
			vg_parameter_type_name(type), key);
}

static void check_value(struct vg_check *check, const struct vg_value *parameter, const char *key)
{
	struct vg_value *value = vg_value_get(parameter, key);
	if (value && !value->is_faulty)
		vg_check_error(check, value, vg_parameter_read_value(parameter, value));
}

static void check_choices(struct vg_check *check, const struct vg_entry *entry)
{
	struct vg_value *of = vg_value_get(entry->value, "of");
	if (!of) {
		vg_finding_hint(vg_finding_add(check->findings, entry->place,
					"parameter '%s' is a choice without 'of'", entry->key),
			"for example 'of: [small, large]'");
		return;
	}
	for (size_t i = 0; !of->is_faulty && i < of->n_entries; i++) {
		struct vg_value *one = of->entries[i].value;
		for (size_t k = 0; one->text && k < i; k++) {
			if (!vg_text_equal(one->text, of->entries[k].value->text))
				continue;
			vg_finding_also(
				vg_check_fault(check, one, "'%.60s' is given twice", one->text),
				of->entries[k].place, "first given here");
			break;
		}
	}
}

static void check_parameter(struct vg_check *check, const struct vg_entry *entry)
{
	const struct vg_value *parameter = entry->value;
	enum vg_parameter_type type;
	if (strcmp(entry->key, "grid") == 0 || strcmp(entry->key, "node") == 0) {
		vg_finding_add(check->findings, entry->place,
			"'%s' is no name of a parameter: it is the language's own", entry->key);
		return;
	}
	if (parameter->is_faulty || !vg_check_word(parameter, "type") ||
		!vg_parameter_type(parameter, &type))
		return;
	bool is_number = type == VG_PARAMETER_INTEGER || type == VG_PARAMETER_SIZE ||
			 type == VG_PARAMETER_DURATION;
	check_misfit(check, entry, type, "min", is_number);
	check_misfit(check, entry, type, "max", is_number);
	check_misfit(check, entry, type, "of", type == VG_PARAMETER_CHOICE);
	if (type == VG_PARAMETER_CHOICE)
		check_choices(check, entry);
	// A least value above the greatest is refused by the greatest.
	if (type == VG_PARAMETER_CHOICE && !vg_check_tree(parameter, "of"))
		return;
	check_value(check, parameter, "max");
	struct vg_value *max = vg_value_get(parameter, "max");
	if (!max || !max->is_faulty) {
		check_value(check, parameter, "min");
		check_value(check, parameter, "default");
	}
}

void vg_check_parameters(struct vg_check *check)
{
	for (size_t i = 0; i < vg_map_size(check->parameters); i++)
		check_parameter(check, vg_map_value_at(check->parameters, i));
}
