/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/params.h>

#include "ipsec/crypto.h"
#include "ipsec/crypto_impl.h"
#include "ipsec/ike/ike.h"
#include "lib/mem.h"

enum kind { MODP, CURVE, MONTGOMERY };

static const struct group {
	uint16_t id;
	enum kind kind;
	const char *type; /* OpenSSL's key type */
	const char *name; /* and group */
	size_t size;	  /* public value on the wire */
	size_t secret;
} groups[] = {
	{ DH_MODP2048, MODP, "DH", "modp_2048", 256, 256 },
	{ DH_MODP3072, MODP, "DH", "modp_3072", 384, 384 },
	{ DH_MODP4096, MODP, "DH", "modp_4096", 512, 512 },
	{ DH_ECP256, CURVE, "EC", "P-256", 64, 32 },
	{ DH_ECP384, CURVE, "EC", "P-384", 96, 48 },
	{ DH_ECP521, CURVE, "EC", "P-521", 132, 66 },
	{ DH_X25519, MONTGOMERY, "X25519", NULL, 32, 32 },
	{ DH_X448, MONTGOMERY, "X448", NULL, 56, 56 },
};

struct crypto_dh {
	const struct group *group;
	EVP_PKEY *key;
	uint8_t public[CRYPTO_DH_MAX];
};

static const struct group *find_group(uint16_t id)
{
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		if (groups[i].id == id)
			return &groups[i];
	return NULL;
}

size_t crypto_dh_size(uint16_t id)
{
	const struct group *group = find_group(id);

	return group ? group->size : 0;
}

static OSSL_PARAM group_param(const struct group *group, char name[16])
{
	if (!group->name)
		return OSSL_PARAM_construct_end();
	strcpy(name, group->name);
	return OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, name, 0);
}

static EVP_PKEY *generate(const struct group *group)
{
	char name[16];
	OSSL_PARAM params[2] = { group_param(group, name), OSSL_PARAM_END };
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, group->type, NULL);
	EVP_PKEY *key = NULL;

	if (!ctx || EVP_PKEY_keygen_init(ctx) != 1 || EVP_PKEY_CTX_set_params(ctx, params) != 1 ||
	    EVP_PKEY_generate(ctx, &key) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(ctx);
	return key;
}

/* The wire's form of our own value. */
static bool public_get(EVP_PKEY *key, const struct group *group, uint8_t *out)
{
	uint8_t point[1 + 2 * 66];
	BIGNUM *y = NULL;
	size_t n;
	bool ok;

	switch (group->kind) {
	case MODP:
		ok = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PUB_KEY, &y) == 1 &&
		     BN_bn2binpad(y, out, (int)group->size) == (int)group->size;
		BN_free(y);
		return ok;
	case CURVE: /* 0x04 | x | y, and the wire has no 0x04 */
		if (EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, point, sizeof(point),
						    &n) != 1 ||
		    n != 1 + group->size)
			return false;
		memcpy(out, point + 1, group->size);
		return true;
	case MONTGOMERY:
		n = group->size;
		return EVP_PKEY_get_raw_public_key(key, out, &n) == 1 && n == group->size;
	}
	return false;
}

/* Takes key, which may be NULL. */
static struct crypto_dh *dh_new(const struct group *group, EVP_PKEY *key)
{
	struct crypto_dh *dh = mem_alloc(sizeof(*dh));

	dh->group = group;
	dh->key = key;
	if (!key || !public_get(dh->key, group, dh->public)) {
		crypto_dh_free(dh);
		return NULL;
	}
	return dh;
}

struct crypto_dh *crypto_dh_new(uint16_t id)
{
	const struct group *group = find_group(id);

	return group ? dh_new(group, generate(group)) : NULL;
}

void crypto_dh_free(struct crypto_dh *dh)
{
	if (!dh)
		return;
	EVP_PKEY_free(dh->key);
	free(dh);
}

uint16_t crypto_dh_group(const struct crypto_dh *dh)
{
	return dh->group->id;
}

void crypto_dh_public(const struct crypto_dh *dh, uint8_t *out)
{
	memcpy(out, dh->public, dh->group->size);
}

/* Type EC wants the 0x04, type DH a number in the machine's order. */
static EVP_PKEY *peer_fromdata(const struct group *group, const uint8_t *wire)
{
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, group->type, NULL);
	uint8_t point[1 + 2 * 66] = { 0x04 };
	OSSL_PARAM *params = NULL;
	EVP_PKEY *key = NULL;
	BIGNUM *y = NULL;
	bool ok;

	ok = build && ctx && OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, group->name, 0) == 1;
	if (ok && group->kind == MODP) {
		y = BN_bin2bn(wire, (int)group->size, NULL);
		ok = y && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PUB_KEY, y) == 1;
	} else if (ok) {
		memcpy(point + 1, wire, group->size);
		ok = OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, 1 + group->size) == 1;
	}
	ok = ok && (params = OSSL_PARAM_BLD_to_param(build)) != NULL && EVP_PKEY_fromdata_init(ctx) == 1 &&
	     EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) == 1;
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	EVP_PKEY_CTX_free(ctx);
	BN_free(y);
	return ok ? key : NULL;
}

static EVP_PKEY *peer_new(const struct group *group, const uint8_t *wire)
{
	if (group->kind == MONTGOMERY)
		return EVP_PKEY_new_raw_public_key_ex(NULL, group->type, NULL, wire, group->size);
	return peer_fromdata(group, wire);
}

