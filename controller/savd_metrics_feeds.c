/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/savd_metrics.h"

#include <stdlib.h>

#include "controller/engine_bgp.h"
#include "controller/engine_compare.h"
#include "lib/mem.h"

SAVD_GAUGE(m_up, "savd_feed_up", "1 while the router's feed is connected");
SAVD_GAUGE(m_complete, "savd_feed_complete", "1 when the whole table has been told");
SAVD_GAUGE(m_since, "savd_feed_change_timestamp_seconds", "When the feed came up or went down");
SAVD_GAUGE(m_last, "savd_feed_last_message_timestamp_seconds", "When bytes of it came last");
SAVD_COUNTER(m_messages, "savd_feed_messages_total", "Messages on this connection");
SAVD_COUNTER(m_bytes, "savd_feed_received_bytes_total", "Bytes on this connection");
SAVD_COUNTER(m_announced, "savd_feed_announced_total", "Prefixes announced on this connection");
SAVD_COUNTER(m_withdrawn, "savd_feed_withdrawn_total", "Prefixes withdrawn on this connection");
SAVD_COUNTER(m_errors, "savd_feed_errors_total",
	     "What was wrong on this connection, by kind, and was left out");
SAVD_COUNTER(m_redumps, "savd_feed_redumps_total",
	     "Times that savd had the router send its tables again");
SAVD_GAUGE(m_lag, "savd_feed_lag_bytes",
	   "Bytes of the feed that wait to be read, at the agent and at savd");
SAVD_GAUGE(m_lag_max, "savd_feed_lag_max_bytes", "The most of them so far");
SAVD_GAUGE(m_silent, "savd_feed_silent",
	   "1 while nothing came for longer than its statistics interval allows");
SAVD_GAUGE(m_relayed, "savd_feed_relayed", "1 if the router's agent carries the feed");
SAVD_COUNTER(m_sessions, "savd_feed_sessions_total", "BGP sessions that were established");
SAVD_GAUGE(m_feed_paths, "savd_feed_paths", "Paths of the router's own BGP session");
SAVD_GAUGE(m_peers, "savd_peers", "BGP neighbors of the router by state");
SAVD_GAUGE(m_paths, "savd_peer_paths", "Paths of all BGP neighbors of the router");
SAVD_GAUGE(m_unmapped, "savd_peers_on_no_edge", "External neighbors that no edge is for");
SAVD_GAUGE(m_fib_routes, "savd_fib_routes", "Routes of the router's forwarding table");
SAVD_GAUGE(m_fib_complete, "savd_fib_complete", "1 while that table is whole and up to date");
SAVD_GAUGE(m_fib_last, "savd_fib_last_message_timestamp_seconds",
	   "When the agent spoke of it last");
SAVD_GAUGE(m_rib_paths, "savd_rib_paths", "Paths of all neighbors of all routers");
SAVD_GAUGE(m_rib_bytes, "savd_rib_memory_bytes", "Memory that they take");
SAVD_COUNTER(m_rib_refused, "savd_rib_refused_total",
	     "Paths beyond the bound on paths per neighbor or per prefix");
SAVD_COUNTER(m_refused, "savd_peer_refused_paths_total",
	     "The same, of the BGP neighbors of the router");

SAVD_GAUGE(m_differences, "savd_feed_differences",
	   "Paths that BMP or the router's BGP session has alone, as last compared");
SAVD_GAUGE(m_compared, "savd_feed_compared_timestamp_seconds",
	   "When the router's two feeds were compared last");
SAVD_GAUGE(m_differ, "savd_feed_differ",
	   "1 while unexplained differences last over two comparisons");

enum peer_state {
	PEER_COMPLETE,
	PEER_LOADING,
	PEER_DOWN,
	PEER_STALE,
	PEER_FULL,
};
#define PEER_STATES 5
static const char *const state_words[PEER_STATES] = { "complete", "loading", "down", "stale",
						       "full" };
static const char *const family_words[IP_FAMILIES] = { "ipv4", "ipv6" };

/* What is summed up per configured router; parallel to cfg.routers. */
struct router_sums {
	bool bmp_up, bmp_known, bgp_known;
	uint64_t peers[PEER_STATES], paths[IP_FAMILIES], unmapped, refused;
};

struct walk {
	struct metrics *m;
	struct metric_labels labels;
	struct savd *savd;
	struct router_sums *sums;
};

static struct router_sums *sums_of(struct walk *w, const char *router)
{
	const struct config_router *r = config_router_find(&w->savd->cfg, router);

