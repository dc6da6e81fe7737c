/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/south/south.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/south/south_impl.h"
#include "lib/mem.h"

/* Of a Filter without its prefixes: names, hashes, peers, and to spare. */
#define FILTER_OVERHEAD_BYTES 16384

void south_note(struct south *s, bool alarm, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	s->ops.note(s->ctx, alarm, text);
}

/* ---- contents ---- */

static struct south_content *content_new(const struct filter *filter)
{
	struct south_content *c = mem_alloc(sizeof(*c));

	c->refs = 1;
	filter_copy(&c->filter, filter);
	filter_hash(filter, c->hash);
	return c;
}

static struct south_content *content_ref(struct south_content *c)
{
	if (c)
		c->refs++;
	return c;
}

static void content_drop(struct south_content **at)
{
	struct south_content *c = *at;

	*at = NULL;
	if (!c || --c->refs != 0)
		return;
	filter_fini(&c->filter);
	free(c);
}

static void content_move(struct south_content **to, struct south_content **from)
{
	struct south_content *c = *from;

	*from = NULL;
	content_drop(to);
	*to = c;
}

static bool content_is(const struct south_content *c, const uint8_t *hash)
{
	return c && memcmp(c->hash, hash, FILTER_HASH_SIZE) == 0;
}

/* ---- edges ---- */

