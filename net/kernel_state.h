// SPDX-License-Identifier: Apache-2.0
//
// What a network namespace holds, read in two dumps: its links and its forwarding entries. Used by the
// kernel net driver, to find the difference to what is wanted and to observe.
#pragma once

#include <net/if.h>

#include "base/ip.h"

struct vg_map;
struct vg_netlink;

struct vg_kernel_link {
	int index, master; // master 0: none
	char name[IFNAMSIZ], kind[16];
	char *alias; // "" if none
	uint32_t group;
	unsigned mtu, flags; // bytes; IFF_…
	bool makes_ipv6;     // an address of its own would come by itself
	bool has_carrier;    // of a tap: somebody has it open
	// Of VXLAN devices:
	uint32_t vni;
	uint16_t port; // host byte order
	bool is_learning;
	struct vg_ip local;
};

// One way for one MAC. is_self: in the table of the VXLAN device itself, with the tunnel address
// behind which the MAC is; else a static entry in the table of the bridge that `link` is a port of.
// Learned entries and those of the links' own MACs are not read.
struct vg_kernel_entry {
	int link;
	bool is_self;
	struct vg_mac mac;
	struct vg_ip tunnel;
};

struct vg_kernel_state {
	struct vg_kernel_link *links;
	size_t n_links;
	struct vg_map *by_name;
	struct vg_kernel_entry *entries; // sorted by vg_kernel_entry_compare()
	size_t n_entries;
};

void vg_kernel_state_done(struct vg_kernel_state *state);
static inline void vg_kernel_state_auto_free(struct vg_kernel_state *state)
{
	vg_kernel_state_done(state);
}

// Both replace what the state held of that sort.
struct vg_error *vg_kernel_read_links(struct vg_netlink *netlink, struct vg_kernel_state *state)
	VG_MUST_CHECK;
struct vg_error *vg_kernel_read_entries(struct vg_netlink *netlink, struct vg_kernel_state *state)
	VG_MUST_CHECK;

// NULL if there is none.
const struct vg_kernel_link *vg_kernel_link(const struct vg_kernel_state *state, const char *name);

// For qsort and bsearch.
int vg_kernel_entry_compare(const void *a, const void *b);
bool vg_kernel_has_entry(
	const struct vg_kernel_state *state, const struct vg_kernel_entry *entry);
