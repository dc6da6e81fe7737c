/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/store/store_radius_config.h"

#include <stdlib.h>
#include <string.h>

#include "controller/store/store_db.h"
#include "lib/mem.h"

/* ---- lists of prefixes as one text ---- */

static char *prefixes_text(const struct ip_prefix *p, size_t n)
{
	char *text = mem_alloc(n * IP_TEXT_SIZE + 1), one[IP_TEXT_SIZE];
	size_t at = 0;

	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(ip_prefix_format(&p[i], one));

		if (i > 0)
			text[at++] = ' ';
		memcpy(text + at, one, len);
		at += len;
	}
	return text;
}

static int prefixes_read(sqlite3_stmt *q, int column, struct ip_prefix **list, size_t *n,
			 struct diag *diag)
{
	const char *text = (const char *)sqlite3_column_text(q, column);
	char *copy = mem_strdup(text ? text : ""), *save = NULL;
	int rc = 0;

	for (char *word = strtok_r(copy, " ", &save); word && rc == 0;
	     word = strtok_r(NULL, " ", &save)) {
		struct ip_prefix p;

		if (ip_prefix_parse(word, &p) != IP_PARSE_OK)
			rc = diag_set(diag, "\"%s\" is not a prefix in its plain form", word);
		else
			config_prefixes_set(list, n, &p, true);
	}
	free(copy);
	return rc;
}

/* ---- writing ---- */

static int client_put(struct store *s, const struct config_radius_client *c, struct diag *diag)
{
	char *addresses = prefixes_text(c->addresses, c->n_addresses);
	char *pool = prefixes_text(c->pool, c->n_pool);
	int rc = store_db_exec(s, diag,
			       "INSERT OR REPLACE INTO radius_client (name, addresses, secret,"
			       " pool, router, message_authenticator, dynamic_authorization)"
			       " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
			       "tttttii", c->name, addresses, c->secret, pool, c->router,
			       (int64_t)c->message_authenticator,
			       (int64_t)c->dynamic_authorization);

	free(addresses);
	free(pool);
	return rc;
}

int store_radius_client(void *ctx, const char *name, const struct config_radius_client *new,
			struct diag *diag)
{
	if (new)
		return client_put(ctx, new, diag);
	return store_db_exec(ctx, diag, "DELETE FROM radius_client WHERE name = ?1", "t", name);
}

int store_radius_rule(void *ctx, uint32_t number, const struct config_radius_rule *new,
		      struct diag *diag)
{
	if (!new)
		return store_db_exec(ctx, diag, "DELETE FROM radius_rule WHERE number = ?1", "i",
				     (int64_t)number);
	return store_db_exec(ctx, diag,
			     "INSERT OR REPLACE INTO radius_rule (number, client, nas, port,"
			     " station, vendor, attribute, value, router, interface, role)"
			     " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
			     "ittttiitttt", (int64_t)number, new->client, new->nas, new->port,
			     new->station, (int64_t)new->vendor, (int64_t)new->attribute,
			     new->value, new->router, new->interface,
			     edge_role_name((enum edge_role)new->create));
}

int store_radius_server(void *ctx, const struct config_radius_server *s, bool add,
			struct diag *diag)
{
	char addr[IP_TEXT_SIZE];

	ip_addr_format(&s->addr, addr);
	if (!add)
		return store_db_exec(ctx, diag,
				     "DELETE FROM radius_server WHERE address = ?1 AND port = ?2",
				     "ti", addr, (int64_t)s->port);
	return store_db_exec(ctx, diag,
			     "INSERT OR REPLACE INTO radius_server (address, port, secret)"
			     " VALUES (?1, ?2, ?3)",
			     "tit", addr, (int64_t)s->port, s->secret);
}

int store_radius_listen(void *ctx, const struct config_radius_listen *l, bool add,
			struct diag *diag)
{
	const char *kind = l->dynamic ? "dynamic-authorization" : "accounting";
	char addr[IP_TEXT_SIZE];

	ip_addr_format(&l->addr, addr);
	if (!add)
		return store_db_exec(ctx, diag,
				     "DELETE FROM radius_listen"
				     " WHERE kind = ?1 AND address = ?2 AND port = ?3",
				     "tti", kind, addr, (int64_t)l->port);
	return store_db_exec(ctx, diag,
			     "INSERT INTO radius_listen (kind, address, port)"
			     " VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
			     "tti", kind, addr, (int64_t)l->port);
}

