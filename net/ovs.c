// SPDX-License-Identifier: Apache-2.0
//
// The ovs net driver: overlays in Open vSwitch on any host, by OVSDB and OpenFlow; nothing of ours
// runs there. ovs_rows.h says how an overlay lies on a host, ovs_guard.h what the flows are for.
#include <fcntl.h>
#include <string.h>

#include "base/map.h"
#include "base/text.h"
#include "net/ovs_change.h"
#include "net/ovs_host.h"
#include "net/ovs_taps.h"
#include "net/reach.h"

static void ovs_close(struct vg_net *net)
{
	if (!net)
		return;
	vg_ovs_endpoint_done(&net->server.endpoint);
	free((char *)net->tls.key);
	free((char *)net->tls.certificate);
	free((char *)net->tls.authority);
	if (net->namespace_fd >= 0)
		close(net->namespace_fd);
	if (net->endpoint_fd >= 0)
		close(net->endpoint_fd);
	free(net->host);
	free(net);
}

static char *copy(const char *text)
{
	return text ? vg_strdup(text) : NULL;
}

static int duplicate(int fd)
{
	return fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

static struct vg_error *ovs_open(const struct vg_net_target *target, struct vg_net **ret)
{
	struct vg_net *net = vg_new(struct vg_net);
	net->host = vg_strdup(target->host);
	net->tap_user = target->tap_user;
	net->namespace_fd = duplicate(target->namespace_fd);
	net->endpoint_fd =
		duplicate(target->endpoint_namespace_fd > 0 ? target->endpoint_namespace_fd
							    : target->namespace_fd);
	net->tls = (struct vg_tls_files){
		copy(target->tls.key), copy(target->tls.certificate), copy(target->tls.authority)};
	net->server.tls = net->tls;
	net->server.namespace_fd = net->endpoint_fd;
	struct vg_error *error = vg_ovs_endpoint_read(
		target->endpoint ? target->endpoint : "", &net->server.endpoint);
	if (!error)
		error = vg_ovs_probe(&net->server);
	if (error) {
		ovs_close(net);
		return vg_error_while(error, "reaching the switch of host '%s'", target->host);
	}
	*ret = net;
	return NULL;
}

// A flow that is missing leaves its port unguarded, one of all ports every port.
static void mark(struct vg_slice *slice, const struct vg_ovs_flow *flow)
{
	for (size_t i = 0; i < slice->n_overlays; i++)
		for (size_t j = 0; j < slice->overlays[i].n_ports; j++)
			if (!flow->port || flow->port == &slice->overlays[i].ports[j])
				slice->overlays[i].ports[j].is_unguarded = true;
}

static bool has_cookie(const uint64_t *cookies, size_t n_cookies, uint64_t cookie)
{
	size_t low = 0, high = n_cookies;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (cookies[middle] < cookie)
			low = middle + 1;
		else
			high = middle;
	}
	return low < n_cookies && cookies[low] == cookie;
}

// A switch that cannot be asked guards nobody; that it is ill the next converge() says.
static void look_for_guards(const struct vg_net *net, const struct vg_ovs_rows *rows,
	const struct vg_ovs_bridge *bridge, struct vg_slice *slice)
{
	_auto(vg_ovs_wants) struct vg_ovs_wants wants = {0};
	_auto(vg_openflow) struct vg_openflow *openflow = NULL;
	uint64_t *cookies = NULL;
	size_t n_cookies = 0;
	struct vg_error *error = vg_ovs_want(slice, rows, &wants);
	_auto(vg_ovs_guards) struct vg_ovs_guards guards = vg_ovs_guards_build(&wants);
	if (!error)
		error = vg_ovs_flows_open(net, rows, bridge, &openflow);
	if (!error)
		error = vg_ovs_flows_read(openflow, &guards, &cookies, &n_cookies);
	if (error)
		mark(slice, &(struct vg_ovs_flow){0});
	for (size_t i = 0; i < guards.n_flows && !error; i++)
		if (!has_cookie(cookies, n_cookies, guards.flows[i].cookie))
			mark(slice, &guards.flows[i]);
	vg_error_ignore(error);
	free(cookies);
}

// Taps of the hypervisor's own are there as long as their machine has them open.
static void hold_all(struct vg_slice *slice, const struct vg_ovs_rows *rows)
{
	for (size_t i = 0; i < slice->n_overlays; i++)
		for (size_t j = 0; j < slice->overlays[i].n_ports; j++) {
			const char *link = slice->overlays[i].ports[j].link;
			const struct vg_ovs_port *port = vg_map_get(rows->port_by_name, link);
			if (port && port->interface && port->interface->ofport > 0)
				vg_append(slice->held, slice->n_held) = vg_strdup(link);
		}
}

