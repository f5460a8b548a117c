// SPDX-License-Identifier: Apache-2.0
//
// A step: one typed piece of the difference between wanted and observed. Plain data in the plan's
// arena. The table of kinds below is all that the executor and the display know of them.
#pragma once

#include "base/error.h"
#include "storage/driver.h"

// kind, what is shown while it runs (behind the subject), is it shown when all goes well, lane, limit
// a host (0: none)
//
// The limits keep a machine responsive: booting guests without hardware acceleration are bound by the
// site (vg_host.n_booting) through the lane BOOT, which a start enters and its ready leaves.
#define VG_STEP_KINDS(X)                                                                           \
	X(HOST_START, "starting", true, NONE, 0)                                                   \
	X(HOST_JOIN, "joining the boxes", true, NONE, 0)                                           \
	X(MACHINE_STOP, "stopping", true, NONE, 0)                                                 \
	X(MACHINE_REMOVE, "removing", true, NONE, 8)                                               \
	X(VOLUME_REMOVE, "removing", false, NONE, 8)                                               \
	X(NET_CONVERGE, "building networks", true, NONE, 1)                                        \
	X(VOLUME_CREATE, "making", false, NONE, 8)                                                 \
	X(VOLUME_RESIZE, "growing", true, NONE, 4)                                                 \
	X(SEED_WRITE, "writing the seed", false, NONE, 8)                                          \
	X(MACHINE_DEFINE, "defining", false, NONE, 8)                                              \
	X(MACHINE_START, "starting", false, BOOT_ENTER, 0)                                         \
	X(NODE_READY, "booting", true, BOOT_LEAVE, 0)                                              \
	X(NODE_REFRESH, "refreshing", true, NONE, 8)                                               \
	X(HOST_STOP, "ending", true, NONE, 0)

enum vg_step_kind {
#define X(kind, doing, is_shown, lane, limit) VG_STEP_##kind,
	VG_STEP_KINDS(X)
#undef X
		VG_STEP_N_KINDS
};

enum vg_step_lane { VG_LANE_NONE, VG_LANE_BOOT_ENTER, VG_LANE_BOOT_LEAVE };

struct vg_step_type {
	const char *name, *doing;
	bool is_shown;
	enum vg_step_lane lane;
	unsigned limit; // running at once on one host, 0: no limit
};

extern const struct vg_step_type vg_step_types[VG_STEP_N_KINDS];

enum { VG_STEP_NODE_NONE = -1 };

struct vg_step {
	enum vg_step_kind kind;
	const char *subject; // what it acts on, for display and errors: "worker-1", "head/data", "box-0"
	struct vg_place place; // what in the template asked for it; line 0 if nothing does
	int host;
	int node;            // index into the wanted grid's nodes, or VG_STEP_NODE_NONE
	const char *uuid;    // of the machine
	const char *tag;     // of the volume
	enum vg_volume_kind volume;
	uint64_t size;       // of the volume, bytes
	const char *image;   // of a root volume, digest
	bool is_clean;       // of a stop: ask the guest first
	const size_t *needs; // indices of steps that must have succeeded before; all lower than its own
	size_t n_needs;
};
