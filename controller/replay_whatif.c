/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Two policies over the same routes: what the other one would drop and admit.
 */
#include "controller/replay.h"

#include <stdlib.h>

#include "controller/sets/blocks.h"
#include "lib/mem.h"

struct change {
	size_t now, then; /* edges of the two configurations */
	struct addrset dropped, admitted;
};

/* ---- sizes */

static u128 count_of(const struct addrset *set, enum ip_family family)
{
	return rangeset_size(&set->f[family]);
}

/* Of the block's first address, which is as good as any. */
static struct replay_judgement *judge_blocks(struct replay *then, size_t edge,
					     const struct blocks *b, size_t n)
{
	struct replay_judgement *out = mem_calloc(n + 1, sizeof(*out));
	struct ip_addr *addrs = mem_calloc(n + 1, sizeof(*addrs));

	for (size_t i = 0; i < n; i++)
		addrs[i] = (struct ip_addr){ .v = b->p[i].v, .family = b->p[i].family };
	replay_judge(then, edge, addrs, n, out);
	free(addrs);
	return out;
}

static void put_block(const struct replay *r, const struct ip_prefix *p, const char *verb,
		      bool first, const struct replay_judgement *j)
{
	char prefix[IP_TEXT_SIZE], text[BLOCKS_TEXT_SIZE], digits[BLOCKS_DIGITS_SIZE];

	ip_prefix_format(p, prefix);
	if (r->json) {
		printf("%s{\"prefix\":\"%s\",\"addresses\":%s", first ? "" : ",", prefix,
		       blocks_digits(block_size(p), digits));
		if (j) {
			printf(",");
			replay_judge_json(j, p);
		}
		printf("}");
		return;
	}
	printf(" %s %s (%s)", verb, prefix,
	       blocks_amount(block_size(p), (enum ip_family)p->family, text));
	if (j) {
		printf(": ");
		replay_judge_text(j, p);
	}
	printf("\n");
}

static void put_set(struct replay *r, const struct change *c, const struct addrset *set,
		    bool drops)
{
	struct blocks b = blocks_of(set);
	size_t n = b.n < r->top ? b.n : r->top;
	struct replay_judgement *j = NULL;
	char a[BLOCKS_DIGITS_SIZE], d[BLOCKS_DIGITS_SIZE];

	if (drops)
		j = judge_blocks(r->what_if, c->then, &b, n);
	if (r->json)
		printf("{\"ipv4Addresses\":%s,\"ipv6Addresses\":%s,\"rangeCount\":%zu,"
		       "\"ranges\":[",
		       blocks_digits(count_of(set, IP_V4), a), blocks_digits(count_of(set, IP_V6), d),
		       b.n);
	for (size_t i = 0; i < n; i++)
		put_block(r, &b.p[i], drops ? "drop" : "admit", i == 0, j ? &j[i] : NULL);
	if (r->json)
		printf("]}");
	else if (b.n > n)
		printf(" %zu smaller blocks to %s are not shown\n", b.n - n,
		       drops ? "drop" : "admit");
	free(j);
	blocks_fini(&b);
}

/* ---- edges */

static void put_change(struct replay *r, const struct change *c, bool first)
{
	const struct config_edge *now = &r->cfg.edges[c->now];
	char mode[EDGE_MODE_TEXT_SIZE], then[EDGE_MODE_TEXT_SIZE];
	char text[4][BLOCKS_TEXT_SIZE];

	edge_mode_text(now, mode);
	edge_mode_text(&r->what_if->cfg.edges[c->then], then);
	if (r->json) {
		printf("%s{\"router\":\"%s\",\"interface\":\"%s\",\"mode\":\"%s\","
		       "\"modeThen\":\"%s\",\"dropped\":",
		       first ? "" : ",", now->router, now->interface, mode, then);
		put_set(r, c, &c->dropped, true);
		printf(",\"admitted\":");
		put_set(r, c, &c->admitted, false);
		printf("}");
		return;
	}
	printf("edge %s %s mode %s then %s: drops %s and %s more, admits %s and %s "
	       "more\n",
	       now->router, now->interface, mode, then,
	       blocks_amount(count_of(&c->dropped, IP_V4), IP_V4, text[0]),
	       blocks_amount(count_of(&c->dropped, IP_V6), IP_V6, text[1]),
	       blocks_amount(count_of(&c->admitted, IP_V4), IP_V4, text[2]),
	       blocks_amount(count_of(&c->admitted, IP_V6), IP_V6, text[3]));
	put_set(r, c, &c->dropped, true);
	put_set(r, c, &c->admitted, false);
}

