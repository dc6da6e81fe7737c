/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * digest - SHA-256, random bytes, MD5 where RADIUS and SHA-1 where BFD wants it;
 * the only crypto outside TLS and IPsec.
 */
#ifndef SAV_DIGEST_H
#define SAV_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIGEST_SIZE 32

void digest_sha256(const void *data, size_t len, uint8_t out[DIGEST_SIZE]);
void digest_hmac_sha256(const void *key, size_t key_len, const void *data, size_t len,
			uint8_t out[DIGEST_SIZE]);
void digest_random(void *out, size_t len); /* aborts if the kernel has none */
/* Protects nothing by itself: RFC 2865 and 2869 are built on it. */
#define DIGEST_MD5_SIZE 16
void digest_md5(const void *data, size_t len, uint8_t out[DIGEST_MD5_SIZE]);
void digest_hmac_md5(const void *key, size_t key_len, const void *data, size_t len,
		     uint8_t out[DIGEST_MD5_SIZE]);
/* Nor does this: RFC 5880. */
#define DIGEST_SHA1_SIZE 20
void digest_sha1(const void *data, size_t len, uint8_t out[DIGEST_SHA1_SIZE]);
/* In a time that does not tell where they differ. */
bool digest_equal(const void *a, const void *b, size_t len);
/* Lower-case hex and a NUL: 2 * len + 1 bytes. */
void digest_hex(const uint8_t *data, size_t len, char *out);

#endif /* SAV_DIGEST_H */
