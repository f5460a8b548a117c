// SPDX-License-Identifier: Apache-2.0
#include "net/kernel_state.h"

#include <arpa/inet.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <string.h>

#include "base/map.h"
#include "net/kernel_batch.h"

enum { ADDR_GEN_NONE = 1 };

static void forget_links(void *data)
{
	struct vg_kernel_state *state = data;
	for (size_t i = 0; i < state->n_links; i++)
		free(state->links[i].alias);
	free(vg_take(state->links));
	vg_map_free(vg_take(state->by_name));
	state->n_links = 0;
}

static void forget_entries(void *data)
{
	struct vg_kernel_state *state = data;
	free(vg_take(state->entries));
	state->n_entries = 0;
}

void vg_kernel_state_done(struct vg_kernel_state *state)
{
	forget_links(state);
	forget_entries(state);
}

static void read_ip(const struct nlattr *attribute, struct vg_ip *ret_ip)
{
	struct vg_ip ip = {.is_ipv6 = nla_len(attribute) == 16};
	nla_memcpy(ip.bytes, attribute, sizeof(ip.bytes));
	*ret_ip = ip;
}

static void read_vxlan(struct nlattr *data, struct vg_kernel_link *link)
{
	struct nlattr *attributes[IFLA_VXLAN_MAX + 1];
	if (nla_parse_nested(attributes, IFLA_VXLAN_MAX, data, NULL) < 0)
		return;
	if (attributes[IFLA_VXLAN_ID])
		link->vni = nla_get_u32(attributes[IFLA_VXLAN_ID]);
	if (attributes[IFLA_VXLAN_PORT])
		link->port = ntohs(nla_get_u16(attributes[IFLA_VXLAN_PORT]));
	if (attributes[IFLA_VXLAN_LEARNING])
		link->is_learning = nla_get_u8(attributes[IFLA_VXLAN_LEARNING]);
	if (attributes[IFLA_VXLAN_LOCAL])
		read_ip(attributes[IFLA_VXLAN_LOCAL], &link->local);
	if (attributes[IFLA_VXLAN_LOCAL6])
		read_ip(attributes[IFLA_VXLAN_LOCAL6], &link->local);
}

static void read_info(struct nlattr *info, struct vg_kernel_link *link)
{
	struct nlattr *attributes[IFLA_INFO_MAX + 1];
	if (nla_parse_nested(attributes, IFLA_INFO_MAX, info, NULL) < 0)
		return;
	if (attributes[IFLA_INFO_KIND])
		nla_strlcpy(link->kind, attributes[IFLA_INFO_KIND], sizeof(link->kind));
	if (attributes[IFLA_INFO_DATA] && strcmp(link->kind, "vxlan") == 0)
		read_vxlan(attributes[IFLA_INFO_DATA], link);
}

static bool makes_ipv6(struct nlattr *specs)
{
	struct nlattr *inet6 = nla_find(nla_data(specs), nla_len(specs), AF_INET6);
	struct nlattr *mode =
		inet6 ? nla_find(nla_data(inet6), nla_len(inet6), IFLA_INET6_ADDR_GEN_MODE) : NULL;
	return mode && nla_get_u8(mode) != ADDR_GEN_NONE;
}

static void visit_link(const struct nlmsghdr *message, void *data)
{
	struct vg_kernel_state *state = data;
	struct nlattr *attributes[IFLA_MAX + 1];
	const struct ifinfomsg *header = nlmsg_data(message);
	if (message->nlmsg_type != RTM_NEWLINK ||
		nlmsg_parse((struct nlmsghdr *)message, sizeof(*header), attributes, IFLA_MAX,
			NULL) < 0 ||
		!attributes[IFLA_IFNAME])
		return;
	struct vg_kernel_link *link = &vg_append(state->links, state->n_links);
	link->index = header->ifi_index;
	link->flags = header->ifi_flags;
	nla_strlcpy(link->name, attributes[IFLA_IFNAME], sizeof(link->name));
	link->alias = attributes[IFLA_IFALIAS] ? vg_strndup(nla_data(attributes[IFLA_IFALIAS]),
							 (size_t)nla_len(attributes[IFLA_IFALIAS]))
					       : vg_strdup("");
	if (attributes[IFLA_MASTER])
		link->master = nla_get_s32(attributes[IFLA_MASTER]);
	if (attributes[IFLA_GROUP])
		link->group = nla_get_u32(attributes[IFLA_GROUP]);
	if (attributes[IFLA_MTU])
		link->mtu = nla_get_u32(attributes[IFLA_MTU]);
	if (attributes[IFLA_CARRIER])
		link->has_carrier = nla_get_u8(attributes[IFLA_CARRIER]);
	if (attributes[IFLA_LINKINFO])
		read_info(attributes[IFLA_LINKINFO], link);
	if (attributes[IFLA_AF_SPEC])
		link->makes_ipv6 = makes_ipv6(attributes[IFLA_AF_SPEC]);
}

