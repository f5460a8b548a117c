// SPDX-License-Identifier: Apache-2.0
//
// Making a host's overlays what a slice says: one transaction, then what the switch made of it,
// then the flows.
#include "base/memory.h"
#include "net/ovs_change.h"
#include "net/ovs_host.h"
#include "net/ovs_taps.h"

enum {
	TRIES = 10,
	APPLY_MS = 10000,
	ANSWER_MS = 2000,
	// How long a port may go at full speed after a rest. TCP that has lost the end of a burst
	// is silent for 200 ms (RFC 6298, Linux): with less than that it never comes near its rate.
	BURST_MS = 250,
	BURST_MIN = 512000, // bits: some 40 frames
};

// The switch's own verdict: a transaction only says what is wanted.
static struct vg_error *check(const struct vg_ovs_wants *wants)
{
	for (size_t i = 0; i < wants->n_items; i++) {
		const struct vg_ovs_want *want = &wants->items[i];
		const struct vg_ovs_interface *interface =
			want->seen ? want->seen->interface : NULL;
		char ip[VG_IP_LENGTH];
		if (!interface)
			return vg_error_at(
				want->place, "port '%s' was removed by somebody else", want->name);
		if (!vg_ovs_is_broken(interface))
			continue;
		if (want->port)
			return vg_error_at(want->place, "the switch refuses port '%s': %s",
				want->name, interface->error);
		vg_ip_write(&want->remote, ip);
		return vg_error_at(want->place, "the switch refuses VNI %u towards %s: %s",
			want->overlay->vni, ip, interface->error);
	}
	return NULL;
}

// Waits until the switch has applied this configuration, and looks again in the same transaction.
static struct vg_error *wait_until_applied(
	const struct vg_net *net, int64_t config, struct vg_ovs_rows *rows)
{
	_auto(vg_json) struct vg_json *operations = vg_json_array(), *answer = NULL;
	_auto(vg_json) struct vg_json *ask = vg_ovs_rows_ask();
	struct vg_json *wait = vg_json_object(), *conditions = vg_json_array();
	struct vg_json *condition = vg_json_array(), *columns = vg_json_array();
	vg_json_push(condition, vg_json_string("cur_cfg"));
	vg_json_push(condition, vg_json_string(">="));
	vg_json_push(condition, vg_json_integer(config));
	vg_json_push(conditions, condition);
	vg_json_push(columns, vg_json_string("cur_cfg"));
	vg_json_set_string(wait, "op", "wait");
	vg_json_set_string(wait, "table", "Open_vSwitch");
	vg_json_set_integer(wait, "timeout", APPLY_MS);
	vg_json_set(wait, "where", conditions);
	vg_json_set(wait, "columns", columns);
	vg_json_set_string(wait, "until", "!=");
	vg_json_set(wait, "rows", vg_json_array());
	vg_json_push(operations, wait);
	for (size_t i = 0; i < vg_json_length(ask); i++)
		vg_json_push(operations, vg_json_copy(vg_json_at(ask, i)));
	int refused;
	struct vg_error *error =
		vg_ovs_transact(&net->server, operations, APPLY_MS + ANSWER_MS, &answer, &refused);
	if (error && refused == 0) {
		vg_error_ignore(error);
		return vg_error_hint(vg_error_of(VG_ERROR_TIMEOUT,
					     "the switch has not applied its configuration after "
					     "%d seconds",
					     APPLY_MS / 1000),
			"is ovs-vswitchd running there?");
	}
	vg_ovs_rows_done(rows);
	return error ? error : vg_ovs_rows_read(vg_take(answer), 1, rows);
}

// Carries out the change and yields the number of the configuration, or 0: somebody else was
// quicker.
static struct vg_error *carry_out(const struct vg_net *net, const struct vg_slice *wanted,
	const struct vg_ovs_change *change, int64_t *ret_config)
{
	_auto(vg_json) struct vg_json *results = NULL;
	int refused;
	struct vg_error *error = vg_ovs_transact(
		&net->server, change->operations, VG_OVS_CHANGE_MS, &results, &refused);
	*ret_config = 0;
	if (error && refused == 0 && vg_error_kind(error) == VG_ERROR_TIMEOUT) {
		vg_error_ignore(error);
		return NULL;
	}
	if (error && refused > 0 && (size_t)refused < change->n_places)
		error = vg_error_place(error, change->places[refused]);
	if (error && wanted->n_overlays)
		return vg_error_place(error, wanted->overlays[0].place);
	if (error)
		return error;
	const struct vg_json *rows = vg_json_get(vg_json_at(results, change->n_places - 1), "rows");
	*ret_config = vg_json_get_integer(vg_json_at(rows, 0), "next_cfg", 0);
	return NULL;
}

// Ends with the rows as they are then, and the ports of the grid that were there before in *before.
static struct vg_error *change_database(struct vg_net *net, const struct vg_slice *wanted,
	struct vg_ovs_rows *before, struct vg_ovs_rows *after)
{
	bool has_controller = net->server.endpoint.transport == VG_OVS_SSL;
	for (unsigned i = 0; i < TRIES; i++) {
		_auto(vg_ovs_wants) struct vg_ovs_wants wants = {0};
		_auto(vg_ovs_change) struct vg_ovs_change change = {0};
		vg_ovs_rows_done(before);
		struct vg_error *error = vg_ovs_look(net, before);
		if (!error)
			error = vg_ovs_want(wanted, before, &wants);
		if (!error && wants.n_items && has_controller)
			error = vg_ovs_flows_probe(net, before);
		if (error)
			return error;
		change = vg_ovs_change_build(&wants, before, has_controller);
		int64_t config = before->wanted_config;
		if (change.n_places) {
			error = carry_out(net, wanted, &change, &config);
			if (error)
				return error;
			if (!config)
				continue;
		}
		return wait_until_applied(net, config, after);
	}
	return vg_error_new("other commands change its overlays all the time");
}

