/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * lab - the engine in virtual time, driven by scripts. After each run of it its
 * sets are compared with those from scratch.
 *
 * One command a line, words separated by blanks; an empty line or one that
 * begins with # is passed over. Times are seconds. Nothing but wait, run and
 * jump lets the engine work.
 *
 *   router R                             source R ADDRESS
 *   feed R WORD VALUE                    stats, redump (seconds); exclude, no-exclude
 *                                        (an address, or bgp)
 *   customer C [PREFIX...]               own PREFIX, no-own PREFIX
 *   max-paths N                          of one peer; 0: the default
 *   edge R I ROLE [MODE] [enforce]       no-edge R I
 *   set R I WORD VALUE                   role, mode, action, customer, peer, no-peer,
 *                                        prefix, no-prefix, holddown, brake ("-": none), growth,
 *                                        stale (after 3600 s)
 *   inventory R [I=ADDRESS[/LEN]...]     an interface may come several times; /24
 *   fib R [PREFIX=I[,I...]...]           the whole forwarding table; x: a blackhole
 *   route R PREFIX=...                   a change of it; -: the route is gone
 *   restore R I ACTION GENERATION [PREFIX...]
 *
 *   connect R [ADDRESS]                  a BMP stream with its Initiation message
 *   open R [ADDRESS]                     a stream that says nothing yet
 *   init R NAME                          an Initiation message under that name
 *   up R PEER LOCAL [AS [ROLE [restart]]] Peer Up; AS 64500 is our own: iBGP; ROLE is
 *                                        the number that RFC 9234 gives the peer's;
 *                                        restart: gracefully, within 120 s
 *   down R PEER [notified]
 *   stats R PEER N                       a statistics report: routes in its Adj-RIB-In
 *   add R PEER PREFIX [AS...]            pre-policy; with post: post-policy
 *   del R PEER PREFIX
 *   post add|del|eor ...
 *   eor R PEER                           End-of-RIB of both families
 *   fill R PEER FROM TO                  pre-policy prefixes of these numbers, TO not with
 *                                        it: every second /24 from 40.0.0.0
 *   drain R PEER FROM TO                 they are withdrawn
 *   close R                              the stream ends
 *   bad R TEXT                           the next bytes end the stream: with this text
 *   redump R                             the engine asked for it: close and connect
 *
 *   run                                  the engine works once
 *   wait SECONDS                         time passes, the engine works whenever it wants
 *   jump SECONDS                         time passes unnoticed, then the engine works
 *   release R I                          brake release
 *   restart                              savd stops, and starts with the filters it
 *                                        saved; inventories are to come again
 *
 *   expect R I ACTION [PREFIX...]        the filter handed out last; gone: taken back
 *   honest R I [PREFIX...]               from now on: if a filter of this edge enforces,
 *                                        it accepts all of these
 *   forged R I [PREFIX...]               and nothing of these
 *   waiting R I [PREFIX...]              what is in its hold-down
 *   reason R I TEXT                      why not ready: part of the text; -: it is ready
 *   waits R I TEXT                       all that it waits for; -: nothing
 *   braked R I yes|no
 *   generation R I N                     mark R I, same R I: as when it was marked
 *   peer R PEER TEXT                     part of how its edge was found
 *   on R PEER [I...]                     the edges it is on
 *   explain R I ADDRESS TEXT             the whole sentence
 *   peers R I [ADDRESS...]               in the filter handed out last: they may talk
 *                                        to the router
 *   left R I [ADDRESS=SECONDS...]        of these: for so long only, rounded up; "-":
 *                                        until the feeds are complete
 *   to-router R I ADDRESS TEXT           what explain says of that; -: nothing
 *   noted TEXT, alarmed TEXT             part of a note since the last such command
 *   quiet R                              no re-dump has been asked for
 */
#ifndef SAV_TEST_LAB_H
#define SAV_TEST_LAB_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "controller/engine.h"
#include "lib/wr.h"

#define LAB_FILTERS_MAX 32
#define LAB_STREAMS_MAX 8

struct lab_filter {
	char router[CONFIG_NAME_SIZE];
	struct filter filter;
	bool there;
	uint64_t marked;
	unsigned int sets; /* how often it was handed out */
};

struct lab_promise {
	char router[CONFIG_NAME_SIZE], interface[FILTER_IFNAME_SIZE];
	struct addrset honest, forged;
};

struct lab_stream {
	char router[CONFIG_NAME_SIZE];
	struct engine_feed *feed; /* NULL: free */
	bool redump;
	bool dead; /* bytes were refused */
};

struct lab {
	struct config cfg;
	struct engine *engine;
	int64_t now_ms;
	struct lab_filter filters[LAB_FILTERS_MAX];
	size_t n_filters;
	struct lab_promise promises[LAB_FILTERS_MAX];
	size_t n_promises;
	struct lab_stream streams[LAB_STREAMS_MAX];
	char *notes, *alarms;
	unsigned int wakes, runs;
	struct diag diag; /* of the last bytes that were refused */
	int line;	  /* of the script, for messages */
	const char *text;
	const char *scenario; /* its file, see test_scenarios.c */
	void (*routers_changed)(struct lab *lab); /* as the engine tells it; or NULL */
	void (*ran)(struct lab *lab, void *arg); /* after each run of the engine */
	void *ran_arg;
};

int lab_setup(void **state);
int lab_teardown(void **state);
/* A new engine over the same policy, as after a restart. */
void lab_restart(struct lab *lab);
void lab_play(struct lab *lab, const char *script);
void lab_playf(struct lab *lab, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* The router's live stream. */
struct lab_stream *lab_stream(struct lab *lab, const char *router);
/* Gives it bytes and empties them. */
int lab_bytes(struct lab *lab, struct lab_stream *s, struct wr *bytes);
struct lab_filter *lab_filter(struct lab *lab, const char *router, const char *interface);
struct addrset lab_set(const char *prefixes);

#endif /* SAV_TEST_LAB_H */
