/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Children and keys that are gone or refused come again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/ladder/ladder.h"

static bool no_group; /* a key exchange fails, as it does for want of memory */

struct crypto_dh *__real_crypto_dh_new(uint16_t group);
struct crypto_dh *__wrap_crypto_dh_new(uint16_t group);
struct crypto_dh *__wrap_crypto_dh_new(uint16_t group)
{
	return no_group ? NULL : __real_crypto_dh_new(group);
}

static void keep_up(struct ike_tunnel *t, unsigned end)
{
	t->start = end == 0;
}

static void pass_s(unsigned seconds)
{
	for (unsigned i = 0; i < seconds; i++) {
		ladder.now += 1000;
		ladder_settle();
	}
}

static void assert_kids(unsigned n)
{
	assert_int_equal(ladder.ends[0].n_kids, n);
	assert_int_equal(ladder.ends[1].n_kids, n);
}

static void delete_child(unsigned end)
{
	const struct sa_request delete = { .kind = REQ_CHILD_DELETE, .spi = ladder.ends[end].kids[0].spi_in };

	sa_queue(ladder_sa(end, 0), &delete);
	ladder_settle();
	assert_kids(0);
}

/* strongSwan and libreswan close a child that is idle, and an operator may. */
static void a_child_that_the_peer_deletes_comes_again(void **state)
{
	ladder_begin(keep_up);
	ladder_up();
	for (unsigned i = 0; i < 3; i++) {
		delete_child(i < 2);
		pass_s(5);
		assert_kids(1);
		pass_s(100);
	}
	assert_int_equal(ladder_counters(0).sas, 1);
	assert_int_equal(ladder.ends[0].ups, 1);
	ladder_end();
}

static void a_peer_that_refuses_it_is_asked_more_and_more_seldom(void **state)
{
	unsigned asked;

	ladder_begin(keep_up);
	ladder_up();
	ladder.ends[1].refuses = true;
	delete_child(1);
	asked = ladder_sa(0, 0)->next_id;
	pass_s(1800);
	asked = ladder_sa(0, 0)->next_id - asked;
	/* 60 of these are liveness */
	assert_true(asked >= 60 + 25 && asked <= 60 + 60);
	ladder.ends[1].refuses = false;
	pass_s(70);
	assert_kids(1);
	ladder_end();
}

/* It is deleted as soon as it is there: not a new one each second. */
static void a_peer_that_deletes_each_is_asked_more_and_more_seldom(void **state)
{
	unsigned deleted = 0;

	ladder_begin(keep_up);
	ladder_up();
	for (unsigned i = 0; i < 600; i++) {
		if (ladder.ends[1].n_kids > 0) {
			delete_child(1);
			deleted++;
		}
		pass_s(1);
	}
	assert_true(deleted >= 10 && deleted <= 20);
	ladder_end();
}

/* Each end deletes the one that it takes for too many, and the deletes cross. */
static void delete_both(void)
{
	/* a second one, as two that begin at once leave it */
	sa_queue(ladder_sa(0, 0), &(struct sa_request){ .kind = REQ_CHILD_NEW });
	ladder_settle();
	assert_kids(2);
	for (unsigned end = 0; end < 2; end++) {
		const struct sa_request delete = { .kind = REQ_CHILD_DELETE,
						   .spi = ladder.ends[end].kids[end].spi_in };

		sa_queue(ladder_sa(end, 0), &delete);
	}
	ladder_run();
	assert_int_equal(ladder.n_wire, 2);
	ladder_settle();
	assert_kids(0);
}

static void both_ends_delete_the_last_two(void **state)
{
	ladder_begin(keep_up);
	ladder_up();
	for (unsigned i = 0; i < 3; i++) {
		delete_both();
		pass_s(5);
		assert_kids(1);
		pass_s(100);
		assert_kids(1);
	}
	assert_int_equal(ladder_counters(0).sas, 1);
	ladder_end();
}

static void keep_up_there(struct ike_tunnel *t, unsigned end)
{
	t->start = end == 1;
}

static void keep_up_both(struct ike_tunnel *t, unsigned end)
{
	t->start = true;
}

