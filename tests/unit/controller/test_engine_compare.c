/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * BMP against the router's own BGP session: what is the same, what differs and
 * why, what becomes an alarm, and that a large table takes many turns.
 */
#include "tests/unit/controller/lab_bgp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/engine_compare.h"
#include "controller/feed/bmp.h"

/* s1's peer is of AS 65001, s2's of 65002; one internal session; s9 is no link. */
#define ROUTER                                                                           \
	"router r1\n"                                                                    \
	"edge r1 s1 customer feasible\n"                                                 \
	"inventory r1 s1=10.0.1.1 s2=10.0.2.1 s1=2001:db8:1::1/64 lo=10.255.0.1/32\n"
#define UP                                                                               \
	"connect r1\n"                                                                   \
	"up r1 10.0.1.2 10.0.1.1 65001\n"                                                \
	"up r1 10.0.2.2 10.0.2.1 65002\n"                                                \
	"up r1 2001:db8:1::2 2001:db8:1::1 65001\n"                                      \
	"up r1 10.255.0.2 10.255.0.1 64500\n"
#define WHOLE                                                                            \
	"eor r1 10.0.1.2\n"                                                              \
	"eor r1 10.0.2.2\n"                                                              \
	"eor r1 2001:db8:1::2\n"                                                         \
	"eor r1 10.255.0.2\n"                                                            \
	"wait 40\n"

static size_t numbers(const char *text, uint32_t *as)
{
	char *end;
	size_t n = 0;

	for (; *text != '\0'; text = end + strspn(end, " "))
		as[n++] = (uint32_t)strtoul(text, &end, 10);
	return n;
}

#define NO_ADVERTISE 1 /* flags of a path */
#define PRE	     2

/* hop "": not told. */
static void bmp_tell(struct lab *lab, const char *peer, const char *prefix,
		     const char *hop, const char *path, int flags)
{
	static const uint8_t community[] = { 0, 100, 0, 1, 0xff, 0xff, 0xff, 0x02 };
	uint32_t as[32], peer_as = strcmp(peer, "10.0.2.2") == 0	 ? 65002 :
				   strcmp(peer, "10.255.0.2") == 0 ? 64500 :
									   65001;
	struct build_peer from = { .addr = peer,
				   .as = peer_as,
				   .flags = flags & PRE ? 0 : BMP_FLAG_POST };
	struct build_update u = { 0 };
	struct wr out = { 0 }, nlri = { 0 };

	build_origin(&u.attrs, 0);
	build_as_path(&u.attrs, as, numbers(path, as));
	if (flags & NO_ADVERTISE)
		build_attr(&u.attrs, 0xc0, 8, community, sizeof(community));
	if (strchr(prefix, ':')) {
		build_prefix(&nlri, prefix);
		build_mp_reach(&u.attrs, 2, 1, hop, &nlri);
		wr_fini(&nlri);
	} else {
		build_next_hop(&u.attrs, hop[0] ? hop : "0.0.0.0");
		build_prefix(&u.nlri, prefix);
	}
	build_routes(&out, &from, &u);
	assert_int_equal(lab_bytes(lab, lab_stream(lab, "r1"), &out), 0);
}

static void bgp_tell(struct lab *lab, struct engine_bgp *b, const char *prefix, uint32_t id,
		     const char *hop, const char *path)
{
	uint32_t as[32];
	size_t n = numbers(path, as);

	lab_bgp_tell(lab, b, prefix, id, hop, as, n);
}

/* ---- what a round says */

struct seen {
	struct engine_compare_status status;
	bool found;
	char text[400]; /* counts that are not 0 */
	struct compare_example first;
};

static void put(char *text, size_t size, const char *name, size_t n)
{
	size_t used = strlen(text);

	if (n != 0)
		snprintf(text + used, size - used, "%s%s=%zu", used ? " " : "", name, n);
}

static const char *const kinds[COMPARE_KINDS] = {
	"unexplained", "nextHop",   "prePolicy",  "internal", "bestOnly",
	"local",       "community", "unresolved", "loading",
};

