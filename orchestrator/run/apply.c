// SPDX-License-Identifier: Apache-2.0
#include "orchestrator/run/apply.h"

#include <pthread.h>
#include <string.h>

#include "base/text.h"
#include "compute/seed.h"
#include "orchestrator/context.h"
#include "orchestrator/report/progress.h"
#include "orchestrator/report/timings.h"
#include "orchestrator/run/executor.h"
#include "orchestrator/run/machine.h"
#include "orchestrator/run/ready.h"

enum { CLEAN_STOP_MS = 30 * 1000 };

struct apply {
	struct vg_session *session;
	const struct vg_planning *planning;
	pthread_mutex_t lock;
	size_t n_done;
	uint64_t begun;
	uint64_t *ended; // one a step, for those who waited for it; NULL: nobody asks for timings
};

// What a step's time counts as. Starting a host notes its own parts (site.c).
static const enum vg_timed timed[VG_STEP_N_KINDS] = {
	[VG_STEP_HOST_START] = VG_TIMED_NOTHING,
	[VG_STEP_HOST_JOIN] = VG_TIMED_BOX,
	[VG_STEP_MACHINE_STOP] = VG_TIMED_REMOVE,
	[VG_STEP_MACHINE_REMOVE] = VG_TIMED_REMOVE,
	[VG_STEP_VOLUME_REMOVE] = VG_TIMED_REMOVE,
	[VG_STEP_NET_CONVERGE] = VG_TIMED_NETWORK,
	[VG_STEP_VOLUME_CREATE] = VG_TIMED_DISK,
	[VG_STEP_VOLUME_RESIZE] = VG_TIMED_DISK,
	[VG_STEP_SEED_WRITE] = VG_TIMED_SEED,
	[VG_STEP_MACHINE_DEFINE] = VG_TIMED_DEFINE,
	[VG_STEP_MACHINE_START] = VG_TIMED_START,
	[VG_STEP_NODE_READY] = VG_TIMED_BOOT,
	[VG_STEP_NODE_REFRESH] = VG_TIMED_REFRESH,
	[VG_STEP_HOST_STOP] = VG_TIMED_REMOVE,
};

static struct vg_host *host_of(struct apply *apply, const struct vg_step *step)
{
	return &apply->session->site->hosts[step->host];
}

static const struct vg_node *node_of(struct apply *apply, const struct vg_step *step)
{
	return &apply->session->record->grid->nodes[step->node];
}

static struct vg_error *start_host(struct apply *apply, const struct vg_step *step)
{
	struct vg_session *session = apply->session;
	const struct vg_record *record = session->record;
	struct vg_error *error = vg_site_start_host(
		session->site, session->context, record->key, record->uuid, (size_t)step->host);
	if (error || session->site->n_hosts > 1)
		return error;
	return vg_site_join(session->site, session->context, record->key, record->uuid);
}

static struct vg_error *join_hosts(struct apply *apply, const struct vg_step *step)
{
	(void)step;
	const struct vg_record *record = apply->session->record;
	return vg_site_join(
		apply->session->site, apply->session->context, record->key, record->uuid);
}

static struct vg_error *stop_machine(struct apply *apply, const struct vg_step *step)
{
	return apply->session->site->drivers->compute->stop(host_of(apply, step)->compute,
		step->uuid, step->is_clean ? VG_STOP_CLEAN : VG_STOP_NOW, CLEAN_STOP_MS);
}

static struct vg_error *remove_machine(struct apply *apply, const struct vg_step *step)
{
	return apply->session->site->drivers->compute->remove(
		host_of(apply, step)->compute, step->uuid);
}

static struct vg_error *remove_volume(struct apply *apply, const struct vg_step *step)
{
	return apply->session->site->drivers->storage->remove(
		host_of(apply, step)->storage, step->tag);
}

static struct vg_error *converge_net(struct apply *apply, const struct vg_step *step)
{
	return apply->session->site->drivers->net->converge(
		host_of(apply, step)->net, apply->planning->slices[step->host]);
}

static struct vg_error *create_volume(struct apply *apply, const struct vg_step *step)
{
	const struct vg_volume volume = {.tag = step->tag,
		.place = step->place,
		.kind = step->volume,
		.size = step->size,
		.image = step->image};
	return apply->session->site->drivers->storage->create(
		host_of(apply, step)->storage, &volume);
}

static struct vg_error *resize_volume(struct apply *apply, const struct vg_step *step)
{
	return apply->session->site->drivers->storage->resize(
		host_of(apply, step)->storage, step->tag, step->size);
}

