/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/south/south_fixture.h"

/* ---- who may do what ---- */

static void expect_refused(struct agent *a, const char *says)
{
	agent_expect(a, AGENT_MSG_FAILURE);
	if (!strstr(a->got.u.failure.text, says))
		fail_msg("\"%s\" says nothing of \"%s\"", a->got.u.failure.text, says);
	assert_int_equal(south_session_state(a->ss), SOUTH_DEAD); /* all is sent */
	assert_int_equal(a->f->up, 0);
	agent_close(a);
}

static void revoked_certificate(void **state)
{
	struct fake *f = fake_new();
	struct agent a = { 0 };

	f->certificate_bad = true;
	agent_open(&a, f, "r1", PKI_ROUTER);
	expect_refused(&a, "revoked");
	assert_int_equal(f->down, 0);
	fake_free(f);
}

static void wrong_kinds_of_certificates(void **state)
{
	struct fake *f = fake_new();
	struct agent a = { 0 };
	struct pki_cert nobody = { .serial = "1", .not_after = FAKE_WALL + 10 };
	struct pki_cert expired = { .has_id = true,
				    .id = { PKI_ROUTER, "r1" },
				    .serial = "1",
				    .not_after = FAKE_WALL };

	agent_open(&a, f, "r1", PKI_CONTROLLER);
	expect_refused(&a, "controller certificate");
	for (int i = 0; i < 2; i++) {
		a.f = f;
		a.in = frame_in_new(AGENT_FRAME_MAX_BYTES);
		a.ss = south_session_open(f->s, "192.0.2.7", f, f->now);
		south_session_secure(a.ss, i ? &expired : &nobody, FAKE_WALL, f->now);
		expect_refused(&a, i ? "expired" : "names nobody");
	}
	fake_free(f);
}

static void no_certificate_no_session(void **state)
{
	struct agent_msg msg = { .type = AGENT_MSG_HELLO };
	struct fake *f = fake_new();
	struct agent a = { 0 };

	agent_open(&a, f, NULL, PKI_ROUTER);
	strcpy(msg.u.hello.software, "test 1");
	msg.u.hello.protocol = 1;
	agent_say(&a, &msg);
	expect_refused(&a, "enroll first");
	fake_free(f);
}

static void inventory_before_hello(void **state)
{
	struct agent_msg msg = { .type = AGENT_MSG_INVENTORY };
	struct fake *f = fake_new();
	struct agent a = { 0 };

	agent_open(&a, f, "r1", PKI_ROUTER);
	agent_say(&a, &msg);
	expect_refused(&a, "does not belong");
	assert_int_equal(f->inventories, 0);
	fake_free(f);
}

static void controller_messages_from_an_agent(void **state)
{
	struct agent_msg msg = { .type = AGENT_MSG_EDGE_LIST };
	struct fake *f = fake_new();
	struct agent a = { 0 };

	agent_open(&a, f, "r1", PKI_ROUTER);
	agent_hello(&a, 0);
	agent_say(&a, &msg);
	agent_expect(&a, AGENT_MSG_FAILURE);
	assert_int_equal(f->down, 1);
	agent_close(&a);
	fake_free(f);
}

static void oversized_and_malformed_frames(void **state)
{
	struct fake *f = fake_new();
	struct agent a = { 0 };

	agent_open(&a, f, "r1", PKI_ROUTER);
	agent_hello(&a, 0);
	south_session_bytes(a.ss, "\x01\0\0\0", 4, f->now);
	agent_expect(&a, AGENT_MSG_FAILURE);
	assert_non_null(strstr(a.got.u.failure.text, "frame of 16777216 bytes"));
	agent_reopen(&a, "r1");
	agent_hello(&a, 0);
	south_session_bytes(a.ss, "\0\0\0\2\x0a\xff", 6, f->now);
	agent_expect(&a, AGENT_MSG_FAILURE);
	assert_non_null(strstr(a.got.u.failure.text, "malformed"));
	assert_int_equal(south_totals(f->s)->malformed, 2);
	/* what comes after the end is not looked at */
	south_session_bytes(a.ss, "\0\0\0\2\x52\0", 6, f->now);
	assert_int_equal(f->down, 2);
	agent_close(&a);
	/* a stranger's frames are smaller */
	agent_open(&a, f, NULL, PKI_ROUTER);
	f->up = 0;
	south_session_bytes(a.ss, "\0\0\x80\0", 4, f->now);
	expect_refused(&a, "frame of 32768 bytes");
	fake_free(f);
}

