/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * digest - SHA-256 and random bytes, the only crypto outside TLS and IPsec.
 */
#ifndef SAV_DIGEST_H
#define SAV_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#define DIGEST_SIZE 32

void digest_sha256(const void *data, size_t len, uint8_t out[DIGEST_SIZE]);
void digest_random(void *out, size_t len); /* aborts if the kernel has none */
/* Lower-case hex and a NUL: 2 * len + 1 bytes. */
void digest_hex(const uint8_t *data, size_t len, char *out);

#endif /* SAV_DIGEST_H */
