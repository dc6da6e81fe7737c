/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/engine_remedy.h"

#include <stdio.h>

#include "controller/engine_impl.h"

/* What a statement would name where no route says how much goes together. */
#define NET_LEN4 24
#define NET_LEN6 48

unsigned int engine_admits(const struct engine *e, const char *router,
			   const char *interface, const struct ip_addr *addr)
{
	const struct config_edge *c = config_edge_find(e->cfg, router, interface);
	unsigned int admits = 0;

	/* live may not know of edges that the last command made */
	if (!c || e->policy_changed)
		return 0;
	for (size_t m = 0; m < REMEDY_MODES; m++) {
		if (live_edge_admits_as(e->live, e->cfg, (size_t)(c - e->cfg->edges),
					remedy_modes[m], addr))
			admits |= 1u << m;
	}
	return admits;
}

void engine_edge_as(const struct engine *e, const char *router, const char *interface,
		    enum edge_mode mode, struct addrset *out)
{
	const struct config_edge *c = config_edge_find(e->cfg, router, interface);
	struct addrset given = { 0 };
	size_t edge;

	addrset_fini(out);
	if (!c || e->policy_changed)
		return;
	edge = (size_t)(c - e->cfg->edges);
	live_edge_set_as(e->live, e->cfg, edge, mode, out);
	engine_sessions_set(e, e->edges[edge], &given);
	addrset_union(out, out, &given);
	addrset_fini(&given);
}

const char *engine_remedy(const struct engine *e, const char *router,
			  const char *interface, const struct ip_addr *addr,
			  const struct explain *x, char text[REMEDY_TEXT_SIZE])
{
	const struct config_edge *c = config_edge_find(e->cfg, router, interface);
	enum ip_family family = (enum ip_family)addr->family;
	struct remedy r = { .prefix = x->prefix };

	text[0] = '\0';
	if (!c || x->admitted || x->step == EXPLAIN_INACTIVE)
		return text;
	if (x->step == EXPLAIN_GROWTH) {
		snprintf(text, REMEDY_TEXT_SIZE, "brake release %s %s", router, interface);
		return text;
	}
	/* Own space is named no wider than needed: the rest of it is ours. */
	if (x->step != EXPLAIN_NONE || x->prefix.len == 0)
		r.prefix = ip_prefix_make(family, addr->v,
					  family == IP_V4 ? NET_LEN4 : NET_LEN6);
	r.admits = engine_admits(e, router, interface, addr);
	r.special = x->step == EXPLAIN_SPECIAL;
	r.has_record = c->customer[0] != '\0';
	return remedy_format(&r, text);
}
