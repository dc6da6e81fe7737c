/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/feed/bmp_feed.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/feed/bmp_feed_impl.h"
#include "lib/mem.h"

/* The reassembly buffer is given back after a message longer than this. */
#define BUF_KEEP ((size_t)64 << 10)

struct bmp_feed *bmp_feed_new(struct rib *rib, uint32_t router, bmp_event_fn *fn,
			      void *arg)
{
	struct bmp_feed *feed = mem_alloc(sizeof(*feed));

	feed->rib = rib;
	feed->router = router;
	feed->fn = fn;
	feed->arg = arg;
	feed_peers_init(feed);
	return feed;
}

void bmp_feed_free(struct bmp_feed *feed)
{
	if (feed == NULL)
		return;
	feed_peers_fini(feed);
	wr_fini(&feed->buf);
	free(feed);
}

void bmp_feed_set_router(struct bmp_feed *feed, uint32_t router)
{
	/* peers that are known keep the router that they were made for */
	if (feed->router == BMP_ROUTER_UNKNOWN)
		feed->router = router;
}

void bmp_feed_set_recording(struct bmp_feed *feed)
{
	feed->recording = true;
}

void bmp_feed_set_allow_rd(struct bmp_feed *feed, bool allow)
{
	feed->allow_rd = allow;
}

void feed_emit(struct bmp_feed *feed, const struct bmp_event *event)
{
	feed_ahead_flush(feed);
	if (feed->fn)
		feed->fn(event, feed->arg);
}

/* ---- Peer Up and Peer Down */

static void peer_up(struct bmp_feed *feed, struct feed_peer *fp,
		    const struct bmp_peer *peer, struct rd rd)
{
	struct bmp_peer_info *info = &fp->info;
	struct rib_peer *rp;
	struct bmp_peer_up up;

	if (!bmp_peer_up_decode(rd, peer, &up)) {
		feed->stats.malformed++;
		return;
	}
	*info = (struct bmp_peer_info){
		.local_addr = up.local_addr,
		.local_as = up.sent.as,
		.remote_as = up.received.as,
		.local_id = up.sent.id,
		.remote_id = up.received.id,
		.local_role = up.sent.role,
		.remote_role = up.received.role,
		.is_ibgp = up.sent.as == up.received.as,
		.graceful_restart = up.received.graceful_restart,
		.restart_s = up.received.restart_s,
	};
	for (int i = 0; i < IP_FAMILIES; i++) {
		/* RFC 7911 sec. 4: from the peer to the router */
		info->addpath_rx[i] =
			up.received.addpath_send[i] && up.sent.addpath_receive[i];
		info->restart[i] = up.sent.graceful_restart && up.received.restart[i];
	}
	feed_ahead_flush(feed);
	fp->counts = (struct bmp_peer_counts){ 0 };
	if (info->is_ibgp)
		feed->own_as = info->local_as;
	fp->known = true;
	fp->as2 = !up.sent.as4 || !up.received.as4;
	fp->up = true;
	fp->down = false;
	rp = rib_peer_get(feed->rib, &fp->key);
	/* Paths of an earlier stream, or of a session whose end we did not
	 * see, count until the new dump has had its chance to repeat them. */
	for (int view = 0; view < RIB_VIEWS; view++)
		for (int family = 0; family < IP_FAMILIES; family++)
			rib_stale_mark(rp, (enum rib_view)view, (enum ip_family)family);
	feed_emit(feed, &(struct bmp_event){
				.type = BMP_EVENT_PEER_UP, .peer = rp, .info = info });
}

/* RFC 4724 sec. 4.2: the router forwards by the routes of a peer that restarts,
 * which it knows by a session that ends without a NOTIFICATION. */
static bool outlives(const struct feed_peer *fp, uint8_t reason, int family)
{
	return fp->info.restart[family] && fp->info.restart_s != 0 &&
	       (reason == BMP_DOWN_LOCAL || reason == BMP_DOWN_REMOTE);
}

