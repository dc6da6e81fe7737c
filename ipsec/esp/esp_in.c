/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * From sockets to devices.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ipsec/esp/esp_bytes.h"
#include "ipsec/esp/esp_fit.h"
#include "ipsec/esp/esp_ipip.h"
#include "ipsec/esp/esp_sum.h"
#include "ipsec/esp/esp_super.h"
#include "ipsec/esp/esp_worker_impl.h"
#include "lib/mem.h"

#define KEEPALIVE      0xff /* RFC 3948 2.3 */
#define MOVED_EVERY_MS 200  /* of one SA */

bool esp_device_write(const struct esp_device *d, const struct iovec *iov, unsigned int n)
{
	return writev(d->fd, iov, (int)n) >= 0;
}

/* The kernel did not take a joined frame: its packets one by one. */
static bool write_cut(const struct esp_device *d, const struct esp_frame *f)
{
	struct virtio_net_hdr vnet = { .flags = VIRTIO_NET_HDR_F_DATA_VALID };
	uint8_t *whole = mem_alloc(65536), *piece = mem_alloc(65536);
	struct esp_super s;
	size_t len = 0;
	bool ok = true;

	for (unsigned int i = 1; i < f->n_iov; i++) {
		memcpy(whole + len, f->iov[i].iov_base, f->iov[i].iov_len);
		len += f->iov[i].iov_len;
	}
	if (esp_super_read(&f->vnet, whole, len, &s) == 0) {
		for (uint32_t i = 0; i < s.count; i++) {
			struct iovec iov[2] = { { &vnet, sizeof(vnet) }, { piece, esp_super_put(&s, i, piece) } };

			ok = esp_device_write(d, iov, 2) && ok;
		}
	}
	free(whole);
	free(piece);
	return ok;
}

void esp_in_write(struct esp_worker *w)
{
	struct esp_device *d = NULL;

	esp_merge_finish(&w->merge);
	for (unsigned int i = 0; i < w->merge.n; i++) {
		const struct esp_frame *f = &w->merge.frames[i];
		bool ok;

		if (!d || d->number != f->tunnel)
			d = esp_device_by_number(w, f->tunnel);
		ok = d && d->fd >= 0 && esp_device_write(d, f->iov, f->n_iov);
		if (!ok && d && errno == EINVAL && f->n_iov > 2) {
			if (f->vnet.gso_type == VIRTIO_NET_HDR_GSO_UDP_L4)
				w->merge.udp = false; /* before Linux 6.2 */
			ok = write_cut(d, f);
		}
		w->counters.tun_refused += !ok;
	}
	esp_merge_reset(&w->merge);
	w->copies_used = 0;
}

/* ---- transport mode */

#define PROTO_TCP   6
#define PROTO_UDP   17
#define PROTO_ICMP6 58

/* Through a NAT the addresses are not those that the sender's checksum knew: it
 * is made anew (RFC 3948 3.1.2). What it would protect, ESP has. */
static void mend_checksum(uint8_t *packet, const struct esp_inner *in)
{
	uint8_t *l4 = packet + in->header, *field;
	uint32_t len = in->len - in->header;
	size_t at = in->proto == PROTO_TCP ? 16 : in->proto == PROTO_UDP ? 6 : in->proto == PROTO_ICMP6 ? 2 : len;
	uint64_t sum;

	if (at + 2 > len)
		return;
	field = l4 + at;
	if (in->proto == PROTO_UDP && esp_get16(field) == 0)
		return;
	esp_put16(field, 0);
	sum = in->family == IP_V4 ? esp_sum_pseudo(IP_V4, packet + 12, packet + 16, in->proto, len) :
				    esp_sum_pseudo(IP_V6, packet + 8, packet + 24, in->proto, len);
	esp_put16(field, esp_sum_final(esp_sum_add(sum, l4, len), in->proto == PROTO_UDP));
}

