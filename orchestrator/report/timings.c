// SPDX-License-Identifier: Apache-2.0
#include "orchestrator/report/timings.h"

#include <pthread.h>

#include "base/memory.h"
#include "orchestrator/report/table.h"

enum { SHOWN_NS = 500000 }; // what is shorter rounds to nothing

static const char *const kind_names[VG_TIMED_N_KINDS] = {
#define X(kind, name) [VG_TIMED_##kind] = (name),
	VG_TIMED_KINDS(X)
#undef X
};

struct vg_timings {
	uint64_t (*clock)(void);
	uint64_t begun;
	enum vg_timed now; // what the main thread does
	uint64_t since;
	pthread_mutex_t lock;
	struct vg_arena *arena; // of the spans' strings
	struct vg_span *spans;
	size_t n_spans;
};

struct vg_timings *vg_timings_new(uint64_t (*clock)(void), uint64_t begun, enum vg_timed kind)
{
	struct vg_timings *timings = vg_new(struct vg_timings);
	timings->clock = clock;
	timings->begun = timings->since = begun;
	timings->now = kind;
	timings->arena = vg_arena_new();
	pthread_mutex_init(&timings->lock, NULL);
	return timings;
}

void vg_timings_free(struct vg_timings *timings)
{
	if (!timings)
		return;
	pthread_mutex_destroy(&timings->lock);
	vg_arena_free(timings->arena);
	free(timings->spans);
	free(timings);
}

uint64_t vg_timings_now(const struct vg_timings *timings)
{
	return timings ? timings->clock() : 0;
}

enum vg_timed vg_timings_turn(struct vg_timings *timings, enum vg_timed kind)
{
	if (!timings)
		return VG_TIMED_NOTHING;
	enum vg_timed before = timings->now;
	uint64_t now = timings->clock();
	if (before != VG_TIMED_NOTHING)
		vg_timings_add(timings, &(struct vg_span){.kind = before,
						.ready = timings->since,
						.begun = timings->since,
						.ended = now});
	timings->now = kind;
	timings->since = now;
	return before;
}

void vg_timings_add(struct vg_timings *timings, const struct vg_span *span)
{
	if (!timings)
		return;
	pthread_mutex_lock(&timings->lock);
	struct vg_span *kept = &vg_append(timings->spans, timings->n_spans);
	*kept = *span;
	if (span->subject)
		kept->subject = vg_arena_strdup(timings->arena, span->subject);
	if (span->host)
		kept->host = vg_arena_strdup(timings->arena, span->host);
	if (span->place.file)
		kept->place.file = vg_arena_strdup(timings->arena, span->place.file);
	pthread_mutex_unlock(&timings->lock);
}

struct vg_timings_sum *vg_timings_sum(struct vg_timings *timings)
{
	vg_timings_turn(timings, timings->now);
	return vg_timings_sum_up(
		timings->spans, timings->n_spans, timings->begun, vg_timings_now(timings));
}

// A moment at which something begins or ends.
struct edge {
	uint64_t at;
	enum vg_timed kind;
	bool is_end;
};

static int compare_edges(const void *a, const void *b)
{
	const struct edge *one = a, *two = b;
	if (one->at != two->at)
		return one->at < two->at ? -1 : 1;
	return one->is_end - two->is_end;
}

static uint64_t duration(const struct vg_span *span)
{
	return span->ended > span->begun ? span->ended - span->begun : 0;
}

// Keeps the slowest ones in order; of equals the first stays ahead.
static void keep_slowest(struct vg_timed_sum *sum, const struct vg_span *span)
{
	size_t at = sum->n_slowest;
	while (at > 0 && duration(&sum->slowest[at - 1]) < duration(span))
		at--;
	if (at == VG_TIMINGS_SLOWEST)
		return;
	if (sum->n_slowest < VG_TIMINGS_SLOWEST)
		sum->n_slowest++;
	for (size_t i = sum->n_slowest - 1; i > at; i--)
		sum->slowest[i] = sum->slowest[i - 1];
	sum->slowest[at] = *span;
}

