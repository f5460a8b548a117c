// SPDX-License-Identifier: Apache-2.0
#include "box/underlay.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/memory.h"
#include "box/namespace.h"
#include "net/link.h"

static const char bridge[] = "underlay", inside[] = VG_LINK_UNDERLAY;

enum { PREFIX = 24, PREFIX_ALONE = 32, OPERATOR = VG_UNDERLAY_BOXES_MAX };

struct vg_ip vg_underlay_address(size_t i)
{
	assert(i <= OPERATOR);
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
	struct vg_mac mac;
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
	if (memcmp(request.ifr_hwaddr.sa_data, naming->mac.bytes, sizeof(naming->mac.bytes)) == 0)
		return NULL;
	memcpy(request.ifr_hwaddr.sa_data, naming->mac.bytes, sizeof(naming->mac.bytes));
	if (ioctl(fd, SIOCSIFHWADDR, &request) < 0)
		return vg_error_errno(errno, "setting the MAC of link '%s'", naming->link);
	return NULL;
}

struct vg_mac vg_underlay_mac(size_t i)
{
	struct vg_ip address = vg_underlay_address(i);
	struct vg_mac mac = {{0x02, 'v'}};
	memcpy(&mac.bytes[2], address.bytes, 4);
	return mac;
}

// The other boxes remember for half a minute which MAC belongs to an address.
static struct vg_error *name_link(const struct vg_box *box, size_t i)
{
	struct naming naming = {.link = inside, .mac = vg_underlay_mac(i)};
	return vg_namespace_call(box->net_fd, set_mac, &naming);
}

// Runs inside the box. A frame that a bridge takes from the link is seen by the kernel too: with a
// MAC of its own and without ARP it leaves it alone.
static struct vg_error *mute_link(void *data)
{
	(void)data;
	_auto(vg_fd) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = {0};
	strcpy(request.ifr_name, inside);
	if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &request) < 0)
		return vg_error_errno(errno, "looking at the link '%s'", inside);
	if (request.ifr_flags & IFF_NOARP)
		return NULL;
	request.ifr_flags |= IFF_NOARP;
	if (ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		return vg_error_errno(errno, "turning ARP off on the link '%s'", inside);
	return NULL;
}

static struct vg_error *plug(struct vg_netlink *sw, struct vg_netlink *there,
	const struct vg_box *box, size_t i, bool is_carried)
{
	_auto(vg_string) char *port = vg_format("box%zu", i);
	struct vg_error *error = make_link(sw, there, box, port);
	if (!error)
		error = is_carried ? vg_namespace_call(box->net_fd, mute_link, NULL)
				   : name_link(box, i);
	if (!error)
		error = vg_link_master(sw, port, bridge);
	return error ? error : vg_link_up(sw, port);
}

static struct vg_error *connect_box(struct vg_netlink *sw, const struct vg_box *box, size_t i)
{
	struct vg_ip address = vg_underlay_address(i);
	_auto(vg_netlink) struct vg_netlink *there = NULL;
	struct vg_error *error = vg_netlink_open(box->net_fd, &there);
	if (!error)
		error = plug(sw, there, box, i, false);
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

// Runs inside the switch. What the operator sends has its checksums when it leaves: Open vSwitch reads
// frames as they are, and the kernel would leave that work to a NIC (ethtool's tx-checksumming).
static struct vg_error *checksum_early(void *data)
{
	(void)data;
	_auto(vg_fd) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ethtool_value off = {.cmd = ETHTOOL_STXCSUM};
	struct ifreq request = {.ifr_data = (void *)&off};
	strcpy(request.ifr_name, bridge);
	if (fd < 0 || ioctl(fd, SIOCETHTOOL, &request) < 0)
		return vg_error_errno(errno, "setting up the link '%s'", bridge);
	return NULL;
}

struct vg_error *vg_underlay_make(struct vg_box *sw)
{
	struct vg_ip address = vg_underlay_address(OPERATOR);
	_auto(vg_netlink) struct vg_netlink *netlink = NULL;
	struct vg_error *error = vg_netlink_open(sw->net_fd, &netlink);
	if (!error)
		error = vg_link_bridge(netlink, bridge, VG_UNDERLAY_MTU);
	if (!error)
		error = vg_namespace_call(sw->net_fd, checksum_early, NULL);
	if (!error)
		error = vg_link_address(netlink, bridge, &address, PREFIX);
	if (!error)
		error = vg_link_up(netlink, bridge);
	return vg_error_while(error, "making the underlay");
}

struct vg_error *vg_underlay_plug(
	struct vg_box *sw, const struct vg_box *box, size_t i, bool is_carried)
{
	_auto(vg_netlink) struct vg_netlink *netlink = NULL;
	_auto(vg_netlink) struct vg_netlink *there = NULL;
	struct vg_error *error = vg_netlink_open(sw->net_fd, &netlink);
	if (!error)
		error = vg_netlink_open(box->net_fd, &there);
	if (!error)
		error = plug(netlink, there, box, i, is_carried);
	if (!error)
		error = vg_link_up(there, inside);
	return vg_error_while(error, "connecting the box '%s' to the underlay", box->name);
}

struct vg_error *vg_underlay_name(const struct vg_box *box, const char *link, size_t i)
{
	struct vg_ip address = vg_underlay_address(i);
	_auto(vg_netlink) struct vg_netlink *there = NULL;
	struct vg_error *error = vg_netlink_open(box->net_fd, &there);
	if (!error)
		error = vg_link_address(there, link, &address, PREFIX);
	if (!error)
		error = vg_link_up(there, link);
	return vg_error_while(error, "giving the box '%s' its address", box->name);
}
