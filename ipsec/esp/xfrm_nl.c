/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec/esp/xfrm_nl.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/xfrm.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

#include "ipsec/esp/xfrm_impl_nl.h"
#include "ipsec/ike/ts.h"
#include "lib/mem.h"

int xfrm_ask(struct xfrm *x, struct nl_msg *msg)
{
	int n = nl_send_auto(x->ask, msg);

	crypto_wipe(nlmsg_data(nlmsg_hdr(msg)), (size_t)nlmsg_datalen(nlmsg_hdr(msg)));
	nlmsg_free(msg);
	if (n < 0)
		return -EIO;
	x->error = 0;
	return nl_wait_for_ack(x->ask) < 0 && x->error == 0 ? -EIO : x->error;
}

int xfrm_ask_all(struct xfrm *x, struct nl_msg *msg)
{
	int n = nl_send_auto(x->ask, msg);

	nlmsg_free(msg);
	x->error = 0;
	n = n < 0 ? n : nl_recvmsgs_default(x->ask);
	return n < 0 && x->error == 0 ? -EIO : x->error;
}

static int failed(struct diag *diag, const char *what, int error)
{
	if (error == -EPROTONOSUPPORT || error == -ENOSYS || error == -ENOENT || error == -EOPNOTSUPP)
		return diag_set(diag, "%s: the kernel has no ESP or not this algorithm (modules esp4, esp6); "
				      "\"datapath user\" does without",
				what);
	return diag_set(diag, "%s: %s", what, strerror(-error));
}

int xfrm_state_del(struct xfrm *x, const struct xfrm_child *c, bool out)
{
	return xfrm_ask(x, xfrm_msg_id(c, out, XFRM_MSG_DELSA));
}

/* ---- tunnels */

static struct xfrm_tunnel **tunnel_place(const struct xfrm *x, uint32_t number)
{
	struct xfrm_tunnel **at = (struct xfrm_tunnel **)(uintptr_t)&x->tunnels[number % XFRM_BUCKETS];

	while (*at && (*at)->number != number)
		at = &(*at)->next;
	return at;
}

static struct xfrm_tunnel *tunnel_get(struct xfrm *x, uint32_t number)
{
	struct xfrm_tunnel **at = tunnel_place(x, number);

	if (!*at) {
		*at = mem_alloc(sizeof(**at));
		(*at)->number = number;
	}
	return *at;
}

static void tunnel_drop_if_empty(struct xfrm *x, struct xfrm_tunnel *t)
{
	struct xfrm_tunnel **at = tunnel_place(x, t->number);

	if (t->children || t->trap)
		return;
	*at = t->next;
	free(t);
}

/* ---- policies */

static int policies_failed(struct diag *diag, int error)
{
	if (error == -ERANGE)
		return diag_set(diag, "the kernel's policies have one port or all, no ranges of ports: narrow the selectors, "
				      "or \"datapath user\"");
	if (error == -E2BIG)
		return diag_set(diag, "its selectors would be thousands of the kernel's policies, which have prefixes and no ranges: "
				      "narrow the selectors, or \"datapath user\"");
	return failed(diag, "policy", error);
}

/* ---- traps */

static int trap_set(struct xfrm *x, struct xfrm_tunnel *t)
{
	if (!t->trap || t->trap_set)
		return 0;
	t->trap_set = true;
	x->n_waiting--;
	return xfrm_policies_claim(x, t->trap);
}

/* ---- children */

static struct xfrm_child **find(struct xfrm *x, uint32_t spi_in)
{
	struct xfrm_child **at = &x->children[spi_in % XFRM_BUCKETS];

	while (*at && (*at)->conf.spi_in != spi_in)
		at = &(*at)->next;
	return at;
}

