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
struct xfrm_selector;

/* As it was asked for. The outbound keys are kept until it sends, because the
 * kernel takes the newest state at once. */
struct xfrm_child {
	struct xfrm_child *next;
	struct esp_sa_conf conf; /* its pointers are NULL, these instead: */
	struct ike_ts_list local_ts, remote_ts;
	struct ike_child_keys in, out;
	struct xfrm_way way;
	bool sending;
};

bool xfrm_msg_has_cipher(const struct crypto_suite *suite);

struct nl_msg *xfrm_msg_state(const struct xfrm_child *c, bool out); /* XFRM_MSG_NEWSA */
/* XFRM_MSG_DELSA or XFRM_MSG_GETSA. */
struct nl_msg *xfrm_msg_id(const struct xfrm_child *c, bool out, int type);

/* A pair of selectors as one that the kernel takes: prefixes and one port. False:
 * it takes none such. */
bool xfrm_msg_selector(const struct ike_ts *src, const struct ike_ts *dst, struct xfrm_selector *out);
/* dir: XFRM_POLICY_IN, _OUT or _FWD; sets or replaces. */
struct nl_msg *xfrm_msg_policy(const struct xfrm_child *c, const struct xfrm_selector *sel, uint8_t dir);
struct nl_msg *xfrm_msg_policy_del(const struct xfrm_child *c, const struct xfrm_selector *sel, uint8_t dir);

#endif /* SAV_XFRM_MSG_NL_H */
