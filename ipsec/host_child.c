/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ipsec/host_impl.h"
#include "ipsec/ike/ts.h"
#include "lib/fnv.h"
#include "lib/mem.h"

static struct host_child **place(struct host *host, uint32_t spi_in)
{
	struct host_child **at = &host->children[spi_in % HOST_CHILD_BUCKETS];

	while (*at && (*at)->spi_in != spi_in)
		at = &(*at)->next;
	return at;
}

struct host_child *host_child_find(struct host *host, uint32_t spi_in)
{
	return *place(host, spi_in);
}

uint32_t host_child_new(struct host *host)
{
	struct host_child **at, *child;
	uint32_t spi;

	do
		crypto_random(&spi, sizeof(spi));
	while (spi < 256 || *(at = place(host, spi)));
	child = *at = mem_alloc(sizeof(*child));
	child->spi_in = spi;
	return spi;
}

/* ---- what a tunnel's children come to */

static struct host_tunnel **tunnel_place(struct host *host, const char *name)
{
	struct host_tunnel **at = &host->tunnels[fnv_text(name) % HOST_CHILD_BUCKETS];

	while (*at && strcmp((*at)->name, name) != 0)
		at = &(*at)->next;
	return at;
}

static struct host_tunnel *tunnel_get(struct host *host, const char *name)
{
	struct host_tunnel **at = tunnel_place(host, name);

	if (!*at) {
		*at = mem_alloc(sizeof(**at));
		snprintf((*at)->name, sizeof((*at)->name), "%s", name);
	}
	return *at;
}

static void tunnel_free(struct host_tunnel *t)
{
	free(t->local_ts);
	free(t->remote_ts);
	free(t);
}

static void tell(struct host *host, struct host_tunnel *t)
{
	struct proc_carries *message = mem_alloc(sizeof(*message));
	struct wr w = { 0 };

	snprintf(message->tunnel, sizeof(message->tunnel), "%s", t->name);
	message->up = t->told_up = t->sending > 0;
	message->path = t->path;
	host_ts_copy(&message->local_ts, t->local_ts);
	host_ts_copy(&message->remote_ts, t->remote_ts);
	proc_carries_encode(&w, message);
	proc_chan_send(host->main_chan, &w, -1);
	free(message);
}

/* The child's become the tunnel's. A rekeyed one like the one before is no news. */
static bool take_selectors(struct host_tunnel *t, struct host_child *child)
{
	bool same = t->local_ts && ike_ts_list_equal(t->local_ts, child->local_ts) &&
		    ike_ts_list_equal(t->remote_ts, child->remote_ts);

	free(t->local_ts);
	free(t->remote_ts);
	t->local_ts = child->local_ts;
	t->remote_ts = child->remote_ts;
	child->local_ts = child->remote_ts = NULL;
	return !same;
}

static bool path_equal(const struct ike_path *a, const struct ike_path *b)
{
	return a->link == b->link && ike_endpoint_equal(&a->local, &b->local) && ike_endpoint_equal(&a->remote, &b->remote);
}

static void begins_to_send(struct host *host, struct host_child *child)
{
	struct host_tunnel *t = child->tunnel;
	bool news;

	if (!child->carried || child->sending)
		return;
	news = take_selectors(t, child) || t->sending == 0;
	child->sending = true;
	t->sending++;
	if (news)
		tell(host, t);
}

static struct ike_ts_list *ts_dup(const struct ike_ts_list *ts)
{
	/* as long as it need be */
	return mem_dup(ts, ike_ts_list_bytes(ts));
}

void host_child_add(struct host *host, const struct ike_child_sa *sa, bool carried)
{
	struct host_child *child = host_child_find(host, sa->spi_in);

	if (!child || child->tunnel)
		return;
	child->tunnel = tunnel_get(host, sa->tunnel);
	child->tunnel->n++;
	child->link = sa->path.link;
	child->kernel = host_socket_is_kernel(host, sa->path.link);
	child->carried = carried;
	child->local_ts = ts_dup(sa->local_ts);
	child->remote_ts = ts_dup(sa->remote_ts);
	if (!path_equal(&child->tunnel->path, &sa->path) && child->tunnel->sending == 0)
		child->tunnel->path = sa->path;
	if (!sa->inbound_only)
		begins_to_send(host, child);
}

void host_child_use(struct host *host, uint32_t spi_in)
{
	struct host_child *child = host_child_find(host, spi_in);

	if (child && child->local_ts)
		begins_to_send(host, child);
}

void host_child_unuse(struct host *host, uint32_t spi_in)
{
	struct host_child *child = host_child_find(host, spi_in);

	if (!child || !child->sending)
		return;
	child->sending = false;
	child->tunnel->sending--;
}

