// SPDX-License-Identifier: Apache-2.0
//
// Why a node is where it is, and why another one is nowhere: for each group of hosts what is in the
// way on the host that comes nearest.
#include <string.h>

#include "base/text.h"
#include "orchestrator/plan/placer.h"

enum { HOSTS_NAMED_MAX = 4, GROUPS_NAMED_MAX = 6 };

// What keeps a node off a host; the nearest to taking it last.
enum obstacle {
	OBSTACLE_CLOSED,
	OBSTACLE_APART,
	OBSTACLE_WITH,
	OBSTACLE_ROOM,
	OBSTACLE_NONE, // it would fit: others need the place
};

struct miss {
	enum obstacle obstacle;
	enum vg_resource resource; // of OBSTACLE_ROOM: the one that lacks most
	double lack;               // wanted in hosts of this room
	size_t other;              // a role, of OBSTACLE_APART and OBSTACLE_WITH
	size_t host;
};

static struct miss look(const struct vg_placer *placer, size_t role, size_t host)
{
	const struct vg_placer_rules *rules = &placer->problem->rules[role];
	struct miss miss = {.obstacle = OBSTACLE_NONE, .host = host};
	if (placer->problem->input->hosts[host].closed)
		return (struct miss){.obstacle = OBSTACLE_CLOSED, .host = host};
	for (size_t i = 0; i < rules->n_apart; i++) {
		if (vg_placer_n_of(placer, rules->apart[i], host))
			return (struct miss){OBSTACLE_APART, 0, 0, rules->apart[i], host};
	}
	for (size_t d = 0; d < VG_N_RESOURCES; d++) {
		uint64_t needs = placer->problem->needs[role].of[d];
		uint64_t has = placer->room[host].of[d];
		double lack = needs > has ? (double)needs / ((double)has + 1) : 0;
		if (lack > miss.lack)
			miss = (struct miss){OBSTACLE_ROOM, (enum vg_resource)d, lack, 0, host};
	}
	for (size_t i = 0; i < rules->n_with && miss.obstacle == OBSTACLE_NONE; i++) {
		if (!vg_placer_n_of(placer, rules->with[i], host))
			miss = (struct miss){OBSTACLE_WITH, 0, 0, rules->with[i], host};
	}
	return miss;
}

static bool is_nearer(const struct miss *a, const struct miss *b)
{
	return a->obstacle != b->obstacle ? a->obstacle > b->obstacle : a->lack < b->lack;
}

static void describe_lack(
	const struct vg_placer *placer, const struct miss *miss, size_t role, struct vg_text *text)
{
	bool is_memory = miss->resource == VG_RESOURCE_MEMORY;
	uint64_t needs = placer->problem->needs[role].of[miss->resource];
	uint64_t own = is_memory ? placer->problem->grid->roles[role].memory : needs;
	_auto(vg_string) char *wanted = vg_resource_write(miss->resource, own);
	_auto(vg_string) char *more = vg_resource_write(miss->resource, needs - own);
	_auto(vg_string) char *has =
		vg_resource_write(miss->resource, placer->room[miss->host].of[miss->resource]);
	vg_text_addf(text, "%s: needs %s", vg_resource_name(miss->resource), wanted);
	if (is_memory)
		vg_text_addf(text, " and %s for the emulator", more);
	vg_text_addf(text, ", %s has %s", placer->problem->input->hosts[miss->host].name, has);
}

static void describe(
	const struct vg_placer *placer, const struct miss *miss, size_t role, struct vg_text *text)
{
	const struct vg_grid *grid = placer->problem->grid;
	const struct vg_placement_host *host = &placer->problem->input->hosts[miss->host];
	switch (miss->obstacle) {
	case OBSTACLE_CLOSED:
		vg_text_add(text, host->closed);
		return;
	case OBSTACLE_APART:
		vg_text_addf(text, "apart from '%s'", grid->roles[miss->other].name);
		return;
	case OBSTACLE_WITH:
		vg_text_addf(text, "no '%s' there", grid->roles[miss->other].name);
		return;
	case OBSTACLE_ROOM:
		describe_lack(placer, miss, role, text);
		return;
	case OBSTACLE_NONE:
		vg_text_add(text, "room for one more, but not for all");
		return;
	}
}