static struct vg_error *write_seed(struct apply *apply, const struct vg_step *step)
{
	const struct vg_grid *grid = apply->session->record->grid;
	uint8_t *bytes = NULL;
	size_t size = 0;
	struct vg_error *error = vg_seed_build(grid, node_of(apply, step),
		apply->session->record->secret, apply->planning->facts, &bytes, &size);
	if (error)
		return error;
	const struct vg_volume volume = {.tag = step->tag,
		.place = step->place,
		.kind = VG_VOLUME_SEED,
		.bytes = bytes,
		.n_bytes = size,
		.version = apply->planning->seeds[step->node]};
	error = apply->session->site->drivers->storage->create(
		host_of(apply, step)->storage, &volume);
	explicit_bzero(bytes, size);
	free(bytes);
	return error;
}

static struct vg_error *define_machine(struct apply *apply, const struct vg_step *step)
{
	_auto(vg_arena) struct vg_arena *arena = vg_arena_new();
	const struct vg_machine *machine =
		vg_machine_make(arena, apply->session, apply->planning, (size_t)step->node);
	return apply->session->site->drivers->compute->define(
		host_of(apply, step)->compute, machine);
}

static struct vg_error *start_machine(struct apply *apply, const struct vg_step *step)
{
	return apply->session->site->drivers->compute->start(
		host_of(apply, step)->compute, step->uuid);
}

static _Thread_local unsigned current_line;

static void note_waiting(const char *why, void *data)
{
	struct vg_progress *progress = data;
	vg_progress_note(progress, current_line, "%s", why);
}

static struct vg_error *await_node(struct apply *apply, const struct vg_step *step)
{
	struct vg_session *session = apply->session;
	return vg_ready_wait(session->context, session->site->drivers, host_of(apply, step),
		session->record->grid, node_of(apply, step), note_waiting,
		session->context->progress);
}

// Running nodes hear of others through the agent, file by file, each renamed into place; the seed
// comes last, so that a refresh that was cut off is seen and done again.
static struct vg_error *refresh_node(struct apply *apply, const struct vg_step *step)
{
	struct vg_session *session = apply->session;
	const struct vg_agent agent = {
		session->site->drivers->compute, host_of(apply, step)->compute, step->uuid};
	const struct vg_facts *facts = apply->planning->facts;
	for (size_t i = 0; i < VG_SHARED_FILES; i++) {
		const struct vg_shared_file *file = &facts->files[i];
		struct vg_error *error = vg_agent_write_file(
			&agent, file->path, file->mode, file->content, file->size);
		if (error)
			return vg_error_while(error, "writing '%s'", file->path);
	}
	return write_seed(apply, step);
}

static struct vg_error *stop_host(struct apply *apply, const struct vg_step *step)
{
	return vg_site_stop_host(apply->session->site, apply->session->context,
		apply->session->record->key, (size_t)step->host);
}

static struct vg_error *(*const actions[VG_STEP_N_KINDS])(
	struct apply *apply, const struct vg_step *step) = {
	[VG_STEP_HOST_START] = start_host,
	[VG_STEP_HOST_JOIN] = join_hosts,
	[VG_STEP_MACHINE_STOP] = stop_machine,
	[VG_STEP_MACHINE_REMOVE] = remove_machine,
	[VG_STEP_VOLUME_REMOVE] = remove_volume,
	[VG_STEP_NET_CONVERGE] = converge_net,
	[VG_STEP_VOLUME_CREATE] = create_volume,
	[VG_STEP_VOLUME_RESIZE] = resize_volume,
	[VG_STEP_SEED_WRITE] = write_seed,
	[VG_STEP_MACHINE_DEFINE] = define_machine,
	[VG_STEP_MACHINE_START] = start_machine,
	[VG_STEP_NODE_READY] = await_node,
	[VG_STEP_NODE_REFRESH] = refresh_node,
	[VG_STEP_HOST_STOP] = stop_host,
};

// A step could have run when the last of its needs had ended.
static void note_time(struct apply *apply, const struct vg_step *step, uint64_t begun)
{
	struct vg_timings *timings = apply->session->context->timings;
	uint64_t ended = vg_timings_now(timings), ready = apply->begun;
	if (!timings)
		return;
	pthread_mutex_lock(&apply->lock);
	for (size_t i = 0; i < step->n_needs; i++) {
		if (apply->ended[step->needs[i]] > ready)
			ready = apply->ended[step->needs[i]];
	}
	apply->ended[step - apply->planning->plan->steps] = ended;
	pthread_mutex_unlock(&apply->lock);
	if (timed[step->kind] == VG_TIMED_NOTHING)
		return;
	vg_timings_add(timings, &(struct vg_span){.kind = timed[step->kind],
					.subject = step->subject,
					.host = host_of(apply, step)->name,
					.place = step->place,
					.ready = ready,
					.begun = begun,
					.ended = ended});
}

