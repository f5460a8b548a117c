// SPDX-License-Identifier: Apache-2.0
//
// The daemons that run in a box, as a table. Process 1 (main.c) configures those that the box's
// spec wants, starts them, and starts a dead one again when it is asked to; reach.c sees from
// outside whether one answers, and asks.
#pragma once

#include "box/box.h"
#include "box/mounts.h"

struct vg_daemon {
	const char *program; // its log and the count of its starts are named after it
	const char *socket;  // where it answers, as the box sees it
	const void *request; // what it is asked there; any answer will do
	size_t n_request;
	bool (*is_wanted)(const struct vg_box_spec *spec);
	// Once, in process 1, before its first start.
	struct vg_error *(*configure)(const struct vg_box_spec *spec);
	// In a child of process 1, with its log as standard output and error and no signal blocked.
	// Does not return.
	void (*execute)(const struct vg_box_spec *spec);
};

extern const struct vg_daemon vg_daemons[VG_BOX_N_DAEMONS];

// In the box, malloc'ed: the log, and the file that says how often it was started.
char *vg_daemon_log(const struct vg_daemon *daemon);
char *vg_daemon_starts(const struct vg_daemon *daemon);

// Starts it for the n-th time.
struct vg_error *vg_daemon_start(const struct vg_daemon *daemon, const struct vg_box_spec *spec,
	unsigned n_starts, pid_t *ret_pid) VG_MUST_CHECK;
// The end of every execute(): becomes the program, or says in its log why not.
_Noreturn void vg_daemon_execute(char *const argv[], char *const environment[]);
