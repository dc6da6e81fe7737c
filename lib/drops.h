/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * drops - the sources that were dropped most, from samples.
 *
 * A row is one source network (/24 or /48) on one interface towards one
 * protocol and port. Rows are bounded: a new one takes the place, and the
 * count, of the row with the fewest samples (Metwally, Agrawal and El Abbadi,
 * "Efficient computation of frequent and top-k elements", 2005), so that what
 * is really frequent stays however many sources are forged, and a count is too
 * high by `doubt` at most.
 *
 * Both sav-agent and savd keep one. No clock: now_ms is the caller's.
 */
#ifndef SAV_DROPS_H
#define SAV_DROPS_H

#include "lib/diag.h"
#include "lib/filter.h"

#define DROPS_NET_LEN4 24
#define DROPS_NET_LEN6 48
#define DROPS_IDLE_MS  3600000 /* a row that was not seen for so long is forgotten */
#define DROPS_NO_PORT  0xffffffffu

struct drop {
	char interface[FILTER_IFNAME_SIZE];
	struct ip_addr source, destination; /* of the latest sample */
	uint8_t protocol;		    /* of the IP header, extensions skipped */
	uint32_t port; /* destination port; ICMP: type; DROPS_NO_PORT: none */
	uint64_t samples, doubt;
	uint64_t bytes; /* of these samples less the doubt, by their IP headers */
	uint64_t unsent, unsent_bytes; /* of them, not yet taken by drops_take() */
	int64_t first_ms, last_ms;
};

struct drops {
	struct drop *rows; /* in no order */
	size_t n, max;
	uint64_t samples; /* all that were added */
	uint64_t evicted; /* rows that lost their place */
};

void drops_init(struct drops *d, size_t max);
void drops_fini(struct drops *d);

/* Reads the beginning of an IP packet; false: it is none, or cut before the
 * addresses. bytes is what the header says of its length; interface and the other
 * counts stay as they are. */
bool drop_parse(const void *packet, size_t len, struct drop *out);
/* Adds sample->samples samples of sample->bytes together; its interface, source,
 * destination, protocol and port are looked at. */
void drops_add(struct drops *d, const struct drop *sample, int64_t now_ms);
/* Forgets rows without a sample for DROPS_IDLE_MS. */
void drops_expire(struct drops *d, int64_t now_ms);
/* Most samples first, then latest first; some interface only, unless NULL. At
 * most max rows are copied to out; returns how many. */
size_t drops_top(const struct drops *d, const char *interface, struct drop *out,
		 size_t max);
/* Rows that have unsent samples, with samples and bytes set to those, which count
 * as sent from now on. */
size_t drops_take(struct drops *d, struct drop *out, size_t max);

/* The network of the source, by which rows are told apart: DROPS_NET_LEN4 or 6 long. */
struct ip_prefix drop_network(const struct drop *row);
/* "udp 53", "icmp type 8", "tcp", "protocol 47" */
#define DROP_WHAT_SIZE 32
const char *drop_what(const struct drop *row, char text[DROP_WHAT_SIZE]);

#endif /* SAV_DROPS_H */
