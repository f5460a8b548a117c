// SPDX-License-Identifier: Apache-2.0
//
// What a root disk must be before it becomes part of an image: used by import (a user's file) and
// build (a recipe's result).
#pragma once

#include "base/error.h"

// Checks that the open file is what the stated format ("qcow2", "raw") says and nothing that could
// reach out of itself: a raw file that begins like another format would be taken for that by
// whoever probes it (the class of CVE-2026-24708), a qcow2 file can name others. Yields the virtual
// size in bytes. `name` is for messages.
struct vg_error *vg_image_check_disk(
	int fd, const char *name, const char *format, uint64_t *ret_size) VG_MUST_CHECK;
