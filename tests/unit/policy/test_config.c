/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "controller/policy/config.h"
#include "tests/unit/policy/texts.h"

/* ---- a configuration with a store that can fail and a watcher ---- */

struct bench {
	struct config cfg;
	bool sink_fails;
	char sunk[200];	   /* the last call of the sink */
	char watched[200]; /* the last call of the watcher */
	unsigned int sinks, befores, watches;
	char *at_before; /* the configuration when `before` was called last */
};

static char *dump(const struct config *cfg);

static int sink(struct bench *b, struct diag *diag, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int sink(struct bench *b, struct diag *diag, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(b->sunk, sizeof(b->sunk), fmt, ap);
	va_end(ap);
	b->sinks++;
	return b->sink_fails ? diag_set(diag, "the disk is full") : 0;
}

static const char *verb(bool there)
{
	return there ? "put" : "del";
}

static int sink_router(void *ctx, const char *name, const struct config_router *new,
		       struct diag *diag)
{
	return sink(ctx, diag, "%s router %s", verb(new != NULL), name);
}

static int sink_customer(void *ctx, const char *name, const struct config_customer *new,
			 struct diag *diag)
{
	return sink(ctx, diag, "%s customer %s", verb(new != NULL), name);
}

static int sink_edge(void *ctx, const char *router, const char *interface,
		     const struct config_edge *new, struct diag *diag)
{
	return sink(ctx, diag, "%s edge %s %s", verb(new != NULL), router, interface);
}

static int sink_prefix(struct bench *b, const char *what, const struct ip_prefix *p,
		       bool add, struct diag *diag)
{
	char text[IP_TEXT_SIZE];

	return sink(b, diag, "%s %s %s", verb(add), what, ip_prefix_format(p, text));
}

static int sink_own(void *ctx, const struct ip_prefix *p, bool add, struct diag *diag)
{
	return sink_prefix(ctx, "own-prefix", p, add, diag);
}

static int sink_permit(void *ctx, const struct ip_prefix *p, bool add, struct diag *diag)
{
	return sink_prefix(ctx, "permit", p, add, diag);
}

static int sink_listen(struct bench *b, const char *what, const struct config_listen *l,
		       bool add, struct diag *diag)
{
	char text[IP_TEXT_SIZE];

	return sink(b, diag, "%s %s %s %u", verb(add), what,
		    ip_addr_format(&l->addr, text), l->port);
}

static int sink_bmp(void *ctx, const struct config_listen *l, bool add, struct diag *diag)
{
	return sink_listen(ctx, "bmp", l, add, diag);
}

static int sink_agent(void *ctx, const struct config_listen *l, bool add,
		      struct diag *diag)
{
	return sink_listen(ctx, "agent", l, add, diag);
}

static int sink_allow(void *ctx, const struct config_bmp_allow *a, bool add,
		      struct diag *diag)
{
	return sink_prefix(ctx, a->password, &a->prefix, add, diag);
}

static const struct config_sink test_sink = {
	.router = sink_router,
	.customer = sink_customer,
	.edge = sink_edge,
	.own_prefix = sink_own,
	.permit = sink_permit,
	.bmp_listen = sink_bmp,
	.agent_listen = sink_agent,
	.bmp_allow = sink_allow,
};

static void on_before(enum config_part part, const char *router, const char *interface,
		      void *arg)
{
	struct bench *b = arg;

	b->befores++;
	free(b->at_before);
	b->at_before = dump(&b->cfg);
}

static void on_watch(enum config_part part, const char *router, const char *interface,
		     void *arg)
{
	static const char *const parts[] = {
		[CONFIG_ROUTER] = "router", [CONFIG_CUSTOMER] = "customer",
		[CONFIG_EDGE] = "edge",	    [CONFIG_SPACE] = "space",
		[CONFIG_LISTEN] = "listen",
		[CONFIG_FEED] = "feed",
	};
	struct bench *b = arg;

	b->watches++;
	snprintf(b->watched, sizeof(b->watched), "%s %s %s", parts[part],
		 router ? router : "-", interface ? interface : "-");
}

static int setup(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	config_init(&b->cfg);
	b->cfg.sink = &test_sink;
	b->cfg.sink_ctx = b;
	b->cfg.before = on_before;
	b->cfg.watch = on_watch;
	b->cfg.watch_arg = b;
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	config_fini(&b->cfg);
	free(b->at_before);
	free(b);
	return 0;
}

/* ---- texts ---- */

static void put(char **text, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void put(char **text, const char *fmt, ...)
{
	char line[300], *all;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	assert_true(asprintf(&all, "%s%s", *text ? *text : "", line) >= 0);
	free(*text);
	*text = all;
}

static void put_prefixes(char **text, const char *what, const struct ip_prefix *p,
			 size_t n)
{
	char one[IP_TEXT_SIZE];

	for (size_t i = 0; i < n; i++)
		put(text, "%s %s\n", what, ip_prefix_format(&p[i], one));
}

/* Everything that is in it, in the order in which it stands there. */
static char *dump(const struct config *cfg)
{
	char *text = NULL, addr[IP_TEXT_SIZE];

	put(&text, "config\n");
	for (size_t i = 0; i < cfg->n_routers; i++) {
		put(&text, "router %s\n", cfg->routers[i].name);
		for (size_t k = 0; k < cfg->routers[i].n_bmp_sources; k++)
			put(&text, " source %s\n",
			    ip_addr_format(&cfg->routers[i].bmp_sources[k], addr));
	}
	for (size_t i = 0; i < cfg->n_customers; i++) {
		put(&text, "customer %s as %u\n", cfg->customers[i].name,
		    cfg->customers[i].as);
		put_prefixes(&text, " prefix", cfg->customers[i].prefixes,
			     cfg->customers[i].n_prefixes);
	}
	for (size_t i = 0; i < cfg->n_edges; i++) {
		const struct config_edge *e = &cfg->edges[i];

		put(&text, "edge %s %s customer \"%s\" %d %d %d %u %u %u %d\n", e->router,
		    e->interface, e->customer, e->role, e->mode, e->action, e->holddown_s,
		    e->brake_shrink_percent, e->stale_s, e->stale_policy);
		for (size_t k = 0; k < e->n_peers; k++)
			put(&text, " peer %s\n", ip_addr_format(&e->peers[k], addr));
		put_prefixes(&text, " prefix", e->prefixes, e->n_prefixes);
	}
	put_prefixes(&text, "own", cfg->own, cfg->n_own);
	put_prefixes(&text, "permit", cfg->permits, cfg->n_permits);
	for (size_t i = 0; i < cfg->n_bmp_listens; i++)
		put(&text, "bmp %s %u\n", ip_addr_format(&cfg->bmp_listens[i].addr, addr),
		    cfg->bmp_listens[i].port);
	for (size_t i = 0; i < cfg->n_bmp_allows; i++)
		put(&text, "allow %s %s\n",
		    ip_prefix_format(&cfg->bmp_allows[i].prefix, addr),
		    cfg->bmp_allows[i].password);
	for (size_t i = 0; i < cfg->n_agent_listens; i++)
		put(&text, "agent %s %u\n",
		    ip_addr_format(&cfg->agent_listens[i].addr, addr),
		    cfg->agent_listens[i].port);
	return text;
}

/* ---- objects ---- */

static int put_router(struct bench *b, const char *name, struct diag *diag)
{
	struct config_router r = { 0 };

	snprintf(r.name, sizeof(r.name), "%s", name);
	return config_router_put(&b->cfg, &r, diag);
}

static int put_customer(struct bench *b, const char *name, struct diag *diag)
{
	struct config_customer c = { 0 };

	snprintf(c.name, sizeof(c.name), "%s", name);
	return config_customer_put(&b->cfg, &c, diag);
}

static int put_edge(struct bench *b, const char *router, const char *interface,
		    const char *customer, const char *peer, struct diag *diag)
{
	struct config_edge e;
	int ret;

	config_edge_init(&e, router, interface);
	snprintf(e.customer, sizeof(e.customer), "%s", customer);
	if (peer) {
		struct ip_addr a = addr_of(peer);

		config_addrs_set(&e.peers, &e.n_peers, &a, true);
	}
	ret = config_edge_put(&b->cfg, &e, diag);
	config_edge_fini(&e);
	return ret;
}

static void fill(struct bench *b)
{
	struct diag diag;

	assert_int_equal(put_router(b, "r1", &diag), 0);
	assert_int_equal(put_router(b, "r2", &diag), 0);
	assert_int_equal(put_customer(b, "acme", &diag), 0);
	assert_int_equal(put_edge(b, "r1", "eth0", "acme", "192.0.2.1", &diag), 0);
}

/* The change was refused with this text, and nothing knows of it. */
static void check_refused(struct bench *b, int ret, const struct diag *diag,
			  const char *before, const char *text, int line)
{
	char *after = dump(&b->cfg);

	if (ret != -1)
		fail_msg("line %d: not refused", line);
	if (strcmp(diag->text, text) != 0)
		fail_msg("line %d: \"%s\", not \"%s\"", line, diag->text, text);
	if (strcmp(before, after) != 0)
		fail_msg("line %d: changed from\n%sto\n%s", line, before, after);
	free(after);
}
#define REFUSED(call, text)                                                              \
	do {                                                                             \
		unsigned int sinks_ = b->sinks, watches_ = b->watches;                   \
		char *before_ = dump(&b->cfg);                                           \
		struct diag why = { "" };                                                \
		int ret_ = (call);                                                       \
                                                                                         \
		check_refused(b, ret_, &why, before_, text, __LINE__);                   \
		assert_int_equal(b->watches, watches_);                                  \
		assert_int_equal(b->sinks, sinks_);                                      \
		free(before_);                                                           \
	} while (0)

/* ---- refusals ---- */

static void test_names(void **state)
{
	static const char *const bad[] = { "",	  "-r",	 ".r",	 "_r",
					   "r 1", "r/1", "r\"1", "r\n1" };
	static const char *const good[] = { "r", "R1", "1", "r1.example.net", "a_b-c." };
	struct bench *b = *state;
	struct diag diag;
	char text[300];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text),
			 "router name \"%s\" is not valid: use 1 to 63 letters, digits, "
			 "'.', "
			 "'_' or '-', starting with a letter or digit",
			 bad[i]);
		REFUSED(put_router(b, bad[i], &why), text);
		snprintf(text, sizeof(text),
			 "customer name \"%s\" is not valid: use 1 to 63 letters, "
			 "digits, '.', "
			 "'_' or '-', starting with a letter or digit",
			 bad[i]);
		REFUSED(put_customer(b, bad[i], &why), text);
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(put_router(b, good[i], &diag), 0);
		assert_int_equal(put_customer(b, good[i], &diag), 0);
	}
}

