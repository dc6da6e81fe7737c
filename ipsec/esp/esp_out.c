/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * From devices to sockets.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "ipsec/esp/esp_fit.h"
#include "ipsec/esp/esp_ipip.h"
#include "ipsec/esp/esp_super.h"
#include "ipsec/esp/esp_worker_impl.h"

#define TOLD_MAX 1000 /* messages a second to inner sources (RFC 4443 2.4 f) */

void esp_out_flush(struct esp_worker *w)
{
	if (w->n_trains > 0)
		esp_sock_send(w->trains_sock, w->trains, w->n_trains);
	w->n_trains = 0;
	w->arena_used = 0;
}

/* The next datagram goes behind the last one when it can share its train. */
static bool fits_train(const struct esp_worker *w, const struct esp_sa *sa, size_t size, uint8_t tos, bool fragment)
{
	const struct esp_train *t = &w->trains[w->n_trains - 1];

	return w->trains_sock->segment && t->len % t->size == 0 && size <= t->size && t->tos == tos &&
	       t->fragment == fragment &&
	       t->len + size <= ESP_TRAIN_BYTES_MAX && t->len / t->size < ESP_TRAIN_MAX &&
	       ike_endpoint_equal(&t->peer, &sa->to);
}

/* A place for one ESP packet of that size, which then must be filled. */
static uint8_t *place(struct esp_worker *w, struct esp_sock *sock, const struct esp_sa *sa, size_t size, uint8_t tos,
		      bool fragment)
{
	struct esp_train *t;

	if (w->n_trains > 0 && w->trains_sock != sock)
		esp_out_flush(w);
	if (w->n_trains == 0 || !fits_train(w, sa, size, tos, fragment)) {
		if (w->n_trains == ESP_BATCH || w->arena_used + ESP_ARENA_SPARE > ESP_ARENA_SIZE)
			esp_out_flush(w);
		t = &w->trains[w->n_trains++];
		*t = (struct esp_train){ .data = w->arena + w->arena_used,
					 .size = (uint16_t)size,
					 .tos = tos,
					 .fragment = fragment,
					 .peer = sa->to };
		w->trains_sock = sock;
	}
	t = &w->trains[w->n_trains - 1];
	t->len += size;
	w->arena_used += size;
	return t->data + t->len - size;
}

/* The place is not used after all. */
static void unplace(struct esp_worker *w, size_t size)
{
	struct esp_train *t = &w->trains[w->n_trains - 1];

	t->len -= size;
	w->arena_used -= size;
	if (t->len == 0)
		w->n_trains--;
}

struct leaving {
	uint8_t *frame; /* as the device gave it */
	struct esp_device *device;
	struct esp_sa *sa;
	struct esp_sock *sock;
	struct esp_super super;
	size_t ipip;   /* bytes of IP in IP's header in front of each packet */
	bool fragment; /* what is made of it may be cut on the way */
	bool alias;    /* the destination's port is one (esp_twin.h), in place of this: */
	uint16_t port;
};

/* A place for the ESP packet around len bytes, which go to inside_of() it; NULL:
 * there is none. */
static uint8_t *open_place(struct esp_worker *w, const struct leaving *l, size_t len)
{
	size_t size = esp_sa_length(l->sa, l->ipip + len);

	if (size > ESP_TRAIN_BYTES_MAX) {
		esp_sa_drop(w, l->sa, &w->counters.too_long, &l->sa->drops.unsent);
		return NULL;
	}
	/* the outer header says what the inner one says: DSCP (RFC 4301 5.1.2.1)
	 * and ECN (RFC 6040 4.1) */
	return place(w, l->sock, l->sa, size, l->super.inner.tos, l->fragment);
}

static uint8_t *inside_of(const struct leaving *l, uint8_t *packet)
{
	return packet + ESP_HEADER + l->sa->iv + l->ipip;
}

static bool close_place(struct esp_worker *w, const struct leaving *l, uint8_t *packet, size_t len, uint8_t next)
{
	size_t size = esp_sa_length(l->sa, l->ipip + len);

	if (l->ipip)
		esp_ipip_put(l->sa, (enum ip_family)l->super.inner.family, l->super.inner.tos, len,
			     packet + ESP_HEADER + l->sa->iv);
	if (esp_sa_seal(l->sa, packet, l->ipip + len, next) != size) {
		unplace(w, size);
		esp_sa_drop(w, l->sa, &w->counters.exhausted, &l->sa->drops.unsent);
		return false;
	}
	w->counters.out++;
	w->counters.bytes_out += l->ipip + len;
	return true;
}

