/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Two engines in one process: the wire is a queue that the test holds, time is
 * a number, keys are compared at the end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ipsec/ike/ike_engine.h"
#include "ipsec/ike/ts.h"
#include "lib/mem.h"

#define WIRE_MAX 256
#define KIDS_MAX 64
#define SIGNS_MAX 16

struct kid {
	uint32_t spi_in, spi_out;
	struct crypto_key in, out;
	bool used; /* sends */
	bool encap;
	struct ike_path path;
};

struct end {
	struct ike_engine *engine;
	const char *psk;
	struct ike_endpoint at;
	uint32_t next_spi;
	unsigned n_kids;
	struct kid kids[KIDS_MAX];
	unsigned n_signs;
	struct {
		uint64_t id;
		uint8_t auth[CRYPTO_PRF_MAX];
		size_t len;
	} signs[SIGNS_MAX];
	unsigned ups, downs, failures;
	char last[512];
};

struct datagram {
	unsigned to;
	struct ike_path path; /* as the receiver sees it */
	uint8_t *data;
	size_t len;
};

static struct end ends[2];
static struct datagram wire[WIRE_MAX];
static unsigned n_wire;
static uint64_t now;
static struct ike_endpoint nat; /* port 0: none; hides ends[0] */

static void on_send(void *ctx, const struct ike_path *path, const uint8_t *data, size_t len)
{
	struct end *from = ctx;
	struct datagram *d = &wire[n_wire];

	/* a NAT forwards nothing to a mapping that it has no more */
	if (nat.port && from == &ends[1] && path->remote.port != nat.port + IKE_PORT &&
	    path->remote.port != nat.port + IKE_NATT_PORT)
		return;
	assert_true(n_wire < WIRE_MAX);
	n_wire++;
	d->to = from == &ends[0];
	d->path.link = 1;
	d->path.local = path->remote;
	d->path.remote = path->local;
	if (nat.port && d->to == 1) {
		d->path.remote = nat;
		d->path.remote.port = (uint16_t)(nat.port + path->local.port);
	} else if (nat.port) {
		d->path.local.addr = ends[0].at.addr;
		d->path.local.port = (uint16_t)(path->remote.port - nat.port);
	}
	d->data = mem_dup(data, len);
	d->len = len;
}

static void on_keepalive(void *ctx, const struct ike_path *path)
{
}

static void on_sign(void *ctx, const struct ike_sign *sign)
{
	struct end *e = ctx;
	struct ike_auth_octets octets;
	struct crypto_secret psk;

	assert_true(e->n_signs < SIGNS_MAX);
	assert_true(sign->psk);
	memcpy(octets.parts, sign->octets, sizeof(octets.parts));
	crypto_secret_set(&psk, e->psk, strlen(e->psk));
	e->signs[e->n_signs].id = sign->id;
	e->signs[e->n_signs].len = crypto_prf_size(sign->prf);
	assert_int_equal(ike_auth_psk(sign->prf, &psk, &octets, e->signs[e->n_signs].auth), 0);
	e->n_signs++;
}

static int on_verify(void *ctx, const struct ike_verify *verify, struct diag *diag)
{
	return diag_set(diag, "no public keys here");
}

static void on_certs(void *ctx, const struct ike_tunnel *tunnel, struct ike_writer *w)
{
}

static uint32_t on_spi(void *ctx)
{
	struct end *e = ctx;

	return ++e->next_spi;
}

static int on_child_add(void *ctx, const struct ike_child_sa *child)
{
	struct end *e = ctx;

	assert_true(e->n_kids < KIDS_MAX);
	e->kids[e->n_kids++] = (struct kid){ child->spi_in, child->spi_out, child->in->encr, child->out->encr,
					     !child->inbound_only, child->encap, child->path };
	return 0;
}

static struct kid *kid_find(struct end *e, uint32_t spi_in)
{
	for (unsigned i = 0; i < e->n_kids; i++)
		if (e->kids[i].spi_in == spi_in)
			return &e->kids[i];
	return NULL;
}

