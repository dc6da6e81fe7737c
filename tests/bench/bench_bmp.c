/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * How fast a full table goes from BMP into the RIB, against only finding the
 * messages of the same stream, and what it costs in memory.
 *
 * usage: bench_bmp [ROUTES-PER-PEER [PEERS]]
 *
 * The stream is like FRR's: post-policy, one prefix per message, all peers of
 * a prefix in a row, the local AS in front. Prefix lengths are mixed as in the
 * Internet's table; 4.5 prefixes of a peer share their attributes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "controller/feed/bmp.h"
#include "controller/feed/bmp_feed.h"
#include "lib/mem.h"
#include "lib/wr.h"

#define LOCAL_AS 64500
#define ROUNDS	 5

static uint64_t random_state = 1;

static uint32_t below(uint32_t n)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((random_state >> 33) % n);
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- the stream */

struct prefix {
	uint32_t addr;
	uint8_t len;
};

static uint8_t some_length(void)
{
	static const struct {
		uint8_t len, percent;
	} mix[] = { { 24, 62 }, { 22, 11 }, { 23, 11 }, { 21, 4 }, { 20, 4 },
		    { 19, 3 },	{ 18, 2 },  { 17, 1 },	{ 16, 2 } };
	uint32_t at = below(100);
	size_t i = 0;

	while (at >= mix[i].percent)
		at -= mix[i++].percent;
	return mix[i].len;
}

/* In ascending order, as a router walks its table; some cover later ones. */
static struct prefix *make_prefixes(size_t n)
{
	struct prefix *p = mem_calloc(n, sizeof(*p));
	uint32_t addr = 0x01000000, last[33] = { 0 };

	for (size_t i = 0; i < n;) {
		uint8_t len = some_length();
		uint32_t size = 1u << (32 - len);
		uint32_t step = len <= 20 && size > 512 ? 512 : size;
		struct prefix next = { addr & ~(size - 1), len };

		addr += step;
		if (last[len] == next.addr)
			continue;
		last[len] = next.addr;
		p[i++] = next;
	}
	return p;
}

struct attrs {
	uint32_t path[7];
	uint8_t hops;
	uint8_t communities;
	uint32_t community;
};

static struct attrs make_attrs(uint32_t as)
{
	struct attrs a = { .path = { LOCAL_AS, as }, .hops = 2 };

	for (uint32_t n = 2 + below(4); n != 0; n--)
		a.path[a.hops++] = 100000 + below(300000);
	if (below(10) < 6) {
		a.communities = (uint8_t)(1 + below(4));
		a.community = below(500);
	}
	return a;
}

static void put_attrs(struct wr *out, const struct attrs *a, uint32_t next_hop)
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

static void put_bmp_header(struct wr *out, uint8_t type)
{
	wr_u8(out, BMP_VERSION);
	wr_be32(out, 0);
	wr_u8(out, type);
}

static void put_peer(struct wr *out, uint32_t peer, uint8_t flags)
{
	wr_u8(out, BMP_PEER_GLOBAL);
	wr_u8(out, flags);
	wr_be64(out, 0);
	wr_be64(out, 0);
	wr_be64(out, 0x0a000002u + (peer << 8));
	wr_be32(out, 65001 + peer);
	wr_be32(out, 0x0a000002u + (peer << 8));
	wr_be64(out, 0);
}

static void put_bgp_header(struct wr *out, uint8_t type)
{
	wr_be64(out, UINT64_MAX);
	wr_be64(out, UINT64_MAX);
	wr_be16(out, 0);
	wr_u8(out, type);
}

static void put_route(struct wr *out, uint32_t peer, const struct attrs *a,
		      struct prefix p)
{
	size_t at = out->len, bgp, attrs;

	put_bmp_header(out, BMP_ROUTE_MONITORING);
	put_peer(out, peer, BMP_FLAG_POST);
	bgp = out->len;
	put_bgp_header(out, BGP_MSG_UPDATE);
	wr_be16(out, 0);
	attrs = out->len;
	wr_be16(out, 0);
	put_attrs(out, a, 0x0a000002u + (peer << 8));
	wr_patch16(out, attrs, (uint16_t)(out->len - attrs - 2));
	wr_u8(out, p.len);
	for (int bit = 0; bit < p.len; bit += 8)
		wr_u8(out, (uint8_t)(p.addr >> (24 - bit)));
	wr_patch16(out, bgp + 16, (uint16_t)(out->len - bgp));
	wr_patch32(out, at + 1, (uint32_t)(out->len - at));
}

static void put_open(struct wr *out, uint32_t as)
{
	put_bgp_header(out, BGP_MSG_OPEN);
	wr_u8(out, 4);
	wr_be16(out, (uint16_t)as);
	wr_be16(out, 180);
	wr_be32(out, 1);
	wr_u8(out, 8);
	wr_be32(out, 2u << 24 | 6u << 16 | 65u << 8 | 4);
	wr_be32(out, as);
	wr_patch16(out, out->len - 37 + 16, 37);
}

