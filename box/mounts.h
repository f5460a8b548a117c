// SPDX-License-Identifier: Apache-2.0
//
// What the processes of a box see of the file system: /usr and /etc read-only, a few device nodes,
// /v (its folder), /i (images), /k (its keys), /c (the cache that all boxes share), and nothing
// else of this machine.
#pragma once

#include "box/box.h"

// The uid that libvirtd and the emulators have inside; outside it is the owner of the home.
enum { VG_BOX_UID = 1000 };

// Where run state lies, on a tmpfs; short, for the paths of sockets.
#define VG_BOX_RUN "/run/vg"
#define VG_BOX_CACHE "/c"
#define VG_BOX_KEYS "/k"

// Makes a mount namespace for the calling process, fills it, and makes it its root.
struct vg_error *vg_mounts_make(const struct vg_box_spec *spec) VG_MUST_CHECK;
