// SPDX-License-Identifier: Apache-2.0
//
// `vgrid status GRID`: what there is of a grid, node by node, and with --check what differs from
// its record.
#include "orchestrator/cli/verbs.h"

#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "base/text.h"
#include "orchestrator/cli/result.h"
#include "orchestrator/cli/show.h"
#include "orchestrator/cli/status_look.h"
#include "orchestrator/every_host.h"
#include "orchestrator/plan/print.h"
#include "orchestrator/report/progress.h"
#include "orchestrator/report/table.h"
#include "orchestrator/run/replan.h"
#include "templates/bind.h"

// A host that has not answered by then is shown as unreachable.
enum { LOOK_MAX_MS = 10 * 1000 };

struct view {
	const struct vg_session *session;
	const struct vg_grid *grid;
	const struct vg_planning *planning;
	const struct vg_node_status *nodes;
	bool is_checked; // --check
};

static bool is_stateless(const struct view *view, const struct vg_node *node)
{
	size_t image = vg_node_role(view->grid, node)->image;
	const struct vg_image_info *info =
		image < view->planning->n_images ? view->planning->infos[image] : NULL;
	return info && !info->format;
}

// How many hosts did not answer: of what is on them nothing is known.
static size_t count_silent(const struct vg_site *site)
{
	size_t n = 0;
	for (size_t h = 0; h < site->n_hosts; h++)
		n += site->hosts[h].problem != NULL;
	return n;
}

static const char *host_state(const struct vg_host *host)
{
	return host->problem ? "unreachable" : host->is_running ? "running" : "stopped";
}

static const char *site_state(const struct view *view)
{
	size_t n = 0;
	if (count_silent(view->session->site))
		return "unknown";
	for (size_t h = 0; h < view->session->site->n_hosts; h++)
		n += view->session->site->hosts[h].is_running;
	return n == 0 ? "stopped" : n < view->session->site->n_hosts ? "partly" : "running";
}

static const struct vg_column node_columns[] = {{.title = "NODE"}, {.title = "ROLE"},
	{.title = "HOST"}, {.title = "STATE"}, {.title = "READY"}, {.title = "ADDRESSES"},
	{.title = "CPU", .is_right = true}, {.title = "MEMORY", .is_right = true}};

static void add_node(const struct view *view, struct vg_table *table, size_t i)
{
	const struct vg_node_status *status = &view->nodes[i];
	const struct vg_role *role = vg_node_role(view->grid, status->node);
	_auto(vg_text) struct vg_text addresses = {0};
	for (size_t k = 0; k < status->n_addresses; k++)
		vg_text_addf(&addresses, "%s%s", k ? " " : "", status->addresses[k]);
	_auto(vg_string) char *state = *status->reason
					       ? vg_format("%s (%s)", status->state, status->reason)
					       : vg_strdup(status->state);
	_auto(vg_string) char *cpu = vg_format("%u", role->cpu);
	_auto(vg_string) char *memory = vg_units_write_size(role->memory);
	vg_table_row(table, (const char *const[]){status->node->name, role->name,
				    status->on ? status->on->name : NULL, state,
				    status->is_ready ? "yes" : "no", addresses.bytes, cpu, memory});
}

static void print_networks(const struct view *view)
{
	static const struct vg_column columns[] = {{.title = "NETWORK"}, {.title = "CIDR"},
		{.title = "VNI", .is_right = true}, {.title = "MTU", .is_right = true}};
	const struct vg_grid *grid = view->grid;
	const struct vg_record *record = view->session->record;
	_auto(vg_table) struct vg_table *table = vg_table_new(columns, VG_LENGTH(columns));
	for (size_t i = 0; i < grid->n_networks; i++) {
		char cidr[VG_CIDR_LENGTH];
		vg_cidr_write(&grid->networks[i].cidr, cidr);
		_auto(vg_string) char *vni =
			i < record->n_vnis ? vg_format("%u", record->vnis[i]) : NULL;
		_auto(vg_string) char *mtu = vg_format("%u", grid->networks[i].mtu);
		vg_table_row(table, (const char *const[]){grid->networks[i].name, cidr, vni, mtu});
	}
	if (!grid->n_networks)
		return;
	puts("");
	vg_table_print(table, stdout);
}

