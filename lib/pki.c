/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/pki.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "lib/digest.h"
#include "lib/mem.h"
#include "lib/name.h"

#define URI_PREFIX   "urn:opensav:"
#define TOKEN_PREFIX "opensav1:"
#define SERIAL_BYTES 16

struct pki_key {
	EVP_PKEY *pkey;
};

static const char *const kind_names[] = {
	[PKI_ROUTER] = "router",
	[PKI_EDGE] = "edge",
	[PKI_RELAY] = "relay",
	[PKI_CONTROLLER] = "controller",
};
#define N_KINDS (sizeof(kind_names) / sizeof(kind_names[0]))

const char *pki_kind_name(enum pki_kind kind)
{
	return kind_names[kind];
}

bool pki_kind_parse(const char *text, enum pki_kind *kind)
{
	for (size_t i = 0; i < N_KINDS; i++) {
		if (strcmp(text, kind_names[i]) == 0) {
			*kind = (enum pki_kind)i;
			return true;
		}
	}
	return false;
}

const char *pki_identity_format(const struct pki_identity *id, char buf[PKI_URI_SIZE])
{
	snprintf(buf, PKI_URI_SIZE, URI_PREFIX "%s:%s", pki_kind_name(id->kind),
		 id->name);
	return buf;
}

bool pki_identity_parse(const char *uri, struct pki_identity *id)
{
	struct pki_identity out = { 0 };
	const char *colon;
	char kind[16];

	if (strncmp(uri, URI_PREFIX, strlen(URI_PREFIX)) != 0)
		return false;
	uri += strlen(URI_PREFIX);
	colon = strchr(uri, ':');
	if (!colon || (size_t)(colon - uri) >= sizeof(kind))
		return false;
	memcpy(kind, uri, (size_t)(colon - uri));
	kind[colon - uri] = '\0';
	if (!pki_kind_parse(kind, &out.kind) || !name_is_valid(colon + 1))
		return false;
	memcpy(out.name, colon + 1, strlen(colon + 1));
	*id = out;
	return true;
}

/* Why OpenSSL has failed; empties its queue, so that an old error never
 * appears in the report of a later one. */
static int crypto_error(struct diag *diag, const char *what)
{
	const char *reason = ERR_reason_error_string(ERR_peek_error());

	diag_set(diag, "%s: %s", what, reason ? reason : "unknown OpenSSL error");
	ERR_clear_error();
	return -1;
}

/* For steps that fail only when memory is out or OpenSSL is broken. */
static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "OpenSSL cannot %s\n", what);
	abort();
}

/* ---- keys ---- */

static struct pki_key *key_wrap(EVP_PKEY *pkey)
{
	struct pki_key *key = mem_alloc(sizeof(*key));

	key->pkey = pkey;
	return key;
}

struct pki_key *pki_key_new(void)
{
	EVP_PKEY *pkey = EVP_EC_gen("P-256");

	must(pkey != NULL, "make a P-256 key");
	return key_wrap(pkey);
}

void pki_key_free(struct pki_key *key)
{
	if (!key)
		return;
	EVP_PKEY_free(key->pkey); /* clears the private number */
	free(key);
}

static bool is_p256(EVP_PKEY *pkey)
{
	char group[32];
	size_t len;

	return EVP_PKEY_is_a(pkey, "EC") &&
	       EVP_PKEY_get_group_name(pkey, group, sizeof(group), &len) == 1 &&
	       strcmp(group, SN_X9_62_prime256v1) == 0;
}

/* A daemon must never stop to ask for a passphrase. */
static int no_passphrase(char *buf, int size, int rwflag, void *arg)
{
	(void)buf;
	(void)size;
	(void)rwflag;
	(void)arg;
	return -1;
}

struct pki_key *pki_key_load(const char *path, struct diag *diag)
{
	FILE *file = fopen(path, "re");
	EVP_PKEY *pkey;

