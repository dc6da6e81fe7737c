/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * engine_compare_impl - what the two files about comparing feeds share.
 *
 * engine_compare.c: rounds and what comes of them. engine_compare_path.c: one path.
 */
#ifndef SAV_ENGINE_COMPARE_IMPL_H
#define SAV_ENGINE_COMPARE_IMPL_H

#include "controller/engine_compare.h"
#include "controller/engine_impl.h"

/* So many unexplained differences are remembered from one round to the next: those
 * with the lowest hashes, the same ones each time. */
#define COMPARE_SAMPLE_MAX 256

struct compare_sample {
	struct compare_example *list; /* ascending by hash */
	size_t n;
};

struct compare_result {
	int64_t began_ms, ended_ms;
	struct compare_family family[IP_FAMILIES];
	struct compare_sample sample;
};

struct compare_item {
	struct ip_prefix prefix;
	uint32_t path_id;
};

/* The round that is under way. */
struct compare_round {
	struct compare_result result;
	enum compare_side side;
	enum ip_family family;
	struct rib_peer_key peer; /* whose table is being walked */
	bool has_peer;
	unsigned int part;
	struct compare_item *items; /* of that part, not looked at yet: */
	size_t n_items, cap_items;
	size_t work; /* look-ups in this slice */
	/* Peers of the router by kind, listed anew for each slice: they come and go. */
	const struct engine_peer **peers[COMPARE_SIDES];
	size_t n_peers[COMPARE_SIDES];
	uint8_t *scratch; /* BGP_PATH_MAX, for AS paths */
};

/* Of a router. */
struct engine_compare {
	struct compare_round *round; /* NULL: none */
	struct compare_result last;
	bool known;	 /* last is */
	bool asked;
	bool alarm;
	size_t lasting;
	int64_t due_ms; /* of the next round */
};

/* Counts one path of this peer, of either side, in round->result. */
void compare_path(const struct engine *e, const struct engine_router *r,
		  struct compare_round *round, const struct engine_peer *p,
		  const struct ip_prefix *prefix, const struct rib_attr *attr);
/* The view of a peer of either side that is compared. */
enum rib_view compare_view(const struct engine_peer *p, enum ip_family family);

#endif /* SAV_ENGINE_COMPARE_IMPL_H */