/* Also by who did not begin the IKE SA. */
static void who_keeps_it_up_asks_whoever_began(void **state)
{
	struct ike_path path;
	struct diag diag;

	for (unsigned both = 0; both < 2; both++) {
		ladder_begin(both ? keep_up_both : keep_up_there);
		ladder_up();
		path = (struct ike_path){ .link = 1, .local = ladder.ends[1].at, .remote = ladder.ends[0].at };
		assert_int_equal(ike_engine_up(ladder.ends[1].engine, "t", &path, ladder.now, &diag), 0);
		ladder_settle();
		assert_kids(1);
		for (unsigned i = 0; i < 3; i++) {
			delete_both();
			pass_s(20); /* each time later, for the second one was new */
			assert_kids(1); /* not one of each */
			pass_s(100);
			assert_kids(1);
		}
		assert_int_equal(ladder_counters(0).sas, 1);
		assert_int_equal(ladder_counters(1).sas, 1);
		ladder_end();
	}
}

/* A packet waits while the last child is on its way out: it comes only once. */
static void what_is_wanted_while_the_last_one_goes(void **state)
{
	for (unsigned end = 0; end < 2; end++) {
		struct sa_request delete = { .kind = REQ_CHILD_DELETE };

		ladder_begin(NULL);
		ladder_up();
		delete.spi = ladder.ends[end].kids[0].spi_in;
		sa_queue(ladder_sa(end, 0), &delete);
		ladder_run();
		assert_int_equal(ladder.n_wire, 1);
		ladder_up();
		assert_kids(end == 0);
		ladder_up();
		assert_kids(1);
		ladder_end();
	}
}

static void what_nobody_keeps_up_stays_away_until_it_is_wanted(void **state)
{
	ladder_begin(NULL);
	ladder_up();
	delete_child(1);
	pass_s(200);
	assert_kids(0);
	assert_int_equal(ladder_counters(0).sas, 1);
	ladder_up(); /* "ipsec up" */
	assert_kids(1);
	assert_int_equal(ladder.ends[0].ups, 1);
	ladder_up(); /* it has one */
	assert_kids(1);
	ladder_end();
}

static void what_was_taken_down_stays_down(void **state)
{
	struct diag diag;

	ladder_begin(keep_up);
	ladder_up();
	assert_int_equal(ike_engine_down(ladder.ends[0].engine, "t", ladder.now, &diag), 0);
	pass_s(200);
	assert_kids(0);
	assert_int_equal(ladder_counters(0).sas, 0);
	ladder_end();
}

/* The old one carries meanwhile. */
static void a_refused_rekeying_of_a_child_comes_again(void **state)
{
	uint32_t before;

	ladder_begin(NULL);
	ladder_up();
	before = ladder.ends[0].kids[0].spi_in;
	ladder.ends[1].refuses = true;
	ladder.ends[0].refuses = true;
	ladder.now += 3600 * 1000;
	pass_s(1200); /* longer than all tries of one rekeying */
	assert_int_equal(ladder.ends[0].kids[0].spi_in, before);
	ladder.ends[0].refuses = ladder.ends[1].refuses = false;
	pass_s(180);
	assert_kids(1);
	assert_int_not_equal(ladder.ends[0].kids[0].spi_in, before);
	ladder_end();
}

/* The datapath says that its numbers are running out. */
static void an_expiring_child_is_rekeyed_although_it_is_refused_at_first(void **state)
{
	uint32_t before;

	ladder_begin(NULL);
	ladder_up();
	before = ladder.ends[0].kids[0].spi_in;
	ladder.ends[0].no_spi = true;
	ike_engine_child_expiring(ladder.ends[0].engine, before, ladder.now);
	pass_s(10);
	assert_int_equal(ladder.ends[0].kids[0].spi_in, before);
	ladder.ends[0].no_spi = false;
	pass_s(180);
	assert_kids(1);
	assert_int_not_equal(ladder.ends[0].kids[0].spi_in, before);
	ladder_end();
}

static void an_ike_rekeying_that_failed_comes_again(void **state)
{
	ladder_begin(NULL);
	ladder_up();
	no_group = true;
	ladder.now += 4 * 3600 * 1000;
	pass_s(60);
	no_group = false;
	assert_int_equal(ladder_sa(0, 0)->number, 1);
	pass_s(180);
	assert_int_not_equal(ladder_sa(0, 0)->number, 1);
	assert_int_equal(ladder_counters(0).sas, 1);
	assert_int_equal(ladder.ends[0].downs, 0);
	assert_kids(1);
	ladder_end();
}

