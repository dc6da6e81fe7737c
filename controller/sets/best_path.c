/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/sets/best_path.h"

/* Smaller is better in every key. */
typedef uint64_t key_fn(const struct best_candidate *c);

static uint64_t by_local_pref(const struct best_candidate *c)
{
	uint32_t pref = c->attr->has_local_pref ? c->attr->local_pref : 100;

	return UINT32_MAX - pref;
}

static uint64_t by_path_hops(const struct best_candidate *c)
{
	return c->attr->as_path_hops;
}

static uint64_t by_origin_code(const struct best_candidate *c)
{
	return c->attr->origin_code;
}

static uint64_t by_ebgp(const struct best_candidate *c)
{
	return c->ibgp;
}

static void keep_least(struct best_candidate *c, size_t n, key_fn *key)
{
	uint64_t least = UINT64_MAX;

	for (size_t i = 0; i < n; i++) {
		if (!c[i].out && key(&c[i]) < least)
			least = key(&c[i]);
	}
	for (size_t i = 0; i < n; i++) {
		if (!c[i].out && key(&c[i]) != least)
			c[i].out = true;
	}
}

static uint32_t med_of(const struct rib_attr *attr)
{
	return attr->has_med ? attr->med : 0;
}

/* (c): MULTI_EXIT_DISC is comparable only between paths of one neighbour AS,
 * so a path falls to any better one of the same neighbour, not to the least. */
static void drop_worse_med(struct best_candidate *c, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < n && !c[i].out; j++) {
			if (!c[j].out && c[j].attr->neighbor_as == c[i].attr->neighbor_as &&
			    med_of(c[j].attr) < med_of(c[i].attr))
				c[i].out = true;
		}
	}
}

/* Of several paths of one peer (RFC 7911) that are left, those that differ in
 * what is compared at all are told apart, so that the order in which candidates
 * come never matters. */
static bool last_less(const struct best_candidate *x, const struct best_candidate *y)
{
	const struct ip_addr *a = &x->peer, *b = &y->peer;

	if (a->family != b->family)
		return a->family < b->family;
	if (a->v != b->v)
		return a->v < b->v;
	if (x->attr->neighbor_as != y->attr->neighbor_as)
		return x->attr->neighbor_as < y->attr->neighbor_as;
	return med_of(x->attr) < med_of(y->attr);
}

/* n: all have a rank. */
static size_t winner(struct best_candidate *c, size_t n)
{
	size_t best = n;

	for (size_t i = 0; i < n; i++)
		c[i].out = c[i].rank != 0;
	keep_least(c, n, by_local_pref);
	keep_least(c, n, by_path_hops);
	keep_least(c, n, by_origin_code);
	drop_worse_med(c, n);
	keep_least(c, n, by_ebgp);
	for (size_t i = 0; i < n; i++) {
		if (!c[i].out && (best == n || last_less(&c[i], &c[best])))
			best = i;
	}
	return best;
}

size_t best_path(struct best_candidate *c, size_t n)
{
	for (size_t i = 0; i < n; i++)
		c[i].rank = 0;
	return winner(c, n);
}

void best_paths(struct best_candidate *c, size_t n, size_t max)
{
	for (size_t i = 0; i < n; i++)
		c[i].rank = 0;
	for (size_t rank = 1; rank <= max; rank++) {
		size_t best = winner(c, n);

		for (size_t i = 0; best < n && i < n; i++) {
			if (c[i].from == c[best].from && c[i].attr == c[best].attr)
				c[i].rank = rank;
		}
		if (best == n)
			break;
	}
}