/* The outer header as it would be without ESP. */
static size_t put_header(const struct esp_sa *sa, const struct esp_train *train, const struct esp_plain *plain,
			 uint8_t *out)
{
	const struct ip_addr *src = &train->peer.addr, *dst = &sa->path.local.addr;

	if (src->family == IP_V6) {
		memset(out, 0, 40);
		out[0] = (uint8_t)(0x60 | train->tos >> 4);
		out[1] = (uint8_t)(train->tos << 4);
		esp_put16(out + 4, (uint16_t)plain->len);
		out[6] = plain->next_header;
		out[7] = 64;
		ip_to_bytes(src->v, IP_V6, out + 8);
		ip_to_bytes(dst->v, IP_V6, out + 24);
		return 40;
	}
	memset(out, 0, 20);
	out[0] = 0x45;
	out[1] = train->tos;
	esp_put16(out + 2, (uint16_t)(20 + plain->len));
	esp_put16(out + 6, 0x4000);
	out[8] = 64;
	out[9] = plain->next_header;
	ip_to_bytes(src->v, IP_V4, out + 12);
	ip_to_bytes(dst->v, IP_V4, out + 16);
	esp_put16(out + 10, esp_sum_final(esp_sum_add(0, out, 20), false));
	return 20;
}

/* What came in transport mode as a packet; NULL: none. */
static uint8_t *rebuild(struct esp_worker *w, const struct esp_sa *sa, const struct esp_train *train,
			const struct esp_plain *plain, struct esp_inner *inner)
{
	uint8_t *packet;
	size_t header;

	if (sa->path.local.addr.family != train->peer.addr.family || plain->len > 65535 - 40)
		return NULL;
	/* nothing may be written between the copy and its frame: the room would be
	 * given to the next one while this one waits */
	if (w->copies_used + 40 + plain->len > ESP_COPIES_SIZE || esp_merge_is_full(&w->merge))
		esp_in_write(w);
	packet = w->copies + w->copies_used;
	header = put_header(sa, train, plain, packet);
	memcpy(packet + header, plain->data, plain->len);
	if (esp_inner_read(packet, header + plain->len, inner) != 0)
		return NULL;
	if (sa->path.encap)
		mend_checksum(packet, inner);
	w->copies_used += header + plain->len;
	return packet;
}

/* ---- to the device */

static void deliver(struct esp_worker *w, const struct esp_sa *sa, uint8_t *packet, struct esp_inner *inner)
{
	uint32_t room = sa->room + (sa->transport ? inner->header : 0);

	w->counters.verdicts[ESP_OK]++;
	if (w->has_twins && esp_sa_may_be_twin(sa) && !esp_twins_in(w->twins, sa->twin, packet, inner, w->now_ms)) {
		w->counters.aliases_full++;
		return;
	}
	if (sa->room != 0 && esp_mss_clamp(packet, inner, inner->family == IP_V6 && room < ESP_V6_MTU_MIN ? ESP_V6_MTU_MIN : room, false))
		w->counters.mss_lowered++;
	if (!esp_merge_add(&w->merge, sa->tunnel, packet, inner)) {
		esp_in_write(w);
		esp_merge_add(&w->merge, sa->tunnel, packet, inner);
	}
}

static void drop(struct esp_worker *w, struct esp_sa *sa, enum esp_verdict verdict)
{
	esp_sa_drop(w, sa, &w->counters.verdicts[verdict], &sa->drops.verdicts[verdict]);
}

static void to_device(struct esp_worker *w, struct esp_sa *sa, const struct esp_plain *plain,
		      const struct esp_train *train)
{
	uint8_t *packet = plain->data;
	struct esp_inner inner;

	if (sa->transport)
		packet = rebuild(w, sa, train, plain, &inner);
	else if (esp_inner_read(packet, plain->len, &inner) != 0 ||
		 plain->next_header != (inner.family == IP_V4 ? ESP_NEXT_V4 : ESP_NEXT_V6))
		packet = NULL;
	if (!packet)
		drop(w, sa, ESP_BAD_INNER);
	else if (!esp_sa_carries(sa, &inner, false))
		drop(w, sa, ESP_BAD_SELECTOR);
	else if (!sa->transport && esp_inner_ecn(packet, &inner, train->tos) != 0)
		esp_sa_drop(w, sa, &w->counters.ce_dropped, &sa->drops.congestion);
	else if (esp_ipip_open(sa, &packet, &inner) != 0)
		drop(w, sa, ESP_BAD_INNER);
	else
		deliver(w, sa, packet, &inner);
}

