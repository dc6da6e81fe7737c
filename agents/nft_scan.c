/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/nft_scan.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libnftnl/chain.h>
#include <libnftnl/object.h>
#include <libnftnl/set.h>

#include "agents/nft_change.h"
#include "agents/nft_elems.h"
#include "lib/mem.h"

/* An object that was found, and whether its edge needs it. */
struct found {
	struct rules_name name;
	bool used;
};

struct scan {
	struct kernel *k;
	struct edges *edges;
	struct found *found;
	size_t n, cap;
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

static void find(struct scan *s, const struct rules_name *name)
{
	if (s->n == s->cap) {
		s->cap = s->cap * 2 + 64;
		s->found = mem_realloc(s->found, s->cap, sizeof(*s->found));
	}
	s->found[s->n++] = (struct found){ .name = *name };
}

/* Drops what an interrupted dump had found. */
static void forget(struct scan *s, bool chains)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++) {
		if ((s->found[i].name.object == RULES_PART) != chains)
			s->found[n++] = s->found[i];
	}
	s->n = n;
}

static int table_answer(const struct nlmsghdr *nlh, void *arg)
{
	*(bool *)arg = nlh != NULL;
	return 0;
}

int scan_table_exists(const struct kernel *k, bool *exists)
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
	struct rules_name part;

	if (!nlh) {
		edges_fini(s->edges);
		forget(s, true);
		s->base = false;
		return 0;
	}
	c = nftnl_chain_alloc();
	if (!c)
		abort();
	if (nftnl_chain_nlmsg_parse(nlh, c) == 0) {
		name = nftnl_chain_get_str(c, NFTNL_CHAIN_NAME);
		table = nftnl_chain_get_str(c, NFTNL_CHAIN_TABLE);
		if (strcmp(table, TXN_TABLE) != 0)
			;
		else if (strcmp(name, RULES_BASE_CHAIN) == 0)
			s->base = nftnl_chain_is_set(c, NFTNL_CHAIN_HOOKNUM) &&
				  nftnl_chain_get_u32(c, NFTNL_CHAIN_HOOKNUM) ==
					  NF_INET_PRE_ROUTING &&
				  nftnl_chain_get_s32(c, NFTNL_CHAIN_PRIO) ==
					  CHANGE_PRIORITY;
		else if (strncmp(name, "edge/", 5) == 0 &&
			 filter_ifname_is_valid(name + 5))
			edges_get(s->edges, name + 5);
		else if (rules_name_parse(name, &part) && part.object == RULES_PART)
			find(s, &part);
		else
			unfit(s, "chain", name);
	}
	nftnl_chain_free(c);
	return 0;
}

static int set_answer(const struct nlmsghdr *nlh, void *arg)
{
	struct scan *s = arg;
	struct nftnl_set *set;
	struct rules_name name;
	const char *text;

	if (!nlh) {
		forget(s, false);
		return 0;
	}
	set = nftnl_set_alloc();
	if (!set || nftnl_set_nlmsg_parse(nlh, set) < 0)
		abort();
	text = nftnl_set_get_str(set, NFTNL_SET_NAME);
	if (rules_name_parse(text, &name) && name.object != RULES_PART)
		find(s, &name);
	else if (strcmp(text, RULES_MAP) != 0)
		unfit(s, "set", text);
	nftnl_set_free(set);
	return 0;
}

static void map_pair(const char *interface, const char *chain, void *arg)
{
	struct scan *s = arg;
	struct edge *e = edges_find(s->edges, interface);
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
	struct edge *e = slash ? edges_find(es, slash + 1) : NULL;

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

int scan_counters(const struct kernel *k, struct edges *es)
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
	return rc < 0 ? rc : scan_counters(k, s->edges);
}

/* ---- one edge ---- */

static int by_interface(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	return strcmp(x->name.interface, y->name.interface);
}

/* The objects of one edge. */
struct own {
	struct found *f;
	size_t n;
};

static struct own own_of(const struct scan *s, const char *interface)
{
	struct found key = { 0 };
	struct own own = { 0 };

