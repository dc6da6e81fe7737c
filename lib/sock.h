/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * sock - sockets from our own address type; all non-blocking, close-on-exec.
 */
#ifndef SAV_SOCK_H
#define SAV_SOCK_H

#include <sys/socket.h>

#include "lib/diag.h"
#include "lib/ip.h"

#define SOCK_TEXT_SIZE (IP_TEXT_SIZE + 16)

/* Returns the length that counts. */
socklen_t sock_to_sockaddr(const struct ip_addr *addr, uint16_t port,
			   struct sockaddr_storage *ss);
void sock_from_sockaddr(const struct sockaddr_storage *ss, struct ip_addr *addr,
			uint16_t *port);

/* A UDP socket that tells where each datagram was sent to (IP_PKTINFO), with a
 * buffer of this many bytes if the system allows; -1 with diag. */
int sock_udp(const struct ip_addr *addr, uint16_t port, int buffer_bytes,
	     struct diag *diag);
/* A listening socket, or -1 with diag (address in use, not ours, ...). */
int sock_listen(const struct ip_addr *addr, uint16_t port, struct diag *diag);
/* Connections from there have to be signed with the password (RFC 2385), or need
 * not any more if it is "". Of the socket's own family. -1 with diag. */
int sock_require_md5(int listener, const struct ip_prefix *from, const char *password,
		     struct diag *diag);
/* A connection, with TCP keepalive that finds a dead peer within two minutes;
 * -1 when there is none to accept or it is gone again. */
int sock_accept(int listener, struct ip_addr *from, uint16_t *port);
/* Begins to connect; writable when done, sock_error() tells how it went. */
int sock_connect(const struct ip_addr *addr, uint16_t port, struct diag *diag);
/* The same; packets are signed with the password (RFC 2385) unless it is "". */
int sock_connect_md5(const struct ip_addr *addr, uint16_t port, const char *password,
		     struct diag *diag);
/* Our address of a connection; false with errno. */
bool sock_local(int fd, struct ip_addr *addr);
int sock_error(int fd); /* the pending errno of the socket, 0 if none */
const char *sock_format(const struct ip_addr *addr, uint16_t port,
			char buf[SOCK_TEXT_SIZE]); /* "ADDRESS port N" */

#endif /* SAV_SOCK_H */
