// SPDX-License-Identifier: Apache-2.0
#include "net/ovs_change.h"

#include <string.h>

#include "base/map.h"
#include "base/text.h"
#include "net/ovs_row.h"

// The bridge's own port is on a VLAN of its own: the host takes no part in any overlay.
enum { OWN_VLAN = 4095, OPENFLOW_PORT = 6653, PORT_MAX = 65535 };

static const char change_key[] = "vgrid-change", listens[] = "pssl:";

void vg_ovs_change_done(struct vg_ovs_change *change)
{
	vg_json_free(change->operations);
	free(change->places);
	*change = (struct vg_ovs_change){0};
}

static struct vg_json *where(const char *column, struct vg_json *value)
{
	struct vg_json *condition = vg_json_array(), *conditions = vg_json_array();
	vg_json_push(condition, vg_json_string(column));
	vg_json_push(condition, vg_json_string("=="));
	vg_json_push(condition, value);
	vg_json_push(conditions, condition);
	return conditions;
}

// Adds an operation; conditions NULL: on every row.
static struct vg_json *add(struct vg_ovs_change *change, const char *what, const char *table,
	struct vg_json *conditions, struct vg_place place)
{
	struct vg_json *operation = vg_json_object();
	vg_json_set_string(operation, "op", what);
	vg_json_set_string(operation, "table", table);
	if (strcmp(what, "insert") != 0)
		vg_json_set(operation, "where", conditions ? conditions : vg_json_array());
	vg_json_push(change->operations, operation);
	vg_append(change->places, change->n_places) = place;
	return operation;
}

static void mutation(
	struct vg_json *operation, const char *column, const char *mutator, struct vg_json *value)
{
	if (!vg_json_is_array(vg_json_get(operation, "mutations")))
		vg_json_set(operation, "mutations", vg_json_array());
	struct vg_json *item = vg_json_array();
	vg_json_push(item, vg_json_string(column));
	vg_json_push(item, vg_json_string(mutator));
	vg_json_push(item, value);
	vg_json_push(vg_json_get(operation, "mutations"), item);
}

// Replaces these keys and leaves others, which may be another tool's.
static void replace_keys(struct vg_json *operation, const struct vg_json *pairs)
{
	struct vg_json *keys = vg_json_array();
	for (size_t i = 0; i < vg_json_length(pairs); i++)
		vg_json_push(keys, vg_json_copy(vg_json_at(vg_json_at(pairs, i), 0)));
	mutation(operation, "external_ids", "delete", vg_ovs_pair("set", keys));
	mutation(operation, "external_ids", "insert", vg_ovs_pair("map", vg_json_copy(pairs)));
}

static void mend(struct vg_ovs_change *change, const struct vg_ovs_wants *wants,
	const struct vg_ovs_want *want)
{
	const struct vg_ovs_port *seen = want->seen;
	const struct vg_ovs_interface *interface = seen->interface;
	_auto(vg_json) struct vg_json *ids = vg_ovs_port_ids(wants, want);
	_auto(vg_json) struct vg_json *own_ids = vg_ovs_interface_ids(want);
	if (seen->vlan != want->vlan || !seen->is_access || seen->is_protected != !want->port)
		vg_json_set(add(change, "update", "Port", where("_uuid", vg_ovs_uuid(seen->uuid)),
				    want->place),
			"row", vg_ovs_port_row(want));
	if (!vg_ovs_map_has(seen->ids, ids))
		replace_keys(add(change, "mutate", "Port", where("_uuid", vg_ovs_uuid(seen->uuid)),
				     want->place),
			ids);
	if (!vg_ovs_interface_is_so(wants, want, interface))
		vg_json_set(add(change, "update", "Interface",
				    where("_uuid", vg_ovs_uuid(interface->uuid)), want->place),
			"row", vg_ovs_interface_row(wants, want));
	if (!vg_ovs_map_has(interface->ids, own_ids))
		replace_keys(add(change, "mutate", "Interface",
				     where("_uuid", vg_ovs_uuid(interface->uuid)), want->place),
			own_ids);
}

// Inserts a row and yields a reference to it.
static struct vg_json *insert(
	struct vg_ovs_change *change, const char *table, struct vg_json *row, struct vg_place place)
{
	_auto(vg_string) char *name = vg_format("row%zu", vg_json_length(change->operations));
	struct vg_json *operation = add(change, "insert", table, NULL, place);
	vg_json_set_string(operation, "uuid-name", name);
	vg_json_set(operation, "row", row);
	return vg_ovs_pair("named-uuid", vg_json_string(name));
}

static struct vg_json *make(struct vg_ovs_change *change, const struct vg_ovs_wants *wants,
	const struct vg_ovs_want *want)
{
	struct vg_json *interface = vg_ovs_interface_row(wants, want),
		       *port = vg_ovs_port_row(want);
	vg_json_set_string(interface, "name", want->name);
	vg_json_set(interface, "external_ids", vg_ovs_pair("map", vg_ovs_interface_ids(want)));
	vg_json_set_string(port, "name", want->name);
	vg_json_set(port, "external_ids", vg_ovs_pair("map", vg_ovs_port_ids(wants, want)));
	vg_json_set(port, "interfaces", insert(change, "Interface", interface, want->place));
	return insert(change, "Port", port, want->place);
}

