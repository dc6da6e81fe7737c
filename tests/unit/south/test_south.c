/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * South in virtual time, with agents that are a few lines each: what is sent
 * is unpacked and applied here as an agent would.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "controller/south/south.h"
#include "lib/frame.h"
#include "lib/mem.h"
#include "lib/rd.h"

#define EPOCH 77
#define WALL  1800000000

/* ---- the engine's side: records calls ---- */

struct fake {
	unsigned int up, down, acks, errors, inventories, counters, wakes, notes;
	bool certificate_bad, token_good, issue_fails, record_fails;
	bool cut_on_inventory;
	enum pki_kind kind;
	char down_why[256], last_error[256], last_note[512];
	struct pki_key *ca_key;
	struct wr ca;
	int64_t now;
	struct south *s;
};

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
				       .not_before = WALL,
				       .not_after = WALL + 1000 };

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

static void f_counters(void *ctx, const char *name, const struct agent_counters *c, size_t n)
{
	struct fake *f = ctx;

	f->counters += (unsigned int)n;
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
	.note = f_note,
	.wake = f_wake,
};

static struct fake *fake_new(void)
{
	struct fake *f = mem_alloc(sizeof(*f));
	struct south_config config = { .epoch = EPOCH,
				       .lease_s = 3600,
				       .counters_interval_s = 30 };
	struct diag diag;

	f->ca_key = pki_key_new();
	assert_int_equal(pki_ca_make(f->ca_key, "CA", WALL - 10, WALL + PKI_CA_S, &f->ca,
				     &diag),
			 0);
	f->token_good = true;
	f->now = 1000000;
	config.ca = f->ca.data;
	config.ca_len = f->ca.len;
	f->s = south_new(&config, &ops, f);
	return f;
}

static void fake_free(struct fake *f)
{
	south_free(f->s);
	pki_key_free(f->ca_key);
	wr_fini(&f->ca);
	free(f);
}

/* ---- an agent ---- */

struct agent {
	struct fake *f;
	struct south_session *ss;
	struct frame_in *in;
	struct agent_msg got; /* the last message that receive() gave */
	struct filter held;   /* of one edge */
	uint8_t hash[FILTER_HASH_SIZE];
};

static void say(struct agent *a, const struct agent_msg *msg)
{
	struct wr wr = { 0 };

	agent_msg_pack(msg, &wr);
	south_session_bytes(a->ss, wr.data, wr.len, a->f->now);
	wr_fini(&wr);
}

/* The next message from the controller, or AGENT_MSG_UNKNOWN. */
static enum agent_msg_type receive(struct agent *a)
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

/* Skips keepalives. */
static void expect(struct agent *a, enum agent_msg_type type)
{
	enum agent_msg_type got;

	do
		got = receive(a);
	while (got == AGENT_MSG_KEEPALIVE && type != AGENT_MSG_KEEPALIVE);
	if (got == AGENT_MSG_FAILURE && type != AGENT_MSG_FAILURE)
		fail_msg("failure: %s", a->got.u.failure.text);
	assert_int_equal(got, type);
}

static void agent_open(struct agent *a, struct fake *f, const char *name,
		       enum pki_kind kind)
{
	struct pki_cert cert = { .has_id = true, .id = { .kind = kind },
				 .serial = "abc", .not_after = WALL + PKI_AGENT_S };

	a->f = f;
	a->in = frame_in_new(AGENT_FRAME_MAX_BYTES);
	a->ss = south_session_open(f->s, "192.0.2.7", f, f->now);
	if (name)
		snprintf(cert.id.name, sizeof(cert.id.name), "%s", name);
	south_session_secure(a->ss, name ? &cert : NULL, WALL, f->now);
}

static void agent_close(struct agent *a)
{
	south_session_close(a->ss, "test ends it", a->f->now);
	frame_in_free(a->in);
	agent_msg_fini(&a->got);
	filter_fini(&a->held);
	memset(a, 0, sizeof(*a));
}

/* A new connection of the same agent, which keeps what it holds. */
static void agent_reopen(struct agent *a, const char *name)
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

static void hello(struct agent *a, uint64_t epoch)
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
	say(a, &msg);
	expect(a, AGENT_MSG_WELCOME);
	assert_int_equal(a->got.u.welcome.epoch, EPOCH);
}

/* Applies the Filter in a->got as an agent does, checking base and hash. */
static void apply(struct agent *a)
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

