// SPDX-License-Identifier: Apache-2.0
//
// Claims about placement: on small sites written down here, and on thousands of random ones. Like
// test_plan.c this program links nothing but the pure parts.
#include "tests/unit/test.h"

#include "tests/unit/placement_world.h"

enum { N_WORLDS = 3000 };

static struct vg_error *make(struct world *world, struct vg_placement **ret)
{
	return vg_placement_make(&world->grid, &world->input, ret);
}

static void must_place(struct world *world)
{
	_auto(vg_placement) struct vg_placement *placement = NULL;
	struct vg_error *error = make(world, &placement);
	if (error)
		fail_msg("%s", vg_error_text(error));
}

static void must_refuse(struct world *world, const char *text)
{
	_auto(vg_placement) struct vg_placement *placement = NULL;
	_auto(vg_error) struct vg_error *error = make(world, &placement);
	assert_non_null(error);
	if (!strstr(vg_error_text(error), text))
		fail_msg("'%s' does not say '%s'", vg_error_text(error), text);
}

static void set_role(struct world *world, size_t role, const char *name, unsigned count,
	unsigned cpu, uint64_t memory)
{
	struct vg_role *it = &world->grid.roles[role];
	it->name = name;
	it->count = count;
	it->cpu = cpu;
	it->memory = memory;
}

static void add(size_t **roles, size_t *n, size_t role)
{
	vg_append(*roles, *n) = role;
}

static void be_with(struct world *world, size_t role, size_t other)
{
	struct vg_placement_wish *wish = &world->grid.roles[role].wish;
	add(&wish->with, &wish->n_with, other);
}

static void be_apart(struct world *world, size_t role, size_t other)
{
	struct vg_placement_wish *wish = &world->grid.roles[role].wish;
	add(&wish->apart, &wish->n_apart, other);
}

static unsigned count_on(const struct world *world, size_t role, int host)
{
	unsigned n = 0;
	for (size_t i = 0; i < world->grid.n_nodes; i++)
		n += world->grid.nodes[i].role == role && world->grid.nodes[i].host == host;
	return n;
}

static void a_role_is_spread_evenly_over_hosts(void **state)
{
	(void)state;
	struct world world;
	world_init(&world, 1, 2, 3);
	set_role(&world, 0, "head", 1, 1, GIB);
	set_role(&world, 1, "worker", 6, 1, GIB);
	world.grid.roles[1].wish = (struct vg_placement_wish){.kind = VG_PLACE_SPREAD};
	world_make_nodes(&world);
	must_place(&world);
	for (int h = 0; h < 3; h++)
		assert_int_equal(count_on(&world, 1, h), 2);
	world_done(&world);
}

static void a_role_is_spread_over_racks_of_unlike_size(void **state)
{
	(void)state;
	struct world world;
	world_init(&world, 1, 1, 4); // rack r1 has three hosts, r2 one
	set_role(&world, 0, "worker", 4, 1, GIB);
	world.grid.roles[0].wish =
		(struct vg_placement_wish){.kind = VG_PLACE_SPREAD, .label = "rack"};
	world_make_nodes(&world);
	_auto(vg_placement) struct vg_placement *placement = NULL;
	assert_null(make(&world, &placement));
	assert_int_equal(count_on(&world, 0, 3), 2);
	_auto(vg_string) char *why = vg_placement_why(placement, &world.grid, &world.input, 1);
	assert_string_equal(why, "spread: fewest of 'worker' in rack r2");
	world_done(&world);
}

static void a_packed_role_takes_the_one_rack_that_holds_it(void **state)
{
	(void)state;
	struct world world;
	world_init(&world, 1, 1, 6);
	for (size_t h = 0; h < 6; h++)
		world.hosts[h].room = room(h < 3 ? 2 : 4, 64 * GIB, VG_UNLIMITED);
	set_role(&world, 0, "worker", 9, 1, GIB);
	world.grid.roles[0].wish =
		(struct vg_placement_wish){.kind = VG_PLACE_PACK, .label = "rack"};
	world_make_nodes(&world);
	must_place(&world);
	for (int h = 0; h < 3; h++)
		assert_int_equal(count_on(&world, 0, h), 0);
	world_done(&world);
}

