/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec/iked_protect.h"

#include <stdlib.h>

#include "lib/mem.h"
#include "lib/rangeset.h"

#define SHORTEST_V4 8
#define SHORTEST_V6 7 /* fc00::/7 */

void iked_prefixes_append(struct iked_prefixes *p, const struct ip_prefix *prefix)
{
	/* grows by powers of two */
	if ((p->n & (p->n - 1)) == 0)
		p->list = mem_realloc(p->list, p->n ? 2 * p->n : 1, sizeof(p->list[0]));
	p->list[p->n++] = *prefix;
}

int iked_prefixes_compare(const void *a, const void *b)
{
	return ip_prefix_cmp(a, b);
}

void iked_prefixes_sort(struct iked_prefixes *p)
{
	size_t n = 0;

	if (p->n > 0)
		qsort(p->list, p->n, sizeof(p->list[0]), iked_prefixes_compare);
	for (size_t i = 0; i < p->n; i++)
		if (n == 0 || ip_prefix_cmp(&p->list[i], &p->list[n - 1]) != 0)
			p->list[n++] = p->list[i];
	p->n = n;
}

void iked_prefixes_fini(struct iked_prefixes *p)
{
	free(p->list);
	*p = (struct iked_prefixes){ 0 };
}

struct adding {
	const struct iked_tunnel *tunnel;
	struct iked_prefixes *out;
};

static void add(const struct ip_prefix *p, void *arg)
{
	const struct adding *a = arg;
	const struct ip_addr *peer = &a->tunnel->t.remote_addr;

	if (p->len < (p->family == IP_V4 ? SHORTEST_V4 : SHORTEST_V6) ||
	    (peer->v != 0 && ip_prefix_contains(p, (enum ip_family)peer->family, peer->v)))
		return;
	iked_prefixes_append(a->out, p);
}

static void add_tunnel(const struct iked_tunnel *t, struct iked_prefixes *out)
{
	struct adding a = { t, out };

	if (t->carry || t->t.transport || t->of[0] || t->n_clients > 0)
		return;
	for (unsigned int i = 0; i < t->t.remote_ts->n; i++) {
		const struct ike_ts *ts = &t->t.remote_ts->list[i];
		struct rangeset range = { 0 };

		if (ts->protocol != 0 || ts->port_first != 0 || ts->port_last != UINT16_MAX)
			continue;
		rangeset_append(&range, ts->first.v, ts->last.v);
		rangeset_normalize(&range);
		rangeset_each_prefix(&range, (enum ip_family)ts->first.family, add, &a);
		rangeset_fini(&range);
	}
}

void iked_protected(const struct iked_config *config, struct iked_prefixes *out)
{
	for (const struct iked_tunnel *t = config->tunnels; t; t = t->next)
		if (!iked_tunnel_missing(config, t))
			add_tunnel(t, out);
	iked_prefixes_sort(out);
}

uint32_t iked_pause_take(struct iked_pause *pause, uint64_t now_ms)
{
	/* the last time is a moment ahead when its timer was early */
	bool calm = !pause->began || now_ms >= pause->last_ms + IKED_CALM_MS;
	uint32_t wait_ms = calm ? 0 : pause->next_ms;

	pause->began = true;
	pause->last_ms = now_ms + wait_ms;
	pause->next_ms = calm ? IKED_PAUSE_FIRST_MS : 2 * wait_ms < IKED_PAUSE_MOST_MS ? 2 * wait_ms : IKED_PAUSE_MOST_MS;
	return wait_ms;
}
