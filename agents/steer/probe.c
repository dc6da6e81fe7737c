/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/steer/probe.h"

#include <string.h>

#include "lib/rd.h"

#define ICMP_ECHO_REQUEST  8
#define ICMP_ECHO_ANSWER   0
#define ICMP6_ECHO_REQUEST 128
#define ICMP6_ECHO_ANSWER  129
#define IPV4_HEADER_MIN	   20

void probe_init(struct probe *p, const struct ip_addr *to, int64_t first_us,
		int64_t now_us)
{
	*p = (struct probe){
		.to = *to,
		.state = PROBE_WAITING,
		.due_us = first_us,
		.begun_us = now_us,
		.rtt_us = -1,
	};
}

struct probe_echo probe_next(struct probe *p, const struct probe_conf *conf,
			     uint64_t random, int64_t now_us)
{
	struct probe_echo echo = { .sequence = (uint16_t)p->sent, .token = random };

	p->ring[p->sent++ % PROBE_RING] =
		(struct probe_sent){ .token = random, .sent_us = now_us };
	p->unanswered++;
	p->due_us = now_us + conf->interval_us -
		    (int64_t)(random % (uint64_t)(conf->interval_us / 10 + 1));
	return echo;
}

void probe_sent(struct probe *p, bool sent, int64_t now_us)
{
	if (sent) {
		p->unsent_us = 0;
		return;
	}
	if (p->unsent_us == 0)
		p->unsent_us = now_us;
	if (now_us - p->unsent_us >= PROBE_UNSENT_US)
		return;
	p->sent--;
	p->unanswered--;
	/* the time for the first answer begins with the first request */
	if (p->sent == 0)
		p->begun_us = now_us;
}

/* The request with this token, counted from the first; the sequence number on
 * the wire says only where to look. */
static bool find(const struct probe *p, const struct probe_echo *echo, uint64_t *n)
{
	uint16_t back = (uint16_t)((uint16_t)p->sent - echo->sequence);

	if (back == 0 || back > PROBE_RING || back > p->sent)
		return false;
	*n = p->sent - back;
	return p->ring[*n % PROBE_RING].token == echo->token &&
	       !p->ring[*n % PROBE_RING].answered;
}

bool probe_answer(struct probe *p, const struct probe_echo *echo, uint32_t need,
		  int64_t now_us)
{
	struct probe_sent *sent;
	uint64_t n;

	if (!find(p, echo, &n))
		return false;
	sent = &p->ring[n % PROBE_RING];
	sent->answered = true;
	p->rtt_us = now_us - sent->sent_us;
	p->row = p->received > 0 && n == p->row_last + 1 ? p->row + 1 : 1;
	p->row_last = n;
	p->received++;
	p->answered_us = now_us;
	p->unanswered = 0;
	if (p->state == PROBE_WAITING || p->row >= need)
		p->state = PROBE_ALIVE;
	return true;
}

/* So many requests must have had no answer: when the process had no time to
 * send, silence proves nothing. */
static uint32_t enough(const struct probe_conf *conf)
{
	int64_t n = conf->timeout_us / conf->interval_us;

	return n < 1 ? 1 : (uint32_t)n;
}

static int64_t silent_at(const struct probe *p, const struct probe_conf *conf)
{
	if (p->state == PROBE_WAITING)
		return p->begun_us + conf->patience_us;
	return p->answered_us + conf->timeout_us;
}

void probe_tick(struct probe *p, const struct probe_conf *conf, int64_t now_us)
{
	if (p->state != PROBE_WAITING && p->state != PROBE_ALIVE)
		return;
	if (now_us >= silent_at(p, conf) && p->unanswered >= enough(conf))
		p->state = p->state == PROBE_ALIVE ? PROBE_SILENT : PROBE_NEVER;
}

void probe_forget(struct probe *p)
{
	p->row = 0;
	if (p->state == PROBE_ALIVE)
		p->state = PROBE_SILENT;
}

int64_t probe_due_us(const struct probe *p, const struct probe_conf *conf)
{
	int64_t silent;

	if ((p->state != PROBE_WAITING && p->state != PROBE_ALIVE) ||
	    p->unanswered < enough(conf))
		return p->due_us;
	silent = silent_at(p, conf);
	return silent < p->due_us ? silent : p->due_us;
}

int probe_loss(const struct probe *p, const struct probe_conf *conf, int64_t now_us)
{
	uint64_t n = p->sent < PROBE_RING ? p->sent : PROBE_RING;
	unsigned int lost = 0, all = 0;

	for (uint64_t i = 0; i < n; i++) {
		const struct probe_sent *sent = &p->ring[i];

		if (!sent->answered && now_us - sent->sent_us < conf->timeout_us)
			continue;
		all++;
		lost += !sent->answered;
	}
	return all ? (int)(100 * lost / all) : -1;
}

/* ---- bytes ---- */

/* RFC 1071; the length is even. */
static uint16_t checksum(const uint8_t *data, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i += 2)
		sum += (uint32_t)data[i] << 8 | data[i + 1];
	sum = (sum >> 16) + (sum & 0xffff);
	return (uint16_t) ~(sum + (sum >> 16));
}

void probe_encode(enum ip_family family, const struct probe_echo *echo,
		  uint8_t out[PROBE_ECHO_BYTES])
{
	uint16_t sum;

	memset(out, 0, PROBE_ECHO_BYTES);
	out[0] = family == IP_V4 ? ICMP_ECHO_REQUEST : ICMP6_ECHO_REQUEST;
	out[4] = (uint8_t)(echo->ident >> 8);
	out[5] = (uint8_t)echo->ident;
	out[6] = (uint8_t)(echo->sequence >> 8);
	out[7] = (uint8_t)echo->sequence;
	for (int i = 0; i < 8; i++)
		out[8 + i] = (uint8_t)(echo->token >> (56 - 8 * i));
	if (family != IP_V4)
		return;
	sum = checksum(out, PROBE_ECHO_BYTES);
	out[2] = (uint8_t)(sum >> 8);
	out[3] = (uint8_t)sum;
}

bool probe_decode(enum ip_family family, const uint8_t *data, size_t len,
		  struct probe_echo *echo)
{
	struct rd rd = rd_init(data, len);
	uint8_t type, code;

	if (family == IP_V4) {
		size_t header = (rd_u8(&rd) & 0xf) * 4u;

		if (header < IPV4_HEADER_MIN)
			return false;
		rd_skip(&rd, header - 1);
	}
	type = rd_u8(&rd);
	code = rd_u8(&rd);
	rd_skip(&rd, 2); /* the kernel has checked the sum */
	echo->ident = rd_be16(&rd);
	echo->sequence = rd_be16(&rd);
	echo->token = rd_be64(&rd);
	return rd_done(&rd) && code == 0 &&
	       type == (family == IP_V4 ? ICMP_ECHO_ANSWER : ICMP6_ECHO_ANSWER);
}