static void put_family(struct seen *s, enum ip_family family)
{
	const struct compare_family *f = &s->status.family[family];
	const char *v = family == IP_V4 ? "" : "6.";
	char name[40];

	snprintf(name, sizeof(name), "%sboth", v);
	put(s->text, sizeof(s->text), name, f->both);
	for (int side = 0; side < COMPARE_SIDES; side++) {
		for (int kind = 0; kind < COMPARE_KINDS; kind++) {
			snprintf(name, sizeof(name), "%s%s.%s", v, side ? "bgp" : "bmp",
				 kinds[kind]);
			put(s->text, sizeof(s->text), name, f->only[side][kind]);
		}
	}
}

static void see(const struct engine_compare_status *status, void *arg)
{
	struct seen *s = arg;

	assert_false(s->found);
	assert_string_equal(status->router, "r1");
	s->found = true;
	s->status = *status;
	put_family(s, IP_V4);
	put_family(s, IP_V6);
	if (status->n_examples != 0)
		s->first = status->examples[0];
}

static struct seen look(struct lab *lab)
{
	struct seen s = { .found = false };

	engine_compare_walk(lab->engine, see, &s);
	assert_true(s.found);
	return s;
}

/* A whole round from now on. */
static struct seen round_of(struct lab *lab)
{
	int64_t from_ms = lab->now_ms;
	struct seen s;

	lab_play(lab, "wait 10\n");
	engine_compare_ask(lab->engine, NULL);
	for (int i = 0; i < 60; i++) {
		lab_play(lab, "wait 1\n");
		s = look(lab);
		if (s.status.known && s.status.began_ms > from_ms)
			break;
	}
	assert_true(s.status.known && s.status.began_ms > from_ms);
	return s;
}

static void check(struct lab *lab, const char *want)
{
	struct seen s = round_of(lab);

	assert_string_equal(s.text, want);
}

/* ---- one path each */

struct path {
	const char *peer; /* NULL: of BGP */
	const char *prefix, *hop, *as;
	int flags;
};

