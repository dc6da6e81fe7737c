/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * cache - the last good generations on disk, for a start without controller.
 */
#ifndef SAV_CACHE_H
#define SAV_CACHE_H

#include "agents/held.h"
#include "lib/diag.h"
#include "lib/wr.h"

/* After a crash at any point either the old or the new state is there. */
int cache_save(const char *path, const struct held *h, struct diag *diag);

/* 1 loaded, 0 there is none, -1 unreadable or damaged. A damaged file is moved
 * to PATH.damaged, where it can be looked at and does no harm. */
int cache_load(const char *path, struct held *h, struct diag *diag);

/* The bytes of it. On -1 *h is untouched. */
void cache_encode(const struct held *h, struct wr *out);
int cache_decode(const void *data, size_t len, struct held *h, struct diag *diag);

#endif /* SAV_CACHE_H */
