/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Who has which prefix. All claims of all sessions are in one index by prefix;
 * of the claims of one prefix the policy says which are granted, and every
 * change of that is told as a change of an edge.
 */
#include "controller/radius/radius_session_impl.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/digest.h"
#include "lib/mem.h"

#define ALARM_MS 10000

void radius_claims_init(struct radius_sessions *rs)
{
	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++) {
		uint64_t seed;

		digest_random(&seed, sizeof(seed));
		prefix_index_init(&rs->index[family], family, seed);
	}
	rs->leaving_end = &rs->leaving;
}

void radius_claims_fini(struct radius_sessions *rs)
{
	struct radius_leaving *l;

	while ((l = rs->leaving)) {
		rs->leaving = l->next;
		free(l);
	}
	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++)
		prefix_index_fini(&rs->index[family]);
}

void radius_sessions_alarm(struct radius_sessions *rs, enum radius_alarm_kind kind,
			   int64_t now_ms, const char *fmt, ...)
{
	struct radius_alarm *alarm = &rs->alarms[kind];
	char text[400], more[64] = "";
	va_list ap;

	if (alarm->told && now_ms < alarm->at_ms + ALARM_MS) {
		alarm->untold++;
		return;
	}
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text) - sizeof(more), fmt, ap);
	va_end(ap);
	if (alarm->untold > 0)
		snprintf(more, sizeof(more), " (and %u like that before)", alarm->untold);
	strcat(text, more);
	*alarm = (struct radius_alarm){ .at_ms = now_ms, .told = true };
	rs->ops.note(rs->ctx, true, text);
}

/* ---- the list at a prefix ---- */

static struct radius_claim *claims_at(const struct prefix_index *x, uint32_t node)
{
	struct radius_claim *first;

	memcpy(&first, prefix_index_data(x, node), sizeof(first));
	return first;
}

static void claims_put(const struct prefix_index *x, uint32_t node, struct radius_claim *first)
{
	memcpy(prefix_index_data(x, node), &first, sizeof(first));
}

/* ---- telling ---- */

static const struct addrset nothing;

static void tell_added(struct radius_sessions *rs, const struct radius_edge *edge,
		       const struct ip_prefix *p)
{
	struct addrset added = { 0 };

	addrset_append(&added, p);
	rs->ops.edge(rs->ctx, edge->router, edge->interface, &added, &nothing,
		     RADIUS_LEAVE_NOW, edge->sessions);
	addrset_fini(&added);
}

static void tell_count(struct radius_sessions *rs, const struct radius_edge *edge)
{
	rs->ops.edge(rs->ctx, edge->router, edge->interface, &nothing, &nothing,
		     RADIUS_LEAVE_NOW, edge->sessions);
}

struct still {
	const struct radius_edge *edge;
	struct addrset set; /* granted to the edge, inside the prefix */
};

static bool granted_here(const struct prefix_index *x, uint32_t node,
			 const struct radius_edge *edge)
{
	for (const struct radius_claim *c = claims_at(x, node); c; c = c->next) {
		if (c->granted && c->edge == edge)
			return true;
	}
	return false;
}

static bool still_covered(const struct prefix_index *x, uint32_t node, void *arg)
{
	const struct still *still = arg;

	return granted_here(x, node, still->edge);
}

static bool still_inside(const struct prefix_index *x, uint32_t node, void *arg)
{
	struct still *still = arg;
	struct ip_prefix p = prefix_index_prefix(x, node);

	if (!granted_here(x, node, still->edge))
		return false;
	addrset_append(&still->set, &p);
	return true; /* what lies in it adds nothing */
}

/* What of the prefix no other session of the edge has. */
static void tell_removed(struct radius_sessions *rs, const struct radius_edge *edge,
			 const struct ip_prefix *p, enum radius_leave leave)
{
	struct prefix_index *x = &rs->index[p->family];
	struct still still = { .edge = edge };
	struct addrset removed = { 0 };

	if (prefix_index_covering(x, p, still_covered, &still))
		return;
	prefix_index_inside(x, p, false, still_inside, &still);
	addrset_normalize(&still.set);
	addrset_append(&removed, p);
	addrset_normalize(&removed);
	addrset_subtract(&removed, &removed, &still.set);
	rs->ops.edge(rs->ctx, edge->router, edge->interface, &nothing, &removed, leave,
		     edge->sessions);
	addrset_fini(&still.set);
	addrset_fini(&removed);
}