/* The one that must be there. */
static struct kid *kid_get(struct end *e, uint32_t spi_in)
{
	struct kid *kid = kid_find(e, spi_in);

	if (!kid) {
		fail_msg("no child %08x", spi_in);
		abort(); /* fail_msg() does not return; the compiler can't know */
	}
	return kid;
}

static void on_child_use(void *ctx, uint32_t spi_in)
{
	kid_get(ctx, spi_in)->used = true;
}

static void on_child_move(void *ctx, uint32_t spi_in, const struct ike_path *path, bool encap)
{
	struct kid *kid = kid_get(ctx, spi_in);

	kid->path = *path;
	kid->encap = encap;
}

/* An SPI that was only handed out may be given back too. */
static void on_child_del(void *ctx, uint32_t spi_in)
{
	struct end *e = ctx;
	struct kid *kid = kid_find(e, spi_in);

	if (kid)
		*kid = e->kids[--e->n_kids];
}

static void on_child_times(void *ctx, uint32_t spi_in, uint64_t *heard_ms, uint64_t *spoke_ms)
{
}

static void on_event(void *ctx, enum ike_event event, uint64_t sa, const char *tunnel, const char *text)
{
	struct end *e = ctx;

	e->ups += event == IKE_EVENT_UP;
	e->downs += event == IKE_EVENT_DOWN;
	e->failures += event == IKE_EVENT_FAILED;
	snprintf(e->last, sizeof(e->last), "%s", text);
}

static const struct ike_ops ops = {
	.send = on_send, .keepalive = on_keepalive, .sign = on_sign, .verify = on_verify, .put_certs = on_certs,
	.put_certreq = on_certs, .spi = on_spi, .child_add = on_child_add, .child_use = on_child_use,
	.child_move = on_child_move, .child_del = on_child_del, .child_times = on_child_times, .event = on_event,
};

/* ---- driving */

static void answer_signs(struct end *e)
{
	while (e->n_signs > 0) {
		unsigned i = --e->n_signs;

		ike_engine_signed(e->engine, e->signs[i].id, IKE_AUTH_PSK, e->signs[i].auth, e->signs[i].len, now);
	}
}

static void deliver(unsigned i)
{
	struct datagram d = wire[i];

	memmove(&wire[i], &wire[i + 1], (--n_wire - i) * sizeof(wire[0]));
	ike_engine_packet(ends[d.to].engine, &d.path, d.data, d.len, now);
	free(d.data);
	answer_signs(&ends[d.to]);
}

static void drop(unsigned i)
{
	free(wire[i].data);
	memmove(&wire[i], &wire[i + 1], (--n_wire - i) * sizeof(wire[0]));
}

static void run_both(void)
{
	for (unsigned i = 0; i < 2; i++) {
		ike_engine_run(ends[i].engine, now);
		answer_signs(&ends[i]);
	}
}

/* Until nothing is on the wire and nobody has anything to say. */
static void settle(void)
{
	for (unsigned i = 0; i < 500; i++) {
		run_both();
		while (n_wire > 0)
			deliver(0);
	}
}

static struct ike_endpoint endpoint(const char *text)
{
	struct ike_endpoint e = { .port = IKE_PORT };

	assert_true(ip_addr_parse(text, &e.addr));
	return e;
}

static struct ike_tunnel tunnel_of(unsigned end)
{
	struct ike_tunnel t;
	struct diag diag;

	ike_tunnel_defaults(&t);
	snprintf(t.name, sizeof(t.name), "t");
	t.link = 1;
	assert_int_equal(ike_identity_parse(end ? "fqdn b.example" : "fqdn a.example", &t.local_id, &diag), 0);
	assert_int_equal(ike_identity_parse(end ? "fqdn a.example" : "fqdn b.example", &t.remote_id, &diag), 0);
	t.remote_addr = ends[!end].at.addr;
	t.local_ts.n = t.remote_ts.n = 1;
	assert_int_equal(ike_ts_parse(end ? "203.0.113.0/24" : "198.51.100.0/24", &t.local_ts.list[0], &diag), 0);
	assert_int_equal(ike_ts_parse(end ? "198.51.100.0/24" : "203.0.113.0/24", &t.remote_ts.list[0], &diag), 0);
	return t;
}

