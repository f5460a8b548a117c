// SPDX-License-Identifier: Apache-2.0
//
// What every part of the orchestrator is given instead of globals: where records live, the clock,
// the display, and whether somebody pressed Ctrl-C. One a process, made by the command line.
#pragma once

#include "base/error.h"

struct vg_progress;
struct vg_timings;

struct vg_context {
	char *home;    // VGRID_HOME, absolute: $VGRID_HOME, or $XDG_STATE_HOME/vgrid, or
		       // ~/.local/state/vgrid
	char *store;   // uuid of the store that home is; "" until vg_context_store()
	char *prefix;  // below it lie share/vgrid (recipes, catalog) and libexec/vgrid (guest program)
	const char *verb; // borrowed: what this command does, to say to people
	uint64_t (*now)(void); // seconds since 1970
	uint64_t (*monotonic)(void); // nanoseconds of a clock that is never set
	uint64_t begun; // by that clock: when the program was started
	struct vg_timings *timings; // NULL unless they were asked for
	struct vg_progress *progress; // never NULL while a verb runs
	bool (*is_interrupted)(void *data); // Ctrl-C was pressed
	void *interrupted_data;
};

// From the environment; touches no file.
struct vg_error *vg_context_init(struct vg_context *context, const char *verb) VG_MUST_CHECK;
void vg_context_done(struct vg_context *context);

// Reads the store's uuid from home, making both on first use.
struct vg_error *vg_context_store(struct vg_context *context) VG_MUST_CHECK;

// Paths below home, malloc'ed.
char *vg_context_images(const struct vg_context *context);        // HOME/images
char *vg_context_grid(const struct vg_context *context, const char *key); // HOME/grids/KEY
// A recipe (share/vgrid/images/NAME/build) and the guest program, malloc'ed.
char *vg_context_recipe(const struct vg_context *context, const char *image);
char *vg_context_guest_program(const struct vg_context *context);
