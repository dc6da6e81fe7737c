/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Random histories of sessions, streams, routes, moves of peers, commands and
 * restarts. After each run of the engine: nothing computed is missing from a
 * filter, and nothing has left it but by a whole hold-down of absence, with every
 * feed alive, or by the command that took it. The peers of an edge likewise, and
 * they wait for a command as well.
 */
#include "tests/unit/controller/lab.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/sets/random.h"

#define ROUTERS	    2
#define EDGES	    3
#define PEERS	    3
#define CELLS	    10 /* 20.0.0.0/16 to 20.9.0.0/16 */
#define HOLDDOWN_MS 100000

#define ROUNDS	    2000
#define STEPS	    150
#define SECONDS_MAX 8

static const struct {
	const char *router, *interface;
	bool network; /* reads every router */
} edges[EDGES] = { { "r1", "eth0", false },
		   { "r1", "eth1", true },
		   { "r2", "eth0", true } };

static const struct {
	unsigned int router;
	const char *addr, *local;
} peers[PEERS] = { { 0, "10.0.0.2", "10.0.0.1" },
		   { 0, "10.0.1.2", "10.0.1.1" },
		   { 1, "10.0.2.2", "10.0.2.1" } };

struct sim {
	struct lab *lab;
	uint64_t seed;
	bool connected[ROUTERS], up[PEERS];
	bool excepted[EDGES][CELLS];
	bool accepted[EDGES][CELLS], taken[EDGES][CELLS]; /* taken: by the last command */
	bool started[EDGES];
	int64_t last_in_ms[EDGES][CELLS]; /* computed at the run of that time */
	int named[PEERS];		  /* the edge whose statement names it, or -1 */
	bool exempt[EDGES][PEERS];
	int64_t last_on_ms[EDGES][PEERS];
	/* how often something left, lest the test be empty */
	unsigned int left, peers_left;
};

static bool has(const struct addrset *set, unsigned int cell)
{
	struct ip_addr a = { ((u128)20 << 24) + ((u128)cell << 16) + 1, IP_V4 };

	return addrset_contains(set, &a);
}

static bool feeds_are_alive(const struct sim *s, unsigned int edge)
{
	if (!edges[edge].network)
		return s->connected[0];
	return s->connected[0] && s->connected[1];
}

static void check_cell(struct sim *s, unsigned int edge, unsigned int cell,
		       const struct engine_edge_status *status,
		       const struct addrset *computed)
{
	const struct filter *f = status->filter;
	bool in = has(computed, cell), accepted = has(&f->accept, cell);
	int64_t now = s->lab->now_ms;

	if (in) {
		s->last_in_ms[edge][cell] = now;
		if (!accepted)
			fail_msg("%s %s: cell %u is computed and dropped",
				 edges[edge].router, edges[edge].interface, cell);
	}
	if (s->started[edge] && s->accepted[edge][cell] && !accepted &&
	    !s->taken[edge][cell]) {
		if (now - s->last_in_ms[edge][cell] < HOLDDOWN_MS)
			fail_msg("%s %s: cell %u left after %lld ms", edges[edge].router,
				 edges[edge].interface, cell,
				 (long long)(now - s->last_in_ms[edge][cell]));
		if (!feeds_are_alive(s, edge))
			fail_msg("%s %s: cell %u left without a feed", edges[edge].router,
				 edges[edge].interface, cell);
		s->left++;
	}
	s->accepted[edge][cell] = accepted;
	s->taken[edge][cell] = false;
}

struct place {
	bool on[EDGES][PEERS];
};

static void note_place(const struct engine_peer_status *status, void *arg)
{
	struct place *at = arg;

	for (unsigned int p = 0; p < PEERS; p++) {
		struct ip_addr addr;

		assert_true(ip_addr_parse(peers[p].addr, &addr));
		if (!ip_addr_equal(&rib_peer_key(status->peer)->addr, &addr))
			continue;
		for (size_t i = 0; i < status->n_edges; i++) {
			for (unsigned int edge = 0; edge < EDGES; edge++)
				at->on[edge][p] |=
					strcmp(status->edges[i]->router, edges[edge].router) == 0 &&
					strcmp(status->edges[i]->interface,
					       edges[edge].interface) == 0;
		}
	}
}

