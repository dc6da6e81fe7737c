/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/rand.h>

#include "ipsec/crypto.h"
#include "ipsec/crypto_impl.h"
#include "ipsec/ike/ike.h"
#include "lib/mem.h"

#define AEAD_SALT 4  /* RFC 4106 4, RFC 7634 2 */
#define AEAD_IV 8
#define ICV_MAX 32

struct encr {
	uint16_t id;
	uint16_t key_bits;
	const char *name; /* NULL: no cipher */
	struct crypto_shape shape;
};

/* clang-format off */
static const struct encr encrs[] = {
	{ ENCR_AES_GCM_16, 128, "AES-128-GCM", { true, 1, AEAD_IV, 16, 16 + AEAD_SALT, 0 } },
	{ ENCR_AES_GCM_16, 192, "AES-192-GCM", { true, 1, AEAD_IV, 16, 24 + AEAD_SALT, 0 } },
	{ ENCR_AES_GCM_16, 256, "AES-256-GCM", { true, 1, AEAD_IV, 16, 32 + AEAD_SALT, 0 } },
	{ ENCR_CHACHA20_POLY1305, 0, "ChaCha20-Poly1305", { true, 1, AEAD_IV, 16, 32 + AEAD_SALT, 0 } },
	{ ENCR_AES_CBC, 128, "AES-128-CBC", { false, 16, 16, 0, 16, 0 } },
	{ ENCR_AES_CBC, 192, "AES-192-CBC", { false, 16, 16, 0, 24, 0 } },
	{ ENCR_AES_CBC, 256, "AES-256-CBC", { false, 16, 16, 0, 32, 0 } },
	{ ENCR_NULL, 0, NULL, { false, 1, 0, 0, 0, 0 } },
};

static const struct integ {
	uint16_t id;
	enum crypto_hash hash;
	uint8_t key;
	uint8_t icv;
} integs[] = {
	{ AUTH_HMAC_SHA1_96, CRYPTO_SHA1, 20, 12 },
	{ AUTH_HMAC_SHA2_256_128, CRYPTO_SHA256, 32, 16 },
	{ AUTH_HMAC_SHA2_384_192, CRYPTO_SHA384, 48, 24 },
	{ AUTH_HMAC_SHA2_512_256, CRYPTO_SHA512, 64, 32 },
};
/* clang-format on */

struct crypto_cipher {
	struct crypto_shape shape;
	bool encrypt;
	EVP_CIPHER_CTX *cipher; /* NULL with ENCR_NULL */
	EVP_MAC_CTX *mac;	/* NULL with an AEAD */
	uint8_t salt[AEAD_SALT];
};

static const struct encr *find_encr(const struct crypto_suite *suite)
{
	for (size_t i = 0; i < sizeof(encrs) / sizeof(encrs[0]); i++)
		if (encrs[i].id == suite->encr && encrs[i].key_bits == suite->key_bits)
			return &encrs[i];
	return NULL;
}

static const struct integ *find_integ(uint16_t id)
{
	for (size_t i = 0; i < sizeof(integs) / sizeof(integs[0]); i++)
		if (integs[i].id == id)
			return &integs[i];
	return NULL;
}

int crypto_suite_shape(const struct crypto_suite *suite, struct crypto_shape *shape)
{
	const struct encr *encr = find_encr(suite);
	const struct integ *integ = find_integ(suite->integ);

	if (!encr || encr->shape.aead != (suite->integ == AUTH_NONE) || (!encr->shape.aead && !integ))
		return -1;
	*shape = encr->shape;
	if (integ) {
		shape->icv = integ->icv;
		shape->integ_key = integ->key;
	}
	return 0;
}

static bool cipher_init(struct crypto_cipher *c, const char *name, const uint8_t *key)
{
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, name, NULL);
	bool ok;

	c->cipher = EVP_CIPHER_CTX_new();
	ok = cipher && c->cipher && EVP_CipherInit_ex2(c->cipher, cipher, key, NULL, c->encrypt, NULL) == 1 &&
	     EVP_CIPHER_CTX_set_padding(c->cipher, 0) == 1;
	EVP_CIPHER_free(cipher); /* the context has a reference of its own */
	return ok;
}

struct crypto_cipher *crypto_cipher_new(const struct crypto_suite *suite, bool encrypt, const void *encr_key,
					size_t encr_len, const void *integ_key, size_t integ_len)
{
	const struct encr *encr = find_encr(suite);
	const struct integ *integ = find_integ(suite->integ);
	struct crypto_shape shape;
	struct crypto_cipher *c;
	bool ok = true;

	if (crypto_suite_shape(suite, &shape) != 0 || encr_len != shape.encr_key || integ_len != shape.integ_key)
		return NULL;
	c = mem_alloc(sizeof(*c));
	c->shape = shape;
	c->encrypt = encrypt;
	if (encr->name)
		ok = cipher_init(c, encr->name, encr_key);
	if (shape.aead)
		memcpy(c->salt, (const uint8_t *)encr_key + encr_len - AEAD_SALT, AEAD_SALT);
	else if (ok)
		ok = (c->mac = crypto_impl_hmac_new(integ->hash, integ_key, integ_len)) != NULL;
	if (!ok) {
		crypto_cipher_free(c);
		return NULL;
	}
	return c;
}

void crypto_cipher_free(struct crypto_cipher *c)
{
	if (!c)
		return;
	EVP_CIPHER_CTX_free(c->cipher);
	EVP_MAC_CTX_free(c->mac);
	crypto_wipe(c, sizeof(*c));
	free(c);
}

const struct crypto_shape *crypto_cipher_shape(const struct crypto_cipher *c)
{
	return &c->shape;
}

