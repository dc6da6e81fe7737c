/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Public and private keys, and what an AUTH payload makes of them.
 */
#include "ipsec/crypto_cert.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "ipsec/crypto_impl.h"
#include "ipsec/ike/ike.h"
#include "lib/mem.h"

#define RSA_EXPONENT_BITS 64 /* a longer one only costs us time */
#define SIGNATURE_MAX (CRYPTO_RSA_MAX / 8 + 16)

struct crypto_public {
	EVP_PKEY *pkey;
};

struct crypto_private {
	EVP_PKEY *pkey;
};

/* A daemon must never stop to ask for a passphrase. */
int crypto_impl_no_passphrase(char *buf, int size, int rwflag, void *arg)
{
	return -1;
}

/* ---- which keys */

static const struct {
	const char *group;
	enum crypto_hash hash; /* as strong as the curve (RFC 4754 3) */
	uint8_t method;
	size_t half; /* bytes of r, and of s */
} curves[] = {
	{ SN_X9_62_prime256v1, CRYPTO_SHA256, IKE_AUTH_ECDSA_256, 32 },
	{ SN_secp384r1, CRYPTO_SHA384, IKE_AUTH_ECDSA_384, 48 },
	{ SN_secp521r1, CRYPTO_SHA512, IKE_AUTH_ECDSA_521, 66 },
};
#define CURVES (sizeof(curves) / sizeof(curves[0]))

/* CURVES: none of them. */
static size_t curve_of(const EVP_PKEY *key)
{
	char group[64];
	size_t len, i = 0;

	if (!EVP_PKEY_is_a(key, "EC") || EVP_PKEY_get_group_name((EVP_PKEY *)(uintptr_t)key, group, sizeof(group), &len) != 1)
		return CURVES;
	while (i < CURVES && strcmp(curves[i].group, group) != 0)
		i++;
	return i;
}

static bool is_rsa(const EVP_PKEY *key)
{
	return EVP_PKEY_is_a(key, "RSA") || EVP_PKEY_is_a(key, "RSA-PSS");
}

static bool is_edwards(const EVP_PKEY *key)
{
	return EVP_PKEY_is_a(key, "ED25519") || EVP_PKEY_is_a(key, "ED448");
}

int crypto_impl_key_usable(const EVP_PKEY *key, struct diag *diag)
{
	int bits = EVP_PKEY_get_bits(key);
	BIGNUM *e = NULL;
	bool small;

	if (is_edwards(key) || curve_of(key) < CURVES)
		return 0;
	if (!is_rsa(key))
		return diag_set(diag, "a key of type %s; RSA, ECDSA on P-256, P-384 or P-521, and Ed25519 are used",
				EVP_PKEY_get0_type_name(key) ? EVP_PKEY_get0_type_name(key) : "unknown");
	if (bits < CRYPTO_RSA_MIN || bits > CRYPTO_RSA_MAX)
		return diag_set(diag, "an RSA key of %d bits; %u to %u are used", bits, CRYPTO_RSA_MIN, CRYPTO_RSA_MAX);
	small = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e) == 1 && BN_num_bits(e) <= RSA_EXPONENT_BITS;
	BN_free(e);
	return small ? 0 : diag_set(diag, "an RSA key with an exponent of more than %u bits", RSA_EXPONENT_BITS);
}

/* ---- public keys */

struct crypto_public *crypto_impl_public(EVP_PKEY *pkey)
{
	struct crypto_public *key = mem_alloc(sizeof(*key));

	EVP_PKEY_up_ref(pkey);
	key->pkey = pkey;
	return key;
}

void crypto_public_free(struct crypto_public *key)
{
	if (!key)
		return;
	EVP_PKEY_free(key->pkey);
	free(key);
}

static struct crypto_public *public_take(EVP_PKEY *pkey, struct diag *diag)
{
	struct crypto_public *key = NULL;

	ERR_clear_error();
	if (!pkey)
		diag_set(diag, "no public key");
	else if (crypto_impl_key_usable(pkey, diag) == 0)
		key = crypto_impl_public(pkey);
	EVP_PKEY_free(pkey);
	return key;
}

