/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec/esp/esp_crew.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "ipsec/esp/esp_mail.h"
#include "ipsec/esp/esp_twin.h"
#include "ipsec/helper.h"
#include "lib/mem.h"

#define EVENTS_MAX	64
#define TIMES_EVERY_MS	1000

struct member {
	struct esp_crew *crew;
	unsigned int index;
	pthread_t thread;
	bool has_thread;
	struct esp_worker *worker;
	struct esp_mailbox mail;
	int epoll;
	bool stop;
	uint64_t times_at_ms;
	uint64_t told[ESP_COUNTERS];
	uint64_t counters[ESP_COUNTERS]; /* the controlling thread's */
};

struct esp_crew {
	struct esp_crew_ops ops;
	void *ctx;
	struct esp_mailbox mail; /* to the controlling thread */
	struct esp_twins *twins;
	/* the threads wait for the word to begin, then that one for them */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool (*begin)(void);
	bool go;
	unsigned int begun, failed;
	unsigned int n;
	struct member members[ESP_WORKERS_MAX];
};

/* ---- from workers to the controlling thread. The reader is the crew. */

struct said {
	struct esp_mail mail;
	unsigned int worker;
	uint32_t number; /* SPI, device, owner or link */
	uint32_t bytes;
	bool flag;
	struct ike_endpoint endpoint;
	size_t len;
	uint8_t data[];
};

static bool say(struct member *m, void (*open)(void *, struct esp_mail *), const struct said *what, const void *data,
		size_t len, bool may_drop)
{
	struct said *said = esp_mail_new(sizeof(*said) + len, open);
	struct esp_mail head = said->mail;

	*said = *what;
	said->mail = head;
	said->mail.may_drop = may_drop;
	said->worker = m->index;
	said->len = len;
	if (len > 0)
		memcpy(said->data, data, len);
	return esp_mailbox_put(&m->crew->mail, &said->mail);
}

#define SAID(name)                                                      \
	static void open_##name(void *reader, struct esp_mail *mail)    \
	{                                                               \
		struct esp_crew *crew = reader;                         \
		struct said *said = (struct said *)(void *)mail;

SAID(ike)
	crew->ops.ike(crew->ctx, said->number, &said->endpoint, said->data, said->len);
}
SAID(moved)
	crew->ops.moved(crew->ctx, said->number, &said->endpoint);
}
SAID(expiring)
	crew->ops.expiring(crew->ctx, said->number);
}
SAID(wanted)
	crew->ops.wanted(crew->ctx, said->number);
}
SAID(room)
	crew->ops.room(crew->ctx, said->number, said->bytes, said->flag);
}
SAID(failed)
	crew->ops.failed(crew->ctx, said->number);
}
SAID(times)
	struct proc_times times = { 0 };

	memcpy(&times, said->data, said->len);
	crew->ops.times(crew->ctx, &times);
}
SAID(lost)
	/* each queue says so; the first one counts */
	if (said->worker == 0)
		crew->ops.lost(crew->ctx, said->number);
}
SAID(counters)
	uint64_t sum[ESP_COUNTERS] = { 0 };

	memcpy(crew->members[said->worker].counters, said->data, sizeof(sum));
	for (unsigned int i = 0; i < crew->n; i++)
		esp_counters_sum(sum, crew->members[i].counters);
	crew->ops.counters(crew->ctx, sum);
}

static bool on_ike(void *ctx, uint32_t link, const struct ike_endpoint *from, const uint8_t *data, size_t len)
{
	const struct said what = { .number = link, .endpoint = *from };

	/* lost ones are sent again, as on the way */
	return say(ctx, open_ike, &what, data, len, true);
}

static void on_moved(void *ctx, uint32_t spi_in, const struct ike_endpoint *remote)
{
	const struct said what = { .number = spi_in, .endpoint = *remote };

	say(ctx, open_moved, &what, NULL, 0, false);
}

static void on_expiring(void *ctx, uint32_t spi_in)
{
	const struct said what = { .number = spi_in };

	say(ctx, open_expiring, &what, NULL, 0, false);
}

static void on_wanted(void *ctx, uint32_t device)
{
	const struct said what = { .number = device };

	say(ctx, open_wanted, &what, NULL, 0, true);
}

