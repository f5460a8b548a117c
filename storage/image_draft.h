// SPDX-License-Identifier: Apache-2.0
//
// An image in the making: a folder .new-RANDOM in the store, locked for as long as its maker lives,
// so that what a killed one left is known and removed by the next. Used by build and import.
#pragma once

#include "storage/images.h"

struct vg_image_draft;

// Makes the store's folder if need be, and the draft's in it; removes dead drafts.
struct vg_error *vg_image_draft_new(
	const char *store, struct vg_image_draft **ret_draft) VG_MUST_CHECK;
// Removes the draft's folder unless it was published.
void vg_image_draft_free(struct vg_image_draft *draft);
VG_AUTO(vg_image_draft);

// How many dead drafts there are; with `removes` they are removed. For gc.
size_t vg_image_drafts_dead(const char *store, bool removes);

// Where to put files; parts are named "root", "kernel", "initrd".
const char *vg_image_draft_path(const struct vg_image_draft *draft);
// The file of this name in the draft is a whole part with this hash.
struct vg_error *vg_image_draft_part(
	struct vg_image_draft *draft, const char *part, const char *sha256) VG_MUST_CHECK;
// Makes the draft an image: digest from its parts, image.json, read-only, synced, renamed. An image
// that is there already stays and is the result. Of `info` name, origin, format, root_size and
// cmdline are read.
struct vg_error *vg_image_draft_publish(struct vg_image_draft *draft,
	const struct vg_image_info *info, struct vg_image_info **ret_info) VG_MUST_CHECK;
