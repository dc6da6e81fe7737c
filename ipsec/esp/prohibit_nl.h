/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * prohibit_nl - routes of last resort: what has no better one is refused, and not
 * sent by the default route.
 *
 * They are in the main table, with the highest metric and a protocol number of
 * their own, and stay when the program ends. Needs CAP_NET_ADMIN, but for the list.
 */
#ifndef SAV_PROHIBIT_NL_H
#define SAV_PROHIBIT_NL_H

#include <stdbool.h>

#include "lib/diag.h"
#include "lib/ip.h"

/* As in /etc/iproute2/rt_protos; sav-agent's is 79. */
#define PROHIBIT_NL_PROTOCOL 80

/* One that is there already, or is gone already, is no error. */
int prohibit_set(bool there, const struct ip_prefix *prefix, struct diag *diag);

/* Those that are there, in no order. The kernel sends no others. */
void prohibit_each(void (*fn)(void *ctx, const struct ip_prefix *prefix), void *ctx);

/* Tells of each that goes, whoever deleted it, this process too. by: the netlink port
 * of who did, as a rule the number of a process; 0: the kernel by itself. A filter
 * in the kernel keeps all other routes away, which may be a thousand a second. */
struct prohibit_watch;
typedef void prohibit_gone_fn(void *ctx, const struct ip_prefix *prefix, uint32_t by);
/* NULL with the reason. Needs no privileges. */
struct prohibit_watch *prohibit_watch_new(prohibit_gone_fn *gone, void *ctx, struct diag *diag);
void prohibit_watch_free(struct prohibit_watch *watch);
int prohibit_watch_fd(const struct prohibit_watch *watch); /* when it is readable: */
/* False: they were too many, and some are not told. */
bool prohibit_watch_ready(struct prohibit_watch *watch);

#endif /* SAV_PROHIBIT_NL_H */
