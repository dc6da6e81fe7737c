/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * reach_packet - the completeness probe and its responder in libfrr's event loop.
 *
 * Packets of a probe leave by a socket that is bound to a source in the prefix,
 * whether this machine has it or not, with the path's mark, and with the
 * priority for which the filter makes its exception while the probe runs
 * (plan.h); answers come to a socket of its own.
 */
#ifndef SAV_REACH_PACKET_H
#define SAV_REACH_PACKET_H

#include "agents/steer/reach_matrix.h"
#include "lib/metrics.h"

struct event_loop;
struct reach_packet;

struct reach_packet_ops {
	void (*privileges)(bool raise);
	void (*note)(void *ctx, bool alarm, const char *text);
};

struct reach_packet *reach_packet_new(struct event_loop *loop,
				      const struct reach_packet_ops *ops, void *ctx);
void reach_packet_free(struct reach_packet *rp);

/* Of one provider's paths, or NULL: of all. -1 with diag: not begun. */
int reach_packet_probe(struct reach_packet *rp, const char *provider, struct diag *diag);
/* The site's configuration has changed: the timer. */
void reach_packet_changed(struct reach_packet *rp);

struct reach_listen {
	bool on;
	struct ip_addr at;
	uint16_t port;
	char key[PATH_HOOK_SIZE]; /* file */
};
/* By family. What cannot be opened is tried again every few seconds; -1 with
 * diag then. */
int reach_packet_listen(struct reach_packet *rp, enum ip_family f,
			const struct reach_listen *listen, struct diag *diag);

/* The responder's key anew from its file; a side that asks reads its own each time. -1
 * with diag: it is as it was. */
int reach_packet_reload(struct reach_packet *rp, enum ip_family f, struct diag *diag);

#define REACH_EVENTS 16
struct reach_event {
	int64_t ms;
	bool alarm;
	char text[384];
};
struct reach_view {
	bool running;
	int64_t finished_ms; /* 0: never */
	uint64_t runs;
	const struct reach_matrix *matrix;
	const struct reach_event *events; /* the oldest first */
	size_t n_events;
};
void reach_packet_view(const struct reach_packet *rp, struct reach_view *out);
/* Of the responder; error "": it listens. */
const struct reach_guard *reach_packet_guard(const struct reach_packet *rp, enum ip_family f,
					     const char **error);

/* What is known of each cell; arg: the reach_packet. */
bool reach_packet_collect(struct metrics *m, uint64_t *step, void *arg);

#endif /* SAV_REACH_PACKET_H */
