/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Relays, certificates without a token, and the hand brake, in virtual time.
 */
#include "tests/unit/south/south_fixture.h"

#include "lib/mem.h"

static void say(struct agent *a, enum agent_msg_type type)
{
	agent_say(a, &(struct agent_msg){ .type = type });
}

static void say_bmp(struct agent *a, const char *text)
{
	struct agent_msg msg = { .type = AGENT_MSG_BMP };
	union {
		const char *in;
		uint8_t *out;
	} data = { text };

	msg.u.bmp.data = (struct agent_blob){ data.out, strlen(text) };
	msg.u.bmp.waiting = 1000 + strlen(text);
	agent_say(a, &msg);
}

static void relay_up(struct agent *a, struct fake *f)
{
	agent_open(a, f, "r1", PKI_RELAY);
	agent_hello(a, 0);
}

static void expect_refused(struct agent *a, const char *says)
{
	agent_expect(a, AGENT_MSG_FAILURE);
	if (!strstr(a->got.u.failure.text, says))
		fail_msg("\"%s\" says nothing of \"%s\"", a->got.u.failure.text, says);
	assert_int_equal(south_session_state(a->ss), SOUTH_DEAD);
	agent_close(a);
}

static struct south_status status_of(struct fake *f)
{
	struct south_status st, out;

	assert_true(south_status(f->s, "r1", &st));
	out = st;
	out.edges = NULL;
	south_status_fini(&st);
	return out;
}

/* ---- relays ---- */

static void bmp_arrives_as_the_routers_of_the_certificate(void **state)
{
	struct fake *f = fake_new();
	struct agent a = { 0 };

	relay_up(&a, f);
	assert_int_equal(f->relays, 0); /* bgpd has not come yet */
	assert_int_equal(f->up, 0);	/* and it is no agent */
	say_bmp(&a, "ab");
	say_bmp(&a, "c");
	assert_int_equal(f->relays, 1);
	assert_string_equal(f->relay_router, "r1");
	assert_int_equal(f->relay.len, 3);
	assert_memory_equal(f->relay.data, "abc", 3);
	assert_int_equal(f->relay_waiting, 1001);
	assert_true(status_of(f).relay.connected);
	assert_false(status_of(f).connected);
	agent_close(&a);
	assert_int_equal(f->relays_closed, 1);
	assert_false(status_of(f).relay.connected);
	assert_string_equal(status_of(f).relay.last_error, "test ends it");
	fake_free(f);
}

static void a_relay_without_a_router_is_refused(void **state)
{
	struct fake *f = fake_new();
	struct agent_msg msg = { .type = AGENT_MSG_HELLO };
	struct agent a = { 0 };

	f->relay_refused = true;
	agent_open(&a, f, "r1", PKI_RELAY);
	msg.u.hello.protocol = AGENT_PROTOCOL;
	agent_say(&a, &msg);
	expect_refused(&a, "no router");
	fake_free(f);
}

static void a_relay_says_nothing_else(void **state)
{
	static const enum agent_msg_type wrong[] = {
		AGENT_MSG_INVENTORY, AGENT_MSG_ACK,	AGENT_MSG_COUNTERS, AGENT_MSG_ALL_OFF,
		AGENT_MSG_HELLO,     AGENT_MSG_WELCOME, AGENT_MSG_ROUTES,   AGENT_MSG_EDGE_LIST,
	};
	struct fake *f = fake_new();
	struct agent a = { 0 };

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct agent_msg msg = { .type = wrong[i] };

		relay_up(&a, f);
		if (wrong[i] == AGENT_MSG_ACK)
			strcpy(msg.u.ack.interface, "eth0");
		if (wrong[i] == AGENT_MSG_WELCOME)
			msg.u.welcome.counters_interval_s = 1;
		agent_say(&a, &msg);
		expect_refused(&a, "does not belong");
	}
	assert_int_equal(f->inventories + f->counters, 0);
	fake_free(f);
}

static void no_bmp_before_the_greeting_nor_from_others(void **state)
{
	struct fake *f = fake_new();
	struct agent a = { 0 };

	agent_open(&a, f, "r1", PKI_RELAY);
	say_bmp(&a, "x");
	expect_refused(&a, "does not belong");
	agent_open(&a, f, "r1", PKI_ROUTER);
	agent_hello(&a, 0);
	say_bmp(&a, "x");
	expect_refused(&a, "does not belong");
	agent_open(&a, f, "r1", PKI_EDGE);
	agent_hello(&a, 0);
	say_bmp(&a, "x");
	expect_refused(&a, "does not belong");
	agent_open(&a, f, NULL, PKI_RELAY);
	say_bmp(&a, "x");
	expect_refused(&a, "enroll first");
	assert_int_equal(f->relays, 0);
	fake_free(f);
}

