// SPDX-License-Identifier: Apache-2.0
//
// A small world for the live tests of net/: three network namespaces as hosts, joined by a bridge in a
// fourth, in a user namespace of the test's own, entered as an ordinary user. Endpoints speak Ethernet
// on taps by hand.
#pragma once

#include <linux/if_ether.h>

#include "base/memory.h"
#include "net/driver.h"
#include "net/link.h"

enum { HOSTS = 3, SKIPPED = 77 };

struct host {
	int namespace_fd;
	struct vg_netlink *netlink;
	struct vg_net *net;
};

extern struct host hosts[HOSTS];
extern struct vg_ip tunnels[HOSTS];

// Makes the world; the process is in it from then on. Ends the program as skipped, with the reason,
// where taps or user namespaces are not to be had.
void world_make(void);
void world_done(void);

// A grid of `n_networks` networks net-0 … with one role of `n_nodes` nodes on all of them; node i is
// on host i modulo HOSTS. VNIs count from vni_first.
struct vg_grid *world_grid(
	struct vg_arena *arena, const char *uuid, unsigned n_networks, unsigned n_nodes);
struct vg_slice *world_slice(const struct vg_grid *grid, int host, uint32_t vni_first);
// Converges all hosts.
void world_converge(const struct vg_grid *grid, uint32_t vni_first);
// Removes all of a grid's links from all hosts.
void world_clear(const char *uuid);
extern const char world_store[];

// A tap's user.
struct endpoint {
	int fd;
	struct vg_mac mac;
	uint32_t crowd; // endpoints of one grid
	unsigned n_strangers; // frames heard that endpoints of another grid sent
	unsigned n_foreign;   // frames heard that no endpoint sent
};

// Opens the tap of a node on net-0.
struct endpoint endpoint_open(const struct vg_grid *grid, size_t node);
void endpoint_close(struct endpoint *endpoint);

extern const struct vg_mac broadcast;

// Sends one frame of `size` bytes and yields its number.
uint32_t endpoint_send(const struct endpoint *from, const struct vg_mac *to, size_t size);
// Sends a frame, then broadcasts another until all endpoints but the sender have heard one of these
// (at most 10 s), and counts how often each heard the first.
void endpoint_count(struct endpoint *endpoints, size_t n_endpoints, size_t from,
	const struct vg_mac *to, size_t size, unsigned *ret_heard);
// Broadcasts until all others have heard: the links have come up.
void endpoint_settle(struct endpoint *endpoints, size_t n_endpoints);
