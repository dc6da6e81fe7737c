/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/nft_elems.h"

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include <libnftnl/set.h>
#include <libnftnl/udata.h>

#include "lib/mem.h"

/* How nft(8) prints keys; the kernel only stores the number. */
#define TYPE_IPV4_ADDR 7
#define TYPE_IPV6_ADDR 8
#define TYPE_IFNAME    41

/* 1000 elements of 40 bytes: far below the 64 KiB of one attribute. */
#define RANGES_PER_MESSAGE 500

static void put_set(struct txn *t, uint16_t type, uint16_t flags, const char *verb,
		    struct nftnl_set *s)
{
	const char *name = nftnl_set_get_str(s, NFTNL_SET_NAME);
	struct nlmsghdr *nlh = txn_get(t, type, flags, verb, name);

	nftnl_set_nlmsg_build_payload(nlh, s);
	txn_put(t);
	nftnl_set_free(s);
}

static struct nftnl_set *set_named(const char *name)
{
	struct nftnl_set *s = nftnl_set_alloc();

	if (!s)
		abort();
	nftnl_set_set_str(s, NFTNL_SET_TABLE, TXN_TABLE);
	nftnl_set_set_str(s, NFTNL_SET_NAME, name);
	nftnl_set_set_u32(s, NFTNL_SET_FAMILY, NFPROTO_INET);
	return s;
}

static struct nftnl_set *interval_set(const char *name, enum ip_family family,
				      uint32_t flags)
{
	static uint32_t id; /* unique in a transaction is enough */
	struct nftnl_set *s = set_named(name);

	nftnl_set_set_u32(s, NFTNL_SET_KEY_TYPE,
			  family == IP_V4 ? TYPE_IPV4_ADDR : TYPE_IPV6_ADDR);
	nftnl_set_set_u32(s, NFTNL_SET_KEY_LEN, ip_bytes(family));
	nftnl_set_set_u32(s, NFTNL_SET_FLAGS, NFT_SET_INTERVAL | flags);
	nftnl_set_set_u32(s, NFTNL_SET_ID, ++id);
	return s;
}

void elems_create_set(struct txn *t, const char *set, enum ip_family family)
{
	put_set(t, NFT_MSG_NEWSET, NLM_F_CREATE | NLM_F_EXCL, "create set",
		interval_set(set, family, 0));
}

/* Without this nft(8) prints the interface names as "". */
static void print_names(struct nftnl_set *s)
{
	const uint32_t host_endian = 1; /* nft's enum byteorder */
	struct nftnl_udata_buf *buf = nftnl_udata_buf_alloc(NFT_USERDATA_MAXLEN);

	if (!buf || !nftnl_udata_put_u32(buf, NFTNL_UDATA_SET_KEYBYTEORDER, host_endian))
		abort();
	nftnl_set_set_data(s, NFTNL_SET_USERDATA, nftnl_udata_buf_data(buf),
			   nftnl_udata_buf_len(buf));
	nftnl_udata_buf_free(buf);
}

void elems_create_map(struct txn *t, const char *map)
{
	struct nftnl_set *s = set_named(map);

	nftnl_set_set_u32(s, NFTNL_SET_KEY_TYPE, TYPE_IFNAME);
	nftnl_set_set_u32(s, NFTNL_SET_KEY_LEN, IFNAMSIZ);
	nftnl_set_set_u32(s, NFTNL_SET_DATA_TYPE, NFT_DATA_VERDICT);
	nftnl_set_set_u32(s, NFTNL_SET_FLAGS, NFT_SET_MAP);
	nftnl_set_set_u32(s, NFTNL_SET_ID, 0x7fffffff);
	print_names(s);
	put_set(t, NFT_MSG_NEWSET, NLM_F_CREATE | NLM_F_EXCL, "create map", s);
}

void elems_delete_set(struct txn *t, const char *set)
{
	put_set(t, NFT_MSG_DELSET, 0, "delete set", set_named(set));
}

