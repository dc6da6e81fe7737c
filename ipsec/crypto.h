/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * crypto - what IKE and ESP need of OpenSSL, and nothing of OpenSSL's names.
 *
 * Algorithms are named by their IKEv2 transform numbers (ike/ike.h; IANA
 * "Internet Key Exchange Version 2 (IKEv2) Parameters"), so that no table
 * translates between the wire and the key schedule. What RFC 8247 and 8221
 * forbid is not in the tables behind this header and can't be asked for.
 *
 * Functions return 0, or -1 when the algorithm is unknown or OpenSSL refuses.
 */
#ifndef SAV_CRYPTO_H
#define SAV_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What two sides share: the room is for a 4096-bit MODP group. Wiped after use,
 * never logged. */
#define CRYPTO_SECRET_MAX 512

struct crypto_secret {
	size_t len;
	uint8_t bytes[CRYPTO_SECRET_MAX];
};

/* One derived key, that an SA keeps: up to HMAC-SHA2-512's. */
#define CRYPTO_KEY_MAX 64

struct crypto_key {
	size_t len;
	uint8_t bytes[CRYPTO_KEY_MAX];
};

/* Loads what OpenSSL loads at first use, while there is a file system. */
void crypto_warm_up(void);

void crypto_key_set(struct crypto_key *key, const void *data, size_t len);
void crypto_secret_set(struct crypto_secret *secret, const void *data, size_t len);
void crypto_secret_wipe(struct crypto_secret *secret);
void crypto_wipe(void *data, size_t len);
/* Zeroed memory that is locked as far as the system's limits allow, and wiped
 * when it is freed. */
void *crypto_locked_alloc(size_t size);
void crypto_locked_free(void *p, size_t size);

/* In time that depends on len only. */
bool crypto_equal(const void *a, const void *b, size_t len);

/* From the kernel's generator; aborts when there is none. */
void crypto_random(void *out, size_t len);

/* One piece of an input that lies in several places. */
struct crypto_part {
	const void *data;
	size_t len;
};

/* ---- digests: numbers of RFC 7427 section 7 */
enum crypto_hash {
	CRYPTO_SHA1 = 1, /* only for NAT detection (RFC 7296 2.23) */
	CRYPTO_SHA256 = 2,
	CRYPTO_SHA384 = 3,
	CRYPTO_SHA512 = 4,
	CRYPTO_IDENTITY = 5, /* none: Ed25519 hashes by itself (RFC 8420) */
};
#define CRYPTO_HASH_MAX 64

/* The digest's length in bytes, or 0 when the number is unknown. */
size_t crypto_hash_size(enum crypto_hash hash);
int crypto_hash(enum crypto_hash hash, const struct crypto_part *parts, unsigned n_parts, uint8_t *out);

/* ---- pseudo-random functions: transform type 2 */
#define CRYPTO_PRF_MAX 64

/* Output length, which is also the preferred key length (RFC 7296 2.13). */
size_t crypto_prf_size(uint16_t prf);
int crypto_prf(uint16_t prf, const void *key, size_t key_len, const struct crypto_part *parts,
	       unsigned n_parts, uint8_t *out);
/* prf+ of RFC 7296 2.13; len at most 255 times the output length. */
int crypto_prf_plus(uint16_t prf, const void *key, size_t key_len, const struct crypto_part *parts,
		    unsigned n_parts, uint8_t *out, size_t len);

/* ---- packet protection: transform types 1 and 3 */
struct crypto_suite {
	uint16_t encr;	   /* ENCR_* */
	uint16_t key_bits; /* of AES; 0 for algorithms with one length */
	uint16_t integ;	   /* AUTH_*, or AUTH_NONE with an AEAD */
};

