/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "agents/steer/reach_matrix.h"
#include "lib/digest.h"

#define NOW INT64_C(1800000000000)

static const struct reach_key key = { "0123456789abcdef", 16 };
static const struct reach_key other = { "0123456789abcdeF", 16 };
static struct reach_guard guard;
static struct diag diag;

static struct ip_addr addr(const char *text)
{
	struct ip_addr a;

	assert_true(ip_addr_parse(text, &a));
	return a;
}

static struct reach_message question(int64_t time_ms)
{
	struct reach_message m = { .kind = REACH_QUESTION, .port = 40000, .time_ms = time_ms,
				   .addr = addr("192.0.2.1") };

	digest_random(m.token, sizeof(m.token));
	return m;
}

static enum reach_fault ask(const struct reach_message *m, const struct reach_key *with,
			    int64_t now_ms, uint8_t answer[REACH_BYTES])
{
	const struct ip_addr from = addr("198.51.100.1");
	struct reach_message got;
	uint8_t data[REACH_BYTES];

	reach_encode(m, with, data);
	return reach_respond(&guard, &key, data, sizeof(data), &from, now_ms, &got, answer);
}

static int setup(void **state)
{
	(void)state;
	reach_guard_init(&guard, NOW - 2 * REACH_WINDOW_MS);
	return 0;
}

static void test_answer(void **state)
{
	const struct reach_message m = question(NOW);
	uint8_t answer[REACH_BYTES];
	struct reach_message got;

	(void)state;
	assert_int_equal(ask(&m, &key, NOW, answer), REACH_OK);
	assert_int_equal(reach_decode(REACH_ANSWER, answer, sizeof(answer), &key, &got), REACH_OK);
	assert_memory_equal(got.token, m.token, sizeof(m.token));
	assert_true(got.addr.v == addr("198.51.100.1").v && got.addr.family == IP_V4);
	/* an answer is no question: two responders cannot be made to talk to each other */
	assert_int_equal(reach_respond(&guard, &key, answer, sizeof(answer), &m.addr, NOW, &got,
				       answer),
			 REACH_MALFORMED);
	assert_int_equal(guard.counts[REACH_OK], 1);
}

static void test_both_families_come_back(void **state)
{
	static const char *const texts[] = { "255.255.255.255", "0.0.0.0", "2001:db8::1",
					     "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct reach_message m = question(NOW), got;
		uint8_t data[REACH_BYTES];

		m.addr = addr(texts[i]);
		reach_encode(&m, &key, data);
		assert_int_equal(reach_decode(REACH_QUESTION, data, sizeof(data), &key, &got),
				 REACH_OK);
		assert_true(ip_addr_equal(&got.addr, &m.addr));
		assert_int_equal(got.port, m.port);
		assert_true(got.time_ms == m.time_ms);
	}
}

static void test_wrong_key(void **state)
{
	const struct reach_message m = question(NOW);
	uint8_t answer[REACH_BYTES];

	(void)state;
	assert_int_equal(ask(&m, &other, NOW, answer), REACH_KEY);
	assert_int_equal(guard.counts[REACH_KEY], 1);
	assert_int_equal(ask(&m, &key, NOW, answer), REACH_OK); /* nothing was remembered */
}

static void test_replay(void **state)
{
	const struct reach_message m = question(NOW);
	uint8_t answer[REACH_BYTES];

	(void)state;
	assert_int_equal(ask(&m, &key, NOW, answer), REACH_OK);
	assert_int_equal(ask(&m, &key, NOW, answer), REACH_REPLAY);
	assert_int_equal(ask(&m, &key, NOW + REACH_WINDOW_MS, answer), REACH_REPLAY);
	assert_int_equal(ask(&m, &key, NOW + REACH_WINDOW_MS + 1, answer), REACH_OLD);
}

