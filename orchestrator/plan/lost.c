// SPDX-License-Identifier: Apache-2.0
//
// What is lost with hosts that are replaced: the root disks, which are made anew from their images,
// and the data disks, which are made anew, empty, only by an explicit word. And what such a host
// brings along when it is back: old copies of nodes that live elsewhere by now.
#include "orchestrator/plan/planner.h"

#include <string.h>

const char *vg_planner_lost_host(const struct vg_planner *planner, size_t node)
{
	return planner->input->lost ? planner->input->lost[node] : NULL;
}

bool vg_planner_is_old(const struct vg_planner *planner, const char *tag, size_t host)
{
	const struct vg_plan_input *input = planner->input;
	const struct vg_node *node = vg_planner_owner(planner, tag);
	if (!node || node->host != (int)host)
		return node;
	size_t i = (size_t)(node - input->wanted->nodes);
	return vg_planner_lost_host(planner, i) || (input->is_fresh && input->is_fresh[i]);
}

// Disks that may hold data: what a grid that was never complete has had is not known.
static bool may_hold_data(const struct vg_planner *planner, size_t node, const char *disk)
{
	return !planner->input->was_complete || vg_planner_was_made(planner, node, disk);
}

// All at once: whoever must say so many words wants to read them together.
struct vg_error *vg_planner_refuse_lost(const struct vg_planner *planner)
{
	const struct vg_grid *grid = planner->input->wanted;
	_auto(vg_text) struct vg_text disks = {0}, words = {0};
	struct vg_place place = {0};
	size_t n_disks = 0;
	for (size_t i = 0; i < grid->n_nodes; i++) {
		const char *name = grid->nodes[i].name, *lost = vg_planner_lost_host(planner, i);
		const struct vg_role *role = vg_node_role(grid, &grid->nodes[i]);
		for (size_t d = 0; lost && d < role->n_disks; d++) {
			const struct vg_disk *disk = &role->disks[d];
			if (!may_hold_data(planner, i, disk->name) ||
				vg_planner_may_replace(planner, name, disk->name))
				continue;
			vg_text_addf(&disks, "%s'%s/%s' on %s", n_disks ? ", " : "", name,
				disk->name, lost);
			vg_text_addf(&words, " --replace %s/%s", name, disk->name);
			place = n_disks++ ? place : disk->place;
		}
	}
	if (!n_disks)
		return NULL;
	return vg_error_hint(vg_error_at(place, "data is lost with its host: %s", disks.bytes),
		"data dies only by an explicit word: '%s' makes %s anew, empty", words.bytes + 1,
		n_disks == 1 ? "it" : "them");
}

static void remove_machine(struct vg_planner *planner, size_t host,
	const struct vg_machine_seen *machine, const struct vg_node *node)
{
	const struct vg_plan_input *input = planner->input;
	struct vg_node_work *work = &planner->work[node - input->wanted->nodes];
	_auto(vg_needs) struct vg_needs needs = {0};
	vg_needs_add(&needs, work->old_gone);
	struct vg_step *step =
		vg_planner_step(planner, VG_STEP_MACHINE_REMOVE, (int)host, node->name, &needs);
	step->uuid = vg_arena_strdup(planner->plan->arena, machine->uuid);
	work->old_gone = vg_planner_last(planner);
	vg_needs_add(&planner->before_net[host], work->old_gone);
	vg_planner_change(planner, VG_CHANGE_REMOVE, node->name, (struct vg_place){0}, true,
		"remove its old copy from %s, where it is %s: it belongs on %s now",
		input->host_names[host], vg_machine_state_name(machine->state),
		input->host_names[node->host]);
}

static const char *disk_of(const struct vg_volume_seen *volume)
{
	const char *disk = strstr(volume->tag, "/disk/");
	return disk ? disk + strlen("/disk/") : "seed";
}

// The data on an old copy's disk outlives it until somebody says otherwise, and is never taken for
// the node's own.
static struct vg_error *keep_data(struct vg_planner *planner, size_t host,
	const struct vg_volume_seen *volume, const struct vg_node *node)
{
	const char *disk = disk_of(volume), *where = planner->input->host_names[host];
	if (node->host == (int)host)
		return vg_error_hint(vg_error_at(vg_node_role(planner->input->wanted, node)->place,
					     "an old data disk '%s' of '%s' is on %s, where it is "
					     "to be made anew",
					     disk, node->name, where),
			"data dies only by an explicit word: '--delete-disks'");
	vg_planner_change(planner, VG_CHANGE_ALTER, node->name, (struct vg_place){0}, false,
		"its old data disk '%s' stays on %s: '--delete-disks' deletes it", disk, where);
	return NULL;
}

static struct vg_error *remove_volume(struct vg_planner *planner, size_t host,
	const struct vg_volume_seen *volume, const struct vg_node *node)
{
	const struct vg_plan_input *input = planner->input;
	bool is_data = volume->kind == VG_VOLUME_DATA;
	if (is_data && !input->deletes_disks)
		return keep_data(planner, host, volume, node);
	int machine = planner->work[node - input->wanted->nodes].old_gone;
	_auto(vg_needs) struct vg_needs needs = {0};
	vg_needs_add(&needs, machine);
	_auto(vg_string) char *subject = vg_format("%s/%s", node->name, disk_of(volume));
	struct vg_step *step =
		vg_planner_step(planner, VG_STEP_VOLUME_REMOVE, (int)host, subject, &needs);
	step->tag = vg_arena_strdup(planner->plan->arena, volume->tag);
	step->volume = volume->kind;
	if (is_data || machine == VG_NO_STEP)
		vg_planner_change(planner, VG_CHANGE_REMOVE, node->name, (struct vg_place){0}, true,
			"delete its old %s%s%s on %s", is_data ? "data disk '" : "",
			is_data                          ? disk_of(volume)
			: volume->kind == VG_VOLUME_ROOT ? "root disk"
							 : "seed",
			is_data ? "'" : "", input->host_names[host]);
	return NULL;
}

struct vg_error *vg_planner_remove_old(struct vg_planner *planner)
{
	const struct vg_world *world = planner->input->world;
	for (size_t h = 0; h < world->n_hosts; h++) {
		const struct vg_machines_seen *machines = &world->hosts[h].machines;
		for (size_t i = 0; i < machines->n_items; i++) {
			const struct vg_machine_seen *machine = &machines->items[i];
			if (vg_planner_is_old(planner, machine->tag, h))
				remove_machine(planner, h, machine,
					vg_planner_owner(planner, machine->tag));
		}
	}
	struct vg_error *error = NULL;
	for (size_t h = 0; h < world->n_hosts; h++) {
		const struct vg_volumes_seen *volumes = &world->hosts[h].volumes;
		for (size_t i = 0; i < volumes->n_items && !error; i++) {
			const struct vg_volume_seen *volume = &volumes->items[i];
			if (vg_planner_is_old(planner, volume->tag, h))
				error = remove_volume(
					planner, h, volume, vg_planner_owner(planner, volume->tag));
		}
	}
	return error;
}
