/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * rules_nl_msg - rules and routes as rtnetlink messages. No sockets.
 */
#ifndef SAV_RULES_NL_MSG_H
#define SAV_RULES_NL_MSG_H

#include "agents/steer/plan.h"

struct nlmsghdr;

/* Into buf, 512 bytes. add: else the message deletes. */
struct nlmsghdr *rules_nl_put_rule(char buf[512], const struct plan_rule *r, uint8_t protocol,
				   bool add);
struct nlmsghdr *rules_nl_put_route(char buf[512], const struct plan_route *r, uint8_t protocol,
				    bool add);
/* False: not of this protocol, or not one that we would make; it is then
 * somebody else's. */
bool rules_nl_read_rule(const struct nlmsghdr *nlh, uint8_t protocol, struct plan_rule *r);
bool rules_nl_read_route(const struct nlmsghdr *nlh, uint8_t protocol, struct plan_route *r);
/* The default route of the main table by this interface, if that is what it is. */
void rules_nl_read_default(const struct nlmsghdr *nlh, uint32_t ifindex,
			   struct steer_gateway *out);

enum rules_nl_kind {
	RULES_NL_NOTHING,
	RULES_NL_DEFAULT,
	RULES_NL_OURS,
	RULES_NL_DELEGATION, /* *p is what was delegated */
};
enum rules_nl_kind rules_nl_read_news(const struct nlmsghdr *nlh, uint8_t protocol,
				      struct ip_prefix *p);

#endif /* SAV_RULES_NL_MSG_H */