static void add_span(struct vg_timed_sum *sum, const struct vg_span *span)
{
	sum->work += duration(span);
	if (span->begun > span->ready)
		sum->waited += span->begun - span->ready;
	if (!span->subject)
		return;
	sum->n_steps++;
	keep_slowest(sum, span);
}

// From one edge to the next the same kinds run.
static void sweep(struct vg_timings_sum *sum, const struct edge *edges, size_t n_edges,
	uint64_t begun, uint64_t ended)
{
	size_t n_running[VG_TIMED_N_KINDS] = {0};
	uint64_t at = begun;
	for (size_t i = 0; i <= n_edges; i++) {
		uint64_t next = i < n_edges ? edges[i].at : ended;
		size_t n_kinds = 0;
		for (size_t k = 0; k < VG_TIMED_N_KINDS; k++)
			n_kinds += n_running[k] > 0;
		for (size_t k = 0; k < VG_TIMED_N_KINDS && next > at; k++) {
			if (!n_running[k])
				continue;
			sum->kinds[k].wall += next - at;
			sum->kinds[k].alone += n_kinds == 1 ? next - at : 0;
		}
		sum->other += n_kinds == 0 ? next - at : 0;
		at = next;
		if (i < n_edges && edges[i].is_end)
			n_running[edges[i].kind]--;
		else if (i < n_edges)
			n_running[edges[i].kind]++;
	}
}

static uint64_t within(uint64_t at, uint64_t begun, uint64_t ended)
{
	return at < begun ? begun : at > ended ? ended : at;
}

struct vg_timings_sum *vg_timings_sum_up(
	const struct vg_span *spans, size_t n_spans, uint64_t begun, uint64_t ended)
{
	struct vg_timings_sum *sum = vg_new(struct vg_timings_sum);
	struct edge *edges = vg_alloc(2 * n_spans * sizeof(*edges));
	size_t n_edges = 0;
	sum->total = ended > begun ? ended - begun : 0;
	ended = begun + sum->total;
	for (size_t i = 0; i < n_spans; i++) {
		uint64_t from = within(spans[i].begun, begun, ended);
		uint64_t to = within(spans[i].ended, from, ended);
		edges[n_edges++] = (struct edge){from, spans[i].kind, false};
		edges[n_edges++] = (struct edge){to, spans[i].kind, true};
		add_span(&sum->kinds[spans[i].kind], &spans[i]);
	}
	qsort(edges, n_edges, sizeof(*edges), compare_edges);
	sweep(sum, edges, n_edges, begun, ended);
	free(edges);
	return sum;
}

void vg_timings_sum_free(struct vg_timings_sum *sum)
{
	free(sum);
}

static char *seconds(uint64_t nanoseconds)
{
	return vg_format("%.3fs", (double)nanoseconds / 1e9);
}

static void print_kind(struct vg_table *table, const char *name, const struct vg_timed_sum *sum)
{
	_auto(vg_string) char *wall = seconds(sum->wall), *alone = seconds(sum->alone);
	_auto(vg_string) char *work = seconds(sum->work), *waited = seconds(sum->waited);
	_auto(vg_string) char *count = sum->n_steps ? vg_format("%zu", sum->n_steps) : NULL;
	vg_table_row(table, (const char *const[]){name, wall, alone, work, waited, count});
}

static void print_slowest(struct vg_table *table, const char *name, const struct vg_span *span)
{
	_auto(vg_string) char *took = seconds(duration(span));
	_auto(vg_string) char *waited =
		seconds(span->begun > span->ready ? span->begun - span->ready : 0);
	_auto(vg_string) char *place = NULL;
	if (span->place.line)
		place = vg_format("%s:%u", span->place.file, span->place.line);
	vg_table_row(
		table, (const char *const[]){name, span->subject, span->host, took, waited, place});
}

