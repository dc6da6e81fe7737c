/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * States and policies of tunnels, as the kernel has them after each message. The
 * kernel is a small model of it behind libnl's calls: which state an outbound
 * packet takes, and whether anything would leave in clear at any moment.
 *
 * What is modelled is Linux net/xfrm/xfrm_state.c, xfrm_state_look_at(): of a
 * policy's addresses, mode and reqid, the newest; xfrm_state_update(): limits are
 * set anew and counters stay; and xfrm_user.c, xfrm_update_ae_params(): a new
 * state's counters are those of XFRMA_LTIME_VAL.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <linux/xfrm.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

#include "ipsec/esp/xfrm_impl_nl.h"
#include "ipsec/ike/ike.h"
#include "ipsec/ike/ts.h"

/* ---- the model */

#define MODEL_MAX 64

struct model_state {
	struct xfrm_usersa_info info;
	struct xfrm_encap_tmpl encap;
	uint32_t if_id, oseq;
	unsigned int made; /* message that made it */
	uint64_t packets;
};

struct model_policy {
	struct xfrm_userpolicy_info info;
	struct xfrm_user_tmpl tmpl;
	uint32_t if_id;
};

static struct {
	struct model_state states[MODEL_MAX];
	struct model_policy policies[MODEL_MAX];
	unsigned int n_states, n_policies;
	unsigned int messages, made;
	int error;			    /* of the message that was sent last */
	unsigned int dump;		    /* type of what is to be told */
	struct xfrm_usersa_id asked;	    /* of XFRM_MSG_GETSA */
	void (*after)(void);		    /* each message */
} model;

static uint32_t u32_attr(struct nlmsghdr *h, size_t body, int type)
{
	struct nlattr *attr = nlmsg_find_attr(h, (int)body, type);

	return attr ? nla_get_u32(attr) : 0;
}

static struct model_state *state_find(const xfrm_address_t *daddr, uint32_t spi)
{
	for (unsigned int i = 0; i < model.n_states; i++)
		if (model.states[i].info.id.spi == spi && memcmp(&model.states[i].info.id.daddr, daddr, sizeof(*daddr)) == 0)
			return &model.states[i];
	return NULL;
}

static int state_put(struct nlmsghdr *h, bool update)
{
	const struct xfrm_usersa_info *info = nlmsg_data(h);
	struct model_state *s = state_find(&info->id.daddr, info->id.spi);
	struct nlattr *attr;
	int rest;

	if (!s == update)
		return update ? -ESRCH : -EEXIST;
	if (!s) {
		assert_in_range(model.n_states, 0, MODEL_MAX - 1);
		s = &model.states[model.n_states++];
		*s = (struct model_state){ .info = *info, .made = ++model.made };
	} else if (memcmp(&s->info.saddr, &info->saddr, sizeof(info->saddr)) != 0) {
		return 0; /* the kernel takes only ports */
	}
	s->info.lft = info->lft; /* and the limits; what was used stays */
	s->if_id = u32_attr(h, sizeof(*info), XFRMA_IF_ID);
	/* the last attribute of a type counts */
	nlmsg_for_each_attr(attr, h, sizeof(*info), rest) {
		if (nla_type(attr) == XFRMA_ENCAP)
			memcpy(&s->encap, nla_data(attr), sizeof(s->encap));
		if (nla_type(attr) == XFRMA_REPLAY_ESN_VAL && !update)
			s->oseq = ((const struct xfrm_replay_state_esn *)nla_data(attr))->oseq;
		if (nla_type(attr) == XFRMA_LTIME_VAL && !update)
			s->packets = ((const struct xfrm_lifetime_cur *)nla_data(attr))->packets;
	}
	return 0;
}

static int state_del(struct nlmsghdr *h)
{
	const struct xfrm_usersa_id *id = nlmsg_data(h);
	struct model_state *s = state_find(&id->daddr, id->spi);

	if (!s)
		return -ESRCH;
	*s = model.states[--model.n_states];
	return 0;
}

