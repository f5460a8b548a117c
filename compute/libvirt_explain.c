// SPDX-License-Identifier: Apache-2.0
//
// Why is a connection to a host refused, and what would be right? libvirt's and GnuTLS's words name
// what was seen; this adds what was expected.
#include "compute/libvirt.h"

#include <string.h>

#include "base/text.h"

bool vg_libvirt_is_remote(const char *uri)
{
	const char *host = strstr(uri, "://");
	return host && host[3] && host[3] != '/';
}

// The host part of the URI, or "".
static char *host_of(const char *uri)
{
	const char *from = strstr(uri, "://");
	from = from ? from + 3 : "";
	const char *slash = strchr(from, '/');
	size_t length = slash ? (size_t)(slash - from) : strcspn(from, "?");
	return vg_strndup(from, length);
}

// In order: the first whose words are found. `%s` stands for the URI's host.
static const struct {
	const char *words, *remedy;
} remedies[] = {
	{"Failed to verify peer's certificate", "the certificate that '%s' shows must be signed by "
						"the authority whose cacert.pem is "
						"in the URI's pkipath, have '%s' among its names "
						"(subjectAltName), and be valid today"},
	{"Unable to read TLS confirmation",
		"'%s' does not accept this operator's certificate: clientcert.pem in the URI's "
		"pkipath "
		"must be signed by the authority that libvirtd.conf there calls ca_file"},
	{"hasn't got a known issuer",
		"clientcert.pem must be signed by the authority whose cacert.pem lies beside it"},
	{"given key do not match",
		"clientkey.pem must be the key that clientcert.pem was made for"},
	{"Cannot read CA certificate",
		"the URI names the operator's keys by '?pkipath=FOLDER', which holds cacert.pem, "
		"clientcert.pem and clientkey.pem, and must be yours to read"},
	{"URI path", "write '/system' for the system's libvirtd, '/session' for a user's own"},
	{"Connection refused",
		"is libvirtd running on '%s', and does it listen? For TLS: 'systemctl enable --now "
		"virtproxyd-tls.socket', or 'libvirtd --listen'"},
	{"No route to host", "is '%s' up, and is this its address?"},
	{"timed out", "is '%s' up, and does a firewall let libvirt through (TLS: port 16514)?"},
	{"Name or service not known", "nobody knows the name '%s': mend the URI, or /etc/hosts"},
	{"Host key verification failed",
		"'ssh %s' must work without a question: accept its key once"},
	{"Permission denied (", "'ssh %s' must work without a password: give it your public key"},
	{"End of file while reading data",
		"on '%s' the user that ssh comes as must be in the group 'libvirt', and "
		"'virt-ssh-helper' or 'nc' be installed"},
};

// The remedy with the host in it.
static char *fill_in(const char *remedy, const char *host)
{
	struct vg_text text = {0};
	for (const char *gap; (gap = strstr(remedy, "%s")); remedy = gap + 2) {
		vg_text_add_bytes(&text, remedy, (size_t)(gap - remedy));
		vg_text_add(&text, host);
	}
	vg_text_add(&text, remedy);
	return vg_text_take(&text);
}

char *vg_libvirt_explain(const char *uri, const char *words)
{
	_auto(vg_string) char *host = host_of(uri);
	for (size_t i = 0; i < VG_LENGTH(remedies); i++) {
		if (strcasestr(words, remedies[i].words))
			return fill_in(remedies[i].remedy, host);
	}
	return NULL;
}
