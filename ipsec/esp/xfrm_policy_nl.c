/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Policies, and the request identifiers that tie them to states.
 *
 * The kernel has one policy for a selector, a direction and an interface. Several
 * of ours may want it: a child and its successor, two tunnels on one device, and
 * what stands for a tunnel without an SA. Who came last has it, a child before
 * a trap; when that one goes it is the next one's, and never for a moment nobody's.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/xfrm.h>

#include "ipsec/esp/xfrm_impl_nl.h"
#include "ipsec/ike/ts.h"
#include "lib/fnv.h"
#include "lib/mem.h"

/* ---- request identifiers */

static struct xfrm_pair **pair_place(const struct xfrm *x, uint32_t reqid)
{
	struct xfrm_pair **at = (struct xfrm_pair **)(uintptr_t)&x->pairs[reqid % XFRM_BUCKETS];

	while (*at && (*at)->reqid != reqid)
		at = &(*at)->next;
	return at;
}

const struct xfrm_pair *xfrm_pair_find(const struct xfrm *x, uint32_t reqid)
{
	return *pair_place(x, reqid);
}

static bool is_pair(const struct xfrm_child *c, const struct esp_sa_conf *conf)
{
	return c && c->conf.transport == conf->transport && ike_ts_list_equal(c->conf.local_ts, conf->local_ts) &&
	       ike_ts_list_equal(c->conf.remote_ts, conf->remote_ts);
}

static struct xfrm_pair *pair_of(const struct xfrm_tunnel *t, const struct esp_sa_conf *conf)
{
	for (const struct xfrm_child *c = t->children; c; c = c->next_tunnel)
		if (is_pair(c, conf))
			return c->pair;
	return is_pair(t->trap, conf) ? t->trap->pair : NULL;
}

static uint32_t free_reqid(struct xfrm *x)
{
	uint32_t reqid;

	do {
		reqid = x->next_reqid++;
		if (x->next_reqid == XFRM_OURS_END)
			x->next_reqid = XFRM_OURS + 1;
	} while (*pair_place(x, reqid) || xfrm_orphans_have(x, reqid));
	return reqid;
}

struct xfrm_pair *xfrm_pair_get(struct xfrm *x, const struct xfrm_tunnel *t, const struct esp_sa_conf *conf)
{
	struct xfrm_pair *p = pair_of(t, conf);

	if (!p) {
		p = mem_alloc(sizeof(*p));
		p->reqid = free_reqid(x);
		p->tunnel = conf->tunnel;
		p->local_ts = mem_dup(conf->local_ts, ike_ts_list_bytes(conf->local_ts));
		p->remote_ts = mem_dup(conf->remote_ts, ike_ts_list_bytes(conf->remote_ts));
		*pair_place(x, p->reqid) = p;
	}
	p->users++;
	return p;
}

void xfrm_pair_put(struct xfrm *x, struct xfrm_pair *p)
{
	if (--p->users > 0)
		return;
	*pair_place(x, p->reqid) = p->next;
	free(p->local_ts);
	free(p->remote_ts);
	free(p);
}

/* ---- each policy of a child */

#define PAIRS_MAX (IKE_TS_MAX * IKE_TS_MAX) /* of prefixes: as many as a configuration can name */

typedef int policy_fn(struct xfrm *x, const struct xfrm_child *c, const struct xfrm_selector *sel, uint8_t dir);

static int three_policies(struct xfrm *x, const struct xfrm_child *c, const struct ike_ts *local, const struct ike_ts *remote,
			  policy_fn *fn)
{
	struct xfrm_selector out, in;
	int ret;

	if (!xfrm_msg_selector(local, remote, &out) || !xfrm_msg_selector(remote, local, &in))
		return -ERANGE;
	ret = fn(x, c, &in, XFRM_POLICY_IN);
	ret = ret ? ret : fn(x, c, &in, XFRM_POLICY_FWD);
	return ret ? ret : fn(x, c, &out, XFRM_POLICY_OUT);
}

/* Two ranges as all pairs of their prefixes. */
static int pair_policies(struct xfrm *x, const struct xfrm_child *c, struct ike_ts local, const struct ike_ts *remote,
			 policy_fn *fn)
{
	struct ike_ts l, r, rest;
	int first = 0, ret;

	if (local.first.family != remote->first.family ||
	    (local.protocol && remote->protocol && local.protocol != remote->protocol))
		return 0; /* no packet is of both */
	while (xfrm_msg_cut(&local, &l)) {
		rest = *remote;
		while (xfrm_msg_cut(&rest, &r)) {
			ret = three_policies(x, c, &l, &r, fn);
			first = first ? first : ret;
		}
	}
	return first;
}

static uint64_t prefixes_of(const struct ike_ts_list *list)
{
	uint64_t n = 0;

	for (unsigned int i = 0; i < list->n; i++)
		for (struct ike_ts rest = list->list[i], prefix; xfrm_msg_cut(&rest, &prefix);)
			n++;
	return n;
}

/* The first error. A peer can narrow what we have to ranges of 254 prefixes each, and
 * their pairs are millions: nobody else would be served any more. */
