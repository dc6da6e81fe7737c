/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * sav-esp - the user-space ESP datapath of sav-iked.
 *
 * Started by sav-iked with a socket to it as descriptor 3; ends when that closes.
 * Devices and sockets come from there, session keys from the IKE process. The main
 * thread controls, the workers of esp_crew.h carry packets. Once
 * it serves it can open neither files nor sockets. It goes on when the IKE
 * process dies: the SAs of the dead one carry packets until those of its
 * successor take their place.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ipsec/esp/esp_crew.h"
#include "ipsec/helper.h"
#include "ipsec/proc.h"
#include "lib/mem.h"
#include "lib/sandbox.h"

#define EVENTS_MAX     64
#define MESSAGES_MAX   64 /* of one channel at a wake-up */
#define FLUSH_EVERY_MS 1000
#define WANTED_EVERY_MS 1000
#define MTU_MIN 1280 /* of a device */
#define ORPHANS_MS (300 * 1000) /* a dead IKE process's SAs; as the kernel's (iked_kernel_packet.c) */

struct tunnel {
	char name[IKE_TUNNEL_NAME];
	uint32_t number, device;
	bool many; /* peers */
	struct esp_ipip ipip;
	uint64_t wanted_ms; /* when main was told last that packets want in */
	uint32_t room, told_mtu;
};

struct device {
	char name[16];
	uint32_t number;
	bool has[ESP_WORKERS_MAX]; /* that worker its queue */
};

static struct {
	struct esp_crew *crew;
	struct proc_chan *main, *ike; /* ike may be NULL */
	int epoll;
	struct tunnel *tunnels;
	size_t n_tunnels;
	struct device *devices;
	size_t n_devices;
	uint32_t last_number;
	uint64_t orphaned_ms; /* when SAs became orphans last; 0: there are none */
	uint64_t looked_ms;   /* for those that have waited long enough */
	uint64_t ike_dropped; /* messages that its process had no room for */
} esp;

/* ---- what the workers say */

static void watch(int fd)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.fd = fd };

	(void)epoll_ctl(esp.epoll, EPOLL_CTL_ADD, fd, &ev);
}

static void unwatch(int fd)
{
	(void)epoll_ctl(esp.epoll, EPOLL_CTL_DEL, fd, NULL);
}

static void send_ike(struct wr *w)
{
	if (esp.ike)
		proc_chan_send(esp.ike, w, -1);
	wr_fini(w);
}

static void send_spi(enum proc_type type, uint32_t spi_in)
{
	struct proc_spi spi = { spi_in };
	struct wr w = { 0 };

	proc_spi_encode(&w, type, &spi);
	send_ike(&w);
}

static void on_ike(void *ctx, uint32_t link, const struct ike_endpoint *from, const uint8_t *data, size_t len)
{
	struct proc_packet packet = {
		.path = { .link = link, .local.port = IKE_NATT_PORT, .remote = *from },
		.data = { data, len },
	};
	struct wr w = { 0 };

	packet.path.local.addr.family = from->addr.family;
	proc_packet_encode(&w, &packet);
	/* anybody can send so many that they would be the end of the channel */
	if (esp.ike)
		esp.ike_dropped += !proc_chan_offer(esp.ike, &w);
	wr_fini(&w);
}

static void on_moved(void *ctx, uint32_t spi_in, const struct ike_endpoint *remote)
{
	struct proc_moved moved = { spi_in, *remote };
	struct wr w = { 0 };

	proc_moved_encode(&w, &moved);
	send_ike(&w);
}

static void on_expiring(void *ctx, uint32_t spi_in)
{
	send_spi(PROC_EXPIRING, spi_in);
}

/* A device of one tunnel says which is wanted; of a shared one, the first that is
 * there (a head end's clients begin themselves). */
static void on_wanted(void *ctx, uint32_t device)
{
	uint64_t now = helper_now_ms();

	for (size_t i = 0; i < esp.n_tunnels; i++) {
		struct tunnel *t = &esp.tunnels[i];
		struct proc_name name = { { 0 } };
		struct wr w = { 0 };

		if (t->device != device)
			continue;
		if (t->wanted_ms != 0 && now < t->wanted_ms + WANTED_EVERY_MS)
			return;
		t->wanted_ms = now;
		memcpy(name.name, t->name, sizeof(name.name));
		proc_name_encode(&w, PROC_WANTED, &name);
		proc_chan_send(esp.main, &w, -1);
		return;
	}
}

