// SPDX-License-Identifier: Apache-2.0
//
// The steps of each wanted node, as decided in decide.c: its volumes, its machine, its readiness.
#include "orchestrator/plan/planner.h"

#include <string.h>

#include "base/units.h"

// A step on a volume of a node; the tag lives in the plan's arena.
static struct vg_step *volume_step(struct vg_planner *planner, enum vg_step_kind kind, size_t i,
	const char *disk, struct vg_place place, const struct vg_needs *needs)
{
	const struct vg_node *node = &planner->input->wanted->nodes[i];
	_auto(vg_string) char *subject = vg_format("%s/%s", node->name, disk);
	_auto(vg_string) char *tag = strcmp(disk, "seed") == 0
					     ? vg_planner_seed_tag(planner, node->name)
					     : vg_planner_disk_tag(planner, node->name, disk);
	struct vg_step *step = vg_planner_step(planner, kind, node->host, subject, needs);
	step->node = (int)i;
	step->tag = vg_arena_strdup(planner->plan->arena, tag);
	step->place = place;
	return step;
}

static void make_root(struct vg_planner *planner, size_t i, struct vg_needs *before)
{
	const struct vg_grid *grid = planner->input->wanted;
	const struct vg_node *node = &grid->nodes[i];
	const struct vg_role *role = vg_node_role(grid, node);
	if (!planner->input->images[role->image].has_root)
		return;
	const struct vg_volume_seen *root = vg_planner_find_disk(planner, node->name, "root");
	if (root && !planner->work[i].recreates)
		return;
	_auto(vg_needs) struct vg_needs needs = {0};
	for (size_t k = 0; k < before->n_items; k++)
		vg_needs_add(&needs, (int)before->items[k]);
	if (root) {
		volume_step(planner, VG_STEP_VOLUME_REMOVE, i, "root", role->place, &needs)
			->volume = VG_VOLUME_ROOT;
		vg_needs_add(&needs, vg_planner_last(planner));
	}
	struct vg_step *step =
		volume_step(planner, VG_STEP_VOLUME_CREATE, i, "root", role->place, &needs);
	step->volume = VG_VOLUME_ROOT;
	step->image = vg_planner_digest(planner, role);
	vg_needs_add(before, vg_planner_last(planner));
}

static struct vg_error *refuse_disk(
	const struct vg_node *node, const struct vg_disk *disk, const struct vg_volume_seen *seen)
{
	if (!seen || seen->is_broken)
		return vg_error_hint(vg_error_at(disk->place,
					     "the data disk '%s' of '%s' is gone or cannot be read",
					     disk->name, node->name),
			"'--replace %s/%s' makes it anew, empty", node->name, disk->name);
	_auto(vg_string) char *has = vg_units_write_size(seen->size);
	_auto(vg_string) char *wants = vg_units_write_size(disk->size);
	return vg_error_hint(
		vg_error_at(disk->place,
			"the data disk '%s' of '%s' has %s and cannot shrink to %s: it would be "
			"recreated and its data lost",
			disk->name, node->name, has, wants),
		"'--replace %s/%s' makes it anew, empty", node->name, disk->name);
}

// For a report a refusal is one more thing that differs.
static struct vg_error *refuse_or_report(struct vg_planner *planner, const struct vg_node *node,
	const struct vg_disk *disk, const struct vg_volume_seen *seen)
{
	if (!planner->input->is_report)
		return refuse_disk(node, disk, seen);
	const char *what =
		!seen || seen->is_broken ? "is gone or cannot be read" : "is larger than recorded";
	vg_planner_change(planner, VG_CHANGE_ALTER, node->name, disk->place, true,
		"its data disk '%s' %s: only '--replace %s/%s' makes it anew, empty", disk->name,
		what, node->name, disk->name);
	return NULL;
}

