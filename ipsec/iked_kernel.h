/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * iked_kernel - the kernel's ESP for the tunnels of links whose datapath it is.
 *
 * ike says to main what it says to sav-esp of others; main checks it against the
 * configuration, because ike reads strangers' packets, and sets up states,
 * policies and xfrm interfaces.
 */
#ifndef SAV_IKED_KERNEL_H
#define SAV_IKED_KERNEL_H

#include "ipsec/esp/xfrm_nl.h"
#include "ipsec/iked.h"

/* Finds out whether the kernel has ESP, and what a predecessor left there. */
void iked_kernel_start(void);
void iked_kernel_stop(void);

/* A tunnel of such a link is new or has changed: its interface, and what stands
 * for it while it has no SA. -1 with the reason. */
int iked_kernel_tunnel(const struct iked_tunnel *tunnel, struct diag *diag);
/* A link has an address now, or another mark. */
void iked_kernel_link(const struct iked_link *link);
/* It is no more, or not the kernel's any more. */
void iked_kernel_tunnel_gone(const char *name);

/* Of a tunnel's interface: what fits all peers of all tunnels that have it; as it was
 * last while none is there. 0: none was yet. */
uint32_t iked_kernel_mtu(const char *name);

/* A message of ike's. False: none of these, or it makes no sense. */
bool iked_kernel_take(const struct proc_header *header, struct rd body);
/* A new ike has no SA: those so far go on until the tunnel has one that sends. */
void iked_kernel_ike_new(void);

/* False: that is none of ours. */
bool iked_kernel_use(uint32_t spi_in, struct xfrm_use *in, struct xfrm_use *out);
unsigned iked_kernel_children(void);
/* Packets and bytes of all children, also of those that are no more. */
void iked_kernel_totals(struct xfrm_use *in, struct xfrm_use *out);

#endif /* SAV_IKED_KERNEL_H */
