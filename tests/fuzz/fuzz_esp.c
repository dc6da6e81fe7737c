/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The datapath: any bytes from a device are cut into packets that fit, any bytes
 * from the network are refused, and what a peer with keys puts into ESP is read
 * within its bounds and joined to frames that read as one packet.
 */
#include <stdlib.h>
#include <string.h>

#include "ipsec/esp/esp_fit.h"
#include "ipsec/esp/esp_ipip.h"
#include "ipsec/esp/esp_merge.h"
#include "ipsec/esp/esp_sa.h"
#include "ipsec/esp/esp_super.h"
#include "ipsec/esp/esp_twin.h"
#include "ipsec/ike/ike.h"
#include "tests/fuzz/fuzz_assert.h"

#define PACKETS_MAX 32

/* What is too long becomes a message and fragments, each a packet. */
static void fit(uint8_t *packet, const struct esp_inner *inner)
{
	static uint8_t out[1 << 16];
	struct esp_inner piece;
	uint32_t mtu = 68 + (packet[inner->len - 1] * 8u), n = esp_fragments(inner, mtu);
	size_t len = esp_too_big(packet, inner, mtu, out);

	HOLDS(len <= ESP_TOO_BIG_MAX && (len == 0 || (esp_inner_read(out, len, &piece) == 0 && piece.len == len)));
	for (uint32_t i = 0; i < n; i++) {
		len = esp_fragment_put(packet, inner, mtu, i, out);
		HOLDS(len <= mtu && esp_inner_read(out, len, &piece) == 0 && piece.len == len);
	}
	(void)esp_mss_clamp(packet, inner, mtu, false);
	HOLDS(esp_inner_read(packet, inner->len, &piece) == 0 && piece.len == inner->len);
}

static void from_device(const uint8_t *data, size_t size)
{
	static uint8_t out[1 << 16];
	struct virtio_net_hdr vnet;
	struct esp_super s;

	if (size < sizeof(vnet))
		return;
	memcpy(&vnet, data, sizeof(vnet));
	if (esp_super_read(&vnet, data + sizeof(vnet), size - sizeof(vnet), &s) != 0)
		return;
	HOLDS(s.count > 0 && s.count <= ESP_SUPER_SEGMENTS_MAX);
	for (uint32_t i = 0; i < s.count; i++) {
		size_t len = esp_super_length(&s, i);
		struct esp_inner inner;

		HOLDS(len <= size && esp_super_put(&s, i, out) == len);
		HOLDS(esp_inner_read(out, len, &inner) == 0 && inner.len == len);
		fit(out, &inner);
	}
}

static void from_network(const uint8_t *data, size_t size)
{
	static struct esp_sa *sa;
	struct esp_plain plain;
	uint8_t *copy;

	if (!sa) {
		struct ike_child_keys keys = { .encr = { .len = 20 } };
		struct ike_ts_list none = { 0 };
		struct esp_sa_conf conf = { .suite = { ENCR_AES_GCM_16, 128, AUTH_NONE },
					    .in = &keys,
					    .out = &keys,
					    .local_ts = &none,
					    .remote_ts = &none };

		memset(keys.encr.bytes, 0x5a, sizeof(keys.encr.bytes));
		sa = esp_sa_new(&conf);
	}
	copy = malloc(size + 1);
	if (!copy)
		abort();
	memcpy(copy, data, size);
	HOLDS(esp_sa_open(sa, copy, size, &plain) != ESP_OK);
	HOLDS(sa->window.top == 0);
	free(copy);
}

/* Its other end is 203.0.113.2. */
static const struct esp_sa ipip = { .ipip = { { 0xcb007101, IP_V4 }, { 0xcb007102, IP_V4 } }, .ipip_header = 20 };

/* Packets of a length in two bytes each, as they come out of ESP. */
static void from_peer(const uint8_t *data, size_t size)
{
	uint8_t *copies[PACKETS_MAX];
	unsigned int n = 0;
	struct esp_merge m;
	static uint8_t whole[1 << 17];

	esp_merge_init(&m, PACKETS_MAX, true);
	while (size >= 2 && n < PACKETS_MAX) {
		size_t len = (size_t)(data[0] << 8 | data[1]) % 2000;
		struct esp_inner inner;
		uint8_t *packet;

		data += 2;
		size -= 2;
		if (len > size)
			len = size;
		copies[n] = malloc(len + 1);
		if (!copies[n])
			abort();
		memcpy(copies[n], data, len);
		packet = copies[n];
		if (esp_inner_read(packet, len, &inner) == 0 && esp_inner_ecn(packet, &inner, 3) == 0 &&
		    esp_ipip_open(&ipip, &packet, &inner) == 0) {
			HOLDS(packet + inner.len <= copies[n] + len);
			HOLDS(esp_merge_add(&m, 1, packet, &inner));
		}
		n++;
		data += len;
		size -= len;
	}
	esp_merge_finish(&m);
	for (unsigned int i = 0; i < m.n; i++) {
		const struct esp_frame *f = &m.frames[i];
		struct esp_super s;
		size_t len = 0;

		for (unsigned int k = 1; k < f->n_iov; k++) {
			memcpy(whole + len, f->iov[k].iov_base, f->iov[k].iov_len);
			len += f->iov[k].iov_len;
		}
		HOLDS(esp_super_read(&f->vnet, whole, len, &s) == 0 && s.inner.len == len);
		HOLDS(s.count == f->n_iov - 1);
	}
	esp_merge_fini(&m);
	while (n > 0)
		free(copies[--n]);
}

/* What a host that may share its address sends in transport mode, and the answer
 * to it, which has the same bytes and the ports the other way round. */
static void from_twin(const uint8_t *data, size_t size)
{
	static struct esp_twins *twins;
	static uint64_t now_ms;
	struct esp_inner in, back;
	struct esp_alias alias;
	uint32_t twin;
	uint8_t *copy;

	if (size < 1)
		return;
	if (!twins)
		twins = esp_twins_new();
	now_ms += 1000;
	twin = data[0] % 4;
	copy = malloc(size);
	if (!copy)
		abort();
	memcpy(copy, data + 1, size - 1);
	if (esp_inner_read(copy, size - 1, &in) == 0) {
		uint16_t before = in.sport;

		(void)esp_twins_in(twins, twin, copy, &in, now_ms);
		HOLDS(esp_inner_read(copy, size - 1, &back) == 0 && back.len == in.len && back.sport == in.sport);
		if (back.has_ports && !back.fragment && (back.proto == 6 || back.proto == 17) && back.sport != before) {
			uint8_t *l4 = copy + back.header, port[2] = { l4[0], l4[1] };

			memcpy(l4, l4 + 2, 2);
			memcpy(l4 + 2, port, 2);
			HOLDS(esp_inner_read(copy, size - 1, &back) == 0);
			back.dst = in.src;
			HOLDS(esp_twins_find(twins, copy, &back, now_ms, &alias));
			HOLDS(alias.twin == twin && alias.port == before);
			esp_twins_out(copy, &back, false, alias.port);
			HOLDS(back.dport == before);
		}
	}
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0 || size > 65536)
		return 0;
	switch (data[0] % 4) {
	case 0:
		from_device(data + 1, size - 1);
		break;
	case 1:
		from_network(data + 1, size - 1);
		break;
	case 3:
		from_twin(data + 1, size - 1);
		break;
	default:
		from_peer(data + 1, size - 1);
	}
	return 0;
}