/* ---- AEAD */

static bool aead_start(struct crypto_cipher *c, const uint8_t *iv, const uint8_t *aad, size_t aad_len)
{
	uint8_t nonce[AEAD_SALT + AEAD_IV];
	int n;

	memcpy(nonce, c->salt, AEAD_SALT);
	memcpy(nonce + AEAD_SALT, iv, AEAD_IV);
	return EVP_CipherInit_ex2(c->cipher, NULL, NULL, nonce, c->encrypt, NULL) == 1 &&
	       EVP_CipherUpdate(c->cipher, NULL, &n, aad, (int)aad_len) == 1;
}

static bool aead_seal(struct crypto_cipher *c, uint64_t counter, const uint8_t *aad, size_t aad_len, uint8_t *iv,
		      uint8_t *data, size_t len, uint8_t *icv)
{
	int n;

	for (unsigned i = 0; i < AEAD_IV; i++)
		iv[i] = (uint8_t)(counter >> (56 - 8 * i));
	return aead_start(c, iv, aad, aad_len) && EVP_EncryptUpdate(c->cipher, data, &n, data, (int)len) == 1 &&
	       EVP_EncryptFinal_ex(c->cipher, data + n, &n) == 1 &&
	       EVP_CIPHER_CTX_ctrl(c->cipher, EVP_CTRL_AEAD_GET_TAG, c->shape.icv, icv) == 1;
}

static bool aead_open(struct crypto_cipher *c, const uint8_t *aad, size_t aad_len, const uint8_t *iv,
		      uint8_t *data, size_t len, const uint8_t *icv)
{
	uint8_t tag[ICV_MAX];
	int n;

	memcpy(tag, icv, c->shape.icv); /* the call takes no const */
	return aead_start(c, iv, aad, aad_len) &&
	       EVP_CIPHER_CTX_ctrl(c->cipher, EVP_CTRL_AEAD_SET_TAG, c->shape.icv, tag) == 1 &&
	       EVP_DecryptUpdate(c->cipher, data, &n, data, (int)len) == 1 &&
	       EVP_DecryptFinal_ex(c->cipher, data + n, &n) == 1;
}

/* ---- cipher and HMAC, encrypt then authenticate */

/* iv and data are one run of bytes. */
static bool mac_run(struct crypto_cipher *c, const uint8_t *aad, size_t aad_len, const uint8_t *body,
		    size_t body_len, const uint8_t *esn_high, uint8_t *out)
{
	size_t n;

	return EVP_MAC_init(c->mac, NULL, 0, NULL) == 1 && EVP_MAC_update(c->mac, aad, aad_len) == 1 &&
	       EVP_MAC_update(c->mac, body, body_len) == 1 &&
	       (!esn_high || EVP_MAC_update(c->mac, esn_high, 4) == 1) &&
	       EVP_MAC_final(c->mac, out, &n, EVP_MAX_MD_SIZE) == 1;
}

static bool cbc_run(struct crypto_cipher *c, const uint8_t *iv, uint8_t *data, size_t len)
{
	int n;

	return !c->cipher || (EVP_CipherInit_ex2(c->cipher, NULL, NULL, iv, c->encrypt, NULL) == 1 &&
			      EVP_CipherUpdate(c->cipher, data, &n, data, (int)len) == 1 && (size_t)n == len);
}

static bool mac_seal(struct crypto_cipher *c, const uint8_t *aad, size_t aad_len, const uint8_t *esn_high,
		     uint8_t *iv, uint8_t *data, size_t len, uint8_t *icv)
{
	uint8_t mac[EVP_MAX_MD_SIZE];

	/* CBC needs one that can't be foretold (RFC 3602 3) */
	if (c->shape.iv > 0 && RAND_bytes(iv, c->shape.iv) != 1)
		return false;
	if (!cbc_run(c, iv, data, len) || !mac_run(c, aad, aad_len, iv, c->shape.iv + len, esn_high, mac))
		return false;
	memcpy(icv, mac, c->shape.icv);
	return true;
}

static bool mac_open(struct crypto_cipher *c, const uint8_t *aad, size_t aad_len, const uint8_t *esn_high,
		     const uint8_t *iv, uint8_t *data, size_t len, const uint8_t *icv)
{
	uint8_t mac[EVP_MAX_MD_SIZE];

	return mac_run(c, aad, aad_len, iv, c->shape.iv + len, esn_high, mac) &&
	       crypto_equal(mac, icv, c->shape.icv) && cbc_run(c, iv, data, len);
}

/* ---- both */

int crypto_seal(struct crypto_cipher *c, uint64_t counter, const uint8_t *aad, size_t aad_len,
		const uint8_t *esn_high, uint8_t *iv, uint8_t *data, size_t len, uint8_t *icv)
{
	if (len > INT32_MAX || len % c->shape.block != 0)
		return -1;
	if (c->shape.aead)
		return aead_seal(c, counter, aad, aad_len, iv, data, len, icv) ? 0 : -1;
	return mac_seal(c, aad, aad_len, esn_high, iv, data, len, icv) ? 0 : -1;
}

int crypto_open(struct crypto_cipher *c, const uint8_t *aad, size_t aad_len, const uint8_t *esn_high,
		const uint8_t *iv, uint8_t *data, size_t len, const uint8_t *icv)
{
	if (len > INT32_MAX || len % c->shape.block != 0)
		return -1;
	if (c->shape.aead)
		return aead_open(c, aad, aad_len, iv, data, len, icv) ? 0 : -1;
	return mac_open(c, aad, aad_len, esn_high, iv, data, len, icv) ? 0 : -1;
}
