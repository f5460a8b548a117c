// SPDX-License-Identifier: Apache-2.0
//
// The wrapper around every net driver: bounds the time of each call (base/call.h), and traces,
// delays and lets fail as base/filter_spec.h says, with the operations `net.open`, `net.converge`,
// `net.observe`, `net.owners` and `net.facts`. It wraps an open connection, since a table of functions
// alone cannot know what it wraps. It always has facts(): those of a network in this machine's kernel
// where the driver below has none.
#pragma once

#include "base/call.h"
#include "net/driver.h"

// Like below->open(), through the filter. The result is for vg_net_filtered alone; driver and
// rules are borrowed and outlive it.
struct vg_error *vg_net_filter_open(const struct vg_net_driver *below,
	const struct vg_call_rules *rules, const struct vg_net_target *target,
	struct vg_net **ret) VG_MUST_CHECK;

// `open` is NULL: vg_net_filter_open() stands for it.
extern const struct vg_net_driver vg_net_filtered;
