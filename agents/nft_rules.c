/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/nft_rules.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/if_arp.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/udata.h>

#include "agents/nft_expr.h"
#include "lib/mem.h"


#define SAMPLES_PER_SECOND 10

void rules_chain_name(const char *interface, char name[TXN_NAME_SIZE])
{
	snprintf(name, TXN_NAME_SIZE, "edge/%s", interface);
}

void rules_name(enum rules_object object, enum ip_family family, const char *interface,
		uint64_t version, char name[TXN_NAME_SIZE])
{
	static const char *const words[] = {
		[RULES_ACCEPT] = "accept",	 [RULES_DROP] = "drop",
		[RULES_CONNECTED] = "connected", [RULES_PEER] = "peer",
		[RULES_SPLIT] = "split",	 [RULES_PART] = "part",
	};

	snprintf(name, TXN_NAME_SIZE, "%s%d/%s/%" PRIu64, words[object],
		 family == IP_V4 ? 4 : 6, interface, version);
}

bool rules_name_parse(const char *text, struct rules_name *name)
{
	const char *first = strchr(text, '/'), *slash = strrchr(text, '/');
	char again[TXN_NAME_SIZE];
	size_t len;

	if (!first || slash == first)
		return false;
	len = (size_t)(slash - first - 1);
	if (len == 0 || len >= FILTER_IFNAME_SIZE)
		return false;
	memset(name->interface, 0, sizeof(name->interface));
	memcpy(name->interface, first + 1, len);
	name->version = strtoull(slash + 1, NULL, 10);
	for (name->object = 0; name->object < RULES_OBJECTS; name->object++) {
		for (name->family = 0; name->family < IP_FAMILIES; name->family++) {
			rules_name(name->object, name->family, name->interface,
				   name->version, again);
			if (strcmp(again, text) == 0)
				return name->version != 0;
		}
	}
	return false;
}

void rules_counter_name(enum rules_counter counter, const char *interface,
			char name[TXN_NAME_SIZE])
{
	static const char *const words[] = { "accept", "drop", "except" };

	snprintf(name, TXN_NAME_SIZE, "%s/%s", words[counter], interface);
}

/* ---- expressions ---- */

enum lookup {
	LOOKUP_IN,     /* in the set */
	LOOKUP_NOT_IN, /* not in the set */
	LOOKUP_MAP,    /* what the map says */
};

static void lookup(struct nftnl_rule *r, const char *set, enum lookup how)
{
	struct nftnl_expr *e = expr_add(r, "lookup");

	nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_SREG, EXPR_REG);
	nftnl_expr_set_str(e, NFTNL_EXPR_LOOKUP_SET, set);
	/* in any case, as the kernel dumps it */
	nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_FLAGS,
			   how == LOOKUP_NOT_IN ? NFT_LOOKUP_F_INV : 0);
	if (how == LOOKUP_MAP)
		nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_DREG, NFT_REG_VERDICT);
}

static void count(struct nftnl_rule *r, enum rules_counter counter, const char *interface)
{
	char name[TXN_NAME_SIZE];

	rules_counter_name(counter, interface, name);
	expr_count(r, name);
}

static void sample(struct nftnl_rule *r, unsigned int group)
{
	struct nftnl_expr *e = expr_add(r, "limit");

	nftnl_expr_set_u64(e, NFTNL_EXPR_LIMIT_RATE, SAMPLES_PER_SECOND);
	nftnl_expr_set_u64(e, NFTNL_EXPR_LIMIT_UNIT, 1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_LIMIT_BURST, 5);
	nftnl_expr_set_u32(e, NFTNL_EXPR_LIMIT_TYPE, NFT_LIMIT_PKTS);
	nftnl_expr_set_u32(e, NFTNL_EXPR_LIMIT_FLAGS, 0);
	e = expr_add(r, "log");
	nftnl_expr_set_u16(e, NFTNL_EXPR_LOG_GROUP, (uint16_t)group);
	nftnl_expr_set_u32(e, NFTNL_EXPR_LOG_SNAPLEN, RULES_SAMPLE_BYTES);
	nftnl_expr_set_u16(e, NFTNL_EXPR_LOG_QTHRESHOLD, 1);
	nftnl_expr_set_str(e, NFTNL_EXPR_LOG_PREFIX, TXN_TABLE);
}

