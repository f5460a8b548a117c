// SPDX-License-Identifier: Apache-2.0
//
// Hashes and keys. With certificate.c the only door to libcrypto.
#pragma once

#include "base/error.h"

enum { VG_SHA256_SIZE = 32, VG_SHA256_HEX = 65, VG_SECRET_SIZE = 32, VG_UUID_LENGTH = 37 };

// SHA-256 (FIPS 180-4) as lower-case hexadecimal digits with a NUL behind them.
void vg_sha256_hex(const void *bytes, size_t size, char ret_hex[VG_SHA256_HEX]);
// The same over a whole file, from its beginning; progress may be NULL and gets bytes done.
struct vg_error *vg_sha256_fd(int fd, const char *name, bool (*progress)(uint64_t done, void *data),
	void *data, char ret_hex[VG_SHA256_HEX]) VG_MUST_CHECK;

// The same over bytes that come piece by piece. finish() frees the hash; NULL is fine for free().
struct vg_sha256;
struct vg_sha256 *vg_sha256_new(void);
void vg_sha256_add(struct vg_sha256 *hash, const void *bytes, size_t size);
void vg_sha256_finish(struct vg_sha256 *hash, char ret_hex[VG_SHA256_HEX]);
void vg_sha256_free(struct vg_sha256 *hash);
VG_AUTO(vg_sha256);

// Bytes from the kernel's generator.
void vg_random(void *bytes, size_t size);
// A random version 4 uuid (RFC 9562), as text.
void vg_uuid_random(char ret_uuid[VG_UUID_LENGTH]);
// A name-based uuid: version 8 layout over SHA-256 of the namespace text, a NUL and the name. The
// same names give the same uuid.
void vg_uuid_derive(const char *namespace_text, const char *name, char ret_uuid[VG_UUID_LENGTH]);

// HKDF-SHA256 (RFC 5869) without salt: `size` bytes derived from a secret for one purpose.
void vg_hkdf(const uint8_t secret[VG_SECRET_SIZE], const char *purpose, void *ret_bytes,
	size_t size);

// An ed25519 key pair from a 32-byte seed (RFC 8032), in OpenSSH's formats, malloc'ed:
// `ssh-ed25519 AAAA… comment` and the unencrypted `-----BEGIN OPENSSH PRIVATE KEY-----` text
// (openssh's PROTOCOL.key). Free the private one with vg_secret_free().
void vg_ssh_key(const uint8_t seed[32], const char *comment, char **ret_public,
	char **ret_private);
// Overwrites and frees a malloc'ed string; NULL is fine.
void vg_secret_free(char *text);

// Base64 (RFC 4648, with padding), malloc'ed.
char *vg_base64_encode(const void *bytes, size_t size);
struct vg_error *vg_base64_decode(const char *text, uint8_t **ret_bytes, size_t *ret_size)
	VG_MUST_CHECK;
