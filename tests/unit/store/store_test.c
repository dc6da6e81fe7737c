/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/store/store_test.h"

#include <fcntl.h>
#include <ftw.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controller/store/store_history.h"
#include "controller/store/store_radius.h"
#include "lib/mem.h"

char test_dir[64];
char test_path[128];

/* ---- files ---- */

int test_setup(void **state)
{
	(void)state;
	snprintf(test_dir, sizeof(test_dir), "/tmp/opensav-store-XXXXXX");
	if (!mkdtemp(test_dir))
		return -1;
	snprintf(test_path, sizeof(test_path), "%s/savd.db", test_dir);
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

int test_teardown(void **state)
{
	(void)state;
	return nftw(test_dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

char *test_read_file(const char *path, size_t *len)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *data;

	if (fd < 0 || fstat(fd, &st) < 0) {
		perror(path);
		abort();
	}
	data = mem_alloc((size_t)st.st_size + 1);
	if (read(fd, data, (size_t)st.st_size) != st.st_size)
		abort();
	close(fd);
	if (len)
		*len = (size_t)st.st_size;
	return data;
}

void test_write_file(const char *path, const void *data, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, data, len) != (ssize_t)len) {
		perror(path);
		abort();
	}
	close(fd);
}

char *test_read_source(const char *name)
{
	const char *src = getenv("OPENSAV_SRC");
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", src ? src : ".", name);
	return test_read_file(path, NULL);
}

void test_sql(const char *path, const char *sql)
{
	sqlite3 *db;
	char *text = NULL;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 2000);
	if (sqlite3_exec(db, sql, NULL, NULL, &text) != SQLITE_OK)
		fail_msg("%s: %s", sql, text);
	sqlite3_close(db);
}

/* ---- stores ---- */

struct store *test_open(struct config *cfg)
{
	struct diag diag = { "" };
	struct store *store = store_open(test_path, &diag);

	if (!store)
		fail_msg("%s", diag.text);
	config_init(cfg);
	if (store_config_load(store, cfg, &diag) < 0)
		fail_msg("%s", diag.text);
	cfg->sink = store_config_sink();
	cfg->sink_ctx = store;
	return store;
}

void test_close(struct store *store, struct config *cfg)
{
	config_fini(cfg);
	store_close(store);
}

void test_refused(struct diag *diag)
{
	size_t before_len, after_len;
	char *before = test_read_file(test_path, &before_len), *after;

	diag->text[0] = '\0';
	assert_null(store_open(test_path, diag));
	assert_contains(diag->text, test_path);
	after = test_read_file(test_path, &after_len);
	assert_int_equal(before_len, after_len);
	assert_memory_equal(before, after, before_len);
	free(before);
	free(after);
}

/* ---- values ---- */

struct ip_prefix test_prefix(const char *text)
{
	struct ip_prefix p;

	assert_int_equal(ip_prefix_parse(text, &p), IP_PARSE_OK);
	return p;
}

struct ip_addr test_addr(const char *text)
{
	struct ip_addr a;

	assert_true(ip_addr_parse(text, &a));
	return a;
}

static void add_prefix(struct ip_prefix **list, size_t *n, const char *text)
{
	struct ip_prefix p = test_prefix(text);

	config_prefixes_set(list, n, &p, true);
}

static void add_addr(struct ip_addr **list, size_t *n, const char *text)
{
	struct ip_addr a = test_addr(text);

	config_addrs_set(list, n, &a, true);
}

struct config_edge test_edge(const char *router, const char *interface)
{
	struct config_edge e;

	config_edge_init(&e, router, interface);
	e.role = ROLE_CUSTOMER;
	return e;
}

struct filter test_filter(const char *interface, uint64_t generation)
{
	struct filter f = { .generation = generation, .action = FILTER_ENFORCE };
	struct ip_addr peers[] = { test_addr("192.0.2.1"), test_addr("2001:db8::1") };
	struct ip_prefix p[] = { test_prefix("198.51.100.0/24"),
				 test_prefix("10.0.0.0/7"), test_prefix("2001:db8::/32"),
				 test_prefix("203.0.113.7/32") };

