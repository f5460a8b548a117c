// SPDX-License-Identifier: Apache-2.0
#include "orchestrator/run/place_grid.h"

#include <string.h>

#include "base/map.h"
#include "base/memory.h"

// What the grid may have of a host: what others were not promised. What it was promised itself it
// keeps, also when the host has become smaller.
static struct vg_resources room_of(const struct vg_session *session, const struct vg_host *host)
{
	const char *key = session->record->key;
	struct vg_resources others = vg_ledger_promised(session->ledger, host->name, key);
	struct vg_resources own = vg_ledger_own(session->ledger, host->name, key);
	struct vg_resources room = host->capacity;
	for (size_t d = 0; d < VG_N_RESOURCES; d++) {
		if (room.of[d] == VG_UNLIMITED)
			continue;
		room.of[d] = others.of[d] < room.of[d] ? room.of[d] - others.of[d] : 0;
		room.of[d] = own.of[d] > room.of[d] ? own.of[d] : room.of[d];
	}
	return room;
}

static struct vg_placement_host *list_hosts(const struct vg_session *session)
{
	const struct vg_site *site = session->site;
	struct vg_placement_host *hosts = vg_alloc(site->n_hosts * sizeof(*hosts));
	for (size_t h = 0; h < site->n_hosts; h++)
		hosts[h] = (struct vg_placement_host){.name = site->hosts[h].name,
			.room = room_of(session, &site->hosts[h]),
			.labels = site->hosts[h].labels,
			.n_labels = site->hosts[h].n_labels,
			.closed = site->hosts[h].is_replaced ? "replaced" : NULL};
	return hosts;
}

// One a node: the host it has in the recorded grid, unless that is replaced.
static int *list_kept(const struct vg_session *session)
{
	const struct vg_grid *grid = session->record->grid, *before = session->before;
	_auto(vg_map) struct vg_map *old = vg_map_new();
	for (size_t i = 0; before && i < before->n_nodes; i++)
		vg_map_set(old, before->nodes[i].name, &before->nodes[i]);
	int *kept = vg_alloc(grid->n_nodes * sizeof(*kept));
	for (size_t i = 0; i < grid->n_nodes; i++) {
		const struct vg_node *node = vg_map_get(old, grid->nodes[i].name);
		int host = node ? node->host : VG_HOST_NONE;
		bool is_lost = host >= 0 && session->site->hosts[host].is_replaced;
		kept[i] = is_lost ? VG_HOST_NONE : host;
	}
	return kept;
}

static struct vg_error *place(struct vg_session *session)
{
	const struct vg_site *site = session->site;
	struct vg_placement_host *hosts = list_hosts(session);
	int *kept = list_kept(session);
	const struct vg_placement_input input = {.hosts = hosts,
		.n_hosts = site->n_hosts,
		.spreads_by_default = site->is_owned,
		.shared = site->shared,
		.kept = kept};
	struct vg_placement *placement = NULL;
	struct vg_error *error = vg_placement_make(session->record->grid, &input, &placement);
	vg_placement_free(session->placement);
	session->placement = placement;
	free(kept);
	free(hosts);
	return error;
}

// Each packet goes through the underlay in a VXLAN packet.
static struct vg_error *check_mtus(const struct vg_session *session)
{
	const struct vg_grid *grid = session->record->grid;
	const struct vg_site *site = session->site;
	unsigned overhead = site->tunnel_overhead;
	for (size_t i = 0; site->underlay_mtu && i < grid->n_networks; i++) {
		const struct vg_network *network = &grid->networks[i];
		if (network->mtu + overhead <= site->underlay_mtu)
			continue;
		return vg_error_hint(vg_error_at(network->place,
					     "network '%s' has an MTU of %u, and the underlay of site "
					     "'%s' carries %u",
					     network->name, network->mtu, site->name,
					     site->underlay_mtu - overhead),
			"a smaller 'mtu:', or an 'underlay-mtu' of %u, if the hardware has it",
			network->mtu + overhead);
	}
	return NULL;
}

// A site file that was changed must have the hosts that other grids are on.
static struct vg_error *check_others(const struct vg_session *session)
{
	const struct vg_site *site = session->site;
	_auto(vg_map) struct vg_map *names = vg_map_new();
	for (size_t h = 0; h < site->n_hosts; h++)
		vg_map_set(names, site->hosts[h].name, names);
	for (size_t i = 0; site->file && i < session->ledger->n_entries; i++) {
		const struct vg_ledger_entry *entry = &session->ledger->entries[i];
		for (size_t k = 0; k < entry->n_promises; k++) {
			if (vg_map_has(names, entry->promises[k].host))
				continue;
			return vg_error_hint(
				vg_error_new("grid '%s' has nodes on host '%s', which '%s' has no more",
					entry->key, entry->promises[k].host, site->file->file),
				"put the host back, or give another site another name");
		}
	}
	return NULL;
}

struct vg_error *vg_place_grid(struct vg_session *session, bool *ret_is_other)
{
	struct vg_record *record = session->record;
	struct vg_grid *grid = record->grid;
	int *hosts = vg_alloc(grid->n_nodes * sizeof(*hosts));
	uint32_t *vnis = vg_alloc(record->n_vnis * sizeof(*vnis));
	for (size_t i = 0; i < grid->n_nodes; i++)
		hosts[i] = grid->nodes[i].host;
	for (size_t i = 0; i < record->n_vnis; i++)
		vnis[i] = record->vnis[i];
	vg_ledger_free(vg_take(session->ledger));
	struct vg_error *error = check_mtus(session);
	if (!error)
		error = vg_ledger_load(session->context, session->site->name, &session->ledger);
	if (!error)
		error = check_others(session);
	if (!error)
		error = place(session);
	if (!error)
		error = vg_ledger_allocate_vnis(
			session->ledger, session->site->vni_first, session->site->vni_last, record);
	*ret_is_other = false;
	for (size_t i = 0; i < grid->n_nodes; i++)
		*ret_is_other |= hosts[i] != grid->nodes[i].host;
	for (size_t i = 0; i < record->n_vnis; i++)
		*ret_is_other |= vnis[i] != record->vnis[i];
	free(hosts);
	free(vnis);
	return error;
}

char **vg_place_reasons(const struct vg_session *session)
{
	const struct vg_grid *grid = session->record->grid;
	if (!session->placement || session->site->n_hosts < 2)
		return NULL;
	struct vg_placement_host *hosts = list_hosts(session);
	const struct vg_placement_input input = {.hosts = hosts, .n_hosts = session->site->n_hosts};
	char **reasons = vg_alloc(grid->n_nodes * sizeof(*reasons));
	for (size_t i = 0; i < grid->n_nodes; i++)
		reasons[i] = vg_placement_why(session->placement, grid, &input, i);
	free(hosts);
	return reasons;
}