	if (!file) {
		diag_set(diag, "cannot open key %s: %s", path, strerror(errno));
		return NULL;
	}
	pkey = PEM_read_PrivateKey(file, NULL, no_passphrase, NULL);
	fclose(file);
	if (!pkey) {
		crypto_error(diag, "not an unencrypted PEM private key");
		diag_prepend(diag, "%s", path);
		return NULL;
	}
	if (!is_p256(pkey)) {
		diag_set(diag, "%s: not a P-256 key", path);
		EVP_PKEY_free(pkey);
		return NULL;
	}
	return key_wrap(pkey);
}

int pki_key_save(const struct pki_key *key, const char *path, struct diag *diag)
{
	BIO *bio = BIO_new(BIO_s_secmem());
	char *data;
	long len;
	int ret;

	must(bio && PEM_write_bio_PKCS8PrivateKey(bio, key->pkey, NULL, NULL, 0, NULL,
						  NULL) == 1,
	     "write a key");
	len = BIO_get_mem_data(bio, &data);
	ret = pki_file_write(path, 0600, data, (size_t)len, diag);
	OPENSSL_cleanse(data, (size_t)len);
	BIO_free(bio);
	return ret;
}

/* ---- DER in and out ---- */

typedef int i2d_fn(const void *x, unsigned char **out);

static void put_der(struct wr *out, const void *x, i2d_fn *i2d)
{
	unsigned char *der = NULL;
	int len = i2d(x, &der);

	must(len > 0, "encode DER");
	wr_bytes(out, der, (size_t)len);
	OPENSSL_free(der);
}

static int i2d_cert(const void *x, unsigned char **out)
{
	return i2d_X509(x, out);
}

static int i2d_csr(const void *x, unsigned char **out)
{
	return i2d_X509_REQ(x, out);
}

static int i2d_spki(const void *x, unsigned char **out)
{
	return i2d_PUBKEY(x, out);
}

static X509 *cert_decode(const void *der, size_t len, struct diag *diag)
{
	const unsigned char *p = der;
	X509 *cert;

	if (len > PKI_DER_MAX_BYTES) {
		diag_set(diag, "certificate of %zu bytes", len);
		return NULL;
	}
	cert = d2i_X509(NULL, &p, (long)len);
	if (!cert) {
		crypto_error(diag, "not a certificate");
		return NULL;
	}
	if (p != (const unsigned char *)der + len) {
		diag_set(diag, "bytes after the certificate");
		X509_free(cert);
		return NULL;
	}
	return cert;
}

static EVP_PKEY *spki_decode(const uint8_t *der, size_t len, struct diag *diag)
{
	const unsigned char *p = der;
	EVP_PKEY *pkey;

	if (len > PKI_DER_MAX_BYTES) {
		diag_set(diag, "public key of %zu bytes", len);
		return NULL;
	}
	pkey = d2i_PUBKEY(NULL, &p, (long)len);
	if (!pkey) {
		crypto_error(diag, "not a public key");
		return NULL;
	}
	if (p != der + len || !is_p256(pkey)) {
		diag_set(diag, "not a P-256 public key");
		EVP_PKEY_free(pkey);
		return NULL;
	}
	return pkey;
}

/* ---- requests ---- */

static void name_set(X509_NAME *name, const char *common_name)
{
	must(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
					(const unsigned char *)common_name, -1, -1,
					0) == 1,
	     "set a subject");
}

int pki_csr_make(const struct pki_key *key, const char *name, struct wr *der,
		 struct diag *diag)
{
	X509_REQ *csr = X509_REQ_new();

	must(csr && X509_REQ_set_version(csr, X509_REQ_VERSION_1) == 1 &&
		     X509_REQ_set_pubkey(csr, key->pkey) == 1,
	     "make a certificate request");
	name_set(X509_REQ_get_subject_name(csr), name);
	if (X509_REQ_sign(csr, key->pkey, EVP_sha256()) <= 0) {
		X509_REQ_free(csr);
		return crypto_error(diag, "cannot sign the certificate request");
	}
	put_der(der, csr, i2d_csr);
	X509_REQ_free(csr);
	return 0;
}

