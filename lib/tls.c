/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/tls.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <time.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "lib/digest.h"
#include "lib/mem.h"

/* A chain here is two small certificates; strangers may not send more. */
#define CHAIN_MAX_BYTES 16384
#define PEER_TEXT_SIZE	96

struct tls_config {
	SSL_CTX *ctx;
	bool is_server;
	bool is_pinned;
	uint8_t pin[PKI_FINGERPRINT_SIZE];
};

struct tls {
	SSL *ssl;
	int fd;
	int sock_errno; /* of the last transfer that failed */
	bool is_server;
	bool is_pinned;
	bool is_up;
	bool wants_write;
	bool has_peer;
	uint8_t pin[PKI_FINGERPRINT_SIZE];
	struct pki_cert peer_cert;
	char peer[PEER_TEXT_SIZE];
	char verify_text[192]; /* why the peer's certificate was refused */
};

/* ---- the socket below ----
 * OpenSSL's own socket BIO uses write(), which raises SIGPIPE; a library must
 * not change the signal handling of its program to avoid that. */

static int sock_result(BIO *bio, ssize_t n)
{
	struct tls *tls = BIO_get_data(bio);

	BIO_clear_retry_flags(bio);
	if (n >= 0)
		return (int)n;
	tls->sock_errno = errno;
	if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
		return -1;
	return -2;
}

static int sock_write(BIO *bio, const char *data, int len)
{
	struct tls *tls = BIO_get_data(bio);
	int ret = sock_result(bio, send(tls->fd, data, (size_t)len, MSG_NOSIGNAL));

	if (ret == -1)
		BIO_set_retry_write(bio);
	return ret < 0 ? -1 : ret;
}

static int sock_read(BIO *bio, char *data, int len)
{
	struct tls *tls = BIO_get_data(bio);
	int ret = sock_result(bio, recv(tls->fd, data, (size_t)len, 0));

	if (ret == -1)
		BIO_set_retry_read(bio);
	if (ret == 0)
		BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
	return ret < 0 ? -1 : ret;
}

static long sock_ctrl(BIO *bio, int cmd, long num, void *ptr)
{
	(void)num;
	(void)ptr;
	if (cmd == BIO_CTRL_EOF)
		return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0;
	return cmd == BIO_CTRL_FLUSH;
}

static BIO_METHOD *sock_method(void)
{
	static BIO_METHOD *method;

	if (method)
		return method;
	method = BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(), "socket");
	if (!method || BIO_meth_set_write(method, sock_write) != 1 ||
	    BIO_meth_set_read(method, sock_read) != 1 ||
	    BIO_meth_set_ctrl(method, sock_ctrl) != 1)
		abort(); /* out of memory */
	return method;
}

static BIO *sock_bio(struct tls *tls)
{
	BIO *bio = BIO_new(sock_method());

	if (!bio)
		abort(); /* out of memory */
	BIO_set_data(bio, tls);
	BIO_set_init(bio, 1);
	return bio;
}

/* ---- verification ---- */

static struct tls *tls_of(X509_STORE_CTX *store)
{
	SSL *ssl =
		X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());

	return SSL_get_app_data(ssl);
}

static void date_format(const ASN1_TIME *t, char *buf, size_t size)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(t, &tm) != 1 ||
	    strftime(buf, size, "%Y-%m-%d %H:%M:%S UTC", &tm) == 0)
		snprintf(buf, size, "an unreadable date");
}

static void now_format(char *buf, size_t size)
{
	time_t now = time(NULL);
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(buf, size, "%Y-%m-%d %H:%M:%S UTC", &tm);
}

/* Called for each thing wrong with the chain, while the certificate that it is
 * wrong with is at hand; afterwards only a number is left. */
static void verify_explain(struct tls *tls, X509_STORE_CTX *store)
{
	int err = X509_STORE_CTX_get_error(store);
	X509 *cert = X509_STORE_CTX_get_current_cert(store);
	char *out = tls->verify_text;
	size_t size = sizeof(tls->verify_text);
	char date[32], now[32];

	now_format(now, sizeof(now));
	switch (err) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
		date_format(X509_get0_notAfter(cert), date, sizeof(date));
		snprintf(out, size,
			 "its certificate expired on %s, the clock here says %s; "
			 "enroll it again, or correct the clock",
			 date, now);
		break;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		date_format(X509_get0_notBefore(cert), date, sizeof(date));
		snprintf(out, size,
			 "its certificate is valid from %s, the clock here says %s; "
			 "correct the clock",
			 date, now);
		break;
	case X509_V_ERR_INVALID_PURPOSE:
		snprintf(out, size,
			 "its certificate is not for this side of the session "
			 "(an agent's cannot serve as a controller's)");
		break;
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_CERT_SIGNATURE_FAILURE:
		snprintf(out, size,
			 "its certificate is from an unknown CA; was it "
			 "enrolled with another controller?");
		break;
	default:
		snprintf(out, size, "its certificate is refused: %s",
			 X509_verify_cert_error_string(err));
		break;
	}
}