static void on_room(void *ctx, uint32_t owner, uint32_t bytes, bool learnt)
{
	const struct said what = { .number = owner, .bytes = bytes, .flag = learnt };

	say(ctx, open_room, &what, NULL, 0, false);
}

static void on_lost(void *ctx, uint32_t device)
{
	const struct said what = { .number = device };

	say(ctx, open_lost, &what, NULL, 0, false);
}

/* ---- between workers. The reader is a member. */

struct handed {
	struct esp_mail mail;
	uint32_t device;
	struct esp_train train;
	size_t len;
	uint8_t data[];
};

static void open_frame(void *reader, struct esp_mail *mail)
{
	struct member *m = reader;
	struct handed *handed = (struct handed *)(void *)mail;

	esp_worker_handed_out(m->worker, handed->device, handed->data, handed->len);
}

static void open_packet(void *reader, struct esp_mail *mail)
{
	struct member *m = reader;
	struct handed *handed = (struct handed *)(void *)mail;

	handed->train.data = handed->data;
	esp_worker_handed_in(m->worker, &handed->train);
}

static bool hand(struct member *m, uint32_t spi_in, struct handed *handed, const void *data, size_t len)
{
	handed->mail.may_drop = true;
	handed->len = len;
	memcpy(handed->data, data, len);
	return esp_mailbox_put(&m->crew->members[esp_crew_home(m->crew, spi_in)].mail, &handed->mail);
}

static bool on_hand_out(void *ctx, uint32_t spi_in, uint32_t device, const uint8_t *frame, size_t len)
{
	struct handed *handed = esp_mail_new(sizeof(*handed) + len, open_frame);

	handed->device = device;
	return hand(ctx, spi_in, handed, frame, len);
}

static bool on_hand_in(void *ctx, uint32_t spi_in, const struct esp_train *packet)
{
	struct handed *handed = esp_mail_new(sizeof(*handed) + packet->len, open_packet);

	handed->train = *packet;
	return hand(ctx, spi_in, handed, packet->data, packet->len);
}

/* ---- a worker's thread */

static void watch(void *ctx, int fd)
{
	struct member *m = ctx;
	struct epoll_event ev = { .events = EPOLLIN, .data.fd = fd };

	(void)epoll_ctl(m->epoll, EPOLL_CTL_ADD, fd, &ev);
}

static void unwatch(void *ctx, int fd)
{
	(void)epoll_ctl(((struct member *)ctx)->epoll, EPOLL_CTL_DEL, fd, NULL);
}

static const struct esp_worker_ops worker_ops = {
	.ike = on_ike,
	.moved = on_moved,
	.expiring = on_expiring,
	.wanted = on_wanted,
	.room = on_room,
	.lost = on_lost,
	.hand_out = on_hand_out,
	.hand_in = on_hand_in,
	.watch = watch,
	.unwatch = unwatch,
};

static void read_mail(struct member *m, uint64_t now)
{
	struct esp_mail *all = esp_mailbox_take(&m->mail);

	esp_worker_now(m->worker, now);
	for (struct esp_mail *mail = all; mail; mail = mail->next)
		mail->open(m, mail);
	/* frames point into packets that were handed over */
	esp_worker_handed_all(m->worker);
	for (struct esp_mail *next; all; all = next) {
		next = all->next;
		esp_mail_free(all);
	}
}

struct times_round {
	struct member *m;
	struct proc_times times;
	uint64_t last_ms, now;
};

static void times_flush(struct times_round *round)
{
	const struct said what = { 0 };

	if (round->times.n > 0)
		say(round->m, open_times, &what, &round->times, sizeof(round->times), false);
	round->times.n = 0;
}

static uint32_t ago(const struct times_round *round, uint64_t at_ms)
{
	return at_ms >= round->last_ms ? (uint32_t)(round->now - at_ms) : UINT32_MAX;
}

static struct proc_use use_of(const struct esp_sa *sa)
{
	const uint32_t *v = sa->drops.verdicts;

