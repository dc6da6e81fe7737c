/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What can be seen of the session state from outside.
 */
#include "controller/radius/radius_session_impl.h"

#include <string.h>

static struct radius_session_view view_of(const struct radius_session *s)
{
	return (struct radius_session_view){
		.saved = radius_session_saved(s),
		.profile = s->profile,
		.silent = s->silent,
		.rule = s->rule,
		.last_ms = s->last_ms,
		.n_prefixes = s->n_prefixes,
		.prefixes = s->prefixes,
		.states = s->states,
		.unusable = s->unusable,
	};
}

void radius_sessions_walk(const struct radius_sessions *rs, radius_session_fn *fn, void *arg)
{
	for (size_t i = 0; i < rs->n_slots; i++) {
		for (struct radius_session *s = rs->slots[i]; s; s = s->slot_next) {
			struct radius_session_view view = view_of(s);

			if (!s->ended && !fn(s, &view, arg))
				return;
		}
	}
}

struct at {
	radius_session_fn *fn;
	void *arg;
};

static bool each_at(const struct prefix_index *x, uint32_t node, void *arg)
{
	const struct at *at = arg;
	const struct radius_claim *c;

	memcpy(&c, prefix_index_data(x, node), sizeof(c));
	for (; c; c = c->next) {
		struct radius_session_view view = view_of(c->session);

		if (!at->fn(c->session, &view, at->arg))
			return true;
	}
	return false;
}

void radius_sessions_at(struct radius_sessions *rs, const struct ip_prefix *p,
			radius_session_fn *fn, void *arg)
{
	struct at at = { fn, arg };

	/* not const: the index takes up what is new when it is asked */
	prefix_index_covering(&rs->index[p->family], p, each_at, &at);
}

void radius_session_stats(const struct radius_sessions *rs, struct radius_session_stats *stats)
{
	*stats = rs->stats;
	stats->sessions = rs->n;
	stats->silent = rs->silent.n;
	stats->without_edge = rs->n - rs->on_edges;
}

unsigned int radius_edge_sessions(const struct radius_sessions *rs, const char *router,
				  const char *interface)
{
	const struct radius_edge *edge = radius_edge_find(rs, router, interface);

	return edge ? edge->sessions : 0;
}