	snprintf(f.interface, sizeof(f.interface), "%s", interface);
	for (size_t i = 0; i < sizeof(p) / sizeof(p[0]); i++)
		addrset_append(&f.accept, &p[i]);
	addrset_normalize(&f.accept);
	filter_set_peers(&f, peers, 2);
	return f;
}

static void must(int rc, const struct diag *diag)
{
	if (rc < 0)
		fail_msg("%s", diag->text);
}

static void fill_radius(struct config *cfg)
{
	struct config_radius_client c = { .name = "bng1", .secret = "s3cret", .router = "r1" };
	struct config_radius_rule rule = { .number = 10,	 .client = "bng*",
					   .nas = "nas1",	 .port = "ppp*",
					   .station = "00-11-*", .vendor = 32473,
					   .attribute = 4,	 .value = "eth?",
					   .router = "r1",	 .interface = "%p",
					   .create = ROLE_HOST };
	struct config_radius_server server = { test_addr("2001:db8::53"), 1812, "other" };
	struct config_radius_listen listen = { false, test_addr("0.0.0.0"), 1813 };
	struct config_radius_listen dynamic = { true, test_addr("2001:db8::2"), 3799 };
	struct config_radius_settings s;
	struct diag diag;

	add_prefix(&c.addresses, &c.n_addresses, "192.0.2.7/32");
	add_prefix(&c.addresses, &c.n_addresses, "2001:db8:7::/64");
	add_prefix(&c.pool, &c.n_pool, "198.51.100.0/24");
	c.dynamic_authorization = true;
	must(config_radius_client_put(cfg, &c, &diag), &diag);
	config_radius_client_fini(&c);
	must(config_radius_rule_put(cfg, &rule, &diag), &diag);
	must(config_radius_server_set(cfg, &server, true, &diag), &diag);
	must(config_radius_listen_set(cfg, &listen, true, &diag), &diag);
	must(config_radius_listen_set(cfg, &dynamic, true, &diag), &diag);
	config_radius_settings_init(&s);
	s.conflict = RADIUS_BOTH;
	s.silence_s = 0;
	s.min_len[IP_V4] = 16;
	s.max_len[IP_V6] = 64;
	snprintf(s.profile_user, sizeof(s.profile_user), "%%r-%%n");
	must(config_radius_settings_put(cfg, &s, &diag), &diag);
}

static void fill_edges(struct config *cfg)
{
	struct config_edge e = test_edge("r1", "eth0");
	struct diag diag;

	snprintf(e.customer, sizeof(e.customer), "acme");
	e.mode = MODE_EFP_A;
	e.action = FILTER_ENFORCE;
	e.holddown_s = 60;
	e.brake_shrink_percent = 20;
	e.brake_growth_percent = 0;
	e.stale_s = 7200;
	e.stale_policy = STALE_LOOSE;
	e.pending = PENDING_DROP;
	snprintf(e.profile, sizeof(e.profile), "acme-1");
	add_addr(&e.peers, &e.n_peers, "192.0.2.9");
	add_addr(&e.peers, &e.n_peers, "2001:db8::9");
	add_prefix(&e.prefixes, &e.n_prefixes, "100.64.0.0/10");
	must(config_edge_put(cfg, &e, &diag), &diag);
	config_edge_fini(&e);
	config_edge_init(&e, "r2", "xe-0.100"); /* all defaults, no role yet */
	must(config_edge_put(cfg, &e, &diag), &diag);
	config_edge_fini(&e);
}

