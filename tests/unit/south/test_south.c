/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/south/south_fixture.h"

/* ---- filters ---- */

static void snapshot_then_delta(void **state)
{
	struct fake *f = fake_new();
	struct agent a = { 0 };

	fake_want(f, "eth0", 5, "10.0.0.0/8", "2001:db8::/32");
	agent_open(&a, f, "r1", PKI_ROUTER);
	agent_hello(&a, 0);
	agent_expect(&a, AGENT_MSG_FILTER);
	assert_int_equal(a.got.u.filter.base_generation, 0);
	agent_apply(&a);
	assert_true(fake_status(f).in_flight);
	agent_ack(&a, "");
	assert_int_equal(f->acks, 1);
	assert_true(fake_status(f).in_sync);
	assert_int_equal(agent_receive(&a), AGENT_MSG_UNKNOWN);

	struct filter big = fake_filter("eth0", 6, "10.0.0.0/8", "2001:db8::/32");
	for (uint32_t i = 0; i < 100; i++)
		rangeset_append(&big.accept.f[IP_V4], 0xc0000000 + i * 2,
				0xc0000000 + i * 2);
	addrset_normalize(&big.accept);
	south_filter_set(f->s, "r1", &big, f->now);
	agent_expect(&a, AGENT_MSG_FILTER);
	assert_int_equal(a.got.u.filter.base_generation, 5);
	agent_apply(&a);
	agent_ack(&a, "");

	/* 103 ranges with one gone: the delta names only that one. */
	rangeset_append(&big.accept.f[IP_V4], 1, 1);
	addrset_normalize(&big.accept);
	big.generation = 7;
	south_filter_set(f->s, "r1", &big, f->now);
	agent_expect(&a, AGENT_MSG_FILTER);
	assert_int_equal(a.got.u.filter.base_generation, 6);
	assert_int_equal(addrset_prefix_count(&a.got.u.filter.filter.accept), 1);
	assert_true(addrset_is_empty(&a.got.u.filter.del));
	agent_apply(&a);
	assert_true(addrset_equal(&a.held.accept, &big.accept));
	agent_ack(&a, "");
	filter_fini(&big);

	/* Nothing in common: a snapshot is shorter than the delta. */
	fake_want(f, "eth0", 8, "172.16.0.0/12", NULL);
	agent_expect(&a, AGENT_MSG_FILTER);
	assert_int_equal(a.got.u.filter.base_generation, 0);
	agent_apply(&a);
	agent_ack(&a, "");
	assert_true(fake_status(f).in_sync);
	assert_int_equal(f->errors, 0);
	agent_close(&a);
	fake_free(f);
}

static void change_a_little(struct addrset *set)
{
	for (int i = 0; i < 4; i++) {
		struct addrset one = { 0 };
		u128 at = (u128)(rand() % 500);

		rangeset_append(&one.f[rand() % 2], at, at + (u128)(rand() % 5));
		if (rand() % 2)
			addrset_union(set, set, &one);
		else
			addrset_subtract(set, set, &one);
		addrset_fini(&one);
	}
}

/* Random histories: the agent always ends with exactly the desired set. */
static void random_histories_converge(void **state)
{
	struct fake *f = fake_new();
	struct agent a = { 0 };
	struct addrset set = { 0 };
	uint64_t generation = 1;

	srand(11);
	agent_open(&a, f, "r1", PKI_ROUTER);
	agent_hello(&a, 0);
	for (int step = 0; step < 400; step++) {
		struct filter filter = fake_filter("eth0", generation++, NULL, NULL);

		change_a_little(&set);
		addrset_copy(&filter.accept, &set);
		filter.action = (enum filter_action)(rand() % 3);
		south_filter_set(f->s, "r1", &filter, f->now);
		while (agent_receive(&a) == AGENT_MSG_FILTER) {
			agent_apply(&a);
			if (rand() % 3 == 0)
				break; /* slow: changes pile up meanwhile */
			agent_ack(&a, "");
		}
		if (rand() % 20 == 0) {
			agent_reopen(&a, "r1");
			agent_hello(&a, FAKE_EPOCH);
		} else if (rand() % 3 == 0 && a.held.generation) {
			agent_ack(&a, "");
		}
		if (step == 399) {
			agent_ack(&a, "");
			while (agent_receive(&a) == AGENT_MSG_FILTER) {
				agent_apply(&a);
				agent_ack(&a, "");
			}
			assert_true(addrset_equal(&a.held.accept, &filter.accept));
			assert_int_equal(a.held.action, filter.action);
		}
		filter_fini(&filter);
	}
	assert_true(fake_status(f).in_sync);
	assert_true(south_totals(f->s)->deltas > 100);
	addrset_fini(&set);
	agent_close(&a);
	fake_free(f);
}

