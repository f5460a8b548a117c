// SPDX-License-Identifier: Apache-2.0
//
// A plan becomes the store's before its first step, and its grid is called up behind its last one.
// Used by `up`.
#pragma once

#include "orchestrator/run/replan.h"

// Takes VNIs and hosts in the ledger and saves the record, as `creating` if there are steps, before
// the first resource is made: whoever is cut off is taken on from there by the next `up`. Placement
// was made without a lock; where another grid was promised something in the meantime it is made
// again here, and with it the plan if anything comes out otherwise.
struct vg_error *vg_commit_begin(
	struct vg_session *session, struct vg_planning **planning) VG_MUST_CHECK;
// Every node is ready: saves the record as `up`, unless it is stored as such, and gives back what
// nodes that went were promised.
struct vg_error *vg_commit_end(struct vg_session *session) VG_MUST_CHECK;
