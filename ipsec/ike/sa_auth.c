/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * IKE_AUTH: RFC 7296 1.2, 2.4, 2.15, 2.16 (no EAP), 2.19; RFC 6023.
 *
 * The private keys are in another process, so the exchange stops where a
 * signature, or what a pre-shared key makes, is asked for, and goes on in
 * sa_auth_signed(). What the peer sent is kept meanwhile.
 */
#include <stdio.h>
#include <string.h>

#include "ipsec/ike/sa.h"

#define CERTS_MAX IKE_PAYLOADS_MAX /* whoever counts them says what is too many */

uint64_t sa_jittered(uint64_t now_ms, uint32_t seconds)
{
	uint32_t random;

	if (seconds == 0)
		return UINT64_MAX;
	crypto_random(&random, sizeof(random));
	return now_ms + seconds * 1000ULL - random % (seconds * 100ULL);
}

/* ---- octets that are signed */

static void id_body(const struct ike_identity *id, struct wr *out)
{
	wr_fini(out);
	wr_u8(out, id->type);
	wr_u8(out, 0);
	wr_be16(out, 0);
	wr_bytes(out, id->data, id->len);
}

static struct ike_bytes of_wr(const struct wr *wr)
{
	return (struct ike_bytes){ wr->data, wr->len };
}

/* of_initiator: whose AUTH. Its first message, the other's nonce, its ID. */
static int octets(struct ike_sa *sa, bool of_initiator)
{
	struct sa_setup *s = sa->setup;
	bool own = of_initiator == sa->initiator;
	struct ike_bytes message = of_wr(own ? &s->own_message : &s->peer_message);
	struct ike_bytes id = of_wr(own ? &s->own_id_body : &s->peer_id_body);
	struct ike_bytes nonce = own ? (struct ike_bytes){ s->peer_nonce.bytes, s->peer_nonce.len } :
				       (struct ike_bytes){ s->own_nonce, sizeof(s->own_nonce) };

	return ike_auth_octets(&sa->keys, of_initiator ? &sa->keys.pi : &sa->keys.pr, &message, &nonce, &id, &s->octets);
}

static void ask_signer(struct ike_sa *sa, bool of_peer, enum sa_state state)
{
	void *ctx;
	const struct ike_ops *ops = engine_ops(sa->engine, &ctx);
	struct ike_sign sign = {
		.tunnel = ike_tunnel_keys(sa->tunnel),
		.psk = of_peer || sa->tunnel->local_auth == IKE_KIND_PSK,
		.of_peer = of_peer,
		.prf = sa->keys.suite.prf,
		.hashes = sa->peer_hashes,
		.local = &sa->own_id,
		.remote = &sa->peer_id,
	};

	sa_set_state(sa, state);
	if (octets(sa, of_peer != sa->initiator) != 0)
		return; /* the timer ends it */
	memcpy(sign.octets, sa->setup->octets.parts, sizeof(sign.octets));
	sign.id = sa->setup->sign_id = engine_sign_id(sa->engine, sa);
	ops->sign(ctx, &sign);
}

/* ---- refusing */

/* A responder's no. */
static void refuse(struct ike_sa *sa, uint16_t notify, const void *data, size_t len, const char *why, uint64_t now_ms)
{
	sa_respond_notify(sa, IKE_AUTH, sa->setup->kept_id, notify, data, len, now_ms);
	sa_kill(sa, IKE_EVENT_FAILED, why, now_ms);
}

static void fail(struct ike_sa *sa, uint16_t notify, const char *why, uint64_t now_ms)
{
	const struct sa_request delete = { .kind = REQ_IKE_DELETE };

	if (!sa->initiator) {
		refuse(sa, notify, NULL, 0, why, now_ms);
		return;
	}
	/* 2.21.2: the responder thinks that it is up, so it is told */
	sa_exchange_end(sa);
	sa_event(sa, IKE_EVENT_FAILED, "%s", why);
	sa->auth_failed = true;
	sa_set_state(sa, SA_DELETING);
	sa_queue(sa, &delete);
	sa_run(sa, now_ms);
}

