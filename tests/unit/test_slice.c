// SPDX-License-Identifier: Apache-2.0
//
// Claims about net/slice.h: what a host's slice holds, and how differences read.
#include "tests/unit/test.h"

#include "base/map.h"
#include "base/tag.h"
#include "net/addresses.h"
#include "net/slice.h"

static const char store[] = "11111111-1111-8111-8111-111111111111";
static const char uuid[] = "22222222-2222-8222-8222-222222222222";
static struct vg_ip tunnels[1000];
static const uint32_t vnis[] = {77, 78};

// Networks `lan` and `san`; a role `head` on both, a role `worker` on lan.
static struct vg_grid *make_grid(struct vg_arena *arena, unsigned n_workers)
{
	struct vg_grid *grid = vg_arena_alloc(arena, sizeof(*grid));
	grid->arena = arena;
	grid->uuid = uuid;
	grid->n_networks = 2;
	grid->networks = vg_arena_alloc(grid->arena, 2 * sizeof(*grid->networks));
	grid->networks[0] =
		(struct vg_network){.name = "lan", .place = {"t.yaml", 4, 3}, .mtu = 1450};
	grid->networks[1] =
		(struct vg_network){.name = "san", .place = {"t.yaml", 5, 3}, .mtu = 1400};
	assert_null(vg_cidr_read("10.0.0.0/8", &grid->networks[0].cidr));
	assert_null(vg_cidr_read("fd00::/64", &grid->networks[1].cidr));
	grid->n_roles = 2;
	grid->roles = vg_arena_alloc(grid->arena, 2 * sizeof(*grid->roles));
	grid->roles[0] = (struct vg_role){.name = "head", .count = 1, .n_nics = 2};
	grid->roles[1] = (struct vg_role){
		.name = "worker", .count = n_workers, .n_nics = 1, .first_node = 1};
	for (unsigned i = 0; i < 2; i++) {
		grid->roles[i].nics = vg_arena_alloc(grid->arena, 2 * sizeof(struct vg_nic));
		grid->roles[i].nics[1].network = 1;
	}
	grid->n_nodes = 1 + n_workers;
	grid->nodes = vg_arena_alloc(grid->arena, grid->n_nodes * sizeof(*grid->nodes));
	grid->nodes[0] = (struct vg_node){.name = "head"};
	for (unsigned i = 0; i < n_workers; i++)
		grid->nodes[1 + i] = (struct vg_node){.role = 1,
			.index = i,
			.name = vg_arena_format(grid->arena, "worker-%u", i)};
	assert_null(vg_addresses_allocate(grid, "identity", NULL, 0));
	for (unsigned i = 0; i < VG_LENGTH(tunnels); i++)
		tunnels[i] = (struct vg_ip){.bytes = {192, 0, (uint8_t)(i >> 8), (uint8_t)i}};
	return grid;
}

static struct vg_slice *build(const struct vg_grid *grid, int host)
{
	struct vg_slice_input input = {
		.grid = grid, .store = store, .vnis = vnis, .tunnels = tunnels};
	return vg_slice_build(&input, host);
}

static void assert_difference(
	const struct vg_slice *wanted, const struct vg_slice *seen, const char *text)
{
	_auto(vg_string) char *difference = vg_slice_difference(wanted, seen);
	if (!text)
		assert_null(difference);
	else
		assert_string_equal(difference ? difference : "", text);
}

static void a_host_has_only_the_overlays_of_its_members(void **state)
{
	(void)state;
	_auto(vg_arena) struct vg_arena *arena = vg_arena_new();
	struct vg_grid *grid = make_grid(arena, 2);
	grid->nodes[1].host = 1;
	grid->nodes[2].host = 1;
	_auto(vg_slice) struct vg_slice *first = build(grid, 0), *second = build(grid, 1);
	_auto(vg_slice) struct vg_slice *third = build(grid, 2);
	assert_int_equal(first->n_overlays, 2);
	assert_int_equal(second->n_overlays, 1);
	assert_int_equal(third->n_overlays, 0);
	assert_int_equal(first->overlays[1].vni, 78);
	assert_int_equal(first->overlays[1].mtu, 1400);
	assert_int_equal(first->overlays[1].place.line, 5);
	assert_int_equal(first->overlays[1].n_remotes, 0);
	assert_int_equal(second->overlays[0].n_ports, 2);
	assert_int_equal(first->link_group, vg_tag_link_group(store, uuid));
}

