/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/feed/bmp_feed.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/feed/bmp.h"
#include "lib/mem.h"
#include "lib/wr.h"

/* A router has thousands of peers at most; a stream that invents more is held
 * at this. */
#define PEERS_MAX   65536
#define BUCKETS_MIN 16
/* The reassembly buffer is given back after a message longer than this. */
#define BUF_KEEP ((size_t)64 << 10)

/* Routes on their way into the RIB. Each waits until its successors have been
 * decoded, while the memory it will touch is being fetched, which makes a full
 * table load a third faster. Nothing waits longer than bmp_feed_bytes() lasts. */
#define AHEAD	      4
#define AHEAD_PATH_MAX 120 /* bytes of AS path; longer ones do not wait */

struct route_ahead {
	struct rib_peer *peer;
	struct ip_prefix prefix;
	struct rib_attr attr;
	uint32_t path_id;
	uint32_t hash;
	enum rib_view view;
};

struct feed_peer {
	struct feed_peer *hash_next;
	struct rib_peer_key key;
	struct bmp_peer_info info; /* valid with known */
	bool known;		   /* a Peer Up was decoded */
	bool as2;		   /* a session of 2-octet AS numbers */
	bool up;
	bool down; /* told so, and nothing came since */
	bool refused;
};

struct bmp_feed {
	struct rib *rib;
	uint32_t router;
	bmp_event_fn *fn;
	void *arg;
	struct wr buf;	 /* start of an unfinished message */
	uint64_t offset; /* of the message at hand, for diagnostics */
	bool broken;
	bool allow_rd;
	bool is_frr;
	bool prepends_local_as;
	struct feed_peer **bucket;
	size_t n_buckets, n_peers;
	struct feed_peer *last;
	struct route_ahead ahead[AHEAD];
	uint8_t ahead_path[AHEAD][AHEAD_PATH_MAX];
	unsigned int ahead_first, ahead_n;
	struct bmp_feed_stats stats;
	char sysname[256], sysdescr[512];
	uint8_t scratch[BGP_PATH_MAX];
};

struct bmp_feed *bmp_feed_new(struct rib *rib, uint32_t router, bmp_event_fn *fn,
			      void *arg)
{
	struct bmp_feed *feed = mem_alloc(sizeof(*feed));

	feed->rib = rib;
	feed->router = router;
	feed->fn = fn;
	feed->arg = arg;
	feed->n_buckets = BUCKETS_MIN;
	feed->bucket = mem_calloc(feed->n_buckets, sizeof(struct feed_peer *));
	return feed;
}

void bmp_feed_free(struct bmp_feed *feed)
{
	if (feed == NULL)
		return;
	for (size_t i = 0; i < feed->n_buckets; i++) {
		for (struct feed_peer *fp = feed->bucket[i], *next; fp; fp = next) {
			next = fp->hash_next;
			free(fp);
		}
	}
	free(feed->bucket);
	wr_fini(&feed->buf);
	free(feed);
}

void bmp_feed_set_router(struct bmp_feed *feed, uint32_t router)
{
	feed->router = router;
}

void bmp_feed_set_allow_rd(struct bmp_feed *feed, bool allow)
{
	feed->allow_rd = allow;
}

/* ---- routes on their way */

static void ahead_pop(struct bmp_feed *feed)
{
	struct route_ahead *r = &feed->ahead[feed->ahead_first];

	feed->ahead_first = (feed->ahead_first + 1) % AHEAD;
	feed->ahead_n--;
	rib_announce(r->peer, r->view, &r->prefix, r->path_id, &r->attr);
}

/* Before anything that looks at the RIB or changes it in another way. */
static void ahead_flush(struct bmp_feed *feed)
{
	while (feed->ahead_n != 0)
		ahead_pop(feed);
}

