/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/feed/mrt_feed.h"

#include <inttypes.h>
#include <stdlib.h>

#include "controller/feed/bgp.h"
#include "lib/mem.h"
#include "lib/wr.h"

/* One place of the peer index. */
struct indexed {
	struct mrt_peer peer;
	struct rib_peer *rib; /* NULL until it has a route */
};

struct mrt_feed {
	struct rib *rib;
	uint32_t router;
	mrt_session_fn *fn;
	void *arg;
	struct wr buf;	 /* what has not been taken yet */
	uint64_t offset; /* of buf in the stream */
	bool doubt;	 /* the record at its start is damaged, or its length is */
	bool searching, search_cut;
	uint64_t search_from;
	bool broken;
	size_t pending;
	struct indexed *index;
	size_t n_index;
	struct rib_peer *last; /* whose session was told last */
	struct mrt_session last_session;
	struct mrt_feed_stats stats;
	uint8_t scratch[BGP_PATH_MAX];
};

struct mrt_feed *mrt_feed_new(struct rib *rib, uint32_t router, mrt_session_fn *fn,
			      void *arg)
{
	struct mrt_feed *feed = mem_alloc(sizeof(*feed));

	feed->rib = rib;
	feed->router = router;
	feed->fn = fn;
	feed->arg = arg;
	return feed;
}

void mrt_feed_free(struct mrt_feed *feed)
{
	if (feed == NULL)
		return;
	wr_fini(&feed->buf);
	free(feed->index);
	free(feed);
}

static struct rib_peer_key key_of(const struct mrt_feed *feed, const struct ip_addr *addr)
{
	return (struct rib_peer_key){ .router = feed->router, .addr = *addr };
}

/* ---- paths */

static void announce(struct mrt_feed *feed, struct rib_peer *peer,
		     const struct ip_prefix *prefix, uint32_t path_id,
		     const struct rib_attr *attr)
{
	feed->stats.announced++;
	if (peer && rib_announce(peer, RIB_PRE, prefix, path_id, attr) < 0)
		feed->stats.left_out++;
}

/* A path that cannot be used replaces and removes the one before it. */
static void unusable(struct rib_peer *peer, const struct ip_prefix *prefix,
		     uint32_t path_id, uint64_t *counter)
{
	(*counter)++;
	if (peer)
		rib_withdraw(peer, RIB_PRE, prefix, path_id);
}

/* Who the collector is, and so whose an empty path would be, an archive does
 * not say. */
static void settle_origin(struct rib_attr *attr)
{
	if (attr->origin_kind == RIB_ORIGIN_OWN)
		attr->origin_kind = RIB_ORIGIN_NONE;
}

/* Attributes of one entry of a table. False: not to be used. */
static bool entry_attrs(struct mrt_feed *feed, struct rd attrs, bool as2,
			const struct ip_prefix *prefix, struct rib_attr *attr)
{
	const struct bgp_update_ctx ctx = { .as2 = as2, .mrt = true };
	enum bgp_update_verdict verdict;
	struct bgp_update u;

	verdict = bgp_attrs_decode(attrs, &ctx, feed->scratch, &u);
	feed->stats.attr_discard += u.attr_discarded;
	if (verdict != BGP_UPDATE_OK)
		return false;
	*attr = u.attr;
	settle_origin(attr);
	if (u.mp_next_hop.v != 0 && (prefix->family == IP_V6 || attr->next_hop.v == 0))
		attr->next_hop = u.mp_next_hop;
	return true;
}

/* ---- tables */

static bool take_index(struct mrt_feed *feed, struct rd body)
{
	struct mrt_peer_index index;

	/* Without its index a table is nobody's; the one before would give its
	 * routes to the wrong peers. */
	free(feed->index);
	feed->index = NULL;
	feed->n_index = 0;
	if (!mrt_peer_index_decode(body, &index))
		return false;
	feed->index = mem_calloc((size_t)index.n + 1, sizeof(*feed->index));
	while (mrt_peer_next(&index, &feed->index[feed->n_index].peer))
		feed->n_index++;
	return true;
}

static struct rib_peer *indexed_peer(struct mrt_feed *feed, struct indexed *in)
{
	struct rib_peer_key key = key_of(feed, &in->peer.addr);

	if (feed->rib && !in->rib)
		in->rib = rib_peer_get(feed->rib, &key);
	return in->rib;
}

