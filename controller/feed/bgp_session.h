/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * bgp_session - one BGP-4 connection that only listens (RFC 4271 sec. 8).
 *
 * Begins when TCP is there, whoever opened it, and lives as long: OPEN,
 * KEEPALIVEs, then routes in, nothing out. Takes bytes in any chunking and
 * `now` (milliseconds); what is to be sent waits in a buffer. No socket, no
 * clock, no table: what it reads goes to the owner.
 *
 * Offered: both unicast families (RFC 4760), 4-octet AS numbers (RFC 6793),
 * receiving several paths (RFC 7911), extended messages (RFC 8654) and
 * End-of-RIB alone of RFC 4724: FRR sends that marker only to those who ask.
 */
#ifndef SAV_BGP_SESSION_H
#define SAV_BGP_SESSION_H

#include "controller/feed/bgp.h"
#include "lib/diag.h"
#include "lib/wr.h"

struct bgp_session;

enum bgp_session_state {
	BGP_OPEN_SENT,
	BGP_OPEN_CONFIRM,
	BGP_ESTABLISHED,
	BGP_CLOSED, /* a NOTIFICATION may still be in the output */
};

/* NOTIFICATION codes (RFC 4271 sec. 4.5) and those of Cease (RFC 4486). */
enum bgp_error {
	BGP_ERROR_HEADER = 1,
	BGP_ERROR_OPEN = 2,
	BGP_ERROR_UPDATE = 3,
	BGP_ERROR_HOLD_TIMER = 4,
	BGP_ERROR_FSM = 5,
	BGP_ERROR_CEASE = 6,
};
#define BGP_CEASE_SHUTDOWN     2
#define BGP_CEASE_DECONFIGURED 3
#define BGP_CEASE_RESET	       4
#define BGP_CEASE_REJECTED     5
#define BGP_CEASE_COLLISION    7

struct bgp_session_config {
	uint32_t as; /* ours and, the session being internal, the router's */
	uint32_t id; /* our BGP identifier, host order; not 0 */
};

/* Called from bgp_session_bytes(); none may free the session. */
struct bgp_session_ops {
	void (*established)(void *arg, const struct bgp_open *open);
	/* path_id 0 where the family has none */
	void (*announce)(void *arg, const struct ip_prefix *prefix, uint32_t path_id,
			 const struct rib_attr *attr);
	void (*withdraw)(void *arg, const struct ip_prefix *prefix, uint32_t path_id);
	void (*end_of_rib)(void *arg, enum ip_family family);
};

struct bgp_session_stats {
	uint64_t bytes, messages, updates;
	uint64_t announced, withdrawn; /* prefixes */
	uint64_t looped;	       /* paths left out: own AS in AS_PATH */
	uint64_t treat_as_withdraw;    /* messages (RFC 7606) */
	uint64_t attr_discard;	       /* attributes (RFC 7606) */
	uint64_t ignored;	       /* prefixes of families that are not agreed on */
};

/* TCP is there: the OPEN is in the output. */
struct bgp_session *bgp_session_new(const struct bgp_session_config *config,
				    const struct bgp_session_ops *ops, void *arg,
				    int64_t now_ms);
void bgp_session_free(struct bgp_session *s);

/* Both: 0, or -1 with diag when the session is over: send the output, close. */
int bgp_session_bytes(struct bgp_session *s, const void *data, size_t len, int64_t now_ms,
		      struct diag *diag);
int bgp_session_timer(struct bgp_session *s, int64_t now_ms, struct diag *diag);
/* When bgp_session_timer() has work at the latest, or -1. */
int64_t bgp_session_next_ms(const struct bgp_session *s);
/* Our own end of it: Cease with this subcode. Nothing after CLOSED. */
void bgp_session_cease(struct bgp_session *s, uint8_t subcode);

/* To be sent; the owner consumes it. */
struct wr *bgp_session_output(struct bgp_session *s);

enum bgp_session_state bgp_session_state(const struct bgp_session *s);
const char *bgp_session_state_name(enum bgp_session_state state);
/* Agreed on, from OPEN_CONFIRM on. */
bool bgp_session_has_family(const struct bgp_session *s, enum ip_family family);
bool bgp_session_has_addpath(const struct bgp_session *s, enum ip_family family);
const struct bgp_session_stats *bgp_session_stats(const struct bgp_session *s);

#endif /* SAV_BGP_SESSION_H */