static bool is_exempt(const struct filter *f, const struct ip_addr *addr)
{
	for (size_t i = 0; i < f->n_peers; i++) {
		if (ip_addr_equal(&f->peers[i], addr))
			return true;
	}
	return false;
}

static void check_peer(struct sim *s, unsigned int edge, unsigned int p, bool on,
		       const struct filter *f)
{
	int64_t now = s->lab->now_ms;
	struct ip_addr addr;
	bool exempt;

	assert_true(ip_addr_parse(peers[p].addr, &addr));
	exempt = is_exempt(f, &addr);
	on |= s->named[p] == (int)edge;
	if (on) {
		s->last_on_ms[edge][p] = now;
		if (!exempt)
			fail_msg("%s %s: peer %s is on it, and not in its filter",
				 edges[edge].router, edges[edge].interface, peers[p].addr);
	}
	if (s->started[edge] && s->exempt[edge][p] && !exempt) {
		if (now - s->last_on_ms[edge][p] < HOLDDOWN_MS)
			fail_msg("%s %s: peer %s left after %lld ms", edges[edge].router,
				 edges[edge].interface, peers[p].addr,
				 (long long)(now - s->last_on_ms[edge][p]));
		if (!feeds_are_alive(s, edge))
			fail_msg("%s %s: peer %s left without a feed", edges[edge].router,
				 edges[edge].interface, peers[p].addr);
		s->peers_left++;
	}
	s->exempt[edge][p] = exempt;
}

static void check_all(struct lab *lab, void *arg)
{
	struct place at = { 0 };
	struct sim *s = arg;

	engine_peers_walk(lab->engine, note_place, &at);
	for (unsigned int edge = 0; edge < EDGES; edge++) {
		struct engine_edge_status status;
		struct addrset computed = { 0 };

		assert_true(engine_edge_status(lab->engine, edges[edge].router,
					       edges[edge].interface, &status));
		/* it enforces once it has been ready, and never without */
		if (status.ready)
			assert_true(status.started);
		assert_int_equal(status.filter->action == FILTER_ENFORCE, status.started);
		assert_true(status.started >= s->started[edge]);
		if (status.started && !s->started[edge]) {
			assert_true(status.ready);
			assert_true(feeds_are_alive(s, edge));
		}
		engine_edge_computed(lab->engine, edges[edge].router, edges[edge].interface,
				     &computed);
		for (unsigned int cell = 0; cell < CELLS; cell++)
			check_cell(s, edge, cell, &status, &computed);
		for (unsigned int p = 0; p < PEERS; p++)
			check_peer(s, edge, p, at.on[edge][p], status.filter);
		addrset_fini(&computed);
		s->started[edge] = status.started;
	}
}

/* ---- events ---- */

static void dump_peer(struct sim *s, unsigned int p)
{
	const char *router = p == 2 ? "r2" : "r1";

	lab_playf(s->lab, "up %s %s %s %u", router, peers[p].addr, peers[p].local,
		  65001 + p);
	s->up[p] = true;
	for (unsigned int n = random_below(&s->seed, 6); n > 0; n--)
		lab_playf(s->lab, "add %s %s 20.%u.0.0/16 %u", router, peers[p].addr,
			  random_below(&s->seed, CELLS), 65001 + p);
	if (random_below(&s->seed, 3))
		lab_playf(s->lab, "eor %s %s", router, peers[p].addr);
}

static void connect_router(struct sim *s, unsigned int r, bool all)
{
	lab_playf(s->lab, "connect r%u 10.255.0.%u", r + 1, r + 1);
	s->connected[r] = true;
	for (unsigned int p = 0; p < PEERS; p++) {
		if (peers[p].router != r)
			continue;
		s->up[p] = false;
		if (all || random_below(&s->seed, 4))
			dump_peer(s, p);
	}
}

