// SPDX-License-Identifier: Apache-2.0
//
// Claims about the pure part of the ovs net driver: what of a slice and of OVSDB's rows becomes
// which transaction and which flows.
#include "tests/unit/test.h"

#include "base/tag.h"
#include "base/text.h"
#include "net/ovs_change.h"
#include "net/ovs_endpoint.h"
#include "net/ovs_guard.h"

static const char store[] = "11111111-1111-8111-8111-111111111111";
static const char grid[] = "aaaaaaaa-aaaa-8aaa-8aaa-aaaaaaaaaaaa";
static const char other_grid[] = "bbbbbbbb-bbbb-8bbb-8bbb-bbbbbbbbbbbb";

static void set_mac(struct vg_mac *mac, unsigned last)
{
	*mac = (struct vg_mac){{2, 0, 0, 0, 0, (uint8_t)last}};
}

static char *link_of(const char *tag)
{
	char name[VG_LINK_NAME_LENGTH];
	vg_tag_link_name(tag, name);
	return vg_strdup(name);
}

// Overlays net-0 … with the VNIs 77 …, each with one local node, and members on hosts .12, .13,
// .12.
static struct vg_slice *make_slice(const char *of, unsigned n_overlays)
{
	struct vg_slice *slice = vg_new(struct vg_slice);
	slice->store = vg_strdup(store);
	slice->grid = vg_strdup(of);
	slice->link_group = vg_tag_link_group(store, of);
	assert_null(vg_ip_read("192.0.2.11", &slice->tunnel));
	for (unsigned i = 0; i < n_overlays; i++) {
		struct vg_slice_overlay *overlay = &vg_append(slice->overlays, slice->n_overlays);
		_auto(vg_string) char *path = vg_format("network/net-%u", i);
		_auto(vg_string) char *nic = vg_format("node/head/nic/net-%u", i);
		overlay->tag = vg_tag_make(store, of, path);
		overlay->vni = 77 + i;
		overlay->mtu = 1450;
		overlay->place = (struct vg_place){"t.yaml", 4 + i, 3};
		struct vg_slice_port *port = &vg_append(overlay->ports, overlay->n_ports);
		port->tag = vg_tag_make(store, of, nic);
		port->link = link_of(port->tag);
		port->place = (struct vg_place){"t.yaml", 14 + i, 5};
		set_mac(&port->mac, 1);
		assert_null(vg_ip_read("10.9.0.2", &port->ip));
		for (unsigned j = 0; j < 3; j++) {
			struct vg_slice_remote *remote =
				&vg_append(overlay->remotes, overlay->n_remotes);
			set_mac(&remote->mac, 2 + j);
			remote->tunnel = (struct vg_ip){.bytes = {192, 0, 2, j == 1 ? 13 : 12}};
		}
	}
	return slice;
}

// A small OVSDB: carries out what the driver sends, so that what it made can be read back.
struct store {
	struct vg_json *tables; // table → rows
	unsigned n_rows;
};

static struct vg_json *table_of(const struct store *db, const char *name)
{
	if (!vg_json_get(db->tables, name))
		vg_json_set(db->tables, name, vg_json_array());
	return vg_json_get(db->tables, name);
}

static struct vg_json *parse(const char *text)
{
	struct vg_json *json = NULL;
	assert_null(vg_json_read(text, strlen(text), &json));
	return json;
}

static struct store make_store(void)
{
	struct store db = {.tables = vg_json_object()};
	vg_json_push(table_of(&db, "Open_vSwitch"),
		parse("{\"_uuid\":[\"uuid\",\"sw\"],\"next_cfg\":3,\"cur_cfg\":3,\"ovs_version\":"
		      "\"3.1.0\",\"ssl\":[\"set\",[]],\"bridges\":[\"set\",[]]}"));
	return db;
}

// The answer of the real one to vg_ovs_rows_ask().
static struct vg_ovs_rows look(const struct store *db)
{
	_auto(vg_json) struct vg_json *ask = vg_ovs_rows_ask();
	struct vg_json *answer = vg_json_array();
	for (size_t i = 0; i < vg_json_length(ask); i++) {
		const char *name = vg_json_get_string(vg_json_at(ask, i), "table", "");
		struct vg_json *result = vg_json_object();
		vg_json_set(result, "rows", vg_json_copy(table_of(db, name)));
		vg_json_push(answer, result);
	}
	struct vg_ovs_rows rows;
	assert_null(vg_ovs_rows_read(answer, 0, &rows));
	return rows;
}

