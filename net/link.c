// SPDX-License-Identifier: Apache-2.0
#include "net/link.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <string.h>
#include <sys/socket.h>

#include "base/memory.h"
#include "net/inside.h"
#include "net/kernel_batch.h"

enum { RECEIVE_SIZE = 1 << 20, MESSAGE_SIZE = 64 << 10, ADDR_GEN_NONE = 1 };

static struct vg_error *open_here(void *data)
{
	struct vg_netlink *netlink = data;
	int status = nl_connect(netlink->socket, NETLINK_ROUTE);
	return status < 0 ? vg_error_new("opening netlink: %s", nl_geterror(status)) : NULL;
}

struct vg_error *vg_netlink_open(int namespace_fd, struct vg_netlink **ret)
{
	_auto(vg_netlink) struct vg_netlink *netlink = vg_new(struct vg_netlink);
	netlink->socket = nl_socket_alloc();
	if (!netlink->socket)
		abort();
	struct vg_error *error = vg_inside(namespace_fd, open_here, netlink);
	if (error)
		return error;
	// Refusals in words and without a copy of the request: wishes, older kernels go without.
	int yes = 1, fd = nl_socket_get_fd(netlink->socket);
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &yes, sizeof(yes));
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &yes, sizeof(yes));
	nl_socket_set_buffer_size(netlink->socket, RECEIVE_SIZE, 0);
	nl_socket_set_msg_buf_size(netlink->socket, MESSAGE_SIZE);
	*ret = vg_take(netlink);
	return NULL;
}

void vg_netlink_free(struct vg_netlink *netlink)
{
	if (!netlink)
		return;
	nl_socket_free(netlink->socket);
	free(netlink);
}

// A request about a link, by its name; more attributes may follow.
static struct nl_msg *request(
	struct vg_batch *batch, int type, int flags, const char *doing, const char *name)
{
	struct vg_request *added = vg_batch_add(batch, type, flags, doing, name);
	struct ifinfomsg header = {.ifi_family = AF_UNSPEC};
	nlmsg_append(added->message, &header, sizeof(header), NLMSG_ALIGNTO);
	nla_put_string(added->message, IFLA_IFNAME, name);
	return added->message;
}

// What link.c asks of a link that is there.
struct found {
	bool is_there;
	int index;
	int peer; // IFLA_LINK: of a veth, the index of its other end
	char kind[16];
};

static void visit_link(const struct nlmsghdr *message, void *data)
{
	struct found *found = data;
	struct nlattr *attributes[IFLA_MAX + 1], *info[IFLA_INFO_MAX + 1];
	if (message->nlmsg_type != RTM_NEWLINK ||
		nlmsg_parse((struct nlmsghdr *)message, sizeof(struct ifinfomsg), attributes,
			IFLA_MAX, NULL) < 0)
		return;
	found->is_there = true;
	found->index = ((const struct ifinfomsg *)nlmsg_data(message))->ifi_index;
	if (attributes[IFLA_LINK])
		found->peer = nla_get_s32(attributes[IFLA_LINK]);
	if (attributes[IFLA_LINKINFO] &&
		nla_parse_nested(info, IFLA_INFO_MAX, attributes[IFLA_LINKINFO], NULL) == 0 &&
		info[IFLA_INFO_KIND])
		nla_strlcpy(found->kind, info[IFLA_INFO_KIND], sizeof(found->kind));
}

// A link that is not there is no error: ret_found->is_there says so.
static struct vg_error *find(struct vg_netlink *netlink, const char *name, struct found *ret_found)
{
	struct nl_msg *message = nlmsg_alloc_simple(RTM_GETLINK, 0);
	struct ifinfomsg header = {.ifi_family = AF_UNSPEC};
	if (!message)
		abort();
	nlmsg_append(message, &header, sizeof(header), NLMSG_ALIGNTO);
	nla_put_string(message, IFLA_IFNAME, name);
	struct found found = {0};
	int refusal = 0;
	struct vg_error *error =
		vg_netlink_ask(netlink, message, visit_link, NULL, &found, &refusal);
	if (error)
		return error;
	if (refusal != 0 && refusal != ENODEV)
		return vg_error_errno(refusal, "reading link '%s'", name);
	*ret_found = found;
	return NULL;
}

static struct vg_error *find_existing(
	struct vg_netlink *netlink, const char *name, struct found *ret_found)
{
	struct found found;
	struct vg_error *error = find(netlink, name, &found);
	if (error)
		return error;
	if (!found.is_there)
		return vg_error_of(VG_ERROR_NOT_FOUND, "there is no link '%s'", name);
	*ret_found = found;
	return NULL;
}

static struct vg_error *set_mtu(struct vg_netlink *netlink, const char *name, unsigned mtu)
{
	_auto(vg_batch) struct vg_batch batch = {0};
	nla_put_u32(
		request(&batch, RTM_SETLINK, 0, "setting the MTU of link", name), IFLA_MTU, mtu);
	return vg_batch_send(netlink, &batch);
}

struct vg_error *vg_link_up(struct vg_netlink *netlink, const char *name)
{
	_auto(vg_batch) struct vg_batch batch = {0};
	struct nl_msg *message = request(&batch, RTM_SETLINK, 0, "starting link", name);
	struct ifinfomsg *header = nlmsg_data(nlmsg_hdr(message));
	header->ifi_flags = header->ifi_change = IFF_UP;
	return vg_batch_send(netlink, &batch);
}

