/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/radius/radius_net_packet.h"

#include "lib/mem.h"
#include "lib/sock.h"

#define BUFFER_BYTES (8 << 20) /* as far as net.core.rmem_max allows */
#define BATCH	     32
#define TURN_BATCHES 4
#define RETRY_S	     5
#define CONTROL_SIZE 128

struct radius_sock {
	struct radius_sock *next;
	struct radius_net *net;
	struct config_radius_listen key;
	int fd;
	struct turn turn;
	bool wanted;
	bool client; /* for questions, not of `radius listen` */
};

struct radius_net {
	struct event_loop *loop;
	struct turns *turns;
	struct radius_net_ops ops;
	void *ctx;
	const struct config_radius *cfg;
	struct radius_sock *socks;
	struct radius_sock *client[IP_FAMILIES];
	struct event *t_retry;
};

struct radius_net *radius_net_new(struct event_loop *loop, struct turns *turns,
				  const struct radius_net_ops *ops, void *ctx)
{
	struct radius_net *net = mem_alloc(sizeof(*net));

	net->loop = loop;
	net->turns = turns;
	net->ops = *ops;
	net->ctx = ctx;
	return net;
}

static void sock_free(struct radius_sock *s)
{
	turn_off(&s->turn);
	close(s->fd);
	free(s);
}

void radius_net_free(struct radius_net *net)
{
	struct radius_sock *s;

	if (!net)
		return;
	EVENT_OFF(net->t_retry);
	while ((s = net->socks)) {
		net->socks = s->next;
		sock_free(s);
	}
	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++) {
		if (net->client[family])
			sock_free(net->client[family]);
	}
	free(net);
}

/* ---- reading ---- */

/* One call for a batch: at thousands of datagrams a second it shows. */
struct batch {
	uint8_t data[BATCH][RADIUS_PACKET_MAX];
	struct sockaddr_storage from[BATCH];
	_Alignas(struct cmsghdr) uint8_t control[BATCH][CONTROL_SIZE];
	struct iovec iov[BATCH];
	struct mmsghdr msg[BATCH];
};

static void batch_init(struct batch *b)
{
	memset(b->msg, 0, sizeof(b->msg));
	for (size_t i = 0; i < BATCH; i++) {
		b->iov[i] = (struct iovec){ b->data[i], sizeof(b->data[i]) };
		b->msg[i].msg_hdr = (struct msghdr){
			.msg_name = &b->from[i],
			.msg_namelen = sizeof(b->from[i]),
			.msg_iov = &b->iov[i],
			.msg_iovlen = 1,
			.msg_control = b->control[i],
			.msg_controllen = sizeof(b->control[i]),
		};
	}
}

static void read_control(struct msghdr *msg, struct radius_source *from)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			from->local.v = ntohl(info.ipi_addr.s_addr);
			from->local.family = IP_V4;
			from->ifindex = (uint32_t)info.ipi_ifindex;
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			from->local.v = ip_from_bytes(info.ipi6_addr.s6_addr, IP_V6);
			from->local.family = IP_V6;
			from->ifindex = info.ipi6_ifindex;
		}
	}
}

static void take_one(struct radius_sock *s, const struct batch *b, size_t i)
{
	struct radius_source from = { .socket = s, .dynamic = s->key.dynamic };
	struct msghdr msg = b->msg[i].msg_hdr;

	if (msg.msg_flags & MSG_TRUNC) /* longer than RADIUS can be */
		return;
	sock_from_sockaddr(&b->from[i], &from.addr, &from.port);
	if (s->client) {
		s->net->ops.answer(s->net->ctx, &from.addr, from.port, b->data[i],
				   b->msg[i].msg_len);
		return;
	}
	read_control(&msg, &from);
	s->net->ops.request(s->net->ctx, &from, b->data[i], b->msg[i].msg_len);
}

static void on_turn(void *arg)
{
	static struct batch b;
	struct radius_sock *s = arg;
	int n = BATCH;

	for (int k = 0; k < TURN_BATCHES && n == BATCH; k++) {
		batch_init(&b);
		n = recvmmsg(s->fd, b.msg, BATCH, MSG_DONTWAIT, NULL);
		/* a port that nobody listens on shows as an error here: no matter */
		for (int i = 0; i < n; i++)
			take_one(s, &b, (size_t)i);
	}
	if (n == BATCH)
		turn_again(&s->turn);
	else
		turn_want(&s->turn);
}

static struct radius_sock *sock_new(struct radius_net *net,
				    const struct config_radius_listen *key,
				    struct diag *diag)
{
	int fd = sock_udp(&key->addr, key->port, BUFFER_BYTES, diag);
	struct radius_sock *s;

	if (fd < 0)
		return NULL;
	s = mem_alloc(sizeof(*s));
	s->net = net;
	s->key = *key;
	s->fd = fd;
	turn_init(&s->turn, net->turns, fd, on_turn, s);
	turn_want(&s->turn);
	return s;
}

/* ---- listening ---- */

