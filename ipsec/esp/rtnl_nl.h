/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * rtnl - a question about an interface to the kernel, and its answer.
 */
#ifndef SAV_RTNL_NL_H
#define SAV_RTNL_NL_H

#include <stdint.h>

struct nl_msg;
struct nlattr;
struct nlmsghdr;

/* A message about interfaces (struct ifinfomsg); of the one of that name unless it
 * is NULL. */
struct nl_msg *rtnl_link(int type, int flags, const char *name);
/* Sends and frees it, and waits: for the acknowledgement (NLM_F_ACK), or for all
 * answers, of which each goes to got. 0 or -errno. */
int rtnl_talk(struct nl_msg *msg, void (*got)(void *ctx, struct nlmsghdr *h), void *ctx);

/* Deletes the interface of that name, whatever it is. */
void rtnl_link_del(const char *name);

/* IFLA_INFO_DATA of an answer about an interface of that kind, else NULL. */
struct nlattr *rtnl_kind_data(struct nlmsghdr *h, const char *kind);

#endif /* SAV_RTNL_NL_H */
