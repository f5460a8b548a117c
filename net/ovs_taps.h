// SPDX-License-Identifier: Apache-2.0
//
// The taps of a slice in a box, where the hypervisor may not make any: with the tag as alias and
// the grid's link group, as the kernel net driver makes them. Used by the ovs net driver.
#pragma once

#include "net/driver.h"

struct vg_map;
struct vg_ovs_rows;

// Makes those that are missing, in the namespace, owned by the uid tap_user, and removes the grid's
// that are not wanted. They are up, have the network's MTU and no IPv6.
struct vg_error *vg_ovs_taps_make(
	const struct vg_slice *wanted, int namespace_fd, unsigned tap_user) VG_MUST_CHECK;
// Adds to what OVSDB says of the slice's grid which taps a machine has open, and those taps that
// OVSDB knows nothing of: a command was killed between the two.
struct vg_error *vg_ovs_taps_see(
	struct vg_slice *seen, const struct vg_ovs_rows *rows, int namespace_fd) VG_MUST_CHECK;
// Adds the grids of the store that have taps here and are not yet among the known.
struct vg_error *vg_ovs_taps_owners(const char *store, int namespace_fd, struct vg_map *known,
	char ***grids, size_t *n_grids) VG_MUST_CHECK;
