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
#include "lib/mem.h"

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

/* Where the accepted addresses are, as the edge's rules need it. */
void change_rules(const struct kernel *k, const struct edge *e, struct rules_edge *r)
{
	*r = (struct rules_edge){ .interface = e->interface,
				  .others = e->others,
				  .action = e->action,
				  .sample_group = k->options.sample_group };
	for (enum ip_family family = 0; family < IP_FAMILIES; family++) {
		const struct parts *ps = &e->parts[family];

		r->accept[family] = (struct rules_accept){ ps->shape, ps->map,
							   ps->map ? 0 : ps->p[0].set };
	}
}

static void put_edge_rules(const struct kernel *k, struct txn *t, const struct edge *e)
{
	struct rules_edge r;

	change_rules(k, e, &r);
	r.comment = e->comment;
	rules_put_edge(t, &r);
}

/* ---- the accepted addresses ---- */

static enum rules_object list_of(const struct parts *ps)
{
	return ps->shape == KERNEL_SHAPE_DROP ? RULES_DROP : RULES_ACCEPT;
}

static void create_set(struct txn *t, const char *interface, enum ip_family family,
		       enum rules_object set, uint64_t version,
		       const struct rangeset *contents)
{
	char name[TXN_NAME_SIZE];

	rules_name(set, family, interface, version, name);
	elems_create_set(t, name, family);
	elems_add(t, name, family, contents);
}

static void delete_set(struct txn *t, const char *interface, enum ip_family family,
		       enum rules_object set, uint64_t version)
{
	char name[TXN_NAME_SIZE];

	rules_name(set, family, interface, version, name);
	elems_delete_set(t, name);
}

static void create_part(struct txn *t, const char *interface, enum ip_family family,
			const struct parts *ps, size_t i, const struct rangeset *accept)
{
	struct rangeset contents = { 0 };

	parts_slice(ps, i, family, accept, &contents);
	create_set(t, interface, family, list_of(ps), ps->p[i].set, &contents);
	rangeset_fini(&contents);
}

/* The map and the chains of a divided list. */
static void create_split(struct txn *t, const char *interface, enum ip_family family,
			 const struct parts *ps)
{
	struct elems_part *to = mem_calloc(ps->n, sizeof(*to));
	char name[TXN_NAME_SIZE];

	for (size_t i = 0; i < ps->n; i++) {
		to[i].first = ps->p[i].first;
		rules_name(RULES_PART, family, interface, ps->p[i].chain, to[i].chain);
		put_chain(t, new_chain(), to[i].chain);
		rules_put_part(t, interface, family, ps->shape, &ps->p[i]);
	}
	rules_name(RULES_SPLIT, family, interface, ps->map, name);
	elems_create_split(t, name, family, to, ps->n);
	free(to);
}

static size_t part_ranges(const struct kernel *k)
{
	return k->options.part_ranges ? k->options.part_ranges : PARTS_RANGES;
}

static enum kernel_shape choose_shape(const struct kernel *k,
				      const struct rangeset *accept,
				      enum ip_family family, enum kernel_shape now)
{
	return k->options.shape != KERNEL_SHAPE_AUTO ? k->options.shape
						     : parts_choose(accept, family, now);
}

/* A new list; no packet looks at it before the edge's rules do. */
static void create_list(const struct kernel *k, struct txn *t, enum ip_family family,
			enum kernel_shape shape, const struct rangeset *accept,
			struct edge *next)
{
	struct parts *ps = &next->parts[family];

	parts_fini(ps);
	parts_plan(ps, shape, accept, part_ranges(k), &next->version);
	for (size_t i = 0; i < ps->n; i++)
		create_part(t, next->interface, family, ps, i, accept);
	if (ps->map)
		create_split(t, next->interface, family, ps);
}

static void delete_list(struct txn *t, const char *interface, enum ip_family family,
			const struct parts *ps)
{
	char name[TXN_NAME_SIZE];

	if (ps->map)
		delete_set(t, interface, family, RULES_SPLIT, ps->map);
	for (size_t i = 0; i < ps->n; i++) {
		if (ps->map) {
			rules_name(RULES_PART, family, interface, ps->p[i].chain, name);
			rules_flush(t, name);
			delete_chain(t, name);
		}
		delete_set(t, interface, family, list_of(ps), ps->p[i].set);
	}
}

/* ---- the other sets ---- */