static const struct row {
	const char *name;
	struct path paths[5];
	const char *more; /* script, before */
	bool plain;	  /* the session is without add-path */
	const char *counts;
} rows[] = {
	{ "the same", { { "10.0.1.2", "20.1.0.0/16", "10.0.1.2", "65001", 0 },
			{ NULL, "20.1.0.0/16", "10.0.1.2", "65001", 0 } }, NULL, false, "both=1" },
	{ "the same, IPv6",
	  { { "2001:db8:1::2", "2a00:1::/32", "2001:db8:1::2", "65001", 0 },
	    { NULL, "2a00:1::/32", "2001:db8:1::2", "65001", 0 } }, NULL, false, "6.both=1" },
	{ "the same, of two peers", { { "10.0.1.2", "20.1.0.0/16", "10.0.1.2", "65001 65009", 0 },
				      { "10.0.2.2", "20.1.0.0/16", "10.0.2.2", "65002 65009", 0 },
				      { NULL, "20.1.0.0/16", "10.0.1.2", "65001 65009", 0 },
				      { NULL, "20.1.0.0/16", "10.0.2.2", "65002 65009", 0 } },
	  NULL, false, "both=2" },
	{ "two paths by one next hop", { { "10.0.1.2", "20.1.0.0/16", "10.0.2.2", "65001", 0 },
					 { "10.0.2.2", "20.1.0.0/16", "10.0.2.2", "65002", 0 },
					 { NULL, "20.1.0.0/16", "10.0.2.2", "65001", 0 },
					 { NULL, "20.1.0.0/16", "10.0.2.2", "65002", 0 } },
	  NULL, false, "both=2" },
	{ "only BMP", { { "10.0.1.2", "20.1.0.0/16", "10.0.1.2", "65001", 0 } }, NULL, false,
	  "bmp.unexplained=1" },
	{ "only BGP", { { NULL, "20.1.0.0/16", "10.0.1.2", "65001", 0 } }, NULL, false,
	  "bgp.unexplained=1" },
	{ "another AS path", { { "10.0.1.2", "20.1.0.0/16", "10.0.1.2", "65001", 0 },
			       { NULL, "20.1.0.0/16", "10.0.1.2", "65001 65009", 0 } },
	  NULL, false, "bmp.unexplained=1 bgp.unexplained=1" },
	{ "one of a customer's two links is missing in BGP",
	  { { "10.0.1.2", "20.1.0.0/16", "10.0.1.2", "65001", 0 },
	    { "10.0.2.2", "20.1.0.0/16", "10.0.2.2", "65001", 0 },
	    { NULL, "20.1.0.0/16", "10.0.1.2", "65001", 0 } },
	  NULL, false, "both=1 bmp.unexplained=1" },
	{ "one of a customer's two links is missing in BMP",
	  { { "10.0.1.2", "20.1.0.0/16", "10.0.1.2", "65001", 0 },
	    { NULL, "20.1.0.0/16", "10.0.1.2", "65001", 0 },
	    { NULL, "20.1.0.0/16", "10.0.2.2", "65001", 0 } },
	  NULL, false, "both=1 bgp.unexplained=1" },

	{ "next-hop-self", { { "10.0.1.2", "20.1.0.0/16", "10.0.1.2", "65001", 0 },
			     { NULL, "20.1.0.0/16", "10.255.0.1", "65001", 0 } },
	  NULL, false, "bmp.nextHop=1 bgp.nextHop=1" },
	{ "next-hop-self, and one that BGP lacks",
	  { { "10.0.1.2", "20.1.0.0/16", "10.0.1.2", "65001", 0 },
	    { "10.0.1.2", "20.2.0.0/16", "10.0.1.2", "65001", 0 },
	    { NULL, "20.1.0.0/16", "10.255.0.1", "65001", 0 } },
	  NULL, false, "bmp.unexplained=1 bmp.nextHop=1 bgp.nextHop=1" },
	{ "next-hop-self, and one that BMP lacks",
	  { { NULL, "20.1.0.0/16", "10.255.0.1", "65001", 0 } }, NULL, false,
	  "bgp.unexplained=1" },
	{ "a policy sets the next hop", { { "10.0.1.2", "20.1.0.0/16", "10.0.1.2", "65001", 0 },
					  { NULL, "20.1.0.0/16", "10.0.2.9", "65001", 0 } },
	  NULL, false, "bmp.nextHop=1 bgp.nextHop=1" },
	{ "BMP does not tell the next hop", { { "10.0.1.2", "20.1.0.0/16", "", "65001", 0 },
					      { NULL, "20.1.0.0/16", "10.0.1.2", "65001", 0 } },
	  NULL, false, "both=1" },
	{ "a link-local next hop", { { "2001:db8:1::2", "2a00:1::/32", "fe80::2", "65001", 0 },
				     { NULL, "2a00:1::/32", "2001:db8:1::2", "65001", 0 } },
	  NULL, false, "6.both=1" },

	{ "pre-policy, denied", { { "10.0.1.2", "20.1.0.0/16", "10.0.1.2", "65001", PRE } }, NULL,
	  false, "bmp.prePolicy=1" },
	{ "pre-policy, and the policy prepends",
	  { { "10.0.1.2", "20.1.0.0/16", "10.0.1.2", "65001", PRE },
	    { NULL, "20.1.0.0/16", "10.0.1.2", "65001 65001", 0 } },
	  NULL, false, "bmp.prePolicy=1 bgp.prePolicy=1" },
	{ "pre-policy, accepted", { { "10.0.1.2", "20.1.0.0/16", "10.0.1.2", "65001", PRE },
				    { NULL, "20.1.0.0/16", "10.0.1.2", "65001", 0 } },
	  NULL, false, "both=1" },
	{ "pre-policy is no view where post-policy is sent",
	  { { "10.0.1.2", "20.1.0.0/16", "10.0.1.2", "65001", PRE },
	    { "10.0.1.2", "20.2.0.0/16", "10.0.1.2", "65001", 0 },
	    { NULL, "20.2.0.0/16", "10.0.1.2", "65001", 0 } },
	  NULL, false, "both=1" },

	{ "internal", { { "10.255.0.2", "20.1.0.0/16", "10.255.0.2", "65009", 0 } }, NULL, false,
	  "bmp.internal=1" },
	{ "internal, reflected", { { "10.255.0.2", "20.1.0.0/16", "10.255.0.2", "65009", 0 },
				   { NULL, "20.1.0.0/16", "10.255.0.2", "65009", 0 } },
	  NULL, false, "both=1" },
	{ "best only", { { "10.0.1.2", "20.1.0.0/16", "10.0.1.2", "65001 65009", 0 },
			 { "10.0.2.2", "20.1.0.0/16", "10.0.2.2", "65002 65009", 0 },
			 { NULL, "20.1.0.0/16", "10.0.1.2", "65001 65009", 0 } },
	  NULL, true, "both=1 bmp.bestOnly=1" },
	{ "best only, and an internal one is best",
	  { { "10.0.1.2", "20.1.0.0/16", "10.0.1.2", "65001 65009", 0 },
	    { "10.255.0.2", "20.1.0.0/16", "10.255.0.2", "65009", 0 } },
	  NULL, true, "bmp.internal=1 bmp.bestOnly=1" },
	{ "best only does not explain that there is none",
	  { { "10.0.1.2", "20.1.0.0/16", "10.0.1.2", "65001 65009", 0 } }, NULL, true,
	  "bmp.unexplained=1" },
	{ "with add-path all are wanted", { { "10.0.1.2", "20.1.0.0/16", "10.0.1.2", "65001", 0 },
					    { "10.0.2.2", "20.1.0.0/16", "10.0.2.2", "65002", 0 },
					    { NULL, "20.1.0.0/16", "10.0.1.2", "65001", 0 } },
	  NULL, false, "both=1 bmp.unexplained=1" },
	{ "the router's own", { { NULL, "20.1.0.0/16", "10.255.0.1", "", 0 } }, NULL, false,
	  "bgp.local=1" },
	{ "no-advertise", { { "10.0.1.2", "20.1.0.0/16", "10.0.1.2", "65001", NO_ADVERTISE } },
	  NULL, false, "bmp.community=1" },
	{ "no route to the next hop", { { "10.0.1.2", "20.1.0.0/16", "10.66.0.1", "65001", 0 } },
	  "fib r1 10.0.1.0/24=s1 0.0.0.0/0=s2\n", false, "bmp.unresolved=1" },
	{ "a route to the next hop", { { "10.0.1.2", "20.1.0.0/16", "10.0.1.2", "65001", 0 } },
	  "fib r1 10.0.1.0/24=s1 0.0.0.0/0=s2\n", false, "bmp.unexplained=1" },
	{ "BMP without the family", { { NULL, "2a00:1::/32", "2001:db8:1::2", "65001", 0 } }, NULL,
	  false, "6.bgp.unexplained=1" },
};

