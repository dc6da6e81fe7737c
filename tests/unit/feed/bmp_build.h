/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * bmp_build - BGP and BMP messages for tests, written field by field so that
 * wrong ones can be written too.
 */
#ifndef SAV_TEST_BMP_BUILD_H
#define SAV_TEST_BMP_BUILD_H

#include "lib/ip.h"
#include "lib/wr.h"

struct build_open {
	uint32_t as;
	uint32_t id;
	bool no_as4;		      /* leave the 4-octet capability out */
	int role;		      /* RFC 9234; below zero: none */
	uint8_t addpath[IP_FAMILIES]; /* RFC 7911 mode */
	bool graceful_restart;
	bool restart; /* of both families, within 120 s */
};

/* A whole BGP message around a body. */
void build_bgp(struct wr *out, uint8_t type, const struct wr *body);
void build_open(struct wr *out, const struct build_open *open);

struct build_update {
	struct wr withdrawn, attrs, nlri;
};
void build_update_fini(struct build_update *u);
/* The body of an UPDATE, without the BGP header. */
void build_update_body(struct wr *out, const struct build_update *u);

void build_attr(struct wr *attrs, uint8_t flags, uint8_t type, const void *value,
		size_t len);
void build_origin(struct wr *attrs, uint8_t code);
/* One AS_SEQUENCE of n numbers, 4 octets each (n 0: the empty path). */
void build_as_path(struct wr *attrs, const uint32_t *as, size_t n);
void build_next_hop(struct wr *attrs, const char *addr);
void build_u32_attr(struct wr *attrs, uint8_t flags, uint8_t type, uint32_t v);
/* ORIGIN IGP, AS_PATH, NEXT_HOP 192.0.2.1. */
void build_usual(struct wr *attrs, const uint32_t *as, size_t n);
void build_prefix(struct wr *out, const char *text); /* host bits stay */
void build_prefix_id(struct wr *out, uint32_t path_id, const char *text);
/* MP_REACH_NLRI with one IPv6 next hop, MP_UNREACH_NLRI; nlri as written. */
void build_mp_reach(struct wr *attrs, uint16_t afi, uint8_t safi, const char *next_hop,
		    const struct wr *nlri);
void build_mp_unreach(struct wr *attrs, uint16_t afi, uint8_t safi,
		      const struct wr *nlri);

struct build_peer {
	uint8_t type, flags;
	uint64_t distinguisher;
	const char *addr;
	uint32_t as;
};

void build_bmp(struct wr *out, uint8_t type, const struct wr *body);
void build_peer_header(struct wr *out, const struct build_peer *peer);
void build_initiation(struct wr *out, const char *sysdescr, const char *sysname);
void build_peer_up(struct wr *out, const struct build_peer *peer, const char *local,
		   const struct build_open *sent, const struct build_open *received);
void build_peer_down(struct wr *out, const struct build_peer *peer, uint8_t reason);
/* Route Monitoring around one UPDATE; u is emptied for the next. */
void build_routes(struct wr *out, const struct build_peer *peer, struct build_update *u);
/* One prefix of either family announced the usual way, or withdrawn. */
void build_announce(struct wr *out, const struct build_peer *peer, const char *prefix,
		    const uint32_t *as, size_t n);
void build_withdraw(struct wr *out, const struct build_peer *peer, const char *prefix);
void build_end_of_rib(struct wr *out, const struct build_peer *peer,
		      enum ip_family family);

#endif /* SAV_TEST_BMP_BUILD_H */
