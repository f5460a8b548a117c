// SPDX-License-Identifier: Apache-2.0
#include "orchestrator/plan/world.h"

#include "base/memory.h"
#include "base/text.h"

struct vg_world *vg_world_new(size_t n_hosts)
{
	struct vg_world *world = vg_new(struct vg_world);
	world->hosts = vg_alloc(n_hosts * sizeof(*world->hosts));
	world->n_hosts = n_hosts;
	return world;
}

void vg_world_free(struct vg_world *world)
{
	if (!world)
		return;
	for (size_t i = 0; i < world->n_hosts; i++) {
		vg_machines_seen_done(&world->hosts[i].machines);
		vg_slice_free(world->hosts[i].slice);
		vg_volumes_seen_done(&world->hosts[i].volumes);
	}
	free(world->hosts);
	free(world);
}

const struct vg_machine_seen *vg_world_machine(
	const struct vg_world *world, const char *uuid, size_t host)
{
	const struct vg_machines_seen *machines = &world->hosts[host].machines;
	for (size_t i = 0; i < machines->n_items; i++) {
		if (vg_text_equal(machines->items[i].uuid, uuid))
			return &machines->items[i];
	}
	return NULL;
}