	return (struct proc_use){
		.packets_in = sa->in.packets,
		.bytes_in = sa->in.bytes,
		.packets_out = sa->out.packets,
		.bytes_out = sa->out.bytes,
		.replays = v[ESP_REPLAYED],
		.bad_integrity = v[ESP_BAD_ICV],
		.bad_form = v[ESP_SHORT] + v[ESP_BAD_PAD] + v[ESP_BAD_INNER],
		.bad_selector = v[ESP_BAD_SELECTOR],
		.congestion = sa->drops.congestion,
		.too_big = sa->drops.too_big,
		.unsent = sa->drops.unsent,
	};
}

static void times_add(void *ctx, struct esp_sa *sa)
{
	struct times_round *round = ctx;
	unsigned int n = round->times.n;

	/* those of the last look's own millisecond once more: it may have been before them */
	if (sa->heard_ms < round->last_ms && sa->spoke_ms < round->last_ms && sa->dropped_ms < round->last_ms)
		return;
	round->times.list[n].spi_in = sa->spi_in;
	round->times.list[n].heard_ago_ms = ago(round, sa->heard_ms);
	round->times.list[n].spoke_ago_ms = ago(round, sa->spoke_ms);
	round->times.list[n].use = use_of(sa);
	if (++round->times.n == PROC_TIMES_MAX)
		times_flush(round);
}

static void counters_tell(struct member *m)
{
	const struct said what = { 0 };
	struct esp_worker_counters counters;
	uint64_t list[ESP_COUNTERS];

	esp_worker_counters(m->worker, &counters);
	esp_counters_list(&counters, list);
	if (memcmp(list, m->told, sizeof(list)) == 0)
		return;
	memcpy(m->told, list, sizeof(list));
	say(m, open_counters, &what, list, sizeof(list), false);
}

static void tell_times(struct member *m, uint64_t now)
{
	struct times_round *round;

	if (now < m->times_at_ms + TIMES_EVERY_MS)
		return;
	round = mem_alloc(sizeof(*round));
	*round = (struct times_round){ .m = m, .last_ms = m->times_at_ms, .now = now };
	esp_worker_each(m->worker, times_add, round);
	times_flush(round);
	free(round);
	m->times_at_ms = now;
	counters_tell(m);
}

static void work(struct member *m)
{
	struct epoll_event events[EVENTS_MAX];

	m->times_at_ms = helper_now_ms();
	while (!m->stop) {
		int n = epoll_wait(m->epoll, events, EVENTS_MAX, TIMES_EVERY_MS);
		uint64_t now = helper_now_ms();

		if (n < 0 && errno != EINTR)
			abort(); /* the set is ours, and so is the bug */
		/* a new SA before the packets that are for it */
		for (int i = 0; i < n; i++)
			if (events[i].data.fd == m->mail.fd)
				read_mail(m, now);
		for (int i = 0; i < n; i++) {
			int fd = events[i].data.fd;

			if (fd == m->mail.fd)
				continue;
			if (events[i].events & EPOLLERR)
				esp_worker_error(m->worker, fd, now);
			esp_worker_ready(m->worker, fd, now);
		}
		tell_times(m, now);
	}
}

static bool wait_for_the_word(struct esp_crew *crew)
{
	bool (*begin)(void), ok;

	pthread_mutex_lock(&crew->lock);
	while (!crew->go)
		pthread_cond_wait(&crew->changed, &crew->lock);
	begin = crew->begin;
	pthread_mutex_unlock(&crew->lock);
	ok = !begin || begin();
	pthread_mutex_lock(&crew->lock);
	crew->begun++;
	crew->failed += !ok;
	pthread_cond_broadcast(&crew->changed);
	pthread_mutex_unlock(&crew->lock);
	return ok;
}

static void *run(void *arg)
{
	struct member *m = arg;

	if (wait_for_the_word(m->crew))
		work(m);
	return NULL;
}

/* ---- the crew */

static int member_init(struct esp_crew *crew, unsigned int i, uint64_t seed)
{
	struct member *m = &crew->members[i];

	m->crew = crew;
	m->index = i;
	m->epoll = epoll_create1(EPOLL_CLOEXEC);
	m->worker = esp_worker_new(&worker_ops, m, seed);
	esp_worker_share(m->worker, crew->twins);
	if (esp_mailbox_init(&m->mail) != 0 || m->epoll < 0)
		return -1;
	watch(m, m->mail.fd);
	m->has_thread = pthread_create(&m->thread, NULL, run, m) == 0;
	return m->has_thread ? 0 : -1;
}

