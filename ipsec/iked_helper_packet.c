/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The processes that sav-iked starts. One that ends is started anew, each time a
 * little later; the others go on, so a crash of ike stops no packet.
 */
#include "lib/frr_compat.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "log.h"

#include "ipsec/iked_events_vty.h"
#include "ipsec/iked_kernel.h"
#include "ipsec/iked_metrics_vty.h"
#include "lib/mem.h"

#define MESSAGES_MAX 256
#define RESTART_FIRST_MS 200
#define RESTART_MAX_MS 10000
#define QUERY_MS 2000
#define LOG_BURST 100 /* lines that ike may cause in a second: strangers cause them */
#define FLOOD 100000 /* messages of a helper in a second: tens of thousands of tunnels have fewer to tell */

struct helper {
	enum proc_who who;
	const char *program;
	pid_t pid; /* 0: none */
	bool ready;
	unsigned restarts;
	unsigned restart_ms;
	int64_t started_us;
	int64_t second; /* and messages in it */
	unsigned n_messages;
	struct proc_chan *chan;
	struct event *t_read, *t_write, *t_start, *t_broken;
};

static struct helper helpers[] = {
	[PROC_IKE] = { .who = PROC_IKE, .program = "sav-ike" },
	[PROC_SIGNER] = { .who = PROC_SIGNER, .program = "sav-ike-signer" },
	[PROC_ESP] = { .who = PROC_ESP, .program = "sav-esp" },
};

static struct {
	uint32_t id; /* 0: none is being waited for */
	const struct iked_rows *rows;
	bool done, ok;
	char text[PROC_TEXT_MAX];
} query;

static void on_start(struct event *t);
static void helper_broken(struct helper *h, const char *why);

bool iked_helper_is_up(enum proc_who who)
{
	return helpers[who].ready;
}

unsigned iked_helper_restarts(enum proc_who who)
{
	return helpers[who].restarts;
}

int iked_helper_pid(enum proc_who who)
{
	return helpers[who].pid;
}

/* ---- start and end */

static void helper_path(const struct helper *h, char *path, size_t size)
{
	snprintf(path, size, "%s/%s", iked.programs, h->program);
}

/* Only calls that are safe between fork and exec. */
static void child_exec(char **argv, int fd, bool quiet)
{
	static char *const no_environment[] = { NULL };
	sigset_t none;
	int null = quiet ? open("/dev/null", O_RDWR) : -1;

	setsid();
	/* ike has nobody to talk to but its channels */
	for (int i = 0; null >= 0 && i <= 2; i++)
		(void)dup2(null, i);
	if (fd == PROC_CONTROL_FD ? dup2(dup(fd), PROC_CONTROL_FD) < 0 : dup2(fd, PROC_CONTROL_FD) < 0)
		_exit(126);
	syscall(SYS_close_range, PROC_CONTROL_FD + 1, ~0U, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execve(argv[0], argv, no_environment);
	_exit(127);
}

static void helper_end(struct helper *h)
{
	int status;

	EVENT_OFF(h->t_read);
	EVENT_OFF(h->t_write);
	EVENT_OFF(h->t_broken);
	proc_chan_free(h->chan);
	h->chan = NULL;
	h->ready = false;
	if (h->pid > 0) {
		kill(h->pid, SIGKILL);
		while (waitpid(h->pid, &status, 0) < 0 && errno == EINTR)
			;
	}
	h->pid = 0;
}

static void write_later(struct helper *h);

/* It does not read what it is told. */
static void on_broken(struct event *t)
{
	helper_broken(EVENT_ARG(t), "does not take its messages");
}

static void on_write(struct event *t)
{
	struct helper *h = EVENT_ARG(t);

	proc_chan_flush(h->chan);
	write_later(h);
}

static void write_later(struct helper *h)
{
	if (proc_chan_is_broken(h->chan) && !h->t_broken)
		event_add_event(iked.loop, on_broken, h, 0, &h->t_broken);
	if (proc_chan_wants_write(h->chan) && !h->t_write)
		event_add_write(iked.loop, on_write, h, proc_chan_fd(h->chan), &h->t_write);
}

void iked_send(enum proc_who who, struct wr *w, int fd)
{
	struct helper *h = &helpers[who];

	if (!h->ready) {
		wr_fini(w);
		return;
	}
	proc_chan_send(h->chan, w, fd);
	write_later(h);
}

/* ---- a socket between two of them, when both are up */

static void give_end(struct helper *to, enum proc_who other, int fd)
{
	const struct proc_peer peer = { (uint8_t)other };
	struct wr w = { 0 };

	proc_peer_encode(&w, &peer);
	iked_send(to->who, &w, fd);
	close(fd);
}

static void pair(enum proc_who a, enum proc_who b)
{
	int fd[2];

	if (!helpers[a].ready || !helpers[b].ready)
		return;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd) < 0) {
		zlog_err("no socket between %s and %s: %s", proc_who_name(a), proc_who_name(b), strerror(errno));
		return;
	}
	give_end(&helpers[a], b, fd[0]);
	give_end(&helpers[b], a, fd[1]);
}

