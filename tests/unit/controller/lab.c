/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/controller/lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/feed/bmp.h"
#include "lib/mem.h"
#include "tests/unit/feed/bmp_build.h"

#define OWN_AS	  64500
#define WORDS_MAX 24

static void fail_at(const struct lab *lab, const char *fmt, ...)
	__attribute__((format(printf, 2, 3), noreturn));

static void fail_at(const struct lab *lab, const char *fmt, ...)
{
	char what[2000];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	print_error("script line %d, at %lld.%03lld s: \"%s\"\n%s\n", lab->line,
		    (long long)lab->now_ms / 1000, (long long)lab->now_ms % 1000,
		    lab->text, what);
	fail();
	abort();
}

/* ---- what the engine hands out ---- */

static struct lab_filter *filter_find(struct lab *lab, const char *router,
				      const char *interface)
{
	for (size_t i = 0; i < lab->n_filters; i++) {
		struct lab_filter *f = &lab->filters[i];

		if (strcmp(f->router, router) == 0 &&
		    strcmp(f->filter.interface, interface) == 0)
			return f;
	}
	return NULL;
}

struct lab_filter *lab_filter(struct lab *lab, const char *router, const char *interface)
{
	struct lab_filter *f = filter_find(lab, router, interface);

	if (f)
		return f;
	assert_true(lab->n_filters < LAB_FILTERS_MAX);
	f = &lab->filters[lab->n_filters++];
	snprintf(f->router, sizeof(f->router), "%s", router);
	snprintf(f->filter.interface, sizeof(f->filter.interface), "%s", interface);
	return f;
}

static bool same_content(const struct filter *a, const struct filter *b)
{
	uint8_t x[FILTER_HASH_SIZE], y[FILTER_HASH_SIZE];

	filter_hash(a, x);
	filter_hash(b, y);
	return memcmp(x, y, sizeof(x)) == 0;
}

/* Generations only grow, and they do exactly when something changed. */
static void filter_set(void *ctx, const char *router, const struct filter *f)
{
	struct lab *lab = ctx;
	struct lab_filter *old = lab_filter(lab, router, f->interface);
	bool same;

	f = engine_filter(lab->engine, router, f->interface);
	same = same_content(&old->filter, f);

	if (f->generation == 0 || f->generation < old->filter.generation)
		fail_at(lab, "generation %llu after %llu",
			(unsigned long long)f->generation,
			(unsigned long long)old->filter.generation);
	if (old->there && same != (f->generation == old->filter.generation))
		fail_at(lab, "generation %llu of %s content",
			(unsigned long long)f->generation, same ? "the same" : "another");
	filter_copy(&old->filter, f);
	old->there = true;
	old->sets++;
}

static void filter_gone(void *ctx, const char *router, const char *interface)
{
	struct lab *lab = ctx;
	struct lab_filter *f = filter_find(lab, router, interface);

	if (!f || !f->there)
		fail_at(lab, "%s %s goes and was not there", router, interface);
	f->there = false;
}

static void feed_redump(void *ctx, struct engine_feed *feed)
{
	struct lab_stream *s = engine_feed_user(feed);
	struct lab *lab = ctx;

	if (s->redump)
		fail_at(lab, "a re-dump of %s is asked for twice", s->router);
	s->redump = true;
}

static void wake(void *ctx)
{
	struct lab *lab = ctx;

	lab->wakes++;
}

static void append(char **all, const char *text)
{
	char *more;

	assert_true(asprintf(&more, "%s%s\n", *all ? *all : "", text) >= 0);
	free(*all);
	*all = more;
}

static void note(void *ctx, bool alarm, const char *text)
{
	struct lab *lab = ctx;

	append(alarm ? &lab->alarms : &lab->notes, text);
}

static void routers_changed(void *ctx)
{
	struct lab *lab = ctx;

	if (lab->routers_changed)
		lab->routers_changed(lab);
}

static const struct engine_ops ops = {
	.routers_changed = routers_changed,
	.filter_set = filter_set,
	.filter_gone = filter_gone,
	.feed_redump = feed_redump,
	.wake = wake,
	.note = note,
};

