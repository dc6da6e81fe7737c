/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/radius/radius_cache.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

struct entry {
	struct entry *slot_next;
	struct entry *next; /* by age */
	struct radius_cache_key key;
	int64_t seen_ms;
	bool gone; /* forgotten; still in the queue */
	uint16_t len;
	uint8_t *answer;
};

struct radius_cache {
	struct entry **slots;
	size_t n_slots, n, max;
	bool forget;
	struct entry *oldest, **newest;
};

struct radius_cache *radius_cache_new(size_t max, bool forget)
{
	struct radius_cache *c = mem_alloc(sizeof(*c));

	c->max = max;
	c->forget = forget;
	c->n_slots = 4096;
	c->slots = mem_calloc(c->n_slots, sizeof(struct entry *));
	c->newest = &c->oldest;
	return c;
}

/* The authenticator is a hash already, and checked before it comes here. */
static struct entry **slot_of(const struct radius_cache *c, const struct radius_cache_key *key)
{
	uint64_t h;

	memcpy(&h, key->authenticator, sizeof(h));
	return &c->slots[(h ^ key->id) & (c->n_slots - 1)];
}

static bool same(const struct radius_cache_key *a, const struct radius_cache_key *b)
{
	return a->id == b->id && a->port == b->port && ip_addr_equal(&a->addr, &b->addr) &&
	       memcmp(a->authenticator, b->authenticator, RADIUS_AUTH_SIZE) == 0;
}

static struct entry *find(const struct radius_cache *c, const struct radius_cache_key *key)
{
	struct entry *e = *slot_of(c, key);

	while (e && !same(&e->key, key))
		e = e->slot_next;
	return e;
}

static void unslot(struct radius_cache *c, struct entry *e)
{
	struct entry **at = slot_of(c, &e->key);

	while (*at != e)
		at = &(*at)->slot_next;
	*at = e->slot_next;
}

static void drop_oldest(struct radius_cache *c)
{
	struct entry *e = c->oldest;

	c->oldest = e->next;
	if (!c->oldest)
		c->newest = &c->oldest;
	if (!e->gone)
		unslot(c, e);
	c->n--;
	free(e->answer);
	free(e);
}

void radius_cache_free(struct radius_cache *c)
{
	if (!c)
		return;
	while (c->oldest)
		drop_oldest(c);
	free(c->slots);
	free(c);
}

static void grow(struct radius_cache *c)
{
	free(c->slots);
	c->n_slots *= 4;
	c->slots = mem_calloc(c->n_slots, sizeof(struct entry *));
	for (struct entry *e = c->oldest; e; e = e->next) {
		struct entry **slot = slot_of(c, &e->key);

		if (e->gone)
			continue;
		e->slot_next = *slot;
		*slot = e;
	}
}

static void insert(struct radius_cache *c, const struct radius_cache_key *key, int64_t now_ms)
{
	struct entry *e = mem_alloc(sizeof(*e)), **slot;

	if (c->n >= 2 * c->n_slots)
		grow(c);
	e->key = *key;
	e->seen_ms = now_ms;
	*c->newest = e;
	c->newest = &e->next;
	c->n++;
	slot = slot_of(c, key);
	e->slot_next = *slot;
	*slot = e;
}

enum radius_seen radius_cache_see(struct radius_cache *c, const struct radius_cache_key *key,
				  int64_t age_ms, int64_t now_ms, const uint8_t **answer,
				  size_t *len)
{
	struct entry *e;

	while (c->oldest && c->oldest->seen_ms + age_ms <= now_ms)
		drop_oldest(c);
	e = find(c, key);
	if (e) {
		*answer = e->answer;
		*len = e->len;
		return e->answer ? RADIUS_ANSWERED : RADIUS_WAITING;
	}
	if (c->n >= c->max) {
		if (!c->forget)
			return RADIUS_NO_ROOM;
		drop_oldest(c);
	}
	insert(c, key, now_ms);
	return RADIUS_NEW;
}

void radius_cache_answer(struct radius_cache *c, const struct radius_cache_key *key,
			 const uint8_t *answer, size_t len)
{
	struct entry *e = find(c, key);

	if (!e)
		return; /* it was the oldest of too many */
	if (len == 0) {
		unslot(c, e);
		e->gone = true;
		return;
	}
	free(e->answer);
	e->answer = mem_dup(answer, len);
	e->len = (uint16_t)len;
}
