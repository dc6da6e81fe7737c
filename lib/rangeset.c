/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/rangeset.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

void rangeset_fini(struct rangeset *s)
{
	free(s->r);
	*s = (struct rangeset){ 0 };
}

void rangeset_copy(struct rangeset *dst, const struct rangeset *src)
{
	struct ip_range *r = NULL;

	if (dst == src)
		return;
	if (src->n != 0)
		r = mem_dup(src->r, src->n * sizeof(*r));
	free(dst->r);
	*dst = (struct rangeset){ .r = r, .n = src->n, .cap = src->n };
}

void rangeset_append(struct rangeset *s, u128 first, u128 last)
{
	if (s->n == s->cap) {
		s->cap = s->cap ? s->cap * 2 : 8;
		s->r = mem_realloc(s->r, s->cap, sizeof(*s->r));
	}
	s->r[s->n++] = (struct ip_range){ first, last };
}

void rangeset_append_prefix(struct rangeset *s, const struct ip_prefix *p)
{
	rangeset_append(s, p->v, ip_prefix_last(p));
}

/* Appends in ascending order of first, joining what overlaps or touches. */
static void push(struct rangeset *s, u128 first, u128 last)
{
	struct ip_range *top = s->n ? &s->r[s->n - 1] : NULL;

	if (top && (first <= top->last || first - 1 == top->last)) {
		if (last > top->last)
			top->last = last;
		return;
	}
	rangeset_append(s, first, last);
}

static void insertion_sort(struct ip_range *r, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct ip_range one = r[i];
		size_t j = i;

		for (; j > 0 && r[j - 1].first > one.first; j--)
			r[j] = r[j - 1];
		r[j] = one;
	}
}

/* Where the highest byte begins in which some of the firsts differ; -1: none. */
static int top_byte(const struct ip_range *r, size_t n)
{
	u128 differs = 0;

	for (size_t i = 1; i < n; i++)
		differs |= r[i].first ^ r[0].first;
	if (differs >> 64 != 0)
		return 64 + (63 - __builtin_clzll((uint64_t)(differs >> 64))) / 8 * 8;
	return differs ? (63 - __builtin_clzll((uint64_t)differs)) / 8 * 8 : -1;
}

/* By first. Full tables come in hash order: each byte parts them into 256 heaps
 * in place, several times as fast as qsort(), which would want as much memory
 * again for its merging. */
static void sort(struct ip_range *r, size_t n)
{
	size_t next[256] = { 0 }, end[256], at = 0;
	int shift;

	if (n <= 32) {
		insertion_sort(r, n);
		return;
	}
	shift = top_byte(r, n);
	if (shift < 0)
		return;
	for (size_t i = 0; i < n; i++)
		next[(uint8_t)(r[i].first >> shift)]++;
	for (int b = 0; b < 256; b++) {
		size_t count = next[b];

		next[b] = at;
		at += count;
		end[b] = at;
	}
	for (int b = 0; b < 256; b++) {
		while (next[b] < end[b]) {
			struct ip_range one = r[next[b]];
			uint8_t to = (uint8_t)(one.first >> shift);

			while (to != b) {
				struct ip_range other = r[next[to]];

				r[next[to]++] = one;
				one = other;
				to = (uint8_t)(one.first >> shift);
			}
			r[next[b]++] = one;
		}
	}
	at = 0;
	for (int b = 0; b < 256; b++) {
		sort(r + at, end[b] - at);
		at = end[b];
	}
}

static bool is_sorted(const struct rangeset *s)
{
	for (size_t i = 1; i < s->n; i++) {
		if (s->r[i].first < s->r[i - 1].first)
			return false;
	}
	return true;
}

void rangeset_normalize(struct rangeset *s)
{
	size_t n = s->n;

	if (n == 0)
		return;
	if (!is_sorted(s))
		sort(s->r, n);
	s->n = 0; /* push() never writes past what has been read */
	for (size_t i = 0; i < n; i++)
		push(s, s->r[i].first, s->r[i].last);
}

static void replace(struct rangeset *dst, struct rangeset *with)
{
	free(dst->r);
	*dst = *with;
}

