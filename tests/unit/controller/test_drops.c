/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The samples of all edges, and what would admit what they show.
 */
#include "controller/drops.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/engine_remedy.h"
#include "lib/mem.h"
#include "tests/unit/controller/lab.h"

static void edge_put(struct config *cfg, const char *router, const char *interface)
{
	struct config_router r = { 0 };
	struct config_edge e;
	struct diag diag;

	snprintf(r.name, sizeof(r.name), "%s", router);
	assert_int_equal(config_router_put(cfg, &r, &diag), 0);
	config_edge_init(&e, router, interface);
	e.role = ROLE_CUSTOMER;
	assert_int_equal(config_edge_put(cfg, &e, &diag), 0);
}

static struct drop sample(const char *interface, uint32_t source, uint64_t samples)
{
	struct drop d = { .source = { source, IP_V4 },
			  .destination = { 0xc0000201, IP_V4 },
			  .protocol = 17,
			  .port = 53,
			  .samples = samples,
			  .bytes = samples * 100 };

	snprintf(d.interface, sizeof(d.interface), "%s", interface);
	return d;
}

static void samples_are_kept_by_edge(void **state)
{
	struct drop rows[] = { sample("eth0", 0xc6120001, 3), sample("eth1", 0xc6120001, 9),
			       sample("eth0", 0xc6120101, 5), sample("lo", 1, 1) };
	struct drop_store *store = drop_store_new();
	struct drop_seen out[8];
	struct drop_total total;
	struct config cfg;
	size_t all;

	(void)state;
	config_init(&cfg);
	edge_put(&cfg, "r1", "eth0");
	edge_put(&cfg, "r1", "eth1");
	edge_put(&cfg, "r2", "eth0");
	/* lo is no edge: an agent cannot fill memory with names */
	assert_int_equal(drop_store_add(store, &cfg, "r1", rows, 4, 1000), 1);
	assert_int_equal(drop_store_add(store, &cfg, "r2", rows, 1, 2000), 0);
	assert_int_equal(drop_store_add(store, &cfg, "r3", rows, 4, 2000), 4);

	assert_int_equal(drop_store_top(store, NULL, NULL, 3000, out, 8, &all), 4);
	assert_string_equal(out[0].drop.interface, "eth1");
	assert_int_equal(out[1].drop.samples, 5);
	assert_string_equal(out[2].router, "r2"); /* as many, later */
	assert_int_equal(drop_store_top(store, "r1", NULL, 3000, out, 2, &all), 2);
	assert_int_equal(all, 3);
	assert_string_equal(out[0].drop.interface, "eth1");
	assert_int_equal(out[1].drop.samples, 5);
	assert_int_equal(drop_store_top(store, NULL, NULL, 3000, out, 1, &all), 1);
	assert_int_equal(out[0].drop.samples, 9);
	assert_int_equal(all, 4);
	assert_int_equal(drop_store_top(store, "r1", "eth0", 3000, out, 8, &all), 2);
	assert_int_equal(drop_store_top(store, "r2", "eth1", 3000, out, 8, &all), 0);

	drop_store_total(store, "r1", "eth0", 3000, &total);
	assert_int_equal(total.rows, 2);
	assert_int_equal(total.samples, 8);
	assert_int_equal(total.bytes, 800);
	assert_int_equal(total.last_ms, 1000);
	drop_store_forget(store, "r1", "eth0");
	drop_store_total(store, "r1", "eth0", 3000, &total);
	assert_int_equal(total.samples, 0);
	assert_int_equal(total.last_ms, -1);

	/* what was not seen for an hour is forgotten */
	assert_int_equal(drop_store_top(store, NULL, NULL, 1000 + DROPS_IDLE_MS, out, 8, &all), 1);
	drop_store_total(store, "r2", "eth0", 2000 + DROPS_IDLE_MS, &total);
	assert_int_equal(total.rows, 0);
	drop_store_free(store);
	config_fini(&cfg);
}

