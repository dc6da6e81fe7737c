/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * engine_feed_impl - what the files about streams and peers share.
 *
 * engine_feed.c: streams. engine_peer.c: peers and their edges.
 * engine_whole.c: complete tables and re-dumps. engine_ready.c: readiness.
 */
#ifndef SAV_ENGINE_FEED_IMPL_H
#define SAV_ENGINE_FEED_IMPL_H

#include "controller/engine_impl.h"

/* engine_peer.c */
struct engine_peer *engine_peer_get(struct engine *e, struct rib_peer *rib);
/* What may be relied on changed with this peer, and so may have routes. */
void engine_peer_changed(struct engine *e, const struct engine_peer *p);
/* Of both families, in the view that counts. */
size_t engine_peer_paths(const struct engine_peer *p);
/* The stream or session that speaks of it is alive. */
bool engine_peer_is_connected(const struct engine_peer *p);

/* engine_feed.c */
bool engine_feed_is_live(const struct engine_router *r); /* there, and not silent */

/* engine_whole.c */
bool engine_redump_is_allowed(const struct engine_feed *feed, int64_t now_ms);
void engine_redump_ask(struct engine_feed *feed, int64_t now_ms, const char *why);

#endif /* SAV_ENGINE_FEED_IMPL_H */
