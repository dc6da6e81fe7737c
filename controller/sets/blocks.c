/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/sets/blocks.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/mem.h"

static void take_block(const struct ip_prefix *p, void *arg)
{
	struct blocks *b = arg;

	if (b->n == b->cap) {
		b->cap = b->cap ? b->cap * 2 : 64;
		b->p = mem_realloc(b->p, b->cap, sizeof(*b->p));
	}
	b->p[b->n++] = *p;
}

static int largest_first(const void *a, const void *b)
{
	const struct ip_prefix *x = a, *y = b;

	if (x->family != y->family)
		return x->family - y->family;
	if (x->len != y->len)
		return x->len - y->len;
	return (x->v > y->v) - (x->v < y->v);
}

struct blocks blocks_of(const struct addrset *set)
{
	struct blocks b = { 0 };

	addrset_each_prefix(set, take_block, &b);
	if (b.n != 0)
		qsort(b.p, b.n, sizeof(*b.p), largest_first);
	return b;
}

void blocks_fini(struct blocks *b)
{
	free(b->p);
	*b = (struct blocks){ 0 };
}

u128 block_size(const struct ip_prefix *p)
{
	unsigned int host = ip_bits((enum ip_family)p->family) - p->len;

	return host == 128 ? ~(u128)0 : (u128)1 << host;
}

const char *blocks_digits(u128 v, char buf[BLOCKS_DIGITS_SIZE])
{
	char *at = buf + BLOCKS_DIGITS_SIZE - 1;

	*at = '\0';
	do {
		*--at = (char)('0' + (int)(v % 10));
		v /= 10;
	} while (v != 0);
	return at;
}

const char *blocks_amount(u128 v, enum ip_family family, char buf[BLOCKS_TEXT_SIZE])
{
	char text[BLOCKS_DIGITS_SIZE];

	if (family == IP_V6 && v >> 64 != 0)
		snprintf(buf, BLOCKS_TEXT_SIZE, "%s /64%s", blocks_digits(v >> 64, text),
			 v >> 64 == 1 ? "" : "s");
	else
		snprintf(buf, BLOCKS_TEXT_SIZE, "%s %s address%s", blocks_digits(v, text),
			 family == IP_V4 ? "IPv4" : "IPv6", v == 1 ? "" : "es");
	return buf;
}
