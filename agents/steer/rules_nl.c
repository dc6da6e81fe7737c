/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/steer/rules_nl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>

#include "agents/steer/rules_nl_impl.h"
#include "agents/steer/rules_nl_msg.h"
#include "lib/mem.h"

static void privileges(const struct rules_nl *nl, bool raise)
{
	if (nl->privileges)
		nl->privileges(raise);
}

/* ---- sockets ---- */

/* Without strict checking a dump of one table is a dump of all of them: rather
 * nothing at all than that. */
static int open_queries(struct rules_nl *nl)
{
	int on = 1;

	nl->queries = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (!nl->queries || mnl_socket_bind(nl->queries, 0, MNL_SOCKET_AUTOPID) < 0)
		return -1;
	mnl_socket_setsockopt(nl->queries, NETLINK_EXT_ACK, &on, sizeof(on));
	return mnl_socket_setsockopt(nl->queries, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
}

struct rules_nl *rules_nl_open(void (*raise)(bool raise), struct diag *diag)
{
	struct rules_nl *nl = mem_alloc(sizeof(*nl));
	int rc;

	nl->privileges = raise;
	privileges(nl, true);
	rc = rules_nl_open_events(nl) < 0 || open_queries(nl) < 0 ? -1 : 0;
	privileges(nl, false);
	if (rc == 0)
		return nl;
	diag_set(diag, "cannot use rtnetlink for rules and routes: %s (Linux 4.20 or later is "
		       "needed)", strerror(errno));
	rules_nl_close(nl);
	return NULL;
}

void rules_nl_close(struct rules_nl *nl)
{
	if (!nl)
		return;
	if (nl->events)
		mnl_socket_close(nl->events);
	if (nl->queries)
		mnl_socket_close(nl->queries);
	free(nl->tables);
	free(nl);
}

uint64_t rules_nl_messages(const struct rules_nl *nl)
{
	return nl->messages;
}

/* ---- asking ---- */

/* 1: more to come; 0: done; else a negative errno. */
static int take(const struct nlmsghdr *nlh, uint32_t seq, bool dump, rules_nl_answer_fn *fn, void *arg)
{
	if (nlh->nlmsg_seq != seq)
		return 1;
	if (nlh->nlmsg_type == NLMSG_ERROR)
		return ((const struct nlmsgerr *)mnl_nlmsg_get_payload(nlh))->error;
	if (nlh->nlmsg_type == NLMSG_DONE)
		return 0;
	if (fn)
		fn(nlh, arg);
	return dump ? 1 : 0;
}

int rules_nl_talk(struct rules_nl *nl, struct nlmsghdr *request, rules_nl_answer_fn *fn,
		  void *arg)
{
	const bool dump = (request->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
	int rc = 1;

	request->nlmsg_seq = ++nl->seq;
	if (mnl_socket_sendto(nl->queries, request, request->nlmsg_len) < 0)
		return -errno;
	while (rc == 1) {
		const struct nlmsghdr *nlh = (const struct nlmsghdr *)nl->answer;
		ssize_t got = mnl_socket_recvfrom(nl->queries, nl->answer, sizeof(nl->answer));
		int left = (int)got;

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		for (; rc == 1 && mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left)) {
			nl->messages++;
			rc = take(nlh, request->nlmsg_seq, dump, fn, arg);
		}
	}
	return rc;
}

/* ---- what is there ---- */

struct lists {
	struct plan_rule *rules;
	size_t n_rules;
	struct plan_route *routes;
	size_t n_routes;
};

static void rule_answer(const struct nlmsghdr *nlh, void *arg)
{
	struct lists *l = arg;
	struct plan_rule r;

	if (!rules_nl_read_rule(nlh, RULES_NL_PROTOCOL, &r))
		return;
	l->rules = mem_realloc(l->rules, l->n_rules + 1, sizeof(*l->rules));
	l->rules[l->n_rules++] = r;
}

static void route_answer(const struct nlmsghdr *nlh, void *arg)
{
	struct lists *l = arg;
	struct plan_route r;

	if (!rules_nl_read_route(nlh, RULES_NL_PROTOCOL, &r))
		return;
	l->routes = mem_realloc(l->routes, l->n_routes + 1, sizeof(*l->routes));
	l->routes[l->n_routes++] = r;
}

static int dump_rules(struct rules_nl *nl, enum ip_family f, struct lists *l)
{
	char buf[256];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct fib_rule_hdr *h;

	nlh->nlmsg_type = RTM_GETRULE;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	h = mnl_nlmsg_put_extra_header(nlh, sizeof(*h));
	h->family = f == IP_V4 ? AF_INET : AF_INET6;
	return rules_nl_talk(nl, nlh, rule_answer, l);
}

/* One table; a table that is not there is empty. */
static int dump_table(struct rules_nl *nl, enum ip_family f, uint32_t table, struct lists *l)
{
	char buf[256];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct rtmsg *rtm;
	int rc;

	nlh->nlmsg_type = RTM_GETROUTE;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));
	rtm->rtm_family = f == IP_V4 ? AF_INET : AF_INET6;
	mnl_attr_put_u32(nlh, RTA_TABLE, table);
	rc = rules_nl_talk(nl, nlh, route_answer, l);
	return rc == -ENOENT ? 0 : rc;
}

