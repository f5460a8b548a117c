// SPDX-License-Identifier: Apache-2.0
//
// Certificates (X.509, RFC 5280) of a small authority of our own, for libvirt and OVSDB over TLS.
// Used by the practice site, whose authority speaks for that site alone. With crypto.c the only
// door to libcrypto.
#pragma once

#include "base/error.h"
#include "base/ip.h"

// A private key on P-256 (PKCS #8) and its certificate, both PEM with a NUL behind.
struct vg_certificate {
	char *key; // secret: overwritten when it is freed
	char *certificate;
};

void vg_certificate_done(struct vg_certificate *certificate);
static inline void vg_certificate_auto_free(struct vg_certificate *certificate)
{
	vg_certificate_done(certificate);
}

struct vg_certificate_wish {
	const char *organization; // of the subject, O
	const char *name;         // of the subject, CN; at most 64 bytes (RFC 5280, ub-common-name)
	// The names that it may be reached by; a client's has none of them.
	const char *dns;        // NULL: none
	const struct vg_ip *ip; // NULL: none
	bool is_server;         // may serve; all may be clients
};

// A new authority that signs itself and may sign nothing but certificates of ends. Valid from a day
// ago, for clocks that go wrong, for ten years; so are those that it signs.
void vg_certificate_make_authority(
	const char *organization, const char *name, struct vg_certificate *ret_authority);
// A new key with a certificate that the authority has signed. An error when the authority's own
// texts cannot be read, or its key is not its certificate's.
struct vg_error *vg_certificate_make(const struct vg_certificate *authority,
	const struct vg_certificate_wish *wish,
	struct vg_certificate *ret_certificate) VG_MUST_CHECK;
// Does the authority's signature stand below this certificate, and is its time not over?
bool vg_certificate_is_good(const char *certificate, const char *authority);
