/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * engine_impl - what the engine's own files share; nobody else includes it.
 *
 * engine.c: policy and time. engine_edge.c: one edge; engine_exempt.c: the peers in
 * its filter. engine_live.c: routes and
 * policy into live, and what it computes into edges. engine_feed.c: streams; what else is about feeds is
 * listed in engine_feed_impl.h. engine_place.c: the edges of a peer.
 * engine_session.c: RADIUS sessions. engine_explain.c: why an address is in or out.
 */
#ifndef SAV_ENGINE_IMPL_H
#define SAV_ENGINE_IMPL_H

#include "controller/engine.h"
#include "controller/sets/brake.h"
#include "controller/sets/live.h"

struct bgp_table;
struct engine_compare;

struct engine_router {
	char name[CONFIG_NAME_SIZE];
	uint32_t index; /* in engine->routers and in rib_peer_key; never reused */
	struct agent_inventory inventory;
	bool inventory_known;
	struct engine_feed *feed; /* the live stream, or NULL */
	struct engine_bgp *bgp;	  /* its BGP session and routes, or NULL */
	int64_t lost_ms;	  /* no live stream since then; -1: not seen to be so */
	int64_t redump_ms;	  /* of the last forced re-dump */
	bool redump_pending;	  /* the next stream is that dump */
	unsigned int redumps;
	struct fib *fib;	 /* the last whole table, or NULL */
	struct fib *fib_loading; /* since a reset, until it is whole */
	bool fib_live;		 /* fib is all that the router has now */
	int64_t fib_ms;		 /* last word of it */
	int64_t fib_lost_ms;	 /* not live since then; -1: not seen to be so */
	/* Peers and next hops that its routes place, or would: see engine_place.c */
	struct ip_addr *routed;
	size_t n_routed;
	struct engine_compare *compare; /* of its feeds; NULL: it never had two */
};

struct engine_feed {
	struct engine *engine;
	struct engine_feed *next;
	struct bmp_feed *bmp;
	struct engine_router *router; /* NULL before Initiation */
	char relay[CONFIG_NAME_SIZE]; /* the router whose agent brings it, or "" */
	struct ip_addr source;
	void *user;
	uint32_t serial;
	int64_t now_ms; /* of the bytes being read */
	int64_t opened_ms, last_ms;
	int64_t burst_ms;     /* last Peer Up of the initial dump */
	uint64_t changes;     /* announcements and withdrawals at last look */
	int64_t changed_ms;   /* when that number moved last */
	bool forced;	      /* this stream follows a re-dump that we asked for */
	bool redump_asked;    /* it will be closed for that */
	bool heard;	      /* a peer of it is complete, or it has settled */
	bool settled;	      /* its initial dump is over, old peers are gone */
	bool refused;	      /* diag says why; to be closed */
	bool superseded;      /* by a newer stream of the same router */
	bool silent;	      /* for longer than a living router is */
	size_t queued, queued_max; /* bytes */
	struct diag diag;
};

/* Where a peer's paths come in: one edge, none, or several if several links lead
 * to it. Each is a source of its own for live. */
struct engine_way {
	struct engine_peer *peer;
	struct engine_way *next;      /* of the peer */
	struct engine_way *edge_next; /* of the edge */
	size_t edge; /* index into cfg->edges, or SETS_NO_EDGE: the only way then */
	struct live_source *live; /* NULL: does not count, or not yet */
	bool gone;		  /* as soon as live has forgotten it */
	bool role_alarm;	  /* a mismatch was told */
};

#define ENGINE_MAPPING_SIZE 200