	return r ? &w->sums[r - w->savd->cfg.routers] : NULL;
}

static void set_labels(struct walk *w, const char *router, const char *feed)
{
	metric_labels_clear(&w->labels);
	metric_label(&w->labels, "router", router);
	if (feed)
		metric_label(&w->labels, "feed", feed);
}

static void add_date(struct walk *w, const struct metric *f, int64_t ms)
{
	metric_add_ms(w->m, f, &w->labels, ms + savd_metrics_offset_ms());
}

static void add_error(struct walk *w, const char *kind, uint64_t v)
{
	savd_metrics_add(w->m, &m_errors, &w->labels, "kind", kind, v);
}

/* A connection that has not said whose it is has no labels yet; one that gives
 * way to a newer one of the same router would be a second sample. */
static void collect_bmp(const struct engine_feed_status *f, void *arg)
{
	struct walk *w = arg;
	const struct bmp_feed_stats *s = f->stats;
	struct router_sums *sums = sums_of(w, f->router);

	if (!sums || sums->bmp_up)
		return;
	sums->bmp_up = true;
	set_labels(w, f->router, "bmp");
	metric_add(w->m, &m_up, &w->labels, 1);
	add_date(w, &m_since, f->since_ms);
	add_date(w, &m_last, f->last_ms);
	metric_add(w->m, &m_messages, &w->labels, s->messages);
	metric_add(w->m, &m_bytes, &w->labels, s->bytes);
	metric_add(w->m, &m_announced, &w->labels, s->announced);
	metric_add(w->m, &m_withdrawn, &w->labels, s->withdrawn);
	metric_add(w->m, &m_redumps, &w->labels, f->redumps);
	metric_add(w->m, &m_lag, &w->labels, f->queued_bytes);
	metric_add(w->m, &m_lag_max, &w->labels, f->queued_max_bytes);
	metric_add_bool(w->m, &m_silent, &w->labels, f->silent);
	metric_add_bool(w->m, &m_relayed, &w->labels, f->relayed);
	add_error(w, "malformed", s->malformed);
	add_error(w, "treat_as_withdraw", s->treat_as_withdraw);
	add_error(w, "withdrawn_unknown", s->withdrawn_unknown);
	add_error(w, "looped", s->looped);
	add_error(w, "vrf", s->refused_vrf);
	add_error(w, "too_many_peers", s->refused_peers);
}

static void collect_bgp(const struct engine_bgp_status *b, void *arg)
{
	struct walk *w = arg;
	const struct bgp_session_stats *s = &b->stats;
	struct router_sums *sums = sums_of(w, b->router);

	if (!sums)
		return;
	sums->bgp_known = true;
	set_labels(w, b->router, "bgp");
	metric_add_bool(w->m, &m_up, &w->labels, b->state == BGP_ESTABLISHED);
	metric_add_bool(w->m, &m_complete, &w->labels, b->complete);
	add_date(w, &m_since, b->since_ms);
	metric_add(w->m, &m_messages, &w->labels, s->messages);
	metric_add(w->m, &m_bytes, &w->labels, s->bytes);
	metric_add(w->m, &m_announced, &w->labels, s->announced);
	metric_add(w->m, &m_withdrawn, &w->labels, s->withdrawn);
	metric_add(w->m, &m_sessions, &w->labels, b->sessions);
	add_error(w, "treat_as_withdraw", s->treat_as_withdraw);
	add_error(w, "looped", s->looped);
	for (int i = 0; i < IP_FAMILIES; i++)
		savd_metrics_add(w->m, &m_feed_paths, &w->labels, "family", family_words[i],
				 b->paths[i]);
}

static enum peer_state state_of(const struct engine_peer_status *p)
{
	if (!p->feed_connected)
		return PEER_STALE;
	if (!p->up)
		return PEER_DOWN;
	if (p->full)
		return PEER_FULL;
	return p->complete ? PEER_COMPLETE : PEER_LOADING;
}

static void sum_peer(const struct engine_peer_status *p, void *arg)
{
	struct router_sums *sums = sums_of(arg, p->router);

	if (!sums)
		return;
	sums->bmp_known = true;
	sums->peers[state_of(p)]++;
	sums->refused += rib_peer_refused(p->peer);
	sums->unmapped += !p->edge && p->up && !p->info.is_ibgp;
	for (int i = 0; i < IP_FAMILIES; i++)
		sums->paths[i] += rib_path_count(
			p->peer, rib_peer_view(p->peer, (enum ip_family)i), (enum ip_family)i);
}

