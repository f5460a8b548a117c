// SPDX-License-Identifier: Apache-2.0
#include "net/kernel_links.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdio.h>
#include <string.h>

#include "base/map.h"
#include "base/tag.h"
#include "net/kernel_batch.h"

enum { VXLAN_PORT = 4789 }; // IANA; RFC 7348, 8

static const char *const kinds[] = {
	[VG_KERNEL_BRIDGE] = "bridge", [VG_KERNEL_VXLAN] = "vxlan", [VG_KERNEL_TAP] = "tun"};

void vg_kernel_wants_done(struct vg_kernel_wants *wants)
{
	for (size_t i = 0; i < wants->n_items; i++)
		free(wants->items[i].alias);
	free(wants->items);
	*wants = (struct vg_kernel_wants){0};
}

static void want(struct vg_kernel_wants *wants, enum vg_kernel_kind kind, const char *name,
	char *alias, const struct vg_slice_overlay *overlay, const struct vg_slice_port *port)
{
	struct vg_tag tag;
	vg_append(wants->items, wants->n_items) = (struct vg_kernel_want){.kind = kind,
		.name = name,
		.alias = alias,
		.subject = vg_tag_read(alias, &tag) ? tag.path : alias,
		.place = port ? port->place : overlay->place,
		.overlay = overlay,
		.port = port};
}

struct vg_kernel_wants vg_kernel_want(const struct vg_slice *slice)
{
	struct vg_kernel_wants wants = {.slice = slice};
	for (size_t i = 0; i < slice->n_overlays; i++) {
		const struct vg_slice_overlay *overlay = &slice->overlays[i];
		want(&wants, VG_KERNEL_BRIDGE, overlay->bridge, vg_strdup(overlay->tag), overlay,
			NULL);
		want(&wants, VG_KERNEL_VXLAN, overlay->vxlan, vg_format("%s/vxlan", overlay->tag),
			overlay, NULL);
		for (size_t j = 0; j < overlay->n_ports; j++)
			want(&wants, VG_KERNEL_TAP, overlay->ports[j].link,
				vg_strdup(overlay->ports[j].tag), overlay, &overlay->ports[j]);
	}
	return wants;
}

static bool is_ours(const struct vg_kernel_wants *wants, const struct vg_kernel_link *link)
{
	return vg_tag_is_of(link->alias, wants->slice->store, wants->slice->grid);
}

// The owner of a link, for people.
static char *owner_of(const struct vg_kernel_link *link)
{
	struct vg_tag tag;
	if (vg_tag_read(link->alias, &tag))
		return vg_format("grid '%s' (%s)", tag.grid, tag.path);
	return vg_format("link '%s', which is not of vgrid", link->name);
}

static struct vg_error *check_vnis(
	const struct vg_kernel_wants *wants, const struct vg_kernel_state *state)
{
	_auto(vg_map) struct vg_map *taken = vg_map_new();
	char key[16];
	for (size_t i = 0; i < state->n_links; i++) {
		const struct vg_kernel_link *link = &state->links[i];
		snprintf(key, sizeof(key), "%u", link->vni);
		if (strcmp(link->kind, "vxlan") == 0 && link->port == VXLAN_PORT &&
			!is_ours(wants, link))
			vg_map_set(taken, key, (void *)link);
	}
	for (size_t i = 0; i < wants->slice->n_overlays; i++) {
		const struct vg_slice_overlay *overlay = &wants->slice->overlays[i];
		snprintf(key, sizeof(key), "%u", overlay->vni);
		const struct vg_kernel_link *link = vg_map_get(taken, key);
		if (!link)
			continue;
		_auto(vg_string) char *owner = owner_of(link);
		return vg_error_at(overlay->place, "VNI %u is taken by %s", overlay->vni, owner);
	}
	return NULL;
}

struct vg_error *vg_kernel_check(
	const struct vg_kernel_wants *wants, const struct vg_kernel_state *state)
{
	for (size_t i = 0; i < wants->n_items; i++) {
		const struct vg_kernel_want *item = &wants->items[i];
		const struct vg_kernel_link *link = vg_kernel_link(state, item->name);
		if (link && strcmp(link->alias, item->alias) != 0)
			return vg_error_at(item->place,
				"link '%s' is wanted for '%s' and is there already, as '%s'",
				item->name, item->alias, link->alias);
	}
	return check_vnis(wants, state);
}

// Can it stay, with some changes? What a VXLAN device is made with cannot be changed later.
static bool is_fit(const struct vg_kernel_wants *wants, const struct vg_kernel_want *item,
	const struct vg_kernel_link *link)
{
	if (strcmp(link->kind, kinds[item->kind]) != 0)
		return false;
	return item->kind != VG_KERNEL_VXLAN ||
	       (link->vni == item->overlay->vni && link->port == VXLAN_PORT && !link->is_learning &&
		       vg_ip_equal(&link->local, &wants->slice->tunnel));
}

// A request about a link by index; more attributes may follow.
static struct nl_msg *change(struct vg_batch *batch, int type, int index, const char *doing,
	const char *subject, struct vg_place place)
{
	struct vg_request *request = vg_batch_add(batch, type, 0, doing, subject);
	struct ifinfomsg header = {.ifi_family = AF_UNSPEC, .ifi_index = index};
	request->place = place;
	nlmsg_append(request->message, &header, sizeof(header), NLMSG_ALIGNTO);
	return request->message;
}

