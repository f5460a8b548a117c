// SPDX-License-Identifier: Apache-2.0
#include "net/reach.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/icmp.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/crypto.h"
#include "base/memory.h"
#include "net/inside.h"

enum {
	IP_HEADER = 20,
	SIZE_LEAST = 64, // anything that lives carries it (RFC 791: 68 at least)
	SIZE_MOST = 65535,
	N_TRIES = 15,    // sizes tried at once: the range shrinks to a sixteenth
	FIRST_MS = 2000, // patience: while it is not known whether there is a way at all
	NEXT_MS = 500,
	AGAIN_MS = 200,
};

struct
try {
	unsigned size;
	bool is_done; // it was answered, or is too large to be sent
};

struct path {
	struct sockaddr_in to;
	unsigned low;  // the largest packet that got there; 0: none yet
	unsigned high; // one of this size does not
	struct try tries[N_TRIES];
	size_t n_tries;
};

struct prober {
	int fd;
	uint16_t id;
	struct path *paths;
	size_t n_paths;
	char *packet; // SIZE_MOST bytes
};

static uint64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

// Runs inside the namespace: a socket stays where it was made.
static struct vg_error *open_socket(void *data)
{
	struct prober *prober = data;
	int never_cut = IP_PMTUDISC_PROBE;
	struct icmp_filter only_replies = {.data = ~(1u << ICMP_ECHOREPLY)};
	prober->fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_ICMP);
	if (prober->fd < 0 ||
		setsockopt(prober->fd, IPPROTO_IP, IP_MTU_DISCOVER, &never_cut, sizeof(never_cut)) <
			0 ||
		setsockopt(prober->fd, SOL_RAW, ICMP_FILTER, &only_replies, sizeof(only_replies)) <
			0)
		return vg_error_errno(errno, "opening a socket for echo requests");
	return NULL;
}

// RFC 1071, of what is all zero but its first words.
static uint16_t checksum(const struct icmphdr *header)
{
	uint16_t words[4];
	uint32_t sum = 0;
	memcpy(words, header, sizeof(words));
	for (size_t i = 0; i < VG_LENGTH(words); i++)
		sum += words[i];
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t) ~(sum + (sum >> 16));
}

// What the link here does not take is known at once; other faults may pass, and are tried again.
static void send_try(struct prober *prober, struct path *path, struct try *try)
{
	struct icmphdr header = {.type = ICMP_ECHO, .un.echo.id = prober->id};
	header.checksum = checksum(&header);
	memcpy(prober->packet, &header, sizeof(header));
	if (sendto(prober->fd, prober->packet, try->size - IP_HEADER, 0,
		    (struct sockaddr *)&path->to, sizeof(path->to)) < 0 &&
		errno == EMSGSIZE)
		try->is_done = true;
}

static void note_answer(struct prober *prober, in_addr_t from, unsigned size)
{
	for (size_t p = 0; p < prober->n_paths; p++) {
		struct path *path = &prober->paths[p];
		if (path->to.sin_addr.s_addr != from)
			continue;
		for (size_t t = 0; t < path->n_tries; t++)
			path->tries[t].is_done |= path->tries[t].size <= size;
		if (size > path->low)
			path->low = size;
	}
}

// A reply is as long as its request was; its length comes with the IP header.
static void receive(struct prober *prober)
{
	struct {
		struct iphdr ip;
		struct icmphdr icmp;
	} __attribute__((packed)) reply;
	struct sockaddr_in from;
	for (;;) {
		socklen_t n_from = sizeof(from);
		ssize_t size = recvfrom(prober->fd, &reply, sizeof(reply), MSG_TRUNC,
			(struct sockaddr *)&from, &n_from);
		if (size < 0 && errno == EINTR)
			continue;
		if (size < 0)
			return;
		if ((size_t)size >= sizeof(reply) && reply.ip.ihl == 5 &&
			reply.icmp.type == ICMP_ECHOREPLY && reply.icmp.un.echo.id == prober->id)
			note_answer(prober, from.sin_addr.s_addr, (unsigned)size);
	}
}

// Sends what is not answered yet, and takes answers meanwhile: the socket has not room for all.
static void send_all(struct prober *prober)
{
	for (size_t p = 0; p < prober->n_paths; p++) {
		struct path *path = &prober->paths[p];
		for (size_t t = 0; t < path->n_tries; t++) {
			if (!path->tries[t].is_done)
				send_try(prober, path, &path->tries[t]);
		}
		receive(prober);
	}
}

