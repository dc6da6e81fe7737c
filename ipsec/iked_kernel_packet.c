/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/frr_compat.h"

#include <net/if.h>

#include "log.h"

#include "ipsec/esp/ipip_device_nl.h"
#include "ipsec/esp/xfrm_device_nl.h"
#include "ipsec/iked_ipip.h"
#include "ipsec/iked_check.h"
#include "ipsec/iked_fit.h"
#include "ipsec/iked_kernel.h"
#include "ipsec/ike/ts.h"
#include "lib/fnv.h"
#include "lib/mem.h"

#define BUCKETS	      4096
#define POLL_MS	      1000
#define POLL_MAX      256 /* children asked for in one turn: each takes two questions */
#define ORPHANS_S     300 /* a predecessor's SAs: a peer has noticed by then that we began anew */
#define HARD_SPARE_S  600
#define PROBE_DEVICE  "sav-probe"

struct ktunnel {
	struct ktunnel *next;
	struct ktunnel *next_device; /* same hash of the interface */
	struct kchild *children;
	char name[IKE_TUNNEL_NAME];
	uint32_t number;
	uint32_t if_id;	 /* 0: transport mode, no interface */
	struct iked_fit fit; /* the longest packets of its children */
	uint32_t told_mtu;   /* of its interface, 0: nothing yet */
	bool resized;	     /* its fit has changed: */
	struct ktunnel *next_resized;
	/* what it stands for, in transport mode only the two hosts'; NULL: not known */
	struct ike_ts_list *local_ts, *remote_ts;
	bool wide; /* transport mode, and any peer's */
	char device[IKED_IFNAME]; /* its xfrm interface */
	char ipip[IKED_IFNAME];	  /* the ipip device over that; "": none */
	struct esp_ipip ends;
};

struct kchild {
	struct kchild *next;	 /* of one SPI's bucket */
	struct kchild *next_all, **prev_all;
	struct kchild *next_own, **prev_own; /* of the tunnel */
	struct ktunnel *tunnel;
	uint32_t spi_in;
	uint32_t room; /* its longest packet, 0: not known */
	bool sending, orphan;
	struct xfrm_use in, out; /* when it was asked last */
};

static struct {
	struct xfrm *xfrm;
	char lack[200];
	struct ktunnel *tunnels[BUCKETS], *devices[BUCKETS];
	struct kchild *children[BUCKETS], *all, *cursor;
	struct ktunnel *resized; /* their MTU is to be told */
	unsigned n_children;
	uint32_t last_number, last_if_id;
	struct xfrm_use in, out; /* of all that was ever asked */
	struct event *t_events, *t_poll, *t_orphans, *t_old;
} kernel;

unsigned iked_kernel_children(void)
{
	return kernel.n_children;
}

/* ---- tunnels */

static struct ktunnel **tunnel_place(const char *name)
{
	struct ktunnel **at = &kernel.tunnels[fnv_text(name) % BUCKETS];

	while (*at && strcmp((*at)->name, name) != 0)
		at = &(*at)->next;
	return at;
}

static struct ktunnel *tunnel_by_number(uint32_t number)
{
	for (unsigned i = 0; i < BUCKETS; i++)
		for (struct ktunnel *k = kernel.tunnels[i]; k; k = k->next)
			if (k->number == number)
				return k;
	return NULL;
}

static struct ktunnel **device_place(const char *device)
{
	return &kernel.devices[fnv_text(device) % BUCKETS];
}

static void device_forget(struct ktunnel *k)
{
	struct ktunnel **at = device_place(k->device);

	while (*at && *at != k)
		at = &(*at)->next_device;
	if (*at)
		*at = k->next_device;
	k->device[0] = '\0';
}

static void device_set(struct ktunnel *k, const char *device)
{
	struct ktunnel **at = device_place(device);

	device_forget(k);
	snprintf(k->device, sizeof(k->device), "%s", device);
	k->next_device = *at;
	*at = k;
}

static struct ktunnel *other_on_device(const struct ktunnel *k)
{
	for (struct ktunnel *o = *device_place(k->device); o; o = o->next_device)
		if (o != k && o->if_id && strcmp(o->device, k->device) == 0)
			return o;
	return NULL;
}