struct engine_peer {
	struct rib_peer *rib;
	struct engine_way *ways; /* at least one; those that are gone come last */
	struct engine_router *router;
	struct engine_peer *next; /* of all */
	struct bmp_peer_info info;
	bool has_info;
	bool up, complete, eor;
	const char *doubt; /* why its table is not believed, or NULL */
	uint32_t stream; /* serial of the stream that spoke of it last */
	bool initial;	     /* its Peer Up was part of the stream's initial dump */
	int64_t up_ms;	     /* Peer Up on this stream */
	int64_t known_up_ms; /* up without a break since, over all streams */
	int64_t changed_ms;  /* a path came, went or changed */
	int64_t dump_ms; /* when the last stream began that completed it */
	int64_t restart_due_ms; /* down, its paths stay until then (RFC 4724); or -1 */
	struct engine_lost *lost; /* of engine_doubt.c, or NULL */
	size_t had_paths;	/* when it was whole last, or before this dump */
	uint64_t full_bound;	/* the bound that it was at last, */
	int64_t full_ms;	/* when that was, */
	unsigned int full_times; /* and how often since it was whole */
	bool unconfirmed;	/* believed, but a dump is due all the same */
	uint32_t dropped; /* its routes go, and it with them: not named since that stream */
	uint8_t placing;  /* enum engine_placing */
	bool own_hop;	  /* it is the router itself */
	bool place_told;  /* that it is unclear, or waits */
	char mapping[ENGINE_MAPPING_SIZE]; /* how its edges were found, or why not */
};

/* What the RADIUS sessions of an edge give to it; kept by name, whether the edge
 * is configured or not. */
struct engine_sessions {
	char router[CONFIG_NAME_SIZE];
	char interface[FILTER_IFNAME_SIZE];
	struct dynaddrset set; /* also what policy does not let count */
	unsigned int n;	       /* sessions */
	bool seen;	       /* there was one */
};

struct engine_edge {
	struct engine_way *ways; /* of peers that are reached by it */
	struct engine_sessions *sessions; /* NULL: there never was one */
	bool sessions_whole; /* internal: special-purpose addresses count as well */
	size_t index;		   /* into cfg->edges */
	struct hold hold;
	struct dynaddrset excess; /* computed, but held back by the growth brake */
	struct brake brake;
	struct filter filter; /* as handed out; generation 0: never */
	bool filter_old;      /* its accept is: engine_edge_filter() */
	/* What came to and left the enforced set since then, net. */
	struct dynaddrset gained, lost;
	struct engine_change change; /* of the last filter */
	bool touched; /* its filter may differ from what was handed out, */
	struct engine_edge *next_touched; /* and so it is on the engine's list */
	bool synced;	 /* it follows what live tells: it has a role */
	bool by_command; /* the next changes are the operator's word: */
	struct addrset commanded; /* of these, what was taken away */
	bool restored; /* filter and hold come from the store */
	bool kept;     /* that set is worth keeping until the feeds are complete */
	bool handed_out;
	/* What the edge was degraded to as its feed is dead; STALE_HOLD: it is not */
	enum stale_policy stale;
	struct addrset loose; /* while stale with policy loose: admitted as well */
	bool loose_changed;
	/* By what the mode reads, as of the last change of any state. */
	bool ready, settled;
	char reason[160];
	bool feeds_ready; /* ready but for an empty set */
	bool started;	  /* has been ready once */
	bool exempt_changed; /* engine_exempt_take() brings it into the filter */
	bool exempt_left;    /* somebody is absent: mostly nobody is, and each run asks */
	bool braked;	  /* removals wait for the operator */
	bool grown;	  /* so does growth: what excess holds */
	uint32_t holddown_s; /* that what waits was timed by */
	int64_t due_ms;	     /* wants to be looked at, -1: no */
	int64_t expire_ms;   /* no removal can be due before */
	int64_t stale_due_ms;
	/* Who may talk to the router itself: peers, absent once they left the edge. */
	struct hold exempt;
};

struct engine_key {
	char router[CONFIG_NAME_SIZE];
	char interface[FILTER_IFNAME_SIZE];
};

