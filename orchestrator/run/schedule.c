// SPDX-License-Identifier: Apache-2.0
#include "orchestrator/run/schedule.h"

#include "base/memory.h"

static const size_t NONE = SIZE_MAX;

// Steps of one kind on one host, which share their limits. Those that are ready stand in line;
// groups that have both a ready step and room for it stand in a line of their own.
struct group {
	size_t first, last; // ready steps, linked by schedule.next
	size_t next;        // among the groups in line
	bool is_in_line;
	unsigned n_running;
};

struct vg_schedule {
	const struct vg_execution *execution;
	struct vg_schedule_count count;
	enum vg_outcome *outcomes;
	size_t *n_missing;                  // needs that are not done yet
	size_t *dependants, *dependants_at; // those of step i: from dependants_at[i] to [i + 1]
	size_t *next;                       // behind a ready step
	size_t *stack;                      // to walk over dependants
	bool *is_booting;     // per step that enters the lane: it has, and none has left for it
	unsigned *n_booting;  // per host
	struct group *groups; // [host * VG_STEP_N_KINDS + kind]
	size_t first_group, last_group; // in line
};

static const struct vg_step *step_at(const struct vg_schedule *schedule, size_t number)
{
	return &schedule->execution->steps[number];
}

static enum vg_step_lane lane_of(const struct vg_schedule *schedule, size_t number)
{
	return vg_step_types[step_at(schedule, number)->kind].lane;
}

static size_t group_of(const struct vg_step *step)
{
	return (size_t)step->host * VG_STEP_N_KINDS + step->kind;
}

static bool has_room(const struct vg_schedule *schedule, size_t number)
{
	const struct vg_step_type *type = &vg_step_types[number % VG_STEP_N_KINDS];
	size_t host = number / VG_STEP_N_KINDS;
	if (type->limit && schedule->groups[number].n_running >= type->limit)
		return false;
	return type->lane != VG_LANE_BOOT_ENTER ||
	       schedule->n_booting[host] < schedule->execution->n_booting[host];
}

// To be called whenever a group may have got a ready step or room.
static void line_up(struct vg_schedule *schedule, size_t number)
{
	struct group *group = &schedule->groups[number];
	if (group->is_in_line || group->first == NONE || !has_room(schedule, number))
		return;
	group->is_in_line = true;
	group->next = NONE;
	if (schedule->first_group == NONE)
		schedule->first_group = number;
	else
		schedule->groups[schedule->last_group].next = number;
	schedule->last_group = number;
}

static void make_ready(struct vg_schedule *schedule, size_t number)
{
	size_t to = group_of(step_at(schedule, number));
	struct group *group = &schedule->groups[to];
	schedule->next[number] = NONE;
	if (group->first == NONE)
		group->first = number;
	else
		schedule->next[group->last] = number;
	group->last = number;
	line_up(schedule, to);
}

bool vg_schedule_has_ready(const struct vg_schedule *schedule)
{
	return schedule->first_group != NONE;
}

bool vg_schedule_take(struct vg_schedule *schedule, size_t *ret_number)
{
	while (schedule->first_group != NONE) {
		size_t at = schedule->first_group;
		struct group *group = &schedule->groups[at];
		schedule->first_group = group->next;
		group->is_in_line = false;
		if (!has_room(schedule, at)) // it lines up again when there is
			continue;
		size_t number = group->first;
		group->first = schedule->next[number];
		group->n_running++;
		schedule->outcomes[number] = VG_OUTCOME_RUNNING;
		schedule->count.n_running++;
		if (lane_of(schedule, number) == VG_LANE_BOOT_ENTER) {
			schedule->is_booting[number] = true;
			schedule->n_booting[step_at(schedule, number)->host]++;
		}
		line_up(schedule, at);
		*ret_number = number;
		return true;
	}
	return false;
}

static void leave_lane(struct vg_schedule *schedule, size_t entered)
{
	size_t host = (size_t)step_at(schedule, entered)->host;
	if (!schedule->is_booting[entered])
		return;
	schedule->is_booting[entered] = false;
	schedule->n_booting[host]--;
	for (size_t kind = 0; kind < VG_STEP_N_KINDS; kind++) {
		if (vg_step_types[kind].lane == VG_LANE_BOOT_ENTER)
			line_up(schedule, host * VG_STEP_N_KINDS + kind);
	}
}

// The step that would have left the lane has ended or is skipped; one that never ran is not needed
// by a boot that still goes on: that leaves by itself.
static void leave_for_needs(struct vg_schedule *schedule, size_t number)
{
	const struct vg_step *step = step_at(schedule, number);
	if (vg_step_types[step->kind].lane != VG_LANE_BOOT_LEAVE)
		return;
	for (size_t k = 0; k < step->n_needs; k++) {
		if (schedule->outcomes[step->needs[k]] == VG_OUTCOME_DONE)
			leave_lane(schedule, step->needs[k]);
	}
}

// Is there a step that will leave the lane for this one?
static bool has_leaver(const struct vg_schedule *schedule, size_t number)
{
	for (size_t i = schedule->dependants_at[number]; i < schedule->dependants_at[number + 1];
		i++) {
		size_t next = schedule->dependants[i];
		if (lane_of(schedule, next) == VG_LANE_BOOT_LEAVE &&
			schedule->outcomes[next] == VG_OUTCOME_PENDING)
			return true;
	}
	return false;
}

