// SPDX-License-Identifier: Apache-2.0
//
// Single links by libnl, in whatever network namespace a socket was opened in. Used by the kernel net
// driver and by box/ for the underlay.
#pragma once

#include "base/error.h"
#include "base/ip.h"

// In a host's namespace: the way to the other hosts.
#define VG_LINK_UNDERLAY "underlay"

struct vg_netlink; // one NETLINK_ROUTE socket: it is its namespace

// Opens the socket inside the namespace (-1: the caller's): the calling thread enters it and comes
// back. One user at a time.
struct vg_error *vg_netlink_open(int namespace_fd, struct vg_netlink **ret) VG_MUST_CHECK;
void vg_netlink_free(struct vg_netlink *netlink);
VG_AUTO(vg_netlink);

// All of these succeed when it is so already.
struct vg_error *vg_link_up(struct vg_netlink *netlink, const char *name) VG_MUST_CHECK;
struct vg_error *vg_link_bridge(struct vg_netlink *netlink, const char *name, unsigned mtu)
	VG_MUST_CHECK;
// A veth pair: `name` here, `peer` in the namespace peer_namespace_fd.
struct vg_error *vg_link_veth(struct vg_netlink *netlink, const char *name, const char *peer,
	int peer_namespace_fd, unsigned mtu) VG_MUST_CHECK;
struct vg_error *vg_link_master(struct vg_netlink *netlink, const char *name, const char *bridge)
	VG_MUST_CHECK;
struct vg_error *vg_link_address(struct vg_netlink *netlink, const char *name,
	const struct vg_ip *address, unsigned prefix) VG_MUST_CHECK;
struct vg_error *vg_link_remove(struct vg_netlink *netlink, const char *name) VG_MUST_CHECK;
