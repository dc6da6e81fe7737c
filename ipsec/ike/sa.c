/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec/ike/sa.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

/* IP and UDP headers and the non-ESP marker in front of an IKE message. */
#define OVERHEAD_V4 (20 + 8 + 4)
#define OVERHEAD_V6 (40 + 8 + 4)

const char *sa_state_text(enum sa_state state)
{
	switch (state) {
	case SA_INIT_SENT:
	case SA_INIT_DONE:
		return "connecting";
	case SA_SIGNING:
	case SA_AUTH_SENT:
	case SA_CHECKING:
	case SA_ANSWERING:
		return "authenticating";
	case SA_UP:
		return "up";
	case SA_REPLACED:
		return "replaced";
	case SA_DELETING:
		return "deleting";
	case SA_DEAD:
		return "dead";
	}
	return "?";
}

struct ike_sa *sa_new(struct ike_engine *engine, bool initiator, const struct ike_path *path, uint64_t now_ms)
{
	struct ike_sa *sa = mem_alloc(sizeof(*sa));

	sa->engine = engine;
	sa->initiator = sa->began = initiator;
	sa->state = initiator ? SA_INIT_SENT : SA_INIT_DONE;
	sa->path = sa->reply_path = *path;
	sa->setup = mem_alloc(sizeof(*sa->setup));
	sa->created_ms = sa->heard_ms = sa->spoke_ms = now_ms;
	sa->die_at_ms = initiator ? UINT64_MAX : now_ms + SA_HALF_OPEN_MS;
	sa->rekey_at_ms = sa->reauth_at_ms = UINT64_MAX;
	crypto_random(initiator ? sa->spi_i : sa->spi_r, IKE_SPI_SIZE);
	return sa;
}

void sa_setup_free(struct ike_sa *sa)
{
	struct sa_setup *setup = sa->setup;

	if (!setup)
		return;
	wr_fini(&setup->own_message);
	wr_fini(&setup->peer_message);
	wr_fini(&setup->own_id_body);
	wr_fini(&setup->peer_id_body);
	wr_fini(&setup->peer_ke);
	if (setup->kept.data)
		crypto_wipe(setup->kept.data, setup->kept.len);
	wr_fini(&setup->kept);
	crypto_dh_free(setup->dh);
	crypto_wipe(setup, sizeof(*setup));
	free(setup);
	sa->setup = NULL;
}

void sa_packets_free(struct sa_packets *packets)
{
	for (unsigned i = 0; i < packets->n; i++)
		wr_fini(&packets->list[i]);
	free(packets->list);
	*packets = (struct sa_packets){ 0 };
}

void sa_free(struct ike_sa *sa)
{
	void *ctx;
	const struct ike_ops *ops = engine_ops(sa->engine, &ctx);

	while (sa->n_children > 0)
		sa_child_remove(sa, sa->children[sa->n_children - 1]);
	/* an SPI that was asked for and came to nothing */
	if (sa->setup && sa->setup->child_spi)
		ops->child_del(ctx, sa->setup->child_spi);
	sa_exchange_end(sa);
	sa_setup_free(sa);
	sa_packets_free(&sa->response);
	fragments_free(sa->fragments);
	crypto_cipher_free(sa->tx);
	crypto_cipher_free(sa->rx);
	engine_sa_untunnel(sa);
	ike_keys_wipe(&sa->keys);
	free(sa);
}

void sa_set_state(struct ike_sa *sa, enum sa_state state)
{
	sa->state = state;
	engine_touch(sa);
	/* a responder is a stranger's until that one has a name */
	if (state >= SA_UP)
		engine_half_open_done(sa->engine, sa);
}

void sa_event(struct ike_sa *sa, enum ike_event event, const char *fmt, ...)
{
	void *ctx;
	const struct ike_ops *ops = engine_ops(sa->engine, &ctx);
	char text[512];
	va_list ap;

	if (!engine_may_tell(sa->engine, event, sa))
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	ops->event(ctx, event, sa->number, sa->tunnel ? sa->tunnel->name : "", text);
}