static struct xfrm_child *child_new(struct xfrm *x, const struct xfrm_tunnel *t, const struct esp_sa_conf *conf,
				    const struct xfrm_way *way)
{
	struct xfrm_child *c = mem_alloc(sizeof(*c));

	c->pair = xfrm_pair_get(x, t, conf);
	c->reqid = c->pair->reqid;
	c->conf = *conf;
	c->conf.local_ts = c->pair->local_ts;
	c->conf.remote_ts = c->pair->remote_ts;
	c->conf.in = c->conf.out = NULL;
	c->way = *way;
	if (conf->in) {
		c->keys = crypto_locked_alloc(sizeof(*c->keys));
		c->keys->in = *conf->in;
		c->keys->out = *conf->out;
	}
	return c;
}

static void child_free(struct xfrm *x, struct xfrm_child *c)
{
	crypto_locked_free(c->keys, sizeof(*c->keys));
	xfrm_pair_put(x, c->pair);
	free(c);
}

static int start_sending(struct xfrm *x, struct xfrm_child *c, struct diag *diag)
{
	int ret = xfrm_ask(x, xfrm_msg_state(c, true, XFRM_MSG_NEWSA));

	if (ret < 0)
		return failed(diag, "outbound SA", ret);
	c->sending = true;
	ret = xfrm_policies_claim(x, c);
	if (ret < 0)
		return policies_failed(diag, ret);
	xfrm_orphans_succeed(x, c, false);
	return 0;
}

int xfrm_add(struct xfrm *x, const struct esp_sa_conf *conf, const struct xfrm_way *way, bool sending,
	     struct diag *diag)
{
	struct xfrm_tunnel *t;
	struct xfrm_child *c, **at;
	int ret;

	if (*find(x, conf->spi_in))
		return diag_set(diag, "SPI %08x is taken", conf->spi_in);
	if (!xfrm_msg_has_cipher(&conf->suite))
		return diag_set(diag, "the kernel back end does not have this cipher");
	t = tunnel_get(x, conf->tunnel);
	c = child_new(x, t, conf, way);
	ret = xfrm_ask(x, xfrm_msg_state(c, false, XFRM_MSG_NEWSA));
	if (ret < 0) {
		child_free(x, c);
		tunnel_drop_if_empty(x, t);
		return failed(diag, "inbound SA", ret);
	}
	at = find(x, conf->spi_in);
	c->next = NULL;
	*at = c;
	c->next_tunnel = t->children;
	t->children = c;
	if (sending && start_sending(x, c, diag) < 0) {
		xfrm_del(x, conf->spi_in);
		return -1;
	}
	return 0;
}

int xfrm_use(struct xfrm *x, uint32_t spi_in, struct diag *diag)
{
	struct xfrm_child *c = *find(x, spi_in);

	if (!c)
		return diag_set(diag, "there is no SA %08x", spi_in);
	return c->sending ? 0 : start_sending(x, c, diag);
}

static void stop_sending(struct xfrm *x, struct xfrm_tunnel *t, struct xfrm_child *c)
{
	if (!c->sending)
		return;
	c->sending = false;
	trap_set(x, t); /* before: not for a moment is there nothing */
	xfrm_policies_leave(x, c);
	(void)xfrm_state_del(x, c, true);
}

void xfrm_unuse(struct xfrm *x, uint32_t spi_in)
{
	struct xfrm_child *c = *find(x, spi_in);

	if (c)
		stop_sending(x, *tunnel_place(x, c->conf.tunnel), c);
}

static bool lists_overlap(const struct ike_ts_list *a, const struct ike_ts_list *b)
{
	struct ike_ts both;

	for (unsigned int i = 0; i < a->n; i++)
		for (unsigned int k = 0; k < b->n; k++)
			if (ike_ts_intersect(&a->list[i], &b->list[k], &both))
				return true;
	return false;
}

bool xfrm_overlap(struct xfrm *x, uint32_t spi_in, uint32_t other_spi_in)
{
	const struct xfrm_child *a = *find(x, spi_in), *b = *find(x, other_spi_in);

	return a && b && a->conf.tunnel == b->conf.tunnel &&
	       (a->pair == b->pair || (lists_overlap(a->conf.local_ts, b->conf.local_ts) &&
				       lists_overlap(a->conf.remote_ts, b->conf.remote_ts)));
}

