/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * tunnels - what sav-iked has said of its tunnels.
 *
 * Pure. A new connection brings a snapshot, which takes the old list's place when
 * it is complete: while sav-iked starts again, what was known last holds (the ESP
 * process goes on meanwhile), and no path looks gone because it has not been named
 * yet. A tunnel that is named without an interface keeps the last one.
 *
 * Only those that the site names are kept: a head end's thousands of clients concern
 * no path, and are no reason to look at the kernel again. A site that names another
 * one needs another snapshot.
 */
#ifndef SAV_STEER_TUNNELS_H
#define SAV_STEER_TUNNELS_H

#include "agents/steer/plan.h"
#include "schema/tunnel_update.h"

struct tunnel_list {
	struct steer_tunnel *items;
	size_t n;
	bool known; /* items are a whole snapshot, and the changes since */
	/* The one that is coming in. */
	struct steer_tunnel *fresh;
	size_t n_fresh;
	bool collecting;
	/* Named by the site when the connection was made. */
	char names[PATH_NUMBER_MAX][PATH_NAME_SIZE];
	size_t n_names;
};

void tunnels_fini(struct tunnel_list *l);
/* A new connection. */
void tunnels_begin(struct tunnel_list *l, const struct site *site);
/* False: nothing has changed, in what is known or in what is coming in. */
bool tunnels_take(struct tunnel_list *l, const struct tunnel_update *u);
/* The site names one that was not named then. */
bool tunnels_lacks(const struct tunnel_list *l, const struct site *site);
/* NULL: there is none of that name. */
const struct steer_tunnel *tunnels_find(const struct tunnel_list *l, const char *name);

#endif /* SAV_STEER_TUNNELS_H */
