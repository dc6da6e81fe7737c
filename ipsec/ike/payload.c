/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec/ike/payload.h"

#include <stdio.h>
#include <string.h>

struct ike_bytes ike_rest(struct rd *rd)
{
	struct ike_bytes rest = { rd->p, rd_left(rd) };

	rd_skip(rd, rest.len);
	return rest;
}

static void put(struct ike_writer *w, const void *data, size_t len)
{
	if (len > 0)
		wr_bytes(&w->wr, data, len);
}

static void zeros(struct ike_writer *w, unsigned n)
{
	while (n-- > 0)
		wr_u8(&w->wr, 0);
}

/* ---- 3.4 key exchange */

int ike_ke_decode(struct rd body, struct ike_ke *out)
{
	struct ike_ke ke;

	ke.group = rd_be16(&body);
	rd_skip(&body, 2);
	ke.value = ike_rest(&body);
	if (body.failed || ke.value.len == 0)
		return -1;
	*out = ke;
	return 0;
}

void ike_ke_encode(struct ike_writer *w, uint16_t group, const uint8_t *value, size_t len)
{
	size_t begun = ike_payload_begin(w, IKE_PL_KE);

	wr_be16(&w->wr, group);
	zeros(w, 2);
	put(w, value, len);
	ike_payload_end(w, begun);
}

/* ---- 3.5 identification */

int ike_id_decode(struct rd body, struct ike_id_payload *out)
{
	struct ike_id_payload id;

	id.type = rd_u8(&body);
	rd_skip(&body, 3);
	id.data = ike_rest(&body);
	if (body.failed)
		return -1;
	*out = id;
	return 0;
}

void ike_id_encode(struct ike_writer *w, uint8_t payload_type, uint8_t id_type, const void *data, size_t len)
{
	size_t begun = ike_payload_begin(w, payload_type);

	wr_u8(&w->wr, id_type);
	zeros(w, 3);
	put(w, data, len);
	ike_payload_end(w, begun);
}

/* ---- 3.6, 3.7 certificates */

int ike_cert_decode(struct rd body, struct ike_cert *out)
{
	struct ike_cert cert;

	cert.encoding = rd_u8(&body);
	cert.data = ike_rest(&body);
	if (body.failed)
		return -1;
	*out = cert;
	return 0;
}

void ike_cert_encode(struct ike_writer *w, uint8_t payload_type, uint8_t encoding, const void *data, size_t len)
{
	size_t begun = ike_payload_begin(w, payload_type);

	wr_u8(&w->wr, encoding);
	put(w, data, len);
	ike_payload_end(w, begun);
}

/* ---- 3.8 authentication */

int ike_auth_decode(struct rd body, struct ike_auth *out)
{
	struct ike_auth auth;

	auth.method = rd_u8(&body);
	rd_skip(&body, 3);
	auth.data = ike_rest(&body);
	if (body.failed || auth.data.len == 0)
		return -1;
	*out = auth;
	return 0;
}

void ike_auth_encode(struct ike_writer *w, uint8_t method, const void *data, size_t len)
{
	size_t begun = ike_payload_begin(w, IKE_PL_AUTH);

	wr_u8(&w->wr, method);
	zeros(w, 3);
	put(w, data, len);
	ike_payload_end(w, begun);
}

/* ---- 3.9 nonce */

int ike_nonce_decode(struct rd body, struct ike_bytes *out)
{
	struct ike_bytes nonce = ike_rest(&body);

	if (body.failed || nonce.len < IKE_NONCE_MIN || nonce.len > IKE_NONCE_MAX)
		return -1;
	*out = nonce;
	return 0;
}

void ike_nonce_encode(struct ike_writer *w, const uint8_t *nonce, size_t len)
{
	size_t begun = ike_payload_begin(w, IKE_PL_NONCE);

	put(w, nonce, len);
	ike_payload_end(w, begun);
}

/* ---- 3.10 notify */

int ike_notify_decode(struct rd body, struct ike_notify *out)
{
	struct ike_notify n = { 0 };

	n.protocol = rd_u8(&body);
	n.spi_len = rd_u8(&body);
	n.type = rd_be16(&body);
	if (n.spi_len != 0 && n.spi_len != 4 && n.spi_len != IKE_SPI_SIZE)
		return -1;
	rd_bytes(&body, n.spi, n.spi_len);
	n.data = ike_rest(&body);
	if (body.failed)
		return -1;
	*out = n;
	return 0;
}

