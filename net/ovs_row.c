// SPDX-License-Identifier: Apache-2.0
#include "net/ovs_row.h"

#include <string.h>

#include "base/text.h"

struct vg_json *vg_ovs_pair(const char *word, struct vg_json *value)
{
	struct vg_json *array = vg_json_array();
	vg_json_push(array, vg_json_string(word));
	vg_json_push(array, value);
	return array;
}

void vg_ovs_map_add(struct vg_json *pairs, const char *key, const char *value)
{
	vg_json_push(pairs, vg_ovs_pair(key, vg_json_string(value)));
}

void vg_ovs_map_addf(struct vg_json *pairs, const char *key, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	_auto(vg_string) char *value = vg_vformat(format, arguments);
	va_end(arguments);
	vg_ovs_map_add(pairs, key, value);
}

bool vg_ovs_map_has(const struct vg_json *seen, const struct vg_json *pairs)
{
	for (size_t i = 0; i < vg_json_length(pairs); i++) {
		const struct vg_json *wanted = vg_json_at(pairs, i);
		if (!vg_text_equal(vg_ovs_map_get(seen, vg_json_text(vg_json_at(wanted, 0), "")),
			    vg_json_text(vg_json_at(wanted, 1), NULL)))
			return false;
	}
	return true;
}

struct vg_json *vg_ovs_port_row(const struct vg_ovs_want *want)
{
	struct vg_json *row = vg_json_object();
	vg_json_set_integer(row, "tag", want->vlan);
	vg_json_set_string(row, "vlan_mode", "access");
	vg_json_set_boolean(row, "protected", !want->port);
	return row;
}

struct vg_json *vg_ovs_port_ids(const struct vg_ovs_wants *wants, const struct vg_ovs_want *want)
{
	struct vg_json *pairs = vg_json_array();
	char tunnel[VG_IP_LENGTH], ip[VG_IP_LENGTH];
	vg_ip_write(&wants->slice->tunnel, tunnel);
	vg_ovs_map_add(pairs, "vgrid", want->tag);
	vg_ovs_map_addf(pairs, "vgrid-vni", "%u", want->overlay->vni);
	vg_ovs_map_addf(pairs, "vgrid-mtu", "%u", want->overlay->mtu);
	vg_ovs_map_add(pairs, "vgrid-tunnel", tunnel);
	if (!want->port) {
		vg_ovs_map_add(pairs, "vgrid-members", want->members);
		return pairs;
	}
	vg_ip_write(&want->port->ip, ip);
	vg_ovs_map_add(pairs, "vgrid-ip", ip);
	vg_ovs_map_addf(pairs, "vgrid-rate", "%llu", (unsigned long long)want->port->rate);
	return pairs;
}

static struct vg_json *options_of(const struct vg_ovs_wants *wants, const struct vg_ovs_want *want)
{
	struct vg_json *pairs = vg_json_array();
	char here[VG_IP_LENGTH], there[VG_IP_LENGTH];
	if (want->port)
		return pairs;
	vg_ip_write(&wants->slice->tunnel, here);
	vg_ip_write(&want->remote, there);
	vg_ovs_map_addf(pairs, "key", "%u", want->overlay->vni);
	vg_ovs_map_add(pairs, "local_ip", here);
	vg_ovs_map_add(pairs, "remote_ip", there);
	return pairs;
}

struct vg_json *vg_ovs_interface_row(
	const struct vg_ovs_wants *wants, const struct vg_ovs_want *want)
{
	struct vg_json *row = vg_json_object();
	vg_json_set_string(row, "type", want->port ? "" : "vxlan");
	vg_json_set(row, "options", vg_ovs_pair("map", options_of(wants, want)));
	vg_json_set_integer(row, "ofport_request", want->ofport);
	if (want->port)
		vg_json_set_integer(row, "mtu_request", want->overlay->mtu);
	return row;
}

struct vg_json *vg_ovs_interface_ids(const struct vg_ovs_want *want)
{
	struct vg_json *pairs = vg_json_array();
	char mac[VG_MAC_LENGTH];
	vg_ovs_map_add(pairs, "vgrid", want->tag);
	if (want->port) {
		vg_mac_write(&want->port->mac, mac);
		vg_ovs_map_add(pairs, "attached-mac", mac);
	}
	return pairs;
}

bool vg_ovs_interface_is_so(const struct vg_ovs_wants *wants, const struct vg_ovs_want *want,
	const struct vg_ovs_interface *seen)
{
	_auto(vg_json) struct vg_json *options = options_of(wants, want);
	return strcmp(seen->type, want->port ? "" : "vxlan") == 0 &&
	       vg_json_length(vg_json_at(seen->options, 1)) == vg_json_length(options) &&
	       vg_ovs_map_has(seen->options, options) && seen->ofport_wanted == want->ofport &&
	       (!want->port || seen->mtu_wanted == want->overlay->mtu);
}
