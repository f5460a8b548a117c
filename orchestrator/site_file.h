// SPDX-License-Identifier: Apache-2.0
//
// From what a user calls a site to the site: built in (`sandbox:3`), a file, or the name of one
// that was used before and is remembered in HOME/sites/NAME/site.yaml. Used by every verb that
// takes SITE or GRID.
#pragma once

#include "orchestrator/site.h"

// A file is what has a `/` in it or ends in .yaml, .yml or .json. Its faults are printed; the error
// then only counts them. A name that is not known is a usage error with a "did you mean".
struct vg_error *vg_site_find(
	struct vg_context *context, const char *text, struct vg_site **ret_site) VG_MUST_CHECK;
// Remembers a site that came from a file, as the file is now.
struct vg_error *vg_site_remember(
	struct vg_context *context, const struct vg_site *site) VG_MUST_CHECK;
// The names of remembered sites, sorted; free with vg_folder_list_free().
struct vg_error *vg_site_known(
	const struct vg_context *context, char ***ret_names, size_t *ret_n) VG_MUST_CHECK;
