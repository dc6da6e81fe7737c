/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * tunnels - what sav-iked has said of its tunnels.
 *
 * Pure. A new connection brings a snapshot, which takes the old list's place when
 * it is complete: while sav-iked starts again, what was known last holds (the ESP
 * process goes on meanwhile), and no path looks gone because it has not been named
 * yet. A tunnel that is named without an interface keeps the last one.
 */
#ifndef SAV_STEER_TUNNELS_H
#define SAV_STEER_TUNNELS_H

#include "agents/steer/plan.h"
#include "schema/tunnel_update.h"

#define TUNNELS_MAX 1024 /* more are ignored */

struct tunnel_list {
	struct steer_tunnel *items;
	size_t n;
	bool known; /* items are a whole snapshot, and the changes since */
	/* The one that is coming in. */
	struct steer_tunnel *fresh;
	size_t n_fresh;
	bool collecting;
};

void tunnels_fini(struct tunnel_list *l);
/* A new connection. */
void tunnels_begin(struct tunnel_list *l);
void tunnels_take(struct tunnel_list *l, const struct tunnel_update *u);
/* NULL: there is none of that name. */
const struct steer_tunnel *tunnels_find(const struct tunnel_list *l, const char *name);

#endif /* SAV_STEER_TUNNELS_H */
