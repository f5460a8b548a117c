// SPDX-License-Identifier: Apache-2.0
#include "storage/volume.h"

#include <inttypes.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/tag.h"
#include "base/text.h"
#include "base/units.h"

static const char *const kind_names[] = {
	[VG_VOLUME_ROOT] = "root",
	[VG_VOLUME_DATA] = "data",
	[VG_VOLUME_SEED] = "seed",
};

const char *vg_volume_kind_title(enum vg_volume_kind kind)
{
	switch (kind) {
	case VG_VOLUME_ROOT:
		return "root disk";
	case VG_VOLUME_DATA:
		return "data disk";
	case VG_VOLUME_SEED:
		return "seed";
	}
	abort();
}

const char *vg_volume_title(const char *tag)
{
	struct vg_tag parts;
	return vg_tag_read(tag, &parts) ? parts.path : tag;
}

void vg_volume_seen_done(struct vg_volume_seen *seen)
{
	free(seen->tag);
	free(seen->image);
	free(seen->version);
	*seen = (struct vg_volume_seen){0};
}

void vg_volumes_seen_done(struct vg_volumes_seen *seen)
{
	for (size_t i = 0; i < seen->n_items; i++)
		vg_volume_seen_done(&seen->items[i]);
	free(seen->items);
	*seen = (struct vg_volumes_seen){0};
}

static char *copy(const char *text)
{
	return text ? vg_strdup(text) : NULL;
}

struct vg_volume_seen vg_volume_expect(const struct vg_volume *volume, uint64_t size)
{
	bool is_root = volume->kind == VG_VOLUME_ROOT, is_seed = volume->kind == VG_VOLUME_SEED;
	return (struct vg_volume_seen){
		.tag = vg_strdup(volume->tag),
		.kind = volume->kind,
		.size = size,
		.image = is_root ? copy(volume->image) : NULL,
		.version = is_seed ? copy(volume->version) : NULL,
	};
}

struct vg_json *vg_volume_to_json(const struct vg_volume_seen *seen)
{
	struct vg_json *json = vg_json_object();
	vg_json_set_string(json, "tag", seen->tag);
	vg_json_set_string(json, "kind", kind_names[seen->kind]);
	vg_json_set_integer(json, "size", (int64_t)seen->size);
	if (seen->image)
		vg_json_set_string(json, "image", seen->image);
	if (seen->version)
		vg_json_set_string(json, "version", seen->version);
	return json;
}

bool vg_volume_from_json(const struct vg_json *json, struct vg_volume_seen *ret_seen)
{
	const char *tag = vg_json_get_string(json, "tag", NULL);
	const char *kind = vg_json_get_string(json, "kind", NULL);
	int64_t size = vg_json_get_integer(json, "size", -1);
	size_t k = 0;
	while (k < VG_LENGTH(kind_names) && !vg_text_equal(kind, kind_names[k]))
		k++;
	struct vg_tag parts;
	if (k == VG_LENGTH(kind_names) || size < 0 || !vg_tag_read(tag, &parts))
		return false;
	*ret_seen = (struct vg_volume_seen){
		.tag = vg_strdup(tag),
		.kind = (enum vg_volume_kind)k,
		.size = (uint64_t)size,
		.image = copy(vg_json_get_string(json, "image", NULL)),
		.version = copy(vg_json_get_string(json, "version", NULL)),
	};
	return true;
}

struct vg_error *vg_volume_compare(
	const struct vg_volume_seen *there, const struct vg_volume_seen *wanted)
{
	const char *title = vg_volume_title(wanted->tag);
	const char *kind = vg_volume_kind_title(wanted->kind);
	if (there->kind != wanted->kind)
		return vg_error_new("'%s' is there already as a %s, not as a %s", title,
			vg_volume_kind_title(there->kind), kind);
	if (wanted->kind == VG_VOLUME_SEED)
		return NULL;
	if (!vg_text_equal(there->image, wanted->image))
		return vg_error_new("the %s '%s' is there already with the image %s, not %s", kind,
			title, there->image ? there->image : "(none)",
			wanted->image ? wanted->image : "(none)");
	if (!wanted->size || there->size == wanted->size)
		return NULL;
	_auto(vg_string) char *has = vg_units_write_size(there->size);
	_auto(vg_string) char *wants = vg_units_write_size(wanted->size);
	return vg_error_new(
		"the %s '%s' is there already with %s, not %s", kind, title, has, wants);
}
