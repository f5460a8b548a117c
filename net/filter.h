// SPDX-License-Identifier: Apache-2.0
//
// A filter around any net driver: traces, delays and faults as base/filter_spec.h says, with the
// operations `net.open`, `net.converge`, `net.observe` and `net.owners`. It wraps an open
// connection, since a table of functions alone cannot know what it wraps. Used by the scenario
// tests through the program.
#pragma once

#include "net/driver.h"

struct vg_filter;

// Like below->open(), through the filter. The result is for vg_net_filtered alone; driver and
// filter are borrowed and outlive it.
struct vg_error *vg_net_filter_open(const struct vg_net_driver *below, struct vg_filter *filter,
	const struct vg_net_target *target, struct vg_net **ret) VG_MUST_CHECK;

// `open` is NULL: vg_net_filter_open() stands for it.
extern const struct vg_net_driver vg_net_filtered;
