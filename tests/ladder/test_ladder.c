/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Exchanges between two engines, step by step or until all is said.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ipsec/ike/natd.h"
#include "tests/ladder/ladder.h"

/* Each child of one end has its mirror at the other. */
static void assert_children(unsigned n)
{
	assert_int_equal(ladder.ends[0].n_kids, n);
	assert_int_equal(ladder.ends[1].n_kids, n);
	for (unsigned i = 0; i < n; i++) {
		struct kid *a = &ladder.ends[0].kids[i], *b = ladder_kid(&ladder.ends[1], a->spi_out);

		assert_int_equal(b->spi_out, a->spi_in);
		assert_int_equal(a->in.len, b->out.len);
		assert_memory_equal(a->in.bytes, b->out.bytes, a->in.len);
		assert_memory_equal(a->out.bytes, b->in.bytes, a->out.len);
		assert_true(a->used && b->used);
	}
}

/* ---- cases */

static void two_come_up(void **state)
{
	ladder_begin(NULL);
	ladder_up();
	assert_int_equal(ladder.ends[0].ups, 1);
	assert_int_equal(ladder.ends[1].ups, 1);
	assert_children(1);
	assert_false(ladder.ends[0].kids[0].encap);
	ladder_end();
}

static void behind_a_nat_both_encapsulate(void **state)
{
	ladder_begin(NULL);
	ladder.nat = ladder_endpoint("192.0.2.99");
	ladder.nat.port = 20000;
	ladder_up();
	assert_children(1);
	assert_true(ladder.ends[0].kids[0].encap && ladder.ends[1].kids[0].encap);
	assert_int_equal(ladder.ends[1].kids[0].path.remote.port, 20000 + IKE_NATT_PORT);
	ladder_end();
}

/* RFC 3948 4: nobody else has a mapping to keep. */
static void only_who_is_behind_the_nat_keeps_it_open(void **state)
{
	for (unsigned i = 0; i < 2; i++) {
		ladder_begin(NULL);
		if (i == 1) {
			ladder.nat = ladder_endpoint("192.0.2.99");
			ladder.nat.port = 20000;
		}
		ladder_up();
		ladder.now += 21000; /* longer than a keepalive's 20 s, shorter than liveness' 30 s */
		ladder_settle();
		assert_int_equal(ladder.ends[0].keepalives, i);
		assert_int_equal(ladder.ends[1].keepalives, 0);
		ladder_end();
	}
}

/* N5, N6: what is said anyway keeps the mapping open, and what is heard shows that
 * the peer lives. */
static void traffic_needs_neither_keepalives_nor_questions(void **state)
{
	uint64_t asked;

	ladder_begin(NULL);
	ladder.nat = ladder_endpoint("192.0.2.99");
	ladder.nat.port = 20000;
	ladder_up();
	asked = ladder_counters(1).packets;
	for (unsigned i = 0; i < 30; i++) {
		ladder.now += 10000;
		for (unsigned end = 0; end < 2; end++)
			ladder.ends[end].heard_ms = ladder.ends[end].spoke_ms = ladder.now;
		ladder_settle();
	}
	assert_int_equal(ladder.ends[0].keepalives, 0);
	assert_int_equal(ladder_counters(1).packets, asked);
	/* what is sent and not answered is as silent as nothing */
	for (unsigned i = 0; i < 4; i++) {
		ladder.now += 10000;
		ladder.ends[0].spoke_ms = ladder.now;
		ladder_run();
	}
	assert_int_equal(ladder.ends[0].keepalives, 0);
	assert_true(ladder.n_wire > 0);
	ladder_end();
}

/* ---- a peer of before NAT traversal: it sends no hashes, and knows none */

static unsigned without_natt = 2; /* this end */

static bool knows_natt(const struct ike_endpoint *local)
{
	return without_natt == 2 || !ip_addr_equal(&local->addr, &ladder.ends[without_natt].at.addr);
}

#define SPI const uint8_t[IKE_SPI_SIZE]
#define AT  const struct ike_endpoint *

