/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "ipsec/esp/esp_sock.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/errqueue.h>
#include <linux/filter.h>

#include "lib/mem.h"

/* A round trip of 10 ms at 5 Gbit/s; the kernel gives what it allows. */
#define BUFFER_BYTES (7 << 20)

#define CONTROL_SIZE (CMSG_SPACE(sizeof(int)) * 2)

union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

struct esp_receive {
	struct mmsghdr messages[ESP_BATCH];
	struct iovec iov[ESP_BATCH];
	union address from[ESP_BATCH];
	uint8_t control[ESP_BATCH][CONTROL_SIZE] __attribute__((aligned(8)));
	uint8_t *bytes;
};

static void set_option(int fd, int level, int name, int value)
{
	/* an old kernel lacks some; what is missing is done without */
	(void)setsockopt(fd, level, name, &value, sizeof(value));
}

#define MTU_DEFAULT 1500

static void set_fragmenting(struct esp_sock *sock, bool fragmenting)
{
	if (sock->family == IP_V4)
		set_option(sock->fd, IPPROTO_IP, IP_MTU_DISCOVER, fragmenting ? IP_PMTUDISC_DONT : IP_PMTUDISC_DO);
	else
		set_option(sock->fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER,
			   fragmenting ? IPV6_PMTUDISC_DONT : IPV6_PMTUDISC_DO);
	sock->fragmenting = fragmenting;
}

static int system_sendmmsg(int fd, struct mmsghdr *messages, unsigned int n, int flags)
{
	return sendmmsg(fd, messages, n, flags);
}

struct esp_sock *esp_sock_new(const struct esp_sock_conf *conf)
{
	struct esp_sock *sock = mem_alloc(sizeof(*sock));
	int fd = conf->fd;

	*sock = (struct esp_sock){
		.fd = fd,
		.link = conf->link,
		.family = conf->family,
		.raw = conf->raw,
		.segment = !conf->raw,
		.mtu = conf->mtu ? conf->mtu : MTU_DEFAULT,
		.sendmmsg = system_sendmmsg,
	};
	set_option(fd, SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_BYTES);
	set_option(fd, SOL_SOCKET, SO_SNDBUFFORCE, BUFFER_BYTES);
	set_option(fd, SOL_SOCKET, SO_RCVBUF, BUFFER_BYTES);
	set_option(fd, SOL_SOCKET, SO_SNDBUF, BUFFER_BYTES);
	if (!conf->raw)
		set_option(fd, IPPROTO_UDP, UDP_GRO, 1);
	if (conf->family == IP_V4) {
		set_option(fd, IPPROTO_IP, IP_RECVTOS, 1);
		set_option(fd, IPPROTO_IP, IP_RECVERR, 1);
	} else {
		set_option(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
		set_option(fd, IPPROTO_IPV6, IPV6_RECVERR, 1);
	}
	set_fragmenting(sock, false);
	return sock;
}

int esp_sock_spread(int fd, unsigned int others, unsigned int workers)
{
	/* the program sees the UDP payload */
	struct sock_filter program[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 5, 0, 5),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 3, 0),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, workers - 1),
		BPF_STMT(BPF_ALU | BPF_ADD | BPF_K, others),
		BPF_STMT(BPF_RET | BPF_A, 0),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog fprog = { sizeof(program) / sizeof(program[0]), program };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &fprog, sizeof(fprog));
}

int esp_sock_only(int fd, enum ip_family family, unsigned int worker, unsigned int workers)
{
	/* a raw IPv4 socket's packets begin with the IP header, of which X is the
	 * length; an IPv6 one's do not */
	struct sock_filter program[] = {
		family == IP_V4 ? (struct sock_filter)BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0) :
				  (struct sock_filter)BPF_STMT(BPF_LDX | BPF_W | BPF_IMM, 0),
		BPF_STMT(BPF_LD | BPF_W | BPF_IND, 0),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, workers - 1),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, worker, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog fprog = { sizeof(program) / sizeof(program[0]), program };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &fprog, sizeof(fprog));
}

void esp_sock_free(struct esp_sock *sock)
{
	if (!sock)
		return;
	close(sock->fd);
	free(sock);
}

/* ---- in */

struct esp_receive *esp_receive_new(void)
{
	struct esp_receive *r = mem_alloc(sizeof(*r));

	r->bytes = mem_calloc(ESP_BATCH, ESP_RECEIVE_MAX);
	for (unsigned int i = 0; i < ESP_BATCH; i++) {
		r->iov[i] = (struct iovec){ r->bytes + (size_t)i * ESP_RECEIVE_MAX, ESP_RECEIVE_MAX };
		r->messages[i].msg_hdr.msg_iov = &r->iov[i];
		r->messages[i].msg_hdr.msg_iovlen = 1;
		r->messages[i].msg_hdr.msg_name = &r->from[i];
		r->messages[i].msg_hdr.msg_control = r->control[i];
	}
	return r;
}

