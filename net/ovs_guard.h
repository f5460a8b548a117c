// SPDX-License-Identifier: Apache-2.0
//
// What the flows on the bridge are to be, so that a machine sends only with its own addresses, and
// not faster than its rate. Pure: texts as ovs-ofctl(8) takes them. Used by the ovs net driver.
//
// Table 0 knows the port: a frame with the port's MAC goes on, another is dropped. Table 1 knows
// the addresses: ARP (RFC 826), IPv4, IPv6 and neighbour discovery (RFC 4861) pass with the port's
// own ones only: its address, and the link-local one made of its MAC (RFC 4291, appendix A). Router
// advertisements, redirects and tagged frames do not pass; other protocols do. Table 2 limits what
// goes to a machine. Each ends in NORMAL, as a bridge without flows does: connectivity does not
// hang on them.
//
// They are not in OVSDB and die with ovs-vswitchd. The cookie of a flow says whose it is (upper
// half) and what it is (a hash, lower half), so that a look at the cookies tells whether all are
// there.
#pragma once

#include "net/ovs_want.h"

struct vg_ovs_flow {
	char *text;
	uint64_t cookie;
	const struct vg_slice_port *port; // whom it guards; NULL: everybody
};

struct vg_ovs_meter {
	uint32_t id;
	uint64_t rate; // bits per second
	struct vg_place place;
};

struct vg_ovs_guards {
	uint32_t groups[2]; // upper halves of the cookies: of the grid, and of all grids of the
			    // store
	struct vg_ovs_flow *flows; // sorted by cookie
	size_t n_flows;
	struct vg_ovs_meter *meters;
	size_t n_meters;
};

void vg_ovs_guards_done(struct vg_ovs_guards *guards);
static inline void vg_ovs_guards_auto_free(struct vg_ovs_guards *guards)
{
	vg_ovs_guards_done(guards);
}

// Without ports there are no flows.
struct vg_ovs_guards vg_ovs_guards_build(const struct vg_ovs_wants *wants);

// Are these cookies (sorted) those of the guards?
bool vg_ovs_guards_are(
	const struct vg_ovs_guards *guards, const uint64_t *cookies, size_t n_cookies);

// The meters of a port, by the number of its OpenFlow port: from its machine, and to it.
uint32_t vg_ovs_meter_from(int64_t ofport);
uint32_t vg_ovs_meter_to(int64_t ofport);

// The link-local address that is made of a MAC.
struct vg_ip vg_ovs_link_local(const struct vg_mac *mac);
