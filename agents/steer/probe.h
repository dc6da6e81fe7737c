/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * probe - does one address answer? ICMP echo requests, counted in and out.
 *
 * Pure: the owner sends what probe_next() gives when probe_due_us() has come,
 * hands over answers, and reads the state. Each request has a random number of
 * 64 bits, which an answer must return while it is one of the last PROBE_RING:
 * who does not see the requests cannot answer them.
 *
 * Cost: 36 bytes IPv4 or 56 bytes IPv6 on the wire, each way, for each probe.
 *
 * Times are microseconds of any clock that does not go back.
 */
#ifndef SAV_PROBE_H
#define SAV_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/ip.h"

#define PROBE_RING	 64 /* requests that may be answered */
#define PROBE_ECHO_BYTES 16 /* ICMP header, and the random number */
#define PROBE_UNSENT_US	 10000000

enum probe_state {
	PROBE_WAITING, /* for the first answer, or the time for it */
	PROBE_ALIVE,
	PROBE_SILENT, /* has answered once, and does not now */
	PROBE_NEVER,  /* has not, in the time that it had */
};

struct probe_conf {
	int64_t interval_us;
	int64_t timeout_us;  /* without an answer: silent */
	int64_t patience_us; /* for the first answer */
};

struct probe {
	struct ip_addr to;
	enum probe_state state;
	int64_t due_us, begun_us;
	int64_t answered_us; /* the last one */
	int64_t rtt_us;	     /* the last one; -1: none */
	uint64_t sent, received;
	int64_t unsent_us;   /* since when nothing can be sent; 0: it can */
	uint32_t unanswered; /* sent since the last answer */
	uint32_t row;	     /* answers to requests in a row, up to now */
	uint64_t row_last;   /* the last of them */
	struct probe_sent {
		uint64_t token;
		int64_t sent_us;
		bool answered;
	} ring[PROBE_RING]; /* request n at n % PROBE_RING */
};

struct probe_echo {
	uint16_t ident, sequence;
	uint64_t token;
};

void probe_init(struct probe *p, const struct ip_addr *to, int64_t first_us,
		int64_t now_us);
/* A request to send now. random is fresh: its low bits move the next one by up to
 * a tenth of the interval, for probes of many paths not to march in step. */
struct probe_echo probe_next(struct probe *p, const struct probe_conf *conf,
			     uint64_t random, int64_t now_us);
/* What became of the request that probe_next() has just given. One that has not left
 * this machine is not lost; but what cannot be asked for PROBE_UNSENT_US in a row
 * is as silent as any other. */
void probe_sent(struct probe *p, bool sent, int64_t now_us);
/* False: no answer to any request that is open. need: answers in a row until one
 * that was silent is alive. */
bool probe_answer(struct probe *p, const struct probe_echo *echo, uint32_t need,
		  int64_t now_us);
/* Silent by now? */
void probe_tick(struct probe *p, const struct probe_conf *conf, int64_t now_us);
/* The way to it was gone: it has to prove that it is there, as after a silence. */
void probe_forget(struct probe *p);
/* When the state may change or a request is due. */
int64_t probe_due_us(const struct probe *p, const struct probe_conf *conf);
/* Of the last requests that had their time: percent without an answer; -1: none. */
int probe_loss(const struct probe *p, const struct probe_conf *conf, int64_t now_us);

/* ICMP, or ICMPv6, whose checksum the kernel makes. */
void probe_encode(enum ip_family family, const struct probe_echo *echo,
		  uint8_t out[PROBE_ECHO_BYTES]);
/* An echo reply as a raw socket gives it: IPv4 with the IP header. */
bool probe_decode(enum ip_family family, const uint8_t *data, size_t len,
		  struct probe_echo *echo);

#endif /* SAV_PROBE_H */
