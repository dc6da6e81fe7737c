/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/head/head.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "lib/fnv.h"
#include "lib/mem.h"
#include "lib/rangeset.h"

#define BUCKETS 16384

struct client;

/* A prefix in a table, and whose it is. */
struct route {
	struct route *next;
	struct head_route r;
	struct client *client;
	enum head_fate fate;
};

struct client {
	struct client *next; /* same hash of the name */
	char name[NAME_SIZE], of[NAME_SIZE];
	char *identity;
	char interface[FILTER_IFNAME_SIZE];
	uint32_t ifindex;
	bool up, seen;
	int64_t since_s;
	struct ip_prefix *prefixes; /* what it may have announced */
	size_t n;
	bool too_many, has_default;
	/* announced of them, in this table; the routes are in head->routes */
	size_t n_announced;
	uint32_t table, table_ifindex;
	size_t n_taken; /* by others, so it waits */
	int64_t not_before_ms;
};

struct head {
	const struct head_config *config;
	head_route_fn *route;
	head_note_fn *note;
	void *ctx;
	struct client *clients[BUCKETS];
	struct route *routes[BUCKETS];
	size_t n_waiting; /* clients that want what another one has */
	bool known;
	int64_t lost_ms; /* sav-iked ended then, 0: it is there */
	uint64_t added, withdrawn;
};

/* ---- configuration ---- */

void head_config_init(struct head_config *config)
{
	*config = (struct head_config){ .distance = HEAD_DISTANCE, .hold_s = HEAD_HOLD_S };
}

void head_config_fini(struct head_config *config)
{
	free(config->list);
	config->list = NULL;
	config->n = 0;
}

static int by_name(const void *item, const void *key)
{
	return strcmp(item, key);
}

static struct head_announce *announce_find(const struct head_config *config, const char *name)
{
	bool found;
	size_t at = array_locate(config->list, config->n, sizeof(*config->list), name, by_name, &found);

	return found ? &config->list[at] : NULL;
}

int head_config_announce(struct head_config *config, const char *name, uint32_t table, struct diag *diag)
{
	struct head_announce *at = announce_find(config, name), item = { .table = table };
	void *list = config->list;

	if (!name_is_valid(name))
		return diag_set(diag, "\"%s\" is not the name of a tunnel", name);
	if (table && config->graceful_s)
		return diag_set(diag, "zebra would never clear table %u of what this daemon leaves: \"no graceful-restart\" first",
				table);
	if (at) {
		at->table = table;
		return 0;
	}
	snprintf(item.name, sizeof(item.name), "%s", name);
	array_set(&list, &config->n, sizeof(item), &item, by_name, true);
	config->list = list;
	return 0;
}

int head_config_silence(struct head_config *config, const char *name, struct diag *diag)
{
	struct head_announce *at = announce_find(config, name);

	if (!at)
		return diag_set(diag, "\"announce %s\" is not configured", name);
	array_remove(config->list, &config->n, sizeof(*at), (size_t)(at - config->list));
	return 0;
}

int head_config_graceful(struct head_config *config, uint32_t seconds, struct diag *diag)
{
	for (size_t i = 0; i < config->n && seconds; i++)
		if (config->list[i].table)
			return diag_set(diag,
					"zebra would never clear table %u of what this daemon leaves: \"announce %s\" without a "
					"table first",
					config->list[i].table, config->list[i].name);
	config->graceful_s = seconds;
	return 0;
}

/* Its own name before that of the tunnel whose client it is. */
static const struct head_announce *announce_of(const struct head *head, const struct client *c)
{
	const struct head_announce *own = announce_find(head->config, c->name);

	return own || !c->of[0] ? own : announce_find(head->config, c->of);
}

/* ---- tables ---- */

static uint32_t hash(const void *data, size_t len)
{
	return fnv_more(FNV_BEGIN, data, len) % BUCKETS;
}

static struct client **client_place(struct head *head, const char *name)
{
	struct client **at = &head->clients[hash(name, strlen(name))];

	while (*at && strcmp((*at)->name, name) != 0)
		at = &(*at)->next;
	return at;
}

static struct route **route_place(struct head *head, const struct ip_prefix *p, uint32_t table)
{
	struct route **at = &head->routes[(hash(&p->v, sizeof(p->v)) + p->len * 31u + table * 7u) % BUCKETS];

	while (*at && ((*at)->r.table != table || ip_prefix_cmp(&(*at)->r.prefix, p) != 0))
		at = &(*at)->next;
	return at;
}

