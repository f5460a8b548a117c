// SPDX-License-Identifier: Apache-2.0
//
// Which file of the user became which image: so that an unchanged file is recognised without being
// read. Used by import. A hint only: what is lost or damaged costs one more reading.
#pragma once

#include <sys/stat.h>

#include "base/error.h"

// The image that this file, in this state and stated format, became; false if it is not known.
// Both results are malloc'ed.
bool vg_image_known_find(const char *store, const char *path, const struct stat *status,
	const char *format, char **ret_digest, char **ret_sha256);
void vg_image_known_remember(const char *store, const char *path, const struct stat *status,
	const char *format, const char *digest, const char *sha256);
// All that became this image.
void vg_image_known_forget(const char *store, const char *digest);
