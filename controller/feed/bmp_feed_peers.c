/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/feed/bmp_feed.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "controller/feed/bmp_feed_impl.h"
#include "lib/mem.h"

/* A router has thousands of peers at most; a stream that invents more is held
 * at this. */
#define PEERS_MAX   65536
#define BUCKETS_MIN 16

void feed_peers_init(struct bmp_feed *feed)
{
	feed->n_buckets = BUCKETS_MIN;
	feed->bucket = mem_calloc(feed->n_buckets, sizeof(struct feed_peer *));
}

void feed_peers_fini(struct bmp_feed *feed)
{
	for (size_t i = 0; i < feed->n_buckets; i++) {
		for (struct feed_peer *fp = feed->bucket[i], *next; fp; fp = next) {
			next = fp->hash_next;
			free(fp);
		}
	}
	free(feed->bucket);
}

static size_t bucket_of(const struct bmp_feed *feed, const struct rib_peer_key *key)
{
	uint64_t h = (uint64_t)key->addr.v ^ (uint64_t)(key->addr.v >> 64) ^
		     key->distinguisher * 31 ^ (uint64_t)key->type << 56;

	return h * 0x9e3779b97f4a7c15u >> 40 & (feed->n_buckets - 1);
}

static bool key_equal(const struct rib_peer_key *a, const struct rib_peer_key *b)
{
	return a->type == b->type && a->distinguisher == b->distinguisher &&
	       ip_addr_equal(&a->addr, &b->addr);
}

struct feed_peer *feed_peer_find(const struct bmp_feed *feed,
				 const struct rib_peer_key *key)
{
	struct feed_peer *fp = feed->bucket[bucket_of(feed, key)];

	while (fp && !key_equal(&fp->key, key))
		fp = fp->hash_next;
	return fp;
}

static void buckets_grow(struct bmp_feed *feed)
{
	struct feed_peer **old = feed->bucket;
	size_t n = feed->n_buckets;

	feed->n_buckets *= 2;
	feed->bucket = mem_calloc(feed->n_buckets, sizeof(struct feed_peer *));
	for (size_t i = 0; i < n; i++) {
		for (struct feed_peer *fp = old[i], *next; fp; fp = next) {
			struct feed_peer **head =
				&feed->bucket[bucket_of(feed, &fp->key)];

			next = fp->hash_next;
			fp->hash_next = *head;
			*head = fp;
		}
	}
	free(old);
}

/* NULL when the stream has named too many peers. */
static struct feed_peer *peer_get(struct bmp_feed *feed, const struct rib_peer_key *key)
{
	struct feed_peer *fp = feed->last, **head;

	if (fp && key_equal(&fp->key, key))
		return fp;
	fp = feed_peer_find(feed, key);
	if (fp == NULL) {
		if (feed->n_peers == PEERS_MAX) {
			feed->stats.refused_peers++;
			return NULL;
		}
		if (feed->n_peers == feed->n_buckets)
			buckets_grow(feed);
		fp = mem_alloc(sizeof(*fp));
		fp->key = *key;
		head = &feed->bucket[bucket_of(feed, key)];
		fp->hash_next = *head;
		*head = fp;
		feed->n_peers++;
	}
	feed->last = fp;
	return fp;
}

static void refuse_vrf(struct bmp_feed *feed, const struct rib_peer_key *key)
{
	struct feed_peer *fp = peer_get(feed, key);
	char addr[IP_TEXT_SIZE], text[160];

	feed->stats.refused_vrf++;
	if (fp == NULL || fp->refused)
		return;
	fp->refused = true;
	snprintf(text, sizeof(text),
		 "peer %s with distinguisher %016" PRIx64
		 " is left out: only the default VRF is served",
		 ip_addr_format(&key->addr, addr), key->distinguisher);
	feed_emit(feed, &(struct bmp_event){ .type = BMP_EVENT_REFUSED, .text = text });
}

struct feed_peer *feed_peer_of(struct bmp_feed *feed, uint8_t msg_type, struct rd *rd,
			       struct bmp_peer *peer)
{
	struct rib_peer_key key;

	if (!bmp_peer_decode(rd, peer)) {
		feed->stats.malformed++;
		return NULL;
	}
	if (peer->type == BMP_PEER_LOC_RIB) {
		feed->stats.ignored_locrib++;
		return NULL;
	}
	if (peer->type > BMP_PEER_LOC_RIB) {
		feed->stats.ignored_peer_type++;
		return NULL;
	}
	/* RFC 8671 6.3: the flag means nothing in Peer Up and Peer Down */
	if (peer->flags & BMP_FLAG_ADJ_OUT && msg_type != BMP_PEER_UP &&
	    msg_type != BMP_PEER_DOWN) {
		feed->stats.ignored_adj_out++;
		return NULL;
	}
	key = (struct rib_peer_key){
		.router = feed->router,
		.type = peer->type,
		.distinguisher = peer->distinguisher,
		.addr = peer->addr,
	};
	if (!feed->allow_rd && (peer->type == BMP_PEER_RD || peer->distinguisher != 0)) {
		refuse_vrf(feed, &key);
		return NULL;
	}
	return peer_get(feed, &key);
}