static int verify_step(int ok, X509_STORE_CTX *store)
{
	if (!ok)
		verify_explain(tls_of(store), store);
	return ok;
}

static X509 *find_pinned(const STACK_OF(X509) * chain, const uint8_t *pin)
{
	for (int i = 0; i < sk_X509_num(chain); i++) {
		X509 *cert = sk_X509_value(chain, i);
		uint8_t sum[PKI_FINGERPRINT_SIZE];
		unsigned int len = sizeof(sum);

		if (X509_digest(cert, EVP_sha256(), sum, &len) == 1 &&
		    memcmp(sum, pin, sizeof(sum)) == 0)
			return cert;
	}
	return NULL;
}

/* Trusts, for this one session, the CA among the certificates shown that has
 * the fingerprint of the token; then the usual verification runs, so dates,
 * usage and the CA flag count as always. */
static int verify_pinned(X509_STORE_CTX *store, void *arg)
{
	struct tls *tls = tls_of(store);
	X509 *ca = find_pinned(X509_STORE_CTX_get0_untrusted(store), tls->pin);
	STACK_OF(X509) * trusted;
	int ok;

	(void)arg;
	if (!ca) {
		snprintf(tls->verify_text, sizeof(tls->verify_text),
			 "it shows no CA with the fingerprint in the token: this is "
			 "another controller, or someone in between");
		X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_UNTRUSTED);
		return 0;
	}
	trusted = sk_X509_new_null();
	if (!trusted || sk_X509_push(trusted, ca) == 0)
		abort(); /* out of memory */
	X509_STORE_CTX_set0_trusted_stack(store, trusted);
	ok = X509_verify_cert(store);
	sk_X509_free(trusted);
	return ok > 0;
}

/* ---- configuration ---- */

static struct tls_config *config_error(struct tls_config *config, struct diag *diag,
				       const char *what, const char *path)
{
	const char *reason = ERR_reason_error_string(ERR_peek_error());

	diag_set(diag, "%s%s%s: %s", what, path ? " " : "", path ? path : "",
		 reason ? reason : "unknown OpenSSL error");
	ERR_clear_error();
	tls_config_free(config);
	return NULL;
}

static struct tls_config *config_new(bool is_server)
{
	struct tls_config *config = mem_alloc(sizeof(*config));
	SSL_CTX *ctx = SSL_CTX_new(is_server ? TLS_server_method() : TLS_client_method());

	if (!ctx || SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) != 1 ||
	    SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION) != 1 ||
	    SSL_CTX_set_num_tickets(ctx, 0) != 1) {
		fprintf(stderr, "OpenSSL cannot do TLS 1.3\n");
		abort();
	}
	SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
				      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				      SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_max_cert_list(ctx, CHAIN_MAX_BYTES);
	/* The server does not insist (no FAIL_IF_NO_PEER_CERT): an agent that
	 * enrolls has no certificate yet. One that is shown must be good. */
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, verify_step);
	config->ctx = ctx;
	config->is_server = is_server;
	return config;
}

static int no_passphrase(char *buf, int size, int rwflag, void *arg)
{
	(void)buf;
	(void)size;
	(void)rwflag;
	(void)arg;
	return -1;
}

static struct tls_config *load_own(struct tls_config *config, const char *cert,
				   const char *key, struct diag *diag)
{
	SSL_CTX_set_default_passwd_cb(config->ctx, no_passphrase);
	if (SSL_CTX_use_certificate_chain_file(config->ctx, cert) != 1)
		return config_error(config, diag, "cannot use certificate", cert);
	if (SSL_CTX_use_PrivateKey_file(config->ctx, key, SSL_FILETYPE_PEM) != 1)
		return config_error(config, diag, "cannot use private key", key);
	if (SSL_CTX_check_private_key(config->ctx) != 1)
		return config_error(config, diag, "the key does not belong to", cert);
	return config;
}

