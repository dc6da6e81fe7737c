/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * One path: is it in the other feed, and if not, why?
 *
 * Paths are the same that have one prefix, one next hop and one AS path. Most are
 * found by two look-ups; only where they are not is anything else looked for.
 */
#include "controller/engine_compare_impl.h"

#include <stdlib.h>
#include <string.h>

#include "controller/engine_bgp.h"
#include "controller/feed/bgp_table.h"
#include "lib/mem.h"

struct look {
	const struct engine *e;
	const struct engine_router *r;
	struct compare_round *round;
	const struct engine_peer *p;
	const struct ip_prefix *prefix;
	const struct rib_attr *attr;
	/* what was found */
	bool both;
	bool other_hop;	 /* the same AS path under another next hop */
	bool own_hop;	 /* which is the router's own */
	bool any;	 /* some path of the prefix */
	const struct rib_attr *moved; /* that with the other next hop */
	struct ip_addr moved_hop;
};

enum rib_view compare_view(const struct engine_peer *p, enum ip_family family)
{
	return engine_bgp_is_peer(p) ? RIB_POST : rib_peer_view(p->rib, family);
}

/* ---- what is the same */

static bool same_bytes(const struct rib_attr *a, const struct rib_attr *b)
{
	return a->as_path_len == b->as_path_len &&
	       (a->as_path_len == 0 || memcmp(a->as_path, b->as_path, a->as_path_len) == 0);
}

/* A local AS (RFC 7705) is put before a peer's paths on their way in: BGP has it,
 * and bmp_feed has taken it off. */
static bool same_path(const struct look *l, const struct engine_peer *peer,
		      const struct rib_attr *bmp, const struct rib_attr *bgp)
{
	struct rib_attr a = *bgp;

	if (same_bytes(bmp, bgp))
		return true;
	if (bgp->as_path_len <= bmp->as_path_len || peer->info.local_as == 0)
		return false;
	return bgp_attr_strip_first(&a, peer->info.local_as, l->round->scratch) &&
	       same_bytes(bmp, &a);
}

/* BMP may not tell the next hop (FRR leaves it out with RFC 8950), and a session
 * over link-local addresses has none that could be sent on. */
static bool hop_is_unknown(const struct ip_addr *hop)
{
	return hop->v == 0 ||
	       (hop->family == IP_V6 && (hop->v >> 118) == 0x3fa); /* fe80::/10 */
}

/* ---- a path of BMP, looked for in BGP */

static void see_bgp_exact(const struct ip_prefix *prefix, uint32_t path_id,
			  const struct rib_attr *attr, void *arg)
{
	struct look *l = arg;

	(void)prefix;
	(void)path_id;
	l->round->work++;
	l->both |= same_path(l, l->p, l->attr, attr);
}

static bool is_in_bgp(struct look *l)
{
	struct rib_peer_key key = { .router = l->r->index,
				    .type = RIB_PEER_NEXT_HOP,
				    .addr = l->attr->next_hop };
	const struct rib_peer *hop;

	l->round->work += 2;
	hop = rib_peer_find(l->e->rib, &key);
	if (hop)
		rib_walk_prefix(hop, RIB_POST, l->prefix, see_bgp_exact, l);
	return l->both;
}

static void see_bgp(struct rib_peer *hop, const struct rib_attr *attr, void *arg)
{
	const struct engine_peer *p = rib_peer_user(hop);
	struct look *l = arg;

	l->round->work += 2;
	l->any = true;
	if (!attr || !same_path(l, l->p, l->attr, attr))
		return;
	if (hop_is_unknown(&l->attr->next_hop)) {
		l->both = true;
	} else if (p && p->own_hop) {
		l->own_hop = true;
	} else {
		l->other_hop = true;
		l->moved = attr;
		l->moved_hop = rib_peer_key(hop)->addr;
	}
}

struct match {
	struct look *l;
	const struct engine_peer *q;
	const struct rib_attr *path;
	const struct ip_addr *hop;
	bool found;
};

static void see_match(const struct ip_prefix *prefix, uint32_t path_id,
		      const struct rib_attr *attr, void *arg)
{
	struct match *m = arg;

	(void)prefix;
	(void)path_id;
	m->found |= ip_addr_equal(&attr->next_hop, m->hop) &&
		    same_path(m->l, m->q, attr, m->path);
}

