/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * liveness - watches all paths of a site and says when one dies or is back.
 *
 * Pure: sockets, clock and randomness are behind liveness_ops. Puts together what
 * interfaces, probes (probe.h, quorum.h) and BFD sessions (bfd.h) say of each
 * path, and what becomes of that in time (liveness_fsm.h). A path that answers
 * again is down while it is on hold, unless no path of its provider is up.
 *
 * The clock may jump: what passes beyond the time that liveness_run() asked to be
 * called at does not count, neither as silence nor as hold.
 */
#ifndef SAV_LIVENESS_H
#define SAV_LIVENESS_H

#include "agents/steer/bfd.h"
#include "agents/steer/liveness_fsm.h"
#include "agents/steer/path.h"
#include "agents/steer/probe.h"

/* Gateway or head of each family, and the targets. */
#define LIVENESS_PROBES_MAX (IP_FAMILIES + PATH_TARGETS_MAX)

struct liveness_ops {
	/* Sockets for a path's packets, before the first is sent, and anew when the
	 * path has another mark, source or interface; ident: of its echo requests. */
	void (*open)(void *ctx, const struct path *path, uint16_t ident);
	void (*close)(void *ctx, uint32_t number);
	/* False: it has not been sent, for a reason that lies here and not with the
	 * path (no socket, an address that is not ready, no memory). */
	bool (*send_echo)(void *ctx, uint32_t number, const struct ip_addr *to,
			  const uint8_t *data, size_t len);
	void (*send_bfd)(void *ctx, uint32_t number, const struct ip_addr *to,
			 uint16_t port, const uint8_t *data, size_t len);
	path_changed_fn *changed;
	uint64_t (*random)(void *ctx);
};

/* A BFD packet as it came. */
struct liveness_datagram {
	struct ip_addr from, to;
	uint32_t ifindex;
	int ttl; /* or hop limit; -1: not known */
	bool multihop;
	const uint8_t *data;
	size_t len;
};

struct liveness_counters {
	uint64_t strange_echo; /* an answer to nothing that is open */
	uint64_t bfd[BFD_ERRORS];
};

/* For show commands. */
struct liveness_probe_status {
	struct ip_addr to;
	bool beyond; /* else gateway or head */
	enum probe_state state;
	int64_t rtt_us;	  /* -1: none */
	int loss_percent; /* -1: none */
	uint64_t sent, received;
};

struct liveness;

struct liveness *liveness_new(const struct liveness_ops *ops, void *ctx);
void liveness_free(struct liveness *l); /* closes; calls nothing else */

/* All paths there are; copied. Watching goes on for those that go the same way. */
void liveness_set(struct liveness *l, const struct path *paths, size_t n, int64_t now_us);
/* Bytes from a path's ICMP socket of this family (IPv4: with the IP header). */
void liveness_echo(struct liveness *l, uint32_t number, const struct ip_addr *from,
		   const uint8_t *data, size_t len, int64_t now_us);
void liveness_bfd(struct liveness *l, const struct liveness_datagram *d, int64_t now_us);
/* Sends what is due and tells changes. Returns when to be called again, or
 * earlier, if anything was handed over; INT64_MAX: not by itself. */
int64_t liveness_run(struct liveness *l, int64_t now_us);
/* The operator takes BFD down on a path, or up again; false: it has none. */
bool liveness_bfd_shutdown(struct liveness *l, uint32_t number, bool down,
			   int64_t now_us);

/* False: no such path. */
bool liveness_state(const struct liveness *l, uint32_t number, struct path_state *out);
size_t liveness_probes(const struct liveness *l, uint32_t number,
		       struct liveness_probe_status out[LIVENESS_PROBES_MAX]);
/* NULL: no session of this family. *peer is set else. */
const struct bfd *liveness_bfd_session(const struct liveness *l, uint32_t number,
				       enum ip_family family, struct ip_addr *peer);
const struct liveness_counters *liveness_counters(const struct liveness *l);

#endif /* SAV_LIVENESS_H */
