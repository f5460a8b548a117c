// SPDX-License-Identifier: Apache-2.0
#include "templates/endpoint.h"

#include <ctype.h>
#include <string.h>

#include "base/ip.h"
#include "base/text.h"

enum { PORT_MAX = 65535, HOST_LENGTH_MAX = 253 };

static const char name_characters[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";

static bool is_path(const char *text)
{
	for (const char *at = text; *at; at++) {
		if ((unsigned char)*at <= 0x20 || *at == 0x7f || strchr("?&#%", *at))
			return false;
	}
	return *text == '/' && text[1];
}

static bool is_port(const char *text)
{
	size_t digits = strspn(text, "0123456789");
	return digits && digits <= 5 && !text[digits] && *text != '0' &&
	       strtoul(text, NULL, 10) <= PORT_MAX;
}

// A name, an IPv4 address, or an IPv6 address in brackets.
static bool is_host(const char *text)
{
	size_t length = strlen(text);
	if (*text == '[') {
		struct vg_ip ip;
		_auto(vg_string) char *inner = vg_strndup(text + 1, length > 1 ? length - 2 : 0);
		_auto(vg_error) struct vg_error *error = vg_ip_read(inner, &ip);
		return vg_text_ends(text, "]") && !error && ip.is_ipv6;
	}
	return length && length <= HOST_LENGTH_MAX && !strchr("_.-", *text) &&
	       strspn(text, name_characters) == length;
}

// Where the port of `HOST[:PORT]` begins, behind its colon; NULL without one.
static char *find_port(char *authority)
{
	char *bracket = strrchr(authority, ']');
	return strchr(bracket ? bracket : authority, ':');
}

static struct vg_error *bad_host(const char *text, const char *host)
{
	return vg_error_of(VG_ERROR_USAGE, "'%.100s': '%.60s' is no host", text, host);
}

static struct vg_error *bad_port(const char *text, const char *port)
{
	return vg_error_hint(
		vg_error_of(VG_ERROR_USAGE, "'%.100s': '%.20s' is no port", text, port),
		"a number from 1 to %d", PORT_MAX);
}

// `[USER@]HOST[:PORT]`
static struct vg_error *check_authority(const char *text, char *authority, bool has_user)
{
	char *at = strchr(authority, '@'), *host = at ? at + 1 : authority;
	if (at && !has_user)
		return vg_error_of(VG_ERROR_USAGE, "'%.100s': only ssh takes a user", text);
	if (at) {
		*at = '\0';
		if (!*authority || strspn(authority, name_characters) != strlen(authority) ||
			*authority == '-')
			return vg_error_of(
				VG_ERROR_USAGE, "'%.100s': '%.60s' is no user", text, authority);
	}
	char *port = find_port(host);
	if (port)
		*port++ = '\0';
	if (!is_host(host))
		return bad_host(text, host);
	return port && !is_port(port) ? bad_port(text, port) : NULL;
}

static const struct {
	const char *scheme;
	enum vg_libvirt_transport transport;
	const char *parameter; // the one that may stand behind `?`
	bool is_remote;
} schemes[] = {
	{"qemu+unix", VG_LIBVIRT_UNIX, "socket", false},
	{"qemu+ssh", VG_LIBVIRT_SSH, "keyfile", true},
	{"qemu+tls", VG_LIBVIRT_TLS, "pkipath", true},
};

static struct vg_error *unknown_scheme(const char *text, const char *scheme)
{
	const char *names[VG_LENGTH(schemes)];
	struct vg_error *error =
		vg_error_of(VG_ERROR_USAGE, "'%.100s' is no libvirt URI that can be used", text);
	for (size_t i = 0; i < VG_LENGTH(schemes); i++)
		names[i] = schemes[i].scheme;
	if (strcmp(scheme, "qemu") == 0)
		return vg_error_hint(error, "say how: qemu+unix:///system, qemu+ssh://HOST/system "
					    "or qemu+tls://HOST/system");
	if (strcmp(scheme, "qemu+tcp") == 0)
		return vg_error_hint(error, "TCP without encryption is not offered: qemu+tls or "
					    "qemu+ssh");
	const char *near = vg_text_nearest(scheme, names, VG_LENGTH(schemes));
	if (near)
		return vg_error_hint(error, "did you mean '%s'?", near);
	return vg_error_hint(error, "qemu+unix:///system, qemu+ssh://HOST/system, "
				    "qemu+tls://HOST/system, or fake:");
}

// In a query anything but letters, digits and a few marks is written %XX (RFC 3986, section 2.1).
static bool is_escaped_path(const char *text)
{
	_auto(vg_text) struct vg_text path = {0};
	for (const char *at = text; *at; at++) {
		unsigned byte = (unsigned char)*at;
		if (*at == '%') {
			if (!isxdigit((unsigned char)at[1]) || !isxdigit((unsigned char)at[2]))
				return false;
			byte = (unsigned)strtoul((char[]){at[1], at[2], '\0'}, NULL, 16);
			at += 2;
		}
		if (byte < ' ' || byte == 0x7f)
			return false;
		vg_text_add_bytes(&path, &(char){(char)byte}, 1);
	}
	return path.length > 1 && path.bytes[0] == '/';
}

static struct vg_error *check_parameters(const char *text, const char *query, size_t scheme)
{
	const char *name = schemes[scheme].parameter;
	size_t length = strlen(name);
	if (strncmp(query, name, length) == 0 && query[length] == '=') {
		if (strchr(query, '%') ? is_escaped_path(query + length + 1)
				       : is_path(query + length + 1))
			return NULL;
		return vg_error_of(
			VG_ERROR_USAGE, "'%.100s': '%s' is an absolute path", text, name);
	}
	return vg_error_hint(vg_error_of(VG_ERROR_USAGE,
				     "'%.100s': '%.40s' cannot stand behind '?'", text, query),
		"the one parameter of %s is '%s=/path'", schemes[scheme].scheme, name);
}

static struct vg_error *check_uri(const char *text, char *rest, size_t scheme)
{
	char *query = strchr(rest, '?');
	if (query)
		*query++ = '\0';
	char *path = strchr(rest, '/');
	if (!path || (strcmp(path, "/system") != 0 && strcmp(path, "/session") != 0))
		return vg_error_hint(
			vg_error_of(VG_ERROR_USAGE,
				"'%.100s' does not end in '/system' or '/session'", text),
			"for example %s://%s/system", schemes[scheme].scheme,
			schemes[scheme].is_remote ? "h1" : "");
	*path = '\0';
	if (!schemes[scheme].is_remote && *rest)
		return vg_error_hint(
			vg_error_of(VG_ERROR_USAGE, "'%.100s': a local socket has no host", text),
			"qemu+unix:///system");
	struct vg_error *error = NULL;
	if (schemes[scheme].is_remote)
		error = check_authority(text, rest, schemes[scheme].transport == VG_LIBVIRT_SSH);
	return error || !query ? error : check_parameters(text, query, scheme);
}

struct vg_error *vg_libvirt_uri_read(const char *text, enum vg_libvirt_transport *ret_transport)
{
	if (strcmp(text, "fake:") == 0) {
		*ret_transport = VG_LIBVIRT_FAKE;
		return NULL;
	}
	size_t length = strcspn(text, ":");
	_auto(vg_string) char *scheme = vg_strndup(text, length);
	_auto(vg_string) char *rest =
		vg_strdup(vg_text_starts(text + length, "://") ? text + length + 3 : "");
	for (size_t i = 0; i < VG_LENGTH(schemes); i++) {
		if (strcmp(schemes[i].scheme, scheme) != 0)
			continue;
		struct vg_error *error = check_uri(text, rest, i);
		if (!error)
			*ret_transport = schemes[i].transport;
		return error;
	}
	return unknown_scheme(text, scheme);
}

struct vg_error *vg_ovsdb_endpoint_read(const char *text, enum vg_ovsdb_transport *ret_transport)
{
	static const char *const words[] = {"unix", "tcp", "ssl"};
	size_t length = strcspn(text, ":");
	_auto(vg_string) char *word = vg_strndup(text, length);
	_auto(vg_string) char *rest = vg_strdup(text[length] ? text + length + 1 : "");
	size_t which = 0;
	while (which < VG_LENGTH(words) && strcmp(words[which], word) != 0)
		which++;
	if (which == VG_LENGTH(words)) {
		struct vg_error *error =
			vg_error_of(VG_ERROR_USAGE, "'%.100s' is no OVSDB endpoint", text);
		const char *near = vg_text_nearest(word, words, VG_LENGTH(words));
		if (near)
			return vg_error_hint(error, "did you mean '%s'?", near);
		return vg_error_hint(
			error, "unix:/run/openvswitch/db.sock, tcp:HOST:6640 or ssl:HOST:6640");
	}
	*ret_transport = (enum vg_ovsdb_transport)which;
	if (which == VG_OVSDB_UNIX && !is_path(rest))
		return vg_error_hint(
			vg_error_of(VG_ERROR_USAGE, "'%.100s' names no absolute path", text),
			"unix:/run/openvswitch/db.sock");
	if (which == VG_OVSDB_UNIX)
		return NULL;
	char *port = find_port(rest);
	if (!port)
		return vg_error_hint(vg_error_of(VG_ERROR_USAGE, "'%.100s' has no port", text),
			"%s:HOST:6640", word);
	*port++ = '\0';
	if (!is_host(rest))
		return bad_host(text, rest);
	return is_port(port) ? NULL : bad_port(text, port);
}
