/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/feed/bmp_feed.h"

#include <string.h>

#include "controller/feed/bmp_feed_impl.h"

/* ---- routes on their way */

static void announce(struct bmp_feed *feed, const struct route_ahead *r)
{
	if (rib_announce(r->peer, r->view, &r->prefix, r->path_id, &r->attr) < 0)
		feed->stats.left_out++;
}

static void ahead_pop(struct bmp_feed *feed)
{
	struct route_ahead *r = &feed->ahead[feed->ahead_first];

	feed->ahead_first = (feed->ahead_first + 1) % AHEAD;
	feed->ahead_n--;
	announce(feed, r);
}

void feed_ahead_flush(struct bmp_feed *feed)
{
	while (feed->ahead_n != 0)
		ahead_pop(feed);
}

static void ahead_push(struct bmp_feed *feed, const struct route_ahead *route)
{
	struct route_ahead *r;
	uint8_t *path;

	if (route->attr.as_path_len > AHEAD_PATH_MAX) {
		feed_ahead_flush(feed);
		announce(feed, route);
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

/* ---- Route Monitoring */

struct route_msg {
	struct bmp_feed *feed;
	struct rib_peer *peer;
	struct bmp_peer_counts *counts;
	enum rib_view view;
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
		feed_ahead_flush(m->feed);
		see_family(m, nlri.family);
		stats->host_bits += masked;
		stats->withdrawn++;
		m->counts->withdrawn++;
		if (!rib_withdraw(m->peer, m->view, &prefix, path_id)) {
			stats->withdrawn_unknown++;
			m->counts->withdrawn_unknown++;
		}
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
		m->counts->announced++;
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
		feed_ahead_flush(m->feed);
		rib_withdraw(m->peer, m->view, &prefix, path_id);
	}
}

/* What the router adds to a path that an eBGP peer sent is taken off: FRR up to
 * 10.6 encodes a received path as if it were sent on to another AS, and a
 * session with a local AS has that in its paths (RFC 7705). A path that an eBGP
 * peer sent does not start with our AS of itself, unless it is a loop, which
 * then is still one. Returns the router's own AS if it is another one than that
 * of the session. */
static uint32_t repair_path(struct bmp_feed *feed, const struct feed_peer *fp,
			    struct rib_attr *attr)
{
	uint32_t local_as = fp->info.local_as, own_as = feed->own_as, shown_as = 0;

	if (feed->prepends_local_as || (own_as != 0 && own_as != local_as)) {
		if (!bgp_attr_strip_local(attr, local_as, fp->info.remote_as,
					  feed->scratch, &shown_as) &&
		    feed->prepends_local_as)
			bgp_attr_strip_first(attr, local_as, feed->scratch);
	}
	/* An eBGP peer puts its number into every path (RFC 4271 5.1.2): one that
	 * is empty all the same was not made in our AS. */
	if (attr->as_path_len == 0) {
		attr->origin_kind = RIB_ORIGIN_NONE;
		feed->stats.empty_path++;
	}
	return shown_as ? shown_as : own_as;
}

static bool is_looped(struct bmp_feed *feed, const struct feed_peer *fp,
		      struct rib_attr *attr)
{
	uint32_t own_as = 0;

	if (!fp->known)
		return false;
	if (!fp->info.is_ibgp)
		own_as = repair_path(feed, fp, attr);
	return bgp_path_contains(attr, fp->info.local_as) ||
	       (own_as != 0 && bgp_path_contains(attr, own_as));
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
	feed_ahead_flush(m->feed);
	see_family(m, (uint8_t)family);
	rib_stale_sweep(m->peer, m->view, family);
	feed_emit(m->feed, &(struct bmp_event){ .type = BMP_EVENT_END_OF_RIB,
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
			ctx.form[i] =
				feed->is_frr ? BGP_NLRI_ADDPATH_OR_ONE : BGP_NLRI_ADDPATH;
	}
	return ctx;
}

void feed_route_monitoring(struct bmp_feed *feed, struct feed_peer *fp,
			   const struct bmp_peer *peer, struct rd rd)
{
	struct bgp_update_ctx ctx = update_ctx(feed, fp, peer->flags);
	enum bgp_update_verdict verdict;
	struct bgp_update u;
	struct bgp_msg msg;
	struct route_msg m = {
		.feed = feed,
		.counts = &fp->counts,
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
	if (peer->sec > feed->stats.newest_s)
		feed->stats.newest_s = peer->sec;
	fp->down = false;
	m.peer = rib_peer_get(feed->rib, &fp->key);
	routes(&m, fp, &u, verdict);
	for (int i = 0; i < IP_FAMILIES; i++) {
		if (u.end_of_rib[i])
			end_of_rib(&m, (enum ip_family)i);
	}
}
