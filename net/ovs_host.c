// SPDX-License-Identifier: Apache-2.0
#include "net/ovs_host.h"

#include <poll.h>
#include <string.h>

#include "base/memory.h"
#include "net/ovs_change.h"

enum { START_MS = 3000, FLOWS_MS = 10000, PAUSE_MS = 50 };

struct vg_error *vg_ovs_look(const struct vg_net *net, struct vg_ovs_rows *ret_rows)
{
	_auto(vg_json) struct vg_json *operations = vg_ovs_rows_ask(), *answer = NULL;
	struct vg_error *error =
		vg_ovs_transact(&net->server, operations, VG_OVS_LOOK_MS, &answer, NULL);
	return error ? error : vg_ovs_rows_read(vg_take(answer), 0, ret_rows);
}

struct vg_error *vg_ovs_flows_probe(const struct vg_net *net, const struct vg_ovs_rows *rows)
{
	switch (net->server.endpoint.transport) {
	case VG_OVS_UNIX:
		return NULL;
	case VG_OVS_TCP:
		return vg_error_hint(
			vg_error_new("flows cannot reach it: tcp is not safe for them"),
			"let its OVSDB server listen with TLS, and give the address as "
			"ssl:HOST:PORT");
	case VG_OVS_SSL:
		break;
	}
	if (rows->has_keys)
		return NULL;
	return vg_error_hint(vg_error_new("flows cannot reach it: the switch has no TLS keys"),
		"run there: ovs-vsctl set-ssl KEY CERTIFICATE AUTHORITY");
}

// The bridge's address for OpenFlow.
static struct vg_error *endpoint_of(const struct vg_net *net, const struct vg_ovs_rows *rows,
	const struct vg_ovs_bridge *bridge, struct vg_ovs_endpoint *ret_endpoint)
{
	const struct vg_ovs_endpoint *server = &net->server.endpoint;
	struct vg_error *error = vg_ovs_flows_probe(net, rows);
	if (error)
		return error;
	struct vg_ovs_endpoint endpoint = {.transport = server->transport};
	if (server->transport == VG_OVS_UNIX) {
		int length = (int)(strrchr(server->path, '/') - server->path);
		endpoint.path = vg_format("%.*s/%s.mgmt", length, server->path, bridge->name);
	} else {
		endpoint.host = vg_strdup(server->host);
		endpoint.port = vg_ovs_controller_port(rows, bridge);
	}
	*ret_endpoint = endpoint;
	return NULL;
}

struct vg_error *vg_ovs_flows_open(const struct vg_net *net, const struct vg_ovs_rows *rows,
	const struct vg_ovs_bridge *bridge, struct vg_openflow **ret_openflow)
{
	_auto(vg_ovs_endpoint) struct vg_ovs_endpoint endpoint = {0};
	_auto(vg_ovs_wire) struct vg_ovs_wire *wire = NULL;
	struct vg_error *error = endpoint_of(net, rows, bridge, &endpoint);
	if (error)
		return error;
	uint64_t start = vg_ovs_now();
	do {
		vg_error_free(error);
		error = vg_ovs_wire_open(
			&endpoint, &net->server.tls, net->endpoint_fd, start + START_MS, &wire);
	} while (error && vg_ovs_now() + PAUSE_MS < start + START_MS &&
		 poll(NULL, 0, PAUSE_MS) == 0);
	if (!error)
		error = vg_openflow_open(vg_take(wire), start + FLOWS_MS, ret_openflow);
	_auto(vg_string) char *name = vg_ovs_endpoint_name(&endpoint);
	return vg_error_while(error, "reaching bridge '%s' at %s", bridge->name, name);
}

static int compare_cookies(const void *a, const void *b)
{
	const uint64_t *first = a, *second = b;
	return *first < *second ? -1 : *first > *second;
}

struct vg_error *vg_ovs_flows_read(struct vg_openflow *openflow, const struct vg_ovs_guards *guards,
	uint64_t **ret_cookies, size_t *ret_n_cookies)
{
	uint64_t *cookies = NULL;
	size_t n_cookies = 0;
	for (size_t i = 0; i < VG_LENGTH(guards->groups); i++) {
		uint64_t *some = NULL;
		size_t n_some = 0;
		struct vg_error *error =
			vg_openflow_cookies(openflow, guards->groups[i], &some, &n_some);
		if (error) {
			free(cookies);
			return vg_error_while(error, "reading its flows");
		}
		for (size_t j = 0; j < n_some; j++)
			vg_append(cookies, n_cookies) = some[j];
		free(some);
	}
	if (n_cookies)
		qsort(cookies, n_cookies, sizeof(*cookies), compare_cookies);
	*ret_cookies = cookies;
	*ret_n_cookies = n_cookies;
	return NULL;
}
