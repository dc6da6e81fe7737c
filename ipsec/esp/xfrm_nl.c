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

#include "ipsec/esp/xfrm_msg_nl.h"
#include "lib/mem.h"

#ifndef UDP_ENCAP
#define UDP_ENCAP 100
#endif
#define UDP_ENCAP_TYPE 2 /* UDP_ENCAP_ESPINUDP, RFC 3948 */

#define UDP_ENCAP_TYPE 2 /* UDP_ENCAP_ESPINUDP, RFC 3948 */

struct xfrm {
	struct xfrm_ops ops;
	void *ctx;
	struct nl_sock *ask, *events;
	struct xfrm_child *children;
		struct nl_msg *restored; /* an answer's numbers go here */
	struct xfrm_use *use;	 /* and these are filled */
	int error;
};

/* Sends and frees; 0 or -errno. */
static int ask(struct xfrm *x, struct nl_msg *msg)
{
	int n = nl_send_auto(x->ask, msg);

	crypto_wipe(nlmsg_data(nlmsg_hdr(msg)), (size_t)nlmsg_datalen(nlmsg_hdr(msg)));
	nlmsg_free(msg);
	if (n < 0)
		return -EIO;
	x->error = 0;
	return nl_wait_for_ack(x->ask) < 0 && x->error == 0 ? -EIO : x->error;
}

static int failed(struct diag *diag, const char *what, int error)
{
	if (error == -EPROTONOSUPPORT || error == -ENOSYS || error == -ENOENT || error == -EOPNOTSUPP)
		return diag_set(diag, "%s: the kernel has no ESP or not this algorithm (modules esp4, esp6); "
				      "\"datapath user\" does without",
				what);
	return diag_set(diag, "%s: %s", what, strerror(-error));
}

static int state_del(struct xfrm *x, const struct xfrm_child *c, bool out)
{
	return ask(x, xfrm_msg_id(c, out, XFRM_MSG_DELSA));
}

typedef struct nl_msg *policy_fn(const struct xfrm_child *c, const struct xfrm_selector *sel, uint8_t dir);

/* For each pair of selectors and direction; the first error. */
static int each_policy(struct xfrm *x, const struct xfrm_child *c, policy_fn *fn)
{
	int first = 0;

	for (unsigned int l = 0; l < c->local_ts.n; l++)
		for (unsigned int r = 0; r < c->remote_ts.n; r++) {
			const struct ike_ts *local = &c->local_ts.list[l], *remote = &c->remote_ts.list[r];
			struct xfrm_selector out, in;
			int ret;

			if (!xfrm_msg_selector(local, remote, &out) || !xfrm_msg_selector(remote, local, &in))
				continue;
			ret = ask(x, fn(c, &in, XFRM_POLICY_IN));
			ret = ret ? ret : ask(x, fn(c, &in, XFRM_POLICY_FWD));
			ret = ret ? ret : ask(x, fn(c, &out, XFRM_POLICY_OUT));
			first = first ? first : ret;
		}
	return first;
}

/* Another SA of the tunnel needs the same policies. */
static bool policies_are_shared(const struct xfrm *x, const struct xfrm_child *c)
{
	for (const struct xfrm_child *o = x->children; o; o = o->next)
		if (o != c && o->sending && o->conf.tunnel == c->conf.tunnel)
			return true;
	return false;
}

/* ---- children */

static struct xfrm_child **find(struct xfrm *x, uint32_t spi_in)
{
	struct xfrm_child **at = &x->children;

	while (*at && (*at)->conf.spi_in != spi_in)
		at = &(*at)->next;
	return at;
}

static void child_free(struct xfrm_child *c)
{
	crypto_wipe(c, sizeof(*c));
	free(c);
}

static int start_sending(struct xfrm *x, struct xfrm_child *c, struct diag *diag)
{
	int ret = ask(x, xfrm_msg_state(c, true));

	if (ret < 0)
		return failed(diag, "outbound SA", ret);
	c->sending = true;
	ret = each_policy(x, c, xfrm_msg_policy);
	return ret < 0 ? failed(diag, "policy", ret) : 0;
}

