/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/savd_radius_packet.h"

#include "controller/savd_history.h"
#include "controller/store/store_radius.h"
#include "lib/mem.h"

/* Requests of so long share a transaction; while it is written, more come. */
#define COMMIT_MS	2
#define COMMIT_RETRY_MS 200
/* So long answers wait for a database that another program has. Clients ask again
 * after some seconds. */
#define ANSWER_WAIT_MS	1500
#define REFUSED_MS	10000

static struct savd_radius *radius;

/* ---- to the store ---- */

static int save_one(const struct radius_saved *s, bool gone, void *arg)
{
	const struct store_radius_session row = {
		.client = s->client,
		.nas = s->nas,
		.session = s->session,
		.session_len = s->session_len,
		.router = s->router,
		.interface = s->interface,
		.started = s->started,
		.changed = s->changed,
		.attributes = s->attrs.data,
		.attributes_len = s->attrs.len,
	};

	if (gone)
		return store_radius_session_delete(radius->savd->store, &row, arg);
	return store_radius_session_save(radius->savd->store, &row, arg);
}

static int save_sessions(struct diag *diag)
{
	struct store *store = radius->savd->store;

	if (!radius_sessions_unsaved(radius->sessions) && !radius->again)
		return 0;
	if (store_begin(store, diag) < 0)
		return -1;
	if (radius_sessions_save(radius->sessions, save_one, diag) < 0) {
		store_rollback(store);
		return -1;
	}
	if (store_commit(store, diag) < 0)
		return -1;
	radius_sessions_saved(radius->sessions);
	return 0;
}

static void on_commit(struct event *t);
static void config_changed(void *arg);

static void commit_in(long ms)
{
	if (!radius->t_commit)
		event_add_timer_msec(radius->loop, on_commit, NULL, ms, &radius->t_commit);
}

/* No answer is a word of its own: the client sends again, or asks another server.
 * Sessions stay as they are, and are saved when that is possible. */
static void commit_failed(const struct diag *diag)
{
	int64_t now_ms = savd_now_ms();

	radius->stats.failures++;
	if (radius->failing_ms == 0) {
		radius->failing_ms = now_ms;
		savd_note(true, "RADIUS: %s; nobody gets an answer until sessions can be saved",
			  diag->text);
	}
	if (now_ms >= radius->failing_ms + ANSWER_WAIT_MS)
		radius_server_answer(radius->server, false);
	commit_in(COMMIT_RETRY_MS);
}

static void commit(void)
{
	struct savd_radius_stats *st = &radius->stats;
	int64_t began_us = frr_now_us();
	struct diag diag;

	if (!radius_sessions_unsaved(radius->sessions) && !radius->again &&
	    radius_server_waiting(radius->server) == 0)
		return;
	if (save_sessions(&diag) < 0) {
		commit_failed(&diag);
		return;
	}
	radius_server_answer(radius->server, true);
	radius->failing_ms = 0;
	if (radius->again) /* edges that could not be made */
		config_changed(NULL);
	radius->again = false;
	st->commits++;
	st->commit_last_us = frr_now_us() - began_us;
	if (st->commit_last_us > st->commit_max_us)
		st->commit_max_us = st->commit_last_us;
}

static void on_commit(struct event *t)
{
	(void)t;
	commit();
}

struct restored {
	size_t refused;
	int64_t now_ms;
};

static void restore_one(const struct store_radius_session *s, void *arg)
{
	struct restored *r = arg;
	const struct radius_saved saved = {
		.client = s->client,
		.nas = s->nas,
		.session = s->session,
		.session_len = s->session_len,
		.router = s->router,
		.interface = s->interface,
		.started = s->started,
		.changed = s->changed,
		.attrs = { s->attributes, s->attributes_len },
	};

	if (radius_sessions_restore(radius->sessions, &saved, r->now_ms))
		radius->stats.restored++;
	else
		r->refused++;
}

