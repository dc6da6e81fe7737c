/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/savd_history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "controller/savd_edge.h"
#include "lib/mem.h"

/* So few that their transaction is a matter of milliseconds, besides the disk's own. */
#define TRIM_ROWS 500
#define SAVE_ROWS 100

#define REASON_SIZE 400

struct event_waiting {
	int64_t at_ms;
	bool alarm;
	char *text;
};

struct edge_gone {
	char router[CONFIG_NAME_SIZE];
	char interface[FILTER_IFNAME_SIZE];
	int64_t at_ms;
};

struct savd_history {
	struct savd *savd;
	struct event_waiting *events;
	size_t n_events, events_lost;
	struct edge_gone *gone;
	size_t n_gone, gone_cap;
	int64_t revision; /* that the run before this one knew */
	int64_t cause;	  /* of this run's filters: a revision; 0: none, -1: the start */
};

static int64_t wall_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct savd_history *savd_history_new(struct savd *savd)
{
	struct savd_history *h = mem_alloc(sizeof(*h));

	h->savd = savd;
	h->revision = -1;
	return h;
}

/* The first so many are saved. */
static void events_forget(struct savd_history *h, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(h->events[i].text);
	h->n_events -= n;
	if (h->n_events > 0)
		memmove(h->events, &h->events[n], h->n_events * sizeof(*h->events));
}

static void gone_forget(struct savd_history *h, size_t n)
{
	h->n_gone -= n;
	if (h->n_gone > 0)
		memmove(h->gone, &h->gone[n], h->n_gone * sizeof(*h->gone));
}

void savd_history_free(struct savd_history *h)
{
	if (!h)
		return;
	events_forget(h, h->n_events);
	free(h->events);
	free(h->gone);
	free(h);
}

/* ---- what happens ---- */

void savd_history_run(struct savd_history *h)
{
	int64_t revision = savd_revision();

	if (h->revision < 0)
		h->cause = -1;
	else
		h->cause = revision != h->revision ? revision : 0;
	h->revision = revision;
}

void savd_history_because(struct savd_history *h, const char *router, const char *interface,
			  const char *fmt, ...)
{
	struct savd_edge *e = savd_edge_get(h->savd, router, interface);
	va_list ap;

	if (!e)
		return;
	va_start(ap, fmt);
	vsnprintf(e->because, sizeof(e->because), fmt, ap);
	va_end(ap);
	e->because_run = h->savd->runs;
}

void savd_history_sent(struct savd_history *h, struct savd_edge *e)
{
	struct engine_change change =
		engine_edge_change(h->savd->engine, e->router, e->interface);

	/* several filters may be saved as one: another action says less */
	if (!e->unsaved || change.came || change.went)
		e->change = change;
	e->unsaved = true;
	if (e->because_run != h->savd->runs)
		e->because[0] = '\0';
	e->sent_ms = wall_ms();
	e->sent_cause = h->cause;
}

void savd_history_gone(struct savd_history *h, const char *router, const char *interface)
{
	struct edge_gone *g;

	if (h->n_gone == h->gone_cap) {
		h->gone_cap = h->gone_cap ? 2 * h->gone_cap : 16;
		h->gone = mem_realloc(h->gone, h->gone_cap, sizeof(*h->gone));
	}
	g = &h->gone[h->n_gone++];
	g->at_ms = wall_ms();
	snprintf(g->router, sizeof(g->router), "%s", router);
	snprintf(g->interface, sizeof(g->interface), "%s", interface);
}

void savd_history_event(struct savd_history *h, bool alarm, const char *text)
{
	if (h->n_events == SAVD_EVENTS_MAX) {
		h->events_lost++;
		return;
	}
	if (!h->events)
		h->events = mem_calloc(SAVD_EVENTS_MAX, sizeof(*h->events));
	h->events[h->n_events++] = (struct event_waiting){
		.at_ms = wall_ms(),
		.alarm = alarm,
		.text = mem_strdup(text),
	};
}

/* ---- saving ---- */

static int save_events(struct savd_history *h, size_t n, struct diag *diag)
{
	struct store_event e;
	char text[96];

	for (size_t i = 0; i < n; i++) {
		e = (struct store_event){ h->events[i].at_ms, h->events[i].alarm,
					  h->events[i].text };
		if (store_event_add(h->savd->store, &e, diag) < 0)
			return -1;
	}
	if (h->events_lost == 0)
		return 0;
	snprintf(text, sizeof(text), "%zu more events came before these could be saved",
		 h->events_lost);
	e = (struct store_event){ wall_ms(), true, text };
	return store_event_add(h->savd->store, &e, diag);
}

