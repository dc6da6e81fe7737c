/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * esp_twin - hosts that have one address: behind one NAT, and in transport mode.
 *
 * The first such host is itself; of the others ("twins") each port gets an alias
 * while it is in use, so that what is sent back finds the SA of the right one
 * (RFC 3948 5.2). Nothing inside ESP changes: the alias is what the host here
 * sees. TCP, UDP, and ICMP echoes by their identifier. A port of the first host
 * that could be an alias is its own while it is in use; when it is one already,
 * the first host gets another too.
 *
 * All workers have the same aliases, since an answer may come by any queue: a
 * lock is held for each look, which only such packets pay for.
 */
#ifndef SAV_ESP_TWIN_H
#define SAV_ESP_TWIN_H

#include "ipsec/esp/esp_inner.h"

/* Ports in use at a time: of twins, and again so many of first hosts. */
#define ESP_TWIN_PORTS 16384
/* And of one of them: nobody takes the others' with packets from all of his ports. */
#define ESP_TWIN_SHARE 4096
/* One that was not used for so long may go when there is no room. */
#define ESP_TWIN_IDLE_MS 120000

struct esp_twins;

struct esp_twins *esp_twins_new(void);
void esp_twins_free(struct esp_twins *twins);

/* A packet from a host, twin 0: from the first. Its source port becomes the alias,
 * in the packet with its checksum and in inner. False: no room. What has no port
 * passes as it is. */
bool esp_twins_in(struct esp_twins *twins, uint32_t twin, uint8_t *packet, struct esp_inner *inner, uint64_t now_ms);

/* Whom a packet is for that leaves: the twin, or 0, and the port in place of the
 * alias, which inner gets; the packet does not. False: the first host, and nothing
 * to change. */
struct esp_alias {
	uint32_t twin;
	uint16_t port;
};
bool esp_twins_find(struct esp_twins *twins, const uint8_t *packet, struct esp_inner *inner, uint64_t now_ms,
		    struct esp_alias *out);
/* Puts that port in. partial: the checksum is not made yet. */
void esp_twins_out(uint8_t *packet, struct esp_inner *inner, bool partial, uint16_t port);

#endif /* SAV_ESP_TWIN_H */
