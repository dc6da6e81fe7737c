/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/nft_parts.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

void parts_fini(struct parts *ps)
{
	free(ps->p);
	*ps = (struct parts){ 0 };
}

void parts_copy(struct parts *dst, const struct parts *src)
{
	struct part *p = src->n ? mem_dup(src->p, src->n * sizeof(*p)) : NULL;

	free(dst->p);
	*dst = *src;
	dst->p = p;
}

bool parts_equal(const struct parts *a, const struct parts *b)
{
	if (a->shape != b->shape || a->map != b->map || a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		if (a->p[i].first != b->p[i].first || a->p[i].chain != b->p[i].chain ||
		    a->p[i].set != b->p[i].set)
			return false;
	}
	return true;
}

/* ---- shape ---- */

enum kernel_shape parts_choose(const struct rangeset *accept, enum ip_family family,
			       enum kernel_shape now)
{
	enum kernel_shape other = KERNEL_SHAPE_ACCEPT;
	size_t size, of_other;

	if (now != KERNEL_SHAPE_DROP)
		now = KERNEL_SHAPE_ACCEPT;
	if (now == KERNEL_SHAPE_ACCEPT)
		other = KERNEL_SHAPE_DROP;
	size = kernel_shape_size(accept, family, now);
	of_other = kernel_shape_size(accept, family, other);
	return of_other + size / 4 < size ? other : now;
}

/* ---- bounds ---- */

void parts_plan(struct parts *ps, enum kernel_shape shape, const struct rangeset *accept,
		size_t target, uint64_t *version)
{
	size_t n = accept->n <= 2 * target ? 1 : (accept->n + target - 1) / target;

	ps->shape = shape;
	ps->map = n == 1 ? 0 : ++*version;
	ps->n = n;
	ps->p = mem_calloc(n, sizeof(*ps->p));
	for (size_t i = 0; i < n; i++) {
		ps->p[i].first = i == 0 ? 0 : accept->r[i * target].first;
		ps->p[i].set = ++*version;
		ps->p[i].chain = n == 1 ? 0 : ps->p[i].set;
		ps->p[i].unread = true;
	}
}

u128 parts_last(const struct parts *ps, size_t i, enum ip_family family)
{
	return i + 1 == ps->n ? ip_max(family) : ps->p[i + 1].first - 1;
}

/* The ranges that reach into first..last, uncut. */
struct view {
	const struct ip_range *r;
	size_t n;
	u128 first, last;
};

/* Index of the first range that ends at v or later. */
static size_t place(const struct rangeset *s, u128 v)
{
	size_t lo = 0, hi = s->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (s->r[mid].last < v)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static struct view view_of(const struct parts *ps, size_t i, enum ip_family family,
			   const struct rangeset *s)
{
	struct view v = { .first = ps->p[i].first, .last = parts_last(ps, i, family) };
	size_t from = place(s, v.first), to = place(s, v.last);

	if (to < s->n && s->r[to].first <= v.last)
		to++;
	v.r = s->r + from;
	v.n = to - from;
	return v;
}

static struct ip_range cut(const struct view *v, size_t i)
{
	struct ip_range r = v->r[i];

	if (r.first < v->first)
		r.first = v->first;
	if (r.last > v->last)
		r.last = v->last;
	return r;
}

bool parts_fit(const struct parts *ps, enum ip_family family,
	       const struct rangeset *accept, size_t target)
{
	if (ps->n == 1)
		return accept->n <= 4 * target;
	if (accept->n <= target / 4)
		return false;
	for (size_t i = 0; i < ps->n; i++) {
		if (view_of(ps, i, family, accept).n > 4 * target)
			return false;
	}
	return true;
}

/* ---- contents ---- */

/* What is between the ranges of the view. */
static void append_gaps(const struct view *v, struct rangeset *out)
{
	u128 from = v->first;

	for (size_t i = 0; i < v->n; i++) {
		struct ip_range r = cut(v, i);

		if (r.first > from)
			rangeset_append(out, from, r.first - 1);
		if (r.last == v->last)
			return;
		from = r.last + 1;
	}
	rangeset_append(out, from, v->last);
}

void parts_slice(const struct parts *ps, size_t i, enum ip_family family,
		 const struct rangeset *accept, struct rangeset *out)
{
	struct view v = view_of(ps, i, family, accept);

	rangeset_fini(out);
	if (ps->shape == KERNEL_SHAPE_DROP) {
		append_gaps(&v, out);
		return;
	}
	for (size_t j = 0; j < v.n; j++) {
		struct ip_range r = cut(&v, j);

		rangeset_append(out, r.first, r.last);
	}
}

bool parts_differ(const struct parts *ps, size_t i, enum ip_family family,
		  const struct rangeset *old, const struct rangeset *new)
{
	struct view a = view_of(ps, i, family, old), b = view_of(ps, i, family, new);

	if (a.n != b.n)
		return true;
	for (size_t j = 0; j < a.n; j++) {
		struct ip_range x = cut(&a, j), y = cut(&b, j);

		if (x.first != y.first || x.last != y.last)
			return true;
	}
	return false;
}

void parts_join(const struct parts *ps, size_t i, enum ip_family family,
		const struct rangeset *contents, struct rangeset *accept)
{
	struct view v = { .r = contents->r,
			  .n = contents->n,
			  .first = ps->p[i].first,
			  .last = parts_last(ps, i, family) };

	if (ps->shape == KERNEL_SHAPE_DROP) {
		append_gaps(&v, accept);
		return;
	}
	for (size_t j = 0; j < v.n; j++)
		rangeset_append(accept, v.r[j].first, v.r[j].last);
}
