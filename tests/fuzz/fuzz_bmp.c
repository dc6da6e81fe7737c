/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A BMP stream into a RIB. The first byte chooses the shape of the rest:
 * bit 0 set: raw bytes of the stream; clear: messages in short form, which
 * this target frames, so that mutations need not get lengths, markers and
 * peer headers right. bit 1: peers of VRFs are allowed. bits 2-7: the stream
 * is cut into pieces of that many bytes (0: whole).
 *
 * Short form, repeated: type (1), peer (1: bits 0-1 address, 2 IPv6, 3 RD,
 * 4 A flag, 5 O flag, 6 L flag, 7 Loc-RIB), length (2), then the body without
 * headers: for Route Monitoring that of the UPDATE, for Peer Up a byte for
 * how long the first OPEN's body is and both bodies.
 */
#include <string.h>

#include "controller/feed/bmp.h"
#include "controller/feed/bmp_feed.h"
#include "lib/wr.h"
#include "tests/fuzz/fuzz_assert.h"

struct world {
	struct rib *rib;
	struct bmp_feed *feed;
	long paths; /* as the watcher was told */
	uint64_t peer_ups, end_of_ribs;
};

static void watch(struct rib_peer *peer, enum rib_view view,
		  const struct ip_prefix *prefix, const struct rib_attr *old,
		  const struct rib_attr *new, void *arg)
{
	struct world *w = arg;

	HOLDS(old || new);
	HOLDS(old != new);
	HOLDS(prefix->len <= ip_bits((enum ip_family)prefix->family));
	HOLDS(!new || rib_lookup(peer, view, prefix));
	w->paths += (new != NULL) - (old != NULL);
}

static void on_event(const struct bmp_event *event, void *arg)
{
	struct world *w = arg;

	if (event->type == BMP_EVENT_PEER_UP) {
		HOLDS(event->info == bmp_feed_peer_info(w->feed, event->peer));
		w->peer_ups++;
	} else if (event->type == BMP_EVENT_END_OF_RIB) {
		HOLDS(rib_stale_sweep(event->peer, event->view, event->family) == 0);
		w->end_of_ribs++;
	} else if (event->type == BMP_EVENT_PEER_DOWN) {
		for (int v = 0; v < RIB_VIEWS; v++)
			for (int f = 0; f < IP_FAMILIES; f++)
				HOLDS(rib_path_count(event->peer, (enum rib_view)v,
						     (enum ip_family)f) == 0);
	}
}

static void put_bgp(struct wr *out, uint8_t type, const uint8_t *body, size_t len)
{
	wr_be64(out, UINT64_MAX);
	wr_be64(out, UINT64_MAX);
	wr_be16(out, (uint16_t)(len + BGP_HEADER_SIZE));
	wr_u8(out, type);
	wr_bytes(out, body, len);
}

static void put_peer(struct wr *out, uint8_t peer)
{
	wr_u8(out, peer & 0x80 ? BMP_PEER_LOC_RIB
		   : peer & 8  ? BMP_PEER_RD
			       : BMP_PEER_GLOBAL);
	wr_u8(out,
	      (uint8_t)((peer & 4 ? BMP_FLAG_V6 : 0) | (peer & 16 ? BMP_FLAG_AS2 : 0) |
			(peer & 32 ? BMP_FLAG_ADJ_OUT : 0) |
			(peer & 64 ? BMP_FLAG_POST : 0)));
	wr_be64(out, peer & 8);
	wr_be64(out, 0);
	wr_be64(out, 0x0a000000u + (peer & 3));
	wr_be32(out, 65001);
	wr_be32(out, 1);
	wr_be64(out, 0);
}

static void put_message(struct wr *out, uint8_t type, uint8_t peer, struct rd body)
{
	size_t at = out->len, first;

	wr_u8(out, BMP_VERSION);
	wr_be32(out, 0);
	wr_u8(out, type);
	if (type < BMP_INITIATION || type == BMP_ROUTE_MIRRORING)
		put_peer(out, peer);
	if (type == BMP_ROUTE_MONITORING) {
		put_bgp(out, BGP_MSG_UPDATE, body.p, rd_left(&body));
	} else if (type == BMP_PEER_UP) {
		first = rd_u8(&body);
		if (first > rd_left(&body))
			first = rd_left(&body);
		wr_be64(out, 0);
		wr_be64(out, 0x0a0000fe);
		wr_be32(out, 0);
		put_bgp(out, BGP_MSG_OPEN, body.p, first);
		rd_skip(&body, first);
		put_bgp(out, BGP_MSG_OPEN, body.p, rd_left(&body));
	} else {
		wr_bytes(out, body.p, rd_left(&body));
	}
	wr_patch32(out, at + 1, (uint32_t)(out->len - at));
}

static void put_stream(struct wr *out, struct rd in)
{
	while (rd_left(&in) >= 4) {
		uint8_t type = rd_u8(&in), peer = rd_u8(&in);
		size_t len = rd_be16(&in);

		if (len > rd_left(&in))
			len = rd_left(&in);
		/* what would not fit a BGP message is left to the raw form */
		if (len > 60000)
			len = 60000;
		put_message(out, type, peer, rd_sub(&in, len));
	}
}

