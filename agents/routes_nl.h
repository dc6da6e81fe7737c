/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * routes_nl - the kernel's main routing table by rtnetlink.
 *
 * A dump of both families, then notifications. The kernel does not notify
 * everything: it drops the IPv4 routes of an interface that goes down, or of
 * an address or nexthop object that goes, without a word, and it drops
 * notifications when they are not read in time. Whatever hints at that leads to
 * another dump; one every ten minutes catches the rest.
 */
#ifndef SAV_ROUTES_NL_H
#define SAV_ROUTES_NL_H

#include "agents/routes.h"
#include "lib/diag.h"

struct routes_nl;

/* r stays the caller's. */
struct routes_nl *routes_nl_open(struct routes *r, struct diag *diag);
void routes_nl_close(struct routes_nl *nl);

int routes_nl_event_fd(const struct routes_nl *nl);
int routes_nl_dump_fd(const struct routes_nl *nl);
/* Read what is there, up to a bound. */
void routes_nl_events(struct routes_nl *nl, int64_t now_ms);
void routes_nl_dump(struct routes_nl *nl, int64_t now_ms);
/* Begins a dump that is due; call it now and then. */
void routes_nl_run(struct routes_nl *nl, int64_t now_ms);

struct routes_nl_status {
	bool dumping;
	uint64_t dumps, overruns;
	int64_t dump_took_ms;
	/* Unicast routes whose nexthop object the kernel does not expand: the table
	 * cannot become complete. */
	size_t unresolved;
	char error[128]; /* "" if all is well */
};
const struct routes_nl_status *routes_nl_status(const struct routes_nl *nl);

#endif /* SAV_ROUTES_NL_H */