/* ---- what the peer says of itself */

struct said {
	struct ike_payloads payloads;
	struct ike_id_payload id; /* its own */
	bool has_other;
	struct ike_identity other; /* IDr in a request: whom it wants */
	struct ike_auth auth;
	unsigned n_certs;
	struct ike_cert certs[CERTS_MAX];
};

static int certs_decode(struct said *said)
{
	for (unsigned i = 0; i < said->payloads.n; i++) {
		if (said->payloads.list[i].type != IKE_PL_CERT)
			continue;
		if (said->n_certs == CERTS_MAX ||
		    ike_cert_decode(said->payloads.list[i].body, &said->certs[said->n_certs]) != 0)
			return -1;
		/* RFC 7296 3.6: hash and URL is ignored, nothing is fetched for a stranger */
		if (said->certs[said->n_certs].encoding == IKE_CERT_X509 ||
		    said->certs[said->n_certs].encoding == IKE_CERT_RAW_KEY)
			said->n_certs++;
	}
	return 0;
}

static int said_decode(struct ike_sa *sa, struct said *said, struct ike_identity *id)
{
	const struct sa_setup *s = sa->setup;
	const struct ike_payload *own, *other, *auth;
	struct ike_id_payload wanted;
	uint8_t bad;

	memset(said, 0, sizeof(*said));
	if (ike_payloads_decode(s->kept_first, rd_init(s->kept.data, s->kept.len), &said->payloads, &bad) != IKE_DECODED)
		return -1;
	own = ike_payload_find(&said->payloads, sa->initiator ? IKE_PL_IDR : IKE_PL_IDI);
	other = sa->initiator ? NULL : ike_payload_find(&said->payloads, IKE_PL_IDR);
	auth = ike_payload_find(&said->payloads, IKE_PL_AUTH);
	if (!own || !auth || ike_id_decode(own->body, &said->id) != 0 || ike_auth_decode(auth->body, &said->auth) != 0 ||
	    ike_identity_from_payload(&said->id, id) != 0 || certs_decode(said) != 0)
		return -1;
	if (!other)
		return 0;
	said->has_other = true;
	return ike_id_decode(other->body, &wanted) == 0 && ike_identity_from_payload(&wanted, &said->other) == 0 ? 0 : -1;
}

static void keep_message(struct ike_sa *sa, uint32_t id, uint8_t first, struct rd plain)
{
	struct sa_setup *s = sa->setup;

	wr_fini(&s->kept);
	if (rd_left(&plain) > 0)
		wr_bytes(&s->kept, plain.p, rd_left(&plain));
	s->kept_first = first;
	s->kept_id = id;
}

/* ---- checking the peer */

static void peer_is_checked(struct ike_sa *sa, uint64_t now_ms);

static bool is_acceptable_method(enum ike_auth_kind kind, uint8_t method)
{
	if (kind == IKE_KIND_PSK)
		return method == IKE_AUTH_PSK;
	return method == IKE_AUTH_SIGNATURE || method == IKE_AUTH_RSA ||
	       (method >= IKE_AUTH_ECDSA_256 && method <= IKE_AUTH_ECDSA_521);
}

static void check_peer(struct ike_sa *sa, const struct said *said, uint64_t now_ms)
{
	void *ctx;
	const struct ike_ops *ops = engine_ops(sa->engine, &ctx);
	struct ike_verify verify = {
		.tunnel = sa->tunnel, .remote = &sa->peer_id, .certs = said->certs, .n_certs = said->n_certs,
		.auth = said->auth,
	};
	struct diag diag;

	id_body(&sa->peer_id, &sa->setup->peer_id_body);
	/* as it came: reserved bytes are signed too */
	memcpy(sa->setup->peer_id_body.data, said->id.data.data - 4, 4);
	if (!is_acceptable_method(sa->tunnel->remote_auth, said->auth.method)) {
		fail(sa, N_AUTHENTICATION_FAILED, "the peer authenticates itself in another way than this tunnel wants", now_ms);
		return;
	}
	if (sa->tunnel->remote_auth == IKE_KIND_PSK) {
		ask_signer(sa, true, SA_CHECKING);
		return;
	}
	if (octets(sa, !sa->initiator) != 0)
		return;
	memcpy(verify.octets, sa->setup->octets.parts, sizeof(verify.octets));
	if (ops->verify(ctx, &verify, &diag) != 0) {
		fail(sa, N_AUTHENTICATION_FAILED, diag.text, now_ms);
		return;
	}
	peer_is_checked(sa, now_ms);
}

