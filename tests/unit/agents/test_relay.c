/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The relay in virtual time; the test is bgpd and the controller.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agents/relay.h"
#include "agents/relay_buffer.h"
#include "lib/frame.h"
#include "lib/mem.h"

#define MIB ((size_t)1 << 20)

struct bench {
	struct relay *relay;
	struct frame_in *in;
	int64_t now;
	struct wr stream; /* what the controller got of BMP */
};

static int set_up(void **state)
{
	struct bench *b = mem_alloc(sizeof(*b));

	b->relay = relay_new(MIB);
	b->in = frame_in_new(AGENT_FRAME_MAX_BYTES);
	b->now = 1000000;
	*state = b;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *b = *state;

	relay_free(b->relay);
	frame_in_free(b->in);
	wr_fini(&b->stream);
	free(b);
	return 0;
}

/* The next message for the controller, AGENT_MSG_UNKNOWN if there is none. The
 * socket takes at most chunk bytes at a time. */
static enum agent_msg_type next(struct bench *b, struct agent_msg *msg, size_t chunk)
{
	const uint8_t *body;
	struct diag diag;
	size_t len;

	*msg = (struct agent_msg){ .type = AGENT_MSG_UNKNOWN };
	while (!frame_in_next(b->in, &body, &len)) {
		struct wr *out = relay_output(b->relay);
		size_t n = out->len < chunk ? out->len : chunk;

		if (n == 0)
			return AGENT_MSG_UNKNOWN;
		assert_int_equal(frame_in_bytes(b->in, out->data, n, &diag), 0);
		wr_consume(out, n);
	}
	assert_int_equal(agent_msg_unpack(body, len, msg, &diag), 0);
	return msg->type;
}

static void expect(struct bench *b, enum agent_msg_type type)
{
	struct agent_msg msg;

	assert_int_equal(next(b, &msg, 4096), type);
	agent_msg_fini(&msg);
}

/* Everything that waits; BMP is gathered, other messages are counted. */
static size_t drain(struct bench *b, size_t chunk)
{
	struct agent_msg msg;
	size_t others = 0;

	while (next(b, &msg, chunk) != AGENT_MSG_UNKNOWN) {
		if (msg.type == AGENT_MSG_BMP) {
			wr_bytes(&b->stream, msg.u.bmp.data.data, msg.u.bmp.data.len);
			assert_int_equal(msg.u.bmp.waiting,
					 relay_status(b->relay)->waiting_bytes);
		} else {
			others++;
		}
		agent_msg_fini(&msg);
	}
	return others;
}

static int tell(struct bench *b, const struct agent_msg *msg, struct diag *diag)
{
	struct wr wr = { 0 };
	int rc;

	agent_msg_pack(msg, &wr);
	rc = relay_bytes(b->relay, wr.data, wr.len, b->now, diag);
	wr_fini(&wr);
	return rc;
}

static void welcome(struct bench *b)
{
	struct agent_msg msg = { .type = AGENT_MSG_WELCOME };
	struct diag diag;

	msg.u.welcome.protocol = AGENT_PROTOCOL;
	msg.u.welcome.counters_interval_s = 10;
	assert_int_equal(tell(b, &msg, &diag), 0);
}

static void bring_up(struct bench *b)
{
	relay_begin(b->relay, b->now);
	expect(b, AGENT_MSG_HELLO);
	welcome(b);
	expect(b, AGENT_MSG_RELAY_STATUS);
	assert_int_equal(relay_status(b->relay)->state, RELAY_READY);
}

static void begin_bmp(struct bench *b)
{
	bring_up(b);
	assert_true(relay_take(b->relay, b->now));
	expect(b, AGENT_MSG_RELAY_STATUS);
}

static void bgpd_is_let_in_when_its_bytes_can_go_on(void **state)
{
	struct bench *b = *state;

	assert_false(relay_take(b->relay, b->now));
	relay_begin(b->relay, b->now);
	assert_false(relay_take(b->relay, b->now));
	welcome(b);
	assert_true(relay_take(b->relay, b->now));
	assert_false(relay_take(b->relay, b->now)); /* one at a time */
	assert_int_equal(relay_status(b->relay)->totals.refused, 3);
	assert_int_equal(relay_status(b->relay)->totals.sessions, 1);
	relay_end(b->relay, "cut", b->now);
	assert_false(relay_take(b->relay, b->now));
	assert_string_equal(relay_status(b->relay)->last_error, "cut");
}

