// SPDX-License-Identifier: Apache-2.0
//
// What differs between two slices, for people: the plan and drift.
#include "net/slice.h"

#include <string.h>

#include "base/map.h"
#include "base/tag.h"
#include "base/text.h"
#include "base/units.h"

// The path of a tag: `network/lan`. Borrowed from it.
static const char *path_of(const char *tag)
{
	struct vg_tag read;
	return vg_tag_read(tag, &read) ? read.path : tag;
}

static void add_line(struct vg_text *text, const char *format, ...) VG_PRINTF(2, 3);
static void add_line(struct vg_text *text, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	_auto(vg_string) char *line = vg_vformat(format, arguments);
	va_end(arguments);
	vg_text_addf(text, "%s%s", text->length ? "\n" : "", line);
}

// `network 'lan'` for network/lan; what is of no known form is shown as it stands.
static char *overlay_name(const char *tag)
{
	const char *path = path_of(tag);
	return vg_text_starts(path, "network/") ? vg_format("network '%s'", strchr(path, '/') + 1)
						: vg_format("'%s'", path);
}

// `port of 'worker-1' on 'lan'` for node/worker-1/nic/lan.
static char *port_name(const char *tag)
{
	const char *path = path_of(tag);
	const char *node = vg_text_starts(path, "node/") ? strchr(path, '/') + 1 : NULL;
	const char *nic = node ? strstr(node, "/nic/") : NULL;
	return nic ? vg_format("port of '%.*s' on '%s'", (int)(nic - node), node, nic + 5)
		   : vg_format("port '%s'", path);
}

static char *rate_name(uint64_t rate)
{
	_auto(vg_string) char *number = vg_units_write_rate(rate);
	return rate ? vg_format("the rate %s", number) : vg_strdup("no rate");
}

// Addresses are not compared: they are not part of what a host's links are made of.
static void compare_ports(struct vg_text *text, const struct vg_slice_overlay *wanted,
	const struct vg_slice_overlay *seen)
{
	_auto(vg_map) struct vg_map *there = vg_map_new(), *known = vg_map_new();
	for (size_t i = 0; i < seen->n_ports; i++)
		vg_map_set(there, seen->ports[i].tag, &seen->ports[i]);
	for (size_t i = 0; i < wanted->n_ports; i++) {
		const struct vg_slice_port *port = &wanted->ports[i];
		const struct vg_slice_port *other = vg_map_get(there, port->tag);
		_auto(vg_string) char *name = port_name(port->tag);
		vg_map_set(known, port->tag, (void *)port);
		if (!other) {
			add_line(text, "%s is missing", name);
		} else if (memcmp(&other->mac, &port->mac, sizeof(port->mac)) != 0) {
			char is[VG_MAC_LENGTH], should[VG_MAC_LENGTH];
			vg_mac_write(&other->mac, is);
			vg_mac_write(&port->mac, should);
			add_line(text, "%s has MAC %s instead of %s", name, is, should);
		} else if (other->rate != port->rate) {
			_auto(vg_string) char *is = rate_name(other->rate);
			_auto(vg_string) char *should = rate_name(port->rate);
			add_line(text, "%s has %s instead of %s", name, is, should);
		} else if (other->is_unguarded) {
			add_line(text, "%s is not guarded: it may use others' addresses", name);
		}
	}
	for (size_t i = 0; i < seen->n_ports; i++) {
		_auto(vg_string) char *name = port_name(seen->ports[i].tag);
		if (!vg_map_has(known, seen->ports[i].tag))
			add_line(text, "%s is not wanted", name);
	}
}

// Both lists are sorted by MAC. They may be long: counted, not listed.
static void compare_remotes(struct vg_text *text, const char *name,
	const struct vg_slice_overlay *wanted, const struct vg_slice_overlay *seen)
{
	size_t n_missing = 0, n_changed = 0, n_extra = 0, i = 0, j = 0;
	while (i < wanted->n_remotes || j < seen->n_remotes) {
		int order = i == wanted->n_remotes ? 1
			    : j == seen->n_remotes ? -1
						   : memcmp(wanted->remotes[i].mac.bytes,
							     seen->remotes[j].mac.bytes,
							     sizeof(seen->remotes[j].mac.bytes));
		n_missing += order < 0;
		n_extra += order > 0;
		n_changed += order == 0 &&
			     !vg_ip_equal(&wanted->remotes[i].tunnel, &seen->remotes[j].tunnel);
		i += order <= 0;
		j += order >= 0;
	}
	if (n_missing)
		add_line(text, "%s does not reach %zu of %zu members on other hosts", name,
			n_missing, wanted->n_remotes);
	if (n_changed)
		add_line(text, "%s looks for %zu members on the wrong host", name, n_changed);
	if (n_extra)
		add_line(text, "%s has %zu members on other hosts that are not wanted", name,
			n_extra);
}

static void compare_overlays(struct vg_text *text, const struct vg_slice_overlay *wanted,
	const struct vg_slice_overlay *seen)
{
	_auto(vg_string) char *name = overlay_name(wanted->tag);
	if (!seen->bridge) {
		add_line(text, "%s has no bridge that works", name);
		return;
	}
	if (!seen->vni)
		add_line(text, "%s has no VXLAN device that works", name);
	else if (wanted->vni != seen->vni)
		add_line(text, "%s has VNI %u instead of %u", name, seen->vni, wanted->vni);
	if (seen->mtu && wanted->mtu != seen->mtu)
		add_line(text, "%s has MTU %u instead of %u", name, seen->mtu, wanted->mtu);
	compare_ports(text, wanted, seen);
	if (seen->vni)
		compare_remotes(text, name, wanted, seen);
}

// Only then its tunnel address means something.
static bool has_device(const struct vg_slice *slice)
{
	for (size_t i = 0; i < slice->n_overlays; i++)
		if (slice->overlays[i].vni)
			return true;
	return false;
}

char *vg_slice_difference(const struct vg_slice *wanted, const struct vg_slice *seen)
{
	_auto(vg_text) struct vg_text text = {0};
	_auto(vg_map) struct vg_map *there = vg_map_new(), *known = vg_map_new();
	if (has_device(wanted) && has_device(seen) &&
		!vg_ip_equal(&wanted->tunnel, &seen->tunnel)) {
		char is[VG_IP_LENGTH], should[VG_IP_LENGTH];
		vg_ip_write(&seen->tunnel, is);
		vg_ip_write(&wanted->tunnel, should);
		add_line(&text, "tunnels begin at %s instead of %s", is, should);
	}
	for (size_t i = 0; i < seen->n_overlays; i++)
		vg_map_set(there, seen->overlays[i].tag, &seen->overlays[i]);
	for (size_t i = 0; i < wanted->n_overlays; i++) {
		const struct vg_slice_overlay *overlay = &wanted->overlays[i];
		const struct vg_slice_overlay *other = vg_map_get(there, overlay->tag);
		_auto(vg_string) char *name = overlay_name(overlay->tag);
		vg_map_set(known, overlay->tag, (void *)overlay);
		if (other)
			compare_overlays(&text, overlay, other);
		else
			add_line(&text, "%s is missing", name);
	}
	for (size_t i = 0; i < seen->n_overlays; i++) {
		_auto(vg_string) char *name = overlay_name(seen->overlays[i].tag);
		if (!vg_map_has(known, seen->overlays[i].tag))
			add_line(&text, "%s is not wanted", name);
	}
	return text.length ? vg_text_take(&text) : NULL;
}