// Hosts that are told of together: those of a label's value, or those with the same obstacle.
struct group {
	struct miss nearest;
	size_t n_hosts;
	const char *names[HOSTS_NAMED_MAX];
};

static void name_group(
	const struct group *group, const char *label, const char *value, struct vg_text *text)
{
	if (label && *value)
		vg_text_addf(text, "%s %s (%zu host%s)", label, value, group->n_hosts,
			group->n_hosts == 1 ? "" : "s");
	else if (group->n_hosts > HOSTS_NAMED_MAX)
		vg_text_addf(text, "%zu hosts", group->n_hosts);
	for (size_t i = 0;
		i < group->n_hosts && group->n_hosts <= HOSTS_NAMED_MAX && !(label && *value); i++)
		vg_text_addf(text, "%s%s", i ? ", " : "", group->names[i]);
}

// By the label of the role's wish, if it has one; else what hinders the same way is one group.
static const char *label_of(const struct vg_placer *placer, size_t role)
{
	const char *label = placer->problem->grid->roles[role].wish.label;
	return label && strcmp(label, "host") != 0 ? label : NULL;
}

static size_t group_by_obstacle(const struct vg_placer *placer, size_t role, size_t *ret_groups)
{
	size_t numbers[OBSTACLE_NONE + 1][VG_N_RESOURCES] = {0}, n_groups = 0;
	bool is_few = vg_placer_n_hosts(placer) <= HOSTS_NAMED_MAX;
	for (size_t h = 0; h < vg_placer_n_hosts(placer); h++) {
		struct miss miss = look(placer, role, h);
		size_t *number = &numbers[miss.obstacle][miss.resource];
		if (!*number || (is_few && miss.obstacle == OBSTACLE_ROOM))
			*number = ++n_groups;
		ret_groups[h] = *number - 1;
	}
	return n_groups;
}

static int compare_groups(const void *left, const void *right)
{
	const struct group *a = left, *b = right;
	if (is_nearer(&a->nearest, &b->nearest))
		return -1;
	if (is_nearer(&b->nearest, &a->nearest))
		return 1;
	return a->nearest.host < b->nearest.host ? -1 : 1;
}

// "h3: memory: needs 16GiB, h3 has 12GiB; h1, h2: apart from 'db'"
static char *list_misses(const struct vg_placer *placer, size_t role)
{
	const struct vg_placement_input *input = placer->problem->input;
	const char *label = label_of(placer, role);
	size_t *group_of = vg_alloc(input->n_hosts * sizeof(*group_of));
	size_t n_groups = label ? vg_placer_groups(placer, label, group_of)
				: group_by_obstacle(placer, role, group_of);
	struct group *groups = vg_alloc(n_groups * sizeof(*groups));
	for (size_t h = 0; h < input->n_hosts; h++) {
		struct group *group = &groups[group_of[h]];
		struct miss miss = look(placer, role, h);
		if (!group->n_hosts || is_nearer(&miss, &group->nearest))
			group->nearest = miss;
		if (group->n_hosts < HOSTS_NAMED_MAX)
			group->names[group->n_hosts] = input->hosts[h].name;
		group->n_hosts++;
	}
	if (n_groups)
		qsort(groups, n_groups, sizeof(*groups), compare_groups);
	struct vg_text text = {0};
	for (size_t g = 0; g < n_groups && g < GROUPS_NAMED_MAX; g++) {
		const struct vg_placement_host *host = &input->hosts[groups[g].nearest.host];
		vg_text_add(&text, g ? "; " : "");
		name_group(&groups[g], label, label ? vg_placer_label(host, label) : "", &text);
		vg_text_add(&text, ": ");
		describe(placer, &groups[g].nearest, role, &text);
	}
	if (n_groups > GROUPS_NAMED_MAX)
		vg_text_addf(&text, "; %zu more", n_groups - GROUPS_NAMED_MAX);
	free(groups);
	free(group_of);
	return vg_text_take(&text);
}

