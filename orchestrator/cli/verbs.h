// SPDX-License-Identifier: Apache-2.0
//
// The verbs, one file each; commands.c puts them in the order of the help.
#pragma once

#include "orchestrator/cli/command.h"

extern const struct vg_command vg_verb_check;
extern const struct vg_command vg_verb_complete;
extern const struct vg_command vg_verb_completion;
extern const struct vg_command vg_verb_console;
extern const struct vg_command vg_verb_doctor;
extern const struct vg_command vg_verb_down;
extern const struct vg_command vg_verb_exec;
extern const struct vg_command vg_verb_explain;
extern const struct vg_command vg_verb_gc;
extern const struct vg_command vg_verb_image_build;
extern const struct vg_command vg_verb_image_import;
extern const struct vg_command vg_verb_site_list;
extern const struct vg_command vg_verb_site_show;
extern const struct vg_command vg_verb_image_list;
extern const struct vg_command vg_verb_image_remove;
extern const struct vg_command vg_verb_list;
extern const struct vg_command vg_verb_logs;
extern const struct vg_command vg_verb_manual;
extern const struct vg_command vg_verb_plan;
extern const struct vg_command vg_verb_schema;
extern const struct vg_command vg_verb_site_list;
extern const struct vg_command vg_verb_site_practice;
extern const struct vg_command vg_verb_site_show;
extern const struct vg_command vg_verb_site_stop;
extern const struct vg_command vg_verb_ssh;
extern const struct vg_command vg_verb_ssh_proxy;
extern const struct vg_command vg_verb_status;
extern const struct vg_command vg_verb_test;
extern const struct vg_command vg_verb_up;
