// SPDX-License-Identifier: Apache-2.0
//
// What was done to a machine behind vgrid's back: its size, nics and disks as the hypervisor has
// them, against those of the wanted node. Pure. Used by nodes.c for machines whose applied fields
// are the wanted ones; all else is a change of wishes.
#pragma once

#include "orchestrator/plan/planner.h"

// Texts a person reads, "its memory is 256MiB instead of 128MiB, its nic on 'lan' is detached",
// malloc'ed; NULL: nothing.
struct vg_drift {
	char *now;  // of the machine that runs: only another start mends it
	char *next; // of its definition: to be written again, while it goes on
};

void vg_drift_find(const struct vg_planner *planner, size_t node,
	const struct vg_machine_seen *machine, struct vg_drift *ret_drift);
void vg_drift_done(struct vg_drift *drift);
static inline void vg_drift_auto_free(struct vg_drift *drift)
{
	vg_drift_done(drift);
}
