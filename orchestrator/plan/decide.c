// SPDX-License-Identifier: Apache-2.0
//
// What is to become of each wanted node: nothing, a start, a restart, a new root disk, and why. All
// decisions come before any step, since a network must wait for the machines that stop.
#include "orchestrator/plan/planner.h"

#include <string.h>

#include "base/units.h"
#include "orchestrator/plan/applied.h"
#include "orchestrator/plan/drift.h"

const char *vg_planner_digest(const struct vg_planner *planner, const struct vg_role *role)
{
	const char *digest = planner->input->images[role->image].digest;
	return digest ? digest : "";
}

const struct vg_volume_seen *vg_planner_find_disk(
	const struct vg_planner *planner, const char *node, const char *disk)
{
	_auto(vg_string) char *tag = vg_planner_disk_tag(planner, node, disk);
	return vg_map_get(planner->volumes, tag);
}

static bool is_new(const struct vg_planner *planner, size_t i)
{
	const struct vg_node *node = &planner->input->wanted->nodes[i];
	_auto(vg_string) char *tag = vg_planner_seed_tag(planner, node->name);
	return !planner->work[i].machine && !vg_map_has(planner->volumes, tag);
}

static void say_new(struct vg_planner *planner, size_t i, const char *root)
{
	const struct vg_grid *grid = planner->input->wanted;
	const struct vg_node *node = &grid->nodes[i];
	const struct vg_role *role = vg_node_role(grid, node);
	const char *host = planner->input->host_names[node->host];
	const char *lost = vg_planner_lost_host(planner, i);
	_auto(vg_string) char *memory = vg_units_write_size(role->memory);
	if (lost && is_new(planner, i))
		vg_planner_change(planner, VG_CHANGE_ALTER, node->name, role->place, true,
			"recreate on %s from image %s: its root disk is lost with host %s", host,
			grid->images[role->image].name, lost);
	else if (is_new(planner, i))
		vg_planner_change(planner, VG_CHANGE_ADD, node->name, role->place, false,
			"create on %s: image %s, %u cpu, %s", host, grid->images[role->image].name,
			role->cpu, memory);
	else
		vg_planner_change(planner, VG_CHANGE_ADD, node->name, role->place, false,
			"start on %s from its disks%s%s", host, root ? ": " : "", root ? root : "");
	const char *const *reasons = planner->input->reasons;
	struct vg_change *change = &planner->plan->changes[planner->plan->n_changes - 1];
	change->why = reasons ? vg_arena_strdup(planner->plan->arena, reasons[i]) : NULL;
}

// A root disk of another image than wanted, or one that is broken or gone, is made anew.
static const char *root_is_wrong(const struct vg_planner *planner, size_t i)
{
	const struct vg_node *node = &planner->input->wanted->nodes[i];
	const struct vg_role *role = vg_node_role(planner->input->wanted, node);
	const struct vg_volume_seen *root = vg_planner_find_disk(planner, node->name, "root");
	if (!planner->input->images[role->image].has_root)
		return NULL;
	if (!root || root->is_broken)
		return "its root disk is gone or cannot be read";
	return vg_text_equal(root->image, vg_planner_digest(planner, role))
		       ? NULL
		       : "its root disk is of another image";
}

static bool data_is_wrong(const struct vg_volume_seen *seen, const struct vg_disk *disk)
{
	return seen && (seen->is_broken || seen->size > disk->size);
}

// A data disk that will be made, so that the machine must not run: a new one, or one that may be
// made anew.
static const char *data_is_made(const struct vg_planner *planner, size_t i)
{
	const struct vg_node *node = &planner->input->wanted->nodes[i];
	const struct vg_role *role = vg_node_role(planner->input->wanted, node);
	for (size_t d = 0; d < role->n_disks; d++) {
		const struct vg_disk *disk = &role->disks[d];
		const struct vg_volume_seen *seen =
			vg_planner_find_disk(planner, node->name, disk->name);
		bool may = vg_planner_may_replace(planner, node->name, disk->name);
		bool is_made = seen ? data_is_wrong(seen, disk) && may
				    : may || !vg_planner_was_made(planner, i, disk->name);
		if (is_made)
			return "a data disk of it is made";
	}
	return NULL;
}

// How the machine of a node comes to be as it is wanted, and why.
struct verdict {
	struct vg_applied_difference difference;
	struct vg_drift drift;
	const char *root, *data; // why they must be made; NULL: they need not
};

static void verdict_auto_free(struct verdict *verdict)
{
	free(verdict->difference.text);
	vg_drift_done(&verdict->drift);
}

static void add_reason(struct vg_text *why, const char *reason)
{
	if (reason)
		vg_text_addf(why, "%s%s", why->length ? ", " : "", reason);
}

