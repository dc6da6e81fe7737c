/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Rounds: when, in slices, and what is said of the outcome.
 */
#include "controller/engine_compare_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/engine_bgp.h"
#include "controller/engine_feed_impl.h"
#include "lib/mem.h"

#define EVERY_MS ((int64_t)300 * 1000)
/* Between the beginnings of two rounds, however often they are asked for. */
#define APART_MS 10000
/* Look-ups in one slice, and the time to the next. */
#define SLICE	 2048
#define PAUSE_MS 10

const char *compare_kind_text(enum compare_kind kind)
{
	static const char *const texts[COMPARE_KINDS] = {
		[COMPARE_UNEXPLAINED] = "for no known reason",
		[COMPARE_NEXT_HOP] = "there with another next hop (next-hop-self, or a policy)",
		[COMPARE_PRE_POLICY] = "BMP shows that peer before its import policy only",
		[COMPARE_INTERNAL] = "of internal sessions, not sent to another one",
		[COMPARE_BEST_ONLY] = "not best, and the BGP session has no add-path",
		[COMPARE_LOCAL] = "the router's own",
		[COMPARE_COMMUNITY] = "with community no-advertise",
		[COMPARE_UNRESOLVED] = "with a next hop that the router has no route to",
		[COMPARE_LOADING] = "of peers whose table BMP has not told in full",
	};

	return texts[kind];
}

/* ---- whether there is something to compare */

/* NULL: there is. */
static const char *why_not(const struct engine *e, const struct engine_router *r)
{
	if (!config_router_find(e->cfg, r->name))
		return "it is not configured any more";
	if (!r->bgp)
		return "it has no BGP session with savd (\"bgp neighbor\" in its router)";
	if (!engine_bgp_is_complete(r))
		return "its BGP session has not told a whole table";
	if (!engine_feed_is_live(r))
		return "it sends no BMP";
	return r->feed->heard ? NULL : "its BMP session has not told a whole table";
}

/* ---- a round */

static void result_fini(struct compare_result *result)
{
	free(result->sample.list);
	*result = (struct compare_result){ 0 };
}

static void round_free(struct compare_round *round)
{
	if (!round)
		return;
	result_fini(&round->result);
	free(round->items);
	for (int side = 0; side < COMPARE_SIDES; side++)
		free(round->peers[side]);
	free(round->scratch);
	free(round);
}

static struct compare_round *round_new(const struct engine_router *r, int64_t now_ms)
{
	struct compare_round *round = mem_alloc(sizeof(*round));

	round->scratch = mem_alloc(BGP_PATH_MAX);
	round->result.began_ms = now_ms;
	for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++) {
		struct compare_family *family = &round->result.family[f];

		family->offered = engine_bgp_has_family(r, f);
		family->addpath = engine_bgp_has_addpath(r, f);
		family->has_fib = r->fib != NULL;
	}
	return round;
}

static enum compare_side side_of(const struct engine_peer *p)
{
	return engine_bgp_is_peer(p) ? COMPARE_BGP : COMPARE_BMP;
}

/* FRR (8.4.4) shows the router's own routes as those of a peer at 0.0.0.0, without a
 * Peer Up; other routers do not show them. */
static bool is_itself(const struct engine_peer *p)
{
	return !engine_bgp_is_peer(p) && rib_peer_key(p->rib)->addr.v == 0;
}

static void peers_list(const struct engine *e, const struct engine_router *r,
		       struct compare_round *round)
{
	size_t n = 0;

	for (const struct engine_peer *p = e->peers; p; p = p->next)
		n += p->router == r;
	for (int side = 0; side < COMPARE_SIDES; side++) {
		round->peers[side] = mem_realloc(round->peers[side], n + 1,
						 sizeof(const struct engine_peer *));
		round->n_peers[side] = 0;
	}
	for (const struct engine_peer *p = e->peers; p; p = p->next) {
		enum compare_side side = side_of(p);

		if (p->router != r || is_itself(p))
			continue;
		round->peers[side][round->n_peers[side]++] = p;
	}
}

static bool key_equal(const struct rib_peer_key *a, const struct rib_peer_key *b)
{
	return a->router == b->router && a->type == b->type &&
	       a->distinguisher == b->distinguisher && ip_addr_equal(&a->addr, &b->addr);
}

/* The peer that is being walked; NULL: it is gone. *at: where it is listed. */
static const struct engine_peer *round_peer(const struct compare_round *round, size_t *at)
{
	for (size_t i = 0; i < round->n_peers[round->side]; i++) {
		const struct engine_peer *p = round->peers[round->side][i];

		if (key_equal(rib_peer_key(p->rib), &round->peer)) {
			*at = i;
			return p;
		}
	}
	return NULL;
}

/* To the next table: of this peer, the next one, the other side. False: that was
 * all. */
