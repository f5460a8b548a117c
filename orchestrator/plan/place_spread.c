// SPDX-License-Identifier: Apache-2.0
//
// Spreading: each node to the group of hosts (a rack, or each host alone) with the fewest of its
// role, and there to the host with the fewest. Two levels of heaps, so that a node costs a
// logarithm of the number of hosts.
#include <string.h>

#include "base/map.h"
#include "orchestrator/plan/placer.h"

const char *vg_placer_label(const struct vg_placement_host *host, const char *label)
{
	if (strcmp(label, "host") == 0)
		return host->name;
	for (size_t i = 0; i < host->n_labels; i++) {
		if (strcmp(host->labels[i].key, label) == 0)
			return host->labels[i].value;
	}
	return "";
}

size_t vg_placer_groups(const struct vg_placer *placer, const char *label, size_t *ret_groups)
{
	const struct vg_placement_input *input = placer->problem->input;
	if (strcmp(label, "host") == 0) {
		for (size_t h = 0; h < input->n_hosts; h++)
			ret_groups[h] = h;
		return input->n_hosts;
	}
	_auto(vg_map) struct vg_map *numbers = vg_map_new();
	for (size_t h = 0; h < input->n_hosts; h++) {
		const char *value = vg_placer_label(&input->hosts[h], label);
		if (!vg_map_has(numbers, value))
			vg_map_set(numbers, value, (void *)(vg_map_size(numbers) + 1));
		ret_groups[h] = (size_t)vg_map_get(numbers, value) - 1;
	}
	return vg_map_size(numbers);
}

struct group {
	size_t *hosts; // a heap; its top is the next to be tried
	size_t n_hosts;
	uint64_t n_of; // nodes of the role
};

struct spread {
	struct vg_placer *placer;
	size_t role;
	struct group *groups;
	size_t *heap; // of groups that have a host
	size_t n_heap;
};

static bool host_is_before(const struct spread *spread, size_t a, size_t b)
{
	uint32_t of_a = vg_placer_n_of(spread->placer, spread->role, a);
	uint32_t of_b = vg_placer_n_of(spread->placer, spread->role, b);
	if (of_a != of_b)
		return of_a < of_b;
	if (spread->placer->n_on[a] != spread->placer->n_on[b])
		return spread->placer->n_on[a] < spread->placer->n_on[b];
	return a < b;
}

static bool group_is_before(const struct spread *spread, size_t a, size_t b)
{
	const struct group *left = &spread->groups[a], *right = &spread->groups[b];
	if (left->n_of != right->n_of)
		return left->n_of < right->n_of;
	return host_is_before(spread, left->hosts[0], right->hosts[0]);
}

typedef bool is_before(const struct spread *spread, size_t a, size_t b);

static void sink(const struct spread *spread, size_t *heap, size_t n, size_t at, is_before *before)
{
	for (;;) {
		size_t least = at, left = 2 * at + 1, right = left + 1;
		if (left < n && before(spread, heap[left], heap[least]))
			least = left;
		if (right < n && before(spread, heap[right], heap[least]))
			least = right;
		if (least == at)
			return;
		size_t other = heap[at];
		heap[at] = heap[least];
		heap[least] = other;
		at = least;
	}
}

static void order_heap(const struct spread *spread, size_t *heap, size_t n, is_before *before)
{
	for (size_t i = n / 2; i-- > 0;)
		sink(spread, heap, n, i, before);
}

static void drop_top(const struct spread *spread, size_t *heap, size_t *n, is_before *before)
{
	heap[0] = heap[--*n];
	sink(spread, heap, *n, 0, before);
}

