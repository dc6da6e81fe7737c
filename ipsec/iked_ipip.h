/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * iked_ipip - tunnels with IP in IP, for peers that only know policies: the child
 * SA is for two addresses, and what is routed to the tunnel's interface travels in
 * packets from one to the other.
 *
 * In user space sav-esp puts the second header around (esp_ipip.h), and the
 * tunnel has one interface. With the kernel's ESP its ipip device is the tunnel's
 * interface, and sends by an xfrm interface below it and nowhere else.
 */
#ifndef SAV_IKED_IPIP_H
#define SAV_IKED_IPIP_H

#include "ipsec/iked_config.h"

static inline bool iked_has_ipip(const struct iked_tunnel *tunnel)
{
	return tunnel->ipip.local.v != 0;
}

/* Does it go with the rest, and with other tunnels? -1 with the reason. */
int iked_ipip_check(const struct iked_config *config, const struct iked_tunnel *tunnel, struct diag *diag);
/* Bytes of the second header; 0: none. */
static inline uint32_t iked_ipip_header(const struct iked_tunnel *tunnel)
{
	return !iked_has_ipip(tunnel) ? 0 : tunnel->ipip.local.family == IP_V4 ? 20 : 40;
}

/* The xfrm interface below the tunnel's. */
const char *iked_ipip_below(const struct iked_tunnel *tunnel, char out[IKED_IFNAME]);
/* What the tunnel's interface carries: any address of its families. */
void iked_ipip_inside(const struct iked_config *config, const struct iked_tunnel *tunnel, struct ike_ts_list *out);

#endif /* SAV_IKED_IPIP_H */
