// SPDX-License-Identifier: Apache-2.0
//
// `vgrid list`: the grids of the store, from their records and from whether their boxes are there.
#include "orchestrator/cli/verbs.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "box/box.h"
#include "orchestrator/cli/result.h"
#include "orchestrator/cli/show.h"
#include "orchestrator/report/table.h"
#include "orchestrator/site_file.h"
#include "orchestrator/state/store.h"

struct line {
	struct vg_record *record; // NULL: it cannot be read
	struct vg_site *site;     // NULL: neither
	char *key, *problem;
	const char *state; // "running", "stopped", "partly", "unknown"
};

static void free_lines(struct line *lines, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		vg_record_free(lines[i].record);
		vg_site_free(lines[i].site);
		free(lines[i].key);
		free(lines[i].problem);
	}
	free(lines);
}

// A record that cannot be read is shown as such.
static struct line read_line(struct vg_context *context, const char *key)
{
	struct line line = {.key = vg_strdup(key), .state = "unknown"};
	_auto(vg_error) struct vg_error *error = vg_store_load(context, key, &line.record);
	if (!error)
		error = vg_site_find(context, line.record->site, &line.site);
	if (error)
		line.problem = vg_strdup(vg_error_text(error));
	return line;
}

static struct vg_error *read_lines(
	struct vg_context *context, struct line **ret_lines, size_t *ret_n)
{
	char **keys;
	size_t n_keys;
	struct vg_error *error = vg_store_list(context, &keys, &n_keys);
	if (error)
		return error;
	struct line *lines = vg_alloc((n_keys + 1) * sizeof(*lines));
	for (size_t i = 0; i < n_keys; i++)
		lines[i] = read_line(context, keys[i]);
	vg_folder_list_free(keys, n_keys);
	*ret_lines = lines;
	*ret_n = n_keys;
	return NULL;
}

// Boxes are looked for once for all grids. Where none can be had, states stay unknown.
static void look_for_boxes(struct vg_context *context, struct line *lines, size_t n_lines)
{
	_auto(vg_error) struct vg_error *error = NULL;
	bool has_boxes = false;
	for (size_t i = 0; i < n_lines; i++) {
		struct line *line = &lines[i];
		if (!line->site)
			continue;
		bool is_in_boxes = vg_site_has_boxes(line->site);
		has_boxes |= is_in_boxes;
		if (!is_in_boxes)
			line->state = "running";
		if (is_in_boxes && !error)
			error = vg_site_enter(line->site, context);
	}
	struct vg_box_list boxes = {0};
	if (has_boxes && !error)
		error = vg_context_store(context);
	if (has_boxes && !error)
		error = vg_box_list(context->home, context->store, NULL, &boxes);
	for (size_t i = 0; has_boxes && i < n_lines; i++) {
		struct line *line = &lines[i];
		if (!line->site || !vg_site_has_boxes(line->site))
			continue;
		if (error) {
			line->problem = vg_strdup(vg_error_text(error));
			continue;
		}
		size_t n = vg_site_count_running(
			line->site, &boxes, context->store, line->record->uuid);
		line->state = n == 0 ? "stopped" : n < line->site->n_hosts ? "partly" : "running";
	}
	vg_box_list_done(&boxes);
}

static struct vg_json *line_json(const struct line *line)
{
	const struct vg_record *record = line->record;
	_auto(vg_string) char *created = record ? vg_show_moment(record->created_at) : NULL;
	struct vg_json *json = vg_json_object();
	vg_json_set_string(json, "key", line->key);
	vg_json_set_string(json, "name", record ? record->name : NULL);
	vg_json_set_string(json, "uuid", record ? record->uuid : NULL);
	vg_json_set_string(json, "site", record ? record->site : NULL);
	vg_json_set_string(json, "phase", record ? vg_phase_name(record->phase) : NULL);
	vg_json_set_string(json, "state", line->state);
	vg_json_set_integer(json, "nodes", record ? (int64_t)record->grid->n_nodes : 0);
	vg_json_set_string(json, "created_at", created);
	vg_json_set_string(json, "topology_hash", record ? record->grid->topology_hash : NULL);
	vg_json_set_string(json, "template", record ? record->template_path : NULL);
	vg_json_set_string(json, "problem", line->problem);
	return json;
}