static void links_are_named_by_their_tags(void **state)
{
	(void)state;
	_auto(vg_arena) struct vg_arena *arena = vg_arena_new();
	struct vg_grid *grid = make_grid(arena, 1);
	_auto(vg_slice) struct vg_slice *slice = build(grid, 0);
	const struct vg_slice_overlay *lan = &slice->overlays[0];
	_auto(vg_string) char *network = vg_tag_make(store, uuid, "network/lan");
	_auto(vg_string) char *vxlan = vg_tag_make(store, uuid, "network/lan/vxlan");
	_auto(vg_string) char *nic = vg_tag_make(store, uuid, "node/worker-0/nic/lan");
	char name[VG_LINK_NAME_LENGTH];
	assert_string_equal(lan->tag, network);
	vg_tag_link_name(network, name);
	assert_string_equal(lan->bridge, name);
	vg_tag_link_name(vxlan, name);
	assert_string_equal(lan->vxlan, name);
	assert_string_equal(lan->ports[1].tag, nic);
	vg_tag_link_name(nic, name);
	assert_string_equal(lan->ports[1].link, name);
}

static void members_elsewhere_are_remotes_behind_their_host(void **state)
{
	(void)state;
	_auto(vg_arena) struct vg_arena *arena = vg_arena_new();
	struct vg_grid *grid = make_grid(arena, 4);
	for (size_t i = 1; i < 5; i++)
		grid->nodes[i].host = (int)i % 3;
	grid->nodes[4].host = VG_HOST_NONE;
	_auto(vg_slice) struct vg_slice *slice = build(grid, 0);
	const struct vg_slice_overlay *lan = &slice->overlays[0];
	assert_int_equal(lan->n_ports, 2);
	assert_int_equal(lan->n_remotes, 2);
	assert_true(memcmp(&lan->remotes[0].mac, &lan->remotes[1].mac, 6) < 0);
	for (size_t i = 0; i < 2; i++) {
		size_t node =
			memcmp(&lan->remotes[i].mac, &grid->nodes[1].nics[0].mac, 6) == 0 ? 1 : 2;
		assert_memory_equal(&lan->remotes[i].mac, &grid->nodes[node].nics[0].mac, 6);
		assert_true(vg_ip_equal(&lan->remotes[i].ip, &grid->nodes[node].nics[0].address));
		assert_true(vg_ip_equal(&lan->remotes[i].tunnel, &tunnels[node]));
	}
}

