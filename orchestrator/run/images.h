// SPDX-License-Identifier: Apache-2.0
//
// Gets the images of a grid into the store: builtins are built by their recipe, files ingested.
#pragma once

#include "orchestrator/state/record.h"

struct vg_context;
struct vg_site;

// Fills in record->images with the digest of each image of `grid`. A builtin whose digest the record
// has, and the store still holds, keeps it. With `only_looks` an image that is not in the store stays
// without a digest. On a simulated site nothing is fetched: a digest is made of what the template
// says.
struct vg_error *vg_images_get(struct vg_context *context, const struct vg_site *site,
	const struct vg_grid *grid, const char *template_path, bool only_looks,
	struct vg_record *record) VG_MUST_CHECK;
