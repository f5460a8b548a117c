// SPDX-License-Identifier: Apache-2.0
//
// A host's slice: all that the overlays need on one host, computed from the placed grid by a pure
// function. A net driver converges a host to it and observes it back in the same form.
#pragma once

#include "templates/grid.h"

// A local machine's attachment to an overlay.
struct vg_slice_port {
	char *tag;  // …/node/NAME/nic/NETWORK
	char *link; // the tap's name, from the tag
	struct vg_mac mac;
	struct vg_ip ip;
	uint64_t rate; // bits per second, 0: unlimited
	bool is_unguarded; // seen where it should be guarded: frames with others' addresses pass
	struct vg_place place;
};

// A member on another host: where frames to this MAC go.
struct vg_slice_remote {
	struct vg_mac mac;
	struct vg_ip ip;
	struct vg_ip tunnel; // its host's underlay address
};

struct vg_slice_overlay {
	char *tag;    // …/network/NAME
	char *bridge; // the bridge's name, from the tag; NULL: seen without one that works
	char *vxlan;  // the VXLAN device's name, from tag + "/vxlan"
	uint32_t vni; // 0: seen without a VXLAN device that works
	unsigned mtu;
	struct vg_place place;
	struct vg_slice_port *ports;
	size_t n_ports;
	struct vg_slice_remote *remotes; // sorted by MAC
	size_t n_remotes;
};

struct vg_slice {
	char *store, *grid; // uuids: whose slice this is
	uint32_t link_group;
	struct vg_ip tunnel; // this host's underlay address
	struct vg_slice_overlay *overlays; // only those with a member on this host
	size_t n_overlays;
	// Only of what was seen:
	char **held;    // the ports' taps that a machine has open, also such as are in no bridge
	size_t n_held;
	char **foreign; // links with no tag of this store that the host's own network does not need
	size_t n_foreign;
};

void vg_slice_free(struct vg_slice *slice);
VG_AUTO(vg_slice);

// A copy of a wanted slice that borrows nothing but the places.
struct vg_slice *vg_slice_copy(const struct vg_slice *slice);

struct vg_slice_input {
	const struct vg_grid *grid; // bound and placed
	const char *store;          // uuid
	const uint32_t *vnis;       // one a network of the grid
	const struct vg_ip *tunnels; // one a host of the site
};

// The slice of host number `host`, an empty one for VG_HOST_NONE; nodes that are not placed take no
// part. Costs a look at each node
// of the grid (two numbers compared) and work for each member of the overlays that the host has: all
// slices of a grid cost hosts times nodes looks, and as much work as there are entries in them.
struct vg_slice *vg_slice_build(const struct vg_slice_input *input, int host);

// What differs, as text a person reads ("port of 'worker-1' on 'lan' is missing"), one line each, no
// newline behind the last, malloc'ed; NULL when nothing does. IP addresses are not compared: they are
// no part of what a host's links are made of. Of an overlay without a bridge only that is
// said: all else hangs on it. Used for the plan and for drift.
char *vg_slice_difference(const struct vg_slice *wanted, const struct vg_slice *seen);