static void differences_read_like_sentences(void **state)
{
	(void)state;
	_auto(vg_arena) struct vg_arena *arena = vg_arena_new();
	struct vg_grid *grid = make_grid(arena, 3);
	grid->nodes[3].host = 1;
	_auto(vg_slice) struct vg_slice *wanted = build(grid, 0), *seen = build(grid, 0);
	_auto(vg_slice) struct vg_slice *none = build(grid, 2);
	assert_difference(wanted, seen, NULL);
	assert_difference(wanted, none, "network 'lan' is missing\nnetwork 'san' is missing");
	assert_difference(none, seen, "network 'lan' is not wanted\nnetwork 'san' is not wanted");
	seen->tunnel.bytes[3] = 9;
	assert_difference(wanted, seen, "tunnels begin at 192.0.0.9 instead of 192.0.0.0");
	seen->tunnel.bytes[3] = 0;
	struct vg_slice_overlay *lan = &seen->overlays[0];
	lan->ports[2].mac.bytes[5] ^= 1;
	lan->ports[0].rate = 10000000;
	lan->remotes[0].tunnel.bytes[0] ^= 1;
	seen->overlays[1].mtu = 1500;
	seen->overlays[1].vni = 79;
	char is[VG_MAC_LENGTH], should[VG_MAC_LENGTH];
	vg_mac_write(&lan->ports[2].mac, is);
	vg_mac_write(&wanted->overlays[0].ports[2].mac, should);
	_auto(vg_string) char *text =
		vg_format("port of 'head' on 'lan' has the rate 10Mbit instead of no rate\n"
			  "port of 'worker-1' on 'lan' has MAC %s instead of %s\n"
			  "network 'lan' looks for 1 members on the wrong host\n"
			  "network 'san' has VNI 79 instead of 78\n"
			  "network 'san' has MTU 1500 instead of 1400",
			is, should);
	assert_difference(wanted, seen, text);
}

static void a_missing_port_and_one_too_many_are_both_named(void **state)
{
	(void)state;
	_auto(vg_arena) struct vg_arena *arena = vg_arena_new();
	struct vg_grid *grid = make_grid(arena, 2);
	_auto(vg_slice) struct vg_slice *all = build(grid, 0);
	grid->nodes[2].host = 1;
	_auto(vg_slice) struct vg_slice *fewer = build(grid, 0);
	assert_difference(all, fewer,
		"port of 'worker-1' on 'lan' is missing\n"
		"network 'lan' has 1 members on other hosts that are not wanted");
	assert_difference(fewer, all,
		"port of 'worker-1' on 'lan' is not wanted\n"
		"network 'lan' does not reach 1 of 1 members on other hosts");
}

static void an_overlay_without_its_links_is_seen_as_broken(void **state)
{
	(void)state;
	_auto(vg_arena) struct vg_arena *arena = vg_arena_new();
	struct vg_grid *grid = make_grid(arena, 1);
	_auto(vg_slice) struct vg_slice *wanted = build(grid, 0), *seen = build(grid, 0);
	seen->overlays[0].vni = 0;
	free(vg_take(seen->overlays[1].bridge));
	assert_difference(wanted, seen,
		"network 'lan' has no VXLAN device that works\nnetwork 'san' has no bridge that "
		"works");
}

static void every_member_of_a_thousand_hosts_is_found_exactly_once_from_each(void **state)
{
	(void)state;
	_auto(vg_arena) struct vg_arena *arena = vg_arena_new();
	enum { HOSTS = 1000, NODES = 10000 };
	struct vg_grid *grid = make_grid(arena, NODES - 1);
	for (size_t i = 0; i < NODES; i++)
		grid->nodes[i].host = (int)(i % HOSTS);
	for (int host = 0; host < HOSTS; host += 333) {
		_auto(vg_slice) struct vg_slice *slice = build(grid, host);
		const struct vg_slice_overlay *lan = &slice->overlays[0];
		assert_int_equal(slice->n_overlays, host == 0 ? 2 : 1);
		assert_int_equal(lan->n_ports, NODES / HOSTS);
		assert_int_equal(lan->n_remotes, NODES - NODES / HOSTS);
		for (size_t i = 1; i < lan->n_remotes; i++)
			assert_true(memcmp(&lan->remotes[i - 1].mac, &lan->remotes[i].mac, 6) < 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_host_has_only_the_overlays_of_its_members),
		cmocka_unit_test(links_are_named_by_their_tags),
		cmocka_unit_test(members_elsewhere_are_remotes_behind_their_host),
		cmocka_unit_test(differences_read_like_sentences),
		cmocka_unit_test(a_missing_port_and_one_too_many_are_both_named),
		cmocka_unit_test(an_overlay_without_its_links_is_seen_as_broken),
		cmocka_unit_test(every_member_of_a_thousand_hosts_is_found_exactly_once_from_each),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
