// SPDX-License-Identifier: Apache-2.0
//
// `vgrid site show SITE`: the hosts of a site, what they have, what of it is promised, and to whom.
#include "orchestrator/cli/verbs.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "box/practice.h"
#include "orchestrator/cli/result.h"
#include "orchestrator/cli/show.h"
#include "orchestrator/cli/site_view.h"
#include "orchestrator/report/progress.h"
#include "orchestrator/report/table.h"
#include "orchestrator/site_file.h"
#include "orchestrator/state/ledger.h"

// The grids that have a promise on the host.
static char *list_grids(const struct vg_ledger *ledger, const char *host)
{
	struct vg_text text = {0};
	for (size_t i = 0; i < ledger->n_entries; i++) {
		const struct vg_ledger_entry *entry = &ledger->entries[i];
		for (size_t k = 0; k < entry->n_promises; k++) {
			if (strcmp(entry->promises[k].host, host) == 0)
				vg_text_addf(&text, "%s%.*s", text.length ? ", " : "",
					(int)strcspn(entry->key, "@"), entry->key);
		}
	}
	return vg_text_take(&text);
}

static char *list_labels(const struct vg_host *host)
{
	struct vg_text text = {0};
	for (size_t i = 0; i < host->n_labels; i++)
		vg_text_addf(&text, "%s%s=%s", i ? ", " : "", host->labels[i].key,
			host->labels[i].value);
	return vg_text_take(&text);
}

static struct vg_json *amounts_json(const struct vg_resources *amounts)
{
	struct vg_json *json = vg_json_object();
	for (size_t d = 0; d < VG_N_RESOURCES; d++) {
		bool is_limited = amounts->of[d] != VG_UNLIMITED;
		vg_json_set(json, vg_resource_name(d),
			is_limited ? vg_json_integer((int64_t)amounts->of[d]) : NULL);
	}
	return json;
}

static void print_json(
	const struct vg_site *site, const struct vg_ledger *ledger, const struct vg_site_view *view)
{
	_auto(vg_json) struct vg_json *result = vg_result_new(&vg_verb_site_show);
	struct vg_json *hosts = vg_json_array();
	vg_json_set_string(result, "name", site->name);
	vg_json_set_string(result, "description", site->file ? site->file->description : NULL);
	vg_json_set_integer(result, "vni_first", site->vni_first);
	vg_json_set_integer(result, "vni_last", site->vni_last);
	_auto(vg_string) char *keys = view ? vg_practice_keys(view->practice) : NULL;
	vg_json_set_string(result, "keys", keys);
	vg_json_set(result, "underlay",
		view && view->underlay ? vg_json_integer(view->underlay) : NULL);
	for (size_t h = 0; h < site->n_hosts; h++) {
		const struct vg_host *host = &site->hosts[h];
		struct vg_resources promised = vg_ledger_promised(ledger, host->name, "");
		struct vg_json *json = vg_json_object(), *labels = vg_json_object();
		for (size_t i = 0; i < host->n_labels; i++)
			vg_json_set_string(labels, host->labels[i].key, host->labels[i].value);
		vg_json_set_string(json, "name", host->name);
		vg_json_set_string(
			json, "libvirt", site->file ? site->file->hosts[h].libvirt : NULL);
		vg_json_set_string(json, "ovsdb", site->file ? site->file->hosts[h].ovsdb : NULL);
		vg_json_set_string(json, "state", view ? view->states[h] : NULL);
		vg_json_set(json, "labels", labels);
		vg_json_set(json, "capacity", amounts_json(&host->capacity));
		vg_json_set(json, "promised", amounts_json(&promised));
		vg_json_push(hosts, json);
	}
	vg_json_set(result, "hosts", hosts);
	vg_result_print(result);
}

// "3 of 16", "3" where there is no limit.
static char *share(enum vg_resource resource, uint64_t promised, uint64_t capacity)
{
	_auto(vg_string) char *part = vg_resource_write(resource, promised);
	if (capacity == VG_UNLIMITED)
		return vg_strdup(part);
	_auto(vg_string) char *whole = vg_resource_write(resource, capacity);
	return vg_format("%s of %s", part, whole);
}

