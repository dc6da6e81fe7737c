/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What the agent says of its routes, against a plain list of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "agents/routes.h"
#include "tests/unit/sets/random.h"

#define NETS	12
#define METRICS 3

/* What the other side knows: the interfaces as bits, 0: no route. */
struct heard {
	uint32_t by[NETS];
	bool complete;
	unsigned int messages;
};

static struct route_entry entry(unsigned int net, uint32_t metric, uint32_t bits)
{
	struct route_entry e = { .metric = metric, .kind = AGENT_ROUTE_UNICAST };

	e.prefix = ip_prefix_make(IP_V4, (u128)0xc0000200 + net * 16, 28);
	for (uint32_t i = 8; i-- > 0;) {
		if (bits & 1u << i)
			e.indexes[e.n++] = i + 1;
	}
	return e;
}

static void hear(struct routes *r, struct heard *h)
{
	struct agent_routes m = { 0 };

	while (routes_next(r, &m)) {
		h->messages++;
		if (m.reset)
			memset(h->by, 0, sizeof(h->by));
		h->complete = m.complete;
		for (size_t i = 0; i < m.n; i++) {
			unsigned int net = (unsigned int)(m.routes[i].prefix.v - 0xc0000200) / 16;

			h->by[net] = 0;
			for (size_t j = 0; j < m.routes[i].n; j++)
				h->by[net] |= 1u << (m.indexes[m.routes[i].first + j] - 1);
		}
		free(m.routes);
		free(m.indexes);
		m = (struct agent_routes){ 0 };
	}
}

static void put(struct routes *r, unsigned int net, uint32_t metric, uint32_t bits, bool dumped)
{
	struct route_entry e = entry(net, metric, bits);

	routes_put(r, &e, dumped);
}

static void a_table_then_changes(void **state)
{
	struct routes *r = routes_new(1);
	struct heard h = { 0 };
	struct route_entry e;

	(void)state;
	hear(r, &h);
	assert_int_equal(h.messages, 0); /* nobody asked */
	routes_dump_begin(r);
	put(r, 1, 20, 0x3, true);
	put(r, 2, 20, 0x4, true);
	routes_want(r, true);
	hear(r, &h);
	assert_int_equal(h.by[1], 0x3);
	assert_false(h.complete);
	routes_dump_end(r);
	hear(r, &h);
	assert_true(h.complete);
	put(r, 1, 10, 0x8, false); /* better */
	hear(r, &h);
	assert_int_equal(h.by[1], 0x8);
	e = entry(1, 10, 0x8);
	assert_true(routes_del(r, &e));
	hear(r, &h);
	assert_int_equal(h.by[1], 0x3);
	e = entry(1, 20, 0x1); /* one member of it: only a dump can tell */
	assert_false(routes_del(r, &e));
	put(r, 3, 20, 0x1, false);
	put(r, 3, 20, 0, false); /* all members are dead */
	h.messages = 0;
	hear(r, &h);
	assert_int_equal(h.by[3], 0);
	hear(r, &h);
	assert_in_range(h.messages, 0, 1);
	routes_lost(r);
	hear(r, &h);
	assert_false(h.complete);
	routes_dump_begin(r); /* only net 2 is left */
	put(r, 2, 20, 0x4, true);
	put(r, 2, 20, 0x40, true); /* appended behind it: not used */
	routes_dump_end(r);
	hear(r, &h);
	assert_true(h.complete);
	assert_int_equal(h.by[1], 0);
	assert_int_equal(h.by[2], 0x4);
	assert_int_equal(routes_count(r, IP_V4), 1);
	assert_true(routes_use_index(r, 3));
	assert_false(routes_use_index(r, 1));
	routes_free(r);
}

/* Any order of changes, dumps, sessions and reading leaves both sides equal. */
static void equals_brute_force(void **state)
{
	uint64_t seed = random_seed();

	(void)state;
	for (unsigned int round = 0; round < 50; round++) {
		struct routes *r = routes_new(random_u64(&seed));
		uint32_t kernel[NETS][METRICS] = { { 0 } };
		struct heard h = { 0 };

		routes_dump_begin(r);
		routes_dump_end(r);
		for (unsigned int i = 0; i < 300; i++) {
			unsigned int net = random_below(&seed, NETS);
			unsigned int metric = random_below(&seed, METRICS);
			uint32_t bits = random_below(&seed, 256);
			struct route_entry e = entry(net, metric, kernel[net][metric]);

			switch (random_below(&seed, 8)) {
			case 0:
			case 1:
			case 2:
				kernel[net][metric] = bits;
				put(r, net, metric, bits, false);
				break;
			case 3:
			case 4:
				kernel[net][metric] = 0;
				assert_true(routes_del(r, &e));
				break;
			case 5: /* unnoticed, then a dump */
				kernel[net][metric] = bits;
				routes_dump_begin(r);
				for (unsigned int j = 0; j < NETS * METRICS; j++) {
					if (kernel[j / METRICS][j % METRICS])
						put(r, j / METRICS, j % METRICS,
						    kernel[j / METRICS][j % METRICS], true);
				}
				routes_dump_end(r);
				break;
			case 6:
				if (i % 4 == 0)
					routes_want(r, i % 3 != 0);
				break;
			default:
				hear(r, &h);
			}
		}
		routes_want(r, true);
		hear(r, &h);
		put(r, 0, 0, 1, false);
		kernel[0][0] = 1;
		hear(r, &h);
		assert_true(h.complete);
		for (unsigned int net = 0; net < NETS; net++) {
			uint32_t by = 0;

			for (unsigned int m = 0; m < METRICS && by == 0; m++)
				by = kernel[net][m];
			assert_int_equal(h.by[net], by);
		}
		routes_free(r);
	}
}

/* Cut into messages that fit, the last one complete; a change in between is said too. */
static void a_large_table_comes_in_pieces(void **state)
{
	struct routes *r = routes_new(1);
	struct agent_routes m = { 0 };
	unsigned int messages = 0;
	size_t n = 0;

	(void)state;
	routes_dump_begin(r);
	for (uint32_t i = 0; i < 100000; i++) {
		struct route_entry e = { .kind = AGENT_ROUTE_UNICAST, .indexes = { 7 }, .n = 1 };

		e.prefix = ip_prefix_make(IP_V6, (u128)(0x20010000 + i) << 96, 32);
		routes_put(r, &e, true);
	}
	routes_dump_end(r);
	routes_want(r, true);
	while (routes_next(r, &m)) {
		assert_int_equal(m.reset, messages == 0);
		assert_in_range(m.n, 0, AGENT_ROUTES_MAX);
		n += m.n;
		if (++messages == 3)
			put(r, 1, 0, 1, false);
		assert_int_equal(m.complete, n == 100001);
		free(m.routes);
		free(m.indexes);
		m = (struct agent_routes){ 0 };
	}
	assert_int_equal(n, 100001);
	routes_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_table_then_changes),
		cmocka_unit_test(equals_brute_force),
		cmocka_unit_test(a_large_table_comes_in_pieces),
	};

	return cmocka_run_group_tests_name("routes", tests, NULL, NULL);
}
