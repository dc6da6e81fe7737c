/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Tunnels to the processes: keys to the signer, public files and the tunnel to
 * ike, the device to esp. What has not changed is not told again.
 */
#include "lib/frr_compat.h"

#include <fcntl.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "log.h"

#include "ipsec/esp/esp_tun.h"
#include "ipsec/esp/ipip_device_nl.h"
#include "ipsec/esp/rtnl_nl.h"
#include "ipsec/iked_ipip.h"
#include "ipsec/iked_kernel.h"
#include "lib/digest.h"
#include "lib/fnv.h"
#include "lib/mem.h"

#define SOON_MS 100 /* a tunnel is typed in many lines */
#define MTU_DEFAULT 1400
#define BUCKETS 4096

/* An interface, of one tunnel or several. */
struct device {
	struct device *next;
	char name[IKED_IFNAME];
	unsigned users;
	struct esp_ipip ipip; /* whose near end is its address */
	int queues[ESP_WORKERS_MAX]; /* one for each worker of esp */
};

/* What a tunnel was when it was told. */
struct pushed {
	struct pushed *next;
	char name[IKE_TUNNEL_NAME];
	uint8_t digest[DIGEST_SIZE]; /* of what was told: a tunnel is large */
	bool active; /* else unfinished */
	bool seen;
	bool down; /* taken down by the operator: no new ike brings it up */
	bool warned; /* of it, or that clients share its key */
	struct device *device;
	uint32_t mtu; /* what esp has worked out, 0: nothing yet */
	char error[PROC_TEXT_MAX], last[PROC_TEXT_MAX];
};

static struct pushed *table[BUCKETS];
static struct event *t_push;
static struct device *devices;

static struct pushed **find(const char *name)
{
	struct pushed **at = &table[fnv_text(name) % BUCKETS];

	while (*at && strcmp((*at)->name, name) != 0)
		at = &(*at)->next;
	return at;
}

const char *iked_tunnel_error(const char *name)
{
	return *find(name) ? (*find(name))->error : "";
}

const char *iked_tunnel_last(const char *name)
{
	return *find(name) ? (*find(name))->last : "";
}

static void set_error(struct pushed *p, const char *text)
{
	if (text[0] && strcmp(p->error, text) != 0)
		zlog_warn("tunnel %s: %s", p->name, text);
	snprintf(p->error, sizeof(p->error), "%s", text);
}

void iked_note_key(const struct proc_key_state *state)
{
	struct pushed *p = *find(state->tunnel);

	if (p && !state->ok)
		set_error(p, state->text);
}

void iked_note_event(const struct proc_event *e)
{
	struct pushed *p = e->tunnel[0] ? *find(e->tunnel) : NULL;

	if (p)
		snprintf(p->last, sizeof(p->last), "%s", e->text);
}

/* ---- to the signer */

static void send_key(const struct iked_tunnel *t, enum proc_key_kind kind, const char *file)
{
	struct proc_key key = { .kind = (uint8_t)kind };
	struct wr w = { 0 };

	snprintf(key.tunnel, sizeof(key.tunnel), "%s", t->t.name);
	snprintf(key.file, sizeof(key.file), "%s", file);
	proc_key_encode(&w, &key);
	iked_send(PROC_SIGNER, &w, -1);
}

static void push_keys(const struct iked_tunnel *t)
{
	if (t->t.keys[0])
		return; /* another one has them */
	if (t->psk[0])
		send_key(t, PROC_KEY_PSK, t->psk);
	if (t->key[0])
		send_key(t, PROC_KEY_PRIVATE, t->key);
}

static void send_name(enum proc_who who, enum proc_type type, const char *name)
{
	struct proc_name message = { "" };
	struct wr w = { 0 };

	snprintf(message.name, sizeof(message.name), "%s", name);
	proc_name_encode(&w, type, &message);
	iked_send(who, &w, -1);
}

