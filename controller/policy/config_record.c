/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/policy/config_record.h"

#include <stdlib.h>
#include <string.h>

#include "controller/policy/config.h"
#include "lib/array.h"
#include "lib/digest.h"
#include "lib/mem.h"
#include "lib/prefix_index.h"

/* Every prefix that is in a record, with how many customers say it: the first
 * word of each. Who they are is only looked for where two overlap. */
struct config_records {
	struct prefix_index f[IP_FAMILIES];
};

/* ---- terms ---- */

static int term_cmp(const void *item, const void *key)
{
	return ip_prefix_cmp(&((const struct config_term *)item)->prefix, key);
}

static size_t locate(const struct config_customer *c, const struct ip_prefix *p,
		     bool *found)
{
	return array_locate(c->terms, c->n_terms, sizeof(*c->terms), p, term_cmp, found);
}

const struct config_term *config_term_find(const struct config_customer *c,
					   const struct ip_prefix *p)
{
	bool found;
	size_t at = locate(c, p, &found);

	return found ? &c->terms[at] : NULL;
}

bool config_term_is_valid(const struct config_term *t, int64_t now_s)
{
	return (t->from == 0 || t->from <= now_s) && (t->until == 0 || now_s < t->until);
}

static bool says_something(const struct config_term *t)
{
	return t->from != 0 || t->until != 0 || t->overlap;
}

void config_record_set(struct config_customer *c, const struct config_term *t)
{
	void *array = c->terms;
	bool found;
	size_t at;

	if (!says_something(t)) {
		config_record_remove(c, &t->prefix);
		config_prefixes_set(&c->prefixes, &c->n_prefixes, &t->prefix, true);
		return;
	}
	at = locate(c, &t->prefix, &found);
	if (!found)
		array_insert(&array, &c->n_terms, sizeof(*t), at, t);
	c->terms = array;
	c->terms[at] = *t;
}

bool config_record_remove(struct config_customer *c, const struct ip_prefix *p)
{
	bool found, was;
	size_t at = locate(c, p, &found);

	was = config_prefixes_set(&c->prefixes, &c->n_prefixes, p, false);
	if (found)
		array_remove(c->terms, &c->n_terms, sizeof(*c->terms), at);
	return found || was;
}

/* ---- statements, with terms or without ---- */

