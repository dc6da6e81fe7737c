/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What is in the table: its counters, and its rules as text.
 */
#include "agents/steer/nft_site_impl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libnftnl/object.h>
#include <libnftnl/rule.h>

#include "lib/mem.h"

#define COUNTERS_MAX 256

/* ---- counters ---- */

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

int nft_site_read_counters(struct nft_site *n, struct nft_site_counter **out)
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

	nft_site_privileges(n, true);
	rc = nft_site_read_counters(n, out);
	nft_site_privileges(n, false);
	for (*n_out = 0; (*out)[*n_out].what != NFT_SITE_COUNTS;)
		(*n_out)++;
	if (rc < 0 && rc != -ENOENT)
		return diag_set(diag, "cannot read the counters of table inet " NFT_SITE_TABLE
				      ": %s", strerror(-rc));
	return 0;
}

/* ---- rules ---- */

struct reading {
	struct expr_text text;
	char chain[64];
};

void nft_site_add_chain(struct expr_text *x, const char *chain)
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
			nft_site_add_chain(&x->text, chain);
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

char *nft_site_sort_chains(char *text)
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

char *nft_site_read_text(struct nft_site *n)
{
	char buf[TXN_QUERY_BYTES];
	struct nlmsghdr *nlh = txn_query(buf, NFT_MSG_GETRULE, NLM_F_DUMP);
	struct reading x = { 0 };
	int rc;

	mnl_attr_put_strz(nlh, NFTA_RULE_TABLE, NFT_SITE_TABLE);
	rc = txn_ask(n->nl, nlh, rule_answer, &x);
	if (rc == 0 && x.text.s)
		return nft_site_sort_chains(expr_end_text(&x.text));
	free(x.text.s);
	return NULL;
}
