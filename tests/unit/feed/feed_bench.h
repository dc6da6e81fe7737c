/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * feed_bench - a BMP feed under test, what it said, and a stream being written.
 *
 * Include after cmocka.h. The router is number 7, its AS 64500; the customer
 * 10.0.1.2 has AS 65001.
 */
#ifndef SAV_TEST_FEED_BENCH_H
#define SAV_TEST_FEED_BENCH_H

#include "controller/feed/bmp.h"
#include "controller/feed/bmp_feed.h"
#include "tests/unit/feed/bmp_build.h"

#define ARRAY(...)                                                                       \
	(const uint32_t[])                                                               \
	{                                                                                \
		__VA_ARGS__                                                              \
	}

extern const struct build_open bench_us, bench_them, bench_ibgp;
extern const struct build_peer bench_pre, bench_post;

struct bench {
	struct rib *rib;
	struct bmp_feed *feed;
	struct wr out;
	int events[BMP_EVENT_TERMINATION + 1];
	struct bmp_event last;
	struct bmp_peer_info info;
	char text[300];
};

void bench_on_event(const struct bmp_event *event, void *arg);
int bench_setup(void **state);
int bench_teardown(void **state);

/* Gives the feed what was written so far. */
void bench_flow(struct bench *b);
/* The router connects anew. */
void bench_reconnect(struct bench *b);
/* Initiation and Peer Up of the customer. */
void bench_up(struct bench *b, const char *sysdescr);

struct rib_peer *bench_peer(const struct bench *b, const char *addr);
size_t bench_count(const struct bench *b, const char *addr, enum rib_view view,
		   enum ip_family family);
const struct rib_attr *bench_path(const struct bench *b, const char *addr,
				  enum rib_view view, const char *prefix);
const struct bmp_feed_stats *bench_stats(const struct bench *b);

#define BENCH_TEST(name)                                                                 \
	cmocka_unit_test_setup_teardown(name, bench_setup, bench_teardown)

#endif /* SAV_TEST_FEED_BENCH_H */