static int csr_take_key(X509_REQ *csr, struct wr *spki, struct diag *diag)
{
	EVP_PKEY *pkey = X509_REQ_get0_pubkey(csr);

	if (!pkey || !is_p256(pkey)) {
		ERR_clear_error();
		return diag_set(diag, "certificate request without a P-256 key");
	}
	if (X509_REQ_verify(csr, pkey) != 1) {
		ERR_clear_error();
		return diag_set(diag, "certificate request is not signed by its own key");
	}
	put_der(spki, pkey, i2d_spki);
	return 0;
}

int pki_csr_spki(const void *der, size_t len, struct wr *spki, struct diag *diag)
{
	const unsigned char *p = der;
	X509_REQ *csr;
	int ret;

	if (len > PKI_DER_MAX_BYTES)
		return diag_set(diag, "certificate request of %zu bytes", len);
	csr = d2i_X509_REQ(NULL, &p, (long)len);
	if (!csr)
		return crypto_error(diag, "not a certificate request");
	if (p != (const unsigned char *)der + len)
		ret = diag_set(diag, "bytes after the certificate request");
	else
		ret = csr_take_key(csr, spki, diag);
	X509_REQ_free(csr);
	return ret;
}

/* ---- certificates ---- */

/* RFC 5280 4.1.2.2: positive and at most 20 bytes; 128 random bits with the
 * top one set are both, and all serials have the same length in print. */
static void serial_set(X509 *cert)
{
	uint8_t raw[SERIAL_BYTES];
	BIGNUM *bn;

	digest_random(raw, sizeof(raw));
	raw[0] |= 0x80;
	bn = BN_bin2bn(raw, sizeof(raw), NULL);
	must(bn && BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(cert)),
	     "set a serial number");
	BN_free(bn);
}

static int validity_set(X509 *cert, int64_t not_before, int64_t not_after,
			struct diag *diag)
{
	if (not_before >= not_after)
		return diag_set(diag, "certificate would end before it begins");
	if (!ASN1_TIME_set(X509_getm_notBefore(cert), (time_t)not_before) ||
	    !ASN1_TIME_set(X509_getm_notAfter(cert), (time_t)not_after)) {
		ERR_clear_error();
		return diag_set(diag, "certificate validity is not a date");
	}
	return 0;
}

static void extension_add(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509_EXTENSION *ext;
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	must(ext && X509_add_ext(cert, ext, -1) == 1, "add an extension");
	X509_EXTENSION_free(ext);
}

static X509 *cert_new(EVP_PKEY *pkey, int64_t not_before, int64_t not_after,
		      struct diag *diag)
{
	X509 *cert = X509_new();

	must(cert && X509_set_version(cert, X509_VERSION_3) == 1 &&
		     X509_set_pubkey(cert, pkey) == 1,
	     "make a certificate");
	serial_set(cert);
	if (validity_set(cert, not_before, not_after, diag) < 0) {
		X509_free(cert);
		return NULL;
	}
	return cert;
}

static int cert_sign(X509 *cert, EVP_PKEY *ca_key, struct wr *der, struct diag *diag)
{
	if (X509_sign(cert, ca_key, EVP_sha256()) <= 0)
		return crypto_error(diag, "cannot sign the certificate");
	put_der(der, cert, i2d_cert);
	return 0;
}

