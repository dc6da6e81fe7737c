/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * watch_vty - in a provider's node: how its paths are watched, and which program
 * is told when the provider dies; and what `show site path` says of that.
 *
 *   probe | no probe
 *   probe interval MS multiplier N
 *   probe target ADDRESS, probe quorum N
 *   bfd [interval MS] [multiplier N], bfd multihop ADDRESS
 *   hold SECONDS
 *   hook FILE
 */
#ifndef SAV_WATCH_VTY_H
#define SAV_WATCH_VTY_H

#include "agents/steer/site.h"

struct vty;
struct json_object;
struct liveness_packet;

/* Commands of a provider's node. current: the provider that the VTY is in, NULL
 * with a message: it is gone. changed: after each change. */
void watch_vty_init(struct site_provider *(*current)(struct vty *vty),
		    void (*changed)(void));
/* Who knows, for show commands; NULL: nobody any more. */
void watch_vty_liveness(const struct liveness_packet *liveness);
/* For the running configuration, each line behind indent. */
void watch_vty_write(struct vty *vty, const char *indent, const struct site_provider *p);

/* The state of a path at this moment, its reason too; false: nobody knows. */
bool watch_vty_state(uint32_t number, struct path_state *out);
/* Lines on the state, probes and BFD sessions of a path, each behind indent. */
void watch_vty_show(struct vty *vty, const char *indent, uint32_t number);
/* The same into a path's JSON object. */
void watch_vty_json(struct json_object *path, uint32_t number);

#endif /* SAV_WATCH_VTY_H */
