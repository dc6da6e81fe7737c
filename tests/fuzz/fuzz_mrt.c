/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * An MRT stream into a RIB. The first byte chooses the shape of the rest:
 * bit 0 set: raw bytes of the stream; clear: records in short form, which this
 * target frames, so that mutations need not get lengths and markers right.
 * bits 1-7: the stream is cut into pieces of that many bytes (0: whole).
 *
 * Short form, repeated: type and subtype (1: bits 0-3 subtype, 4-5 TABLE_DUMP,
 * TABLE_DUMP_V2, BGP4MP, BGP4MP_ET, 6 wrong length, 7 IPv6 peer), length (2),
 * body. Of BGP4MP messages the body is that of the UPDATE only.
 */
#include <string.h>

#include "controller/feed/bgp.h"
#include "controller/feed/mrt_feed.h"
#include "lib/wr.h"
#include "tests/fuzz/fuzz_assert.h"

struct world {
	struct rib *rib;
	long paths; /* as the watcher was told */
};

static void watch(struct rib_peer *peer, enum rib_view view, const struct ip_prefix *prefix,
		  const struct rib_attr *old, const struct rib_attr *new, void *arg)
{
	struct world *w = arg;

	HOLDS(old || new);
	HOLDS(view == RIB_PRE);
	HOLDS(prefix->len <= ip_bits((enum ip_family)prefix->family));
	HOLDS(!new || rib_lookup(peer, view, prefix));
	/* whose an empty path would be, MRT does not say */
	HOLDS(!new || new->origin_kind != RIB_ORIGIN_OWN);
	w->paths += (new != NULL) - (old != NULL);
}

static void put_session(struct wr *out, const struct mrt_header *h, bool v6)
{
	bool as2 = h->subtype == 0 || h->subtype == 1 || h->subtype == 6 || h->subtype == 8 ||
		   h->subtype == 10;

	if (h->type == MRT_BGP4MP_ET)
		wr_be32(out, 1);
	wr_be32(out, as2 ? 0xfde9fde8 : 65001);
	if (!as2)
		wr_be32(out, 65000);
	wr_be32(out, v6 ? 2 : 1);
	for (int i = 0; i < (v6 ? 8 : 2); i++)
		wr_be32(out, 0x0a000001u);
}

static void put_record(struct wr *out, uint8_t what, struct rd body)
{
	struct mrt_header h = { .subtype = what & 15 };
	size_t at = out->len;

	h.type = (uint16_t)(what >> 4 & 2 ? MRT_BGP4MP : MRT_TABLE_DUMP) + (what >> 4 & 1);
	wr_be32(out, 0);
	wr_be16(out, h.type);
	wr_be16(out, h.subtype);
	wr_be32(out, 0);
	if (h.type >= MRT_BGP4MP)
		put_session(out, &h, what & 0x80);
	if (mrt_kind_of(&h) == MRT_MESSAGE || mrt_kind_of(&h) == MRT_LOCAL) {
		wr_be64(out, UINT64_MAX);
		wr_be64(out, UINT64_MAX);
		wr_be16(out, (uint16_t)(rd_left(&body) + BGP_HEADER_SIZE));
		wr_u8(out, BGP_MSG_UPDATE);
	}
	wr_bytes(out, body.p, rd_left(&body));
	wr_patch32(out, at + 8, (uint32_t)(out->len - at - MRT_HEADER_SIZE + (what >> 6 & 1)));
}

static void put_stream(struct wr *out, struct rd in)
{
	while (rd_left(&in) >= 3) {
		uint8_t what = rd_u8(&in);
		size_t len = rd_be16(&in);

		if (len > rd_left(&in))
			len = rd_left(&in);
		/* what would not fit a BGP message is left to the raw form */
		if (len > 60000)
			len = 60000;
		put_record(out, what, rd_sub(&in, len));
	}
}

static void count_path(const struct ip_prefix *prefix, uint32_t path_id,
		       const struct rib_attr *attr, void *arg)
{
	HOLDS(ip_prefix_make((enum ip_family)prefix->family, prefix->v, prefix->len).v ==
	      prefix->v);
	HOLDS(attr->origin_kind < RIB_ORIGIN_OWN);
	++*(size_t *)arg;
}

static void check_rib(const struct world *w)
{
	struct rib_stats stats;
	size_t walked = 0;

	for (struct rib_peer *p = rib_peer_first(w->rib); p; p = rib_peer_next(p)) {
		for (int f = 0; f < IP_FAMILIES; f++)
			rib_walk(p, RIB_PRE, (enum ip_family)f, count_path, &walked);
	}
	rib_stats(w->rib, &stats);
	HOLDS(walked == stats.paths);
	HOLDS((long)stats.paths == w->paths);
}

/* rib NULL: decoded and counted only. */
static int play(struct rib *rib, const struct wr *in, size_t piece,
		struct mrt_feed_stats *stats, size_t *pending)
{
	struct mrt_feed *feed = mrt_feed_new(rib, 0, NULL, NULL);
	struct diag diag;
	int rc = 0;

	for (size_t at = 0; at < in->len && rc == 0; at += piece) {
		if (piece > in->len - at)
			piece = in->len - at;
		rc = mrt_feed_bytes(feed, in->data + at, piece, &diag);
	}
	if (rc == 0)
		rc = mrt_feed_end(feed, &diag);
	*stats = *mrt_feed_stats(feed);
	*pending = mrt_feed_pending(feed);
	mrt_feed_free(feed);
	return rc;
}

static void check_stats(const struct mrt_feed_stats *s, size_t pending, int rc)
{
	HOLDS(s->messages + s->states + s->malformed + s->ignored_type + s->ignored_local <=
	      s->records);
	HOLDS(s->skipped + pending + s->records * MRT_HEADER_SIZE <= s->bytes);
	HOLDS((s->searches == 0) == (s->skipped == 0));
	/* an error says that there was nothing at all in it */
	HOLDS(rc == 0 || (s->records == 0 && s->announced == 0 && pending == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world w = { .rib = rib_new() }, whole = { .rib = rib_new() };
	struct mrt_feed_stats a, b, counted;
	uint8_t mode = size ? data[0] : 1;
	size_t piece, pa, pb, pc;
	struct wr in = { 0 };
	int ra, rb, rc;

	rib_watch(w.rib, watch, &w);
	rib_watch(whole.rib, watch, &whole);
	if (mode & 1)
		wr_bytes(&in, data + (size != 0), size - (size != 0));
	else
		put_stream(&in, rd_init(data + 1, size - 1));
	piece = mode >> 1 ? mode >> 1 : in.len;
	/* how the stream is cut makes no difference */
	ra = play(w.rib, &in, piece, &a, &pa);
	check_rib(&w);
	check_stats(&a, pa, ra);
	rb = play(whole.rib, &in, in.len, &b, &pb);
	check_rib(&whole);
	HOLDS(ra == rb && pa == pb && w.paths == whole.paths);
	HOLDS(memcmp(&a, &b, sizeof(a)) == 0);
	/* nor does it whether there is a RIB, but for what is in it */
	rc = play(NULL, &in, in.len, &counted, &pc);
	counted.withdrawn_unknown = b.withdrawn_unknown;
	HOLDS(rc == rb && pc == pb && memcmp(&counted, &b, sizeof(b)) == 0);
	rib_free(w.rib);
	rib_free(whole.rib);
	wr_fini(&in);
	return 0;
}