uint32_t xfrm_room(struct xfrm *x, uint32_t spi_in, uint32_t mtu)
{
	const struct xfrm_child *c = *find(x, spi_in);
	struct crypto_shape shape;
	uint32_t fixed, align;

	if (!c || crypto_suite_shape(&c->conf.suite, &shape) != 0)
		return 0;
	align = shape.block < 4 ? 4 : shape.block;
	fixed = (c->conf.path.local.addr.family == IP_V6 ? 40u : 20u) + (c->conf.path.encap ? 8u : 0) + ESP_HEADER + shape.iv +
		shape.icv;
	if (c->conf.transport || mtu < fixed + align)
		return 0;
	return mtu - fixed - (mtu - fixed) % align - ESP_TRAILER;
}

void xfrm_del(struct xfrm *x, uint32_t spi_in)
{
	struct xfrm_child **at = find(x, spi_in), *c = *at;
	struct xfrm_tunnel *t;

	if (!c)
		return;
	t = *tunnel_place(x, c->conf.tunnel);
	stop_sending(x, t, c);
	(void)xfrm_state_del(x, c, false);
	*at = c->next;
	for (at = &t->children; *at != c;)
		at = &(*at)->next_tunnel;
	*at = c->next_tunnel;
	child_free(x, c);
	tunnel_drop_if_empty(x, t);
}

/* ---- while there is no SA */

static void trap_drop(struct xfrm *x, struct xfrm_child *trap, bool was_set)
{
	if (was_set)
		xfrm_policies_leave(x, trap);
	child_free(x, trap);
}

int xfrm_trap(struct xfrm *x, const struct esp_sa_conf *conf, const struct xfrm_way *way, struct diag *diag)
{
	struct xfrm_tunnel *t = tunnel_get(x, conf->tunnel);
	struct xfrm_child *old = t->trap;
	bool was_set = t->trap_set;
	int ret = 0;

	if (old && !was_set)
		x->n_waiting--;
	t->trap = child_new(x, t, conf, way);
	t->trap->is_trap = true;
	t->trap_set = false;
	x->n_waiting++;
	if (!xfrm_orphans_carry(x, t->trap))
		ret = trap_set(x, t);
	/* the new one first: not for a moment is there none */
	if (old)
		trap_drop(x, old, was_set);
	if (t->trap_set)
		xfrm_orphans_succeed(x, t->trap, true);
	return ret < 0 ? policies_failed(diag, ret) : 0;
}

void xfrm_untrap(struct xfrm *x, uint32_t tunnel)
{
	struct xfrm_tunnel *t = *tunnel_place(x, tunnel);

	if (!t || !t->trap)
		return;
	if (!t->trap_set)
		x->n_waiting--;
	trap_drop(x, t->trap, t->trap_set);
	t->trap = NULL;
	t->trap_set = false;
	tunnel_drop_if_empty(x, t);
}

void xfrm_traps_set(struct xfrm *x, bool (*which)(const struct xfrm *x, const struct xfrm_child *trap))
{
	for (unsigned int i = 0; i < XFRM_BUCKETS && x->n_waiting > 0; i++)
		for (struct xfrm_tunnel *t = x->tunnels[i]; t; t = t->next)
			if (t->trap && !t->trap_set && which(x, t->trap))
				(void)trap_set(x, t);
}

/* ---- reading a state */

static void take_use(struct xfrm_use *use, struct nlmsghdr *h, const struct xfrm_usersa_info *info)
{
	struct nlattr *attr = nlmsg_find_attr(h, sizeof(*info), XFRMA_LASTUSED);

	use->packets = info->curlft.packets;
	use->bytes = info->curlft.bytes;
	use->last_s = attr && nla_len(attr) >= 8 ? nla_get_u64(attr) : info->curlft.use_time;
	use->replays = info->stats.replay + info->stats.replay_window;
	use->bad_icv = info->stats.integrity_failed;
}

