// SPDX-License-Identifier: Apache-2.0
//
// Observation: what there is of a grid on all hosts of a site, host by host in parallel, in a number
// of round trips that does not grow with nodes.
#pragma once

#include "orchestrator/plan/world.h"
#include "orchestrator/site.h"

// Hosts that do not run are seen as such, with their volumes.
struct vg_error *vg_observe(struct vg_site *site, const char *store, const char *grid_uuid,
	struct vg_world **ret_world) VG_MUST_CHECK;
