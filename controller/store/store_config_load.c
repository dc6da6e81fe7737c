/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Reading the operator's policy: each table once, in the order of its keys,
 * joined in passing. Values go through the same checks as those of commands.
 */
#include "controller/store/store.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "controller/store/store_db.h"
#include "controller/store/store_radius_config.h"
#include "lib/mem.h"

/* ---- reading values ---- */

#define KEYS_MAX 2

/* A row that savd has not written like this: damaged, or edited by hand. */
static int bad_row(struct store *s, const char *table, const char *key1, const char *key2,
		   struct diag *diag)
{
	return diag_prepend(
		diag,
		"%s: table %s%s%s%s%s (correct it with sqlite3, or restore a backup)",
		s->path, table, key1[0] ? ", row " : "", key1, key2[0] ? " " : "", key2);
}

/* Only the text that savd writes: another spelling of the same prefix could
 * not be removed any more. */
static int prefix_read(sqlite3_stmt *q, int column, struct ip_prefix *p,
		       struct diag *diag)
{
	char text[IP_TEXT_SIZE] = "", again[IP_TEXT_SIZE];

	if (!store_db_text(q, column, text, sizeof(text)) ||
	    ip_prefix_parse(text, p) != IP_PARSE_OK ||
	    strcmp(text, ip_prefix_format(p, again)) != 0)
		return diag_set(diag, "\"%s\" is not a prefix in its plain form", text);
	return 0;
}

static int addr_read(sqlite3_stmt *q, int column, struct ip_addr *a, struct diag *diag)
{
	char text[IP_TEXT_SIZE] = "", again[IP_TEXT_SIZE];

	if (!store_db_text(q, column, text, sizeof(text)) || !ip_addr_parse(text, a) ||
	    strcmp(text, ip_addr_format(a, again)) != 0)
		return diag_set(diag, "\"%s\" is not an address in its plain form", text);
	return 0;
}

static int name_read(sqlite3_stmt *q, int column, char *dst, size_t size,
		     struct diag *diag)
{
	if (store_db_text(q, column, dst, size))
		return 0;
	dst[0] = '\0';
	return diag_set(diag, "column %s is not a text of at most %zu bytes",
			sqlite3_column_name(q, column), size - 1);
}

static int number_read(sqlite3_stmt *q, int column, int64_t max, int64_t *n,
		       struct diag *diag)
{
	*n = sqlite3_column_int64(q, column);
	if (sqlite3_column_type(q, column) == SQLITE_INTEGER && *n >= 0 && *n <= max)
		return 0;
	return diag_set(diag, "column %s is not a number up to %lld",
			sqlite3_column_name(q, column), (long long)max);
}

/* ---- reading lists ---- */

/* A table of lists, read in step with the objects that own them: columns are
 * the owner's key, then the item. */
struct cursor {
	struct store *s;
	sqlite3_stmt *q;
	const char *table;
	int n_keys;
	int row; /* 1: there is one to look at, 0: end, -1: failed */
	char keys[KEYS_MAX][CONFIG_NAME_SIZE];
};

static int cursor_next(struct cursor *c, struct diag *diag)
{
	c->row = store_db_row(c->s, c->q, diag);
	for (int i = 0; c->row == 1 && i < c->n_keys; i++) {
		if (name_read(c->q, i, c->keys[i], sizeof(c->keys[i]), diag) < 0) {
			bad_row(c->s, c->table, c->keys[0], c->keys[1], diag);
			store_db_end(c->q);
			c->row = -1;
		}
	}
	return c->row < 0 ? -1 : 0;
}

static int cursor_open(struct cursor *c, struct store *s, const char *table, int n_keys,
		       const char *sql, struct diag *diag)
{
	*c = (struct cursor){ .s = s, .table = table, .n_keys = n_keys };
	c->q = store_db_query(s, diag, sql, "");
	return c->q ? cursor_next(c, diag) : -1;
}

static void cursor_close(struct cursor *c)
{
	if (c->q && c->row == 1)
		store_db_end(c->q);
}

