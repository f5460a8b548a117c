// SPDX-License-Identifier: Apache-2.0
//
// The order of the attempts. Who must be near somebody comes first, then who must be apart and is
// packed, since it needs few hosts, then what is spread, then what is packed. The first order obeys
// all wishes; where it leaves a node without a host, the biggest roles go first; then wishes are
// dropped; then the search decides.
#include "orchestrator/plan/place.h"

#include <string.h>

#include "base/memory.h"
#include "orchestrator/plan/placer.h"

enum order { ORDER_WISHES, ORDER_BIG_FIRST, ORDER_NO_WISHES };

void vg_placement_free(struct vg_placement *placement)
{
	if (!placement)
		return;
	free(placement->reasons);
	free(placement);
}

static struct vg_error *cannot_stay(const struct vg_placer *placer, size_t node, size_t host)
{
	const struct vg_grid *grid = placer->problem->grid;
	const struct vg_placement_host *there = &placer->problem->input->hosts[host];
	const struct vg_role *role = vg_node_role(grid, &grid->nodes[node]);
	const char *name = grid->nodes[node].name;
	struct vg_place place = role->wish.place.line ? role->wish.place : role->place;
	if (there->is_emptied)
		return vg_error_at(role->place, "'%s' is on '%s', which is %s", name, there->name,
			there->closed ? there->closed : "to be emptied");
	if (!vg_placer_obeys(placer, grid->nodes[node].role, host))
		return vg_error_hint(
			vg_error_at(place, "'%s' is on '%s', and 'with' or 'apart' forbids it",
				name, there->name),
			"a node keeps its host: take the grid down first, or change the musts");
	for (size_t d = 0; d < VG_N_RESOURCES; d++) {
		uint64_t needs = placer->problem->needs[grid->nodes[node].role].of[d];
		uint64_t has = placer->room[host].of[d];
		if (needs <= has)
			continue;
		_auto(vg_string) char *wanted = vg_resource_write(d, needs);
		_auto(vg_string) char *left = vg_resource_write(d, has);
		return vg_error_hint(
			vg_error_at(role->place,
				"'%s' stays on '%s' and needs %s %s: '%s' has %s left", name,
				there->name, wanted, vg_resource_name(d), there->name, left),
			"a node keeps its host, with its disks; less of it, or fewer nodes there");
	}
	return NULL;
}

// `with` is looked at when all have a host: the other role may still come.
static bool may_stay(const struct vg_placer *placer, size_t role, size_t host)
{
	const struct vg_placer_rules *rules = &placer->problem->rules[role];
	for (size_t i = 0; i < rules->n_apart; i++) {
		if (vg_placer_n_of(placer, rules->apart[i], host))
			return false;
	}
	return !placer->problem->input->hosts[host].is_emptied &&
	       vg_placer_fits(placer, role, host);
}

static struct vg_error *keep(struct vg_placer *placer)
{
	const struct vg_placement_input *input = placer->problem->input;
	const struct vg_grid *grid = placer->problem->grid;
	for (size_t i = 0; input->kept && i < grid->n_nodes; i++) {
		if (input->kept[i] < 0 || (size_t)input->kept[i] >= input->n_hosts)
			continue;
		size_t host = (size_t)input->kept[i];
		if (may_stay(placer, grid->nodes[i].role, host))
			vg_placer_put(placer, i, host, VG_PLACED_KEPT);
		else if (!input->may_move)
			return cannot_stay(placer, i, host);
	}
	return NULL;
}

static bool is_spread(const struct vg_placer *placer, size_t role)
{
	enum vg_place_kind kind = placer->problem->grid->roles[role].wish.kind;
	return kind == VG_PLACE_UNSAID ? placer->problem->input->spreads_by_default
				       : kind == VG_PLACE_SPREAD;
}

static const char *label_of(const struct vg_placer *placer, size_t role)
{
	const char *label = placer->problem->grid->roles[role].wish.label;
	return label && strcmp(label, "host") != 0 ? label : NULL;
}

// How far a role is from those that are `with` nobody; cycles end at the number of roles.
static size_t depth_of(const struct vg_placer *placer, size_t role, size_t limit)
{
	const struct vg_placer_rules *rules = &placer->problem->rules[role];
	size_t deepest = 0;
	for (size_t i = 0; i < rules->n_with && limit; i++) {
		size_t depth = 1 + depth_of(placer, rules->with[i], limit - 1);
		deepest = depth > deepest ? depth : deepest;
	}
	return deepest;
}

struct turn {
	size_t role, phase, depth;
	double weight;
};

static int compare_turns(const void *left, const void *right)
{
	const struct turn *a = left, *b = right;
	if (a->phase != b->phase)
		return a->phase < b->phase ? -1 : 1;
	if (a->depth != b->depth)
		return a->depth < b->depth ? -1 : 1;
	if (a->weight != b->weight)
		return a->weight > b->weight ? -1 : 1;
	return a->role < b->role ? -1 : 1;
}