/* Bytes in any chunking, taken by sockets of any slowness, come out the same. */
static void the_stream_is_carried_unchanged(void **state)
{
	static const size_t chunks[] = { 1, 7, 1000, 65536, 1 << 20 };
	struct bench *b = *state;
	size_t total = 700000;
	uint8_t *data = mem_alloc(total);
	struct diag diag;

	srandom(1);
	for (size_t i = 0; i < total; i++)
		data[i] = (uint8_t)random();
	for (size_t c = 0; c < sizeof(chunks) / sizeof(chunks[0]); c++) {
		begin_bmp(b);
		for (size_t at = 0, n; at < total; at += n) {
			n = (size_t)random() % 100000;
			if (n > total - at)
				n = total - at;
			assert_int_equal(relay_put(b->relay, data + at, n, b->now, &diag),
					 0);
			if (c % 2 == 0)
				drain(b, chunks[c]);
		}
		drain(b, chunks[c]);
		assert_int_equal(b->stream.len, total);
		assert_memory_equal(b->stream.data, data, total);
		assert_int_equal(relay_status(b->relay)->waiting_bytes, 0);
		wr_fini(&b->stream);
		relay_end(b->relay, "next", b->now);
	}
	assert_int_equal(relay_status(b->relay)->totals.bytes,
			 total * sizeof(chunks) / sizeof(chunks[0]));
	assert_int_equal(relay_status(b->relay)->totals.dropped_bytes, 0);
	assert_true(relay_status(b->relay)->totals.high_bytes <= MIB);
	free(data);
}

static void at_the_bound_the_session_is_over(void **state)
{
	struct bench *b = *state;
	uint8_t *data = mem_alloc(MIB);
	struct agent_msg msg;
	struct diag diag;

	begin_bmp(b);
	assert_int_equal(relay_put(b->relay, data, MIB - 1, b->now, &diag), 0);
	assert_int_equal(relay_put(b->relay, data, 1, b->now, &diag), 0); /* just fits */
	assert_int_equal(relay_put(b->relay, data, 1, b->now, &diag), -1);
	assert_non_null(strstr(diag.text, "buffer of 1 MiB is full"));
	assert_int_equal(relay_status(b->relay)->totals.overflows, 1);
	assert_int_equal(relay_status(b->relay)->totals.high_bytes, MIB);
	assert_int_equal(relay_status(b->relay)->totals.dropped_bytes, MIB + 1);
	/* no half of a table reaches the controller, but the reason does */
	assert_int_equal(next(b, &msg, 4096), AGENT_MSG_FAILURE);
	assert_non_null(strstr(msg.u.failure.text, "is full"));
	agent_msg_fini(&msg);
	relay_end(b->relay, diag.text, b->now);
	assert_int_equal(relay_status(b->relay)->totals.dropped_bytes, MIB + 1);
	/* the next session begins with nothing of the old one */
	begin_bmp(b);
	assert_int_equal(relay_put(b->relay, "abc", 3, b->now, &diag), 0);
	drain(b, 4096);
	assert_int_equal(b->stream.len, 3);
	free(data);
}

static int64_t overflow(struct bench *b, const uint8_t *data)
{
	struct diag diag;

	assert_int_equal(relay_put(b->relay, data, MIB, b->now, &diag), 0);
	assert_int_equal(relay_put(b->relay, data, 1, b->now, &diag), -1);
	relay_end(b->relay, diag.text, b->now);
	return relay_pause_ms(b->relay);
}

static void overflows_in_a_row_wait_longer(void **state)
{
	struct bench *b = *state;
	uint8_t *data = mem_alloc(MIB);
	int64_t want = RELAY_PAUSE_MIN_MS;

	assert_int_equal(relay_pause_ms(b->relay), 0);
	for (int i = 0; i < 12; i++) {
		begin_bmp(b);
		assert_int_equal(overflow(b, data), want);
		want = want * 2 < RELAY_PAUSE_MAX_MS ? want * 2 : RELAY_PAUSE_MAX_MS;
	}
	begin_bmp(b);
	b->now += RELAY_PAUSE_MAX_MS; /* went well for so long */
	assert_int_equal(overflow(b, data), RELAY_PAUSE_MIN_MS);
	free(data);
}

static void what_was_not_sent_is_counted(void **state)
{
	struct bench *b = *state;
	struct diag diag;

	begin_bmp(b);
	assert_int_equal(relay_put(b->relay, "12345", 5, b->now, &diag), 0);
	relay_end(b->relay, "the controller closed the session", b->now);
	assert_int_equal(relay_status(b->relay)->totals.dropped_bytes, 5);
	assert_int_equal(relay_put(b->relay, "6", 1, b->now, &diag), -1);
}

static void a_lower_bound_counts_at_once(void **state)
{
	struct bench *b = *state;
	uint8_t *data = mem_alloc(MIB);
	struct diag diag;

	relay_set_limit(b->relay, 4 * MIB);
	begin_bmp(b);
	for (int i = 0; i < 3; i++)
		assert_int_equal(relay_put(b->relay, data, MIB, b->now, &diag), 0);
	relay_set_limit(b->relay, MIB); /* less than what waits already */
	assert_int_equal(relay_put(b->relay, data, 1, b->now, &diag), -1);
	free(data);
}

