/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * links - the interfaces of this machine and their addresses.
 *
 * Notifications are taken as a hint that something changed; what is true is
 * then dumped afresh. A lost notification or an interface that comes back
 * under another index cannot leave a stale entry.
 */
#ifndef SAV_LINKS_H
#define SAV_LINKS_H

#include "lib/diag.h"
#include "schema/agent_msg.h"

struct links;

struct links *links_open(struct diag *diag);
void links_close(struct links *l);
int links_fd(const struct links *l);
/* Empties the descriptor; true if anything may have changed. */
bool links_drain(struct links *l);

/* How fit an address is to be a source; the worst of what the kernel says. */
enum address_fit {
	ADDRESS_FIT,
	ADDRESS_SECONDARY,  /* of IPv4; of IPv6: temporary (RFC 8981) */
	ADDRESS_DEPRECATED, /* RFC 4862 section 5.5.4 */
	ADDRESS_TENTATIVE,  /* not yet ours, or somebody else's: nothing leaves with it */
};

struct link_table {
	struct agent_inventory inventory;
	/* Of interface i: the subnets on it, without link-local ones (they need
	 * no entry). Not in the inventory for a point-to-point address: there the
	 * subnet is the other side's. */
	struct addrset *connected;
};
int links_dump(struct links *l, struct link_table *out, struct diag *diag);

void link_table_init(struct link_table *t);
void link_table_fini(struct link_table *t);
/* The empty set if there is no such interface. */
const struct addrset *link_table_connected(const struct link_table *t,
					   const char *interface);
bool link_table_equal(const struct link_table *a, const struct link_table *b);

#endif /* SAV_LINKS_H */