void __real_natd_encode(struct ike_writer *, SPI, SPI, AT, AT, bool);
void __wrap_natd_encode(struct ike_writer *, SPI, SPI, AT, AT, bool);
void __wrap_natd_encode(struct ike_writer *w, const uint8_t spi_i[IKE_SPI_SIZE], const uint8_t spi_r[IKE_SPI_SIZE],
			const struct ike_endpoint *local, const struct ike_endpoint *remote, bool forced)
{
	if (knows_natt(local))
		__real_natd_encode(w, spi_i, spi_r, local, remote, forced);
}

bool __real_natd_judge(const struct ike_payloads *, SPI, SPI, AT, AT, struct natd_result *);
bool __wrap_natd_judge(const struct ike_payloads *, SPI, SPI, AT, AT, struct natd_result *);
bool __wrap_natd_judge(const struct ike_payloads *payloads, const uint8_t spi_i[IKE_SPI_SIZE],
		       const uint8_t spi_r[IKE_SPI_SIZE], const struct ike_endpoint *local,
		       const struct ike_endpoint *remote, struct natd_result *out)
{
	*out = (struct natd_result){ 0 };
	return knows_natt(local) && __real_natd_judge(payloads, spi_i, spi_r, local, remote, out);
}

static void nat_force(struct ike_tunnel *t, unsigned end)
{
	if (end != without_natt)
		t->nat = IKE_NAT_FORCE;
}

/* Also if we would rather encapsulate: the peer could not read it. */
static void a_peer_without_nat_traversal_gets_plain_ipsec(void **state)
{
	for (unsigned i = 0; i < 4; i++) {
		struct end *knows = &ladder.ends[!(i % 2)];
		struct diag diag;

		without_natt = i % 2;
		ladder_begin(i < 2 ? NULL : nat_force);
		ladder_up();
		assert_children(1);
		assert_false(knows->kids[0].encap);
		assert_int_equal(knows->kids[0].path.remote.port, IKE_PORT);
		assert_int_equal(ike_engine_rekey(knows->engine, "t", false, ladder.now, &diag), 0);
		ladder_settle();
		assert_children(1);
		assert_false(knows->kids[0].encap);
		ladder_end();
	}
	without_natt = 2;
}

/* ---- who is who */

static void known_by_address(struct ike_tunnel *t, unsigned end)
{
	struct diag diag;

	assert_int_equal(ike_identity_parse("address 10.0.0.1", end ? &t->remote_id : &t->local_id, &diag), 0);
}

/* RFC 7296 2.23: an identity is what was agreed on, wherever packets come from. */
static void an_address_as_identity_is_not_compared_with_the_packets(void **state)
{
	ladder_begin(known_by_address);
	ladder.nat = ladder_endpoint("192.0.2.99");
	ladder.nat.port = 20000;
	ladder_up();
	assert_children(1);
	ladder_end();
}

static void transport(struct ike_tunnel *t, unsigned end)
{
	static struct ike_ts_list l2tp = { .n = 1 };
	struct diag diag;

	assert_int_equal(ike_ts_parse("0.0.0.0/0 proto udp port 1701", &l2tp.list[0], &diag), 0);
	t->transport = true;
	t->local_ts = t->remote_ts = &l2tp;
}

static void transport_of_the_first(struct ike_tunnel *t, unsigned end)
{
	transport(t, end);
	t->transport = end == 0;
}

static void transport_of_the_second(struct ike_tunnel *t, unsigned end)
{
	transport(t, end);
	t->transport = end == 1;
}

static void assert_hosts(const struct kid *kid, const char *local, const char *remote)
{
	struct ip_addr l = ladder_endpoint(local).addr, r = ladder_endpoint(remote).addr;

	assert_true(ip_addr_equal(&kid->local.first, &l) && ip_addr_equal(&kid->local.last, &l));
	assert_true(ip_addr_equal(&kid->remote.first, &r) && ip_addr_equal(&kid->remote.last, &r));
	assert_int_equal(kid->local.port_first, 1701);
	assert_int_equal(kid->remote.protocol, 17);
}

