/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * savd_radius_packet - RADIUS in savd: sockets, sessions, store and engine
 * brought together.
 *
 * Data goes one way: radius_net -> radius_server -> radius_sessions -> engine.
 * An answer leaves when what its request changed is in the store: the requests
 * of a moment share one transaction. Filters do not wait for that.
 */
#ifndef SAV_SAVD_RADIUS_PACKET_H
#define SAV_SAVD_RADIUS_PACKET_H

#include "lib/frr_compat.h"

#include "controller/radius/radius_net_packet.h"
#include "controller/radius/radius_profile.h"
#include "controller/savd.h"

struct savd_radius_stats {
	uint64_t commits, failures; /* transactions of sessions */
	int64_t commit_last_us, commit_max_us;
	size_t restored;
	int64_t restore_us;
};

struct savd_radius {
	struct savd *savd;
	struct event_loop *loop;
	struct radius_sessions *sessions;
	struct radius_server *server;
	struct radius_profiles *profiles;
	struct radius_net *net;
	struct event *t_commit, *t_time, *t_config;
	struct savd_radius_stats stats;
	bool judge; /* clients, rules or pools are others */
	bool again; /* look at all sessions again when the database takes changes */
	int64_t failing_ms; /* since when sessions cannot be saved; 0: they can */
	int64_t refused_ms; /* of the last edge that could not be made */
};

/* With the sessions of the store. After the engine got the saved filters and
 * before it runs first. */
struct savd_radius *savd_radius_start(struct savd *savd, struct event_loop *loop,
				      struct turns *turns);
/* Saves what is not saved. Before engine and store go. */
void savd_radius_stop(void);

/* For struct engine_ops; ctx is not looked at. */
bool savd_radius_explain(void *ctx, const char *router, const char *interface,
			 const struct ip_addr *addr, struct ip_prefix *prefix, char *text,
			 size_t size);
void savd_radius_edges_changed(void *ctx);
/* The router has the edge's newest filter. */
void savd_radius_applied(const char *router, const char *interface);

/* What sessions changed is in the store now, or will be. */
void savd_radius_save(void);

/* Metrics collector; arg: struct savd_radius *. */
metrics_collect_fn savd_radius_metrics;

#endif /* SAV_SAVD_RADIUS_PACKET_H */