static void unknown_message_is_ignored(void **state)
{
	struct fake *f = fake_new();
	struct agent a = { 0 };

	agent_open(&a, f, "r1", PKI_ROUTER);
	agent_hello(&a, 0);
	south_session_bytes(a.ss, "\0\0\0\3\xa2\x06\0", 7, f->now);
	assert_int_equal(south_session_state(a.ss), SOUTH_RUNNING);
	agent_close(&a);
	fake_free(f);
}

static void newer_session_wins(void **state)
{
	struct fake *f = fake_new();
	struct agent a = { 0 }, b = { 0 };

	agent_open(&a, f, "r1", PKI_ROUTER);
	agent_hello(&a, 0);
	agent_open(&b, f, "r1", PKI_ROUTER);
	agent_hello(&b, 0);
	agent_expect(&a, AGENT_MSG_FAILURE);
	assert_non_null(strstr(a.got.u.failure.text, "newer session"));
	assert_int_equal(south_session_state(a.ss), SOUTH_DEAD);
	assert_int_equal(f->up, 2);
	assert_int_equal(f->down, 1);
	assert_non_null(strstr(f->last_note, "replaces"));
	agent_close(&a);
	assert_int_equal(f->down, 1);
	fake_want(f, "eth0", 1, "10.0.0.0/8", NULL);
	agent_expect(&b, AGENT_MSG_FILTER);
	agent_close(&b);
	assert_int_equal(f->down, 2);
	fake_free(f);
}

static void revocation_cuts(void **state)
{
	struct south_status st;
	struct fake *f = fake_new();
	struct agent a = { 0 };

	assert_false(south_session_cut(f->s, "r1", "x", f->now));
	agent_open(&a, f, "r1", PKI_ROUTER);
	agent_hello(&a, 0);
	assert_true(south_session_cut(f->s, "r1", "certificate revoked", f->now));
	assert_int_equal(f->down, 1);
	assert_true(south_status(f->s, "r1", &st));
	assert_false(st.connected);
	assert_string_equal(st.last_error, "certificate revoked");
	assert_string_equal(st.software, "test 1");
	south_status_fini(&st);
	agent_expect(&a, AGENT_MSG_FAILURE);
	assert_string_equal(a.got.u.failure.text, "certificate revoked");
	agent_close(&a);
	fake_free(f);
}

static void cut_from_a_callback(void **state)
{
	struct agent_msg msg = { .type = AGENT_MSG_INVENTORY };
	struct fake *f = fake_new();
	struct agent a = { 0 };

	f->cut_on_inventory = true;
	agent_open(&a, f, "r1", PKI_ROUTER);
	agent_hello(&a, 0);
	agent_say(&a, &msg);
	assert_int_equal(f->inventories, 1);
	assert_int_equal(f->down, 1);
	agent_say(&a, &msg);
	assert_int_equal(f->inventories, 1);
	agent_close(&a);
	fake_free(f);
}

/* ---- time ---- */

static void handshake_timeout(void **state)
{
	struct fake *f = fake_new();
	struct south_session *ss = south_session_open(f->s, "192.0.2.7", f, f->now);
	struct agent a = { 0 };

	assert_int_equal(south_run(f->s, f->now), f->now + SOUTH_HANDSHAKE_MS);
	agent_open(&a, f, "r1", PKI_ROUTER); /* TLS done, but no Hello */
	f->now += SOUTH_HANDSHAKE_MS - 1;
	south_run(f->s, f->now);
	assert_int_equal(south_session_state(ss), SOUTH_RUNNING);
	f->now++;
	south_run(f->s, f->now);
	assert_int_equal(south_session_state(ss), SOUTH_DEAD);
	assert_int_equal(south_session_state(a.ss), SOUTH_FLUSHING);
	f->now += 5000; /* the other side does not even read the reason */
	south_run(f->s, f->now);
	assert_int_equal(south_session_state(a.ss), SOUTH_DEAD);
	south_session_close(ss, "x", f->now);
	agent_close(&a);
	fake_free(f);
}