static void print_json(const struct line *lines, size_t n_lines)
{
	_auto(vg_json) struct vg_json *result = vg_result_new(&vg_verb_list);
	struct vg_json *grids = vg_json_array();
	for (size_t i = 0; i < n_lines; i++)
		vg_json_push(grids, line_json(&lines[i]));
	vg_json_set(result, "grids", grids);
	vg_result_print(result);
}

static const struct vg_column columns[] = {{.title = "GRID"}, {.title = "SITE"}, {.title = "PHASE"},
	{.title = "STATE"}, {.title = "NODES", .is_right = true},
	{.title = "AGE", .is_right = true}, {.title = "TOPOLOGY"},
	{.title = "TEMPLATE", .may_wrap = true}};

static void add_row(
	const struct vg_context *context, struct vg_table *table, const struct line *line)
{
	const struct vg_record *record = line->record;
	if (!record) {
		vg_table_row(table, (const char *const[]){line->key, NULL, "broken", line->state,
					    NULL, NULL, NULL, NULL});
		return;
	}
	uint64_t now = context->now();
	_auto(vg_string) char *age =
		vg_show_age(now > record->created_at ? now - record->created_at : 0);
	_auto(vg_string) char *nodes = vg_format("%zu", record->grid->n_nodes);
	_auto(vg_string) char *hash = vg_strndup(record->grid->topology_hash, 12);
	vg_table_row(
		table, (const char *const[]){line->key, record->site, vg_phase_name(record->phase),
			       line->state, nodes, age, hash, record->template_path});
}

static void print_table(const struct vg_context *context, const struct line *lines, size_t n_lines)
{
	_auto(vg_table) struct vg_table *table = vg_table_new(columns, VG_LENGTH(columns));
	for (size_t i = 0; i < n_lines; i++)
		add_row(context, table, &lines[i]);
	if (n_lines)
		vg_table_print(table, stdout);
	else
		puts("No grids. 'vgrid up FILE' makes one.");
	for (size_t i = 0; i < n_lines; i++) {
		if (lines[i].problem)
			fprintf(stderr, "%s: %s\n", lines[i].key, lines[i].problem);
	}
}

static struct vg_error *run(const struct vg_cli *cli, struct vg_context *context, int *ret_status)
{
	(void)ret_status;
	struct line *lines = NULL;
	size_t n_lines = 0;
	struct vg_error *error = read_lines(context, &lines, &n_lines);
	if (!error)
		look_for_boxes(context, lines, n_lines);
	if (!error && vg_cli_is_json(cli))
		print_json(lines, n_lines);
	else if (!error)
		print_table(context, lines, n_lines);
	free_lines(lines, n_lines);
	return error;
}

static const struct vg_operand operands[] = {{0}};

static const struct vg_result_field fields[] = {
	{"grids[].key", "string", "NAME@KIND, which names it everywhere"},
	{"grids[].name", "string?", "null, as all that follows, where the record cannot be read"},
	{"grids[].uuid", "string?", "in the tags of all that it owns"},
	{"grids[].site", "string?", "as given to up"},
	{"grids[].phase", "string?", "creating, up, down or removing"},
	{"grids[].state", "string", "running, partly, stopped or unknown: its hosts"},
	{"grids[].nodes", "integer", "how many it wants"},
	{"grids[].created_at", "string?", "RFC 3339"},
	{"grids[].topology_hash", "string?", "64 hexadecimal digits"},
	{"grids[].template", "string?", "absolute path, or -"},
	{"grids[].problem", "string?", "why it cannot be read or looked at"},
	{0},
};

const struct vg_command vg_verb_list = {
	.verb = "list",
	.summary = "show the grids there are",
	.help = "Shows every grid that has a record here: its phase (creating, up, down, "
		"removing), "
		"whether its hosts run, how many nodes it wants and from which template. A record "
		"that cannot be read is shown as broken. Nothing is asked of the nodes; `vgrid "
		"status` does that.",
	.example = "$ vgrid list\n$ vgrid list -o json\n",
	.operands = operands,
	.result = fields,
	.run = run,
};