int store_radius_settings(void *ctx, const struct config_radius_settings *new,
			  struct diag *diag)
{
	return store_db_exec(ctx, diag,
			     "INSERT OR REPLACE INTO radius_settings (id, conflict, window_s,"
			     " silence_s, silence_hold_s, vendor, profile_user, profile_password,"
			     " profile_refresh_s, min_len_ipv4, max_len_ipv4, min_len_ipv6,"
			     " max_len_ipv6) VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10,"
			     " ?11, ?12)",
			     "tiiiittiiiii", radius_conflict_name(new->conflict),
			     (int64_t)new->window_s, (int64_t)new->silence_s,
			     (int64_t)new->silence_hold_s, (int64_t)new->vendor,
			     new->profile_user, new->profile_password,
			     (int64_t)new->profile_refresh_s, (int64_t)new->min_len[IP_V4],
			     (int64_t)new->max_len[IP_V4], (int64_t)new->min_len[IP_V6],
			     (int64_t)new->max_len[IP_V6]);
}

/* ---- reading ---- */

static int text(sqlite3_stmt *q, int column, char *dst, size_t size, struct diag *diag)
{
	if (store_db_text(q, column, dst, size))
		return 0;
	return diag_set(diag, "column %s is not a text of at most %zu bytes",
			sqlite3_column_name(q, column), size - 1);
}

static int addr_read(sqlite3_stmt *q, int column, struct ip_addr *addr, struct diag *diag)
{
	char buf[IP_TEXT_SIZE] = "";

	if (store_db_text(q, column, buf, sizeof(buf)) && ip_addr_parse(buf, addr))
		return 0;
	return diag_set(diag, "\"%s\" is not an address", buf);
}

static int client_read(struct config *cfg, sqlite3_stmt *q, struct diag *diag)
{
	struct config_radius_client c = { 0 };
	int rc = -1;

	c.message_authenticator = sqlite3_column_int64(q, 5) != 0;
	c.dynamic_authorization = sqlite3_column_int64(q, 6) != 0;
	if (text(q, 0, c.name, sizeof(c.name), diag) == 0 &&
	    prefixes_read(q, 1, &c.addresses, &c.n_addresses, diag) == 0 &&
	    text(q, 2, c.secret, sizeof(c.secret), diag) == 0 &&
	    prefixes_read(q, 3, &c.pool, &c.n_pool, diag) == 0 &&
	    text(q, 4, c.router, sizeof(c.router), diag) == 0)
		rc = config_radius_client_put(cfg, &c, diag);
	config_radius_client_fini(&c);
	return rc;
}

static int rule_read(struct config *cfg, sqlite3_stmt *q, struct diag *diag)
{
	struct config_radius_rule r = { 0 };
	enum edge_role role = ROLE_NONE;
	char word[32];

	r.number = (uint32_t)sqlite3_column_int64(q, 0);
	r.vendor = (uint32_t)sqlite3_column_int64(q, 5);
	r.attribute = (uint8_t)sqlite3_column_int64(q, 6);
	if (text(q, 1, r.client, sizeof(r.client), diag) < 0 ||
	    text(q, 2, r.nas, sizeof(r.nas), diag) < 0 ||
	    text(q, 3, r.port, sizeof(r.port), diag) < 0 ||
	    text(q, 4, r.station, sizeof(r.station), diag) < 0 ||
	    text(q, 7, r.value, sizeof(r.value), diag) < 0 ||
	    text(q, 8, r.router, sizeof(r.router), diag) < 0 ||
	    text(q, 9, r.interface, sizeof(r.interface), diag) < 0 ||
	    text(q, 10, word, sizeof(word), diag) < 0)
		return -1;
	if (word[0] != '\0' && !edge_role_parse(word, &role))
		return diag_set(diag, "unknown role \"%s\"", word);
	r.create = (uint8_t)role;
	return config_radius_rule_put(cfg, &r, diag);
}

