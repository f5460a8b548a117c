// SPDX-License-Identifier: Apache-2.0
//
// One pass in template order. A host that a must forbids is out; among the others `spread` takes
// the one with the fewest nodes of the role, then of all; `pack` the first that already has a node
// of the grid. Weighing capacities of unlike hosts is not needed where all hosts are boxes of one
// machine.
#include "orchestrator/plan/place.h"

#include <string.h>

#include "base/memory.h"
#include "base/units.h"
#include "compute/machine.h"

struct state {
	const struct vg_grid *grid;
	const struct vg_placement_input *input;
	unsigned *of_role; // nodes of role r on host h: [r * n_hosts + h]
	unsigned *of_host; // all nodes
};

static bool has_role(const struct state *state, size_t role, size_t host)
{
	return state->of_role[role * state->input->n_hosts + host] > 0;
}

// Is any node of the role placed anywhere?
static bool is_placed(const struct state *state, size_t role)
{
	for (size_t h = 0; h < state->input->n_hosts; h++) {
		if (has_role(state, role, h))
			return true;
	}
	return false;
}

// `with` and `apart` hold in both directions: the other role's musts count as well.
static bool allows(const struct state *state, size_t role, size_t host)
{
	const struct vg_grid *grid = state->grid;
	const struct vg_placement_wish *wish = &grid->roles[role].wish;
	for (size_t i = 0; i < wish->n_with; i++) {
		if (is_placed(state, wish->with[i]) && !has_role(state, wish->with[i], host))
			return false;
	}
	for (size_t i = 0; i < wish->n_apart; i++) {
		if (has_role(state, wish->apart[i], host))
			return false;
	}
	for (size_t r = 0; r < grid->n_roles; r++) {
		const struct vg_placement_wish *other = &grid->roles[r].wish;
		for (size_t i = 0; i < other->n_with; i++) {
			if (other->with[i] == role && is_placed(state, r) &&
				!has_role(state, r, host))
				return false;
		}
		for (size_t i = 0; i < other->n_apart; i++) {
			if (other->apart[i] == role && has_role(state, r, host))
				return false;
		}
	}
	return true;
}

// Is host `a` better than host `b` for a node of this role?
static bool is_better(const struct state *state, size_t role, size_t a, size_t b)
{
	const struct vg_placement_wish *wish = &state->grid->roles[role].wish;
	bool spreads = wish->kind == VG_PLACE_UNSAID ? state->input->spreads_by_default
						     : wish->kind == VG_PLACE_SPREAD;
	const unsigned *of_role = &state->of_role[role * state->input->n_hosts];
	if (!spreads)
		return state->of_host[a] > 0 && state->of_host[b] == 0;
	if (of_role[a] != of_role[b])
		return of_role[a] < of_role[b];
	return state->of_host[a] < state->of_host[b];
}

static void put(struct state *state, struct vg_node *node, size_t host)
{
	node->host = (int)host;
	state->of_role[node->role * state->input->n_hosts + host]++;
	state->of_host[host]++;
}

static struct vg_error *choose(struct state *state, struct vg_node *node)
{
	size_t best = SIZE_MAX;
	for (size_t h = 0; h < state->input->n_hosts; h++) {
		if (allows(state, node->role, h) &&
			(best == SIZE_MAX || is_better(state, node->role, h, best)))
			best = h;
	}
	const struct vg_role *role = &state->grid->roles[node->role];
	struct vg_place place = role->wish.place.line ? role->wish.place : role->place;
	if (best == SIZE_MAX)
		return vg_error_hint(
			vg_error_at(place,
				"placing '%s': none of %zu host%s is left by 'with' and 'apart'",
				node->name, state->input->n_hosts,
				state->input->n_hosts == 1 ? "" : "s"),
			"more hosts ('--site sandbox:%zu'), or fewer musts",
			state->input->n_hosts + 1);
	put(state, node, best);
	return NULL;
}

static struct vg_error *check_memory(const struct vg_grid *grid, uint64_t total)
{
	uint64_t needed = 0;
	for (size_t r = 0; r < grid->n_roles; r++) {
		const struct vg_role *role = &grid->roles[r];
		needed += role->count * vg_machine_footprint(role->cpu, role->memory);
		if (!total || needed <= total)
			continue;
		_auto(vg_string) char *has = vg_units_write_size(total >> 20 << 20);
		_auto(vg_string) char *needs = vg_units_write_size(needed >> 20 << 20);
		return vg_error_hint(
			vg_error_at(role->place,
				"the nodes up to role '%s' need %s of memory, emulators included;"
				" this machine has %s",
				role->name, needs, has),
			"less 'memory:' or 'count:', perhaps by a profile");
	}
	return NULL;
}

struct vg_error *vg_placement_make(struct vg_grid *grid, const struct vg_placement_input *input)
{
	struct vg_error *error = check_memory(grid, input->memory_total);
	if (error)
		return error;
	struct state state = {grid, input,
		vg_alloc(grid->n_roles * input->n_hosts * sizeof(unsigned)),
		vg_alloc(input->n_hosts * sizeof(unsigned))};
	for (size_t i = 0; i < grid->n_nodes; i++) {
		int kept = input->kept ? input->kept[i] : VG_HOST_NONE;
		grid->nodes[i].host = VG_HOST_NONE;
		if (kept >= 0 && (size_t)kept < input->n_hosts)
			put(&state, &grid->nodes[i], (size_t)kept);
	}
	for (size_t i = 0; i < grid->n_nodes && !error; i++) {
		if (grid->nodes[i].host == VG_HOST_NONE)
			error = choose(&state, &grid->nodes[i]);
	}
	free(state.of_role);
	free(state.of_host);
	return error;
}
