/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The messages' fields. One function describes a message for both directions,
 * so that encoder and decoder cannot differ.
 */
#include "ipsec/proc.h"

#include <string.h>

#include "ipsec/ike/ts.h"

/* Writes to w, or reads from rd when there is no w. */
struct io {
	struct wr *w;
	struct rd rd;
	bool bad; /* whole, but out of bounds */
};

static void io_u8(struct io *io, uint8_t *v)
{
	if (io->w)
		wr_u8(io->w, *v);
	else
		*v = rd_u8(&io->rd);
}

static void io_u16(struct io *io, uint16_t *v)
{
	if (io->w)
		wr_be16(io->w, *v);
	else
		*v = rd_be16(&io->rd);
}

static void io_u32(struct io *io, uint32_t *v)
{
	if (io->w)
		wr_be32(io->w, *v);
	else
		*v = rd_be32(&io->rd);
}

static void io_u64(struct io *io, uint64_t *v)
{
	if (io->w)
		wr_be64(io->w, *v);
	else
		*v = rd_be64(&io->rd);
}

static void io_bool(struct io *io, bool *v)
{
	uint8_t byte = io->w ? *v : 0;

	io_u8(io, &byte);
	io->bad = io->bad || byte > 1;
	*v = byte == 1;
}

static void io_enum(struct io *io, uint8_t *v, uint8_t max)
{
	io_u8(io, v);
	io->bad = io->bad || *v > max;
}

static void io_fixed(struct io *io, void *data, size_t len)
{
	if (io->w)
		wr_bytes(io->w, data, len);
	else
		rd_bytes(&io->rd, data, len);
}

static void io_text(struct io *io, char *text, size_t size)
{
	uint16_t len = io->w ? (uint16_t)strnlen(text, size - 1) : 0;

	io_u16(io, &len);
	if (len >= size) {
		io->bad = true;
		return;
	}
	io_fixed(io, text, len);
	if (!io->w) {
		text[len] = '\0';
		io->bad = io->bad || strlen(text) != len;
	}
}

/* Decoded, it points into the message. */
static void io_bytes(struct io *io, const uint8_t **data, size_t *len)
{
	uint32_t n = io->w ? (uint32_t)*len : 0;
	struct rd part;

	io_u32(io, &n);
	if (io->w) {
		if (n)
			wr_bytes(io->w, *data, n);
		return;
	}
	part = rd_sub(&io->rd, n);
	*data = part.p;
	*len = rd_left(&part);
}

static void io_addr(struct io *io, struct ip_addr *addr)
{
	uint64_t high = (uint64_t)(addr->v >> 64), low = (uint64_t)addr->v;

	io_enum(io, &addr->family, IP_FAMILIES - 1);
	io_u64(io, &high);
	io_u64(io, &low);
	addr->v = (u128)high << 64 | low;
	io->bad = io->bad || (addr->family == IP_V4 && addr->v > ip_max(IP_V4));
}

static void io_endpoint(struct io *io, struct ike_endpoint *e)
{
	io_addr(io, &e->addr);
	io_u16(io, &e->port);
}

static void io_path(struct io *io, struct ike_path *path)
{
	io_u32(io, &path->link);
	io_endpoint(io, &path->local);
	io_endpoint(io, &path->remote);
	io->bad = io->bad || path->local.addr.family != path->remote.addr.family;
}

static void io_identity(struct io *io, struct ike_identity *id)
{
	io_u8(io, &id->type);
	io_u16(io, &id->len);
	if (id->len > IKE_IDENTITY_MAX)
		io->bad = true;
	else
		io_fixed(io, id->data, id->len);
}

static void io_secret(struct io *io, struct crypto_key *key)
{
	uint8_t len = io->w ? (uint8_t)key->len : 0;

	io_u8(io, &len);
	key->len = len;
	if (len > CRYPTO_KEY_MAX)
		io->bad = true;
	else
		io_fixed(io, key->bytes, len);
}