static struct vg_error *ovs_observe(
	struct vg_net *net, const char *store, const char *grid, struct vg_slice **ret_seen)
{
	_auto(vg_ovs_rows) struct vg_ovs_rows rows = {0};
	struct vg_error *error = vg_ovs_look(net, &rows);
	if (error)
		return vg_error_while(error, "observing the overlays on host '%s'", net->host);
	const struct vg_ovs_bridge *bridge = vg_ovs_bridge_of(&rows, store);
	struct vg_slice *slice = vg_ovs_slice(&rows, store, grid);
	if (bridge && slice->n_overlays && net->server.endpoint.transport != VG_OVS_TCP)
		look_for_guards(net, &rows, bridge, slice);
	if (net->namespace_fd < 0)
		hold_all(slice, &rows);
	else
		error = vg_ovs_taps_see(slice, &rows, net->namespace_fd);
	if (error) {
		vg_slice_free(slice);
		return vg_error_while(error, "observing the overlays on host '%s'", net->host);
	}
	*ret_seen = slice;
	return NULL;
}

static struct vg_error *ovs_owners(
	struct vg_net *net, const char *store, char ***ret_grids, size_t *ret_n_grids)
{
	_auto(vg_ovs_rows) struct vg_ovs_rows rows = {0};
	struct vg_error *error = vg_ovs_look(net, &rows);
	if (error)
		return vg_error_while(error, "observing the overlays on host '%s'", net->host);
	_auto(vg_map) struct vg_map *known = vg_map_new();
	char **grids = NULL;
	size_t n_grids = 0;
	for (size_t i = 0; i < rows.n_ports; i++) {
		const struct vg_ovs_port *port = &rows.ports[i];
		struct vg_tag tag;
		// The bridge's own port is nobody's.
		if (!port->tag || !vg_tag_read(port->tag, &tag) || strcmp(tag.store, store) != 0 ||
			strcmp(tag.grid, "site") == 0 || vg_map_has(known, tag.grid))
			continue;
		vg_map_set(known, tag.grid, net);
		vg_append(grids, n_grids) = vg_strdup(tag.grid);
	}
	if (net->namespace_fd >= 0)
		error = vg_ovs_taps_owners(store, net->namespace_fd, known, &grids, &n_grids);
	if (error) {
		for (size_t i = 0; i < n_grids; i++)
			free(grids[i]);
		free(grids);
		return vg_error_while(error, "observing the overlays on host '%s'", net->host);
	}
	*ret_grids = grids;
	*ret_n_grids = n_grids;
	return NULL;
}

// Any bridge can say whether the datapath has meters; where none can be asked, converge() finds
// out.
static struct vg_error *look_for_meters(const struct vg_net *net, const struct vg_ovs_rows *rows)
{
	bool is_local = net->server.endpoint.transport == VG_OVS_UNIX;
	for (size_t i = 0; i < rows->n_bridges; i++) {
		const struct vg_ovs_bridge *bridge = &rows->bridges[i];
		if (!is_local && !vg_ovs_controller_port(rows, bridge))
			continue;
		_auto(vg_openflow) struct vg_openflow *openflow = NULL;
		uint32_t n_meters = 0;
		struct vg_error *error = vg_ovs_flows_open(net, rows, bridge, &openflow);
		if (!error)
			error = vg_openflow_count_meters(openflow, &n_meters);
		if (!error && n_meters == 0)
			error = vg_error_new("the switch cannot limit rates: it has no meters");
		return error;
	}
	return NULL;
}

static struct vg_error *ovs_facts(struct vg_net *net, struct vg_net_facts *ret_facts)
{
	_auto(vg_ovs_rows) struct vg_ovs_rows rows = {0};
	struct vg_error *error = vg_ovs_look(net, &rows);
	if (error)
		return vg_error_while(error, "observing the switch of host '%s'", net->host);
	struct vg_net_facts facts = {
		.version = *rows.version ? vg_strdup(rows.version) : NULL,
		.datapath = vg_ovs_datapath(&rows),
		.needs_plain_frames = strcmp(vg_ovs_datapath(&rows), "netdev") == 0,
		.needs_taps = net->namespace_fd < 0,
	};
	error = vg_ovs_flows_probe(net, &rows);
	facts.can_guard = !error;
	if (!error)
		error = look_for_meters(net, &rows);
	facts.can_limit = !error;
	facts.why_not = error ? vg_strdup(vg_error_message(error)) : NULL;
	facts.remedy = copy(error ? vg_error_remedy(error) : NULL);
	vg_error_ignore(error);
	*ret_facts = facts;
	return NULL;
}

// Only in a host of this machine can packets be sent; OVSDB has no word for it.
static struct vg_error *ovs_reach(struct vg_net *net, const struct vg_net_peer *peers,
	size_t n_peers, unsigned size, unsigned **ret_mtus)
{
	if (net->namespace_fd < 0)
		return vg_error_new("OVSDB cannot send packets from host '%s'", net->host);
	return vg_error_while(vg_reach(net->namespace_fd, peers, n_peers, size, ret_mtus),
		"reaching from host '%s'", net->host);
}

const struct vg_net_driver vg_net_ovs = {
	.name = "ovs",
	.open = ovs_open,
	.close = ovs_close,
	.converge = vg_ovs_converge,
	.observe = ovs_observe,
	.owners = ovs_owners,
	.facts = ovs_facts,
	.reach = ovs_reach,
};