static void test_edge_refusals(void **state)
{
	struct bench *b = *state;

	fill(b);
	REFUSED(put_edge(b, "r1", "", "", NULL, &why), "\"\" is not an interface name");
	REFUSED(put_edge(b, "r1", "eth 0", "", NULL, &why),
		"\"eth 0\" is not an interface name");
	REFUSED(put_edge(b, "r1", "..", "", NULL, &why),
		"\"..\" is not an interface name");
	REFUSED(put_edge(b, "r9", "eth0", "", NULL, &why),
		"there is no router r9: type \"router r9\" in configuration mode first");
	REFUSED(put_edge(b, "r1", "eth1", "nobody", NULL, &why),
		"there is no customer nobody: type \"customer nobody\" in configuration "
		"mode "
		"first");
	REFUSED(put_edge(b, "r1", "eth0", "nobody", NULL, &why),
		"there is no customer nobody: type \"customer nobody\" in configuration "
		"mode "
		"first");
}

static void test_edge_bounds(void **state)
{
	struct bench *b = *state;
	struct config_edge e;
	struct diag diag;

	fill(b);
	config_edge_init(&e, "r1", "eth0");
	e.holddown_s = 86401;
	REFUSED(config_edge_put(&b->cfg, &e, &why),
		"holddown 86401: use 0 to 86400 seconds");
	e.holddown_s = 86400;
	assert_int_equal(config_edge_put(&b->cfg, &e, &diag), 0);
	e.holddown_s = 0;
	assert_int_equal(config_edge_put(&b->cfg, &e, &diag), 0);
	e.brake_shrink_percent = 0;
	REFUSED(config_edge_put(&b->cfg, &e, &why),
		"brake shrink 0: use 1 to 100 percent");
	e.brake_shrink_percent = 101;
	REFUSED(config_edge_put(&b->cfg, &e, &why),
		"brake shrink 101: use 1 to 100 percent");
	e.brake_shrink_percent = 100;
	assert_int_equal(config_edge_put(&b->cfg, &e, &diag), 0);
	for (unsigned int i = 0; i < FILTER_PEERS_MAX + 1; i++) {
		struct ip_addr a = { i, IP_V4 };

		config_addrs_set(&e.peers, &e.n_peers, &a, true);
	}
	REFUSED(config_edge_put(&b->cfg, &e, &why), "an edge has at most 256 peers");
	e.n_peers--;
	assert_int_equal(config_edge_put(&b->cfg, &e, &diag), 0);
	config_edge_fini(&e);
}

