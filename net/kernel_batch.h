// SPDX-License-Identifier: Apache-2.0
//
// Netlink requests sent many at a time, and dumps: what net/link.c and the kernel net driver speak
// with. The requests of a batch go out in few sends and are carried out in order; only refusals and
// the last of each send are answered (rtnetlink(7), Documentation/userspace-api/netlink/intro.rst).
#pragma once

#include "base/error.h"

struct nl_sock;
struct nl_msg;
struct nlmsghdr;

struct vg_netlink {
	struct nl_sock *socket;
};

struct vg_request {
	struct nl_msg *message;
	const char *doing;   // a constant: "making the bridge of"
	const char *subject; // borrowed until the batch was sent: a link's name or a tag's path
	struct vg_place place;
	int tolerated;  // this errno means that it is so already; 0: none
	bool is_joined; // goes out in one send with the request before it: not even a kill comes between
};

// `{0}` is empty.
struct vg_batch {
	struct vg_request *items;
	size_t n_items;
};

void vg_batch_done(struct vg_batch *batch);
static inline void vg_batch_auto_free(struct vg_batch *batch)
{
	vg_batch_done(batch);
}

// Adds a request of this type (RTM_…) and these flags (NLM_F_…); the caller puts headers and
// attributes into the message of the result, which is valid until the next add.
struct vg_request *vg_batch_add(
	struct vg_batch *batch, int type, int flags, const char *doing, const char *subject);

// Sends all requests and empties the batch. Stops behind the send in which one was refused; the
// error is the first refusal, in the kernel's own words where it has some, with the request's
// place.
struct vg_error *vg_batch_send(struct vg_netlink *netlink, struct vg_batch *batch) VG_MUST_CHECK;

// Sends one request (taken over) and calls visit for each message of the answer. With NLM_F_DUMP
// among its flags a dump that the kernel says was disturbed is begun again: `restart` is called
// before, to forget what was seen. *ret_errno (may be NULL) is the kernel's refusal, or 0; where it
// is NULL a refusal is an error.
struct vg_error *vg_netlink_ask(struct vg_netlink *netlink, struct nl_msg *request,
	void (*visit)(const struct nlmsghdr *message, void *data), void (*restart)(void *data),
	void *data, int *ret_errno) VG_MUST_CHECK;
