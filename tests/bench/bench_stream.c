/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/bench/bench_stream.h"

#include <stdlib.h>
#include <string.h>

#include "controller/feed/bgp.h"
#include "controller/feed/bmp.h"
#include "lib/mem.h"

/* ---- messages */

struct ip_addr bench_peer_addr(uint32_t peer)
{
	return (struct ip_addr){ 0x0a000002u + (peer << 8), IP_V4 };
}

uint32_t bench_peer_as(uint32_t peer)
{
	return 65001 + peer;
}

static size_t begin(struct wr *out, uint8_t type)
{
	size_t at = out->len;

	wr_u8(out, BMP_VERSION);
	wr_be32(out, 0);
	wr_u8(out, type);
	return at;
}

static void end(struct wr *out, size_t at)
{
	wr_patch32(out, at + 1, (uint32_t)(out->len - at));
}

static void put_peer(struct wr *out, uint32_t peer, uint8_t flags)
{
	uint32_t addr = (uint32_t)bench_peer_addr(peer).v;

	wr_u8(out, BMP_PEER_GLOBAL);
	wr_u8(out, flags);
	wr_be64(out, 0);
	wr_be64(out, 0);
	wr_be64(out, addr);
	wr_be32(out, bench_peer_as(peer));
	wr_be32(out, addr);
	wr_be64(out, 0);
}

static size_t begin_bgp(struct wr *out, uint8_t type)
{
	size_t at = out->len;

	wr_be64(out, UINT64_MAX);
	wr_be64(out, UINT64_MAX);
	wr_be16(out, 0);
	wr_u8(out, type);
	return at;
}

static void end_bgp(struct wr *out, size_t at)
{
	wr_patch16(out, at + 16, (uint16_t)(out->len - at));
}

static void put_attrs(struct wr *out, const struct bench_attrs *a, uint32_t next_hop)
{
	wr_be32(out, 0x40010100);
	wr_be16(out, 0x5002);
	wr_be16(out, (uint16_t)(2 + 4 * a->hops));
	wr_u8(out, 2);
	wr_u8(out, a->hops);
	for (int i = 0; i < a->hops; i++)
		wr_be32(out, a->path[i]);
	wr_be16(out, 0x4003);
	wr_u8(out, 4);
	wr_be32(out, next_hop);
	if (a->communities != 0) {
		wr_be16(out, 0xc008);
		wr_u8(out, (uint8_t)(4 * a->communities));
		for (int i = 0; i < a->communities; i++)
			wr_be32(out, a->path[1] << 16 | (a->community + (uint32_t)i));
	}
}

void bench_put_route(struct wr *out, uint32_t peer, const struct bench_attrs *a,
		     const struct ip_prefix *p)
{
	size_t at = begin(out, BMP_ROUTE_MONITORING), bgp, attrs;

	put_peer(out, peer, BMP_FLAG_POST);
	bgp = begin_bgp(out, BGP_MSG_UPDATE);
	wr_be16(out, 0);
	attrs = out->len;
	wr_be16(out, 0);
	put_attrs(out, a, (uint32_t)bench_peer_addr(peer).v);
	wr_patch16(out, attrs, (uint16_t)(out->len - attrs - 2));
	wr_u8(out, p->len);
	for (int bit = 0; bit < p->len; bit += 8)
		wr_u8(out, (uint8_t)((uint32_t)p->v >> (24 - bit)));
	end_bgp(out, bgp);
	end(out, at);
}

void bench_put_end_of_rib(struct wr *out, uint32_t peer)
{
	static const uint8_t v6[] = { 0, 0, 0, 6, 0x80, 15, 3, 0, 2, 1 };

	for (int family = 0; family < IP_FAMILIES; family++) {
		size_t at = begin(out, BMP_ROUTE_MONITORING), bgp;

		put_peer(out, peer, BMP_FLAG_POST);
		bgp = begin_bgp(out, BGP_MSG_UPDATE);
		wr_bytes(out, family == IP_V4 ? (const uint8_t[]){ 0, 0, 0, 0 } : v6,
			 family == IP_V4 ? 4 : sizeof(v6));
		end_bgp(out, bgp);
		end(out, at);
	}
}

