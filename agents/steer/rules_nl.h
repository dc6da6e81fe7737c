/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * rules_nl - the plan's rules and routes in the kernel, by rtnetlink.
 *
 * What is ours is known by its protocol number: rules of any priority, and
 * routes in the site's own tables. Nothing else is touched, and no other table
 * is read: dumps are filtered to one table of ours at a time (NETLINK_GET_STRICT_CHK).
 * Of the main table's changes a filter in the kernel lets through the default
 * routes and DHCPv6 clients' delegations; what the default route by an interface is,
 * is then asked with one query.
 */
#ifndef SAV_RULES_NL_H
#define SAV_RULES_NL_H

#include "agents/steer/plan.h"

#define RULES_NL_PROTOCOL 79 /* of routes and rules, as in /etc/iproute2/rt_protos */

struct rules_nl;

/* privileges may be NULL. */
struct rules_nl *rules_nl_open(void (*privileges)(bool raise), struct diag *diag);
void rules_nl_close(struct rules_nl *nl); /* changes nothing */

/* To what the plan says: first what lacks, then away with what is too much. -1:
 * the kernel refused something (diag: the first of them); try again. */
int rules_nl_apply(struct rules_nl *nl, const struct plan *plan, struct diag *diag);

/* The default route of the main table by this interface. */
void rules_nl_gateway(struct rules_nl *nl, const struct site *site, uint32_t ifindex,
		      struct steer_gateway *out);

int rules_nl_fd(const struct rules_nl *nl);
/* Empties the descriptor. */
struct rules_nl_news {
	bool defaults; /* default routes: ask for gateways again */
	bool ours;     /* somebody has changed a rule, or a route of ours: apply again */
	bool delegations;
};
void rules_nl_drain(struct rules_nl *nl, struct rules_nl_news *news);
/* Delegations are seen as they come; those of before are in a file, and each is
 * asked for when it is read: it may have gone meanwhile. -1: the file cannot be
 * read (diag); there are none then, and it is overwritten in time. */
int rules_nl_remember(struct rules_nl *nl, const struct site *site, const char *state_path,
		      struct diag *diag);
int rules_nl_save(struct rules_nl *nl, const char *state_path, struct diag *diag);
/* All of now. When notifications were lost each is asked for; those that came then are
 * looked for by rules_nl_look(). */
bool rules_nl_is_doubtful(const struct rules_nl *nl);
const struct ip_prefix *rules_nl_delegations(struct rules_nl *nl, const struct site *site,
					     size_t *n);
/* As they were known last: nothing is asked for. */
const struct ip_prefix *rules_nl_known_delegations(const struct rules_nl *nl, size_t *n);

/* A delegation that came unheard, by a subnet that is a part of it: some look-ups. True:
 * there is one that was not known. */
bool rules_nl_look(struct rules_nl *nl, const struct site *site, const struct ip_prefix *subnet);

/* Messages read from notifications and from answers, for tests of quietness. */
uint64_t rules_nl_messages(const struct rules_nl *nl);

#endif /* SAV_RULES_NL_H */