// Replaces ["named-uuid", X] by ["uuid", X] everywhere: the names serve as uuids.
static struct vg_json *resolve(const struct vg_json *value, unsigned round)
{
	if (!vg_json_is_array(value))
		return vg_json_copy(value);
	struct vg_json *copy = vg_json_array();
	bool is_named = vg_text_equal(vg_json_text(vg_json_at(value, 0), NULL), "named-uuid");
	for (size_t i = 0; i < vg_json_length(value); i++) {
		_auto(vg_string) char *uuid =
			vg_format("%s-%u", vg_json_text(vg_json_at(value, i), ""), round);
		vg_json_push(copy, !is_named ? resolve(vg_json_at(value, i), round)
				   : i == 0  ? vg_json_string("uuid")
					     : vg_json_string(uuid));
	}
	return copy;
}

struct filling {
	struct vg_json *row;
	unsigned round;
};

static void fill(const char *key, struct vg_json *value, void *data)
{
	struct filling *filling = data;
	vg_json_set(filling->row, key, resolve(value, filling->round));
}

static size_t count_ops(const struct vg_ovs_change *change, const char *what, const char *table)
{
	size_t n = 0;
	for (size_t i = 0; i < vg_json_length(change->operations); i++) {
		const struct vg_json *operation = vg_json_at(change->operations, i);
		n += vg_text_equal(vg_json_get_string(operation, "op", ""), what) &&
		     vg_text_equal(vg_json_get_string(operation, "table", ""), table);
	}
	return n;
}

// Inserts of a first transaction, with the bridge's ports: enough to read a made slice back.
static void carry_out(struct store *db, const struct vg_ovs_change *change)
{
	unsigned round = ++db->n_rows;
	for (size_t i = 0; i < vg_json_length(change->operations); i++) {
		const struct vg_json *operation = vg_json_at(change->operations, i);
		if (!vg_text_equal(vg_json_get_string(operation, "op", ""), "insert"))
			continue;
		struct vg_json *row = vg_json_object(), *uuid = vg_json_array();
		_auto(vg_string) char *name =
			vg_format("%s-%u", vg_json_get_string(operation, "uuid-name", ""), round);
		vg_json_push(uuid, vg_json_string("uuid"));
		vg_json_push(uuid, vg_json_string(name));
		vg_json_set(row, "_uuid", uuid);
		vg_json_each(vg_json_get(operation, "row"), fill, &(struct filling){row, round});
		vg_json_push(table_of(db, vg_json_get_string(operation, "table", "")), row);
	}
}

static void converge(struct store *db, const struct vg_slice *slice)
{
	_auto(vg_ovs_rows) struct vg_ovs_rows rows = look(db);
	_auto(vg_ovs_wants) struct vg_ovs_wants wants = {0};
	assert_null(vg_ovs_want(slice, &rows, &wants));
	_auto(vg_ovs_change) struct vg_ovs_change change =
		vg_ovs_change_build(&wants, &rows, false);
	carry_out(db, &change);
}

static void what_was_made_is_read_back_and_nothing_more_is_to_do(void **state)
{
	(void)state;
	struct store db = make_store();
	_auto(vg_slice) struct vg_slice *slice = make_slice(grid, 3), *seen = NULL;
	converge(&db, slice);
	_auto(vg_ovs_rows) struct vg_ovs_rows rows = look(&db);
	seen = vg_ovs_slice(&rows, store, grid);
	_auto(vg_string) char *difference = vg_slice_difference(slice, seen);
	assert_null(difference);
	_auto(vg_ovs_wants) struct vg_ovs_wants wants = {0};
	assert_null(vg_ovs_want(slice, &rows, &wants));
	_auto(vg_ovs_change) struct vg_ovs_change change =
		vg_ovs_change_build(&wants, &rows, false);
	assert_int_equal(vg_json_length(change.operations), 0);
	vg_json_free(db.tables);
}

static void one_vxlan_port_for_each_host_with_a_member(void **state)
{
	(void)state;
	struct store db = make_store();
	_auto(vg_slice) struct vg_slice *slice = make_slice(grid, 2);
	_auto(vg_ovs_rows) struct vg_ovs_rows rows = look(&db);
	_auto(vg_ovs_wants) struct vg_ovs_wants wants = {0};
	assert_null(vg_ovs_want(slice, &rows, &wants));
	assert_int_equal(wants.n_items, 2 * (1 + 2));
	assert_string_equal(wants.items[1].members, "02:00:00:00:00:02 02:00:00:00:00:04");
	_auto(vg_ovs_change) struct vg_ovs_change change =
		vg_ovs_change_build(&wants, &rows, false);
	assert_int_equal(count_ops(&change, "insert", "Port"), 6 + 1); // and the bridge's own
	assert_int_equal(count_ops(&change, "insert", "Bridge"), 1);
	assert_int_equal(count_ops(&change, "wait", "Bridge"), 1);
	// The two overlays have VLANs of their own.
	assert_int_not_equal(wants.items[0].vlan, wants.items[3].vlan);
	assert_int_equal(wants.items[0].vlan, wants.items[1].vlan);
	vg_json_free(db.tables);
}