void test_fill_config(struct config *cfg)
{
	struct config_router r1 = { .name = "r1" }, r2 = { .name = "r2" };
	struct config_customer acme = { .name = "acme", .as = 4294967295 },
			       none = { .name = "b" };
	struct config_listen bmp = { test_addr("0.0.0.0"), 11019 };
	struct config_listen agent = { test_addr("2001:db8::2"), 65535 };
	struct ip_prefix own = test_prefix("203.0.113.0/24"), own6 = test_prefix("::/0");
	struct ip_prefix permit = test_prefix("100.64.0.0/10");
	struct config_term term = { test_prefix("9.9.9.0/24"), 1700000000, 1800000000, true };
	struct config_history history = { 90, 4096 };
	struct config_bmp_allow allow = { test_prefix("192.0.2.0/24"), "" },
				signer = { test_prefix("2001:db8:7::/48"), "s3cret" };
	struct diag diag;

	must(config_history_set(cfg, &history, &diag), &diag);
	must(config_max_paths_set(cfg, 1500000, &diag), &diag);
	add_addr(&r1.bmp_sources, &r1.n_bmp_sources, "192.0.2.1");
	add_addr(&r1.bmp_sources, &r1.n_bmp_sources, "fe80::1");
	r1.bgp = (struct config_bgp){ test_addr("2001:db8::1"), 4200000000, 1790, "secret" };
	add_addr(&r1.excluded, &r1.n_excluded, "192.0.2.77");
	add_addr(&r1.excluded, &r1.n_excluded, "fe80::77");
	r1.bmp_stats_s = 60;
	r2.redump_s = 86400;
	r2.exclude_bgp = true;
	must(config_router_put(cfg, &r1, &diag), &diag);
	must(config_router_put(cfg, &r2, &diag), &diag);
	add_prefix(&acme.prefixes, &acme.n_prefixes, "9.0.0.0/8");
	add_prefix(&acme.prefixes, &acme.n_prefixes, "10.0.0.0/8");
	add_prefix(&acme.prefixes, &acme.n_prefixes, "2001:db8:ffff::/48");
	must(config_customer_put(cfg, &acme, &diag), &diag);
	config_record_set(&none, &term);
	must(config_customer_put(cfg, &none, &diag), &diag);
	fill_edges(cfg);
	fill_radius(cfg);
	must(config_own_set(cfg, &own, true, &diag), &diag);
	must(config_own_set(cfg, &own6, true, &diag), &diag);
	must(config_permit_set(cfg, &permit, true, &diag), &diag);
	must(config_bmp_listen_set(cfg, &bmp, true, &diag), &diag);
	must(config_agent_listen_set(cfg, &agent, true, &diag), &diag);
	must(config_metrics_listen_set(cfg, &agent, true, &diag), &diag);
	must(config_bmp_allow_set(cfg, &allow, true, &diag), &diag);
	must(config_bmp_allow_set(cfg, &signer, true, &diag), &diag);
	config_router_fini(&r1);
	config_customer_fini(&acme);
	config_customer_fini(&none);
}

static void fill_history(struct store *store)
{
	struct store_command done = { .at_ms = 1700000000001,
				      .who = "root",
				      .line = "own-prefix 192.0.2.0/24",
				      .result = "" };
	struct store_command refused = { .at_ms = 1700000000002,
					 .who = "root",
					 .line = "no router r1",
					 .result = "it has edges" };
	struct store_pending pending = { .revision = 1, .due_ms = 1700000060000, .who = "root" };
	struct store_event event = { 1700000000003, true, "edge r1 eth0: held back" };
	struct diag diag;

	must(store_command_add(store, &done, true, &diag), &diag);
	must(store_command_change(store, done.id, 0, "", "+own-prefix 192.0.2.0/24\n", &diag),
	     &diag);
	must(store_command_add(store, &refused, false, &diag), &diag);
	must(store_pending_set(store, &pending, &diag), &diag);
	must(store_event_add(store, &event, &diag), &diag);
}

