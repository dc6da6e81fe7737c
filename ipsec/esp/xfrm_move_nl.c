/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * States that go on with other outer addresses or ports.
 */
#include <stdlib.h>

#include <linux/xfrm.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include "ipsec/esp/xfrm_impl_nl.h"

/* The numbers of a state that is made anew: without them the peer would drop
 * what follows. What is sent between question and end took numbers too, and an IV
 * must not come twice (RFC 4106 3.1): some are left out, which no window minds. */
#define SKIPPED 65536u

static void skip(struct xfrm_replay_state_esn *replay, bool esn)
{
	if (replay->oseq <= UINT32_MAX - SKIPPED) {
		replay->oseq += SKIPPED;
	} else if (esn) {
		replay->oseq += SKIPPED;
		replay->oseq_hi++;
	} else {
		replay->oseq = UINT32_MAX; /* used up: the kernel sends no more */
	}
}

/* XFRMA_LTIME_VAL is what a new state has been used already: with it the limits go
 * on, and the time after which the kernel deletes it. */
void xfrm_restore(struct xfrm *x, struct nlmsghdr *from, const struct xfrm_usersa_info *info)
{
	struct nlattr *attr = nlmsg_find_attr(from, sizeof(*info), XFRMA_REPLAY_ESN_VAL);

	if (attr && nla_len(attr) >= (int)sizeof(struct xfrm_replay_state_esn)) {
		if (x->restores_out)
			skip(nla_data(attr), info->flags & XFRM_STATE_ESN);
		nla_put(x->restored, XFRMA_REPLAY_ESN_VAL, nla_len(attr), nla_data(attr));
	}
	nla_put(x->restored, XFRMA_LTIME_VAL, sizeof(info->curlft), &info->curlft);
}

/* A state is known by its destination. */
static bool is_same_state(const struct xfrm_child *a, const struct xfrm_child *b, bool out)
{
	return out ? ip_addr_equal(&a->conf.path.remote.addr, &b->conf.path.remote.addr) :
		     ip_addr_equal(&a->conf.path.local.addr, &b->conf.path.local.addr);
}

/* Appends what the state knows to the message of its successor. The last
 * attribute of a type counts for the kernel. The old one goes first only where
 * both can't be there at once. */
static int renew(struct xfrm *x, const struct xfrm_child *old, struct xfrm_child *new, bool out)
{
	struct nl_msg *msg;
	int ret;

	new->skipped += out ? SKIPPED : 0;
	msg = xfrm_msg_state(new, out, XFRM_MSG_NEWSA);
	x->restored = msg;
	x->restores_out = out;
	ret = xfrm_state_get(x, old, out);
	x->restored = NULL;
	if (ret >= 0 && is_same_state(old, new, out))
		ret = xfrm_state_del(x, old, out);
	if (ret >= 0)
		return xfrm_ask(x, msg);
	crypto_wipe(nlmsg_data(nlmsg_hdr(msg)), (size_t)nlmsg_datalen(nlmsg_hdr(msg)));
	nlmsg_free(msg);
	return ret;
}

static int move(struct xfrm *x, const struct xfrm_child *old, struct xfrm_child *c)
{
	int ret = renew(x, old, c, false);

	if (ret == 0 && c->sending)
		ret = renew(x, old, c, true);
	if (ret == 0 && c->sending) /* the templates name the addresses */
		ret = xfrm_policies_moved(x, c);
	if (!is_same_state(old, c, false))
		(void)xfrm_state_del(x, old, false);
	if (!is_same_state(old, c, true) && c->sending)
		(void)xfrm_state_del(x, old, true);
	return ret;
}

/* In place: ports and the mark, without a packet lost. */
static int update(struct xfrm *x, const struct xfrm_child *c)
{
	int ret = xfrm_ask(x, xfrm_msg_state(c, false, XFRM_MSG_UPDSA));

	return ret == 0 && c->sending ? xfrm_ask(x, xfrm_msg_state(c, true, XFRM_MSG_UPDSA)) : ret;
}

int xfrm_child_move(struct xfrm *x, const struct xfrm_child *old, struct xfrm_child *c)
{
	if (is_same_state(old, c, true) && is_same_state(old, c, false) && old->conf.path.encap == c->conf.path.encap)
		return update(x, c);
	return move(x, old, c);
}
