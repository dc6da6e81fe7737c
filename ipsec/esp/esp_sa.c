/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec/esp/esp_sa.h"

#include <stdlib.h>
#include <string.h>

#include "ipsec/esp/esp_bytes.h"
#include "ipsec/ike/ts.h"
#include "lib/mem.h"

static struct esp_selectors copy_selectors(const struct ike_ts_list *ts)
{
	return (struct esp_selectors){ .n = ts->n, .list = mem_dup(ts->list, ts->n * sizeof(ts->list[0])) };
}

static struct crypto_cipher *new_cipher(const struct esp_sa_conf *conf, bool encrypt)
{
	const struct ike_child_keys *keys = encrypt ? conf->out : conf->in;

	return crypto_cipher_new(&conf->suite, encrypt, keys->encr.bytes, keys->encr.len, keys->integ.bytes,
				 keys->integ.len);
}

static bool is_particular(const struct esp_selectors *ts)
{
	for (unsigned int i = 0; i < ts->n; i++)
		if (ts->list[i].port_first != 0 || ts->list[i].port_last != UINT16_MAX)
			return true;
	return false;
}

/* Between the ends may travel all of those families that the selectors allow
 * there as protocols. */
static void set_ipip(struct esp_sa *sa, const struct esp_ipip *ipip)
{
	static const uint8_t protos[IP_FAMILIES] = { ESP_NEXT_V4, ESP_NEXT_V6 };
	struct esp_inner packet = { .family = ipip->local.family, .src = ipip->local, .dst = ipip->remote };
	struct ike_ts_list any = { 0 };

	sa->ipip = *ipip;
	for (unsigned int f = 0; f < IP_FAMILIES; f++) {
		struct ip_prefix all = ip_prefix_make((enum ip_family)f, 0, 0);

		packet.proto = protos[f];
		if (esp_sa_selects(sa, &packet, true))
			any.list[any.n++] = ike_ts_of_prefix(&all);
	}
	sa->agreed_local_ts = sa->local_ts;
	sa->agreed_remote_ts = sa->remote_ts;
	sa->local_ts = copy_selectors(&any);
	sa->remote_ts = copy_selectors(&any);
	sa->ipip_header = ipip->local.family == IP_V4 ? 20 : 40;
}

static void set_what_all_know(struct esp_sa *sa, const struct esp_sa_conf *conf)
{
	sa->tunnel = conf->tunnel;
	sa->owner = conf->owner;
	sa->elsewhere = conf->elsewhere;
	sa->spi_in = conf->spi_in;
	sa->spi_out = conf->spi_out;
	sa->esn = conf->esn;
	sa->transport = conf->transport;
	sa->path = conf->path;
	sa->local_ts = copy_selectors(conf->local_ts);
	sa->remote_ts = copy_selectors(conf->remote_ts);
	if (conf->ipip.local.v)
		set_ipip(sa, &conf->ipip);
	sa->whole = is_particular(&sa->local_ts) || is_particular(&sa->remote_ts);
}

struct esp_sa *esp_sa_new(const struct esp_sa_conf *conf)
{
	struct esp_sa *sa = mem_alloc(sizeof(*sa));
	const struct crypto_shape *shape;

	set_what_all_know(sa, conf);
	if (sa->local_ts.n == 0 && sa->ipip_header) {
		esp_sa_free(sa);
		return NULL;
	}
	if (conf->elsewhere)
		return sa;
	sa->seal = new_cipher(conf, true);
	sa->open = new_cipher(conf, false);
	if (!sa->seal || !sa->open) {
		esp_sa_free(sa);
		return NULL;
	}
	shape = crypto_cipher_shape(sa->seal);
	sa->iv = shape->iv;
	sa->icv = shape->icv;
	sa->align = shape->block < 4 ? 4 : shape->block;
	sa->soft_packets = esp_sa_soft_packets(conf);
	sa->soft_bytes = esp_sa_soft_bytes(conf);
	return sa;
}

