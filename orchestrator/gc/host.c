// SPDX-License-Identifier: Apache-2.0
//
// What is on one host: a box, the volumes below a folder, or a host of the fake site.
#include "orchestrator/gc/gc.h"

#include <libgen.h>
#include <string.h>

#include "base/file.h"
#include "base/map.h"
#include "base/tag.h"
#include "base/text.h"
#include "base/units.h"
#include "box/box.h"
#include "box/strangers.h"
#include "orchestrator/context.h"
#include "orchestrator/site_file.h"

// As many empty hosts in a row end the search for fake ones.
enum { HYPERVISOR_TIMEOUT_MS = 15 * 1000, EMPTY_HOSTS_MAX = 32 };

static const char foreign[] = "not vgrid's: it stays";

void vg_gc_host_done(struct vg_gc_host *host)
{
	if (host->compute)
		host->drivers->compute->close(host->compute);
	if (host->net)
		host->drivers->net->close(host->net);
	if (host->storage)
		host->drivers->storage->close(host->storage);
	free(host->name);
	free(host->key);
}

static struct vg_gc_host *add_host(
	struct vg_gc *gc, const char *name, const struct vg_drivers *drivers)
{
	struct vg_gc_host *host = &vg_append(gc->hosts, gc->n_hosts);
	host->name = vg_strdup(name);
	host->drivers = drivers;
	return host;
}

static void add_foreign(struct vg_gc *gc, enum vg_gc_kind kind, size_t number, const char *name)
{
	vg_gc_add(gc, kind, number, vg_strdup(name),
		vg_format("on %s, %s", gc->hosts[number].name, foreign))
		->is_foreign = true;
	gc->hosts[number].stays = true;
}

static struct vg_error *find_machines(struct vg_gc *gc, size_t number)
{
	const struct vg_gc_host *host = &gc->hosts[number];
	_auto(vg_machines_seen) struct vg_machines_seen seen = {0};
	struct vg_error *error =
		host->drivers->compute->observe(host->compute, gc->store, NULL, &seen);
	for (size_t i = 0; i < seen.n_items; i++) {
		const struct vg_machine_seen *machine = &seen.items[i];
		char grid[37];
		if (!vg_gc_is_lost(gc, machine->tag, grid))
			continue;
		vg_gc_add(gc, VG_GC_MACHINE, number, vg_strdup(machine->name),
			vg_format("on %s, %s, of grid %s", gc->hosts[number].name,
				vg_machine_state_name(machine->state), grid))
			->id = vg_strdup(machine->uuid);
	}
	for (size_t i = 0; i < seen.n_foreign; i++)
		add_foreign(gc, VG_GC_MACHINE, number, seen.foreign[i]);
	return error;
}

// One item a grid: its links are one slice, and go by one call.
static void add_slice(struct vg_gc *gc, size_t number, const struct vg_slice *slice)
{
	_auto(vg_text) struct vg_text names = {0};
	for (size_t i = 0; i < slice->n_overlays; i++) {
		struct vg_tag tag;
		const char *path =
			vg_tag_read(slice->overlays[i].tag, &tag) ? strrchr(tag.path, '/') : NULL;
		vg_text_addf(
			&names, "%s%s", i ? ", " : "", path ? path + 1 : slice->overlays[i].tag);
	}
	if (slice->n_overlays)
		vg_gc_add(gc, VG_GC_NETWORK, number, vg_text_take(&names),
			vg_format("links on %s, of grid %s", gc->hosts[number].name, slice->grid))
			->id = vg_strdup(slice->grid);
}

static struct vg_error *find_links(struct vg_gc *gc, size_t number)
{
	const struct vg_gc_host *host = &gc->hosts[number];
	const struct vg_net_driver *driver = host->drivers->net;
	static const char nobody[] = "00000000-0000-0000-0000-000000000000";
	_auto(vg_slice) struct vg_slice *none = NULL;
	char **grids = NULL;
	size_t n_grids = 0;
	struct vg_error *error = driver->owners(host->net, gc->store, &grids, &n_grids);
	if (!error)
		error = driver->observe(host->net, gc->store, nobody, &none);
	for (size_t i = 0; i < n_grids && !error; i++) {
		_auto(vg_slice) struct vg_slice *slice = NULL;
		if (gc->has_unreadable || vg_map_has(gc->uuids, grids[i]))
			continue;
		error = driver->observe(host->net, gc->store, grids[i], &slice);
		if (!error)
			add_slice(gc, number, slice);
	}
	vg_folder_list_free(grids, n_grids);
	for (size_t i = 0; none && i < none->n_foreign; i++)
		add_foreign(gc, VG_GC_LINK, number, none->foreign[i]);
	return error;
}

