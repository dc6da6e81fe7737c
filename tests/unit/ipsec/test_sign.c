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
#include <openssl/sha.h>

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
/* ---- PKCS #1 v1.5 by hand */

#define EM 256 /* bytes of a modulus of 2048 bits */

static void raw_sign(const uint8_t em[EM], struct wr *out)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(fixture_key("RSA"), NULL);
	uint8_t sig[EM];
	size_t len = sizeof(sig);

	assert_int_equal(EVP_PKEY_sign_init(ctx), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING), 1);
	assert_int_equal(EVP_PKEY_sign(ctx, sig, &len, em, EM), 1);
	wr_bytes(out, sig, len);
	EVP_PKEY_CTX_free(ctx);
}

/* CVE-2018-16151, CVE-2018-16152, CVE-2026-50721: what stands around the digest is
 * looked at to the last bit; a low exponent forges what is not. The raw operation
 * stands for the forger's. */
static void cve_2018_16151_padding_with_room(void **st)
{
	static const uint8_t info[] = { 0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
					0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20 };
	struct crypto_public *key = public_of(fixture_key("RSA"));
	const size_t len = sizeof(info) + 32;
	uint8_t digest[32];

	SHA256((const uint8_t *)"first messagenoncemac", 21, digest);
	for (unsigned form = 0; form < 8; form++) {
		size_t at = form == 1 || form == 2 ? 11 : EM - len;
		struct wr auth = { 0 };
		uint8_t em[EM];

		memset(em, form == 1 ? 0xaa : form == 2 ? 0 : 0xff, sizeof(em));
		memset(em, 0xff, at);
		em[0] = 0;
		em[1] = form == 3 ? 2 : 1;
		em[at - 1] = 0;
		memcpy(em + at, info, sizeof(info));
		memcpy(em + at + sizeof(info), digest, sizeof(digest));
		if (form == 4)
			em[50] = 0xfe;
		if (form == 5)
			em[at + 15] = 0x04; /* parameters that are no NULL */
		if (form == 6)
			em[at + 1]++; /* a sequence that ends elsewhere */
		if (form == 7)
			em[at + 3]--;
		raw_sign(em, &auth);
		assert_int_equal(crypto_public_check(key, IKE_AUTH_RSA, auth.data, auth.len, parts, 3, &diag), form == 0 ? 0 : -1);
		wr_fini(&auth);
	}
	crypto_public_free(key);
}

/* CVE-2020-16088's class: a check that goes wrong is not one that passes. */
static void cve_2020_16088_values_beyond_the_modulus(void **st)
{
	static const uint8_t bytes[] = { 0x00, 0x01, 0xff };
	struct crypto_public *key = public_of(fixture_key("RSA"));
	uint8_t sig[EM + 1];

	for (size_t b = 0; b < sizeof(bytes); b++)
		for (size_t len = EM - 1; len <= EM + 1; len++) {
			memset(sig, bytes[b], sizeof(sig));
			assert_int_equal(crypto_public_check(key, IKE_AUTH_RSA, sig, len, parts, 3, &diag), -1);
			memset(sig, 0, sizeof(sig));
			sig[len - 1] = bytes[b];
			assert_int_equal(crypto_public_check(key, IKE_AUTH_RSA, sig, len, parts, 3, &diag), -1);
		}
	crypto_public_free(key);
}

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
		cmocka_unit_test(cve_2018_16151_padding_with_room),
		cmocka_unit_test(cve_2020_16088_values_beyond_the_modulus),
		cmocka_unit_test(identifiers_that_mean_sha1),
		cmocka_unit_test(other_methods),
		cmocka_unit_test(raw_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