static void one_in_flight_newest_wins(void **state)
{
	struct fake *f = fake_new();
	struct agent a = { 0 };

	agent_open(&a, f, "r1", PKI_ROUTER);
	agent_hello(&a, 0);
	fake_want(f, "eth0", 1, "10.0.0.0/8", NULL);
	fake_want(f, "eth0", 2, "11.0.0.0/8", NULL);
	fake_want(f, "eth0", 3, "12.0.0.0/8", NULL);
	agent_expect(&a, AGENT_MSG_FILTER);
	assert_int_equal(a.got.u.filter.filter.generation, 1);
	agent_apply(&a);
	assert_int_equal(agent_receive(&a), AGENT_MSG_UNKNOWN);
	agent_ack(&a, "");
	agent_expect(&a, AGENT_MSG_FILTER);
	assert_int_equal(a.got.u.filter.filter.generation, 3);
	agent_apply(&a);
	agent_ack(&a, "");
	assert_int_equal(agent_receive(&a), AGENT_MSG_UNKNOWN);
	agent_close(&a);
	fake_free(f);
}

static void reconnect_sends_only_what_differs(void **state)
{
	struct fake *f = fake_new();
	struct agent a = { 0 };

	agent_open(&a, f, "r1", PKI_ROUTER);
	agent_hello(&a, 0);
	fake_want(f, "eth0", 1, "10.0.0.0/8", NULL);
	agent_expect(&a, AGENT_MSG_FILTER);
	agent_apply(&a);
	agent_ack(&a, "");
	agent_reopen(&a, "r1");
	agent_hello(&a, FAKE_EPOCH);
	assert_int_equal(agent_receive(&a), AGENT_MSG_UNKNOWN);

	/* Sent, applied, and the session dies before the answer: the hash in the
	 * Hello says that it was applied. */
	fake_want(f, "eth0", 2, "10.0.0.0/8", "11.0.0.0/16");
	agent_expect(&a, AGENT_MSG_FILTER);
	agent_apply(&a);
	agent_reopen(&a, "r1");
	agent_hello(&a, FAKE_EPOCH);
	assert_int_equal(agent_receive(&a), AGENT_MSG_UNKNOWN);
	assert_true(fake_status(f).in_sync);
	agent_close(&a);
	fake_free(f);
}

/* As above, and meanwhile more is wanted: what the agent applied is known here,
 * so the step from there is a delta. */
static void reconnect_behind_what_was_in_flight(void **state)
{
	struct fake *f = fake_new();
	struct agent a = { 0 };

	agent_open(&a, f, "r1", PKI_ROUTER);
	agent_hello(&a, 0);
	fake_want(f, "eth0", 1, "10.0.0.0/8", NULL);
	agent_expect(&a, AGENT_MSG_FILTER);
	agent_apply(&a);
	agent_ack(&a, "");
	fake_want(f, "eth0", 2, "10.0.0.0/8", "192.0.2.0/24");
	agent_expect(&a, AGENT_MSG_FILTER);
	agent_apply(&a);
	fake_want(f, "eth0", 3, "10.0.0.0/8", NULL);
	fake_want(f, "eth0", 4, "10.0.0.0/8", "192.0.2.0/25");
	agent_reopen(&a, "r1");
	agent_hello(&a, FAKE_EPOCH);
	agent_expect(&a, AGENT_MSG_FILTER);
	assert_int_equal(a.got.u.filter.base_generation, 2);
	assert_int_equal(addrset_prefix_count(&a.got.u.filter.del), 1);
	agent_apply(&a);
	agent_ack(&a, "");
	assert_true(fake_status(f).in_sync);
	agent_close(&a);
	fake_free(f);
}

/* savd restarts: it knows the desired state from disk, but nothing of sessions.
 * The same content under a newer number is an empty delta. */
