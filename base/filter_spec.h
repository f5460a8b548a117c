// SPDX-License-Identifier: Apache-2.0
//
// Filters around drivers, as data: what to trace, to delay and to let fail, read from one line of
// text, and the two calls that a filter makes around each operation of its driver. Shared by the
// filters of compute, net and storage; scenario tests and `--filter` write the text.
//
// The text is a list of rules with commas between them. OP is KIND.OPERATION, as `compute.start`,
// `net.converge`, `storage.create`; it may hold the wildcards of fnmatch(3), as `storage.*`. OP@WHO is
// only what is done to WHO, the name that a trace shows, as `net.*@h2`.
//
//	trace:PATH       appends a line to a file for each call: OP, who, result, milliseconds; one that
//	                 hangs has its line when it begins to
//	delay:OP:MS[:N[+]] waits before the call: every one, or as below
//	fault:OP         the call fails, always, and does nothing
//	fault:OP:N       the N-th call (from 1, over all threads) fails, that one only
//	fault:OP:N+      the N-th call and all after it fail
//	lost:OP[:N[+]]   likewise, but the call is made, and only its success is lost
//	kill:OP[:N[+]]   likewise, but this process is killed (SIGKILL) instead of the call
//	killed:OP[:N[+]] likewise, but it is killed when the call is done
//	hang:OP[:N[+]]   likewise, but the call is not made and never comes back
#pragma once

#include "base/error.h"

struct vg_filter;

// The filter may be used by several threads at once. A wrong text is a usage error.
struct vg_error *vg_filter_read(const char *text, struct vg_filter **ret_filter) VG_MUST_CHECK;
void vg_filter_free(struct vg_filter *filter);
VG_AUTO(vg_filter);

// One operation in progress; plain data on the caller's stack.
struct vg_filter_call {
	struct vg_filter *filter;
	const char *operation, *who; // borrowed: "compute.start"; what it is done to
	uint64_t begin_us;
	bool is_lost, is_last;
};

// To be called before the operation: waits, kills, or yields the error that is to be returned
// instead of it. A filter of NULL does nothing.
struct vg_error *vg_filter_begin(struct vg_filter *filter, const char *operation, const char *who,
	struct vg_filter_call *ret_call) VG_MUST_CHECK;
// To be called after it, with its result, or with what vg_filter_begin() yielded; yields what is to
// be returned. An operation that was made and is lost has its outputs written: the caller's wrapper
// must free them (they are seen by call->is_lost).
struct vg_error *vg_filter_end(struct vg_filter_call *call, struct vg_error *result) VG_MUST_CHECK;
