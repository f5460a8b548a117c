// SPDX-License-Identifier: Apache-2.0
//
// Where the time went: what ran from when to when, and the sums of it. `up --timings` shows them.
// The recorder is filled in by the parts of orchestrator/run, the executor's steps included; the
// summary is pure.
//
// All times are nanoseconds of one monotonic clock. Functions that record take NULL and then do
// nothing: who does not ask for timings pays nothing.
#pragma once

#include <stdio.h>

#include "base/error.h"
#include "base/json.h"

// What time is spent on, in the order of an `up`.
#define VG_TIMED_KINDS(X)                                                                          \
	X(ENTER, "enter the sandbox")                                                              \
	X(READ, "read and plan")                                                                   \
	X(LOCK, "wait for the lock")                                                               \
	X(IMAGE, "image")                                                                          \
	X(CONNECT, "connect")                                                                      \
	X(OBSERVE, "observe")                                                                      \
	X(ASK, "ask")                                                                              \
	X(BOX, "start the box")                                                                    \
	X(LIBVIRTD, "libvirtd")                                                                    \
	X(REMOVE, "stop and remove")                                                               \
	X(NETWORK, "networks")                                                                     \
	X(DISK, "disks")                                                                           \
	X(SEED, "seeds")                                                                           \
	X(DEFINE, "define")                                                                        \
	X(START, "start")                                                                          \
	X(BOOT, "boot until ready")                                                                \
	X(REFRESH, "refresh")                                                                      \
	X(RECORD, "record")

enum vg_timed {
#define X(kind, name) VG_TIMED_##kind,
	VG_TIMED_KINDS(X)
#undef X
		VG_TIMED_N_KINDS,
	VG_TIMED_NOTHING = VG_TIMED_N_KINDS, // the main thread only waits for others
};

// One thing that was done. Strings are borrowed.
struct vg_span {
	enum vg_timed kind;
	const char *subject;   // "worker-1", "head/data", "box-0"; NULL: the command as a whole
	const char *host;      // NULL: none
	struct vg_place place; // what in the template asked for it; line 0 if nothing does
	uint64_t ready, begun, ended; // ready: nothing but a free place was missing any more
};

struct vg_timings;

// `begun` is when the program was started, by the same clock; `kind` what has gone on since.
struct vg_timings *vg_timings_new(uint64_t (*clock)(void), uint64_t begun, enum vg_timed kind);
void vg_timings_free(struct vg_timings *timings);
VG_AUTO(vg_timings);

uint64_t vg_timings_now(const struct vg_timings *timings); // 0 for NULL
// The main thread does something else from now on; yields what it did. Called by that thread alone.
enum vg_timed vg_timings_turn(struct vg_timings *timings, enum vg_timed kind);
// Notes what a thread did; copies the strings. Thread-safe.
void vg_timings_add(struct vg_timings *timings, const struct vg_span *span);
// All that was recorded until now, the main thread's included.
struct vg_timings_sum *vg_timings_sum(struct vg_timings *timings);

enum { VG_TIMINGS_SLOWEST = 3 };

struct vg_timed_sum {
	size_t n_steps;                             // those that have a subject
	uint64_t wall;                              // while at least one of this kind ran
	uint64_t alone;                             // of it, while nothing of another kind did
	uint64_t work;                              // the spans' durations together
	uint64_t waited;                            // for a free place, together
	struct vg_span slowest[VG_TIMINGS_SLOWEST]; // slowest first
	size_t n_slowest;
};

struct vg_timings_sum {
	uint64_t total; // from begun to ended
	uint64_t other; // of it, while nothing that is recorded ran
	struct vg_timed_sum kinds[VG_TIMED_N_KINDS];
};

// Pure. Borrows the spans' strings; what lies outside of begun … ended is cut off.
struct vg_timings_sum *vg_timings_sum_up(
	const struct vg_span *spans, size_t n_spans, uint64_t begun, uint64_t ended);
void vg_timings_sum_free(struct vg_timings_sum *sum);
VG_AUTO(vg_timings_sum);

// Two tables: the kinds, and the slowest things of each that has a subject.
void vg_timings_print(const struct vg_timings_sum *sum, FILE *out);
// {"total_us", "other_us", "kinds": […], "slowest": […]}.
struct vg_json *vg_timings_to_json(const struct vg_timings_sum *sum);