static struct vg_error *run_step(const struct vg_step *step, void *data)
{
	struct apply *apply = data;
	uint64_t begun = vg_timings_now(apply->session->context->timings);
	struct vg_progress *progress = apply->session->context->progress;
	const struct vg_step_type *type = &vg_step_types[step->kind];
	if (type->is_shown)
		current_line = vg_progress_begin(progress, "%s: %s", step->subject, type->doing);
	struct vg_error *error = actions[step->kind](apply, step);
	note_time(apply, step, begun);
	if (type->is_shown)
		vg_progress_end(progress, current_line, !error);
	pthread_mutex_lock(&apply->lock);
	vg_progress_count(progress, ++apply->n_done, apply->planning->plan->n_steps);
	pthread_mutex_unlock(&apply->lock);
	error = vg_error_while(
		error, "%s '%s' on '%s'", type->doing, step->subject, host_of(apply, step)->name);
	return vg_error_place(error, step->place);
}

static void show_failure(const struct vg_step *step, const struct vg_error *error, void *data)
{
	(void)step;
	struct apply *apply = data;
	struct vg_progress *progress = apply->session->context->progress;
	if (vg_error_kind(error) == VG_ERROR_INTERRUPTED)
		return;
	const char *hint = vg_error_remedy(error);
	if (!hint) {
		vg_progress_say(progress, "error: %s", vg_error_text(error));
		return;
	}
	_auto(vg_text) struct vg_text indented = {0};
	for (const char *line = hint; *line;) {
		size_t length = strcspn(line, "\n");
		vg_text_addf(&indented, "\n  %.*s", (int)length, line);
		line += length + (line[length] == '\n');
	}
	vg_progress_say(progress, "error: %s%s", vg_error_text(error), indented.bytes);
}

static void say_lingering(const struct vg_step *step, size_t n_running, void *data)
{
	struct apply *apply = data;
	_auto(vg_string) char *more =
		n_running > 1 ? vg_format(" and %zu more", n_running - 1) : vg_strdup("");
	vg_progress_say(apply->session->context->progress,
		"Stopping; waiting for '%s: %s' on '%s'%s, Ctrl-C again ends at once",
		step->subject, vg_step_types[step->kind].doing, host_of(apply, step)->name, more);
}

struct vg_error *vg_apply(struct vg_session *session, const struct vg_planning *planning)
{
	const struct vg_site *site = session->site;
	struct vg_timings *timings = session->context->timings;
	enum vg_timed before = vg_timings_turn(timings, VG_TIMED_NOTHING);
	struct apply apply = {.session = session,
		.planning = planning,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.begun = vg_timings_now(timings)};
	if (planning->facts && planning->plan->n_steps)
		vg_facts_complete(planning->facts, session->record->grid, session->record->secret);
	if (timings)
		apply.ended = vg_alloc(planning->plan->n_steps * sizeof(*apply.ended));
	unsigned *n_booting = vg_alloc(site->n_hosts * sizeof(*n_booting));
	for (size_t h = 0; h < site->n_hosts; h++)
		n_booting[h] = site->hosts[h].n_booting;
	// Boxes share the machine: what may boot at once is shared among them.
	for (size_t h = 0; site->is_owned && h < site->n_hosts; h++)
		n_booting[h] =
			(n_booting[h] + (unsigned)site->n_hosts - 1) / (unsigned)site->n_hosts;
	const struct vg_execution execution = {
		.steps = planning->plan->steps,
		.n_steps = planning->plan->n_steps,
		.n_hosts = site->n_hosts,
		.n_booting = n_booting,
		.run = run_step,
		.failed = show_failure,
		.lingers = say_lingering,
		.is_interrupted = session->context->is_interrupted,
		.interrupted_data = session->context->interrupted_data,
		.data = &apply,
	};
	struct vg_error *error = vg_execute(&execution);
	vg_progress_count(session->context->progress, 0, 0);
	free(n_booting);
	free(apply.ended);
	vg_timings_turn(timings, before);
	return error;
}

struct vg_error *vg_apply_first(struct vg_session *session, struct vg_planning **planning)
{
	struct vg_plan *plan = (*planning)->plan;
	if (!plan->n_first)
		return NULL;
	size_t n_steps = plan->n_steps;
	plan->n_steps = plan->n_first;
	struct vg_error *error = vg_apply(session, *planning);
	plan->n_steps = n_steps;
	struct vg_planning *again = NULL;
	if (!error)
		error = vg_replan(session, &(*planning)->options, &again);
	if (error)
		return error;
	vg_planning_free(*planning);
	*planning = again;
	return NULL;
}
