/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/radius/radius_session_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/digest.h"
#include "lib/mem.h"

#define SLOTS_MIN 1024

/* FNV-1a over a secret beginning: names come from outside. */
static uint64_t hash_bytes(uint64_t h, const void *data, size_t len)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < len; i++)
		h = (h ^ p[i]) * 0x100000001b3;
	return (h ^ 0xff) * 0x100000001b3;
}

static uint64_t hash_names(uint64_t seed, const char *a, const char *b)
{
	uint64_t h = hash_bytes(hash_bytes(seed, a, strlen(a)), b, strlen(b));

	return h ^ (h >> 29);
}

void radius_table_init(struct radius_sessions *rs)
{
	digest_random(&rs->seed, sizeof(rs->seed));
	rs->n_slots = rs->n_edge_slots = SLOTS_MIN;
	rs->slots = mem_calloc(rs->n_slots, sizeof(struct radius_session *));
	rs->edges = mem_calloc(rs->n_edge_slots, sizeof(struct radius_edge *));
}

void radius_table_fini(struct radius_sessions *rs)
{
	struct radius_nas *nas;

	for (size_t i = 0; i < rs->n_slots; i++) {
		while (rs->slots[i])
			radius_table_remove(rs, rs->slots[i]);
	}
	for (size_t i = 0; i < rs->n_edge_slots; i++) {
		struct radius_edge *edge;

		while ((edge = rs->edges[i])) {
			rs->edges[i] = edge->next;
			free(edge);
		}
	}
	while ((nas = rs->nases)) {
		rs->nases = nas->next;
		free(nas);
	}
	free(rs->slots);
	free(rs->edges);
}

/* ---- sessions ---- */

static uint64_t session_hash(const struct radius_sessions *rs, const char *client,
			     const char *nas, const uint8_t *id, size_t len)
{
	uint64_t h = hash_bytes(hash_names(rs->seed, client, nas), id, len);

	return h ^ (h >> 31);
}

static size_t session_count(const struct radius_sessions *rs)
{
	return rs->n + rs->ended.n;
}

static void grow(struct radius_sessions *rs)
{
	size_t n_slots = rs->n_slots * 2;
	struct radius_session **slots = mem_calloc(n_slots, sizeof(struct radius_session *)), *s;

	for (size_t i = 0; i < rs->n_slots; i++) {
		while ((s = rs->slots[i])) {
			rs->slots[i] = s->slot_next;
			s->slot_next = slots[s->hash & (n_slots - 1)];
			slots[s->hash & (n_slots - 1)] = s;
		}
	}
	free(rs->slots);
	rs->slots = slots;
	rs->n_slots = n_slots;
}

struct radius_session *radius_table_find(const struct radius_sessions *rs, const char *client,
					 const char *nas, const uint8_t *id, size_t len)
{
	uint64_t hash = session_hash(rs, client, nas, id, len);
	struct radius_session *s;

	for (s = rs->slots[hash & (rs->n_slots - 1)]; s; s = s->slot_next) {
		if (s->hash == hash && s->id_len == len && memcmp(s->id, id, len) == 0 &&
		    strcmp(s->nas->client, client) == 0 && strcmp(s->nas->nas, nas) == 0)
			return s;
	}
	return NULL;
}

struct radius_session *radius_table_add(struct radius_sessions *rs, const char *client,
					const char *nas, const uint8_t *id, size_t len)
{
	struct radius_session *s = mem_alloc(sizeof(*s) + len);
	struct radius_session **slot;

	if (session_count(rs) >= rs->n_slots)
		grow(rs);
	s->hash = session_hash(rs, client, nas, id, len);
	s->id_len = (uint8_t)len;
	memcpy(s->id, id, len);
	s->nas = radius_nas_get(rs, client, nas);
	s->nas_next = s->nas->sessions;
	s->nas_link = &s->nas->sessions;
	if (s->nas_next)
		s->nas_next->nas_link = &s->nas_next;
	s->nas->sessions = s;
	slot = &rs->slots[s->hash & (rs->n_slots - 1)];
	s->slot_next = *slot;
	*slot = s;
	return s;
}

