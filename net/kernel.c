// SPDX-License-Identifier: Apache-2.0
//
// The kernel net driver: Linux bridges, VXLAN devices and taps by netlink, in a network namespace.
// Everything is found again by the links' aliases. Serves boxes.
#include <fcntl.h>
#include <string.h>

#include "base/map.h"
#include "base/tag.h"
#include "net/driver.h"
#include "net/kernel_links.h"
#include "net/kernel_observe.h"
#include "net/link.h"
#include "net/reach.h"

struct vg_net {
	char *host;
	int namespace_fd; // our own descriptor, or -1
	unsigned tap_user;
	struct vg_netlink *netlink;
};

static void kernel_close(struct vg_net *net)
{
	if (!net)
		return;
	vg_netlink_free(net->netlink);
	if (net->namespace_fd >= 0)
		close(net->namespace_fd);
	free(net->host);
	free(net);
}

static struct vg_error *kernel_open(const struct vg_net_target *target, struct vg_net **ret)
{
	struct vg_net *net = vg_new(struct vg_net);
	net->host = vg_strdup(target->host);
	net->tap_user = target->tap_user;
	net->namespace_fd =
		target->namespace_fd < 0 ? -1 : fcntl(target->namespace_fd, F_DUPFD_CLOEXEC, 0);
	struct vg_error *error = vg_netlink_open(net->namespace_fd, &net->netlink);
	if (error) {
		kernel_close(net);
		return vg_error_while(error, "reaching the links of host '%s'", target->host);
	}
	*ret = net;
	return NULL;
}

// Reading, removing and making come first, since only then all indices are known.
static struct vg_error *make_links(
	struct vg_net *net, const struct vg_kernel_wants *wants, struct vg_kernel_state *state)
{
	bool did_remove = false, did_make = false, did_tap = false;
	struct vg_error *error = vg_kernel_read_links(net->netlink, state);
	if (!error)
		error = vg_kernel_check(wants, state);
	if (!error)
		error = vg_kernel_remove(net->netlink, wants, state, &did_remove);
	if (!error && did_remove)
		error = vg_kernel_read_links(net->netlink, state);
	if (!error)
		error = vg_kernel_make(net->netlink, wants, state, &did_make);
	if (!error)
		error = vg_kernel_make_taps(
			net->netlink, net->namespace_fd, net->tap_user, wants, state, &did_tap);
	if (!error && (did_make || did_tap))
		error = vg_kernel_read_links(net->netlink, state);
	return error;
}

static struct vg_error *kernel_converge(struct vg_net *net, const struct vg_slice *wanted)
{
	_auto(vg_kernel_wants) struct vg_kernel_wants wants = vg_kernel_want(wanted);
	_auto(vg_kernel_state) struct vg_kernel_state state = {0};
	struct vg_error *error = make_links(net, &wants, &state);
	if (!error)
		error = vg_kernel_adjust(net->netlink, net->namespace_fd, &wants, &state);
	if (!error)
		error = vg_kernel_read_entries(net->netlink, &state);
	if (!error)
		error = vg_kernel_forward(net->netlink, &wants, &state);
	return vg_error_while(error, "building the overlays on host '%s'", net->host);
}

static struct vg_error *kernel_observe(
	struct vg_net *net, const char *store, const char *grid, struct vg_slice **ret_seen)
{
	_auto(vg_kernel_state) struct vg_kernel_state state = {0};
	struct vg_error *error = vg_kernel_read_links(net->netlink, &state);
	if (!error)
		error = vg_kernel_read_entries(net->netlink, &state);
	if (error)
		return vg_error_while(error, "observing the overlays on host '%s'", net->host);
	*ret_seen = vg_kernel_slice(&state, store, grid);
	return NULL;
}

static struct vg_error *kernel_owners(
	struct vg_net *net, const char *store, char ***ret_grids, size_t *ret_n_grids)
{
	_auto(vg_kernel_state) struct vg_kernel_state state = {0};
	struct vg_error *error = vg_kernel_read_links(net->netlink, &state);
	if (error)
		return vg_error_while(error, "observing the overlays on host '%s'", net->host);
	_auto(vg_map) struct vg_map *known = vg_map_new();
	char **grids = NULL;
	size_t n_grids = 0;
	for (size_t i = 0; i < state.n_links; i++) {
		struct vg_tag tag;
		if (!vg_tag_read(state.links[i].alias, &tag) || strcmp(tag.store, store) != 0 ||
			vg_map_has(known, tag.grid))
			continue;
		vg_map_set(known, tag.grid, net);
		vg_append(grids, n_grids) = vg_strdup(tag.grid);
	}
	*ret_grids = grids;
	*ret_n_grids = n_grids;
	return NULL;
}

static struct vg_error *kernel_reach(struct vg_net *net, const struct vg_net_peer *peers,
	size_t n_peers, unsigned size, unsigned **ret_mtus)
{
	return vg_error_while(vg_reach(net->namespace_fd, peers, n_peers, size, ret_mtus),
		"reaching from host '%s'", net->host);
}

const struct vg_net_driver vg_net_kernel = {
	.name = "kernel",
	.open = kernel_open,
	.close = kernel_close,
	.converge = kernel_converge,
	.observe = kernel_observe,
	.owners = kernel_owners,
	.reach = kernel_reach,
};
