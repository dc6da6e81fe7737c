/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * bmp_feed_impl - what the files of a BMP feed share.
 */
#ifndef SAV_BMP_FEED_IMPL_H
#define SAV_BMP_FEED_IMPL_H

#include "controller/feed/bmp.h"
#include "controller/feed/bmp_feed.h"
#include "lib/wr.h"

/* Routes on their way into the RIB. Each waits until its successors have been
 * decoded, while the memory it will touch is being fetched, which makes a full
 * table load a third faster. Nothing waits longer than bmp_feed_bytes() lasts. */
#define AHEAD	       4
#define AHEAD_PATH_MAX 120 /* bytes of AS path; longer ones do not wait */

struct route_ahead {
	struct rib_peer *peer;
	struct ip_prefix prefix;
	struct rib_attr attr;
	uint32_t path_id;
	uint32_t hash;
	enum rib_view view;
};

struct feed_peer {
	struct feed_peer *hash_next;
	struct rib_peer_key key;
	struct bmp_peer_info info; /* valid with known */
	struct bmp_peer_counts counts;
	bool known;		   /* a Peer Up was decoded */
	bool as2;		   /* a session of 2-octet AS numbers */
	bool up;
	bool down; /* told so, and nothing came since */
	bool refused;
};

struct bmp_feed {
	struct rib *rib;
	uint32_t router;
	bmp_event_fn *fn;
	void *arg;
	struct wr buf;	 /* start of an unfinished message */
	uint64_t offset; /* of the message at hand, for diagnostics */
	bool broken;
	bool recording; /* what is damaged is searched for its end */
	bool searching, search_cut;
	uint64_t search_from;
	bool over;   /* bmp_feed_end(), */
	size_t tail; /* and what is unfinished there */
	bool allow_rd;
	bool is_frr;
	bool prepends_local_as;
	uint32_t own_as; /* the router's, by its internal sessions; 0: not known */
	struct feed_peer **bucket;
	size_t n_buckets, n_peers;
	struct feed_peer *last;
	struct route_ahead ahead[AHEAD];
	uint8_t ahead_path[AHEAD][AHEAD_PATH_MAX];
	unsigned int ahead_first, ahead_n;
	struct bmp_feed_stats stats;
	char sysname[256], sysdescr[512];
	uint8_t scratch[BGP_PATH_MAX];
};

/* A whole message, whose first byte is the offset-th of the stream. */
void feed_message(struct bmp_feed *feed, struct rd rd, uint64_t offset);
/* The length of the message whose first bytes these are; 0 when there are too few
 * to tell, -1 with diag, and the stream is broken, when it cannot be one. */
long feed_frame_len(struct bmp_feed *feed, struct rd rd, struct diag *diag);
/* bmp_recover.c: as bmp_feed_bytes(), of a recording. */
int feed_recording(struct bmp_feed *feed, const void *data, size_t len, struct diag *diag);

/* Every event goes out here: the RIB is up to date when it does. */
void feed_emit(struct bmp_feed *feed, const struct bmp_event *event);

void feed_peers_init(struct bmp_feed *feed);
void feed_peers_fini(struct bmp_feed *feed);
struct feed_peer *feed_peer_find(const struct bmp_feed *feed,
				 const struct rib_peer_key *key);
/* Reads the per-peer header and decides whether this peer is ours. NULL: the
 * message has been counted, there is nothing more to do. */
struct feed_peer *feed_peer_of(struct bmp_feed *feed, uint8_t msg_type, struct rd *rd,
			       struct bmp_peer *peer);

void feed_route_monitoring(struct bmp_feed *feed, struct feed_peer *fp,
			   const struct bmp_peer *peer, struct rd rd);
/* Before anything that looks at the RIB or changes it in another way. */
void feed_ahead_flush(struct bmp_feed *feed);

#endif /* SAV_BMP_FEED_IMPL_H */