void test_fill_rest(struct store *store)
{
	struct filter f = test_filter("eth0", 7), empty = { .interface = "xe-0.100" };
	uint8_t hash[32] = { 1, 2, 3 };
	struct store_radius_session session = {
		.client = "bng1", .nas = "nas1", .session = (const uint8_t *)"0a\0b", .session_len = 4,
		.router = "r1", .interface = "eth0", .started = 1700000000, .changed = 1700000009,
		.attributes = (const uint8_t *)"\x08\x06\xc6\x33\x64\x09", .attributes_len = 6,
	};
	struct diag diag;
	int n;

	must(store_set_change_add(store, "r1", &f, 1700000000123, "a route", &diag), &diag);
	must(store_generation_save(store, "r1", &f, 1700000000, &diag), &diag);
	fill_history(store);
	must(store_generation_save(store, "r2", &empty, 1700000001, &diag), &diag);
	must(store_certificate_add(store, "r1", "router", "0a", 10, 20, &diag), &diag);
	must(store_certificate_add(store, "r1", "router", "0b", 15, 25, &diag), &diag);
	must(store_certificate_add(store, "edge-7", "edge", "0c", 12, 22, &diag), &diag);
	must(store_agent_revoke(store, "edge-7", 18, &n, &diag), &diag);
	must(store_token_add(store, "r2", "router", hash, 2000000000, &diag), &diag);
	must(store_radius_session_save(store, &session, &diag), &diag);
	filter_fini(&f);
}

/* ---- text ---- */

static void put_addrs(FILE *out, const char *word, const struct ip_addr *a, size_t n)
{
	char text[IP_TEXT_SIZE];

	for (size_t i = 0; i < n; i++)
		fprintf(out, " %s %s", word, ip_addr_format(&a[i], text));
}

static void put_prefixes(FILE *out, const char *word, const struct ip_prefix *p, size_t n)
{
	char text[IP_TEXT_SIZE];

	for (size_t i = 0; i < n; i++)
		fprintf(out, " %s %s", word, ip_prefix_format(&p[i], text));
}

static void put_listens(FILE *out, const char *word, const struct config_listen *l,
			size_t n)
{
	char text[IP_TEXT_SIZE];

	for (size_t i = 0; i < n; i++)
		fprintf(out, "%s %s %u\n", word, ip_addr_format(&l[i].addr, text),
			l[i].port);
}

static void put_edge(FILE *out, const struct config_edge *e)
{
	fprintf(out,
		"edge %s %s customer \"%s\" role \"%s\" mode \"%s\" action %s holddown "
		"%u "
		"brake %u stale %u %s",
		e->router, e->interface, e->customer, edge_role_name(e->role),
		edge_mode_name(e->mode), filter_action_name(e->action), e->holddown_s,
		e->brake_shrink_percent, e->stale_s, stale_policy_name(e->stale_policy));
	put_addrs(out, "peer", e->peers, e->n_peers);
	put_prefixes(out, "prefix", e->prefixes, e->n_prefixes);
	if (e->brake_growth_percent != CONFIG_BRAKE_GROWTH)
		fprintf(out, " growth %u", e->brake_growth_percent);
	if (e->feasible_paths != 0)
		fprintf(out, " paths %u", e->feasible_paths);
	if (e->pending != PENDING_NONE)
		fprintf(out, " pending %s", edge_pending_name(e->pending));
	if (e->profile[0] != '\0')
		fprintf(out, " profile %s", e->profile);
	fprintf(out, "\n");
}

static void put_radius_rule(FILE *out, const struct config_radius_rule *r)
{
	fprintf(out, "radius rule %u %s %s %s %s %u.%u=%s edge %s %s create \"%s\"\n",
		r->number, r->client, r->nas, r->port, r->station, r->vendor, r->attribute,
		r->value, r->router, r->interface, edge_role_name((enum edge_role)r->create));
}

static void put_radius_settings(FILE *out, const struct config_radius_settings *s)
{
	struct config_radius_settings plain;

	config_radius_settings_init(&plain);
	if (s->conflict != plain.conflict || s->silence_s != plain.silence_s)
		fprintf(out, "radius settings %s %u %u %u %u \"%s\" \"%s\" %u",
			radius_conflict_name(s->conflict), s->window_s, s->silence_s,
			s->silence_hold_s, s->vendor, s->profile_user, s->profile_password,
			s->profile_refresh_s);
	if (s->min_len[IP_V4] != plain.min_len[IP_V4] ||
	    s->max_len[IP_V6] != plain.max_len[IP_V6])
		fprintf(out, " lengths %u-%u %u-%u", s->min_len[IP_V4], s->max_len[IP_V4],
			s->min_len[IP_V6], s->max_len[IP_V6]);
	if (s->conflict != plain.conflict || s->silence_s != plain.silence_s)
		fprintf(out, "\n");
}