static void ahead_push(struct bmp_feed *feed, const struct route_ahead *route)
{
	struct route_ahead *r;
	uint8_t *path;

	if (route->attr.as_path_len > AHEAD_PATH_MAX) {
		ahead_flush(feed);
		rib_announce(route->peer, route->view, &route->prefix, route->path_id,
			     &route->attr);
		return;
	}
	if (feed->ahead_n == AHEAD)
		ahead_pop(feed);
	if (feed->ahead_n >= 2) {
		r = &feed->ahead[(feed->ahead_first + feed->ahead_n - 2) % AHEAD];
		rib_prefetch_attr(r->peer, r->hash);
	}
	path = feed->ahead_path[(feed->ahead_first + feed->ahead_n) % AHEAD];
	r = &feed->ahead[(feed->ahead_first + feed->ahead_n++) % AHEAD];
	*r = *route;
	if (route->attr.as_path_len != 0)
		memcpy(path, route->attr.as_path, route->attr.as_path_len);
	r->attr.as_path = path;
	r->hash = rib_prefetch(r->peer, r->view, &r->prefix, &r->attr);
}

static void emit(struct bmp_feed *feed, const struct bmp_event *event)
{
	ahead_flush(feed);
	if (feed->fn)
		feed->fn(event, feed->arg);
}

/* ---- what is known of each peer */

static size_t bucket_of(const struct bmp_feed *feed, const struct rib_peer_key *key)
{
	uint64_t h = (uint64_t)key->addr.v ^ (uint64_t)(key->addr.v >> 64) ^
		     key->distinguisher * 31 ^ (uint64_t)key->type << 56;

	return h * 0x9e3779b97f4a7c15u >> 40 & (feed->n_buckets - 1);
}

static bool key_equal(const struct rib_peer_key *a, const struct rib_peer_key *b)
{
	return a->type == b->type && a->distinguisher == b->distinguisher &&
	       ip_addr_equal(&a->addr, &b->addr);
}

static struct feed_peer *peer_find(const struct bmp_feed *feed,
				   const struct rib_peer_key *key)
{
	struct feed_peer *fp = feed->bucket[bucket_of(feed, key)];

	while (fp && !key_equal(&fp->key, key))
		fp = fp->hash_next;
	return fp;
}

static void buckets_grow(struct bmp_feed *feed)
{
	struct feed_peer **old = feed->bucket;
	size_t n = feed->n_buckets;

	feed->n_buckets *= 2;
	feed->bucket = mem_calloc(feed->n_buckets, sizeof(struct feed_peer *));
	for (size_t i = 0; i < n; i++) {
		for (struct feed_peer *fp = old[i], *next; fp; fp = next) {
			struct feed_peer **head = &feed->bucket[bucket_of(feed, &fp->key)];

			next = fp->hash_next;
			fp->hash_next = *head;
			*head = fp;
		}
	}
	free(old);
}

/* NULL when the stream has named too many peers. */
static struct feed_peer *peer_get(struct bmp_feed *feed, const struct rib_peer_key *key)
{
	struct feed_peer *fp = feed->last, **head;

	if (fp && key_equal(&fp->key, key))
		return fp;
	fp = peer_find(feed, key);
	if (fp == NULL) {
		if (feed->n_peers == PEERS_MAX) {
			feed->stats.refused_peers++;
			return NULL;
		}
		if (feed->n_peers == feed->n_buckets)
			buckets_grow(feed);
		fp = mem_alloc(sizeof(*fp));
		fp->key = *key;
		head = &feed->bucket[bucket_of(feed, key)];
		fp->hash_next = *head;
		*head = fp;
		feed->n_peers++;
	}
	feed->last = fp;
	return fp;
}

static void refuse_vrf(struct bmp_feed *feed, const struct rib_peer_key *key)
{
	struct feed_peer *fp = peer_get(feed, key);
	char addr[IP_TEXT_SIZE], text[160];

	feed->stats.refused_vrf++;
	if (fp == NULL || fp->refused)
		return;
	fp->refused = true;
	snprintf(text, sizeof(text),
		 "peer %s with distinguisher %016" PRIx64
		 " is left out: only the default VRF is served",
		 ip_addr_format(&key->addr, addr), key->distinguisher);
	emit(feed, &(struct bmp_event){ .type = BMP_EVENT_REFUSED, .text = text });
}