static void compare_psk(struct ike_sa *sa, const uint8_t *auth, size_t len, uint64_t now_ms)
{
	struct said said;
	struct ike_identity id;

	if (said_decode(sa, &said, &id) != 0)
		return;
	if (!auth || len != said.auth.data.len || !crypto_equal(auth, said.auth.data.data, len)) {
		fail(sa, N_AUTHENTICATION_FAILED,
		     auth ? "the pre-shared keys differ" : "there is no pre-shared key for this peer", now_ms);
		return;
	}
	peer_is_checked(sa, now_ms);
}

/* ---- both: up */

static void queue_baseline(struct ike_sa *sa)
{
	const struct sa_request liveness = { .kind = REQ_LIVENESS };

	/* a NAT's mapping can change before the first idle time is over; without a
	 * baseline that would never be seen (DESIGN, endpoint following) */
	if (sa->began && sa->peer_mobike && sa->nat.local)
		sa_queue(sa, &liveness);
}

void sa_up(struct ike_sa *sa, bool initial_contact, uint64_t now_ms)
{
	char id[IKE_IDENTITY_TEXT], at[IKE_ENDPOINT_TEXT], suite[128];
	struct ike_sa *replaced;
	const struct sa_request delete = { .kind = REQ_IKE_DELETE };

	sa_set_state(sa, SA_UP);
	engine_sa_is_up(sa);
	sa->up_ms = now_ms;
	sa->die_at_ms = UINT64_MAX;
	sa->rekey_at_ms = sa_jittered(now_ms, sa->tunnel->ike_rekey_s);
	sa->reauth_at_ms = sa->initiator ? sa_jittered(now_ms, sa->tunnel->reauth_s) : UINT64_MAX;
	ike_suite_format(&sa->keys.suite, IKE_PROTO_IKE, suite, sizeof(suite));
	sa_event(sa, IKE_EVENT_UP, "%s at %s, %s%s%s", ike_identity_format(&sa->peer_id, id),
		 ike_endpoint_format(&sa->path.remote, at), suite, sa->nat.local ? ", we are behind a NAT" : "",
		 sa->nat.remote ? ", it is behind a NAT" : "");
	if (initial_contact)
		engine_initial_contact(sa->engine, sa, now_ms);
	replaced = sa->number_replaced ? engine_sa_by_number(sa->engine, sa->number_replaced) : NULL;
	if (replaced && replaced->state == SA_UP)
		sa_queue(replaced, &delete);
	queue_baseline(sa);
}

/* ---- initiator */

void sa_auth_begin(struct ike_sa *sa, uint64_t now_ms)
{
	sa->own_id = sa->tunnel->local_id;
	sa->die_at_ms = now_ms + SA_HALF_OPEN_MS; /* for the signer, which may be gone */
	id_body(&sa->own_id, &sa->setup->own_id_body);
	ask_signer(sa, false, SA_SIGNING);
}

static void put_id(struct ike_writer *w, uint8_t type, const struct ike_identity *id)
{
	ike_id_encode(w, type, id->type, id->data, id->len);
}

static void put_cfg_request(struct ike_writer *w)
{
	const struct ike_cfg cfg = { .type = IKE_CFG_REQUEST,
				     .n = 2,
				     .items = { { .type = IKE_CFG_IP4_ADDRESS }, { .type = IKE_CFG_IP6_ADDRESS } } };

	ike_cfg_encode(w, &cfg);
}

static bool wants_child(const struct ike_sa *sa)
{
	return sa->tunnel->childless != IKE_CHILDLESS_FORCE || !sa->peer_childless;
}

