// SPDX-License-Identifier: Apache-2.0
#include "orchestrator/state/ledger.h"

#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/map.h"
#include "base/text.h"
#include "orchestrator/context.h"
#include "orchestrator/site_file.h"
#include "orchestrator/state/store.h"

enum { LEDGER_VERSION = 1, LEDGER_SIZE_MAX = 64 << 20 };

static void entry_done(struct vg_ledger_entry *entry)
{
	free(entry->key);
	free(entry->uuid);
	free(entry->vnis);
	for (size_t i = 0; i < entry->n_promises; i++)
		free(entry->promises[i].host);
	free(entry->promises);
	*entry = (struct vg_ledger_entry){0};
}

void vg_ledger_free(struct vg_ledger *ledger)
{
	if (!ledger)
		return;
	for (size_t i = 0; i < ledger->n_entries; i++)
		entry_done(&ledger->entries[i]);
	free(ledger->entries);
	free(ledger->site);
	free(ledger->stored);
	free(ledger);
}

// A built-in site has no folder: it is not remembered.
static char *path_of(const struct vg_context *context, const char *site)
{
	if (vg_site_is_built_in(site))
		return vg_format("%s/ledger-%s.json", context->home, site);
	return vg_format("%s/sites/%s/ledger.json", context->home, site);
}

