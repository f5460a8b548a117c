// SPDX-License-Identifier: Apache-2.0
//
// Readiness: does a node's `ready` hold? By default that the agent answers and the seed was applied
// (hostname, network, files, disks, setup); or a command's success; or a line on the console.
#pragma once

#include "orchestrator/run/session.h"

enum vg_readiness {
	VG_READY_YES,
	VG_READY_NOT_YET,
	VG_READY_FAILED, // it never will be: the guest says that its setup failed
};

// One look, within a second or two; *ret_why (malloc'ed, may be NULL) says what is missing or failed.
enum vg_readiness vg_ready_look(struct vg_context *context, const struct vg_drivers *drivers,
	struct vg_host *host, const struct vg_grid *grid, const struct vg_node *node, char **ret_why);

// Waits until it is, at most `within` times the host's slowness; the error has role, probe, time
// and the last lines of the console.
struct vg_error *vg_ready_wait(struct vg_context *context, const struct vg_drivers *drivers,
	struct vg_host *host, const struct vg_grid *grid, const struct vg_node *node,
	void (*waiting)(const char *why, void *data), void *data) VG_MUST_CHECK;
