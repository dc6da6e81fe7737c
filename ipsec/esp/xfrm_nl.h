/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * xfrm_nl - the kernel's ESP: states and policies of child SAs by netlink.
 *
 * The kernel back end of the datapath, with the calls of esp_worker.h. Messages
 * are made by hand on libnl: libnl-xfrm 3.7 knows neither interface identifiers
 * nor output marks. Needs CAP_NET_ADMIN.
 *
 * A tunnel is its number (esp_sa_conf.tunnel). Each pair of selectors of a tunnel
 * has a request identifier, which ties policies to states. What is ours has one
 * from XFRM_OURS on; nothing else in the kernel is touched.
 *
 * Source: RFC 4301; Linux include/uapi/linux/xfrm.h.
 */
#ifndef SAV_XFRM_NL_H
#define SAV_XFRM_NL_H

#include "ipsec/esp/esp_sa.h"
#include "lib/diag.h"

/* Request identifiers and identifiers of interfaces are numbers from here on. */
#define XFRM_OURS     0x5a000000u
#define XFRM_OURS_END 0x5b000000u

struct xfrm;

struct xfrm_ops {
	/* ESP of this SA came from another place (the kernel has shown that it is
	 * authentic, and not that it is the newest: a hint) */
	void (*moved)(void *ctx, uint32_t spi_in, const struct ike_endpoint *remote);
	void (*expiring)(void *ctx, uint32_t spi_in);
	/* a hard limit: the kernel has it no more */
	void (*expired)(void *ctx, uint32_t spi_in);
	/* a packet wants out of a tunnel that has no SA */
	void (*acquire)(void *ctx, uint32_t tunnel);
};

struct xfrm *xfrm_new(const struct xfrm_ops *ops, void *ctx, struct diag *diag);
/* Removes every state that it made, and the policies of children; those of
 * xfrm_trap() stay: nothing that they name leaves in clear. */
void xfrm_free(struct xfrm *x);

/* Readable when there are events; then call xfrm_ready(). */
int xfrm_fd(const struct xfrm *x);
void xfrm_ready(struct xfrm *x);

/* ESP in UDP that comes by this socket goes to the kernel's states, IKE still to
 * who reads the socket (RFC 3948 2.2). What the socket sends and gets itself
 * passes every policy: IKE between two hosts that have all else in ESP. */
int xfrm_socket(int fd, enum ip_family family, struct diag *diag);

/* Whether the kernel has what we need (ESP in UDP with AES-GCM, by trying it,
 * with a state that is deleted at once). -1 with what lacks. */
int xfrm_probe(struct diag *diag);

/* What a tunnel has beyond its SAs. */
struct xfrm_way {
	uint32_t if_id; /* of an xfrm interface, 0: policies for all packets */
	uint32_t mark;	/* of outer packets, chooses the link; 0: none */
	uint32_t hard_s; /* the kernel deletes the states then, whatever became of us; 0: never */
};

/* The states, and with sending the way out; the inbound one is there before the
 * policies that use it. *conf's tunnel is the number; its keys are wiped by the
 * caller. -1 with the reason: what was made is undone. */
int xfrm_add(struct xfrm *x, const struct esp_sa_conf *conf, const struct xfrm_way *way, bool sending,
	     struct diag *diag);
int xfrm_use(struct xfrm *x, uint32_t spi_in, struct diag *diag);
/* Without its outbound state, the one before it with the same selectors sends. */
void xfrm_unuse(struct xfrm *x, uint32_t spi_in);
/* Another place of the peer, or of ours. Ports are set in place. With other
 * addresses a state is made anew with its counters and numbers, and deleted; the
 * numbers that are left out meanwhile count as used. Not by
 * XFRM_MSG_MIGRATE: that copies the sequence number and lets the old state send on
 * until the policy is changed, so that an IV could come twice, and it loses the
 * counters. */
int xfrm_move(struct xfrm *x, uint32_t spi_in, const struct esp_path *path, struct diag *diag);
/* Another mark of all outer packets of a tunnel. */
void xfrm_mark(struct xfrm *x, uint32_t tunnel, uint32_t mark);
void xfrm_del(struct xfrm *x, uint32_t spi_in);

/* Policies of a tunnel while it has no SA: packets out are told by acquire() and
 * dropped. They stay until xfrm_untrap(), also when we are gone. Where a predecessor's
 * SA carries the same traffic, they wait until it goes. conf: tunnel, transport,
 * selectors and path count. A second call takes the place of the first without a gap.
 * -1: a selector that the kernel can't. */
int xfrm_trap(struct xfrm *x, const struct esp_sa_conf *conf, const struct xfrm_way *way, struct diag *diag);
void xfrm_untrap(struct xfrm *x, uint32_t tunnel);

/* The longest inner packet that goes in an outer one of so many bytes; 0: none. */
uint32_t xfrm_room(struct xfrm *x, uint32_t spi_in, uint32_t mtu);

/* Both are SAs of one tunnel and may carry the same packet. */
bool xfrm_overlap(struct xfrm *x, uint32_t spi_in, uint32_t other_spi_in);

struct xfrm_use {
	uint64_t packets, bytes;
	uint64_t last_s; /* wall clock of the last packet, 0: none or not known */
	uint32_t replays, bad_icv; /* of the inbound one */
};
/* Asks the kernel. -1: no such SA. */
int xfrm_query(struct xfrm *x, uint32_t spi_in, struct xfrm_use *in, struct xfrm_use *out);

/* ---- what was there before us: of a predecessor that did not end in order.
 * It goes on as it is, and its keys are never taken again. What stands for the same
 * traffic as an SA of ours goes when that begins to send; traps that waited for it
 * are set before. */

/* Looks for it; how much there is. */
uint32_t xfrm_orphans_find(struct xfrm *x);
unsigned int xfrm_orphans(const struct xfrm *x);
/* Identifiers of interfaces up to this one were in use; 0: none. */
uint32_t xfrm_orphans_last_if_id(const struct xfrm *x);
/* Removes what stands for traffic of these selectors on an interface (0: on none). */
void xfrm_orphans_del(struct xfrm *x, uint32_t if_id, const struct ike_ts_list *local, const struct ike_ts_list *remote);
void xfrm_orphans_del_all(struct xfrm *x);

#endif /* SAV_XFRM_NL_H */
