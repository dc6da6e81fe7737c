/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * engine_bgp - a router's own BGP session as a feed of the engine.
 *
 * At most one per router, opened when TCP is there. Each next hop of its
 * paths is a peer of the router. When a session is lost its routes stay and
 * the edges that read them stand still, until another session of the same
 * router has told its whole table.
 */
#ifndef SAV_ENGINE_BGP_H
#define SAV_ENGINE_BGP_H

#include "controller/engine.h"
#include "controller/feed/bgp_session.h"

struct engine_bgp;

/* NULL: there is no such router any more. A session that the router still has
 * gives way to this one. Its OPEN is in the output. */
struct engine_bgp *engine_bgp_open(struct engine *e, const char *router,
				   const struct bgp_session_config *config,
				   int64_t now_ms);
/* Both: -1 with diag when the session is over: send what is in the output, then
 * call engine_bgp_close(). */
int engine_bgp_bytes(struct engine_bgp *b, const void *data, size_t len, int64_t now_ms,
		     struct diag *diag);
/* *next_ms: when it wants to be called again at the latest (absolute). */
int engine_bgp_timer(struct engine_bgp *b, int64_t now_ms, int64_t *next_ms,
		     struct diag *diag);
/* We end it: a Cease with this subcode goes to the output. */
void engine_bgp_cease(struct engine_bgp *b, uint8_t subcode);
struct wr *engine_bgp_output(struct engine_bgp *b);
void engine_bgp_close(struct engine_bgp *b, const char *why, int64_t now_ms);

/* The operator has taken the neighbor away: so are its routes. The session is
 * closed before. */
void engine_bgp_forget(struct engine *e, const char *router);

struct engine_bgp_status {
	const char *router;
	enum bgp_session_state state; /* BGP_CLOSED: no session */
	bool complete;		      /* the whole table has been told */
	bool family[IP_FAMILIES], addpath[IP_FAMILIES];
	size_t paths[IP_FAMILIES];
	int64_t since_ms;
	struct bgp_session_stats stats; /* of this session */
	unsigned int sessions;		/* that were established so far */
	const char *last_error;		/* why the last one ended, "" */
};
typedef void engine_bgp_fn(const struct engine_bgp_status *status, void *arg);
void engine_bgp_walk(const struct engine *e, engine_bgp_fn *fn, void *arg);

#endif /* SAV_ENGINE_BGP_H */
