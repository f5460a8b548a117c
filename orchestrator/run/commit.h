// SPDX-License-Identifier: Apache-2.0
//
// A plan becomes the store's before its first step, and its grid is called up behind its last one.
// Used by `up`.
#pragma once

#include "orchestrator/run/replan.h"

// Saves the record, as `creating` if there are steps, before the first resource is made: whoever is
// cut off is taken on from there by the next `up`. VNIs are chosen without a lock; where another
// grid's plan was saved with the same ones in the meantime, others are chosen here and the plan is
// made again.
struct vg_error *vg_commit_begin(
	struct vg_session *session, struct vg_planning **planning) VG_MUST_CHECK;
// Every node is ready: saves the record as `up`, unless it is stored as such.
struct vg_error *vg_commit_end(struct vg_session *session) VG_MUST_CHECK;
