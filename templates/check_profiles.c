// SPDX-License-Identifier: Apache-2.0
#include "templates/check.h"

#include <string.h>

#include "templates/parameter.h"

static void check_setting(struct vg_check *check, const struct vg_entry *setting)
{
	const struct vg_entry *entry = vg_map_get(check->parameters, setting->key);
	enum vg_parameter_type type;
	struct vg_value at = {.place = setting->place};
	if (!entry) {
		vg_check_unknown(check, &at, "parameter", setting->key, check->parameters);
		return;
	}
	if (setting->value->is_faulty || !vg_parameter_type(entry->value, &type))
		return;
	if (type != VG_PARAMETER_STRING) {
		vg_check_error(check, setting->value,
			vg_parameter_read_value(entry->value, setting->value));
		return;
	}
	struct vg_finding *finding = vg_check_fault(check, &at,
		"a profile cannot set '%s', a string parameter: free text could be another system",
		setting->key);
	vg_finding_hint(finding, "make it a choice, or set it with --set");
	vg_finding_also(finding, entry->place, "declared here");
}

// Disks and nics that a profile names must be the role's.
static void check_named(struct vg_check *check, const struct vg_value *quanta,
	const struct vg_value *role, const char *key, const char *what)
{
	const struct vg_value *named = vg_check_tree(quanta, key);
	const struct vg_value *declared = vg_value_get(role, key);
	_auto(vg_map) struct vg_map *names = vg_map_new();
	for (size_t i = 0; declared && i < declared->n_entries; i++) {
		const struct vg_entry *entry = &declared->entries[i];
		const char *name = entry->key ? entry->key : entry->value->text;
		if (name)
			vg_map_set(names, name, entry->value);
	}
	for (size_t i = 0; named && i < named->n_entries; i++) {
		const struct vg_entry *entry = &named->entries[i];
		struct vg_value at = {.place = entry->place};
		if (!entry->value->is_faulty && !vg_map_has(names, entry->key))
			vg_check_unknown(check, &at, what, entry->key, names);
	}
}

static void check_role(struct vg_check *check, const struct vg_entry *entry)
{
	const struct vg_entry *role = vg_map_get(check->roles, entry->key);
	struct vg_value at = {.place = entry->place};
	if (!role) {
		vg_check_unknown(check, &at, "role", entry->key, check->roles);
		return;
	}
	if (entry->value->is_faulty)
		return;
	const struct vg_entry *count = vg_value_entry(entry->value, "count");
	if (count && !vg_value_entry(role->value, "count")) {
		struct vg_finding *finding = vg_check_fault(check, count->value,
			"role '%s' has no count: a profile cannot make its one node many",
			role->key);
		vg_finding_hint(
			finding, "give the role 'count: 1'; its node is then '%s-0'", role->key);
		vg_finding_also(finding, role->place, "the role stands here");
	}
	check_named(check, entry->value, role->value, "disks", "disk");
	check_named(check, entry->value, role->value, "nics", "nic");
	vg_check_place(check, entry->key, vg_check_tree(entry->value, "place"));
}

static void check_profile(struct vg_check *check, const struct vg_value *profile)
{
	const struct vg_value *settings = vg_check_tree(profile, "parameters");
	const struct vg_value *roles = vg_check_tree(profile, "roles");
	for (size_t i = 0; settings && i < settings->n_entries; i++)
		check_setting(check, &settings->entries[i]);
	for (size_t i = 0; roles && i < roles->n_entries; i++)
		check_role(check, &roles->entries[i]);
}

void vg_check_profiles(struct vg_check *check)
{
	const struct vg_value *profiles = vg_check_tree(check->root, "profiles");
	for (size_t i = 0; profiles && i < profiles->n_entries; i++) {
		if (!profiles->entries[i].value->is_faulty)
			check_profile(check, profiles->entries[i].value);
	}
}
