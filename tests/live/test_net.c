// SPDX-License-Identifier: Apache-2.0
//
// Claims about the kernel net driver, on real links: who hears what, and what stays and goes.
#include "tests/unit/test.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include "base/file.h"
#include "net/inside.h"
#include "tests/live/net_world.h"

static const char uuid_a[] = "aaaaaaaa-aaaa-8aaa-8aaa-aaaaaaaaaaaa";
static const char uuid_b[] = "bbbbbbbb-bbbb-8bbb-8bbb-bbbbbbbbbbbb";
enum { VNI_A = 77, VNI_B = 1077, PORTS = 6 };

static int clear(void **state)
{
	(void)state;
	world_clear(uuid_a);
	world_clear(uuid_b);
	return 0;
}

static void open_all(const struct vg_grid *grid, struct endpoint endpoints[PORTS])
{
	for (size_t i = 0; i < PORTS; i++)
		endpoints[i] = endpoint_open(grid, i);
	endpoint_settle(endpoints, PORTS);
}

static void close_all(struct endpoint endpoints[PORTS])
{
	for (size_t i = 0; i < PORTS; i++)
		endpoint_close(&endpoints[i]);
}

static void a_broadcast_reaches_every_other_port_exactly_once(void **state)
{
	(void)state;
	_auto(vg_arena) struct vg_arena *arena = vg_arena_new();
	struct vg_grid *grid = world_grid(arena, uuid_a, 1, PORTS);
	struct endpoint endpoints[PORTS];
	unsigned heard[PORTS];
	world_converge(grid, VNI_A);
	open_all(grid, endpoints);
	for (size_t from = 0; from < PORTS; from++) {
		endpoint_count(endpoints, PORTS, from, &broadcast, 100, heard);
		for (size_t i = 0; i < PORTS; i++)
			assert_int_equal(heard[i], i != from);
	}
	for (size_t i = 0; i < PORTS; i++)
		assert_int_equal(endpoints[i].n_foreign, 0);
	close_all(endpoints);
}

static void a_frame_reaches_only_the_port_with_its_mac(void **state)
{
	(void)state;
	_auto(vg_arena) struct vg_arena *arena = vg_arena_new();
	struct vg_grid *grid = world_grid(arena, uuid_a, 1, PORTS);
	struct endpoint endpoints[PORTS];
	unsigned heard[PORTS];
	world_converge(grid, VNI_A);
	open_all(grid, endpoints);
	for (size_t from = 0; from < PORTS; from++) {
		for (size_t to = 0; to < PORTS; to++) {
			if (to == from)
				continue;
			endpoint_count(endpoints, PORTS, from, &endpoints[to].mac, 100, heard);
			for (size_t i = 0; i < PORTS; i++)
				assert_int_equal(heard[i], i == to);
		}
	}
	close_all(endpoints);
}

static void who_sends_with_anothers_mac_does_not_get_its_frames(void **state)
{
	(void)state;
	_auto(vg_arena) struct vg_arena *arena = vg_arena_new();
	struct vg_grid *grid = world_grid(arena, uuid_a, 1, PORTS);
	struct endpoint endpoints[PORTS];
	unsigned heard[PORTS];
	world_converge(grid, VNI_A);
	open_all(grid, endpoints);
	struct endpoint liar = endpoints[0];
	liar.mac = endpoints[3].mac; // a neighbour on the same host
	endpoint_send(&liar, &broadcast, 100);
	liar.mac = endpoints[1].mac; // and one on another
	endpoint_send(&liar, &broadcast, 100);
	for (size_t to = 1; to <= 3; to += 2) {
		endpoint_count(endpoints, PORTS, 2, &endpoints[to].mac, 100, heard);
		for (size_t i = 0; i < PORTS; i++)
			assert_int_equal(heard[i], i == to);
		endpoint_count(endpoints, PORTS, 0, &endpoints[to].mac, 100, heard);
		assert_int_equal(heard[to], 1);
	}
	close_all(endpoints);
}

