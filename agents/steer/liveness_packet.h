/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * liveness_packet - liveness in libfrr's event loop.
 *
 * `changed` is called from the loop, once per change, never from within
 * liveness_packet_set(); it may call that. Times in path_state are those of
 * frr_now_us() / 1000.
 */
#ifndef SAV_LIVENESS_PACKET_H
#define SAV_LIVENESS_PACKET_H

#include "agents/steer/liveness.h"

struct event_loop;
struct liveness_packet;

struct liveness_packet_ops {
	path_changed_fn *changed;
	void (*privileges)(bool raise); /* CAP_NET_RAW and CAP_NET_ADMIN, or NULL */
	void (*note)(void *ctx, bool alarm, const char *text);
};

struct liveness_packet *liveness_packet_new(struct event_loop *loop,
					    const struct liveness_packet_ops *ops,
					    void *ctx);
void liveness_packet_free(struct liveness_packet *lp);
/* All paths there are; copied. Watching goes on for those that are as before. */
void liveness_packet_set(struct liveness_packet *lp, const struct path *paths, size_t n);
/* For show commands: liveness_state(), liveness_probes() and the like. */
const struct liveness *liveness_packet_core(const struct liveness_packet *lp);

#endif /* SAV_LIVENESS_PACKET_H */