static bool cursor_is_of(const struct cursor *c, const char *key1, const char *key2)
{
	return c->row == 1 && strcmp(c->keys[0], key1) == 0 &&
	       strcmp(c->keys[1], key2) == 0;
}

/* After the last object nothing may be left over. */
static int cursor_check_end(const struct cursor *c, struct diag *diag)
{
	if (c->row == 0)
		return 0;
	diag_set(diag, "it belongs to nothing");
	return bad_row(c->s, c->table, c->keys[0], c->keys[1], diag);
}

static int take_addrs(struct cursor *c, const char *key1, const char *key2,
		      struct ip_addr **list, size_t *n, struct diag *diag)
{
	while (cursor_is_of(c, key1, key2)) {
		struct ip_addr a;

		if (addr_read(c->q, c->n_keys, &a, diag) < 0)
			return bad_row(c->s, c->table, key1, key2, diag);
		config_addrs_set(list, n, &a, true);
		if (cursor_next(c, diag) < 0)
			return -1;
	}
	return 0;
}

static int prefix_cmp(const void *a, const void *b)
{
	return ip_prefix_cmp(a, b);
}

/* Rows come in the order of their text: sorted once at the end. Their key
 * keeps them different. */
static int take_prefixes(struct cursor *c, const char *key1, const char *key2,
			 struct ip_prefix **list, size_t *n, struct diag *diag)
{
	size_t cap = 0;

	while (cursor_is_of(c, key1, key2)) {
		if (*n == cap) {
			cap = cap ? 2 * cap : 4;
			*list = mem_realloc(*list, cap, sizeof(**list));
		}
		if (prefix_read(c->q, c->n_keys, &(*list)[*n], diag) < 0)
			return bad_row(c->s, c->table, key1, key2, diag);
		(*n)++;
		if (cursor_next(c, diag) < 0)
			return -1;
	}
	if (*n > 0)
		qsort(*list, *n, sizeof(**list), prefix_cmp);
	return 0;
}

/* ---- reading objects ---- */

struct load {
	struct store *s;
	struct config *cfg;
	struct diag *diag;
	sqlite3_stmt *q; /* the row of the object */
	struct cursor *lists;
};

/* Calls fn for each row; ends the statement whatever happens. */
static int each_row(struct load *l, const char *sql, int (*fn)(struct load *l))
{
	int got, rc = 0;

	l->q = store_db_query(l->s, l->diag, sql, "");
	if (!l->q)
		return -1;
	while ((got = store_db_row(l->s, l->q, l->diag)) == 1) {
		rc = fn(l);
		if (rc < 0) {
			store_db_end(l->q);
			return rc;
		}
	}
	return got;
}

/* The session's columns follow the router's; NULL where it has none. */
static int bgp_read(sqlite3_stmt *q, struct config_bgp *bgp, struct diag *diag)
{
	int64_t as, port;

	if (sqlite3_column_type(q, 1) == SQLITE_NULL)
		return 0;
	if (addr_read(q, 1, &bgp->addr, diag) < 0 ||
	    number_read(q, 2, UINT32_MAX, &as, diag) < 0 ||
	    number_read(q, 3, UINT16_MAX, &port, diag) < 0 ||
	    name_read(q, 4, bgp->password, sizeof(bgp->password), diag) < 0)
		return -1;
	bgp->as = (uint32_t)as;
	bgp->port = (uint16_t)port;
	return 0;
}

/* After the session's; NULL where all are the defaults. */
static int feed_read(sqlite3_stmt *q, struct config_router *r, struct diag *diag)
{
	int64_t stats_s, redump_s, exclude;

	if (sqlite3_column_type(q, 5) == SQLITE_NULL)
		return 0;
	if (number_read(q, 5, UINT32_MAX, &stats_s, diag) < 0 ||
	    number_read(q, 6, UINT32_MAX, &redump_s, diag) < 0 ||
	    number_read(q, 7, 1, &exclude, diag) < 0)
		return -1;
	r->bmp_stats_s = (uint32_t)stats_s;
	r->redump_s = (uint32_t)redump_s;
	r->exclude_bgp = exclude != 0;
	return 0;
}