static void check_row(const struct row *row)
{
	struct engine_bgp *b;
	uint32_t id = 0;
	struct lab *lab;

	lab_setup((void **)&lab);
	lab_play(lab, ROUTER);
	lab_play(lab, row->more ? row->more : "");
	lab_play(lab, UP);
	for (const struct path *p = row->paths; p->prefix; p++) {
		if (p->peer)
			bmp_tell(lab, p->peer, p->prefix, p->hop, p->as, p->flags);
	}
	lab_play(lab, WHOLE);
	b = row->plain ? lab_bgp_establish_plain(lab, "r1") : lab_bgp_establish(lab, "r1");
	for (const struct path *p = row->paths; p->prefix; p++) {
		if (!p->peer)
			bgp_tell(lab, b, p->prefix, row->plain ? 0 : ++id, p->hop, p->as);
	}
	lab_bgp_end_of_rib(lab, b);
	check(lab, row->counts);
	lab_teardown((void **)&lab);
}

static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		print_message("  %s\n", rows[i].name);
		check_row(&rows[i]);
	}
}

/* ---- rounds */

/* Both feeds are whole: nothing is here. */
static struct engine_bgp *both_feeds(struct lab *lab)
{
	struct engine_bgp *b;

	lab_play(lab, ROUTER UP WHOLE);
	b = lab_bgp_establish(lab, "r1");
	lab_bgp_end_of_rib(lab, b);
	lab_play(lab, "wait 1\n");
	return b;
}

static void both_tell(struct lab *lab, struct engine_bgp *b, const char *prefix)
{
	bmp_tell(lab, "10.0.1.2", prefix, "10.0.1.2", "65001", PRE);
	bmp_tell(lab, "10.0.1.2", prefix, "10.0.1.2", "65001", 0);
	lab_bgp_add(lab, b, prefix, 1, "10.0.1.2");
}

/* Lost or filtered on one of the two: an alarm after the second round, once; and
 * it is taken back when they agree. What the sets hold is not touched. */
