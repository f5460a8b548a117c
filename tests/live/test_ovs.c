// SPDX-License-Identifier: Apache-2.0
//
// Claims about the ovs net driver, with real ovsdb-server and ovs-vswitchd on three hosts made of
// namespaces.
#include "tests/unit/test.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "net/ovs_guard.h"
#include "tests/live/ovs_world.h"

static const char uuid_a[] = "aaaaaaaa-aaaa-8aaa-8aaa-aaaaaaaaaaaa";
static const char uuid_b[] = "bbbbbbbb-bbbb-8bbb-8bbb-bbbbbbbbbbbb";
enum { VNI_A = 77, VNI_B = 1077, NODES = 4, FULL = 1450 - 28 };

static int clear(void **state)
{
	(void)state;
	members_forget();
	world_clear(uuid_a);
	world_clear(uuid_b);
	return 0;
}

static struct vg_grid *make_grid(struct vg_arena *arena, const char *uuid, uint32_t vni)
{
	struct vg_grid *grid = world_grid(arena, uuid, NODES, 0);
	world_converge(grid, vni);
	return grid;
}

static void open_all(const struct vg_grid *grid, struct member *members)
{
	for (size_t i = 0; i < NODES; i++)
		member_open(&members[i], grid, i);
	for (size_t i = 0; i < NODES; i++)
		member_reach(&members[i], &members[(i + 1) % NODES], (uint32_t)i);
}

static void close_all(struct member *members)
{
	for (size_t i = 0; i < NODES; i++)
		member_close(&members[i]);
}

static void assert_seen(const struct vg_grid *grid, int host, const char *difference)
{
	_auto(vg_slice) struct vg_slice *wanted = world_slice(grid, host, VNI_A), *seen = NULL;
	assert_null(vg_net_ovs.observe(hosts[host].net, world_store, grid->uuid, &seen));
	_auto(vg_string) char *text = vg_slice_difference(wanted, seen);
	assert_string_equal(text ? text : "", difference);
}

static void assert_refused(int host, const struct vg_slice *slice, const char *text)
{
	_auto(vg_error) struct vg_error *error = vg_net_ovs.converge(hosts[host].net, slice);
	assert_non_null(error);
	if (!strstr(vg_error_text(error), text))
		fail_msg("'%s' is not in: %s", text, vg_error_text(error));
}

static void what_was_made_is_what_is_seen_and_stays(void **state)
{
	(void)state;
	_auto(vg_arena) struct vg_arena *arena = vg_arena_new();
	struct vg_grid *grid = make_grid(arena, uuid_a, VNI_A);
	for (int i = 0; i < HOSTS; i++)
		assert_seen(grid, i, "");
	_auto(vg_string) char *before = vsctl(&hosts[0], "get open_vswitch . next_cfg");
	world_converge(grid, VNI_A);
	_auto(vg_string) char *after = vsctl(&hosts[0], "get open_vswitch . next_cfg");
	assert_string_equal(before, after);
	char **grids;
	size_t n_grids;
	assert_null(vg_net_ovs.owners(hosts[0].net, world_store, &grids, &n_grids));
	assert_int_equal(n_grids, 1);
	assert_string_equal(grids[0], uuid_a);
	free(grids[0]);
	free(grids);
}

static void members_hear_each_other_at_the_full_mtu(void **state)
{
	(void)state;
	_auto(vg_arena) struct vg_arena *arena = vg_arena_new();
	struct vg_grid *grid = make_grid(arena, uuid_a, VNI_A);
	struct member members[NODES];
	uint32_t number = 100;
	open_all(grid, members);
	for (size_t from = 0; from < NODES; from++) {
		for (size_t to = 0; to < NODES; to++, number += 2) {
			if (to == from)
				continue;
			assert_true(member_send(
				&members[from], members[from].udp, &members[to].ip, number, FULL));
			assert_false(member_send(&members[from], members[from].udp, &members[to].ip,
				number, FULL + 1));
			member_reach(&members[from], &members[to], number + 1);
			assert_int_equal(members[to].heard[number], 1);
		}
	}
	for (int i = 0; i < HOSTS; i++)
		assert_seen(grid, i, "");
	close_all(members);
}

