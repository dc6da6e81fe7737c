/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * drops - what the routers' filters refuse, by edge, from the agents' samples.
 *
 * Of each configured edge a bounded number of sources (lib/drops.h says which
 * stay), each until it was not seen for an hour; about 10 KiB for an edge that
 * refuses something, nothing for one that does not. An agent can fill what its
 * own router's edges have, and no more. No clock: now_ms is the caller's.
 */
#ifndef SAV_CONTROLLER_DROPS_H
#define SAV_CONTROLLER_DROPS_H

#include "controller/policy/config.h"
#include "lib/drops.h"

#define DROP_STORE_ROWS 64 /* sources of an edge */

struct drop_store;

struct drop_store *drop_store_new(void);
void drop_store_free(struct drop_store *store); /* NULL is allowed */

/* The samples of a message. Those of interfaces that are no edge of the router
 * are left out: returns how many rows were. */
size_t drop_store_add(struct drop_store *store, const struct config *cfg,
		      const char *router, const struct drop *rows, size_t n,
		      int64_t now_ms);
void drop_store_forget(struct drop_store *store, const char *router,
		       const char *interface);

/* A row and whose it is; names are valid until the next change of the store. */
struct drop_seen {
	const char *router;
	struct drop drop;
};
/* Most samples first, of this router and interface only unless NULL; at most max
 * are copied. *all, unless NULL: how many there are. */
size_t drop_store_top(struct drop_store *store, const char *router, const char *interface,
		      int64_t now_ms, struct drop_seen *out, size_t max, size_t *all);

/* Of an edge, since its first sample or the last hour without one. */
struct drop_total {
	size_t rows;	  /* sources that are kept */
	uint64_t samples; /* also of those that lost their place */
	uint64_t bytes;	  /* of the rows */
	int64_t last_ms;  /* -1: none */
};
void drop_store_total(struct drop_store *store, const char *router, const char *interface,
		      int64_t now_ms, struct drop_total *out);

#endif /* SAV_CONTROLLER_DROPS_H */