/* ---- to ike */

static void send_file(struct pushed *p, enum proc_file_kind kind, const char *name)
{
	struct proc_file file = { .kind = (uint8_t)kind };
	char path[sizeof(iked.keys) + PROC_PATH_MAX + 2], why[PROC_TEXT_MAX];
	struct wr w = { 0 };
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", iked.keys, name);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		snprintf(why, sizeof(why), "file %s: %s", path, fd < 0 ? strerror(errno) : "not a plain file");
		set_error(p, why);
		if (fd >= 0)
			close(fd);
		/* ike has to know that there should be one: of CRLs most of all */
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	}
	snprintf(file.tunnel, sizeof(file.tunnel), "%s", p->name);
	snprintf(file.name, sizeof(file.name), "%s", name);
	proc_file_encode(&w, &file);
	iked_send(PROC_IKE, &w, fd);
	if (fd >= 0)
		close(fd);
}

static void send_files(struct pushed *p, enum proc_file_kind kind, const struct iked_files *files)
{
	for (unsigned i = 0; i < files->n; i++)
		send_file(p, kind, files->name[i]);
}

static void send_up(const struct iked_tunnel *t)
{
	const struct iked_link *link = iked_link_find(&iked.config, t->link);
	enum ip_family family = (enum ip_family)t->t.remote_addr.family;
	struct proc_command c = { .verb = PROC_UP };
	struct wr w = { 0 };

	snprintf(c.tunnel, sizeof(c.tunnel), "%s", t->t.name);
	c.path.link = link->number;
	c.path.remote.addr = t->t.remote_addr;
	c.path.local.addr.family = (uint8_t)family;
	/* without an address now: the socket that comes with one tells ike */
	(void)iked_link_address(link, family, &c.path.local.addr);
	proc_command_encode(&w, &c);
	iked_send(PROC_IKE, &w, -1);
}

static void push_files(struct pushed *p, const struct iked_tunnel *t)
{
	if (t->t.keys[0])
		return;
	if (t->cert[0])
		send_file(p, PROC_FILE_OWN, t->cert);
	send_files(p, PROC_FILE_CA, &t->ca);
	send_files(p, PROC_FILE_CRL, &t->crl);
	send_files(p, PROC_FILE_PEER, &t->peer);
}

void iked_note_down(const char *name, bool down)
{
	struct pushed *p = *find(name);

	if (p)
		p->down = down;
}

/* And what the files hold, which are read anew. */
static void send_tunnel(struct pushed *p, const struct iked_tunnel *t)
{
	struct ike_tunnel resolved;
	struct wr w = { 0 };

	push_files(p, t);
	iked_tunnel_resolve(&iked.config, t, &resolved);
	proc_tunnel_encode(&w, &resolved);
	iked_send(PROC_IKE, &w, -1);
}

static void push_tunnel(struct pushed *p, const struct iked_tunnel *t)
{
	send_tunnel(p, t);
	if (t->start == IKED_AUTO && !p->down)
		send_up(t);
}

void iked_reload(void)
{
	for (const struct iked_tunnel *t = iked.config.tunnels; t; t = t->next) {
		struct pushed *p = *find(t->t.name);

		if (!p || !p->active || iked_tunnel_missing(&iked.config, t))
			continue;
		p->error[0] = '\0';
		push_keys(t);
		send_tunnel(p, t);
	}
}

/* ---- to esp */

static void device_up(const char *name, uint32_t mtu)
{
	struct ifreq ifr = { 0 };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	ifr.ifr_mtu = (int)mtu;
	if (fd < 0 || ioctl(fd, SIOCSIFMTU, &ifr) < 0)
		zlog_warn("device %s: MTU %u: %s", name, mtu, strerror(errno));
	if (fd >= 0 && ioctl(fd, SIOCGIFFLAGS, &ifr) == 0) {
		ifr.ifr_flags |= IFF_UP;
		(void)ioctl(fd, SIOCSIFFLAGS, &ifr);
	}
	if (fd >= 0)
		close(fd);
}