/* One that a predecessor made keeps its identifier, and so does the one that had another
 * name (former, or 0): the SAs carry on with it. */
static int device_open(struct ktunnel *k, uint32_t former, struct diag *diag)
{
	uint32_t if_id = xfrm_device_if_id(k->device);

	if (if_id < XFRM_OURS || if_id >= XFRM_OURS_END)
		if_id = former ? former : ++kernel.last_if_id;
	if (xfrm_device_add(k->device, if_id, diag) != 0)
		return -1;
	k->if_id = if_id;
	return 0;
}

static void ipip_close(struct ktunnel *k)
{
	if (k->ipip[0])
		ipip_device_del(k->ipip, k->device);
	k->ipip[0] = '\0';
	k->ends = (struct esp_ipip){ 0 };
}

static void device_close(struct ktunnel *k)
{
	ipip_close(k);
	if (k->if_id && !other_on_device(k))
		xfrm_device_del(k->device);
	k->if_id = 0;
}

static struct xfrm_way way_of(const struct ktunnel *k, const struct iked_tunnel *t)
{
	const struct iked_link *link = iked_link_find(&iked.config, t->link);

	return (struct xfrm_way){ k->if_id, link ? link->mark : 0, t->t.child_rekey_s ? 2 * t->t.child_rekey_s + HARD_SPARE_S : 0 };
}

static void selectors_forget(struct ktunnel *k)
{
	free(k->local_ts);
	free(k->remote_ts);
	k->local_ts = k->remote_ts = NULL;
}

static void selectors_set(struct ktunnel *k, const struct ike_tunnel *t, const struct ip_addr *local)
{
	const struct ike_ts_list *local_ts = t->local_ts, *remote_ts = t->remote_ts;
	struct ike_ts_list hosts[2];

	selectors_forget(k);
	k->wide = t->transport && t->remote_addr.v == 0;
	if (t->transport && !k->wide) {
		iked_host_selectors(t, local, &t->remote_addr, &hosts[0], &hosts[1]);
		local_ts = &hosts[0];
		remote_ts = &hosts[1];
	}
	k->local_ts = mem_dup(local_ts, ike_ts_list_bytes(local_ts));
	k->remote_ts = mem_dup(remote_ts, ike_ts_list_bytes(remote_ts));
}

/* What a predecessor left for it. One between us and anybody may have had what another
 * such has now: then that goes on until nobody makes it anew. */
static void orphans_drop(const struct ktunnel *k)
{
	bool others = false;

	for (unsigned i = 0; i < BUCKETS && k->wide; i++)
		for (const struct ktunnel *o = kernel.tunnels[i]; o; o = o->next)
			others = others || (o != k && o->if_id == 0);
	if (!others && k->local_ts && k->local_ts->n && k->remote_ts->n)
		xfrm_orphans_del(kernel.xfrm, k->if_id, k->local_ts, k->remote_ts);
}

/* While there is no SA: nothing of what two hosts have in ESP leaves in clear, and
 * a packet begins a tunnel that says so. An interface lets nothing out by itself.
 * A link without an address has nothing to send from: when it gets one, this is
 * called again, and until then what stood stands. */
static int trap(struct ktunnel *k, const struct iked_tunnel *t, struct diag *diag)
{
	const struct iked_link *link = iked_link_find(&iked.config, t->link);
	const struct xfrm_way way = way_of(k, t);
	struct esp_sa_conf conf = { .tunnel = k->number, .transport = t->t.transport };
	bool wanted = t->t.remote_addr.v != 0 && (t->start == IKED_TRAP || (t->t.transport && !t->carry));
	struct ike_tunnel resolved;

	if (!wanted)
		xfrm_untrap(kernel.xfrm, k->number);
	conf.path.remote.addr = conf.path.local.addr = t->t.remote_addr;
	if (t->t.remote_addr.v != 0 &&
	    (!link || !iked_link_address(link, (enum ip_family)t->t.remote_addr.family, &conf.path.local.addr)))
		return 0;
	iked_tunnel_resolve(&iked.config, t, &resolved);
	selectors_set(k, &resolved, &conf.path.local.addr);
	if (!wanted)
		return 0;
	if (k->local_ts->n == 0 || k->remote_ts->n == 0)
		return diag_set(diag, "mode transport is between link %s's address and the peer's, and the selectors leave out one of them",
				link->name);
	conf.local_ts = k->local_ts;
	conf.remote_ts = k->remote_ts;
	return xfrm_trap(kernel.xfrm, &conf, &way, diag);
}

