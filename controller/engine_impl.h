/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * engine_impl - what the engine's own files share; nobody else includes it.
 *
 * engine.c: edges and time. engine_feed.c: streams; what else is about feeds is
 * listed in engine_feed_impl.h.
 * engine_explain.c: why an address is in or out.
 */
#ifndef SAV_ENGINE_IMPL_H
#define SAV_ENGINE_IMPL_H

#include "controller/engine.h"
#include "controller/sets/brake.h"
#include "controller/sets/sets.h"

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
	bool routes_changed;
	struct fib *fib;	 /* the last whole table, or NULL */
	struct fib *fib_loading; /* since a reset, until it is whole */
	bool fib_live;		 /* fib is all that the router has now */
	int64_t fib_ms;		 /* last word of it */
	int64_t fib_lost_ms;	 /* not live since then; -1: not seen to be so */
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

struct engine_peer {
	struct rib_peer *rib;
	struct engine_router *router;
	struct engine_peer *next;      /* of all */
	struct engine_peer *edge_next; /* of its edge */
	struct bmp_peer_info info;
	bool has_info;
	bool up, complete, eor;
	const char *doubt; /* why its table is not believed, or NULL */
	uint32_t stream; /* serial of the stream that spoke of it last */
	bool role_alarm;     /* a mismatch was told */
	bool initial;	     /* its Peer Up was part of the stream's initial dump */
	int64_t up_ms;	     /* Peer Up on this stream */
	int64_t known_up_ms; /* up without a break since, over all streams */
	int64_t changed_ms;  /* a path came, went or changed */
	int64_t dump_ms; /* when the last stream began that completed it */
	int64_t restart_due_ms; /* down, its paths stay until then (RFC 4724); or -1 */
	size_t had_paths;	/* when it was whole last, or before this dump */
	bool unconfirmed;	/* believed, but a dump is due all the same */
	uint32_t dropped; /* its routes go, and it with them: not named by that stream */
	size_t edge; /* index into cfg->edges, or SETS_NO_EDGE */
	const char *mapping;
};

struct engine_edge {
	struct engine_peer *peers; /* that are reached by it */
	struct addrset computed;
	struct hold hold;
	struct brake brake;
	struct filter filter; /* as handed out; generation 0: never */
	bool dirty;   /* its set has to be computed anew */
	bool touched; /* its filter may differ from what was handed out */
	bool by_command; /* the next change of computed is the operator's word */
	bool have_computed;
	bool restored; /* filter and hold come from the store */
	bool kept;     /* that set is worth keeping until the feeds are complete */
	bool handed_out;
	/* What the edge was degraded to as its feed is dead; STALE_HOLD: it is not */
	enum stale_policy stale;
	struct addrset loose; /* while stale with policy loose: admitted as well */
	bool ready, settled, started, braked;
	char reason[160];
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
	struct engine_router **routers;
	size_t n_routers;
	struct engine_feed *feeds;
	struct engine_peer *peers;
	struct engine_edge **edges; /* parallel to cfg->edges */
	size_t n_edges;
	struct engine_key *edge_keys; /* of the above, after cfg->edges moved */
	uint32_t serial;
	uint64_t last_generation; /* the highest of edges that are gone */
	bool dirty;	     /* some edge is */
	bool touched;	     /* likewise */
	bool commanded;	     /* a command's effect is not computed yet */
	bool routes_changed; /* network-wide modes have to look */
	bool states_changed; /* a peer or stream did: what is ready and settled */
	bool remap;	     /* peers may have moved to other edges */
	bool dropped;	     /* some peer is */
	size_t swept;	     /* paths taken away since the last run */
	int64_t now_ms;	     /* of the last run, for calls without a time */
};

/* engine.c */
void engine_note(struct engine *e, bool alarm, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void engine_wake(struct engine *e);
void engine_edge_dirty(struct engine *e, size_t edge);
/* To be called before routes, peers or feeds change: the effect of a command
 * that came before is computed first. */
void engine_catch_up(struct engine *e);
struct engine_router *engine_router_get(struct engine *e, const char *name);
struct engine_router *engine_router_find(const struct engine *e, const char *name);

/* engine_feed.c, engine_peer.c, engine_ready.c, engine_whole.c */
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
/* Pre-policy paths without a loop still support some of what the entry takes
 * from this edge: it has to wait. The routers of such paths are asked for a new
 * dump. */
bool engine_peers_doubt(struct engine *e, size_t edge, const struct hold_entry *entry,
			int64_t now_ms);

/* engine_sweep.c */
/* Around engine_feeds_run(). The second frees dropped peers without routes. */
void engine_sweep_begin(struct engine *e);
void engine_sweep_end(struct engine *e);
/* The peer goes when its routes are gone, unless it is named again: by a Peer Up
 * of the stream of this serial (not 0), or by a session of its router. */
void engine_peer_drop(struct engine *e, struct engine_peer *p, uint32_t serial);

/* engine_bgp.c */
bool engine_bgp_is_peer(const struct engine_peer *p); /* a next hop of a BGP session */
size_t engine_bgp_edge(const struct engine *e, struct engine_peer *p);
bool engine_bgp_is_live(const struct engine_router *r);
bool engine_bgp_is_complete(const struct engine_router *r);
bool engine_bgp_is_sweeping(const struct engine *e);
/* As rib_sweep(), for what sessions did not tell anew. */
bool engine_bgp_sweep(struct engine *e, size_t *budget);
void engine_bgp_fini(struct engine *e);

/* engine_fib.c */
void engine_fib_inventory(struct engine *e, struct engine_router *r); /* it changed */
void engine_fib_free(struct engine_router *r);
struct engine_fibs {
	const struct fib **fibs;
	uint32_t *index;
};
/* Gives the pass what routers forward by; fibs must outlive the pass. */
void engine_fibs_give(const struct engine *e, struct sets_pass *pass,
		      struct engine_fibs *fibs);
void engine_fibs_fini(struct engine_fibs *fibs);
/* ready and settled of an edge of mode strict or strict-direct. */
void engine_fib_state(const struct engine *e, size_t edge, enum edge_mode mode,
		      struct engine_edge *state);
/* What modes loose read of it: routers that have an agent. */
void engine_fibs_state(const struct engine *e, struct engine_edge *state);
/* One sentence on the longest match; false: there is none. */
bool engine_fib_explain(const struct engine *e, const char *router, const struct ip_addr *addr,
			struct ip_prefix *prefix, char *text, size_t size);

#endif /* SAV_ENGINE_IMPL_H */