static void stream_event(struct sim *s)
{
	unsigned int r = random_below(&s->seed, ROUTERS);
	char name[8];

	snprintf(name, sizeof(name), "r%u", r + 1);
	if (!s->connected[r]) {
		connect_router(s, r, false);
	} else if (lab_stream(s->lab, name)->redump || random_below(&s->seed, 4) == 0) {
		lab_playf(s->lab, "close %s", name);
		s->connected[r] = false;
		if (random_below(&s->seed, 2))
			connect_router(s, r, false);
	}
}

static void session_event(struct sim *s)
{
	unsigned int p = random_below(&s->seed, PEERS), r = peers[p].router;

	if (!s->connected[r])
		return;
	if (!s->up[p]) {
		dump_peer(s, p);
	} else if (random_below(&s->seed, 3) == 0) {
		lab_playf(s->lab, "down r%u %s", r + 1, peers[p].addr);
		s->up[p] = false;
	}
}

static void route_event(struct sim *s)
{
	unsigned int p = random_below(&s->seed, PEERS), r = peers[p].router;

	if (s->connected[r] && s->up[p])
		lab_playf(s->lab, "%s r%u %s 20.%u.0.0/16 %u",
			  random_below(&s->seed, 2) ? "add" : "del", r + 1, peers[p].addr,
			  random_below(&s->seed, CELLS),
			  65001 + random_below(&s->seed, PEERS));
}

static void command_event(struct sim *s)
{
	unsigned int edge = random_below(&s->seed, EDGES);
	unsigned int cell = random_below(&s->seed, CELLS);
	bool *there = &s->excepted[edge][cell];

	lab_playf(s->lab, "set %s %s %s 20.%u.0.0/16", edges[edge].router,
		  edges[edge].interface, *there ? "no-prefix" : "prefix", cell);
	s->taken[edge][cell] = *there;
	*there = !*there;
}

/* The links of r1 as they are, or the other way round, or both in one. */
static void inventory(struct sim *s, unsigned int how)
{
	static const char *const links[] = { "eth0=10.0.0.1 eth1=10.0.1.1",
					     "eth0=10.0.1.1 eth1=10.0.0.1",
					     "eth0=10.0.0.1 eth0=10.0.1.1 eth1" };

	lab_playf(s->lab, "inventory r1 %s\n", links[how]);
}

/* What the peer announced is the command's to take, on any edge. */
static void name_event(struct sim *s)
{
	unsigned int p = random_below(&s->seed, 2), edge = random_below(&s->seed, 2);
	bool there = s->named[p] >= 0;

	if (there)
		edge = (unsigned int)s->named[p];
	lab_playf(s->lab, "set %s %s %s %s", edges[edge].router, edges[edge].interface,
		  there ? "no-peer" : "peer", peers[p].addr);
	s->named[p] = there ? -1 : (int)edge;
	memset(s->taken, true, sizeof(s->taken));
}

static void restart_event(struct sim *s)
{
	lab_play(s->lab, "restart");
	memset(s->connected, 0, sizeof(s->connected));
	memset(s->up, 0, sizeof(s->up));
	inventory(s, random_below(&s->seed, 3));
	lab_play(s->lab, "inventory r2 eth0=10.0.2.1");
}

static void rare_event(struct sim *s)
{
	unsigned int what = random_below(&s->seed, 5);

	if (what < 2)
		inventory(s, random_below(&s->seed, 3));
	else if (what < 4)
		name_event(s);
	else
		restart_event(s);
}

static void one_step(struct sim *s)
{
	unsigned int what = random_below(&s->seed, 21);

	if (what == 20)
		rare_event(s);
	else if (what < 2)
		stream_event(s);
	else if (what < 4)
		session_event(s);
	else if (what < 5)
		command_event(s);
	else if (what < 12)
		route_event(s);
	else if (what < 18)
		lab_playf(s->lab, "wait %u", random_below(&s->seed, 20));
	else if (what < 19)
		lab_playf(s->lab, "wait %u", random_below(&s->seed, 300));
	else
		lab_playf(s->lab, "jump %u", random_below(&s->seed, 300));
}

