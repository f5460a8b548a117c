// SPDX-License-Identifier: Apache-2.0
//
// The private libvirtd of a box: a row of the table of daemons (daemon.h).
#pragma once

#include "box/box.h"
#include "box/mounts.h"

// libvirtd in session mode makes its socket below XDG_RUNTIME_DIR.
#define VG_LIBVIRTD_SOCKET VG_BOX_RUN "/libvirt/libvirt-sock"

// Writes the configuration. The host's uuid derives from the tag of the box. A box with keys also
// serves TLS, to those that the keys' authority has signed.
struct vg_error *vg_libvirtd_configure(const struct vg_box_spec *spec) VG_MUST_CHECK;
// Becomes it, in a user namespace of its own.
_Noreturn void vg_libvirtd_execute(const struct vg_box_spec *spec);
