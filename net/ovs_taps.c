// SPDX-License-Identifier: Apache-2.0
#include "net/ovs_taps.h"

#include <string.h>

#include "base/map.h"
#include "base/tag.h"
#include "base/text.h"
#include "net/kernel_links.h"
#include "net/link.h"
#include "net/ovs_rows.h"

// The wanted links of a slice but for the bridges and VXLAN devices, which the switch has itself.
static struct vg_kernel_wants want_taps(const struct vg_slice *slice)
{
	struct vg_kernel_wants wants = vg_kernel_want(slice);
	size_t n_taps = 0;
	for (size_t i = 0; i < wants.n_items; i++) {
		if (wants.items[i].kind == VG_KERNEL_TAP)
			wants.items[n_taps++] = wants.items[i];
		else
			free(wants.items[i].alias);
	}
	wants.n_items = n_taps;
	return wants;
}

struct vg_error *vg_ovs_taps_make(
	const struct vg_slice *wanted, int namespace_fd, unsigned tap_user)
{
	_auto(vg_netlink) struct vg_netlink *netlink = NULL;
	_auto(vg_kernel_state) struct vg_kernel_state state = {0};
	_auto(vg_kernel_wants) struct vg_kernel_wants wants = want_taps(wanted);
	bool did_remove = false, did_make = false;
	struct vg_error *error = vg_netlink_open(namespace_fd, &netlink);
	if (!error)
		error = vg_kernel_read_links(netlink, &state);
	if (!error)
		error = vg_kernel_check(&wants, &state);
	if (!error)
		error = vg_kernel_remove(netlink, &wants, &state, &did_remove);
	if (!error && did_remove)
		error = vg_kernel_read_links(netlink, &state);
	if (!error)
		error = vg_kernel_make_taps(
			netlink, namespace_fd, tap_user, &wants, &state, &did_make);
	if (!error && did_make)
		error = vg_kernel_read_links(netlink, &state);
	if (!error)
		error = vg_kernel_adjust(netlink, namespace_fd, &wants, &state);
	return error;
}

static struct vg_slice_overlay *overlay_of(struct vg_slice *seen, const char *tag)
{
	for (size_t i = 0; i < seen->n_overlays; i++)
		if (strcmp(seen->overlays[i].tag, tag) == 0)
			return &seen->overlays[i];
	return NULL;
}

// An overlay that has only taps has no bridge, like one that is half made.
static void add_stray(struct vg_slice *seen, const struct vg_kernel_link *tap)
{
	_auto(vg_string) char *tag = NULL;
	vg_ovs_part_of(tap->alias, &tag);
	struct vg_slice_overlay *overlay = overlay_of(seen, tag);
	if (!overlay) {
		overlay = &vg_append(seen->overlays, seen->n_overlays);
		overlay->tag = vg_take(tag);
	}
	struct vg_slice_port *port = &vg_append(overlay->ports, overlay->n_ports);
	port->tag = vg_strdup(tap->alias);
	port->link = vg_strdup(tap->name);
}

static struct vg_error *read_taps(int namespace_fd, struct vg_kernel_state *state)
{
	_auto(vg_netlink) struct vg_netlink *netlink = NULL;
	struct vg_error *error = vg_netlink_open(namespace_fd, &netlink);
	return error ? error : vg_kernel_read_links(netlink, state);
}

struct vg_error *vg_ovs_taps_see(
	struct vg_slice *seen, const struct vg_ovs_rows *rows, int namespace_fd)
{
	_auto(vg_kernel_state) struct vg_kernel_state state = {0};
	struct vg_error *error = read_taps(namespace_fd, &state);
	for (size_t i = 0; i < state.n_links && !error; i++) {
		const struct vg_kernel_link *link = &state.links[i];
		if (!vg_tag_is_of(link->alias, seen->store, seen->grid))
			continue;
		if (link->has_carrier)
			vg_append(seen->held, seen->n_held) = vg_strdup(link->name);
		if (!vg_map_has(rows->port_by_name, link->name))
			add_stray(seen, link);
	}
	return error;
}

struct vg_error *vg_ovs_taps_owners(
	const char *store, int namespace_fd, struct vg_map *known, char ***grids, size_t *n_grids)
{
	_auto(vg_kernel_state) struct vg_kernel_state state = {0};
	struct vg_error *error = read_taps(namespace_fd, &state);
	for (size_t i = 0; i < state.n_links && !error; i++) {
		struct vg_tag tag;
		if (!vg_tag_read(state.links[i].alias, &tag) || strcmp(tag.store, store) != 0 ||
			vg_map_has(known, tag.grid))
			continue;
		vg_map_set(known, tag.grid, known);
		vg_append(*grids, *n_grids) = vg_strdup(tag.grid);
	}
	return error;
}