void vg_timings_print(const struct vg_timings_sum *sum, FILE *out)
{
	static const struct vg_column columns[] = {{"TIME FOR", false, false},
		{"WALL", true, false}, {"ALONE", true, false}, {"WORK", true, false},
		{"WAITED", true, false}, {"STEPS", true, false}};
	static const struct vg_column slow_columns[] = {{"SLOWEST", false, false},
		{"WHAT", false, false}, {"HOST", false, false}, {"TOOK", true, false},
		{"WAITED", true, false}, {"PLACE", false, true}};
	_auto(vg_table) struct vg_table *kinds = vg_table_new(columns, VG_LENGTH(columns));
	_auto(vg_table) struct vg_table *slow = vg_table_new(slow_columns, VG_LENGTH(slow_columns));
	bool has_slow = false;
	for (size_t k = 0; k < VG_TIMED_N_KINDS; k++) {
		const struct vg_timed_sum *kind = &sum->kinds[k];
		if (kind->n_steps || kind->work >= SHOWN_NS)
			print_kind(kinds, kind_names[k], kind);
		for (size_t i = 0; i < kind->n_slowest; i++)
			print_slowest(slow, kind_names[k], &kind->slowest[i]);
		has_slow |= kind->n_slowest > 0;
	}
	_auto(vg_string) char *other = seconds(sum->other), *total = seconds(sum->total);
	vg_table_row(
		kinds, (const char *const[]){"(nothing of these)", other, NULL, NULL, NULL, NULL});
	vg_table_row(kinds, (const char *const[]){"all", total, NULL, NULL, NULL, NULL});
	fputc('\n', out);
	vg_table_print(kinds, out);
	if (!has_slow)
		return;
	fputc('\n', out);
	vg_table_print(slow, out);
}

static void set_us(struct vg_json *json, const char *key, uint64_t nanoseconds)
{
	vg_json_set_integer(json, key, (int64_t)(nanoseconds / 1000));
}

static struct vg_json *kind_to_json(const char *name, const struct vg_timed_sum *sum)
{
	struct vg_json *json = vg_json_object();
	vg_json_set_string(json, "kind", name);
	vg_json_set_integer(json, "steps", (int64_t)sum->n_steps);
	set_us(json, "wall_us", sum->wall);
	set_us(json, "alone_us", sum->alone);
	set_us(json, "work_us", sum->work);
	set_us(json, "waited_us", sum->waited);
	return json;
}

static struct vg_json *span_to_json(const char *name, const struct vg_span *span)
{
	struct vg_json *json = vg_json_object();
	vg_json_set_string(json, "kind", name);
	vg_json_set_string(json, "what", span->subject);
	vg_json_set_string(json, "host", span->host);
	_auto(vg_string) char *place = NULL;
	if (span->place.line)
		place = vg_format(
			"%s:%u:%u", span->place.file, span->place.line, span->place.column);
	vg_json_set_string(json, "place", place);
	set_us(json, "took_us", duration(span));
	set_us(json, "waited_us", span->begun > span->ready ? span->begun - span->ready : 0);
	return json;
}

struct vg_json *vg_timings_to_json(const struct vg_timings_sum *sum)
{
	struct vg_json *json = vg_json_object();
	struct vg_json *kinds = vg_json_array(), *slowest = vg_json_array();
	for (size_t k = 0; k < VG_TIMED_N_KINDS; k++) {
		const struct vg_timed_sum *kind = &sum->kinds[k];
		if (kind->n_steps || kind->work)
			vg_json_push(kinds, kind_to_json(kind_names[k], kind));
		for (size_t i = 0; i < kind->n_slowest; i++)
			vg_json_push(slowest, span_to_json(kind_names[k], &kind->slowest[i]));
	}
	set_us(json, "total_us", sum->total);
	set_us(json, "other_us", sum->other);
	vg_json_set(json, "kinds", kinds);
	vg_json_set(json, "slowest", slowest);
	return json;
}