// A group that no link is in, to gather those that go: removing a whole group at once is several
// times quicker than one link at a time (one wait for readers instead of one a link).
static uint32_t free_group(const struct vg_kernel_state *state, uint32_t from)
{
	for (uint32_t group = ~from;; group++) {
		bool is_free = group != 0;
		for (size_t i = 0; i < state->n_links && is_free; i++)
			is_free = state->links[i].group != group;
		if (is_free)
			return group;
	}
}

struct vg_error *vg_kernel_remove(struct vg_netlink *netlink, const struct vg_kernel_wants *wants,
	const struct vg_kernel_state *state, bool *ret_did)
{
	_auto(vg_map) struct vg_map *wanted = vg_map_new();
	for (size_t i = 0; i < wants->n_items; i++)
		vg_map_set(wanted, wants->items[i].name, &wants->items[i]);
	_auto(vg_batch) struct vg_batch batch = {0};
	uint32_t group = free_group(state, wants->slice->link_group);
	for (size_t i = 0; i < state->n_links; i++) {
		const struct vg_kernel_link *link = &state->links[i];
		const struct vg_kernel_want *item = vg_map_get(wanted, link->name);
		if (!is_ours(wants, link) || (item && is_fit(wants, item, link)))
			continue;
		nla_put_u32(change(&batch, RTM_SETLINK, link->index, "removing link", link->name,
				    (struct vg_place){0}),
			IFLA_GROUP, group);
		// Somebody else removed it just now.
		batch.items[batch.n_items - 1].tolerated = ENODEV;
	}
	*ret_did = batch.n_items > 0;
	if (!*ret_did)
		return NULL;
	nla_put_u32(change(&batch, RTM_DELLINK, 0, "removing the links of grid", wants->slice->grid,
			    (struct vg_place){0}),
		IFLA_GROUP, group);
	batch.items[batch.n_items - 1].tolerated = ENODEV;
	return vg_batch_send(netlink, &batch);
}

static void put_bridge(struct nl_msg *message)
{
	struct nlattr *data = nla_nest_start(message, IFLA_INFO_DATA);
	// No spanning tree: an overlay has no loops. No snooping: nobody here would ask for groups,
	// and members behind the VXLAN device would lose multicast.
	nla_put_u32(message, IFLA_BR_STP_STATE, 0);
	nla_put_u8(message, IFLA_BR_MCAST_SNOOPING, 0);
	nla_nest_end(message, data);
}

static void put_vxlan(
	struct nl_msg *message, const struct vg_slice_overlay *overlay, const struct vg_ip *tunnel)
{
	struct nlattr *data = nla_nest_start(message, IFLA_INFO_DATA);
	nla_put_u32(message, IFLA_VXLAN_ID, overlay->vni);
	nla_put(message, tunnel->is_ipv6 ? IFLA_VXLAN_LOCAL6 : IFLA_VXLAN_LOCAL,
		tunnel->is_ipv6 ? 16 : 4, tunnel->bytes);
	nla_put_u16(message, IFLA_VXLAN_PORT, htons(VXLAN_PORT));
	nla_put_u8(message, IFLA_VXLAN_LEARNING, 0);
	nla_nest_end(message, data);
}

struct vg_request *vg_kernel_mark(struct vg_batch *batch, const struct vg_kernel_wants *wants,
	const struct vg_kernel_want *item)
{
	struct vg_request *request =
		vg_batch_add(batch, RTM_SETLINK, 0, "marking the link of", item->subject);
	struct ifinfomsg header = {.ifi_family = AF_UNSPEC};
	request->place = item->place;
	nlmsg_append(request->message, &header, sizeof(header), NLMSG_ALIGNTO);
	nla_put_string(request->message, IFLA_IFNAME, item->name);
	nla_put(request->message, IFLA_IFALIAS, (int)strlen(item->alias), item->alias);
	nla_put_u32(request->message, IFLA_GROUP, wants->slice->link_group);
	return request;
}

struct vg_error *vg_kernel_make(struct vg_netlink *netlink, const struct vg_kernel_wants *wants,
	const struct vg_kernel_state *state, bool *ret_did)
{
	_auto(vg_batch) struct vg_batch batch = {0};
	for (size_t i = 0; i < wants->n_items; i++) {
		const struct vg_kernel_want *item = &wants->items[i];
		if (item->kind == VG_KERNEL_TAP || vg_kernel_link(state, item->name))
			continue;
		struct vg_request *request =
			vg_batch_add(&batch, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL,
				item->kind == VG_KERNEL_BRIDGE ? "making the bridge of"
							       : "making the VXLAN device of",
				item->subject);
		request->place = item->place;
		struct nl_msg *message = request->message;
		struct ifinfomsg header = {.ifi_family = AF_UNSPEC};
		nlmsg_append(message, &header, sizeof(header), NLMSG_ALIGNTO);
		nla_put_string(message, IFLA_IFNAME, item->name);
		nla_put_u32(message, IFLA_GROUP, wants->slice->link_group);
		struct nlattr *info = nla_nest_start(message, IFLA_LINKINFO);
		nla_put_string(message, IFLA_INFO_KIND, kinds[item->kind]);
		if (item->kind == VG_KERNEL_BRIDGE)
			put_bridge(message);
		else
			put_vxlan(message, item->overlay, &wants->slice->tunnel);
		nla_nest_end(message, info);
		vg_kernel_mark(&batch, wants, item)->is_joined = true;
	}
	*ret_did = batch.n_items > 0;
	return vg_batch_send(netlink, &batch);
}
