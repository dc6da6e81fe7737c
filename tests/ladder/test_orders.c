/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Rekeying of both kinds, begun by either end or both, with messages in any order
 * and one in a hundred lost: a packet can be carried both ways at every moment,
 * and it ends with one IKE SA and one child.
 *
 *   OPENSAV_ORDERS  how many rekeyings (default 10,000)
 *   OPENSAV_SEED    which orders (default 1)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/ladder/ladder.h"

#define PER_ROUND 25

static unsigned int orders(void)
{
	const char *text = getenv("OPENSAV_ORDERS");

	return text ? (unsigned int)atoi(text) : 10000;
}

static void print_children(void)
{
	for (unsigned int e = 0; e < 2; e++)
		for (unsigned int i = 0; i < ladder.ends[e].n_kids; i++)
			print_message("end %u: %08x in, %08x out%s\n", e, ladder.ends[e].kids[i].spi_in,
				      ladder.ends[e].kids[i].spi_out, ladder.ends[e].kids[i].used ? ", sends" : "");
}

static const struct kid *mirror_of(const struct kid *kid, const struct end *other)
{
	for (unsigned int i = 0; i < other->n_kids; i++)
		if (other->kids[i].spi_in == kid->spi_out)
			return &other->kids[i];
	return NULL;
}

/* What the sender would send with now is received by the other. */
static void assert_carries(unsigned int from)
{
	const struct end *sender = &ladder.ends[from];
	const struct kid *kid = NULL, *mirror;

	for (unsigned int i = 0; i < sender->n_kids; i++)
		if (sender->kids[i].used > (kid ? kid->used : 0))
			kid = &sender->kids[i];
	mirror = kid ? mirror_of(kid, &ladder.ends[!from]) : NULL;
	if (!mirror || mirror->spi_out != kid->spi_in || memcmp(mirror->in.bytes, kid->out.bytes, kid->out.len) != 0) {
		print_children();
		fail_msg("what end %u sends, the other can't receive", from);
	}
}

static void step(void)
{
	ladder_run();
	assert_carries(0);
	assert_carries(1);
	/* a part of what is on the wire, in any order */
	for (unsigned int n = (unsigned int)random() % 4; n > 0 && ladder.n_wire > 0; n--) {
		unsigned int i = (unsigned int)random() % ladder.n_wire;

		if (random() % 100 == 0)
			ladder_drop(i);
		else
			ladder_deliver(i);
		assert_carries(0);
		assert_carries(1);
	}
	if (random() % 8 == 0)
		ladder.now += (uint64_t)(random() % 700);
}

static void rekey_something(void)
{
	struct diag diag;

	assert_int_equal(ike_engine_rekey(ladder.ends[random() % 2].engine, "t", random() % 3 != 0, ladder.now, &diag), 0);
}

static void one_round(unsigned int rekeyings)
{
	ladder_begin(NULL);
	ladder_up();
	for (unsigned int i = 0; i < rekeyings; i++) {
		rekey_something();
		for (long steps = random() % 30; steps > 0; steps--)
			step();
	}
	for (unsigned int i = 0; i < 400; i++) { /* what was lost comes again */
		step();
		ladder.now += 200;
	}
	ladder_settle();
	ladder.now += 40000;
	ladder_settle();
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(ladder_counters(i).sas, 1);
		assert_int_equal(ladder.ends[i].n_kids, 1);
		assert_int_equal(ladder.ends[i].downs, 0);
	}
	assert_carries(0);
	assert_carries(1);
	ladder_end();
}

static void any_order_ends_with_one_sa_and_no_gap(void **state)
{
	const char *text = getenv("OPENSAV_SEED");
	unsigned int left = orders();

	srandom(text ? (unsigned int)atoi(text) : 1);
	while (left > 0) {
		unsigned int n = left < PER_ROUND ? left : PER_ROUND;

		one_round(n);
		left -= n;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_order_ends_with_one_sa_and_no_gap),
	};

	return cmocka_run_group_tests_name("orders", tests, NULL, NULL);
}