static void helper_ready(struct helper *h)
{
	struct wr w = { 0 };

	h->ready = true;
	zlog_info("%s runs, process %d", h->program, (int)h->pid);
	if (h->who == PROC_IKE) {
		proc_plain_encode(&w, PROC_ORPHANS);
		iked_send(PROC_ESP, &w, -1);
		iked_kernel_ike_new();
	}
	/* keys before who asks for them, sockets before who uses them */
	iked_links_push(h->who);
	iked_push_all(h->who);
	if (h->who == PROC_IKE || h->who == PROC_SIGNER)
		pair(PROC_IKE, PROC_SIGNER);
	if (h->who == PROC_IKE || h->who == PROC_ESP)
		pair(PROC_IKE, PROC_ESP);
}

/* ---- messages */

/* Strangers make ike say things: so many a second and no more. */
static bool may_log(void)
{
	static int64_t second;
	static unsigned n, lost;
	int64_t now = frr_now_us() / 1000000;

	if (now != second) {
		if (lost)
			zlog_warn("%u more messages of ike were not logged", lost);
		second = now;
		n = lost = 0;
	}
	if (n++ < LOG_BURST)
		return true;
	lost++;
	return false;
}

static const char *event_word(uint8_t event)
{
	static const char *const words[] = { "up", "down", "failed", "rekeyed", "child up", "child down", "child rekeyed", "moved",
					     "refused", "expires soon" };

	return words[event];
}

static void printable(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || (unsigned char)*text > '~')
			*text = '?';
}

static void take_event(struct helper *h, struct proc_event *e)
{
	/* a name comes from a peer's identity, and ike may be anybody's */
	printable(e->text);
	printable(e->tunnel);
	if (e->event == PROC_EVENT_LOG) {
		if (may_log())
			zlog_warn("%s: %s", proc_who_name(h->who), e->text);
		return;
	}
	iked_note_event(e);
	iked_events_note(e, event_word(e->event));
	iked_metrics_event(e);
	if (!may_log())
		return;
	if (e->event == IKE_EVENT_FAILED || e->event == IKE_EVENT_REFUSED || e->event == IKE_EVENT_DOWN ||
	    e->event == IKE_EVENT_EXPIRING)
		zlog_warn("tunnel %s: %s: %s", e->tunnel[0] ? e->tunnel : "(none)", event_word(e->event), e->text);
	else
		zlog_notice("tunnel %s: %s: %s", e->tunnel, event_word(e->event), e->text);
}

