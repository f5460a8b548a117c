// SPDX-License-Identifier: Apache-2.0
#include "orchestrator/plan/placer.h"

#include <string.h>

#include "base/memory.h"

static void add_rule(size_t **roles, size_t *n_roles, size_t role)
{
	for (size_t i = 0; i < *n_roles; i++) {
		if ((*roles)[i] == role)
			return;
	}
	vg_append(*roles, *n_roles) = role;
}

static void collect_rules(struct vg_placer_problem *problem)
{
	const struct vg_grid *grid = problem->grid;
	struct vg_placer_rules *rules = problem->rules;
	for (size_t r = 0; r < grid->n_roles; r++) {
		const struct vg_placement_wish *wish = &grid->roles[r].wish;
		for (size_t i = 0; i < wish->n_with; i++) {
			add_rule(&rules[r].with, &rules[r].n_with, wish->with[i]);
			rules[wish->with[i]].is_wanted_near = true;
		}
		for (size_t i = 0; i < wish->n_apart; i++) {
			size_t other = wish->apart[i];
			add_rule(&rules[r].apart, &rules[r].n_apart, other);
			add_rule(&rules[other].apart, &rules[other].n_apart, r);
		}
	}
}

// Amounts become comparable: in mean rooms of a host, weighted by how scarce they are.
static void weigh(struct vg_placer_problem *problem)
{
	const struct vg_placement_input *input = problem->input;
	for (size_t d = 0; d < VG_N_RESOURCES; d++) {
		double room = 0, wanted = 0;
		size_t n_limited = 0;
		for (size_t h = 0; h < input->n_hosts; h++) {
			const struct vg_placement_host *host = &input->hosts[h];
			if (host->closed || host->room.of[d] == VG_UNLIMITED)
				continue;
			room += (double)host->room.of[d];
			n_limited++;
		}
		for (size_t r = 0; r < problem->grid->n_roles; r++)
			wanted += (double)problem->needs[r].of[d] * problem->grid->roles[r].count;
		problem->scale[d] = room > 0 ? (double)n_limited / room : 0;
		problem->weight[d] = room > 0 ? wanted / room : 0;
	}
	for (size_t h = 0; h < input->n_hosts; h++) {
		for (size_t d = 0; d < VG_N_RESOURCES; d++)
			problem->size[h] += problem->weight[d] * problem->scale[d] *
					    (double)input->hosts[h].room.of[d];
	}
}

void vg_placer_problem_init(struct vg_placer_problem *problem, const struct vg_grid *grid,
	const struct vg_placement_input *input)
{
	*problem = (struct vg_placer_problem){.grid = grid,
		.input = input,
		.needs = vg_alloc(grid->n_roles * sizeof(*problem->needs)),
		.rules = vg_alloc(grid->n_roles * sizeof(*problem->rules)),
		.size = vg_alloc(input->n_hosts * sizeof(*problem->size))};
	for (size_t r = 0; r < grid->n_roles; r++)
		problem->needs[r] = vg_role_needs(&grid->roles[r]);
	collect_rules(problem);
	weigh(problem);
}

void vg_placer_problem_done(struct vg_placer_problem *problem)
{
	for (size_t r = 0; r < problem->grid->n_roles; r++) {
		free(problem->rules[r].with);
		free(problem->rules[r].apart);
	}
	free(problem->needs);
	free(problem->rules);
	free(problem->size);
}

double vg_placer_weight(const struct vg_placer_problem *problem, size_t role)
{
	double weight = 0;
	for (size_t d = 0; d < VG_N_RESOURCES; d++)
		weight +=
			problem->weight[d] * problem->scale[d] * (double)problem->needs[role].of[d];
	return weight;
}

void vg_placer_done(struct vg_placer *placer)
{
	free(placer->room);
	free(placer->n_of);
	free(placer->n_on);
	free(placer->hosts);
	free(placer->reasons);
	free(placer->n_left);
	free(placer->next);
	*placer = (struct vg_placer){0};
}

void vg_placer_init(struct vg_placer *placer, const struct vg_placer_problem *problem)
{
	const struct vg_grid *grid = problem->grid;
	size_t n_hosts = problem->input->n_hosts;
	*placer = (struct vg_placer){.problem = problem,
		.room = vg_alloc(n_hosts * sizeof(*placer->room)),
		.n_of = vg_alloc(grid->n_roles * n_hosts * sizeof(*placer->n_of)),
		.n_on = vg_alloc(n_hosts * sizeof(*placer->n_on)),
		.hosts = vg_alloc(grid->n_nodes * sizeof(*placer->hosts)),
		.reasons = vg_alloc(grid->n_nodes),
		.n_left = vg_alloc(grid->n_roles * sizeof(*placer->n_left)),
		.next = vg_alloc(grid->n_roles * sizeof(*placer->next))};
	for (size_t h = 0; h < n_hosts; h++)
		placer->room[h] = problem->input->hosts[h].room;
	for (size_t i = 0; i < grid->n_nodes; i++)
		placer->hosts[i] = VG_HOST_NONE;
	for (size_t r = 0; r < grid->n_roles; r++)
		placer->n_left[r] = grid->roles[r].count;
}

