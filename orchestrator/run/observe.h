// SPDX-License-Identifier: Apache-2.0
//
// Observation: what there is of a grid on all hosts of a site, host by host in parallel, in a number
// of round trips that does not grow with nodes.
#pragma once

#include "orchestrator/plan/world.h"
#include "orchestrator/site.h"

struct vg_context;

// Hosts that do not run are seen as such, with their volumes. On a lenient site a host that cannot be
// looked at gets its problem and is seen empty; what is the grid's own (a box) is still seen to run. The
// same holds on every site for a host that is replaced.
struct vg_error *vg_observe(struct vg_site *site, struct vg_context *context, const char *grid_uuid,
	struct vg_world **ret_world) VG_MUST_CHECK;
