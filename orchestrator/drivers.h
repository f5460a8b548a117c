// SPDX-License-Identifier: Apache-2.0
//
// The drivers of a kind of site. drivers.c alone names a driver; nothing else branches on one.
#pragma once

#include "compute/driver.h"
#include "net/driver.h"
#include "storage/driver.h"

struct vg_filter;

// The tables to call; connections are opened by the functions below, since a filter may stand between.
struct vg_drivers {
	const struct vg_compute_driver *compute;
	const struct vg_net_driver *net;
	const struct vg_storage_driver *storage;
	const struct vg_drivers *below; // what a filter wraps; NULL: nothing is filtered
	struct vg_filter *filter;
};

// `kind` is "sandbox" or "fake". With VGRID_FILTER set (base/filter_spec.h) each driver is wrapped: for
// tests and for tracing. The table lives as long as the process.
struct vg_error *vg_drivers_of(const char *kind, const struct vg_drivers **ret_drivers)
	VG_MUST_CHECK;

struct vg_error *vg_drivers_open_compute(const struct vg_drivers *drivers,
	const struct vg_compute_target *target, struct vg_compute **ret) VG_MUST_CHECK;
struct vg_error *vg_drivers_open_net(const struct vg_drivers *drivers,
	const struct vg_net_target *target, struct vg_net **ret) VG_MUST_CHECK;
struct vg_error *vg_drivers_open_storage(const struct vg_drivers *drivers,
	const struct vg_storage_target *target, struct vg_storage **ret) VG_MUST_CHECK;