/* RFC 7296 2.23.1: each side has the addresses that it sees. */
static void transport_mode_through_a_nat_has_the_hosts_as_each_sees_them(void **state)
{
	ladder_begin(transport);
	ladder.nat = ladder_endpoint("192.0.2.99");
	ladder.nat.port = 20000;
	ladder_up();
	assert_children(1);
	assert_true(ladder.ends[0].kids[0].transport && ladder.ends[1].kids[0].transport);
	assert_hosts(&ladder.ends[0].kids[0], "192.0.2.1", "192.0.2.2");
	assert_hosts(&ladder.ends[1].kids[0], "192.0.2.2", "192.0.2.99");
	/* either begins a rekeying with the ones that it knows */
	for (unsigned end = 0; end < 2; end++) {
		struct diag diag;

		assert_int_equal(ike_engine_rekey(ladder.ends[end].engine, "t", true, ladder.now, &diag), 0);
		ladder_settle();
		assert_children(1);
		assert_hosts(&ladder.ends[0].kids[0], "192.0.2.1", "192.0.2.2");
		assert_hosts(&ladder.ends[1].kids[0], "192.0.2.2", "192.0.2.99");
	}
	ladder_end();
}

static void transport_mode_without_a_nat(void **state)
{
	ladder_begin(transport);
	ladder_up();
	assert_children(1);
	assert_true(ladder.ends[0].kids[0].transport && ladder.ends[1].kids[0].transport);
	assert_hosts(&ladder.ends[0].kids[0], "192.0.2.1", "192.0.2.2");
	assert_hosts(&ladder.ends[1].kids[0], "192.0.2.2", "192.0.2.1");
	ladder_end();
}

/* Where we mean to protect one host's packets, a peer that has tunnel mode gets
 * no more than those. */
static void tunnel_mode_in_place_of_transport_mode_is_for_the_hosts_only(void **state)
{
	void (*const of[])(struct ike_tunnel *, unsigned) = { transport_of_the_first, transport_of_the_second };

	for (unsigned asker = 0; asker < 2; asker++) {
		ladder_begin(of[asker]);
		ladder_up();
		assert_children(1);
		assert_hosts(&ladder.ends[0].kids[0], "192.0.2.1", "192.0.2.2");
		assert_hosts(&ladder.ends[1].kids[0], "192.0.2.2", "192.0.2.1");
		assert_false(ladder.ends[0].kids[0].transport);
		assert_false(ladder.ends[1].kids[0].transport);
		ladder_end();
	}
}

static void other_keys_do_not_come_up(void **state)
{
	ladder_begin(NULL);
	ladder.ends[1].psk = "another";
	ladder_up();
	assert_int_equal(ladder.ends[0].ups + ladder.ends[1].ups, 0);
	assert_int_equal(ladder.ends[0].failures, 1);
	assert_int_equal(ladder.ends[1].failures, 1);
	assert_children(0);
	ladder_end();
}

static void other_name(struct ike_tunnel *t, unsigned end)
{
	struct diag diag;

	if (end == 1)
		assert_int_equal(ike_identity_parse("fqdn c.example", &t->remote_id, &diag), 0);
}

static void an_unknown_name_does_not_come_up(void **state)
{
	ladder_begin(other_name);
	ladder_up();
	assert_int_equal(ladder.ends[0].ups + ladder.ends[1].ups, 0);
	assert_children(0);
	ladder_end();
}

static void first_wants_certificates(struct ike_tunnel *t, unsigned end)
{
	if (end == 0)
		t->remote_auth = IKE_KIND_CERT;
}

/* The responder is told that it was refused; that this has come to an end is no news. */
static void why_the_responder_was_refused_stays(void **state)
{
	ladder_begin(first_wants_certificates);
	ladder_up();
	assert_children(0);
	assert_int_equal(ladder.ends[0].failures, 1);
	assert_non_null(strstr(ladder.ends[0].last, "in another way than this tunnel wants"));
	assert_int_equal(ladder.ends[1].downs, 1);
	ladder_end();
}

