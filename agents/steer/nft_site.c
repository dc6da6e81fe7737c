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

#include "agents/steer/nft_site_impl.h"
#include "lib/mem.h"

#define RECEIVE_BYTES (1 << 20)

void nft_site_privileges(const struct nft_site *n, bool raise)
{
	if (n->privileges)
		n->privileges(raise);
}

struct nft_site *nft_site_open(void (*raise)(bool raise), struct diag *diag)
{
	struct nft_site *n = mem_alloc(sizeof(*n));
	int size = RECEIVE_BYTES, on = 1;

	n->privileges = raise;
	nft_site_privileges(n, true);
	n->nl = mnl_socket_open(NETLINK_NETFILTER);
	if (n->nl && mnl_socket_bind(n->nl, 0, MNL_SOCKET_AUTOPID) == 0) {
		(void)setsockopt(mnl_socket_get_fd(n->nl), SOL_SOCKET, SO_RCVBUFFORCE, &size,
				 sizeof(size));
		mnl_socket_setsockopt(n->nl, NETLINK_EXT_ACK, &on, sizeof(on));
		nft_site_privileges(n, false);
		return n;
	}
	nft_site_privileges(n, false);
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
	nft_site_privileges(n, true);
	look_at_generation(n, n->generation);
	if (n->others_changed) {
		now = nft_site_read_text(n);
		changed = !now || strcmp(now, n->text) != 0;
		free(now);
	} else {
		changed = false;
	}
	nft_site_privileges(n, false);
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

	nft_site_add_chain(&x, "layout");
	for (size_t i = 0; i < plan->n_providers; i++) {
		snprintf(line, sizeof(line), "provider %u", plan->providers[i].number);
		nft_site_add_chain(&x, line);
	}
	for (size_t i = 0; i < plan->n_paths; i++) {
		snprintf(line, sizeof(line), "path %u", plan->paths[i].path.number);
		nft_site_add_chain(&x, line);
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
			nft_site_add_chain(&x, chains[i].name);
		for (size_t j = 0; j < rs.n; j++)
			expr_add_text(&x, rs.r[j]);
		expr_free_rules(&rs);
	}
	return nft_site_sort_chains(expr_end_text(&x));
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
	char *now = nft_site_read_text(n);
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
		nft_site_read_counters(n, &old);
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

	nft_site_privileges(n, true);
	if (plan->n_providers == 0) {
		rc = remove_table(n, diag);
		nft_site_privileges(n, false);
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
	nft_site_privileges(n, false);
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
	nft_site_privileges(n, true);
	if (mnl_socket_sendto(n->nl, nlh, nlh->nlmsg_len) >= 0)
		got = mnl_socket_recvfrom(n->nl, answer, sizeof(answer));
	nft_site_privileges(n, false);
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
