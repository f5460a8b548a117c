// SPDX-License-Identifier: Apache-2.0
#include "net/ovs_rows.h"

#include <errno.h>
#include <string.h>

#include "base/map.h"
#include "base/text.h"

enum { SWITCH, BRIDGE, PORT, INTERFACE, CONTROLLER, N_TABLES };

static const struct {
	const char *name, *columns; // blank-separated
} tables[N_TABLES] = {
	[SWITCH] = {"Open_vSwitch", "_uuid cur_cfg next_cfg ovs_version ssl"},
	[BRIDGE] = {"Bridge", "_uuid name ports datapath_type controller external_ids"},
	[PORT] = {"Port", "_uuid name tag vlan_mode protected interfaces external_ids"},
	[INTERFACE] = {"Interface",
		"_uuid name type options ofport ofport_request error mtu mtu_request admin_state "
		"external_ids"},
	[CONTROLLER] = {"Controller", "_uuid target"},
};

struct vg_json *vg_ovs_rows_ask(void)
{
	struct vg_json *operations = vg_json_array();
	for (size_t i = 0; i < N_TABLES; i++) {
		struct vg_json *select = vg_json_object(), *columns = vg_json_array();
		_auto(vg_string) char *names = vg_strdup(tables[i].columns);
		char *rest = NULL;
		for (char *name = strtok_r(names, " ", &rest); name;
			name = strtok_r(NULL, " ", &rest))
			vg_json_push(columns, vg_json_string(name));
		vg_json_set_string(select, "op", "select");
		vg_json_set_string(select, "table", tables[i].name);
		vg_json_set(select, "where", vg_json_array());
		vg_json_set(select, "columns", columns);
		vg_json_push(operations, select);
	}
	return operations;
}

static bool is_tagged(const struct vg_json *value, const char *word)
{
	return vg_json_is_array(value) && vg_json_length(value) == 2 &&
	       vg_text_equal(vg_json_text(vg_json_at(value, 0), NULL), word);
}

const struct vg_json *vg_ovs_set_at(const struct vg_json *set, size_t i)
{
	if (!is_tagged(set, "set"))
		return i == 0 ? set : NULL;
	const struct vg_json *items = vg_json_at(set, 1);
	return i < vg_json_length(items) ? vg_json_at(items, i) : NULL;
}

const char *vg_ovs_map_get(const struct vg_json *map, const char *key)
{
	const struct vg_json *pairs = is_tagged(map, "map") ? vg_json_at(map, 1) : NULL;
	for (size_t i = 0; i < vg_json_length(pairs); i++) {
		const struct vg_json *pair = vg_json_at(pairs, i);
		if (vg_text_equal(vg_json_text(vg_json_at(pair, 0), NULL), key))
			return vg_json_text(vg_json_at(pair, 1), NULL);
	}
	return NULL;
}

int64_t vg_ovs_map_number(const struct vg_json *map, const char *key)
{
	const char *text = vg_ovs_map_get(map, key);
	char *end = NULL;
	long long number = text ? strtoll(text, &end, 10) : 0;
	return text && *text && !*end ? number : 0;
}

struct vg_json *vg_ovs_uuid(const char *uuid)
{
	struct vg_json *pair = vg_json_array();
	vg_json_push(pair, vg_json_string("uuid"));
	vg_json_push(pair, vg_json_string(uuid));
	return pair;
}

static const char *uuid_in(const struct vg_json *value)
{
	return is_tagged(value, "uuid") ? vg_json_text(vg_json_at(value, 1), NULL) : NULL;
}

static const char *uuid_of(const struct vg_json *row)
{
	const char *uuid = uuid_in(vg_json_get(row, "_uuid"));
	return uuid ? uuid : "";
}

// The one value of a column that may be empty.
static const struct vg_json *optional(const struct vg_json *row, const char *column)
{
	return vg_ovs_set_at(vg_json_get(row, column), 0);
}

