/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/replay.h"

#include <stdlib.h>
#include <sys/resource.h>

#include "controller/feed/bgp.h"
#include "controller/feed/bmp.h"
#include "controller/feed/mrt_feed.h"
#include "controller/feed/unpack.h"
#include "lib/wr.h"

struct times {
	double unpack, load, decode, sets, aggregate;
};

static void count_prefix(const struct ip_prefix *p, void *arg)
{
	size_t *n = arg;

	(void)p;
	(*n)++;
}

static void bench_sets(struct replay *r, struct times *t, size_t *prefixes)
{
	double t0 = replay_seconds(), t1;
	struct sets_pass *pass = sets_pass_new(&r->cfg, r->sources, r->n_sources);
	struct addrset set = { 0 };

	for (size_t i = 0; i < r->cfg.n_edges; i++) {
		sets_pass_edge(pass, i, &set);
		t1 = replay_seconds();
		t->sets += t1 - t0;
		addrset_each_prefix(&set, count_prefix, prefixes);
		t0 = replay_seconds();
		t->aggregate += t0 - t1;
	}
	addrset_fini(&set);
	sets_pass_free(pass);
}

/* ---- the same bytes decoded again, without a RIB */

static void decode_routes(struct rd rd, uint8_t *scratch)
{
	const struct bgp_update_ctx ctx = { .next_hop_optional = true };
	struct bgp_update u;
	struct bmp_peer peer;
	struct bgp_msg msg;

	if (!bmp_peer_decode(&rd, &peer) || !bgp_msg_decode(&rd, &msg) ||
	    msg.type != BGP_MSG_UPDATE ||
	    bgp_update_decode(msg.body, &ctx, scratch, &u) == BGP_UPDATE_SKIP)
		return;
	for (int i = 0; i < 2; i++) {
		struct ip_prefix prefix;
		uint32_t path_id;
		bool masked;

		while (bgp_nlri_next(&u.withdrawn[i], &prefix, &path_id, &masked))
			;
		while (bgp_nlri_next(&u.announced[i], &prefix, &path_id, &masked))
			;
	}
}

static void decode_bmp(const struct wr *data)
{
	static uint8_t scratch[BGP_PATH_MAX];
	struct rd rd = rd_init(data->data, data->len);

	while (rd_left(&rd) != 0) {
		struct rd peek = rd, msg;
		struct bmp_header header;

		if (!bmp_header_decode(&peek, &header) || header.len < BMP_HEADER_SIZE)
			return;
		msg = rd_sub(&rd, header.len);
		rd_skip(&msg, BMP_HEADER_SIZE);
		if (header.type == BMP_ROUTE_MONITORING)
			decode_routes(msg, scratch);
	}
}

static void decode_mrt(const struct wr *data)
{
	struct mrt_feed *feed = mrt_feed_new(NULL, 0, NULL, NULL);
	struct diag diag;

	if (mrt_feed_bytes(feed, data->data, data->len, &diag) == 0)
		mrt_feed_end(feed, &diag);
	mrt_feed_free(feed);
}

static double bench_decode(const struct replay_input *in)
{
	static uint8_t buf[1 << 16];
	struct wr data = { 0 };
	struct unpack *file;
	struct diag diag;
	double t;
	long n;

	file = unpack_open(in->path, &diag);
	while (file && (n = unpack_read(file, buf, sizeof(buf), &diag)) > 0)
		wr_bytes(&data, buf, (size_t)n);
	unpack_close(file);
	t = replay_seconds();
	if (in->kind == REPLAY_MRT)
		decode_mrt(&data);
	else
		decode_bmp(&data);
	t = replay_seconds() - t;
	wr_fini(&data);
	return t;
}

/* ---- */

static void put_input(const struct replay_input *in, bool first)
{
	fprintf(stderr, "%s{\"path\":", first ? "" : ",");
	replay_put_string(stderr, in->path);
	fprintf(stderr,
		",\"kind\":\"%s\",\"bytes\":%llu,\"records\":%llu,\"announced\":%llu,"
		"\"withdrawn\":%llu,\"unusable\":%llu,\"damaged\":%llu,\"unpack_s\":%.6f,\"load_s\":%.6f}",
		in->kind == REPLAY_BMP ? "bmp" : "mrt", (unsigned long long)in->bytes,
		(unsigned long long)in->records, (unsigned long long)in->announced,
		(unsigned long long)in->withdrawn, (unsigned long long)in->unusable,
		(unsigned long long)in->damaged, in->unpack_s, in->load_s);
}

void replay_bench(struct replay *r)
{
	struct rib_stats stats;
	struct times t = { 0 };
	struct rusage usage;
	size_t prefixes = 0;

	bench_sets(r, &t, &prefixes);
	rib_stats(r->rib, &stats);
	/* before decoding once more, which holds a whole input in memory */
	getrusage(RUSAGE_SELF, &usage);
	fprintf(stderr, "{\"bench\":\"sav-replay\",\"inputs\":[");
	for (size_t i = 0; i < r->n_inputs; i++) {
		put_input(&r->inputs[i], i == 0);
		t.unpack += r->inputs[i].unpack_s;
		t.load += r->inputs[i].load_s;
		t.decode += bench_decode(&r->inputs[i]);
	}
	fprintf(stderr,
		"],\"unpack_s\":%.6f,\"decode_s\":%.6f,\"insert_s\":%.6f,\"sets_s\":%.6f,"
		"\"aggregate_s\":%.6f,\"edges\":%zu,\"prefixes\":%zu,\"peers\":%zu,"
		"\"paths\":%zu,\"attrs\":%zu,\"rib_bytes\":%zu,\"peak_bytes\":%llu}\n",
		t.unpack, t.decode, t.load > t.decode ? t.load - t.decode : 0, t.sets,
		t.aggregate, r->cfg.n_edges, prefixes, stats.peers, stats.paths, stats.attrs,
		stats.bytes, (unsigned long long)usage.ru_maxrss * 1024);
}
