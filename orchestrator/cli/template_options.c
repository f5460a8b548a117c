// SPDX-License-Identifier: Apache-2.0
#include "orchestrator/cli/template_options.h"

#include "orchestrator/run/wish.h"

// clang-format off: rows as in a table
#define COMMON_OPTIONS										\
	{"name", 'n', VG_ARGUMENT_TEXT, "NAME", "name the grid NAME, not as the template does",	\
		VG_COMPLETE_NOTHING, NULL},							\
	{"profile", 'p', VG_ARGUMENT_TEXT, "PROFILE", "take the quanta of this profile",	\
		VG_COMPLETE_NOTHING, NULL},							\
	{"set", 's', VG_ARGUMENT_LIST, "KEY=VALUE", "set a parameter of the template",		\
		VG_COMPLETE_NOTHING, NULL},							\
	{"site", 'S', VG_ARGUMENT_TEXT, "SITE",							\
		"where: sandbox (the default), sandbox:3 for three boxes, a file or a known name",	\
		VG_COMPLETE_SITE,								\
		NULL},										\
	{"replace", 0, VG_ARGUMENT_LIST, "NODE/DISK",						\
		"this data disk may be made anew; its data is lost", VG_COMPLETE_NOTHING, NULL}, \
	{"delete-disks", 0, VG_ARGUMENT_NONE, NULL,						\
		"data disks that are not wanted any more may be deleted", VG_COMPLETE_NOTHING,	\
		NULL},										\
	{"replace-host", 0, VG_ARGUMENT_LIST, "HOST",						\
		"this host does not answer: its nodes are made anew on others",			\
		VG_COMPLETE_NOTHING, NULL},							\
	{"i-am-sure-it-is-off", 0, VG_ARGUMENT_NONE, NULL,					\
		"nothing runs any more on the hosts that are replaced", VG_COMPLETE_NOTHING,	\
		NULL},										\
	{"yes", 'y', VG_ARGUMENT_NONE, NULL, "do not ask before restarts and removals",		\
		VG_COMPLETE_NOTHING, NULL}
// clang-format on

const struct vg_option vg_template_options[] = {COMMON_OPTIONS, {0}};

const struct vg_option vg_up_options[] = {COMMON_OPTIONS,
	{"timings", 0, VG_ARGUMENT_NONE, NULL, "show where the time went", VG_COMPLETE_NOTHING,
		NULL},
	{0}};

struct vg_error *vg_template_plan(const struct vg_cli *cli, struct vg_context *context,
	bool only_looks, struct vg_session **ret_session, struct vg_planning **ret_planning)
{
	_auto(vg_session) struct vg_session *session = NULL;
	struct vg_wish wish = {
		.file = vg_cli_operand(cli, 0),
		.name = vg_cli_option(cli, "name"),
		.profile = vg_cli_option(cli, "profile"),
		.site = vg_cli_option(cli, "site"),
		.only_looks = only_looks,
		.doing = "vgrid up",
	};
	wish.sets = vg_cli_list(cli, "set", &wish.n_sets);
	wish.replaced = vg_cli_list(cli, "replace-host", &wish.n_replaced);
	struct vg_replan_options options = {.deletes_disks = vg_cli_flag(cli, "delete-disks"),
		.is_sure_it_is_off = vg_cli_flag(cli, "i-am-sure-it-is-off")};
	options.replaces = vg_cli_list(cli, "replace", &options.n_replaces);
	if (options.is_sure_it_is_off && !wish.n_replaced)
		return vg_error_of(VG_ERROR_USAGE,
			"'--i-am-sure-it-is-off' says it of the hosts of '--replace-host'");
	struct vg_error *error = vg_wish_open(context, &wish, &session);
	if (!error)
		error = vg_replan(session, &options, ret_planning);
	if (!error)
		*ret_session = vg_take(session);
	return error;
}