static void say_changed(struct vg_planner *planner, size_t i, const struct verdict *verdict)
{
	const struct vg_node_work *work = &planner->work[i];
	const struct vg_machine_seen *machine = work->machine;
	const struct vg_node *node = &planner->input->wanted->nodes[i];
	struct vg_place place = vg_node_role(planner->input->wanted, node)->place;
	_auto(vg_text) struct vg_text why = {0};
	add_reason(&why, verdict->difference.text);
	if (verdict->difference.effect != VG_EFFECT_RECREATE)
		add_reason(&why, verdict->root);
	add_reason(&why, work->lives ? verdict->drift.now : NULL);
	if (!verdict->difference.text)
		add_reason(&why, verdict->data);
	if (!work->lives) {
		_auto(vg_string) char *state =
			vg_format("it is %s%s%s", vg_machine_state_name(machine->state),
				*machine->reason ? ", " : "", machine->reason);
		add_reason(&why, state);
	}
	if (work->recreates)
		vg_planner_change(planner, VG_CHANGE_ALTER, node->name, place, true,
			"recreate the root disk: %s", why.bytes);
	else if (work->restarts)
		vg_planner_change(planner, VG_CHANGE_ALTER, node->name, place, true, "restart: %s",
			why.bytes);
	else if (!work->lives)
		vg_planner_change(
			planner, VG_CHANGE_ALTER, node->name, place, false, "start: %s", why.bytes);
	else if (machine->state == VG_MACHINE_PAUSED)
		vg_planner_change(planner, VG_CHANGE_ALTER, node->name, place, false,
			"resume: it is paused%s%s", *machine->reason ? ", " : "", machine->reason);
	if (verdict->drift.next && !work->restarts)
		vg_planner_change(planner, VG_CHANGE_ALTER, node->name, place, false,
			"define it again: %s%s",
			machine->is_defined ? "its next start would differ: " : "",
			verdict->drift.next);
}

static void decide(struct vg_planner *planner, size_t i)
{
	const struct vg_grid *grid = planner->input->wanted;
	const struct vg_node *node = &grid->nodes[i];
	const struct vg_role *role = vg_node_role(grid, node);
	struct vg_node_work *work = &planner->work[i];
	*work = (struct vg_node_work){.stop = VG_NO_STEP, .old_gone = work->old_gone};
	work->machine = vg_map_get(planner->machines, node->uuid);
	_auto(verdict) struct verdict verdict = {0};
	verdict.root = root_is_wrong(planner, i);
	work->recreates = verdict.root && vg_planner_find_disk(planner, node->name, "root");
	if (!work->machine) {
		work->needs_define = true;
		planner->changes_members |= is_new(planner, i);
		say_new(planner, i, verdict.root);
		return;
	}
	enum vg_machine_state state = work->machine->state;
	_auto(vg_string) char *applied =
		vg_applied_make(grid, node, vg_planner_digest(planner, role));
	verdict.difference = vg_applied_compare(work->machine->applied, applied);
	if (!verdict.difference.text)
		vg_drift_find(planner, i, work->machine, &verdict.drift);
	verdict.data = data_is_made(planner, i);
	work->lives = state == VG_MACHINE_RUNNING || state == VG_MACHINE_PAUSED;
	work->recreates |= verdict.root || verdict.difference.effect == VG_EFFECT_RECREATE;
	work->restarts =
		work->lives && (verdict.difference.effect >= VG_EFFECT_RESTART ||
				       verdict.drift.now || verdict.data || work->recreates);
	bool starts = !work->lives || work->restarts;
	work->needs_define = verdict.difference.text || verdict.drift.next ||
			     (starts && verdict.difference.is_other_generator);
	planner->changes_members |= verdict.difference.text != NULL;
	say_changed(planner, i, &verdict);
}

void vg_planner_decide_nodes(struct vg_planner *planner)
{
	const struct vg_grid *grid = planner->input->wanted;
	for (size_t i = 0; i < grid->n_nodes; i++) {
		const struct vg_node *node = &grid->nodes[i];
		decide(planner, i);
		struct vg_node_work *work = &planner->work[i];
		bool stands = work->machine && work->machine->state != VG_MACHINE_STOPPED;
		if (!stands || (work->lives && !work->restarts))
			continue;
		struct vg_step *step = vg_planner_step(
			planner, VG_STEP_MACHINE_STOP, node->host, node->name, NULL);
		step->uuid = node->uuid;
		step->is_clean = work->machine->state == VG_MACHINE_RUNNING;
		step->place = vg_node_role(grid, node)->place;
		work->stop = vg_planner_last(planner);
		vg_needs_add(&planner->before_net[node->host], work->stop);
	}
}