static void test_what_lasts_is_an_alarm(void **state)
{
	struct lab *lab = *state;
	struct engine_bgp *b = both_feeds(lab);
	struct seen s;

	both_tell(lab, b, "20.1.0.0/16");
	both_tell(lab, b, "20.2.0.0/16");
	check(lab, "both=2");
	assert_null(lab->alarms);
	lab_bgp_del(lab, b, "20.2.0.0/16", 1);
	s = round_of(lab);
	assert_string_equal(s.text, "both=1 bmp.unexplained=1");
	assert_false(s.status.alarm);
	assert_int_equal(s.status.lasting, 0);
	assert_null(lab->alarms);
	s = round_of(lab);
	assert_true(s.status.alarm && s.first.lasting);
	assert_int_equal(s.status.lasting, 1);
	assert_string_equal(s.first.path, "65001");
	lab_play(lab, "alarmed router r1: BMP and its BGP session have differed in 1 path for two "
		      "rounds and no known reason, for example 20.2.0.0/16 from peer 10.0.1.2 "
		      "only by BMP: \"show feed compare r1\"\n");
	s = round_of(lab);
	assert_true(s.status.alarm);
	assert_null(lab->alarms);
	lab_play(lab, "expect r1 s1 observe 20.1.0.0/16 20.2.0.0/16\n");
	lab_bgp_add(lab, b, "20.2.0.0/16", 1, "10.0.1.2");
	s = round_of(lab);
	assert_false(s.status.alarm);
	lab_play(lab, "noted router r1: BMP and its BGP session agree again\n");
}

/* Another difference in each round is delay. */
static void test_what_changes_is_no_alarm(void **state)
{
	struct lab *lab = *state;
	struct engine_bgp *b = both_feeds(lab);

	for (int i = 1; i < 5; i++) {
		char prefix[32];

		snprintf(prefix, sizeof(prefix), "20.%d.0.0/16", i);
		lab_bgp_add(lab, b, prefix, 1, "10.0.1.2");
		check(lab, "bgp.unexplained=1");
		lab_bgp_del(lab, b, prefix, 1);
	}
	assert_null(lab->alarms);
}

static void test_on_a_timer_and_when_asked(void **state)
{
	struct lab *lab = *state;
	int64_t began_ms;
	struct seen s;

	both_feeds(lab);
	s = look(lab);
	assert_false(s.status.known);
	lab_play(lab, "wait 15\n");
	s = look(lab);
	assert_true(s.status.known && !s.status.asked && !s.status.running);
	began_ms = s.status.began_ms;
	for (int i = 0; i < 5; i++) /* not at once, and one for all who ask */
		engine_compare_ask(lab->engine, "r1");
	s = look(lab);
	assert_true(s.status.asked);
	lab_play(lab, "wait 12\n");
	s = look(lab);
	assert_false(s.status.asked);
	assert_in_range(s.status.began_ms - began_ms, 10000, 12000);
	began_ms = s.status.began_ms;
	lab_play(lab, "wait 285\n");
	assert_int_equal(look(lab).status.began_ms, began_ms);
	lab_play(lab, "wait 20\n");
	assert_in_range(look(lab).status.began_ms - began_ms, 300000, 302000);
	engine_compare_ask(lab->engine, "r2");
	assert_false(look(lab).status.asked);
}

/* Without both feeds there is nothing to compare, and what was found stays. */
static void test_one_feed_is_not_compared(void **state)
{
	struct lab *lab = *state;
	struct engine_bgp *b = both_feeds(lab);
	int64_t began_ms;

	both_tell(lab, b, "20.1.0.0/16");
	check(lab, "both=1");
	began_ms = look(lab).status.began_ms;
	lab_bgp_lose(lab, b);
	lab_play(lab, "wait 1000\n");
	assert_string_equal(look(lab).status.why_not,
			    "its BGP session has not told a whole table");
	assert_int_equal(look(lab).status.began_ms, began_ms);
	b = lab_bgp_establish(lab, "r1");
	lab_bgp_add(lab, b, "20.1.0.0/16", 1, "10.0.1.2");
	lab_bgp_end_of_rib(lab, b);
	check(lab, "both=1");
	lab_play(lab, "close r1\nwait 500\n");
	assert_string_equal(look(lab).status.why_not, "it sends no BMP");
	lab_play(lab, "connect r1\nwait 1\n");
	assert_string_equal(look(lab).status.why_not,
			    "its BMP session has not told a whole table");
	lab_bgp_lose(lab, b);
	engine_bgp_forget(lab->engine, "r1");
	lab_play(lab, "wait 20\n");
	assert_false(look(lab).status.known);
	assert_non_null(strstr(look(lab).status.why_not, "no BGP session"));
}