struct engine {
	struct config *cfg;
	struct engine_ops ops;
	void *ctx;
	struct rib *rib;
	struct live *live;
	uint64_t views; /* rib_view_changes() that live knows of */
	struct engine_router **routers;
	size_t n_routers;
	struct engine_feed *feeds;
	struct engine_peer *peers;
	struct engine_edge **edges; /* parallel to cfg->edges */
	size_t n_edges;
	int64_t *edges_due; /* due_ms of each, side by side to be looked through */
	struct engine_key *edge_keys; /* of the above, after cfg->edges moved */
	/* Their numbers, by customer; NULL: not asked for since they changed. */
	uint32_t *by_customer;
	uint64_t policies; /* how often policy, routers or edges have changed */
	uint32_t serial;
	uint64_t last_generation; /* the highest of edges that are gone */
	struct engine_edge *touched; /* edges, in no order */
	bool policy_changed; /* live does not know of it yet */
	bool ports_changed;  /* nor of numbers of interfaces */
	bool routes_changed; /* live may have something to tell */
	bool states_changed; /* a peer or stream did: what is ready and settled */
	bool wants_changed;  /* engine_wants_fibs() may be another */
	bool remap;	     /* peers may have moved to other edges */
	bool dropped;	     /* some peer is */
	size_t n_unplaced;   /* peers that may be on an edge, but on which? */
	size_t swept;	     /* paths taken away since the last run */
	size_t doubt_paths;  /* looked at by this run for what is in doubt, */
	bool doubt_unsure;   /* which did not suffice */
	/* What all modes that read the network have in common, while edges are
	 * looked at one after the other. */
	struct {
		bool known, ready, settled;
		char reason[160];
	} network;
	size_t compare_turn; /* router that is compared next */
	int64_t now_ms;	     /* of the last run, for calls without a time */
	int64_t wanted_ms;   /* when it asked for the next, or -1 */
	int64_t awake_ms;    /* it came much too late: no removals before */
	struct engine_sessions **sessions; /* by router and interface */
	size_t n_sessions;
	struct addrset special; /* special-purpose sources, as of live's policy */
	int64_t edges_due_ms; /* no edge wants to be looked at before; -1: never */
	int64_t feeds_ms, feeds_due_ms; /* engine_feeds_run(): when, its answer */
};