struct vg_error *vg_kernel_read_links(struct vg_netlink *netlink, struct vg_kernel_state *state)
{
	forget_links(state);
	struct nl_msg *request = nlmsg_alloc_simple(RTM_GETLINK, NLM_F_DUMP);
	struct ifinfomsg header = {.ifi_family = AF_UNSPEC};
	if (!request)
		abort();
	nlmsg_append(request, &header, sizeof(header), NLMSG_ALIGNTO);
	nla_put_u32(request, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	struct vg_error *error =
		vg_netlink_ask(netlink, request, visit_link, forget_links, state, NULL);
	if (error)
		return error;
	state->by_name = vg_map_new();
	for (size_t i = 0; i < state->n_links; i++)
		vg_map_set(state->by_name, state->links[i].name, &state->links[i]);
	return NULL;
}

static void visit_entry(const struct nlmsghdr *message, void *data)
{
	struct vg_kernel_state *state = data;
	struct nlattr *attributes[NDA_MAX + 1];
	const struct ndmsg *header = nlmsg_data(message);
	if (message->nlmsg_type != RTM_NEWNEIGH ||
		nlmsg_parse((struct nlmsghdr *)message, sizeof(*header), attributes, NDA_MAX,
			NULL) < 0 ||
		!attributes[NDA_LLADDR])
		return;
	struct vg_kernel_entry entry = {.link = header->ndm_ifindex};
	entry.is_self = attributes[NDA_DST] != NULL;
	if (!entry.is_self && !(attributes[NDA_MASTER] && header->ndm_state == NUD_NOARP))
		return;
	nla_memcpy(entry.mac.bytes, attributes[NDA_LLADDR], sizeof(entry.mac.bytes));
	if (entry.is_self)
		read_ip(attributes[NDA_DST], &entry.tunnel);
	vg_append(state->entries, state->n_entries) = entry;
}

struct vg_error *vg_kernel_read_entries(struct vg_netlink *netlink, struct vg_kernel_state *state)
{
	forget_entries(state);
	struct nl_msg *request = nlmsg_alloc_simple(RTM_GETNEIGH, NLM_F_DUMP);
	struct ndmsg header = {.ndm_family = AF_BRIDGE};
	if (!request)
		abort();
	nlmsg_append(request, &header, sizeof(header), NLMSG_ALIGNTO);
	struct vg_error *error =
		vg_netlink_ask(netlink, request, visit_entry, forget_entries, state, NULL);
	if (!error && state->n_entries)
		qsort(state->entries, state->n_entries, sizeof(*state->entries),
			vg_kernel_entry_compare);
	return error;
}

const struct vg_kernel_link *vg_kernel_link(const struct vg_kernel_state *state, const char *name)
{
	return vg_map_get(state->by_name, name);
}

int vg_kernel_entry_compare(const void *a, const void *b)
{
	const struct vg_kernel_entry *first = a, *second = b;
	if (first->link != second->link)
		return first->link < second->link ? -1 : 1;
	if (first->is_self != second->is_self)
		return first->is_self ? 1 : -1;
	int order = memcmp(first->mac.bytes, second->mac.bytes, sizeof(first->mac.bytes));
	return order ? order : vg_ip_compare(&first->tunnel, &second->tunnel);
}

bool vg_kernel_has_entry(const struct vg_kernel_state *state, const struct vg_kernel_entry *entry)
{
	return state->n_entries && bsearch(entry, state->entries, state->n_entries, sizeof(*entry),
					   vg_kernel_entry_compare);
}
