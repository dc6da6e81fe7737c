/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/mem.h"
#include "tests/unit/feed/feed_bench.h"

const struct build_open bench_us = { .as = 64500, .id = 1, .role = -1 };
const struct build_open bench_them = { .as = 65001, .id = 2, .role = -1 };
const struct build_open bench_ibgp = { .as = 64500, .id = 3, .role = -1 };
const struct build_peer bench_pre = { .addr = "10.0.1.2", .as = 65001 };
const struct build_peer bench_post = { .addr = "10.0.1.2",
				       .as = 65001,
				       .flags = BMP_FLAG_POST };

void bench_on_event(const struct bmp_event *event, void *arg)
{
	struct bench *b = arg;

	b->events[event->type]++;
	b->last = *event;
	if (event->text)
		snprintf(b->text, sizeof(b->text), "%s", event->text);
	if (event->info)
		b->info = *event->info;
}

int bench_setup(void **state)
{
	struct bench *b = mem_alloc(sizeof(*b));

	b->rib = rib_new();
	b->feed = bmp_feed_new(b->rib, 7, bench_on_event, b);
	*state = b;
	return 0;
}

int bench_teardown(void **state)
{
	struct bench *b = *state;

	bmp_feed_free(b->feed);
	rib_free(b->rib);
	wr_fini(&b->out);
	free(b);
	return 0;
}

void bench_flow(struct bench *b)
{
	struct diag diag;

	assert_int_equal(bmp_feed_bytes(b->feed, b->out.data, b->out.len, &diag), 0);
	assert_int_equal(bmp_feed_pending(b->feed), 0);
	wr_fini(&b->out);
}

void bench_reconnect(struct bench *b)
{
	bmp_feed_free(b->feed);
	b->feed = bmp_feed_new(b->rib, 7, bench_on_event, b);
}

struct rib_peer *bench_peer(const struct bench *b, const char *addr)
{
	struct rib_peer_key key = { .router = 7 };

	assert_true(ip_addr_parse(addr, &key.addr));
	return rib_peer_find(b->rib, &key);
}

size_t bench_count(const struct bench *b, const char *addr, enum rib_view view,
		   enum ip_family family)
{
	const struct rib_peer *peer = bench_peer(b, addr);

	return peer ? rib_path_count(peer, view, family) : 0;
}

const struct rib_attr *bench_path(const struct bench *b, const char *addr,
				  enum rib_view view, const char *prefix)
{
	const struct rib_peer *peer = bench_peer(b, addr);
	struct ip_prefix p;

	assert_int_equal(ip_prefix_parse(prefix, &p), IP_PARSE_OK);
	return peer ? rib_lookup(peer, view, &p) : NULL;
}

const struct bmp_feed_stats *bench_stats(const struct bench *b)
{
	return bmp_feed_stats(b->feed);
}

void bench_up(struct bench *b, const char *sysdescr)
{
	build_initiation(&b->out, sysdescr, "pe1");
	build_peer_up(&b->out, &bench_pre, "10.0.1.1", &bench_us, &bench_them);
	bench_flow(b);
}
