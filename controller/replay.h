/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * replay - the parts of sav-replay: recorded feeds and a configuration in,
 * computed sets, explanations and timings out.
 *
 * The same decoders, RIB and set computation as savd, with no hold-down, no
 * brake and all peers complete. What is printed is a contract: sav-replay(8).
 */
#ifndef SAV_REPLAY_H
#define SAV_REPLAY_H

#include <stdio.h>

#include "controller/policy/config.h"
#include "controller/rib/rib.h"
#include "controller/sets/sets.h"

enum replay_kind {
	REPLAY_BMP,
	REPLAY_MRT,
};

struct replay_input {
	enum replay_kind kind;
	const char *router; /* NULL: the only one */
	const char *path;
	/* of the last reading */
	uint64_t bytes, records; /* decompressed; messages or records */
	uint64_t announced, withdrawn, unusable; /* prefixes */
	uint64_t damaged;			 /* messages, records, gaps */
	double unpack_s, load_s;
};

struct replay {
	struct config cfg;
	struct rib *rib;
	struct replay_input *inputs;
	size_t n_inputs;
	struct sets_source *sources; /* after replay_sources() */
	size_t n_sources;
	struct ip_addr *explain;
	size_t n_explain;
	bool json, bench;
	bool failed; /* replay_complain() was called */
};

double replay_seconds(void); /* of a monotonic clock */
void replay_complain(struct replay *r, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Into r->rib; what is wrong with the input goes to stderr. */
int replay_read(struct replay *r, struct replay_input *in);
/* Peers to edges; those on no edge are reported. */
void replay_sources(struct replay *r);

void replay_print(struct replay *r, struct sets_pass *pass);
/* r->explain[], as text or as the member "explain" of the JSON object. */
void replay_explain(struct replay *r, struct sets_pass *pass);
/* One JSON object on stderr. */
void replay_bench(struct replay *r);

/* A JSON string, quotes included. */
void replay_put_string(FILE *out, const char *text);

#endif /* SAV_REPLAY_H */
