// SPDX-License-Identifier: Apache-2.0
//
// One of a set of characters: `[a-z]`, `[^[:space:]]`, `\w`. Used by regex_read.c and regex.c
// alone.
#pragma once

#include "base/error.h"

struct vg_regex_range {
	uint32_t first, last;
};

// Plain data; `{0}` is the empty set.
struct vg_regex_set {
	bool ascii[128];
	struct vg_regex_range *ranges; // of all beyond ASCII
	size_t n_ranges;
	bool is_negated; // has what is beyond ASCII and in no range
};

void vg_regex_set_done(struct vg_regex_set *set);
static inline void vg_regex_set_auto_free(struct vg_regex_set *set)
{
	vg_regex_set_done(set);
}

// A bracket expression; *text stands behind its `[` and then behind its `]`. The error is a usage
// error that says what is wrong with it.
struct vg_error *vg_regex_set_read(const char **text, struct vg_regex_set *ret_set) VG_MUST_CHECK;
// What `\w`, `\W`, `\s` and `\S` have; false for any other letter.
bool vg_regex_set_letter(char letter, struct vg_regex_set *ret_set);
// Adds to *steps how many ranges were looked at.
bool vg_regex_set_has(const struct vg_regex_set *set, uint32_t character, uint64_t *steps);