enum {
	PHASE_NEAR,
	PHASE_PACK_APART,
	PHASE_SPREAD_APART,
	PHASE_SPREAD,
	PHASE_PACK_LABEL,
	PHASE_PACK
};

static size_t phase_of(const struct vg_placer *placer, size_t role, enum order order)
{
	const struct vg_placer_rules *rules = &placer->problem->rules[role];
	bool spreads = is_spread(placer, role);
	if (rules->n_with || rules->is_wanted_near)
		return PHASE_NEAR;
	if (order == ORDER_BIG_FIRST)
		return PHASE_SPREAD;
	if (order == ORDER_NO_WISHES)
		return rules->n_apart ? PHASE_PACK_APART : PHASE_PACK;
	if (rules->n_apart)
		return spreads ? PHASE_SPREAD_APART : PHASE_PACK_APART;
	if (spreads)
		return PHASE_SPREAD;
	return label_of(placer, role) ? PHASE_PACK_LABEL : PHASE_PACK;
}

static struct turn *make_turns(const struct vg_placer *placer, enum order order)
{
	size_t n_roles = placer->problem->grid->n_roles;
	struct turn *turns = vg_alloc(n_roles * sizeof(*turns));
	for (size_t r = 0; r < n_roles; r++)
		turns[r] = (struct turn){r, phase_of(placer, r, order),
			depth_of(placer, r, n_roles < 8 ? n_roles : 8),
			vg_placer_weight(placer->problem, r)};
	if (n_roles)
		qsort(turns, n_roles, sizeof(*turns), compare_turns);
	return turns;
}

static void place_by_wish(
	struct vg_placer *placer, size_t role, enum order order, enum vg_packing packing)
{
	const char *label = label_of(placer, role);
	if (placer->problem->rules[role].is_wanted_near && !label)
		vg_placer_near(placer, role, is_spread(placer, role) && order != ORDER_NO_WISHES);
	else if (order == ORDER_NO_WISHES)
		vg_placer_pack(placer, &role, 1, packing);
	else if (is_spread(placer, role))
		vg_placer_spread(placer, role, label ? label : "host");
	else if (label)
		vg_placer_pack_label(placer, role, label);
	else
		vg_placer_pack(placer, &role, 1, packing);
}

// Roles that are packed by host and are under no `with` are packed together: big and small fill up
// a host better than one kind alone.
static void attempt(struct vg_placer *placer, enum order order, enum vg_packing packing)
{
	size_t n_roles = placer->problem->grid->n_roles, n_together = 0;
	struct turn *turns = make_turns(placer, order);
	size_t *together = vg_alloc(n_roles * sizeof(*together));
	for (size_t i = 0; i < n_roles; i++) {
		bool is_joint = turns[i].phase == PHASE_PACK || turns[i].phase == PHASE_PACK_APART;
		if (!is_joint) {
			place_by_wish(placer, turns[i].role, order, packing);
			continue;
		}
		together[n_together++] = turns[i].role;
		if (i + 1 < n_roles && turns[i + 1].phase == turns[i].phase)
			continue;
		vg_placer_pack(placer, together, n_together, packing);
		n_together = 0;
	}
	free(together);
	free(turns);
}

static size_t first_without_host(const struct vg_placer *placer)
{
	const struct vg_grid *grid = placer->problem->grid;
	for (size_t i = 0; i < grid->n_nodes; i++) {
		if (placer->n_left[grid->nodes[i].role] && placer->hosts[i] == VG_HOST_NONE)
			return i;
	}
	return SIZE_MAX;
}

// Everybody has a host and no must is broken; else *ret_node is one that is in the way.
static bool is_done(const struct vg_placer *placer, size_t *ret_node)
{
	size_t node = first_without_host(placer);
	if (node != SIZE_MAX) {
		*ret_node = node;
		return false;
	}
	return vg_placer_musts_hold(placer, ret_node);
}

static size_t count_used(const struct vg_placer *placer)
{
	size_t n_used = 0;
	for (size_t h = 0; h < vg_placer_n_hosts(placer); h++)
		n_used += placer->n_on[h] > 0;
	return n_used;
}

static int compare_falling(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
	return a < b ? 1 : a > b ? -1 : 0;
}

// The fewest hosts, the largest first, whose rooms add up to what is wanted, in the scarcest
// amount.
static size_t bound_of(const struct vg_placer_problem *problem)
{
	const struct vg_placement_input *input = problem->input;
	uint64_t *rooms = vg_alloc(input->n_hosts * sizeof(*rooms));
	size_t bound = problem->grid->n_nodes > 0;
	for (size_t d = 0; d < VG_N_RESOURCES; d++) {
		double wanted = 0, room = 0;
		for (size_t r = 0; r < problem->grid->n_roles; r++)
			wanted += (double)problem->needs[r].of[d] * problem->grid->roles[r].count;
		for (size_t h = 0; h < input->n_hosts; h++)
			rooms[h] = input->hosts[h].room.of[d];
		if (input->n_hosts)
			qsort(rooms, input->n_hosts, sizeof(*rooms), compare_falling);
		size_t n = 0;
		while (n < input->n_hosts && room < wanted)
			room += (double)rooms[n++];
		bound = n > bound ? n : bound;
	}
	free(rooms);
	return bound;
}