static void test_a_peer_is_on_one_edge_of_a_router(void **state)
{
	struct bench *b = *state;
	struct ip_addr a = addr_of("192.0.2.1");
	struct diag diag;

	fill(b);
	REFUSED(put_edge(b, "r1", "eth1", "", "192.0.2.1", &why),
		"peer 192.0.2.1 is on edge r1 eth0 already: type \"no peer 192.0.2.1\" "
		"there "
		"first");
	/* itself again, and the same address at another router */
	assert_int_equal(put_edge(b, "r1", "eth0", "", "192.0.2.1", &diag), 0);
	assert_int_equal(put_edge(b, "r2", "eth0", "", "192.0.2.1", &diag), 0);
	assert_string_equal(config_edge_by_peer(&b->cfg, "r1", &a)->router, "r1");
	assert_string_equal(config_edge_by_peer(&b->cfg, "r2", &a)->router, "r2");
	/* moved away, it is free */
	assert_int_equal(put_edge(b, "r1", "eth0", "", NULL, &diag), 0);
	assert_null(config_edge_by_peer(&b->cfg, "r1", &a));
	assert_int_equal(put_edge(b, "r1", "eth1", "", "192.0.2.1", &diag), 0);
}

static void test_deletes_of_what_is_used_or_not_there(void **state)
{
	struct bench *b = *state;
	struct diag diag;

	fill(b);
	REFUSED(config_router_del(&b->cfg, "r1", &why),
		"router r1 still has edges: type \"no edge r1 eth0\" first");
	REFUSED(config_customer_del(&b->cfg, "acme", &why),
		"customer acme is used by edge r1 eth0: type \"no customer\" there "
		"first");
	REFUSED(config_router_del(&b->cfg, "r9", &why), "there is no router r9");
	REFUSED(config_customer_del(&b->cfg, "acm", &why), "there is no customer acm");
	REFUSED(config_edge_del(&b->cfg, "r1", "eth", &why), "there is no edge r1 eth");
	REFUSED(config_edge_del(&b->cfg, "r2", "eth0", &why), "there is no edge r2 eth0");
	assert_int_equal(config_edge_del(&b->cfg, "r1", "eth0", &diag), 0);
	assert_int_equal(config_router_del(&b->cfg, "r1", &diag), 0);
	assert_int_equal(config_customer_del(&b->cfg, "acme", &diag), 0);
}