void sa_kill(struct ike_sa *sa, enum ike_event event, const char *why, uint64_t now_ms)
{
	if (sa->state == SA_DEAD)
		return;
	while (sa->n_children > 0)
		sa_child_remove(sa, sa->children[sa->n_children - 1]);
	sa->n_queue = 0;
	sa_exchange_end(sa);
	/* the end of a rekeyed SA, or of one too many, is nobody's news; of one that was
	 * refused the reason is known already */
	if (sa->state != SA_REPLACED && !sa->spare_of && !sa->auth_failed)
		sa_event(sa, sa->up_ms || event != IKE_EVENT_DOWN ? event : IKE_EVENT_FAILED, "%s", why);
	sa_set_state(sa, SA_DEAD);
	/* what a stranger sent is not kept for that */
	if (!sa->initiator && !sa->up_ms) {
		sa_setup_free(sa);
		fragments_free(sa->fragments);
		sa->fragments = NULL;
	}
	/* our last answer may have been lost */
	sa->die_at_ms = sa->response.n > 0 && sa->rx && engine_may_linger(sa) ? now_ms + SA_LINGER_MS : now_ms;
}

int sa_keys_use(struct ike_sa *sa)
{
	const struct ike_keys *k = &sa->keys;
	const struct crypto_suite *s = &k->suite.cipher;
	struct crypto_cipher *i, *r;

	i = crypto_cipher_new(s, sa->initiator, k->ei.bytes, k->ei.len, k->ai.bytes, k->ai.len);
	r = crypto_cipher_new(s, !sa->initiator, k->er.bytes, k->er.len, k->ar.bytes, k->ar.len);
	sa->tx = sa->initiator ? i : r;
	sa->rx = sa->initiator ? r : i;
	return i && r ? 0 : -1;
}

/* ---- messages out */

struct ike_header sa_header(const struct ike_sa *sa, uint8_t exchange, bool response, uint32_t id)
{
	struct ike_header header = { .exchange = exchange, .id = id };

	memcpy(header.spi_i, sa->spi_i, IKE_SPI_SIZE);
	memcpy(header.spi_r, sa->spi_r, IKE_SPI_SIZE);
	header.flags = (uint8_t)((sa->initiator ? IKE_FLAG_INITIATOR : 0) | (response ? IKE_FLAG_RESPONSE : 0));
	return header;
}

void sa_send_packets(struct ike_sa *sa, const struct sa_packets *packets, const struct ike_path *path)
{
	void *ctx;
	const struct ike_ops *ops = engine_ops(sa->engine, &ctx);

	for (unsigned i = 0; i < packets->n; i++)
		ops->send(ctx, path, packets->list[i].data, packets->list[i].len);
}

struct wr *sa_packets_next(struct sa_packets *packets)
{
	packets->list = mem_realloc(packets->list, packets->n + 1u, sizeof(*packets->list));
	packets->list[packets->n] = (struct wr){ 0 };
	return &packets->list[packets->n++];
}

/* Bytes of the largest IKE message that goes out whole. */
static size_t fragment_limit(const struct ike_sa *sa)
{
	size_t overhead = sa->path.remote.addr.family == IP_V6 ? OVERHEAD_V6 : OVERHEAD_V4;

	if (!sa->peer_fragments || !sa->tunnel || sa->tunnel->fragment_bytes <= overhead)
		return SIZE_MAX;
	return sa->tunnel->fragment_bytes - overhead;
}

static int seal_fragments(struct ike_sa *sa, const struct ike_header *header, const struct ike_writer *chain,
			  size_t room, struct sa_packets *packets)
{
	size_t len = chain->wr.len, total = (len + room - 1) / room;

	if (total > FRAGMENTS_MAX)
		return -1;
	for (size_t i = 0; i < total; i++) {
		size_t from = i * room, part = len - from < room ? len - from : room;

		if (ike_skf_seal(sa->tx, ++sa->tx_counter, header, chain, (uint16_t)(i + 1), (uint16_t)total, from, part,
				 sa_packets_next(packets)) != 0)
			return -1;
	}
	return 0;
}

static int seal(struct ike_sa *sa, const struct ike_header *header, const struct ike_writer *chain,
		struct sa_packets *packets)
{
	size_t limit = fragment_limit(sa), room;