struct crypto_public *crypto_public_der(const void *der, size_t len, struct diag *diag)
{
	const uint8_t *at = der;
	EVP_PKEY *pkey = len <= CRYPTO_CERT_MAX ? d2i_PUBKEY(NULL, &at, (long)len) : NULL;

	if (pkey && at != (const uint8_t *)der + len) {
		EVP_PKEY_free(pkey);
		pkey = NULL;
	}
	return public_take(pkey, diag);
}

struct crypto_public *crypto_public_pem(const void *data, size_t len, struct diag *diag)
{
	BIO *bio = len <= CRYPTO_FILE_MAX ? BIO_new_mem_buf(data, (int)len) : NULL;
	EVP_PKEY *pkey = bio ? PEM_read_bio_PUBKEY(bio, NULL, crypto_impl_no_passphrase, NULL) : NULL;
	X509 *cert = NULL;

	if (bio && !pkey && BIO_reset(bio) >= 0)
		cert = PEM_read_bio_X509(bio, NULL, crypto_impl_no_passphrase, NULL);
	if (cert)
		pkey = X509_get_pubkey(cert);
	X509_free(cert);
	BIO_free(bio);
	return public_take(pkey, diag);
}

bool crypto_public_equal(const struct crypto_public *a, const struct crypto_public *b)
{
	return EVP_PKEY_eq(a->pkey, b->pkey) == 1;
}

void crypto_public_encode(const struct crypto_public *key, struct wr *out)
{
	uint8_t *der = NULL;
	int n = i2d_PUBKEY(key->pkey, &der);

	if (n > 0)
		wr_bytes(out, der, (size_t)n);
	OPENSSL_free(der);
}

/* ---- a signature's parameters */

struct scheme {
	enum crypto_hash hash; /* 0: the algorithm hashes by itself (RFC 8420) */
	bool pss;
	int salt;
	bool mgf1_same;
};

static enum crypto_hash hash_of_nid(int nid)
{
	switch (nid) {
	case NID_sha256:
		return CRYPTO_SHA256;
	case NID_sha384:
		return CRYPTO_SHA384;
	case NID_sha512:
		return CRYPTO_SHA512;
	}
	return 0;
}

/* A hash without parameters or with NULL (RFC 7427 A.4, RFC 4055 2.1). */
static enum crypto_hash hash_of_algor(const X509_ALGOR *algor)
{
	const ASN1_OBJECT *oid = NULL;

	if (!algor)
		return 0; /* SHA-1, by default */
	X509_ALGOR_get0(&oid, NULL, NULL, algor);
	return hash_of_nid(OBJ_obj2nid(oid));
}

static int pss_read(const X509_ALGOR *algor, struct scheme *scheme)
{
	RSA_PSS_PARAMS *pss = NULL;
	X509_ALGOR *mgf1_hash = NULL;
	const ASN1_STRING *sequence;
	const void *value;
	int type, ret = -1;

	X509_ALGOR_get0(NULL, &type, &value, algor);
	if (type != V_ASN1_SEQUENCE)
		return -1;
	sequence = value;
	pss = ASN1_item_unpack(sequence, ASN1_ITEM_rptr(RSA_PSS_PARAMS));
	if (!pss)
		return -1;
	if (pss->maskGenAlgorithm && OBJ_obj2nid(pss->maskGenAlgorithm->algorithm) == NID_mgf1 &&
	    pss->maskGenAlgorithm->parameter && pss->maskGenAlgorithm->parameter->type == V_ASN1_SEQUENCE)
		mgf1_hash = ASN1_item_unpack(pss->maskGenAlgorithm->parameter->value.sequence, ASN1_ITEM_rptr(X509_ALGOR));
	scheme->pss = true;
	scheme->hash = hash_of_algor(pss->hashAlgorithm);
	scheme->salt = pss->saltLength ? (int)ASN1_INTEGER_get(pss->saltLength) : 20;
	scheme->mgf1_same = mgf1_hash && hash_of_algor(mgf1_hash) == scheme->hash;
	if (scheme->hash && scheme->mgf1_same && scheme->salt >= 0 && scheme->salt <= 64 &&
	    (!pss->trailerField || ASN1_INTEGER_get(pss->trailerField) == 1))
		ret = 0;
	X509_ALGOR_free(mgf1_hash);
	RSA_PSS_PARAMS_free(pss);
	return ret;
}

