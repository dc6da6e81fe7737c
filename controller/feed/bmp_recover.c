/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A recording of a BMP stream that is damaged inside.
 *
 * A live stream that is out of step is closed, and the router dumps anew. A file has
 * nobody to ask: reading goes on at the next place where a message can begin and
 * another one, or the end, follows it.
 */
#include <inttypes.h>

#include "controller/feed/bmp_feed_impl.h"

enum look {
	LOOK_NO,
	LOOK_YES,
	LOOK_WAIT, /* more bytes could tell */
};

static struct rd from(const struct bmp_feed *feed, size_t at)
{
	size_t left = feed->buf.len > at ? feed->buf.len - at : 0;

	return rd_init(left ? feed->buf.data + at : NULL, left);
}

/* RFC 7854 4.1, and what every message of a type has behind its header. A type that
 * is not known is passed over, but no message is searched for by it. */
static bool can_be(const struct bmp_header *h)
{
	bool has_peer = h->type < BMP_INITIATION || h->type == BMP_ROUTE_MIRRORING;

	return h->version == BMP_VERSION &&
	       h->len >= (size_t)BMP_HEADER_SIZE + (has_peer ? BMP_PEER_SIZE : 0) &&
	       h->len <= BMP_MESSAGE_MAX;
}

/* Whether a message may begin there: a header, or the end of input. */
static enum look look_at(const struct bmp_feed *feed, size_t at, bool end)
{
	struct rd rd = from(feed, at);
	struct bmp_header h;

	if (at > feed->buf.len)
		return end ? LOOK_NO : LOOK_WAIT;
	if (!bmp_header_decode(&rd, &h))
		return end ? LOOK_YES : LOOK_WAIT; /* the end, or cut in a header */
	return can_be(&h) ? LOOK_YES : LOOK_NO;
}

/* Routes and OPENs have their own lengths and marks inside, which have to agree:
 * nothing else looks like that. */
static bool agrees(const struct bmp_header *h, struct rd rd)
{
	struct bmp_peer peer;
	struct bmp_peer_up up;
	struct bgp_msg msg;

	if ((h->type != BMP_ROUTE_MONITORING && h->type != BMP_PEER_UP) ||
	    !bmp_peer_decode(&rd, &peer))
		return false;
	if (h->type == BMP_PEER_UP)
		return bmp_peer_up_decode(rd, &peer, &up);
	return bgp_msg_decode(&rd, &msg) && rd_done(&rd);
}

static bool tlvs_fill(struct rd rd)
{
	struct bmp_tlv tlv;

	while (bmp_tlv_next(&rd, &tlv))
		;
	return !rd.failed;
}

/* Less sure than that: what it has inside fills it. */
static bool is_filled(const struct bmp_header *h, struct rd rd)
{
	struct bmp_peer_down down;
	struct bmp_peer peer;

	if (h->type == BMP_INITIATION || h->type == BMP_TERMINATION)
		return tlvs_fill(rd);
	if (!bmp_peer_decode(&rd, &peer))
		return false;
	if (h->type == BMP_PEER_DOWN)
		return bmp_peer_down_decode(rd, &down);
	if (h->type == BMP_STATISTICS)
		return bmp_statistics_decode(rd, NULL, NULL);
	return h->type == BMP_ROUTE_MIRRORING && tlvs_fill(rd);
}

/* Does the message at this place end where its header says? It has come whole. */
static enum look ends_there(const struct bmp_feed *feed, size_t at,
			    const struct bmp_header *h, bool end)
{
	struct rd rd = from(feed, at + BMP_HEADER_SIZE);

	if (at + h->len > feed->buf.len)
		return end ? LOOK_NO : LOOK_WAIT;
	return agrees(h, rd_sub(&rd, h->len - BMP_HEADER_SIZE))
		       ? LOOK_YES
		       : look_at(feed, at + h->len, end);
}