static void keepalive_and_idle(void **state)
{
	struct agent_msg keepalive = { .type = AGENT_MSG_KEEPALIVE };
	struct fake *f = fake_new();
	struct agent a = { 0 };
	int64_t heard;

	agent_open(&a, f, "r1", PKI_ROUTER);
	agent_hello(&a, 0);
	f->now += SOUTH_KEEPALIVE_MS;
	south_run(f->s, f->now);
	agent_expect(&a, AGENT_MSG_KEEPALIVE);
	agent_say(&a, &keepalive);
	heard = f->now;
	while (f->now < heard + SOUTH_IDLE_MS - 1000) {
		f->now += 1000;
		south_run(f->s, f->now);
	}
	assert_int_equal(south_session_state(a.ss), SOUTH_RUNNING);
	f->now = heard + SOUTH_IDLE_MS;
	south_run(f->s, f->now);
	assert_int_equal(f->down, 1);
	assert_non_null(strstr(f->down_why, "nothing heard"));
	agent_close(&a);
	fake_free(f);
}

static void certificate_ends_during_a_session(void **state)
{
	struct pki_cert cert = { .has_id = true,
				 .id = { PKI_ROUTER, "r1" },
				 .serial = "1",
				 .not_after = FAKE_WALL + 20 };
	struct agent_msg keepalive = { .type = AGENT_MSG_KEEPALIVE };
	struct fake *f = fake_new();
	struct agent a = { .f = f, .in = frame_in_new(AGENT_FRAME_MAX_BYTES) };

	a.ss = south_session_open(f->s, "192.0.2.7", f, f->now);
	south_session_secure(a.ss, &cert, FAKE_WALL, f->now);
	agent_hello(&a, 0);
	assert_non_null(strstr(f->last_note, "enroll it again"));
	f->now += 19999;
	agent_say(&a, &keepalive);
	south_run(f->s, f->now);
	assert_int_equal(f->down, 0);
	f->now++;
	south_run(f->s, f->now);
	assert_int_equal(f->down, 1);
	assert_non_null(strstr(f->down_why, "expired"));
	agent_close(&a);
	fake_free(f);
}

static void strangers_are_bounded(void **state)
{
	struct south_session *ss[SOUTH_STRANGERS_MAX + 1];
	struct fake *f = fake_new();
	struct agent a = { 0 };

	/* one honest agent, older than all others, and one up */
	agent_open(&a, f, "r1", PKI_ROUTER);
	agent_hello(&a, 0);
	ss[0] = south_session_open(f->s, "198.51.100.1", f, f->now);
	for (int i = 1; i < SOUTH_STRANGERS_MAX; i++) {
		assert_true(south_can_accept(f->s, f->now));
		ss[i] = south_session_open(f->s, "203.0.113.66", f, f->now);
	}
	assert_false(south_can_accept(f->s, f->now)); /* all are young */
	f->now += SOUTH_STRANGER_MS;
	assert_true(south_can_accept(f->s, f->now));
	ss[SOUTH_STRANGERS_MAX] = south_session_open(f->s, "198.51.100.2", f, f->now);
	/* the address with the most pays, its oldest first */
	assert_int_equal(south_session_state(ss[0]), SOUTH_RUNNING);
	assert_int_equal(south_session_state(ss[1]), SOUTH_DEAD);
	assert_int_equal(south_session_state(ss[2]), SOUTH_RUNNING);
	assert_int_equal(south_session_state(a.ss), SOUTH_RUNNING);
	for (int i = 0; i <= SOUTH_STRANGERS_MAX; i++)
		south_session_close(ss[i], "x", f->now);
	agent_close(&a);
	fake_free(f);
}

static void refusals_do_not_flood_the_log(void **state)
{
	struct fake *f = fake_new();

	for (int i = 0; i < 1000; i++)
		south_refused(f->s, "garbage", f->now);
	assert_int_equal(f->notes, 10);
	f->now += 60000;
	south_refused(f->s, "garbage", f->now);
	assert_int_equal(f->notes, 12); /* and how many were left out */
	assert_int_equal(south_totals(f->s)->refused, 1001);
	fake_free(f);
}

/* ---- enrolment ---- */

static void enroll_say(struct agent *a, const char *name, uint8_t secret, bool good_csr)
{
	struct agent_msg msg = { .type = AGENT_MSG_ENROLL };
	struct pki_key *key = pki_key_new();
	struct wr csr = { 0 };
	struct diag diag;

	agent_open(a, a->f, NULL, PKI_ROUTER);
	/* The subject asks for another name; nobody listens. */
	assert_int_equal(pki_csr_make(key, "admin", &csr, &diag), 0);
	csr.data[csr.len - 1] ^= good_csr ? 0 : 1;
	strcpy(msg.u.enroll.name, name);
	memset(msg.u.enroll.secret, secret, AGENT_SECRET_SIZE);
	msg.u.enroll.csr = (struct agent_blob){ csr.data, csr.len };
	agent_say(a, &msg);
	wr_fini(&csr);
	pki_key_free(key);
}