	sa_packets_free(packets);
	if (ike_sk_size(sa->tx, chain->wr.len) > limit && (room = ike_skf_room(sa->tx, limit)) > 0)
		return seal_fragments(sa, header, chain, room, packets);
	return ike_sk_seal(sa->tx, ++sa->tx_counter, header, chain, sa_packets_next(packets));
}

static void request_go(struct ike_sa *sa, uint64_t now_ms)
{
	engine_touch(sa);
	sa->out.path = sa->path;
	sa->out.sent = 1;
	sa->out.resend_at_ms = now_ms + SA_RETRY_FIRST_MS;
	sa->spoke_ms = now_ms;
	sa_send_packets(sa, &sa->out.packets, &sa->path);
}

void sa_request_send(struct ike_sa *sa, uint8_t exchange, const struct ike_writer *chain, uint64_t now_ms)
{
	struct ike_header header;

	sa->out.active = true;
	sa->out.id = sa->next_id++;
	header = sa_header(sa, exchange, false, sa->out.id);
	if (seal(sa, &header, chain, &sa->out.packets) != 0) {
		sa_kill(sa, IKE_EVENT_DOWN, "a request is too long to be sent", now_ms);
		return;
	}
	request_go(sa, now_ms);
}

void sa_request_send_plain(struct ike_sa *sa, const struct ike_writer *message, uint64_t now_ms)
{
	struct wr *copy;

	sa->out.active = true;
	sa->out.req.kind = REQ_INIT;
	sa->out.id = 0;
	sa->next_id = 1;
	sa_packets_free(&sa->out.packets);
	copy = sa_packets_next(&sa->out.packets);
	wr_bytes(copy, message->wr.data, message->wr.len);
	request_go(sa, now_ms);
}

void sa_exchange_end(struct ike_sa *sa)
{
	sa_packets_free(&sa->out.packets);
	crypto_dh_free(sa->out.dh);
	crypto_wipe(&sa->out, sizeof(sa->out));
}

void sa_respond(struct ike_sa *sa, uint8_t exchange, uint32_t id, const struct ike_writer *chain, uint64_t now_ms)
{
	struct ike_header header = sa_header(sa, exchange, true, id);

	if (seal(sa, &header, chain, &sa->response) != 0) {
		sa_kill(sa, IKE_EVENT_DOWN, "a response is too long to be sent", now_ms);
		return;
	}
	sa->recv_id = id + 1;
	sa->spoke_ms = now_ms;
	sa_send_packets(sa, &sa->response, &sa->reply_path);
}

void sa_respond_notify(struct ike_sa *sa, uint8_t exchange, uint32_t id, uint16_t notify, const void *data, size_t len,
		       uint64_t now_ms)
{
	struct ike_writer w;

	ike_writer_init(&w);
	ike_notify_encode(&w, notify, data, len);
	sa_respond(sa, exchange, id, &w, now_ms);
	ike_writer_fini(&w);
}

/* ---- the queue of our requests */

bool sa_is_queued(const struct ike_sa *sa, enum request_kind kind, uint32_t spi)
{
	if (sa->out.active && sa->out.req.kind == kind && sa->out.req.spi == spi)
		return true;
	for (unsigned i = 0; i < sa->n_queue; i++)
		if (sa->queue[i].kind == kind && sa->queue[i].spi == spi)
			return true;
	return false;
}

/* Each kind stands there once for one child, so the queue is bounded by the
 * number of children; what does not fit comes again with its timer. */
void sa_queue(struct ike_sa *sa, const struct sa_request *request)
{
	engine_touch(sa);
	for (unsigned i = 0; i < sa->n_queue; i++)
		if (sa->queue[i].kind == request->kind && sa->queue[i].spi == request->spi) {
			sa->queue[i] = *request;
			return;
		}
	if (sa->n_queue < SA_QUEUE_MAX)
		sa->queue[sa->n_queue++] = *request;
}

void sa_unqueue(struct ike_sa *sa, enum request_kind kind, uint32_t spi)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < sa->n_queue; i++)
		if (sa->queue[i].kind != kind || sa->queue[i].spi != spi)
			sa->queue[kept++] = sa->queue[i];
	sa->n_queue = kept;
}