static void a_broadcast_reaches_every_other_member_exactly_once(void **state)
{
	(void)state;
	_auto(vg_arena) struct vg_arena *arena = vg_arena_new();
	struct vg_grid *grid = make_grid(arena, uuid_a, VNI_A);
	struct member members[NODES];
	struct vg_ip everybody = {.bytes = {10, 9, 0, 255}};
	open_all(grid, members);
	for (uint32_t from = 0; from < NODES; from++)
		assert_true(member_send(
			&members[from], members[from].udp, &everybody, 100 + from, 100));
	// Whatever circles comes by again meanwhile.
	for (uint32_t i = 0; i < 20; i++)
		for (uint32_t from = 0; from < NODES; from++)
			member_reach(&members[from], &members[(from + 1 + i % 3) % NODES],
				200 + 10 * i + from);
	for (uint32_t from = 0; from < NODES; from++)
		for (uint32_t to = 0; to < NODES; to++)
			assert_int_equal(members[to].heard[100 + from], 1); // its own by itself
	close_all(members);
}

static void another_grid_with_the_same_block_hears_nothing(void **state)
{
	(void)state;
	_auto(vg_arena) struct vg_arena *arena = vg_arena_new();
	struct vg_grid *a = make_grid(arena, uuid_a, VNI_A), *b = make_grid(arena, uuid_b, VNI_B);
	struct member of_a[NODES], of_b[NODES];
	struct vg_ip everybody = {.bytes = {10, 9, 0, 255}};
	open_all(a, of_a);
	open_all(b, of_b);
	for (uint32_t i = 0; i < NODES; i++)
		assert_true(member_send(&of_a[i], of_a[i].udp, &everybody, 100 + i, 100));
	for (uint32_t i = 0; i < NODES; i++) {
		member_reach(&of_a[i], &of_a[(i + 1) % NODES], 200 + i);
		member_reach(&of_b[i], &of_b[(i + 1) % NODES], 200 + i);
	}
	for (uint32_t i = 0; i < NODES; i++) {
		assert_int_equal(of_a[i].n_strangers, 0);
		assert_int_equal(of_b[i].n_strangers, 0);
		assert_int_equal(of_a[(i + 1) % NODES].heard[100 + i], 1); // a itself did hear
	}
	close_all(of_a);
	close_all(of_b);
}

// Twenty from one's own address and twenty from the other: how many of the latter arrive.
static unsigned count_lies(
	struct member *liar, struct member *victim, int fd, const struct vg_ip *to, uint32_t first)
{
	unsigned n_heard = 0;
	member_reach_at(liar, victim, to, first + 41); // and knows where it is from then on
	for (uint32_t i = 0; i < 20; i++) {
		member_send(liar, fd, to, first + i, 50);
		member_send(liar, liar->udp, to, first + 20 + i, 50);
	}
	member_reach_at(liar, victim, to, first + 40);
	for (uint32_t i = 0; i < 20; i++) {
		n_heard += victim->heard[first + i];
		assert_int_equal(victim->heard[first + 20 + i], 1);
	}
	return n_heard;
}

static void only_ones_own_addresses_pass(void **state)
{
	(void)state;
	_auto(vg_arena) struct vg_arena *arena = vg_arena_new();
	struct vg_grid *grid = make_grid(arena, uuid_a, VNI_A);
	struct member members[NODES];
	open_all(grid, members);
	struct vg_ip victim = vg_ovs_link_local(&members[1].mac);
	_auto(vg_fd) int as_ipv4 = member_liar(&members[0], "10.9.0.77");
	_auto(vg_fd) int as_ipv6 = member_liar(&members[0], "fe80::77");
	struct member on_ipv6 = members[0];
	struct vg_ip own = vg_ovs_link_local(&members[0].mac);
	char text[VG_IP_LENGTH];
	vg_ip_write(&own, text);
	on_ipv6.udp = member_liar(&members[0], text);
	// A neighbour on the same host, and one on another.
	assert_int_equal(count_lies(&members[0], &members[3], as_ipv4, &members[3].ip, 100), 0);
	assert_int_equal(count_lies(&members[0], &members[1], as_ipv4, &members[1].ip, 200), 0);
	assert_int_equal(count_lies(&on_ipv6, &members[1], as_ipv6, &victim, 300), 0);
	close(on_ipv6.udp);
	// A frame with another's MAC: "node-3 is at my MAC" and a broadcast that seems to be
	// node-3's.
	uint8_t frame[60] = {[12] = 0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, 2};
	memset(frame, 0xff, 6);
	memcpy(frame + 6, members[0].mac.bytes, 6);
	memcpy(frame + 22, members[0].mac.bytes, 6);
	memcpy(frame + 28, members[3].ip.bytes, 4);
	memcpy(frame + 38, members[1].ip.bytes, 4);
	member_frame(&members[0], frame, sizeof(frame));
	memcpy(frame + 6, members[3].mac.bytes, 6);
	member_frame(&members[0], frame, sizeof(frame));
	member_reach(&members[1], &members[3], 400);
	member_reach(&members[2], &members[3], 401);
	close_all(members);
}

