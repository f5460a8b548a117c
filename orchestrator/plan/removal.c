// SPDX-License-Identifier: Apache-2.0
//
// What is there and not wanted: machines and volumes of nodes that are gone, and, for `down`, all of
// it. Data disks go only by an explicit word.
#include "orchestrator/plan/planner.h"

#include <string.h>

#include "base/tag.h"

// `node/NAME/…` → NAME, malloc'ed; NULL for other paths.
static char *node_of(const char *tag_text)
{
	struct vg_tag tag;
	if (!vg_tag_read(tag_text, &tag) || !vg_text_starts(tag.path, "node/"))
		return NULL;
	const char *name = tag.path + strlen("node/");
	return vg_strndup(name, strcspn(name, "/"));
}

// `node/NAME/disk/DISK` → DISK, within the tag; "" for other paths.
static const char *disk_of(const char *tag_text)
{
	const char *disk = strstr(tag_text, "/disk/");
	return disk ? disk + strlen("/disk/") : "";
}

static void remove_machine(
	struct vg_planner *planner, int host, const struct vg_machine_seen *machine, const char *node)
{
	struct vg_step *step =
		vg_planner_step(planner, VG_STEP_MACHINE_REMOVE, host, node, NULL);
	step->uuid = vg_arena_strdup(planner->plan->arena, machine->uuid);
	vg_needs_add(&planner->before_net[host], vg_planner_last(planner));
}

static void remove_volume(struct vg_planner *planner, int host,
	const struct vg_volume_seen *volume, const struct vg_needs *needs)
{
	_auto(vg_string) char *node = node_of(volume->tag);
	const char *disk = volume->kind == VG_VOLUME_SEED ? "seed" : disk_of(volume->tag);
	_auto(vg_string) char *subject = vg_format("%s/%s", node ? node : "", disk);
	struct vg_step *step =
		vg_planner_step(planner, VG_STEP_VOLUME_REMOVE, host, subject, needs);
	step->tag = vg_arena_strdup(planner->plan->arena, volume->tag);
	step->volume = volume->kind;
}

static bool is_wanted(const struct vg_planner *planner, const struct vg_volume_seen *volume)
{
	const struct vg_node *node = vg_planner_owner(planner, volume->tag);
	if (!node)
		return false;
	if (volume->kind != VG_VOLUME_DATA)
		return true;
	const struct vg_role *role = vg_node_role(planner->input->wanted, node);
	for (size_t d = 0; d < role->n_disks; d++) {
		if (strcmp(role->disks[d].name, disk_of(volume->tag)) == 0)
			return true;
	}
	return false;
}

static struct vg_error *refuse(const struct vg_planner *planner, const char *node, const char *disk,
	bool is_node_wanted)
{
	struct vg_place place = planner->input->wanted->place;
	struct vg_error *error = is_node_wanted
		? vg_error_at(place, "the data disk '%s' of '%s' is no longer in the template and "
				     "would be deleted", disk, node)
		: vg_error_at(place, "'%s' is no longer wanted and its data disk '%s' would be "
				     "deleted with it", node, disk);
	return vg_error_hint(error, "data dies only by an explicit word: '--delete-disks'");
}

static struct vg_error *remove_volumes(struct vg_planner *planner, struct vg_map *removed)
{
	const struct vg_world *world = planner->input->world;
	for (size_t h = 0; h < world->n_hosts; h++) {
		for (size_t i = 0; i < world->hosts[h].volumes.n_items; i++) {
			const struct vg_volume_seen *volume = &world->hosts[h].volumes.items[i];
			if (vg_planner_is_old(planner, volume->tag, h) || is_wanted(planner, volume))
				continue;
			_auto(vg_string) char *node = node_of(volume->tag);
			const char *name = node ? node : "";
			bool may = planner->input->deletes_disks ||
				   vg_planner_may_replace(planner, name, disk_of(volume->tag));
			if (volume->kind == VG_VOLUME_DATA && !may)
				return refuse(planner, name, disk_of(volume->tag),
					vg_map_has(planner->nodes, name));
			_auto(vg_needs) struct vg_needs needs = {0};
			int *step = vg_map_get(removed, name);
			vg_needs_add(&needs, step ? *step : VG_NO_STEP);
			const struct vg_node *stays = vg_map_get(planner->nodes, name);
			if (stays)
				vg_needs_add(&needs,
					planner->work[stays - planner->input->wanted->nodes].stop);
			if (volume->kind == VG_VOLUME_DATA)
				vg_planner_change(planner, VG_CHANGE_REMOVE, name,
					(struct vg_place){0}, true, "delete its data disk '%s'",
					disk_of(volume->tag));
			if (volume->kind == VG_VOLUME_ROOT && !step)
				vg_planner_change(planner, VG_CHANGE_REMOVE, name,
					(struct vg_place){0}, true, "delete its root disk");
			remove_volume(planner, (int)h, volume, &needs);
		}
	}
	return NULL;
}