static void another_grid_gets_other_vlans_and_port_numbers(void **state)
{
	(void)state;
	struct store db = make_store();
	_auto(vg_slice) struct vg_slice *slice = make_slice(grid, 2);
	_auto(vg_slice) struct vg_slice *other = make_slice(other_grid, 1);
	other->overlays[0].vni = 99;
	converge(&db, slice);
	_auto(vg_ovs_rows) struct vg_ovs_rows rows = look(&db);
	_auto(vg_ovs_wants) struct vg_ovs_wants wants = {0};
	assert_null(vg_ovs_want(other, &rows, &wants));
	assert_int_equal(wants.items[0].vlan, 3);
	assert_int_equal(wants.items[0].ofport, 7);
	vg_json_free(db.tables);
}

static void a_taken_vni_is_an_error_that_names_who_has_it(void **state)
{
	(void)state;
	struct store db = make_store();
	_auto(vg_slice) struct vg_slice *slice = make_slice(grid, 1);
	_auto(vg_slice) struct vg_slice *other = make_slice(other_grid, 1);
	converge(&db, slice);
	_auto(vg_ovs_rows) struct vg_ovs_rows rows = look(&db);
	_auto(vg_ovs_wants) struct vg_ovs_wants wants = {0};
	_auto(vg_error) struct vg_error *error = vg_ovs_want(other, &rows, &wants);
	assert_non_null(strstr(vg_error_text(error),
		"t.yaml:4:3: VNI 77 is taken by grid 'aaaaaaaa-aaaa-8aaa-8aaa-aaaaaaaaaaaa'"));
	vg_json_free(db.tables);
}

static void an_empty_slice_removes_the_bridge_unless_others_use_it(void **state)
{
	(void)state;
	struct store db = make_store();
	_auto(vg_slice) struct vg_slice *slice = make_slice(grid, 1), *empty = make_slice(grid, 0);
	_auto(vg_slice) struct vg_slice *stranger = make_slice(other_grid, 0);
	converge(&db, slice);
	_auto(vg_ovs_rows) struct vg_ovs_rows rows = look(&db);
	_auto(vg_ovs_wants) struct vg_ovs_wants wants = {0}, none = {0};
	assert_null(vg_ovs_want(empty, &rows, &wants));
	_auto(vg_ovs_change) struct vg_ovs_change change =
		vg_ovs_change_build(&wants, &rows, false);
	_auto(vg_string) char *text = vg_json_write(change.operations);
	assert_non_null(strstr(text, "[\"bridges\",\"delete\",[\"uuid\","));
	assert_null(vg_ovs_want(stranger, &rows, &none));
	_auto(vg_ovs_change) struct vg_ovs_change nothing =
		vg_ovs_change_build(&none, &rows, false);
	assert_int_equal(vg_json_length(nothing.operations), 0);
	vg_json_free(db.tables);
}

static void too_many_overlays_are_an_error_at_the_first_that_has_no_vlan(void **state)
{
	(void)state;
	struct store db = make_store();
	_auto(vg_slice) struct vg_slice *slice = make_slice(grid, VG_OVS_VLAN_MAX + 1);
	_auto(vg_ovs_rows) struct vg_ovs_rows rows = look(&db);
	_auto(vg_ovs_wants) struct vg_ovs_wants wants = {0};
	_auto(vg_error) struct vg_error *error = vg_ovs_want(slice, &rows, &wants);
	assert_string_equal(vg_error_text(error),
		"t.yaml:4098:3: the host has 4094 overlays already, and room for no more");
	vg_json_free(db.tables);
}

static bool has_flow(const struct vg_ovs_guards *guards, const char *text)
{
	for (size_t i = 0; i < guards->n_flows; i++)
		if (strstr(guards->flows[i].text, text))
			return true;
	return false;
}