static int64_t number_in(const struct vg_json *row, const char *column, int64_t fallback)
{
	return vg_json_number(optional(row, column), fallback);
}

static const char *text_in(const struct vg_json *row, const char *column)
{
	const struct vg_json *value = optional(row, column);
	return vg_json_is_string(value) ? vg_json_text(value, "") : "";
}

static const char *tag_in(const struct vg_json *ids)
{
	struct vg_tag tag;
	const char *text = vg_ovs_map_get(ids, "vgrid");
	return text && vg_tag_read(text, &tag) ? text : NULL;
}

static void read_interface(const struct vg_json *row, struct vg_ovs_interface *ret)
{
	const char *error = text_in(row, "error");
	*ret = (struct vg_ovs_interface){
		.uuid = uuid_of(row),
		.name = text_in(row, "name"),
		.type = text_in(row, "type"),
		.error = *error ? error : NULL,
		.ofport = number_in(row, "ofport", 0),
		.ofport_wanted = number_in(row, "ofport_request", 0),
		.mtu = number_in(row, "mtu", 0),
		.mtu_wanted = number_in(row, "mtu_request", 0),
		.is_down = strcmp(text_in(row, "admin_state"), "down") == 0,
		.options = vg_json_get(row, "options"),
		.ids = vg_json_get(row, "external_ids"),
	};
}

static void read_port(
	const struct vg_json *row, const struct vg_map *interfaces, struct vg_ovs_port *ret)
{
	const struct vg_json *members = vg_json_get(row, "interfaces");
	const char *interface = uuid_in(vg_ovs_set_at(members, 0));
	*ret = (struct vg_ovs_port){
		.uuid = uuid_of(row),
		.name = text_in(row, "name"),
		.tag = tag_in(vg_json_get(row, "external_ids")),
		.vlan = number_in(row, "tag", -1),
		.is_access = strcmp(text_in(row, "vlan_mode"), "access") == 0,
		.is_protected = vg_json_truth(optional(row, "protected"), false),
		.ids = vg_json_get(row, "external_ids"),
		.interface = interface && !vg_ovs_set_at(members, 1)
				     ? vg_map_get(interfaces, interface)
				     : NULL,
	};
}

static void read_bridge(
	const struct vg_json *row, const struct vg_map *ports, struct vg_ovs_bridge *ret)
{
	*ret = (struct vg_ovs_bridge){
		.uuid = uuid_of(row),
		.name = text_in(row, "name"),
		.tag = tag_in(vg_json_get(row, "external_ids")),
		.datapath = text_in(row, "datapath_type"),
		.ids = vg_json_get(row, "external_ids"),
		.ports = vg_json_get(row, "ports"),
		.controllers = vg_json_get(row, "controller"),
	};
	const struct vg_json *member;
	for (size_t i = 0; (member = vg_ovs_set_at(ret->ports, i)); i++) {
		const char *uuid = uuid_in(member);
		struct vg_ovs_port *port = uuid ? vg_map_get(ports, uuid) : NULL;
		if (port)
			port->bridge = ret;
	}
}

static const struct vg_json *rows_of(const struct vg_json *answer, size_t skip, size_t table)
{
	return vg_json_get(vg_json_at(answer, skip + table), "rows");
}

