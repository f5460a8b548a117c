// SPDX-License-Identifier: Apache-2.0
//
// `vgrid up FILE`: plan, apply, wait until every node is ready, say where everything is.
#include "base/text.h"
#include "orchestrator/cli/result.h"
#include "orchestrator/cli/template_options.h"
#include "orchestrator/cli/verbs.h"
#include "orchestrator/plan/print.h"
#include "orchestrator/report/progress.h"
#include "orchestrator/report/table.h"
#include "orchestrator/report/timings.h"
#include "orchestrator/run/apply.h"
#include "orchestrator/run/commit.h"
#include "templates/bind.h"

// Restarts, recreations and removals are asked for; without a terminal `-y` must have been given.
static struct vg_error *consent(
	const struct vg_cli *cli, struct vg_context *context, const struct vg_plan *plan)
{
	if (vg_cli_flag(cli, "yes") || !vg_plan_asks(plan))
		return NULL;
	if (!vg_cli_can_ask())
		return vg_error_hint(
			vg_error_of(VG_ERROR_USAGE, "the plan restarts, recreates or removes "
						    "something, and nobody can be asked"),
			"'-y' goes ahead");
	if (vg_cli_ask(context, "Go ahead?"))
		return NULL;
	return vg_error_new("nothing was changed");
}

static char *addresses_of(const struct vg_grid *grid, const struct vg_node *node)
{
	struct vg_text text = {0};
	for (size_t i = 0; i < vg_node_role(grid, node)->n_nics; i++) {
		char ip[VG_IP_LENGTH];
		vg_ip_write(&node->nics[i].address, ip);
		vg_text_addf(&text, "%s%s", i ? ", " : "", ip);
	}
	return vg_text_take(&text);
}

static void print_table(const struct vg_session *session)
{
	static const struct vg_column columns[] = {{"NODE", false, false}, {"HOST", false, false},
		{"STATE", false, false}, {"ADDRESSES", false, true}};
	const struct vg_grid *grid = session->record->grid;
	_auto(vg_table) struct vg_table *table = vg_table_new(columns, VG_LENGTH(columns));
	for (size_t i = 0; i < grid->n_nodes; i++) {
		const struct vg_node *node = &grid->nodes[i];
		_auto(vg_string) char *addresses = addresses_of(grid, node);
		vg_table_row(
			table, (const char *const[]){node->name,
				       session->site->hosts[node->host].name, "ready", addresses});
	}
	vg_table_print(table, stdout);
	for (size_t i = 0; i < grid->n_outputs; i++) {
		_auto(vg_string) char *value = NULL;
		vg_error_ignore(vg_grid_expand(grid, NULL, &grid->outputs[i].value, &value));
		printf("%s: %s\n", grid->outputs[i].name, value ? value : "");
	}
}

static void print_json(const struct vg_session *session, const struct vg_planning *planning,
	const struct vg_timings_sum *timings)
{
	const struct vg_grid *grid = session->record->grid;
	_auto(vg_json) struct vg_json *json = vg_result_new(&vg_verb_up);
	vg_json_set_string(json, "grid", grid->name);
	vg_json_set_string(json, "site", session->site->text);
	vg_json_set_integer(json, "steps", (int64_t)planning->plan->n_steps);
	struct vg_json *nodes = vg_json_array(), *outputs = vg_json_object();
	for (size_t i = 0; i < grid->n_nodes; i++) {
		const struct vg_node *node = &grid->nodes[i];
		_auto(vg_string) char *addresses = addresses_of(grid, node);
		struct vg_json *item = vg_json_object();
		vg_json_set_string(item, "node", node->name);
		vg_json_set_string(item, "host", session->site->hosts[node->host].name);
		vg_json_set_string(item, "addresses", addresses);
		vg_json_push(nodes, item);
	}
	for (size_t i = 0; i < grid->n_outputs; i++) {
		_auto(vg_string) char *value = NULL;
		vg_error_ignore(vg_grid_expand(grid, NULL, &grid->outputs[i].value, &value));
		vg_json_set_string(outputs, grid->outputs[i].name, value ? value : "");
	}
	vg_json_set(json, "nodes", nodes);
	vg_json_set(json, "outputs", outputs);
	if (timings)
		vg_json_set(json, "timings", vg_timings_to_json(timings));
	vg_result_print(json);
}

