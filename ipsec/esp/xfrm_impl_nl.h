/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * xfrm_impl - private to the files xfrm_*.c.
 */
#ifndef SAV_XFRM_IMPL_NL_H
#define SAV_XFRM_IMPL_NL_H

#include "ipsec/esp/xfrm_msg_nl.h"

struct nl_sock;

/* What all children of one tunnel share. */
struct xfrm_tunnel {
	struct xfrm_tunnel *next;
	uint32_t number;
	struct xfrm_child *children;
	struct xfrm_child *trap; /* policies while nothing is sent, or NULL */
	bool trap_set;           /* they were put there; else an orphan's stand in their place, or a child's */
};

struct xfrm_orphan_list;

#define XFRM_BUCKETS 4096
struct xfrm {
	struct xfrm_ops ops;
	void *ctx;
	struct nl_sock *ask, *events;
	struct xfrm_child *children[XFRM_BUCKETS]; /* by spi_in */
	struct xfrm_tunnel *tunnels[XFRM_BUCKETS];
	struct nl_msg *restored; /* an answer's numbers go here */
	struct xfrm_use *use;	 /* and these are filled */
	struct xfrm_orphan_list *orphans, *found; /* found: while they are looked for */
	int error;
};

/* Sends and frees; 0 or -errno. */
int xfrm_ask(struct xfrm *x, struct nl_msg *msg);
/* Sends, frees, and takes every answer, up to the last: 0 or -errno. */
int xfrm_ask_all(struct xfrm *x, struct nl_msg *msg);
/* A tunnel of ours has this number. */
bool xfrm_has_tunnel(const struct xfrm *x, uint32_t number);

/* ---- xfrm_orphan_nl.c */
void xfrm_orphan_take(struct xfrm *x, struct nl_msg *msg); /* an answer */
void xfrm_orphans_free(struct xfrm *x);

#endif /* SAV_XFRM_IMPL_NL_H */
