/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec/host.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ipsec/crypto_cert.h"
#include "ipsec/helper.h"
#include "ipsec/host_impl.h"
#include "lib/mem.h"

#define MESSAGES_MAX 256 /* of one channel in one turn */
#define TELL_MS 1000 /* what strangers can cause; that they were refused is an event */

struct host *host_new(struct proc_chan *main_chan)
{
	struct host *host = mem_alloc(sizeof(*host));

	host->main_chan = main_chan;
	host->buffer = mem_alloc(65536);
	host->now_ms = helper_now_ms();
	host->engine = ike_engine_new(&host_ops, host);
	return host;
}

void host_free(struct host *host)
{
	ike_engine_free(host->engine);
	host_creds_free(host);
	wr_fini(&host->key_ids);
	host_children_free(host);
	host_socket_fini(host);
	proc_chan_free(host->signer);
	proc_chan_free(host->esp);
	free(host->buffer);
	free(host);
}

/* ---- telling main */

void host_tell(struct host *host, enum ike_event event, uint64_t sa, const char *tunnel, const char *text)
{
	struct proc_event message = { .event = (uint8_t)event, .sa = sa };
	struct wr w = { 0 };

	snprintf(message.tunnel, sizeof(message.tunnel), "%s", tunnel);
	snprintf(message.text, sizeof(message.text), "%s", text);
	proc_event_encode(&w, &message);
	proc_chan_send(host->main_chan, &w, -1);
}

