/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Strangers, and peers with the right keys who mean harm. Cases named after a
 * CVE send what broke another implementation; after each the tunnel that was up
 * still is, or comes up, and nothing more than was agreed is there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ipsec/ike/ts.h"
#include "tests/ladder/ladder.h"

static void assert_up(void)
{
	assert_int_equal(ladder_counters(0).sas, 1);
	assert_int_equal(ladder_counters(1).sas, 1);
	assert_int_equal(ladder.ends[0].n_kids, 1);
	assert_int_equal(ladder.ends[1].n_kids, 1);
}

/* Its exchange after this one works. */
static void assert_alive(void)
{
	struct diag diag;

	assert_int_equal(ike_engine_rekey(ladder.ends[0].engine, "t", true, ladder.now, &diag), 0);
	ladder_settle();
	ladder.now += 30000;
	ladder_settle();
	assert_up();
}

/* ---- IKE_SA_INIT by hand */

struct init {
	uint8_t version, exchange, flags;
	const char *proposal; /* NULL: without an SA payload */
	uint16_t group, without; /* transform type to leave out of the proposal */
	const uint8_t *ke;
	size_t ke_len;
	size_t nonce_len;
};

static struct init sane_init(void)
{
	static uint8_t ke[32] = { 9 };

	return (struct init){ IKE_VERSION, IKE_SA_INIT, IKE_FLAG_INITIATOR, "aes256gcm16-prfsha256-x25519",
			      DH_X25519, 0, ke, sizeof(ke), 32 };
}

static void leave_out(struct ike_proposal *p, uint16_t type)
{
	uint8_t kept = 0;

	for (uint8_t i = 0; i < p->n_transforms; i++)
		if (p->transforms[i].type != type)
			p->transforms[kept++] = p->transforms[i];
	p->n_transforms = kept;
}

/* Sends it to the second end; how many datagrams came back. */
static unsigned send_init(const struct init *init)
{
	static const uint8_t nonce[300] = { 7 };
	static struct ike_proposals proposals;
	struct ike_header header = { .spi_i = { 1, 2, 3, 4, 5, 6, 7, 8 }, .version = init->version,
				     .exchange = init->exchange, .flags = init->flags };
	struct ike_writer w;
	struct diag diag;
	unsigned before = ladder.n_wire;
	size_t begun;

	ike_writer_init_header(&w, &header);
	if (init->proposal) {
		proposals.n = 1;
		assert_int_equal(ike_proposal_parse(init->proposal, IKE_PROTO_IKE, &proposals.list[0], &diag), 0);
		proposals.list[0].number = 1;
		leave_out(&proposals.list[0], init->without);
		begun = ike_payload_begin(&w, IKE_PL_SA);
		ike_proposals_encode(&proposals, &w.wr);
		ike_payload_end(&w, begun);
	}
	if (init->ke)
		ike_ke_encode(&w, init->group, init->ke, init->ke_len);
	ike_nonce_encode(&w, nonce, init->nonce_len);
	ike_writer_finish(&w);
	w.wr.data[17] = init->version;
	ladder_inject(1, w.wr.data, w.wr.len, 0);
	ike_writer_fini(&w);
	ladder_run();
	return ladder.n_wire - before;
}

static void nothing_came_of_it(void)
{
	while (ladder.n_wire > 0)
		ladder_drop(0);
	ladder.now += 120000;
	ladder_run();
	assert_int_equal(ladder_counters(1).sas, 0);
	assert_int_equal(ladder_counters(1).half_open, 0);
	ladder_up();
	assert_up();
	ladder_end();
}

static void the_sane_one_is_answered(void **state)
{
	struct init init = sane_init();

	ladder_begin(NULL);
	assert_int_equal(send_init(&init), 1);
	assert_int_equal(ladder_counters(1).half_open, 1);
	nothing_came_of_it();
}

static void cve_2016_5391_no_group_in_the_proposal(void **state)
{
	struct init init = sane_init();

	for (uint16_t type = IKE_T_ENCR; type <= IKE_T_DH; type++) {
		ladder_begin(NULL);
		init.without = type;
		send_init(&init);
		nothing_came_of_it();
		if (type == IKE_T_PRF)
			type = IKE_T_INTEG; /* an AEAD has none */
	}
}

/* CVE-2014-9221's class, a group that exists inside only; and groups unknown. */
static void cve_2014_9221_groups_that_are_not(void **state)
{
	static const uint16_t groups[] = { 0, 1, 5, 22, 1024, 1025, 1030, 65535 };
	struct init init = sane_init();

	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		ladder_begin(NULL);
		init.group = groups[i];
		send_init(&init);
		nothing_came_of_it();
	}
}