static void ack(struct agent *a, const char *error)
{
	struct agent_msg msg = { .type = AGENT_MSG_ACK };

	memcpy(msg.u.ack.interface, a->held.interface, FILTER_IFNAME_SIZE);
	msg.u.ack.generation = a->held.generation;
	memcpy(msg.u.ack.hash, a->hash, sizeof(msg.u.ack.hash));
	snprintf(msg.u.ack.error, sizeof(msg.u.ack.error), "%s", error);
	say(a, &msg);
}

static struct filter filter_of(const char *interface, uint64_t generation,
			       const char *first, const char *second)
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

static void want(struct fake *f, const char *interface, uint64_t generation,
		 const char *first, const char *second)
{
	struct filter filter = filter_of(interface, generation, first, second);

	south_filter_set(f->s, "r1", &filter, f->now);
	filter_fini(&filter);
}

static struct south_edge_status status0(struct fake *f)
{
	struct south_edge_status out;
	struct south_status st;

	assert_true(south_status(f->s, "r1", &st));
	assert_true(st.n_edges > 0);
	out = st.edges[0];
	south_status_fini(&st);
	return out;
}

/* ---- filters ---- */

static void snapshot_then_delta(void **state)
{
	struct fake *f = fake_new();
	struct agent a = { 0 };

	want(f, "eth0", 5, "10.0.0.0/8", "2001:db8::/32");
	agent_open(&a, f, "r1", PKI_ROUTER);
	hello(&a, 0);
	expect(&a, AGENT_MSG_FILTER);
	assert_int_equal(a.got.u.filter.base_generation, 0);
	apply(&a);
	assert_true(status0(f).in_flight);
	ack(&a, "");
	assert_int_equal(f->acks, 1);
	assert_true(status0(f).in_sync);
	assert_int_equal(receive(&a), AGENT_MSG_UNKNOWN);

	struct filter big = filter_of("eth0", 6, "10.0.0.0/8", "2001:db8::/32");
	for (uint32_t i = 0; i < 100; i++)
		rangeset_append(&big.accept.f[IP_V4], 0xc0000000 + i * 2,
				0xc0000000 + i * 2);
	addrset_normalize(&big.accept);
	south_filter_set(f->s, "r1", &big, f->now);
	expect(&a, AGENT_MSG_FILTER);
	assert_int_equal(a.got.u.filter.base_generation, 5);
	apply(&a);
	ack(&a, "");

	/* 103 ranges with one gone: the delta names only that one. */
	rangeset_append(&big.accept.f[IP_V4], 1, 1);
	addrset_normalize(&big.accept);
	big.generation = 7;
	south_filter_set(f->s, "r1", &big, f->now);
	expect(&a, AGENT_MSG_FILTER);
	assert_int_equal(a.got.u.filter.base_generation, 6);
	assert_int_equal(addrset_prefix_count(&a.got.u.filter.filter.accept), 1);
	assert_true(addrset_is_empty(&a.got.u.filter.del));
	apply(&a);
	assert_true(addrset_equal(&a.held.accept, &big.accept));
	ack(&a, "");
	filter_fini(&big);

	/* Nothing in common: a snapshot is shorter than the delta. */
	want(f, "eth0", 8, "172.16.0.0/12", NULL);
	expect(&a, AGENT_MSG_FILTER);
	assert_int_equal(a.got.u.filter.base_generation, 0);
	apply(&a);
	ack(&a, "");
	assert_true(status0(f).in_sync);
	assert_int_equal(f->errors, 0);
	agent_close(&a);
	fake_free(f);
}

static void change_a_little(struct addrset *set)
{
	for (int i = 0; i < 4; i++) {
		struct addrset one = { 0 };
		u128 at = (u128)(rand() % 500);

		rangeset_append(&one.f[rand() % 2], at, at + (u128)(rand() % 5));
		if (rand() % 2)
			addrset_union(set, set, &one);
		else
			addrset_subtract(set, set, &one);
		addrset_fini(&one);
	}
}

