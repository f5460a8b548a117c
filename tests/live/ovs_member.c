// SPDX-License-Identifier: Apache-2.0
//
// Members: network namespaces behind the ports.
#include "tests/live/ovs_world.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>

#include "net/inside.h"
#include "tests/unit/test.h"

enum { PORT = 7000, WAIT_MS = 10000, WARM_UP_MS = 500 };

struct message {
	uint32_t crowd, number;
	uint8_t rest[2000];
};

struct opening {
	int family, type, protocol, fd;
};

static struct vg_error *open_socket(void *data)
{
	struct opening *opening = data;
	opening->fd = socket(opening->family, opening->type | SOCK_CLOEXEC, opening->protocol);
	return opening->fd < 0 ? vg_error_errno(errno, "opening a socket") : NULL;
}

static int socket_in(int namespace_fd, int family, int type, int protocol)
{
	struct opening opening = {family, type, protocol, -1};
	struct vg_error *error = vg_inside(namespace_fd, open_socket, &opening);
	if (error)
		fail_msg("%s", vg_error_text(error));
	return opening.fd;
}

static struct vg_error *make_namespace(void *data)
{
	int *fd = data;
	if (unshare(CLONE_NEWNET) < 0)
		return vg_error_errno(errno, "a network namespace");
	*fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	return NULL;
}

// The userspace datapath takes frames as they are: no checksum or segment may be left to a device.
static void prepare(int namespace_fd, const char *link, const struct vg_mac *mac)
{
	_auto(vg_fd) int fd = socket_in(namespace_fd, AF_INET, SOCK_DGRAM, 0);
	static const uint32_t commands[] = {
		ETHTOOL_STXCSUM, ETHTOOL_SRXCSUM, ETHTOOL_STSO, ETHTOOL_SGSO, ETHTOOL_SGRO};
	struct ifreq request = {0};
	strncpy(request.ifr_name, link, IFNAMSIZ - 1);
	if (mac) {
		request.ifr_hwaddr.sa_family = ARPHRD_ETHER;
		memcpy(request.ifr_hwaddr.sa_data, mac->bytes, sizeof(mac->bytes));
		assert_int_equal(ioctl(fd, SIOCSIFHWADDR, &request), 0);
	}
	for (size_t i = 0; i < VG_LENGTH(commands); i++) {
		struct ethtool_value value = {.cmd = commands[i]};
		request.ifr_data = (void *)&value;
		ioctl(fd, SIOCETHTOOL, &request);
	}
}

// What is open, for a claim that fails before it closes it: the hosts' ends of the links.
static struct open_link {
	struct vg_netlink *netlink;
	char name[IFNAMSIZ];
} open_links[64];
static size_t n_open_links;

void members_forget(void)
{
	while (n_open_links > 0) {
		struct open_link *link = &open_links[--n_open_links];
		assert_null(vg_link_remove(link->netlink, link->name));
	}
}

// ovs-vswitchd reads a new link's flags, adds IFF_PROMISC and writes them back: a link that was
// brought up in between is down again.
static void bring_up(struct host *host, const char *link)
{
	_auto(vg_string) char *question = vg_format("get interface %s admin_state", link);
	for (uint64_t end = now_ms() + WAIT_MS; now_ms() < end; poll(NULL, 0, 10)) {
		assert_null(vg_link_up(host->netlink, link));
		_auto(vg_string) char *answer = vsctl(host, question);
		if (strcmp(answer, "up\n") == 0)
			return;
	}
	fail_msg("the switch does not see '%s' come up", link);
}

void member_open(struct member *member, const struct vg_grid *grid, size_t node)
{
	struct host *host = &hosts[grid->nodes[node].host];
	const struct vg_nic_binding *binding = &grid->nodes[node].nics[0];
	_auto(vg_slice) struct vg_slice *slice = world_slice(grid, grid->nodes[node].host, 1);
	const char *link = NULL;
	for (size_t i = 0; i < slice->overlays[0].n_ports; i++)
		if (memcmp(&slice->overlays[0].ports[i].mac, &binding->mac, sizeof(binding->mac)) ==
			0)
			link = slice->overlays[0].ports[i].link;
	assert_non_null(link);
	*member = (struct member){.namespace_fd = -1,
		.ip = binding->address,
		.mac = binding->mac,
		.crowd = (uint32_t)grid->uuid[0]};
	// On a thread of its own, since the test's stays where it is.
	assert_null(vg_inside(host->namespace_fd, make_namespace, &member->namespace_fd));
	_auto(vg_netlink) struct vg_netlink *netlink = NULL;
	assert_null(vg_netlink_open(member->namespace_fd, &netlink));
	assert_null(vg_link_veth(host->netlink, link, "eth0", member->namespace_fd, 1450));
	assert_true(n_open_links < VG_LENGTH(open_links));
	struct open_link *opened = &open_links[n_open_links++];
	opened->netlink = host->netlink;
	strncpy(opened->name, link, IFNAMSIZ - 1);
	prepare(member->namespace_fd, "eth0", &binding->mac);
	prepare(host->namespace_fd, link, NULL);
	assert_null(vg_link_up(netlink, "lo"));
	assert_null(vg_link_up(netlink, "eth0"));
	bring_up(host, link);
	assert_null(vg_link_address(netlink, "eth0", &binding->address, 24));
	member->udp = socket_in(member->namespace_fd, AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(PORT)};
	int yes = 1, never = IP_PMTUDISC_DO;
	setsockopt(member->udp, SOL_SOCKET, SO_BROADCAST, &yes, sizeof(yes));
	setsockopt(member->udp, IPPROTO_IP, IP_MTU_DISCOVER, &never, sizeof(never));
	assert_int_equal(bind(member->udp, (struct sockaddr *)&any, sizeof(any)), 0);
}