/* ---- routes ---- */

static void withdraw(struct head *head, struct route **at)
{
	struct route *route = *at;

	*at = route->next;
	route->client->n_announced--;
	head->withdrawn++;
	head->route(head->ctx, &route->r, false);
	free(route);
}

static void withdraw_all(struct head *head, struct client *c)
{
	for (size_t i = 0; i < c->n && c->n_announced; i++) {
		struct route **at = route_place(head, &c->prefixes[i], c->table);

		if (*at && (*at)->client == c)
			withdraw(head, at);
	}
}

static void announce(struct head *head, struct client *c)
{
	size_t taken = 0;

	for (size_t i = 0; i < c->n; i++) {
		struct route **at = route_place(head, &c->prefixes[i], c->table), *route = *at;

		if (route) {
			taken += route->client != c;
			continue;
		}
		route = *at = mem_alloc(sizeof(*route));
		route->r = (struct head_route){ c->prefixes[i], c->table, c->table_ifindex };
		route->client = c;
		c->n_announced++;
		head->added++;
		head->route(head->ctx, &route->r, true);
	}
	head->n_waiting += (taken != 0) - (c->n_taken != 0);
	c->n_taken = taken;
}

static void no_more(struct head *head, struct client *c)
{
	withdraw_all(head, c);
	head->n_waiting -= c->n_taken != 0;
	c->n_taken = 0;
}

/* ---- decisions ---- */

static const char *why_not(const struct head *head, const struct client *c, int64_t now_ms)
{
	if (!announce_of(head, c))
		return "not configured";
	if (!c->up)
		return "the tunnel is down";
	if (!c->ifindex)
		return "its interface is not there";
	if (now_ms < c->not_before_ms)
		return "it was down a moment ago";
	if (c->too_many)
		return "its selectors are too many prefixes";
	if (c->n == 0)
		return c->has_default ? "the default route is no client's prefix" : "no selector is a prefix as a whole";
	return NULL;
}

/* before: so many were announced, of which some may have gone already. */
static void decide_from(struct head *head, struct client *c, size_t before, int64_t now_ms)
{
	const struct head_announce *a = announce_of(head, c);
	const size_t kept = c->n_announced;
	const char *why = why_not(head, c, now_ms);

	if (why) {
		no_more(head, c);
		if (before)
			head->note(head->ctx, c->name, before, why);
		if (before && !c->up)
			c->not_before_ms = now_ms + (int64_t)head->config->hold_s * 1000;
		return;
	}
	if (kept && (c->table != a->table || c->table_ifindex != c->ifindex))
		no_more(head, c);
	c->table = a->table;
	c->table_ifindex = c->ifindex;
	announce(head, c);
	if (c->n_announced && (before != c->n_announced || kept != c->n_announced))
		head->note(head->ctx, c->name, c->n_announced, "");
}

static void decide(struct head *head, struct client *c, int64_t now_ms)
{
	decide_from(head, c, c->n_announced, now_ms);
}

/* What has become free may be another's. */
static void decide_waiting(struct head *head, int64_t now_ms)
{
	for (size_t i = 0; i < BUCKETS && head->n_waiting; i++)
		for (struct client *c = head->clients[i]; c; c = c->next)
			if (c->n_taken)
				decide(head, c, now_ms);
}

static void decide_all(struct head *head, int64_t now_ms)
{
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct client *c = head->clients[i]; c; c = c->next)
			decide(head, c, now_ms);
	decide_waiting(head, now_ms);
}

/* ---- what sav-iked says ---- */

struct gathering {
	struct client *c;
	size_t cap;
};

static void gather(const struct ip_prefix *p, void *arg)
{
	struct gathering *g = arg;
	struct client *c = g->c;

	if (p->len == 0) {
		c->has_default = true;
		return;
	}
	if (c->n == HEAD_PREFIXES_MAX) {
		c->too_many = true;
		return;
	}
	if (c->n == g->cap) {
		g->cap = g->cap ? g->cap * 2 : 2;
		c->prefixes = mem_realloc(c->prefixes, g->cap, sizeof(*c->prefixes));
	}
	c->prefixes[c->n++] = *p;
}

