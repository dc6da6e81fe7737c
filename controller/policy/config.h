/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * config - the operator's policy: routers, customers, edges, own space.
 *
 * A value in memory that changes only through config_*_put/_del: each checks
 * the whole change, hands it to the sink (the store's transaction), and only
 * then alters the value and tells the watcher. A refused change leaves
 * everything as it was. The commands and sav-replay's files end here alike.
 */
#ifndef SAV_CONFIG_H
#define SAV_CONFIG_H

#include "controller/policy/config_bmp.h"
#include "controller/policy/config_feed.h"
#include "controller/policy/config_radius.h"
#include "controller/policy/config_record.h"
#include "lib/diag.h"
#include "lib/filter.h"
#include "lib/name.h"

#define CONFIG_NAME_SIZE NAME_SIZE

enum edge_role {
	ROLE_NONE, /* not said yet: the edge is not active */
	ROLE_CUSTOMER,
	ROLE_STUB,
	ROLE_HOST,
	ROLE_PEER,
	ROLE_PROVIDER,
	ROLE_INTERNAL,
};

enum edge_mode {
	MODE_DEFAULT, /* by role: config_edge_mode() */
	MODE_ACL,
	MODE_STRICT,
	MODE_STRICT_DIRECT,
	MODE_FEASIBLE,
	MODE_EFP_A,
	MODE_EFP_B,
	MODE_LOOSE,
	MODE_LOOSE_NO_DEFAULT,
	MODE_EGRESS,
	MODE_OFF,
};

enum stale_policy {
	STALE_HOLD,
	STALE_LOOSE,
	STALE_OFF,
};

#define CONFIG_BGP_PORT		 179
#define CONFIG_BGP_PASSWORD_SIZE 81 /* Linux takes keys of 80 bytes (RFC 2385) */

/* The router's own BGP session with us; it is internal, so one AS for both. */
struct config_bgp {
	struct ip_addr addr;
	uint32_t as; /* 0: there is no session */
	uint16_t port;
	char password[CONFIG_BGP_PASSWORD_SIZE]; /* TCP MD5; "" none */
};

struct config_router {
	char name[CONFIG_NAME_SIZE];
	struct config_bgp bgp;
	struct ip_addr *bmp_sources; /* where its BMP may come from; none: anywhere */
	size_t n_bmp_sources;
	struct ip_addr *excluded; /* peers that no edge waits for */
	size_t n_excluded;
	bool exclude_bgp;     /* no edge waits for this router's BGP */
	uint32_t bmp_stats_s; /* how often its BMP reports statistics; 0: not said */
	uint32_t redump_s;    /* its table is asked for anew so often; 0: never */
};

#define CONFIG_STATS_MAX_S  86400
#define CONFIG_REDUMP_MIN_S 600 /* more often is never asked */
#define CONFIG_REDUMP_MAX_S ((uint32_t)30 * 86400)

struct config_customer {
	char name[CONFIG_NAME_SIZE];
	uint32_t as; /* 0: not said */
	struct ip_prefix *prefixes; /* the record, as it counts now */
	size_t n_prefixes;
	struct config_term *terms; /* statements with a period or a confirmed overlap */
	size_t n_terms;
};

#define CONFIG_HOLDDOWN_S     900   /* RFC 8704 sec. 3.6.2 leaves the figure open */
#define CONFIG_HOLDDOWN_MAX_S 86400
#define CONFIG_BRAKE_SHRINK   50 /* percent of the 24 h maximum */
#define CONFIG_BRAKE_GROWTH   1000
#define CONFIG_BRAKE_GROWTH_MAX 100000
#define CONFIG_STALE_S	      86400
#define CONFIG_PATHS_MAX      64 /* of mode feasible */

struct config_edge {
	char router[CONFIG_NAME_SIZE];
	char interface[FILTER_IFNAME_SIZE];
	char customer[CONFIG_NAME_SIZE]; /* "" none */
	enum edge_role role;
	enum edge_mode mode;
	uint32_t feasible_paths; /* mode feasible: the best so many; 0: all */
	enum filter_action action; /* FILTER_OBSERVE at first */
	struct ip_addr *peers;	   /* explicit `peer` statements */
	size_t n_peers;
	struct ip_prefix *prefixes; /* exceptions: always accepted */
	size_t n_prefixes;
	uint32_t holddown_s;
	uint32_t brake_shrink_percent;
	uint32_t brake_growth_percent; /* 0: no brake */
	uint32_t stale_s;
	enum stale_policy stale_policy;
	enum edge_pending pending;	/* while no RADIUS session is there */
	char profile[CONFIG_NAME_SIZE]; /* asked for by RADIUS; "" none */
};

struct config_listen {
	struct ip_addr addr;
	uint16_t port;
};

/* How much of the past is kept. */
struct config_history {
	uint32_t days, megabytes;
};
#define CONFIG_HISTORY_DAYS	 30
#define CONFIG_HISTORY_DAYS_MAX	 3650
#define CONFIG_HISTORY_MEGABYTES 512
#define CONFIG_HISTORY_MEGABYTES_MAX 1048576

/* Where accepted changes become durable. Each returns 0, or -1 with diag and
 * nothing changed on disk. NULL old: a new object; NULL new: removed. */
struct config_sink {
	int (*router)(void *ctx, const char *name, const struct config_router *new,
		      struct diag *diag);
	int (*customer)(void *ctx, const char *name, const struct config_customer *new,
			struct diag *diag);
	int (*edge)(void *ctx, const char *router, const char *interface,
		    const struct config_edge *new, struct diag *diag);
	/* add or remove one row of a plain list */
	int (*own_prefix)(void *ctx, const struct ip_prefix *p, bool add, struct diag *diag);
	int (*permit)(void *ctx, const struct ip_prefix *p, bool add, struct diag *diag);
	int (*bmp_listen)(void *ctx, const struct config_listen *l, bool add,
			  struct diag *diag);
	int (*agent_listen)(void *ctx, const struct config_listen *l, bool add,
			    struct diag *diag);
	int (*metrics_listen)(void *ctx, const struct config_listen *l, bool add,
			      struct diag *diag);
	/* add: insert or replace */
	int (*bmp_allow)(void *ctx, const struct config_bmp_allow *a, bool add,
			 struct diag *diag);
	int (*max_paths)(void *ctx, uint32_t max_paths, struct diag *diag);
	int (*history)(void *ctx, const struct config_history *new, struct diag *diag);
	int (*radius_client)(void *ctx, const char *name,
			     const struct config_radius_client *new, struct diag *diag);
	int (*radius_rule)(void *ctx, uint32_t number, const struct config_radius_rule *new,
			   struct diag *diag);
	int (*radius_server)(void *ctx, const struct config_radius_server *s, bool add,
			     struct diag *diag);
	int (*radius_listen)(void *ctx, const struct config_radius_listen *l, bool add,
			     struct diag *diag);
	int (*radius_settings)(void *ctx, const struct config_radius_settings *new,
			       struct diag *diag);
};

enum config_part {
	CONFIG_ROUTER,
	CONFIG_CUSTOMER,
	CONFIG_EDGE,
	CONFIG_SPACE, /* own prefixes, permits */
	CONFIG_LISTEN,
	CONFIG_FEED, /* bounds on feeds */
};
#define CONFIG_PARTS (CONFIG_FEED + 1)
/* For CONFIG_EDGE router and interface name the edge; else they are NULL or
 * the router's name. CONFIG_ROUTER and CONFIG_EDGE without: several, or all. */
typedef void config_watch_fn(enum config_part part, const char *router,
			     const char *interface, void *arg);

struct config {
	struct config_router *routers; /* all arrays sorted by name / key */
	size_t n_routers;
	struct config_customer *customers;
	size_t n_customers;
	struct config_edge *edges;
	size_t n_edges;
	struct ip_prefix *own;
	size_t n_own;
	struct ip_prefix *permits;
	size_t n_permits;
	struct config_listen *bmp_listens;
	size_t n_bmp_listens;
	struct config_listen *agent_listens;
	size_t n_agent_listens;
	struct config_listen *metrics_listens;
	size_t n_metrics_listens;
	struct config_bmp_allow *bmp_allows;
	size_t n_bmp_allows;
	uint32_t max_paths; /* 0: config_max_paths() has the default */
	struct config_radius radius; /* with a watch of its own */
	struct config_history history; /* 0: the defaults */
	struct config_records *records; /* of config_record.c */
	int64_t now_s; /* config_set_time(): terms are judged by it */
	bool trusts;   /* what comes was accepted before: overlaps are confirmed */

	const struct config_sink *sink; /* NULL: memory only */
	void *sink_ctx;
	/* before: the change is checked but not made; watch: it is made. NULL: nobody */
	config_watch_fn *before;
	config_watch_fn *watch;
	void *watch_arg;
};

void config_init(struct config *cfg);
void config_fini(struct config *cfg);
/* A deep copy in memory only: no sink, nobody watching. */
void config_clone(struct config *dst, const struct config *src);

const struct config_router *config_router_find(const struct config *cfg, const char *name);
const struct config_customer *config_customer_find(const struct config *cfg,
						    const char *name);
const struct config_edge *config_edge_find(const struct config *cfg, const char *router,
					   const char *interface);
/* The edge of this router whose `peer` statements name the address, or NULL. */
const struct config_edge *config_edge_by_peer(const struct config *cfg, const char *router,
					      const struct ip_addr *peer);

/* Insert or replace. The argument is copied. 0, or -1 with diag. */
int config_router_put(struct config *cfg, const struct config_router *r, struct diag *diag);
int config_customer_put(struct config *cfg, const struct config_customer *c,
			struct diag *diag);
int config_edge_put(struct config *cfg, const struct config_edge *e, struct diag *diag);
int config_router_del(struct config *cfg, const char *name, struct diag *diag);
int config_customer_del(struct config *cfg, const char *name, struct diag *diag);
int config_edge_del(struct config *cfg, const char *router, const char *interface,
		    struct diag *diag);
int config_own_set(struct config *cfg, const struct ip_prefix *p, bool add,
		   struct diag *diag);
int config_permit_set(struct config *cfg, const struct ip_prefix *p, bool add,
		      struct diag *diag);
int config_bmp_listen_set(struct config *cfg, const struct config_listen *l, bool add,
			  struct diag *diag);
int config_agent_listen_set(struct config *cfg, const struct config_listen *l, bool add,
			    struct diag *diag);
int config_metrics_listen_set(struct config *cfg, const struct config_listen *l, bool add,
			      struct diag *diag);

/* Values of 0 stand for the defaults. */
int config_history_set(struct config *cfg, const struct config_history *h,
		       struct diag *diag);
struct config_history config_history_get(const struct config *cfg);

/* Empty objects with their defaults, and deep copies for editing. */
void config_edge_init(struct config_edge *e, const char *router, const char *interface);
void config_edge_copy(struct config_edge *dst, const struct config_edge *src);
void config_edge_fini(struct config_edge *e);
void config_customer_copy(struct config_customer *dst, const struct config_customer *src);
void config_customer_fini(struct config_customer *c);
void config_router_copy(struct config_router *dst, const struct config_router *src);
void config_router_fini(struct config_router *r);

/* Set semantics for the arrays above: false when there was nothing to do. */
bool config_prefixes_set(struct ip_prefix **list, size_t *n, const struct ip_prefix *p,
			 bool add);
bool config_addrs_set(struct ip_addr **list, size_t *n, const struct ip_addr *a, bool add);

/* The mode in force: as configured, else by role (RFC 8704 sec. 3.7). */
enum edge_mode config_edge_mode(const struct config_edge *e);
/* Customer and stub edges: whose routes make up Set A and P (RFC 8704 3.1.1, 3.4). */
bool config_edge_is_customer(const struct config_edge *e);

const char *edge_role_name(enum edge_role role); /* "" for ROLE_NONE */
bool edge_role_parse(const char *text, enum edge_role *role);
const char *edge_mode_name(enum edge_mode mode); /* "" for MODE_DEFAULT */
/* The mode in force as the command says it: "feasible paths 3". */
#define EDGE_MODE_TEXT_SIZE 32
const char *edge_mode_text(const struct config_edge *e, char text[EDGE_MODE_TEXT_SIZE]);
bool edge_mode_parse(const char *text, enum edge_mode *mode);
const char *stale_policy_name(enum stale_policy policy);
bool stale_policy_parse(const char *text, enum stale_policy *policy);

#endif /* SAV_CONFIG_H */
