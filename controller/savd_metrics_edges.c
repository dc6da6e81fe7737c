/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Edges and agents. There may be ten thousand edges: one per step, in the order
 * of the configuration, which may change between two steps.
 */
#include "controller/engine_complete.h"
#include "controller/savd_metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "lib/mem.h"

SAVD_GAUGE(m_info, "savd_edge_info", "Role, mode and actions of the edge, and its customer");
SAVD_GAUGE(m_prefixes, "savd_edge_prefixes", "Prefixes that may be sources");
SAVD_GAUGE(m_generation, "savd_edge_generation", "Number of its newest filter");
SAVD_GAUGE(m_acked, "savd_edge_acknowledged_generation", "What its router says it holds");
SAVD_GAUGE(m_in_sync, "savd_edge_in_sync", "1 if the router holds the newest filter");
SAVD_GAUGE(m_refused, "savd_edge_refused", "1 if the router could not apply its last filter");
SAVD_GAUGE(m_changed, "savd_edge_change_timestamp_seconds", "When its filter changed last");
SAVD_GAUGE(m_apply, "savd_edge_apply_seconds",
	   "From the last change to the router's word that its kernel has it");
SAVD_GAUGE(m_holding, "savd_edge_holding_prefixes", "Prefixes that wait for their hold-down");
SAVD_GAUGE(m_hold_end, "savd_edge_hold_expiry_timestamp_seconds",
	   "When the next of them leave the set");
SAVD_GAUGE(m_ready, "savd_edge_ready", "1 if all that its mode reads is complete");
SAVD_GAUGE(m_enforcing, "savd_edge_enforcing", "1 if other sources are dropped");
SAVD_GAUGE(m_waiting, "savd_edge_waiting", "1 if it shall enforce and was never ready");
SAVD_GAUGE(m_stale, "savd_edge_stale", "1 while it is degraded since its feed is dead");
SAVD_GAUGE(m_brake, "savd_edge_brake", "1 while its brake holds back a change, by kind");
SAVD_GAUGE(m_incomplete, "savd_edge_incomplete_prefixes",
	   "Prefixes of its customer that the edge refuses");
SAVD_GAUGE(m_seen, "savd_edge_interface_seen", "1 if the router has such an interface");
SAVD_COUNTER(m_packets, "savd_edge_packets_total",
	     "Packets by verdict; an observing edge counts what it would drop");
SAVD_COUNTER(m_bytes, "savd_edge_bytes_total",
	     "Bytes by verdict; an observing edge counts what it would drop");

SAVD_GAUGE(m_connected, "savd_agent_connected", "1 while the router's agent is connected");
SAVD_GAUGE(m_since, "savd_agent_change_timestamp_seconds",
	   "When the agent connected or disconnected");
SAVD_GAUGE(m_contact, "savd_agent_last_contact_timestamp_seconds",
	   "When the agent was heard last");
SAVD_GAUGE(m_pending, "savd_agent_pending_edges", "Edges whose newest filter it does not hold");
SAVD_GAUGE(m_all_off, "savd_agent_all_off", "1 while its hand brake lets everything pass");
SAVD_GAUGE(m_relay_connected, "savd_relay_connected",
	   "1 while the agent's connection for BMP is up");
SAVD_GAUGE(m_relay_session, "savd_relay_bmp_session_up",
	   "1 while bgpd sends BMP to the agent, as it said last");
SAVD_COUNTER(m_relay_overflows, "savd_relay_overflows_total",
	     "Times that the agent's buffer was full, since it started");
SAVD_GAUGE(m_certificate, "savd_agent_certificate_expiry_timestamp_seconds",
	   "When the certificate of its present or last session ends");

/* How many prefixes a set has takes a walk over it: once per generation. */
struct counted {
	char router[CONFIG_NAME_SIZE];
	char interface[FILTER_IFNAME_SIZE];
	uint64_t generation;
	size_t prefixes[IP_FAMILIES];
};

struct counted_list {
	struct counted *c; /* by router and interface */
	size_t n, cap;
};

struct savd_metrics_edges {
	struct savd *savd;
	struct metric_labels labels;
	struct counted_list known, fresh;
	/* Where the walk is. */
	char router[CONFIG_NAME_SIZE];
	char interface[FILTER_IFNAME_SIZE]; /* "": only the router so far */
	struct south_status status;	    /* of that router */
	bool has_status;
	uint64_t pending;
};

static int key_cmp(const char *router_a, const char *interface_a, const char *router_b,
		   const char *interface_b)
{
	int c = strcmp(router_a, router_b);

	return c != 0 ? c : strcmp(interface_a, interface_b);
}

static int counted_cmp(const void *a, const void *b)
{
	const struct counted *x = a, *y = b;

	return key_cmp(x->router, x->interface, y->router, y->interface);
}