static int router_read(struct load *l)
{
	struct config_router r = { 0 };
	int rc = name_read(l->q, 0, r.name, sizeof(r.name), l->diag);

	if (rc < 0)
		return bad_row(l->s, "router", r.name, "", l->diag);
	if (bgp_read(l->q, &r.bgp, l->diag) < 0)
		return bad_row(l->s, "router_bgp_neighbor", r.name, "", l->diag);
	if (feed_read(l->q, &r, l->diag) < 0)
		return bad_row(l->s, "router_feed", r.name, "", l->diag);
	rc = take_addrs(&l->lists[0], r.name, "", &r.bmp_sources, &r.n_bmp_sources,
			l->diag);
	if (rc == 0)
		rc = take_addrs(&l->lists[1], r.name, "", &r.excluded, &r.n_excluded,
				l->diag);
	if (rc == 0) {
		rc = config_router_put(l->cfg, &r, l->diag);
		if (rc < 0)
			bad_row(l->s, "router", r.name, "", l->diag);
	}
	config_router_fini(&r);
	return rc;
}

static int load_routers(struct load *l)
{
	struct cursor lists[2] = { { 0 } };
	int rc = cursor_open(&lists[0], l->s, "router_bmp_source", 1,
			     "SELECT router, address FROM router_bmp_source"
			     " ORDER BY router, address",
			     l->diag);

	if (rc == 0)
		rc = cursor_open(&lists[1], l->s, "router_excluded_peer", 1,
				 "SELECT router, address FROM router_excluded_peer"
				 " ORDER BY router, address",
				 l->diag);
	l->lists = lists;
	if (rc == 0)
		rc = each_row(l,
			      "SELECT name, n.address, asn, port, password,"
			      " bmp_stats_s, redump_s, exclude_bgp FROM router"
			      " LEFT JOIN router_bgp_neighbor n ON n.router = name"
			      " LEFT JOIN router_feed f ON f.router = name ORDER BY name",
			      router_read);
	for (int i = 0; rc == 0 && i < 2; i++)
		rc = cursor_check_end(&lists[i], l->diag);
	for (int i = 0; i < 2; i++)
		cursor_close(&lists[i]);
	return rc;
}

/* From valid_from, valid_until and overlap, after customer and prefix. */
static int term_read(sqlite3_stmt *q, struct config_term *t, struct diag *diag)
{
	int64_t overlap;

	if (prefix_read(q, 1, &t->prefix, diag) < 0 ||
	    number_read(q, 2, INT64_MAX / 1000, &t->from, diag) < 0 ||
	    number_read(q, 3, INT64_MAX / 1000, &t->until, diag) < 0 ||
	    number_read(q, 4, 1, &overlap, diag) < 0)
		return -1;
	t->overlap = overlap != 0;
	return 0;
}

static int take_terms(struct cursor *c, struct config_customer *customer, struct diag *diag)
{
	while (cursor_is_of(c, customer->name, "")) {
		struct config_term t = { 0 };

		if (term_read(c->q, &t, diag) < 0)
			return bad_row(c->s, c->table, customer->name, "", diag);
		config_record_set(customer, &t);
		if (cursor_next(c, diag) < 0)
			return -1;
	}
	return 0;
}

static int customer_read(struct load *l)
{
	struct config_customer c = { 0 };
	int64_t as = 0;
	int rc;

	if (name_read(l->q, 0, c.name, sizeof(c.name), l->diag) < 0 ||
	    number_read(l->q, 1, UINT32_MAX, &as, l->diag) < 0)
		return bad_row(l->s, "customer", c.name, "", l->diag);
	c.as = (uint32_t)as;
	rc = take_prefixes(&l->lists[0], c.name, "", &c.prefixes, &c.n_prefixes, l->diag);
	if (rc == 0)
		rc = take_terms(&l->lists[1], &c, l->diag);
	if (rc == 0) {
		rc = config_customer_put(l->cfg, &c, l->diag);
		if (rc < 0)
			bad_row(l->s, "customer", c.name, "", l->diag);
	}
	config_customer_fini(&c);
	return rc;
}