/* Random histories: the agent always ends with exactly the desired set. */
static void random_histories_converge(void **state)
{
	struct fake *f = fake_new();
	struct agent a = { 0 };
	struct addrset set = { 0 };
	uint64_t generation = 1;

	srand(11);
	agent_open(&a, f, "r1", PKI_ROUTER);
	hello(&a, 0);
	for (int step = 0; step < 400; step++) {
		struct filter filter = filter_of("eth0", generation++, NULL, NULL);

		change_a_little(&set);
		addrset_copy(&filter.accept, &set);
		filter.action = (enum filter_action)(rand() % 3);
		south_filter_set(f->s, "r1", &filter, f->now);
		while (receive(&a) == AGENT_MSG_FILTER) {
			apply(&a);
			if (rand() % 3 == 0)
				break; /* slow: changes pile up meanwhile */
			ack(&a, "");
		}
		if (rand() % 20 == 0) {
			agent_reopen(&a, "r1");
			hello(&a, EPOCH);
		} else if (rand() % 3 == 0 && a.held.generation) {
			ack(&a, "");
		}
		if (step == 399) {
			ack(&a, "");
			while (receive(&a) == AGENT_MSG_FILTER) {
				apply(&a);
				ack(&a, "");
			}
			assert_true(addrset_equal(&a.held.accept, &filter.accept));
			assert_int_equal(a.held.action, filter.action);
		}
		filter_fini(&filter);
	}
	assert_true(status0(f).in_sync);
	assert_true(south_totals(f->s)->deltas > 100);
	addrset_fini(&set);
	agent_close(&a);
	fake_free(f);
}

static void one_in_flight_newest_wins(void **state)
{
	struct fake *f = fake_new();
	struct agent a = { 0 };

	agent_open(&a, f, "r1", PKI_ROUTER);
	hello(&a, 0);
	want(f, "eth0", 1, "10.0.0.0/8", NULL);
	want(f, "eth0", 2, "11.0.0.0/8", NULL);
	want(f, "eth0", 3, "12.0.0.0/8", NULL);
	expect(&a, AGENT_MSG_FILTER);
	assert_int_equal(a.got.u.filter.filter.generation, 1);
	apply(&a);
	assert_int_equal(receive(&a), AGENT_MSG_UNKNOWN);
	ack(&a, "");
	expect(&a, AGENT_MSG_FILTER);
	assert_int_equal(a.got.u.filter.filter.generation, 3);
	apply(&a);
	ack(&a, "");
	assert_int_equal(receive(&a), AGENT_MSG_UNKNOWN);
	agent_close(&a);
	fake_free(f);
}

static void reconnect_sends_only_what_differs(void **state)
{
	struct fake *f = fake_new();
	struct agent a = { 0 };

	agent_open(&a, f, "r1", PKI_ROUTER);
	hello(&a, 0);
	want(f, "eth0", 1, "10.0.0.0/8", NULL);
	expect(&a, AGENT_MSG_FILTER);
	apply(&a);
	ack(&a, "");
	agent_reopen(&a, "r1");
	hello(&a, EPOCH);
	assert_int_equal(receive(&a), AGENT_MSG_UNKNOWN);

	/* Sent, applied, and the session dies before the answer: the hash in the
	 * Hello says that it was applied. */
	want(f, "eth0", 2, "10.0.0.0/8", "11.0.0.0/16");
	expect(&a, AGENT_MSG_FILTER);
	apply(&a);
	agent_reopen(&a, "r1");
	hello(&a, EPOCH);
	assert_int_equal(receive(&a), AGENT_MSG_UNKNOWN);
	assert_true(status0(f).in_sync);
	agent_close(&a);
	fake_free(f);
}

/* savd restarts: it knows the desired state from disk, but nothing of sessions.
 * The same content under a newer number is an empty delta. */
static void restarted_controller(void **state)
{
	struct fake *f = fake_new();
	struct agent a = { 0 };

	agent_open(&a, f, "r1", PKI_ROUTER);
	a.held = filter_of("eth0", 4, "10.0.0.0/8", NULL);
	filter_hash(&a.held, a.hash);
	hello(&a, EPOCH);
	want(f, "eth0", 4, "10.0.0.0/8", NULL); /* after the Hello */
	assert_int_equal(receive(&a), AGENT_MSG_UNKNOWN);
	assert_true(status0(f).in_sync);
	want(f, "eth0", 5, "10.0.0.0/8", NULL);
	expect(&a, AGENT_MSG_FILTER);
	assert_int_equal(a.got.u.filter.base_generation, 4);
	assert_true(addrset_is_empty(&a.got.u.filter.filter.accept));
	apply(&a);
	ack(&a, "");
	assert_true(status0(f).in_sync);
	agent_close(&a);
	fake_free(f);
}

