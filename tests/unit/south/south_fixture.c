/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/south/south_fixture.h"

#include "lib/mem.h"

/* ---- the engine's side: records calls ---- */

static bool f_enroll(void *ctx, const char *name, const uint8_t hash[32],
		     enum pki_kind *kind, struct diag *diag)
{
	struct fake *f = ctx;
	uint8_t want[32], secret[32];

	memset(secret, 5, sizeof(secret));
	pki_secret_hash(secret, want);
	if (!f->token_good || strcmp(name, "r1") != 0 || memcmp(hash, want, 32) != 0) {
		diag_set(diag, "no such token");
		return false;
	}
	f->token_good = false; /* single use */
	*kind = f->kind;
	return true;
}

static int f_issue(void *ctx, const struct pki_identity *id, const uint8_t *spki,
		   size_t spki_len, struct wr *cert, struct diag *diag)
{
	struct fake *f = ctx;
	struct pki_request request = { .id = *id,
				       .spki = spki,
				       .spki_len = spki_len,
				       .not_before = FAKE_WALL,
				       .not_after = FAKE_WALL + 1000 };

	if (f->issue_fails)
		return diag_set(diag, "signer is ill");
	return pki_issue(f->ca_key, f->ca.data, f->ca.len, &request, cert, diag);
}

static bool f_enrolled(void *ctx, const struct pki_cert *cert, struct diag *diag)
{
	struct fake *f = ctx;

	assert_string_equal(cert->id.name, "r1");
	if (f->record_fails)
		diag_set(diag, "disk full");
	return !f->record_fails;
}

static bool f_certificate_ok(void *ctx, const char *name, const char *serial,
			     struct diag *diag)
{
	struct fake *f = ctx;

	if (f->certificate_bad)
		diag_set(diag, "revoked");
	return !f->certificate_bad;
}

static void f_up(void *ctx, const struct south_peer *peer)
{
	struct fake *f = ctx;

	f->up++;
	assert_string_equal(peer->software, "test 1");
}

static void f_down(void *ctx, const char *name, const char *why)
{
	struct fake *f = ctx;

	f->down++;
	snprintf(f->down_why, sizeof(f->down_why), "%s", why);
}

static void f_inventory(void *ctx, const char *name, const struct agent_inventory *inv)
{
	struct fake *f = ctx;

	f->inventories++;
	if (f->cut_on_inventory)
		south_session_cut(f->s, name, "cut from a callback", f->now);
}

static void f_ack(void *ctx, const char *name, const char *interface, uint64_t generation,
		  const uint8_t *hash, const char *error)
{
	struct fake *f = ctx;

	snprintf(f->last_error, sizeof(f->last_error), "%s", error);
	if (error[0])
		f->errors++;
	else
		f->acks++;
}

static void f_counters(void *ctx, const char *name, const struct agent_counters *c,
		       size_t n)
{
	struct fake *f = ctx;

	f->counters += (unsigned int)n;
}

static bool f_relay_ok(void *ctx, const char *router, struct diag *diag)
{
	struct fake *f = ctx;

	if (f->relay_refused)
		diag_set(diag, "there is no router %s", router);
	return !f->relay_refused;
}

static void *f_relay_open(void *ctx, const char *router, const char *address,
			  struct south_session *ss)
{
	struct fake *f = ctx;

	assert_string_equal(address, "192.0.2.7");
	f->relays++;
	f->relay_session = ss;
	snprintf(f->relay_router, sizeof(f->relay_router), "%s", router);
	return &f->relay;
}

static int f_relay_bytes(void *ctx, void *feed, const struct agent_blob *data,
			 uint64_t waiting, struct diag *diag)
{
	struct fake *f = ctx;

	assert_ptr_equal(feed, &f->relay);
	if (f->redump_on_bmp)
		south_relay_redump(f->relay_session);
	wr_bytes(&f->relay, data->data, data->len);
	f->relay_waiting = waiting;
	return f->relay_bad ? diag_set(diag, "this is not BMP") : 0;
}