static bool next_table(struct compare_round *round, size_t at)
{
	round->part = 0;
	do {
		if (round->has_peer && round->family == IP_V4) {
			round->family = IP_V6;
		} else {
			round->family = IP_V4;
			at = round->has_peer ? at + 1 : 0;
			round->has_peer = true;
			if (at >= round->n_peers[round->side]) {
				round->has_peer = false;
				at = 0;
				if (round->side == COMPARE_BGP)
					return false;
				round->side = COMPARE_BGP;
				continue;
			}
		}
	} while (!round->has_peer || !round->result.family[round->family].offered);
	round->peer = *rib_peer_key(round->peers[round->side][at]->rib);
	return true;
}

static void item_add(const struct ip_prefix *prefix, uint32_t path_id,
		     const struct rib_attr *attr, void *arg)
{
	struct compare_round *round = arg;

	(void)attr;
	if (round->n_items == round->cap_items) {
		round->cap_items = round->cap_items ? round->cap_items * 2 : 1024;
		round->items = mem_realloc(round->items, round->cap_items,
					   sizeof(*round->items));
	}
	round->items[round->n_items++] = (struct compare_item){ *prefix, path_id };
}

/* What has been listed and is still there. */
static void look_at_items(const struct engine *e, const struct engine_router *r,
			  struct compare_round *round, const struct engine_peer *p)
{
	enum rib_view view = compare_view(p, round->family);

	while (round->n_items != 0 && round->work < SLICE) {
		struct compare_item item = round->items[--round->n_items];
		const struct rib_attr *attr =
			rib_path(p->rib, view, &item.prefix, item.path_id);

		round->work++;
		if (attr)
			compare_path(e, r, round, p, &item.prefix, attr);
	}
}

/* A part of the peer's table becomes a list; false: there was no more. */
static bool list_part(struct compare_round *round, const struct engine_peer *p)
{
	enum rib_view view = compare_view(p, round->family);

	if (round->part > 255)
		return false;
	if (!rib_walk_part(p->rib, view, round->family, round->part++, item_add, round))
		round->part = 256;
	round->work += 1 + round->n_items / 16;
	return true;
}

enum slice {
	SLICE_MORE,
	SLICE_WHOLE,
	SLICE_LOST, /* what was being walked has gone: from the beginning */
};

static enum slice round_slice(const struct engine *e, const struct engine_router *r,
			      struct compare_round *round)
{
	const struct engine_peer *p;
	size_t at = 0;

	round->work = 0;
	peers_list(e, r, round);
	if (!round->has_peer && !next_table(round, 0))
		return SLICE_WHOLE;
	while (round->work < SLICE) {
		p = round_peer(round, &at);
		if (!p)
			return SLICE_LOST;
		look_at_items(e, r, round, p);
		if (round->n_items == 0 && !list_part(round, p) && !next_table(round, at))
			return SLICE_WHOLE;
	}
	return SLICE_MORE;
}

/* ---- what comes of it */

static struct compare_example *sample_find(const struct compare_sample *s, uint64_t hash)
{
	for (size_t i = 0; i < s->n; i++) {
		if (s->list[i].hash == hash)
			return &s->list[i];
	}
	return NULL;
}

static size_t unexplained(const struct compare_result *result)
{
	size_t n = 0;

	for (int f = 0; f < IP_FAMILIES; f++)
		for (int side = 0; side < COMPARE_SIDES; side++)
			n += result->family[f].only[side][COMPARE_UNEXPLAINED];
	return n;
}

static void alarm(struct engine *e, const struct engine_router *r, const char *prefix,
		  const struct compare_example *x)
{
	size_t n = unexplained(&r->compare->last);
	char addr[IP_TEXT_SIZE];

	engine_note(e, true,
		    "router %s: BMP and its BGP session have differed in %zu path%s for two "
		    "rounds and no known reason, for example %s %s %s only by %s: \"show feed "
		    "compare %s\"",
		    r->name, n, n == 1 ? "" : "s", prefix,
		    x->side == COMPARE_BMP ? "from peer" : "with next hop",
		    ip_addr_format(&x->addr, addr), x->side == COMPARE_BMP ? "BMP" : "BGP",
		    r->name);
}

/* The same difference in two rounds, one after the other, is no delay. */
static void judge(struct engine *e, struct engine_router *r,
		  const struct compare_sample *before)
{
	struct engine_compare *c = r->compare;
	const struct compare_example *first = NULL;
	char prefix[IP_TEXT_SIZE];

	c->lasting = 0;
	for (size_t i = 0; i < c->last.sample.n; i++) {
		struct compare_example *x = &c->last.sample.list[i];

		x->lasting = sample_find(before, x->hash) != NULL;
		c->lasting += x->lasting;
		if (x->lasting && !first)
			first = x;
	}
	if (first && !c->alarm)
		alarm(e, r, ip_prefix_format(&first->prefix, prefix), first);
	if (!first && c->alarm)
		engine_note(e, false, "router %s: BMP and its BGP session agree again", r->name);
	c->alarm = first != NULL;
}

