// SPDX-License-Identifier: Apache-2.0
//
// Slices as JSON: how the fake net driver's world keeps them. Places are not kept.
#pragma once

#include "net/slice.h"

struct vg_json;

struct vg_json *vg_slice_write_json(const struct vg_slice *slice);
// What is missing or of a wrong form is left empty: the world is a file of ours.
struct vg_slice *vg_slice_read_json(const struct vg_json *json);
