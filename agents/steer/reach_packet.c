/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/frr_compat.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include "agents/steer/reach_packet.h"

#include "agents/steer/steer.h"
#include "lib/digest.h"
#include "lib/mem.h"
#include "lib/sock.h"

#define SEND_MS	     25 /* between packets: fewer in a second than a responder answers */
#define WAIT_MS	     2000 /* a late answer is not to look like a provider that drops its own */
#define RETRY_MS     5000
#define FIRST_MS     5000 /* until paths are known to live or not */
#define BUFFER_BYTES (64 << 10)
#define COLLECT_MAX  64
#define READ_MAX     64 /* packets at a time, then others have their turn */

struct side {
	struct reach_packet *rp;
	enum ip_family f;
	/* the prober's */
	int fd;
	struct event *t_read;
	bool on;
	struct reach_key key;
	struct ip_addr back;
	uint16_t port;
	/* the responder's */
	struct reach_listen listen;
	int listen_fd;
	struct event *t_listen, *t_retry;
	struct reach_key listen_key;
	struct reach_guard guard;
	struct diag error;
};

struct reach_packet {
	struct event_loop *loop;
	const struct reach_packet_ops *ops;
	void *ctx;
	struct side sides[IP_FAMILIES];
	bool running, whole;
	struct plan_reach exception;
	struct reach_matrix run, all;
	struct event *t_send, *t_end, *t_every;
	uint32_t every_min;
	int64_t finished_ms;
	uint64_t runs;
	struct reach_event events[REACH_EVENTS];
	size_t n_events;
};

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void privileges(const struct reach_packet *rp, bool raise)
{
	if (rp->ops->privileges)
		rp->ops->privileges(raise);
}

/* ---- events ---- */

static void on_event(void *ctx, bool alarm, const char *text)
{
	struct reach_packet *rp = ctx;
	struct reach_event *e;

	if (rp->n_events == REACH_EVENTS)
		memmove(rp->events, rp->events + 1, --rp->n_events * sizeof(*e));
	e = &rp->events[rp->n_events++];
	*e = (struct reach_event){ .ms = now_ms(), .alarm = alarm };
	snprintf(e->text, sizeof(e->text), "%s", text);
	rp->ops->note(rp->ctx, alarm, text);
}

/* ---- one packet ---- */

static bool set(int fd, int level, int name, uint32_t value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) == 0;
}

static bool send_from(const struct reach_packet *rp, const struct path *path,
		      const struct reach_cell *c, const uint8_t data[REACH_BYTES])
{
	const enum ip_family f = c->source.family;
	struct sockaddr_storage from, to;
	const socklen_t from_len = sock_to_sockaddr(&c->source, 0, &from);
	const socklen_t to_len =
		sock_to_sockaddr(&rp->exception.to[f], rp->exception.port[f], &to);
	int fd = socket(f == IP_V4 ? AF_INET : AF_INET6,
			SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	bool ok = fd >= 0 && set(fd, SOL_SOCKET, SO_MARK, path->mark) &&
		  set(fd, SOL_SOCKET, SO_PRIORITY, rp->exception.priority) &&
		  (f == IP_V4 ? set(fd, IPPROTO_IP, IP_TRANSPARENT, 1)
			      : set(fd, IPPROTO_IPV6, IPV6_TRANSPARENT, 1)) &&
		  bind(fd, (struct sockaddr *)&from, from_len) == 0 &&
		  sendto(fd, data, REACH_BYTES, 0, (struct sockaddr *)&to, to_len) == REACH_BYTES;
	const int err = errno;

	if (fd >= 0)
		close(fd);
	errno = err;
	return ok;
}

static void send_cell(struct reach_packet *rp, struct reach_cell *c,
		      const uint8_t token[REACH_TOKEN_BYTES])
{
	const struct side *s = &rp->sides[c->source.family];
	const struct plan_path *pp = plan_path_find(steer_plan(), c->path);
	struct reach_message m = { .kind = REACH_QUESTION, .port = s->port,
				   .time_ms = now_ms(), .addr = s->back };
	uint8_t data[REACH_BYTES];
	bool sent;
	int err;

	if (!pp || strcmp(pp->path.name, c->path_name) != 0) {
		reach_cell_refuse(c, "the path has gone");
		return;
	}
	memcpy(m.token, token, sizeof(m.token));
	reach_encode(&m, &s->key, data);
	privileges(rp, true);
	sent = send_from(rp, &pp->path, c, data);
	err = errno;
	privileges(rp, false);
	if (!sent)
		reach_cell_refuse(c, pp->why[s->f][0] ? pp->why[s->f]
				     : err == EACCES  ? "no route by this path"
						      : strerror(err));
}

/* ---- a run ---- */

static void close_side(struct side *s)
{
	EVENT_OFF(s->t_read);
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
	s->on = false;
	reach_key_wipe(&s->key);
}

static void stop(struct reach_packet *rp)
{
	const struct plan_reach none = { .priority = 0 };

	EVENT_OFF(rp->t_send);
	EVENT_OFF(rp->t_end);
	for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++)
		close_side(&rp->sides[f]);
	if (rp->running)
		steer_reach(&none);
	rp->running = false;
}

