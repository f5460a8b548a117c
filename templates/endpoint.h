// SPDX-License-Identifier: Apache-2.0
//
// How a host is reached: libvirt URIs (libvirt.org/uri.html) and OVSDB endpoints (ovsdb(7)), as
// site files write them. Used by the language of sites and whoever connects.
#pragma once

#include "base/error.h"

enum vg_libvirt_transport { VG_LIBVIRT_FAKE, VG_LIBVIRT_UNIX, VG_LIBVIRT_SSH, VG_LIBVIRT_TLS };
enum vg_ovsdb_transport { VG_OVSDB_UNIX, VG_OVSDB_TCP, VG_OVSDB_SSL };

// `fake:` (a host that exists only in a file), `qemu+unix:///system`,
// `qemu+unix:///session?socket=/…`, `qemu+ssh://[USER@]HOST[:PORT]/system`,
// `qemu+tls://HOST[:PORT]/system`. Strict: a transport without encryption to another machine, and
// parameters that switch a check off, are refused.
struct vg_error *vg_libvirt_uri_read(
	const char *text, enum vg_libvirt_transport *ret_transport) VG_MUST_CHECK;
// `unix:/path`, `tcp:HOST:PORT`, `ssl:HOST:PORT`; an IPv6 address stands in brackets.
struct vg_error *vg_ovsdb_endpoint_read(
	const char *text, enum vg_ovsdb_transport *ret_transport) VG_MUST_CHECK;