static void a_small_grid_is_packed_onto_the_smallest_host_that_holds_it(void **state)
{
	(void)state;
	struct world world;
	world_init(&world, 1, 1, 3);
	world.hosts[0].room = room(16, 64 * GIB, VG_UNLIMITED);
	world.hosts[1].room = room(4, 8 * GIB, VG_UNLIMITED);
	world.hosts[2].room = room(2, 4 * GIB, VG_UNLIMITED);
	set_role(&world, 0, "worker", 3, 1, GIB);
	world_make_nodes(&world);
	must_place(&world);
	assert_int_equal(count_on(&world, 0, 1), 3);
	world_done(&world);
}

static void a_role_that_spreads_leaves_hosts_to_those_that_must_be_apart(void **state)
{
	(void)state;
	struct world world;
	world_init(&world, 1, 2, 4);
	set_role(&world, 0, "web", 6, 1, GIB);
	set_role(&world, 1, "database", 2, 1, GIB);
	world.grid.roles[0].wish.kind = VG_PLACE_SPREAD;
	world.grid.roles[1].wish.kind = VG_PLACE_SPREAD;
	be_apart(&world, 1, 0);
	world_make_nodes(&world);
	must_place(&world);
	for (int h = 0; h < 4; h++)
		assert_true(!count_on(&world, 0, h) != !count_on(&world, 1, h));
	world_done(&world);
}

static void who_others_must_be_with_goes_where_all_have_room(void **state)
{
	(void)state;
	struct world world;
	world_init(&world, 1, 2, 3);
	for (size_t h = 0; h < 3; h++)
		world.hosts[h].room = room(h == 1 ? 8 : 2, 64 * GIB, VG_UNLIMITED);
	set_role(&world, 0, "head", 1, 1, GIB);
	set_role(&world, 1, "worker", 5, 1, GIB);
	be_with(&world, 1, 0);
	world_make_nodes(&world);
	must_place(&world);
	assert_int_equal(count_on(&world, 1, 1), 5);
	assert_int_equal(count_on(&world, 0, 1), 1);
	world_done(&world);
}

static void a_host_that_is_drained_gets_nothing_new_and_keeps_what_it_has(void **state)
{
	(void)state;
	struct world world;
	world_init(&world, 1, 1, 2);
	set_role(&world, 0, "worker", 3, 1, GIB);
	world.hosts[0].closed = "drained";
	world_make_nodes(&world);
	const int kept[] = {0, VG_HOST_NONE, VG_HOST_NONE};
	world.input.kept = kept;
	must_place(&world);
	assert_int_equal(count_on(&world, 0, 0), 1);
	world.hosts[0].is_emptied = true;
	must_refuse(&world, "'worker' is on 'h1', which is drained");
	world.input.may_move = true;
	must_place(&world);
	assert_int_equal(count_on(&world, 0, 0), 0);
	world_done(&world);
}

static void what_fits_nowhere_is_told_with_the_nearest_miss_of_each_group(void **state)
{
	(void)state;
	struct world world;
	world_init(&world, 1, 2, 6);
	for (size_t h = 0; h < 6; h++)
		world.hosts[h].room = room(h < 3 ? 2 : 16, 12 * GIB, VG_UNLIMITED);
	world.hosts[1].closed = "drained";
	set_role(&world, 0, "db", 1, 8, 16 * GIB);
	set_role(&world, 1, "w", 0, 1, GIB);
	world_make_nodes(&world);
	must_refuse(&world,
		"t.yaml:1:3: placing 'db': no host holds it: h4, h5, h6: memory: needs 16GiB and "
		"96MiB for the emulator, h4 has 12GiB; h1, h3: cpu: needs 8, h1 has 2; h2: "
		"drained");
	world.grid.roles[0].wish =
		(struct vg_placement_wish){.kind = VG_PLACE_SPREAD, .label = "rack"};
	world.grid.roles[0].memory = GIB;
	world.hosts[3].room = world.hosts[4].room = world.hosts[5].room = room(6, GIB * 12, 0);
	must_refuse(&world, "rack r2 (3 hosts): cpu: needs 8, h4 has 6; "
			    "rack r1 (3 hosts): cpu: needs 8, h1 has 2");
	world_done(&world);
}

static void a_machine_that_all_boxes_share_is_not_overfilled(void **state)
{
	(void)state;
	struct world world;
	world_init(&world, 1, 1, 1);
	set_role(&world, 0, "worker", 2, 1, GIB);
	world.input.shared.of[VG_RESOURCE_MEMORY] = 2 * GIB;
	world_make_nodes(&world);
	must_refuse(&world, "this machine has 2GiB");
	world_done(&world);
}