static bool take_row(const struct proc_header *header, struct rd body)
{
	struct ike_counters counters;
	struct proc_result result;
	bool ok = false;

	if (header->type == PROC_SA) {
		struct proc_sa *row = mem_alloc(sizeof(*row));

		ok = proc_sa_decode(body, row);
		/* for an operator's terminal */
		printable(row->tunnel);
		printable(row->state);
		printable(row->suite);
		if (ok && query.id && query.rows)
			query.rows->sa(query.rows->ctx, row);
		free(row);
	} else if (header->type == PROC_CHILD) {
		struct proc_child_row *row = mem_alloc(sizeof(*row));

		ok = proc_child_row_decode(body, row);
		printable(row->state);
		printable(row->suite);
		if (ok && query.id && query.rows)
			query.rows->child(query.rows->ctx, row);
		free(row);
	} else if (header->type == PROC_COUNTERS) {
		ok = proc_counters_decode(body, &counters);
		if (ok && query.id && query.rows)
			query.rows->counters(query.rows->ctx, &counters);
	} else if (proc_result_decode(body, &result)) {
		ok = true;
		if (query.id && result.id == query.id) {
			query.done = true;
			query.ok = result.ok;
			printable(result.text);
			snprintf(query.text, sizeof(query.text), "%s", result.text);
		}
	}
	return ok;
}

static bool take_carries(struct rd body)
{
	struct proc_carries *c = mem_alloc(sizeof(*c));
	bool ok = proc_carries_decode(body, c);

	if (ok)
		iked_publish_carries(c);
	free(c);
	return ok;
}

static struct proc_esp_counters esp_counters;

const struct proc_esp_counters *iked_esp_counters(void)
{
	return &esp_counters;
}

static bool from_esp(uint8_t type, struct rd body)
{
	struct proc_esp_counters counters;
	struct proc_name name;
	struct proc_mtu mtu;

	switch (type) {
	case PROC_MTU:
		if (!proc_mtu_decode(body, &mtu))
			return false;
		iked_tunnel_mtu(&mtu);
		return true;
	case PROC_DEVICE_LOST:
		if (!proc_name_decode(body, &name))
			return false;
		iked_device_lost(name.name);
		return true;
	default:
		if (!proc_esp_counters_decode(body, &counters))
			return false;
		esp_counters = counters;
		return true;
	}
}

/* One of them has no more to do with another one. */
static bool take_lost(enum proc_who by)
{
	static const struct {
		enum proc_who lost;
		const char *why;
	} of[] = {
		[PROC_SIGNER] = { PROC_IKE, "sent the signer what makes no sense" },
		[PROC_ESP] = { PROC_IKE, "is of no use to sav-esp" },
		[PROC_IKE] = { PROC_ESP, "is of no use to sav-ike" },
	};

	if (helpers[of[by].lost].ready)
		helper_broken(&helpers[of[by].lost], of[by].why);
	return true;
}

/* False: that is none of its messages. */
static bool take_message(struct helper *h, const struct proc_header *header, struct rd body)
{
	struct proc_key_state state;
	struct proc_event event;
	struct proc_name name;
	struct wr w = { 0 };

	switch (header->type) {
	case PROC_READY:
		if (!h->ready)
			helper_ready(h);
		return true;
	case PROC_EVENT:
		if (!proc_event_decode(body, &event))
			return false;
		take_event(h, &event);
		return true;
	case PROC_KEY_STATE:
		if (h->who != PROC_SIGNER || !proc_key_state_decode(body, &state))
			return false;
		iked_note_key(&state);
		return true;
	case PROC_LOST:
		return rd_done(&body) && take_lost(h->who);
	case PROC_WANTED:
		if (h->who != PROC_ESP || !proc_name_decode(body, &name))
			return false;
		iked_wanted(name.name);
		return true;
	case PROC_MTU:
	case PROC_DEVICE_LOST:
	case PROC_ESP_COUNTERS:
		return h->who == PROC_ESP && from_esp(header->type, body);
	case PROC_CHILD_ADD:
	case PROC_CHILD_USE:
	case PROC_CHILD_UNUSE:
	case PROC_CHILD_MOVE:
	case PROC_CHILD_DEL:
		return h->who == PROC_IKE && iked_kernel_take(header, body);
	case PROC_DONE:
		if (h->who != PROC_IKE || !rd_done(&body))
			return false;
		proc_plain_encode(&w, PROC_DONE);
		proc_chan_send(h->chan, &w, -1);
		return true;
	case PROC_CARRIES:
		return h->who == PROC_IKE && take_carries(body);
	case PROC_RESULT:
	case PROC_SA:
	case PROC_CHILD:
	case PROC_COUNTERS:
		return h->who == PROC_IKE && take_row(header, body);
	default:
		return false;
	}
}

