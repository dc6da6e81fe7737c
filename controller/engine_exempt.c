/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Whom an edge lets talk to the router itself: its BGP peers at once, and those
 * that left it until the hold-down has passed. A peer's packets follow the routes
 * of its own side, which may still be those of before: an exception that goes
 * with the router's route to it takes the session along, and with that all that
 * it announces.
 *
 * Time is as for what peers announce (hold.h), but for two things. No brake asks:
 * this lets nothing through the router. And a command waits as well: to name
 * another edge for a peer is to move it, and its session is up.
 */
#include "controller/engine_impl.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/mem.h"

static void put_addr(struct addrset *set, const struct ip_addr *addr)
{
	rangeset_append(&set->f[addr->family], addr->v, addr->v);
}

void engine_exempt_current(const struct engine *e, const struct engine_edge *edge,
			   struct addrset *out)
{
	const struct config_edge *c = &e->cfg->edges[edge->index];
	struct ip_addr *list = NULL;
	size_t n = 0;

	addrset_fini(out);
	for (size_t i = 0; i < c->n_peers; i++)
		config_addrs_set(&list, &n, &c->peers[i], true);
	for (const struct engine_way *way = edge->ways; way; way = way->edge_next) {
		if (n < FILTER_PEERS_MAX)
			config_addrs_set(&list, &n, &rib_peer_key(way->peer->rib)->addr, true);
	}
	for (size_t i = 0; i < n; i++)
		put_addr(out, &list[i]);
	addrset_normalize(out);
	free(list);
}

static void note_left(struct engine_edge *edge)
{
	edge->exempt_left = !dynaddrset_is_empty(&edge->exempt.absent);
}

static void drop(struct engine_edge *edge, const struct addrset *gone)
{
	struct addrset left = { 0 };

	hold_drop(&edge->exempt, gone, &left);
	edge->exempt_changed |= !addrset_is_empty(&left);
	note_left(edge);
	addrset_fini(&left);
}

static size_t count(const struct hold *h)
{
	u128 size[IP_FAMILIES];

	hold_size(h, size);
	return (size_t)(size[IP_V4] + size[IP_V6]);
}

/* The filter has room for so many: who left first makes it. */
static void make_room(struct engine_edge *edge)
{
	const struct hold *h = &edge->exempt;
	struct ip_addr addr;

	while (count(h) > FILTER_PEERS_MAX &&
	       dynaddrset_first(h->n ? &h->entries[0].gone : &h->idle, &addr)) {
		struct addrset one = { 0 };

		put_addr(&one, &addr);
		drop(edge, &one);
		addrset_fini(&one);
	}
}

void engine_exempt_judge(struct engine *e, struct engine_edge *edge)
{
	struct addrset now = { 0 }, before = { 0 }, left = { 0 }, fresh = { 0 };

	engine_exempt_current(e, edge, &now);
	hold_computed(&edge->exempt, &before);
	if (!addrset_equal(&now, &before)) {
		addrset_subtract(&left, &before, &now);
		hold_remove(&edge->exempt, &left);
		hold_add(&edge->exempt, &now, &fresh);
		edge->exempt_changed |= !addrset_is_empty(&fresh);
		make_room(edge);
		note_left(edge);
	}
	addrset_fini(&now);
	addrset_fini(&before);
	addrset_fini(&left);
	addrset_fini(&fresh);
}

void engine_exempt_wait(const struct engine *e, struct engine_edge *edge, int64_t now_ms)
{
	if (edge->exempt_left)
		hold_wait(&edge->exempt,
			  (int64_t)e->cfg->edges[edge->index].holddown_s * 1000, now_ms);
}

void engine_exempt_drop_left(struct engine_edge *edge)
{
	struct addrset all = { 0 };

	if (!edge->exempt_left)
		return;
	dynaddrset_export(&edge->exempt.absent, &all);
	drop(edge, &all);
	addrset_fini(&all);
}

void engine_exempt_expire(const struct engine *e, struct engine_edge *edge, int64_t now_ms)
{
	const struct hold *h = &edge->exempt;
	int64_t due_ms;

	for (;;) {
		struct addrset gone = { 0 };

		due_ms = engine_exempt_next_ms(e, edge);
		if (due_ms < 0 || due_ms > now_ms)
			return;
		dynaddrset_export(&h->entries[0].gone, &gone);
		drop(edge, &gone);
		addrset_fini(&gone);
	}
}