/* The source of an authentic packet with the highest number so far is where the
 * peer is now; ike decides whether it is followed. */
static void note_source(struct esp_worker *w, struct esp_sa *sa, const struct ike_endpoint *source)
{
	struct ike_endpoint from = *source;

	/* protocol 50 has no port: the peer is where it was, if its address is */
	if (from.port == 0)
		from.port = sa->path.remote.port;
	if (ike_endpoint_equal(&from, &sa->path.remote) || ike_endpoint_equal(&from, &sa->told) ||
	    (!sa->path.encap && ip_addr_equal(&from.addr, &sa->path.remote.addr)))
		return;
	/* packets may come from two places by turns: each is news then */
	if (sa->told_ms != 0 && w->now_ms < sa->told_ms + MOVED_EVERY_MS)
		return;
	sa->told = from;
	sa->told_ms = w->now_ms;
	w->ops.moved(w->ctx, sa->spi_in, &from);
}

/* Of a train whose first packet was ours, or from a socket that got it all. */
static void hand_over(struct esp_worker *w, const struct esp_sa *sa, const struct esp_train *train, uint8_t *packet,
		      size_t len)
{
	struct esp_train one = *train;

	one.data = packet;
	one.len = len;
	if (w->ops.hand_in(w->ctx, sa->spi_in, &one))
		w->counters.handed++;
	else
		w->counters.handed_full++;
}

void esp_in_open(struct esp_worker *w, const struct esp_train *train, uint8_t *packet, size_t len)
{
	struct esp_sa *sa = esp_table_by_spi(w->table, esp_get32(packet));
	struct esp_plain plain;
	enum esp_verdict verdict;

	if (sa && sa->elsewhere) {
		hand_over(w, sa, train, packet, len);
		return;
	}
	w->counters.in++;
	if (!sa) {
		w->counters.unknown_spi++;
		return;
	}
	verdict = esp_sa_open(sa, packet, len, &plain);
	if (verdict != ESP_OK && verdict != ESP_DUMMY) {
		drop(w, sa, verdict);
		return;
	}
	sa->heard_ms = w->now_ms;
	if (plain.newest)
		note_source(w, sa, &train->peer);
	if (verdict == ESP_DUMMY) {
		w->counters.verdicts[ESP_DUMMY]++;
		return;
	}
	w->counters.bytes_in += plain.len;
	to_device(w, sa, &plain, train);
	esp_tell_expiring(w, sa);
}

static void from_socket(struct esp_worker *w, const struct esp_sock *sock, const struct esp_train *train)
{
	for (size_t at = 0; at < train->len; at += train->size) {
		uint8_t *packet = train->data + at;
		size_t len = train->len - at < train->size ? train->len - at : train->size;

		if (sock->raw) {
			if (len > ESP_HEADER)
				esp_in_open(w, train, packet, len);
			else
				w->counters.stray++;
		} else if (len == 1 && packet[0] == KEEPALIVE) {
			w->counters.keepalives++;
		} else if (len <= ESP_HEADER) {
			w->counters.stray++;
		} else if (esp_get32(packet) == 0) { /* the non-ESP marker (RFC 3948 2.2) */
			w->counters.ike++;
			if (!w->ops.ike(w->ctx, sock->link, &train->peer, packet + 4, len - 4))
				w->counters.ike_full++;
		} else {
			esp_in_open(w, train, packet, len);
		}
	}
}

void esp_in_read(struct esp_worker *w, struct esp_sock *sock)
{
	struct esp_train trains[ESP_BATCH];
	unsigned int n = esp_sock_receive(sock, w->receive, trains);

	for (unsigned int i = 0; i < n; i++)
		from_socket(w, sock, &trains[i]);
	esp_in_write(w);
}