/* No withdrawals follow a Peer Down (RFC 7854 4.9). True: something stays. */
static bool drop_paths(const struct feed_peer *fp, struct rib_peer *rp, uint8_t reason)
{
	bool kept = false;

	for (int view = 0; view < RIB_VIEWS; view++) {
		for (int family = 0; family < IP_FAMILIES; family++) {
			enum ip_family f = (enum ip_family)family;

			if (outlives(fp, reason, family)) {
				rib_stale_mark(rp, (enum rib_view)view, f);
				kept |= rib_path_count(rp, (enum rib_view)view, f) != 0;
			} else {
				rib_peer_clear(rp, (enum rib_view)view, f);
			}
		}
	}
	return kept;
}

static void peer_down(struct bmp_feed *feed, struct feed_peer *fp, struct rd rd)
{
	struct rib_peer *rp = rib_peer_find(feed->rib, &fp->key);
	struct bmp_peer_down down;
	bool again = fp->down, kept;

	if (!bmp_peer_down_decode(rd, &down)) {
		feed->stats.malformed++;
		return;
	}
	feed_ahead_flush(feed);
	fp->up = false;
	fp->down = true;
	/* FRR reports every failed attempt to connect, also of peers that never
	 * were up. */
	if (rp == NULL)
		return;
	if (again) /* told before */
		return;
	kept = drop_paths(fp, rp, down.reason);
	feed_emit(feed, &(struct bmp_event){ .type = BMP_EVENT_PEER_DOWN,
					     .peer = rp,
					     .reason = down.reason,
					     .restart_s = kept ? fp->info.restart_s : 0 });
}

/* ---- Initiation and Termination */

/* Text from outside ends up in logs and on terminals. */
static void copy_text(struct rd rd, char *dst, size_t size)
{
	size_t n = 0;

	while (rd_left(&rd) != 0 && n + 1 < size) {
		uint8_t c = rd_u8(&rd);

		dst[n++] = (char)(c >= 0x20 && c < 0x7f ? c : '?');
	}
	dst[n] = '\0';
}

/* "FRRouting 8.4.4": the exporter, and whether it is one that prepends. An
 * unreadable version is an unknown one, so it is repaired too: only a path that
 * starts with the local AS can be touched by that. */
static void learn_exporter(struct bmp_feed *feed)
{
	const char *p = strstr(feed->sysdescr, "FRRouting");
	unsigned long major, minor;
	char *end;

	feed->is_frr = p != NULL;
	feed->prepends_local_as = feed->is_frr;
	if (p == NULL)
		return;
	major = strtoul(p + strlen("FRRouting"), &end, 10);
	if (*end != '.')
		return;
	minor = strtoul(end + 1, &end, 10);
	feed->prepends_local_as = major < 10 || (major == 10 && minor < 7);
}

static void initiation(struct bmp_feed *feed, struct rd rd)
{
	struct bmp_tlv tlv;

	while (bmp_tlv_next(&rd, &tlv)) {
		if (tlv.type == BMP_INFO_SYSNAME)
			copy_text(tlv.value, feed->sysname, sizeof(feed->sysname));
		else if (tlv.type == BMP_INFO_SYSDESCR)
			copy_text(tlv.value, feed->sysdescr, sizeof(feed->sysdescr));
	}
	if (rd.failed)
		feed->stats.malformed++;
	learn_exporter(feed);
	feed_emit(feed, &(struct bmp_event){ .type = BMP_EVENT_INITIATION,
					     .text = feed->sysname });
}

