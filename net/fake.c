// SPDX-License-Identifier: Apache-2.0
//
// The fake net driver: hosts that exist only in a world of JSON, so that plans, scenarios and
// simulations run anywhere. The endpoint is `fake:` for the one world in this process's memory, or
// `fake:PATH` for a file, which need not exist; it is locked while a call works on it.
//
//	{"hosts": {"h1": {"STORE:GRID": SLICE, …}},
//	 "fail": {"converge": "no space"}, "knobs": {"h1": {"fail": {"observe": "no answer"}}},
//	 "facts": {"h1": {"mtu": 1400}}}
//
// `facts` of a host: {"mtu": 1400} of its link to the others, {"mtu_to": {"h2": 0}} to one of them.
// Without them packets of any size get to everybody. A key of `fail` that names an operation lets it fail with this message, on all hosts; one among a
// host's knobs on this host.
#include <pthread.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/tag.h"
#include "base/text.h"
#include "net/driver.h"
#include "net/fake_json.h"

enum { WORLD_SIZE_MAX = 64 << 20 };

static const char scheme[] = "fake:", fail_key[] = "fail";

struct vg_net {
	char *host;
	char *path; // of the world's file; NULL: in memory
};

// The world in memory lives as long as the process.
static struct vg_json *memory;
static pthread_mutex_t memory_lock = PTHREAD_MUTEX_INITIALIZER;

// A world while it is worked on.
struct world {
	struct vg_json *root;
	int lock_fd; // -1: in memory
};

static struct vg_error *read_world(const char *path, struct vg_json **ret_root)
{
	_auto(vg_string) char *bytes = NULL;
	size_t size;
	struct vg_error *error = vg_file_read(path, WORLD_SIZE_MAX, &bytes, &size);
	if (error && vg_error_kind(error) == VG_ERROR_NOT_FOUND) {
		vg_error_ignore(error);
		*ret_root = vg_json_object();
		return NULL;
	}
	if (!error)
		error = vg_json_read(bytes, size, ret_root);
	return vg_error_while(error, "reading the fake world '%s'", path);
}

static struct vg_error *take_world(const struct vg_net *net, struct world *ret_world)
{
	if (!net->path) {
		pthread_mutex_lock(&memory_lock);
		if (!memory)
			memory = vg_json_object();
		*ret_world = (struct world){memory, -1};
		return NULL;
	}
	_auto(vg_string) char *lock = vg_format("%s.lock", net->path);
	struct world world = {.lock_fd = -1};
	struct vg_error *error = vg_lock_take(lock, true, &world.lock_fd);
	if (error)
		return error;
	error = read_world(net->path, &world.root);
	if (error) {
		close(world.lock_fd);
		return error;
	}
	*ret_world = world;
	return NULL;
}

// Lets the world go, and saves what was changed unless there was an error.
static struct vg_error *leave_world(
	const struct vg_net *net, struct world *world, bool is_changed, struct vg_error *error)
{
	if (!net->path) {
		pthread_mutex_unlock(&memory_lock);
		return error;
	}
	if (is_changed && !error) {
		_auto(vg_string) char *text = vg_json_write_pretty(world->root);
		error = vg_file_write(net->path, 0600, text, strlen(text));
	}
	vg_json_free(world->root);
	close(world->lock_fd);
	return error;
}

// The object of this name, made if there is none.
static struct vg_json *object_in(struct vg_json *object, const char *key)
{
	if (!vg_json_is_object(vg_json_get(object, key)))
		vg_json_set(object, key, vg_json_object());
	return vg_json_get(object, key);
}

static struct vg_json *host_in(const struct world *world, const struct vg_net *net)
{
	return object_in(object_in(world->root, "hosts"), net->host);
}

static struct vg_error *knob(const struct world *world, const struct vg_net *net, const char *name)
{
	const char *all = vg_json_get_string(vg_json_get(world->root, fail_key), name, NULL);
	const struct vg_json *knobs = vg_json_get(vg_json_get(world->root, "knobs"), net->host);
	const char *here = vg_json_get_string(vg_json_get(knobs, fail_key), name, all);
	return here ? vg_error_new("%s", here) : NULL;
}

static void fake_close(struct vg_net *net)
{
	if (!net)
		return;
	free(net->host);
	free(net->path);
	free(net);
}

static struct vg_error *fake_open(const struct vg_net_target *target, struct vg_net **ret)
{
	const char *endpoint = target->endpoint ? target->endpoint : scheme;
	if (!vg_text_starts(endpoint, scheme))
		return vg_error_of(
			VG_ERROR_USAGE, "host '%s': '%s' is no fake world", target->host, endpoint);
	struct vg_net *net = vg_new(struct vg_net);
	net->host = vg_strdup(target->host);
	if (endpoint[strlen(scheme)])
		net->path = vg_strdup(endpoint + strlen(scheme));
	struct world world;
	if (net->path)
		vg_file_tidy(net->path);
	struct vg_error *error = take_world(net, &world);
	if (!error)
		error = leave_world(net, &world, false, knob(&world, net, "open"));
	if (error) {
		fake_close(net);
		return vg_error_while(error, "reaching host '%s'", target->host);
	}
	*ret = net;
	return NULL;
}

// Grids of a host are looked through by this.
struct search {
	const struct vg_slice *wanted;
	const char *own_key;
	struct vg_error *error;
};

// As a real host does: one VNI, one grid.
static void refuse_taken_vnis(const char *key, struct vg_json *value, void *data)
{
	struct search *search = data;
	if (search->error || strcmp(key, search->own_key) == 0)
		return;
	_auto(vg_slice) struct vg_slice *other = vg_slice_read_json(value);
	for (size_t i = 0; i < search->wanted->n_overlays && !search->error; i++) {
		const struct vg_slice_overlay *overlay = &search->wanted->overlays[i];
		for (size_t j = 0; j < other->n_overlays && !search->error; j++)
			if (other->overlays[j].vni == overlay->vni)
				search->error = vg_error_at(overlay->place,
					"VNI %u is taken by grid '%s'", overlay->vni, other->grid);
	}
}

