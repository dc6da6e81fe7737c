/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec/ike/ike_engine.h"

#include <stdlib.h>
#include <string.h>

#include "ipsec/ike/ike_engine_impl.h"
#include "lib/mem.h"

#define COOKIE_TOTAL 64	     /* half-open SAs that make everybody show a cookie */
#define COOKIE_SOURCE 8	     /* and those of one source, a NAT's many clients too */
#define HALF_OPEN_MAX 20000  /* with cookies: then no more for a while */
#define ANSWERS_PER_S 20     /* to what is no IKEv2, unasked (RFC 7296 2.5) */
#define RETRY_FIRST_MS 1000
#define RETRY_MAX_MS 60000

struct ike_engine *ike_engine_new(const struct ike_ops *ops, void *ctx)
{
	struct ike_engine *e = mem_alloc(sizeof(*e));

	e->ops = *ops;
	e->ctx = ctx;
	e->next_number = e->next_sign = 1;
	e->retry_next_ms = UINT64_MAX;
	crypto_random(&e->tables.seed, sizeof(e->tables.seed));
	return e;
}

const struct ike_ops *engine_ops(struct ike_engine *e, void **ctx)
{
	*ctx = e->ctx;
	return &e->ops;
}

struct ike_counters *engine_counters(struct ike_engine *e)
{
	return &e->counters;
}

void ike_engine_counters(const struct ike_engine *e, struct ike_counters *out)
{
	*out = e->counters;
}

/* ---- SAs */

/* ---- who is due: a heap */

static void heap_place(struct ike_engine *e, size_t at, struct ike_sa *sa)
{
	e->heap[at] = sa;
	sa->heap_at = at;
}

