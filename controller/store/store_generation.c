/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The last filter of each edge that was handed to its router, one row each.
 * A database can pass its checks and still hold a byte that a disk has
 * changed; a wrong set would drop honest traffic, so each row has a hash.
 */
#include "controller/store/store.h"

#include <stdio.h>
#include <string.h>

#include "controller/store/store_db.h"
#include "controller/store/store_prefixes.h"
#include "lib/digest.h"

/* ---- bytes ---- */

static void put_prefix(const struct ip_prefix *p, void *arg)
{
	struct wr *wr = arg;
	uint8_t raw[16];

	ip_to_bytes(p->v, p->family, raw);
	wr_bytes(wr, raw, ip_bytes(p->family));
	wr_u8(wr, p->len);
}

void store_prefixes_encode(const struct addrset *set, enum ip_family family,
			   struct wr *wr)
{
	rangeset_each_prefix(&set->f[family], family, put_prefix, wr);
}

bool store_prefixes_decode(struct rd rd, enum ip_family family, struct addrset *set)
{
	while (rd_left(&rd) > 0) {
		uint8_t raw[16] = { 0 };
		struct ip_prefix p;
		u128 v;
		uint8_t len;

		rd_bytes(&rd, raw, ip_bytes(family));
		len = rd_u8(&rd);
		if (rd.failed || len > ip_bits(family))
			return false;
		v = ip_from_bytes(raw, family);
		p = ip_prefix_make(family, v, len);
		if (p.v != v)
			return false;
		addrset_append(set, &p);
	}
	return true;
}

static void peers_encode(const struct filter *f, struct wr *wr)
{
	for (size_t i = 0; i < f->n_peers; i++) {
		uint8_t raw[16];

		ip_to_bytes(f->peers[i].v, f->peers[i].family, raw);
		wr_u8(wr, (uint8_t)ip_bytes(f->peers[i].family));
		wr_bytes(wr, raw, ip_bytes(f->peers[i].family));
	}
}

static bool peers_decode(struct rd rd, struct filter *f)
{
	struct ip_addr peers[FILTER_PEERS_MAX];
	size_t n = 0;

	while (rd_left(&rd) > 0) {
		uint8_t raw[16] = { 0 }, size = rd_u8(&rd);

		if (n == FILTER_PEERS_MAX || (size != 4 && size != 16))
			return false;
		rd_bytes(&rd, raw, size);
		if (rd.failed)
			return false;
		peers[n].family = size == 4 ? IP_V4 : IP_V6;
		peers[n].v = ip_from_bytes(raw, peers[n].family);
		n++;
	}
	filter_set_peers(f, peers, n);
	return true;
}

/* The filter's hash leaves out what is not its content; a row without its
 * true router or number would be as wrong. */
static void row_hash(const char *router, const struct filter *f, int64_t saved,
		     uint8_t hash[DIGEST_SIZE])
{
	uint8_t content[FILTER_HASH_SIZE];
	struct wr wr = { 0 };

	filter_hash(f, content);
	wr_bytes(&wr, router, strlen(router) + 1);
	wr_be64(&wr, f->generation);
	wr_be64(&wr, (uint64_t)saved);
	wr_bytes(&wr, content, sizeof(content));
	digest_sha256(wr.data, wr.len, hash);
	wr_fini(&wr);
}

/* ---- saving ---- */

/* One statement: callers save many under churn, in a batch of their own. */
int store_generation_save(struct store *store, const char *router, const struct filter *f,
			  int64_t now, struct diag *diag)
{
	struct wr accept[IP_FAMILIES] = { { 0 } }, peers = { 0 };
	uint8_t hash[DIGEST_SIZE];
	int rc;

	if (f->generation > INT64_MAX)
		return diag_set(diag, "%s: generation %llu of %s %s is too large",
				store->path, (unsigned long long)f->generation, router,
				f->interface);
	for (enum ip_family family = IP_V4; family < IP_FAMILIES; family++)
		store_prefixes_encode(&f->accept, family, &accept[family]);
	peers_encode(f, &peers);
	row_hash(router, f, now, hash);
	rc = store_db_exec(
		store, diag,
		"INSERT INTO generation (router, interface, generation, action, accept4,"
		" accept6, peers, saved, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, "
		"?9)"
		" ON CONFLICT (router, interface) DO UPDATE SET"
		" generation = excluded.generation, action = excluded.action,"
		" accept4 = excluded.accept4, accept6 = excluded.accept6,"
		" peers = excluded.peers, saved = excluded.saved, hash = excluded.hash",
		"ttitbbbib", router, f->interface, (int64_t)f->generation,
		filter_action_name(f->action), (const void *)accept[IP_V4].data,
		accept[IP_V4].len, (const void *)accept[IP_V6].data, accept[IP_V6].len,
		(const void *)peers.data, peers.len, now, (const void *)hash,
		sizeof(hash));
	wr_fini(&accept[IP_V4]);
	wr_fini(&accept[IP_V6]);
	wr_fini(&peers);
	return rc;
}

