/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mrt - decoders of MRT records with BGP in them (RFC 6396, RFC 8050).
 *
 * No state, no memory of their own: what comes back points into the caller's
 * bytes. Lists (peers, RIB entries) are checked whole before the first item is
 * handed out, so a caller acts on all of a record or on nothing of it.
 */
#ifndef SAV_MRT_H
#define SAV_MRT_H

#include "lib/ip.h"
#include "lib/rd.h"

#define MRT_HEADER_SIZE 12
/* The format knows no bound. A RIB record of 65,535 peers with common
 * attributes stays below this one. */
#define MRT_RECORD_MAX ((size_t)16 << 20)

enum mrt_type {
	MRT_TABLE_DUMP = 12,
	MRT_TABLE_DUMP_V2 = 13,
	MRT_BGP4MP = 16,
	MRT_BGP4MP_ET = 17, /* a microsecond timestamp in front */
};

struct mrt_header {
	uint32_t time_s;
	uint16_t type, subtype;
	uint32_t len; /* of the body */
};
bool mrt_header_decode(struct rd *rd, struct mrt_header *h);

/* Whether twelve bytes are a record's header: it has no magic number. */
enum mrt_verdict {
	MRT_HEADER_NO,
	MRT_HEADER_MAYBE, /* a type that RFC 6396 does not know, or has given up */
	MRT_HEADER_YES,
};
enum mrt_verdict mrt_header_judge(const struct mrt_header *h);

/* What is to be done with a record. */
enum mrt_kind {
	MRT_OTHER,	/* nothing: OSPF, IS-IS, multicast, BGP4MP_ENTRY, ... */
	MRT_PEER_INDEX,
	MRT_RIB,	/* TABLE_DUMP_V2, unicast or generic */
	MRT_TABLE,	/* TABLE_DUMP */
	MRT_MESSAGE,
	MRT_LOCAL,	/* nothing: a message that the collector itself sent */
	MRT_STATE,
};
enum mrt_kind mrt_kind_of(const struct mrt_header *h);

struct mrt_peer {
	struct ip_addr addr;
	uint32_t as, id;
};

/* PEER_INDEX_TABLE */
struct mrt_peer_index {
	uint32_t collector_id;
	uint16_t n;
	struct rd peers;
};
bool mrt_peer_index_decode(struct rd body, struct mrt_peer_index *index);
/* False at the end. */
bool mrt_peer_next(struct mrt_peer_index *index, struct mrt_peer *peer);

/* One prefix as all peers announce it. */
struct mrt_rib {
	struct ip_prefix prefix;
	bool masked;	    /* host bits were set (RFC 4271 4.3) */
	bool other_family;  /* RIB_GENERIC of a family not decoded: no entries */
	bool addpath;	    /* each entry has a path id */
	uint32_t path_id;   /* else this, from RIB_GENERIC_ADDPATH's NLRI, or 0 */
	uint16_t n;
	struct rd entries;
};
struct mrt_rib_entry {
	uint16_t peer; /* number in the peer index */
	uint32_t path_id;
	struct rd attrs; /* 4-octet AS numbers */
};
bool mrt_rib_decode(uint16_t subtype, struct rd body, struct mrt_rib *rib);
bool mrt_rib_entry_next(struct mrt_rib *rib, struct mrt_rib_entry *entry);

/* TABLE_DUMP: one prefix of one peer, 2-octet AS numbers. */
struct mrt_table {
	struct ip_prefix prefix;
	bool masked;
	struct mrt_peer peer;
	struct rd attrs;
};
bool mrt_table_decode(uint16_t subtype, struct rd body, struct mrt_table *table);

/* BGP4MP and BGP4MP_ET; h says which. */
struct mrt_session {
	uint32_t peer_as, local_as;
	struct ip_addr peer, local;
};
struct mrt_message {
	struct mrt_session session;
	bool as2;     /* AS_PATH has 2-octet numbers */
	bool addpath; /* NLRI have path ids */
	struct rd bgp; /* from the marker on */
};
#define MRT_STATE_ESTABLISHED 6 /* RFC 4271 8.2.2 as RFC 6396 numbers it */
struct mrt_state {
	struct mrt_session session;
	uint16_t old, new;
};
bool mrt_message_decode(const struct mrt_header *h, struct rd body, struct mrt_message *m);
bool mrt_state_decode(const struct mrt_header *h, struct rd body, struct mrt_state *s);

#endif /* SAV_MRT_H */