void host_child_move(struct host *host, uint32_t spi_in, const struct ike_path *path)
{
	struct host_child *child = host_child_find(host, spi_in);

	if (!child || !child->tunnel || path_equal(&child->tunnel->path, path))
		return;
	child->tunnel->path = *path;
	if (child->tunnel->sending > 0)
		tell(host, child->tunnel);
}

static void retired_drop_of(struct host *host, const struct host_tunnel *t);

static void leave_tunnel(struct host *host, const struct host_child *child)
{
	struct host_tunnel *t = child->tunnel, **at;

	t->sending -= child->sending;
	if (t->sending == 0 && t->told_up) {
		tell(host, t);
		retired_drop_of(host, t);
	}
	if (--t->n == 0) {
		at = tunnel_place(host, t->name);
		*at = t->next;
		tunnel_free(t);
	}
}

static void child_drop(struct host_child **at)
{
	struct host_child *child = *at;

	if (!child)
		return;
	*at = child->next;
	free(child->local_ts);
	free(child->remote_ts);
	free(child);
}

void host_child_del(struct host *host, uint32_t spi_in)
{
	struct host_child *child = host_child_find(host, spi_in);

	if (!child)
		return;
	if (child->tunnel)
		leave_tunnel(host, child);
	child_drop(place(host, spi_in));
}

/* ---- those that only receive any more */

/* Of a tunnel, or the first. */
static uint32_t retired_take(struct host *host, const struct host_tunnel *t)
{
	struct host_child **at = &host->retired, *child;

	while (*at && t && (*at)->tunnel != t)
		at = &(*at)->next_retired;
	child = *at;
	if (!child)
		return 0;
	*at = child->next_retired;
	child->next_retired = NULL;
	host->n_retired--;
	return child->spi_in;
}

static void retired_drop_of(struct host *host, const struct host_tunnel *t)
{
	for (uint32_t spi_in; (spi_in = retired_take(host, t)) != 0;)
		host_child_drop(host, spi_in);
}

static void retire(struct host *host, struct host_child *child)
{
	struct host_child **at = &host->retired;

	host_child_unuse(host, child->spi_in);
	child->retired_ms = host->now_ms;
	while (*at)
		at = &(*at)->next_retired;
	*at = child;
	if (++host->n_retired > HOST_RETIRED_MAX)
		host_child_drop(host, retired_take(host, NULL));
}

void host_child_retire(struct host *host, uint32_t spi_in)
{
	struct host_child *child = host_child_find(host, spi_in);

	/* the one that took its place is never in another tunnel */
	if (!child || !child->carried || child->tunnel->sending <= child->sending)
		host_child_drop(host, spi_in);
	else
		retire(host, child);
}

void host_child_yield(struct host *host, uint32_t spi_in)
{
	struct host_child *child = host_child_find(host, spi_in);

	if (!child || !child->carried)
		host_child_drop(host, spi_in);
	else
		retire(host, child);
}

uint64_t host_children_run(struct host *host)
{
	while (host->retired && host->retired->retired_ms + HOST_RETIRED_MS <= host->now_ms)
		host_child_drop(host, retired_take(host, NULL));
	return host->retired ? host->retired->retired_ms + HOST_RETIRED_MS : UINT64_MAX;
}

/* ---- all of them */

void host_children_free(struct host *host)
{
	for (unsigned i = 0; i < HOST_CHILD_BUCKETS; i++) {
		while (host->children[i])
			child_drop(&host->children[i]);
		while (host->tunnels[i]) {
			struct host_tunnel *t = host->tunnels[i];

			host->tunnels[i] = t->next;
			tunnel_free(t);
		}
	}
}

void host_children_lost(struct host *host)
{
	for (unsigned i = 0; i < HOST_CHILD_BUCKETS; i++)
		for (struct host_child *c = host->children[i]; c; c = c->next) {
			if (c->kernel)
				continue;
			c->carried = false;
			if (!c->sending)
				continue;
			c->sending = false;
			if (--c->tunnel->sending == 0)
				tell(host, c->tunnel);
		}
}

void host_children_expire(struct host *host)
{
	for (unsigned i = 0; i < HOST_CHILD_BUCKETS; i++)
		for (struct host_child *c = host->children[i]; c; c = c->next)
			if (c->tunnel && !c->kernel && !c->retired_ms)
				ike_engine_child_expiring(host->engine, c->spi_in, host->now_ms);
}

void host_children_switch(struct host *host, uint32_t link, bool kernel)
{
	for (unsigned i = 0; i < HOST_CHILD_BUCKETS; i++)
		for (struct host_child *c = host->children[i]; c; c = c->next)
			if (c->tunnel && c->link == link && c->kernel != kernel && !c->retired_ms)
				ike_engine_child_expiring(host->engine, c->spi_in, host->now_ms);
}