static void another_grid_with_the_same_block_hears_nothing(void **state)
{
	(void)state;
	_auto(vg_arena) struct vg_arena *arena = vg_arena_new();
	struct vg_grid *a = world_grid(arena, uuid_a, 1, PORTS);
	struct vg_grid *b = world_grid(arena, uuid_b, 1, PORTS);
	struct endpoint of_a[PORTS], of_b[PORTS];
	unsigned heard[PORTS];
	world_converge(a, VNI_A);
	world_converge(b, VNI_B);
	open_all(a, of_a);
	open_all(b, of_b);
	uint32_t sent = 0;
	for (size_t i = 0; i < PORTS; i++) {
		sent = endpoint_send(&of_a[i], &broadcast, 100);
		endpoint_send(&of_a[i], &of_b[(i + 1) % PORTS].mac, 100);
	}
	// Everybody of b hears b, so they listen; all that came before was heard, and none was of
	// a.
	endpoint_count(of_b, PORTS, 0, &broadcast, 100, heard);
	for (size_t i = 1; i < PORTS; i++)
		assert_int_equal(heard[i], 1);
	assert_int_not_equal(sent, 0);
	for (size_t i = 0; i < PORTS; i++)
		assert_int_equal(of_b[i].n_strangers, 0);
	endpoint_count(of_a, PORTS, 0, &broadcast, 100, heard);
	for (size_t i = 1; i < PORTS; i++)
		assert_int_equal(heard[i], 1);
	close_all(of_a);
	close_all(of_b);
}

static void a_frame_of_the_full_mtu_passes(void **state)
{
	(void)state;
	_auto(vg_arena) struct vg_arena *arena = vg_arena_new();
	struct vg_grid *grid = world_grid(arena, uuid_a, 1, PORTS);
	struct endpoint endpoints[PORTS];
	unsigned heard[PORTS];
	world_converge(grid, VNI_A);
	open_all(grid, endpoints);
	endpoint_count(endpoints, PORTS, 0, &endpoints[1].mac, ETH_HLEN + 1450, heard);
	assert_int_equal(heard[1], 1);
	endpoint_count(endpoints, PORTS, 0, &endpoints[3].mac, ETH_HLEN + 1450, heard);
	assert_int_equal(heard[3], 1);
	close_all(endpoints);
}

static void the_host_does_not_answer_on_an_overlay(void **state)
{
	(void)state;
	_auto(vg_arena) struct vg_arena *arena = vg_arena_new();
	struct vg_grid *grid = world_grid(arena, uuid_a, 1, PORTS);
	struct endpoint endpoints[PORTS];
	world_converge(grid, VNI_A);
	open_all(grid, endpoints);
	// Who has the host's underlay address? (RFC 826)
	uint8_t frame[60] = {[12] = 0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, 1};
	memset(frame, 0xff, 6);
	memcpy(frame + 6, endpoints[0].mac.bytes, 6);
	memcpy(frame + 22, endpoints[0].mac.bytes, 6);
	memcpy(frame + 28, ((uint8_t[]){192, 0, 2, 200}), 4);
	memcpy(frame + 38, tunnels[0].bytes, 4);
	assert_int_equal(write(endpoints[0].fd, frame, sizeof(frame)), sizeof(frame));
	endpoint_settle(endpoints, PORTS);
	assert_int_equal(endpoints[0].n_foreign, 0);
	for (size_t i = 1; i < PORTS; i++)
		assert_int_equal(endpoints[i].n_foreign, 1); // the question itself
	close_all(endpoints);
}

static struct vg_error *read_inet6(void *data)
{
	size_t size;
	return vg_file_read("/proc/thread-self/net/if_inet6", 1 << 20, data, &size);
}