static size_t edge_slot(const struct south_router *r, const char *interface)
{
	size_t lo = 0, hi = r->n_edges;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (strcmp(r->edges[mid]->interface, interface) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct south_edge *south_edge_find(const struct south_router *r, const char *interface)
{
	size_t at = edge_slot(r, interface);

	if (at == r->n_edges || strcmp(r->edges[at]->interface, interface) != 0)
		return NULL;
	return r->edges[at];
}

/* Makes room for one more pointer at slot at. */
static void *slot_open(void *list, size_t *n, size_t *cap, size_t at)
{
	void **slots = list;

	if (*n == *cap) {
		*cap = *cap ? 2 * *cap : 8;
		slots = mem_realloc(slots, *cap, sizeof(*slots));
	}
	memmove(slots + at + 1, slots + at, (*n - at) * sizeof(*slots));
	(*n)++;
	return slots;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* The struct begins with the name. */
static struct agent_held *held_find(const struct south_router *r, const char *interface)
{
	struct agent_held *h = r->n_held ? bsearch(interface, r->held, r->n_held,
						   sizeof(*r->held), by_name)
					 : NULL;

	return h && h->generation != 0 ? h : NULL;
}

static void edge_set_held(struct south_edge *edge, uint64_t generation,
			  const uint8_t *hash, int64_t now_ms);

static struct south_edge *edge_get(struct south_router *r, const char *interface,
				   int64_t now_ms)
{
	const struct agent_held *h = held_find(r, interface);
	struct south_edge *edge = south_edge_find(r, interface);
	size_t at = edge_slot(r, interface);

	if (edge)
		return edge;
	edge = mem_alloc(sizeof(*edge));
	snprintf(edge->interface, sizeof(edge->interface), "%s", interface);
	edge->held_ms = -1;
	r->edges = slot_open(r->edges, &r->n_edges, &r->cap_edges, at);
	r->edges[at] = edge;
	r->list_pending = true;
	if (h)
		edge_set_held(edge, h->generation, h->hash, now_ms);
	return edge;
}

static void edge_free(struct south_edge *edge)
{
	content_drop(&edge->desired);
	content_drop(&edge->inflight);
	content_drop(&edge->held);
	free(edge);
}

static void edge_remove(struct south_router *r, size_t at)
{
	struct agent_held *h = held_find(r, r->edges[at]->interface);

	if (h)
		h->generation = 0; /* the agent releases it */
	edge_free(r->edges[at]);
	r->n_edges--;
	memmove(r->edges + at, r->edges + at + 1, (r->n_edges - at) * sizeof(*r->edges));
	r->list_pending = true;
}

static void edge_forget_held(struct south_edge *edge)
{
	edge->has_held = false;
	edge->held_generation = 0;
	memset(edge->held_hash, 0, sizeof(edge->held_hash));
	content_drop(&edge->held);
}

/* The agent holds this now; whose content it is, if we have it. */
static void edge_set_held(struct south_edge *edge, uint64_t generation,
			  const uint8_t *hash, int64_t now_ms)
{
	edge->has_held = true;
	edge->held_generation = generation;
	memcpy(edge->held_hash, hash, sizeof(edge->held_hash));
	edge->held_ms = now_ms;
	if (content_is(edge->held, hash))
		return;
	content_drop(&edge->held);
	if (content_is(edge->desired, hash))
		edge->held = content_ref(edge->desired);
	else if (content_is(edge->inflight, hash))
		edge->held = content_ref(edge->inflight);
}

static bool edge_in_sync(const struct south_edge *edge)
{
	return edge->desired && edge->has_held &&
	       edge->held_generation == edge->desired->filter.generation &&
	       content_is(edge->desired, edge->held_hash);
}

static bool edge_wants_to_send(const struct south_edge *edge)
{
	return edge->desired && !edge->inflight && !edge_in_sync(edge);
}

/* ---- routers ---- */

static size_t router_slot(const struct south *s, const char *name)
{
	size_t lo = 0, hi = s->n_routers;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (strcmp(s->routers[mid]->name, name) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static struct south_router *router_find(const struct south *s, const char *name)
{
	size_t at = router_slot(s, name);

	if (at == s->n_routers || strcmp(s->routers[at]->name, name) != 0)
		return NULL;
	return s->routers[at];
}

struct south_router *south_router_get(struct south *s, const char *name)
{
	struct south_router *r = router_find(s, name);
	size_t at = router_slot(s, name);

	if (r)
		return r;
	r = mem_alloc(sizeof(*r));
	snprintf(r->name, sizeof(r->name), "%s", name);
	r->since_ms = -1;
	s->routers = slot_open(s->routers, &s->n_routers, &s->cap_routers, at);
	s->routers[at] = r;
	return r;
}

static void router_free(struct south_router *r)
{
	for (size_t i = 0; i < r->n_edges; i++)
		edge_free(r->edges[i]);
	free(r->edges);
	free(r->held);
	free(r);
}

void south_router_held(struct south_router *r, uint64_t epoch, uint64_t our_epoch,
		       const struct agent_held *held, size_t n, int64_t now_ms)
{
	/* Numbers of another epoch look like ours and mean nothing. */
	r->n_held = epoch == our_epoch ? n : 0;
	free(r->held);
	r->held = r->n_held ? mem_dup(held, n * sizeof(*held)) : NULL;
	for (size_t i = 0; i < r->n_edges; i++) {
		struct south_edge *edge = r->edges[i];
		const struct agent_held *h = held_find(r, edge->interface);

		if (h)
			edge_set_held(edge, h->generation, h->hash, now_ms);
		else
			edge_forget_held(edge);
		content_drop(&edge->inflight);
		edge->want_snapshot = false;
		edge->failures = 0;
		edge->retry_ms = 0;
	}
	r->list_pending = r->listed;
	r->turn = 0;
}

void south_router_detach(struct south_router *r, int64_t now_ms)
{
	r->session = NULL;
	r->since_ms = now_ms;
	/* Contents in flight stay: the agent may have applied one and lost the
	 * session before its Ack, and then its Hello names that hash. */
}

/* ---- sending ---- */

static void list_send(struct south_router *r, int64_t now_ms)
{
	struct agent_msg msg = { .type = AGENT_MSG_EDGE_LIST };
	char(*names)[FILTER_IFNAME_SIZE] = mem_calloc(r->n_edges, sizeof(*names));

	for (size_t i = 0; i < r->n_edges; i++)
		memcpy(names[i], r->edges[i]->interface, sizeof(names[i]));
	msg.u.edge_list.interfaces = names;
	msg.u.edge_list.n = r->n_edges;
	r->list_pending = false;
	south_session_send(r->session, &msg, now_ms);
	free(names);
}

static size_t packed_bytes(const struct addrset *set)
{
	return 5 * rangeset_prefix_count(&set->f[IP_V4], IP_V4) +
	       17 * rangeset_prefix_count(&set->f[IP_V6], IP_V6);
}

static bool delta_is_possible(const struct south_edge *edge)
{
	return edge->has_held && edge->held && !edge->want_snapshot &&
	       edge->held_generation != 0 &&
	       edge->held_generation < edge->desired->filter.generation;
}

/* add and del get the difference; false when the snapshot is no larger. */
static bool delta_make(const struct south_edge *edge, struct addrset *add,
		       struct addrset *del)
{
	const struct addrset *want = &edge->desired->filter.accept;
	const struct addrset *have = &edge->held->filter.accept;

	addrset_subtract(add, want, have);
	addrset_subtract(del, have, want);
	return packed_bytes(add) + packed_bytes(del) < packed_bytes(want) ||
	       (addrset_is_empty(add) && addrset_is_empty(del));
}

static void edge_fail(struct south_edge *edge, const char *error, int64_t now_ms)
{
	int64_t pause = SOUTH_RETRY_MS;

	for (unsigned int i = 0; i < edge->failures && pause < SOUTH_RETRY_MAX_MS; i++)
		pause *= 2;
	if (pause > SOUTH_RETRY_MAX_MS)
		pause = SOUTH_RETRY_MAX_MS;
	edge->failures++;
	edge->want_snapshot = true;
	edge->retry_ms = now_ms + pause;
	snprintf(edge->error, sizeof(edge->error), "%s", error);
}

/* The content is borrowed: the message lives only until it is packed. */
static void filter_send(struct south *s, struct south_router *r, struct south_edge *edge,
			int64_t now_ms)
{
	struct agent_msg msg = { .type = AGENT_MSG_FILTER };
	struct agent_filter *out = &msg.u.filter;
	struct addrset add = { 0 }, del = { 0 };
	size_t bytes;

	out->filter = edge->desired->filter;
	memcpy(out->hash, edge->desired->hash, sizeof(out->hash));
	if (delta_is_possible(edge) && delta_make(edge, &add, &del)) {
		out->filter.accept = add;
		out->del = del;
		out->base_generation = edge->held_generation;
		memcpy(out->base_hash, edge->held_hash, sizeof(out->base_hash));
	}
	bytes = packed_bytes(&out->filter.accept) + packed_bytes(&out->del);
	if (bytes > AGENT_FRAME_MAX_BYTES - FILTER_OVERHEAD_BYTES) {
		edge_fail(edge, "the set is too large for one message", now_ms);
		south_note(s, true, "%s %s: %s", r->name, edge->interface, edge->error);
	} else {
		south_session_send(r->session, &msg, now_ms);
		edge->inflight = content_ref(edge->desired);
		edge->inflight_ms = now_ms;
		if (out->base_generation != 0)
			s->totals.deltas++;
		else
			s->totals.snapshots++;
	}
	addrset_fini(&add);
	addrset_fini(&del);
}

void south_router_fill(struct south *s, struct south_router *r, int64_t now_ms)
{
	if (!r->session || south_session_state(r->session) != SOUTH_RUNNING)
		return;
	if (r->listed && r->list_pending)
		list_send(r, now_ms);
	for (size_t i = 0; i < r->n_edges; i++) {
		struct south_edge *edge;

		if (south_session_queued(r->session) >= SOUTH_QUEUE_BYTES)
			return; /* south_session_sent() comes here again */
		if (r->turn >= r->n_edges)
			r->turn = 0;
		edge = r->edges[r->turn++];
		if (edge_wants_to_send(edge) && edge->retry_ms <= now_ms)
			filter_send(s, r, edge, now_ms);
	}
}

/* ---- answers ---- */

static const char wrong_hash[] = "the kernel holds something else (wrong hash)";

/* The last good generation stays in force; a snapshot is tried after a pause. */
static const char *ack_refused(struct south *s, struct south_edge *edge,
			       const char *error, int64_t now_ms)
{
	s->totals.errors++;
	edge_fail(edge, error, now_ms);
	return edge->error;
}

/* The answer to what is in flight; gives the error, "" if there is none. */
static const char *ack_inflight(struct south *s, struct south_edge *edge,
				const struct agent_msg *msg, int64_t now_ms)
{
	bool match = content_is(edge->inflight, msg->u.ack.hash);

	if (msg->u.ack.error[0]) {
		content_drop(&edge->inflight);
		return ack_refused(s, edge, msg->u.ack.error, now_ms);
	}
	if (match)
		content_move(&edge->held, &edge->inflight);
	edge_set_held(edge, msg->u.ack.generation, msg->u.ack.hash, now_ms);
	content_drop(&edge->inflight);
	if (!match)
		return ack_refused(s, edge, wrong_hash, now_ms);
	s->totals.acks++;
	edge->want_snapshot = false;
	edge->failures = 0;
	edge->retry_ms = 0;
	edge->error[0] = '\0';
	return edge->error;
}

/* Nobody asked: the agent has looked at the kernel of its own accord. */
static const char *ack_unasked(struct south *s, struct south_edge *edge,
			       const struct agent_msg *msg, int64_t now_ms)
{
	if (msg->u.ack.error[0]) {
		snprintf(edge->error, sizeof(edge->error), "%s", msg->u.ack.error);
		return edge->error;
	}
	edge_set_held(edge, msg->u.ack.generation, msg->u.ack.hash, now_ms);
	if (edge->inflight || !edge->desired)
		return "";
	if (edge_in_sync(edge))
		edge->error[0] = '\0';
	else if (msg->u.ack.generation >= edge->desired->filter.generation)
		return ack_refused(s, edge, wrong_hash, now_ms);
	return "";
}

void south_router_ack(struct south *s, struct south_router *r,
		      const struct agent_msg *msg, int64_t now_ms)
{
	struct south_edge *edge = south_edge_find(r, msg->u.ack.interface);
	char error[AGENT_TEXT_SIZE];
	const char *text;

	if (!edge)
		return; /* removed while the answer was on its way */
	if (edge->inflight && msg->u.ack.generation == edge->inflight->filter.generation)
		text = ack_inflight(s, edge, msg, now_ms);
	else
		text = ack_unasked(s, edge, msg, now_ms);
	/* A copy: the callback may remove the edge. */
	snprintf(error, sizeof(error), "%s", text);
	s->ops.ack(s->ctx, r->name, msg->u.ack.interface, msg->u.ack.generation,
		   msg->u.ack.hash, error);
}

int64_t south_router_due(const struct south_router *r, int64_t now_ms)
{
	int64_t due = INT64_MAX;

	for (size_t i = 0; i < r->n_edges; i++) {
		const struct south_edge *edge = r->edges[i];
		int64_t at = INT64_MAX;

		if (edge->inflight)
			at = edge->inflight_ms + SOUTH_ACK_MS;
		else if (edge_wants_to_send(edge) && edge->retry_ms > now_ms)
			at = edge->retry_ms;
		if (at < due)
			due = at;
	}
	return due;
}

const struct south_edge *south_router_overdue(const struct south_router *r,
					      int64_t now_ms)
{
	for (size_t i = 0; i < r->n_edges; i++) {
		const struct south_edge *edge = r->edges[i];

		if (edge->inflight && edge->inflight_ms + SOUTH_ACK_MS <= now_ms)
			return edge;
	}
	return NULL;
}

/* ---- the engine's side ---- */

struct south *south_new(const struct south_config *config, const struct south_ops *ops,
			void *ctx)
{
	struct south *s = mem_alloc(sizeof(*s));

	assert(config->epoch != 0);
	s->config = *config;
	s->config.ca = mem_dup(config->ca, config->ca_len);
	s->ops = *ops;
	s->ctx = ctx;
	return s;
}

void south_free(struct south *s)
{
	union {
		const uint8_t *in;
		void *out;
	} ca;

	if (!s)
		return;
	assert(!s->sessions);
	for (size_t i = 0; i < s->n_routers; i++)
		router_free(s->routers[i]);
	free(s->routers);
	ca.in = s->config.ca;
	free(ca.out);
	free(s);
}

void south_edges(struct south *s, const char *router,
		 const char (*interfaces)[FILTER_IFNAME_SIZE], size_t n, int64_t now_ms)
{
	struct south_router *r = south_router_get(s, router);
	char(*sorted)[FILTER_IFNAME_SIZE] = mem_calloc(n, sizeof(*sorted));

	for (size_t i = 0; i < n; i++)
		memcpy(sorted[i], interfaces[i], sizeof(sorted[i]));
	qsort(sorted, n, sizeof(*sorted), by_name);
	for (size_t i = r->n_edges; i-- > 0;) {
		if (!bsearch(r->edges[i]->interface, sorted, n, sizeof(*sorted), by_name))
			edge_remove(r, i);
	}
	for (size_t i = 0; i < n; i++)
		edge_get(r, sorted[i], now_ms);
	free(sorted);
	if (!r->listed)
		r->list_pending = true;
	r->listed = true;
	south_router_fill(s, r, now_ms);
}

void south_filter_set(struct south *s, const char *router, const struct filter *desired,
		      int64_t now_ms)
{
	struct south_router *r = south_router_get(s, router);
	struct south_edge *edge = edge_get(r, desired->interface, now_ms);
	struct south_content *new = content_new(desired);

	content_drop(&edge->desired);
	/* The content may be the one that the agent already has. */
	if (edge->has_held && !edge->held && content_is(new, edge->held_hash))
		edge->held = content_ref(new);
	edge->desired = new;
	/* Other content may well be the cure: do not wait the long pauses out. */
	if (edge->retry_ms > now_ms + SOUTH_RETRY_MS)
		edge->retry_ms = now_ms + SOUTH_RETRY_MS;
	south_router_fill(s, r, now_ms);
}

void south_filter_remove(struct south *s, const char *router, const char *interface,
			 int64_t now_ms)
{
	struct south_router *r = router_find(s, router);

	if (!r || !south_edge_find(r, interface))
		return;
	edge_remove(r, edge_slot(r, interface));
	south_router_fill(s, r, now_ms);
}

bool south_session_cut(struct south *s, const char *router, const char *why,
		       int64_t now_ms)
{
	struct south_router *r = router_find(s, router);

	if (!r || (!r->session && !r->relay))
		return false;
	if (r->relay)
		south_session_end(r->relay, now_ms, true, "%s", why);
	if (r->session)
		south_session_end(r->session, now_ms, true, "%s", why);
	return true;
}

/* ---- to show ---- */

static void edge_status(const struct south_router *r, const struct south_edge *edge,
			struct south_edge_status *out)
{
	memcpy(out->interface, edge->interface, sizeof(out->interface));
	out->desired_generation = edge->desired ? edge->desired->filter.generation : 0;
	out->held_generation = edge->held_generation;
	memcpy(out->held_hash, edge->held_hash, sizeof(out->held_hash));
	out->in_sync = edge_in_sync(edge);
	out->in_flight = r->session && edge->inflight;
	out->held_ms = edge->held_ms;
	memcpy(out->error, edge->error, sizeof(out->error));
}

static void relay_status(const struct south_router *r, struct south_relay_status *out)
{
	out->seen = r->relay_seen;
	out->connected = r->relay != NULL;
	out->since_ms = r->relay_since_ms;
	memcpy(out->address, r->relay_address, sizeof(out->address));
	memcpy(out->last_error, r->relay_error, sizeof(out->last_error));
	out->totals = r->relay_status;
}

bool south_status(const struct south *s, const char *router, struct south_status *status)
{
	const struct south_router *r = router_find(s, router);

	if (!r)
		return false;
	*status = (struct south_status){ .connected = r->session != NULL,
					 .all_off = r->all_off,
					 .since_ms = r->since_ms,
					 .contact_ms = r->session ? r->session->rx_ms :
								    r->since_ms,
					 .kind = r->kind,
					 .not_after = r->not_after,
					 .n_edges = r->n_edges };
	memcpy(status->name, r->name, sizeof(status->name));
	memcpy(status->address, r->address, sizeof(status->address));
	memcpy(status->software, r->software, sizeof(status->software));
	memcpy(status->serial, r->serial, sizeof(status->serial));
	memcpy(status->last_error, r->last_error, sizeof(status->last_error));
	relay_status(r, &status->relay);
	status->edges = mem_calloc(r->n_edges, sizeof(*status->edges));
	for (size_t i = 0; i < r->n_edges; i++)
		edge_status(r, r->edges[i], &status->edges[i]);
	return true;
}

void south_status_fini(struct south_status *status)
{
	free(status->edges);
	*status = (struct south_status){ 0 };
}

void south_routers_walk(const struct south *s, south_router_fn *fn, void *arg)
{
	for (size_t i = 0; i < s->n_routers; i++)
		fn(s->routers[i]->name, arg);
}

const struct south_totals *south_totals(const struct south *s)
{
	return &s->totals;
}

int64_t south_run(struct south *s, int64_t now_ms)
{
	int64_t next = INT64_MAX;

	for (struct south_session *ss = s->sessions; ss; ss = ss->next) {
		int64_t due = south_session_run(ss, now_ms);

		if (due < next)
			next = due;
	}
	return next == INT64_MAX ? -1 : next;
}
