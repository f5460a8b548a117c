// SPDX-License-Identifier: Apache-2.0
//
// The links of a slice as the kernel net driver wants them: per overlay a bridge and a VXLAN device,
// per port a tap. Each step compares with the state and sends one batch with what differs.
#pragma once

#include "net/kernel_state.h"
#include "net/slice.h"

enum vg_kernel_kind { VG_KERNEL_BRIDGE, VG_KERNEL_VXLAN, VG_KERNEL_TAP };

struct vg_kernel_want {
	enum vg_kernel_kind kind;
	const char *name;    // borrowed from the slice
	char *alias;         // the full tag
	const char *subject; // the tag's path, for messages; borrowed from the alias
	struct vg_place place;
	const struct vg_slice_overlay *overlay;
	const struct vg_slice_port *port; // of taps
};

struct vg_kernel_wants {
	const struct vg_slice *slice;
	struct vg_kernel_want *items; // of each overlay: bridge, VXLAN device, taps
	size_t n_items;
};

void vg_kernel_wants_done(struct vg_kernel_wants *wants);
static inline void vg_kernel_wants_auto_free(struct vg_kernel_wants *wants)
{
	vg_kernel_wants_done(wants);
}

// The result borrows from the slice.
struct vg_kernel_wants vg_kernel_want(const struct vg_slice *slice);

// Is something in the way that is not this grid's: a link of a wanted name, a VXLAN device of a wanted
// VNI? The error names both.
struct vg_error *vg_kernel_check(
	const struct vg_kernel_wants *wants, const struct vg_kernel_state *state) VG_MUST_CHECK;

// Removes the grid's links that are not wanted, or cannot be turned into what is wanted.
struct vg_error *vg_kernel_remove(struct vg_netlink *netlink, const struct vg_kernel_wants *wants,
	const struct vg_kernel_state *state, bool *ret_did) VG_MUST_CHECK;

// Makes the bridges and VXLAN devices that are missing, each with alias and group from its first
// moment that another process could die in. They are down and on their own.
struct vg_error *vg_kernel_make(struct vg_netlink *netlink, const struct vg_kernel_wants *wants,
	const struct vg_kernel_state *state, bool *ret_did) VG_MUST_CHECK;

// Adds a request that gives the link, by its name, its alias and group.
struct vg_batch;
struct vg_request *vg_kernel_mark(struct vg_batch *batch, const struct vg_kernel_wants *wants,
	const struct vg_kernel_want *item);

// Makes the taps that are missing, in the namespace, persistent, owned by the uid tap_user.
struct vg_error *vg_kernel_make_taps(struct vg_netlink *netlink, int namespace_fd, unsigned tap_user,
	const struct vg_kernel_wants *wants, const struct vg_kernel_state *state, bool *ret_did)
	VG_MUST_CHECK;

// Joins the links, gives them their MTU and starts them. All of them are in the state. Taps without a
// bridge among the wants stay with whom they are.
struct vg_error *vg_kernel_adjust(struct vg_netlink *netlink, int namespace_fd, const struct vg_kernel_wants *wants,
	const struct vg_kernel_state *state) VG_MUST_CHECK;

// Makes the static entries what the slice says: a local member's MAC lies behind its tap, a remote's
// behind the VXLAN device and there behind its host's tunnel address; broadcasts go to each remote
// host once.
struct vg_error *vg_kernel_forward(struct vg_netlink *netlink, const struct vg_kernel_wants *wants,
	const struct vg_kernel_state *state) VG_MUST_CHECK;