/* Of RFC 7427 3, and does it fit the key? */
static int scheme_read(const X509_ALGOR *algor, const EVP_PKEY *key, struct scheme *scheme)
{
	const ASN1_OBJECT *oid;
	int nid, md, pkey;

	X509_ALGOR_get0(&oid, NULL, NULL, algor);
	nid = OBJ_obj2nid(oid);
	if (nid == NID_ED25519 || nid == NID_ED448)
		return EVP_PKEY_is_a(key, nid == NID_ED25519 ? "ED25519" : "ED448") ? 0 : -1;
	if (nid == NID_rsassaPss)
		return is_rsa(key) ? pss_read(algor, scheme) : -1;
	if (OBJ_find_sigid_algs(nid, &md, &pkey) != 1)
		return -1;
	scheme->hash = hash_of_nid(md);
	if (!scheme->hash)
		return -1;
	if (pkey == NID_rsaEncryption)
		return EVP_PKEY_is_a(key, "RSA") ? 0 : -1;
	return pkey == NID_X9_62_id_ecPublicKey && curve_of(key) < CURVES ? 0 : -1;
}

static bool scheme_apply(const struct scheme *scheme, EVP_PKEY_CTX *ctx)
{
	return !scheme->pss || (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
				EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, scheme->salt) == 1);
}

/* ---- checking */

/* One run of bytes: Ed25519 can't be fed in parts. */
static void join(const struct crypto_part *parts, unsigned n, struct wr *out)
{
	for (unsigned i = 0; i < n; i++)
		if (parts[i].len)
			wr_bytes(out, parts[i].data, parts[i].len);
}

static bool verify(EVP_PKEY *key, const struct scheme *scheme, const uint8_t *sig, size_t len, const struct wr *what)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx;
	bool ok;

	ok = ctx &&
	     EVP_DigestVerifyInit_ex(ctx, &pctx, scheme->hash ? crypto_impl_hash_name(scheme->hash) : NULL, NULL, NULL, key,
				     NULL) == 1 &&
	     scheme_apply(scheme, pctx) && EVP_DigestVerify(ctx, sig, len, what->data, what->len) == 1;
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return ok;
}

/* RFC 7427 3: a length, an AlgorithmIdentifier, the signature. */
static int check_signature(EVP_PKEY *key, const uint8_t *auth, size_t len, const struct wr *what, struct diag *diag)
{
	struct scheme scheme = { 0 };
	const uint8_t *at = auth + 1;
	X509_ALGOR *algor;
	int ret = -1;

	if (len < 2 || len < 1u + auth[0])
		return diag_set(diag, "AUTH is cut short");
	algor = d2i_X509_ALGOR(NULL, &at, auth[0]);
	if (!algor || at != auth + 1 + auth[0])
		diag_set(diag, "AUTH's algorithm is damaged");
	else if (scheme_read(algor, key, &scheme) != 0)
		diag_set(diag, "AUTH's algorithm is not allowed, or not one of the peer's key (SHA-1 is none that is)");
	else
		ret = verify(key, &scheme, at, len - 1 - auth[0], what) ? 0 : diag_set(diag, "the peer's signature is wrong");
	X509_ALGOR_free(algor);
	ERR_clear_error();
	return ret;
}

/* RFC 7296 2.15 leaves the hash to the sender; ours are three. */
static int check_rsa(EVP_PKEY *key, const uint8_t *auth, size_t len, const struct wr *what, struct diag *diag)
{
	if (!EVP_PKEY_is_a(key, "RSA"))
		return diag_set(diag, "an RSA signature, and the peer's key is none");
	for (enum crypto_hash hash = CRYPTO_SHA256; hash <= CRYPTO_SHA512; hash++) {
		const struct scheme scheme = { .hash = hash };

		if (verify(key, &scheme, auth, len, what))
			return 0;
	}
	return diag_set(diag, "the peer's RSA signature is wrong, or made with SHA-1, which is not taken "
			      "(the peer needs RFC 7427 signatures)");
}