static void finish(struct reach_packet *rp)
{
	stop(rp);
	rp->finished_ms = now_ms();
	rp->runs++;
	reach_matrix_finish(&rp->run, rp->finished_ms, on_event, rp);
	reach_matrix_keep(&rp->all, &rp->run, rp->whole);
}

static void on_end(struct event *t)
{
	finish(EVENT_ARG(t));
}

static void on_send(struct event *t)
{
	struct reach_packet *rp = EVENT_ARG(t);
	uint8_t token[REACH_TOKEN_BYTES];
	struct reach_cell *c = NULL;
	struct steer_status status;

	steer_status(&status);
	while ((c = reach_matrix_next(&rp->run, token)) && !status.in_force)
		reach_cell_refuse(c, "the site is not steered any more");
	if (c)
		send_cell(rp, c, token);
	if (!reach_matrix_pending(&rp->run))
		event_add_timer_msec(rp->loop, on_end, rp, 0, &rp->t_end);
	else if (c)
		event_add_timer_msec(rp->loop, on_send, rp, SEND_MS, &rp->t_send);
	else
		event_add_timer_msec(rp->loop, on_end, rp, WAIT_MS, &rp->t_end);
}

static void on_answer(struct event *t)
{
	struct side *s = EVENT_ARG(t);
	struct reach_packet *rp = s->rp;
	uint8_t data[REACH_BYTES + 1];
	struct reach_message m;
	ssize_t len;

	event_add_read(rp->loop, on_answer, s, s->fd, &s->t_read);
	for (int i = 0; i < READ_MAX && (len = recv(s->fd, data, sizeof(data), 0)) >= 0; i++) {
		if (reach_decode(REACH_ANSWER, data, (size_t)len, &s->key, &m) == REACH_OK)
			reach_matrix_answer(&rp->run, &m);
	}
	if (!reach_matrix_pending(&rp->run))
		finish(rp);
}

/* The default provider's first; one that lives. */
static bool find_back(const struct plan *plan, enum ip_family f, struct ip_addr *back)
{
	for (size_t i = 0; i < plan->n_providers; i++) {
		for (size_t j = 0; j < plan->n_paths; j++) {
			const struct plan_path *pp = &plan->paths[j];

			if (pp->provider != plan->providers[i].number || !pp->usable[f] ||
			    !pp->path.has_source[f])
				continue;
			*back = pp->path.source[f];
			return true;
		}
	}
	return false;
}

static int open_side(struct side *s, struct diag *diag)
{
	const struct site_reach *conf = &steer_site()->reach;
	const struct ip_addr any = { 0, (uint8_t)s->f };
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	struct ip_addr addr;

	s->back = conf->back[s->f];
	if (!conf->has_back[s->f] && !find_back(steer_plan(), s->f, &s->back))
		return diag_set(diag, "no address that answers could come to: no path is in use; "
				      "\"probe return ADDRESS\" names one");
	if (reach_key_read(conf->key[s->f], &s->key, diag) < 0)
		return -1;
	s->fd = sock_udp(&any, 0, BUFFER_BYTES, diag);
	if (s->fd < 0)
		return -1;
	if (getsockname(s->fd, (struct sockaddr *)&ss, &len) < 0)
		return diag_set(diag, "no port for answers: %s", strerror(errno));
	sock_from_sockaddr(&ss, &addr, &s->port);
	event_add_read(s->rp->loop, on_answer, s, s->fd, &s->t_read);
	s->on = true;
	return 0;
}

