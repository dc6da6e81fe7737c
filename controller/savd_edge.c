/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/savd_edge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "lib/mem.h"

struct key {
	const char *router, *interface;
};

static int edge_cmp(const void *item, const void *key)
{
	const struct savd_edge *e = *(struct savd_edge *const *)item;
	const struct key *k = key;
	int c = strcmp(e->router, k->router);

	return c != 0 ? c : strcmp(e->interface, k->interface);
}

static size_t edge_locate(const struct savd *s, const char *router, const char *interface,
			  bool *found)
{
	const struct key key = { router, interface };

	return array_locate(s->edges, s->n_edges, sizeof(*s->edges), &key, edge_cmp, found);
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
	e = mem_alloc(sizeof(*e));
	snprintf(e->router, sizeof(e->router), "%s", router);
	snprintf(e->interface, sizeof(e->interface), "%s", interface);
	array_insert((void **)&s->edges, &s->n_edges, sizeof(*s->edges), at, &e);
	return e;
}

void savd_edge_forget(struct savd *s, const char *router, const char *interface)
{
	bool found;
	size_t at = edge_locate(s, router, interface, &found);

	if (!found)
		return;
	free(s->edges[at]);
	array_remove(s->edges, &s->n_edges, sizeof(*s->edges), at);
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