static void a_frame_of_a_relay_is_small(void **state)
{
	struct fake *f = fake_new();
	struct agent a = { 0 };

	relay_up(&a, f);
	south_session_bytes(a.ss, "\0\2\0\0", 4, f->now);
	expect_refused(&a, "frame of 131072 bytes");
	fake_free(f);
}

static void a_stream_that_is_refused_ends_the_session(void **state)
{
	struct fake *f = fake_new();
	struct agent a = { 0 };

	relay_up(&a, f);
	f->relay_bad = true;
	say_bmp(&a, "x");
	expect_refused(&a, "not BMP");
	assert_int_equal(f->relays_closed, 1);
	fake_free(f);
}

static void the_newer_relay_is_the_live_one(void **state)
{
	struct fake *f = fake_new();
	struct agent a = { 0 }, b = { 0 };

	relay_up(&a, f);
	say_bmp(&a, "old");
	relay_up(&b, f);
	assert_int_equal(f->relays_closed, 1);
	agent_expect(&a, AGENT_MSG_FAILURE);
	assert_non_null(strstr(a.got.u.failure.text, "newer session"));
	say_bmp(&a, "more"); /* is not looked at */
	assert_int_equal(f->relay.len, 3);
	agent_close(&a);
	say_bmp(&b, "new");
	assert_int_equal(f->relays, 2);
	assert_int_equal(f->relays_closed, 1);
	assert_true(status_of(f).relay.connected);
	agent_close(&b);
	fake_free(f);
}

static void the_agent_and_its_relay_do_not_replace_each_other(void **state)
{
	struct fake *f = fake_new();
	struct agent a = { 0 }, b = { 0 };

	agent_open(&a, f, "r1", PKI_ROUTER);
	agent_hello(&a, 0);
	relay_up(&b, f);
	assert_true(status_of(f).connected);
	assert_true(status_of(f).relay.connected);
	agent_close(&a);
	assert_int_equal(f->down, 1);
	assert_false(status_of(f).connected);
	assert_true(status_of(f).relay.connected);
	agent_close(&b);
	assert_int_equal(f->down, 1);
	fake_free(f);
}

static void revocation_cuts_both(void **state)
{
	struct fake *f = fake_new();
	struct agent a = { 0 }, b = { 0 };

	agent_open(&a, f, "r1", PKI_ROUTER);
	agent_hello(&a, 0);
	relay_up(&b, f);
	say_bmp(&b, "x");
	assert_true(south_session_cut(f->s, "r1", "revoked", f->now));
	expect_refused(&a, "revoked");
	expect_refused(&b, "revoked");
	assert_int_equal(f->relays_closed, 1);
	f->certificate_bad = true;
	agent_open(&b, f, "r1", PKI_RELAY);
	expect_refused(&b, "revoked");
	fake_free(f);
	/* a relay alone is cut as well */
	f = fake_new();
	relay_up(&b, f);
	assert_true(south_session_cut(f->s, "r1", "revoked", f->now));
	expect_refused(&b, "revoked");
	assert_false(south_session_cut(f->s, "r1", "revoked", f->now));
	fake_free(f);
}

static void a_silent_relay_is_cut_and_a_living_one_is_not(void **state)
{
	struct fake *f = fake_new();
	struct agent a = { 0 };

	relay_up(&a, f);
	say_bmp(&a, "x");
	for (int i = 0; i < 20; i++) {
		f->now += SOUTH_KEEPALIVE_MS;
		south_run(f->s, f->now);
		agent_expect(&a, AGENT_MSG_KEEPALIVE);
		say(&a, AGENT_MSG_RELAY_STATUS);
	}
	assert_int_equal(f->relays_closed, 0);
	f->now += SOUTH_IDLE_MS;
	south_run(f->s, f->now);
	assert_int_equal(f->relays_closed, 1);
	assert_int_equal(south_totals(f->s)->idle, 1);
	agent_close(&a);
	fake_free(f);
}

