// SPDX-License-Identifier: Apache-2.0
//
// What doctor has to say: one verdict a check, of this machine or of a host of a site. Used by the
// judgement (judge.h) and by the verb.
#pragma once

#include "base/defs.h"

enum vg_verdict_grade {
	VG_VERDICT_OK,
	VG_VERDICT_NOTE,    // good to know; grids run
	VG_VERDICT_UNKNOWN, // it cannot be found out from here
	VG_VERDICT_MISSING, // grids do not run, or a promise is not kept
};

const char *vg_verdict_name(enum vg_verdict_grade grade); // "ok", "note", "unknown", "MISSING"

struct vg_verdict {
	const char *check; // a constant
	enum vg_verdict_grade grade;
	const char *host;      // NULL: this machine, or the site as a whole
	const char *peer;      // of what lies between two hosts: the other one, else NULL
	char *detail, *remedy; // what was found; the lines that mend it, NULL: nothing to do
};

struct vg_verdicts {
	struct vg_verdict *items;
	size_t n_items;
};

void vg_verdicts_done(struct vg_verdicts *verdicts);
static inline void vg_verdicts_auto_free(struct vg_verdicts *verdicts)
{
	vg_verdicts_done(verdicts);
}
// Takes detail and remedy over; the rest is borrowed.
void vg_verdicts_add(struct vg_verdicts *verdicts, struct vg_verdict verdict);
bool vg_verdicts_are_good(const struct vg_verdicts *verdicts); // nothing is missing
