/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * bmp_count [--rd] FILE...
 *
 * Feeds each file, a BMP stream, to a feed of its own, all into one RIB, and
 * prints the sum of what they counted as one line of JSON.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/feed/bmp_feed.h"

struct total {
	struct bmp_feed_stats sum;
	uint64_t pending, broken;
};

/* All counters are 64-bit numbers, so they can be added as an array. */
static void add(struct bmp_feed_stats *sum, const struct bmp_feed_stats *stats)
{
	uint64_t a[sizeof(*sum) / sizeof(uint64_t)], b[sizeof(*sum) / sizeof(uint64_t)];

	memcpy(a, sum, sizeof(a));
	memcpy(b, stats, sizeof(b));
	for (size_t i = 0; i < sizeof(a) / sizeof(a[0]); i++)
		a[i] += b[i];
	memcpy(sum, a, sizeof(a));
}

static void count(struct total *t, struct rib *rib, const char *name, bool rd)
{
	static uint8_t piece[4096];
	struct bmp_feed *feed = bmp_feed_new(rib, 0, NULL, NULL);
	FILE *f = fopen(name, "rb");
	struct diag diag;
	size_t n;

	if (f == NULL) {
		perror(name);
		exit(1);
	}
	bmp_feed_set_allow_rd(feed, rd);
	while ((n = fread(piece, 1, sizeof(piece), f)) != 0) {
		if (bmp_feed_bytes(feed, piece, n, &diag) < 0) {
			fprintf(stderr, "%s: %s\n", name, diag.text);
			t->broken++;
			break;
		}
	}
	fclose(f);
	t->pending += bmp_feed_pending(feed);
	add(&t->sum, bmp_feed_stats(feed));
	bmp_feed_free(feed);
}

int main(int argc, char **argv)
{
	bool rd = argc > 1 && strcmp(argv[1], "--rd") == 0;
	struct total t = { 0 };
	struct rib *rib = rib_new();
	struct rib_stats stats;

	for (int i = 1 + rd; i < argc; i++)
		count(&t, rib, argv[i], rd);
	rib_stats(rib, &stats);
	printf("{\"types\":{");
	for (int i = 0, n = 0; i < 8; i++) {
		if (t.sum.by_type[i] != 0)
			printf("%s\"%d\":%" PRIu64, n++ ? "," : "", i, t.sum.by_type[i]);
	}
	printf("},\"malformed\":%" PRIu64 ",\"treat_as_withdraw\":%" PRIu64
	       ",\"announced\":%" PRIu64 ",\"withdrawn\":%" PRIu64 ",\"looped\":%" PRIu64
	       ",\"paths\":%zu,\"pending\":%" PRIu64 ",\"broken\":%" PRIu64 "}\n",
	       t.sum.malformed, t.sum.treat_as_withdraw, t.sum.announced, t.sum.withdrawn,
	       t.sum.looped, stats.paths, t.pending, t.broken);
	rib_free(rib);
	return 0;
}
