/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * bench_stream - full tables as FRR's BMP tells them: post-policy, one prefix per
 * message, all peers of a prefix in a row, the local AS in front.
 *
 * 4.5 prefixes of a peer share their attributes, spread over the table since a
 * router's walk is by prefix and not by origin. It is made piece by piece, for ten
 * tables are more than a gigabyte of messages.
 */
#ifndef SAV_BENCH_STREAM_H
#define SAV_BENCH_STREAM_H

#include "lib/wr.h"
#include "tests/bench/bench_table.h"

#define BENCH_LOCAL_AS 64500

struct bench_attrs {
	uint32_t path[7];
	uint8_t hops;
	uint8_t communities;
	uint32_t community;
};

struct bench_stream {
	size_t routes, at; /* of each peer */
	uint32_t peers, peer, first; /* first: number of the first peer */
	size_t n_attrs; /* of each peer */
	struct bench_attrs *attrs;
	struct bench_table table;
	struct ip_prefix prefix;
};

void bench_stream_init(struct bench_stream *s, size_t routes, uint32_t first,
		       uint32_t peers);
void bench_stream_fini(struct bench_stream *s);
/* The tables from the beginning, the same as before. */
void bench_stream_rewind(struct bench_stream *s);
/* Appends messages until *out has so many bytes; returns the number of routes,
 * which is 0 at the end. */
size_t bench_stream_more(struct bench_stream *s, struct wr *out, size_t bytes);

/* Peer i is 10.x.y.2 of AS 65001 + i, behind our 10.x.y.1, where i is x * 256 + y. */
struct ip_addr bench_peer_addr(uint32_t peer);
uint32_t bench_peer_as(uint32_t peer);
void bench_put_initiation(struct wr *out, const char *sysname);
void bench_put_up(struct wr *out, uint32_t peer);
void bench_put_down(struct wr *out, uint32_t peer);
void bench_put_route(struct wr *out, uint32_t peer, const struct bench_attrs *a,
		     const struct ip_prefix *p);
void bench_put_end_of_rib(struct wr *out, uint32_t peer); /* of both families */

#endif /* SAV_BENCH_STREAM_H */
