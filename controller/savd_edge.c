/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/savd_edge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

static size_t edge_locate(const struct savd *s, const char *router, const char *interface,
			  bool *found)
{
	size_t lo = 0, hi = s->n_edges;

	*found = false;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = strcmp(s->edges[mid]->router, router);

		if (c == 0)
			c = strcmp(s->edges[mid]->interface, interface);
		if (c == 0)
			*found = true;
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

const struct savd_edge *savd_edge_find(const struct savd *s, const char *router,
				       const char *interface)
{
	bool found;
	size_t at = edge_locate(s, router, interface, &found);

	return found ? s->edges[at] : NULL;
}

struct savd_edge *savd_edge_get(struct savd *s, const char *router, const char *interface)
{
	struct savd_edge *e;
	bool found;
	size_t at = edge_locate(s, router, interface, &found);

	if (found)
		return s->edges[at];
	if (!config_edge_find(&s->cfg, router, interface))
		return NULL;
	s->edges = mem_realloc(s->edges, s->n_edges + 1, sizeof(*s->edges));
	memmove(&s->edges[at + 1], &s->edges[at],
		(s->n_edges - at) * sizeof(*s->edges));
	s->n_edges++;
	e = s->edges[at] = mem_alloc(sizeof(*e));
	snprintf(e->router, sizeof(e->router), "%s", router);
	snprintf(e->interface, sizeof(e->interface), "%s", interface);
	return e;
}

void savd_edge_forget(struct savd *s, const char *router, const char *interface)
{
	bool found;
	size_t at = edge_locate(s, router, interface, &found);

	if (!found)
		return;
	free(s->edges[at]);
	s->n_edges--;
	memmove(&s->edges[at], &s->edges[at + 1],
		(s->n_edges - at) * sizeof(*s->edges));
}

void savd_edge_changed(struct savd_edge *e, uint64_t generation, int64_t when_s)
{
	if (e->changed_generation != generation)
		e->changed_s = when_s;
	e->changed_generation = generation;
}

void savd_edges_fini(struct savd *s)
{
	for (size_t i = 0; i < s->n_edges; i++)
		free(s->edges[i]);
	free(s->edges);
}
