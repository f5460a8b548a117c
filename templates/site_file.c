// SPDX-License-Identifier: Apache-2.0
#include "templates/site_file.h"

#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "templates/check.h"

bool vg_site_file_is(const char *text, size_t size)
{
	_auto(vg_arena) struct vg_arena *arena = vg_arena_new();
	_auto(vg_findings) struct vg_findings findings = {0};
	struct vg_value *root = NULL;
	vg_document_read(arena, "", text, size, &findings, &root);
	if (!root)
		return memmem(text, size, "vgrid-site", strlen("vgrid-site"));
	return vg_value_get(root, "vgrid-site") ||
	       (vg_value_get(root, "hosts") && !vg_value_get(root, "vgrid"));
}

// The number of a field, or its default.
static uint64_t number(const char *path, const struct vg_value *map, uint64_t standard)
{
	const struct vg_field *row = vg_language_find(&vg_site_language, path);
	const struct vg_value *value = vg_value_get(map, vg_field_key(row));
	const char *text = value ? value->text : row->standard;
	uint64_t result = standard;
	if (text)
		vg_error_ignore(vg_field_read(row, text, &result));
	return result;
}

static const char *text_of(const struct vg_value *map, const char *key)
{
	const struct vg_value *value = vg_value_get(map, key);
	return value ? value->text : NULL;
}

static void read_labels(
	struct vg_arena *arena, const struct vg_value *labels, struct vg_site_host *host)
{
	host->n_labels = labels ? labels->n_entries : 0;
	host->labels = vg_arena_alloc(arena, (host->n_labels + 1) * sizeof(*host->labels));
	for (size_t i = 0; i < host->n_labels; i++)
		host->labels[i] = (struct vg_host_label){
			labels->entries[i].key, labels->entries[i].value->text};
}

static void read_host(
	struct vg_arena *arena, const struct vg_value *value, struct vg_site_host *host)
{
	const char *underlay = text_of(value, "underlay");
	uint64_t cores = number("hosts.[].cpu", value, VG_UNLIMITED);
	host->name = text_of(value, "name");
	host->place = value->place;
	host->libvirt = text_of(value, "libvirt");
	host->libvirt_place = vg_value_get(value, "libvirt")->place;
	vg_error_ignore(vg_libvirt_uri_read(host->libvirt, &host->transport));
	host->ovsdb = text_of(value, "ovsdb");
	host->has_underlay = underlay;
	if (underlay)
		vg_error_ignore(vg_ip_read(underlay, &host->underlay));
	read_labels(arena, vg_value_get(value, "labels"), host);
	host->given = (struct vg_resources){{cores == VG_UNLIMITED ? cores : cores * 1000,
		number("hosts.[].memory", value, VG_UNLIMITED),
		number("hosts.[].disk", value, VG_UNLIMITED)}};
}

static struct vg_site_driver read_driver(const struct vg_value *map)
{
	const struct vg_value *driver = vg_value_get(map, "driver");
	return (struct vg_site_driver){text_of(map, "driver"), text_of(map, "pool"),
		text_of(map, "config"), text_of(map, "user"),
		driver ? driver->place : (struct vg_place){0}};
}

static void read_values(struct vg_site_file *file, const struct vg_value *root)
{
	const struct vg_value *hosts = vg_value_get(root, "hosts");
	const struct vg_value *network = vg_value_get(root, "network");
	const struct vg_value *overcommit = vg_value_get(root, "overcommit");
	const char *vnis = text_of(network, "vni"), *accelerator = text_of(root, "accelerator");
	file->name = text_of(root, "name");
	file->description = text_of(root, "description");
	file->accelerator = accelerator ? accelerator : "auto";
	file->n_hosts = hosts->n_entries;
	file->hosts = vg_arena_alloc(file->arena, file->n_hosts * sizeof(*file->hosts));
	for (size_t i = 0; i < file->n_hosts; i++)
		read_host(file->arena, hosts->entries[i].value, &file->hosts[i]);
	file->is_fake = file->hosts[0].transport == VG_LIBVIRT_FAKE;
	file->network = read_driver(network);
	file->storage = read_driver(vg_value_get(root, "storage"));
	file->state = read_driver(vg_value_get(root, "state"));
	vg_field_read_vnis(
		vnis ? vnis : vg_language_find(&vg_site_language, "network.vni")->standard,
		&file->vni_first, &file->vni_last);
	file->underlay_mtu = (unsigned)number("network.underlay-mtu", network, 0);
	file->overcommit[VG_RESOURCE_CPU] = (unsigned)number("overcommit.cpu", overcommit, 0);
	file->overcommit[VG_RESOURCE_MEMORY] = (unsigned)number("overcommit.memory", overcommit, 0);
	file->overcommit[VG_RESOURCE_DISK] = (unsigned)number("overcommit.disk", overcommit, 0);
}

static struct vg_error *too_large(const char *name)
{
	return vg_error_of(VG_ERROR_USAGE, "'%s' is larger than a site file may be, 16MiB", name);
}

struct vg_error *vg_site_file_read_text(const char *name, const char *text, size_t size,
	struct vg_findings *findings, struct vg_site_file **ret_file)
{
	if (size > VG_SITE_FILE_SIZE_MAX)
		return too_large(name);
	struct vg_site_file *file = vg_new(struct vg_site_file);
	struct vg_value *root = NULL;
	size_t n_before = findings->n_found, n_items = findings->n_items;
	bool has_mark = size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0;
	file->arena = vg_arena_new();
	file->file = vg_arena_strdup(file->arena, name);
	file->size = has_mark ? size - 3 : size;
	file->text = vg_arena_copy(file->arena, has_mark ? text + 3 : text, file->size, 1);
	vg_document_read(file->arena, file->file, file->text, file->size, findings, &root);
	if (root)
		vg_check_site(root, findings);
	if (findings->n_found == n_before)
		read_values(file, root);
	vg_check_finish(findings, n_items);
	vg_findings_sort(findings);
	*ret_file = file;
	return NULL;
}

struct vg_error *vg_site_file_read(
	const char *path, struct vg_findings *findings, struct vg_site_file **ret_file)
{
	_auto(vg_string) char *text = NULL;
	size_t size;
	struct vg_error *error = vg_file_read(path, VG_SITE_FILE_SIZE_MAX, &text, &size);
	if (error && vg_error_kind(error) == VG_ERROR_USAGE) {
		vg_error_free(error);
		return too_large(path);
	}
	if (error)
		return vg_error_as(vg_error_while(error, "reading the site"), VG_ERROR_USAGE);
	return vg_site_file_read_text(path, text, size, findings, ret_file);
}

void vg_site_file_free(struct vg_site_file *file)
{
	if (!file)
		return;
	vg_arena_free(file->arena);
	free(file);
}

void vg_site_file_print_findings(
	const struct vg_site_file *file, const struct vg_findings *findings, FILE *out)
{
	vg_findings_print(findings, out, file->file, file->text, file->size);
}