static void a_killed_switch_comes_back_with_all_but_the_guards(void **state)
{
	(void)state;
	_auto(vg_arena) struct vg_arena *arena = vg_arena_new();
	struct vg_grid *grid = make_grid(arena, uuid_a, VNI_A);
	struct member members[NODES];
	open_all(grid, members);
	_auto(vg_fd) int liar = member_liar(&members[0], "10.9.0.77");
	daemon_kill(&hosts[0].vswitch, SIGKILL);
	vswitch_start(&hosts[0]);
	world_underlay(0);
	member_reach(&members[0], &members[1], 100);
	member_reach(&members[2], &members[3], 101);
	assert_seen(grid, 0,
		"port of 'node-0' on 'net-0' is not guarded: it may use others' addresses\n"
		"port of 'node-3' on 'net-0' is not guarded: it may use others' addresses");
	assert_int_not_equal(count_lies(&members[0], &members[1], liar, &members[1].ip, 200), 0);
	world_converge(grid, VNI_A);
	assert_seen(grid, 0, "");
	assert_int_equal(count_lies(&members[0], &members[1], liar, &members[1].ip, 300), 0);
	close_all(members);
}

// While it is away the userspace datapath stands still (ovs-vswitchd has lost its lock in it); what
// was made is not lost.
static void members_hear_each_other_again_once_a_killed_database_is_back(void **state)
{
	(void)state;
	_auto(vg_arena) struct vg_arena *arena = vg_arena_new();
	struct vg_grid *grid = make_grid(arena, uuid_a, VNI_A);
	struct member members[NODES];
	open_all(grid, members);
	daemon_kill(&hosts[0].database, SIGKILL);
	_auto(vg_slice) struct vg_slice *slice = world_slice(grid, 0, VNI_A);
	assert_refused(0, slice, "building the overlays on host 'h0': asking the OVSDB server at ");
	database_start(&hosts[0]);
	member_reach(&members[0], &members[1], 101);
	assert_seen(grid, 0, "");
	world_converge(grid, VNI_A);
	close_all(members);
}

static void a_hung_database_is_an_error_within_seconds(void **state)
{
	(void)state;
	_auto(vg_arena) struct vg_arena *arena = vg_arena_new();
	struct vg_grid *grid = world_grid(arena, uuid_a, NODES, 0);
	_auto(vg_slice) struct vg_slice *slice = world_slice(grid, 0, VNI_A);
	uint64_t begin = now_ms();
	kill(hosts[0].database, SIGSTOP);
	assert_refused(0, slice, "it does not answer");
	kill(hosts[0].database, SIGCONT);
	assert_true(now_ms() - begin < 8000);
}

static void a_node_that_goes_takes_only_its_port(void **state)
{
	(void)state;
	_auto(vg_arena) struct vg_arena *arena = vg_arena_new();
	struct vg_grid *grid = make_grid(arena, uuid_a, VNI_A);
	struct vg_grid *smaller = world_grid(arena, uuid_a, NODES - 2, 0);
	struct member members[NODES];
	open_all(grid, members);
	world_converge(smaller, VNI_A);
	member_reach(&members[0], &members[1], 100);
	for (int i = 0; i < HOSTS - 1; i++)
		assert_seen(smaller, i, "");
	// The last host holds no member any more: nobody has a tunnel to it, nor it a bridge.
	_auto(vg_string) char *bridges = vsctl(&hosts[2], "list-br");
	assert_string_equal(bridges, "br-phy\n");
	_auto(vg_string) char *tunnels_left =
		vsctl(&hosts[0], "--columns=name find interface options:remote_ip=192.0.2.13");
	assert_string_equal(tunnels_left, "");
	close_all(members);
}