static void request_send(struct ike_sa *sa, uint8_t method, const uint8_t *auth, size_t len, uint64_t now_ms)
{
	void *ctx;
	const struct ike_ops *ops = engine_ops(sa->engine, &ctx);
	struct ike_writer w;

	if (wants_child(sa) && (sa->setup->child_spi = ops->spi(ctx)) == 0) {
		sa_kill(sa, IKE_EVENT_FAILED, "the datapath has no SPI left", now_ms);
		return;
	}
	ike_writer_init(&w);
	put_id(&w, IKE_PL_IDI, &sa->own_id);
	if (sa->tunnel->local_auth != IKE_KIND_PSK)
		ops->put_certs(ctx, sa->tunnel, &w);
	if (engine_is_first_contact(sa->engine, sa))
		ike_notify_encode(&w, N_INITIAL_CONTACT, NULL, 0);
	ops->put_certreq(ctx, sa->tunnel, &w);
	if (sa->tunnel->remote_id.type != 0)
		put_id(&w, IKE_PL_IDR, &sa->tunnel->remote_id);
	ike_auth_encode(&w, method, auth, len);
	if (sa->tunnel->request_address)
		put_cfg_request(&w);
	if (wants_child(sa))
		sa_child_offer(sa, NULL, sa->setup->child_spi, true, &w);
	if (sa->tunnel->mobike) {
		ike_notify_encode(&w, N_MOBIKE_SUPPORTED, NULL, 0);
		/* only the pinned link's address may be used (DESIGN, endpoint following) */
		ike_notify_encode(&w, N_NO_ADDITIONAL_ADDRESSES, NULL, 0);
		if (sa->tunnel->nat == IKE_NAT_REFUSE)
			natd_forbid(&w, &sa->path.local, &sa->path.remote);
	}
	sa_set_state(sa, SA_AUTH_SENT);
	sa->die_at_ms = UINT64_MAX; /* retransmission has an end of its own */
	sa->out.req.kind = REQ_AUTH;
	sa_request_send(sa, IKE_AUTH, &w, now_ms);
	ike_writer_fini(&w);
}

void sa_auth_response(struct ike_sa *sa, uint8_t first, struct rd plain, uint64_t now_ms)
{
	struct ike_payloads payloads;
	struct ike_notify n;
	struct said said;
	char text[128];
	uint16_t error;
	uint8_t bad;

	if (sa->state != SA_AUTH_SENT)
		return;
	if (ike_payloads_decode(first, plain, &payloads, &bad) != IKE_DECODED) {
		sa_kill(sa, IKE_EVENT_FAILED, "the peer's answer to IKE_AUTH is malformed", now_ms);
		return;
	}
	error = sa_error(&payloads, &n);
	if (error && !ike_payload_find(&payloads, IKE_PL_AUTH)) {
		snprintf(text, sizeof(text), "the peer answers %s to IKE_AUTH%s", ike_notify_name(error),
			 error == N_AUTHENTICATION_FAILED ? ": see its log for which of key, identity or certificate it is" : "");
		sa_kill(sa, IKE_EVENT_FAILED, text, now_ms);
		return;
	}
	keep_message(sa, sa->out.id, first, plain);
	sa_exchange_end(sa);
	sa->die_at_ms = now_ms + SA_HALF_OPEN_MS;
	if (said_decode(sa, &said, &sa->peer_id) != 0) {
		fail(sa, N_INVALID_SYNTAX, "the peer's answer to IKE_AUTH lacks its identity or AUTH", now_ms);
		return;
	}
	if (!ike_identity_match(&sa->tunnel->remote_id, &sa->peer_id)) {
		char id[IKE_IDENTITY_TEXT], why[IKE_IDENTITY_TEXT + 64];

		snprintf(why, sizeof(why), "the peer says it is \"%s\", which is not the tunnel's remote identity",
			 ike_identity_format(&sa->peer_id, id));
		fail(sa, N_AUTHENTICATION_FAILED, why, now_ms);
		return;
	}
	check_peer(sa, &said, now_ms);
}