static void nat_refuse(struct ike_tunnel *t, unsigned end)
{
	t->nat = IKE_NAT_REFUSE;
}

static void nat_refuse_does_not_come_up_through_one(void **state)
{
	ladder_begin(nat_refuse);
	ladder.nat = ladder_endpoint("192.0.2.99");
	ladder.nat.port = 20000;
	ladder_up();
	assert_int_equal(ladder.ends[0].ups + ladder.ends[1].ups, 0);
	ladder_end();
}

static void other_group(struct ike_tunnel *t, unsigned end)
{
	static struct ike_proposals ike;
	struct diag diag;

	ike.n = 1;
	assert_int_equal(ike_proposal_parse(end ? "aes128gcm16-prfsha256-ecp256" : "aes128gcm16-prfsha256-x25519-ecp256",
					    IKE_PROTO_IKE, &ike.list[0], &diag),
			 0);
	t->ike = &ike;
}

static void a_wrong_guess_of_the_group_costs_a_round(void **state)
{
	ladder_begin(other_group);
	ladder_up();
	assert_children(1);
	ladder_end();
}

/* A responder that is slow gets the first message twice, and says so twice. */
static void a_wrong_guess_that_is_told_twice_costs_no_more(void **state)
{
	struct ike_path path;
	struct diag diag;
	uint8_t copy[512];
	size_t len;

	ladder_begin(other_group);
	path = (struct ike_path){ .link = 1, .local = ladder.ends[0].at, .remote = ladder.ends[1].at };
	assert_int_equal(ike_engine_up(ladder.ends[0].engine, "t", &path, ladder.now, &diag), 0);
	ladder_run();
	assert_int_equal(ladder.n_wire, 1);
	ladder_deliver(0);
	assert_int_equal(ladder.n_wire, 1);
	assert_int_equal(ladder.wire[0].to, 0);
	len = ladder.wire[0].len;
	assert_true(len <= sizeof(copy));
	memcpy(copy, ladder.wire[0].data, len);
	ladder_deliver(0);
	ladder_inject(0, copy, len, 0);
	ladder_settle();
	assert_children(1);
	assert_int_equal(ladder.ends[0].failures, 0);
	ladder_end();
}

/* Down while a question has no answer, then up at once: not after the 64 seconds
 * that the question may take. */
static void up_does_not_wait_for_what_goes_down(void **state)
{
	struct ike_path path;
	struct diag diag;

	ladder_begin(NULL);
	ladder_up();
	assert_children(1);
	ladder.now += 31000; /* liveness */
	ladder_run();
	while (ladder.n_wire)
		ladder_drop(0);
	path = (struct ike_path){ .link = 1, .local = ladder.ends[0].at, .remote = ladder.ends[1].at };
	assert_int_equal(ike_engine_down(ladder.ends[0].engine, "t", ladder.now, &diag), 0);
	assert_int_equal(ike_engine_up(ladder.ends[0].engine, "t", &path, ladder.now, &diag), 0);
	ladder_settle();
	assert_int_equal(ladder.ends[0].ups, 2);
	ladder_end();
}

static void a_pool(struct ike_tunnel *t, unsigned end)
{
	static struct ike_ts_list all[2];
	struct ip_prefix p;

	assert_int_equal(ip_prefix_parse(end ? "172.31.9.0/24" : "0.0.0.0/0", &p), 0);
	all[end].n = 1;
	all[end].list[0] = ike_ts_of_prefix(&p);
	if (end) {
		t->pool = p;
		t->remote_ts = &all[1];
	} else {
		t->local_ts = &all[0];
	}
}

static void a_pool_and_a_question(struct ike_tunnel *t, unsigned end)
{
	a_pool(t, end);
	t->request_address = !end;
}

/* RFC 7296 2.19: no address, no child; else it could send as all of the pool. */
static void who_asks_for_no_address_of_a_pool_gets_no_child(void **state)
{
	ladder_begin(a_pool);
	ladder_up();
	assert_int_equal(ladder.ends[0].n_kids + ladder.ends[1].n_kids, 0);
	ladder_end();
	ladder_begin(a_pool_and_a_question);
	ladder_up();
	assert_children(1);
	ladder_end();
}