/* Elements are written by hand: a million of them need no objects. */
struct chunk {
	struct txn *t;
	uint16_t type;
	const char *verb, *set;
	enum ip_family family;
	struct nlmsghdr *nlh;
	struct nlattr *list;
	size_t ranges;
};

static void chunk_open(struct chunk *c)
{
	uint16_t flags = c->type == NFT_MSG_NEWSETELEM ? NLM_F_CREATE | NLM_F_EXCL : 0;

	c->nlh = txn_get(c->t, c->type, flags, c->verb, c->set);
	mnl_attr_put_strz(c->nlh, NFTA_SET_ELEM_LIST_TABLE, TXN_TABLE);
	mnl_attr_put_strz(c->nlh, NFTA_SET_ELEM_LIST_SET, c->set);
	c->list = mnl_attr_nest_start(c->nlh, NFTA_SET_ELEM_LIST_ELEMENTS);
	c->ranges = 0;
}

static void chunk_close(struct chunk *c)
{
	if (!c->nlh)
		return;
	mnl_attr_nest_end(c->nlh, c->list);
	txn_put(c->t);
	c->nlh = NULL;
}

static void put_key(struct nlmsghdr *nlh, const void *key, size_t len)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, NFTA_SET_ELEM_KEY);

	mnl_attr_put(nlh, NFTA_DATA_VALUE, len, key);
	mnl_attr_nest_end(nlh, nest);
}

static void put_verdict(struct nlmsghdr *nlh, const char *chain)
{
	struct nlattr *data = mnl_attr_nest_start(nlh, NFTA_SET_ELEM_DATA);
	struct nlattr *verdict = mnl_attr_nest_start(nlh, NFTA_DATA_VERDICT);

	mnl_attr_put_u32(nlh, NFTA_VERDICT_CODE, htonl((uint32_t)NFT_JUMP));
	mnl_attr_put_strz(nlh, NFTA_VERDICT_CHAIN, chain);
	mnl_attr_nest_end(nlh, verdict);
	mnl_attr_nest_end(nlh, data);
}

/* chain: where a map's range leads, NULL in a set and at an end. */
static void put_key_of(struct chunk *c, u128 v, bool is_end, const char *chain)
{
	struct nlattr *nest = mnl_attr_nest_start(c->nlh, NFTA_LIST_ELEM);
	uint8_t raw[16];

	ip_to_bytes(v, c->family, raw);
	put_key(c->nlh, raw, ip_bytes(c->family));
	if (chain)
		put_verdict(c->nlh, chain);
	if (is_end)
		mnl_attr_put_u32(c->nlh, NFTA_SET_ELEM_FLAGS,
				 htonl(NFT_SET_ELEM_INTERVAL_END));
	mnl_attr_nest_end(c->nlh, nest);
}

static void put_bound(struct chunk *c, u128 v, bool is_end)
{
	put_key_of(c, v, is_end, NULL);
}

static void put_range(struct chunk *c, const struct ip_range *r)
{
	if (!c->nlh)
		chunk_open(c);
	put_bound(c, r->first, false);
	if (r->last != ip_max(c->family))
		put_bound(c, r->last + 1, true);
	if (++c->ranges == RANGES_PER_MESSAGE)
		chunk_close(c);
}

void elems_add(struct txn *t, const char *set, enum ip_family family,
	       const struct rangeset *ranges)
{
	static const struct rangeset none;

	elems_delta(t, set, family, &none, ranges);
}

static bool same(const struct ip_range *a, const struct ip_range *b)
{
	return a->first == b->first && a->last == b->last;
}

/* The ranges of one that are not, as they are, in the other. */
static void put_difference(struct chunk *c, const struct rangeset *one,
			   const struct rangeset *other)
{
	size_t j = 0;

	for (size_t i = 0; i < one->n; i++) {
		while (j < other->n && other->r[j].first < one->r[i].first)
			j++;
		if (j == other->n || !same(&one->r[i], &other->r[j]))
			put_range(c, &one->r[i]);
	}
	chunk_close(c);
}