/* CFG_REPLY: the address that we asked for (3.15). */
static void take_address(struct ike_sa *sa, const struct ike_payloads *payloads)
{
	const struct ike_payload *cp = ike_payload_find(payloads, IKE_PL_CP);
	struct ike_cfg cfg;

	if (!cp || ike_cfg_decode(cp->body, &cfg) != 0 || cfg.type != IKE_CFG_REPLY)
		return;
	for (unsigned i = 0; i < cfg.n; i++) {
		const struct ike_cfg_item *item = &cfg.items[i];

		if (item->type == IKE_CFG_IP4_ADDRESS && item->value.len == 4)
			sa->virtual_addr = (struct ip_addr){ ip_from_bytes(item->value.data, IP_V4), IP_V4 };
		else if (item->type == IKE_CFG_IP6_ADDRESS && item->value.len >= 16 && sa->virtual_addr.v == 0)
			sa->virtual_addr = (struct ip_addr){ ip_from_bytes(item->value.data, IP_V6), IP_V6 };
	}
}

static void initiator_finish(struct ike_sa *sa, const struct said *said, uint64_t now_ms)
{
	struct sa_setup *s = sa->setup;
	struct child_exchange x = { .payloads = &said->payloads,
				    .ni = { s->own_nonce, sizeof(s->own_nonce) },
				    .nr = { s->peer_nonce.bytes, s->peer_nonce.len },
				    .in_auth = true,
				    .now_ms = now_ms };
	uint32_t spi = s->child_spi;
	struct ike_notify n;
	uint16_t error = sa_error(&said->payloads, &n);
	struct sa_request again = { .kind = REQ_CHILD_NEW, .not_before_ms = now_ms + 10000 };
	void *ctx;
	const struct ike_ops *ops = engine_ops(sa->engine, &ctx);

	s->child_spi = 0;
	take_address(sa, &said->payloads);
	sa->peer_mobike = sa->tunnel->mobike && sa_notify(&said->payloads, N_MOBIKE_SUPPORTED, &n);
	if (sa->peer_mobike)
		sa_mobike_learn(sa, &said->payloads);
	sa_up(sa, false, now_ms);
	if (spi == 0) {
		again.not_before_ms = now_ms;
		sa_queue(sa, &again);
		return;
	}
	if (!error && (error = sa_child_accept(sa, &x, spi, NULL)) != 0)
		sa_child_unmake(sa, spi);
	if (!error) {
		sa_child_use(sa, x.made);
		return;
	}
	sa_event(sa, IKE_EVENT_REFUSED, "no child SA: %s", ike_notify_name(error));
	ops->child_del(ctx, spi);
	if (sa->tunnel->start)
		sa_queue(sa, &again);
}

/* ---- responder */

static bool tunnel_fits(const struct ike_sa *sa, const struct ike_tunnel *tunnel, const struct said *said)
{
	struct ike_proposals agreed = { .n = 1 };
	struct ike_suite suite;

	if (said->has_other && !ike_identity_match(&said->other, &tunnel->local_id))
		return false;
	ike_proposal_of_suite(&sa->keys.suite, IKE_PROTO_IKE, 1, &agreed.list[0]);
	return ike_proposal_select(tunnel->ike, &agreed, IKE_PROTO_IKE, true, &suite, NULL) == 0;
}

/* By identity, never by address alone (N7); a name before "any". */
static const struct ike_tunnel *find_tunnel(struct ike_sa *sa, const struct said *said, const struct ike_identity *id)
{
	static const struct ike_identity any;
	const struct ike_tunnel *tunnel;

	for (int exact = 1; exact >= 0; exact--) {
		tunnel = NULL;
		while ((tunnel = engine_tunnel_of(sa->engine, &sa->path, exact ? id : &any, tunnel)) != NULL)
			if (tunnel_fits(sa, tunnel, said))
				return tunnel;
	}
	return NULL;
}

