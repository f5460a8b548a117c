// SPDX-License-Identifier: Apache-2.0
//
// The wanted grid as JSON and back: the body of a record. All that vg_grid holds makes the round
// trip, places included, so that a backend's refusal can be shown under the template's line by a
// later command. Node-level texts that vg_grid_bind() derives are not stored: reading binds again.
#pragma once

#include "templates/grid.h"

struct vg_json;

struct vg_json *vg_grid_to_json(const struct vg_grid *grid);
// Foreign bytes: whatever is missing or of a wrong type is an error that names the JSON path.
struct vg_error *vg_grid_from_json(const struct vg_json *json, struct vg_grid **ret_grid)
	VG_MUST_CHECK;
