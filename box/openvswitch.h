// SPDX-License-Identifier: Apache-2.0
//
// Open vSwitch in a box, with the userspace datapath: two rows of the table of daemons (daemon.h).
// Both run as uid 0 of the home's user namespace, which may shape the box's network.
#pragma once

#include "box/box.h"
#include "box/mounts.h"

#define VG_OVS_RUN VG_BOX_RUN "/ovs"
#define VG_OVSDB_SOCKET VG_OVS_RUN "/db.sock"
#define VG_VSWITCHD_SOCKET VG_OVS_RUN "/vswitchd.ctl"

// Makes the empty database, on the box's tmpfs: it goes with the namespaces that it describes.
struct vg_error *vg_ovsdb_configure(const struct vg_box_spec *spec) VG_MUST_CHECK;
// Serves on a socket in the box and, with keys, on TLS.
_Noreturn void vg_ovsdb_execute(const struct vg_box_spec *spec);
_Noreturn void vg_vswitchd_execute(const struct vg_box_spec *spec);