/* RFC 4754 7: r | s, each as long as the curve's order. */
static int check_ecdsa(EVP_PKEY *key, uint8_t method, const uint8_t *auth, size_t len, const struct wr *what,
		       struct diag *diag)
{
	size_t curve = curve_of(key);
	struct scheme scheme = { 0 };
	ECDSA_SIG *sig;
	uint8_t *der = NULL;
	BIGNUM *r, *s;
	int n = 0, ret;

	if (curve == CURVES || curves[curve].method != method || len != 2 * curves[curve].half)
		return diag_set(diag, "an ECDSA signature that does not fit the peer's key");
	scheme.hash = curves[curve].hash;
	sig = ECDSA_SIG_new();
	r = BN_bin2bn(auth, (int)(len / 2), NULL);
	s = BN_bin2bn(auth + len / 2, (int)(len / 2), NULL);
	if (!sig || !r || !s || ECDSA_SIG_set0(sig, r, s) != 1)
		abort();
	n = i2d_ECDSA_SIG(sig, &der);
	ret = n > 0 && verify(key, &scheme, der, (size_t)n, what) ? 0 : diag_set(diag, "the peer's signature is wrong");
	OPENSSL_free(der);
	ECDSA_SIG_free(sig);
	return ret;
}

int crypto_public_check(const struct crypto_public *key, uint8_t method, const void *auth, size_t len,
			const struct crypto_part *parts, unsigned n_parts, struct diag *diag)
{
	struct wr what = { 0 };
	int ret;

	if (len == 0)
		return diag_set(diag, "AUTH is empty");
	join(parts, n_parts, &what);
	if (method == IKE_AUTH_SIGNATURE)
		ret = check_signature(key->pkey, auth, len, &what, diag);
	else if (method == IKE_AUTH_RSA)
		ret = check_rsa(key->pkey, auth, len, &what, diag);
	else if (method >= IKE_AUTH_ECDSA_256 && method <= IKE_AUTH_ECDSA_521)
		ret = check_ecdsa(key->pkey, method, auth, len, &what, diag);
	else
		ret = diag_set(diag, "authentication method %u is no signature that we know", method);
	wr_fini(&what);
	return ret;
}

/* ---- private keys */

void crypto_private_free(struct crypto_private *key)
{
	if (!key)
		return;
	EVP_PKEY_free(key->pkey); /* clears the numbers */
	free(key);
}

struct crypto_private *crypto_private_pem(const void *data, size_t len, struct diag *diag)
{
	BIO *bio = len <= CRYPTO_FILE_MAX ? BIO_new_mem_buf(data, (int)len) : NULL;
	EVP_PKEY *pkey = bio ? PEM_read_bio_PrivateKey(bio, NULL, crypto_impl_no_passphrase, NULL) : NULL;
	struct crypto_private *key = NULL;

	BIO_free(bio);
	ERR_clear_error();
	if (!pkey)
		diag_set(diag, "no private key in PEM, or one with a passphrase: sav-iked --import takes those");
	else if (crypto_impl_key_usable(pkey, diag) == 0) {
		key = mem_alloc(sizeof(*key));
		key->pkey = pkey;
		return key;
	}
	EVP_PKEY_free(pkey);
	return NULL;
}

/* The strongest hash that both have, not above what the key is worth; 0: none. */
static enum crypto_hash choose_hash(uint32_t hashes, enum crypto_hash wanted)
{
	for (enum crypto_hash hash = wanted; hash >= CRYPTO_SHA256; hash--)
		if (hashes & 1u << hash)
			return hash;
	for (enum crypto_hash hash = wanted + 1; hash <= CRYPTO_SHA512; hash++)
		if (hashes & 1u << hash)
			return hash;
	return 0;
}

