// SPDX-License-Identifier: Apache-2.0
//
// Where a daemon of Open vSwitch listens: `unix:PATH`, `tcp:HOST:PORT`, `ssl:HOST:PORT`
// (ovsdb(7), Active Connection Methods). Pure. Used by the ovs net driver.
#pragma once

#include "base/error.h"

enum vg_ovs_transport { VG_OVS_UNIX, VG_OVS_TCP, VG_OVS_SSL };

struct vg_ovs_endpoint {
	enum vg_ovs_transport transport;
	char *path;    // of unix
	char *host;    // of tcp and ssl: a name or an address, IPv6 without its brackets
	uint16_t port; // of tcp and ssl
};

void vg_ovs_endpoint_done(struct vg_ovs_endpoint *endpoint);
static inline void vg_ovs_endpoint_auto_free(struct vg_ovs_endpoint *endpoint)
{
	vg_ovs_endpoint_done(endpoint);
}

// Without a port: 6640 (ovsdb's own). A text of another form is VG_ERROR_USAGE.
struct vg_error *vg_ovs_endpoint_read(
	const char *text, struct vg_ovs_endpoint *ret_endpoint) VG_MUST_CHECK;
// As people read it: `/run/x.sock`, `h1 port 6640`. malloc'ed.
char *vg_ovs_endpoint_name(const struct vg_ovs_endpoint *endpoint);