static struct vg_error *find_volumes(struct vg_gc *gc, size_t number)
{
	const struct vg_gc_host *host = &gc->hosts[number];
	_auto(vg_volumes_seen) struct vg_volumes_seen seen = {0};
	struct vg_error *error =
		host->drivers->storage->observe(host->storage, gc->store, NULL, &seen);
	for (size_t i = 0; i < seen.n_items; i++) {
		const struct vg_volume_seen *volume = &seen.items[i];
		struct vg_tag tag;
		char grid[37];
		if (!vg_gc_is_lost(gc, volume->tag, grid) || !vg_tag_read(volume->tag, &tag))
			continue;
		_auto(vg_string) char *size = vg_units_write_size(volume->size);
		bool is_data = volume->kind == VG_VOLUME_DATA;
		struct vg_gc_item *item = vg_gc_add(gc, VG_GC_DISK, number,
			vg_strdup(vg_text_starts(tag.path, "node/") ? tag.path + 5 : tag.path),
			vg_format("%s%s on %s, of grid %s", is_data ? "data, " : "", size,
				gc->hosts[number].name, grid));
		item->id = vg_strdup(volume->tag);
		item->is_data = is_data;
	}
	return error;
}

struct vg_error *vg_gc_look_at_host(struct vg_gc *gc, size_t number)
{
	struct vg_error *error = find_machines(gc, number);
	if (!error)
		error = find_links(gc, number);
	return error ? error : find_volumes(gc, number);
}

static struct vg_error *open_box(struct vg_gc_host *host)
{
	struct vg_box *box = host->box;
	_auto(vg_string) char *uri = NULL;
	struct vg_error *error = box->has_libvirtd
					 ? vg_box_hypervisor(box, HYPERVISOR_TIMEOUT_MS, &uri, NULL)
					 : NULL;
	if (!error && box->has_libvirtd)
		error = vg_drivers_open_compute(host->drivers,
			&(struct vg_compute_target){host->name, uri, box->folder, "/v", 0},
			&host->compute);
	// The links of a box that only joins others are its own.
	if (!error && box->has_libvirtd)
		error = vg_drivers_open_net(host->drivers,
			&(struct vg_net_target){.host = host->name, .namespace_fd = box->net_fd},
			&host->net);
	return error;
}

static struct vg_error *find_strangers(struct vg_gc *gc, size_t number)
{
	char **names = NULL;
	size_t n_names = 0;
	struct vg_error *error = vg_box_strangers(gc->hosts[number].box, &names, &n_names);
	for (size_t i = 0; i < n_names; i++)
		add_foreign(gc, VG_GC_PROCESS, number, names[i]);
	vg_folder_list_free(names, n_names);
	return error;
}

// `HOME/grids/KEY/host-0` → KEY, malloc'ed.
static char *key_of(const char *folder)
{
	_auto(vg_string) char *copy = vg_strdup(folder);
	return vg_strdup(basename(dirname(copy)));
}

struct vg_error *vg_gc_look_into_box(struct vg_gc *gc, struct vg_box *box)
{
	const struct vg_drivers *drivers;
	struct vg_error *error = vg_drivers_of("sandbox", &drivers);
	if (error)
		return error;
	size_t number = gc->n_hosts;
	struct vg_gc_host *host = add_host(gc, box->name, drivers);
	host->key = key_of(box->folder);
	host->box = box;
	size_t item = gc->n_items;
	vg_gc_add(gc, VG_GC_BOX, number, vg_strdup(box->name),
		vg_format("process %d, %s", (int)box->pid, box->tag));
	error = open_box(host);
	if (!error && host->compute)
		error = find_machines(gc, number);
	if (!error && host->net)
		error = find_links(gc, number);
	if (!error)
		error = find_strangers(gc, number);
	// One that nobody can look into stays: what is in it is not known.
	if (error) {
		_auto(vg_string) char *before = gc->items[item].detail;
		gc->items[item].detail =
			vg_format("%s: it stays, since it cannot be looked into: %s", before,
				vg_error_message(error));
		gc->hosts[number].stays = true;
		vg_error_free(error);
	}
	return NULL;
}

