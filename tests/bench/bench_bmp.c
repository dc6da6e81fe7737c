/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * How fast full tables go from BMP into the RIB, against only finding the messages
 * of the same stream, and what they cost in memory; and what it costs to refuse the
 * paths of a peer that is at its bound.
 *
 * usage: bench_bmp [ROUTES-PER-PEER PEERS]...
 *
 * Others' memory per path was measured with a full table of as many peers: BIRD
 * 2.19 118 bytes, FRR 8.4 577 bytes.
 */
#include <stdio.h>
#include <stdlib.h>

#include "controller/feed/bmp.h"
#include "controller/feed/bmp_feed.h"
#include "tests/bench/bench_stream.h"

#define BIRD_BYTES_PER_PATH 118
#define FRR_BYTES_PER_PATH  577
/* As a socket gives them. */
#define PIECE ((size_t)64 << 10)

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

static double feed_piece(struct bmp_feed *feed, const struct wr *piece)
{
	double t = bench_cpu_s();
	struct diag diag;

	if (bmp_feed_bytes(feed, piece->data, piece->len, &diag) < 0) {
		fprintf(stderr, "%s\n", diag.text);
		exit(1);
	}
	return bench_cpu_s() - t;
}

struct load {
	size_t routes;
	double seconds, floor, longest; /* longest: of one piece */
};

static struct load load_all(struct rib *rib, struct bench_stream *s)
{
	struct bmp_feed *feed = bmp_feed_new(rib, 0, NULL, NULL);
	struct load l = { 0 };
	struct wr piece = { 0 };
	size_t n;
	double t;

	bench_stream_rewind(s);
	bench_put_initiation(&piece, "pe");
	for (uint32_t i = 0; i < s->peers; i++)
		bench_put_up(&piece, i);
	while ((n = bench_stream_more(s, &piece, PIECE)) != 0) {
		t = bench_cpu_s();
		if (frame_only(&piece) != n)
			exit(1);
		l.floor += bench_cpu_s() - t;
		t = feed_piece(feed, &piece);
		l.seconds += t;
		l.longest = t > l.longest ? t : l.longest;
		l.routes += n;
		piece.len = 0;
	}
	wr_fini(&piece);
	bmp_feed_free(feed);
	return l;
}

struct size {
	size_t routes;
	uint32_t peers;
};

static void row(const void *arg)
{
	const struct size *size = arg;
	struct bench_stream s;
	struct rib *rib = rib_new();
	struct rib_stats full;
	struct load load, again;
	size_t before, resident, peak;
	double t;

	bench_stream_init(&s, size->routes, 0, size->peers);
	before = bench_resident_bytes();
	load = load_all(rib, &s);
	resident = bench_resident_bytes() - before;
	peak = bench_peak_bytes() - before;
	rib_stats(rib, &full);
	again = load_all(rib, &s);
	t = bench_cpu_s();
	rib_peer_remove(rib_peer_first(rib));
	t = bench_cpu_s() - t;
	printf("{\"prefixes\":%zu,\"peers\":%u,\"paths\":%zu,\"attrs\":%zu,\"seconds\":%.2f,"
	       "\"paths_per_s\":%.0f,\"ratio_to_floor\":%.1f,\"longest_piece_ms\":%.2f,"
	       "\"redump_paths_per_s\":%.0f,\"redump_longest_piece_ms\":%.2f,"
	       "\"clear_peer_s\":%.3f,\"rib_bytes\":%zu,\"bytes_per_path\":%.1f,"
	       "\"resident_bytes\":%zu,\"peak_bytes\":%zu,\"peak_bytes_per_path\":%.1f,"
	       "\"ratio_to_bird\":%.2f,\"ratio_to_frr\":%.2f}",
	       size->routes, size->peers, full.paths, full.attrs, load.seconds,
	       (double)load.routes / load.seconds, load.seconds / load.floor,
	       load.longest * 1e3, (double)again.routes / again.seconds,
	       again.longest * 1e3, t, full.bytes,
	       (double)full.bytes / (double)full.paths, resident, peak,
	       (double)peak / (double)full.paths,
	       (double)peak / (double)full.paths / BIRD_BYTES_PER_PATH,
	       (double)peak / (double)full.paths / FRR_BYTES_PER_PATH);
	rib_free(rib);
	bench_stream_fini(&s);
}

/* The same peer within its bound and a hundredfold beyond it. */
static void refusing(const void *arg)
{
	const struct size *size = arg;
	struct rib *rib = rib_new();
	struct bench_stream s;
	struct rib_stats stats;
	struct load refused, taken;
	size_t before;

	bench_stream_init(&s, size->routes, 0, 1);
	rib_bound(rib, size->routes / 100, NULL, NULL);
	before = bench_resident_bytes();
	refused = load_all(rib, &s);
	rib_stats(rib, &stats);
	printf("{\"paths\":%zu,\"refused\":%zu,\"refused_ns\":%.0f,\"resident_bytes\":%zu",
	       size->routes, stats.refused, refused.seconds * 1e9 / (double)refused.routes,
	       bench_resident_bytes() - before);
	rib_free(rib);
	rib = rib_new();
	taken = load_all(rib, &s);
	printf(",\"taken_ns\":%.0f,\"ratio_to_taken\":%.2f}",
	       taken.seconds * 1e9 / (double)taken.routes,
	       refused.seconds / taken.seconds);
	rib_free(rib);
	bench_stream_fini(&s);
}

int main(int argc, char **argv)
{
	static const struct size usual[] = { { 250000, 2 },
					     { 500000, 2 },
					     { 1000000, 2 },
					     { 2000000, 2 },
					     { 1000000, 10 } };

	printf("{\"bench\":\"bmp\",\"bird_bytes_per_path\":%d,\"frr_bytes_per_path\":%d,"
	       "\"rows\":[",
	       BIRD_BYTES_PER_PATH, FRR_BYTES_PER_PATH);
	for (int i = 1; i + 1 < argc; i += 2) {
		struct size size = { strtoul(argv[i], NULL, 10),
				     (uint32_t)strtoul(argv[i + 1], NULL, 10) };

		if (size.routes == 0 || size.peers == 0 || size.peers > 200) {
			fprintf(stderr, "usage: bench_bmp [ROUTES-PER-PEER PEERS]...\n");
			return 2;
		}
		printf("%s", i > 1 ? "," : "");
		bench_fork(row, &size);
	}
	for (size_t i = 0; argc == 1 && i < sizeof(usual) / sizeof(usual[0]); i++) {
		printf("%s", i ? "," : "");
		bench_fork(row, &usual[i]);
	}
	printf("],\"refusing\":");
	bench_fork(refusing, &usual[2]);
	printf("}\n");
	return 0;
}
