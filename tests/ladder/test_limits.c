/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What somebody who has a cookie and keys, and no name yet, can make us keep:
 * messages, fragments, refused SAs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ipsec/ike/ike_engine_impl.h"
#include "tests/ladder/ladder.h"

static struct ike_path way(void)
{
	return (struct ike_path){ .link = 1, .local = ladder.ends[0].at, .remote = ladder.ends[1].at };
}

static void begin(void)
{
	struct ike_path path = way();
	struct diag diag;

	assert_int_equal(ike_engine_up(ladder.ends[0].engine, "t", &path, ladder.now, &diag), 0);
}

/* IKE_SA_INIT is answered, with a cookie or without, and IKE_AUTH is on the wire. */
static void begin_auth(void)
{
	begin();
	for (unsigned i = 0; i < 4 && ladder.wire[0].data[18] == IKE_SA_INIT; i++)
		ladder_deliver(0);
	assert_int_equal(ladder.n_wire, 1);
	assert_int_equal(ladder.wire[0].data[18], IKE_AUTH);
}

/* Also while the signer works on what it said. */
static void a_stranger_is_counted_until_it_has_a_name(void **state)
{
	ladder_begin(NULL);
	ladder.hold_signs = true;
	begin();
	ladder_deliver(0);
	assert_int_equal(ladder_counters(1).half_open, 1);
	ladder_deliver(0);
	ladder.hold_signs = false;
	ladder_run();
	ladder_run();
	ladder.hold_signs = true;
	assert_int_equal(ladder.n_wire, 1);
	ladder_deliver(0);
	assert_int_equal(ladder.ends[1].n_signs, 1);
	assert_int_equal(ladder_counters(1).half_open, 1);
	ladder.hold_signs = false;
	ladder_settle();
	assert_int_equal(ladder.ends[1].ups, 1);
	assert_int_equal(ladder_counters(1).half_open, 0);
	ladder_end();
}

/* Each is kept for a while, since its answer may be lost; but so many only, and
 * without what it sent. */
static void those_that_were_refused_have_a_bound(void **state)
{
	const struct ike_sa *sa;

	ladder_begin(NULL);
	ladder.ends[0].psk = "another one";
	for (unsigned i = 0; i < 1500; i++) {
		begin();
		ladder_settle();
	}
	assert_int_equal(ladder.ends[1].ups, 0);
	assert_true(ladder_counters(1).sas >= 100 && ladder_counters(1).sas <= 1024);
	for (sa = ladder.ends[1].engine->sas; sa; sa = sa->next)
		assert_null(sa->setup);
	ladder.ends[0].psk = ladder.ends[1].psk;
	ladder_up();
	assert_int_equal(ladder.ends[1].ups, 1);
	ladder.now += SA_LINGER_MS + 1;
	ladder_settle();
	assert_int_equal(ladder_counters(1).sas, 1);
	ladder_end();
}

/* ---- fragments */

#define TOTAL 200
#define PIECE 1000

static void send_piece(struct ike_sa *sa, bool response, uint32_t id, uint16_t number, uint16_t total, size_t len)
{
	struct ike_header header = sa_header(sa, IKE_AUTH, response, id);
	struct ike_writer chain;
	struct wr out = { 0 };

	ike_writer_init(&chain);
	chain.first = IKE_PL_VENDOR;
	for (size_t i = 0; i < len; i++)
		wr_u8(&chain.wr, 0x55);
	assert_int_equal(ike_skf_seal(sa->tx, ++sa->tx_counter, &header, &chain, number, total, 0, len, &out), 0);
	ladder_inject(1, out.data, out.len, 0);
	wr_fini(&out);
	ike_writer_fini(&chain);
}

/* Of all half-open SAs together; what one honest message needs there is always. */
static void fragments_of_strangers_have_a_bound(void **state)
{
	struct ike_engine *e;

	ladder_begin(NULL);
	e = ladder.ends[1].engine;
	for (unsigned i = 0; i < 60; i++) {
		struct ike_sa *sa;
		struct diag diag;

		begin_auth();
		sa = ladder_sa(0, 0);
		ladder_drop(0);
		for (uint16_t number = 1; number < TOTAL; number++)
			send_piece(sa, false, 1, number, TOTAL, PIECE);
		assert_int_equal(ike_engine_down(ladder.ends[0].engine, "t", ladder.now, &diag), 0);
		ladder_run();
		assert_true(e->strangers_bytes <= FRAGMENTS_SHARED_MAX + (i + 1) * FRAGMENTS_SHARE);
	}
	assert_true(e->strangers_bytes > FRAGMENTS_SHARED_MAX / 2);
	ladder.now += SA_HALF_OPEN_MS + 1;
	ladder_settle();
	assert_int_equal(e->strangers_bytes, 0);
	ladder_end();
}

static void small_fragments(struct ike_tunnel *t, unsigned end)
{
	t->fragment_bytes = 200;
}

static void an_honest_one_in_fragments_comes_up_beside_them(void **state)
{
	ladder_begin(small_fragments);
	ladder.ends[1].engine->strangers_bytes = FRAGMENTS_SHARED_MAX;
	ladder_up();
	assert_int_equal(ladder.ends[1].ups, 1);
	assert_int_equal(ladder.ends[1].engine->strangers_bytes, FRAGMENTS_SHARED_MAX);
	ladder_end();
}

/* RFC 7383 2.6: of a message that nobody waits for nothing is kept; a copy of an
 * old one would drop the fragments of the present one. */
static void an_old_fragment_drops_no_others(void **state)
{
	struct ike_sa *sa;

	ladder_begin(NULL);
	begin_auth();
	sa = ladder_sa(0, 0);
	ladder_drop(0);
	send_piece(sa, false, 1, 1, 2, 40);
	send_piece(sa, true, 0, 1, 2, 40);
	assert_int_equal(ladder.ends[1].engine->strangers_bytes, 40);
	send_piece(sa, false, 1, 2, 2, 40);
	assert_int_equal(ladder.ends[1].failures, 1); /* it was put together, and makes no sense */
	ladder_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stranger_is_counted_until_it_has_a_name),
		cmocka_unit_test(those_that_were_refused_have_a_bound),
		cmocka_unit_test(fragments_of_strangers_have_a_bound),
		cmocka_unit_test(an_honest_one_in_fragments_comes_up_beside_them),
		cmocka_unit_test(an_old_fragment_drops_no_others),
	};

	return cmocka_run_group_tests_name("limits", tests, NULL, NULL);
}
