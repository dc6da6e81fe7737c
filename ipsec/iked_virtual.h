/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * iked_virtual - the inner addresses that peers gave us (request-address), on the
 * tunnels' interfaces while the tunnels are up.
 *
 * The peer chooses it, so it must be one that a host can have, and in the tunnel's
 * local selectors if there are any; one that this system has already is left alone.
 */
#ifndef SAV_IKED_VIRTUAL_H
#define SAV_IKED_VIRTUAL_H

#include "ipsec/iked_config.h"

/* May a peer give it? -1 with the reason. */
int iked_virtual_check(const struct ike_tunnel *tunnel, const struct ip_addr *addr, struct diag *diag);

/* What the tunnel carries now on our side; NULL: nothing. Its address, if it asks for
 * one, comes to the interface, and an earlier one goes. */
void iked_virtual_set(const struct iked_tunnel *tunnel, const struct ike_ts_list *local_ts);
void iked_virtual_gone(const char *tunnel);

#endif /* SAV_IKED_VIRTUAL_H */
