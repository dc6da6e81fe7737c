/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/digest.h"

#include <stdio.h>
#include <stdlib.h>

#include <openssl/evp.h>
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

void digest_hex(const uint8_t *data, size_t len, char *out)
{
	for (size_t i = 0; i < len; i++)
		snprintf(out + 2 * i, 3, "%02x", data[i]);
	out[2 * len] = '\0';
}
