/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * reach - questions and answers of the completeness probe, and who gets one.
 *
 * A question says, in UDP, from a source whose fate is to be found out: "tell
 * this address what source you saw". Question and answer have 80 bytes each:
 *
 *    0  "SAVR"
 *    4  1 question, 2 answer
 *    5  family of the address: 4 or 6
 *    6  port to answer to; of an answer 0
 *    8  milliseconds since 1970 of the question
 *   16  token, random
 *   32  address, IPv4 in its first four bytes, else 0: of a question where to
 *       answer, of an answer the source that was seen
 *   48  HMAC-SHA-256 of the 48 bytes before, by the shared key
 *
 * Nobody without the key gets an answer, nobody gets one twice, and an answer
 * is as long as its question and goes where the key's holder wants it: there is
 * nothing to amplify and nobody to aim at by a forged source. Who listens on the
 * way sees that there was a question and can do nothing with it: its repetition
 * is known as such for REACH_WINDOW_MS, and then it is old.
 *
 * Pure. Times are milliseconds since 1970.
 */
#ifndef SAV_REACH_H
#define SAV_REACH_H

#include "lib/diag.h"
#include "lib/ip.h"

#define REACH_BYTES	  80
#define REACH_TOKEN_BYTES 16
#define REACH_PORT	  2631
#define REACH_WINDOW_MS	  30000 /* by which both clocks may differ, and the way's time */

#define REACH_KEY_MIN 16
#define REACH_KEY_MAX 256
struct reach_key {
	uint8_t bytes[REACH_KEY_MAX];
	size_t len;
};
/* A file that only its owner reads, a line of 16 to 256 bytes; its end of line
 * does not count. -1 with diag. */
int reach_key_read(const char *file, struct reach_key *key, struct diag *diag);
void reach_key_wipe(struct reach_key *key);

enum reach_kind {
	REACH_QUESTION = 1,
	REACH_ANSWER = 2,
};
struct reach_message {
	enum reach_kind kind;
	uint16_t port;
	int64_t time_ms;
	uint8_t token[REACH_TOKEN_BYTES];
	struct ip_addr addr;
};
void reach_encode(const struct reach_message *m, const struct reach_key *key,
		  uint8_t out[REACH_BYTES]);

enum reach_fault {
	REACH_OK,
	REACH_MALFORMED, /* or of another kind */
	REACH_KEY,	 /* not by this key */
	REACH_OLD,	 /* outside of the window, or older than the responder */
	REACH_REPLAY,
	REACH_BUSY, /* more than the responder answers to */
	REACH_FAULTS
};
const char *reach_fault_name(enum reach_fault fault); /* as JSON names it */

/* m is whole, or untouched. */
enum reach_fault reach_decode(enum reach_kind kind, const uint8_t *data, size_t len,
			      const struct reach_key *key, struct reach_message *m);

/* ---- the responder ---- */

#define REACH_RATE    50  /* answers in a second */
#define REACH_BURST   128
#define REACH_CHECKS  2000 /* checks of a MAC in a second */
/* All that can be answered while the time of a question, at most a window ahead,
 * is not yet a window behind. */
#define REACH_SEEN 4096
_Static_assert(REACH_BURST + REACH_RATE * 2 * REACH_WINDOW_MS / 1000 < REACH_SEEN,
	       "a repetition would be forgotten before it is old");

struct reach_bucket {
	int64_t milli, at_ms; /* thousandths of a token */
};
struct reach_guard {
	int64_t since_ms;
	struct reach_bucket checks, answers;
	uint8_t seen[REACH_SEEN][REACH_TOKEN_BYTES];
	size_t n_seen, next;
	uint64_t counts[REACH_FAULTS]; /* REACH_OK: answered */
};
void reach_guard_init(struct reach_guard *g, int64_t now_ms);
/* REACH_OK: send answer to question->addr and port. All is counted. */
enum reach_fault reach_respond(struct reach_guard *g, const struct reach_key *key,
			       const uint8_t *data, size_t len, const struct ip_addr *from,
			       int64_t now_ms, struct reach_message *question,
			       uint8_t answer[REACH_BYTES]);

#endif /* SAV_REACH_H */
