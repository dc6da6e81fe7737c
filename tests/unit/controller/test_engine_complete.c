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

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, lab_setup, lab_teardown)
	const struct CMUnitTest tests[] = {
		T(what_an_edge_would_refuse_is_named),
		T(a_hole_in_a_prefix_is_found),
		T(a_peer_with_too_much_is_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
