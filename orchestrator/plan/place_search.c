// SPDX-License-Identifier: Apache-2.0
//
// The last resort: a depth-first search over all ways to give the nodes hosts, where only the musts
// count. Complete up to its bounds. Two symmetries are left out: nodes of a role take hosts in
// rising order, and of hosts that are alike and empty only the first is tried. (Of the solutions
// that such swaps turn into each other, the one that is least in the order of the search survives
// both.)
#include <string.h>

#include "base/memory.h"
#include "orchestrator/plan/placer.h"

enum {
	NODES_MAX = 1000,
	PROBES_MAX = 2 * 1000 * 1000, // hosts looked at: well below a second
};

struct search {
	struct vg_placer *placer;
	size_t *nodes; // in the order in which they are placed
	size_t n_nodes;
	uint64_t n_probes;
};

struct candidate {
	size_t node, role, depth;
	double weight;
};

static int compare(const void *left, const void *right)
{
	const struct candidate *a = left, *b = right;
	if (a->depth != b->depth)
		return a->depth < b->depth ? -1 : 1;
	if (a->weight != b->weight)
		return a->weight > b->weight ? -1 : 1;
	if (a->role != b->role)
		return a->role < b->role ? -1 : 1;
	return a->node < b->node ? -1 : 1;
}

// Big ones first, and those that others must be with before all.
static void choose_order(struct search *search)
{
	const struct vg_placer *placer = search->placer;
	const struct vg_placer_problem *problem = placer->problem;
	struct candidate *candidates = vg_alloc(NODES_MAX * sizeof(*candidates));
	for (size_t i = 0; i < problem->grid->n_nodes; i++) {
		size_t role = problem->grid->nodes[i].role;
		if (placer->hosts[i] == VG_HOST_NONE)
			candidates[search->n_nodes++] = (struct candidate){i, role,
				problem->rules[role].n_with > 0, vg_placer_weight(problem, role)};
	}
	if (search->n_nodes)
		qsort(candidates, search->n_nodes, sizeof(*candidates), compare);
	search->nodes = vg_alloc(search->n_nodes * sizeof(*search->nodes));
	for (size_t i = 0; i < search->n_nodes; i++)
		search->nodes[i] = candidates[i].node;
	free(candidates);
}

// Who it must be with is there, or still to come; nobody it must be apart from is there.
static bool may_come(const struct vg_placer *placer, size_t role, size_t host)
{
	const struct vg_placer_rules *rules = &placer->problem->rules[role];
	for (size_t i = 0; i < rules->n_with; i++) {
		size_t other = rules->with[i];
		if (!vg_placer_n_of(placer, other, host) && !placer->n_left[other])
			return false;
	}
	for (size_t i = 0; i < rules->n_apart; i++) {
		if (vg_placer_n_of(placer, rules->apart[i], host))
			return false;
	}
	return !placer->problem->input->hosts[host].closed && vg_placer_fits(placer, role, host);
}

// Has an empty host that is just like this one been tried before it?
static bool is_repeated(struct search *search, size_t first, size_t host)
{
	const struct vg_placer *placer = search->placer;
	for (size_t h = first; h < host && !placer->n_on[host]; h++) {
		search->n_probes++;
		if (!placer->n_on[h] && !placer->problem->input->hosts[h].closed &&
			memcmp(&placer->room[h], &placer->room[host], sizeof(placer->room[h])) == 0)
			return true;
	}
	return false;
}

static enum vg_search step(struct search *search, size_t at)
{
	struct vg_placer *placer = search->placer;
	size_t n_hosts = vg_placer_n_hosts(placer), broken, first = 0;
	if (at == search->n_nodes)
		return vg_placer_musts_hold(placer, &broken) ? VG_SEARCH_FOUND
							     : VG_SEARCH_IMPOSSIBLE;
	const struct vg_grid *grid = placer->problem->grid;
	size_t node = search->nodes[at], role = grid->nodes[node].role;
	if (at && grid->nodes[search->nodes[at - 1]].role == role)
		first = (size_t)placer->hosts[search->nodes[at - 1]];
	for (size_t h = first; h < n_hosts; h++) {
		if (++search->n_probes > PROBES_MAX)
			return VG_SEARCH_GAVE_UP;
		if (!may_come(placer, role, h) || is_repeated(search, first, h))
			continue;
		vg_placer_put(placer, node, h, VG_PLACED_FOUND);
		enum vg_search verdict = step(search, at + 1);
		if (verdict != VG_SEARCH_IMPOSSIBLE)
			return verdict;
		vg_placer_take_back(placer, node);
	}
	return VG_SEARCH_IMPOSSIBLE;
}

// What no order could mend: more is wanted than there is, or more of a role than fit one by one.
static bool is_hopeless(const struct vg_placer *placer)
{
	const struct vg_placer_problem *problem = placer->problem;
	size_t n_hosts = vg_placer_n_hosts(placer);
	for (size_t d = 0; d < VG_N_RESOURCES; d++) {
		double room = 0, wanted = 0;
		for (size_t h = 0; h < n_hosts; h++)
			room += problem->input->hosts[h].closed ? 0 : (double)placer->room[h].of[d];
		for (size_t r = 0; r < problem->grid->n_roles; r++)
			wanted += (double)problem->needs[r].of[d] * placer->n_left[r];
		if (wanted > room)
			return true;
	}
	for (size_t r = 0; r < problem->grid->n_roles; r++) {
		uint64_t n = 0;
		for (size_t h = 0; h < n_hosts && n < placer->n_left[r]; h++) {
			bool is_tied = problem->rules[r].n_with > 0;
			n += is_tied ? placer->n_left[r] : vg_placer_capacity(placer, r, h);
		}
		if (n < placer->n_left[r])
			return true;
	}
	return false;
}

enum vg_search vg_placer_search(struct vg_placer *placer)
{
	const struct vg_grid *grid = placer->problem->grid;
	size_t n_left = 0;
	for (size_t r = 0; r < grid->n_roles; r++)
		n_left += placer->n_left[r];
	if (is_hopeless(placer))
		return VG_SEARCH_IMPOSSIBLE;
	if (n_left > NODES_MAX)
		return VG_SEARCH_GAVE_UP;
	struct search search = {.placer = placer};
	choose_order(&search);
	enum vg_search verdict = step(&search, 0);
	free(search.nodes);
	return verdict;
}
