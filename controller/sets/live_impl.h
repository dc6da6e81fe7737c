/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * live_impl - what live's own files share; nobody else includes it.
 *
 * live.c: sources, routes, what is told. live_policy.c: edges and decoration.
 * live_set.c: sets, and the places where they may differ. live_efp.c: who holds
 * a prefix, and RFC 8704. live_origin.c: origins and X(o). live_strict.c: best
 * paths of a router and longest matches. live_fib.c: forwarding tables.
 * live_ask.c: one address.
 */
#ifndef SAV_LIVE_IMPL_H
#define SAV_LIVE_IMPL_H

#include "controller/sets/live.h"
#include "lib/prefix_index.h"
#include "lib/dynset.h"

#define NO_SLOT UINT32_MAX

struct live_edge;
struct strict;

/* Places where a set may differ from what it was at the last drain: whole
 * prefixes, in no order, with repetitions. */
struct regions {
	struct ip_prefix *p;
	size_t n, cap;
	bool all; /* so many that the whole family is looked at */
};

struct live_set {
	enum edge_mode mode;
	struct live_edge *edge;	    /* NULL: shared */
	struct live_router *at;	    /* of the loose modes: by whose table */
	struct live_edge **readers; /* of a set that is shared */
	size_t n_readers;
	struct dynset now[IP_FAMILIES];
	struct regions dirty[IP_FAMILIES];
	/* strict's sets are edited at once: what that changed, net */
	struct dynset gained[IP_FAMILIES], lost[IP_FAMILIES];
	/* while draining: all that changed, and the same less special and own */
	struct addrset added, removed, open_added, open_removed;
	bool queued;
	struct live_set *next_queued;
};

/* An edge whose interface has this number. */
struct port {
	uint32_t index;
	struct live_edge *edge;
};

#define LIVE_LOOSE_MODES 2 /* with default, without */

struct live_router {
	char name[CONFIG_NAME_SIZE];
	struct strict *strict; /* NULL: no edge of it asks for best paths */
	size_t max_paths;      /* of its edges that read that many */
	bool strict_is_new;
	bool in_config;
	struct fib *fib;    /* NULL: not known; the caller's */
	struct port *ports; /* by index */
	size_t n_ports;
	bool ports_changed;
	size_t n_strict; /* edges that read the table */
	size_t n_direct; /* of these, strict-direct */
	struct live_set *loose[LIVE_LOOSE_MODES]; /* NULL: nobody reads it */
};

/* fixed: what is accepted whatever the mode says. Of the mode's set counts what
 * is neither in fixed nor, unless the edge is internal, in live->block. So the
 * set is (mode - block - fixed) + fixed, and a change of mode needs no look at
 * anything but itself. */
struct decor {
	struct addrset fixed;
	bool internal;
};

struct live_edge {
	char router[CONFIG_NAME_SIZE];
	char interface[FILTER_IFNAME_SIZE];
	uint32_t slot; /* in live->edges, as long as it lives */
	size_t index;  /* in the config, SETS_NO_EDGE: gone */
	struct live_router *at;
	enum edge_mode mode;
	uint32_t paths; /* of mode feasible: the best so many of the router; 0: all */
	bool customer;
	uint32_t port;	      /* number of the interface, 0: not known */
	struct live_set *set; /* NULL: the mode adds nothing */
	struct decor decor;
	/* from a policy change to the next drain */
	struct decor was;
	bool redecorated;      /* differs from was, or the block did */
	bool whole;	       /* reads another set than before: */
	struct addrset before; /* all of it at that time */
};

/* What of a source decides where its routes count. */
struct live_class {
	uint32_t edge; /* slot, or NO_SLOT */
	bool customer; /* for Set A and P */
	bool direct;   /* a customer's session with this router, for strict-direct */
	bool counted;  /* prefixes remember this edge */
};

struct live_source {
	struct live_source *prev, *next;
	const struct rib_peer *peer;
	struct live_router *at;
	uint32_t slot; /* in live->by_slot */
	bool ibgp;
	struct live_edge *edge; /* or NULL */
	struct live_class class;
	enum rib_view view[IP_FAMILIES]; /* that is counted */
};

/* An origin AS or an edge of a prefix beyond its first origin. */
struct ref {
	uint32_t key;
	uint32_t count;
	uint32_t next;
};

/* How many prefixes of X(o) an edge received. */
struct give {
	uint32_t edge; /* slot */
	uint32_t n;
};

struct origin {
	uint64_t key;
	uint32_t n_prefixes; /* 0: free */
	uint32_t customers;  /* paths from customers: in Set A unless 0 */
	uint32_t *list;	     /* X(o), see live_origin.c */
	uint32_t n_list, cap_list;
	struct give *give; /* by edge */
	uint32_t n_give, cap_give;
};

