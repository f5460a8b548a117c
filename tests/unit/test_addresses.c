// SPDX-License-Identifier: Apache-2.0
//
// Claims about net/addresses.h: who gets which address and MAC.
#include "tests/unit/test.h"

#include "base/crypto.h"
#include "base/map.h"
#include "net/addresses.h"

// A grid of one network `lan` and two roles, `head` and `worker`, whose nodes are HEAD-0 … .
static struct vg_grid *make_grid(
	struct vg_arena *arena, const char *cidr, unsigned n_heads, unsigned n_workers)
{
	struct vg_grid *grid = vg_arena_alloc(arena, sizeof(*grid));
	grid->arena = arena;
	grid->uuid = grid->identity = "";
	grid->n_networks = 1;
	grid->networks = vg_arena_alloc(grid->arena, sizeof(*grid->networks));
	grid->networks[0] =
		(struct vg_network){.name = "lan", .place = {"t.yaml", 4, 3}, .mtu = 1450};
	assert_null(vg_cidr_read(cidr, &grid->networks[0].cidr));
	grid->n_roles = 2;
	grid->roles = vg_arena_alloc(grid->arena, 2 * sizeof(*grid->roles));
	grid->nodes = vg_arena_alloc(grid->arena, (n_heads + n_workers + 1) * sizeof(*grid->nodes));
	for (unsigned i = 0; i < 2; i++) {
		struct vg_role *role = &grid->roles[i];
		role->name = i == 0 ? "head" : "worker";
		role->count = i == 0 ? n_heads : n_workers;
		role->n_nics = 1;
		role->nics = vg_arena_alloc(grid->arena, sizeof(*role->nics));
		role->nics[0].place = (struct vg_place){"t.yaml", 10 + i, 5};
		role->first_node = grid->n_nodes;
		for (unsigned j = 0; j < role->count; j++)
			grid->nodes[grid->n_nodes++] = (struct vg_node){.role = i,
				.index = j,
				.host = 0,
				.name = vg_arena_format(grid->arena, "%s-%u", role->name, j)};
	}
	return grid;
}

static void pin(struct vg_grid *grid, unsigned role, const char *address)
{
	grid->roles[role].nics[0].has_address = true;
	assert_null(vg_ip_read(address, &grid->roles[role].nics[0].address));
}

static void assert_address(const struct vg_grid *grid, const char *node, const char *address)
{
	char text[VG_IP_LENGTH];
	for (size_t i = 0; i < grid->n_nodes; i++) {
		if (strcmp(grid->nodes[i].name, node) != 0)
			continue;
		vg_ip_write(&grid->nodes[i].nics[0].address, text);
		assert_string_equal(text, address);
		return;
	}
	fail_msg("no node %s", node);
}

static void assert_refused(struct vg_grid *grid, const char *text)
{
	_auto(vg_error) struct vg_error *error = vg_addresses_allocate(grid, "identity", NULL, 0);
	assert_non_null(error);
	assert_string_equal(vg_error_text(error), text);
}

static struct vg_address_kept kept(const char *node, const char *address)
{
	struct vg_address_kept result = {.node = node, .network = "lan"};
	assert_null(vg_ip_read(address, &result.address));
	return result;
}

static void the_lowest_free_addresses_go_out_in_template_order(void **state)
{
	(void)state;
	_auto(vg_arena) struct vg_arena *arena = vg_arena_new();
	struct vg_grid *grid = make_grid(arena, "10.9.0.0/24", 1, 3);
	assert_null(vg_addresses_allocate(grid, "identity", NULL, 0));
	assert_address(grid, "head-0", "10.9.0.2");
	assert_address(grid, "worker-0", "10.9.0.3");
	assert_address(grid, "worker-2", "10.9.0.5");
}

static void a_pin_is_never_given_to_another(void **state)
{
	(void)state;
	_auto(vg_arena) struct vg_arena *arena = vg_arena_new();
	struct vg_grid *grid = make_grid(arena, "10.9.0.0/24", 3, 1);
	pin(grid, 1, "10.9.0.3");
	struct vg_address_kept was[] = {kept("head-0", "10.9.0.3")};
	assert_null(vg_addresses_allocate(grid, "identity", was, 1));
	assert_address(grid, "worker-0", "10.9.0.3");
	assert_address(grid, "head-0", "10.9.0.2");
	assert_address(grid, "head-1", "10.9.0.4");
	assert_address(grid, "head-2", "10.9.0.5");
}