static void an_address(struct ike_tunnel *t, unsigned end)
{
	static struct ike_ts_list one = { .n = 1 };

	a_pool(t, end);
	if (!end)
		return;
	assert_int_equal(ip_prefix_parse("172.31.9.7/32", &t->pool), 0);
	one.list[0] = ike_ts_of_prefix(&t->pool);
	t->remote_ts = &one;
}

static void an_address_and_a_question(struct ike_tunnel *t, unsigned end)
{
	an_address(t, end);
	t->request_address = !end;
}

static void assert_host(const char *text)
{
	const struct ike_ts *ts = &ladder.ends[1].kids[ladder.ends[1].n_kids - 1].remote;
	char have[IKE_TS_TEXT];

	assert_string_equal(ike_ts_format(ts, have), text);
}

/* RFC 7296 3.15: the first as any other time, while an earlier SA has it still; and nobody
 * else's, so that it need not be asked for. */
static void an_address_of_its_own_is_always_the_same(void **state)
{
	struct ike_path path;
	struct diag diag;

	ladder_begin(an_address);
	ladder_up();
	assert_children(1);
	assert_host("172.31.9.7/32");
	ladder_end();
	ladder_begin(an_address_and_a_question);
	ladder_up();
	assert_children(1);
	assert_host("172.31.9.7/32");
	path = (struct ike_path){ .link = 1, .local = ladder.ends[0].at, .remote = ladder.ends[1].at };
	assert_int_equal(ike_engine_rekey(ladder.ends[0].engine, "t", false, ladder.now, &diag), 0);
	ladder_settle();
	/* it ends without a word and begins anew */
	ladder.now += 31000;
	ladder_run();
	while (ladder.n_wire)
		ladder_drop(0);
	assert_int_equal(ike_engine_down(ladder.ends[0].engine, "t", ladder.now, &diag), 0);
	while (ladder.n_wire)
		ladder_drop(0);
	assert_int_equal(ike_engine_up(ladder.ends[0].engine, "t", &path, ladder.now, &diag), 0);
	ladder_settle();
	assert_int_equal(ladder.ends[0].ups, 2);
	assert_host("172.31.9.7/32");
	ladder_end();
}

static void rekeyed(bool first, bool second, bool children)
{
	uint32_t before;
	struct diag diag;

	ladder_begin(NULL);
	ladder_up();
	assert_children(1);
	before = ladder.ends[0].kids[0].spi_in;
	if (first)
		assert_int_equal(ike_engine_rekey(ladder.ends[0].engine, "t", children, ladder.now, &diag), 0);
	if (second)
		assert_int_equal(ike_engine_rekey(ladder.ends[1].engine, "t", children, ladder.now, &diag), 0);
	ladder_settle();
	ladder.now += 40000;
	ladder_settle();
	assert_children(1);
	assert_int_equal(ladder.ends[0].kids[0].spi_in != before, children);
	assert_int_equal(ladder_counters(0).sas, 1);
	assert_int_equal(ladder_counters(1).sas, 1);
	assert_int_equal(ladder.ends[0].downs + ladder.ends[1].downs, 0);
	ladder_end();
}

static void the_child_is_rekeyed_by_the_initiator(void **state)
{
	rekeyed(true, false, true);
}

static void the_child_is_rekeyed_by_the_responder(void **state)
{
	rekeyed(false, true, true);
}

static void the_child_is_rekeyed_by_both_at_once(void **state)
{
	for (unsigned i = 0; i < 50; i++)
		rekeyed(true, true, true);
}

static void the_ike_sa_is_rekeyed_by_the_initiator(void **state)
{
	rekeyed(true, false, false);
}

static void the_ike_sa_is_rekeyed_by_the_responder(void **state)
{
	rekeyed(false, true, false);
}

static void the_ike_sa_is_rekeyed_by_both_at_once(void **state)
{
	for (unsigned i = 0; i < 50; i++)
		rekeyed(true, true, false);
}

