// SPDX-License-Identifier: Apache-2.0
//
// The last line of a growing log as the note of a step: what a long program that we started is
// doing.
#pragma once

#include "base/defs.h"

struct vg_progress;
struct vg_follow;

// Looks several times a second, from a thread of its own. The file may come later.
struct vg_follow *vg_follow_new(struct vg_progress *progress, unsigned step, const char *path);
void vg_follow_free(struct vg_follow *follow);
VG_AUTO(vg_follow);