static bool take_rib(struct mrt_feed *feed, uint16_t subtype, struct rd body)
{
	struct mrt_rib_entry entry;
	struct rib_attr attr;
	struct mrt_rib rib;

	if (!mrt_rib_decode(subtype, body, &rib))
		return false;
	if (rib.other_family) {
		feed->stats.ignored_afi++;
		return true;
	}
	feed->stats.host_bits += rib.masked;
	while (mrt_rib_entry_next(&rib, &entry)) {
		struct rib_peer *peer;

		feed->stats.entries++;
		if (entry.peer >= feed->n_index) {
			feed->stats.no_peer++;
			continue;
		}
		peer = indexed_peer(feed, &feed->index[entry.peer]);
		if (entry_attrs(feed, entry.attrs, false, &rib.prefix, &attr))
			announce(feed, peer, &rib.prefix, entry.path_id, &attr);
		else
			unusable(peer, &rib.prefix, entry.path_id,
				 &feed->stats.treat_as_withdraw);
	}
	return true;
}

static bool take_table(struct mrt_feed *feed, uint16_t subtype, struct rd body)
{
	struct rib_peer *peer = NULL;
	struct mrt_table table;
	struct rib_attr attr;

	if (!mrt_table_decode(subtype, body, &table))
		return false;
	feed->stats.entries++;
	feed->stats.host_bits += table.masked;
	if (feed->rib) {
		struct rib_peer_key key = key_of(feed, &table.peer.addr);

		peer = rib_peer_get(feed->rib, &key);
	}
	if (entry_attrs(feed, table.attrs, true, &table.prefix, &attr))
		announce(feed, peer, &table.prefix, 0, &attr);
	else
		unusable(peer, &table.prefix, 0, &feed->stats.treat_as_withdraw);
	return true;
}

/* ---- messages */

static void tell_session(struct mrt_feed *feed, struct rib_peer *peer,
			 const struct mrt_session *s)
{
	if (!feed->fn || (peer == feed->last && s->peer_as == feed->last_session.peer_as &&
			  s->local_as == feed->last_session.local_as))
		return;
	feed->last = peer;
	feed->last_session = *s;
	feed->fn(peer, s, feed->arg);
}

static void withdraw_all(struct mrt_feed *feed, struct rib_peer *peer, struct bgp_nlri nlri)
{
	struct ip_prefix prefix;
	uint32_t path_id;
	bool masked;

	while (bgp_nlri_next(&nlri, &prefix, &path_id, &masked)) {
		feed->stats.host_bits += masked;
		feed->stats.withdrawn++;
		if (peer && !rib_withdraw(peer, RIB_PRE, &prefix, path_id))
			feed->stats.withdrawn_unknown++;
	}
}

/* attr NULL: the paths cannot be used, for the reason that is counted. */
static void announce_all(struct mrt_feed *feed, struct rib_peer *peer, struct bgp_nlri nlri,
			 const struct rib_attr *attr, uint64_t *counter)
{
	struct ip_prefix prefix;
	uint32_t path_id;
	bool masked;

	while (bgp_nlri_next(&nlri, &prefix, &path_id, &masked)) {
		feed->stats.host_bits += masked;
		if (attr)
			announce(feed, peer, &prefix, path_id, attr);
		else
			unusable(peer, &prefix, path_id, counter);
	}
}

static bool is_real_as(uint32_t as)
{
	return as != 0 && as != BGP_AS_TRANS;
}

/* A path with the local AS in it is no path of ours (RFC 4271 9.1.2): a customer
 * that reflects another one's prefix must not gain it. But collectors announce
 * beacons and record what they hear of them; their tables hold those too. */
static bool is_looped(const struct mrt_session *s, const struct rib_attr *attr)
{
	return is_real_as(s->local_as) && bgp_path_contains(attr, s->local_as) &&
	       !(attr->origin_kind == RIB_ORIGIN_AS && attr->origin_as == s->local_as);
}

static void take_update(struct mrt_feed *feed, const struct mrt_message *m,
			struct bgp_update *u, enum bgp_update_verdict verdict)
{
	struct rib_peer_key key = key_of(feed, &m->session.peer);
	struct rib_peer *peer = feed->rib ? rib_peer_get(feed->rib, &key) : NULL;
	struct rib_attr mp;

	if (peer)
		tell_session(feed, peer, &m->session);
	/* RFC 4271 4.3: a prefix in both fields is announced */
	withdraw_all(feed, peer, u->withdrawn[0]);
	withdraw_all(feed, peer, u->withdrawn[1]);
	if (verdict == BGP_UPDATE_WITHDRAW || is_looped(&m->session, &u->attr)) {
		uint64_t *counter = verdict == BGP_UPDATE_OK ? &feed->stats.looped
							     : &feed->stats.treat_as_withdraw;

		announce_all(feed, peer, u->announced[0], NULL, counter);
		announce_all(feed, peer, u->announced[1], NULL, counter);
		return;
	}
	settle_origin(&u->attr);
	mp = u->attr;
	mp.next_hop = u->mp_next_hop;
	announce_all(feed, peer, u->announced[0], &u->attr, NULL);
	announce_all(feed, peer, u->announced[1], &mp, NULL);
}

