// SPDX-License-Identifier: Apache-2.0
//
// The live display: on a terminal one line per running step, redrawn in place, and plain lines
// elsewhere. Everything goes to standard error; results go to standard output by other means.
// All functions may be called from several threads.
#pragma once

#include <stdio.h>

#include "base/defs.h"

struct vg_progress;

enum vg_progress_style {
	VG_PROGRESS_QUIET,   // nothing
	VG_PROGRESS_PLAIN,   // a line when a step ends
	VG_PROGRESS_VERBOSE, // and when it begins
	VG_PROGRESS_LIVE,    // for a terminal; in colour unless NO_COLOR is set
};

// Starts its thread with the first step, never before: a program that still has to enter a user
// namespace must have none.
struct vg_progress *vg_progress_new(FILE *out, enum vg_progress_style style);
// Draws for the last time: what still runs is shown as stopped.
void vg_progress_free(struct vg_progress *progress);
VG_AUTO(vg_progress);

// A line that stays, above the live ones: `Planning 'hello' on sandbox`.
void vg_progress_say(struct vg_progress *progress, const char *format, ...) VG_PRINTF(2, 3);

// A step begins: `worker-1: starting`. The number names it in the calls below.
unsigned vg_progress_begin(struct vg_progress *progress, const char *format, ...) VG_PRINTF(2, 3);
// What it is doing now, behind its text: `waiting for the agent`. Only shown live.
void vg_progress_note(struct vg_progress *progress, unsigned step, const char *format, ...)
	VG_PRINTF(3, 4);
// It ended; live lines turn into a tick or a cross with the time taken. Lines that no longer fit
// the terminal are folded into a count, failed ones last.
void vg_progress_end(struct vg_progress *progress, unsigned step, bool is_good);
// `12 of 40 steps` on the bottom line; 0 total hides it.
void vg_progress_count(struct vg_progress *progress, size_t done, size_t total);

// Makes room for a question, a result or an error: ended lines stay above it, running ones are
// taken away until the next call.
void vg_progress_pause(struct vg_progress *progress);