/* A name too long for an interface must not be that of another one, cut. */
static void test_long_names_are_not_cut_to_others(void **state)
{
	struct bench *b = *state;
	struct diag diag;

	fill(b);
	assert_int_equal(put_edge(b, "r1", "a23456789012345", "", NULL, &diag), 0);
	assert_non_null(config_edge_find(&b->cfg, "r1", "a23456789012345"));
	assert_null(config_edge_find(&b->cfg, "r1", "a234567890123456"));
	REFUSED(config_edge_del(&b->cfg, "r1", "a234567890123456", &why),
		"there is no edge r1 a234567890123456");
}

/* ---- the store fails ---- */

struct change {
	int (*make)(struct bench *b, struct diag *diag);
	const char *sunk, *watched;
};

static int change_new_router(struct bench *b, struct diag *diag)
{
	return put_router(b, "r0", diag);
}

static int change_router(struct bench *b, struct diag *diag)
{
	struct config_router r = { .name = "r1" };
	struct ip_addr a = addr_of("192.0.2.9");
	int ret;

	config_addrs_set(&r.bmp_sources, &r.n_bmp_sources, &a, true);
	ret = config_router_put(&b->cfg, &r, diag);
	config_router_fini(&r);
	return ret;
}

static int change_no_router(struct bench *b, struct diag *diag)
{
	return config_router_del(&b->cfg, "r2", diag);
}

