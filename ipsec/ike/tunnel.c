/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec/ike/tunnel.h"

#include <stdio.h>
#include <string.h>

bool ike_endpoint_equal(const struct ike_endpoint *a, const struct ike_endpoint *b)
{
	return a->port == b->port && ip_addr_equal(&a->addr, &b->addr);
}

const char *ike_endpoint_format(const struct ike_endpoint *e, char out[IKE_ENDPOINT_TEXT])
{
	char addr[IP_TEXT_SIZE];

	snprintf(out, IKE_ENDPOINT_TEXT, e->addr.family == IP_V6 ? "[%s]:%u" : "%s:%u", ip_addr_format(&e->addr, addr),
		 e->port);
	return out;
}

static void add(struct ike_proposals *list, const char *text, enum ike_protocol protocol)
{
	struct diag diag;

	if (ike_proposal_parse(text, protocol, &list->list[list->n], &diag) == 0) {
		list->list[list->n].number = (uint8_t)(list->n + 1);
		list->n++;
	}
}

void ike_tunnel_defaults(struct ike_tunnel *tunnel)
{
	*tunnel = (struct ike_tunnel){
		.mobike = true,
		.fragment_bytes = 1280, /* RFC 7383 2.5.1: what every IPv6 link carries */
		.keepalive_s = 20,	/* N5 */
		.liveness_s = 30,
		.ike_rekey_s = 4 * 3600,
		.child_rekey_s = 3600,
	};
	/* all that RFC 8247 and 8221 say SHOULD or more of, the cheapest first */
	add(&tunnel->ike, "aes256gcm16-aes128gcm16-chacha20poly1305-prfsha256-prfsha384-x25519-ecp256-modp2048-modp3072",
	    IKE_PROTO_IKE);
	add(&tunnel->ike, "aes256-aes128-sha256-sha512-x25519-ecp256-modp2048-modp3072", IKE_PROTO_IKE);
	add(&tunnel->esp, "aes256gcm16-aes128gcm16-chacha20poly1305", IKE_PROTO_ESP);
	add(&tunnel->esp, "aes256-aes128-sha256-sha512", IKE_PROTO_ESP);
}