static void create_others(struct txn *t, const struct filter *f, struct edge *next)
{
	struct addrset peers = { 0 };

	next->others = ++next->version;
	peers_to_set(f, &peers);
	for (enum ip_family family = 0; family < IP_FAMILIES; family++) {
		create_set(t, next->interface, family, RULES_CONNECTED, next->others,
			   &next->connected.f[family]);
		create_set(t, next->interface, family, RULES_PEER, next->others,
			   &peers.f[family]);
	}
	addrset_fini(&peers);
}

static void delete_others(struct txn *t, const struct edge *e)
{
	for (enum ip_family family = 0; family < IP_FAMILIES; family++) {
		delete_set(t, e->interface, family, RULES_CONNECTED, e->others);
		delete_set(t, e->interface, family, RULES_PEER, e->others);
	}
}

static void delta_set(struct txn *t, enum rules_object set, const struct edge *e,
		      const struct addrset *old, const struct addrset *new)
{
	char name[TXN_NAME_SIZE];

	for (enum ip_family family = 0; family < IP_FAMILIES; family++) {
		rules_name(set, family, e->interface, e->others, name);
		elems_delta(t, name, family, &old->f[family], &new->f[family]);
	}
}

static void delta_others(struct txn *t, const struct edge *e, const struct edge *next,
			 const struct kernel_change *c)
{
	struct addrset old_peers = { 0 }, new_peers = { 0 };

	peers_to_set(c->old, &old_peers);
	peers_to_set(c->new, &new_peers);
	delta_set(t, RULES_PEER, e, &old_peers, &new_peers);
	delta_set(t, RULES_CONNECTED, e, &e->connected, &next->connected);
	addrset_fini(&old_peers);
	addrset_fini(&new_peers);
}

/* ---- edges ---- */

static void note_rules(struct edge *next, const struct filter *f)
{
	next->action = f->action;
	change_comment(f, next->comment);
}

void change_create_edge(const struct kernel *k, const struct steps *s,
			const struct filter *f, struct edge *next)
{
	char chain[TXN_NAME_SIZE];

	note_rules(next, f);
	rules_chain_name(f->interface, chain);
	put_chain(s->prepare, new_chain(), chain);
	put_counters(s->prepare, &next->last);
	for (enum ip_family family = 0; family < IP_FAMILIES; family++) {
		const struct rangeset *accept = &f->accept.f[family];

		create_list(k, s->prepare, family,
			    choose_shape(k, accept, family, KERNEL_SHAPE_AUTO), accept,
			    next);
	}
	create_others(s->prepare, f, next);
	put_edge_rules(k, s->prepare, next);
	elems_map_add(s->change, RULES_MAP, f->interface, chain);
}

