// SPDX-License-Identifier: Apache-2.0
#include "orchestrator/plan/step.h"

const struct vg_step_type vg_step_types[VG_STEP_N_KINDS] = {
#define X(kind, doing, is_shown, lane, limit)                                                      \
	[VG_STEP_##kind] = {#kind, doing, is_shown, VG_LANE_##lane, limit},
	VG_STEP_KINDS(X)
#undef X
};
