/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * radius_profile - what an edge may send, asked for by name (RFC 2865).
 *
 * For edges with a `profile`: an Access-Request with a name made of `radius
 * profile user-name`, as routers download their static routes, to each `radius
 * server` in turn. An answer counts only with a Message-Authenticator. What an
 * Accept says is a session of that edge; a Reject takes it away, whatever else it
 * says; no answer changes nothing. Pure: no sockets, no clock.
 */
#ifndef SAV_RADIUS_PROFILE_H
#define SAV_RADIUS_PROFILE_H

#include "controller/radius/radius_session.h"

struct radius_profiles;

struct radius_profile_ops {
	void (*send)(void *ctx, const struct config_radius_server *to, const uint8_t *data,
		     size_t len);
	void (*note)(void *ctx, bool alarm, const char *text);
};

struct radius_profiles *radius_profiles_new(const struct config *cfg,
					    struct radius_sessions *rs,
					    const struct radius_profile_ops *ops, void *ctx);
void radius_profiles_free(struct radius_profiles *rp);

/* Edges, servers or names are others now. Profiles of edges that have none any
 * more go. */
void radius_profiles_reconfigure(struct radius_profiles *rp, int64_t now_ms);
/* Asks, asks again, gives up. Returns when to call again (absolute), or -1. */
int64_t radius_profiles_run(struct radius_profiles *rp, int64_t now_ms);
void radius_profiles_datagram(struct radius_profiles *rp, const struct ip_addr *from,
			      uint16_t port, const void *data, size_t len, int64_t now_ms);

enum radius_profile_state {
	RADIUS_PROFILE_WAITING, /* never answered so far */
	RADIUS_PROFILE_ACCEPTED,
	RADIUS_PROFILE_REJECTED,
};
struct radius_profile_view {
	const char *router, *interface, *name;
	const char *user; /* the name that is asked for */
	enum radius_profile_state state;
	bool failing;		  /* the last question got no answer */
	uint64_t asked, answered, forged; /* forged: answers that were not believed */
};
typedef void radius_profile_fn(const struct radius_profile_view *v, void *arg);
void radius_profiles_walk(const struct radius_profiles *rp, radius_profile_fn *fn, void *arg);

#endif /* SAV_RADIUS_PROFILE_H */
