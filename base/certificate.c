// SPDX-License-Identifier: Apache-2.0
#include "base/certificate.h"

#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "base/crypto.h"
#include "base/memory.h"
#include "base/text.h"

enum { SERIAL_SIZE = 16, DAY_S = 24 * 60 * 60, YEARS = 10 };

void vg_certificate_done(struct vg_certificate *certificate)
{
	vg_secret_free(certificate->key);
	free(certificate->certificate);
	*certificate = (struct vg_certificate){0};
}

// What libcrypto refuses here is a lack of memory or a mistake of ours.
static void must(bool is_done)
{
	if (!is_done)
		abort();
}

static char *text_of(BIO *bio)
{
	char *bytes;
	long size = BIO_get_mem_data(bio, &bytes);
	char *text = vg_strndup(bytes, size > 0 ? (size_t)size : 0);
	OPENSSL_cleanse(bytes, size > 0 ? (size_t)size : 0);
	BIO_free(bio);
	return text;
}

static char *write_key(EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_mem());
	must(bio && PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL));
	return text_of(bio);
}

static char *write_certificate(X509 *certificate)
{
	BIO *bio = BIO_new(BIO_s_mem());
	must(bio && PEM_write_bio_X509(bio, certificate));
	return text_of(bio);
}

static X509 *read_certificate(const char *text)
{
	BIO *bio = BIO_new_mem_buf(text, -1);
	X509 *certificate = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
	BIO_free(bio);
	return certificate;
}

static EVP_PKEY *read_key(const char *text)
{
	BIO *bio = BIO_new_mem_buf(text, -1);
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
	BIO_free(bio);
	return key;
}

// Serial numbers are positive and of at most 20 bytes (RFC 5280, 4.1.2.2).
static void set_serial(X509 *certificate)
{
	uint8_t bytes[SERIAL_SIZE];
	vg_random(bytes, sizeof(bytes));
	bytes[0] = (bytes[0] & 0x7f) | 0x40;
	BIGNUM *number = BN_bin2bn(bytes, sizeof(bytes), NULL);
	must(number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)));
	BN_free(number);
}

static void set_subject(X509 *certificate, const char *organization, const char *name)
{
	X509_NAME *subject = X509_get_subject_name(certificate);
	must(X509_NAME_add_entry_by_txt(
		     subject, "O", MBSTRING_UTF8, (const unsigned char *)organization, -1, -1, 0) &&
		X509_NAME_add_entry_by_txt(
			subject, "CN", MBSTRING_UTF8, (const unsigned char *)name, -1, -1, 0));
}

static void add_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX context;
	X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	must(extension && X509_add_ext(certificate, extension, -1));
	X509_EXTENSION_free(extension);
}

// All but the issuer, the extensions and the signature.
static X509 *begin(EVP_PKEY *key, const char *organization, const char *name)
{
	X509 *certificate = X509_new();
	must(certificate && X509_set_version(certificate, X509_VERSION_3) &&
		X509_set_pubkey(certificate, key));
	set_serial(certificate);
	set_subject(certificate, organization, name);
	must(X509_gmtime_adj(X509_getm_notBefore(certificate), -DAY_S) &&
		X509_time_adj_ex(X509_getm_notAfter(certificate), YEARS * 365, 0, NULL));
	return certificate;
}

void vg_certificate_make_authority(
	const char *organization, const char *name, struct vg_certificate *ret_authority)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	must(key != NULL);
	X509 *certificate = begin(key, organization, name);
	must(X509_set_issuer_name(certificate, X509_get_subject_name(certificate)));
	add_extension(
		certificate, certificate, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
	add_extension(certificate, certificate, NID_key_usage, "critical,keyCertSign,cRLSign");
	add_extension(certificate, certificate, NID_subject_key_identifier, "hash");
	must(X509_sign(certificate, key, EVP_sha256()) > 0);
	*ret_authority = (struct vg_certificate){write_key(key), write_certificate(certificate)};
	X509_free(certificate);
	EVP_PKEY_free(key);
}

// libvirt wants digitalSignature and keyEncipherment of both ends
// (virNetTLSContextCheckCertKeyUsage).
static void add_extensions(X509 *certificate, X509 *issuer, const struct vg_certificate_wish *wish)
{
	_auto(vg_text) struct vg_text names = {0};
	if (wish->dns)
		vg_text_addf(&names, "DNS:%s", wish->dns);
	if (wish->ip) {
		char ip[VG_IP_LENGTH];
		vg_ip_write(wish->ip, ip);
		vg_text_addf(&names, "%sIP:%s", names.length ? "," : "", ip);
	}
	add_extension(certificate, issuer, NID_basic_constraints, "critical,CA:FALSE");
	add_extension(
		certificate, issuer, NID_key_usage, "critical,digitalSignature,keyEncipherment");
	add_extension(certificate, issuer, NID_ext_key_usage,
		wish->is_server ? "serverAuth,clientAuth" : "clientAuth");
	add_extension(certificate, issuer, NID_subject_key_identifier, "hash");
	add_extension(certificate, issuer, NID_authority_key_identifier, "keyid");
	if (names.length)
		add_extension(certificate, issuer, NID_subject_alt_name, names.bytes);
}

struct vg_error *vg_certificate_make(const struct vg_certificate *authority,
	const struct vg_certificate_wish *wish, struct vg_certificate *ret_certificate)
{
	X509 *issuer = read_certificate(authority->certificate);
	EVP_PKEY *issuer_key = read_key(authority->key);
	struct vg_error *error = NULL;
	if (!issuer || !issuer_key || X509_check_private_key(issuer, issuer_key) != 1) {
		error = vg_error_new(
			"the authority's key and certificate cannot be read, or do not "
			"belong together");
	} else {
		EVP_PKEY *key = EVP_EC_gen("P-256");
		must(key != NULL);
		X509 *certificate = begin(key, wish->organization, wish->name);
		must(X509_set_issuer_name(certificate, X509_get_subject_name(issuer)));
		add_extensions(certificate, issuer, wish);
		must(X509_sign(certificate, issuer_key, EVP_sha256()) > 0);
		*ret_certificate =
			(struct vg_certificate){write_key(key), write_certificate(certificate)};
		X509_free(certificate);
		EVP_PKEY_free(key);
	}
	X509_free(issuer);
	EVP_PKEY_free(issuer_key);
	return error;
}

bool vg_certificate_is_good(const char *certificate, const char *authority)
{
	X509 *end = read_certificate(certificate), *issuer = read_certificate(authority);
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *context = X509_STORE_CTX_new();
	must(store && context);
	bool is_good = end && issuer && X509_STORE_add_cert(store, issuer) &&
		       X509_STORE_CTX_init(context, store, end, NULL) &&
		       X509_verify_cert(context) == 1;
	X509_STORE_CTX_free(context);
	X509_STORE_free(store);
	X509_free(end);
	X509_free(issuer);
	return is_good;
}