static int load_customers(struct load *l)
{
	struct cursor lists[2] = { { 0 } };
	int rc = cursor_open(&lists[0], l->s, "customer_prefix", 1,
			     "SELECT customer, prefix FROM customer_prefix"
			     " ORDER BY customer, prefix",
			     l->diag);

	l->lists = lists;
	if (rc == 0)
		rc = cursor_open(&lists[1], l->s, "customer_term", 1,
				 "SELECT customer, prefix, valid_from, valid_until, overlap"
				 " FROM customer_term ORDER BY customer, prefix",
				 l->diag);
	if (rc == 0)
		rc = each_row(l, "SELECT name, asn FROM customer ORDER BY name",
			      customer_read);
	if (rc == 0)
		rc = cursor_check_end(&lists[0], l->diag);
	if (rc == 0)
		rc = cursor_check_end(&lists[1], l->diag);
	cursor_close(&lists[0]);
	cursor_close(&lists[1]);
	return rc;
}

static int word_bad(sqlite3_stmt *q, int column, const char *word, struct diag *diag)
{
	return diag_set(diag, "unknown %s \"%s\"", sqlite3_column_name(q, column), word);
}

/* '' is "not said", which the parsers of the commands do not take. */
static int edge_words_read(sqlite3_stmt *q, struct config_edge *e, struct diag *diag)
{
	char word[32];

	if (name_read(q, 3, word, sizeof(word), diag) < 0)
		return -1;
	if (word[0] != '\0' && !edge_role_parse(word, &e->role))
		return word_bad(q, 3, word, diag);
	if (name_read(q, 4, word, sizeof(word), diag) < 0)
		return -1;
	if (word[0] != '\0' && !edge_mode_parse(word, &e->mode))
		return word_bad(q, 4, word, diag);
	if (name_read(q, 5, word, sizeof(word), diag) < 0)
		return -1;
	if (!filter_action_parse(word, &e->action))
		return word_bad(q, 5, word, diag);
	if (name_read(q, 6, word, sizeof(word), diag) < 0)
		return -1;
	if (!stale_policy_parse(word, &e->stale_policy))
		return word_bad(q, 6, word, diag);
	return 0;
}

static int edge_numbers_read(sqlite3_stmt *q, struct config_edge *e, struct diag *diag)
{
	int64_t holddown, shrink, stale, growth, paths;

	if (number_read(q, 7, UINT32_MAX, &holddown, diag) < 0 ||
	    number_read(q, 8, UINT32_MAX, &shrink, diag) < 0 ||
	    number_read(q, 9, UINT32_MAX, &stale, diag) < 0 ||
	    number_read(q, 12, UINT32_MAX, &growth, diag) < 0 ||
	    number_read(q, 13, UINT32_MAX, &paths, diag) < 0)
		return -1;
	e->holddown_s = (uint32_t)holddown;
	e->brake_shrink_percent = (uint32_t)shrink;
	e->brake_growth_percent = (uint32_t)growth;
	e->feasible_paths = (uint32_t)paths;
	e->stale_s = (uint32_t)stale;
	return 0;
}

/* NULL where the edge has none. */
static int edge_radius_read(sqlite3_stmt *q, struct config_edge *e, struct diag *diag)
{
	char word[32];

	if (sqlite3_column_type(q, 10) == SQLITE_NULL)
		return 0;
	if (name_read(q, 10, word, sizeof(word), diag) < 0 ||
	    name_read(q, 11, e->profile, sizeof(e->profile), diag) < 0)
		return -1;
	if (word[0] != '\0' && !edge_pending_parse(word, &e->pending))
		return word_bad(q, 10, word, diag);
	return 0;
}