static void heap_up(struct ike_engine *e, size_t at)
{
	struct ike_sa *sa = e->heap[at];

	while (at > 0 && e->heap[(at - 1) / 2]->due_ms > sa->due_ms) {
		heap_place(e, at, e->heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	heap_place(e, at, sa);
}

static void heap_down(struct ike_engine *e, size_t at)
{
	struct ike_sa *sa = e->heap[at];

	for (;;) {
		size_t below = 2 * at + 1;

		if (below + 1 < e->n_heap && e->heap[below + 1]->due_ms < e->heap[below]->due_ms)
			below++;
		if (below >= e->n_heap || e->heap[below]->due_ms >= sa->due_ms)
			break;
		heap_place(e, at, e->heap[below]);
		at = below;
	}
	heap_place(e, at, sa);
}

static void heap_add(struct ike_engine *e, struct ike_sa *sa)
{
	if (e->n_heap == e->heap_size) {
		e->heap_size = e->heap_size ? 2 * e->heap_size : 64;
		e->heap = mem_realloc(e->heap, e->heap_size, sizeof(e->heap[0]));
	}
	heap_place(e, e->n_heap++, sa);
	heap_up(e, sa->heap_at);
}

static void heap_remove(struct ike_engine *e, struct ike_sa *sa)
{
	size_t at = sa->heap_at;
	struct ike_sa *end = e->heap[--e->n_heap];

	if (end == sa)
		return;
	heap_place(e, at, end);
	heap_up(e, at);
	heap_down(e, end->heap_at);
}

static void set_due(struct ike_engine *e, struct ike_sa *sa, uint64_t due_ms)
{
	sa->due_ms = due_ms;
	heap_up(e, sa->heap_at);
	heap_down(e, sa->heap_at);
}

void engine_touch(struct ike_sa *sa)
{
	struct ike_engine *e = sa->engine;

	/* one that is not in the tables yet is touched when it comes there */
	if (sa->touched || sa == e->running || sa->number == 0)
		return;
	sa->touched = true;
	sa->next_touched = e->touched;
	e->touched = sa;
}

void engine_sa_link(struct ike_engine *e, struct ike_sa *sa)
{
	sa->number = e->next_number++;
	tables_add(&e->tables, sa);
	sa->next = e->sas;
	if (e->sas)
		e->sas->prev = sa;
	e->sas = sa;
	e->counters.sas++;
	sa->due_ms = UINT64_MAX;
	heap_add(e, sa);
	engine_touch(sa);
}

static void unlink_sa(struct ike_engine *e, struct ike_sa *sa)
{
	tables_remove(&e->tables, sa);
	heap_remove(e, sa);
	if (sa->prev)
		sa->prev->next = sa->next;
	else
		e->sas = sa->next;
	if (sa->next)
		sa->next->prev = sa->prev;
	e->counters.sas--;
}

struct ike_sa *engine_sa_by_number(struct ike_engine *e, uint64_t number)
{
	struct ike_sa *sa = tables_by_number(&e->tables, number);

	return sa && sa->state != SA_DEAD ? sa : NULL;
}

void engine_child_link(struct ike_sa *sa, struct sa_child *child)
{
	child->sa = sa;
	tables_add_child(&sa->engine->tables, child);
	sa->engine->counters.children++;
	engine_touch(sa);
}

void engine_child_unlink(struct ike_sa *sa, struct sa_child *child)
{
	tables_remove_child(&sa->engine->tables, child);
	sa->engine->counters.children--;
	engine_touch(sa);
}

static struct sa_child *child_by_spi(struct ike_engine *e, uint32_t spi_in, struct ike_sa **owner)
{
	struct sa_child *child = tables_child(&e->tables, spi_in);

	if (child)
		*owner = child->sa;
	return child;
}

void ike_engine_free(struct ike_engine *e)
{
	for (struct ike_sa *sa = e->sas, *next; sa; sa = next) {
		next = sa->next;
		sa_free(sa);
	}
	while (e->first) {
		struct tunnel_slot *slot = e->first;

		engine_slot_set_ref(e, slot, NULL);
		engine_slot_drop(e, slot);
	}
	free(e->heap);
	crypto_wipe(e, sizeof(*e));
	free(e);
}

/* So that the answer leads to the SA. */
uint64_t engine_sign_id(struct ike_engine *e, struct ike_sa *sa)
{
	return sa->number << 8 | (e->next_sign++ & 0xff);
}

/* ---- INITIAL_CONTACT: 2.4 */

static bool same_pair(const struct ike_sa *a, const struct ike_sa *b)
{
	return a != b && b->state == SA_UP && ike_identity_equal(&a->peer_id, &b->peer_id) &&
	       ike_identity_equal(&a->own_id, &b->own_id);
}

/* Of tunnels with that identity, and of those that take any. */
static struct tunnel_slot *first_contact_slot(struct ike_engine *e, const struct ike_identity *id, bool any)
{
	static const struct ike_identity nobody;

	return *engine_id_bucket(e, any ? &nobody : id);
}

void engine_initial_contact(struct ike_engine *e, struct ike_sa *sa, uint64_t now_ms)
{
	for (int any = 0; any <= 1; any++)
		for (struct tunnel_slot *slot = first_contact_slot(e, &sa->peer_id, any); slot; slot = slot->next_id)
			for (struct ike_sa *other = slot->sas; other; other = other->next_tunnel)
				if (same_pair(sa, other))
					sa_kill(other, IKE_EVENT_DOWN, "the peer has begun anew", now_ms);
}

bool engine_is_first_contact(struct ike_engine *e, const struct ike_sa *sa)
{
	const struct ike_identity *peer = &sa->tunnel->remote_id;

	if (sa->tunnel->shared_identity || peer->type == 0)
		return false;
	for (int any = 0; any <= 1; any++)
		for (struct tunnel_slot *slot = first_contact_slot(e, peer, any); slot; slot = slot->next_id)
			for (const struct ike_sa *other = slot->sas; other; other = other->next_tunnel)
				if (other != sa && other->state == SA_UP && ike_identity_equal(&other->own_id, &sa->own_id) &&
				    ike_identity_equal(&other->peer_id, peer))
					return false;
	return true;
}

/* ---- half-open SAs and cookies: 2.6 */

/* An IPv6 host has a /64 for itself. */
static size_t source_of(const struct ike_engine *e, const struct ike_endpoint *from)
{
	uint64_t v = from->addr.family == IP_V6 ? (uint64_t)(from->addr.v >> 64) : (uint64_t)from->addr.v;

	return (size_t)(((v ^ e->tables.seed) * 0x9e3779b97f4a7c15ULL) >> 52) % SOURCES;
}

void engine_half_open_done(struct ike_engine *e, struct ike_sa *sa)
{
	if (!sa->half_open_counted)
		return;
	sa->half_open_counted = false;
	e->source[sa->half_open_source]--;
	e->counters.half_open--;
}

static void half_open_begin(struct ike_engine *e, struct ike_sa *sa)
{
	sa->half_open_counted = true;
	sa->half_open_source = source_of(e, &sa->path.remote);
	e->source[sa->half_open_source]++;
	e->counters.half_open++;
}

static bool may_answer(struct ike_engine *e, uint64_t now_ms)
{
	if (e->second != now_ms / 1000) {
		e->second = now_ms / 1000;
		e->answers = 0;
	}
	if (e->answers++ < ANSWERS_PER_S)
		return true;
	e->counters.replies_limited++;
	return false;
}

static void answer_plain(struct ike_engine *e, const struct ike_path *path, const struct ike_header *to, uint16_t notify,
			 const void *data, size_t len)
{
	struct ike_header header = { .exchange = to->exchange, .flags = IKE_FLAG_RESPONSE, .id = to->id };
	struct ike_writer w;

	memcpy(header.spi_i, to->spi_i, IKE_SPI_SIZE);
	memcpy(header.spi_r, to->spi_r, IKE_SPI_SIZE);
	ike_writer_init_header(&w, &header);
	ike_notify_encode(&w, notify, data, len);
	ike_writer_finish(&w);
	e->ops.send(e->ctx, path, w.wr.data, w.wr.len);
	ike_writer_fini(&w);
}

/* True: go on. A source that shows a cookie is where it says, and many behind
 * one NAT are many: only the rate of new ones is bounded for them, by the total. */
static bool pass_cookie(struct ike_engine *e, const struct ike_path *path, const struct ike_header *header,
			const struct ike_payloads *payloads, uint64_t now_ms)
{
	const struct ike_payload *n = ike_payload_find(payloads, IKE_PL_NONCE);
	uint8_t cookie[COOKIE_SIZE];
	struct ike_notify notify;
	struct ike_bytes nonce;

	if (e->counters.half_open < COOKIE_TOTAL && e->source[source_of(e, &path->remote)] < COOKIE_SOURCE)
		return true;
	if (!n || ike_nonce_decode(n->body, &nonce) != 0)
		return false;
	if (sa_notify(payloads, N_COOKIE, &notify)) {
		if (cookie_is_good(&e->cookies, &notify.data, &nonce, &path->remote, header->spi_i, now_ms)) {
			e->counters.cookies_good++;
			if (e->counters.half_open < HALF_OPEN_MAX)
				return true;
			e->counters.half_open_refused++;
			return false;
		}
		e->counters.cookies_bad++;
	}
	cookie_make(&e->cookies, &nonce, &path->remote, header->spi_i, now_ms, cookie);
	e->counters.cookies_sent++;
	answer_plain(e, path, header, N_COOKIE, cookie, sizeof(cookie));
	return false;
}

/* ---- packets */

/* 2.1: the same first message again is answered as before. */
static struct ike_sa *init_repeated(struct ike_engine *e, const struct ike_path *path, const struct ike_header *header,
				    const uint8_t hash[20])
{
	for (struct ike_sa *sa = tables_begun(&e->tables, header->spi_i); sa; sa = sa->in_begun.next)
		if (sa->state == SA_INIT_DONE && memcmp(sa->spi_i, header->spi_i, IKE_SPI_SIZE) == 0 &&
		    ike_endpoint_equal(&sa->path.remote, &path->remote) && memcmp(sa->request_hash, hash, 20) == 0)
			return sa;
	return NULL;
}

static void init_request(struct ike_engine *e, const struct ike_path *path, const struct ike_header *header,
			 const uint8_t *data, size_t len, uint64_t now_ms)
{
	const struct crypto_part whole = { data, len };
	struct ike_payloads payloads;
	enum ike_decode what;
	uint8_t bad, hash[20];
	struct ike_sa *sa;

	crypto_hash(CRYPTO_SHA1, &whole, 1, hash);
	sa = init_repeated(e, path, header, hash);
	if (sa) {
		e->counters.duplicates++;
		sa_send_packets(sa, &sa->response, &sa->path);
		return;
	}
	what = ike_payloads_decode(header->next, rd_init(data + IKE_HEADER_SIZE, len - IKE_HEADER_SIZE), &payloads, &bad);
	if (what == IKE_UNKNOWN_CRITICAL && may_answer(e, now_ms))
		answer_plain(e, path, header, N_UNSUPPORTED_CRITICAL_PAYLOAD, &bad, 1);
	if (what != IKE_DECODED) {
		e->counters.bad_syntax++;
		return;
	}
	if (!pass_cookie(e, path, header, &payloads, now_ms))
		return;
	sa = sa_new(e, false, path, now_ms);
	memcpy(sa->spi_i, header->spi_i, IKE_SPI_SIZE);
	memcpy(sa->request_hash, hash, sizeof(hash));
	if (!sa_init_answer(sa, &payloads, data, len, now_ms)) {
		sa_free(sa);
		return;
	}
	engine_sa_link(e, sa);
	tables_add_begun(&e->tables, sa);
	half_open_begin(e, sa);
}

static void init_response(struct ike_engine *e, const struct ike_path *path, const struct ike_header *header,
			  const uint8_t *data, size_t len, uint64_t now_ms)
{
	struct ike_sa *sa = tables_by_spi(&e->tables, header->spi_i, true);
	struct ike_payloads payloads;
	uint8_t bad;

	if (!sa || sa->state != SA_INIT_SENT)
		return;
	if (ike_payloads_decode(header->next, rd_init(data + IKE_HEADER_SIZE, len - IKE_HEADER_SIZE), &payloads, &bad) !=
	    IKE_DECODED) {
		e->counters.bad_syntax++;
		return;
	}
	sa_init_response(sa, path, header, &payloads, data, len, now_ms);
}

void ike_engine_packet(struct ike_engine *e, const struct ike_path *path, uint8_t *data, size_t len, uint64_t now_ms)
{
	static const uint8_t zero[IKE_SPI_SIZE];
	static const uint8_t version = IKE_VERSION;
	struct ike_header h;
	enum ike_decode what;
	struct ike_sa *sa;
	bool to_initiator, fresh;

	e->counters.packets++;
	what = ike_header_decode(data, len, &h);
	if (what == IKE_TRUNCATED) {
		e->counters.truncated++;
		return;
	}
	if (what == IKE_BAD_VERSION) {
		e->counters.bad_version++;
		/* only to something newer (2.5), or two daemons could answer each other */
		if (h.version > (IKE_VERSION | 0x0f) && !(h.flags & IKE_FLAG_RESPONSE) && may_answer(e, now_ms))
			answer_plain(e, path, &h, N_INVALID_MAJOR_VERSION, &version, 1);
		return;
	}
	fresh = memcmp(h.spi_r, zero, IKE_SPI_SIZE) == 0;
	if (h.exchange == IKE_SA_INIT) {
		if (memcmp(h.spi_i, zero, IKE_SPI_SIZE) == 0 || h.id != 0)
			e->counters.bad_syntax++;
		else if (h.flags & IKE_FLAG_RESPONSE)
			init_response(e, path, &h, data, len, now_ms);
		else if ((h.flags & IKE_FLAG_INITIATOR) && fresh)
			init_request(e, path, &h, data, len, now_ms);
		return;
	}
	to_initiator = !(h.flags & IKE_FLAG_INITIATOR);
	sa = tables_by_spi(&e->tables, to_initiator ? h.spi_i : h.spi_r, to_initiator);
	if (!sa || memcmp(to_initiator ? h.spi_r : h.spi_i, to_initiator ? sa->spi_r : sa->spi_i, IKE_SPI_SIZE) != 0) {
		e->counters.unknown_spi++;
		return;
	}
	sa_packet(sa, path, &h, data, len, now_ms);
}

void ike_engine_signed(struct ike_engine *e, uint64_t id, uint8_t method, const uint8_t *auth, size_t len, uint64_t now_ms)
{
	struct ike_sa *sa = engine_sa_by_number(e, id >> 8);

	if (sa && sa->setup && sa->setup->sign_id == id && id != 0)
		sa_auth_signed(sa, method, auth, len, now_ms);
}

/* ---- the operator, and the datapath */

static struct ike_sa *initiate(struct ike_engine *e, struct tunnel_slot *slot, uint64_t now_ms)
{
	const struct ike_tunnel *tunnel = &slot->ref->tunnel;
	struct ike_path path = slot->path;
	struct ike_sa *sa;

	path.local.port = path.remote.port = tunnel->start_natt ? IKE_NATT_PORT : IKE_PORT;
	if (tunnel->remote_port)
		path.remote.port = tunnel->remote_port;
	sa = sa_new(e, true, &path, now_ms);
	engine_sa_tunnel(sa, tunnel);
	engine_sa_link(e, sa);
	sa_init_begin(sa, now_ms);
	return sa;
}

static bool has_sa(const struct tunnel_slot *slot)
{
	const struct ike_sa *sa = slot->sas;

	while (sa && sa->state > SA_UP)
		sa = sa->next_tunnel;
	return sa != NULL;
}

int ike_engine_up(struct ike_engine *e, const char *name, const struct ike_path *path, uint64_t now_ms, struct diag *diag)
{
	struct tunnel_slot *slot = engine_slot_find(e, name);

	if (!slot)
		return diag_set(diag, "there is no tunnel %s", name);
	if (slot->ref->tunnel.remote_addr.v == 0)
		return diag_set(diag, "tunnel %s only answers: it has no remote address", name);
	slot->path = *path;
	slot->wanted = slot->ref->tunnel.start;
	slot->retry_ms = 0;
	if (!has_sa(slot))
		initiate(e, slot, now_ms);
	return 0;
}

static void down(struct ike_sa *sa, uint64_t now_ms)
{
	const struct sa_request delete = { .kind = REQ_IKE_DELETE };

	if (sa->state == SA_UP)
		sa_queue(sa, &delete);
	else if (sa->state < SA_UP)
		sa_kill(sa, IKE_EVENT_DOWN, "taken down", now_ms);
}

int ike_engine_down(struct ike_engine *e, const char *name, uint64_t now_ms, struct diag *diag)
{
	struct tunnel_slot *slot = engine_slot_find(e, name);

	if (!slot)
		return diag_set(diag, "there is no tunnel %s", name);
	slot->wanted = false;
	for (struct ike_sa *sa = slot->sas; sa; sa = sa->next_tunnel)
		down(sa, now_ms);
	return 0;
}

void ike_engine_tunnel_del(struct ike_engine *e, const char *name, uint64_t now_ms)
{
	struct tunnel_slot *slot = engine_slot_find(e, name);
	struct diag diag;

	if (!slot)
		return;
	ike_engine_down(e, name, now_ms, &diag);
	engine_slot_set_ref(e, slot, NULL);
	engine_slot_drop(e, slot);
}

int ike_engine_rekey(struct ike_engine *e, const char *name, bool children, uint64_t now_ms, struct diag *diag)
{
	struct tunnel_slot *slot = engine_slot_find(e, name);
	unsigned n = 0;

	for (struct ike_sa *sa = slot ? slot->sas : NULL; sa; sa = sa->next_tunnel) {
		const struct sa_request rekey = { .kind = REQ_IKE_REKEY };

		if (sa->state != SA_UP)
			continue;
		n++;
		if (!children)
			sa_queue(sa, &rekey);
		for (unsigned i = 0; children && i < sa->n_children; i++) {
			const struct sa_request child = { .kind = REQ_CHILD_REKEY, .spi = sa->children[i]->spi_in };

			sa_queue(sa, &child);
		}
	}
	return n ? 0 : diag_set(diag, "tunnel %s is not up", name);
}

void ike_engine_child_expiring(struct ike_engine *e, uint32_t spi_in, uint64_t now_ms)
{
	const struct sa_request rekey = { .kind = REQ_CHILD_REKEY, .spi = spi_in };
	struct ike_sa *sa;

	if (child_by_spi(e, spi_in, &sa) && sa->state == SA_UP)
		sa_queue(sa, &rekey);
}

void ike_engine_child_failed(struct ike_engine *e, uint32_t spi_in, uint64_t now_ms)
{
	const struct sa_request delete = { .kind = REQ_CHILD_DELETE, .spi = spi_in };
	struct ike_sa *sa;

	if (!child_by_spi(e, spi_in, &sa) || sa->state != SA_UP)
		return;
	sa_event(sa, IKE_EVENT_REFUSED, "the datapath cannot carry child SA %08x", spi_in);
	sa_queue(sa, &delete);
}

void ike_engine_esp_moved(struct ike_engine *e, uint32_t spi_in, const struct ike_endpoint *remote, uint64_t now_ms)
{
	struct ike_path path;
	struct ike_sa *sa;

	/* who is behind a NAT itself does not follow (2.23) */
	if (!child_by_spi(e, spi_in, &sa) || sa->state != SA_UP || sa->nat.local || !sa->peer_natt ||
	    ike_endpoint_equal(&sa->path.remote, remote))
		return;
	path = sa->path;
	path.remote = *remote;
	sa->nat.remote = true;
	sa_move(sa, &path, now_ms);
}

void ike_engine_link_moved(struct ike_engine *e, uint32_t link, const struct ip_addr *local, uint64_t now_ms)
{
	for (struct tunnel_slot *slot = e->first; slot; slot = slot->next)
		if (slot->path.link == link && slot->path.local.addr.family == local->family)
			slot->path.local.addr = *local;
	for (struct ike_sa *sa = e->sas; sa; sa = sa->next) {
		if (sa->state != SA_UP || sa->path.link != link || sa->path.local.addr.family != local->family ||
		    ip_addr_equal(&sa->path.local.addr, local))
			continue;
		sa_relocate(sa, local, now_ms);
	}
}

/* ---- time */

/* What shall be up comes back, each time a little later (and never gives up). */
static void check_up(struct ike_engine *e, struct tunnel_slot *slot, uint64_t now_ms)
{
	if (!slot->wanted || !slot->ref || has_sa(slot)) {
		engine_slot_is_up(e, slot);
		return;
	}
	if (slot->is_down)
		return;
	slot->is_down = true;
	slot->next_down = e->down;
	e->down = slot;
	slot->retry_ms = slot->retry_ms ? slot->retry_ms * 2 : RETRY_FIRST_MS;
	if (slot->retry_ms > RETRY_MAX_MS)
		slot->retry_ms = RETRY_MAX_MS;
	slot->retry_at_ms = now_ms + slot->retry_ms;
	if (slot->retry_at_ms < e->retry_next_ms)
		e->retry_next_ms = slot->retry_at_ms;
}

static void retry(struct ike_engine *e, uint64_t now_ms)
{
	if (e->retry_next_ms > now_ms)
		return;
	e->retry_next_ms = UINT64_MAX;
	for (struct tunnel_slot *slot = e->down, *next; slot; slot = next) {
		next = slot->next_down;
		if (slot->retry_at_ms > now_ms) {
			if (slot->retry_at_ms < e->retry_next_ms)
				e->retry_next_ms = slot->retry_at_ms;
			continue;
		}
		engine_slot_is_up(e, slot);
		if (slot->wanted && slot->ref && !has_sa(slot))
			initiate(e, slot, now_ms);
	}
}

/* A new SA beside the old one, which goes when the new one is up. */
static void reauthenticate(struct ike_engine *e, struct ike_sa *sa, uint64_t now_ms)
{
	struct tunnel_slot *slot;
	struct ike_sa *made;

	if (sa->state != SA_UP || sa->reauth_at_ms > now_ms)
		return;
	sa->reauth_at_ms = UINT64_MAX;
	slot = engine_ref_of(sa->tunnel)->slot;
	if (!slot->ref)
		return;
	made = initiate(e, slot, now_ms);
	made->number_replaced = sa->number;
}

/* What is due of one SA; frees it when nobody looks any more. */
static void run_one(struct ike_engine *e, struct ike_sa *sa, uint64_t now_ms)
{
	struct tunnel_slot *slot = sa->tunnel ? engine_ref_of(sa->tunnel)->slot : NULL;

	e->running = sa;
	if (sa->state != SA_DEAD) {
		reauthenticate(e, sa, now_ms);
		sa_run(sa, now_ms);
	}
	e->running = NULL;
	if (slot)
		check_up(e, slot, now_ms);
	if (sa->state == SA_DEAD && sa->die_at_ms <= now_ms) {
		unlink_sa(e, sa);
		sa_free(sa);
		return;
	}
	set_due(e, sa, sa_deadline(sa));
}

static void run_touched(struct ike_engine *e, uint64_t now_ms)
{
	struct ike_sa *batch = e->touched;

	e->touched = NULL;
	while (batch) {
		struct ike_sa *sa = batch;

		batch = sa->next_touched;
		sa->touched = false;
		run_one(e, sa, now_ms);
	}
}

static void run_due(struct ike_engine *e, uint64_t now_ms)
{
	while (e->n_heap > 0 && e->heap[0]->due_ms <= now_ms) {
		struct ike_sa *sa = e->heap[0];

		/* until its turn among the touched comes */
		set_due(e, sa, UINT64_MAX);
		if (!sa->touched)
			run_one(e, sa, now_ms);
		/* one that is due again at once waits for the next time */
		if (e->n_heap > 0 && e->heap[0] == sa && e->heap[0]->due_ms <= now_ms)
			return;
	}
}

uint64_t ike_engine_run(struct ike_engine *e, uint64_t now_ms)
{
	uint64_t next;

	retry(e, now_ms);
	run_touched(e, now_ms);
	run_due(e, now_ms);
	if (e->touched)
		return now_ms;
	next = e->n_heap > 0 ? e->heap[0]->due_ms : UINT64_MAX;
	return next < e->retry_next_ms ? next : e->retry_next_ms;
}

/* ---- show */

void ike_engine_each_sa(const struct ike_engine *e, void (*fn)(void *ctx, const struct ike_sa_info *sa), void *ctx)
{
	for (const struct ike_sa *sa = e->sas; sa; sa = sa->next) {
		struct ike_sa_info info = {
			.sa = sa->number, .tunnel = sa->tunnel ? sa->tunnel->name : "", .state = sa_state_text(sa->state),
			.initiator = sa->initiator, .path = sa->path, .local_id = &sa->own_id, .remote_id = &sa->peer_id,
			.suite = sa->keys.suite, .nat_local = sa->nat.local, .nat_remote = sa->nat.remote,
			.mobike = sa->peer_mobike, .fragments = sa->peer_fragments, .up_since_ms = sa->up_ms,
			.rekey_at_ms = sa->rekey_at_ms, .n_children = sa->n_children,
		};

		if (sa->state == SA_DEAD)
			continue;
		memcpy(info.spi_i, sa->spi_i, IKE_SPI_SIZE);
		memcpy(info.spi_r, sa->spi_r, IKE_SPI_SIZE);
		fn(ctx, &info);
	}
}

void ike_engine_each_child(const struct ike_engine *e, uint64_t number, void (*fn)(void *ctx, const struct ike_child_info *child),
			   void *ctx)
{
	static const char *const states[] = { "up", "rekeying", "rekeyed", "deleting" };

	for (const struct ike_sa *sa = e->sas; sa; sa = sa->next)
		for (unsigned i = 0; sa->number == number && i < sa->n_children; i++) {
			const struct sa_child *c = sa->children[i];
			const struct ike_child_info info = { number, c->spi_in, c->spi_out, states[c->state], c->suite,
							     c->local_ts, c->remote_ts, c->since_ms, c->rekey_at_ms };

			fn(ctx, &info);
		}
}