static struct model_policy *policy_find(const struct xfrm_selector *sel, uint8_t dir, uint32_t if_id)
{
	for (unsigned int i = 0; i < model.n_policies; i++) {
		struct model_policy *p = &model.policies[i];

		if (p->info.dir == dir && p->if_id == if_id && memcmp(&p->info.sel, sel, sizeof(*sel)) == 0)
			return p;
	}
	return NULL;
}

static int policy_put(struct nlmsghdr *h)
{
	const struct xfrm_userpolicy_info *info = nlmsg_data(h);
	uint32_t if_id = u32_attr(h, sizeof(*info), XFRMA_IF_ID);
	struct model_policy *p = policy_find(&info->sel, info->dir, if_id);

	if (!p) {
		assert_in_range(model.n_policies, 0, MODEL_MAX - 1);
		p = &model.policies[model.n_policies++];
	}
	*p = (struct model_policy){ *info, *(const struct xfrm_user_tmpl *)nla_data(nlmsg_find_attr(h, sizeof(*info), XFRMA_TMPL)),
				    if_id };
	return 0;
}

static int policy_del(struct nlmsghdr *h)
{
	const struct xfrm_userpolicy_id *id = nlmsg_data(h);
	struct model_policy *p = policy_find(&id->sel, id->dir, u32_attr(h, sizeof(*id), XFRMA_IF_ID));

	if (!p)
		return -ENOENT;
	*p = model.policies[--model.n_policies];
	return 0;
}

/* ---- libnl's calls, instead of its own */

int nl_send_auto(struct nl_sock *sock, struct nl_msg *msg)
{
	struct nlmsghdr *h = nlmsg_hdr(msg);

	model.messages++;
	model.error = 0;
	model.dump = 0;
	switch (h->nlmsg_type) {
	case XFRM_MSG_NEWSA:
		model.error = state_put(h, false);
		break;
	case XFRM_MSG_UPDSA:
		model.error = state_put(h, true);
		break;
	case XFRM_MSG_DELSA:
		model.error = state_del(h);
		break;
	case XFRM_MSG_UPDPOLICY:
		model.error = policy_put(h);
		break;
	case XFRM_MSG_DELPOLICY:
		model.error = policy_del(h);
		break;
	default:
		model.dump = h->nlmsg_type;
		if (h->nlmsg_type == XFRM_MSG_GETSA && !(h->nlmsg_flags & NLM_F_DUMP))
			model.asked = *(const struct xfrm_usersa_id *)nlmsg_data(h);
		else
			memset(&model.asked, 0, sizeof(model.asked));
		break;
	}
	if (model.after)
		model.after();
	return 1;
}

static struct xfrm *x;

static int refused(void)
{
	x->error = model.error;
	return model.error ? -1 : 0;
}

int nl_wait_for_ack(struct nl_sock *sock)
{
	return x ? refused() : 0;
}

static nl_recvmsg_msg_cb_t takes[2]; /* what takes answers, and events */

int nl_socket_modify_cb(struct nl_sock *sock, enum nl_cb_type type, enum nl_cb_kind kind, nl_recvmsg_msg_cb_t func, void *arg)
{
	takes[takes[0] ? 1 : 0] = func;
	return 0;
}

static void put(struct nl_msg *msg)
{
	takes[0](msg, x);
	nlmsg_free(msg);
}

static void tell_state(const struct model_state *s)
{
	struct nl_msg *msg = nlmsg_alloc_simple(XFRM_MSG_NEWSA, 0);
	struct {
		struct xfrm_replay_state_esn esn;
		uint32_t bmp[32];
	} replay = { .esn = { .bmp_len = 32, .replay_window = 1024, .oseq = s->oseq } };
	struct xfrm_usersa_info info = s->info;

	info.curlft.packets = s->packets;
	nlmsg_append(msg, &info, sizeof(info), NLMSG_ALIGNTO);
	nla_put(msg, XFRMA_REPLAY_ESN_VAL, sizeof(replay), &replay);
	if (s->if_id)
		nla_put_u32(msg, XFRMA_IF_ID, s->if_id);
	put(msg);
}

