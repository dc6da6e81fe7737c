/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * xfrm_msg - one child SA as the kernel's netlink messages.
 *
 * Nothing is sent here. A message is the caller's to send, wipe and free; it asks
 * for an acknowledgement.
 */
#ifndef SAV_XFRM_MSG_NL_H
#define SAV_XFRM_MSG_NL_H

#include "ipsec/esp/xfrm_nl.h"

struct nl_msg;
struct xfrm_pair;
struct xfrm_selector;

/* In locked memory. */
struct xfrm_keys {
	struct ike_child_keys in, out;
};

/* As it was asked for, or only the tunnel's policies (no keys). The keys are kept
 * because the kernel takes the newest outbound state at once, and for moves. */
struct xfrm_child {
	struct xfrm_child *next;	/* of one SPI's bucket */
	struct xfrm_child *next_tunnel; /* of one tunnel */
	struct xfrm_pair *pair;
	uint32_t reqid;		 /* the pair's */
	bool is_trap;
	struct esp_sa_conf conf; /* its selectors are the pair's, its keys NULL: */
	struct xfrm_keys *keys;
	struct xfrm_way way;
	uint64_t skipped; /* outbound numbers that no packet had: moves leave some out */
	bool sending;
};

bool xfrm_msg_has_cipher(const struct crypto_suite *suite);

/* XFRM_MSG_NEWSA or XFRM_MSG_UPDSA. */
struct nl_msg *xfrm_msg_state(const struct xfrm_child *c, bool out, int type);
/* XFRM_MSG_DELSA or XFRM_MSG_GETSA. */
struct nl_msg *xfrm_msg_id(const struct xfrm_child *c, bool out, int type);

/* A pair of selectors as one that the kernel takes: prefixes and one port, or all.
 * False: it takes none such. xfrm_msg_cut() makes prefixes first. */
bool xfrm_msg_selector(const struct ike_ts *src, const struct ike_ts *dst, struct xfrm_selector *out);
/* The first prefix of a range, and what is left of it. False: that was all. */
bool xfrm_msg_cut(struct ike_ts *rest, struct ike_ts *prefix);
/* dir: XFRM_POLICY_IN, _OUT or _FWD; sets or replaces. */
struct nl_msg *xfrm_msg_policy(const struct xfrm_child *c, const struct xfrm_selector *sel, uint8_t dir);
struct nl_msg *xfrm_msg_policy_del(const struct xfrm_child *c, const struct xfrm_selector *sel, uint8_t dir);

#endif /* SAV_XFRM_MSG_NL_H */
