/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * engine_compare - two feeds of one router, held against each other.
 *
 * A router that sends BMP and has a BGP session with savd tells its routes twice,
 * by two paths through its code. Where they differ for no known reason one of them
 * is wrong: a route is lost, or filtered on one of the two. Sets are made of both
 * (an addition by either is one), so a difference endangers none at once; it is
 * shown, and an alarm when it lasts.
 *
 * Compared in rounds, on a timer and when asked, a slice at each engine_run(): a
 * full table costs no other feed more than a moment. Every path of each feed is
 * counted once: it is in the other as well, or not for a reason, or without one.
 */
#ifndef SAV_ENGINE_COMPARE_H
#define SAV_ENGINE_COMPARE_H

#include "controller/engine.h"

enum compare_side {
	COMPARE_BMP,
	COMPARE_BGP,
};
#define COMPARE_SIDES 2

/* Why a path of one feed is not in the other. */
enum compare_kind {
	COMPARE_UNEXPLAINED,
	COMPARE_NEXT_HOP,   /* it is, under another next hop (next-hop-self, a policy) */
	COMPARE_PRE_POLICY, /* BMP shows what has not met the policy, here or there */
	COMPARE_INTERNAL,   /* of an internal session: not sent to another (RFC 4271 9.2) */
	COMPARE_BEST_ONLY,  /* the session has no add-path: it brings best paths only */
	COMPARE_LOCAL,	    /* the router's own route: BMP has those of peers */
	COMPARE_COMMUNITY,  /* NO_ADVERTISE (RFC 1997) */
	COMPARE_UNRESOLVED, /* no route to the next hop: not valid, so not sent */
	COMPARE_LOADING,    /* BMP has not told that peer's whole table */
};
#define COMPARE_KINDS 9
const char *compare_kind_text(enum compare_kind kind); /* after "N ..." */

struct compare_family {
	bool offered; /* the BGP session has this family: else nothing is compared */
	bool addpath; /* and all paths of it */
	size_t paths[COMPARE_SIDES];
	size_t both; /* paths of BMP that are in BGP */
	size_t only[COMPARE_SIDES][COMPARE_KINDS];
	bool has_fib;
	size_t not_in_fib; /* paths of BMP whose very prefix the router does not forward by */
};

struct compare_example {
	uint64_t hash; /* what it is: side, prefix, addr */
	enum compare_side side;
	struct ip_prefix prefix;
	struct ip_addr addr; /* BMP: the peer; BGP: the next hop */
	bool lasting;	     /* it was there a round ago */
	char path[96];	     /* the AS path, cut if it is long */
};
#define COMPARE_EXAMPLES 10

struct engine_compare_status {
	const char *router;
	const char *why_not; /* it cannot be compared now; NULL: it can */
	bool running, asked; /* a round is */
	bool known;	     /* there has been a whole one: what follows */
	int64_t began_ms, ended_ms;
	struct compare_family family[IP_FAMILIES];
	const struct compare_example *examples; /* of what is unexplained */
	size_t n_examples;
	size_t lasting; /* of the examples kept, those that were there a round before */
	bool alarm;	/* some have lasted two whole rounds */
};
typedef void engine_compare_fn(const struct engine_compare_status *status, void *arg);
/* Of configured routers that have any feed. */
void engine_compare_walk(const struct engine *e, engine_compare_fn *fn, void *arg);
/* A round soon: at once, or some seconds after the last one began, so that two
 * rounds do not take the same moment's delay for a difference that lasts. NULL: of
 * all routers. */
void engine_compare_ask(struct engine *e, const char *router);

#endif /* SAV_ENGINE_COMPARE_H */
