/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * path_memory - which paths are dead, in a file, for the agent that comes after.
 *
 * An agent that starts during an outage would go back to the dead path until its
 * own probes have found it dead. What the file says holds for one boot of the
 * machine. Written whole at each change; lost or damaged, nothing is known.
 */
#ifndef SAV_PATH_MEMORY_H
#define SAV_PATH_MEMORY_H

#include "agents/steer/site.h"

/* states: PATH_NUMBER_MAX + 1, by number. -1 with diag: the file cannot be written. */
int path_memory_save(const char *file, const struct site *site,
		     const struct path_state *states, struct diag *diag);
/* Of the site's paths that were dead: PATH_DOWN, since now. Others are not touched. */
void path_memory_load(const char *file, const struct site *site,
		      struct path_state *states, int64_t now_ms);

#endif /* SAV_PATH_MEMORY_H */