static int change_new_customer(struct bench *b, struct diag *diag)
{
	return put_customer(b, "aaa", diag);
}

static int change_customer(struct bench *b, struct diag *diag)
{
	struct config_customer c = { .name = "acme", .as = 64512 };

	return config_customer_put(&b->cfg, &c, diag);
}

static int change_new_edge(struct bench *b, struct diag *diag)
{
	return put_edge(b, "r1", "dummy0", "acme", NULL, diag);
}

static int change_edge(struct bench *b, struct diag *diag)
{
	return put_edge(b, "r1", "eth0", "", "192.0.2.1", diag);
}

static int change_no_edge(struct bench *b, struct diag *diag)
{
	return config_edge_del(&b->cfg, "r1", "eth0", diag);
}

static int change_no_customer(struct bench *b, struct diag *diag)
{
	return config_customer_del(&b->cfg, "aaa", diag);
}

static int change_own(struct bench *b, struct diag *diag)
{
	struct ip_prefix p = prefix_of("198.51.100.0/24");

	return config_own_set(&b->cfg, &p, true, diag);
}

static int change_no_own(struct bench *b, struct diag *diag)
{
	struct ip_prefix p = prefix_of("198.51.100.0/24");

	return config_own_set(&b->cfg, &p, false, diag);
}

static int change_permit(struct bench *b, struct diag *diag)
{
	struct ip_prefix p = prefix_of("100.64.0.0/10");

	return config_permit_set(&b->cfg, &p, true, diag);
}

static int change_no_permit(struct bench *b, struct diag *diag)
{
	struct ip_prefix p = prefix_of("100.64.0.0/10");

	return config_permit_set(&b->cfg, &p, false, diag);
}

static int listen_set(struct bench *b, bool bmp, bool add, struct diag *diag)
{
	struct config_listen l = { addr_of("::1"), 11019 };

	return bmp ? config_bmp_listen_set(&b->cfg, &l, add, diag)
		   : config_agent_listen_set(&b->cfg, &l, add, diag);
}

static int change_bmp(struct bench *b, struct diag *diag)
{
	return listen_set(b, true, true, diag);
}

static int change_no_bmp(struct bench *b, struct diag *diag)
{
	return listen_set(b, true, false, diag);
}

static int change_agent(struct bench *b, struct diag *diag)
{
	return listen_set(b, false, true, diag);
}

static int change_no_agent(struct bench *b, struct diag *diag)
{
	return listen_set(b, false, false, diag);
}

