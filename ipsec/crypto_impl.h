/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * crypto_impl - what the files behind crypto.h share.
 */
#ifndef SAV_CRYPTO_IMPL_H
#define SAV_CRYPTO_IMPL_H

#include <openssl/evp.h>

#include "ipsec/crypto.h"
#include "lib/diag.h"

/* OpenSSL's name, or NULL. */
const char *crypto_impl_hash_name(enum crypto_hash hash);

/* An HMAC ready for its first byte; EVP_MAC_init(ctx, NULL, 0, NULL) makes it
 * ready for the next message. NULL when OpenSSL refuses. */
EVP_MAC_CTX *crypto_impl_hmac_new(enum crypto_hash hash, const void *key, size_t key_len);

/* A key exchange with a given private value, for published vectors: a number
 * for MODP and curves, a string for X25519 and X448. */
struct crypto_dh *crypto_impl_dh_known(uint16_t group, const uint8_t *private, size_t len);

/* ---- certificates and keys: crypto_cert.c, crypto_sign.c, crypto_import.c */
struct crypto_public;
/* "what: OpenSSL's reason", and empties its queue of errors. Returns -1. */
int crypto_impl_error(struct diag *diag, const char *what);
int crypto_impl_no_passphrase(char *buf, int size, int rwflag, void *arg);
/* Of a kind and size that we use? -1 with the reason. */
int crypto_impl_key_usable(const EVP_PKEY *key, struct diag *diag);
struct crypto_public *crypto_impl_public(EVP_PKEY *pkey); /* with a reference of its own */

#endif /* SAV_CRYPTO_IMPL_H */
