/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Peers with more paths than "feed max-paths" allows.
 *
 * Such a peer keeps what it has, which goes on being updated and withdrawn; what it
 * tells beyond is left out. Its stream stays open, for other peers' routes come by
 * it. As its table is not whole, nothing leaves a set on its account and no edge
 * begins to enforce on it. Where there is room again, only a new dump brings what
 * was left out.
 */
#include "controller/engine_feed_impl.h"

/* Well below the bound: less than 7/8 of it. */
static bool has_room(const struct engine *e, const struct engine_peer *p)
{
	uint64_t bound = config_max_paths(e->cfg);

	return bound > p->full_bound || rib_peer_weight(p->rib) < bound - bound / 8;
}

/* A peer that fills its bound again and again is asked less and less often. */
#define BACKOFF_MS  ((int64_t)600 * 1000)
#define BACKOFF_MAX 7 /* doublings: 21 hours */

static int64_t backoff_ms(const struct engine_peer *p)
{
	unsigned int n = p->full_times < BACKOFF_MAX ? p->full_times : BACKOFF_MAX;

	return p->full_times <= 1 ? 0 : BACKOFF_MS << (n - 1);
}

int64_t engine_bound_dump_ms(const struct engine *e, const struct engine_peer *p)
{
	return has_room(e, p) ? p->full_ms + backoff_ms(p) : -1;
}

static void on_full(struct rib_peer *rib, void *arg)
{
	struct engine *e = arg;
	struct engine_peer *p = engine_peer_get(e, rib);
	char addr[IP_TEXT_SIZE];

	p->complete = p->unconfirmed = false;
	p->doubt = "has more paths than \"feed max-paths\" allows";
	p->full_bound = config_max_paths(e->cfg);
	p->full_ms = e->now_ms;
	engine_peer_changed(e, p);
	if (p->full_times++ != 0) /* told, and not whole since */
		return;
	engine_note(e, true,
		    "router %s: peer %s is at its bound of %llu paths (feed max-paths), more "
		    "are left out; see why it sends so many (a leak? maximum-prefix), or type "
		    "a larger \"feed max-paths\", or \"exclude peer %s\" in router %s",
		    p->router->name, ip_addr_format(&rib_peer_key(rib)->addr, addr),
		    (unsigned long long)p->full_bound, addr, p->router->name);
}

void engine_bound_sync(struct engine *e)
{
	rib_bound(e->rib, config_max_paths(e->cfg), on_full, e);
	for (struct engine_peer *p = e->peers; p; p = p->next) {
		if (!rib_peer_is_full(p->rib))
			continue;
		if (config_max_paths(e->cfg) > p->full_bound)
			p->full_times = 1; /* the operator's word: at once */
		engine_peer_changed(e, p);
	}
}