int lab_setup(void **state)
{
	struct lab *lab = mem_alloc(sizeof(*lab));

	config_init(&lab->cfg);
	lab->now_ms = 1000000;
	lab->engine = engine_new(&lab->cfg, &ops, lab);
	*state = lab;
	return 0;
}

static void drop_streams(struct lab *lab)
{
	for (size_t i = 0; i < LAB_STREAMS_MAX; i++) {
		if (lab->streams[i].feed)
			engine_feed_close(lab->streams[i].feed, "stop", lab->now_ms);
		lab->streams[i] = (struct lab_stream){ .feed = NULL };
	}
}

void lab_restart(struct lab *lab)
{
	drop_streams(lab);
	engine_free(lab->engine);
	for (size_t i = 0; i < lab->n_filters; i++)
		filter_fini(&lab->filters[i].filter);
	memset(lab->filters, 0, sizeof(lab->filters));
	lab->n_filters = 0;
	lab->engine = engine_new(&lab->cfg, &ops, lab);
}

int lab_teardown(void **state)
{
	struct lab *lab = *state;

	lab_restart(lab);
	engine_free(lab->engine);
	config_fini(&lab->cfg);
	free(lab->notes);
	free(lab->alarms);
	free(lab);
	return 0;
}

/* ---- words ---- */

struct words {
	struct lab *lab;
	char *w[WORDS_MAX];
	size_t n, at;
	const char *line; /* for rest() */
};

static const char *next(struct words *w)
{
	if (w->at >= w->n)
		fail_at(w->lab, "bad script: a word is missing");
	return w->w[w->at++];
}

static const char *next_or(struct words *w, const char *other)
{
	return w->at < w->n ? w->w[w->at++] : other;
}

static struct ip_addr to_addr(struct lab *lab, const char *text)
{
	struct ip_addr addr;

	if (!ip_addr_parse(text, &addr))
		fail_at(lab, "bad script: %s is no address", text);
	return addr;
}

static struct ip_prefix to_prefix(struct lab *lab, const char *text)
{
	struct ip_prefix p;

	if (ip_prefix_parse(text, &p) != IP_PARSE_OK)
		fail_at(lab, "bad script: %s is no prefix", text);
	return p;
}

/* Everything after the words read so far, as it is written. */
static const char *rest(struct words *w)
{
	const char *p = w->line;

	for (size_t i = 0; i < w->at; i++) {
		p += strspn(p, " \t");
		p += strcspn(p, " \t");
	}
	return p + strspn(p, " \t");
}

struct addrset lab_set(const char *prefixes)
{
	char *copy = mem_strdup(prefixes), *left = copy, *word;
	struct addrset set = { 0 };

	while ((word = strsep(&left, " "))) {
		struct ip_prefix p;

		if (*word == '\0')
			continue;
		assert_int_equal(ip_prefix_parse(word, &p), IP_PARSE_OK);
		addrset_append(&set, &p);
	}
	addrset_normalize(&set);
	free(copy);
	return set;
}

static void put_prefix(const struct ip_prefix *p, void *arg)
{
	char **text = arg, *more, one[IP_TEXT_SIZE];

	assert_true(asprintf(&more, "%s%s%s", *text, **text ? " " : "",
			     ip_prefix_format(p, one)) >= 0);
	free(*text);
	*text = more;
}

static void check_set(struct lab *lab, const struct addrset *set, const char *want)
{
	char *got = mem_strdup("");
	struct addrset wanted = lab_set(want);

	addrset_each_prefix(set, put_prefix, &got);
	if (!addrset_equal(set, &wanted))
		fail_at(lab, "it is \"%s\"", got);
	addrset_fini(&wanted);
	free(got);
}

/* ---- policy ---- */

static void done(struct lab *lab, int ret, const struct diag *diag)
{
	if (ret < 0)
		fail_at(lab, "%s", diag->text);
}

static void do_router(struct lab *lab, struct words *w)
{
	struct config_router r = { 0 };
	struct diag diag;

	snprintf(r.name, sizeof(r.name), "%s", next(w));
	done(lab, config_router_put(&lab->cfg, &r, &diag), &diag);
}

