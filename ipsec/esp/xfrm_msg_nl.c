/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ipsec/esp/xfrm_msg_nl.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/xfrm.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include "ipsec/ike/ike.h"

#define UDP_ENCAP_TYPE 2 /* UDP_ENCAP_ESPINUDP, RFC 3948 */
#define REPLAY_WINDOW  1024
#define ALG_KEY_MAX    CRYPTO_KEY_MAX

/* ---- names of the kernel's algorithms */

/* clang-format off */
static const struct {
	uint16_t id;
	const char *name;
} ciphers[] = {
	{ ENCR_AES_GCM_16, "rfc4106(gcm(aes))" },
	{ ENCR_CHACHA20_POLY1305, "rfc7539esp(chacha20,poly1305)" },
	{ ENCR_AES_CBC, "cbc(aes)" },
	{ ENCR_NULL, "ecb(cipher_null)" },
}, hashes[] = {
	{ AUTH_HMAC_SHA1_96, "hmac(sha1)" },
	{ AUTH_HMAC_SHA2_256_128, "hmac(sha256)" },
	{ AUTH_HMAC_SHA2_384_192, "hmac(sha384)" },
	{ AUTH_HMAC_SHA2_512_256, "hmac(sha512)" },
};
/* clang-format on */
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char *cipher_name(uint16_t id)
{
	for (size_t i = 0; i < COUNT(ciphers); i++)
		if (ciphers[i].id == id)
			return ciphers[i].name;
	return NULL;
}

static const char *hash_name(uint16_t id)
{
	for (size_t i = 0; i < COUNT(hashes); i++)
		if (hashes[i].id == id)
			return hashes[i].name;
	return NULL;
}

bool xfrm_msg_has_cipher(const struct crypto_suite *suite)
{
	struct crypto_shape shape;

	return crypto_suite_shape(suite, &shape) == 0 && cipher_name(suite->encr) &&
	       (shape.aead || hash_name(suite->integ));
}

/* ---- messages */

static xfrm_address_t address(const struct ip_addr *addr)
{
	xfrm_address_t a;

	memset(&a, 0, sizeof(a));
	ip_to_bytes(addr->v, addr->family, (uint8_t *)&a);
	return a;
}

static uint16_t family_of(const struct ip_addr *addr)
{
	return addr->family == IP_V4 ? AF_INET : AF_INET6;
}

static struct nl_msg *message(int type, const void *body, size_t len)
{
	struct nl_msg *msg = nlmsg_alloc_simple(type, NLM_F_REQUEST | NLM_F_ACK);

	if (!msg || nlmsg_append(msg, (void *)(uintptr_t)body, len, NLMSG_ALIGNTO) < 0)
		abort(); /* out of memory */
	return msg;
}

static void put_algorithms(struct nl_msg *msg, const struct crypto_suite *suite, const struct ike_child_keys *keys)
{
	struct {
		struct xfrm_algo_aead a;
		uint8_t key[ALG_KEY_MAX];
	} aead = { 0 };
	struct {
		struct xfrm_algo a;
		uint8_t key[ALG_KEY_MAX];
	} crypt = { 0 };
	struct {
		struct xfrm_algo_auth a;
		uint8_t key[ALG_KEY_MAX];
	} auth = { 0 };
	struct crypto_shape shape;

	crypto_suite_shape(suite, &shape);
	if (shape.aead) {
		snprintf(aead.a.alg_name, sizeof(aead.a.alg_name), "%s", cipher_name(suite->encr));
		aead.a.alg_key_len = (unsigned int)keys->encr.len * 8;
		aead.a.alg_icv_len = shape.icv * 8u;
		memcpy(aead.key, keys->encr.bytes, keys->encr.len);
		nla_put(msg, XFRMA_ALG_AEAD, (int)(sizeof(aead.a) + keys->encr.len), &aead);
	} else {
		snprintf(crypt.a.alg_name, sizeof(crypt.a.alg_name), "%s", cipher_name(suite->encr));
		crypt.a.alg_key_len = (unsigned int)keys->encr.len * 8;
		memcpy(crypt.key, keys->encr.bytes, keys->encr.len);
		nla_put(msg, XFRMA_ALG_CRYPT, (int)(sizeof(crypt.a) + keys->encr.len), &crypt);
		snprintf(auth.a.alg_name, sizeof(auth.a.alg_name), "%s", hash_name(suite->integ));
		auth.a.alg_key_len = (unsigned int)keys->integ.len * 8;
		auth.a.alg_trunc_len = shape.icv * 8u;
		memcpy(auth.key, keys->integ.bytes, keys->integ.len);
		nla_put(msg, XFRMA_ALG_AUTH_TRUNC, (int)(sizeof(auth.a) + keys->integ.len), &auth);
	}
	crypto_wipe(&aead, sizeof(aead));
	crypto_wipe(&crypt, sizeof(crypt));
	crypto_wipe(&auth, sizeof(auth));
}

