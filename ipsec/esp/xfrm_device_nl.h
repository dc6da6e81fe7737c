/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * xfrm_device - xfrm interfaces: what is routed there is for the policies with
 * the interface's identifier, and nothing leaves it in clear.
 *
 * Source: Linux Documentation/networking/xfrm_device.rst and uapi/linux/if_link.h.
 */
#ifndef SAV_XFRM_DEVICE_NL_H
#define SAV_XFRM_DEVICE_NL_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/diag.h"

/* Makes it, with this identifier, or changes nothing if it is there with it. -1
 * with the reason: another device has the name, or the kernel has no such. */
int xfrm_device_add(const char *name, uint32_t if_id, struct diag *diag);
/* Its identifier; 0: there is no xfrm interface of this name. */
uint32_t xfrm_device_if_id(const char *name);
void xfrm_device_del(const char *name);
/* The highest identifier of ours (xfrm_nl.h) that a device has, 0: none. */
uint32_t xfrm_device_last_if_id(void);

#endif /* SAV_XFRM_DEVICE_NL_H */
