/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/steer/tunnels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

static void list_free(struct steer_tunnel *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		addrset_fini(&list[i].sources);
	free(list);
}

void tunnels_fini(struct tunnel_list *l)
{
	list_free(l->items, l->n);
	list_free(l->fresh, l->n_fresh);
	*l = (struct tunnel_list){ 0 };
}

void tunnels_begin(struct tunnel_list *l)
{
	list_free(l->fresh, l->n_fresh);
	l->fresh = NULL;
	l->n_fresh = 0;
	l->collecting = true;
}

static struct steer_tunnel *find(struct steer_tunnel *list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(list[i].name, name) == 0)
			return &list[i];
	}
	return NULL;
}

const struct steer_tunnel *tunnels_find(const struct tunnel_list *l, const char *name)
{
	return find(l->items, l->n, name);
}

static struct steer_tunnel *get(struct steer_tunnel **list, size_t *n, const char *name)
{
	struct steer_tunnel *t = find(*list, *n, name);

	if (t || *n == TUNNELS_MAX)
		return t;
	*list = mem_realloc(*list, *n + 1, sizeof(**list));
	t = &(*list)[(*n)++];
	*t = (struct steer_tunnel){ .up = false };
	snprintf(t->name, sizeof(t->name), "%s", name);
	return t;
}

static void take_selectors(struct steer_tunnel *t, const struct tunnel_state *from)
{
	addrset_fini(&t->sources);
	for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++)
		t->carries[f] = from->n_remote == 0;
	for (size_t i = 0; i < from->n_remote; i++)
		t->carries[from->remote_ts[i].first.family] = true;
	for (size_t i = 0; i < from->n_local; i++)
		rangeset_append(&t->sources.f[from->local_ts[i].first.family],
				from->local_ts[i].first.v, from->local_ts[i].last.v);
	addrset_normalize(&t->sources);
}

static void take(struct tunnel_list *l, const struct tunnel_state *from)
{
	struct steer_tunnel *t = l->collecting ? get(&l->fresh, &l->n_fresh, from->name)
					       : get(&l->items, &l->n, from->name);
	const struct steer_tunnel *was = tunnels_find(l, from->name);
	const char *device = from->interface;

	if (!t)
		return;
	if (device[0] == '\0' && was)
		device = was->device;
	t->up = from->up;
	t->link_mark = from->link_mark;
	memmove(t->device, device, strlen(device) + 1);
	take_selectors(t, from);
}

static void remove_from(struct steer_tunnel *list, size_t *n, const char *name)
{
	struct steer_tunnel *t = find(list, *n, name);

	if (!t)
		return;
	addrset_fini(&t->sources);
	*t = list[--*n];
}

static void complete(struct tunnel_list *l)
{
	if (!l->collecting)
		return;
	list_free(l->items, l->n);
	l->items = l->fresh;
	l->n = l->n_fresh;
	l->fresh = NULL;
	l->n_fresh = 0;
	l->collecting = false;
	l->known = true;
}

void tunnels_take(struct tunnel_list *l, const struct tunnel_update *u)
{
	switch (u->type) {
	case TUNNEL_UPDATE_UNKNOWN:
		break;
	case TUNNEL_UPDATE_TUNNEL:
		take(l, &u->tunnel);
		break;
	case TUNNEL_UPDATE_GONE:
		if (l->collecting)
			remove_from(l->fresh, &l->n_fresh, u->tunnel.name);
		else
			remove_from(l->items, &l->n, u->tunnel.name);
		break;
	case TUNNEL_UPDATE_COMPLETE:
		complete(l);
		break;
	}
}
