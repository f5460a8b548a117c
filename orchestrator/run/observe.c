// SPDX-License-Identifier: Apache-2.0
#include "orchestrator/run/observe.h"

#include <pthread.h>

#include "base/memory.h"

struct look {
	pthread_t thread;
	struct vg_site *site;
	struct vg_host *host;
	struct vg_host_seen *seen;
	const char *store, *grid;
	struct vg_error *error;
};

static struct vg_error *look_at(struct look *look)
{
	const struct vg_drivers *drivers = look->site->drivers;
	struct vg_host *host = look->host;
	struct vg_error *error = NULL;
	look->seen->is_running = host->is_running;
	look->seen->was_repaired = host->was_repaired;
	if (host->is_running)
		error = drivers->compute->observe(
			host->compute, look->store, look->grid, &look->seen->machines);
	if (!error && host->is_running)
		error = drivers->net->observe(
			host->net, look->store, look->grid, &look->seen->slice);
	if (!error)
		error = drivers->storage->observe(
			host->storage, look->store, look->grid, &look->seen->volumes);
	return vg_error_while(error, "looking at host '%s'", host->name);
}

static void *look_in_thread(void *data)
{
	struct look *look = data;
	look->error = look_at(look);
	return NULL;
}

struct vg_error *vg_observe(struct vg_site *site, const char *store, const char *grid_uuid,
	struct vg_world **ret_world)
{
	_auto(vg_world) struct vg_world *world = vg_world_new(site->n_hosts);
	struct look *looks = vg_alloc(site->n_hosts * sizeof(*looks));
	for (size_t h = 0; h < site->n_hosts; h++) {
		looks[h] = (struct look){.site = site, .host = &site->hosts[h],
			.seen = &world->hosts[h], .store = store, .grid = grid_uuid};
		if (pthread_create(&looks[h].thread, NULL, look_in_thread, &looks[h]))
			abort();
	}
	struct vg_error *error = NULL;
	for (size_t h = 0; h < site->n_hosts; h++) {
		pthread_join(looks[h].thread, NULL);
		if (error)
			vg_error_ignore(looks[h].error);
		else
			error = looks[h].error;
	}
	free(looks);
	world->is_split = vg_site_is_split(site);
	if (!error)
		*ret_world = vg_take(world);
	return error;
}