static void change_nothing(struct ike_tunnel *t, unsigned end)
{
}

static void begin(void (*change)(struct ike_tunnel *t, unsigned end))
{
	memset(ends, 0, sizeof(ends));
	nat = (struct ike_endpoint){ 0 };
	now = 1000;
	ends[0].at = endpoint("192.0.2.1");
	ends[1].at = endpoint("192.0.2.2");
	for (unsigned i = 0; i < 2; i++) {
		struct ike_tunnel t;

		ends[i].psk = "the same on both sides";
		ends[i].next_spi = 0x1000 * (i + 1);
		ends[i].engine = ike_engine_new(&ops, &ends[i]);
		t = tunnel_of(i);
		change(&t, i);
		ike_engine_tunnel_set(ends[i].engine, &t);
	}
}

static void up(void)
{
	struct ike_path path = { .link = 1, .local = ends[0].at, .remote = ends[1].at };
	struct diag diag;

	assert_int_equal(ike_engine_up(ends[0].engine, "t", &path, now, &diag), 0);
	settle();
}

static void end(void)
{
	while (n_wire > 0)
		drop(0);
	ike_engine_free(ends[0].engine);
	ike_engine_free(ends[1].engine);
}

static struct ike_counters counters(unsigned i)
{
	struct ike_counters c;

	ike_engine_counters(ends[i].engine, &c);
	return c;
}

