// SPDX-License-Identifier: Apache-2.0
//
// From a template to a session that wants it: the first half of `up` and `plan`. Reads and expands the
// template, finds or begins the record, gets the images, allocates addresses and VNIs, places the
// nodes. Nothing of the grid is made yet.
#pragma once

#include "orchestrator/run/session.h"

struct vg_wish {
	const char *file;    // the template, "-" for standard input
	const char *name;    // NULL: the template's
	const char *profile; // NULL: none
	const char *const *sets;
	size_t n_sets;
	const char *site;    // NULL: $VGRID_SITE, the record's, or `sandbox`
	const char *const *replaced; // hosts that do not answer, by name: planned around
	size_t n_replaced;
	bool only_looks;     // plan: no lock, no image is fetched or built
	const char *doing;   // for those who wait for the lock: "vgrid up"
};

// Findings are printed; the error then only counts them. The session's record is new (generation 0)
// when the grid does not exist; it is not saved.
struct vg_error *vg_wish_open(struct vg_context *context, const struct vg_wish *wish,
	struct vg_session **ret_session) VG_MUST_CHECK;