static void queues_close(struct device *d)
{
	for (unsigned i = 0; i < ESP_WORKERS_MAX; i++) {
		if (d->queues[i] >= 0)
			close(d->queues[i]);
		d->queues[i] = -1;
	}
}

static int queues_open(struct device *d, uint32_t mtu, struct diag *diag)
{
	int ret = 0;

	iked_privileges(true);
	for (unsigned i = 0; i < iked.esp_threads && ret == 0; i++) {
		d->queues[i] = esp_tun_open(d->name, iked.esp_threads > 1, diag);
		ret = d->queues[i] < 0 ? -1 : 0;
	}
	if (ret == 0)
		device_up(d->name, mtu);
	iked_privileges(false);
	if (ret != 0)
		queues_close(d);
	return ret;
}

/* At once: esp has its queues until it reads that it shall give them up, and the
 * name may be wanted for another device before that. */
static void device_delete(struct device *d)
{
	char name[IF_NAMESIZE];

	if (d->queues[0] >= 0 && esp_tun_name(d->queues[0], name)) {
		iked_privileges(true);
		rtnl_link_del(name);
		iked_privileges(false);
	}
	queues_close(d);
}

/* No longer this tunnel's, and gone if it was the last one's. */
static void device_leave(struct pushed *p)
{
	struct device *d = p->device;

	p->device = NULL;
	if (!d || --d->users > 0)
		return;
	for (struct device **at = &devices; *at; at = &(*at)->next)
		if (*at == d) {
			*at = d->next;
			break;
		}
	device_delete(d);
	free(d);
}

static struct device *device_find(const char *name)
{
	struct device *d = devices;

	while (d && strcmp(d->name, name) != 0)
		d = d->next;
	return d;
}

static uint32_t mtu_of(const struct pushed *p, const struct iked_tunnel *t)
{
	return t->mtu ? t->mtu : p->mtu ? p->mtu : MTU_DEFAULT;
}

static void device_open(struct pushed *p, const struct iked_tunnel *t)
{
	char name[IKED_IFNAME];
	struct diag diag;
	struct device *d;

	iked_tunnel_device(t, name);
	if (iked.without_esp || (p->device && strcmp(p->device->name, name) == 0))
		return;
	device_leave(p);
	d = device_find(name);
	if (!d) {
		d = mem_alloc(sizeof(*d));
		snprintf(d->name, sizeof(d->name), "%s", name);
		for (unsigned i = 0; i < ESP_WORKERS_MAX; i++)
			d->queues[i] = -1;
		if (queues_open(d, mtu_of(p, t), &diag) != 0) {
			set_error(p, diag.text);
			free(d);
			return;
		}
		d->next = devices;
		devices = d;
	}
	d->users++;
	p->device = d;
}

/* IP in IP's near end as the interface's address, in place of an earlier one. */
static void device_address(struct pushed *p, const struct iked_tunnel *t)
{
	struct device *d = p->device;
	struct diag diag;

	if (d->users > 1 && (iked_has_ipip(t) || d->ipip.local.v)) {
		diag_set(&diag, "another tunnel has the interface %s too, and ipip needs one of its own: \"device IFNAME\"", d->name);
		set_error(p, diag.text);
		return;
	}
	iked_privileges(true);
	if (d->ipip.local.v)
		ipip_address_del(d->name, &d->ipip);
	d->ipip = t->ipip;
	if (iked_has_ipip(t) && ipip_address_add(d->name, &d->ipip, &diag) != 0)
		set_error(p, diag.text);
	iked_privileges(false);
}

