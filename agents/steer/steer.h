/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * steer - the site's configuration, the plan that follows from it, and the
 * kernel brought to that plan whenever something changes.
 *
 * Wiring: site.h is the configuration, plan.h the decisions, rules_nl.h and
 * nft_site.h the kernel, liveness_io.h whoever watches the paths. At the end
 * of the daemon all stays in force.
 */
#ifndef SAV_STEER_H
#define SAV_STEER_H

#include "agents/links.h"
#include "agents/steer/nft_site.h"
#include "agents/steer/plan.h"

struct event_loop;

struct steer_ops {
	void (*privileges)(bool raise);
	void (*note)(void *ctx, bool alarm, const char *text);
	/* Links and tunnels have come or gone: rp_filter. */
	void (*devices_changed)(void *ctx);
	/* What is to be watched from now on; steer_path_changed() is the answer. */
	void (*paths)(void *ctx, const struct path *paths, size_t n);
};

struct steer_files {
	const char *accept_ra;	   /* state of accept_ra.h */
	const char *memory;	   /* state of path_memory.h */
	const char *delegations;   /* state of delegations.h */
	const char *tunnel_socket; /* sav-iked's */
};

/* links and the files' names stay the caller's, who says when links has changed. */
void steer_start(struct event_loop *loop, const struct steer_ops *ops, void *ctx,
		 const struct link_table *links, const struct steer_files *files);
void steer_stop(void); /* changes nothing in the kernel */
/* By hand: away with all of it until the next start. */
int steer_release(struct diag *diag);

/* The configuration. Changed in place, then steer_changed(). */
struct site *steer_site(void);
void steer_changed(void);
void steer_links_changed(void);
/* Liveness: routes are switched when it returns. A path_changed_fn. */
void steer_path_changed(void *ctx, uint32_t number, const struct path_state *state);
/* Interfaces whose rp_filter must not judge: links and tunnels. */
size_t steer_devices(char (*out)[FILTER_IFNAME_SIZE], size_t max);

/* Lets packets of a completeness probe out, or (all off) no more; in force when
 * it returns. False: there is no filter to let them out of. */
bool steer_reach(const struct plan_reach *reach);

/* For show commands; as applied last. */
const struct plan *steer_plan(void);
/* The plan as it would be made at this moment, with these states of paths (by number,
 * PATH_NUMBER_MAX + 1): why a path is not used. Nothing is changed, neither here nor in
 * the kernel. False: nothing is steered, and it is empty. plan_fini() is the caller's. */
bool steer_plan_now(struct plan *out, const struct path_state *states);
struct nft_site *steer_nft(void);      /* NULL: not started */
struct steer_status {
	bool tunnels_known; /* sav-iked is heard */
	bool in_force;	    /* a plan is in the kernel, nothing was released */
	uint64_t applied, messages;
	char error[512]; /* "": none */
};
void steer_status(struct steer_status *out);
const struct steer_tunnel *steer_tunnel_find(const char *name);
const struct path_state *steer_path_state(uint32_t number);

#endif /* SAV_STEER_H */
