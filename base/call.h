// SPDX-License-Identifier: Apache-2.0
//
// Calls to backends that may never come back. Each is made on a thread of this file's, so that whoever
// asked gets an error when the time is over instead of waiting for ever. The wrappers around drivers
// (compute/filter.c, net/filter.c, storage/filter.c) make all of theirs this way, through the filter of
// base/filter_spec.h.
//
// A call that is not answered in time is left to itself: its thread, its arguments and its connection
// stay until it comes back, or until the process ends. So it must own all that it works on.
#pragma once

#include <stdatomic.h>

#include "base/error.h"

struct vg_filter;
struct vg_call;

// One a kind of operation, const.
struct vg_operation {
	const char *name;    // "compute.start", as the filter's rules name it
	const char *backend; // who does not answer, for the error: "the hypervisor"
	unsigned limit_s;    // how long the answer may take
	bool only_looks;     // nothing of it can still be carried out
	struct vg_error *(*act)(struct vg_call *call); // calls the driver
};

// How all calls of a process are made.
struct vg_call_rules {
	struct vg_filter *filter; // NULL: none
	uint64_t limit_ms;        // instead of each operation's own; 0: that
	uint64_t look_limit_ms;   // no longer for what only looks, unless limit_ms is set; 0: no such limit
};

// A connection to a backend, as far as its calls are concerned.
struct vg_call_line {
	const struct vg_call_rules *rules;
	const char *host;   // for the error; lives as long as the line
	atomic_uint n_owed; // answers that were given up, and have not come since
};

// The beginning of a structure with the arguments and results of one call, from malloc.
struct vg_call {
	const struct vg_operation *operation;
	struct vg_call_line *line; // borrowed; must not be freed while answers are owed
	char *who;                 // what it is done to, for the trace; owned
	void (*done)(struct vg_call *call); // frees all but this structure
	struct vg_call_state *state;        // call.c's own
};

// Makes the call and waits for its end: its own result. When the time is over, which is the operation's
// limit and own_ms on top (what the call was asked to wait itself), VG_ERROR_TIMEOUT, and *call is NULL:
// it is freed when it comes back after all. A backend that owes an answer already gets a tenth of the
// limit, so that a plan of many steps ends too.
struct vg_error *vg_call_make(struct vg_call **call, uint64_t own_ms) VG_MUST_CHECK;
void vg_call_free(struct vg_call *call);
VG_AUTO(vg_call);

// Does any call of the process still owe its answer? Then its thread may wake at any moment: the
// process must free nothing more that a driver was given, and end by _exit().
bool vg_call_is_owed(void);
