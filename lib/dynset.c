/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/dynset.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

/* Ranges of a chunk. More make an edit move more, fewer make the directory
 * longer, which an edit that splits a chunk has to move. */
#define CHUNK_MAX  256
#define CHUNK_FILL (CHUNK_MAX * 3 / 4) /* when chunks are made anew */
#define CHUNK_MIN  (CHUNK_MAX / 8)     /* below that it joins its neighbour */

struct dynset_chunk {
	u128 first; /* of the first range: the directory is searched without
		     * a look into the chunks */
	void *r;    /* struct range4 or struct ip_range, by family */
	uint32_t n, cap;
};

struct range4 {
	uint32_t first, last;
};

struct place {
	size_t chunk, at;
};

void dynset_init(struct dynset *s, enum ip_family family)
{
	*s = (struct dynset){ .family = family };
}

void dynset_fini(struct dynset *s)
{
	for (size_t i = 0; i < s->n_chunks; i++)
		free(s->chunks[i].r);
	free(s->chunks);
	dynset_init(s, s->family);
}

static inline size_t range_bytes(const struct dynset *s)
{
	return s->family == IP_V4 ? sizeof(struct range4) : sizeof(struct ip_range);
}

size_t dynset_bytes(const struct dynset *s)
{
	size_t bytes = s->cap_chunks * sizeof(*s->chunks);

	for (size_t i = 0; i < s->n_chunks; i++)
		bytes += s->chunks[i].cap * range_bytes(s);
	return bytes;
}

static inline struct ip_range get(const struct dynset *s, const struct dynset_chunk *c,
				  size_t i)
{
	const struct range4 *r = c->r;

	if (s->family != IP_V4)
		return ((const struct ip_range *)c->r)[i];
	return (struct ip_range){ r[i].first, r[i].last };
}

static inline void put(const struct dynset *s, struct dynset_chunk *c, size_t i,
		       const struct ip_range *r)
{
	if (s->family != IP_V4)
		((struct ip_range *)c->r)[i] = *r;
	else
		((struct range4 *)c->r)[i] =
			(struct range4){ (uint32_t)r->first, (uint32_t)r->last };
}

/* ---- to find */

