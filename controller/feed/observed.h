/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * observed - the sources seen on an edge, from a capture or from a flow
 * collector's list, added up by address.
 *
 * The list is text: ADDRESS,BYTES[,PACKETS] on a line, perhaps a heading first,
 * and comments that begin with '#'. Memory grows with the number of addresses
 * up to a bound, never with the size of the input.
 */
#ifndef SAV_OBSERVED_H
#define SAV_OBSERVED_H

#include "lib/diag.h"
#include "lib/ip.h"

#define OBSERVED_SOURCES_MAX (1u << 24)

struct observed_source {
	struct ip_addr addr;
	uint64_t bytes, packets; /* saturate */
};

struct observed_stats {
	uint64_t packets;    /* of a capture, or lines of a list */
	uint64_t outgoing;   /* sent by the capturing host: left out */
	uint64_t other, cut; /* not IP, cut before the address: left out */
	uint64_t link_scope; /* 0.0.0.0, :: and fe80::/10, which no filter judges here */
	uint64_t unfinished; /* bytes of a packet that the end of the file cuts */
};

struct observed;

struct observed *observed_new(void);
void observed_free(struct observed *o);

/* The bytes of a file in any chunking; its beginning tells what it is. -1 with
 * diag ("line 7: ..." or "byte 40: ..."): the rest is not looked at. */
int observed_bytes(struct observed *o, const void *data, size_t len, struct diag *diag);
/* The file is over. Another one may follow. */
int observed_end(struct observed *o, struct diag *diag);

/* By ip_addr's family, then address; each once. Valid until more bytes come. */
const struct observed_source *observed_sources(struct observed *o, size_t *n);
const struct observed_stats *observed_stats(const struct observed *o);

#endif /* SAV_OBSERVED_H */