static int edge_columns_read(sqlite3_stmt *q, struct config_edge *e, struct diag *diag)
{
	if (name_read(q, 0, e->router, sizeof(e->router), diag) < 0 ||
	    name_read(q, 1, e->interface, sizeof(e->interface), diag) < 0)
		return -1;
	if (sqlite3_column_type(q, 2) != SQLITE_NULL &&
	    name_read(q, 2, e->customer, sizeof(e->customer), diag) < 0)
		return -1;
	if (edge_words_read(q, e, diag) < 0 || edge_radius_read(q, e, diag) < 0)
		return -1;
	return edge_numbers_read(q, e, diag);
}

static int edge_read(struct load *l)
{
	struct config_edge e;
	int rc;

	config_edge_init(&e, "", "");
	if (edge_columns_read(l->q, &e, l->diag) < 0)
		return bad_row(l->s, "edge", e.router, e.interface, l->diag);
	rc = take_addrs(&l->lists[0], e.router, e.interface, &e.peers, &e.n_peers,
			l->diag);
	if (rc == 0)
		rc = take_prefixes(&l->lists[1], e.router, e.interface, &e.prefixes,
				   &e.n_prefixes, l->diag);
	if (rc == 0) {
		rc = config_edge_put(l->cfg, &e, l->diag);
		if (rc < 0)
			bad_row(l->s, "edge", e.router, e.interface, l->diag);
	}
	config_edge_fini(&e);
	return rc;
}

static int load_edges(struct load *l)
{
	struct cursor lists[2] = { { 0 } };
	int rc;

	l->lists = lists;
	rc = cursor_open(&lists[0], l->s, "edge_peer", 2,
			 "SELECT router, interface, address FROM edge_peer"
			 " ORDER BY router, interface, address",
			 l->diag);
	if (rc == 0)
		rc = cursor_open(&lists[1], l->s, "edge_prefix", 2,
				 "SELECT router, interface, prefix FROM edge_prefix"
				 " ORDER BY router, interface, prefix",
				 l->diag);
	if (rc == 0)
		rc = each_row(l,
			      "SELECT router, interface, customer, role, mode, action,"
			      " stale_policy, holddown_s, brake_shrink_percent, stale_s,"
			      " pending, profile, brake_growth_percent, feasible_paths FROM edge"
			      " LEFT JOIN edge_radius USING (router, interface)"
			      " ORDER BY router, interface",
			      edge_read);
	if (rc == 0)
		rc = cursor_check_end(&lists[0], l->diag);
	if (rc == 0)
		rc = cursor_check_end(&lists[1], l->diag);
	cursor_close(&lists[0]);
	cursor_close(&lists[1]);
	return rc;
}

static int own_read(struct load *l)
{
	struct ip_prefix p;

	if (prefix_read(l->q, 0, &p, l->diag) < 0 ||
	    config_own_set(l->cfg, &p, true, l->diag) < 0)
		return bad_row(l->s, "own_prefix", "", "", l->diag);
	return 0;
}

static int permit_read(struct load *l)
{
	struct ip_prefix p;

	if (prefix_read(l->q, 0, &p, l->diag) < 0 ||
	    config_permit_set(l->cfg, &p, true, l->diag) < 0)
		return bad_row(l->s, "permit", "", "", l->diag);
	return 0;
}

static int listen_columns_read(struct load *l, struct config_listen *listen)
{
	int64_t port;

	if (addr_read(l->q, 0, &listen->addr, l->diag) < 0 ||
	    number_read(l->q, 1, UINT16_MAX, &port, l->diag) < 0)
		return -1;
	listen->port = (uint16_t)port;
	return 0;
}

static int bmp_listen_read(struct load *l)
{
	struct config_listen listen;

	if (listen_columns_read(l, &listen) < 0 ||
	    config_bmp_listen_set(l->cfg, &listen, true, l->diag) < 0)
		return bad_row(l->s, "bmp_listen", "", "", l->diag);
	return 0;
}