static void put_open(struct wr *out, uint32_t as)
{
	size_t at = begin_bgp(out, BGP_MSG_OPEN);

	wr_u8(out, 4);
	wr_be16(out, (uint16_t)(as > UINT16_MAX ? 23456 : as));
	wr_be16(out, 180);
	wr_be32(out, 1);
	wr_u8(out, 8);
	wr_be32(out, 2u << 24 | 6u << 16 | 65u << 8 | 4);
	wr_be32(out, as);
	end_bgp(out, at);
}

void bench_put_initiation(struct wr *out, const char *sysname)
{
	static const char sysdescr[] = "\0\1\0\17FRRouting 8.4.4";
	size_t at = begin(out, BMP_INITIATION);

	wr_bytes(out, sysdescr, sizeof(sysdescr) - 1);
	wr_be16(out, 2);
	wr_be16(out, (uint16_t)strlen(sysname));
	wr_bytes(out, sysname, strlen(sysname));
	end(out, at);
}

void bench_put_up(struct wr *out, uint32_t peer)
{
	size_t at = begin(out, BMP_PEER_UP);

	put_peer(out, peer, 0);
	wr_be64(out, 0);
	wr_be64(out, (uint32_t)bench_peer_addr(peer).v - 1);
	wr_be32(out, 0);
	put_open(out, BENCH_LOCAL_AS);
	put_open(out, bench_peer_as(peer));
	end(out, at);
}

void bench_put_down(struct wr *out, uint32_t peer)
{
	size_t at = begin(out, BMP_PEER_DOWN);

	put_peer(out, peer, 0);
	wr_u8(out, BMP_DOWN_REMOTE);
	end(out, at);
}

/* ---- tables */

static struct bench_attrs make_attrs(uint32_t as)
{
	struct bench_attrs a = { .path = { BENCH_LOCAL_AS, as }, .hops = 2 };

	for (uint32_t n = 2 + bench_below(4); n != 0; n--)
		a.path[a.hops++] = 100000 + bench_below(300000);
	if (bench_below(10) < 6) {
		a.communities = (uint8_t)(1 + bench_below(4));
		a.community = bench_below(500);
	}
	return a;
}

void bench_stream_rewind(struct bench_stream *s)
{
	bench_seed(2);
	bench_table_init(&s->table);
	s->at = 0;
	s->peer = 0;
}

void bench_stream_init(struct bench_stream *s, size_t routes, uint32_t first, uint32_t peers)
{
	*s = (struct bench_stream){ .routes = routes,
				    .first = first,
				    .peers = peers,
				    .n_attrs = routes * 2 / 9 + 1 };
	s->attrs = mem_calloc(s->n_attrs * peers, sizeof(*s->attrs));
	bench_seed(1);
	for (size_t i = 0; i < s->n_attrs * peers; i++)
		s->attrs[i] = make_attrs(bench_peer_as(first + (uint32_t)(i / s->n_attrs)));
	bench_stream_rewind(s);
}

void bench_stream_fini(struct bench_stream *s)
{
	free(s->attrs);
}

size_t bench_stream_more(struct bench_stream *s, struct wr *out, size_t bytes)
{
	size_t n = 0;

	for (; s->at < s->routes && out->len < bytes; n++) {
		if (s->peer == 0)
			s->prefix = bench_table_next(&s->table);
		bench_put_route(out, s->first + s->peer,
				&s->attrs[s->peer * s->n_attrs +
					  bench_below((uint32_t)s->n_attrs)],
				&s->prefix);
		if (++s->peer == s->peers) {
			s->peer = 0;
			s->at++;
		}
	}
	return n;
}