	snprintf(key.name.interface, sizeof(key.name.interface), "%s", interface);
	if (s->n != 0)
		own.f = bsearch(&key, s->found, s->n, sizeof(key), by_interface);
	if (!own.f)
		return own;
	while (own.f > s->found && by_interface(&own.f[-1], &key) == 0)
		own.f--;
	while (own.f + own.n < s->found + s->n && by_interface(&own.f[own.n], &key) == 0)
		own.n++;
	return own;
}

/* The first that is not yet used, marked; version 0: any. NULL if none is. */
static const struct rules_name *use(struct own *own, enum rules_object object,
				    enum ip_family family, uint64_t version)
{
	for (size_t i = 0; i < own->n; i++) {
		struct found *f = &own->f[i];

		if (f->used || f->name.object != object || f->name.family != family ||
		    (version != 0 && f->name.version != version))
			continue;
		f->used = true;
		return &f->name;
	}
	return NULL;
}

static bool all_used(const struct own *own, uint64_t *highest)
{
	*highest = 0;
	for (size_t i = 0; i < own->n; i++) {
		if (!own->f[i].used)
			return false;
		if (own->f[i].name.version > *highest)
			*highest = own->f[i].name.version;
	}
	return true;
}

/* Which list the one rule of a part's chain looks into, by trying; the text
 * that libnftnl makes of it has the name in it. */
static bool read_part_rule(const struct scan *s, struct own *own, const char *chain,
			   enum ip_family family, const char *interface, struct parts *ps,
			   struct part *part)
{
	char *have = NULL, *want, comment[RULES_COMMENT_SIZE], *word, *end;
	struct rules_name name = { 0 };
	bool fits = rules_read(s->k->nl, chain, &have, comment) == 0;

	word = fits ? strstr(have, " set ") : NULL;
	end = word ? strchr(word + 5, ' ') : NULL;
	fits = end != NULL;
	if (fits) {
		*end = '\0';
		fits = rules_name_parse(word + 5, &name) && name.family == family;
		*end = ' ';
	}
	if (fits) {
		enum kernel_shape shape = name.object == RULES_DROP ? KERNEL_SHAPE_DROP
								    : KERNEL_SHAPE_ACCEPT;

		want = rules_part_text(interface, family, shape, name.version);
		fits = strcmp(have, want) == 0 &&
		       use(own, name.object, family, name.version) &&
		       (ps->shape == KERNEL_SHAPE_AUTO || ps->shape == shape);
		free(want);
		ps->shape = shape;
		part->set = name.version;
	}
	free(have);
	return fits;
}

static bool read_split(const struct scan *s, struct own *own, const char *interface,
		       enum ip_family family, struct parts *ps)
{
	char map[TXN_NAME_SIZE];
	struct elems_part *to;
	struct rules_name name;
	bool fits = true;
	size_t n;

	rules_name(RULES_SPLIT, family, interface, ps->map, map);
	if (elems_split_read(s->k->nl, map, family, &to, &n) < 0)
		return false;
	ps->p = mem_calloc(n, sizeof(*ps->p));
	ps->n = n;
	for (size_t i = 0; fits && i < n; i++) {
		struct part *part = &ps->p[i];

		part->first = to[i].first;
		fits = rules_name_parse(to[i].chain, &name) &&
		       strcmp(name.interface, interface) == 0 &&
		       use(own, RULES_PART, family, name.version) &&
		       read_part_rule(s, own, to[i].chain, family, interface, ps, part);
		part->chain = name.version;
		part->unread = true;
	}
	free(to);
	return fits;
}

static bool read_parts(const struct scan *s, struct own *own, const char *interface,
		       enum ip_family family, struct parts *ps)
{
	const struct rules_name *name = use(own, RULES_SPLIT, family, 0);

	parts_fini(ps);
	if (name) {
		ps->map = name->version;
		return read_split(s, own, interface, family, ps);
	}
	ps->shape = KERNEL_SHAPE_ACCEPT;
	name = use(own, RULES_ACCEPT, family, 0);
	if (!name) {
		ps->shape = KERNEL_SHAPE_DROP;
		name = use(own, RULES_DROP, family, 0);
	}
	if (!name)
		return false;
	ps->n = 1;
	ps->p = mem_calloc(1, sizeof(*ps->p));
	ps->p[0] = (struct part){ .set = name->version, .unread = true };
	return true;
}