static void a_delete_takes_both_ends_down(void **state)
{
	struct diag diag;

	ladder_begin(NULL);
	ladder_up();
	assert_int_equal(ike_engine_down(ladder.ends[0].engine, "t", ladder.now, &diag), 0);
	ladder_settle();
	ladder.now += 10000;
	ladder_settle();
	assert_children(0);
	assert_int_equal(ladder_counters(0).sas + ladder_counters(1).sas, 0);
	ladder_end();
}

static void a_peer_that_is_gone_is_found(void **state)
{
	ladder_begin(NULL);
	ladder_up();
	for (unsigned i = 0; i < 300; i++) {
		ladder.now += 1000;
		ike_engine_run(ladder.ends[0].engine, ladder.now);
		while (ladder.n_wire > 0)
			ladder_drop(0);
	}
	assert_int_equal(ladder.ends[0].downs, 1);
	assert_int_equal(ladder.ends[0].n_kids, 0);
	ladder_end();
}

static void what_is_lost_comes_again(void **state)
{
	srandom(7296);
	for (unsigned round = 0; round < 20; round++) {
		struct ike_path path = { .link = 1, .local = ladder_endpoint("192.0.2.1"), .remote = ladder_endpoint("192.0.2.2") };
		struct diag diag;

		ladder_begin(NULL);
		assert_int_equal(ike_engine_up(ladder.ends[0].engine, "t", &path, ladder.now, &diag), 0);
		for (unsigned i = 0; i < 120; i++) {
			ladder_run();
			while (ladder.n_wire > 0) {
				if (random() % 6 == 0)
					ladder_drop(0);
				else
					ladder_deliver((unsigned)random() % ladder.n_wire);
			}
			ladder.now += 500;
		}
		ladder_settle();
		assert_children(1);
		ladder_end();
	}
}

static void a_mapping_that_changes_is_followed(void **state)
{
	ladder_begin(NULL);
	ladder.nat = ladder_endpoint("192.0.2.99");
	ladder.nat.port = 20000;
	ladder_up();
	ladder.nat.port = 30000;
	ladder.now += 31000; /* liveness */
	ladder_settle();
	ladder_settle();
	assert_int_equal(ladder.ends[1].kids[0].path.remote.port, 30000 + IKE_NATT_PORT);
	ladder_end();
}

/* With MOBIKE too: ESP shows it before the next exchange does. */
static void esp_from_elsewhere_is_followed(void **state)
{
	struct ike_endpoint to = ladder_endpoint("192.0.2.99");

	ladder_begin(NULL);
	ladder_up();
	ike_engine_esp_moved(ladder.ends[1].engine, ladder.ends[1].kids[0].spi_in, &to, ladder.now);
	assert_true(ike_endpoint_equal(&ladder.ends[1].kids[0].path.remote, &to));
	ladder_end();
}

static void no_mobike(struct ike_tunnel *t, unsigned end)
{
	t->mobike = false;
}

static void without_mobike_it_is_followed_too(void **state)
{
	ladder_begin(no_mobike);
	ladder.nat = ladder_endpoint("192.0.2.99");
	ladder.nat.port = 20000;
	ladder_up();
	ladder.nat.port = 30000;
	ladder.now += 31000;
	ladder_settle();
	assert_int_equal(ladder.ends[1].kids[0].path.remote.port, 30000 + IKE_NATT_PORT);
	ladder_end();
}

static void reauthenticates(struct ike_tunnel *t, unsigned end)
{
	t->reauth_s = end == 0 ? 300 : 0;
}

/* The new SA is there before the old one goes, so packets always have a way. */
static void reauthentication_makes_before_it_breaks(void **state)
{
	ladder_begin(reauthenticates);
	ladder_up();
	ladder.now += 300000;
	for (unsigned i = 0; i < 50; i++) {
		ladder_run();
		if (ladder.n_wire > 0)
			ladder_deliver(0);
		assert_true(ladder.ends[0].n_kids >= 1 && ladder.ends[1].n_kids >= 1);
	}
	ladder.now += SA_LINGER_MS;
	ladder_settle();
	for (unsigned end = 0; end < 2; end++) {
		assert_int_equal(ladder.ends[end].ups, 2);
		assert_int_equal(ladder_counters(end).sas, 1);
	}
	assert_children(1);
	ladder_end();
}

