/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/steer/bfd.h"

#include <string.h>

#include "lib/digest.h"

#define NEVER INT64_MAX

static uint32_t max32(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

/* xorshift64*: spreads packets, guards nothing. */
static uint32_t random_below(struct bfd *s, uint32_t bound)
{
	s->random ^= s->random >> 12;
	s->random ^= s->random << 25;
	s->random ^= s->random >> 27;
	return (uint32_t)((s->random * 0x2545f4914f6cdd1dULL) >> 32) % bound;
}

uint32_t bfd_interval_us(const struct bfd *s)
{
	return max32(s->tx_used_us, s->remote_min_rx_us);
}

uint64_t bfd_detection_us(const struct bfd *s)
{
	return (uint64_t)s->remote_mult * max32(s->rx_used_us, s->remote_min_tx_us);
}

/* ---- timers, sections 6.8.2, 6.8.3 and 6.8.7 ---- */

/* Section 6.8.7: 75 to 100 % of the interval; to 90 % where one loss is too many. */
static int64_t jittered(struct bfd *s)
{
	uint32_t interval = bfd_interval_us(s), quarter = interval / 4;
	uint32_t most = s->conf.mult == 1 ? quarter - interval / 10 : quarter;

	return interval - quarter + random_below(s, most + 1);
}

static bool may_transmit(const struct bfd *s)
{
	if (s->remote_min_rx_us == 0)
		return false;
	return !(s->remote_demand && s->state == BFD_UP && s->remote_state == BFD_UP &&
		 s->poll != BFD_POLL_SENDING);
}

/* A new interval counts from the last packet. */
static void reschedule(struct bfd *s)
{
	s->send_due_us = s->sent_us + jittered(s);
}

static void poll_begin(struct bfd *s)
{
	if (s->poll == BFD_POLL_NONE)
		s->poll = BFD_POLL_SENDING;
	else
		s->poll_again = true;
}

/* What we advertise follows from the configuration and the state. */
static void times_changed(struct bfd *s)
{
	uint32_t tx = s->conf.min_tx_us, rx = s->conf.min_rx_us,
		 before = bfd_interval_us(s);

	if (s->state != BFD_UP)
		tx = max32(tx, BFD_SLOW_US);
	if (tx == s->tx_advertised_us && rx == s->rx_advertised_us)
		return;
	/* the peer first has to know that packets will come more rarely, or that
	 * it has to send more often */
	if (s->state != BFD_UP || tx <= s->tx_used_us)
		s->tx_used_us = tx;
	if (s->state != BFD_UP || rx >= s->rx_used_us)
		s->rx_used_us = rx;
	s->tx_advertised_us = tx;
	s->rx_advertised_us = rx;
	s->send_now = true;
	poll_begin(s);
	if (bfd_interval_us(s) != before)
		reschedule(s);
}

static void poll_end(struct bfd *s)
{
	uint32_t before = bfd_interval_us(s);

	s->poll = s->poll_again ? BFD_POLL_AGAIN : BFD_POLL_NONE;
	s->poll_again = false;
	if (s->poll == BFD_POLL_AGAIN)
		return;
	s->tx_used_us = s->tx_advertised_us;
	s->rx_used_us = s->rx_advertised_us;
	if (bfd_interval_us(s) != before)
		reschedule(s);
}

/* ---- state ---- */

static void set_state(struct bfd *s, enum bfd_state state, uint8_t diag, int64_t now_us)
{
	if (s->state == BFD_UP)
		s->downs++;
	if (state == BFD_UP)
		s->ups++;
	s->state = state;
	s->diag = diag;
	s->since_us = now_us;
	s->send_now = true;
	times_changed(s);
}

void bfd_init(struct bfd *s, const struct bfd_conf *conf, uint32_t discr, uint64_t seed,
	      int64_t now_us)
{
	*s = (struct bfd){
		.conf = *conf,
		.state = BFD_DOWN,
		.remote_state = BFD_DOWN,
		.local_discr = discr,
		.remote_min_rx_us = 1,
		.tx_advertised_us = max32(conf->min_tx_us, BFD_SLOW_US),
		.rx_advertised_us = conf->min_rx_us,
		.heard_us = -1,
		.since_us = now_us,
		.sent_us = now_us,
		.send_now = true,
		.random = seed ? seed : 1,
		.auth_sent = (uint32_t)seed,
	};
	s->tx_used_us = s->tx_advertised_us;
	s->rx_used_us = s->rx_advertised_us;
	reschedule(s);
}

void bfd_configure(struct bfd *s, const struct bfd_conf *conf, int64_t now_us)
{
	(void)now_us;
	if (conf->mult != s->conf.mult)
		s->send_now = true;
	s->conf = *conf;
	times_changed(s);
}

void bfd_set_admin_down(struct bfd *s, bool down, int64_t now_us)
{
	if (down && s->state != BFD_ADMIN_DOWN)
		set_state(s, BFD_ADMIN_DOWN, BFD_DIAG_ADMIN_DOWN, now_us);
	else if (!down && s->state == BFD_ADMIN_DOWN)
		set_state(s, BFD_DOWN, BFD_DIAG_NONE, now_us);
}

/* ---- authentication, section 6.7.4 ---- */

static void auth_digest(const struct bfd_conf *conf, const uint8_t *data, size_t len,
			uint8_t out[BFD_SHA1_BYTES])
{
	uint8_t copy[BFD_PACKET_MAX];

	memcpy(copy, data, len);
	memcpy(copy + len - BFD_SHA1_BYTES, conf->key, BFD_SHA1_BYTES);
	digest_sha1(copy, len, out);
}

static bool auth_accepts(struct bfd *s, const struct bfd_packet *p, const uint8_t *data)
{
	uint32_t first = s->conf.auth_type == BFD_AUTH_METICULOUS_SHA1;
	uint32_t ahead = p->auth.sequence - s->auth_received; /* circular */
	uint8_t digest[BFD_SHA1_BYTES];

	if (p->auth.type != s->conf.auth_type)
		return false;
	if (p->auth.type == 0)
		return true;
	if (p->auth.key_id != s->conf.key_id)
		return false;
	if (s->auth_known && (ahead < first || ahead > 3u * p->mult))
		return false;
	/* the decoder has seen that length and type fit together */
	auth_digest(&s->conf, data, BFD_PACKET_MAX, digest);
	if (!digest_equal(digest, p->auth.digest, sizeof(digest)))
		return false;
	s->auth_known = true;
	s->auth_received = p->auth.sequence;
	return true;
}

/* ---- reception, section 6.8.6 ---- */

static void remote_values(struct bfd *s, const struct bfd_packet *p)
{
	uint32_t before = bfd_interval_us(s);

	s->remote_discr = p->my_discr;
	s->remote_state = p->state;
	s->remote_diag = p->diag;
	s->remote_demand = p->demand;
	s->remote_min_rx_us = p->min_rx_us;
	s->remote_min_tx_us = p->min_tx_us;
	s->remote_mult = p->mult;
	if (p->final && s->poll == BFD_POLL_SENDING) {
		poll_end(s);
	} else if (!p->final && s->poll == BFD_POLL_AGAIN) {
		s->poll = BFD_POLL_SENDING;
		s->send_now = true;
	}
	if (bfd_interval_us(s) != before)
		reschedule(s);
}

static void state_by(struct bfd *s, enum bfd_state remote, int64_t now_us)
{
	if (remote == BFD_ADMIN_DOWN) {
		if (s->state != BFD_DOWN)
			set_state(s, BFD_DOWN, BFD_DIAG_NEIGHBOR_DOWN, now_us);
		return;
	}
	switch (s->state) {
	case BFD_ADMIN_DOWN:
		break;
	case BFD_DOWN:
		if (remote == BFD_DOWN)
			set_state(s, BFD_INIT, BFD_DIAG_NONE, now_us);
		else if (remote == BFD_INIT)
			set_state(s, BFD_UP, BFD_DIAG_NONE, now_us);
		break;
	case BFD_INIT:
		if (remote == BFD_INIT || remote == BFD_UP)
			set_state(s, BFD_UP, BFD_DIAG_NONE, now_us);
		break;
	case BFD_UP:
		if (remote == BFD_DOWN)
			set_state(s, BFD_DOWN, BFD_DIAG_NEIGHBOR_DOWN, now_us);
		break;
	}
}

enum bfd_error bfd_receive(struct bfd *s, const struct bfd_packet *p, const uint8_t *data,
			   size_t len, int64_t now_us)
{
	if (p->auth.type && len < BFD_PACKET_MAX && s->conf.auth_type)
		return BFD_BAD_AUTH;
	if (!auth_accepts(s, p, data))
		return BFD_BAD_AUTH;
	remote_values(s, p);
	if (s->state == BFD_ADMIN_DOWN)
		return BFD_IS_ADMIN_DOWN;
	state_by(s, p->state, now_us);
	s->final_due = s->final_due || p->poll;
	s->heard_us = now_us;
	s->received++;
	return BFD_OK;
}

/* ---- time ---- */

static int64_t detection_due(const struct bfd *s)
{
	if (s->heard_us < 0 || s->remote_mult == 0)
		return NEVER;
	return s->heard_us + (int64_t)bfd_detection_us(s);
}

void bfd_tick(struct bfd *s, int64_t now_us)
{
	/* section 6.8.1: the next peer may be another one */
	if (s->auth_known && s->heard_us >= 0 &&
	    now_us >= s->heard_us + 2 * (int64_t)bfd_detection_us(s))
		s->auth_known = false;
	if (s->remote_discr == 0 || now_us < detection_due(s))
		return;
	s->remote_discr = 0;
	if (s->state == BFD_INIT || s->state == BFD_UP)
		set_state(s, BFD_DOWN, BFD_DIAG_EXPIRED, now_us);
}

int64_t bfd_due_us(const struct bfd *s)
{
	int64_t due = s->remote_discr ? detection_due(s) : NEVER;

	if (s->final_due)
		return 0;
	if (!may_transmit(s))
		return due;
	if (s->send_now)
		return 0;
	return s->send_due_us < due ? s->send_due_us : due;
}

/* ---- transmission, section 6.8.7 ---- */

static size_t build(struct bfd *s, bool final, uint8_t out[BFD_PACKET_MAX])
{
	struct bfd_packet p = {
		.diag = s->diag,
		.state = s->state,
		.poll = !final && s->poll == BFD_POLL_SENDING,
		.final = final,
		.mult = s->conf.mult,
		.my_discr = s->local_discr,
		.your_discr = s->remote_discr,
		.min_tx_us = s->tx_advertised_us,
		.min_rx_us = s->rx_advertised_us,
		.auth = { .type = s->conf.auth_type, .key_id = s->conf.key_id },
	};
	size_t len;

	/* keyed SHA1 may, meticulous must count each packet */
	p.auth.sequence = ++s->auth_sent;
	len = bfd_encode(&p, out);
	if (p.auth.type)
		auth_digest(&s->conf, out, len, out + len - BFD_SHA1_BYTES);
	s->transmitted++;
	return len;
}

size_t bfd_next(struct bfd *s, int64_t now_us, uint8_t out[BFD_PACKET_MAX])
{
	if (s->final_due) {
		/* tells as much as a periodic one, but may not carry P */
		s->final_due = false;
		return build(s, true, out);
	}
	if (!may_transmit(s)) {
		s->send_now = false;
		return 0;
	}
	if (!s->send_now && now_us < s->send_due_us)
		return 0;
	s->send_now = false;
	s->sent_us = now_us;
	reschedule(s);
	return build(s, false, out);
}
