/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/nft_change.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libnftnl/chain.h>
#include <libnftnl/object.h>

#include "agents/nft_elems.h"
#include "lib/digest.h"

void change_put_table(struct txn *t, uint16_t type)
{
	bool del = type == NFT_MSG_DELTABLE;
	struct nlmsghdr *nlh = txn_get(t, type, del ? 0 : NLM_F_CREATE | NLM_F_EXCL,
				       del ? "delete table" : "create table", TXN_TABLE);

	mnl_attr_put_strz(nlh, NFTA_TABLE_NAME, TXN_TABLE);
	txn_put(t);
}

static void put_chain(struct txn *t, struct nftnl_chain *c, const char *name)
{
	struct nlmsghdr *nlh = txn_get(t, NFT_MSG_NEWCHAIN, NLM_F_CREATE | NLM_F_EXCL,
				       "create chain", name);

	nftnl_chain_set_u32(c, NFTNL_CHAIN_FAMILY, NFPROTO_INET);
	nftnl_chain_set_str(c, NFTNL_CHAIN_TABLE, TXN_TABLE);
	nftnl_chain_set_str(c, NFTNL_CHAIN_NAME, name);
	nftnl_chain_nlmsg_build_payload(nlh, c);
	txn_put(t);
	nftnl_chain_free(c);
}

static struct nftnl_chain *new_chain(void)
{
	struct nftnl_chain *c = nftnl_chain_alloc();

	if (!c)
		abort();
	return c;
}

static void put_base_chain(struct txn *t)
{
	struct nftnl_chain *c = new_chain();

	nftnl_chain_set_str(c, NFTNL_CHAIN_TYPE, "filter");
	nftnl_chain_set_u32(c, NFTNL_CHAIN_HOOKNUM, NF_INET_PRE_ROUTING);
	nftnl_chain_set_s32(c, NFTNL_CHAIN_PRIO, CHANGE_PRIORITY);
	nftnl_chain_set_u32(c, NFTNL_CHAIN_POLICY, NF_ACCEPT);
	put_chain(t, c, RULES_BASE_CHAIN);
}

static void delete_chain(struct txn *t, const char *name)
{
	struct nlmsghdr *nlh = txn_get(t, NFT_MSG_DELCHAIN, 0, "delete chain", name);

	mnl_attr_put_strz(nlh, NFTA_CHAIN_TABLE, TXN_TABLE);
	mnl_attr_put_strz(nlh, NFTA_CHAIN_NAME, name);
	txn_put(t);
}

void change_put_frame(const struct kernel *k, struct txn *t)
{
	const struct rules_base base = { k->brake, k->secpath };

	change_put_table(t, NFT_MSG_NEWTABLE);
	elems_create_map(t, RULES_MAP);
	put_base_chain(t);
	rules_put_base(t, &base);
}

static void put_counter(struct txn *t, const char *name, uint64_t packets, uint64_t bytes)
{
	struct nlmsghdr *nlh = txn_get(t, NFT_MSG_NEWOBJ, NLM_F_CREATE | NLM_F_EXCL,
				       "create counter", name);
	struct nftnl_obj *o = nftnl_obj_alloc();

	if (!o)
		abort();
	nftnl_obj_set_u32(o, NFTNL_OBJ_FAMILY, NFPROTO_INET);
	nftnl_obj_set_str(o, NFTNL_OBJ_TABLE, TXN_TABLE);
	nftnl_obj_set_str(o, NFTNL_OBJ_NAME, name);
	nftnl_obj_set_u32(o, NFTNL_OBJ_TYPE, NFT_OBJECT_COUNTER);
	nftnl_obj_set_u64(o, NFTNL_OBJ_CTR_PKTS, packets);
	nftnl_obj_set_u64(o, NFTNL_OBJ_CTR_BYTES, bytes);
	nftnl_obj_nlmsg_build_payload(nlh, o);
	txn_put(t);
	nftnl_obj_free(o);
}

static void delete_counter(struct txn *t, const char *name)
{
	struct nlmsghdr *nlh = txn_get(t, NFT_MSG_DELOBJ, 0, "delete counter", name);

	mnl_attr_put_strz(nlh, NFTA_OBJ_TABLE, TXN_TABLE);
	mnl_attr_put_strz(nlh, NFTA_OBJ_NAME, name);
	mnl_attr_put_u32(nlh, NFTA_OBJ_TYPE, htonl(NFT_OBJECT_COUNTER));
	txn_put(t);
}