/* Values that make the secret known: 0, 1, p - 1 (all 0xff is above p), points
 * off the curve, of small order, of wrong length. */
static void cve_2015_3240_public_values_that_are_none(void **state)
{
	static const struct {
		const char *proposal;
		uint16_t group;
		size_t len;
	} kinds[] = {
		{ "aes256gcm16-prfsha256-modp2048", DH_MODP2048, 256 },
		{ "aes256gcm16-prfsha256-ecp256", DH_ECP256, 64 },
		{ "aes256gcm16-prfsha256-x25519", DH_X25519, 32 },
	};
	static uint8_t value[600];

	for (size_t k = 0; k < 3; k++)
		for (unsigned what = 0; what < 6; what++) {
			struct init init = sane_init();

			memset(value, what == 2 ? 0xff : 0, sizeof(value));
			if (what == 1)
				value[kinds[k].group == DH_X25519 ? 0 : kinds[k].len - 1] = 1;
			ladder_begin(NULL);
			init.proposal = kinds[k].proposal;
			init.group = kinds[k].group;
			init.ke = value;
			init.ke_len = what < 3 ? kinds[k].len : what == 3 ? kinds[k].len - 1 : what == 4 ? 0 : sizeof(value);
			send_init(&init);
			/* the costly half is done when IKE_AUTH comes: nobody can send that */
			nothing_came_of_it();
		}
}

static void nonces_of_a_wrong_length(void **state)
{
	static const size_t lens[] = { 0, 1, 15, 257, 300 };
	struct init init = sane_init();

	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		ladder_begin(NULL);
		init.nonce_len = lens[i];
		assert_true(send_init(&init) <= 1);
		assert_int_equal(ladder_counters(1).half_open, 0);
		nothing_came_of_it();
	}
}

/* CVE-2016-5361's class: a stranger gets at most one short answer to each packet,
 * and not many of them. */
static void cve_2016_5361_strangers_get_little(void **state)
{
	struct init init = sane_init();
	size_t answered = 0;

	ladder_begin(NULL);
	for (unsigned version = 0; version < 256; version++) {
		unsigned before = ladder.n_wire;

		init.version = (uint8_t)version;
		assert_true(send_init(&init) <= 1);
		if (ladder.n_wire > before && version >> 4 != 2) {
			assert_true(ladder.wire[before].len <= 40);
			answered++;
		}
		while (ladder.n_wire > 0)
			ladder_drop(0);
	}
	assert_true(answered <= 20);
	/* and nothing is sent again to who did not prove himself */
	init = sane_init();
	send_init(&init);
	for (unsigned i = 0; i < 60; i++) {
		ladder.now += 1000;
		ladder_run();
	}
	assert_true(ladder.n_wire <= 1);
	nothing_came_of_it();
}

/* Any exchange type and flags in the clear. */
static void exchanges_in_the_clear_open_nothing(void **state)
{
	ladder_begin(NULL);
	for (unsigned exchange = 0; exchange < 256; exchange++)
		for (unsigned flags = 0; flags < 64; flags += 8) {
			struct init init = sane_init();

			if (exchange == IKE_SA_INIT && (flags & (IKE_FLAG_INITIATOR | IKE_FLAG_RESPONSE)) == IKE_FLAG_INITIATOR)
				continue; /* what it should be; the version flag says nothing (2.5) */
			init.exchange = (uint8_t)exchange;
			init.flags = (uint8_t)flags;
			assert_true(send_init(&init) <= 1);
			while (ladder.n_wire > 0)
				ladder_drop(0);
		}
	assert_int_equal(ladder_counters(1).half_open, 0);
	nothing_came_of_it();
}

/* ---- under the keys of an SA */

static void no_payloads(struct ike_writer *w)
{
}

static void put_delete_ike(struct ike_writer *w)
{
	ike_delete_encode(w, IKE_PROTO_IKE, NULL, 0);
}

static void put_delete_esp(struct ike_writer *w)
{
	const uint32_t spis[] = { 1, 2, 0x1001, 0x2001, UINT32_MAX };

	ike_delete_encode(w, IKE_PROTO_ESP, spis, 5);
}

static void put_notify(struct ike_writer *w)
{
	ike_notify_encode(w, N_AUTHENTICATION_FAILED, NULL, 0);
}

static void put_nonce(struct ike_writer *w)
{
	uint8_t nonce[32] = { 1 };

	ike_nonce_encode(w, nonce, sizeof(nonce));
}

typedef void put_fn(struct ike_writer *w);

