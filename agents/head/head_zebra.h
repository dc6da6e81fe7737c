/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * head_zebra - routes to zebra over its API: added, withdrawn, and what became of them.
 *
 * They are of the type "nhrp": routes to the interfaces of tunnels that come and go.
 * Nobody else's have it where nhrpd does not run, so that "redistribute nhrp" means
 * these and no other; zebra knows no type of ours, and bgpd redistributes none of
 * those that have no daemon ("sharp"). zebra takes them away when the connection ends,
 * unless graceful restart was agreed upon.
 */
#ifndef SAV_HEAD_ZEBRA_H
#define SAV_HEAD_ZEBRA_H

#include "agents/head/head.h"

struct event_loop;
struct zebra_privs_t;

struct head_zebra_ops {
	void (*connected)(void *ctx); /* a new zebra, which has no route of ours */
	void (*fate)(void *ctx, const struct ip_prefix *prefix, uint32_t table, enum head_fate fate);
	void (*note)(void *ctx, bool alarm, const char *text);
};

/* Connects, and again whenever the connection has ended. */
void head_zebra_start(struct event_loop *loop, struct zebra_privs_t *privs, const struct head_zebra_ops *ops, void *ctx);
void head_zebra_stop(void);
bool head_zebra_is_up(void);
/* Why not: "" it is, or nobody wants it. */
const char *head_zebra_error(void);
const char *head_zebra_path(void);

/* One route; nothing happens while there is no connection. config says how strong. */
void head_zebra_route(const struct head_route *route, bool add, const struct head_config *config);
/* Keep our routes so long when the connection ends; 0: remove them. */
void head_zebra_graceful(uint32_t seconds);
/* All that shall be there was sent: what a predecessor left besides can go. */
void head_zebra_complete(void);

#endif /* SAV_HEAD_ZEBRA_H */