static void put_radius(FILE *out, const struct config_radius *radius)
{
	char text[IP_TEXT_SIZE];

	for (size_t i = 0; i < radius->n_clients; i++) {
		const struct config_radius_client *c = &radius->clients[i];

		fprintf(out, "radius client %s \"%s\" router \"%s\" %d %d", c->name, c->secret,
			c->router, c->message_authenticator, c->dynamic_authorization);
		put_prefixes(out, "from", c->addresses, c->n_addresses);
		put_prefixes(out, "pool", c->pool, c->n_pool);
		fprintf(out, "\n");
	}
	for (size_t i = 0; i < radius->n_rules; i++)
		put_radius_rule(out, &radius->rules[i]);
	for (size_t i = 0; i < radius->n_servers; i++)
		fprintf(out, "radius server %s %u \"%s\"\n",
			ip_addr_format(&radius->servers[i].addr, text),
			radius->servers[i].port, radius->servers[i].secret);
	for (size_t i = 0; i < radius->n_listens; i++)
		fprintf(out, "radius listen %d %s %u\n", radius->listens[i].dynamic,
			ip_addr_format(&radius->listens[i].addr, text),
			radius->listens[i].port);
	put_radius_settings(out, &radius->settings);
}

static void put_term(FILE *out, const struct config_term *t)
{
	put_prefixes(out, "term", &t->prefix, 1);
	fprintf(out, " %lld-%lld%s", (long long)t->from, (long long)t->until,
		t->overlap ? " overlap" : "");
}

char *test_config_text(const struct config *cfg)
{
	char *text, addr[IP_TEXT_SIZE];
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (size_t i = 0; i < cfg->n_routers; i++) {
		const struct config_router *r = &cfg->routers[i];

		fprintf(out, "router %s", r->name);
		put_addrs(out, "from", r->bmp_sources, r->n_bmp_sources);
		if (r->bgp.as != 0) {
			put_addrs(out, "bgp", &r->bgp.addr, 1);
			fprintf(out, " as %u port %u \"%s\"", r->bgp.as, r->bgp.port,
				r->bgp.password);
		}
		if (r->bmp_stats_s != 0)
			fprintf(out, " stats %u", r->bmp_stats_s);
		if (r->redump_s != 0)
			fprintf(out, " redump %u", r->redump_s);
		put_addrs(out, "exclude", r->excluded, r->n_excluded);
		fprintf(out, "%s\n", r->exclude_bgp ? " exclude bgp" : "");
	}
	for (size_t i = 0; i < cfg->n_customers; i++) {
		const struct config_customer *c = &cfg->customers[i];

		fprintf(out, "customer %s as %u", c->name, c->as);
		put_prefixes(out, "prefix", c->prefixes, c->n_prefixes);
		for (size_t k = 0; k < c->n_terms; k++)
			put_term(out, &c->terms[k]);
		fprintf(out, "\n");
	}
	for (size_t i = 0; i < cfg->n_edges; i++)
		put_edge(out, &cfg->edges[i]);
	fprintf(out, "space");
	put_prefixes(out, "own", cfg->own, cfg->n_own);
	put_prefixes(out, "permit", cfg->permits, cfg->n_permits);
	fprintf(out, "\n");
	put_listens(out, "bmp", cfg->bmp_listens, cfg->n_bmp_listens);
	put_listens(out, "agent", cfg->agent_listens, cfg->n_agent_listens);
	put_listens(out, "metrics", cfg->metrics_listens, cfg->n_metrics_listens);
	for (size_t i = 0; i < cfg->n_bmp_allows; i++)
		fprintf(out, "allow %s \"%s\"\n",
			ip_prefix_format(&cfg->bmp_allows[i].prefix, addr),
			cfg->bmp_allows[i].password);
	if (cfg->max_paths != 0)
		fprintf(out, "max-paths %u\n", cfg->max_paths);
	put_radius(out, &cfg->radius);
	fclose(out);
	return text;
}