// Would an open host hold it if nobody else came?
static bool fits_alone(const struct vg_placer *placer, size_t role)
{
	const struct vg_placement_input *input = placer->problem->input;
	for (size_t h = 0; h < input->n_hosts; h++) {
		bool fits = !input->hosts[h].closed;
		for (size_t d = 0; d < VG_N_RESOURCES; d++)
			fits &= placer->problem->needs[role].of[d] <= input->hosts[h].room.of[d];
		if (fits)
			return true;
	}
	return false;
}

struct vg_error *vg_placer_miss(const struct vg_placer *start, const struct vg_placer *end,
	size_t node, bool is_proven)
{
	const struct vg_grid *grid = end->problem->grid;
	const struct vg_role *role = vg_node_role(grid, &grid->nodes[node]);
	bool is_alone = !fits_alone(end, grid->nodes[node].role);
	bool has_musts = !is_alone && (role->wish.n_with || role->wish.n_apart);
	struct vg_place place =
		has_musts && role->wish.place.line ? role->wish.place : role->place;
	// What no host ever held is not the others' fault.
	_auto(vg_string) char *misses = list_misses(is_alone ? start : end, grid->nodes[node].role);
	struct vg_error *error = vg_error_at(place, "placing '%s': %s: %s", grid->nodes[node].name,
		is_alone    ? "no host holds it"
		: is_proven ? "there is no place for it beside the others"
			    : "no way to place all was found",
		misses);
	if (end->problem->input->spreads_by_default)
		return vg_error_hint(error, "more boxes ('--site sandbox:%zu'), or fewer musts",
			vg_placer_n_hosts(end) + 1);
	return vg_error_hint(error, "fewer or smaller nodes, fewer musts, or more hosts");
}

static void add_musts(struct vg_text *text, const struct vg_grid *grid, const struct vg_role *role)
{
	for (size_t i = 0; i < role->wish.n_with; i++)
		vg_text_addf(text, ", with '%s'", grid->roles[role->wish.with[i]].name);
	for (size_t i = 0; i < role->wish.n_apart; i++)
		vg_text_addf(text, ", apart from '%s'", grid->roles[role->wish.apart[i]].name);
}

char *vg_placement_why(const struct vg_placement *placement, const struct vg_grid *grid,
	const struct vg_placement_input *input, size_t node)
{
	const struct vg_role *role = vg_node_role(grid, &grid->nodes[node]);
	const struct vg_placement_host *host = &input->hosts[grid->nodes[node].host];
	const char *label = role->wish.label ? role->wish.label : "host";
	const char *value = vg_placer_label(host, label);
	struct vg_text text = {0};
	if (input->n_hosts == 1)
		return vg_strdup("the only host");
	switch ((enum vg_placement_reason)placement->reasons[node]) {
	case VG_PLACED_KEPT:
		return vg_strdup("kept on its host");
	case VG_PLACED_SPREAD:
		if (strcmp(label, "host") == 0)
			vg_text_addf(&text, "spread: fewest of '%s' there", role->name);
		else if (*value)
			vg_text_addf(
				&text, "spread: fewest of '%s' in %s %s", role->name, label, value);
		else
			vg_text_addf(&text, "spread: a host without '%s'", label);
		break;
	case VG_PLACED_PACKED:
		vg_text_add(&text, "packed on few hosts");
		break;
	case VG_PLACED_FOUND:
		vg_text_add(&text, "wishes given up for the musts");
		break;
	}
	add_musts(&text, grid, role);
	return vg_text_take(&text);
}