void esp_receive_free(struct esp_receive *r)
{
	if (!r)
		return;
	free(r->bytes);
	free(r);
}

static struct ike_endpoint endpoint_of(const union address *from)
{
	struct ike_endpoint e = { 0 };

	if (from->any.sa_family == AF_INET) {
		e.addr = (struct ip_addr){ ntohl(from->in.sin_addr.s_addr), IP_V4 };
		e.port = ntohs(from->in.sin_port);
	} else {
		e.addr = (struct ip_addr){ ip_from_bytes(from->in6.sin6_addr.s6_addr, IP_V6), IP_V6 };
		e.port = ntohs(from->in6.sin6_port);
	}
	return e;
}

static void read_control(struct msghdr *msg, struct esp_train *train)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		int value = *CMSG_DATA(c); /* IP_TOS is one byte */

		if (c->cmsg_len >= CMSG_LEN(sizeof(value)))
			memcpy(&value, CMSG_DATA(c), sizeof(value));
		if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO && value > 0 && value <= UINT16_MAX)
			train->size = (uint16_t)value;
		else if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TOS) ||
			 (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_TCLASS))
			train->tos = (uint8_t)value;
	}
}

/* A raw IPv4 socket gives the IP header too (raw(7)); an IPv6 one does not. */
static void strip_header(struct esp_train *train)
{
	size_t header = train->len > 0 ? (size_t)(train->data[0] & 0x0f) * 4 : 0;

	if (header > train->len)
		header = train->len;
	train->data += header;
	train->len -= header;
}

unsigned int esp_sock_receive(struct esp_sock *sock, struct esp_receive *r, struct esp_train *out)
{
	int n;

	for (unsigned int i = 0; i < ESP_BATCH; i++) {
		r->messages[i].msg_hdr.msg_namelen = sizeof(r->from[i]);
		r->messages[i].msg_hdr.msg_controllen = CONTROL_SIZE;
	}
	n = recvmmsg(sock->fd, r->messages, ESP_BATCH, MSG_DONTWAIT, NULL);
	for (int i = 0; i < n; i++) {
		out[i] = (struct esp_train){
			.data = r->iov[i].iov_base,
			.len = r->messages[i].msg_len,
			.size = UINT16_MAX,
			.peer = endpoint_of(&r->from[i]),
		};
		read_control(&r->messages[i].msg_hdr, &out[i]);
		if (sock->raw) {
			out[i].peer.port = 0;
			if (sock->family == IP_V4)
				strip_header(&out[i]);
		}
	}
	return n < 0 ? 0 : (unsigned int)n;
}

/* ---- out */

static socklen_t address_of(const struct ike_endpoint *to, bool raw, union address *out)
{
	uint16_t port = raw ? 0 : htons(to->port);

	*out = (union address){ 0 };
	if (to->addr.family == IP_V4) {
		out->in.sin_family = AF_INET;
		out->in.sin_addr.s_addr = htonl((uint32_t)to->addr.v);
		out->in.sin_port = port;
		return sizeof(out->in);
	}
	out->in6.sin6_family = AF_INET6;
	ip_to_bytes(to->addr.v, IP_V6, out->in6.sin6_addr.s6_addr);
	out->in6.sin6_port = port;
	return sizeof(out->in6);
}

struct send_batch {
	struct mmsghdr messages[ESP_BATCH];
	struct iovec iov[ESP_BATCH];
	union address to[ESP_BATCH];
	uint8_t control[ESP_BATCH][CONTROL_SIZE] __attribute__((aligned(8)));
};

static struct cmsghdr *put_control(struct msghdr *msg, struct cmsghdr *at, int level, int type, const void *value,
				   size_t len)
{
	at->cmsg_level = level;
	at->cmsg_type = type;
	at->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(at), value, len);
	msg->msg_controllen += CMSG_SPACE(len);
	return (struct cmsghdr *)(void *)((uint8_t *)at + CMSG_SPACE(len));
}

static void prepare(const struct esp_sock *sock, struct send_batch *b, unsigned int i, const struct esp_train *train)
{
	struct msghdr *msg = &b->messages[i].msg_hdr;
	struct cmsghdr *at = (struct cmsghdr *)(void *)b->control[i];
	int tos = train->tos;

	b->iov[i] = (struct iovec){ train->data, train->len };
	*msg = (struct msghdr){ .msg_name = &b->to[i], .msg_iov = &b->iov[i], .msg_iovlen = 1 };
	msg->msg_namelen = address_of(&train->peer, sock->raw, &b->to[i]);
	memset(b->control[i], 0, CONTROL_SIZE);
	if (tos != 0 && sock->family == IP_V4)
		at = put_control(msg, at, IPPROTO_IP, IP_TOS, &tos, sizeof(tos));
	else if (tos != 0)
		at = put_control(msg, at, IPPROTO_IPV6, IPV6_TCLASS, &tos, sizeof(tos));
	if (train->len > train->size)
		put_control(msg, at, IPPROTO_UDP, UDP_SEGMENT, &train->size, sizeof(train->size));
	msg->msg_control = msg->msg_controllen ? b->control[i] : NULL;
}

