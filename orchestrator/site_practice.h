// SPDX-License-Identifier: Apache-2.0
//
// What a practice site does otherwise than a sandbox: its boxes are found, and started, as the site's.
// Used by site.c and site_file.c.
#pragma once

#include "orchestrator/site.h"

// Is the site that this file describes, under the name that it is remembered by, a practice site? Then it
// becomes one. An error when the file is not the one that was made for it.
struct vg_error *vg_site_practice_adopt(struct vg_site *site, const struct vg_context *context)
	VG_MUST_CHECK;
// Finds its boxes and its switch; what does not run stays NULL.
struct vg_error *vg_site_practice_find(struct vg_site *site, struct vg_context *context)
	VG_MUST_CHECK;
// Starts one host that does not run, and the switch; thread-safe for different hosts. An error when the
// site has been ended meanwhile.
struct vg_error *vg_site_practice_start(
	struct vg_site *site, struct vg_context *context, size_t number) VG_MUST_CHECK;
