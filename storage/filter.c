// SPDX-License-Identifier: Apache-2.0
#include "storage/filter.h"

#include <string.h>

#include "base/memory.h"
#include "storage/volume.h"

struct vg_storage {
	struct vg_call_line line;
	const struct vg_storage_driver *below;
	struct vg_storage *storage; // of the driver below
	char *host;
};

// The arguments and results of any operation; each uses some. All are its own.
struct call {
	struct vg_call call;
	const struct vg_storage_driver *below;
	struct vg_storage *storage; // of an open(): its result
	char *text;                 // store or tag
	char *grid;
	uint64_t size;
	struct vg_arena *arena; // holds the two below
	const struct vg_storage_target *target;
	struct vg_volume *volume;
	struct vg_volumes_seen seen;
	struct vg_storage_facts facts;
};

static struct call *call_of(struct vg_call *call)
{
	return (struct call *)call;
}

static void call_done(struct vg_call *base)
{
	struct call *call = call_of(base);
	if (call->target && call->storage)
		call->below->close(call->storage);
	vg_volumes_seen_done(&call->seen);
	// A seed holds keys.
	if (call->volume && call->volume->bytes)
		explicit_bzero((void *)call->volume->bytes, call->volume->n_bytes);
	vg_arena_free(call->arena);
	free(call->text);
	free(call->grid);
}

static struct vg_error *act_open(struct vg_call *base)
{
	struct call *call = call_of(base);
	return call->below->open(call->target, &call->storage);
}

static struct vg_error *act_observe(struct vg_call *base)
{
	struct call *call = call_of(base);
	return call->below->observe(call->storage, call->text, call->grid, &call->seen);
}

static struct vg_error *act_create(struct vg_call *base)
{
	struct call *call = call_of(base);
	return call->below->create(call->storage, call->volume);
}

static struct vg_error *act_resize(struct vg_call *base)
{
	struct call *call = call_of(base);
	return call->below->resize(call->storage, call->text, call->size);
}

static struct vg_error *act_remove(struct vg_call *base)
{
	struct call *call = call_of(base);
	return call->below->remove(call->storage, call->text);
}

static struct vg_error *act_facts(struct vg_call *base)
{
	struct call *call = call_of(base);
	return call->below->facts(call->storage, &call->facts);
}

// None of them copies a disk: a clone and a removal are short, but a file system may be busy.
#define OPERATION(name, limit_s, only_looks)                                                       \
	static const struct vg_operation name##_operation = {                                      \
		"storage." #name, "the storage", limit_s, only_looks, act_##name}
OPERATION(open, 60, true);
OPERATION(observe, 60, true);
OPERATION(create, 300, false);
OPERATION(resize, 300, false);
OPERATION(remove, 300, false);
OPERATION(facts, 20, true);

static struct call *new_call(
	struct vg_storage *self, const struct vg_operation *operation, const char *who)
{
	struct call *call = vg_new(struct call);
	call->call = (struct vg_call){.operation = operation,
		.line = &self->line,
		.who = who ? vg_strdup(who) : NULL,
		.done = call_done};
	call->below = self->below;
	call->storage = self->storage;
	return call;
}

static void call_free(struct call *call)
{
	vg_call_free(call ? &call->call : NULL);
}
VG_AUTO(call);

static struct vg_error *make(struct call **call)
{
	struct vg_call *base = &(*call)->call;
	struct vg_error *error = vg_call_make(&base, 0);
	if (!base)
		*call = NULL;
	return error;
}

static void close_storage(struct vg_storage *self)
{
	// Who comes back late finds everything as it was.
	if (!self || atomic_load(&self->line.n_owed))
		return;
	self->below->close(self->storage);
	free(self->host);
	free(self);
}

