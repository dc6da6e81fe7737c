/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Whether customers' filters admit all that is their own (RFC 3704 sec. 4.2).
 */
#include "controller/engine_complete.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/controller/lab.h"

/* c1 is on eth0 and eth1 and announces one prefix on each; c2 on eth2. */
static const char network[] = "router r1 10.255.0.1\n"
			      "customer c1 30.0.0.0/24\n"
			      "customer c2\n"
			      "customer c3 40.0.0.0/24\n"
			      "edge r1 eth0 customer feasible enforce\n"
			      "edge r1 eth1 customer feasible enforce\n"
			      "edge r1 eth2 customer feasible\n"
			      "edge r1 eth3 peer loose\n"
			      "set r1 eth0 customer c1\n"
			      "set r1 eth1 customer c1\n"
			      "set r1 eth2 customer c2\n"
			      "inventory r1 eth0=10.0.0.1 eth1=10.0.1.1 eth2=10.0.2.1 "
			      "eth3=10.0.3.1\n"
			      "connect r1 10.255.0.1\n"
			      "up r1 10.0.0.2 10.0.0.1 65001\n"
			      "add r1 10.0.0.2 20.0.0.0/16 65001\n"
			      "add r1 10.0.0.2 20.2.0.0/16 65001\n"
			      "add r1 10.0.0.2 0.0.0.0/0 65001\n"
			      "eor r1 10.0.0.2\n"
			      "up r1 10.0.1.2 10.0.1.1 65001\n"
			      "add r1 10.0.1.2 20.1.0.0/16 65001\n"
			      "add r1 10.0.1.2 20.2.0.0/16 65001\n"
			      "eor r1 10.0.1.2\n"
			      "up r1 10.0.2.2 10.0.2.1 65002\n"
			      "add r1 10.0.2.2 22.0.0.0/16 65002\n"
			      "eor r1 10.0.2.2\n"
			      "up r1 10.0.3.2 10.0.3.1 65003\n"
			      "add r1 10.0.3.2 23.0.0.0/16 65003 65001\n"
			      "eor r1 10.0.3.2\n"
			      "wait 60\n";

static void write_gap(const struct complete_gap *g, void *arg)
{
	char prefix[IP_TEXT_SIZE], missing[IP_TEXT_SIZE], peer[IP_TEXT_SIZE];

	fprintf(arg, "%s %s %s %s%s%s\n", g->edge->interface,
		ip_prefix_format(&g->prefix, prefix), complete_source_name(g->source),
		ip_addr_format(&g->missing, missing), g->peer ? " " : "",
		g->peer ? ip_addr_format(&rib_peer_key(g->peer)->addr, peer) : "");
}

static void expect_gaps(struct lab *lab, const char *customer, size_t prefixes,
			size_t edges, const char *want)
{
	struct complete_sum sum;
	size_t size, lines = 0;
	char *text;
	FILE *out = open_memstream(&text, &size);

	assert_true(engine_complete(lab->engine, customer, NULL, NULL, write_gap, out, &sum));
	fclose(out);
	assert_string_equal(text, want);
	for (const char *c = text; *c; c++)
		lines += *c == '\n';
	assert_int_equal(sum.gaps, lines);
	assert_int_equal(sum.edges, edges);
	assert_int_equal(sum.prefixes, prefixes);
	free(text);
}

static void set_as(struct lab *lab, const char *customer, uint32_t as)
{
	struct config_customer c;
	struct diag diag;

	config_customer_copy(&c, config_customer_find(&lab->cfg, customer));
	c.as = as;
	assert_int_equal(config_customer_put(&lab->cfg, &c, &diag), 0);
	config_customer_fini(&c);
	lab_play(lab, "run\n");
}

