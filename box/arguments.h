// SPDX-License-Identifier: Apache-2.0
//
// The command line of a box's processes. A box carries what it is in its arguments, so that all
// boxes can be found in /proc even when every file about them is lost. Written by vg_box_start(),
// read by vg_box_main() and by the look through /proc.
#pragma once

#include "box/box.h"

enum { VG_BOX_ARGC = 8 }; // one less without keys

// Fills a NULL-terminated argument list; borrows from the spec.
void vg_box_arguments_make(const struct vg_box_spec *spec, char *ret_argv[VG_BOX_ARGC + 1]);
// False when these are not the arguments of a box. The spec borrows from argv.
bool vg_box_arguments_read(int argc, char *const argv[], struct vg_box_spec *ret_spec);

// A running process with such arguments.
struct vg_box_process {
	pid_t pid;
	uint64_t start_time;
	// Process 1 of its pid namespace, the box itself; or the maker, outside still; or neither
	// (a fork of process 1 that is about to execute something else).
	bool is_first, is_maker;
	struct vg_box_spec spec; // borrows from `bytes`
	char *bytes;
};

void vg_box_process_done(struct vg_box_process *process);
// Reads /proc/PID; false when it is no box's process, or gone, or not one that this process may
// look into.
bool vg_box_process_read(pid_t pid, struct vg_box_process *ret_process);
// Calls visit for every box's process in /proc, of whatever user namespace, until it returns false.
struct vg_error *vg_box_process_each(
	bool (*visit)(struct vg_box_process *process, void *data), void *data) VG_MUST_CHECK;