/* Some peer's path in BMP is that one of BGP: then it is not ours, renamed. */
static bool is_anothers(struct look *l, const struct rib_attr *path,
			const struct ip_addr *hop)
{
	struct match m = { .l = l, .path = path, .hop = hop };

	for (size_t i = 0; i < l->round->n_peers[COMPARE_BMP] && !m.found; i++) {
		m.q = l->round->peers[COMPARE_BMP][i];
		l->round->work++;
		rib_walk_prefix(m.q->rib, compare_view(m.q, l->round->family), l->prefix,
				see_match, &m);
	}
	return m.found;
}

/* Of an internal session, which brings nothing here if that is the best. */
static bool is_internal_too(struct look *l)
{
	for (size_t i = 0; i < l->round->n_peers[COMPARE_BMP]; i++) {
		const struct engine_peer *q = l->round->peers[COMPARE_BMP][i];

		if (!q->info.is_ibgp)
			continue;
		l->round->work++;
		if (rib_lookup(q->rib, compare_view(q, l->round->family), l->prefix))
			return true;
	}
	return false;
}

static bool is_unresolved(const struct look *l)
{
	struct fib_route route;

	return l->r->fib && !hop_is_unknown(&l->attr->next_hop) &&
	       !fib_longest(l->r->fib, &l->attr->next_hop, 1, &route);
}

static enum compare_kind why_not_in_bgp(struct look *l)
{
	bool addpath = l->round->result.family[l->round->family].addpath;

	if (l->own_hop ||
	    (l->other_hop && !is_anothers(l, l->moved, &l->moved_hop)))
		return COMPARE_NEXT_HOP;
	if (l->p->info.is_ibgp)
		return COMPARE_INTERNAL;
	if (l->attr->no_advertise)
		return COMPARE_COMMUNITY;
	if (compare_view(l->p, l->round->family) == RIB_PRE)
		return COMPARE_PRE_POLICY;
	if (!addpath && (l->any || is_internal_too(l)))
		return COMPARE_BEST_ONLY;
	return is_unresolved(l) ? COMPARE_UNRESOLVED : COMPARE_UNEXPLAINED;
}

/* ---- a path of BGP, looked for in BMP */

struct look_bmp {
	struct look *l;
	const struct engine_peer *q;
	bool pre_policy, loading;
};

/* That path of BMP is in BGP as it is: another one of BGP is not its copy. */
static bool is_taken(const struct look *l, const struct engine_peer *q,
		     const struct rib_attr *attr)
{
	struct look other = *l;

	other.p = q;
	other.attr = attr;
	other.both = false;
	return is_in_bgp(&other);
}

static void see_bmp(const struct ip_prefix *prefix, uint32_t path_id,
		    const struct rib_attr *attr, void *arg)
{
	struct look_bmp *b = arg;
	struct look *l = b->l;

	(void)prefix;
	(void)path_id;
	l->round->work++;
	b->pre_policy |= compare_view(b->q, l->round->family) == RIB_PRE;
	if (!same_path(l, b->q, attr, l->attr))
		return;
	if (hop_is_unknown(&attr->next_hop) ||
	    ip_addr_equal(&attr->next_hop, &l->attr->next_hop))
		l->both = true;
	else
		l->other_hop |= l->p->own_hop || !is_taken(l, b->q, attr);
}

static void look_at_bmp(struct look_bmp *b, const struct engine_peer *q)
{
	b->q = q;
	b->l->round->work++;
	b->loading |= q->up && !q->complete;
	rib_walk_prefix(q->rib, compare_view(q, b->l->round->family), b->l->prefix, see_bmp,
			b);
}

/* The peer at the next hop, then those whose AS the path begins with, then all. */
static bool is_in_bmp(struct look_bmp *b)
{
	const struct compare_round *round = b->l->round;
	const struct ip_addr *hop = &rib_peer_key(b->l->p->rib)->addr;
	struct rib_peer_key key = { .router = b->l->r->index, .addr = *hop };
	const struct rib_peer *at_hop = rib_peer_find(b->l->e->rib, &key);
	bool loading;

	if (at_hop && rib_peer_user(at_hop))
		look_at_bmp(b, rib_peer_user(at_hop));
	for (size_t i = 0; i < round->n_peers[COMPARE_BMP] && !b->l->both; i++) {
		const struct engine_peer *q = round->peers[COMPARE_BMP][i];

		if (q->info.remote_as == b->l->attr->neighbor_as)
			look_at_bmp(b, q);
	}
	loading = b->loading;
	for (size_t i = 0; i < round->n_peers[COMPARE_BMP] && !b->l->both; i++) {
		const struct engine_peer *q = round->peers[COMPARE_BMP][i];

		if (q->info.remote_as != b->l->attr->neighbor_as)
			look_at_bmp(b, q);
	}
	b->loading = loading;
	return b->l->both;
}

