// SPDX-License-Identifier: Apache-2.0
//
// Placing a role that others must be `with`: where there is room for their share as well, so that
// they find it when their turn comes.
#include "orchestrator/plan/placer.h"

enum { PROBES_MAX = 20 * 1000 * 1000 }; // hosts looked at in all; beyond it the share is left out

// One node of the role and its share of those that come with it.
static struct vg_resources bundle_of(const struct vg_placer *placer, size_t role)
{
	const struct vg_placer_problem *problem = placer->problem;
	struct vg_resources bundle = problem->needs[role];
	uint64_t n_here = placer->n_left[role] ? placer->n_left[role] : 1;
	for (size_t r = 0; r < problem->grid->n_roles; r++) {
		const struct vg_placer_rules *rules = &problem->rules[r];
		for (size_t i = 0; i < rules->n_with; i++) {
			if (rules->with[i] != role)
				continue;
			uint64_t share = (placer->n_left[r] + n_here - 1) / n_here;
			for (size_t d = 0; d < VG_N_RESOURCES; d++)
				bundle.of[d] += share * problem->needs[r].of[d];
		}
	}
	return bundle;
}

// Could those that come with it come here?
static bool suits_others(const struct vg_placer *placer, size_t role, size_t host)
{
	const struct vg_placer_problem *problem = placer->problem;
	for (size_t r = 0; r < problem->grid->n_roles; r++) {
		const struct vg_placer_rules *rules = &problem->rules[r];
		bool comes = false, is_kept_away = false;
		for (size_t i = 0; i < rules->n_with; i++)
			comes |= rules->with[i] == role;
		for (size_t i = 0; i < rules->n_apart && comes; i++)
			is_kept_away |= vg_placer_n_of(placer, rules->apart[i], host) > 0;
		if (comes && is_kept_away)
			return false;
	}
	return true;
}

static bool holds(
	const struct vg_placer *placer, const struct vg_resources *bundle, size_t role, size_t host)
{
	for (size_t d = 0; d < VG_N_RESOURCES; d++) {
		if (bundle->of[d] > placer->room[host].of[d])
			return false;
	}
	return suits_others(placer, role, host);
}

// Is host `a` better than host `b`, when both hold the bundle or neither does?
static bool is_better(const struct vg_placer *placer, size_t role, bool spreads, size_t a, size_t b)
{
	if (spreads) {
		uint32_t of_a = vg_placer_n_of(placer, role, a);
		uint32_t of_b = vg_placer_n_of(placer, role, b);
		return of_a != of_b ? of_a < of_b : placer->n_on[a] < placer->n_on[b];
	}
	if ((placer->n_on[a] > 0) != (placer->n_on[b] > 0))
		return placer->n_on[a] > 0;
	return placer->problem->size[a] > placer->problem->size[b];
}

void vg_placer_near(struct vg_placer *placer, size_t role, bool spreads)
{
	size_t n_hosts = vg_placer_n_hosts(placer);
	if ((uint64_t)n_hosts * placer->n_left[role] > PROBES_MAX) {
		vg_placer_spread(placer, role, "host");
		return;
	}
	const struct vg_resources bundle = bundle_of(placer, role);
	while (placer->n_left[role]) {
		size_t best = SIZE_MAX;
		bool best_holds = false;
		for (size_t h = 0; h < n_hosts; h++) {
			if (!vg_placer_fits(placer, role, h) || !vg_placer_allows(placer, role, h))
				continue;
			bool is_holding = holds(placer, &bundle, role, h);
			if (best == SIZE_MAX || (is_holding && !best_holds) ||
				(is_holding == best_holds &&
					is_better(placer, role, spreads, h, best))) {
				best = h;
				best_holds = is_holding;
			}
		}
		if (best == SIZE_MAX)
			return;
		vg_placer_put_next(
			placer, role, best, spreads ? VG_PLACED_SPREAD : VG_PLACED_PACKED);
	}
}
