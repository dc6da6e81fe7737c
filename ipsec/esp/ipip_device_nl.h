/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * ipip_device - the kernel's IP in IP over an xfrm interface, and the addresses of
 * its ends.
 *
 * Such a device sends by the interface below it only, whatever the routes say, and
 * that one lets nothing out in clear.
 *
 * Source: uapi/linux/if_tunnel.h.
 */
#ifndef SAV_IPIP_DEVICE_NL_H
#define SAV_IPIP_DEVICE_NL_H

#include "ipsec/esp/esp_sa.h"
#include "lib/diag.h"

/* Makes it over the other device, or changes nothing if it is there as it shall
 * be. -1 with the reason: another device has the name, or the kernel has none. */
int ipip_device_add(const char *name, const char *over, const struct esp_ipip *ends, struct diag *diag);
/* Only if there is one of that name over that other. */
void ipip_device_del(const char *name, const char *over);

/* The near end becomes the device's address, and the far one is routed there. */
int ipip_address_add(const char *device, const struct esp_ipip *ends, struct diag *diag);
void ipip_address_del(const char *device, const struct esp_ipip *ends);

#endif /* SAV_IPIP_DEVICE_NL_H */
