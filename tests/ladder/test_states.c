/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Every message type in every state that an IKE SA has, under its keys: by a peer
 * who has proved himself, or not yet, and means harm or is confused. Nobody
 * crashes, who did not prove himself has nothing, and where the SA lives on the
 * next exchange works.
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

/* ---- states: of the end that is told */

static struct ike_sa *queue_and_send(unsigned end, enum request_kind kind)
{
	struct ike_sa *sa = ladder_sa(end, 0);
	struct sa_request request = { .kind = kind };

	if (kind == REQ_CHILD_REKEY || kind == REQ_CHILD_DELETE)
		request.spi = ladder.ends[end].kids[0].spi_in;
	sa_queue(sa, &request);
	ladder_run();
	assert_true(sa->out.active);
	assert_int_equal(sa->out.req.kind, kind);
	return sa;
}

static void begin(void)
{
	struct ike_path path = { .link = 1, .local = ladder.ends[0].at, .remote = ladder.ends[1].at };
	struct diag diag;

	assert_int_equal(ike_engine_up(ladder.ends[0].engine, "t", &path, ladder.now, &diag), 0);
}

struct situation {
	const char *name;
	enum sa_state state;
	unsigned end; /* which one is in it */
	enum request_kind asked; /* its request on the way, of one that is up */
	bool has_request;
};

static const struct situation situations[] = {
	{ "IKE_AUTH is awaited", SA_INIT_DONE, 1, 0, false },
	{ "our AUTH is being made", SA_SIGNING, 0, 0, false },
	{ "IKE_AUTH is sent", SA_AUTH_SENT, 0, 0, false },
	{ "the peer's AUTH is being made, to compare", SA_CHECKING, 1, 0, false },
	{ "the answering AUTH is being made", SA_ANSWERING, 1, 0, false },
	{ "up, at who began", SA_UP, 0, 0, false },
	{ "up, at who answered", SA_UP, 1, 0, false },
	{ "up, a child is asked for", SA_UP, 0, REQ_CHILD_NEW, true },
	{ "up, a child is rekeyed", SA_UP, 1, REQ_CHILD_REKEY, true },
	{ "up, a child is deleted", SA_UP, 0, REQ_CHILD_DELETE, true },
	{ "up, the IKE SA is rekeyed", SA_UP, 1, REQ_IKE_REKEY, true },
	{ "up, liveness", SA_UP, 0, REQ_LIVENESS, true },
	{ "up, moving", SA_UP, 0, REQ_MOVE, true },
	{ "replaced", SA_REPLACED, 1, 0, false },
	{ "deleting", SA_DELETING, 0, REQ_IKE_DELETE, true },
	{ "dead", SA_DEAD, 1, 0, false },
};
#define SITUATIONS (sizeof(situations) / sizeof(situations[0]))

/* The SA that is in that state. */
static struct ike_sa *reach(const struct situation *s)
{
	struct ike_sa *sa;
	struct diag diag;

	ladder_begin(NULL);
	begin();
	if (s->state < SA_UP) {
		ladder.hold_signs = s->state == SA_SIGNING;
		ladder_deliver(0); /* IKE_SA_INIT */
		ladder_deliver(0);
		ladder.hold_signs = s->state != SA_ANSWERING;
		ladder.one_sign = s->state == SA_ANSWERING;
		if (s->state == SA_CHECKING || s->state == SA_ANSWERING)
			ladder_deliver(0); /* IKE_AUTH */
	} else {
		ladder_settle();
	}
	sa = engine_sa_by_number(ladder.ends[s->end].engine, 1);
	assert_non_null(sa);
	if (s->has_request)
		queue_and_send(s->end, s->asked);
	if (s->state == SA_REPLACED) {
		assert_int_equal(ike_engine_rekey(ladder.ends[0].engine, "t", false, ladder.now, &diag), 0);
		ladder_run();
		ladder_deliver(0);
	}
	if (s->state == SA_DEAD) {
		assert_int_equal(ike_engine_down(ladder.ends[0].engine, "t", ladder.now, &diag), 0);
		ladder_run();
		ladder_deliver(0);
	}
	assert_int_equal(sa->state, s->state);
	return sa;
}

/* ---- messages: a chain of payloads as the other end could make it */

static struct ike_sa *sender;

static void m_nothing(struct ike_writer *w)
{
}

static void m_delete_ike(struct ike_writer *w)
{
	ike_delete_encode(w, IKE_PROTO_IKE, NULL, 0);
}