static void tell_device(const struct pushed *p, const struct iked_tunnel *t)
{
	for (unsigned i = 0; i < iked.esp_threads; i++) {
		struct proc_device device = { .mtu = mtu_of(p, t), .worker = i, .many = t->t.remote_id.type == 0, .ipip_local = p->device->ipip.local,
					      .ipip_remote = p->device->ipip.remote };
		struct wr w = { 0 };

		snprintf(device.tunnel, sizeof(device.tunnel), "%s", p->name);
		snprintf(device.device, sizeof(device.device), "%s", p->device->name);
		proc_device_encode(&w, &device);
		iked_send(PROC_ESP, &w, p->device->queues[i]);
	}
}

static void kernel_up(const struct iked_tunnel *t)
{
	uint32_t header = iked_ipip_header(t), fits = iked_kernel_mtu(t->t.name);
	uint32_t mtu = t->mtu ? t->mtu : (fits ? fits : MTU_DEFAULT) - header;
	char name[IKED_IFNAME];

	iked_privileges(true);
	if (header)
		device_up(iked_ipip_below(t, name), mtu + header);
	device_up(iked_tunnel_device(t, name), mtu);
	iked_privileges(false);
}

static void tun_leave(struct pushed *p)
{
	if (!p->device)
		return;
	send_name(PROC_ESP, PROC_DEVICE_GONE, p->name);
	device_leave(p);
}

/* Tunnels may share one, so all leave before the first gets the kernel's. */
static void tuns_leave(void)
{
	for (const struct iked_tunnel *t = iked.config.tunnels; t; t = t->next) {
		struct pushed *p = *find(t->t.name);

		if (p && p->device && iked_link_is_kernel(&iked.config, t->link))
			tun_leave(p);
	}
}

/* The kernel's ESP: an xfrm interface takes the place of the TUN device. */
static void push_kernel(struct pushed *p, const struct iked_tunnel *t)
{
	struct diag diag;

	tun_leave(p);
	if (iked_kernel_tunnel(t, &diag) != 0) {
		set_error(p, diag.text);
		return;
	}
	if (!t->t.transport)
		kernel_up(t);
}

static void push_device(struct pushed *p, const struct iked_tunnel *t)
{
	if (iked_tunnel_is_frame(t))
		return;
	if (iked_link_is_kernel(&iked.config, t->link)) {
		push_kernel(p, t);
		return;
	}
	iked_kernel_tunnel_gone(p->name);
	device_open(p, t);
	if (!p->device)
		return;
	device_address(p, t);
	tell_device(p, t);
}

void iked_tunnel_mtu(const struct proc_mtu *mtu)
{
	const struct iked_tunnel *t = iked_tunnel_find(&iked.config, mtu->tunnel);
	struct pushed *p = *find(mtu->tunnel);
	bool kernel = t && iked_link_is_kernel(&iked.config, t->link);

	if (kernel) {
		if (!t->mtu)
			kernel_up(t);
		return;
	}
	if (!t || !p || !p->device || p->mtu == mtu->mtu)
		return;
	p->mtu = mtu->mtu;
	if (t->mtu)
		return;
	zlog_info("tunnel %s: interface %s has an MTU of %u", p->name, p->device->name, mtu->mtu);
	iked_privileges(true);
	device_up(p->device->name, mtu->mtu);
	iked_privileges(false);
}

void iked_device_lost(const char *tunnel)
{
	const struct iked_tunnel *t = iked_tunnel_find(&iked.config, tunnel);
	struct pushed *lost = *find(tunnel);
	struct device *d = lost ? lost->device : NULL;
	char name[IF_NAMESIZE];
	struct diag diag;

	/* it may speak of one that we have deleted ourselves */
	if (!d || !t || (d->queues[0] >= 0 && esp_tun_name(d->queues[0], name)))
		return;
	zlog_warn("interface %s was deleted; it is made anew", d->name);
	queues_close(d);
	if (queues_open(d, mtu_of(lost, t), &diag) != 0) {
		set_error(lost, diag.text);
		return;
	}
	device_address(lost, t);
	/* esp knows which tunnels have it: one of them is enough */
	tell_device(lost, t);
	iked_publish_soon();
}