/* Of the edges of `in` that `other` does not have. */
static void put_only(const struct replay *r, const struct replay *in,
		     const struct replay *other)
{
	bool first = true;

	for (size_t i = 0; i < in->cfg.n_edges; i++) {
		const struct config_edge *e = &in->cfg.edges[i];

		if (config_edge_find(&other->cfg, e->router, e->interface))
			continue;
		printf(r->json ? "%s{\"router\":\"%s\",\"interface\":\"%s\"}"
			       : "%sedge %s %s only in %s\n",
		       r->json && !first ? "," : "", e->router, e->interface,
		       in->config_path);
		first = false;
	}
}

static bool compare(struct replay *r, size_t now, struct change *c)
{
	const struct config_edge *e = &r->cfg.edges[now];
	const struct config_edge *other =
		config_edge_find(&r->what_if->cfg, e->router, e->interface);
	struct addrset a = { 0 }, b = { 0 };

	*c = (struct change){ .now = now };
	if (!other)
		return false;
	c->then = (size_t)(other - r->what_if->cfg.edges);
	sets_pass_edge(r->pass, c->now, &a);
	sets_pass_edge(r->what_if->pass, c->then, &b);
	addrset_subtract(&c->dropped, &a, &b);
	addrset_subtract(&c->admitted, &b, &a);
	addrset_fini(&a);
	addrset_fini(&b);
	return true;
}

static int most_dropped_first(const void *a, const void *b)
{
	const struct change *x = a, *y = b;

	for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++) {
		u128 m = count_of(&x->dropped, f), n = count_of(&y->dropped, f);

		if (m != n)
			return m < n ? 1 : -1;
	}
	return (x->now > y->now) - (x->now < y->now);
}

static void put_edges(struct replay *r, struct change *c, size_t n, size_t unchanged)
{
	if (r->json) {
		printf("{\"path\":");
		replay_put_string(stdout, r->what_if->config_path);
		printf(",\"edges\":[");
	} else {
		printf("what if %s\n", r->what_if->config_path);
	}
	for (size_t i = 0; i < n; i++)
		put_change(r, &c[i], i == 0);
	if (r->json)
		printf("],\"unchanged\":%zu,\"onlyNow\":[", unchanged);
	put_only(r, r, r->what_if);
	if (r->json)
		printf("],\"onlyThen\":[");
	put_only(r, r->what_if, r);
	if (r->json)
		printf("]}");
	else if (unchanged != 0)
		printf("%zu edge%s no change\n", unchanged,
		       unchanged == 1 ? " with" : "s with");
}

void replay_what_if(struct replay *r)
{
	struct change *c = mem_calloc(r->cfg.n_edges + 1, sizeof(*c));
	size_t n = 0, unchanged = 0;

	for (size_t i = 0; i < r->cfg.n_edges; i++) {
		if (!compare(r, i, &c[n]))
			continue;
		if (addrset_is_empty(&c[n].dropped) && addrset_is_empty(&c[n].admitted))
			unchanged++;
		else
			n++;
	}
	if (n != 0)
		qsort(c, n, sizeof(*c), most_dropped_first);
	put_edges(r, c, n, unchanged);
	for (size_t i = 0; i < n; i++) {
		addrset_fini(&c[i].dropped);
		addrset_fini(&c[i].admitted);
	}
	free(c);
}