static void do_source(struct lab *lab, struct words *w)
{
	const char *name = next(w);
	struct ip_addr addr = to_addr(lab, next(w));
	struct config_router r;
	struct diag diag;

	config_router_copy(&r, config_router_find(&lab->cfg, name));
	config_addrs_set(&r.bmp_sources, &r.n_bmp_sources, &addr, true);
	done(lab, config_router_put(&lab->cfg, &r, &diag), &diag);
	config_router_fini(&r);
}

/* What config_router says of a router's feeds. */
static void do_feed(struct lab *lab, struct words *w)
{
	const char *name = next(w), *word = next(w), *value = next(w);
	struct config_router r;
	struct ip_addr addr;
	struct diag diag;

	config_router_copy(&r, config_router_find(&lab->cfg, name));
	if (strcmp(word, "stats") == 0) {
		r.bmp_stats_s = (uint32_t)atoi(value);
	} else if (strcmp(word, "redump") == 0) {
		r.redump_s = (uint32_t)atoi(value);
	} else if (strcmp(value, "bgp") == 0) {
		r.exclude_bgp = strcmp(word, "exclude") == 0;
	} else {
		addr = to_addr(lab, value);
		config_addrs_set(&r.excluded, &r.n_excluded, &addr,
				 strcmp(word, "exclude") == 0);
	}
	done(lab, config_router_put(&lab->cfg, &r, &diag), &diag);
	config_router_fini(&r);
}

static void do_customer(struct lab *lab, struct words *w)
{
	struct config_customer c = { 0 };
	struct diag diag;

	snprintf(c.name, sizeof(c.name), "%s", next(w));
	while (w->at < w->n) {
		struct ip_prefix p = to_prefix(lab, next(w));

		config_prefixes_set(&c.prefixes, &c.n_prefixes, &p, true);
	}
	done(lab, config_customer_put(&lab->cfg, &c, &diag), &diag);
	config_customer_fini(&c);
}

static void set_own(struct lab *lab, struct words *w, bool add)
{
	struct ip_prefix p = to_prefix(lab, next(w));
	struct diag diag;

	done(lab, config_own_set(&lab->cfg, &p, add, &diag), &diag);
}

static void do_own(struct lab *lab, struct words *w)
{
	set_own(lab, w, true);
}

static void do_no_own(struct lab *lab, struct words *w)
{
	set_own(lab, w, false);
}

static void set_word(struct lab *lab, struct config_edge *e, const char *word,
		     const char *value)
{
	bool none = strcmp(value, "-") == 0, ok = true,
	     add = strncmp(word, "no-", 3) != 0;
	const char *noun = add ? word : word + 3;

	if (strcmp(noun, "peer") == 0) {
		struct ip_addr a = to_addr(lab, value);

		ok = config_addrs_set(&e->peers, &e->n_peers, &a, add);
	} else if (strcmp(noun, "prefix") == 0) {
		struct ip_prefix p = to_prefix(lab, value);

		ok = config_prefixes_set(&e->prefixes, &e->n_prefixes, &p, add);
	} else if (strcmp(noun, "role") == 0 && none) {
		e->role = ROLE_NONE;
	} else if (strcmp(noun, "role") == 0) {
		ok = edge_role_parse(value, &e->role);
	} else if (strcmp(noun, "mode") == 0 && none) {
		e->mode = MODE_DEFAULT;
	} else if (strcmp(noun, "mode") == 0) {
		ok = edge_mode_parse(value, &e->mode);
	} else if (strcmp(noun, "action") == 0) {
		ok = filter_action_parse(value, &e->action);
	} else if (strcmp(noun, "customer") == 0) {
		snprintf(e->customer, sizeof(e->customer), "%s", none ? "" : value);
	} else if (strcmp(noun, "holddown") == 0) {
		e->holddown_s = (uint32_t)atoi(value);
	} else if (strcmp(noun, "brake") == 0) {
		e->brake_shrink_percent = (uint32_t)atoi(value);
	} else if (strcmp(noun, "growth") == 0) {
		e->brake_growth_percent = (uint32_t)atoi(value);
	} else if (strcmp(noun, "stale") == 0) {
		ok = stale_policy_parse(value, &e->stale_policy);
		e->stale_s = 3600;
	} else {
		ok = false;
	}
	if (!ok)
		fail_at(lab, "bad script: %s %s", word, value);
}