/* Reads the per-peer header and decides whether this peer is ours. NULL: the
 * message has been counted, there is nothing more to do. */
static struct feed_peer *peer_of(struct bmp_feed *feed, uint8_t msg_type, struct rd *rd,
				 struct bmp_peer *peer)
{
	struct rib_peer_key key;

	if (!bmp_peer_decode(rd, peer)) {
		feed->stats.malformed++;
		return NULL;
	}
	if (peer->type == BMP_PEER_LOC_RIB) {
		feed->stats.ignored_locrib++;
		return NULL;
	}
	if (peer->type > BMP_PEER_LOC_RIB) {
		feed->stats.ignored_peer_type++;
		return NULL;
	}
	/* RFC 8671 6.3: the flag means nothing in Peer Up and Peer Down */
	if (peer->flags & BMP_FLAG_ADJ_OUT && msg_type != BMP_PEER_UP &&
	    msg_type != BMP_PEER_DOWN) {
		feed->stats.ignored_adj_out++;
		return NULL;
	}
	key = (struct rib_peer_key){
		.router = feed->router,
		.type = peer->type,
		.distinguisher = peer->distinguisher,
		.addr = peer->addr,
	};
	if (!feed->allow_rd && (peer->type == BMP_PEER_RD || peer->distinguisher != 0)) {
		refuse_vrf(feed, &key);
		return NULL;
	}
	return peer_get(feed, &key);
}

/* ---- Route Monitoring */

struct route_msg {
	struct bmp_feed *feed;
	struct rib_peer *peer;
	enum rib_view view;
	bool masked;
};

static void see_family(const struct route_msg *m, uint8_t family)
{
	/* also a withdrawal or an End-of-RIB tells that post-policy is sent */
	if (m->view == RIB_POST)
		rib_peer_saw_post(m->peer, (enum ip_family)family);
}

static void withdraw_all(const struct route_msg *m, struct bgp_nlri nlri)
{
	struct bmp_feed_stats *stats = &m->feed->stats;
	struct ip_prefix prefix;
	uint32_t path_id;
	bool masked;

	while (bgp_nlri_next(&nlri, &prefix, &path_id, &masked)) {
		ahead_flush(m->feed);
		see_family(m, nlri.family);
		stats->host_bits += masked;
		stats->withdrawn++;
		if (!rib_withdraw(m->peer, m->view, &prefix, path_id))
			stats->withdrawn_unknown++;
	}
}

static void announce_all(const struct route_msg *m, struct bgp_nlri nlri,
			 const struct rib_attr *attr)
{
	struct bmp_feed_stats *stats = &m->feed->stats;
	struct route_ahead route = { .peer = m->peer, .view = m->view, .attr = *attr };
	bool masked;

	while (bgp_nlri_next(&nlri, &route.prefix, &route.path_id, &masked)) {
		see_family(m, nlri.family);
		stats->host_bits += masked;
		stats->announced++;
		ahead_push(m->feed, &route);
	}
}

/* A path with our own AS in it is no path of ours (RFC 4271 9.1.2): a customer
 * that reflects another one's prefix must not gain it. What it replaces goes. */
static void ignore_looped(const struct route_msg *m, struct bgp_nlri nlri)
{
	struct ip_prefix prefix;
	uint32_t path_id;
	bool masked;

	while (bgp_nlri_next(&nlri, &prefix, &path_id, &masked)) {
		see_family(m, nlri.family);
		m->feed->stats.host_bits += masked;
		m->feed->stats.looped++;
		ahead_flush(m->feed);
		rib_withdraw(m->peer, m->view, &prefix, path_id);
	}
}

static bool is_looped(struct bmp_feed *feed, const struct feed_peer *fp,
		      struct rib_attr *attr)
{
	if (!fp->known)
		return false;
	/* FRR up to 10.6 encodes a received path as if it were sent on to
	 * another AS. A path that an eBGP peer sent does not start with our AS
	 * of itself, unless it is a loop, which then is still one. */
	if (feed->prepends_local_as && !fp->info.is_ibgp)
		bgp_attr_strip_first(attr, fp->info.local_as, feed->scratch);
	return bgp_path_contains(attr, fp->info.local_as);
}