/* engine.c */
void engine_note(struct engine *e, bool alarm, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void engine_wake(struct engine *e);
/* To be called before routes, peers or feeds change: the effect of a command
 * that came before is computed first. */
void engine_catch_up(struct engine *e);
struct engine_router *engine_router_get(struct engine *e, const char *name);
struct engine_router *engine_router_find(const struct engine *e, const char *name);

/* engine_edge.c */
struct engine_edge *engine_edge_new(void);
void engine_edge_free(struct engine_edge *edge);
struct engine_edge *engine_edge_find(const struct engine *e, const char *router,
				     const char *interface);
void engine_edge_touch(struct engine *e, struct engine_edge *edge);
/* The computed set lost or gained this. */
void engine_edge_lose(struct engine *e, struct engine_edge *edge,
		      const struct addrset *removed);
void engine_edge_gain(struct engine *e, struct engine_edge *edge,
		      const struct addrset *added);
/* RADIUS gave this, or took it: no brake asks whether that can be true, and what
 * is taken does not wait. Normalized; what is taken is in the computed set. */
void engine_edge_grant(struct engine *e, struct engine_edge *edge,
		       const struct addrset *added);
void engine_edge_take(struct engine *e, struct engine_edge *edge,
		      const struct addrset *removed);
/* A command's effect has been computed: what it took leaves now. */
void engine_edge_command(struct engine *e, struct engine_edge *edge);
enum engine_look {
	ENGINE_LOOK_TIME,    /* something is due */
	ENGINE_LOOK_TOUCHED, /* or it is on the list */
	ENGINE_LOOK_JUDGE,   /* or states, policy, peers may be others */
};
/* Everything but a new set: states, hold-downs, the filter. Leaves in due_ms when
 * it wants to be looked at again. */
void engine_edge_run(struct engine *e, struct engine_edge *edge, enum engine_look look,
		     int64_t now_ms);
/* The operator accepts what the brakes hold back. */
void engine_edge_release(struct engine *e, struct engine_edge *edge);
void engine_edge_deactivate(struct engine *e, struct engine_edge *edge);
/* The edge's filter with its whole set. */
const struct filter *engine_edge_filter(struct engine_edge *edge);
/* The number of the edge is given up: the next life of it goes on counting. */
void engine_keep_generation(struct engine *e, const struct engine_edge *edge);

/* engine_exempt.c */
/* The edge has other peers, or may have. */
void engine_exempt_judge(struct engine *e, struct engine_edge *edge);
/* Those that left begin to wait: the feeds are complete. */
void engine_exempt_wait(const struct engine *e, struct engine_edge *edge, int64_t now_ms);
/* Nothing is enforced, so nobody that left has a session to lose. */
void engine_exempt_drop_left(struct engine_edge *edge);
/* Those whose hold-down is over go, unless feeds are incomplete. */
void engine_exempt_expire(const struct engine *e, struct engine_edge *edge, int64_t now_ms);
int64_t engine_exempt_next_ms(const struct engine *e, const struct engine_edge *edge); /* or -1 */
/* Into the edge's filter; true if that has others now. */
bool engine_exempt_take(struct engine_edge *edge);
/* The generation of the store has these: they have left until they are seen again. */
void engine_exempt_restore(struct engine_edge *edge);
/* One sentence, or "": the address may talk to the router, whatever the set says. */
void engine_exempt_say(const struct engine *e, const struct engine_edge *edge,
		       const struct ip_addr *addr, int64_t now_ms, char *text, size_t size);
/* The peers that the edge has now; for engine_check(). Replaces *out. */
void engine_exempt_current(const struct engine *e, const struct engine_edge *edge,
			   struct addrset *out);

/* engine_live.c */
/* Brings live after peers, policy, tables; and edges after live. */
void engine_live_run(struct engine *e);
/* The peer's routes are about to go, with it. */
void engine_live_forget(struct engine *e, struct engine_peer *p);
void engine_live_route(struct engine *e, struct engine_peer *p, enum rib_view view,
		       const struct ip_prefix *prefix, const struct rib_attr *old,
		       const struct rib_attr *new);
/* As fib_set() of the router's present table. */
void engine_live_fib_route(struct engine *e, struct engine_router *r,
			   const struct ip_prefix *prefix, enum agent_route_kind kind,
			   const uint32_t *indexes, size_t n);
/* Another table; the old one is freed. */
void engine_live_fib(struct engine *e, struct engine_router *r, struct fib *fib);

/* engine_session.c */
struct engine_sessions *engine_sessions_find(const struct engine *e, const char *router,
					     const char *interface);
void engine_sessions_fini(struct engine *e);
/* What counts for the edge; *out is replaced. */
void engine_sessions_set(const struct engine *e, const struct engine_edge *edge,
			 struct addrset *out);
/* *out becomes *set without that; false: the edge has no sessions, *out stays. */
bool engine_sessions_without(const struct engine *e, const struct engine_edge *edge,
			     const struct addrset *set, struct addrset *out);
/* For an edge that begins to take part, after what live computes. */
void engine_sessions_load(struct engine *e, struct engine_edge *edge);
/* After live's policy, and what it changed of edges. */
void engine_sessions_policy(struct engine *e);
/* Without a session it does not drop yet, or not any more (`pending`). */
bool engine_edge_waits_for_session(const struct engine *e, const struct engine_edge *edge);

/* engine_place.c */
enum engine_placing {
	PLACE_NONE,    /* on no edge, as it should be */
	PLACE_EDGE,    /* on these */
	PLACE_WAITS,   /* for the router's routes */
	PLACE_UNCLEAR, /* on one of these if there are any, and nobody knows on which */
};
#define ENGINE_WAYS_MAX 64
struct engine_place {
	enum engine_placing placing;
	bool routed; /* the router's routes decide, or would */
	bool own_hop; /* the address is the router's own */
	size_t n;
	size_t edges[ENGINE_WAYS_MAX]; /* indexes into cfg->edges, ascending */
	char text[ENGINE_MAPPING_SIZE];
};
void engine_place(const struct engine *e, const struct engine_peer *p,
		  struct engine_place *out);
/* It is unclear where the peer is, and this edge is one of those it may be on. */
bool engine_place_may_be(const struct engine *e, const struct engine_peer *p, size_t edge);
/* The route to this prefix has changed, or all have (NULL): may a peer have moved? */
bool engine_place_reads(const struct engine_router *r, const struct ip_prefix *prefix);

/* engine_feed.c, engine_peer.c, engine_ready.c, engine_whole.c */
bool engine_peer_is_on(const struct engine_peer *p, size_t edge);
bool engine_peer_has_edge(const struct engine_peer *p);
/* One of them is of role customer or stub. */
bool engine_peer_is_customer(const struct engine *e, const struct engine_peer *p);
void engine_feeds_init(struct engine *e); /* the RIB's watcher */
void engine_feeds_fini(struct engine *e);
void engine_peers_remap(struct engine *e);
void engine_peer_free(struct engine *e, struct engine_peer *gone); /* with its routes */
/* Peers that completed, streams that settled, re-dumps that are due. Returns
 * when to look again, or -1. */
int64_t engine_feeds_run(struct engine *e, int64_t now_ms);
/* ready and settled of an edge of a mode that reads BGP (strict-direct: takes
 * them away only); reason is filled when not ready. */
void engine_peers_state(const struct engine *e, size_t edge, enum edge_mode mode,
			struct engine_edge *state);
/* Since when a feed that the edge's mode reads has been dead, or -1. */
int64_t engine_dead_since_ms(const struct engine *e, size_t edge);
/* RFC 9234: tells of peers that call themselves what the edge is not, and keeps
 * an edge that has not started from being ready. */
void engine_peers_roles(struct engine *e, size_t edge, struct engine_edge *state);
/* Addresses whose hold-down has run out. */
struct engine_gone {
	struct addrset set;
	int64_t since_ms; /* the last of them became absent */
	int64_t due_ms;	  /* and their hold-down ran out */
};

/* engine_doubt.c */
/* Pre-policy paths without a loop still support some of what would leave this
 * edge: it has to wait. The routers of such paths are asked for a new dump. True
 * with e->doubt_unsure set: it is not known yet, and to be asked again. */
bool engine_peers_doubt(struct engine *e, size_t edge, const struct engine_gone *gone,
			int64_t now_ms);
void engine_doubt_forget(struct engine_peer *p); /* it is about to be freed */
void engine_doubt_tidy(struct engine *e, int64_t now_ms); /* old answers are freed */

/* A router is asked for a complete dump no more often. */
#define ENGINE_REDUMP_EVERY_MS ((int64_t)600 * 1000)

/* engine_bound.c */
void engine_bound_sync(struct engine *e); /* the bound is another one */
/* When a new dump may be asked for that brings what was left out; -1: there is no
 * room for it. Of a peer of which rib_peer_is_full(). */
int64_t engine_bound_dump_ms(const struct engine *e, const struct engine_peer *p);

/* engine_sweep.c */
/* Around engine_feeds_run(). The second frees dropped peers without routes. */
void engine_sweep_begin(struct engine *e);
void engine_sweep_end(struct engine *e);
/* The peer goes when its routes are gone, unless it is named again: by a Peer Up
 * of the stream of this serial (not 0) or a later one, or by a session of its
 * router. */
void engine_peer_drop(struct engine *e, struct engine_peer *p, uint32_t serial);

/* engine_bgp.c */
bool engine_bgp_is_peer(const struct engine_peer *p); /* a next hop of a BGP session */
/* Its state, which is that of the session; on_edge: it leads to one. */
void engine_bgp_peer_state(struct engine_peer *p, bool on_edge);
bool engine_bgp_is_live(const struct engine_router *r);
bool engine_bgp_is_complete(const struct engine_router *r);
struct bgp_table *engine_bgp_table(const struct engine_router *r); /* or NULL */
bool engine_bgp_has_family(const struct engine_router *r, enum ip_family family);
bool engine_bgp_has_addpath(const struct engine_router *r, enum ip_family family);
bool engine_bgp_is_sweeping(const struct engine *e);
/* As rib_sweep(), for what sessions did not tell anew. */
bool engine_bgp_sweep(struct engine *e, size_t *budget);
void engine_bgp_fini(struct engine *e);

/* engine_compare.c */
/* A slice of what is due; when to come again, or -1. */
int64_t engine_compare_run(struct engine *e, int64_t now_ms);
void engine_compare_free(struct engine_router *r);

/* engine_fib.c */
void engine_fib_free(struct engine_router *r);
/* NULL: the agent's inventory has none of that number. */
const char *engine_interface_name(const struct engine_router *r, uint32_t index);
/* The number of each edge's interface, 0 where it is not known; to be freed. */
uint32_t *engine_edge_ports(const struct engine *e);
/* ready and settled of an edge of mode strict or strict-direct. */
void engine_fib_state(const struct engine *e, size_t edge, enum edge_mode mode,
		      struct engine_edge *state);
/* What modes loose read of it: routers that have an agent. */
void engine_fibs_state(const struct engine *e, struct engine_edge *state);
/* One sentence on the longest match; false: there is none. */
bool engine_fib_explain(const struct engine *e, const char *router, const struct ip_addr *addr,
			struct ip_prefix *prefix, char *text, size_t size);

#endif /* SAV_ENGINE_IMPL_H */
