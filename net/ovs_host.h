// SPDX-License-Identifier: Apache-2.0
//
// One host of the ovs net driver: how its database and its bridge are reached. Used by ovs.c and
// ovs_converge.c.
#pragma once

#include "net/ovs_database.h"
#include "net/ovs_guard.h"
#include "net/ovs_openflow.h"

enum { VG_OVS_LOOK_MS = 5000, VG_OVS_CHANGE_MS = 10000 };

// Nothing in it changes after open(): threads may share it.
struct vg_net {
	char *host;
	struct vg_ovs_server server;
	struct vg_tls_files tls; // owned
	int namespace_fd;        // where taps are made: our own descriptor, or -1: nowhere
	int endpoint_fd;         // where connections are opened: our own, or -1: here
	unsigned tap_user;
};

// One transaction that reads everything.
struct vg_error *vg_ovs_look(const struct vg_net *net, struct vg_ovs_rows *ret_rows) VG_MUST_CHECK;

// Can flows reach the bridges of this host? By the management socket beside the database's, or by
// TLS on a port of its own; never in the clear over a network. NULL, or the reason, with the remedy
// as hint.
struct vg_error *vg_ovs_flows_probe(
	const struct vg_net *net, const struct vg_ovs_rows *rows) VG_MUST_CHECK;
// Does it bear the bridge's name that is given (not of this store's only)? Waits for a switch that
// is starting, 3 s at most.
struct vg_error *vg_ovs_flows_open(const struct vg_net *net, const struct vg_ovs_rows *rows,
	const struct vg_ovs_bridge *bridge, struct vg_openflow **ret_openflow) VG_MUST_CHECK;
// The cookies of the guards' groups that are there, sorted; malloc'ed.
struct vg_error *vg_ovs_flows_read(struct vg_openflow *openflow, const struct vg_ovs_guards *guards,
	uint64_t **ret_cookies, size_t *ret_n_cookies) VG_MUST_CHECK;

// The contract's converge().
struct vg_error *vg_ovs_converge(struct vg_net *net, const struct vg_slice *wanted) VG_MUST_CHECK;
