/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A whole IKE engine with a state, and a peer that the input makes: messages that
 * are delivered, lost, doubled, damaged; made up in the clear; and made up under
 * the right keys, which is what a peer that proved itself can send. At the end
 * time passes, and nothing is left but what belongs to SAs that are up.
 *
 * The input is a list of steps, each a byte and what it takes.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "lib/rd.h"
#include "tests/fuzz/fuzz_assert.h"
#include "tests/ladder/ladder.h"

#define STEPS_MAX 200

static void in_the_clear(struct rd *rd)
{
	uint8_t to = rd_u8(rd) & 1;
	size_t len = rd_be16(rd) % 2048;
	struct rd body = rd_sub(rd, len < rd_left(rd) ? len : rd_left(rd));

	ladder_inject(to, body.p, rd_left(&body), 0);
}

/* A chain of payloads from the input, sealed by one end for the other. */
static void under_keys(struct rd *rd)
{
	uint8_t from = rd_u8(rd), exchange = rd_u8(rd), flags = rd_u8(rd), id = rd_u8(rd), first = rd_u8(rd);
	size_t len = rd_be16(rd) % 2048;
	struct rd body = rd_sub(rd, len < rd_left(rd) ? len : rd_left(rd));
	struct ike_sa *sa = ladder_sa(from & 1, from >> 1 & 3);
	struct ike_header header;
	struct ike_writer chain;

	if (!sa)
		return;
	ike_writer_init(&chain);
	chain.first = first;
	wr_bytes(&chain.wr, body.p, rd_left(&body));
	/* mostly what can be: the four exchanges, the number that is next */
	header = sa_header(sa, exchange < 128 ? IKE_SA_INIT + exchange % 4 : exchange, flags & 1, 0);
	header.id = id < 200 ? (flags & 1 ? sa->recv_id - 1 : sa->next_id) + id % 3 : id;
	if (flags & 2)
		header.flags ^= flags >> 2;
	ladder_forge(from & 1, sa, &header, &chain);
	ike_writer_fini(&chain);
}

static void twice(void)
{
	struct datagram d = ladder.wire[0];

	d.data = mem_dup(d.data, d.len);
	ladder_deliver(0);
	if (ladder.n_wire < LADDER_WIRE_MAX)
		ladder.wire[ladder.n_wire++] = d;
	else
		free(d.data);
}

static void damaged(struct rd *rd)
{
	uint16_t at = rd_be16(rd);
	uint8_t value = rd_u8(rd);

	ladder.wire[0].data[at % ladder.wire[0].len] ^= value;
	ladder_deliver(0);
}

static void command(uint8_t what)
{
	struct end *e = &ladder.ends[what & 1];
	struct ike_path path = { .link = 1, .local = e->at, .remote = ladder.ends[!(what & 1)].at };
	struct diag diag;

	switch (what >> 1 & 3) {
	case 0:
		(void)ike_engine_up(e->engine, "t", &path, ladder.now, &diag);
		break;
	case 1:
		(void)ike_engine_rekey(e->engine, "t", true, ladder.now, &diag);
		break;
	case 2:
		(void)ike_engine_rekey(e->engine, "t", false, ladder.now, &diag);
		break;
	default:
		(void)ike_engine_down(e->engine, "t", ladder.now, &diag);
	}
}

static void step(struct rd *rd)
{
	uint8_t what = rd_u8(rd);

	if (what % 8 < 4 && ladder.n_wire == 0) {
		ladder_run();
		return;
	}
	switch (what % 8) {
	case 0:
		ladder_deliver((what >> 3) % ladder.n_wire);
		break;
	case 1:
		ladder_drop((what >> 3) % ladder.n_wire);
		break;
	case 2:
		twice();
		break;
	case 3:
		damaged(rd);
		break;
	case 4:
		ladder.now += (uint64_t)(what >> 3) * (what >> 3) * 200;
		ladder_run();
		break;
	case 5:
		in_the_clear(rd);
		break;
	case 6:
		under_keys(rd);
		break;
	default:
		command(what >> 3);
	}
}

/* Half-open SAs go with time, and with them all that was kept for them. */
static void let_time_pass(void)
{
	for (unsigned int i = 0; i < 40; i++) {
		ladder.now += 30000;
		ladder_run();
		while (ladder.n_wire > 0)
			ladder_drop(0);
	}
	for (unsigned int i = 0; i < 2; i++) {
		HOLDS(ladder_counters(i).half_open == 0);
		HOLDS(ladder_counters(i).sas > 0 || ladder.ends[i].n_kids == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd rd = rd_init(data, size);

	srandom(1);
	ladder_begin(NULL);
	command(0);
	for (unsigned int i = 0; i < STEPS_MAX && rd_left(&rd) > 0; i++)
		step(&rd);
	while (ladder.n_wire > 0)
		ladder_drop(0);
	let_time_pass();
	ladder_end();
	return 0;
}