static uint8_t next_header(const struct leaving *l)
{
	uint8_t family = l->ipip ? l->sa->ipip.local.family : l->super.inner.family;

	return family == IP_V4 ? ESP_NEXT_V4 : ESP_NEXT_V6;
}

static void send_super(struct esp_worker *w, const struct leaving *l)
{
	const struct esp_super *s = &l->super;

	for (uint32_t i = 0; i < s->count; i++) {
		size_t len = esp_super_length(s, i);
		uint8_t *packet = open_place(w, l, len);

		if (!packet)
			return;
		esp_super_put(s, i, inside_of(l, packet));
		if (!close_place(w, l, packet, len, next_header(l)))
			return;
	}
}

/* Each packet is cut before it is encrypted: the peer's host puts the pieces
 * together, not the peer, and NATs on the way see whole datagrams. */
static void send_cut(struct esp_worker *w, const struct leaving *l)
{
	const struct esp_super *s = &l->super;
	uint32_t mtu = l->sa->room;

	for (uint32_t i = 0; i < s->count; i++) {
		struct esp_inner inner;
		uint32_t n;

		if (esp_inner_read(w->scratch, esp_super_put(s, i, w->scratch), &inner) != 0)
			return;
		n = esp_fragments(&inner, mtu);
		w->counters.cut += n > 1;
		for (uint32_t k = 0; k < n; k++) {
			size_t len = esp_fragment_length(&inner, mtu, k);
			uint8_t *packet = open_place(w, l, len);

			if (!packet)
				return;
			esp_fragment_put(w->scratch, &inner, mtu, k, inside_of(l, packet));
			if (!close_place(w, l, packet, len, next_header(l)))
				return;
		}
	}
}

static void tell_too_big(struct esp_worker *w, const struct leaving *l, uint32_t mtu)
{
	struct virtio_net_hdr vnet = { 0 };
	uint8_t message[ESP_TOO_BIG_MAX];
	struct iovec iov[2] = { { &vnet, sizeof(vnet) }, { message, 0 } };

	esp_sa_drop(w, l->sa, &w->counters.too_big, &l->sa->drops.too_big);
	if (w->told_second != w->now_ms / 1000) {
		w->told_second = w->now_ms / 1000;
		w->told = 0;
	}
	if (w->told >= TOLD_MAX)
		return;
	iov[1].iov_len = esp_too_big(l->super.data, &l->super.inner, mtu, message);
	if (iov[1].iov_len == 0)
		return;
	w->told++;
	(void)esp_device_write(l->device, iov, 2);
}

/* Longer than the path takes. */
static void send_long(struct esp_worker *w, struct leaving *l)
{
	const struct esp_inner *in = &l->super.inner;
	uint32_t mtu = l->sa->room;

	if (in->family == IP_V6 && mtu < ESP_V6_MTU_MIN)
		mtu = ESP_V6_MTU_MIN;
	if (in->df && esp_super_length(&l->super, 0) > mtu) {
		tell_too_big(w, l, mtu);
		return;
	}
	/* IPv6 has a right to its 1280 bytes (RFC 2473 7.1), and fragments of IPv4 do
	 * not match selectors with ports */
	l->fragment = in->family == IP_V6 || l->sa->whole || in->header != 20;
	if (l->fragment)
		send_super(w, l);
	else
		send_cut(w, l);
}

/* What is behind the IP header. */
static void send_transport(struct esp_worker *w, const struct leaving *l)
{
	const struct esp_super *s = &l->super;
	size_t header = s->inner.header;

	/* an IP header with more than the outer one can say, and parts of a packet
	 * (RFC 4301 7: transport mode takes whole ones) */
	if (header != (s->inner.family == IP_V4 ? 20 : 40) || s->inner.fragment) {
		esp_sa_drop(w, l->sa, &w->counters.too_long, &l->sa->drops.unsent);
		return;
	}
	for (uint32_t i = 0; i < s->count; i++) {
		size_t len = esp_super_put(s, i, w->scratch) - header;
		uint8_t *packet = open_place(w, l, len);

		if (!packet)
			return;
		memcpy(inside_of(l, packet), w->scratch + header, len);
		if (!close_place(w, l, packet, len, s->inner.proto))
			return;
	}
}