static void request_begin(struct ike_sa *sa, const struct sa_request *request, uint64_t now_ms)
{
	sa->out.req = *request;
	switch (request->kind) {
	case REQ_INIT:
	case REQ_AUTH:
		return; /* never queued: sa_init.c and sa_auth.c send them */
	case REQ_CHILD_NEW:
	case REQ_CHILD_REKEY:
		sa_child_begin(sa, now_ms);
		return;
	case REQ_IKE_REKEY:
		sa_rekey_begin(sa, now_ms);
		return;
	case REQ_CHILD_DELETE:
	case REQ_CHILD_UNMADE:
	case REQ_IKE_DELETE:
	case REQ_LIVENESS:
	case REQ_MOVE:
	case REQ_ADDRESSES:
		sa_info_begin(sa, now_ms);
		return;
	}
}

static void queue_run(struct ike_sa *sa, uint64_t now_ms)
{
	for (unsigned i = 0; i < sa->n_queue && !sa->out.active;) {
		struct sa_request request = sa->queue[i];

		if (request.not_before_ms > now_ms) {
			i++;
			continue;
		}
		sa_unqueue(sa, request.kind, request.spi);
		request_begin(sa, &request, now_ms);
		i = 0; /* it may have queued or dropped others */
	}
}

/* ---- time */

static void resend(struct ike_sa *sa, uint64_t now_ms)
{
	if (sa->out.sent >= SA_RETRIES) {
		engine_counters(sa->engine)->timeouts++;
		sa_kill(sa, sa->up_ms ? IKE_EVENT_DOWN : IKE_EVENT_FAILED, "the peer does not answer", now_ms);
		return;
	}
	engine_counters(sa->engine)->retransmits++;
	sa->out.resend_at_ms = now_ms + ((uint64_t)SA_RETRY_FIRST_MS << sa->out.sent);
	sa->out.sent++;
	sa->spoke_ms = now_ms;
	/* the address may have changed since (RFC 4555 3.5) */
	sa->out.path = sa->path;
	sa_send_packets(sa, &sa->out.packets, &sa->path);
	sa_mobike_probe(sa);
}

/* When anything was last received or sent, on the children too. */
static void traffic_times(const struct ike_sa *sa, uint64_t *heard_ms, uint64_t *spoke_ms)
{
	void *ctx;
	const struct ike_ops *ops = engine_ops(sa->engine, &ctx);

	*heard_ms = sa->heard_ms;
	*spoke_ms = sa->spoke_ms;
	for (unsigned i = 0; i < sa->n_children; i++) {
		uint64_t heard = 0, spoke = 0;

		ops->child_times(ctx, sa->children[i]->spi_in, &heard, &spoke);
		if (heard > *heard_ms)
			*heard_ms = heard;
		if (spoke > *spoke_ms)
			*spoke_ms = spoke;
	}
}

uint64_t sa_heard_ms(const struct ike_sa *sa)
{
	uint64_t heard_ms, spoke_ms;

	traffic_times(sa, &heard_ms, &spoke_ms);
	return heard_ms;
}

static uint64_t after(uint64_t at_ms, uint32_t seconds)
{
	return seconds ? at_ms + seconds * 1000ULL : UINT64_MAX;
}

static void idle_run(struct ike_sa *sa, uint64_t now_ms)
{
	const struct sa_request liveness = { .kind = REQ_LIVENESS };
	uint64_t heard_ms, spoke_ms;
	void *ctx;
	const struct ike_ops *ops = engine_ops(sa->engine, &ctx);

	traffic_times(sa, &heard_ms, &spoke_ms);
	if (after(heard_ms, sa->tunnel->liveness_s) <= now_ms && !sa->out.active)
		sa_queue(sa, &liveness);
	/* only behind a NAT, and only when nothing else keeps its mapping (RFC 3948 4) */
	if (sa->nat.local && after(spoke_ms, sa->tunnel->keepalive_s) <= now_ms) {
		ops->keepalive(ctx, &sa->path);
		sa->spoke_ms = now_ms;
	}
}

