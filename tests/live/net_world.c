// SPDX-License-Identifier: Apache-2.0
#include "tests/live/net_world.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>

#include "net/addresses.h"
#include "net/inside.h"
#include "tests/unit/test.h"

enum { TEST_UID = 64001, UNDERLAY_MTU = 1600, ETHERTYPE = 0x88b5, WAIT_MS = 10000 };

struct host hosts[HOSTS];
struct vg_ip tunnels[HOSTS];
const char world_store[] = "11111111-1111-8111-8111-111111111111";
const struct vg_mac broadcast = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

static _Noreturn void leave(const char *why)
{
	fprintf(stderr, "skipped: %s: %s\n", why, strerror(errno));
	exit(SKIPPED);
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		leave(path);
	close(fd);
}

// Root becomes an ordinary user with a tun node of its own, in a mount namespace of its own.
static void leave_root(void)
{
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		mount("tun", "/dev/net", "tmpfs", MS_NOSUID, "mode=755") < 0 ||
		mknod("/dev/net/tun", S_IFCHR | 0600, makedev(10, 200)) < 0 ||
		chown("/dev/net/tun", TEST_UID, TEST_UID) < 0)
		leave("a private /dev/net/tun");
	if (setresgid(TEST_UID, TEST_UID, TEST_UID) < 0 ||
		setresuid(TEST_UID, TEST_UID, TEST_UID) < 0 || prctl(PR_SET_DUMPABLE, 1) < 0)
		leave("becoming an ordinary user");
}

static void enter_namespaces(void)
{
	if (geteuid() == 0)
		leave_root();
	int tun = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (tun < 0)
		leave("/dev/net/tun");
	close(tun);
	_auto(vg_string) char *uids = vg_format("0 %u 1\n", geteuid());
	_auto(vg_string) char *gids = vg_format("0 %u 1\n", getegid());
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		leave("a user namespace");
	write_file("/proc/self/setgroups", "deny");
	write_file("/proc/self/uid_map", uids);
	write_file("/proc/self/gid_map", gids);
}

