/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/controller/lab_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

static void done(struct lab *lab, int ret, const struct diag *diag)
{
	if (ret < 0)
		lab_fail(lab, "%s", diag->text);
}

static void do_router(struct lab *lab, struct words *w)
{
	struct config_router r = { 0 };
	struct diag diag;

	snprintf(r.name, sizeof(r.name), "%s", words_next(w));
	done(lab, config_router_put(&lab->cfg, &r, &diag), &diag);
}

static void do_source(struct lab *lab, struct words *w)
{
	const char *name = words_next(w);
	struct ip_addr addr = lab_addr(lab, words_next(w));
	struct config_router r;
	struct diag diag;

	config_router_copy(&r, config_router_find(&lab->cfg, name));
	config_addrs_set(&r.bmp_sources, &r.n_bmp_sources, &addr, true);
	done(lab, config_router_put(&lab->cfg, &r, &diag), &diag);
	config_router_fini(&r);
}

/* What config_router says of a router's feeds. */
static void do_feed(struct lab *lab, struct words *w)
{
	const char *name = words_next(w), *word = words_next(w), *value = words_next(w);
	struct config_router r;
	struct ip_addr addr;
	struct diag diag;

	config_router_copy(&r, config_router_find(&lab->cfg, name));
	if (strcmp(word, "stats") == 0) {
		r.bmp_stats_s = (uint32_t)atoi(value);
	} else if (strcmp(word, "redump") == 0) {
		r.redump_s = (uint32_t)atoi(value);
	} else if (strcmp(value, "bgp") == 0) {
		r.exclude_bgp = strcmp(word, "exclude") == 0;
	} else {
		addr = lab_addr(lab, value);
		config_addrs_set(&r.excluded, &r.n_excluded, &addr,
				 strcmp(word, "exclude") == 0);
	}
	done(lab, config_router_put(&lab->cfg, &r, &diag), &diag);
	config_router_fini(&r);
}

static void do_customer(struct lab *lab, struct words *w)
{
	struct config_customer c = { 0 };
	struct diag diag;

	snprintf(c.name, sizeof(c.name), "%s", words_next(w));
	while (w->at < w->n) {
		struct ip_prefix p = lab_prefix(lab, words_next(w));

		config_prefixes_set(&c.prefixes, &c.n_prefixes, &p, true);
	}
	done(lab, config_customer_put(&lab->cfg, &c, &diag), &diag);
	config_customer_fini(&c);
}

static void set_own(struct lab *lab, struct words *w, bool add)
{
	struct ip_prefix p = lab_prefix(lab, words_next(w));
	struct diag diag;

	done(lab, config_own_set(&lab->cfg, &p, add, &diag), &diag);
}

static void do_own(struct lab *lab, struct words *w)
{
	set_own(lab, w, true);
}

static void do_no_own(struct lab *lab, struct words *w)
{
	set_own(lab, w, false);
}

static void set_word(struct lab *lab, struct config_edge *e, const char *word,
		     const char *value)
{
	bool none = strcmp(value, "-") == 0, ok = true,
	     add = strncmp(word, "no-", 3) != 0;
	const char *noun = add ? word : word + 3;

	if (strcmp(noun, "peer") == 0) {
		struct ip_addr a = lab_addr(lab, value);

		ok = config_addrs_set(&e->peers, &e->n_peers, &a, add);
	} else if (strcmp(noun, "prefix") == 0) {
		struct ip_prefix p = lab_prefix(lab, value);

		ok = config_prefixes_set(&e->prefixes, &e->n_prefixes, &p, add);
	} else if (strcmp(noun, "role") == 0 && none) {
		e->role = ROLE_NONE;
	} else if (strcmp(noun, "role") == 0) {
		ok = edge_role_parse(value, &e->role);
	} else if (strcmp(noun, "mode") == 0 && none) {
		e->mode = MODE_DEFAULT;
	} else if (strcmp(noun, "mode") == 0) {
		ok = edge_mode_parse(value, &e->mode);
	} else if (strcmp(noun, "action") == 0) {
		ok = filter_action_parse(value, &e->action);
	} else if (strcmp(noun, "customer") == 0) {
		snprintf(e->customer, sizeof(e->customer), "%s", none ? "" : value);
	} else if (strcmp(noun, "holddown") == 0) {
		e->holddown_s = (uint32_t)atoi(value);
	} else if (strcmp(noun, "brake") == 0) {
		e->brake_shrink_percent = (uint32_t)atoi(value);
	} else if (strcmp(noun, "growth") == 0) {
		e->brake_growth_percent = (uint32_t)atoi(value);
	} else if (strcmp(noun, "stale") == 0) {
		ok = stale_policy_parse(value, &e->stale_policy);
		e->stale_s = 3600;
	} else {
		ok = false;
	}
	if (!ok)
		lab_fail(lab, "bad script: %s %s", word, value);
}

static void edge_put(struct lab *lab, struct config_edge *e)
{
	struct diag diag;

	done(lab, config_edge_put(&lab->cfg, e, &diag), &diag);
	config_edge_fini(e);
}

static void do_edge(struct lab *lab, struct words *w)
{
	const char *router = words_next(w), *interface = words_next(w);
	struct config_edge e;

	config_edge_init(&e, router, interface);
	set_word(lab, &e, "role", words_next(w));
	while (w->at < w->n) {
		const char *word = words_next(w);

		set_word(lab, &e, strcmp(word, "enforce") == 0 ? "action" : "mode", word);
	}
	edge_put(lab, &e);
}