static int allow_set(struct bench *b, const char *password, bool add, struct diag *diag)
{
	struct config_bmp_allow a = { prefix_of("192.0.2.0/24"), "" };

	snprintf(a.password, sizeof(a.password), "%s", password);
	return config_bmp_allow_set(&b->cfg, &a, add, diag);
}

static int change_allow(struct bench *b, struct diag *diag)
{
	return allow_set(b, "one", true, diag);
}

static int change_password(struct bench *b, struct diag *diag)
{
	return allow_set(b, "two", true, diag);
}

static int change_no_allow(struct bench *b, struct diag *diag)
{
	return allow_set(b, "any", false, diag);
}

/* One after the other, each changes something. */
static const struct change changes[] = {
	{ change_new_router, "put router r0", "router r0 -" },
	{ change_router, "put router r1", "router r1 -" },
	{ change_no_router, "del router r2", "router r2 -" },
	{ change_new_customer, "put customer aaa", "customer - -" },
	{ change_customer, "put customer acme", "customer - -" },
	{ change_new_edge, "put edge r1 dummy0", "edge r1 dummy0" },
	{ change_edge, "put edge r1 eth0", "edge r1 eth0" },
	{ change_no_edge, "del edge r1 eth0", "edge r1 eth0" },
	{ change_no_customer, "del customer aaa", "customer - -" },
	{ change_own, "put own-prefix 198.51.100.0/24", "space - -" },
	{ change_no_own, "del own-prefix 198.51.100.0/24", "space - -" },
	{ change_permit, "put permit 100.64.0.0/10", "space - -" },
	{ change_no_permit, "del permit 100.64.0.0/10", "space - -" },
	{ change_bmp, "put bmp ::1 11019", "listen - -" },
	{ change_no_bmp, "del bmp ::1 11019", "listen - -" },
	{ change_agent, "put agent ::1 11019", "listen - -" },
	{ change_no_agent, "del agent ::1 11019", "listen - -" },
	{ change_allow, "put one 192.0.2.0/24", "listen - -" },
	{ change_password, "put two 192.0.2.0/24", "listen - -" },
	{ change_no_allow, "del any 192.0.2.0/24", "listen - -" },
};

static void check_failing(struct bench *b, const struct change *c)
{
	char *before = dump(&b->cfg), *after;
	unsigned int watches = b->watches;
	struct diag diag = { "" };

	b->sink_fails = true;
	assert_int_equal(c->make(b, &diag), -1);
	b->sink_fails = false;
	assert_string_equal(diag.text, "the disk is full");
	assert_string_equal(b->sunk, c->sunk);
	assert_int_equal(b->watches, watches);
	after = dump(&b->cfg);
	assert_string_equal(before, after);
	free(before);
	free(after);
}

static void check_working(struct bench *b, const struct change *c)
{
	char *before = dump(&b->cfg), *after;
	unsigned int watches = b->watches, befores = b->befores;
	struct diag diag = { "" };

	assert_int_equal(c->make(b, &diag), 0);
	assert_string_equal(b->sunk, c->sunk);
	assert_string_equal(b->watched, c->watched);
	assert_int_equal(b->watches, watches + 1);
	after = dump(&b->cfg);
	assert_string_not_equal(before, after);
	/* listeners concern no set, so nothing has to be worked off before */
	if (strncmp(c->watched, "listen", 6) != 0) {
		assert_int_equal(b->befores, befores + 1);
		assert_string_equal(b->at_before, before);
	}
	free(before);
	free(after);
}

static void test_nothing_is_half_done(void **state)
{
	struct bench *b = *state;

	fill(b);
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		check_failing(b, &changes[i]);
		check_working(b, &changes[i]);
	}
}

