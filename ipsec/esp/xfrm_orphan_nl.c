/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * States and policies that a predecessor left in the kernel.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/xfrm.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include "ipsec/esp/xfrm_impl_nl.h"
#include "ipsec/ike/ts.h"
#include "lib/mem.h"

struct orphan {
	bool policy, goes;
	uint32_t number, if_id; /* number: of the request */
	struct xfrm_usersa_id state;
	struct xfrm_userpolicy_id sel; /* of a policy */
};

struct xfrm_orphan_list {
	size_t n, size;
	struct orphan *list;
};

static bool is_ours(uint32_t number)
{
	return number >= XFRM_OURS && number < XFRM_OURS_END;
}

static uint32_t u32_of(struct nlmsghdr *h, size_t body, int type)
{
	struct nlattr *attr = nlmsg_find_attr(h, (int)body, type);

	return attr && nla_len(attr) >= 4 ? nla_get_u32(attr) : 0;
}

static void add(struct xfrm_orphan_list *o, const struct orphan *one)
{
	if (o->n == o->size) {
		o->size = o->size ? 2 * o->size : 64;
		o->list = mem_realloc(o->list, o->size, sizeof(o->list[0]));
	}
	o->list[o->n++] = *one;
}

static void take_state(struct xfrm_orphan_list *o, struct nlmsghdr *h)
{
	const struct xfrm_usersa_info *info = nlmsg_data(h);
	struct orphan one = { .number = info->reqid,
			      .state = { info->id.daddr, info->id.spi, info->family, info->id.proto },
			      .if_id = u32_of(h, sizeof(*info), XFRMA_IF_ID) };

	if (is_ours(one.number))
		add(o, &one);
}

static void take_policy(struct xfrm_orphan_list *o, struct nlmsghdr *h)
{
	const struct xfrm_userpolicy_info *info = nlmsg_data(h);
	struct nlattr *attr = nlmsg_find_attr(h, sizeof(*info), XFRMA_TMPL);
	struct orphan one = { .policy = true, .if_id = u32_of(h, sizeof(*info), XFRMA_IF_ID) };

	if (!attr || nla_len(attr) < (int)sizeof(struct xfrm_user_tmpl))
		return;
	one.number = ((const struct xfrm_user_tmpl *)nla_data(attr))->reqid;
	one.sel.sel = info->sel;
	one.sel.dir = info->dir;
	if (is_ours(one.number))
		add(o, &one);
}

void xfrm_orphan_take(struct xfrm *x, struct nl_msg *msg)
{
	struct nlmsghdr *h = nlmsg_hdr(msg);

	if (h->nlmsg_type == XFRM_MSG_NEWSA && nlmsg_datalen(h) >= (int)sizeof(struct xfrm_usersa_info))
		take_state(x->found, h);
	else if (h->nlmsg_type == XFRM_MSG_NEWPOLICY && nlmsg_datalen(h) >= (int)sizeof(struct xfrm_userpolicy_info))
		take_policy(x->found, h);
}

static void look(struct xfrm *x, int type)
{
	struct nl_msg *msg = nlmsg_alloc_simple(type, NLM_F_REQUEST | NLM_F_DUMP);

	if (!msg)
		abort(); /* out of memory */
	(void)xfrm_ask_all(x, msg);
}

/* ---- what there is */

uint32_t xfrm_orphans_find(struct xfrm *x)
{
	struct xfrm_orphan_list *o = mem_alloc(sizeof(*o));
	uint32_t last = XFRM_OURS;

	xfrm_orphans_free(x);
	x->found = o;
	look(x, XFRM_MSG_GETSA);
	look(x, XFRM_MSG_GETPOLICY);
	x->found = NULL;
	x->orphans = o;
	for (size_t i = 0; i < o->n; i++)
		if (o->list[i].number > last)
			last = o->list[i].number;
	x->next_reqid = last + 1 < XFRM_OURS_END ? last + 1 : XFRM_OURS + 1;
	return (uint32_t)o->n;
}

unsigned int xfrm_orphans(const struct xfrm *x)
{
	return x->orphans ? (unsigned int)x->orphans->n : 0;
}

uint32_t xfrm_orphans_last_if_id(const struct xfrm *x)
{
	uint32_t last = 0;

	for (size_t i = 0; i < xfrm_orphans(x); i++)
		if (is_ours(x->orphans->list[i].if_id) && x->orphans->list[i].if_id > last)
			last = x->orphans->list[i].if_id;
	return last;
}

bool xfrm_orphans_have(const struct xfrm *x, uint32_t reqid)
{
	for (size_t i = 0; i < xfrm_orphans(x); i++)
		if (x->orphans->list[i].number == reqid)
			return true;
	return false;
}

static bool has_state(const struct xfrm *x, uint32_t number)
{
	for (size_t i = 0; i < xfrm_orphans(x); i++)
		if (!x->orphans->list[i].policy && x->orphans->list[i].number == number &&
		    x->orphans->list[i].state.spi != 0) /* else it stands for a packet that waits */
			return true;
	return false;
}

/* ---- what stands for the same traffic */