static int on_answer(struct nl_msg *msg, void *arg)
{
	struct nlmsghdr *h = nlmsg_hdr(msg);
	struct xfrm *x = arg;

	if (x->found) {
		xfrm_orphan_take(x, msg);
		return NL_OK;
	}
	if (h->nlmsg_type != XFRM_MSG_NEWSA || nlmsg_datalen(h) < (int)sizeof(struct xfrm_usersa_info))
		return NL_OK;
	if (x->use)
		take_use(x->use, h, nlmsg_data(h));
	if (x->restored)
		xfrm_restore(x, h, nlmsg_data(h));
	return NL_OK;
}

int xfrm_state_get(struct xfrm *x, const struct xfrm_child *c, bool out)
{
	struct nl_msg *msg = xfrm_msg_id(c, out, XFRM_MSG_GETSA);

	nlmsg_hdr(msg)->nlmsg_flags = NLM_F_REQUEST;
	return xfrm_ask_all(x, msg);
}

int xfrm_query(struct xfrm *x, uint32_t spi_in, struct xfrm_use *in, struct xfrm_use *out)
{
	struct xfrm_child *c = *find(x, spi_in);
	int ret;

	*in = *out = (struct xfrm_use){ 0 };
	if (!c)
		return -1;
	x->use = in;
	ret = xfrm_state_get(x, c, false);
	x->use = out;
	if (ret >= 0 && c->sending)
		ret = xfrm_state_get(x, c, true);
	x->use = NULL;
	return ret < 0 ? -1 : 0;
}

int xfrm_move(struct xfrm *x, uint32_t spi_in, const struct esp_path *path, struct diag *diag)
{
	struct xfrm_child *c = *find(x, spi_in), old;
	int ret;

	if (!c)
		return diag_set(diag, "there is no SA %08x", spi_in);
	old = *c;
	c->conf.path = *path;
	ret = xfrm_child_move(x, &old, c);
	return ret < 0 ? failed(diag, "moving the SA", ret) : 0;
}

void xfrm_mark(struct xfrm *x, uint32_t tunnel, uint32_t mark)
{
	const struct xfrm_tunnel *t = *tunnel_place(x, tunnel);

	for (struct xfrm_child *c = t ? t->children : NULL; c; c = c->next_tunnel) {
		if (c->way.mark == mark)
			continue;
		c->way.mark = mark;
		if (c->sending)
			(void)xfrm_ask(x, xfrm_msg_state(c, true, XFRM_MSG_UPDSA));
	}
}

/* ---- events */

static struct ip_addr addr_of(const xfrm_address_t *a, uint16_t family)
{
	enum ip_family f = family == AF_INET ? IP_V4 : IP_V6;

	return (struct ip_addr){ ip_from_bytes((const uint8_t *)a, f), f };
}

static void on_mapping(struct xfrm *x, const struct xfrm_user_mapping *m)
{
	struct ike_endpoint remote = { addr_of(&m->new_saddr, m->id.family), ntohs(m->new_sport) };

	if (*find(x, ntohl(m->id.spi)))
		x->ops.moved(x->ctx, ntohl(m->id.spi), &remote);
}

/* The kernel names the state, which may be an outbound one. */
static const struct xfrm_child *child_of_state(struct xfrm *x, uint32_t reqid, uint32_t spi)
{
	const struct xfrm_pair *pair = xfrm_pair_find(x, reqid);
	const struct xfrm_tunnel *t = pair ? *tunnel_place(x, pair->tunnel) : NULL;

	for (const struct xfrm_child *c = t ? t->children : NULL; c; c = c->next_tunnel)
		if (c->conf.spi_in == spi || c->conf.spi_out == spi)
			return c;
	return NULL;
}

static void on_expire(struct xfrm *x, const struct xfrm_user_expire *e)
{
	const struct xfrm_child *c = child_of_state(x, e->state.reqid, ntohl(e->state.id.spi));

	if (!c)
		return;
	if (e->hard && x->ops.expired)
		x->ops.expired(x->ctx, c->conf.spi_in);
	else
		x->ops.expiring(x->ctx, c->conf.spi_in);
}