static void m_delete_children(struct ike_writer *w)
{
	const uint32_t spis[] = { 0, 1, 0x1001, 0x1002, 0x2001, 0x2002, UINT32_MAX };

	ike_delete_encode(w, IKE_PROTO_ESP, spis, 7);
	ike_delete_encode(w, IKE_PROTO_ESP, spis, 7);
}

static void m_nonce(struct ike_writer *w)
{
	static const uint8_t nonce[32] = { 1 };

	ike_nonce_encode(w, nonce, sizeof(nonce));
}

static void m_child(struct ike_writer *w)
{
	sa_child_offer(sender, NULL, 0x5555, false, w);
}

static void m_child_rekey(struct ike_writer *w)
{
	sa_child_offer(sender, sender->n_children ? sender->children[0] : NULL, 0x5555, false, w);
}

static void m_child_in_auth(struct ike_writer *w)
{
	sa_child_offer(sender, NULL, 0x5555, true, w);
}

static void m_ike_rekey(struct ike_writer *w)
{
	static const uint8_t value[32] = { 9 };
	struct ike_proposals one = { .n = 1 };
	size_t begun = ike_payload_begin(w, IKE_PL_SA);

	ike_proposal_of_suite(&sender->keys.suite, IKE_PROTO_IKE, 1, &one.list[0]);
	one.list[0].spi_len = IKE_SPI_SIZE;
	memset(one.list[0].spi, 0x77, IKE_SPI_SIZE);
	ike_proposals_encode(&one, &w->wr);
	ike_payload_end(w, begun);
	m_nonce(w);
	ike_ke_encode(w, DH_X25519, value, sizeof(value));
}

static void m_update_addresses(struct ike_writer *w)
{
	static const uint8_t cookie2[16] = { 2 };

	ike_notify_encode(w, N_UPDATE_SA_ADDRESSES, NULL, 0);
	natd_encode(w, sender->spi_i, sender->spi_r, &sender->path.local, &sender->path.remote, true);
	ike_notify_encode(w, N_COOKIE2, cookie2, sizeof(cookie2));
}

static void m_addresses(struct ike_writer *w)
{
	static const uint8_t addr[16] = { 192, 0, 2, 9 };

	ike_notify_encode(w, N_ADDITIONAL_IP4_ADDRESS, addr, 4);
	ike_notify_encode(w, N_ADDITIONAL_IP6_ADDRESS, addr, 16);
}

static void m_identity_and_auth(struct ike_writer *w)
{
	static const uint8_t auth[32] = { 3 };

	ike_id_encode(w, IKE_PL_IDI, IKE_ID_FQDN, "a.example", 9);
	ike_id_encode(w, IKE_PL_IDR, IKE_ID_FQDN, "b.example", 9);
	ike_auth_encode(w, IKE_AUTH_PSK, auth, sizeof(auth));
	ike_notify_encode(w, N_INITIAL_CONTACT, NULL, 0);
	sa_child_offer(sender, NULL, 0x5555, true, w);
}

/* Hash and URL: nobody fetches it (RFC 7296 3.6). */
static void m_certificate_by_url(struct ike_writer *w)
{
	static const char url[] = "\0\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17\20\21\22\23http://192.0.2.66/cert";

	ike_notify_encode(w, N_HTTP_CERT_LOOKUP_SUPPORTED, NULL, 0);
	ike_cert_encode(w, IKE_PL_CERT, 12, url, sizeof(url) - 1);
	ike_cert_encode(w, IKE_PL_CERTREQ, 12, url, 20);
	m_identity_and_auth(w);
}

static void m_address_wanted(struct ike_writer *w)
{
	const struct ike_cfg cfg = { .type = IKE_CFG_REQUEST, .n = 1, .items = { { .type = IKE_CFG_IP4_ADDRESS } } };

	ike_cfg_encode(w, &cfg);
}

/* All that says no, one message each by its place in the list. */
static const uint16_t errors[] = { N_UNSUPPORTED_CRITICAL_PAYLOAD, N_INVALID_SYNTAX, N_NO_PROPOSAL_CHOSEN,
				   N_INVALID_KE_PAYLOAD, N_AUTHENTICATION_FAILED, N_NO_ADDITIONAL_SAS, N_TS_UNACCEPTABLE,
				   N_TEMPORARY_FAILURE, N_CHILD_SA_NOT_FOUND, N_UNACCEPTABLE_ADDRESSES,
				   N_UNEXPECTED_NAT_DETECTED, 9999 };
#define ERRORS (sizeof(errors) / sizeof(errors[0]))