int pki_ca_make(const struct pki_key *key, const char *subject, int64_t not_before,
		int64_t not_after, struct wr *der, struct diag *diag)
{
	X509 *cert = cert_new(key->pkey, not_before, not_after, diag);
	int ret;

	if (!cert)
		return -1;
	name_set(X509_get_subject_name(cert), subject);
	must(X509_set_issuer_name(cert, X509_get_subject_name(cert)) == 1,
	     "set an issuer");
	extension_add(cert, cert, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
	extension_add(cert, cert, NID_key_usage, "critical,keyCertSign,cRLSign");
	extension_add(cert, cert, NID_subject_key_identifier, "hash");
	ret = cert_sign(cert, key->pkey, der, diag);
	X509_free(cert);
	return ret;
}

/* TLS refuses a certificate that is used on the wrong side, so a stolen router
 * certificate cannot pose as the controller. */
static const char *kind_usage(enum pki_kind kind)
{
	return kind == PKI_CONTROLLER ? "serverAuth" : "clientAuth";
}

static int issue(X509 *ca, const struct pki_key *ca_key, EVP_PKEY *subject_key,
		 const struct pki_request *request, struct wr *der, struct diag *diag)
{
	char uri[4 + PKI_URI_SIZE] = "URI:";
	X509 *cert = cert_new(subject_key, request->not_before, request->not_after, diag);
	int ret;

	if (!cert)
		return -1;
	pki_identity_format(&request->id, uri + 4);
	name_set(X509_get_subject_name(cert), request->id.name);
	must(X509_set_issuer_name(cert, X509_get_subject_name(ca)) == 1, "set an issuer");
	extension_add(cert, ca, NID_basic_constraints, "critical,CA:FALSE");
	extension_add(cert, ca, NID_key_usage, "critical,digitalSignature");
	extension_add(cert, ca, NID_ext_key_usage, kind_usage(request->id.kind));
	extension_add(cert, ca, NID_subject_key_identifier, "hash");
	extension_add(cert, ca, NID_authority_key_identifier, "keyid");
	extension_add(cert, ca, NID_subject_alt_name, uri);
	ret = cert_sign(cert, ca_key->pkey, der, diag);
	X509_free(cert);
	return ret;
}

int pki_issue(const struct pki_key *ca_key, const void *ca, size_t ca_len,
	      const struct pki_request *request, struct wr *der, struct diag *diag)
{
	EVP_PKEY *subject_key = NULL;
	X509 *ca_cert;
	int ret = -1;

	/* The name goes into extension text, where a comma would start another
	 * alternative name. */
	if ((size_t)request->id.kind >= N_KINDS || !name_is_valid(request->id.name))
		return diag_set(diag, "certificate for an invalid name");
	ca_cert = cert_decode(ca, ca_len, diag);
	if (!ca_cert)
		return -1;
	subject_key = spki_decode(request->spki, request->spki_len, diag);
	if (subject_key)
		ret = issue(ca_cert, ca_key, subject_key, request, der, diag);
	EVP_PKEY_free(subject_key);
	X509_free(ca_cert);
	return ret;
}

/* ---- reading certificates ---- */

static bool uri_is_text(const ASN1_IA5STRING *uri)
{
	return memchr(ASN1_STRING_get0_data(uri), 0, (size_t)ASN1_STRING_length(uri)) ==
	       NULL;
}

/* Two URIs would leave it to the reader which one counts: none does. */
static bool cert_identity(const X509 *cert, struct pki_identity *id)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	const ASN1_IA5STRING *uri = NULL;
	char text[PKI_URI_SIZE];
	size_t n_uris = 0;
	bool ok = false;

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

		if (name->type != GEN_URI)
			continue;
		uri = name->d.uniformResourceIdentifier;
		n_uris++;
	}
	if (n_uris == 1 && uri_is_text(uri) &&
	    (size_t)ASN1_STRING_length(uri) < sizeof(text)) {
		memcpy(text, ASN1_STRING_get0_data(uri), (size_t)ASN1_STRING_length(uri));
		text[ASN1_STRING_length(uri)] = '\0';
		ok = pki_identity_parse(text, id);
	}
	GENERAL_NAMES_free(names);
	ERR_clear_error();
	return ok;
}

static int cert_serial(const X509 *cert, char text[PKI_SERIAL_SIZE], struct diag *diag)
{
	const ASN1_INTEGER *serial = X509_get0_serialNumber(cert);
	int len = ASN1_STRING_length(serial);

	/* OpenSSL keeps the sign in the type and the magnitude in the bytes. */
	if (len < 1 || len > SERIAL_BYTES || ASN1_STRING_type(serial) != V_ASN1_INTEGER)
		return diag_set(diag, "certificate with an unusable serial number");
	digest_hex(ASN1_STRING_get0_data(serial), (size_t)len, text);
	return 0;
}

