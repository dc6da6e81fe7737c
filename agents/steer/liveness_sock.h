/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * liveness_sock - sockets for probes and BFD of a path.
 *
 * All carry the path's mark and are bound to its source address, never to a
 * device (path.h says why). Opening them needs CAP_NET_RAW and CAP_NET_ADMIN, using
 * them nothing. Non-blocking, close-on-exec; the caller closes them.
 */
#ifndef SAV_LIVENESS_SOCK_H
#define SAV_LIVENESS_SOCK_H

#include "agents/steer/liveness.h"
#include "lib/diag.h"

/* What a read yields fits: an IPv4 header with options, and our echo; or BFD. */
#define LIVENESS_READ_BYTES 512

/* Raw ICMP: only echo replies with this identifier come out. -1 with diag. */
int liveness_sock_echo(const struct path *path, enum ip_family family, uint16_t ident,
		       struct diag *diag);
/* For sending BFD packets: TTL 255, a source port of its own in 49152-65535 (RFC
 * 5881 sections 4 and 5). -1 with diag. */
int liveness_sock_bfd(const struct path *path, enum ip_family family, struct diag *diag);
/* For receiving them, of all paths: ports 3784 or 4784. -1 with diag. */
int liveness_sock_bfd_listen(enum ip_family family, bool multihop, struct diag *diag);

/* ifindex: the scope of a link-local address. False with errno: not sent. */
bool liveness_sock_send(int fd, const struct ip_addr *to, uint16_t port, uint32_t ifindex,
			const uint8_t *data, size_t len);
/* The next datagram; d->multihop is the caller's to set. False: there is none. */
bool liveness_sock_receive(int fd, uint8_t buf[LIVENESS_READ_BYTES],
			   struct liveness_datagram *d);

#endif /* SAV_LIVENESS_SOCK_H */
