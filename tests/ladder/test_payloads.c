/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What is inside messages of a peer who has the keys: payloads left out, selectors
 * that are none, names that are not fit for a log. Cases named after a CVE send
 * what broke another implementation.
 */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ipsec/ike/natd.h"
#include "tests/ladder/ladder.h"

static struct ike_sa *sender(void)
{
	return engine_sa_by_number(ladder.ends[0].engine, 1);
}

/* As a request of the first end to the second one. */
static void send_chain(uint8_t exchange, struct ike_writer *chain)
{
	struct ike_sa *to = engine_sa_by_number(ladder.ends[1].engine, 1);
	struct ike_header header = sa_header(sender(), exchange, false, to ? to->recv_id : 0);

	ladder_forge(0, sender(), &header, chain);
	ike_writer_fini(chain);
}

/* The second end still has one SA and can be talked to. */
static void assert_alive(void)
{
	struct diag diag;

	while (ladder.n_wire > 0)
		ladder_drop(0); /* answers to nobody's question */
	assert_int_equal(ladder_counters(1).sas, 1);
	assert_int_equal(ike_engine_rekey(ladder.ends[1].engine, "t", true, ladder.now, &diag), 0);
	ladder_settle();
	assert_int_equal(ladder_counters(1).sas, 1);
	assert_true(ladder.ends[1].n_kids >= 1);
}

/* ---- payloads left out */

enum { WITH_SA = 1, WITH_NONCE = 2, WITH_TSI = 4, WITH_TSR = 8, WITH_ALL = 15, WITH_KE = 16, WITH_REKEY = 32 };

static void put_some(struct ike_writer *w, unsigned with)
{
	static const uint8_t nonce[32] = { 5 }, value[32] = { 9 };
	const struct sa_child *child = sender()->children[0];
	struct ike_proposals one = { .n = 1 };
	size_t begun;

	if (with & WITH_REKEY)
		ike_notify_spi_encode(w, N_REKEY_SA, IKE_PROTO_ESP, child->spi_in);
	if (with & WITH_SA) {
		ike_proposal_of_suite(&child->suite, IKE_PROTO_ESP, 1, &one.list[0]);
		one.list[0].spi_len = 4;
		one.list[0].spi[0] = 0x44;
		begun = ike_payload_begin(w, IKE_PL_SA);
		ike_proposals_encode(&one, &w->wr);
		ike_payload_end(w, begun);
	}
	if (with & WITH_NONCE)
		ike_nonce_encode(w, nonce, sizeof(nonce));
	if (with & WITH_KE)
		ike_ke_encode(w, DH_X25519, value, sizeof(value));
	if (with & WITH_TSI)
		ike_ts_encode(w, IKE_PL_TSI, child->local_ts);
	if (with & WITH_TSR)
		ike_ts_encode(w, IKE_PL_TSR, child->remote_ts);
}

/* CVE-2013-6467, CVE-2016-5391, CVE-2024-2357: what must be there is not. */
static void cve_2013_6467_payloads_left_out(void **state)
{
	for (unsigned with = 0; with < 64; with++) {
		struct ike_writer chain;

		ladder_begin(NULL);
		ladder_up();
		ike_writer_init(&chain);
		put_some(&chain, with);
		send_chain(CREATE_CHILD_SA, &chain);
		assert_int_equal(ladder.ends[1].n_kids, 1 + ((with & WITH_ALL) == WITH_ALL));
		assert_alive();
		ladder_end();
	}
}

static void the_first_message_lacks_something(void **state)
{
	static const uint8_t nonce[32] = { 5 }, value[32] = { 9 };
	struct ike_header header = { .spi_i = { 1 }, .exchange = IKE_SA_INIT, .flags = IKE_FLAG_INITIATOR };
	struct ike_proposals one = { .n = 1 };
	struct diag diag;

	assert_int_equal(ike_proposal_parse("aes256gcm16-prfsha256-x25519", IKE_PROTO_IKE, &one.list[0], &diag), 0);
	one.list[0].number = 1;
	for (unsigned with = 0; with < 8; with++) {
		struct ike_writer w;
		size_t begun;

		ladder_begin(NULL);
		ike_writer_init_header(&w, &header);
		if (with & 1) {
			begun = ike_payload_begin(&w, IKE_PL_SA);
			ike_proposals_encode(&one, &w.wr);
			ike_payload_end(&w, begun);
		}
		if (with & 2)
			ike_ke_encode(&w, DH_X25519, value, sizeof(value));
		if (with & 4)
			ike_nonce_encode(&w, nonce, sizeof(nonce));
		ike_writer_finish(&w);
		ladder_inject(1, w.wr.data, w.wr.len, 0);
		ike_writer_fini(&w);
		assert_int_equal(ladder_counters(1).half_open, with == 7);
		ladder_up();
		assert_int_equal(ladder.ends[1].n_kids, 1);
		ladder_end();
	}
}

/* ---- selectors */

/* CVE-2023-23009: counts and lengths that lie, types that nobody has, ends before
 * beginnings, more than anybody needs. */
