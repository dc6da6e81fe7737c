/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * config_radius - the operator's part of RADIUS provisioning: who may speak to
 * us, how a session is brought to an edge, which prefixes are believed.
 *
 * Part of struct config and changed as the rest of it: each call checks the
 * whole change, hands it to the sink, and only then makes and tells it.
 */
#ifndef SAV_CONFIG_RADIUS_H
#define SAV_CONFIG_RADIUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/diag.h"
#include "lib/filter.h"
#include "lib/ip.h"
#include "lib/name.h"

struct config;

#define RADIUS_PORT_ACCOUNTING 1813 /* RFC 2866 */
#define RADIUS_PORT_DYNAMIC    3799 /* RFC 5176 */
#define RADIUS_PORT_ACCESS     1812 /* RFC 2865 */
#define RADIUS_SECRET_SIZE     129
#define RADIUS_PATTERN_SIZE    128
/* The number for documentation (RFC 5612): OpenSAV has none of its own. */
#define RADIUS_VENDOR 32473

/* Who sends accounting requests, and CoA and Disconnect if it may. */
struct config_radius_client {
	char name[NAME_SIZE];
	char secret[RADIUS_SECRET_SIZE]; /* "": nothing is accepted from it */
	char router[NAME_SIZE];		 /* of sessions that no rule is for: interface is
					  * NAS-Port-Id; "": such sessions have no edge */
	struct ip_prefix *addresses;	 /* where its packets come from; disjoint from others' */
	size_t n_addresses;
	struct ip_prefix *pool; /* what its sessions may have; empty: nothing */
	size_t n_pool;
	bool message_authenticator; /* each request must carry one */
	bool dynamic_authorization; /* may send CoA and Disconnect, for all sessions */
};

/* The first by number whose patterns all match decides. Patterns are those of a
 * shell: * and ?; "" matches always. */
struct config_radius_rule {
	uint32_t number; /* 1..65535 */
	char client[RADIUS_PATTERN_SIZE];
	char nas[RADIUS_PATTERN_SIZE];	   /* NAS-Identifier, else its address */
	char port[RADIUS_PATTERN_SIZE];	   /* NAS-Port-Id, else NAS-Port */
	char station[RADIUS_PATTERN_SIZE]; /* Calling-Station-Id */
	uint32_t vendor;		   /* 0: a standard attribute */
	uint8_t attribute;		   /* 0: none is asked for */
	char value[RADIUS_PATTERN_SIZE];   /* of it */
	char router[NAME_SIZE];		   /* the edge; "": not said, matches nothing */
	/* %p is NAS-Port-Id, %n NAS-Port, %a the attribute's value, %% a % */
	char interface[RADIUS_PATTERN_SIZE];
	uint8_t create; /* enum edge_role: make the edge if it is not there; ROLE_NONE: not */
};

struct config_radius_server {
	struct ip_addr addr;
	uint16_t port;
	char secret[RADIUS_SECRET_SIZE];
};

struct config_radius_listen {
	bool dynamic; /* for CoA and Disconnect, else for accounting */
	struct ip_addr addr;
	uint16_t port;
};

/* Two sessions claim one prefix: who has it. */
enum radius_conflict {
	RADIUS_NEWEST,
	RADIUS_REFUSE, /* the one that had it first */
	RADIUS_BOTH,
};

struct config_radius_settings {
	enum radius_conflict conflict;
	uint32_t window_s;	 /* Event-Timestamp may differ so much; 0: not looked at */
	uint32_t silence_s;	 /* no Interim-Update for so long: lost; 0: never */
	uint32_t silence_hold_s; /* and so much later its prefixes go */
	uint32_t vendor;	 /* of OpenSAV's own attributes */
	char profile_user[RADIUS_PATTERN_SIZE]; /* %n name, %r router, %i interface */
	char profile_password[RADIUS_SECRET_SIZE];
	uint32_t profile_refresh_s;
	/* of a session's prefixes; what is outside is refused */
	uint8_t min_len[IP_FAMILIES], max_len[IP_FAMILIES];
};

enum edge_pending {
	PENDING_NONE,	 /* not said: as PENDING_OBSERVE once a session was there and
			  * nothing else is admitted */
	PENDING_OBSERVE, /* without a session the edge only counts */
	PENDING_DROP,	 /* without a session it drops what else is not admitted */
};
const char *edge_pending_name(enum edge_pending pending); /* "" for PENDING_NONE */
bool edge_pending_parse(const char *text, enum edge_pending *pending);
const char *radius_conflict_name(enum radius_conflict conflict);
bool radius_conflict_parse(const char *text, enum radius_conflict *conflict);

struct config_radius {
	struct config_radius_client *clients; /* by name */
	size_t n_clients;
	struct config_radius_rule *rules; /* by number */
	size_t n_rules;
	struct config_radius_server *servers; /* by address; asked in this order */
	size_t n_servers;
	struct config_radius_listen *listens;
	size_t n_listens;
	struct config_radius_settings settings;

	/* A change is made. NULL: nobody looks. */
	void (*watch)(void *arg);
	void *watch_arg;
};

void config_radius_init(struct config_radius *r);
void config_radius_fini(struct config_radius *r); /* wipes secrets */
/* A deep copy; nobody watches it. */
void config_radius_copy(struct config_radius *dst, const struct config_radius *src);
void config_radius_settings_init(struct config_radius_settings *s);

const struct config_radius_client *config_radius_client_find(const struct config *cfg,
							     const char *name);
/* Whose packet it is, by its source; NULL: nobody's. */
const struct config_radius_client *
config_radius_client_by_addr(const struct config *cfg, const struct ip_addr *addr);
const struct config_radius_rule *config_radius_rule_find(const struct config *cfg,
							 uint32_t number);
void config_radius_client_copy(struct config_radius_client *dst,
			       const struct config_radius_client *src);
void config_radius_client_fini(struct config_radius_client *c);

/* As config_*_put and _del of config.h: 0, or -1 with diag. */
int config_radius_client_put(struct config *cfg, const struct config_radius_client *c,
			     struct diag *diag);
int config_radius_client_del(struct config *cfg, const char *name, struct diag *diag);
int config_radius_rule_put(struct config *cfg, const struct config_radius_rule *r,
			   struct diag *diag);
int config_radius_rule_del(struct config *cfg, uint32_t number, struct diag *diag);
/* One per address and port; add replaces the secret. */
int config_radius_server_set(struct config *cfg, const struct config_radius_server *s,
			     bool add, struct diag *diag);
int config_radius_listen_set(struct config *cfg, const struct config_radius_listen *l,
			     bool add, struct diag *diag);
int config_radius_settings_put(struct config *cfg, const struct config_radius_settings *s,
			       struct diag *diag);

#endif /* SAV_CONFIG_RADIUS_H */
