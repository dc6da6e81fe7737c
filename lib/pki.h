/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * pki - keys, certificate requests, certificates and enrolment tokens.
 *
 * Everything is ECDSA on P-256. Certificates travel as DER and rest as PEM.
 * Who a certificate is for stands in one subjectAltName URI,
 * "urn:opensav:KIND:NAME"; subjects are for human readers only and are never
 * evaluated. A certificate request contributes its public key and the proof
 * that the sender has the private one, nothing else.
 */
#ifndef SAV_PKI_H
#define SAV_PKI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/diag.h"
#include "lib/wr.h"

#define PKI_NAME_SIZE	     64 /* see lib/name.h */
#define PKI_URI_SIZE	     (PKI_NAME_SIZE + 32)
#define PKI_SERIAL_SIZE	     33 /* 128 bits in hex and the NUL */
#define PKI_FINGERPRINT_SIZE 32 /* SHA-256 of the DER */
#define PKI_SECRET_SIZE	     32
#define PKI_TOKEN_TEXT_SIZE  (9 + PKI_NAME_SIZE + 1 + 64 + 1 + 64 + 1)
#define PKI_DER_MAX_BYTES    16384

#define PKI_DAY_S   86400
#define PKI_AGENT_S (366LL * PKI_DAY_S)
#define PKI_CA_S    (3653LL * PKI_DAY_S)

/* What the holder of a certificate may do. */
enum pki_kind {
	PKI_ROUTER,	/* be the agent of the router of that name */
	PKI_EDGE,	/* be an enterprise edge */
	PKI_RELAY,	/* relay feeds */
	PKI_CONTROLLER, /* be what agents connect to */
};

const char *pki_kind_name(enum pki_kind kind); /* "router" ... */
bool pki_kind_parse(const char *text, enum pki_kind *kind);

struct pki_identity {
	enum pki_kind kind;
	char name[PKI_NAME_SIZE];
};
/* As the URI of a certificate's subjectAltName; false for any other URI. */
const char *pki_identity_format(const struct pki_identity *id, char buf[PKI_URI_SIZE]);
bool pki_identity_parse(const char *uri, struct pki_identity *id);

/* A private key; wiped when freed. */
struct pki_key;
struct pki_key *pki_key_new(void); /* aborts when the system gives no key */
void pki_key_free(struct pki_key *key);
struct pki_key *pki_key_load(const char *path, struct diag *diag); /* NULL: diag */
int pki_key_save(const struct pki_key *key, const char *path,
		 struct diag *diag); /* mode 0600 */

/* Output arguments are appended to on success and untouched on failure. */

/* A certificate request for the key (PKCS #10, RFC 2986). name is for the reader: who issues looks at
 * the key only. */
int pki_csr_make(const struct pki_key *key, const char *name, struct wr *der,
		 struct diag *diag);
/* Checks the self-signature and gives the DER SubjectPublicKeyInfo. */
int pki_csr_spki(const void *der, size_t len, struct wr *spki, struct diag *diag);

/* A CA's own certificate, from and to in seconds since 1970: it signs, and no CA below it does. */
int pki_ca_make(const struct pki_key *key, const char *subject, int64_t not_before,
		int64_t not_after, struct wr *der, struct diag *diag);

struct pki_request {
	struct pki_identity id;
	const uint8_t *spki; /* DER SubjectPublicKeyInfo */
	size_t spki_len;
	int64_t not_before, not_after; /* seconds since 1970 */
};
/* A certificate for request->id with that key, signed by the CA with the certificate ca (DER). What it
 * may be used for, server or client of TLS, follows from the kind. */
int pki_issue(const struct pki_key *ca_key, const void *ca, size_t ca_len,
	      const struct pki_request *request, struct wr *der, struct diag *diag);

struct pki_cert {
	bool has_id; /* exactly one subjectAltName URI, and it is one of ours */
	struct pki_identity id;
	char serial[PKI_SERIAL_SIZE]; /* lower-case hex, no leading zero bytes */
	int64_t not_before, not_after;
	uint8_t fingerprint[PKI_FINGERPRINT_SIZE];
};
/* Reads a certificate; says nothing about whether to trust it. */
int pki_cert_read(const void *der, size_t len, struct pki_cert *cert, struct diag *diag);
/* The certificate is for this key and was signed by this CA. */
int pki_cert_check(const void *der, size_t len, const struct pki_key *key, const void *ca,
		   size_t ca_len, struct diag *diag);

/* PEM, mode 0644, the certificates one after another: own first, then its CA
 * (a server shows both, so that an enrolling agent can check the CA). */
int pki_cert_save(const struct wr *ders, size_t n, const char *path, struct diag *diag);
/* The first certificate of a PEM file as DER. */
int pki_cert_load(const char *path, struct wr *der, struct diag *diag);

/* Writes a file so that after a crash either the old or the new is there. */
int pki_file_write(const char *path, unsigned int mode, const void *data, size_t len,
		   struct diag *diag);

/* "opensav1:NAME:CA-FINGERPRINT-HEX:SECRET-HEX". */
struct pki_token {
	char name[PKI_NAME_SIZE];
	uint8_t ca[PKI_FINGERPRINT_SIZE];
	uint8_t secret[PKI_SECRET_SIZE];
};
void pki_token_make(struct pki_token *token, const char *name,
		    const uint8_t ca[PKI_FINGERPRINT_SIZE]);
void pki_token_format(const struct pki_token *token, char text[PKI_TOKEN_TEXT_SIZE]);
int pki_token_parse(const char *text, struct pki_token *token, struct diag *diag);
/* What the controller keeps of it: SHA-256 of the secret. */
void pki_secret_hash(const uint8_t secret[PKI_SECRET_SIZE], uint8_t hash[32]);
void pki_wipe(void *secret, size_t len); /* the compiler keeps it */

#endif /* SAV_PKI_H */
