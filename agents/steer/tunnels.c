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

static bool is_named(const struct tunnel_list *l, const char *name)
{
	for (size_t i = 0; i < l->n_names; i++) {
		if (strcmp(l->names[i], name) == 0)
			return true;
	}
	return false;
}

static size_t names_of(const struct site *site, char out[PATH_NUMBER_MAX][PATH_NAME_SIZE])
{
	size_t n = 0;

	for (size_t i = 0; i < site->n_providers; i++) {
		const struct site_provider *p = &site->providers[i];

		for (size_t j = 0; j < p->n_paths && n < PATH_NUMBER_MAX; j++) {
			if (p->paths[j].kind == PATH_TUNNEL)
				memcpy(out[n++], p->paths[j].name, PATH_NAME_SIZE);
		}
	}
	return n;
}

bool tunnels_lacks(const struct tunnel_list *l, const struct site *site)
{
	char names[PATH_NUMBER_MAX][PATH_NAME_SIZE];
	const size_t n = names_of(site, names);

	for (size_t i = 0; i < n; i++) {
		if (!is_named(l, names[i]))
			return true;
	}
	return false;
}

void tunnels_begin(struct tunnel_list *l, const struct site *site)
{
	list_free(l->fresh, l->n_fresh);
	l->fresh = NULL;
	l->n_fresh = 0;
	l->collecting = true;
	l->n_names = names_of(site, l->names);
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

	if (t)
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

	if (device[0] == '\0' && was)
		device = was->device;
	t->up = from->up;
	t->link_mark = from->link_mark;
	memmove(t->device, device, strlen(device) + 1);
	take_selectors(t, from);
}

static bool remove_from(struct steer_tunnel *list, size_t *n, const char *name)
{
	struct steer_tunnel *t = find(list, *n, name);

	if (!t)
		return false;
	addrset_fini(&t->sources);
	*t = list[--*n];
	return true;
}

static bool complete(struct tunnel_list *l)
{
	if (!l->collecting)
		return false;
	list_free(l->items, l->n);
	l->items = l->fresh;
	l->n = l->n_fresh;
	l->fresh = NULL;
	l->n_fresh = 0;
	l->collecting = false;
	l->known = true;
	return true;
}

bool tunnels_take(struct tunnel_list *l, const struct tunnel_update *u)
{
	switch (u->type) {
	case TUNNEL_UPDATE_UNKNOWN:
		break;
	case TUNNEL_UPDATE_TUNNEL:
		if (!is_named(l, u->tunnel.name))
			break;
		take(l, &u->tunnel);
		return true;
	case TUNNEL_UPDATE_GONE:
		if (l->collecting)
			return remove_from(l->fresh, &l->n_fresh, u->tunnel.name);
		return remove_from(l->items, &l->n, u->tunnel.name);
	case TUNNEL_UPDATE_COMPLETE:
		return complete(l);
	}
	return false;
}
