/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Several peers of one tunnel for all comers: two tunnels of the first end are two
 * clients of the second one's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ipsec/ike/ts.h"
#include "tests/ladder/ladder.h"

static struct ike_tunnel first_client;

static const struct ike_ts_list *all(void)
{
	static struct ike_ts_list list = { .n = 1 };
	struct diag diag;

	assert_int_equal(ike_ts_parse("0.0.0.0/0", &list.list[0], &diag), 0);
	return &list;
}

static void all_comers(struct ike_tunnel *t, unsigned end)
{
	if (end == 0) {
		first_client = *t;
		return;
	}
	t->remote_id = (struct ike_identity){ 0 };
	t->remote_addr = (struct ip_addr){ 0 };
	t->remote_ts = all();
}

static void one_name_for_many(struct ike_tunnel *t, unsigned end)
{
	all_comers(t, end);
	t->shared_identity = true;
	first_client.shared_identity = true;
}

static bool first_is_dead, second_has_a_link;

/* The second client may come by another link of the second end. */
static void deliver(struct datagram *d)
{
	if (second_has_a_link && d->to == 1 && !ip_addr_equal(&d->path.remote.addr, &ladder.ends[0].at.addr))
		d->path.link = 2;
	ladder_deliver((unsigned)(d - ladder.wire));
}

/* Until all is said; the first client says nothing and hears nothing once it is dead. */
static void settle(void)
{
	for (unsigned i = 0; i < 100; i++) {
		ladder_run();
		for (; ladder.n_wire > 0; ladder_run()) {
			struct datagram *d = &ladder.wire[0];

			if (first_is_dead && ip_addr_equal(d->to ? &d->path.remote.addr : &d->path.local.addr,
							   &ladder.ends[0].at.addr))
				ladder_drop(0);
			else
				deliver(d);
		}
	}
}

/* Another client, with those selectors of its own, at 192.0.2.3. */
static void client_is_set(const char *name, const char *identity, const char *local_ts)
{
	struct ike_tunnel t = first_client;
	struct ike_ts_list own = { .n = 1 };
	struct diag diag;

	snprintf(t.name, sizeof(t.name), "%s", name);
	assert_int_equal(ike_identity_parse(identity, &t.local_id, &diag), 0);
	assert_int_equal(ike_ts_parse(local_ts, &own.list[0], &diag), 0);
	t.local_ts = &own;
	ike_engine_tunnel_set(ladder.ends[0].engine, &t);
}

static void client_begins(const char *name, const char *identity, const char *local_ts)
{
	struct ike_path path = { .link = 1, .local = ladder.ends[0].at, .remote = ladder.ends[1].at };
	struct diag diag;

	client_is_set(name, identity, local_ts);
	path.local.addr = ladder_endpoint("192.0.2.3").addr;
	assert_int_equal(ike_engine_up(ladder.ends[0].engine, name, &path, ladder.now, &diag), 0);
	settle();
}

static void assert_kids(unsigned n)
{
	assert_int_equal(ladder.ends[0].n_kids, n);
	assert_int_equal(ladder.ends[1].n_kids, n);
}

/* Answers for the one would go to the other. */
static void what_another_client_has_is_refused(void **state)
{
	static const char *const theirs[] = { "198.51.100.0/24", "198.51.100.7/32", "198.51.0.0/16", "0.0.0.0/0" };

	for (unsigned i = 0; i < sizeof(theirs) / sizeof(theirs[0]); i++) {
		ladder_begin(all_comers);
		ladder_up();
		assert_kids(1);
		client_begins("u", "fqdn c.example", theirs[i]);
		assert_int_equal(ladder.ends[1].ups, 2); /* who it is, it has proved */
		assert_kids(1);
		assert_non_null(strstr(ladder.ends[1].told, "fqdn c.example wants what fqdn a.example at 192.0.2.1:4500 has"));
		ladder_end();
	}
}

