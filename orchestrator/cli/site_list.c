// SPDX-License-Identifier: Apache-2.0
//
// `vgrid site list`: the practice sites there are.
#include "orchestrator/cli/verbs.h"

#include <stdio.h>

#include "base/file.h"
#include "base/text.h"
#include "box/practice.h"
#include "orchestrator/cli/result.h"
#include "orchestrator/cli/show.h"
#include "orchestrator/cli/site_view.h"
#include "orchestrator/report/progress.h"
#include "orchestrator/report/table.h"

struct line {
	char *name;
	struct vg_site_view *view; // NULL: it cannot be read
	char *problem;
};

static const char *state_of(const struct line *line)
{
	if (!line->view)
		return "broken";
	if (line->view->n_running == line->view->practice->n_hosts)
		return "running";
	return line->view->n_running ? "partly" : "stopped";
}

static struct line read_line(struct vg_context *context, const char *name)
{
	struct line line = {.name = vg_strdup(name)};
	struct vg_practice *practice = NULL;
	_auto(vg_error) struct vg_error *error = vg_practice_load(context->home, name, &practice);
	if (!error)
		error = vg_site_view_make(context, practice, &line.view);
	if (error)
		line.problem = vg_strdup(vg_error_text(error));
	return line;
}

static void print_json(const struct line *lines, size_t n_lines)
{
	_auto(vg_json) struct vg_json *result = vg_result_new(&vg_verb_site_list);
	struct vg_json *sites = vg_json_array();
	for (size_t i = 0; i < n_lines; i++) {
		const struct vg_site_view *view = lines[i].view;
		struct vg_json *site = vg_json_object();
		vg_json_set_string(site, "name", lines[i].name);
		vg_json_set_string(site, "state", state_of(&lines[i]));
		vg_json_set_integer(site, "hosts", view ? (int64_t)view->practice->n_hosts : 0);
		vg_json_set_integer(site, "running", view ? (int64_t)view->n_running : 0);
		vg_json_set_integer(site, "grids", view ? (int64_t)view->n_grids : 0);
		vg_json_set_string(site, "problem", lines[i].problem);
		vg_json_push(sites, site);
	}
	vg_json_set(result, "sites", sites);
	vg_result_print(result);
}

static void print_table(const struct line *lines, size_t n_lines)
{
	static const struct vg_column columns[] = {{.title = "SITE"}, {.title = "STATE"},
		{.title = "HOSTS", .is_right = true}, {.title = "OVS"},
		{.title = "GRIDS", .is_right = true}};
	_auto(vg_table) struct vg_table *table = vg_table_new(columns, VG_LENGTH(columns));
	for (size_t i = 0; i < n_lines; i++) {
		const struct vg_site_view *view = lines[i].view;
		_auto(vg_string) char *hosts =
			view ? vg_format("%zu/%zu", view->n_running, view->practice->n_hosts)
			     : NULL;
		_auto(vg_string) char *grids = view ? vg_format("%zu", view->n_grids) : NULL;
		const char *ovs = !view ? NULL : view->practice->has_switch ? "yes" : "no";
		vg_table_row(table, (const char *const[]){
					    lines[i].name, state_of(&lines[i]), hosts, ovs, grids});
	}
	if (n_lines)
		vg_table_print(table, stdout);
	else
		puts("No practice sites. 'vgrid site practice NAME' makes one; grids without "
		     "'--site' live in the sandbox.");
	for (size_t i = 0; i < n_lines; i++) {
		if (lines[i].problem)
			fprintf(stderr, "%s: %s\n", lines[i].name, lines[i].problem);
	}
}

static struct vg_error *run(const struct vg_cli *cli, struct vg_context *context, int *ret_status)
{
	(void)ret_status;
	char **names = NULL;
	size_t n_names = 0;
	struct vg_error *error = vg_practice_list(context->home, &names, &n_names);
	// Without any, nothing is entered or made.
	if (!error && n_names)
		error = vg_show_enter(context);
	if (error) {
		vg_folder_list_free(names, n_names);
		return error;
	}
	struct line *lines = vg_alloc((n_names + 1) * sizeof(*lines));
	for (size_t i = 0; i < n_names; i++)
		lines[i] = read_line(context, names[i]);
	vg_progress_pause(context->progress);
	if (vg_cli_is_json(cli))
		print_json(lines, n_names);
	else
		print_table(lines, n_names);
	for (size_t i = 0; i < n_names; i++) {
		free(lines[i].name);
		free(lines[i].problem);
		vg_site_view_free(lines[i].view);
	}
	free(lines);
	vg_folder_list_free(names, n_names);
	return NULL;
}

static const struct vg_operand operands[] = {{0}};

static const struct vg_result_field fields[] = {
	{"sites[].name", "string", "as given to --site"},
	{"sites[].state", "string", "running, partly, stopped or broken: its hosts"},
	{"sites[].hosts", "integer", "how many it has"},
	{"sites[].running", "integer", "how many of them run"},
	{"sites[].grids", "integer", "how many live there"},
	{"sites[].problem", "string?", "why it cannot be read"},
	{0},
};

const struct vg_command vg_verb_site_list = {
	.verb = "site list",
	.summary = "show the practice sites there are",
	.help = "Shows each practice site with how many of its hosts run, whether they have Open "
		"vSwitch, and how many grids live there.",
	.example = "$ vgrid site list\n",
	.operands = operands,
	.result = fields,
	.run = run,
};
