// SPDX-License-Identifier: Apache-2.0
#include "net/kernel_observe.h"

#include <string.h>

#include "base/map.h"
#include "base/tag.h"
#include "base/text.h"
#include "net/link.h"

// Where a link belongs, from its tag's path.
enum role { ROLE_BRIDGE, ROLE_VXLAN, ROLE_PORT, ROLE_UNKNOWN };

static const char prefix[] = "network/", suffix[] = "/vxlan";

// The tag of the overlay that the link is part of, malloc'ed.
static char *overlay_tag(const struct vg_kernel_link *link, enum role *ret_role)
{
	struct vg_tag tag;
	_auto(vg_string) char *path = vg_strdup(vg_tag_read(link->alias, &tag) ? tag.path : "");
	const char *nic = vg_text_starts(path, "node/") ? strstr(path, "/nic/") : NULL;
	*ret_role = ROLE_UNKNOWN;
	if (nic) {
		*ret_role = ROLE_PORT;
		_auto(vg_string) char *network = vg_format("%s%s", prefix, nic + strlen("/nic/"));
		return vg_tag_make(tag.store, tag.grid, network);
	}
	if (vg_text_starts(path, prefix)) {
		bool is_vxlan = vg_text_ends(path, suffix);
		*ret_role = is_vxlan ? ROLE_VXLAN : ROLE_BRIDGE;
		if (is_vxlan)
			path[strlen(path) - strlen(suffix)] = '\0';
		return vg_tag_make(tag.store, tag.grid, path);
	}
	return vg_strdup(link->alias);
}

// An overlay while its links are gathered.
struct gathered {
	char *tag;
	const struct vg_kernel_link *bridge, *vxlan;
	const struct vg_kernel_link **taps;
	size_t n_taps;
};

struct gathering {
	struct vg_map *by_tag;
	struct gathered **items;
	size_t n_items;
};

static void gathering_auto_free(struct gathering *gathering)
{
	for (size_t i = 0; i < gathering->n_items; i++) {
		free(gathering->items[i]->tag);
		free(gathering->items[i]->taps);
		free(gathering->items[i]);
	}
	free(gathering->items);
	vg_map_free(gathering->by_tag);
}

static void gather(struct gathering *gathering, const struct vg_kernel_link *link)
{
	enum role role;
	_auto(vg_string) char *tag = overlay_tag(link, &role);
	struct gathered *overlay = vg_map_get(gathering->by_tag, tag);
	if (!overlay) {
		overlay = vg_new(struct gathered);
		vg_append(gathering->items, gathering->n_items) = overlay;
		vg_map_set(gathering->by_tag, tag, overlay);
		overlay->tag = vg_take(tag);
	}
	switch (role) {
	case ROLE_BRIDGE:
		overlay->bridge = link;
		break;
	case ROLE_VXLAN:
		overlay->vxlan = link;
		break;
	case ROLE_PORT:
		vg_append(overlay->taps, overlay->n_taps) = link;
		break;
	case ROLE_UNKNOWN:
		break;
	}
}

static bool is_working(const struct vg_kernel_link *link, const char *kind, int master)
{
	return link && strcmp(link->kind, kind) == 0 && link->flags & IFF_UP &&
	       link->master == master;
}

// The entries of a link are neighbours in the state; the first of them, or NULL.
static const struct vg_kernel_entry *first_entry(const struct vg_kernel_state *state, int link)
{
	size_t low = 0, high = state->n_entries;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (state->entries[middle].link < link)
			low = middle + 1;
		else
			high = middle;
	}
	return low < state->n_entries && state->entries[low].link == link ? &state->entries[low]
									  : NULL;
}

static void add_port(struct vg_slice_overlay *overlay, const struct vg_kernel_state *state,
	const struct vg_kernel_link *tap)
{
	const struct vg_kernel_entry *entry = first_entry(state, tap->index);
	struct vg_slice_port *port = &vg_append(overlay->ports, overlay->n_ports);
	port->tag = vg_strdup(tap->alias);
	port->link = vg_strdup(tap->name);
	if (entry)
		port->mac = entry->mac;
	if (tap->mtu != overlay->mtu)
		overlay->mtu = tap->mtu;
}

