// SPDX-License-Identifier: Apache-2.0
//
// A site and its hosts. Built in are `sandbox` (`sandbox:3`: three boxes), which gives every grid
// boxes of its own on this machine, and `fake` (`fake:3`), hosts that exist only in one file. A
// practice site (box/practice.h) goes by its own name: its hosts are boxes that no grid owns.
#pragma once

#include "orchestrator/drivers.h"
#include "templates/site_file.h"

struct vg_box;
struct vg_box_list;
struct vg_context;
struct vg_practice;

enum { VG_SITE_HOSTS_MAX = 250 };

struct vg_host {
	char *name;           // "box-0"
	struct vg_resources capacity;  // for all grids, with overcommit
	const struct vg_host_label *labels; // the file's
	size_t n_labels;
	struct vg_ip tunnel;  // underlay address
	enum vg_accelerator accelerator;
	unsigned slowness;    // `within` is multiplied by it
	unsigned n_booting;   // how many guests may boot at once
	bool is_running;      // the box is there (an unowned host always is)
	char *folder_seen, *images_seen; // where its hypervisor finds volumes and golden images
	const char *repaired; // its daemon that had died and was started again; NULL: none
	struct vg_error *problem; // why it cannot be opened or looked at; then it is not running
	struct vg_box *box;   // NULL: no box, or it does not run
	struct vg_compute *compute; // NULL unless is_running
	struct vg_net *net;         // NULL unless is_running
	struct vg_net_facts net_facts; // zeroed unless is_running
	struct vg_storage *storage; // never NULL once connected
};

struct vg_site {
	char *text; // as recorded: "sandbox:3"
	char *name; // "sandbox": in the keys of its grids, and of its ledger
	char *kind; // "sandbox", "fake", "hosts", "practice", "practice-ovs"
	struct vg_practice *practice; // NULL: it is none
	bool is_simulated; // its hosts hold nothing: images are not fetched either
	bool is_owned; // hosts are made and ended with the grid
	bool is_ending; // its boxes are only found, to be ended: nothing in them is opened or asked
	bool is_lenient; // a host that cannot be opened or looked at only gets its problem
	struct vg_resources shared;    // what all hosts share: boxes are one machine
	uint32_t vni_first, vni_last;
	unsigned underlay_mtu;         // bytes; 0: it carries every network
	unsigned tunnel_overhead;      // bytes of it that a tunnel takes (RFC 7348, section 5)
	struct vg_site_file *file;     // that it was made of; NULL: built in
	const struct vg_drivers *drivers;
	struct vg_host *hosts;
	size_t n_hosts;
	struct vg_box *underlay; // the switch of several boxes; of a practice site always
};

// Is it called by a name that is built in, with or without a number behind it?
bool vg_site_is_built_in(const char *text);
// `sandbox`, `sandbox:3`, `fake:2`. A usage error for anything else. No I/O.
struct vg_error *vg_site_read(const char *text, struct vg_site **ret_site) VG_MUST_CHECK;
// Are its hosts boxes of this machine? How many of them run for this grid, of all that run?
bool vg_site_has_boxes(const struct vg_site *site);
size_t vg_site_count_running(const struct vg_site *site, const struct vg_box_list *boxes,
	const char *store, const char *uuid);
// What all boxes have together: this machine.
struct vg_resources vg_site_this_machine(void);
// Are rates enforced on the host? One that does not run yet is taken at its driver's word.
bool vg_site_limits_rates(const struct vg_site *site, size_t host);
void vg_site_free(struct vg_site *site); // disconnects; boxes live on
VG_AUTO(vg_site);

// Does what the site needs of this process before its first thread: the sandbox re-executes the
// program into its user namespace (and then does not return). Call it before reading standard input.
struct vg_error *vg_site_enter(const struct vg_site *site, struct vg_context *context)
	VG_MUST_CHECK;

// Has this machine what new hosts of the site need? The error's hint is the exact remedy. Asked before
// anything is made; behind vg_site_enter().
struct vg_error *vg_site_check(const struct vg_site *site) VG_MUST_CHECK;

// Opens the hosts' drivers, in parallel. `key` and `uuid` name the grid whose hosts they are. Hosts
// that do not run, or that have a problem on a lenient site, stay closed; their storage is open all the
// same, unless that has the problem.
struct vg_error *vg_site_connect(struct vg_site *site, struct vg_context *context, const char *key,
	const char *uuid) VG_MUST_CHECK;
// Starts one host that does not run and opens its drivers; thread-safe for different hosts.
struct vg_error *vg_site_start_host(struct vg_site *site, struct vg_context *context,
	const char *key, const char *uuid, size_t host) VG_MUST_CHECK;
// Joins the running hosts by their underlay; after all of them were started.
struct vg_error *vg_site_join(struct vg_site *site, struct vg_context *context, const char *key,
	const char *uuid) VG_MUST_CHECK;
// Do hosts run that have lost what joins them? As it was when they were connected.
bool vg_site_is_split(const struct vg_site *site);
// Removes what ended hosts left behind in the bookkeeping of boxes.
void vg_site_tidy(const struct vg_site *site, struct vg_context *context, const char *uuid);
// Ends one owned host and everything on it.
struct vg_error *vg_site_stop_host(struct vg_site *site, struct vg_context *context,
	const char *key, size_t host) VG_MUST_CHECK;