static void a_grown_grid_keeps_every_address(void **state)
{
	(void)state;
	_auto(vg_arena) struct vg_arena *arena = vg_arena_new();
	struct vg_grid *small = make_grid(arena, "10.9.0.0/24", 1, 2);
	assert_null(vg_addresses_allocate(small, "identity", NULL, 0));
	struct vg_address_kept was[3];
	for (size_t i = 0; i < 3; i++)
		was[i] = (struct vg_address_kept){
			small->nodes[i].name, "lan", small->nodes[i].nics[0].address};
	struct vg_grid *grown = make_grid(arena, "10.9.0.0/24", 3, 3);
	assert_null(vg_addresses_allocate(grown, "identity", was, 3));
	assert_address(grown, "head-0", "10.9.0.2");
	assert_address(grown, "worker-0", "10.9.0.3");
	assert_address(grown, "worker-1", "10.9.0.4");
	assert_address(grown, "head-1", "10.9.0.5");
	assert_address(grown, "head-2", "10.9.0.6");
	assert_address(grown, "worker-2", "10.9.0.7");
	assert_memory_equal(
		&grown->nodes[3].nics[0].mac, &small->nodes[1].nics[0].mac, sizeof(struct vg_mac));
}

static void a_node_that_is_gone_gives_its_address_back(void **state)
{
	(void)state;
	_auto(vg_arena) struct vg_arena *arena = vg_arena_new();
	struct vg_grid *grid = make_grid(arena, "10.9.0.0/24", 1, 1);
	struct vg_address_kept was[] = {kept("old", "10.9.0.2"), kept("worker-0", "10.9.0.3")};
	assert_null(vg_addresses_allocate(grid, "identity", was, 2));
	assert_address(grid, "head-0", "10.9.0.2");
	assert_address(grid, "worker-0", "10.9.0.3");
}

static void a_kept_address_outside_of_the_block_is_given_anew(void **state)
{
	(void)state;
	_auto(vg_arena) struct vg_arena *arena = vg_arena_new();
	struct vg_grid *grid = make_grid(arena, "10.9.0.0/24", 1, 1);
	struct vg_address_kept was[] = {kept("head-0", "10.8.0.9"), kept("worker-0", "10.9.0.1")};
	assert_null(vg_addresses_allocate(grid, "identity", was, 2));
	assert_address(grid, "head-0", "10.9.0.2");
	assert_address(grid, "worker-0", "10.9.0.3");
}

static void gateway_and_broadcast_are_given_to_nobody(void **state)
{
	(void)state;
	_auto(vg_arena) struct vg_arena *arena = vg_arena_new();
	struct vg_grid *full = make_grid(arena, "10.9.0.0/29", 2, 3);
	assert_null(vg_addresses_allocate(full, "identity", NULL, 0));
	assert_address(full, "head-0", "10.9.0.2");
	assert_address(full, "worker-2", "10.9.0.6");
	struct vg_grid *over = make_grid(arena, "10.9.0.0/29", 2, 4);
	assert_refused(over,
		"t.yaml:4:3: network 'lan' (10.9.0.0/29) is full: it has room for 5 nodes "
		"and 6 want an address");
	struct vg_grid *six = make_grid(arena, "fd00:9::/125", 2, 4);
	assert_null(vg_addresses_allocate(six, "identity", NULL, 0));
	assert_address(six, "worker-3", "fd00:9::7");
	struct vg_grid *tiny = make_grid(arena, "10.9.0.0/31", 1, 0);
	assert_refused(tiny,
		"t.yaml:4:3: network 'lan' (10.9.0.0/31) is full: it has room for 0 nodes "
		"and 1 want an address");
}

static void a_pin_that_cannot_be_is_refused_where_it_stands(void **state)
{
	(void)state;
	_auto(vg_arena) struct vg_arena *arena = vg_arena_new();
	static const struct {
		const char *address, *message;
	} cases[] = {
		{"10.8.0.4", "t.yaml:11:5: address '10.8.0.4' lies outside of network 'lan' "
			     "(10.9.0.0/24)"},
		{"10.9.0.1", "t.yaml:11:5: address '10.9.0.1' is the gateway of network 'lan' "
			     "(10.9.0.0/24): "
			     "no node can have it"},
		{"10.9.0.255", "t.yaml:11:5: address '10.9.0.255' is the broadcast address of "
			       "network 'lan' "
			       "(10.9.0.0/24): no node can have it"},
		{"10.9.0.9", "t.yaml:11:5: address '10.9.0.9' of node 'worker-1' on network 'lan' "
			     "is taken "
			     "by node 'worker-0'"},
		{"fd00::4", "t.yaml:11:5: address 'fd00::4' lies outside of network 'lan' "
			    "(10.9.0.0/24)"},
	};
	for (size_t i = 0; i < VG_LENGTH(cases); i++) {
		struct vg_grid *grid = make_grid(arena, "10.9.0.0/24", 1, 2);
		pin(grid, 1, cases[i].address);
		assert_refused(grid, cases[i].message);
	}
}