void elems_delta(struct txn *t, const char *set, enum ip_family family,
		 const struct rangeset *old, const struct rangeset *new)
{
	struct chunk del = { .t = t,
			     .type = NFT_MSG_DELSETELEM,
			     .set = set,
			     .verb = "delete elements of set",
			     .family = family };
	struct chunk add = { .t = t,
			     .type = NFT_MSG_NEWSETELEM,
			     .set = set,
			     .verb = "add elements to set",
			     .family = family };

	/* First everything out, then in: a bound may be in both. */
	put_difference(&del, old, new);
	put_difference(&add, new, old);
}

#define PARTS_PER_MESSAGE 200 /* of some 100 bytes */

void elems_create_split(struct txn *t, const char *map, enum ip_family family,
			const struct elems_part *parts, size_t n)
{
	struct nftnl_set *s = interval_set(map, family, NFT_SET_MAP);
	struct chunk c = { .t = t,
			   .type = NFT_MSG_NEWSETELEM,
			   .set = map,
			   .verb = "add elements to map",
			   .family = family };

	nftnl_set_set_u32(s, NFTNL_SET_DATA_TYPE, NFT_DATA_VERDICT);
	put_set(t, NFT_MSG_NEWSET, NLM_F_CREATE | NLM_F_EXCL, "create map", s);
	for (size_t i = 0; i < n; i++) {
		if (!c.nlh)
			chunk_open(&c);
		put_key_of(&c, parts[i].first, false, parts[i].chain);
		if (i + 1 < n)
			put_bound(&c, parts[i + 1].first, true);
		if (++c.ranges == PARTS_PER_MESSAGE)
			chunk_close(&c);
	}
	chunk_close(&c);
}

static void put_interface(struct nlmsghdr *nlh, const char *interface)
{
	char key[IFNAMSIZ] = { 0 };

	memcpy(key, interface, strnlen(interface, sizeof(key) - 1));
	put_key(nlh, key, sizeof(key));
}

void elems_map_add(struct txn *t, const char *map, const char *interface,
		   const char *chain)
{
	struct chunk c = { .t = t,
			   .type = NFT_MSG_NEWSETELEM,
			   .set = map,
			   .verb = "add an interface to map" };
	struct nlattr *elem;

	chunk_open(&c);
	elem = mnl_attr_nest_start(c.nlh, NFTA_LIST_ELEM);
	put_interface(c.nlh, interface);
	put_verdict(c.nlh, chain);
	mnl_attr_nest_end(c.nlh, elem);
	chunk_close(&c);
}

void elems_map_delete(struct txn *t, const char *map, const char *interface)
{
	struct chunk c = { .t = t,
			   .type = NFT_MSG_DELSETELEM,
			   .set = map,
			   .verb = "delete an interface from map" };
	struct nlattr *elem;

	chunk_open(&c);
	elem = mnl_attr_nest_start(c.nlh, NFTA_LIST_ELEM);
	put_interface(c.nlh, interface);
	mnl_attr_nest_end(c.nlh, elem);
	chunk_close(&c);
}

/* ---- reading ---- */

struct elem {
	const uint8_t *key;
	size_t key_len;
	uint32_t flags;
	const char *chain;
};

static const struct nlattr *nested(const struct nlattr *attr, uint16_t type)
{
	const struct nlattr *inner;

	mnl_attr_for_each_nested(inner, attr)
	{
		if (mnl_attr_get_type(inner) == type)
			return inner;
	}
	return NULL;
}