/* Everything is up and stays so: what is accepted is what is computed. */
static void check_rest(struct sim *s)
{
	uint64_t dump[ROUTERS];

	for (unsigned int p = 0; p < PEERS; p++) {
		if (s->named[p] >= 0)
			lab_playf(s->lab, "set %s %s no-peer %s", edges[s->named[p]].router,
				  edges[s->named[p]].interface, peers[p].addr);
		s->named[p] = -1;
	}
	memset(s->taken, true, sizeof(s->taken));
	inventory(s, 0);
	for (unsigned int r = 0; r < ROUTERS; r++) {
		if (s->connected[r])
			lab_playf(s->lab, "close r%u", r + 1);
		dump[r] = s->seed;
		connect_router(s, r, true);
	}
	/* dumps that are asked for, the same each time, then all hold-downs */
	for (int i = 0; i < 3; i++) {
		lab_play(s->lab, "wait 700");
		for (unsigned int r = 0; r < ROUTERS; r++) {
			if (!lab_stream(s->lab, r ? "r2" : "r1")->redump)
				continue;
			lab_playf(s->lab, "close r%u", r + 1);
			s->seed = dump[r];
			connect_router(s, r, true);
		}
	}
	lab_play(s->lab, "wait 1000");
	for (unsigned int edge = 0; edge < EDGES; edge++) {
		struct engine_edge_status status;
		struct addrset computed = { 0 };

		engine_edge_status(s->lab->engine, edges[edge].router,
				   edges[edge].interface, &status);
		assert_true(status.ready);
		engine_edge_computed(s->lab->engine, edges[edge].router,
				     edges[edge].interface, &computed);
		assert_true(addrset_equal(&computed, &status.filter->accept));
		assert_int_equal(status.filter->n_peers, 1);
		addrset_fini(&computed);
	}
}

static void one_history(uint64_t *seed, unsigned int *left, unsigned int *peers_left)
{
	struct sim s = { .seed = random_u64(seed), .named = { -1, -1, -1 } };
	void *state;

	lab_setup(&state);
	s.lab = state;
	lab_play(s.lab, "router r1\n"
			"router r2\n"
			"edge r1 eth0 customer feasible enforce\n"
			"edge r1 eth1 customer efp-b enforce\n"
			"edge r2 eth0 stub efp-a enforce\n"
			"inventory r2 eth0=10.0.2.1\n");
	inventory(&s, 0);
	for (unsigned int edge = 0; edge < EDGES; edge++)
		/* one exception that stays, so that no brake is needed */
		lab_playf(s.lab,
			  "set %s %s holddown 100\n"
			  "set %s %s brake 100\n"
			  "set %s %s growth 0\n"
			  "set %s %s prefix 20.200.0.0/16\n",
			  edges[edge].router, edges[edge].interface, edges[edge].router,
			  edges[edge].interface, edges[edge].router, edges[edge].interface, edges[edge].router,
			  edges[edge].interface);
	lab_play(s.lab, "run");
	s.lab->ran = check_all;
	s.lab->ran_arg = &s;
	for (int i = 0; i < STEPS; i++)
		one_step(&s);
	check_rest(&s);
	*left += s.left;
	*peers_left += s.peers_left;
	lab_teardown(&state);
}

static void test_random_histories(void **state)
{
	uint64_t seed = random_seed();
	time_t until = time(NULL) + SECONDS_MAX;
	unsigned int left = 0, peers_left = 0;
	int round;

	for (round = 0; round < ROUNDS && (time(NULL) < until || peers_left == 0); round++)
		one_history(&seed, &left, &peers_left);
	printf("# %d histories, %u removals, %u of peers\n", round, left, peers_left);
	assert_true(left > 0);
	assert_true(peers_left > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_histories),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
