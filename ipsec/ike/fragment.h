/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * fragment - puts the fragments of one IKE message together.
 *
 * Each has passed its integrity check before it comes here (RFC 7383 2.6), so
 * only the peer itself can fill the bounds. A peer without a name yet may be
 * anybody: such ones have a bound in common.
 */
#ifndef SAV_FRAGMENT_H
#define SAV_FRAGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipsec/ike/message.h"

#define FRAGMENTS_MAX 256
#define FRAGMENTS_SHARED_MAX (16u << 20) /* bytes of all that share; beyond it */
#define FRAGMENTS_SHARE 16384		 /* each has so many: a chain of certificates */

struct fragments;

/* shared: sum of the bytes kept by all that share it, NULL: no bound but the message's. */
struct fragments *fragments_new(size_t *shared);
void fragments_free(struct fragments *fragments);

/* Adds one of message id of one exchange. True: that was the last; *first and
 * *plain are the whole chain, owned by fragments until its next call. A
 * greater total replaces what there is, a smaller one is ignored (2.6), a
 * repeated number too; another message begins anew. */
bool fragments_add(struct fragments *fragments, uint32_t id, bool response, const struct ike_fragment *fragment,
		   uint8_t *first, struct rd *plain);

#endif /* SAV_FRAGMENT_H */