static void f_relay_close(void *ctx, void *feed, const char *why)
{
	struct fake *f = ctx;

	assert_ptr_equal(feed, &f->relay);
	assert_string_not_equal(why, "");
	f->relays_closed++;
}

static void f_note(void *ctx, bool alarm, const char *text)
{
	struct fake *f = ctx;

	f->notes++;
	snprintf(f->last_note, sizeof(f->last_note), "%s", text);
}

static void f_wake(void *io)
{
	if (io)
		((struct fake *)io)->wakes++;
}

static const struct south_ops ops = {
	.enroll = f_enroll,
	.issue = f_issue,
	.enrolled = f_enrolled,
	.certificate_ok = f_certificate_ok,
	.up = f_up,
	.down = f_down,
	.inventory = f_inventory,
	.ack = f_ack,
	.counters = f_counters,
	.relay_ok = f_relay_ok,
	.relay_open = f_relay_open,
	.relay_bytes = f_relay_bytes,
	.relay_close = f_relay_close,
	.note = f_note,
	.wake = f_wake,
};

struct fake *fake_new(void)
{
	struct fake *f = mem_alloc(sizeof(*f));
	struct south_config config = { .epoch = FAKE_EPOCH,
				       .lease_s = 3600,
				       .counters_interval_s = 30 };
	struct diag diag;

	f->ca_key = pki_key_new();
	assert_int_equal(pki_ca_make(f->ca_key, "CA", FAKE_WALL - 10,
				     FAKE_WALL + PKI_CA_S, &f->ca, &diag),
			 0);
	f->token_good = true;
	f->now = 1000000;
	config.ca = f->ca.data;
	config.ca_len = f->ca.len;
	f->s = south_new(&config, &ops, f);
	return f;
}

void fake_free(struct fake *f)
{
	south_free(f->s);
	pki_key_free(f->ca_key);
	wr_fini(&f->ca);
	wr_fini(&f->relay);
	free(f);
}

/* ---- an agent ---- */

void agent_say(struct agent *a, const struct agent_msg *msg)
{
	struct wr wr = { 0 };

	agent_msg_pack(msg, &wr);
	south_session_bytes(a->ss, wr.data, wr.len, a->f->now);
	wr_fini(&wr);
}

enum agent_msg_type agent_receive(struct agent *a)
{
	const uint8_t *data, *body;
	struct diag diag;
	size_t len;

	agent_msg_fini(&a->got);
	while (!frame_in_next(a->in, &body, &len)) {
		len = south_session_output(a->ss, &data);
		if (len == 0)
			return AGENT_MSG_UNKNOWN;
		assert_int_equal(frame_in_bytes(a->in, data, len, &diag), 0);
		south_session_sent(a->ss, len, a->f->now);
	}
	if (agent_msg_unpack(body, len, &a->got, &diag) != 0)
		fail_msg("%s", diag.text);
	return a->got.type;
}

void agent_expect(struct agent *a, enum agent_msg_type type)
{
	enum agent_msg_type got;

	do
		got = agent_receive(a);
	while (got == AGENT_MSG_KEEPALIVE && type != AGENT_MSG_KEEPALIVE);
	if (got == AGENT_MSG_FAILURE && type != AGENT_MSG_FAILURE)
		fail_msg("failure: %s", a->got.u.failure.text);
	assert_int_equal(got, type);
}

void agent_open(struct agent *a, struct fake *f, const char *name, enum pki_kind kind)
{
	struct pki_cert cert = { .has_id = true,
				 .id = { .kind = kind },
				 .serial = "abc",
				 .not_after = FAKE_WALL + PKI_AGENT_S };

	a->f = f;
	a->in = frame_in_new(AGENT_FRAME_MAX_BYTES);
	a->ss = south_session_open(f->s, "192.0.2.7", f, f->now);
	if (name)
		snprintf(cert.id.name, sizeof(cert.id.name), "%s", name);
	south_session_secure(a->ss, name ? &cert : NULL, FAKE_WALL, f->now);
}