static void restarted_controller(void **state)
{
	struct fake *f = fake_new();
	struct agent a = { 0 };

	agent_open(&a, f, "r1", PKI_ROUTER);
	a.held = fake_filter("eth0", 4, "10.0.0.0/8", NULL);
	filter_hash(&a.held, a.hash);
	agent_hello(&a, FAKE_EPOCH);
	fake_want(f, "eth0", 4, "10.0.0.0/8", NULL); /* after the Hello */
	assert_int_equal(agent_receive(&a), AGENT_MSG_UNKNOWN);
	assert_true(fake_status(f).in_sync);
	fake_want(f, "eth0", 5, "10.0.0.0/8", NULL);
	agent_expect(&a, AGENT_MSG_FILTER);
	assert_int_equal(a.got.u.filter.base_generation, 4);
	assert_true(addrset_is_empty(&a.got.u.filter.filter.accept));
	agent_apply(&a);
	agent_ack(&a, "");
	assert_true(fake_status(f).in_sync);
	agent_close(&a);
	fake_free(f);
}

static void other_epoch_gets_a_snapshot(void **state)
{
	struct fake *f = fake_new();
	struct agent a = { 0 };

	fake_want(f, "eth0", 4, "10.0.0.0/8", NULL);
	agent_open(&a, f, "r1", PKI_ROUTER);
	a.held = fake_filter("eth0", 4, "10.0.0.0/8", NULL);
	filter_hash(&a.held, a.hash);
	agent_hello(&a, FAKE_EPOCH + 1);
	agent_expect(&a, AGENT_MSG_FILTER);
	assert_int_equal(a.got.u.filter.base_generation, 0);
	agent_close(&a);
	fake_free(f);
}

/* Held is ahead of desired in our own epoch: no delta can go backwards. */
static void held_is_ahead(void **state)
{
	struct fake *f = fake_new();
	struct agent a = { 0 };

	fake_want(f, "eth0", 4, "10.0.0.0/8", NULL);
	agent_open(&a, f, "r1", PKI_ROUTER);
	a.held = fake_filter("eth0", 9, "10.0.0.0/8", NULL);
	filter_hash(&a.held, a.hash);
	agent_hello(&a, FAKE_EPOCH);
	agent_expect(&a, AGENT_MSG_FILTER);
	assert_int_equal(a.got.u.filter.base_generation, 0);
	agent_close(&a);
	fake_free(f);
}

static void refusal_is_retried_as_snapshot_with_pauses(void **state)
{
	struct fake *f = fake_new();
	struct agent a = { 0 };
	int64_t pause = SOUTH_RETRY_MS;

	agent_open(&a, f, "r1", PKI_ROUTER);
	agent_hello(&a, 0);
	fake_want(f, "eth0", 1, "10.0.0.0/8", NULL);
	agent_expect(&a, AGENT_MSG_FILTER);
	agent_apply(&a);
	agent_ack(&a, "");
	fake_want(f, "eth0", 2, "10.0.0.0/8", "11.0.0.0/16");
	agent_expect(&a, AGENT_MSG_FILTER);
	assert_int_equal(a.got.u.filter.base_generation, 1);
	for (int i = 0; i < 2; i++) {
		struct agent_msg nack = { .type = AGENT_MSG_ACK };

		strcpy(nack.u.ack.interface, "eth0");
		nack.u.ack.generation = 2;
		strcpy(nack.u.ack.error, "no room");
		agent_say(&a, &nack);
		assert_string_equal(f->last_error, "no room");
		assert_string_equal(fake_status(f).error, "no room");
		assert_int_equal(fake_status(f).held_generation, 1); /* the last good */
		f->now += pause - 1;
		south_session_bytes(a.ss, "\0\0\0\2\x52\0", 6, f->now); /* keepalive */
		south_run(f->s, f->now);
		while (agent_receive(&a) != AGENT_MSG_UNKNOWN)
			assert_int_equal(a.got.type, AGENT_MSG_KEEPALIVE);
		f->now += 1;
		south_run(f->s, f->now);
		agent_expect(&a, AGENT_MSG_FILTER);
		assert_int_equal(a.got.u.filter.base_generation, 0);
		pause *= 2;
	}
	agent_apply(&a);
	agent_ack(&a, "");
	assert_string_equal(fake_status(f).error, "");
	assert_true(fake_status(f).in_sync);
	agent_close(&a);
	fake_free(f);
}

