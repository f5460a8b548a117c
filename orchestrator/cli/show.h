// SPDX-License-Identifier: Apache-2.0
//
// Small spellings that several verbs show: ages, sizes, moments, and the one way into the place
// where grids live. Used by list, status, image and gc.
#pragma once

#include "orchestrator/cli/command.h"

// `12s`, `5m`, `3h`, `9d`; malloc'ed.
char *vg_show_age(uint64_t seconds);
// `1.4 GiB`: rounded, for people; malloc'ed.
char *vg_show_size(uint64_t bytes);
// RFC 3339 in UTC, malloc'ed; NULL for 0.
char *vg_show_moment(uint64_t seconds);

// Enters the sandbox of VGRID_HOME (may execute the program anew) and opens the store: what every
// verb does first that writes there without opening a grid.
struct vg_error *vg_show_enter(struct vg_context *context) VG_MUST_CHECK;
