// SPDX-License-Identifier: Apache-2.0
//
// The private libvirtd of a box, from the inside: its configuration and its start. Used by process
// 1 of a box (main.c). The view from outside is hypervisor.c.
#pragma once

#include <sys/types.h>

#include "base/error.h"
#include "box/mounts.h"

// What both views must agree on. libvirtd in session mode makes its socket below XDG_RUNTIME_DIR.
#define VG_LIBVIRTD_SOCKET VG_BOX_RUN "/libvirt/libvirt-sock"
#define VG_LIBVIRTD_LOG VG_BOX_RUN "/libvirtd.log"
// How often it has been started, as a number.
#define VG_LIBVIRTD_STARTS VG_BOX_RUN "/libvirtd.starts"

// Writes the configuration. The host's uuid derives from the tag of the box.
struct vg_error *vg_libvirtd_configure(const char *tag) VG_MUST_CHECK;
// Starts it for the n-th time, in a user namespace of its own.
struct vg_error *vg_libvirtd_start(unsigned n_starts, pid_t *ret_pid) VG_MUST_CHECK;
