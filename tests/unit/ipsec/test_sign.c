/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * AUTH payloads made with a private key, and those that are not taken.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <openssl/rsa.h>

#include "ipsec/crypto_cert.h"
#include "ipsec/ike/ike.h"
#include "tests/unit/ipsec/cert_fixture.h"

#define ALL_HASHES (1u << CRYPTO_SHA256 | 1u << CRYPTO_SHA384 | 1u << CRYPTO_SHA512 | 1u << CRYPTO_IDENTITY)

static const char *const kinds[] = { "RSA", "P-256", "P-384", "P-521", "ED25519" };
static const struct crypto_part parts[3] = { { "first message", 13 }, { "nonce", 5 }, { "mac", 3 } };
static struct diag diag;

static struct crypto_private *private_of(const char *kind)
{
	struct crypto_private *key;
	struct wr pem = { 0 };

	fixture_key_pem(fixture_key(kind), &pem);
	key = crypto_private_pem(pem.data, pem.len, &diag);
	assert_non_null(key);
	wr_fini(&pem);
	return key;
}

static struct crypto_public *public_of(EVP_PKEY *pkey)
{
	struct crypto_public *key;
	struct wr pem = { 0 };

	fixture_public_pem(pkey, &pem);
	key = crypto_public_pem(pem.data, pem.len, &diag);
	assert_non_null(key);
	wr_fini(&pem);
	return key;
}

static void sign(const char *kind, uint32_t hashes, uint8_t *method, struct wr *auth)
{
	struct crypto_private *key = private_of(kind);

	if (crypto_private_sign(key, hashes, parts, 3, method, auth, &diag) != 0)
		fail_msg("%s: %s", kind, diag.text);
	crypto_private_free(key);
}

static void what_is_signed_is_taken(void **st)
{
	static const uint32_t lists[] = { ALL_HASHES, 1u << CRYPTO_SHA256, 1u << CRYPTO_SHA512 };

	for (unsigned k = 0; k < 4; k++)
		for (unsigned h = 0; h < 3; h++) {
			struct crypto_public *key = public_of(fixture_key(kinds[k])), *other = public_of(fixture_other_key(kinds[k]));
			struct crypto_part changed[3] = { parts[0], parts[1], { "mad", 3 } };
			struct wr auth = { 0 };
			uint8_t method;

			sign(kinds[k], lists[h], &method, &auth);
			assert_int_equal(method, IKE_AUTH_SIGNATURE);
			assert_int_equal(crypto_public_check(key, method, auth.data, auth.len, parts, 3, &diag), 0);
			assert_int_equal(crypto_public_check(key, method, auth.data, auth.len, changed, 3, &diag), -1);
			assert_int_equal(crypto_public_check(other, method, auth.data, auth.len, parts, 3, &diag), -1);
			for (size_t i = 0; i < auth.len; i += 3) {
				auth.data[i] ^= 1;
				assert_int_equal(crypto_public_check(key, method, auth.data, auth.len, parts, 3, &diag), -1);
				auth.data[i] ^= 1;
			}
			for (size_t len = 0; len < auth.len; len += 5)
				assert_int_equal(crypto_public_check(key, method, auth.data, len, parts, 3, &diag), -1);
			wr_fini(&auth);
			crypto_public_free(key);
			crypto_public_free(other);
		}
}

static void ed25519_wants_a_peer_that_knows_it(void **st)
{
	struct crypto_private *key = private_of("ED25519");
	struct crypto_public *public = public_of(fixture_key("ED25519"));
	struct wr auth = { 0 };
	uint8_t method;

	assert_int_equal(crypto_private_sign(key, 1u << CRYPTO_SHA256, parts, 3, &method, &auth, &diag), -1);
	assert_non_null(strstr(diag.text, "RFC 8420"));
	assert_int_equal(crypto_private_sign(key, ALL_HASHES, parts, 3, &method, &auth, &diag), 0);
	assert_int_equal(crypto_public_check(public, method, auth.data, auth.len, parts, 3, &diag), 0);
	auth.data[auth.len - 1] ^= 1;
	assert_int_equal(crypto_public_check(public, method, auth.data, auth.len, parts, 3, &diag), -1);
	wr_fini(&auth);
	crypto_public_free(public);
	crypto_private_free(key);
}

