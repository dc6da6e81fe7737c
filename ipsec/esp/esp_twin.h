/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * esp_twin - hosts that have one address: behind one NAT, and in transport mode.
 *
 * The first such host is itself; of the others ("twins") each port gets an alias
 * while it is in use, so that what is sent back finds the SA of the right one
 * (RFC 3948 5.2). Nothing inside ESP changes: the alias is what the host here
 * sees. TCP, UDP, and ICMP echoes by their identifier.
 */
#ifndef SAV_ESP_TWIN_H
#define SAV_ESP_TWIN_H

#include "ipsec/esp/esp_inner.h"

/* Ports in use at a time. */
#define ESP_TWIN_PORTS 16384
/* One that was not used for so long may go when there is no room. */
#define ESP_TWIN_IDLE_MS 120000

struct esp_twins;

/* Aliases are those of 32768 to 65535 that are index modulo of: several workers
 * never give the same. */
struct esp_twins *esp_twins_new(unsigned int index, unsigned int of);
void esp_twins_free(struct esp_twins *twins);

/* A packet from a twin: its source port becomes the alias, in the packet with its
 * checksum and in inner. False: no room. What has no port passes as it is. */
bool esp_twins_in(struct esp_twins *twins, uint32_t twin, uint8_t *packet, struct esp_inner *inner, uint64_t now_ms);
/* A packet for a twin or not: the alias becomes the port again. partial: the
 * checksum is not made yet. Returns the twin, 0: it is for none. */
uint32_t esp_twins_out(struct esp_twins *twins, uint8_t *packet, struct esp_inner *inner, bool partial, uint64_t now_ms);

#endif /* SAV_ESP_TWIN_H */
