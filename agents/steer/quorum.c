/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/steer/quorum.h"

#include <stdio.h>

/* Of one kind of items, by their state. */
struct tally {
	size_t all, of[PROBE_NEVER + 1];
	const struct quorum_item *first[PROBE_NEVER + 1];
};

static struct tally count(const struct quorum_item *items, size_t n, bool beyond)
{
	struct tally t = { 0 };

	for (size_t i = 0; i < n; i++) {
		if (items[i].beyond != beyond)
			continue;
		t.all++;
		if (t.of[items[i].state]++ == 0)
			t.first[items[i].state] = &items[i];
	}
	return t;
}

static enum evidence judge_near(const struct tally *near, const char *near_name,
				char reason[PATH_REASON_SIZE])
{
	enum probe_state state = near->of[PROBE_SILENT] ? PROBE_SILENT : PROBE_NEVER;
	char text[IP_TEXT_SIZE];

	if (state != PROBE_SILENT) {
		if (near->of[PROBE_ALIVE])
			return EVIDENCE_GOOD;
		if (near->of[PROBE_WAITING] || near->all == 0)
			return EVIDENCE_NONE;
	}
	snprintf(reason, PATH_REASON_SIZE, "%s %s %s", near_name,
		 ip_addr_format(near->first[state]->to, text),
		 state == PROBE_SILENT ? "does not answer" : "has never answered");
	return EVIDENCE_BAD;
}

enum evidence quorum_judge(const struct quorum_item *items, size_t n, uint32_t quorum,
			   const char *near_name, char reason[PATH_REASON_SIZE])
{
	struct tally beyond = count(items, n, true), near = count(items, n, false);
	size_t silent = beyond.of[PROBE_SILENT] + beyond.of[PROBE_NEVER];

	if (beyond.all == 0)
		return judge_near(&near, near_name, reason);
	if (quorum > beyond.all)
		quorum = (uint32_t)beyond.all;
	if (beyond.of[PROBE_ALIVE] >= quorum)
		return EVIDENCE_GOOD;
	if (beyond.of[PROBE_ALIVE] + beyond.of[PROBE_WAITING] >= quorum)
		return EVIDENCE_NONE;
	/* that the gateway is silent too says where to look */
	if (near.of[PROBE_SILENT] && judge_near(&near, near_name, reason) == EVIDENCE_BAD)
		return EVIDENCE_BAD;
	snprintf(reason, PATH_REASON_SIZE,
		 "%zu of %zu targets beyond the %s do not answer", silent, beyond.all,
		 near_name);
	return EVIDENCE_BAD;
}