static void tell_policy(const struct model_policy *p)
{
	struct nl_msg *msg = nlmsg_alloc_simple(XFRM_MSG_NEWPOLICY, 0);

	nlmsg_append(msg, (void *)(uintptr_t)&p->info, sizeof(p->info), NLMSG_ALIGNTO);
	nla_put(msg, XFRMA_TMPL, sizeof(p->tmpl), &p->tmpl);
	if (p->if_id)
		nla_put_u32(msg, XFRMA_IF_ID, p->if_id);
	put(msg);
}

int nl_recvmsgs_default(struct nl_sock *sock)
{
	if (model.dump == XFRM_MSG_GETSA && model.asked.spi) {
		struct model_state *s = state_find(&model.asked.daddr, model.asked.spi);

		model.error = s ? 0 : -ESRCH;
		if (s)
			tell_state(s);
		return refused();
	}
	for (unsigned int i = 0; model.dump == XFRM_MSG_GETSA && i < model.n_states; i++)
		tell_state(&model.states[i]);
	for (unsigned int i = 0; model.dump == XFRM_MSG_GETPOLICY && i < model.n_policies; i++)
		tell_policy(&model.policies[i]);
	return 0;
}

int nl_connect(struct nl_sock *sock, int protocol)
{
	return 0;
}

int nl_socket_add_memberships(struct nl_sock *sock, int group, ...)
{
	return 0;
}

int nl_socket_set_nonblocking(const struct nl_sock *sock)
{
	return 0;
}

/* ---- asking the model */

static struct ike_ts_list list_of(const char *text)
{
	struct ike_ts_list list = { .n = 1 };
	struct diag diag;

	assert_int_equal(ike_ts_parse(text, &list.list[0], &diag), 0);
	return list;
}

static struct ip_addr addr(const char *text)
{
	struct ip_addr a;

	assert_true(ip_addr_parse(text, &a));
	return a;
}

static xfrm_address_t raw(const char *text)
{
	struct ip_addr a = addr(text);
	xfrm_address_t out;

	memset(&out, 0, sizeof(out));
	ip_to_bytes(a.v, a.family, (uint8_t *)&out);
	return out;
}

static bool in_prefix(const xfrm_address_t *a, const xfrm_address_t *prefix, unsigned int len)
{
	return len == 0 || (ntohl(a->a4) ^ ntohl(prefix->a4)) >> (32 - len) == 0;
}

static const struct model_policy *policy_of(const char *src, const char *dst, uint32_t if_id)
{
	xfrm_address_t s = raw(src), d = raw(dst);
	const struct model_policy *best = NULL;

	for (unsigned int i = 0; i < model.n_policies; i++) {
		const struct model_policy *p = &model.policies[i];

		if (p->info.dir == XFRM_POLICY_OUT && p->if_id == if_id && in_prefix(&s, &p->info.sel.saddr, p->info.sel.prefixlen_s) &&
		    in_prefix(&d, &p->info.sel.daddr, p->info.sel.prefixlen_d) &&
		    (!best || p->info.priority < best->info.priority))
			best = p;
	}
	return best;
}

#define CLEAR UINT32_MAX /* no policy: it would leave as it is */

/* The SPI of the state that a packet takes; 0: none, it is dropped. */
static uint32_t spi_of(const char *src, const char *dst, uint32_t if_id)
{
	const struct model_policy *p = policy_of(src, dst, if_id);
	const struct model_state *best = NULL;

	for (unsigned int i = 0; p && i < model.n_states; i++) {
		const struct model_state *s = &model.states[i];

		if (s->info.reqid == p->tmpl.reqid && s->if_id == if_id && s->info.mode == p->tmpl.mode &&
		    memcmp(&s->info.id.daddr, &p->tmpl.id.daddr, sizeof(p->tmpl.id.daddr)) == 0 &&
		    memcmp(&s->info.saddr, &p->tmpl.saddr, sizeof(p->tmpl.saddr)) == 0 && (!best || best->made < s->made))
			best = s;
	}
	return !p ? CLEAR : best ? ntohl(best->info.id.spi) : 0;
}

/* ---- what our side does */

#define IF_ID (XFRM_OURS + 7)
#define OUT 0x10000u /* an outbound SPI is the inbound one and this */