/* As many as the rate permits, for the longest time that a question can be valid. */
static void test_replay_is_known_under_load(void **state)
{
	const struct reach_message first = question(NOW + REACH_WINDOW_MS);
	uint8_t answer[REACH_BYTES];
	int64_t now = NOW;

	(void)state;
	assert_int_equal(ask(&first, &key, now, answer), REACH_OK);
	for (; now <= NOW + 2 * REACH_WINDOW_MS; now += 10) {
		struct reach_message m = question(now);

		(void)ask(&m, &key, now, answer);
	}
	assert_in_range(guard.counts[REACH_OK], REACH_RATE * 2 * REACH_WINDOW_MS / 1000,
			REACH_SEEN - 1);
	assert_int_equal(ask(&first, &key, NOW + 2 * REACH_WINDOW_MS, answer), REACH_REPLAY);
}

static void test_time(void **state)
{
	const struct reach_message old = question(NOW - REACH_WINDOW_MS - 1);
	const struct reach_message ahead = question(NOW + REACH_WINDOW_MS + 1);
	const struct reach_message edge = question(NOW - REACH_WINDOW_MS);
	uint8_t answer[REACH_BYTES];

	(void)state;
	assert_int_equal(ask(&old, &key, NOW, answer), REACH_OLD);
	assert_int_equal(ask(&ahead, &key, NOW, answer), REACH_OLD);
	assert_int_equal(ask(&edge, &key, NOW, answer), REACH_OK);
}

/* What was answered before the responder's start is not remembered. */
static void test_older_than_the_responder(void **state)
{
	const struct reach_message m = question(NOW - 1), after = question(NOW);
	uint8_t answer[REACH_BYTES];

	(void)state;
	reach_guard_init(&guard, NOW);
	assert_int_equal(ask(&m, &key, NOW, answer), REACH_OLD);
	assert_int_equal(ask(&after, &key, NOW, answer), REACH_OK);
}

static void test_rate(void **state)
{
	uint8_t answer[REACH_BYTES];

	(void)state;
	for (int i = 0; i < 1000; i++) {
		const struct reach_message m = question(NOW);

		assert_int_equal(ask(&m, &key, NOW, answer),
				 i < REACH_BURST ? REACH_OK : REACH_BUSY);
	}
	for (int i = 0; i < 2 * REACH_CHECKS; i++) {
		const struct reach_message m = question(NOW);

		(void)ask(&m, &other, NOW, answer);
	}
	assert_in_range(guard.counts[REACH_KEY], 1, REACH_CHECKS);
	/* and again after a second */
	for (int i = 0; i < 2 * REACH_RATE; i++) {
		const struct reach_message m = question(NOW);

		(void)ask(&m, &key, NOW + 1000, answer);
	}
	assert_int_equal(guard.counts[REACH_OK], REACH_BURST + REACH_RATE);
}

/* No bit of a message can be changed, none cut off and none added. */
static void test_damage(void **state)
{
	const struct reach_message m = question(NOW);
	struct reach_message got = { .port = 7 };
	uint8_t data[REACH_BYTES + 1] = { 0 };

	(void)state;
	reach_encode(&m, &key, data);
	for (size_t bit = 0; bit < 8 * REACH_BYTES; bit++) {
		data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_not_equal(reach_decode(REACH_QUESTION, data, REACH_BYTES, &key, &got),
				     REACH_OK);
		data[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	for (size_t len = 0; len <= sizeof(data); len++) {
		uint8_t *exact = malloc(len + 1); /* for the sanitizer to see what is read */

		memcpy(exact, data, len);
		assert_int_equal(reach_decode(REACH_QUESTION, exact, len, &key, &got) == REACH_OK,
				 len == REACH_BYTES);
		if (len != REACH_BYTES)
			assert_int_equal(got.port, len < REACH_BYTES ? 7 : m.port);
		free(exact);
	}
}

static void test_noise(void **state)
{
	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct reach_message got;
		uint8_t data[REACH_BYTES + 16], len;

		digest_random(data, sizeof(data));
		digest_random(&len, 1);
		if (i % 2) /* past the first look */
			memcpy(data, "SAVR\1\4", 6);
		assert_int_not_equal(reach_decode(REACH_QUESTION, data,
						  i % 3 ? REACH_BYTES : len % sizeof(data), &key,
						  &got),
				     REACH_OK);
	}
}

/* ---- key files ---- */

static int read_key_of(const char *text, size_t len, mode_t mode, struct reach_key *got)
{
	char name[] = "/tmp/opensav-key.XXXXXX";
	int fd = mkstemp(name), rc;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), (ssize_t)len);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
	rc = reach_key_read(name, got, &diag);
	unlink(name);
	return rc;
}