/* A router that is expected to feed and does not: without this sample
 * nobody would miss it. */
static void collect_router(struct walk *w, size_t index)
{
	const struct config_router *r = &w->savd->cfg.routers[index];
	const struct router_sums *sums = &w->sums[index];

	set_labels(w, r->name, "bgp");
	if (!sums->bgp_known && r->bgp.as != 0)
		metric_add(w->m, &m_up, &w->labels, 0);
	set_labels(w, r->name, "bmp");
	if (!sums->bmp_up && (r->n_bmp_sources > 0 || (sums->bmp_known && r->bgp.as == 0)))
		metric_add(w->m, &m_up, &w->labels, 0);
	set_labels(w, r->name, NULL);
	for (int i = 0; i < PEER_STATES; i++)
		savd_metrics_add(w->m, &m_peers, &w->labels, "state", state_words[i],
				 sums->peers[i]);
	for (int i = 0; i < IP_FAMILIES; i++)
		savd_metrics_add(w->m, &m_paths, &w->labels, "family", family_words[i],
				 sums->paths[i]);
	metric_add(w->m, &m_unmapped, &w->labels, sums->unmapped);
	metric_add(w->m, &m_refused, &w->labels, sums->refused);
}

static void collect_fib(const struct engine_fib_status *f, void *arg)
{
	struct walk *w = arg;

	set_labels(w, f->router, NULL);
	metric_add_bool(w->m, &m_fib_complete, &w->labels, f->complete);
	if (f->known || f->loading)
		add_date(w, &m_fib_last, f->last_ms);
	for (int i = 0; i < IP_FAMILIES; i++)
		savd_metrics_add(w->m, &m_fib_routes, &w->labels, "family", family_words[i],
				 f->routes[i]);
}

static size_t explained(const struct compare_family *f, int side)
{
	size_t n = 0;

	for (int kind = COMPARE_UNEXPLAINED + 1; kind < COMPARE_KINDS; kind++)
		n += f->only[side][kind];
	return n;
}

static void collect_differences(struct walk *w, const struct engine_compare_status *s,
				int family, int side)
{
	const struct compare_family *f = &s->family[family];

	set_labels(w, s->router, side == COMPARE_BMP ? "bmp" : "bgp");
	metric_label(&w->labels, "family", family_words[family]);
	savd_metrics_add(w->m, &m_differences, &w->labels, "explained", "no",
			 f->only[side][COMPARE_UNEXPLAINED]);
	savd_metrics_add(w->m, &m_differences, &w->labels, "explained", "yes",
			 explained(f, side));
}

static void collect_compare(const struct engine_compare_status *s, void *arg)
{
	struct walk *w = arg;

	if (!s->known)
		return;
	set_labels(w, s->router, NULL);
	metric_add_bool(w->m, &m_differ, &w->labels, s->alarm);
	add_date(w, &m_compared, s->began_ms);
	for (int family = 0; family < IP_FAMILIES; family++)
		for (int side = 0; side < COMPARE_SIDES; side++)
			collect_differences(w, s, family, side);
}

static void collect_rib(struct walk *w)
{
	struct rib_stats stats;

	rib_stats(engine_rib(w->savd->engine), &stats);
	metric_add(w->m, &m_rib_paths, NULL, stats.paths);
	metric_add(w->m, &m_rib_bytes, NULL, stats.bytes);
	metric_add(w->m, &m_rib_refused, NULL, stats.refused);
}

/* In one step: neighbors are thousands at most, and each costs nanoseconds. */
bool savd_metrics_feeds(struct metrics *m, uint64_t *step, void *arg)
{
	struct walk w = { .m = m, .savd = arg };

	(void)step;
	w.sums = mem_calloc(w.savd->cfg.n_routers, sizeof(*w.sums));
	engine_feeds_walk(w.savd->engine, collect_bmp, &w);
	engine_bgp_walk(w.savd->engine, collect_bgp, &w);
	engine_peers_walk(w.savd->engine, sum_peer, &w);
	for (size_t i = 0; i < w.savd->cfg.n_routers; i++)
		collect_router(&w, i);
	engine_fibs_walk(w.savd->engine, collect_fib, &w);
	engine_compare_walk(w.savd->engine, collect_compare, &w);
	collect_rib(&w);
	free(w.sums);
	metric_labels_fini(&w.labels);
	return true;
}
