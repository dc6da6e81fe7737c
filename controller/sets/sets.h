/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * sets - the computed set of every edge: which sources its mode accepts.
 *
 * A pure function of the policy and of the current routes. The order, for
 * every mode but off: ((mode, plus the customer's record) minus special-purpose
 * minus own, unless the role is internal) plus the edge's exceptions. Time
 * (hold-down, readiness) comes after, in hold and engine.
 */
#ifndef SAV_SETS_H
#define SAV_SETS_H

#include "controller/policy/config.h"
#include "controller/rib/fib.h"
#include "controller/rib/rib.h"

#define SETS_NO_EDGE SIZE_MAX

/* One Adj-RIB-In and where it was received. */
struct sets_source {
	const struct rib_peer *peer;
	size_t edge;   /* index into cfg->edges, or SETS_NO_EDGE */
	size_t router; /* index into cfg->routers */
	bool ibgp;
};

/* A pass computes any number of edges over one unchanging state; what several
 * edges share (RFC 8704 sets, best paths) is computed once, when first asked. */
struct sets_pass;

struct sets_pass *sets_pass_new(const struct config *cfg, const struct sets_source *sources,
				size_t n_sources);
void sets_pass_free(struct sets_pass *pass);
/* What the routers forward by; one per router of cfg, NULL where it is not
 * known. index: of each edge's interface, 0 where that is not known. Both stay
 * the caller's, as long as the pass lives. Without this call strict takes the
 * best path of the BGP routes instead, which is all that a recording has. */
void sets_pass_set_fibs(struct sets_pass *pass, const struct fib *const *fibs,
			const uint32_t *index);
/* *out is replaced. */
void sets_pass_edge(struct sets_pass *pass, size_t edge, struct addrset *out);
/* As if the edge had that mode; feasible: with all paths. */
void sets_pass_edge_as(struct sets_pass *pass, size_t edge, enum edge_mode mode,
		       struct addrset *out);

/* A received prefix that no mode but loose may believe: a default route, or
 * shorter than /8 (IPv6 /16); one leaked default would open the filter. */
bool sets_prefix_is_too_short(const struct ip_prefix *p);

/* Own space: own-prefix less the customers' static records, so that a
 * multihomed customer's provider-assigned block still gets in. */
void sets_own_space(const struct config *cfg, struct addrset *out);

#endif /* SAV_SETS_H */