static void routes(const struct route_msg *m, const struct feed_peer *fp,
		   struct bgp_update *u, enum bgp_update_verdict verdict)
{
	struct rib_attr mp;
	bool looped;

	/* RFC 4271 4.3: a prefix in both fields is announced */
	withdraw_all(m, u->withdrawn[0]);
	withdraw_all(m, u->withdrawn[1]);
	if (verdict == BGP_UPDATE_WITHDRAW) {
		m->feed->stats.treat_as_withdraw++;
		withdraw_all(m, u->announced[0]);
		withdraw_all(m, u->announced[1]);
		return;
	}
	looped = is_looped(m->feed, fp, &u->attr);
	if (looped) {
		ignore_looped(m, u->announced[0]);
		ignore_looped(m, u->announced[1]);
		return;
	}
	mp = u->attr;
	mp.next_hop = u->mp_next_hop;
	announce_all(m, u->announced[0], &u->attr);
	announce_all(m, u->announced[1], &mp);
}

static void end_of_rib(const struct route_msg *m, enum ip_family family)
{
	ahead_flush(m->feed);
	see_family(m, (uint8_t)family);
	rib_stale_sweep(m->peer, m->view, family);
	emit(m->feed, &(struct bmp_event){ .type = BMP_EVENT_END_OF_RIB,
					   .peer = m->peer,
					   .view = m->view,
					   .family = family });
}

static struct bgp_update_ctx update_ctx(const struct bmp_feed *feed,
					const struct feed_peer *fp, uint8_t flags)
{
	struct bgp_update_ctx ctx = { .as2 = flags & BMP_FLAG_AS2,
				      .next_hop_optional = feed->is_frr };

	if (!fp->known)
		return ctx;
	/* FRR writes AS_PATH as the session has it and never sets the A flag,
	 * against RFC 7854 4.2. */
	if (feed->is_frr && fp->as2)
		ctx.as2 = true;
	/* Policy may set LOCAL_PREF, so only pre-policy is as the peer sent it. */
	ctx.external = !fp->info.is_ibgp && !(flags & BMP_FLAG_POST);
	for (int i = 0; i < IP_FAMILIES; i++) {
		/* FRR's exporter knows one path per prefix and writes no ids */
		if (fp->info.addpath_rx[i])
			ctx.form[i] = feed->is_frr ? BGP_NLRI_ADDPATH_OR_ONE
						   : BGP_NLRI_ADDPATH;
	}
	return ctx;
}

static void route_monitoring(struct bmp_feed *feed, struct feed_peer *fp,
			     const struct bmp_peer *peer, struct rd rd)
{
	struct bgp_update_ctx ctx = update_ctx(feed, fp, peer->flags);
	enum bgp_update_verdict verdict;
	struct bgp_update u;
	struct bgp_msg msg;
	struct route_msg m = {
		.feed = feed,
		.view = peer->flags & BMP_FLAG_POST ? RIB_POST : RIB_PRE,
	};

	if (!bgp_msg_decode(&rd, &msg) || !rd_done(&rd) || msg.type != BGP_MSG_UPDATE) {
		feed->stats.malformed++;
		return;
	}
	verdict = bgp_update_decode(msg.body, &ctx, feed->scratch, &u);
	feed->stats.attr_discard += u.attr_discarded;
	feed->stats.ignored_afi += u.other_afi;
	if (verdict == BGP_UPDATE_SKIP) {
		feed->stats.malformed++;
		return;
	}
	if (!fp->up)
		feed->stats.no_peer_up++;
	fp->down = false;
	m.peer = rib_peer_get(feed->rib, &fp->key);
	routes(&m, fp, &u, verdict);
	for (int i = 0; i < IP_FAMILIES; i++) {
		if (u.end_of_rib[i])
			end_of_rib(&m, (enum ip_family)i);
	}
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
	};
	/* RFC 7911 sec. 4: from the peer to the router */
	for (int i = 0; i < IP_FAMILIES; i++)
		info->addpath_rx[i] = up.received.addpath_send[i] &&
				      up.sent.addpath_receive[i];
	ahead_flush(feed);
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
	emit(feed, &(struct bmp_event){
			   .type = BMP_EVENT_PEER_UP, .peer = rp, .info = info });
}