struct vg_error *vg_gc_look_at_volumes(
	struct vg_gc *gc, const char *key, const char *name, const char *folder)
{
	const struct vg_drivers *drivers;
	_auto(vg_string) char *images = vg_context_images(gc->context);
	struct vg_error *error = vg_drivers_of("sandbox", &drivers);
	if (error)
		return error;
	size_t number = gc->n_hosts, n_items = gc->n_items;
	struct vg_gc_host *host = add_host(gc, name, drivers);
	host->key = vg_strdup(key);
	error = vg_drivers_open_storage(drivers,
		&(struct vg_storage_target){name, folder, folder, images, images}, &host->storage);
	if (!error)
		error = find_volumes(gc, number);
	if (!error && gc->n_items == n_items)
		vg_gc_host_done(&gc->hosts[--gc->n_hosts]);
	return error;
}

static struct vg_error *look_at_fake(struct vg_gc *gc, const struct vg_site *site,
	const char *worlds, size_t h, bool *ret_is_empty)
{
	size_t number = gc->n_hosts, n_items = gc->n_items;
	const char *name = site->hosts[h].name, *home = gc->context->home;
	_auto(vg_string) char *compute = vg_format("fake:%s/fake-compute.json", worlds);
	_auto(vg_string) char *net = vg_format("fake:%s/fake-net.json", worlds);
	_auto(vg_string) char *storage = vg_format("fake:%s/fake-storage.json", worlds);
	struct vg_gc_host *host = add_host(gc, name, site->drivers);
	struct vg_error *error = vg_drivers_open_compute(site->drivers,
		&(struct vg_compute_target){name, compute, NULL, NULL, 0}, &host->compute);
	if (!error)
		error = vg_drivers_open_net(site->drivers,
			&(struct vg_net_target){.host = name, .namespace_fd = -1, .endpoint = net},
			&host->net);
	if (!error)
		error = vg_drivers_open_storage(site->drivers,
			&(struct vg_storage_target){name, storage, storage, home, home},
			&host->storage);
	if (!error)
		error = vg_gc_look_at_host(gc, number);
	*ret_is_empty = gc->n_items == n_items;
	if (!error && *ret_is_empty)
		vg_gc_host_done(&gc->hosts[--gc->n_hosts]);
	return error;
}

// A remembered site whose hosts are fake keeps their worlds in its own folder.
static struct vg_error *look_at_known_fakes(struct vg_gc *gc, const char *name)
{
	_auto(vg_string) char *worlds = vg_format("%s/sites/%s", gc->context->home, name);
	_auto(vg_string) char *world = vg_format("%s/fake-storage.json", worlds);
	_auto(vg_site) struct vg_site *site = NULL;
	if (!vg_file_exists(world))
		return NULL;
	struct vg_error *error = vg_site_find(gc->context, name, &site);
	for (size_t h = 0; !error && site->is_simulated && h < site->n_hosts; h++) {
		bool is_empty;
		error = look_at_fake(gc, site, worlds, h, &is_empty);
	}
	return error;
}

static struct vg_error *look_at_all_known_fakes(struct vg_gc *gc)
{
	char **names;
	size_t n_names;
	struct vg_error *error = vg_site_known(gc->context, &names, &n_names);
	if (error)
		return error;
	for (size_t i = 0; i < n_names && !error; i++)
		error = look_at_known_fakes(gc, names[i]);
	vg_folder_list_free(names, n_names);
	return error;
}

struct vg_error *vg_gc_look_at_fakes(struct vg_gc *gc)
{
	_auto(vg_string) char *text = vg_format("fake:%d", VG_SITE_HOSTS_MAX);
	_auto(vg_string) char *world = vg_format("%s/fake-storage.json", gc->context->home);
	_auto(vg_site) struct vg_site *site = NULL;
	struct vg_error *error = vg_file_exists(world) ? vg_site_read(text, &site) : NULL;
	unsigned n_empty = 0;
	for (size_t h = 0; !error && site && h < site->n_hosts && n_empty < EMPTY_HOSTS_MAX; h++) {
		bool is_empty = false;
		error = look_at_fake(gc, site, gc->context->home, h, &is_empty);
		n_empty = is_empty ? n_empty + 1 : 0;
	}
	return error ? error : look_at_all_known_fakes(gc);
}
