// SPDX-License-Identifier: Apache-2.0
//
// TLS on a connected, non-blocking socket: the ovs net driver's door to libssl. Used by ovs_wire.c,
// which waits.
#pragma once

#include <sys/types.h>

#include "net/driver.h"

struct vg_ovs_tls;

// Reads the key, the certificate and the authority's certificate. host is whom the other end must
// be.
struct vg_error *vg_ovs_tls_new(const struct vg_tls_files *files, int fd, const char *host,
	struct vg_ovs_tls **ret_tls) VG_MUST_CHECK;
void vg_ovs_tls_free(struct vg_ovs_tls *tls);
VG_AUTO(vg_ovs_tls);

// Each does what it can now. When the socket must be waited for first, *ret_events are poll(2)'s,
// and the call is repeated with the same arguments; else they are 0 and it is done.
struct vg_error *vg_ovs_tls_greet(struct vg_ovs_tls *tls, short *ret_events) VG_MUST_CHECK;
struct vg_error *vg_ovs_tls_send(struct vg_ovs_tls *tls, const void *bytes, size_t size,
	size_t *ret_size, short *ret_events) VG_MUST_CHECK;
// A size of 0 is the end of the stream.
struct vg_error *vg_ovs_tls_receive(struct vg_ovs_tls *tls, void *bytes, size_t size,
	size_t *ret_size, short *ret_events) VG_MUST_CHECK;
