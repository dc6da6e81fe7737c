/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * kernel_nft - table "inet opensav", and nothing else on this machine.
 *
 *   chain prerouting (raw)   iifname vmap @edges
 *   chain edge/IF            accept set, exceptions, count, drop
 *   sets  accept4/IF/V ...   V: version, see KERNEL_SWAP
 *   counters accept/IF ...   live as long as the edge
 *
 * Raw priority: before connection tracking spends memory on forged packets.
 * The last rule of an edge's chain carries the generation and the hash as a
 * comment, so that an agent that lost its disk still knows what is in force,
 * and sees whether somebody else edited the sets.
 */
#include "agents/kernel.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>

#include <libnftnl/chain.h>
#include <libnftnl/object.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>

#include "agents/nft_elems.h"
#include "agents/nft_rules.h"
#include "agents/nft_txn.h"
#include "lib/digest.h"
#include "lib/mem.h"

#define RECEIVE_BYTES (8 << 20)
#define PRIORITY_RAW  (-300) /* NF_IP_PRI_RAW and NF_IP6_PRI_RAW */

/* A change goes in two transactions where one would hurt. Rules switch at once
 * for all of a transaction, but since Linux gave interval sets a sorted array,
 * that array is made *after* the switch: a set that is filled in the same
 * transaction as the rule that first looks into it misses everything for some
 * milliseconds (measured: a quarter of the honest packets while sets were
 * swapped a hundred times a second). So "prepare" fills what no packet looks
 * at yet, and "change" then points the packets at it. A mere delta of a live
 * set needs no preparation. */
struct steps {
	struct txn *prepare, *change;
};

/* What is known to be in the kernel besides the contents of the filters. */
struct edge {
	char interface[FILTER_IFNAME_SIZE];
	uint64_t version;	  /* of its sets */
	struct addrset connected; /* as installed */
	enum filter_action action;
	char comment[RULES_COMMENT_SIZE]; /* of its last rule */
	struct kernel_counters last;
	unsigned int sets_seen; /* while scanning: one bit per set */
	bool in_map;
};

struct edges {
	struct edge *e; /* sorted by name */
	size_t n, cap;
};

struct kernel {
	struct kernel_options options;
	enum kernel_strategy strategy;
	struct mnl_socket *nl;
	bool secpath;	   /* this kernel has "meta secpath" */
	bool present;	   /* the table exists */
	bool brake;
	uint32_t generation; /* of all nftables, as of our last look */
	bool others_changed; /* something, since kernel_was_changed() */
	struct diag damage;	/* not empty: only kernel_rebuild() helps */
	bool halfway; /* prepared, but the change was refused */
	struct edges edges;
};

static void privileges(const struct kernel *k, bool raise)
{
	if (k->options.privileges)
		k->options.privileges(raise);
}

/* ---- edges ---- */

