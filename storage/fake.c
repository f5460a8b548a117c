// SPDX-License-Identifier: Apache-2.0
//
// The fake: volumes that are entries of a JSON file, for plans, scenarios and simulations that run
// anywhere. The target's folder is `fake:PATH`, or `fake:` for a world that lives and ends with
// this process. Several hosts share one world:
//
//	{"volumes": {HOST: {TAG: sidecar, …}}, "fail": {"create": "no space left"},
//	 "facts": {HOST: {"size": bytes, "free": bytes}}}
//
// An operation named under "fail" fails with that text. A sidecar with "is_broken" is seen as
// broken.
#include "storage/driver.h"

#include <pthread.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/tag.h"
#include "base/text.h"
#include "storage/qcow2.h"
#include "storage/volume.h"

enum { WORLD_SIZE_MAX = 64 << 20 };

static const char scheme[] = "fake:";

struct vg_storage {
	char *host, *path; // path "": the world of this process
	char *folder_seen;
};

// The world of this process, as text, so that both kinds go one way.
static struct {
	pthread_mutex_t mutex;
	char *text;
} local = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static struct vg_error *open_storage(
	const struct vg_storage_target *target, struct vg_storage **ret_storage)
{
	if (!vg_text_starts(target->folder, scheme))
		return vg_error_new("'%s' is no world of the fake storage", target->folder);
	const char *seen = target->folder_seen ? target->folder_seen : target->folder;
	struct vg_storage *storage = vg_new(struct vg_storage);
	storage->host = vg_strdup(target->host);
	storage->path = vg_strdup(target->folder + strlen(scheme));
	storage->folder_seen = vg_strdup(seen);
	vg_file_tidy(storage->path);
	*ret_storage = storage;
	return NULL;
}

static void close_storage(struct vg_storage *storage)
{
	if (!storage)
		return;
	free(storage->host);
	free(storage->path);
	free(storage->folder_seen);
	free(storage);
}

static struct vg_error *load(const struct vg_storage *storage, struct vg_json **ret_world)
{
	_auto(vg_string) char *bytes = NULL;
	size_t size = 0;
	if (!*storage->path && local.text) {
		bytes = vg_strdup(local.text);
		size = strlen(bytes);
	} else if (*storage->path && vg_file_exists(storage->path)) {
		struct vg_error *error = vg_file_read(storage->path, WORLD_SIZE_MAX, &bytes, &size);
		if (error)
			return error;
	}
	if (size == 0) {
		*ret_world = vg_json_object();
		return NULL;
	}
	return vg_error_while(vg_json_read(bytes, size, ret_world), "reading '%s'", storage->path);
}

static struct vg_error *save(const struct vg_storage *storage, const struct vg_json *world)
{
	_auto(vg_string) char *text = vg_json_write_pretty(world);
	if (*storage->path)
		return vg_file_write(storage->path, 0600, text, strlen(text));
	free(local.text);
	local.text = vg_take(text);
	return NULL;
}

static struct vg_json *child(struct vg_json *object, const char *key)
{
	if (!vg_json_is_object(vg_json_get(object, key)))
		vg_json_set(object, key, vg_json_object());
	return vg_json_get(object, key);
}

// One operation on the volumes of a host.
struct request {
	const char *operation;
	struct vg_error *(*act)(
		struct vg_json *volumes, struct request *request, bool *ret_changed);
	const struct vg_volume *volume;
	const char *store, *grid, *tag;
	uint64_t size;
	struct vg_volumes_seen *seen;
	struct vg_storage_facts *facts;
	const struct vg_json *known; // the host's, of the world's "facts"
};

static struct vg_error *act(const struct vg_storage *storage, struct request *request)
{
	_auto(vg_json) struct vg_json *world = NULL;
	struct vg_error *error = load(storage, &world);
	if (error)
		return error;
	const char *failure =
		vg_json_get_string(vg_json_get(world, "fail"), request->operation, NULL);
	if (failure)
		return vg_error_new("%s", failure);
	bool has_changed = false;
	struct vg_json *volumes = child(child(world, "volumes"), storage->host);
	request->known = vg_json_get(vg_json_get(world, "facts"), storage->host);
	error = request->act(volumes, request, &has_changed);
	return error || !has_changed ? error : save(storage, world);
}

static struct vg_error *run(const struct vg_storage *storage, struct request request)
{
	struct vg_error *error;
	if (*storage->path) {
		_auto(vg_string) char *path = vg_format("%s.lock", storage->path);
		_auto(vg_fd) int lock = -1;
		error = vg_lock_take(path, true, &lock);
		if (!error)
			error = act(storage, &request);
	} else {
		pthread_mutex_lock(&local.mutex);
		error = act(storage, &request);
		pthread_mutex_unlock(&local.mutex);
	}
	return error;
}

static bool find(struct vg_json *volumes, const char *tag, struct vg_volume_seen *ret_seen)
{
	const struct vg_json *entry = vg_json_get(volumes, tag);
	if (!vg_volume_from_json(entry, ret_seen))
		return false;
	ret_seen->is_broken = vg_json_get_boolean(entry, "is_broken", false);
	return true;
}

static void see(const char *tag, struct vg_json *entry, void *data)
{
	struct request *request = data;
	struct vg_volume_seen seen;
	if (!vg_tag_is_of(tag, request->store, request->grid) || !vg_volume_from_json(entry, &seen))
		return;
	seen.is_broken = vg_json_get_boolean(entry, "is_broken", false);
	vg_append(request->seen->items, request->seen->n_items) = seen;
}

