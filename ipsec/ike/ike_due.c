/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Who of an engine is due, and what is done then. The work of one run is bounded:
 * what is left over is due at once again, and packets come in between.
 */
#include "ipsec/ike/ike_engine_impl.h"
#include "lib/mem.h"

#define RUN_MAX 256 /* SAs and tunnels in one run; the costliest is a key exchange of its own */
#define FREED_MAX 4096 /* dead ones that are only freed: nobody shall wait behind them */
#define RETRY_FIRST_MS 1000
#define RETRY_MAX_MS 60000

/* ---- who is due: a heap */

static void heap_place(struct ike_engine *e, size_t at, struct ike_sa *sa)
{
	e->heap[at] = sa;
	sa->heap_at = at;
}

static void heap_up(struct ike_engine *e, size_t at)
{
	struct ike_sa *sa = e->heap[at];

	while (at > 0 && e->heap[(at - 1) / 2]->due_ms > sa->due_ms) {
		heap_place(e, at, e->heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	heap_place(e, at, sa);
}

static void heap_down(struct ike_engine *e, size_t at)
{
	struct ike_sa *sa = e->heap[at];

	for (;;) {
		size_t below = 2 * at + 1;

		if (below + 1 < e->n_heap && e->heap[below + 1]->due_ms < e->heap[below]->due_ms)
			below++;
		if (below >= e->n_heap || e->heap[below]->due_ms >= sa->due_ms)
			break;
		heap_place(e, at, e->heap[below]);
		at = below;
	}
	heap_place(e, at, sa);
}

void engine_due_add(struct ike_engine *e, struct ike_sa *sa)
{
	if (e->n_heap == e->heap_size) {
		e->heap_size = e->heap_size ? 2 * e->heap_size : 64;
		e->heap = mem_realloc(e->heap, e->heap_size, sizeof(e->heap[0]));
	}
	heap_place(e, e->n_heap++, sa);
	heap_up(e, sa->heap_at);
}

void engine_due_remove(struct ike_engine *e, struct ike_sa *sa)
{
	size_t at = sa->heap_at;
	struct ike_sa *end = e->heap[--e->n_heap];

	if (end == sa)
		return;
	heap_place(e, at, end);
	heap_up(e, at);
	heap_down(e, end->heap_at);
}

static void set_due(struct ike_engine *e, struct ike_sa *sa, uint64_t due_ms)
{
	sa->due_ms = due_ms;
	heap_up(e, sa->heap_at);
	heap_down(e, sa->heap_at);
}

void engine_touch(struct ike_sa *sa)
{
	struct ike_engine *e = sa->engine;

	/* one that is not in the tables yet is touched when it comes there */
	if (sa->touched || sa == e->running || sa->number == 0)
		return;
	sa->touched = true;
	sa->next_touched = NULL;
	if (e->touched)
		e->last_touched->next_touched = sa;
	else
		e->touched = sa;
	e->last_touched = sa;
	e->n_touched++;
}

/* ---- what shall be up */

struct ike_sa *engine_initiate(struct ike_engine *e, struct tunnel_slot *slot, uint64_t now_ms)
{
	const struct ike_tunnel *tunnel = &slot->ref->tunnel;
	struct ike_path path = slot->path;
	struct ike_sa *sa;

	path.local.port = path.remote.port = tunnel->start_natt ? IKE_NATT_PORT : IKE_PORT;
	if (tunnel->remote_port)
		path.remote.port = tunnel->remote_port;
	sa = sa_new(e, true, &path, now_ms);
	engine_sa_tunnel(sa, tunnel);
	engine_sa_link(e, sa);
	sa_init_begin(sa, now_ms);
	return sa;
}

bool engine_slot_has_sa(const struct tunnel_slot *slot)
{
	const struct ike_sa *sa = slot->sas;

	/* one whose delete waits behind a request without an answer is as good as gone */
	while (sa && (sa->state > SA_UP || sa_is_queued(sa, REQ_IKE_DELETE, 0)))
		sa = sa->next_tunnel;
	return sa != NULL;
}

/* What shall be up comes back, each time a little later (and never gives up). */
static void check_up(struct ike_engine *e, struct tunnel_slot *slot, uint64_t now_ms)
{
	if (!slot->wanted || !slot->ref || engine_slot_has_sa(slot)) {
		engine_slot_is_up(e, slot);
		return;
	}
	if (slot->is_down)
		return;
	slot->is_down = true;
	slot->prev_down = NULL;
	slot->next_down = e->down;
	if (e->down)
		e->down->prev_down = slot;
	e->down = slot;
	slot->retry_ms = slot->retry_ms ? slot->retry_ms * 2 : RETRY_FIRST_MS;
	if (slot->retry_ms > RETRY_MAX_MS)
		slot->retry_ms = RETRY_MAX_MS;
	slot->retry_at_ms = now_ms + slot->retry_ms;
	if (slot->retry_at_ms < e->retry_next_ms)
		e->retry_next_ms = slot->retry_at_ms;
}

static void retry(struct ike_engine *e, uint64_t now_ms)
{
	unsigned n = 0;

	if (e->retry_next_ms > now_ms)
		return;
	e->retry_next_ms = UINT64_MAX;
	for (struct tunnel_slot *slot = e->down, *next; slot; slot = next) {
		next = slot->next_down;
		if (slot->retry_at_ms > now_ms) {
			if (slot->retry_at_ms < e->retry_next_ms)
				e->retry_next_ms = slot->retry_at_ms;
			continue;
		}
		if (n++ == RUN_MAX) {
			e->retry_next_ms = now_ms;
			return;
		}
		engine_slot_is_up(e, slot);
		if (slot->wanted && slot->ref && !engine_slot_has_sa(slot))
			engine_initiate(e, slot, now_ms);
	}
}

/* One that is taken down or about to be replaced has no child any more, either. */
static void check_child(struct tunnel_slot *slot, struct ike_sa *sa, uint64_t now_ms)
{
	if (!slot->wanted || !slot->ref)
		return;
	for (const struct ike_sa *other = slot->sas; other; other = other->next_tunnel)
		if (other->state == SA_UP && other->n_children > 0)
			return;
	sa_child_again(sa, now_ms);
}

/* A new SA beside the old one, which goes when the new one is up. */
static void reauthenticate(struct ike_engine *e, struct ike_sa *sa, uint64_t now_ms)
{
	struct tunnel_slot *slot;
	struct ike_sa *made;

	if (sa->state != SA_UP || sa->reauth_at_ms > now_ms)
		return;
	sa->reauth_at_ms = UINT64_MAX;
	slot = engine_ref_of(sa->tunnel)->slot;
	if (!slot->ref)
		return;
	made = engine_initiate(e, slot, now_ms);
	made->number_replaced = sa->number;
}

/* What is due of one SA; frees it when nobody looks any more. True: that was all. */
static bool run_one(struct ike_engine *e, struct ike_sa *sa, uint64_t now_ms)
{
	struct tunnel_slot *slot = sa->tunnel ? engine_ref_of(sa->tunnel)->slot : NULL;
	bool was_dead = sa->state == SA_DEAD;

	e->running = sa;
	if (sa->state != SA_DEAD) {
		reauthenticate(e, sa, now_ms);
		sa_run(sa, now_ms);
	}
	e->running = NULL;
	if (slot) {
		check_up(e, slot, now_ms);
		check_child(slot, sa, now_ms);
	}
	if (sa->state == SA_DEAD && sa->die_at_ms <= now_ms) {
		engine_sa_unlink(e, sa);
		e->running = sa;
		sa_free(sa);
		e->running = NULL;
		return was_dead;
	}
	set_due(e, sa, sa_deadline(sa));
	return was_dead;
}

static void run_touched(struct ike_engine *e, uint64_t now_ms)
{
	unsigned n = 0, freed = 0;

	/* those that are touched meanwhile come the next time */
	for (size_t left = e->n_touched; left > 0 && n < RUN_MAX && freed < FREED_MAX; left--) {
		struct ike_sa *sa = e->touched;

		e->touched = sa->next_touched;
		e->n_touched--;
		sa->touched = false;
		if (run_one(e, sa, now_ms))
			freed++;
		else
			n++;
	}
}

static void run_due(struct ike_engine *e, uint64_t now_ms)
{
	for (unsigned n = 0; n < RUN_MAX && e->n_heap > 0 && e->heap[0]->due_ms <= now_ms; n++) {
		struct ike_sa *sa = e->heap[0];

		/* until its turn among the touched comes */
		set_due(e, sa, UINT64_MAX);
		if (!sa->touched)
			run_one(e, sa, now_ms);
		/* one that is due again at once waits for the next time */
		if (e->n_heap > 0 && e->heap[0] == sa && e->heap[0]->due_ms <= now_ms)
			return;
	}
}

uint64_t ike_engine_run(struct ike_engine *e, uint64_t now_ms)
{
	uint64_t next;

	e->now_ms = now_ms;
	retry(e, now_ms);
	run_touched(e, now_ms);
	run_due(e, now_ms);
	if (e->touched)
		return now_ms;
	next = e->n_heap > 0 ? e->heap[0]->due_ms : UINT64_MAX;
	return next < e->retry_next_ms ? next : e->retry_next_ms;
}