struct origins {
	struct origin *o; /* o[0] stands for all that have no origin */
	uint32_t n, cap, free;
	uint64_t *slots; /* key and number, so that one look is enough */
	uint32_t used, cap_slots;
	uint64_t seed;
};

/* Small numbers to name things by, those given back first. */
struct numbers {
	uint32_t n; /* all below were given out once */
	uint32_t *spare;
	size_t n_spare, cap_spare;
};

/* Edges, each once. */
struct slots {
	uint32_t *slot;
	size_t n, cap;
};

struct live {
	enum live_strict strict;
	struct prefix_index index[IP_FAMILIES];
	struct ref *refs; /* refs[0] is none */
	uint32_t n_refs, cap_refs, free_ref;
	struct origins origins;
	struct live_set *shared[LIVE_SHARED];
	struct live_set **loose; /* of all routers */
	size_t n_loose;
	struct live_set *queue;

	struct live_edge **edges; /* by slot */
	struct numbers edge_slots;
	struct live_edge **by_index; /* as the config's, and so sorted */
	size_t n_index;
	struct live_router **routers; /* by name, for ever */
	size_t n_routers;
	struct live_router **router_by_index;
	size_t n_router_index;
	struct live_source *sources;
	size_t n_sources;
	struct live_source **by_slot;
	struct numbers source_slots;
	struct addrset records; /* of all customers */
	struct addrset block;	/* special-purpose and own */
	struct addrset was_block;
	bool policy_changed;	/* since the last drain */
	struct slots before, after; /* owners of a route, working space */
	uint64_t seed;
};

/* ---- live.c */
uint32_t live_number_get(struct numbers *numbers);
void live_number_put(struct numbers *numbers, uint32_t number);
typedef void live_path_fn(struct live *live, struct live_source *source,
			  const struct ip_prefix *prefix, const struct rib_attr *attr);
/* All paths of the source that count. */
void live_source_walk(struct live *live, struct live_source *source, live_path_fn *fn);
/* Counts the source's paths where source->edge says now. */
void live_source_classify(struct live *live, struct live_source *source);

/* ---- live_policy.c */
void live_edges_fini(struct live *live);
/* What of a set counts for an edge: less block, unless internal, less fixed. */
void live_decor_open(const struct decor *d, const struct addrset *block,
		     struct addrset *set);
/* All of the edge's set. */
void live_edge_export(const struct live *live, const struct live_edge *e,
		      struct addrset *out);
/* What the change from e->was to e->decor adds to the set as it is now and
 * removes from it. */
void live_edge_redecorated(const struct live *live, const struct live_edge *e,
			   struct addrset *added, struct addrset *removed);
/* Forgets what was before the policy changed. */
void live_policy_settle(struct live *live);

/* ---- live_set.c */
bool live_mode_is_loose(enum edge_mode mode);
bool live_mode_is_strict(enum edge_mode mode);
struct live_set *live_set_new(enum edge_mode mode, struct live_edge *edge);
void live_set_free(struct live *live, struct live_set *set);
size_t live_set_bytes(const struct live_set *set);
/* The set, which may be NULL, may differ inside p. */
void live_set_mark(struct live *live, struct live_set *set, const struct ip_prefix *p);
void live_set_mark_all(struct live *live, struct live_set *set);
/* Edits at once, for the sets of strict. */
void live_set_gain(struct live *live, struct live_set *set, enum ip_family family,
		   const struct rangeset *part);
void live_set_lose(struct live *live, struct live_set *set, enum ip_family family,
		   const struct rangeset *part);
void live_set_replace(struct live *live, struct live_set *set, enum ip_family family,
		      u128 first, u128 last, const struct rangeset *part);
/* live_ask.c: what the mode gives to the edge, before decoration; *out is replaced. */
void live_edge_collect(struct live *live, struct live_edge *edge, enum edge_mode mode,
		       struct addrset *out);
/* All that is in the set by the routes as they are now. */
void live_set_collect(struct live *live, const struct live_set *set, struct addrset *out);
/* Fills added and removed; false if nothing changed. */
bool live_set_evaluate(struct live *live, struct live_set *set);
void live_set_settle(struct live_set *set); /* forgets them */
enum live_shared live_mode_shared(enum edge_mode mode);

/* ---- live_fib.c */
/* Where the prefix may make a difference to the loose modes. */
void live_mark_loose(struct live *live, const struct ip_prefix *p);
void live_mark_loose_all(struct live *live);
/* Makes of what the paths give to a loose set inside p all of it: tables and
 * records, less what the set's own router rejects. content is canonical after. */
void live_loose_finish(const struct live *live, const struct live_set *set,
		       const struct ip_prefix *p, struct rangeset *content);
