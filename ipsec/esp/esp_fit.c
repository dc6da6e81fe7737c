/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec/esp/esp_fit.h"

#include <string.h>

#include "ipsec/esp/esp_bytes.h"
#include "ipsec/esp/esp_sum.h"

#define PROTO_ICMP  1
#define PROTO_TCP   6
#define PROTO_ICMP6 58

#define ICMP_HEADER 8
#define V4_HEADER   20
#define V6_HEADER   40
#define TTL	    64
#define QUOTED_MAX_V4 576

/* ---- too big */

/* ICMP: type and code are in sport. Queries and their answers are no errors. */
static bool is_error(const struct esp_inner *in)
{
	uint8_t type = (uint8_t)(in->sport >> 8);

	if (in->proto == PROTO_ICMP6)
		return !in->has_ports || type < 128;
	return in->proto == PROTO_ICMP &&
	       (!in->has_ports || type == 3 || type == 4 || type == 5 || type == 11 || type == 12);
}

static bool is_host(const struct ip_addr *a)
{
	if (a->v == 0)
		return false;
	return a->family == IP_V4 ? a->v >> 28 < 0xe && a->v >> 24 != 127 : a->v >> 120 != 0xff && a->v != 1;
}

static bool may_tell(const struct esp_inner *in)
{
	/* has_ports is not said of protocols without: the first fragment is told
	 * only where it shows that it is one */
	return is_host(&in->src) && is_host(&in->dst) && !is_error(in) && (!in->fragment || in->has_ports);
}

static size_t too_big_v4(const uint8_t *packet, const struct esp_inner *in, uint32_t mtu, uint8_t *out)
{
	size_t quoted = in->len < QUOTED_MAX_V4 - V4_HEADER - ICMP_HEADER ? in->len : QUOTED_MAX_V4 - V4_HEADER - ICMP_HEADER;
	size_t len = V4_HEADER + ICMP_HEADER + quoted;
	uint8_t *icmp = out + V4_HEADER;

	memset(out, 0, V4_HEADER + ICMP_HEADER);
	out[0] = 0x45;
	out[1] = 0xc0; /* RFC 1812 4.3.2.5 */
	esp_put16(out + 2, (uint16_t)len);
	out[8] = TTL;
	out[9] = PROTO_ICMP;
	memcpy(out + 12, packet + 16, 4);
	memcpy(out + 16, packet + 12, 4);
	esp_put16(out + 10, esp_sum_final(esp_sum_add(0, out, V4_HEADER), false));
	icmp[0] = 3;
	icmp[1] = 4;
	esp_put16(icmp + 6, (uint16_t)mtu);
	memcpy(icmp + ICMP_HEADER, packet, quoted);
	esp_put16(icmp + 2, esp_sum_final(esp_sum_add(0, icmp, ICMP_HEADER + quoted), false));
	return len;
}

static size_t too_big_v6(const uint8_t *packet, const struct esp_inner *in, uint32_t mtu, uint8_t *out)
{
	size_t most = ESP_TOO_BIG_MAX - V6_HEADER - ICMP_HEADER;
	size_t quoted = in->len < most ? in->len : most, icmp_len = ICMP_HEADER + quoted;
	uint8_t *icmp = out + V6_HEADER;
	uint64_t sum;

	memset(out, 0, V6_HEADER + ICMP_HEADER);
	out[0] = 0x60;
	esp_put16(out + 4, (uint16_t)icmp_len);
	out[6] = PROTO_ICMP6;
	out[7] = TTL;
	memcpy(out + 8, packet + 24, 16);
	memcpy(out + 24, packet + 8, 16);
	icmp[0] = 2;
	esp_put32(icmp + 4, mtu);
	memcpy(icmp + ICMP_HEADER, packet, quoted);
	sum = esp_sum_pseudo(IP_V6, out + 8, out + 24, PROTO_ICMP6, (uint32_t)icmp_len);
	esp_put16(icmp + 2, esp_sum_final(esp_sum_add(sum, icmp, icmp_len), false));
	return V6_HEADER + icmp_len;
}