static const struct vg_storage_target *copy_target(
	struct vg_arena *arena, const struct vg_storage_target *target)
{
	struct vg_storage_target *copy = vg_arena_copy(arena, target, 1, sizeof(*target));
	const char **texts[] = {
		&copy->host, &copy->folder, &copy->folder_seen, &copy->images, &copy->images_seen};
	for (size_t i = 0; i < VG_LENGTH(texts); i++)
		*texts[i] = *texts[i] ? vg_arena_strdup(arena, *texts[i]) : NULL;
	return copy;
}

static struct vg_volume *copy_volume(struct vg_arena *arena, const struct vg_volume *volume)
{
	struct vg_volume *copy = vg_arena_copy(arena, volume, 1, sizeof(*volume));
	const char **texts[] = {&copy->tag, &copy->image, &copy->version};
	for (size_t i = 0; i < VG_LENGTH(texts); i++)
		*texts[i] = *texts[i] ? vg_arena_strdup(arena, *texts[i]) : NULL;
	if (volume->bytes)
		copy->bytes = vg_arena_copy(arena, volume->bytes, volume->n_bytes, 1);
	return copy;
}

struct vg_error *vg_storage_filter_open(const struct vg_storage_driver *below,
	const struct vg_call_rules *rules, const struct vg_storage_target *target,
	struct vg_storage **ret)
{
	struct vg_storage *self = vg_new(struct vg_storage);
	self->host = vg_strdup(target->host);
	self->line = (struct vg_call_line){.rules = rules, .host = self->host};
	self->below = below;
	_auto(call) struct call *call = new_call(self, &open_operation, target->host);
	call->arena = vg_arena_new();
	call->target = copy_target(call->arena, target);
	struct vg_error *error = make(&call);
	if (!error) {
		self->storage = vg_take(call->storage);
		*ret = self;
	} else if (call) {
		free(self->host);
		free(self);
	}
	return error;
}

static struct vg_error *observe(struct vg_storage *self, const char *store, const char *grid,
	struct vg_volumes_seen *ret_seen)
{
	_auto(call) struct call *call = new_call(self, &observe_operation, grid);
	call->text = vg_strdup(store);
	call->grid = grid ? vg_strdup(grid) : NULL;
	struct vg_error *error = make(&call);
	if (!error) {
		*ret_seen = call->seen;
		call->seen = (struct vg_volumes_seen){0};
	}
	return error;
}

static struct vg_error *create(struct vg_storage *self, const struct vg_volume *volume)
{
	_auto(call) struct call *call =
		new_call(self, &create_operation, vg_volume_title(volume->tag));
	call->arena = vg_arena_new();
	call->volume = copy_volume(call->arena, volume);
	return vg_error_place(make(&call), volume->place);
}

static struct vg_error *resize(struct vg_storage *self, const char *tag, uint64_t size)
{
	_auto(call) struct call *call = new_call(self, &resize_operation, vg_volume_title(tag));
	call->text = vg_strdup(tag);
	call->size = size;
	return make(&call);
}

static struct vg_error *remove_volume(struct vg_storage *self, const char *tag)
{
	_auto(call) struct call *call = new_call(self, &remove_operation, vg_volume_title(tag));
	call->text = vg_strdup(tag);
	return make(&call);
}

static void locate(struct vg_storage *self, const char *tag, enum vg_volume_kind kind,
	char **ret_path, const char **ret_format)
{
	self->below->locate(self->storage, tag, kind, ret_path, ret_format);
}

static struct vg_error *facts(struct vg_storage *self, struct vg_storage_facts *ret_facts)
{
	_auto(call) struct call *call = new_call(self, &facts_operation, self->host);
	struct vg_error *error = make(&call);
	if (!error)
		*ret_facts = call->facts;
	return error;
}

const struct vg_storage_driver vg_storage_filtered = {
	.name = "filter",
	.close = close_storage,
	.observe = observe,
	.create = create,
	.resize = resize,
	.remove = remove_volume,
	.locate = locate,
	.facts = facts,
};