/* Each child of one end has its mirror at the other. */
static void assert_children(unsigned n)
{
	assert_int_equal(ends[0].n_kids, n);
	assert_int_equal(ends[1].n_kids, n);
	for (unsigned i = 0; i < n; i++) {
		struct kid *a = &ends[0].kids[i], *b = kid_get(&ends[1], a->spi_out);

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
	begin(change_nothing);
	up();
	assert_int_equal(ends[0].ups, 1);
	assert_int_equal(ends[1].ups, 1);
	assert_children(1);
	assert_false(ends[0].kids[0].encap);
	end();
}

static void behind_a_nat_both_encapsulate(void **state)
{
	begin(change_nothing);
	nat = endpoint("192.0.2.99");
	nat.port = 20000;
	up();
	assert_children(1);
	assert_true(ends[0].kids[0].encap && ends[1].kids[0].encap);
	assert_int_equal(ends[1].kids[0].path.remote.port, 20000 + IKE_NATT_PORT);
	end();
}

static void other_keys_do_not_come_up(void **state)
{
	begin(change_nothing);
	ends[1].psk = "another";
	up();
	assert_int_equal(ends[0].ups + ends[1].ups, 0);
	assert_int_equal(ends[0].failures, 1);
	assert_int_equal(ends[1].failures, 1);
	assert_children(0);
	end();
}

static void other_name(struct ike_tunnel *t, unsigned end)
{
	struct diag diag;

	if (end == 1)
		assert_int_equal(ike_identity_parse("fqdn c.example", &t->remote_id, &diag), 0);
}

static void an_unknown_name_does_not_come_up(void **state)
{
	begin(other_name);
	up();
	assert_int_equal(ends[0].ups + ends[1].ups, 0);
	assert_children(0);
	end();
}

static void nat_refuse(struct ike_tunnel *t, unsigned end)
{
	t->nat = IKE_NAT_REFUSE;
}

static void nat_refuse_does_not_come_up_through_one(void **state)
{
	begin(nat_refuse);
	nat = endpoint("192.0.2.99");
	nat.port = 20000;
	up();
	assert_int_equal(ends[0].ups + ends[1].ups, 0);
	end();
}

static void other_group(struct ike_tunnel *t, unsigned end)
{
	struct diag diag;

	t->ike.n = 1;
	assert_int_equal(ike_proposal_parse(end ? "aes128gcm16-prfsha256-ecp256" : "aes128gcm16-prfsha256-x25519-ecp256",
					    IKE_PROTO_IKE, &t->ike.list[0], &diag),
			 0);
}

static void a_wrong_guess_of_the_group_costs_a_round(void **state)
{
	begin(other_group);
	up();
	assert_children(1);
	end();
}

static void rekeyed(bool first, bool second, bool children)
{
	uint32_t before;
	struct diag diag;

	begin(change_nothing);
	up();
	assert_children(1);
	before = ends[0].kids[0].spi_in;
	if (first)
		assert_int_equal(ike_engine_rekey(ends[0].engine, "t", children, now, &diag), 0);
	if (second)
		assert_int_equal(ike_engine_rekey(ends[1].engine, "t", children, now, &diag), 0);
	settle();
	now += 40000;
	settle();
	assert_children(1);
	assert_int_equal(ends[0].kids[0].spi_in != before, children);
	assert_int_equal(counters(0).sas, 1);
	assert_int_equal(counters(1).sas, 1);
	assert_int_equal(ends[0].downs + ends[1].downs, 0);
	end();
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

	begin(change_nothing);
	up();
	assert_int_equal(ike_engine_down(ends[0].engine, "t", now, &diag), 0);
	settle();
	now += 10000;
	settle();
	assert_children(0);
	assert_int_equal(counters(0).sas + counters(1).sas, 0);
	end();
}

static void a_peer_that_is_gone_is_found(void **state)
{
	begin(change_nothing);
	up();
	for (unsigned i = 0; i < 300; i++) {
		now += 1000;
		ike_engine_run(ends[0].engine, now);
		while (n_wire > 0)
			drop(0);
	}
	assert_int_equal(ends[0].downs, 1);
	assert_int_equal(ends[0].n_kids, 0);
	end();
}

static void what_is_lost_comes_again(void **state)
{
	srandom(7296);
	for (unsigned round = 0; round < 20; round++) {
		struct ike_path path = { .link = 1, .local = endpoint("192.0.2.1"), .remote = endpoint("192.0.2.2") };
		struct diag diag;

		begin(change_nothing);
		assert_int_equal(ike_engine_up(ends[0].engine, "t", &path, now, &diag), 0);
		for (unsigned i = 0; i < 120; i++) {
			run_both();
			while (n_wire > 0) {
				if (random() % 6 == 0)
					drop(0);
				else
					deliver((unsigned)random() % n_wire);
			}
			now += 500;
		}
		settle();
		assert_children(1);
		end();
	}
}

static void a_mapping_that_changes_is_followed(void **state)
{
	begin(change_nothing);
	nat = endpoint("192.0.2.99");
	nat.port = 20000;
	up();
	nat.port = 30000;
	now += 31000; /* liveness */
	settle();
	settle();
	assert_int_equal(ends[1].kids[0].path.remote.port, 30000 + IKE_NATT_PORT);
	end();
}

static void no_mobike(struct ike_tunnel *t, unsigned end)
{
	t->mobike = false;
}

static void without_mobike_it_is_followed_too(void **state)
{
	begin(no_mobike);
	nat = endpoint("192.0.2.99");
	nat.port = 20000;
	up();
	nat.port = 30000;
	now += 31000;
	settle();
	assert_int_equal(ends[1].kids[0].path.remote.port, 30000 + IKE_NATT_PORT);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_come_up),
		cmocka_unit_test(behind_a_nat_both_encapsulate),
		cmocka_unit_test(other_keys_do_not_come_up),
		cmocka_unit_test(an_unknown_name_does_not_come_up),
		cmocka_unit_test(nat_refuse_does_not_come_up_through_one),
		cmocka_unit_test(a_wrong_guess_of_the_group_costs_a_round),
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
		cmocka_unit_test(without_mobike_it_is_followed_too),
	};

	return cmocka_run_group_tests_name("ladder", tests, NULL, NULL);
}
