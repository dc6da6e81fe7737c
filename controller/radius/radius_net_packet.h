/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * radius_net_packet - the UDP sockets of RADIUS.
 *
 * Reads in turns with all other readers of the loop, so that a flood of requests
 * takes no more than its share; what the kernel's buffer cannot hold is sent
 * again by its client.
 */
#ifndef SAV_RADIUS_NET_PACKET_H
#define SAV_RADIUS_NET_PACKET_H

#include "lib/frr_compat.h"

#include "controller/radius/radius_server.h"
#include "lib/turn_packet.h"

struct radius_net;

struct radius_net_ops {
	/* To a port of `radius listen`. */
	void (*request)(void *ctx, const struct radius_source *from, const void *data,
			size_t len);
	/* To what radius_net_ask() sent. */
	void (*answer)(void *ctx, const struct ip_addr *from, uint16_t port,
		       const void *data, size_t len);
	void (*note)(void *ctx, bool alarm, const char *text);
};

struct radius_net *radius_net_new(struct event_loop *loop, struct turns *turns,
				  const struct radius_net_ops *ops, void *ctx);
void radius_net_free(struct radius_net *net);

/* Opens what is configured, closes what is not any more; what cannot be opened is
 * told and tried again. cfg must stay as long as the sockets. */
void radius_net_listen(struct radius_net *net, const struct config_radius *cfg);
/* From the address that the request came to; gone if the socket is. */
void radius_net_send(struct radius_net *net, const struct radius_source *to,
		     const void *data, size_t len);
void radius_net_ask(struct radius_net *net, const struct ip_addr *to, uint16_t port,
		    const void *data, size_t len);

/* The line is one that is in force: its socket is open. */
bool radius_net_is_open(const struct radius_net *net, const struct config_radius_listen *l);

#endif /* SAV_RADIUS_NET_PACKET_H */