/* What is there already, or is not, changes nothing and tells nobody. */
static void test_lists_are_sets(void **state)
{
	static const struct {
		size_t on, off;
	} pairs[] = { { 9, 10 }, { 11, 12 }, { 13, 14 }, { 15, 16 } };
	struct bench *b = *state;
	struct diag diag;

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		assert_int_equal(changes[pairs[i].off].make(b, &diag), 0);
		assert_int_equal(b->watches, 0);
		assert_int_equal(changes[pairs[i].on].make(b, &diag), 0);
		assert_int_equal(changes[pairs[i].on].make(b, &diag), 0);
		assert_int_equal(b->watches, 1);
		assert_int_equal(changes[pairs[i].off].make(b, &diag), 0);
		b->watches = 0;
	}
}

static void test_without_store_and_watcher(void **state)
{
	struct bench *b = *state;
	struct diag diag;

	b->cfg.sink = NULL;
	b->cfg.before = b->cfg.watch = NULL;
	fill(b);
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++)
		assert_int_equal(changes[i].make(b, &diag), 0);
	assert_int_equal(b->sinks + b->befores + b->watches, 0);
}

/* ---- arrays ---- */

static void test_arrays_are_sorted(void **state)
{
	static const char *const names[] = { "m", "z", "a", "b10", "b1", "B", "9" };
	static const char *const want =
		"config\n"
		"router 9\nrouter B\nrouter a\nrouter b1\nrouter b10\n"
		"router m\nrouter z\n"
		"customer 9 as 0\ncustomer B as 0\ncustomer a as 0\n"
		"customer b1 as 0\ncustomer b10 as 0\ncustomer m as 0\n"
		"customer z as 0\n";
	struct bench *b = *state;
	struct diag diag;
	char *text;

	for (size_t i = 0; i < 7; i++) {
		assert_int_equal(put_router(b, names[i], &diag), 0);
		assert_int_equal(put_customer(b, names[i], &diag), 0);
	}
	text = dump(&b->cfg);
	assert_string_equal(text, want);
	free(text);
	for (size_t i = 0; i < 7; i++) {
		assert_string_equal(config_router_find(&b->cfg, names[i])->name,
				    names[i]);
		assert_string_equal(config_customer_find(&b->cfg, names[i])->name,
				    names[i]);
		for (size_t k = 0; k < 7; k++)
			assert_int_equal(put_edge(b, names[k], names[i], "", NULL, &diag),
					 0);
	}
	for (size_t i = 1; i < b->cfg.n_edges; i++) {
		const struct config_edge *x = &b->cfg.edges[i - 1], *y = &b->cfg.edges[i];
		int c = strcmp(x->router, y->router);

		assert_true(c < 0 || (c == 0 && strcmp(x->interface, y->interface) < 0));
	}
	for (size_t i = 0; i < 7; i++) {
		for (size_t k = 0; k < 7; k++)
			assert_non_null(config_edge_find(&b->cfg, names[i], names[k]));
	}
	assert_null(config_router_find(&b->cfg, "b2"));
	assert_null(config_edge_find(&b->cfg, "b1", ""));
}

/* ---- copies ---- */

static void test_arguments_are_copied(void **state)
{
	struct bench *b = *state;
	struct config_edge e;
	struct ip_prefix p = prefix_of("198.51.100.0/24");
	struct diag diag;
	char *before, *after;

	fill(b);
	config_edge_copy(&e, config_edge_find(&b->cfg, "r1", "eth0"));
	config_prefixes_set(&e.prefixes, &e.n_prefixes, &p, true);
	assert_int_equal(config_edge_put(&b->cfg, &e, &diag), 0);
	before = dump(&b->cfg);
	e.prefixes[0].v = 0;
	e.peers[0].v = 0;
	config_edge_fini(&e);
	after = dump(&b->cfg);
	assert_string_equal(before, after);
	free(after);
	/* what is in it may be put again as it is */
	assert_int_equal(config_edge_put(&b->cfg, &b->cfg.edges[0], &diag), 0);
	assert_int_equal(config_router_put(&b->cfg, &b->cfg.routers[1], &diag), 0);
	assert_int_equal(config_customer_put(&b->cfg, &b->cfg.customers[0], &diag), 0);
	after = dump(&b->cfg);
	assert_string_equal(before, after);
	free(before);
	free(after);
	/* and removed by its own name */
	assert_int_equal(config_edge_del(&b->cfg, b->cfg.edges[0].router,
					 b->cfg.edges[0].interface, &diag),
			 0);
	assert_string_equal(b->watched, "edge r1 eth0");
	assert_int_equal(config_router_del(&b->cfg, b->cfg.routers[0].name, &diag), 0);
	assert_string_equal(b->watched, "router r1 -");
	assert_int_equal(config_customer_del(&b->cfg, b->cfg.customers[0].name, &diag),
			 0);
}