static void read_tables(struct vg_ovs_rows *rows, size_t skip)
{
	_auto(vg_map) struct vg_map *interfaces = vg_map_new(), *ports = vg_map_new();
	const struct vg_json *table = rows_of(rows->answer, skip, INTERFACE);
	rows->n_interfaces = vg_json_length(table);
	rows->interfaces = vg_alloc((rows->n_interfaces + 1) * sizeof(*rows->interfaces));
	for (size_t i = 0; i < rows->n_interfaces; i++) {
		read_interface(vg_json_at(table, i), &rows->interfaces[i]);
		vg_map_set(interfaces, rows->interfaces[i].uuid, &rows->interfaces[i]);
	}
	table = rows_of(rows->answer, skip, PORT);
	rows->n_ports = vg_json_length(table);
	rows->ports = vg_alloc((rows->n_ports + 1) * sizeof(*rows->ports));
	rows->port_by_name = vg_map_new();
	for (size_t i = 0; i < rows->n_ports; i++) {
		read_port(vg_json_at(table, i), interfaces, &rows->ports[i]);
		vg_map_set(ports, rows->ports[i].uuid, &rows->ports[i]);
		vg_map_set(rows->port_by_name, rows->ports[i].name, &rows->ports[i]);
	}
	table = rows_of(rows->answer, skip, BRIDGE);
	rows->n_bridges = vg_json_length(table);
	rows->bridges = vg_alloc((rows->n_bridges + 1) * sizeof(*rows->bridges));
	for (size_t i = 0; i < rows->n_bridges; i++)
		read_bridge(vg_json_at(table, i), ports, &rows->bridges[i]);
	rows->controllers = rows_of(rows->answer, skip, CONTROLLER);
}

static int compare_ports(const void *a, const void *b)
{
	const struct vg_ovs_port *first = a, *second = b;
	return strcmp(first->name, second->name);
}

struct vg_error *vg_ovs_rows_read(struct vg_json *answer, size_t skip, struct vg_ovs_rows *ret_rows)
{
	_auto(vg_ovs_rows) struct vg_ovs_rows rows = {.answer = answer};
	const struct vg_json *row = vg_json_at(rows_of(answer, skip, SWITCH), 0);
	if (vg_json_length(answer) < skip + N_TABLES || !row)
		return vg_error_new(
			"the OVSDB server knows no switch: 'ovs-vsctl init' was not run");
	rows.switch_uuid = uuid_of(row);
	rows.version = text_in(row, "ovs_version");
	rows.wanted_config = number_in(row, "next_cfg", 0);
	rows.current_config = number_in(row, "cur_cfg", 0);
	rows.has_keys = optional(row, "ssl") != NULL;
	read_tables(&rows, skip);
	// OVSDB has no order; ours must not change from look to look.
	if (rows.n_ports) {
		qsort(rows.ports, rows.n_ports, sizeof(*rows.ports), compare_ports);
		for (size_t i = 0; i < rows.n_ports; i++)
			vg_map_set(rows.port_by_name, rows.ports[i].name, &rows.ports[i]);
	}
	*ret_rows = rows;
	rows = (struct vg_ovs_rows){0};
	return NULL;
}

void vg_ovs_rows_done(struct vg_ovs_rows *rows)
{
	vg_json_free(rows->answer);
	free(rows->interfaces);
	free(rows->ports);
	free(rows->bridges);
	vg_map_free(rows->port_by_name);
	*rows = (struct vg_ovs_rows){0};
}

char *vg_ovs_bridge_tag(const char *store)
{
	return vg_tag_make(store, NULL, "bridge");
}

char *vg_ovs_bridge_name(const char *store)
{
	char name[VG_LINK_NAME_LENGTH];
	_auto(vg_string) char *tag = vg_ovs_bridge_tag(store);
	vg_tag_link_name(tag, name);
	return vg_strdup(name);
}

const struct vg_ovs_bridge *vg_ovs_bridge_of(const struct vg_ovs_rows *rows, const char *store)
{
	_auto(vg_string) char *tag = vg_ovs_bridge_tag(store);
	for (size_t i = 0; i < rows->n_bridges; i++)
		if (vg_text_equal(rows->bridges[i].tag, tag))
			return &rows->bridges[i];
	return NULL;
}

bool vg_ovs_is_broken(const struct vg_ovs_interface *interface)
{
	bool may_come = strcmp(interface->type, "") == 0;
	return interface->error && !(may_come && strstr(interface->error, strerror(ENODEV)));
}