static bool take_message(struct mrt_feed *feed, const struct mrt_header *h, struct rd body)
{
	enum bgp_update_verdict verdict;
	struct bgp_update_ctx ctx;
	struct mrt_message m;
	struct bgp_update u;
	struct bgp_msg msg;

	if (!mrt_message_decode(h, body, &m) || !bgp_msg_decode(&m.bgp, &msg) ||
	    !rd_done(&m.bgp))
		return false;
	if (msg.type != BGP_MSG_UPDATE) {
		feed->stats.messages++;
		return true;
	}
	ctx = (struct bgp_update_ctx){
		.as2 = m.as2,
		/* as it came from the wire, before any policy */
		.external = is_real_as(m.session.peer_as) && is_real_as(m.session.local_as) &&
			    m.session.peer_as != m.session.local_as,
		.form = { m.addpath ? BGP_NLRI_ADDPATH : BGP_NLRI_PLAIN,
			  m.addpath ? BGP_NLRI_ADDPATH : BGP_NLRI_PLAIN },
	};
	verdict = bgp_update_decode(msg.body, &ctx, feed->scratch, &u);
	if (verdict == BGP_UPDATE_SKIP)
		return false;
	feed->stats.messages++;
	feed->stats.attr_discard += u.attr_discarded;
	feed->stats.ignored_afi += u.other_afi;
	take_update(feed, &m, &u, verdict);
	return true;
}

/* Routes live as long as the session. Only the step out of Established counts:
 * a second connection of the same peer that is refused (RFC 4271 6.8) goes
 * through the lower states while the first one stays up. */
static bool take_state(struct mrt_feed *feed, const struct mrt_header *h, struct rd body)
{
	struct rib_peer_key key;
	struct rib_peer *peer;
	struct mrt_state s;

	if (!mrt_state_decode(h, body, &s))
		return false;
	feed->stats.states++;
	if (s.old != MRT_STATE_ESTABLISHED || s.new == MRT_STATE_ESTABLISHED || !feed->rib)
		return true;
	key = key_of(feed, &s.session.peer);
	peer = rib_peer_find(feed->rib, &key);
	for (int family = 0; peer && family < IP_FAMILIES; family++)
		rib_peer_clear(peer, RIB_PRE, (enum ip_family)family);
	return true;
}

/* ---- the stream */

/* False: damaged. */
static bool take_record(struct mrt_feed *feed, const struct mrt_header *h, struct rd body)
{
	switch (mrt_kind_of(h)) {
	case MRT_PEER_INDEX:
		return take_index(feed, body);
	case MRT_RIB:
		return take_rib(feed, h->subtype, body);
	case MRT_TABLE:
		return take_table(feed, h->subtype, body);
	case MRT_MESSAGE:
		return take_message(feed, h, body);
	case MRT_STATE:
		return take_state(feed, h, body);
	case MRT_LOCAL:
		feed->stats.ignored_local++;
		return true;
	case MRT_OTHER:
		feed->stats.ignored_type++;
		return true;
	}
	return false;
}

enum look {
	LOOK_YES,
	LOOK_NO,
	LOOK_WAIT, /* not enough bytes have come to tell */
};

static struct rd buf_from(const struct mrt_feed *feed, size_t at)
{
	size_t left = feed->buf.len > at ? feed->buf.len - at : 0;

	return rd_init(left ? feed->buf.data + at : NULL, left);
}

/* Whether a record may begin at this place: a header, or the end of input. */
static enum look look_behind(const struct mrt_feed *feed, size_t at, bool end, uint16_t type)
{
	struct rd rd = buf_from(feed, at);
	struct mrt_header h;

	if (at > feed->buf.len)
		return end ? LOOK_NO : LOOK_WAIT;
	if (!mrt_header_decode(&rd, &h))
		return end ? LOOK_YES : LOOK_WAIT; /* the end, or cut in a header */
	switch (mrt_header_judge(&h)) {
	case MRT_HEADER_YES:
		return LOOK_YES;
	case MRT_HEADER_MAYBE:
		return h.type == type ? LOOK_YES : LOOK_NO;
	case MRT_HEADER_NO:
		break;
	}
	return LOOK_NO;
}

/* cut: the header looked good, the input ended before its record did. */
static void search_start(struct mrt_feed *feed, size_t *at, bool cut)
{
	feed->searching = true;
	feed->search_from = feed->offset + *at;
	feed->search_cut = cut;
	feed->doubt = false;
	(*at)++;
}

static void search_over(struct mrt_feed *feed, uint64_t offset)
{
	if (feed->stats.searches++ == 0)
		feed->stats.first_skip = feed->search_from;
	feed->stats.skipped += offset - feed->search_from;
	feed->searching = false;
}