/* An agent that was taken over: millions of sources, counts beyond belief. */
static void a_hostile_agent_fills_its_own_rows_only(void **state)
{
	struct drop_store *store = drop_store_new();
	struct drop_seen *out = mem_calloc(4096, sizeof(*out));
	struct drop honest = sample("eth0", 0x01020304, 7);
	struct drop_total total;
	struct config cfg;
	size_t all;

	(void)state;
	config_init(&cfg);
	edge_put(&cfg, "r1", "eth0");
	edge_put(&cfg, "r2", "eth0");
	drop_store_add(store, &cfg, "r2", &honest, 1, 0);
	for (uint32_t i = 0; i < 200000; i++) {
		struct drop d = sample("eth0", i << 8, AGENT_SAMPLES_MAX);

		d.bytes = d.samples * AGENT_PACKET_MAX;
		drop_store_add(store, &cfg, "r1", &d, 1, i / 1000);
	}
	drop_store_top(store, NULL, NULL, 200, out, 4096, &all);
	assert_int_equal(all, DROP_STORE_ROWS + 1);
	drop_store_total(store, "r1", "eth0", 200, &total);
	assert_true(total.samples < INT64_MAX / 2 / AGENT_PACKET_MAX);
	assert_true(total.bytes < INT64_MAX);
	drop_store_total(store, "r2", "eth0", 200, &total);
	assert_int_equal(total.samples, 7);
	drop_store_free(store);
	config_fini(&cfg);
	free(out);
}

/* ---- remedies ---- */

static void expect_remedy(struct lab *lab, const char *interface, const char *address,
			  const char *want)
{
	char text[REMEDY_TEXT_SIZE];
	struct ip_addr addr;
	struct explain x;

	assert_true(ip_addr_parse(address, &addr));
	assert_true(engine_explain(lab->engine, "r1", interface, &addr, lab->now_ms, &x));
	assert_string_equal(engine_remedy(lab->engine, "r1", interface, &addr, &x, text),
			    want);
}

static const char network[] = "router r1 10.255.0.1\n"
			      "own 60.0.0.0/16\n"
			      "customer c1 30.0.0.0/24\n"
			      "edge r1 eth0 customer strict enforce\n"
			      "edge r1 eth1 customer feasible enforce\n"
			      "set r1 eth1 customer c1\n"
			      "edge r1 eth2 peer loose\n"
			      "inventory r1 eth0=10.0.0.1 eth1=10.0.1.1 eth2=10.0.2.1\n"
			      "connect r1 10.255.0.1\n"
			      "up r1 10.0.0.2 10.0.0.1 65001\n"
			      "add r1 10.0.0.2 20.0.0.0/16 65001\n"
			      "eor r1 10.0.0.2\n"
			      "up r1 10.0.1.2 10.0.1.1 65002\n"
			      "add r1 10.0.1.2 21.0.0.0/16 65002\n"
			      "add r1 10.0.1.2 22.0.0.0/16 65002 65001\n"
			      "eor r1 10.0.1.2\n"
			      "up r1 10.0.2.2 10.0.2.1 65003\n"
			      "add r1 10.0.2.2 23.0.0.0/16 65003 65002\n"
			      "add r1 10.0.2.2 24.0.0.0/16 65003\n"
			      "eor r1 10.0.2.2\n"
			      "wait 60\n";

/* The first mode that admits an address gives the least away. */
static void the_least_that_admits_is_named(void **state)
{
	struct lab *lab = *state;

	lab_play(lab, network);
	expect_remedy(lab, "eth0", "20.0.0.1", "mode feasible");
	expect_remedy(lab, "eth0", "22.0.0.1", "mode efp-a"); /* another one's, of its origin */
	expect_remedy(lab, "eth0", "21.0.0.1", "mode efp-b");
	expect_remedy(lab, "eth0", "24.0.0.1", "mode loose");
	expect_remedy(lab, "eth1", "21.0.0.1", "");
	expect_remedy(lab, "eth1", "23.0.0.1", "mode efp-a");
	expect_remedy(lab, "eth1", "20.0.0.1", "mode efp-a");
	expect_remedy(lab, "eth1", "30.0.0.1", "");
	expect_remedy(lab, "eth0", "198.51.100.1",
		      "prefix 198.51.100.0/24 on the edge, or special-purpose permit "
		      "198.51.100.0/24");
	expect_remedy(lab, "eth0", "60.0.7.1",
		      "prefix 60.0.7.0/24 on the edge, or in the record of its customer (the "
		      "edge has none yet)");
	expect_remedy(lab, "eth1", "99.0.0.1",
		      "prefix 99.0.0.0/24 on the edge, or in the record of its customer");
	/* no mode admits own space */
	lab_play(lab, "add r1 10.0.0.2 60.0.0.0/17 65001\nwait 10\n");
	expect_remedy(lab, "eth1", "60.0.7.1",
		      "prefix 60.0.7.0/24 on the edge, or in the record of its customer");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(samples_are_kept_by_edge),
		cmocka_unit_test(a_hostile_agent_fills_its_own_rows_only),
		cmocka_unit_test_setup_teardown(the_least_that_admits_is_named, lab_setup,
						lab_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
