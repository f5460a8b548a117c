// SPDX-License-Identifier: Apache-2.0
#include "base/crypto.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/text.h"

static void to_hex(const uint8_t digest[VG_SHA256_SIZE], char ret_hex[VG_SHA256_HEX])
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < VG_SHA256_SIZE; i++) {
		ret_hex[2 * i] = digits[digest[i] >> 4];
		ret_hex[2 * i + 1] = digits[digest[i] & 15];
	}
	ret_hex[2 * VG_SHA256_SIZE] = '\0';
}

static pthread_once_t sha256_once = PTHREAD_ONCE_INIT;
static EVP_MD *sha256;

static void fetch_sha256(void)
{
	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	if (!sha256)
		abort();
}

// SHA256() would look its algorithm up by name each time, which takes longer than a short hash.
static void digest_once(const void *bytes, size_t size, uint8_t ret_digest[VG_SHA256_SIZE])
{
	pthread_once(&sha256_once, fetch_sha256);
	if (!EVP_Digest(bytes, size, ret_digest, NULL, sha256, NULL))
		abort();
}

void vg_sha256_hex(const void *bytes, size_t size, char ret_hex[VG_SHA256_HEX])
{
	uint8_t digest[VG_SHA256_SIZE];
	digest_once(bytes, size, digest);
	to_hex(digest, ret_hex);
}

struct vg_error *vg_sha256_fd(int fd, const char *name, bool (*progress)(uint64_t done, void *data),
	void *data, char ret_hex[VG_SHA256_HEX])
{
	enum { CHUNK = 1 << 20 };
	_auto(vg_string) char *buffer = vg_alloc(CHUNK);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	if (!context || !EVP_DigestInit_ex(context, EVP_sha256(), NULL))
		abort();
	struct vg_error *error = NULL;
	for (off_t at = 0; !error;) {
		ssize_t got = pread(fd, buffer, CHUNK, at);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			error = vg_error_errno(errno, "reading '%s'", name);
		if (got <= 0)
			break;
		EVP_DigestUpdate(context, buffer, (size_t)got);
		at += got;
		if (progress && !progress((uint64_t)at, data))
			error = vg_error_of(VG_ERROR_INTERRUPTED, "interrupted");
	}
	uint8_t digest[VG_SHA256_SIZE];
	EVP_DigestFinal_ex(context, digest, NULL);
	EVP_MD_CTX_free(context);
	if (!error)
		to_hex(digest, ret_hex);
	return error;
}

// struct vg_sha256 is libcrypto's context under our name.
struct vg_sha256 *vg_sha256_new(void)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	if (!context || !EVP_DigestInit_ex(context, EVP_sha256(), NULL))
		abort();
	return (struct vg_sha256 *)context;
}

void vg_sha256_add(struct vg_sha256 *hash, const void *bytes, size_t size)
{
	EVP_DigestUpdate((EVP_MD_CTX *)hash, bytes, size);
}

void vg_sha256_finish(struct vg_sha256 *hash, char ret_hex[VG_SHA256_HEX])
{
	uint8_t digest[VG_SHA256_SIZE];
	EVP_DigestFinal_ex((EVP_MD_CTX *)hash, digest, NULL);
	vg_sha256_free(hash);
	to_hex(digest, ret_hex);
}

void vg_sha256_free(struct vg_sha256 *hash)
{
	EVP_MD_CTX_free((EVP_MD_CTX *)hash);
}

void vg_random(void *bytes, size_t size)
{
	uint8_t *at = bytes;
	while (size > 0) {
		ssize_t got = getrandom(at, size, 0);
		if (got < 0 && errno != EINTR)
			abort();
		if (got > 0) {
			at += got;
			size -= (size_t)got;
		}
	}
}

static void write_uuid(uint8_t bytes[16], int version, char ret_uuid[VG_UUID_LENGTH])
{
	bytes[6] = (uint8_t)((bytes[6] & 0x0f) | version << 4);
	bytes[8] = (uint8_t)((bytes[8] & 0x3f) | 0x80);
	char *at = ret_uuid;
	for (int i = 0; i < 16; i++) {
		bool is_group_end = i == 3 || i == 5 || i == 7 || i == 9;
		at += sprintf(at, is_group_end ? "%02x-" : "%02x", bytes[i]);
	}
}

void vg_uuid_random(char ret_uuid[VG_UUID_LENGTH])
{
	uint8_t bytes[16];
	vg_random(bytes, sizeof(bytes));
	write_uuid(bytes, 4, ret_uuid);
}

void vg_uuid_derive(const char *namespace_text, const char *name, char ret_uuid[VG_UUID_LENGTH])
{
	_auto(vg_text) struct vg_text text = {0};
	vg_text_add_bytes(&text, namespace_text, strlen(namespace_text) + 1);
	vg_text_add(&text, name);
	uint8_t digest[VG_SHA256_SIZE];
	digest_once(text.bytes, text.length, digest);
	write_uuid(digest, 8, ret_uuid);
}