int store_generation_delete(struct store *store, const char *router,
			    const char *interface, struct diag *diag)
{
	return store_db_exec(
		store, diag,
		"DELETE FROM generation WHERE router = ?1 AND interface = ?2", "tt",
		router, interface);
}

/* ---- loading ---- */

struct rd store_blob(sqlite3_stmt *q, int column)
{
	const void *data = sqlite3_column_blob(q, column);

	return rd_init(data ? data : "", (size_t)sqlite3_column_bytes(q, column));
}

static bool row_decode(sqlite3_stmt *q, char *router, size_t size, struct filter *f,
		       int64_t *saved)
{
	uint8_t want[DIGEST_SIZE], have[DIGEST_SIZE];
	struct rd hash;
	char action[16];

	/* names first, also for a report */
	if (!store_db_text(q, 0, router, size) ||
	    !store_db_text(q, 1, f->interface, sizeof(f->interface)))
		return false;
	if (!store_db_text(q, 3, action, sizeof(action)) ||
	    !filter_action_parse(action, &f->action) ||
	    !filter_ifname_is_valid(f->interface))
		return false;
	f->generation = (uint64_t)sqlite3_column_int64(q, 2);
	*saved = sqlite3_column_int64(q, 7);
	if (!store_prefixes_decode(store_blob(q, 4), IP_V4, &f->accept) ||
	    !store_prefixes_decode(store_blob(q, 5), IP_V6, &f->accept) ||
	    !peers_decode(store_blob(q, 6), f))
		return false;
	addrset_normalize(&f->accept);
	hash = store_blob(q, 8);
	rd_bytes(&hash, have, sizeof(have));
	row_hash(router, f, *saved, want);
	return rd_done(&hash) && memcmp(have, want, sizeof(want)) == 0;
}

/* Damaged rows are not fatal: the sets are computed again, and the agents have
 * theirs. The report names the first ones. */
static void report_damaged(struct store *s, size_t n, const char *router,
			   const char *interface, struct diag *diag)
{
	size_t used = strlen(diag->text);

	if (n == 1)
		diag_set(diag, "%s: saved filters are damaged and were left out: %s %s",
			 s->path, router, interface);
	else if (n <= 4)
		snprintf(diag->text + used, sizeof(diag->text) - used, ", %s %s", router,
			 interface);
	else if (n == 5)
		snprintf(diag->text + used, sizeof(diag->text) - used, ", and more");
}

/* 0 with a text in diag: some rows were left out, which is worth a line in
 * the log. fn must not write to the store. */
int store_generations_load(struct store *store, store_generation_fn *fn, void *arg,
			   struct diag *diag)
{
	sqlite3_stmt *q;
	struct diag report = { "" };
	size_t damaged = 0;
	int got;

	q = store_db_query(
		store, diag,
		"SELECT router, interface, generation, action, accept4, accept6,"
		" peers, saved, hash FROM generation ORDER BY router, interface",
		"");
	if (!q)
		return -1;
	while ((got = store_db_row(store, q, diag)) == 1) {
		char router[CONFIG_NAME_SIZE] = "";
		struct filter f = { 0 };
		int64_t saved;

		if (row_decode(q, router, sizeof(router), &f, &saved))
			fn(router, &f, saved, arg);
		else
			report_damaged(store, ++damaged, router, f.interface, &report);
		filter_fini(&f);
	}
	if (got == 0)
		*diag = report;
	return got;
}
