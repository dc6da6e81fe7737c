/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/steer/nft_site.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/netfilter/nfnetlink_conntrack.h>

#include <libnftnl/chain.h>
#include <libnftnl/object.h>
#include <libnftnl/rule.h>
#include <libnftnl/table.h>

#include "agents/nft_expr.h"
#include "lib/mem.h"

#define RECEIVE_BYTES (1 << 20)
#define COUNTERS_MAX  256

struct nft_site {
	void (*privileges)(bool raise);
	struct mnl_socket *nl;
	char *text;		/* of all rules, as they should be; NULL: none of ours yet */
	uint32_t generation;	/* of all nftables, as of our last look */
	bool others_changed;
	/* Chains and counters as created: while they are the same, only rules change. */
	char *layout;
};

static void privileges(const struct nft_site *n, bool raise)
{
	if (n->privileges)
		n->privileges(raise);
}

struct nft_site *nft_site_open(void (*raise)(bool raise), struct diag *diag)
{
	struct nft_site *n = mem_alloc(sizeof(*n));
	int size = RECEIVE_BYTES, on = 1;

	n->privileges = raise;
	privileges(n, true);
	n->nl = mnl_socket_open(NETLINK_NETFILTER);
	if (n->nl && mnl_socket_bind(n->nl, 0, MNL_SOCKET_AUTOPID) == 0) {
		(void)setsockopt(mnl_socket_get_fd(n->nl), SOL_SOCKET, SO_RCVBUFFORCE, &size,
				 sizeof(size));
		mnl_socket_setsockopt(n->nl, NETLINK_EXT_ACK, &on, sizeof(on));
		privileges(n, false);
		return n;
	}
	privileges(n, false);
	diag_set(diag, "no socket to nftables: %s", strerror(errno));
	nft_site_close(n);
	return NULL;
}

void nft_site_close(struct nft_site *n)
{
	if (!n)
		return;
	if (n->nl)
		mnl_socket_close(n->nl);
	free(n->text);
	free(n->layout);
	free(n);
}

/* ---- what is there ---- */

static int counter_answer(const struct nlmsghdr *nlh, void *arg)
{
	struct nft_site_counter **list = arg; /* ends with what NFT_SITE_COUNTS */
	struct nft_site_counter *c = *list;
	struct nftnl_obj *o;
	size_t n = 0;

	if (!nlh) {
		c[0].what = NFT_SITE_COUNTS;
		return 0;
	}
	while (c[n].what != NFT_SITE_COUNTS)
		n++;
	o = nftnl_obj_alloc();
	if (!o)
		abort();
	if (n < COUNTERS_MAX - 1 && nftnl_obj_nlmsg_parse(nlh, o) == 0 &&
	    nftnl_obj_get_u32(o, NFTNL_OBJ_TYPE) == NFT_OBJECT_COUNTER &&
	    strcmp(nftnl_obj_get_str(o, NFTNL_OBJ_TABLE), NFT_SITE_TABLE) == 0 &&
	    nft_site_counter_parse(nftnl_obj_get_str(o, NFTNL_OBJ_NAME), &c[n])) {
		c[n].packets = nftnl_obj_get_u64(o, NFTNL_OBJ_CTR_PKTS);
		c[n].bytes = nftnl_obj_get_u64(o, NFTNL_OBJ_CTR_BYTES);
		c[n + 1].what = NFT_SITE_COUNTS;
	} else {
		c[n].what = NFT_SITE_COUNTS;
	}
	nftnl_obj_free(o);
	return 0;
}

static int read_counters(struct nft_site *n, struct nft_site_counter **out)
{
	char buf[TXN_QUERY_BYTES];
	struct nlmsghdr *nlh = txn_query(buf, NFT_MSG_GETOBJ, NLM_F_DUMP);

	*out = mem_calloc(COUNTERS_MAX, sizeof(**out));
	(*out)[0].what = NFT_SITE_COUNTS;
	mnl_attr_put_strz(nlh, NFTA_OBJ_TABLE, NFT_SITE_TABLE);
	mnl_attr_put_u32(nlh, NFTA_OBJ_TYPE, htonl(NFT_OBJECT_COUNTER));
	return txn_ask(n->nl, nlh, counter_answer, out);
}

