/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "tests/ladder/ladder.h"
#include "ipsec/ike/ts.h"
#include "lib/mem.h"
#include "tests/fuzz/fuzz_assert.h"

struct ladder ladder;

/* Nonces and SPIs decide who wins a collision: programs link with
 * --wrap=crypto_random, so that a failure comes again. */
void __wrap_crypto_random(void *out, size_t len);
void __wrap_crypto_random(void *out, size_t len)
{
	uint8_t *p = out;

	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)(random() >> 8);
}

static void on_send(void *ctx, const struct ike_path *path, const uint8_t *data, size_t len)
{
	struct end *from = ctx;
	struct datagram *d = &ladder.wire[ladder.n_wire];

	/* a NAT forwards nothing to a mapping that it has no more */
	if (ladder.nat.port && from == &ladder.ends[1] && path->remote.port != ladder.nat.port + IKE_PORT &&
	    path->remote.port != ladder.nat.port + IKE_NATT_PORT)
		return;
	if (ladder.n_wire == LADDER_WIRE_MAX)
		return; /* lost */
	ladder.n_wire++;
	d->to = from == &ladder.ends[0];
	d->path.link = 1;
	d->path.local = path->remote;
	d->path.remote = path->local;
	if (ladder.nat.port && d->to == 1) {
		d->path.remote = ladder.nat;
		d->path.remote.port = (uint16_t)(ladder.nat.port + path->local.port);
	} else if (ladder.nat.port) {
		d->path.local.addr = ladder.ends[0].at.addr;
		d->path.local.port = (uint16_t)(path->remote.port - ladder.nat.port);
	}
	d->data = mem_dup(data, len);
	d->len = len;
}

static void on_keepalive(void *ctx, const struct ike_path *path)
{
	((struct end *)ctx)->keepalives++;
}

static void on_sign(void *ctx, const struct ike_sign *sign)
{
	struct end *e = ctx;
	struct wr *auth = &e->signs[e->n_signs].auth;
	uint8_t mac[CRYPTO_PRF_MAX];
	struct ike_auth_octets octets;
	struct crypto_secret psk;
	struct diag diag;

	HOLDS(e->n_signs < LADDER_SIGNS_MAX);
	HOLDS(sign->psk || e->key);
	e->signs[e->n_signs].id = sign->id;
	*auth = (struct wr){ 0 };
	if (sign->psk) {
		memcpy(octets.parts, sign->octets, sizeof(octets.parts));
		crypto_secret_set(&psk, e->psk, strlen(e->psk));
		HOLDS(ike_auth_psk(sign->prf, &psk, &octets, mac) == 0);
		wr_bytes(auth, mac, crypto_prf_size(sign->prf));
		e->signs[e->n_signs].method = IKE_AUTH_PSK;
	} else {
		HOLDS(crypto_private_sign(e->key, sign->hashes, sign->octets, 3, &e->signs[e->n_signs].method, auth, &diag) == 0);
	}
	e->n_signs++;
}

static int on_verify(void *ctx, const struct ike_verify *verify, struct diag *diag)
{
	const struct end *e = ctx;

	return e->creds ? creds_verify(e->creds, verify, LADDER_NOW_S, diag) : diag_set(diag, "no public keys here");
}

static void on_certs(void *ctx, const struct ike_tunnel *tunnel, struct ike_writer *w)
{
	const struct end *e = ctx;

	if (e->creds)
		creds_put_certs(e->creds, tunnel, w);
}

static void on_certreq(void *ctx, const struct ike_tunnel *tunnel, struct ike_writer *w)
{
	const struct end *e = ctx;
	struct wr ids = { 0 };

	if (e->creds)
		creds_add_key_ids(e->creds, &ids);
	if (ids.len)
		ike_cert_encode(w, IKE_PL_CERTREQ, IKE_CERT_X509, ids.data, ids.len);
	wr_fini(&ids);
}

static uint32_t on_spi(void *ctx)
{
	struct end *e = ctx;

	return e->no_spi ? 0 : ++e->next_spi;
}