// A random world: few or many roles and hosts, loose or tight, with and without musts.
static void randomise(
	struct world *world, uint64_t seed, size_t roles_max, size_t hosts_max, unsigned count_max)
{
	struct world dice = {.random = seed};
	size_t n_roles = 1 + world_pick(&dice, roles_max);
	size_t n_hosts = 1 + world_pick(&dice, hosts_max);
	world_init(world, seed, n_roles, n_hosts);
	bool is_alike = world_pick(world, 2);
	for (size_t h = 0; h < n_hosts; h++) {
		world->hosts[h].room =
			is_alike && h
				? world->hosts[0].room
				: room(1 + world_pick(world, 8), (1 + world_pick(world, 8)) * GIB,
					  world_pick(world, 3) ? VG_UNLIMITED : 10 * GIB);
		if (world_pick(world, 12) == 0)
			world->hosts[h].closed = "drained";
	}
	for (size_t r = 0; r < n_roles; r++) {
		struct vg_role *role = &world->grid.roles[r];
		role->count = (unsigned)world_pick(world, count_max + 1);
		role->cpu = 1 + (unsigned)world_pick(world, 3);
		role->memory = (1 + world_pick(world, 8)) * GIB / 4;
		role->wish.kind = (enum vg_place_kind)world_pick(world, 3);
		role->wish.label = world_pick(world, 3) ? "host" : "rack";
		if (n_roles > 1 && world_pick(world, 3) == 0)
			be_apart(world, r, (r + 1 + world_pick(world, n_roles - 1)) % n_roles);
		if (n_roles > 1 && world_pick(world, 4) == 0)
			be_with(world, r, (r + 1 + world_pick(world, n_roles - 1)) % n_roles);
	}
	world_make_nodes(world);
}

static bool obeys_musts(const struct world *world)
{
	for (size_t i = 0; i < world->grid.n_nodes; i++) {
		const struct vg_node *node = &world->grid.nodes[i];
		const struct vg_placement_wish *wish = &world->grid.roles[node->role].wish;
		for (size_t k = 0; k < wish->n_with; k++) {
			if (!count_on(world, wish->with[k], node->host))
				return false;
		}
		for (size_t k = 0; k < wish->n_apart; k++) {
			if (count_on(world, wish->apart[k], node->host))
				return false;
		}
	}
	return true;
}

static bool is_overfull(const struct world *world)
{
	for (size_t h = 0; h < world->input.n_hosts; h++) {
		struct vg_resources used = {0};
		for (size_t i = 0; i < world->grid.n_nodes; i++) {
			const struct vg_node *node = &world->grid.nodes[i];
			struct vg_resources needs = vg_role_needs(&world->grid.roles[node->role]);
			for (size_t d = 0; d < VG_N_RESOURCES && node->host == (int)h; d++)
				used.of[d] += needs.of[d];
		}
		for (size_t d = 0; d < VG_N_RESOURCES; d++) {
			if (used.of[d] > world->hosts[h].room.of[d])
				return true;
		}
	}
	return false;
}

// All ways to give the nodes hosts, tried one after the other without any cleverness.
static bool is_possible(struct world *world, size_t node)
{
	if (node == world->grid.n_nodes)
		return obeys_musts(world);
	for (size_t h = 0; h < world->input.n_hosts; h++) {
		world->grid.nodes[node].host = (int)h;
		if (!world->hosts[h].closed && !is_overfull(world) && is_possible(world, node + 1))
			return true;
	}
	world->grid.nodes[node].host = VG_HOST_NONE;
	return false;
}

static void no_host_is_overfilled_and_musts_are_kept_on_random_sites(void **state)
{
	(void)state;
	size_t n_placed = 0;
	for (uint64_t seed = 1; seed <= N_WORLDS; seed++) {
		struct world world;
		_auto(vg_placement) struct vg_placement *placement = NULL;
		randomise(&world, seed, 6, 12, 8);
		_auto(vg_error) struct vg_error *error = make(&world, &placement);
		if (!error) {
			n_placed++;
			if (is_overfull(&world) || !obeys_musts(&world))
				fail_msg("seed %llu", (unsigned long long)seed);
			assert_true(placement->n_used >= placement->n_bound);
			for (size_t i = 0; i < world.grid.n_nodes; i++)
				assert_null(world.hosts[world.grid.nodes[i].host].closed);
		} else {
			assert_int_equal(vg_error_where(error).column, 3);
		}
		world_done(&world);
	}
	// Both answers must be common for the claim to mean anything.
	assert_in_range(n_placed, N_WORLDS / 5, N_WORLDS * 4 / 5);
}