/* ---- MOBIKE: RFC 4555; "the initiator" there is who began the first IKE SA, whoever rekeyed it */

static void rekey_ike(unsigned end)
{
	struct diag diag;

	assert_int_equal(ike_engine_rekey(ladder.ends[end].engine, "t", false, ladder.now, &diag), 0);
	ladder_settle();
}

static void move_first(const char *to)
{
	ladder.ends[0].at = ladder_endpoint(to);
	ike_engine_link_moved(ladder.ends[0].engine, 1, &ladder.ends[0].at.addr, ladder.now);
	ladder_settle();
}

static void assert_second_sends_to(const char *to)
{
	struct ike_endpoint e = ladder_endpoint(to);

	assert_true(ip_addr_equal(&ladder.ends[1].kids[0].path.remote.addr, &e.addr));
	assert_true(ip_addr_equal(&ladder.ends[0].kids[0].path.local.addr, &e.addr));
}

static void another_address_is_told(void **state)
{
	ladder_begin(NULL);
	ladder_up();
	move_first("192.0.2.7");
	assert_second_sends_to("192.0.2.7");
	assert_children(1);
	ladder_end();
}

static void another_address_is_told_after_the_responder_rekeyed(void **state)
{
	ladder_begin(NULL);
	ladder_up();
	rekey_ike(1);
	move_first("192.0.2.7");
	assert_second_sends_to("192.0.2.7");
	rekey_ike(1);
	rekey_ike(0);
	move_first("192.0.2.8");
	assert_second_sends_to("192.0.2.8");
	assert_children(1);
	ladder_end();
}

static void without_mobike_another_address_is_told_too(void **state)
{
	ladder_begin(no_mobike);
	ladder_up();
	move_first("192.0.2.7");
	assert_second_sends_to("192.0.2.7");
	ladder_end();
}

/* The new SA has another hash, so a change just before it is seen by nobody. */
static void a_mapping_that_changes_before_a_rekey_is_followed(void **state)
{
	for (unsigned end = 0; end < 2; end++) {
		ladder_begin(NULL);
		ladder.nat = ladder_endpoint("192.0.2.99");
		ladder.nat.port = 20000;
		ladder_up();
		rekey_ike(end);
		ladder.nat.port = 30000;
		rekey_ike(0);
		assert_int_equal(ladder.ends[1].kids[0].path.remote.port, 30000 + IKE_NATT_PORT);
		ladder_end();
	}
}

static void a_nat_that_appears_later_is_found(void **state)
{
	ladder_begin(NULL);
	ladder_up();
	assert_false(ladder.ends[0].kids[0].encap);
	ladder.nat = ladder_endpoint("192.0.2.99");
	ladder.nat.port = 20000;
	ladder.now += 31000;
	ladder_settle();
	ladder_settle();
	assert_true(ladder.ends[0].kids[0].encap && ladder.ends[1].kids[0].encap);
	assert_int_equal(ladder.ends[1].kids[0].path.remote.port, 20000 + IKE_NATT_PORT);
	ladder_end();
}

/* Who forbids NATs is not carried on through one that appears. */
static void nat_refuse_does_not_follow_through_one(void **state)
{
	ladder_begin(nat_refuse);
	ladder_up();
	assert_children(1);
	ladder.nat = ladder_endpoint("192.0.2.99");
	ladder.nat.port = 20000;
	/* ESP may be there first */
	ike_engine_esp_moved(ladder.ends[1].engine, ladder.ends[1].kids[0].spi_in, &ladder.nat, ladder.now);
	assert_true(ip_addr_equal(&ladder.ends[1].kids[0].path.remote.addr, &ladder.ends[0].at.addr));
	ladder.now += 31000;
	ladder_settle();
	ladder_settle();
	assert_children(0);
	ladder_end();
}

