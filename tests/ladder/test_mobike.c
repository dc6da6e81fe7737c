/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * MOBIKE when the responder's addresses change or cease to work (RFC 4555 3.4 to
 * 3.6, 3.10). A datagram arrives only where somebody has its address.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/ladder/ladder.h"

static struct ip_addr second; /* that the responder has too; v 0: none */

static struct ip_addr addr(const char *text)
{
	return ladder_endpoint(text).addr;
}

static bool arrives(const struct datagram *d)
{
	const struct ip_addr *to = &d->path.local.addr;

	return ip_addr_equal(to, &ladder.ends[d->to].at.addr) || (d->to == 1 && second.v && ip_addr_equal(to, &second));
}

static void settle(void)
{
	for (unsigned i = 0; i < 200; i++) {
		ladder_run();
		while (ladder.n_wire > 0)
			if (arrives(&ladder.wire[0]))
				ladder_deliver(0);
			else
				ladder_drop(0);
	}
}

static void seconds(unsigned n)
{
	for (unsigned i = 0; i < 2 * n; i++) {
		ladder.now += 500;
		settle();
	}
}

static void assert_first_sends_to(const char *text)
{
	const struct ip_addr want = addr(text);

	assert_int_equal(ladder.ends[0].n_kids, 1);
	assert_int_equal(ladder.ends[1].n_kids, 1);
	assert_true(ip_addr_equal(&ladder.ends[0].kids[0].path.remote.addr, &want));
	assert_true(ip_addr_equal(&ladder.ends[1].kids[0].path.local.addr, &want));
	assert_int_equal(ladder.ends[0].downs + ladder.ends[1].downs, 0);
}

static int begin(void **state)
{
	second.v = 0;
	ladder_begin(NULL);
	ladder_up();
	return 0;
}

static int end(void **state)
{
	ladder_end();
	return 0;
}

/* 3.6: who answers cannot move the SAs, so it tells where it is. */
static void a_responder_that_moves_tells_it(void **state)
{
	const struct ip_addr to = addr("192.0.2.9");

	ladder.ends[1].at.addr = to;
	ike_engine_link_moved(ladder.ends[1].engine, 1, &to, ladder.now);
	seconds(5);
	assert_first_sends_to("192.0.2.9");
}

static void tell(uint16_t type, const char *text)
{
	struct ike_sa *sa = ladder_sa(1, 0);
	struct ike_header header = sa_header(sa, IKE_INFORMATIONAL, false, sa->next_id++);
	struct ike_writer chain;
	struct ip_addr a = addr(text);
	uint8_t bytes[16];

	ip_to_bytes(a.v, (enum ip_family)a.family, bytes);
	ike_writer_init(&chain);
	ike_notify_encode(&chain, type, bytes, type == N_NO_ADDITIONAL_ADDRESSES ? 0 : ip_bytes((enum ip_family)a.family));
	ladder_forge(1, sa, &header, &chain);
	ike_writer_fini(&chain);
}

/* 3.10: another way is tried when this one seems dead, and taken when it works. */
static void another_address_of_the_peer_is_tried(void **state)
{
	tell(N_ADDITIONAL_IP4_ADDRESS, "192.0.2.9");
	settle();
	assert_first_sends_to("192.0.2.2");
	second = addr("192.0.2.9");
	ladder.ends[1].at.addr = addr("192.0.2.77"); /* nothing arrives at the old one */
	seconds(40);
	assert_first_sends_to("192.0.2.9");
}

/* Packets that are lost for a while move nobody. */
static void a_way_that_recovers_stays(void **state)
{
	tell(N_ADDITIONAL_IP4_ADDRESS, "192.0.2.9");
	ladder.ends[1].at.addr = addr("192.0.2.77");
	seconds(31);
	ladder.ends[1].at.addr = addr("192.0.2.2");
	seconds(40);
	assert_first_sends_to("192.0.2.2");
}

/* What was told before is not so any more. */
static void a_list_replaces_the_one_before(void **state)
{
	tell(N_ADDITIONAL_IP4_ADDRESS, "192.0.2.9");
	tell(N_NO_ADDITIONAL_ADDRESSES, "192.0.2.9");
	second = addr("192.0.2.9");
	ladder.ends[1].at.addr = addr("192.0.2.77");
	seconds(120);
	assert_int_equal(ladder.ends[0].downs, 1);
}

/* An answer from where the peer never said it was moves nobody: a header is anybody's. */
static void an_answer_from_elsewhere_moves_nobody(void **state)
{
	struct datagram *d;

	ladder.now += 31000;
	ladder_run();
	while (ladder.n_wire > 1) /* both ask */
		ladder_drop(ladder.wire[0].to == 0 ? 0 : 1);
	ladder_deliver(0);
	assert_int_equal(ladder.n_wire, 1);
	d = &ladder.wire[0];
	assert_int_equal(d->to, 0);
	d->path.remote.addr = addr("192.0.2.66");
	settle();
	assert_first_sends_to("192.0.2.2");
}

/* Somebody on the way changed the header of a true list: a few seconds, and no more. */
static void a_list_from_elsewhere_moves_nobody_for_long(void **state)
{
	ladder.ends[1].at.addr = addr("192.0.2.66");
	tell(N_NO_ADDITIONAL_ADDRESSES, "192.0.2.66");
	ladder.ends[1].at.addr = addr("192.0.2.2");
	seconds(20);
	assert_first_sends_to("192.0.2.2");
	assert_true(ip_addr_equal(&ladder_sa(0, 0)->path.remote.addr, &ladder.ends[1].at.addr));
}

static void addresses_that_are_none_are_not_taken(void **state)
{
	static const uint8_t zero[16];
	struct ike_sa *sa = ladder_sa(1, 0);

	for (size_t len = 0; len <= 16; len++)
		for (uint16_t type = N_ADDITIONAL_IP4_ADDRESS; type <= N_ADDITIONAL_IP6_ADDRESS; type++) {
			struct ike_header header = sa_header(sa, IKE_INFORMATIONAL, false, sa->next_id++);
			struct ike_writer chain;

			ike_writer_init(&chain);
			for (unsigned i = 0; i < 40; i++)
				ike_notify_encode(&chain, type, zero, len);
			ladder_forge(1, sa, &header, &chain);
			ike_writer_fini(&chain);
			settle();
		}
	assert_int_equal(ladder_sa(0, 0)->n_peer_addrs, 0);
	assert_first_sends_to("192.0.2.2");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_responder_that_moves_tells_it),
		CASE(another_address_of_the_peer_is_tried),
		CASE(a_way_that_recovers_stays),
		CASE(a_list_replaces_the_one_before),
		CASE(an_answer_from_elsewhere_moves_nobody),
		CASE(a_list_from_elsewhere_moves_nobody_for_long),
		CASE(addresses_that_are_none_are_not_taken),
	};

	return cmocka_run_group_tests_name("mobike", tests, NULL, NULL);
}
