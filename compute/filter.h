// SPDX-License-Identifier: Apache-2.0
//
// The wrapper around every compute driver: bounds the time of each call (base/call.h), and traces,
// delays and lets fail as base/filter_spec.h says, with the operations `compute.open`,
// `compute.define` and so on. It wraps an open connection, since a table of functions alone cannot
// know what it wraps.
#pragma once

#include "base/call.h"
#include "compute/driver.h"

// Like below->open(), through the filter. The result is for vg_compute_filtered alone; driver and
// rules are borrowed and outlive it.
struct vg_error *vg_compute_filter_open(const struct vg_compute_driver *below,
	const struct vg_call_rules *rules, const struct vg_compute_target *target,
	struct vg_compute **ret) VG_MUST_CHECK;

// `open` is NULL: vg_compute_filter_open() stands for it.
extern const struct vg_compute_driver vg_compute_filtered;
