// SPDX-License-Identifier: Apache-2.0
#include "net/ovs_taps.h"

#include "net/kernel_links.h"
#include "net/link.h"

// The wanted links of a slice but for the bridges and VXLAN devices, which the switch has itself.
static struct vg_kernel_wants want_taps(const struct vg_slice *slice)
{
	struct vg_kernel_wants wants = vg_kernel_want(slice);
	size_t n_taps = 0;
	for (size_t i = 0; i < wants.n_items; i++) {
		if (wants.items[i].kind == VG_KERNEL_TAP)
			wants.items[n_taps++] = wants.items[i];
		else
			free(wants.items[i].alias);
	}
	wants.n_items = n_taps;
	return wants;
}

struct vg_error *vg_ovs_taps_make(
	const struct vg_slice *wanted, int namespace_fd, unsigned tap_user)
{
	_auto(vg_netlink) struct vg_netlink *netlink = NULL;
	_auto(vg_kernel_state) struct vg_kernel_state state = {0};
	_auto(vg_kernel_wants) struct vg_kernel_wants wants = want_taps(wanted);
	bool did_remove = false, did_make = false;
	struct vg_error *error = vg_netlink_open(namespace_fd, &netlink);
	if (!error)
		error = vg_kernel_read_links(netlink, &state);
	if (!error)
		error = vg_kernel_check(&wants, &state);
	if (!error)
		error = vg_kernel_remove(netlink, &wants, &state, &did_remove);
	if (!error && did_remove)
		error = vg_kernel_read_links(netlink, &state);
	if (!error)
		error = vg_kernel_make_taps(
			netlink, namespace_fd, tap_user, &wants, &state, &did_make);
	if (!error && did_make)
		error = vg_kernel_read_links(netlink, &state);
	if (!error)
		error = vg_kernel_adjust(netlink, namespace_fd, &wants, &state);
	return error;
}