static void forge(unsigned from, uint8_t exchange, bool response, uint32_t id, put_fn *put)
{
	struct ike_sa *sa = ladder_sa(from, 0);
	struct ike_header header;
	struct ike_writer chain;

	assert_non_null(sa);
	ike_writer_init(&chain);
	put(&chain);
	header = sa_header(sa, exchange, response, id);
	ladder_forge(from, sa, &header, &chain);
	ike_writer_fini(&chain);
}

/* Steps of coming up after which the first end has keys: 2 IKE_SA_INIT is
 * answered, 3 the second end has IKE_AUTH, 4 all is up. */
static void up_to(unsigned steps)
{
	struct ike_path path = { .link = 1, .local = ladder.ends[0].at, .remote = ladder.ends[1].at };
	struct diag diag;

	assert_int_equal(ike_engine_up(ladder.ends[0].engine, "t", &path, ladder.now, &diag), 0);
	for (unsigned i = 0; i < 50 && steps > 0; i++) {
		ladder_run();
		if (ladder.n_wire > 0) {
			ladder_deliver(0);
			steps--;
		}
	}
}

/* Every exchange with each of these payloads, as request and as response, in
 * every state: nobody crashes, and nobody who did not prove himself has a child. */
static void every_message_in_every_state(void **state)
{
	static put_fn *const puts[] = { no_payloads, put_delete_ike, put_delete_esp, put_notify, put_nonce };

	for (unsigned steps = 2; steps <= 4; steps++)
		for (unsigned from = 0; from < 2; from++)
			for (unsigned what = 0; what < 5; what++)
				for (uint8_t exchange = 30; exchange < 45; exchange++)
					for (unsigned response = 0; response < 2; response++)
						for (uint32_t id = 0; id < 4; id++) {
							ladder_begin(NULL);
							up_to(steps);
							if (ladder_sa(from, 0))
								forge(from, exchange, response, id, puts[what]);
							assert_true(ladder.ends[0].n_kids <= 1 && ladder.ends[1].n_kids <= 1);
							assert_true(steps > 2 || ladder.ends[1].n_kids == 0);
							ladder_settle();
							ladder_end();
						}
}

/* CVE-2019-12312: an encrypted INFORMATIONAL before IKE_AUTH. */
static void cve_2019_12312_informational_before_auth(void **state)
{
	ladder_begin(NULL);
	up_to(2);
	forge(0, IKE_INFORMATIONAL, false, 1, put_delete_ike);
	forge(0, IKE_INFORMATIONAL, false, 1, no_payloads);
	forge(0, CREATE_CHILD_SA, false, 1, put_nonce);
	assert_int_equal(ladder.ends[1].ups, 0);
	assert_int_equal(ladder.ends[1].n_kids, 0);
	ladder_settle();
	assert_up();
	assert_alive();
	ladder_end();
}

static uint8_t bad_method;
static size_t bad_auth_len;

static void put_auth_of_nobody(struct ike_writer *w)
{
	static const uint8_t auth[64];

	ike_id_encode(w, IKE_PL_IDI, IKE_ID_FQDN, "a.example", 9);
	if (bad_method)
		ike_auth_encode(w, bad_method, auth, bad_auth_len);
}

/* CVE-2021-45079, CVE-2018-17540, CVE-2020-16088: AUTH that is missing, empty, of
 * the null method, of a method that was not agreed. */
static void cve_2021_45079_auth_that_proves_nothing(void **state)
{
	static const uint8_t methods[] = { 0, IKE_AUTH_RSA, IKE_AUTH_PSK, IKE_AUTH_ECDSA_256, IKE_AUTH_NULL,
					   IKE_AUTH_SIGNATURE, 201, 255 };
	static const size_t lens[] = { 0, 1, 16, 32, 64 };

	for (size_t m = 0; m < sizeof(methods); m++)
		for (size_t l = 0; l < sizeof(lens) / sizeof(lens[0]); l++) {
			ladder_begin(NULL);
			up_to(2);
			ladder_drop(0); /* the true IKE_AUTH */
			bad_method = methods[m];
			bad_auth_len = lens[l];
			forge(0, IKE_AUTH, false, 1, put_auth_of_nobody);
			ladder_run();
			assert_int_equal(ladder.ends[1].ups, 0);
			assert_int_equal(ladder.ends[1].n_kids, 0);
			ladder_end();
		}
}

static uint8_t rekey_protocol, rekey_spi_len;

