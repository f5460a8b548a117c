// SPDX-License-Identifier: Apache-2.0
#include "net/ovs_tls.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "base/text.h"

struct vg_ovs_tls {
	SSL_CTX *context;
	SSL *session;
	char *host;
};

// libssl writes with write(2): on a connection that the other end has closed this raises SIGPIPE.
// It is held back meanwhile, and taken away if it came.
struct hush {
	sigset_t before;
	bool was_pending;
};

static struct hush hush_begin(void)
{
	struct hush hush;
	sigset_t pipe, pending;
	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	sigpending(&pending);
	hush.was_pending = sigismember(&pending, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe, &hush.before);
	return hush;
}

static void hush_end(const struct hush *hush)
{
	int code = errno;
	sigset_t pipe;
	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	while (!hush->was_pending && sigtimedwait(&pipe, NULL, &(struct timespec){0}) > 0)
		;
	pthread_sigmask(SIG_SETMASK, &hush->before, NULL);
	errno = code;
}

// The oldest of libssl's complaints, which is the cause of the others.
static const char *reason(void)
{
	unsigned long code = ERR_get_error();
	const char *text = code ? ERR_reason_error_string(code) : NULL;
	if (ERR_SYSTEM_ERROR(code))
		text = strerror(ERR_GET_REASON(code));
	ERR_clear_error();
	return text ? text : "for no stated reason";
}

static struct vg_error *load(struct vg_ovs_tls *tls, const struct vg_tls_files *files)
{
	if (!files->key || !files->certificate || !files->authority)
		return vg_error_of(VG_ERROR_USAGE,
			"TLS needs a private key, a certificate and the authority's certificate");
	if (SSL_CTX_use_certificate_chain_file(tls->context, files->certificate) != 1)
		return vg_error_new(
			"reading the certificate '%s': %s", files->certificate, reason());
	if (SSL_CTX_use_PrivateKey_file(tls->context, files->key, SSL_FILETYPE_PEM) != 1)
		return vg_error_new("reading the private key '%s': %s", files->key, reason());
	if (SSL_CTX_load_verify_file(tls->context, files->authority) != 1)
		return vg_error_new(
			"reading the authority's certificate '%s': %s", files->authority, reason());
	return NULL;
}