void host_log(struct host *host, const char *fmt, ...)
{
	char text[PROC_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	helper_log(host->main_chan, "%s", text);
}

static void result(struct host *host, uint32_t id, bool ok, const char *text)
{
	struct proc_result message = { .id = id, .ok = ok };
	struct wr w = { 0 };

	snprintf(message.text, sizeof(message.text), "%s", text);
	proc_result_encode(&w, &message);
	proc_chan_send(host->main_chan, &w, -1);
}

/* ---- tunnels */

static void take_file(struct host *host, struct rd body, int fd)
{
	struct proc_file file;

	if (proc_file_decode(body, &file))
		host_creds_file(host, &file, fd);
}

static void take_tunnel(struct host *host, struct rd body)
{
	struct proc_tunnel *m = mem_alloc(sizeof(*m));

	if (proc_tunnel_decode(body, m)) {
		host_creds_set(host, m->tunnel.name, m->tunnel.link);
		if (m->tunnel.only_keys)
			ike_engine_tunnel_del(host->engine, m->tunnel.name, host->now_ms);
		else
			ike_engine_tunnel_set(host->engine, &m->tunnel);
	}
	free(m);
}

static void drop_tunnel(struct host *host, const char *name)
{
	ike_engine_tunnel_del(host->engine, name, host->now_ms);
	host_creds_gone(host, name);
}

/* ---- commands and show */

void host_ts_copy(struct ike_ts_list *to, const struct ike_ts_list *from)
{
	memcpy(to, from, offsetof(struct ike_ts_list, list) + from->n * sizeof(from->list[0]));
}

static uint32_t seconds_since(const struct host *host, uint64_t at_ms)
{
	return at_ms && at_ms <= host->now_ms ? (uint32_t)((host->now_ms - at_ms) / 1000) : 0;
}

static uint32_t seconds_until(const struct host *host, uint64_t at_ms)
{
	if (at_ms == UINT64_MAX)
		return UINT32_MAX;
	return at_ms > host->now_ms ? (uint32_t)((at_ms - host->now_ms) / 1000) : 0;
}

struct showing {
	struct host *host;
	const char *tunnel;
};

static uint32_t seconds_since_any(const struct host *host, uint64_t at_ms)
{
	return at_ms ? seconds_since(host, at_ms) : UINT32_MAX;
}

static void put_use(struct host *host, struct proc_child_row *row)
{
	const struct host_child *child = host_child_find(host, row->spi_in);

	if (!child)
		return;
	row->heard_s = seconds_since_any(host, child->heard_ms);
	row->spoke_s = seconds_since_any(host, child->spoke_ms);
	row->use = child->use;
}

static void show_child(void *ctx, const struct ike_child_info *info)
{
	struct showing *s = ctx;
	struct proc_child_row *row = mem_alloc(sizeof(*row));
	struct wr w = { 0 };

	row->spi_in = info->spi_in;
	row->spi_out = info->spi_out;
	host_ts_copy(&row->local_ts, info->local_ts);
	host_ts_copy(&row->remote_ts, info->remote_ts);
	row->up_s = seconds_since(s->host, info->since_ms);
	row->rekey_in_s = seconds_until(s->host, info->rekey_at_ms);
	row->heard_s = row->spoke_s = UINT32_MAX;
	put_use(s->host, row);
	snprintf(row->state, sizeof(row->state), "%s", info->state);
	ike_suite_format(&info->suite, IKE_PROTO_ESP, row->suite, sizeof(row->suite));
	proc_child_row_encode(&w, row);
	proc_chan_send(s->host->main_chan, &w, -1);
	free(row);
}

static void show_sa(void *ctx, const struct ike_sa_info *info)
{
	struct showing *s = ctx;
	struct proc_sa row = { .sa = info->sa, .initiator = info->initiator, .nat_local = info->nat_local,
			       .nat_remote = info->nat_remote, .mobike = info->mobike, .fragments = info->fragments,
			       .path = info->path, .local_id = *info->local_id, .remote_id = *info->remote_id,
			       .up_s = seconds_since(s->host, info->up_since_ms),
			       .rekey_in_s = seconds_until(s->host, info->rekey_at_ms) };
	struct wr w = { 0 };

	if (s->tunnel[0] && strcmp(s->tunnel, info->tunnel) != 0)
		return;
	snprintf(row.tunnel, sizeof(row.tunnel), "%s", info->tunnel);
	snprintf(row.state, sizeof(row.state), "%s", info->state);
	memcpy(row.spi_i, info->spi_i, IKE_SPI_SIZE);
	memcpy(row.spi_r, info->spi_r, IKE_SPI_SIZE);
	if (info->suite.prf)
		ike_suite_format(&info->suite, IKE_PROTO_IKE, row.suite, sizeof(row.suite));
	proc_sa_encode(&w, &row);
	proc_chan_send(s->host->main_chan, &w, -1);
	ike_engine_each_child(s->host->engine, info->sa, show_child, s);
}

static void show(struct host *host, const char *tunnel)
{
	struct showing s = { host, tunnel };
	struct ike_counters counters;
	struct wr w = { 0 };

	ike_engine_each_sa(host->engine, show_sa, &s);
	ike_engine_counters(host->engine, &counters);
	proc_counters_encode(&w, &counters);
	proc_chan_send(host->main_chan, &w, -1);
}

static void take_command(struct host *host, struct rd body)
{
	struct proc_command c;
	struct diag diag = { "" };
	int ret = 0;

	if (!proc_command_decode(body, &c))
		return;
	switch ((enum proc_verb)c.verb) {
	case PROC_UP:
		ret = ike_engine_up(host->engine, c.tunnel, &c.path, host->now_ms, &diag);
		break;
	case PROC_DOWN:
		ret = ike_engine_down(host->engine, c.tunnel, host->now_ms, &diag);
		break;
	case PROC_REKEY_IKE:
	case PROC_REKEY_CHILD:
		ret = ike_engine_rekey(host->engine, c.tunnel, c.verb == PROC_REKEY_CHILD, host->now_ms, &diag);
		break;
	case PROC_SHOW:
		show(host, c.tunnel);
		break;
	}
	result(host, c.id, ret == 0, diag.text);
}

/* ---- messages */

static void take_peer(struct host *host, struct rd body, int fd)
{
	struct proc_peer peer;

	if (!proc_peer_decode(body, &peer) || (peer.who != PROC_SIGNER && peer.who != PROC_ESP)) {
		close(fd);
	} else if (peer.who == PROC_SIGNER) {
		proc_chan_free(host->signer);
		host->signer = proc_chan_new(fd);
	} else {
		host_children_lost(host);
		host_socket_release_all(host, false);
		proc_chan_free(host->esp);
		host->esp = proc_chan_new(fd);
		/* a new one has no SA; what the peer sends with the old keys it cannot open */
		host_children_expire(host);
	}
}

static void from_esp(struct host *host, const struct proc_header *header, struct rd body, int fd);

static void from_main(struct host *host, const struct proc_header *header, struct rd body, int fd)
{
	struct proc_socket socket;
	struct proc_name name;

	switch (header->type) {
	case PROC_PEER:
		if (fd >= 0)
			take_peer(host, body, fd);
		return;
	case PROC_SOCKET:
		if (fd >= 0 && proc_socket_decode(body, &socket))
			host_socket_add(host, &socket, fd);
		return;
	case PROC_SOCKET_GONE:
		if (proc_socket_decode(body, &socket))
			host_socket_gone(host, &socket);
		break;
	case PROC_FILE:
		if (fd >= 0)
			take_file(host, body, fd);
		break;
	case PROC_TUNNEL:
		take_tunnel(host, body);
		break;
	case PROC_TUNNEL_GONE:
		if (proc_name_decode(body, &name))
			drop_tunnel(host, name.name);
		break;
	case PROC_COMMAND:
		take_command(host, body);
		break;
	case PROC_DONE:
		host_socket_release(host, true);
		break;
	default:
		/* of the kernel's ESP, which main has */
		from_esp(host, header, body, -1);
		break;
	}
	if (fd >= 0)
		close(fd);
}

static void from_signer(struct host *host, const struct proc_header *header, struct rd body, int fd)
{
	struct proc_signed m;

	if (fd >= 0)
		close(fd);
	if (header->type != PROC_SIGNED || !proc_signed_decode(body, &m))
		return;
	if (m.method == 0) {
		if (!host->told_signer_ms || host->told_signer_ms + TELL_MS <= host->now_ms) {
			host->told_signer_ms = host->now_ms;
			host_log(host, "signer: %.*s", (int)m.data.len, (const char *)m.data.data);
		}
		ike_engine_signed(host->engine, m.id, 0, NULL, 0, host->now_ms);
		return;
	}
	ike_engine_signed(host->engine, m.id, m.method, m.data.data, m.data.len, host->now_ms);
}

static uint64_t ago(const struct host *host, uint32_t ms, uint64_t before)
{
	return ms == UINT32_MAX || ms > host->now_ms ? before : host->now_ms - ms;
}

static void take_times(struct host *host, struct rd body)
{
	struct proc_times *m = mem_alloc(sizeof(*m));

	if (proc_times_decode(body, m))
		for (unsigned i = 0; i < m->n; i++) {
			struct host_child *c = host_child_find(host, m->list[i].spi_in);

			if (!c)
				continue;
			c->heard_ms = ago(host, m->list[i].heard_ago_ms, c->heard_ms);
			c->spoke_ms = ago(host, m->list[i].spoke_ago_ms, c->spoke_ms);
			c->use = m->list[i].use;
		}
	free(m);
}

static void from_esp(struct host *host, const struct proc_header *header, struct rd body, int fd)
{
	struct proc_packet packet;
	struct proc_moved moved;
	struct proc_spi spi;

	if (fd >= 0)
		close(fd);
	if (header->type == PROC_TIMES)
		take_times(host, body);
	else if (header->type == PROC_DONE)
		host_socket_release(host, false);
	else if (header->type == PROC_MOVED && proc_moved_decode(body, &moved))
		ike_engine_esp_moved(host->engine, moved.spi_in, &moved.remote, host->now_ms);
	else if (header->type == PROC_EXPIRING && proc_spi_decode(body, &spi))
		ike_engine_child_expiring(host->engine, spi.spi_in, host->now_ms);
	else if (header->type == PROC_CHILD_FAILED && proc_spi_decode(body, &spi))
		ike_engine_child_failed(host->engine, spi.spi_in, host->now_ms);
	else if (header->type == PROC_PACKET && proc_packet_decode(body, &packet) && packet.data.len <= 65536) {
		memcpy(host->buffer, packet.data.data, packet.data.len);
		ike_engine_packet(host->engine, &packet.path, host->buffer, packet.data.len, host->now_ms);
	}
}

/* False: the channel is of no more use. */
static bool drain(struct host *host, struct proc_chan *chan,
		  void (*take)(struct host *host, const struct proc_header *header, struct rd body, int fd))
{
	struct proc_header header;
	struct rd body;
	int fd;

	proc_chan_flush(chan);
	for (unsigned i = 0; i < MESSAGES_MAX && proc_chan_receive(chan, &header, &body, &fd) == 1; i++)
		take(host, &header, body, fd);
	return !proc_chan_is_broken(chan);
}

/* It has ended, and main begins another; or it is not itself, and main is to end
 * it: what it has is not known any more. */
static void lose_esp(struct host *host)
{
	struct wr w = { 0 };

	if (!proc_chan_has_ended(host->esp)) {
		host_log(host, "esp does not take its messages, or sent what makes no sense; nothing more is said to it");
		proc_plain_encode(&w, PROC_LOST);
		proc_chan_send(host->main_chan, &w, -1);
	}
	proc_chan_free(host->esp);
	host->esp = NULL;
	host_children_lost(host);
	host_socket_release_all(host, false);
}

static struct pollfd poll_of(const struct proc_chan *chan)
{
	return chan ? (struct pollfd){ proc_chan_fd(chan), (short)(POLLIN | (proc_chan_wants_write(chan) ? POLLOUT : 0)), 0 } :
		      (struct pollfd){ -1, 0, 0 };
}

static int timeout_of(const struct host *host)
{
	uint64_t left;

	if (host->next_ms == UINT64_MAX)
		return -1;
	left = host->next_ms > host->now_ms ? host->next_ms - host->now_ms : 0;
	return left > 60000 ? 60000 : (int)left;
}

bool host_step(struct host *host)
{
	struct pollfd fds[3 + HOST_SOCKETS_MAX];
	unsigned n = host->n_sockets;
	uint64_t retired_ms, creds_ms, held_ms;

	fds[0] = poll_of(host->main_chan);
	fds[1] = poll_of(host->signer);
	fds[2] = poll_of(host->esp);
	for (unsigned i = 0; i < n; i++)
		fds[3 + i] = (struct pollfd){ host->sockets[i].fd, POLLIN, 0 };
	if (poll(fds, 3 + n, timeout_of(host)) < 0 && errno != EINTR)
		return false;
	host->now_ms = helper_now_ms();
	/* strangers' packets before the rest: the table of sockets is still the same */
	for (unsigned i = 0; i < n; i++)
		if (fds[3 + i].revents)
			host_socket_read(host, i);
	if (host->signer && !drain(host, host->signer, from_signer)) {
		proc_chan_free(host->signer);
		host->signer = NULL;
	}
	if (host->esp && !drain(host, host->esp, from_esp))
		lose_esp(host);
	if (!drain(host, host->main_chan, from_main))
		return false;
	host->next_ms = ike_engine_run(host->engine, host->now_ms);
	retired_ms = host_children_run(host);
	if (retired_ms < host->next_ms)
		host->next_ms = retired_ms;
	creds_ms = host_creds_run(host, time(NULL));
	if (creds_ms < host->next_ms)
		host->next_ms = creds_ms;
	held_ms = host_socket_run(host);
	if (held_ms < host->next_ms)
		host->next_ms = held_ms;
	return true;
}