static int scheme_choose(const EVP_PKEY *key, uint32_t hashes, struct scheme *scheme, uint8_t *method, struct diag *diag)
{
	size_t curve = curve_of(key);

	*method = IKE_AUTH_SIGNATURE;
	if (is_edwards(key)) {
		if (!(hashes & 1u << CRYPTO_IDENTITY))
			return diag_set(diag, "our key is %s and the peer does not take such signatures (RFC 8420)",
					EVP_PKEY_get0_type_name(key));
		return 0;
	}
	if (curve < CURVES && hashes == 0) {
		*method = curves[curve].method;
		scheme->hash = curves[curve].hash;
		return 0;
	}
	scheme->hash = choose_hash(hashes, curve < CURVES ? curves[curve].hash : CRYPTO_SHA256);
	if (!scheme->hash)
		return diag_set(diag, "the peer takes RSA signatures with SHA-1 only (it lacks RFC 7427), "
				      "which are not made");
	/* RFC 8247 3.2: PSS MUST, PKCS #1 v1.5 MAY */
	scheme->pss = is_rsa(key);
	scheme->salt = (int)crypto_hash_size(scheme->hash);
	return 0;
}

/* RFC 7427 3: OpenSSL knows its own algorithm's identifier. */
static bool put_algorithm(EVP_PKEY_CTX *ctx, struct wr *auth)
{
	uint8_t aid[128];
	OSSL_PARAM params[] = { OSSL_PARAM_construct_octet_string(OSSL_SIGNATURE_PARAM_ALGORITHM_ID, aid, sizeof(aid)),
				OSSL_PARAM_END };

	if (EVP_PKEY_CTX_get_params(ctx, params) != 1 || params[0].return_size == OSSL_PARAM_UNMODIFIED)
		return false;
	wr_u8(auth, (uint8_t)params[0].return_size);
	wr_bytes(auth, aid, params[0].return_size);
	return true;
}

/* DER -> r | s. */
static bool put_raw_ecdsa(const uint8_t *der, size_t len, size_t half, struct wr *auth)
{
	const uint8_t *at = der;
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &at, (long)len);
	uint8_t raw[2 * 66];
	bool ok = sig && BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, (int)half) > 0 &&
		  BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + half, (int)half) > 0;

	if (ok)
		wr_bytes(auth, raw, 2 * half);
	ECDSA_SIG_free(sig);
	return ok;
}

int crypto_private_sign(const struct crypto_private *key, uint32_t hashes, const struct crypto_part *parts,
			unsigned n_parts, uint8_t *method, struct wr *auth, struct diag *diag)
{
	struct scheme scheme = { 0 };
	struct wr what = { 0 }, made = { 0 };
	uint8_t sig[SIGNATURE_MAX];
	size_t len = sizeof(sig);
	EVP_MD_CTX *ctx;
	EVP_PKEY_CTX *pctx;
	bool ok;

	if (scheme_choose(key->pkey, hashes, &scheme, method, diag) != 0)
		return -1;
	join(parts, n_parts, &what);
	ctx = EVP_MD_CTX_new();
	ok = ctx &&
	     EVP_DigestSignInit_ex(ctx, &pctx, scheme.hash ? crypto_impl_hash_name(scheme.hash) : NULL, NULL, NULL, key->pkey,
				   NULL) == 1 &&
	     scheme_apply(&scheme, pctx) && (*method != IKE_AUTH_SIGNATURE || put_algorithm(pctx, &made)) &&
	     EVP_DigestSign(ctx, sig, &len, what.data, what.len) == 1;
	if (ok && *method != IKE_AUTH_SIGNATURE)
		ok = put_raw_ecdsa(sig, len, curves[curve_of(key->pkey)].half, &made);
	else if (ok)
		wr_bytes(&made, sig, len);
	EVP_MD_CTX_free(ctx);
	if (ok)
		wr_bytes(auth, made.data, made.len);
	wr_fini(&what);
	wr_fini(&made);
	return ok ? 0 : crypto_impl_error(diag, "OpenSSL cannot sign");
}
