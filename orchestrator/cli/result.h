// SPDX-License-Identifier: Apache-2.0
//
// What `-o json` prints: one document with a versioned format, described by the verb's table of
// fields. Used by every verb that prints a result, and by `vgrid schema --output VERB`.
#pragma once

#include "base/json.h"
#include "orchestrator/cli/command.h"

// An object that begins with `"format": "vgrid/VERB/1"` (a blank in the verb becomes `-`).
struct vg_json *vg_result_new(const struct vg_command *command);
// To standard output.
void vg_result_print(const struct vg_json *result);
// The JSON Schema (draft 2020-12) of a verb's result.
struct vg_json *vg_result_schema(const struct vg_command *command);