static struct vg_error *fake_converge(struct vg_net *net, const struct vg_slice *wanted)
{
	struct world world;
	struct vg_error *error = take_world(net, &world);
	if (error)
		return error;
	struct vg_json *host = host_in(&world, net);
	_auto(vg_string) char *key = vg_format("%s:%s", wanted->store, wanted->grid);
	struct search search = {wanted, key, knob(&world, net, "converge")};
	vg_json_each(host, refuse_taken_vnis, &search);
	// An error of the host has the place of the first thing that was asked of it.
	if (wanted->n_overlays)
		search.error = vg_error_place(search.error, wanted->overlays[0].place);
	if (!search.error && wanted->n_overlays)
		vg_json_set(host, key, vg_slice_write_json(wanted));
	else if (!search.error)
		vg_json_delete(host, key);
	error = leave_world(net, &world, true, search.error);
	return vg_error_while(error, "building the overlays on host '%s'", net->host);
}

struct owners {
	const char *store;
	char **grids;
	size_t n_grids;
};

static void add_owner(const char *key, struct vg_json *value, void *data)
{
	(void)key;
	struct owners *owners = data;
	if (vg_text_equal(vg_json_get_string(value, "store", ""), owners->store) &&
		strchr(key, ':'))
		vg_append(owners->grids, owners->n_grids) =
			vg_strdup(vg_json_get_string(value, "grid", ""));
}

static void add_foreign(const char *key, struct vg_json *value, void *data)
{
	struct owners *owners = data;
	if (!vg_text_equal(vg_json_get_string(value, "store", ""), owners->store))
		vg_append(owners->grids, owners->n_grids) = vg_strdup(key);
}

// Every tap here has its machine.
static void hold_all(struct vg_slice *slice)
{
	for (size_t i = 0; i < slice->n_overlays; i++) {
		const struct vg_slice_overlay *overlay = &slice->overlays[i];
		for (size_t j = 0; j < overlay->n_ports; j++)
			if (overlay->ports[j].link)
				vg_append(slice->held, slice->n_held) =
					vg_strdup(overlay->ports[j].link);
	}
}

static struct vg_error *fake_observe(
	struct vg_net *net, const char *store, const char *grid, struct vg_slice **ret_seen)
{
	struct world world;
	struct vg_error *error = take_world(net, &world);
	if (error)
		return error;
	_auto(vg_string) char *key = vg_format("%s:%s", store, grid);
	_auto(vg_slice) struct vg_slice *seen =
		vg_slice_read_json(vg_json_get(host_in(&world, net), key));
	struct owners search = {.store = store};
	vg_json_each(host_in(&world, net), add_foreign, &search);
	error = leave_world(net, &world, false, knob(&world, net, "observe"));
	if (error)
		return vg_error_while(error, "observing the overlays on host '%s'", net->host);
	// A grid without links is seen as an empty slice of its own.
	free(seen->store);
	free(seen->grid);
	seen->store = vg_strdup(store);
	seen->grid = vg_strdup(grid);
	seen->link_group = vg_tag_link_group(store, grid);
	hold_all(seen);
	for (size_t i = 0; i < search.n_grids; i++)
		vg_append(seen->foreign, seen->n_foreign) = search.grids[i];
	free(search.grids);
	*ret_seen = vg_take(seen);
	return NULL;
}

static struct vg_error *fake_owners(
	struct vg_net *net, const char *store, char ***ret_grids, size_t *ret_n_grids)
{
	struct world world;
	struct owners owners = {.store = store};
	struct vg_error *error = take_world(net, &world);
	if (error)
		return error;
	error = knob(&world, net, "owners");
	if (!error)
		vg_json_each(host_in(&world, net), add_owner, &owners);
	error = leave_world(net, &world, false, error);
	if (error)
		return vg_error_while(error, "observing the overlays on host '%s'", net->host);
	*ret_grids = owners.grids;
	*ret_n_grids = owners.n_grids;
	return NULL;
}

static unsigned least(unsigned mtu, const struct vg_json *object, const char *key)
{
	int64_t limit = vg_json_get_integer(object, key, mtu);
	return limit < mtu ? (unsigned)limit : mtu;
}

static struct vg_error *fake_reach(struct vg_net *net, const struct vg_net_peer *peers,
	size_t n_peers, unsigned size, unsigned **ret_mtus)
{
	struct world world;
	struct vg_error *error = take_world(net, &world);
	if (error)
		return error;
	const struct vg_json *all = vg_json_get(world.root, "facts");
	const struct vg_json *own = vg_json_get(all, net->host);
	unsigned *mtus = vg_alloc((n_peers + 1) * sizeof(*mtus));
	for (size_t i = 0; i < n_peers; i++) {
		mtus[i] = least(size, own, "mtu");
		mtus[i] = least(mtus[i], vg_json_get(all, peers[i].host), "mtu");
		mtus[i] = least(mtus[i], vg_json_get(own, "mtu_to"), peers[i].host);
	}
	error = leave_world(net, &world, false, knob(&world, net, "reach"));
	if (error)
		free(mtus);
	else
		*ret_mtus = mtus;
	return vg_error_while(error, "reaching from host '%s'", net->host);
}

const struct vg_net_driver vg_net_fake = {
	.name = "fake",
	.open = fake_open,
	.close = fake_close,
	.converge = fake_converge,
	.observe = fake_observe,
	.owners = fake_owners,
	.reach = fake_reach,
};