static struct tls_config *load_ca(struct tls_config *config, const char *ca,
				  struct diag *diag)
{
	if (SSL_CTX_load_verify_file(config->ctx, ca) != 1)
		return config_error(config, diag, "cannot use CA", ca);
	return config;
}

struct tls_config *tls_config_server(const char *cert, const char *key, const char *ca,
				     struct diag *diag)
{
	struct tls_config *config = load_own(config_new(true), cert, key, diag);

	return config ? load_ca(config, ca, diag) : NULL;
}

struct tls_config *tls_config_client(const char *cert, const char *key, const char *ca,
				     struct diag *diag)
{
	struct tls_config *config = config_new(false);

	if (cert)
		config = load_own(config, cert, key, diag);
	return config ? load_ca(config, ca, diag) : NULL;
}

struct tls_config *tls_config_pinned(const uint8_t ca[PKI_FINGERPRINT_SIZE],
				     struct diag *diag)
{
	struct tls_config *config = config_new(false);

	(void)diag;
	config->is_pinned = true;
	memcpy(config->pin, ca, sizeof(config->pin));
	SSL_CTX_set_cert_verify_callback(config->ctx, verify_pinned, NULL);
	return config;
}

void tls_config_free(struct tls_config *config)
{
	if (!config)
		return;
	SSL_CTX_free(config->ctx); /* sessions hold references */
	free(config);
}

/* ---- sessions ---- */

struct tls *tls_new(struct tls_config *config, int fd, const char *peer)
{
	struct tls *tls = mem_alloc(sizeof(*tls));
	BIO *bio;

	tls->fd = fd;
	tls->is_server = config->is_server;
	tls->is_pinned = config->is_pinned;
	memcpy(tls->pin, config->pin, sizeof(tls->pin));
	snprintf(tls->peer, sizeof(tls->peer), "%s", peer);
	tls->ssl = SSL_new(config->ctx);
	if (!tls->ssl || SSL_set_app_data(tls->ssl, tls) != 1)
		abort(); /* out of memory */
	bio = sock_bio(tls);
	SSL_set_bio(tls->ssl, bio, bio);
	if (config->is_server)
		SSL_set_accept_state(tls->ssl);
	else
		SSL_set_connect_state(tls->ssl);
	return tls;
}

void tls_free(struct tls *tls)
{
	if (!tls)
		return;
	ERR_clear_error();
	if (tls->is_up)
		(void)SSL_shutdown(tls->ssl); /* not during a handshake */
	SSL_free(tls->ssl);
	ERR_clear_error();
	free(tls);
}

/* The other side's reasons, as its last words (an alert) put them. In TLS 1.3
 * a client learns them at its first read, after its own handshake is done. */
static const char *alert_text(const struct tls *tls, int reason)
{
	switch (reason) {
	case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
	case SSL_R_TLSV1_ALERT_DECRYPT_ERROR:
		return "it does not know the CA of our certificate; enroll here again";
	case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
		return "it says that our certificate has expired or that its clock is "
		       "wrong; compare the clocks, then enroll again";
	case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
	case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
		return "it says that our certificate is revoked; enroll again";
	case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE: /* also: not valid yet */
	case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
	case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
		return "it refuses our certificate; compare the clocks, then enroll "
		       "again";
	case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
		return "it wants a certificate, and we have none; enroll first";
	case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
	case SSL_R_UNSUPPORTED_PROTOCOL:
		return tls->is_server
			       ? "it does not speak TLS 1.3"
			       : "it refuses TLS 1.3; is this the controller's port?";
	case SSL_R_WRONG_VERSION_NUMBER:
	case SSL_R_HTTP_REQUEST:
	case SSL_R_HTTPS_PROXY_REQUEST:
	case SSL_R_PACKET_LENGTH_TOO_LONG:
	case SSL_R_BAD_RECORD_TYPE:
		return "it does not speak TLS; is this the right port?";
	case SSL_R_UNEXPECTED_EOF_WHILE_READING:
		return tls->is_up ? "the connection was cut"
				  : "the connection was closed during the handshake";
	default:
		return NULL;
	}
}