static void print_notes(const struct view *view)
{
	const struct vg_session *session = view->session;
	const struct vg_plan *plan = view->planning->plan;
	size_t n_notes = 0;
	bool is_known = !count_silent(session->site);
	if (is_known && strcmp(site_state(view), "running") != 0 &&
		session->record->phase != VG_PHASE_DOWN) {
		printf("\nThe %s%s %s; 'vgrid up' starts it.\n",
			session->site->practice ? "practice site " : "", session->site->kind,
			strcmp(site_state(view), "partly") == 0 ? "runs only in part"
								: "does not run");
		n_notes++;
	}
	for (size_t h = 0; h < session->site->n_hosts; h++) {
		const struct vg_host *host = &session->site->hosts[h];
		if (host->problem)
			printf("%s%s: %s: %s\n", n_notes++ ? "" : "\n", host_state(host), host->name,
				vg_error_message(host->problem));
	}
	for (size_t i = 0; i < view->grid->n_nodes; i++) {
		const struct vg_node_status *status = &view->nodes[i];
		bool is_worth = status->why && strcmp(status->state, "running") == 0;
		if (is_worth)
			printf("%snot ready: %s: %s\n", n_notes++ ? "" : "\n", status->node->name,
				status->why);
	}
	for (size_t r = 0; r < view->grid->n_roles; r++) {
		const struct vg_role *role = &view->grid->roles[r];
		if (role->count && is_stateless(view, &view->grid->nodes[role->first_node]))
			printf("%sstateless: role '%s': its image has no root disk\n",
				n_notes++ ? "" : "\n", role->name);
	}
	for (size_t i = 0; i < plan->n_unenforced; i++)
		printf("%snot enforced here: %s\n", n_notes++ ? "" : "\n", plan->unenforced[i]);
}

// Steps, or what could be said only: a disk that nothing but a word makes anew.
static bool differs(const struct vg_plan *plan)
{
	return plan->n_steps || plan->n_changes;
}

static struct vg_error *print_outputs(const struct view *view)
{
	for (size_t i = 0; i < view->grid->n_outputs; i++) {
		const struct vg_output *output = &view->grid->outputs[i];
		_auto(vg_string) char *value = NULL;
		struct vg_error *error = vg_grid_expand(view->grid, NULL, &output->value, &value);
		if (error)
			return error;
		printf("%s%s: %s\n", i ? "" : "\n", output->name, value);
	}
	return NULL;
}

static struct vg_error *print_table(const struct view *view)
{
	const struct vg_record *record = view->session->record;
	printf("%s on %s, %s, topology %.12s\n\n", record->name, record->site,
		vg_phase_name(record->phase), view->grid->topology_hash);
	_auto(vg_table) struct vg_table *table =
		vg_table_new(node_columns, VG_LENGTH(node_columns));
	for (size_t i = 0; i < view->grid->n_nodes; i++)
		add_node(view, table, i);
	vg_table_print(table, stdout);
	print_networks(view);
	print_notes(view);
	struct vg_error *error = print_outputs(view);
	if (!error && view->is_checked && !count_silent(view->session->site)) {
		bool is_different = differs(view->planning->plan);
		puts(is_different ? "\nDifferent from the record; 'vgrid up' would:"
				  : "\nAs recorded.");
		if (is_different)
			vg_plan_print(view->planning->plan, stdout);
	}
	return error;
}