static void restore(void)
{
	struct restored r = { .now_ms = savd_now_ms() };
	int64_t began_us = frr_now_us();
	struct diag diag;

	diag.text[0] = '\0';
	if (store_radius_sessions_load(radius->savd->store, restore_one, &r, &diag) < 0 ||
	    diag.text[0] != '\0')
		savd_note(true, "%s", diag.text);
	if (r.refused > 0)
		savd_note(true, "RADIUS: %zu saved sessions are of clients that are not "
				"configured any more: left out", r.refused);
	radius->stats.restore_us = frr_now_us() - began_us;
}

/* ---- time ---- */

static void on_time(struct event *t);

static void time_at(int64_t at_ms)
{
	int64_t delay = at_ms - savd_now_ms();

	EVENT_OFF(radius->t_time);
	event_add_timer_msec(radius->loop, on_time, NULL, delay > 0 ? (long)delay : 1,
			     &radius->t_time);
}

static void run_time(void)
{
	int64_t now_ms = savd_now_ms();
	int64_t next = radius_sessions_run(radius->sessions, now_ms);
	int64_t ask = radius_profiles_run(radius->profiles, now_ms);

	if (next < 0 || (ask >= 0 && ask < next))
		next = ask;
	if (next >= 0)
		time_at(next);
	commit_in(0);
}

static void on_time(struct event *t)
{
	(void)t;
	run_time();
}

/* Something came that may want to be looked at sooner than was thought. */
static void changed(void)
{
	if (radius_sessions_unsaved(radius->sessions) ||
	    radius_server_waiting(radius->server) > 0)
		commit_in(COMMIT_MS);
	if (!radius->t_time || event_timer_remain_msec(radius->t_time) > 1000)
		time_at(savd_now_ms() + 1000);
}

/* ---- what sessions ask for ---- */

static void on_note(void *ctx, bool alarm, const char *text)
{
	(void)ctx;
	savd_note(alarm, "%s", text);
}

/* For the history of the edge's filter. */
static void because(const char *router, const char *interface, const struct addrset *added,
		    const struct addrset *removed)
{
	bool comes = !addrset_is_empty(added);
	char name[160];

	if (!comes && addrset_is_empty(removed))
		return;
	if (radius_sessions_at_work(radius->sessions, name, sizeof(name)))
		savd_history_because(radius->savd->history, router, interface, "RADIUS: %s %s",
				     name, comes ? "brings it" : "gives it up");
	else
		savd_history_because(radius->savd->history, router, interface,
				     "RADIUS: what moved to another edge leaves this one");
}

static void on_edge(void *ctx, const char *router, const char *interface,
		    const struct addrset *added, const struct addrset *removed,
		    enum radius_leave leave, unsigned int sessions)
{
	(void)ctx;
	if (radius->sessions) /* else they are restored */
		because(router, interface, added, removed);
	engine_sessions_change(radius->savd->engine, router, interface, added, removed,
			       leave == RADIUS_LEAVE_NOW ? ENGINE_LEAVE_NOW :
							   ENGINE_LEAVE_HOLD,
			       sessions);
}

/* A NAS can ask for the impossible with every request. */
static void refuse(const struct radius_where *where, const char *why)
{
	int64_t now_ms = savd_now_ms();

	if (radius->refused_ms != 0 && now_ms < radius->refused_ms + REFUSED_MS)
		return;
	radius->refused_ms = now_ms;
	savd_note(true, "RADIUS: rule %u wants edge %s %s as it cannot be: %s", where->rule,
		  where->router, where->interface, why);
}

