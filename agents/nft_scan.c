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

	if (!nlh) {
		edges_fini(s->edges);
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
		for (enum ip_family family = 0; family < IP_FAMILIES;
		     family++, *bit <<= 1) {
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
		e = edges_find(s->edges, interface);
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
	return fits ? 0
		    : diag_set(diag,
			       "the rules of chain " RULES_BASE_CHAIN " are not ours");
}

/* Learns what is in the kernel. What does not fit is damage, no failure. */
int scan_all(struct kernel *k, struct diag *diag)
{
	struct edges found = { 0 };
	struct scan s = { .k = k, .edges = &found, .diag = &k->damage };
	int rc = scan_table_exists(k, &k->present);

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

int scan_read_edge(const struct kernel *k, const struct edge *e, struct filter *out,
		   struct diag *diag)
{
	char comment[RULES_COMMENT_SIZE], again[RULES_COMMENT_SIZE];

	snprintf(out->interface, sizeof(out->interface), "%s", e->interface);
	if (read_rules(k, e, &out->action, comment, diag) < 0 ||
	    read_sets(k, e, out, diag) < 0)
		return -1;
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
