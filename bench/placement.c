// SPDX-License-Identifier: Apache-2.0
//
// How good and how quick is placement? Hosts used against the lower bound (what the volume needs)
// over random grids of like and unlike hosts, and the time a placement takes as grids grow.
//
//	bench-placement [SEEDS]
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "tests/unit/placement_world.h"

static double now(void)
{
	struct timespec at;
	clock_gettime(CLOCK_MONOTONIC, &at);
	return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

struct shape {
	const char *name;
	size_t n_roles, n_hosts;
	unsigned count;                   // nodes of a role, about
	unsigned cpu_max, memory_max_gib; // of a node; a host has 64 and 256
	bool is_unlike;                   // hosts of half and double size among them
};

static void build(struct world *world, const struct shape *shape, uint64_t seed)
{
	world_init(world, seed, shape->n_roles, shape->n_hosts);
	for (size_t h = 0; h < shape->n_hosts; h++) {
		uint64_t factor = shape->is_unlike ? 1 + world_pick(world, 4) : 2;
		world->hosts[h].room = room(32 * factor, 128 * GIB * factor, VG_UNLIMITED);
	}
	for (size_t r = 0; r < shape->n_roles; r++) {
		struct vg_role *role = &world->grid.roles[r];
		role->count = shape->count / 2 + (unsigned)world_pick(world, shape->count + 1);
		role->cpu = 1 + (unsigned)world_pick(world, shape->cpu_max);
		role->memory = (1 + world_pick(world, shape->memory_max_gib)) * GIB;
	}
	world_make_nodes(world);
}

static void compare(const struct shape *shape, uint64_t n_seeds)
{
	size_t used = 0, bound = 0, n_refused = 0;
	double worst = 0, began = now();
	for (uint64_t seed = 1; seed <= n_seeds; seed++) {
		struct world world;
		_auto(vg_placement) struct vg_placement *placement = NULL;
		build(&world, shape, seed);
		struct vg_error *error = vg_placement_make(&world.grid, &world.input, &placement);
		if (error) {
			n_refused++;
			vg_error_ignore(error);
		} else {
			double ratio = (double)placement->n_used / (double)placement->n_bound;
			worst = ratio > worst ? ratio : worst;
			used += placement->n_used;
			bound += placement->n_bound;
		}
		world_done(&world);
	}
	printf("%-34s %8zu %8zu %9.4f %7.4f %8zu %10.2f\n", shape->name, used, bound,
		(double)used / (double)(bound ? bound : 1), worst, n_refused,
		(now() - began) * 1e3 / (double)n_seeds);
}

static void measure(unsigned n_nodes, size_t n_hosts, enum vg_place_kind kind, const char *label)
{
	struct world world;
	_auto(vg_placement) struct vg_placement *placement = NULL;
	world_init(&world, 7, 10, n_hosts);
	for (size_t h = 0; h < n_hosts; h++)
		world.hosts[h].room = room(64, 256 * GIB, VG_UNLIMITED);
	for (size_t r = 0; r < 10; r++) {
		struct vg_role *role = &world.grid.roles[r];
		role->count = n_nodes / 10;
		role->cpu = 1 + (unsigned)world_pick(&world, 6);
		role->memory = (1 + world_pick(&world, 24)) * GIB;
		role->wish = (struct vg_placement_wish){.kind = kind, .label = label};
	}
	world_make_nodes(&world);
	double began = now();
	struct vg_error *error = vg_placement_make(&world.grid, &world.input, &placement);
	double took = now() - began;
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	printf("%8u nodes %7zu hosts  %-6s %-5s %9.4f s  %6ld MiB  %s %zu of %zu\n", n_nodes,
		n_hosts, kind == VG_PLACE_PACK ? "pack" : "spread", label, took,
		usage.ru_maxrss / 1024, error ? "refused" : "hosts used",
		placement ? placement->n_used : 0, placement ? placement->n_bound : 0);
	vg_error_ignore(error);
	world_done(&world);
}

int main(int argc, char *argv[])
{
	static const struct shape shapes[] = {
		{"10 roles, nodes up to 1/10", 10, 400, 150, 6, 25, false},
		{"10 roles, nodes up to 1/10, unlike", 10, 800, 150, 3, 12, true},
		{"3 roles, nodes up to 1/10", 3, 400, 300, 6, 25, false},
		{"10 roles, nodes up to 1/2", 10, 900, 150, 32, 128, false},
		{"30 roles of a few big nodes", 30, 200, 4, 48, 200, false},
	};
	uint64_t n_seeds = argc > 1 ? strtoull(argv[1], NULL, 10) : 200;
	printf("%-34s %8s %8s %9s %7s %8s %10s\n", "random grids", "used", "bound", "ratio",
		"worst", "refused", "ms each");
	for (size_t i = 0; i < VG_LENGTH(shapes); i++)
		compare(&shapes[i], n_seeds);
	for (unsigned n = 100; n <= 1000000; n *= 10) {
		measure(n, n / 10, VG_PLACE_PACK, "host");
		measure(n, n / 10, VG_PLACE_SPREAD, "host");
		measure(n, n / 10, VG_PLACE_SPREAD, "rack");
	}
	return 0;
}
