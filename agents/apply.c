/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/apply.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

struct apply {
	struct kernel *kernel;
	struct apply_ops ops;
	void *ctx;
	struct held held;
	struct apply_totals totals;
};

/* One filter on its way into the kernel. */
struct step {
	struct filter next;
	uint8_t hash[FILTER_HASH_SIZE]; /* as the controller says */
	const struct addrset *connected;
};

struct apply *apply_new(struct kernel *kernel, const struct apply_ops *ops, void *ctx)
{
	struct apply *a = mem_alloc(sizeof(*a));

	a->kernel = kernel;
	a->ops = *ops;
	a->ctx = ctx;
	return a;
}

void apply_free(struct apply *a)
{
	held_fini(&a->held);
	free(a);
}

const struct held *apply_held(const struct apply *a)
{
	return &a->held;
}

const struct apply_totals *apply_totals(const struct apply *a)
{
	return &a->totals;
}

static void note(struct apply *a, bool alarm, const struct diag *diag)
{
	if (alarm)
		snprintf(a->totals.last_error, sizeof(a->totals.last_error), "%s",
			 diag->text);
	a->ops.note(a->ctx, alarm, diag->text);
}

static bool has_hash(const struct filter *f, const uint8_t hash[FILTER_HASH_SIZE])
{
	uint8_t own[FILTER_HASH_SIZE];

	filter_hash(f, own);
	return memcmp(own, hash, sizeof(own)) == 0;
}

static bool same_content(const struct filter *a, const struct filter *b)
{
	uint8_t hash[FILTER_HASH_SIZE];

	filter_hash(a, hash);
	return has_hash(b, hash);
}

/* ---- repair ---- */

/* The kernel's table is not what we left: the whole of what is held goes in
 * again, in one transaction. */
static int rebuild(struct apply *a, struct diag *diag)
{
	struct kernel_change *all = mem_calloc(a->held.n, sizeof(*all));
	int rc;

	for (size_t i = 0; i < a->held.n; i++) {
		all[i].new = &a->held.filters[i];
		all[i].connected = a->ops.connected(a->ctx, all[i].new->interface);
	}
	rc = kernel_rebuild(a->kernel, all, a->held.n, diag);
	free(all);
	return rc;
}

static bool repair(struct apply *a, const struct diag *damage)
{
	struct diag diag = *damage, why;

	a->totals.repairs++;
	if (rebuild(a, &why) < 0) {
		diag_set(&diag, "cannot repair the filters (%s): %s", damage->text,
			 why.text);
		note(a, true, &diag);
		return false;
	}
	diag_set(&diag, "filters repaired from the last good state: %s", damage->text);
	note(a, true, &diag);
	return true;
}

bool apply_verify(struct apply *a, bool deep)
{
	struct diag diag;
	int rc;

	if (a->held.n == 0)
		return false; /* nothing to repair from; leave what is there */
	rc = kernel_check(a->kernel, &diag);
	for (size_t i = 0; deep && rc == 0 && i < a->held.n; i++)
		rc = kernel_verify(a->kernel, &a->held.filters[i], true, &diag);
	if (rc == 0)
		return false;
	repair(a, &diag);
	return true;
}

/* kernel_apply(), and once more if somebody else was at our table. */
static int apply_changes(struct apply *a, const struct kernel_change *changes, size_t n,
			 struct diag *diag)
{
	struct diag damage;

	if (kernel_apply(a->kernel, changes, n, diag) == 0)
		return 0;
	if (kernel_check(a->kernel, &damage) == 0 || !repair(a, &damage))
		return -1;
	return kernel_apply(a->kernel, changes, n, diag);
}

/* ---- filters ---- */

static void refuse(struct apply *a, const char *interface, uint64_t generation,
		   const struct diag *why)
{
	static const uint8_t none[FILTER_HASH_SIZE];
	struct diag diag;

	a->totals.refused++;
	diag_set(&diag, "%s generation %" PRIu64 " not applied: %s", interface,
		 generation, why->text);
	note(a, true, &diag);
	a->ops.ack(a->ctx, interface, generation, none, why->text);
}

/* The state that the message asks for, from the one that is held. */
static int next_state(const struct apply *a, const struct agent_filter *msg,
		      struct filter *next, struct diag *diag)
{
	const struct filter *held = held_find(&a->held, msg->filter.interface);

	filter_copy(next, &msg->filter);
	if (msg->base_generation != 0) {
		if (!held || held->generation != msg->base_generation ||
		    !has_hash(held, msg->base_hash))
			return diag_set(diag,
					"this agent holds generation %" PRIu64
					", not %" PRIu64 "; a snapshot is needed",
					held ? held->generation : 0,
					msg->base_generation);
		addrset_subtract(&next->accept, &held->accept, &msg->del);
		addrset_union(&next->accept, &next->accept, &msg->filter.accept);
	}
	if (!has_hash(next, msg->hash))
		return diag_set(diag, "the result has not the hash that the controller "
				      "computed; a snapshot is needed");
	return 0;
}