/* With many of them there is an index, of those that were there before as well. */
static void what_one_of_many_has_is_refused(void **state)
{
	char name[IKE_TUNNEL_NAME], id[32], prefix[IKE_TS_TEXT];
	struct diag diag;

	ladder_begin(all_comers);
	ladder_up();
	for (unsigned i = 0; i < 30; i++) {
		snprintf(name, sizeof(name), "u%u", i);
		snprintf(id, sizeof(id), "fqdn c%u.example", i);
		snprintf(prefix, sizeof(prefix), "10.0.%u.0/24", i);
		client_begins(name, id, prefix);
	}
	assert_kids(31);
	for (unsigned i = 0; i < 30; i++) {
		snprintf(prefix, sizeof(prefix), i % 2 ? "10.0.%u.77/32" : "10.0.%u.0/23", i);
		client_begins("v", "fqdn d.example", prefix);
		assert_kids(31);
		assert_non_null(strstr(ladder.ends[1].told, "fqdn d.example wants what"));
		assert_int_equal(ike_engine_down(ladder.ends[0].engine, "v", ladder.now, &diag), 0);
		settle();
	}
	/* also what came after it was made, with new keys, is known; and what is gone is not */
	assert_int_equal(ike_engine_rekey(ladder.ends[0].engine, "u25", true, ladder.now, &diag), 0);
	assert_int_equal(ike_engine_rekey(ladder.ends[0].engine, "u25", false, ladder.now, &diag), 0);
	settle();
	client_begins("v", "fqdn d.example", "10.0.25.0/24");
	assert_kids(31);
	assert_int_equal(ike_engine_down(ladder.ends[0].engine, "v", ladder.now, &diag), 0);
	assert_int_equal(ike_engine_down(ladder.ends[0].engine, "u25", ladder.now, &diag), 0);
	settle();
	client_begins("v", "fqdn d.example", "10.0.25.0/24");
	assert_kids(31);
	assert_string_equal(ike_ts_format(&ladder.ends[1].kids[30].remote, prefix), "10.0.25.0/24");
	ladder_end();
}

static void what_nobody_has_is_given(void **state)
{
	ladder_begin(all_comers);
	ladder_up();
	client_begins("u", "fqdn c.example", "198.51.101.0/24");
	assert_kids(2);
	ladder_end();
}

/* It reauthenticates, or has begun anew without a word. */
static void the_same_client_has_them_twice(void **state)
{
	ladder_begin(all_comers);
	ladder_up();
	client_begins("u", "fqdn a.example", "198.51.100.0/24");
	assert_kids(2);
	ladder_end();
}

static void where_many_have_one_name_the_place_tells(void **state)
{
	ladder_begin(one_name_for_many);
	ladder_up();
	client_begins("u", "fqdn a.example", "198.51.100.0/24");
	assert_kids(1);
	ladder_end();
}

/* The first one's keys are changed while the second one's refusal is in force. */
static void rekeying_takes_nothing_of_others(void **state)
{
	struct diag diag;

	ladder_begin(all_comers);
	ladder_up();
	client_begins("u", "fqdn c.example", "198.51.101.0/24");
	for (unsigned end = 0; end < 2; end++)
		for (unsigned children = 0; children < 2; children++) {
			assert_int_equal(ike_engine_rekey(ladder.ends[end].engine, "t", children, ladder.now, &diag), 0);
			ladder_settle();
			ladder.now += 40000;
			ladder_settle();
			assert_kids(2);
		}
	ladder_end();
}

