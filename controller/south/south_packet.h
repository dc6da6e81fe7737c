/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * south_packet - listening sockets, TLS and timers below south.
 */
#ifndef SAV_SOUTH_PACKET_H
#define SAV_SOUTH_PACKET_H

#include "controller/south/south.h"

struct event_loop;
struct south_packet;
struct tls_config;
struct turns;

/* Makes the south as well: ops->wake is filled in here. loop is libfrr's; turns,
 * shared with all that reads from the network, and tls stay the caller's. */
struct south_packet *south_packet_new(struct event_loop *loop, struct turns *turns,
				      struct tls_config *tls,
				      const struct south_config *config,
				      const struct south_ops *ops, void *ctx);
void south_packet_free(struct south_packet *sp); /* closes every session */
struct south *south_packet_south(struct south_packet *sp);

/* address: of either family, or NULL for all of both. May be called again for
 * further addresses. */
int south_listen(struct south_packet *sp, const char *address, uint16_t port,
		 struct diag *diag);
void south_unlisten(struct south_packet *sp); /* sessions stay */

/* The controller's certificate was renewed: for sessions from now on. */
void south_packet_set_tls(struct south_packet *sp, struct tls_config *tls);

#endif /* SAV_SOUTH_PACKET_H */