static void remove_edge(struct txn *t, const struct edge *e)
{
	char name[TXN_NAME_SIZE];

	elems_map_delete(t, RULES_MAP, e->interface);
	rules_chain_name(e->interface, name);
	rules_flush(t, name);
	delete_chain(t, name);
	for (enum ip_family family = 0; family < IP_FAMILIES; family++)
		delete_list(t, e->interface, family, &e->parts[family]);
	delete_others(t, e);
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

/* One edge on its way from e to next. */
struct edit {
	const struct kernel *k;
	const struct steps *s;
	struct txn *delta; /* changes of live sets */
	const struct edge *e;
	struct edge *next;
	const struct kernel_change *c;
};

/* A part whose contents change, in place or by a fresh set. */
static void edit_part(const struct edit *d, enum ip_family family, size_t i)
{
	const struct rangeset *old = &d->c->old->accept.f[family],
			      *new = &d->c->new->accept.f[family];
	struct parts *ps = &d->next->parts[family];
	struct rangeset was = { 0 }, is = { 0 };
	char name[TXN_NAME_SIZE];

	ps->p[i].unread = true;
	if (d->k->strategy == KERNEL_SWAP) {
		ps->p[i].set = ++d->next->version;
		create_part(d->s->prepare, d->e->interface, family, ps, i, new);
		if (!ps->map)
			return; /* the edge's rules point to it */
		rules_name(RULES_PART, family, d->e->interface, ps->p[i].chain, name);
		rules_flush(d->s->change, name);
		rules_put_part(d->s->change, d->e->interface, family, ps->shape,
			       &ps->p[i]);
		return;
	}
	parts_slice(ps, i, family, old, &was);
	parts_slice(ps, i, family, new, &is);
	rules_name(list_of(ps), family, d->e->interface, ps->p[i].set, name);
	elems_delta(d->delta, name, family, &was, &is);
	rangeset_fini(&was);
	rangeset_fini(&is);
}

static void edit_list(const struct edit *d, enum ip_family family)
{
	const struct rangeset *new = &d->c->new->accept.f[family];
	struct parts *ps = &d->next->parts[family];
	enum kernel_shape shape = choose_shape(d->k, new, family, ps->shape);

	/* A fresh list too where nobody knows what is in the present one. */
	if (!d->c->old || shape != ps->shape ||
	    !parts_fit(ps, family, new, part_ranges(d->k))) {
		create_list(d->k, d->s->prepare, family, shape, new, d->next);
		return;
	}
	for (size_t i = 0; i < ps->n; i++) {
		if (parts_differ(ps, i, family, &d->c->old->accept.f[family], new))
			edit_part(d, family, i);
	}
}

static void edit_others(const struct edit *d)
{
	bool same = d->c->old && same_peers(d->c->old, d->c->new) &&
		    addrset_equal(&d->e->connected, &d->next->connected);

	if (same)
		return;
	if (!d->c->old || d->k->strategy == KERNEL_SWAP)
		create_others(d->s->prepare, d->c->new, d->next);
	else
		delta_others(d->delta, d->e, d->next, d->c);
}

/* What next no longer has. */
static void delete_rest(const struct edit *d)
{
	for (enum ip_family family = 0; family < IP_FAMILIES; family++) {
		const struct parts *was = &d->e->parts[family],
				   *is = &d->next->parts[family];

		/* a divided list keeps its map, an undivided one its bounds */
		if (was->shape != is->shape || was->map != is->map || was->n != is->n ||
		    !d->c->old) {
			delete_list(d->s->change, d->e->interface, family, was);
			continue;
		}
		for (size_t i = 0; i < was->n; i++) {
			if (was->p[i].set != is->p[i].set)
				delete_set(d->s->change, d->e->interface, family,
					   list_of(was), was->p[i].set);
		}
	}
	if (d->e->others != d->next->others)
		delete_others(d->s->change, d->e);
}

static bool same_rules(const struct edge *a, const struct edge *b)
{
	for (enum ip_family family = 0; family < IP_FAMILIES; family++) {
		const struct parts *x = &a->parts[family], *y = &b->parts[family];

		if (x->shape != y->shape || x->map != y->map ||
		    (!x->map && x->p[0].set != y->p[0].set))
			return false;
	}
	return a->others == b->others && a->action == b->action &&
	       strcmp(a->comment, b->comment) == 0;
}

static void change_edge(const struct edit *d)
{
	char chain[TXN_NAME_SIZE];

	if (d->c->connected)
		addrset_copy(&d->next->connected, d->c->connected);
	for (enum ip_family family = 0; family < IP_FAMILIES; family++)
		edit_list(d, family);
	edit_others(d);
	note_rules(d->next, d->c->new);
	if (!same_rules(d->e, d->next)) {
		rules_chain_name(d->e->interface, chain);
		rules_flush(d->s->change, chain);
		put_edge_rules(d->k, d->s->change, d->next);
	}
	delete_rest(d);
}

void change_put(const struct kernel *k, const struct steps *s,
		const struct kernel_change *c, struct edge *next)
{
	const char *interface = c->new ? c->new->interface : c->old->interface;
	const struct edge *e = edges_find(&k->edges, interface);
	struct edit d = { .k = k, .s = s, .e = e, .next = next, .c = c };

	if (e && c->new) {
		edge_copy(next, e);
		/* Before a stricter action, what it is to accept must be there. */
		d.delta = c->old && c->new->action > c->old->action ? s->prepare
								    : s->change;
		change_edge(&d);
	} else if (e) {
		remove_edge(s->change, e);
	} else if (c->new) {
		snprintf(next->interface, sizeof(next->interface), "%s", interface);
		memcpy(next->last.interface, next->interface, FILTER_IFNAME_SIZE);
		if (c->connected)
			addrset_copy(&next->connected, c->connected);
		change_create_edge(k, s, c->new, next);
	}
}

void change_put_probe(struct txn *t, enum rules_part part)
{
	put_chain(t, new_chain(), "probe");
	rules_put_probe(t, "probe", part);
	rules_flush(t, "probe");
	delete_chain(t, "probe");
}
