/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/controller/lab_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

static struct engine_edge_status status_of(struct lab *lab, struct words *w)
{
	const char *router = words_next(w), *interface = words_next(w);
	struct engine_edge_status status;

	if (!engine_edge_status(lab->engine, router, interface, &status))
		lab_fail(lab, "there is no such edge");
	return status;
}

static void do_expect(struct lab *lab, struct words *w)
{
	const char *router = words_next(w), *interface = words_next(w),
		   *action = words_next(w);
	const struct lab_filter *f = lab_filter_find(lab, router, interface);
	bool there = f && f->there;

	if (strcmp(action, "gone") == 0) {
		if (there)
			lab_fail(lab, "it is there");
		return;
	}
	if (!there)
		lab_fail(lab, "it is not there");
	if (strcmp(filter_action_name(f->filter.action), action) != 0)
		lab_fail(lab, "it is %s", filter_action_name(f->filter.action));
	lab_check_set(lab, &f->filter.accept, words_rest(w));
}

/* ---- what holds at any time ---- */

static struct lab_promise *promise(struct lab *lab, const char *router, const char *interface)
{
	struct lab_promise *p = lab->promises;

	for (; p < lab->promises + lab->n_promises; p++) {
		if (strcmp(p->router, router) == 0 && strcmp(p->interface, interface) == 0)
			return p;
	}
	assert_true(lab->n_promises < LAB_FILTERS_MAX);
	lab->n_promises++;
	snprintf(p->router, sizeof(p->router), "%s", router);
	snprintf(p->interface, sizeof(p->interface), "%s", interface);
	return p;
}

static void do_honest(struct lab *lab, struct words *w)
{
	const char *router = words_next(w);
	struct lab_promise *p = promise(lab, router, words_next(w));

	addrset_fini(&p->honest);
	p->honest = lab_set(words_rest(w));
}

static void do_forged(struct lab *lab, struct words *w)
{
	const char *router = words_next(w);
	struct lab_promise *p = promise(lab, router, words_next(w));

	addrset_fini(&p->forged);
	p->forged = lab_set(words_rest(w));
}

static void put_prefix(const struct ip_prefix *p, void *arg)
{
	char **text = arg, *more, one[IP_TEXT_SIZE];

	assert_true(asprintf(&more, "%s %s", *text, ip_prefix_format(p, one)) >= 0);
	free(*text);
	*text = more;
}

static void must_be_empty(struct lab *lab, const char *router, const struct filter *f,
			  const struct addrset *wrong, const char *what)
{
	char *text = mem_strdup("");

	if (!addrset_is_empty(wrong)) {
		addrset_each_prefix(wrong, put_prefix, &text);
		lab_fail(lab, "%s %s %s%s", router, f->interface, what, text);
	}
	free(text);
}

void lab_check_promises(struct lab *lab, const char *router, const struct filter *f)
{
	const struct lab_promise *p = promise(lab, router, f->interface);
	struct addrset wrong = { 0 };

	if (f->action != FILTER_ENFORCE ||
	    (addrset_is_empty(&p->honest) && addrset_is_empty(&p->forged)))
		return;
	addrset_subtract(&wrong, &p->honest, &f->accept);
	must_be_empty(lab, router, f, &wrong, "drops honest");
	addrset_intersect(&wrong, &p->forged, &f->accept);
	must_be_empty(lab, router, f, &wrong, "lets in forged");
	addrset_fini(&wrong);
}

void lab_check_computed(struct lab *lab, const char *router, const struct filter *f)
{
	struct addrset computed = { 0 }, excess = { 0 };

	/* after each run: sets of thousands of ranges are not for this */
	if (f->action != FILTER_ENFORCE || f->accept.f[IP_V4].n > 1000)
		return;
	engine_edge_computed(lab->engine, router, f->interface, &computed);
	engine_edge_excess(lab->engine, router, f->interface, &excess);
	addrset_subtract(&computed, &computed, &excess);
	addrset_subtract(&computed, &computed, &f->accept);
	must_be_empty(lab, router, f, &computed, "drops what is computed:");
	addrset_fini(&computed);
	addrset_fini(&excess);
}

/* ---- one thing at a time ---- */