/* Only what every packet of an address may take. */
static void gather_prefixes(struct client *c, const struct tunnel_state *t)
{
	struct gathering g = { c, 0 };

	c->prefixes = NULL;
	c->n = 0;
	c->too_many = c->has_default = false;
	for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++) {
		struct rangeset set = { 0 };

		for (size_t i = 0; i < t->n_remote; i++) {
			const struct tunnel_selector *ts = &t->remote_ts[i];

			if (ts->first.family == f && ts->protocol == 0 && ts->port_first == 0 && ts->port_last == UINT16_MAX)
				rangeset_append(&set, ts->first.v, ts->last.v);
		}
		rangeset_normalize(&set);
		rangeset_each_prefix(&set, f, gather, &g);
		rangeset_fini(&set);
	}
}

static bool has_prefix(const struct client *c, const struct ip_prefix *p)
{
	for (size_t i = 0; i < c->n; i++)
		if (ip_prefix_cmp(&c->prefixes[i], p) == 0)
			return true;
	return false;
}

/* Those that it has no more go, the others stay as they are. */
static void take_prefixes(struct head *head, struct client *c, const struct tunnel_state *t)
{
	struct ip_prefix *was = c->prefixes;
	size_t n_was = c->n;

	gather_prefixes(c, t);
	for (size_t i = 0; i < n_was && c->n_announced; i++) {
		struct route **at = route_place(head, &was[i], c->table);

		if (*at && (*at)->client == c && !has_prefix(c, &was[i]))
			withdraw(head, at);
	}
	free(was);
}

static void take_tunnel(struct head *head, const struct tunnel_state *t, int64_t now_ms)
{
	struct client **at = client_place(head, t->name), *c = *at;
	const size_t before = c ? c->n_announced : 0;

	if (!c) {
		c = *at = mem_alloc(sizeof(*c));
		snprintf(c->name, sizeof(c->name), "%s", t->name);
	}
	c->seen = true;
	snprintf(c->of, sizeof(c->of), "%s", t->client_of);
	if (!c->identity || strcmp(c->identity, t->identity) != 0) {
		free(c->identity);
		c->identity = mem_strdup(t->identity);
	}
	snprintf(c->interface, sizeof(c->interface), "%s", t->interface);
	c->ifindex = t->ifindex;
	c->since_s = t->since_s;
	c->up = t->up;
	take_prefixes(head, c, t);
	decide_from(head, c, before, now_ms);
	if (before)
		decide_waiting(head, now_ms);
}

static void client_drop(struct head *head, struct client **at, int64_t now_ms)
{
	struct client *c = *at;
	const bool had = c->n_announced;

	no_more(head, c);
	if (had)
		head->note(head->ctx, c->name, 0, "it is gone");
	*at = c->next;
	free(c->identity);
	free(c->prefixes);
	free(c);
	if (had)
		decide_waiting(head, now_ms);
}

void head_snapshot(struct head *head)
{
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct client *c = head->clients[i]; c; c = c->next)
			c->seen = false;
}

static void drop_unseen(struct head *head, int64_t now_ms)
{
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct client **at = &head->clients[i]; *at;) {
			if ((*at)->seen)
				at = &(*at)->next;
			else
				client_drop(head, at, now_ms);
		}
}

void head_update(struct head *head, const struct tunnel_update *u, int64_t now_ms)
{
	struct client **at;

	switch (u->type) {
	case TUNNEL_UPDATE_UNKNOWN:
		break;
	case TUNNEL_UPDATE_TUNNEL:
		take_tunnel(head, &u->tunnel, now_ms);
		break;
	case TUNNEL_UPDATE_GONE:
		at = client_place(head, u->tunnel.name);
		if (*at)
			client_drop(head, at, now_ms);
		break;
	case TUNNEL_UPDATE_COMPLETE:
		drop_unseen(head, now_ms);
		head->known = true;
		head->lost_ms = 0;
		break;
	}
}

void head_lost(struct head *head, int64_t now_ms)
{
	if (!head->lost_ms)
		head->lost_ms = now_ms;
	head->known = false;
	head_snapshot(head);
}

/* ---- life ---- */

struct head *head_new(const struct head_config *config, head_route_fn *route, head_note_fn *note, void *ctx)
{
	struct head *head = mem_alloc(sizeof(*head));

	head->config = config;
	head->route = route;
	head->note = note;
	head->ctx = ctx;
	return head;
}

void head_free(struct head *head)
{
	if (!head)
		return;
	for (size_t i = 0; i < BUCKETS; i++) {
		while (head->routes[i]) {
			struct route *route = head->routes[i];

			head->routes[i] = route->next;
			free(route);
		}
		while (head->clients[i]) {
			struct client *c = head->clients[i];

			head->clients[i] = c->next;
			free(c->identity);
			free(c->prefixes);
			free(c);
		}
	}
	free(head);
}

