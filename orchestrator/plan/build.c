// SPDX-License-Identifier: Apache-2.0
//
// The frame of a plan: hosts first, then what must go, then networks, then nodes in the order of
// their `after`.
#include "orchestrator/plan/planner.h"

#include <string.h>

#include "base/tag.h"
#include "base/units.h"
#include "orchestrator/plan/applied.h"

int vg_planner_last(const struct vg_planner *planner)
{
	return (int)planner->plan->n_steps - 1;
}

struct vg_step *vg_planner_step(struct vg_planner *planner, enum vg_step_kind kind, int host,
	const char *subject, const struct vg_needs *needs)
{
	struct vg_plan *plan = planner->plan;
	struct vg_step *step = &vg_append(plan->steps, plan->n_steps);
	step->kind = kind;
	step->host = host;
	step->node = VG_STEP_NODE_NONE;
	step->subject = vg_arena_strdup(plan->arena, subject);
	if (needs && needs->n_items) {
		step->n_needs = needs->n_items;
		step->needs = vg_arena_copy(
			plan->arena, needs->items, needs->n_items, sizeof(*needs->items));
	}
	return step;
}

void vg_planner_change(struct vg_planner *planner, enum vg_change_sign sign, const char *subject,
	struct vg_place place, bool asks, const char *format, ...)
{
	struct vg_plan *plan = planner->plan;
	va_list arguments;
	va_start(arguments, format);
	_auto(vg_string) char *text = vg_vformat(format, arguments);
	va_end(arguments);
	vg_append(plan->changes, plan->n_changes) =
		(struct vg_change){sign, vg_arena_strdup(plan->arena, subject),
			vg_arena_strdup(plan->arena, text), NULL, place, asks};
}

void vg_needs_add(struct vg_needs *needs, int step)
{
	if (step != VG_NO_STEP)
		vg_append(needs->items, needs->n_items) = (size_t)step;
}

char *vg_planner_disk_tag(const struct vg_planner *planner, const char *node, const char *disk)
{
	_auto(vg_string) char *path = vg_format("node/%s/disk/%s", node, disk);
	return vg_tag_make(planner->input->store, planner->input->grid_uuid, path);
}

char *vg_planner_seed_tag(const struct vg_planner *planner, const char *node)
{
	_auto(vg_string) char *path = vg_format("node/%s/seed", node);
	return vg_tag_make(planner->input->store, planner->input->grid_uuid, path);
}

bool vg_planner_may_replace(const struct vg_planner *planner, const char *node, const char *disk)
{
	_auto(vg_string) char *name = vg_format("%s/%s", node, disk);
	for (size_t i = 0; i < planner->input->n_replaces; i++) {
		if (strcmp(planner->input->replaces[i], name) == 0)
			return true;
	}
	return false;
}

bool vg_planner_was_made(const struct vg_planner *planner, size_t node, const char *disk)
{
	_auto(vg_string) char *name =
		vg_format("%s/%s", planner->input->wanted->nodes[node].name, disk);
	const struct vg_machine_seen *machine = planner->work[node].machine;
	return vg_map_has(planner->made, name) ||
	       (machine && vg_applied_has_disk(machine->applied, disk));
}

// Boxes that do not run are started, all of them, and joined before anything else.
static void start_hosts(struct vg_planner *planner)
{
	const struct vg_plan_input *input = planner->input;
	size_t n_hosts = input->world->n_hosts;
	_auto(vg_needs) struct vg_needs started = {0};
	for (size_t h = 0; h < n_hosts; h++) {
		if (input->world->hosts[h].repaired)
			vg_planner_change(planner, VG_CHANGE_ALTER, input->host_names[h],
				(struct vg_place){0}, false,
				"its %s had died, and was started again",
				input->world->hosts[h].repaired);
		if (input->world->hosts[h].is_running)
			continue;
		vg_planner_step(planner, VG_STEP_HOST_START, (int)h, input->host_names[h], NULL);
		planner->host_ready[h] = vg_planner_last(planner);
		vg_needs_add(&started, planner->host_ready[h]);
		if (input->was_complete)
			vg_planner_change(planner, VG_CHANGE_ADD, input->host_names[h],
				(struct vg_place){0}, false, "start: it does not run");
	}
	if ((!started.n_items && !input->world->is_split) || n_hosts == 1)
		return;
	if (!started.n_items)
		vg_planner_change(planner, VG_CHANGE_ADD, "underlay", (struct vg_place){0}, false,
			"join the boxes: what joined them is gone");
	vg_planner_step(planner, VG_STEP_HOST_JOIN, 0, "underlay", &started);
	for (size_t h = 0; h < n_hosts; h++)
		planner->host_ready[h] = vg_planner_last(planner);
}

// One change a line of the difference.
static void say_networks(struct vg_planner *planner, const char *host, const char *difference)
{
	for (const char *line = difference; *line;) {
		size_t length = strcspn(line, "\n");
		vg_planner_change(planner, VG_CHANGE_ALTER, host, (struct vg_place){0}, false,
			"mend networks: %.*s", (int)length, line);
		line += length + (line[length] == '\n');
	}
}