static void put_accept(const struct ip_prefix *p, void *arg)
{
	put_prefixes(arg, "accept", p, 1);
}

static void put_generation(const char *router, const struct filter *f, int64_t saved,
			   void *arg)
{
	fprintf(arg, "generation %s %s %llu %s saved %lld", router, f->interface,
		(unsigned long long)f->generation, filter_action_name(f->action),
		(long long)saved);
	addrset_each_prefix(&f->accept, put_accept, arg);
	put_addrs(arg, "peer", f->peers, f->n_peers);
	fprintf(arg, "\n");
}

static void put_agent(const struct store_agent *a, void *arg)
{
	fprintf(arg, "certificate %s %s %s %lld %lld%s\n", a->name, a->kind,
		a->serial_hex, (long long)a->issued, (long long)a->not_after,
		a->revoked ? " revoked" : "");
}

static void put_session(const struct store_radius_session *s, void *arg)
{
	fprintf(arg, "session %s %s ", s->client, s->nas);
	for (size_t i = 0; i < s->session_len; i++)
		fprintf(arg, "%02x", s->session[i]);
	fprintf(arg, " on %s %s %lld %lld ", s->router, s->interface, (long long)s->started,
		(long long)s->changed);
	for (size_t i = 0; i < s->attributes_len; i++)
		fprintf(arg, "%02x", s->attributes[i]);
	fprintf(arg, "\n");
}

static bool put_command(const struct store_command *c, void *arg)
{
	fprintf(arg, "command %lld %s \"%s\" revision %lld \"%s\"\n", (long long)c->at_ms,
		c->who, c->line, (long long)c->revision, c->result);
	return true;
}

static void put_change(int64_t revision, const char *object, const char *diff, void *arg)
{
	fprintf(arg, "change %lld \"%s\"\n%s", (long long)revision, object, diff);
}

static void put_prefix_line(const struct ip_prefix *p, void *arg)
{
	put_prefixes(arg, "", p, 1);
}

static bool put_set_change(const struct store_set_change *c, void *arg)
{
	fprintf(arg, "set %lld generation %llu %s added", (long long)c->at_ms,
		(unsigned long long)c->generation, c->action);
	addrset_each_prefix(&c->added, put_prefix_line, arg);
	fprintf(arg, " removed");
	addrset_each_prefix(&c->removed, put_prefix_line, arg);
	if (c->has_whole) {
		fprintf(arg, " whole");
		addrset_each_prefix(&c->whole, put_prefix_line, arg);
	}
	fprintf(arg, " because %s\n", c->reason);
	return true;
}

static bool put_event(const struct store_event *e, void *arg)
{
	fprintf(arg, "event %lld %d %s\n", (long long)e->at_ms, e->alarm, e->text);
	return true;
}

static void put_history(FILE *out, struct store *store)
{
	struct store_pending p;
	struct diag diag;

	must(store_commands_walk(store, put_command, out, &diag), &diag);
	must(store_changes_walk(store, 0, put_change, out, &diag), &diag);
	if (store_pending_get(store, &p, &diag) == 1)
		fprintf(out, "pending %lld %lld %s\n", (long long)p.revision,
			(long long)p.due_ms, p.who);
	must(store_set_changes_walk(store, "r1", "eth0", INT64_MAX, put_set_change, out, &diag),
	     &diag);
	must(store_events_walk(store, INT64_MAX, put_event, out, &diag), &diag);
}

char *test_store_text(struct store *store)
{
	struct diag diag = { "" };
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	must(store_generations_load(store, put_generation, out, &diag), &diag);
	if (diag.text[0] != '\0')
		fprintf(out, "%s\n", diag.text);
	must(store_agents_walk(store, put_agent, out, &diag), &diag);
	must(store_radius_sessions_load(store, put_session, out, &diag), &diag);
	put_history(out, store);
	fclose(out);
	return text;
}