// Is the way of packing of no matter?
static bool is_all_spread(const struct vg_placer *placer, enum order order)
{
	for (size_t r = 0; r < placer->problem->grid->n_roles; r++) {
		if (placer->n_left[r] && (order == ORDER_NO_WISHES || !is_spread(placer, r)))
			return false;
	}
	return true;
}

// The best of all ways to pack, in one order. False: none gives everybody a host; then *best is
// what the first one came to.
static bool try_order(const struct vg_placer *start, enum order order, size_t bound,
	struct vg_placer *best, size_t *ret_node)
{
	size_t fewest = SIZE_MAX, n_packings = is_all_spread(start, order) ? 1 : VG_N_PACKINGS;
	for (size_t p = 0; p < n_packings && fewest > bound; p++) {
		_auto(vg_placer) struct vg_placer placer = {0};
		size_t node;
		vg_placer_copy(&placer, start);
		attempt(&placer, order, (enum vg_packing)p);
		bool is_whole = is_done(&placer, &node);
		size_t n_used = is_whole ? count_used(&placer) : SIZE_MAX;
		if (!is_whole && p == 0)
			*ret_node = node;
		if (n_used >= fewest && p)
			continue;
		vg_placer_done(best);
		*best = placer;
		placer = (struct vg_placer){0};
		fewest = n_used;
	}
	return fewest != SIZE_MAX;
}

static struct vg_error *solve(
	const struct vg_placer *start, size_t bound, struct vg_placer *ret_best)
{
	size_t node = 0, first_node = 0;
	_auto(vg_placer) struct vg_placer first = {0}, best = {0};
	bool is_found = try_order(start, ORDER_WISHES, bound, &first, &first_node);
	if (is_found) {
		*ret_best = first;
		first = (struct vg_placer){0};
		vg_placer_tighten(ret_best);
		return NULL;
	}
	for (int order = ORDER_BIG_FIRST; order <= ORDER_NO_WISHES && !is_found; order++)
		is_found = try_order(start, (enum order)order, bound, &best, &node);
	if (!is_found) {
		vg_placer_copy(&best, start);
		enum vg_search verdict = vg_placer_search(&best);
		if (verdict != VG_SEARCH_FOUND)
			return vg_placer_miss(
				start, &first, first_node, verdict == VG_SEARCH_IMPOSSIBLE);
	}
	*ret_best = best;
	best = (struct vg_placer){0};
	return NULL;
}

static struct vg_error *check_shared(const struct vg_placer_problem *problem)
{
	const struct vg_grid *grid = problem->grid;
	struct vg_resources needed = {0};
	for (size_t r = 0; r < grid->n_roles; r++) {
		const struct vg_role *role = &grid->roles[r];
		for (size_t d = 0; d < VG_N_RESOURCES; d++) {
			needed.of[d] += role->count * problem->needs[r].of[d];
			if (needed.of[d] <= problem->input->shared.of[d])
				continue;
			_auto(vg_string) char *has =
				vg_resource_write(d, problem->input->shared.of[d]);
			_auto(vg_string) char *needs = vg_resource_write(d, needed.of[d]);
			return vg_error_hint(
				vg_error_at(role->place,
					"the nodes up to role '%s' need %s of %s%s; this machine "
					"has %s",
					role->name, needs, vg_resource_name(d),
					d == VG_RESOURCE_MEMORY ? ", emulators included" : "", has),
				"less '%s:' or 'count:', perhaps by a profile",
				vg_resource_name(d));
		}
	}
	return NULL;
}

struct vg_error *vg_placement_make(struct vg_grid *grid, const struct vg_placement_input *input,
	struct vg_placement **ret_placement)
{
	struct vg_placer_problem problem;
	_auto(vg_placer) struct vg_placer start = {0}, best = {0};
	vg_placer_problem_init(&problem, grid, input);
	size_t bound = bound_of(&problem);
	struct vg_error *error = check_shared(&problem);
	if (!error) {
		vg_placer_init(&start, &problem);
		error = keep(&start);
	}
	if (!error)
		error = solve(&start, bound, &best);
	if (!error) {
		struct vg_placement *placement = vg_new(struct vg_placement);
		for (size_t i = 0; i < grid->n_nodes; i++)
			grid->nodes[i].host = best.hosts[i];
		placement->reasons = vg_take(best.reasons);
		placement->n_used = count_used(&best);
		placement->n_bound = bound;
		*ret_placement = placement;
	}
	vg_placer_problem_done(&problem);
	return error;
}
