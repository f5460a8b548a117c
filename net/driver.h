// SPDX-License-Identifier: Apache-2.0
//
// The contract of a net driver: overlays on one host.
//
// Declarative: converge() makes the host's links of this grid exactly the slice, in one batch or
// transaction, adding, changing and removing; what is so already is not touched (a running machine's
// tap never goes away). Links carry the full tag as alias and the grid's link group; a link of a
// wanted name with another alias is an error that names both. Bridges and taps carry no host address
// and no IPv6. Full unicast: no multicast, no learning on the VXLAN device, static forwarding entries
// for every remote MAC and one all-zero entry a remote host for broadcasts. Nothing lives in this
// process: connectivity survives without it.
#pragma once

#include "net/slice.h"

struct vg_net; // each driver's own

struct vg_net_target {
	const char *host;  // its name, for messages
	int namespace_fd;  // network namespace to act in, -1: this process's own
	unsigned tap_user; // the uid, in this process's user namespace, that taps belong to
	const char *endpoint; // OVSDB endpoint, the fake's world file, or NULL
};

struct vg_net_driver {
	const char *name;

	struct vg_error *(*open)(const struct vg_net_target *target, struct vg_net **ret)
		VG_MUST_CHECK;
	void (*close)(struct vg_net *net);

	// Makes it so. A slice without overlays removes all of this grid's links. An error carries the
	// place of the network or port that was refused; what was made before it stays (the next
	// converge goes on from there).
	struct vg_error *(*converge)(struct vg_net *net, const struct vg_slice *wanted) VG_MUST_CHECK;
	// What is there with tags of this grid, in a constant number of round trips. Tags that
	// vg_slice_build() could not have made for a known network come as overlays with vni 0.
	struct vg_error *(*observe)(struct vg_net *net, const char *store, const char *grid,
		struct vg_slice **ret_seen) VG_MUST_CHECK;
	// The grids (uuids) of this store that have links here: for gc. malloc'ed list.
	struct vg_error *(*owners)(struct vg_net *net, const char *store, char ***ret_grids,
		size_t *ret_n_grids) VG_MUST_CHECK;
};

extern const struct vg_net_driver vg_net_kernel, vg_net_fake;