static void enrolment(void **state)
{
	struct fake *f = fake_new();
	struct agent a = { .f = f };
	struct pki_cert cert;
	struct diag diag;

	f->kind = PKI_EDGE;
	enroll_say(&a, "r1", 5, true);
	agent_expect(&a, AGENT_MSG_ENROLLED);
	assert_int_equal(pki_cert_read(a.got.u.enrolled.certificate.data,
				       a.got.u.enrolled.certificate.len, &cert, &diag),
			 0);
	assert_string_equal(cert.id.name, "r1");
	assert_int_equal(cert.id.kind, PKI_EDGE);
	assert_int_equal(a.got.u.enrolled.ca.len, f->ca.len);
	assert_memory_equal(a.got.u.enrolled.ca.data, f->ca.data, f->ca.len);
	assert_int_equal(agent_receive(&a), AGENT_MSG_UNKNOWN);
	assert_int_equal(south_session_state(a.ss), SOUTH_DEAD);
	assert_int_equal(f->up, 0);
	agent_close(&a);
	a.f = f;
	enroll_say(&a, "r1", 5, true); /* a second time */
	expect_refused(&a, "no such token");
	fake_free(f);
}

static void enrolment_refused(void **state)
{
	struct fake *f = fake_new();
	struct agent a = { .f = f };

	enroll_say(&a, "r1", 6, true);
	expect_refused(&a, "no such token");
	a.f = f;
	enroll_say(&a, "r2", 5, true);
	expect_refused(&a, "enrolment of r2: no such token");
	assert_true(f->token_good);
	a.f = f;
	enroll_say(&a, "r1", 5, false);
	expect_refused(&a, "not signed by its own key");
	f->token_good = f->issue_fails = true;
	a.f = f;
	enroll_say(&a, "r1", 5, true);
	expect_refused(&a, "signer is ill");
	f->token_good = f->record_fails = true;
	f->issue_fails = false;
	a.f = f;
	enroll_say(&a, "r1", 5, true);
	expect_refused(&a, "disk full");
	f->token_good = true;
	f->record_fails = false;
	f->kind = PKI_CONTROLLER;
	a.f = f;
	enroll_say(&a, "r1", 5, true);
	expect_refused(&a, "refused");
	assert_int_equal(south_totals(f->s)->enrolled, 0);
	fake_free(f);
}

static void counters_and_inventory_arrive(void **state)
{
	struct agent_counters counters[2] = { { .interface = "eth0" },
					      { .interface = "eth1" } };
	struct agent_msg msg = { .type = AGENT_MSG_COUNTERS };
	struct fake *f = fake_new();
	struct agent a = { 0 };

	agent_open(&a, f, "r1", PKI_EDGE);
	agent_hello(&a, 0);
	msg.u.counters.edges = counters;
	msg.u.counters.n = 2;
	agent_say(&a, &msg);
	assert_int_equal(f->counters, 2);
	msg = (struct agent_msg){ .type = AGENT_MSG_INVENTORY };
	agent_say(&a, &msg);
	assert_int_equal(f->inventories, 1);
	msg = (struct agent_msg){ .type = AGENT_MSG_FAILURE };
	strcpy(msg.u.failure.text, "operator said stop");
	agent_say(&a, &msg);
	assert_non_null(strstr(f->down_why, "operator said stop"));
	assert_int_equal(south_session_state(a.ss), SOUTH_DEAD);
	agent_close(&a);
	fake_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(revoked_certificate),
		cmocka_unit_test(wrong_kinds_of_certificates),
		cmocka_unit_test(no_certificate_no_session),
		cmocka_unit_test(inventory_before_hello),
		cmocka_unit_test(controller_messages_from_an_agent),
		cmocka_unit_test(oversized_and_malformed_frames),
		cmocka_unit_test(unknown_message_is_ignored),
		cmocka_unit_test(newer_session_wins),
		cmocka_unit_test(revocation_cuts),
		cmocka_unit_test(cut_from_a_callback),
		cmocka_unit_test(handshake_timeout),
		cmocka_unit_test(keepalive_and_idle),
		cmocka_unit_test(certificate_ends_during_a_session),
		cmocka_unit_test(strangers_are_bounded),
		cmocka_unit_test(refusals_do_not_flood_the_log),
		cmocka_unit_test(enrolment),
		cmocka_unit_test(enrolment_refused),
		cmocka_unit_test(counters_and_inventory_arrive),
	};

	return cmocka_run_group_tests_name("south_session", tests, NULL, NULL);
}
