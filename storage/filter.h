// SPDX-License-Identifier: Apache-2.0
//
// A filter around any storage driver: traces, delays and faults as base/filter_spec.h says, with
// the operations `storage.open`, `storage.create` and so on. It wraps an open connection, since a
// table of functions alone cannot know what it wraps. Used by the scenario tests through the
// program.
#pragma once

#include "storage/driver.h"

struct vg_filter;

// Like below->open(), through the filter. The result is for vg_storage_filtered alone; driver and
// filter are borrowed and outlive it.
struct vg_error *vg_storage_filter_open(const struct vg_storage_driver *below,
	struct vg_filter *filter, const struct vg_storage_target *target,
	struct vg_storage **ret) VG_MUST_CHECK;

// `open` is NULL: vg_storage_filter_open() stands for it.
extern const struct vg_storage_driver vg_storage_filtered;
