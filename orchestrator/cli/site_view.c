// SPDX-License-Identifier: Apache-2.0
#include "orchestrator/cli/site_view.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "box/practice.h"
#include "orchestrator/report/table.h"
#include "orchestrator/state/store.h"

void vg_site_view_free(struct vg_site_view *view)
{
	if (!view)
		return;
	vg_practice_free(view->practice);
	vg_folder_list_free(view->grids, view->n_grids);
	free(view->states);
	free(view);
}

struct vg_error *vg_site_view_grids(
	const struct vg_context *context, const char *site, char ***ret_keys, size_t *ret_n_keys)
{
	char **keys;
	size_t n_keys, n_kept = 0;
	struct vg_error *error = vg_store_list(context, &keys, &n_keys);
	if (error)
		return error;
	for (size_t i = 0; i < n_keys; i++) {
		_auto(vg_record) struct vg_record *record = NULL;
		if (!error)
			error = vg_store_load(context, keys[i], &record);
		if (record && strcmp(record->site, site) == 0)
			keys[n_kept++] = keys[i];
		else
			free(keys[i]);
	}
	if (error) {
		vg_folder_list_free(keys, n_kept);
		return vg_error_while(error, "finding out who lives on the site '%s'", site);
	}
	*ret_keys = keys;
	*ret_n_keys = n_kept;
	return NULL;
}

static const char *state_of(const struct vg_practice *practice, const struct vg_box *box)
{
	if (!box)
		return "stopped";
	if (practice->has_switch && !vg_box_runs(box, VG_BOX_OVSDB))
		return "no ovsdb-server";
	if (practice->has_switch && !vg_box_runs(box, VG_BOX_VSWITCHD))
		return "no ovs-vswitchd";
	return vg_box_has_hypervisor(box) ? "running" : "no libvirtd";
}

static struct vg_error *look(const struct vg_context *context, struct vg_site_view *view)
{
	const struct vg_practice *practice = view->practice;
	_auto(vg_box) struct vg_box *sw = NULL;
	struct vg_error *error = vg_practice_find_switch(practice, context->store, &sw);
	view->underlay = sw ? sw->pid : 0;
	view->states = vg_alloc(practice->n_hosts * sizeof(const char *));
	for (size_t h = 0; h < practice->n_hosts && !error; h++) {
		_auto(vg_box) struct vg_box *box = NULL;
		error = vg_practice_find(practice, context->store, h, &box);
		view->states[h] = sw || !box ? state_of(practice, box) : "no underlay";
		view->n_running += strcmp(view->states[h], "running") == 0;
	}
	return error;
}

struct vg_error *vg_site_view_make(
	struct vg_context *context, struct vg_practice *practice, struct vg_site_view **ret_view)
{
	_auto(vg_site_view) struct vg_site_view *view = vg_new(struct vg_site_view);
	view->practice = practice;
	struct vg_error *error = look(context, view);
	if (!error)
		error = vg_site_view_grids(context, practice->name, &view->grids, &view->n_grids);
	if (!error)
		*ret_view = vg_take(view);
	return error;
}

static void print_hosts(const struct vg_site_view *view)
{
	static const struct vg_column columns[] = {{.title = "HOST"}, {.title = "STATE"},
		{.title = "UNDERLAY"}, {.title = "LIBVIRT"}, {.title = "OVSDB"}};
	size_t n_columns = VG_LENGTH(columns) - !view->practice->has_switch;
	_auto(vg_table) struct vg_table *table = vg_table_new(columns, n_columns);
	for (size_t h = 0; h < view->practice->n_hosts; h++) {
		_auto(vg_string) char *name = vg_practice_host_name(h);
		_auto(vg_string) char *libvirt = vg_practice_libvirt(view->practice, h);
		_auto(vg_string) char *ovsdb = vg_practice_ovsdb(view->practice, h);
		struct vg_ip ip = vg_practice_address(h);
		char address[VG_IP_LENGTH];
		vg_ip_write(&ip, address);
		// Without the folder of keys, which is the same for all.
		libvirt[strcspn(libvirt, "?")] = '\0';
		vg_table_row(table,
			(const char *const[]){name, view->states[h], address, libvirt, ovsdb});
	}
	vg_table_print(table, stdout);
}

void vg_site_view_print(const struct vg_site_view *view)
{
	const struct vg_practice *practice = view->practice;
	_auto(vg_string) char *file = vg_practice_file(practice);
	_auto(vg_string) char *keys = vg_practice_keys(practice);
	_auto(vg_string) char *folders = vg_practice_path(practice, "h*");
	print_hosts(view);
	printf("\nsite file: %s\nkeys:      %s\nfolders:   %s\n", file, keys, folders);
	if (view->underlay)
		printf("underlay:  nsenter -t %d -U -n --preserve-credentials\n",
			(int)view->underlay);
	for (size_t i = 0; i < view->n_grids; i++)
		printf("%s%s", i ? " " : "grids:     ", view->grids[i]);
	if (view->n_grids)
		puts("");
	if (view->n_running == practice->n_hosts)
		printf("next:      vgrid up FILE --site %s\n", practice->name);
	else
		printf("next:      vgrid site practice %s (starts again what does not run)\n",
			practice->name);
}

void vg_site_view_json(const struct vg_site_view *view, struct vg_json *result)
{
	const struct vg_practice *practice = view->practice;
	_auto(vg_string) char *file = vg_practice_file(practice);
	_auto(vg_string) char *keys = vg_practice_keys(practice);
	struct vg_json *hosts = vg_json_array(), *grids = vg_json_array();
	vg_json_set_string(result, "name", practice->name);
	vg_json_set_string(result, "file", file);
	vg_json_set_string(result, "keys", keys);
	vg_json_set(result, "underlay", view->underlay ? vg_json_integer(view->underlay) : NULL);
	for (size_t h = 0; h < practice->n_hosts; h++) {
		struct vg_json *host = vg_json_object();
		_auto(vg_string) char *name = vg_practice_host_name(h);
		_auto(vg_string) char *folder = vg_practice_path(practice, name);
		_auto(vg_string) char *libvirt = vg_practice_libvirt(practice, h);
		_auto(vg_string) char *ovsdb = vg_practice_ovsdb(practice, h);
		struct vg_ip ip = vg_practice_address(h);
		char address[VG_IP_LENGTH];
		vg_ip_write(&ip, address);
		vg_json_set_string(host, "name", name);
		vg_json_set_string(host, "state", view->states[h]);
		vg_json_set_string(host, "underlay", address);
		vg_json_set_string(host, "libvirt", libvirt);
		vg_json_set_string(host, "ovsdb", ovsdb);
		vg_json_set_string(host, "folder", folder);
		vg_json_push(hosts, host);
	}
	for (size_t i = 0; i < view->n_grids; i++)
		vg_json_push(grids, vg_json_string(view->grids[i]));
	vg_json_set(result, "hosts", hosts);
	vg_json_set(result, "grids", grids);
}