static void test_key_file(void **state)
{
	struct reach_key got;
	char large[REACH_KEY_MAX + 2];

	(void)state;
	memset(large, 'x', sizeof(large));
	assert_int_equal(read_key_of("0123456789abcdef\n", 17, 0600, &got), 0);
	assert_int_equal(got.len, 16);
	assert_memory_equal(got.bytes, key.bytes, 16);
	assert_int_equal(read_key_of("0123456789abcdef", 16, 0640, &got), -1);
	assert_non_null(strstr(diag.text, "chmod 600"));
	assert_int_equal(read_key_of("0123456789abcde\n", 16, 0600, &got), -1);
	assert_non_null(strstr(diag.text, "16 to 256"));
	assert_int_equal(read_key_of(large, REACH_KEY_MAX + 1, 0600, &got), -1);
	assert_int_equal(read_key_of(large, REACH_KEY_MAX, 0600, &got), 0);
	assert_int_equal(reach_key_read("/nonexistent", &got, &diag), -1);
	assert_int_equal(reach_key_read("/dev/null", &got, &diag), -1);
}

/* ---- the matrix ---- */

static struct ip_prefix prefixes[2];
static struct plan_provider providers[2];
static struct plan_path paths[2];
static struct plan plan = { .paths = paths, .n_paths = 2, .providers = providers,
			    .n_providers = 2 };
static size_t n_events, n_alarms;
static char last[512];

static void on_event(void *ctx, bool alarm, const char *text)
{
	(void)ctx;
	n_events++;
	n_alarms += alarm;
	snprintf(last, sizeof(last), "%s", text);
}

static int setup_plan(void **state)
{
	(void)state;
	n_events = n_alarms = 0;
	for (uint32_t i = 0; i < 2; i++) {
		ip_prefix_parse(i ? "198.51.100.0/24" : "192.0.2.7/32", &prefixes[i]);
		providers[i] = (struct plan_provider){ .number = i + 1, .prefixes = &prefixes[i],
						       .n_prefixes = 1 };
		snprintf(providers[i].name, sizeof(providers[i].name), "%c", 'a' + (int)i);
		paths[i] = (struct plan_path){ .provider = i + 1 };
		paths[i].path.number = i + 1;
		paths[i].path.ifindex = i + 10;
		paths[i].path.device_up = true;
		snprintf(paths[i].path.name, sizeof(paths[i].path.name), "wan%u", i);
		snprintf(paths[i].path.provider, sizeof(paths[i].path.provider), "%c",
			 'a' + (int)i);
	}
	return 0;
}

/* Runs it; arrives has a bit for each cell. */
static void run(struct reach_matrix *all, const char *provider, unsigned int arrives)
{
	const bool has[IP_FAMILIES] = { true, false };
	struct reach_message answer = { .kind = REACH_ANSWER };
	struct reach_matrix m;
	struct reach_cell *c;

	assert_int_equal(reach_matrix_make(&m, &plan, provider, has, all, &diag), 0);
	while ((c = reach_matrix_next(&m, answer.token))) {
		assert_true(c->sent <= REACH_PACKETS);
		if (arrives & 1u << (c - m.cells))
			assert_true(reach_matrix_answer(&m, &answer));
	}
	assert_false(reach_matrix_answer(&m, &(struct reach_message){ .port = 1 }));
	reach_matrix_finish(&m, NOW, on_event, NULL);
	reach_matrix_keep(all, &m, !provider);
	reach_matrix_fini(&m);
}

