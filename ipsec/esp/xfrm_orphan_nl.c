/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * States and policies that a predecessor left in the kernel.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include <linux/xfrm.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include "ipsec/esp/xfrm_impl_nl.h"
#include "lib/mem.h"

struct orphan {
	bool policy;
	uint32_t number, if_id;
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

/* Everything that has one of our numbers and is no tunnel's of ours. */
static void find(struct xfrm *x)
{
	struct xfrm_orphan_list *o = mem_alloc(sizeof(*o));

	xfrm_orphans_free(x);
	x->found = o;
	look(x, XFRM_MSG_GETSA);
	look(x, XFRM_MSG_GETPOLICY);
	x->found = NULL;
	x->orphans = o;
	for (size_t i = 0; i < o->n;) {
		if (xfrm_has_tunnel(x, o->list[i].number))
			o->list[i] = o->list[--o->n];
		else
			i++;
	}
}

uint32_t xfrm_orphans_find(struct xfrm *x)
{
	uint32_t last = XFRM_OURS;

	find(x);
	for (size_t i = 0; i < x->orphans->n; i++)
		if (x->orphans->list[i].number > last)
			last = x->orphans->list[i].number;
	/* half of the numbers each time: nothing of a predecessor has one of ours */
	return last + 1 < XFRM_OURS_END - (1u << 20) ? last + 1 : XFRM_OURS + 1;
}

unsigned int xfrm_orphans(const struct xfrm *x)
{
	return x->orphans ? (unsigned int)x->orphans->n : 0;
}

uint32_t xfrm_orphans_last_if_id(const struct xfrm *x)
{
	uint32_t last = 0;

	for (size_t i = 0; x->orphans && i < x->orphans->n; i++)
		if (is_ours(x->orphans->list[i].if_id) && x->orphans->list[i].if_id > last)
			last = x->orphans->list[i].if_id;
	return last;
}

static void del(struct xfrm *x, const struct orphan *o)
{
	struct nl_msg *msg = nlmsg_alloc_simple(o->policy ? XFRM_MSG_DELPOLICY : XFRM_MSG_DELSA, NLM_F_REQUEST | NLM_F_ACK);
	const void *body = o->policy ? (const void *)&o->sel : (const void *)&o->state;
	size_t len = o->policy ? sizeof(o->sel) : sizeof(o->state);

	if (!msg || nlmsg_append(msg, (void *)(uintptr_t)body, len, NLMSG_ALIGNTO) < 0)
		abort(); /* out of memory */
	if (o->policy && o->if_id)
		nla_put_u32(msg, XFRMA_IF_ID, o->if_id);
	(void)xfrm_ask(x, msg);
}

static void del_some(struct xfrm *x, bool all, uint32_t if_id)
{
	struct xfrm_orphan_list *o;

	if (xfrm_orphans(x) == 0)
		return;
	find(x); /* a policy may have become ours meanwhile: it has a new number then */
	o = x->orphans;
	for (size_t i = 0; i < o->n;) {
		if (!all && o->list[i].if_id != if_id) {
			i++;
			continue;
		}
		del(x, &o->list[i]);
		o->list[i] = o->list[--o->n];
	}
}

void xfrm_orphans_del(struct xfrm *x, uint32_t if_id)
{
	del_some(x, false, if_id);
}

void xfrm_orphans_del_all(struct xfrm *x)
{
	del_some(x, true, 0);
}

bool xfrm_orphans_has(const struct xfrm *x, uint32_t if_id)
{
	for (size_t i = 0; x->orphans && i < x->orphans->n; i++)
		if (x->orphans->list[i].if_id == if_id)
			return true;
	return false;
}

bool xfrm_orphans_carry(const struct xfrm *x, uint32_t if_id)
{
	for (size_t i = 0; x->orphans && i < x->orphans->n; i++)
		if (x->orphans->list[i].if_id == if_id && !x->orphans->list[i].policy &&
		    x->orphans->list[i].state.spi != 0) /* else it stands for a packet that waits */
			return true;
	return false;
}

void xfrm_orphans_free(struct xfrm *x)
{
	if (x->orphans)
		free(x->orphans->list);
	free(x->orphans);
	x->orphans = NULL;
}