static void io_ts(struct io *io, struct ike_ts *ts)
{
	io_u8(io, &ts->protocol);
	io_u16(io, &ts->port_first);
	io_u16(io, &ts->port_last);
	io_addr(io, &ts->first);
	io_addr(io, &ts->last);
	io->bad = io->bad || ts->first.family != ts->last.family || ts->first.v > ts->last.v;
}

static void io_ts_list(struct io *io, struct ike_ts_list *list)
{
	uint32_t n = list->n;

	io_u32(io, &n);
	list->n = n;
	if (n > IKE_TS_MAX) {
		io->bad = true;
		list->n = 0;
	}
	for (unsigned i = 0; i < list->n; i++)
		io_ts(io, &list->list[i]);
}

/* ---- the messages */

static void io_peer(struct io *io, struct proc_peer *m)
{
	io_enum(io, &m->who, PROC_WHO_MAX);
}

static void io_socket(struct io *io, struct proc_socket *m)
{
	io_u32(io, &m->link);
	io_endpoint(io, &m->local);
	io_u32(io, &m->mtu);
	io_u32(io, &m->worker);
	io_bool(io, &m->kernel);
}

static void io_file(struct io *io, struct proc_file *m)
{
	io_text(io, m->tunnel, sizeof(m->tunnel));
	io_enum(io, &m->kind, PROC_FILE_KIND_MAX);
	io_text(io, m->name, sizeof(m->name));
}

static void io_name(struct io *io, struct proc_name *m)
{
	io_text(io, m->name, sizeof(m->name));
}

static void io_command(struct io *io, struct proc_command *m)
{
	io_u32(io, &m->id);
	io_enum(io, &m->verb, PROC_VERB_MAX);
	io_text(io, m->tunnel, sizeof(m->tunnel));
	io_path(io, &m->path);
}

static void io_event(struct io *io, struct proc_event *m)
{
	io_u8(io, &m->event);
	io->bad = io->bad || (m->event >= IKE_EVENTS && m->event != PROC_EVENT_LOG);
	io_u64(io, &m->sa);
	io_text(io, m->tunnel, sizeof(m->tunnel));
	io_text(io, m->text, sizeof(m->text));
}

static void io_result(struct io *io, struct proc_result *m)
{
	io_u32(io, &m->id);
	io_bool(io, &m->ok);
	io_text(io, m->text, sizeof(m->text));
}

static void io_sa(struct io *io, struct proc_sa *m)
{
	io_u64(io, &m->sa);
	io_text(io, m->tunnel, sizeof(m->tunnel));
	io_text(io, m->state, sizeof(m->state));
	io_bool(io, &m->initiator);
	io_bool(io, &m->nat_local);
	io_bool(io, &m->nat_remote);
	io_bool(io, &m->mobike);
	io_bool(io, &m->fragments);
	io_fixed(io, m->spi_i, sizeof(m->spi_i));
	io_fixed(io, m->spi_r, sizeof(m->spi_r));
	io_path(io, &m->path);
	io_identity(io, &m->local_id);
	io_identity(io, &m->remote_id);
	io_text(io, m->suite, sizeof(m->suite));
	io_u32(io, &m->up_s);
	io_u32(io, &m->rekey_in_s);
}

static void io_use(struct io *io, struct proc_use *m)
{
	io_u64(io, &m->packets_in);
	io_u64(io, &m->bytes_in);
	io_u64(io, &m->packets_out);
	io_u64(io, &m->bytes_out);
	io_u32(io, &m->replays);
	io_u32(io, &m->bad_integrity);
	io_u32(io, &m->bad_form);
	io_u32(io, &m->bad_selector);
	io_u32(io, &m->congestion);
	io_u32(io, &m->too_big);
	io_u32(io, &m->unsent);
}