const char *vg_ovs_datapath(const struct vg_ovs_rows *rows)
{
	for (size_t i = 0; i < rows->n_bridges; i++)
		if (strcmp(rows->bridges[i].datapath, "netdev") == 0)
			return "netdev";
	return "system";
}

static struct vg_json *controller_row(const struct vg_ovs_rows *rows)
{
	struct vg_json *row = vg_json_object();
	unsigned port = OPENFLOW_PORT;
	for (bool is_free = false; !is_free && port < PORT_MAX; port += !is_free) {
		is_free = true;
		for (size_t i = 0; i < vg_json_length(rows->controllers); i++) {
			const char *target =
				vg_json_get_string(vg_json_at(rows->controllers, i), "target", "");
			const char *number = strchr(target, ':');
			if (target[0] == 'p' && number && strtoul(number + 1, NULL, 10) == port)
				is_free = false;
		}
	}
	_auto(vg_string) char *target = vg_format("%s%u", listens, port);
	vg_json_set_string(row, "target", target);
	vg_json_set_string(row, "connection_mode", "out-of-band");
	return row;
}

uint16_t vg_ovs_controller_port(const struct vg_ovs_rows *rows, const struct vg_ovs_bridge *bridge)
{
	const struct vg_json *member;
	for (size_t i = 0; bridge && (member = vg_ovs_set_at(bridge->controllers, i)); i++) {
		for (size_t j = 0; j < vg_json_length(rows->controllers); j++) {
			const struct vg_json *row = vg_json_at(rows->controllers, j);
			const char *target = vg_json_get_string(row, "target", "");
			if (vg_json_equal(vg_json_get(row, "_uuid"), member) &&
				vg_text_starts(target, listens))
				return (uint16_t)strtoul(target + strlen(listens), NULL, 10);
		}
	}
	return 0;
}

static void make_bridge(struct vg_ovs_change *change, const struct vg_ovs_wants *wants,
	const struct vg_ovs_rows *rows, struct vg_json *ports, bool has_controller)
{
	struct vg_place nowhere = {0};
	_auto(vg_string) char *tag = vg_ovs_bridge_tag(wants->slice->store);
	struct vg_json *ids = vg_json_array(), *config = vg_json_array();
	vg_ovs_map_add(ids, "vgrid", tag);
	struct vg_json *interface = vg_json_object(), *port = vg_json_object();
	vg_json_set_string(interface, "name", wants->bridge);
	vg_json_set_string(interface, "type", "internal");
	vg_json_set_string(port, "name", wants->bridge);
	vg_json_set_integer(port, "tag", OWN_VLAN);
	vg_json_set_string(port, "vlan_mode", "access");
	vg_json_set(port, "external_ids", vg_ovs_pair("map", vg_json_copy(ids)));
	vg_json_set(port, "interfaces", insert(change, "Interface", interface, nowhere));
	vg_json_push(ports, insert(change, "Port", port, nowhere));
	vg_ovs_map_add(ids, change_key, "1");
	vg_ovs_map_add(config, "disable-in-band", "true");
	vg_ovs_map_add(config, "mac-table-size", "65536");
	struct vg_json *bridge = vg_json_object();
	vg_json_set_string(bridge, "name", wants->bridge);
	vg_json_set_string(bridge, "datapath_type", vg_ovs_datapath(rows));
	vg_json_set(bridge, "external_ids", vg_ovs_pair("map", ids));
	vg_json_set(bridge, "other_config", vg_ovs_pair("map", config));
	vg_json_set(bridge, "ports", vg_ovs_pair("set", ports));
	if (has_controller)
		vg_json_set(bridge, "controller",
			insert(change, "Controller", controller_row(rows), nowhere));
	struct vg_json *reference = insert(change, "Bridge", bridge, nowhere);
	mutation(add(change, "mutate", "Open_vSwitch", NULL, nowhere), "bridges", "insert",
		reference);
}

static void change_bridge(struct vg_ovs_change *change, const struct vg_ovs_rows *rows,
	const struct vg_ovs_bridge *bridge, struct vg_json *made, struct vg_json *gone,
	bool needs_controller)
{
	struct vg_place nowhere = {0};
	_auto(vg_json) struct vg_json *ids = vg_json_array();
	vg_ovs_map_addf(
		ids, change_key, "%lld", (long long)vg_ovs_map_number(bridge->ids, change_key) + 1);
	struct vg_json *controller =
		needs_controller ? insert(change, "Controller", controller_row(rows), nowhere)
				 : NULL;
	struct vg_json *operation =
		add(change, "mutate", "Bridge", where("_uuid", vg_ovs_uuid(bridge->uuid)), nowhere);
	mutation(operation, "ports", "delete", vg_ovs_pair("set", gone));
	mutation(operation, "ports", "insert", vg_ovs_pair("set", made));
	replace_keys(operation, ids);
	if (controller)
		mutation(operation, "controller", "insert", controller);
}