static void termination(struct bmp_feed *feed, struct rd rd)
{
	/* RFC 7854 4.5 */
	static const char *const reasons[] = {
		"administratively closed",
		"unspecified reason",
		"out of resources",
		"redundant connection",
		"permanently administratively closed",
	};
	char text[256] = "no reason given";
	struct bmp_tlv tlv;

	while (bmp_tlv_next(&rd, &tlv)) {
		uint16_t reason;

		if (tlv.type == BMP_INFO_STRING) {
			copy_text(tlv.value, text, sizeof(text));
		} else if (tlv.type == BMP_INFO_REASON) {
			reason = rd_be16(&tlv.value);
			if (reason < sizeof(reasons) / sizeof(reasons[0]))
				snprintf(text, sizeof(text), "%s", reasons[reason]);
		}
	}
	if (rd.failed)
		feed->stats.malformed++;
	feed_emit(feed,
		  &(struct bmp_event){ .type = BMP_EVENT_TERMINATION, .text = text });
}

/* ---- the stream */

#define STAT_ADJ_RIB_IN 7 /* RFC 7854 4.8 */

static void on_statistic(uint16_t type, uint64_t value, void *arg)
{
	struct feed_peer *fp = arg;

	if (type == STAT_ADJ_RIB_IN)
		fp->counts.reported = value;
}

static void message(struct bmp_feed *feed, struct rd rd)
{
	struct bmp_feed_stats *stats = &feed->stats;
	struct bmp_header header;
	struct bmp_peer peer;
	struct feed_peer *fp;

	bmp_header_decode(&rd, &header);
	stats->messages++;
	stats->by_type[header.type < 7 ? header.type : 7]++;
	if (header.type == BMP_INITIATION) {
		initiation(feed, rd);
		return;
	}
	if (header.type == BMP_TERMINATION) {
		termination(feed, rd);
		return;
	}
	/* RFC 7854 sec. 5: unknown types are ignored */
	if (header.type > BMP_ROUTE_MIRRORING)
		return;
	if (feed->router == BMP_ROUTER_UNKNOWN) {
		stats->malformed++; /* RFC 7854 4.3: Initiation comes first */
		return;
	}
	fp = feed_peer_of(feed, header.type, &rd, &peer);
	if (fp == NULL)
		return;
	switch ((enum bmp_msg_type)header.type) {
	case BMP_ROUTE_MONITORING:
		feed_route_monitoring(feed, fp, &peer, rd);
		break;
	case BMP_PEER_UP:
		peer_up(feed, fp, &peer, rd);
		break;
	case BMP_PEER_DOWN:
		peer_down(feed, fp, rd);
		break;
	case BMP_STATISTICS:
		if (!bmp_statistics_decode(rd, on_statistic, fp))
			stats->malformed++;
		break;
	case BMP_ROUTE_MIRRORING:
	case BMP_INITIATION:
	case BMP_TERMINATION:
		break;
	}
}

void feed_message(struct bmp_feed *feed, struct rd rd, uint64_t offset)
{
	struct bmp_feed_stats *s = &feed->stats;
	bool damaged = s->malformed + s->treat_as_withdraw != 0, host_bits = s->host_bits != 0;
	bool left_out = s->left_out != 0;

	message(feed, rd);
	if (!damaged && s->malformed + s->treat_as_withdraw != 0)
		s->first_damaged = offset;
	if (!host_bits && s->host_bits != 0)
		s->first_host_bits = offset;
	if (!left_out && s->left_out != 0)
		s->first_left_out = offset;
}

long feed_frame_len(struct bmp_feed *feed, struct rd rd, struct diag *diag)
{
	struct bmp_header header;

	if (!bmp_header_decode(&rd, &header))
		return 0;
	if (header.version == BMP_VERSION && header.len >= BMP_HEADER_SIZE &&
	    header.len <= BMP_MESSAGE_MAX)
		return (long)header.len;
	feed->broken = true;
	if (header.version != BMP_VERSION)
		return diag_set(diag,
				"byte %" PRIu64 ": this is not BMP version %d (version "
				"byte is %u)",
				feed->offset, BMP_VERSION, header.version);
	return diag_set(diag,
			"byte %" PRIu64 ": a BMP message of %" PRIu32
			" bytes cannot be (%d to %zu can)",
			feed->offset, header.len, BMP_HEADER_SIZE, BMP_MESSAGE_MAX);
}