/* The set of this edge, or with NULL those of all strict edges, from the table. */
void live_fib_fill(struct live *live, struct live_router *r, struct live_edge *edge);
/* Counts the router's edges; after their modes or numbers changed. */
void live_ports_sync(struct live *live, struct live_router *r);
/* A path of a customer's own comes or goes: to be called before it and after. */
void live_fib_direct_before(struct live *live, struct live_router *r,
			    const struct ip_prefix *p);
void live_fib_direct_after(struct live *live, struct live_router *r,
			   const struct ip_prefix *p);

/* ---- live_efp.c */
void live_take(struct live *live, const struct live_class *class,
	       const struct ip_prefix *prefix, const struct rib_attr *attr);
void live_drop(struct live *live, const struct live_class *class,
	       const struct ip_prefix *prefix, const struct rib_attr *attr);
bool live_same_origin(const struct rib_attr *a, const struct rib_attr *b);
bool live_set_has(const struct live *live, const struct live_set *set,
		  const struct prefix_index *x, uint32_t node);
/* Marks all that an edge with a new set of efp-a may hold. */
void live_efp_fill(struct live *live, struct live_edge *edge);
/* The edges of this router whose customers sent the prefix themselves, until fn
 * says true; some may come twice. */
typedef bool live_edge_fn(struct live *live, struct live_edge *edge, void *arg);
bool live_direct_edges(struct live *live, const struct live_router *r,
		       const struct ip_prefix *p, live_edge_fn *fn, void *arg);
/* The prefix has this origin, from whomever. */
bool live_has_origin(const struct live *live, const struct prefix_index *x, uint32_t node,
		     uint32_t origin);

/* Asks for the memory that live_take() and live_drop() will want first. */
void live_prefetch(const struct live *live, const struct rib_attr *attr);

/* ---- live_origin.c: 0 is no origin; keys have 33 bits */
void live_origins_fini(struct origins *all);
size_t live_origins_bytes(const struct origins *all);
uint32_t live_origin_find(const struct origins *all, uint64_t key);
void live_origin_prefetch(const struct origins *all, uint64_t key);
/* Finds or makes; what is made has to get a prefix at once. */
uint32_t live_origin_get(struct origins *all, uint64_t key);
void live_origin_prefix_add(struct live *live, uint32_t origin, enum ip_family family,
			    uint32_t node);
/* The last frees the origin. */
void live_origin_prefix_drop(struct origins *all, uint32_t origin);
typedef void live_prefix_fn(struct live *live, const struct ip_prefix *p, void *arg);
void live_origin_each(struct live *live, uint32_t origin, live_prefix_fn *fn, void *arg);
bool live_origin_gives(const struct origin *o, uint32_t edge);
/* true: the edge came, the edge went. */
bool live_origin_give(struct origin *o, uint32_t edge);
bool live_origin_take_back(struct origin *o, uint32_t edge);

/* ---- live_strict.c */
void live_slots_add(struct slots *list, uint32_t slot);
bool live_slots_have(const struct slots *list, uint32_t slot);
bool live_slots_same(const struct slots *a, const struct slots *b);
/* part goes from the owners that it had to those that it has. */
void live_strict_pass_on(struct live *live, const struct slots *before,
			 const struct slots *after, enum ip_family family,
			 const struct rangeset *part);
bool live_edge_has_mode(const struct live *live, uint32_t slot, enum edge_mode mode);
struct strict *strict_new(uint64_t seed);
void strict_free(struct strict *s);
size_t strict_bytes(const struct strict *s);
/* One path of a source of this router; either may be NULL. */
void strict_change(struct live *live, struct strict *s, const struct live_source *source,
		   const struct ip_prefix *prefix, const struct rib_attr *old,
		   const struct rib_attr *new);
/* A source of so many paths comes next. */
void strict_reserve(struct strict *s, enum ip_family family, size_t n);
/* One path before there is any set to edit: then strict_fill(). */
void strict_load(struct strict *s, const struct live_source *source,
		 const struct ip_prefix *prefix, const struct rib_attr *attr);
/* A path that was received on the edge is one of the best so many for the prefix. */
bool strict_is_among_best(const struct live *live, struct strict *s,
			  const struct ip_prefix *prefix, uint32_t edge, size_t paths);
/* Where the best path that was received on the edge comes among all, from 1 on; 0:
 * none was. */
size_t strict_rank(const struct live *live, struct strict *s,
		   const struct ip_prefix *prefix, uint32_t edge);
/* Fills the new set of an edge of this router, or, NULL, those of all. */
void strict_fill(struct live *live, struct strict *s, struct live_edge *edge);

#endif /* SAV_LIVE_IMPL_H */
