/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Random histories of everything that changes sets, through the engine: routes,
 * sessions, streams, End-of-RIB, forwarding tables, interfaces, commands, time.
 * Again and again the sets that it kept up are compared with those from scratch,
 * and what the filters hold with what has come and waits.
 *
 * OPENSAV_TEST_EVENTS is the number of events, OPENSAV_TEST_SEED repeats a run.
 */
#include "tests/unit/controller/lab.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "tests/unit/sets/random.h"

#define EVENTS	   200000
#define EVENTS_NET 10000 /* in one network */

#define ROUTERS	   3
#define INTERFACES 4
#define PEERS	   (INTERFACES * 2 + 1) /* of a router; the last one is internal */
#define CUSTOMERS  3

struct world {
	struct lab *lab;
	uint64_t seed;
	bool connected[ROUTERS], up[ROUTERS][PEERS], edge[ROUTERS][INTERFACES];
	bool post[ROUTERS]; /* its BMP tells post-policy */
	bool fib[ROUTERS];
	char excepted[ROUTERS][INTERFACES][64]; /* "": nothing */
	bool own[4];
	unsigned int fill; /* of ten events, how many announce */
	unsigned long events, checks, accepted;
};

static unsigned int below(struct world *w, unsigned int n)
{
	return random_below(&w->seed, n);
}

static bool one_in(struct world *w, unsigned int n)
{
	return below(w, n) == 0;
}

/* Few, so that they meet and nest; a default route and others too short. */
static struct ip_prefix some_network(struct world *w)
{
	static const uint8_t short4[] = { 0, 7, 8, 8 }, short6[] = { 0, 15, 16, 20 };
	static const uint32_t tops[] = { 10, 20, 20, 20, 20, 192 };
	bool is_short = one_in(w, 12);
	u128 v;

	if (one_in(w, 3)) {
		v = (u128)(0x2a000000u + (below(w, 12) << 4)) << 96;
		return ip_prefix_make(IP_V6, v, is_short ? short6[below(w, 4)] : 28 + below(w, 5));
	}
	v = (tops[below(w, 6)] << 24) + (below(w, 6) << 16) + (below(w, 4) << 14);
	return ip_prefix_make(IP_V4, v, is_short ? short4[below(w, 4)] : 16 + below(w, 9));
}

static const char *some_prefix(struct world *w, char *text, size_t size)
{
	struct ip_prefix p = some_network(w);
	char buf[IP_TEXT_SIZE];

	snprintf(text, size, "%s", ip_prefix_format(&p, buf));
	return text;
}

/* ---- routes ---- */

static void peer_name(unsigned int router, unsigned int peer, char *addr, char *local)
{
	unsigned int interface = peer == PEERS - 1 ? 9 : peer / 2;

	snprintf(addr, 32, "10.%u.%u.%u", router, interface, 2 + peer % 2);
	snprintf(local, 32, "10.%u.%u.1", router, interface);
}

static void path_text(struct world *w, char *text, size_t size)
{
	unsigned int origin = 65001 + below(w, 6);

	if (one_in(w, 3))
		snprintf(text, size, "%u %u", 64900 + below(w, 3), origin);
	else
		snprintf(text, size, "%u", origin);
}

static void route_event(struct world *w, unsigned int r, unsigned int p)
{
	bool add = below(w, 10) < w->fill;
	char addr[32], local[32], prefix[64], path[32];
	const char *view = w->post[r] && !one_in(w, 8) ? "post " : "";

	peer_name(r, p, addr, local);
	path_text(w, path, sizeof(path));
	some_prefix(w, prefix, sizeof(prefix));
	if (add)
		lab_playf(w->lab, "%sadd r%u %s %s %s", view, r, addr, prefix, path);
	else
		lab_playf(w->lab, "%sdel r%u %s %s", view, r, addr, prefix);
	w->events++;
}

/* ---- sessions and streams ---- */

static void peer_up(struct world *w, unsigned int r, unsigned int p)
{
	char addr[32], local[32];

	peer_name(r, p, addr, local);
	lab_playf(w->lab, "up r%u %s %s %u", r, addr, local,
		  p == PEERS - 1 ? 64500 : 65001 + p % 6);
	w->up[r][p] = true;
	w->events++;
	for (unsigned int n = below(w, 12); n > 0; n--)
		route_event(w, r, p);
	if (!one_in(w, 3))
		lab_playf(w->lab, "%seor r%u %s", w->post[r] ? "post " : "", r, addr);
}

