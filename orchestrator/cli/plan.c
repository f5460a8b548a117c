// SPDX-License-Identifier: Apache-2.0
//
// `vgrid plan FILE`: what `up` would do, and why. Changes nothing.
#include "orchestrator/cli/result.h"
#include "orchestrator/cli/template_options.h"
#include "orchestrator/cli/verbs.h"
#include "orchestrator/plan/print.h"
#include "orchestrator/run/replan.h"

static struct vg_error *run(const struct vg_cli *cli, struct vg_context *context, int *ret_status)
{
	_auto(vg_session) struct vg_session *session = NULL;
	_auto(vg_planning) struct vg_planning *planning = NULL;
	struct vg_error *error = vg_template_plan(cli, context, true, &session, &planning);
	if (error)
		return error;
	const struct vg_grid *grid = session->record->grid;
	if (vg_cli_is_json(cli)) {
		_auto(vg_json) struct vg_json *json = vg_plan_to_json(planning->plan);
		vg_json_set_string(json, "grid", grid->name);
		vg_json_set_string(json, "site", session->site->text);
		vg_json_set_string(json, "topology_hash", grid->topology_hash);
		vg_result_print(json);
	} else {
		printf("Grid '%s' on %s, topology %.12s\n", grid->name, session->site->text,
			grid->topology_hash);
		vg_plan_print(planning->plan, stdout);
	}
	*ret_status = planning->plan->n_steps ? VG_EXIT_DIFFERENCES : VG_EXIT_DONE;
	return NULL;
}

static const struct vg_operand operands[] = {
	{.name = "FILE", .completion = VG_COMPLETE_FILE}, {0}};

static const struct vg_result_field result[] = {
	{"grid", "string", "the grid's name"},
	{"site", "string", "where it would be"},
	{"topology_hash", "string", "hash of all that is not quantum"},
	{"changes[].change", "string", "add, alter or remove"},
	{"changes[].subject", "string", "what changes: a node, a host"},
	{"changes[].text", "string", "what would be done, and why"},
	{"changes[].why", "string?", "of a new node: why it is on that host"},
	{"changes[].asks", "boolean", "whether up would ask first"},
	{"steps[].number", "integer", "the step's number"},
	{"steps[].kind", "string", "what kind of step it is"},
	{"steps[].subject", "string", "what it acts on"},
	{"steps[].needs[]", "integer", "steps that must have succeeded before"},
	{"not_enforced[]", "string", "a promise that this site does not enforce"},
	{0},
};

const struct vg_command vg_verb_plan = {
	.verb = "plan",
	.summary = "show what up would do, and why",
	.help = "Compares what the template wants with what there is and prints the difference. "
		"Exits with 0 when there is nothing to do, and with 3 otherwise. A dash as FILE "
		"reads the template from standard input.",
	.example = "$ vgrid plan hello.yaml\n",
	.operands = operands,
	.options = vg_template_options,
	.result = result,
	.run = run,
};