static int ipip_open(struct ktunnel *k, const struct iked_tunnel *t, struct diag *diag)
{
	if (k->ends.local.v)
		ipip_address_del(k->device, &k->ends);
	k->ends = t->ipip;
	iked_tunnel_device(t, k->ipip);
	if (ipip_device_add(k->ipip, k->device, &t->ipip, diag) != 0) {
		k->ipip[0] = '\0';
		return -1;
	}
	return ipip_address_add(k->device, &t->ipip, diag);
}

static int tunnel_set(struct ktunnel *k, const struct iked_tunnel *t, struct diag *diag)
{
	char device[IKED_IFNAME];
	uint32_t former = 0;

	if (iked_has_ipip(t))
		iked_ipip_below(t, device);
	else
		iked_tunnel_device(t, device);
	if (k->if_id && (t->t.transport || strcmp(device, k->device) != 0)) {
		former = other_on_device(k) ? 0 : k->if_id;
		device_close(k);
	}
	device_set(k, device);
	if (!t->t.transport && device_open(k, former, diag) != 0)
		return -1;
	if (iked_has_ipip(t) && ipip_open(k, t, diag) != 0)
		return -1;
	return trap(k, t, diag);
}

int iked_kernel_tunnel(const struct iked_tunnel *t, struct diag *diag)
{
	struct ktunnel **at = tunnel_place(t->t.name);
	int ret;

	if (!kernel.xfrm)
		return diag_set(diag, "datapath kernel: %s; \"datapath user\" does without", kernel.lack);
	if (!*at) {
		*at = mem_alloc(sizeof(**at));
		snprintf((*at)->name, sizeof((*at)->name), "%s", t->t.name);
		(*at)->number = ++kernel.last_number;
	}
	iked_privileges(true);
	ret = tunnel_set(*at, t, diag);
	iked_privileges(false);
	return ret;
}

void iked_kernel_link(const struct iked_link *link)
{
	struct diag diag;

	if (!kernel.xfrm)
		return;
	iked_privileges(true);
	for (unsigned i = 0; i < BUCKETS; i++)
		for (struct ktunnel *k = kernel.tunnels[i]; k; k = k->next) {
			const struct iked_tunnel *t = iked_tunnel_find(&iked.config, k->name);

			if (!t || strcmp(t->link, link->name) != 0)
				continue;
			xfrm_mark(kernel.xfrm, k->number, link->mark);
			if (trap(k, t, &diag) != 0)
				zlog_warn("tunnel %s: %s", k->name, diag.text);
		}
	iked_privileges(false);
}

/* ---- children */

static void add_use(struct xfrm_use *sum, struct xfrm_use *last, const struct xfrm_use *now)
{
	sum->packets += now->packets - last->packets;
	sum->bytes += now->bytes - last->bytes;
	*last = *now;
}

/* False: the kernel does not have it. */
static bool child_ask(struct kchild *c)
{
	struct xfrm_use in, out;

	if (xfrm_query(kernel.xfrm, c->spi_in, &in, &out) != 0)
		return false;
	add_use(&kernel.in, &c->in, &in);
	add_use(&kernel.out, &c->out, &out);
	return true;
}

void iked_kernel_totals(struct xfrm_use *in, struct xfrm_use *out)
{
	*in = kernel.in;
	*out = kernel.out;
}

static struct kchild **child_place(uint32_t spi_in)
{
	struct kchild **at = &kernel.children[spi_in % BUCKETS];

	while (*at && (*at)->spi_in != spi_in)
		at = &(*at)->next;
	return at;
}

static void resized(struct ktunnel *k)
{
	if (k->resized)
		return;
	k->resized = true;
	k->next_resized = kernel.resized;
	kernel.resized = k;
}