static void put_counters(struct txn *t, const struct kernel_counters *c)
{
	char name[TXN_NAME_SIZE];

	rules_counter_name(RULES_COUNT_ACCEPT, c->interface, name);
	put_counter(t, name, c->accept_packets, c->accept_bytes);
	rules_counter_name(RULES_COUNT_DROP, c->interface, name);
	put_counter(t, name, c->drop_packets, c->drop_bytes);
	rules_counter_name(RULES_COUNT_EXCEPT, c->interface, name);
	put_counter(t, name, c->except_packets, c->except_bytes);
}

static void peers_to_set(const struct filter *f, struct addrset *out)
{
	addrset_fini(out);
	for (size_t i = 0; i < f->n_peers; i++)
		rangeset_append(&out->f[f->peers[i].family], f->peers[i].v,
				f->peers[i].v);
	addrset_normalize(out);
}

void change_comment(const struct filter *f, char comment[RULES_COMMENT_SIZE])
{
	uint8_t hash[FILTER_HASH_SIZE];
	char hex[2 * FILTER_HASH_SIZE + 1];

	filter_hash(f, hash);
	digest_hex(hash, sizeof(hash), hex);
	snprintf(comment, RULES_COMMENT_SIZE, "generation %" PRIu64 " sha256 %s",
		 f->generation, hex);
}

static void put_edge_rules(const struct kernel *k, struct txn *t, const struct filter *f,
			   uint64_t version)
{
	char comment[RULES_COMMENT_SIZE];
	const struct rules_edge e = { f->interface, version, f->action,
				      k->options.sample_group, comment };

	change_comment(f, comment);
	rules_put_edge(t, &e);
}

static void create_sets(struct txn *t, const struct filter *f, uint64_t version,
			const struct addrset *connected)
{
	struct addrset peers = { 0 };
	const struct addrset *contents[RULES_SETS] = {
		[RULES_ACCEPT] = &f->accept,
		[RULES_CONNECTED] = connected,
		[RULES_PEER] = &peers,
	};
	char name[TXN_NAME_SIZE];

	peers_to_set(f, &peers);
	for (enum rules_set set = 0; set < RULES_SETS; set++) {
		for (enum ip_family family = 0; family < IP_FAMILIES; family++) {
			rules_set_name(set, family, f->interface, version, name);
			elems_create_set(t, name, family);
			elems_add(t, name, family, &contents[set]->f[family]);
		}
	}
	addrset_fini(&peers);
}

static void delete_sets(struct txn *t, const char *interface, uint64_t version)
{
	char name[TXN_NAME_SIZE];

	for (enum rules_set set = 0; set < RULES_SETS; set++) {
		for (enum ip_family family = 0; family < IP_FAMILIES; family++) {
			rules_set_name(set, family, interface, version, name);
			elems_delete_set(t, name);
		}
	}
}

static void delta_set(struct txn *t, enum rules_set set, const struct edge *e,
		      const struct addrset *old, const struct addrset *new)
{
	char name[TXN_NAME_SIZE];

	for (enum ip_family family = 0; family < IP_FAMILIES; family++) {
		rules_set_name(set, family, e->interface, e->version, name);
		elems_delta(t, name, family, &old->f[family], &new->f[family]);
	}
}

static void delta_sets(struct txn *t, const struct edge *e, const struct kernel_change *c)
{
	struct addrset old_peers = { 0 }, new_peers = { 0 };

	peers_to_set(c->old, &old_peers);
	peers_to_set(c->new, &new_peers);
	delta_set(t, RULES_ACCEPT, e, &c->old->accept, &c->new->accept);
	delta_set(t, RULES_PEER, e, &old_peers, &new_peers);
	if (c->connected)
		delta_set(t, RULES_CONNECTED, e, &e->connected, c->connected);
	addrset_fini(&old_peers);
	addrset_fini(&new_peers);
}