static void spread_init(
	struct spread *spread, struct vg_placer *placer, size_t role, const char *label)
{
	size_t n_hosts = vg_placer_n_hosts(placer);
	size_t *group_of = vg_alloc(n_hosts * sizeof(*group_of));
	size_t n_groups = vg_placer_groups(placer, label, group_of);
	*spread = (struct spread){placer, role, vg_alloc(n_groups * sizeof(*spread->groups)),
		vg_alloc(n_groups * sizeof(*spread->heap)), 0};
	for (size_t h = 0; h < n_hosts; h++) {
		struct group *group = &spread->groups[group_of[h]];
		group->n_of += vg_placer_n_of(placer, role, h);
		if (vg_placer_fits(placer, role, h) && vg_placer_allows(placer, role, h))
			vg_append(group->hosts, group->n_hosts) = h;
	}
	for (size_t g = 0; g < n_groups; g++) {
		if (!spread->groups[g].n_hosts)
			continue;
		order_heap(
			spread, spread->groups[g].hosts, spread->groups[g].n_hosts, host_is_before);
		spread->heap[spread->n_heap++] = g;
	}
	order_heap(spread, spread->heap, spread->n_heap, group_is_before);
	free(group_of);
}

// Who must be apart from others that are still to come leaves them their share of the hosts.
static size_t share_of_hosts(const struct vg_placer *placer, size_t role, size_t n_hosts)
{
	const struct vg_placer_problem *problem = placer->problem;
	const struct vg_placer_rules *rules = &problem->rules[role];
	double own = placer->n_left[role], all = own;
	for (size_t i = 0; i < rules->n_apart; i++)
		all += placer->n_left[rules->apart[i]];
	size_t share = all > 0 ? (size_t)((double)n_hosts * own / all) : n_hosts;
	return share ? share : 1;
}

// A node to the top host. One that can take no more is dropped: room never grows here.
static void put_top(struct spread *spread)
{
	struct vg_placer *placer = spread->placer;
	struct group *group = &spread->groups[spread->heap[0]];
	size_t host = group->hosts[0];
	vg_placer_put_next(placer, spread->role, host, VG_PLACED_SPREAD);
	group->n_of++;
	if (vg_placer_fits(placer, spread->role, host))
		sink(spread, group->hosts, group->n_hosts, 0, host_is_before);
	else
		drop_top(spread, group->hosts, &group->n_hosts, host_is_before);
}

// Behind a change of the top group: it sinks, or goes when it has no host any more.
static void sort_out_top(struct spread *spread)
{
	struct group *group = &spread->groups[spread->heap[0]];
	if (group->n_hosts) {
		sink(spread, spread->heap, spread->n_heap, 0, group_is_before);
		return;
	}
	free(vg_take(group->hosts));
	drop_top(spread, spread->heap, &spread->n_heap, group_is_before);
}

static void spread_done(struct spread *spread)
{
	for (size_t i = 0; i < spread->n_heap; i++)
		free(spread->groups[spread->heap[i]].hosts);
	free(spread->groups);
	free(spread->heap);
}

void vg_placer_spread(struct vg_placer *placer, size_t role, const char *label)
{
	struct spread spread;
	spread_init(&spread, placer, role, label);
	size_t n_open = 0, n_used = 0;
	for (size_t i = 0; i < spread.n_heap; i++)
		n_open += spread.groups[spread.heap[i]].n_hosts;
	size_t share = placer->problem->rules[role].n_apart ? share_of_hosts(placer, role, n_open)
							    : n_open;
	size_t *skipped = NULL, n_skipped = 0;
	while (placer->n_left[role] && spread.n_heap) {
		struct group *group = &spread.groups[spread.heap[0]];
		bool is_new = !vg_placer_n_of(placer, role, group->hosts[0]);
		if (is_new && n_used >= share) {
			vg_append(skipped, n_skipped) = group->hosts[0];
			drop_top(&spread, group->hosts, &group->n_hosts, host_is_before);
		} else {
			n_used += is_new;
			put_top(&spread);
		}
		sort_out_top(&spread);
	}
	// Beyond the share only when the hosts within it are full.
	for (bool is_moving = true; is_moving && placer->n_left[role];) {
		is_moving = false;
		for (size_t i = 0; i < n_skipped && placer->n_left[role]; i++) {
			if (!vg_placer_fits(placer, role, skipped[i]))
				continue;
			vg_placer_put_next(placer, role, skipped[i], VG_PLACED_SPREAD);
			is_moving = true;
		}
	}
	free(skipped);
	spread_done(&spread);
}
