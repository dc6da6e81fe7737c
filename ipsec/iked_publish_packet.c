/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What the tunnels are, for who wants to know: a unix socket whose subscribers get
 * a snapshot and then changes (schema/tunnel_update.h).
 */
#include "lib/frr_compat.h"

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "libfrr.h"
#include "log.h"
#include "privs.h"

#include "ipsec/iked.h"
#include "ipsec/iked_ipip.h"
#include "ipsec/iked_virtual.h"
#include "lib/fnv.h"
#include "lib/mem.h"
#include "schema/tunnel_update.h"

#define SOON_MS 20
#define SUBSCRIBERS_MAX 32
#define IKE_LOST_S 20 /* a new ike has its tunnels up by then, or they are down */
#define MTU_DEFAULT 1400
#define BUCKETS 4096

/* A tunnel as it was published last, and what ike says of it. */
struct published {
	struct published *next;
	char name[IKE_TUNNEL_NAME];
	struct wr packed; /* its message; empty: not yet told */
	bool seen;
	bool up;
	int64_t since_s; /* of the day: it came up or went down last; 0 neither */
	bool stale; /* that was said by an ike that is no more */
	struct ike_endpoint local, remote;
	struct ike_ts_list *local_ts, *remote_ts; /* agreed upon; NULL: as configured */
};

struct subscriber {
	struct subscriber *next;
	struct proc_chan *chan;
	struct event *t_read, *t_write;
};

static struct {
	struct published *table[BUCKETS];
	struct subscriber *subscribers;
	unsigned n_subscribers;
	int fd; /* listens */
	int ask; /* for interfaces */
	struct event *t_accept, *t_soon, *t_lost;
	char path[108];
} publish = { .fd = -1, .ask = -1 };

static struct published **find(const char *name)
{
	struct published **at = &publish.table[fnv_text(name) % BUCKETS];

	while (*at && strcmp((*at)->name, name) != 0)
		at = &(*at)->next;
	return at;
}

static struct published *get(const char *name)
{
	struct published **at = find(name);

	if (!*at) {
		*at = mem_alloc(sizeof(**at));
		snprintf((*at)->name, sizeof((*at)->name), "%s", name);
	}
	return *at;
}

static void forget_selectors(struct published *p)
{
	free(p->local_ts);
	free(p->remote_ts);
	p->local_ts = p->remote_ts = NULL;
}

/* ---- subscribers */

static void subscriber_drop(struct subscriber *s)
{
	struct subscriber **at = &publish.subscribers;

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	publish.n_subscribers--;
	EVENT_OFF(s->t_read);
	EVENT_OFF(s->t_write);
	proc_chan_free(s->chan);
	free(s);
}

static void on_write(struct event *t)
{
	struct subscriber *s = EVENT_ARG(t);

	proc_chan_flush(s->chan);
	if (proc_chan_is_broken(s->chan))
		subscriber_drop(s);
	else if (proc_chan_wants_write(s->chan))
		event_add_write(iked.loop, on_write, s, proc_chan_fd(s->chan), &s->t_write);
}

/* Whatever can be read is the end: subscribers have nothing to say. */
static void on_read(struct event *t)
{
	subscriber_drop(EVENT_ARG(t));
}

static void send_packed(struct subscriber *s, const struct wr *packed)
{
	struct wr w = { 0 };

	wr_bytes(&w, packed->data, packed->len);
	proc_chan_send(s->chan, &w, -1);
	if ((proc_chan_wants_write(s->chan) || proc_chan_is_broken(s->chan)) && !s->t_write)
		event_add_write(iked.loop, on_write, s, proc_chan_fd(s->chan), &s->t_write);
}

static void send_all(const struct wr *packed)
{
	for (struct subscriber *s = publish.subscribers; s; s = s->next)
		send_packed(s, packed);
}

static void send_snapshot(struct subscriber *s)
{
	const struct tunnel_update complete = { .type = TUNNEL_UPDATE_COMPLETE };
	struct wr w = { 0 };

	for (unsigned i = 0; i < BUCKETS; i++)
		for (struct published *p = publish.table[i]; p; p = p->next)
			if (p->packed.len)
				send_packed(s, &p->packed);
	tunnel_update_pack(&complete, &w);
	send_packed(s, &w);
	wr_fini(&w);
}

