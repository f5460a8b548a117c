// SPDX-License-Identifier: Apache-2.0
#include "net/kernel_batch.h"

#include <errno.h>
#include <linux/netlink.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <string.h>

#include "base/memory.h"

// A send holds at most so much, so that even if each request were refused the answers fit into the
// socket's receive buffer.
enum { SEND_SIZE_MAX = 32 << 10, SEND_REQUESTS_MAX = 100, DUMP_TRIES_MAX = 20 };

void vg_batch_done(struct vg_batch *batch)
{
	for (size_t i = 0; i < batch->n_items; i++)
		nlmsg_free(batch->items[i].message);
	free(batch->items);
	*batch = (struct vg_batch){0};
}

struct vg_request *vg_batch_add(
	struct vg_batch *batch, int type, int flags, const char *doing, const char *subject)
{
	struct nl_msg *message = nlmsg_alloc_simple(type, flags);
	if (!message)
		abort();
	struct vg_request *request = &vg_append(batch->items, batch->n_items);
	*request = (struct vg_request){.message = message, .doing = doing, .subject = subject};
	return request;
}

// What a NLMSG_ERROR says beside the number, or NULL. It points into the message.
static const char *kernel_words(const struct nlmsghdr *header)
{
	if (!(header->nlmsg_flags & NLM_F_ACK_TLVS))
		return NULL;
	const struct nlmsgerr *refusal = nlmsg_data(header);
	size_t skip = sizeof(*refusal);
	if (!(header->nlmsg_flags & NLM_F_CAPPED))
		skip += NLMSG_ALIGN(refusal->msg.nlmsg_len) - sizeof(refusal->msg);
	int rest = nlmsg_datalen(header) - (int)skip;
	if (rest <= 0)
		return NULL;
	const struct nlattr *first = (const struct nlattr *)((const char *)refusal + skip);
	const struct nlattr *words = nla_find(first, rest, NLMSGERR_ATTR_MSG);
	return words ? nla_data(words) : NULL;
}

static struct vg_error *refused(const struct vg_request *request, const struct nlmsghdr *header)
{
	const struct nlmsgerr *refusal = nlmsg_data(header);
	const char *words = kernel_words(header);
	struct vg_error *error = vg_error_new("%s '%s': %s%s%s%s", request->doing, request->subject,
		strerror(-refusal->error), words ? " (" : "", words ? words : "", words ? ")" : "");
	return vg_error_place(error, request->place);
}

// One received buffer, malloc'ed.
static struct vg_error *receive(struct vg_netlink *netlink, char **ret_bytes, int *ret_size)
{
	struct sockaddr_nl from;
	unsigned char *bytes = NULL;
	int size = nl_recv(netlink->socket, &from, &bytes, NULL);
	if (size <= 0) {
		free(bytes);
		return vg_error_new("reading from netlink: %s", nl_geterror(size));
	}
	*ret_bytes = (char *)bytes;
	*ret_size = size;
	return NULL;
}

// Reads answers until that of the last request; first_seq is the number of requests[0].
static struct vg_error *sweep(struct vg_netlink *netlink, const struct vg_request *requests,
	size_t n_requests, unsigned first_seq)
{
	_auto(vg_error) struct vg_error *first = NULL;
	for (;;) {
		_auto(vg_string) char *bytes = NULL;
		int size;
		struct vg_error *error = receive(netlink, &bytes, &size);
		if (error)
			return error;
		for (struct nlmsghdr *header = (struct nlmsghdr *)bytes; nlmsg_ok(header, size);
			header = nlmsg_next(header, &size)) {
			size_t i = header->nlmsg_seq - first_seq;
			if (header->nlmsg_type != NLMSG_ERROR || i >= n_requests)
				continue;
			int code = -((const struct nlmsgerr *)nlmsg_data(header))->error;
			if (code != 0 && code != requests[i].tolerated && !first)
				first = refused(&requests[i], header);
			if (i == n_requests - 1)
				return vg_take(first);
		}
	}
}

// How many of the first requests go into one send: what fits, without tearing apart those that are
// joined.
static size_t count_for_send(const struct vg_request *requests, size_t n_requests)
{
	size_t size = 0, n = 0;
	for (; n < n_requests && n < SEND_REQUESTS_MAX; n++) {
		size += NLMSG_ALIGN(nlmsg_hdr(requests[n].message)->nlmsg_len);
		if (size > SEND_SIZE_MAX)
			break;
	}
	while (n < n_requests && requests[n].is_joined)
		n--;
	return n;
}

