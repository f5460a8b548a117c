// SPDX-License-Identifier: Apache-2.0
#include "orchestrator/run/commit.h"

#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "orchestrator/context.h"
#include "orchestrator/report/timings.h"
#include "orchestrator/run/place_grid.h"
#include "orchestrator/site_file.h"
#include "orchestrator/state/store.h"

// Does the record differ from the one that is stored?
static bool is_changed(struct vg_context *context, const struct vg_record *record)
{
	_auto(vg_record) struct vg_record *stored = NULL;
	_auto(vg_error) struct vg_error *error = vg_store_load(context, record->key, &stored);
	if (error)
		return true;
	_auto(vg_json) struct vg_json *a = vg_record_to_json(stored);
	_auto(vg_json) struct vg_json *b = vg_record_to_json(record);
	// An older vgrid did not write the hosts' names: that alone is no change of the grid.
	if (!stored->n_hosts)
		vg_json_set(b, "hosts", vg_json_array());
	_auto(vg_string) char *before = vg_json_write_canonical(a);
	_auto(vg_string) char *after = vg_json_write_canonical(b);
	return strcmp(before, after) != 0;
}

static struct vg_error *save(
	struct vg_context *context, struct vg_record *record, enum vg_phase phase)
{
	record->phase = phase;
	enum vg_timed before = vg_timings_turn(context->timings, VG_TIMED_RECORD);
	struct vg_error *error =
		is_changed(context, record) ? vg_store_save(context, record) : NULL;
	vg_timings_turn(context->timings, before);
	return error;
}

// Somebody else was promised something in the meantime: what came out otherwise is planned again.
static struct vg_error *plan_again(struct vg_session *session, struct vg_planning **planning)
{
	bool is_other;
	struct vg_error *error = vg_place_grid(session, &is_other);
	if (error || !is_other)
		return error;
	struct vg_planning *again = NULL;
	error = vg_replan(session, &(*planning)->options, &again);
	if (error)
		return error;
	vg_planning_free(*planning);
	*planning = again;
	return NULL;
}

static struct vg_error *promise(struct vg_session *session, struct vg_planning **planning)
{
	for (;;) {
		bool is_stored;
		vg_ledger_promise(session->ledger, session->record, true);
		struct vg_error *error =
			vg_ledger_swap(session->context, session->ledger, &is_stored);
		if (error || is_stored)
			return error;
		error = plan_again(session, planning);
		if (error)
			return error;
	}
}

// What nodes that have gone were promised is given back.
static struct vg_error *settle(struct vg_session *session)
{
	for (bool is_stored = false; !is_stored;) {
		_auto(vg_ledger) struct vg_ledger *ledger = NULL;
		struct vg_error *error =
			vg_ledger_load(session->context, session->site->name, &ledger);
		if (error)
			return error;
		vg_ledger_promise(ledger, session->record, false);
		error = vg_ledger_swap(session->context, ledger, &is_stored);
		if (error)
			return error;
	}
	return NULL;
}

struct vg_error *vg_commit_begin(struct vg_session *session, struct vg_planning **planning)
{
	struct vg_error *error = vg_site_remember(session->context, session->site);
	if (!error)
		error = promise(session, planning);
	if (error)
		return error;
	vg_record_forget_made(session->record, (*planning)->options.replaces,
		(*planning)->options.n_replaces);
	return save(session->context, session->record,
		(*planning)->plan->n_steps ? VG_PHASE_CREATING : VG_PHASE_UP);
}

struct vg_error *vg_commit_end(struct vg_session *session)
{
	vg_record_note_made(session->record);
	struct vg_error *error = save(session->context, session->record, VG_PHASE_UP);
	return error ? error : settle(session);
}