static struct vg_error *set_meters(struct vg_openflow *openflow, const struct vg_ovs_guards *guards)
{
	uint32_t n_meters = 0;
	struct vg_error *error =
		guards->n_meters ? vg_openflow_count_meters(openflow, &n_meters) : NULL;
	for (size_t i = 0; i < guards->n_meters && !error; i++) {
		const struct vg_ovs_meter *meter = &guards->meters[i];
		uint64_t burst = meter->rate / 1000 * BURST_MS;
		if (meter->id > n_meters)
			error = vg_error_new("the switch can limit %u ports", n_meters / 2);
		else
			error = vg_openflow_set_meter(openflow, meter->id, meter->rate,
				burst < BURST_MIN ? BURST_MIN : burst);
		error = vg_error_place(
			vg_error_while(error, "limiting the rate of a port"), meter->place);
	}
	return error;
}

// Of ports that had a rate and have none now.
static struct vg_error *remove_meters(struct vg_openflow *openflow, const struct vg_slice *wanted,
	const struct vg_ovs_rows *before, const struct vg_ovs_guards *guards)
{
	struct vg_error *error = NULL;
	for (size_t i = 0; i < before->n_ports && !error; i++) {
		const struct vg_ovs_port *port = &before->ports[i];
		if (!port->tag || !vg_tag_is_of(port->tag, wanted->store, wanted->grid) ||
			!vg_ovs_map_number(port->ids, "vgrid-rate") || !port->interface)
			continue;
		int64_t number = port->interface->ofport > 0 ? port->interface->ofport
							     : port->interface->ofport_wanted;
		bool is_used = false;
		for (size_t j = 0; j < guards->n_meters; j++)
			is_used |= guards->meters[j].id == vg_ovs_meter_from(number);
		if (is_used || number <= 0)
			continue;
		error = vg_openflow_remove_meter(openflow, vg_ovs_meter_from(number));
		if (!error)
			error = vg_openflow_remove_meter(openflow, vg_ovs_meter_to(number));
	}
	return error;
}

static struct vg_error *set_flows(struct vg_openflow *openflow, const struct vg_ovs_guards *guards)
{
	uint64_t *cookies = NULL;
	size_t n_cookies = 0;
	struct vg_error *error = vg_ovs_flows_read(openflow, guards, &cookies, &n_cookies);
	bool is_so = !error && vg_ovs_guards_are(guards, cookies, n_cookies);
	free(cookies);
	if (error || is_so)
		return error;
	error = set_meters(openflow, guards);
	if (error)
		return error;
	const char **texts = vg_alloc((guards->n_flows + 1) * sizeof(*texts));
	for (size_t i = 0; i < guards->n_flows; i++)
		texts[i] = guards->flows[i].text;
	// Without ports of its own a grid leaves the others' flows alone.
	size_t n_groups = guards->n_flows ? VG_LENGTH(guards->groups) : 1;
	error = vg_openflow_replace(openflow, guards->groups, n_groups, texts, guards->n_flows);
	free(texts);
	return error;
}

static struct vg_error *guard(struct vg_net *net, const struct vg_slice *wanted,
	const struct vg_ovs_wants *wants, const struct vg_ovs_rows *before,
	const struct vg_ovs_rows *after)
{
	const struct vg_ovs_bridge *bridge = vg_ovs_bridge_of(after, wanted->store);
	if (!bridge || net->server.endpoint.transport == VG_OVS_TCP)
		return NULL;
	_auto(vg_ovs_guards) struct vg_ovs_guards guards = vg_ovs_guards_build(wants);
	_auto(vg_openflow) struct vg_openflow *openflow = NULL;
	struct vg_error *error = vg_ovs_flows_open(net, after, bridge, &openflow);
	if (!error)
		error = set_flows(openflow, &guards);
	if (!error)
		error = remove_meters(openflow, wanted, before, &guards);
	return vg_error_while(error, "guarding the ports");
}

// Before anything is changed.
static struct vg_error *check_promises(const struct vg_net *net, const struct vg_slice *wanted)
{
	if (net->server.endpoint.transport != VG_OVS_TCP)
		return NULL;
	for (size_t i = 0; i < wanted->n_overlays; i++)
		for (size_t j = 0; j < wanted->overlays[i].n_ports; j++)
			if (wanted->overlays[i].ports[j].rate)
				return vg_error_place(vg_error_while(vg_ovs_flows_probe(net, NULL),
							      "limiting the rate of a port"),
					wanted->overlays[i].ports[j].place);
	return NULL;
}

struct vg_error *vg_ovs_converge(struct vg_net *net, const struct vg_slice *wanted)
{
	_auto(vg_ovs_rows) struct vg_ovs_rows before = {0}, after = {0};
	_auto(vg_ovs_wants) struct vg_ovs_wants wants = {0};
	struct vg_error *error = check_promises(net, wanted);
	if (!error && net->namespace_fd >= 0)
		error = vg_ovs_taps_make(wanted, net->namespace_fd, net->tap_user);
	if (!error)
		error = change_database(net, wanted, &before, &after);
	// Once more: the switch reads the flags of a link that it attaches, adds one and writes
	// them back, and so may take down again what was brought up in between.
	if (!error && net->namespace_fd >= 0)
		error = vg_ovs_taps_make(wanted, net->namespace_fd, net->tap_user);
	if (!error)
		error = vg_ovs_want(wanted, &after, &wants);
	if (!error)
		error = check(&wants);
	if (!error)
		error = guard(net, wanted, &wants, &before, &after);
	return vg_error_while(error, "building the overlays on host '%s'", net->host);
}
