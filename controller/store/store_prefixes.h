/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * store_prefixes - sets of addresses as blobs, for the files of the store only:
 * per prefix its address (4 or 16 bytes) and one byte with its length.
 */
#ifndef SAV_STORE_PREFIXES_H
#define SAV_STORE_PREFIXES_H

#include "controller/store/store_db.h"
#include "lib/rangeset.h"
#include "lib/rd.h"
#include "lib/wr.h"

void store_prefixes_encode(const struct addrset *set, enum ip_family family,
			   struct wr *wr);
/* Appends to set, which is to be normalized then; false: not such a blob. */
bool store_prefixes_decode(struct rd rd, enum ip_family family, struct addrset *set);

/* The blob in a column; valid until the statement goes on. */
struct rd store_blob(sqlite3_stmt *q, int column);

#endif /* SAV_STORE_PREFIXES_H */