static void changed_vni_and_mtu_are_followed(void **state)
{
	(void)state;
	_auto(vg_arena) struct vg_arena *arena = vg_arena_new();
	struct vg_grid *grid = make_grid(arena, uuid_a, VNI_B);
	struct member members[NODES];
	open_all(grid, members);
	assert_seen(grid, 0, "network 'net-0' has VNI 1077 instead of 77");
	grid->networks[0].mtu = 1400;
	world_converge(grid, VNI_A);
	for (int i = 0; i < HOSTS; i++)
		assert_seen(grid, i, "");
	member_reach(&members[0], &members[1], 100);
	close_all(members);
}

static void what_is_not_ours_stays_and_is_named_when_in_the_way(void **state)
{
	(void)state;
	_auto(vg_arena) struct vg_arena *arena = vg_arena_new();
	struct vg_grid *grid = world_grid(arena, uuid_a, NODES, 0);
	_auto(vg_slice) struct vg_slice *slice = world_slice(grid, 0, VNI_A);
	free(vsctl(&hosts[0], "add-port br-phy vx0 -- set interface vx0 type=vxlan "
			      "options:remote_ip=192.0.2.99 options:key=77"));
	assert_refused(0, slice,
		"t.yaml:4:3: building the overlays on host 'h0': VNI 77 is taken by port 'vx0', "
		"which "
		"is not of vgrid");
	free(vsctl(&hosts[0], "del-port vx0"));
	_auto(vg_string) char *add =
		vg_format("add-port br-phy %s -- set interface %s type=internal",
			slice->overlays[0].ports[0].link, slice->overlays[0].ports[0].link);
	_auto(vg_string) char *remove = vg_format("del-port %s", slice->overlays[0].ports[0].link);
	free(vsctl(&hosts[0], add));
	assert_refused(0, slice, "and is there already, on bridge 'br-phy' as ''");
	free(vsctl(&hosts[0], remove));
	world_converge(grid, VNI_A);
	struct vg_grid *other = world_grid(arena, uuid_b, NODES, 0);
	_auto(vg_slice) struct vg_slice *same_vni = world_slice(other, 0, VNI_A);
	assert_refused(0, same_vni, "VNI 77 is taken by grid 'aaaaaaaa-");
	// A port of somebody else on our own bridge keeps the bridge alive.
	_auto(vg_string) char *bridges = vsctl(&hosts[0], "list-br");
	_auto(vg_string) char *bridge = vg_strndup(strstr(bridges, "vg"), 13);
	_auto(vg_string) char *guest =
		vg_format("add-port %s foreign -- set interface foreign type=internal", bridge);
	free(vsctl(&hosts[0], guest));
	world_clear(uuid_a);
	_auto(vg_string) char *ports = vg_format("list-ports %s", bridge);
	_auto(vg_string) char *left = vsctl(&hosts[0], ports);
	assert_string_equal(left, "foreign\n");
	_auto(vg_string) char *end = vg_format("del-br %s", bridge);
	free(vsctl(&hosts[0], end));
}

static void what_was_changed_by_hand_is_missed_and_mended(void **state)
{
	(void)state;
	_auto(vg_arena) struct vg_arena *arena = vg_arena_new();
	struct vg_grid *grid = make_grid(arena, uuid_a, VNI_A);
	_auto(vg_slice) struct vg_slice *slice = world_slice(grid, 0, VNI_A);
	const char *port = slice->overlays[0].ports[0].link;
	_auto(vg_string) char *move = vg_format("set port %s tag=99", port);
	_auto(vg_string) char *remove = vg_format("del-port %s", port);
	free(vsctl(&hosts[0], remove));
	assert_seen(grid, 0, "port of 'node-0' on 'net-0' is missing");
	world_converge(grid, VNI_A);
	assert_seen(grid, 0, "");
	free(vsctl(&hosts[0], move));
	_auto(vg_slice) struct vg_slice *seen = NULL;
	assert_null(vg_net_ovs.observe(hosts[0].net, world_store, uuid_a, &seen));
	_auto(vg_string) char *difference = vg_slice_difference(slice, seen);
	assert_non_null(difference);
	world_converge(grid, VNI_A);
	assert_seen(grid, 0, "");
}