static int cert_time(const ASN1_TIME *t, int64_t *seconds, struct diag *diag)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(t, &tm) != 1) {
		ERR_clear_error();
		return diag_set(diag, "certificate with an unusable date");
	}
	*seconds = timegm(&tm);
	return 0;
}

int pki_cert_read(const void *der, size_t len, struct pki_cert *cert, struct diag *diag)
{
	struct pki_cert out = { 0 };
	X509 *x = cert_decode(der, len, diag);
	int ret = -1;

	if (!x)
		return -1;
	if (cert_serial(x, out.serial, diag) == 0 &&
	    cert_time(X509_get0_notBefore(x), &out.not_before, diag) == 0 &&
	    cert_time(X509_get0_notAfter(x), &out.not_after, diag) == 0) {
		out.has_id = cert_identity(x, &out.id);
		digest_sha256(der, len, out.fingerprint);
		*cert = out;
		ret = 0;
	}
	X509_free(x);
	return ret;
}

static int check_pair(X509 *cert, X509 *ca, const struct pki_key *key, struct diag *diag)
{
	if (X509_check_private_key(cert, key->pkey) != 1) {
		ERR_clear_error();
		return diag_set(diag, "certificate is for another key");
	}
	if (X509_check_issued(ca, cert) != X509_V_OK ||
	    X509_verify(cert, X509_get0_pubkey(ca)) != 1) {
		ERR_clear_error();
		return diag_set(diag, "certificate was not signed by this CA");
	}
	return 0;
}

int pki_cert_check(const void *der, size_t len, const struct pki_key *key, const void *ca,
		   size_t ca_len, struct diag *diag)
{
	X509 *cert = cert_decode(der, len, diag);
	X509 *ca_cert = cert ? cert_decode(ca, ca_len, diag) : NULL;
	int ret = -1;

	if (cert && ca_cert)
		ret = check_pair(cert, ca_cert, key, diag);
	X509_free(cert);
	X509_free(ca_cert);
	return ret;
}

/* ---- files ---- */

static int write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len != 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