static struct xfrm_usersa_id sa_id(const struct xfrm_child *c, bool out)
{
	const struct ip_addr *dst = out ? &c->conf.path.remote.addr : &c->conf.path.local.addr;

	return (struct xfrm_usersa_id){
		.daddr = address(dst),
		.spi = htonl(out ? c->conf.spi_out : c->conf.spi_in),
		.family = family_of(dst),
		.proto = IPPROTO_ESP,
	};
}

struct nl_msg *xfrm_msg_id(const struct xfrm_child *c, bool out, int type)
{
	struct xfrm_usersa_id id = sa_id(c, out);

	return message(type, &id, sizeof(id));
}

/* The kernel counts packets, and what ends is numbers. */
static uint64_t soft_packets(const struct xfrm_child *c, bool out)
{
	uint64_t limit = esp_sa_soft_packets(&c->conf);

	return !out ? limit : c->skipped < limit ? limit - c->skipped : 0;
}

struct nl_msg *xfrm_msg_state(const struct xfrm_child *c, bool out, int type)
{
	const struct ike_endpoint *from = out ? &c->conf.path.local : &c->conf.path.remote;
	const struct ike_endpoint *to = out ? &c->conf.path.remote : &c->conf.path.local;
	struct xfrm_usersa_info info = {
		.id = { .daddr = address(&to->addr),
			.spi = htonl(out ? c->conf.spi_out : c->conf.spi_in),
			.proto = IPPROTO_ESP },
		.saddr = address(&from->addr),
		.lft = { .soft_byte_limit = esp_sa_soft_bytes(&c->conf),
			 .hard_byte_limit = XFRM_INF,
			 .soft_packet_limit = soft_packets(c, out),
			 .hard_packet_limit = XFRM_INF,
			 .hard_add_expires_seconds = c->way.hard_s },
		.reqid = c->reqid,
		.family = family_of(&to->addr),
		.mode = c->conf.transport ? XFRM_MODE_TRANSPORT : XFRM_MODE_TUNNEL,
		/* either family inside */
		.flags = (uint8_t)((c->conf.transport ? 0 : XFRM_STATE_AF_UNSPEC) | (c->conf.esn ? XFRM_STATE_ESN : 0)),
	};
	struct {
		struct xfrm_replay_state_esn esn;
		uint32_t bmp[REPLAY_WINDOW / 32];
	} replay = { .esn = { .bmp_len = REPLAY_WINDOW / 32, .replay_window = REPLAY_WINDOW } };
	struct nl_msg *msg = message(type, &info, sizeof(info));

	put_algorithms(msg, &c->conf.suite, out ? &c->keys->out : &c->keys->in);
	nla_put(msg, XFRMA_REPLAY_ESN_VAL, sizeof(replay), &replay);
	if (c->conf.path.encap) {
		struct xfrm_encap_tmpl encap = { .encap_type = UDP_ENCAP_TYPE,
						 .encap_sport = htons(from->port),
						 .encap_dport = htons(to->port) };

		nla_put(msg, XFRMA_ENCAP, sizeof(encap), &encap);
	}
	if (c->way.if_id)
		nla_put_u32(msg, XFRMA_IF_ID, c->way.if_id);
	if (out && c->way.mark) {
		nla_put_u32(msg, XFRMA_SET_MARK, c->way.mark);
		nla_put_u32(msg, XFRMA_SET_MARK_MASK, UINT32_MAX);
	}
	return msg;
}

/* ---- policies */

static u128 low_bits(unsigned int n)
{
	return n >= 128 ? ~(u128)0 : ((u128)1 << n) - 1;
}