void ike_notify_encode(struct ike_writer *w, uint16_t type, const void *data, size_t len)
{
	size_t begun = ike_payload_begin(w, IKE_PL_NOTIFY);

	wr_u8(&w->wr, IKE_PROTO_NONE);
	wr_u8(&w->wr, 0);
	wr_be16(&w->wr, type);
	put(w, data, len);
	ike_payload_end(w, begun);
}

void ike_notify_spi_encode(struct ike_writer *w, uint16_t type, uint8_t protocol, uint32_t spi)
{
	size_t begun = ike_payload_begin(w, IKE_PL_NOTIFY);

	wr_u8(&w->wr, protocol);
	wr_u8(&w->wr, 4);
	wr_be16(&w->wr, type);
	wr_be32(&w->wr, spi);
	ike_payload_end(w, begun);
}

const char *ike_notify_name(uint16_t type)
{
	static const struct {
		uint16_t type;
		const char *name;
	} names[] = {
#define NAME(n) { N_##n, #n }
		NAME(UNSUPPORTED_CRITICAL_PAYLOAD), NAME(INVALID_IKE_SPI), NAME(INVALID_MAJOR_VERSION),
		NAME(INVALID_SYNTAX), NAME(INVALID_MESSAGE_ID), NAME(INVALID_SPI), NAME(NO_PROPOSAL_CHOSEN),
		NAME(INVALID_KE_PAYLOAD), NAME(AUTHENTICATION_FAILED), NAME(SINGLE_PAIR_REQUIRED),
		NAME(NO_ADDITIONAL_SAS), NAME(INTERNAL_ADDRESS_FAILURE), NAME(FAILED_CP_REQUIRED),
		NAME(TS_UNACCEPTABLE), NAME(INVALID_SELECTORS), NAME(UNACCEPTABLE_ADDRESSES),
		NAME(UNEXPECTED_NAT_DETECTED), NAME(TEMPORARY_FAILURE), NAME(CHILD_SA_NOT_FOUND),
		NAME(INITIAL_CONTACT), NAME(SET_WINDOW_SIZE), NAME(ADDITIONAL_TS_POSSIBLE),
		NAME(IPCOMP_SUPPORTED), NAME(NAT_DETECTION_SOURCE_IP), NAME(NAT_DETECTION_DESTINATION_IP),
		NAME(COOKIE), NAME(USE_TRANSPORT_MODE), NAME(HTTP_CERT_LOOKUP_SUPPORTED), NAME(REKEY_SA),
		NAME(ESP_TFC_PADDING_NOT_SUPPORTED), NAME(NON_FIRST_FRAGMENTS_ALSO), NAME(MOBIKE_SUPPORTED),
		NAME(ADDITIONAL_IP4_ADDRESS), NAME(ADDITIONAL_IP6_ADDRESS), NAME(NO_ADDITIONAL_ADDRESSES),
		NAME(UPDATE_SA_ADDRESSES), NAME(COOKIE2), NAME(NO_NATS_ALLOWED), NAME(AUTH_LIFETIME),
		NAME(CHILDLESS_IKEV2_SUPPORTED), NAME(IKEV2_FRAGMENTATION_SUPPORTED),
		NAME(SIGNATURE_HASH_ALGORITHMS),
#undef NAME
	};
	static char number[24];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].type == type)
			return names[i].name;
	snprintf(number, sizeof(number), "notify %u", type);
	return number;
}

/* ---- 3.11 delete */

int ike_delete_decode(struct rd body, struct ike_delete *out)
{
	struct ike_delete d = { 0 };
	uint8_t spi_len;

	d.protocol = rd_u8(&body);
	spi_len = rd_u8(&body);
	d.n = rd_be16(&body);
	/* an IKE SA is named by the header, so it has none here */
	if (d.protocol == IKE_PROTO_IKE ? spi_len != 0 || d.n != 0 : spi_len != 4 || d.n > IKE_DELETE_MAX)
		return -1;
	for (unsigned i = 0; i < d.n; i++)
		d.spis[i] = rd_be32(&body);
	if (!rd_done(&body))
		return -1;
	*out = d;
	return 0;
}

void ike_delete_encode(struct ike_writer *w, uint8_t protocol, const uint32_t *spis, unsigned n)
{
	size_t begun = ike_payload_begin(w, IKE_PL_DELETE);

	wr_u8(&w->wr, protocol);
	wr_u8(&w->wr, n > 0 ? 4 : 0);
	wr_be16(&w->wr, (uint16_t)n);
	for (unsigned i = 0; i < n; i++)
		wr_be32(&w->wr, spis[i]);
	ike_payload_end(w, begun);
}

