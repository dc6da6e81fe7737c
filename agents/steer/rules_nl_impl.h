/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * rules_nl_impl - between rules_nl.c and rules_news_nl.c.
 */
#ifndef SAV_RULES_NL_IMPL_H
#define SAV_RULES_NL_IMPL_H

#include "agents/steer/delegations.h"
#include "agents/steer/rules_nl.h"

struct mnl_socket;
struct nlmsghdr;

#define ANSWER_BYTES 65536

struct rules_nl {
	void (*privileges)(bool raise);
	struct mnl_socket *events, *queries;
	uint32_t seq;
	uint64_t messages;
	bool had_plan; /* all own tables have been looked at since the start */
	uint32_t *tables; /* that we have put something into */
	size_t n_tables;
	struct delegations delegations;
	bool doubtful; /* some of their changes may have been lost */
	_Alignas(8) char answer[ANSWER_BYTES]; /* read as headers and attributes */
};

/* The notifications that concern us, and no others. -1: errno says why. */
int rules_nl_open_events(struct rules_nl *nl);

/* Asks, and hands all answers to fn (NULL: whatever they are). 0, or the
 * kernel's negative errno. */
typedef void rules_nl_answer_fn(const struct nlmsghdr *nlh, void *arg);
int rules_nl_talk(struct rules_nl *nl, struct nlmsghdr *request, rules_nl_answer_fn *fn,
		  void *arg);

#endif /* SAV_RULES_NL_IMPL_H */
