// SPDX-License-Identifier: Apache-2.0
//
// From a node of the wanted grid to the machine that a hypervisor is asked for: every path, link and
// name resolved.
#pragma once

#include "compute/machine.h"
#include "orchestrator/run/replan.h"

// Everything in it lives in `arena`.
struct vg_machine *vg_machine_make(struct vg_arena *arena, struct vg_session *session,
	const struct vg_planning *planning, size_t node);
