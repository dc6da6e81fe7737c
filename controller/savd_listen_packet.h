/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * savd_listen - savd's sockets, as the configuration has them: BMP, agents,
 * metrics; and its sessions with the routers' own BGP.
 */
#ifndef SAV_SAVD_LISTEN_PACKET_H
#define SAV_SAVD_LISTEN_PACKET_H

#include "lib/frr_compat.h"

#include "controller/savd.h"
#include "lib/turn_packet.h"

/* The command line, before there is a configuration. */
void savd_listen_init(void);
/* savd->metrics and savd->engine are there; nothing is opened yet. */
void savd_listen_start(struct savd *savd, struct event_loop *loop, struct turns *turns);
void savd_listen_stop(void);

/* Opens and closes what the configuration says; again later what fails. */
void savd_listen_apply(void);
void savd_listen_routers(void);

#endif /* SAV_SAVD_LISTEN_PACKET_H */
