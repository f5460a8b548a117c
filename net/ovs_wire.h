// SPDX-License-Identifier: Apache-2.0
//
// A stream of bytes to a daemon of Open vSwitch: a unix or TCP socket, with TLS where the endpoint
// says ssl. Everything ends by a deadline; nothing raises a signal. Used by the ovs net driver.
//
// Why not libopenvswitch's own streams: those are no public interface, keep one set of TLS keys per
// process (a promotion has two sites), do not look whom a certificate was made for, open sockets
// only in the caller's network namespace, and install signal handlers.
#pragma once

#include "net/driver.h"
#include "net/ovs_endpoint.h"

struct vg_ovs_wire;

// Milliseconds of the monotonic clock.
uint64_t vg_ovs_now(void);

// The socket belongs to the namespace (-1: the caller's). Of tls nothing is used unless the
// endpoint says ssl: then all three are needed, both ends must prove who they are (TLS 1.2 or
// newer), and a certificate that names hosts must name this one (those that ovs-pki(8) makes name
// none).
struct vg_error *vg_ovs_wire_open(const struct vg_ovs_endpoint *endpoint,
	const struct vg_tls_files *tls, int namespace_fd, uint64_t deadline,
	struct vg_ovs_wire **ret_wire) VG_MUST_CHECK;
void vg_ovs_wire_free(struct vg_ovs_wire *wire);
VG_AUTO(vg_ovs_wire);

// Writes all of it.
struct vg_error *vg_ovs_wire_send(
	struct vg_ovs_wire *wire, const void *bytes, size_t size, uint64_t deadline) VG_MUST_CHECK;
// Reads at least one byte, at most size; an end of the stream is an error.
struct vg_error *vg_ovs_wire_receive(struct vg_ovs_wire *wire, void *bytes, size_t size,
	uint64_t deadline, size_t *ret_size) VG_MUST_CHECK;
