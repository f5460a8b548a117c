// SPDX-License-Identifier: Apache-2.0
//
// A filter around any compute driver: traces, delays and faults as base/filter_spec.h says, with
// the operations `compute.open`, `compute.define` and so on. It wraps an open connection, since a
// table of functions alone cannot know what it wraps. Used by the scenario tests through the
// program.
#pragma once

#include "compute/driver.h"

struct vg_filter;

// Like below->open(), through the filter. The result is for vg_compute_filtered alone; driver and
// filter are borrowed and outlive it.
struct vg_error *vg_compute_filter_open(const struct vg_compute_driver *below,
	struct vg_filter *filter, const struct vg_compute_target *target,
	struct vg_compute **ret) VG_MUST_CHECK;

// `open` is NULL: vg_compute_filter_open() stands for it.
extern const struct vg_compute_driver vg_compute_filtered;
