/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * quorum - what answers, and silence, of several addresses say of a path.
 *
 * Pure. Where there are targets beyond the gateway, enough of them must answer;
 * the gateway's own silence counts for nothing then (many answer no echo). Where
 * there are none, the gateway (or the tunnel's head) is asked, by each address
 * family of the path: one that has answered and does not any more ends the path,
 * one that never did says nothing while another answers.
 */
#ifndef SAV_QUORUM_H
#define SAV_QUORUM_H

#include "agents/steer/path.h"
#include "agents/steer/probe.h"

enum evidence {
	EVIDENCE_NONE, /* yet */
	EVIDENCE_GOOD,
	EVIDENCE_BAD,
};

/* What we ask, and what came of it. */
struct quorum_item {
	const struct ip_addr *to;
	enum probe_state state;
	bool beyond; /* a target, not the gateway or head itself */
};

/* quorum: so many of the targets. near_name: "gateway", "head". reason is set
 * when the evidence is bad. */
enum evidence quorum_judge(const struct quorum_item *items, size_t n, uint32_t quorum,
			   const char *near_name, char reason[PATH_REASON_SIZE]);

#endif /* SAV_QUORUM_H */
