/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What savd tells Prometheus about RADIUS. A savd that nobody configured it in
 * says nothing.
 */
#include "controller/savd_radius_packet.h"

#include "controller/savd_metrics.h"
#include "lib/mem.h"

SAVD_GAUGE(m_sessions, "savd_radius_sessions", "Sessions that are up");
SAVD_GAUGE(m_silent, "savd_radius_silent_sessions",
	   "Sessions whose Interim-Updates do not come any more");
SAVD_GAUGE(m_no_edge, "savd_radius_sessions_on_no_edge", "Sessions that no rule has an edge for");
SAVD_GAUGE(m_prefixes, "savd_radius_prefixes", "Prefixes that an edge accepts by a session");
SAVD_GAUGE(m_conflicts, "savd_radius_conflicts", "Prefixes that sessions of several edges claim");
SAVD_COUNTER(m_events, "savd_radius_events_total", "What became of sessions, by kind");
SAVD_COUNTER(m_refused, "savd_radius_refused_total",
	     "Prefixes outside a client's pool or too short, and attributes without a prefix");
SAVD_COUNTER(m_requests, "savd_radius_requests_total", "Datagrams of a client, by what they were");
SAVD_COUNTER(m_answered, "savd_radius_answers_total", "First answers to a client");
SAVD_COUNTER(m_dropped, "savd_radius_requests_dropped_total",
	     "Datagrams of a client that got no answer, by reason");
SAVD_COUNTER(m_unknown, "savd_radius_unknown_client_total", "Datagrams from unknown clients");
SAVD_COUNTER(m_commits, "savd_radius_commits_total", "Transactions of sessions");
SAVD_GAUGE(m_commit_last, "savd_radius_commit_duration_seconds", "How long the last one took");
SAVD_GAUGE(m_commit_max, "savd_radius_commit_duration_max_seconds", "How long the longest took");

struct walk {
	struct metrics *m;
	struct metric_labels labels;
	const struct config *cfg;
	bool *seen; /* parallel to cfg->radius.clients */
};

static void add_kind(struct walk *w, const struct metric *f, const char *label,
		     const char *kind, uint64_t v)
{
	savd_metrics_add(w->m, f, &w->labels, label, kind, v);
}

static void add_client(struct walk *w, const struct radius_client_stats *s)
{
	metric_labels_clear(&w->labels);
	metric_label(&w->labels, "client", s->client);
	add_kind(w, &m_requests, "kind", "start", s->start);
	add_kind(w, &m_requests, "kind", "interim", s->interim);
	add_kind(w, &m_requests, "kind", "stop", s->stop);
	add_kind(w, &m_requests, "kind", "on_off", s->on_off);
	add_kind(w, &m_requests, "kind", "coa", s->coa);
	add_kind(w, &m_requests, "kind", "disconnect", s->disconnect);
	add_kind(w, &m_requests, "kind", "other", s->other);
	add_kind(w, &m_requests, "kind", "duplicate", s->duplicates);
	metric_add(w->m, &m_answered, &w->labels, s->answered);
	add_kind(w, &m_dropped, "reason", "malformed", s->malformed);
	add_kind(w, &m_dropped, "reason", "not_genuine", s->not_genuine);
	add_kind(w, &m_dropped, "reason", "unsigned", s->unsigned_count);
	add_kind(w, &m_dropped, "reason", "stale", s->stale);
	add_kind(w, &m_dropped, "reason", "not_permitted", s->not_permitted);
	add_kind(w, &m_dropped, "reason", "overload", s->dropped);
}

static void collect_client(const struct radius_client_stats *s, void *arg)
{
	struct walk *w = arg;
	const struct config_radius_client *c = config_radius_client_find(w->cfg, s->client);

	if (c)
		w->seen[c - w->cfg->radius.clients] = true;
	add_client(w, s);
}

/* A counter has to be there before its first event, which would be no increase. */
static void collect_quiet_clients(struct walk *w)
{
	for (size_t i = 0; i < w->cfg->radius.n_clients; i++) {
		struct radius_client_stats none = { 0 };

		if (w->seen[i])
			continue;
		snprintf(none.client, sizeof(none.client), "%s",
			 w->cfg->radius.clients[i].name);
		add_client(w, &none);
	}
}

static void collect_sessions(struct walk *w, const struct radius_sessions *rs)
{
	struct radius_session_stats s;

	radius_session_stats(rs, &s);
	metric_add(w->m, &m_sessions, NULL, s.sessions);
	metric_add(w->m, &m_silent, NULL, s.silent);
	metric_add(w->m, &m_no_edge, NULL, s.without_edge);
	metric_add(w->m, &m_prefixes, NULL, s.prefixes);
	metric_add(w->m, &m_conflicts, NULL, s.conflicts);
	metric_labels_clear(&w->labels);
	add_kind(w, &m_events, "kind", "started", s.started);
	add_kind(w, &m_events, "kind", "stopped", s.stopped);
	add_kind(w, &m_events, "kind", "lost", s.lost);
	add_kind(w, &m_events, "kind", "moved", s.moved);
	add_kind(w, &m_events, "kind", "late", s.late);
	add_kind(w, &m_events, "kind", "conflict", s.conflicts_seen);
	add_kind(w, &m_refused, "reason", "policy", s.refused);
	add_kind(w, &m_refused, "reason", "unusable", s.unusable);
}

bool savd_radius_metrics(struct metrics *m, uint64_t *step, void *arg)
{
	const struct savd_radius *r = arg;
	struct walk w = { .m = m, .cfg = &r->savd->cfg };

	(void)step;
	if (r->savd->cfg.radius.n_clients == 0 && r->savd->cfg.radius.n_servers == 0)
		return true;
	collect_sessions(&w, r->sessions);
	w.seen = mem_calloc(w.cfg->radius.n_clients, sizeof(*w.seen));
	radius_server_clients(r->server, collect_client, &w);
	collect_quiet_clients(&w);
	free(w.seen);
	metric_add(m, &m_unknown, NULL, radius_server_unknown(r->server));
	metric_add(m, &m_commits, NULL, r->stats.commits);
	metric_add_us(m, &m_commit_last, NULL, r->stats.commit_last_us);
	metric_add_us(m, &m_commit_max, NULL, r->stats.commit_max_us);
	metric_labels_fini(&w.labels);
	return true;
}
