/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * BFD in virtual time: the rules of RFC 5880 section 6.8 one by one, and two
 * sessions that talk over a wire which loses packets.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "agents/steer/bfd.h"

#define MS     1000
#define SECOND (1000 * MS)
#define START  (7 * (int64_t)SECOND)

static const struct bfd_conf fast = { .min_tx_us = 100 * MS,
				      .min_rx_us = 100 * MS,
				      .mult = 3 };

/* Two systems and the wire between them. */
struct pair {
	struct bfd end[2];
	int64_t now;
	bool lost[2];	   /* what this end sends */
	unsigned int keep; /* of so many packets one comes through; 0: all */
	unsigned int sent[2];
	struct bfd_packet last[2];
};

static void pair_init(struct pair *p, const struct bfd_conf *a, const struct bfd_conf *b)
{
	memset(p, 0, sizeof(*p));
	p->now = START;
	bfd_init(&p->end[0], a, 1001, 11, p->now);
	bfd_init(&p->end[1], b, 2002, 22, p->now);
}

static void pair_send(struct pair *p, int from)
{
	uint8_t out[BFD_PACKET_MAX];
	struct bfd_packet packet;
	size_t len;

	while ((len = bfd_next(&p->end[from], p->now, out)) > 0) {
		assert_int_equal(bfd_decode(out, len, &packet), BFD_OK);
		p->last[from] = packet;
		p->sent[from]++;
		if (!p->lost[from] && (!p->keep || p->sent[from] % p->keep == 0))
			bfd_receive(&p->end[1 - from], &packet, out, len, p->now);
	}
}

static void pair_run(struct pair *p, int64_t us)
{
	int64_t end = p->now + us, due;

	for (;;) {
		pair_send(p, 0);
		pair_send(p, 1);
		pair_send(p, 0);
		due = bfd_due_us(&p->end[0]);
		if (bfd_due_us(&p->end[1]) < due)
			due = bfd_due_us(&p->end[1]);
		if (due > end)
			break;
		if (due > p->now)
			p->now = due;
		bfd_tick(&p->end[0], p->now);
		bfd_tick(&p->end[1], p->now);
	}
	p->now = end;
}

static void pair_up(struct pair *p)
{
	pair_run(p, 3 * SECOND);
	assert_int_equal(p->end[0].state, BFD_UP);
	assert_int_equal(p->end[1].state, BFD_UP);
}

/* ---- codec ---- */

static struct bfd_packet example(void)
{
	return (struct bfd_packet){ .diag = BFD_DIAG_NEIGHBOR_DOWN,
				    .state = BFD_INIT,
				    .poll = true,
				    .independent = true,
				    .mult = 5,
				    .my_discr = 0x01020304,
				    .your_discr = 0x05060708,
				    .min_tx_us = 300000,
				    .min_rx_us = 200000,
				    .min_echo_us = 50000 };
}

static void test_bytes_as_in_the_rfc(void **state)
{
	static const uint8_t bytes[] = { 0x23, 0xa8, 0x05, 0x18, 1,    2,    3,	   4,
					 5,    6,    7,	   8,	 0x00, 0x04, 0x93, 0xe0,
					 0x00, 0x03, 0x0d, 0x40, 0x00, 0x00, 0xc3, 0x50 };
	struct bfd_packet p = example(), q;
	uint8_t out[BFD_PACKET_MAX];

	(void)state;
	assert_int_equal(bfd_encode(&p, out), sizeof(bytes));
	assert_memory_equal(out, bytes, sizeof(bytes));
	memset(&q, 0, sizeof(q));
	assert_int_equal(bfd_decode(out, sizeof(bytes), &q), BFD_OK);
	assert_int_equal(bfd_encode(&q, out), sizeof(bytes));
	assert_memory_equal(out, bytes, sizeof(bytes));
}

/* What becomes of the example with one byte changed. */
static enum bfd_error with_byte(size_t at, uint8_t value, size_t len)
{
	struct bfd_packet p = example(), q;
	uint8_t out[BFD_PACKET_MAX + 8] = { 0 };

