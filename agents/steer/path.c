/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/steer/path.h"

#include <string.h>

void path_watch_default(struct path_watch *w)
{
	*w = (struct path_watch){
		.probe = true,
		.interval_ms = 200,
		.timeout_ms = 700,
		.hold_ms = 30000,
		.bfd_interval_ms = 100,
		.bfd_multiplier = 3,
		.bfd_min_ttl = 254,
		.quorum = 1,
	};
}

static bool same_addrs(const bool has_a[IP_FAMILIES], const struct ip_addr a[IP_FAMILIES],
		       const bool has_b[IP_FAMILIES], const struct ip_addr b[IP_FAMILIES])
{
	for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++) {
		if (has_a[f] != has_b[f] || (has_a[f] && !ip_addr_equal(&a[f], &b[f])))
			return false;
	}
	return true;
}

static bool same_bfd_key(const struct path_watch *a, const struct path_watch *b)
{
	return a->bfd_auth == b->bfd_auth && a->bfd_key_id == b->bfd_key_id &&
	       memcmp(a->bfd_key, b->bfd_key, sizeof(a->bfd_key)) == 0;
}

static bool same_watch(const struct path_watch *a, const struct path_watch *b)
{
	if (a->probe != b->probe || a->bfd != b->bfd || a->interval_ms != b->interval_ms ||
	    a->timeout_ms != b->timeout_ms || a->hold_ms != b->hold_ms ||
	    a->bfd_interval_ms != b->bfd_interval_ms ||
	    a->bfd_multiplier != b->bfd_multiplier || a->quorum != b->quorum ||
	    a->n_targets != b->n_targets || a->bfd_multihop != b->bfd_multihop ||
	    (a->bfd_multihop && !ip_addr_equal(&a->bfd_peer, &b->bfd_peer)) ||
	    a->bfd_min_ttl != b->bfd_min_ttl || !same_bfd_key(a, b))
		return false;
	for (size_t i = 0; i < a->n_targets; i++) {
		if (!ip_addr_equal(&a->targets[i], &b->targets[i]))
			return false;
	}
	return true;
}

bool path_same_way(const struct path *a, const struct path *b)
{
	return a->number == b->number && a->kind == b->kind && a->ifindex == b->ifindex &&
	       a->mark == b->mark &&
	       same_addrs(a->has_source, a->source, b->has_source, b->source) &&
	       same_addrs(a->has_gateway, a->gateway, b->has_gateway, b->gateway) &&
	       same_addrs(a->has_head, a->head, b->has_head, b->head) &&
	       same_watch(&a->watch, &b->watch);
}

const char *path_kind_name(enum path_kind kind)
{
	return kind == PATH_LINK ? "link" : "tunnel";
}

const char *path_alive_name(enum path_alive alive)
{
	switch (alive) {
	case PATH_UNKNOWN:
		return "unknown";
	case PATH_UP:
		return "up";
	case PATH_DOWN:
		return "down";
	}
	return "?";
}
