// SPDX-License-Identifier: Apache-2.0
//
// The claim about the underlay, of test_box.c.
#include "tests/live/box_world.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "box/namespace.h"
#include "box/underlay.h"

struct end {
	struct vg_ip own, other;
	int fd;
};

enum { PORT = 4000, UDP_HEADERS = 28 };

static struct vg_error *open_end(void *data)
{
	struct end *end = data;
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(PORT)};
	int exact = IP_PMTUDISC_DO;
	end->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	setsockopt(end->fd, IPPROTO_IP, IP_MTU_DISCOVER, &exact, sizeof(exact));
	memcpy(&address.sin_addr, end->own.bytes, 4);
	if (bind(end->fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return vg_error_errno(errno, "binding");
	memcpy(&address.sin_addr, end->other.bytes, 4);
	if (connect(end->fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return vg_error_errno(errno, "connecting");
	return NULL;
}

// A datagram as large as the underlay's MTU, not to be cut, from each box to each other. Repeated
// for a bounded time: a bridge's port forwards a moment after it was made.
static void assert_reach(struct vg_box *const *boxes, size_t from, size_t to)
{
	static char packet[VG_UNDERLAY_MTU - UDP_HEADERS];
	struct end ends[] = {{vg_underlay_address(from), vg_underlay_address(to), -1},
		{vg_underlay_address(to), vg_underlay_address(from), -1}};
	world_ok(vg_namespace_call(boxes[from]->net_fd, open_end, &ends[0]));
	world_ok(vg_namespace_call(boxes[to]->net_fd, open_end, &ends[1]));
	struct pollfd ready = {.fd = ends[1].fd, .events = POLLIN};
	int n_ready = 0;
	for (int i = 0; i < 100 && n_ready == 0; i++) {
		assert_int_equal(send(ends[0].fd, packet, sizeof(packet), 0), sizeof(packet));
		n_ready = poll(&ready, 1, 100);
	}
	assert_int_equal(n_ready, 1);
	assert_int_equal(recv(ends[1].fd, packet, sizeof(packet), 0), sizeof(packet));
	close(ends[0].fd);
	close(ends[1].fd);
}

void boxes_of_a_site_reach_each_other_also_when_one_is_replaced(void **state)
{
	(void)state;
	_auto(vg_box) struct vg_box *sw = world_start(TAG(9), "switch", false);
	struct vg_box *boxes[] = {world_start(TAG(10), "host10", false),
		world_start(TAG(11), "host11", false), world_start(TAG(12), "host12", false)};
	enum { N = VG_LENGTH(boxes) };
	for (int round = 0; round < 3; round++) {
		world_ok(vg_underlay_connect(sw, boxes, N));
		for (size_t i = 0; i < N; i++)
			assert_reach(boxes, i, (i + 1) % N);
		if (round == 0) // the second time on what is as it was
			continue;
		world_ok(vg_box_stop(boxes[1]));
		vg_box_free(boxes[1]);
		boxes[1] = world_start(TAG(11), "host11", false);
	}
	for (size_t i = 0; i < N; i++) {
		world_ok(vg_box_stop(boxes[i]));
		vg_box_free(boxes[i]);
	}
	world_ok(vg_box_stop(sw));
	_auto(vg_box) struct vg_box *alone = world_start(TAG(13), "host13", false);
	world_ok(vg_underlay_connect(NULL, &alone, 1));
	world_ok(vg_underlay_connect(NULL, &alone, 1));
	world_ok(vg_box_stop(alone));
}