static uint32_t acquired;

static void on_acquire(void *ctx, uint32_t tunnel)
{
	acquired = tunnel;
}

static void on_spi(void *ctx, uint32_t spi)
{
}

static void on_moved(void *ctx, uint32_t spi_in, const struct ike_endpoint *remote)
{
}

static void opened(void)
{
	static const struct xfrm_ops ops = { on_moved, on_spi, on_spi, on_acquire };
	struct diag diag;

	takes[0] = takes[1] = NULL;
	x = xfrm_new(&ops, NULL, &diag);
	assert_non_null(x);
	xfrm_orphans_find(x);
}

static int new_kernel(void **st)
{
	memset(&model, 0, sizeof(model));
	opened();
	return 0;
}

static int no_kernel(void **st)
{
	model.after = NULL;
	xfrm_free(x);
	x = NULL;
	return 0;
}

struct want {
	uint32_t tunnel, spi, if_id;
	const char *local, *remote; /* selectors */
	const char *from, *to;	    /* outer addresses */
	uint16_t port;		    /* of the peer */
	bool transport;
};

static const struct xfrm_way *way_of(const struct want *w)
{
	static struct xfrm_way way;

	way = (struct xfrm_way){ .if_id = w->if_id };
	return &way;
}

static struct esp_sa_conf conf_of(const struct want *w)
{
	static struct ike_ts_list local, remote;
	static struct ike_child_keys keys = { .encr.len = 36 };

	local = list_of(w->local);
	remote = list_of(w->remote);
	return (struct esp_sa_conf){ .tunnel = w->tunnel, .spi_in = w->spi, .spi_out = w->spi + OUT,
				     .suite = { .encr = ENCR_AES_GCM_16, .key_bits = 256 }, .in = &keys, .out = &keys, .esn = true,
				     .transport = w->transport, .local_ts = &local, .remote_ts = &remote,
				     .path = { .local = { addr(w->from), IKE_NATT_PORT }, .remote = { addr(w->to), w->port },
					       .encap = w->port != 0 } };
}

static void child(const struct want *w, bool sending)
{
	struct esp_sa_conf conf = conf_of(w);
	struct diag diag;

	assert_int_equal(xfrm_add(x, &conf, way_of(w), sending, &diag), 0);
}

static void trapped(const struct want *w)
{
	struct esp_sa_conf conf = conf_of(w);
	struct diag diag;

	assert_int_equal(xfrm_trap(x, &conf, way_of(w), &diag), 0);
}

/* As after SIGKILL: the kernel keeps all, a new one begins. */
static struct xfrm *lost;

static void crashed(void)
{
	lost = x;
	opened();
}

static int no_kernel_after_crash(void **st)
{
	struct xfrm *now = x;

	no_kernel(st);
	/* what it would take away is not there any more */
	x = now != lost ? lost : NULL;
	xfrm_free(x);
	x = NULL;
	return 0;
}

/* ---- tests */

static void clients_behind_one_nat_have_each_their_own_state(void **st)
{
	struct want a = { 1, 0x1001, IF_ID, "198.51.100.0/24", "10.0.0.1/32", "192.0.2.2", "192.0.2.1", 20001, false }, b = a;

	b.spi = 0x1002;
	b.remote = "10.0.0.2/32";
	b.port = 20002;
	child(&a, true);
	child(&b, true);
	assert_int_equal(spi_of("198.51.100.1", "10.0.0.1", IF_ID), a.spi + OUT);
	assert_int_equal(spi_of("198.51.100.1", "10.0.0.2", IF_ID), b.spi + OUT);
	/* new keys of the first are for the first, and its request number stays */
	a.spi = 0x1003;
	child(&a, false);
	assert_int_equal(spi_of("198.51.100.1", "10.0.0.1", IF_ID), 0x1001 + OUT);
	assert_int_equal(xfrm_use(x, a.spi, &(struct diag){ 0 }), 0);
	assert_int_equal(spi_of("198.51.100.1", "10.0.0.1", IF_ID), a.spi + OUT);
	assert_int_equal(spi_of("198.51.100.1", "10.0.0.2", IF_ID), b.spi + OUT);
	xfrm_del(x, 0x1001);
	assert_int_equal(spi_of("198.51.100.1", "10.0.0.1", IF_ID), a.spi + OUT);
	xfrm_del(x, a.spi);
	assert_int_equal(spi_of("198.51.100.1", "10.0.0.1", IF_ID), CLEAR);
	assert_int_equal(spi_of("198.51.100.1", "10.0.0.2", IF_ID), b.spi + OUT);
	xfrm_del(x, b.spi);
	assert_int_equal(model.n_states + model.n_policies, 0);
}