/* What a suite takes: sizes in bytes. */
struct crypto_shape {
	bool aead;
	uint8_t block;	   /* ciphertext is a multiple of this */
	uint8_t iv;	   /* explicit IV in each packet */
	uint8_t icv;
	uint8_t encr_key;  /* with the salt of an AEAD (RFC 4106 8.1, RFC 7634 2) */
	uint8_t integ_key; /* 0 with an AEAD */
};

/* -1: unknown, or an AEAD with an integrity transform, or a cipher without. */
int crypto_suite_shape(const struct crypto_suite *suite, struct crypto_shape *shape);

/* One direction of an SA, its key schedule kept. Not for two threads at once. */
struct crypto_cipher;

/* The key lengths must be those of the shape. NULL when they are not. */
struct crypto_cipher *crypto_cipher_new(const struct crypto_suite *suite, bool encrypt, const void *encr_key,
					size_t encr_len, const void *integ_key, size_t integ_len);
void crypto_cipher_free(struct crypto_cipher *cipher);
const struct crypto_shape *crypto_cipher_shape(const struct crypto_cipher *cipher);

/* Encrypts len bytes in place, writes the IV and the ICV.
 *
 * counter  becomes the IV of an AEAD and must never come twice under one key
 *          (RFC 5282 3.1, RFC 4106 3.1); CBC draws its own
 * aad      what stands before the IV and is authenticated with it
 * esn_high of a suite with an integrity transform: appended to what is
 *          authenticated (RFC 4303 2.2.1), NULL without extended numbers. An
 *          AEAD has it inside aad instead (RFC 4106 5). */
int crypto_seal(struct crypto_cipher *cipher, uint64_t counter, const uint8_t *aad, size_t aad_len,
		const uint8_t *esn_high, uint8_t *iv, uint8_t *data, size_t len, uint8_t *icv);
/* The reverse. -1 when the ICV is wrong: data is then not to be used. iv, data
 * and icv must follow each other as they stand in the packet. */
int crypto_open(struct crypto_cipher *cipher, const uint8_t *aad, size_t aad_len, const uint8_t *esn_high,
		const uint8_t *iv, uint8_t *data, size_t len, const uint8_t *icv);

/* ---- key exchange: transform type 4 */
#define CRYPTO_DH_MAX 512

/* Length of the public value on the wire, or 0 when the group is unknown. */
size_t crypto_dh_size(uint16_t group);

struct crypto_dh;

/* Makes a private value. NULL when the group is unknown. */
struct crypto_dh *crypto_dh_new(uint16_t group);
void crypto_dh_free(struct crypto_dh *dh);
uint16_t crypto_dh_group(const struct crypto_dh *dh);
/* crypto_dh_size() bytes: a MODP value padded (RFC 7296 3.4), a curve's point
 * as x | y (RFC 5903 7), or the string of RFC 8031. */
void crypto_dh_public(const struct crypto_dh *dh, uint8_t *out);
/* Checks the other side's value first (RFC 6989): its length, 1 < y < p - 1,
 * on the curve, not of small order. The secret is the x coordinate or the
 * padded number. */
int crypto_dh_shared(struct crypto_dh *dh, const uint8_t *peer, size_t peer_len, struct crypto_secret *secret);

/* ---- distinguished names (RFC 7296 3.5: DER) */

/* "C=DE, O=Example, CN=a.example" -> DER. A comma inside a value is written
 * "\\,". -1: an attribute that X.509 does not know, or no room. */
int crypto_dn_encode(const char *text, uint8_t *der, size_t size, size_t *len);
bool crypto_dn_is_valid(const uint8_t *der, size_t len);
/* As X.509 compares them (RFC 5280 7.1): case and spaces do not count. */
bool crypto_dn_equal(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len);
/* Equal ones have equal numbers; 0: it is none. */
uint32_t crypto_dn_hash(const uint8_t *der, size_t len);
/* The form that crypto_dn_encode() takes, cut at size. */
void crypto_dn_format(const uint8_t *der, size_t len, char *out, size_t size);

#endif /* SAV_CRYPTO_H */