// References to the grid's ports that are not wanted. *ret_is_last: nothing would be left but the
// bridge's own port; what is not of vgrid counts.
static struct vg_json *find_gone(const struct vg_ovs_wants *wants, const struct vg_ovs_rows *rows,
	const struct vg_ovs_bridge *bridge, bool *ret_is_last)
{
	struct vg_json *gone = vg_json_array();
	_auto(vg_map) struct vg_map *kept = vg_map_new();
	size_t n_left = wants->n_items;
	for (size_t i = 0; i < wants->n_items; i++)
		if (wants->items[i].seen)
			vg_map_set(kept, wants->items[i].name, &wants->items[i]);
	for (size_t i = 0; bridge && i < rows->n_ports; i++) {
		const struct vg_ovs_port *port = &rows->ports[i];
		if (port->bridge != bridge || strcmp(port->name, bridge->name) == 0)
			continue;
		bool is_ours = port->tag &&
			       vg_tag_is_of(port->tag, wants->slice->store, wants->slice->grid);
		n_left += !is_ours;
		if (is_ours && !vg_map_has(kept, port->name))
			vg_json_push(gone, vg_ovs_uuid(port->uuid));
	}
	*ret_is_last = n_left == 0;
	return gone;
}

// As it was seen, or not there.
static void add_wait(struct vg_ovs_change *change, const struct vg_ovs_wants *wants,
	const struct vg_ovs_bridge *bridge)
{
	struct vg_json *rows = vg_json_array(), *columns = vg_json_array();
	struct vg_json *operation = add(change, "wait", "Bridge",
		where("name", vg_json_string(wants->bridge)), (struct vg_place){0});
	vg_json_push(columns, vg_json_string("external_ids"));
	if (bridge) {
		struct vg_json *row = vg_json_object();
		vg_json_set(row, "external_ids", vg_json_copy(bridge->ids));
		vg_json_push(rows, row);
	}
	vg_json_set_integer(operation, "timeout", 0);
	vg_json_set(operation, "columns", columns);
	vg_json_set_string(operation, "until", "==");
	vg_json_set(operation, "rows", rows);
}

static void add_end(struct vg_ovs_change *change, const struct vg_slice *slice)
{
	struct vg_json *columns = vg_json_array();
	mutation(add(change, "mutate", "Open_vSwitch", NULL, (struct vg_place){0}), "next_cfg",
		"+=", vg_json_integer(1));
	struct vg_json *comment = add(change, "comment", "", NULL, (struct vg_place){0});
	_auto(vg_string) char *text = vg_format("vgrid: overlays of grid %s", slice->grid);
	vg_json_delete(comment, "table");
	vg_json_delete(comment, "where");
	vg_json_set_string(comment, "comment", text);
	struct vg_json *select = add(change, "select", "Open_vSwitch", NULL, (struct vg_place){0});
	vg_json_push(columns, vg_json_string("next_cfg"));
	vg_json_set(select, "columns", columns);
}

struct vg_ovs_change vg_ovs_change_build(
	const struct vg_ovs_wants *wants, const struct vg_ovs_rows *rows, bool has_controller)
{
	const struct vg_ovs_bridge *bridge = vg_ovs_bridge_of(rows, wants->slice->store);
	struct vg_ovs_change change = {.operations = vg_json_array()};
	struct vg_json *made = vg_json_array();
	bool is_last;
	struct vg_json *gone = find_gone(wants, rows, bridge, &is_last);
	bool needs_controller =
		has_controller && bridge && vg_ovs_controller_port(rows, bridge) == 0;
	add_wait(&change, wants, bridge);
	for (size_t i = 0; i < wants->n_items; i++) {
		if (wants->items[i].seen)
			mend(&change, wants, &wants->items[i]);
		else
			vg_json_push(made, make(&change, wants, &wants->items[i]));
	}
	bool is_changed = change.n_places > 1 || vg_json_length(gone) > 0 || (bridge && is_last) ||
			  needs_controller;
	if (!is_changed) {
		vg_json_free(made);
		vg_json_free(gone);
		vg_ovs_change_done(&change);
		change.operations = vg_json_array();
		return change;
	}
	if (!bridge) {
		vg_json_free(gone);
		make_bridge(&change, wants, rows, made, has_controller);
	} else if (is_last) {
		vg_json_free(made);
		vg_json_free(gone);
		mutation(add(&change, "mutate", "Open_vSwitch", NULL, (struct vg_place){0}),
			"bridges", "delete", vg_ovs_uuid(bridge->uuid));
	} else {
		change_bridge(&change, rows, bridge, made, gone, needs_controller && !is_last);
	}
	add_end(&change, wants->slice);
	return change;
}