static void rates_hold_in_both_directions(void **state)
{
	(void)state;
	enum { RATE = 10000000, ROUNDS = 3, MS = 2000 };
	_auto(vg_arena) struct vg_arena *arena = vg_arena_new();
	struct vg_grid *grid = world_grid(arena, uuid_a, NODES, 0);
	struct member members[NODES];
	world_converge(grid, VNI_A);
	open_all(grid, members);
	// Without a rate it is much quicker, else the rest shows nothing.
	assert_true(member_stream(&members[1], &members[0], 500) > 4ull * RATE);
	_auto(vg_slice) struct vg_slice *slice = world_slice(grid, 0, VNI_A);
	slice->overlays[0].ports[0].rate = RATE; // node-0's
	assert_null(vg_net_ovs.converge(hosts[0].net, slice));
	for (int to = 0; to < 2; to++) {
		uint64_t rates[ROUNDS];
		for (int i = 0; i < ROUNDS; i++)
			rates[i] = member_stream(&members[!to], &members[to], MS);
		for (int i = 1; i < ROUNDS; i++)
			for (int j = i; j > 0 && rates[j] < rates[j - 1]; j--) {
				uint64_t swap = rates[j];
				rates[j] = rates[j - 1];
				rates[j - 1] = swap;
			}
		print_message("from node-%d to node-%d: %.2f Mbit/s of %d\n", !to, to,
			(double)rates[ROUNDS / 2] / 1e6, RATE / 1000000);
		assert_in_range(rates[ROUNDS / 2], RATE * 0.80, RATE * 1.05);
	}
	slice->overlays[0].ports[0].rate = 0;
	assert_null(vg_net_ovs.converge(hosts[0].net, slice));
	assert_true(member_stream(&members[1], &members[0], 500) > 4ull * RATE);
	close_all(members);
}

static struct vg_error *open_tls(
	const char *endpoint, const char *user, const char *authority, struct vg_net **ret_net)
{
	_auto(vg_string) char *key = vg_format("%s/%s.key", world_folder, user);
	_auto(vg_string) char *certificate = vg_format("%s/%s.pem", world_folder, user);
	_auto(vg_string) char *ca = vg_format("%s/%s.pem", world_folder, authority);
	struct vg_net_target target = {.host = "h0",
		.namespace_fd = hosts[0].namespace_fd,
		.endpoint = endpoint,
		.tls = {key, certificate, ca}};
	return vg_net_ovs.open(&target, ret_net);
}

static void assert_no_tls(
	const char *endpoint, const char *user, const char *authority, const char *text)
{
	struct vg_net *net = NULL;
	_auto(vg_error) struct vg_error *error = open_tls(endpoint, user, authority, &net);
	assert_non_null(error);
	if (!strstr(vg_error_text(error), text))
		fail_msg("'%s' is not in: %s", text, vg_error_text(error));
}

static void both_ends_of_tls_prove_who_they_are(void **state)
{
	(void)state;
	static const char endpoint[] = "ssl:192.0.2.11:6640";
	assert_no_tls(endpoint, "other", "ca", "'192.0.2.11' refuses our certificate");
	assert_no_tls(endpoint, "user", "other-ca", "the certificate of '192.0.2.11' is refused");
	assert_no_tls("ssl:127.0.0.1:6640", "user", "ca", "was made for another host");
	assert_no_tls("ssl:192.0.2.11:6641", "user", "ca", "Connection refused");
	assert_no_tls(endpoint, "nobody", "ca", "reading the certificate");
	struct vg_net *net = NULL;
	struct vg_error *error = open_tls(endpoint, "user", "ca", &net);
	if (error)
		fail_msg("%s", vg_error_text(error));
	vg_net_ovs.close(net);
}