static const struct counted *count_prefixes(struct savd_metrics_edges *me,
					    const struct filter *f)
{
	struct counted c = { .generation = f->generation };
	const struct counted *old = NULL;
	struct counted_list *l = &me->fresh;

	snprintf(c.router, sizeof(c.router), "%s", me->router);
	snprintf(c.interface, sizeof(c.interface), "%s", me->interface);
	if (me->known.n > 0)
		old = bsearch(&c, me->known.c, me->known.n, sizeof(c), counted_cmp);
	for (int i = 0; i < IP_FAMILIES; i++)
		c.prefixes[i] =
			old && old->generation == f->generation ?
				old->prefixes[i] :
				rangeset_prefix_count(&f->accept.f[i], (enum ip_family)i);
	if (l->n == l->cap) {
		l->cap = l->cap ? 2 * l->cap : 64;
		l->c = mem_realloc(l->c, l->cap, sizeof(*l->c));
	}
	l->c[l->n] = c;
	return &l->c[l->n++];
}

/* ---- one edge ---- */

static void add(struct savd_metrics_edges *me, struct metrics *m, const struct metric *f,
		uint64_t v)
{
	metric_add(m, f, &me->labels, v);
}

static int south_cmp(const void *key, const void *edge)
{
	return strcmp(key, ((const struct south_edge_status *)edge)->interface);
}

static const struct south_edge_status *south_edge(const struct savd_metrics_edges *me)
{
	if (!me->has_status || me->status.n_edges == 0)
		return NULL;
	return bsearch(me->interface, me->status.edges, me->status.n_edges,
		       sizeof(*me->status.edges), south_cmp);
}

static void collect_sync(struct savd_metrics_edges *me, struct metrics *m)
{
	const struct south_edge_status *s = south_edge(me);
	bool in_sync = s && s->in_sync;

	add(me, m, &m_acked, s ? s->held_generation : 0);
	add(me, m, &m_in_sync, in_sync);
	add(me, m, &m_refused, s && s->error[0] != '\0');
	me->pending += !in_sync;
}

static void collect_counters(struct savd_metrics_edges *me, struct metrics *m,
			     const struct agent_counters *c)
{
	savd_metrics_add(m, &m_packets, &me->labels, "verdict", "accepted", c->accept_packets);
	savd_metrics_add(m, &m_packets, &me->labels, "verdict", "dropped", c->drop_packets);
	savd_metrics_add(m, &m_packets, &me->labels, "verdict", "excepted", c->except_packets);
	savd_metrics_add(m, &m_bytes, &me->labels, "verdict", "accepted", c->accept_bytes);
	savd_metrics_add(m, &m_bytes, &me->labels, "verdict", "dropped", c->drop_bytes);
	savd_metrics_add(m, &m_bytes, &me->labels, "verdict", "excepted", c->except_bytes);
}

static void collect_known(struct savd_metrics_edges *me, struct metrics *m)
{
	const struct savd_edge *e = savd_edge_find(me->savd, me->router, me->interface);

	if (!e)
		return;
	if (e->changed_s != 0)
		add(me, m, &m_changed, (uint64_t)e->changed_s);
	if (e->applied_max_us != 0)
		metric_add_us(m, &m_apply, &me->labels, e->applied_last_us);
	if (e->counted)
		collect_counters(me, m, &e->c);
}

static void collect_set(struct savd_metrics_edges *me, struct metrics *m,
			const struct engine_edge_status *s)
{
	const struct counted *n = count_prefixes(me, s->filter);
	struct addrset waiting = { 0 };

	hold_waiting(s->hold, &waiting);
	savd_metrics_add(m, &m_prefixes, &me->labels, "family", "ipv4", n->prefixes[IP_V4]);
	savd_metrics_add(m, &m_prefixes, &me->labels, "family", "ipv6", n->prefixes[IP_V6]);
	add(me, m, &m_holding, addrset_prefix_count(&waiting));
	if (s->hold->n > 0)
		metric_add_ms(m, &m_hold_end, &me->labels,
			      hold_next_ms(s->hold) + savd_metrics_offset_ms());
	addrset_fini(&waiting);
}

static void collect_info(struct savd_metrics_edges *me, struct metrics *m,
			 const struct engine_edge_status *s)
{
	const struct config_edge *c = s->config;
	size_t at = metric_label(&me->labels, "customer", c->customer);

	metric_label(&me->labels, "role", edge_role_name(c->role));
	metric_label(&me->labels, "mode", edge_mode_name(config_edge_mode(c)));
	metric_label(&me->labels, "action", filter_action_name(c->action));
	add(me, m, &m_info, 1);
	metric_labels_cut(&me->labels, at);
}

static void collect_incomplete(struct savd_metrics_edges *me, struct metrics *m,
			       const struct config_edge *c)
{
	struct complete_sum sum;

	if (c->customer[0] != '\0' &&
	    engine_complete(me->savd->engine, c->customer, c->router, c->interface, NULL, NULL,
			    &sum))
		add(me, m, &m_incomplete, sum.gaps);
}