/* What a session says of its edge: true if that is something else. */
static bool take_wishes(struct config_edge *e, const struct radius_where *where,
			const char *mode, const char *action, const char *customer)
{
	struct config_edge old = *e;

	if (mode[0] != '\0' && !edge_mode_parse(mode, &e->mode))
		refuse(where, "its mode is none of those of \"mode\"");
	if (action[0] != '\0' &&
	    (!filter_action_parse(action, &e->action) || e->action == FILTER_OFF)) {
		e->action = old.action;
		refuse(where, "its action is neither observe nor enforce");
	}
	if (customer[0] != '\0' && !config_customer_find(&radius->savd->cfg, customer))
		refuse(where, "its customer is not configured: type \"customer NAME\"");
	else if (customer[0] != '\0')
		snprintf(e->customer, sizeof(e->customer), "%s", customer);
	return e->mode != old.mode || e->action != old.action ||
	       strcmp(e->customer, old.customer) != 0;
}

static void on_edge_wanted(void *ctx, const struct radius_where *where, const char *mode,
			   const char *action, const char *customer)
{
	struct config *cfg = &radius->savd->cfg;
	const struct config_edge *old = config_edge_find(cfg, where->router, where->interface);
	struct config_edge e;
	struct diag diag;

	(void)ctx;
	if (!config_router_find(cfg, where->router)) {
		refuse(where, "there is no such router: type \"router NAME\"");
		return;
	}
	if (old) {
		config_edge_copy(&e, old);
	} else {
		config_edge_init(&e, where->router, where->interface);
		e.role = where->create;
	}
	if ((take_wishes(&e, where, mode, action, customer) || !old) &&
	    config_edge_put(cfg, &e, &diag) < 0) {
		refuse(where, diag.text);
		radius->again = radius->again || store_is_blocked(radius->savd->store);
		commit_in(COMMIT_RETRY_MS);
	}
	config_edge_fini(&e);
}

static const struct radius_session_ops session_ops = {
	.edge = on_edge,
	.edge_wanted = on_edge_wanted,
	.note = on_note,
};

/* ---- packets ---- */

static void on_request(void *ctx, const struct radius_source *from, const void *data,
		       size_t len)
{
	(void)ctx;
	radius_server_datagram(radius->server, from, data, len, savd_now_ms(), time(NULL));
	changed();
}

static void on_answer(void *ctx, const struct ip_addr *from, uint16_t port,
		      const void *data, size_t len)
{
	(void)ctx;
	radius_profiles_datagram(radius->profiles, from, port, data, len, savd_now_ms());
	changed();
}

static void on_send(void *ctx, const struct radius_source *to, const uint8_t *data,
		    size_t len)
{
	(void)ctx;
	radius_net_send(radius->net, to, data, len);
}

static void on_ask(void *ctx, const struct config_radius_server *to, const uint8_t *data,
		   size_t len)
{
	(void)ctx;
	radius_net_ask(radius->net, &to->addr, to->port, data, len);
}

static const struct radius_net_ops net_ops = {
	.request = on_request,
	.answer = on_answer,
	.note = on_note,
};
static const struct radius_server_ops server_ops = { .send = on_send, .note = on_note };
static const struct radius_profile_ops profile_ops = { .send = on_ask, .note = on_note };

/* ---- configuration ---- */

static void on_config(struct event *t)
{
	int64_t now_ms = savd_now_ms();

	(void)t;
	commit(); /* before sockets close under answers */
	radius_net_listen(radius->net, &radius->savd->cfg.radius);
	if (radius->judge) /* looks at every session */
		radius_sessions_reconfigure(radius->sessions, now_ms);
	radius->judge = false;
	radius_profiles_reconfigure(radius->profiles, now_ms);
	run_time();
}

/* A file of a thousand commands is one change: look when it is over. */
static void config_soon(void)
{
	event_add_event(radius->loop, on_config, NULL, 0, &radius->t_config);
}

static void config_changed(void *arg)
{
	(void)arg;
	radius->judge = true;
	config_soon();
}

/* One of them may have another profile. */
void savd_radius_edges_changed(void *ctx)
{
	(void)ctx;
	if (radius && radius->savd->cfg.radius.n_servers > 0)
		config_soon();
}

/* ---- for the rest of savd ---- */

