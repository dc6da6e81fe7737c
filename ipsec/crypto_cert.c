/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What is trusted, and what a certificate says. Keys are crypto_sign.c's.
 */
#include "ipsec/crypto_cert.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "ipsec/crypto_impl.h"
#include "ipsec/ike/ike.h"
#include "lib/mem.h"

#define SUBJECT_TEXT 200
#define AUTH_LEVEL 2 /* OpenSSL's: 112 bits, so no SHA-1 and no RSA below 2048 */

struct crypto_trust {
	X509_STORE *store;
	STACK_OF(X509) *cas;
	bool has_crl;
};

int crypto_impl_error(struct diag *diag, const char *what)
{
	const char *reason = ERR_reason_error_string(ERR_peek_error());

	diag_set(diag, "%s: %s", what, reason ? reason : "no such thing");
	ERR_clear_error();
	return -1;
}

static BIO *bio_of(const void *data, size_t len)
{
	BIO *bio = len <= CRYPTO_FILE_MAX ? BIO_new_mem_buf(data, (int)len) : NULL;

	ERR_clear_error();
	return bio;
}

static const char *subject_of(X509 *cert, char out[SUBJECT_TEXT])
{
	uint8_t *der = NULL;
	int len = cert ? i2d_X509_NAME(X509_get_subject_name(cert), &der) : -1;

	out[0] = '\0';
	if (len > 0)
		crypto_dn_format(der, (size_t)len, out, SUBJECT_TEXT);
	OPENSSL_free(der);
	return out;
}

/* ---- files: what PEM_X509_INFO_read_bio() gives, or one DER */

static STACK_OF(X509_INFO) *pem_read(const void *data, size_t len)
{
	BIO *bio = bio_of(data, len);
	STACK_OF(X509_INFO) *list = bio ? PEM_X509_INFO_read_bio(bio, NULL, crypto_impl_no_passphrase, NULL) : NULL;

	BIO_free(bio);
	if (!list)
		ERR_clear_error();
	return list;
}

static X509 *der_cert(const uint8_t *data, size_t len)
{
	const uint8_t *at = data;
	X509 *cert = len <= LONG_MAX ? d2i_X509(NULL, &at, (long)len) : NULL;

	ERR_clear_error();
	if (cert && at != data + len) {
		X509_free(cert);
		cert = NULL;
	}
	return cert;
}

static X509_CRL *der_crl(const uint8_t *data, size_t len)
{
	const uint8_t *at = data;
	X509_CRL *crl = len <= LONG_MAX ? d2i_X509_CRL(NULL, &at, (long)len) : NULL;

	ERR_clear_error();
	return crl;
}

/* ---- trust */

struct crypto_trust *crypto_trust_new(void)
{
	struct crypto_trust *trust = mem_alloc(sizeof(*trust));

	trust->store = X509_STORE_new();
	trust->cas = sk_X509_new_null();
	if (!trust->store || !trust->cas)
		abort();
	return trust;
}

void crypto_trust_free(struct crypto_trust *trust)
{
	if (!trust)
		return;
	X509_STORE_free(trust->store);
	sk_X509_pop_free(trust->cas, X509_free);
	free(trust);
}

static int ca_add(struct crypto_trust *trust, X509 *cert, struct diag *diag)
{
	char subject[SUBJECT_TEXT];

	if (X509_check_ca(cert) == 0)
		return diag_set(diag, "the certificate of %s is no CA's (basicConstraints)", subject_of(cert, subject));
	if (X509_STORE_add_cert(trust->store, cert) != 1 || !X509_up_ref(cert))
		return crypto_impl_error(diag, "a CA certificate is not usable");
	sk_X509_push(trust->cas, cert);
	return 0;
}

int crypto_trust_add_ca(struct crypto_trust *trust, const void *data, size_t len, struct diag *diag)
{
	STACK_OF(X509_INFO) *list = pem_read(data, len);
	X509 *single = list && sk_X509_INFO_num(list) > 0 ? NULL : der_cert(data, len);
	int n = 0, ret = 0;

	if (single)
		ret = ca_add(trust, single, diag), n++;
	X509_free(single);
	for (int i = 0; list && ret == 0 && i < sk_X509_INFO_num(list); i++)
		if (sk_X509_INFO_value(list, i)->x509) {
			ret = ca_add(trust, sk_X509_INFO_value(list, i)->x509, diag);
			n++;
		}
	sk_X509_INFO_pop_free(list, X509_INFO_free);
	return ret != 0 || n > 0 ? ret : diag_set(diag, "no certificate is in it, neither PEM nor DER");
}

