// SPDX-License-Identifier: Apache-2.0
//
// The ownership mark on every resource: `vgrid:<store uuid>:<grid uuid>/<path>`. The path is a list
// of segments, written with `/`: `node/worker-0`, `node/head/disk/data`, `network/lan`, `host/0`.
// For shared things the grid is `site`. Down and gc find things by it even when the record is lost.
#pragma once

#include "base/defs.h"

enum { VG_TAG_LENGTH_MAX = 255, VG_LINK_NAME_LENGTH = 14 };

// The tag as malloc'ed text. `grid` NULL gives `site`.
char *vg_tag_make(const char *store, const char *grid, const char *path);

struct vg_tag {
	char store[37], grid[37];
	const char *path; // points into the text that was read
};

// False when the text is no tag of vgrid.
bool vg_tag_read(const char *text, struct vg_tag *ret_tag);
// Does the text carry the mark of this store (and, unless NULL, of this grid)?
bool vg_tag_is_of(const char *text, const char *store, const char *grid);

// The name of a tag's network link: `vg` and 11 base32 characters of a hash of the tag.
void vg_tag_link_name(const char *tag, char ret_name[VG_LINK_NAME_LENGTH]);
// A 32-bit number other than 0 for a grid's links (IFLA_GROUP), from the tag's store and grid.
uint32_t vg_tag_link_group(const char *store, const char *grid);