void vg_placer_copy(struct vg_placer *to, const struct vg_placer *from)
{
	const struct vg_grid *grid = from->problem->grid;
	size_t n_hosts = vg_placer_n_hosts(from);
	vg_placer_done(to);
	vg_placer_init(to, from->problem);
	memcpy(to->room, from->room, n_hosts * sizeof(*to->room));
	memcpy(to->n_of, from->n_of, grid->n_roles * n_hosts * sizeof(*to->n_of));
	memcpy(to->n_on, from->n_on, n_hosts * sizeof(*to->n_on));
	memcpy(to->hosts, from->hosts, grid->n_nodes * sizeof(*to->hosts));
	memcpy(to->reasons, from->reasons, grid->n_nodes);
	memcpy(to->n_left, from->n_left, grid->n_roles * sizeof(*to->n_left));
	memcpy(to->next, from->next, grid->n_roles * sizeof(*to->next));
}

bool vg_placer_obeys(const struct vg_placer *placer, size_t role, size_t host)
{
	const struct vg_placer_rules *rules = &placer->problem->rules[role];
	for (size_t i = 0; i < rules->n_with; i++) {
		if (!vg_placer_n_of(placer, rules->with[i], host))
			return false;
	}
	for (size_t i = 0; i < rules->n_apart; i++) {
		if (vg_placer_n_of(placer, rules->apart[i], host))
			return false;
	}
	return true;
}

bool vg_placer_allows(const struct vg_placer *placer, size_t role, size_t host)
{
	return !placer->problem->input->hosts[host].closed && vg_placer_obeys(placer, role, host);
}

uint64_t vg_placer_capacity(const struct vg_placer *placer, size_t role, size_t host)
{
	uint64_t n = placer->n_left[role];
	if (!vg_placer_allows(placer, role, host))
		return 0;
	for (size_t d = 0; d < VG_N_RESOURCES; d++) {
		uint64_t needs = placer->problem->needs[role].of[d];
		uint64_t holds = needs ? placer->room[host].of[d] / needs : n;
		n = holds < n ? holds : n;
	}
	return n;
}

void vg_placer_put(
	struct vg_placer *placer, size_t node, size_t host, enum vg_placement_reason reason)
{
	size_t role = placer->problem->grid->nodes[node].role;
	const struct vg_resources *needs = &placer->problem->needs[role];
	for (size_t d = 0; d < VG_N_RESOURCES; d++) {
		if (placer->room[host].of[d] != VG_UNLIMITED)
			placer->room[host].of[d] -= needs->of[d];
	}
	placer->n_of[role * vg_placer_n_hosts(placer) + host]++;
	placer->n_on[host]++;
	placer->n_left[role]--;
	placer->hosts[node] = (int)host;
	placer->reasons[node] = (uint8_t)reason;
}

void vg_placer_put_next(
	struct vg_placer *placer, size_t role, size_t host, enum vg_placement_reason reason)
{
	size_t first = placer->problem->grid->roles[role].first_node;
	while (placer->hosts[first + placer->next[role]] != VG_HOST_NONE)
		placer->next[role]++;
	vg_placer_put(placer, first + placer->next[role], host, reason);
}

void vg_placer_take_back(struct vg_placer *placer, size_t node)
{
	const struct vg_grid *grid = placer->problem->grid;
	size_t role = grid->nodes[node].role, host = (size_t)placer->hosts[node];
	for (size_t d = 0; d < VG_N_RESOURCES; d++) {
		if (placer->room[host].of[d] != VG_UNLIMITED)
			placer->room[host].of[d] += placer->problem->needs[role].of[d];
	}
	placer->n_of[role * vg_placer_n_hosts(placer) + host]--;
	placer->n_on[host]--;
	placer->n_left[role]++;
	placer->hosts[node] = VG_HOST_NONE;
	uint32_t index = (uint32_t)(node - grid->roles[role].first_node);
	if (placer->next[role] > index)
		placer->next[role] = index;
}

bool vg_placer_musts_hold(const struct vg_placer *placer, size_t *ret_node)
{
	const struct vg_grid *grid = placer->problem->grid;
	for (size_t r = 0; r < grid->n_roles; r++) {
		if (!placer->problem->rules[r].n_with)
			continue;
		for (size_t i = 0; i < grid->roles[r].count; i++) {
			size_t node = grid->roles[r].first_node + i;
			if (placer->hosts[node] == VG_HOST_NONE ||
				vg_placer_obeys(placer, r, (size_t)placer->hosts[node]))
				continue;
			*ret_node = node;
			return false;
		}
	}
	return true;
}