void change_create_edge(const struct kernel *k, const struct steps *s,
			const struct filter *f, const struct addrset *connected,
			const struct kernel_counters *last)
{
	static const struct addrset none;
	char chain[TXN_NAME_SIZE];

	rules_chain_name(f->interface, chain);
	put_chain(s->prepare, new_chain(), chain);
	put_counters(s->prepare, last);
	create_sets(s->prepare, f, 1, connected ? connected : &none);
	put_edge_rules(k, s->prepare, f, 1);
	elems_map_add(s->change, RULES_MAP, f->interface, chain);
}

static void remove_edge(struct txn *t, const struct edge *e)
{
	char name[TXN_NAME_SIZE];

	elems_map_delete(t, RULES_MAP, e->interface);
	rules_chain_name(e->interface, name);
	rules_flush(t, name);
	delete_chain(t, name);
	delete_sets(t, e->interface, e->version);
	for (enum rules_counter c = 0; c < RULES_COUNTERS; c++) {
		rules_counter_name(c, e->interface, name);
		delete_counter(t, name);
	}
}

static bool same_peers(const struct filter *a, const struct filter *b)
{
	if (a->n_peers != b->n_peers)
		return false;
	for (size_t i = 0; i < a->n_peers; i++) {
		if (!ip_addr_equal(&a->peers[i], &b->peers[i]))
			return false;
	}
	return true;
}

static bool same_filter(const struct filter *a, const struct filter *b)
{
	return a->generation == b->generation && a->action == b->action &&
	       addrset_equal(&a->accept, &b->accept) && same_peers(a, b);
}

static bool same_sets(const struct edge *e, const struct kernel_change *c)
{
	return c->old && addrset_equal(&c->old->accept, &c->new->accept) &&
	       same_peers(c->old, c->new) &&
	       (!c->connected || addrset_equal(c->connected, &e->connected));
}

/* A fresh set is needed where live ones may not be changed, and where nobody
 * knows what is in them. */
static bool wants_fresh_sets(const struct kernel *k, const struct edge *e,
			     const struct kernel_change *c)
{
	return !c->old || (k->strategy == KERNEL_SWAP && !same_sets(e, c));
}

static void change_edge(const struct kernel *k, const struct steps *s,
			const struct edge *e, const struct kernel_change *c)
{
	uint64_t version = e->version;
	char chain[TXN_NAME_SIZE];

	if (wants_fresh_sets(k, e, c)) {
		version++;
		create_sets(s->prepare, c->new, version,
			    c->connected ? c->connected : &e->connected);
	} else {
		/* Before a stricter action, what it is to accept must be there. */
		delta_sets(c->new->action > c->old->action ? s->prepare : s->change, e,
			   c);
		if (same_filter(c->old, c->new))
			return;
	}
	rules_chain_name(e->interface, chain);
	rules_flush(s->change, chain);
	put_edge_rules(k, s->change, c->new, version);
	if (version != e->version)
		delete_sets(s->change, e->interface, e->version);
}

void change_put(const struct kernel *k, const struct steps *s,
		const struct kernel_change *c)
{
	const char *interface = c->new ? c->new->interface : c->old->interface;
	const struct edge *e = edges_find(&k->edges, interface);
	struct kernel_counters zero = { 0 };

	if (e && c->new) {
		change_edge(k, s, e, c);
	} else if (e) {
		remove_edge(s->change, e);
	} else if (c->new) {
		snprintf(zero.interface, sizeof(zero.interface), "%s", interface);
		change_create_edge(k, s, c->new, c->connected, &zero);
	}
}

void change_note_rules(struct edge *e, const struct filter *f)
{
	e->action = f->action;
	change_comment(f, e->comment);
}

/* What change_put() did, once the kernel has taken it. */
void change_note(struct kernel *k, const struct kernel_change *c)
{
	struct edge *e;

	if (!c->new) {
		edges_drop(&k->edges, c->old->interface);
		return;
	}
	e = edges_get(&k->edges, c->new->interface);
	if (e->version == 0 || wants_fresh_sets(k, e, c))
		e->version++;
	if (c->connected)
		addrset_copy(&e->connected, c->connected);
	change_note_rules(e, c->new);
}

void change_put_probe(struct txn *t, enum rules_part part)
{
	put_chain(t, new_chain(), "probe");
	rules_put_probe(t, "probe", part);
	rules_flush(t, "probe");
	delete_chain(t, "probe");
}