/* The longest packet of this one, in place of what it was. */
static void set_room(struct kchild *c, uint32_t room)
{
	iked_fit_remove(&c->tunnel->fit, c->room);
	iked_fit_add(&c->tunnel->fit, room);
	c->room = room;
	resized(c->tunnel);
}

static void child_drop(struct kchild **at)
{
	struct kchild *c = *at;

	(void)child_ask(c);
	set_room(c, 0);
	xfrm_del(kernel.xfrm, c->spi_in);
	if (kernel.cursor == c)
		kernel.cursor = c->next_all;
	if (c->next_all)
		c->next_all->prev_all = c->prev_all;
	*c->prev_all = c->next_all;
	if (c->next_own)
		c->next_own->prev_own = c->prev_own;
	*c->prev_own = c->next_own;
	*at = c->next;
	kernel.n_children--;
	free(c);
}

static struct kchild *child_new(struct ktunnel *k, uint32_t spi_in)
{
	struct kchild *c = mem_alloc(sizeof(*c)), **at = child_place(spi_in);

	c->tunnel = k;
	c->spi_in = spi_in;
	*at = c;
	c->next_all = kernel.all;
	c->prev_all = &kernel.all;
	if (c->next_all)
		c->next_all->prev_all = &c->next_all;
	kernel.all = c;
	c->next_own = k->children;
	c->prev_own = &k->children;
	if (c->next_own)
		c->next_own->prev_own = &c->next_own;
	k->children = c;
	kernel.n_children++;
	return c;
}

/* k NULL: of all tunnels; orphans: only those. */
static void children_drop(const struct ktunnel *k, bool orphans)
{
	for (struct kchild *c = k ? k->children : kernel.all, *next; c; c = next) {
		next = k ? c->next_own : c->next_all;
		if (c->orphan || !orphans)
			child_drop(child_place(c->spi_in));
	}
}

/* ---- the interface's MTU */

/* What the link takes, less what ESP adds. */
static void fit(struct kchild *c, const struct esp_path *path)
{
	uint32_t room = xfrm_room(kernel.xfrm, c->spi_in, iked_link_mtu(path->link, (enum ip_family)path->local.addr.family));

	if (room != 0 && c->tunnel->if_id)
		set_room(c, room < PROC_MTU_MIN ? PROC_MTU_MIN : room);
}

/* The least of all peers of all tunnels that have this one's interface; while nobody is
 * there, what it was. 0: nothing yet. A path that is narrower than its link does not
 * count: of that the kernel tells who sends, by that peer's states. */
static uint32_t device_mtu(const struct ktunnel *k)
{
	uint32_t least = 0, was = 0;

	for (const struct ktunnel *o = *device_place(k->device); o; o = o->next_device) {
		uint32_t its = iked_fit_least(&o->fit);

		if (strcmp(o->device, k->device) != 0)
			continue;
		if (its && (least == 0 || its < least))
			least = its;
		was = o->told_mtu ? o->told_mtu : was;
	}
	return least ? least : was;
}

uint32_t iked_kernel_mtu(const char *name)
{
	const struct ktunnel *k = *tunnel_place(name);

	return k ? device_mtu(k) : 0;
}

static void tell_mtu(const struct ktunnel *k)
{
	struct proc_mtu message = { .mtu = device_mtu(k) };
	bool news = false;

	for (struct ktunnel *o = *device_place(k->device); o; o = o->next_device)
		if (strcmp(o->device, k->device) == 0) {
			news = news || o->told_mtu != message.mtu;
			o->told_mtu = message.mtu;
		}
	if (!news)
		return;
	snprintf(message.tunnel, sizeof(message.tunnel), "%s", k->name);
	iked_tunnel_mtu(&message);
}

static void tell_mtus(void)
{
	for (struct ktunnel *k; (k = kernel.resized) != NULL;) {
		kernel.resized = k->next_resized;
		k->resized = false;
		tell_mtu(k);
	}
}

