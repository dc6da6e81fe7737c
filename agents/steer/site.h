/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * site - a site with several providers, as the operator writes it.
 *
 * Typed line by line, each line takes effect at once; what can never work is
 * refused at the line that would make it so, with the place and the remedy.
 * Numbers name providers and paths in tables and marks. They are given at the
 * first mention, kept in the configuration and never moved, so that marks of
 * flows and of other daemons' sockets mean the same after a restart.
 *
 * Values only: no kernel, no clock.
 */
#ifndef SAV_SITE_H
#define SAV_SITE_H

#include "agents/steer/path.h"
#include "lib/diag.h"

#define SITE_NUMBER_MAX	  PATH_NUMBER_MAX
#define SITE_INSIDES_MAX  32
#define SITE_PREFIXES_MAX 64 /* of one provider, and private ones */
#define SITE_FORWARDS_MAX 64
#define SITE_PREFER_LINK   100
#define SITE_PREFER_TUNNEL 200

/* Where a provider's prefix comes from. */
enum site_source {
	SITE_STATIC,
	SITE_ADDRESS,	 /* the addresses of a link: DHCP, SLAAC */
	SITE_DELEGATION, /* DHCPv6: what a client has put into the routing table */
};

struct site_prefix {
	enum site_source source;
	struct ip_prefix prefix;       /* static; of a delegation: it lies within, or ::/0 */
	char link[FILTER_IFNAME_SIZE]; /* else "" */
};

struct site_path {
	uint32_t number;
	enum path_kind kind;
	uint8_t preference; /* the lowest is taken; 0: SITE_PREFER_... by its kind */
	char name[PATH_NAME_SIZE];
	char via[PATH_NAME_SIZE];	 /* of a tunnel */
	char device[FILTER_IFNAME_SIZE]; /* of a tunnel: "" as sav-iked says, else as named */
	bool has_gateway[IP_FAMILIES];	 /* of a link */
	struct ip_addr gateway[IP_FAMILIES];
	bool has_head[IP_FAMILIES]; /* of a tunnel */
	struct ip_addr head[IP_FAMILIES];
};

struct site_forward {
	uint8_t protocol; /* TCP or UDP */
	uint16_t port, to_port;
	struct ip_addr to;
};

struct site_provider {
	uint32_t number;
	char name[PATH_NAME_SIZE];
	struct site_prefix *prefixes;
	size_t n_prefixes;
	struct site_path *paths; /* by preference, then as typed */
	size_t n_paths;
	bool nat; /* private sources are translated */
	bool has_nat_to[IP_FAMILIES];
	struct ip_addr nat_to[IP_FAMILIES];
	struct site_forward *forwards;
	size_t n_forwards;
	struct path_watch watch;
};

/* The completeness probe: who says what has arrived (reach.h), by family. */
struct site_reach {
	bool has[IP_FAMILIES];
	struct ip_addr to[IP_FAMILIES];
	uint16_t port[IP_FAMILIES];
	char key[IP_FAMILIES][PATH_HOOK_SIZE]; /* file */
	bool has_back[IP_FAMILIES];	       /* else the source of a path in use */
	struct ip_addr back[IP_FAMILIES];
	uint32_t every_min; /* 0: by hand only */
};

struct site {
	char insides[SITE_INSIDES_MAX][FILTER_IFNAME_SIZE];
	size_t n_insides;
	struct ip_prefix privates[SITE_PREFIXES_MAX];
	size_t n_privates; /* 0: RFC 1918, and ULA that is on the inside interfaces */
	char default_provider[PATH_NAME_SIZE];
	uint32_t table_base, rule_base;
	uint32_t mark_mask; /* eight bits side by side */
	struct site_provider *providers;
	size_t n_providers;
	struct site_reach reach;
};

#define SITE_TABLE_BASE 26300
#define SITE_TABLES	(4 * (SITE_NUMBER_MAX + 1))
#define SITE_RULE_BASE	1000
#define SITE_RULES	100
#define SITE_MARK_MASK	0x00ff0000u

void site_init(struct site *s);
void site_fini(struct site *s);
/* Is anything to be steered? Without providers nothing of ours is in the kernel. */
bool site_is_used(const struct site *s);

struct site_provider *site_provider_find(const struct site *s, const char *name);
/* Makes it if it is not there; number 0: the lowest free one. */
struct site_provider *site_provider_get(struct site *s, const char *name, struct diag *diag);
int site_provider_del(struct site *s, const char *name, struct diag *diag);
int site_provider_number(struct site *s, struct site_provider *p, uint32_t number,
			 struct diag *diag);

int site_inside(struct site *s, const char *interface, bool add, struct diag *diag);
int site_private(struct site *s, const struct ip_prefix *prefix, bool add, struct diag *diag);
int site_mark_mask(struct site *s, uint32_t mask, struct diag *diag);
int site_table_base(struct site *s, uint32_t base, struct diag *diag);
int site_rule_base(struct site *s, uint32_t base, struct diag *diag);

/* It can be a part of what a provider delegates: within its block, and in no static
 * prefix. */
bool site_may_delegate(const struct site *s, const struct ip_prefix *subnet);

int site_prefix(struct site *s, struct site_provider *p, const struct site_prefix *prefix,
		bool add, struct diag *diag);
/* A path that is there keeps its place and its number when the number is 0. */
int site_path_put(struct site *s, struct site_provider *p, const struct site_path *path,
		  struct diag *diag);
int site_path_del(struct site *s, struct site_provider *p, enum path_kind kind,
		  const char *name, struct diag *diag);
/* Why this interface cannot be that tunnel's, for people; NULL: it can. */
const char *site_not_for_tunnel(const struct site *s, const char *interface, const char *tunnel);
/* A name that an inside interface or a link ("word") can have? */
int site_check_interface(const struct site *s, const char *word, const char *interface,
			 struct diag *diag);
/* Any provider's; owner may be NULL. */
const struct site_path *site_path_find(const struct site *s, enum path_kind kind,
				       const char *name, const struct site_provider **owner);
int site_forward(struct site *s, struct site_provider *p, const struct site_forward *f,
		 bool add, struct diag *diag);
int site_nat_to(struct site *s, struct site_provider *p, const struct ip_addr *to,
		struct diag *diag);
/* What is unfinished and does not work yet, for people; NULL: nothing. */
const char *site_missing(const struct site *s);

/* Marks: own packets of a path; flows that came by a path; flows that a
 * provider was chosen for; questions: 0 "is there a more specific route", 1 what
 * the main table says. */
enum site_mark {
	SITE_MARK_PATH,
	SITE_MARK_FLOW,
	SITE_MARK_PROVIDER,
	SITE_MARK_QUESTION,
};
uint32_t site_mark(const struct site *s, enum site_mark kind, uint32_t number);
/* Tables: of a provider; of a path's own packets; of flows that came by it;
 * SITE_MARK_QUESTION: of this machine's own traffic. */
uint32_t site_table(const struct site *s, enum site_mark kind, uint32_t number);

#endif /* SAV_SITE_H */