static struct vg_json *node_json(const struct view *view, const struct vg_node_status *status)
{
	const struct vg_role *role = vg_node_role(view->grid, status->node);
	struct vg_json *json = vg_json_object(), *addresses = vg_json_object();
	for (size_t k = 0; k < status->n_addresses; k++)
		vg_json_set_string(addresses, view->grid->networks[role->nics[k].network].name,
			status->addresses[k]);
	vg_json_set_string(json, "name", status->node->name);
	vg_json_set_string(json, "role", role->name);
	vg_json_set_string(json, "uuid", status->node->uuid);
	vg_json_set_string(json, "host", status->on ? status->on->name : NULL);
	vg_json_set_string(json, "state", status->state);
	vg_json_set_string(json, "reason", status->reason);
	vg_json_set_boolean(json, "is_ready", status->is_ready);
	vg_json_set_string(json, "why", status->why);
	vg_json_set_boolean(json, "is_stateless", is_stateless(view, status->node));
	vg_json_set(json, "addresses", addresses);
	vg_json_set_integer(json, "cpu", role->cpu);
	vg_json_set_integer(json, "memory", (int64_t)role->memory);
	return json;
}

static struct vg_json *hosts_json(const struct vg_site *site)
{
	struct vg_json *hosts = vg_json_array();
	for (size_t h = 0; h < site->n_hosts; h++) {
		const struct vg_host *host = &site->hosts[h];
		struct vg_json *json = vg_json_object();
		vg_json_set_string(json, "name", host->name);
		vg_json_set_string(json, "state", host_state(host));
		vg_json_set_string(
			json, "why", host->problem ? vg_error_message(host->problem) : NULL);
		vg_json_push(hosts, json);
	}
	return hosts;
}

static struct vg_json *networks_json(const struct view *view)
{
	const struct vg_record *record = view->session->record;
	struct vg_json *networks = vg_json_array();
	for (size_t i = 0; i < view->grid->n_networks; i++) {
		char cidr[VG_CIDR_LENGTH];
		vg_cidr_write(&view->grid->networks[i].cidr, cidr);
		struct vg_json *network = vg_json_object();
		vg_json_set_string(network, "name", view->grid->networks[i].name);
		vg_json_set_string(network, "cidr", cidr);
		vg_json_set(network, "vni",
			i < record->n_vnis ? vg_json_integer(record->vnis[i]) : NULL);
		vg_json_set_integer(network, "mtu", view->grid->networks[i].mtu);
		vg_json_push(networks, network);
	}
	return networks;
}

static struct vg_error *print_json(const struct view *view)
{
	const struct vg_record *record = view->session->record;
	const struct vg_plan *plan = view->planning->plan;
	_auto(vg_json) struct vg_json *result = vg_result_new(&vg_verb_status);
	struct vg_json *nodes = vg_json_array(), *unenforced = vg_json_array(),
		       *outputs = vg_json_object(), *differences = vg_json_array();
	vg_json_set_string(result, "name", record->name);
	vg_json_set_string(result, "uuid", record->uuid);
	vg_json_set_string(result, "site", record->site);
	vg_json_set_string(result, "phase", vg_phase_name(record->phase));
	vg_json_set_string(result, "state", site_state(view));
	vg_json_set_string(result, "topology_hash", view->grid->topology_hash);
	vg_json_set(result, "hosts", hosts_json(view->session->site));
	vg_json_set(result, "nodes", nodes);
	vg_json_set(result, "networks", networks_json(view));
	vg_json_set(result, "not_enforced", unenforced);
	vg_json_set(result, "outputs", outputs);
	vg_json_set(result, "differences", differences);
	for (size_t i = 0; i < view->grid->n_nodes; i++)
		vg_json_push(nodes, node_json(view, &view->nodes[i]));
	for (size_t i = 0; i < plan->n_unenforced; i++)
		vg_json_push(unenforced, vg_json_string(plan->unenforced[i]));
	bool is_known = !count_silent(view->session->site);
	for (size_t i = 0; is_known && i < plan->n_changes; i++) {
		_auto(vg_string) char *change =
			vg_format("%s: %s", plan->changes[i].subject, plan->changes[i].text);
		vg_json_push(differences, vg_json_string(change));
	}
	for (size_t i = 0; i < view->grid->n_outputs; i++) {
		const struct vg_output *output = &view->grid->outputs[i];
		_auto(vg_string) char *value = NULL;
		struct vg_error *error = vg_grid_expand(view->grid, NULL, &output->value, &value);
		if (error)
			return error;
		vg_json_set_string(outputs, output->name, value);
	}
	vg_result_print(result);
	return NULL;
}