/* The most that its tunnels carry whole is the device's MTU, of a shared one the
 * least of them; and what ICMP tells of one's path is for that one only. Below
 * 1280 the kernel would take IPv6 away: the rest is cut (RFC 2473 7.1). */
static void mtu_tell(const struct tunnel *changed)
{
	uint32_t least = changed->room;
	struct proc_mtu mtu;
	struct wr w = { 0 };

	for (size_t i = 0; i < esp.n_tunnels; i++)
		if (esp.tunnels[i].device == changed->device && esp.tunnels[i].room != 0 && esp.tunnels[i].room < least)
			least = esp.tunnels[i].room;
	if (least < MTU_MIN)
		least = MTU_MIN;
	for (size_t i = 0; i < esp.n_tunnels; i++) {
		struct tunnel *t = &esp.tunnels[i];

		if (t->device != changed->device)
			continue;
		if (t->told_mtu == least)
			return;
		t->told_mtu = mtu.mtu = least;
		memcpy(mtu.tunnel, t->name, sizeof(mtu.tunnel));
		proc_mtu_encode(&w, &mtu);
		proc_chan_send(esp.main, &w, -1);
		return;
	}
}

static bool is_shared(const struct tunnel *tunnel)
{
	for (size_t i = 0; i < esp.n_tunnels; i++)
		if (&esp.tunnels[i] != tunnel && esp.tunnels[i].device == tunnel->device)
			return true;
	return false;
}

/* What fits one of many peers is for all if it is the least of them, and does not
 * come from its path alone. */
static bool is_news(const struct tunnel *t, uint32_t bytes, bool learnt)
{
	if (t->room == bytes || (learnt && (t->many || is_shared(t))))
		return false;
	return !t->many || t->room == 0 || bytes < t->room;
}

static void on_room(void *ctx, uint32_t owner, uint32_t bytes, bool learnt)
{
	for (size_t i = 0; i < esp.n_tunnels; i++) {
		struct tunnel *t = &esp.tunnels[i];

		if (t->number != owner)
			continue;
		if (is_news(t, bytes, learnt)) {
			t->room = bytes;
			mtu_tell(t);
		}
		return;
	}
}

static struct device *device_by_number(uint32_t number)
{
	for (size_t i = 0; i < esp.n_devices; i++)
		if (esp.devices[i].number == number)
			return &esp.devices[i];
	return NULL;
}

static void on_lost(void *ctx, uint32_t device)
{
	struct device *d = device_by_number(device);

	if (d)
		memset(d->has, 0, sizeof(d->has));
	for (size_t i = 0; i < esp.n_tunnels; i++) {
		struct proc_name name;
		struct wr w = { 0 };

		if (esp.tunnels[i].device != device)
			continue;
		/* main knows which others share it */
		memcpy(name.name, esp.tunnels[i].name, sizeof(name.name));
		proc_name_encode(&w, PROC_DEVICE_LOST, &name);
		proc_chan_send(esp.main, &w, -1);
		return;
	}
}

static void on_failed(void *ctx, uint32_t spi_in)
{
	send_spi(PROC_CHILD_FAILED, spi_in);
}

/* For liveness and keepalives. */
static void on_times(void *ctx, const struct proc_times *times)
{
	struct wr w = { 0 };

	proc_times_encode(&w, times);
	send_ike(&w);
}

static void on_counters(void *ctx, const uint64_t list[ESP_COUNTERS])
{
	struct proc_esp_counters message = { .n = ESP_COUNTERS };
	struct wr w = { 0 };

	memcpy(message.list, list, ESP_COUNTERS * sizeof(list[0]));
	message.list[ESP_COUNTER(ike_full)] += esp.ike_dropped;
	proc_esp_counters_encode(&w, &message);
	proc_chan_send(esp.main, &w, -1);
}

static const struct esp_crew_ops ops = {
	.ike = on_ike,
	.moved = on_moved,
	.expiring = on_expiring,
	.wanted = on_wanted,
	.room = on_room,
	.lost = on_lost,
	.failed = on_failed,
	.times = on_times,
	.counters = on_counters,
};

/* ---- what ike says */

static struct tunnel *tunnel_find(const char *name)
{
	for (size_t i = 0; i < esp.n_tunnels; i++)
		if (strcmp(esp.tunnels[i].name, name) == 0)
			return &esp.tunnels[i];
	return NULL;
}

static struct esp_path path_of(const struct ike_path *path, bool encap)
{
	return (struct esp_path){ path->link, path->local, path->remote, encap };
}

