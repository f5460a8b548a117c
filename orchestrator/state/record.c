// SPDX-License-Identifier: Apache-2.0
#include "orchestrator/state/record.h"

#include <string.h>

#include "base/json.h"
#include "base/map.h"
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

static void free_made(struct vg_record *record)
{
	for (size_t i = 0; i < record->n_made; i++)
		free(record->made[i]);
	free(record->made);
	record->made = NULL;
	record->n_made = 0;
}

// malloc'ed names of the grid's data disks, as keys.
static struct vg_map *data_disks(const struct vg_grid *grid)
{
	struct vg_map *disks = vg_map_new();
	for (size_t i = 0; i < grid->n_nodes; i++) {
		const struct vg_role *role = vg_node_role(grid, &grid->nodes[i]);
		for (size_t d = 0; d < role->n_disks; d++) {
			_auto(vg_string) char *name =
				vg_format("%s/%s", grid->nodes[i].name, role->disks[d].name);
			vg_map_set(disks, name, disks);
		}
	}
	return disks;
}

void vg_record_note_made(struct vg_record *record)
{
	const struct vg_grid *grid = record->grid;
	free_made(record);
	for (size_t i = 0; i < grid->n_nodes; i++) {
		const struct vg_role *role = vg_node_role(grid, &grid->nodes[i]);
		for (size_t d = 0; d < role->n_disks; d++)
			vg_append(record->made, record->n_made) =
				vg_format("%s/%s", grid->nodes[i].name, role->disks[d].name);
	}
}

void vg_record_forget_made(struct vg_record *record, const char *const *replaces, size_t n_replaces)
{
	_auto(vg_map) struct vg_map *wanted = data_disks(record->grid);
	size_t n_kept = 0;
	for (size_t i = 0; i < record->n_made; i++) {
		bool is_kept = vg_map_has(wanted, record->made[i]);
		for (size_t k = 0; k < n_replaces; k++)
			is_kept &= strcmp(record->made[i], replaces[k]) != 0;
		if (is_kept)
			record->made[n_kept++] = record->made[i];
		else
			free(record->made[i]);
	}
	record->n_made = n_kept;
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
	for (size_t i = 0; i < record->n_hosts; i++)
		free(record->hosts[i]);
	free(record->hosts);
	for (size_t i = 0; i < record->n_images; i++) {
		free(record->images[i].name);
		free(record->images[i].digest);
	}
	free(record->images);
	free_made(record);
	explicit_bzero(record->secret, sizeof(record->secret));
	free(record);
}

struct vg_json *vg_record_to_json(const struct vg_record *record)
{
	struct vg_json *json = vg_json_object();
	vg_json_set_integer(json, "vgrid-record", VG_RECORD_VERSION);
	vg_json_set_string(json, "written-by", "vgrid " VG_VERSION);
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
	struct vg_json *made = vg_json_array();
	struct vg_json *hosts = vg_json_array();
	for (size_t i = 0; i < record->n_vnis; i++)
		vg_json_push(vnis, vg_json_integer(record->vnis[i]));
	for (size_t i = 0; i < record->n_images; i++)
		vg_json_set_string(images, record->images[i].name, record->images[i].digest);
	for (size_t i = 0; i < record->n_hosts; i++)
		vg_json_push(hosts, vg_json_string(record->hosts[i]));
	vg_json_set(json, "hosts", hosts);
	vg_json_set(json, "vnis", vnis);
	for (size_t i = 0; i < record->n_made; i++)
		vg_json_push(made, vg_json_string(record->made[i]));
	vg_json_set(json, "images", images);
	vg_json_set(json, "made", made);
	vg_json_set(json, "grid", vg_grid_to_json(record->grid));
	return json;
}

static struct vg_error *check_version(const struct vg_json *json)
{
	int64_t version = vg_json_get_integer(json, "vgrid-record", 0);
	const char *by = vg_json_get_string(json, "written-by", "");
	if (version < 1)
		return vg_error_new("it is no record of vgrid");
	if (version > VG_RECORD_VERSION)
		return vg_error_hint(
			vg_error_new(
				"it has version %lld, and this vgrid (%s) reads versions up to "
				"%d",
				(long long)version, VG_VERSION, VG_RECORD_VERSION),
			"use the newer vgrid that wrote it%s%s%s", *by ? " (" : "", by,
			*by ? ")" : "");
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

// Version 1 did not tell: of a grid that was complete all data disks had been made.
static struct vg_error *read_made(const struct vg_json *json, struct vg_record *record)
{
	if (vg_json_get_integer(json, "vgrid-record", 0) < 2) {
		if (record->phase != VG_PHASE_CREATING)
			vg_record_note_made(record);
		return NULL;
	}
	const struct vg_json *made = vg_json_get(json, "made");
	for (size_t i = 0; i < vg_json_length(made); i++) {
		const char *name = vg_json_text(vg_json_at(made, i), NULL);
		if (!name)
			return vg_error_new("'made' holds what is no text");
		vg_append(record->made, record->n_made) = vg_strdup(name);
	}
	return NULL;
}

static void read_hosts(const struct vg_json *json, struct vg_record *record)
{
	const struct vg_json *hosts = vg_json_get(json, "hosts");
	for (size_t i = 0; i < vg_json_length(hosts); i++)
		vg_append(record->hosts, record->n_hosts) =
			vg_strdup(vg_json_text(vg_json_at(hosts, i), ""));
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
	if (!error)
		error = read_made(json, record);
	if (error)
		return error;
	read_hosts(json, record);
	vg_json_each(vg_json_get(json, "images"), read_image, record);
	record->generation = (uint64_t)vg_json_get_integer(json, "generation", 0);
	record->created_at = (uint64_t)vg_json_get_integer(json, "created-at", 0);
	record->changed_at = (uint64_t)vg_json_get_integer(json, "changed-at", 0);
	*ret_record = vg_take(record);
	return NULL;
}
