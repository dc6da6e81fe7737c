/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * iked_socket - the UDP sockets of links, opened here and read elsewhere.
 */
#ifndef SAV_IKED_SOCKET_H
#define SAV_IKED_SOCKET_H

#include <stdint.h>

#include "ipsec/ike/tunnel.h"
#include "lib/diag.h"

/* Bound there, non-blocking, packets marked. Several may be bound alike, and
 * share what comes by iked_socket_share(). -1 with the reason. */
int iked_socket_open(const struct ike_endpoint *local, uint32_t mark, struct diag *diag);
/* For ESP as protocol 50 to and from that address, what a worker gets of it. */
int iked_socket_open_raw(const struct ip_addr *local, uint32_t mark, unsigned worker, unsigned workers, struct diag *diag);
/* Of the group of those bound alike: the first gets IKE, the others are sav-esp's
 * workers' (esp_sock.h). */
int iked_socket_share(int fd, unsigned workers, struct diag *diag);

/* No socket at all is bound there. False with a reason. */
bool iked_socket_is_free(const struct ike_endpoint *local, struct diag *diag);
void iked_socket_mark(int fd, uint32_t mark); /* of what it sends from now on; fd -1: none */

#endif /* SAV_IKED_SOCKET_H */
