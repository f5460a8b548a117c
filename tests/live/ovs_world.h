// SPDX-License-Identifier: Apache-2.0
//
// A world for the live tests of the ovs net driver: three network namespaces as hosts, joined by a
// bridge in a fourth, with ovsdb-server and ovs-vswitchd (userspace datapath) in each, in user and
// pid namespaces of the test's own: when the test ends, all of it does. Members are network
// namespaces with a kernel of their own, so that they speak real ARP, IPv6 and TCP.
#pragma once

#include <sys/types.h>

#include "base/memory.h"
#include "net/driver.h"
#include "net/link.h"

enum { HOSTS = 3, SKIPPED = 77, NUMBERS = 4096 };

struct host {
	int namespace_fd;
	struct vg_netlink *netlink;
	struct vg_net *net;
	char *folder; // of its daemons' files
	char *endpoint;
	pid_t database, vswitch;
};

extern struct host hosts[HOSTS];
extern struct vg_ip tunnels[HOSTS];
extern const char world_store[];
extern char *world_folder;

// Makes the world; returns in the process that is in it. Ends the program as skipped, with the
// reason, where a part is missing.
void world_make(void);
void world_done(void);

// Keys and certificates in world_folder, see ovs_certificates.c.
void world_certificates(void);
// Gives the host its underlay address, as its administrator does when the switch was started again.
void world_underlay(int host);

// Starts a daemon that is not running.
void database_start(struct host *host);
void vswitch_start(struct host *host);
void daemon_kill(pid_t *pid, int signal);
// ovs-vsctl on the host, its arguments blank-separated; yields what it printed, malloc'ed.
char *vsctl(const struct host *host, const char *arguments);

// A grid of one network net-0 and one role; node i is on host i modulo HOSTS.
struct vg_grid *world_grid(
	struct vg_arena *arena, const char *uuid, unsigned n_nodes, uint64_t rate);
struct vg_slice *world_slice(const struct vg_grid *grid, int host, uint32_t vni);
void world_converge(const struct vg_grid *grid, uint32_t vni);
void world_clear(const char *uuid);

uint64_t now_ms(void);

// What is behind a node's port.
struct member {
	int namespace_fd;
	int udp; // bound to all addresses, port 7000
	struct vg_ip ip;
	struct vg_mac mac;
	uint32_t crowd;
	unsigned heard[NUMBERS]; // how often, by number
	unsigned n_strangers;    // from members of another crowd
};

// Makes the namespace and the link of the node's port.
void member_open(struct member *member, const struct vg_grid *grid, size_t node);
void member_close(struct member *member);
// Removes the links of all members, also of those that nobody closed: at the end of each claim.
void members_forget(void);

// Opens a socket in the member's namespace, with another address as its source.
int member_liar(const struct member *member, const char *address);
// One datagram of `size` bytes that nobody may cut in pieces; false: the sender itself refuses it.
bool member_send(
	const struct member *from, int fd, const struct vg_ip *to, uint32_t number, size_t size);
// Sends this number from one to the other until it is heard (at most 10 s): all that was sent
// before it on the same way was heard or is lost.
void member_reach(struct member *from, struct member *to, uint32_t number);
// The same at another of its addresses.
void member_reach_at(
	struct member *from, struct member *to, const struct vg_ip *at, uint32_t number);
// TCP from one to the other for this long: bits per second of what arrived.
uint64_t member_stream(const struct member *from, const struct member *to, unsigned ms);
// A raw frame.
void member_frame(const struct member *from, const void *bytes, size_t size);