static void router_connect(struct world *w, unsigned int r)
{
	lab_playf(w->lab, "connect r%u 10.255.0.%u", r, r + 1);
	w->connected[r] = true;
	w->events++;
	for (unsigned int p = 0; p < PEERS; p++) {
		w->up[r][p] = false;
		if (!one_in(w, 4))
			peer_up(w, r, p);
	}
}

static void router_close(struct world *w, unsigned int r)
{
	lab_playf(w->lab, "close r%u", r);
	w->connected[r] = false;
	w->events++;
}

static void stream_event(struct world *w, unsigned int r)
{
	if (!w->connected[r])
		router_connect(w, r);
	else
		router_close(w, r);
}

static void session_event(struct world *w, unsigned int r, unsigned int p)
{
	char addr[32], local[32];

	peer_name(r, p, addr, local);
	if (!w->up[r][p]) {
		peer_up(w, r, p);
		return;
	}
	lab_playf(w->lab, "down r%u %s", r, addr);
	w->up[r][p] = false;
	w->events++;
}

/* ---- tables and interfaces ---- */

static void add_route(struct world *w, struct agent_routes *m)
{
	enum agent_route_kind kind = AGENT_ROUTE_UNICAST;
	uint32_t indexes[2] = { 1 + below(w, INTERFACES + 1), 7 };
	struct ip_prefix p = some_network(w);

	if (below(w, 10) >= w->fill)
		kind = AGENT_ROUTE_GONE;
	else if (one_in(w, 8))
		kind = AGENT_ROUTE_REJECT;
	if (one_in(w, 4))
		indexes[1] = 1 + indexes[0] % INTERFACES;
	agent_routes_add(m, &p, kind, indexes,
			 kind == AGENT_ROUTE_UNICAST ? 1 + below(w, 2) : 0);
}

static void fib_event(struct world *w, unsigned int r)
{
	struct agent_routes m = { .reset = !w->fib[r] || one_in(w, 100),
				  .complete = !one_in(w, 20) };
	char name[8];

	snprintf(name, sizeof(name), "r%u", r);
	for (unsigned int n = below(w, m.reset ? 40 : 4); n > 0; n--)
		add_route(w, &m);
	engine_fib(w->lab->engine, name, &m, w->lab->now_ms);
	w->events += m.n + 1;
	w->fib[r] = true;
	free(m.routes);
	free(m.indexes);
	if (one_in(w, 60))
		engine_fib_lost(w->lab->engine, name);
}

/* Numbers and addresses may move from one interface to another. */
static void inventory_event(struct world *w, unsigned int r)
{
	struct agent_interface list[INTERFACES] = { 0 };
	struct agent_address addresses[INTERFACES];
	struct agent_inventory inv = { list, INTERFACES };
	unsigned int shift = one_in(w, 3) ? 1 + below(w, 3) : 0, number = below(w, 3);
	char name[8];

	snprintf(name, sizeof(name), "r%u", r);
	for (unsigned int i = 0; i < INTERFACES; i++) {
		u128 v = ((u128)10 << 24) + ((u128)r << 16) + ((i + shift) % INTERFACES << 8);

		snprintf(list[i].name, sizeof(list[i].name), "eth%u", i);
		list[i].index = 1 + (i + number) % INTERFACES;
		addresses[i] = (struct agent_address){ { v + 1, IP_V4 }, 24 };
		list[i].addresses = &addresses[i];
		list[i].n_addresses = 1;
	}
	engine_inventory(w->lab->engine, name, &inv);
	w->events++;
}

/* ---- commands ---- */

static const char *some_role(struct world *w)
{
	static const char *const roles[] = { "customer", "customer", "customer", "stub",
					     "host",	 "peer",     "provider", "internal" };

	return roles[below(w, 8)];
}

static const char *some_mode(struct world *w)
{
	static const char *const modes[] = { "acl",	 "strict", "strict-direct",
					     "feasible", "efp-a",  "efp-b",
					     "loose",	 "egress", "loose-no-default",
					     "off" };

	return one_in(w, 10) ? "-" : modes[below(w, 10)];
}