static void wait_for(struct radius_sessions *rs, struct radius_edge *edge,
		     struct radius_edge *waits_for, const struct ip_prefix *p, int64_t now_ms)
{
	struct radius_leaving *l = mem_alloc(sizeof(*l));

	*l = (struct radius_leaving){
		.edge = edge, .waits_for = waits_for, .prefix = *p, .due_ms = now_ms + RADIUS_MOVE_MS
	};
	*rs->leaving_end = l;
	rs->leaving_end = &l->next;
	rs->stats.leaving++;
}

/* The prefix leaves one edge; where another has it now, only after that. */
static void lose(struct radius_sessions *rs, struct radius_edge *edge,
		 struct radius_edge *taker, const struct ip_prefix *p, enum radius_leave leave,
		 int64_t now_ms)
{
	if (taker && taker != edge && leave == RADIUS_LEAVE_NOW)
		wait_for(rs, edge, taker, p, now_ms);
	else
		tell_removed(rs, edge, p, leave);
}

void radius_claims_leave(struct radius_sessions *rs, const struct radius_edge *applied,
			 int64_t now_ms)
{
	struct radius_leaving **at = &rs->leaving, *l;

	while ((l = *at)) {
		if (l->due_ms > now_ms && l->waits_for != applied) {
			if (!applied)
				break; /* they wait equally long: the rest is later */
			at = &l->next;
			continue;
		}
		*at = l->next;
		if (!*at)
			rs->leaving_end = at;
		rs->stats.leaving--;
		tell_removed(rs, l->edge, &l->prefix, RADIUS_LEAVE_NOW);
		free(l);
	}
}

/* ---- policy ---- */

static bool is_newer(const struct radius_session *a, const struct radius_session *b)
{
	return a->started != b->started ? a->started > b->started : a->order > b->order;
}

/* Whose the prefix is; NULL: everybody's, or there is no claim. */
static struct radius_claim *winner(const struct radius_sessions *rs, struct radius_claim *list)
{
	struct radius_claim *best = list;

	if (rs->cfg->radius.settings.conflict == RADIUS_BOTH)
		return NULL;
	for (struct radius_claim *c = list; c; c = c->next) {
		bool newer = is_newer(c->session, best->session);

		if (c != best &&
		    newer == (rs->cfg->radius.settings.conflict == RADIUS_NEWEST))
			best = c;
	}
	return best;
}

static bool same_user(const struct radius_session *a, const struct radius_session *b)
{
	struct radius_attrs x = { a->attrs, a->attrs_len }, y = { b->attrs, b->attrs_len };
	struct radius_attr u, v;

	return radius_find(x, 0, RADIUS_USER_NAME, &u) &&
	       radius_find(y, 0, RADIUS_USER_NAME, &v) && u.len > 0 && u.len == v.len &&
	       memcmp(u.data, v.data, u.len) == 0;
}

/* A session of the same user elsewhere is one that moved and whose Stop is not
 * here yet. */
static void note_conflict(struct radius_sessions *rs, struct radius_claim *list,
			  const struct ip_prefix *p, int64_t now_ms)
{
	const struct radius_claim *a = list, *b = list->next;
	char text[IP_TEXT_SIZE], one[200], two[200];

	while (b->edge == a->edge)
		b = b->next;
	if (same_user(a->session, b->session)) {
		rs->stats.moved++;
		return;
	}
	rs->stats.conflicts_seen++;
	radius_session_name(a->session, one, sizeof(one));
	radius_session_name(b->session, two, sizeof(two));
	radius_sessions_alarm(rs, RADIUS_ALARM_CONFLICT, now_ms,
			      "RADIUS: %s is claimed by %s on %s %s and %s on %s %s: radius "
			      "conflict %s decides",
			      ip_prefix_format(p, text), one, a->edge->router,
			      a->edge->interface, two, b->edge->router,
			      b->edge->interface,
			      radius_conflict_name(rs->cfg->radius.settings.conflict));
}

static bool is_conflict(const struct radius_claim *list)
{
	for (const struct radius_claim *c = list; c; c = c->next) {
		if (c->edge != list->edge)
			return true;
	}
	return false;
}

static void set_granted(struct radius_sessions *rs, struct radius_claim *c, bool granted)
{
	struct radius_session *s = c->session;

	c->granted = granted;
	s->states[c - s->claims] = granted ? RADIUS_ACCEPTED : RADIUS_CLAIMED;
	rs->stats.prefixes += granted ? 1 : (size_t)-1;
}