	bfd_encode(&p, out);
	out[at] = value;
	return bfd_decode(out, len, &q);
}

static void test_rules_without_a_session(void **state)
{
	(void)state;
	assert_int_equal(with_byte(0, 0x23, 24), BFD_OK);
	assert_int_equal(with_byte(0, 0x03, 24), BFD_BAD_VERSION);
	assert_int_equal(with_byte(0, 0x43, 24), BFD_BAD_VERSION);
	assert_int_equal(with_byte(3, 23, 24), BFD_BAD_LENGTH);
	assert_int_equal(with_byte(3, 25, 24), BFD_BAD_LENGTH);
	assert_int_equal(with_byte(3, 24, 23), BFD_BAD_LENGTH);
	assert_int_equal(with_byte(3, 24, 3), BFD_BAD_LENGTH);
	assert_int_equal(with_byte(3, 24, 0), BFD_BAD_LENGTH);
	assert_int_equal(with_byte(3, 24, 32), BFD_OK); /* the rest is nobody's */
	assert_int_equal(with_byte(2, 0, 24), BFD_BAD_MULT);
	assert_int_equal(with_byte(1, 0xa9, 24), BFD_BAD_MULTIPOINT);
	assert_int_equal(with_byte(7, 0, 24), BFD_OK);
	/* with the A bit, 26 bytes are the least */
	assert_int_equal(with_byte(1, 0xac, 24), BFD_BAD_LENGTH);
}

static void test_zero_discriminators(void **state)
{
	struct bfd_packet p = example(), q;
	uint8_t out[BFD_PACKET_MAX];

	(void)state;
	p.my_discr = 0;
	assert_int_equal(bfd_decode(out, bfd_encode(&p, out), &q), BFD_BAD_MY_DISCR);
	p = example();
	p.your_discr = 0;
	assert_int_equal(bfd_decode(out, bfd_encode(&p, out), &q), BFD_BAD_STATE);
	p.state = BFD_UP;
	assert_int_equal(bfd_decode(out, bfd_encode(&p, out), &q), BFD_BAD_STATE);
	p.state = BFD_DOWN;
	assert_int_equal(bfd_decode(out, bfd_encode(&p, out), &q), BFD_OK);
	p.state = BFD_ADMIN_DOWN;
	assert_int_equal(bfd_decode(out, bfd_encode(&p, out), &q), BFD_OK);
}

static void test_foreign_authentication_is_read_and_refused(void **state)
{
	struct bfd_packet p = example(), q;
	uint8_t out[BFD_PACKET_MAX] = { 0 };
	struct bfd s;

	(void)state;
	bfd_encode(&p, out);
	out[1] |= 4;
	out[3] = 24 + 7;
	out[24] = 1; /* simple password */
	out[25] = 7;
	assert_int_equal(bfd_decode(out, 31, &q), BFD_OK);
	bfd_init(&s, &fast, 9, 9, START);
	assert_int_equal(bfd_receive(&s, &q, out, 31, START), BFD_BAD_AUTH);
	assert_int_equal(s.remote_discr, 0);
	out[25] = 8; /* more than there is */
	assert_int_equal(bfd_decode(out, 31, &q), BFD_BAD_AUTH);
	out[25] = 6; /* less */
	assert_int_equal(bfd_decode(out, 31, &q), BFD_BAD_AUTH);
	out[25] = 7;
	out[24] = BFD_AUTH_SHA1;
	assert_int_equal(bfd_decode(out, 31, &q), BFD_BAD_AUTH);
}

/* ---- states: each of ours, each of the peer's ---- */

static void receive(struct bfd *s, enum bfd_state remote, int64_t now)
{
	struct bfd_packet p = example();
	uint8_t out[BFD_PACKET_MAX];
	size_t len;

	p.state = remote;
	p.poll = false;
	p.your_discr = s->local_discr;
	len = bfd_encode(&p, out);
	bfd_receive(s, &p, out, len, now);
}