static bool read_objects(const struct scan *s, struct edge *e)
{
	struct own own = own_of(s, e->interface);
	const struct rules_name *name = use(&own, RULES_PEER, IP_V4, 0);

	if (!name)
		return false;
	e->others = name->version;
	if (!use(&own, RULES_PEER, IP_V6, e->others) ||
	    !use(&own, RULES_CONNECTED, IP_V4, e->others) ||
	    !use(&own, RULES_CONNECTED, IP_V6, e->others))
		return false;
	for (enum ip_family family = 0; family < IP_FAMILIES; family++) {
		if (!read_parts(s, &own, e->interface, family, &e->parts[family]))
			return false;
	}
	return all_used(&own, &e->version);
}

static int read_set(const struct kernel *k, enum rules_object set, const struct edge *e,
		    struct addrset *out)
{
	char name[TXN_NAME_SIZE];
	int rc = 0;

	for (enum ip_family family = 0; rc == 0 && family < IP_FAMILIES; family++) {
		rules_name(set, family, e->interface, e->others, name);
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
	struct rules_edge r;
	bool fits = false;
	int rc;

	change_rules(k, e, &r);
	rules_chain_name(e->interface, chain);
	rc = rules_read(k->nl, chain, &have, comment);
	for (int i = FILTER_OFF; rc == 0 && !fits && i <= FILTER_ENFORCE; i++) {
		r.action = (enum filter_action)i;
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

	if (!e->in_map || !read_objects(s, e))
		return diag_set(s->diag,
				"edge %s has lost a set or its entry in the map, or has "
				"one that is not ours",
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
	return fits ? 0
		    : diag_set(diag,
			       "the rules of chain " RULES_BASE_CHAIN " are not ours");
}

static int scan_everything(struct scan *s, struct diag *diag)
{
	struct kernel *k = s->k;
	struct edges found = { 0 };
	int rc = scan_table_exists(k, &k->present);

	s->edges = &found;
	k->damage.text[0] = '\0';
	if (rc == 0 && k->present)
		rc = read_names(s);
	if (rc < 0) {
		edges_fini(&found);
		return diag_set(diag, "cannot read table inet " TXN_TABLE ": %s",
				strerror(-rc));
	}
	edges_fini(&k->edges);
	k->edges = found;
	s->edges = &k->edges;
	if (k->halfway)
		diag_set(&k->damage, "a change was refused when it was half done");
	if (!k->present || s->bad || k->halfway)
		return 0;
	if (!s->base)
		diag_set(&k->damage, "chain " RULES_BASE_CHAIN " is missing");
	else if (check_base(k, &k->damage) < 0)
		return 0;
	if (s->n != 0)
		qsort(s->found, s->n, sizeof(*s->found), by_interface);
	for (size_t i = 0; i < k->edges.n; i++) {
		if (k->damage.text[0] != '\0' || check_edge(s, &k->edges.e[i]) < 0)
			break;
	}
	return 0;
}

/* Learns what is in the kernel. What does not fit is damage, no failure. */
int scan_all(struct kernel *k, struct diag *diag)
{
	struct scan s = { .k = k, .diag = &k->damage };
	int rc = scan_everything(&s, diag);

	free(s.found);
	return rc;
}

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
				peers[n++] =
					(struct ip_addr){ r->first + j, (uint8_t)family };
		}
	}
	filter_set_peers(out, peers, n);
	return 0;
}

static int read_part(const struct kernel *k, const struct edge *e, enum ip_family family,
		     size_t i, struct rangeset *out)
{
	const struct parts *ps = &e->parts[family];
	char name[TXN_NAME_SIZE];

	rules_name(ps->shape == KERNEL_SHAPE_DROP ? RULES_DROP : RULES_ACCEPT, family,
		   e->interface, ps->p[i].set, name);
	return elems_read(k->nl, name, family, out);
}

static int read_accept(const struct kernel *k, const struct edge *e,
		       struct addrset *accept)
{
	struct rangeset contents = { 0 };
	int rc = 0;

