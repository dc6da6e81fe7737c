/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * south_fixture - a recording engine and agents of a few lines, in virtual time.
 */
#ifndef SAV_SOUTH_FIXTURE_H
#define SAV_SOUTH_FIXTURE_H

/* cmocka wants these before it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "controller/south/south.h"
#include "lib/frame.h"

#define FAKE_EPOCH 77
#define FAKE_WALL  1800000000 /* time of day */

/* The engine's side. */
struct fake {
	unsigned int up, down, acks, errors, inventories, counters, wakes, notes;
	bool certificate_bad, token_good, issue_fails, record_fails;
	bool cut_on_inventory;
	unsigned int relays, relays_closed;
	char relay_router[AGENT_NAME_SIZE];
	struct south_session *relay_session;
	struct wr relay; /* bytes of BMP */
	uint64_t relay_waiting;
	bool relay_refused, relay_bad, redump_on_bmp;
	enum pki_kind kind;
	char down_why[256], last_error[256], last_note[512];
	struct pki_key *ca_key;
	struct wr ca;
	int64_t now;
	struct south *s;
};

struct fake *fake_new(void);
void fake_free(struct fake *f);
/* Of zero to two prefixes. */
struct filter fake_filter(const char *interface, uint64_t generation, const char *first,
			  const char *second);
/* The engine wants this of router r1. */
void fake_want(struct fake *f, const char *interface, uint64_t generation,
	       const char *first, const char *second);
/* Of the first edge of r1. */
struct south_edge_status fake_status(struct fake *f);

struct agent {
	struct fake *f;
	struct south_session *ss;
	struct frame_in *in;
	struct agent_msg got; /* the last message received */
	struct filter held;   /* of one edge */
	uint8_t hash[FILTER_HASH_SIZE];
};

/* A connection whose TLS handshake is done; name NULL: without a certificate. */
void agent_open(struct agent *a, struct fake *f, const char *name, enum pki_kind kind);
void agent_close(struct agent *a);
/* A new connection of the same agent, which keeps what it holds. */
void agent_reopen(struct agent *a, const char *name);
void agent_say(struct agent *a, const struct agent_msg *msg);
/* The next message from the controller, or AGENT_MSG_UNKNOWN: none. */
enum agent_msg_type agent_receive(struct agent *a);
/* Skips keepalives; any other message than this one fails the test. */
void agent_expect(struct agent *a, enum agent_msg_type type);
/* Says what it holds, of that epoch, and hears Welcome. */
void agent_hello(struct agent *a, uint64_t epoch);
/* Applies the Filter in a->got as an agent does, checking base and hash. */
void agent_apply(struct agent *a);
void agent_ack(struct agent *a, const char *error);

#endif /* SAV_SOUTH_FIXTURE_H */