static void change_of(const struct apply *a, const struct step *s,
		      struct kernel_change *c)
{
	c->old = held_find(&a->held, s->next.interface);
	c->new = &s->next;
	c->connected = s->connected;
}

/* What the kernel holds is not what it was told: back to what is known. */
static void undo(struct apply *a, const struct step *s)
{
	const struct filter *held = held_find(&a->held, s->next.interface);
	const struct kernel_change back = { .old = held ? NULL : &s->next,
					    .new = held,
					    .connected = s->connected };
	struct diag diag;

	if (kernel_apply(a->kernel, &back, 1, &diag) == 0 &&
	    (!held || kernel_verify(a->kernel, held, true, &diag) == 0))
		return;
	repair(a, &diag);
}

static void finish(struct apply *a, const struct step *s)
{
	struct diag diag;

	if (kernel_verify(a->kernel, &s->next, false, &diag) < 0) {
		diag_prepend(&diag, "the kernel took it but holds something else");
		undo(a, s);
		refuse(a, s->next.interface, s->next.generation, &diag);
		return;
	}
	a->totals.applied++;
	held_put(&a->held, &s->next);
	a->ops.ack(a->ctx, s->next.interface, s->next.generation, s->hash, "");
}

static void run_one(struct apply *a, const struct step *s)
{
	struct kernel_change c;
	struct diag diag;

	change_of(a, s, &c);
	if (apply_changes(a, &c, 1, &diag) < 0)
		refuse(a, s->next.interface, s->next.generation, &diag);
	else
		finish(a, s);
}

static void run(struct apply *a, const struct step *steps, size_t n)
{
	struct kernel_change *changes = mem_calloc(n, sizeof(*changes));
	struct diag diag;

	for (size_t i = 0; i < n; i++)
		change_of(a, &steps[i], &changes[i]);
	if (n == 1) {
		run_one(a, steps);
	} else if (n > 1 && apply_changes(a, changes, n, &diag) == 0) {
		for (size_t i = 0; i < n; i++)
			finish(a, &steps[i]);
	} else {
		for (size_t i = 0; i < n; i++)
			run_one(a, &steps[i]);
	}
	free(changes);
}

static bool is_among(const struct step *steps, size_t n, const char *interface)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(steps[i].next.interface, interface) == 0)
			return true;
	}
	return false;
}

/* As many as can go together: two for the same edge cannot. */
static size_t take_steps(struct apply *a, const struct agent_filter *const *filters,
			 size_t n, struct step *steps, size_t *taken)
{
	size_t used = 0, i;
	struct diag diag;

	for (i = 0; i < n; i++) {
		const struct agent_filter *msg = filters[i];
		struct step *s = &steps[used];

		if (is_among(steps, used, msg->filter.interface))
			break;
		if (next_state(a, msg, &s->next, &diag) < 0) {
			refuse(a, msg->filter.interface, msg->filter.generation, &diag);
			filter_fini(&s->next);
			continue;
		}
		memcpy(s->hash, msg->hash, sizeof(s->hash));
		s->connected = a->ops.connected(a->ctx, msg->filter.interface);
		used++;
	}
	*taken = i;
	return used;
}

void apply_filters(struct apply *a, const struct agent_filter *const *filters, size_t n)
{
	struct step *steps = mem_calloc(n, sizeof(*steps));

	while (n != 0) {
		size_t taken, used = take_steps(a, filters, n, steps, &taken);

		run(a, steps, used);
		for (size_t i = 0; i < used; i++)
			filter_fini(&steps[i].next);
		filters += taken;
		n -= taken;
		if (used != 0)
			a->ops.changed(a->ctx);
	}
	free(steps);
}

/* ---- the list of edges ---- */

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* agent_msg_unpack() leaves the list sorted. */
static bool is_listed(const char (*list)[FILTER_IFNAME_SIZE], size_t n,
		      const char *interface)
{
	return n != 0 && bsearch(interface, list, n, sizeof(*list), by_text);
}

/* What the kernel has, too: an edge that could not be read back at the start is
 * in force but not held. */
static size_t find_gone(struct apply *a, const char (*interfaces)[FILTER_IFNAME_SIZE],
			size_t n, struct filter **gone)
{
	char(*names)[FILTER_IFNAME_SIZE];
	size_t n_names = kernel_edges(a->kernel, &names), n_gone = 0;

	*gone = mem_calloc(n_names, sizeof(**gone));
	for (size_t i = 0; i < n_names; i++) {
		if (!is_listed(interfaces, n, names[i]))
			memcpy((*gone)[n_gone++].interface, names[i], sizeof(names[i]));
	}
	free(names);
	return n_gone;
}

