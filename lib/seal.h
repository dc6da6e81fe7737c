/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * seal - secrets as text that only their owner can read.
 *
 * For configuration that people look at, copy and keep under version control:
 * what is sealed with this machine's key file is of no use elsewhere. The same
 * secret always gives the same text, so that two configurations can be compared
 * (AES-256-GCM; the nonce is an HMAC of the secret, as in RFC 5297's idea).
 */
#ifndef SAV_SEAL_H
#define SAV_SEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/diag.h"

#define SEAL_SECRET_MAX 255
#define SEAL_TEXT_SIZE	(2 * (12 + SEAL_SECRET_MAX + 16) + 1)

struct seal;

/* The key of this file, which is made if it is not there; -1: NULL with diag. */
struct seal *seal_new(const char *key_path, struct diag *diag);
void seal_free(struct seal *s);

/* Hexadecimal digits. secret: at most SEAL_SECRET_MAX bytes. */
void seal_text(const struct seal *s, const char *secret, char text[SEAL_TEXT_SIZE]);
/* false: it was not sealed with this key, or does not fit. */
bool seal_open(const struct seal *s, const char *text, char *secret, size_t size);

#endif /* SAV_SEAL_H */