static void child_add(const struct proc_child *child)
{
	const struct tunnel *tunnel = tunnel_find(child->tunnel);
	struct esp_sa_conf conf = {
		.tunnel = tunnel ? tunnel->device : 0,
		.owner = tunnel ? tunnel->number : 0,
		.spi_in = child->spi_in,
		.spi_out = child->spi_out,
		.suite = child->suite,
		.in = &child->in,
		.out = &child->out,
		.esn = child->esn,
		.transport = child->transport,
		.local_ts = &child->local_ts,
		.remote_ts = &child->remote_ts,
		.path = path_of(&child->path, child->encap),
	};

	if (!tunnel) {
		send_spi(PROC_CHILD_FAILED, child->spi_in);
		return;
	}
	conf.ipip = tunnel->ipip;
	esp_crew_add(esp.crew, &conf, !child->inbound_only);
}

/* False: what came makes no sense. */
static bool from_ike(enum proc_type type, struct rd body)
{
	static struct proc_child child; /* large */
	struct proc_spi spi;
	struct proc_move move;
	struct esp_path path;
	struct wr w = { 0 };
	bool ok;

	switch (type) {
	case PROC_CHILD_ADD:
		ok = proc_child_decode(body, &child);
		if (ok)
			child_add(&child);
		crypto_wipe(&child, sizeof(child));
		return ok;
	case PROC_CHILD_USE:
		ok = proc_spi_decode(body, &spi);
		if (ok)
			esp_crew_use(esp.crew, spi.spi_in);
		return ok;
	case PROC_CHILD_UNUSE:
		ok = proc_spi_decode(body, &spi);
		if (ok)
			esp_crew_unuse(esp.crew, spi.spi_in);
		return ok;
	case PROC_CHILD_MOVE:
		ok = proc_move_decode(body, &move);
		if (ok) {
			path = path_of(&move.path, move.encap);
			esp_crew_move(esp.crew, move.spi_in, &path);
		}
		return ok;
	case PROC_CHILD_DEL:
		ok = proc_spi_decode(body, &spi);
		if (ok)
			esp_crew_del(esp.crew, spi.spi_in);
		return ok;
	case PROC_DONE:
		proc_plain_encode(&w, PROC_DONE);
		send_ike(&w);
		return rd_done(&body);
	default:
		return false;
	}
}

/* ---- what main says */

static void ike_close(void)
{
	if (!esp.ike)
		return;
	unwatch(proc_chan_fd(esp.ike));
	proc_chan_free(esp.ike);
	esp.ike = NULL;
}

/* It has ended, and main begins another; or it is not itself, and main is to end it.
 * Its SAs carry on until those of its successor take their place. */
static void ike_lost(const char *why)
{
	struct wr w = { 0 };

	if (!proc_chan_has_ended(esp.ike)) {
		helper_log(esp.main, "esp: ike %s; nothing more is taken from it", why);
		proc_plain_encode(&w, PROC_LOST);
		proc_chan_send(esp.main, &w, -1);
	}
	ike_close();
}

static struct device *device_find(const char *name)
{
	for (size_t i = 0; i < esp.n_devices; i++)
		if (strncmp(esp.devices[i].name, name, sizeof(esp.devices[i].name)) == 0)
			return &esp.devices[i];
	return NULL;
}

/* A tunnel's own device that has another name now keeps its number, by which the
 * tunnel's SAs know it. */
static void device_rename(const struct tunnel *t, const char *name)
{
	struct device *d = device_by_number(t->device);

	if (!d || device_find(name) || is_shared(t))
		return;
	memcpy(d->name, name, sizeof(d->name));
	memset(d->has, 0, sizeof(d->has));
}

static struct device *device_get(const char *name)
{
	struct device *d = device_find(name);

	if (d)
		return d;
	esp.devices = mem_realloc(esp.devices, esp.n_devices + 1, sizeof(esp.devices[0]));
	d = &esp.devices[esp.n_devices++];
	*d = (struct device){ .number = ++esp.last_number };
	memcpy(d->name, name, sizeof(d->name));
	return d;
}

/* Unless another tunnel has it too. */
static void device_leave(uint32_t number)
{
	struct device *d = device_by_number(number);

	for (size_t i = 0; i < esp.n_tunnels; i++)
		if (esp.tunnels[i].device == number)
			return;
	if (d)
		*d = esp.devices[--esp.n_devices];
	esp_crew_device_gone(esp.crew, number);
}

