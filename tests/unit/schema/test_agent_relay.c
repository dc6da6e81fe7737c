/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Messages of relays and certificates: what comes through, and what does not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/mem.h"
#include "schema/agent.pb-c.h"
#include "schema/agent_msg.h"

static void back_again(const struct agent_msg *msg, struct agent_msg *back)
{
	struct wr wr = { 0 };
	struct diag diag = { "" };

	agent_msg_pack(msg, &wr);
	if (agent_msg_unpack(wr.data + 4, wr.len - 4, back, &diag) != 0)
		fail_msg("%s", diag.text);
	assert_int_equal(back->type, msg->type);
	wr_fini(&wr);
}

static void refused(const Opensav__Message *m, const char *says)
{
	uint8_t *raw = mem_alloc(opensav__message__get_packed_size(m));
	struct agent_msg msg;
	struct diag diag;

	assert_int_equal(agent_msg_unpack(raw, opensav__message__pack(m, raw), &msg, &diag),
			 -1);
	assert_string_equal(diag.text, says);
	free(raw);
}

static void the_hand_brake(void **state)
{
	struct agent_msg msg = { .type = AGENT_MSG_ALL_OFF }, back;

	msg.u.all_off.on = true;
	back_again(&msg, &back);
	assert_true(back.u.all_off.on);
	agent_msg_fini(&back);
	msg = (struct agent_msg){ .type = AGENT_MSG_HELLO };
	msg.u.hello.all_off = true;
	back_again(&msg, &back);
	assert_true(back.u.hello.all_off);
	agent_msg_fini(&back);
}

static void certificates(void **state)
{
	static const enum pki_kind kinds[] = { PKI_ROUTER, PKI_EDGE, PKI_RELAY };
	struct agent_msg msg, back;
	uint8_t der[] = { 0x30, 0x00 };

	for (size_t i = 0; i < 3; i++) {
		msg = (struct agent_msg){ .type = AGENT_MSG_CERTIFY };
		msg.u.certify.kind = kinds[i];
		msg.u.certify.csr = (struct agent_blob){ der, 2 };
		back_again(&msg, &back);
		assert_int_equal(back.u.certify.kind, kinds[i]);
		assert_memory_equal(back.u.certify.csr.data, der, 2);
		agent_msg_fini(&back);
		msg = (struct agent_msg){ .type = AGENT_MSG_CERTIFIED };
		msg.u.certified.kind = kinds[i];
		msg.u.certified.certificate = (struct agent_blob){ der, 2 };
		back_again(&msg, &back);
		assert_int_equal(back.u.certified.kind, kinds[i]);
		assert_int_equal(back.u.certified.certificate.len, 2);
		assert_string_equal(back.u.certified.error, "");
		agent_msg_fini(&back);
	}
	msg = (struct agent_msg){ .type = AGENT_MSG_CERTIFIED };
	strcpy(msg.u.certified.error, "disk full");
	back_again(&msg, &back);
	assert_string_equal(back.u.certified.error, "disk full");
	assert_int_equal(back.u.certified.certificate.len, 0);
	agent_msg_fini(&back);
}

static void bad_certificates(void **state)
{
	Opensav__Message m = OPENSAV__MESSAGE__INIT;
	Opensav__Certify ask = OPENSAV__CERTIFY__INIT;
	Opensav__Certified answer = OPENSAV__CERTIFIED__INIT;
	uint8_t der[AGENT_DER_MAX_BYTES + 1] = { 0x30 };
	char error[] = "no";

	m.body_case = OPENSAV__MESSAGE__BODY_CERTIFY;
	m.certify = &ask;
	ask.csr = (ProtobufCBinaryData){ 2, der };
	refused(&m, "certify: kind: 0");
	ask.kind = (Opensav__Kind)4; /* a controller's, if anything */
	refused(&m, "certify: kind: 4");
	ask.kind = OPENSAV__KIND__KIND_RELAY;
	ask.csr.len = 0;
	refused(&m, "certify: csr: 0 bytes, 1 to 16384 expected");
	ask.csr.len = sizeof(der);
	refused(&m, "certify: csr: 16385 bytes, 1 to 16384 expected");
	m.body_case = OPENSAV__MESSAGE__BODY_CERTIFIED;
	m.certified = &answer;
	answer.kind = OPENSAV__KIND__KIND_RELAY;
	refused(&m, "certified: certificate: 0 bytes, 1 to 16384 expected");
	answer.error = error;
	answer.certificate = (ProtobufCBinaryData){ 2, der };
	refused(&m, "certified: certificate: beside an error");
}

static void bmp_in_pieces(void **state)
{
	uint8_t *raw = mem_alloc(AGENT_BMP_MAX_BYTES + 1);
	struct agent_msg msg = { .type = AGENT_MSG_BMP }, back;
	Opensav__Message m = OPENSAV__MESSAGE__INIT;
	Opensav__Bmp bmp = OPENSAV__BMP__INIT;

	raw[0] = 3;
	raw[AGENT_BMP_MAX_BYTES - 1] = 77;
	for (size_t len = 1; len <= AGENT_BMP_MAX_BYTES; len += AGENT_BMP_MAX_BYTES - 1) {
		msg.u.bmp.data = (struct agent_blob){ raw, len };
		msg.u.bmp.waiting = len << 33;
		back_again(&msg, &back);
		assert_int_equal(back.u.bmp.data.len, len);
		assert_memory_equal(back.u.bmp.data.data, raw, len);
		assert_int_equal(back.u.bmp.waiting, len << 33);
		agent_msg_fini(&back);
	}
	m.body_case = OPENSAV__MESSAGE__BODY_BMP;
	m.bmp = &bmp;
	refused(&m, "bmp: data: 0 bytes, 1 to 65536 expected");
	bmp.data = (ProtobufCBinaryData){ AGENT_BMP_MAX_BYTES + 1, raw };
	refused(&m, "bmp: data: 65537 bytes, 1 to 65536 expected");
	free(raw);
}

static void what_a_relay_has_done(void **state)
{
	struct agent_msg msg = { .type = AGENT_MSG_RELAY_STATUS }, back;

	msg.u.relay_status = (struct agent_relay_status){ 1, 2, 3, 4, 5, 6, 1ULL << 40, true };
	back_again(&msg, &back);
	assert_int_equal(back.u.relay_status.sessions, 1);
	assert_int_equal(back.u.relay_status.refused, 2);
	assert_int_equal(back.u.relay_status.overflows, 3);
	assert_int_equal(back.u.relay_status.dropped_bytes, 4);
	assert_int_equal(back.u.relay_status.bytes, 5);
	assert_int_equal(back.u.relay_status.high_bytes, 6);
	assert_int_equal(back.u.relay_status.limit_bytes, 1ULL << 40);
	assert_true(back.u.relay_status.session);
	agent_msg_fini(&back);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_hand_brake),	cmocka_unit_test(certificates),
		cmocka_unit_test(bad_certificates),	cmocka_unit_test(bmp_in_pieces),
		cmocka_unit_test(what_a_relay_has_done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