static int begin(struct reach_packet *rp, const char *provider, struct diag *diag)
{
	const struct site_reach *conf = &steer_site()->reach;
	bool has[IP_FAMILIES] = { false };
	struct reach_matrix run;

	for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++) {
		struct side *s = &rp->sides[f];

		if (conf->has[f] && open_side(s, diag) < 0)
			return -1;
		has[f] = s->on;
		rp->exception.on[f] = s->on;
		rp->exception.to[f] = conf->to[f];
		rp->exception.port[f] = conf->port[f];
	}
	if (reach_matrix_make(&run, steer_plan(), provider, has, &rp->all, diag) < 0)
		return -1;
	reach_matrix_fini(&rp->run);
	rp->run = run;
	/* neither a class of a queueing discipline nor what a TOS becomes */
	digest_random(&rp->exception.priority, sizeof(rp->exception.priority));
	rp->exception.priority |= 0x80000000u;
	rp->running = true;
	rp->whole = !provider;
	if (steer_reach(&rp->exception))
		return 0;
	return diag_set(diag, "the site's filters are not in force: \"show site\" says why");
}

int reach_packet_probe(struct reach_packet *rp, const char *provider, struct diag *diag)
{
	const struct site *site = steer_site();

	if (rp->running)
		return diag_set(diag, "a probe is running: \"show site probe\" has its result soon");
	if (!site->reach.has[IP_V4] && !site->reach.has[IP_V6])
		return diag_set(diag, "nobody to ask: type \"probe responder ADDRESS key FILE\" in "
				      "node \"site\"");
	if (provider && !site_provider_find(site, provider))
		return diag_set(diag, "there is no provider %s", provider);
	if (begin(rp, provider, diag) < 0) {
		stop(rp);
		return -1;
	}
	event_add_timer_msec(rp->loop, on_send, rp, 0, &rp->t_send);
	return 0;
}

/* ---- the timer ---- */

static void on_every(struct event *t)
{
	struct reach_packet *rp = EVENT_ARG(t);
	struct diag diag;

	event_add_timer_msec(rp->loop, on_every, rp, (long)rp->every_min * 60000, &rp->t_every);
	if (!rp->running && reach_packet_probe(rp, NULL, &diag) < 0) {
		diag_prepend(&diag, "completeness probe");
		if (rp->n_events == 0 ||
		    strcmp(rp->events[rp->n_events - 1].text, diag.text) != 0)
			on_event(rp, true, diag.text);
	}
}

void reach_packet_changed(struct reach_packet *rp)
{
	const uint32_t every_min = steer_site()->reach.every_min;

	if (every_min == rp->every_min)
		return;
	rp->every_min = every_min;
	EVENT_OFF(rp->t_every);
	if (every_min != 0)
		event_add_timer_msec(rp->loop, on_every, rp, FIRST_MS, &rp->t_every);
}

/* ---- the responder ---- */

/* An answer that cannot be sent is lost, as it could be on its way. */
static void on_question(struct event *t)
{
	struct side *s = EVENT_ARG(t);
	uint8_t data[REACH_BYTES + 1], answer[REACH_BYTES];
	struct sockaddr_storage ss;
	struct reach_message m;
	struct ip_addr from;
	uint16_t port;

	event_add_read(s->rp->loop, on_question, s, s->listen_fd, &s->t_listen);
	for (int i = 0; i < READ_MAX; i++) {
		socklen_t size = sizeof(ss);
		const ssize_t len = recvfrom(s->listen_fd, data, sizeof(data), 0,
					     (struct sockaddr *)&ss, &size);

		if (len < 0)
			return;
		sock_from_sockaddr(&ss, &from, &port);
		if (reach_respond(&s->guard, &s->listen_key, data, (size_t)len, &from, now_ms(),
				  &m, answer) != REACH_OK ||
		    m.addr.family != s->f)
			continue;
		size = sock_to_sockaddr(&m.addr, m.port, &ss);
		(void)!sendto(s->listen_fd, answer, sizeof(answer), MSG_DONTWAIT,
			      (struct sockaddr *)&ss, size);
	}
}

static void close_listen(struct side *s)
{
	EVENT_OFF(s->t_listen);
	EVENT_OFF(s->t_retry);
	if (s->listen_fd >= 0)
		close(s->listen_fd);
	s->listen_fd = -1;
	reach_key_wipe(&s->listen_key);
	s->error.text[0] = '\0';
}

