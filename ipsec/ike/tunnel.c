/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec/ike/tunnel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/fnv.h"
#include "lib/mem.h"

bool ike_addr_is_host(const struct ip_addr *addr)
{
	static const char *const no_hosts[] = { "0.0.0.0/8", "224.0.0.0/3", "::/128", "::ffff:0:0/96", "fe80::/10", "ff00::/8" };
	struct ip_prefix p;

	for (size_t i = 0; i < sizeof(no_hosts) / sizeof(no_hosts[0]); i++)
		if (ip_prefix_parse(no_hosts[i], &p) == IP_PARSE_OK && p.family == addr->family &&
		    ip_prefix_contains(&p, (enum ip_family)addr->family, addr->v))
			return false;
	return true;
}

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

bool ike_tunnel_gives_one(const struct ike_tunnel *tunnel)
{
	return tunnel->pool.len == ip_bits((enum ip_family)tunnel->pool.family);
}

const char *ike_tunnel_keys(const struct ike_tunnel *tunnel)
{
	return tunnel->keys[0] ? tunnel->keys : tunnel->name;
}

/* ---- defaults */

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
	static struct ike_proposals ike, esp;
	static const struct ike_ts_list none;

	/* all that RFC 8247 and 8221 say SHOULD or more of, the cheapest first */
	if (ike.n == 0) {
		add(&ike, "aes256gcm16-aes128gcm16-chacha20poly1305-prfsha256-prfsha384-x25519-ecp256-modp2048-modp3072",
		    IKE_PROTO_IKE);
		add(&ike, "aes256-aes128-sha256-sha512-x25519-ecp256-modp2048-modp3072", IKE_PROTO_IKE);
		add(&esp, "aes256gcm16-aes128gcm16-chacha20poly1305", IKE_PROTO_ESP);
		add(&esp, "aes256-aes128-sha256-sha512", IKE_PROTO_ESP);
	}
	*tunnel = (struct ike_tunnel){
		.ike = &ike,
		.esp = &esp,
		.local_ts = &none,
		.remote_ts = &none,
		.mobike = true,
		.fragment_bytes = 1280, /* RFC 7383 2.5.1: what every IPv6 link carries */
		.keepalive_s = 20,	/* N5 */
		.liveness_s = 30,
		.ike_rekey_s = 4 * 3600,
		.child_rekey_s = 3600,
	};
}

/* ---- lists that are kept */

#define BUCKETS 4096

struct kept {
	_Alignas(16) struct kept *next;
	uint32_t hash;
	unsigned refs;
	size_t len;
	_Alignas(16) uint8_t bytes[];
};
static struct kept *kept[BUCKETS];
static size_t n_kept;

size_t ike_tunnel_lists(void)
{
	return n_kept;
}

size_t ike_proposals_bytes(const struct ike_proposals *proposals)
{
	return offsetof(struct ike_proposals, list) + proposals->n * sizeof(proposals->list[0]);
}

size_t ike_ts_list_bytes(const struct ike_ts_list *list)
{
	return offsetof(struct ike_ts_list, list) + list->n * sizeof(list->list[0]);
}

static const void *keep(const void *list, size_t len)
{
	uint32_t h = fnv_more(FNV_BEGIN, list, len);
	struct kept *k;

	for (k = kept[h % BUCKETS]; k; k = k->next)
		if (k->hash == h && k->len == len && memcmp(k->bytes, list, len) == 0) {
			k->refs++;
			return k->bytes;
		}
	k = mem_alloc(sizeof(*k) + len);
	k->hash = h;
	k->refs = 1;
	k->len = len;
	memcpy(k->bytes, list, len);
	k->next = kept[h % BUCKETS];
	kept[h % BUCKETS] = k;
	n_kept++;
	return k->bytes;
}

static void drop(const void *list)
{
	struct kept *k = (struct kept *)(void *)((uintptr_t)list - offsetof(struct kept, bytes)), **at;

	if (--k->refs > 0)
		return;
	for (at = &kept[k->hash % BUCKETS]; *at != k; at = &(*at)->next)
		;
	*at = k->next;
	n_kept--;
	free(k);
}

void ike_tunnel_keep(struct ike_tunnel *t)
{
	t->ike = keep(t->ike, ike_proposals_bytes(t->ike));
	t->esp = keep(t->esp, ike_proposals_bytes(t->esp));
	t->local_ts = keep(t->local_ts, ike_ts_list_bytes(t->local_ts));
	t->remote_ts = keep(t->remote_ts, ike_ts_list_bytes(t->remote_ts));
}

void ike_tunnel_drop(struct ike_tunnel *t)
{
	drop(t->ike);
	drop(t->esp);
	drop(t->local_ts);
	drop(t->remote_ts);
	t->ike = t->esp = NULL;
	t->local_ts = t->remote_ts = NULL;
}