static void what_an_edge_would_refuse_is_named(void **state)
{
	struct lab *lab = *state;
	struct complete_sum sum;

	lab_play(lab, network);
	expect_gaps(lab, "c1", 4, 2,
		    "eth0 20.1.0.0/16 announced 20.1.0.0 10.0.1.2\n"
		    "eth1 20.0.0.0/16 announced 20.0.0.0 10.0.0.2\n");
	expect_gaps(lab, "c2", 1, 1, "");
	expect_gaps(lab, "c3", 1, 0, ""); /* no edge */
	assert_false(engine_complete(lab->engine, "c4", NULL, NULL, NULL, NULL, &sum));
	assert_true(engine_complete(lab->engine, "c1", "r1", "eth1", NULL, NULL, &sum));
	assert_int_equal(sum.gaps, 1);
	assert_int_equal(sum.edges, 1);

	/* what others announce with its AS as the origin */
	set_as(lab, "c1", 65001);
	expect_gaps(lab, "c1", 5, 2,
		    "eth0 20.1.0.0/16 announced 20.1.0.0 10.0.1.2\n"
		    "eth0 23.0.0.0/16 origin 23.0.0.0\n"
		    "eth1 20.0.0.0/16 announced 20.0.0.0 10.0.0.2\n"
		    "eth1 23.0.0.0/16 origin 23.0.0.0\n");

	/* the remedies: another mode, or the record */
	lab_play(lab, "set r1 eth0 mode efp-a\nrun\n");
	expect_gaps(lab, "c1", 5, 2,
		    "eth1 20.0.0.0/16 announced 20.0.0.0 10.0.0.2\n"
		    "eth1 23.0.0.0/16 origin 23.0.0.0\n");
	lab_play(lab, "customer c1 30.0.0.0/24 20.0.0.0/16 23.0.0.0/16\nrun\n");
	set_as(lab, "c1", 65001);
	expect_gaps(lab, "c1", 5, 2, "");

	/* edges come and go, and others' customers move */
	lab_play(lab, "no-edge r1 eth0\nset r1 eth2 customer c1\nwait 30\n");
	expect_gaps(lab, "c1", 6, 2,
		    "eth1 22.0.0.0/16 announced 22.0.0.0 10.0.2.2\n"
		    "eth2 20.1.0.0/16 announced 20.1.0.0 10.0.1.2\n"
		    "eth2 20.2.0.0/16 announced 20.2.0.0 10.0.1.2\n");
	lab_play(lab, "set r1 eth2 mode off\nrun\n"); /* it refuses nothing */
	expect_gaps(lab, "c1", 6, 1, "eth1 22.0.0.0/16 announced 22.0.0.0 10.0.2.2\n");
}

/* A part of a prefix may be missing: own space, special-purpose sources. */
static void a_hole_in_a_prefix_is_found(void **state)
{
	struct lab *lab = *state;

	lab_play(lab, network);
	lab_play(lab, "own 22.0.9.0/24\n"
		      "customer c2 100.64.0.0/10 198.18.0.0/16\n"
		      "run\n");
	expect_gaps(lab, "c2", 3, 1,
		    "eth2 22.0.0.0/16 announced 22.0.9.0 10.0.2.2\n"
		    "eth2 100.64.0.0/10 record 100.64.0.0\n"
		    "eth2 198.18.0.0/16 record 198.18.0.0\n");
}

/* A leak of a table is not the customer's own, and not worth the time. */
static void a_peer_with_too_much_is_passed_over(void **state)
{
	struct lab *lab = *state;
	struct complete_sum sum;

	lab_play(lab, network);
	for (unsigned int i = 0; i <= COMPLETE_PATHS_MAX; i += 16)
		for (unsigned int k = 0; k < 16; k++)
			lab_playf(lab, "add r1 10.0.2.2 50.%u.%u.0/24 65002", i >> 8 & 255,
				  (i + k) & 255);
	lab_play(lab, "wait 10\n");
	assert_true(engine_complete(lab->engine, "c2", NULL, NULL, NULL, NULL, &sum));
	assert_int_equal(sum.skipped, 1);
	assert_int_equal(sum.prefixes, 0);
	assert_int_equal(sum.gaps, 0);
}

/* ---- in slices ---- */

#define SLICE 2048

struct slices {
	unsigned int n;
	int64_t longest; /* steps */
};

/* As the daemon asks: between two slices the engine works, too. */
static enum complete_state in_slices(struct lab *lab, const char *customer,
				     const char *between, struct complete_sum *sum,
				     struct slices *s)
{
	struct complete_walk *w = complete_walk_new(lab->engine, customer);
	enum complete_state state = COMPLETE_MORE;

	assert_non_null(w);
	*s = (struct slices){ 0 };
	while (state == COMPLETE_MORE) {
		int64_t steps = SLICE;

		state = complete_walk_run(w, &steps, sum);
		s->n++;
		if (SLICE - steps > s->longest)
			s->longest = SLICE - steps;
		if (state == COMPLETE_MORE && between)
			lab_play(lab, between);
	}
	complete_walk_free(w);
	return state;
}