/* RFC 8247 3.2: PSS with SHA-256. Its identifier is RFC 7427 A.4.3's. */
static void rsa_is_pss(void **st)
{
	static const uint8_t identifier[] = { 0x30, 0x41, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a };
	struct wr auth = { 0 };
	uint8_t method;

	sign("RSA", ALL_HASHES, &method, &auth);
	assert_int_equal(auth.data[0], 0x43);
	assert_memory_equal(auth.data + 1, identifier, sizeof(identifier));
	wr_fini(&auth);
}

static void without_rfc_7427(void **st)
{
	static const uint8_t methods[] = { IKE_AUTH_ECDSA_256, IKE_AUTH_ECDSA_384, IKE_AUTH_ECDSA_521 };
	static const size_t lengths[] = { 64, 96, 132 };
	struct crypto_private *rsa = private_of("RSA");
	struct wr auth = { 0 };
	uint8_t method;

	assert_int_equal(crypto_private_sign(rsa, 0, parts, 3, &method, &auth, &diag), -1);
	assert_non_null(strstr(diag.text, "SHA-1"));
	assert_int_equal(auth.len, 0);
	crypto_private_free(rsa);
	for (unsigned k = 0; k < 3; k++) {
		struct crypto_public *key = public_of(fixture_key(kinds[k + 1])), *wrong = public_of(fixture_key("RSA"));

		sign(kinds[k + 1], 0, &method, &auth);
		assert_int_equal(method, methods[k]);
		assert_int_equal(auth.len, lengths[k]);
		assert_int_equal(crypto_public_check(key, method, auth.data, auth.len, parts, 3, &diag), 0);
		assert_int_equal(crypto_public_check(key, methods[(k + 1) % 3], auth.data, auth.len, parts, 3, &diag), -1);
		assert_int_equal(crypto_public_check(key, method, auth.data, auth.len - 2, parts, 3, &diag), -1);
		assert_int_equal(crypto_public_check(wrong, method, auth.data, auth.len, parts, 3, &diag), -1);
		memset(auth.data, 0, auth.len);
		assert_int_equal(crypto_public_check(key, method, auth.data, auth.len, parts, 3, &diag), -1);
		wr_fini(&auth);
		crypto_public_free(key);
		crypto_public_free(wrong);
	}
}

/* As another implementation signs: PKCS #1 v1.5, or PSS as it is asked for. */
static void foreign_sign(const char *digest, bool pss, struct wr *out)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx;
	uint8_t sig[512];
	size_t len = sizeof(sig);

	assert_int_equal(EVP_DigestSignInit_ex(ctx, &pctx, digest, NULL, NULL, fixture_key("RSA"), NULL), 1);
	if (pss)
		assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING), 1);
	assert_int_equal(EVP_DigestSign(ctx, sig, &len, (const uint8_t *)"first messagenoncemac", 21), 1);
	wr_bytes(out, sig, len);
	EVP_MD_CTX_free(ctx);
}

static void method_1_without_sha1(void **st)
{
	struct crypto_public *key = public_of(fixture_key("RSA"));
	struct wr auth = { 0 };

	foreign_sign("SHA256", false, &auth);
	assert_int_equal(crypto_public_check(key, IKE_AUTH_RSA, auth.data, auth.len, parts, 3, &diag), 0);
	wr_fini(&auth);
	foreign_sign("SHA512", false, &auth);
	assert_int_equal(crypto_public_check(key, IKE_AUTH_RSA, auth.data, auth.len, parts, 3, &diag), 0);
	wr_fini(&auth);
	foreign_sign("SHA1", false, &auth);
	assert_int_equal(crypto_public_check(key, IKE_AUTH_RSA, auth.data, auth.len, parts, 3, &diag), -1);
	assert_non_null(strstr(diag.text, "SHA-1"));
	wr_fini(&auth);
	crypto_public_free(key);
}