static void test_every_transition(void **state)
{
	static const enum bfd_state expected[4][4] = {
		/* they say AdminDown, Down, Init, Up */
		[BFD_ADMIN_DOWN] = { BFD_ADMIN_DOWN, BFD_ADMIN_DOWN, BFD_ADMIN_DOWN,
				     BFD_ADMIN_DOWN },
		[BFD_DOWN] = { BFD_DOWN, BFD_INIT, BFD_UP, BFD_DOWN },
		[BFD_INIT] = { BFD_DOWN, BFD_INIT, BFD_UP, BFD_UP },
		[BFD_UP] = { BFD_DOWN, BFD_DOWN, BFD_UP, BFD_UP },
	};
	struct bfd s;

	(void)state;
	for (enum bfd_state ours = BFD_ADMIN_DOWN; ours <= BFD_UP; ours++) {
		for (enum bfd_state theirs = BFD_ADMIN_DOWN; theirs <= BFD_UP; theirs++) {
			bfd_init(&s, &fast, 9, 9, START);
			s.state = ours;
			receive(&s, theirs, START);
			assert_int_equal(s.state, expected[ours][theirs]);
			if (ours > BFD_DOWN && s.state == BFD_DOWN)
				assert_int_equal(s.diag, BFD_DIAG_NEIGHBOR_DOWN);
		}
	}
}

static void test_admin_down_learns_the_peer_and_hears_nothing(void **state)
{
	uint8_t out[BFD_PACKET_MAX];
	struct bfd_packet p = example();
	struct bfd s;
	size_t len;

	(void)state;
	bfd_init(&s, &fast, 9, 9, START);
	bfd_set_admin_down(&s, true, START);
	assert_int_equal(s.diag, BFD_DIAG_ADMIN_DOWN);
	len = bfd_encode(&p, out);
	assert_int_equal(bfd_receive(&s, &p, out, len, START), BFD_IS_ADMIN_DOWN);
	assert_int_equal(s.remote_discr, p.my_discr);
	assert_false(s.final_due);
	bfd_set_admin_down(&s, false, START);
	assert_int_equal(s.state, BFD_DOWN);
}

/* ---- timers ---- */

static void test_slow_until_up(void **state)
{
	struct pair p;

	(void)state;
	pair_init(&p, &fast, &fast);
	p.lost[0] = p.lost[1] = true;
	pair_run(&p, 20 * SECOND);
	assert_int_equal(p.end[0].state, BFD_DOWN);
	assert_int_equal(p.last[0].min_tx_us, BFD_SLOW_US);
	/* 0.75 to 1 s apart, and one at once */
	assert_in_range(p.sent[0], 20, 28);
}

static void test_up_and_fast(void **state)
{
	struct pair p;
	unsigned int before;

	(void)state;
	pair_init(&p, &fast, &fast);
	pair_up(&p);
	assert_int_equal(p.last[0].min_tx_us, 100 * MS);
	assert_int_equal(p.last[0].your_discr, 2002);
	assert_int_equal(p.end[0].poll, BFD_POLL_NONE);
	before = p.sent[0];
	pair_run(&p, 10 * SECOND);
	/* jitter: 75 to 100 ms apart */
	assert_in_range(p.sent[0] - before, 100, 134);
	assert_int_equal(p.end[0].downs, 0);
}

static void test_slower_side_decides(void **state)
{
	struct bfd_conf slow = { .min_tx_us = 50 * MS, .min_rx_us = 400 * MS, .mult = 5 };
	struct pair p;
	unsigned int before;

	(void)state;
	pair_init(&p, &fast, &slow);
	pair_up(&p);
	assert_int_equal(bfd_interval_us(&p.end[0]), 400 * MS);
	assert_int_equal(bfd_interval_us(&p.end[1]), 100 * MS);
	assert_int_equal(bfd_detection_us(&p.end[0]), 500 * MS);
	assert_int_equal(bfd_detection_us(&p.end[1]), 1200 * MS);
	before = p.sent[0];
	pair_run(&p, 10 * SECOND);
	assert_in_range(p.sent[0] - before, 24, 34);
}

