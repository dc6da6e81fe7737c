/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What strangers cost a responder with thousands of tunnels: counted in calls
 * and bytes, not in time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ipsec/ike/ike_engine_impl.h"
#include "ipsec/ike/ts.h"
#include "lib/mem.h"

#define TUNNELS 2000

static struct ike_engine *engine;
static struct ike_endpoint at;
static uint64_t now = 1000;
static bool one_spi; /* for all strangers, else each has its own */
static size_t junk;  /* bytes of a vendor ID in their first message */
static struct {
	unsigned sent, events;
	size_t len; /* of the last one */
	uint8_t data[2048];
} seen;

/* ---- what is counted (programs link with --wrap) */

static unsigned allocations, comparisons, proposals_compared, digests;

void *__real_mem_alloc(size_t size);
void *__wrap_mem_alloc(size_t size);
void *__real_mem_realloc(void *p, size_t n, size_t size);
void *__wrap_mem_realloc(void *p, size_t n, size_t size);
bool __real_ike_identity_equal(const struct ike_identity *a, const struct ike_identity *b);
bool __wrap_ike_identity_equal(const struct ike_identity *a, const struct ike_identity *b);
int __real_ike_proposal_select(const struct ike_proposals *ours, const struct ike_proposals *theirs,
			       enum ike_protocol protocol, bool with_dh, struct ike_suite *suite,
			       const struct ike_proposal **chosen);
int __wrap_ike_proposal_select(const struct ike_proposals *ours, const struct ike_proposals *theirs,
			       enum ike_protocol protocol, bool with_dh, struct ike_suite *suite,
			       const struct ike_proposal **chosen);

void *__wrap_mem_alloc(size_t size)
{
	allocations++;
	return __real_mem_alloc(size);
}

void *__wrap_mem_realloc(void *p, size_t n, size_t size)
{
	allocations++;
	return __real_mem_realloc(p, n, size);
}

bool __wrap_ike_identity_equal(const struct ike_identity *a, const struct ike_identity *b)
{
	comparisons++;
	return __real_ike_identity_equal(a, b);
}

int __wrap_ike_proposal_select(const struct ike_proposals *ours, const struct ike_proposals *theirs,
			       enum ike_protocol protocol, bool with_dh, struct ike_suite *suite,
			       const struct ike_proposal **chosen)
{
	proposals_compared++;
	return __real_ike_proposal_select(ours, theirs, protocol, with_dh, suite, chosen);
}

int __real_crypto_hash(enum crypto_hash hash, const struct crypto_part *parts, unsigned n, uint8_t *out);
int __wrap_crypto_hash(enum crypto_hash hash, const struct crypto_part *parts, unsigned n, uint8_t *out);
int __wrap_crypto_hash(enum crypto_hash hash, const struct crypto_part *parts, unsigned n, uint8_t *out)
{
	/* not those of NAT detection */
	digests += n == 1 && parts[0].len > 100;
	return __real_crypto_hash(hash, parts, n, out);
}

/* ---- what the engine asks for: nothing of it is done */

static void on_send(void *ctx, const struct ike_path *path, const uint8_t *data, size_t len)
{
	seen.sent++;
	seen.len = len < sizeof(seen.data) ? len : sizeof(seen.data);
	memcpy(seen.data, data, seen.len);
}

static void on_event(void *ctx, enum ike_event event, uint64_t sa, const char *tunnel, const char *text)
{
	seen.events++;
}

static void on_certs(void *ctx, const struct ike_tunnel *tunnel, struct ike_writer *w)
{
}

static uint32_t on_spi(void *ctx)
{
	static uint32_t spi = 4096;

	return ++spi;
}

static void on_child_del(void *ctx, uint32_t spi_in)
{
}

static const struct ike_ops ops = { .send = on_send, .event = on_event, .put_certs = on_certs, .put_certreq = on_certs,
				    .spi = on_spi, .child_del = on_child_del };

static int engine_up(void **state)
{
	assert_true(ip_addr_parse("192.0.2.1", &at.addr));
	at.port = IKE_PORT;
	engine = ike_engine_new(&ops, NULL);
	memset(&seen, 0, sizeof(seen));
	one_spi = false;
	now += 100000;
	return 0;
}

static int engine_down(void **state)
{
	ike_engine_free(engine);
	/* whoever kept a tunnel's lists has dropped them */
	assert_int_equal(ike_tunnel_lists(), 0);
	return 0;
}