static void the_same_site_and_grid_give_the_same_placement(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= N_WORLDS / 4; seed++) {
		struct world one, other;
		_auto(vg_placement) struct vg_placement *a = NULL, *b = NULL;
		randomise(&one, seed, 6, 12, 8);
		randomise(&other, seed, 6, 12, 8);
		_auto(vg_error) struct vg_error *first = make(&one, &a);
		_auto(vg_error) struct vg_error *second = make(&other, &b);
		assert_true(!first == !second);
		if (first)
			assert_string_equal(vg_error_text(first), vg_error_text(second));
		for (size_t i = 0; i < one.grid.n_nodes; i++)
			assert_int_equal(one.grid.nodes[i].host, other.grid.nodes[i].host);
		world_done(&one);
		world_done(&other);
	}
}

static void a_grown_grid_moves_nobody(void **state)
{
	(void)state;
	size_t n_grown = 0;
	for (uint64_t seed = 1; seed <= N_WORLDS; seed++) {
		struct world world;
		_auto(vg_placement) struct vg_placement *before = NULL, *after = NULL;
		randomise(&world, seed, 5, 10, 4);
		_auto(vg_error) struct vg_error *error = make(&world, &before);
		size_t n_before = world.grid.n_nodes,
		       grown = world_pick(&world, world.grid.n_roles);
		struct vg_node *old = vg_alloc((n_before + 1) * sizeof(*old));
		memcpy(old, world.grid.nodes, n_before * sizeof(*old));
		world.grid.roles[grown].count += 2;
		world_make_nodes(&world);
		int *kept = vg_alloc(world.grid.n_nodes * sizeof(*kept));
		for (size_t i = 0, k = 0; i < world.grid.n_nodes; i++) {
			bool is_old = k < n_before && old[k].role == world.grid.nodes[i].role &&
				      old[k].index == world.grid.nodes[i].index;
			kept[i] = is_old ? old[k++].host : VG_HOST_NONE;
		}
		world.input.kept = kept;
		_auto(vg_error) struct vg_error *again = error ? NULL : make(&world, &after);
		if (after) {
			n_grown++;
			assert_false(is_overfull(&world));
			assert_true(obeys_musts(&world));
			for (size_t i = 0; i < world.grid.n_nodes; i++)
				assert_true(kept[i] == VG_HOST_NONE ||
					    kept[i] == world.grid.nodes[i].host);
		}
		free(kept);
		free(old);
		world_done(&world);
	}
	assert_true(n_grown > N_WORLDS / 10);
}

static void it_says_no_only_when_there_is_no_way_on_small_sites(void **state)
{
	(void)state;
	size_t n_refused = 0, n_placed = 0;
	for (uint64_t seed = 1; seed <= N_WORLDS; seed++) {
		struct world world;
		_auto(vg_placement) struct vg_placement *placement = NULL;
		randomise(&world, seed, 4, 4, 3);
		if (world.grid.n_nodes > 6) {
			world_done(&world);
			continue;
		}
		_auto(vg_error) struct vg_error *error = make(&world, &placement);
		n_refused += error != NULL;
		n_placed += error == NULL;
		if (error && is_possible(&world, 0))
			fail_msg("seed %llu: %s", (unsigned long long)seed, vg_error_text(error));
		world_done(&world);
	}
	assert_true(n_refused > N_WORLDS / 20 && n_placed > N_WORLDS / 20);
}

// Small nodes of ten roles, like hosts: within a twentieth of what their volume needs.
static void small_nodes_need_hardly_more_hosts_than_their_volume(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 200; seed++) {
		struct world world;
		_auto(vg_placement) struct vg_placement *placement = NULL;
		world_init(&world, seed, 10, 400);
		for (size_t h = 0; h < 400; h++)
			world.hosts[h].room = room(64, 256 * GIB, VG_UNLIMITED);
		for (size_t r = 0; r < 10; r++) {
			struct vg_role *role = &world.grid.roles[r];
			role->count = 50 + (unsigned)world_pick(&world, 200);
			role->cpu = 1 + (unsigned)world_pick(&world, 6);
			role->memory = (1 + world_pick(&world, 24)) * GIB;
		}
		world_make_nodes(&world);
		assert_null(make(&world, &placement));
		if (placement->n_used * 20 > placement->n_bound * 21)
			fail_msg("seed %llu: %zu hosts for a bound of %zu",
				(unsigned long long)seed, placement->n_used, placement->n_bound);
		world_done(&world);
	}
}

