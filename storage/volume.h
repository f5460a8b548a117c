// SPDX-License-Identifier: Apache-2.0
//
// What the storage drivers have in common: a volume's sidecar, and whether what is there is what is
// wanted.
#pragma once

#include "storage/driver.h"

struct vg_json;

// "root disk", "data disk", "seed": for messages.
const char *vg_volume_kind_title(enum vg_volume_kind kind);
// The part of a tag that names the volume within its grid: `node/head/disk/data`. Borrowed.
const char *vg_volume_title(const char *tag);

void vg_volume_seen_done(struct vg_volume_seen *seen);
static inline void vg_volume_seen_auto_free(struct vg_volume_seen *seen)
{
	vg_volume_seen_done(seen);
}

// What is seen of a volume once it is made with this size (bytes); owns its strings.
struct vg_volume_seen vg_volume_expect(const struct vg_volume *volume, uint64_t size);

// The sidecar: {"tag", "kind", "size", "image", "version"}; is_broken is no part of it.
struct vg_json *vg_volume_to_json(const struct vg_volume_seen *seen);
// False when it is no sidecar.
bool vg_volume_from_json(const struct vg_json *json, struct vg_volume_seen *ret_seen);

// Is a volume that is there the wanted one? Another kind, size or image is an error that names
// both; of a seed nothing is compared, for it may be replaced. A wanted size of 0 is any.
struct vg_error *vg_volume_compare(
	const struct vg_volume_seen *there, const struct vg_volume_seen *wanted) VG_MUST_CHECK;
