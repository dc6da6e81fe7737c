/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A capture or a list of sources. The first byte: bits 0-6 cut the file into
 * pieces of that many bytes (0: whole).
 */
#include "controller/feed/observed.h"
#include "tests/fuzz/fuzz_assert.h"

static int feed(struct observed *o, const uint8_t *data, size_t size, size_t piece)
{
	struct diag diag;

	for (size_t at = 0; at < size; at += piece) {
		size_t n = size - at < piece ? size - at : piece;

		if (observed_bytes(o, data + at, n, &diag) < 0)
			return -1;
	}
	return observed_end(o, &diag);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct observed *whole, *cut;
	const struct observed_source *a, *b;
	const struct observed_stats *stats;
	size_t n, m, piece;
	int ret;

	if (size == 0)
		return 0;
	piece = data[0] & 0x7f ? data[0] & 0x7f : size;
	data++;
	size--;
	whole = observed_new();
	cut = observed_new();
	ret = feed(whole, data, size, size ? size : 1);
	HOLDS(feed(cut, data, size, piece) == ret);
	stats = observed_stats(whole);
	a = observed_sources(whole, &n);
	b = observed_sources(cut, &m);
	HOLDS(n == m);
	HOLDS(n <= stats->packets);
	HOLDS(stats->outgoing + stats->other + stats->cut + stats->link_scope <=
	      stats->packets);
	for (size_t i = 0; i < n; i++) {
		HOLDS(ip_addr_equal(&a[i].addr, &b[i].addr));
		HOLDS(a[i].bytes == b[i].bytes && a[i].packets == b[i].packets);
		HOLDS(i == 0 || a[i - 1].addr.family < a[i].addr.family ||
		      (a[i - 1].addr.family == a[i].addr.family &&
		       a[i - 1].addr.v < a[i].addr.v));
	}
	observed_free(whole);
	observed_free(cut);
	return 0;
}