void iked_kernel_tunnel_gone(const char *name)
{
	struct ktunnel **at = tunnel_place(name), *k = *at, *other;

	if (!k)
		return;
	iked_privileges(true);
	children_drop(k, false);
	xfrm_untrap(kernel.xfrm, k->number);
	orphans_drop(k);
	device_close(k);
	iked_privileges(false);
	other = other_on_device(k);
	device_forget(k);
	if (other)
		resized(other);
	tell_mtus();
	*at = k->next;
	selectors_forget(k);
	iked_fit_fini(&k->fit);
	free(k);
}

/* What it carries an earlier ike's SAs carried until now. Another client's stay. */
static void begins_to_send(struct kchild *c)
{
	c->sending = true;
	for (struct kchild *o = c->tunnel->children, *next; o; o = next) {
		next = o->next_own;
		if (o->orphan && xfrm_overlap(kernel.xfrm, o->spi_in, c->spi_in))
			child_drop(child_place(o->spi_in));
	}
}

/* ---- what ike says */

static int child_check(const struct proc_child *m, const struct ktunnel *k, const struct iked_tunnel *t, struct diag *diag)
{
	const struct iked_link *link = iked_link_find(&iked.config, t->link);
	struct ike_tunnel resolved;
	struct ip_addr local;

	if (!k || !link)
		return diag_set(diag, "it is not of this tunnel's configuration");
	if (!m->transport && !k->if_id)
		return diag_set(diag, "the tunnel has no interface");
	if (!iked_link_address(link, (enum ip_family)m->path.local.addr.family, &local))
		return diag_set(diag, "link %s has no address", link->name);
	iked_tunnel_resolve(&iked.config, t, &resolved);
	return iked_child_check(m, &resolved, &local, diag);
}

static void answer(enum proc_type type, uint32_t spi_in)
{
	const struct proc_spi message = { spi_in };
	struct wr w = { 0 };

	proc_spi_encode(&w, type, &message);
	iked_send(PROC_IKE, &w, -1);
}

static int child_add(const struct proc_child *m, struct diag *diag)
{
	const struct iked_tunnel *t = iked_tunnel_find(&iked.config, m->tunnel);
	struct ktunnel *k = *tunnel_place(m->tunnel);
	struct esp_sa_conf conf = { .spi_in = m->spi_in, .spi_out = m->spi_out, .suite = m->suite, .in = &m->in, .out = &m->out,
				    .esn = m->esn, .transport = m->transport, .local_ts = &m->local_ts,
				    .remote_ts = &m->remote_ts,
				    .path = { m->path.link, m->path.local, m->path.remote, m->encap } };
	struct xfrm_way way;
	struct kchild *c;

	if (!kernel.xfrm || !t || *child_place(m->spi_in))
		return diag_set(diag, "%s", !t ? "there is no such tunnel" : !kernel.xfrm ? kernel.lack : "the SPI is taken");
	if (child_check(m, k, t, diag) != 0)
		return -1;
	conf.tunnel = k->number;
	way = way_of(k, t);
	if (xfrm_add(kernel.xfrm, &conf, &way, !m->inbound_only, diag) != 0)
		return -1;
	c = child_new(k, m->spi_in);
	fit(c, &conf.path);
	if (!m->inbound_only)
		begins_to_send(c);
	return 0;
}

static bool take_add(struct rd body)
{
	struct proc_child *m = crypto_locked_alloc(sizeof(*m));
	bool ok = proc_child_decode(body, m);
	struct diag diag;

	if (ok && child_add(m, &diag) != 0) {
		zlog_warn("tunnel %s: child SA %08x: %s", iked_tunnel_find(&iked.config, m->tunnel) ? m->tunnel : "?", m->spi_in,
			  diag.text);
		answer(PROC_CHILD_FAILED, m->spi_in);
	}
	crypto_locked_free(m, sizeof(*m));
	return ok;
}

static void failed(struct kchild *c, const struct diag *diag)
{
	zlog_warn("tunnel %s: child SA %08x: %s", c->tunnel->name, c->spi_in, diag->text);
	answer(PROC_CHILD_FAILED, c->spi_in);
}