/* Who was refused gets them when the other one is found to be dead. */
static void a_dead_client_is_found_when_another_asks(void **state)
{
	struct diag diag;

	ladder_begin(all_comers);
	ladder_up();
	first_is_dead = true;
	client_begins("u", "fqdn c.example", "198.51.100.0/24");
	assert_int_equal(ladder.ends[1].n_kids, 1);
	assert_int_equal(ladder.ends[0].ups, 2);
	for (unsigned i = 0; i < 100; i++) {
		ladder.now += 1000;
		settle();
	}
	assert_int_equal(ladder.ends[1].downs, 1);
	assert_int_equal(ike_engine_down(ladder.ends[0].engine, "u", ladder.now, &diag), 0);
	settle();
	client_begins("u", "fqdn c.example", "198.51.100.0/24");
	assert_int_equal(ladder.ends[1].n_kids, 1);
	assert_int_equal(ladder.ends[1].ups, 3);
	first_is_dead = false;
	ladder_end();
}

/* ---- addresses of a pool: RFC 7296 3.15 */

#define CLIENTS 10 /* more than the pool has addresses */

static void a_small_pool(struct ike_tunnel *t, unsigned end)
{
	all_comers(t, end);
	if (end == 0) {
		first_client.local_ts = t->local_ts = all();
		first_client.request_address = t->request_address = true;
		return;
	}
	assert_int_equal(ip_prefix_parse("172.31.9.0/29", &t->pool), 0);
}

static void a_small_pool_of_one_name(struct ike_tunnel *t, unsigned end)
{
	a_small_pool(t, end);
	t->shared_identity = true;
	first_client.shared_identity = true;
}

static const struct ike_ts *newest(void)
{
	return &ladder.ends[1].kids[ladder.ends[1].n_kids - 1].remote;
}

static bool is_newest(const struct ike_ts *ts)
{
	return ike_ts_covers(newest(), ts) && ike_ts_covers(ts, newest());
}

static void many_begin(const char *identity)
{
	char name[IKE_TUNNEL_NAME];

	for (unsigned i = 0; i < CLIENTS; i++) {
		snprintf(name, sizeof(name), "u%u", i);
		client_begins(name, identity, "0.0.0.0/0");
	}
}

static void one_identity_takes_one_address(void **state)
{
	struct ike_ts first, its;

	ladder_begin(a_small_pool);
	ladder_up();
	assert_kids(1);
	first = *newest();
	client_begins("u0", "fqdn c.example", "0.0.0.0/0");
	assert_kids(2);
	its = *newest();
	assert_false(is_newest(&first));
	many_begin("fqdn c.example");
	assert_kids(1 + CLIENTS);
	for (unsigned i = 1; i <= CLIENTS; i++)
		assert_true(ike_ts_covers(&ladder.ends[1].kids[i].remote, &its));
	client_begins("v", "fqdn d.example", "0.0.0.0/0");
	assert_kids(2 + CLIENTS);
	assert_false(is_newest(&first) || is_newest(&its));
	ladder_end();
}

static void where_many_have_one_name_each_place_takes_one_address(void **state)
{
	struct ike_ts first;

	ladder_begin(a_small_pool_of_one_name);
	ladder_up();
	first = *newest();
	many_begin("fqdn a.example");
	assert_kids(1 + CLIENTS);
	assert_false(is_newest(&first));
	assert_true(ike_ts_covers(&ladder.ends[1].kids[1].remote, newest()));
	ladder_end();
}

/* The address stays the client's while the one SA goes after the other has come, and
 * is free when the last one is gone. */
static void a_client_that_reauthenticates_keeps_its_address(void **state)
{
	struct ike_ts first;
	struct diag diag;

	ladder_begin(a_small_pool);
	first_client.reauth_s = 300;
	client_begins("u", "fqdn c.example", "0.0.0.0/0");
	first = *newest();
	for (unsigned i = 0; i < 1000; i++) {
		ladder.now += 1000;
		settle();
		for (unsigned k = 0; k < ladder.ends[1].n_kids; k++)
			assert_true(ike_ts_covers(&first, &ladder.ends[1].kids[k].remote));
	}
	assert_true(ladder.ends[1].ups >= 4);
	assert_kids(1);
	for (unsigned i = 0; i < CLIENTS; i++) {
		char id[32];

		snprintf(id, sizeof(id), "fqdn d%u.example", i);
		client_begins("v", id, "0.0.0.0/0");
		assert_kids(2);
		assert_false(is_newest(&first));
		assert_int_equal(ike_engine_down(ladder.ends[0].engine, "v", ladder.now, &diag), 0);
		settle();
	}
	ladder_end();
}