static void wrong_hash_is_repaired(void **state)
{
	struct fake *f = fake_new();
	struct agent a = { 0 };

	agent_open(&a, f, "r1", PKI_ROUTER);
	agent_hello(&a, 0);
	fake_want(f, "eth0", 1, "10.0.0.0/8", NULL);
	agent_expect(&a, AGENT_MSG_FILTER);
	agent_apply(&a);
	a.hash[0] ^= 1;
	agent_ack(&a, "");
	assert_int_equal(f->acks, 0);
	assert_int_equal(f->errors, 1);
	assert_non_null(strstr(f->last_error, "wrong hash"));
	assert_false(fake_status(f).in_sync);
	assert_int_equal(agent_receive(&a), AGENT_MSG_UNKNOWN); /* not at once */
	f->now += SOUTH_RETRY_MS;
	south_run(f->s, f->now);
	agent_expect(&a, AGENT_MSG_FILTER);
	assert_int_equal(a.got.u.filter.base_generation, 0);
	agent_apply(&a);
	agent_ack(&a, "");
	assert_true(fake_status(f).in_sync);

	/* Someone changes the kernel behind the agent, which notices. */
	a.hash[0] ^= 1;
	agent_ack(&a, "");
	assert_false(fake_status(f).in_sync);
	f->now += SOUTH_RETRY_MS;
	south_run(f->s, f->now);
	agent_expect(&a, AGENT_MSG_FILTER);
	assert_int_equal(a.got.u.filter.base_generation, 0);
	agent_close(&a);
	fake_free(f);
}

static void unanswered_filter_ends_the_session(void **state)
{
	struct fake *f = fake_new();
	struct agent a = { 0 };

	agent_open(&a, f, "r1", PKI_ROUTER);
	agent_hello(&a, 0);
	fake_want(f, "eth0", 1, "10.0.0.0/8", NULL);
	for (int i = 0; i < SOUTH_ACK_MS / 10000; i++) {
		assert_int_equal(south_session_state(a.ss), SOUTH_RUNNING);
		f->now += 10000;
		south_session_bytes(a.ss, "\0\0\0\2\x52\0", 6, f->now);
		south_run(f->s, f->now);
	}
	assert_int_equal(south_session_state(a.ss), SOUTH_FLUSHING);
	assert_int_equal(f->down, 1);
	assert_non_null(strstr(f->down_why, "no answer for eth0"));
	agent_close(&a);
	assert_int_equal(f->down, 1);
	fake_free(f);
}

static void large_edges_wait_for_room_in_the_queue(void **state)
{
	struct fake *f = fake_new();
	struct agent a = { 0 };
	const uint8_t *data;

	agent_open(&a, f, "r1", PKI_ROUTER);
	agent_hello(&a, 0);
	for (int e = 0; e < 10; e++) {
		struct filter filter = fake_filter("", 1, NULL, NULL);

		snprintf(filter.interface, sizeof(filter.interface), "eth%d", e);
		for (uint32_t i = 0; i < 100000; i++)
			rangeset_append(&filter.accept.f[IP_V4], i * 2, i * 2);
		south_filter_set(f->s, "r1", &filter, f->now);
		filter_fini(&filter);
	}
	/* 500 kB each: three reach the bound */
	assert_true(south_session_output(a.ss, &data) < 2 * SOUTH_QUEUE_BYTES);
	for (int e = 0; e < 10; e++)
		agent_expect(&a, AGENT_MSG_FILTER);
	assert_int_equal(agent_receive(&a), AGENT_MSG_UNKNOWN);
	agent_close(&a);
	fake_free(f);
}

static void set_too_large_for_a_message(void **state)
{
	struct fake *f = fake_new();
	struct agent a = { 0 };
	struct filter filter = fake_filter("eth0", 1, NULL, NULL);

	agent_open(&a, f, "r1", PKI_ROUTER);
	agent_hello(&a, 0);
	for (uint32_t i = 0; i < 7000000; i++)
		rangeset_append(&filter.accept.f[IP_V4], i * 2, i * 2);
	south_filter_set(f->s, "r1", &filter, f->now);
	filter_fini(&filter);
	assert_int_equal(agent_receive(&a), AGENT_MSG_UNKNOWN);
	assert_non_null(strstr(fake_status(f).error, "too large"));
	fake_want(f, "eth0", 2, "10.0.0.0/8", NULL);
	f->now += SOUTH_RETRY_MS;
	south_run(f->s, f->now);
	agent_expect(&a, AGENT_MSG_FILTER);
	agent_close(&a);
	fake_free(f);
}