static void print_table(const struct vg_site *site, const struct vg_ledger *ledger)
{
	static const struct vg_column columns[] = {{.title = "HOST"}, {.title = "LIBVIRT"},
		{.title = "LABELS"}, {.title = "CPU"}, {.title = "MEMORY"}, {.title = "DISK"},
		{.title = "GRIDS", .may_wrap = true}};
	printf("%s: %zu host%s, VNIs %u to %u%s%s\n\n", site->name, site->n_hosts,
		site->n_hosts == 1 ? "" : "s", site->vni_first, site->vni_last,
		site->file && site->file->description ? "; " : "",
		site->file && site->file->description ? site->file->description : "");
	_auto(vg_table) struct vg_table *table = vg_table_new(columns, VG_LENGTH(columns));
	for (size_t h = 0; h < site->n_hosts; h++) {
		const struct vg_host *host = &site->hosts[h];
		struct vg_resources promised = vg_ledger_promised(ledger, host->name, "");
		_auto(vg_string) char *labels = list_labels(host);
		_auto(vg_string) char *grids = list_grids(ledger, host->name);
		_auto(vg_string) char *cpu = share(0, promised.of[0], host->capacity.of[0]);
		_auto(vg_string) char *memory = share(1, promised.of[1], host->capacity.of[1]);
		_auto(vg_string) char *disk = share(2, promised.of[2], host->capacity.of[2]);
		_auto(vg_string) char *libvirt =
			site->file ? vg_strdup(site->file->hosts[h].libvirt) : NULL;
		if (libvirt)
			libvirt[strcspn(libvirt, "?")] = '\0';
		vg_table_row(table, (const char *const[]){
					    host->name, libvirt, labels, cpu, memory, disk, grids});
	}
	vg_table_print(table, stdout);
}

// Its hosts are boxes of this machine: whether they run is quickly seen.
static struct vg_error *look_at_practice(
	struct vg_context *context, const char *name, struct vg_site_view **ret_view)
{
	struct vg_practice *practice = NULL;
	struct vg_error *error = vg_show_enter(context);
	if (!error)
		error = vg_practice_load(context->home, name, &practice);
	return error ? error : vg_site_view_make(context, practice, ret_view);
}

static struct vg_error *run(const struct vg_cli *cli, struct vg_context *context, int *ret_status)
{
	(void)ret_status;
	_auto(vg_site) struct vg_site *site = NULL;
	_auto(vg_ledger) struct vg_ledger *ledger = NULL;
	_auto(vg_site_view) struct vg_site_view *view = NULL;
	struct vg_error *error = vg_site_find(context, vg_cli_operand(cli, 0), &site);
	if (!error && site->practice)
		error = look_at_practice(context, site->name, &view);
	if (!error)
		error = vg_ledger_load(context, site->name, &ledger);
	if (error)
		return error;
	vg_progress_pause(context->progress);
	if (vg_cli_is_json(cli)) {
		print_json(site, ledger, view);
		return NULL;
	}
	print_table(site, ledger);
	if (view) {
		puts("");
		vg_site_view_print(view);
	}
	return NULL;
}

static const struct vg_operand operands[] = {{.name = "SITE", .completion = VG_COMPLETE_SITE}, {0}};

static const struct vg_result_field fields[] = {
	{"name", "string", "the site's"},
	{"description", "string?", "as the file says"},
	{"vni_first", "integer", "the least VNI that may be taken"},
	{"vni_last", "integer", "the greatest"},
	{"keys", "string?", "of a practice site: the folder with the operator's keys"},
	{"underlay", "integer?", "of a practice site: a process in its network, where URIs work"},
	{"hosts[].name", "string", "the host's"},
	{"hosts[].state", "string?",
		"of a practice site: running or stopped, or which of its daemons is missing"},
	{"hosts[].libvirt", "string?", "the URI of its libvirtd; null: built in"},
	{"hosts[].ovsdb", "string?", "its OVSDB endpoint"},
	{"hosts[].labels.*", "string", "a label's value"},
	{"hosts[].capacity.cpu", "integer?",
		"thousandths of a vCPU, with overcommit; null: no limit"},
	{"hosts[].capacity.memory", "integer?", "bytes, with overcommit"},
	{"hosts[].capacity.disk", "integer?", "bytes, with overcommit"},
	{"hosts[].promised.cpu", "integer?", "of it to grids; thousandths of a vCPU"},
	{"hosts[].promised.memory", "integer?", "bytes, emulators included"},
	{"hosts[].promised.disk", "integer?", "bytes of data disks"},
	{0},
};

const struct vg_command vg_verb_site_show = {
	.verb = "site show",
	.summary = "show a site's hosts and what is promised of them",
	.help = "Shows each host of a site with its labels, what grids were promised of its cpu, "
		"memory "
		"and disk, overcommit included, and which grids these are. SITE is the name of a "
		"site "
		"that was used before, a file, or sandbox. No host is asked; of a practice site it "
		"is "
		"shown whether its hosts run, and where everything is.",
	.example = "$ vgrid site show lab\n$ vgrid site show ./lab.yaml\n",
	.operands = operands,
	.result = fields,
	.run = run,
};
