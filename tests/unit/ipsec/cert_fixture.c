/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "tests/unit/ipsec/cert_fixture.h"

static void must(bool ok)
{
	if (!ok)
		abort();
}

static EVP_PKEY *make(const char *kind)
{
	EVP_PKEY *key = strcmp(kind, "RSA") == 0     ? EVP_RSA_gen(2048) :
			strcmp(kind, "ED25519") == 0 ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519") :
						       EVP_EC_gen(kind);

	must(key != NULL);
	return key;
}

static EVP_PKEY *cached(const char *kind, unsigned which)
{
	static struct {
		const char *kind;
		unsigned which;
		EVP_PKEY *key;
	} keys[16];
	unsigned i = 0;

	while (keys[i].key && (strcmp(keys[i].kind, kind) != 0 || keys[i].which != which))
		i++;
	if (!keys[i].key) {
		keys[i].kind = kind;
		keys[i].which = which;
		keys[i].key = make(kind);
	}
	return keys[i].key;
}

EVP_PKEY *fixture_key(const char *kind)
{
	return cached(kind, 0);
}

EVP_PKEY *fixture_other_key(const char *kind)
{
	return cached(kind, 1);
}

EVP_PKEY *fixture_rsa_bits(unsigned bits)
{
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	BIGNUM *n = BN_new(), *e = BN_new();
	EVP_PKEY *key = NULL;
	OSSL_PARAM *params;

	must(BN_rand(n, (int)bits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ODD) && BN_set_word(e, 65537));
	must(OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e));
	params = OSSL_PARAM_BLD_to_param(build);
	must(EVP_PKEY_fromdata_init(ctx) == 1 && EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) == 1);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	EVP_PKEY_CTX_free(ctx);
	BN_free(n);
	BN_free(e);
	return key;
}

static void extend(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *ext;

	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	must(ext && X509_add_ext(cert, ext, -1) == 1);
	X509_EXTENSION_free(ext);
}

static void add_unknown_critical(X509 *cert)
{
	ASN1_OBJECT *oid = OBJ_txt2obj("1.3.6.1.4.1.32473.1", 1); /* RFC 5612: for documentation */
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	X509_EXTENSION *ext;

	ASN1_OCTET_STRING_set(value, (const uint8_t *)"\x05\x00", 2);
	ext = X509_EXTENSION_create_by_OBJ(NULL, oid, 1, value);
	must(ext && X509_add_ext(cert, ext, -1) == 1);
	X509_EXTENSION_free(ext);
	ASN1_OCTET_STRING_free(value);
	ASN1_OBJECT_free(oid);
}

X509 *fixture_cert(const struct fixture_cert *what, EVP_PKEY *key)
{
	static long serial;
	X509 *cert = X509_new();
	X509_NAME *name = X509_get_subject_name(cert);
	EVP_PKEY *signer = what->issuer_key ? what->issuer_key : key;
	int64_t from = what->from || what->to ? what->from : -86400, to = what->from || what->to ? what->to : 86400;

	must(X509_set_version(cert, 2) && ASN1_INTEGER_set(X509_get_serialNumber(cert), ++serial));
	must(X509_NAME_add_entry_by_txt(name, "O", MBSTRING_ASC, (const uint8_t *)"Example", -1, -1, 0));
	must(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)what->cn, -1, -1, 0));
	must(X509_set_issuer_name(cert, what->issuer ? X509_get_subject_name(what->issuer) : name));
	must(ASN1_TIME_set(X509_getm_notBefore(cert), FIXTURE_NOW + from) && ASN1_TIME_set(X509_getm_notAfter(cert), FIXTURE_NOW + to));
	must(X509_set_pubkey(cert, key));
	extend(cert, cert, NID_subject_key_identifier, "hash");
	if (what->ca) {
		extend(cert, cert, NID_basic_constraints, "critical,CA:TRUE");
		extend(cert, cert, NID_key_usage, "critical,keyCertSign,cRLSign");
	}
	if (what->san)
		extend(cert, cert, NID_subject_alt_name, what->san);
	if (what->key_usage)
		extend(cert, cert, NID_key_usage, what->key_usage);
	if (what->eku)
		extend(cert, cert, NID_ext_key_usage, what->eku);
	if (what->name_constraints)
		extend(cert, cert, NID_name_constraints, what->name_constraints);
	if (what->crl_at)
		extend(cert, cert, NID_crl_distribution_points, what->crl_at);
	if (what->unknown_critical)
		add_unknown_critical(cert);
	must(X509_sign(cert, signer, EVP_PKEY_is_a(signer, "ED25519") ? NULL : EVP_sha256()) > 0);
	return cert;
}

X509_CRL *fixture_crl(X509 *issuer, EVP_PKEY *key, X509 *revoked, int64_t next_update)
{
	X509_CRL *crl = X509_CRL_new();
	ASN1_TIME *time = ASN1_TIME_set(NULL, FIXTURE_NOW - 3600);

	must(X509_CRL_set_version(crl, 1) && X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuer)));
	must(X509_CRL_set1_lastUpdate(crl, time));
	if (revoked) {
		X509_REVOKED *entry = X509_REVOKED_new();

		must(X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(revoked)) &&
		     X509_REVOKED_set_revocationDate(entry, time) && X509_CRL_add0_revoked(crl, entry));
	}
	must(ASN1_TIME_set(time, FIXTURE_NOW + next_update) && X509_CRL_set1_nextUpdate(crl, time));
	must(X509_CRL_sign(crl, key, EVP_PKEY_is_a(key, "ED25519") ? NULL : EVP_sha256()) > 0);
	ASN1_TIME_free(time);
	return crl;
}

void fixture_der(X509 *cert, struct wr *out)
{
	uint8_t *der = NULL;
	int n = i2d_X509(cert, &der);

	must(n > 0);
	wr_bytes(out, der, (size_t)n);
	OPENSSL_free(der);
}

static void take(BIO *bio, struct wr *out)
{
	char *data;
	long len = BIO_get_mem_data(bio, &data);

	wr_bytes(out, data, (size_t)len);
	BIO_free(bio);
}

void fixture_pem(X509 *cert, struct wr *out)
{
	BIO *bio = BIO_new(BIO_s_mem());

	must(PEM_write_bio_X509(bio, cert) == 1);
	take(bio, out);
}

void fixture_crl_pem(X509_CRL *crl, struct wr *out)
{
	BIO *bio = BIO_new(BIO_s_mem());

	must(PEM_write_bio_X509_CRL(bio, crl) == 1);
	take(bio, out);
}

void fixture_key_pem(EVP_PKEY *key, struct wr *out)
{
	BIO *bio = BIO_new(BIO_s_mem());

	must(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1);
	take(bio, out);
}

void fixture_public_pem(EVP_PKEY *key, struct wr *out)
{
	BIO *bio = BIO_new(BIO_s_mem());

	must(PEM_write_bio_PUBKEY(bio, key) == 1);
	take(bio, out);
}