void apply_edge_list(struct apply *a, const char (*interfaces)[FILTER_IFNAME_SIZE],
		     size_t n)
{
	struct kernel_change *changes;
	struct filter *gone;
	size_t n_gone = find_gone(a, interfaces, n, &gone);
	struct diag diag;

	changes = mem_calloc(n_gone, sizeof(*changes));
	for (size_t i = 0; i < n_gone; i++)
		changes[i].old = &gone[i];
	if (n_gone != 0 && apply_changes(a, changes, n_gone, &diag) < 0) {
		diag_prepend(&diag, "cannot release %zu edges", n_gone);
		note(a, true, &diag);
		n_gone = 0;
	}
	for (size_t i = 0; i < n_gone; i++) {
		diag_set(&diag,
			 "edge %s released: the controller has taken it off its list",
			 gone[i].interface);
		note(a, false, &diag);
		held_remove(&a->held, gone[i].interface);
	}
	if (n_gone != 0)
		a->ops.changed(a->ctx);
	free(changes);
	free(gone);
}

void apply_epoch(struct apply *a, uint64_t epoch)
{
	if (a->held.epoch == epoch)
		return;
	a->held.epoch = epoch;
	a->ops.changed(a->ctx);
}

/* ---- start ---- */

/* Edges that are intact in the kernel. */
static void adopt(struct apply *a)
{
	char(*names)[FILTER_IFNAME_SIZE];
	size_t n = kernel_edges(a->kernel, &names);

	for (size_t i = 0; i < n; i++) {
		struct filter f = { 0 };
		struct diag diag;

		if (kernel_read(a->kernel, names[i], &f, &diag) == 1) {
			held_put(&a->held, &f);
		} else {
			diag_prepend(&diag,
				     "edge %s as found in the kernel is not usable",
				     names[i]);
			note(a, true, &diag);
		}
		filter_fini(&f);
	}
	free(names);
}

static bool is_saved(const struct apply *a, const struct held *saved)
{
	bool same = a->held.n == saved->n;

	for (size_t i = 0; same && i < saved->n; i++)
		same = a->held.filters[i].generation == saved->filters[i].generation &&
		       same_content(&a->held.filters[i], &saved->filters[i]);
	return same;
}

void apply_start(struct apply *a, const struct held *saved)
{
	struct kernel_change *missing = mem_calloc(saved->n, sizeof(*missing));
	size_t n = 0;
	struct diag diag;

	a->held.epoch = saved->epoch;
	adopt(a);
	for (size_t i = 0; i < saved->n; i++) {
		const struct filter *f = &saved->filters[i];

		if (held_find(&a->held, f->interface))
			continue;
		missing[n].new = f;
		missing[n++].connected = a->ops.connected(a->ctx, f->interface);
	}
	if (n != 0 && kernel_apply(a->kernel, missing, n, &diag) < 0) {
		/* Held all the same: the repair puts everything in. */
		for (size_t i = 0; i < n; i++)
			held_put(&a->held, missing[i].new);
		repair(a, &diag);
	} else {
		for (size_t i = 0; i < n; i++)
			held_put(&a->held, missing[i].new);
	}
	free(missing);
	apply_links(a);
	if (!is_saved(a, saved))
		a->ops.changed(a->ctx); /* the disk was behind, or lost */
}

void apply_links(struct apply *a)
{
	struct kernel_change *all = mem_calloc(a->held.n, sizeof(*all));
	struct diag diag;

	for (size_t i = 0; i < a->held.n; i++) {
		all[i].old = all[i].new = &a->held.filters[i];
		all[i].connected = a->ops.connected(a->ctx, all[i].new->interface);
	}
	if (a->held.n != 0 && apply_changes(a, all, a->held.n, &diag) < 0) {
		diag_prepend(&diag, "cannot refresh the connected subnets");
		note(a, true, &diag);
	}
	free(all);
}

/* ---- by hand ---- */

int apply_release(struct apply *a, struct diag *diag)
{
	if (kernel_release(a->kernel, diag) < 0)
		return -1;
	held_fini(&a->held);
	a->ops.changed(a->ctx);
	return 0;
}

int apply_all_off(struct apply *a, bool on, struct diag *diag)
{
	struct diag damage;

	if (kernel_brake(a->kernel, on, diag) == 0)
		return 0;
	if (kernel_check(a->kernel, &damage) == 0 || !repair(a, &damage))
		return -1;
	return kernel_brake(a->kernel, on, diag);
}