static void remember_table(struct rules_nl *nl, uint32_t table)
{
	for (size_t i = 0; i < nl->n_tables; i++) {
		if (nl->tables[i] == table)
			return;
	}
	nl->tables = mem_realloc(nl->tables, nl->n_tables + 1, sizeof(*nl->tables));
	nl->tables[nl->n_tables++] = table;
}

/* Which of our tables may hold something: after the start all of them. */
static void note_tables(struct rules_nl *nl, const struct plan *plan)
{
	if (!nl->had_plan && plan->site) {
		for (uint32_t i = 0; i < SITE_TABLES; i++)
			remember_table(nl, plan->site->table_base + i);
	}
	for (size_t i = 0; i < plan->n_routes; i++)
		remember_table(nl, plan->routes[i].table);
}

static int dump_all(struct rules_nl *nl, struct lists *l)
{
	int rc = 0;

	for (enum ip_family f = IP_V4; f < IP_FAMILIES && rc == 0; f++) {
		rc = dump_rules(nl, f, l);
		if (f == IP_V6 && (rc == -EAFNOSUPPORT || rc == -EOPNOTSUPP))
			return 0; /* a kernel without IPv6 */
		for (size_t i = 0; i < nl->n_tables && rc == 0; i++)
			rc = dump_table(nl, f, nl->tables[i], l);
	}
	return rc;
}

/* ---- changing ---- */

struct change {
	struct rules_nl *nl;
	int failed;
	struct diag *diag;
};

static void note_failure(struct change *c, int rc, const char *verb, const char *what)
{
	if (c->failed++ == 0)
		diag_set(c->diag, "the kernel refused to %s %s: %s", verb, what, strerror(-rc));
}

static void change_rule(struct change *c, const struct plan_rule *r, bool add)
{
	char buf[512], text[PLAN_TEXT_SIZE];
	struct nlmsghdr *nlh = rules_nl_put_rule(buf, r, RULES_NL_PROTOCOL, add);
	int rc = rules_nl_talk(c->nl, nlh, NULL, NULL);

	if (rc == 0 || (add && rc == -EEXIST) || (!add && rc == -ENOENT))
		return;
	if (r->family == IP_V6 && rc == -EAFNOSUPPORT)
		return;
	note_failure(c, rc, add ? "add rule" : "delete rule", plan_rule_format(r, text));
}

static void change_route(struct change *c, const struct plan_route *r, bool add)
{
	char buf[512], text[PLAN_TEXT_SIZE], device[24];
	struct nlmsghdr *nlh = rules_nl_put_route(buf, r, RULES_NL_PROTOCOL, add);
	int rc = rules_nl_talk(c->nl, nlh, NULL, NULL);

	/* an interface that has just gone: the news of it bring another plan */
	if (rc == 0 || (!add && rc == -ESRCH) || (add && (rc == -ENETDOWN || rc == -ENODEV)))
		return;
	if (r->family == IP_V6 && (rc == -EAFNOSUPPORT || rc == -EOPNOTSUPP))
		return;
	snprintf(device, sizeof(device), "%u", r->ifindex);
	note_failure(c, rc, add ? "add route" : "delete route",
		     plan_route_format(r, device, text));
}

static bool rule_in(const struct plan_rule *r, const struct plan_rule *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (plan_rule_equal(r, &list[i]))
			return true;
	}
	return false;
}

static bool route_in(const struct plan_route *r, const struct plan_route *list, size_t n,
		     bool (*same)(const struct plan_route *a, const struct plan_route *b))
{
	for (size_t i = 0; i < n; i++) {
		if (same(r, &list[i]))
			return true;
	}
	return false;
}

/* Routes, then the rules that lead to them; away in the other order. From the
 * last rule to the first: whatever is missing for a moment, what prohibits is
 * there already. */
static void change_all(struct change *c, const struct plan *plan, const struct lists *now)
{
	for (size_t i = plan->n_routes; i-- > 0;) {
		if (!route_in(&plan->routes[i], now->routes, now->n_routes, plan_route_equal))
			change_route(c, &plan->routes[i], true);
	}
	for (size_t i = plan->n_rules; i-- > 0;) {
		if (!rule_in(&plan->rules[i], now->rules, now->n_rules))
			change_rule(c, &plan->rules[i], true);
	}
	for (size_t i = 0; i < now->n_rules; i++) {
		if (!rule_in(&now->rules[i], plan->rules, plan->n_rules))
			change_rule(c, &now->rules[i], false);
	}
	for (size_t i = 0; i < now->n_routes; i++) {
		/* one with the same key has been replaced */
		if (!route_in(&now->routes[i], plan->routes, plan->n_routes, plan_route_same_key))
			change_route(c, &now->routes[i], false);
	}
}

int rules_nl_apply(struct rules_nl *nl, const struct plan *plan, struct diag *diag)
{
	struct change c = { .nl = nl, .diag = diag };
	struct lists now = { 0 };
	int rc;

	note_tables(nl, plan);
	privileges(nl, true);
	rc = dump_all(nl, &now);
	if (rc == 0) {
		change_all(&c, plan, &now);
		nl->had_plan = true;
	} else {
		diag_set(diag, "cannot read our own rules and routes: %s", strerror(-rc));
	}
	privileges(nl, false);
	if (rc == 0 && c.failed == 0) {
		/* all others of ours are empty now */
		nl->n_tables = 0;
		note_tables(nl, plan);
	}
	free(now.rules);
	free(now.routes);
	return rc == 0 && c.failed == 0 ? 0 : -1;
}
