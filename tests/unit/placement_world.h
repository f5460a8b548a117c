// SPDX-License-Identifier: Apache-2.0
//
// Random grids and sites for placement, made of a seed. Used by test_place.c and bench/placement.c.
#pragma once

#include <stdio.h>

#include "base/memory.h"
#include "orchestrator/plan/place.h"

#define GIB (UINT64_C(1) << 30)

struct world {
	struct vg_grid grid;
	struct vg_placement_host *hosts;
	struct vg_host_label *labels; // one a host
	struct vg_placement_input input;
	struct vg_arena *arena;
	uint64_t random;
};

// splitmix64 (S. Vigna, public domain).
static inline uint64_t world_random(struct world *world)
{
	uint64_t z = world->random += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

// 0 … n - 1
static inline uint64_t world_pick(struct world *world, uint64_t n)
{
	return world_random(world) % n;
}

static inline void world_init(struct world *world, uint64_t seed, size_t n_roles, size_t n_hosts)
{
	*world = (struct world){.random = seed, .arena = vg_arena_new()};
	world->grid.name = "w";
	world->grid.n_roles = n_roles;
	world->grid.roles = vg_alloc(n_roles * sizeof(*world->grid.roles));
	world->hosts = vg_alloc(n_hosts * sizeof(*world->hosts));
	world->labels = vg_alloc(n_hosts * sizeof(*world->labels));
	for (size_t r = 0; r < n_roles; r++)
		world->grid.roles[r] =
			(struct vg_role){.name = vg_arena_format(world->arena, "r%zu", r),
				.place = {"t.yaml", (unsigned)r + 1, 3}};
	for (size_t h = 0; h < n_hosts; h++) {
		world->hosts[h].name = vg_arena_format(world->arena, "h%zu", h + 1);
		world->hosts[h].labels = &world->labels[h];
		world->hosts[h].n_labels = 1;
		world->labels[h] = (struct vg_host_label){
			"rack", vg_arena_format(world->arena, "r%zu", h / 3 + 1)};
		for (size_t d = 0; d < VG_N_RESOURCES; d++)
			world->hosts[h].room.of[d] = VG_UNLIMITED;
	}
	world->input = (struct vg_placement_input){.hosts = world->hosts, .n_hosts = n_hosts};
	for (size_t d = 0; d < VG_N_RESOURCES; d++)
		world->input.shared.of[d] = VG_UNLIMITED;
}

// Nodes out of the roles' counts.
static inline void world_make_nodes(struct world *world)
{
	struct vg_grid *grid = &world->grid;
	free(grid->nodes);
	grid->n_nodes = 0;
	for (size_t r = 0; r < grid->n_roles; r++)
		grid->n_nodes += grid->roles[r].count;
	grid->nodes = vg_alloc((grid->n_nodes + 1) * sizeof(*grid->nodes));
	size_t at = 0;
	for (size_t r = 0; r < grid->n_roles; r++) {
		grid->roles[r].first_node = at;
		for (unsigned i = 0; i < grid->roles[r].count; i++)
			grid->nodes[at++] = (struct vg_node){.name = grid->roles[r].name,
				.role = r,
				.index = i,
				.host = VG_HOST_NONE};
	}
}

static inline void world_done(struct world *world)
{
	for (size_t r = 0; r < world->grid.n_roles; r++) {
		free(world->grid.roles[r].wish.with);
		free(world->grid.roles[r].wish.apart);
	}
	free(world->grid.roles);
	free(world->grid.nodes);
	free(world->hosts);
	free(world->labels);
	vg_arena_free(world->arena);
}

static inline struct vg_resources room(uint64_t cpu, uint64_t memory, uint64_t disk)
{
	return (struct vg_resources){{cpu * 1000, memory, disk}};
}
