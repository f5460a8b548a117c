// SPDX-License-Identifier: Apache-2.0
//
// The table of verbs, in the order of `vgrid --help`.
#include "orchestrator/cli/verbs.h"

const struct vg_command *const vg_commands[] = {
	&vg_verb_check,
	//HOLD	&vg_verb_plan,
	//HOLD	&vg_verb_up,
	//HOLD	&vg_verb_down,
	&vg_verb_explain,
	&vg_verb_completion,
	&vg_verb_manual,
	NULL,
};