static void on_acquire(struct xfrm *x, struct nlmsghdr *h)
{
	struct nlattr *attr = nlmsg_find_attr(h, sizeof(struct xfrm_user_acquire), XFRMA_TMPL);
	const struct xfrm_pair *pair = NULL;

	if (attr && nla_len(attr) >= (int)sizeof(struct xfrm_user_tmpl))
		pair = xfrm_pair_find(x, ((const struct xfrm_user_tmpl *)nla_data(attr))->reqid);
	if (pair)
		x->ops.acquire(x->ctx, pair->tunnel);
}

static int on_event(struct nl_msg *msg, void *arg)
{
	struct nlmsghdr *h = nlmsg_hdr(msg);
	size_t len = (size_t)nlmsg_datalen(h);
	struct xfrm *x = arg;

	if (h->nlmsg_type == XFRM_MSG_MAPPING && len >= sizeof(struct xfrm_user_mapping))
		on_mapping(x, nlmsg_data(h));
	else if (h->nlmsg_type == XFRM_MSG_EXPIRE && len >= sizeof(struct xfrm_user_expire))
		on_expire(x, nlmsg_data(h));
	else if (h->nlmsg_type == XFRM_MSG_ACQUIRE && len >= sizeof(struct xfrm_user_acquire))
		on_acquire(x, h);
	return NL_OK;
}

/* ---- opening */

static int on_error(struct sockaddr_nl *from, struct nlmsgerr *error, void *arg)
{
	struct xfrm *x = arg;

	x->error = error->error;
	return NL_STOP;
}

static struct nl_sock *open_sock(struct diag *diag)
{
	struct nl_sock *sock = nl_socket_alloc();

	if (!sock)
		abort();
	if (nl_connect(sock, NETLINK_XFRM) < 0) {
		diag_set(diag, "the kernel has no XFRM: %s", strerror(errno));
		nl_socket_free(sock);
		return NULL;
	}
	return sock;
}

static void prepare_ask(struct xfrm *x)
{
	nl_socket_disable_auto_ack(x->ask); /* messages say themselves what they want */
	nl_socket_modify_cb(x->ask, NL_CB_VALID, NL_CB_CUSTOM, on_answer, x);
	nl_socket_modify_err_cb(x->ask, NL_CB_CUSTOM, on_error, x);
}

struct xfrm *xfrm_new(const struct xfrm_ops *ops, void *ctx, struct diag *diag)
{
	struct xfrm *x = mem_alloc(sizeof(*x));

	x->ops = *ops;
	x->ctx = ctx;
	x->next_reqid = XFRM_OURS + 1;
	x->ask = open_sock(diag);
	x->events = x->ask ? open_sock(diag) : NULL;
	if (!x->events || nl_socket_add_memberships(x->events, XFRMNLGRP_ACQUIRE, XFRMNLGRP_EXPIRE, XFRMNLGRP_MAPPING,
						    0) < 0) {
		if (x->events)
			diag_set(diag, "cannot listen to the kernel's XFRM events");
		xfrm_free(x);
		return NULL;
	}
	prepare_ask(x);
	nl_socket_disable_seq_check(x->events);
	nl_socket_modify_cb(x->events, NL_CB_VALID, NL_CB_CUSTOM, on_event, x);
	nl_socket_set_nonblocking(x->events);
	return x;
}

void xfrm_free(struct xfrm *x)
{
	if (!x)
		return;
	for (unsigned int i = 0; i < XFRM_BUCKETS; i++)
		while (x->children[i])
			xfrm_del(x, x->children[i]->conf.spi_in);
	for (unsigned int i = 0; i < XFRM_BUCKETS; i++)
		while (x->tunnels[i]) {
			struct xfrm_tunnel *t = x->tunnels[i];

			x->tunnels[i] = t->next;
			if (t->trap)
				child_free(x, t->trap);
			free(t);
		}
	xfrm_policies_forget(x);
	xfrm_orphans_free(x);
	nl_socket_free(x->ask);
	nl_socket_free(x->events);
	free(x);
}

int xfrm_fd(const struct xfrm *x)
{
	return nl_socket_get_fd(x->events);
}

void xfrm_ready(struct xfrm *x)
{
	(void)nl_recvmsgs_default(x->events); /* what is lost is found by liveness */
}
