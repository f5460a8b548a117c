// SPDX-License-Identifier: Apache-2.0
//
// `vgrid site show NAME`: a site's hosts, right now.
#include "orchestrator/cli/verbs.h"

#include "box/practice.h"
#include "orchestrator/cli/result.h"
#include "orchestrator/cli/show.h"
#include "orchestrator/cli/site_view.h"
#include "orchestrator/report/progress.h"

static struct vg_error *run(const struct vg_cli *cli, struct vg_context *context, int *ret_status)
{
	(void)ret_status;
	const char *name = vg_cli_operand(cli, 0);
	struct vg_practice *practice = NULL;
	_auto(vg_site_view) struct vg_site_view *view = NULL;
	struct vg_error *error = vg_show_enter(context);
	if (!error)
		error = vg_practice_load(context->home, name, &practice);
	if (error && vg_error_kind(error) == VG_ERROR_NOT_FOUND)
		return vg_error_hint(error, "'vgrid site list' shows them");
	if (!error)
		error = vg_site_view_make(context, practice, &view);
	if (error)
		return error;
	vg_progress_pause(context->progress);
	if (!vg_cli_is_json(cli)) {
		vg_site_view_print(view);
		return NULL;
	}
	_auto(vg_json) struct vg_json *result = vg_result_new(&vg_verb_site_show);
	vg_site_view_json(view, result);
	vg_result_print(result);
	return NULL;
}

static const struct vg_operand operands[] = {
	{.name = "NAME", .completion = VG_COMPLETE_PRACTICE_SITE}, {0}};

static const struct vg_result_field fields[] = {VG_SITE_VIEW_FIELDS, {0}};

const struct vg_command vg_verb_site_show = {
	.verb = "site show",
	.summary = "show a site's hosts: where they are, and whether they run",
	.help = "Shows each host of a practice site with its state, its underlay address and how "
		"it is reached, the grids that live there, and where the site's files are. Nothing "
		"is changed: `vgrid site practice NAME` starts again what does not run.",
	.example = "$ vgrid site show lab\n",
	.operands = operands,
	.result = fields,
	.run = run,
};
