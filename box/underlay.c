// SPDX-License-Identifier: Apache-2.0
#include "box/underlay.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/memory.h"
#include "box/namespace.h"
#include "net/link.h"

static const char bridge[] = "underlay", inside[] = VG_LINK_UNDERLAY;

enum { PREFIX = 24, PREFIX_ALONE = 32 };

struct vg_ip vg_underlay_address(size_t i)
{
	assert(i < VG_UNDERLAY_BOXES_MAX);
	return (struct vg_ip){.bytes = {192, 0, 2, (uint8_t)(1 + i)}};
}

// A box or switch that was just replaced may have left the other end of its link behind, until the
// kernel has cleared away the namespace that died: such an end is removed, and all is made anew.
static struct vg_error *make_link(
	struct vg_netlink *sw, struct vg_netlink *there, const struct vg_box *box, const char *port)
{
	struct vg_error *error = vg_link_veth(sw, port, inside, box->net_fd, VG_UNDERLAY_MTU);
	if (!error)
		return NULL;
	vg_error_free(error);
	vg_error_ignore(vg_link_remove(sw, port));
	vg_error_ignore(vg_link_remove(there, inside));
	return vg_link_veth(sw, port, inside, box->net_fd, VG_UNDERLAY_MTU);
}

struct naming {
	const char *link;
	uint8_t mac[6];
};

// Runs inside the box. netdevice(7).
static struct vg_error *set_mac(void *data)
{
	const struct naming *naming = data;
	_auto(vg_fd) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = {0};
	strcpy(request.ifr_name, naming->link);
	if (fd < 0 || ioctl(fd, SIOCGIFHWADDR, &request) < 0)
		return vg_error_errno(errno, "reading the MAC of link '%s'", naming->link);
	if (memcmp(request.ifr_hwaddr.sa_data, naming->mac, sizeof(naming->mac)) == 0)
		return NULL;
	memcpy(request.ifr_hwaddr.sa_data, naming->mac, sizeof(naming->mac));
	if (ioctl(fd, SIOCSIFHWADDR, &request) < 0)
		return vg_error_errno(errno, "setting the MAC of link '%s'", naming->link);
	return NULL;
}

// The MAC follows from the address, so that a box that replaces another is reached at once: the
// other boxes remember for half a minute which MAC belongs to an address.
static struct vg_error *name_link(const struct vg_box *box, const struct vg_ip *address)
{
	struct naming naming = {.link = inside, .mac = {0x02, 'v'}};
	memcpy(&naming.mac[2], address->bytes, 4);
	return vg_namespace_call(box->net_fd, set_mac, &naming);
}

static struct vg_error *connect_box(struct vg_netlink *sw, const struct vg_box *box, size_t i)
{
	struct vg_ip address = vg_underlay_address(i);
	_auto(vg_string) char *port = vg_format("box%zu", i);
	_auto(vg_netlink) struct vg_netlink *there = NULL;
	struct vg_error *error = vg_netlink_open(box->net_fd, &there);
	if (!error)
		error = make_link(sw, there, box, port);
	if (!error)
		error = name_link(box, &address);
	if (!error)
		error = vg_link_master(sw, port, bridge);
	if (!error)
		error = vg_link_up(sw, port);
	if (!error)
		error = vg_link_address(there, inside, &address, PREFIX);
	if (!error)
		error = vg_link_up(there, inside);
	return vg_error_while(error, "connecting the box '%s' to the underlay", box->name);
}

static struct vg_error *connect_alone(const struct vg_box *box)
{
	struct vg_ip address = vg_underlay_address(0);
	_auto(vg_netlink) struct vg_netlink *there = NULL;
	struct vg_error *error = vg_netlink_open(box->net_fd, &there);
	if (!error)
		error = vg_link_address(there, "lo", &address, PREFIX_ALONE);
	return vg_error_while(error, "giving the box '%s' its address", box->name);
}

struct vg_error *vg_underlay_connect(struct vg_box *sw, struct vg_box *const *boxes, size_t n_boxes)
{
	assert(n_boxes > 0 && n_boxes <= VG_UNDERLAY_BOXES_MAX);
	if (n_boxes == 1)
		return connect_alone(boxes[0]);
	_auto(vg_netlink) struct vg_netlink *netlink = NULL;
	struct vg_error *error = vg_netlink_open(sw->net_fd, &netlink);
	if (!error)
		error = vg_link_bridge(netlink, bridge, VG_UNDERLAY_MTU);
	if (!error)
		error = vg_link_up(netlink, bridge);
	for (size_t i = 0; i < n_boxes && !error; i++)
		error = connect_box(netlink, boxes[i], i);
	return error;
}
