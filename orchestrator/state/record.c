// SPDX-License-Identifier: Apache-2.0
#include "orchestrator/state/record.h"

#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "templates/grid_json.h"

static const char *const phases[] = {
	[VG_PHASE_CREATING] = "creating",
	[VG_PHASE_UP] = "up",
	[VG_PHASE_DOWN] = "down",
	[VG_PHASE_REMOVING] = "removing",
};

const char *vg_phase_name(enum vg_phase phase)
{
	return phases[phase];
}

void vg_record_free(struct vg_record *record)
{
	if (!record)
		return;
	free(record->key);
	free(record->name);
	free(record->uuid);
	free(record->identity);
	free(record->site);
	free(record->template_path);
	vg_grid_free(record->grid);
	free(record->vnis);
	for (size_t i = 0; i < record->n_images; i++) {
		free(record->images[i].name);
		free(record->images[i].digest);
	}
	free(record->images);
	explicit_bzero(record->secret, sizeof(record->secret));
	free(record);
}

struct vg_json *vg_record_to_json(const struct vg_record *record)
{
	struct vg_json *json = vg_json_object();
	vg_json_set_integer(json, "vgrid-record", VG_RECORD_VERSION);
	vg_json_set_integer(json, "generation", (int64_t)record->generation);
	vg_json_set_string(json, "name", record->name);
	vg_json_set_string(json, "uuid", record->uuid);
	vg_json_set_string(json, "identity", record->identity);
	vg_json_set_string(json, "site", record->site);
	vg_json_set_string(json, "template", record->template_path);
	vg_json_set_string(json, "phase", vg_phase_name(record->phase));
	vg_json_set_integer(json, "created-at", (int64_t)record->created_at);
	vg_json_set_integer(json, "changed-at", (int64_t)record->changed_at);
	struct vg_json *vnis = vg_json_array(), *images = vg_json_object();
	for (size_t i = 0; i < record->n_vnis; i++)
		vg_json_push(vnis, vg_json_integer(record->vnis[i]));
	for (size_t i = 0; i < record->n_images; i++)
		vg_json_set_string(images, record->images[i].name, record->images[i].digest);
	vg_json_set(json, "vnis", vnis);
	vg_json_set(json, "images", images);
	vg_json_set(json, "grid", vg_grid_to_json(record->grid));
	return json;
}

static struct vg_error *check_version(const struct vg_json *json)
{
	int64_t version = vg_json_get_integer(json, "vgrid-record", 0);
	if (version < 1)
		return vg_error_new("it is no record of vgrid");
	if (version > VG_RECORD_VERSION)
		return vg_error_hint(
			vg_error_new("it has version %lld, this vgrid knows %d", (long long)version,
				VG_RECORD_VERSION),
			"use the newer vgrid that wrote it");
	return NULL;
}

static struct vg_error *read_text(const struct vg_json *json, const char *key, char **ret_text)
{
	const char *text = vg_json_get_string(json, key, NULL);
	if (!text || !*text)
		return vg_error_new("'%s' is missing", key);
	*ret_text = vg_strdup(text);
	return NULL;
}

static struct vg_error *read_phase(const struct vg_json *json, enum vg_phase *ret_phase)
{
	const char *name = vg_json_get_string(json, "phase", "");
	for (size_t i = 0; i < VG_LENGTH(phases); i++) {
		if (strcmp(phases[i], name) != 0)
			continue;
		*ret_phase = (enum vg_phase)i;
		return NULL;
	}
	return vg_error_new("'phase' is '%.40s'", name);
}

static void read_image(const char *key, struct vg_json *value, void *data)
{
	struct vg_record *record = data;
	vg_append(record->images, record->n_images) =
		(struct vg_record_image){vg_strdup(key), vg_strdup(vg_json_text(value, ""))};
}

static struct vg_error *read_vnis(const struct vg_json *json, struct vg_record *record)
{
	const struct vg_json *vnis = vg_json_get(json, "vnis");
	for (size_t i = 0; i < vg_json_length(vnis); i++) {
		int64_t vni = vg_json_number(vg_json_at(vnis, i), 0);
		if (vni < 1 || vni > 0xffffff)
			return vg_error_new("'vnis' holds %lld", (long long)vni);
		vg_append(record->vnis, record->n_vnis) = (uint32_t)vni;
	}
	if (record->n_vnis != record->grid->n_networks)
		return vg_error_new("'vnis' has %zu entries for %zu networks", record->n_vnis,
			record->grid->n_networks);
	return NULL;
}

struct vg_error *vg_record_from_json(const struct vg_json *json, struct vg_record **ret_record)
{
	struct vg_error *error = check_version(json);
	if (error)
		return error;
	_auto(vg_record) struct vg_record *record = vg_new(struct vg_record);
	const struct {
		const char *key;
		char **field;
	} texts[] = {{"name", &record->name}, {"uuid", &record->uuid},
		{"identity", &record->identity}, {"site", &record->site},
		{"template", &record->template_path}};
	for (size_t i = 0; i < VG_LENGTH(texts) && !error; i++)
		error = read_text(json, texts[i].key, texts[i].field);
	if (!error)
		error = read_phase(json, &record->phase);
	if (!error)
		error = vg_error_while(
			vg_grid_from_json(vg_json_get(json, "grid"), &record->grid), "'grid'");
	if (!error)
		error = read_vnis(json, record);
	if (error)
		return error;
	vg_json_each(vg_json_get(json, "images"), read_image, record);
	record->generation = (uint64_t)vg_json_get_integer(json, "generation", 0);
	record->created_at = (uint64_t)vg_json_get_integer(json, "created-at", 0);
	record->changed_at = (uint64_t)vg_json_get_integer(json, "changed-at", 0);
	*ret_record = vg_take(record);
	return NULL;
}