static void skip(struct vg_schedule *schedule, size_t number)
{
	schedule->outcomes[number] = VG_OUTCOME_SKIPPED;
	schedule->count.n_skipped++;
	schedule->count.n_open--;
	leave_for_needs(schedule, number);
}

// Steps that need this one will never run. Iterative: a chain may be as long as the plan.
static void skip_dependants(struct vg_schedule *schedule, size_t failed)
{
	size_t depth = 0;
	schedule->stack[depth++] = failed;
	while (depth) {
		size_t of = schedule->stack[--depth];
		for (size_t i = schedule->dependants_at[of]; i < schedule->dependants_at[of + 1];
			i++) {
			size_t next = schedule->dependants[i];
			if (schedule->outcomes[next] != VG_OUTCOME_PENDING)
				continue;
			skip(schedule, next);
			schedule->stack[depth++] = next;
		}
	}
}

static void count_end(struct vg_schedule *schedule, enum vg_outcome outcome)
{
	schedule->count.n_running--;
	schedule->count.n_open--;
	schedule->count.n_failed += outcome == VG_OUTCOME_FAILED;
	schedule->count.n_skipped += outcome == VG_OUTCOME_SKIPPED;
}

void vg_schedule_end(struct vg_schedule *schedule, size_t number, enum vg_outcome outcome)
{
	size_t group = group_of(step_at(schedule, number));
	schedule->outcomes[number] = outcome;
	schedule->groups[group].n_running--;
	count_end(schedule, outcome);
	leave_for_needs(schedule, number);
	if (outcome != VG_OUTCOME_DONE)
		skip_dependants(schedule, number);
	if (outcome != VG_OUTCOME_DONE || !has_leaver(schedule, number))
		leave_lane(schedule, number);
	line_up(schedule, group);
	if (outcome != VG_OUTCOME_DONE)
		return;
	for (size_t i = schedule->dependants_at[number]; i < schedule->dependants_at[number + 1];
		i++) {
		size_t next = schedule->dependants[i];
		if (--schedule->n_missing[next] == 0 &&
			schedule->outcomes[next] == VG_OUTCOME_PENDING)
			make_ready(schedule, next);
	}
}

void vg_schedule_stop(struct vg_schedule *schedule)
{
	for (size_t g = 0; g < schedule->execution->n_hosts * VG_STEP_N_KINDS; g++) {
		schedule->groups[g].first = NONE;
		schedule->groups[g].is_in_line = false;
	}
	schedule->first_group = NONE;
	for (size_t i = 0; i < schedule->execution->n_steps; i++) {
		if (schedule->outcomes[i] == VG_OUTCOME_PENDING)
			skip(schedule, i);
	}
}

static void find_dependants(struct vg_schedule *schedule)
{
	size_t n = schedule->execution->n_steps, n_dependants = 0;
	size_t *at = schedule->dependants_at = vg_alloc((n + 1) * sizeof(*at));
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < step_at(schedule, i)->n_needs; k++) {
			assert(step_at(schedule, i)->needs[k] < i);
			at[step_at(schedule, i)->needs[k]]++;
		}
	}
	for (size_t i = 0; i <= n; i++) {
		n_dependants += at[i];
		at[i] = n_dependants; // the end; filled in from behind it becomes the beginning
	}
	schedule->dependants = vg_alloc(n_dependants * sizeof(*schedule->dependants));
	for (size_t i = n; i-- > 0;) {
		for (size_t k = 0; k < step_at(schedule, i)->n_needs; k++)
			schedule->dependants[--at[step_at(schedule, i)->needs[k]]] = i;
	}
}

struct vg_schedule *vg_schedule_new(const struct vg_execution *execution)
{
	size_t n = execution->n_steps, n_groups = execution->n_hosts * VG_STEP_N_KINDS;
	struct vg_schedule *schedule = vg_new(struct vg_schedule);
	*schedule = (struct vg_schedule){
		.execution = execution,
		.count = {.n_open = n},
		.outcomes = vg_alloc(n * sizeof(*schedule->outcomes)),
		.n_missing = vg_alloc(n * sizeof(*schedule->n_missing)),
		.next = vg_alloc(n * sizeof(*schedule->next)),
		.stack = vg_alloc((n + 1) * sizeof(*schedule->stack)),
		.is_booting = vg_alloc(n * sizeof(*schedule->is_booting)),
		.n_booting = vg_alloc(execution->n_hosts * sizeof(*schedule->n_booting)),
		.groups = vg_alloc(n_groups * sizeof(*schedule->groups)),
		.first_group = NONE,
	};
	find_dependants(schedule);
	for (size_t g = 0; g < n_groups; g++)
		schedule->groups[g].first = NONE;
	for (size_t i = 0; i < n; i++) {
		schedule->n_missing[i] = execution->steps[i].n_needs;
		if (!execution->steps[i].n_needs)
			make_ready(schedule, i);
	}
	return schedule;
}

void vg_schedule_free(struct vg_schedule *schedule)
{
	if (!schedule)
		return;
	free(schedule->outcomes);
	free(schedule->n_missing);
	free(schedule->dependants);
	free(schedule->dependants_at);
	free(schedule->next);
	free(schedule->stack);
	free(schedule->is_booting);
	free(schedule->n_booting);
	free(schedule->groups);
	free(schedule);
}

const struct vg_schedule_count *vg_schedule_count(const struct vg_schedule *schedule)
{
	return &schedule->count;
}

const enum vg_outcome *vg_schedule_outcomes(const struct vg_schedule *schedule)
{
	return schedule->outcomes;
}
