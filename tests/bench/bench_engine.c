/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What one update costs the controller, from the bytes of BMP to an edge's new
 * filter, and whether that follows the edges it touches or those there are.
 *
 * usage: bench_engine [EDGES PREFIXES]...
 *
 * One router; its provider, on an edge of mode loose, announces all prefixes, its
 * customers twenty each. Half of their edges are feasible, half efp-a; with
 * "shared" one in a hundred is efp-b, and all of these have the same set. Each
 * update is read, brought into the sets, and handed out on its own, which is the
 * worst case; savd collects some. Time is of the processor, virtual time goes on
 * by 30 ms, so that hold-downs of 60 s run out all the while. "whole" is with
 * putting together the set of each edge touched, as sending it wants.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/engine.h"
#include "lib/mem.h"
#include "lib/wr.h"
#include "tests/bench/bench_table.h"
#include "tests/unit/feed/bmp_build.h"

#define EACH	20
#define UPDATES 20000

struct bench {
	struct config cfg;
	struct engine *engine;
	struct engine_feed *feed;
	int64_t now_ms;
	size_t n_edges, n_prefixes;
	uint32_t fresh; /* of prefixes, the first that was never told */
	bool whole;
	uint64_t told;
};

/* ---- what the engine asks for ---- */

static void filter_set(void *ctx, const char *router, const struct filter *f)
{
	struct bench *b = ctx;

	b->told++;
	if (b->whole && b->engine)
		engine_filter(b->engine, router, f->interface);
}

static void filter_gone(void *ctx, const char *router, const char *interface)
{
	(void)ctx;
	(void)router;
	(void)interface;
}

static void feed_redump(void *ctx, struct engine_feed *feed)
{
	(void)ctx;
	(void)feed;
}

static const struct engine_ops ops = {
	.filter_set = filter_set,
	.filter_gone = filter_gone,
	.feed_redump = feed_redump,
};

/* ---- the network; edge n_edges is the provider's ---- */

static void peer_text(size_t edge, char *text)
{
	snprintf(text, 32, "10.%zu.%zu.2", edge >> 8, edge & 255);
}

static void prefix_text(uint32_t number, char *text)
{
	uint32_t v = (uint32_t)20 << 24 | number << 8;

	snprintf(text, 32, "%u.%u.%u.0/24", v >> 24, v >> 16 & 255, v >> 8 & 255);
}

static void fail(const char *text)
{
	fprintf(stderr, "bench_engine: %s\n", text);
	exit(1);
}

static void add_edge(struct bench *b, size_t edge, enum edge_role role,
		     enum edge_mode mode)
{
	char name[FILTER_IFNAME_SIZE], peer[32];
	struct config_edge e;
	struct ip_addr addr;
	struct diag diag;

	snprintf(name, sizeof(name), "e%05zu", edge);
	peer_text(edge, peer);
	config_edge_init(&e, "r", name);
	e.role = role;
	e.mode = mode;
	e.holddown_s = 60;
	e.action = FILTER_ENFORCE;
	if (!ip_addr_parse(peer, &addr))
		fail("no address");
	config_addrs_set(&e.peers, &e.n_peers, &addr, true);
	if (config_edge_put(&b->cfg, &e, &diag) < 0)
		fail(diag.text);
	config_edge_fini(&e);
}

static void send_bytes(struct bench *b, struct wr *out)
{
	struct diag diag;

	if (engine_feed_bytes(b->feed, out->data, out->len, b->now_ms, &diag) < 0)
		fail(diag.text);
	wr_fini(out);
}

static void announce(struct wr *out, const struct build_peer *peer, uint32_t prefix,
		     uint32_t origin)
{
	const uint32_t path[] = { peer->as, origin };
	char text[32];

	prefix_text(prefix, text);
	build_announce(out, peer, text, path, origin == peer->as ? 1 : 2);
}

static void peer_up(struct bench *b, size_t edge, uint32_t from, uint32_t n)
{
	struct build_open us = { .as = 64500, .id = 1, .role = -1 };
	struct build_open them = { .id = 2, .role = -1 };
	struct build_peer peer;
	struct wr out = { 0 };
	char addr[32];

	peer_text(edge, addr);
	peer = (struct build_peer){ .addr = addr, .as = 70000 + (uint32_t)edge };
	them.as = peer.as;
	build_peer_up(&out, &peer, "10.255.0.1", &us, &them);
	for (uint32_t i = 0; i < n; i++) {
		announce(&out, &peer, from + i,
			 edge == b->n_edges && (from + i) / EACH < b->n_edges
				 ? 70000 + (from + i) / EACH
				 : peer.as);
		if (i % 1000 == 999)
			send_bytes(b, &out);
	}
	build_end_of_rib(&out, &peer, IP_V4);
	build_end_of_rib(&out, &peer, IP_V6);
	send_bytes(b, &out);
}

static void run(struct bench *b, int64_t ms)
{
	b->now_ms += ms;
	engine_run(b->engine, b->now_ms);
}