static bool same_listen(const struct config_radius_listen *a,
			const struct config_radius_listen *b)
{
	return a->dynamic == b->dynamic && a->port == b->port &&
	       ip_addr_equal(&a->addr, &b->addr);
}

static struct radius_sock *find(const struct radius_net *net,
				const struct config_radius_listen *l)
{
	struct radius_sock *s = net->socks;

	while (s && !same_listen(&s->key, l))
		s = s->next;
	return s;
}

bool radius_net_is_open(const struct radius_net *net, const struct config_radius_listen *l)
{
	return find(net, l) != NULL;
}

static void on_retry(struct event *t)
{
	struct radius_net *net = EVENT_ARG(t);

	radius_net_listen(net, net->cfg);
}

static bool open_one(struct radius_net *net, const struct config_radius_listen *l)
{
	struct radius_sock *s = find(net, l);
	char text[400];
	struct diag diag;

	if (!s) {
		s = sock_new(net, l, &diag);
		if (!s) {
			snprintf(text, sizeof(text),
				 "radius listen: %s; trying again every %d s", diag.text,
				 RETRY_S);
			net->ops.note(net->ctx, true, text);
			return false;
		}
		s->next = net->socks;
		net->socks = s;
	}
	s->wanted = true;
	return true;
}

static void close_others(struct radius_net *net, const struct config_radius *cfg)
{
	struct radius_sock **at = &net->socks, *s;

	for (s = net->socks; s; s = s->next) {
		s->wanted = false;
		for (size_t i = 0; i < cfg->n_listens; i++)
			s->wanted = s->wanted || same_listen(&s->key, &cfg->listens[i]);
	}
	while ((s = *at)) {
		if (s->wanted) {
			at = &s->next;
			continue;
		}
		*at = s->next;
		sock_free(s);
	}
}

void radius_net_listen(struct radius_net *net, const struct config_radius *cfg)
{
	bool failed = false;

	net->cfg = cfg;
	close_others(net, cfg); /* first: a port may go from one to the other */
	for (size_t i = 0; i < cfg->n_listens; i++)
		failed = !open_one(net, &cfg->listens[i]) || failed;
	EVENT_OFF(net->t_retry);
	if (failed)
		event_add_timer(net->loop, on_retry, net, RETRY_S, &net->t_retry);
}

/* ---- sending ---- */

static void put_control(struct msghdr *msg, const struct radius_source *to)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);

	if (to->local.family == IP_V4) {
		struct in_pktinfo info = { .ipi_spec_dst.s_addr =
						   htonl((uint32_t)to->local.v) };

		c->cmsg_level = IPPROTO_IP;
		c->cmsg_type = IP_PKTINFO;
		c->cmsg_len = CMSG_LEN(sizeof(info));
		memcpy(CMSG_DATA(c), &info, sizeof(info));
		msg->msg_controllen = CMSG_SPACE(sizeof(info));
	} else {
		struct in6_pktinfo info = { .ipi6_ifindex = to->ifindex };

		ip_to_bytes(to->local.v, IP_V6, info.ipi6_addr.s6_addr);
		c->cmsg_level = IPPROTO_IPV6;
		c->cmsg_type = IPV6_PKTINFO;
		c->cmsg_len = CMSG_LEN(sizeof(info));
		memcpy(CMSG_DATA(c), &info, sizeof(info));
		msg->msg_controllen = CMSG_SPACE(sizeof(info));
	}
}

void radius_net_send(struct radius_net *net, const struct radius_source *to,
		     const void *data, size_t len)
{
	_Alignas(struct cmsghdr) uint8_t control[CONTROL_SIZE] = { 0 };
	struct iovec iov = { .iov_len = len };
	struct radius_sock *s = net->socks;
	struct sockaddr_storage ss;
	struct msghdr msg = { .msg_name = &ss,
			      .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control,
			      .msg_controllen = sizeof(control) };

	while (s && s != to->socket)
		s = s->next;
	if (!s)
		return;
	memcpy(&iov.iov_base, &data, sizeof(data)); /* which only is read */
	msg.msg_namelen = sock_to_sockaddr(&to->addr, to->port, &ss);
	put_control(&msg, to);
	/* lost answers are asked for again, whoever lost them */
	(void)sendmsg(s->fd, &msg, MSG_DONTWAIT);
}

void radius_net_ask(struct radius_net *net, const struct ip_addr *to, uint16_t port,
		    const void *data, size_t len)
{
	const struct config_radius_listen any = { .addr = { .v = 0, .family = to->family } };
	struct radius_sock **client = &net->client[to->family];
	struct sockaddr_storage ss;
	struct diag diag;
	socklen_t size;

	if (!*client) {
		*client = sock_new(net, &any, &diag);
		if (!*client) {
			net->ops.note(net->ctx, true, diag.text);
			return;
		}
		(*client)->client = true;
	}
	size = sock_to_sockaddr(to, port, &ss);
	(void)sendto((*client)->fd, data, len, MSG_DONTWAIT, (struct sockaddr *)&ss, size);
}