static void parse_elem(const struct nlattr *attr, struct elem *e)
{
	const struct nlattr *field, *value;

	*e = (struct elem){ 0 };
	mnl_attr_for_each_nested(field, attr)
	{
		switch (mnl_attr_get_type(field)) {
		case NFTA_SET_ELEM_KEY:
			value = nested(field, NFTA_DATA_VALUE);
			if (value) {
				e->key = mnl_attr_get_payload(value);
				e->key_len = mnl_attr_get_payload_len(value);
			}
			break;
		case NFTA_SET_ELEM_FLAGS:
			e->flags = ntohl(mnl_attr_get_u32(field));
			break;
		case NFTA_SET_ELEM_DATA:
			value = nested(field, NFTA_DATA_VERDICT);
			value = value ? nested(value, NFTA_VERDICT_CHAIN) : NULL;
			if (value)
				e->chain = mnl_attr_get_str(value);
			break;
		}
	}
}

typedef int elem_fn(const struct elem *e, void *arg);

static int each_elem(const struct nlmsghdr *nlh, elem_fn *fn, void *arg)
{
	const struct nlattr *attr, *one;
	struct elem e;
	int rc = 0;

	mnl_attr_for_each(attr, nlh, sizeof(struct nfgenmsg))
	{
		if (mnl_attr_get_type(attr) != NFTA_SET_ELEM_LIST_ELEMENTS)
			continue;
		mnl_attr_for_each_nested(one, attr)
		{
			parse_elem(one, &e);
			rc = e.key ? fn(&e, arg) : -EBADMSG;
			if (rc < 0)
				return rc;
		}
	}
	return rc;
}

static int ask_elems(struct mnl_socket *nl, const char *set, txn_answer_fn *fn, void *arg)
{
	char buf[TXN_QUERY_BYTES];
	struct nlmsghdr *nlh = txn_query(buf, NFT_MSG_GETSETELEM, NLM_F_DUMP);

	mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_TABLE, TXN_TABLE);
	mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_SET, set);
	return txn_ask(nl, nlh, fn, arg);
}

struct bound {
	u128 v;
	bool is_end;
};

struct bounds {
	enum ip_family family;
	struct bound *b;
	size_t n, cap;
};

static int add_bound(const struct elem *e, void *arg)
{
	struct bounds *bs = arg;
	struct bound b = { .is_end = e->flags & NFT_SET_ELEM_INTERVAL_END };

	if (e->key_len != ip_bytes(bs->family))
		return -EBADMSG;
	b.v = ip_from_bytes(e->key, bs->family);
	if (bs->n == bs->cap) {
		bs->cap = bs->cap * 2 + 64;
		bs->b = mem_realloc(bs->b, bs->cap, sizeof(*bs->b));
	}
	bs->b[bs->n++] = b;
	return 0;
}

static int bounds_answer(const struct nlmsghdr *nlh, void *arg)
{
	struct bounds *bs = arg;

	if (!nlh) {
		bs->n = 0;
		return 0;
	}
	return each_elem(nlh, add_bound, bs);
}

/* An end before the start that has the same value: ranges that touch. */
static int by_value(const void *a, const void *b)
{
	const struct bound *x = a, *y = b;

	if (x->v != y->v)
		return x->v < y->v ? -1 : 1;
	return (int)y->is_end - (int)x->is_end;
}

static bool in_order(const struct bounds *bs)
{
	for (size_t i = 1; i < bs->n; i++) {
		if (by_value(&bs->b[i - 1], &bs->b[i]) > 0)
			return false;
	}
	return true;
}

static int pair_up(struct bounds *bs, struct rangeset *out)
{
	bool open = false;
	u128 first = 0;

	if (!in_order(bs))
		qsort(bs->b, bs->n, sizeof(*bs->b), by_value);
	for (size_t i = 0; i < bs->n; i++) {
		const struct bound *b = &bs->b[i];

		if (b->is_end != open)
			return -EBADMSG;
		if (open)
			rangeset_append(out, first, b->v - 1);
		first = b->v;
		open = !open;
	}
	if (open)
		rangeset_append(out, first, ip_max(bs->family));
	rangeset_normalize(out);
	return 0;
}

int elems_read(struct mnl_socket *nl, const char *set, enum ip_family family,
	       struct rangeset *out)
{
	struct bounds bs = { .family = family };
	int rc;

