// SPDX-License-Identifier: Apache-2.0
//
// A plan as a person and as a program reads it.
#pragma once

#include <stdio.h>

#include "orchestrator/plan/plan.h"

struct vg_json;

// `+ worker-2   create on box-0` … and the list of what is not enforced here.
void vg_plan_print(const struct vg_plan *plan, FILE *out);
struct vg_json *vg_plan_to_json(const struct vg_plan *plan);