/* The peer has made it already, and would send with it what nobody receives. */
static void what_came_to_nothing_here_is_deleted_there(void **state)
{
	uint32_t before;
	struct diag diag;

	ladder_begin(NULL);
	ladder.ends[0].refuses = true;
	ladder_up();
	assert_int_equal(ladder.ends[1].ups, 1);
	assert_kids(0);
	ladder.ends[0].refuses = false;
	ladder_up();
	assert_kids(1);
	before = ladder.ends[1].kids[0].spi_in;
	ladder.ends[0].refuses = true;
	assert_int_equal(ike_engine_rekey(ladder.ends[0].engine, "t", true, ladder.now, &diag), 0);
	ladder_settle();
	assert_int_equal(ladder.ends[1].kids[ladder.ends[1].n_kids - 1].spi_in, before);
	assert_kids(1);
	/* and the old one is as it was: either can rekey it */
	ladder.ends[0].refuses = false;
	ladder.now += 70000;
	ladder_settle();
	for (unsigned end = 0; end < 2; end++) {
		before = ladder.ends[1].kids[0].spi_in;
		assert_int_equal(ike_engine_rekey(ladder.ends[end].engine, "t", true, ladder.now, &diag), 0);
		ladder_settle();
		assert_kids(1);
		assert_int_not_equal(ladder.ends[1].kids[0].spi_in, before);
	}
	ladder_end();
}

/* ---- peers and clocks */

/* Tried for ever, and not often. */
static void a_peer_that_never_answers_is_tried_again(void **state)
{
	struct ike_path path;
	unsigned sent = 0;
	struct diag diag;

	ladder_begin(keep_up);
	path = (struct ike_path){ .link = 1, .local = ladder.ends[0].at, .remote = ladder.ends[1].at };
	assert_int_equal(ike_engine_up(ladder.ends[0].engine, "t", &path, ladder.now, &diag), 0);
	for (unsigned i = 0; i < 3600; i++) {
		ladder.now += 1000;
		ladder_run();
		sent += ladder.n_wire;
		while (ladder.n_wire > 0)
			ladder_drop(0);
		assert_true(ladder_counters(0).sas <= 1);
	}
	assert_true(ladder.ends[0].failures >= 25); /* each of 64 s, and up to 60 s between */
	assert_non_null(strstr(ladder.ends[0].last, "does not answer"));
	assert_true(sent >= 7 * ladder.ends[0].failures && sent <= 7 * ladder.ends[0].failures + 7);
	pass_s(130);
	assert_kids(1);
	ladder_end();
}

/* Liveness of the one crosses the delete of the other: it ends as a delete. */
static void liveness_that_crosses_a_delete(void **state)
{
	const struct sa_request liveness = { .kind = REQ_LIVENESS };
	struct diag diag;

	ladder_begin(NULL);
	ladder_up();
	sa_queue(ladder_sa(1, 0), &liveness);
	assert_int_equal(ike_engine_down(ladder.ends[0].engine, "t", ladder.now, &diag), 0);
	ladder_run();
	assert_int_equal(ladder.n_wire, 2);
	ladder_deliver(ladder.wire[0].to == 0 ? 0 : 1); /* the question first */
	while (ladder.n_wire > 0)
		ladder_deliver(ladder.n_wire - 1); /* and its answer before the delete */
	ladder_settle();
	assert_string_equal(ladder.ends[1].last, "deleted by the peer");
	assert_kids(0);
	ladder_end();
}

/* The machine slept, or its clock was set: both ends find to each other, without
 * a flood. */
static void a_clock_that_jumps(void **state)
{
	static const uint64_t jumps_s[] = { 90, 3700, 5 * 3600, 30 * 86400 };

	for (unsigned i = 0; i < sizeof(jumps_s) / sizeof(jumps_s[0]); i++)
		for (unsigned end = 0; end < 2; end++) {
			ladder_begin(keep_up);
			ladder_up();
			ladder.now += jumps_s[i] * 1000;
			ike_engine_run(ladder.ends[end].engine, ladder.now); /* it wakes up first */
			assert_true(ladder.n_wire <= 4);
			pass_s(200);
			assert_kids(1);
			assert_int_equal(ladder_counters(0).sas, 1);
			assert_int_equal(ladder_counters(1).sas, 1);
			ladder_end();
		}
}

/* ---- groups of CREATE_CHILD_SA; "" is the default */

static const char *esp_of[2];

static void with_groups(struct ike_tunnel *t, unsigned end)
{
	static struct ike_proposals lists[2];
	struct diag diag;

	if (!esp_of[end])
		return;
	lists[end].n = 1;
	assert_int_equal(ike_proposal_parse(esp_of[end], IKE_PROTO_ESP, &lists[end].list[0], &diag), 0);
	t->esp = &lists[end];
}