void esp_sa_free(struct esp_sa *sa)
{
	if (!sa)
		return;
	crypto_cipher_free(sa->seal);
	crypto_cipher_free(sa->open);
	free(sa->agreed_local_ts.list);
	free(sa->agreed_remote_ts.list);
	free(sa->local_ts.list);
	free(sa->remote_ts.list);
	free(sa);
}

/* ---- out */

static size_t padding(const struct esp_sa *sa, size_t len)
{
	return (sa->align - (len + ESP_TRAILER) % sa->align) % sa->align;
}

size_t esp_sa_length(const struct esp_sa *sa, size_t len)
{
	return ESP_HEADER + sa->iv + len + padding(sa, len) + ESP_TRAILER + sa->icv;
}

size_t esp_sa_room(const struct esp_sa *sa, size_t size)
{
	size_t fixed = ESP_HEADER + (size_t)sa->iv + sa->icv;

	if (size < fixed + sa->align)
		return 0;
	size -= fixed;
	return size - size % sa->align - ESP_TRAILER;
}

#define ROOM_MIN 68 /* every IPv4 link carries so much (RFC 791 3.2) */

void esp_sa_fit(struct esp_sa *sa, uint32_t mtu, uint32_t outer)
{
	size_t room = mtu > outer ? esp_sa_room(sa, mtu - outer) : 0;

	sa->room = room < (size_t)ROOM_MIN + sa->ipip_header ? ROOM_MIN : (uint32_t)room - sa->ipip_header;
}

/* What is authenticated in front of the IV: with an AEAD and extended numbers
 * the whole number (RFC 4106 5), else the header as it stands; the high half
 * then goes behind the text (RFC 4303 2.2.1). */
struct aad {
	uint8_t bytes[12];
	size_t len;
	uint8_t high[4];
	const uint8_t *esn_high; /* or NULL */
};

static void make_aad(const struct esp_sa *sa, const uint8_t *header, uint64_t seq, struct aad *aad)
{
	esp_put32(aad->high, (uint32_t)(seq >> 32));
	aad->esn_high = NULL;
	memcpy(aad->bytes, header, ESP_HEADER);
	aad->len = ESP_HEADER;
	if (!sa->esn)
		return;
	if (crypto_cipher_shape(sa->seal)->aead) {
		memcpy(aad->bytes + 4, aad->high, 4);
		memcpy(aad->bytes + 8, header + 4, 4);
		aad->len = 12;
	} else {
		aad->esn_high = aad->high;
	}
}

size_t esp_sa_seal(struct esp_sa *sa, uint8_t *packet, size_t len, uint8_t next_header)
{
	uint8_t *iv = packet + ESP_HEADER, *text = iv + sa->iv, *p = text + len;
	size_t pad = padding(sa, len), text_len = len + pad + ESP_TRAILER;
	struct aad aad;

	if (sa->seq >= (sa->esn ? UINT64_MAX : UINT32_MAX))
		return 0;
	sa->seq++;
	esp_put32(packet, sa->spi_out);
	esp_put32(packet + 4, (uint32_t)sa->seq);
	for (size_t i = 1; i <= pad; i++)
		*p++ = (uint8_t)i; /* RFC 4303 2.4 */
	*p++ = (uint8_t)pad;
	*p++ = next_header;
	make_aad(sa, packet, sa->seq, &aad);
	if (crypto_seal(sa->seal, sa->seq, aad.bytes, aad.len, aad.esn_high, iv, text, text_len, p) != 0)
		return 0;
	sa->out.packets++;
	sa->out.bytes += len;
	return ESP_HEADER + (size_t)sa->iv + text_len + sa->icv;
}

bool esp_sa_is_expiring(struct esp_sa *sa)
{
	if (sa->told_soft || (sa->seq < sa->soft_packets && sa->in.packets < sa->soft_packets &&
			      sa->out.bytes < sa->soft_bytes && sa->in.bytes < sa->soft_bytes))
		return false;
	sa->told_soft = true;
	return true;
}

/* ---- in */