/* An edge that is not settled is looked at when it is. */
int64_t engine_exempt_next_ms(const struct engine *e, const struct engine_edge *edge)
{
	int64_t due_ms = edge->exempt_left && edge->settled ? hold_next_ms(&edge->exempt) : -1;

	return due_ms >= 0 && due_ms < e->awake_ms ? e->awake_ms : due_ms;
}

/* The addresses of *set: no more than there are in a filter. */
static size_t list_of(const struct dynaddrset *set, struct ip_addr list[FILTER_PEERS_MAX])
{
	struct addrset all = { 0 };
	size_t n = 0;

	dynaddrset_export(set, &all);
	for (uint8_t family = IP_V4; family < IP_FAMILIES; family++) {
		for (size_t i = 0; i < all.f[family].n; i++) {
			const struct ip_range *r = &all.f[family].r[i];

			for (u128 k = 0; k <= r->last - r->first && n < FILTER_PEERS_MAX; k++)
				list[n++] = (struct ip_addr){ r->first + k, family };
		}
	}
	addrset_fini(&all);
	return n;
}

bool engine_exempt_take(struct engine_edge *edge)
{
	struct ip_addr list[FILTER_PEERS_MAX];

	if (!edge->exempt_changed)
		return false;
	edge->exempt_changed = false;
	filter_set_peers(&edge->filter, list, list_of(&edge->exempt.enforced, list));
	return true;
}

void engine_exempt_restore(struct engine_edge *edge)
{
	struct addrset all = { 0 }, fresh = { 0 };

	for (size_t i = 0; i < edge->filter.n_peers; i++)
		put_addr(&all, &edge->filter.peers[i]);
	addrset_normalize(&all);
	hold_add(&edge->exempt, &all, &fresh);
	hold_remove(&edge->exempt, &all);
	note_left(edge);
	addrset_fini(&all);
	addrset_fini(&fresh);
}

/* ---- to show ---- */

/* -1: nobody knows, the feeds are to be complete first. */
static int64_t due_of(const struct engine *e, const struct engine_edge *edge,
		      const struct ip_addr *addr)
{
	int64_t due_ms = edge->settled ? hold_due_ms(&edge->exempt, addr) : -1;

	return due_ms >= 0 && due_ms < e->awake_ms ? e->awake_ms : due_ms;
}

void engine_edge_left_walk(const struct engine *e, const char *router, const char *interface,
			   engine_left_fn *fn, void *arg)
{
	const struct engine_edge *edge = engine_edge_find(e, router, interface);
	struct ip_addr list[FILTER_PEERS_MAX];
	size_t n = edge ? list_of(&edge->exempt.absent, list) : 0;

	for (size_t i = 0; i < n; i++) {
		struct engine_left left = { list[i], due_of(e, edge, &list[i]) };

		fn(&left, arg);
	}
}

void engine_exempt_say(const struct engine *e, const struct engine_edge *edge,
		       const struct ip_addr *addr, int64_t now_ms, char *text, size_t size)
{
	char addr_text[IP_TEXT_SIZE];
	int64_t due_ms;

	text[0] = '\0';
	if (!dynaddrset_contains(&edge->exempt.enforced, addr))
		return;
	ip_addr_format(addr, addr_text);
	due_ms = due_of(e, edge, addr);
	if (hold_is_computed(&edge->exempt, addr))
		snprintf(text, size,
			 "%s may still talk to the router itself, as a BGP peer of this edge",
			 addr_text);
	else if (due_ms < 0)
		snprintf(text, size,
			 "%s may still talk to the router itself: it was a BGP peer of this edge, "
			 "and stays one until the feeds are complete",
			 addr_text);
	else
		snprintf(text, size,
			 "%s may still talk to the router itself: it was a BGP peer of this edge, "
			 "and stays one for its hold-down, %lld s more",
			 addr_text,
			 due_ms > now_ms ? (long long)(due_ms - now_ms + 999) / 1000 : 0LL);
}
