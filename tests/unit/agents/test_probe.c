/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Probes: bytes of echo requests and replies, and what counts as an answer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "agents/steer/probe.h"

#define MS 1000

static const struct probe_conf conf = { .interval_us = 200 * MS,
					.timeout_us = 700 * MS,
					.patience_us = 1700 * MS };

static struct probe begin(void)
{
	struct ip_addr to;
	struct probe p;

	assert_true(ip_addr_parse("192.0.2.1", &to));
	probe_init(&p, &to, 0, 0);
	return p;
}

static void test_bytes(void **state)
{
	static const uint8_t v4[] = { 8, 0, 0, 0, 0x12, 0x34, 0x00, 0x07,
				      1, 2, 3, 4, 5,	6,    7,    8 };
	struct probe_echo echo = { .ident = 0x1234,
				   .sequence = 7,
				   .token = 0x0102030405060708 };
	uint8_t out[PROBE_ECHO_BYTES];
	uint32_t sum = 0;

	(void)state;
	probe_encode(IP_V4, &echo, out);
	/* RFC 1071: with its checksum, the sum of all is -0 */
	for (size_t i = 0; i < sizeof(out); i += 2)
		sum += (uint32_t)out[i] << 8 | out[i + 1];
	assert_int_equal((sum & 0xffff) + (sum >> 16), 0xffff);
	assert_memory_equal(out, v4, 2);
	assert_memory_equal(out + 4, v4 + 4, sizeof(v4) - 4);
	probe_encode(IP_V6, &echo, out);
	assert_int_equal(out[0], 128);
}

static void test_only_whole_replies(void **state)
{
	struct probe_echo echo = { .ident = 1, .sequence = 2, .token = 3 }, got;
	uint8_t reply[60 + PROBE_ECHO_BYTES + 1] = { 0 };

	(void)state;
	for (size_t header = 20; header <= 60; header += 4) {
		size_t len = header + PROBE_ECHO_BYTES;
		uint8_t *exact;

		memset(reply, 0, sizeof(reply));
		reply[0] = (uint8_t)(0x40 | header / 4);
		probe_encode(IP_V4, &echo, reply + header);
		assert_false(probe_decode(IP_V4, reply, len, &got)); /* a request */
		reply[header] = 0;
		assert_true(probe_decode(IP_V4, reply, len, &got));
		assert_int_equal(got.ident, 1);
		assert_int_equal(got.sequence, 2);
		assert_int_equal(got.token, 3);
		assert_false(probe_decode(IP_V4, reply, len + 1, &got));
		/* cut short, in memory of just that size */
		for (size_t cut = 0; cut < len; cut++) {
			exact = malloc(cut ? cut : 1);
			assert_non_null(exact);
			memcpy(exact, reply, cut);
			assert_false(probe_decode(IP_V4, exact, cut, &got));
			free(exact);
		}
		reply[header + 1] = 1; /* code */
		assert_false(probe_decode(IP_V4, reply, len, &got));
	}
	reply[0] = 0x44; /* a header too short to be one */
	assert_false(probe_decode(IP_V4, reply, 16 + PROBE_ECHO_BYTES, &got));
	probe_encode(IP_V6, &echo, reply);
	reply[0] = 129;
	assert_true(probe_decode(IP_V6, reply, PROBE_ECHO_BYTES, &got));
}

static void test_an_answer_counts_once(void **state)
{
	struct probe p = begin();
	struct probe_echo e = probe_next(&p, &conf, 77, 0), other = e;

	(void)state;
	other.token++;
	assert_false(probe_answer(&p, &other, 3, 10 * MS));
	other = e;
	other.sequence++;
	assert_false(probe_answer(&p, &other, 3, 10 * MS));
	assert_true(probe_answer(&p, &e, 3, 10 * MS));
	assert_int_equal(p.state, PROBE_ALIVE);
	assert_int_equal(p.rtt_us, 10 * MS);
	assert_false(probe_answer(&p, &e, 3, 20 * MS));
	assert_int_equal(p.received, 1);
}

static void test_old_requests_are_closed(void **state)
{
	struct probe p = begin();
	struct probe_echo first = probe_next(&p, &conf, 1, 0), last = first;

	(void)state;
	for (int i = 1; i < PROBE_RING; i++)
		last = probe_next(&p, &conf, (uint64_t)i + 1, 0);
	assert_true(probe_answer(&p, &first, 3, 0));
	for (int i = 0; i < 70000; i++) { /* the sequence number wraps */
		last = probe_next(&p, &conf, (uint64_t)i + 1000, 0);
		if (i == 0)
			first = last;
	}
	assert_false(probe_answer(&p, &first, 3, 0));
	assert_true(probe_answer(&p, &last, 3, 0));
}

static void test_return_needs_answers_in_a_row(void **state)
{
	struct probe p = begin();
	struct probe_echo e;
	int64_t now = 0;

	(void)state;
	for (int i = 0; i < 20; i++, now += 200 * MS) {
		probe_tick(&p, &conf, now);
		probe_next(&p, &conf, 5, now);
	}
	assert_int_equal(p.state, PROBE_NEVER);
	for (int i = 0; i < 12; i++, now += 200 * MS) {
		e = probe_next(&p, &conf, 5, now);
		if (i % 3 != 2)
			assert_true(probe_answer(&p, &e, 3, now));
	}
	assert_int_equal(p.state, PROBE_NEVER);
	for (int i = 0; i < 3; i++, now += 200 * MS) {
		e = probe_next(&p, &conf, 5, now);
		assert_true(probe_answer(&p, &e, 3, now));
	}
	assert_int_equal(p.state, PROBE_ALIVE);
}

static void test_loss_is_of_those_that_had_their_time(void **state)
{
	struct probe p = begin();
	struct probe_echo e;
	int64_t now = 0;

	(void)state;
	assert_int_equal(probe_loss(&p, &conf, now), -1);
	for (int i = 0; i < 40; i++, now += 200 * MS) {
		e = probe_next(&p, &conf, 5, now);
		if (i % 4)
			assert_true(probe_answer(&p, &e, 3, now));
	}
	assert_int_equal(probe_loss(&p, &conf, now), 25);
	probe_next(&p, &conf, 5, now);
	assert_int_equal(probe_loss(&p, &conf, now), 25);
	assert_int_equal(probe_loss(&p, &conf, now + 700 * MS), 26);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_only_whole_replies),
		cmocka_unit_test(test_an_answer_counts_once),
		cmocka_unit_test(test_old_requests_are_closed),
		cmocka_unit_test(test_return_needs_answers_in_a_row),
		cmocka_unit_test(test_loss_is_of_those_that_had_their_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
