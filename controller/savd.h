/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * savd - what the daemon's main and its commands share.
 */
#ifndef SAV_SAVD_H
#define SAV_SAVD_H

#include "controller/drops.h"
#include "controller/engine.h"
#include "controller/south/signer.h"
#include "controller/south/south_packet.h"
#include "controller/store/store_history.h"
#include "lib/metrics.h"

#define SAVD_BECAUSE_SIZE 160

/* What is known of an edge besides the engine's state. */
struct savd_edge {
	char router[CONFIG_NAME_SIZE];
	char interface[FILTER_IFNAME_SIZE];
	bool counted; /* c is valid */
	struct agent_counters c; /* as its agent reported last */
	/* From the change that made a generation to the agent's word that the
	 * kernel has it; microseconds of frr_now_us(). */
	uint64_t generation; /* the one that is on its way, 0: none */
	bool unsaved;	     /* its filter was sent and is not in the store yet; */
	int64_t sent_ms;     /* when, since 1970, */
	int64_t sent_cause;  /* and why: see savd_history.c */
	char because[SAVD_BECAUSE_SIZE]; /* what the next run will change it for; "" */
	uint64_t because_run;
	struct engine_change change; /* the last of an address since it was saved */
	int64_t changed_us;
	int64_t applied_last_us, applied_max_us;
	uint64_t changed_generation; /* the newest, */
	int64_t changed_s;	     /* and when it was made, seconds since 1970 */
};

struct savd {
	struct config cfg;
	struct store *store;
	struct engine *engine;
	struct south_packet *south;
	struct bmp_listeners *bmp;
	struct savd_radius *radius;
	struct signer *signer;
	struct savd_history *history; /* what waits to be saved */
	struct savd_edge **edges; /* sorted by router and interface */
	size_t n_edges;
	struct drop_store *drops; /* what agents say that was refused */
	int64_t changed_us;   /* when the oldest change came that no run has seen; 0: none */
	int64_t run_max_us;   /* longest engine_run() so far */
	int64_t run_last_us;
	uint64_t runs;
	int64_t run_total_us;
	struct metrics_registry *metrics; /* where modules register collectors */
};

int64_t savd_now_ms(void); /* monotonic */

/* Lets the engine work off what has changed, so that the next answer to the
 * operator includes the last command. */
void savd_catch_up(void);

/* The newest revision of the configuration; 0: it was never changed. */
int64_t savd_revision(void);
/* For the log and for `show events`. */
void savd_note(bool alarm, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Filters and events that wait for it are saved now. */
void savd_save(void);
/* Why they cannot be, and since when; NULL: they can. */
const char *savd_save_trouble(int64_t *since_ms);

/* NULL: nothing is known. */
const struct savd_edge *savd_edge_find(const struct savd *savd, const char *router,
				       const char *interface);

#endif /* SAV_SAVD_H */
