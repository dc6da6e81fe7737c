/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/drops.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

/* More than an honest agent can ever report: its kernel logs a few packets a
 * second. Keeps sums, and bytes of them, far from where 64 bits end. */
#define SAMPLES_MAX ((uint64_t)1 << 45)

struct edge_drops {
	char router[CONFIG_NAME_SIZE];
	char interface[FILTER_IFNAME_SIZE];
	struct drops drops;
};

struct drop_store {
	struct edge_drops *edges; /* by router and interface */
	size_t n, cap;
};

struct drop_store *drop_store_new(void)
{
	return mem_alloc(sizeof(struct drop_store));
}

void drop_store_free(struct drop_store *store)
{
	for (size_t i = 0; store && i < store->n; i++)
		drops_fini(&store->edges[i].drops);
	if (store)
		free(store->edges);
	free(store);
}

/* interface NULL: before all of the router. */
static int edge_cmp(const struct edge_drops *e, const char *router, const char *interface)
{
	int c = strcmp(e->router, router);

	return c != 0 ? c : interface ? strcmp(e->interface, interface) : 1;
}

static size_t locate(const struct drop_store *store, const char *router,
		     const char *interface)
{
	size_t lo = 0, hi = store->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (edge_cmp(&store->edges[mid], router, interface) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static struct edge_drops *find(const struct drop_store *store, const char *router,
			       const char *interface)
{
	size_t at = locate(store, router, interface);

	if (at < store->n && edge_cmp(&store->edges[at], router, interface) == 0)
		return &store->edges[at];
	return NULL;
}

static struct edge_drops *get(struct drop_store *store, const char *router,
			      const char *interface)
{
	struct edge_drops *e = find(store, router, interface);
	size_t at;

	if (e)
		return e;
	at = locate(store, router, interface);
	if (store->n == store->cap) {
		store->cap = store->cap ? store->cap * 2 : 16;
		store->edges = mem_realloc(store->edges, store->cap, sizeof(*store->edges));
	}
	memmove(&store->edges[at + 1], &store->edges[at],
		(store->n - at) * sizeof(*store->edges));
	store->n++;
	e = &store->edges[at];
	memset(e, 0, sizeof(*e));
	strcpy(e->router, router); /* the config has them, so they fit */
	strcpy(e->interface, interface);
	drops_init(&e->drops, DROP_STORE_ROWS);
	return e;
}

size_t drop_store_add(struct drop_store *store, const struct config *cfg,
		      const char *router, const struct drop *rows, size_t n,
		      int64_t now_ms)
{
	size_t left = 0;

	for (size_t i = 0; i < n; i++) {
		struct edge_drops *e = NULL;

		if (config_edge_find(cfg, router, rows[i].interface))
			e = get(store, router, rows[i].interface);
		if (!e || e->drops.samples > SAMPLES_MAX) {
			left++;
			continue;
		}
		drops_expire(&e->drops, now_ms);
		drops_add(&e->drops, &rows[i], now_ms);
	}
	return left;
}

static void forget_at(struct drop_store *store, size_t at)
{
	drops_fini(&store->edges[at].drops);
	store->n--;
	memmove(&store->edges[at], &store->edges[at + 1],
		(store->n - at) * sizeof(*store->edges));
}

void drop_store_forget(struct drop_store *store, const char *router,
		       const char *interface)
{
	struct edge_drops *e = find(store, router, interface);

	if (e)
		forget_at(store, (size_t)(e - store->edges));
}

/* Edges of which nothing was seen for long give their memory back. */
static void expire(struct drop_store *store, int64_t now_ms)
{
	size_t used = 0;

	for (size_t i = 0; i < store->n; i++) {
		struct edge_drops *e = &store->edges[i];

		drops_expire(&e->drops, now_ms);
		if (e->drops.n == 0)
			drops_fini(&e->drops);
		else
			store->edges[used++] = *e;
	}
	store->n = used;
}

static int by_samples(const void *a, const void *b)
{
	const struct drop_seen *x = a, *y = b;

	if (x->drop.samples != y->drop.samples)
		return x->drop.samples > y->drop.samples ? -1 : 1;
	return (x->drop.last_ms < y->drop.last_ms) - (x->drop.last_ms > y->drop.last_ms);
}

/* The best so far; whenever it is full, the worse half goes. */
struct top {
	struct drop_seen *list;
	size_t n, max, all;
};

static void top_cut(struct top *t)
{
	if (t->n != 0)
		qsort(t->list, t->n, sizeof(*t->list), by_samples);
	if (t->n > t->max)
		t->n = t->max;
}

static void top_add(struct top *t, const struct edge_drops *e)
{
	for (size_t i = 0; i < e->drops.n; i++) {
		if (t->n >= 2 * t->max)
			top_cut(t);
		t->list[t->n++] = (struct drop_seen){ e->router, e->drops.rows[i] };
	}
	t->all += e->drops.n;
}

size_t drop_store_top(struct drop_store *store, const char *router, const char *interface,
		      int64_t now_ms, struct drop_seen *out, size_t max, size_t *all)
{
	struct top t = { .max = max };
	size_t at;

	expire(store, now_ms);
	t.list = mem_calloc(2 * max + 1, sizeof(*t.list));
	at = router ? locate(store, router, interface) : 0;
	for (; at < store->n; at++) {
		const struct edge_drops *e = &store->edges[at];

		if ((router && strcmp(e->router, router) != 0) ||
		    (interface && strcmp(e->interface, interface) != 0))
			break;
		top_add(&t, e);
	}
	top_cut(&t);
	memcpy(out, t.list, t.n * sizeof(*out));
	free(t.list);
	if (all)
		*all = t.all;
	return t.n;
}

void drop_store_total(struct drop_store *store, const char *router, const char *interface,
		      int64_t now_ms, struct drop_total *out)
{
	struct edge_drops *e = find(store, router, interface);

	*out = (struct drop_total){ .last_ms = -1 };
	if (!e)
		return;
	drops_expire(&e->drops, now_ms);
	if (e->drops.n == 0) {
		forget_at(store, (size_t)(e - store->edges));
		return;
	}
	out->rows = e->drops.n;
	out->samples = e->drops.samples;
	for (size_t i = 0; i < e->drops.n; i++) {
		const struct drop *row = &e->drops.rows[i];

		out->bytes += row->bytes;
		if (row->last_ms > out->last_ms)
			out->last_ms = row->last_ms;
	}
}