static void edge_put(struct lab *lab, struct config_edge *e)
{
	struct diag diag;

	done(lab, config_edge_put(&lab->cfg, e, &diag), &diag);
	config_edge_fini(e);
}

static void do_edge(struct lab *lab, struct words *w)
{
	const char *router = next(w), *interface = next(w);
	struct config_edge e;

	config_edge_init(&e, router, interface);
	set_word(lab, &e, "role", next(w));
	while (w->at < w->n) {
		const char *word = next(w);

		set_word(lab, &e, strcmp(word, "enforce") == 0 ? "action" : "mode", word);
	}
	edge_put(lab, &e);
}

static void do_set(struct lab *lab, struct words *w)
{
	const char *router = next(w), *interface = next(w), *word = next(w);
	const struct config_edge *old = config_edge_find(&lab->cfg, router, interface);
	struct config_edge e;

	if (!old)
		fail_at(lab, "bad script: there is no such edge");
	config_edge_copy(&e, old);
	set_word(lab, &e, word, next(w));
	edge_put(lab, &e);
}

static void do_no_edge(struct lab *lab, struct words *w)
{
	const char *router = next(w), *interface = next(w);
	struct diag diag;

	done(lab, config_edge_del(&lab->cfg, router, interface, &diag), &diag);
}

static struct agent_interface *interface_get(struct agent_inventory *inv,
					     const char *name)
{
	for (size_t i = 0; i < inv->n; i++) {
		if (strcmp(inv->interfaces[i].name, name) == 0)
			return &inv->interfaces[i];
	}
	inv->interfaces =
		mem_realloc(inv->interfaces, inv->n + 1, sizeof(*inv->interfaces));
	inv->interfaces[inv->n] = (struct agent_interface){ .up = true };
	snprintf(inv->interfaces[inv->n].name, FILTER_IFNAME_SIZE, "%s", name);
	return &inv->interfaces[inv->n++];
}

static void do_inventory(struct lab *lab, struct words *w)
{
	const char *router = next(w);
	struct agent_inventory inv = { 0 };

	while (w->at < w->n) {
		char *name = w->w[w->at++], *equals = strchr(name, '=');
		struct agent_interface *i;

		if (equals)
			*equals = '\0';
		i = interface_get(&inv, name);
		if (!equals)
			continue;
		i->addresses = mem_realloc(i->addresses, i->n_addresses + 1,
					   sizeof(*i->addresses));
		i->addresses[i->n_addresses++] =
			(struct agent_address){ to_addr(lab, equals + 1), 24 };
	}
	engine_inventory(lab->engine, router, &inv);
	agent_inventory_fini(&inv);
}

static void do_restore(struct lab *lab, struct words *w)
{
	const char *router = next(w), *interface = next(w), *action = next(w);
	struct lab_filter *known = lab_filter(lab, router, interface);
	struct filter f = { .generation = (uint64_t)atoi(next(w)) };

	snprintf(f.interface, sizeof(f.interface), "%s", interface);
	if (!filter_action_parse(action, &f.action))
		fail_at(lab, "bad script: %s", action);
	f.accept = lab_set(rest(w));
	filter_copy(&known->filter, &f);
	known->there = true;
	engine_restore(lab->engine, router, &f);
	filter_fini(&f);
}

/* ---- streams ---- */

struct lab_stream *lab_stream(struct lab *lab, const char *router)
{
	for (size_t i = LAB_STREAMS_MAX; i-- > 0;) {
		struct lab_stream *s = &lab->streams[i];

		if (s->feed && !s->dead && strcmp(s->router, router) == 0)
			return s;
	}
	fail_at(lab, "bad script: %s has no stream", router);
}

int lab_bytes(struct lab *lab, struct lab_stream *s, struct wr *bytes)
{
	int ret = engine_feed_bytes(s->feed, bytes->data, bytes->len, lab->now_ms,
				    &lab->diag);

	wr_fini(bytes);
	if (ret < 0)
		s->dead = true;
	return ret;
}

