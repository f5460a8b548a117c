// SPDX-License-Identifier: Apache-2.0
#include "orchestrator/run/commit.h"

#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "orchestrator/context.h"
#include "orchestrator/report/timings.h"
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

// To be called with the ledger locked.
static struct vg_error *claim_vnis(struct vg_session *session, struct vg_planning **planning)
{
	struct vg_record *record = session->record;
	size_t size = record->n_vnis * sizeof(*record->vnis);
	uint32_t *chosen = vg_alloc(size);
	if (size)
		memcpy(chosen, record->vnis, size);
	struct vg_error *error = vg_store_allocate_vnis(session->context, record);
	bool is_same = !size || memcmp(chosen, record->vnis, size) == 0;
	free(chosen);
	if (error || is_same)
		return error;
	struct vg_planning *again = NULL;
	error = vg_replan(session, &(*planning)->options, &again);
	if (error)
		return error;
	vg_planning_free(*planning);
	*planning = again;
	return NULL;
}

struct vg_error *vg_commit_begin(struct vg_session *session, struct vg_planning **planning)
{
	_auto(vg_fd) int ledger = -1;
	struct vg_error *error = vg_store_lock_ledger(session->context, &ledger);
	if (!error)
		error = claim_vnis(session, planning);
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
	return save(session->context, session->record, VG_PHASE_UP);
}