static void edge_make(struct world *w, unsigned int r, unsigned int i)
{
	const char *mode = some_mode(w);

	lab_playf(w->lab, "edge r%u eth%u %s %s %s", r, i, some_role(w),
		  *mode == '-' ? "feasible" : mode, one_in(w, 2) ? "enforce" : "");
	lab_playf(w->lab,
		  "set r%u eth%u holddown %u\n"
		  "set r%u eth%u growth %u",
		  r, i, below(w, 200), r, i, below(w, 3) * 20);
	w->edge[r][i] = true;
}

static void edge_command(struct world *w, unsigned int r, unsigned int i)
{
	static const char *const words[] = { "prefix", "no-prefix" };
	char *excepted = w->excepted[r][i];

	switch (below(w, 9)) {
	case 0:
		lab_playf(w->lab, "set r%u eth%u role %s", r, i,
			  one_in(w, 6) ? "-" : some_role(w));
		break;
	case 1:
	case 2:
		lab_playf(w->lab, "set r%u eth%u mode %s", r, i, some_mode(w));
		break;
	case 3:
		lab_playf(w->lab, "set r%u eth%u customer c%u", r, i,
			  below(w, CUSTOMERS));
		break;
	case 4:
		if (excepted[0] != '\0') {
			lab_playf(w->lab, "set r%u eth%u %s %s", r, i, words[1], excepted);
			excepted[0] = '\0';
		} else {
			some_prefix(w, excepted, sizeof(w->excepted[r][i]));
			lab_playf(w->lab, "set r%u eth%u %s %s", r, i, words[0], excepted);
		}
		break;
	case 5:
		lab_playf(w->lab, "set r%u eth%u holddown %u", r, i, below(w, 300));
		break;
	case 6:
		lab_playf(w->lab, "set r%u eth%u growth %u", r, i, below(w, 3) * 50);
		break;
	case 7:
		lab_playf(w->lab, "release r%u eth%u", r, i);
		break;
	case 8:
		lab_playf(w->lab, "no-edge r%u eth%u", r, i);
		w->edge[r][i] = false;
		excepted[0] = '\0';
		break;
	}
}

/* Records of two customers may not overlap. */
static void customer_command(struct world *w)
{
	unsigned int c = below(w, CUSTOMERS);
	char v4[64] = "", v6[64] = "";

	if (!one_in(w, 4))
		snprintf(v4, sizeof(v4), "20.%u.%u.0/%u", 2 * c + below(w, 2),
			 below(w, 4) << 6, 18 + below(w, 5));
	if (one_in(w, 2))
		snprintf(v6, sizeof(v6), "2a00:%x::/%u", (c * 4 + below(w, 4)) << 4,
			 28 + below(w, 3));
	lab_playf(w->lab, "customer c%u %s %s", c, v4, v6);
}

static void own_command(struct world *w)
{
	static const char *const own[] = { "20.1.0.0/16", "10.0.0.0/8", "2a00:40::/28",
					   "20.5.64.0/18" };
	unsigned int which = below(w, 4);

	lab_playf(w->lab, "%s %s", w->own[which] ? "no-own" : "own", own[which]);
	w->own[which] = !w->own[which];
}

static void command_event(struct world *w)
{
	unsigned int r = below(w, ROUTERS), i = below(w, INTERFACES);

	w->events++;
	if (one_in(w, 6))
		customer_command(w);
	else if (one_in(w, 8))
		own_command(w);
	else if (!w->edge[r][i])
		edge_make(w, r, i);
	else
		edge_command(w, r, i);
}

/* ---- checks ---- */