void vg_hkdf(
	const uint8_t secret[VG_SECRET_SIZE], const char *purpose, void *ret_bytes, size_t size)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, NULL);
	bool is_done = context && EVP_PKEY_derive_init(context) > 0 &&
		       EVP_PKEY_CTX_set_hkdf_md(context, EVP_sha256()) > 0 &&
		       EVP_PKEY_CTX_set1_hkdf_key(context, secret, VG_SECRET_SIZE) > 0 &&
		       EVP_PKEY_CTX_add1_hkdf_info(
			       context, (const unsigned char *)purpose, (int)strlen(purpose)) > 0 &&
		       EVP_PKEY_derive(context, ret_bytes, &size) > 0;
	EVP_PKEY_CTX_free(context);
	if (!is_done)
		abort();
}

// SSH's string type: a 32-bit big-endian length and the bytes (RFC 4251, section 5).
static void add_ssh_string(struct vg_text *text, const void *bytes, size_t size)
{
	uint32_t length = htonl((uint32_t)size);
	vg_text_add_bytes(text, &length, sizeof(length));
	vg_text_add_bytes(text, bytes, size);
}

static void add_ssh_number(struct vg_text *text, uint32_t number)
{
	number = htonl(number);
	vg_text_add_bytes(text, &number, sizeof(number));
}

static void derive_public(const uint8_t seed[32], uint8_t ret_public[32])
{
	EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, 32);
	size_t size = 32;
	if (!key || EVP_PKEY_get_raw_public_key(key, ret_public, &size) <= 0)
		abort();
	EVP_PKEY_free(key);
}

static char *write_private(const uint8_t seed[32], const uint8_t public[32],
	const struct vg_text *blob, const char *comment)
{
	struct vg_text inner = {0}, outer = {0}, armour = {0};
	// The check number only proves decryption; a fixed function of the key keeps it repeatable.
	uint32_t check;
	memcpy(&check, public, sizeof(check));
	add_ssh_number(&inner, check);
	add_ssh_number(&inner, check);
	add_ssh_string(&inner, "ssh-ed25519", 11);
	add_ssh_string(&inner, public, 32);
	uint8_t both[64];
	memcpy(both, seed, 32);
	memcpy(both + 32, public, 32);
	add_ssh_string(&inner, both, sizeof(both));
	add_ssh_string(&inner, comment, strlen(comment));
	for (uint8_t pad = 1; inner.length % 8; pad++)
		vg_text_add_bytes(&inner, &pad, 1);

	vg_text_add_bytes(&outer, "openssh-key-v1", 15);
	add_ssh_string(&outer, "none", 4);
	add_ssh_string(&outer, "none", 4);
	add_ssh_string(&outer, "", 0);
	add_ssh_number(&outer, 1);
	add_ssh_string(&outer, blob->bytes, blob->length);
	add_ssh_string(&outer, inner.bytes, inner.length);

	char *base64 = vg_base64_encode(outer.bytes, outer.length);
	vg_text_add(&armour, "-----BEGIN OPENSSH PRIVATE KEY-----\n");
	for (const char *at = base64; *at; at += strnlen(at, 70))
		vg_text_addf(&armour, "%.70s\n", at);
	vg_text_add(&armour, "-----END OPENSSH PRIVATE KEY-----\n");
	vg_secret_free(base64);
	explicit_bzero(both, sizeof(both));
	explicit_bzero(inner.bytes, inner.length);
	explicit_bzero(outer.bytes, outer.length);
	vg_text_done(&inner);
	vg_text_done(&outer);
	return vg_text_take(&armour);
}

void vg_ssh_key(const uint8_t seed[32], const char *comment, char **ret_public, char **ret_private)
{
	uint8_t public[32];
	derive_public(seed, public);
	_auto(vg_text) struct vg_text blob = {0};
	add_ssh_string(&blob, "ssh-ed25519", 11);
	add_ssh_string(&blob, public, 32);
	if (ret_public) {
		_auto(vg_string) char *base64 = vg_base64_encode(blob.bytes, blob.length);
		*ret_public = vg_format("ssh-ed25519 %s %s", base64, comment);
	}
	if (ret_private)
		*ret_private = write_private(seed, public, &blob, comment);
}

void vg_secret_free(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

char *vg_base64_encode(const void *bytes, size_t size)
{
	char *text = vg_alloc((size + 2) / 3 * 4 + 1);
	EVP_EncodeBlock((unsigned char *)text, bytes, (int)size);
	return text;
}

struct vg_error *vg_base64_decode(const char *text, uint8_t **ret_bytes, size_t *ret_size)
{
	size_t length = strlen(text);
	if (length % 4 || length > INT32_MAX)
		return vg_error_new("not base64: its length is no multiple of 4");
	if (strcspn(text, "=") + 2 < length)
		return vg_error_new("not base64: padding before its end");
	uint8_t *bytes = vg_alloc(length / 4 * 3 + 1);
	int size = EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)length);
	if (size < 0) {
		free(bytes);
		return vg_error_new("not base64");
	}
	for (size_t i = length; i > 0 && text[i - 1] == '='; i--)
		size--;
	*ret_bytes = bytes;
	*ret_size = (size_t)size;
	return NULL;
}