static struct vg_error *run(const struct vg_cli *cli, struct vg_context *context, int *ret_status)
{
	_auto(vg_session) struct vg_session *session = NULL;
	_auto(vg_planning) struct vg_planning *planning = NULL;
	vg_drivers_look_within(LOOK_MAX_MS);
	struct vg_error *error = vg_session_open(context, vg_cli_operand(cli, 0), NULL, &session);
	struct vg_replan_options options = {.is_report = true};
	if (!error)
		error = vg_replan(session, &options, &planning);
	if (!error && count_silent(session->site) == session->site->n_hosts)
		error = vg_hosts_problems(session->site);
	if (error)
		return error;
	struct view view = {.session = session,
		.grid = session->record->grid,
		.planning = planning,
		.is_checked = vg_cli_flag(cli, "check")};
	struct vg_node_status *nodes = vg_status_look(session, planning->world);
	view.nodes = nodes;
	vg_progress_pause(context->progress);
	error = vg_cli_is_json(cli) ? print_json(&view) : print_table(&view);
	vg_status_done(nodes, view.grid->n_nodes);
	if (!error)
		error = vg_hosts_problems(session->site);
	if (!error && view.is_checked && differs(planning->plan))
		*ret_status = VG_EXIT_DIFFERENCES;
	return error;
}

static const struct vg_operand operands[] = {{.name = "GRID", .completion = VG_COMPLETE_GRID}, {0}};

static const struct vg_option options_table[] = {
	{.name = "check", .help = "compare with the record; exits with 3 when something differs"},
	{0}};

static const struct vg_result_field fields[] = {
	{"name", "string", "the grid's"},
	{"uuid", "string", "in the tags of all that it owns"},
	{"site", "string", "as given to up"},
	{"phase", "string", "creating, up, down or removing"},
	{"state", "string", "running, partly, stopped or unknown: the site's hosts"},
	{"topology_hash", "string", "64 hexadecimal digits"},
	{"hosts[].name", "string", "of the site"},
	{"hosts[].state", "string", "running, stopped or unreachable"},
	{"hosts[].why", "string?", "what was heard of an unreachable one; else null"},
	{"nodes[].name", "string", "as in `vgrid exec GRID NAME`"},
	{"nodes[].role", "string", "the role it is one of"},
	{"nodes[].uuid", "string", "of the machine"},
	{"nodes[].host", "string?", "where it is placed"},
	{"nodes[].state", "string", "running, paused, stopped, crashed, absent or unknown"},
	{"nodes[].reason", "string", "why it does not run; empty if there is nothing to say"},
	{"nodes[].is_ready", "boolean", "its `ready` holds right now"},
	{"nodes[].why", "string?", "what is missing; null when it is ready"},
	{"nodes[].is_stateless", "boolean", "its image has no root disk"},
	{"nodes[].addresses.*", "string", "by network"},
	{"nodes[].cpu", "integer", "virtual CPUs"},
	{"nodes[].memory", "integer", "bytes"},
	{"networks[].name", "string", "in the template"},
	{"networks[].cidr", "string", "its addresses"},
	{"networks[].vni", "integer?", "its VXLAN network identifier"},
	{"networks[].mtu", "integer", "bytes"},
	{"not_enforced[]", "string", "what the template promises and this site does not enforce"},
	{"outputs.*", "string", "the template's outputs"},
	{"differences[]", "string", "what `vgrid up` with the same template would mend"},
	{0},
};

const struct vg_command vg_verb_status = {
	.verb = "status",
	.summary = "show a grid's nodes: host, state, readiness, addresses",
	.help = "Observes the grid and shows each node with its host, state and addresses, and "
		"whether "
		"its `ready` holds right now; then the networks, what this site does not enforce, "
		"and "
		"the template's outputs. A host that does not answer within seconds is shown as "
		"unreachable, its nodes as unknown, and the exit status is 1. With --check it compares all that there is with the "
		"record and "
		"shows what `vgrid up` would mend.",
	.example = "$ vgrid status hello\n$ vgrid status hello --check\n",
	.operands = operands,
	.options = options_table,
	.result = fields,
	.run = run,
};
