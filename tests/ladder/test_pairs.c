/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * How many IKE SAs one peer has of one tunnel: one that begins again and again, one
 * that is away each time, and many that share a name.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "tests/ladder/ladder.h"

#define MOST 16
#define BOOTS 40

static struct ike_tunnel client;
static bool shared;

static void one_peer(struct ike_tunnel *t, unsigned end)
{
	t->shared_identity = shared;
	/* nothing but what is tried here ends or asks for anything */
	t->start = false;
	t->liveness_s = t->ike_rekey_s = t->child_rekey_s = 0;
	if (end == 0)
		client = *t;
	else
		t->remote_addr = (struct ip_addr){ 0 };
}

/* Two tunnels with one pair of identities say nothing of a first contact. */
static void begin(bool many_share)
{
	struct ike_tunnel other;

	shared = many_share;
	ladder_begin(one_peer);
	other = client;
	snprintf(other.name, sizeof(other.name), "silent");
	ike_engine_tunnel_set(ladder.ends[0].engine, &other);
}

static struct ip_addr place(unsigned i)
{
	char text[IP_TEXT_SIZE];

	snprintf(text, sizeof(text), "192.0.2.%u", 10 + i);
	return ladder_endpoint(text).addr;
}

/* Nobody is at the places before that one any more. */
static void settle(unsigned first)
{
	for (unsigned i = 0; i < 20; i++) {
		ladder_run();
		while (ladder.n_wire > 0) {
			const struct datagram *d = &ladder.wire[0];
			struct ip_addr at = d->to ? d->path.remote.addr : d->path.local.addr;

			if (at.v < place(first).v)
				ladder_drop(0);
			else
				ladder_deliver(0);
		}
	}
}

static void later(unsigned first, unsigned ms)
{
	for (unsigned i = 0; i < ms; i += 250) {
		ladder.now += 250;
		settle(first);
	}
}

static void comes_from(unsigned i, unsigned first)
{
	struct ike_path path = { .link = 1, .local = ladder.ends[0].at, .remote = ladder.ends[1].at };
	struct ike_tunnel t = client;
	struct diag diag;

	snprintf(t.name, sizeof(t.name), "u%u", i);
	ike_engine_tunnel_set(ladder.ends[0].engine, &t);
	path.local.addr = place(i);
	assert_int_equal(ike_engine_up(ladder.ends[0].engine, t.name, &path, ladder.now, &diag), 0);
	settle(first);
}

static unsigned n_up;

static void count_up(void *ctx, const struct ike_sa_info *sa)
{
	n_up += strcmp(sa->state, "up") == 0;
}

static unsigned up(unsigned end)
{
	n_up = 0;
	ike_engine_each_sa(ladder.ends[end].engine, count_up, NULL);
	return n_up;
}

/* It answers on all that it has, so none of them goes. */
static void who_lives_has_so_many_and_keeps_them(void **state)
{
	char refused[sizeof(ladder.ends[0].last)];

	begin(false);
	for (unsigned i = 0; i < BOOTS; i++) {
		comes_from(i, 0);
		assert_int_equal(up(1), i < MOST ? i + 1 : MOST);
		later(0, 3000);
	}
	assert_int_equal(up(0), MOST);
	assert_int_equal(ladder.ends[1].downs, 0);
	assert_int_equal(ladder_counters(1).peer_refused, BOOTS - MOST);
	assert_non_null(strstr(ladder.ends[0].last, "AUTHENTICATION_FAILED"));
	snprintf(refused, sizeof(refused), "%s", ladder.ends[1].last);
	assert_non_null(strstr(refused, "16 IKE SAs"));
	ladder_end();
}

/* It forgets all each time, and says so never: it is let in each time, and what it has
 * left behind goes. */
static void who_boots_again_and_again_is_let_in(void **state)
{
	begin(false);
	for (unsigned i = 0; i < BOOTS; i++) {
		comes_from(i, i);
		assert_int_equal(ladder.ends[1].ups, i + 1);
		assert_in_range(up(1), 1, MOST);
		later(i, 1000);
	}
	assert_int_equal(ladder_counters(1).peer_refused, 0);
	/* the last one is asked too, and is there */
	later(BOOTS - 1, 200000);
	assert_in_range(up(1), 1, MOST - 1);
	comes_from(BOOTS, BOOTS - 1);
	later(BOOTS - 1, 10000);
	assert_int_equal(ladder.ends[1].ups, BOOTS + 1);
	ladder_end();
}

/* So fast that nobody can know yet whether it is there: a few seconds later it is known. */
static void who_boots_without_a_pause_waits_a_little(void **state)
{
	begin(false);
	for (unsigned i = 0; i < BOOTS; i++)
		comes_from(i, i);
	assert_int_equal(up(1), MOST);
	later(BOOTS, 5000);
	comes_from(BOOTS, BOOTS);
	later(BOOTS, 5000);
	comes_from(BOOTS + 1, BOOTS);
	assert_true(ladder.ends[1].ups > MOST);
	ladder_end();
}

/* Each place is a peer. */
static void of_many_that_share_a_name_all_are_let_in(void **state)
{
	begin(true);
	for (unsigned i = 0; i < BOOTS; i++) {
		comes_from(i, 0);
		later(0, 1000);
	}
	assert_int_equal(up(1), BOOTS);
	assert_int_equal(ladder_counters(1).peer_refused, 0);
	ladder_end();
}

/* New keys again and again, and the old ones are never deleted. */
static void new_keys_are_bounded_too(void **state)
{
	unsigned most = 0;

	begin(false);
	comes_from(0, 0);
	for (unsigned i = 0; i < 200; i++) {
		struct diag diag;

		(void)ike_engine_rekey(ladder.ends[0].engine, "u0", false, ladder.now, &diag);
		for (unsigned k = 0; k < 20; k++) {
			ladder_run();
			while (ladder.n_wire > 0)
				if (ladder.wire[0].len > 18 && ladder.wire[0].data[18] == IKE_INFORMATIONAL)
					ladder_drop(0);
				else
					ladder_deliver(0);
		}
		if (ladder_counters(1).sas > most)
			most = ladder_counters(1).sas;
	}
	assert_in_range(most, MOST, 2 * MOST + 1);
	assert_true(up(1) >= 1);
	/* who refuses them says that it is for now, and the SA goes on */
	later(0, 200000);
	assert_int_equal(up(1), 1);
	assert_int_equal(up(0), 1);
	ladder_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_lives_has_so_many_and_keeps_them),
		cmocka_unit_test(who_boots_again_and_again_is_let_in),
		cmocka_unit_test(who_boots_without_a_pause_waits_a_little),
		cmocka_unit_test(of_many_that_share_a_name_all_are_let_in),
		cmocka_unit_test(new_keys_are_bounded_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