static int on_child_add(void *ctx, const struct ike_child_sa *child)
{
	struct end *e = ctx;

	if (e->n_kids == LADDER_KIDS_MAX || e->refuses)
		return -1;
	e->kids[e->n_kids++] = (struct kid){ child->spi_in, child->spi_out, child->in->encr, child->out->encr,
					     child->inbound_only ? 0 : ++e->n_used, child->encap, child->path,
					     child->transport, child->no_tfc, child->local_ts->list[0],
					     child->remote_ts->list[0] };
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
struct kid *ladder_kid(struct end *e, uint32_t spi_in)
{
	struct kid *kid = kid_find(e, spi_in);

	HOLDS(kid);
	return kid;
}

static void on_child_use(void *ctx, uint32_t spi_in)
{
	struct end *e = ctx;
	struct kid *kid = ladder_kid(e, spi_in);

	if (!kid->used)
		kid->used = ++e->n_used;
}

static void on_child_unuse(void *ctx, uint32_t spi_in)
{
	ladder_kid(ctx, spi_in)->used = 0;
}

static void on_child_move(void *ctx, uint32_t spi_in, const struct ike_path *path, bool encap)
{
	struct kid *kid = ladder_kid(ctx, spi_in);

	kid->path = *path;
	kid->encap = encap;
}

/* An SPI that was only handed out may be given back too. */
static void on_child_del(void *ctx, uint32_t spi_in)
{
	struct end *e = ctx;
	struct kid *kid = kid_find(e, spi_in);

	if (kid)
		memmove(kid, kid + 1, (size_t)(&e->kids[--e->n_kids] - kid) * sizeof(*kid));
}

static void on_child_yield(void *ctx, uint32_t spi_in)
{
	struct end *e = ctx;

	e->yielded++;
	on_child_del(ctx, spi_in);
}

static void on_child_times(void *ctx, uint32_t spi_in, uint64_t *heard_ms, uint64_t *spoke_ms)
{
	const struct end *e = ctx;

	*heard_ms = e->heard_ms;
	*spoke_ms = e->spoke_ms;
}

static void on_event(void *ctx, enum ike_event event, uint64_t sa, const char *tunnel, const char *text)
{
	struct end *e = ctx;
	size_t told;

	e->ups += event == IKE_EVENT_UP;
	e->downs += event == IKE_EVENT_DOWN;
	e->failures += event == IKE_EVENT_FAILED;
	snprintf(e->last, sizeof(e->last), "%s", text);
	told = strlen(e->told);
	if (told + strlen(text) + 2 > sizeof(e->told))
		told = 0;
	snprintf(e->told + told, sizeof(e->told) - told, "%s\n", text);
}

static const struct ike_ops ops = {
	.send = on_send, .keepalive = on_keepalive, .sign = on_sign, .verify = on_verify, .put_certs = on_certs,
	.put_certreq = on_certreq, .spi = on_spi, .child_add = on_child_add, .child_use = on_child_use,
	.child_unuse = on_child_unuse, .child_move = on_child_move, .child_del = on_child_del,
	.child_retire = on_child_del, .child_yield = on_child_yield, .child_times = on_child_times, .event = on_event,
};

/* ---- driving */

static void answer_signs(struct end *e)
{
	while (e->n_signs > 0 && !ladder.hold_signs) {
		unsigned i = --e->n_signs;
		struct wr auth = e->signs[i].auth;

		ladder.hold_signs = ladder.one_sign;

		ike_engine_signed(e->engine, e->signs[i].id, e->signs[i].method, auth.data, auth.len, ladder.now);
		wr_fini(&auth);
	}
}

void ladder_deliver(unsigned i)
{
	struct datagram d = ladder.wire[i];

	memmove(&ladder.wire[i], &ladder.wire[i + 1], (--ladder.n_wire - i) * sizeof(ladder.wire[0]));
	ike_engine_packet(ladder.ends[d.to].engine, &d.path, d.data, d.len, ladder.now);
	free(d.data);
	answer_signs(&ladder.ends[d.to]);
}

void ladder_drop(unsigned i)
{
	free(ladder.wire[i].data);
	memmove(&ladder.wire[i], &ladder.wire[i + 1], (--ladder.n_wire - i) * sizeof(ladder.wire[0]));
}

void ladder_run(void)
{
	for (unsigned i = 0; i < 2; i++) {
		ike_engine_run(ladder.ends[i].engine, ladder.now);
		answer_signs(&ladder.ends[i]);
	}
}

/* Until nothing is on the wire and nobody has anything to say. */
void ladder_settle(void)
{
	for (unsigned i = 0; i < 500; i++) {
		ladder_run();
		while (ladder.n_wire > 0)
			ladder_deliver(0);
	}
}

struct ike_endpoint ladder_endpoint(const char *text)
{
	struct ike_endpoint e = { .port = IKE_PORT };

	HOLDS(ip_addr_parse(text, &e.addr));
	return e;
}

static struct ike_tunnel tunnel_of(unsigned end)
{
	static struct ike_ts_list a = { .n = 1 }, b = { .n = 1 };
	struct ike_tunnel t;
	struct diag diag;

	ike_tunnel_defaults(&t);
	snprintf(t.name, sizeof(t.name), "t");
	t.link = 1;
	HOLDS(ike_identity_parse(end ? "fqdn b.example" : "fqdn a.example", &t.local_id, &diag) == 0);
	HOLDS(ike_identity_parse(end ? "fqdn a.example" : "fqdn b.example", &t.remote_id, &diag) == 0);
	t.remote_addr = ladder.ends[!end].at.addr;
	HOLDS(ike_ts_parse("198.51.100.0/24", &a.list[0], &diag) == 0 && ike_ts_parse("203.0.113.0/24", &b.list[0], &diag) == 0);
	t.local_ts = end ? &b : &a;
	t.remote_ts = end ? &a : &b;
	return t;
}

void ladder_begin(void (*change)(struct ike_tunnel *t, unsigned end))
{
	ladder = (struct ladder){ 0 };
	ladder.now = 1000;
	ladder.ends[0].at = ladder_endpoint("192.0.2.1");
	ladder.ends[1].at = ladder_endpoint("192.0.2.2");
	for (unsigned i = 0; i < 2; i++) {
		struct ike_tunnel t;

		ladder.ends[i].psk = "the same on both sides";
		ladder.ends[i].next_spi = 0x1000 * (i + 1);
		ladder.ends[i].engine = ike_engine_new(&ops, &ladder.ends[i]);
		t = tunnel_of(i);
		if (change)
			change(&t, i);
		ike_engine_tunnel_set(ladder.ends[i].engine, &t);
	}
}

static void first_begins(void)
{
	struct ike_path path = { .link = 1, .local = ladder.ends[0].at, .remote = ladder.ends[1].at };
	struct diag diag;

	HOLDS(ike_engine_up(ladder.ends[0].engine, "t", &path, ladder.now, &diag) == 0);
}

void ladder_up(void)
{
	first_begins();
	ladder_settle();
}

void ladder_until_auth(void)
{
	ladder_begin(NULL);
	first_begins();
	ladder_deliver(0);
	ladder_deliver(0);
}

void ladder_end(void)
{
	while (ladder.n_wire > 0)
		ladder_drop(0);
	for (unsigned i = 0; i < 2; i++) {
		while (ladder.ends[i].n_signs > 0)
			wr_fini(&ladder.ends[i].signs[--ladder.ends[i].n_signs].auth);
		ike_engine_free(ladder.ends[i].engine);
		creds_free(ladder.ends[i].creds);
		crypto_private_free(ladder.ends[i].key);
	}
}

struct ike_counters ladder_counters(unsigned i)
{
	struct ike_counters c;

	ike_engine_counters(ladder.ends[i].engine, &c);
	return c;
}

/* ---- forging */

#define NUMBERS_MAX 64 /* SAs are looked for among the first so many */

struct ike_sa *ladder_sa(unsigned from, unsigned nth)
{
	struct ike_sa *found = NULL;

	for (uint64_t number = 1; number < NUMBERS_MAX; number++) {
		struct ike_sa *sa = engine_sa_by_number(ladder.ends[from].engine, number);

		if (!sa || !sa->tx)
			continue;
		found = sa;
		if (nth-- == 0)
			break;
	}
	return found;
}

void ladder_inject(unsigned to, const uint8_t *data, size_t len, uint16_t port)
{
	struct ike_path path = { .link = 1, .local = ladder.ends[to].at, .remote = ladder.ends[!to].at };
	uint8_t *copy = mem_alloc(len + 1);

	if (port)
		path.remote.port = port;
	if (len > 0)
		memcpy(copy, data, len);
	ike_engine_packet(ladder.ends[to].engine, &path, copy, len, ladder.now);
	free(copy);
	answer_signs(&ladder.ends[to]);
}

void ladder_forge(unsigned from, struct ike_sa *sa, const struct ike_header *header, const struct ike_writer *chain)
{
	struct wr out = { 0 };

	HOLDS(ike_sk_seal(sa->tx, sa->tx_counter++, header, chain, &out) == 0);
	ladder_inject(!from, out.data, out.len, 0);
	wr_fini(&out);
}