static void cve_2023_23009_selectors_that_are_none(void **state)
{
	static const uint8_t good[2][16] = { { 7, 0, 0, 16, 0, 0, 0xff, 0xff, 198, 51, 100, 0, 198, 51, 100, 255 },
					     { 7, 0, 0, 16, 0, 0, 0xff, 0xff, 203, 0, 113, 0, 203, 0, 113, 255 } };
	static const struct {
		uint8_t count, times, at, byte;
	} forms[] = {
		{ 1, 1, 0, 7 }, /* as it should be */
		{ 0, 0, 0, 7 }, { 1, 0, 0, 7 }, { 255, 1, 0, 7 }, { 2, 1, 0, 7 }, { 1, 2, 0, 7 }, { 1, 1, 0, 8 }, { 1, 1, 0, 0 },
		{ 1, 1, 0, 9 }, { 1, 1, 0, 255 }, { 1, 1, 3, 0 }, { 1, 1, 3, 8 }, { 1, 1, 3, 15 }, { 1, 1, 3, 17 }, { 1, 1, 2, 1 },
		{ 1, 1, 12, 0 }, { 255, 255, 0, 7 },
	};

	for (size_t f = 0; f < sizeof(forms) / sizeof(forms[0]); f++)
		for (unsigned which = 0; which < 2; which++) {
			struct ike_writer chain;
			uint8_t one[16];
			size_t begun;

			memcpy(one, good[which], sizeof(one));
			one[forms[f].at] = forms[f].byte;
			ladder_begin(NULL);
			ladder_up();
			ike_writer_init(&chain);
			put_some(&chain, WITH_SA | WITH_NONCE | (which ? WITH_TSI : WITH_TSR));
			begun = ike_payload_begin(&chain, which ? IKE_PL_TSR : IKE_PL_TSI);
			wr_u8(&chain.wr, forms[f].count);
			wr_u8(&chain.wr, 0);
			wr_be16(&chain.wr, 0);
			for (unsigned i = 0; i < forms[f].times; i++)
				wr_bytes(&chain.wr, one, sizeof(one));
			ike_payload_end(&chain, begun);
			send_chain(CREATE_CHILD_SA, &chain);
			assert_int_equal(ladder.ends[1].n_kids, 1 + (f == 0));
			assert_alive();
			ladder_end();
		}
}

/* ---- ESP_TFC_PADDING_NOT_SUPPORTED */

static void assert_all_no_tfc(void)
{
	for (unsigned end = 0; end < 2; end++)
		for (unsigned i = 0; i < ladder.ends[end].n_kids; i++)
			assert_true(ladder.ends[end].kids[i].no_tfc);
}

/* RFC 7296 1.3.1, 3.10.1: said by either in each exchange that makes a child, which
 * the other's datapath is told of. */
static void no_tfc_padding_is_said_with_each_child(void **state)
{
	const struct sa_request child = { .kind = REQ_CHILD_NEW };
	struct diag diag;

	ladder_begin(NULL);
	ladder_up();
	assert_all_no_tfc();
	for (unsigned end = 0; end < 2; end++) {
		sa_queue(ladder_sa(end, 0), &child);
		ladder_settle();
		assert_int_equal(ladder.ends[0].n_kids, 2 + end);
		assert_all_no_tfc();
		assert_int_equal(ike_engine_rekey(ladder.ends[end].engine, "t", true, ladder.now, &diag), 0);
		ladder_settle();
		assert_int_equal(ladder.ends[0].n_kids, 2 + end);
		assert_all_no_tfc();
	}
	ladder_end();
}

/* Of a peer that does not say it, and of one that does. */
static void no_tfc_padding_of_a_peer_is_understood(void **state)
{
	for (unsigned says = 0; says < 2; says++) {
		struct ike_writer chain;

		ladder_begin(NULL);
		ladder_up();
		ike_writer_init(&chain);
		if (says)
			ike_notify_encode(&chain, N_ESP_TFC_PADDING_NOT_SUPPORTED, NULL, 0);
		put_some(&chain, WITH_ALL);
		send_chain(CREATE_CHILD_SA, &chain);
		assert_int_equal(ladder.ends[1].n_kids, 2);
		assert_int_equal(ladder.ends[1].kids[1].no_tfc, says);
		ladder_end();
	}
}

/* ---- NAT detection */

static struct natd_result judged(const struct ike_endpoint *from, unsigned n_wrong)
{
	const struct ike_endpoint at = ladder_endpoint("192.0.2.1"), other = ladder_endpoint("192.0.2.77");
	static const uint8_t spi_i[IKE_SPI_SIZE] = { 1 }, spi_r[IKE_SPI_SIZE] = { 2 };
	const struct ike_header header = { .exchange = IKE_SA_INIT };
	struct ike_payloads payloads;
	struct natd_result result;
	struct ike_writer w;
	uint8_t bad;