void member_close(struct member *member)
{
	close(member->udp);
	close(member->namespace_fd);
}

static unsigned index_of(const struct member *member)
{
	_auto(vg_fd) int fd = socket_in(member->namespace_fd, AF_INET, SOCK_DGRAM, 0);
	struct ifreq request = {.ifr_name = "eth0"};
	assert_int_equal(ioctl(fd, SIOCGIFINDEX, &request), 0);
	return (unsigned)request.ifr_ifindex;
}

// IPv4 as IPv6 has it, so that one socket serves both.
static struct sockaddr_in6 address_of(const struct vg_ip *ip, const struct member *from)
{
	struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons(PORT)};
	if (ip->is_ipv6) {
		memcpy(&address.sin6_addr, ip->bytes, 16);
		address.sin6_scope_id = index_of(from);
		return address;
	}
	address.sin6_addr.s6_addr[10] = address.sin6_addr.s6_addr[11] = 0xff;
	memcpy(address.sin6_addr.s6_addr + 12, ip->bytes, 4);
	return address;
}

int member_liar(const struct member *member, const char *text)
{
	_auto(vg_netlink) struct vg_netlink *netlink = NULL;
	struct vg_ip ip;
	assert_null(vg_ip_read(text, &ip));
	assert_null(vg_netlink_open(member->namespace_fd, &netlink));
	assert_null(vg_link_address(netlink, "eth0", &ip, ip.is_ipv6 ? 64 : 24));
	int fd = socket_in(member->namespace_fd, AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	struct sockaddr_in6 address = address_of(&ip, member);
	address.sin6_port = 0;
	// An IPv6 address is not to be had before it was looked for twice (RFC 4862).
	uint64_t end = now_ms() + WAIT_MS;
	while (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		assert_true(errno == EADDRNOTAVAIL && now_ms() < end);
		poll(NULL, 0, 20);
	}
	return fd;
}

bool member_send(
	const struct member *from, int fd, const struct vg_ip *to, uint32_t number, size_t size)
{
	struct message message = {.crowd = from->crowd, .number = number};
	struct sockaddr_in6 address = address_of(to, from);
	assert_in_range(size, 8, sizeof(message));
	return sendto(fd, &message, size, 0, (struct sockaddr *)&address, sizeof(address)) ==
	       (ssize_t)size;
}

static void hear(struct member *member)
{
	struct message message;
	while (recv(member->udp, &message, sizeof(message), 0) >= 8) {
		if (message.crowd != member->crowd)
			member->n_strangers++;
		else if (message.number < NUMBERS)
			member->heard[message.number]++;
	}
}

void member_reach(struct member *from, struct member *to, uint32_t number)
{
	member_reach_at(from, to, &to->ip, number);
}

void member_reach_at(
	struct member *from, struct member *to, const struct vg_ip *at, uint32_t number)
{
	for (uint64_t end = now_ms() + WAIT_MS; !to->heard[number];) {
		if (now_ms() > end)
			fail_msg("number %u was not heard", number);
		member_send(from, from->udp, at, number, 8);
		poll(&(struct pollfd){.fd = to->udp, .events = POLLIN}, 1, 20);
		hear(to);
	}
}

void member_frame(const struct member *from, const void *bytes, size_t size)
{
	_auto(vg_fd) int fd = socket_in(from->namespace_fd, AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
	struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_ifindex = (int)index_of(from)};
	assert_int_equal(
		sendto(fd, bytes, size, 0, (struct sockaddr *)&address, sizeof(address)), size);
}

uint64_t member_stream(const struct member *from, const struct member *to, unsigned ms)
{
	_auto(vg_fd) int listener =
		socket_in(to->namespace_fd, AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0);
	_auto(vg_fd) int out =
		socket_in(from->namespace_fd, AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0);
	struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(PORT)};
	struct sockaddr_in6 address = address_of(&to->ip, from);
	int yes = 1;
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	assert_int_equal(bind(listener, (struct sockaddr *)&any, sizeof(any)), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_true(connect(out, (struct sockaddr *)&address, sizeof(address)) == 0 ||
		    errno == EINPROGRESS);
	struct pollfd polls[] = {
		{.fd = listener, .events = POLLIN}, {.fd = out, .events = POLLOUT}};
	_auto(vg_fd) int in = -1;
	static char bytes[64 << 10];
	uint64_t begin = 0, size = 0;
	for (uint64_t end = now_ms() + WAIT_MS;
		now_ms() < end && (!begin || now_ms() < begin + WARM_UP_MS + ms);) {
		poll(polls, 2, 50);
		if (in < 0 && (in = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0)
			polls[0].fd = in;
		if (polls[1].revents & POLLOUT)
			(void)!send(out, bytes, sizeof(bytes), MSG_NOSIGNAL);
		ssize_t n = in >= 0 ? recv(in, bytes, sizeof(bytes), 0) : 0;
		if (n <= 0)
			continue;
		// What passes at once after a rest is not counted.
		begin = begin ? begin : now_ms();
		size += now_ms() > begin + WARM_UP_MS ? (uint64_t)n : 0;
	}
	assert_true(begin > 0);
	return size * 8 * 1000 / (now_ms() - begin - WARM_UP_MS);
}