void sa_run(struct ike_sa *sa, uint64_t now_ms)
{
	const struct sa_request rekey = { .kind = REQ_IKE_REKEY };

	if (sa->state != SA_DEAD && sa->die_at_ms <= now_ms) {
		sa_kill(sa, IKE_EVENT_FAILED, "the peer began and went away", now_ms);
		return;
	}
	if (sa->out.active && sa->out.resend_at_ms <= now_ms)
		resend(sa, now_ms);
	if (sa->state == SA_UP) {
		if (sa->rekey_at_ms <= now_ms) {
			sa->rekey_at_ms = now_ms + SA_REKEY_AGAIN_MS; /* unless it is replaced by then */
			if (!sa_is_queued(sa, REQ_IKE_REKEY, 0))
				sa_queue(sa, &rekey);
		}
		sa_child_timers(sa, now_ms);
		idle_run(sa, now_ms);
	}
	if (sa->state == SA_UP || sa->state == SA_REPLACED || sa->state == SA_DELETING)
		queue_run(sa, now_ms);
}

static void earliest(uint64_t *at, uint64_t other)
{
	if (other < *at)
		*at = other;
}

uint64_t sa_deadline(const struct ike_sa *sa)
{
	uint64_t at = sa->die_at_ms, heard_ms, spoke_ms;

	if (sa->state == SA_DEAD)
		return sa->die_at_ms;
	if (sa->out.active)
		earliest(&at, sa->out.resend_at_ms);
	else
		for (unsigned i = 0; i < sa->n_queue; i++)
			earliest(&at, sa->queue[i].not_before_ms);
	if (sa->state != SA_UP)
		return at;
	earliest(&at, sa->rekey_at_ms);
	earliest(&at, sa->reauth_at_ms);
	for (unsigned i = 0; i < sa->n_children; i++)
		earliest(&at, sa->children[i]->rekey_at_ms);
	traffic_times(sa, &heard_ms, &spoke_ms);
	if (!sa->out.active)
		earliest(&at, after(heard_ms, sa->tunnel->liveness_s));
	if (sa->nat.local)
		earliest(&at, after(spoke_ms, sa->tunnel->keepalive_s));
	return at;
}

/* ---- where the peer is */

bool sa_encap(const struct ike_sa *sa)
{
	return sa->peer_natt && (sa->nat.local || sa->nat.remote || (sa->tunnel && sa->tunnel->nat == IKE_NAT_FORCE));
}

void sa_move(struct ike_sa *sa, const struct ike_path *path, uint64_t now_ms)
{
	void *ctx;
	const struct ike_ops *ops = engine_ops(sa->engine, &ctx);
	char text[IKE_ENDPOINT_TEXT];
	bool elsewhere = !ike_endpoint_equal(&path->remote, &sa->path.remote);

	sa->path = *path;
	/* all at once: a peer is in one place (DESIGN, endpoint following) */
	for (unsigned i = 0; i < sa->n_children; i++)
		ops->child_move(ctx, sa->children[i]->spi_in, path, sa_encap(sa));
	if (elsewhere)
		sa_event(sa, IKE_EVENT_MOVED, "the peer is now at %s", ike_endpoint_format(&path->remote, text));
}

/* Without MOBIKE any message tells: a peer that is not behind a NAT follows it. Who
 * did not begin can only say where it is (RFC 4555 3.6). */
void sa_relocate(struct ike_sa *sa, const struct ip_addr *local, uint64_t now_ms)
{
	const struct sa_request tell = { .kind = !sa->peer_mobike ? REQ_LIVENESS : sa->began ? REQ_MOVE : REQ_ADDRESSES };
	void *ctx;
	const struct ike_ops *ops = engine_ops(sa->engine, &ctx);
	char text[IP_TEXT_SIZE];

	sa->path.local.addr = *local;
	sa->has_nat_baseline = false;
	for (unsigned i = 0; i < sa->n_children; i++)
		ops->child_move(ctx, sa->children[i]->spi_in, &sa->path, sa_encap(sa));
	sa_queue(sa, &tell);
	sa_event(sa, IKE_EVENT_MOVED, "our address is now %s", ip_addr_format(local, text));
}

/* RFC 7296 2.23: who is not behind a NAT follows the newest authenticated
 * message; who is behind one does not, else one forged header would break the
 * connection. With MOBIKE the initiator says so itself (RFC 4555 3.8). */