/* A peer whose table BMP has not told is the reason for what it lacks. */
static void test_a_peer_that_is_loading(void **state)
{
	struct lab *lab = *state;
	struct engine_bgp *b = both_feeds(lab);

	lab_play(lab, "down r1 10.0.1.2\n"
		      "up r1 10.0.1.2 10.0.1.1 65001\n");
	lab_bgp_add(lab, b, "20.1.0.0/16", 1, "10.0.1.2");
	check(lab, "bgp.loading=1");
}

/* A router with thousands of paths: in slices, and peers come and go meanwhile. */
static void test_in_slices(void **state)
{
	struct lab *lab = *state;
	struct engine_bgp *b = both_feeds(lab);
	const size_t n = 30000;
	bool ran = false;
	char prefix[32];
	struct seen s;

	for (size_t i = 0; i < n; i++) {
		snprintf(prefix, sizeof(prefix), "20.%zu.%zu.0/24", i / 256, i % 256);
		bmp_tell(lab, "10.0.1.2", prefix, "10.0.1.2", "65001", 0);
		if (i % 1000 != 0)
			lab_bgp_add(lab, b, prefix, 1, "10.0.1.2");
	}
	lab_play(lab, "wait 30\n");
	engine_compare_ask(lab->engine, NULL);
	for (int i = 0; i < 2000 && !ran; i++) {
		lab->now_ms += 10;
		lab_play(lab, "run\n");
		ran = look(lab).status.running;
	}
	assert_true(ran);
	for (int i = 0; look(lab).status.running; i++) {
		assert_true(i < 1000);
		snprintf(prefix, sizeof(prefix), "21.%d.0.0/16", i);
		bmp_tell(lab, "10.0.2.2", prefix, "10.0.2.2", "65002", 0);
		lab_bgp_add(lab, b, "21.0.0.0/16", (uint32_t)i + 1, "10.0.2.9");
		lab->now_ms += 10;
		lab_play(lab, "run\n");
		assert_true(look(lab).status.running || i > 5); /* that it took slices */
	}
	s = look(lab);
	assert_in_range(s.status.family[IP_V4].paths[COMPARE_BMP], n, n + 200);
	assert_int_equal(s.status.family[IP_V4].both, n - n / 1000);
	assert_int_equal(s.status.n_examples, COMPARE_EXAMPLES);
	/* the peer that is being walked goes: the round begins again */
	lab_play(lab, "wait 10\n");
	engine_compare_ask(lab->engine, NULL);
	for (int i = 0; i < 2000 && !look(lab).status.running; i++) {
		lab->now_ms += 10;
		lab_play(lab, "run\n");
	}
	assert_true(look(lab).status.running);
	lab_play(lab, "close r1\n"
		      "connect r1\n"
		      "up r1 10.0.1.3 10.0.1.1\n"
		      "eor r1 10.0.1.3\n");
	for (int i = 0; i < 40000; i++) /* the others are not named, and go */
		engine_run(lab->engine, lab->now_ms += 10);
	assert_false(look(lab).status.running);
	s = look(lab);
	assert_int_equal(s.status.family[IP_V4].paths[COMPARE_BMP], 0);
}

/* As many differences as one likes: so many are kept, the same each round. */
static void test_many_differences(void **state)
{
	struct lab *lab = *state;
	struct engine_bgp *b = both_feeds(lab);
	struct seen one, two;

	for (uint32_t i = 0; i < 3000; i++) {
		char prefix[32];

		snprintf(prefix, sizeof(prefix), "20.%u.%u.0/24", i / 256, i % 256);
		lab_bgp_add(lab, b, prefix, 1, "10.0.1.2");
	}
	one = round_of(lab);
	assert_string_equal(one.text, "bgp.unexplained=3000");
	two = round_of(lab);
	assert_int_equal(two.status.lasting, 256);
	assert_true(one.first.hash == two.first.hash);
	lab_play(lab, "alarmed differed in 3000 paths\n");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, lab_setup, lab_teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		T(test_what_lasts_is_an_alarm),
		T(test_what_changes_is_no_alarm),
		T(test_on_a_timer_and_when_asked),
		T(test_one_feed_is_not_compared),
		T(test_a_peer_that_is_loading),
		T(test_in_slices),
		T(test_many_differences),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
