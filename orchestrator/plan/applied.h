// SPDX-License-Identifier: Apache-2.0
//
// What was applied to a node, in fields of the language: kept in the machine's metadata as
// canonical JSON and compared with what is wanted now. Differences are taken here and nowhere else,
// so a newer vgrid alone plans no restart. Pure.
#pragma once

#include "templates/grid.h"
#include "templates/language.h"

// Version 2: the emulator's cache of translated code is bounded, and a guest that panicked is kept.
// Version 3: libvirt asks emulated CPUs for their features at once.
enum { VG_GENERATOR_VERSION = 3 };

// Canonical JSON, malloc'ed. `digest` is the image's.
char *vg_applied_make(const struct vg_grid *grid, const struct vg_node *node, const char *digest);
// What identifies a seed's own part: the same fields, in a form that no new generator of machines
// changes, since a seed that is there need not be written again for it.
char *vg_applied_of_seed(
	const struct vg_grid *grid, const struct vg_node *node, const char *digest);

// Was the machine given a data disk of this name? `applied` may be NULL.
bool vg_applied_has_disk(const char *applied, const char *disk);

struct vg_applied_difference {
	char *text; // "memory 256MiB → 512MiB, env", malloc'ed; NULL: no difference
	enum vg_field_effect effect; // the strongest
	bool is_other_generator; // no difference: only what starts anyway is made in the new form
};

// `applied` NULL or unreadable counts as wholly different (effect restart).
struct vg_applied_difference vg_applied_compare(const char *applied, const char *wanted);