/* ---- INITIAL_CONTACT: RFC 7296 2.4 */

bool __real_engine_is_first_contact(struct ike_engine *e, const struct ike_sa *sa);
bool __wrap_engine_is_first_contact(struct ike_engine *e, const struct ike_sa *sa);
static bool always_first;
static unsigned contacts;

bool __wrap_engine_is_first_contact(struct ike_engine *e, const struct ike_sa *sa)
{
	bool first = always_first || __real_engine_is_first_contact(e, sa);

	contacts += first;
	return first;
}

static void remembered(struct ike_tunnel *t, unsigned end)
{
	if (end == 0)
		first_client = *t;
	t->link = 0;
}

static void two_links_of_one_site_live_beside_each_other(void **state)
{
	ladder_begin(remembered);
	ladder_up();
	always_first = second_has_a_link = true;
	client_begins("u", "fqdn a.example", "198.51.100.0/24");
	always_first = second_has_a_link = false;
	assert_kids(2);
	assert_int_equal(ladder.ends[1].downs, 0);
	ladder_end();
}

/* On one link it is the same peer that has begun anew. */
static void initial_contact_ends_what_was(void **state)
{
	ladder_begin(remembered);
	ladder_up();
	always_first = true;
	client_begins("u", "fqdn a.example", "198.51.100.0/24");
	always_first = false;
	assert_int_equal(ladder.ends[1].downs, 1);
	assert_int_equal(ladder.ends[1].n_kids, 1);
	assert_int_equal(ladder.ends[1].yielded, 1); /* what is on its way by the old one is received */
	ladder_end();
}

static void who_has_two_tunnels_with_one_pair_is_no_first_contact(void **state)
{
	struct ike_path path;
	struct diag diag;

	ladder_begin(remembered);
	path = (struct ike_path){ .link = 1, .local = ladder.ends[0].at, .remote = ladder.ends[1].at };
	contacts = 0;
	/* both are on their way, so no SA says that there are two */
	client_is_set("u", "fqdn a.example", "198.51.100.0/24");
	assert_int_equal(ike_engine_up(ladder.ends[0].engine, "t", &path, ladder.now, &diag), 0);
	client_begins("u", "fqdn a.example", "198.51.100.0/24");
	assert_kids(2);
	assert_int_equal(ladder.ends[1].downs, 0);
	assert_int_equal(contacts, 0);
	ladder_end();
	ladder_begin(remembered);
	ladder_up();
	assert_int_equal(contacts, 1);
	ladder_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_another_client_has_is_refused),
		cmocka_unit_test(what_one_of_many_has_is_refused),
		cmocka_unit_test(what_nobody_has_is_given),
		cmocka_unit_test(the_same_client_has_them_twice),
		cmocka_unit_test(where_many_have_one_name_the_place_tells),
		cmocka_unit_test(rekeying_takes_nothing_of_others),
		cmocka_unit_test(a_dead_client_is_found_when_another_asks),
		cmocka_unit_test(one_identity_takes_one_address),
		cmocka_unit_test(where_many_have_one_name_each_place_takes_one_address),
		cmocka_unit_test(a_client_that_reauthenticates_keeps_its_address),
		cmocka_unit_test(two_links_of_one_site_live_beside_each_other),
		cmocka_unit_test(initial_contact_ends_what_was),
		cmocka_unit_test(who_has_two_tunnels_with_one_pair_is_no_first_contact),
	};

	return cmocka_run_group_tests_name("clients", tests, NULL, NULL);
}
