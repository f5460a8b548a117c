// SPDX-License-Identifier: Apache-2.0
//
// Writes small ISO 9660 images with Rock Ridge and Joliet names, for compute/seed.c. The only door
// to libarchive.
#pragma once

#include "base/error.h"

struct vg_iso_file {
	char *name;  // with at most one folder in front: `vgrid/index`
	char *bytes; // malloc'ed
	size_t size;
};

// The image of these files, all 0600 and root's, malloc'ed. The same files in the same order give
// the same bytes: no clock goes in. `volume` has at most 32 characters.
struct vg_error *vg_iso_build(const char *volume, const struct vg_iso_file *files, size_t n_files,
	uint8_t **ret_bytes, size_t *ret_size) VG_MUST_CHECK;
