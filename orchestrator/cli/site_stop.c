// SPDX-License-Identifier: Apache-2.0
//
// `vgrid site stop NAME`: ends a practice site without a trace.
#include "orchestrator/cli/verbs.h"

#include "base/file.h"
#include "base/text.h"
#include "box/practice.h"
#include "orchestrator/cli/show.h"
#include "orchestrator/cli/site_view.h"
#include "orchestrator/report/progress.h"
#include "orchestrator/state/store.h"

static struct vg_error *refuse(const char *name, char *const *grids, size_t n_grids)
{
	_auto(vg_text) struct vg_text all = {0};
	for (size_t i = 0; i < n_grids; i++)
		vg_text_addf(&all, "%s'%s'", i ? ", " : "", grids[i]);
	return vg_error_hint(vg_error_new("on the site '%s' live %s", name, all.bytes),
		"take them down first ('vgrid down'), or say '--with-grids' to lose them, their "
		"disks too");
}

// The nodes and the disks go with the hosts; the records are left.
static struct vg_error *forget_grid(struct vg_context *context, const char *key)
{
	_auto(vg_fd) int lock = -1;
	struct vg_error *error = vg_store_lock(context, key, "vgrid site stop", &lock);
	if (!error)
		error = vg_store_remove(context, key);
	if (!error)
		vg_store_unlock_gone(context, key, &lock);
	return error;
}

static struct vg_error *stop(
	const struct vg_cli *cli, struct vg_context *context, const char *name, bool *ret_had_any)
{
	char **grids = NULL;
	size_t n_grids = 0;
	struct vg_error *error = vg_site_view_grids(context, name, &grids, &n_grids);
	if (!error && n_grids && !vg_cli_flag(cli, "with-grids"))
		error = refuse(name, grids, n_grids);
	if (!error)
		error = vg_practice_end(context->home, context->store, name, ret_had_any);
	for (size_t i = 0; !error && i < n_grids; i++)
		error = forget_grid(context, grids[i]);
	vg_folder_list_free(grids, n_grids);
	return error;
}

static struct vg_error *run(const struct vg_cli *cli, struct vg_context *context, int *ret_status)
{
	(void)ret_status;
	const char *name = vg_cli_operand(cli, 0);
	bool had_any = false;
	int lock = -1;
	if (!vg_practice_may_be_called(name))
		return vg_error_of(VG_ERROR_USAGE, "there is no practice site '%.60s'", name);
	struct vg_error *error = vg_show_enter(context);
	if (!error)
		error = vg_practice_lock(context->home, name, &lock);
	if (error)
		return error;
	error = stop(cli, context, name, &had_any);
	vg_practice_unlock(context->home, name, &lock);
	if (!error && !had_any)
		error = vg_error_hint(
			vg_error_of(VG_ERROR_NOT_FOUND, "there is no practice site '%s'", name),
			"'vgrid site list' shows them");
	if (!error)
		vg_progress_say(context->progress, "Site '%s' is gone", name);
	return error;
}

static const struct vg_operand operands[] = {
	{.name = "NAME", .completion = VG_COMPLETE_PRACTICE_SITE}, {0}};

static const struct vg_option options[] = {
	{.name = "with-grids",
		.help = "with the grids that live there, their disks and records too"},
	{0}};

const struct vg_command vg_verb_site_stop = {
	.verb = "site stop",
	.summary = "end a practice site without a trace",
	.help = "Ends all hosts of the site and removes its folder, certificates and site file. "
		"While grids live there it refuses, unless --with-grids says otherwise. It works "
		"as well on a site that is broken, or was made only in part.",
	.example = "$ vgrid site stop lab\n",
	.operands = operands,
	.options = options,
	.run = run,
};
