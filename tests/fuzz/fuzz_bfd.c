/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * BFD: packets of any bytes reach a session; what is taken is encoded as the same
 * again, and the session keeps the rules that its timers depend on. The input is
 * a row of (length, milliseconds since the one before, bytes).
 */
#include <string.h>

#include "agents/steer/bfd.h"
#include "tests/fuzz/fuzz_assert.h"

static void encodes_the_same(const struct bfd_packet *p)
{
	uint8_t out[BFD_PACKET_MAX];
	struct bfd_packet q;
	size_t len = bfd_encode(p, out);

	if (p->auth.type && len == BFD_HEADER_BYTES)
		return; /* a type that we do not write */
	HOLDS(bfd_decode(out, len, &q) == BFD_OK);
	HOLDS(q.my_discr == p->my_discr && q.your_discr == p->your_discr);
	HOLDS(q.state == p->state && q.diag == p->diag && q.mult == p->mult);
	HOLDS(q.min_tx_us == p->min_tx_us && q.min_rx_us == p->min_rx_us);
	HOLDS(q.poll == p->poll && q.final == p->final && q.demand == p->demand);
}

/* What it sends is valid, and the queue of what is to be sent has an end. */
static void sends(struct bfd *s, int64_t now)
{
	uint8_t out[BFD_PACKET_MAX];
	struct bfd_packet p;
	size_t len;
	int i;

	for (i = 0; i < 4 && (len = bfd_next(s, now, out)) > 0; i++) {
		HOLDS(bfd_decode(out, len, &p) == BFD_OK);
		HOLDS(!(p.poll && p.final));
	}
	HOLDS(i < 4);
	HOLDS(bfd_due_us(s) > 0);
}

static void session(const struct bfd_conf *conf, const uint8_t *data, size_t size)
{
	int64_t now = 1000000;
	struct bfd_packet p;
	struct bfd s;

	bfd_init(&s, conf, 1, 1, now);
	while (size >= 2) {
		size_t len = data[0] % 64u;

		now += data[1] * 1000;
		data += 2;
		size -= 2;
		len = len < size ? len : size;
		bfd_tick(&s, now);
		if (bfd_decode(data, len, &p) == BFD_OK) {
			encodes_the_same(&p);
			bfd_receive(&s, &p, data, len, now);
		}
		HOLDS(s.state == BFD_UP || s.tx_used_us >= BFD_SLOW_US);
		HOLDS(s.tx_used_us <= s.tx_advertised_us);
		sends(&s, now);
		data += len;
		size -= len;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bfd_conf conf = { .min_tx_us = 100000, .min_rx_us = 50000, .mult = 3 };

	session(&conf, data, size);
	conf.auth_type = BFD_AUTH_SHA1;
	session(&conf, data, size);
	return 0;
}
