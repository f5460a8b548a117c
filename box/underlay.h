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
// Makes it so; may be repeated. A site of one box has no switch: its address lies on its own `lo`;
// sw is NULL then.
struct vg_error *vg_underlay_connect(
	struct vg_box *sw, struct vg_box *const *boxes, size_t n_boxes) VG_MUST_CHECK;