static void remove_child(struct xfrm *x, struct xfrm_child *c)
{
	if (c->sending) {
		if (!policies_are_shared(x, c))
			(void)each_policy(x, c, xfrm_msg_policy_del);
		(void)state_del(x, c, true);
	}
	(void)state_del(x, c, false);
}

int xfrm_add(struct xfrm *x, const struct esp_sa_conf *conf, const struct xfrm_way *way, bool sending,
	     struct diag *diag)
{
	struct xfrm_child *c;
	int ret;

	if (*find(x, conf->spi_in))
		return diag_set(diag, "SPI %08x is taken", conf->spi_in);
	if (!xfrm_msg_has_cipher(&conf->suite))
		return diag_set(diag, "the kernel back end does not have this cipher");
	c = mem_alloc(sizeof(*c));
	c->conf = *conf;
	c->local_ts = *conf->local_ts;
	c->remote_ts = *conf->remote_ts;
	c->in = *conf->in;
	c->out = *conf->out;
	c->way = *way;
	c->conf.local_ts = c->conf.remote_ts = NULL;
	c->conf.in = c->conf.out = NULL;
	ret = ask(x, xfrm_msg_state(c, false));
	if (ret < 0) {
		child_free(c);
		return failed(diag, "inbound SA", ret);
	}
	c->next = x->children;
	x->children = c;
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

void xfrm_del(struct xfrm *x, uint32_t spi_in)
{
	struct xfrm_child **at = find(x, spi_in), *c = *at;

	if (!c)
		return;
	remove_child(x, c);
	*at = c->next;
	child_free(c);
}

/* ---- reading a state */

/* The numbers of a state that is made anew: without them the peer would drop
 * what follows, and an IV would come twice (RFC 4106 3.1). */
static int on_state(struct nl_msg *msg, void *arg)
{
	struct nlmsghdr *h = nlmsg_hdr(msg);
	struct xfrm *x = arg;
	struct xfrm_usersa_info *info = nlmsg_data(h);
	struct nlattr *attr;

	if (h->nlmsg_type != XFRM_MSG_NEWSA || nlmsg_datalen(h) < (int)sizeof(*info))
		return NL_OK;
	if (x->use) {
		x->use->packets = info->curlft.packets;
		x->use->bytes = info->curlft.bytes;
		attr = nlmsg_find_attr(h, sizeof(*info), XFRMA_LASTUSED);
		x->use->last_s = attr && nla_len(attr) >= 8 ? nla_get_u64(attr) : info->curlft.use_time;
	}
	if (x->restored) {
		attr = nlmsg_find_attr(h, sizeof(*info), XFRMA_REPLAY_ESN_VAL);
		if (attr)
			nla_put(x->restored, XFRMA_REPLAY_ESN_VAL, nla_len(attr), nla_data(attr));
	}
	return NL_OK;
}

static int state_get(struct xfrm *x, const struct xfrm_child *c, bool out)
{
	struct nl_msg *msg = xfrm_msg_id(c, out, XFRM_MSG_GETSA);
	int n;

	nlmsg_hdr(msg)->nlmsg_flags = NLM_F_REQUEST;
	n = nl_send_auto(x->ask, msg);
	nlmsg_free(msg);
	x->error = 0;
	n = n < 0 ? n : nl_recvmsgs_default(x->ask);
	return n < 0 && x->error == 0 ? -EIO : x->error;
}

int xfrm_query(struct xfrm *x, uint32_t spi_in, struct xfrm_use *in, struct xfrm_use *out)
{
	struct xfrm_child *c = *find(x, spi_in);
	int ret;

	*in = *out = (struct xfrm_use){ 0 };
	if (!c)
		return -1;
	x->use = in;
	ret = state_get(x, c, false);
	x->use = out;
	if (ret >= 0 && c->sending)
		ret = state_get(x, c, true);
	x->use = NULL;
	return ret < 0 ? -1 : 0;
}

/* Appends what the state knows to the message of its successor. The last
 * attribute of a type counts for the kernel. */
static int renew(struct xfrm *x, const struct xfrm_child *old, const struct xfrm_child *new, bool out)
{
	struct nl_msg *msg = xfrm_msg_state(new, out);
	int ret;

	x->restored = msg;
	ret = state_get(x, old, out);
	x->restored = NULL;
	if (ret >= 0)
		ret = state_del(x, old, out);
	if (ret < 0) {
		nlmsg_free(msg);
		return ret;
	}
	return ask(x, msg);
}

int xfrm_move(struct xfrm *x, uint32_t spi_in, const struct esp_path *path, struct diag *diag)
{
	struct xfrm_child *c = *find(x, spi_in), old;
	int ret;

	if (!c)
		return diag_set(diag, "there is no SA %08x", spi_in);
	old = *c;
	c->conf.path = *path;
	ret = renew(x, &old, c, false);
	if (ret == 0 && c->sending)
		ret = renew(x, &old, c, true);
	if (ret == 0 && c->sending) /* the templates name the addresses */
		ret = each_policy(x, c, xfrm_msg_policy);
	crypto_wipe(&old, sizeof(old));
	return ret < 0 ? failed(diag, "moving the SA", ret) : 0;
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

static void on_expire(struct xfrm *x, const struct xfrm_user_expire *e)
{
	uint32_t spi = ntohl(e->state.id.spi);

	for (const struct xfrm_child *c = x->children; c; c = c->next)
		if (c->conf.spi_in == spi || c->conf.spi_out == spi) {
			x->ops.expiring(x->ctx, c->conf.spi_in);
			return;
		}
}

static int on_event(struct nl_msg *msg, void *arg)
{
	struct nlmsghdr *h = nlmsg_hdr(msg);
	size_t len = (size_t)nlmsg_datalen(h);
	struct xfrm *x = arg;

	if (h->nlmsg_type == XFRM_MSG_MAPPING && len >= sizeof(struct xfrm_user_mapping)) {
		on_mapping(x, nlmsg_data(h));
	} else if (h->nlmsg_type == XFRM_MSG_EXPIRE && len >= sizeof(struct xfrm_user_expire)) {
		on_expire(x, nlmsg_data(h));
	} else if (h->nlmsg_type == XFRM_MSG_ACQUIRE && len >= sizeof(struct xfrm_user_acquire)) {
		struct nlattr *attr = nlmsg_find_attr(h, sizeof(struct xfrm_user_acquire), XFRMA_TMPL);

		if (attr && nla_len(attr) >= (int)sizeof(struct xfrm_user_tmpl)) {
			const struct xfrm_user_tmpl *tmpl = nla_data(attr);

			x->ops.acquire(x->ctx, tmpl->reqid);
		}
	}
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

struct xfrm *xfrm_new(const struct xfrm_ops *ops, void *ctx, struct diag *diag)
{
	struct xfrm *x = mem_alloc(sizeof(*x));

	x->ops = *ops;
	x->ctx = ctx;
	x->ask = open_sock(diag);
	x->events = x->ask ? open_sock(diag) : NULL;
	if (!x->events || nl_socket_add_memberships(x->events, XFRMNLGRP_ACQUIRE, XFRMNLGRP_EXPIRE, XFRMNLGRP_MAPPING,
						    0) < 0) {
		if (x->events)
			diag_set(diag, "cannot listen to the kernel's XFRM events");
		xfrm_free(x);
		return NULL;
	}
	nl_socket_disable_auto_ack(x->ask); /* messages say themselves what they want */
	nl_socket_modify_cb(x->ask, NL_CB_VALID, NL_CB_CUSTOM, on_state, x);
	nl_socket_modify_err_cb(x->ask, NL_CB_CUSTOM, on_error, x);
	nl_socket_disable_seq_check(x->events);
	nl_socket_modify_cb(x->events, NL_CB_VALID, NL_CB_CUSTOM, on_event, x);
	nl_socket_set_nonblocking(x->events);
	return x;
}

void xfrm_free(struct xfrm *x)
{
	if (!x)
		return;
	while (x->children)
		xfrm_del(x, x->children->conf.spi_in);
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

int xfrm_socket(int fd, struct diag *diag)
{
	int type = UDP_ENCAP_TYPE;

	if (setsockopt(fd, IPPROTO_UDP, UDP_ENCAP, &type, sizeof(type)) < 0)
		return diag_set(diag, "the kernel takes no ESP in UDP: %s", strerror(errno));
	return 0;
}