static void put_rekey_of_nothing(struct ike_writer *w)
{
	static const uint8_t spi[8] = { 0, 0, 0x10, 1 };
	size_t begun = ike_payload_begin(w, IKE_PL_NOTIFY);

	wr_u8(&w->wr, rekey_protocol);
	wr_u8(&w->wr, rekey_spi_len);
	wr_be16(&w->wr, N_REKEY_SA);
	wr_bytes(&w->wr, spi, rekey_spi_len);
	ike_payload_end(w, begun);
	put_nonce(w);
}

/* CVE-2023-38710: REKEY_SA with a protocol that is not ESP. */
static void cve_2023_38710_rekey_of_another_protocol(void **state)
{
	for (unsigned protocol = 0; protocol < 5; protocol++)
		for (uint8_t len = 0; len <= 8; len += 4) {
			ladder_begin(NULL);
			ladder_up();
			rekey_protocol = (uint8_t)protocol;
			rekey_spi_len = len;
			forge(1, CREATE_CHILD_SA, false, ladder_sa(0, 0)->recv_id, put_rekey_of_nothing);
			assert_true(ladder.ends[0].n_kids <= 1);
			ladder_settle();
			ladder_end();
		}
}

/* ---- fragments */

struct piece {
	uint16_t number, total;
};

static void send_piece(unsigned from, uint32_t id, const struct piece *piece)
{
	struct ike_sa *sa = ladder_sa(from, 0);
	struct ike_header header = sa_header(sa, IKE_INFORMATIONAL, false, id);
	struct ike_writer chain;
	struct wr out = { 0 };

	ike_writer_init(&chain);
	put_notify(&chain);
	assert_int_equal(ike_skf_seal(sa->tx, sa->tx_counter++, &header, &chain, piece->number, piece->total, 0,
				      chain.wr.len, &out),
			 0);
	ladder_inject(!from, out.data, out.len, 0);
	wr_fini(&out);
	ike_writer_fini(&chain);
}

/* CVE-2026-12413 and CVE-2013-6076: numbers at and beyond the ends, totals that
 * change, the same piece again, more than anybody needs. */
static void cve_2026_12413_fragments_at_every_bound(void **state)
{
	static const uint16_t numbers[] = { 0, 1, 2, 15, 16, 17, 255, 256, 257, 65535 };
	const unsigned n = sizeof(numbers) / sizeof(numbers[0]);

	ladder_begin(NULL);
	ladder_up();
	for (unsigned a = 0; a < n; a++)
		for (unsigned b = 0; b < n; b++) {
			const struct piece piece = { numbers[a], numbers[b] };

			if (numbers[a] == 1 && numbers[b] == 1)
				continue; /* whole, and says that we are not who we say */
			send_piece(1, ladder_sa(0, 0)->recv_id, &piece);
			send_piece(1, ladder_sa(0, 0)->recv_id, &piece);
		}
	assert_up();
	assert_alive();
	ladder_end();
}

/* ---- where the peer is (OpenIKED before baf0c8e followed before it decrypted) */

static void what_is_not_authentic_moves_nobody(void **state)
{
	struct ike_path before;

	ladder_begin(NULL);
	ladder.nat = ladder_endpoint("192.0.2.99");
	ladder.nat.port = 20000;
	ladder_up();
	before = ladder.ends[1].kids[0].path;
	for (unsigned i = 0; i < 200; i++) {
		struct ike_header header = sa_header(ladder_sa(0, 0), IKE_INFORMATIONAL, false, ladder_sa(0, 0)->next_id);
		struct ike_writer chain;
		struct wr out = { 0 };

		ike_writer_init(&chain);
		assert_int_equal(ike_sk_seal(ladder_sa(0, 0)->tx, 1000000 + i, &header, &chain, &out), 0);
		out.data[IKE_HEADER_SIZE + i % (out.len - IKE_HEADER_SIZE)] ^= 1;
		ladder_inject(1, out.data, out.len, 5555);
		wr_fini(&out);
		ike_writer_fini(&chain);
	}
	assert_memory_equal(&before, &ladder.ends[1].kids[0].path, sizeof(before));
	ladder_end();
}

static uint8_t *kept;
static size_t kept_len;

static void keep_message(unsigned i)
{
	kept_len = ladder.wire[i].len;
	kept = malloc(kept_len);
	assert_non_null(kept);
	memcpy(kept, ladder.wire[i].data, kept_len);
}