/* Not what an IKE_AUTH of ours can be. */
static void refuse_message(struct ike_sa *sa, uint8_t first, struct rd plain, uint64_t now_ms)
{
	struct ike_payloads payloads;
	enum ike_decode what;
	char why[64];
	uint8_t bad;

	what = ike_payloads_decode(first, plain, &payloads, &bad);
	if (what == IKE_UNKNOWN_CRITICAL) {
		snprintf(why, sizeof(why), "IKE_AUTH has a critical payload of type %u, which is not known", bad);
		refuse(sa, N_UNSUPPORTED_CRITICAL_PAYLOAD, &bad, 1, why, now_ms);
	} else if (what == IKE_DECODED && ike_payload_find(&payloads, IKE_PL_IDI) && !ike_payload_find(&payloads, IKE_PL_AUTH)) {
		/* 2.16 */
		fail(sa, N_AUTHENTICATION_FAILED, "the peer wants EAP, which is not done here", now_ms);
	} else {
		fail(sa, N_INVALID_SYNTAX, "IKE_AUTH lacks identity or AUTH, or is malformed", now_ms);
	}
}

void sa_auth_request(struct ike_sa *sa, uint32_t id, uint8_t first, struct rd plain, uint64_t now_ms)
{
	const struct ike_tunnel *tunnel;
	struct said said;

	if (sa->state != SA_INIT_DONE)
		return;
	keep_message(sa, id, first, plain);
	if (said_decode(sa, &said, &sa->peer_id) != 0) {
		refuse_message(sa, first, plain, now_ms);
		return;
	}
	if (natd_is_forbidden(&said.payloads, &sa->reply_path.local, &sa->reply_path.remote)) {
		fail(sa, N_UNEXPECTED_NAT_DETECTED, "the peer wants no NAT on the path, and there is one", now_ms);
		return;
	}
	tunnel = find_tunnel(sa, &said, &sa->peer_id);
	if (!tunnel) {
		char text[IKE_IDENTITY_TEXT], why[IKE_IDENTITY_TEXT + 64];

		snprintf(why, sizeof(why), "no tunnel has the remote identity \"%s\"",
			 ike_identity_format(&sa->peer_id, text));
		fail(sa, N_AUTHENTICATION_FAILED, why, now_ms);
		return;
	}
	engine_sa_tunnel(sa, tunnel);
	sa->own_id = tunnel->local_id;
	if (tunnel->nat == IKE_NAT_REFUSE && (sa->nat.local || sa->nat.remote)) {
		fail(sa, N_AUTHENTICATION_FAILED, "there is a NAT on the path and the tunnel says nat refuse", now_ms);
		return;
	}
	check_peer(sa, &said, now_ms);
}

static void put_cfg_reply(struct ike_sa *sa, const struct ike_payloads *payloads, struct ike_writer *w)
{
	const struct ike_payload *cp = ike_payload_find(payloads, IKE_PL_CP);
	struct ike_cfg cfg, reply = { .type = IKE_CFG_REPLY, .n = 1 };
	uint8_t addr[17] = { [16] = 128 };

	if (!cp || ike_cfg_decode(cp->body, &cfg) != 0 || cfg.type != IKE_CFG_REQUEST)
		return;
	if (!engine_pool_take(sa->engine, sa, &sa->virtual_addr)) {
		ike_notify_encode(w, N_INTERNAL_ADDRESS_FAILURE, NULL, 0);
		return;
	}
	ip_to_bytes(sa->virtual_addr.v, sa->virtual_addr.family, addr);
	reply.items[0].type = sa->virtual_addr.family == IP_V6 ? IKE_CFG_IP6_ADDRESS : IKE_CFG_IP4_ADDRESS;
	reply.items[0].value = (struct ike_bytes){ addr, sa->virtual_addr.family == IP_V6 ? 17 : 4 };
	ike_cfg_encode(w, &reply);
}