/* An edge without a role takes no part: it has its line of information only. */
static void collect_edge(struct savd_metrics_edges *me, struct metrics *m)
{
	struct engine_edge_status s;

	if (!engine_edge_status(me->savd->engine, me->router, me->interface, &s))
		return;
	metric_labels_clear(&me->labels);
	metric_label(&me->labels, "router", me->router);
	metric_label(&me->labels, "interface", me->interface);
	collect_info(me, m, &s);
	if (!s.active)
		return;
	collect_set(me, m, &s);
	add(me, m, &m_generation, s.filter->generation);
	add(me, m, &m_ready, s.ready);
	add(me, m, &m_enforcing, s.filter->action == FILTER_ENFORCE);
	add(me, m, &m_waiting, s.config->action == FILTER_ENFORCE && !s.started);
	add(me, m, &m_stale, s.stale);
	savd_metrics_add(m, &m_brake, &me->labels, "kind", "shrink", s.brake);
	savd_metrics_add(m, &m_brake, &me->labels, "kind", "growth", s.growth);
	add(me, m, &m_seen, s.interface_seen);
	collect_incomplete(me, m, s.config);
	collect_sync(me, m);
	collect_known(me, m);
}

/* ---- one router's agent ---- */

static void collect_relay(struct savd_metrics_edges *me, struct metrics *m,
			  const struct south_relay_status *r)
{
	add(me, m, &m_relay_connected, r->connected);
	add(me, m, &m_relay_session, r->connected && r->totals.session);
	add(me, m, &m_relay_overflows, r->totals.overflows);
}

static void collect_agent(struct savd_metrics_edges *me, struct metrics *m)
{
	const struct south_status *s = &me->status;
	int64_t offset_ms = savd_metrics_offset_ms();

	metric_labels_clear(&me->labels);
	metric_label(&me->labels, "router", me->router);
	add(me, m, &m_connected, me->has_status && s->connected);
	add(me, m, &m_pending, me->pending);
	if (!me->has_status || s->since_ms < 0)
		return;
	metric_add_ms(m, &m_since, &me->labels, s->since_ms + offset_ms);
	metric_add_ms(m, &m_contact, &me->labels, s->contact_ms + offset_ms);
	add(me, m, &m_all_off, s->all_off);
	if (s->relay.seen)
		collect_relay(me, m, &s->relay);
	if (s->not_after > 0)
		add(me, m, &m_certificate, (uint64_t)s->not_after);
}

static void enter_router(struct savd_metrics_edges *me, const char *router)
{
	snprintf(me->router, sizeof(me->router), "%s", router);
	me->interface[0] = '\0';
	me->pending = 0;
	me->has_status =
		south_status(south_packet_south(me->savd->south), router, &me->status);
}

static void leave_router(struct savd_metrics_edges *me)
{
	if (me->has_status)
		south_status_fini(&me->status);
	me->has_status = false;
}

/* ---- the walk ---- */

static int by_router(const void *item, const void *key)
{
	return strcmp(((const struct config_router *)item)->name, key);
}

/* The first router after the present one, or NULL. */
static const struct config_router *next_router(const struct savd_metrics_edges *me)
{
	const struct config *cfg = &me->savd->cfg;
	const size_t at =
		array_after(cfg->routers, cfg->n_routers, sizeof(*cfg->routers), me->router, by_router);

	return at < cfg->n_routers ? &cfg->routers[at] : NULL;
}

static int by_edge(const void *item, const void *key)
{
	const struct config_edge *e = item;
	const struct savd_metrics_edges *present = key;

	return key_cmp(e->router, e->interface, present->router, present->interface);
}

/* The first edge of the present router after the present one, or NULL. */
static const struct config_edge *next_edge(const struct savd_metrics_edges *me)
{
	const struct config *cfg = &me->savd->cfg;
	const size_t at = array_after(cfg->edges, cfg->n_edges, sizeof(*cfg->edges), me, by_edge);

	return at < cfg->n_edges && strcmp(cfg->edges[at].router, me->router) == 0 ?
		       &cfg->edges[at] :
		       NULL;
}

static void walk_begin(struct savd_metrics_edges *me)
{
	leave_router(me); /* a walk that was given up */
	me->router[0] = '\0';
	me->fresh.n = 0;
}

static void walk_end(struct savd_metrics_edges *me)
{
	struct counted_list old = me->known;

	me->known = me->fresh;
	me->fresh = old;
}

bool savd_metrics_edges(struct metrics *m, uint64_t *step, void *arg)
{
	struct savd_metrics_edges *me = arg;
	const struct config_router *r;
	const struct config_edge *e;

	if ((*step)++ == 0)
		walk_begin(me);
	e = me->router[0] != '\0' ? next_edge(me) : NULL;
	if (e) {
		snprintf(me->interface, sizeof(me->interface), "%s", e->interface);
		collect_edge(me, m);
		return false;
	}
	if (me->router[0] != '\0')
		collect_agent(me, m);
	leave_router(me);
	r = next_router(me);
	if (r) {
		enter_router(me, r->name);
		return false;
	}
	walk_end(me);
	return true;
}

struct savd_metrics_edges *savd_metrics_edges_new(struct savd *savd)
{
	struct savd_metrics_edges *me = mem_alloc(sizeof(*me));

	me->savd = savd;
	return me;
}

void savd_metrics_edges_free(struct savd_metrics_edges *me)
{
	if (!me)
		return;
	leave_router(me);
	free(me->known.c);
	free(me->fresh.c);
	metric_labels_fini(&me->labels);
	free(me);
}