static void all_of_it_works_over_tls_and_with_taps_of_the_drivers_own(void **state)
{
	(void)state;
	_auto(vg_arena) struct vg_arena *arena = vg_arena_new();
	struct vg_grid *grid = world_grid(arena, uuid_a, NODES, 20000000);
	_auto(vg_slice) struct vg_slice *slice = world_slice(grid, 0, VNI_A), *seen = NULL;
	_auto(vg_slice) struct vg_slice *empty = world_slice(world_grid(arena, uuid_a, 0, 0), 0, 1);
	struct vg_net *net = NULL;
	struct vg_net_facts facts;
	assert_null(open_tls("ssl:192.0.2.11:6640", "user", "ca", &net));
	struct vg_error *error = vg_net_ovs.converge(net, slice);
	if (error)
		fail_msg("%s", vg_error_text(error));
	assert_null(vg_net_ovs.observe(net, world_store, uuid_a, &seen));
	_auto(vg_string) char *difference = vg_slice_difference(slice, seen);
	assert_null(difference);
	assert_null(vg_net_ovs.facts(net, &facts));
	assert_string_equal(facts.version, "3.1.0");
	assert_string_equal(facts.datapath, "netdev");
	assert_true(facts.needs_plain_frames && facts.can_guard && facts.can_limit);
	assert_false(facts.needs_taps);
	vg_net_facts_done(&facts);
	_auto(vg_string) char *find = vg_format(
		"get interface %s admin_state mtu error", slice->overlays[0].ports[0].link);
	_auto(vg_string) char *found = vsctl(&hosts[0], find);
	assert_string_equal(found, "up\n1450\n[]\n");
	assert_null(vg_net_ovs.converge(net, empty));
	vg_net_ovs.close(net);
	_auto(vg_string) char *bridges = vsctl(&hosts[0], "list-br");
	assert_string_equal(bridges, "br-phy\n");
}

static void without_tls_over_a_network_no_flows_and_no_rates(void **state)
{
	(void)state;
	_auto(vg_arena) struct vg_arena *arena = vg_arena_new();
	struct vg_grid *grid = world_grid(arena, uuid_a, NODES, 0);
	_auto(vg_slice) struct vg_slice *slice = world_slice(grid, 0, VNI_A), *seen = NULL;
	struct vg_net_target target = {.host = "h0",
		.namespace_fd = hosts[0].namespace_fd,
		.endpoint = "tcp:127.0.0.1:6642"};
	struct vg_net *net = NULL;
	struct vg_net_facts facts;
	free(vsctl(&hosts[0], "set-manager ptcp:6642:127.0.0.1"));
	for (uint64_t end = now_ms() + 5000; !net && now_ms() < end;)
		vg_error_ignore(vg_net_ovs.open(&target, &net));
	assert_non_null(net);
	assert_null(vg_net_ovs.facts(net, &facts));
	assert_false(facts.can_guard || facts.can_limit);
	assert_string_equal(facts.why_not, "flows cannot reach it: tcp is not safe for them");
	vg_net_facts_done(&facts);
	assert_null(vg_net_ovs.converge(net, slice));
	assert_null(vg_net_ovs.observe(net, world_store, uuid_a, &seen));
	_auto(vg_string) char *difference = vg_slice_difference(slice, seen);
	assert_null(difference);
	slice->overlays[0].ports[0].rate = 1000000;
	_auto(vg_error) struct vg_error *error = vg_net_ovs.converge(net, slice);
	assert_string_equal(vg_error_text(error), "t.yaml:100:5: building the overlays on host "
						  "'h0': limiting the rate of a port: flows "
						  "cannot reach it: tcp is not safe for them");
	vg_net_ovs.close(net);
	free(vsctl(&hosts[0], "del-manager"));
}

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
#define CLAIM(name) cmocka_unit_test_teardown(name, clear)
		CLAIM(what_was_made_is_what_is_seen_and_stays),
		CLAIM(members_hear_each_other_at_the_full_mtu),
		CLAIM(a_broadcast_reaches_every_other_member_exactly_once),
		CLAIM(another_grid_with_the_same_block_hears_nothing),
		CLAIM(only_ones_own_addresses_pass),
		CLAIM(a_killed_switch_comes_back_with_all_but_the_guards),
		CLAIM(members_hear_each_other_again_once_a_killed_database_is_back),
		CLAIM(a_hung_database_is_an_error_within_seconds),
		CLAIM(a_node_that_goes_takes_only_its_port),
		CLAIM(changed_vni_and_mtu_are_followed),
		CLAIM(what_is_not_ours_stays_and_is_named_when_in_the_way),
		CLAIM(what_was_changed_by_hand_is_missed_and_mended),
		CLAIM(rates_hold_in_both_directions),
		CLAIM(both_ends_of_tls_prove_who_they_are),
		CLAIM(all_of_it_works_over_tls_and_with_taps_of_the_drivers_own),
		CLAIM(without_tls_over_a_network_no_flows_and_no_rates),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	world_make();
	int n_failed = cmocka_run_group_tests(tests, NULL, NULL);
	world_done();
	return n_failed;
}