/* Identifiers of RFC 7427 A.1: sha1WithRSAEncryption and sha256With..., A.4.1
 * and A.4.2: PSS with parameters that mean SHA-1. */
static void identifiers_that_mean_sha1(void **st)
{
	static const uint8_t sha1_rsa[] = { 0x0f, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7,
					    0x0d, 0x01, 0x01, 0x05, 0x05, 0x00 };
	static const uint8_t sha256_rsa[] = { 0x0f, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7,
					      0x0d, 0x01, 0x01, 0x0b, 0x05, 0x00 };
	static const uint8_t pss_empty[] = { 0x0f, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7,
					     0x0d, 0x01, 0x01, 0x0a, 0x30, 0x00 };
	struct crypto_public *key = public_of(fixture_key("RSA"));
	struct wr auth = { 0 };

	wr_bytes(&auth, sha256_rsa, sizeof(sha256_rsa));
	foreign_sign("SHA256", false, &auth);
	assert_int_equal(crypto_public_check(key, IKE_AUTH_SIGNATURE, auth.data, auth.len, parts, 3, &diag), 0);
	wr_fini(&auth);
	wr_bytes(&auth, sha1_rsa, sizeof(sha1_rsa));
	foreign_sign("SHA1", false, &auth);
	assert_int_equal(crypto_public_check(key, IKE_AUTH_SIGNATURE, auth.data, auth.len, parts, 3, &diag), -1);
	assert_non_null(strstr(diag.text, "not allowed"));
	wr_fini(&auth);
	wr_bytes(&auth, pss_empty, sizeof(pss_empty));
	foreign_sign("SHA1", true, &auth);
	assert_int_equal(crypto_public_check(key, IKE_AUTH_SIGNATURE, auth.data, auth.len, parts, 3, &diag), -1);
	wr_fini(&auth);
	crypto_public_free(key);
}

static void other_methods(void **st)
{
	struct crypto_public *key = public_of(fixture_key("P-256"));

	assert_int_equal(crypto_public_check(key, IKE_AUTH_NULL, "x", 1, parts, 3, &diag), -1);
	assert_int_equal(crypto_public_check(key, IKE_AUTH_PSK, "x", 1, parts, 3, &diag), -1);
	assert_int_equal(crypto_public_check(key, IKE_AUTH_SIGNATURE, "", 0, parts, 3, &diag), -1);
	assert_int_equal(crypto_public_check(key, IKE_AUTH_SIGNATURE, "\xff", 1, parts, 3, &diag), -1);
	assert_int_equal(crypto_public_check(key, IKE_AUTH_SIGNATURE, "\x00", 1, parts, 3, &diag), -1);
	crypto_public_free(key);
}

static void raw_keys(void **st)
{
	for (unsigned k = 0; k < 5; k++) {
		struct crypto_public *key = public_of(fixture_key(kinds[k])), *same, *other;
		struct wr der = { 0 };

		crypto_public_encode(key, &der);
		same = crypto_public_der(der.data, der.len, &diag);
		assert_non_null(same);
		assert_true(crypto_public_equal(key, same));
		other = public_of(fixture_other_key(kinds[k]));
		assert_false(crypto_public_equal(key, other));
		assert_null(crypto_public_der(der.data, der.len - 1, &diag));
		wr_u8(&der, 0);
		assert_null(crypto_public_der(der.data, der.len, &diag));
		wr_fini(&der);
		crypto_public_free(key);
		crypto_public_free(same);
		crypto_public_free(other);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_signed_is_taken),
		cmocka_unit_test(ed25519_wants_a_peer_that_knows_it),
		cmocka_unit_test(rsa_is_pss),
		cmocka_unit_test(without_rfc_7427),
		cmocka_unit_test(method_1_without_sha1),
		cmocka_unit_test(identifiers_that_mean_sha1),
		cmocka_unit_test(other_methods),
		cmocka_unit_test(raw_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
