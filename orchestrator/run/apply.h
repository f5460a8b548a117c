// SPDX-License-Identifier: Apache-2.0
//
// Carries out a plan: what each kind of step does, one function a kind, through the drivers. Shows
// progress and prints each failure as it happens.
#pragma once

#include "orchestrator/run/replan.h"

// First of all, before the plan is the store's: removes the old copies of nodes that a host has brought
// back which was replaced, and plans again. Does nothing where there are none.
struct vg_error *vg_apply_first(
	struct vg_session *session, struct vg_planning **planning) VG_MUST_CHECK;

// The error sums up; each failure was shown under the template's line that asked for it.
struct vg_error *vg_apply(struct vg_session *session, const struct vg_planning *planning)
	VG_MUST_CHECK;
