// SPDX-License-Identifier: Apache-2.0
//
// The options that `up` and `plan` share, and their common first half.
#pragma once

#include "orchestrator/cli/command.h"
#include "orchestrator/run/replan.h"

// Those of `plan`, and those of `up`.
extern const struct vg_option vg_template_options[], vg_up_options[];

// Reads the template that was named and plans what it wants, by these options; `only_looks` takes no
// lock and gets no image.
struct vg_error *vg_template_plan(const struct vg_cli *cli, struct vg_context *context,
	bool only_looks, struct vg_session **ret_session,
	struct vg_planning **ret_planning) VG_MUST_CHECK;
