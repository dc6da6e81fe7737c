/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * iked_check - whether a child SA is one that the configuration lets a tunnel have.
 *
 * ike, which asks for it, reads strangers' packets. Should one of them take it over,
 * it gets no traffic into the kernel's states and policies that its tunnel has not.
 * Pure: no kernel, no libfrr.
 */
#ifndef SAV_IKED_CHECK_H
#define SAV_IKED_CHECK_H

#include "ipsec/proc.h"
#include "lib/diag.h"

/* tunnel: as iked_tunnel_resolve() has it; local: the link's address of the outer
 * family. -1 with what is wrong. */
int iked_child_check(const struct proc_child *child, const struct ike_tunnel *tunnel, const struct ip_addr *local,
		     struct diag *diag);
/* A tunnel's selectors with only these two hosts in them: what transport mode has.
 * A list can be empty. */
void iked_host_selectors(const struct ike_tunnel *tunnel, const struct ip_addr *local, const struct ip_addr *remote,
			 struct ike_ts_list *local_ts, struct ike_ts_list *remote_ts);

#endif /* SAV_IKED_CHECK_H */