static void macs_are_local_and_follow_the_identity_alone(void **state)
{
	(void)state;
	_auto(vg_arena) struct vg_arena *arena = vg_arena_new();
	struct vg_grid *a = make_grid(arena, "10.9.0.0/24", 1, 1);
	struct vg_grid *b = make_grid(arena, "10.8.0.0/16", 0, 3);
	struct vg_grid *c = make_grid(arena, "10.9.0.0/24", 1, 1);
	assert_null(vg_addresses_allocate(a, "identity", NULL, 0));
	assert_null(vg_addresses_allocate(b, "identity", NULL, 0));
	assert_null(vg_addresses_allocate(c, "another", NULL, 0));
	assert_int_equal(a->nodes[0].nics[0].mac.bytes[0], 0x02);
	assert_memory_equal(&a->nodes[1].nics[0].mac, &b->nodes[0].nics[0].mac, 6);
	assert_memory_not_equal(&a->nodes[1].nics[0].mac, &c->nodes[1].nics[0].mac, 6);
}

static void two_nodes_with_the_same_hash_get_different_macs(void **state)
{
	(void)state;
	_auto(vg_arena) struct vg_arena *arena = vg_arena_new();
	// The first five bytes of SHA-256 of mac/identity/NODE/lan/0 are equal for these two.
	static const char *const names[] = {"n-1201206", "n-1643170"};
	struct vg_mac macs[2];
	for (int reversed = 0; reversed < 2; reversed++) {
		struct vg_grid *grid = make_grid(arena, "10.9.0.0/24", 2, 0);
		grid->nodes[0].name = names[reversed];
		grid->nodes[1].name = names[!reversed];
		struct vg_address_kept was = kept(names[0], "10.9.0.2");
		assert_null(vg_addresses_allocate(grid, "identity", &was, 1));
		assert_memory_not_equal(
			&grid->nodes[0].nics[0].mac, &grid->nodes[1].nics[0].mac, 6);
		if (!reversed)
			memcpy(macs,
				(struct vg_mac[]){
					grid->nodes[0].nics[0].mac, grid->nodes[1].nics[0].mac},
				sizeof(macs));
		// Who was there first has it, whatever the order.
		assert_memory_equal(&grid->nodes[reversed].nics[0].mac, &macs[0], 6);
		assert_memory_equal(&grid->nodes[!reversed].nics[0].mac, &macs[1], 6);
	}
	assert_memory_equal(macs[0].bytes, ((uint8_t[]){0x02, 0x4a, 0x25, 0xa3, 0xe8, 0xce}), 6);
}

static void a_hundred_thousand_nodes_have_as_many_addresses_and_macs(void **state)
{
	(void)state;
	_auto(vg_arena) struct vg_arena *arena = vg_arena_new();
	enum { N = 100000 };
	struct vg_grid *grid = make_grid(arena, "10.0.0.0/8", 1, N - 1);
	struct vg_address_kept *was = vg_alloc(N * sizeof(*was));
	// Every second one was there before, in the opposite order.
	for (unsigned i = 0; i < N / 2; i++) {
		was[i] =
			(struct vg_address_kept){.node = grid->nodes[2 * i].name, .network = "lan"};
		assert_true(vg_cidr_address(&grid->networks[0].cidr, N - i, &was[i].address));
	}
	assert_null(vg_addresses_allocate(grid, "identity", was, N / 2));
	bool *is_given = vg_alloc(N + 2);
	_auto(vg_map) struct vg_map *macs = vg_map_new();
	for (unsigned i = 0; i < N; i++) {
		uint64_t number =
			vg_cidr_number(&grid->networks[0].cidr, &grid->nodes[i].nics[0].address);
		assert_in_range(number, 2, N + 1);
		assert_false(is_given[number]);
		is_given[number] = true;
		char mac[VG_MAC_LENGTH];
		vg_mac_write(&grid->nodes[i].nics[0].mac, mac);
		assert_null(vg_map_set(macs, mac, grid));
	}
	assert_int_equal(vg_map_size(macs), N);
	free(is_given);
	free(was);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_lowest_free_addresses_go_out_in_template_order),
		cmocka_unit_test(a_pin_is_never_given_to_another),
		cmocka_unit_test(a_grown_grid_keeps_every_address),
		cmocka_unit_test(a_node_that_is_gone_gives_its_address_back),
		cmocka_unit_test(a_kept_address_outside_of_the_block_is_given_anew),
		cmocka_unit_test(gateway_and_broadcast_are_given_to_nobody),
		cmocka_unit_test(a_pin_that_cannot_be_is_refused_where_it_stands),
		cmocka_unit_test(macs_are_local_and_follow_the_identity_alone),
		cmocka_unit_test(two_nodes_with_the_same_hash_get_different_macs),
		cmocka_unit_test(a_hundred_thousand_nodes_have_as_many_addresses_and_macs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