static void test_jitter_of_a_single_packet(void **state)
{
	struct bfd_conf one = fast;
	uint8_t out[BFD_PACKET_MAX];
	int64_t now = START;
	struct bfd s;

	(void)state;
	one.mult = 1;
	bfd_init(&s, &one, 9, 9, now);
	for (int i = 0; i < 1000; i++) {
		int64_t wait;

		assert_int_not_equal(bfd_next(&s, now, out), 0);
		assert_int_equal(bfd_next(&s, now, out), 0);
		wait = bfd_due_us(&s) - now;
		assert_in_range(wait, 750 * MS, 900 * MS);
		now += wait;
	}
}

static void test_silence_is_found_in_time(void **state)
{
	struct pair p;
	int64_t silent;

	(void)state;
	pair_init(&p, &fast, &fast);
	pair_up(&p);
	p.lost[1] = true;
	silent = p.now;
	pair_run(&p, 290 * MS - 90 * MS);
	assert_int_equal(p.end[0].state, BFD_UP);
	pair_run(&p, 100 * MS);
	assert_int_equal(p.end[0].state, BFD_DOWN);
	assert_int_equal(p.end[0].diag, BFD_DIAG_EXPIRED);
	assert_in_range(p.end[0].since_us - silent, 200 * MS, 300 * MS);
	/* and the other end is told */
	assert_int_equal(p.end[1].state, BFD_DOWN);
	assert_int_equal(p.end[1].diag, BFD_DIAG_NEIGHBOR_DOWN);
	assert_int_equal(p.end[0].remote_discr, 0);
	p.lost[1] = false;
	pair_up(&p);
}

static void test_one_packet_of_three_is_enough(void **state)
{
	struct pair p;

	(void)state;
	pair_init(&p, &fast, &fast);
	pair_up(&p);
	p.keep = 3;
	pair_run(&p, 60 * (int64_t)SECOND);
	assert_int_equal(p.end[0].downs, 0);
	assert_int_equal(p.end[1].downs, 0);
}

static void test_peer_that_wants_nothing_gets_nothing(void **state)
{
	uint8_t out[BFD_PACKET_MAX];
	struct bfd_packet p = example();
	struct bfd s;
	size_t len;

	(void)state;
	bfd_init(&s, &fast, 9, 9, START);
	p.state = BFD_DOWN;
	p.min_rx_us = 0;
	p.poll = true;
	len = bfd_encode(&p, out);
	assert_int_equal(bfd_receive(&s, &p, out, len, START), BFD_OK);
	/* but each poll its answer */
	len = bfd_next(&s, START, out);
	assert_int_not_equal(len, 0);
	assert_int_equal(bfd_decode(out, len, &p), BFD_OK);
	assert_true(p.final && !p.poll);
	assert_int_equal(bfd_next(&s, START + 60 * (int64_t)SECOND, out), 0);
}

static void test_demand_mode_silences_us(void **state)
{
	uint8_t out[BFD_PACKET_MAX];
	struct bfd_packet p = example();
	struct pair pair;
	struct bfd *s = &pair.end[0];
	int64_t now;
	size_t len;

	(void)state;
	pair_init(&pair, &fast, &fast);
	pair_up(&pair);
	now = pair.now;
	p.state = BFD_UP;
	p.demand = true;
	p.poll = false;
	p.min_rx_us = 100 * MS;
	p.your_discr = s->local_discr;
	len = bfd_encode(&p, out);
	assert_int_equal(bfd_decode(out, len, &p), BFD_OK);
	p.demand = true;
	bfd_receive(s, &p, out, len, now);
	assert_int_equal(bfd_next(s, now + SECOND, out), 0);
	/* except for a poll of ours */
	bfd_configure(s,
		      &(struct bfd_conf){
			      .min_tx_us = 200 * MS, .min_rx_us = 100 * MS, .mult = 3 },
		      now);
	assert_int_not_equal(bfd_next(s, now + SECOND, out), 0);
}

/* ---- polls, sections 6.5 and 6.8.3 ---- */