static int explain(struct tls *tls, int ssl_error, struct diag *diag)
{
	unsigned long code = ERR_peek_error();
	const char *text = alert_text(tls, ERR_GET_REASON(code));
	const char *reason = ERR_reason_error_string(code);

	if (tls->verify_text[0])
		text = tls->verify_text;
	else if (ssl_error == SSL_ERROR_SYSCALL && code == 0)
		text = tls->sock_errno ? strerror(tls->sock_errno)
				       : "the connection was closed";
	else if (!text)
		text = reason ? reason : "TLS failed";
	ERR_clear_error();
	tls->is_up = false; /* nothing may be written any more, not even goodbye */
	return diag_set(diag, "%s: %s", tls->peer, text);
}

static int peer_read(struct tls *tls, struct diag *diag)
{
	X509 *cert = SSL_get0_peer_certificate(tls->ssl);
	unsigned char *der = NULL;
	int len, ret;

	if (!cert)
		return 0;
	len = i2d_X509(cert, &der);
	if (len <= 0)
		abort(); /* out of memory */
	ret = pki_cert_read(der, (size_t)len, &tls->peer_cert, diag);
	OPENSSL_free(der);
	if (ret < 0)
		return diag_prepend(diag, "%s", tls->peer);
	tls->has_peer = true;
	return 0;
}

/* The usage extension says server; the name must say controller as well. */
static int peer_check(struct tls *tls, struct diag *diag)
{
	if (peer_read(tls, diag) < 0)
		return -1;
	if (tls->is_server)
		return 0;
	if (!tls->has_peer || !tls->peer_cert.has_id ||
	    tls->peer_cert.id.kind != PKI_CONTROLLER)
		return diag_set(diag, "%s: its certificate is not a controller's",
				tls->peer);
	return 0;
}

int tls_handshake(struct tls *tls, struct diag *diag)
{
	int ret, err;

	if (tls->is_up)
		return 1;
	ERR_clear_error();
	tls->sock_errno = 0;
	ret = SSL_do_handshake(tls->ssl);
	if (ret == 1) {
		tls->wants_write = false;
		if (peer_check(tls, diag) < 0)
			return -1;
		tls->is_up = true;
		return 1;
	}
	err = SSL_get_error(tls->ssl, ret);
	tls->wants_write = err == SSL_ERROR_WANT_WRITE;
	if (err == SSL_ERROR_WANT_READ || err == SSL_ERROR_WANT_WRITE)
		return 0;
	return explain(tls, err, diag);
}

static int transfer_result(struct tls *tls, int ret, struct diag *diag)
{
	int err;

	if (ret > 0) {
		tls->wants_write = false;
		return ret;
	}
	err = SSL_get_error(tls->ssl, ret);
	tls->wants_write = err == SSL_ERROR_WANT_WRITE;
	if (err == SSL_ERROR_WANT_READ || err == SSL_ERROR_WANT_WRITE)
		return TLS_AGAIN;
	if (err == SSL_ERROR_ZERO_RETURN)
		return TLS_CLOSED;
	explain(tls, err, diag);
	return TLS_ERROR;
}

static int clamp(size_t len)
{
	return len > INT_MAX ? INT_MAX : (int)len;
}

static int not_up(struct tls *tls, struct diag *diag)
{
	diag_set(diag, "%s: the session is not up", tls->peer);
	return TLS_ERROR;
}

int tls_read(struct tls *tls, void *buf, size_t len, struct diag *diag)
{
	if (!tls->is_up)
		return not_up(tls, diag);
	ERR_clear_error();
	tls->sock_errno = 0;
	return transfer_result(tls, SSL_read(tls->ssl, buf, clamp(len)), diag);
}

int tls_write(struct tls *tls, const void *buf, size_t len, struct diag *diag)
{
	if (!tls->is_up)
		return not_up(tls, diag);
	if (len == 0)
		return TLS_AGAIN; /* SSL_write() leaves nothing undefined here */
	ERR_clear_error();
	tls->sock_errno = 0;
	return transfer_result(tls, SSL_write(tls->ssl, buf, clamp(len)), diag);
}

bool tls_wants_write(const struct tls *tls)
{
	return tls->wants_write;
}

bool tls_has_pending(const struct tls *tls)
{
	return SSL_has_pending(tls->ssl) == 1;
}

bool tls_peer_has_certificate(const struct tls *tls)
{
	return tls->has_peer;
}

const struct pki_cert *tls_peer_certificate(const struct tls *tls)
{
	return tls->has_peer ? &tls->peer_cert : NULL;
}
