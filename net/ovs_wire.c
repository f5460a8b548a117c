// SPDX-License-Identifier: Apache-2.0
#include "net/ovs_wire.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "base/memory.h"
#include "net/inside.h"
#include "net/ovs_tls.h"

struct vg_ovs_wire {
	int fd;
	struct vg_ovs_tls *tls; // NULL: plain
};

uint64_t vg_ovs_now(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static struct vg_error *wait_for(int fd, short events, uint64_t deadline)
{
	for (;;) {
		uint64_t now = vg_ovs_now();
		struct pollfd poller = {.fd = fd, .events = events};
		int ready = now < deadline ? poll(&poller, 1, (int)(deadline - now)) : 0;
		if (ready > 0)
			return NULL;
		if (ready == 0)
			return vg_error_of(VG_ERROR_TIMEOUT, "it does not answer");
		if (errno != EINTR)
			return vg_error_errno(errno, "waiting for it");
	}
}

struct opening {
	int family, fd;
};

static struct vg_error *open_socket(void *data)
{
	struct opening *opening = data;
	opening->fd = socket(opening->family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return opening->fd < 0 ? vg_error_errno(errno, "opening a socket") : NULL;
}

static struct vg_error *connect_to(const struct sockaddr *address, socklen_t size, int namespace_fd,
	uint64_t deadline, int *ret_fd)
{
	struct opening opening = {.family = address->sa_family, .fd = -1};
	struct vg_error *error = vg_inside(namespace_fd, open_socket, &opening);
	_auto(vg_fd) int fd = opening.fd;
	if (error)
		return error;
	int code = connect(fd, address, size) < 0 ? errno : 0;
	// A unix socket whose listener has no room for one more says so at once.
	while (code == EAGAIN && vg_ovs_now() < deadline) {
		poll(NULL, 0, 10);
		code = connect(fd, address, size) < 0 ? errno : 0;
	}
	if (code == EAGAIN)
		return vg_error_of(VG_ERROR_TIMEOUT, "it does not answer");
	if (code == EINPROGRESS) {
		socklen_t code_size = sizeof(code);
		error = wait_for(fd, POLLOUT, deadline);
		if (!error && getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &code_size) < 0)
			code = errno;
	}
	if (error)
		return error;
	if (code)
		return vg_error_new("%s", strerror(code));
	*ret_fd = vg_take_fd(&fd);
	return NULL;
}

// By its folder's descriptor, since a socket's path may have only 107 characters (unix(7)).
static struct vg_error *connect_unix(const char *path, uint64_t deadline, int *ret_fd)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *slash = strrchr(path, '/');
	_auto(vg_string) char *folder = vg_strndup(path, (size_t)(slash - path) + 1);
	_auto(vg_fd) int folder_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (folder_fd < 0)
		return vg_error_new("%s", strerror(errno));
	_auto(vg_string) char *name = vg_format("/proc/self/fd/%d%s", folder_fd, slash);
	if (strlen(name) >= sizeof(address.sun_path))
		return vg_error_new("its name is too long for a socket");
	memcpy(address.sun_path, name, strlen(name) + 1);
	return connect_to((struct sockaddr *)&address, sizeof(address), -1, deadline, ret_fd);
}

static struct vg_error *connect_tcp(
	const struct vg_ovs_endpoint *endpoint, int namespace_fd, uint64_t deadline, int *ret_fd)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
	_auto(vg_string) char *port = vg_format("%u", endpoint->port);
	int status = getaddrinfo(endpoint->host, port, &hints, &found);
	if (status != 0)
		return vg_error_new("'%s': %s", endpoint->host, gai_strerror(status));
	struct vg_error *error = NULL;
	int fd = -1;
	for (struct addrinfo *entry = found; entry && fd < 0; entry = entry->ai_next) {
		vg_error_free(error);
		error = connect_to(entry->ai_addr, entry->ai_addrlen, namespace_fd, deadline, &fd);
	}
	freeaddrinfo(found);
	if (error)
		return error;
	int yes = 1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	*ret_fd = fd;
	return NULL;
}

static struct vg_error *greet(struct vg_ovs_wire *wire, const struct vg_ovs_endpoint *endpoint,
	const struct vg_tls_files *files, uint64_t deadline)
{
	struct vg_error *error = vg_ovs_tls_new(files, wire->fd, endpoint->host, &wire->tls);
	short events = 1;
	while (!error && events) {
		error = vg_ovs_tls_greet(wire->tls, &events);
		if (!error && events)
			error = wait_for(wire->fd, events, deadline);
	}
	return error;
}

struct vg_error *vg_ovs_wire_open(const struct vg_ovs_endpoint *endpoint,
	const struct vg_tls_files *tls, int namespace_fd, uint64_t deadline,
	struct vg_ovs_wire **ret_wire)
{
	_auto(vg_ovs_wire) struct vg_ovs_wire *wire = vg_new(struct vg_ovs_wire);
	wire->fd = -1;
	struct vg_error *error = endpoint->transport == VG_OVS_UNIX
					 ? connect_unix(endpoint->path, deadline, &wire->fd)
					 : connect_tcp(endpoint, namespace_fd, deadline, &wire->fd);
	if (!error && endpoint->transport == VG_OVS_SSL)
		error = greet(wire, endpoint, tls, deadline);
	if (!error)
		*ret_wire = vg_take(wire);
	return error;
}

void vg_ovs_wire_free(struct vg_ovs_wire *wire)
{
	if (!wire)
		return;
	vg_ovs_tls_free(wire->tls);
	if (wire->fd >= 0)
		close(wire->fd);
	free(wire);
}

// One step over a plain socket, in the form of vg_ovs_tls_send() and _receive().
static struct vg_error *step_plain(
	ssize_t result, short waits_for, size_t *ret_size, short *ret_events)
{
	bool must_wait = result < 0 && (errno == EAGAIN || errno == EINTR);
	if (result < 0 && !must_wait)
		return vg_error_new("%s", strerror(errno));
	*ret_size = result > 0 ? (size_t)result : 0;
	*ret_events = must_wait ? waits_for : 0;
	return NULL;
}

struct vg_error *vg_ovs_wire_send(
	struct vg_ovs_wire *wire, const void *bytes, size_t size, uint64_t deadline)
{
	for (size_t done = 0; done < size;) {
		const char *from = (const char *)bytes + done;
		size_t n = 0;
		short events = 0;
		struct vg_error *error =
			wire->tls ? vg_ovs_tls_send(wire->tls, from, size - done, &n, &events)
				  : step_plain(send(wire->fd, from, size - done, MSG_NOSIGNAL),
					    POLLOUT, &n, &events);
		done += n;
		if (!error && events)
			error = wait_for(wire->fd, events, deadline);
		if (error)
			return error;
	}
	return NULL;
}

struct vg_error *vg_ovs_wire_receive(
	struct vg_ovs_wire *wire, void *bytes, size_t size, uint64_t deadline, size_t *ret_size)
{
	for (;;) {
		size_t n = 0;
		short events = 0;
		struct vg_error *error =
			wire->tls ? vg_ovs_tls_receive(wire->tls, bytes, size, &n, &events)
				  : step_plain(recv(wire->fd, bytes, size, 0), POLLIN, &n, &events);
		if (!error && !events && n == 0)
			return vg_error_new("it ended the connection");
		if (!error && events)
			error = wait_for(wire->fd, events, deadline);
		if (error)
			return error;
		if (n > 0) {
			*ret_size = n;
			return NULL;
		}
	}
}