void savd_radius_applied(const char *router, const char *interface)
{
	if (radius && engine_edge_is_current(radius->savd->engine, router, interface))
		radius_sessions_applied(radius->sessions, router, interface, savd_now_ms());
}

void savd_radius_save(void)
{
	changed();
	commit();
}

struct question {
	const char *router, *interface;
	const struct ip_addr *addr;
	struct ip_prefix *prefix;
	char *text;
	size_t size;
	bool found;
};

static bool here(const struct question *q, const struct radius_saved *s)
{
	return strcmp(s->router, q->router) == 0 && strcmp(s->interface, q->interface) == 0;
}

static void say_elsewhere(struct question *q, struct radius_session *s,
			  const struct radius_session_view *v, size_t i)
{
	char name[200], prefix[IP_TEXT_SIZE];

	radius_session_name(s, name, sizeof(name));
	ip_prefix_format(&v->prefixes[i].prefix, prefix);
	if (v->states[i] == RADIUS_CLAIMED && q->text[0] != '\0')
		return; /* who has it says more */
	if (v->states[i] == RADIUS_CLAIMED)
		snprintf(q->text, q->size, "RADIUS %s asks for %s here, which another session has",
			 name, prefix);
	else
		snprintf(q->text, q->size, "RADIUS %s has %s on edge %s %s", name, prefix,
			 v->saved.router, v->saved.interface);
}

static bool look(struct radius_session *s, const struct radius_session_view *v, void *arg)
{
	struct question *q = arg;

	for (size_t i = 0; i < v->n_prefixes && !q->found; i++) {
		const struct ip_prefix *p = &v->prefixes[i].prefix;
		bool accepted = v->states[i] == RADIUS_ACCEPTED;

		if (!ip_prefix_contains(p, q->addr->family, q->addr->v))
			continue;
		q->found = accepted && here(q, &v->saved);
		*q->prefix = *p;
		if (q->found)
			radius_session_name(s, q->text, q->size);
		else if (accepted || here(q, &v->saved))
			say_elsewhere(q, s, v, i);
	}
	return !q->found;
}

bool savd_radius_explain(void *ctx, const char *router, const char *interface,
			 const struct ip_addr *addr, struct ip_prefix *prefix, char *text,
			 size_t size)
{
	struct ip_prefix p = ip_prefix_make(addr->family, addr->v, ip_bits(addr->family));
	struct question q = { router, interface, addr, prefix, text, size, false };

	(void)ctx;
	text[0] = '\0';
	if (radius)
		radius_sessions_at(radius->sessions, &p, look, &q);
	return q.found;
}

struct savd_radius *savd_radius_start(struct savd *savd, struct event_loop *loop,
				      struct turns *turns)
{
	radius = mem_alloc(sizeof(*radius));
	radius->savd = savd;
	radius->loop = loop;
	radius->sessions = radius_sessions_new(&savd->cfg, &session_ops, NULL);
	radius->server = radius_server_new(&savd->cfg, radius->sessions, &server_ops, NULL);
	radius->profiles =
		radius_profiles_new(&savd->cfg, radius->sessions, &profile_ops, NULL);
	radius->net = radius_net_new(loop, turns, &net_ops, NULL);
	restore();
	metrics_registry_add(savd->metrics, savd_radius_metrics, radius);
	savd->cfg.radius.watch = config_changed;
	config_soon(); /* sockets, when all else has started */
	return radius;
}

void savd_radius_stop(void)
{
	if (!radius)
		return;
	EVENT_OFF(radius->t_commit);
	EVENT_OFF(radius->t_time);
	EVENT_OFF(radius->t_config);
	radius->savd->cfg.radius.watch = NULL;
	commit();
	EVENT_OFF(radius->t_commit);
	radius_net_free(radius->net);
	radius_profiles_free(radius->profiles);
	radius_server_free(radius->server);
	radius_sessions_free(radius->sessions);
	free(radius);
	radius = NULL;
}
