// SPDX-License-Identifier: Apache-2.0
#include "orchestrator/plan/drift.h"

#include <string.h>

#include "base/tag.h"
#include "base/units.h"

static void add_item(struct vg_text *text, const char *format, ...) VG_PRINTF(2, 3);
static void add_item(struct vg_text *text, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	_auto(vg_string) char *item = vg_vformat(format, arguments);
	va_end(arguments);
	vg_text_addf(text, "%s%s", text->length ? ", " : "", item);
}

// A hypervisor rounds up to whole MiB.
static bool is_size(uint64_t seen, uint64_t wanted)
{
	enum { MEBIBYTE = 1 << 20 };
	return (seen + MEBIBYTE - 1) / MEBIBYTE == (wanted + MEBIBYTE - 1) / MEBIBYTE;
}

static void compare_size(
	struct vg_text *text, const struct vg_role *role, const struct vg_machine_form *form)
{
	bool is_max = !is_size(form->memory_max, role->memory);
	if (is_max || !is_size(form->memory, role->memory)) {
		_auto(vg_string) char *is =
			vg_units_write_size(is_max ? form->memory_max : form->memory);
		_auto(vg_string) char *should = vg_units_write_size(role->memory);
		add_item(text, "its memory is %s instead of %s", is, should);
	}
	unsigned cpu = form->cpu_max != role->cpu ? form->cpu_max : form->cpu;
	if (cpu != role->cpu)
		add_item(text, "its cpu is %u instead of %u", cpu, role->cpu);
}

static bool has(char *const *names, size_t n_names, const char *name)
{
	for (size_t i = 0; i < n_names; i++) {
		if (strcmp(names[i], name) == 0)
			return true;
	}
	return false;
}

// The tap of a node's nic.
static void name_tap(const struct vg_planner *planner, const struct vg_node *node,
	const char *network, char ret_link[VG_LINK_NAME_LENGTH])
{
	_auto(vg_string) char *path = vg_format("node/%s/nic/%s", node->name, network);
	_auto(vg_string) char *tag =
		vg_tag_make(planner->input->store, planner->input->grid_uuid, path);
	vg_tag_link_name(tag, ret_link);
}

// `is_now`: the taps must be open as well; one that was made anew is held by nobody.
static void compare_nics(struct vg_text *text, const struct vg_planner *planner,
	const struct vg_node *node, const struct vg_machine_form *form, bool is_now)
{
	const struct vg_grid *grid = planner->input->wanted;
	const struct vg_role *role = vg_node_role(grid, node);
	size_t n_found = 0;
	for (size_t i = 0; i < role->n_nics; i++) {
		const char *network = grid->networks[role->nics[i].network].name;
		char link[VG_LINK_NAME_LENGTH];
		name_tap(planner, node, network, link);
		bool is_there = has(form->links, form->n_links, link);
		n_found += is_there;
		if (!is_there)
			add_item(text, "its nic on '%s' is detached", network);
		else if (is_now && !vg_map_has(planner->held, link))
			add_item(text, "the tap of its nic on '%s' is gone", network);
	}
	if (form->n_links > n_found)
		add_item(text, "it has %zu nic%s too many", form->n_links - n_found,
			form->n_links - n_found == 1 ? "" : "s");
}

static void compare_disks(struct vg_text *text, const struct vg_planner *planner,
	const struct vg_node *node, const struct vg_machine_form *form)
{
	const struct vg_role *role = vg_node_role(planner->input->wanted, node);
	size_t n_found = 0;
	bool has_root = planner->input->images[role->image].has_root;
	for (size_t i = 0; i < role->n_disks + 2; i++) {
		const char *name = i < role->n_disks    ? role->disks[i].name
				   : i == role->n_disks ? "seed"
							: "root";
		if (i == role->n_disks + 1 && !has_root)
			continue;
		bool is_there = has(form->disks, form->n_disks, name);
		n_found += is_there;
		if (!is_there)
			add_item(text, "its disk '%s' is detached", name);
	}
	if (form->n_disks > n_found)
		add_item(text, "it has %zu disk%s too many", form->n_disks - n_found,
			form->n_disks - n_found == 1 ? "" : "s");
}

static char *compare(const struct vg_planner *planner, const struct vg_node *node,
	const struct vg_machine_form *form, bool is_now)
{
	struct vg_text text = {0};
	compare_size(&text, vg_node_role(planner->input->wanted, node), form);
	compare_nics(&text, planner, node, form, is_now);
	compare_disks(&text, planner, node, form);
	return text.length ? vg_text_take(&text) : NULL;
}

void vg_drift_find(const struct vg_planner *planner, size_t i,
	const struct vg_machine_seen *machine, struct vg_drift *ret_drift)
{
	const struct vg_node *node = &planner->input->wanted->nodes[i];
	*ret_drift = (struct vg_drift){0};
	if (machine->is_active)
		ret_drift->now = compare(planner, node, &machine->now, true);
	if (machine->is_defined)
		ret_drift->next = compare(planner, node, &machine->next, false);
	else
		ret_drift->next = vg_strdup("its definition is gone");
}

void vg_drift_done(struct vg_drift *drift)
{
	free(drift->now);
	free(drift->next);
}