static int agent_listen_read(struct load *l)
{
	struct config_listen listen;

	if (listen_columns_read(l, &listen) < 0 ||
	    config_agent_listen_set(l->cfg, &listen, true, l->diag) < 0)
		return bad_row(l->s, "agent_listen", "", "", l->diag);
	return 0;
}

static int metrics_listen_read(struct load *l)
{
	struct config_listen listen;

	if (listen_columns_read(l, &listen) < 0 ||
	    config_metrics_listen_set(l->cfg, &listen, true, l->diag) < 0)
		return bad_row(l->s, "metrics_listen", "", "", l->diag);
	return 0;
}

static int bmp_allow_read(struct load *l)
{
	struct config_bmp_allow a = { 0 };

	if (prefix_read(l->q, 0, &a.prefix, l->diag) < 0)
		return bad_row(l->s, "bmp_allow", "", "", l->diag);
	if (!store_db_text(l->q, 1, a.password, sizeof(a.password))) {
		diag_set(l->diag, "password");
		return bad_row(l->s, "bmp_allow", "", "", l->diag);
	}
	if (config_bmp_allow_set(l->cfg, &a, true, l->diag) < 0)
		return bad_row(l->s, "bmp_allow", "", "", l->diag);
	return 0;
}

static int history_read(struct load *l)
{
	struct config_history h;
	int64_t days, megabytes;

	if (number_read(l->q, 0, CONFIG_HISTORY_DAYS_MAX, &days, l->diag) < 0 ||
	    number_read(l->q, 1, CONFIG_HISTORY_MEGABYTES_MAX, &megabytes, l->diag) < 0)
		return bad_row(l->s, "history_limits", "", "", l->diag);
	h.days = (uint32_t)days;
	h.megabytes = (uint32_t)megabytes;
	return config_history_set(l->cfg, &h, l->diag);
}

static int max_paths_read(struct load *l)
{
	int64_t max_paths;

	if (number_read(l->q, 0, CONFIG_MAX_PATHS_MAX, &max_paths, l->diag) < 0 ||
	    config_max_paths_set(l->cfg, (uint32_t)max_paths, l->diag) < 0)
		return bad_row(l->s, "feed_limits", "", "", l->diag);
	return 0;
}

static int load_all(struct load *l)
{
	if (each_row(l, "SELECT max_paths FROM feed_limits", max_paths_read) < 0)
		return -1;
	if (each_row(l, "SELECT days, megabytes FROM history_limits", history_read) < 0)
		return -1;
	if (load_routers(l) < 0 || load_customers(l) < 0 || load_edges(l) < 0)
		return -1;
	if (each_row(l, "SELECT prefix FROM own_prefix", own_read) < 0 ||
	    each_row(l, "SELECT prefix FROM permit", permit_read) < 0)
		return -1;
	if (each_row(l, "SELECT address, port FROM bmp_listen", bmp_listen_read) < 0)
		return -1;
	if (each_row(l, "SELECT address, port FROM agent_listen", agent_listen_read) < 0)
		return -1;
	if (each_row(l, "SELECT address, port FROM metrics_listen", metrics_listen_read) < 0)
		return -1;
	if (each_row(l, "SELECT prefix, password FROM bmp_allow", bmp_allow_read) < 0)
		return -1;
	return store_radius_load(l->s, l->cfg, l->diag);
}

/* The sink is not set yet, or each value would be written again. One
 * transaction, so that all tables are of the same moment. */
int store_config_load(struct store *store, struct config *cfg, struct diag *diag)
{
	struct load l = { .s = store, .cfg = cfg, .diag = diag };
	struct diag unused;
	int rc;

	assert(!cfg->sink);
	if (!store->batch && store_db_exec(store, diag, "BEGIN", "") < 0)
		return -1;
	cfg->trusts = true;
	rc = load_all(&l);
	cfg->trusts = false;
	if (!store->batch)
		store_db_exec(store, &unused, "ROLLBACK", "");
	return rc;
}