static void build_networks(struct vg_planner *planner)
{
	const struct vg_plan_input *input = planner->input;
	for (size_t h = 0; h < input->world->n_hosts; h++) {
		const struct vg_slice *seen = input->world->hosts[h].slice;
		const struct vg_slice *wanted = input->slices[h];
		bool was_empty = !seen || seen->n_overlays == 0;
		if (was_empty && wanted->n_overlays == 0)
			continue;
		_auto(vg_string) char *difference =
			was_empty ? vg_strdup("") : vg_slice_difference(wanted, seen);
		if (!difference)
			continue;
		vg_needs_add(&planner->before_net[h], planner->host_ready[h]);
		struct vg_step *step = vg_planner_step(planner, VG_STEP_NET_CONVERGE, (int)h,
			input->host_names[h], &planner->before_net[h]);
		if (wanted->n_overlays)
			step->place = wanted->overlays[0].place;
		planner->net_ready[h] = vg_planner_last(planner);
		if (!planner->changes_members && input->world->hosts[h].is_running)
			say_networks(planner, input->host_names[h],
				was_empty ? "there are none" : difference);
	}
}

// Are the rates of the role's nodes enforced where they are?
static bool are_limited(const struct vg_plan_input *input, size_t role)
{
	for (size_t i = 0; input->limits_rates && i < input->wanted->n_nodes; i++) {
		const struct vg_node *node = &input->wanted->nodes[i];
		if (node->role == role && node->host >= 0 && !input->limits_rates[node->host])
			return false;
	}
	return input->limits_rates;
}

static void list_unenforced(struct vg_planner *planner)
{
	const struct vg_grid *grid = planner->input->wanted;
	struct vg_plan *plan = planner->plan;
	for (size_t r = 0; grid && r < grid->n_roles; r++) {
		const struct vg_role *role = &grid->roles[r];
		if (role->cpu_limit)
			vg_append(plan->unenforced, plan->n_unenforced) =
				vg_arena_format(plan->arena, "cpu-limit %g of role '%s'",
					role->cpu_limit / 1000.0, role->name);
		for (size_t i = 0; i < role->n_nics; i++) {
			if (!role->nics[i].rate || are_limited(planner->input, r))
				continue;
			_auto(vg_string) char *rate = vg_units_write_rate(role->nics[i].rate);
			vg_append(plan->unenforced, plan->n_unenforced) = vg_arena_format(
				plan->arena, "rate %s of role '%s' on network '%s'", rate,
				role->name, grid->networks[role->nics[i].network].name);
		}
	}
}

static void index_world(struct vg_planner *planner)
{
	const struct vg_world *world = planner->input->world;
	for (size_t h = 0; h < world->n_hosts; h++) {
		struct vg_host_seen *host = &world->hosts[h];
		for (size_t i = 0; i < host->machines.n_items; i++)
			vg_map_set(planner->machines, host->machines.items[i].uuid,
				&host->machines.items[i]);
		for (size_t i = 0; i < host->volumes.n_items; i++)
			vg_map_set(planner->volumes, host->volumes.items[i].tag,
				&host->volumes.items[i]);
		for (size_t i = 0; host->slice && i < host->slice->n_held; i++)
			vg_map_set(planner->held, host->slice->held[i], host->slice->held[i]);
	}
	for (size_t i = 0; i < planner->input->n_made; i++)
		vg_map_set(planner->made, planner->input->made[i], planner);
}

static int *no_steps(size_t n)
{
	int *steps = vg_alloc(n * sizeof(*steps));
	for (size_t i = 0; i < n; i++)
		steps[i] = VG_NO_STEP;
	return steps;
}

static void planner_init(struct vg_planner *planner, const struct vg_plan_input *input)
{
	size_t n_hosts = input->world->n_hosts;
	size_t n_nodes = input->wanted ? input->wanted->n_nodes : 0;
	*planner = (struct vg_planner){
		.input = input,
		.plan = vg_new(struct vg_plan),
		.volumes = vg_map_new(),
		.machines = vg_map_new(),
		.held = vg_map_new(),
		.made = vg_map_new(),
		.host_ready = no_steps(n_hosts),
		.net_ready = no_steps(n_hosts),
		.before_net = vg_alloc(n_hosts * sizeof(*planner->before_net)),
		.node_ready = no_steps(n_nodes),
		.work = vg_alloc(n_nodes * sizeof(*planner->work)),
	};
	planner->plan->arena = vg_arena_new();
	index_world(planner);
}

static void planner_done(struct vg_planner *planner)
{
	vg_map_free(planner->volumes);
	vg_map_free(planner->machines);
	vg_map_free(planner->held);
	vg_map_free(planner->made);
	free(planner->host_ready);
	free(planner->net_ready);
	for (size_t h = 0; h < planner->input->world->n_hosts; h++)
		free(planner->before_net[h].items);
	free(planner->before_net);
	free(planner->node_ready);
	free(planner->work);
	vg_plan_free(planner->plan);
}

static struct vg_error *plan_wanted(struct vg_planner *planner)
{
	start_hosts(planner);
	vg_planner_decide_nodes(planner);
	struct vg_error *error = vg_planner_remove_unwanted(planner);
	if (error)
		return error;
	build_networks(planner);
	error = vg_planner_make_nodes(planner);
	list_unenforced(planner);
	return error;
}

struct vg_error *vg_plan_build(const struct vg_plan_input *input, struct vg_plan **ret_plan)
{
	struct vg_planner planner;
	planner_init(&planner, input);
	struct vg_error *error =
		input->wanted ? plan_wanted(&planner) : vg_planner_remove_all(&planner);
	if (!error)
		*ret_plan = vg_take(planner.plan);
	planner_done(&planner);
	return error;
}

void vg_plan_free(struct vg_plan *plan)
{
	if (!plan)
		return;
	vg_arena_free(plan->arena);
	free(plan->steps);
	free(plan->changes);
	free(plan->unenforced);
	free(plan);
}

bool vg_plan_asks(const struct vg_plan *plan)
{
	for (size_t i = 0; i < plan->n_changes; i++) {
		if (plan->changes[i].asks)
			return true;
	}
	return false;
}
