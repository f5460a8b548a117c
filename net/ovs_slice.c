// SPDX-License-Identifier: Apache-2.0
//
// What OVSDB says about a grid, as a slice.
#include "net/ovs_rows.h"

#include <string.h>

#include "base/map.h"
#include "base/text.h"

static const char prefix[] = "network/";

enum vg_ovs_part vg_ovs_part_of(const char *tag, char **ret_overlay)
{
	struct vg_tag read = {0};
	const char *path = vg_tag_read(tag, &read) ? read.path : "";
	const char *nic = vg_text_starts(path, "node/") ? strstr(path, "/nic/") : NULL;
	const char *vxlan = vg_text_starts(path, prefix) ? strstr(path, "/vxlan/") : NULL;
	if (nic) {
		_auto(vg_string) char *network = vg_format("%s%s", prefix, nic + strlen("/nic/"));
		*ret_overlay = vg_tag_make(read.store, read.grid, network);
		return VG_OVS_LOCAL;
	}
	if (vxlan) {
		_auto(vg_string) char *network = vg_strndup(path, (size_t)(vxlan - path));
		*ret_overlay = vg_tag_make(read.store, read.grid, network);
		return VG_OVS_REMOTE;
	}
	*ret_overlay = vg_strdup(tag);
	return VG_OVS_OTHER;
}

static void read_ip(const char *text, struct vg_ip *ret_ip)
{
	vg_error_ignore(text ? vg_ip_read(text, ret_ip) : NULL);
}

// An overlay while its ports are gathered.
struct gathered {
	char *tag;
	int64_t vlan;
	const struct vg_ovs_port **locals, **remotes;
	size_t n_locals, n_remotes;
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
		free(gathering->items[i]->locals);
		free(gathering->items[i]->remotes);
		free(gathering->items[i]);
	}
	free(gathering->items);
	vg_map_free(gathering->by_tag);
}

static void gather(struct gathering *gathering, const struct vg_ovs_port *port)
{
	_auto(vg_string) char *tag = NULL;
	enum vg_ovs_part part = vg_ovs_part_of(port->tag, &tag);
	struct gathered *overlay = vg_map_get(gathering->by_tag, tag);
	if (!overlay) {
		overlay = vg_new(struct gathered);
		vg_append(gathering->items, gathering->n_items) = overlay;
		vg_map_set(gathering->by_tag, tag, overlay);
		overlay->tag = vg_take(tag);
		overlay->vlan = port->vlan;
	}
	switch (part) {
	case VG_OVS_LOCAL:
		vg_append(overlay->locals, overlay->n_locals) = port;
		break;
	case VG_OVS_REMOTE:
		vg_append(overlay->remotes, overlay->n_remotes) = port;
		break;
	case VG_OVS_OTHER:
		break;
	}
}

// Does it carry this overlay's frames, as far as OVSDB knows?
static bool is_working(const struct gathered *overlay, const struct vg_ovs_port *port)
{
	return port->interface && port->is_access && port->vlan == overlay->vlan &&
	       !port->interface->is_down && !vg_ovs_is_broken(port->interface);
}

static void add_local(struct vg_slice_overlay *overlay, const struct vg_ovs_port *seen)
{
	struct vg_slice_port *port = &vg_append(overlay->ports, overlay->n_ports);
	const char *mac = vg_ovs_map_get(seen->interface->ids, "attached-mac");
	port->tag = vg_strdup(seen->tag);
	port->link = vg_strdup(seen->name);
	port->rate = (uint64_t)vg_ovs_map_number(seen->ids, "vgrid-rate");
	vg_error_ignore(mac ? vg_mac_read(mac, &port->mac) : NULL);
	read_ip(vg_ovs_map_get(seen->ids, "vgrid-ip"), &port->ip);
	if (seen->interface->mtu && seen->interface->mtu != overlay->mtu)
		overlay->mtu = (unsigned)seen->interface->mtu;
}

// One remote for each member that the port was made for, if it leads there.
static void add_members(struct vg_slice_overlay *overlay, const struct vg_ovs_port *seen)
{
	const struct vg_json *options = seen->interface->options;
	const char *text = vg_ovs_map_get(seen->ids, "vgrid-members");
	_auto(vg_string) char *members = vg_strdup(text ? text : "");
	struct vg_slice_remote remote = {0};
	read_ip(vg_ovs_map_get(options, "remote_ip"), &remote.tunnel);
	if (!seen->is_protected || strcmp(seen->interface->type, "vxlan") != 0 ||
		vg_ovs_map_number(options, "key") != overlay->vni)
		return;
	char *rest = NULL;
	for (char *mac = strtok_r(members, " ", &rest); mac; mac = strtok_r(NULL, " ", &rest)) {
		struct vg_error *error = vg_mac_read(mac, &remote.mac);
		if (!error)
			vg_append(overlay->remotes, overlay->n_remotes) = remote;
		vg_error_ignore(error);
	}
}

static int compare_remotes(const void *a, const void *b)
{
	const struct vg_slice_remote *first = a, *second = b;
	return memcmp(first->mac.bytes, second->mac.bytes, sizeof(first->mac.bytes));
}

static void add_overlay(struct vg_slice *slice, struct gathered *gathered, const char *bridge)
{
	struct vg_slice_overlay *overlay = &vg_append(slice->overlays, slice->n_overlays);
	overlay->tag = vg_take(gathered->tag);
	overlay->bridge = vg_strdup(bridge);
	overlay->vxlan = vg_strdup(bridge);
	const struct vg_ovs_port *first = gathered->n_locals    ? gathered->locals[0]
					  : gathered->n_remotes ? gathered->remotes[0]
								: NULL;
	if (!first)
		return;
	overlay->vni = (uint32_t)vg_ovs_map_number(first->ids, "vgrid-vni");
	overlay->mtu = (unsigned)vg_ovs_map_number(first->ids, "vgrid-mtu");
	read_ip(vg_ovs_map_get(first->ids, "vgrid-tunnel"), &slice->tunnel);
	for (size_t i = 0; i < gathered->n_locals; i++)
		if (is_working(gathered, gathered->locals[i]))
			add_local(overlay, gathered->locals[i]);
	for (size_t i = 0; i < gathered->n_remotes; i++)
		if (is_working(gathered, gathered->remotes[i]))
			add_members(overlay, gathered->remotes[i]);
	if (overlay->n_remotes)
		qsort(overlay->remotes, overlay->n_remotes, sizeof(*overlay->remotes),
			compare_remotes);
}

struct vg_slice *vg_ovs_slice(const struct vg_ovs_rows *rows, const char *store, const char *grid)
{
	struct vg_slice *slice = vg_new(struct vg_slice);
	slice->store = vg_strdup(store);
	slice->grid = vg_strdup(grid);
	slice->link_group = vg_tag_link_group(store, grid);
	_auto(gathering) struct gathering gathering = {.by_tag = vg_map_new()};
	const struct vg_ovs_bridge *bridge = vg_ovs_bridge_of(rows, store);
	for (size_t i = 0; bridge && i < rows->n_ports; i++)
		if (rows->ports[i].bridge == bridge && rows->ports[i].tag &&
			vg_tag_is_of(rows->ports[i].tag, store, grid))
			gather(&gathering, &rows->ports[i]);
	for (size_t i = 0; i < gathering.n_items; i++)
		add_overlay(slice, gathering.items[i], bridge->name);
	return slice;
}
