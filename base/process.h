// SPDX-License-Identifier: Apache-2.0
//
// Processes: programs started with exactly these arguments, no shell between, and the marks by
// which a process is recognised again later.
#pragma once

#include <sys/types.h>

#include "base/error.h"

// Which of a program's ends are tied to what; -1 is /dev/null. The descriptors stay the caller's.
struct vg_process_files {
	int in, out, err;
};

// Starts argv[0] (looked up in PATH if it has no slash). `environment` is NULL for the caller's.
// All other descriptors are closed in the child, signals are at their defaults.
struct vg_error *vg_process_start(const char *const *argv, const char *const *environment,
	struct vg_process_files files, pid_t *ret_pid) VG_MUST_CHECK;
// Waits and yields the exit status as a shell would (128 + signal).
struct vg_error *vg_process_wait(pid_t pid, int *ret_status) VG_MUST_CHECK;
// Runs to the end, standard output and error collected together (at most 1 MiB is kept),
// malloc'ed. A status other than 0 is no error here.
struct vg_error *vg_process_run(const char *const *argv, const char *const *environment,
	int *ret_status, char **ret_output) VG_MUST_CHECK;

// The start time of a process in clock ticks since boot (proc(5), field 22), 0 if there is none:
// together with the pid it names one process for ever within a boot.
uint64_t vg_process_start_time(pid_t pid);
// Is that very process still there (and no zombie)?
bool vg_process_is(pid_t pid, uint64_t start_time);