static int server_read(struct config *cfg, sqlite3_stmt *q, struct diag *diag)
{
	struct config_radius_server s = { .port = (uint16_t)sqlite3_column_int64(q, 1) };

	if (addr_read(q, 0, &s.addr, diag) < 0 ||
	    text(q, 2, s.secret, sizeof(s.secret), diag) < 0)
		return -1;
	return config_radius_server_set(cfg, &s, true, diag);
}

static int listen_read(struct config *cfg, sqlite3_stmt *q, struct diag *diag)
{
	struct config_radius_listen l = { .port = (uint16_t)sqlite3_column_int64(q, 2) };
	char kind[32];

	if (text(q, 0, kind, sizeof(kind), diag) < 0 || addr_read(q, 1, &l.addr, diag) < 0)
		return -1;
	l.dynamic = strcmp(kind, "dynamic-authorization") == 0;
	if (!l.dynamic && strcmp(kind, "accounting") != 0)
		return diag_set(diag, "unknown kind \"%s\"", kind);
	return config_radius_listen_set(cfg, &l, true, diag);
}

static int settings_read(struct config *cfg, sqlite3_stmt *q, struct diag *diag)
{
	struct config_radius_settings s;
	char word[32];

	config_radius_settings_init(&s);
	s.window_s = (uint32_t)sqlite3_column_int64(q, 1);
	s.silence_s = (uint32_t)sqlite3_column_int64(q, 2);
	s.silence_hold_s = (uint32_t)sqlite3_column_int64(q, 3);
	s.vendor = (uint32_t)sqlite3_column_int64(q, 4);
	s.profile_refresh_s = (uint32_t)sqlite3_column_int64(q, 7);
	for (int i = 0; i < IP_FAMILIES; i++) {
		s.min_len[i] = (uint8_t)sqlite3_column_int64(q, 8 + 2 * i);
		s.max_len[i] = (uint8_t)sqlite3_column_int64(q, 9 + 2 * i);
	}
	if (text(q, 0, word, sizeof(word), diag) < 0 ||
	    text(q, 5, s.profile_user, sizeof(s.profile_user), diag) < 0 ||
	    text(q, 6, s.profile_password, sizeof(s.profile_password), diag) < 0)
		return -1;
	if (!radius_conflict_parse(word, &s.conflict))
		return diag_set(diag, "unknown conflict \"%s\"", word);
	return config_radius_settings_put(cfg, &s, diag);
}

typedef int read_fn(struct config *cfg, sqlite3_stmt *q, struct diag *diag);

static int each_row(struct store *s, struct config *cfg, const char *table, const char *sql,
		    read_fn *fn, struct diag *diag)
{
	sqlite3_stmt *q = store_db_query(s, diag, sql, "");
	int got;

	if (!q)
		return -1;
	while ((got = store_db_row(s, q, diag)) == 1) {
		if (fn(cfg, q, diag) < 0) {
			store_db_end(q);
			return diag_prepend(diag,
					    "%s: table %s (correct it with sqlite3, or restore "
					    "a backup)",
					    s->path, table);
		}
	}
	return got;
}

int store_radius_load(struct store *s, struct config *cfg, struct diag *diag)
{
	if (each_row(s, cfg, "radius_client",
		     "SELECT name, addresses, secret, pool, router, message_authenticator,"
		     " dynamic_authorization FROM radius_client ORDER BY name",
		     client_read, diag) < 0 ||
	    each_row(s, cfg, "radius_rule",
		     "SELECT number, client, nas, port, station, vendor, attribute, value,"
		     " router, interface, role FROM radius_rule ORDER BY number",
		     rule_read, diag) < 0 ||
	    each_row(s, cfg, "radius_server",
		     "SELECT address, port, secret FROM radius_server", server_read,
		     diag) < 0 ||
	    each_row(s, cfg, "radius_listen", "SELECT kind, address, port FROM radius_listen",
		     listen_read, diag) < 0)
		return -1;
	return each_row(s, cfg, "radius_settings",
			"SELECT conflict, window_s, silence_s, silence_hold_s, vendor,"
			" profile_user, profile_password, profile_refresh_s, min_len_ipv4,"
			" max_len_ipv4, min_len_ipv6, max_len_ipv6"
			" FROM radius_settings",
			settings_read, diag);
}
