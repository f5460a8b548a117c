// SPDX-License-Identifier: Apache-2.0
//
// Addresses are allocations: the lowest free one, in template order, when a node is first planned
// (the first host address is kept for the gateway; `address:` pins are honoured), kept in the record
// and carried along from then on. Pure.
#pragma once

#include "templates/grid.h"

// What earlier ups gave out: (node name, network name) → address. A node that is gone has given its
// addresses back.
struct vg_address_kept {
	const char *node, *network;
	struct vg_ip address;
};

// Sets nics[].address and nics[].mac of every node of the grid, in its arena. A kept address stays
// as long as it lies in the network's block and no pin says otherwise. `identity` is what MACs derive
// from: locally administered, unicast, distinct within each network. Near-linear in nodes.
// Errors carry the place of the network that is full or of the nic whose pin is taken.
struct vg_error *vg_addresses_allocate(struct vg_grid *grid, const char *identity,
	const struct vg_address_kept *kept, size_t n_kept) VG_MUST_CHECK;