static struct vg_error *make_data(
	struct vg_planner *planner, size_t i, const struct vg_disk *disk, struct vg_needs *before)
{
	const struct vg_node *node = &planner->input->wanted->nodes[i];
	const struct vg_volume_seen *seen = vg_planner_find_disk(planner, node->name, disk->name);
	bool is_lost = !seen && vg_planner_was_made(planner, i, disk->name);
	bool is_wrong = is_lost || (seen && (seen->is_broken || seen->size > disk->size));
	if (is_wrong && !vg_planner_may_replace(planner, node->name, disk->name))
		return refuse_or_report(planner, node, disk, seen);
	if (seen && !is_wrong && seen->size == disk->size)
		return NULL;
	_auto(vg_needs) struct vg_needs needs = {0};
	for (size_t k = 0; k < before->n_items; k++)
		vg_needs_add(&needs, (int)before->items[k]);
	const char *host = vg_planner_lost_host(planner, i);
	if (is_wrong) {
		vg_planner_change(planner, VG_CHANGE_ALTER, node->name, disk->place, true,
			"make its data disk '%s' anew, empty: its data is lost%s%s", disk->name,
			host ? " with host " : "", host ? host : "");
	}
	if (is_wrong && seen) {
		volume_step(planner, VG_STEP_VOLUME_REMOVE, i, disk->name, disk->place, &needs)
			->volume = VG_VOLUME_DATA;
		vg_needs_add(&needs, vg_planner_last(planner));
	}
	enum vg_step_kind kind = seen && !is_wrong ? VG_STEP_VOLUME_RESIZE : VG_STEP_VOLUME_CREATE;
	struct vg_step *step = volume_step(planner, kind, i, disk->name, disk->place, &needs);
	step->volume = VG_VOLUME_DATA;
	step->size = disk->size;
	vg_needs_add(before, vg_planner_last(planner));
	return NULL;
}

// The part of a seed's version that all nodes share ends at the colon.
static bool shares(const char *a, const char *b)
{
	size_t length = strcspn(a, ":");
	return strcspn(b, ":") == length && strncmp(a, b, length) == 0;
}

static bool seed_is_wanted(
	const struct vg_planner *planner, size_t i, const struct vg_volume_seen **ret_seen)
{
	const struct vg_node *node = &planner->input->wanted->nodes[i];
	_auto(vg_string) char *tag = vg_planner_seed_tag(planner, node->name);
	const struct vg_volume_seen *seen = vg_map_get(planner->volumes, tag);
	*ret_seen = seen;
	return !seen || seen->is_broken || !vg_text_equal(seen->version, planner->input->seeds[i]);
}

static void define_step(struct vg_planner *planner, size_t i, const struct vg_needs *needs)
{
	const struct vg_grid *grid = planner->input->wanted;
	const struct vg_node *node = &grid->nodes[i];
	struct vg_step *step =
		vg_planner_step(planner, VG_STEP_MACHINE_DEFINE, node->host, node->name, needs);
	step->node = (int)i;
	step->uuid = node->uuid;
	step->place = vg_node_role(grid, node)->place;
}

static void boot(struct vg_planner *planner, size_t i, const struct vg_needs *before)
{
	const struct vg_grid *grid = planner->input->wanted;
	const struct vg_node *node = &grid->nodes[i];
	const struct vg_role *role = vg_node_role(grid, node);
	_auto(vg_needs) struct vg_needs needs = {0};
	for (size_t k = 0; k < before->n_items; k++)
		vg_needs_add(&needs, (int)before->items[k]);
	vg_needs_add(&needs, planner->host_ready[node->host]);
	vg_needs_add(&needs, planner->net_ready[node->host]);
	struct vg_step *step;
	if (planner->work[i].needs_define) {
		define_step(planner, i, &needs);
		vg_needs_add(&needs, vg_planner_last(planner));
	}
	for (size_t k = 0; k < role->n_after; k++) {
		const struct vg_role *first = &grid->roles[role->after[k]];
		for (size_t n = 0; n < first->count; n++)
			vg_needs_add(&needs, planner->node_ready[first->first_node + n]);
	}
	step = vg_planner_step(planner, VG_STEP_MACHINE_START, node->host, node->name, &needs);
	step->node = (int)i;
	step->uuid = node->uuid;
	step->place = role->place;
	needs.n_items = 0;
	vg_needs_add(&needs, vg_planner_last(planner));
	step = vg_planner_step(planner, VG_STEP_NODE_READY, node->host, node->name, &needs);
	step->node = (int)i;
	step->uuid = node->uuid;
	step->place = role->ready.text.place.line ? role->ready.text.place : role->place;
	planner->node_ready[i] = vg_planner_last(planner);
}