static bool take_move(struct rd body)
{
	struct proc_move m;
	struct kchild *c;
	struct diag diag;
	struct esp_path path;

	if (!proc_move_decode(body, &m))
		return false;
	c = *child_place(m.spi_in);
	path = (struct esp_path){ m.path.link, m.path.local, m.path.remote, m.encap };
	if (!c)
		return true;
	if (xfrm_move(kernel.xfrm, m.spi_in, &path, &diag) != 0)
		failed(c, &diag);
	else
		fit(c, &path);
	return true;
}

static bool take_spi(enum proc_type type, struct rd body)
{
	struct kchild **at, *c;
	struct proc_spi m;
	struct diag diag;

	if (!proc_spi_decode(body, &m))
		return false;
	at = child_place(m.spi_in);
	c = *at;
	if (!c)
		return true;
	if (type == PROC_CHILD_DEL)
		child_drop(at);
	else if (type == PROC_CHILD_UNUSE)
		xfrm_unuse(kernel.xfrm, m.spi_in);
	else if (xfrm_use(kernel.xfrm, m.spi_in, &diag) != 0)
		failed(c, &diag);
	else if (!c->sending)
		begins_to_send(c);
	return true;
}

bool iked_kernel_take(const struct proc_header *header, struct rd body)
{
	bool ok;

	iked_privileges(true);
	switch (header->type) {
	case PROC_CHILD_ADD:
		ok = take_add(body);
		break;
	case PROC_CHILD_MOVE:
		ok = take_move(body);
		break;
	case PROC_CHILD_USE:
	case PROC_CHILD_UNUSE:
	case PROC_CHILD_DEL:
		ok = take_spi((enum proc_type)header->type, body);
		break;
	default:
		ok = false;
		break;
	}
	iked_privileges(false);
	tell_mtus();
	return ok;
}

static void on_old(struct event *t)
{
	iked_privileges(true);
	children_drop(NULL, true);
	iked_privileges(false);
	tell_mtus();
}

void iked_kernel_ike_new(void)
{
	for (struct kchild *c = kernel.all; c; c = c->next_all)
		c->orphan = true;
	EVENT_OFF(kernel.t_old);
	if (kernel.all)
		event_add_timer(iked.loop, on_old, NULL, ORPHANS_S, &kernel.t_old);
}

/* ---- what the kernel says */

static void on_moved(void *ctx, uint32_t spi_in, const struct ike_endpoint *remote)
{
	const struct proc_moved message = { spi_in, *remote };
	struct wr w = { 0 };

	proc_moved_encode(&w, &message);
	iked_send(PROC_IKE, &w, -1);
}

static void on_expiring(void *ctx, uint32_t spi_in)
{
	answer(PROC_EXPIRING, spi_in);
}

static void on_expired(void *ctx, uint32_t spi_in)
{
	answer(PROC_CHILD_FAILED, spi_in);
}

static void on_acquire(void *ctx, uint32_t number)
{
	const struct ktunnel *k = tunnel_by_number(number);

	if (k)
		iked_wanted(k->name);
}

static const struct xfrm_ops ops = { on_moved, on_expiring, on_expired, on_acquire };

static void on_events(struct event *t)
{
	event_add_read(iked.loop, on_events, NULL, xfrm_fd(kernel.xfrm), &kernel.t_events);
	xfrm_ready(kernel.xfrm);
}

/* ---- traffic, for liveness and keepalives */

static void ask_child(struct kchild *c, struct proc_times *times)
{
	uint64_t in = c->in.packets, out = c->out.packets;

	if (!child_ask(c) || (c->in.packets == in && c->out.packets == out))
		return;
	times->list[times->n].spi_in = c->spi_in;
	times->list[times->n].heard_ago_ms = c->in.packets != in ? 0 : UINT32_MAX;
	times->list[times->n].spoke_ago_ms = c->out.packets != out ? 0 : UINT32_MAX;
	times->n++;
}

static void on_poll(struct event *t)
{
	struct proc_times *times = mem_alloc(sizeof(*times));
	struct wr w = { 0 };

	_Static_assert(POLL_MAX <= PROC_TIMES_MAX, "a turn is one message");
	iked_privileges(true);
	for (unsigned i = 0; i < POLL_MAX && i < kernel.n_children; i++) {
		if (!kernel.cursor)
			kernel.cursor = kernel.all;
		ask_child(kernel.cursor, times);
		kernel.cursor = kernel.cursor->next_all;
	}
	iked_privileges(false);
	if (times->n) {
		proc_times_encode(&w, times);
		iked_send(PROC_IKE, &w, -1);
	}
	free(times);
	event_add_timer_msec(iked.loop, on_poll, NULL, POLL_MS, &kernel.t_poll);
}