static bool floods(struct helper *h)
{
	int64_t now = frr_now_us() / 1000000;

	if (h->second != now) {
		h->second = now;
		h->n_messages = 0;
	}
	return ++h->n_messages > FLOOD;
}

/* Returns false when the helper is gone. */
static bool drain(struct helper *h)
{
	struct proc_header header;
	struct rd body;
	int fd, n = 1;

	for (unsigned i = 0; i < MESSAGES_MAX && n == 1; i++) {
		n = proc_chan_receive(h->chan, &header, &body, &fd);
		if (n == 1 && fd >= 0)
			close(fd); /* nobody has one for us */
		if (n == 1 && !take_message(h, &header, body)) {
			helper_broken(h, "sent a message that makes no sense");
			return false;
		}
		if (n == 1 && floods(h)) {
			helper_broken(h, "sends messages without end");
			return false;
		}
	}
	if (n < 0) {
		helper_broken(h, "has ended");
		return false;
	}
	return true;
}

static void on_read(struct event *t)
{
	struct helper *h = EVENT_ARG(t);

	if (drain(h)) {
		event_add_read(iked.loop, on_read, h, proc_chan_fd(h->chan), &h->t_read);
		write_later(h);
	}
}

/* ---- life */

static void start_later(struct helper *h)
{
	if (frr_now_us() - h->started_us > 60 * 1000000LL || h->restart_ms == 0)
		h->restart_ms = RESTART_FIRST_MS;
	else if (h->restart_ms < RESTART_MAX_MS)
		h->restart_ms *= 2;
	event_add_timer_msec(iked.loop, on_start, h, h->restart_ms, &h->t_start);
}

static void helper_broken(struct helper *h, const char *why)
{
	zlog_err("%s %s and is started again%s", h->program, why,
		 h->who == PROC_IKE ? "; traffic goes on meanwhile" : "");
	helper_end(h);
	if (h->who == PROC_IKE)
		iked_publish_ike_lost();
	h->restarts++;
	start_later(h);
}

static int helper_start(struct helper *h, struct diag *diag)
{
	char path[sizeof(iked.programs) + 32], uid[16], gid[16];
	char uid_option[] = "--uid", gid_option[] = "--gid", keys_option[] = "--keys";
	char threads_option[32];
	char *argv[7] = { path };
	int fd[2];

	helper_path(h, path, sizeof(path));
	snprintf(uid, sizeof(uid), "%u", iked.ike_uid);
	snprintf(gid, sizeof(gid), "%u", iked.ike_gid);
	if (h->who == PROC_IKE || h->who == PROC_ESP) {
		argv[1] = uid_option, argv[2] = uid, argv[3] = gid_option, argv[4] = gid;
		snprintf(threads_option, sizeof(threads_option), "--threads=%u", iked.esp_threads);
		argv[5] = h->who == PROC_ESP ? threads_option : NULL;
	} else if (h->who == PROC_SIGNER) {
		argv[1] = keys_option, argv[2] = iked.keys;
	}
	if (access(path, X_OK) < 0)
		return diag_set(diag, "cannot run %s: %s", path, strerror(errno));
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd) < 0)
		return diag_set(diag, "no socket for %s: %s", h->program, strerror(errno));
	h->started_us = frr_now_us();
	h->n_messages = 0;
	h->pid = fork();
	if (h->pid == 0)
		child_exec(argv, fd[1], h->who == PROC_IKE);
	close(fd[1]);
	h->chan = proc_chan_new(fd[0]);
	if (h->who == PROC_IKE)
		proc_chan_lock(h->chan); /* session keys for the kernel */
	if (h->pid < 0) {
		h->pid = 0;
		helper_end(h);
		return diag_set(diag, "cannot start %s: %s", h->program, strerror(errno));
	}
	event_add_read(iked.loop, on_read, h, fd[0], &h->t_read);
	return 0;
}