static void do_waiting(struct lab *lab, struct words *w)
{
	struct engine_edge_status status = status_of(lab, w);
	struct addrset waiting = { 0 };

	hold_waiting(status.hold, &waiting);
	lab_check_set(lab, &waiting, words_rest(w));
	addrset_fini(&waiting);
}

static void do_reason(struct lab *lab, struct words *w)
{
	struct engine_edge_status status = status_of(lab, w);
	const char *text = words_rest(w);
	bool ready = strcmp(text, "-") == 0;

	if (ready != status.ready ||
	    (ready ? status.reason[0] != '\0' : !strstr(status.reason, text)))
		lab_fail(lab, "it is %sready: \"%s\"", status.ready ? "" : "not ",
			 status.reason);
}

static void put_wait(const struct engine_wait *wait, void *arg)
{
	char addr[IP_TEXT_SIZE], **text = arg, *more;

	assert_true(asprintf(&more, "%s%s%s%s%s %s", *text, **text ? ", " : "",
			     wait->router, wait->peer.v ? " " : "",
			     wait->peer.v ? ip_addr_format(&wait->peer, addr) : "",
			     wait->why) >= 0);
	free(*text);
	*text = more;
}

static void do_waits(struct lab *lab, struct words *w)
{
	const char *router = words_next(w), *interface = words_next(w),
		   *want = words_rest(w);
	char *text = mem_strdup("");

	engine_edge_waits(lab->engine, router, interface, put_wait, &text);
	if (strcmp(text, strcmp(want, "-") == 0 ? "" : want) != 0)
		lab_fail(lab, "it waits for \"%s\"", text);
	free(text);
}

static void do_braked(struct lab *lab, struct words *w)
{
	struct engine_edge_status status = status_of(lab, w);

	if (status.brake != (strcmp(words_next(w), "yes") == 0))
		lab_fail(lab, "it is %sbraked", status.brake ? "" : "not ");
}

static void do_generation(struct lab *lab, struct words *w)
{
	const char *router = words_next(w);
	const struct lab_filter *f = lab_filter(lab, router, words_next(w));

	if (f->filter.generation != strtoull(words_next(w), NULL, 10))
		lab_fail(lab, "it is %llu", (unsigned long long)f->filter.generation);
}

static void do_mark(struct lab *lab, struct words *w)
{
	const char *router = words_next(w);
	struct lab_filter *f = lab_filter(lab, router, words_next(w));

	f->marked = f->filter.generation;
	f->sets = 0;
}

static void do_same(struct lab *lab, struct words *w)
{
	const char *router = words_next(w);
	const struct lab_filter *f = lab_filter(lab, router, words_next(w));

	if (f->filter.generation != f->marked || f->sets != 0)
		lab_fail(lab, "it was handed out %u times, generations %llu to %llu",
			 f->sets, (unsigned long long)f->marked,
			 (unsigned long long)f->filter.generation);
}

struct peer_search {
	const char *router;
	struct ip_addr addr;
	bool found;
	struct engine_peer_status status;
	char links[400]; /* of its edges */
};

static void look_at_peer(const struct engine_peer_status *status, void *arg)
{
	struct peer_search *s = arg;

	if (strcmp(status->router, s->router) == 0 &&
	    ip_addr_equal(&rib_peer_key(status->peer)->addr, &s->addr)) {
		s->found = true;
		s->status = *status;
		s->links[0] = '\0';
		for (size_t i = 0; i < status->n_edges; i++)
			snprintf(s->links + strlen(s->links),
				 sizeof(s->links) - strlen(s->links), "%s%s", i ? " " : "",
				 status->edges[i]->interface);
	}
}

static void do_peer(struct lab *lab, struct words *w)
{
	struct peer_search s = { .router = words_next(w) };
	const char *text;

	s.addr = lab_addr(lab, words_next(w));
	text = words_rest(w);
	engine_peers_walk(lab->engine, look_at_peer, &s);
	if (!s.found && strcmp(text, "unknown") != 0)
		lab_fail(lab, "there is no such peer");
	if (s.found && !strstr(s.status.mapping, text))
		lab_fail(lab, "it says \"%s\"", s.status.mapping);
}