/* What is computed and not held back is accepted, whatever else is. */
static void check_filter(struct world *w, unsigned int r, unsigned int i)
{
	struct addrset computed = { 0 }, excess = { 0 };
	struct engine_edge_status status;
	char router[8], interface[8];

	snprintf(router, sizeof(router), "r%u", r);
	snprintf(interface, sizeof(interface), "eth%u", i);
	assert_true(engine_edge_status(w->lab->engine, router, interface, &status));
	if (!status.active || status.filter->generation == 0)
		return;
	engine_edge_computed(w->lab->engine, router, interface, &computed);
	engine_edge_excess(w->lab->engine, router, interface, &excess);
	addrset_subtract(&computed, &computed, &excess);
	w->accepted += !addrset_is_empty(&computed);
	addrset_subtract(&computed, &computed, &status.filter->accept);
	assert_true(addrset_is_empty(&computed));
	addrset_intersect(&excess, &excess, &status.filter->accept);
	assert_true(status.stale || addrset_is_empty(&excess));
	addrset_fini(&computed);
	addrset_fini(&excess);
}

static void after_run(struct lab *lab, void *arg)
{
	struct world *w = arg;

	(void)lab;
	w->checks++; /* the lab has compared the sets */
	for (unsigned int r = 0; r < ROUTERS; r++) {
		for (unsigned int i = 0; i < INTERFACES; i++) {
			if (w->edge[r][i])
				check_filter(w, r, i);
		}
	}
}

static void check_between(struct world *w)
{
	struct diag diag;

	w->checks++;
	if (engine_check(w->lab->engine, &diag) < 0)
		fail_msg("after %lu events: %s", w->events, diag.text);
}

/* ---- histories ---- */

static void follow_redumps(struct world *w)
{
	for (unsigned int r = 0; r < ROUTERS; r++) {
		char name[8];

		snprintf(name, sizeof(name), "r%u", r);
		if (w->connected[r] && lab_stream(w->lab, name)->redump) {
			router_close(w, r);
			router_connect(w, r);
		}
	}
}

static void one_event(struct world *w)
{
	unsigned int what = below(w, 1000), r = below(w, ROUTERS), p = below(w, PEERS);

	if (what < 6)
		stream_event(w, r);
	else if (what < 10)
		inventory_event(w, r);
	else if (what < 25)
		command_event(w);
	else if (what < 250)
		fib_event(w, r);
	else if (!w->connected[r])
		return;
	else if (what < 275)
		session_event(w, r, p);
	else if (w->up[r][p])
		route_event(w, r, p);
}

static void burst(struct world *w)
{
	unsigned int n = 1 + below(w, one_in(w, 4) ? 20 : 500);

	for (unsigned int i = 0; i < n; i++) {
		one_event(w);
		if (one_in(w, 200))
			check_between(w);
	}
	lab_playf(w->lab, "wait %u", one_in(w, 6) ? below(w, 700) : below(w, 4));
	follow_redumps(w);
}

static void one_network(struct world *w)
{
	unsigned long until = w->events + EVENTS_NET;
	void *state;

	lab_setup(&state);
	w->lab = state;
	w->fill = 3 + below(w, 5);
	for (unsigned int r = 0; r < ROUTERS; r++) {
		lab_playf(w->lab, "router r%u", r);
		w->post[r] = one_in(w, 2);
	}
	for (unsigned int c = 0; c < CUSTOMERS; c++)
		lab_playf(w->lab, "customer c%u", c);
	for (unsigned int i = 0; i < 8; i++)
		edge_make(w, below(w, ROUTERS), below(w, INTERFACES));
	for (unsigned int r = 0; r < ROUTERS; r++)
		inventory_event(w, r);
	w->lab->ran = after_run;
	w->lab->ran_arg = w;
	while (w->events < until)
		burst(w);
	w->lab->ran = NULL;
	lab_teardown(&state);
	memset(w->connected, 0, sizeof(w->connected));
	memset(w->up, 0, sizeof(w->up));
	memset(w->edge, 0, sizeof(w->edge));
	memset(w->fib, 0, sizeof(w->fib));
	memset(w->own, 0, sizeof(w->own));
	memset(w->excepted, 0, sizeof(w->excepted));
}

static void test_any_history_ends_as_from_scratch(void **state)
{
	const char *text = getenv("OPENSAV_TEST_EVENTS");
	unsigned long events = text ? strtoul(text, NULL, 0) : EVENTS;
	struct world w = { .seed = random_seed() };

	(void)state;
	while (w.events < events)
		one_network(&w);
	printf("# %lu events, %lu comparisons of all edges, %lu filters that accept\n",
	       w.events, w.checks, w.accepted);
	assert_true(w.accepted > w.checks / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_history_ends_as_from_scratch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