size_t esp_too_big(const uint8_t *packet, const struct esp_inner *in, uint32_t mtu, uint8_t out[ESP_TOO_BIG_MAX])
{
	if (!may_tell(in))
		return 0;
	return in->family == IP_V4 ? too_big_v4(packet, in, mtu, out) : too_big_v6(packet, in, mtu, out);
}

/* ---- fragments */

/* Payload of each but the last. */
static uint32_t piece_size(uint32_t mtu)
{
	return (mtu - V4_HEADER) & ~UINT32_C(7);
}

uint32_t esp_fragments(const struct esp_inner *in, uint32_t mtu)
{
	uint32_t size;

	if (in->family != IP_V4 || in->header != V4_HEADER || mtu < V4_HEADER + 8 || in->len <= V4_HEADER)
		return 0;
	size = piece_size(mtu);
	return (in->len - V4_HEADER + size - 1) / size;
}

size_t esp_fragment_length(const struct esp_inner *in, uint32_t mtu, uint32_t i)
{
	uint32_t size = piece_size(mtu), left = in->len - V4_HEADER - i * size;

	return V4_HEADER + (left < size ? left : size);
}

size_t esp_fragment_put(const uint8_t *packet, const struct esp_inner *in, uint32_t mtu, uint32_t i, uint8_t *out)
{
	uint32_t at = i * piece_size(mtu);
	size_t len = esp_fragment_length(in, mtu, i);
	bool last = at + len == in->len;
	/* what is cut may be a fragment itself */
	uint16_t field = esp_get16(packet + 6);

	memcpy(out, packet, V4_HEADER);
	memcpy(out + V4_HEADER, packet + V4_HEADER + at, len - V4_HEADER);
	esp_put16(out + 2, (uint16_t)len);
	esp_put16(out + 6, (uint16_t)((field & 0x2000) | (last ? 0 : 0x2000) | ((field & 0x1fff) + at / 8)));
	esp_put16(out + 10, 0);
	esp_put16(out + 10, esp_sum_final(esp_sum_add(0, out, V4_HEADER), false));
	return len;
}

/* ---- MSS */

#define TCP_HEADER  20
#define TCP_SYN	    0x02
#define OPTION_END  0
#define OPTION_NOP  1
#define OPTION_MSS  2
#define MSS_MIN	    88 /* less, and every segment is mostly header */

/* Where the value of the option is, or NULL. */
static uint8_t *find_mss(uint8_t *tcp, size_t header)
{
	for (size_t at = TCP_HEADER; at < header;) {
		size_t len;

		if (tcp[at] == OPTION_END)
			return NULL;
		if (tcp[at] == OPTION_NOP) {
			at++;
			continue;
		}
		if (at + 2 > header)
			return NULL;
		len = tcp[at + 1];
		if (len < 2 || at + len > header)
			return NULL;
		if (tcp[at] == OPTION_MSS)
			return len == 4 ? tcp + at + 2 : NULL;
		at += len;
	}
	return NULL;
}

bool esp_mss_clamp(uint8_t *packet, const struct esp_inner *in, uint32_t mtu, bool partial)
{
	uint32_t ip = in->family == IP_V4 ? V4_HEADER : V6_HEADER, want;
	uint8_t *tcp = packet + in->header, *mss;
	size_t l4_len = in->len - in->header, header;
	uint8_t field[2];

	if (in->proto != PROTO_TCP || in->fragment || l4_len < TCP_HEADER || !(tcp[13] & TCP_SYN))
		return false;
	header = (size_t)(tcp[12] >> 4) * 4;
	if (header > l4_len || mtu < ip + TCP_HEADER + MSS_MIN)
		return false;
	want = mtu - ip - TCP_HEADER;
	mss = find_mss(tcp, header);
	if (!mss || esp_get16(mss) <= want)
		return false;
	esp_put16(field, (uint16_t)want);
	if (!partial)
		esp_sum_change(tcp + 16, mss, field, (size_t)(mss - tcp), sizeof(field));
	memcpy(mss, field, sizeof(field));
	return true;
}