static void do_on(struct lab *lab, struct words *w)
{
	struct peer_search s = { .router = words_next(w) };

	s.addr = lab_addr(lab, words_next(w));
	engine_peers_walk(lab->engine, look_at_peer, &s);
	if (!s.found || strcmp(s.links, words_rest(w)) != 0)
		lab_fail(lab, "it is on \"%s\": %s", s.links,
			 s.found ? s.status.mapping : "there is no such peer");
}

static void do_explain(struct lab *lab, struct words *w)
{
	const char *router = words_next(w), *interface = words_next(w);
	struct ip_addr addr = lab_addr(lab, words_next(w));
	struct explain out;

	if (!engine_explain(lab->engine, router, interface, &addr, lab->now_ms, &out))
		lab_fail(lab, "there is no such edge");
	if (strcmp(out.text, words_rest(w)) != 0)
		lab_fail(lab, "it says \"%s\"", out.text);
}

static void do_to_router(struct lab *lab, struct words *w)
{
	const char *router = words_next(w), *interface = words_next(w), *want;
	struct ip_addr addr = lab_addr(lab, words_next(w));
	struct explain out;

	if (!engine_explain(lab->engine, router, interface, &addr, lab->now_ms, &out))
		lab_fail(lab, "there is no such edge");
	want = words_rest(w);
	if (strcmp(out.to_router, strcmp(want, "-") == 0 ? "" : want) != 0)
		lab_fail(lab, "it says \"%s\"", out.to_router);
}

static void put_word(char **text, const char *word)
{
	char *more;

	assert_true(asprintf(&more, "%s%s%s", *text, **text ? " " : "", word) >= 0);
	free(*text);
	*text = more;
}

static void check_words(struct lab *lab, char *got, const char *want)
{
	if (strcmp(got, want) != 0)
		lab_fail(lab, "it is \"%s\"", got);
	free(got);
}

static void do_peers(struct lab *lab, struct words *w)
{
	const char *router = words_next(w);
	const struct lab_filter *f = lab_filter(lab, router, words_next(w));
	char *got = mem_strdup(""), addr[IP_TEXT_SIZE];

	for (size_t i = 0; i < f->filter.n_peers; i++)
		put_word(&got, ip_addr_format(&f->filter.peers[i], addr));
	check_words(lab, got, words_rest(w));
}

struct left_list {
	int64_t now_ms;
	char *text;
};

static void put_left(const struct engine_left *left, void *arg)
{
	struct left_list *l = arg;
	char word[IP_TEXT_SIZE + 24], addr[IP_TEXT_SIZE];

	ip_addr_format(&left->addr, addr);
	if (left->due_ms < 0)
		snprintf(word, sizeof(word), "%s=-", addr);
	else
		snprintf(word, sizeof(word), "%s=%lld", addr,
			 (long long)(left->due_ms - l->now_ms + 999) / 1000);
	put_word(&l->text, word);
}

static void do_left(struct lab *lab, struct words *w)
{
	const char *router = words_next(w), *interface = words_next(w);
	struct left_list l = { lab->now_ms, mem_strdup("") };

	engine_edge_left_walk(lab->engine, router, interface, put_left, &l);
	check_words(lab, l.text, words_rest(w));
}

static void check_log(struct lab *lab, char **log, const char *text)
{
	if (!*log || !strstr(*log, text))
		lab_fail(lab, "the notes are:\n%s", *log ? *log : "");
	free(*log);
	*log = NULL;
}

static void do_noted(struct lab *lab, struct words *w)
{
	check_log(lab, &lab->notes, words_rest(w));
}

static void do_alarmed(struct lab *lab, struct words *w)
{
	check_log(lab, &lab->alarms, words_rest(w));
}

const struct lab_command lab_check_commands[] = {
	{ "expect", do_expect }, { "honest", do_honest },
	{ "forged", do_forged }, { "waiting", do_waiting },
	{ "reason", do_reason }, { "waits", do_waits },
	{ "braked", do_braked }, { "generation", do_generation },
	{ "mark", do_mark },	 { "same", do_same },
	{ "peer", do_peer },	 { "explain", do_explain },
	{ "noted", do_noted },	 { "alarmed", do_alarmed },
	{ "on", do_on },	 { "peers", do_peers },
	{ "left", do_left },	 { "to-router", do_to_router },
	{ NULL, NULL },
};
