// SPDX-License-Identifier: Apache-2.0
//
// How large a packet gets from here to there in one piece? Echo requests that may not be cut (RFC
// 792, RFC 4821) are sent from a host's network namespace. Used by the kernel and the ovs driver.
#pragma once

#include "net/driver.h"

// Contract of reach in net/driver.h. Needs CAP_NET_RAW in the namespace (-1: this process's own).
// What is lost on the way is sent again; a path that answers takes milliseconds, one that swallows
// packets about 4 s, all peers at once. Addresses are IPv4.
struct vg_error *vg_reach(int namespace_fd, const struct vg_net_peer *peers, size_t n_peers,
	unsigned size, unsigned **ret_mtus) VG_MUST_CHECK;
