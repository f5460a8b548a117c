// SPDX-License-Identifier: Apache-2.0
//
// Transactions with a host's OVSDB server (RFC 7047): one request, one answer. Each call opens a
// connection of its own: threads do not meet, and a server that was restarted in between is no
// matter. Used by the ovs net driver.
//
// No replica of the database (the IDL) and no monitor: a command looks once and changes once.
#pragma once

#include "net/ovs_wire.h"

struct vg_json;

struct vg_ovs_server {
	struct vg_ovs_endpoint endpoint;
	struct vg_tls_files tls; // borrowed
	int namespace_fd;        // borrowed; -1: the caller's network namespace
};

// Does it answer, and has it the database of a switch?
struct vg_error *vg_ovs_probe(const struct vg_ovs_server *server) VG_MUST_CHECK;

// Carries out the operations (an array of objects, RFC 7047 section 5.2) in one transaction of the
// database Open_vSwitch: all or none. *ret_results has one entry an operation. A refusal is an
// error in the server's words and changed nothing; *ret_refused (may be NULL) is then the number of
// the operation that was refused, the number of operations if it was the whole; else -1. A wait
// that was not met is VG_ERROR_TIMEOUT. Takes timeout_ms at most.
struct vg_error *vg_ovs_transact(const struct vg_ovs_server *server,
	const struct vg_json *operations, uint64_t timeout_ms, struct vg_json **ret_results,
	int *ret_refused) VG_MUST_CHECK;
