// SPDX-License-Identifier: Apache-2.0
//
// Placement: which host each node runs on. Pure and deterministic; stable: who has a host keeps it.
// Made by run/place_grid.c, its reasons are shown by the plan.
//
// It is vector bin packing with kinds of items (roles) and unlike bins (hosts). Several greedy ways
// are tried and the one that needs the fewest hosts is taken: first fit decreasing by weighted sum,
// and, host by host, the dot product and the norm of what is left (R. Panigrahy, K. Talwar,
// L. Uyeda, U. Wieder: "Heuristics for Vector Bin Packing", Microsoft Research, 2011), and a
// filling in proportion to what is still to be placed, which nears the volume bound where nodes are
// small. So the result is never worse than the best of them. Where `with` and `apart` lead all of
// them astray, a search takes over (place_search.c): complete, and so a proof, as long as its bound
// holds.
#pragma once

#include "templates/grid_resources.h"

struct vg_placement_host {
	const char *name;
	// What the grid may have of it: capacity with overcommit, less what others were promised.
	struct vg_resources room; // VG_UNLIMITED: not limited
	const struct vg_host_label *labels;
	size_t n_labels;
	const char *closed; // why no node may come ("drained"); NULL: open
	bool is_emptied;    // and those that are there must leave
};

struct vg_placement_input {
	const struct vg_placement_host *hosts;
	size_t n_hosts;
	bool spreads_by_default;    // a role without a wish is spread (sandbox) rather than packed
	struct vg_resources shared; // what all hosts share: boxes are one machine
	const int *kept;            // one a node: the host it has, or VG_HOST_NONE; NULL: none has
	bool may_move;              // one that cannot stay is placed anew; else that is an error
};

enum vg_placement_reason {
	VG_PLACED_KEPT,   // it was there
	VG_PLACED_SPREAD, // where the fewest of its role are
	VG_PLACED_PACKED, // on as few hosts as will do
	VG_PLACED_FOUND,  // by the search: wishes would have left no way
};

struct vg_placement {
	uint8_t *reasons; // enum vg_placement_reason, one a node
	size_t n_used;    // hosts with a node of the grid
	size_t n_bound;   // no placement of the grid on these hosts uses fewer, by volume
};

// Sets the nodes' hosts. `spread` and `pack` are wishes, `with` and `apart` are musts. The error
// has the template's place and says for each group of hosts what is in the way on the nearest one.
struct vg_error *vg_placement_make(struct vg_grid *grid, const struct vg_placement_input *input,
	struct vg_placement **ret_placement) VG_MUST_CHECK;
void vg_placement_free(struct vg_placement *placement);
VG_AUTO(vg_placement);

// Why the node is where it is, in a few words, malloc'ed: "spread: fewest of 'worker' in rack r2".
char *vg_placement_why(const struct vg_placement *placement, const struct vg_grid *grid,
	const struct vg_placement_input *input, size_t node);
