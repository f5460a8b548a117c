// SPDX-License-Identifier: Apache-2.0
//
// Links that are there get what they need to work together.
#include "net/kernel_links.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include "base/memory.h"
#include "net/inside.h"
#include "net/kernel_batch.h"

enum { ADDR_GEN_NONE = 1 };

static struct nl_msg *change(struct vg_batch *batch, const struct vg_kernel_want *item,
	const struct vg_kernel_link *link, unsigned flags)
{
	struct vg_request *request =
		vg_batch_add(batch, RTM_SETLINK, 0, "setting up the link of", item->subject);
	struct ifinfomsg header = {.ifi_family = AF_UNSPEC,
		.ifi_index = link->index,
		.ifi_flags = flags,
		.ifi_change = flags};
	request->place = item->place;
	nlmsg_append(request->message, &header, sizeof(header), NLMSG_ALIGNTO);
	return request->message;
}

// The host itself takes no part in an overlay: it neither has an address there nor answers. A
// bridge without ARP does not say who has the host's other addresses.
static unsigned flags_of(const struct vg_kernel_want *item)
{
	return item->kind == VG_KERNEL_BRIDGE ? IFF_UP | IFF_NOARP : IFF_UP;
}

static void adjust(struct vg_batch *batch, const struct vg_kernel_wants *wants,
	const struct vg_kernel_want *item, const struct vg_kernel_link *link, int master)
{
	if (link->makes_ipv6) {
		struct nl_msg *message = change(batch, item, link, 0);
		struct nlattr *spec = nla_nest_start(message, IFLA_AF_SPEC);
		struct nlattr *inet6 = nla_nest_start(message, AF_INET6);
		nla_put_u8(message, IFLA_INET6_ADDR_GEN_MODE, ADDR_GEN_NONE);
		nla_nest_end(message, inet6);
		nla_nest_end(message, spec);
	}
	unsigned flags = flags_of(item);
	bool has_group = link->group == wants->slice->link_group;
	bool has_flags = (link->flags & flags) == flags;
	if (has_group && has_flags && link->mtu == item->overlay->mtu && link->master == master)
		return;
	struct nl_msg *message = change(batch, item, link, has_flags ? 0 : flags);
	if (!has_group)
		nla_put_u32(message, IFLA_GROUP, wants->slice->link_group);
	if (link->mtu != item->overlay->mtu)
		nla_put_u32(message, IFLA_MTU, item->overlay->mtu);
	if (link->master != master)
		nla_put_u32(message, IFLA_MASTER, (uint32_t)master);
	// The rate of a port is not enforced by this driver; the plan says so.
}

struct quieting {
	const struct vg_kernel_wants *wants;
	const struct vg_kernel_state *state;
};

static struct vg_error *write_sysctl(const char *family, const char *link, const char *name)
{
	_auto(vg_string) char *path = vg_format("/proc/sys/net/%s/conf/%s/%s", family, link, name);
	_auto(vg_fd) int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) // a kernel without IPv6
		return NULL;
	if (fd < 0 || write(fd, "1", 1) != 1)
		return vg_error_errno(errno, "writing to %s", path);
	return NULL;
}

// Before a bridge starts: no IPv6 at all on it, whatever a member announces, and no IPv4 packet
// taken for the host's own, since none has a way back through the bridge (strict reverse path
// filter).
static struct vg_error *quiet(void *data)
{
	const struct quieting *quieting = data;
	struct vg_error *error = NULL;
	for (size_t i = 0; i < quieting->wants->n_items && !error; i++) {
		const struct vg_kernel_want *item = &quieting->wants->items[i];
		const struct vg_kernel_link *link = vg_kernel_link(quieting->state, item->name);
		if (item->kind != VG_KERNEL_BRIDGE || !link || link->flags & IFF_UP)
			continue;
		error = write_sysctl("ipv6", item->name, "disable_ipv6");
		if (!error)
			error = write_sysctl("ipv4", item->name, "rp_filter");
	}
	return error;
}

struct vg_error *vg_kernel_adjust(struct vg_netlink *netlink, int namespace_fd,
	const struct vg_kernel_wants *wants, const struct vg_kernel_state *state)
{
	struct quieting quieting = {wants, state};
	struct vg_error *error = vg_inside(namespace_fd, quiet, &quieting);
	if (error)
		return error;
	_auto(vg_batch) struct vg_batch batch = {0};
	int bridge = 0;
	for (size_t i = 0; i < wants->n_items; i++) {
		const struct vg_kernel_want *item = &wants->items[i];
		const struct vg_kernel_link *link = vg_kernel_link(state, item->name);
		if (!link)
			return vg_error_at(item->place,
				"the link of '%s' was removed by somebody else", item->subject);
		if (item->kind == VG_KERNEL_BRIDGE)
			bridge = link->index;
		int master = item->kind == VG_KERNEL_BRIDGE ? 0 : bridge ? bridge : link->master;
		adjust(&batch, wants, item, link, master);
	}
	return vg_batch_send(netlink, &batch);
}