static struct vg_error *act_observe(
	struct vg_json *volumes, struct request *request, bool *ret_changed)
{
	(void)ret_changed;
	vg_json_each (volumes, see, request)
		;
	return NULL;
}

static struct vg_error *check_size(const struct vg_volume *volume)
{
	if (volume->kind != VG_VOLUME_DATA)
		return NULL;
	void *bytes;
	size_t size;
	struct vg_error *error =
		vg_qcow2_make(&(struct vg_qcow2_wish){.size = volume->size}, &bytes, &size);
	if (!error)
		free(bytes);
	return error;
}

static struct vg_error *act_create(
	struct vg_json *volumes, struct request *request, bool *ret_changed)
{
	const struct vg_volume *volume = request->volume;
	bool is_data = volume->kind == VG_VOLUME_DATA, is_seed = volume->kind == VG_VOLUME_SEED;
	_auto(vg_volume_seen) struct vg_volume_seen there = {0};
	_auto(vg_volume_seen) struct vg_volume_seen wanted =
		vg_volume_expect(volume, is_seed ? volume->n_bytes : volume->size);
	bool is_there = find(volumes, volume->tag, &there);
	if (is_there && there.is_broken && is_data)
		return vg_error_new("the data disk '%s' is gone or cannot be read",
			vg_volume_title(volume->tag));
	struct vg_error *error = is_there ? vg_volume_compare(&there, &wanted) : check_size(volume);
	if (error || (is_there && !there.is_broken && vg_text_equal(there.version, wanted.version)))
		return error;
	vg_json_set(volumes, volume->tag, vg_volume_to_json(&wanted));
	*ret_changed = true;
	return NULL;
}

static struct vg_error *act_resize(
	struct vg_json *volumes, struct request *request, bool *ret_changed)
{
	_auto(vg_volume_seen) struct vg_volume_seen there = {0};
	if (!find(volumes, request->tag, &there))
		return vg_error_of(VG_ERROR_NOT_FOUND, "there is no such disk");
	if (there.kind != VG_VOLUME_DATA)
		return vg_error_new("it is a %s", vg_volume_kind_title(there.kind));
	if (there.is_broken)
		return vg_error_new("it is gone or cannot be read");
	if (request->size < there.size)
		return vg_error_new("it cannot shrink");
	*ret_changed = request->size != there.size;
	vg_json_set_integer(vg_json_get(volumes, request->tag), "size", (int64_t)request->size);
	return NULL;
}

static struct vg_error *act_remove(
	struct vg_json *volumes, struct request *request, bool *ret_changed)
{
	*ret_changed = vg_json_get(volumes, request->tag);
	vg_json_delete(volumes, request->tag);
	return NULL;
}

static struct vg_error *observe(struct vg_storage *storage, const char *store, const char *grid,
	struct vg_volumes_seen *ret_seen)
{
	struct vg_volumes_seen seen = {0};
	struct vg_error *error = run(storage, (struct request){"observe", act_observe,
						      .store = store, .grid = grid, .seen = &seen});
	if (error)
		return vg_error_while(error, "reading the volumes of '%s'", storage->host);
	*ret_seen = seen;
	return NULL;
}

static struct vg_error *create(struct vg_storage *storage, const struct vg_volume *volume)
{
	struct vg_error *error =
		run(storage, (struct request){"create", act_create, .volume = volume});
	error = vg_error_while(error, "making the %s '%s'", vg_volume_kind_title(volume->kind),
		vg_volume_title(volume->tag));
	return vg_error_place(error, volume->place);
}

static struct vg_error *resize(struct vg_storage *storage, const char *tag, uint64_t size)
{
	struct vg_error *error =
		run(storage, (struct request){"resize", act_resize, .tag = tag, .size = size});
	return vg_error_while(error, "growing the data disk '%s'", vg_volume_title(tag));
}

static struct vg_error *remove_volume(struct vg_storage *storage, const char *tag)
{
	struct vg_error *error = run(storage, (struct request){"remove", act_remove, .tag = tag});
	return vg_error_while(error, "removing the volume '%s'", vg_volume_title(tag));
}

static void locate(struct vg_storage *storage, const char *tag, enum vg_volume_kind kind,
	char **ret_path, const char **ret_format)
{
	*ret_path = vg_format("%s#%s", storage->folder_seen, vg_volume_title(tag));
	*ret_format = kind == VG_VOLUME_SEED ? "raw" : "qcow2";
}

static struct vg_error *read_facts(
	struct vg_json *volumes, struct request *request, bool *ret_changed)
{
	(void)volumes;
	(void)ret_changed;
	int64_t size = vg_json_get_integer(request->known, "size", -1);
	int64_t size_free = vg_json_get_integer(request->known, "free", size);
	*request->facts = (struct vg_storage_facts){size < 0 ? UINT64_MAX : (uint64_t)size,
		size_free < 0 ? UINT64_MAX : (uint64_t)size_free};
	return NULL;
}

static struct vg_error *look_at_facts(
	struct vg_storage *storage, struct vg_storage_facts *ret_facts)
{
	return run(storage,
		(struct request){.operation = "facts", .act = read_facts, .facts = ret_facts});
}

const struct vg_storage_driver vg_storage_fake = {
	.name = "fake",
	.open = open_storage,
	.close = close_storage,
	.observe = observe,
	.create = create,
	.resize = resize,
	.remove = remove_volume,
	.locate = locate,
	.facts = look_at_facts,
};