// A node that runs and stays as it is: perhaps its readiness is not known yet, perhaps it must hear
// of others.
static void keep(struct vg_planner *planner, size_t i)
{
	const struct vg_grid *grid = planner->input->wanted;
	const struct vg_node *node = &grid->nodes[i];
	const struct vg_role *role = vg_node_role(grid, node);
	_auto(vg_needs) struct vg_needs needs = {0};
	if (planner->work[i].needs_define)
		define_step(planner, i, &needs);
	vg_needs_add(&needs, planner->net_ready[node->host]);
	if (!planner->input->was_complete) {
		struct vg_step *step = vg_planner_step(
			planner, VG_STEP_NODE_READY, node->host, node->name, &needs);
		step->node = (int)i;
		step->uuid = node->uuid;
		step->place = role->place;
		planner->node_ready[i] = vg_planner_last(planner);
		vg_needs_add(&needs, planner->node_ready[i]);
		vg_planner_change(planner, VG_CHANGE_ALTER, node->name, role->place, false,
			"wait until it is ready");
	}
	const struct vg_volume_seen *seed;
	if (!seed_is_wanted(planner, i, &seed))
		return;
	bool is_own = !seed || seed->is_broken || !seed->version;
	bool refreshes = is_own || !shares(seed->version, planner->input->seeds[i]);
	enum vg_step_kind kind = refreshes && !is_own ? VG_STEP_NODE_REFRESH : VG_STEP_SEED_WRITE;
	struct vg_step *step = volume_step(planner, kind, i, "seed", role->place, &needs);
	step->uuid = node->uuid;
	if (kind == VG_STEP_NODE_REFRESH)
		step->subject = node->name;
	vg_planner_change(planner, VG_CHANGE_ALTER, node->name, role->place, false,
		kind == VG_STEP_NODE_REFRESH ? "refresh: the grid's other nodes have changed"
					     : "write its seed again");
}

static struct vg_error *make_node(struct vg_planner *planner, size_t i)
{
	const struct vg_grid *grid = planner->input->wanted;
	const struct vg_node *node = &grid->nodes[i];
	const struct vg_role *role = vg_node_role(grid, node);
	const struct vg_node_work *work = &planner->work[i];
	_auto(vg_needs) struct vg_needs before = {0};
	vg_needs_add(&before, work->stop);
	vg_needs_add(&before, work->old_gone);
	make_root(planner, i, &before);
	for (size_t d = 0; d < role->n_disks; d++) {
		struct vg_error *error = make_data(planner, i, &role->disks[d], &before);
		if (error)
			return error;
	}
	if (work->lives && !work->restarts && work->machine->state == VG_MACHINE_RUNNING) {
		keep(planner, i);
		return NULL;
	}
	const struct vg_volume_seen *seed;
	if (seed_is_wanted(planner, i, &seed)) {
		_auto(vg_needs) struct vg_needs stopped = {0};
		vg_needs_add(&stopped, work->stop);
		volume_step(planner, VG_STEP_SEED_WRITE, i, "seed", role->place, &stopped);
		vg_needs_add(&before, vg_planner_last(planner));
	}
	boot(planner, i, &before);
	return NULL;
}

// Roles in an order in which each comes behind those of its `after`; there is no cycle.
static void visit(const struct vg_grid *grid, size_t role, bool *is_seen, size_t *order, size_t *n)
{
	if (is_seen[role])
		return;
	is_seen[role] = true;
	for (size_t k = 0; k < grid->roles[role].n_after; k++)
		visit(grid, grid->roles[role].after[k], is_seen, order, n);
	order[(*n)++] = role;
}

struct vg_error *vg_planner_make_nodes(struct vg_planner *planner)
{
	const struct vg_grid *grid = planner->input->wanted;
	bool *is_seen = vg_alloc(grid->n_roles * sizeof(*is_seen));
	size_t *order = vg_alloc(grid->n_roles * sizeof(*order));
	size_t n = 0;
	for (size_t r = 0; r < grid->n_roles; r++)
		visit(grid, r, is_seen, order, &n);
	struct vg_error *error = NULL;
	for (size_t k = 0; k < n && !error; k++) {
		const struct vg_role *role = &grid->roles[order[k]];
		for (size_t i = 0; i < role->count && !error; i++)
			error = make_node(planner, role->first_node + i);
	}
	free(is_seen);
	free(order);
	return error;
}