static void other_epoch_gets_a_snapshot(void **state)
{
	struct fake *f = fake_new();
	struct agent a = { 0 };

	want(f, "eth0", 4, "10.0.0.0/8", NULL);
	agent_open(&a, f, "r1", PKI_ROUTER);
	a.held = filter_of("eth0", 4, "10.0.0.0/8", NULL);
	filter_hash(&a.held, a.hash);
	hello(&a, EPOCH + 1);
	expect(&a, AGENT_MSG_FILTER);
	assert_int_equal(a.got.u.filter.base_generation, 0);
	agent_close(&a);
	fake_free(f);
}

/* Held is ahead of desired in our own epoch: no delta can go backwards. */
static void held_is_ahead(void **state)
{
	struct fake *f = fake_new();
	struct agent a = { 0 };

	want(f, "eth0", 4, "10.0.0.0/8", NULL);
	agent_open(&a, f, "r1", PKI_ROUTER);
	a.held = filter_of("eth0", 9, "10.0.0.0/8", NULL);
	filter_hash(&a.held, a.hash);
	hello(&a, EPOCH);
	expect(&a, AGENT_MSG_FILTER);
	assert_int_equal(a.got.u.filter.base_generation, 0);
	agent_close(&a);
	fake_free(f);
}

static void refusal_is_retried_as_snapshot_with_pauses(void **state)
{
	struct fake *f = fake_new();
	struct agent a = { 0 };
	int64_t pause = SOUTH_RETRY_MS;

	agent_open(&a, f, "r1", PKI_ROUTER);
	hello(&a, 0);
	want(f, "eth0", 1, "10.0.0.0/8", NULL);
	expect(&a, AGENT_MSG_FILTER);
	apply(&a);
	ack(&a, "");
	want(f, "eth0", 2, "10.0.0.0/8", "11.0.0.0/16");
	expect(&a, AGENT_MSG_FILTER);
	assert_int_equal(a.got.u.filter.base_generation, 1);
	for (int i = 0; i < 2; i++) {
		struct agent_msg nack = { .type = AGENT_MSG_ACK };

		strcpy(nack.u.ack.interface, "eth0");
		nack.u.ack.generation = 2;
		strcpy(nack.u.ack.error, "no room");
		say(&a, &nack);
		assert_string_equal(f->last_error, "no room");
		assert_string_equal(status0(f).error, "no room");
		assert_int_equal(status0(f).held_generation, 1); /* the last good */
		f->now += pause - 1;
		south_session_bytes(a.ss, "\0\0\0\2\x52\0", 6, f->now); /* keepalive */
		south_run(f->s, f->now);
		while (receive(&a) != AGENT_MSG_UNKNOWN)
			assert_int_equal(a.got.type, AGENT_MSG_KEEPALIVE);
		f->now += 1;
		south_run(f->s, f->now);
		expect(&a, AGENT_MSG_FILTER);
		assert_int_equal(a.got.u.filter.base_generation, 0);
		pause *= 2;
	}
	apply(&a);
	ack(&a, "");
	assert_string_equal(status0(f).error, "");
	assert_true(status0(f).in_sync);
	agent_close(&a);
	fake_free(f);
}

static void wrong_hash_is_repaired(void **state)
{
	struct fake *f = fake_new();
	struct agent a = { 0 };

	agent_open(&a, f, "r1", PKI_ROUTER);
	hello(&a, 0);
	want(f, "eth0", 1, "10.0.0.0/8", NULL);
	expect(&a, AGENT_MSG_FILTER);
	apply(&a);
	a.hash[0] ^= 1;
	ack(&a, "");
	assert_int_equal(f->acks, 0);
	assert_int_equal(f->errors, 1);
	assert_non_null(strstr(f->last_error, "wrong hash"));
	assert_false(status0(f).in_sync);
	assert_int_equal(receive(&a), AGENT_MSG_UNKNOWN); /* not at once */
	f->now += SOUTH_RETRY_MS;
	south_run(f->s, f->now);
	expect(&a, AGENT_MSG_FILTER);
	assert_int_equal(a.got.u.filter.base_generation, 0);
	apply(&a);
	ack(&a, "");
	assert_true(status0(f).in_sync);

	/* Someone changes the kernel behind the agent, which notices. */
	a.hash[0] ^= 1;
	ack(&a, "");
	assert_false(status0(f).in_sync);
	f->now += SOUTH_RETRY_MS;
	south_run(f->s, f->now);
	expect(&a, AGENT_MSG_FILTER);
	assert_int_equal(a.got.u.filter.base_generation, 0);
	agent_close(&a);
	fake_free(f);
}

