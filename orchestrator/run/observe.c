// SPDX-License-Identifier: Apache-2.0
#include "orchestrator/run/observe.h"

#include "base/memory.h"
#include "orchestrator/context.h"
#include "orchestrator/every_host.h"

struct look {
	struct vg_site *site;
	struct vg_world *world;
	const char *store, *grid;
};

static struct vg_error *look_at(struct vg_host *host, void *data)
{
	const struct look *look = data;
	const struct vg_drivers *drivers = look->site->drivers;
	struct vg_host_seen *seen = &look->world->hosts[host - look->site->hosts];
	struct vg_error *error = NULL;
	seen->is_running = host->is_running || (look->site->is_ending && host->box);
	seen->repaired = host->repaired;
	if (host->is_running)
		error = drivers->compute->observe(
			host->compute, look->store, look->grid, &seen->machines);
	if (!error && host->is_running)
		error = drivers->net->observe(host->net, look->store, look->grid, &seen->slice);
	if (!error)
		error = drivers->storage->observe(
			host->storage, look->store, look->grid, &seen->volumes);
	return vg_error_while(error, "looking at host '%s'", host->name);
}

// What is known of it all the same: that a box is there, and what lies in its folder.
static void forget(const struct look *look, struct vg_host *host)
{
	struct vg_host_seen *seen = &look->world->hosts[host - look->site->hosts];
	vg_machines_seen_done(&seen->machines);
	vg_slice_free(vg_take(seen->slice));
	vg_volumes_seen_done(&seen->volumes);
	seen->is_running = host->box;
	if (host->storage && look->site->is_owned)
		vg_error_ignore(look->site->drivers->storage->observe(
			host->storage, look->store, look->grid, &seen->volumes));
}

struct vg_error *vg_observe(struct vg_site *site, struct vg_context *context, const char *grid_uuid,
	struct vg_world **ret_world)
{
	_auto(vg_world) struct vg_world *world = vg_world_new(site->n_hosts);
	struct look look = {site, world, context->store, grid_uuid};
	struct vg_error *error = vg_every_host(site, context, look_at, &look);
	if (error)
		return error;
	for (size_t h = 0; h < site->n_hosts; h++) {
		if (site->hosts[h].problem)
			forget(&look, &site->hosts[h]);
	}
	world->is_split = vg_site_is_split(site);
	*ret_world = vg_take(world);
	return NULL;
}