static void flow(struct lab *lab, struct lab_stream *s, struct wr *bytes)
{
	if (lab_bytes(lab, s, bytes) < 0)
		fail_at(lab, "%s", lab->diag.text);
}

static struct lab_stream *stream_open(struct lab *lab, const char *router,
				      const char *from)
{
	struct ip_addr source = to_addr(lab, from);
	struct lab_stream *s = NULL;
	size_t i;

	/* after those of the same router that are open still */
	for (i = LAB_STREAMS_MAX; i > 0; i--) {
		if (lab->streams[i - 1].feed &&
		    strcmp(lab->streams[i - 1].router, router) == 0)
			break;
	}
	for (; i < LAB_STREAMS_MAX && !s; i++) {
		if (!lab->streams[i].feed)
			s = &lab->streams[i];
	}
	if (!s)
		fail_at(lab, "bad script: too many streams");
	*s = (struct lab_stream){ .feed = NULL };
	snprintf(s->router, sizeof(s->router), "%s", router);
	s->feed = engine_feed_open(lab->engine, &source, s, lab->now_ms);
	return s;
}

static void do_open(struct lab *lab, struct words *w)
{
	const char *router = next(w);

	stream_open(lab, router, next_or(w, "10.255.0.1"));
}

static void do_init(struct lab *lab, struct words *w)
{
	struct lab_stream *s = lab_stream(lab, next(w));
	struct wr out = { 0 };

	build_initiation(&out, "test 1.0", next(w));
	flow(lab, s, &out);
}

static void do_connect(struct lab *lab, struct words *w)
{
	const char *router = next(w);
	struct lab_stream *s = stream_open(lab, router, next_or(w, "10.255.0.1"));
	struct wr out = { 0 };

	build_initiation(&out, "test 1.0", router);
	flow(lab, s, &out);
}

static void stream_close(struct lab *lab, struct lab_stream *s, const char *why)
{
	engine_feed_close(s->feed, why, lab->now_ms);
	s->feed = NULL;
}

static void do_close(struct lab *lab, struct words *w)
{
	const char *router = next(w);

	for (size_t i = 0; i < LAB_STREAMS_MAX; i++) {
		if (lab->streams[i].feed && strcmp(lab->streams[i].router, router) == 0) {
			stream_close(lab, &lab->streams[i], "closed by the test");
			return;
		}
	}
	fail_at(lab, "bad script: %s has no stream", router);
}

static void do_redump(struct lab *lab, struct words *w)
{
	struct lab_stream *s = lab_stream(lab, next(w));

	if (!s->redump)
		fail_at(lab, "it was not asked for");
	stream_close(lab, s, "re-dump");
	w->at = 1;
	do_connect(lab, w);
}

static void do_quiet(struct lab *lab, struct words *w)
{
	if (lab_stream(lab, next(w))->redump)
		fail_at(lab, "it was asked for");
}

static void do_up(struct lab *lab, struct words *w)
{
	struct lab_stream *s = lab_stream(lab, next(w));
	struct build_peer peer = { .addr = next(w) };
	const char *local = next(w);
	struct build_open us = { .as = OWN_AS, .id = 1, .role = -1 };
	struct build_open them = { .id = 2, .role = -1 };
	struct wr out = { 0 };

	them.as = peer.as = (uint32_t)atoi(next_or(w, "65001"));
	them.role = atoi(next_or(w, "-1"));
	us.graceful_restart = true;
	them.graceful_restart = them.restart = strcmp(next_or(w, ""), "restart") == 0;
	build_peer_up(&out, &peer, local, &us, &them);
	flow(lab, s, &out);
}

static void do_down(struct lab *lab, struct words *w)
{
	struct lab_stream *s = lab_stream(lab, next(w));
	struct build_peer peer = { .addr = next(w) };
	struct wr out = { 0 };

	build_peer_down(&out, &peer,
			strcmp(next_or(w, ""), "notified") == 0 ?
				BMP_DOWN_REMOTE_NOTIFICATION :
				BMP_DOWN_REMOTE);
	flow(lab, s, &out);
}

