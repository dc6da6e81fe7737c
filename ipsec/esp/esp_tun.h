/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * esp_tun - opens TUN devices for the datapath. Needs CAP_NET_ADMIN, so main
 * does it and hands the queue to esp.
 */
#ifndef SAV_ESP_TUN_H
#define SAV_ESP_TUN_H

#include <net/if.h>
#include <stdbool.h>

#include "lib/diag.h"

/* A queue of the device, made if it is not there: non-blocking, with a header
 * for offloads (virtio_net_hdr) in front of each packet, and the offloads that
 * the kernel has. many: one of several queues, each opened so. -1 with the reason;
 * EBUSY: it is somebody else's. */
int esp_tun_open(const char *name, bool many, struct diag *diag);

/* The name that the device of this queue has now; false: the device is gone. */
bool esp_tun_name(int fd, char name[IF_NAMESIZE]);

#endif /* SAV_ESP_TUN_H */