static struct ike_counters counters(void)
{
	struct ike_counters c;

	ike_engine_counters(engine, &c);
	return c;
}

/* Of many tunnels; "%" in the peer's identity is its number. */
static const char *numbered(const char *identity, unsigned number, char out[128])
{
	const char *mark = strchr(identity, '%');

	snprintf(out, 128, "%.*s%u%s", (int)(mark - identity), identity, number, mark + 1);
	return out;
}

static void tunnel_set(const char *identity, unsigned number, bool start)
{
	static struct ike_ts_list any = { .n = 1 };
	struct ike_tunnel t;
	char text[128];
	struct diag diag;

	ike_tunnel_defaults(&t);
	snprintf(t.name, sizeof(t.name), "t%u", number);
	t.link = 1;
	t.start = start;
	if (start)
		assert_true(ip_addr_parse("198.51.100.1", &t.remote_addr));
	assert_int_equal(ike_identity_parse(numbered(identity, number, text), &t.remote_id, &diag), 0);
	assert_int_equal(ike_identity_parse("fqdn hub.example", &t.local_id, &diag), 0);
	assert_int_equal(ike_ts_parse("203.0.113.0/24", &any.list[0], &diag), 0);
	t.local_ts = t.remote_ts = &any;
	ike_engine_tunnel_set(engine, &t);
}

/* ---- IKE_SA_INIT of stranger number N, from an address of its own or of a NAT's */

static struct ike_path path_of(uint32_t number, bool nat)
{
	struct ike_path path = { 1, at, { { 0xc6120000, IP_V4 }, IKE_PORT } };

	if (nat)
		path.remote.port = (uint16_t)(1024 + number);
	else
		path.remote.addr.v += number;
	return path;
}

static void init_send(uint32_t number, bool nat, const char *proposal, const struct ike_notify *cookie)
{
	static struct ike_proposals proposals;
	static struct ike_writer w;
	const struct ike_path path = path_of(number, nat);
	struct ike_header header = { .exchange = IKE_SA_INIT, .flags = IKE_FLAG_INITIATOR };
	uint8_t ke[32] = { 9 }, nonce[32] = { 7 };
	struct diag diag;
	size_t begun;

	if (!one_spi)
		memcpy(header.spi_i + 4, &number, sizeof(number));
	header.spi_i[0] = 1;
	assert_int_equal(ike_proposal_parse(proposal, IKE_PROTO_IKE, &proposals.list[0], &diag), 0);
	proposals.n = proposals.list[0].number = 1;
	ike_writer_reuse(&w, &header);
	if (cookie)
		ike_notify_encode(&w, N_COOKIE, cookie->data.data, cookie->data.len);
	begun = ike_payload_begin(&w, IKE_PL_SA);
	ike_proposals_encode(&proposals, &w.wr);
	ike_payload_end(&w, begun);
	ike_ke_encode(&w, DH_X25519, ke, sizeof(ke));
	ike_nonce_encode(&w, nonce, sizeof(nonce));
	if (junk) {
		begun = ike_payload_begin(&w, IKE_PL_VENDOR);
		for (size_t i = 0; i < junk; i++)
			wr_u8(&w.wr, 0x55);
		ike_payload_end(&w, begun);
	}
	ike_writer_finish(&w);
	allocations = proposals_compared = digests = 0;
	ike_engine_packet(engine, &path, w.wr.data, w.wr.len, now);
}

#define SANE "aes256gcm16-prfsha256-x25519"

/* The cookie in what was sent last, if it is one. */
static bool cookie_seen(struct ike_notify *out)
{
	struct ike_payloads payloads;
	struct ike_header h;
	uint8_t bad;

	return ike_header_decode(seen.data, seen.len, &h) == IKE_DECODED &&
	       ike_payloads_decode(h.next, rd_init(seen.data + IKE_HEADER_SIZE, seen.len - IKE_HEADER_SIZE), &payloads, &bad) ==
		       IKE_DECODED &&
	       sa_notify(&payloads, N_COOKIE, out) != NULL;
}

/* As an honest one does. True: an SA was begun. */
static bool init_with_cookie(uint32_t number, bool nat)
{
	unsigned before = counters().sas;
	struct ike_notify cookie;
	uint8_t copy[64];

	init_send(number, nat, SANE, NULL);
	if (cookie_seen(&cookie)) {
		memcpy(copy, cookie.data.data, cookie.data.len);
		cookie.data.data = copy;
		init_send(number, nat, SANE, &cookie);
	}
	return counters().sas > before || counters().half_open >= HALF_OPEN_MAX;
}