static void on_start(struct event *t)
{
	struct helper *h = EVENT_ARG(t);
	struct diag diag;

	if (helper_start(h, &diag) != 0) {
		zlog_err("%s", diag.text);
		start_later(h);
	}
}

int iked_helpers_start(struct diag *diag)
{
	char path[sizeof(iked.programs) + 32];

	helper_path(&helpers[PROC_ESP], path, sizeof(path));
	if (access(path, X_OK) < 0) {
		iked.without_esp = true;
		zlog_warn("there is no %s: tunnels come up and carry nothing", path);
	}
	for (enum proc_who who = PROC_IKE; who <= PROC_ESP; who++)
		if ((who != PROC_ESP || !iked.without_esp) && helper_start(&helpers[who], diag) != 0)
			return -1;
	return 0;
}

void iked_helpers_stop(void)
{
	for (enum proc_who who = PROC_IKE; who <= PROC_ESP; who++) {
		EVENT_OFF(helpers[who].t_start);
		helper_end(&helpers[who]);
	}
}

/* ---- asking ike, and waiting */

static bool wait_for_answer(struct helper *h, int64_t until_us)
{
	while (!query.done) {
		int64_t left_ms = (until_us - frr_now_us()) / 1000;
		struct pollfd pfd = { proc_chan_fd(h->chan), (short)(POLLIN | (proc_chan_wants_write(h->chan) ? POLLOUT : 0)), 0 };

		if (left_ms <= 0 || (poll(&pfd, 1, (int)left_ms) < 0 && errno != EINTR))
			return false;
		proc_chan_flush(h->chan);
		if ((pfd.revents & (POLLIN | POLLHUP)) && !drain(h))
			return false;
	}
	return true;
}

int iked_command(const struct proc_command *command, const struct iked_rows *rows, struct diag *diag)
{
	static uint32_t last_id;
	struct helper *h = &helpers[PROC_IKE];
	struct proc_command c = *command;
	struct wr w = { 0 };
	bool answered;

	if (!h->ready)
		return diag_set(diag, "the process ike is being started: try again");
	/* "ipsec up" is of the configuration as it stands */
	if (c.verb != PROC_SHOW)
		iked_push_now();
	c.id = query.id = ++last_id ? last_id : ++last_id;
	query.rows = rows;
	query.done = false;
	proc_command_encode(&w, &c);
	iked_send(PROC_IKE, &w, -1);
	answered = wait_for_answer(h, frr_now_us() + QUERY_MS * 1000LL);
	query.id = 0;
	if (!answered)
		return diag_set(diag, "the process ike does not answer: see the log");
	return query.ok ? 0 : diag_set(diag, "%s", query.text);
}

const struct iked_tunnel *iked_whole_tunnel(const char *name, struct diag *diag)
{
	const struct iked_tunnel *t = iked_tunnel_find(&iked.config, name);
	const char *missing = t ? iked_tunnel_missing(&iked.config, t) : NULL;

	if (!t)
		diag_set(diag, "there is no tunnel %s; \"show ipsec tunnel\" lists them", name);
	if (missing)
		diag_set(diag, "tunnel %s is unfinished, it lacks: %s", name, missing);
	return missing ? NULL : t;
}

int iked_up(const char *name, struct diag *diag)
{
	const struct iked_tunnel *t = iked_whole_tunnel(name, diag);
	struct proc_command c = { .verb = PROC_UP };
	const struct iked_link *link;

	if (!t)
		return -1;
	if (t->t.remote_addr.v == 0)
		return diag_set(diag, "tunnel %s only answers: it has no \"peer address\"", name);
	link = iked_link_find(&iked.config, t->link);
	snprintf(c.tunnel, sizeof(c.tunnel), "%s", name);
	c.path.link = link->number;
	c.path.remote.addr = t->t.remote_addr;
	if (!iked_link_address(link, (enum ip_family)t->t.remote_addr.family, &c.path.local.addr))
		return diag_set(diag, "link %s has no address of the peer's family now", link->name);
	if (iked_command(&c, NULL, diag) != 0)
		return -1;
	iked_note_down(name, false);
	return 0;
}