static const struct want host = { 1, 0x1001, 0, "192.0.2.2/32", "192.0.2.1/32", "192.0.2.2", "192.0.2.1", 0, true };

static void nothing_in_clear(void)
{
	assert_int_not_equal(spi_of("192.0.2.2", "192.0.2.1", 0), CLEAR);
}

static void a_trap_that_is_set_anew_is_there_all_the_time(void **st)
{
	struct want wide = host;

	trapped(&host);
	model.after = nothing_in_clear;
	trapped(&host);
	wide.local = "192.0.2.0/24";
	trapped(&wide);
	assert_int_not_equal(spi_of("192.0.2.3", "192.0.2.1", 0), CLEAR);
	trapped(&host);
	assert_int_equal(spi_of("192.0.2.3", "192.0.2.1", 0), CLEAR);
	child(&host, true);
	assert_int_equal(spi_of("192.0.2.2", "192.0.2.1", 0), host.spi + OUT);
	trapped(&host);
	assert_int_equal(spi_of("192.0.2.2", "192.0.2.1", 0), host.spi + OUT);
	xfrm_unuse(x, host.spi);
	assert_int_equal(spi_of("192.0.2.2", "192.0.2.1", 0), 0);
	xfrm_del(x, host.spi);
	assert_int_equal(spi_of("192.0.2.2", "192.0.2.1", 0), 0);
	model.after = NULL;
	xfrm_untrap(x, 1);
	assert_int_equal(model.n_policies, 0);
}

/* Two lists of selectors that have a pair in common, of children of one tunnel. */
static void who_goes_leaves_others_their_policies(void **st)
{
	struct want net = { 1, 0x1001, IF_ID, "198.51.100.0/24", "10.0.0.0/24", "192.0.2.2", "192.0.2.1", 4500, false };
	struct esp_sa_conf conf;
	struct ike_ts_list both;
	struct diag diag;

	child(&net, true);
	net.spi = 0x1002;
	conf = conf_of(&net);
	both = *conf.remote_ts;
	both.n = 2;
	both.list[1] = list_of("10.0.1.0/24").list[0];
	conf.remote_ts = &both;
	assert_int_equal(xfrm_add(x, &conf, way_of(&net), true, &diag), 0);
	assert_int_equal(spi_of("198.51.100.1", "10.0.1.1", IF_ID), 0x1002 + OUT);
	assert_int_equal(spi_of("198.51.100.1", "10.0.0.1", IF_ID), 0x1002 + OUT);
	xfrm_del(x, 0x1002);
	assert_int_equal(spi_of("198.51.100.1", "10.0.1.1", IF_ID), CLEAR);
	assert_int_equal(spi_of("198.51.100.1", "10.0.0.1", IF_ID), 0x1001 + OUT);
	xfrm_del(x, 0x1001);
	assert_int_equal(model.n_states + model.n_policies, 0);
}

static void sends_or_the_one_before(void)
{
	assert_in_range(spi_of("198.51.100.1", "10.0.0.1", IF_ID), 0x1001 + OUT, 0x1002 + OUT);
}

