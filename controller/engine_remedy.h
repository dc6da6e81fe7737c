/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * engine_remedy - what would admit an address that an edge refuses, and what another
 * mode would.
 */
#ifndef SAV_ENGINE_REMEDY_H
#define SAV_ENGINE_REMEDY_H

#include "controller/engine.h"
#include "controller/policy/remedy.h"

/* Of this edge; bits of remedy_modes. By the routes of the last engine_run(); 0
 * too while a command has not been worked off, and if there is no such edge. */
unsigned int engine_admits(const struct engine *e, const char *router,
			   const char *interface, const struct ip_addr *addr);

/* All that it would admit in that mode, feasible with all paths; *out is replaced.
 * Walks the prefixes of all feeds. */
void engine_edge_as(const struct engine *e, const char *router, const char *interface,
		    enum edge_mode mode, struct addrset *out);

/* x: what engine_explain() said of it. "" where it is admitted. */
const char *engine_remedy(const struct engine *e, const char *router,
			  const char *interface, const struct ip_addr *addr,
			  const struct explain *x, char text[REMEDY_TEXT_SIZE]);

#endif /* SAV_ENGINE_REMEDY_H */
