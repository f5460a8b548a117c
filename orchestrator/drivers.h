// SPDX-License-Identifier: Apache-2.0
//
// The drivers of a kind of site. drivers.c alone names a driver; nothing else branches on one.
#pragma once

#include "compute/driver.h"
#include "net/driver.h"
#include "storage/driver.h"

struct vg_drivers {
	const struct vg_compute_driver *compute;
	const struct vg_net_driver *net;
	const struct vg_storage_driver *storage;
};

// `kind` is "sandbox" or "fake". With VGRID_FILTER set (base/filter_spec.h) each driver is wrapped.
// The table lives as long as the process.
struct vg_error *vg_drivers_of(const char *kind, const struct vg_drivers **ret_drivers)
	VG_MUST_CHECK;
