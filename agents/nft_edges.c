/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/nft_edges.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

void edge_copy(struct edge *dst, const struct edge *src)
{
	*dst = *src;
	dst->connected = (struct addrset){ 0 };
	addrset_copy(&dst->connected, &src->connected);
	for (enum ip_family family = 0; family < IP_FAMILIES; family++) {
		dst->parts[family] = (struct parts){ 0 };
		parts_copy(&dst->parts[family], &src->parts[family]);
	}
}

void edge_fini(struct edge *e)
{
	addrset_fini(&e->connected);
	for (enum ip_family family = 0; family < IP_FAMILIES; family++)
		parts_fini(&e->parts[family]);
}

static size_t edge_place(const struct edges *es, const char *interface)
{
	size_t lo = 0, hi = es->n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (strcmp(es->e[mid].interface, interface) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct edge *edges_find(const struct edges *es, const char *interface)
{
	size_t at = edge_place(es, interface);

	return at < es->n && strcmp(es->e[at].interface, interface) == 0 ? &es->e[at]
									 : NULL;
}

struct edge *edges_get(struct edges *es, const char *interface)
{
	size_t at = edge_place(es, interface);
	struct edge *e = edges_find(es, interface);

	if (e)
		return e;
	if (es->n == es->cap) {
		es->cap = es->cap * 2 + 8;
		es->e = mem_realloc(es->e, es->cap, sizeof(*es->e));
	}
	e = &es->e[at];
	memmove(e + 1, e, (es->n - at) * sizeof(*e));
	es->n++;
	*e = (struct edge){ 0 };
	snprintf(e->interface, sizeof(e->interface), "%s", interface);
	snprintf(e->last.interface, sizeof(e->last.interface), "%s", interface);
	return e;
}

void edges_drop(struct edges *es, const char *interface)
{
	struct edge *e = edges_find(es, interface);

	if (!e)
		return;
	edge_fini(e);
	es->n--;
	memmove(e, e + 1, (es->n - (size_t)(e - es->e)) * sizeof(*e));
}

void edges_fini(struct edges *es)
{
	for (size_t i = 0; i < es->n; i++)
		edge_fini(&es->e[i]);
	free(es->e);
	*es = (struct edges){ 0 };
}