static void guards_let_only_ones_own_addresses_pass(void **state)
{
	(void)state;
	struct store db = make_store();
	_auto(vg_slice) struct vg_slice *slice = make_slice(grid, 1);
	_auto(vg_ovs_rows) struct vg_ovs_rows rows = look(&db);
	_auto(vg_ovs_wants) struct vg_ovs_wants wants = {0};
	assert_null(vg_ovs_want(slice, &rows, &wants));
	_auto(vg_ovs_guards) struct vg_ovs_guards guards = vg_ovs_guards_build(&wants);
	assert_true(has_flow(&guards, "table=0,priority=50,in_port=1,actions=drop"));
	assert_true(has_flow(&guards, "in_port=1,ip,nw_src=10.9.0.2,actions=goto_table:2"));
	assert_true(has_flow(&guards, "arp,arp_spa=10.9.0.2,arp_sha=02:00:00:00:00:01"));
	assert_true(has_flow(&guards, "in_port=1,ipv6,ipv6_src=fe80::ff:fe00:1,"));
	assert_true(has_flow(&guards, "table=1,priority=10,ip,actions=drop"));
	assert_false(has_flow(&guards, "meter"));
	assert_int_equal(guards.n_meters, 0);
	uint64_t *cookies = vg_alloc((guards.n_flows + 1) * sizeof(*cookies));
	for (size_t i = 0; i < guards.n_flows; i++) {
		cookies[i] = guards.flows[i].cookie;
		assert_true(i == 0 || cookies[i] > cookies[i - 1]); // no two are alike
	}
	assert_true(vg_ovs_guards_are(&guards, cookies, guards.n_flows));
	assert_false(vg_ovs_guards_are(&guards, cookies, guards.n_flows - 1));
	// Another rate is another flow, though its text is the same.
	slice->overlays[0].ports[0].rate = 1000000;
	_auto(vg_ovs_guards) struct vg_ovs_guards slow = vg_ovs_guards_build(&wants);
	slice->overlays[0].ports[0].rate = 2000000;
	_auto(vg_ovs_guards) struct vg_ovs_guards quick = vg_ovs_guards_build(&wants);
	assert_int_equal(slow.n_meters, 2);
	assert_true(has_flow(&slow, "actions=meter:1,write_metadata:1,goto_table:1"));
	assert_true(has_flow(&slow, "dl_dst=02:00:00:00:00:01,actions=meter:2,NORMAL"));
	cookies = vg_realloc(cookies, slow.n_flows * sizeof(*cookies));
	for (size_t i = 0; i < slow.n_flows; i++)
		cookies[i] = slow.flows[i].cookie;
	assert_true(vg_ovs_guards_are(&slow, cookies, slow.n_flows));
	assert_false(vg_ovs_guards_are(&quick, cookies, slow.n_flows));
	free(cookies);
	vg_json_free(db.tables);
}

static void endpoints_are_read_strictly(void **state)
{
	(void)state;
	static const char *const wrong[] = {"", "unix:", "unix:db.sock", "h1:6640",
		"ssl:", "ssl::6640", "ssl:h1:0", "ssl:h1:70000", "tcp:[fd00::1", "tcp:h1:66x",
		"pssl:6640"};
	for (size_t i = 0; i < VG_LENGTH(wrong); i++) {
		struct vg_ovs_endpoint endpoint = {0};
		_auto(vg_error) struct vg_error *error = vg_ovs_endpoint_read(wrong[i], &endpoint);
		assert_non_null(error);
		assert_int_equal(vg_error_kind(error), VG_ERROR_USAGE);
	}
	_auto(vg_ovs_endpoint) struct vg_ovs_endpoint ssl = {0}, tcp = {0}, local = {0};
	assert_null(vg_ovs_endpoint_read("ssl:h1", &ssl));
	assert_string_equal(ssl.host, "h1");
	assert_int_equal(ssl.port, 6640);
	assert_null(vg_ovs_endpoint_read("tcp:[fd00::1]:7000", &tcp));
	assert_string_equal(tcp.host, "fd00::1");
	assert_int_equal(tcp.port, 7000);
	assert_null(vg_ovs_endpoint_read("unix:/run/openvswitch/db.sock", &local));
	assert_string_equal(local.path, "/run/openvswitch/db.sock");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_made_is_read_back_and_nothing_more_is_to_do),
		cmocka_unit_test(one_vxlan_port_for_each_host_with_a_member),
		cmocka_unit_test(another_grid_gets_other_vlans_and_port_numbers),
		cmocka_unit_test(a_taken_vni_is_an_error_that_names_who_has_it),
		cmocka_unit_test(an_empty_slice_removes_the_bridge_unless_others_use_it),
		cmocka_unit_test(too_many_overlays_are_an_error_at_the_first_that_has_no_vlan),
		cmocka_unit_test(guards_let_only_ones_own_addresses_pass),
		cmocka_unit_test(endpoints_are_read_strictly),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