static void test_matrix(void **state)
{
	struct reach_matrix all = { 0 };

	(void)state;
	run(&all, NULL, 0x9); /* each by its own */
	assert_int_equal(n_events, 0);
	assert_true(all.cells[0].source.v == prefixes[0].v);
	assert_true(all.cells[2].source.v == prefixes[1].v + 1);
	run(&all, NULL, 0xb); /* b does not drop a's any more */
	assert_int_equal(n_events, 1);
	assert_int_equal(n_alarms, 0);
	run(&all, "b", 0x1); /* its column only: b drops its own */
	assert_int_equal(n_alarms, 1);
	assert_non_null(strstr(last, "provider b has begun to drop packets from 198.51.100.0/24, "
				     "its own prefix"));
	run(&all, NULL, 0x3); /* as it was: what the other column was is still known */
	assert_int_equal(n_events, 2);
	run(&all, NULL, 0); /* the responder is dead */
	assert_int_equal(n_events, 3);
	assert_non_null(strstr(last, "nothing at all"));
	run(&all, NULL, 0xb);
	assert_int_equal(n_events, 4);
	assert_int_equal(n_alarms, 2);
	assert_int_equal(all.n, 4);
	reach_matrix_fini(&all);
}

static void test_not_tried_changes_nothing(void **state)
{
	struct reach_matrix all = { 0 };

	(void)state;
	run(&all, NULL, 0x9);
	paths[0].path.device_up = false;
	run(&all, NULL, 0x8);
	assert_int_equal(n_events, 0);
	assert_int_equal(all.cells[0].verdict, REACH_NOT_TRIED);
	paths[0].path.device_up = true;
	run(&all, NULL, 0x8); /* now it was: lost */
	assert_int_equal(n_alarms, 1);
	reach_matrix_fini(&all);
}

/* A prefix that was taken out of the configuration was found for ever. */
static void test_what_is_gone_is_forgotten(void **state)
{
	struct reach_matrix all = { 0 };

	(void)state;
	run(&all, NULL, 0x9);
	assert_int_equal(all.n, 4);
	plan.n_providers = 1;
	run(&all, "a", 0x1);
	assert_int_equal(all.n, 4);
	run(&all, NULL, 0x1);
	assert_int_equal(all.n, 2);
	plan.n_providers = 2;
	reach_matrix_fini(&all);
}

static void test_first_look_tells_what_should_not_be(void **state)
{
	struct reach_matrix all = { 0 };

	(void)state;
	run(&all, NULL, 0x1);
	assert_int_equal(n_events, 1);
	assert_non_null(strstr(last, "provider b drops packets from 198.51.100.0/24, its own"));
	reach_matrix_fini(&all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_answer, setup),
		cmocka_unit_test(test_both_families_come_back),
		cmocka_unit_test_setup(test_wrong_key, setup),
		cmocka_unit_test_setup(test_replay, setup),
		cmocka_unit_test_setup(test_replay_is_known_under_load, setup),
		cmocka_unit_test_setup(test_time, setup),
		cmocka_unit_test_setup(test_older_than_the_responder, setup),
		cmocka_unit_test_setup(test_rate, setup),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_noise),
		cmocka_unit_test(test_key_file),
		cmocka_unit_test_setup(test_matrix, setup_plan),
		cmocka_unit_test_setup(test_not_tried_changes_nothing, setup_plan),
		cmocka_unit_test_setup(test_what_is_gone_is_forgotten, setup_plan),
		cmocka_unit_test_setup(test_first_look_tells_what_should_not_be, setup_plan),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