static size_t edge_place(const struct edges *es, const char *interface)
{
	size_t lo = 0, hi = es->n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (strcmp(es->e[mid].interface, interface) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static struct edge *edge_find(const struct edges *es, const char *interface)
{
	size_t at = edge_place(es, interface);

	return at < es->n && strcmp(es->e[at].interface, interface) == 0 ? &es->e[at] : NULL;
}

static struct edge *edge_get(struct edges *es, const char *interface)
{
	size_t at = edge_place(es, interface);
	struct edge *e = edge_find(es, interface);

	if (e)
		return e;
	if (es->n == es->cap) {
		es->cap = es->cap * 2 + 8;
		es->e = mem_realloc(es->e, es->cap, sizeof(*es->e));
	}
	e = &es->e[at];
	memmove(e + 1, e, (es->n - at) * sizeof(*e));
	es->n++;
	*e = (struct edge){ 0 };
	snprintf(e->interface, sizeof(e->interface), "%s", interface);
	snprintf(e->last.interface, sizeof(e->last.interface), "%s", interface);
	return e;
}

static void edge_drop(struct edges *es, const char *interface)
{
	struct edge *e = edge_find(es, interface);

	if (!e)
		return;
	addrset_fini(&e->connected);
	es->n--;
	memmove(e, e + 1, (es->n - (size_t)(e - es->e)) * sizeof(*e));
}

static void edges_fini(struct edges *es)
{
	for (size_t i = 0; i < es->n; i++)
		addrset_fini(&es->e[i].connected);
	free(es->e);
	*es = (struct edges){ 0 };
}

/* ---- messages for the frame: table, map, base chain, counters ---- */

static void put_table(struct txn *t, uint16_t type)
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
	nftnl_chain_set_s32(c, NFTNL_CHAIN_PRIO, PRIORITY_RAW);
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

static void put_frame(const struct kernel *k, struct txn *t)
{
	const struct rules_base base = { k->brake, k->secpath };

	put_table(t, NFT_MSG_NEWTABLE);
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

/* ---- messages for one edge ---- */

static void peers_to_set(const struct filter *f, struct addrset *out)
{
	addrset_fini(out);
	for (size_t i = 0; i < f->n_peers; i++)
		rangeset_append(&out->f[f->peers[i].family], f->peers[i].v, f->peers[i].v);
	addrset_normalize(out);
}

static void format_comment(const struct filter *f, char comment[RULES_COMMENT_SIZE])
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

	format_comment(f, comment);
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

static void create_edge(const struct kernel *k, const struct steps *s,
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

static void change_edge(const struct kernel *k, const struct steps *s, const struct edge *e,
			const struct kernel_change *c)
{
	uint64_t version = e->version;
	char chain[TXN_NAME_SIZE];

	if (wants_fresh_sets(k, e, c)) {
		version++;
		create_sets(s->prepare, c->new, version,
			    c->connected ? c->connected : &e->connected);
	} else {
		/* Before a stricter action, what it is to accept must be there. */
		delta_sets(c->new->action > c->old->action ? s->prepare : s->change, e, c);
		if (same_filter(c->old, c->new))
			return;
	}
	rules_chain_name(e->interface, chain);
	rules_flush(s->change, chain);
	put_edge_rules(k, s->change, c->new, version);
	if (version != e->version)
		delete_sets(s->change, e->interface, e->version);
}

static void put_change(const struct kernel *k, const struct steps *s,
		       const struct kernel_change *c)
{
	const char *interface = c->new ? c->new->interface : c->old->interface;
	const struct edge *e = edge_find(&k->edges, interface);
	struct kernel_counters zero = { 0 };

	if (e && c->new) {
		change_edge(k, s, e, c);
	} else if (e) {
		remove_edge(s->change, e);
	} else if (c->new) {
		snprintf(zero.interface, sizeof(zero.interface), "%s", interface);
		create_edge(k, s, c->new, c->connected, &zero);
	}
}

static void note_rules(struct edge *e, const struct filter *f)
{
	e->action = f->action;
	format_comment(f, e->comment);
}

/* What put_change() did, once the kernel has taken it. */
static void note_change(struct kernel *k, const struct kernel_change *c)
{
	struct edge *e;

	if (!c->new) {
		edge_drop(&k->edges, c->old->interface);
		return;
	}
	e = edge_get(&k->edges, c->new->interface);
	if (e->version == 0 || wants_fresh_sets(k, e, c))
		e->version++;
	if (c->connected)
		addrset_copy(&e->connected, c->connected);
	note_rules(e, c->new);
}

/* ---- other people's changes ---- */

static int gen_answer(const struct nlmsghdr *nlh, void *arg)
{
	const struct nlattr *attr;

	if (!nlh)
		return 0;
	mnl_attr_for_each(attr, nlh, sizeof(struct nfgenmsg)) {
		if (mnl_attr_get_type(attr) == NFTA_GEN_ID)
			*(uint32_t *)arg = ntohl(mnl_attr_get_u32(attr));
	}
	return 0;
}

static uint32_t ruleset_generation(const struct kernel *k)
{
	char buf[TXN_QUERY_BYTES];
	uint32_t gen = 0;

	txn_ask(k->nl, txn_query(buf, NFT_MSG_GETGEN, 0), gen_answer, &gen);
	return gen;
}

/* Every transaction of anybody adds one to the ruleset's generation. */
static void look_at_generation(struct kernel *k, uint32_t expected)
{
	k->generation = ruleset_generation(k);
	if (k->generation != expected)
		k->others_changed = true;
}

static int commit(struct kernel *k, struct txn *t, int *error, struct diag *diag)
{
	int rc;

	if (error)
		*error = 0;
	if (txn_is_empty(t))
		return 0;
	look_at_generation(k, k->generation);
	rc = txn_commit(t, k->nl, error, diag);
	look_at_generation(k, rc == 0 ? k->generation + 1 : k->generation);
	return rc;
}

bool kernel_was_changed(struct kernel *k)
{
	bool changed;

	privileges(k, true);
	look_at_generation(k, k->generation);
	privileges(k, false);
	changed = k->others_changed;
	k->others_changed = false;
	return changed;
}

/* ---- scan: what is there? ---- */

struct scan {
	struct kernel *k;
	struct edges *edges;
	bool base;
	struct diag *diag; /* first thing that does not fit */
	bool bad;
};

static void unfit(struct scan *s, const char *what, const char *name)
{
	if (!s->bad)
		diag_set(s->diag, "%s %s does not belong in table inet " TXN_TABLE, what,
			 name);
	s->bad = true;
}

static int table_answer(const struct nlmsghdr *nlh, void *arg)
{
	*(bool *)arg = nlh != NULL;
	return 0;
}

static int table_exists(const struct kernel *k, bool *exists)
{
	char buf[TXN_QUERY_BYTES];
	struct nlmsghdr *nlh = txn_query(buf, NFT_MSG_GETTABLE, 0);
	int rc;

	mnl_attr_put_strz(nlh, NFTA_TABLE_NAME, TXN_TABLE);
	rc = txn_ask(k->nl, nlh, table_answer, exists);
	return rc == -ENOENT ? 0 : rc;
}

static int chain_answer(const struct nlmsghdr *nlh, void *arg)
{
	struct scan *s = arg;
	struct nftnl_chain *c;
	const char *name, *table;

	if (!nlh) {
		edges_fini(s->edges);
		s->base = false;
		return 0;
	}
	c = new_chain();
	if (nftnl_chain_nlmsg_parse(nlh, c) == 0) {
		name = nftnl_chain_get_str(c, NFTNL_CHAIN_NAME);
		table = nftnl_chain_get_str(c, NFTNL_CHAIN_TABLE);
		if (strcmp(table, TXN_TABLE) != 0)
			;
		else if (strcmp(name, RULES_BASE_CHAIN) == 0)
			s->base = nftnl_chain_is_set(c, NFTNL_CHAIN_HOOKNUM) &&
				  nftnl_chain_get_u32(c, NFTNL_CHAIN_HOOKNUM) ==
					  NF_INET_PRE_ROUTING &&
				  nftnl_chain_get_s32(c, NFTNL_CHAIN_PRIO) == PRIORITY_RAW;
		else if (strncmp(name, "edge/", 5) == 0 && filter_ifname_is_valid(name + 5))
			edge_get(s->edges, name + 5);
		else
			unfit(s, "chain", name);
	}
	nftnl_chain_free(c);
	return 0;
}

/* "accept4/IF/V": which of the six, whose, which version? */
static bool parse_set_name(const char *name, unsigned int *bit, char interface[],
			   uint64_t *version)
{
	const char *slash = strrchr(name, '/');
	const char *first = strchr(name, '/');
	char again[TXN_NAME_SIZE];
	size_t len;

	if (!first || slash == first)
		return false;
	len = (size_t)(slash - first - 1);
	if (len == 0 || len >= FILTER_IFNAME_SIZE)
		return false;
	memcpy(interface, first + 1, len);
	interface[len] = '\0';
	*version = strtoull(slash + 1, NULL, 10);
	*bit = 1;
	for (enum rules_set set = 0; set < RULES_SETS; set++) {
		for (enum ip_family family = 0; family < IP_FAMILIES; family++, *bit <<= 1) {
			rules_set_name(set, family, interface, *version, again);
			if (strcmp(again, name) == 0)
				return *version != 0;
		}
	}
	return false;
}

static int set_answer(const struct nlmsghdr *nlh, void *arg)
{
	struct scan *s = arg;
	struct nftnl_set *set;
	struct edge *e = NULL;
	char interface[FILTER_IFNAME_SIZE];
	const char *name;
	unsigned int bit;
	uint64_t version;

	if (!nlh) {
		for (size_t i = 0; i < s->edges->n; i++) {
			s->edges->e[i].sets_seen = 0;
			s->edges->e[i].version = 0;
		}
		return 0;
	}
	set = nftnl_set_alloc();
	if (!set || nftnl_set_nlmsg_parse(nlh, set) < 0)
		abort();
	name = nftnl_set_get_str(set, NFTNL_SET_NAME);
	if (parse_set_name(name, &bit, interface, &version))
		e = edge_find(s->edges, interface);
	if (e && (e->version == 0 || e->version == version)) {
		e->version = version;
		e->sets_seen |= bit;
	} else if (strcmp(name, RULES_MAP) != 0) {
		unfit(s, "set", name);
	}
	nftnl_set_free(set);
	return 0;
}

static void map_pair(const char *interface, const char *chain, void *arg)
{
	struct scan *s = arg;
	struct edge *e = edge_find(s->edges, interface);
	char name[TXN_NAME_SIZE];

	rules_chain_name(interface, name);
	if (e && strcmp(name, chain) == 0)
		e->in_map = true;
	else
		unfit(s, "map element", interface);
}

static void store_counter(struct edges *es, const char *name, uint64_t packets,
			  uint64_t bytes)
{
	const char *slash = strchr(name, '/');
	struct edge *e = slash ? edge_find(es, slash + 1) : NULL;

	if (!e)
		return;
	if (strncmp(name, "accept/", 7) == 0) {
		e->last.accept_packets = packets;
		e->last.accept_bytes = bytes;
	} else if (strncmp(name, "drop/", 5) == 0) {
		e->last.drop_packets = packets;
		e->last.drop_bytes = bytes;
	} else if (strncmp(name, "except/", 7) == 0) {
		e->last.except_packets = packets;
		e->last.except_bytes = bytes;
	}
}

static int counter_answer(const struct nlmsghdr *nlh, void *arg)
{
	struct edges *es = arg;
	struct nftnl_obj *o;

	if (!nlh)
		return 0;
	o = nftnl_obj_alloc();
	if (!o)
		abort();
	if (nftnl_obj_nlmsg_parse(nlh, o) == 0 &&
	    nftnl_obj_get_u32(o, NFTNL_OBJ_TYPE) == NFT_OBJECT_COUNTER &&
	    strcmp(nftnl_obj_get_str(o, NFTNL_OBJ_TABLE), TXN_TABLE) == 0)
		store_counter(es, nftnl_obj_get_str(o, NFTNL_OBJ_NAME),
			      nftnl_obj_get_u64(o, NFTNL_OBJ_CTR_PKTS),
			      nftnl_obj_get_u64(o, NFTNL_OBJ_CTR_BYTES));
	nftnl_obj_free(o);
	return 0;
}

static int read_counters(const struct kernel *k, struct edges *es)
{
	char buf[TXN_QUERY_BYTES];
	struct nlmsghdr *nlh = txn_query(buf, NFT_MSG_GETOBJ, NLM_F_DUMP);

	mnl_attr_put_strz(nlh, NFTA_OBJ_TABLE, TXN_TABLE);
	mnl_attr_put_u32(nlh, NFTA_OBJ_TYPE, htonl(NFT_OBJECT_COUNTER));
	return txn_ask(k->nl, nlh, counter_answer, es);
}

static int read_names(struct scan *s)
{
	struct kernel *k = s->k;
	char buf[TXN_QUERY_BYTES];
	struct nlmsghdr *nlh = txn_query(buf, NFT_MSG_GETCHAIN, NLM_F_DUMP);
	int rc = txn_ask(k->nl, nlh, chain_answer, s);

	if (rc < 0)
		return rc;
	nlh = txn_query(buf, NFT_MSG_GETSET, NLM_F_DUMP);
	mnl_attr_put_strz(nlh, NFTA_SET_TABLE, TXN_TABLE);
	rc = txn_ask(k->nl, nlh, set_answer, s);
	if (rc < 0)
		return rc;
	rc = elems_map_read(k->nl, RULES_MAP, map_pair, s);
	return rc < 0 ? rc : read_counters(k, s->edges);
}

static int read_set(const struct kernel *k, enum rules_set set, const struct edge *e,
		    struct addrset *out)
{
	char name[TXN_NAME_SIZE];
	int rc = 0;

	for (enum ip_family family = 0; rc == 0 && family < IP_FAMILIES; family++) {
		rules_set_name(set, family, e->interface, e->version, name);
		rc = elems_read(k->nl, name, family, &out->f[family]);
	}
	return rc;
}

/* The rules must be, to the letter, those of one of the actions. */
static int read_rules(const struct kernel *k, const struct edge *e,
		      enum filter_action *action, char comment[RULES_COMMENT_SIZE],
		      struct diag *diag)
{
	char chain[TXN_NAME_SIZE], *have, *want;
	bool fits = false;
	int rc;

	rules_chain_name(e->interface, chain);
	rc = rules_read(k->nl, chain, &have, comment);
	for (int i = FILTER_OFF; rc == 0 && !fits && i <= FILTER_ENFORCE; i++) {
		const struct rules_edge r = { e->interface, e->version,
					      (enum filter_action)i,
					      k->options.sample_group, NULL };

		want = rules_edge_text(&r);
		fits = strcmp(have, want) == 0;
		free(want);
		if (fits)
			*action = (enum filter_action)i;
	}
	free(have);
	return fits ? 0 : diag_set(diag, "the rules of chain %s are not ours", chain);
}

static int check_edge(struct scan *s, struct edge *e)
{
	int rc;

	if (e->sets_seen != (1u << RULES_SETS * IP_FAMILIES) - 1 || !e->in_map)
		return diag_set(s->diag, "edge %s has lost a set or its entry in the map",
				e->interface);
	if (read_rules(s->k, e, &e->action, e->comment, s->diag) < 0)
		return -1;
	rc = read_set(s->k, RULES_CONNECTED, e, &e->connected);
	return rc < 0 ? diag_set(s->diag, "cannot read the sets of edge %s: %s",
				 e->interface, strerror(-rc))
		      : 0;
}

static int check_base(struct kernel *k, struct diag *diag)
{
	char *have, *want, comment[RULES_COMMENT_SIZE];
	int rc = rules_read(k->nl, RULES_BASE_CHAIN, &have, comment);
	bool fits = false;

	for (int brake = 0; rc == 0 && !fits && brake < 2; brake++) {
		const struct rules_base base = { brake, k->secpath };

		want = rules_base_text(&base);
		fits = strcmp(have, want) == 0;
		free(want);
		if (fits)
			k->brake = brake;
	}
	free(have);
	return fits ? 0 : diag_set(diag, "the rules of chain " RULES_BASE_CHAIN
				   " are not ours");
}

/* Learns what is in the kernel. What does not fit is damage, no failure. */
static int scan(struct kernel *k, struct diag *diag)
{
	struct edges found = { 0 };
	struct scan s = { .k = k, .edges = &found, .diag = &k->damage };
	int rc = table_exists(k, &k->present);

	k->damage.text[0] = '\0';
	if (rc == 0 && k->present)
		rc = read_names(&s);
	if (rc < 0) {
		edges_fini(&found);
		return diag_set(diag, "cannot read table inet " TXN_TABLE ": %s",
				strerror(-rc));
	}
	edges_fini(&k->edges);
	k->edges = found;
	s.edges = &k->edges;
	if (k->halfway)
		diag_set(&k->damage, "a change was refused when it was half done");
	if (!k->present || s.bad || k->halfway)
		return 0;
	if (!s.base)
		diag_set(&k->damage, "chain " RULES_BASE_CHAIN " is missing");
	else if (check_base(k, &k->damage) < 0)
		return 0;
	for (size_t i = 0; i < k->edges.n; i++) {
		if (k->damage.text[0] != '\0' || check_edge(&s, &k->edges.e[i]) < 0)
			break;
	}
	return 0;
}

/* ---- open, close ---- */

enum kernel_strategy kernel_strategy_for(const char *release, bool has_array_sets)
{
	unsigned int major = 0, minor = 0;

	/* Before the sorted array (7.0, and stable releases that took it back),
	 * a look-up that runs during a change can miss elements that are not
	 * being changed: honest packets would drop. */
	if (has_array_sets)
		return KERNEL_DELTA;
	if (sscanf(release, "%u.%u", &major, &minor) != 2)
		return KERNEL_SWAP;
	return major >= 7 ? KERNEL_DELTA : KERNEL_SWAP;
}

const char *kernel_strategy_name(enum kernel_strategy strategy)
{
	return strategy == KERNEL_DELTA ? "delta" : strategy == KERNEL_SWAP ? "swap" : "auto";
}

enum kernel_strategy kernel_strategy(const struct kernel *k)
{
	return k->strategy;
}

/* The names are readable by everybody, unlike the addresses. */
static bool has_array_sets(void)
{
	FILE *f = fopen("/proc/kallsyms", "re");
	char line[512];
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f))
		found = strstr(line, " nft_array_lookup_cmp") != NULL;
	if (f)
		fclose(f);
	return found;
}

static void choose_strategy(struct kernel *k)
{
	struct utsname u;

	k->strategy = k->options.strategy;
	if (k->strategy != KERNEL_AUTO)
		return;
	if (uname(&u) < 0)
		u.release[0] = '\0';
	k->strategy = kernel_strategy_for(u.release, has_array_sets());
}

static struct mnl_socket *open_socket(void)
{
	struct mnl_socket *nl = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	int bytes = RECEIVE_BYTES, on = 1;

	if (!nl)
		return NULL;
	if (mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0) {
		mnl_socket_close(nl);
		return NULL;
	}
	setsockopt(mnl_socket_get_fd(nl), SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes));
	/* Answers without a copy of the whole request, but with words. */
	mnl_socket_setsockopt(nl, NETLINK_CAP_ACK, &on, sizeof(on));
	mnl_socket_setsockopt(nl, NETLINK_EXT_ACK, &on, sizeof(on));
	return nl;
}

/* Tries a rule in a transaction that deletes what it makes: nobody sees it. */
static int probe(struct kernel *k, enum rules_part part, struct diag *diag)
{
	struct txn *t = txn_new();
	int rc;

	if (!k->present)
		put_table(t, NFT_MSG_NEWTABLE);
	put_chain(t, new_chain(), "probe");
	rules_put_probe(t, "probe", part);
	rules_flush(t, "probe");
	delete_chain(t, "probe");
	if (!k->present)
		put_table(t, NFT_MSG_DELTABLE);
	rc = commit(k, t, NULL, diag);
	txn_free(t);
	return rc;
}

static int probe_all(struct kernel *k, struct diag *diag)
{
	struct diag ignored;

	k->generation = ruleset_generation(k);
	if (table_exists(k, &k->present) < 0)
		return diag_set(diag, "cannot talk to nftables; is the kernel module "
				"nf_tables there, and has the agent CAP_NET_ADMIN?");
	if (probe(k, RULES_PART_ROUTE, diag) < 0)
		return -1;
	k->secpath = probe(k, RULES_PART_SECPATH, &ignored) == 0;
	if (k->options.sample_group != 0 && probe(k, RULES_PART_SAMPLE, &ignored) < 0)
		k->options.sample_group = 0;
	choose_strategy(k); /* now that the module is loaded */
	return 0;
}

static int open_all(struct kernel *k, struct diag *diag)
{
	k->nl = open_socket();
	if (!k->nl)
		return diag_set(diag, "cannot open a netfilter netlink socket: %s",
				strerror(errno));
	if (probe_all(k, diag) < 0 || scan(k, diag) < 0)
		return -1;
	k->others_changed = false;
	return 0;
}

struct kernel *kernel_open(const struct kernel_options *options, struct diag *diag)
{
	struct kernel *k = mem_alloc(sizeof(*k));
	int rc;

	k->options = *options;
	privileges(k, true);
	rc = open_all(k, diag);
	privileges(k, false);
	if (rc == 0)
		return k;
	kernel_close(k);
	return NULL;
}

void kernel_close(struct kernel *k)
{
	if (k->nl)
		mnl_socket_close(k->nl);
	edges_fini(&k->edges);
	free(k);
}

/* ---- apply ---- */

/* After a refusal that our book-keeping cannot explain, look again. */
static void doubt(struct kernel *k, int error, const struct diag *why)
{
	struct diag ignored;

	if (error != ENOENT && error != EEXIST && error != EBUSY && error != ENOTEMPTY &&
	    error != EPROTO)
		return;
	if (scan(k, &ignored) == 0 && k->damage.text[0] == '\0')
		k->damage = *why;
}

static void steps_begin(struct steps *s)
{
	s->prepare = txn_new();
	s->change = txn_new();
}

static void steps_end(struct steps *s)
{
	txn_free(s->prepare);
	txn_free(s->change);
}

static int steps_commit(struct kernel *k, const struct steps *s, int *error,
			struct diag *diag)
{
	if (commit(k, s->prepare, error, diag) < 0)
		return -1;
	if (commit(k, s->change, error, diag) == 0)
		return 0;
	k->halfway = !txn_is_empty(s->prepare);
	return -1;
}

static int apply(struct kernel *k, const struct kernel_change *changes, size_t n,
		 struct diag *diag)
{
	struct steps s;
	int error, rc;

	steps_begin(&s);
	if (!k->present)
		put_frame(k, s.prepare);
	for (size_t i = 0; i < n; i++)
		put_change(k, &s, &changes[i]);
	rc = steps_commit(k, &s, &error, diag);
	steps_end(&s);
	if (rc < 0) {
		doubt(k, error, diag);
		return rc;
	}
	k->present = true;
	for (size_t i = 0; i < n; i++)
		note_change(k, &changes[i]);
	return 0;
}

int kernel_apply(struct kernel *k, const struct kernel_change *changes, size_t n,
		 struct diag *diag)
{
	int rc;

	if (k->damage.text[0] != '\0')
		return diag_set(diag, "table inet " TXN_TABLE " was changed by somebody "
				"else: %s", k->damage.text);
	privileges(k, true);
	rc = apply(k, changes, n, diag);
	privileges(k, false);
	return rc;
}

static void put_everything(struct kernel *k, const struct steps *s,
			   const struct kernel_change *all, size_t n, struct edges *next)
{
	put_frame(k, s->prepare);
	for (size_t i = 0; i < n; i++) {
		const struct edge *was = edge_find(&k->edges, all[i].new->interface);
		struct edge *e = edge_get(next, all[i].new->interface);

		if (was)
			e->last = was->last;
		e->version = 1;
		if (all[i].connected)
			addrset_copy(&e->connected, all[i].connected);
		else if (was)
			addrset_copy(&e->connected, &was->connected);
		note_rules(e, all[i].new);
		create_edge(k, s, all[i].new, &e->connected, &e->last);
	}
}

static int rebuild(struct kernel *k, const struct kernel_change *all, size_t n,
		   struct diag *diag)
{
	struct edges next = { 0 };
	struct steps s;
	bool exists = false;
	int rc;

	steps_begin(&s);
	/* The latest numbers, if they are still there. */
	if (table_exists(k, &exists) == 0 && exists) {
		read_counters(k, &k->edges);
		put_table(s.prepare, NFT_MSG_DELTABLE);
	}
	/* Between the two steps nothing is filtered, rather than everything
	 * dropped; the second one is small and follows at once. */
	put_everything(k, &s, all, n, &next);
	rc = steps_commit(k, &s, NULL, diag);
	steps_end(&s);
	if (rc < 0) {
		edges_fini(&next);
		return rc;
	}
	edges_fini(&k->edges);
	k->edges = next;
	k->present = true;
	k->halfway = false;
	k->damage.text[0] = '\0';
	return 0;
}

int kernel_rebuild(struct kernel *k, const struct kernel_change *all, size_t n,
		   struct diag *diag)
{
	int rc;

	privileges(k, true);
	rc = rebuild(k, all, n, diag);
	privileges(k, false);
	return rc;
}

/* ---- read back ---- */

static int set_to_peers(const struct addrset *set, struct filter *out)
{
	struct ip_addr peers[FILTER_PEERS_MAX];
	size_t n = 0;

	for (enum ip_family family = 0; family < IP_FAMILIES; family++) {
		for (size_t i = 0; i < set->f[family].n; i++) {
			const struct ip_range *r = &set->f[family].r[i];

			size_t count = (size_t)(r->last - r->first) + 1;

			if (r->last - r->first >= FILTER_PEERS_MAX - n)
				return -EBADMSG;
			for (size_t j = 0; j < count; j++)
				peers[n++] = (struct ip_addr){ r->first + j, (uint8_t)family };
		}
	}
	filter_set_peers(out, peers, n);
	return 0;
}

static int read_sets(const struct kernel *k, const struct edge *e, struct filter *out,
		     struct diag *diag)
{
	struct addrset peers = { 0 }, connected = { 0 };
	int rc = read_set(k, RULES_ACCEPT, e, &out->accept);

	if (rc == 0)
		rc = read_set(k, RULES_PEER, e, &peers);
	if (rc == 0)
		rc = set_to_peers(&peers, out);
	if (rc == 0)
		rc = read_set(k, RULES_CONNECTED, e, &connected);
	if (rc < 0)
		diag_set(diag, "cannot read the sets of edge %s: %s", e->interface,
			 strerror(-rc));
	else if (!addrset_equal(&connected, &e->connected))
		rc = diag_set(diag, "the connected subnets of edge %s are not ours",
			      e->interface);
	addrset_fini(&peers);
	addrset_fini(&connected);
	return rc < 0 ? -1 : 0;
}

static int read_edge(const struct kernel *k, const struct edge *e, struct filter *out,
		     struct diag *diag)
{
	char comment[RULES_COMMENT_SIZE], again[RULES_COMMENT_SIZE];

	snprintf(out->interface, sizeof(out->interface), "%s", e->interface);
	if (read_rules(k, e, &out->action, comment, diag) < 0 ||
	    read_sets(k, e, out, diag) < 0)
		return -1;
	if (sscanf(comment, "generation %" SCNu64, &out->generation) != 1)
		out->generation = 0;
	format_comment(out, again);
	if (strcmp(comment, again) != 0)
		return diag_set(diag, "the sets of edge %s are not what its rules were made "
				"for", e->interface);
	return 0;
}

int kernel_read(struct kernel *k, const char *interface, struct filter *out,
		struct diag *diag)
{
	const struct edge *e = edge_find(&k->edges, interface);
	struct filter f = { 0 };
	int rc;

	if (k->damage.text[0] != '\0') {
		*diag = k->damage;
		return -1;
	}
	if (!e)
		return 0;
	privileges(k, true);
	rc = read_edge(k, e, &f, diag);
	privileges(k, false);
	if (rc < 0) {
		filter_fini(&f);
		return -1;
	}
	filter_fini(out);
	*out = f;
	return 1;
}

static bool same_edge(const struct edge *a, const struct edge *b)
{
	return a->action == b->action && strcmp(a->comment, b->comment) == 0 &&
	       addrset_equal(&a->connected, &b->connected);
}

/* What was known, held against what a new scan has found. */
static void compare(struct kernel *k, const struct edges *known, bool was_present,
		    bool was_braked)
{
	if (was_present && !k->present) {
		diag_set(&k->damage, "table inet " TXN_TABLE " was deleted");
	} else if (was_braked != k->brake) {
		diag_set(&k->damage, "the rules of chain " RULES_BASE_CHAIN " are not ours");
	} else if (known->n != k->edges.n) {
		diag_set(&k->damage, "there are %zu edges instead of %zu", k->edges.n,
			 known->n);
	}
	for (size_t i = 0; i < known->n && k->damage.text[0] == '\0'; i++) {
		const struct edge *e = edge_find(&k->edges, known->e[i].interface);

		if (!e || !same_edge(e, &known->e[i]))
			diag_set(&k->damage, "edge %s is not as it was left",
				 known->e[i].interface);
	}
}

int kernel_check(struct kernel *k, struct diag *diag)
{
	struct edges known = k->edges;
	bool was_present = k->present, was_braked = k->brake;
	int rc;

	k->edges = (struct edges){ 0 };
	privileges(k, true);
	rc = scan(k, diag);
	privileges(k, false);
	if (rc == 0 && k->damage.text[0] == '\0')
		compare(k, &known, was_present, was_braked);
	k->brake = was_braked;
	if (rc == 0 && k->damage.text[0] == '\0') {
		edges_fini(&known);
		return 0;
	}
	/* For kernel_rebuild(): counters and subnets as last known. */
	edges_fini(&k->edges);
	k->edges = known;
	if (rc == 0)
		*diag = k->damage;
	return -1;
}

size_t kernel_edges(struct kernel *k, char (**names)[FILTER_IFNAME_SIZE])
{
	*names = mem_calloc(k->edges.n, sizeof(**names));
	for (size_t i = 0; i < k->edges.n; i++)
		memcpy((*names)[i], k->edges.e[i].interface, FILTER_IFNAME_SIZE);
	return k->edges.n;
}

int kernel_counters(struct kernel *k, struct kernel_counters **out, size_t *n,
		    struct diag *diag)
{
	int rc = 0;

	*out = NULL;
	*n = 0;
	privileges(k, true);
	if (k->present)
		rc = read_counters(k, &k->edges);
	privileges(k, false);
	if (rc < 0)
		return diag_set(diag, "cannot read the counters: %s", strerror(-rc));
	*out = mem_calloc(k->edges.n, sizeof(**out));
	*n = k->edges.n;
	for (size_t i = 0; i < *n; i++)
		(*out)[i] = k->edges.e[i].last;
	return 0;
}

/* ---- brake, release ---- */

static int brake(struct kernel *k, bool on, struct diag *diag)
{
	const struct rules_base base = { on, k->secpath };
	struct txn *t = txn_new();
	int error, rc;

	rules_flush(t, RULES_BASE_CHAIN);
	rules_put_base(t, &base);
	rc = commit(k, t, &error, diag);
	txn_free(t);
	if (rc < 0)
		doubt(k, error, diag);
	return rc;
}

int kernel_brake(struct kernel *k, bool on, struct diag *diag)
{
	int rc = 0;

	if (k->brake == on)
		return 0;
	if (k->damage.text[0] != '\0')
		return diag_set(diag, "table inet " TXN_TABLE " was changed by somebody "
				"else: %s", k->damage.text);
	privileges(k, true);
	if (k->present)
		rc = brake(k, on, diag);
	privileges(k, false);
	if (rc == 0)
		k->brake = on;
	return rc;
}

bool kernel_brake_is_on(const struct kernel *k)
{
	return k->brake;
}

int kernel_release(struct kernel *k, struct diag *diag)
{
	struct txn *t = txn_new();
	bool exists = false;
	int rc = 0;

	privileges(k, true);
	table_exists(k, &exists);
	if (exists) {
		put_table(t, NFT_MSG_DELTABLE);
		rc = commit(k, t, NULL, diag);
	}
	privileges(k, false);
	txn_free(t);
	if (rc < 0)
		return rc;
	edges_fini(&k->edges);
	k->present = false;
	k->brake = false;
	k->halfway = false;
	k->damage.text[0] = '\0';
	return 0;
}
