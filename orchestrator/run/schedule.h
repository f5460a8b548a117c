// SPDX-License-Identifier: Apache-2.0
//
// Which step may run next: the executor's book-keeping, without threads and without locks. A step is
// ready when all that it needs has succeeded; ready steps run in turn among kinds and hosts, within the
// limits of both. Each operation costs as much as it changes, whatever the size of the plan.
#pragma once

#include "orchestrator/run/executor.h"

struct vg_schedule;

struct vg_schedule_count {
	size_t n_open; // pending or running
	size_t n_running, n_failed, n_skipped;
};

// The execution is borrowed.
struct vg_schedule *vg_schedule_new(const struct vg_execution *execution);
void vg_schedule_free(struct vg_schedule *schedule);
VG_AUTO(vg_schedule);

// Takes a step that may run now; false if there is none.
bool vg_schedule_take(struct vg_schedule *schedule, size_t *ret_number);
// Would vg_schedule_take() probably have one?
bool vg_schedule_has_ready(const struct vg_schedule *schedule);
// A taken step has ended. What it was needed for becomes ready, or is skipped.
void vg_schedule_end(struct vg_schedule *schedule, size_t number, enum vg_outcome outcome);
// Skips all that is pending.
void vg_schedule_stop(struct vg_schedule *schedule);

const struct vg_schedule_count *vg_schedule_count(const struct vg_schedule *schedule);
const enum vg_outcome *vg_schedule_outcomes(const struct vg_schedule *schedule);