/* Grants anew what the policy says of the claims at a node: first what comes,
 * then what goes. taker: where the prefix went, if no claim shows it. */
static void regrant(struct radius_sessions *rs, uint32_t node, const struct ip_prefix *p,
		    int64_t now_ms)
{
	struct prefix_index *x = &rs->index[p->family];
	struct radius_claim *list = claims_at(x, node), *won = winner(rs, list);
	uint32_t *flag = &prefix_index_data(x, node)[2];
	bool conflict = is_conflict(list);

	if (conflict != (*flag != 0)) {
		*flag = conflict;
		rs->stats.conflicts += conflict ? 1 : (size_t)-1;
		if (conflict)
			note_conflict(rs, list, p, now_ms);
	}
	for (struct radius_claim *c = list; c; c = c->next) {
		if (!c->granted && (!won || won->edge == c->edge)) {
			set_granted(rs, c, true);
			tell_added(rs, c->edge, p);
		}
	}
	for (struct radius_claim *c = list; c; c = c->next) {
		if (c->granted && won && won->edge != c->edge) {
			set_granted(rs, c, false);
			lose(rs, c->edge, won->edge, p, RADIUS_LEAVE_NOW,
			     now_ms);
		}
	}
}

/* ---- one session's claims ---- */

static enum radius_prefix_state judge(const struct radius_sessions *rs,
				      const struct radius_session *s,
				      const struct radius_edge *edge,
				      const struct ip_prefix *p)
{
	const struct config_radius_client *client;

	if (p->len < rs->cfg->radius.settings.min_len[p->family])
		return RADIUS_TOO_SHORT;
	if (p->len > rs->cfg->radius.settings.max_len[p->family])
		return RADIUS_TOO_LONG;
	if (!edge)
		return RADIUS_NO_EDGE;
	if (s->profile)
		return RADIUS_CLAIMED; /* to be granted: its server is the operator's own */
	client = config_radius_client_find(rs->cfg, s->nas->client);
	for (size_t i = 0; client && i < client->n_pool; i++) {
		if (ip_prefix_covers(&client->pool[i], p))
			return RADIUS_CLAIMED;
	}
	return RADIUS_OUTSIDE_POOL;
}

static void claim_insert(struct radius_sessions *rs, struct radius_claim *c,
			 const struct ip_prefix *p)
{
	struct prefix_index *x = &rs->index[p->family];

	c->node = prefix_index_get(x, p);
	c->next = claims_at(x, c->node);
	claims_put(x, c->node, c);
}

static void claim_remove(struct radius_sessions *rs, struct radius_claim *c,
			 const struct ip_prefix *p)
{
	struct prefix_index *x = &rs->index[p->family];
	struct radius_claim *first = claims_at(x, c->node), **at = &first;

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	claims_put(x, c->node, first);
}

static void note_refused(struct radius_sessions *rs, const struct radius_session *s,
			 enum radius_prefix_state state, const struct ip_prefix *p,
			 int64_t now_ms)
{
	char text[IP_TEXT_SIZE], name[200];

	rs->stats.refused++;
	radius_session_name(s, name, sizeof(name));
	if (state == RADIUS_TOO_SHORT || state == RADIUS_TOO_LONG)
		radius_sessions_alarm(rs, RADIUS_ALARM_REFUSED, now_ms,
				      "RADIUS: %s wants %s, which is too %s (radius "
				      "prefix-length): refused",
				      name, ip_prefix_format(p, text),
				      state == RADIUS_TOO_SHORT ? "much" : "little");
	else
		radius_sessions_alarm(rs, RADIUS_ALARM_REFUSED, now_ms,
				      "RADIUS: %s wants %s, which is not in the pool of client %s: "
				      "refused",
				      name, ip_prefix_format(p, text), s->nas->client);
}

static void erase(struct radius_sessions *rs, struct prefix_index *x, uint32_t node)
{
	if (prefix_index_data(x, node)[2] != 0)
		rs->stats.conflicts--;
	prefix_index_erase(x, node);
}

/* What a session had before, and its claims to that. */
struct old_claims {
	struct radius_prefix *prefixes;
	enum radius_prefix_state *states;
	struct radius_claim *claims;
	size_t n;
};

static bool was_refused(const struct old_claims *old, const struct ip_prefix *p,
			enum radius_prefix_state state)
{
	for (size_t i = 0; i < old->n; i++) {
		if (old->states[i] == state && ip_prefix_cmp(&old->prefixes[i].prefix, p) == 0)
			return true;
	}
	return false;
}