/* Two of the same selectors: the newer one stops sending before the peer drops it. */
static void who_sends_no_more_receives_still(void **st)
{
	struct want net = { 1, 0x1001, IF_ID, "198.51.100.0/24", "10.0.0.0/24", "192.0.2.2", "192.0.2.1", 4500, false };

	child(&net, true);
	net.spi = 0x1002;
	child(&net, true);
	model.after = sends_or_the_one_before;
	for (unsigned int twice = 0; twice < 2; twice++) {
		xfrm_unuse(x, 0x1002);
		assert_int_equal(spi_of("198.51.100.1", "10.0.0.1", IF_ID), 0x1001 + OUT);
		assert_int_equal(model.n_states, 3);
	}
	xfrm_unuse(x, 0x7777);
	xfrm_del(x, 0x1002);
	assert_int_equal(spi_of("198.51.100.1", "10.0.0.1", IF_ID), 0x1001 + OUT);
	model.after = NULL;
	xfrm_del(x, 0x1001);
	assert_int_equal(model.n_states + model.n_policies, 0);
}

/* Two tunnels on one device, by two links. */
static void a_tunnel_that_goes_leaves_another_its_policies(void **st)
{
	struct want one = { 1, 0x1001, IF_ID, "198.51.100.0/24", "10.0.0.0/24", "192.0.2.2", "192.0.2.1", 4500, false };
	struct want two = { 2, 0x1002, IF_ID, "198.51.100.0/24", "10.0.0.0/24", "203.0.113.2", "203.0.113.1", 4500, false };

	child(&one, true);
	child(&two, true);
	assert_int_equal(spi_of("198.51.100.1", "10.0.0.1", IF_ID), 0x1002 + OUT);
	xfrm_del(x, 0x1002);
	assert_int_equal(spi_of("198.51.100.1", "10.0.0.1", IF_ID), 0x1001 + OUT);
	xfrm_del(x, 0x1001);
	assert_int_equal(model.n_states + model.n_policies, 0);
}

/* ---- another place of the peer */

static const struct want road = { 1, 0x1001, IF_ID, "198.51.100.0/24", "10.0.0.1/32", "192.0.2.2", "192.0.2.1", 20001, false };

static void sends_all_the_time(void)
{
	assert_int_equal(spi_of("198.51.100.1", "10.0.0.1", IF_ID), road.spi + OUT);
}

static struct model_state *outbound(void)
{
	for (unsigned int i = 0; i < model.n_states; i++)
		if (ntohl(model.states[i].info.id.spi) == road.spi + OUT)
			return &model.states[i];
	fail();
	abort(); /* not reached; the compiler does not know */
}

static void another_port_is_set_in_place(void **st)
{
	struct want moved = road;
	struct diag diag;

	child(&road, true);
	outbound()->oseq = 77;
	model.after = sends_all_the_time;
	moved.port = 20002;
	assert_int_equal(xfrm_move(x, road.spi, &(struct esp_path){ 0, conf_of(&moved).path.local, conf_of(&moved).path.remote, true }, &diag), 0);
	assert_int_equal(ntohs(outbound()->encap.encap_dport), 20002);
	assert_int_equal(outbound()->oseq, 77);
	assert_int_equal(outbound()->made, 2);
}

/* As Linux net/ipv4/esp4.c works it out: blocks, less the trailer. */
static void an_inner_packet_has_the_outer_one_less_esp(void **st)
{
	struct want v6 = road;

	child(&road, true);
	assert_int_equal(xfrm_room(x, road.spi, 1500), 1500 - 20 - 8 - 8 - 8 - 16 - 2);
	assert_int_equal(xfrm_room(x, road.spi, 1497), 1500 - 20 - 8 - 8 - 8 - 16 - 2 - 4);
	assert_int_equal(xfrm_room(x, road.spi, 40), 0);
	assert_int_equal(xfrm_room(x, 0x7777, 1500), 0);
	v6.spi = 0x1009;
	v6.from = "2001:db8::1";
	v6.to = "2001:db8::2";
	v6.port = 0;
	child(&v6, true);
	assert_int_equal(xfrm_room(x, v6.spi, 1500), 1500 - 40 - 8 - 8 - 16 - 2);
}

/* The peer may have sent and got what the kernel did not tell. */
static void send_one(void)
{
	sends_all_the_time();
	for (unsigned int i = 0; i < model.n_states; i++)
		model.states[i].oseq++;
}

