// SPDX-License-Identifier: Apache-2.0
//
// The table of verbs, in the order of `vgrid --help`.
#include "orchestrator/cli/verbs.h"

const struct vg_command *const vg_commands[] = {
	&vg_verb_up,
	&vg_verb_down,
	&vg_verb_plan,
	&vg_verb_list,
	&vg_verb_status,
	&vg_verb_test,
	&vg_verb_exec,
	&vg_verb_console,
	&vg_verb_logs,
	&vg_verb_ssh,
	&vg_verb_check,
	&vg_verb_explain,
	&vg_verb_schema,
	&vg_verb_site_practice,
	&vg_verb_site_list,
	&vg_verb_site_show,
	&vg_verb_site_stop,
	&vg_verb_doctor,
	&vg_verb_gc,
	&vg_verb_site_list,
	&vg_verb_site_show,
	&vg_verb_image_list,
	&vg_verb_image_build,
	&vg_verb_image_import,
	&vg_verb_image_remove,
	&vg_verb_completion,
	&vg_verb_complete,
	&vg_verb_manual,
	&vg_verb_ssh_proxy,
	NULL,
};

const struct vg_section vg_sections[] = {
	{"Grids", &vg_verb_up},
	{"Nodes", &vg_verb_exec},
	{"Templates", &vg_verb_check},
	{"Sites", &vg_verb_site_practice},
	{"This machine", &vg_verb_doctor},
	{0},
};