static void peer_down(struct bmp_feed *feed, struct feed_peer *fp, struct rd rd)
{
	struct rib_peer *rp = rib_peer_find(feed->rib, &fp->key);
	struct bmp_peer_down down;
	bool again = fp->down;

	if (!bmp_peer_down_decode(rd, &down)) {
		feed->stats.malformed++;
		return;
	}
	ahead_flush(feed);
	fp->up = false;
	fp->down = true;
	/* FRR reports every failed attempt to connect, also of peers that never
	 * were up. */
	if (rp == NULL)
		return;
	/* No withdrawals follow (RFC 7854 4.9). */
	for (int view = 0; view < RIB_VIEWS; view++)
		for (int family = 0; family < IP_FAMILIES; family++)
			rib_peer_clear(rp, (enum rib_view)view, (enum ip_family)family);
	if (!again)
		emit(feed, &(struct bmp_event){ .type = BMP_EVENT_PEER_DOWN,
						.peer = rp,
						.reason = down.reason });
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
	emit(feed, &(struct bmp_event){ .type = BMP_EVENT_INITIATION,
					.text = feed->sysname });
}

static void termination(struct bmp_feed *feed, struct rd rd)
{
	/* RFC 7854 4.5 */
	static const char *const reasons[] = {
		"administratively closed", "unspecified reason", "out of resources",
		"redundant connection", "permanently administratively closed",
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
	emit(feed, &(struct bmp_event){ .type = BMP_EVENT_TERMINATION, .text = text });
}

/* ---- the stream */

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
	fp = peer_of(feed, header.type, &rd, &peer);
	if (fp == NULL)
		return;
	switch ((enum bmp_msg_type)header.type) {
	case BMP_ROUTE_MONITORING:
		route_monitoring(feed, fp, &peer, rd);
		break;
	case BMP_PEER_UP:
		peer_up(feed, fp, &peer, rd);
		break;
	case BMP_PEER_DOWN:
		peer_down(feed, fp, rd);
		break;
	case BMP_STATISTICS:
		if (!bmp_statistics_decode(rd, NULL, NULL))
			stats->malformed++;
		break;
	case BMP_ROUTE_MIRRORING:
	case BMP_INITIATION:
	case BMP_TERMINATION:
		break;
	}
}

/* The length of the message whose first bytes these are; 0 when there are too
 * few to tell, -1 when it cannot be one. */
static long frame_len(struct bmp_feed *feed, struct rd rd, struct diag *diag)
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

		len = frame_len(feed, rd_init(buf->data, buf->len), diag);
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
	message(feed, rd_init(buf->data, buf->len));
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
		need = frame_len(feed, in, diag);
		if (need < 0)
			return -1;
		if (need == 0 || (size_t)need > rd_left(&in)) {
			wr_bytes(&feed->buf, in.p, rd_left(&in));
			return 0;
		}
		message(feed, rd_sub(&in, (size_t)need));
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
	rc = take_bytes(feed, rd_init(data, len), diag);
	ahead_flush(feed);
	return rc;
}

size_t bmp_feed_pending(const struct bmp_feed *feed)
{
	return feed->buf.len;
}

void bmp_feed_peer_complete(struct bmp_feed *feed, struct rib_peer *peer)
{
	(void)feed;
	for (int view = 0; view < RIB_VIEWS; view++)
		for (int family = 0; family < IP_FAMILIES; family++)
			rib_stale_sweep(peer, (enum rib_view)view, (enum ip_family)family);
}

const struct bmp_peer_info *bmp_feed_peer_info(const struct bmp_feed *feed,
					       const struct rib_peer *peer)
{
	const struct rib_peer_key *key = rib_peer_key(peer);
	const struct feed_peer *fp = key->router == feed->router ? peer_find(feed, key)
								 : NULL;

	return fp && fp->up ? &fp->info : NULL;
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