static void build(struct bench *b, bool shared)
{
	const struct ip_addr source = { ((u128)10 << 24) + 1, IP_V4 };
	struct config_router r = { .name = "r" };
	struct wr out = { 0 };
	struct diag diag;

	config_init(&b->cfg);
	if (config_router_put(&b->cfg, &r, &diag) < 0)
		fail(diag.text);
	for (size_t i = 0; i < b->n_edges; i++)
		add_edge(b, i, ROLE_CUSTOMER,
			 shared && i % 100 == 0 ? MODE_EFP_B :
			 i % 2		       ? MODE_FEASIBLE :
						 MODE_EFP_A);
	add_edge(b, b->n_edges, ROLE_PROVIDER, MODE_LOOSE);
	b->engine = engine_new(&b->cfg, &ops, b);
	b->now_ms = 1000000;
	b->feed = engine_feed_open(b->engine, &source, NULL, b->now_ms);
	build_initiation(&out, "FRRouting 10.0", "r");
	send_bytes(b, &out);
	peer_up(b, b->n_edges, 0, (uint32_t)b->n_prefixes);
	for (size_t i = 0; i < b->n_edges; i++)
		peer_up(b, i, (uint32_t)i * EACH, EACH);
	for (int i = 0; i < 300; i++)
		run(b, 1000);
}

/* ---- updates ---- */

enum kind {
	CUSTOMER_FLAP,
	CUSTOMER_ORIGIN, /* another one and back */
	CUSTOMER_NEW,	 /* a prefix that nobody had; its edge gets a filter */
	PROVIDER_FLAP,
	KINDS,
};

/* There, or back again. */
static void one_update(struct bench *b, enum kind kind, size_t edge, uint32_t number,
		       bool back)
{
	struct build_peer peer;
	struct wr out = { 0 };
	char addr[32], prefix[32];

	peer_text(edge, addr);
	peer = (struct build_peer){ .addr = addr, .as = 70000 + (uint32_t)edge };
	prefix_text(number, prefix);
	if (kind == CUSTOMER_NEW ? back : !back && kind != CUSTOMER_ORIGIN)
		build_withdraw(&out, &peer, prefix);
	else
		announce(&out, &peer, number,
			 kind == CUSTOMER_ORIGIN && !back ? 4200000000u + number % 7
							  : peer.as);
	send_bytes(b, &out);
}

static void measure(struct bench *b, const char *name)
{
	uint64_t *ns = mem_calloc(UPDATES, sizeof(*ns)), sum = 0;

	b->told = 0;
	for (size_t i = 0; i < UPDATES; i += 2) {
		enum kind kind = bench_below(KINDS);
		bool provider = kind == PROVIDER_FLAP;
		uint32_t number = bench_below((uint32_t)(provider ? b->n_prefixes
							    : b->n_edges * EACH));
		size_t edge = provider ? b->n_edges : number / EACH;

		if (kind == CUSTOMER_NEW)
			number = b->fresh++;

		for (size_t k = 0; k < 2; k++) {
			uint64_t t = bench_cpu_ns();

			one_update(b, kind, edge, number, k == 1);
			run(b, 30);
			ns[i + k] = bench_cpu_ns() - t;
			sum += ns[i + k];
		}
	}
	printf(",\"%s\":{\"updates\":%d,\"mean_us\":%.2f,\"median_us\":%.2f,"
	       "\"p99_us\":%.2f,\"p999_us\":%.2f,\"max_us\":%.2f,"
	       "\"filters_per_update\":%.2f}",
	       name, UPDATES, (double)sum / UPDATES / 1e3, (double)bench_percentile(ns, UPDATES, 50) / 1e3,
	       (double)bench_percentile(ns, UPDATES, 99) / 1e3,
	       (double)bench_percentile(ns, UPDATES, 99.9) / 1e3,
	       (double)bench_percentile(ns, UPDATES, 100) / 1e3, (double)b->told / UPDATES);
	free(ns);
}

struct size {
	size_t edges, prefixes;
	bool shared;
};

static void row(const void *arg)
{
	const struct size *size = arg;
	size_t edges = size->edges, prefixes = size->prefixes;
	bool shared = size->shared;
	struct bench b = { .n_edges = edges, .n_prefixes = prefixes,
			   .fresh = (uint32_t)prefixes };
	struct engine_edge_status status;
	uint64_t t = bench_cpu_ns();

	build(&b, shared);
	if (!engine_edge_status(b.engine, "r", "e00001", &status) || !status.ready)
		fail("the edges are not ready");
	printf("{\"customer_edges\":%zu,\"prefixes\":%zu,\"shared\":%s,"
	       "\"build_seconds\":%.3f",
	       edges, prefixes, shared ? "true" : "false",
	       (double)(bench_cpu_ns() - t) / 1e9);
	measure(&b, "update");
	b.whole = true;
	measure(&b, "whole");
	printf("}");
}

int main(int argc, char **argv)
{
	static const size_t usual[][2] = { { 100, 250000 }, { 1000, 250000 }, { 10000, 250000 } };

	printf("{\"bench\":\"engine\",\"rows\":[");
	for (int i = 1; i + 1 < argc; i += 2) {
		size_t edges = strtoul(argv[i], NULL, 10);
		size_t prefixes = strtoul(argv[i + 1], NULL, 10);

		if (edges < 2 || edges > 50000 || prefixes < edges * EACH) {
			fprintf(stderr, "usage: bench_engine [EDGES PREFIXES]..., %d prefixes "
					"or more for each of 2 to 50000 edges\n",
				EACH);
			return 2;
		}
		printf("%s", i > 1 ? "," : "");
		bench_fork(row, &(struct size){ edges, prefixes, false });
	}
	for (size_t i = 0; argc == 1 && i < 2 * sizeof(usual) / sizeof(usual[0]); i++) {
		printf("%s", i ? "," : "");
		bench_fork(row,
			   &(struct size){ usual[i / 2][0], usual[i / 2][1], i % 2 != 0 });
	}
	printf("]}\n");
	return 0;
}