static void answer_child(struct ike_sa *sa, const struct said *said, struct ike_writer *w, uint64_t now_ms)
{
	struct sa_setup *s = sa->setup;
	struct child_exchange x = { .payloads = &said->payloads,
				    .ni = { s->peer_nonce.bytes, s->peer_nonce.len },
				    .nr = { s->own_nonce, sizeof(s->own_nonce) },
				    .in_auth = true,
				    .now_ms = now_ms };
	uint16_t error;

	if (!ike_payload_find(&said->payloads, IKE_PL_SA) && sa->tunnel->childless != IKE_CHILDLESS_NEVER)
		return;
	error = sa_child_answer(sa, &x, w);
	if (error) {
		ike_notify_encode(w, error, NULL, 0);
		sa_event(sa, IKE_EVENT_REFUSED, "no child SA: %s", ike_notify_name(error));
	}
}

static void responder_finish(struct ike_sa *sa, uint8_t method, const uint8_t *auth, size_t len, uint64_t now_ms)
{
	void *ctx;
	const struct ike_ops *ops = engine_ops(sa->engine, &ctx);
	uint32_t id = sa->setup->kept_id;
	struct ike_identity peer;
	struct ike_notify n;
	struct ike_writer w;
	struct said said;
	bool contact;

	if (said_decode(sa, &said, &peer) != 0)
		return;
	/* this once without regard to NAT: ports float here (2.23) */
	sa->path = sa->reply_path;
	sa->peer_mobike = sa->tunnel->mobike && sa_notify(&said.payloads, N_MOBIKE_SUPPORTED, &n);
	contact = sa_notify(&said.payloads, N_INITIAL_CONTACT, &n) != NULL && !sa->tunnel->shared_identity;
	/* who says that it has begun anew has no others */
	if (!contact && !engine_peer_may_begin(sa, now_ms)) {
		fail(sa, N_AUTHENTICATION_FAILED, "the peer has 16 IKE SAs of this tunnel already, and answers on them", now_ms);
		return;
	}
	ike_writer_init(&w);
	put_id(&w, IKE_PL_IDR, &sa->own_id);
	if (sa->tunnel->local_auth != IKE_KIND_PSK)
		ops->put_certs(ctx, sa->tunnel, &w);
	ike_auth_encode(&w, method, auth, len);
	put_cfg_reply(sa, &said.payloads, &w);
	answer_child(sa, &said, &w, now_ms);
	if (sa->peer_mobike) {
		ike_notify_encode(&w, N_MOBIKE_SUPPORTED, NULL, 0);
		ike_notify_encode(&w, N_NO_ADDITIONAL_ADDRESSES, NULL, 0);
	}
	sa_respond(sa, IKE_AUTH, id, &w, now_ms);
	ike_writer_fini(&w);
	if (sa->state != SA_DEAD)
		sa_up(sa, contact, now_ms);
	sa_setup_free(sa);
}

/* ---- the middle */

static void peer_is_checked(struct ike_sa *sa, uint64_t now_ms)
{
	struct ike_identity id;
	struct said said;

	if (!sa->initiator) {
		id_body(&sa->own_id, &sa->setup->own_id_body);
		ask_signer(sa, false, SA_ANSWERING);
		return;
	}
	if (said_decode(sa, &said, &id) != 0)
		return;
	initiator_finish(sa, &said, now_ms);
	sa_setup_free(sa);
}

void sa_auth_signed(struct ike_sa *sa, uint8_t method, const uint8_t *auth, size_t len, uint64_t now_ms)
{
	engine_touch(sa);
	sa->setup->sign_id = 0;
	switch (sa->state) {
	case SA_CHECKING:
		compare_psk(sa, auth, len, now_ms);
		return;
	case SA_SIGNING:
		if (auth)
			request_send(sa, method, auth, len, now_ms);
		else
			sa_kill(sa, IKE_EVENT_FAILED, "there is no key to authenticate ourselves with", now_ms);
		return;
	case SA_ANSWERING:
		if (auth)
			responder_finish(sa, method, auth, len, now_ms);
		else
			fail(sa, N_AUTHENTICATION_FAILED, "there is no key to authenticate ourselves with", now_ms);
		return;
	case SA_INIT_SENT:
	case SA_INIT_DONE:
	case SA_AUTH_SENT:
	case SA_UP:
	case SA_REPLACED:
	case SA_DELETING:
	case SA_DEAD:
		return;
	}
}