static void the_certificates_end_ends_the_relay(void **state)
{
	struct fake *f = fake_new();
	struct agent a = { 0 };

	relay_up(&a, f);
	for (int64_t end = f->now + PKI_AGENT_S * 1000; f->now < end; f->now += PKI_DAY_S * 1000) {
		say(&a, AGENT_MSG_RELAY_STATUS);
		south_run(f->s, f->now);
		assert_int_equal(south_session_state(a.ss), SOUTH_RUNNING);
		while (agent_receive(&a) != AGENT_MSG_UNKNOWN)
			;
	}
	south_run(f->s, f->now);
	expect_refused(&a, "expired");
	fake_free(f);
}

/* The engine asks from within relay_bytes(): nothing may be freed there. */
static void a_dump_is_asked_for_in_the_middle(void **state)
{
	struct fake *f = fake_new();
	struct agent a = { 0 };
	unsigned int wakes;

	relay_up(&a, f);
	f->redump_on_bmp = true;
	wakes = f->wakes;
	say_bmp(&a, "x");
	assert_int_equal(f->relays_closed, 0);
	assert_true(f->wakes > wakes);
	assert_int_equal(south_session_state(a.ss), SOUTH_RUNNING);
	south_session_settle(a.ss, f->now);
	assert_int_equal(f->relays_closed, 1);
	expect_refused(&a, "complete dump");
	fake_free(f);
}

static void what_it_says_of_itself_is_shown(void **state)
{
	struct agent_msg msg = { .type = AGENT_MSG_RELAY_STATUS };
	struct fake *f = fake_new();
	struct agent a = { 0 };

	relay_up(&a, f);
	msg.u.relay_status = (struct agent_relay_status){ .overflows = 3,
							  .high_bytes = 77,
							  .session = true };
	agent_say(&a, &msg);
	assert_int_equal(status_of(f).relay.totals.overflows, 3);
	assert_int_equal(status_of(f).relay.totals.high_bytes, 77);
	assert_true(status_of(f).relay.totals.session);
	strcpy(msg.u.failure.text, "the buffer of 64 MiB is full");
	msg.type = AGENT_MSG_FAILURE;
	agent_say(&a, &msg);
	assert_non_null(strstr(f->last_note, "64 MiB is full"));
	agent_close(&a);
	assert_int_equal(status_of(f).relay.totals.overflows, 3);
	assert_false(status_of(f).relay.totals.session);
	assert_non_null(strstr(status_of(f).relay.last_error, "64 MiB is full"));
	fake_free(f);
}

/* ---- certificates ---- */

static void certify(struct agent *a, enum pki_kind kind)
{
	struct agent_msg msg = { .type = AGENT_MSG_CERTIFY };
	struct pki_key *key = pki_key_new();
	struct wr csr = { 0 };
	struct diag diag;

	/* the name in the request counts for nothing */
	assert_int_equal(pki_csr_make(key, "somebody-else", &csr, &diag), 0);
	msg.u.certify.kind = kind;
	msg.u.certify.csr = (struct agent_blob){ csr.data, csr.len };
	agent_say(a, &msg);
	agent_expect(a, AGENT_MSG_CERTIFIED);
	assert_int_equal(a->got.u.certified.kind, kind);
	wr_fini(&csr);
	pki_key_free(key);
}

static void an_agent_gets_certificates_for_its_name(void **state)
{
	static const enum pki_kind kinds[] = { PKI_RELAY, PKI_ROUTER };
	struct fake *f = fake_new();
	struct agent a = { 0 };

	agent_open(&a, f, "r1", PKI_ROUTER);
	agent_hello(&a, 0);
	for (size_t i = 0; i < 2; i++) {
		struct pki_cert cert;
		struct diag diag;

		certify(&a, kinds[i]);
		assert_string_equal(a.got.u.certified.error, "");
		assert_int_equal(pki_cert_read(a.got.u.certified.certificate.data,
					       a.got.u.certified.certificate.len, &cert,
					       &diag),
				 0);
		assert_int_equal(cert.id.kind, kinds[i]);
		assert_string_equal(cert.id.name, "r1");
	}
	assert_int_equal(south_totals(f->s)->certified, 2);
	agent_close(&a);
	fake_free(f);
}