/* cut: the header looked good, the input ended before its message did. */
static void search_start(struct bmp_feed *feed, size_t *at, bool cut)
{
	feed->searching = true;
	feed->search_from = feed->offset + *at;
	feed->search_cut = cut;
	(*at)++;
}

static void search_over(struct bmp_feed *feed, uint64_t offset)
{
	if (feed->stats.searches++ == 0)
		feed->stats.first_skip = feed->search_from;
	feed->stats.skipped += offset - feed->search_from;
	feed->searching = false;
}

/* One byte on, until a header that the next one confirms. False: wait. */
static bool search(struct bmp_feed *feed, size_t *at, bool end)
{
	for (; feed->buf.len - *at >= BMP_HEADER_SIZE; (*at)++) {
		struct rd rd = from(feed, *at);
		struct bmp_header h;
		enum look next;

		if (feed->offset + *at - feed->search_from > BMP_SEARCH_MAX)
			return false;
		bmp_header_decode(&rd, &h);
		if (!can_be(&h) || h.type > BMP_ROUTE_MIRRORING)
			continue;
		next = ends_there(feed, *at, &h, end);
		if (next == LOOK_WAIT)
			return false;
		if (next == LOOK_YES) {
			search_over(feed, feed->offset + *at);
			return true;
		}
	}
	return false;
}

/* One message. False: wait. */
static bool step(struct bmp_feed *feed, size_t *at, bool end)
{
	struct rd rd = from(feed, *at), whole = rd;
	struct bmp_header h;
	enum look next;

	if (!bmp_header_decode(&rd, &h))
		return false;
	if (!can_be(&h)) {
		search_start(feed, at, false);
		return true;
	}
	if (h.len > rd_left(&whole)) {
		if (!end)
			return false;
		search_start(feed, at, true);
		return true;
	}
	whole = rd_sub(&whole, h.len);
	if (!is_filled(&h, rd_sub(&rd, h.len - BMP_HEADER_SIZE))) {
		next = ends_there(feed, *at, &h, end);
		if (next == LOOK_WAIT)
			return false;
		if (next == LOOK_NO) {
			search_start(feed, at, false);
			return true;
		}
	}
	feed_message(feed, whole, feed->offset + *at);
	*at += h.len;
	return true;
}

static int go_on(struct bmp_feed *feed, bool end, struct diag *diag)
{
	size_t at = 0;

	while (feed->searching ? search(feed, &at, end) : step(feed, &at, end))
		;
	if (at != 0)
		wr_consume(&feed->buf, at);
	feed->offset += at;
	if (!feed->searching || feed->offset - feed->search_from <= BMP_SEARCH_MAX)
		return 0;
	feed->broken = true;
	return diag_set(diag,
			"byte %" PRIu64 ": no BMP message in %" PRIu64 " bytes from here",
			feed->search_from, BMP_SEARCH_MAX);
}

int feed_recording(struct bmp_feed *feed, const void *data, size_t len, struct diag *diag)
{
	wr_bytes(&feed->buf, data, len);
	/* what does not even begin as BMP is something else */
	if (feed->offset == 0 && !feed->searching &&
	    feed_frame_len(feed, from(feed, 0), diag) < 0) {
		feed->over = true;
		return -1;
	}
	return go_on(feed, false, diag);
}

int bmp_feed_end(struct bmp_feed *feed, struct diag *diag)
{
	uint64_t total = feed->stats.bytes;

	if (feed->broken)
		return diag_set(diag, "byte %" PRIu64 ": the stream is out of step",
				feed->offset);
	if (!feed->recording)
		return 0;
	if (go_on(feed, true, diag) < 0)
		return -1;
	feed_ahead_flush(feed);
	feed->over = true;
	feed->tail = feed->searching ? 0 : feed->buf.len;
	if (!feed->searching)
		return 0;
	if (feed->search_cut) /* nothing came after it: its header was right */
		feed->tail = (size_t)(total - feed->search_from);
	else
		search_over(feed, total);
	return 0;
}
