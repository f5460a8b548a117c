// SPDX-License-Identifier: Apache-2.0
//
// The taps of a slice in a box, where the hypervisor may not make any: with the tag as alias and
// the grid's link group, as the kernel net driver makes them. Used by the ovs net driver.
#pragma once

#include "net/driver.h"

// Makes those that are missing, in the namespace, owned by the uid tap_user, and removes the grid's
// that are not wanted. They are up, have the network's MTU and no IPv6.
struct vg_error *vg_ovs_taps_make(
	const struct vg_slice *wanted, int namespace_fd, unsigned tap_user) VG_MUST_CHECK;