// Plans and carries it out; what was made is still open then.
static struct vg_error *bring_up(const struct vg_cli *cli, struct vg_context *context,
	struct vg_session **ret_session, struct vg_planning **ret_planning)
{
	_auto(vg_session) struct vg_session *session = NULL;
	_auto(vg_planning) struct vg_planning *planning = NULL;
	struct vg_error *error = vg_template_plan(cli, context, false, &session, &planning);
	if (error)
		return error;
	vg_progress_say(
		context->progress, "Grid '%s' on %s", session->record->name, session->site->text);
	vg_progress_pause(context->progress);
	if (!vg_cli_flag(cli, "quiet"))
		vg_plan_print(planning->plan, stderr);
	enum vg_timed before = vg_timings_turn(context->timings, VG_TIMED_ASK);
	error = consent(cli, context, planning->plan);
	vg_timings_turn(context->timings, before);
	if (!error)
		error = vg_apply_first(session, &planning);
	if (!error)
		error = vg_commit_begin(session, &planning);
	if (!error)
		error = vg_apply(session, planning);
	if (!error)
		error = vg_commit_end(session);
	if (error)
		return error;
	*ret_session = vg_take(session);
	*ret_planning = vg_take(planning);
	return NULL;
}

static struct vg_error *run(const struct vg_cli *cli, struct vg_context *context, int *ret_status)
{
	(void)ret_status;
	_auto(vg_session) struct vg_session *session = NULL;
	_auto(vg_planning) struct vg_planning *planning = NULL;
	_auto(vg_timings) struct vg_timings *timings = NULL;
	_auto(vg_timings_sum) struct vg_timings_sum *sum = NULL;
	if (vg_cli_flag(cli, "timings"))
		timings = vg_timings_new(context->monotonic, context->begun, VG_TIMED_READ);
	context->timings = timings;
	struct vg_error *error = bring_up(cli, context, &session, &planning);
	if (timings && !error)
		sum = vg_timings_sum(timings);
	context->timings = NULL;
	if (error)
		return error;
	vg_progress_pause(context->progress);
	if (vg_cli_is_json(cli))
		print_json(session, planning, sum);
	else
		print_table(session);
	if (sum && !vg_cli_is_json(cli))
		vg_timings_print(sum, stdout);
	return NULL;
}

static const struct vg_operand operands[] = {{.name = "FILE", .completion = VG_COMPLETE_FILE}, {0}};

static const struct vg_result_field result[] = {
	{"grid", "string", "the grid's name"},
	{"site", "string", "where it is"},
	{"steps", "integer", "how many steps were carried out; 0: nothing was to be done"},
	{"nodes[].node", "string", "the node's name"},
	{"nodes[].host", "string", "the host it runs on"},
	{"nodes[].addresses", "string", "its addresses, in order of its nics"},
	{"outputs.*", "string", "an output of the template"},
	{"timings?.total_us", "integer",
		"with --timings: microseconds from the start to the result"},
	{"timings?.other_us", "integer", "of it, while nothing that is listed went on"},
	{"timings?.kinds[].kind", "string", "what time was spent on"},
	{"timings?.kinds[].steps", "integer", "how many steps there were of it"},
	{"timings?.kinds[].wall_us", "integer", "while at least one went on"},
	{"timings?.kinds[].alone_us", "integer", "of it, while nothing of another kind did"},
	{"timings?.kinds[].work_us", "integer", "their durations together"},
	{"timings?.kinds[].waited_us", "integer",
		"how long they waited for a free place, together"},
	{"timings?.slowest[].kind", "string", "what time was spent on; at most three of a kind"},
	{"timings?.slowest[].what", "string", "the node, the disk, the host"},
	{"timings?.slowest[].host", "string", "where"},
	{"timings?.slowest[].place", "string?",
		"FILE:LINE:COLUMN of the template that asked for it"},
	{"timings?.slowest[].took_us", "integer", "how long it took"},
	{"timings?.slowest[].waited_us", "integer", "how long it waited for a free place before"},
	{0},
};

const struct vg_command vg_verb_up = {
	.section = "A grid",
	.verb = "up",
	.summary = "make a grid out of a template, or what it lacks of it",
	.help = "Plans, shows the plan, carries it out, and waits until every node is ready. Run "
		"again it does what has become necessary, and nothing else. It asks only when "
		"something would be restarted, recreated or removed. A dash as FILE reads the "
		"template from standard input. While a host does not answer, nothing is done "
		"unless "
		"'--replace-host' names it: its nodes are then made anew on other hosts, once "
		"'--i-am-sure-it-is-off' says that none of them still runs there. '--timings' ends "
		"with where the time went: for each "
		"kind of work the time while it went on, how much of that had nothing else beside "
		"it, the durations together, and the waits for a free place; then the slowest "
		"steps.",
	.example = "$ vgrid up hello.yaml\n$ vgrid up hello.yaml --set workers=3\n",
	.operands = operands,
	.options = vg_up_options,
	.result = result,
	.run = run,
};
