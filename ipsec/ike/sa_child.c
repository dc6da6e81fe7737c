/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The child SAs of an IKE SA: which send, which go, and when there are new ones.
 * RFC 7296 2.8, 2.25.
 */
#include <stdlib.h>
#include <string.h>

#include "ipsec/ike/sa.h"
#include "lib/mem.h"

#define KNOWN_MS 60000
#define CHILD_WAIT_MS 1000 /* before a child that is gone is made anew; doubled each time */
#define CHILD_WAIT_MAX_MS 60000
#define CHILD_WAIT_SECOND 4 /* times as long for who did not begin the IKE SA, so that both do not make one */

/* ---- the table of one SA */

struct sa_child *sa_child_find(struct ike_sa *sa, uint32_t spi_in)
{
	for (unsigned i = 0; i < sa->n_children; i++)
		if (sa->children[i]->spi_in == spi_in)
			return sa->children[i];
	return NULL;
}

struct sa_child *sa_child_find_out(struct ike_sa *sa, uint32_t spi_out)
{
	for (unsigned i = 0; i < sa->n_children; i++)
		if (sa->children[i]->spi_out == spi_out)
			return sa->children[i];
	return NULL;
}

/* Selectors are many when they are many: mostly there is one. */
static const struct ike_ts_list *ts_dup(const struct ike_ts_list *list)
{
	return mem_dup(list, ike_ts_list_bytes(list));
}

static void child_free(struct sa_child *child)
{
	/* the only owner; const is for readers */
	free((void *)(uintptr_t)child->local_ts);
	free((void *)(uintptr_t)child->remote_ts);
	free(child);
}

void sa_child_use(struct ike_sa *sa, struct sa_child *child)
{
	void *ctx;
	const struct ike_ops *ops = engine_ops(sa->engine, &ctx);

	child->used = true;
	ops->child_use(ctx, child->spi_in);
}

/* Is it, or what took its place, sending already? */
static bool is_surpassed(struct ike_sa *sa, const struct sa_child *child)
{
	for (unsigned n = 0; child && n < SA_CHILDREN_MAX; n++) {
		if (child->used)
			return true;
		child = child->successor ? sa_child_find(sa, child->successor) : NULL;
	}
	return false;
}

static bool has_selectors(const struct sa_child *child, bool transport, const struct ike_ts_list *local_ts,
			  const struct ike_ts_list *remote_ts)
{
	return child->transport == transport && ike_ts_list_equal(child->local_ts, local_ts) &&
	       ike_ts_list_equal(child->remote_ts, remote_ts);
}

bool sa_child_stays(const struct ike_sa *sa)
{
	for (unsigned i = 0; i < sa->n_children; i++)
		if (sa->children[i]->state != CHILD_DELETING)
			return true;
	return false;
}

/* Another one with its selectors, that stays for now: one that sends if there is any. */
static struct sa_child *twin_of(struct ike_sa *sa, const struct sa_child *child)
{
	struct sa_child *twin = NULL;

	for (unsigned i = 0; i < sa->n_children; i++) {
		struct sa_child *other = sa->children[i];

		if (other != child && other->state != CHILD_DELETING && (!twin || other->used) &&
		    has_selectors(other, child->transport, child->local_ts, child->remote_ts))
			twin = other;
	}
	return twin;
}

/* What it should have replaced stays, and can be rekeyed again. */
static void disown(struct ike_sa *sa, const struct sa_child *successor)
{
	for (unsigned i = 0; i < sa->n_children; i++) {
		struct sa_child *old = sa->children[i];

		if (old->successor != successor->spi_in)
			continue;
		old->successor = 0;
		if (old->state == CHILD_REKEYED)
			old->state = CHILD_UP;
	}
}

