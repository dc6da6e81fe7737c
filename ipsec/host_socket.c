/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ipsec/host_impl.h"
#include "lib/mem.h"

#define MARKER 4	  /* bytes of the non-ESP marker (RFC 3948 2.2) */
#define PACKETS_MAX 64	  /* of one socket in one turn */
#define DATAGRAM_MAX 65536
#define TELL_MS 60000
#define HELD_MAX 1024 /* datagrams; more are sent at once */

struct host_held {
	struct host_held *next;
	struct ike_path path;
	uint64_t after[HOST_DATAPATHS]; /* what was told of each before it */
	uint64_t since_ms;
	size_t len;
	uint8_t data[];
};

static int find(const struct host *host, uint32_t link, const struct ike_endpoint *local)
{
	for (unsigned i = 0; i < host->n_sockets; i++)
		if (host->sockets[i].link == link && host->sockets[i].local.addr.family == local->addr.family &&
		    host->sockets[i].local.port == local->port)
			return (int)i;
	return -1;
}

void host_socket_add(struct host *host, const struct proc_socket *socket, int fd)
{
	int i = find(host, socket->link, &socket->local);

	if (i >= 0)
		close(host->sockets[i].fd);
	else if (host->n_sockets == HOST_SOCKETS_MAX) {
		close(fd);
		host_log(host, "more than %u sockets: a link is not served", HOST_SOCKETS_MAX);
		return;
	} else {
		i = (int)host->n_sockets++;
	}
	host->sockets[i] = (struct host_socket){ fd, socket->link, socket->local, socket->kernel };
	if (socket->local.port == IKE_NATT_PORT)
		host_children_switch(host, socket->link, socket->kernel);
	/* the link may have had none for a while; without a change this does nothing */
	ike_engine_link_moved(host->engine, socket->link, &socket->local.addr, host->now_ms);
}

bool host_socket_is_kernel(const struct host *host, uint32_t link)
{
	for (unsigned i = 0; i < host->n_sockets; i++)
		if (host->sockets[i].link == link)
			return host->sockets[i].kernel;
	return false;
}

void host_socket_gone(struct host *host, const struct proc_socket *socket)
{
	for (unsigned i = 0; i < host->n_sockets;)
		if (host->sockets[i].link == socket->link &&
		    host->sockets[i].local.addr.family == socket->local.addr.family) {
			close(host->sockets[i].fd);
			host->sockets[i] = host->sockets[--host->n_sockets];
		} else {
			i++;
		}
}

/* ---- addresses as the kernel has them */

static socklen_t to_sockaddr(const struct ike_endpoint *e, struct sockaddr_storage *out)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)out;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;

	memset(out, 0, sizeof(*out));
	if (e->addr.family == IP_V4) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(e->port);
		ip_to_bytes(e->addr.v, IP_V4, (uint8_t *)&v4->sin_addr);
		return sizeof(*v4);
	}
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(e->port);
	ip_to_bytes(e->addr.v, IP_V6, v6->sin6_addr.s6_addr);
	return sizeof(*v6);
}

static struct ike_endpoint from_sockaddr(const struct sockaddr_storage *from)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)from;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)from;
	struct ike_endpoint e = { .addr = { .family = from->ss_family == AF_INET6 ? IP_V6 : IP_V4 } };

	if (from->ss_family == AF_INET6) {
		e.addr.v = ip_from_bytes(v6->sin6_addr.s6_addr, IP_V6);
		e.port = ntohs(v6->sin6_port);
	} else {
		e.addr.v = ip_from_bytes((const uint8_t *)&v4->sin_addr, IP_V4);
		e.port = ntohs(v4->sin_port);
	}
	return e;
}

/* ---- out */