static void another_address_repeats_no_number(void **st)
{
	struct want moved = road;
	struct diag diag;
	uint32_t was;

	child(&road, true);
	outbound()->oseq = 77;
	model.after = send_one;
	moved.to = "203.0.113.9";
	assert_int_equal(xfrm_move(x, road.spi, &(struct esp_path){ 0, conf_of(&moved).path.local, conf_of(&moved).path.remote, true }, &diag), 0);
	assert_in_range(outbound()->oseq, 90, 0x20000);
	was = outbound()->oseq;
	assert_int_equal(spi_of("198.51.100.1", "10.0.0.1", IF_ID), road.spi + OUT);
	assert_int_equal(model.n_states, 2);
	/* at the end of the numbers nothing is sent any more */
	outbound()->oseq = UINT32_MAX - 20;
	outbound()->info.flags &= (uint8_t)~XFRM_STATE_ESN;
	model.after = NULL;
	assert_int_equal(xfrm_move(x, road.spi, &(struct esp_path){ 0, conf_of(&road).path.local, conf_of(&road).path.remote, true }, &diag), 0);
	assert_int_equal(outbound()->oseq, UINT32_MAX);
	assert_true(was < outbound()->oseq);
}

static void moves_to(const char *address, uint16_t port)
{
	struct want there = road;
	struct esp_sa_conf conf;
	struct diag diag;

	there.to = address;
	there.port = port;
	conf = conf_of(&there);
	assert_int_equal(xfrm_move(x, road.spi, &conf.path, &diag), 0);
}

/* The kernel counts packets, and the numbers end: those that moves leave out have to
 * count too, or a state without ESN that moves each minute would be used up after
 * weeks, and nobody would have been told. */
static void a_state_that_moves_again_and_again_is_renewed_in_time(void **st)
{
	struct esp_sa_conf conf = conf_of(&road);
	struct model_state *s;
	struct diag diag;

	conf.esn = false;
	assert_int_equal(xfrm_add(x, &conf, way_of(&road), true, &diag), 0);
	outbound()->packets = outbound()->oseq = 1000;
	for (unsigned int i = 0; i < 20000; i++) {
		moves_to(i % 2 ? road.to : "203.0.113.9", road.port);
		s = outbound();
		assert_int_equal(s->packets, 1000);
		assert_true(s->info.lft.soft_packet_limit + s->oseq - s->packets <= ESP_SOFT_PACKETS);
	}
	/* a port that is set in place takes nothing of it back */
	moves_to(road.to, 20002);
	s = outbound();
	assert_true(s->info.lft.soft_packet_limit + s->oseq - s->packets <= ESP_SOFT_PACKETS);
	/* and who began with a limit has at least none left */
	for (unsigned int i = 0; i < 40000; i++)
		moves_to(i % 2 ? road.to : "203.0.113.9", road.port);
	assert_true(outbound()->info.lft.soft_packet_limit <= outbound()->packets);
}

/* ---- after a crash */

static const struct want host2 = { 2, 0x2001, 0, "192.0.2.2/32", "203.0.113.1/32", "192.0.2.2", "203.0.113.1", 0, true };

static void neither_in_clear(void)
{
	nothing_in_clear();
	assert_int_not_equal(spi_of("192.0.2.2", "203.0.113.1", 0), CLEAR);
}

static void after_a_crash_no_tunnel_between_hosts_is_in_clear(void **st)
{
	struct want again = host;

	trapped(&host);
	trapped(&host2);
	child(&host, true);
	child(&host2, true);
	model.after = neither_in_clear;
	crashed();
	trapped(&host);
	trapped(&host2);
	assert_int_equal(spi_of("192.0.2.2", "192.0.2.1", 0), host.spi + OUT);
	again.spi = 0x1003;
	child(&again, true);
	assert_int_equal(spi_of("192.0.2.2", "192.0.2.1", 0), again.spi + OUT);
	/* the other goes on with what it has */
	assert_int_equal(spi_of("192.0.2.2", "203.0.113.1", 0), host2.spi + OUT);
	xfrm_orphans_del_all(x);
	assert_int_equal(spi_of("192.0.2.2", "203.0.113.1", 0), 0);
	assert_int_equal(model.n_states, 2);
}