static void device_set(const struct proc_device *device, int fd)
{
	struct tunnel *t = tunnel_find(device->tunnel);
	uint32_t number, former = t ? t->device : 0;
	struct device *d;

	if (t)
		device_rename(t, device->device);
	d = device_get(device->device);
	number = d->number;
	if (!t) {
		esp.tunnels = mem_realloc(esp.tunnels, esp.n_tunnels + 1, sizeof(esp.tunnels[0]));
		t = &esp.tunnels[esp.n_tunnels++];
		*t = (struct tunnel){ .number = ++esp.last_number };
		memcpy(t->name, device->tunnel, sizeof(t->name));
	}
	t->device = number;
	t->many = device->many;
	t->ipip = (struct esp_ipip){ device->ipip_local, device->ipip_remote };
	/* several tunnels may share it */
	if (d->has[device->worker]) {
		close(fd);
	} else {
		d->has[device->worker] = true;
		esp_crew_device(esp.crew, device->worker, number, fd);
	}
	if (former && former != number)
		device_leave(former);
}

static void device_gone(const char *name)
{
	struct tunnel *t = tunnel_find(name);
	uint32_t number;

	if (!t)
		return;
	number = t->device;
	*t = esp.tunnels[--esp.n_tunnels];
	device_leave(number);
}

/* Takes fd when it says true with an open one; the caller closes it else. */
static bool with_fd(enum proc_type type, struct rd body, int fd)
{
	struct proc_socket socket;
	struct proc_device device;
	struct proc_peer peer;

	switch (type) {
	case PROC_PEER:
		if (!proc_peer_decode(body, &peer) || peer.who != PROC_IKE)
			return false;
		ike_close();
		esp.ike = proc_chan_new(fd);
		watch(fd);
		return true;
	case PROC_SOCKET:
		if (!proc_socket_decode(body, &socket) || socket.worker >= ESP_WORKERS_MAX)
			return false;
		esp_crew_socket(esp.crew, socket.worker, &(struct esp_sock_conf){ .fd = fd,
										   .link = socket.link,
										   .family = socket.local.addr.family,
										   .raw = socket.local.port == 0,
										   .mtu = socket.mtu });
		return true;
	case PROC_DEVICE:
		if (!proc_device_decode(body, &device) || device.worker >= ESP_WORKERS_MAX)
			return false;
		device_set(&device, fd);
		return true;
	default:
		return false;
	}
}

static bool from_main(enum proc_type type, struct rd body, int fd)
{
	struct proc_socket socket;
	struct proc_name name;

	if (fd >= 0) {
		bool taken = with_fd(type, body, fd);

		if (!taken)
			close(fd);
		return taken;
	}
	switch (type) {
	case PROC_SOCKET_GONE:
		if (!proc_socket_decode(body, &socket))
			return false;
		esp_crew_socket_gone(esp.crew, socket.link, socket.local.addr.family);
		return true;
	case PROC_DEVICE_GONE:
		if (!proc_name_decode(body, &name))
			return false;
		device_gone(name.name);
		return true;
	case PROC_ORPHANS:
		esp.orphaned_ms = helper_now_ms();
		esp_crew_orphan(esp.crew, esp.orphaned_ms);
		return true;
	default:
		return false;
	}
}

/* ---- the loop */

/* False: the channel is of no more use. */
static bool chan_ready(struct proc_chan *chan, bool is_main)
{
	for (unsigned int i = 0; i < MESSAGES_MAX; i++) {
		struct proc_header header;
		struct rd body;
		int fd, got = proc_chan_receive(chan, &header, &body, &fd);

		if (got <= 0)
			return got == 0;
		if (is_main ? !from_main(header.type, body, fd) : fd >= 0 || !from_ike(header.type, body)) {
			if (!is_main && fd >= 0)
				close(fd);
			return false;
		}
	}
	return true;
}

/* The channels have few messages to send: what waits is tried at each wake-up. */
static void flush_channels(void)
{
	proc_chan_flush(esp.main);
	if (esp.ike) {
		proc_chan_flush(esp.ike);
		if (proc_chan_is_broken(esp.ike))
			ike_lost("does not take its messages");
	}
}

/* All workers get the word at once, and in turn with new SAs: they agree on which
 * are there. */
static void end_orphans(uint64_t now)
{
	if (esp.orphaned_ms == 0 || now < esp.looked_ms + FLUSH_EVERY_MS)
		return;
	esp.looked_ms = now;
	esp_crew_orphans_end(esp.crew, now > ORPHANS_MS ? now - ORPHANS_MS : 0);
	if (now >= esp.orphaned_ms + ORPHANS_MS)
		esp.orphaned_ms = 0;
}

