/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * bmp_feed - one BMP stream (RFC 7854) turned into RIB changes.
 *
 * Takes bytes in any chunking and `now`; owns the reassembly buffer, the
 * sysDescr-dependent repairs of FRR's exporter, and what it has learned of
 * each peer. It knows no socket: savd feeds it from TCP, sav-replay from a
 * file, the fuzzer from noise.
 */
#ifndef SAV_BMP_FEED_H
#define SAV_BMP_FEED_H

#include "controller/feed/bgp.h"
#include "controller/rib/rib.h"
#include "lib/diag.h"

struct bmp_feed;

/* What a Peer Up says; local_* are the monitored router's own side. */
struct bmp_peer_info {
	struct ip_addr local_addr;
	uint32_t local_as, remote_as;
	uint32_t local_id, remote_id; /* BGP identifiers, host order */
	int local_role, remote_role;  /* enum bgp_role, as sent by each side */
	bool is_ibgp;
	bool addpath_rx[IP_FAMILIES]; /* paths from the peer carry path ids */
	bool graceful_restart;	      /* the peer announced RFC 4724 */
	uint16_t restart_s;	      /* how long a restart of the peer takes */
	bool restart[IP_FAMILIES];    /* its forwarding outlives one, both sides say */
};

/* Since the peer's last Peer Up on this stream. */
struct bmp_peer_counts {
	uint64_t announced, withdrawn, withdrawn_unknown; /* prefixes */
	uint64_t reported; /* routes in its Adj-RIB-In (RFC 7854 4.8, type 7) */
};

enum bmp_event_type {
	BMP_EVENT_INITIATION,  /* text: sysName */
	BMP_EVENT_PEER_UP,     /* peer, info */
	/* peer, reason; its paths are already gone, but those of families that a
	 * graceful restart keeps: marked stale, for restart_s seconds at most */
	BMP_EVENT_PEER_DOWN,
	BMP_EVENT_END_OF_RIB,  /* peer, view, family; stale paths already swept */
	BMP_EVENT_REFUSED,     /* text: why a peer or message was left out (VRF, ...) */
	BMP_EVENT_TERMINATION, /* text: why the router closes the stream */
};

struct bmp_event {
	enum bmp_event_type type;
	struct rib_peer *peer;
	const struct bmp_peer_info *info;
	enum rib_view view;
	enum ip_family family;
	uint8_t reason; /* RFC 7854 4.9 */
	uint16_t restart_s; /* 0: nothing was kept */
	const char *text;
};
/* The event and what it points to live until the function returns; it must not
 * free the feed, nor change paths, nor remove the peer. */
typedef void bmp_event_fn(const struct bmp_event *event, void *arg);

struct bmp_feed_stats {
	uint64_t bytes, messages;
	uint64_t by_type[8];	       /* 0..6 by RFC 7854 type, 7: unknown */
	uint64_t announced, withdrawn; /* prefixes */
	uint64_t withdrawn_unknown;    /* withdrawals of paths never announced */
	uint64_t looped;	       /* paths ignored: own AS in AS_PATH */
	uint64_t empty_path;	       /* paths of eBGP peers without any AS: no origin */
	uint64_t treat_as_withdraw;    /* RFC 7606: messages */
	uint64_t attr_discard;	       /* RFC 7606: attributes */
	uint64_t malformed;	       /* messages skipped whole */
	uint64_t first_damaged;	       /* where the first of these two begins */
	uint64_t host_bits;	       /* prefixes with host bits set (masked) */
	uint64_t first_host_bits;      /* where the first message of these begins */
	uint64_t left_out;	       /* paths beyond a bound of the rib */
	uint64_t first_left_out;       /* where the first message of these begins */
	/* of a recording: places that are no BMP, their bytes, the first of them */
	uint64_t searches, skipped, first_skip;
	/* messages; ignored_afi: MP attributes */
	uint64_t refused_vrf, ignored_locrib, ignored_adj_out, ignored_afi;
	uint64_t ignored_peer_type; /* messages of peer types not known */
	uint64_t refused_peers;	    /* messages of peers beyond the bound */
	uint32_t newest_s; /* the latest stamp of a route by the router's clock; 0: none */
	uint64_t no_peer_up; /* routes of a peer that is not up: taken all the same,
			      * but nothing is known of its OPENs */
};

/* router: the index used in rib_peer_key. The feed does not own the rib.
 * BMP_ROUTER_UNKNOWN: the stream has to say who it is first; the handler of
 * BMP_EVENT_INITIATION calls bmp_feed_set_router(), and what comes about peers
 * while the router is unknown is dropped and counted as malformed. */
#define BMP_ROUTER_UNKNOWN UINT32_MAX
struct bmp_feed *bmp_feed_new(struct rib *rib, uint32_t router, bmp_event_fn *fn,
			      void *arg);
void bmp_feed_set_router(struct bmp_feed *feed, uint32_t router);
/* Paths stay in the rib (a lost TCP session is not an empty table); all are
 * marked stale when the next stream's Peer Up of the same peer arrives. */
void bmp_feed_free(struct bmp_feed *feed);

/* Peers with a route distinguisher (VRFs) are refused unless this is set; they
 * are then kept under their whole key. For sav-replay. */
void bmp_feed_set_allow_rd(struct bmp_feed *feed, bool allow);

/* The stream is a file: after a damaged place reading goes on at the next message,
 * and what was skipped is counted. Before the first bytes. */
void bmp_feed_set_recording(struct bmp_feed *feed);
/* How far it looks for one. */
#define BMP_SEARCH_MAX ((uint64_t)16 << 20)
/* The file is over: what waited for bytes behind it is decided, and
 * bmp_feed_pending() is what the last message lacks the end of. -1 with diag like
 * bmp_feed_bytes(). */
int bmp_feed_end(struct bmp_feed *feed, struct diag *diag);

/* Returns 0, or -1 with diag when the stream cannot go on (wrong version,
 * impossible length): the caller closes it. Message-level damage inside a
 * sound frame is counted and skipped. */
int bmp_feed_bytes(struct bmp_feed *feed, const void *data, size_t len,
		   struct diag *diag);
/* Bytes of an unfinished message at the end of input. */
size_t bmp_feed_pending(const struct bmp_feed *feed);
/* End-of-RIB by quiet time: the caller decides that a peer's dump is over;
 * sweeps stale paths of both views and families of that peer. */
void bmp_feed_peer_complete(struct bmp_feed *feed, struct rib_peer *peer);

/* What this stream's last Peer Up said; NULL when there was none or the peer is
 * down. A peer of the router that stays NULL after the stream's dump is gone. */
const struct bmp_peer_info *bmp_feed_peer_info(const struct bmp_feed *feed,
					       const struct rib_peer *peer);

/* NULL: the stream has not spoken of it. */
const struct bmp_peer_counts *bmp_feed_peer_counts(const struct bmp_feed *feed,
						   const struct rib_peer *peer);

const struct bmp_feed_stats *bmp_feed_stats(const struct bmp_feed *feed);
const char *bmp_feed_sysname(const struct bmp_feed *feed);  /* "" before Initiation */
const char *bmp_feed_sysdescr(const struct bmp_feed *feed); /* "" before Initiation */

#endif /* SAV_BMP_FEED_H */
