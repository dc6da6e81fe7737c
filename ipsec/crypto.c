/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec/crypto.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "ipsec/crypto_impl.h"
#include "ipsec/ike/ike.h"
#include "lib/digest.h"

static struct {
	EVP_MAC *hmac;
	EVP_MD *md[CRYPTO_SHA512 + 1];
} fetched;

static const struct {
	const char *name;
	size_t size;
} hashes[] = {
	[CRYPTO_SHA1] = { "SHA1", 20 },
	[CRYPTO_SHA256] = { "SHA2-256", 32 },
	[CRYPTO_SHA384] = { "SHA2-384", 48 },
	[CRYPTO_SHA512] = { "SHA2-512", 64 },
};

/* Fetching takes longer than hashing a packet, so it is done once. */
static void fetch_all(void)
{
	fetched.hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	for (unsigned i = CRYPTO_SHA1; i <= CRYPTO_SHA512; i++)
		fetched.md[i] = EVP_MD_fetch(NULL, hashes[i].name, NULL);
}

static void fetch(void)
{
	static CRYPTO_ONCE once = CRYPTO_ONCE_STATIC_INIT;

	if (!CRYPTO_THREAD_run_once(&once, fetch_all))
		OPENSSL_die("crypto: no algorithms", __FILE__, __LINE__);
}

void crypto_warm_up(void)
{
	uint8_t random[8];

	OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG | OPENSSL_INIT_LOAD_CRYPTO_STRINGS, NULL);
	fetch();
	crypto_random(random, sizeof(random));
}

void crypto_wipe(void *data, size_t len)
{
	OPENSSL_cleanse(data, len);
}

void crypto_key_set(struct crypto_key *key, const void *data, size_t len)
{
	OPENSSL_assert(len <= sizeof(key->bytes));
	crypto_wipe(key, sizeof(*key));
	memcpy(key->bytes, data, len);
	key->len = len;
}

void crypto_secret_set(struct crypto_secret *secret, const void *data, size_t len)
{
	OPENSSL_assert(len <= sizeof(secret->bytes));
	crypto_wipe(secret, sizeof(*secret));
	memcpy(secret->bytes, data, len);
	secret->len = len;
}

void crypto_secret_wipe(struct crypto_secret *secret)
{
	crypto_wipe(secret, sizeof(*secret));
}

bool crypto_equal(const void *a, const void *b, size_t len)
{
	return CRYPTO_memcmp(a, b, len) == 0;
}

void crypto_random(void *out, size_t len)
{
	digest_random(out, len);
}

/* ---- digests */

size_t crypto_hash_size(enum crypto_hash hash)
{
	return hash >= CRYPTO_SHA1 && hash <= CRYPTO_SHA512 ? hashes[hash].size : 0;
}

const char *crypto_impl_hash_name(enum crypto_hash hash)
{
	return crypto_hash_size(hash) != 0 ? hashes[hash].name : NULL;
}

int crypto_hash(enum crypto_hash hash, const struct crypto_part *parts, unsigned n_parts, uint8_t *out)
{
	EVP_MD_CTX *ctx;
	bool ok;

	fetch();
	if (crypto_hash_size(hash) == 0)
		return -1;
	ctx = EVP_MD_CTX_new();
	ok = ctx && EVP_DigestInit_ex2(ctx, fetched.md[hash], NULL) == 1;
	for (unsigned i = 0; ok && i < n_parts; i++)
		ok = EVP_DigestUpdate(ctx, parts[i].data, parts[i].len) == 1;
	ok = ok && EVP_DigestFinal_ex(ctx, out, NULL) == 1;
	EVP_MD_CTX_free(ctx);
	return ok ? 0 : -1;
}

/* ---- HMAC */

EVP_MAC_CTX *crypto_impl_hmac_new(enum crypto_hash hash, const void *key, size_t key_len)
{
	OSSL_PARAM params[2] = { OSSL_PARAM_END, OSSL_PARAM_END };
	char name[16];
	EVP_MAC_CTX *ctx;

	fetch();
	strcpy(name, hashes[hash].name); /* the call takes no const */
	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0);
	ctx = EVP_MAC_CTX_new(fetched.hmac);
	/* a NULL key would mean "as before" */
	if (ctx && EVP_MAC_init(ctx, key ? key : (const void *)"", key_len, params) != 1) {
		EVP_MAC_CTX_free(ctx);
		ctx = NULL;
	}
	return ctx;
}

/* ---- PRF */

static enum crypto_hash prf_hash(uint16_t prf)
{
	switch (prf) {
	case PRF_HMAC_SHA2_256:
		return CRYPTO_SHA256;
	case PRF_HMAC_SHA2_384:
		return CRYPTO_SHA384;
	case PRF_HMAC_SHA2_512:
		return CRYPTO_SHA512;
	}
	return 0;
}

size_t crypto_prf_size(uint16_t prf)
{
	return crypto_hash_size(prf_hash(prf));
}

static bool update_all(EVP_MAC_CTX *ctx, const struct crypto_part *parts, unsigned n_parts)
{
	for (unsigned i = 0; i < n_parts; i++)
		if (parts[i].len > 0 && EVP_MAC_update(ctx, parts[i].data, parts[i].len) != 1)
			return false;
	return true;
}

int crypto_prf(uint16_t prf, const void *key, size_t key_len, const struct crypto_part *parts,
	       unsigned n_parts, uint8_t *out)
{
	size_t size = crypto_prf_size(prf);
	EVP_MAC_CTX *ctx;
	bool ok;

	if (size == 0)
		return -1;
	ctx = crypto_impl_hmac_new(prf_hash(prf), key, key_len);
	ok = ctx && update_all(ctx, parts, n_parts) && EVP_MAC_final(ctx, out, &size, size) == 1;
	EVP_MAC_CTX_free(ctx);
	return ok ? 0 : -1;
}

int crypto_prf_plus(uint16_t prf, const void *key, size_t key_len, const struct crypto_part *parts,
		    unsigned n_parts, uint8_t *out, size_t len)
{
	size_t size = crypto_prf_size(prf), last = 0;
	uint8_t t[CRYPTO_PRF_MAX];
	EVP_MAC_CTX *ctx;
	bool ok;

	if (size == 0 || len > 255 * size)
		return -1;
	ctx = crypto_impl_hmac_new(prf_hash(prf), key, key_len);
	ok = ctx != NULL;
	for (uint8_t n = 1; ok && len > 0; n++) {
		size_t part = len < size ? len : size;

		ok = (n == 1 || EVP_MAC_init(ctx, NULL, 0, NULL) == 1) &&
		     (last == 0 || EVP_MAC_update(ctx, t, last) == 1) && update_all(ctx, parts, n_parts) &&
		     EVP_MAC_update(ctx, &n, 1) == 1 && EVP_MAC_final(ctx, t, &last, sizeof(t)) == 1;
		if (ok)
			memcpy(out, t, part);
		out += part;
		len -= part;
	}
	EVP_MAC_CTX_free(ctx);
	crypto_wipe(t, sizeof(t));
	return ok ? 0 : -1;
}
