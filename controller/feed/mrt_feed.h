/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mrt_feed - one MRT file or stream (RFC 6396) turned into RIB changes.
 *
 * Takes bytes in any chunking. An MRT file is what a collector heard, so all
 * routes go into the pre-policy view: they count where no BMP stream of the
 * same peer says better. A peer has type 0 and distinguisher 0; a table's view
 * number or name is no VRF and is ignored.
 *
 * RFC 6396 has no marker to resynchronise on. After damage the feed looks for
 * twelve bytes that can be a header with another header, or the end, exactly
 * where that one's record ends.
 */
#ifndef SAV_MRT_FEED_H
#define SAV_MRT_FEED_H

#include "controller/feed/mrt.h"
#include "controller/rib/rib.h"
#include "lib/diag.h"

/* So many bytes without a record end a stream. */
#define MRT_SEARCH_MAX ((uint64_t)16 << 20)

struct mrt_feed;

/* A BGP4MP message of this peer was taken, and who the two sides are differs
 * from the last time this was called. Table dumps do not say who the local
 * side is. */
typedef void mrt_session_fn(struct rib_peer *peer, const struct mrt_session *session,
			    void *arg);

struct mrt_feed_stats {
	uint64_t bytes, records;
	uint64_t messages, states, entries; /* BGP messages, state changes, RIB entries */
	uint64_t announced, withdrawn;	    /* prefixes; an entry is one */
	uint64_t withdrawn_unknown; /* withdrawals of paths never announced */
	uint64_t looped;	    /* paths ignored: the local AS in transit */
	uint64_t treat_as_withdraw; /* paths ignored: bad attributes (RFC 7606) */
	uint64_t attr_discard;	    /* RFC 7606: attributes */
	uint64_t host_bits;	    /* prefixes with host bits set (masked) */
	uint64_t malformed;	    /* records skipped whole */
	/* where the first record of these two, and with host bits, begins */
	uint64_t first_damaged, first_host_bits;
	uint64_t left_out, first_left_out; /* paths beyond a bound of the rib */
	uint64_t no_peer;	    /* RIB entries of peers that no index names */
	/* records; ignored_afi: MP attributes and RIB_GENERIC records */
	uint64_t ignored_type, ignored_local, ignored_afi;
	uint64_t searches;	    /* times the feed fell out of step, */
	uint64_t skipped;	    /* the bytes this has cost, */
	uint64_t first_skip;	    /* and where the first of them was */
};

/* router: the index used in rib_peer_key. The feed does not own the rib; with
 * NULL it decodes and counts only. fn may be NULL. */
struct mrt_feed *mrt_feed_new(struct rib *rib, uint32_t router, mrt_session_fn *fn,
			      void *arg);
void mrt_feed_free(struct mrt_feed *feed); /* paths stay in the rib */

/* 0, or -1 with diag when no record is to be found within MRT_SEARCH_MAX. */
int mrt_feed_bytes(struct mrt_feed *feed, const void *data, size_t len, struct diag *diag);
/* All input has come. -1 with diag: there was some, and no record in it. */
int mrt_feed_end(struct mrt_feed *feed, struct diag *diag);
/* Bytes of an unfinished record at the end of input; after mrt_feed_end(). */
size_t mrt_feed_pending(const struct mrt_feed *feed);

const struct mrt_feed_stats *mrt_feed_stats(const struct mrt_feed *feed);

#endif /* SAV_MRT_FEED_H */
