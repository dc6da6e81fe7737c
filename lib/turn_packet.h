/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * turn_packet - readers of one event loop that take turns.
 *
 * However many peers send at line rate, the loop comes to look at its timers,
 * VTYs and other sockets every TURN_US: a reader whose socket has something
 * stands in one queue with all others, and reads one piece when its turn comes.
 */
#ifndef SAV_TURN_PACKET_H
#define SAV_TURN_PACKET_H

#include "lib/frr_compat.h"

/* What a reader should read at most in one turn: four thousand IPv4 prefixes,
 * as tightly as they can be packed. */
#define TURN_BYTES (16u << 10)

struct turns;
struct turns *turns_new(struct event_loop *loop);
void turns_free(struct turns *turns);

/* Embedded in the reader. */
struct turn {
	struct turns *turns;
	struct turn *next;
	bool queued;
	int fd;
	struct event *t_read;
	void (*fn)(void *arg); /* reads; may free the turn after turn_off() */
	void *arg;
};
void turn_init(struct turn *turn, struct turns *turns, int fd, void (*fn)(void *arg),
	       void *arg);
/* A turn when the socket is readable; nothing happens if it waits already. */
void turn_want(struct turn *turn);
/* A turn without asking the socket: the last piece was not all there is. */
void turn_again(struct turn *turn);
void turn_off(struct turn *turn);

#endif /* SAV_TURN_PACKET_H */
