/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * plan - what rules, routes and filters a site needs now.
 *
 * A pure function of the configuration, of what interfaces, addresses and
 * gateways there are, and of which paths live. Rules, in this order (base is
 * the site's rule base, RFC 3704 section 4.3 the purpose):
 *
 *   base+0   own packets of a path (its mark): its table, which ends in prohibit
 *   base+5   our question for the main table's default route by an interface
 *   base+10  flows that came by a path: by it while it lives, ...
 *   base+11  ... else by its provider
 *   base+18  from inside to an inside subnet within a link's: to the next but one
 *   base+20  from inside to the subnet of a link: past the next one
 *   base+40  the main table without its default routes
 *   base+50  the question "is there a more specific route?" ends here
 *   base+60  flows a provider was chosen for: the provider's table
 *   base+70  from inside, source in a provider's prefix: the provider's table
 *   base+74  own traffic from a link's address: by that link
 *   base+75  own traffic from a provider's prefix: the provider's table
 *   base+80  from inside, any other source: prohibited
 *   base+90  own traffic without a bound source: the default provider
 *
 * A provider's table holds its live paths in order of preference, with metrics
 * that rise, and then prohibit: an interface that goes takes its routes along
 * and the next path is in use before anybody is told.
 */
#ifndef SAV_PLAN_H
#define SAV_PLAN_H

#include "agents/links.h"
#include "agents/steer/site.h"

/* ---- what the plan depends on ---- */

/* The default route of the main table by an interface; of families that have none: found false. */
struct steer_gateway {
	uint32_t ifindex;
	bool found[IP_FAMILIES];
	bool has_address[IP_FAMILIES]; /* else point to point */
	struct ip_addr address[IP_FAMILIES];
};

/* What sav-iked says of a tunnel. */
struct steer_tunnel {
	char name[PATH_NAME_SIZE];
	char device[FILTER_IFNAME_SIZE];
	bool up;
	bool carries[IP_FAMILIES]; /* by its selectors */
	struct addrset sources;	   /* which they let in at our end; of no family any: all */
	uint32_t link_mark;
};

struct plan;

struct steer_world {
	const struct link_table *links;
	const struct steer_gateway *gateways;
	size_t n_gateways;
	const struct ip_prefix *delegations; /* of all DHCPv6 clients */
	size_t n_delegations;
	const struct steer_tunnel *tunnels;
	size_t n_tunnels;
	bool tunnels_known; /* sav-iked is there and has said all */
	bool tunnels_away;  /* it has, and is not there now, or has just been started */
	const struct path_state *states; /* PATH_NUMBER_MAX + 1, by number */
	const struct plan *before;	 /* whose choices are kept where they still hold; or NULL */
};

/* ---- the plan ---- */

enum plan_action {
	PLAN_LOOKUP,
	PLAN_GOTO,
	PLAN_NOP,
	PLAN_PROHIBIT,
};

struct plan_rule {
	uint32_t priority;
	uint8_t family;
	uint8_t action;
	bool specific_only; /* suppress_prefixlength 0 */
	bool has_from, has_to;
	char iif[FILTER_IFNAME_SIZE]; /* "": any */
	struct ip_prefix from, to;
	uint32_t mark, mask; /* mask 0: any */
	uint32_t target;     /* table, or priority to go to */
};

struct plan_route {
	uint8_t family;
	bool prohibit, has_gateway, has_source;
	uint32_t table, metric, ifindex;
	struct ip_prefix to;
	struct ip_addr gateway, source;
};

struct plan_path {
	struct path path; /* of one in a VRF: the interface's name, and no more of it */
	char vrf[FILTER_IFNAME_SIZE]; /* "": the default one, which alone is steered */
	uint32_t provider; /* number */
	bool usable[IP_FAMILIES];
	char why[IP_FAMILIES][PATH_REASON_SIZE]; /* not, if so */
	struct ip_prefix *subnets; /* of a link: what is on it */
	size_t n_subnets;
	struct addrset egress; /* sources that may leave by it */
	/* What own packets get that have no source. Of a tunnel the one that probes
	 * have (path.source) can be another one, which only its head knows. */
	bool has_preferred[IP_FAMILIES];
	struct ip_addr preferred[IP_FAMILIES];
};

struct plan_provider {
	uint32_t number;
	char name[PATH_NAME_SIZE];
	struct ip_prefix *prefixes; /* as they are now */
	size_t n_prefixes;
	bool alive[IP_FAMILIES]; /* a path is usable */
	bool nat;
	bool has_nat[IP_FAMILIES];
	struct ip_prefix nat_to[IP_FAMILIES]; /* an address, or a prefix to map to */
	char problem[PATH_REASON_SIZE];	      /* "": none */
	const struct site_provider *config;
};

/* While a completeness probe runs: the one exception to "what may leave". UDP to
 * there, with the path's mark and this priority, which only a socket of a
 * process with CAP_NET_ADMIN has and forwarded packets never. */
struct plan_reach {
	bool on[IP_FAMILIES];
	struct ip_addr to[IP_FAMILIES];
	uint16_t port[IP_FAMILIES];
	uint32_t priority; /* random, of each probe */
};

#define PLAN_PROBLEM_SIZE 160

struct plan {
	const struct site *site; /* the caller's; outlives the plan's use */
	struct plan_path *paths;
	size_t n_paths;
	struct plan_provider *providers; /* the default one first */
	size_t n_providers;
	struct plan_rule *rules; /* by priority */
	size_t n_rules;
	struct plan_route *routes;
	size_t n_routes;
	struct ip_prefix *privates;
	size_t n_privates;
	struct ip_prefix *nested; /* subnets of inside interfaces within a link's subnet */
	size_t n_nested;
	char problem[PLAN_PROBLEM_SIZE]; /* of an inside interface, for people; "": none */
	struct plan_reach reach; /* the caller's, after plan_make() */
};

void plan_make(struct plan *plan, const struct site *site, const struct steer_world *world);
void plan_fini(struct plan *plan);

/* IPv6 subnets of the inside interfaces that may be a provider's: none is ULA or
 * link-local. */
void plan_inside_subnets(const struct site *site, const struct link_table *links,
			 void (*fn)(void *ctx, const struct ip_prefix *subnet), void *ctx);

const struct plan_path *plan_path_find(const struct plan *plan, uint32_t number);
const struct plan_provider *plan_provider_find(const struct plan *plan, uint32_t number);
/* A provider's NAT is usable in this family. */
bool plan_can_nat(const struct plan_provider *p, enum ip_family family);

bool plan_rule_equal(const struct plan_rule *a, const struct plan_rule *b);
bool plan_route_equal(const struct plan_route *a, const struct plan_route *b);
/* Same place in the same table: one replaces the other. */
bool plan_route_same_key(const struct plan_route *a, const struct plan_route *b);
/* As ip(8) writes them. */
#define PLAN_TEXT_SIZE 320
const char *plan_rule_format(const struct plan_rule *r, char buf[PLAN_TEXT_SIZE]);
const char *plan_route_format(const struct plan_route *r, const char *device,
			      char buf[PLAN_TEXT_SIZE]);

#endif /* SAV_PLAN_H */
