// SPDX-License-Identifier: Apache-2.0
//
// The options that `up` and `plan` share, and what they say.
#pragma once

#include "orchestrator/cli/command.h"
#include "orchestrator/run/replan.h"
#include "orchestrator/run/wish.h"

extern const struct vg_option vg_template_options[];

struct vg_wish vg_wish_of(const struct vg_cli *cli);
struct vg_replan_options vg_replan_options_of(const struct vg_cli *cli);
