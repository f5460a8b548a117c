// SPDX-License-Identifier: Apache-2.0
//
// What was found out about the hosts of a site, before anybody judges it: plain data, made by
// probe.c, judged by judge.c.
#pragma once

#include "compute/driver.h"
#include "net/driver.h"
#include "storage/driver.h"
#include "templates/site_file.h"

// Every host is tried with as many others, those that follow it in the site: all, but in the
// largest.
enum { VG_DOCTOR_PEERS_MAX = 250 };

struct vg_host_facts {
	const char *name;      // borrowed, like the place
	struct vg_place place; // in the site file; line 0: built in
	struct vg_ip underlay;
	struct vg_resources given; // what the site gives to grids, before overcommit
	bool is_running;
	char *problem, *remedy; // why it could not be asked; NULL: it was. Then the rest is empty
	bool is_hanging;        // it did not answer in time
	const char *repaired;   // its daemon that had died and was started again; NULL: none
	bool is_raced;          // it is of this machine, where both accelerators were tried:
	bool prefers_kvm;
	unsigned slowness;
	struct vg_compute_facts compute;
	struct vg_net_facts net;
	struct vg_storage_facts storage;
	// The largest packet that gets from here to the k-th host behind it; -1: not tried, 0:
	// none.
	int *mtus;
	char *mtus_unknown; // why it was not tried; NULL: it was
	int process;        // of this machine: a process in the host's namespaces, 0: none
};

struct vg_site_facts {
	const char *name; // all borrowed
	bool is_practice, has_switch;
	bool is_here; // its hosts are of this machine
	bool wants_kvm;
	unsigned underlay_mtu;    // bytes that have to get from each host to each other
	unsigned tunnel_overhead; // bytes of them that a tunnel takes
	struct vg_host_facts *hosts;
	size_t n_hosts, n_peers; // how many others each host was tried with
};

void vg_site_facts_done(struct vg_site_facts *facts);
static inline void vg_site_facts_auto_free(struct vg_site_facts *facts)
{
	vg_site_facts_done(facts);
}
// The k-th host behind host h.
size_t vg_site_facts_peer(const struct vg_site_facts *facts, size_t h, size_t k);
