// SPDX-License-Identifier: Apache-2.0
//
// `vgrid site list`: the sites that are built in, and those that were used and are remembered.
#include "orchestrator/cli/verbs.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "box/practice.h"
#include "orchestrator/cli/result.h"
#include "orchestrator/cli/show.h"
#include "orchestrator/cli/site_view.h"
#include "orchestrator/report/progress.h"
#include "orchestrator/report/table.h"
#include "orchestrator/site_file.h"
#include "orchestrator/state/store.h"

struct line {
	const char *name;
	size_t n_hosts, n_grids;
	bool is_practice;
	size_t n_running;     // of a practice site
	char *what, *problem; // problem NULL: none
};

static size_t count_grids(char *const *keys, size_t n_keys, const char *site)
{
	size_t n = 0;
	for (size_t i = 0; i < n_keys; i++) {
		const char *at = strchr(keys[i], '@');
		n += at && strcmp(at + 1, site) == 0;
	}
	return n;
}

// How many of a practice site's hosts run.
static struct vg_error *count_running(
	struct vg_context *context, const char *name, size_t *ret_n_running)
{
	struct vg_practice *practice = NULL;
	_auto(vg_site_view) struct vg_site_view *view = NULL;
	struct vg_error *error = vg_practice_load(context->home, name, &practice);
	if (!error)
		error = vg_site_view_make(context, practice, &view);
	if (!error)
		*ret_n_running = view->n_running;
	return error;
}

static struct line look(
	struct vg_context *context, const char *name, char *const *keys, size_t n_keys)
{
	struct line line = {.name = name, .n_grids = count_grids(keys, n_keys, name)};
	_auto(vg_site) struct vg_site *site = NULL;
	_auto(vg_error) struct vg_error *error = vg_site_find(context, name, &site);
	line.is_practice = site && site->practice;
	if (line.is_practice)
		error = count_running(context, name, &line.n_running);
	if (error) {
		line.problem = vg_strdup(vg_error_text(error));
		return line;
	}
	line.n_hosts = site->n_hosts;
	if (!site->file)
		line.what = vg_strdup("boxes on this machine, each grid its own");
	else if (line.is_practice)
		line.what = vg_format("practice site, %zu of %zu hosts run%s", line.n_running,
			site->n_hosts, site->practice->has_switch ? ", with Open vSwitch" : "");
	else
		line.what = vg_strdup(site->file->description ? site->file->description : "");
	return line;
}

static void print_json(const struct line *lines, size_t n_lines)
{
	_auto(vg_json) struct vg_json *result = vg_result_new(&vg_verb_site_list);
	struct vg_json *sites = vg_json_array();
	for (size_t i = 0; i < n_lines; i++) {
		struct vg_json *site = vg_json_object();
		vg_json_set_string(site, "name", lines[i].name);
		vg_json_set_integer(site, "hosts", (int64_t)lines[i].n_hosts);
		vg_json_set(site, "running",
			lines[i].is_practice ? vg_json_integer((int64_t)lines[i].n_running) : NULL);
		vg_json_set_integer(site, "grids", (int64_t)lines[i].n_grids);
		vg_json_set_string(site, "description", lines[i].what);
		vg_json_set_string(site, "problem", lines[i].problem);
		vg_json_push(sites, site);
	}
	vg_json_set(result, "sites", sites);
	vg_result_print(result);
}

static void print_table(const struct line *lines, size_t n_lines)
{
	static const struct vg_column columns[] = {{.title = "SITE"},
		{.title = "HOSTS", .is_right = true}, {.title = "GRIDS", .is_right = true},
		{.title = "DESCRIPTION", .may_wrap = true}};
	_auto(vg_table) struct vg_table *table = vg_table_new(columns, VG_LENGTH(columns));
	for (size_t i = 0; i < n_lines; i++) {
		_auto(vg_string) char *hosts =
			lines[i].problem ? NULL : vg_format("%zu", lines[i].n_hosts);
		_auto(vg_string) char *grids = vg_format("%zu", lines[i].n_grids);
		vg_table_row(table, (const char *const[]){lines[i].name, hosts, grids,
					    lines[i].problem ? "cannot be read" : lines[i].what});
	}
	vg_table_print(table, stdout);
	for (size_t i = 0; i < n_lines; i++) {
		if (lines[i].problem)
			fprintf(stderr, "%s: %s\n", lines[i].name, lines[i].problem);
	}
}

// Only where there is one: else nothing is made or entered for a list.
static struct vg_error *enter_for_practice(struct vg_context *context)
{
	char **names = NULL;
	size_t n_names = 0;
	struct vg_error *error = vg_practice_list(context->home, &names, &n_names);
	vg_folder_list_free(names, n_names);
	return error || !n_names ? error : vg_show_enter(context);
}

static struct vg_error *run(const struct vg_cli *cli, struct vg_context *context, int *ret_status)
{
	(void)ret_status;
	char **names = NULL, **keys = NULL;
	size_t n_names = 0, n_keys = 0;
	struct vg_error *error = enter_for_practice(context);
	if (!error)
		error = vg_site_known(context, &names, &n_names);
	if (!error)
		error = vg_store_list(context, &keys, &n_keys);
	struct line *lines = vg_alloc((n_names + 1) * sizeof(*lines));
	for (size_t i = 0; !error && i <= n_names; i++)
		lines[i] = look(context, i ? names[i - 1] : "sandbox", keys, n_keys);
	if (!error && vg_cli_is_json(cli))
		print_json(lines, n_names + 1);
	else if (!error)
		print_table(lines, n_names + 1);
	for (size_t i = 0; i <= n_names; i++) {
		free(lines[i].what);
		free(lines[i].problem);
	}
	free(lines);
	vg_folder_list_free(names, n_names);
	vg_folder_list_free(keys, n_keys);
	return error;
}

static const struct vg_operand operands[] = {{0}};

static const struct vg_result_field fields[] = {
	{"sites[].name", "string", "for --site, and behind the @ of a grid"},
	{"sites[].hosts", "integer", "how many it has; of the sandbox, where no number is given"},
	{"sites[].running", "integer?", "of a practice site: how many of its hosts run"},
	{"sites[].grids", "integer", "how many grids have a record there"},
	{"sites[].description", "string?", "what it is; null where it cannot be read"},
	{"sites[].problem", "string?", "why it cannot be read"},
	{0},
};

const struct vg_command vg_verb_site_list = {
	.verb = "site list",
	.summary = "show the sites that are known",
	.help = "Shows the sandbox, the practice sites with how many of their hosts run, and the "
		"sites "
		"that were used before by their files: their names suffice from then on.",
	.example = "$ vgrid site list\n",
	.operands = operands,
	.result = fields,
	.run = run,
};