static int each_policy(struct xfrm *x, const struct xfrm_child *c, policy_fn *fn)
{
	const struct ike_ts_list *local = c->conf.local_ts, *remote = c->conf.remote_ts;
	int first = 0, ret;

	if (prefixes_of(local) * prefixes_of(remote) > PAIRS_MAX)
		return -E2BIG;
	for (unsigned int l = 0; l < local->n; l++)
		for (unsigned int r = 0; r < remote->n; r++) {
			ret = pair_policies(x, c, local->list[l], &remote->list[r], fn);
			first = first ? first : ret;
		}
	return first;
}

/* ---- who has it */

struct xfrm_policy {
	struct xfrm_policy *next;
	struct xfrm_selector sel;
	uint32_t if_id;
	uint8_t dir;
	struct xfrm_claim *claims; /* the first one has it */
};

struct xfrm_claim {
	struct xfrm_claim *next;
	const struct xfrm_child *child;
};

static uint32_t hash_of(const struct xfrm_selector *sel, uint8_t dir, uint32_t if_id)
{
	return fnv_more(fnv_more(FNV_BEGIN ^ dir, &if_id, sizeof(if_id)), sel, sizeof(*sel));
}

static struct xfrm_policy **policy_place(const struct xfrm *x, const struct xfrm_selector *sel, uint8_t dir, uint32_t if_id)
{
	struct xfrm_policy **at = (struct xfrm_policy **)(uintptr_t)&x->policies[hash_of(sel, dir, if_id) % XFRM_BUCKETS];

	while (*at && ((*at)->dir != dir || (*at)->if_id != if_id || memcmp(&(*at)->sel, sel, sizeof(*sel)) != 0))
		at = &(*at)->next;
	return at;
}

bool xfrm_policy_is_ours(const struct xfrm *x, const struct xfrm_selector *sel, uint8_t dir, uint32_t if_id)
{
	return *policy_place(x, sel, dir, if_id) != NULL;
}

/* The kernel would be told the same again. */
static bool is_same(const struct xfrm_child *a, const struct xfrm_child *b)
{
	return a->reqid == b->reqid && a->conf.transport == b->conf.transport &&
	       ip_addr_equal(&a->conf.path.local.addr, &b->conf.path.local.addr) &&
	       ip_addr_equal(&a->conf.path.remote.addr, &b->conf.path.remote.addr);
}

static int claim(struct xfrm *x, const struct xfrm_child *c, const struct xfrm_selector *sel, uint8_t dir)
{
	struct xfrm_policy **place = policy_place(x, sel, dir, c->way.if_id), *p = *place;
	const struct xfrm_child *was = p ? p->claims->child : NULL;
	struct xfrm_claim **at, *new = mem_alloc(sizeof(*new));

	if (!p) {
		p = *place = mem_alloc(sizeof(*p));
		p->sel = *sel;
		p->dir = dir;
		p->if_id = c->way.if_id;
	}
	for (at = &p->claims; c->is_trap && *at && !(*at)->child->is_trap;)
		at = &(*at)->next;
	new->child = c;
	new->next = *at;
	*at = new;
	if (p->claims != new || (was && is_same(was, c)))
		return 0;
	return xfrm_ask(x, xfrm_msg_policy(c, sel, dir));
}

static int leave(struct xfrm *x, const struct xfrm_child *c, const struct xfrm_selector *sel, uint8_t dir)
{
	struct xfrm_policy **place = policy_place(x, sel, dir, c->way.if_id), *p = *place;
	struct xfrm_claim **at = p ? &p->claims : NULL, *gone;
	bool had;

	while (at && *at && (*at)->child != c)
		at = &(*at)->next;
	if (!at || !*at)
		return 0; /* its policies could not all be made */
	had = *at == p->claims;
	gone = *at;
	*at = gone->next;
	free(gone);
	if (p->claims) {
		const struct xfrm_child *heir = p->claims->child;

		return had && !is_same(heir, c) ? xfrm_ask(x, xfrm_msg_policy(heir, sel, dir)) : 0;
	}
	*place = p->next;
	free(p);
	return xfrm_ask(x, xfrm_msg_policy_del(c, sel, dir));
}

static int tell_again(struct xfrm *x, const struct xfrm_child *c, const struct xfrm_selector *sel, uint8_t dir)
{
	const struct xfrm_policy *p = *policy_place(x, sel, dir, c->way.if_id);

	return p && p->claims->child == c ? xfrm_ask(x, xfrm_msg_policy(c, sel, dir)) : 0;
}

int xfrm_policies_claim(struct xfrm *x, const struct xfrm_child *c)
{
	return each_policy(x, c, claim);
}

void xfrm_policies_leave(struct xfrm *x, const struct xfrm_child *c)
{
	(void)each_policy(x, c, leave);
}

int xfrm_policies_moved(struct xfrm *x, const struct xfrm_child *c)
{
	return each_policy(x, c, tell_again);
}

void xfrm_policies_forget(struct xfrm *x)
{
	for (unsigned int i = 0; i < XFRM_BUCKETS; i++)
		while (x->policies[i]) {
			struct xfrm_policy *p = x->policies[i];

			x->policies[i] = p->next;
			while (p->claims) {
				struct xfrm_claim *gone = p->claims;

				p->claims = gone->next;
				free(gone);
			}
			free(p);
		}
}
