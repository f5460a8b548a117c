// SPDX-License-Identifier: Apache-2.0
//
// Packing: host by host, those in use first and then the largest, each filled one node at a time by
// the role that scores best (sources: place.h). First fit decreasing is the same walk with a fixed
// order of the roles: a host is left when nothing fits any more, so no later node would have.
#include <string.h>

#include "base/memory.h"
#include "orchestrator/plan/placer.h"

// A role in the units of the problem.
struct kind {
	size_t role;
	double need[VG_N_RESOURCES]; // in mean rooms
	double sum;                  // weighted
	bool has_rules;
	double target; // of the host being filled, by proportion
	uint32_t n_here;
};

struct packing {
	struct vg_placer *placer;
	enum vg_packing way;
	double weight[VG_N_RESOURCES];
	struct kind *kinds;
	size_t n_kinds;
};

// Room counts up to this many mean rooms: beyond it nothing is scarce there.
static const double room_max = 1e6;

static double room_of(const struct vg_placer *placer, size_t host, size_t d)
{
	double room = (double)placer->room[host].of[d] * placer->problem->scale[d];
	return room > room_max ? room_max : room;
}

static int compare_kinds(const void *left, const void *right)
{
	const struct kind *a = left, *b = right;
	if (a->sum != b->sum)
		return a->sum > b->sum ? -1 : 1;
	return a->role < b->role ? -1 : 1;
}

static void packing_init(struct packing *packing, struct vg_placer *placer, const size_t *roles,
	size_t n_roles, enum vg_packing way)
{
	const struct vg_placer_problem *problem = placer->problem;
	bool is_plain = way == VG_PACK_DOT_PLAIN || way == VG_PACK_FIRST_FIT_PLAIN;
	*packing = (struct packing){.placer = placer,
		.way = way,
		.kinds = vg_alloc(n_roles * sizeof(*packing->kinds)),
		.n_kinds = n_roles};
	for (size_t d = 0; d < VG_N_RESOURCES; d++)
		packing->weight[d] = is_plain ? 1 : problem->weight[d];
	for (size_t i = 0; i < n_roles; i++) {
		const struct vg_placer_rules *rules = &problem->rules[roles[i]];
		struct kind *kind = &packing->kinds[i];
		kind->role = roles[i];
		kind->has_rules = rules->n_with || rules->n_apart;
		for (size_t d = 0; d < VG_N_RESOURCES; d++) {
			kind->need[d] = (double)problem->needs[roles[i]].of[d] * problem->scale[d];
			kind->sum += packing->weight[d] * kind->need[d];
		}
	}
	if (n_roles)
		qsort(packing->kinds, n_roles, sizeof(*packing->kinds), compare_kinds);
}

static bool can_take(const struct vg_placer *placer, const struct kind *kind, size_t host)
{
	return placer->n_left[kind->role] && vg_placer_fits(placer, kind->role, host) &&
	       (!kind->has_rules || vg_placer_allows(placer, kind->role, host));
}

// What the host would hold of each role if all hosts held the same mixture.
static void set_targets(struct packing *packing, size_t host)
{
	double share = 1;
	for (size_t d = 0; d < VG_N_RESOURCES; d++) {
		double left = 0;
		for (size_t k = 0; k < packing->n_kinds; k++)
			left += packing->kinds[k].need[d] *
				packing->placer->n_left[packing->kinds[k].role];
		double room = room_of(packing->placer, host, d);
		if (left > 0 && room / left < share)
			share = room / left;
	}
	for (size_t k = 0; k < packing->n_kinds; k++) {
		struct kind *kind = &packing->kinds[k];
		kind->target = share * packing->placer->n_left[kind->role];
		kind->n_here = 0;
	}
}

static double dot(const struct packing *packing, const struct kind *kind, size_t host)
{
	double score = 0;
	for (size_t d = 0; d < VG_N_RESOURCES; d++)
		score += packing->weight[d] * kind->need[d] * room_of(packing->placer, host, d);
	return score;
}

static double norm(const struct packing *packing, const struct kind *kind, size_t host)
{
	double score = 0;
	for (size_t d = 0; d < VG_N_RESOURCES; d++) {
		double left = room_of(packing->placer, host, d) - kind->need[d];
		score -= packing->weight[d] * left * left;
	}
	return score;
}