void rangeset_union(struct rangeset *dst, const struct rangeset *a,
		    const struct rangeset *b)
{
	struct rangeset out = { 0 };
	size_t i = 0, j = 0;

	while (i < a->n || j < b->n) {
		const struct ip_range *next;

		if (j == b->n || (i < a->n && a->r[i].first <= b->r[j].first))
			next = &a->r[i++];
		else
			next = &b->r[j++];
		push(&out, next->first, next->last);
	}
	replace(dst, &out);
}

void rangeset_subtract(struct rangeset *dst, const struct rangeset *a,
		       const struct rangeset *b)
{
	struct rangeset out = { 0 };
	size_t j = 0;

	for (size_t i = 0; i < a->n; i++) {
		u128 first = a->r[i].first, last = a->r[i].last;
		bool rest = true;

		while (j < b->n && b->r[j].last < first)
			j++;
		for (size_t k = j; k < b->n && b->r[k].first <= last; k++) {
			if (b->r[k].first > first)
				push(&out, first, b->r[k].first - 1);
			if (b->r[k].last >= last) {
				rest = false;
				break;
			}
			first = b->r[k].last + 1;
		}
		if (rest)
			push(&out, first, last);
	}
	replace(dst, &out);
}

void rangeset_intersect(struct rangeset *dst, const struct rangeset *a,
			const struct rangeset *b)
{
	struct rangeset out = { 0 };

	for (size_t i = 0, j = 0; i < a->n && j < b->n;) {
		const struct ip_range *x = &a->r[i], *y = &b->r[j];
		u128 first = x->first > y->first ? x->first : y->first;
		u128 last = x->last < y->last ? x->last : y->last;

		if (first <= last)
			push(&out, first, last);
		if (x->last < y->last)
			i++;
		else
			j++;
	}
	replace(dst, &out);
}

void rangeset_complement(struct rangeset *dst, const struct rangeset *a,
			 enum ip_family family)
{
	struct rangeset all = { 0 };

	rangeset_append(&all, 0, ip_max(family));
	rangeset_subtract(&all, &all, a);
	replace(dst, &all);
}

bool rangeset_is_empty(const struct rangeset *s)
{
	return s->n == 0;
}

bool rangeset_equal(const struct rangeset *a, const struct rangeset *b)
{
	return a->n == b->n &&
	       (a->n == 0 || memcmp(a->r, b->r, a->n * sizeof(*a->r)) == 0);
}

/* The first range that does not end before v, or s->n. */
static size_t lower_bound(const struct rangeset *s, u128 v)
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

bool rangeset_contains(const struct rangeset *s, u128 v)
{
	size_t i = lower_bound(s, v);

	return i < s->n && s->r[i].first <= v;
}

bool rangeset_covers(const struct rangeset *s, const struct rangeset *inner)
{
	for (size_t i = 0; i < inner->n; i++) {
		size_t at = lower_bound(s, inner->r[i].last);

		if (at == s->n || s->r[at].first > inner->r[i].first)
			return false;
	}
	return true;
}

u128 rangeset_size(const struct rangeset *s)
{
	u128 sum = 0;

	for (size_t i = 0; i < s->n; i++) {
		u128 span = s->r[i].last - s->r[i].first; /* size - 1 */

		if (span > ~(u128)0 - 1 - sum)
			return ~(u128)0;
		sum += span + 1;
	}
	return sum;
}

static unsigned int trailing_zeros(u128 v)
{
	if ((uint64_t)v != 0)
		return (unsigned int)__builtin_ctzll((uint64_t)v);
	return v ? 64 + (unsigned int)__builtin_ctzll((uint64_t)(v >> 64)) : 128;
}

static unsigned int log2_floor(u128 v)
{
	if (v >> 64 != 0)
		return 127 - (unsigned int)__builtin_clzll((uint64_t)(v >> 64));
	return 63 - (unsigned int)__builtin_clzll((uint64_t)v);
}

/* Free bits of the largest aligned block that starts at first and ends at or
 * before last. */
