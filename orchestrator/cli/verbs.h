// SPDX-License-Identifier: Apache-2.0
//
// The verbs, one file each; commands.c puts them in the order of the help.
#pragma once

#include "orchestrator/cli/command.h"

extern const struct vg_command vg_verb_check, vg_verb_plan, vg_verb_up, vg_verb_down,
	vg_verb_explain, vg_verb_schema, vg_verb_list, vg_verb_status, vg_verb_exec, vg_verb_console,
	vg_verb_logs, vg_verb_test, vg_verb_completion, vg_verb_manual;
