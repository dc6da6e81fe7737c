/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * path - one way to a provider, and whether it lives.
 *
 * A path is a link (an interface with its gateway) or a tunnel (the interface
 * of one, over a link that may be another provider's). Steering makes the list
 * of paths from the configuration and from what interfaces there are; liveness
 * watches each path of that list and says when its state changes. Values only:
 * both sides include this header, neither includes the other's.
 *
 * Rules for whoever watches (the prober, BFD):
 *  - Own packets carry `mark` by SO_MARK, and `source[family]` as their bound
 *    source; never SO_BINDTODEVICE, which passes by the prohibit route that
 *    ends the path's own table. With the mark a packet leaves by this path or
 *    not at all, whatever the state is that the path has at the moment: a dead
 *    path can be probed.
 *  - A path is known by `number`. A list that comes later may have it under
 *    another interface index, source or gateway: begin anew then (state
 *    PATH_UNKNOWN) where the old answers prove nothing; keep the state where
 *    path_same_way() holds.
 *  - Where nothing can be sent yet (no interface, no source) there is nothing
 *    to say: PATH_UNKNOWN. Steering itself sees interfaces that are down.
 */
#ifndef SAV_PATH_H
#define SAV_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/filter.h"
#include "lib/ip.h"
#include "lib/name.h"

#define PATH_NAME_SIZE	 NAME_SIZE /* as of tunnels in sav-iked */
#define PATH_TARGETS_MAX 8
#define PATH_NUMBER_MAX	 63 /* from 1 */
#define PATH_REASON_SIZE 96
#define PATH_HOOK_SIZE	 256
#define PATH_BFD_KEY_BYTES 20

enum path_kind {
	PATH_LINK,
	PATH_TUNNEL,
};

/* How a path is watched: from the configuration, the same for all paths of a
 * provider; path_watch_default() gives what `show running-config` leaves out. */
struct path_watch {
	bool probe;		/* "no probe": the interface's state is all there is */
	bool bfd;		/* towards gateway or tunnel's head, besides */
	uint32_t interval_ms;	/* of probes to each target, 200 */
	uint32_t timeout_ms;	/* without any answer from the quorum: down, 700 */
	uint32_t hold_ms;	/* answering before up again, 30000; doubles when it flaps */
	uint32_t bfd_interval_ms; /* transmit and required receive, 100 */
	uint32_t bfd_multiplier;  /* 3 */
	/* Multihop BFD (RFC 5883) with this address instead; packets that have come
	 * with a lower TTL than that are not believed, 254. */
	bool bfd_multihop;
	struct ip_addr bfd_peer;
	uint32_t bfd_min_ttl;
	/* BFD_AUTH_SHA1, BFD_AUTH_METICULOUS_SHA1, or 0; the key as read from the file,
	 * padded with zeros, or at random where it could not be read. */
	uint8_t bfd_auth, bfd_key_id, bfd_key[PATH_BFD_KEY_BYTES];
	char bfd_key_file[PATH_HOOK_SIZE];
	/* Addresses beyond the gateway; down when fewer than `quorum` of them
	 * answer, even while the gateway does. None: the gateway alone (of a
	 * tunnel: its head) is asked. */
	struct ip_addr targets[PATH_TARGETS_MAX];
	size_t n_targets;
	uint32_t quorum; /* 1 */
	char hook[PATH_HOOK_SIZE]; /* told when the provider dies or is back; "": none */
};

struct path {
	uint32_t number; /* 1 to PATH_NUMBER_MAX; kept in the configuration */
	enum path_kind kind;
	char name[PATH_NAME_SIZE];     /* of the link: its interface; or the tunnel's */
	char provider[PATH_NAME_SIZE];
	char via[PATH_NAME_SIZE];      /* of a tunnel: the link under it */
	char device[FILTER_IFNAME_SIZE];
	uint32_t ifindex;	       /* 0: there is no such interface now */
	bool device_up;		       /* IFF_UP and IFF_RUNNING */
	uint32_t mark;		       /* for SO_MARK of packets that must go by this path */
	uint32_t mark_mask;	       /* the bits of it that are steering's */
	bool has_source[IP_FAMILIES];
	struct ip_addr source[IP_FAMILIES];
	/* Of a link; without one it is a point-to-point interface. IPv6: mostly
	 * link-local, to be used with the interface index as its scope. */
	bool has_gateway[IP_FAMILIES];
	struct ip_addr gateway[IP_FAMILIES];
	/* Of a tunnel: an address inside it at the head's end, "tunnel NAME via
	 * LINK head ADDRESS". */
	bool has_head[IP_FAMILIES];
	struct ip_addr head[IP_FAMILIES];
	/* It would be used if it lives: there are an interface that is up, a gateway,
	 * keys of the tunnel. */
	bool possible[IP_FAMILIES];
	/* Its interface is gone, down or without keys because sav-iked is being started
	 * anew, which says nothing of the way. */
	bool excused;
	/* The agent that ran before has found it dead: it must prove that it lives. */
	bool was_dead;
	struct path_watch watch;
};

enum path_alive {
	PATH_UNKNOWN, /* not watched, or nothing known yet: used like an up one */
	PATH_UP,
	PATH_DOWN,
};

struct path_state {
	enum path_alive alive;
	int64_t since_ms;	       /* frr_now_us() / 1000 */
	char reason[PATH_REASON_SIZE]; /* of a down one, for people: "no answer from
					* 192.0.2.1 for 700 ms" */
	int64_t rtt_us;		       /* the last one; -1: none */
	int loss_percent;	       /* of the last 64 probes; -1: none had its time */
};

/* Liveness calls this from its event loop, once per change, never from within
 * liveness_set(). Routes have been switched when it returns. */
typedef void path_changed_fn(void *ctx, uint32_t number, const struct path_state *state);

/* What liveness offers: agents/steer/liveness_packet.h. */

void path_watch_default(struct path_watch *w);
/* Answers that came for one prove something for the other: same interface,
 * source, gateway, head and targets. */
bool path_same_way(const struct path *a, const struct path *b);
const char *path_kind_name(enum path_kind kind);
const char *path_alive_name(enum path_alive alive);

#endif /* SAV_PATH_H */