static void unanswered_filter_ends_the_session(void **state)
{
	struct fake *f = fake_new();
	struct agent a = { 0 };

	agent_open(&a, f, "r1", PKI_ROUTER);
	hello(&a, 0);
	want(f, "eth0", 1, "10.0.0.0/8", NULL);
	for (int i = 0; i < SOUTH_ACK_MS / 10000; i++) {
		assert_int_equal(south_session_state(a.ss), SOUTH_RUNNING);
		f->now += 10000;
		south_session_bytes(a.ss, "\0\0\0\2\x52\0", 6, f->now);
		south_run(f->s, f->now);
	}
	assert_int_equal(south_session_state(a.ss), SOUTH_FLUSHING);
	assert_int_equal(f->down, 1);
	assert_non_null(strstr(f->down_why, "no answer for eth0"));
	agent_close(&a);
	assert_int_equal(f->down, 1);
	fake_free(f);
}

static void large_edges_wait_for_room_in_the_queue(void **state)
{
	struct fake *f = fake_new();
	struct agent a = { 0 };
	const uint8_t *data;

	agent_open(&a, f, "r1", PKI_ROUTER);
	hello(&a, 0);
	for (int e = 0; e < 10; e++) {
		struct filter filter = filter_of("", 1, NULL, NULL);

		snprintf(filter.interface, sizeof(filter.interface), "eth%d", e);
		for (uint32_t i = 0; i < 100000; i++)
			rangeset_append(&filter.accept.f[IP_V4], i * 2, i * 2);
		south_filter_set(f->s, "r1", &filter, f->now);
		filter_fini(&filter);
	}
	/* 500 kB each: three reach the bound */
	assert_true(south_session_output(a.ss, &data) < 2 * SOUTH_QUEUE_BYTES);
	for (int e = 0; e < 10; e++)
		expect(&a, AGENT_MSG_FILTER);
	assert_int_equal(receive(&a), AGENT_MSG_UNKNOWN);
	agent_close(&a);
	fake_free(f);
}

static void set_too_large_for_a_message(void **state)
{
	struct fake *f = fake_new();
	struct agent a = { 0 };
	struct filter filter = filter_of("eth0", 1, NULL, NULL);

	agent_open(&a, f, "r1", PKI_ROUTER);
	hello(&a, 0);
	for (uint32_t i = 0; i < 7000000; i++)
		rangeset_append(&filter.accept.f[IP_V4], i * 2, i * 2);
	south_filter_set(f->s, "r1", &filter, f->now);
	filter_fini(&filter);
	assert_int_equal(receive(&a), AGENT_MSG_UNKNOWN);
	assert_non_null(strstr(status0(f).error, "too large"));
	want(f, "eth0", 2, "10.0.0.0/8", NULL);
	f->now += SOUTH_RETRY_MS;
	south_run(f->s, f->now);
	expect(&a, AGENT_MSG_FILTER);
	agent_close(&a);
	fake_free(f);
}

/* ---- the edge list ---- */

static void edge_list_only_when_known(void **state)
{
	static const char list[2][FILTER_IFNAME_SIZE] = { "eth1", "eth0" };
	struct fake *f = fake_new();
	struct agent a = { 0 };

	want(f, "eth0", 1, "10.0.0.0/8", NULL);
	agent_open(&a, f, "r1", PKI_ROUTER);
	hello(&a, 0);
	expect(&a, AGENT_MSG_FILTER); /* and no list: nothing may be released yet */
	assert_int_equal(receive(&a), AGENT_MSG_UNKNOWN);
	south_edges(f->s, "r1", list, 2, f->now);
	expect(&a, AGENT_MSG_EDGE_LIST);
	assert_int_equal(a.got.u.edge_list.n, 2);
	assert_string_equal(a.got.u.edge_list.interfaces[0], "eth0");
	south_edges(f->s, "r1", list, 2, f->now); /* no change */
	assert_int_equal(receive(&a), AGENT_MSG_UNKNOWN);
	south_filter_remove(f->s, "r1", "eth0", f->now);
	expect(&a, AGENT_MSG_EDGE_LIST);
	assert_int_equal(a.got.u.edge_list.n, 1);
	south_edges(f->s, "r1", list, 0, f->now);
	expect(&a, AGENT_MSG_EDGE_LIST);
	assert_int_equal(a.got.u.edge_list.n, 0);

	/* The agent released it: what its Hello said is not true any more. */
	agent_close(&a);
	fake_free(f);
}