static void put_start(struct wr *out, uint32_t peers)
{
	static const char sysdescr[] = "\0\1\0\17FRRouting 8.4.4\0\2\0\2pe";
	size_t at = out->len;

	put_bmp_header(out, BMP_INITIATION);
	wr_bytes(out, sysdescr, sizeof(sysdescr) - 1);
	wr_patch32(out, at + 1, (uint32_t)(out->len - at));
	for (uint32_t i = 0; i < peers; i++) {
		at = out->len;
		put_bmp_header(out, BMP_PEER_UP);
		put_peer(out, i, 0);
		wr_be64(out, 0);
		wr_be64(out, 0x0a000001u + (i << 8));
		wr_be32(out, 0);
		put_open(out, LOCAL_AS);
		put_open(out, 65001 + i);
		wr_patch32(out, at + 1, (uint32_t)(out->len - at));
	}
}

/* Which attributes each prefix has: runs of 1 to some, 4.5 at the mean, spread
 * over the table, since a router's walk is by prefix and not by origin. */
static void make_stream(struct wr *out, size_t routes, uint32_t peers)
{
	struct prefix *p = make_prefixes(routes);
	size_t n_attrs = routes * 2 / 9 + 1;
	struct attrs *a = mem_calloc(n_attrs * peers, sizeof(*a));

	for (size_t i = 0; i < n_attrs * peers; i++)
		a[i] = make_attrs(65001 + (uint32_t)(i / n_attrs));
	put_start(out, peers);
	for (size_t i = 0; i < routes; i++) {
		for (uint32_t peer = 0; peer < peers; peer++)
			put_route(out, peer,
				  &a[peer * n_attrs + below((uint32_t)n_attrs)], p[i]);
	}
	free(a);
	free(p);
}

/* ---- what is measured */

/* The floor: every message found and told apart by type, nothing else. */
static uint64_t frame_only(const struct wr *stream)
{
	struct rd in = rd_init(stream->data, stream->len);
	uint64_t by_type[256] = { 0 };
	struct bmp_header header;

	while (rd_left(&in) != 0) {
		struct rd peek = in;

		if (!bmp_header_decode(&peek, &header))
			break;
		rd_skip(&in, header.len);
		by_type[header.type]++;
	}
	return by_type[BMP_ROUTE_MONITORING];
}

/* In pieces as a socket gives them. */
static void feed_all(struct bmp_feed *feed, const struct wr *stream)
{
	const size_t piece = (size_t)64 << 10;
	struct diag diag;

	for (size_t at = 0; at < stream->len; at += piece) {
		size_t n = stream->len - at < piece ? stream->len - at : piece;

		if (bmp_feed_bytes(feed, stream->data + at, n, &diag) < 0) {
			fprintf(stderr, "%s\n", diag.text);
			exit(1);
		}
	}
}

struct result {
	double floor, load, reload, clear;
	struct rib_stats full;
	long peak_kib;
};

static double least(double a, double b)
{
	return a == 0 || b < a ? b : a;
}

static long max_rss_kib(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_maxrss;
}

static void measure(struct result *r, const struct wr *stream, size_t routes)
{
	struct rib *rib = rib_new();
	struct bmp_feed *feed = bmp_feed_new(rib, 0, NULL, NULL);
	double t = seconds();
	long before;

	if (frame_only(stream) != routes)
		exit(1);
	r->floor = least(r->floor, seconds() - t);
	before = max_rss_kib();
	t = seconds();
	feed_all(feed, stream);
	r->load = least(r->load, seconds() - t);
	if (r->peak_kib == 0)
		r->peak_kib = max_rss_kib() - before;
	rib_stats(rib, &r->full);
	bmp_feed_free(feed);
	/* the same once more: a re-dump */
	feed = bmp_feed_new(rib, 0, NULL, NULL);
	t = seconds();
	feed_all(feed, stream);
	r->reload = least(r->reload, seconds() - t);
	bmp_feed_free(feed);
	t = seconds();
	rib_peer_remove(rib_peer_first(rib));
	r->clear = least(r->clear, seconds() - t);
	rib_free(rib);
}

int main(int argc, char **argv)
{
	size_t per_peer = argc > 1 ? strtoul(argv[1], NULL, 10) : 900000;
	uint32_t peers = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 2;
	size_t routes = per_peer * peers;
	struct wr stream = { 0 };
	struct result r = { 0 };

	if (routes == 0 || peers > 200) {
		fprintf(stderr, "usage: bench_bmp [ROUTES-PER-PEER [PEERS]]\n");
		return 2;
	}
	make_stream(&stream, per_peer, peers);
	for (int i = 0; i < ROUNDS; i++)
		measure(&r, &stream, routes);
	printf("{\"bench\":\"bmp\",\"routes\":%zu,\"peers\":%u,\"stream_bytes\":%zu,"
	       "\"floor_routes_per_s\":%.0f,\"routes_per_s\":%.0f,\"ratio_to_floor\":%."
	       "2f,"
	       "\"redump_routes_per_s\":%.0f,\"clear_peer_s\":%.4f,"
	       "\"paths\":%zu,\"attrs\":%zu,\"bytes_per_path\":%.1f,\"peak_bytes_per_"
	       "path\":%.1f}\n",
	       routes, peers, stream.len, (double)routes / r.floor,
	       (double)routes / r.load, r.load / r.floor, (double)routes / r.reload,
	       r.clear, r.full.paths, r.full.attrs,
	       (double)r.full.bytes / (double)r.full.paths,
	       (double)r.peak_kib * 1024 / (double)r.full.paths);
	wr_fini(&stream);
	return 0;
}
