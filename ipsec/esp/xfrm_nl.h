/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * xfrm_nl - the kernel's ESP: states and policies of child SAs by netlink.
 *
 * The kernel back end of the datapath, with the calls of esp_worker.h. Messages
 * are made by hand on libnl: libnl-xfrm 3.7 knows neither interface identifiers
 * nor output marks. Needs CAP_NET_ADMIN.
 *
 * A tunnel is its number: the request identifier that ties its policies to its
 * states, and, with an xfrm interface, the identifier of that.
 *
 * Source: RFC 4301; Linux include/uapi/linux/xfrm.h.
 */
#ifndef SAV_XFRM_NL_H
#define SAV_XFRM_NL_H

#include "ipsec/esp/esp_sa.h"
#include "lib/diag.h"

struct xfrm;

struct xfrm_ops {
	/* ESP of this SA came from another place (the kernel has shown that it is
	 * authentic, and not that it is the newest: a hint) */
	void (*moved)(void *ctx, uint32_t spi_in, const struct ike_endpoint *remote);
	void (*expiring)(void *ctx, uint32_t spi_in);
	/* a packet wants out of a tunnel that has no SA */
	void (*acquire)(void *ctx, uint32_t tunnel);
};

struct xfrm *xfrm_new(const struct xfrm_ops *ops, void *ctx, struct diag *diag);
void xfrm_free(struct xfrm *x); /* removes every state and policy that it made */

/* Readable when there are events; then call xfrm_ready(). */
int xfrm_fd(const struct xfrm *x);
void xfrm_ready(struct xfrm *x);

/* ESP in UDP that comes by this socket goes to the kernel's states, IKE still to
 * who reads the socket (RFC 3948 2.2). */
int xfrm_socket(int fd, struct diag *diag);

/* What a tunnel has beyond its SAs. */
struct xfrm_way {
	uint32_t if_id; /* of an xfrm interface, 0: policies for all packets */
	uint32_t mark;	/* of outer packets, chooses the link; 0: none */
};

/* The states, and with sending the way out; the inbound one is there before the
 * policies that use it. *conf's tunnel is the number; its keys are wiped by the
 * caller. -1 with the reason: what was made is undone. */
int xfrm_add(struct xfrm *x, const struct esp_sa_conf *conf, const struct xfrm_way *way, bool sending,
	     struct diag *diag);
int xfrm_use(struct xfrm *x, uint32_t spi_in, struct diag *diag);
/* New outer addresses. Numbers and keys stay: the state is read, deleted and made
 * anew with its counters, since no kernel migrates encapsulation. */
int xfrm_move(struct xfrm *x, uint32_t spi_in, const struct esp_path *path, struct diag *diag);
void xfrm_del(struct xfrm *x, uint32_t spi_in);

struct xfrm_use {
	uint64_t packets, bytes;
	uint64_t last_s; /* wall clock of the last packet, 0: none or not known */
};
/* Asks the kernel. -1: no such SA. */
int xfrm_query(struct xfrm *x, uint32_t spi_in, struct xfrm_use *in, struct xfrm_use *out);

#endif /* SAV_XFRM_NL_H */