static struct vg_error *send_some(
	struct vg_netlink *netlink, const struct vg_request *requests, size_t n_requests)
{
	_auto(vg_string) char *bytes = vg_alloc(SEND_SIZE_MAX);
	size_t size = 0;
	unsigned first_seq = 0;
	for (size_t i = 0; i < n_requests; i++) {
		const struct nlmsghdr *from = nlmsg_hdr(requests[i].message);
		struct nlmsghdr *to = memcpy(bytes + size, from, from->nlmsg_len);
		to->nlmsg_flags |= NLM_F_REQUEST | (i == n_requests - 1 ? NLM_F_ACK : 0);
		to->nlmsg_pid = nl_socket_get_local_port(netlink->socket);
		to->nlmsg_seq = nl_socket_use_seq(netlink->socket);
		first_seq = i == 0 ? to->nlmsg_seq : first_seq;
		size += NLMSG_ALIGN(from->nlmsg_len);
	}
	int status = nl_sendto(netlink->socket, bytes, size);
	if (status < 0)
		return vg_error_new("writing to netlink: %s", nl_geterror(status));
	return sweep(netlink, requests, n_requests, first_seq);
}

struct vg_error *vg_batch_send(struct vg_netlink *netlink, struct vg_batch *batch)
{
	struct vg_error *error = NULL;
	for (size_t done = 0; done < batch->n_items && !error;) {
		const struct vg_request *next = batch->items + done;
		size_t n = count_for_send(next, batch->n_items - done);
		assert(n > 0);
		error = send_some(netlink, next, n);
		done += n;
	}
	vg_batch_done(batch);
	return error;
}

enum answer { ANSWER_MORE, ANSWER_END, ANSWER_DISTURBED };

// Takes one received buffer apart. *ret_errno and *is_disturbed are written where they apply.
static enum answer take(char *bytes, int size, unsigned seq, bool is_dump,
	void (*visit)(const struct nlmsghdr *message, void *data), void *data, bool *is_disturbed,
	int *ret_errno)
{
	for (struct nlmsghdr *header = (struct nlmsghdr *)bytes; nlmsg_ok(header, size);
		header = nlmsg_next(header, &size)) {
		if (header->nlmsg_seq != seq)
			continue;
		*is_disturbed |= header->nlmsg_flags & NLM_F_DUMP_INTR;
		if (header->nlmsg_type == NLMSG_DONE)
			return *is_disturbed ? ANSWER_DISTURBED : ANSWER_END;
		if (header->nlmsg_type == NLMSG_ERROR) {
			*ret_errno = -((const struct nlmsgerr *)nlmsg_data(header))->error;
			return ANSWER_END;
		}
		visit(header, data);
		if (!is_dump)
			return ANSWER_END;
	}
	return ANSWER_MORE;
}

static struct vg_error *ask_once(struct vg_netlink *netlink, struct nl_msg *request,
	void (*visit)(const struct nlmsghdr *message, void *data), void *data,
	enum answer *ret_answer, int *ret_errno)
{
	struct nlmsghdr *header = nlmsg_hdr(request);
	header->nlmsg_flags |= NLM_F_REQUEST;
	header->nlmsg_pid = nl_socket_get_local_port(netlink->socket);
	header->nlmsg_seq = nl_socket_use_seq(netlink->socket);
	int status = nl_sendto(netlink->socket, header, header->nlmsg_len);
	if (status < 0)
		return vg_error_new("writing to netlink: %s", nl_geterror(status));
	bool is_dump = (header->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP, is_disturbed = false;
	for (*ret_answer = ANSWER_MORE; *ret_answer == ANSWER_MORE;) {
		_auto(vg_string) char *bytes = NULL;
		int size;
		struct vg_error *error = receive(netlink, &bytes, &size);
		if (error)
			return error;
		*ret_answer = take(bytes, size, header->nlmsg_seq, is_dump, visit, data,
			&is_disturbed, ret_errno);
	}
	return NULL;
}

struct vg_error *vg_netlink_ask(struct vg_netlink *netlink, struct nl_msg *request,
	void (*visit)(const struct nlmsghdr *message, void *data), void (*restart)(void *data),
	void *data, int *ret_errno)
{
	struct vg_error *error = NULL;
	enum answer answer = ANSWER_DISTURBED;
	int code = 0, tries = 0;
	for (; answer == ANSWER_DISTURBED && !error && tries < DUMP_TRIES_MAX; tries++) {
		if (tries > 0)
			restart(data);
		error = ask_once(netlink, request, visit, data, &answer, &code);
	}
	nlmsg_free(request);
	if (error)
		return error;
	if (answer == ANSWER_DISTURBED)
		return vg_error_new("the links change faster than they can be read");
	if (code != 0 && !ret_errno)
		return vg_error_errno(code, "reading links");
	if (ret_errno)
		*ret_errno = code;
	return NULL;
}