/* ---- what a rule can ask of a packet ---- */

static void source(struct nftnl_rule *r, enum ip_family family, enum lookup how,
		   const char *set)
{
	expr_family(r, family);
	expr_payload(r, NFT_PAYLOAD_NETWORK_HEADER,
		     family == IP_V4 ? EXPR_IP4_SADDR : EXPR_IP6_SADDR, ip_bytes(family));
	lookup(r, set, how);
}

/* 0.0.0.0 or ::, hosts that have no address yet. */
static void source_unspecified(struct nftnl_rule *r, enum ip_family family)
{
	static const uint8_t zero[16];

	expr_family(r, family);
	expr_payload(r, NFT_PAYLOAD_NETWORK_HEADER,
		     family == IP_V4 ? EXPR_IP4_SADDR : EXPR_IP6_SADDR, ip_bytes(family));
	expr_cmp(r, NFT_CMP_EQ, zero, ip_bytes(family));
}

static void source_link_local(struct nftnl_rule *r)
{
	static const uint8_t bits[2] = { 0xff, 0xc0 }, fe80[2] = { 0xfe, 0x80 };

	expr_family(r, IP_V6);
	expr_payload(r, NFT_PAYLOAD_NETWORK_HEADER, EXPR_IP6_SADDR, 2);
	expr_mask(r, bits, 2);
	expr_cmp(r, NFT_CMP_EQ, fe80, 2);
}

/* Delivered here: local, broadcast of a subnet or limited, anycast. The three
 * are neighbours in the kernel's numbering, on machines of both endians. */
static void to_router(struct nftnl_rule *r)
{
	const uint32_t from = RTN_LOCAL, to = RTN_ANYCAST;
	struct nftnl_expr *e = expr_add(r, "fib");

	nftnl_expr_set_u32(e, NFTNL_EXPR_FIB_DREG, EXPR_REG);
	nftnl_expr_set_u32(e, NFTNL_EXPR_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE);
	nftnl_expr_set_u32(e, NFTNL_EXPR_FIB_FLAGS, NFTA_FIB_F_DADDR);
	expr_range(r, &from, &to, sizeof(from));
}

/* Destinations that no router forwards: 224.0.0.0/24, ff02::/16. */
static void to_link(struct nftnl_rule *r, enum ip_family family)
{
	static const uint8_t local4[3] = { 224, 0, 0 }, local6[2] = { 0xff, 0x02 };

	if (family == IP_V4) {
		expr_payload(r, NFT_PAYLOAD_NETWORK_HEADER, EXPR_IP4_DADDR, sizeof(local4));
		expr_cmp(r, NFT_CMP_EQ, local4, sizeof(local4));
	} else {
		expr_payload(r, NFT_PAYLOAD_NETWORK_HEADER, EXPR_IP6_DADDR, sizeof(local6));
		expr_cmp(r, NFT_CMP_EQ, local6, sizeof(local6));
	}
}

static void to_multicast(struct nftnl_rule *r, enum ip_family family)
{
	static const uint8_t bits = 0xf0, mc4 = 0xe0, mc6 = 0xff;

	expr_payload(r, NFT_PAYLOAD_NETWORK_HEADER,
		     family == IP_V4 ? EXPR_IP4_DADDR : EXPR_IP6_DADDR, 1);
	if (family == IP_V4)
		expr_mask(r, &bits, 1);
	expr_cmp(r, NFT_CMP_EQ, family == IP_V4 ? &mc4 : &mc6, 1);
}

/* ---- the edge's chain ---- */

struct edge {
	struct expr_rules *rs;
	const struct rules_edge *e;
};

static void pass(const struct edge *g, struct nftnl_rule *r, enum rules_counter counter)
{
	count(r, counter, g->e->interface);
	expr_verdict(r, NF_ACCEPT);
}

static struct nftnl_rule *from_set(const struct edge *g, enum rules_object set,
				   enum ip_family family)
{
	struct nftnl_rule *r = expr_rule(g->rs);
	char name[TXN_NAME_SIZE];

	rules_name(set, family, g->e->interface, g->e->others, name);
	source(r, family, LOOKUP_IN, name);
	return r;
}

