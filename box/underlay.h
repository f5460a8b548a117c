// SPDX-License-Identifier: Apache-2.0
//
// The underlay of several boxes: a bridge in a namespace of its own (a box without a hypervisor)
// and a veth to each box, named `underlay` there. Addresses are from TEST-NET-1 (RFC 5737) and
// exist only in these namespaces.
#pragma once

#include "box/box.h"

enum { VG_UNDERLAY_MTU = 1600, VG_UNDERLAY_BOXES_MAX = 250 };

// The tunnel address of box number `i` (from 0) of a site; up to VG_UNDERLAY_BOXES_MAX.
struct vg_ip vg_underlay_address(size_t i);
// The MAC of what carries the address: it follows from the address, so that a box that replaces
// another is reached at once.
struct vg_mac vg_underlay_mac(size_t i);
// Makes it so; may be repeated. A site of one box has no switch: its address lies on its own `lo`;
// sw is NULL then.
struct vg_error *vg_underlay_connect(
	struct vg_box *sw, struct vg_box *const *boxes, size_t n_boxes) VG_MUST_CHECK;

// The same step by step, for a practice site, whose operator lives in the switch's namespace and
// has an address there. Each may be repeated; different boxes may be done at the same time.
//
// The bridge of the switch, with the operator's address.
struct vg_error *vg_underlay_make(struct vg_box *sw) VG_MUST_CHECK;
// Plugs box number `i` into it: the veth, up, without an address. is_carried: it will be a port of
// a bridge of the box that has the address, and the box's own network must not answer on it as
// well.
struct vg_error *vg_underlay_plug(
	struct vg_box *sw, const struct vg_box *box, size_t i, bool is_carried) VG_MUST_CHECK;
// Gives a link in box number `i` its address and brings it up.
struct vg_error *vg_underlay_name(
	const struct vg_box *box, const char *link, size_t i) VG_MUST_CHECK;