	rangeset_fini(out);
	rc = ask_elems(nl, set, bounds_answer, &bs);
	if (rc == 0)
		rc = pair_up(&bs, out);
	free(bs.b);
	return rc;
}

struct split {
	enum ip_family family;
	struct bounds ends;
	struct elems_part *p;
	size_t n, cap;
};

static int add_split(const struct elem *e, void *arg)
{
	struct split *s = arg;

	if (e->flags & NFT_SET_ELEM_INTERVAL_END)
		return add_bound(e, &s->ends);
	if (e->key_len != ip_bytes(s->family) || !e->chain ||
	    strlen(e->chain) >= TXN_NAME_SIZE)
		return -EBADMSG;
	if (s->n == s->cap) {
		s->cap = s->cap * 2 + 64;
		s->p = mem_realloc(s->p, s->cap, sizeof(*s->p));
	}
	s->p[s->n].first = ip_from_bytes(e->key, s->family);
	strcpy(s->p[s->n++].chain, e->chain);
	return 0;
}

static int split_answer(const struct nlmsghdr *nlh, void *arg)
{
	struct split *s = arg;

	if (!nlh) {
		s->n = s->ends.n = 0;
		return 0;
	}
	return each_elem(nlh, add_split, s);
}

static int by_first(const void *a, const void *b)
{
	const struct elems_part *x = a, *y = b;

	return x->first < y->first ? -1 : x->first > y->first;
}

static bool is_split(struct split *s)
{
	if (s->n == 0 || s->ends.n != s->n - 1)
		return false;
	qsort(s->p, s->n, sizeof(*s->p), by_first);
	if (s->ends.n != 0)
		qsort(s->ends.b, s->ends.n, sizeof(*s->ends.b), by_value);
	for (size_t i = 0; i < s->ends.n; i++) {
		if (s->ends.b[i].v != s->p[i + 1].first)
			return false;
	}
	return s->p[0].first == 0;
}

int elems_split_read(struct mnl_socket *nl, const char *map, enum ip_family family,
		     struct elems_part **parts, size_t *n)
{
	struct split s = { .family = family, .ends = { .family = family } };
	int rc = ask_elems(nl, map, split_answer, &s);

	if (rc == 0 && !is_split(&s))
		rc = -EBADMSG;
	free(s.ends.b);
	if (rc < 0) {
		free(s.p);
		return rc;
	}
	*parts = s.p;
	*n = s.n;
	return 0;
}

struct pair {
	char interface[IFNAMSIZ], chain[TXN_NAME_SIZE];
};

struct pairs {
	struct pair *p;
	size_t n, cap;
};

static int add_pair(const struct elem *e, void *arg)
{
	struct pairs *ps = arg;
	struct pair *p;

	if (e->key_len != IFNAMSIZ || !e->chain || e->key[IFNAMSIZ - 1] != 0 ||
	    strlen(e->chain) >= TXN_NAME_SIZE)
		return -EBADMSG;
	if (ps->n == ps->cap) {
		ps->cap = ps->cap * 2 + 64;
		ps->p = mem_realloc(ps->p, ps->cap, sizeof(*ps->p));
	}
	p = &ps->p[ps->n++];
	memcpy(p->interface, e->key, IFNAMSIZ);
	strcpy(p->chain, e->chain);
	return 0;
}

static int pairs_answer(const struct nlmsghdr *nlh, void *arg)
{
	struct pairs *ps = arg;

	if (!nlh) {
		ps->n = 0;
		return 0;
	}
	return each_elem(nlh, add_pair, ps);
}

int elems_map_read(struct mnl_socket *nl, const char *map, elems_map_fn *fn, void *arg)
{
	struct pairs ps = { 0 };
	int rc = ask_elems(nl, map, pairs_answer, &ps);

	for (size_t i = 0; rc == 0 && i < ps.n; i++)
		fn(ps.p[i].interface, ps.p[i].chain, arg);
	free(ps.p);
	return rc;
}