/* A copy to try changes on: none of them is stored, told, or seen here. */
static void test_a_clone_is_on_its_own(void **state)
{
	struct bench *b = *state, other = { .sinks = 0 };
	char *before, *after;
	struct diag diag;

	fill(b);
	for (size_t i = 0; i < 12; i++)
		assert_int_equal(changes[i].make(b, &diag), 0);
	before = dump(&b->cfg);
	config_clone(&other.cfg, &b->cfg);
	after = dump(&other.cfg);
	assert_string_equal(before, after);
	free(after);
	b->sinks = b->befores = b->watches = 0;
	for (size_t i = 12; i < sizeof(changes) / sizeof(changes[0]); i++)
		assert_int_equal(changes[i].make(&other, &diag), 0);
	assert_int_equal(put_edge(&other, "r1", "dummy0", "", "192.0.2.7", &diag), 0);
	config_fini(&other.cfg);
	assert_int_equal(b->sinks + b->befores + b->watches, 0);
	after = dump(&b->cfg);
	assert_string_equal(before, after);
	free(before);
	free(after);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static bool is_allowed(const struct bench *b, const char *from)
{
	struct ip_addr addr = addr_of(from);

	return config_bmp_is_allowed(&b->cfg, &addr);
}

static void test_bmp_from_whom(void **state)
{
	struct bench *b = *state;
	struct config_bmp_allow a = { prefix_of("192.0.2.0/24"), "" };
	struct config_bmp_allow a6 = { prefix_of("2001:db8::/32"), "" };
	struct config_router r = { .name = "r9" };
	struct ip_addr source = addr_of("203.0.113.9");
	struct diag diag;

	assert_true(is_allowed(b, "198.51.100.1")); /* nothing is said */
	assert_int_equal(config_bmp_allow_set(&b->cfg, &a, true, &diag), 0);
	assert_true(is_allowed(b, "192.0.2.255"));
	assert_false(is_allowed(b, "192.0.3.0"));
	assert_false(is_allowed(b, "::c000:201"));
	assert_false(is_allowed(b, "203.0.113.9"));
	config_addrs_set(&r.bmp_sources, &r.n_bmp_sources, &source, true);
	assert_int_equal(config_router_put(&b->cfg, &r, &diag), 0);
	config_router_fini(&r);
	assert_true(is_allowed(b, "203.0.113.9")); /* a router says so */
	assert_int_equal(config_bmp_allow_set(&b->cfg, &a6, true, &diag), 0);
	assert_true(is_allowed(b, "2001:db8:ffff::1"));
	assert_false(is_allowed(b, "2001:db9::1"));
	strcpy(a.password, "a b");
	assert_int_equal(config_bmp_allow_set(&b->cfg, &a, true, &diag), -1);
	assert_string_equal(b->cfg.bmp_allows[0].password, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_names),
		CASE(test_edge_refusals),
		CASE(test_edge_bounds),
		CASE(test_a_peer_is_on_one_edge_of_a_router),
		CASE(test_deletes_of_what_is_used_or_not_there),
		CASE(test_long_names_are_not_cut_to_others),
		CASE(test_nothing_is_half_done),
		CASE(test_lists_are_sets),
		CASE(test_without_store_and_watcher),
		CASE(test_arrays_are_sorted),
		CASE(test_bmp_from_whom),
		CASE(test_arguments_are_copied),
		CASE(test_a_clone_is_on_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