static size_t find_chunk(const struct dynset *s, u128 v)
{
	size_t lo = 0, hi = s->n_chunks;

	while (hi - lo > 1) {
		size_t mid = lo + (hi - lo) / 2;

		if (s->chunks[mid].first <= v)
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}

/* The first range that does not end before v. At the end of the set that is
 * the place behind the last range. */
static struct place find(const struct dynset *s, u128 v)
{
	struct place p = { .chunk = find_chunk(s, v) };
	const struct dynset_chunk *c;
	size_t hi;

	if (s->n_chunks == 0)
		return p;
	c = &s->chunks[p.chunk];
	hi = c->n;
	while (p.at < hi) {
		size_t mid = p.at + (hi - p.at) / 2;

		if (get(s, c, mid).last < v)
			p.at = mid + 1;
		else
			hi = mid;
	}
	if (p.chunk + 1 < s->n_chunks && p.at == c->n)
		p = (struct place){ p.chunk + 1, 0 };
	return p;
}

static bool is_end(const struct dynset *s, const struct place *p)
{
	return p->chunk >= s->n_chunks || p->at == s->chunks[p->chunk].n;
}

static void step(const struct dynset *s, struct place *p)
{
	if (++p->at == s->chunks[p->chunk].n && p->chunk + 1 < s->n_chunks)
		*p = (struct place){ p->chunk + 1, 0 };
}

bool dynset_contains(const struct dynset *s, u128 v)
{
	struct place p = find(s, v);

	return !is_end(s, &p) && get(s, &s->chunks[p.chunk], p.at).first <= v;
}

bool dynset_covers(const struct dynset *s, u128 first, u128 last)
{
	struct place p = find(s, first);
	struct ip_range r;

	if (is_end(s, &p))
		return false;
	r = get(s, &s->chunks[p.chunk], p.at);
	return r.first <= first && r.last >= last;
}

void dynset_part(const struct dynset *s, u128 first, u128 last, struct rangeset *out)
{
	for (struct place p = find(s, first); !is_end(s, &p); step(s, &p)) {
		struct ip_range r = get(s, &s->chunks[p.chunk], p.at);

		if (r.first > last)
			return;
		rangeset_append(out, r.first > first ? r.first : first,
				r.last < last ? r.last : last);
	}
}

void dynset_export(const struct dynset *s, struct rangeset *out)
{
	rangeset_fini(out);
	dynset_part(s, 0, ip_max(s->family), out);
}

/* ---- to change */

static void reserve(const struct dynset *s, struct dynset_chunk *c, size_t n)
{
	if (n <= c->cap)
		return;
	c->cap = c->cap ? c->cap : 4;
	while (c->cap < n)
		c->cap *= 2;
	c->r = mem_realloc(c->r, c->cap, range_bytes(s));
}

/* The edit stays within one chunk. */
static void splice_chunk(struct dynset *s, struct dynset_chunk *c, size_t at,
			 size_t n_old, const struct rangeset *with)
{
	size_t bytes = range_bytes(s), n = c->n - n_old + with->n;

	reserve(s, c, n);
	memmove((char *)c->r + (at + with->n) * bytes,
		(char *)c->r + (at + n_old) * bytes, (c->n - at - n_old) * bytes);
	for (size_t i = 0; i < with->n; i++)
		put(s, c, at + i, &with->r[i]);
	c->n = (uint32_t)n;
	c->first = get(s, c, 0).first;
}

static void directory_splice(struct dynset *s, size_t from, size_t to, size_t n_new)
{
	size_t n = s->n_chunks - (to - from) + n_new;

	if (n > s->cap_chunks) {
		s->cap_chunks = n + n / 2;
		s->chunks = mem_realloc(s->chunks, s->cap_chunks, sizeof(*s->chunks));
	}
	memmove(&s->chunks[from + n_new], &s->chunks[to],
		(s->n_chunks - to) * sizeof(*s->chunks));
	memset(&s->chunks[from], 0, n_new * sizeof(*s->chunks));
	s->n_chunks = n;
}

static void append_chunk(const struct dynset *s, const struct dynset_chunk *c,
			 size_t from, size_t to, struct rangeset *out)
{
	for (size_t i = from; i < to; i++) {
		struct ip_range r = get(s, c, i);

		rangeset_append(out, r.first, r.last);
	}
}

/* Chunks [from, to) are replaced by ones that hold *all. */
static void rechunk(struct dynset *s, size_t from, size_t to, const struct rangeset *all)
{
	size_t n_new = all->n <= CHUNK_MAX ? all->n != 0
					   : (all->n + CHUNK_FILL - 1) / CHUNK_FILL;
	size_t done = 0;

	for (size_t i = from; i < to; i++)
		free(s->chunks[i].r);
	directory_splice(s, from, to, n_new);
	for (size_t i = 0; i < n_new; i++) {
		struct dynset_chunk *c = &s->chunks[from + i];
		size_t n = (all->n - done) / (n_new - i);

		reserve(s, c, n);
		for (size_t k = 0; k < n; k++)
			put(s, c, k, &all->r[done + k]);
		c->n = (uint32_t)n;
		c->first = all->r[done].first;
		done += n;
	}
}

/* The edit goes over several chunks, or leaves one too full or too empty. */
static void splice_chunks(struct dynset *s, struct place p, size_t n_old,
			  const struct rangeset *with)
{
	struct rangeset all = { 0 };
	size_t from = p.chunk, to = from, end = p.at + n_old;

	while (to < s->n_chunks && end > s->chunks[to].n)
		end -= s->chunks[to++].n;
	if (p.at < CHUNK_MIN && from > 0) {
		from--;
		append_chunk(s, &s->chunks[from], 0, s->chunks[from].n, &all);
	}
	if (p.chunk < s->n_chunks)
		append_chunk(s, &s->chunks[p.chunk], 0, p.at, &all);
	for (size_t i = 0; i < with->n; i++)
		rangeset_append(&all, with->r[i].first, with->r[i].last);
	if (to < s->n_chunks) {
		append_chunk(s, &s->chunks[to], end, s->chunks[to].n, &all);
		to++;
	}
	if (all.n < CHUNK_MIN && to < s->n_chunks) {
		append_chunk(s, &s->chunks[to], 0, s->chunks[to].n, &all);
		to++;
	}
	rechunk(s, from, to, &all);
	rangeset_fini(&all);
}

static void splice(struct dynset *s, struct place p, size_t n_old,
		   const struct rangeset *with)
{
	struct dynset_chunk *c = s->n_chunks ? &s->chunks[p.chunk] : NULL;
	bool fits = c && p.at + n_old <= c->n;
	size_t n = fits ? c->n - n_old + with->n : 0;

	s->n = s->n - n_old + with->n;
	if (n != 0 && n <= CHUNK_MAX && (n >= CHUNK_MIN || s->n_chunks == 1))
		splice_chunk(s, c, p.at, n_old, with);
	else
		splice_chunks(s, p, n_old, with);
}

/* The ranges that meet or touch [first, last]. */
static struct place touching(const struct dynset *s, u128 first, u128 last,
			     struct rangeset *out)
{
	u128 lo = first ? first - 1 : 0;
	u128 hi = last < ip_max(s->family) ? last + 1 : last;
	struct place begin = find(s, lo);

	for (struct place p = begin; !is_end(s, &p); step(s, &p)) {
		struct ip_range r = get(s, &s->chunks[p.chunk], p.at);

		if (r.first > hi)
			break;
		rangeset_append(out, r.first, r.last);
	}
	return begin;
}

static void clip(const struct rangeset *s, u128 first, u128 last, struct rangeset *out)
{
	for (size_t i = 0; i < s->n; i++) {
		u128 lo = s->r[i].first > first ? s->r[i].first : first;
		u128 hi = s->r[i].last < last ? s->r[i].last : last;

		if (lo <= hi)
			rangeset_append(out, lo, hi);
	}
}

static void append_difference(struct rangeset *out, const struct rangeset *a,
			      const struct rangeset *b)
{
	struct rangeset part = { 0 };

	if (!out)
		return;
	rangeset_subtract(&part, a, b);
	for (size_t i = 0; i < part.n; i++)
		rangeset_append(out, part.r[i].first, part.r[i].last);
	rangeset_fini(&part);
}

void dynset_replace(struct dynset *s, u128 first, u128 last, const struct rangeset *with,
		    struct rangeset *added, struct rangeset *removed)
{
	struct rangeset old = { 0 }, inside = { 0 }, new = { 0 };
	struct place begin = touching(s, first, last, &old);

	clip(&old, first, last, &inside);
	if (rangeset_equal(&inside, with))
		goto out;
	append_difference(added, with, &inside);
	append_difference(removed, &inside, with);
	if (old.n != 0 && old.r[0].first < first)
		rangeset_append(&new, old.r[0].first, first - 1);
	for (size_t i = 0; i < with->n; i++)
		rangeset_append(&new, with->r[i].first, with->r[i].last);
	if (old.n != 0 && old.r[old.n - 1].last > last)
		rangeset_append(&new, last + 1, old.r[old.n - 1].last);
	rangeset_normalize(&new);
	splice(s, begin, old.n, &new);
out:
	rangeset_fini(&old);
	rangeset_fini(&inside);
	rangeset_fini(&new);
}

/* No range of the set lies in [first, last], not a part of one. */
static bool is_clear(const struct dynset *s, u128 first, u128 last)
{
	struct place p = find(s, first);

	return is_end(s, &p) || get(s, &s->chunks[p.chunk], p.at).first > last;
}

static bool is_after(const struct ip_range *r, const struct ip_range *before)
{
	return r->first > before->last && r->first - before->last > 1;
}

/* Adds ranges of *what from the i-th on, as long as they ascend, meet and touch
 * none of the set's, go to one place, and their chunk has room: nearly always so,
 * and done without any set in between. How many. */
static size_t add_apart(struct dynset *s, const struct rangeset *what, size_t i)
{
	struct rangeset run = { .r = &what->r[i], .n = 0 };
	struct place p = find(s, run.r->first ? run.r->first - 1 : 0);
	bool end = is_end(s, &p);
	struct dynset_chunk *c;
	struct ip_range next = { 0 };

	if (s->n_chunks == 0)
		return 0;
	c = &s->chunks[p.chunk];
	if (!end)
		next = get(s, c, p.at);
	while (i + run.n < what->n && c->n + run.n < CHUNK_MAX &&
	       (end || is_after(&next, &run.r[run.n])) &&
	       (run.n == 0 || is_after(&run.r[run.n], &run.r[run.n - 1])))
		run.n++;
	if (run.n != 0)
		splice_chunk(s, c, p.at, 0, &run);
	s->n += run.n;
	return run.n;
}

void dynset_add_all(struct dynset *s, const struct rangeset *what, struct rangeset *added)
{
	for (size_t i = 0, n; i < what->n; i += n) {
		n = add_apart(s, what, i);
		for (size_t k = 0; added && k < n; k++)
			rangeset_append(added, what->r[i + k].first, what->r[i + k].last);
		if (n == 0) {
			const struct rangeset one = { .r = &what->r[i], .n = 1 };

			dynset_replace(s, one.r->first, one.r->last, &one, added, NULL);
			n = 1;
		}
	}
}

void dynset_add(struct dynset *s, u128 first, u128 last, struct rangeset *added)
{
	struct ip_range r = { first, last };
	const struct rangeset one = { .r = &r, .n = 1 };

	dynset_add_all(s, &one, added);
}

void dynset_remove(struct dynset *s, u128 first, u128 last, struct rangeset *removed)
{
	static const struct rangeset nothing;

	if (!is_clear(s, first, last))
		dynset_replace(s, first, last, &nothing, NULL, removed);
}

bool dynset_first(const struct dynset *s, u128 *v)
{
	if (s->n == 0)
		return false;
	*v = s->chunks[0].first;
	return true;
}

void dynset_note(struct dynset *to, struct dynset *opposite, const struct ip_range *r)
{
	struct rangeset undone = { 0 }, rest = { 0 };

	if (is_clear(opposite, r->first, r->last)) {
		dynset_add(to, r->first, r->last, NULL);
		return;
	}
	rangeset_append(&rest, r->first, r->last);
	dynset_remove(opposite, r->first, r->last, &undone);
	rangeset_subtract(&rest, &rest, &undone);
	for (size_t i = 0; i < rest.n; i++)
		dynset_add(to, rest.r[i].first, rest.r[i].last, NULL);
	rangeset_fini(&undone);
	rangeset_fini(&rest);
}

/* ---- both families */

bool dynaddrset_first(const struct dynaddrset *s, struct ip_addr *addr)
{
	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++) {
		if (dynset_first(&s->f[family], &addr->v)) {
			addr->family = family;
			return true;
		}
	}
	return false;
}