static void kinds_do_not_mix(void **state)
{
	struct fake *f = fake_new();
	struct agent a = { 0 };

	agent_open(&a, f, "r1", PKI_ROUTER);
	agent_hello(&a, 0);
	certify(&a, PKI_EDGE);
	assert_string_equal(a.got.u.certified.error, "an agent of kind router gets no edge certificate");
	agent_close(&a);
	agent_open(&a, f, "r1", PKI_EDGE);
	agent_hello(&a, 0);
	certify(&a, PKI_RELAY);
	assert_string_equal(a.got.u.certified.error, "an agent of kind edge gets no relay certificate");
	certify(&a, PKI_ROUTER);
	assert_string_equal(a.got.u.certified.error, "an agent of kind edge gets no router certificate");
	certify(&a, PKI_EDGE);
	assert_string_equal(a.got.u.certified.error, "");
	agent_close(&a);
	relay_up(&a, f); /* a relay gets none at all */
	say(&a, AGENT_MSG_UNKNOWN);
	agent_close(&a);
	fake_free(f);
}

static void no_certificate_that_is_not_on_record(void **state)
{
	struct fake *f = fake_new();
	struct agent a = { 0 };

	agent_open(&a, f, "r1", PKI_ROUTER);
	agent_hello(&a, 0);
	f->record_fails = true;
	certify(&a, PKI_RELAY);
	assert_string_equal(a.got.u.certified.error, "disk full");
	f->issue_fails = true;
	certify(&a, PKI_RELAY);
	assert_string_equal(a.got.u.certified.error, "signer is ill");
	assert_int_equal(south_session_state(a.ss), SOUTH_RUNNING); /* filters go on */
	agent_close(&a);
	fake_free(f);
}

static void so_many_a_day(void **state)
{
	struct fake *f = fake_new();
	struct agent a = { 0 };

	agent_open(&a, f, "r1", PKI_ROUTER);
	agent_hello(&a, 0);
	for (int i = 0; i < SOUTH_CERTIFY_MAX; i++) {
		certify(&a, PKI_RELAY);
		assert_string_equal(a.got.u.certified.error, "");
		agent_reopen(&a, "r1"); /* another session is no way around it */
		agent_hello(&a, 0);
	}
	certify(&a, PKI_RELAY);
	assert_string_equal(a.got.u.certified.error,
			    "8 certificates were asked for within a day");
	f->now += 86400LL * 1000;
	agent_reopen(&a, "r1");
	agent_hello(&a, 0);
	certify(&a, PKI_RELAY);
	assert_string_equal(a.got.u.certified.error, "");
	agent_close(&a);
	fake_free(f);
}

/* ---- the hand brake ---- */

static void the_hand_brake_is_known(void **state)
{
	struct agent_msg msg = { .type = AGENT_MSG_ALL_OFF };
	struct fake *f = fake_new();
	struct agent a = { 0 };

	agent_open(&a, f, "r1", PKI_ROUTER);
	agent_hello(&a, 0);
	assert_false(status_of(f).all_off);
	msg.u.all_off.on = true;
	agent_say(&a, &msg);
	assert_true(status_of(f).all_off);
	assert_non_null(strstr(f->last_note, "all off"));
	agent_close(&a);
	assert_true(status_of(f).all_off); /* as it said last */
	agent_open(&a, f, "r1", PKI_ROUTER);
	agent_hello(&a, 0); /* says that it is not on any more */
	assert_false(status_of(f).all_off);
	agent_close(&a);
	fake_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bmp_arrives_as_the_routers_of_the_certificate),
		cmocka_unit_test(a_relay_without_a_router_is_refused),
		cmocka_unit_test(a_relay_says_nothing_else),
		cmocka_unit_test(no_bmp_before_the_greeting_nor_from_others),
		cmocka_unit_test(a_frame_of_a_relay_is_small),
		cmocka_unit_test(a_stream_that_is_refused_ends_the_session),
		cmocka_unit_test(the_newer_relay_is_the_live_one),
		cmocka_unit_test(the_agent_and_its_relay_do_not_replace_each_other),
		cmocka_unit_test(revocation_cuts_both),
		cmocka_unit_test(a_silent_relay_is_cut_and_a_living_one_is_not),
		cmocka_unit_test(the_certificates_end_ends_the_relay),
		cmocka_unit_test(a_dump_is_asked_for_in_the_middle),
		cmocka_unit_test(what_it_says_of_itself_is_shown),
		cmocka_unit_test(an_agent_gets_certificates_for_its_name),
		cmocka_unit_test(kinds_do_not_mix),
		cmocka_unit_test(no_certificate_that_is_not_on_record),
		cmocka_unit_test(so_many_a_day),
		cmocka_unit_test(the_hand_brake_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