static int open_listen(struct side *s, struct diag *diag)
{
	if (reach_key_read(s->listen.key, &s->listen_key, diag) < 0)
		return -1;
	s->listen_fd = sock_udp(&s->listen.at, s->listen.port, BUFFER_BYTES, diag);
	if (s->listen_fd < 0)
		return -1;
	reach_guard_init(&s->guard, now_ms());
	event_add_read(s->rp->loop, on_question, s, s->listen_fd, &s->t_listen);
	return 0;
}

static void on_retry(struct event *t);

static int try_listen(struct side *s, struct diag *diag)
{
	if (open_listen(s, diag) == 0) {
		s->error.text[0] = '\0';
		return 0;
	}
	diag_prepend(diag, "responder of the completeness probe");
	if (strcmp(s->error.text, diag->text) != 0)
		s->rp->ops->note(s->rp->ctx, true, diag->text);
	s->error = *diag;
	event_add_timer_msec(s->rp->loop, on_retry, s, RETRY_MS, &s->t_retry);
	return -1;
}

static void on_retry(struct event *t)
{
	struct diag diag;

	(void)try_listen(EVENT_ARG(t), &diag);
}

int reach_packet_listen(struct reach_packet *rp, enum ip_family f,
			const struct reach_listen *listen, struct diag *diag)
{
	struct side *s = &rp->sides[f];

	close_listen(s);
	s->listen = *listen;
	return s->listen.on ? try_listen(s, diag) : 0;
}

int reach_packet_reload(struct reach_packet *rp, enum ip_family f, struct diag *diag)
{
	struct side *s = &rp->sides[f];

	if (s->listen_fd < 0) {
		EVENT_OFF(s->t_retry);
		return s->listen.on ? try_listen(s, diag) : 0;
	}
	if (reach_key_read(s->listen.key, &s->listen_key, diag) == 0)
		return 0;
	return diag_prepend(diag, "responder of the completeness probe: the key stays");
}

/* ---- what there is ---- */

void reach_packet_view(const struct reach_packet *rp, struct reach_view *out)
{
	*out = (struct reach_view){ rp->running, rp->finished_ms, rp->runs,
				    &rp->run,	 rp->events,	  rp->n_events };
}

const struct reach_guard *reach_packet_guard(const struct reach_packet *rp, enum ip_family f,
					     const char **error)
{
	*error = rp->sides[f].error.text;
	return &rp->sides[f].guard;
}

bool reach_packet_collect(struct metrics *m, uint64_t *step, void *arg)
{
	static const struct metric arrives = {
		"sav_agent_probe_arrives",
		"Packets from this prefix arrive by this path: 1, or do not: 0", METRIC_GAUGE
	};
	const struct reach_packet *rp = arg;
	struct metric_labels labels = { 0 };
	char prefix[IP_TEXT_SIZE];

	for (size_t i = 0; i < COLLECT_MAX && *step < rp->all.n; i++) {
		const struct reach_cell *c = &rp->all.cells[(*step)++];

		if (c->known == REACH_PENDING)
			continue;
		metric_labels_clear(&labels);
		metric_label(&labels, "prefix", ip_prefix_format(&c->prefix, prefix));
		metric_label(&labels, "prefix_provider", c->owner);
		metric_label(&labels, "provider", c->provider);
		metric_label(&labels, "kind", path_kind_name(c->kind));
		metric_label(&labels, "path", c->path_name);
		metric_add_bool(m, &arrives, &labels, c->known == REACH_ARRIVES);
	}
	metric_labels_fini(&labels);
	return *step >= rp->all.n;
}

struct reach_packet *reach_packet_new(struct event_loop *loop,
				      const struct reach_packet_ops *ops, void *ctx)
{
	struct reach_packet *rp = mem_alloc(sizeof(*rp));

	rp->loop = loop;
	rp->ops = ops;
	rp->ctx = ctx;
	for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++) {
		rp->sides[f].rp = rp;
		rp->sides[f].f = f;
		rp->sides[f].fd = rp->sides[f].listen_fd = -1;
	}
	return rp;
}

void reach_packet_free(struct reach_packet *rp)
{
	if (!rp)
		return;
	stop(rp);
	EVENT_OFF(rp->t_every);
	for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++)
		close_listen(&rp->sides[f]);
	reach_matrix_fini(&rp->run);
	reach_matrix_fini(&rp->all);
	free(rp);
}