static void io_child_row(struct io *io, struct proc_child_row *m)
{
	io_u32(io, &m->spi_in);
	io_u32(io, &m->spi_out);
	io_text(io, m->state, sizeof(m->state));
	io_text(io, m->suite, sizeof(m->suite));
	io_ts_list(io, &m->local_ts);
	io_ts_list(io, &m->remote_ts);
	io_u32(io, &m->up_s);
	io_u32(io, &m->rekey_in_s);
	io_u32(io, &m->heard_s);
	io_u32(io, &m->spoke_s);
	io_use(io, &m->use);
}

static void io_counters(struct io *io, struct ike_counters *m)
{
	io_u64(io, &m->packets);
	io_u64(io, &m->truncated);
	io_u64(io, &m->bad_version);
	io_u64(io, &m->bad_syntax);
	io_u64(io, &m->bad_integrity);
	io_u64(io, &m->unknown_spi);
	io_u64(io, &m->bad_id);
	io_u64(io, &m->cookies_sent);
	io_u64(io, &m->cookies_good);
	io_u64(io, &m->cookies_bad);
	io_u64(io, &m->half_open_refused);
	io_u64(io, &m->retransmits);
	io_u64(io, &m->duplicates);
	io_u64(io, &m->timeouts);
	io_u64(io, &m->replies_limited);
	io_u64(io, &m->peer_refused);
	io_u32(io, &m->half_open);
	io_u32(io, &m->sas);
	io_u32(io, &m->children);
}

static void io_carries(struct io *io, struct proc_carries *m)
{
	io_text(io, m->tunnel, sizeof(m->tunnel));
	io_bool(io, &m->up);
	io_path(io, &m->path);
	io_ts_list(io, &m->local_ts);
	io_ts_list(io, &m->remote_ts);
}

static void io_key(struct io *io, struct proc_key *m)
{
	io_text(io, m->tunnel, sizeof(m->tunnel));
	io_enum(io, &m->kind, PROC_KEY_KIND_MAX);
	io_text(io, m->file, sizeof(m->file));
}

static void io_key_state(struct io *io, struct proc_key_state *m)
{
	io_text(io, m->tunnel, sizeof(m->tunnel));
	io_bool(io, &m->ok);
	io_text(io, m->text, sizeof(m->text));
}

static void io_sign(struct io *io, struct proc_sign *m)
{
	io_u64(io, &m->id);
	io_text(io, m->tunnel, sizeof(m->tunnel));
	io_bool(io, &m->psk);
	io_u16(io, &m->prf);
	io_u32(io, &m->hashes);
	for (unsigned i = 0; i < 3; i++) {
		const uint8_t *data = m->octets[i].data;

		io_bytes(io, &data, &m->octets[i].len);
		m->octets[i].data = data;
	}
}

static void io_signed(struct io *io, struct proc_signed *m)
{
	io_u64(io, &m->id);
	io_u8(io, &m->method);
	io_bytes(io, &m->data.data, &m->data.len);
}

static void io_child(struct io *io, struct proc_child *m)
{
	io_text(io, m->tunnel, sizeof(m->tunnel));
	io_u32(io, &m->spi_in);
	io_u32(io, &m->spi_out);
	io_u32(io, &m->replaces_in);
	io_u16(io, &m->suite.encr);
	io_u16(io, &m->suite.key_bits);
	io_u16(io, &m->suite.integ);
	io_bool(io, &m->esn);
	io_bool(io, &m->encap);
	io_bool(io, &m->transport);
	io_bool(io, &m->no_tfc);
	io_bool(io, &m->inbound_only);
	io_secret(io, &m->in.encr);
	io_secret(io, &m->in.integ);
	io_secret(io, &m->out.encr);
	io_secret(io, &m->out.integ);
	io_ts_list(io, &m->local_ts);
	io_ts_list(io, &m->remote_ts);
	io_path(io, &m->path);
	/* 0 to 255 are no SPIs (RFC 4303 2.1) */
	io->bad = io->bad || m->spi_in < 256 || m->spi_out < 256 || m->local_ts.n == 0 || m->remote_ts.n == 0;
}