/* Accepts what a list accepts, whatever its shape. */
static void put_list(struct expr_rules *rs, const char *interface, enum ip_family family,
		     enum kernel_shape shape, uint64_t set)
{
	bool drop = shape == KERNEL_SHAPE_DROP;
	struct nftnl_rule *r = expr_rule(rs);
	char name[TXN_NAME_SIZE];

	rules_name(drop ? RULES_DROP : RULES_ACCEPT, family, interface, set, name);
	source(r, family, drop ? LOOKUP_NOT_IN : LOOKUP_IN, name);
	count(r, RULES_COUNT_ACCEPT, interface);
	expr_verdict(r, NF_ACCEPT);
}

static void put_accepted(const struct edge *g, enum ip_family family)
{
	const struct rules_accept *a = &g->e->accept[family];
	char name[TXN_NAME_SIZE];

	if (a->map == 0) {
		put_list(g->rs, g->e->interface, family, a->shape, a->set);
		return;
	}
	rules_name(RULES_SPLIT, family, g->e->interface, a->map, name);
	source(expr_rule(g->rs), family, LOOKUP_MAP, name);
}

/* Neighbours and peers may talk to this router and to the link, in every
 * protocol: BGP, BFD and OSPF live there. A neighbour's address passes through
 * the router for ICMP only: errors and path MTU of the other side's router,
 * whose link addresses nobody announces (IXP LANs, RFC 7454 6.1.5.2). The
 * source is looked at before the route: a forged one costs no route look-up. */
static void put_neighbours(const struct edge *g, enum ip_family family)
{
	struct nftnl_rule *r = from_set(g, RULES_CONNECTED, family);

	expr_l4(r, family == IP_V4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
	pass(g, r, RULES_COUNT_EXCEPT);
	for (enum rules_object set = RULES_CONNECTED; set <= RULES_PEER; set++) {
		r = from_set(g, set, family);
		to_router(r);
		pass(g, r, RULES_COUNT_EXCEPT);
		r = from_set(g, set, family);
		to_link(r, family);
		pass(g, r, RULES_COUNT_EXCEPT);
	}
}

/* Link-local addresses are for the link: forwarded ones meet the drop. */
static void put_link_local(const struct edge *g)
{
	struct nftnl_rule *r = expr_rule(g->rs);

	source_link_local(r);
	to_router(r);
	pass(g, r, RULES_COUNT_EXCEPT);
	r = expr_rule(g->rs);
	source_link_local(r);
	to_link(r, IP_V6);
	pass(g, r, RULES_COUNT_EXCEPT);
}

/* 0.0.0.0: DHCP to the limited broadcast (RFC 2827 section 5) and IGMP reports
 * of hosts without an address (RFC 3376 4.2.13). */
static void put_unspecified4(const struct edge *g)
{
	static const uint8_t everybody[4] = { 255, 255, 255, 255 };
	static const uint8_t ports[4] = { 0, 68, 0, 67 };
	struct nftnl_rule *r = expr_rule(g->rs);

	source_unspecified(r, IP_V4);
	expr_payload(r, NFT_PAYLOAD_NETWORK_HEADER, EXPR_IP4_DADDR, 4);
	expr_cmp(r, NFT_CMP_EQ, everybody, 4);
	expr_l4(r, IPPROTO_UDP);
	expr_payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, 0, 4);
	expr_cmp(r, NFT_CMP_EQ, ports, 4);
	pass(g, r, RULES_COUNT_EXCEPT);

	r = expr_rule(g->rs);
	source_unspecified(r, IP_V4);
	expr_l4(r, IPPROTO_IGMP);
	to_multicast(r, IP_V4);
	pass(g, r, RULES_COUNT_EXCEPT);
}

static void put_icmp6(const struct edge *g, uint8_t from, uint8_t to)
{
	struct nftnl_rule *r = expr_rule(g->rs);

	source_unspecified(r, IP_V6);
	expr_l4(r, IPPROTO_ICMPV6);
	expr_payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, 0, 1);
	expr_range(r, &from, &to, 1);
	to_multicast(r, IP_V6);
	pass(g, r, RULES_COUNT_EXCEPT);
}