void sa_child_remove(struct ike_sa *sa, struct sa_child *child)
{
	void *ctx;
	const struct ike_ops *ops = engine_ops(sa->engine, &ctx);
	struct sa_child *next, *twin;

	for (unsigned i = 0; i < sa->n_children; i++)
		if (sa->children[i] == child) {
			sa->children[i] = sa->children[--sa->n_children];
			break;
		}
	sa_unqueue(sa, REQ_CHILD_DELETE, child->spi_in);
	sa_unqueue(sa, REQ_CHILD_REKEY, child->spi_in);
	disown(sa, child);
	twin = twin_of(sa, child);
	next = sa_child_find(sa, child->successor);
	if (!next || next->state == CHILD_DELETING)
		next = twin;
	/* the peer has dropped the old one, so it has the new one (2.8); it may not, if we
	 * deleted it, but then another one sends */
	if (next && !(twin && twin->used) && !is_surpassed(sa, next))
		sa_child_use(sa, next);
	if (twin && twin->used && child->used)
		ops->child_unuse(ctx, child->spi_in);
	if (next)
		ops->child_retire(ctx, child->spi_in);
	else if (sa->yields)
		ops->child_yield(ctx, child->spi_in);
	else
		ops->child_del(ctx, child->spi_in);
	engine_child_unlink(sa, child);
	child_free(child);
}

struct sa_child *sa_child_new(struct ike_sa *sa, const struct sa_child *from)
{
	struct sa_child *child = mem_dup(from, sizeof(*from));

	child->local_ts = ts_dup(from->local_ts);
	child->remote_ts = ts_dup(from->remote_ts);
	sa->children[sa->n_children++] = child;
	engine_child_link(sa, child);
	sa->child_since_ms = from->since_ms;
	return child;
}

bool sa_child_sends(const struct ike_sa *sa, bool transport, const struct ike_ts_list *local_ts,
		    const struct ike_ts_list *remote_ts)
{
	for (unsigned i = 0; i < sa->n_children; i++)
		if (sa->children[i]->used && has_selectors(sa->children[i], transport, local_ts, remote_ts))
			return true;
	return false;
}

/* ---- what is to be done about them */

void sa_child_unmake(struct ike_sa *sa, uint32_t spi_in)
{
	const struct sa_request request = { .kind = REQ_CHILD_UNMADE, .spi = spi_in };

	sa_queue(sa, &request);
}

bool sa_child_is_known(const struct ike_sa *sa, const struct sa_child *child, uint64_t now_ms)
{
	return child->known_from == 0 || sa->recv_id > child->known_from || now_ms >= child->since_ms + KNOWN_MS;
}

bool sa_child_unuse(struct ike_sa *sa, struct sa_child *child, uint64_t now_ms)
{
	struct sa_child *twin = twin_of(sa, child);
	void *ctx;
	const struct ike_ops *ops = engine_ops(sa->engine, &ctx);

	if (!child->used || !twin)
		return true;
	if (!twin->used && !sa_child_is_known(sa, twin, now_ms))
		return false;
	if (!twin->used)
		sa_child_use(sa, twin);
	child->used = false;
	ops->child_unuse(ctx, child->spi_in);
	return true;
}

void sa_child_timers(struct ike_sa *sa, uint64_t now_ms)
{
	for (unsigned i = 0; i < sa->n_children; i++) {
		struct sa_child *child = sa->children[i];
		const struct sa_request rekey = { .kind = REQ_CHILD_REKEY, .spi = child->spi_in };

		if (child->rekey_at_ms > now_ms)
			continue;
		child->rekey_at_ms = now_ms + SA_REKEY_AGAIN_MS; /* unless it is gone by then */
		if (child->state == CHILD_UP && !sa_is_queued(sa, REQ_CHILD_REKEY, child->spi_in))
			sa_queue(sa, &rekey);
	}
}

void sa_child_again(struct ike_sa *sa, uint64_t now_ms)
{
	struct sa_request again = { .kind = REQ_CHILD_NEW };

	if (sa->state != SA_UP || sa->n_children > 0 || sa_is_queued(sa, REQ_CHILD_NEW, 0))
		return;
	if (sa->child_since_ms && now_ms >= sa->child_since_ms + CHILD_WAIT_MAX_MS)
		sa->child_wait_ms = 0;
	sa->child_since_ms = 0;
	sa->child_wait_ms = sa->child_wait_ms ? 2 * sa->child_wait_ms : CHILD_WAIT_MS;
	if (sa->child_wait_ms > CHILD_WAIT_MAX_MS)
		sa->child_wait_ms = CHILD_WAIT_MAX_MS;
	again.not_before_ms = now_ms + sa->child_wait_ms * (sa->began ? 1 : CHILD_WAIT_SECOND);
	sa_queue(sa, &again);
}