static void test_slower_transmission_waits_for_the_poll(void **state)
{
	struct bfd_conf slower = { .min_tx_us = 500 * MS,
				   .min_rx_us = 100 * MS,
				   .mult = 3 };
	struct pair p;

	(void)state;
	pair_init(&p, &fast, &fast);
	pair_up(&p);
	p.lost[1] = true;
	bfd_configure(&p.end[0], &slower, p.now);
	pair_send(&p, 0);
	assert_true(p.last[0].poll);
	assert_int_equal(p.last[0].min_tx_us, 500 * MS);
	assert_int_equal(bfd_interval_us(&p.end[0]), 100 * MS);
	pair_run(&p, 100 * MS);
	assert_int_equal(bfd_interval_us(&p.end[0]), 100 * MS);
	assert_true(p.last[0].poll);
	p.lost[1] = false;
	pair_run(&p, 150 * MS);
	assert_int_equal(bfd_interval_us(&p.end[0]), 500 * MS);
	assert_int_equal(p.end[0].poll, BFD_POLL_NONE);
	pair_run(&p, 5 * SECOND);
	assert_int_equal(p.end[0].downs + p.end[1].downs, 0);
}

static void test_shorter_detection_waits_for_the_poll(void **state)
{
	struct bfd_conf slow = { .min_tx_us = 100 * MS,
				 .min_rx_us = 600 * MS,
				 .mult = 3 };
	struct pair p;

	(void)state;
	pair_init(&p, &slow, &fast);
	pair_up(&p);
	assert_int_equal(bfd_detection_us(&p.end[0]), 1800 * MS);
	p.lost[0] = true;
	bfd_configure(&p.end[0], &fast, p.now);
	pair_run(&p, 150 * MS);
	assert_int_equal(bfd_detection_us(&p.end[0]), 1800 * MS);
	p.lost[0] = false;
	pair_run(&p, 200 * MS);
	assert_int_equal(bfd_detection_us(&p.end[0]), 300 * MS);
	pair_run(&p, 5 * SECOND);
	assert_int_equal(p.end[0].downs + p.end[1].downs, 0);
}

static void test_two_changes_are_two_polls(void **state)
{
	struct bfd_conf once = { .min_tx_us = 300 * MS,
				 .min_rx_us = 100 * MS,
				 .mult = 3 };
	struct bfd_conf twice = { .min_tx_us = 800 * MS,
				  .min_rx_us = 100 * MS,
				  .mult = 3 };
	struct pair p;

	(void)state;
	pair_init(&p, &fast, &fast);
	pair_up(&p);
	p.lost[1] = true;
	bfd_configure(&p.end[0], &once, p.now);
	pair_send(&p, 0);
	bfd_configure(&p.end[0], &twice, p.now);
	assert_int_equal(p.end[0].poll, BFD_POLL_SENDING);
	p.lost[1] = false;
	/* the answer to the first poll says nothing of the second change */
	receive(&p.end[0], BFD_UP, p.now);
	assert_int_equal(bfd_interval_us(&p.end[0]), 200 * MS); /* the example's rate */
	pair_run(&p, 2 * SECOND);
	assert_int_equal(p.end[0].poll, BFD_POLL_NONE);
	assert_int_equal(bfd_interval_us(&p.end[0]), 800 * MS);
	assert_int_equal(p.end[0].downs + p.end[1].downs, 0);
}

static void test_final_answers_once_and_never_polls(void **state)
{
	uint8_t out[BFD_PACKET_MAX];
	struct bfd_packet p = example();
	struct bfd s;
	size_t len;

	(void)state;
	bfd_init(&s, &fast, 9, 9, START);
	while (bfd_next(&s, START, out))
		;
	p.state = BFD_INIT;
	len = bfd_encode(&p, out);
	bfd_receive(&s, &p, out, len, START);
	assert_int_equal(s.state, BFD_UP);
	assert_int_equal(s.poll, BFD_POLL_SENDING);
	assert_int_equal(bfd_due_us(&s), 0);
	assert_int_equal(bfd_decode(out, bfd_next(&s, START, out), &p), BFD_OK);
	assert_true(p.final && !p.poll);
	assert_int_equal(bfd_decode(out, bfd_next(&s, START, out), &p), BFD_OK);
	assert_true(!p.final && p.poll);
	assert_int_equal(bfd_next(&s, START, out), 0);
}

/* ---- authentication ---- */

