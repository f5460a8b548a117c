// SPDX-License-Identifier: Apache-2.0
//
// Taps: made through /dev/net/tun (Documentation/networking/tuntap.rst).
#include "net/kernel_links.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/memory.h"
#include "net/inside.h"
#include "net/kernel_batch.h"

enum { AT_ONCE_MAX = 64 }; // descriptors open at the same time

struct opening {
	const struct vg_kernel_want *wants[AT_ONCE_MAX];
	int fds[AT_ONCE_MAX];
	size_t n_wants, n_fds;
};

static void opening_auto_free(struct opening *opening)
{
	for (size_t i = 0; i < opening->n_fds; i++)
		close(opening->fds[i]);
}

// A descriptor of /dev/net/tun belongs to the namespace it was opened in.
static struct vg_error *open_all(void *data)
{
	struct opening *opening = data;
	for (; opening->n_fds < opening->n_wants; opening->n_fds++) {
		int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
		if (fd < 0)
			return vg_error_hint(vg_error_errno(errno, "opening /dev/net/tun"),
				"the user who runs vgrid needs read and write access to "
				"/dev/net/tun");
		opening->fds[opening->n_fds] = fd;
	}
	return NULL;
}

static struct vg_error *attach(int fd, const struct vg_kernel_want *item, unsigned tap_user)
{
	// As libvirt and QEMU open it later: Ethernet frames, with a virtio header when asked for.
	struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
	strncpy(request.ifr_name, item->name, IFNAMSIZ - 1);
	if (ioctl(fd, TUNSETIFF, &request) < 0 ||
		ioctl(fd, TUNSETOWNER, (unsigned long)tap_user) < 0)
		return vg_error_place(
			vg_error_errno(errno, "making the tap of '%s'", item->subject),
			item->place);
	return NULL;
}

// A tap is made to stay only once it is marked: until then it goes with this process.
static struct vg_error *make(struct vg_netlink *netlink, int namespace_fd, unsigned tap_user,
	const struct vg_kernel_wants *wants, struct opening *opening)
{
	struct vg_error *error = vg_inside(namespace_fd, open_all, opening);
	for (size_t i = 0; i < opening->n_wants && !error; i++)
		error = attach(opening->fds[i], opening->wants[i], tap_user);
	if (error)
		return error;
	_auto(vg_batch) struct vg_batch batch = {0};
	for (size_t i = 0; i < opening->n_wants; i++)
		vg_kernel_mark(&batch, wants, opening->wants[i]);
	error = vg_batch_send(netlink, &batch);
	for (size_t i = 0; i < opening->n_wants && !error; i++)
		if (ioctl(opening->fds[i], TUNSETPERSIST, 1UL) < 0)
			error = vg_error_errno(
				errno, "keeping the tap of '%s'", opening->wants[i]->subject);
	return error;
}

struct vg_error *vg_kernel_make_taps(struct vg_netlink *netlink, int namespace_fd,
	unsigned tap_user, const struct vg_kernel_wants *wants, const struct vg_kernel_state *state,
	bool *ret_did)
{
	struct vg_error *error = NULL;
	bool did = false;
	for (size_t i = 0; i < wants->n_items && !error;) {
		_auto(opening) struct opening opening = {0};
		for (; i < wants->n_items && opening.n_wants < AT_ONCE_MAX; i++)
			if (wants->items[i].kind == VG_KERNEL_TAP &&
				!vg_kernel_link(state, wants->items[i].name))
				opening.wants[opening.n_wants++] = &wants->items[i];
		if (opening.n_wants)
			error = make(netlink, namespace_fd, tap_user, wants, &opening);
		did |= opening.n_wants > 0;
	}
	if (!error)
		*ret_did = did;
	return error;
}
