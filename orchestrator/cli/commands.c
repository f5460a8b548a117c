// SPDX-License-Identifier: Apache-2.0
//
// The table of verbs, in the order of `vgrid --help`.
#include "orchestrator/cli/verbs.h"

const struct vg_command *const vg_commands[] = {
	&vg_verb_check,
	&vg_verb_completion,
	&vg_verb_manual,
	NULL,
};