/* One byte on, until a header that the next one confirms. False: wait. */
static bool search(struct mrt_feed *feed, size_t *at, bool end)
{
	for (; feed->buf.len - *at >= MRT_HEADER_SIZE; (*at)++) {
		struct rd rd = buf_from(feed, *at);
		struct mrt_header h;
		enum look next;

		if (feed->offset + *at - feed->search_from > MRT_SEARCH_MAX)
			return false;
		mrt_header_decode(&rd, &h);
		if (mrt_header_judge(&h) != MRT_HEADER_YES)
			continue;
		next = look_behind(feed, *at + MRT_HEADER_SIZE + h.len, end, h.type);
		if (next == LOOK_WAIT)
			return false;
		if (next == LOOK_YES) {
			search_over(feed, feed->offset + *at);
			return true;
		}
	}
	return false;
}

/* The record at this place, if it is one. False: wait. */
static bool step_one(struct mrt_feed *feed, size_t *at, bool end)
{
	struct rd rd = buf_from(feed, *at);
	enum mrt_verdict verdict;
	struct mrt_header h;
	size_t behind;

	if (!mrt_header_decode(&rd, &h))
		return false;
	verdict = mrt_header_judge(&h);
	behind = *at + MRT_HEADER_SIZE + h.len;
	if (verdict == MRT_HEADER_NO || (behind > feed->buf.len && end)) {
		search_start(feed, at, verdict == MRT_HEADER_YES);
		return true;
	}
	if (behind > feed->buf.len)
		return false;
	if (verdict == MRT_HEADER_YES && !feed->doubt)
		feed->doubt = !take_record(feed, &h, rd_sub(&rd, h.len));
	/* What is behind is asked only in doubt, for it may have to be waited for. */
	if (verdict == MRT_HEADER_MAYBE || feed->doubt) {
		enum look next = look_behind(feed, behind, end, h.type);

		if (next == LOOK_WAIT)
			return false;
		if (next == LOOK_NO) {
			search_start(feed, at, false);
			return true;
		}
		if (feed->doubt)
			feed->stats.malformed++;
		else
			feed->stats.ignored_type++;
	}
	feed->doubt = false;
	feed->stats.records++;
	*at = behind;
	return true;
}

static bool step(struct mrt_feed *feed, size_t *at, bool end)
{
	struct mrt_feed_stats *s = &feed->stats;
	bool damaged = s->malformed + s->treat_as_withdraw != 0, host_bits = s->host_bits != 0;
	bool left_out = s->left_out != 0;
	uint64_t offset = feed->offset + *at;
	bool more = step_one(feed, at, end);

	if (!damaged && s->malformed + s->treat_as_withdraw != 0)
		s->first_damaged = offset;
	if (!host_bits && s->host_bits != 0)
		s->first_host_bits = offset;
	if (!left_out && s->left_out != 0)
		s->first_left_out = offset;
	return more;
}

static int go_on(struct mrt_feed *feed, bool end, struct diag *diag)
{
	size_t at = 0;

	while (feed->searching ? search(feed, &at, end) : step(feed, &at, end))
		;
	if (at != 0)
		wr_consume(&feed->buf, at);
	feed->offset += at;
	if (!feed->searching || feed->offset - feed->search_from <= MRT_SEARCH_MAX)
		return 0;
	feed->broken = true;
	return diag_set(diag, "byte %" PRIu64 ": no MRT record in %" PRIu64 " bytes from here",
			feed->search_from, MRT_SEARCH_MAX);
}

int mrt_feed_bytes(struct mrt_feed *feed, const void *data, size_t len, struct diag *diag)
{
	if (feed->broken)
		return diag_set(diag, "byte %" PRIu64 ": the stream is out of step",
				feed->offset);
	feed->stats.bytes += len;
	wr_bytes(&feed->buf, data, len);
	return go_on(feed, false, diag);
}

int mrt_feed_end(struct mrt_feed *feed, struct diag *diag)
{
	uint64_t total = feed->stats.bytes;

	if (feed->broken || go_on(feed, true, diag) < 0)
		return feed->broken ? -1 : 0;
	if (!feed->searching) {
		feed->pending = feed->buf.len;
		return 0;
	}
	if (feed->search_cut) {
		feed->pending = (size_t)(total - feed->search_from);
		return 0;
	}
	if (feed->stats.records == 0)
		return diag_set(diag, "this is not MRT: no record in %" PRIu64 " bytes", total);
	search_over(feed, total);
	return 0;
}

size_t mrt_feed_pending(const struct mrt_feed *feed)
{
	return feed->pending;
}

const struct mrt_feed_stats *mrt_feed_stats(const struct mrt_feed *feed)
{
	return &feed->stats;
}
