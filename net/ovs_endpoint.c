// SPDX-License-Identifier: Apache-2.0
#include "net/ovs_endpoint.h"

#include <string.h>

#include "base/memory.h"
#include "base/text.h"

enum { OVSDB_PORT = 6640, PORT_MAX = 65535 };

void vg_ovs_endpoint_done(struct vg_ovs_endpoint *endpoint)
{
	free(endpoint->path);
	free(endpoint->host);
	*endpoint = (struct vg_ovs_endpoint){0};
}

static bool read_port(const char *text, uint16_t *ret_port)
{
	unsigned port = 0;
	for (const char *digit = text; *digit; digit++) {
		if (*digit < '0' || *digit > '9' || digit - text >= 5)
			return false;
		port = port * 10 + (unsigned)(*digit - '0');
	}
	*ret_port = (uint16_t)port;
	return port > 0 && port <= PORT_MAX;
}

// HOST, HOST:PORT, [IPV6] or [IPV6]:PORT.
static bool read_host(const char *text, struct vg_ovs_endpoint *endpoint)
{
	const char *begin = text, *end, *rest;
	if (*text == '[') {
		begin = text + 1;
		end = strchr(begin, ']');
		rest = end ? end + 1 : NULL;
	} else {
		end = rest = text + strcspn(text, ":");
	}
	if (!rest || end == begin || (*rest && *rest != ':'))
		return false;
	endpoint->port = OVSDB_PORT;
	if (*rest && !read_port(rest + 1, &endpoint->port))
		return false;
	endpoint->host = vg_strndup(begin, (size_t)(end - begin));
	return true;
}

struct vg_error *vg_ovs_endpoint_read(const char *text, struct vg_ovs_endpoint *ret_endpoint)
{
	static const struct {
		const char *prefix;
		enum vg_ovs_transport transport;
	} transports[] = {{"unix:", VG_OVS_UNIX}, {"tcp:", VG_OVS_TCP}, {"ssl:", VG_OVS_SSL}};
	for (size_t i = 0; i < VG_LENGTH(transports); i++) {
		if (!vg_text_starts(text, transports[i].prefix))
			continue;
		const char *rest = text + strlen(transports[i].prefix);
		struct vg_ovs_endpoint endpoint = {.transport = transports[i].transport};
		if (endpoint.transport == VG_OVS_UNIX && *rest == '/')
			endpoint.path = vg_strdup(rest);
		else if (endpoint.transport == VG_OVS_UNIX || !read_host(rest, &endpoint))
			break;
		*ret_endpoint = endpoint;
		return NULL;
	}
	return vg_error_hint(
		vg_error_of(VG_ERROR_USAGE, "'%s' is no address of an OVSDB server", text),
		"it has one of the forms unix:/PATH, ssl:HOST:PORT, tcp:HOST:PORT");
}

char *vg_ovs_endpoint_name(const struct vg_ovs_endpoint *endpoint)
{
	if (endpoint->transport == VG_OVS_UNIX)
		return vg_strdup(endpoint->path);
	return vg_format("%s port %u", endpoint->host, endpoint->port);
}