static void only_the_underlay_has_ipv6_addresses(void **state)
{
	(void)state;
	_auto(vg_arena) struct vg_arena *arena = vg_arena_new();
	struct vg_grid *grid = world_grid(arena, uuid_a, 1, PORTS);
	struct endpoint endpoints[PORTS];
	world_converge(grid, VNI_A);
	open_all(grid, endpoints);
	for (int i = 0; i < HOSTS; i++) {
		_auto(vg_string) char *addresses = NULL;
		assert_null(vg_inside(hosts[i].namespace_fd, read_inet6, &addresses));
		assert_non_null(strstr(addresses, "underlay"));
		assert_null(strstr(addresses, " vg"));
	}
	close_all(endpoints);
}

// What a netlink listener in the namespace has heard of changes.
struct listener {
	int fd;
};

static struct vg_error *open_listener(void *data)
{
	struct listener *listener = data;
	struct sockaddr_nl address = {.nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_LINK | RTMGRP_NEIGH | RTMGRP_IPV6_IFADDR};
	listener->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	assert_int_equal(bind(listener->fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return NULL;
}

static unsigned count_changes(const struct listener *listener)
{
	char bytes[16 << 10];
	unsigned n = 0;
	while (recv(listener->fd, bytes, sizeof(bytes), 0) > 0 || errno == ENOBUFS) {
		n++;
		errno = 0;
	}
	return n;
}

static void a_second_converge_changes_nothing(void **state)
{
	(void)state;
	_auto(vg_arena) struct vg_arena *arena = vg_arena_new();
	struct vg_grid *grid = world_grid(arena, uuid_a, 3, PORTS);
	struct listener listener;
	assert_null(vg_inside(hosts[0].namespace_fd, open_listener, &listener));
	world_converge(grid, VNI_A);
	// Taps without a user settle down a moment after they were made.
	struct endpoint endpoints[PORTS];
	open_all(grid, endpoints);
	assert_int_not_equal(count_changes(&listener), 0);
	world_converge(grid, VNI_A);
	assert_int_equal(count_changes(&listener), 0);
	close_all(endpoints);
	close(listener.fd);
}

struct links {
	struct if_nameindex *items;
};

static struct vg_error *list_links(void *data)
{
	((struct links *)data)->items = if_nameindex();
	return NULL;
}

static struct if_nameindex *links_of(int host)
{
	struct links links;
	assert_null(vg_inside(hosts[host].namespace_fd, list_links, &links));
	return links.items;
}

static unsigned count_links(int host)
{
	struct if_nameindex *links = links_of(host);
	unsigned n = 0;
	for (struct if_nameindex *link = links; link->if_name; link++)
		n += strncmp(link->if_name, "vg", 2) == 0;
	if_freenameindex(links);
	return n;
}

// The index of a link, 0 if there is none.
static unsigned index_of(int host, const char *name)
{
	struct if_nameindex *links = links_of(host);
	unsigned index = 0;
	for (struct if_nameindex *link = links; link->if_name; link++)
		if (strcmp(link->if_name, name) == 0)
			index = link->if_index;
	if_freenameindex(links);
	return index;
}

static void assert_seen(const struct vg_grid *grid, int host, const char *difference)
{
	_auto(vg_slice) struct vg_slice *wanted = world_slice(grid, host, VNI_A), *seen = NULL;
	assert_null(vg_net_kernel.observe(hosts[host].net, world_store, uuid_a, &seen));
	_auto(vg_string) char *text = vg_slice_difference(wanted, seen);
	assert_string_equal(text ? text : "", difference);
}

static void what_was_made_is_what_is_seen(void **state)
{
	(void)state;
	_auto(vg_arena) struct vg_arena *arena = vg_arena_new();
	struct vg_grid *grid = world_grid(arena, uuid_a, 2, 8);
	world_converge(grid, VNI_A);
	for (int i = 0; i < HOSTS; i++)
		assert_seen(grid, i, "");
	char **grids;
	size_t n_grids;
	assert_null(vg_net_kernel.owners(hosts[0].net, world_store, &grids, &n_grids));
	assert_int_equal(n_grids, 1);
	assert_string_equal(grids[0], uuid_a);
	free(grids[0]);
	free(grids);
}

static void a_node_that_goes_takes_only_its_tap(void **state)
{
	(void)state;
	_auto(vg_arena) struct vg_arena *arena = vg_arena_new();
	struct vg_grid *grid = world_grid(arena, uuid_a, 1, PORTS);
	struct vg_grid *smaller = world_grid(arena, uuid_a, 1, PORTS - 1);
	struct endpoint endpoints[PORTS];
	unsigned heard[PORTS];
	world_converge(grid, VNI_A);
	open_all(grid, endpoints);
	struct if_nameindex *before = links_of(2);
	endpoint_close(&endpoints[PORTS - 1]);
	world_converge(smaller, VNI_A);
	unsigned n_gone = 0;
	for (struct if_nameindex *link = before; link->if_name; link++)
		n_gone += index_of(2, link->if_name) != link->if_index;
	if_freenameindex(before);
	assert_int_equal(n_gone, 1);
	endpoint_count(endpoints, PORTS - 1, 0, &broadcast, 100, heard);
	for (size_t i = 1; i < PORTS - 1; i++)
		assert_int_equal(heard[i], 1);
	for (int i = 0; i < HOSTS; i++)
		assert_seen(smaller, i, "");
	for (size_t i = 0; i < PORTS - 1; i++)
		endpoint_close(&endpoints[i]);
}

static void a_member_that_moves_is_found_on_its_new_host(void **state)
{
	(void)state;
	_auto(vg_arena) struct vg_arena *arena = vg_arena_new();
	struct vg_grid *grid = world_grid(arena, uuid_a, 1, PORTS);
	struct endpoint endpoints[PORTS];
	unsigned heard[PORTS];
	world_converge(grid, VNI_A);
	grid->nodes[1].host = 0;
	grid->nodes[2].host = 1;
	world_converge(grid, VNI_A);
	for (int i = 0; i < HOSTS; i++)
		assert_seen(grid, i, "");
	open_all(grid, endpoints);
	for (size_t to = 1; to < 3; to++) {
		endpoint_count(endpoints, PORTS, 5, &endpoints[to].mac, 100, heard);
		for (size_t i = 0; i < PORTS; i++)
			assert_int_equal(heard[i], i == to);
	}
	close_all(endpoints);
}

static void an_empty_slice_leaves_no_link(void **state)
{
	(void)state;
	_auto(vg_arena) struct vg_arena *arena = vg_arena_new();
	world_converge(world_grid(arena, uuid_a, 2, PORTS), VNI_A);
	world_converge(world_grid(arena, uuid_b, 1, PORTS), VNI_B);
	assert_int_equal(count_links(0), 2 * 4 + 4);
	world_clear(uuid_a);
	assert_int_equal(count_links(0), 4);
	world_clear(uuid_b);
	for (int i = 0; i < HOSTS; i++)
		assert_int_equal(count_links(i), 0);
}

static void a_link_that_was_removed_is_missed_and_mended(void **state)
{
	(void)state;
	_auto(vg_arena) struct vg_arena *arena = vg_arena_new();
	struct vg_grid *grid = world_grid(arena, uuid_a, 1, PORTS);
	_auto(vg_slice) struct vg_slice *slice = world_slice(grid, 0, VNI_A);
	world_converge(grid, VNI_A);
	assert_null(vg_link_remove(hosts[0].netlink, slice->overlays[0].ports[1].link));
	assert_seen(grid, 0, "port of 'node-3' on 'net-0' is missing");
	world_converge(grid, VNI_A);
	assert_seen(grid, 0, "");
	assert_null(vg_link_remove(hosts[0].netlink, slice->overlays[0].vxlan));
	assert_seen(grid, 0, "network 'net-0' has no VXLAN device that works");
	world_converge(grid, VNI_A);
	assert_null(vg_link_remove(hosts[0].netlink, slice->overlays[0].bridge));
	// All else hangs on it.
	assert_seen(grid, 0, "network 'net-0' has no bridge that works");
	world_converge(grid, VNI_A);
	assert_seen(grid, 0, "");
}

static void changed_vni_and_mtu_are_followed(void **state)
{
	(void)state;
	_auto(vg_arena) struct vg_arena *arena = vg_arena_new();
	struct vg_grid *grid = world_grid(arena, uuid_a, 2, PORTS);
	world_converge(grid, 500);
	assert_seen(grid, 1,
		"network 'net-0' has VNI 500 instead of 77\n"
		"network 'net-1' has VNI 501 instead of 78");
	grid->networks[0].mtu = 1500;
	world_converge(grid, VNI_A);
	assert_seen(grid, 1, "");
	grid->networks[0].mtu = 1280;
	assert_seen(grid, 1, "network 'net-0' has MTU 1500 instead of 1280");
	world_converge(grid, VNI_A);
	assert_seen(grid, 1, "");
}

static void a_moved_tunnel_address_is_followed(void **state)
{
	(void)state;
	_auto(vg_arena) struct vg_arena *arena = vg_arena_new();
	struct vg_grid *grid = world_grid(arena, uuid_a, 1, PORTS);
	world_converge(grid, VNI_A);
	struct vg_ip before = tunnels[0];
	tunnels[0] = (struct vg_ip){.bytes = {192, 0, 2, 99}};
	assert_seen(grid, 0, "tunnels begin at 192.0.2.11 instead of 192.0.2.99");
	assert_seen(grid, 1, "network 'net-0' looks for 2 members on the wrong host");
	world_converge(grid, VNI_A);
	for (int i = 0; i < HOSTS; i++)
		assert_seen(grid, i, "");
	tunnels[0] = before;
}

static void assert_refused(const struct vg_grid *grid, uint32_t vni, const char *text)
{
	_auto(vg_slice) struct vg_slice *slice = world_slice(grid, 0, vni);
	_auto(vg_error) struct vg_error *error = vg_net_kernel.converge(hosts[0].net, slice);
	assert_non_null(error);
	assert_string_equal(vg_error_text(error), text);
}

static void a_foreign_link_in_the_way_is_named_and_left(void **state)
{
	(void)state;
	_auto(vg_arena) struct vg_arena *arena = vg_arena_new();
	struct vg_grid *grid = world_grid(arena, uuid_a, 1, PORTS);
	_auto(vg_slice) struct vg_slice *slice = world_slice(grid, 0, VNI_A);
	const char *name = slice->overlays[0].ports[0].link;
	assert_null(vg_link_bridge(hosts[0].netlink, name, 1500));
	_auto(vg_string) char *text = vg_format("t.yaml:100:5: building the overlays on host 'h0': "
						"link '%s' is wanted for '%s' and is "
						"there already, as ''",
		name, slice->overlays[0].ports[0].tag);
	assert_refused(grid, VNI_A, text);
	world_clear(uuid_a);
	assert_int_equal(count_links(0), 1);
	assert_null(vg_link_remove(hosts[0].netlink, name));
}

static void a_taken_vni_is_refused_with_its_owner(void **state)
{
	(void)state;
	_auto(vg_arena) struct vg_arena *arena = vg_arena_new();
	world_converge(world_grid(arena, uuid_b, 2, PORTS), VNI_B);
	assert_refused(world_grid(arena, uuid_a, 1, PORTS), VNI_B + 1,
		"t.yaml:4:3: building the overlays on host 'h0': VNI 1078 is taken by grid "
		"'bbbbbbbb-bbbb-8bbb-8bbb-bbbbbbbbbbbb' (network/net-1/vxlan)");
}

static void two_hundred_overlays_come_and_go(void **state)
{
	(void)state;
	_auto(vg_arena) struct vg_arena *arena = vg_arena_new();
	struct vg_grid *grid = world_grid(arena, uuid_a, 200, HOSTS);
	_auto(vg_slice) struct vg_slice *slice = world_slice(grid, 0, VNI_A);
	assert_null(vg_net_kernel.converge(hosts[0].net, slice));
	assert_int_equal(count_links(0), 600);
	assert_seen(grid, 0, "");
	world_clear(uuid_a);
	assert_int_equal(count_links(0), 0);
}

// Kills a process at some moment of its converge. Returns whether it was still at it.
static bool kill_within(const struct vg_slice *slice, unsigned microseconds)
{
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct vg_net_target target = {.host = "h0", .namespace_fd = hosts[0].namespace_fd};
		struct vg_net *net = NULL;
		struct vg_error *error = vg_net_kernel.open(&target, &net);
		_exit(error || vg_net_kernel.converge(net, slice));
	}
	// Not a wait for anything: the moment of death is what varies.
	nanosleep(&(struct timespec){.tv_nsec = microseconds * 1000L}, NULL);
	int status;
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status);
}

