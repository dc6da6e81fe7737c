/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/digest.h"

#include <stdio.h>
#include <stdlib.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

static void die(const char *what)
{
	fprintf(stderr, "OpenSSL cannot %s\n", what);
	abort();
}

void digest_sha256(const void *data, size_t len, uint8_t out[DIGEST_SIZE])
{
	if (EVP_Digest(data, len, out, NULL, EVP_sha256(), NULL) != 1)
		die("compute SHA-256");
}

void digest_random(void *out, size_t len)
{
	if (RAND_bytes(out, (int)len) != 1)
		die("give random bytes");
}

void digest_md5(const void *data, size_t len, uint8_t out[DIGEST_MD5_SIZE])
{
	if (EVP_Digest(data, len, out, NULL, EVP_md5(), NULL) != 1)
		die("compute MD5");
}

void digest_sha1(const void *data, size_t len, uint8_t out[DIGEST_SHA1_SIZE])
{
	if (EVP_Digest(data, len, out, NULL, EVP_sha1(), NULL) != 1)
		die("compute SHA-1");
}

void digest_hmac_md5(const void *key, size_t key_len, const void *data, size_t len,
		     uint8_t out[DIGEST_MD5_SIZE])
{
	if (!HMAC(EVP_md5(), key, (int)key_len, data, len, out, NULL))
		die("compute HMAC-MD5");
}

void digest_hmac_sha256(const void *key, size_t key_len, const void *data, size_t len,
			uint8_t out[DIGEST_SIZE])
{
	if (!HMAC(EVP_sha256(), key, (int)key_len, data, len, out, NULL))
		die("compute HMAC-SHA-256");
}

bool digest_equal(const void *a, const void *b, size_t len)
{
	return CRYPTO_memcmp(a, b, len) == 0;
}

void digest_hex(const uint8_t *data, size_t len, char *out)
{
	for (size_t i = 0; i < len; i++)
		snprintf(out + 2 * i, 3, "%02x", data[i]);
	out[2 * len] = '\0';
}
