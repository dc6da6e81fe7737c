/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Writing the operator's policy: each object is a row, plus lists of its own
 * in other tables. Of a list only the rows that differ are written, so that a
 * customer with ten thousand prefixes can get one more cheaply.
 */
#include "controller/store/store.h"

#include <stdlib.h>
#include <string.h>

#include "controller/store/store_db.h"
#include "controller/store/store_radius_config.h"
#include "lib/mem.h"

/* ---- writing lists ---- */

struct texts {
	char (*t)[IP_TEXT_SIZE];
	size_t n, cap;
};

static char *texts_add(struct texts *list)
{
	if (list->n == list->cap) {
		list->cap = list->cap ? 2 * list->cap : 16;
		list->t = mem_realloc(list->t, list->cap, sizeof(*list->t));
	}
	return list->t[list->n++];
}

static int text_cmp(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void texts_sort(struct texts *list)
{
	if (list->n > 0)
		qsort(list->t, list->n, sizeof(*list->t), text_cmp);
}

static void texts_of_addrs(struct texts *list, const struct ip_addr *a, size_t n)
{
	for (size_t i = 0; i < n; i++)
		ip_addr_format(&a[i], texts_add(list));
	texts_sort(list);
}

static void texts_of_prefixes(struct texts *list, const struct ip_prefix *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		ip_prefix_format(&p[i], texts_add(list));
	texts_sort(list);
}

/* The rows that belong to one object. The key (one or two names) follows the
 * row's own text; formats tell how many. */
struct list_sql {
	const char *key_fmt, *row_fmt;
	const char *select, *insert, *remove;
};

static const struct list_sql bmp_sources_sql = {
	"t",
	"tt",
	"SELECT address FROM router_bmp_source WHERE router = ?1 ORDER BY address",
	"INSERT INTO router_bmp_source (address, router) VALUES (?1, ?2)",
	"DELETE FROM router_bmp_source WHERE address = ?1 AND router = ?2",
};
static const struct list_sql excluded_peers_sql = {
	"t",
	"tt",
	"SELECT address FROM router_excluded_peer WHERE router = ?1 ORDER BY address",
	"INSERT INTO router_excluded_peer (address, router) VALUES (?1, ?2)",
	"DELETE FROM router_excluded_peer WHERE address = ?1 AND router = ?2",
};
static const struct list_sql customer_prefixes_sql = {
	"t",
	"tt",
	"SELECT prefix FROM customer_prefix WHERE customer = ?1 ORDER BY prefix",
	"INSERT INTO customer_prefix (prefix, customer) VALUES (?1, ?2)",
	"DELETE FROM customer_prefix WHERE prefix = ?1 AND customer = ?2",
};
static const struct list_sql edge_peers_sql = {
	"tt",
	"ttt",
	"SELECT address FROM edge_peer WHERE router = ?1 AND interface = ?2 ORDER BY "
	"address",
	"INSERT INTO edge_peer (address, router, interface) VALUES (?1, ?2, ?3)",
	"DELETE FROM edge_peer WHERE address = ?1 AND router = ?2 AND interface = ?3",
};
static const struct list_sql edge_prefixes_sql = {
	"tt",
	"ttt",
	"SELECT prefix FROM edge_prefix WHERE router = ?1 AND interface = ?2 ORDER BY "
	"prefix",
	"INSERT INTO edge_prefix (prefix, router, interface) VALUES (?1, ?2, ?3)",
	"DELETE FROM edge_prefix WHERE prefix = ?1 AND router = ?2 AND interface = ?3",
};

static int list_read(struct store *s, const struct list_sql *sql, const char *key1,
		     const char *key2, struct texts *list, struct diag *diag)
{
	sqlite3_stmt *q = store_db_query(s, diag, sql->select, sql->key_fmt, key1, key2);
	int got;

	if (!q)
		return -1;
	while ((got = store_db_row(s, q, diag)) == 1) {
		if (!store_db_text(q, 0, texts_add(list), IP_TEXT_SIZE)) {
			store_db_end(q);
			return diag_set(
				diag, "%s: a list of %s %s is damaged: restore a backup",
				s->path, key1, key2);
		}
	}
	return got;
}

/* Which of the two comes first; a list that has ended comes last. */
static int texts_cmp(const struct texts *a, size_t i, const struct texts *b, size_t k)
{
	if (i == a->n || k == b->n)
		return i == a->n ? 1 : -1;
	return strcmp(a->t[i], b->t[k]);
}

/* Makes the stored list equal to want; frees want. */
static int list_write(struct store *s, const struct list_sql *sql, const char *key1,
		      const char *key2, struct texts *want, struct diag *diag)
{
	struct texts have = { 0 };
	int rc = list_read(s, sql, key1, key2, &have, diag);

	for (size_t h = 0, w = 0; rc == 0 && (h < have.n || w < want->n);) {
		int c = texts_cmp(&have, h, want, w);

		if (c < 0)
			rc = store_db_exec(s, diag, sql->remove, sql->row_fmt, have.t[h],
					   key1, key2);
		else if (c > 0)
			rc = store_db_exec(s, diag, sql->insert, sql->row_fmt, want->t[w],
					   key1, key2);
		h += c <= 0;
		w += c >= 0;
	}
	free(have.t);
	free(want->t);
	return rc;
}

/* ---- writing objects ---- */

static int bgp_put(struct store *s, const struct config_router *r, struct diag *diag)
{
	char text[IP_TEXT_SIZE];

	if (r->bgp.as == 0)
		return store_db_exec(s, diag, "DELETE FROM router_bgp_neighbor WHERE router = ?1",
				     "t", r->name);
	return store_db_exec(s, diag,
			     "INSERT INTO router_bgp_neighbor"
			     " (router, address, asn, port, password)"
			     " VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (router) DO UPDATE SET"
			     " address = excluded.address, asn = excluded.asn,"
			     " port = excluded.port, password = excluded.password",
			     "ttiit", r->name, ip_addr_format(&r->bgp.addr, text),
			     (int64_t)r->bgp.as, (int64_t)r->bgp.port, r->bgp.password);
}

static int feed_put(struct store *s, const struct config_router *r, struct diag *diag)
{
	if (r->bmp_stats_s == 0 && r->redump_s == 0 && !r->exclude_bgp)
		return store_db_exec(s, diag, "DELETE FROM router_feed WHERE router = ?1", "t",
				     r->name);
	return store_db_exec(s, diag,
			     "INSERT INTO router_feed (router, bmp_stats_s, redump_s, exclude_bgp)"
			     " VALUES (?1, ?2, ?3, ?4) ON CONFLICT (router) DO UPDATE SET"
			     " bmp_stats_s = excluded.bmp_stats_s, redump_s = excluded.redump_s,"
			     " exclude_bgp = excluded.exclude_bgp",
			     "tiii", r->name, (int64_t)r->bmp_stats_s, (int64_t)r->redump_s,
			     (int64_t)r->exclude_bgp);
}

static int router_put(struct store *s, const struct config_router *r, struct diag *diag)
{
	struct texts sources = { 0 }, excluded = { 0 };

	if (store_db_exec(s, diag,
			  "INSERT INTO router (name) VALUES (?1) ON CONFLICT DO NOTHING",
			  "t", r->name) < 0 ||
	    bgp_put(s, r, diag) < 0 || feed_put(s, r, diag) < 0)
		return -1;
	texts_of_addrs(&sources, r->bmp_sources, r->n_bmp_sources);
	if (list_write(s, &bmp_sources_sql, r->name, "", &sources, diag) < 0)
		return -1;
	texts_of_addrs(&excluded, r->excluded, r->n_excluded);
	return list_write(s, &excluded_peers_sql, r->name, "", &excluded, diag);
}

static int sink_router(void *ctx, const char *name, const struct config_router *new,
		       struct diag *diag)
{
	int rc;

	if (store_db_change_begin(ctx, diag) < 0)
		return -1;
	if (new)
		rc = router_put(ctx, new, diag);
	else
		rc = store_db_exec(ctx, diag, "DELETE FROM router WHERE name = ?1", "t",
				   name);
	return store_db_change_end(ctx, rc, diag);
}

/* There are few: all are written again. */
static int terms_write(struct store *s, const struct config_customer *c, struct diag *diag)
{
	char text[IP_TEXT_SIZE];
	int rc = store_db_exec(s, diag, "DELETE FROM customer_term WHERE customer = ?1", "t",
			       c->name);

	for (size_t i = 0; rc == 0 && i < c->n_terms; i++) {
		const struct config_term *t = &c->terms[i];

		rc = store_db_exec(s, diag,
				   "INSERT INTO customer_term (customer, prefix, valid_from,"
				   " valid_until, overlap) VALUES (?1, ?2, ?3, ?4, ?5)",
				   "ttiii", c->name, ip_prefix_format(&t->prefix, text), t->from,
				   t->until, (int64_t)t->overlap);
	}
	return rc;
}

static int customer_put(struct store *s, const struct config_customer *c,
			struct diag *diag)
{
	struct texts prefixes = { 0 };

	if (store_db_exec(s, diag,
			  "INSERT INTO customer (name, asn) VALUES (?1, ?2)"
			  " ON CONFLICT (name) DO UPDATE SET asn = excluded.asn",
			  "ti", c->name, (int64_t)c->as) < 0)
		return -1;
	for (size_t i = 0; i < c->n_prefixes; i++) {
		if (!config_term_find(c, &c->prefixes[i]))
			ip_prefix_format(&c->prefixes[i], texts_add(&prefixes));
	}
	texts_sort(&prefixes);
	if (list_write(s, &customer_prefixes_sql, c->name, "", &prefixes, diag) < 0)
		return -1;
	return terms_write(s, c, diag);
}

static int sink_customer(void *ctx, const char *name, const struct config_customer *new,
			 struct diag *diag)
{
	int rc;

	if (store_db_change_begin(ctx, diag) < 0)
		return -1;
	if (new)
		rc = customer_put(ctx, new, diag);
	else
		rc = store_db_exec(ctx, diag, "DELETE FROM customer WHERE name = ?1", "t",
				   name);
	return store_db_change_end(ctx, rc, diag);
}

static int edge_radius_put(struct store *s, const struct config_edge *e, struct diag *diag)
{
	if (e->pending == PENDING_NONE && e->profile[0] == '\0')
		return store_db_exec(s, diag,
				     "DELETE FROM edge_radius WHERE router = ?1 AND interface = ?2",
				     "tt", e->router, e->interface);
	return store_db_exec(s, diag,
			     "INSERT INTO edge_radius (router, interface, pending, profile)"
			     " VALUES (?1, ?2, ?3, ?4) ON CONFLICT (router, interface) DO UPDATE"
			     " SET pending = excluded.pending, profile = excluded.profile",
			     "tttt", e->router, e->interface, edge_pending_name(e->pending),
			     e->profile);
}

static int edge_put(struct store *s, const struct config_edge *e, struct diag *diag)
{
	struct texts peers = { 0 }, prefixes = { 0 };

	if (store_db_exec(
		    s, diag,
		    "INSERT INTO edge (router, interface, customer, role, mode, action,"
		    " holddown_s, brake_shrink_percent, stale_s, stale_policy,"
		    " brake_growth_percent, feasible_paths)"
		    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"
		    " ON CONFLICT (router, interface) DO UPDATE SET"
		    " customer = excluded.customer, role = excluded.role,"
		    " mode = excluded.mode, action = excluded.action,"
		    " holddown_s = excluded.holddown_s,"
		    " brake_shrink_percent = excluded.brake_shrink_percent,"
		    " stale_s = excluded.stale_s, stale_policy = excluded.stale_policy,"
		    " brake_growth_percent = excluded.brake_growth_percent,"
		    " feasible_paths = excluded.feasible_paths",
		    "ttttttiiitii", e->router, e->interface,
		    e->customer[0] ? e->customer : NULL, edge_role_name(e->role),
		    edge_mode_name(e->mode), filter_action_name(e->action),
		    (int64_t)e->holddown_s, (int64_t)e->brake_shrink_percent,
		    (int64_t)e->stale_s, stale_policy_name(e->stale_policy),
		    (int64_t)e->brake_growth_percent, (int64_t)e->feasible_paths) < 0 ||
	    edge_radius_put(s, e, diag) < 0)
		return -1;
	texts_of_addrs(&peers, e->peers, e->n_peers);
	if (list_write(s, &edge_peers_sql, e->router, e->interface, &peers, diag) < 0)
		return -1;
	texts_of_prefixes(&prefixes, e->prefixes, e->n_prefixes);
	return list_write(s, &edge_prefixes_sql, e->router, e->interface, &prefixes,
			  diag);
}

static int sink_edge(void *ctx, const char *router, const char *interface,
		     const struct config_edge *new, struct diag *diag)
{
	int rc;

	if (store_db_change_begin(ctx, diag) < 0)
		return -1;
	if (new)
		rc = edge_put(ctx, new, diag);
	else
		rc = store_db_exec(
			ctx, diag,
			"DELETE FROM edge WHERE router = ?1 AND interface = ?2", "tt",
			router, interface);
	return store_db_change_end(ctx, rc, diag);
}

/* ---- plain lists ---- */

static int prefix_row(struct store *s, const struct ip_prefix *p, const char *sql,
		      struct diag *diag)
{
	char text[IP_TEXT_SIZE];

	return store_db_exec(s, diag, sql, "t", ip_prefix_format(p, text));
}

static int sink_own_prefix(void *ctx, const struct ip_prefix *p, bool add, struct diag *diag)
{
	return prefix_row(ctx, p,
			  add ? "INSERT INTO own_prefix VALUES (?1) ON CONFLICT DO NOTHING" :
				"DELETE FROM own_prefix WHERE prefix = ?1",
			  diag);
}

static int sink_permit(void *ctx, const struct ip_prefix *p, bool add, struct diag *diag)
{
	return prefix_row(ctx, p,
			  add ? "INSERT INTO permit VALUES (?1) ON CONFLICT DO NOTHING" :
				"DELETE FROM permit WHERE prefix = ?1",
			  diag);
}

static int listen_row(struct store *s, const struct config_listen *l, const char *sql,
		      struct diag *diag)
{
	char text[IP_TEXT_SIZE];

	return store_db_exec(s, diag, sql, "ti", ip_addr_format(&l->addr, text),
			     (int64_t)l->port);
}

static int sink_bmp_listen(void *ctx, const struct config_listen *l, bool add,
			   struct diag *diag)
{
	return listen_row(
		ctx, l,
		add ? "INSERT INTO bmp_listen VALUES (?1, ?2) ON CONFLICT DO NOTHING" :
		      "DELETE FROM bmp_listen WHERE address = ?1 AND port = ?2",
		diag);
}

static int sink_agent_listen(void *ctx, const struct config_listen *l, bool add,
			     struct diag *diag)
{
	return listen_row(
		ctx, l,
		add ? "INSERT INTO agent_listen VALUES (?1, ?2) ON CONFLICT DO NOTHING" :
		      "DELETE FROM agent_listen WHERE address = ?1 AND port = ?2",
		diag);
}

static int sink_metrics_listen(void *ctx, const struct config_listen *l, bool add,
			       struct diag *diag)
{
	return listen_row(
		ctx, l,
		add ? "INSERT INTO metrics_listen VALUES (?1, ?2) ON CONFLICT DO NOTHING" :
		      "DELETE FROM metrics_listen WHERE address = ?1 AND port = ?2",
		diag);
}

static int sink_bmp_allow(void *ctx, const struct config_bmp_allow *a, bool add,
			  struct diag *diag)
{
	char text[IP_TEXT_SIZE];

	ip_prefix_format(&a->prefix, text);
	if (!add)
		return store_db_exec(ctx, diag, "DELETE FROM bmp_allow WHERE prefix = ?1",
				     "t", text);
	return store_db_exec(ctx, diag,
			     "INSERT INTO bmp_allow (prefix, password) VALUES (?1, ?2)"
			     " ON CONFLICT (prefix) DO UPDATE SET"
			     " password = excluded.password",
			     "tt", text, a->password);
}

static int sink_max_paths(void *ctx, uint32_t max_paths, struct diag *diag)
{
	return store_db_exec(ctx, diag,
			     "INSERT INTO feed_limits (id, max_paths) VALUES (1, ?1)"
			     " ON CONFLICT (id) DO UPDATE SET"
			     " max_paths = excluded.max_paths",
			     "i", (int64_t)max_paths);
}

static int sink_history(void *ctx, const struct config_history *new, struct diag *diag)
{
	return store_db_exec(ctx, diag,
			     "INSERT INTO history_limits (id, days, megabytes)"
			     " VALUES (1, ?1, ?2) ON CONFLICT (id) DO UPDATE SET"
			     " days = excluded.days, megabytes = excluded.megabytes",
			     "ii", (int64_t)new->days, (int64_t)new->megabytes);
}

const struct config_sink *store_config_sink(void)
{
	static const struct config_sink sink = {
		.router = sink_router,
		.customer = sink_customer,
		.edge = sink_edge,
		.own_prefix = sink_own_prefix,
		.permit = sink_permit,
		.bmp_listen = sink_bmp_listen,
		.agent_listen = sink_agent_listen,
		.metrics_listen = sink_metrics_listen,
		.bmp_allow = sink_bmp_allow,
		.max_paths = sink_max_paths,
		.history = sink_history,
		.radius_client = store_radius_client,
		.radius_rule = store_radius_rule,
		.radius_server = store_radius_server,
		.radius_listen = store_radius_listen,
		.radius_settings = store_radius_settings,
	};

	return &sink;
}
