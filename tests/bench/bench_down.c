/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * How long other feeds wait while a full table goes through the engine: when it is
 * loaded, when its peer goes down, when the hold-down of what that took away runs
 * out, and when a new dump leaves most of it out.
 *
 * usage: bench_down [PREFIXES EDGES]...
 *
 * Two providers have the table. The edge of the one that goes is of mode feasible, so
 * that all of it leaves a set; that of the other of mode loose. The customers have
 * twenty prefixes each, on edges of modes feasible, efp-a and efp-b. Another router's
 * feed tells of a path in each turn. As in savd a turn is: read a piece of each stream,
 * run the engine, sweep for two milliseconds. What another feed waits is the longest
 * turn. Time is of the processor; virtual time goes on by 10 ms.
 * The "start" is the computation that a command asks for, and no feed's work.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/engine.h"
#include "tests/bench/bench_stream.h"

#define PIECE	    ((size_t)64 << 10)
#define EACH	    20
#define SWEEP_NS    2000000u
#define SWEEP_PATHS 256
#define DOWN	    0 /* the provider that goes */
#define STAYS	    1
#define CUSTOMERS   16 /* number of the first customer's peer */
#define HOLDDOWN_S  900

struct bench {
	struct config cfg;
	struct engine *engine;
	struct engine_feed *feed, *other;
	struct bench_stream table[2];
	size_t n_prefixes, n_edges;
	int64_t now_ms, next_ms;
	uint32_t flaps;
	/* of this phase */
	uint64_t busy_ns, turn_ns, run_ns, read_ns, sweep_ns;
	size_t turns;
};

static void fail(const char *text)
{
	fprintf(stderr, "bench_down: %s\n", text);
	exit(1);
}

/* ---- the network */

