/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * bmp_packet - TCP listeners for BMP, on libfrr's event loop.
 */
#ifndef SAV_BMP_PACKET_H
#define SAV_BMP_PACKET_H

#include "lib/turn_packet.h"

#include "controller/engine.h"

struct bmp_listeners;

/* turns: shared with all that reads from the network; outlives the listeners. */
struct bmp_listeners *bmp_listeners_new(struct event_loop *loop, struct turns *turns,
					struct engine *engine);
void bmp_listeners_free(struct bmp_listeners *bl);

/* Brings the sockets in step with the configuration, which has to live on: whom
 * it allows is looked up for each connection. An address that cannot be bound yet
 * is logged and tried again. */
void bmp_listeners_set(struct bmp_listeners *bl, const struct config *cfg);

struct bmp_refusals {
	uint64_t n;	     /* connections from where none is allowed */
	struct ip_addr last; /* where the last one came from, if n is not 0 */
};
const struct bmp_refusals *bmp_listeners_refusals(const struct bmp_listeners *bl);

/* engine_ops.feed_redump: closes the stream soon, not within this call. */
void bmp_listeners_redump(struct bmp_listeners *bl, struct engine_feed *feed);

#endif /* SAV_BMP_PACKET_H */
