// SPDX-License-Identifier: Apache-2.0
#include "templates/check.h"

#include <string.h>

enum { NAME_SIZE_MAX = 200 };

static void check_run(struct vg_check *check, const struct vg_value *test)
{
	const char *on = vg_check_word(test, "on");
	const struct vg_entry *run = vg_value_entry(test, "run");
	if (!vg_value_entry(test, "on")) {
		vg_finding_hint(vg_finding_add(check->findings, run->place,
					"'run' needs 'on', the role on whose nodes it runs"),
			"for example 'on: %s'",
			vg_map_size(check->roles) ? vg_map_key_at(check->roles, 0) : "head");
		return;
	}
	if (on && !vg_map_has(check->roles, on))
		vg_check_unknown(check, vg_value_get(test, "on"), "role", on, check->roles);
}

// Is any role on this network?
static bool is_used(const struct vg_check *check, const char *network)
{
	for (size_t i = 0; i < vg_map_size(check->roles); i++) {
		const struct vg_entry *role = vg_map_value_at(check->roles, i);
		const struct vg_value *nics = vg_value_get(role->value, "nics");
		for (size_t k = 0; nics && k < nics->n_entries; k++) {
			const struct vg_entry *nic = &nics->entries[k];
			if (vg_text_equal(nic->key ? nic->key : nic->value->text, network))
				return true;
		}
	}
	return false;
}

static void check_reach(struct vg_check *check, const struct vg_value *test)
{
	static const char *const others[] = {"on", "expect"};
	const char *network = vg_check_word(test, "reach");
	for (size_t i = 0; i < VG_LENGTH(others); i++) {
		const struct vg_entry *other = vg_value_entry(test, others[i]);
		if (other && !other->value->is_faulty)
			vg_check_fault(check, other->value,
				"'%s' belongs to 'run'; 'reach' is about every node of a network",
				others[i]);
	}
	if (!network)
		return;
	if (!vg_map_has(check->networks, network))
		vg_check_unknown(
			check, vg_value_get(test, "reach"), "network", network, check->networks);
	else if (!is_used(check, network))
		vg_check_fault(
			check, vg_value_get(test, "reach"), "no role is on network '%s'", network);
}

// Reports of tests are read line by line, by people and by programs.
static bool is_line(const char *name)
{
	size_t size = strlen(name);
	bool is_plain = size > 0 && size <= NAME_SIZE_MAX && !strstr(name, "${");
	for (size_t at = 0; is_plain && at < size;)
		at += vg_text_step(name + at, size - at, &is_plain);
	return is_plain;
}

void vg_check_tests(struct vg_check *check)
{
	const struct vg_value *tests = vg_check_tree(check->root, "tests");
	_auto(vg_map) struct vg_map *names = vg_map_new();
	for (size_t i = 0; tests && i < tests->n_entries; i++) {
		const struct vg_value *test = tests->entries[i].value;
		if (test->is_faulty || test->kind != VG_VALUE_MAP)
			continue;
		const char *name = vg_check_word(test, "name");
		struct vg_value *value = vg_value_get(test, "name");
		struct vg_value *first = name ? vg_map_get(names, name) : NULL;
		if (name && !is_line(name))
			vg_finding_hint(vg_check_fault(check, value,
						"a test's name is a line of text without "
						"references that says what it claims"),
				"at most %d bytes, as in 'head answers'", NAME_SIZE_MAX);
		else if (first)
			vg_finding_also(vg_check_fault(check, value,
						"a test named '%.60s' is there already", name),
				first->place, "the first one");
		else if (name)
			vg_map_set(names, name, value);
		if (vg_value_entry(test, "reach"))
			check_reach(check, test);
		else if (vg_value_entry(test, "run"))
			check_run(check, test);
	}
}