/* ::, to multicast groups only: MLDv1 report and done with the router
 * solicitation between them (131, 132, 133), neighbour solicitation for
 * duplicate address detection (135), MLDv2 report (143, RFC 3810 5.2.13). */
static void put_unspecified6(const struct edge *g)
{
	put_icmp6(g, 131, 133);
	put_icmp6(g, 135, 135);
	put_icmp6(g, 143, 143);
}

static void set_comment(struct nftnl_rule *r, const char *comment)
{
	struct nftnl_udata_buf *buf;

	if (!comment)
		return;
	buf = nftnl_udata_buf_alloc(NFT_USERDATA_MAXLEN);
	if (!buf || !nftnl_udata_put_strz(buf, NFTNL_UDATA_RULE_COMMENT, comment))
		abort();
	nftnl_rule_set_data(r, NFTNL_RULE_USERDATA, nftnl_udata_buf_data(buf),
			    nftnl_udata_buf_len(buf));
	nftnl_udata_buf_free(buf);
}

static void put_rest(const struct edge *g)
{
	struct nftnl_rule *r;

	if (g->e->sample_group != 0)
		sample(expr_rule(g->rs), g->e->sample_group);
	r = expr_rule(g->rs);
	count(r, RULES_COUNT_DROP, g->e->interface);
	if (g->e->action == FILTER_ENFORCE)
		expr_verdict(r, NF_DROP);
	set_comment(r, g->e->comment);
}

static void build_edge(struct expr_rules *rs, const struct rules_edge *e)
{
	const struct edge g = { rs, e };

	if (e->action == FILTER_OFF) {
		struct nftnl_rule *r = expr_rule(rs);

		expr_verdict(r, NFT_RETURN);
		set_comment(r, e->comment);
		return;
	}
	put_accepted(&g, IP_V4);
	put_accepted(&g, IP_V6);
	put_neighbours(&g, IP_V4);
	put_unspecified4(&g);
	put_neighbours(&g, IP_V6);
	put_link_local(&g);
	put_unspecified6(&g);
	put_rest(&g);
}

/* A packet that came out of a kernel IPsec tunnel is seen again with its inner
 * addresses, and still with the *outer* interface: that edge's set must not
 * judge it (in-kernel rp_filter makes the same exception). Where the tunnel has
 * an interface of its own (xfrm: type NONE, vti: TUNNEL and TUNNEL6), that
 * interface is an edge like others, and is not stepped over. */
static void put_decrypted(struct expr_rules *rs)
{
	static const uint16_t own[] = { ARPHRD_NONE, ARPHRD_TUNNEL, ARPHRD_TUNNEL6 };
	struct nftnl_rule *r = expr_rule(rs);
	const uint8_t yes = 1;

	expr_meta(r, NFT_META_SECPATH);
	expr_cmp(r, NFT_CMP_EQ, &yes, 1);
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		expr_meta(r, NFT_META_IIFTYPE);
		expr_cmp(r, NFT_CMP_NEQ, &own[i], sizeof(own[i]));
	}
	expr_verdict(r, NFT_RETURN);
}

static void build_base(struct expr_rules *rs, const struct rules_base *b)
{
	struct nftnl_rule *r;

	if (b->brake) {
		r = expr_rule(rs);
		expr_verdict(r, NF_ACCEPT);
		set_comment(r, "all off");
		return;
	}
	if (b->secpath)
		put_decrypted(rs);
	r = expr_rule(rs);
	expr_meta(r, NFT_META_IIFNAME);
	lookup(r, RULES_MAP, LOOKUP_MAP);
}

/* ---- to the kernel, to text ---- */

static void put_rules(struct txn *t, struct expr_rules *rs)
{
	rs->table = TXN_TABLE;
	expr_put_rules(t, rs);
}

void rules_put_edge(struct txn *t, const struct rules_edge *e)
{
	char chain[TXN_NAME_SIZE];
	struct expr_rules rs = { .chain = chain };

	rules_chain_name(e->interface, chain);
	build_edge(&rs, e);
	put_rules(t, &rs);
}

