// SPDX-License-Identifier: Apache-2.0
//
// The site file of a practice site: what an administrator would write for hosts of his own, in the
// same language. Used by `site practice`.
#pragma once

#include "base/error.h"

struct vg_practice;

// The text, malloc'ed: a pure function.
char *vg_practice_site_text(const struct vg_practice *practice);
// Writes it where vg_practice_file() says.
struct vg_error *vg_practice_site_write(const struct vg_practice *practice) VG_MUST_CHECK;