void head_configured(struct head *head, int64_t now_ms)
{
	decide_all(head, now_ms);
}

void head_resend(struct head *head, bool to_new)
{
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct route *route = head->routes[i]; route; route = route->next) {
			if (to_new)
				route->fate = HEAD_STANDBY;
			head->route(head->ctx, &route->r, true);
		}
}

void head_fate(struct head *head, const struct ip_prefix *prefix, uint32_t table, enum head_fate fate)
{
	struct route *route = *route_place(head, prefix, table);

	if (route)
		route->fate = fate;
}

int64_t head_run(struct head *head, int64_t now_ms)
{
	int64_t next = INT64_MAX;

	if (head->lost_ms && now_ms >= head->lost_ms + (int64_t)head->config->hold_s * 1000) {
		drop_unseen(head, now_ms);
		head->lost_ms = 0;
	}
	if (head->lost_ms)
		next = head->lost_ms + (int64_t)head->config->hold_s * 1000;
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct client *c = head->clients[i]; c; c = c->next) {
			if (!c->not_before_ms || !c->up)
				continue;
			if (now_ms >= c->not_before_ms) {
				c->not_before_ms = 0;
				decide(head, c, now_ms);
			} else if (c->not_before_ms < next) {
				next = c->not_before_ms;
			}
		}
	return next;
}

/* ---- for show ---- */

static int row_cmp(const void *a, const void *b)
{
	const struct client *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

static int64_t held_ms(const struct client *c, int64_t now_ms)
{
	return c->up && now_ms < c->not_before_ms ? c->not_before_ms - now_ms : 0;
}

static struct head_row row_of(const struct head *head, const struct client *c, int64_t now_ms)
{
	const char *why = why_not(head, c, now_ms);
	const struct head_announce *a = announce_of(head, c);

	if (!why && c->n_taken)
		why = "another client has the prefix";
	return (struct head_row){ .name = c->name, .of = c->of, .identity = c->identity, .interface = c->interface,
				  .ifindex = c->ifindex, .table = a ? a->table : 0, .up = c->up, .since_s = c->since_s,
				  .why = why ? why : "", .held_ms = held_ms(c, now_ms) };
}

/* For head_each_prefix(). */
struct shown {
	const struct head *head;
	const struct client *client;
};

void head_each(const struct head *head, int64_t now_ms, void (*fn)(void *ctx, const struct head_row *row, const void *client),
	       void *ctx)
{
	const struct client **list = NULL;
	size_t n = 0, cap = 0;

	for (size_t i = 0; i < BUCKETS; i++)
		for (const struct client *c = head->clients[i]; c; c = c->next) {
			if (!announce_of(head, c))
				continue;
			if (n == cap)
				list = mem_realloc(list, cap = cap ? cap * 2 : 64, sizeof(struct client *));
			list[n++] = c;
		}
	if (n)
		qsort(list, n, sizeof(struct client *), row_cmp);
	for (size_t i = 0; i < n; i++) {
		const struct head_row row = row_of(head, list[i], now_ms);
		const struct shown shown = { head, list[i] };

		fn(ctx, &row, &shown);
	}
	free(list);
}

void head_each_prefix(const void *shown, head_prefix_fn *fn, void *ctx)
{
	const struct shown *s = shown;

	for (size_t i = 0; i < s->client->n; i++) {
		/* only looks */
		const struct route *route =
			*route_place((struct head *)(uintptr_t)s->head, &s->client->prefixes[i], s->client->table);
		const bool announced = route && route->client == s->client;

		fn(ctx, &s->client->prefixes[i], announced, announced ? route->fate : HEAD_STANDBY);
	}
}

const char *head_fate_name(enum head_fate fate)
{
	static const char *const names[] = { "standby", "in use", "refused" };

	return names[fate];
}

void head_totals(const struct head *head, int64_t now_ms, struct head_totals *out)
{
	*out = (struct head_totals){ .known = head->known, .added = head->added, .withdrawn = head->withdrawn };
	for (size_t i = 0; i < BUCKETS; i++) {
		for (const struct client *c = head->clients[i]; c; c = c->next) {
			if (!announce_of(head, c))
				continue;
			out->clients++;
			out->up += c->up;
			out->held += held_ms(c, now_ms) != 0;
			out->announced += c->n_announced;
		}
		for (const struct route *route = head->routes[i]; route; route = route->next)
			out->in_use += route->fate == HEAD_IN_USE;
	}
}
