/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/kernel_fake.h"

#include <stdlib.h>
#include <string.h>

#include "agents/held.h"
#include "lib/mem.h"

#define EDGES_MAX 64

struct edge {
	char interface[FILTER_IFNAME_SIZE];
	struct addrset connected;
};

struct kernel {
	struct kernel_fake fake;
	struct held held;
	struct edge edges[EDGES_MAX];
	size_t n;
	struct diag damage;
	bool brake, changed;
};

struct kernel *kernel_open(const struct kernel_options *options, struct diag *diag)
{
	return mem_alloc(sizeof(struct kernel));
}

static void clear(struct kernel *k)
{
	held_fini(&k->held);
	for (size_t i = 0; i < k->n; i++)
		addrset_fini(&k->edges[i].connected);
	k->n = 0;
}

void kernel_close(struct kernel *k)
{
	clear(k);
	free(k);
}

struct kernel_fake *kernel_fake(struct kernel *k)
{
	return &k->fake;
}

static struct edge *edge_get(struct kernel *k, const char *interface)
{
	for (size_t i = 0; i < k->n; i++) {
		if (strcmp(k->edges[i].interface, interface) == 0)
			return &k->edges[i];
	}
	if (k->n == EDGES_MAX)
		abort();
	k->edges[k->n] = (struct edge){ 0 };
	memcpy(k->edges[k->n].interface, interface, strlen(interface) + 1);
	return &k->edges[k->n++];
}

const struct addrset *kernel_fake_connected(struct kernel *k, const char *interface)
{
	return held_find(&k->held, interface) ? &edge_get(k, interface)->connected : NULL;
}

static int refused(struct kernel *k, const struct kernel_change *c, size_t n,
		   struct diag *diag)
{
	if (k->fake.refuse != 0) {
		k->fake.refuse--;
		return diag_set(diag, "the fake kernel refuses");
	}
	for (size_t i = 0; i < n; i++) {
		if (c[i].new &&strcmp(c[i].new->interface, k->fake.refuse_interface) == 0)
			return diag_set(diag, "the fake kernel refuses %s",
					c[i].new->interface);
	}
	return 0;
}

static void change(struct kernel *k, const struct kernel_change *c)
{
	if (!c->new) {
		held_remove(&k->held, c->old->interface);
		return;
	}
	if (strcmp(c->new->interface, k->fake.forget_interface) == 0)
		return;
	held_put(&k->held, c->new);
	if (c->connected)
		addrset_copy(&edge_get(k, c->new->interface)->connected, c->connected);
}

int kernel_apply(struct kernel *k, const struct kernel_change *changes, size_t n,
		 struct diag *diag)
{
	if (k->damage.text[0])
		return diag_set(diag, "damaged: %s", k->damage.text);
	if (refused(k, changes, n, diag) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		change(k, &changes[i]);
	k->fake.applies++;
	return 0;
}

int kernel_rebuild(struct kernel *k, const struct kernel_change *all, size_t n,
		   struct diag *diag)
{
	if (refused(k, all, n, diag) < 0)
		return -1;
	clear(k);
	for (size_t i = 0; i < n; i++)
		change(k, &all[i]);
	k->damage.text[0] = '\0';
	k->fake.rebuilds++;
	return 0;
}

int kernel_read(struct kernel *k, const char *interface, struct filter *out,
		struct diag *diag)
{
	const struct filter *f = held_find(&k->held, interface);

	if (k->damage.text[0])
		return diag_set(diag, "damaged: %s", k->damage.text);
	if (!f)
		return 0;
	filter_copy(out, f);
	return 1;
}

int kernel_verify(struct kernel *k, const struct filter *want, bool all,
		  struct diag *diag)
{
	const struct filter *f = held_find(&k->held, want->interface);
	uint8_t a[FILTER_HASH_SIZE], b[FILTER_HASH_SIZE];

	if (k->damage.text[0])
		return diag_set(diag, "damaged: %s", k->damage.text);
	if (!f)
		return diag_set(diag, "edge %s is missing", want->interface);
	filter_hash(f, a);
	filter_hash(want, b);
	if (memcmp(a, b, sizeof(a)) != 0 || f->generation != want->generation)
		return diag_set(diag, "edge %s is not as it was left", want->interface);
	return 0;
}

bool kernel_layout(const struct kernel *k, const char *interface, enum ip_family family,
		   struct kernel_layout *out)
{
	*out = (struct kernel_layout){ KERNEL_SHAPE_ACCEPT, 1 };
	return held_find(&k->held, interface) != NULL;
}

int kernel_check(struct kernel *k, struct diag *diag)
{
	if (!k->damage.text[0])
		return 0;
	*diag = k->damage;
	return -1;
}

size_t kernel_edges(struct kernel *k, char (**names)[FILTER_IFNAME_SIZE])
{
	*names = mem_calloc(k->held.n, sizeof(**names));
	for (size_t i = 0; i < k->held.n; i++)
		memcpy((*names)[i], k->held.filters[i].interface, FILTER_IFNAME_SIZE);
	return k->held.n;
}

int kernel_counters(struct kernel *k, struct kernel_counters **out, size_t *n,
		    struct diag *diag)
{
	*out = NULL;
	*n = 0;
	return 0;
}

int kernel_brake(struct kernel *k, bool on, struct diag *diag)
{
	k->brake = on;
	return 0;
}

bool kernel_brake_is_on(const struct kernel *k)
{
	return k->brake;
}

int kernel_release(struct kernel *k, struct diag *diag)
{
	clear(k);
	k->brake = false;
	return 0;
}

bool kernel_was_changed(struct kernel *k)
{
	bool changed = k->changed;

	k->changed = false;
	return changed;
}

void kernel_fake_flush(struct kernel *k)
{
	clear(k);
	diag_set(&k->damage, "the table is gone");
	k->changed = true;
}

void kernel_fake_damage(struct kernel *k, const char *interface)
{
	struct filter f = { 0 };

	filter_copy(&f, held_find(&k->held, interface));
	rangeset_append(&f.accept.f[IP_V4], 0, 0);
	rangeset_normalize(&f.accept.f[IP_V4]);
	held_put(&k->held, &f);
	filter_fini(&f);
	k->changed = true;
}

enum kernel_strategy kernel_strategy(const struct kernel *k)
{
	return KERNEL_DELTA;
}

const char *kernel_strategy_name(enum kernel_strategy strategy)
{
	return "fake";
}
