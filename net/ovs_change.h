// SPDX-License-Identifier: Apache-2.0
//
// The one transaction that turns what a host's OVSDB says into what a slice wants (RFC 7047, 5.2).
// Pure. Used by the ovs net driver.
#pragma once

#include "net/ovs_want.h"

// Its first operation waits for the bridge as it was seen: it times out when another command has
// changed it meanwhile, and one looks again. Its last yields the number that cur_cfg must reach.
struct vg_ovs_change {
	struct vg_json *operations; // none: all is so already
	struct vg_place *places;    // one an operation: what it is done for
	size_t n_places;
};

void vg_ovs_change_done(struct vg_ovs_change *change);
static inline void vg_ovs_change_auto_free(struct vg_ovs_change *change)
{
	vg_ovs_change_done(change);
}

// With has_controller the bridge listens for OpenFlow, with TLS, on a port that no other bridge
// uses.
struct vg_ovs_change vg_ovs_change_build(
	const struct vg_ovs_wants *wants, const struct vg_ovs_rows *rows, bool has_controller);

// Where the bridge listens, 0: nowhere.
uint16_t vg_ovs_controller_port(const struct vg_ovs_rows *rows, const struct vg_ovs_bridge *bridge);

// "netdev" if a bridge of the host is of that kind, else "system": all bridges of a host that has
// no datapath in its kernel are of the same kind, and tunnels leave by one of them.
const char *vg_ovs_datapath(const struct vg_ovs_rows *rows);