static void first_refuses(struct ike_tunnel *t, unsigned end)
{
	if (end == 0)
		t->nat = IKE_NAT_REFUSE;
}

static void second_refuses(struct ike_tunnel *t, unsigned end)
{
	if (end == 1)
		t->nat = IKE_NAT_REFUSE;
}

static void no_nats_allowed_holds_for_a_move(void **state)
{
	for (unsigned i = 0; i < 2; i++) {
		ladder_begin(i ? second_refuses : first_refuses);
		ladder_up();
		assert_children(1);
		move_first("192.0.2.7");
		assert_second_sends_to("192.0.2.7");
		ladder.nat = ladder_endpoint("192.0.2.99");
		ladder.nat.port = 20000;
		move_first("192.0.2.8");
		/* the first ends it; the second goes on with what was */
		if (i == 0)
			assert_children(0);
		else
			assert_true(ladder.ends[1].kids[0].path.remote.port == IKE_NATT_PORT);
		ladder_end();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_come_up),
		cmocka_unit_test(behind_a_nat_both_encapsulate),
		cmocka_unit_test(only_who_is_behind_the_nat_keeps_it_open),
		cmocka_unit_test(traffic_needs_neither_keepalives_nor_questions),
		cmocka_unit_test(a_peer_without_nat_traversal_gets_plain_ipsec),
		cmocka_unit_test(an_address_as_identity_is_not_compared_with_the_packets),
		cmocka_unit_test(transport_mode_through_a_nat_has_the_hosts_as_each_sees_them),
		cmocka_unit_test(transport_mode_without_a_nat),
		cmocka_unit_test(tunnel_mode_in_place_of_transport_mode_is_for_the_hosts_only),
		cmocka_unit_test(other_keys_do_not_come_up),
		cmocka_unit_test(an_unknown_name_does_not_come_up),
		cmocka_unit_test(why_the_responder_was_refused_stays),
		cmocka_unit_test(nat_refuse_does_not_come_up_through_one),
		cmocka_unit_test(a_wrong_guess_of_the_group_costs_a_round),
		cmocka_unit_test(a_wrong_guess_that_is_told_twice_costs_no_more),
		cmocka_unit_test(up_does_not_wait_for_what_goes_down),
		cmocka_unit_test(who_asks_for_no_address_of_a_pool_gets_no_child),
		cmocka_unit_test(an_address_of_its_own_is_always_the_same),
		cmocka_unit_test(the_child_is_rekeyed_by_the_initiator),
		cmocka_unit_test(the_child_is_rekeyed_by_the_responder),
		cmocka_unit_test(the_child_is_rekeyed_by_both_at_once),
		cmocka_unit_test(the_ike_sa_is_rekeyed_by_the_initiator),
		cmocka_unit_test(the_ike_sa_is_rekeyed_by_the_responder),
		cmocka_unit_test(the_ike_sa_is_rekeyed_by_both_at_once),
		cmocka_unit_test(a_delete_takes_both_ends_down),
		cmocka_unit_test(a_peer_that_is_gone_is_found),
		cmocka_unit_test(what_is_lost_comes_again),
		cmocka_unit_test(a_mapping_that_changes_is_followed),
		cmocka_unit_test(esp_from_elsewhere_is_followed),
		cmocka_unit_test(without_mobike_it_is_followed_too),
		cmocka_unit_test(reauthentication_makes_before_it_breaks),
		cmocka_unit_test(another_address_is_told),
		cmocka_unit_test(another_address_is_told_after_the_responder_rekeyed),
		cmocka_unit_test(without_mobike_another_address_is_told_too),
		cmocka_unit_test(a_mapping_that_changes_before_a_rekey_is_followed),
		cmocka_unit_test(a_nat_that_appears_later_is_found),
		cmocka_unit_test(nat_refuse_does_not_follow_through_one),
		cmocka_unit_test(no_nats_allowed_holds_for_a_move),
	};

	return cmocka_run_group_tests_name("ladder", tests, NULL, NULL);
}