static void round_end(struct engine *e, struct engine_router *r, int64_t now_ms)
{
	struct engine_compare *c = r->compare;
	struct compare_result before = c->last;

	c->last = c->round->result;
	c->round->result = (struct compare_result){ 0 };
	c->last.ended_ms = now_ms;
	c->known = true;
	round_free(c->round);
	c->round = NULL;
	judge(e, r, &before.sample);
	result_fini(&before);
}

/* ---- when */

static void round_stop(struct engine_compare *c, int64_t due_ms)
{
	round_free(c->round);
	c->round = NULL;
	c->due_ms = due_ms;
}

static int64_t router_run(struct engine *e, struct engine_router *r, int64_t now_ms)
{
	struct engine_compare *c = r->compare;

	if (!r->bgp || !config_router_find(e->cfg, r->name)) {
		engine_compare_free(r); /* there is one feed at most */
		return -1;
	}
	if (why_not(e, r)) {
		if (c)
			round_stop(c, now_ms + APART_MS);
		return -1;
	}
	if (!c) { /* both have just become whole: what is on its way arrives first */
		c = r->compare = mem_alloc(sizeof(*c));
		c->due_ms = now_ms + APART_MS;
	}
	if (!c->round && now_ms < c->due_ms)
		return c->due_ms;
	if (!c->round) {
		c->round = round_new(r, now_ms);
		c->asked = false;
		c->due_ms = now_ms + EVERY_MS;
	}
	if (engine_is_sweeping(e)) /* what is dead is still found */
		return now_ms + PAUSE_MS;
	switch (round_slice(e, r, c->round)) {
	case SLICE_MORE:
		break;
	case SLICE_LOST:
		round_stop(c, now_ms + APART_MS);
		return c->due_ms;
	case SLICE_WHOLE:
		round_end(e, r, now_ms);
		return c->due_ms;
	}
	return now_ms + PAUSE_MS;
}

/* When a router whose turn it is not wants to be looked at. */
static int64_t router_due_ms(const struct engine_router *r, int64_t now_ms)
{
	if (!r->compare || r->compare->round || r->compare->due_ms <= now_ms)
		return now_ms + PAUSE_MS;
	return r->compare->due_ms;
}

/* One router has a slice at a time, and they take turns. */
int64_t engine_compare_run(struct engine *e, int64_t now_ms)
{
	size_t begin = e->compare_turn;
	bool sliced = false;
	int64_t next_ms = -1;

	for (size_t i = 0; i < e->n_routers; i++) {
		struct engine_router *r = e->routers[(begin + i) % e->n_routers];
		int64_t at_ms;

		if (!r->compare && (!r->bgp || !r->feed))
			continue;
		at_ms = sliced ? router_due_ms(r, now_ms) : router_run(e, r, now_ms);
		if (!sliced && r->compare && r->compare->round) {
			sliced = true;
			e->compare_turn = r->index + 1;
		}
		if (at_ms >= 0 && (next_ms < 0 || at_ms < next_ms))
			next_ms = at_ms;
	}
	return next_ms;
}

void engine_compare_ask(struct engine *e, const char *router)
{
	for (size_t i = 0; i < e->n_routers; i++) {
		struct engine_router *r = e->routers[i];
		struct engine_compare *c = r->compare;

		if (!c || c->round || (router && strcmp(r->name, router) != 0))
			continue;
		c->asked = true;
		if (c->known && c->due_ms > c->last.began_ms + APART_MS)
			c->due_ms = c->last.began_ms + APART_MS;
	}
	engine_wake(e);
}

void engine_compare_free(struct engine_router *r)
{
	struct engine_compare *c = r->compare;

	if (!c)
		return;
	round_free(c->round);
	result_fini(&c->last);
	free(c);
	r->compare = NULL;
}

/* ---- to show */

static void show(const struct engine *e, const struct engine_router *r,
		 engine_compare_fn *fn, void *arg)
{
	const struct engine_compare *c = r->compare;
	struct engine_compare_status status = { .router = r->name, .why_not = why_not(e, r) };

	if (c) {
		status.running = c->round != NULL;
		status.asked = c->asked;
		status.known = c->known;
		status.began_ms = c->last.began_ms;
		status.ended_ms = c->last.ended_ms;
		memcpy(status.family, c->last.family, sizeof(status.family));
		status.examples = c->last.sample.list;
		status.n_examples = c->last.sample.n < COMPARE_EXAMPLES ? c->last.sample.n :
									  COMPARE_EXAMPLES;
		status.lasting = c->lasting;
		status.alarm = c->alarm;
	}
	fn(&status, arg);
}

void engine_compare_walk(const struct engine *e, engine_compare_fn *fn, void *arg)
{
	for (size_t i = 0; i < e->n_routers; i++) {
		const struct engine_router *r = e->routers[i];

		if ((r->bgp || r->feed || r->compare) && config_router_find(e->cfg, r->name))
			show(e, r, fn, arg);
	}
}