static int this_namespace(void)
{
	int fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

void world_make(void)
{
	enter_namespaces();
	_auto(vg_fd) int switch_fd = this_namespace();
	_auto(vg_netlink) struct vg_netlink *sw = NULL;
	assert_null(vg_netlink_open(-1, &sw));
	assert_null(vg_link_bridge(sw, "switch", UNDERLAY_MTU));
	assert_null(vg_link_up(sw, "switch"));
	for (int i = 0; i < HOSTS; i++) {
		struct host *host = &hosts[i];
		_auto(vg_string) char *port = vg_format("port%d", i), *name = vg_format("h%d", i);
		assert_int_equal(unshare(CLONE_NEWNET), 0);
		host->namespace_fd = this_namespace();
		assert_int_equal(setns(switch_fd, CLONE_NEWNET), 0);
		assert_null(vg_link_veth(sw, port, "underlay", host->namespace_fd, UNDERLAY_MTU));
		assert_null(vg_link_master(sw, port, "switch"));
		assert_null(vg_link_up(sw, port));
		tunnels[i] = (struct vg_ip){.bytes = {192, 0, 2, (uint8_t)(11 + i)}};
		assert_null(vg_netlink_open(host->namespace_fd, &host->netlink));
		assert_null(vg_link_address(host->netlink, "underlay", &tunnels[i], 24));
		assert_null(vg_link_up(host->netlink, "underlay"));
		struct vg_net_target target = {
			.host = name, .namespace_fd = host->namespace_fd, .tap_user = 0};
		assert_null(vg_net_kernel.open(&target, &host->net));
	}
}

void world_done(void)
{
	for (int i = 0; i < HOSTS; i++) {
		vg_net_kernel.close(hosts[i].net);
		vg_netlink_free(hosts[i].netlink);
		close(hosts[i].namespace_fd);
	}
}

struct vg_grid *world_grid(
	struct vg_arena *arena, const char *uuid, unsigned n_networks, unsigned n_nodes)
{
	struct vg_grid *grid = vg_arena_alloc(arena, sizeof(*grid));
	*grid = (struct vg_grid){
		.arena = arena, .uuid = uuid, .n_networks = n_networks, .n_roles = 1};
	grid->networks = vg_arena_alloc(arena, n_networks * sizeof(*grid->networks));
	grid->roles = vg_arena_alloc(arena, sizeof(*grid->roles));
	grid->roles[0] = (struct vg_role){.name = "node", .count = n_nodes, .n_nics = n_networks};
	grid->roles[0].nics = vg_arena_alloc(arena, n_networks * sizeof(struct vg_nic));
	for (unsigned i = 0; i < n_networks; i++) {
		grid->networks[i] = (struct vg_network){.name = vg_arena_format(arena, "net-%u", i),
			.place = {"t.yaml", 4 + i, 3},
			.mtu = 1450};
		assert_null(vg_cidr_read("10.9.0.0/16", &grid->networks[i].cidr));
		grid->roles[0].nics[i] =
			(struct vg_nic){.network = i, .place = {"t.yaml", 100 + i, 5}};
	}
	grid->n_nodes = n_nodes;
	grid->nodes = vg_arena_alloc(arena, (n_nodes + 1) * sizeof(*grid->nodes));
	for (unsigned i = 0; i < n_nodes; i++)
		grid->nodes[i] = (struct vg_node){
			.name = vg_arena_format(arena, "node-%u", i), .host = (int)i % HOSTS};
	assert_null(vg_addresses_allocate(grid, uuid, NULL, 0));
	return grid;
}

struct vg_slice *world_slice(const struct vg_grid *grid, int host, uint32_t vni_first)
{
	uint32_t *vnis = vg_alloc((grid->n_networks + 1) * sizeof(*vnis));
	for (size_t i = 0; i < grid->n_networks; i++)
		vnis[i] = vni_first + (uint32_t)i;
	struct vg_slice_input input = {
		.grid = grid, .store = world_store, .vnis = vnis, .tunnels = tunnels};
	struct vg_slice *slice = vg_slice_build(&input, host);
	free(vnis);
	return slice;
}

static void converge(int host, const struct vg_slice *slice)
{
	_auto(vg_error) struct vg_error *error = vg_net_kernel.converge(hosts[host].net, slice);
	if (error)
		fail_msg("%s", vg_error_text(error));
}

void world_converge(const struct vg_grid *grid, uint32_t vni_first)
{
	for (int i = 0; i < HOSTS; i++) {
		_auto(vg_slice) struct vg_slice *slice = world_slice(grid, i, vni_first);
		converge(i, slice);
	}
}

void world_clear(const char *uuid)
{
	_auto(vg_arena) struct vg_arena *arena = vg_arena_new();
	world_converge(world_grid(arena, uuid, 0, 0), 1);
}

struct opening {
	const char *link;
	int fd;
};

static struct vg_error *open_tap(void *data)
{
	struct opening *opening = data;
	struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
	strncpy(request.ifr_name, opening->link, IFNAMSIZ - 1);
	opening->fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (opening->fd < 0 || ioctl(opening->fd, TUNSETIFF, &request) < 0)
		return vg_error_errno(errno, "opening tap '%s'", opening->link);
	return NULL;
}

struct endpoint endpoint_open(const struct vg_grid *grid, size_t node)
{
	int host = grid->nodes[node].host;
	_auto(vg_slice) struct vg_slice *slice = world_slice(grid, host, 1);
	const struct vg_mac *mac = &grid->nodes[node].nics[0].mac;
	struct opening opening = {.fd = -1};
	for (size_t i = 0; i < slice->overlays[0].n_ports; i++)
		if (memcmp(&slice->overlays[0].ports[i].mac, mac, sizeof(*mac)) == 0)
			opening.link = slice->overlays[0].ports[i].link;
	assert_non_null(opening.link);
	assert_null(vg_inside(hosts[host].namespace_fd, open_tap, &opening));
	return (struct endpoint){.fd = opening.fd, .mac = *mac, .crowd = (uint32_t)grid->uuid[0]};
}

void endpoint_close(struct endpoint *endpoint)
{
	close(endpoint->fd);
}

struct frame {
	struct ethhdr header;
	uint32_t crowd, number;
	uint8_t rest[2000];
} __attribute__((packed));

uint32_t endpoint_send(const struct endpoint *from, const struct vg_mac *to, size_t size)
{
	static uint32_t last_number;
	struct frame frame = {.header.h_proto = htobe16(ETHERTYPE),
		.crowd = from->crowd,
		.number = ++last_number};
	memcpy(frame.header.h_dest, to->bytes, ETH_ALEN);
	memcpy(frame.header.h_source, from->mac.bytes, ETH_ALEN);
	assert_in_range(size, 60, sizeof(frame));
	// EIO: the tap is not up yet.
	ssize_t written = write(from->fd, &frame, size);
	assert_true(written == (ssize_t)size || errno == EIO);
	return frame.number;
}

// The number of the next frame, 0 when there is none now.
static uint32_t hear(struct endpoint *endpoint)
{
	struct frame frame;
	while (read(endpoint->fd, &frame, sizeof(frame)) > 0) {
		bool is_foreign = frame.header.h_proto != htobe16(ETHERTYPE);
		if (!is_foreign && frame.crowd == endpoint->crowd)
			return frame.number;
		endpoint->n_foreign += is_foreign;
		endpoint->n_strangers += !is_foreign;
	}
	return 0;
}

static uint64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void endpoint_count(struct endpoint *endpoints, size_t n_endpoints, size_t from,
	const struct vg_mac *to, size_t size, unsigned *ret_heard)
{
	bool *has_heard = vg_alloc(n_endpoints);
	struct pollfd polls[16];
	size_t n_waiting = n_endpoints - 1;
	assert_true(n_endpoints <= VG_LENGTH(polls));
	for (size_t i = 0; i < n_endpoints; i++) {
		polls[i] =
			(struct pollfd){.fd = i == from ? -1 : endpoints[i].fd, .events = POLLIN};
		ret_heard[i] = 0;
	}
	uint32_t number = endpoint_send(&endpoints[from], to, size);
	for (uint64_t end = now_ms() + WAIT_MS; n_waiting > 0 && now_ms() < end;) {
		uint32_t bell = endpoint_send(&endpoints[from], &broadcast, 60);
		poll(polls, n_endpoints, 50);
		for (size_t i = 0; i < n_endpoints; i++) {
			for (uint32_t heard; (heard = hear(&endpoints[i])) != 0;) {
				ret_heard[i] += heard == number;
				if (heard > number && heard <= bell && !has_heard[i] && i != from) {
					has_heard[i] = true;
					polls[i].fd = -1;
					n_waiting--;
				}
			}
		}
	}
	free(has_heard);
	assert_int_equal(n_waiting, 0);
}

void endpoint_settle(struct endpoint *endpoints, size_t n_endpoints)
{
	unsigned heard[16];
	for (size_t i = 0; i < n_endpoints; i++)
		endpoint_count(endpoints, n_endpoints, i, &broadcast, 60, heard);
	// And once more: now nothing from before is on its way.
	endpoint_count(endpoints, n_endpoints, 0, &broadcast, 60, heard);
}