int crypto_trust_add_crl(struct crypto_trust *trust, const void *data, size_t len, struct diag *diag)
{
	STACK_OF(X509_INFO) *list = pem_read(data, len);
	X509_CRL *single = list && sk_X509_INFO_num(list) > 0 ? NULL : der_crl(data, len);
	int n = single && X509_STORE_add_crl(trust->store, single) == 1;

	X509_CRL_free(single);
	for (int i = 0; list && i < sk_X509_INFO_num(list); i++)
		if (sk_X509_INFO_value(list, i)->crl &&
		    X509_STORE_add_crl(trust->store, sk_X509_INFO_value(list, i)->crl) == 1)
			n++;
	sk_X509_INFO_pop_free(list, X509_INFO_free);
	trust->has_crl = true;
	return n > 0 ? 0 : diag_set(diag, "no CRL is in it, neither PEM nor DER");
}

static int64_t end_of(X509 *cert)
{
	struct tm tm;

	return ASN1_TIME_to_tm(X509_get0_notAfter(cert), &tm) == 1 ? (int64_t)timegm(&tm) : INT64_MAX;
}

int64_t crypto_trust_end(const struct crypto_trust *trust)
{
	int64_t end = INT64_MAX;

	for (int i = 0; i < sk_X509_num(trust->cas); i++)
		if (end_of(sk_X509_value(trust->cas, i)) < end)
			end = end_of(sk_X509_value(trust->cas, i));
	return end;
}

int64_t crypto_certs_end(const struct crypto_certs *certs)
{
	int64_t end = INT64_MAX;

	for (unsigned i = 0; i < certs->n; i++) {
		X509 *cert = der_cert(certs->der[i].data, certs->der[i].len);

		if (cert && end_of(cert) < end)
			end = end_of(cert);
		X509_free(cert);
	}
	return end;
}

void crypto_trust_key_ids(const struct crypto_trust *trust, struct wr *out)
{
	for (int i = 0; i < sk_X509_num(trust->cas); i++) {
		uint8_t *spki = NULL;
		int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(sk_X509_value(trust->cas, i)), &spki);
		struct crypto_part part = { spki, len > 0 ? (size_t)len : 0 };
		uint8_t id[CRYPTO_KEYID_SIZE];

		if (len > 0 && crypto_hash(CRYPTO_SHA1, &part, 1, id) == 0)
			wr_bytes(out, id, sizeof(id));
		OPENSSL_free(spki);
	}
}

/* ---- a peer's chain */

/* Checked before any signature is: each costs what its key costs. */
static STACK_OF(X509) *chain_decode(const struct crypto_der *certs, unsigned n, struct diag *diag)
{
	STACK_OF(X509) *chain = sk_X509_new_null();
	char subject[SUBJECT_TEXT];

	for (unsigned i = 0; i < n; i++) {
		X509 *cert = certs[i].len <= CRYPTO_CERT_MAX ? der_cert(certs[i].data, certs[i].len) : NULL;
		EVP_PKEY *key = cert ? X509_get0_pubkey(cert) : NULL;

		if (cert)
			sk_X509_push(chain, cert);
		if (!cert)
			diag_set(diag, certs[i].len > CRYPTO_CERT_MAX ? "a certificate of %zu bytes; %u are the most" :
								       "a certificate of %zu bytes is damaged",
				 certs[i].len, CRYPTO_CERT_MAX);
		else if (!key)
			diag_set(diag, "certificate of %s: a public key that is not known", subject_of(cert, subject));
		else if (crypto_impl_key_usable(key, diag) != 0)
			diag_prepend(diag, "certificate of %s", subject_of(cert, subject));
		else
			continue;
		ERR_clear_error();
		sk_X509_pop_free(chain, X509_free);
		return NULL;
	}
	return chain;
}

/* What IKE wants beyond a valid chain (RFC 4945 5.1.3.2, 5.1.3.12): the key may
 * sign, and the certificate is not for something else altogether. Those of TLS
 * are taken, since public CAs issue no others. */
