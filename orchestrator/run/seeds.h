// SPDX-License-Identifier: Apache-2.0
//
// The versions of the nodes' seeds, by which the plan sees whether one has to be written again:
// `SHARED:OWN`, what all nodes share and what is the node's own. Used by replan.c.
#pragma once

#include "orchestrator/run/replan.h"

// Fills in planning->seeds; the world must have been observed and the facts be drafted.
void vg_seeds_version(struct vg_session *session, struct vg_planning *planning);