static bool is_waiting(const struct prober *prober)
{
	for (size_t p = 0; p < prober->n_paths; p++) {
		for (size_t t = 0; t < prober->paths[p].n_tries; t++) {
			if (!prober->paths[p].tries[t].is_done)
				return true;
		}
	}
	return false;
}

static void make_round(struct prober *prober, unsigned patience_ms)
{
	uint64_t end = now_ms() + patience_ms;
	while (is_waiting(prober) && now_ms() < end) {
		uint64_t again = now_ms() + AGAIN_MS;
		send_all(prober);
		for (uint64_t now; is_waiting(prober) && (now = now_ms()) < again;) {
			struct pollfd ready = {.fd = prober->fd, .events = POLLIN};
			if (poll(&ready, 1, (int)(again - now)) > 0)
				receive(prober);
		}
	}
}

static void note_silence(struct path *path)
{
	for (size_t t = 0; t < path->n_tries; t++) {
		if (path->tries[t].size > path->low && path->tries[t].size < path->high)
			path->high = path->tries[t].size;
	}
}

// Evenly between what gets there and what does not; false when nothing is between them.
static bool divide(struct path *path)
{
	unsigned range = path->low ? path->high - path->low : 0;
	path->n_tries = 0;
	for (unsigned i = 1; i <= N_TRIES && range > 1; i++) {
		unsigned size = path->low + (unsigned)((uint64_t)range * i / (N_TRIES + 1));
		bool is_new = !path->n_tries || path->tries[path->n_tries - 1].size < size;
		if (size > path->low && size < path->high && is_new)
			path->tries[path->n_tries++] = (struct try){.size = size};
	}
	return path->n_tries;
}

static void probe(struct prober *prober, unsigned size)
{
	for (size_t p = 0; p < prober->n_paths; p++) {
		struct path *path = &prober->paths[p];
		path->high = size + 1;
		path->tries[path->n_tries++] = (struct try){.size = size};
		if (size > SIZE_LEAST)
			path->tries[path->n_tries++] = (struct try){.size = SIZE_LEAST};
	}
	make_round(prober, FIRST_MS);
	for (bool is_open = true; is_open;) {
		is_open = false;
		for (size_t p = 0; p < prober->n_paths; p++) {
			note_silence(&prober->paths[p]);
			is_open |= divide(&prober->paths[p]);
		}
		if (is_open)
			make_round(prober, NEXT_MS);
	}
}

static struct vg_error *find_paths(
	struct prober *prober, const struct vg_net_peer *peers, size_t n_peers)
{
	prober->paths = vg_alloc((n_peers + 1) * sizeof(*prober->paths));
	prober->n_paths = n_peers;
	for (size_t p = 0; p < n_peers; p++) {
		struct sockaddr_in *to = &prober->paths[p].to;
		if (peers[p].address.is_ipv6)
			return vg_error_new("echo requests are sent over IPv4 only");
		to->sin_family = AF_INET;
		memcpy(&to->sin_addr, peers[p].address.bytes, sizeof(to->sin_addr));
	}
	return NULL;
}

struct vg_error *vg_reach(int namespace_fd, const struct vg_net_peer *peers, size_t n_peers,
	unsigned size, unsigned **ret_mtus)
{
	struct prober prober = {.fd = -1};
	unsigned most = size < SIZE_MOST ? size : SIZE_MOST;
	vg_random(&prober.id, sizeof(prober.id));
	prober.packet = vg_alloc(SIZE_MOST);
	struct vg_error *error = find_paths(&prober, peers, n_peers);
	if (!error)
		error = vg_inside(namespace_fd, open_socket, &prober);
	if (!error) {
		probe(&prober, most > SIZE_LEAST ? most : SIZE_LEAST);
		unsigned *mtus = vg_alloc((n_peers + 1) * sizeof(*mtus));
		for (size_t p = 0; p < n_peers; p++)
			mtus[p] = prober.paths[p].low < size ? prober.paths[p].low : size;
		*ret_mtus = mtus;
	}
	if (prober.fd >= 0)
		close(prober.fd);
	free(prober.paths);
	free(prober.packet);
	return error;
}
