// SPDX-License-Identifier: Apache-2.0
//
// Starting the processes of a box: vg_box_start()'s side of it (launch.c) and what both sides must
// agree on. The other side is vg_box_main() (main.c).
#pragma once

#include "box/box.h"

// The descriptors that a new box process finds open, beside /dev/null at 0 to 2.
enum {
	// A pipe to the starter: process 1 writes 'R' when all is ready, or 'E' and why it failed.
	VG_LAUNCH_REPORT_FD = 3,
	// The lock of the tag, shared with the starter and kept until the box is ready: should the
	// starter die, the next one waits for the box that is on its way.
	VG_LAUNCH_LOCK_FD = 4,
};

// Starts the box and returns when it is ready; it has no registration yet.
struct vg_error *vg_launch(
	const struct vg_box_spec *spec, int lock, uint64_t timeout_ms) VG_MUST_CHECK;
