/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * liveness_path - one path under watch: its probes, its BFD sessions, and what
 * they say together. Part of liveness; pure.
 */
#ifndef SAV_LIVENESS_PATH_H
#define SAV_LIVENESS_PATH_H

#include "agents/steer/liveness.h"

struct watched_bfd {
	bool used;
	bool known; /* has been up, and its going down says something */
	struct ip_addr peer;
	struct bfd session;
};

struct watched {
	struct path path;
	struct liveness_fsm fsm;
	struct probe_conf conf;
	struct probe probes[LIVENESS_PROBES_MAX];
	bool beyond[LIVENESS_PROBES_MAX];
	size_t n_probes;
	struct watched_bfd bfd[IP_FAMILIES];
	int64_t begun_us;
	/* sav-iked is being started anew: no failure, but for one too soon after the
	 * last one. */
	bool excused, refused;
	int64_t excused_us; /* since, or when it was last; 0: never */
	uint16_t ident;		       /* of echo requests */
	char reason[PATH_REASON_SIZE]; /* of the last failure */
	struct path_state told;
};

/* Packets can be sent: there are an interface and a source address. */
bool watched_can_send(const struct watched *w);
/* From the beginning, with what is to be asked; random(ctx) as in liveness_ops. */
void watched_begin(struct watched *w, const struct path *path, int64_t now_us,
		   uint64_t (*random)(void *ctx), void *ctx);
/* The same way with other times, or the interface went up or down. */
void watched_update(struct watched *w, const struct path *path, int64_t now_us);
/* What is known at the moment; reason is set when it is bad. */
enum evidence watched_judge(struct watched *w, int64_t now_us,
			    char reason[PATH_REASON_SIZE]);
/* The earliest of all timers. */
int64_t watched_due_us(const struct watched *w, int64_t now_us);

#endif /* SAV_LIVENESS_PATH_H */