static void io_spi(struct io *io, struct proc_spi *m)
{
	io_u32(io, &m->spi_in);
}

static void io_move(struct io *io, struct proc_move *m)
{
	io_u32(io, &m->spi_in);
	io_path(io, &m->path);
	io_bool(io, &m->encap);
}

static void io_moved(struct io *io, struct proc_moved *m)
{
	io_u32(io, &m->spi_in);
	io_endpoint(io, &m->remote);
}

static void io_times(struct io *io, struct proc_times *m)
{
	uint32_t n = m->n;

	io_u32(io, &n);
	m->n = n;
	if (n > PROC_TIMES_MAX) {
		io->bad = true;
		m->n = 0;
	}
	for (unsigned i = 0; i < m->n; i++) {
		io_u32(io, &m->list[i].spi_in);
		io_u32(io, &m->list[i].heard_ago_ms);
		io_u32(io, &m->list[i].spoke_ago_ms);
		io_use(io, &m->list[i].use);
	}
}

static void io_packet(struct io *io, struct proc_packet *m)
{
	io_path(io, &m->path);
	io_bytes(io, &m->data.data, &m->data.len);
}

static void io_device(struct io *io, struct proc_device *m)
{
	io_text(io, m->tunnel, sizeof(m->tunnel));
	io_text(io, m->device, sizeof(m->device));
	io_u32(io, &m->mtu);
	io_u32(io, &m->worker);
	io_bool(io, &m->many);
	io_addr(io, &m->ipip_local);
	io_addr(io, &m->ipip_remote);
}

static void io_mtu(struct io *io, struct proc_mtu *m)
{
	io_text(io, m->tunnel, sizeof(m->tunnel));
	io_u32(io, &m->mtu);
	io->bad = io->bad || m->mtu < PROC_MTU_MIN || m->mtu > PROC_MTU_MAX;
}

static void io_esp_counters(struct io *io, struct proc_esp_counters *m)
{
	uint32_t n = m->n;

	io_u32(io, &n);
	m->n = n;
	if (n > PROC_ESP_COUNTERS_MAX) {
		io->bad = true;
		m->n = 0;
	}
	for (unsigned i = 0; i < m->n; i++)
		io_u64(io, &m->list[i]);
}

/* ---- both ways */

void proc_plain_encode(struct wr *w, enum proc_type type)
{
	wr_u8(w, PROC_VERSION);
	wr_u8(w, (uint8_t)type);
}

bool proc_header_decode(struct rd *rd, struct proc_header *out)
{
	uint8_t version = rd_u8(rd);

	out->type = rd_u8(rd);
	return !rd->failed && version == PROC_VERSION && out->type >= PROC_PEER && out->type <= PROC_TYPE_MAX;
}

static bool done(const struct io *io)
{
	return !io->bad && rd_done(&io->rd);
}

/* What is written is not changed: io_*() read it only, then. */
#define DECODE(name, type_name)                                       \
	bool proc_##name##_decode(struct rd rd, type_name *out)       \
	{                                                             \
		struct io io = { .rd = rd };                          \
                                                                      \
		memset(out, 0, sizeof(*out));                         \
		io_##name(&io, out);                                  \
		return done(&io);                                     \
	}
#define CODEC_OF(name, type_name)                                                          \
	void proc_##name##_encode(struct wr *w, enum proc_type type, const type_name *in)  \
	{                                                                                  \
		struct io io = { .w = w };                                                 \
                                                                                           \
		proc_plain_encode(w, type);                                                \
		io_##name(&io, (type_name *)(uintptr_t)in);                                \
	}                                                                                  \
	DECODE(name, type_name)
#define CODEC(name, type_name, type)                                  \
	void proc_##name##_encode(struct wr *w, const type_name *in)  \
	{                                                             \
		struct io io = { .w = w };                            \
                                                                      \
		proc_plain_encode(w, type);                           \
		io_##name(&io, (type_name *)(uintptr_t)in);           \
	}                                                             \
	DECODE(name, type_name)

