/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/controller/lab_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

void lab_fail(const struct lab *lab, const char *fmt, ...)
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

struct lab_filter *lab_filter_find(struct lab *lab, const char *router,
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
	struct lab_filter *f = lab_filter_find(lab, router, interface);

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
		lab_fail(lab, "generation %llu after %llu",
			 (unsigned long long)f->generation,
			 (unsigned long long)old->filter.generation);
	if (old->there && same != (f->generation == old->filter.generation))
		lab_fail(lab, "generation %llu of %s content",
			 (unsigned long long)f->generation,
			 same ? "the same" : "another");
	lab_check_promises(lab, router, f);
	filter_copy(&old->filter, f);
	old->there = true;
	old->sets++;
}

static void filter_gone(void *ctx, const char *router, const char *interface)
{
	struct lab *lab = ctx;
	struct lab_filter *f = lab_filter_find(lab, router, interface);

	if (!f || !f->there)
		lab_fail(lab, "%s %s goes and was not there", router, interface);
	f->there = false;
}

static void feed_redump(void *ctx, struct engine_feed *feed)
{
	struct lab_stream *s = engine_feed_user(feed);
	struct lab *lab = ctx;

	if (s->redump)
		lab_fail(lab, "a re-dump of %s is asked for twice", s->router);
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

static void do_restart(struct lab *lab, struct words *w)
{
	struct lab_filter saved[LAB_FILTERS_MAX] = { 0 };
	size_t n = lab->n_filters;

	memcpy(saved, lab->filters, sizeof(saved));
	memset(lab->filters, 0, sizeof(lab->filters));
	lab->n_filters = 0;
	lab_restart(lab);
	for (size_t i = 0; i < n; i++) {
		struct lab_filter *known;

		if (saved[i].there) {
			known = lab_filter(lab, saved[i].router, saved[i].filter.interface);
			filter_copy(&known->filter, &saved[i].filter);
			known->there = true;
			engine_restore(lab->engine, saved[i].router, &saved[i].filter);
		}
		filter_fini(&saved[i].filter);
	}
}

int lab_teardown(void **state)
{
	struct lab *lab = *state;

	lab_restart(lab);
	engine_free(lab->engine);
	config_fini(&lab->cfg);
	for (size_t i = 0; i < lab->n_promises; i++) {
		addrset_fini(&lab->promises[i].honest);
		addrset_fini(&lab->promises[i].forged);
	}
	free(lab->notes);
	free(lab->alarms);
	free(lab);
	return 0;
}

/* ---- words ---- */

const char *words_next(struct words *w)
{
	if (w->at >= w->n)
		lab_fail(w->lab, "bad script: a word is missing");
	return w->w[w->at++];
}

const char *words_next_or(struct words *w, const char *other)
{
	return w->at < w->n ? w->w[w->at++] : other;
}

struct ip_addr lab_addr(struct lab *lab, const char *text)
{
	struct ip_addr addr;

	if (!ip_addr_parse(text, &addr))
		lab_fail(lab, "bad script: %s is no address", text);
	return addr;
}

struct ip_prefix lab_prefix(struct lab *lab, const char *text)
{
	struct ip_prefix p;

	if (ip_prefix_parse(text, &p) != IP_PARSE_OK)
		lab_fail(lab, "bad script: %s is no prefix", text);
	return p;
}

const char *words_rest(struct words *w)
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

void lab_check_set(struct lab *lab, const struct addrset *set, const char *want)
{
	char *got = mem_strdup("");
	struct addrset wanted = lab_set(want);

	addrset_each_prefix(set, put_prefix, &got);
	if (!addrset_equal(set, &wanted))
		lab_fail(lab, "it is \"%s\"", got);
	addrset_fini(&wanted);
	free(got);
}

/* ---- time ---- */

/* From scratch costs all routes: with thousands of them not after each run. */
static bool is_to_be_checked(struct lab *lab)
{
	struct rib_stats stats;

	rib_stats(engine_rib(lab->engine), &stats);
	return stats.paths < 5000 || ++lab->runs % 16 == 0;
}

int64_t lab_run(struct lab *lab)
{
	int64_t wanted = engine_run(lab->engine, lab->now_ms);
	struct diag diag;

	if (engine_is_dirty(lab->engine))
		lab_fail(lab, "the engine is not done after a run");
	if (is_to_be_checked(lab) && engine_check(lab->engine, &diag) < 0)
		lab_fail(lab, "%s", diag.text);
	if (wanted >= 0 && wanted <= lab->now_ms)
		lab_fail(lab, "the engine wants to run again at once");
	for (size_t i = 0; i < lab->n_filters; i++) {
		const struct lab_filter *f = &lab->filters[i];

		if (!f->there)
			continue;
		lab_check_promises(lab, f->router, &f->filter);
		lab_check_computed(lab, f->router, &f->filter);
	}
	if (lab->ran)
		lab->ran(lab, lab->ran_arg);
	return wanted;
}

static void do_run(struct lab *lab, struct words *w)
{
	lab_run(lab);
}

static int64_t ms_of(const char *seconds)
{
	return (int64_t)(strtod(seconds, NULL) * 1000);
}

static void do_wait(struct lab *lab, struct words *w)
{
	int64_t until = lab->now_ms + ms_of(words_next(w)), wanted;

	while ((wanted = lab_run(lab)) >= 0 && wanted < until)
		lab->now_ms = wanted;
	lab->now_ms = until;
	lab_run(lab);
}

static void do_jump(struct lab *lab, struct words *w)
{
	lab->now_ms += ms_of(words_next(w));
	lab_run(lab);
}

static void do_release(struct lab *lab, struct words *w)
{
	const char *router = words_next(w), *interface = words_next(w);

	if (!engine_brake_release(lab->engine, router, interface))
		lab_fail(lab, "there is no such edge");
}

/* ---- scripts ---- */

static const struct lab_command commands[] = {
	{ "run", do_run },	   { "wait", do_wait }, { "jump", do_jump },
	{ "release", do_release },
	{ "restart", do_restart }, { NULL, NULL },
};

static const struct lab_command *const tables[] = { commands, lab_policy_commands,
						    lab_stream_commands,
						    lab_check_commands };

static const struct lab_command *command_find(const char *verb)
{
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		for (const struct lab_command *c = tables[i]; c->word; c++) {
			if (strcmp(c->word, verb) == 0)
				return c;
		}
	}
	return NULL;
}

static void play_line(struct lab *lab, const char *line)
{
	char *copy = mem_strdup(line), *left = copy, *word;
	struct words w = { .lab = lab, .line = line };

	while ((word = strsep(&left, " \t"))) {
		if (*word && w.n == LAB_WORDS_MAX)
			lab_fail(lab, "bad script: too many words");
		if (*word)
			w.w[w.n++] = word;
	}
	if (w.n != 0 && w.w[0][0] != '#') {
		const struct lab_command *c = command_find(words_next(&w));

		if (!c)
			lab_fail(lab, "bad script: unknown command");
		c->fn(lab, &w);
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
