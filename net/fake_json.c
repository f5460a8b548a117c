// SPDX-License-Identifier: Apache-2.0
#include "net/fake_json.h"

#include "base/json.h"
#include "base/memory.h"

static void set_mac(struct vg_json *object, const struct vg_mac *mac)
{
	char text[VG_MAC_LENGTH];
	vg_mac_write(mac, text);
	vg_json_set_string(object, "mac", text);
}

static void set_ip(struct vg_json *object, const char *key, const struct vg_ip *ip)
{
	char text[VG_IP_LENGTH];
	vg_ip_write(ip, text);
	vg_json_set_string(object, key, text);
}

static struct vg_mac get_mac(const struct vg_json *object)
{
	struct vg_mac mac = {0};
	vg_error_ignore(vg_mac_read(vg_json_get_string(object, "mac", ""), &mac));
	return mac;
}

static struct vg_ip get_ip(const struct vg_json *object, const char *key)
{
	struct vg_ip ip = {0};
	vg_error_ignore(vg_ip_read(vg_json_get_string(object, key, ""), &ip));
	return ip;
}

static struct vg_json *write_overlay(const struct vg_slice_overlay *overlay)
{
	struct vg_json *json = vg_json_object();
	struct vg_json *ports = vg_json_array(), *remotes = vg_json_array();
	vg_json_set_string(json, "tag", overlay->tag);
	vg_json_set_string(json, "bridge", overlay->bridge);
	vg_json_set_string(json, "vxlan", overlay->vxlan);
	vg_json_set_integer(json, "vni", overlay->vni);
	vg_json_set_integer(json, "mtu", overlay->mtu);
	for (size_t i = 0; i < overlay->n_ports; i++) {
		const struct vg_slice_port *port = &overlay->ports[i];
		struct vg_json *entry = vg_json_object();
		vg_json_set_string(entry, "tag", port->tag);
		vg_json_set_string(entry, "link", port->link);
		set_mac(entry, &port->mac);
		set_ip(entry, "ip", &port->ip);
		vg_json_set_integer(entry, "rate", (int64_t)port->rate);
		vg_json_push(ports, entry);
	}
	for (size_t i = 0; i < overlay->n_remotes; i++) {
		const struct vg_slice_remote *remote = &overlay->remotes[i];
		struct vg_json *entry = vg_json_object();
		set_mac(entry, &remote->mac);
		set_ip(entry, "ip", &remote->ip);
		set_ip(entry, "tunnel", &remote->tunnel);
		vg_json_push(remotes, entry);
	}
	vg_json_set(json, "ports", ports);
	vg_json_set(json, "remotes", remotes);
	return json;
}

struct vg_json *vg_slice_write_json(const struct vg_slice *slice)
{
	struct vg_json *json = vg_json_object(), *overlays = vg_json_array();
	vg_json_set_string(json, "store", slice->store);
	vg_json_set_string(json, "grid", slice->grid);
	vg_json_set_integer(json, "link-group", slice->link_group);
	set_ip(json, "tunnel", &slice->tunnel);
	for (size_t i = 0; i < slice->n_overlays; i++)
		vg_json_push(overlays, write_overlay(&slice->overlays[i]));
	vg_json_set(json, "overlays", overlays);
	return json;
}

// NULL where the world says null or nothing.
static char *get_string(const struct vg_json *object, const char *key)
{
	const char *text = vg_json_get_string(object, key, NULL);
	return text ? vg_strdup(text) : NULL;
}

static void read_overlay(struct vg_slice_overlay *overlay, const struct vg_json *json)
{
	const struct vg_json *ports = vg_json_get(json, "ports");
	const struct vg_json *remotes = vg_json_get(json, "remotes");
	overlay->tag = vg_strdup(vg_json_get_string(json, "tag", ""));
	overlay->bridge = get_string(json, "bridge");
	overlay->vxlan = get_string(json, "vxlan");
	overlay->vni = (uint32_t)vg_json_get_integer(json, "vni", 0);
	overlay->mtu = (unsigned)vg_json_get_integer(json, "mtu", 0);
	for (size_t i = 0; i < vg_json_length(ports); i++) {
		const struct vg_json *entry = vg_json_at(ports, i);
		struct vg_slice_port *port = &vg_append(overlay->ports, overlay->n_ports);
		port->tag = vg_strdup(vg_json_get_string(entry, "tag", ""));
		port->link = get_string(entry, "link");
		port->mac = get_mac(entry);
		port->ip = get_ip(entry, "ip");
		port->rate = (uint64_t)vg_json_get_integer(entry, "rate", 0);
	}
	for (size_t i = 0; i < vg_json_length(remotes); i++) {
		const struct vg_json *entry = vg_json_at(remotes, i);
		vg_append(overlay->remotes, overlay->n_remotes) = (struct vg_slice_remote){
			get_mac(entry), get_ip(entry, "ip"), get_ip(entry, "tunnel")};
	}
}

struct vg_slice *vg_slice_read_json(const struct vg_json *json)
{
	struct vg_slice *slice = vg_new(struct vg_slice);
	const struct vg_json *overlays = vg_json_get(json, "overlays");
	slice->store = vg_strdup(vg_json_get_string(json, "store", ""));
	slice->grid = vg_strdup(vg_json_get_string(json, "grid", ""));
	slice->link_group = (uint32_t)vg_json_get_integer(json, "link-group", 0);
	slice->tunnel = get_ip(json, "tunnel");
	for (size_t i = 0; i < vg_json_length(overlays); i++)
		read_overlay(
			&vg_append(slice->overlays, slice->n_overlays), vg_json_at(overlays, i));
	return slice;
}
