/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/sets/sets_fib.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

/* As sets_prefix_is_too_short(). */
static unsigned int min_len(enum ip_family family)
{
	return family == IP_V4 ? 8 : 16;
}

struct port {
	uint32_t index;
	size_t edge;
};

struct strict_walk {
	enum ip_family family;
	struct port *ports; /* by index */
	size_t n_ports;
	sets_direct_fn *direct;
	void *arg;
	struct addrset *strict, *strict_direct;
};

static int by_index(const void *a, const void *b)
{
	const struct port *x = a, *y = b;

	return (x->index > y->index) - (x->index < y->index);
}

static void grant_direct(struct strict_walk *w, const struct fib_route *route, u128 first,
			 u128 last, const size_t *edges, size_t n)
{
	const size_t *direct = NULL;
	size_t n_direct = w->direct(&route->prefix, &direct, w->arg);

	if (n_direct != 0) {
		edges = direct;
		n = n_direct;
	}
	for (size_t i = 0; i < n; i++)
		rangeset_append(&w->strict_direct[edges[i]].f[w->family], first, last);
}

static void strict_range(const struct fib_route *route, u128 first, u128 last, void *arg)
{
	struct strict_walk *w = arg;
	size_t edges[AGENT_ROUTE_INDEXES_MAX], n = 0;

	if (route->kind != AGENT_ROUTE_UNICAST)
		return;
	for (size_t i = 0; w->n_ports != 0 && i < route->n; i++) {
		const struct port key = { .index = route->indexes[i] };
		const struct port *port =
			bsearch(&key, w->ports, w->n_ports, sizeof(key), by_index);

		if (!port)
			continue;
		edges[n++] = port->edge;
		rangeset_append(&w->strict[port->edge].f[w->family], first, last);
	}
	if (w->direct)
		grant_direct(w, route, first, last, edges, n);
}

void sets_fib_strict(const struct config *cfg, const char *router, const struct fib *fib,
		     const uint32_t *index, sets_direct_fn *direct, void *arg,
		     struct addrset *strict, struct addrset *strict_direct)
{
	struct strict_walk w = { .direct = direct,
				 .arg = arg,
				 .strict = strict,
				 .strict_direct = strict_direct };

	w.ports = mem_calloc(cfg->n_edges + 1, sizeof(*w.ports));
	for (size_t i = 0; i < cfg->n_edges; i++) {
		if (index[i] != 0 && strcmp(cfg->edges[i].router, router) == 0)
			w.ports[w.n_ports++] = (struct port){ index[i], i };
	}
	if (w.n_ports != 0)
		qsort(w.ports, w.n_ports, sizeof(*w.ports), by_index);
	for (w.family = IP_V4; w.family < IP_FAMILIES; w.family++) {
		const struct ip_prefix all = { .family = (uint8_t)w.family };

		fib_cut(fib, &all, min_len(w.family), strict_range, &w);
	}
	free(w.ports);
}

struct kind_walk {
	enum agent_route_kind kind;
	struct rangeset *out;
};

static void kind_range(const struct fib_route *route, u128 first, u128 last, void *arg)
{
	struct kind_walk *w = arg;

	if (route->kind == w->kind)
		rangeset_append(w->out, first, last);
}

void sets_fib_routed(const struct fib *fib, bool with_default, struct addrset *out)
{
	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++) {
		struct kind_walk w = { AGENT_ROUTE_UNICAST, &out->f[family] };
		const struct ip_prefix all = { .family = (uint8_t)family };

		fib_cut(fib, &all, with_default ? 0 : min_len(family), kind_range, &w);
	}
}

void sets_fib_rejected(const struct fib *fib, struct addrset *out)
{
	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++) {
		struct kind_walk w = { AGENT_ROUTE_REJECT, &out->f[family] };
		const struct ip_prefix all = { .family = (uint8_t)family };

		fib_cut(fib, &all, min_len(family), kind_range, &w);
	}
}