/* ---- cases */

static void nothing_is_kept_before_a_cookie(void **state)
{
	struct ike_notify cookie;
	unsigned sent;

	tunnel_set("fqdn c%.example", 1, false);
	for (uint32_t i = 0; i < 64; i++)
		init_send(i, false, SANE, NULL);
	assert_int_equal(counters().half_open, 64);
	init_send(99, false, SANE, NULL); /* its memory is there for all that follow */
	sent = seen.sent;
	for (uint32_t i = 100; i < 1100; i++) {
		init_send(i, false, SANE, NULL);
		assert_int_equal(allocations, 0);
		assert_true(cookie_seen(&cookie));
	}
	assert_int_equal(seen.sent, sent + 1000);
	assert_int_equal(counters().half_open, 64);
	assert_int_equal(counters().sas, 64);
}

static void a_wrong_cookie_opens_nothing(void **state)
{
	struct ike_notify cookie;
	uint8_t copy[64];

	tunnel_set("fqdn c%.example", 1, false);
	for (uint32_t i = 0; i < 64; i++)
		init_send(i, false, SANE, NULL);
	init_send(100, false, SANE, NULL);
	assert_true(cookie_seen(&cookie));
	memcpy(copy, cookie.data.data, cookie.data.len);
	cookie.data.data = copy;
	init_send(101, false, SANE, &cookie); /* another one's */
	assert_int_equal(counters().cookies_bad, 1);
	for (unsigned bit = 0; bit < cookie.data.len * 8; bit++) {
		copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
		init_send(100, false, SANE, &cookie);
		copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_int_equal(counters().cookies_bad, 1 + cookie.data.len * 8);
	assert_int_equal(counters().half_open, 64);
	init_send(100, false, SANE, &cookie);
	assert_int_equal(counters().half_open, 65);
	/* secrets change */
	init_send(102, false, SANE, NULL);
	assert_true(cookie_seen(&cookie));
	memcpy(copy, cookie.data.data, cookie.data.len);
	cookie.data.data = copy;
	now += 5 * 60 * 1000;
	init_send(100, false, SANE, NULL);
	now += 5 * 60 * 1000;
	init_send(102, false, SANE, &cookie);
	assert_int_equal(counters().cookies_bad, 2 + cookie.data.len * 8);
}

static void a_nat_that_shows_cookies_is_not_locked_out(void **state)
{
	tunnel_set("fqdn c%.example", 1, false);
	for (uint32_t i = 0; i < 1000; i++)
		assert_true(init_with_cookie(i, true));
	assert_int_equal(counters().half_open, 1000);
	assert_int_equal(counters().half_open_refused, 0);
}

/* One who shows good cookies without end drives out nobody but its own. */
static void beyond_the_bound_the_oldest_goes(void **state)
{
	unsigned begun;

	tunnel_set("fqdn c%.example", 1, false);
	for (uint32_t i = 0; i < HALF_OPEN_MAX + 500; i++)
		assert_true(init_with_cookie(i, true));
	assert_int_equal(counters().half_open, HALF_OPEN_MAX);
	assert_int_equal(counters().half_open_refused, 500);
	ike_engine_run(engine, now);
	for (unsigned i = 0; i < 100; i++)
		ike_engine_run(engine, now);
	assert_int_equal(counters().sas, HALF_OPEN_MAX);
	/* the newest is answered again, the oldest is not known any more */
	begun = (unsigned)counters().duplicates;
	init_send(100000, false, SANE, NULL);
	assert_int_equal(counters().duplicates, begun);
	now += SA_HALF_OPEN_MS + 1;
	for (unsigned i = 0; i < 100; i++)
		ike_engine_run(engine, now);
	assert_int_equal(counters().half_open, 0);
	assert_int_equal(counters().sas, 0);
}

/* RFC 7296 2.1: known by the whole message, which is looked at once, and with
 * nobody else's. */
static void a_first_message_is_compared_once(void **state)
{
	struct ike_counters before;
	unsigned sent;

	tunnel_set("fqdn c%.example", 1, false);
	one_spi = true;
	for (uint32_t i = 0; i < 500; i++)
		assert_true(init_with_cookie(i, true));
	assert_int_equal(counters().half_open, 500);
	before = counters();
	sent = seen.sent;
	init_send(3, true, SANE, NULL); /* who was let in without a cookie needs none now */
	assert_int_equal(counters().duplicates, before.duplicates + 1);
	assert_int_equal(counters().half_open, 500);
	assert_int_equal(seen.sent, sent + 1);
	assert_int_equal(digests, 1);
	init_send(501, true, SANE, NULL);
	assert_int_equal(digests, 0);
}

static void one_place_begins_so_often_with_one_spi(void **state)
{
	static const char *const proposals[] = { SANE, "aes128gcm16-prfsha256-x25519", "aes128-sha256-x25519",
						 "aes256-sha256-x25519", "aes256-sha384-x25519" };

	tunnel_set("fqdn c%.example", 1, false);
	for (unsigned i = 0; i < 5; i++)
		init_send(1, true, proposals[i], NULL);
	assert_int_equal(digests, 1);
	assert_int_equal(counters().half_open, 4);
	assert_int_equal(counters().half_open_refused, 1);
	init_send(1, true, proposals[0], NULL);
	assert_int_equal(counters().duplicates, 1);
	init_send(2, true, SANE, NULL);
	assert_int_equal(counters().half_open, 5);
}

/* A spoofed source would get an answer for each copy. */
static void a_first_message_is_answered_so_often(void **state)
{
	tunnel_set("fqdn c%.example", 1, false);
	for (unsigned i = 0; i < 100; i++)
		init_send(1, false, SANE, NULL);
	assert_int_equal(counters().half_open, 1);
	assert_in_range(seen.sent, 8, 16); /* an honest one sends it seven times */
	assert_int_equal(counters().duplicates, 99);
}

/* Whoever shows a cookie has it kept until IKE_AUTH comes. */
static void a_first_message_has_a_bound(void **state)
{
	static const size_t lens[] = { 100, 3000, 8192 - IKE_HEADER_SIZE - 200, 8192, 65000 };

	tunnel_set("fqdn c%.example", 1, false);
	for (unsigned i = 0; i < 5; i++) {
		junk = lens[i];
		init_send(i, false, SANE, NULL);
		assert_int_equal(counters().half_open, i < 3 ? i + 1 : 3);
	}
	junk = 0;
	assert_int_equal(counters().bad_syntax, 2);
	assert_int_equal(seen.sent, 3);
}

static void main_hears_little_of_a_flood(void **state)
{
	tunnel_set("fqdn c%.example", 1, false);
	for (uint32_t i = 0; i < 10000; i++)
		init_send(i, false, "aes128-sha256-modp4096", NULL);
	assert_true(seen.events > 0 && seen.events <= 50);
	now += 1000;
	init_send(1, false, "aes128-sha256-modp4096", NULL);
	assert_true(seen.events <= 51);
}

static void a_proposal_is_compared_once_for_all(void **state)
{
	for (unsigned i = 0; i < TUNNELS; i++)
		tunnel_set("fqdn c%.example", i, false);
	init_send(1, false, "aes128-sha256-modp4096", NULL);
	assert_int_equal(proposals_compared, 1);
	/* and not at all when none is left */
	for (unsigned i = 0; i < TUNNELS; i++) {
		char name[16];

		snprintf(name, sizeof(name), "t%u", i);
		ike_engine_tunnel_del(engine, name, now);
	}
	init_send(2, false, SANE, NULL);
	assert_int_equal(proposals_compared, 0);
}

static void assert_found_at_once(const char *pattern)
{
	const struct ike_path path = path_of(1, false);
	const struct ike_tunnel *found;
	struct ike_identity id;
	unsigned most = 0;
	char text[128], name[16];
	struct diag diag;

	for (unsigned i = 0; i < TUNNELS; i++)
		tunnel_set(pattern, i, false);
	for (unsigned i = 0; i < TUNNELS; i++) {
		snprintf(name, sizeof(name), "t%u", i);
		assert_int_equal(ike_identity_parse(numbered(pattern, i, text), &id, &diag), 0);
		comparisons = 0;
		found = engine_tunnel_of(engine, &path, &id, NULL);
		assert_non_null(found);
		assert_string_equal(found->name, name);
		most = comparisons > most ? comparisons : most;
	}
	assert_in_range(most, 1, 16);
}

static void a_name_is_found_at_once(void **state)
{
	assert_found_at_once("fqdn client%.example");
}

static void a_dn_is_found_at_once(void **state)
{
	assert_found_at_once("dn C=DE, O=Example, CN=client%");
}

/* X.509 compares without regard to case and spaces, so the hash must too. */
static void a_dn_is_found_in_other_letters(void **state)
{
	const struct ike_path path = path_of(1, false);
	struct ike_identity id;
	struct diag diag;

	tunnel_set("dn C=DE, O=Example Company, CN=client%", 7, false);
	assert_int_equal(ike_identity_parse("dn C=DE, O=EXAMPLE   company, CN=Client7", &id, &diag), 0);
	assert_non_null(engine_tunnel_of(engine, &path, &id, NULL));
	assert_int_equal(ike_identity_parse("dn C=DE, O=Example Company, CN=client8", &id, &diag), 0);
	assert_null(engine_tunnel_of(engine, &path, &id, NULL));
}

static void one_wake_up_does_so_much_and_no_more(void **state)
{
	const struct ike_path path = { 1, at, { { 0xc6336401, IP_V4 }, IKE_PORT } };
	struct diag diag;
	unsigned runs = 0;

	for (unsigned i = 0; i < TUNNELS; i++) {
		char name[16];

		tunnel_set("fqdn c%.example", i, true);
		snprintf(name, sizeof(name), "t%u", i);
		assert_int_equal(ike_engine_up(engine, name, &path, now, &diag), 0);
	}
	assert_int_equal(seen.sent, TUNNELS);
	/* all are due at one moment; packets of others come in between */
	for (unsigned again = 1; again <= 7; again++) {
		now += 64000;
		do {
			unsigned before = seen.sent;

			assert_true(++runs < 1000);
			if (ike_engine_run(engine, now) > now)
				break;
			/* touched, due and retried: three times the bound */
			assert_true(seen.sent - before <= 3 * 256);
		} while (true);
	}
	assert_true(seen.sent >= 3 * TUNNELS);
}

/* Those that live do not wait until as many others are freed. */
static void the_dead_cost_the_living_no_turn(void **state)
{
	const struct ike_path path = { 1, at, { { 0xc6336401, IP_V4 }, IKE_PORT } };
	struct diag diag;
	char name[16];

	for (unsigned i = 0; i < TUNNELS; i++) {
		tunnel_set("fqdn c%.example", i, true);
		snprintf(name, sizeof(name), "t%u", i);
		assert_int_equal(ike_engine_up(engine, name, &path, now, &diag), 0);
	}
	while (ike_engine_run(engine, now) <= now)
		;
	for (unsigned i = 0; i < TUNNELS; i++) {
		snprintf(name, sizeof(name), "t%u", i);
		ike_engine_tunnel_del(engine, name, now);
	}
	ike_engine_run(engine, now);
	assert_int_equal(counters().sas, 0);
}

static void unknown_versions_are_told_so_many_times(void **state)
{
	const struct ike_path path = path_of(1, false);

	for (unsigned i = 0; i < 1000; i++) {
		uint8_t data[IKE_HEADER_SIZE] = { 1, 2, 3, 4, 5, 6, 7, 8 };

		data[17] = 0x30;
		data[18] = IKE_SA_INIT;
		data[19] = IKE_FLAG_INITIATOR;
		data[27] = IKE_HEADER_SIZE;
		ike_engine_packet(engine, &path, data, sizeof(data), now);
	}
	assert_int_equal(counters().bad_version, 1000);
	assert_int_equal(seen.sent, 20);
	assert_int_equal(counters().replies_limited, 980);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, engine_up, engine_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(nothing_is_kept_before_a_cookie),
		CASE(a_wrong_cookie_opens_nothing),
		CASE(a_nat_that_shows_cookies_is_not_locked_out),
		CASE(beyond_the_bound_the_oldest_goes),
		CASE(a_first_message_is_compared_once),
		CASE(one_place_begins_so_often_with_one_spi),
		CASE(a_first_message_is_answered_so_often),
		CASE(a_first_message_has_a_bound),
		CASE(main_hears_little_of_a_flood),
		CASE(a_proposal_is_compared_once_for_all),
		CASE(a_name_is_found_at_once),
		CASE(a_dn_is_found_at_once),
		CASE(a_dn_is_found_in_other_letters),
		CASE(one_wake_up_does_so_much_and_no_more),
		CASE(the_dead_cost_the_living_no_turn),
		CASE(unknown_versions_are_told_so_many_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