// The textbook ways, item by item: first fit decreasing by sum, and the dot product host by host.
static size_t count_textbook(const struct world *world, bool is_dot, const double *weight)
{
	size_t n_hosts = world->input.n_hosts, n_used = 0;
	unsigned *left = vg_alloc(world->grid.n_roles * sizeof(*left));
	for (size_t r = 0; r < world->grid.n_roles; r++)
		left[r] = world->grid.roles[r].count;
	for (size_t h = 0; h < n_hosts; h++) {
		struct vg_resources free_there = world->hosts[h].room;
		for (bool is_new = true;; is_new = false) {
			size_t best = SIZE_MAX;
			double best_score = 0;
			for (size_t r = 0; r < world->grid.n_roles; r++) {
				struct vg_resources needs = vg_role_needs(&world->grid.roles[r]);
				bool fits = left[r];
				double score = 0;
				for (size_t d = 0; d < 2; d++) {
					double all = (double)world->hosts[h].room.of[d];
					fits &= needs.of[d] <= free_there.of[d];
					score += weight[d] * (double)needs.of[d] / all *
						 (is_dot ? (double)free_there.of[d] / all : 1);
				}
				if (fits && (best == SIZE_MAX || score > best_score)) {
					best = r;
					best_score = score;
				}
			}
			if (best == SIZE_MAX)
				break;
			struct vg_resources needs = vg_role_needs(&world->grid.roles[best]);
			for (size_t d = 0; d < 2; d++)
				free_there.of[d] -= needs.of[d];
			left[best]--;
			n_used += is_new;
		}
	}
	free(left);
	return n_used;
}

static void it_is_never_worse_than_the_textbook_ways(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 1000; seed++) {
		struct world world;
		_auto(vg_placement) struct vg_placement *placement = NULL;
		double wanted[2] = {0, 0};
		world_init(&world, seed, 1 + seed % 12, 300);
		for (size_t h = 0; h < 300; h++)
			world.hosts[h].room = room(64, 256 * GIB, VG_UNLIMITED);
		for (size_t r = 0; r < world.grid.n_roles; r++) {
			struct vg_role *role = &world.grid.roles[r];
			role->count = 1 + (unsigned)world_pick(&world, 20);
			role->cpu = 1 + (unsigned)world_pick(&world, 40);
			role->memory = (1 + world_pick(&world, 160)) * GIB;
			wanted[0] += role->count * (double)role->cpu / 64;
			wanted[1] += role->count * (double)role->memory / (256.0 * GIB);
		}
		world_make_nodes(&world);
		assert_null(make(&world, &placement));
		const double plain[] = {1, 1};
		for (int way = 0; way < 4; way++) {
			size_t n = count_textbook(&world, way & 1, way & 2 ? plain : wanted);
			if (placement->n_used > n)
				fail_msg("seed %llu: %zu hosts, and %zu suffice",
					(unsigned long long)seed, placement->n_used, n);
		}
		world_done(&world);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_role_is_spread_evenly_over_hosts),
		cmocka_unit_test(a_role_is_spread_over_racks_of_unlike_size),
		cmocka_unit_test(a_packed_role_takes_the_one_rack_that_holds_it),
		cmocka_unit_test(a_small_grid_is_packed_onto_the_smallest_host_that_holds_it),
		cmocka_unit_test(a_role_that_spreads_leaves_hosts_to_those_that_must_be_apart),
		cmocka_unit_test(who_others_must_be_with_goes_where_all_have_room),
		cmocka_unit_test(a_host_that_is_drained_gets_nothing_new_and_keeps_what_it_has),
		cmocka_unit_test(what_fits_nowhere_is_told_with_the_nearest_miss_of_each_group),
		cmocka_unit_test(a_machine_that_all_boxes_share_is_not_overfilled),
		cmocka_unit_test(no_host_is_overfilled_and_musts_are_kept_on_random_sites),
		cmocka_unit_test(the_same_site_and_grid_give_the_same_placement),
		cmocka_unit_test(a_grown_grid_moves_nobody),
		cmocka_unit_test(it_says_no_only_when_there_is_no_way_on_small_sites),
		cmocka_unit_test(small_nodes_need_hardly_more_hosts_than_their_volume),
		cmocka_unit_test(it_is_never_worse_than_the_textbook_ways),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