static void do_set(struct lab *lab, struct words *w)
{
	const char *router = words_next(w), *interface = words_next(w),
		   *word = words_next(w);
	const struct config_edge *old = config_edge_find(&lab->cfg, router, interface);
	struct config_edge e;

	if (!old)
		lab_fail(lab, "bad script: there is no such edge");
	config_edge_copy(&e, old);
	set_word(lab, &e, word, words_next(w));
	edge_put(lab, &e);
}

static void do_no_edge(struct lab *lab, struct words *w)
{
	const char *router = words_next(w), *interface = words_next(w);
	struct diag diag;

	done(lab, config_edge_del(&lab->cfg, router, interface, &diag), &diag);
}

static struct agent_interface *interface_get(struct agent_inventory *inv,
					     const char *name)
{
	for (size_t i = 0; i < inv->n; i++) {
		if (strcmp(inv->interfaces[i].name, name) == 0)
			return &inv->interfaces[i];
	}
	inv->interfaces =
		mem_realloc(inv->interfaces, inv->n + 1, sizeof(*inv->interfaces));
	inv->interfaces[inv->n] =
		(struct agent_interface){ .index = (uint32_t)inv->n + 1, .up = true };
	snprintf(inv->interfaces[inv->n].name, FILTER_IFNAME_SIZE, "%s", name);
	return &inv->interfaces[inv->n++];
}

static void do_inventory(struct lab *lab, struct words *w)
{
	const char *router = words_next(w);
	struct agent_inventory inv = { 0 };

	while (w->at < w->n) {
		char *name = w->w[w->at++], *equals = strchr(name, '=');
		char *slash = equals ? strchr(equals, '/') : NULL;
		struct agent_interface *i;

		if (equals)
			*equals = '\0';
		if (slash)
			*slash = '\0';
		i = interface_get(&inv, name);
		if (!equals)
			continue;
		i->addresses = mem_realloc(i->addresses, i->n_addresses + 1,
					   sizeof(*i->addresses));
		i->addresses[i->n_addresses++] =
			(struct agent_address){ lab_addr(lab, equals + 1),
						slash ? (uint8_t)atoi(slash + 1) : 24 };
	}
	engine_inventory(lab->engine, router, &inv);
	agent_inventory_fini(&inv);
}

/* "I,I" by the router's inventory, "x": a blackhole, "-": none. */
static void add_route(struct lab *lab, const char *router, struct agent_routes *m, char *word)
{
	const struct agent_inventory *inv = engine_router_inventory(lab->engine, router);
	char *links = strchr(word, '='), *name;
	uint32_t indexes[LAB_WORDS_MAX];
	struct ip_prefix p;
	size_t n = 0;

	if (!links || !inv)
		lab_fail(lab, "bad script: no PREFIX=INTERFACES, or no inventory");
	*links++ = '\0';
	p = lab_prefix(lab, word);
	if (strcmp(links, "x") == 0 || strcmp(links, "-") == 0) {
		agent_routes_add(m, &p, *links == 'x' ? AGENT_ROUTE_REJECT : AGENT_ROUTE_GONE,
				 NULL, 0);
		return;
	}
	while ((name = strsep(&links, ","))) {
		for (size_t i = 0; i < inv->n; i++) {
			if (strcmp(inv->interfaces[i].name, name) == 0)
				indexes[n++] = inv->interfaces[i].index;
		}
	}
	agent_routes_add(m, &p, AGENT_ROUTE_UNICAST, indexes, n);
}

static void give_routes(struct lab *lab, struct words *w, bool whole)
{
	struct agent_routes m = { .reset = whole, .complete = true };
	const char *router = words_next(w);

	while (w->at < w->n)
		add_route(lab, router, &m, w->w[w->at++]);
	engine_fib(lab->engine, router, &m, lab->now_ms);
	free(m.routes);
	free(m.indexes);
}

static void do_fib(struct lab *lab, struct words *w)
{
	give_routes(lab, w, true);
}

static void do_route(struct lab *lab, struct words *w)
{
	give_routes(lab, w, false);
}

static void do_restore(struct lab *lab, struct words *w)
{
	const char *router = words_next(w), *interface = words_next(w),
		   *action = words_next(w);
	struct lab_filter *known = lab_filter(lab, router, interface);
	struct filter f = { .generation = (uint64_t)atoi(words_next(w)) };

	snprintf(f.interface, sizeof(f.interface), "%s", interface);
	if (!filter_action_parse(action, &f.action))
		lab_fail(lab, "bad script: %s", action);
	f.accept = lab_set(words_rest(w));
	filter_copy(&known->filter, &f);
	known->there = true;
	engine_restore(lab->engine, router, &f);
	filter_fini(&f);
}

static void do_max_paths(struct lab *lab, struct words *w)
{
	struct diag diag;

	if (config_max_paths_set(&lab->cfg, (uint32_t)atoi(words_next(w)), &diag) < 0)
		lab_fail(lab, "%s", diag.text);
}

const struct lab_command lab_policy_commands[] = {
	{ "max-paths", do_max_paths },
	{ "router", do_router },       { "source", do_source },	  { "feed", do_feed },
	{ "customer", do_customer },   { "own", do_own },	  { "no-own", do_no_own },
	{ "edge", do_edge },	       { "no-edge", do_no_edge }, { "set", do_set },
	{ "inventory", do_inventory }, { "restore", do_restore }, { "fib", do_fib },
	{ "route", do_route },	       { NULL, NULL },
};