static void removed_edge_comes_back_as_snapshot(void **state)
{
	struct fake *f = fake_new();
	struct agent a = { 0 };

	south_edges(f->s, "r1", NULL, 0, f->now);
	want(f, "eth0", 4, "10.0.0.0/8", NULL);
	agent_open(&a, f, "r1", PKI_ROUTER);
	a.held = filter_of("eth0", 4, "10.0.0.0/8", NULL);
	filter_hash(&a.held, a.hash);
	hello(&a, EPOCH);
	expect(&a, AGENT_MSG_EDGE_LIST);
	assert_int_equal(receive(&a), AGENT_MSG_UNKNOWN);
	south_filter_remove(f->s, "r1", "eth0", f->now);
	expect(&a, AGENT_MSG_EDGE_LIST);
	want(f, "eth0", 4, "10.0.0.0/8", NULL);
	expect(&a, AGENT_MSG_EDGE_LIST);
	expect(&a, AGENT_MSG_FILTER);
	assert_int_equal(a.got.u.filter.base_generation, 0);
	south_filter_remove(f->s, "r1", "eth0", f->now);
	ack(&a, ""); /* the answer comes after the removal */
	agent_close(&a);
	fake_free(f);
}

/* ---- who may do what ---- */

static void expect_refused(struct agent *a, const char *says)
{
	expect(a, AGENT_MSG_FAILURE);
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
	struct pki_cert nobody = { .serial = "1", .not_after = WALL + 10 };
	struct pki_cert expired = { .has_id = true, .id = { PKI_ROUTER, "r1" },
				    .serial = "1", .not_after = WALL };

	agent_open(&a, f, "r1", PKI_RELAY);
	expect_refused(&a, "relay certificate");
	agent_open(&a, f, "r1", PKI_CONTROLLER);
	expect_refused(&a, "controller certificate");
	for (int i = 0; i < 2; i++) {
		a.f = f;
		a.in = frame_in_new(AGENT_FRAME_MAX_BYTES);
		a.ss = south_session_open(f->s, "192.0.2.7", f, f->now);
		south_session_secure(a.ss, i ? &expired : &nobody, WALL, f->now);
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
	say(&a, &msg);
	expect_refused(&a, "enroll first");
	fake_free(f);
}

static void inventory_before_hello(void **state)
{
	struct agent_msg msg = { .type = AGENT_MSG_INVENTORY };
	struct fake *f = fake_new();
	struct agent a = { 0 };

	agent_open(&a, f, "r1", PKI_ROUTER);
	say(&a, &msg);
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
	hello(&a, 0);
	say(&a, &msg);
	expect(&a, AGENT_MSG_FAILURE);
	assert_int_equal(f->down, 1);
	agent_close(&a);
	fake_free(f);
}

static void oversized_and_malformed_frames(void **state)
{
	struct fake *f = fake_new();
	struct agent a = { 0 };

	agent_open(&a, f, "r1", PKI_ROUTER);
	hello(&a, 0);
	south_session_bytes(a.ss, "\x01\0\0\0", 4, f->now);
	expect(&a, AGENT_MSG_FAILURE);
	assert_non_null(strstr(a.got.u.failure.text, "frame of 16777216 bytes"));
	agent_reopen(&a, "r1");
	hello(&a, 0);
	south_session_bytes(a.ss, "\0\0\0\2\x0a\xff", 6, f->now);
	expect(&a, AGENT_MSG_FAILURE);
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
	hello(&a, 0);
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
	hello(&a, 0);
	agent_open(&b, f, "r1", PKI_ROUTER);
	hello(&b, 0);
	expect(&a, AGENT_MSG_FAILURE);
	assert_non_null(strstr(a.got.u.failure.text, "newer session"));
	assert_int_equal(south_session_state(a.ss), SOUTH_DEAD);
	assert_int_equal(f->up, 2);
	assert_int_equal(f->down, 1);
	assert_non_null(strstr(f->last_note, "replaces"));
	agent_close(&a);
	assert_int_equal(f->down, 1);
	want(f, "eth0", 1, "10.0.0.0/8", NULL);
	expect(&b, AGENT_MSG_FILTER);
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
	hello(&a, 0);
	assert_true(south_session_cut(f->s, "r1", "certificate revoked", f->now));
	assert_int_equal(f->down, 1);
	assert_true(south_status(f->s, "r1", &st));
	assert_false(st.connected);
	assert_string_equal(st.last_error, "certificate revoked");
	assert_string_equal(st.software, "test 1");
	south_status_fini(&st);
	expect(&a, AGENT_MSG_FAILURE);
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
	hello(&a, 0);
	say(&a, &msg);
	assert_int_equal(f->inventories, 1);
	assert_int_equal(f->down, 1);
	say(&a, &msg);
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
	hello(&a, 0);
	f->now += SOUTH_KEEPALIVE_MS;
	south_run(f->s, f->now);
	expect(&a, AGENT_MSG_KEEPALIVE);
	say(&a, &keepalive);
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
	struct pki_cert cert = { .has_id = true, .id = { PKI_ROUTER, "r1" },
				 .serial = "1", .not_after = WALL + 20 };
	struct agent_msg keepalive = { .type = AGENT_MSG_KEEPALIVE };
	struct fake *f = fake_new();
	struct agent a = { .f = f, .in = frame_in_new(AGENT_FRAME_MAX_BYTES) };

	a.ss = south_session_open(f->s, "192.0.2.7", f, f->now);
	south_session_secure(a.ss, &cert, WALL, f->now);
	hello(&a, 0);
	assert_non_null(strstr(f->last_note, "enroll it again"));
	f->now += 19999;
	say(&a, &keepalive);
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
	hello(&a, 0);
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
	say(a, &msg);
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
	expect(&a, AGENT_MSG_ENROLLED);
	assert_int_equal(pki_cert_read(a.got.u.enrolled.certificate.data,
				       a.got.u.enrolled.certificate.len, &cert, &diag),
			 0);
	assert_string_equal(cert.id.name, "r1");
	assert_int_equal(cert.id.kind, PKI_EDGE);
	assert_int_equal(a.got.u.enrolled.ca.len, f->ca.len);
	assert_memory_equal(a.got.u.enrolled.ca.data, f->ca.data, f->ca.len);
	assert_int_equal(receive(&a), AGENT_MSG_UNKNOWN);
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
	struct agent_counters counters[2] = { { .interface = "eth0" }, { .interface = "eth1" } };
	struct agent_msg msg = { .type = AGENT_MSG_COUNTERS };
	struct fake *f = fake_new();
	struct agent a = { 0 };

	agent_open(&a, f, "r1", PKI_EDGE);
	hello(&a, 0);
	msg.u.counters.edges = counters;
	msg.u.counters.n = 2;
	say(&a, &msg);
	assert_int_equal(f->counters, 2);
	msg = (struct agent_msg){ .type = AGENT_MSG_INVENTORY };
	say(&a, &msg);
	assert_int_equal(f->inventories, 1);
	msg = (struct agent_msg){ .type = AGENT_MSG_FAILURE };
	strcpy(msg.u.failure.text, "operator said stop");
	say(&a, &msg);
	assert_non_null(strstr(f->down_why, "operator said stop"));
	assert_int_equal(south_session_state(a.ss), SOUTH_DEAD);
	agent_close(&a);
	fake_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(snapshot_then_delta),
		cmocka_unit_test(random_histories_converge),
		cmocka_unit_test(one_in_flight_newest_wins),
		cmocka_unit_test(reconnect_sends_only_what_differs),
		cmocka_unit_test(restarted_controller),
		cmocka_unit_test(other_epoch_gets_a_snapshot),
		cmocka_unit_test(held_is_ahead),
		cmocka_unit_test(refusal_is_retried_as_snapshot_with_pauses),
		cmocka_unit_test(wrong_hash_is_repaired),
		cmocka_unit_test(unanswered_filter_ends_the_session),
		cmocka_unit_test(large_edges_wait_for_room_in_the_queue),
		cmocka_unit_test(set_too_large_for_a_message),
		cmocka_unit_test(edge_list_only_when_known),
		cmocka_unit_test(removed_edge_comes_back_as_snapshot),
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

	return cmocka_run_group_tests_name("south", tests, NULL, NULL);
}
