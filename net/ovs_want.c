// SPDX-License-Identifier: Apache-2.0
#include "net/ovs_want.h"

#include <string.h>

#include "base/map.h"
#include "base/text.h"

void vg_ovs_wants_done(struct vg_ovs_wants *wants)
{
	for (size_t i = 0; i < wants->n_items; i++) {
		free(wants->items[i].name);
		free(wants->items[i].tag);
		free(wants->items[i].members);
	}
	free(wants->items);
	free(wants->bridge);
	*wants = (struct vg_ovs_wants){0};
}

static void add_local(struct vg_ovs_wants *wants, const struct vg_slice_overlay *overlay,
	const struct vg_slice_port *port)
{
	vg_append(wants->items, wants->n_items) = (struct vg_ovs_want){
		.name = vg_strdup(port->link),
		.tag = vg_strdup(port->tag),
		.place = port->place,
		.overlay = overlay,
		.port = port,
	};
}

static void add_remote(struct vg_ovs_wants *wants, const struct vg_slice_overlay *overlay,
	const struct vg_ip *tunnel, char *members)
{
	char ip[VG_IP_LENGTH], name[VG_LINK_NAME_LENGTH];
	vg_ip_write(tunnel, ip);
	struct vg_ovs_want *want = &vg_append(wants->items, wants->n_items);
	*want = (struct vg_ovs_want){
		.tag = vg_format("%s/vxlan/%s", overlay->tag, ip),
		.place = overlay->place,
		.overlay = overlay,
		.remote = *tunnel,
		.members = members,
	};
	vg_tag_link_name(want->tag, name);
	want->name = vg_strdup(name);
}

// One VXLAN port for each host that holds a member.
static void add_remotes(struct vg_ovs_wants *wants, const struct vg_slice_overlay *overlay)
{
	struct host {
		struct vg_ip tunnel;
		struct vg_text members;
	} *hosts = NULL;
	size_t n_hosts = 0;
	_auto(vg_map) struct vg_map *known = vg_map_new();
	for (size_t i = 0; i < overlay->n_remotes; i++) {
		const struct vg_slice_remote *remote = &overlay->remotes[i];
		char ip[VG_IP_LENGTH], mac[VG_MAC_LENGTH];
		vg_ip_write(&remote->tunnel, ip);
		vg_mac_write(&remote->mac, mac);
		if (!vg_map_has(known, ip)) {
			vg_append(hosts, n_hosts) = (struct host){.tunnel = remote->tunnel};
			vg_map_set(known, ip, (void *)n_hosts);
		}
		struct vg_text *members = &hosts[(size_t)vg_map_get(known, ip) - 1].members;
		vg_text_addf(members, "%s%s", members->length ? " " : "", mac);
	}
	for (size_t i = 0; i < n_hosts; i++)
		add_remote(wants, overlay, &hosts[i].tunnel, vg_text_take(&hosts[i].members));
	free(hosts);
}

// The owner of a port, for people.
static char *owner_of(const struct vg_ovs_port *port)
{
	struct vg_tag tag;
	if (port->tag && vg_tag_read(port->tag, &tag))
		return vg_format("grid '%s' (%s)", tag.grid, tag.path);
	return vg_format("port '%s', which is not of vgrid", port->name);
}

static struct vg_error *check_vnis(const struct vg_slice *slice, const struct vg_ovs_rows *rows)
{
	_auto(vg_map) struct vg_map *taken = vg_map_new();
	for (size_t i = 0; i < rows->n_ports; i++) {
		const struct vg_ovs_port *port = &rows->ports[i];
		bool is_vxlan = port->interface && strcmp(port->interface->type, "vxlan") == 0;
		const char *vni = is_vxlan ? vg_ovs_map_get(port->interface->options, "key")
					   : vg_ovs_map_get(port->ids, "vgrid-vni");
		bool is_ours = port->tag && vg_tag_is_of(port->tag, slice->store, slice->grid);
		if (vni && !is_ours && (is_vxlan || port->tag))
			vg_map_set(taken, vni, (void *)port);
	}
	for (size_t i = 0; i < slice->n_overlays; i++) {
		_auto(vg_string) char *vni = vg_format("%u", slice->overlays[i].vni);
		const struct vg_ovs_port *port = vg_map_get(taken, vni);
		if (!port)
			continue;
		_auto(vg_string) char *owner = owner_of(port);
		return vg_error_at(slice->overlays[i].place, "VNI %s is taken by %s", vni, owner);
	}
	return NULL;
}

static struct vg_error *find_seen(struct vg_ovs_wants *wants, const struct vg_ovs_rows *rows,
	const struct vg_ovs_bridge *bridge)
{
	for (size_t i = 0; i < rows->n_bridges; i++)
		if (strcmp(rows->bridges[i].name, wants->bridge) == 0 &&
			&rows->bridges[i] != bridge)
			return vg_error_new("bridge '%s' is there already and is not of this store",
				wants->bridge);
	for (size_t i = 0; i < wants->n_items; i++) {
		struct vg_ovs_want *want = &wants->items[i];
		const struct vg_ovs_port *port = vg_map_get(rows->port_by_name, want->name);
		if (!port)
			continue;
		if (port->bridge != bridge || !vg_text_equal(port->tag, want->tag))
			return vg_error_at(want->place,
				"port '%s' is wanted for '%s' and is there already, on bridge '%s' "
				"as "
				"'%s'",
				want->name, want->tag, port->bridge ? port->bridge->name : "",
				port->tag ? port->tag : "");
		if (port->interface) // else made anew
			want->seen = port;
	}
	return NULL;
}