/* The partial check is RFC 6989's for safe-prime groups and for curves: in
 * range, on the curve. The full one, which EVP_PKEY_derive_set_peer() would make,
 * costs a MODP exponentiation more and proves nothing more there. */
static bool peer_is_valid(EVP_PKEY *peer, const struct group *group)
{
	EVP_PKEY_CTX *ctx;
	bool ok;

	if (group->kind == MONTGOMERY)
		return true; /* the all-zero secret is refused below (RFC 8031 2) */
	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, peer, NULL);
	ok = ctx && EVP_PKEY_public_check_quick(ctx) == 1;
	EVP_PKEY_CTX_free(ctx);
	return ok;
}

int crypto_dh_shared(struct crypto_dh *dh, const uint8_t *wire, size_t wire_len, struct crypto_secret *secret)
{
	const struct group *group = dh->group;
	EVP_PKEY_CTX *ctx = NULL;
	EVP_PKEY *peer = NULL;
	size_t len = sizeof(secret->bytes);
	uint8_t seen = 0;
	bool ok;

	crypto_secret_wipe(secret);
	if (wire_len != group->size)
		return -1;
	peer = peer_new(group, wire);
	ok = peer && peer_is_valid(peer, group) && (ctx = EVP_PKEY_CTX_new_from_pkey(NULL, dh->key, NULL)) != NULL &&
	     EVP_PKEY_derive_init(ctx) == 1;
	if (ok && group->kind == MODP) {
		unsigned pad = 1;
		OSSL_PARAM params[2] = { OSSL_PARAM_construct_uint(OSSL_EXCHANGE_PARAM_PAD, &pad), OSSL_PARAM_END };

		ok = EVP_PKEY_CTX_set_params(ctx, params) == 1;
	}
	ok = ok && EVP_PKEY_derive_set_peer_ex(ctx, peer, 0) == 1 && EVP_PKEY_derive(ctx, secret->bytes, &len) == 1 &&
	     len == group->secret;
	for (size_t i = 0; ok && i < len; i++)
		seen |= secret->bytes[i];
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(peer);
	if (!ok || (seen == 0 && group->kind == MONTGOMERY)) {
		crypto_secret_wipe(secret);
		return -1;
	}
	secret->len = len;
	return 0;
}

/* ---- published vectors */

/* OpenSSL doesn't compute the public value of a given private one. */
static BIGNUM *modp_public(const struct group *group, const BIGNUM *x)
{
	BIGNUM *p = group->id == DH_MODP2048 ? BN_get_rfc3526_prime_2048(NULL) :
		    group->id == DH_MODP3072 ? BN_get_rfc3526_prime_3072(NULL) :
					       BN_get_rfc3526_prime_4096(NULL);
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *g = BN_new(), *y = BN_new();

	if (!p || !ctx || !g || !y || BN_set_word(g, 2) != 1 || BN_mod_exp(y, g, x, p, ctx) != 1) {
		BN_free(y);
		y = NULL;
	}
	BN_free(g);
	BN_free(p);
	BN_CTX_free(ctx);
	return y;
}

static bool curve_public(const struct group *group, const BIGNUM *x, uint8_t point[1 + 2 * 66])
{
	EC_GROUP *curve = EC_GROUP_new_by_curve_name(EC_curve_nist2nid(group->name));
	EC_POINT *y = curve ? EC_POINT_new(curve) : NULL;
	bool ok = y && EC_POINT_mul(curve, y, x, NULL, NULL, NULL) == 1 &&
		  EC_POINT_point2oct(curve, y, POINT_CONVERSION_UNCOMPRESSED, point, 1 + group->size, NULL) ==
			  1 + group->size;

	EC_POINT_free(y);
	EC_GROUP_free(curve);
	return ok;
}

static EVP_PKEY *known(const struct group *group, BIGNUM *x)
{
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, group->type, NULL);
	uint8_t point[1 + 2 * 66];
	OSSL_PARAM *params = NULL;
	EVP_PKEY *key = NULL;
	BIGNUM *y = NULL;
	bool ok = build && ctx && x &&
		  OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, group->name, 0) == 1 &&
		  OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, x) == 1;

	if (ok && group->kind == CURVE)
		ok = curve_public(group, x, point) &&
		     OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, 1 + group->size) == 1;
	else if (ok)
		ok = (y = modp_public(group, x)) != NULL && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PUB_KEY, y) == 1;
	ok = ok && (params = OSSL_PARAM_BLD_to_param(build)) != NULL && EVP_PKEY_fromdata_init(ctx) == 1 &&
	     EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, params) == 1;
	BN_free(y);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	EVP_PKEY_CTX_free(ctx);
	return ok ? key : NULL;
}

struct crypto_dh *crypto_impl_dh_known(uint16_t id, const uint8_t *private, size_t len)
{
	const struct group *group = find_group(id);
	BIGNUM *x;
	EVP_PKEY *key;

	if (!group)
		return NULL;
	if (group->kind == MONTGOMERY)
		return dh_new(group, EVP_PKEY_new_raw_private_key_ex(NULL, group->type, NULL, private, len));
	x = BN_bin2bn(private, (int)len, NULL);
	key = known(group, x);
	BN_free(x);
	return dh_new(group, key);
}