/* Adds to the unfinished message and handles it once it is whole. */
static int finish_pending(struct bmp_feed *feed, struct rd *in, struct diag *diag)
{
	struct wr *buf = &feed->buf;
	long len;

	for (;;) {
		size_t want, take;

		len = feed_frame_len(feed, rd_init(buf->data, buf->len), diag);
		if (len < 0)
			return -1;
		want = len == 0 ? BMP_HEADER_SIZE : (size_t)len;
		if (buf->len == want)
			break;
		take = want - buf->len;
		if (take > rd_left(in))
			take = rd_left(in);
		if (take == 0)
			return 0;
		wr_bytes(buf, in->p, take);
		rd_skip(in, take);
	}
	feed_message(feed, rd_init(buf->data, buf->len), feed->offset);
	feed->offset += buf->len;
	if (buf->cap > BUF_KEEP)
		wr_fini(buf);
	else
		wr_consume(buf, buf->len);
	return 0;
}

static int take_bytes(struct bmp_feed *feed, struct rd in, struct diag *diag)
{
	while (rd_left(&in) != 0) {
		long need;

		if (feed->buf.len != 0) {
			if (finish_pending(feed, &in, diag) < 0)
				return -1;
			continue;
		}
		need = feed_frame_len(feed, in, diag);
		if (need < 0)
			return -1;
		if (need == 0 || (size_t)need > rd_left(&in)) {
			wr_bytes(&feed->buf, in.p, rd_left(&in));
			return 0;
		}
		feed_message(feed, rd_sub(&in, (size_t)need), feed->offset);
		feed->offset += (uint64_t)need;
	}
	return 0;
}

int bmp_feed_bytes(struct bmp_feed *feed, const void *data, size_t len, struct diag *diag)
{
	int rc;

	if (feed->broken)
		return diag_set(diag, "byte %" PRIu64 ": the stream is out of step",
				feed->offset);
	feed->stats.bytes += len;
	rc = feed->recording ? feed_recording(feed, data, len, diag) :
				 take_bytes(feed, rd_init(data, len), diag);
	feed_ahead_flush(feed);
	return rc;
}

size_t bmp_feed_pending(const struct bmp_feed *feed)
{
	return feed->over ? feed->tail : feed->buf.len;
}

void bmp_feed_peer_complete(struct bmp_feed *feed, struct rib_peer *peer)
{
	(void)feed;
	for (int view = 0; view < RIB_VIEWS; view++)
		for (int family = 0; family < IP_FAMILIES; family++)
			rib_stale_sweep(peer, (enum rib_view)view,
					(enum ip_family)family);
}

const struct bmp_peer_info *bmp_feed_peer_info(const struct bmp_feed *feed,
					       const struct rib_peer *peer)
{
	const struct rib_peer_key *key = rib_peer_key(peer);
	const struct feed_peer *fp =
		key->router == feed->router ? feed_peer_find(feed, key) : NULL;

	return fp && fp->up ? &fp->info : NULL;
}

const struct bmp_peer_counts *bmp_feed_peer_counts(const struct bmp_feed *feed,
						   const struct rib_peer *peer)
{
	const struct rib_peer_key *key = rib_peer_key(peer);
	const struct feed_peer *fp =
		key->router == feed->router ? feed_peer_find(feed, key) : NULL;

	return fp ? &fp->counts : NULL;
}

const struct bmp_feed_stats *bmp_feed_stats(const struct bmp_feed *feed)
{
	return &feed->stats;
}

const char *bmp_feed_sysname(const struct bmp_feed *feed)
{
	return feed->sysname;
}

const char *bmp_feed_sysdescr(const struct bmp_feed *feed)
{
	return feed->sysdescr;
}