/* ---- what changed */

static void gone(struct pushed *p)
{
	send_name(PROC_IKE, PROC_TUNNEL_GONE, p->name);
	send_name(PROC_SIGNER, PROC_KEY_GONE, p->name);
	send_name(PROC_ESP, PROC_DEVICE_GONE, p->name);
	iked_kernel_tunnel_gone(p->name);
	device_leave(p);
	p->active = false;
}

/* Clients that share their tunnel's key are thousands: one line for all. */
static void warn(struct pushed *p, const struct iked_tunnel *t)
{
	const char *text = iked_tunnel_warning(t);
	struct pushed *of = iked_client_shares_key(t) ? *find(t->of) : NULL, *whose = of ? of : p;

	if (!text[0] || whose->warned)
		return;
	zlog_warn("tunnel %s: %s", whose->name, text);
	whose->warned = true;
}

static void push_one(const struct iked_tunnel *t)
{
	struct pushed **at = find(t->t.name), *p = *at;
	const char *missing = iked_tunnel_missing(&iked.config, t);
	uint8_t digest[DIGEST_SIZE];

	if (!p) {
		p = *at = mem_alloc(sizeof(*p));
		snprintf(p->name, sizeof(p->name), "%s", t->t.name);
	}
	p->seen = true;
	iked_tunnel_digest(&iked.config, t, digest);
	if (p->active && !missing && digest_equal(digest, p->digest, sizeof(digest)))
		return;
	if (p->active && missing)
		gone(p);
	memcpy(p->digest, digest, sizeof(digest));
	p->active = !missing;
	p->warned = false;
	p->error[0] = '\0';
	if (missing)
		return;
	warn(p, t);
	push_keys(t);
	push_device(p, t);
	push_tunnel(p, t);
}

static void push_changes(struct event *t)
{
	iked_links_check(); /* one may have another datapath now */
	tuns_leave();
	iked_protect(); /* before there is anything that could go */
	for (unsigned i = 0; i < BUCKETS; i++)
		for (struct pushed *p = table[i]; p; p = p->next)
			p->seen = false;
	for (const struct iked_tunnel *tunnel = iked.config.tunnels; tunnel; tunnel = tunnel->next)
		push_one(tunnel);
	for (unsigned i = 0; i < BUCKETS; i++)
		for (struct pushed **at = &table[i]; *at;) {
			struct pushed *p = *at;

			if (p->seen) {
				at = &p->next;
				continue;
			}
			if (p->active)
				gone(p);
			*at = p->next;
			free(p);
		}
	iked_publish_soon();
}

void iked_changed(void)
{
	if (!t_push)
		event_add_timer_msec(iked.loop, push_changes, NULL, SOON_MS, &t_push);
}

void iked_push_now(void)
{
	if (!t_push)
		return;
	EVENT_OFF(t_push);
	push_changes(NULL);
}

void iked_push_all(enum proc_who who)
{
	for (const struct iked_tunnel *t = iked.config.tunnels; t; t = t->next) {
		struct pushed *p = *find(t->t.name);

		/* one that has changed meanwhile is told anew soon */
		if (!p || !p->active || iked_tunnel_missing(&iked.config, t))
			continue;
		if (who == PROC_SIGNER)
			push_keys(t);
		else if (who == PROC_IKE)
			push_tunnel(p, t);
		else if (who == PROC_ESP)
			push_device(p, t);
	}
}

void iked_push_stop(void)
{
	EVENT_OFF(t_push);
}

void iked_wanted(const char *name)
{
	const struct iked_tunnel *t = iked_tunnel_find(&iked.config, name);
	struct diag diag;

	if (t && t->start == IKED_TRAP && iked_up(name, &diag) != 0)
		zlog_warn("tunnel %s: a packet waits: %s", name, diag.text);
}