struct esp_crew *esp_crew_new(unsigned int n, uint64_t seed, const struct esp_crew_ops *ops, void *ctx)
{
	struct esp_crew *crew = mem_alloc(sizeof(*crew));
	int ret;

	crew->ops = *ops;
	crew->ctx = ctx;
	crew->twins = esp_twins_new();
	pthread_mutex_init(&crew->lock, NULL);
	pthread_cond_init(&crew->changed, NULL);
	ret = esp_mailbox_init(&crew->mail);
	for (unsigned int i = 0; i < n && i < ESP_WORKERS_MAX; i++) {
		crew->n++;
		if (member_init(crew, i, seed) != 0)
			ret = -1;
	}
	if (ret == 0)
		return crew;
	esp_crew_free(crew);
	return NULL;
}

int esp_crew_start(struct esp_crew *crew, bool (*begin)(void))
{
	int ret;

	pthread_mutex_lock(&crew->lock);
	crew->begin = begin;
	crew->go = true;
	pthread_cond_broadcast(&crew->changed);
	while (crew->begun < crew->n)
		pthread_cond_wait(&crew->changed, &crew->lock);
	ret = crew->failed ? -1 : 0;
	pthread_mutex_unlock(&crew->lock);
	return ret;
}

static void open_stop(void *reader, struct esp_mail *mail)
{
	((struct member *)reader)->stop = true;
}

static bool refuse(void)
{
	return false;
}

void esp_crew_free(struct esp_crew *crew)
{
	if (!crew)
		return;
	pthread_mutex_lock(&crew->lock);
	if (!crew->go)
		crew->begin = refuse;
	crew->go = true;
	pthread_cond_broadcast(&crew->changed);
	pthread_mutex_unlock(&crew->lock);
	for (unsigned int i = 0; i < crew->n; i++) {
		struct member *m = &crew->members[i];

		if (!m->has_thread)
			continue;
		esp_mailbox_put(&m->mail, esp_mail_new(sizeof(struct esp_mail), open_stop));
		pthread_join(m->thread, NULL);
	}
	for (unsigned int i = 0; i < crew->n; i++) {
		esp_worker_free(crew->members[i].worker);
		esp_mailbox_fini(&crew->members[i].mail);
		if (crew->members[i].epoll >= 0)
			close(crew->members[i].epoll);
	}
	esp_twins_free(crew->twins);
	esp_mailbox_fini(&crew->mail);
	pthread_mutex_destroy(&crew->lock);
	pthread_cond_destroy(&crew->changed);
	free(crew);
}

int esp_crew_fd(const struct esp_crew *crew)
{
	return crew->mail.fd;
}

void esp_crew_read(struct esp_crew *crew)
{
	for (struct esp_mail *mail = esp_mailbox_take(&crew->mail), *next; mail; mail = next) {
		next = mail->next;
		mail->open(crew, mail);
		esp_mail_free(mail);
	}
}

unsigned int esp_crew_home(const struct esp_crew *crew, uint32_t spi_in)
{
	return spi_in & (crew->n - 1);
}

/* ---- from the controlling thread to workers */

struct order {
	struct esp_mail mail;
	uint32_t number, link;
	enum ip_family family;
	int fd;
	uint64_t at_ms;
	struct esp_sock_conf sock;
	struct esp_path path;
};

static void give(struct esp_crew *crew, unsigned int worker, void (*open)(void *, struct esp_mail *),
		 const struct order *what)
{
	struct order *order = esp_mail_new(sizeof(*order), open);
	struct esp_mail head = order->mail;

	*order = *what;
	order->mail = head;
	esp_mailbox_put(&crew->members[worker].mail, &order->mail);
}

static void give_all(struct esp_crew *crew, void (*open)(void *, struct esp_mail *), const struct order *what)
{
	for (unsigned int i = 0; i < crew->n; i++)
		give(crew, i, open, what);
}

