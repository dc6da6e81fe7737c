/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * crypto_cert - certificates and signatures: what authenticates a peer, and us.
 *
 * What a chain is worth is left to OpenSSL (RFC 5280: times, constraints, key
 * usage, critical extensions, CRLs); this adds bounds on what a stranger may
 * make us compute, and IKE's own rules: which identity stands where in a
 * certificate, and what an AUTH payload holds.
 *
 * Source: RFC 7296 2.15, 3.6 to 3.8; RFC 7427 and 8420 (signatures); RFC 4754
 * (ECDSA); RFC 7670 (raw keys); RFC 8247 3 (which are strong enough).
 */
#ifndef SAV_CRYPTO_CERT_H
#define SAV_CRYPTO_CERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipsec/crypto.h"
#include "lib/diag.h"
#include "lib/wr.h"

#define CRYPTO_CERT_MAX	  16384 /* bytes of one certificate */
#define CRYPTO_CHAIN_MAX  10	/* certificates that a peer may send */
#define CRYPTO_DEPTH_MAX  8	/* of CAs between it and a trust anchor */
#define CRYPTO_RSA_MIN	  2048
#define CRYPTO_RSA_MAX	  8192 /* more costs more than any peer is worth */
#define CRYPTO_FILE_MAX	  (4u << 20)
#define CRYPTO_KEYID_SIZE 20

/* ---- what is trusted */
struct crypto_trust;
struct crypto_trust *crypto_trust_new(void);
void crypto_trust_free(struct crypto_trust *trust);
/* All certificates, all CRLs, of a PEM or DER file: -1 when there is none, or
 * one is damaged. A file of CRLs that is of no use is still a wish for one: without
 * another nobody passes. */
int crypto_trust_add_ca(struct crypto_trust *trust, const void *data, size_t len, struct diag *diag);
int crypto_trust_add_crl(struct crypto_trust *trust, const void *data, size_t len, struct diag *diag);
/* When the first of the CAs' certificates ends, seconds since 1970; INT64_MAX: there
 * is none. */
int64_t crypto_trust_end(const struct crypto_trust *trust);
/* SHA-1 of each CA's public key info, one after another, appended: the body of
 * CERTREQ (RFC 7296 3.7). */
void crypto_trust_key_ids(const struct crypto_trust *trust, struct wr *out);

/* ---- public keys */
struct crypto_public;
void crypto_public_free(struct crypto_public *key);
/* DER of a SubjectPublicKeyInfo (RFC 7670 3). NULL with the reason: of a kind or
 * a size that is not used. */
struct crypto_public *crypto_public_der(const void *der, size_t len, struct diag *diag);
/* PEM, a public key or a certificate. */
struct crypto_public *crypto_public_pem(const void *data, size_t len, struct diag *diag);
bool crypto_public_equal(const struct crypto_public *a, const struct crypto_public *b);
/* Appends the SubjectPublicKeyInfo. */
void crypto_public_encode(const struct crypto_public *key, struct wr *der);

/* An AUTH payload over parts, of this method: 0, or -1 with the reason. RSA
 * with PKCS #1 v1.5 or PSS, ECDSA, Ed25519; never with SHA-1. */
int crypto_public_check(const struct crypto_public *key, uint8_t method, const void *auth, size_t len,
			const struct crypto_part *parts, unsigned n_parts, struct diag *diag);

/* ---- certificates */
struct crypto_der {
	const uint8_t *data;
	size_t len;
};

/* The chain of n certificates as the peer sent them, its own first, the others
 * in any order: does it lead to what is trusted, at this time, and may its key
 * sign for IKE? Its key, or NULL with the reason. Whose it is says
 * crypto_cert_is(). now_s: seconds since 1970. */
struct crypto_public *crypto_chain_check(const struct crypto_trust *trust, const struct crypto_der *certs, unsigned n,
					 int64_t now_s, struct diag *diag);
/* Does the certificate name this identity? type: enum ike_id_type. FQDN, e-mail
 * and addresses are looked for in subjectAltName and must be there whole (no
 * wildcards), a DN is the subject, a key id the subjectKeyIdentifier. */
int crypto_cert_is(const struct crypto_der *cert, uint8_t type, const void *id, size_t id_len, struct diag *diag);

/* Our own, as a CERT payload each. -1 with the reason: none (then out is empty), or
 * too many. */
#define CRYPTO_OWN_MAX 8
struct crypto_certs {
	unsigned n;
	struct wr der[CRYPTO_OWN_MAX];
};
int crypto_certs_read(const void *data, size_t len, struct crypto_certs *out, struct diag *diag);
int64_t crypto_certs_end(const struct crypto_certs *certs); /* as crypto_trust_end() */
void crypto_certs_free(struct crypto_certs *certs);

/* ---- private keys */
struct crypto_private;
void crypto_private_free(struct crypto_private *key); /* wipes */
/* PEM without a passphrase; RSA, ECDSA on P-256, P-384, P-521, or Ed25519. */
struct crypto_private *crypto_private_pem(const void *data, size_t len, struct diag *diag);
/* AUTH over parts (appended) and its method. hashes: as in struct ike_sign; 0
 * means the peer does not know RFC 7427, which leaves ECDSA only: RSA would have
 * to use SHA-1, which is broken. */
int crypto_private_sign(const struct crypto_private *key, uint32_t hashes, const struct crypto_part *parts,
			unsigned n_parts, uint8_t *method, struct wr *auth, struct diag *diag);

/* ---- import: a PEM or PKCS #12 file taken apart */
struct crypto_import {
	struct wr key;	/* PEM, PKCS #8; len 0: there is none */
	struct wr own;	/* PEM: the certificate of that key, then its CAs but for roots */
	struct wr ca;	/* PEM: self-signed ones */
};
int crypto_import_read(const void *data, size_t len, const char *passphrase, struct crypto_import *out,
		       struct diag *diag);
void crypto_import_free(struct crypto_import *import); /* wipes */

#endif /* SAV_CRYPTO_CERT_H */