/* Clients of one tunnel come back one by one. */
static void after_a_crash_each_client_succeeds_itself(void **st)
{
	struct want a = { 1, 0x1001, IF_ID, "198.51.100.0/24", "10.0.0.1/32", "192.0.2.2", "192.0.2.1", 20001, false }, b = a;

	b.spi = 0x1002;
	b.remote = "10.0.0.2/32";
	b.port = 20002;
	child(&a, true);
	child(&b, true);
	crashed();
	b.spi = 0x1003;
	child(&b, true);
	assert_int_equal(spi_of("198.51.100.1", "10.0.0.1", IF_ID), a.spi + OUT);
	assert_int_equal(spi_of("198.51.100.1", "10.0.0.2", IF_ID), b.spi + OUT);
	assert_int_equal(model.n_states, 4);
	xfrm_orphans_del_all(x);
	assert_int_equal(spi_of("198.51.100.1", "10.0.0.1", IF_ID), CLEAR);
	assert_int_equal(model.n_states, 2);
}

/* "no tunnel" does not wait until somebody comes. */
static void after_a_crash_a_tunnel_can_go_for_good(void **st)
{
	struct esp_sa_conf conf;

	trapped(&host);
	trapped(&host2);
	child(&host, true);
	child(&host2, true);
	crashed();
	trapped(&host);
	trapped(&host2);
	xfrm_untrap(x, host.tunnel);
	conf = conf_of(&host);
	xfrm_orphans_del(x, 0, conf.local_ts, conf.remote_ts);
	assert_int_equal(spi_of("192.0.2.2", "192.0.2.1", 0), CLEAR);
	assert_int_equal(spi_of("192.0.2.2", "203.0.113.1", 0), host2.spi + OUT);
	assert_int_equal(model.n_states, 2);
}

/* Another tunnel's SA is no reason to wait. */
static void a_new_trap_waits_for_its_own_only(void **st)
{
	child(&host2, true);
	crashed();
	trapped(&host);
	nothing_in_clear();
	xfrm_untrap(x, host.tunnel);
	assert_int_equal(spi_of("192.0.2.2", "203.0.113.1", 0), host2.spi + OUT);
}

/* Each of these is 62 prefixes, so all would be 62 * 62 * 2 * 2 * 3 (RFC 7296 3.13.1). */
static void ranges_that_are_too_many_policies_are_refused(void **st)
{
	struct esp_sa_conf conf = conf_of(&host2);
	struct ike_ts_list many = { .n = 2 };
	struct diag diag;

	for (uint32_t i = 0; i < 2; i++)
		many.list[i] = (struct ike_ts){ .first = { 1, IP_V4 }, .last = { UINT32_MAX - 1 - i, IP_V4 }, .port_last = UINT16_MAX };
	conf.local_ts = conf.remote_ts = &many;
	conf.transport = false;
	model.messages = 0;
	assert_int_equal(xfrm_add(x, &conf, way_of(&host2), true, &diag), -1);
	assert_non_null(strstr(diag.text, "narrow the selectors"));
	assert_int_equal(model.n_states, 0);
	assert_int_equal(model.n_policies, 0);
	assert_in_range(model.messages, 2, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, new_kernel, no_kernel)
		T(clients_behind_one_nat_have_each_their_own_state),
		T(a_trap_that_is_set_anew_is_there_all_the_time),
		T(who_sends_no_more_receives_still),
		T(who_goes_leaves_others_their_policies),
		T(a_tunnel_that_goes_leaves_another_its_policies),
		T(another_port_is_set_in_place),
		T(another_address_repeats_no_number),
		T(a_state_that_moves_again_and_again_is_renewed_in_time),
		T(an_inner_packet_has_the_outer_one_less_esp),
		T(ranges_that_are_too_many_policies_are_refused),
#undef T
#define T(f) cmocka_unit_test_setup_teardown(f, new_kernel, no_kernel_after_crash)
		T(after_a_crash_no_tunnel_between_hosts_is_in_clear),
		T(after_a_crash_each_client_succeeds_itself),
		T(after_a_crash_a_tunnel_can_go_for_good),
		T(a_new_trap_waits_for_its_own_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