static void silence_of_the_controller_ends_it(void **state)
{
	struct bench *b = *state;
	struct agent_msg keepalive = { .type = AGENT_MSG_KEEPALIVE };
	struct diag diag;

	begin_bmp(b);
	for (int i = 0; i < 10; i++) {
		b->now += RELAY_IDLE_MS;
		assert_int_equal(relay_tick(b->relay, b->now, &diag), 0);
		assert_int_equal(tell(b, &keepalive, &diag), 0);
	}
	b->now += RELAY_IDLE_MS + 1;
	assert_int_equal(relay_tick(b->relay, b->now, &diag), -1);
	assert_string_equal(diag.text, "the controller was silent for 30 s");
}

static void a_controller_that_does_not_answer_is_left(void **state)
{
	struct bench *b = *state;
	struct diag diag;

	relay_begin(b->relay, b->now);
	b->now += RELAY_HANDSHAKE_MS;
	assert_int_equal(relay_tick(b->relay, b->now, &diag), 0);
	b->now++;
	assert_int_equal(relay_tick(b->relay, b->now, &diag), -1);
	assert_non_null(strstr(diag.text, "did not answer the greeting"));
}

/* Also while bgpd's bytes never stop: it is what keeps the connection alive. */
static void the_status_is_told_every_ten_seconds(void **state)
{
	struct bench *b = *state;
	uint8_t data[1000] = { 0 };
	struct diag diag;
	size_t told = 0;

	begin_bmp(b);
	for (int i = 0; i < 60; i++) {
		struct agent_msg keepalive = { .type = AGENT_MSG_KEEPALIVE };

		b->now += 1000;
		assert_int_equal(tell(b, &keepalive, &diag), 0);
		assert_int_equal(relay_put(b->relay, data, sizeof(data), b->now, &diag), 0);
		assert_int_equal(relay_tick(b->relay, b->now, &diag), 0);
		told += drain(b, 100);
	}
	assert_int_equal(told, 6);
	assert_int_equal(b->stream.len, 60 * sizeof(data));
}

static void a_refusal_is_passed_on(void **state)
{
	struct agent_msg msg = { .type = AGENT_MSG_FAILURE };
	struct bench *b = *state;
	struct diag diag;

	relay_begin(b->relay, b->now);
	strcpy(msg.u.failure.text, "there is no router r1");
	assert_int_equal(tell(b, &msg, &diag), -1);
	assert_string_equal(diag.text, "the controller says: there is no router r1");
}

static void nonsense_from_the_controller_ends_it(void **state)
{
	struct agent_msg list = { .type = AGENT_MSG_EDGE_LIST };
	struct bench *b = *state;
	struct diag diag;

	bring_up(b);
	assert_int_equal(tell(b, &list, &diag), -1);
	assert_string_equal(diag.text, "a message that is not for relays");
	relay_end(b->relay, diag.text, b->now);
	bring_up(b);
	assert_int_equal(relay_bytes(b->relay, "\0\0\0\2\x0a\xff", 6, b->now, &diag), -1);
	assert_non_null(strstr(diag.text, "malformed"));
	relay_end(b->relay, diag.text, b->now);
	bring_up(b);
	assert_int_equal(relay_bytes(b->relay, "\1\0\0\0", 4, b->now, &diag), -1);
	assert_non_null(strstr(diag.text, "frame of 16777216 bytes"));
}

/* Against a model: an array. */
static void the_buffer_is_a_queue(void **state)
{
	struct relay_buffer buffer;
	uint8_t in = 0, out = 0;
	size_t bytes = 0;

	srandom(2);
	relay_buffer_init(&buffer, 300000);
	for (int i = 0; i < 20000; i++) {
		uint8_t data[40000];
		const uint8_t *got;
		size_t n = (size_t)random() % sizeof(data);

		for (size_t k = 0; k < n; k++)
			data[k] = (uint8_t)(in + k);
		if (relay_buffer_put(&buffer, data, n)) {
			in = (uint8_t)(in + n);
			bytes += n;
		} else {
			assert_true(bytes + n > buffer.limit);
		}
		n = relay_buffer_peek(&buffer, &got);
		assert_true((n == 0) == (bytes == 0));
		if (n != 0)
			n = (size_t)random() % (n + 1);
		for (size_t k = 0; k < n; k++)
			assert_int_equal(got[k], out++);
		if (n != 0)
			relay_buffer_drop(&buffer, n);
		bytes -= n;
		assert_int_equal(buffer.bytes, bytes);
	}
	assert_true(buffer.high <= buffer.limit && buffer.high > buffer.limit / 2);
	relay_buffer_clear(&buffer);
	assert_int_equal(buffer.bytes, 0);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(bgpd_is_let_in_when_its_bytes_can_go_on),
		TEST(the_stream_is_carried_unchanged),
		TEST(at_the_bound_the_session_is_over),
		TEST(overflows_in_a_row_wait_longer),
		TEST(what_was_not_sent_is_counted),
		TEST(a_lower_bound_counts_at_once),
		TEST(silence_of_the_controller_ends_it),
		TEST(a_controller_that_does_not_answer_is_left),
		TEST(the_status_is_told_every_ten_seconds),
		TEST(a_refusal_is_passed_on),
		TEST(nonsense_from_the_controller_ends_it),
		cmocka_unit_test(the_buffer_is_a_queue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