static struct ike_ts ts_of(const xfrm_address_t *addr, const struct xfrm_selector *sel, bool src)
{
	enum ip_family family = sel->family == AF_INET6 ? IP_V6 : IP_V4;
	uint16_t port = src ? sel->sport : sel->dport, mask = src ? sel->sport_mask : sel->dport_mask;
	struct ip_prefix prefix = ip_prefix_make(family, ip_from_bytes((const uint8_t *)addr, family),
						 src ? sel->prefixlen_s : sel->prefixlen_d);
	struct ike_ts ts = ike_ts_of_prefix(&prefix);

	ts.protocol = sel->proto;
	if (mask)
		ts.port_first = ts.port_last = ntohs(port);
	return ts;
}

static bool list_overlaps(const struct ike_ts_list *list, const struct ike_ts *ts)
{
	struct ike_ts both;

	for (unsigned int i = 0; i < list->n; i++)
		if (ike_ts_intersect(&list->list[i], ts, &both))
			return true;
	return false;
}

static bool overlaps(const struct orphan *o, const struct xfrm_child *c)
{
	struct ike_ts local, remote;

	if (!o->policy || o->if_id != c->way.if_id || o->sel.dir != XFRM_POLICY_OUT)
		return false;
	local = ts_of(&o->sel.sel.saddr, &o->sel.sel, true);
	remote = ts_of(&o->sel.sel.daddr, &o->sel.sel, false);
	return list_overlaps(c->conf.local_ts, &local) && list_overlaps(c->conf.remote_ts, &remote);
}

bool xfrm_orphans_carry(const struct xfrm *x, const struct xfrm_child *c)
{
	for (size_t i = 0; i < xfrm_orphans(x); i++)
		if (overlaps(&x->orphans->list[i], c) && has_state(x, x->orphans->list[i].number))
			return true;
	return false;
}

/* ---- removing */

/* A policy may have become ours meanwhile: it was replaced then. */
static void del(struct xfrm *x, const struct orphan *o)
{
	struct nl_msg *msg;
	const void *body = o->policy ? (const void *)&o->sel : (const void *)&o->state;
	size_t len = o->policy ? sizeof(o->sel) : sizeof(o->state);

	if (o->policy && xfrm_policy_is_ours(x, &o->sel.sel, o->sel.dir, o->if_id))
		return;
	msg = nlmsg_alloc_simple(o->policy ? XFRM_MSG_DELPOLICY : XFRM_MSG_DELSA, NLM_F_REQUEST | NLM_F_ACK);
	if (!msg || nlmsg_append(msg, (void *)(uintptr_t)body, len, NLMSG_ALIGNTO) < 0)
		abort(); /* out of memory */
	if (o->policy && o->if_id)
		nla_put_u32(msg, XFRMA_IF_ID, o->if_id);
	(void)xfrm_ask(x, msg);
}

static bool stood_for(const struct xfrm *x, const struct xfrm_child *trap)
{
	for (size_t i = 0; i < xfrm_orphans(x); i++)
		if (x->orphans->list[i].goes && overlaps(&x->orphans->list[i], trap))
			return true;
	return false;
}

static bool any(const struct xfrm *x, const struct xfrm_child *trap)
{
	return true;
}

static void del_marked(struct xfrm *x)
{
	struct xfrm_orphan_list *o = x->orphans;

	for (size_t i = 0; i < o->n;) {
		if (!o->list[i].goes) {
			i++;
			continue;
		}
		del(x, &o->list[i]);
		o->list[i] = o->list[--o->n];
	}
}

static void mark(struct xfrm_orphan_list *o, uint32_t number)
{
	for (size_t i = 0; i < o->n; i++)
		if (o->list[i].number == number)
			o->list[i].goes = true;
}

void xfrm_orphans_succeed(struct xfrm *x, const struct xfrm_child *c, bool idle)
{
	bool some = false;

	for (size_t i = 0; i < xfrm_orphans(x); i++) {
		const struct orphan *o = &x->orphans->list[i];

		if (o->goes || !overlaps(o, c) || (idle && has_state(x, o->number)))
			continue;
		mark(x->orphans, o->number);
		some = true;
	}
	if (!some)
		return;
	/* first what stands for a tunnel without an SA: nothing of it leaves in clear */
	xfrm_traps_set(x, stood_for);
	del_marked(x);
}

void xfrm_orphans_del(struct xfrm *x, uint32_t if_id, const struct ike_ts_list *local, const struct ike_ts_list *remote)
{
	const struct xfrm_child like = { .way.if_id = if_id, .conf = { .local_ts = local, .remote_ts = remote } };

	xfrm_orphans_succeed(x, &like, false);
}

void xfrm_orphans_del_all(struct xfrm *x)
{
	xfrm_traps_set(x, any);
	for (size_t i = 0; i < xfrm_orphans(x); i++)
		x->orphans->list[i].goes = true;
	if (x->orphans)
		del_marked(x);
}

void xfrm_orphans_free(struct xfrm *x)
{
	if (x->orphans)
		free(x->orphans->list);
	free(x->orphans);
	x->orphans = NULL;
}