static void route(struct lab *lab, struct words *w, const char *verb, uint8_t flags)
{
	struct lab_stream *s = lab_stream(lab, next(w));
	struct build_peer peer = { .addr = next(w), .as = 65001, .flags = flags };
	uint32_t path[WORDS_MAX];
	const char *prefix;
	struct wr out = { 0 };
	size_t n = 0;

	if (strcmp(verb, "eor") == 0) {
		build_end_of_rib(&out, &peer, IP_V4);
		build_end_of_rib(&out, &peer, IP_V6);
		flow(lab, s, &out);
		return;
	}
	prefix = next(w);
	while (w->at < w->n)
		path[n++] = (uint32_t)strtoul(next(w), NULL, 10);
	if (n == 0)
		path[n++] = 65001;
	if (strcmp(verb, "add") == 0)
		build_announce(&out, &peer, prefix, path, n);
	else
		build_withdraw(&out, &peer, prefix);
	flow(lab, s, &out);
}

/* Its Adj-RIB-In has so many routes, the router reports. */
static void do_stats(struct lab *lab, struct words *w)
{
	struct lab_stream *s = lab_stream(lab, next(w));
	struct build_peer peer = { .addr = next(w), .as = 65001 };
	struct wr out = { 0 }, body = { 0 };

	build_peer_header(&body, &peer);
	wr_be32(&body, 1);
	wr_be16(&body, 7);
	wr_be16(&body, 8);
	wr_be64(&body, strtoull(next(w), NULL, 10));
	build_bmp(&out, BMP_STATISTICS, &body);
	wr_fini(&body);
	flow(lab, s, &out);
}

static void do_add(struct lab *lab, struct words *w)
{
	route(lab, w, "add", 0);
}

static void do_del(struct lab *lab, struct words *w)
{
	route(lab, w, "del", 0);
}

static void do_eor(struct lab *lab, struct words *w)
{
	route(lab, w, "eor", 0);
}

static void do_post(struct lab *lab, struct words *w)
{
	const char *verb = next(w);

	route(lab, w, verb, BMP_FLAG_POST);
}

static void do_bad(struct lab *lab, struct words *w)
{
	struct lab_stream *s = lab_stream(lab, next(w));
	struct wr out = { 0 };

	build_initiation(&out, "test 1.0", s->router);
	if (lab_bytes(lab, s, &out) == 0)
		fail_at(lab, "the bytes are taken");
	if (strcmp(lab->diag.text, rest(w)) != 0)
		fail_at(lab, "it says \"%s\"", lab->diag.text);
	stream_close(lab, s, "refused");
}

/* ---- time ---- */

static int64_t run(struct lab *lab)
{
	int64_t wanted = engine_run(lab->engine, lab->now_ms);
	struct diag diag;

	if (engine_is_dirty(lab->engine))
		fail_at(lab, "the engine is not done after a run");
	if (engine_check(lab->engine, &diag) < 0)
		fail_at(lab, "%s", diag.text);
	if (wanted >= 0 && wanted <= lab->now_ms)
		fail_at(lab, "the engine wants to run again at once");
	if (lab->ran)
		lab->ran(lab, lab->ran_arg);
	return wanted;
}

static void do_run(struct lab *lab, struct words *w)
{
	run(lab);
}

static int64_t ms_of(const char *seconds)
{
	return (int64_t)(strtod(seconds, NULL) * 1000);
}

static void do_wait(struct lab *lab, struct words *w)
{
	int64_t until = lab->now_ms + ms_of(next(w)), wanted;

	while ((wanted = run(lab)) >= 0 && wanted < until)
		lab->now_ms = wanted;
	lab->now_ms = until;
	run(lab);
}

static void do_jump(struct lab *lab, struct words *w)
{
	lab->now_ms += ms_of(next(w));
	run(lab);
}

static void do_release(struct lab *lab, struct words *w)
{
	const char *router = next(w), *interface = next(w);

	if (!engine_brake_release(lab->engine, router, interface))
		fail_at(lab, "there is no such edge");
}

/* ---- checks ---- */

static struct engine_edge_status status_of(struct lab *lab, struct words *w)
{
	const char *router = next(w), *interface = next(w);
	struct engine_edge_status status;