static bool has_statement(const struct config_customer *c, const struct ip_prefix *p)
{
	size_t lo = 0, hi = c->n_prefixes;

	if (config_term_find(c, p))
		return true;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int order = ip_prefix_cmp(&c->prefixes[mid], p);

		if (order == 0)
			return true;
		if (order < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return false;
}

static bool same_term(const struct config_term *a, const struct config_term *b)
{
	if (!a || !b)
		return a == b;
	return a->from == b->from && a->until == b->until && a->overlap == b->overlap;
}

static struct config_statement statement_of(const struct config_customer *c,
					    const struct ip_prefix *p)
{
	return (struct config_statement){ has_statement(c, p), config_term_find(c, p) };
}

static const struct config_customer nobody;

/* Both are sorted, so that a customer with ten thousand prefixes can get one more
 * cheaply. */
void config_record_differences(const struct config_customer *old,
			       const struct config_customer *new,
			       config_difference_fn *fn, void *arg)
{
	old = old ? old : &nobody;
	new = new ? new : &nobody;
	for (size_t i = 0; i < old->n_terms; i++) {
		struct config_statement now = statement_of(new, &old->terms[i].prefix);

		if (!same_term(&old->terms[i], now.term))
			fn(&old->terms[i].prefix,
			   (struct config_statement){ true, &old->terms[i] }, now, arg);
	}
	for (size_t i = 0; i < new->n_terms; i++) {
		const struct ip_prefix *p = &new->terms[i].prefix;

		if (!config_term_find(old, p))
			fn(p, statement_of(old, p),
			   (struct config_statement){ true, &new->terms[i] }, arg);
	}
	for (size_t o = 0, n = 0; o < old->n_prefixes || n < new->n_prefixes;) {
		int c = o == old->n_prefixes ? 1
			: n == new->n_prefixes
				? -1
				: ip_prefix_cmp(&old->prefixes[o], &new->prefixes[n]);
		const struct ip_prefix *p =
			c <= 0 ? &old->prefixes[o] : &new->prefixes[n];

		/* with a term it was dealt with above, or only began to count */
		if (c != 0 && !config_term_find(old, p) && !config_term_find(new, p))
			fn(p, (struct config_statement){ c < 0, NULL },
			   (struct config_statement){ c > 0, NULL }, arg);
		o += c <= 0;
		n += c >= 0;
	}
}

/* ---- the index ---- */

static void count(const struct ip_prefix *p, struct config_statement old,
		  struct config_statement new, void *arg)
{
	struct config_records *r = arg;
	struct prefix_index *x = &r->f[p->family];
	uint32_t node;

	if (new.said && !old.said)
		(*prefix_index_data(x, prefix_index_get(x, p)))++;
	node = old.said && !new.said ? prefix_index_find(x, p) : 0;
	if (node != 0 && --*prefix_index_data(x, node) == 0)
		prefix_index_erase(x, node);
}

static struct config_records *records(struct config *cfg)
{
	uint64_t seed;

	if (cfg->records)
		return cfg->records;
	cfg->records = mem_alloc(sizeof(*cfg->records));
	digest_random(&seed, sizeof(seed));
	prefix_index_init(&cfg->records->f[IP_V4], IP_V4, seed);
	prefix_index_init(&cfg->records->f[IP_V6], IP_V6, seed);
	for (size_t i = 0; i < cfg->n_customers; i++)
		config_record_differences(NULL, &cfg->customers[i], count, cfg->records);
	return cfg->records;
}

void config_record_forget(struct config *cfg)
{
	if (!cfg->records)
		return;
	prefix_index_fini(&cfg->records->f[IP_V4]);
	prefix_index_fini(&cfg->records->f[IP_V6]);
	free(cfg->records);
	cfg->records = NULL;
}

void config_record_changed(struct config *cfg, const struct config_customer *old,
			   const struct config_customer *new)
{
	if (cfg->records)
		config_record_differences(old, new, count, cfg->records);
}

/* ---- overlap ---- */

/* One statement of a customer against all those of others. */
struct search {
	struct config *cfg;
	const struct config_customer *old;
	struct config_term mine;
	const struct config_customer *other; /* found: whose */
	struct ip_prefix theirs;	     /* and what */
};

static bool periods_meet(const struct config_term *a, const struct config_term *b)
{
	return (a->until == 0 || b->from < a->until) &&
	       (b->until == 0 || a->from < b->until);
}

static bool clashes(const struct search *s, const struct config_customer *c,
		    const struct ip_prefix *p)
{
	const struct config_term *t = config_term_find(c, p);
	struct config_term plain = { .prefix = *p };

	if (!t)
		t = &plain;
	return !t->overlap && periods_meet(t, &s->mine);
}

/* Somebody says p. Who? Only those who are not me, and have not confirmed. */
static bool look_at(const struct prefix_index *x, uint32_t node, void *arg)
{
	struct search *s = arg;
	struct ip_prefix p = prefix_index_prefix(x, node);
	bool me = s->old && has_statement(s->old, &p);

	if (s->other || *prefix_index_data(x, node) == (me ? 1 : 0))
		return s->other != NULL;
	for (size_t i = 0; i < s->cfg->n_customers && !s->other; i++) {
		const struct config_customer *c = &s->cfg->customers[i];

		if (c == s->old || !has_statement(c, &p) || !clashes(s, c, &p))
			continue;
		s->other = c;
		s->theirs = p;
	}
	return s->other != NULL;
}

static void check_one(const struct ip_prefix *p, struct config_statement old,
		      struct config_statement new, void *arg)
{
	struct search *s = arg;
	struct prefix_index *x;

	(void)old;
	if (s->other || !new.said || (new.term &&new.term->overlap))
		return;
	s->mine = new.term ? *new.term : (struct config_term){ .prefix = *p };
	x = &records(s->cfg)->f[p->family];
	if (!prefix_index_covering(x, p, look_at, s))
		prefix_index_inside(x, p, false, look_at, s);
}

static int refuse(const struct search *s, struct diag *diag)
{
	char mine[IP_TEXT_SIZE], theirs[IP_TEXT_SIZE];

	ip_prefix_format(&s->mine.prefix, mine);
	ip_prefix_format(&s->theirs, theirs);
	return diag_set(
		diag,
		"prefix %s overlaps %s of customer %s: if both may use these addresses, "
		"type \"prefix %s allow-overlap\"",
		mine, theirs, s->other->name, mine);
}

/* From a database of a time when nobody asked: the overlap is there, and taking
 * it for confirmed is what keeps everything as it was. */
static void confirm(struct config_customer *c, struct search *s)
{
	struct config_term t = s->mine;

	t.overlap = true;
	config_record_set(c, &t);
	s->other = NULL;
}

static int check_period(const struct config_term *t, struct diag *diag)
{
	char text[IP_TEXT_SIZE];

	if (t->until == 0 || t->until > t->from)
		return 0;
	return diag_set(diag, "prefix %s: \"until\" must be later than \"from\"",
			ip_prefix_format(&t->prefix, text));
}

int config_record_check(struct config *cfg, const struct config_customer *old,
			struct config_customer *c, struct diag *diag)
{
	struct search s = { .cfg = cfg, .old = old };

	for (size_t i = 0; i < c->n_terms; i++) {
		if (check_period(&c->terms[i], diag) < 0)
			return -1;
	}
	do {
		s.other = NULL;
		config_record_differences(old, c, check_one, &s);
		if (s.other && !cfg->trusts)
			return refuse(&s, diag);
		if (s.other)
			confirm(c, &s);
		else
			break;
	} while (true);
	return 0;
}

/* ---- one statement ---- */

static int put_in_place(struct config *cfg, struct config_customer *c,
			const struct config_term *t, struct diag *diag)
{
	struct search s = { .cfg = cfg, .old = c };
	struct config_statement old = statement_of(c, &t->prefix);
	struct config_statement new = { true, says_something(t) ? t : NULL };

	check_one(&t->prefix, old, new, &s);
	if (s.other)
		return refuse(&s, diag);
	count(&t->prefix, old, new, records(cfg));
	config_record_set(c, t);
	config_prefixes_set(&c->prefixes, &c->n_prefixes, &t->prefix,
			    config_term_is_valid(t, cfg->now_s));
	return 0;
}

int config_record_put(struct config *cfg, const char *name, const struct config_term *t,
		      struct diag *diag)
{
	const struct config_customer *c = config_customer_find(cfg, name);
	struct config_customer copy;
	int rc;

	if (!c)
		return diag_set(diag, "customer %s is gone: type \"exit\"", name);
	if (check_period(t, diag) < 0)
		return -1;
	if (!cfg->sink && !cfg->watch && !cfg->before && !cfg->trusts)
		return put_in_place(cfg, &cfg->customers[c - cfg->customers], t, diag);
	config_customer_copy(&copy, c);
	config_record_set(&copy, t);
	rc = config_customer_put(cfg, &copy, diag);
	config_customer_fini(&copy);
	return rc;
}

/* ---- time ---- */

void config_record_apply(const struct config *cfg, struct config_customer *c)
{
	for (size_t i = 0; i < c->n_terms; i++)
		config_prefixes_set(&c->prefixes, &c->n_prefixes, &c->terms[i].prefix,
				    config_term_is_valid(&c->terms[i], cfg->now_s));
}

static bool is_due(const struct config *cfg, const struct config_customer *c)
{
	for (size_t i = 0; i < c->n_terms; i++) {
		const struct ip_prefix *p = &c->terms[i].prefix;
		struct config_customer bare = { .prefixes = c->prefixes,
						.n_prefixes = c->n_prefixes };

		if (has_statement(&bare, p) !=
		    config_term_is_valid(&c->terms[i], cfg->now_s))
			return true;
	}
	return false;
}

static void next_of(const struct config *cfg, const struct config_customer *c,
		    int64_t *next)
{
	for (size_t i = 0; i < c->n_terms; i++) {
		int64_t bounds[2] = { c->terms[i].from, c->terms[i].until };

		for (int k = 0; k < 2; k++) {
			if (bounds[k] > cfg->now_s && (*next == 0 || bounds[k] < *next))
				*next = bounds[k];
		}
	}
}

int64_t config_set_time(struct config *cfg, int64_t now_s)
{
	int64_t next = 0;
	bool due = false;

	cfg->now_s = now_s;
	for (size_t i = 0; i < cfg->n_customers; i++)
		due = due || is_due(cfg, &cfg->customers[i]);
	if (due && cfg->before)
		cfg->before(CONFIG_CUSTOMER, NULL, NULL, cfg->watch_arg);
	for (size_t i = 0; i < cfg->n_customers; i++) {
		config_record_apply(cfg, &cfg->customers[i]);
		next_of(cfg, &cfg->customers[i], &next);
	}
	if (due && cfg->watch)
		cfg->watch(CONFIG_CUSTOMER, NULL, NULL, cfg->watch_arg);
	return next;
}