typedef void message_fn(struct ike_writer *w);
static message_fn *const messages[] = { m_nothing, m_delete_ike, m_delete_children, m_nonce, m_child, m_child_rekey,
					m_child_in_auth, m_ike_rekey, m_update_addresses, m_addresses, m_identity_and_auth,
					m_certificate_by_url, m_address_wanted };
#define MESSAGES (sizeof(messages) / sizeof(messages[0]))

static void send_one(const struct situation *s, struct ike_sa *to, unsigned what, uint8_t exchange, bool response, uint32_t id)
{
	static const uint8_t group[2] = { 0, DH_MODP2048 };
	struct ike_header header;
	struct ike_writer chain;

	sender = engine_sa_by_number(ladder.ends[!s->end].engine, 1);
	if (!sender || !sender->tx)
		return;
	ike_writer_init(&chain);
	if (what < MESSAGES)
		messages[what](&chain);
	else
		ike_notify_encode(&chain, errors[what - MESSAGES], group, 2);
	header = sa_header(sender, exchange, response, id);
	ladder_forge(!s->end, sender, &header, &chain);
	ike_writer_fini(&chain);
}

static bool was_proved(const struct situation *s)
{
	return s->state >= SA_UP;
}

static void try_one(const struct situation *s, unsigned what, uint8_t exchange, bool response, bool current)
{
	struct ike_sa *sa = reach(s);
	uint32_t id = response ? (sa->out.active ? sa->out.id : 1) : sa->recv_id;
	unsigned up = ladder.ends[s->end].ups, kids = ladder.ends[s->end].n_kids, wire = ladder.n_wire;

	send_one(s, sa, what, exchange, response, current ? id : id - 1);
	if (!was_proved(s)) {
		assert_int_equal(ladder.ends[s->end].ups, up);
		assert_int_equal(ladder.ends[s->end].n_kids, kids);
	}
	/* nothing but IKE_AUTH before it is up, and its answer */
	if (!was_proved(s) && exchange != IKE_AUTH && current) {
		assert_int_equal(sa->state, s->state);
		assert_int_equal(ladder.n_wire, wire);
	}
	assert_true(ladder.ends[s->end].n_kids <= kids + 1);
	ladder.hold_signs = ladder.one_sign = false;
	ladder_settle();
	/* all ends: what is up works, what is not is forgotten */
	for (unsigned i = 0; i < 8; i++) {
		ladder.now += 20000;
		ladder_settle();
	}
	assert_int_equal(ladder_counters(0).half_open + ladder_counters(1).half_open, 0);
	assert_int_equal(ladder_counters(0).children, ladder.ends[0].n_kids);
	assert_int_equal(ladder_counters(1).children, ladder.ends[1].n_kids);
	ladder_end();
}

static void every_message_in_every_state(void **state)
{
	static const uint8_t exchanges[] = { IKE_SA_INIT, IKE_AUTH, CREATE_CHILD_SA, IKE_INFORMATIONAL, 43 };

	for (unsigned s = 0; s < SITUATIONS; s++)
		for (unsigned what = 0; what < MESSAGES + ERRORS; what++)
			for (unsigned e = 0; e < sizeof(exchanges); e++)
				for (unsigned how = 0; how < 4; how++)
					try_one(&situations[s], what, exchanges[e], how & 1, how & 2);
}

/* In the clear, to who has no keys yet: IKE_SA_INIT's answer is awaited. */
static void every_answer_to_the_first_message(void **state)
{
	for (unsigned what = 0; what < ERRORS; what++)
		for (unsigned len = 0; len < 4; len++) {
			struct ike_header header = { .exchange = IKE_SA_INIT, .flags = IKE_FLAG_RESPONSE };
			static const uint8_t data[3] = { 0, DH_MODP2048, 0 };
			struct ike_writer w;

			ladder_begin(NULL);
			begin();
			memcpy(header.spi_i, engine_sa_by_number(ladder.ends[0].engine, 1)->spi_i, IKE_SPI_SIZE);
			memset(header.spi_r, 0x66, IKE_SPI_SIZE);
			ike_writer_init_header(&w, &header);
			ike_notify_encode(&w, errors[what], data, len);
			ike_writer_finish(&w);
			ladder_inject(0, w.wr.data, w.wr.len, 0);
			ike_writer_fini(&w);
			assert_int_equal(ladder.ends[0].ups, 0);
			ladder_settle();
			ladder.now += 200000;
			ladder_settle();
			ladder_up(); /* nothing of it stands in the way */
			assert_int_equal(ladder.ends[0].n_kids, 1);
			ladder_end();
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_message_in_every_state),
		cmocka_unit_test(every_answer_to_the_first_message),
	};

	return cmocka_run_group_tests_name("states", tests, NULL, NULL);
}