/* A true message of before, from elsewhere. */
static void what_is_old_moves_nobody(void **state)
{
	struct ike_path before;
	struct diag diag;

	ladder_begin(NULL);
	ladder.nat = ladder_endpoint("192.0.2.99");
	ladder.nat.port = 20000;
	ladder_up();
	assert_int_equal(ike_engine_rekey(ladder.ends[0].engine, "t", true, ladder.now, &diag), 0);
	ladder_run();
	assert_int_equal(ladder.n_wire, 1);
	keep_message(0);
	ladder_settle();
	before = ladder.ends[1].kids[0].path;
	for (unsigned i = 0; i < 3; i++)
		ladder_inject(1, kept, kept_len, 5555);
	assert_memory_equal(&before, &ladder.ends[1].kids[0].path, sizeof(before));
	free(kept);
	while (ladder.n_wire > 0)
		ladder_drop(0);
	assert_up();
	ladder_end();
}

/* A peer that is gone is found although somebody repeats what it said. */
static void what_is_old_keeps_nobody_alive(void **state)
{
	for (unsigned newest = 0; newest < 2; newest++) {
		struct diag diag;

		ladder_begin(NULL);
		ladder_up();
		assert_int_equal(ike_engine_rekey(ladder.ends[0].engine, "t", true, ladder.now, &diag), 0);
		ladder_run();
		if (newest == 0)
			keep_message(0);
		ladder_deliver(0);
		ladder_deliver(0);
		ladder_run(); /* the delete of the old one: a copy of it is answered again */
		if (newest == 1)
			keep_message(0);
		ladder_settle();
		for (unsigned i = 0; i < 200; i++) {
			ladder.now += 1000;
			ike_engine_run(ladder.ends[1].engine, ladder.now);
			ladder_inject(1, kept, kept_len, 0);
			while (ladder.n_wire > 0)
				ladder_drop(0);
		}
		assert_int_equal(ladder.ends[1].downs, 1);
		free(kept);
		ladder_end();
	}
}

/* While the signer works, which takes as long as it takes. */
static void a_copy_of_ike_auth_moves_nobody(void **state)
{
	struct ike_path path;

	ladder_until_auth();
	assert_int_equal(ladder.n_wire, 1);
	keep_message(0);
	path = ladder.wire[0].path;
	ike_engine_packet(ladder.ends[1].engine, &path, ladder.wire[0].data, ladder.wire[0].len, ladder.now);
	ladder_drop(0);
	ladder_inject(1, kept, kept_len, 5555); /* the signer's answers come after that */
	assert_int_equal(ladder.n_wire, 1);
	assert_int_equal(ladder.wire[0].path.local.port, path.remote.port);
	assert_int_equal(ladder.ends[1].kids[0].path.remote.port, path.remote.port);
	ladder_settle();
	assert_up();
	free(kept);
	ladder_end();
}

/* RFC 7296 2.1: IKE_AUTH has come, so a late copy of the first message begins nothing. */
static void a_late_copy_of_the_first_message_begins_nothing(void **state)
{
	struct ike_path path = { .link = 1, .local = ladder_endpoint("192.0.2.1"), .remote = ladder_endpoint("192.0.2.2") };
	struct diag diag;

	ladder_begin(NULL);
	assert_int_equal(ike_engine_up(ladder.ends[0].engine, "t", &path, ladder.now, &diag), 0);
	keep_message(0);
	ladder_settle();
	assert_up();
	ladder_inject(1, kept, kept_len, IKE_PORT);
	assert_int_equal(ladder_counters(1).half_open, 0);
	assert_int_equal(ladder_counters(1).sas, 1);
	assert_int_equal(ladder.n_wire, 0);
	free(kept);
	ladder_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_sane_one_is_answered),
		cmocka_unit_test(cve_2016_5391_no_group_in_the_proposal),
		cmocka_unit_test(cve_2014_9221_groups_that_are_not),
		cmocka_unit_test(cve_2015_3240_public_values_that_are_none),
		cmocka_unit_test(nonces_of_a_wrong_length),
		cmocka_unit_test(cve_2016_5361_strangers_get_little),
		cmocka_unit_test(exchanges_in_the_clear_open_nothing),
		cmocka_unit_test(every_message_in_every_state),
		cmocka_unit_test(cve_2019_12312_informational_before_auth),
		cmocka_unit_test(cve_2021_45079_auth_that_proves_nothing),
		cmocka_unit_test(cve_2023_38710_rekey_of_another_protocol),
		cmocka_unit_test(cve_2026_12413_fragments_at_every_bound),
		cmocka_unit_test(what_is_not_authentic_moves_nobody),
		cmocka_unit_test(what_is_old_moves_nobody),
		cmocka_unit_test(what_is_old_keeps_nobody_alive),
		cmocka_unit_test(a_copy_of_ike_auth_moves_nobody),
		cmocka_unit_test(a_late_copy_of_the_first_message_begins_nothing),
	};

	return cmocka_run_group_tests_name("hostile", tests, NULL, NULL);
}