static uint64_t datagrams(const struct esp_train *train)
{
	return train->size == 0 ? 1 : (train->len + train->size - 1) / train->size;
}

/* One message: what became of its datagrams. */
static void count(struct esp_sock *sock, uint64_t n, int error)
{
	if (error == 0) {
		sock->sent += n;
	} else if (error == EAGAIN || error == ENOBUFS) {
		sock->dropped += n;
	} else {
		sock->refused += n;
		sock->last_error = error;
	}
}

/* An error that an earlier packet caused (an ICMP message on it) is told to the
 * next send in its place, once: then this one has its turn. */
static int send_now(struct esp_sock *sock, struct mmsghdr *messages, unsigned int n)
{
	int sent = sock->sendmmsg(sock->fd, messages, n, MSG_DONTWAIT);

	if (sent < 0 && errno != EAGAIN && errno != ENOBUFS)
		sent = sock->sendmmsg(sock->fd, messages, n, MSG_DONTWAIT);
	return sent;
}

/* True: all are gone. */
static bool send_singly(struct esp_sock *sock, const struct esp_train *train)
{
	struct send_batch b;
	bool all = true;

	for (size_t at = 0; at < train->len; at += train->size) {
		struct esp_train one = *train;
		int error;

		one.data += at;
		one.len = train->len - at < train->size ? train->len - at : train->size;
		prepare(sock, &b, 0, &one);
		error = send_now(sock, b.messages, 1) > 0 ? 0 : errno;
		if (error == EMSGSIZE && one.len == train->size) {
			/* so it is with all the others */
			one.len = train->len - at;
			count(sock, datagrams(&one), error);
			return false;
		}
		count(sock, 1, error);
		all = all && error == 0;
	}
	return all;
}

/* The first message of a batch failed. */
static void deal_with_error(struct esp_sock *sock, const struct esp_train *train, int error)
{
	if (train->len <= train->size || error == EAGAIN || error == ENOBUFS) {
		count(sock, datagrams(train), error);
		return;
	}
	/* EIO: no checksum offload below. EINVAL: before Linux 4.18, or longer than the
	 * path takes, which shows again with each datagram; that and others may be true
	 * of this place only. */
	if (error == EIO)
		sock->segment = false;
	if (send_singly(sock, train) && error == EINVAL)
		sock->segment = false;
}

static bool is_single(const struct esp_sock *sock, const struct esp_train *train)
{
	return (!sock->segment || train->fragment) && train->len > train->size;
}

void esp_sock_send(struct esp_sock *sock, const struct esp_train *trains, unsigned int n)
{
	struct send_batch b;
	unsigned int done = 0;

	while (done < n) {
		unsigned int ready = 0;
		int sent;

		if (trains[done].fragment != sock->fragmenting)
			set_fragmenting(sock, trains[done].fragment);
		if (is_single(sock, &trains[done])) {
			send_singly(sock, &trains[done++]);
			continue;
		}
		while (ready < ESP_BATCH && done + ready < n && trains[done + ready].fragment == sock->fragmenting &&
		       !is_single(sock, &trains[done + ready])) {
			prepare(sock, &b, ready, &trains[done + ready]);
			ready++;
		}
		sent = send_now(sock, b.messages, ready);
		if (sent <= 0) {
			deal_with_error(sock, &trains[done++], errno);
			continue;
		}
		for (int i = 0; i < sent; i++)
			count(sock, datagrams(&trains[done++]), 0);
	}
}

/* ---- errors */

static const struct sock_extended_err *find_error(struct msghdr *msg)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c))
		if (((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) ||
		     (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR)) &&
		    c->cmsg_len >= CMSG_LEN(sizeof(struct sock_extended_err)))
			return (const struct sock_extended_err *)(const void *)CMSG_DATA(c);
	return NULL;
}

int esp_sock_error(struct esp_sock *sock, struct ip_addr *peer, uint32_t *mtu)
{
	uint8_t control[512] __attribute__((aligned(8)));
	union address from = { 0 };
	struct msghdr msg = { .msg_name = &from,
			      .msg_namelen = sizeof(from),
			      .msg_control = control,
			      .msg_controllen = sizeof(control) };
	const struct sock_extended_err *error;

	if (recvmsg(sock->fd, &msg, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
		return -1;
	error = find_error(&msg);
	/* the kernel's own word on our packet; what it was told by others it has
	 * looked at and says with the next one */
	if (!error || error->ee_errno != EMSGSIZE || error->ee_origin != SO_EE_ORIGIN_LOCAL || error->ee_info == 0 ||
	    msg.msg_namelen == 0)
		return 0;
	*peer = endpoint_of(&from).addr;
	*mtu = error->ee_info;
	return 1;
}
