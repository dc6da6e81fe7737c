/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * xfrm_impl - private to the files xfrm_*.c.
 */
#ifndef SAV_XFRM_IMPL_NL_H
#define SAV_XFRM_IMPL_NL_H

#include "ipsec/esp/xfrm_msg_nl.h"

struct nl_sock;
struct nlmsghdr;
struct xfrm_usersa_info;

/* What all children of one tunnel share. */
struct xfrm_tunnel {
	struct xfrm_tunnel *next;
	uint32_t number;
	struct xfrm_child *children;
	struct xfrm_child *trap; /* policies while nothing is sent, or NULL */
	bool trap_set;           /* they were put there; else an orphan's stand in their place */
};

/* Selectors of a tunnel's child and of its successors. The kernel finds an outbound
 * state by the policy's addresses and request identifier, and not by ports: two
 * clients behind one NAT must not have the same. */
struct xfrm_pair {
	struct xfrm_pair *next;
	uint32_t reqid, tunnel;
	unsigned int users;
	struct ike_ts_list *local_ts, *remote_ts;
};

struct xfrm_policy;
struct xfrm_orphan_list;

#define XFRM_BUCKETS 4096
struct xfrm {
	struct xfrm_ops ops;
	void *ctx;
	struct nl_sock *ask, *events;
	struct xfrm_child *children[XFRM_BUCKETS]; /* by spi_in */
	struct xfrm_tunnel *tunnels[XFRM_BUCKETS];
	struct xfrm_pair *pairs[XFRM_BUCKETS]; /* by reqid */
	struct xfrm_policy *policies[XFRM_BUCKETS];
	uint32_t next_reqid;
	unsigned int n_waiting; /* traps that are not set yet */
	struct nl_msg *restored; /* an answer's numbers go here */
	bool restores_out;	 /* it sends */
	struct xfrm_use *use;	 /* and these are filled */
	struct xfrm_orphan_list *orphans, *found; /* found: while they are looked for */
	int error;
};

/* Sends and frees; 0 or -errno. */
int xfrm_ask(struct xfrm *x, struct nl_msg *msg);
/* Sends, frees, and takes every answer, up to the last: 0 or -errno. */
int xfrm_ask_all(struct xfrm *x, struct nl_msg *msg);
/* The trap of each tunnel that waits for orphans to go, and is one of these, is set. */
void xfrm_traps_set(struct xfrm *x, bool (*which)(const struct xfrm *x, const struct xfrm_child *trap));

/* 0 or -errno; what is told goes where x->use and x->restored say. */
int xfrm_state_get(struct xfrm *x, const struct xfrm_child *c, bool out);
int xfrm_state_del(struct xfrm *x, const struct xfrm_child *c, bool out);

/* ---- xfrm_move_nl.c */
/* From where it was to where it is now; 0 or -errno. */
int xfrm_child_move(struct xfrm *x, const struct xfrm_child *old, struct xfrm_child *c);
void xfrm_restore(struct xfrm *x, struct nlmsghdr *from, const struct xfrm_usersa_info *info);

/* ---- xfrm_policy_nl.c */
/* The one that a child of this tunnel, or its trap, has; else a new one. */
struct xfrm_pair *xfrm_pair_get(struct xfrm *x, const struct xfrm_tunnel *t, const struct esp_sa_conf *conf);
void xfrm_pair_put(struct xfrm *x, struct xfrm_pair *pair);
const struct xfrm_pair *xfrm_pair_find(const struct xfrm *x, uint32_t reqid);
/* 0, or the first -errno; -ERANGE: a selector that the kernel can't;
 * -E2BIG: they would be too many. */
int xfrm_policies_claim(struct xfrm *x, const struct xfrm_child *c);
int xfrm_policies_moved(struct xfrm *x, const struct xfrm_child *c); /* to other addresses */
void xfrm_policies_leave(struct xfrm *x, const struct xfrm_child *c);
void xfrm_policies_forget(struct xfrm *x); /* the kernel keeps them */
bool xfrm_policy_is_ours(const struct xfrm *x, const struct xfrm_selector *sel, uint8_t dir, uint32_t if_id);

/* ---- xfrm_orphan_nl.c */
void xfrm_orphan_take(struct xfrm *x, struct nl_msg *msg); /* an answer */
bool xfrm_orphans_have(const struct xfrm *x, uint32_t reqid);
/* States of a predecessor carry what these selectors say. */
bool xfrm_orphans_carry(const struct xfrm *x, const struct xfrm_child *c);
/* Removes what stands for the same traffic as this one; idle: only what has no state. */
void xfrm_orphans_succeed(struct xfrm *x, const struct xfrm_child *c, bool idle);
void xfrm_orphans_free(struct xfrm *x);

#endif /* SAV_XFRM_IMPL_NL_H */