/* Five peers of one customer, on two edges, with 20,000 prefixes each. */
static void large_table(struct lab *lab)
{
	lab_play(lab, "router r1 10.255.0.1\ncustomer c1 30.0.0.0/24\n"
		      "edge r1 eth0 customer feasible enforce\n"
		      "edge r1 eth1 customer feasible enforce\n"
		      "set r1 eth0 customer c1\nset r1 eth1 customer c1\n"
		      "inventory r1 eth0=10.0.0.1/24 eth1=10.0.1.1/24\n"
		      "connect r1 10.255.0.1\n");
	for (unsigned int i = 0; i < 5; i++) {
		const char *net = i < 3 ? "10.0.0" : "10.0.1";

		lab_playf(lab, "up r1 %s.%u %s.1 65001\n", net, i + 2, net);
		lab_playf(lab, "fill r1 %s.%u %u %u\n", net, i + 2, i * 20000,
			  (i + 1) * 20000);
		lab_playf(lab, "eor r1 %s.%u\n", net, i + 2);
	}
	lab_play(lab, "wait 60\n");
}

static void no_slice_is_long_and_all_of_them_say_the_same(void **state)
{
	struct lab *lab = *state;
	struct complete_sum at_once, sum;
	struct slices s;

	large_table(lab);
	assert_true(engine_complete(lab->engine, "c1", NULL, NULL, NULL, NULL, &at_once));
	assert_int_equal(at_once.prefixes, COMPLETE_PREFIXES_MAX); /* and one is too many */
	assert_true(at_once.cut);
	assert_int_equal(at_once.edges, 2);
	/* each edge knows its own peers' */
	assert_int_equal(at_once.gaps, 2 * (COMPLETE_PREFIXES_MAX - 1) - 99999);
	assert_int_equal(in_slices(lab, "c1", NULL, &sum, &s), COMPLETE_DONE);
	assert_memory_equal(&sum, &at_once, sizeof(sum));
	assert_in_range(s.longest, SLICE, SLICE + COMPLETE_PIECE);
	assert_in_range(s.n, 3 * 100000 / (SLICE + COMPLETE_PIECE), 3 * 100000 / SLICE + 2);
}

static void another_configuration_is_noticed_and_routes_may_change(void **state)
{
	struct lab *lab = *state;
	struct complete_sum sum;
	struct slices s;

	large_table(lab);
	assert_int_equal(in_slices(lab, "c1", "no-edge r1 eth1\nrun\n", &sum, &s),
			 COMPLETE_CHANGED);
	assert_int_equal(s.n, 2);
	assert_null(complete_walk_new(lab->engine, "c9"));
	/* routes that come and go are no reason to begin anew */
	assert_int_equal(in_slices(lab, "c1",
				   "drain r1 10.0.0.3 20000 20200\nrun\n"
				   "fill r1 10.0.0.3 20000 20200\nrun\n",
				   &sum, &s),
			 COMPLETE_DONE);
	assert_int_equal(sum.edges, 1);
	assert_in_range(sum.prefixes, 60001 - 200, 60001);
}

/* All edges and peers are listed, and then they go. */
static void a_peer_goes_between_two_slices(void **state)
{
	struct lab *lab = *state;
	struct complete_walk *w;
	struct complete_sum sum;
	int64_t steps = 4;

	lab_play(lab, network);
	w = complete_walk_new(lab->engine, "c1");
	assert_int_equal(complete_walk_run(w, &steps, &sum), COMPLETE_MORE);
	lab_play(lab, "down r1 10.0.0.2 notified\ndown r1 10.0.1.2 notified\nwait 7200\n"
		      "close r1\nconnect r1 10.255.0.1\nwait 7200\n");
	steps = 1000;
	assert_int_equal(complete_walk_run(w, &steps, &sum), COMPLETE_DONE);
	assert_int_equal(sum.prefixes, 1); /* its record */
	complete_walk_free(w);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, lab_setup, lab_teardown)
	const struct CMUnitTest tests[] = {
		T(what_an_edge_would_refuse_is_named),
		T(a_hole_in_a_prefix_is_found),
		T(a_peer_with_too_much_is_passed_over),
		T(no_slice_is_long_and_all_of_them_say_the_same),
		T(another_configuration_is_noticed_and_routes_may_change),
		T(a_peer_goes_between_two_slices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