bool xfrm_msg_cut(struct ike_ts *rest, struct ike_ts *prefix)
{
	unsigned int bits = ip_bits((enum ip_family)rest->first.family), n = 0;

	if (rest->first.v > rest->last.v)
		return false;
	while (n < bits && (rest->first.v & low_bits(n + 1)) == 0 && rest->last.v - rest->first.v >= low_bits(n + 1))
		n++;
	*prefix = *rest;
	prefix->last.v = rest->first.v | low_bits(n);
	if (prefix->last.v == rest->last.v)
		rest->first.v = 1, rest->last.v = 0; /* no more */
	else
		rest->first.v = prefix->last.v + 1;
	return true;
}

bool xfrm_msg_selector(const struct ike_ts *src, const struct ike_ts *dst, struct xfrm_selector *out)
{
	uint8_t proto = src->protocol ? src->protocol : dst->protocol;
	const struct ike_ts *ends[2] = { src, dst };
	uint8_t len[2];

	if (src->first.family != dst->first.family)
		return false;
	for (unsigned int i = 0; i < 2; i++) {
		u128 differ = ends[i]->first.v ^ ends[i]->last.v;
		unsigned int bits = ip_bits(ends[i]->first.family), n = 0;

		for (; n < bits && differ >> n; n++)
			;
		if (differ & (differ + 1) || (ends[i]->first.v & differ) != 0)
			return false;
		len[i] = (uint8_t)(bits - n);
	}
	*out = (struct xfrm_selector){
		.saddr = address(&src->first),
		.daddr = address(&dst->first),
		.family = family_of(&src->first),
		.prefixlen_s = len[0],
		.prefixlen_d = len[1],
		.proto = proto,
	};
	if ((src->port_first != src->port_last && src->port_last - src->port_first != UINT16_MAX) ||
	    (dst->port_first != dst->port_last && dst->port_last - dst->port_first != UINT16_MAX))
		return false;
	if (src->port_first == src->port_last) {
		out->sport = htons(src->port_first);
		out->sport_mask = UINT16_MAX;
	}
	if (dst->port_first == dst->port_last) {
		out->dport = htons(dst->port_first);
		out->dport_mask = UINT16_MAX;
	}
	return true;
}

struct nl_msg *xfrm_msg_policy(const struct xfrm_child *c, const struct xfrm_selector *sel, uint8_t dir)
{
	bool out = dir == XFRM_POLICY_OUT;
	const struct ip_addr *from = out ? &c->conf.path.local.addr : &c->conf.path.remote.addr;
	const struct ip_addr *to = out ? &c->conf.path.remote.addr : &c->conf.path.local.addr;
	struct xfrm_userpolicy_info info = {
		.sel = *sel,
		.lft = { XFRM_INF, XFRM_INF, XFRM_INF, XFRM_INF, 0, 0, 0, 0 },
		/* the narrower the earlier */
		.priority = 10000u - 16u * (sel->prefixlen_s + sel->prefixlen_d) - (sel->proto ? 8 : 0),
		.dir = dir,
		.action = XFRM_POLICY_ALLOW,
	};
	struct xfrm_user_tmpl tmpl = {
		.id = { .daddr = address(to), .proto = IPPROTO_ESP },
		.family = family_of(to),
		.saddr = address(from),
		.reqid = c->reqid,
		.mode = c->conf.transport ? XFRM_MODE_TRANSPORT : XFRM_MODE_TUNNEL,
		.aalgos = UINT32_MAX,
		.ealgos = UINT32_MAX,
		.calgos = UINT32_MAX,
	};
	struct nl_msg *msg = message(XFRM_MSG_UPDPOLICY, &info, sizeof(info));

	nla_put(msg, XFRMA_TMPL, sizeof(tmpl), &tmpl);
	if (c->way.if_id)
		nla_put_u32(msg, XFRMA_IF_ID, c->way.if_id);
	return msg;
}

struct nl_msg *xfrm_msg_policy_del(const struct xfrm_child *c, const struct xfrm_selector *sel, uint8_t dir)
{
	struct xfrm_userpolicy_id id = { .sel = *sel, .dir = dir };
	struct nl_msg *msg = message(XFRM_MSG_DELPOLICY, &id, sizeof(id));

	if (c->way.if_id)
		nla_put_u32(msg, XFRMA_IF_ID, c->way.if_id);
	return msg;
}