	if (!engine_edge_status(lab->engine, router, interface, &status))
		fail_at(lab, "there is no such edge");
	return status;
}

static void do_expect(struct lab *lab, struct words *w)
{
	const char *router = next(w), *interface = next(w), *action = next(w);
	const struct lab_filter *f = filter_find(lab, router, interface);
	bool there = f && f->there;

	if (strcmp(action, "gone") == 0) {
		if (there)
			fail_at(lab, "it is there");
		return;
	}
	if (!there)
		fail_at(lab, "it is not there");
	if (strcmp(filter_action_name(f->filter.action), action) != 0)
		fail_at(lab, "it is %s", filter_action_name(f->filter.action));
	check_set(lab, &f->filter.accept, rest(w));
}

static void do_waiting(struct lab *lab, struct words *w)
{
	struct engine_edge_status status = status_of(lab, w);
	struct addrset waiting = { 0 };

	hold_waiting(status.hold, &waiting);
	check_set(lab, &waiting, rest(w));
	addrset_fini(&waiting);
}

static void do_reason(struct lab *lab, struct words *w)
{
	struct engine_edge_status status = status_of(lab, w);
	const char *text = rest(w);
	bool ready = strcmp(text, "-") == 0;

	if (ready != status.ready ||
	    (ready ? status.reason[0] != '\0' : !strstr(status.reason, text)))
		fail_at(lab, "it is %sready: \"%s\"", status.ready ? "" : "not ",
			status.reason);
}

static void put_wait(const struct engine_wait *wait, void *arg)
{
	char addr[IP_TEXT_SIZE], **text = arg, *more;

	assert_true(asprintf(&more, "%s%s%s%s%s %s", *text, **text ? ", " : "", wait->router,
			     wait->peer.v ? " " : "",
			     wait->peer.v ? ip_addr_format(&wait->peer, addr) : "",
			     wait->why) >= 0);
	free(*text);
	*text = more;
}

static void do_waits(struct lab *lab, struct words *w)
{
	const char *router = next(w), *interface = next(w), *want = rest(w);
	char *text = mem_strdup("");

	engine_edge_waits(lab->engine, router, interface, put_wait, &text);
	if (strcmp(text, strcmp(want, "-") == 0 ? "" : want) != 0)
		fail_at(lab, "it waits for \"%s\"", text);
	free(text);
}

static void do_braked(struct lab *lab, struct words *w)
{
	struct engine_edge_status status = status_of(lab, w);

	if (status.brake != (strcmp(next(w), "yes") == 0))
		fail_at(lab, "it is %sbraked", status.brake ? "" : "not ");
}

static void do_generation(struct lab *lab, struct words *w)
{
	const char *router = next(w);
	const struct lab_filter *f = lab_filter(lab, router, next(w));

	if (f->filter.generation != strtoull(next(w), NULL, 10))
		fail_at(lab, "it is %llu", (unsigned long long)f->filter.generation);
}

static void do_mark(struct lab *lab, struct words *w)
{
	const char *router = next(w);
	struct lab_filter *f = lab_filter(lab, router, next(w));

	f->marked = f->filter.generation;
	f->sets = 0;
}

static void do_same(struct lab *lab, struct words *w)
{
	const char *router = next(w);
	const struct lab_filter *f = lab_filter(lab, router, next(w));

	if (f->filter.generation != f->marked || f->sets != 0)
		fail_at(lab, "it was handed out %u times, generations %llu to %llu",
			f->sets, (unsigned long long)f->marked,
			(unsigned long long)f->filter.generation);
}

struct peer_search {
	const char *router;
	struct ip_addr addr;
	bool found;
	struct engine_peer_status status;
};

static void look_at_peer(const struct engine_peer_status *status, void *arg)
{
	struct peer_search *s = arg;

	if (strcmp(status->router, s->router) == 0 &&
	    ip_addr_equal(&rib_peer_key(status->peer)->addr, &s->addr)) {
		s->found = true;
		s->status = *status;
	}
}