static enum compare_kind why_not_in_bmp(const struct look_bmp *b)
{
	const struct look *l = b->l;

	/* an AS_SET at the end is an aggregate's: made here, if the next hop is */
	if (l->p->own_hop && l->attr->origin_kind == RIB_ORIGIN_NONE && !l->other_hop)
		return COMPARE_LOCAL;
	if (l->other_hop)
		return COMPARE_NEXT_HOP;
	if (b->loading)
		return COMPARE_LOADING;
	return b->pre_policy ? COMPARE_PRE_POLICY : COMPARE_UNEXPLAINED;
}

/* ---- what is remembered */

static uint64_t mix(uint64_t a, uint64_t b)
{
	u128 m = (u128)(a ^ b) * 0x9e3779b97f4a7c15u;

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

static uint64_t hash_of(const struct look *l, const struct ip_addr *addr)
{
	uint64_t h = mix(0x243f6a8885a308d3u + l->round->side, l->prefix->len);

	h = mix(h + l->prefix->family, (uint64_t)l->prefix->v);
	h = mix(h, (uint64_t)(l->prefix->v >> 64));
	h = mix(h + addr->family, (uint64_t)addr->v);
	return mix(h, (uint64_t)(addr->v >> 64));
}

/* In ascending order, the lowest that have been seen. */
static void sample_add(struct look *l, const struct ip_addr *addr)
{
	struct compare_sample *s = &l->round->result.sample;
	uint64_t hash = hash_of(l, addr);
	size_t at = s->n;

	while (at > 0 && s->list[at - 1].hash > hash)
		at--;
	if (at == COMPARE_SAMPLE_MAX || (at > 0 && s->list[at - 1].hash == hash))
		return;
	if (s->n < COMPARE_SAMPLE_MAX) {
		s->list = mem_realloc(s->list, s->n + 1, sizeof(*s->list));
		s->n++;
	}
	memmove(&s->list[at + 1], &s->list[at], (s->n - 1 - at) * sizeof(*s->list));
	s->list[at] = (struct compare_example){
		.hash = hash, .side = l->round->side, .prefix = *l->prefix, .addr = *addr
	};
	bgp_path_format(l->attr, s->list[at].path, sizeof(s->list[at].path));
}

/* ---- one path */

static bool forwards_by(const struct look *l)
{
	struct fib_route route;

	return fib_exact(l->r->fib, l->prefix, &route);
}

static void count(struct look *l, enum compare_kind kind)
{
	struct compare_family *f = &l->round->result.family[l->round->family];

	f->only[l->round->side][kind]++;
	if (kind == COMPARE_UNEXPLAINED)
		sample_add(l, &rib_peer_key(l->p->rib)->addr);
}

static void path_of_bmp(struct look *l)
{
	struct compare_family *f = &l->round->result.family[l->round->family];

	f->paths[COMPARE_BMP]++;
	if (l->r->fib)
		f->not_in_fib += !forwards_by(l);
	if (!hop_is_unknown(&l->attr->next_hop) && is_in_bgp(l)) {
		f->both++;
		return;
	}
	bgp_table_walk_prefix(engine_bgp_table(l->r), l->prefix, see_bgp, l);
	if (l->both)
		f->both++;
	else
		count(l, why_not_in_bgp(l));
}

static void path_of_bgp(struct look *l)
{
	struct look_bmp b = { .l = l };

	l->round->result.family[l->round->family].paths[COMPARE_BGP]++;
	if (l->attr->as_path_len == 0)
		count(l, COMPARE_LOCAL);
	else if (!is_in_bmp(&b))
		count(l, why_not_in_bmp(&b));
}

void compare_path(const struct engine *e, const struct engine_router *r,
		  struct compare_round *round, const struct engine_peer *p,
		  const struct ip_prefix *prefix, const struct rib_attr *attr)
{
	struct look l = {
		.e = e, .r = r, .round = round, .p = p, .prefix = prefix, .attr = attr
	};

	if (round->side == COMPARE_BMP)
		path_of_bmp(&l);
	else
		path_of_bgp(&l);
}
