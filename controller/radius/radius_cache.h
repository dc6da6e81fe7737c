/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * radius_cache - requests that were seen, and what was answered.
 *
 * A request that comes again gets the same answer and changes nothing (RFC 5080
 * sec. 2.2.2, RFC 5176 sec. 2.3). It is the same if source, identifier and
 * authenticator are; the last covers all of its content.
 */
#ifndef SAV_RADIUS_CACHE_H
#define SAV_RADIUS_CACHE_H

#include "controller/radius/radius_packet.h"

struct radius_cache;

struct radius_cache_key {
	struct ip_addr addr;
	uint16_t port;
	uint8_t id;
	uint8_t authenticator[RADIUS_AUTH_SIZE];
};

/* forget: at the bound the oldest goes; else new ones are not taken. */
struct radius_cache *radius_cache_new(size_t max, bool forget);
void radius_cache_free(struct radius_cache *c);

enum radius_seen {
	RADIUS_NEW,	 /* noted now */
	RADIUS_WAITING,	 /* seen, and not answered yet */
	RADIUS_ANSWERED, /* answer and len are set, valid until the next call */
	RADIUS_NO_ROOM,
};
/* Entries older than age_ms are no more. */
enum radius_seen radius_cache_see(struct radius_cache *c, const struct radius_cache_key *key,
				  int64_t age_ms, int64_t now_ms, const uint8_t **answer,
				  size_t *len);
/* Of a noted request; len 0: it was not worth one, so it is forgotten. */
void radius_cache_answer(struct radius_cache *c, const struct radius_cache_key *key,
			 const uint8_t *answer, size_t len);

#endif /* SAV_RADIUS_CACHE_H */
