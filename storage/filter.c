// SPDX-License-Identifier: Apache-2.0
#include "storage/filter.h"

#include "base/filter_spec.h"
#include "base/memory.h"
#include "storage/volume.h"

struct vg_storage {
	const struct vg_storage_driver *below;
	struct vg_storage *storage; // of the driver below
	struct vg_filter *filter;
};

struct vg_error *vg_storage_filter_open(const struct vg_storage_driver *below,
	struct vg_filter *filter, const struct vg_storage_target *target, struct vg_storage **ret)
{
	struct vg_filter_call call;
	struct vg_storage *storage = NULL;
	struct vg_error *error = vg_filter_begin(filter, "storage.open", target->host, &call);
	if (!error)
		error = below->open(target, &storage);
	error = vg_filter_end(&call, error);
	if (error && storage)
		below->close(storage);
	if (error)
		return error;
	*ret = vg_new(struct vg_storage);
	**ret = (struct vg_storage){below, storage, filter};
	return NULL;
}

static void close_storage(struct vg_storage *self)
{
	if (!self)
		return;
	self->below->close(self->storage);
	free(self);
}

static struct vg_error *observe(struct vg_storage *self, const char *store, const char *grid,
	struct vg_volumes_seen *ret_seen)
{
	struct vg_filter_call call;
	struct vg_volumes_seen seen = {0};
	struct vg_error *error = vg_filter_begin(self->filter, "storage.observe", grid, &call);
	if (!error)
		error = self->below->observe(self->storage, store, grid, &seen);
	error = vg_filter_end(&call, error);
	if (error)
		vg_volumes_seen_done(&seen);
	else
		*ret_seen = seen;
	return error;
}

static struct vg_error *create(struct vg_storage *self, const struct vg_volume *volume)
{
	struct vg_filter_call call;
	struct vg_error *error = vg_filter_begin(
		self->filter, "storage.create", vg_volume_title(volume->tag), &call);
	if (!error)
		error = self->below->create(self->storage, volume);
	return vg_error_place(vg_filter_end(&call, error), volume->place);
}

static struct vg_error *resize(struct vg_storage *self, const char *tag, uint64_t size)
{
	struct vg_filter_call call;
	struct vg_error *error =
		vg_filter_begin(self->filter, "storage.resize", vg_volume_title(tag), &call);
	if (!error)
		error = self->below->resize(self->storage, tag, size);
	return vg_filter_end(&call, error);
}

static struct vg_error *remove_volume(struct vg_storage *self, const char *tag)
{
	struct vg_filter_call call;
	struct vg_error *error =
		vg_filter_begin(self->filter, "storage.remove", vg_volume_title(tag), &call);
	if (!error)
		error = self->below->remove(self->storage, tag);
	return vg_filter_end(&call, error);
}

static void locate(struct vg_storage *self, const char *tag, enum vg_volume_kind kind,
	char **ret_path, const char **ret_format)
{
	self->below->locate(self->storage, tag, kind, ret_path, ret_format);
}

const struct vg_storage_driver vg_storage_filtered = {
	.name = "filter",
	.close = close_storage,
	.observe = observe,
	.create = create,
	.resize = resize,
	.remove = remove_volume,
	.locate = locate,
};