CODEC(peer, struct proc_peer, PROC_PEER)
CODEC_OF(socket, struct proc_socket)
CODEC(file, struct proc_file, PROC_FILE)
CODEC_OF(name, struct proc_name)
CODEC(command, struct proc_command, PROC_COMMAND)
CODEC(event, struct proc_event, PROC_EVENT)
CODEC(result, struct proc_result, PROC_RESULT)
CODEC(sa, struct proc_sa, PROC_SA)
CODEC(child_row, struct proc_child_row, PROC_CHILD)
CODEC(counters, struct ike_counters, PROC_COUNTERS)
CODEC(carries, struct proc_carries, PROC_CARRIES)
CODEC(key, struct proc_key, PROC_KEY)
CODEC(key_state, struct proc_key_state, PROC_KEY_STATE)
CODEC(sign, struct proc_sign, PROC_SIGN)
CODEC(signed, struct proc_signed, PROC_SIGNED)
CODEC(child, struct proc_child, PROC_CHILD_ADD)
CODEC_OF(spi, struct proc_spi)
CODEC(move, struct proc_move, PROC_CHILD_MOVE)
CODEC(moved, struct proc_moved, PROC_MOVED)
CODEC(times, struct proc_times, PROC_TIMES)
CODEC(packet, struct proc_packet, PROC_PACKET)
CODEC(device, struct proc_device, PROC_DEVICE)
CODEC(mtu, struct proc_mtu, PROC_MTU)
CODEC(esp_counters, struct proc_esp_counters, PROC_ESP_COUNTERS)

const char *proc_who_name(enum proc_who who)
{
	static const char *const names[] = { "main", "ike", "signer", "esp" };

	return names[who];
}

/* ---- a tunnel, as it lies in memory, and its lists behind it */

static void put_list(struct wr *w, const void *list, size_t len)
{
	wr_be32(w, (uint32_t)len);
	wr_bytes(w, list, len);
}

static void get_list(struct rd *rd, void *list, size_t size)
{
	uint32_t len = rd_be32(rd);

	if (len > size)
		rd->failed = true;
	else
		rd_bytes(rd, list, len);
}

void proc_tunnel_encode(struct wr *w, const struct ike_tunnel *in)
{
	struct ike_tunnel plain;

	/* where main's memory lies is nothing for ike */
	memcpy(&plain, in, sizeof(plain));
	plain.ike = plain.esp = NULL;
	plain.local_ts = plain.remote_ts = NULL;
	proc_plain_encode(w, PROC_TUNNEL);
	wr_bytes(w, &plain, sizeof(plain));
	put_list(w, in->ike, ike_proposals_bytes(in->ike));
	put_list(w, in->esp, ike_proposals_bytes(in->esp));
	put_list(w, in->local_ts, ike_ts_list_bytes(in->local_ts));
	put_list(w, in->remote_ts, ike_ts_list_bytes(in->remote_ts));
}

bool proc_tunnel_decode(struct rd rd, struct proc_tunnel *out)
{
	memset(out, 0, sizeof(*out));
	rd_bytes(&rd, &out->tunnel, sizeof(out->tunnel));
	get_list(&rd, &out->ike, sizeof(out->ike));
	get_list(&rd, &out->esp, sizeof(out->esp));
	get_list(&rd, &out->local_ts, sizeof(out->local_ts));
	get_list(&rd, &out->remote_ts, sizeof(out->remote_ts));
	out->tunnel.ike = &out->ike;
	out->tunnel.esp = &out->esp;
	out->tunnel.local_ts = &out->local_ts;
	out->tunnel.remote_ts = &out->remote_ts;
	return rd_done(&rd) && out->ike.n <= IKE_PROPOSALS_MAX && out->esp.n <= IKE_PROPOSALS_MAX &&
	       out->local_ts.n <= IKE_TS_MAX && out->remote_ts.n <= IKE_TS_MAX;
}