static void follow(struct ike_sa *sa, const struct ike_path *path, uint64_t now_ms)
{
	if (ike_endpoint_equal(&path->remote, &sa->path.remote) && ike_endpoint_equal(&path->local, &sa->path.local))
		return;
	if (sa->peer_mobike || sa->nat.local || !sa->peer_natt || sa->state == SA_DEAD || !sa->tunnel ||
	    sa->tunnel->nat == IKE_NAT_REFUSE)
		return;
	sa->nat.remote = true; /* what moves without MOBIKE is a NAT's mapping */
	sa_move(sa, path, now_ms);
}

/* ---- messages in */

const struct ike_notify *sa_notify(const struct ike_payloads *payloads, uint16_t type, struct ike_notify *out)
{
	for (unsigned i = 0; i < payloads->n; i++)
		if (payloads->list[i].type == IKE_PL_NOTIFY && ike_notify_decode(payloads->list[i].body, out) == 0 &&
		    out->type == type)
			return out;
	return NULL;
}

uint16_t sa_error(const struct ike_payloads *payloads, struct ike_notify *out)
{
	for (unsigned i = 0; i < payloads->n; i++)
		if (payloads->list[i].type == IKE_PL_NOTIFY && ike_notify_decode(payloads->list[i].body, out) == 0 &&
		    out->type <= N_ERROR_LAST)
			return out->type;
	return 0;
}

static bool deletes_ike(const struct ike_payloads *payloads)
{
	struct ike_delete delete;

	for (unsigned i = 0; i < payloads->n; i++)
		if (payloads->list[i].type == IKE_PL_DELETE && ike_delete_decode(payloads->list[i].body, &delete) == 0 &&
		    delete.protocol == IKE_PROTO_IKE)
			return true;
	return false;
}

static void handle_request(struct ike_sa *sa, const struct ike_path *path, const struct ike_header *header, uint8_t first,
			   struct rd plain, uint64_t now_ms)
{
	struct ike_payloads payloads;
	enum ike_decode what;
	uint8_t bad;

	if (header->exchange == IKE_AUTH) {
		sa_auth_request(sa, header->id, first, plain, now_ms);
		return;
	}
	if (sa->state != SA_UP && sa->state != SA_REPLACED && sa->state != SA_DELETING)
		return; /* nothing but IKE_AUTH before it is up (CVE-2019-12312's class) */
	what = ike_payloads_decode(first, plain, &payloads, &bad);
	/* who lost a collision says nothing on what it made but that it goes */
	if (what == IKE_DECODED && sa->spare_of && !deletes_ike(&payloads))
		sa_rekey_taken(sa, now_ms);
	if (what == IKE_UNKNOWN_CRITICAL) {
		sa_respond_notify(sa, header->exchange, header->id, N_UNSUPPORTED_CRITICAL_PAYLOAD, &bad, 1, now_ms);
	} else if (what != IKE_DECODED) {
		sa_respond_notify(sa, header->exchange, header->id, N_INVALID_SYNTAX, NULL, 0, now_ms);
		sa_kill(sa, IKE_EVENT_DOWN, "the peer sent a malformed request", now_ms); /* 2.21.3 */
	} else if (header->exchange == CREATE_CHILD_SA) {
		sa_create_request(sa, header->id, &payloads, now_ms);
	} else if (header->exchange == IKE_INFORMATIONAL) {
		sa_info_request(sa, path, header->id, &payloads, now_ms);
	} else {
		sa_respond_notify(sa, header->exchange, header->id, N_INVALID_SYNTAX, NULL, 0, now_ms);
	}
}

static void handle_response(struct ike_sa *sa, const struct ike_header *header, uint8_t first, struct rd plain,
			    uint64_t now_ms)
{
	enum request_kind kind = sa->out.req.kind;
	struct ike_payloads payloads;
	uint8_t bad;

	if (kind == REQ_AUTH) {
		if (header->exchange == IKE_AUTH)
			sa_auth_response(sa, first, plain, now_ms);
		return;
	}
	if (ike_payloads_decode(first, plain, &payloads, &bad) != IKE_DECODED) {
		sa_kill(sa, IKE_EVENT_DOWN, "the peer sent a malformed response", now_ms);
		return;
	}
	switch (kind) {
	case REQ_INIT:
	case REQ_AUTH:
		return;
	case REQ_CHILD_NEW:
	case REQ_CHILD_REKEY:
		if (header->exchange == CREATE_CHILD_SA)
			sa_child_response(sa, &payloads, now_ms);
		return;
	case REQ_IKE_REKEY:
		if (header->exchange == CREATE_CHILD_SA)
			sa_rekey_response(sa, &payloads, now_ms);
		return;
	case REQ_CHILD_DELETE:
	case REQ_CHILD_UNMADE:
	case REQ_IKE_DELETE:
	case REQ_LIVENESS:
	case REQ_MOVE:
	case REQ_ADDRESSES:
		if (header->exchange == IKE_INFORMATIONAL)
			sa_info_response(sa, &payloads, now_ms);
		return;
	}
}

