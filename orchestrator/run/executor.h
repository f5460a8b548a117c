// SPDX-License-Identifier: Apache-2.0
//
// The executor: runs a plan's steps on a bounded pool of threads. A step runs when all that it needs
// has succeeded, within the limits of its kind and host; the first failure stops what depends on it
// and lets the rest finish. Knows nothing of what a step does.
#pragma once

#include "orchestrator/plan/step.h"

enum vg_outcome {
	VG_OUTCOME_PENDING,
	VG_OUTCOME_RUNNING,
	VG_OUTCOME_DONE,
	VG_OUTCOME_FAILED,
	VG_OUTCOME_SKIPPED, // something it needs failed, or the user stopped
};

struct vg_execution {
	const struct vg_step *steps;
	size_t n_steps;
	size_t n_hosts;
	const unsigned *n_booting; // per host: guests that may boot at once
	unsigned n_threads;        // 0: chosen
	// Carries out one step, in a thread of the pool.
	struct vg_error *(*run)(const struct vg_step *step, void *data);
	// Told of each failure, in order, before what depends on it is skipped; borrows the error.
	void (*failed)(const struct vg_step *step, const struct vg_error *error, void *data);
	// Told once, when steps go on for a while after the user stopped: one of them, and how many there
	// are. May be NULL.
	void (*lingers)(const struct vg_step *step, size_t n_running, void *data);
	bool (*is_interrupted)(void *data); // asked again and again: true starts no further step
	void *data, *interrupted_data;
	enum vg_outcome *outcomes; // one a step, may be NULL; filled in
};

// NULL when every step succeeded; else one error that sums up (`2 of 14 steps failed, 3 were
// skipped`), of kind VG_ERROR_INTERRUPTED when the user stopped it.
struct vg_error *vg_execute(const struct vg_execution *execution) VG_MUST_CHECK;
