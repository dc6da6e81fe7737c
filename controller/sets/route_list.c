/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/sets/route_list.h"

#include <stdlib.h>

#include "lib/mem.h"

/* By family, and the first 16 bits of the address. */
#define BINS	 (IP_FAMILIES << 16)
#define BINS_MIN 4096 /* of fewer routes all are one bin */

void route_list_add(struct routes *routes, const struct route *r)
{
	if (routes->n == routes->cap) {
		routes->cap = routes->cap ? routes->cap * 2 : 64;
		routes->r = mem_realloc(routes->r, routes->cap, sizeof(*routes->r));
	}
	routes->r[routes->n++] = *r;
}

void route_list_fini(struct routes *routes)
{
	free(routes->r);
	*routes = (struct routes){ 0 };
}

static int by_prefix(const void *a, const void *b)
{
	const struct route *x = a, *y = b;

	return ip_prefix_cmp(&x->prefix, &y->prefix);
}

static size_t bin_of(const struct ip_prefix *p)
{
	return (size_t)p->family << 16 |
	       (size_t)(p->v >> (ip_bits((enum ip_family)p->family) - 16));
}

/* Into bins that are in order, each of which fits into the cache while it is sorted:
 * sorting millions at once goes over all of them twenty times. */
static void sort_in_bins(struct routes *routes)
{
	struct route *to = mem_calloc(routes->n, sizeof(*to));
	size_t *end = mem_calloc(BINS + 1, sizeof(*end));

	for (size_t i = 0; i < routes->n; i++)
		end[bin_of(&routes->r[i].prefix) + 1]++;
	for (size_t i = 1; i <= BINS; i++)
		end[i] += end[i - 1];
	for (size_t i = 0; i < routes->n; i++)
		to[end[bin_of(&routes->r[i].prefix)]++] = routes->r[i];
	for (size_t i = 0, from = 0; i < BINS; from = end[i++]) {
		if (end[i] - from > 1)
			qsort(&to[from], end[i] - from, sizeof(*to), by_prefix);
	}
	free(end);
	free(routes->r);
	routes->r = to;
	routes->cap = routes->n;
}

void route_list_sort(struct routes *routes)
{
	if (routes->n >= BINS_MIN)
		sort_in_bins(routes);
	else if (routes->n != 0)
		qsort(routes->r, routes->n, sizeof(*routes->r), by_prefix);
}

size_t route_list_run_end(const struct routes *routes, size_t i)
{
	size_t end = i + 1;

	while (end < routes->n && by_prefix(&routes->r[i], &routes->r[end]) == 0)
		end++;
	return end;
}