static void serve(void)
{
	struct epoll_event events[EVENTS_MAX];

	for (;;) {
		int n = epoll_wait(esp.epoll, events, EVENTS_MAX, FLUSH_EVERY_MS);

		if (n < 0 && errno != EINTR)
			return;
		for (int i = 0; i < n; i++) {
			int fd = events[i].data.fd;

			if (fd == proc_chan_fd(esp.main)) {
				if (!chan_ready(esp.main, true))
					return;
			} else if (esp.ike && fd == proc_chan_fd(esp.ike)) {
				if (!chan_ready(esp.ike, false))
					ike_lost("sent what makes no sense");
			} else if (fd == esp_crew_fd(esp.crew)) {
				esp_crew_read(esp.crew);
			}
		}
		end_orphans(helper_now_ms());
		flush_channels();
	}
}

/* Ciphers are loaded at first use, from files: now, while there are files. */
static void rehearse(void)
{
	static const struct crypto_suite suites[] = {
		{ ENCR_AES_GCM_16, 128, AUTH_NONE },
		{ ENCR_CHACHA20_POLY1305, 0, AUTH_NONE },
		{ ENCR_AES_CBC, 256, AUTH_HMAC_SHA2_256_128 },
		{ ENCR_AES_CBC, 256, AUTH_HMAC_SHA2_384_192 },
		{ ENCR_AES_CBC, 256, AUTH_HMAC_SHA2_512_256 },
		{ ENCR_AES_CBC, 256, AUTH_HMAC_SHA1_96 },
	};
	static const uint8_t key[CRYPTO_KEY_MAX];

	for (size_t i = 0; i < sizeof(suites) / sizeof(suites[0]); i++) {
		struct crypto_shape shape;
		uint8_t packet[128] = { 0 };
		struct crypto_cipher *cipher;

		if (crypto_suite_shape(&suites[i], &shape) != 0)
			continue;
		cipher = crypto_cipher_new(&suites[i], true, key, shape.encr_key, key, shape.integ_key);
		(void)crypto_seal(cipher, 1, packet, 8, NULL, packet + 8, packet + 8 + shape.iv, 16,
				  packet + 24 + shape.iv);
		crypto_cipher_free(cipher);
	}
}

static const long calls[] = { SYS_epoll_wait, SYS_epoll_pwait, SYS_epoll_ctl, SYS_recvmmsg, SYS_sendmmsg,
			      SYS_writev,     SYS_setsockopt };

/* What is each thread's own: the rest was done for all before. */
static bool worker_begins(void)
{
	struct diag diag;

	return sandbox_drop_caps(&diag) == 0 &&
	       sandbox_enter_with(calls, sizeof(calls) / sizeof(calls[0]), &diag) == 0;
}

/* --threads=N of the command line; the rest is helper_give_up_rights()'s. */
static unsigned int threads_of(int argc, char **argv)
{
	static const char option[] = "--threads=";
	unsigned long n = 1;

	for (int i = 1; i < argc; i++)
		if (strncmp(argv[i], option, strlen(option)) == 0)
			n = strtoul(argv[i] + strlen(option), NULL, 10);
	return n < 1 || n > ESP_WORKERS_MAX || (n & (n - 1)) != 0 ? 1 : (unsigned int)n;
}

int main(int argc, char **argv)
{
	struct diag diag;
	uint64_t seed;

	esp.main = helper_begin("sav-esp");
	rehearse();
	crypto_random(&seed, sizeof(seed));
	esp.epoll = epoll_create1(EPOLL_CLOEXEC);
	/* threads, since none can be made later */
	esp.crew = esp_crew_new(threads_of(argc, argv), seed, &ops, NULL);
	opterr = 0;
	if (esp.epoll < 0 || !esp.crew) {
		diag_set(&diag, "sav-esp: no threads or descriptors: %s", strerror(errno));
		helper_give_up(esp.main, &diag);
	}
	watch(PROC_CONTROL_FD);
	watch(esp_crew_fd(esp.crew));
	if (helper_give_up_rights(argc, argv, calls, sizeof(calls) / sizeof(calls[0]), &diag) != 0)
		helper_give_up(esp.main, &diag);
	if (esp_crew_start(esp.crew, worker_begins) != 0) {
		diag_set(&diag, "sav-esp: a thread cannot give up its rights");
		helper_give_up(esp.main, &diag);
	}
	helper_ready(esp.main);
	serve();
	_exit(0); /* exit handlers would want system calls that are gone */
}