static void do_peer(struct lab *lab, struct words *w)
{
	struct peer_search s = { .router = next(w) };
	const char *text;

	s.addr = to_addr(lab, next(w));
	text = rest(w);
	engine_peers_walk(lab->engine, look_at_peer, &s);
	if (!s.found && strcmp(text, "unknown") != 0)
		fail_at(lab, "there is no such peer");
	if (s.found && !strstr(s.status.mapping, text))
		fail_at(lab, "it says \"%s\"", s.status.mapping);
}

static void do_explain(struct lab *lab, struct words *w)
{
	const char *router = next(w), *interface = next(w);
	struct ip_addr addr = to_addr(lab, next(w));
	struct explain out;

	if (!engine_explain(lab->engine, router, interface, &addr, lab->now_ms, &out))
		fail_at(lab, "there is no such edge");
	if (strcmp(out.text, rest(w)) != 0)
		fail_at(lab, "it says \"%s\"", out.text);
}

static void check_log(struct lab *lab, char **log, const char *text)
{
	if (!*log || !strstr(*log, text))
		fail_at(lab, "the notes are:\n%s", *log ? *log : "");
	free(*log);
	*log = NULL;
}

static void do_noted(struct lab *lab, struct words *w)
{
	check_log(lab, &lab->notes, rest(w));
}

static void do_alarmed(struct lab *lab, struct words *w)
{
	check_log(lab, &lab->alarms, rest(w));
}

/* ---- scripts ---- */

static const struct {
	const char *word;
	void (*fn)(struct lab *lab, struct words *w);
} commands[] = {
	{ "router", do_router },
	{ "source", do_source },
	{ "feed", do_feed },
	{ "customer", do_customer },
	{ "own", do_own },
	{ "no-own", do_no_own },
	{ "edge", do_edge },
	{ "no-edge", do_no_edge },
	{ "set", do_set },
	{ "inventory", do_inventory },
	{ "restore", do_restore },
	{ "connect", do_connect },
	{ "open", do_open },
	{ "init", do_init },
	{ "up", do_up },
	{ "down", do_down },
	{ "stats", do_stats },
	{ "add", do_add },
	{ "del", do_del },
	{ "eor", do_eor },
	{ "post", do_post },
	{ "close", do_close },
	{ "bad", do_bad },
	{ "redump", do_redump },
	{ "quiet", do_quiet },
	{ "run", do_run },
	{ "wait", do_wait },
	{ "jump", do_jump },
	{ "release", do_release },
	{ "expect", do_expect },
	{ "waiting", do_waiting },
	{ "reason", do_reason },
	{ "waits", do_waits },
	{ "braked", do_braked },
	{ "generation", do_generation },
	{ "mark", do_mark },
	{ "same", do_same },
	{ "peer", do_peer },
	{ "explain", do_explain },
	{ "noted", do_noted },
	{ "alarmed", do_alarmed },
};

static void play_line(struct lab *lab, const char *line)
{
	char *copy = mem_strdup(line), *left = copy, *word;
	struct words w = { .lab = lab, .line = line };

	while ((word = strsep(&left, " \t"))) {
		if (*word && w.n < WORDS_MAX)
			w.w[w.n++] = word;
	}
	if (w.n != 0 && w.w[0][0] != '#') {
		const char *verb = next(&w);
		size_t i = 0;

		while (i < sizeof(commands) / sizeof(commands[0]) &&
		       strcmp(commands[i].word, verb) != 0)
			i++;
		if (i == sizeof(commands) / sizeof(commands[0]))
			fail_at(lab, "bad script: unknown command");
		commands[i].fn(lab, &w);
	}
	free(copy);
}

void lab_play(struct lab *lab, const char *script)
{
	char *copy = mem_strdup(script), *left = copy, *line;

	lab->line = 0;
	while ((line = strsep(&left, "\n"))) {
		lab->line++;
		lab->text = line + strspn(line, " \t");
		play_line(lab, lab->text);
	}
	free(copy);
}

void lab_playf(struct lab *lab, const char *fmt, ...)
{
	char script[4000];
	va_list ap;

	va_start(ap, fmt);
	assert_true(vsnprintf(script, sizeof(script), fmt, ap) < (int)sizeof(script));
	va_end(ap);
	lab_play(lab, script);
}