static struct bfd_conf keyed(uint8_t type, const char *key)
{
	struct bfd_conf conf = fast;

	conf.auth_type = type;
	conf.key_id = 7;
	memcpy(conf.key, key, strlen(key));
	return conf;
}

static void test_keyed_sessions(void **state)
{
	static const uint8_t types[] = { BFD_AUTH_SHA1, BFD_AUTH_METICULOUS_SHA1 };
	struct bfd_conf a, b;
	struct pair p;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		a = keyed(types[i], "secret");
		pair_init(&p, &a, &a);
		pair_up(&p);
		pair_run(&p, 60 * (int64_t)SECOND);
		assert_int_equal(p.end[0].downs, 0);
		b = keyed(types[i], "guess");
		pair_init(&p, &a, &b);
		pair_run(&p, 10 * SECOND);
		assert_int_equal(p.end[0].state, BFD_DOWN);
		assert_int_equal(p.end[0].received, 0);
		pair_init(&p, &a, &fast);
		pair_run(&p, 10 * SECOND);
		assert_int_equal(p.end[0].received + p.end[1].received, 0);
	}
	a = keyed(BFD_AUTH_SHA1, "secret");
	b = keyed(BFD_AUTH_METICULOUS_SHA1, "secret");
	pair_init(&p, &a, &b);
	pair_run(&p, 10 * SECOND);
	assert_int_equal(p.end[0].received + p.end[1].received, 0);
}

static void test_replay_is_refused(void **state)
{
	struct bfd_conf conf = keyed(BFD_AUTH_METICULOUS_SHA1, "secret");
	uint8_t old[BFD_PACKET_MAX], out[BFD_PACKET_MAX];
	struct bfd_packet p;
	struct bfd a, b;
	size_t len;

	(void)state;
	bfd_init(&a, &conf, 1, 1, START);
	bfd_init(&b, &conf, 2, 2, START);
	len = bfd_next(&a, START, old);
	assert_int_equal(bfd_decode(old, len, &p), BFD_OK);
	assert_int_equal(bfd_receive(&b, &p, old, len, START), BFD_OK);
	assert_int_equal(bfd_receive(&b, &p, old, len, START), BFD_BAD_AUTH);
	len = bfd_next(&a, START + SECOND, out);
	assert_int_equal(bfd_decode(out, len, &p), BFD_OK);
	assert_int_equal(bfd_receive(&b, &p, out, len, START + SECOND), BFD_OK);
	/* a restarted peer counts anew, and is believed after the silence */
	assert_int_equal(bfd_decode(old, sizeof(old), &p), BFD_OK);
	assert_int_equal(bfd_receive(&b, &p, old, len, START + SECOND), BFD_BAD_AUTH);
	bfd_tick(&b, START + 20 * SECOND);
	assert_int_equal(bfd_receive(&b, &p, old, len, START + 20 * SECOND), BFD_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes_as_in_the_rfc),
		cmocka_unit_test(test_rules_without_a_session),
		cmocka_unit_test(test_zero_discriminators),
		cmocka_unit_test(test_foreign_authentication_is_read_and_refused),
		cmocka_unit_test(test_every_transition),
		cmocka_unit_test(test_admin_down_learns_the_peer_and_hears_nothing),
		cmocka_unit_test(test_slow_until_up),
		cmocka_unit_test(test_up_and_fast),
		cmocka_unit_test(test_slower_side_decides),
		cmocka_unit_test(test_jitter_of_a_single_packet),
		cmocka_unit_test(test_silence_is_found_in_time),
		cmocka_unit_test(test_one_packet_of_three_is_enough),
		cmocka_unit_test(test_peer_that_wants_nothing_gets_nothing),
		cmocka_unit_test(test_demand_mode_silences_us),
		cmocka_unit_test(test_slower_transmission_waits_for_the_poll),
		cmocka_unit_test(test_shorter_detection_waits_for_the_poll),
		cmocka_unit_test(test_two_changes_are_two_polls),
		cmocka_unit_test(test_final_answers_once_and_never_polls),
		cmocka_unit_test(test_keyed_sessions),
		cmocka_unit_test(test_replay_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