static void filter_set(void *ctx, const char *router, const struct filter *f)
{
	(void)ctx;
	(void)router;
	(void)f;
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

static void add_edge(struct bench *b, const char *router, uint32_t peer, enum edge_role role,
		     enum edge_mode mode)
{
	struct ip_addr addr = bench_peer_addr(peer);
	/* so that no set is emptied, which would keep all of it */
	struct ip_prefix always = ip_prefix_make(IP_V4, 0xdf000000u, 24);
	char name[FILTER_IFNAME_SIZE];
	struct config_edge e;
	struct diag diag;

	snprintf(name, sizeof(name), "e%05u", peer);
	config_edge_init(&e, router, name);
	e.role = role;
	e.mode = mode;
	e.action = FILTER_ENFORCE;
	e.holddown_s = HOLDDOWN_S;
	e.brake_shrink_percent = 100;
	e.brake_growth_percent = 0;
	config_addrs_set(&e.peers, &e.n_peers, &addr, true);
	config_prefixes_set(&e.prefixes, &e.n_prefixes, &always, true);
	if (config_edge_put(&b->cfg, &e, &diag) < 0)
		fail(diag.text);
	config_edge_fini(&e);
}

static void configure(struct bench *b)
{
	static const enum edge_mode modes[] = { MODE_FEASIBLE, MODE_EFP_A, MODE_EFP_B };
	struct config_router r = { .name = "pe" }, other = { .name = "other" };
	struct diag diag;

	config_init(&b->cfg);
	if (config_router_put(&b->cfg, &r, &diag) < 0 ||
	    config_router_put(&b->cfg, &other, &diag) < 0)
		fail(diag.text);
	add_edge(b, "pe", DOWN, ROLE_PROVIDER, MODE_FEASIBLE);
	add_edge(b, "pe", STAYS, ROLE_PROVIDER, MODE_LOOSE);
	add_edge(b, "other", STAYS + 1, ROLE_CUSTOMER, MODE_FEASIBLE);
	for (uint32_t i = 0; i < b->n_edges; i++)
		add_edge(b, "pe", CUSTOMERS + i, ROLE_CUSTOMER, modes[i % 3]);
	b->engine = engine_new(&b->cfg, &ops, b);
}

/* ---- turns */

static void longest(uint64_t *most, uint64_t since)
{
	uint64_t took = bench_cpu_ns() - since;

	if (took > *most)
		*most = took;
}

static void read_bytes(struct bench *b, struct engine_feed *feed, struct wr *bytes)
{
	uint64_t t = bench_cpu_ns();
	struct diag diag;

	if (engine_feed_bytes(feed, bytes->data, bytes->len, b->now_ms, &diag) < 0)
		fail(diag.text);
	longest(&b->read_ns, t);
	wr_consume(bytes, bytes->len);
}

static void put_customer(struct wr *out, uint32_t peer, uint32_t number)
{
	struct bench_attrs a = { .path = { BENCH_LOCAL_AS, bench_peer_as(peer) }, .hops = 2 };
	struct ip_prefix p =
		ip_prefix_make(IP_V4, 0xc8000000u + (number << 9), 24);

	bench_put_route(out, peer, &a, &p);
}

/* What the feed of the other router says meanwhile. */
static void read_other(struct bench *b)
{
	struct wr out = { 0 };

	put_customer(&out, STAYS + 1, 500000 + b->flaps++ % 1000);
	read_bytes(b, b->other, &out);
	wr_fini(&out);
}

static void sweep(struct bench *b)
{
	uint64_t t = bench_cpu_ns();

	while (engine_sweep(b->engine, SWEEP_PATHS) && bench_cpu_ns() - t < SWEEP_NS)
		;
	longest(&b->sweep_ns, t);
}

/* piece: of the stream, or NULL. */
static void turn(struct bench *b, struct wr *piece)
{
	uint64_t t = bench_cpu_ns(), run;

	if (piece)
		read_bytes(b, b->feed, piece);
	read_other(b);
	run = bench_cpu_ns();
	b->next_ms = engine_run(b->engine, b->now_ms);
	longest(&b->run_ns, run);
	if (engine_is_sweeping(b->engine))
		sweep(b);
	b->turns++;
	longest(&b->turn_ns, t);
	b->busy_ns += bench_cpu_ns() - t;
	b->now_ms += 10;
}

static void until_quiet(struct bench *b)
{
	do
		turn(b, NULL);
	while (engine_is_sweeping(b->engine));
}

/* Turns when the engine wants one, and each second. */
static void pass(struct bench *b, int64_t seconds)
{
	int64_t until_ms = b->now_ms + seconds * 1000;

	while (b->now_ms < until_ms) {
		int64_t next_ms = b->now_ms + 1000;

		turn(b, NULL);
		if (b->next_ms >= 0 && b->next_ms < next_ms)
			next_ms = b->next_ms;
		if (next_ms > b->now_ms && !engine_is_sweeping(b->engine))
			b->now_ms = next_ms;
	}
}

static void phase(struct bench *b, const char *name)
{
	printf(",\"%s\":{\"seconds\":%.3f,\"turns\":%zu,\"longest_turn_ms\":%.2f,"
	       "\"longest_run_ms\":%.2f,\"longest_sweep_ms\":%.2f,\"longest_read_ms\":%.2f}",
	       name, (double)b->busy_ns / 1e9, b->turns, (double)b->turn_ns / 1e6,
	       (double)b->run_ns / 1e6, (double)b->sweep_ns / 1e6,
	       (double)b->read_ns / 1e6);
	b->busy_ns = b->turn_ns = b->run_ns = b->read_ns = b->sweep_ns = 0;
	b->turns = 0;
}

/* ---- streams */

static void tell_table(struct bench *b, int which, size_t routes)
{
	struct bench_stream *s = &b->table[which];
	struct wr piece = { 0 };

	bench_stream_rewind(s);
	s->routes = routes;
	while (bench_stream_more(s, &piece, PIECE) != 0)
		turn(b, &piece);
	bench_put_end_of_rib(&piece, s->first);
	turn(b, &piece);
	wr_fini(&piece);
}

static void tell_customers(struct bench *b)
{
	struct wr piece = { 0 };

	for (uint32_t i = 0; i < b->n_edges; i++) {
		for (uint32_t k = 0; k < EACH; k++)
			put_customer(&piece, CUSTOMERS + i, i * EACH + k);
		bench_put_end_of_rib(&piece, CUSTOMERS + i);
		if (piece.len > PIECE)
			turn(b, &piece);
	}
	turn(b, &piece);
	wr_fini(&piece);
}

/* A stream in which the provider has so many routes. */
static void dump(struct bench *b, size_t routes)
{
	const struct ip_addr source = { 0x0aff0001u, IP_V4 };
	struct wr piece = { 0 };

	if (b->feed)
		engine_feed_close(b->feed, "a new dump", b->now_ms);
	b->feed = engine_feed_open(b->engine, &source, NULL, b->now_ms);
	bench_put_initiation(&piece, "pe");
	bench_put_up(&piece, DOWN);
	bench_put_up(&piece, STAYS);
	for (uint32_t i = 0; i < b->n_edges; i++)
		bench_put_up(&piece, CUSTOMERS + i);
	turn(b, &piece);
	wr_fini(&piece);
	tell_customers(b);
	tell_table(b, DOWN, routes);
	tell_table(b, STAYS, b->n_prefixes);
}

static void open_other(struct bench *b)
{
	const struct ip_addr source = { 0x0aff0002u, IP_V4 };
	struct wr out = { 0 };

	b->other = engine_feed_open(b->engine, &source, NULL, b->now_ms);
	bench_put_initiation(&out, "other");
	bench_put_up(&out, STAYS + 1);
	bench_put_end_of_rib(&out, STAYS + 1);
	read_bytes(b, b->other, &out);
	wr_fini(&out);
}

static void assert_ready(struct bench *b)
{
	struct engine_edge_status status;

	if (!engine_edge_status(b->engine, "pe", "e00001", &status) || !status.ready)
		fail(status.reason);
}

static void peer_down(struct bench *b)
{
	struct wr out = { 0 };

	bench_put_down(&out, DOWN);
	turn(b, &out);
	wr_fini(&out);
	until_quiet(b);
}

struct size {
	size_t prefixes, edges;
};

static void row(const void *arg)
{
	const struct size *size = arg;
	struct bench b = { .n_prefixes = size->prefixes,
			   .n_edges = size->edges,
			   .now_ms = 1000000 };
	struct rib_stats stats;

	bench_stream_init(&b.table[DOWN], b.n_prefixes, DOWN, 1);
	bench_stream_init(&b.table[STAYS], b.n_prefixes, STAYS, 1);
	printf("{\"prefixes\":%zu,\"customer_edges\":%zu", b.n_prefixes, b.n_edges);
	configure(&b);
	b.next_ms = engine_run(b.engine, b.now_ms);
	open_other(&b);
	turn(&b, NULL);
	phase(&b, "start");
	dump(&b, b.n_prefixes);
	rib_stats(engine_rib(b.engine), &stats);
	printf(",\"paths\":%zu", stats.paths);
	phase(&b, "load");
	pass(&b, 120);
	assert_ready(&b);
	phase(&b, "settle");
	peer_down(&b);
	phase(&b, "peer_down");
	pass(&b, HOLDDOWN_S + 10);
	phase(&b, "hold_down");
	dump(&b, b.n_prefixes);
	pass(&b, 120);
	assert_ready(&b);
	phase(&b, "reload");
	dump(&b, b.n_prefixes / 10);
	phase(&b, "redump");
	pass(&b, 120);
	assert_ready(&b);
	phase(&b, "redump_end");
	rib_stats(engine_rib(b.engine), &stats);
	if (stats.paths > b.n_prefixes / 5 * 6 + b.n_edges * EACH + 1000)
		fail("paths that the last dump left out are still there");
	pass(&b, HOLDDOWN_S + 10);
	phase(&b, "redump_hold_down");
	printf("}");
}

int main(int argc, char **argv)
{
	static const struct size usual[] = { { 250000, 1000 }, { 1000000, 1000 } };

	printf("{\"bench\":\"down\",\"rows\":[");
	for (int i = 1; i + 1 < argc; i += 2) {
		struct size size = { strtoul(argv[i], NULL, 10),
				     strtoul(argv[i + 1], NULL, 10) };

		if (size.prefixes == 0 || size.edges == 0 || size.edges > 10000) {
			fprintf(stderr, "usage: bench_down [PREFIXES EDGES]...\n");
			return 2;
		}
		printf("%s", i > 1 ? "," : "");
		bench_fork(row, &size);
	}
	for (size_t i = 0; argc == 1 && i < sizeof(usual) / sizeof(usual[0]); i++) {
		printf("%s", i ? "," : "");
		bench_fork(row, &usual[i]);
	}
	printf("]}\n");
	return 0;
}
