/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * tunnel_feed_packet - a connection to sav-iked that brings the state of its tunnels, and
 * is made again when it has ended.
 */
#ifndef SAV_TUNNEL_FEED_PACKET_H
#define SAV_TUNNEL_FEED_PACKET_H

#include "schema/tunnel_update.h"

struct event_loop;

struct tunnel_feed_ops {
	void (*begin)(void *ctx); /* connected: a snapshot comes */
	void (*take)(void *ctx, const struct tunnel_update *update);
	void (*end)(void *ctx);	 /* the connection has ended, not by tunnel_feed_want() */
	void (*turn)(void *ctx); /* after some of these */
	void (*note)(void *ctx, bool alarm, const char *text);
};

struct tunnel_feed;

/* Nothing happens before it is wanted. socket stays the caller's. */
struct tunnel_feed *tunnel_feed_new(struct event_loop *loop, const char *socket, long retry_ms,
				    const struct tunnel_feed_ops *ops, void *ctx);
void tunnel_feed_free(struct tunnel_feed *feed);
void tunnel_feed_want(struct tunnel_feed *feed, bool wanted);
/* Another snapshot; not from within take(). */
void tunnel_feed_again(struct tunnel_feed *feed);
bool tunnel_feed_is_up(const struct tunnel_feed *feed);
/* Why its tunnels are not known; "": they are, or nobody wants that. */
const char *tunnel_feed_error(const struct tunnel_feed *feed);

#endif /* SAV_TUNNEL_FEED_PACKET_H */