void rules_put_probe(struct txn *t, const char *chain, enum rules_part part)
{
	struct expr_rules rs = { .chain = chain };

	switch (part) {
	case RULES_PART_ROUTE:
		to_router(expr_rule(&rs));
		break;
	case RULES_PART_SECPATH:
		put_decrypted(&rs);
		break;
	case RULES_PART_SAMPLE:
		sample(expr_rule(&rs), 1);
		break;
	}
	put_rules(t, &rs);
}

void rules_put_part(struct txn *t, const char *interface, enum ip_family family,
		    enum kernel_shape shape, const struct part *part)
{
	char chain[TXN_NAME_SIZE];
	struct expr_rules rs = { .chain = chain };

	rules_name(RULES_PART, family, interface, part->chain, chain);
	put_list(&rs, interface, family, shape, part->set);
	put_rules(t, &rs);
}

void rules_put_base(struct txn *t, const struct rules_base *b)
{
	struct expr_rules rs = { .chain = RULES_BASE_CHAIN };

	build_base(&rs, b);
	put_rules(t, &rs);
}

char *rules_edge_text(const struct rules_edge *e)
{
	struct expr_rules rs = { .chain = "" };

	build_edge(&rs, e);
	return expr_rules_text(&rs);
}

char *rules_part_text(const char *interface, enum ip_family family,
		      enum kernel_shape shape, uint64_t set)
{
	struct expr_rules rs = { .chain = "" };

	put_list(&rs, interface, family, shape, set);
	return expr_rules_text(&rs);
}

char *rules_base_text(const struct rules_base *b)
{
	struct expr_rules rs = { .chain = "" };

	build_base(&rs, b);
	return expr_rules_text(&rs);
}

void rules_flush(struct txn *t, const char *chain)
{
	struct nlmsghdr *nlh =
		txn_get(t, NFT_MSG_DELRULE, 0, "replace the rules of chain", chain);

	mnl_attr_put_strz(nlh, NFTA_RULE_TABLE, TXN_TABLE);
	mnl_attr_put_strz(nlh, NFTA_RULE_CHAIN, chain);
	txn_put(t);
}

static int find_comment(const struct nftnl_udata *attr, void *arg)
{
	char *comment = arg;
	size_t len = nftnl_udata_len(attr);

	if (nftnl_udata_type(attr) == NFTNL_UDATA_RULE_COMMENT && len > 0 &&
	    len <= RULES_COMMENT_SIZE) {
		memcpy(comment, nftnl_udata_get(attr), len);
		comment[len - 1] = '\0';
	}
	return 0;
}

static void read_comment(const struct nftnl_rule *r, char comment[RULES_COMMENT_SIZE])
{
	uint32_t len = 0;
	const void *data = nftnl_rule_get_data(r, NFTNL_RULE_USERDATA, &len);

	comment[0] = '\0';
	if (data)
		nftnl_udata_parse(data, len, find_comment, comment);
}

struct reading {
	struct expr_text text;
	char comment[RULES_COMMENT_SIZE];
};

static int rule_answer(const struct nlmsghdr *nlh, void *arg)
{
	struct reading *x = arg;
	struct nftnl_rule *r;
	int rc = -EBADMSG;

	if (!nlh) {
		x->text.len = 0;
		x->comment[0] = '\0';
		return 0;
	}
	r = nftnl_rule_alloc();
	if (!r)
		abort();
	if (nftnl_rule_nlmsg_parse(nlh, r) == 0) {
		rc = expr_add_text(&x->text, r);
		read_comment(r, x->comment);
	}
	nftnl_rule_free(r);
	return rc;
}

int rules_read(struct mnl_socket *nl, const char *chain, char **text,
	       char comment[RULES_COMMENT_SIZE])
{
	char buf[TXN_QUERY_BYTES];
	struct nlmsghdr *nlh = txn_query(buf, NFT_MSG_GETRULE, NLM_F_DUMP);
	struct reading x = { 0 };
	int rc;

	mnl_attr_put_strz(nlh, NFTA_RULE_TABLE, TXN_TABLE);
	mnl_attr_put_strz(nlh, NFTA_RULE_CHAIN, chain);
	rc = txn_ask(nl, nlh, rule_answer, &x);
	*text = expr_end_text(&x.text);
	memcpy(comment, x.comment, RULES_COMMENT_SIZE);
	return rc;
}