int nft_site_counters(struct nft_site *n, struct nft_site_counter **out, size_t *n_out,
		      struct diag *diag)
{
	int rc;

	privileges(n, true);
	rc = read_counters(n, out);
	privileges(n, false);
	for (*n_out = 0; (*out)[*n_out].what != NFT_SITE_COUNTS;)
		(*n_out)++;
	if (rc < 0 && rc != -ENOENT)
		return diag_set(diag, "cannot read the counters of table inet " NFT_SITE_TABLE
				      ": %s", strerror(-rc));
	return 0;
}

struct reading {
	struct expr_text text;
	char chain[64];
};

static void add_chain_name(struct expr_text *x, const char *chain)
{
	const size_t len = strlen(chain);

	if (x->cap - x->len < len + 8) {
		x->cap = x->cap * 2 + 4096;
		x->s = mem_realloc(x->s, x->cap, 1);
	}
	x->len += (size_t)sprintf(x->s + x->len, "%s:\n", chain);
}

static int rule_answer(const struct nlmsghdr *nlh, void *arg)
{
	struct reading *x = arg;
	struct nftnl_rule *r;
	const char *chain;
	int rc = -EBADMSG;

	if (!nlh) {
		x->text.len = 0;
		x->chain[0] = '\0';
		return 0;
	}
	r = nftnl_rule_alloc();
	if (!r)
		abort();
	if (nftnl_rule_nlmsg_parse(nlh, r) == 0) {
		chain = nftnl_rule_get_str(r, NFTNL_RULE_CHAIN);
		if (strcmp(x->chain, chain) != 0)
			add_chain_name(&x->text, chain);
		snprintf(x->chain, sizeof(x->chain), "%s", chain);
		rc = expr_add_text(&x->text, r);
	}
	nftnl_rule_free(r);
	return rc;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Where the next chain's line begins, or the end: it ends with a colon, and a
 * rule's with a semicolon. */
static char *next_block(char *at)
{
	char *end;

	for (at = strchr(at, '\n'); at; at = end) {
		at++;
		end = strchr(at, '\n');
		if (end && end[-1] == ':')
			return at;
	}
	return NULL;
}

/* The kernel lists chains as they were made, one by one over the years. Takes
 * text. */
static char *sort_chains(char *text)
{
	char *blocks[NFT_SITE_CHAINS_MAX + 1], *sorted, *at = text, *to;
	const size_t len = strlen(text);
	size_t n = 0;

	while (at && n < NFT_SITE_CHAINS_MAX) {
		char *next = next_block(at);

		if (next)
			next[-1] = '\0'; /* the newline between them */
		blocks[n++] = at;
		at = next;
	}
	qsort(blocks, n, sizeof(blocks[0]), by_text);
	to = sorted = mem_alloc(len + NFT_SITE_CHAINS_MAX + 2);
	for (size_t i = 0; i < n; i++)
		to += sprintf(to, "%s\n", blocks[i]);
	free(text);
	return sorted;
}

/* All rules of the table; NULL: no such table. */
static char *read_text(struct nft_site *n)
{
	char buf[TXN_QUERY_BYTES];
	struct nlmsghdr *nlh = txn_query(buf, NFT_MSG_GETRULE, NLM_F_DUMP);
	struct reading x = { 0 };
	int rc;

	mnl_attr_put_strz(nlh, NFTA_RULE_TABLE, NFT_SITE_TABLE);
	rc = txn_ask(n->nl, nlh, rule_answer, &x);
	if (rc == 0 && x.text.s)
		return sort_chains(expr_end_text(&x.text));
	free(x.text.s);
	return NULL;
}

static void look_at_generation(struct nft_site *n, uint32_t expected)
{
	n->generation = txn_generation(n->nl);
	if (n->generation != expected)
		n->others_changed = true;
}

bool nft_site_was_changed(struct nft_site *n)
{
	char *now;
	bool changed;

	if (!n->text)
		return false;
	privileges(n, true);
	look_at_generation(n, n->generation);
	if (n->others_changed) {
		now = read_text(n);
		changed = !now || strcmp(now, n->text) != 0;
		free(now);
	} else {
		changed = false;
	}
	privileges(n, false);
	n->others_changed = false;
	if (changed) {
		free(n->text);
		n->text = NULL; /* all of it is put there again */
	}
	return changed;
}

/* ---- what is to be there ---- */

static void put_table(struct txn *t, bool add)
{
	struct nlmsghdr *nlh = txn_get(t, add ? NFT_MSG_NEWTABLE : NFT_MSG_DELTABLE,
				       add ? NLM_F_CREATE : 0, add ? "add table" : "delete table",
				       NFT_SITE_TABLE);

	mnl_attr_put_strz(nlh, NFTA_TABLE_NAME, NFT_SITE_TABLE);
	txn_put(t);
}

static void put_chain(struct txn *t, const struct nft_site_chain *chain)
{
	struct nlmsghdr *nlh =
		txn_get(t, NFT_MSG_NEWCHAIN, NLM_F_CREATE, "add chain", chain->name);
	struct nftnl_chain *c = nftnl_chain_alloc();

	if (!c)
		abort();
	nftnl_chain_set_u32(c, NFTNL_CHAIN_FAMILY, NFPROTO_INET);
	nftnl_chain_set_str(c, NFTNL_CHAIN_TABLE, NFT_SITE_TABLE);
	nftnl_chain_set_str(c, NFTNL_CHAIN_NAME, chain->name);
	if (chain->type) {
		nftnl_chain_set_str(c, NFTNL_CHAIN_TYPE, chain->type);
		nftnl_chain_set_u32(c, NFTNL_CHAIN_HOOKNUM, chain->hook);
		nftnl_chain_set_s32(c, NFTNL_CHAIN_PRIO, chain->priority);
		nftnl_chain_set_u32(c, NFTNL_CHAIN_POLICY, NF_ACCEPT);
	}
	nftnl_chain_nlmsg_build_payload(nlh, c);
	nftnl_chain_free(c);
	txn_put(t);
}

/* Counters go on where they were when the table is made anew. */
static void put_counter(struct txn *t, enum nft_site_count what, uint32_t number,
			const struct nft_site_counter *old)
{
	struct nftnl_obj *o = nftnl_obj_alloc();
	struct nlmsghdr *nlh;
	char name[32];

	if (!o)
		abort();
	while (old->what != NFT_SITE_COUNTS && (old->what != what || old->number != number))
		old++;
	nft_site_counter_name(what, number, name);
	nlh = txn_get(t, NFT_MSG_NEWOBJ, NLM_F_CREATE, "add counter", name);
	nftnl_obj_set_u32(o, NFTNL_OBJ_FAMILY, NFPROTO_INET);
	nftnl_obj_set_str(o, NFTNL_OBJ_TABLE, NFT_SITE_TABLE);
	nftnl_obj_set_str(o, NFTNL_OBJ_NAME, name);
	nftnl_obj_set_u32(o, NFTNL_OBJ_TYPE, NFT_OBJECT_COUNTER);
	nftnl_obj_set_u64(o, NFTNL_OBJ_CTR_PKTS, old->what == what ? old->packets : 0);
	nftnl_obj_set_u64(o, NFTNL_OBJ_CTR_BYTES, old->what == what ? old->bytes : 0);
	nftnl_obj_nlmsg_build_payload(nlh, o);
	nftnl_obj_free(o);
	txn_put(t);
}

static void flush_rules(struct txn *t)
{
	struct nlmsghdr *nlh =
		txn_get(t, NFT_MSG_DELRULE, 0, "replace the rules of table", NFT_SITE_TABLE);

	mnl_attr_put_strz(nlh, NFTA_RULE_TABLE, NFT_SITE_TABLE);
	txn_put(t);
}

static void put_missing_counter(struct txn *t, enum nft_site_count what, uint32_t number,
				const struct nft_site_counter *old, bool anew)
{
	const struct nft_site_counter *c = old;

	while (c->what != NFT_SITE_COUNTS && (c->what != what || c->number != number))
		c++;
	if (anew || c->what == NFT_SITE_COUNTS)
		put_counter(t, what, number, old);
}

static void put_counters(struct txn *t, const struct plan *plan,
			 const struct nft_site_counter *old, bool anew)
{
	put_missing_counter(t, NFT_SITE_FOREIGN, 0, old, anew);
	put_missing_counter(t, NFT_SITE_DEAD, 0, old, anew);
	for (size_t i = 0; i < plan->n_providers; i++)
		put_missing_counter(t, NFT_SITE_DEAD, plan->providers[i].number, old, anew);
	for (size_t i = 0; i < plan->n_paths; i++)
		put_missing_counter(t, NFT_SITE_EGRESS, plan->paths[i].path.number, old, anew);
	for (size_t i = 0; i < plan->n_paths; i++)
		put_missing_counter(t, NFT_SITE_PROBE, plan->paths[i].path.number, old, anew);
}

/* Chains with hooks are kept wherever possible: a packet on its way can meet
 * the new one while its rules are not yet in force, and then the old one when
 * its rules are no longer. anew: what is there is not as we make it. */
static void put_layout(struct txn *t, const struct plan *plan,
		       const struct nft_site_chain *chains, size_t n_chains,
		       const struct nft_site_counter *old, bool anew)
{
	put_table(t, true); /* so that there is one to delete or to flush */
	if (anew) {
		put_table(t, false);
		put_table(t, true);
	} else {
		flush_rules(t);
	}
	for (size_t i = 0; i < n_chains; i++)
		put_chain(t, &chains[i]);
	put_counters(t, plan, old, anew);
}

static char *layout_text(const struct plan *plan)
{
	struct expr_text x = { 0 };
	char line[64];

	add_chain_name(&x, "layout");
	for (size_t i = 0; i < plan->n_providers; i++) {
		snprintf(line, sizeof(line), "provider %u", plan->providers[i].number);
		add_chain_name(&x, line);
	}
	for (size_t i = 0; i < plan->n_paths; i++) {
		snprintf(line, sizeof(line), "path %u", plan->paths[i].path.number);
		add_chain_name(&x, line);
	}
	return expr_end_text(&x);
}

static char *rules_text(const struct plan *plan, const struct nft_site_chain *chains,
			size_t n_chains)
{
	struct expr_text x = { 0 };

	for (size_t i = 0; i < n_chains; i++) {
		struct expr_rules rs = { .table = NFT_SITE_TABLE, .chain = chains[i].name };

		nft_site_rules(plan, chains[i].name, &rs);
		if (rs.n != 0)
			add_chain_name(&x, chains[i].name);
		for (size_t j = 0; j < rs.n; j++)
			expr_add_text(&x, rs.r[j]);
		expr_free_rules(&rs);
	}
	return sort_chains(expr_end_text(&x));
}

static int commit(struct nft_site *n, struct txn *t, struct diag *diag)
{
	int rc;

	look_at_generation(n, n->generation);
	rc = txn_commit(t, n->nl, NULL, diag);
	look_at_generation(n, rc == 0 ? n->generation + 1 : n->generation);
	return rc;
}

static int remove_table(struct nft_site *n, struct diag *diag)
{
	struct txn *t;
	char *now = read_text(n);
	int rc = 0;

	free(n->text);
	free(n->layout);
	n->text = n->layout = NULL;
	if (!now)
		return 0;
	free(now);
	t = txn_new();
	put_table(t, false);
	rc = commit(n, t, diag);
	txn_free(t);
	return rc;
}

static int put_all(struct nft_site *n, const struct plan *plan, bool layout, bool anew,
		   const struct nft_site_chain *chains, size_t n_chains, struct diag *diag)
{
	struct nft_site_counter *old = NULL;
	struct txn *t = txn_new();
	int rc;

	if (layout) {
		read_counters(n, &old);
		put_layout(t, plan, chains, n_chains, old, anew);
		free(old);
	} else {
		flush_rules(t);
	}
	for (size_t i = 0; i < n_chains; i++) {
		struct expr_rules rs = { .table = NFT_SITE_TABLE, .chain = chains[i].name };

		nft_site_rules(plan, chains[i].name, &rs);
		expr_put_rules(t, &rs);
	}
	rc = commit(n, t, diag);
	txn_free(t);
	return rc;
}

/* Takes text and layout. */
static int apply(struct nft_site *n, const struct plan *plan, char *text, char *layout,
		 const struct nft_site_chain *chains, size_t n_chains, struct diag *diag)
{
	const bool fresh = !n->text || !n->layout || strcmp(n->layout, layout) != 0;
	int rc = put_all(n, plan, fresh, false, chains, n_chains, diag);

	if (rc < 0 && fresh)
		rc = put_all(n, plan, true, true, chains, n_chains, diag);
	free(n->text);
	free(n->layout);
	n->text = rc == 0 ? text : NULL;
	n->layout = rc == 0 ? layout : NULL;
	if (rc < 0) {
		free(text);
		free(layout);
	}
	return rc;
}

int nft_site_apply(struct nft_site *n, const struct plan *plan, struct diag *diag)
{
	struct nft_site_chain chains[NFT_SITE_CHAINS_MAX];
	char *text, *layout;
	size_t n_chains;
	int rc;

	privileges(n, true);
	if (plan->n_providers == 0) {
		rc = remove_table(n, diag);
		privileges(n, false);
		return rc;
	}
	n_chains = nft_site_chains(plan, chains);
	text = rules_text(plan, chains, n_chains);
	layout = layout_text(plan);
	if (n->text && strcmp(n->text, text) == 0 && strcmp(n->layout, layout) == 0) {
		free(text);
		free(layout);
		rc = 0;
	} else {
		rc = apply(n, plan, text, layout, chains, n_chains, diag);
	}
	privileges(n, false);
	return rc;
}

/* ---- flows ---- */

int nft_site_forget_flows(struct nft_site *n, enum ip_family family, uint32_t mark,
			  uint32_t mask, struct diag *diag)
{
	char buf[256], answer[512];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *nfg;
	ssize_t got = -1;
	int rc = -EIO;

	nlh->nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	nlh->nlmsg_seq = 0x40000000;
	nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));
	nfg->nfgen_family = family == IP_V4 ? AF_INET : AF_INET6;
	nfg->version = 1; /* "the family counts", as conntrack(8) says it */
	mnl_attr_put_u32(nlh, CTA_MARK, htonl(mark));
	mnl_attr_put_u32(nlh, CTA_MARK_MASK, htonl(mask));
	privileges(n, true);
	if (mnl_socket_sendto(n->nl, nlh, nlh->nlmsg_len) >= 0)
		got = mnl_socket_recvfrom(n->nl, answer, sizeof(answer));
	privileges(n, false);
	nlh = (struct nlmsghdr *)answer;
	if (got > 0 && mnl_nlmsg_ok(nlh, (int)got) && nlh->nlmsg_type == NLMSG_ERROR)
		rc = ((struct nlmsgerr *)mnl_nlmsg_get_payload(nlh))->error;
	if (rc < 0 && rc != -ENOENT)
		return diag_set(diag,
				"cannot forget the flows with mark 0x%x: %s (does the kernel have "
				"nf_conntrack_netlink?)",
				mark, strerror(-rc));
	return 0;
}
