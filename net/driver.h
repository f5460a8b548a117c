// SPDX-License-Identifier: Apache-2.0
//
// The contract of a net driver: overlays on one host.
//
// Declarative: converge() makes the host's links of this grid exactly the slice, in one batch or
// transaction, adding, changing and removing; what is so already is not touched (a running
// machine's tap never goes away). Links carry the full tag as alias and the grid's link group; a
// link of a wanted name with another alias is an error that names both. Bridges and taps carry no
// host address and no IPv6. Full unicast: no multicast, no learning on the VXLAN device, static
// forwarding entries for every remote MAC and one all-zero entry a remote host for broadcasts.
// Nothing lives in this process: connectivity survives without it.
#pragma once

#include "net/slice.h"

struct vg_net; // each driver's own

// Files in PEM; borrowed. All NULL: none.
struct vg_tls_files {
	const char *key;         // private
	const char *certificate; // of the key's owner, with what leads to the authority
	const char *authority;   // whose signature the other end must show
};

struct vg_net_target {
	const char *host; // its name, for messages
	int namespace_fd; // network namespace to act in, -1: this process's own
	// Where connections to the endpoint are opened (they work from anywhere then); 0: in
	// namespace_fd.
	int endpoint_namespace_fd;
	unsigned tap_user;       // the uid, in this process's user namespace, that taps belong to
	const char *endpoint;    // OVSDB endpoint, the fake's world file, or NULL
	struct vg_tls_files tls; // for an endpoint `ssl:…`
};

// What a host's network can do, for the planner, doctor and the compute layer.
struct vg_net_facts {
	char *version;        // of the software there, NULL: not known
	const char *datapath; // a constant: "system" (the kernel's) or "netdev" (userspace)
	// Machines on this host must have the checksum and segmentation offloads of their nics off
	// on both sides (libvirt: csum, gso, tso4, tso6, ecn, ufo of <host> and <guest> in the
	// interface's <driver>): TCP between them is dead otherwise, though pings pass.
	bool needs_plain_frames;
	// The driver makes no taps here: the hypervisor makes them, under the names of the slice's
	// ports (libvirt: <interface type='ethernet'><target dev='…'/> without managed='no').
	bool needs_taps;
	bool can_guard; // ports carry only what their machine may send
	bool can_limit; // a port's rate is enforced, in both directions
	char *why_not;  // the reason, where one of the two is false; else NULL
	char *remedy;   // what mends it; NULL: nothing known
};

// Another host of the site.
struct vg_net_peer {
	const char *host;
	struct vg_ip address; // in the underlay
};

struct vg_net_driver {
	const char *name;

	struct vg_error *(*open)(
		const struct vg_net_target *target, struct vg_net **ret)VG_MUST_CHECK;
	void (*close)(struct vg_net *net);

	// Makes it so. A slice without overlays removes all of this grid's links. An error carries
	// the place of the network or port that was refused; what was made before it stays (the
	// next converge goes on from there).
	struct vg_error *(*converge)(
		struct vg_net *net, const struct vg_slice *wanted)VG_MUST_CHECK;
	// What is there with tags of this grid, in a constant number of round trips. Tags that
	// vg_slice_build() could not have made for a known network come as overlays with vni 0.
	struct vg_error *(*observe)(struct vg_net *net, const char *store, const char *grid,
		struct vg_slice **ret_seen)VG_MUST_CHECK;
	// The grids (uuids) of this store that have links here: for gc. malloc'ed list.
	struct vg_error *(*owners)(struct vg_net *net, const char *store, char ***ret_grids,
		size_t *ret_n_grids)VG_MUST_CHECK;
	// May be NULL: a network in this machine's kernel, whose taps the driver makes.
	struct vg_error *(*facts)(struct vg_net *net, struct vg_net_facts *ret_facts)VG_MUST_CHECK;
	// The largest packet, in bytes with its IP header and up to `size`, that gets from this host to
	// each of the peers in one piece; 0: none does. *ret_mtus is malloc'ed. Takes seconds at most. An
	// error says why it cannot be tried from here.
	struct vg_error *(*reach)(struct vg_net *net, const struct vg_net_peer *peers,
		size_t n_peers, unsigned size, unsigned **ret_mtus)VG_MUST_CHECK;
};

void vg_net_facts_done(struct vg_net_facts *facts);

extern const struct vg_net_driver vg_net_kernel, vg_net_ovs, vg_net_fake;