static unsigned int block_bits(u128 first, u128 last, unsigned int bits)
{
	u128 more = last - first; /* addresses but one */
	unsigned int fit = more == ~(u128)0 ? 128 : log2_floor(more + 1);
	unsigned int aligned = trailing_zeros(first);

	if (fit > bits)
		fit = bits;
	return aligned < fit ? aligned : fit;
}

void rangeset_each_prefix(const struct rangeset *s, enum ip_family family,
			  rangeset_prefix_fn *fn, void *arg)
{
	unsigned int bits = ip_bits(family);

	for (size_t i = 0; i < s->n; i++) {
		u128 at = s->r[i].first;

		for (;;) {
			unsigned int free = block_bits(at, s->r[i].last, bits);
			struct ip_prefix p = { .v = at,
					       .family = family,
					       .len = (uint8_t)(bits - free) };

			fn(&p, arg);
			if (ip_prefix_last(&p) == s->r[i].last)
				break;
			at = ip_prefix_last(&p) + 1;
		}
	}
}

static void count_one(const struct ip_prefix *p, void *arg)
{
	size_t *n = arg;

	(void)p;
	(*n)++;
}

size_t rangeset_prefix_count(const struct rangeset *s, enum ip_family family)
{
	size_t n = 0;

	rangeset_each_prefix(s, family, count_one, &n);
	return n;
}

void addrset_fini(struct addrset *s)
{
	rangeset_fini(&s->f[IP_V4]);
	rangeset_fini(&s->f[IP_V6]);
}

void addrset_copy(struct addrset *dst, const struct addrset *src)
{
	rangeset_copy(&dst->f[IP_V4], &src->f[IP_V4]);
	rangeset_copy(&dst->f[IP_V6], &src->f[IP_V6]);
}

void addrset_append(struct addrset *s, const struct ip_prefix *p)
{
	rangeset_append_prefix(&s->f[p->family], p);
}

void addrset_normalize(struct addrset *s)
{
	rangeset_normalize(&s->f[IP_V4]);
	rangeset_normalize(&s->f[IP_V6]);
}

void addrset_union(struct addrset *dst, const struct addrset *a, const struct addrset *b)
{
	rangeset_union(&dst->f[IP_V4], &a->f[IP_V4], &b->f[IP_V4]);
	rangeset_union(&dst->f[IP_V6], &a->f[IP_V6], &b->f[IP_V6]);
}

void addrset_subtract(struct addrset *dst, const struct addrset *a,
		      const struct addrset *b)
{
	rangeset_subtract(&dst->f[IP_V4], &a->f[IP_V4], &b->f[IP_V4]);
	rangeset_subtract(&dst->f[IP_V6], &a->f[IP_V6], &b->f[IP_V6]);
}

void addrset_intersect(struct addrset *dst, const struct addrset *a,
		       const struct addrset *b)
{
	rangeset_intersect(&dst->f[IP_V4], &a->f[IP_V4], &b->f[IP_V4]);
	rangeset_intersect(&dst->f[IP_V6], &a->f[IP_V6], &b->f[IP_V6]);
}

bool addrset_is_empty(const struct addrset *s)
{
	return rangeset_is_empty(&s->f[IP_V4]) && rangeset_is_empty(&s->f[IP_V6]);
}

bool addrset_equal(const struct addrset *a, const struct addrset *b)
{
	return rangeset_equal(&a->f[IP_V4], &b->f[IP_V4]) &&
	       rangeset_equal(&a->f[IP_V6], &b->f[IP_V6]);
}

bool addrset_contains(const struct addrset *s, const struct ip_addr *addr)
{
	return rangeset_contains(&s->f[addr->family], addr->v);
}

void addrset_each_prefix(const struct addrset *s, rangeset_prefix_fn *fn, void *arg)
{
	rangeset_each_prefix(&s->f[IP_V4], IP_V4, fn, arg);
	rangeset_each_prefix(&s->f[IP_V6], IP_V6, fn, arg);
}

size_t addrset_prefix_count(const struct addrset *s)
{
	return rangeset_prefix_count(&s->f[IP_V4], IP_V4) +
	       rangeset_prefix_count(&s->f[IP_V6], IP_V6);
}