// A remote counts when all three entries that lead to it are there.
static void add_remotes(struct vg_slice_overlay *overlay, const struct vg_kernel_state *state,
	const struct vg_kernel_link *vxlan)
{
	const struct vg_kernel_entry *end = state->entries + state->n_entries;
	for (const struct vg_kernel_entry *entry = first_entry(state, vxlan->index);
		entry && entry < end && entry->link == vxlan->index; entry++) {
		struct vg_kernel_entry everybody = {
			.link = entry->link, .is_self = true, .tunnel = entry->tunnel};
		struct vg_kernel_entry in_bridge = {.link = entry->link, .mac = entry->mac};
		bool is_member = memcmp(&entry->mac, &everybody.mac, sizeof(entry->mac)) != 0;
		if (entry->is_self && is_member && vg_kernel_has_entry(state, &everybody) &&
			vg_kernel_has_entry(state, &in_bridge))
			vg_append(overlay->remotes, overlay->n_remotes) = (struct vg_slice_remote){
				.mac = entry->mac, .tunnel = entry->tunnel};
	}
}

static void add_overlay(
	struct vg_slice *slice, const struct vg_kernel_state *state, struct gathered *gathered)
{
	struct vg_slice_overlay *overlay = &vg_append(slice->overlays, slice->n_overlays);
	const struct vg_kernel_link *bridge = gathered->bridge, *vxlan = gathered->vxlan;
	overlay->tag = vg_take(gathered->tag);
	if (!is_working(bridge, "bridge", 0))
		return;
	overlay->bridge = vg_strdup(bridge->name);
	overlay->mtu = bridge->mtu;
	if (is_working(vxlan, "vxlan", bridge->index) && !vxlan->is_learning) {
		overlay->vxlan = vg_strdup(vxlan->name);
		overlay->vni = vxlan->vni;
		slice->tunnel = vxlan->local;
		if (vxlan->mtu != overlay->mtu)
			overlay->mtu = vxlan->mtu;
		add_remotes(overlay, state, vxlan);
	}
	for (size_t i = 0; i < gathered->n_taps; i++)
		if (is_working(gathered->taps[i], "tun", bridge->index))
			add_port(overlay, state, gathered->taps[i]);
}

// The loopback and the way to the other hosts are the host's own.
static bool is_foreign(const struct vg_kernel_link *link, const char *store)
{
	return !(link->flags & IFF_LOOPBACK) && strcmp(link->name, VG_LINK_UNDERLAY) != 0 &&
	       !vg_tag_is_of(link->alias, store, NULL);
}

struct vg_slice *vg_kernel_slice(
	const struct vg_kernel_state *state, const char *store, const char *grid)
{
	struct vg_slice *slice = vg_new(struct vg_slice);
	slice->store = vg_strdup(store);
	slice->grid = vg_strdup(grid);
	slice->link_group = vg_tag_link_group(store, grid);
	_auto(gathering) struct gathering gathering = {.by_tag = vg_map_new()};
	for (size_t i = 0; i < state->n_links; i++) {
		const struct vg_kernel_link *link = &state->links[i];
		if (vg_tag_is_of(link->alias, store, grid))
			gather(&gathering, link);
		if (vg_tag_is_of(link->alias, store, grid) && link->has_carrier &&
			strcmp(link->kind, "tun") == 0)
			vg_append(slice->held, slice->n_held) = vg_strdup(link->name);
		if (is_foreign(link, store))
			vg_append(slice->foreign, slice->n_foreign) = vg_strdup(link->name);
	}
	for (size_t i = 0; i < gathering.n_items; i++)
		add_overlay(slice, state, gathering.items[i]);
	return slice;
}
