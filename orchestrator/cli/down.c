// SPDX-License-Identifier: Apache-2.0
//
// `vgrid down GRID`: takes it all away, or all but its disks.
#include "orchestrator/cli/verbs.h"
#include "orchestrator/context.h"
#include "orchestrator/every_host.h"
#include "orchestrator/report/progress.h"
#include "orchestrator/run/apply.h"
#include "orchestrator/state/store.h"

static size_t count_data_disks(const struct vg_grid *grid)
{
	size_t n = 0;
	for (size_t r = 0; r < grid->n_roles; r++)
		n += grid->roles[r].count * grid->roles[r].n_disks;
	return n;
}

// Data dies only by an explicit word: an option, or an answer on a terminal.
static struct vg_error *choose(const struct vg_cli *cli, struct vg_context *context,
	const struct vg_record *record, bool *ret_keeps)
{
	bool keeps = vg_cli_flag(cli, "keep-disks"), deletes = vg_cli_flag(cli, "delete-disks");
	size_t n_disks = count_data_disks(record->grid);
	if (keeps && deletes)
		return vg_error_of(
			VG_ERROR_USAGE, "'--keep-disks' and '--delete-disks' exclude each other");
	*ret_keeps = keeps;
	if (keeps || deletes || !n_disks)
		return NULL;
	if (vg_cli_flag(cli, "yes") || !vg_cli_can_ask())
		return vg_error_hint(vg_error_of(VG_ERROR_USAGE, "grid '%s' has %zu data disk%s",
					     record->name, n_disks, n_disks == 1 ? "" : "s"),
			"say '--delete-disks' to lose the data, or '--keep-disks'");
	if (vg_cli_ask(context, "Delete %zu data disk%s of '%s' for good?", n_disks,
		    n_disks == 1 ? "" : "s", record->name))
		return NULL;
	return vg_error_new("nothing was changed; '--keep-disks' keeps the data");
}

// Is anything to be done at all, while some hosts do not answer? A box is ended without its
// hypervisor's help, unless guests are to be shut down cleanly first.
static bool can_begin(const struct vg_site *site, bool keeps_disks)
{
	size_t n_silent = 0;
	for (size_t h = 0; h < site->n_hosts; h++)
		n_silent += site->hosts[h].problem != NULL;
	return !n_silent || (site->is_owned ? !keeps_disks : n_silent < site->n_hosts);
}

static struct vg_error *end(struct vg_session *session, bool keeps_disks)
{
	struct vg_record *record = session->record;
	_auto(vg_planning) struct vg_planning *planning = NULL;
	const struct vg_replan_options options = {.removes_all = true, .keeps_disks = keeps_disks};
	struct vg_error *error = vg_replan(session, &options, &planning);
	if (!error && !can_begin(session->site, keeps_disks))
		error = vg_hosts_problems(session->site);
	if (error)
		return error;
	record->phase = keeps_disks ? VG_PHASE_DOWN : VG_PHASE_REMOVING;
	if (planning->plan->n_steps)
		error = vg_store_save(session->context, record);
	// Who takes all away on a full disk does it to make room.
	if (error && !keeps_disks) {
		vg_progress_say(
			session->context->progress, "Going on without: %s", vg_error_text(error));
		vg_error_free(vg_take(error));
	}
	if (!error)
		error = vg_apply(session, planning);
	vg_site_tidy(session->site, session->context, record->uuid);
	if (!error)
		error = vg_error_while(vg_hosts_problems(session->site),
			"all but what is on hosts that did not answer was taken away");
	if (error || keeps_disks)
		return error;
	// The ledger first: an entry without a record would have to be found by others.
	error = vg_ledger_forget(session->context, session->site->name, record->key);
	if (!error)
		error = vg_store_remove(session->context, record->key);
	if (!error)
		vg_store_unlock_gone(session->context, record->key, &session->lock);
	return error;
}

static struct vg_error *run(const struct vg_cli *cli, struct vg_context *context, int *ret_status)
{
	(void)ret_status;
	_auto(vg_session) struct vg_session *session = NULL;
	bool keeps_disks;
	const char *grid = vg_cli_operand(cli, 0);
	struct vg_error *error =
		vg_cli_flag(cli, "keep-disks")
			? vg_session_open(context, grid, "vgrid down", &session)
			: vg_session_open_to_end(context, grid, "vgrid down", &session);
	if (!error)
		error = choose(cli, context, session->record, &keeps_disks);
	if (!error)
		error = end(session, keeps_disks);
	if (!error)
		vg_progress_say(context->progress, "Grid '%s' is %s", session->record->name,
			keeps_disks ? "down; its disks are kept" : "gone");
	return error;
}

static const struct vg_operand operands[] = {{.name = "GRID", .completion = VG_COMPLETE_GRID}, {0}};

static const struct vg_option options[] = {
	{"keep-disks", 0, VG_ARGUMENT_NONE, NULL,
		"shut the guests down cleanly and keep their disks for the next up",
		VG_COMPLETE_NOTHING, NULL},
	{"delete-disks", 0, VG_ARGUMENT_NONE, NULL, "delete the data disks too",
		VG_COMPLETE_NOTHING, NULL},
	{"yes", 'y', VG_ARGUMENT_NONE, NULL, "do not ask", VG_COMPLETE_NOTHING, NULL},
	{0},
};

const struct vg_command vg_verb_down = {
	.verb = "down",
	.summary = "take a grid away",
	.help = "Ends all nodes and removes networks, disks and the record. A grid with data disks "
		"needs '--keep-disks' or '--delete-disks', or an answer on the terminal.",
	.example = "$ vgrid down hello --delete-disks\n",
	.operands = operands,
	.options = options,
	.run = run,
};