static int usage_check(X509 *cert, struct diag *diag)
{
	static const int good[] = { NID_ipsec_IKE, NID_anyExtendedKeyUsage, NID_server_auth, NID_client_auth,
				    NID_ipsecEndSystem, NID_ipsecTunnel, NID_ipsecUser };
	EXTENDED_KEY_USAGE *eku;
	bool found = false;
	int critical;

	if (!(X509_get_key_usage(cert) & (KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION)))
		return diag_set(diag, "its keyUsage has neither digitalSignature nor nonRepudiation: issue "
				      "one with digitalSignature");
	eku = X509_get_ext_d2i(cert, NID_ext_key_usage, &critical, NULL);
	if (!eku)
		return critical == -1 ? 0 : diag_set(diag, "its extendedKeyUsage is damaged");
	for (int i = 0; i < sk_ASN1_OBJECT_num(eku); i++)
		for (size_t k = 0; k < sizeof(good) / sizeof(good[0]); k++)
			found = found || OBJ_obj2nid(sk_ASN1_OBJECT_value(eku, i)) == good[k];
	sk_ASN1_OBJECT_pop_free(eku, ASN1_OBJECT_free);
	return found ? 0 :
		       diag_set(diag, "its extendedKeyUsage allows other things than IKE: issue one with ipsecIKE "
				      "or without extendedKeyUsage");
}

/* What to do about what OpenSSL finds. */
static const char *remedy(int error)
{
	switch (error) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
		return "; it has to be renewed, unless this system's clock is wrong";
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return "; the clock here, or where it was issued, is wrong";
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_CERT_SIGNATURE_FAILURE:
		return "; \"remote ca\" has to name its CA, and the peer to send those between";
	case X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION:
		return "; it has to be issued without what nobody here understands";
	case X509_V_ERR_CERT_REVOKED:
		return "; the peer needs another one, with another key";
	case X509_V_ERR_UNABLE_TO_GET_CRL:
		return "; with \"remote crl\" there has to be one of each CA in the chain";
	case X509_V_ERR_CRL_HAS_EXPIRED:
	case X509_V_ERR_CRL_NOT_YET_VALID:
		return "; \"remote crl\" needs the CA's present one";
	case X509_V_ERR_CERT_CHAIN_TOO_LONG:
		return "; name a CA that is nearer to it with \"remote ca\"";
	case X509_V_ERR_INVALID_CA:
	case X509_V_ERR_PATH_LENGTH_EXCEEDED:
		return "; who issued it has no right to (basicConstraints)";
	case X509_V_ERR_EE_KEY_TOO_SMALL:
	case X509_V_ERR_CA_KEY_TOO_SMALL:
	case X509_V_ERR_CA_MD_TOO_WEAK:
		return "; it has to be issued with SHA-256 and at least 2048 bits of RSA or 256 of ECDSA";
	}
	return "";
}

static int chain_verify(const struct crypto_trust *trust, STACK_OF(X509) *chain, int64_t now_s, struct diag *diag)
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	X509_VERIFY_PARAM *param;
	char subject[SUBJECT_TEXT];
	int ret = 0;

	if (!ctx || X509_STORE_CTX_init(ctx, trust->store, sk_X509_value(chain, 0), chain) != 1)
		abort();
	param = X509_STORE_CTX_get0_param(ctx);
	X509_VERIFY_PARAM_set_time(param, (time_t)now_s);
	X509_VERIFY_PARAM_set_depth(param, CRYPTO_DEPTH_MAX);
	X509_VERIFY_PARAM_set_auth_level(param, AUTH_LEVEL);
	X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_ANY);
	/* a CA that is named is trusted, be it a root or not */
	X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST |
						   (trust->has_crl ? X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL : 0));
	if (X509_verify_cert(ctx) != 1)
		ret = diag_set(diag, "certificate of %s: %s%s",
			       subject_of(X509_STORE_CTX_get_current_cert(ctx), subject),
			       X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)),
			       remedy(X509_STORE_CTX_get_error(ctx)));
	X509_STORE_CTX_free(ctx);
	ERR_clear_error();
	return ret;
}

