/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The sets that are kept up against those from scratch. For tests.
 */
#include "controller/engine_impl.h"

#include <stdlib.h>

#include "lib/mem.h"

struct scratch {
	struct sets_source *sources;
	size_t n_sources;
	const struct fib **fibs;
	uint32_t *ports;
	struct sets_pass *pass;
};

static void sources_list(const struct engine *e, struct scratch *s)
{
	for (const struct engine_peer *p = e->peers; p; p = p->next) {
		const struct config_router *r = config_router_find(e->cfg, p->router->name);

		for (const struct engine_way *w = p->ways; r && w && !w->gone; w = w->next) {
			s->sources = mem_realloc(s->sources, s->n_sources + 1,
						 sizeof(*s->sources));
			s->sources[s->n_sources++] = (struct sets_source){
				.peer = p->rib,
				.edge = w->edge,
				.router = (size_t)(r - e->cfg->routers),
				.ibgp = p->info.is_ibgp,
			};
		}
	}
}

static void scratch_init(const struct engine *e, struct scratch *s)
{
	*s = (struct scratch){ 0 };
	sources_list(e, s);
	s->pass = sets_pass_new(e->cfg, s->sources, s->n_sources);
	s->fibs = mem_calloc(e->cfg->n_routers + 1, sizeof(*s->fibs));
	for (size_t i = 0; i < e->cfg->n_routers; i++) {
		const struct engine_router *r =
			engine_router_find(e, e->cfg->routers[i].name);

		s->fibs[i] = r ? r->fib : NULL;
	}
	s->ports = engine_edge_ports(e);
	sets_pass_set_fibs(s->pass, s->fibs, s->ports);
}

static void scratch_fini(struct scratch *s)
{
	sets_pass_free(s->pass);
	free(s->sources);
	free(s->fibs);
	free(s->ports);
}

static int not_so(const struct engine *e, size_t edge, const char *what, struct diag *diag)
{
	const struct config_edge *c = &e->cfg->edges[edge];

	return diag_set(diag, "edge %s %s, mode %s: %s", c->router, c->interface,
			edge_mode_name(config_edge_mode(c)), what);
}

static int check_computed(const struct engine *e, struct scratch *s, size_t edge,
			  struct diag *diag)
{
	const struct config_edge *c = &e->cfg->edges[edge];
	struct addrset truth = { 0 }, kept = { 0 }, sessions = { 0 };
	bool same;

	sets_pass_edge(s->pass, edge, &truth);
	engine_sessions_set(e, e->edges[edge], &sessions);
	addrset_union(&truth, &truth, &sessions);
	addrset_fini(&sessions);
	engine_edge_computed(e, c->router, c->interface, &kept);
	same = addrset_equal(&truth, &kept);
	addrset_fini(&truth);
	addrset_fini(&kept);
	return same ? 0 : not_so(e, edge, "the set that was kept up is another one", diag);
}

/* absent, and with it what waits, is a part of enforced. */
static int check_hold(const struct engine *e, size_t edge, const struct hold *hold,
		      struct diag *diag)
{
	struct addrset enforced = { 0 }, absent = { 0 }, waits = { 0 }, idle = { 0 };
	u128 size[IP_FAMILIES];
	int r = 0;

	dynaddrset_export(&hold->enforced, &enforced);
	dynaddrset_export(&hold->absent, &absent);
	dynaddrset_export(&hold->idle, &idle);
	hold_waiting(hold, &waits);
	hold_size(hold, size);
	addrset_union(&waits, &waits, &idle);
	if (!addrset_equal(&waits, &absent))
		r = not_so(e, edge, "something absent does not wait, or waits twice", diag);
	addrset_subtract(&absent, &absent, &enforced);
	if (!addrset_is_empty(&absent))
		r = not_so(e, edge, "something waits that is not enforced", diag);
	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++) {
		if (size[family] != rangeset_size(&enforced.f[family]))
			r = not_so(e, edge, "its size was counted wrong", diag);
	}
	addrset_fini(&enforced);
	addrset_fini(&absent);
	addrset_fini(&waits);
	addrset_fini(&idle);
	return r;
}

static int check_excess(const struct engine *e, size_t edge, struct diag *diag)
{
	struct addrset enforced = { 0 }, excess = { 0 };
	bool both;

	dynaddrset_export(&e->edges[edge]->hold.enforced, &enforced);
	dynaddrset_export(&e->edges[edge]->excess, &excess);
	addrset_intersect(&excess, &excess, &enforced);
	both = !addrset_is_empty(&excess);
	addrset_fini(&enforced);
	addrset_fini(&excess);
	return both ? not_so(e, edge, "something is enforced and held back", diag) : 0;
}

/* Of an edge that was looked at since its peers changed. */
static int check_exempt(const struct engine *e, size_t edge, struct diag *diag)
{
	const struct engine_edge *g = e->edges[edge];
	struct addrset now = { 0 }, kept = { 0 }, all = { 0 }, told = { 0 };
	int r = 0;

	engine_exempt_current(e, g, &now);
	hold_computed(&g->exempt, &kept);
	dynaddrset_export(&g->exempt.enforced, &all);
	for (size_t i = 0; i < g->filter.n_peers; i++) {
		const struct ip_addr *a = &g->filter.peers[i];

		rangeset_append(&told.f[a->family], a->v, a->v);
	}
	addrset_normalize(&told);
	if (!addrset_equal(&now, &kept))
		r = not_so(e, edge, "its peers are others", diag);
	if (!addrset_equal(&all, &told))
		r = not_so(e, edge, "its filter has other peers", diag);
	if (g->exempt_left == dynaddrset_is_empty(&g->exempt.absent))
		r = not_so(e, edge, "it is wrong about whether a peer has left", diag);
	addrset_fini(&now);
	addrset_fini(&kept);
	addrset_fini(&all);
	addrset_fini(&told);
	return r;
}

int engine_check(struct engine *e, struct diag *diag)
{
	struct scratch s;
	int r = 0;

	engine_live_run(e);
	scratch_init(e, &s);
	for (size_t i = 0; r == 0 && i < e->n_edges; i++) {
		if (e->cfg->edges[i].role == ROLE_NONE)
			continue;
		r = check_computed(e, &s, i, diag);
		if (r == 0)
			r = check_hold(e, i, &e->edges[i]->hold, diag);
		if (r == 0)
			r = check_hold(e, i, &e->edges[i]->exempt, diag);
		if (r == 0)
			r = check_excess(e, i, diag);
		if (r == 0 && !e->states_changed)
			r = check_exempt(e, i, diag);
	}
	scratch_fini(&s);
	return r;
}
