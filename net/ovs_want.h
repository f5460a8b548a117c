// SPDX-License-Identifier: Apache-2.0
//
// The ports that a slice wants on the bridge, each with its VLAN and OpenFlow port number: what is
// there keeps its own, the rest gets the lowest free ones. Pure. Used by ovs_change.c and
// ovs_guard.c.
#pragma once

#include "net/ovs_rows.h"

struct vg_ovs_want {
	char *name, *tag;
	struct vg_place place;
	const struct vg_slice_overlay *overlay;
	const struct vg_slice_port *port; // of a local one; NULL: a VXLAN port
	struct vg_ip remote;              // of a VXLAN port: the other host's address
	char *members;                    // of a VXLAN port: MACs, blank-separated
	int64_t vlan, ofport;
	const struct vg_ovs_port *seen; // NULL: to be made
};

struct vg_ovs_wants {
	const struct vg_slice *slice;
	char *bridge; // its name
	struct vg_ovs_want *items;
	size_t n_items;
};

void vg_ovs_wants_done(struct vg_ovs_wants *wants);
static inline void vg_ovs_wants_auto_free(struct vg_ovs_wants *wants)
{
	vg_ovs_wants_done(wants);
}

// Borrows from both. An error has the place of what is in the way: a name or a VNI that another has
// (both are named), more overlays than there are VLANs.
struct vg_error *vg_ovs_want(const struct vg_slice *slice, const struct vg_ovs_rows *rows,
	struct vg_ovs_wants *ret_wants) VG_MUST_CHECK;