/* ---- the edge list ---- */

static void edge_list_only_when_known(void **state)
{
	static const char list[2][FILTER_IFNAME_SIZE] = { "eth1", "eth0" };
	struct fake *f = fake_new();
	struct agent a = { 0 };

	fake_want(f, "eth0", 1, "10.0.0.0/8", NULL);
	agent_open(&a, f, "r1", PKI_ROUTER);
	agent_hello(&a, 0);
	agent_expect(&a, AGENT_MSG_FILTER); /* and no list: nothing may be released yet */
	assert_int_equal(agent_receive(&a), AGENT_MSG_UNKNOWN);
	south_edges(f->s, "r1", list, 2, f->now);
	agent_expect(&a, AGENT_MSG_EDGE_LIST);
	assert_int_equal(a.got.u.edge_list.n, 2);
	assert_string_equal(a.got.u.edge_list.interfaces[0], "eth0");
	south_edges(f->s, "r1", list, 2, f->now); /* no change */
	assert_int_equal(agent_receive(&a), AGENT_MSG_UNKNOWN);
	south_filter_remove(f->s, "r1", "eth0", f->now);
	agent_expect(&a, AGENT_MSG_EDGE_LIST);
	assert_int_equal(a.got.u.edge_list.n, 1);
	south_edges(f->s, "r1", list, 0, f->now);
	agent_expect(&a, AGENT_MSG_EDGE_LIST);
	assert_int_equal(a.got.u.edge_list.n, 0);

	/* The agent released it: what its Hello said is not true any more. */
	agent_close(&a);
	fake_free(f);
}

static void removed_edge_comes_back_as_snapshot(void **state)
{
	struct fake *f = fake_new();
	struct agent a = { 0 };

	south_edges(f->s, "r1", NULL, 0, f->now);
	fake_want(f, "eth0", 4, "10.0.0.0/8", NULL);
	agent_open(&a, f, "r1", PKI_ROUTER);
	a.held = fake_filter("eth0", 4, "10.0.0.0/8", NULL);
	filter_hash(&a.held, a.hash);
	agent_hello(&a, FAKE_EPOCH);
	agent_expect(&a, AGENT_MSG_EDGE_LIST);
	assert_int_equal(agent_receive(&a), AGENT_MSG_UNKNOWN);
	south_filter_remove(f->s, "r1", "eth0", f->now);
	agent_expect(&a, AGENT_MSG_EDGE_LIST);
	fake_want(f, "eth0", 4, "10.0.0.0/8", NULL);
	agent_expect(&a, AGENT_MSG_EDGE_LIST);
	agent_expect(&a, AGENT_MSG_FILTER);
	assert_int_equal(a.got.u.filter.base_generation, 0);
	south_filter_remove(f->s, "r1", "eth0", f->now);
	agent_ack(&a, ""); /* the answer comes after the removal */
	agent_close(&a);
	fake_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(snapshot_then_delta),
		cmocka_unit_test(random_histories_converge),
		cmocka_unit_test(one_in_flight_newest_wins),
		cmocka_unit_test(reconnect_sends_only_what_differs),
		cmocka_unit_test(reconnect_behind_what_was_in_flight),
		cmocka_unit_test(restarted_controller),
		cmocka_unit_test(other_epoch_gets_a_snapshot),
		cmocka_unit_test(held_is_ahead),
		cmocka_unit_test(refusal_is_retried_as_snapshot_with_pauses),
		cmocka_unit_test(wrong_hash_is_repaired),
		cmocka_unit_test(unanswered_filter_ends_the_session),
		cmocka_unit_test(large_edges_wait_for_room_in_the_queue),
		cmocka_unit_test(set_too_large_for_a_message),
		cmocka_unit_test(edge_list_only_when_known),
		cmocka_unit_test(removed_edge_comes_back_as_snapshot),
	};

	return cmocka_run_group_tests_name("south", tests, NULL, NULL);
}