// Higher is better. By proportion, who is behind its target comes before all others.
static double score_of(const struct packing *packing, size_t k, size_t host)
{
	const struct kind *kind = &packing->kinds[k];
	double behind;
	switch (packing->way) {
	case VG_PACK_PROPORTION:
		behind = kind->target - kind->n_here;
		return behind >= 1 ? 1e9 + behind / kind->target : dot(packing, kind, host);
	case VG_PACK_DOT:
	case VG_PACK_DOT_PLAIN:
		return dot(packing, kind, host);
	case VG_PACK_NORM:
		return norm(packing, kind, host);
	case VG_PACK_FIRST_FIT:
	case VG_PACK_FIRST_FIT_PLAIN:
		return -(double)k;
	}
	return 0;
}

static void fill(struct packing *packing, size_t host)
{
	struct vg_placer *placer = packing->placer;
	if (packing->way == VG_PACK_PROPORTION)
		set_targets(packing, host);
	for (;;) {
		size_t best = SIZE_MAX;
		double best_score = 0;
		for (size_t k = 0; k < packing->n_kinds; k++) {
			if (!can_take(placer, &packing->kinds[k], host))
				continue;
			double score = score_of(packing, k, host);
			if (best != SIZE_MAX && score <= best_score)
				continue;
			best = k;
			best_score = score;
		}
		if (best == SIZE_MAX)
			return;
		packing->kinds[best].n_here++;
		vg_placer_put_next(placer, packing->kinds[best].role, host, VG_PLACED_PACKED);
	}
}

// A host's turn.
struct rank {
	size_t host, group;
	uint32_t n_on;
	double size;
};

static int compare_ranks(const void *left, const void *right)
{
	const struct rank *a = left, *b = right;
	if (a->group != b->group)
		return a->group < b->group ? -1 : 1;
	if (!a->n_on != !b->n_on)
		return a->n_on ? -1 : 1;
	if (a->size != b->size)
		return a->size > b->size ? -1 : 1;
	// Among hosts that are used alike by what was spread, the emptier.
	if (a->n_on != b->n_on)
		return a->n_on < b->n_on ? -1 : 1;
	return a->host < b->host ? -1 : 1;
}

// `turns` NULL: hosts are in one group.
static void pack(struct packing *packing, const size_t *group_of, const size_t *turns)
{
	struct vg_placer *placer = packing->placer;
	const struct vg_placement_input *input = placer->problem->input;
	struct rank *ranks = vg_alloc(input->n_hosts * sizeof(*ranks));
	size_t n_ranks = 0, n_left = 0;
	for (size_t h = 0; h < input->n_hosts; h++) {
		if (!input->hosts[h].closed)
			ranks[n_ranks++] = (struct rank){h, turns ? turns[group_of[h]] : 0,
				placer->n_on[h], placer->problem->size[h]};
	}
	if (n_ranks)
		qsort(ranks, n_ranks, sizeof(*ranks), compare_ranks);
	for (size_t i = 0; i < n_ranks; i++) {
		n_left = 0;
		for (size_t k = 0; k < packing->n_kinds; k++)
			n_left += placer->n_left[packing->kinds[k].role];
		if (!n_left)
			break;
		fill(packing, ranks[i].host);
	}
	free(ranks);
	free(packing->kinds);
}

void vg_placer_pack(
	struct vg_placer *placer, const size_t *roles, size_t n_roles, enum vg_packing way)
{
	struct packing packing;
	packing_init(&packing, placer, roles, n_roles, way);
	pack(&packing, NULL, NULL);
}

// A group of hosts that share a label's value.
struct shelf {
	size_t group;
	bool is_used;
	uint64_t holds; // nodes of the role
	uint64_t wanted;
};

// Groups in use first; then the smallest that holds all that is left; without one the largest.
static int compare_shelves(const void *left, const void *right)
{
	const struct shelf *a = left, *b = right;
	bool a_holds = a->holds >= a->wanted, b_holds = b->holds >= b->wanted;
	if (a->is_used != b->is_used)
		return a->is_used ? -1 : 1;
	if (a_holds != b_holds)
		return a_holds ? -1 : 1;
	if (a->holds != b->holds)
		return (a->holds < b->holds) == a_holds ? -1 : 1;
	return a->group < b->group ? -1 : 1;
}