/* The rename itself is only safe from a crash once the directory is. */
static void sync_directory(const char *path)
{
	char *dir = mem_strdup(path);
	char *slash = strrchr(dir, '/');
	int fd;

	if (slash)
		slash[slash == dir ? 1 : 0] = '\0';
	fd = open(slash ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(dir);
	if (fd < 0)
		return;
	(void)fsync(fd);
	close(fd);
}

static int fill_temporary(int fd, unsigned int mode, const void *data, size_t len)
{
	int ret = 0;

	if (fchmod(fd, (mode_t)mode) < 0 || write_all(fd, data, len) < 0 || fsync(fd) < 0)
		ret = -1;
	if (close(fd) < 0)
		ret = -1;
	return ret;
}

int pki_file_write(const char *path, unsigned int mode, const void *data, size_t len,
		   struct diag *diag)
{
	size_t size = strlen(path) + sizeof(".XXXXXX");
	char *temporary = mem_alloc(size);
	int fd, ret = 0;

	snprintf(temporary, size, "%s.XXXXXX", path);
	fd = mkostemp(temporary, O_CLOEXEC); /* mode 0600 from the start */
	if (fd < 0) {
		ret = diag_set(diag, "cannot create %s: %s", temporary, strerror(errno));
	} else if (fill_temporary(fd, mode, data, len) < 0 ||
		   rename(temporary, path) < 0) {
		ret = diag_set(diag, "cannot write %s: %s", path, strerror(errno));
		unlink(temporary);
	} else {
		sync_directory(path);
	}
	free(temporary);
	return ret;
}

static int pem_add(BIO *bio, const struct wr *der, struct diag *diag)
{
	X509 *cert = cert_decode(der->data, der->len, diag);

	if (!cert)
		return -1;
	must(PEM_write_bio_X509(bio, cert) == 1, "write PEM");
	X509_free(cert);
	return 0;
}

int pki_cert_save(const struct wr *ders, size_t n, const char *path, struct diag *diag)
{
	BIO *bio = BIO_new(BIO_s_mem());
	int ret = 0;
	char *data;
	long len;

	must(bio != NULL, "allocate");
	for (size_t i = 0; ret == 0 && i < n; i++)
		ret = pem_add(bio, &ders[i], diag);
	if (ret == 0) {
		len = BIO_get_mem_data(bio, &data);
		ret = pki_file_write(path, 0644, data, (size_t)len, diag);
	}
	BIO_free(bio);
	return ret;
}

int pki_cert_load(const char *path, struct wr *der, struct diag *diag)
{
	FILE *file = fopen(path, "re");
	X509 *cert;

	if (!file)
		return diag_set(diag, "cannot open certificate %s: %s", path,
				strerror(errno));
	cert = PEM_read_X509(file, NULL, no_passphrase, NULL);
	fclose(file);
	if (!cert) {
		crypto_error(diag, "not a PEM certificate");
		return diag_prepend(diag, "%s", path);
	}
	put_der(der, cert, i2d_cert);
	X509_free(cert);
	return 0;
}

/* ---- tokens ---- */

void pki_token_make(struct pki_token *token, const char *name,
		    const uint8_t ca[PKI_FINGERPRINT_SIZE])
{
	*token = (struct pki_token){ 0 };
	snprintf(token->name, sizeof(token->name), "%s", name);
	memcpy(token->ca, ca, sizeof(token->ca));
	digest_random(token->secret, sizeof(token->secret));
}

void pki_token_format(const struct pki_token *token, char text[PKI_TOKEN_TEXT_SIZE])
{
	char ca[2 * PKI_FINGERPRINT_SIZE + 1], secret[2 * PKI_SECRET_SIZE + 1];

	digest_hex(token->ca, sizeof(token->ca), ca);
	digest_hex(token->secret, sizeof(token->secret), secret);
	snprintf(text, PKI_TOKEN_TEXT_SIZE, TOKEN_PREFIX "%s:%s:%s", token->name, ca,
		 secret);
	pki_wipe(secret, sizeof(secret));
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Stops at the first character that is no digit, so never past a NUL. */
static bool hex_parse(const char *text, uint8_t *out, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		int hi = hex_digit(text[2 * i]);
		int lo = hi < 0 ? -1 : hex_digit(text[2 * i + 1]);

		if (lo < 0)
			return false;
		out[i] = (uint8_t)(hi << 4 | lo);
	}
	return true;
}

static bool token_fields(const char *text, struct pki_token *out)
{
	const char *colon;

	if (strncmp(text, TOKEN_PREFIX, strlen(TOKEN_PREFIX)) != 0)
		return false;
	text += strlen(TOKEN_PREFIX);
	colon = strchr(text, ':');
	if (!colon || (size_t)(colon - text) >= sizeof(out->name))
		return false;
	memcpy(out->name, text, (size_t)(colon - text));
	if (!name_is_valid(out->name))
		return false;
	text = colon + 1;
	if (!hex_parse(text, out->ca, sizeof(out->ca)) ||
	    text[2 * PKI_FINGERPRINT_SIZE] != ':')
		return false;
	text += 2 * PKI_FINGERPRINT_SIZE + 1;
	return hex_parse(text, out->secret, sizeof(out->secret)) &&
	       text[2 * PKI_SECRET_SIZE] == '\0';
}

int pki_token_parse(const char *text, struct pki_token *token, struct diag *diag)
{
	struct pki_token out = { 0 };
	int ret = 0;

	/* The text itself stays out of the message: it may be logged. */
	if (token_fields(text, &out))
		*token = out;
	else
		ret = diag_set(diag, "not an enrolment token; it has the form "
				     "opensav1:NAME:FINGERPRINT:SECRET and is printed "
				     "by \"agent enroll NAME\" on the controller");
	pki_wipe(&out, sizeof(out));
	return ret;
}

void pki_secret_hash(const uint8_t secret[PKI_SECRET_SIZE], uint8_t hash[32])
{
	digest_sha256(secret, PKI_SECRET_SIZE, hash);
}

void pki_wipe(void *secret, size_t len)
{
	OPENSSL_cleanse(secret, len);
}