void agent_close(struct agent *a)
{
	south_session_close(a->ss, "test ends it", a->f->now);
	frame_in_free(a->in);
	agent_msg_fini(&a->got);
	filter_fini(&a->held);
	memset(a, 0, sizeof(*a));
}

void agent_reopen(struct agent *a, const char *name)
{
	struct filter held = a->held;
	uint8_t hash[FILTER_HASH_SIZE];
	struct fake *f = a->f;

	memcpy(hash, a->hash, sizeof(hash));
	a->held = (struct filter){ 0 };
	agent_close(a);
	agent_open(a, f, name, PKI_ROUTER);
	a->held = held;
	memcpy(a->hash, hash, sizeof(hash));
}

void agent_hello(struct agent *a, uint64_t epoch)
{
	struct agent_msg msg = { .type = AGENT_MSG_HELLO };
	struct agent_held held = { "", a->held.generation, { 0 } };

	strcpy(msg.u.hello.software, "test 1");
	msg.u.hello.protocol = AGENT_PROTOCOL;
	msg.u.hello.epoch = epoch;
	memcpy(held.interface, a->held.interface, sizeof(held.interface));
	memcpy(held.hash, a->hash, sizeof(held.hash));
	msg.u.hello.held = &held;
	msg.u.hello.n_held = a->held.interface[0] ? 1 : 0;
	agent_say(a, &msg);
	agent_expect(a, AGENT_MSG_WELCOME);
	assert_int_equal(a->got.u.welcome.epoch, FAKE_EPOCH);
}

void agent_apply(struct agent *a)
{
	const struct agent_filter *in = &a->got.u.filter;
	struct addrset set = { 0 };
	uint8_t hash[FILTER_HASH_SIZE];

	if (in->base_generation != 0) {
		assert_int_equal(in->base_generation, a->held.generation);
		assert_memory_equal(in->base_hash, a->hash, sizeof(a->hash));
		addrset_subtract(&set, &a->held.accept, &in->del);
	}
	addrset_union(&set, &set, &in->filter.accept);
	filter_copy(&a->held, &in->filter);
	addrset_copy(&a->held.accept, &set);
	addrset_fini(&set);
	filter_hash(&a->held, hash);
	assert_memory_equal(hash, in->hash, sizeof(hash));
	memcpy(a->hash, hash, sizeof(hash));
}

void agent_ack(struct agent *a, const char *error)
{
	struct agent_msg msg = { .type = AGENT_MSG_ACK };

	memcpy(msg.u.ack.interface, a->held.interface, FILTER_IFNAME_SIZE);
	msg.u.ack.generation = a->held.generation;
	memcpy(msg.u.ack.hash, a->hash, sizeof(msg.u.ack.hash));
	snprintf(msg.u.ack.error, sizeof(msg.u.ack.error), "%s", error);
	agent_say(a, &msg);
}

struct filter fake_filter(const char *interface, uint64_t generation, const char *first,
			  const char *second)
{
	struct filter f = { .generation = generation, .action = FILTER_ENFORCE };
	const char *texts[] = { first, second };

	strcpy(f.interface, interface);
	for (size_t i = 0; i < 2 && texts[i]; i++) {
		struct ip_prefix p;

		assert_int_equal(ip_prefix_parse(texts[i], &p), IP_PARSE_OK);
		addrset_append(&f.accept, &p);
	}
	addrset_normalize(&f.accept);
	return f;
}

void fake_want(struct fake *f, const char *interface, uint64_t generation,
	       const char *first, const char *second)
{
	struct filter filter = fake_filter(interface, generation, first, second);

	south_filter_set(f->s, "r1", &filter, f->now);
	filter_fini(&filter);
}

struct south_edge_status fake_status(struct fake *f)
{
	struct south_edge_status out;
	struct south_status st;

	assert_true(south_status(f->s, "r1", &st));
	assert_true(st.n_edges > 0);
	out = st.edges[0];
	south_status_fini(&st);
	return out;
}