#define ORDER(name)                                                          \
	static void open_##name(void *reader, struct esp_mail *mail)         \
	{                                                                    \
		struct esp_worker *w = ((struct member *)reader)->worker;    \
		const struct order *order = (const struct order *)(void *)mail;

ORDER(device)
	esp_worker_device(w, order->number, order->fd);
}
ORDER(device_gone)
	esp_worker_device_gone(w, order->number);
}
ORDER(socket)
	esp_worker_socket(w, &order->sock);
}
ORDER(socket_gone)
	esp_worker_socket_gone(w, order->link, order->family);
}
ORDER(use)
	esp_worker_use(w, order->number);
}
ORDER(unuse)
	esp_worker_unuse(w, order->number);
}
ORDER(move)
	esp_worker_move(w, order->number, &order->path);
}
ORDER(del)
	esp_worker_del(w, order->number);
}
ORDER(orphan)
	esp_worker_orphan(w, order->at_ms);
}
ORDER(orphans_end)
	esp_worker_orphans_end(w, order->at_ms);
}

void esp_crew_device(struct esp_crew *crew, unsigned int worker, uint32_t number, int fd)
{
	give(crew, worker % crew->n, open_device, &(struct order){ .number = number, .fd = fd });
}

void esp_crew_device_gone(struct esp_crew *crew, uint32_t number)
{
	give_all(crew, open_device_gone, &(struct order){ .number = number });
}

void esp_crew_socket(struct esp_crew *crew, unsigned int worker, const struct esp_sock_conf *conf)
{
	give(crew, worker % crew->n, open_socket, &(struct order){ .sock = *conf });
}

void esp_crew_socket_gone(struct esp_crew *crew, uint32_t link, enum ip_family family)
{
	give_all(crew, open_socket_gone, &(struct order){ .link = link, .family = family });
}

void esp_crew_use(struct esp_crew *crew, uint32_t spi_in)
{
	give_all(crew, open_use, &(struct order){ .number = spi_in });
}

void esp_crew_unuse(struct esp_crew *crew, uint32_t spi_in)
{
	give_all(crew, open_unuse, &(struct order){ .number = spi_in });
}

void esp_crew_move(struct esp_crew *crew, uint32_t spi_in, const struct esp_path *path)
{
	give_all(crew, open_move, &(struct order){ .number = spi_in, .path = *path });
}

void esp_crew_del(struct esp_crew *crew, uint32_t spi_in)
{
	give_all(crew, open_del, &(struct order){ .number = spi_in });
}

void esp_crew_orphan(struct esp_crew *crew, uint64_t now_ms)
{
	give_all(crew, open_orphan, &(struct order){ .at_ms = now_ms });
}

void esp_crew_orphans_end(struct esp_crew *crew, uint64_t until_ms)
{
	give_all(crew, open_orphans_end, &(struct order){ .at_ms = until_ms });
}

/* Whoever has no keys of it has none in its mail either. */
struct adding {
	struct esp_mail mail;
	struct esp_sa_conf conf;
	bool sending;
	struct ike_child_keys in, out;
	struct ike_ts_list local_ts, remote_ts;
};

static void open_add(void *reader, struct esp_mail *mail)
{
	struct member *m = reader;
	struct adding *add = (struct adding *)(void *)mail;

	add->conf.in = &add->in;
	add->conf.out = &add->out;
	add->conf.local_ts = &add->local_ts;
	add->conf.remote_ts = &add->remote_ts;
	if (esp_worker_add(m->worker, &add->conf, add->sending) != 0 && !add->conf.elsewhere)
		say(m, open_failed, &(struct said){ .number = add->conf.spi_in }, NULL, 0, false);
}

void esp_crew_add(struct esp_crew *crew, const struct esp_sa_conf *conf, bool sending)
{
	for (unsigned int i = 0; i < crew->n; i++) {
		struct adding *add = esp_mail_new(sizeof(*add), open_add);

		add->conf = *conf;
		add->sending = sending;
		add->local_ts = *conf->local_ts;
		add->remote_ts = *conf->remote_ts;
		add->conf.elsewhere = i != esp_crew_home(crew, conf->spi_in);
		if (!add->conf.elsewhere) {
			add->in = *conf->in;
			add->out = *conf->out;
		}
		esp_mailbox_put(&crew->members[i].mail, &add->mail);
	}
}