	ike_writer_init_header(&w, &header);
	for (unsigned i = 0; i < n_wrong; i++)
		natd_encode(&w, spi_i, spi_r, &other, &at, false);
	natd_encode(&w, spi_i, spi_r, from, &at, false);
	ike_writer_finish(&w);
	assert_int_equal(ike_payloads_decode(w.wr.data[16], rd_init(w.wr.data + IKE_HEADER_SIZE, w.wr.len - IKE_HEADER_SIZE),
					     &payloads, &bad),
			 IKE_DECODED);
	assert_true(natd_judge(&payloads, spi_i, spi_r, &at, &(struct ike_endpoint){ ladder_endpoint("192.0.2.2").addr, 500 },
			       &result));
	ike_writer_fini(&w);
	return result;
}

/* RFC 7296 2.23: a peer with several addresses sends a hash of each, and one of
 * them is enough. */
static void several_source_hashes(void **state)
{
	const struct ike_endpoint right = ladder_endpoint("192.0.2.2"), wrong = ladder_endpoint("10.0.0.1");

	for (unsigned n = 0; n < 6; n++) {
		assert_false(judged(&right, n).remote);
		assert_false(judged(&right, n).local);
		assert_true(judged(&wrong, n).remote);
	}
}

static void at_ike_auth(struct ike_writer *chain)
{
	ladder_until_auth();
	ladder_drop(0); /* the true IKE_AUTH */
	ike_writer_init(chain);
}

/* ---- names */

/* CVE-2020-1763's class, a log line that breaks its writer: what comes into one
 * is printable, whatever the peer is called. */
static void cve_2020_1763_names_in_a_log(void **state)
{
	static const char *const names[] = { "%s%s%n%x", "\n\r\033[2J", "\377\376\200", "a\"b\\c", "" };
	static const uint8_t types[] = { IKE_ID_FQDN, IKE_ID_EMAIL, IKE_ID_DN, IKE_ID_KEY_ID, 0, 255 };
	static const uint8_t auth[32] = { 1 };
	char long_name[500];

	memset(long_name, '%', sizeof(long_name));
	for (unsigned n = 0; n < 6; n++)
		for (unsigned t = 0; t < sizeof(types); t++) {
			struct ike_writer chain;

			at_ike_auth(&chain);
			ike_id_encode(&chain, IKE_PL_IDI, types[t], n < 5 ? names[n] : long_name,
				      n < 5 ? strlen(names[n]) : sizeof(long_name));
			ike_auth_encode(&chain, IKE_AUTH_PSK, auth, sizeof(auth));
			send_chain(IKE_AUTH, &chain);
			assert_int_equal(ladder.ends[1].ups, 0);
			assert_int_equal(ladder.ends[1].failures, 1);
			for (const char *c = ladder.ends[1].last; *c; c++)
				assert_true(isprint((unsigned char)*c));
			ladder_end();
		}
}

/* ---- IKE_AUTH that cannot be answered with what it wants */

static void refused_with(const char *notify, const char *reason, struct ike_writer *chain)
{
	send_chain(IKE_AUTH, chain);
	assert_non_null(strstr(ladder.ends[1].told, reason));
	assert_int_equal(ladder.n_wire, 1);
	ladder_deliver(0);
	assert_non_null(strstr(ladder.ends[0].told, notify));
	assert_int_equal(ladder.ends[0].ups + ladder.ends[1].ups, 0);
	ladder_end();
}

/* RFC 7296 2.5. */
static void a_critical_payload_that_nobody_knows(void **state)
{
	static const uint8_t auth[32] = { 1 };
	struct ike_writer chain;
	size_t begun;

	at_ike_auth(&chain);
	ike_id_encode(&chain, IKE_PL_IDI, IKE_ID_FQDN, "a.example", 9);
	begun = ike_payload_begin(&chain, 99);
	chain.wr.data[begun + 1] = 0x80;
	ike_payload_end(&chain, begun);
	ike_auth_encode(&chain, IKE_AUTH_PSK, auth, sizeof(auth));
	refused_with("UNSUPPORTED_CRITICAL_PAYLOAD", "payload of type 99", &chain);
}

/* RFC 7296 2.16: who leaves AUTH out wants EAP. */
static void who_wants_eap_is_told_that_there_is_none(void **state)
{
	struct ike_writer chain;

	at_ike_auth(&chain);
	ike_id_encode(&chain, IKE_PL_IDI, IKE_ID_FQDN, "a.example", 9);
	refused_with("AUTHENTICATION_FAILED", "EAP", &chain);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cve_2013_6467_payloads_left_out),
		cmocka_unit_test(the_first_message_lacks_something),
		cmocka_unit_test(cve_2023_23009_selectors_that_are_none),
		cmocka_unit_test(no_tfc_padding_is_said_with_each_child),
		cmocka_unit_test(no_tfc_padding_of_a_peer_is_understood),
		cmocka_unit_test(several_source_hashes),
		cmocka_unit_test(cve_2020_1763_names_in_a_log),
		cmocka_unit_test(a_critical_payload_that_nobody_knows),
		cmocka_unit_test(who_wants_eap_is_told_that_there_is_none),
	};

	return cmocka_run_group_tests_name("payloads", tests, NULL, NULL);
}