static void a_kill_at_any_moment_leaves_nothing_that_is_not_found_again(void **state)
{
	(void)state;
	enum { NETWORKS = 8, MOMENTS = 24 };
	_auto(vg_arena) struct vg_arena *arena = vg_arena_new();
	struct vg_grid *grid = world_grid(arena, uuid_a, NETWORKS, PORTS);
	_auto(vg_slice) struct vg_slice *slice = world_slice(grid, 0, VNI_A);
	unsigned n_killed = 0, n_halfway = 0;
	for (unsigned moment = 0; moment < MOMENTS; moment++) {
		n_killed += kill_within(slice, 300 + moment * 500);
		unsigned n = count_links(0);
		n_halfway += n > 0 && n < NETWORKS * 4;
		if (moment % 2)
			world_clear(uuid_a);
		else
			world_converge(grid, VNI_A);
		if (moment % 2)
			assert_int_equal(count_links(0), 0);
		else
			assert_seen(grid, 0, "");
		world_clear(uuid_a);
	}
	print_message("%u of %u were killed at work, %u halfway\n", n_killed, MOMENTS, n_halfway);
	assert_int_not_equal(n_killed, 0);
}

int main(void)
{
	world_make();
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_broadcast_reaches_every_other_port_exactly_once, clear),
		cmocka_unit_test_teardown(a_frame_reaches_only_the_port_with_its_mac, clear),
		cmocka_unit_test_teardown(
			who_sends_with_anothers_mac_does_not_get_its_frames, clear),
		cmocka_unit_test_teardown(another_grid_with_the_same_block_hears_nothing, clear),
		cmocka_unit_test_teardown(a_frame_of_the_full_mtu_passes, clear),
		cmocka_unit_test_teardown(the_host_does_not_answer_on_an_overlay, clear),
		cmocka_unit_test_teardown(only_the_underlay_has_ipv6_addresses, clear),
		cmocka_unit_test_teardown(a_second_converge_changes_nothing, clear),
		cmocka_unit_test_teardown(what_was_made_is_what_is_seen, clear),
		cmocka_unit_test_teardown(a_node_that_goes_takes_only_its_tap, clear),
		cmocka_unit_test_teardown(a_member_that_moves_is_found_on_its_new_host, clear),
		cmocka_unit_test_teardown(an_empty_slice_leaves_no_link, clear),
		cmocka_unit_test_teardown(a_link_that_was_removed_is_missed_and_mended, clear),
		cmocka_unit_test_teardown(changed_vni_and_mtu_are_followed, clear),
		cmocka_unit_test_teardown(a_moved_tunnel_address_is_followed, clear),
		cmocka_unit_test_teardown(a_foreign_link_in_the_way_is_named_and_left, clear),
		cmocka_unit_test_teardown(a_taken_vni_is_refused_with_its_owner, clear),
		cmocka_unit_test_teardown(two_hundred_overlays_come_and_go, clear),
		cmocka_unit_test_teardown(
			a_kill_at_any_moment_leaves_nothing_that_is_not_found_again, clear),
	};
	int n_failed = cmocka_run_group_tests(tests, NULL, NULL);
	world_done();
	return n_failed;
}
