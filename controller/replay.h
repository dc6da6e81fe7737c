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

#include "controller/feed/observed.h"
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
	uint32_t number; /* of the router in the rib */
	/* of the last reading */
	uint64_t bytes, records; /* decompressed; messages or records */
	uint64_t announced, withdrawn, unusable; /* prefixes */
	uint64_t damaged;			 /* messages, records, gaps */
	double unpack_s, load_s;
};

/* Sources seen on an edge. */
struct replay_traffic {
	const char *router, *interface; /* NULL: the only edge */
	const char *path;
	struct observed *seen; /* with the first file of the edge */
};

struct replay {
	struct config cfg;
	const char *config_path;
	struct rib *rib;
	const char **routers; /* names, by number in the rib */
	size_t n_routers;
	struct replay_input *inputs;
	size_t n_inputs;
	struct sets_source *sources; /* after replay_sources() */
	size_t n_sources;
	struct ip_addr *explain;
	size_t n_explain;
	struct replay_traffic *traffic;
	size_t n_traffic;
	size_t top;		/* how much of each list is printed */
	struct replay *what_if; /* the same routes under another policy, or NULL */
	struct sets_pass *pass; /* after replay_sources() */
	bool compares; /* messages name the configuration */
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

/* Which edges, then what was seen on them. */
void replay_traffic_check(struct replay *r);
void replay_traffic_read(struct replay *r);

/* What drops an address, and which mode would not. */
struct replay_why {
	const char *step; /* the words of savd's explain */
	struct ip_prefix prefix;
	bool has_prefix;
	char text[512];
};
/* Of addresses that the edge drops; they ascend by family and value. */
void replay_why(struct replay *r, size_t edge, const struct ip_addr *addrs, size_t n,
		struct replay_why *out);
struct replay_judgement {
	struct replay_why why;
	unsigned int admits; /* bits, see remedy.h */
	bool has_record;     /* the edge has a customer */
};
/* The addresses may be in any order. */
void replay_judge(struct replay *r, size_t edge, const struct ip_addr *addrs, size_t n,
		  struct replay_judgement *out);
/* what: the prefix that a statement would name. */
void replay_judge_text(const struct replay_judgement *j, const struct ip_prefix *what);
void replay_judge_json(const struct replay_judgement *j, const struct ip_prefix *what);

/* What r->what_if would change, and what of the traffic it or r would drop. */
void replay_what_if(struct replay *r);
void replay_observed(struct replay *r);

void replay_print(struct replay *r, struct sets_pass *pass);
/* r->explain[], as text or as the member "explain" of the JSON object. */
void replay_explain(struct replay *r, struct sets_pass *pass);
/* One JSON object on stderr. */
void replay_bench(struct replay *r);

/* A JSON string, quotes included. */
void replay_put_string(FILE *out, const char *text);

#endif /* SAV_REPLAY_H */