// Where the entry is, or where it would be.
static size_t find(const struct vg_ledger *ledger, const char *key, bool *ret_is_there)
{
	size_t low = 0, high = ledger->n_entries;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strcmp(ledger->entries[middle].key, key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*ret_is_there = low < ledger->n_entries && strcmp(ledger->entries[low].key, key) == 0;
	return low;
}

const struct vg_ledger_entry *vg_ledger_entry(const struct vg_ledger *ledger, const char *key)
{
	bool is_there;
	size_t at = find(ledger, key, &is_there);
	return is_there ? &ledger->entries[at] : NULL;
}

static struct vg_ledger_entry *entry_of(struct vg_ledger *ledger, const char *key)
{
	bool is_there;
	size_t at = find(ledger, key, &is_there);
	if (is_there)
		return &ledger->entries[at];
	vg_append(ledger->entries, ledger->n_entries) = (struct vg_ledger_entry){0};
	memmove(&ledger->entries[at + 1], &ledger->entries[at],
		(ledger->n_entries - 1 - at) * sizeof(*ledger->entries));
	ledger->entries[at] = (struct vg_ledger_entry){.key = vg_strdup(key)};
	return &ledger->entries[at];
}

void vg_ledger_release(struct vg_ledger *ledger, const char *key)
{
	bool is_there;
	size_t at = find(ledger, key, &is_there);
	if (!is_there)
		return;
	entry_done(&ledger->entries[at]);
	ledger->n_entries--;
	memmove(&ledger->entries[at], &ledger->entries[at + 1],
		(ledger->n_entries - at) * sizeof(*ledger->entries));
}

static struct vg_promise *promise_of(struct vg_ledger_entry *entry, const char *host)
{
	size_t at = 0;
	while (at < entry->n_promises && strcmp(entry->promises[at].host, host) < 0)
		at++;
	if (at < entry->n_promises && strcmp(entry->promises[at].host, host) == 0)
		return &entry->promises[at];
	vg_append(entry->promises, entry->n_promises) = (struct vg_promise){0};
	memmove(&entry->promises[at + 1], &entry->promises[at],
		(entry->n_promises - 1 - at) * sizeof(*entry->promises));
	entry->promises[at] = (struct vg_promise){.host = vg_strdup(host)};
	return &entry->promises[at];
}

static void read_promise(const char *host, struct vg_json *value, void *data)
{
	struct vg_promise *promise = promise_of(data, host);
	for (size_t d = 0; d < VG_N_RESOURCES; d++) {
		int64_t amount = vg_json_get_integer(value, vg_resource_name(d), 0);
		promise->amount.of[d] = amount > 0 ? (uint64_t)amount : 0;
	}
}

static void read_entry(const char *key, struct vg_json *value, void *data)
{
	struct vg_ledger_entry *entry = entry_of(data, key);
	const struct vg_json *vnis = vg_json_get(value, "vnis");
	free(entry->uuid);
	entry->uuid = vg_strdup(vg_json_get_string(value, "uuid", ""));
	for (size_t i = 0; i < vg_json_length(vnis); i++) {
		int64_t vni = vg_json_number(vg_json_at(vnis, i), 0);
		if (vni > 0 && vni <= 0xffffff)
			vg_append(entry->vnis, entry->n_vnis) = (uint32_t)vni;
	}
	vg_json_each(vg_json_get(value, "hosts"), read_promise, entry);
}

static struct vg_error *read_stored(
	const struct vg_context *context, const char *site, char **ret_stored)
{
	_auto(vg_string) char *path = path_of(context, site);
	struct vg_error *error = vg_file_read(path, LEDGER_SIZE_MAX, ret_stored, NULL);
	if (!error || vg_error_kind(error) != VG_ERROR_NOT_FOUND)
		return error;
	vg_error_ignore(error);
	*ret_stored = vg_strdup("");
	return NULL;
}

static struct vg_error *parse(struct vg_ledger *ledger)
{
	_auto(vg_json) struct vg_json *json = NULL;
	if (!*ledger->stored)
		return NULL;
	struct vg_error *error = vg_json_read(ledger->stored, strlen(ledger->stored), &json);
	if (error)
		return error;
	int64_t version = vg_json_get_integer(json, "vgrid-ledger", 0);
	if (version < 1)
		return vg_error_new("it is no ledger of vgrid");
	if (version > LEDGER_VERSION)
		return vg_error_hint(vg_error_new("it has version %lld, this vgrid knows %d",
					     (long long)version, LEDGER_VERSION),
			"use the newer vgrid that wrote it");
	vg_json_each(vg_json_get(json, "grids"), read_entry, ledger);
	return NULL;
}

static char *write_whole(const struct vg_ledger *ledger)
{
	if (!ledger->n_entries)
		return vg_strdup("");
	_auto(vg_json) struct vg_json *json = vg_json_object();
	struct vg_json *grids = vg_json_object();
	vg_json_set_integer(json, "vgrid-ledger", LEDGER_VERSION);
	for (size_t i = 0; i < ledger->n_entries; i++) {
		const struct vg_ledger_entry *entry = &ledger->entries[i];
		struct vg_json *grid = vg_json_object(), *vnis = vg_json_array(),
			       *hosts = vg_json_object();
		for (size_t k = 0; k < entry->n_vnis; k++)
			vg_json_push(vnis, vg_json_integer(entry->vnis[k]));
		for (size_t k = 0; k < entry->n_promises; k++) {
			struct vg_json *amounts = vg_json_object();
			for (size_t d = 0; d < VG_N_RESOURCES; d++)
				vg_json_set_integer(amounts, vg_resource_name(d),
					(int64_t)entry->promises[k].amount.of[d]);
			vg_json_set(hosts, entry->promises[k].host, amounts);
		}
		vg_json_set_string(grid, "uuid", entry->uuid);
		vg_json_set(grid, "vnis", vnis);
		vg_json_set(grid, "hosts", hosts);
		vg_json_set(grids, entry->key, grid);
	}
	vg_json_set(json, "grids", grids);
	return vg_json_write_pretty(json);
}

static bool is_of_site(const char *key, const char *site)
{
	const char *at = strchr(key, '@');
	return at && strcmp(at + 1, site) == 0;
}

// Entries without a record go, records without an entry get one.
static struct vg_error *settle(const struct vg_context *context, struct vg_ledger *ledger)
{
	char **keys;
	size_t n_keys;
	struct vg_error *error = vg_store_list(context, &keys, &n_keys);
	if (error)
		return error;
	_auto(vg_map) struct vg_map *known = vg_map_new();
	for (size_t i = 0; i < n_keys; i++)
		vg_map_set(known, keys[i], ledger);
	for (size_t i = ledger->n_entries; i-- > 0;) {
		const char *key = ledger->entries[i].key;
		// Whoever is between its promise and its record holds the grid's lock; that there
		// is no record is asked last, since it may just have been saved.
		if (!vg_map_has(known, key) && !vg_store_is_locked(context, key) &&
			!vg_store_has(context, key))
			vg_ledger_release(ledger, key);
	}
	for (size_t i = 0; i < n_keys; i++) {
		if (!is_of_site(keys[i], ledger->site) || vg_ledger_entry(ledger, keys[i]))
			continue;
		_auto(vg_record) struct vg_record *record = NULL;
		// One that cannot be read, or has just gone, takes nothing that we know of.
		vg_error_ignore(vg_store_load(context, keys[i], &record));
		if (record)
			vg_ledger_promise(ledger, record, false);
	}
	vg_folder_list_free(keys, n_keys);
	return NULL;
}

struct vg_error *vg_ledger_load(
	const struct vg_context *context, const char *site, struct vg_ledger **ret_ledger)
{
	_auto(vg_ledger) struct vg_ledger *ledger = vg_new(struct vg_ledger);
	ledger->site = vg_strdup(site);
	struct vg_error *error = read_stored(context, site, &ledger->stored);
	if (!error)
		error = parse(ledger);
	if (!error)
		error = settle(context, ledger);
	if (error)
		return vg_error_while(error, "reading the ledger of site '%s'", site);
	*ret_ledger = vg_take(ledger);
	return NULL;
}

static void add_amounts(
	struct vg_resources *to, const struct vg_ledger_entry *entry, const char *host)
{
	for (size_t i = 0; i < entry->n_promises; i++) {
		if (strcmp(entry->promises[i].host, host) != 0)
			continue;
		for (size_t d = 0; d < VG_N_RESOURCES; d++)
			to->of[d] += entry->promises[i].amount.of[d];
	}
}

struct vg_resources vg_ledger_promised(
	const struct vg_ledger *ledger, const char *host, const char *key)
{
	struct vg_resources amounts = {0};
	for (size_t i = 0; i < ledger->n_entries; i++) {
		if (strcmp(ledger->entries[i].key, key) != 0)
			add_amounts(&amounts, &ledger->entries[i], host);
	}
	return amounts;
}

struct vg_resources vg_ledger_own(const struct vg_ledger *ledger, const char *host, const char *key)
{
	struct vg_resources amounts = {0};
	const struct vg_ledger_entry *entry = vg_ledger_entry(ledger, key);
	if (entry)
		add_amounts(&amounts, entry, host);
	return amounts;
}

static char *name_vni(uint32_t vni)
{
	return vg_format("%u", vni);
}

struct vg_error *vg_ledger_allocate_vnis(
	const struct vg_ledger *ledger, uint32_t first, uint32_t last, struct vg_record *record)
{
	_auto(vg_map) struct vg_map *taken = vg_map_new();
	for (size_t i = 0; i < ledger->n_entries; i++) {
		const struct vg_ledger_entry *entry = &ledger->entries[i];
		for (size_t k = 0; strcmp(entry->key, record->key) != 0 && k < entry->n_vnis; k++) {
			_auto(vg_string) char *vni = name_vni(entry->vnis[k]);
			vg_map_set(taken, vni, taken);
		}
	}
	for (size_t i = 0; i < record->n_vnis; i++) {
		_auto(vg_string) char *vni = name_vni(record->vnis[i]);
		if (vg_map_has(taken, vni))
			record->vnis[i] = 0;
		else
			vg_map_set(taken, vni, taken);
	}
	uint32_t next = first;
	for (size_t i = 0; i < record->n_vnis; i++) {
		while (!record->vnis[i]) {
			if (next > last)
				return vg_error_place(
					vg_error_new("all VNIs of site '%s', %u to %u, are taken",
						ledger->site, first, last),
					record->grid->networks[i].place);
			_auto(vg_string) char *vni = name_vni(next);
			if (!vg_map_has(taken, vni))
				record->vnis[i] = next;
			next++;
		}
	}
	return NULL;
}

static void add_vni(struct vg_ledger_entry *entry, uint32_t vni)
{
	for (size_t i = 0; i < entry->n_vnis; i++) {
		if (entry->vnis[i] == vni)
			return;
	}
	vg_append(entry->vnis, entry->n_vnis) = vni;
}

static void promise_nodes(struct vg_ledger_entry *entry, const struct vg_record *record)
{
	const struct vg_grid *grid = record->grid;
	for (size_t i = 0; i < grid->n_nodes; i++) {
		int host = grid->nodes[i].host;
		if (host < 0 || (size_t)host >= record->n_hosts)
			continue;
		struct vg_resources needs = vg_role_needs(vg_node_role(grid, &grid->nodes[i]));
		struct vg_promise *promise = promise_of(entry, record->hosts[host]);
		for (size_t d = 0; d < VG_N_RESOURCES; d++)
			promise->amount.of[d] += needs.of[d];
	}
}

void vg_ledger_promise(struct vg_ledger *ledger, const struct vg_record *record, bool is_growing)
{
	struct vg_ledger_entry before = {0}, *entry = entry_of(ledger, record->key);
	if (is_growing && vg_text_equal(entry->uuid, record->uuid)) {
		before = *entry;
		before.key = NULL;
		*entry = (struct vg_ledger_entry){.key = entry->key};
	} else {
		char *key = vg_take(entry->key);
		entry_done(entry);
		entry->key = key;
	}
	entry->uuid = vg_strdup(record->uuid);
	for (size_t i = 0; i < record->n_vnis; i++)
		add_vni(entry, record->vnis[i]);
	promise_nodes(entry, record);
	for (size_t i = 0; i < before.n_vnis; i++)
		add_vni(entry, before.vnis[i]);
	for (size_t i = 0; i < before.n_promises; i++) {
		struct vg_promise *promise = promise_of(entry, before.promises[i].host);
		for (size_t d = 0; d < VG_N_RESOURCES; d++) {
			uint64_t old = before.promises[i].amount.of[d];
			promise->amount.of[d] =
				old > promise->amount.of[d] ? old : promise->amount.of[d];
		}
	}
	entry_done(&before);
}

// With the store locked.
static struct vg_error *store(
	const struct vg_context *context, const struct vg_ledger *ledger, const char *fresh)
{
	_auto(vg_string) char *path = path_of(context, ledger->site);
	return *fresh ? vg_file_write(path, 0600, fresh, strlen(fresh)) : vg_file_remove(path);
}

struct vg_error *vg_ledger_swap(
	const struct vg_context *context, struct vg_ledger *ledger, bool *ret_is_stored)
{
	_auto(vg_string) char *fresh = write_whole(ledger);
	if (strcmp(fresh, ledger->stored) == 0) {
		*ret_is_stored = true;
		return NULL;
	}
	_auto(vg_fd) int lock = -1;
	_auto(vg_string) char *now = NULL;
	struct vg_error *error = vg_store_lock_ledger(context, &lock);
	if (!error)
		error = read_stored(context, ledger->site, &now);
	bool is_same = !error && strcmp(now, ledger->stored) == 0;
	if (is_same)
		error = store(context, ledger, fresh);
	if (error)
		return vg_error_while(error, "writing the ledger of site '%s'", ledger->site);
	if (is_same) {
		free(ledger->stored);
		ledger->stored = vg_take(fresh);
	}
	*ret_is_stored = is_same;
	return NULL;
}

struct vg_error *vg_ledger_forget(
	const struct vg_context *context, const char *site, const char *key)
{
	for (bool is_stored = false; !is_stored;) {
		_auto(vg_ledger) struct vg_ledger *ledger = NULL;
		struct vg_error *error = vg_ledger_load(context, site, &ledger);
		if (error)
			return error;
		if (key)
			vg_ledger_release(ledger, key);
		error = vg_ledger_swap(context, ledger, &is_stored);
		if (error)
			return error;
	}
	return NULL;
}

struct vg_error *vg_ledger_settle(const struct vg_context *context)
{
	char **names;
	size_t n_names;
	struct vg_error *error = vg_site_known(context, &names, &n_names);
	if (error)
		return error;
	error = vg_ledger_forget(context, "sandbox", NULL);
	if (!error)
		error = vg_ledger_forget(context, "fake", NULL);
	for (size_t i = 0; i < n_names && !error; i++)
		error = vg_ledger_forget(context, names[i], NULL);
	vg_folder_list_free(names, n_names);
	return error;
}