static int save_gone(struct savd_history *h, size_t n, struct diag *diag)
{
	for (size_t i = 0; i < n; i++) {
		const struct edge_gone *g = &h->gone[i];

		if (store_set_gone_add(h->savd->store, g->router, g->interface, g->at_ms,
				       diag) < 0 ||
		    store_generation_delete(h->savd->store, g->router, g->interface, diag) <
			    0)
			return -1;
	}
	return 0;
}

/* Why the first address of those that came or went is in, or out, now: by a route
 * of which peer, a record, a session. */
static void explain_change(struct savd_history *h, const struct savd_edge *e,
			   const struct engine_change *c, char reason[REASON_SIZE])
{
	const struct ip_addr *addr = c->came ? &c->came_addr : &c->went_addr;
	char text[IP_TEXT_SIZE];
	struct explain x;

	ip_addr_format(addr, text);
	if (!engine_explain(h->savd->engine, e->router, e->interface, addr, savd_now_ms(),
			    &x) ||
	    x.admitted != c->came) /* it was so for a moment only */
		snprintf(reason, REASON_SIZE, "routes: %s %s", text,
			 c->came ? "came" : "left");
	else
		snprintf(reason, REASON_SIZE, "%s: %s", c->came ? "came" : "left", x.text);
}

static void reason_of(struct savd_history *h, const struct savd_edge *e,
		      const struct engine_edge_status *s, char reason[REASON_SIZE])
{
	if (e->sent_cause > 0)
		snprintf(reason, REASON_SIZE, "configuration revision %lld",
			 (long long)e->sent_cause);
	else if (e->sent_cause < 0)
		snprintf(reason, REASON_SIZE, "savd was started");
	else if (s->stale)
		snprintf(reason, REASON_SIZE, "its feed is dead");
	else if (e->because[0] != '\0')
		snprintf(reason, REASON_SIZE, "%s", e->because);
	else if (e->change.came || e->change.went)
		explain_change(h, e, &e->change, reason);
	else
		snprintf(reason, REASON_SIZE, "%s: %s", filter_action_name(s->filter->action),
			 s->reason[0] != '\0' ? s->reason : "ready");
}

static int save_edge(struct savd_history *h, const struct savd_edge *e,
		     const struct engine_edge_status *s, struct diag *diag)
{
	char reason[REASON_SIZE];

	reason_of(h, e, s, reason);
	if (store_set_change_add(h->savd->store, e->router, s->filter, e->sent_ms, reason,
				 diag) < 0)
		return -1;
	return store_generation_save(h->savd->store, e->router, s->filter,
				     e->sent_ms / 1000, diag);
}

/* The next so many that wait: their places among the edges. */
static size_t edges_waiting(const struct savd_history *h, size_t at[SAVE_ROWS + 1])
{
	size_t n = 0;

	for (size_t i = 0; i < h->savd->n_edges && n <= SAVE_ROWS; i++) {
		if (h->savd->edges[i]->unsaved)
			at[n++] = i;
	}
	return n;
}

static int save_edges(struct savd_history *h, const size_t *at, size_t n, struct diag *diag)
{
	struct engine_edge_status status;

	for (size_t i = 0; i < n; i++) {
		const struct savd_edge *e = h->savd->edges[at[i]];

		if (engine_edge_status(h->savd->engine, e->router, e->interface, &status) &&
		    save_edge(h, e, &status, diag) < 0)
			return -1;
	}
	return 0;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

int savd_history_save(struct savd_history *h, struct diag *diag)
{
	struct store *store = h->savd->store;
	size_t at[SAVE_ROWS + 1];
	size_t n_gone = least(h->n_gone, SAVE_ROWS), n_events = least(h->n_events, SAVE_ROWS);
	/* an edge that is gone may be there again: first the one, then the other */
	size_t waiting = n_gone < h->n_gone ? SAVE_ROWS + 1 : edges_waiting(h, at);
	size_t n_edges = n_gone < h->n_gone ? 0 : least(waiting, SAVE_ROWS);

	if (store_begin(store, diag) < 0)
		return -1;
	if (save_gone(h, n_gone, diag) < 0 || save_edges(h, at, n_edges, diag) < 0 ||
	    save_events(h, n_events, diag) < 0) {
		store_rollback(store);
		return -1;
	}
	if (store_commit(store, diag) < 0)
		return -1;
	for (size_t i = 0; i < n_edges; i++)
		h->savd->edges[at[i]]->unsaved = false;
	gone_forget(h, n_gone);
	events_forget(h, n_events);
	h->events_lost = 0;
	return h->n_gone > 0 || waiting > n_edges || h->n_events > 0;
}

int savd_history_trim(struct savd_history *h, struct diag *diag)
{
	struct config_history keep = config_history_get(&h->savd->cfg);
	int n = store_history_trim(h->savd->store,
				   wall_ms() - (int64_t)keep.days * 86400000,
				   (int64_t)keep.megabytes * 1000000, TRIM_ROWS, diag);

	return n < 0 ? -1 : n >= TRIM_ROWS;
}