// No IPv6 address comes by itself: addresses are only what vgrid gives.
static void put_no_ipv6(struct nl_msg *message)
{
	struct nlattr *spec = nla_nest_start(message, IFLA_AF_SPEC);
	struct nlattr *inet6 = nla_nest_start(message, AF_INET6);
	nla_put_u8(message, IFLA_INET6_ADDR_GEN_MODE, ADDR_GEN_NONE);
	nla_nest_end(message, inet6);
	nla_nest_end(message, spec);
}

struct vg_error *vg_link_bridge(struct vg_netlink *netlink, const char *name, unsigned mtu)
{
	struct found found;
	struct vg_error *error = find(netlink, name, &found);
	if (error)
		return error;
	if (found.is_there && strcmp(found.kind, "bridge") != 0)
		return vg_error_new("link '%s' exists and is no bridge", name);
	_auto(vg_batch) struct vg_batch batch = {0};
	if (!found.is_there) {
		struct nl_msg *message = request(
			&batch, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, "making bridge", name);
		struct nlattr *info = nla_nest_start(message, IFLA_LINKINFO);
		nla_put_string(message, IFLA_INFO_KIND, "bridge");
		nla_nest_end(message, info);
		put_no_ipv6(request(&batch, RTM_SETLINK, 0, "switching IPv6 off on bridge", name));
	}
	// Said once more for a new one: a bridge keeps only an MTU that was set, and follows its
	// ports otherwise.
	nla_put_u32(
		request(&batch, RTM_SETLINK, 0, "setting the MTU of bridge", name), IFLA_MTU, mtu);
	return vg_batch_send(netlink, &batch);
}

static struct vg_error *make_veth(struct vg_netlink *netlink, const char *name, const char *peer,
	int peer_namespace_fd, unsigned mtu)
{
	_auto(vg_batch) struct vg_batch batch = {0};
	struct nl_msg *message =
		request(&batch, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, "making veth", name);
	nla_put_u32(message, IFLA_MTU, mtu);
	struct nlattr *info = nla_nest_start(message, IFLA_LINKINFO);
	nla_put_string(message, IFLA_INFO_KIND, "veth");
	struct nlattr *data = nla_nest_start(message, IFLA_INFO_DATA);
	struct nlattr *other = nla_nest_start(message, VETH_INFO_PEER);
	struct ifinfomsg header = {.ifi_family = AF_UNSPEC};
	nlmsg_append(message, &header, sizeof(header), NLMSG_ALIGNTO);
	nla_put_string(message, IFLA_IFNAME, peer);
	nla_put_u32(message, IFLA_MTU, mtu);
	if (peer_namespace_fd >= 0)
		nla_put_u32(message, IFLA_NET_NS_FD, (uint32_t)peer_namespace_fd);
	nla_nest_end(message, other);
	nla_nest_end(message, data);
	nla_nest_end(message, info);
	return vg_batch_send(netlink, &batch);
}

struct vg_error *vg_link_veth(struct vg_netlink *netlink, const char *name, const char *peer,
	int peer_namespace_fd, unsigned mtu)
{
	struct found found, other;
	struct vg_error *error = find(netlink, name, &found);
	if (error)
		return error;
	if (!found.is_there)
		return make_veth(netlink, name, peer, peer_namespace_fd, mtu);
	_auto(vg_netlink) struct vg_netlink *there = NULL;
	error = vg_netlink_open(peer_namespace_fd, &there);
	if (!error)
		error = find(there, peer, &other);
	if (error)
		return error;
	if (strcmp(found.kind, "veth") != 0 || !other.is_there || strcmp(other.kind, "veth") != 0 ||
		found.peer != other.index || other.peer != found.index)
		return vg_error_new(
			"link '%s' exists and is not the other end of '%s'", name, peer);
	error = set_mtu(netlink, name, mtu);
	return error ? error : set_mtu(there, peer, mtu);
}

struct vg_error *vg_link_master(struct vg_netlink *netlink, const char *name, const char *bridge)
{
	struct found found = {0};
	struct vg_error *error = find_existing(netlink, bridge, &found);
	if (error)
		return error;
	_auto(vg_batch) struct vg_batch batch = {0};
	nla_put_u32(request(&batch, RTM_SETLINK, 0, "giving a bridge the port", name), IFLA_MASTER,
		(uint32_t)found.index);
	return vg_batch_send(netlink, &batch);
}

struct vg_error *vg_link_address(
	struct vg_netlink *netlink, const char *name, const struct vg_ip *address, unsigned prefix)
{
	struct found found = {0};
	struct vg_error *error = find_existing(netlink, name, &found);
	if (error)
		return error;
	_auto(vg_batch) struct vg_batch batch = {0};
	struct vg_request *added = vg_batch_add(
		&batch, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, "giving an address to link", name);
	added->tolerated = EEXIST;
	// An IPv6 address serves at once: nobody else can have it, vgrid gives all there are.
	struct ifaddrmsg header = {.ifa_family = address->is_ipv6 ? AF_INET6 : AF_INET,
		.ifa_prefixlen = (uint8_t)prefix,
		.ifa_flags = address->is_ipv6 ? IFA_F_NODAD : 0,
		.ifa_index = (unsigned)found.index};
	nlmsg_append(added->message, &header, sizeof(header), NLMSG_ALIGNTO);
	int size = address->is_ipv6 ? 16 : 4;
	nla_put(added->message, IFA_LOCAL, size, address->bytes);
	nla_put(added->message, IFA_ADDRESS, size, address->bytes);
	return vg_batch_send(netlink, &batch);
}

struct vg_error *vg_link_remove(struct vg_netlink *netlink, const char *name)
{
	_auto(vg_batch) struct vg_batch batch = {0};
	request(&batch, RTM_DELLINK, 0, "removing link", name);
	batch.items[0].tolerated = ENODEV;
	return vg_batch_send(netlink, &batch);
}
