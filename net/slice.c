// SPDX-License-Identifier: Apache-2.0
#include "net/slice.h"

#include <string.h>

#include "base/memory.h"
#include "base/tag.h"

void vg_slice_free(struct vg_slice *slice)
{
	if (!slice)
		return;
	for (size_t i = 0; i < slice->n_overlays; i++) {
		struct vg_slice_overlay *overlay = &slice->overlays[i];
		for (size_t j = 0; j < overlay->n_ports; j++) {
			free(overlay->ports[j].tag);
			free(overlay->ports[j].link);
		}
		free(overlay->ports);
		free(overlay->remotes);
		free(overlay->tag);
		free(overlay->bridge);
		free(overlay->vxlan);
	}
	for (size_t i = 0; i < slice->n_held; i++)
		free(slice->held[i]);
	for (size_t i = 0; i < slice->n_foreign; i++)
		free(slice->foreign[i]);
	free(slice->held);
	free(slice->foreign);
	free(slice->overlays);
	free(slice->store);
	free(slice->grid);
	free(slice);
}

static char *copy_string(const char *text)
{
	return text ? vg_strdup(text) : NULL;
}

static void *copy_items(const void *items, size_t size)
{
	void *copy = vg_alloc(size);
	if (size)
		memcpy(copy, items, size);
	return copy;
}

struct vg_slice *vg_slice_copy(const struct vg_slice *slice)
{
	struct vg_slice *copy = copy_items(slice, sizeof(*slice));
	copy->store = copy_string(slice->store);
	copy->grid = copy_string(slice->grid);
	copy->held = copy->foreign = NULL; // only seen, never wanted
	copy->n_held = copy->n_foreign = 0;
	copy->overlays = copy_items(slice->overlays, slice->n_overlays * sizeof(*slice->overlays));
	for (size_t i = 0; i < copy->n_overlays; i++) {
		struct vg_slice_overlay *to = &copy->overlays[i];
		const struct vg_slice_overlay *from = &slice->overlays[i];
		to->tag = copy_string(from->tag);
		to->bridge = copy_string(from->bridge);
		to->vxlan = copy_string(from->vxlan);
		to->ports = copy_items(from->ports, from->n_ports * sizeof(*from->ports));
		to->remotes = copy_items(from->remotes, from->n_remotes * sizeof(*from->remotes));
		for (size_t k = 0; k < to->n_ports; k++) {
			to->ports[k].tag = copy_string(from->ports[k].tag);
			to->ports[k].link = copy_string(from->ports[k].link);
		}
	}
	return copy;
}

static char *link_of(const char *tag)
{
	char name[VG_LINK_NAME_LENGTH];
	vg_tag_link_name(tag, name);
	return vg_strdup(name);
}

static void add_overlay(struct vg_slice *slice, const struct vg_slice_input *input, size_t network)
{
	const struct vg_network *wanted = &input->grid->networks[network];
	_auto(vg_string) char *path = vg_format("network/%s", wanted->name);
	struct vg_slice_overlay *overlay = &vg_append(slice->overlays, slice->n_overlays);
	overlay->tag = vg_tag_make(slice->store, slice->grid, path);
	overlay->bridge = link_of(overlay->tag);
	_auto(vg_string) char *vxlan = vg_format("%s/vxlan", overlay->tag);
	overlay->vxlan = link_of(vxlan);
	overlay->vni = input->vnis[network];
	overlay->mtu = wanted->mtu;
	overlay->place = wanted->place;
}

static void add_port(const struct vg_slice *slice, struct vg_slice_overlay *overlay,
	const char *network, const struct vg_node *node, const struct vg_nic *nic,
	const struct vg_nic_binding *binding)
{
	_auto(vg_string) char *path = vg_format("node/%s/nic/%s", node->name, network);
	struct vg_slice_port *port = &vg_append(overlay->ports, overlay->n_ports);
	port->tag = vg_tag_make(slice->store, slice->grid, path);
	port->link = link_of(port->tag);
	port->mac = binding->mac;
	port->ip = binding->address;
	port->rate = nic->rate;
	port->place = nic->place;
}

static int compare_remotes(const void *a, const void *b)
{
	const struct vg_slice_remote *first = a, *second = b;
	return memcmp(first->mac.bytes, second->mac.bytes, sizeof(first->mac.bytes));
}

// Which networks have a member on the host; malloc'ed, one a network.
static bool *find_local(const struct vg_grid *grid, int host)
{
	bool *is_local = vg_alloc(grid->n_networks + 1);
	for (size_t i = 0; i < grid->n_nodes; i++) {
		const struct vg_role *role = vg_node_role(grid, &grid->nodes[i]);
		for (size_t j = 0; grid->nodes[i].host == host && j < role->n_nics; j++)
			is_local[role->nics[j].network] = true;
	}
	return is_local;
}

// Puts a node's nics into the overlays that the host has: as ports or as remotes.
static void add_node(struct vg_slice *slice, const struct vg_slice_input *input,
	const struct vg_node *node, int host, const bool *is_local, const size_t *overlay_of)
{
	const struct vg_role *role = vg_node_role(input->grid, node);
	for (size_t i = 0; i < role->n_nics; i++) {
		const struct vg_nic *nic = &role->nics[i];
		const struct vg_nic_binding *binding = &node->nics[i];
		if (!is_local[nic->network])
			continue;
		struct vg_slice_overlay *overlay = &slice->overlays[overlay_of[nic->network]];
		if (node->host == host)
			add_port(slice, overlay, input->grid->networks[nic->network].name, node,
				nic, binding);
		else
			vg_append(overlay->remotes, overlay->n_remotes) = (struct vg_slice_remote){
				binding->mac, binding->address, input->tunnels[node->host]};
	}
}

struct vg_slice *vg_slice_build(const struct vg_slice_input *input, int host)
{
	const struct vg_grid *grid = input->grid;
	struct vg_slice *slice = vg_new(struct vg_slice);
	slice->store = vg_strdup(input->store);
	slice->grid = vg_strdup(grid->uuid);
	slice->link_group = vg_tag_link_group(slice->store, slice->grid);
	if (host == VG_HOST_NONE)
		return slice;
	slice->tunnel = input->tunnels[host];
	bool *is_local = find_local(grid, host);
	size_t *overlay_of = vg_alloc(sizeof(*overlay_of) * (grid->n_networks + 1));
	for (size_t i = 0; i < grid->n_networks; i++) {
		overlay_of[i] = slice->n_overlays;
		if (is_local[i])
			add_overlay(slice, input, i);
	}
	for (size_t i = 0; i < grid->n_nodes; i++)
		if (grid->nodes[i].host != VG_HOST_NONE)
			add_node(slice, input, &grid->nodes[i], host, is_local, overlay_of);
	for (size_t i = 0; i < slice->n_overlays; i++)
		if (slice->overlays[i].n_remotes)
			qsort(slice->overlays[i].remotes, slice->overlays[i].n_remotes,
				sizeof(*slice->overlays[i].remotes), compare_remotes);
	free(overlay_of);
	free(is_local);
	return slice;
}