static bool padding_is_right(const uint8_t *text, size_t text_len)
{
	size_t pad = text[text_len - ESP_TRAILER];
	const uint8_t *p;

	if (pad + ESP_TRAILER > text_len)
		return false;
	p = text + text_len - ESP_TRAILER - pad;
	for (size_t i = 0; i < pad; i++)
		if (p[i] != (uint8_t)(i + 1))
			return false;
	return true;
}

enum esp_verdict esp_sa_open(struct esp_sa *sa, uint8_t *packet, size_t size, struct esp_plain *out)
{
	size_t fixed = ESP_HEADER + (size_t)sa->iv + sa->icv, text_len;
	uint8_t *text = packet + ESP_HEADER + sa->iv;
	struct aad aad;
	uint64_t seq;

	if (size < fixed + ESP_TRAILER || (size - fixed) % crypto_cipher_shape(sa->open)->block != 0)
		return ESP_SHORT;
	text_len = size - fixed;
	seq = esp_window_infer(&sa->window, esp_get32(packet + 4), sa->esn);
	if (esp_window_check(&sa->window, seq) != ESP_SEQ_NEW)
		return ESP_REPLAYED;
	make_aad(sa, packet, seq, &aad);
	if (crypto_open(sa->open, aad.bytes, aad.len, aad.esn_high, packet + ESP_HEADER, text, text_len,
			text + text_len) != 0)
		return ESP_BAD_ICV;
	out->newest = esp_window_commit(&sa->window, seq);
	if (!padding_is_right(text, text_len))
		return ESP_BAD_PAD;
	out->next_header = text[text_len - 1];
	if (out->next_header == ESP_NEXT_DUMMY)
		return ESP_DUMMY;
	out->data = text;
	out->len = text_len - ESP_TRAILER - text[text_len - ESP_TRAILER];
	sa->in.packets++;
	sa->in.bytes += out->len;
	return ESP_OK;
}

/* ---- selectors */

static bool ts_has(const struct ike_ts *ts, const struct ip_addr *addr, uint8_t proto, bool has_port, uint16_t port)
{
	if (ts->first.family != addr->family || addr->v < ts->first.v || addr->v > ts->last.v ||
	    (ts->protocol != 0 && ts->protocol != proto))
		return false;
	if (ts->port_first == 0 && ts->port_last == UINT16_MAX)
		return true;
	if (ts->port_first > ts->port_last) /* OPAQUE: where there is none */
		return !has_port;
	return has_port && port >= ts->port_first && port <= ts->port_last;
}

static bool list_has(const struct esp_selectors *ts, const struct ip_addr *addr, const struct esp_inner *inner,
		     uint16_t port)
{
	for (unsigned int i = 0; i < ts->n; i++)
		if (ts_has(&ts->list[i], addr, inner->proto, inner->has_ports, port))
			return true;
	return false;
}

static bool both_have(const struct esp_selectors *src, const struct esp_selectors *dst, const struct esp_inner *inner)
{
	return list_has(src, &inner->src, inner, inner->sport) && list_has(dst, &inner->dst, inner, inner->dport);
}

bool esp_sa_meets(const struct esp_sa *a, const struct esp_sa *b)
{
	struct ike_ts both;

	for (unsigned int i = 0; i < a->remote_ts.n; i++)
		for (unsigned int k = 0; k < b->remote_ts.n; k++)
			if (ike_ts_intersect(&a->remote_ts.list[i], &b->remote_ts.list[k], &both))
				return true;
	return false;
}

bool esp_sa_selects(const struct esp_sa *sa, const struct esp_inner *inner, bool outbound)
{
	return outbound ? both_have(&sa->local_ts, &sa->remote_ts, inner) : both_have(&sa->remote_ts, &sa->local_ts, inner);
}

bool esp_sa_carries(const struct esp_sa *sa, const struct esp_inner *inner, bool outbound)
{
	if (sa->ipip_header == 0)
		return esp_sa_selects(sa, inner, outbound);
	return outbound ? both_have(&sa->agreed_local_ts, &sa->agreed_remote_ts, inner) :
			  both_have(&sa->agreed_remote_ts, &sa->agreed_local_ts, inner);
}
