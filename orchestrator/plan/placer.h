// SPDX-License-Identifier: Apache-2.0
//
// A placement while it is being made: shared by place.c (the order of the attempts),
// place_spread.c, place_pack.c, place_search.c (ways to place nodes) and place_explain.c. Private
// to this folder.
#pragma once

#include "orchestrator/plan/place.h"

// Indices of roles; a role's nodes must be on hosts that have all of `with` and none of `apart`.
struct vg_placer_rules {
	size_t *with, *apart; // `apart` in both directions
	size_t n_with, n_apart;
	bool is_wanted_near; // some role is `with` it
};

// What does not change from attempt to attempt.
struct vg_placer_problem {
	const struct vg_grid *grid;
	const struct vg_placement_input *input;
	struct vg_resources *needs;    // one a role
	struct vg_placer_rules *rules; // one a role
	double scale[VG_N_RESOURCES];  // 1 / mean room of the open hosts; 0: nobody limits it
	double weight[VG_N_RESOURCES]; // how scarce it is: wanted in all / room in all
	double *size;                  // one a host: its room at first, weighted
};

// Who is where; plain arrays, copied for each attempt.
struct vg_placer {
	const struct vg_placer_problem *problem;
	struct vg_resources *room; // one a host: left
	uint32_t *n_of;            // nodes of role r on host h: [r * n_hosts + h]
	uint32_t *n_on;            // one a host: nodes of the grid
	int *hosts;                // one a node
	uint8_t *reasons;          // one a node
	uint32_t *n_left;          // one a role: still to be placed
	uint32_t *next;            // one a role: no node of it before this one lacks a host
};

void vg_placer_problem_init(struct vg_placer_problem *problem, const struct vg_grid *grid,
	const struct vg_placement_input *input);
void vg_placer_problem_done(struct vg_placer_problem *problem);
// What a node of the role takes of a mean host, weighted by what is scarce.
double vg_placer_weight(const struct vg_placer_problem *problem, size_t role);

// Nobody is placed yet.
void vg_placer_init(struct vg_placer *placer, const struct vg_placer_problem *problem);
void vg_placer_copy(
	struct vg_placer *to, const struct vg_placer *from); // to: zeroed, or one before
void vg_placer_done(struct vg_placer *placer);
static inline void vg_placer_auto_free(struct vg_placer *placer)
{
	vg_placer_done(placer);
}

static inline size_t vg_placer_n_hosts(const struct vg_placer *placer)
{
	return placer->problem->input->n_hosts;
}

static inline uint32_t vg_placer_n_of(const struct vg_placer *placer, size_t role, size_t host)
{
	return placer->n_of[role * vg_placer_n_hosts(placer) + host];
}

static inline bool vg_placer_fits(const struct vg_placer *placer, size_t role, size_t host)
{
	const uint64_t *needs = placer->problem->needs[role].of, *room = placer->room[host].of;
	return needs[0] <= room[0] && needs[1] <= room[1] && needs[2] <= room[2];
}

// Do `with` and `apart` let a node of the role be there?
bool vg_placer_obeys(const struct vg_placer *placer, size_t role, size_t host);
// Do `with`, `apart` and the host's being open let a node of the role come?
bool vg_placer_allows(const struct vg_placer *placer, size_t role, size_t host);
// How many nodes of the role the host takes as it is, at most those that are left.
uint64_t vg_placer_capacity(const struct vg_placer *placer, size_t role, size_t host);
// Gives a node that has none the host. It must fit.
void vg_placer_put(
	struct vg_placer *placer, size_t node, size_t host, enum vg_placement_reason reason);
// The same for the role's next node without a host, and the way back for the one put last.
void vg_placer_put_next(
	struct vg_placer *placer, size_t role, size_t host, enum vg_placement_reason reason);
void vg_placer_take_back(struct vg_placer *placer, size_t node);
// Is there, for each node that must be with another role, one of that role on its host? *ret_node
// is the first for which there is none.
bool vg_placer_musts_hold(const struct vg_placer *placer, size_t *ret_node);

// The value of a host's label; the host's name for "host"; "" without such a label.
const char *vg_placer_label(const struct vg_placement_host *host, const char *label);
// A number for each host, equal where the label's values are; returns how many there are.
size_t vg_placer_groups(const struct vg_placer *placer, const char *label, size_t *ret_groups);

// Ways to place. Each places what it can of the role (or roles); what is left is in n_left.
// vg_placer_near() is for a role that others are `with`: where there is room for their share too.
void vg_placer_spread(struct vg_placer *placer, size_t role, const char *label);
void vg_placer_near(struct vg_placer *placer, size_t role, bool spreads);
void vg_placer_pack_label(struct vg_placer *placer, size_t role, const char *label);

// The weighted ones count what is scarce for more, the plain ones all amounts alike.
enum vg_packing {
	VG_PACK_PROPORTION,
	VG_PACK_DOT,
	VG_PACK_DOT_PLAIN,
	VG_PACK_NORM,
	VG_PACK_FIRST_FIT,
	VG_PACK_FIRST_FIT_PLAIN,
};
enum { VG_N_PACKINGS = VG_PACK_FIRST_FIT_PLAIN + 1 };
void vg_placer_pack(
	struct vg_placer *placer, const size_t *roles, size_t n_roles, enum vg_packing packing);
// Moves the emptiest newly packed host's nodes to the smallest host that holds them.
void vg_placer_tighten(struct vg_placer *placer);

enum vg_search { VG_SEARCH_FOUND, VG_SEARCH_IMPOSSIBLE, VG_SEARCH_GAVE_UP };
enum vg_search vg_placer_search(struct vg_placer *placer);

// Why no host takes the node: as things stand at the end of an attempt, or, where no host would hold it
// alone either, as they stood at its start.
struct vg_error *vg_placer_miss(const struct vg_placer *start, const struct vg_placer *end,
	size_t node, bool is_proven) VG_MUST_CHECK;
