// SPDX-License-Identifier: Apache-2.0
//
// Placement: which host each node runs on. Pure and deterministic; stable: who has a place keeps it.
#pragma once

#include "templates/grid.h"

struct vg_placement_input {
	const char *const *host_names;
	size_t n_hosts;
	bool spreads_by_default; // a role without a wish is spread (sandbox) rather than packed
	uint64_t memory_total;   // bytes that all hosts share, 0: not limited (boxes on one machine)
	const int *kept;         // one a node: the host it has, or VG_HOST_NONE; NULL: none has
};

// Sets the nodes' hosts. `spread` and `pack` are wishes, `with` and `apart` are musts: the error
// names role and place.
struct vg_error *vg_placement_make(struct vg_grid *grid, const struct vg_placement_input *input)
	VG_MUST_CHECK;