/* Is it the one that we wait for? */
static bool is_awaited(const struct ike_sa *sa, const struct ike_header *header)
{
	if (header->flags & IKE_FLAG_RESPONSE)
		return sa->out.active && header->id == sa->out.id;
	return header->id == sa->recv_id;
}

/* That, or a repetition of what we answered? */
static bool id_is_current(struct ike_sa *sa, const struct ike_path *path, const struct ike_header *header,
			  bool first_fragment)
{
	if (is_awaited(sa, header) || header->flags & IKE_FLAG_RESPONSE)
		return is_awaited(sa, header);
	if (header->id + 1 == sa->recv_id && sa->response.n > 0) {
		/* RFC 7383 2.6.1: the first fragment alone asks for it again */
		if (first_fragment) {
			engine_counters(sa->engine)->duplicates++;
			sa_send_packets(sa, &sa->response, path);
		}
	} else {
		engine_counters(sa->engine)->bad_id++;
	}
	return false;
}

/* Opens SK, or puts SKF to its siblings. False: nothing to look at, yet. */
static bool open_message(struct ike_sa *sa, const struct ike_header *header, uint8_t *data, size_t len, uint8_t *first,
			 struct rd *plain, bool *opened, bool *first_fragment)
{
	struct ike_fragment fragment;
	enum ike_decode what;

	*first_fragment = true;
	if (header->next != IKE_PL_SKF) {
		what = ike_sk_open(sa->rx, data, len, first, plain);
		*opened = what == IKE_DECODED;
		if (!*opened)
			engine_counters(sa->engine)->bad_integrity++;
		return *opened;
	}
	what = ike_skf_open(sa->rx, data, len, &fragment);
	*opened = what == IKE_DECODED;
	if (!*opened) {
		engine_counters(sa->engine)->bad_integrity++;
		return false;
	}
	*first_fragment = fragment.number == 1;
	/* of an old message: not to be kept, at most answered again */
	if (!is_awaited(sa, header))
		return true;
	if (!sa->fragments)
		sa->fragments = fragments_new(engine_fragment_bytes(sa));
	return fragments_add(sa->fragments, header->id, header->flags & IKE_FLAG_RESPONSE, &fragment, first, plain);
}

void sa_packet(struct ike_sa *sa, const struct ike_path *path, const struct ike_header *header, uint8_t *data, size_t len,
	       uint64_t now_ms)
{
	bool opened, first_fragment;
	struct rd plain;
	uint8_t first;

	/* the responder derives keys only now (sa_init.c) */
	if (!sa->rx && (sa->initiator || sa_init_derive(sa) != 0))
		return;
	if (!open_message(sa, header, data, len, &first, &plain, &opened, &first_fragment))
		return;
	/* what is old was heard before, and anybody can send it again */
	if (!id_is_current(sa, path, header, first_fragment))
		return;
	engine_touch(sa);
	sa->heard_ms = now_ms;
	/* IKE_AUTH again while it is being answered: as the first one says */
	if (!(header->flags & IKE_FLAG_RESPONSE) && (!sa->setup || sa->state == SA_INIT_DONE))
		sa->reply_path = *path;
	follow(sa, path, now_ms);
	if (header->flags & IKE_FLAG_RESPONSE)
		sa_mobike_answered(sa, path);
	if (header->flags & IKE_FLAG_RESPONSE)
		handle_response(sa, header, first, plain, now_ms);
	else
		handle_request(sa, path, header, first, plain, now_ms);
	fragments_free(sa->fragments);
	sa->fragments = NULL;
}
