// SPDX-License-Identifier: Apache-2.0
//
// Findings: all faults of a file, collected in one run, each with up to three places (here, and
// also here) and what would be right. The checker adds, the command line prints.
#pragma once

#include <stdio.h>

#include "base/error.h"

enum { VG_FINDING_PLACES_MAX = 3, VG_FINDINGS_MAX = 100 };

struct vg_finding {
	char *message;
	char *hint;                             // what would be right; NULL if the message says it
	struct vg_place places[VG_FINDING_PLACES_MAX]; // line 0 behind the last
	char *notes[VG_FINDING_PLACES_MAX];     // said at places[1] and [2]
};

// `{0}` is empty. At most VG_FINDINGS_MAX are kept; n_found counts on.
struct vg_findings {
	struct vg_finding *items;
	size_t n_items, n_found;
};

void vg_findings_done(struct vg_findings *findings);
static inline void vg_findings_auto_free(struct vg_findings *findings)
{
	vg_findings_done(findings);
}

// Adds a finding. The returned pointer is never NULL and is valid until the next add.
struct vg_finding *vg_finding_add(struct vg_findings *findings, struct vg_place place,
	const char *format, ...) VG_PRINTF(3, 4);
void vg_finding_hint(struct vg_finding *finding, const char *format, ...) VG_PRINTF(2, 3);
// A further place: "first given here". Beyond the third they are dropped.
void vg_finding_also(struct vg_finding *finding, struct vg_place place, const char *format, ...)
	VG_PRINTF(3, 4);

// Orders by file, line and column. Printing and tests want this first.
void vg_findings_sort(struct vg_findings *findings);

// Prints each as `file:line:column: error: message`, the source line, a caret below it, then the
// hint and the further places. `source` is the text of the file named `source_file` (for places
// in other files no line is shown); control characters are made visible, long lines are cut.
void vg_findings_print(const struct vg_findings *findings, FILE *out, const char *source_file,
	const char *source, size_t source_size);

// NULL if there are none, else one usage error that sums them up (`3 faults in 'a.yaml'`).
struct vg_error *vg_findings_error(const struct vg_findings *findings, const char *file)
	VG_MUST_CHECK;