static void insert_all(struct radius_sessions *rs, struct radius_session *s,
		       const struct old_claims *old, int64_t now_ms)
{
	for (size_t i = 0; i < s->n_prefixes; i++) {
		const struct ip_prefix *p = &s->prefixes[i].prefix;

		s->claims[i] = (struct radius_claim){ .session = s, .edge = s->edge };
		s->states[i] = judge(rs, s, s->edge, p);
		if (s->states[i] == RADIUS_CLAIMED)
			claim_insert(rs, &s->claims[i], p);
		else if (s->states[i] != RADIUS_NO_EDGE && !was_refused(old, p, s->states[i]))
			note_refused(rs, s, s->states[i], p, now_ms);
	}
}

void radius_claims_judge(struct radius_sessions *rs, struct radius_session *s, int64_t now_ms)
{
	for (size_t i = 0; i < s->n_prefixes; i++) {
		if (s->claims[i].node != 0)
			regrant(rs, s->claims[i].node, &s->prefixes[i].prefix, now_ms);
	}
}

/* The claims are in no list any more; what was granted by them is taken away as
 * far as nobody else has it. */
static void finish_old(struct radius_sessions *rs, struct old_claims *old,
		       struct radius_edge *taker, enum radius_leave leave, int64_t now_ms)
{
	for (size_t i = 0; i < old->n; i++) {
		const struct radius_claim *c = &old->claims[i];
		const struct ip_prefix *p = &old->prefixes[i].prefix;
		struct prefix_index *x = &rs->index[p->family];

		if (c->node == 0)
			continue;
		if (claims_at(x, c->node))
			regrant(rs, c->node, p, now_ms);
		if (c->granted) {
			rs->stats.prefixes--;
			lose(rs, c->edge, taker, p, leave, now_ms);
		}
		if (!claims_at(x, c->node))
			erase(rs, x, c->node);
	}
}

static bool is_same(const struct radius_sessions *rs, const struct radius_session *s,
		    const struct radius_edge *edge, const struct radius_prefixes *prefixes)
{
	if (s->edge != edge || s->n_prefixes != prefixes->n)
		return false;
	for (size_t i = 0; i < prefixes->n; i++) {
		const struct ip_prefix *p = &prefixes->p[i].prefix;

		if (s->prefixes[i].type != prefixes->p[i].type ||
		    ip_prefix_cmp(&s->prefixes[i].prefix, p) != 0)
			return false;
		/* a pool may have become another */
		if ((judge(rs, s, edge, p) == RADIUS_CLAIMED) != (s->claims[i].node != 0))
			return false;
	}
	return true;
}

static void move_count(struct radius_sessions *rs, struct radius_edge *from,
		       struct radius_edge *to)
{
	if (from == to)
		return;
	if (to) {
		to->sessions++;
		rs->on_edges++;
		tell_count(rs, to);
	}
	if (from) {
		from->sessions--;
		rs->on_edges--;
	}
}

void radius_claims_set(struct radius_sessions *rs, struct radius_session *s,
		       struct radius_edge *edge, const struct radius_prefixes *prefixes,
		       enum radius_leave leave, int64_t now_ms)
{
	struct old_claims old = { s->prefixes, s->states, s->claims, s->n_prefixes };
	struct radius_edge *from = s->edge;

	s->unusable = (uint16_t)prefixes->unusable;
	if (is_same(rs, s, edge, prefixes))
		return;
	rs->at_work = s;
	for (size_t i = 0; i < old.n; i++) {
		if (old.claims[i].node != 0)
			claim_remove(rs, &old.claims[i], &old.prefixes[i].prefix);
	}
	s->edge = edge;
	s->n_prefixes = (uint16_t)prefixes->n;
	s->prefixes = mem_dup(prefixes->p, prefixes->n * sizeof(*s->prefixes));
	s->states = mem_calloc(prefixes->n, sizeof(*s->states));
	s->claims = mem_calloc(prefixes->n, sizeof(*s->claims));
	move_count(rs, from, edge);
	insert_all(rs, s, &old, now_ms);
	radius_claims_judge(rs, s, now_ms);
	finish_old(rs, &old, edge, leave, now_ms);
	if (from && from != edge)
		tell_count(rs, from);
	rs->at_work = NULL;
	free(old.prefixes);
	free(old.states);
	free(old.claims);
}