struct vg_error *vg_ovs_tls_new(
	const struct vg_tls_files *files, int fd, const char *host, struct vg_ovs_tls **ret_tls)
{
	_auto(vg_ovs_tls) struct vg_ovs_tls *tls = vg_new(struct vg_ovs_tls);
	ERR_clear_error();
	tls->host = vg_strdup(host);
	tls->context = SSL_CTX_new(TLS_client_method());
	if (!tls->context)
		abort();
	SSL_CTX_set_min_proto_version(tls->context, TLS1_2_VERSION);
	SSL_CTX_set_verify(tls->context, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_mode(
		tls->context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	struct vg_error *error = load(tls, files);
	if (error)
		return error;
	tls->session = SSL_new(tls->context);
	if (!tls->session || SSL_set_fd(tls->session, fd) != 1)
		abort();
	*ret_tls = vg_take(tls);
	return NULL;
}

void vg_ovs_tls_free(struct vg_ovs_tls *tls)
{
	if (!tls)
		return;
	SSL_free(tls->session);
	SSL_CTX_free(tls->context);
	free(tls->host);
	free(tls);
}

// What a call of libssl that did not succeed means; 0 events and no error: the end of the stream.
static struct vg_error *judge(struct vg_ovs_tls *tls, int result, int code, short *ret_events)
{
	switch (SSL_get_error(tls->session, result)) {
	case SSL_ERROR_WANT_READ:
		*ret_events = POLLIN;
		return NULL;
	case SSL_ERROR_WANT_WRITE:
		*ret_events = POLLOUT;
		return NULL;
	case SSL_ERROR_ZERO_RETURN:
		*ret_events = 0;
		return NULL;
	case SSL_ERROR_SYSCALL:
		ERR_clear_error();
		return vg_error_hint(code ? vg_error_errno(code, "TLS")
					  : vg_error_new("it ended the connection"),
			"perhaps it refuses our certificate: its log says so");
	default:
		break;
	}
	long verdict = SSL_get_verify_result(tls->session);
	if (verdict != X509_V_OK) {
		ERR_clear_error();
		return vg_error_hint(vg_error_new("the certificate of '%s' is refused: %s",
					     tls->host, X509_verify_cert_error_string(verdict)),
			"it must be signed by the authority that the site names, and still be "
			"valid");
	}
	const char *why = reason();
	// Its alert about ours (RFC 8446, 6.2).
	if (strstr(why, "alert"))
		return vg_error_hint(
			vg_error_new("'%s' refuses our certificate: %s", tls->host, why),
			"our certificate must be signed by the authority that the host trusts");
	return vg_error_new("TLS with '%s': %s", tls->host, why);
}

// A certificate of this authority may still be another host's.
static struct vg_error *check_name(struct vg_ovs_tls *tls)
{
	X509 *certificate = SSL_get0_peer_certificate(tls->session);
	if (!certificate)
		return vg_error_new("'%s' shows no certificate", tls->host);
	if (X509_get_ext_by_NID(certificate, NID_subject_alt_name, -1) < 0)
		return NULL;
	if (X509_check_ip_asc(certificate, tls->host, 0) == 1 ||
		X509_check_host(
			certificate, tls->host, 0, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL) == 1)
		return NULL;
	return vg_error_new("the certificate of '%s' was made for another host", tls->host);
}

struct vg_error *vg_ovs_tls_greet(struct vg_ovs_tls *tls, short *ret_events)
{
	struct hush hush = hush_begin();
	ERR_clear_error();
	errno = 0;
	int result = SSL_connect(tls->session), code = errno;
	hush_end(&hush);
	short events = 0;
	struct vg_error *error = result == 1 ? check_name(tls) : judge(tls, result, code, &events);
	if (!error && result != 1 && !events)
		error = vg_error_new("it ended the connection");
	if (!error)
		*ret_events = events;
	return error;
}

struct vg_error *vg_ovs_tls_send(
	struct vg_ovs_tls *tls, const void *bytes, size_t size, size_t *ret_size, short *ret_events)
{
	struct hush hush = hush_begin();
	ERR_clear_error();
	errno = 0;
	int result = SSL_write(tls->session, bytes, size > INT_MAX ? INT_MAX : (int)size);
	int code = errno;
	if (result <= 0 && (code == EPIPE || code == ECONNRESET)) {
		// It has gone; why, its last word may say (RFC 8446, 6.2: our certificate is judged
		// when the greeting is over for us).
		char word;
		errno = 0;
		ERR_clear_error();
		result = SSL_read(tls->session, &word, sizeof(word));
		result = result > 0 ? 0 : result;
		code = errno ? errno : code;
	}
	hush_end(&hush);
	short events = 0;
	struct vg_error *error = result > 0 ? NULL : judge(tls, result, code, &events);
	if (!error && result <= 0 && !events)
		error = vg_error_new("it ended the connection");
	if (error)
		return error;
	*ret_size = result > 0 ? (size_t)result : 0;
	*ret_events = events;
	return NULL;
}

struct vg_error *vg_ovs_tls_receive(
	struct vg_ovs_tls *tls, void *bytes, size_t size, size_t *ret_size, short *ret_events)
{
	struct hush hush = hush_begin();
	ERR_clear_error();
	errno = 0;
	int result = SSL_read(tls->session, bytes, size > INT_MAX ? INT_MAX : (int)size);
	int code = errno;
	hush_end(&hush);
	short events = 0;
	struct vg_error *error = result > 0 ? NULL : judge(tls, result, code, &events);
	if (error)
		return error;
	*ret_size = result > 0 ? (size_t)result : 0;
	*ret_events = events;
	return NULL;
}