static void note_group(void *ctx, const struct ike_child_info *child)
{
	*(uint16_t *)ctx = child->suite.dh;
}

static void assert_rekeyed(const char *first, const char *second, unsigned by, bool comes, uint16_t group)
{
	uint16_t dh[2] = { 0, 0 };
	uint32_t before;
	struct diag diag;

	esp_of[0] = first;
	esp_of[1] = second;
	ladder_begin(with_groups);
	ladder_up();
	assert_kids(1);
	before = ladder.ends[0].kids[0].spi_in;
	assert_int_equal(ike_engine_rekey(ladder.ends[by].engine, "t", true, ladder.now, &diag), 0);
	ladder_settle();
	assert_kids(1);
	assert_int_equal(ladder.ends[0].kids[0].spi_in != before, comes);
	for (unsigned i = 0; i < 2; i++)
		ike_engine_each_child(ladder.ends[i].engine, 1, note_group, &dh[i]);
	assert_int_equal(dh[0], group);
	assert_int_equal(dh[1], group);
	ladder_end();
}

/* What libreswan wants by default is the IKE SA's group, and strongSwan none. */
static void who_names_no_group_takes_the_peers(void **state)
{
	for (unsigned by = 0; by < 2; by++) {
		assert_rekeyed(NULL, NULL, by, true, DH_X25519);
		assert_rekeyed(NULL, "aes256gcm16-none", by, true, DH_NONE);
		assert_rekeyed("aes256gcm16-none", NULL, by, true, DH_NONE);
		assert_rekeyed(NULL, "aes256gcm16-x25519", by, true, DH_X25519);
		/* another one than the IKE SA's: told by INVALID_KE_PAYLOAD */
		assert_rekeyed(NULL, "aes256gcm16-modp2048", by, true, DH_MODP2048);
		assert_rekeyed("aes256gcm16-modp2048", NULL, by, true, DH_MODP2048);
	}
}

static void who_names_one_insists(void **state)
{
	for (unsigned by = 0; by < 2; by++) {
		assert_rekeyed("aes256gcm16-x25519", "aes256gcm16-none", by, false, DH_NONE);
		assert_rekeyed("aes256gcm16-ecp384", NULL, by, false, DH_NONE); /* it is not among the IKE SA's */
		assert_rekeyed("aes256gcm16-x25519-none", "aes256gcm16-none", by, true, DH_NONE);
	}
}

static void an_ike_sa_has_a_group(void **state)
{
	struct ike_proposal p;
	struct diag diag;

	assert_int_equal(ike_proposal_parse("aes256gcm16-prfsha256-none", IKE_PROTO_IKE, &p, &diag), -1);
	assert_non_null(strstr(diag.text, "name one"));
	assert_int_equal(ike_proposal_parse("aes256gcm16-prfsha256-x25519-modpnone", IKE_PROTO_IKE, &p, &diag), -1);
	assert_int_equal(ike_proposal_parse("aes256gcm16-none", IKE_PROTO_ESP, &p, &diag), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_child_that_the_peer_deletes_comes_again),
		cmocka_unit_test(a_peer_that_refuses_it_is_asked_more_and_more_seldom),
		cmocka_unit_test(a_peer_that_deletes_each_is_asked_more_and_more_seldom),
		cmocka_unit_test(both_ends_delete_the_last_two),
		cmocka_unit_test(who_keeps_it_up_asks_whoever_began),
		cmocka_unit_test(what_is_wanted_while_the_last_one_goes),
		cmocka_unit_test(what_nobody_keeps_up_stays_away_until_it_is_wanted),
		cmocka_unit_test(what_was_taken_down_stays_down),
		cmocka_unit_test(a_refused_rekeying_of_a_child_comes_again),
		cmocka_unit_test(an_expiring_child_is_rekeyed_although_it_is_refused_at_first),
		cmocka_unit_test(an_ike_rekeying_that_failed_comes_again),
		cmocka_unit_test(what_came_to_nothing_here_is_deleted_there),
		cmocka_unit_test(a_peer_that_never_answers_is_tried_again),
		cmocka_unit_test(liveness_that_crosses_a_delete),
		cmocka_unit_test(a_clock_that_jumps),
		cmocka_unit_test(who_names_no_group_takes_the_peers),
		cmocka_unit_test(who_names_one_insists),
		cmocka_unit_test(an_ike_sa_has_a_group),
	};

	return cmocka_run_group_tests_name("children", tests, NULL, NULL);
}