static void count_path(const struct ip_prefix *prefix, uint32_t path_id,
		       const struct rib_attr *attr, void *arg)
{
	HOLDS(ip_prefix_make((enum ip_family)prefix->family, prefix->v, prefix->len).v ==
	      prefix->v);
	HOLDS(attr->origin_kind <= RIB_ORIGIN_OWN);
	++*(size_t *)arg;
}

static void check_rib(const struct world *w)
{
	struct rib_stats stats;
	size_t walked = 0, counted = 0, peers = 0;

	for (struct rib_peer *p = rib_peer_first(w->rib); p;
	     p = rib_peer_next(p), peers++) {
		for (int v = 0; v < RIB_VIEWS; v++) {
			for (int f = 0; f < IP_FAMILIES; f++) {
				rib_walk(p, (enum rib_view)v, (enum ip_family)f,
					 count_path, &walked);
				counted += rib_path_count(p, (enum rib_view)v,
							  (enum ip_family)f);
			}
		}
	}
	rib_stats(w->rib, &stats);
	HOLDS(walked == counted && counted == stats.paths);
	HOLDS((long)stats.paths == w->paths);
	HOLDS(stats.attrs <= stats.paths && (stats.attrs == 0) == (stats.paths == 0));
	HOLDS(stats.peers == peers);
}

static struct bmp_feed_stats play(struct world *w, const uint8_t *data, size_t size,
				  size_t piece, bool allow_rd, size_t *pending)
{
	struct bmp_feed_stats stats;
	struct diag diag;

	w->feed = bmp_feed_new(w->rib, 0, on_event, w);
	bmp_feed_set_allow_rd(w->feed, allow_rd);
	for (size_t at = 0; at < size; at += piece) {
		if (piece > size - at)
			piece = size - at;
		if (bmp_feed_bytes(w->feed, data + at, piece, &diag) < 0)
			break;
	}
	check_rib(w);
	stats = *bmp_feed_stats(w->feed);
	*pending = bmp_feed_pending(w->feed);
	HOLDS(*pending < BMP_MESSAGE_MAX);
	bmp_feed_free(w->feed);
	return stats;
}

/* The same bytes as a recording: no damage ends it, and none goes uncounted. */
static void play_recording(const struct wr *in, size_t piece, struct bmp_feed_stats *stats,
			   size_t *pending)
{
	struct rib *rib = rib_new();
	struct bmp_feed *feed = bmp_feed_new(rib, 0, NULL, NULL);
	struct diag diag;
	int ret = 0;

	bmp_feed_set_recording(feed);
	for (size_t at = 0; at < in->len && ret == 0; at += piece) {
		if (piece > in->len - at)
			piece = in->len - at;
		ret = bmp_feed_bytes(feed, in->data + at, piece, &diag);
	}
	if (ret == 0)
		HOLDS(bmp_feed_end(feed, &diag) == 0);
	*stats = *bmp_feed_stats(feed);
	*pending = bmp_feed_pending(feed);
	HOLDS(stats->skipped + *pending + stats->messages * BMP_HEADER_SIZE <= stats->bytes);
	HOLDS((stats->searches == 0) == (stats->skipped == 0));
	/* only what does not begin as BMP is something else */
	HOLDS(ret == 0 || stats->messages == 0);
	if (ret != 0)
		stats->bytes = 0;
	bmp_feed_free(feed);
	rib_free(rib);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bmp_feed_stats cut, once;
	struct world w = { .rib = rib_new() }, whole = { .rib = rib_new() };
	struct bmp_feed_stats a, b;
	struct rib_stats end;
	size_t piece, pa, pb;
	struct wr out = { 0 };
	uint8_t mode;

	rib_watch(w.rib, watch, &w);
	rib_watch(whole.rib, watch, &whole);
	mode = size ? data[0] : 1;
	if (mode & 1)
		wr_bytes(&out, data + (size != 0), size - (size != 0));
	else
		put_stream(&out, rd_init(data + 1, size - 1));
	piece = mode >> 2 ? mode >> 2 : out.len;
	/* how the stream is cut makes no difference, but for the byte count of
	 * a stream that broke off */
	a = play(&w, out.data, out.len, piece, mode & 2, &pa);
	b = play(&whole, out.data, out.len, out.len, mode & 2, &pb);
	a.bytes = b.bytes = 0;
	HOLDS(memcmp(&a, &b, sizeof(a)) == 0);
	HOLDS(w.paths == whole.paths && w.peer_ups == whole.peer_ups);
	/* a second stream on top of the first: nothing is added by a re-dump */
	a = play(&w, out.data, out.len, out.len, mode & 2, &pa);
	HOLDS(a.messages == b.messages);
	play_recording(&out, piece, &cut, &pa);
	play_recording(&out, out.len, &once, &pb);
	HOLDS(memcmp(&cut, &once, sizeof(cut)) == 0 && pa == pb);
	while (rib_peer_first(w.rib))
		rib_peer_remove(rib_peer_first(w.rib));
	rib_stats(w.rib, &end);
	HOLDS(end.paths == 0 && end.attrs == 0 && end.peers == 0 && w.paths == 0);
	rib_free(w.rib);
	rib_free(whole.rib);
	wr_fini(&out);
	return 0;
}
