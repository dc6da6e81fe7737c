/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * savd - what the daemon's main and its commands share.
 */
#ifndef SAV_SAVD_H
#define SAV_SAVD_H

#include "controller/engine.h"
#include "controller/south/signer.h"
#include "controller/south/south_packet.h"
#include "controller/store/store.h"

struct savd_counters {
	char router[CONFIG_NAME_SIZE];
	struct agent_counters c;
};

struct savd {
	struct config cfg;
	struct store *store;
	struct engine *engine;
	struct south_packet *south;
	struct signer *signer;
	struct savd_counters *counters; /* sorted by router and interface */
	size_t n_counters;
	char alarm[512];      /* the last thing that needs an operator */
	int64_t alarm_at_ms;  /* 0: none yet */
	int64_t run_max_us;   /* longest engine_run() so far */
	int64_t run_last_us;
};

int64_t savd_now_ms(void); /* monotonic */

/* The counters that the router's agent reported last, or NULL. */
const struct agent_counters *savd_counters_find(const struct savd *savd, const char *router,
						const char *interface);

#endif /* SAV_SAVD_H */