bool iked_kernel_use(uint32_t spi_in, struct xfrm_use *in, struct xfrm_use *out)
{
	int ret;

	if (!*child_place(spi_in))
		return false;
	iked_privileges(true);
	ret = xfrm_query(kernel.xfrm, spi_in, in, out);
	iked_privileges(false);
	return ret == 0;
}

/* ---- life */

static int probe(struct diag *diag)
{
	int ret = xfrm_probe(diag);

	if (ret == 0)
		ret = xfrm_device_add(PROBE_DEVICE, XFRM_OURS, diag);
	if (ret == 0)
		xfrm_device_del(PROBE_DEVICE);
	return ret;
}

static void on_orphans(struct event *t)
{
	unsigned n = xfrm_orphans(kernel.xfrm);

	if (n)
		zlog_notice("%u states and policies of an earlier sav-iked that nobody made anew are removed", n);
	iked_privileges(true);
	/* where they stood, what stands for a tunnel without an SA */
	xfrm_orphans_del_all(kernel.xfrm);
	iked_privileges(false);
}

static void find_orphans(void)
{
	uint32_t if_id;

	(void)xfrm_orphans_find(kernel.xfrm);
	kernel.last_if_id = xfrm_orphans_last_if_id(kernel.xfrm);
	if_id = xfrm_device_last_if_id();
	kernel.last_if_id = if_id > kernel.last_if_id ? if_id : kernel.last_if_id;
	kernel.last_if_id = kernel.last_if_id ? kernel.last_if_id : XFRM_OURS;
	if (xfrm_orphans(kernel.xfrm) == 0)
		return;
	zlog_notice("%u states and policies of an earlier sav-iked go on until their tunnels have new ones",
		    xfrm_orphans(kernel.xfrm));
	event_add_timer(iked.loop, on_orphans, NULL, ORPHANS_S, &kernel.t_orphans);
}

void iked_kernel_start(void)
{
	struct diag diag;

	iked_privileges(true);
	if (probe(&diag) == 0)
		kernel.xfrm = xfrm_new(&ops, NULL, &diag);
	if (kernel.xfrm)
		find_orphans();
	iked_privileges(false);
	iked.config.kernel_works = kernel.xfrm != NULL;
	if (!kernel.xfrm) {
		snprintf(kernel.lack, sizeof(kernel.lack), "%s", diag.text);
		zlog_info("the kernel's ESP is not used: %s", kernel.lack);
		return;
	}
	event_add_read(iked.loop, on_events, NULL, xfrm_fd(kernel.xfrm), &kernel.t_events);
	event_add_timer_msec(iked.loop, on_poll, NULL, POLL_MS, &kernel.t_poll);
}

void iked_kernel_stop(void)
{
	if (!kernel.xfrm)
		return;
	EVENT_OFF(kernel.t_events);
	EVENT_OFF(kernel.t_poll);
	EVENT_OFF(kernel.t_orphans);
	EVENT_OFF(kernel.t_old);
	iked_privileges(true);
	children_drop(NULL, false);
	for (unsigned i = 0; i < BUCKETS; i++)
		while (kernel.tunnels[i]) {
			struct ktunnel *k = kernel.tunnels[i];
			const struct iked_tunnel *t = iked_tunnel_find(&iked.config, k->name);

			/* of a tunnel that protects, interface and policies stay: what is routed
			 * there does not go another way, in clear */
			if (!t || t->carry) {
				xfrm_untrap(kernel.xfrm, k->number);
				device_close(k);
			}
			kernel.tunnels[i] = k->next;
			device_forget(k);
			selectors_forget(k);
			iked_fit_fini(&k->fit);
			free(k);
		}
	kernel.resized = NULL;
	xfrm_free(kernel.xfrm);
	kernel.xfrm = NULL;
	iked_privileges(false);
}