struct crypto_public *crypto_chain_check(const struct crypto_trust *trust, const struct crypto_der *certs, unsigned n,
					 int64_t now_s, struct diag *diag)
{
	struct crypto_public *key = NULL;
	STACK_OF(X509) *chain;
	char subject[SUBJECT_TEXT];

	if (n == 0 || n > CRYPTO_CHAIN_MAX) {
		diag_set(diag, n ? "the peer sent %u certificates; %u are the most" : "the peer sent no certificate", n,
			 CRYPTO_CHAIN_MAX);
		return NULL;
	}
	chain = chain_decode(certs, n, diag);
	if (!chain)
		return NULL;
	if (chain_verify(trust, chain, now_s, diag) != 0)
		goto out;
	if (usage_check(sk_X509_value(chain, 0), diag) != 0)
		diag_prepend(diag, "certificate of %s", subject_of(sk_X509_value(chain, 0), subject));
	else
		key = crypto_impl_public(X509_get0_pubkey(sk_X509_value(chain, 0)));
out:
	sk_X509_pop_free(chain, X509_free);
	ERR_clear_error();
	return key;
}

/* ---- whose it is */

static bool subject_is(X509 *cert, const void *id, size_t len)
{
	uint8_t *der = NULL;
	int n = i2d_X509_NAME(X509_get_subject_name(cert), &der);
	bool is = n > 0 && crypto_dn_equal(der, (size_t)n, id, len);

	OPENSSL_free(der);
	return is;
}

static bool key_id_is(X509 *cert, const void *id, size_t len)
{
	const ASN1_OCTET_STRING *ski = X509_get0_subject_key_id(cert);

	return ski && (size_t)ASN1_STRING_length(ski) == len && memcmp(ASN1_STRING_get0_data(ski), id, len) == 0;
}

static bool names(X509 *cert, uint8_t type, const void *id, size_t len)
{
	const unsigned flags = X509_CHECK_FLAG_NO_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT;

	switch (type) {
	case IKE_ID_FQDN:
		/* a leading dot would mean "any below" to OpenSSL */
		return len > 0 && *(const char *)id != '.' && X509_check_host(cert, id, len, flags, NULL) == 1;
	case IKE_ID_EMAIL:
		return X509_check_email(cert, id, len, flags) == 1;
	case IKE_ID_IPV4:
	case IKE_ID_IPV6:
		return X509_check_ip(cert, id, len, flags) == 1;
	case IKE_ID_DN:
		return subject_is(cert, id, len);
	case IKE_ID_KEY_ID:
		return key_id_is(cert, id, len);
	}
	return false;
}

int crypto_cert_is(const struct crypto_der *der, uint8_t type, const void *id, size_t id_len, struct diag *diag)
{
	X509 *cert = der->len <= CRYPTO_CERT_MAX ? der_cert(der->data, der->len) : NULL;
	char subject[SUBJECT_TEXT];
	int ret;

	if (!cert)
		return diag_set(diag, "the certificate is damaged");
	ret = names(cert, type, id, id_len) ?
		      0 :
		      diag_set(diag, "the certificate of %s is not for the identity that the peer says it has%s",
			       subject_of(cert, subject), type == IKE_ID_DN ? "" : " (see its subjectAltName)");
	X509_free(cert);
	ERR_clear_error();
	return ret;
}

/* ---- our own */

int crypto_certs_read(const void *data, size_t len, struct crypto_certs *out, struct diag *diag)
{
	STACK_OF(X509_INFO) *list = pem_read(data, len);
	bool many = false;

	*out = (struct crypto_certs){ 0 };
	for (int i = 0; list && i < sk_X509_INFO_num(list); i++) {
		uint8_t *der = NULL;
		int n = sk_X509_INFO_value(list, i)->x509 ? i2d_X509(sk_X509_INFO_value(list, i)->x509, &der) : 0;

		many = many || (n > 0 && out->n == CRYPTO_OWN_MAX);
		if (n > 0 && !many)
			wr_bytes(&out->der[out->n++], der, (size_t)n);
		OPENSSL_free(der);
	}
	sk_X509_INFO_pop_free(list, X509_INFO_free);
	if (many)
		return diag_set(diag, "more than %u certificates are in it: leave out those that the peer has", CRYPTO_OWN_MAX);
	return out->n > 0 ? 0 : diag_set(diag, "no certificate in PEM is in it");
}

void crypto_certs_free(struct crypto_certs *certs)
{
	for (unsigned i = 0; i < certs->n; i++)
		wr_fini(&certs->der[i]);
	certs->n = 0;
}