static void on_accept(struct event *t)
{
	int fd = accept4(publish.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct subscriber *s;

	event_add_read(iked.loop, on_accept, NULL, publish.fd, &publish.t_accept);
	if (fd < 0)
		return;
	if (publish.n_subscribers == SUBSCRIBERS_MAX) {
		zlog_warn("%s: more than %u want to know of tunnels: one is turned away", publish.path, SUBSCRIBERS_MAX);
		close(fd);
		return;
	}
	s = mem_alloc(sizeof(*s));
	s->chan = proc_chan_new(fd);
	s->next = publish.subscribers;
	publish.subscribers = s;
	publish.n_subscribers++;
	event_add_read(iked.loop, on_read, s, fd, &s->t_read);
	send_snapshot(s);
}

/* ---- what a tunnel is now */

static void put_interface(struct tunnel_state *out, const struct iked_tunnel *t)
{
	struct ifreq ifr = { 0 };

	out->mtu = t->mtu ? t->mtu : MTU_DEFAULT;
	iked_tunnel_device(t, out->interface);
	if (!filter_ifname_is_valid(out->interface)) {
		out->interface[0] = '\0';
		return;
	}
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", out->interface);
	if (publish.ask < 0 || ioctl(publish.ask, SIOCGIFINDEX, &ifr) < 0)
		return;
	out->ifindex = (uint32_t)ifr.ifr_ifindex;
	if (ioctl(publish.ask, SIOCGIFMTU, &ifr) == 0)
		out->mtu = (uint32_t)ifr.ifr_mtu;
}

static size_t put_selectors(struct tunnel_selector *out, const struct ike_ts_list *list)
{
	for (unsigned i = 0; i < list->n; i++)
		out[i] = (struct tunnel_selector){ list->list[i].first, list->list[i].last, list->list[i].protocol,
						   list->list[i].port_first, list->list[i].port_last };
	return list->n;
}

static struct tunnel_end end_of(const struct ike_endpoint *e)
{
	return (struct tunnel_end){ e->addr.v != 0, e->addr, e->port };
}

static void put_ends(struct tunnel_state *out, const struct published *p, const struct iked_tunnel *t,
		     const struct iked_link *link)
{
	struct ike_endpoint local = { .addr.family = t->t.remote_addr.family }, remote = { t->t.remote_addr, t->t.remote_port };

	if (p->up) {
		out->local = end_of(&p->local);
		out->remote = end_of(&p->remote);
		return;
	}
	if (remote.addr.v)
		(void)iked_link_address(link, (enum ip_family)remote.addr.family, &local.addr);
	out->local = end_of(&local);
	out->remote = end_of(&remote);
}

static void put_carried(struct tunnel_state *out, const struct published *p, const struct iked_tunnel *t,
			const struct ike_tunnel *resolved)
{
	struct ike_ts_list inside;

	if (iked_has_ipip(t)) {
		iked_ipip_inside(&iked.config, t, &inside);
		out->n_local = put_selectors(out->local_ts, &inside);
		out->n_remote = put_selectors(out->remote_ts, &inside);
		return;
	}
	out->n_local = put_selectors(out->local_ts, p->local_ts ? p->local_ts : resolved->local_ts);
	out->n_remote = put_selectors(out->remote_ts, p->remote_ts ? p->remote_ts : resolved->remote_ts);
}

static void set_up(struct published *p, bool up)
{
	if (p->up != up)
		p->since_s = time(NULL);
	p->up = up;
}

static void describe(const struct published *p, const struct iked_tunnel *t, struct tunnel_update *out)
{
	const struct iked_link *link = iked_link_find(&iked.config, t->link);
	struct tunnel_state *state = &out->tunnel;
	struct ike_tunnel resolved;

	_Static_assert(TUNNEL_SELECTORS_MAX >= IKE_TS_MAX, "all selectors of a tunnel can be told");
	_Static_assert(sizeof(state->identity) >= IKE_IDENTITY_TEXT, "any identity can be told");
	*out = (struct tunnel_update){ .type = TUNNEL_UPDATE_TUNNEL };
	iked_tunnel_resolve(&iked.config, t, &resolved);
	snprintf(state->name, sizeof(state->name), "%s", t->t.name);
	state->up = p->up;
	state->since_s = p->since_s;
	snprintf(state->client_of, sizeof(state->client_of), "%s", t->of);
	if (t->has_remote_id)
		ike_identity_format(&t->t.remote_id, state->identity);
	for (char *c = state->identity; *c; c++)
		*c = *c < ' ' || *c > '~' ? '?' : *c;
	put_interface(state, t);
	if (link) {
		snprintf(state->link, sizeof(state->link), "%s", link->name);
		state->link_mark = link->mark;
		put_ends(state, p, t, link);
	}
	state->protect = !t->carry;
	put_carried(state, p, t, &resolved);
}

static void publish_one(struct published *p, const struct iked_tunnel *t)
{
	struct tunnel_update *msg = mem_alloc(sizeof(*msg));
	struct wr w = { 0 };

	iked_virtual_set(t, p->up ? p->local_ts : NULL);
	describe(p, t, msg);
	tunnel_update_pack(msg, &w);
	free(msg);
	if (w.len == p->packed.len && memcmp(w.data, p->packed.data, w.len) == 0) {
		wr_fini(&w);
		return;
	}
	wr_fini(&p->packed);
	p->packed = w;
	send_all(&p->packed);
}

static void drop(struct published **at, bool say)
{
	struct published *p = *at;
	struct tunnel_update *msg;
	struct wr w = { 0 };

	if (say && p->packed.len) {
		msg = mem_alloc(sizeof(*msg));
		msg->type = TUNNEL_UPDATE_GONE;
		snprintf(msg->tunnel.name, sizeof(msg->tunnel.name), "%s", p->name);
		tunnel_update_pack(msg, &w);
		send_all(&w);
		wr_fini(&w);
		free(msg);
	}
	*at = p->next;
	iked_virtual_gone(p->name);
	forget_selectors(p);
	wr_fini(&p->packed);
	free(p);
}

static void drop_unseen(bool say)
{
	for (unsigned i = 0; i < BUCKETS; i++)
		for (struct published **at = &publish.table[i]; *at;) {
			if ((*at)->seen)
				at = &(*at)->next;
			else
				drop(at, say);
		}
}

static void publish_all(struct event *t)
{
	for (unsigned i = 0; i < BUCKETS; i++)
		for (struct published *p = publish.table[i]; p; p = p->next)
			p->seen = false;
	for (const struct iked_tunnel *tunnel = iked.config.tunnels; tunnel; tunnel = tunnel->next) {
		struct published *p;

		if (iked_tunnel_is_frame(tunnel))
			continue; /* no tunnel, but what its clients have in common */
		p = get(tunnel->t.name);
		p->seen = true;
		publish_one(p, tunnel);
	}
	drop_unseen(true);
}

void iked_publish_soon(void)
{
	if (!publish.t_soon)
		event_add_timer_msec(iked.loop, publish_all, NULL, SOON_MS, &publish.t_soon);
}

/* ---- what ike says */

static struct ike_ts_list *ts_dup(const struct ike_ts_list *list)
{
	return mem_dup(list, offsetof(struct ike_ts_list, list) + list->n * sizeof(list->list[0]));
}

void iked_publish_carries(const struct proc_carries *c)
{
	const struct iked_tunnel *t = iked_tunnel_find(&iked.config, c->tunnel);
	struct published *p;

	if (!t)
		return;
	p = get(c->tunnel);
	p->stale = false;
	set_up(p, c->up);
	p->local = c->path.local;
	p->remote = c->path.remote;
	forget_selectors(p);
	if (c->up) {
		p->local_ts = ts_dup(&c->local_ts);
		p->remote_ts = ts_dup(&c->remote_ts);
	}
	publish_one(p, t);
}

bool iked_publish_is_up(const char *tunnel)
{
	const struct published *p = *find(tunnel);

	return p && p->up;
}

static void ike_stays_lost(struct event *t)
{
	for (unsigned i = 0; i < BUCKETS; i++)
		for (struct published *p = publish.table[i]; p; p = p->next)
			if (p->stale) {
				p->stale = false;
				set_up(p, false);
				forget_selectors(p);
			}
	publish_all(NULL);
}

void iked_publish_ike_lost(void)
{
	for (unsigned i = 0; i < BUCKETS; i++)
		for (struct published *p = publish.table[i]; p; p = p->next)
			p->stale = p->up;
	EVENT_OFF(publish.t_lost);
	event_add_timer(iked.loop, ike_stays_lost, NULL, IKE_LOST_S, &publish.t_lost);
}

/* ---- life */

static int listen_on(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct zprivs_ids_t ids;
	mode_t mask;
	int fd;

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	unlink(path);
	mask = umask(0117); /* as libfrr's own sockets */
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 || listen(fd, SUBSCRIBERS_MAX) < 0) {
		umask(mask);
		close(fd);
		return -1;
	}
	umask(mask);
	zprivs_get_ids(&ids);
	if (ids.gid_vty != (gid_t)-1 && chown(path, (uid_t)-1, ids.gid_vty) < 0)
		zlog_warn("%s: group: %s", path, strerror(errno));
	return fd;
}

void iked_publish_start(const char *directory)
{
	if (snprintf(publish.path, sizeof(publish.path), "%s/%s", directory, TUNNEL_SOCKET_NAME) >= (int)sizeof(publish.path)) {
		zlog_warn("%s is too long a name for a socket: nobody is told of tunnels", directory);
		return;
	}
	publish.ask = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	publish.fd = listen_on(publish.path);
	if (publish.fd < 0)
		zlog_warn("%s: %s: nobody is told of tunnels", publish.path, strerror(errno));
	else
		event_add_read(iked.loop, on_accept, NULL, publish.fd, &publish.t_accept);
	iked_publish_soon();
}

void iked_publish_stop(void)
{
	EVENT_OFF(publish.t_accept);
	EVENT_OFF(publish.t_soon);
	EVENT_OFF(publish.t_lost);
	while (publish.subscribers)
		subscriber_drop(publish.subscribers);
	for (unsigned i = 0; i < BUCKETS; i++)
		while (publish.table[i])
			drop(&publish.table[i], false);
	if (publish.fd >= 0) {
		close(publish.fd);
		unlink(publish.path);
	}
	if (publish.ask >= 0)
		close(publish.ask);
	publish.fd = publish.ask = -1;
}