void dynaddrset_init(struct dynaddrset *s)
{
	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++)
		dynset_init(&s->f[family], family);
}

void dynaddrset_fini(struct dynaddrset *s)
{
	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++)
		dynset_fini(&s->f[family]);
}

bool dynaddrset_is_empty(const struct dynaddrset *s)
{
	return s->f[IP_V4].n == 0 && s->f[IP_V6].n == 0;
}

bool dynaddrset_contains(const struct dynaddrset *s, const struct ip_addr *addr)
{
	return dynset_contains(&s->f[addr->family], addr->v);
}

void dynaddrset_add(struct dynaddrset *s, const struct addrset *what,
		    struct addrset *changed)
{
	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++)
		dynset_add_all(&s->f[family], &what->f[family],
			       changed ? &changed->f[family] : NULL);
}

void dynaddrset_remove(struct dynaddrset *s, const struct addrset *what,
		       struct addrset *changed)
{
	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++) {
		const struct rangeset *w = &what->f[family];

		for (size_t i = 0; s->f[family].n != 0 && i < w->n; i++)
			dynset_remove(&s->f[family], w->r[i].first, w->r[i].last,
				      changed ? &changed->f[family] : NULL);
	}
}

void dynaddrset_note(struct dynaddrset *to, struct dynaddrset *opposite,
		     const struct addrset *what)
{
	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++) {
		const struct rangeset *w = &what->f[family];

		if (opposite->f[family].n == 0) {
			dynset_add_all(&to->f[family], w, NULL);
			continue;
		}
		for (size_t i = 0; i < w->n; i++)
			dynset_note(&to->f[family], &opposite->f[family], &w->r[i]);
	}
}

void dynaddrset_intersect(const struct dynaddrset *s, const struct addrset *what,
			  struct addrset *out)
{
	addrset_fini(out);
	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++) {
		const struct rangeset *w = &what->f[family];

		for (size_t i = 0; i < w->n; i++)
			dynset_part(&s->f[family], w->r[i].first, w->r[i].last,
				    &out->f[family]);
	}
}

void dynaddrset_export(const struct dynaddrset *s, struct addrset *out)
{
	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++)
		dynset_export(&s->f[family], &out->f[family]);
}

size_t dynaddrset_bytes(const struct dynaddrset *s)
{
	return dynset_bytes(&s->f[IP_V4]) + dynset_bytes(&s->f[IP_V6]);
}