static void remove_machines(
	struct vg_planner *planner, struct vg_map *uuids, struct vg_map *removed)
{
	const struct vg_world *world = planner->input->world;
	for (size_t h = 0; h < world->n_hosts; h++) {
		for (size_t i = 0; i < world->hosts[h].machines.n_items; i++) {
			const struct vg_machine_seen *machine =
				&world->hosts[h].machines.items[i];
			if (vg_map_has(uuids, machine->uuid) ||
				vg_planner_is_old(planner, machine->tag, h))
				continue;
			_auto(vg_string) char *node = node_of(machine->tag);
			const char *name = node ? node : machine->name;
			remove_machine(planner, (int)h, machine, name);
			int *step = vg_arena_alloc(planner->plan->arena, sizeof(*step));
			*step = vg_planner_last(planner);
			vg_map_set(removed, name, step);
			planner->changes_members = true;
			vg_planner_change(planner, VG_CHANGE_REMOVE, name, (struct vg_place){0}, true,
				"remove from %s", planner->input->host_names[h]);
		}
	}
}

struct vg_error *vg_planner_remove_unwanted(struct vg_planner *planner)
{
	const struct vg_grid *grid = planner->input->wanted;
	_auto(vg_map) struct vg_map *uuids = vg_map_new();
	_auto(vg_map) struct vg_map *removed = vg_map_new();
	for (size_t i = 0; i < grid->n_nodes; i++)
		vg_map_set(uuids, grid->nodes[i].uuid, &grid->nodes[i]);
	remove_machines(planner, uuids, removed);
	return remove_volumes(planner, removed);
}

// Ends one host: its machines, its networks, and the host itself if it is the grid's own. Killing a
// box takes its machines and links with it, so they need no steps of their own.
static void end_host(struct vg_planner *planner, size_t h, struct vg_needs *ended)
{
	const struct vg_plan_input *input = planner->input;
	const struct vg_host_seen *host = &input->world->hosts[h];
	_auto(vg_needs) struct vg_needs stopped = {0};
	for (size_t i = 0; i < host->machines.n_items; i++) {
		const struct vg_machine_seen *machine = &host->machines.items[i];
		_auto(vg_string) char *node = node_of(machine->tag);
		const char *name = node ? node : machine->name;
		if (input->keeps_disks && machine->state == VG_MACHINE_RUNNING) {
			struct vg_step *step = vg_planner_step(
				planner, VG_STEP_MACHINE_STOP, (int)h, name, NULL);
			step->uuid = vg_arena_strdup(planner->plan->arena, machine->uuid);
			step->is_clean = true;
			vg_needs_add(&stopped, vg_planner_last(planner));
		}
		if (input->is_owned)
			continue;
		struct vg_step *step = vg_planner_step(
			planner, VG_STEP_MACHINE_REMOVE, (int)h, name, &stopped);
		step->uuid = vg_arena_strdup(planner->plan->arena, machine->uuid);
		vg_needs_add(&planner->before_net[h], vg_planner_last(planner));
	}
	if (input->is_owned) {
		vg_planner_step(
			planner, VG_STEP_HOST_STOP, (int)h, input->host_names[h], &stopped);
		vg_needs_add(ended, vg_planner_last(planner));
	} else if (host->slice && host->slice->n_overlays) {
		vg_planner_step(planner, VG_STEP_NET_CONVERGE, (int)h, input->host_names[h],
			&planner->before_net[h]);
	}
	for (size_t k = 0; k < planner->before_net[h].n_items; k++)
		vg_needs_add(ended, (int)planner->before_net[h].items[k]);
}

struct vg_error *vg_planner_remove_all(struct vg_planner *planner)
{
	const struct vg_world *world = planner->input->world;
	for (size_t h = 0; h < world->n_hosts; h++) {
		_auto(vg_needs) struct vg_needs ended = {0};
		if (world->hosts[h].is_running)
			end_host(planner, h, &ended);
		for (size_t i = 0; i < world->hosts[h].volumes.n_items; i++) {
			const struct vg_volume_seen *volume = &world->hosts[h].volumes.items[i];
			if (!planner->input->keeps_disks)
				remove_volume(planner, (int)h, volume, &ended);
		}
	}
	return NULL;
}