/* ---- 3.13 traffic selectors */

static int ts_one_decode(struct rd *rd, struct ike_ts_list *list)
{
	uint8_t type = rd_u8(rd), protocol = rd_u8(rd);
	uint16_t len = rd_be16(rd);
	uint8_t first[16], last[16];
	struct ike_ts ts = { .protocol = protocol };
	enum ip_family family = type == IKE_TS_IPV6 ? IP_V6 : IP_V4;
	struct rd body;

	if (len < 4)
		return -1;
	body = rd_sub(rd, len - 4u);
	if (type != IKE_TS_IPV4 && type != IKE_TS_IPV6)
		return body.failed ? -1 : 0;
	ts.port_first = rd_be16(&body);
	ts.port_last = rd_be16(&body);
	rd_bytes(&body, first, ip_bytes(family));
	rd_bytes(&body, last, ip_bytes(family));
	if (!rd_done(&body) || list->n == IKE_TS_MAX)
		return -1;
	ts.first = (struct ip_addr){ ip_from_bytes(first, family), (uint8_t)family };
	ts.last = (struct ip_addr){ ip_from_bytes(last, family), (uint8_t)family };
	/* OPAQUE is the only range of ports that runs backwards */
	if (ts.first.v > ts.last.v ||
	    (ts.port_first > ts.port_last && !(ts.port_first == UINT16_MAX && ts.port_last == 0)))
		return -1;
	list->list[list->n++] = ts;
	return 0;
}

int ike_ts_decode(struct rd body, struct ike_ts_list *out)
{
	struct ike_ts_list list;
	uint8_t n = rd_u8(&body);

	list.n = 0;
	rd_skip(&body, 3);
	if (n == 0)
		return -1;
	for (unsigned i = 0; i < n; i++)
		if (ts_one_decode(&body, &list) != 0)
			return -1;
	if (!rd_done(&body))
		return -1;
	*out = list;
	return 0;
}

void ike_ts_encode(struct ike_writer *w, uint8_t payload_type, const struct ike_ts_list *list)
{
	size_t begun = ike_payload_begin(w, payload_type);

	wr_u8(&w->wr, (uint8_t)list->n);
	zeros(w, 3);
	for (unsigned i = 0; i < list->n; i++) {
		const struct ike_ts *ts = &list->list[i];
		unsigned bytes = ip_bytes(ts->first.family);
		uint8_t addr[16];

		wr_u8(&w->wr, ts->first.family == IP_V6 ? IKE_TS_IPV6 : IKE_TS_IPV4);
		wr_u8(&w->wr, ts->protocol);
		wr_be16(&w->wr, (uint16_t)(8 + 2 * bytes));
		wr_be16(&w->wr, ts->port_first);
		wr_be16(&w->wr, ts->port_last);
		ip_to_bytes(ts->first.v, ts->first.family, addr);
		put(w, addr, bytes);
		ip_to_bytes(ts->last.v, ts->last.family, addr);
		put(w, addr, bytes);
	}
	ike_payload_end(w, begun);
}

/* ---- 3.15 configuration */

int ike_cfg_decode(struct rd body, struct ike_cfg *out)
{
	struct ike_cfg cfg = { 0 };

	cfg.type = rd_u8(&body);
	rd_skip(&body, 3);
	while (!body.failed && rd_left(&body) > 0) {
		uint16_t type = rd_be16(&body) & 0x7fff; /* the top bit is reserved */
		uint16_t len = rd_be16(&body);
		struct rd value = rd_sub(&body, len);

		if (cfg.n == IKE_CFG_MAX)
			return -1;
		cfg.items[cfg.n++] = (struct ike_cfg_item){ type, ike_rest(&value) };
	}
	if (!rd_done(&body))
		return -1;
	*out = cfg;
	return 0;
}

void ike_cfg_encode(struct ike_writer *w, const struct ike_cfg *cfg)
{
	size_t begun = ike_payload_begin(w, IKE_PL_CP);

	wr_u8(&w->wr, cfg->type);
	zeros(w, 3);
	for (unsigned i = 0; i < cfg->n; i++) {
		wr_be16(&w->wr, cfg->items[i].type);
		wr_be16(&w->wr, (uint16_t)cfg->items[i].value.len);
		put(w, cfg->items[i].value.data, cfg->items[i].value.len);
	}
	ike_payload_end(w, begun);
}