// Which overlay has which VLAN on the bridge; "" is somebody else.
struct vlans {
	char *owners[VG_OVS_VLAN_MAX + 1];
	struct vg_map *by_overlay; // the number itself
};

static void vlans_auto_free(struct vlans *vlans)
{
	for (size_t i = 0; i <= VG_OVS_VLAN_MAX; i++)
		free(vlans->owners[i]);
	vg_map_free(vlans->by_overlay);
}

static void read_vlans(
	const struct vg_ovs_rows *rows, const struct vg_ovs_bridge *bridge, struct vlans *vlans)
{
	for (size_t i = 0; i < rows->n_ports; i++) {
		const struct vg_ovs_port *port = &rows->ports[i];
		if (port->bridge != bridge || port->vlan < 1 || port->vlan > VG_OVS_VLAN_MAX ||
			vlans->owners[port->vlan])
			continue;
		_auto(vg_string) char *overlay = vg_strdup("");
		if (port->tag) {
			free(vg_take(overlay));
			(void)vg_ovs_part_of(port->tag, &overlay);
		}
		if (!vg_map_has(vlans->by_overlay, overlay))
			vg_map_set(vlans->by_overlay, overlay, (void *)(intptr_t)port->vlan);
		vlans->owners[port->vlan] = vg_take(overlay);
	}
}

static struct vg_error *give_vlans(struct vg_ovs_wants *wants, const struct vg_ovs_rows *rows,
	const struct vg_ovs_bridge *bridge)
{
	_auto(vlans) struct vlans vlans = {.by_overlay = vg_map_new()};
	int64_t lowest = 1;
	if (bridge)
		read_vlans(rows, bridge, &vlans);
	for (size_t i = 0; i < wants->n_items; i++) {
		struct vg_ovs_want *want = &wants->items[i];
		want->vlan = (int64_t)(intptr_t)vg_map_get(vlans.by_overlay, want->overlay->tag);
		if (want->vlan)
			continue;
		while (lowest <= VG_OVS_VLAN_MAX && vlans.owners[lowest])
			lowest++;
		if (lowest > VG_OVS_VLAN_MAX)
			return vg_error_at(want->overlay->place,
				"the host has %u overlays already, and room for no more",
				VG_OVS_VLAN_MAX);
		want->vlan = lowest;
		vlans.owners[lowest] = vg_strdup(want->overlay->tag);
		vg_map_set(vlans.by_overlay, want->overlay->tag, (void *)(intptr_t)want->vlan);
	}
	return NULL;
}

static int64_t number_of(const struct vg_ovs_interface *interface)
{
	return interface->ofport > 0 ? interface->ofport : interface->ofport_wanted;
}

// Numbers are asked for, so that guards can be there before a machine's tap is.
static struct vg_error *give_ofports(struct vg_ovs_wants *wants, const struct vg_ovs_rows *rows,
	const struct vg_ovs_bridge *bridge)
{
	_auto(vg_string) char *is_taken = vg_alloc(VG_OVS_OFPORT_MAX + 2);
	for (size_t i = 0; bridge && i < rows->n_ports; i++) {
		const struct vg_ovs_port *port = &rows->ports[i];
		int64_t number = port->interface ? number_of(port->interface) : 0;
		if (port->bridge == bridge && number > 0 && number <= VG_OVS_OFPORT_MAX)
			is_taken[number] = 1;
	}
	int64_t lowest = 1;
	for (size_t i = 0; i < wants->n_items; i++) {
		struct vg_ovs_want *want = &wants->items[i];
		want->ofport = want->seen ? number_of(want->seen->interface) : 0;
		if (want->ofport > 0)
			continue;
		while (lowest <= VG_OVS_OFPORT_MAX && is_taken[lowest])
			lowest++;
		if (lowest > VG_OVS_OFPORT_MAX)
			return vg_error_at(want->place,
				"the host has %u ports already, and room for no more",
				VG_OVS_OFPORT_MAX);
		want->ofport = lowest++;
	}
	return NULL;
}

struct vg_error *vg_ovs_want(const struct vg_slice *slice, const struct vg_ovs_rows *rows,
	struct vg_ovs_wants *ret_wants)
{
	_auto(vg_ovs_wants) struct vg_ovs_wants wants = {.slice = slice};
	const struct vg_ovs_bridge *bridge = vg_ovs_bridge_of(rows, slice->store);
	wants.bridge = vg_ovs_bridge_name(slice->store);
	for (size_t i = 0; i < slice->n_overlays; i++) {
		for (size_t j = 0; j < slice->overlays[i].n_ports; j++)
			add_local(&wants, &slice->overlays[i], &slice->overlays[i].ports[j]);
		add_remotes(&wants, &slice->overlays[i]);
	}
	struct vg_error *error = check_vnis(slice, rows);
	if (!error)
		error = find_seen(&wants, rows, bridge);
	if (!error)
		error = give_vlans(&wants, rows, bridge);
	if (!error)
		error = give_ofports(&wants, rows, bridge);
	if (error)
		return error;
	*ret_wants = wants;
	wants = (struct vg_ovs_wants){0};
	return NULL;
}