void vg_placer_pack_label(struct vg_placer *placer, size_t role, const char *label)
{
	size_t n_hosts = vg_placer_n_hosts(placer);
	size_t *group_of = vg_alloc(n_hosts * sizeof(*group_of));
	size_t n_groups = vg_placer_groups(placer, label, group_of);
	struct shelf *shelves = vg_alloc(n_groups * sizeof(*shelves));
	size_t *turns = vg_alloc(n_groups * sizeof(*turns));
	for (size_t g = 0; g < n_groups; g++)
		shelves[g] = (struct shelf){.group = g, .wanted = placer->n_left[role]};
	for (size_t h = 0; h < n_hosts; h++) {
		shelves[group_of[h]].is_used |= vg_placer_n_of(placer, role, h) > 0;
		shelves[group_of[h]].holds += vg_placer_capacity(placer, role, h);
	}
	if (n_groups)
		qsort(shelves, n_groups, sizeof(*shelves), compare_shelves);
	for (size_t i = 0; i < n_groups; i++)
		turns[shelves[i].group] = i;
	struct packing packing;
	packing_init(&packing, placer, &role, 1, VG_PACK_FIRST_FIT);
	pack(&packing, group_of, turns);
	free(turns);
	free(shelves);
	free(group_of);
}

// What is left of a host's first room, weighted: how little is on it.
static double load_of(const struct vg_placer *placer, size_t host)
{
	double load = 0;
	for (size_t d = 0; d < VG_N_RESOURCES; d++) {
		double all = (double)placer->problem->input->hosts[host].room.of[d];
		load += placer->problem->weight[d] * placer->problem->scale[d] *
			(all - (double)placer->room[host].of[d]);
	}
	return load;
}

// Nodes that may be moved: all were packed by host just now, and no must ties them.
static bool is_movable(const struct vg_placer *placer, size_t node)
{
	const struct vg_grid *grid = placer->problem->grid;
	const struct vg_placer_rules *rules = &placer->problem->rules[grid->nodes[node].role];
	const char *label = grid->roles[grid->nodes[node].role].wish.label;
	return placer->reasons[node] == VG_PLACED_PACKED && !rules->n_with && !rules->n_apart &&
	       !rules->is_wanted_near && (!label || strcmp(label, "host") == 0);
}

static size_t emptiest_packed(const struct vg_placer *placer)
{
	const struct vg_grid *grid = placer->problem->grid;
	size_t n_hosts = vg_placer_n_hosts(placer), best = SIZE_MAX;
	bool *is_fixed = vg_alloc(n_hosts * sizeof(*is_fixed));
	for (size_t i = 0; i < grid->n_nodes; i++)
		is_fixed[placer->hosts[i]] |= !is_movable(placer, i);
	for (size_t h = 0; h < n_hosts; h++) {
		if (!placer->n_on[h] || is_fixed[h])
			continue;
		if (best == SIZE_MAX || load_of(placer, h) < load_of(placer, best))
			best = h;
	}
	free(is_fixed);
	return best;
}

static bool would_hold(const struct vg_placer *placer, size_t from, size_t to)
{
	const struct vg_placement_input *input = placer->problem->input;
	for (size_t d = 0; d < VG_N_RESOURCES; d++) {
		uint64_t first = input->hosts[from].room.of[d];
		uint64_t used = first == VG_UNLIMITED ? 0 : first - placer->room[from].of[d];
		if (used > placer->room[to].of[d])
			return false;
	}
	return !input->hosts[to].closed && !placer->n_on[to];
}

void vg_placer_tighten(struct vg_placer *placer)
{
	const struct vg_placer_problem *problem = placer->problem;
	size_t from = emptiest_packed(placer), to = from;
	for (size_t h = 0; from != SIZE_MAX && h < vg_placer_n_hosts(placer); h++) {
		if (problem->size[h] < problem->size[to] && would_hold(placer, from, h))
			to = h;
	}
	for (size_t i = 0; to != from && i < problem->grid->n_nodes; i++) {
		if (placer->hosts[i] != (int)from)
			continue;
		vg_placer_take_back(placer, i);
		vg_placer_put(placer, i, to, VG_PLACED_PACKED);
	}
}