static void send_now(struct host *host, const struct ike_path *path, const void *data, size_t len, bool keepalive)
{
	static uint8_t marker[MARKER];
	union {
		const void *in;
		void *out;
	} cast = { data }; /* sendmsg() does not write */
	struct iovec iov[2] = { { marker, sizeof(marker) }, { cast.out, len } };
	struct sockaddr_storage to;
	struct msghdr msg = { .msg_name = &to, .msg_iov = iov, .msg_iovlen = 2 };
	int i = find(host, path->link, &path->local);

	if (i < 0)
		return; /* the link has no address now */
	msg.msg_namelen = to_sockaddr(&path->remote, &to);
	/* on 4500 only, and a keepalive is a byte alone (RFC 3948 2.3) */
	if (keepalive || path->local.port != IKE_NATT_PORT) {
		msg.msg_iov = &iov[1];
		msg.msg_iovlen = 1;
	}
	/* what is lost is sent again by IKE's own timers */
	(void)sendmsg(host->sockets[i].fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static bool is_done(const struct host *host, const uint64_t after[HOST_DATAPATHS])
{
	for (unsigned i = 0; i < HOST_DATAPATHS; i++)
		if (host->done[i] < after[i])
			return false;
	return true;
}

void host_socket_send(struct host *host, const struct ike_path *path, const void *data, size_t len, bool keepalive)
{
	struct host_held *held, **at = &host->held;

	if (is_done(host, host->told) || keepalive || host->n_held == HELD_MAX) {
		send_now(host, path, data, len, keepalive);
		return;
	}
	held = mem_alloc(sizeof(*held) + len);
	held->path = *path;
	memcpy(held->after, host->told, sizeof(held->after));
	held->since_ms = host->now_ms;
	held->len = len;
	memcpy(held->data, data, len);
	while (*at)
		at = &(*at)->next;
	*at = held;
	host->n_held++;
}

void host_socket_hold(struct host *host, bool kernel)
{
	host->told[kernel]++;
}

static void held_take(struct host *host)
{
	struct host_held *held = host->held;

	host->held = held->next;
	host->n_held--;
	send_now(host, &held->path, held->data, held->len, false);
	free(held);
}

void host_socket_release(struct host *host, bool kernel)
{
	if (host->done[kernel] < host->told[kernel])
		host->done[kernel]++;
	while (host->held && is_done(host, host->held->after))
		held_take(host);
}

void host_socket_release_all(struct host *host, bool kernel)
{
	host->done[kernel] = host->told[kernel];
	while (host->held && is_done(host, host->held->after))
		held_take(host);
}

uint64_t host_socket_run(struct host *host)
{
	while (host->held && host->held->since_ms + HOST_HELD_MS <= host->now_ms)
		held_take(host);
	return host->held ? host->held->since_ms + HOST_HELD_MS : UINT64_MAX;
}

void host_socket_fini(struct host *host)
{
	while (host->held)
		held_take(host);
	for (unsigned i = 0; i < host->n_sockets; i++)
		close(host->sockets[i].fd);
}

/* ---- in */

/* Drafts of NAT traversal put ESP on port 500 behind eight zero bytes; RFC 3947
 * has nothing of it. Where IKE stands, that is an initiator's SPI of zero. */
static void old_marker(struct host *host, const struct ike_path *path)
{
	char text[IKE_ENDPOINT_TEXT];

	if (host->told_old_marker_ms && host->told_old_marker_ms + TELL_MS > host->now_ms)
		return;
	host->told_old_marker_ms = host->now_ms;
	host_log(host, "%s sends ESP with the non-IKE marker of a draft of NAT traversal to port 500: it is not served; "
		       "the peer needs RFC 3947 or IKEv2", ike_endpoint_format(&path->remote, text));
}

static void packet(struct host *host, const struct ike_path *path, uint8_t *data, size_t len)
{
	static const uint8_t zero[IKE_SPI_SIZE];

	if (path->local.port == IKE_NATT_PORT) {
		/* a keepalive, or ESP: nothing for us */
		if (len < MARKER || memcmp(data, zero, MARKER) != 0)
			return;
		data += MARKER;
		len -= MARKER;
	} else if (len >= IKE_SPI_SIZE && memcmp(data, zero, IKE_SPI_SIZE) == 0) {
		old_marker(host, path);
		return;
	}
	ike_engine_packet(host->engine, path, data, len, host->now_ms);
}

void host_socket_read(struct host *host, unsigned i)
{
	for (unsigned n = 0; n < PACKETS_MAX; n++) {
		struct sockaddr_storage from = { 0 };
		socklen_t from_len = sizeof(from);
		ssize_t len = recvfrom(host->sockets[i].fd, host->buffer, DATAGRAM_MAX, MSG_DONTWAIT,
				       (struct sockaddr *)&from, &from_len);
		struct ike_path path = { host->sockets[i].link, host->sockets[i].local, from_sockaddr(&from) };

		if (len < 0)
			return;
		/* nobody sends from there; an answer would go nowhere or to everybody */
		if (path.remote.port != 0 && path.remote.addr.v != 0)
			packet(host, &path, host->buffer, (size_t)len);
	}
}
