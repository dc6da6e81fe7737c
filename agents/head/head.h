/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * head - which prefixes a provider's head end announces: those of each client, while
 * its tunnel lives.
 *
 * sav-iked's tunnels and the configuration in, routes out; no sockets and no clock.
 * Times are milliseconds of one monotonic clock.
 *
 * What a tunnel carries from the client at any port and protocol is announced, as the
 * minimal prefixes; the default route never is. A tunnel that goes down is withdrawn
 * at once, and not announced again before a hold since then, so that one that flaps
 * does not flap the network; the first time it is announced at once. Two clients with
 * one prefix in one table: who was first has it, the other when that one has gone.
 *
 * Source: RFC 2260 5.2 and RFC 3178 3: the prefix of a site whose link to this provider
 * is dead comes in by a tunnel over another provider.
 */
#ifndef SAV_HEAD_H
#define SAV_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/diag.h"
#include "lib/ip.h"
#include "schema/tunnel_update.h"

#define HEAD_DISTANCE	    210 /* weaker than iBGP's 200 */
#define HEAD_HOLD_S	    10
#define HEAD_PREFIXES_MAX   256 /* of one client */

/* A tunnel of sav-iked's, or one whose clients are meant. */
struct head_announce {
	char name[NAME_SIZE]; /* first: the key */
	uint32_t table;	      /* of the routes; 0: the main one */
};

struct head_config {
	struct head_announce *list; /* sorted by name */
	size_t n;
	uint32_t distance;   /* 1 to 254 */
	uint32_t tag;	    /* 0: none */
	uint32_t hold_s;
	uint32_t graceful_s; /* zebra keeps routes so long when this daemon ends; 0: no time */
};

void head_config_init(struct head_config *config);
void head_config_fini(struct head_config *config);
/* -1: the name is none, or it is not there; or routes would outlive this daemon in
 * another table than the main one, which is the only one where zebra clears what was
 * left (zebra_gr.c of FRR). */
int head_config_announce(struct head_config *config, const char *name, uint32_t table, struct diag *diag);
int head_config_silence(struct head_config *config, const char *name, struct diag *diag);
int head_config_graceful(struct head_config *config, uint32_t seconds, struct diag *diag);

struct head_route {
	struct ip_prefix prefix;
	uint32_t table;	  /* 0: the main one */
	uint32_t ifindex; /* of the tunnel's interface */
};

/* What zebra made of a route. */
enum head_fate {
	HEAD_STANDBY,	/* there is a better route; zebra tells of no other */
	HEAD_IN_USE,	/* packets go that way */
	HEAD_REFUSED,	/* the kernel did not take it */
};

/* A route for zebra, or no more. The config's distance and tag go with it. */
typedef void head_route_fn(void *ctx, const struct head_route *route, bool add);

/* A client is announced from now on, or no more. why: "" it is. */
typedef void head_note_fn(void *ctx, const char *client, size_t prefixes, const char *why);

struct head;

/* config stays the caller's: head_configured() when it has changed. */
struct head *head_new(const struct head_config *config, head_route_fn *route, head_note_fn *note, void *ctx);
void head_free(struct head *head); /* withdraws nothing */

void head_configured(struct head *head, int64_t now_ms);

/* sav-iked's word. A snapshot is between head_snapshot() and TUNNEL_UPDATE_COMPLETE:
 * what is not in it is gone. */
void head_snapshot(struct head *head);
void head_update(struct head *head, const struct tunnel_update *update, int64_t now_ms);
/* It is gone: what was known, as a whole or not, holds for a while, and longer only
 * what a new snapshot tells meanwhile. */
void head_lost(struct head *head, int64_t now_ms);

/* zebra's word on a route; and all routes again: for a new one, which knows none, or
 * with another distance or tag. */
void head_fate(struct head *head, const struct ip_prefix *prefix, uint32_t table, enum head_fate fate);
void head_resend(struct head *head, bool to_new);

/* Does what is due; when to come again, INT64_MAX: not before an event. */
int64_t head_run(struct head *head, int64_t now_ms);

/* ---- for show */

struct head_row {
	const char *name, *of, *identity, *interface;
	uint32_t ifindex, table;
	bool up;
	int64_t since_s; /* since 1970, 0: not known */
	const char *why; /* nothing, or not all, is announced; "": all is */
	int64_t held_ms; /* still to wait, 0: not held */
};
typedef void head_prefix_fn(void *ctx, const struct ip_prefix *prefix, bool announced, enum head_fate fate);

/* Clients that are to be announced, by name. */
void head_each(const struct head *head, int64_t now_ms, void (*fn)(void *ctx, const struct head_row *row, const void *client),
	       void *ctx);
/* client: as given to that function, and good as long. */
void head_each_prefix(const void *client, head_prefix_fn *fn, void *ctx);
const char *head_fate_name(enum head_fate fate);

struct head_totals {
	size_t clients, up, held, announced, in_use; /* prefixes, the last two */
	bool known;  /* a snapshot was complete */
	uint64_t added, withdrawn;
};
void head_totals(const struct head *head, int64_t now_ms, struct head_totals *out);

#endif /* SAV_HEAD_H */
