// SPDX-License-Identifier: Apache-2.0
//
// The drivers of a kind of site. drivers.c alone names a driver; nothing else branches on one.
#pragma once

#include "compute/driver.h"
#include "net/driver.h"
#include "storage/driver.h"

struct vg_call_rules;

// The tables to call: each driver's wrapper, which bounds the time of every call (base/call.h). So
// connections are opened by the functions below.
struct vg_drivers {
	const struct vg_compute_driver *compute;
	const struct vg_net_driver *net;
	const struct vg_storage_driver *storage;
	const struct vg_drivers *below; // what is wrapped
	const struct vg_call_rules *rules;
};

// `kind` is "sandbox", "practice", "practice-ovs" or "fake". VGRID_CALL_TIMEOUT (`5m`) is how long any
// call may take, instead of what each operation is given; VGRID_FILTER (base/filter_spec.h) is for tests and for tracing. A
// wrong one is a usage error. The table lives as long as the process.
struct vg_error *vg_drivers_of(const char *kind, const struct vg_drivers **ret_drivers)
	VG_MUST_CHECK;

// How long to wait for an answer that no driver's call stands for: VGRID_CALL_TIMEOUT, or `own_ms`.
uint64_t vg_drivers_limit(const struct vg_drivers *drivers, uint64_t own_ms);

// From now on nobody who only looks waits longer than this, unless VGRID_CALL_TIMEOUT is set: for a
// command that answers for the other hosts all the same.
void vg_drivers_look_within(uint64_t limit_ms);

struct vg_error *vg_drivers_open_compute(const struct vg_drivers *drivers,
	const struct vg_compute_target *target, struct vg_compute **ret) VG_MUST_CHECK;
struct vg_error *vg_drivers_open_net(const struct vg_drivers *drivers,
	const struct vg_net_target *target, struct vg_net **ret) VG_MUST_CHECK;
struct vg_error *vg_drivers_open_storage(const struct vg_drivers *drivers,
	const struct vg_storage_target *target, struct vg_storage **ret) VG_MUST_CHECK;