void radius_table_remove(struct radius_sessions *rs, struct radius_session *s)
{
	struct radius_session **at = &rs->slots[s->hash & (rs->n_slots - 1)];

	while (*at != s)
		at = &(*at)->slot_next;
	*at = s->slot_next;
	*s->nas_link = s->nas_next;
	if (s->nas_next)
		s->nas_next->nas_link = s->nas_link;
	free(s->attrs);
	free(s->prefixes);
	free(s->states);
	free(s->claims);
	free(s);
}

/* ---- NASes and edges ---- */

struct radius_nas *radius_nas_get(struct radius_sessions *rs, const char *client,
				  const char *nas)
{
	struct radius_nas **at = &rs->nases, *n;

	for (; (n = *at); at = &n->next) {
		if (strcmp(n->nas, nas) == 0 && strcmp(n->client, client) == 0)
			break;
	}
	if (n) { /* to the front: the next request is likely to be of the same */
		*at = n->next;
	} else {
		n = mem_alloc(sizeof(*n));
		snprintf(n->client, sizeof(n->client), "%s", client);
		snprintf(n->nas, sizeof(n->nas), "%s", nas);
	}
	n->next = rs->nases;
	rs->nases = n;
	return n;
}

static struct radius_edge **edge_slot(const struct radius_sessions *rs, const char *router,
				      const char *interface)
{
	struct radius_edge **at =
		&rs->edges[hash_names(rs->seed, router, interface) & (rs->n_edge_slots - 1)];

	while (*at && (strcmp((*at)->router, router) != 0 ||
		       strcmp((*at)->interface, interface) != 0))
		at = &(*at)->next;
	return at;
}

struct radius_edge *radius_edge_find(const struct radius_sessions *rs, const char *router,
				     const char *interface)
{
	return *edge_slot(rs, router, interface);
}

static void edges_grow(struct radius_sessions *rs)
{
	size_t old_n = rs->n_edge_slots;
	struct radius_edge **old = rs->edges, *edge, **slot;

	rs->n_edge_slots *= 2;
	rs->edges = mem_calloc(rs->n_edge_slots, sizeof(struct radius_edge *));
	for (size_t i = 0; i < old_n; i++) {
		while ((edge = old[i])) {
			old[i] = edge->next;
			edge->next = NULL;
			slot = edge_slot(rs, edge->router, edge->interface);
			*slot = edge;
		}
	}
	free(old);
}

struct radius_edge *radius_edge_get(struct radius_sessions *rs, const char *router,
				    const char *interface)
{
	struct radius_edge *edge = radius_edge_find(rs, router, interface);

	if (edge)
		return edge;
	if (rs->n_edges++ >= rs->n_edge_slots)
		edges_grow(rs);
	edge = mem_alloc(sizeof(*edge));
	snprintf(edge->router, sizeof(edge->router), "%s", router);
	snprintf(edge->interface, sizeof(edge->interface), "%s", interface);
	*edge_slot(rs, router, interface) = edge;
	return edge;
}

/* ---- lists ---- */

void radius_list_put(struct radius_list *list, struct radius_session *s)
{
	s->heard_next = NULL;
	s->heard_prev = list->last;
	if (list->last)
		list->last->heard_next = s;
	else
		list->first = s;
	list->last = s;
	list->n++;
}

void radius_list_take(struct radius_list *list, struct radius_session *s)
{
	if (s->heard_prev)
		s->heard_prev->heard_next = s->heard_next;
	else
		list->first = s->heard_next;
	if (s->heard_next)
		s->heard_next->heard_prev = s->heard_prev;
	else
		list->last = s->heard_prev;
	s->heard_next = s->heard_prev = NULL;
	list->n--;
}