static void leave(struct esp_worker *w, struct leaving *l, bool partial)
{
	struct esp_sa *sa = l->sa;
	uint32_t room;

	if (sa->room == 0 || (sa->pmtu != 0 && w->now_ms >= sa->pmtu_until_ms))
		esp_worker_fit(w, sa, l->sock);
	l->ipip = esp_ipip_header(sa, &l->super.inner);
	/* the header that stays in front is not inside */
	room = sa->room + (sa->transport ? l->super.inner.header : 0);
	if (esp_mss_clamp(l->frame + sizeof(struct virtio_net_hdr), &l->super.inner,
			  l->super.inner.family == IP_V6 && room < ESP_V6_MTU_MIN ? ESP_V6_MTU_MIN : room, partial))
		w->counters.mss_lowered++;
	l->fragment = sa->transport && esp_super_length(&l->super, 0) > room;
	if (l->fragment && l->super.inner.df)
		tell_too_big(w, l, room);
	else if (sa->transport)
		send_transport(w, l);
	else if (esp_super_length(&l->super, 0) > room)
		send_long(w, l);
	else
		send_super(w, l);
	sa->spoke_ms = w->now_ms;
	esp_tell_expiring(w, sa);
}

static void hand_over(struct esp_worker *w, const struct leaving *l, size_t len)
{
	if (w->ops.hand_out(w->ctx, l->sa->spi_in, l->device->number, l->frame, len))
		w->counters.handed++;
	else
		w->counters.handed_full++;
}

/* The packet stays as it is: another worker that gets it will ask the same. */
static void choose(const struct esp_worker *w, struct leaving *l)
{
	struct esp_inner inner = l->super.inner;
	struct esp_alias alias;

	l->sa = esp_table_choose(w->table, l->device->number, &inner, 0);
	if (!w->has_twins || (l->sa && !esp_sa_may_be_twin(l->sa)) ||
	    !esp_twins_find(w->twins, l->super.data, &inner, w->now_ms, &alias))
		return;
	l->alias = true;
	l->port = alias.port;
	l->sa = esp_table_choose(w->table, l->device->number, &inner, alias.twin);
}

static void tell_wanted(struct esp_worker *w, struct esp_device *d)
{
	if (d->wanted_ms != 0 && w->now_ms < d->wanted_ms + ESP_WANTED_EVERY_MS)
		return;
	d->wanted_ms = w->now_ms;
	w->ops.wanted(w->ctx, d->number);
}

void esp_out_frame(struct esp_worker *w, struct esp_device *d, uint8_t *frame, size_t len)
{
	struct virtio_net_hdr vnet;
	struct leaving l = { .frame = frame, .device = d };

	memcpy(&vnet, frame, sizeof(vnet));
	if (esp_super_read(&vnet, frame + sizeof(vnet), len - sizeof(vnet), &l.super) != 0) {
		w->counters.bad_super++;
		return;
	}
	choose(w, &l);
	if (!l.sa) {
		w->counters.no_sa++;
		tell_wanted(w, d);
		return;
	}
	if (l.sa->elsewhere) {
		hand_over(w, &l, len);
		return;
	}
	l.sock = esp_sock_of(w, l.sa);
	if (l.alias)
		esp_twins_out(frame + sizeof(vnet), &l.super.inner, l.super.csum, l.port);
	if (l.sock)
		leave(w, &l, l.super.csum);
	else
		esp_sa_drop(w, l.sa, &w->counters.no_socket, &l.sa->drops.unsent);
}

void esp_out_read(struct esp_worker *w, struct esp_device *d)
{
	for (unsigned int i = 0; i < ESP_READS_MAX; i++) {
		ssize_t n = read(d->fd, w->read_buffer, ESP_READ_SIZE);

		if (n < (ssize_t)sizeof(struct virtio_net_hdr)) {
			/* somebody has deleted the interface */
			if (n < 0 && errno != EAGAIN && errno != EINTR && errno != EIO)
				esp_device_lost(w, d);
			break;
		}
		esp_out_frame(w, d, w->read_buffer, (size_t)n);
	}
	esp_out_flush(w);
}