	for (enum ip_family family = 0; family < IP_FAMILIES; family++) {
		const struct parts *ps = &e->parts[family];

		rangeset_fini(&accept->f[family]);
		for (size_t i = 0; rc == 0 && i < ps->n; i++) {
			rc = read_part(k, e, family, i, &contents);
			parts_join(ps, i, family, &contents, &accept->f[family]);
		}
		rangeset_normalize(&accept->f[family]);
	}
	rangeset_fini(&contents);
	return rc;
}

static int unreadable(const struct edge *e, int error, struct diag *diag)
{
	return diag_set(diag, "cannot read the sets of edge %s: %s", e->interface,
			strerror(-error));
}

/* The peers, and whether the connected subnets are as they were left. */
static int read_others(const struct kernel *k, const struct edge *e, struct filter *out,
		       struct diag *diag)
{
	struct addrset peers = { 0 }, connected = { 0 };
	int rc = read_set(k, RULES_PEER, e, &peers);

	if (rc == 0)
		rc = set_to_peers(&peers, out);
	if (rc == 0)
		rc = read_set(k, RULES_CONNECTED, e, &connected);
	if (rc < 0)
		unreadable(e, rc, diag);
	else if (!addrset_equal(&connected, &e->connected))
		rc = diag_set(diag, "the connected subnets of edge %s are not ours",
			      e->interface);
	addrset_fini(&peers);
	addrset_fini(&connected);
	return rc < 0 ? -1 : 0;
}

int scan_read_edge(const struct kernel *k, const struct edge *e, struct filter *out,
		   struct diag *diag)
{
	char comment[RULES_COMMENT_SIZE], again[RULES_COMMENT_SIZE];
	int rc;

	snprintf(out->interface, sizeof(out->interface), "%s", e->interface);
	if (read_rules(k, e, &out->action, comment, diag) < 0 ||
	    read_others(k, e, out, diag) < 0)
		return -1;
	rc = read_accept(k, e, &out->accept);
	if (rc < 0)
		return unreadable(e, rc, diag);
	if (sscanf(comment, "generation %" SCNu64, &out->generation) != 1)
		out->generation = 0;
	change_comment(out, again);
	if (strcmp(comment, again) != 0)
		return diag_set(diag,
				"the sets of edge %s are not what its rules were made "
				"for",
				e->interface);
	return 0;
}

/* ---- does the kernel hold what it should? ---- */

static int verify_part(const struct kernel *k, struct edge *e, enum ip_family family,
		       size_t i, const struct filter *want, struct diag *diag)
{
	struct parts *ps = &e->parts[family];
	struct rangeset is = { 0 }, should = { 0 };
	int rc = read_part(k, e, family, i, &is);

	if (rc < 0) {
		unreadable(e, rc, diag);
	} else {
		parts_slice(ps, i, family, &want->accept.f[family], &should);
		if (!rangeset_equal(&is, &should))
			rc = diag_set(diag,
				      "the sets of edge %s are not what its rules were "
				      "made for",
				      e->interface);
	}
	ps->p[i].unread = rc < 0;
	rangeset_fini(&is);
	rangeset_fini(&should);
	return rc < 0 ? -1 : 0;
}

static bool same_rest(const struct filter *a, const struct filter *b)
{
	if (a->action != b->action || a->n_peers != b->n_peers)
		return false;
	for (size_t i = 0; i < a->n_peers; i++) {
		if (!ip_addr_equal(&a->peers[i], &b->peers[i]))
			return false;
	}
	return true;
}

int scan_verify_edge(const struct kernel *k, struct edge *e, const struct filter *want,
		     bool all, struct diag *diag)
{
	char comment[RULES_COMMENT_SIZE];
	struct filter have = { 0 };
	int rc = read_rules(k, e, &have.action, comment, diag);

	if (rc == 0)
		rc = read_others(k, e, &have, diag);
	if (rc == 0 && (strcmp(comment, e->comment) != 0 || !same_rest(&have, want)))
		rc = diag_set(diag, "edge %s is not as it was left", e->interface);
	filter_fini(&have);
	for (enum ip_family family = 0; family < IP_FAMILIES; family++) {
		for (size_t i = 0; rc == 0 && i < e->parts[family].n; i++) {
			if (all || e->parts[family].p[i].unread)
				rc = verify_part(k, e, family, i, want, diag);
		}
	}
	return rc;
}
