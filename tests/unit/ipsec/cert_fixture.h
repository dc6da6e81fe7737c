/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * cert_fixture - certificates of every kind that tests need, made on the spot.
 */
#ifndef SAV_CERT_FIXTURE_H
#define SAV_CERT_FIXTURE_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "lib/wr.h"

#define FIXTURE_NOW 1800000000 /* 2027 */

struct fixture_cert {
	const char *cn;
	X509 *issuer; /* NULL: itself */
	EVP_PKEY *issuer_key;
	int64_t from, to; /* from FIXTURE_NOW; 0 and 0: a day each way */
	bool ca;
	const char *san, *key_usage, *eku; /* as in openssl.cnf, NULL: none */
	bool unknown_critical;
	const char *name_constraints, *crl_at; /* as in openssl.cnf, NULL: none */
};

/* "RSA", "P-256", "P-384", "P-521", "ED25519"; the same one each time. */
EVP_PKEY *fixture_key(const char *kind);
EVP_PKEY *fixture_other_key(const char *kind); /* another one */
/* Only the public half, and no real one: a modulus of that many bits. */
EVP_PKEY *fixture_rsa_bits(unsigned bits);
X509 *fixture_cert(const struct fixture_cert *what, EVP_PKEY *key);
/* Revokes revoked, if there is one. */
X509_CRL *fixture_crl(X509 *issuer, EVP_PKEY *key, X509 *revoked, int64_t next_update);
void fixture_der(X509 *cert, struct wr *out);
void fixture_pem(X509 *cert, struct wr *out);
void fixture_crl_pem(X509_CRL *crl, struct wr *out);
void fixture_key_pem(EVP_PKEY *key, struct wr *out);
void fixture_public_pem(EVP_PKEY *key, struct wr *out);

#endif /* SAV_CERT_FIXTURE_H */
