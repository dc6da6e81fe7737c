/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "controller/rib/path_table.h"
#include "controller/rib/rib.h"
#include "lib/mem.h"

static struct rib_peer *peer_of(struct rib *rib, uint32_t router, const char *addr)
{
	struct rib_peer_key key = { .router = router };

	assert_true(ip_addr_parse(addr, &key.addr));
	return rib_peer_get(rib, &key);
}

static struct ip_prefix prefix(const char *text)
{
	struct ip_prefix p;

	assert_int_equal(ip_prefix_parse(text, &p), IP_PARSE_OK);
	return p;
}

/* An attribute set told apart by one number. */
static struct rib_attr attr(uint32_t n)
{
	static uint8_t path[64][6];
	uint8_t *p = path[n % 64];

	memcpy(p, (const uint8_t[]){ 2, 1, 0, 0, (uint8_t)(n >> 8), (uint8_t)n }, 6);
	return (struct rib_attr){ .origin_as = n,
				  .neighbor_as = n,
				  .as_path_hops = 1,
				  .as_path = p,
				  .as_path_len = 6 };
}

static size_t bytes_of(const struct rib *rib)
{
	struct rib_stats stats;

	rib_stats(rib, &stats);
	return stats.bytes;
}

static void test_announce_replace_withdraw(void **state)
{
	struct rib *rib = rib_new();
	struct rib_peer *peer = peer_of(rib, 0, "10.0.0.1");
	struct ip_prefix p = prefix("192.0.2.0/24"), p6 = prefix("2001:db8::/32");
	struct rib_attr a = attr(1), b = attr(2);

	assert_int_equal(rib_announce(peer, RIB_PRE, &p, 0, &a), 1);
	assert_int_equal(rib_announce(peer, RIB_PRE, &p, 0, &a), 0);
	assert_int_equal(rib_announce(peer, RIB_PRE, &p, 0, &b), 1);
	assert_int_equal(rib_announce(peer, RIB_PRE, &p6, 0, &b), 1);
	assert_int_equal(rib_path_count(peer, RIB_PRE, IP_V4), 1);
	assert_int_equal(rib_path_count(peer, RIB_PRE, IP_V6), 1);
	assert_int_equal(rib_path_count(peer, RIB_POST, IP_V4), 0);
	assert_int_equal(rib_lookup(peer, RIB_PRE, &p)->origin_as, 2);
	assert_null(rib_lookup(peer, RIB_POST, &p));
	assert_false(rib_withdraw(peer, RIB_POST, &p, 0));
	assert_false(rib_withdraw(peer, RIB_PRE, &p, 7));
	assert_true(rib_withdraw(peer, RIB_PRE, &p, 0));
	assert_false(rib_withdraw(peer, RIB_PRE, &p, 0));
	assert_null(rib_lookup(peer, RIB_PRE, &p));
	rib_free(rib);
}

static void test_attributes_are_shared_and_let_go(void **state)
{
	struct rib *rib = rib_new();
	struct rib_peer *one = peer_of(rib, 0, "10.0.0.1"),
			*two = peer_of(rib, 0, "10.0.0.2");
	struct rib_attr a = attr(1);
	struct rib_stats stats;
	size_t empty = bytes_of(rib);

	for (uint32_t i = 0; i < 5000; i++) {
		struct ip_prefix p = ip_prefix_make(IP_V4, i << 12, 24);

		rib_announce(one, RIB_POST, &p, 0, &a);
		rib_announce(two, RIB_POST, &p, 0, &a);
	}
	rib_stats(rib, &stats);
	assert_int_equal(stats.attrs, 1);
	assert_int_equal(stats.paths, 10000);
	assert_int_equal(stats.peers, 2);
	assert_true(stats.bytes > empty + 2 * 5000 * 16);
	assert_ptr_equal(rib_lookup(one, RIB_POST, &(struct ip_prefix){ .len = 24 }),
			 rib_lookup(two, RIB_POST, &(struct ip_prefix){ .len = 24 }));
	/* a peer whose routes go one by one gives the memory back too */
	for (uint32_t i = 0; i < 5000; i++) {
		struct ip_prefix p = ip_prefix_make(IP_V4, i << 12, 24);

		assert_true(rib_withdraw(one, RIB_POST, &p, 0));
	}
	rib_peer_clear(two, RIB_POST, IP_V4);
	rib_stats(rib, &stats);
	assert_int_equal(stats.attrs, 0);
	assert_int_equal(stats.paths, 0);
	assert_in_range(stats.bytes, empty, empty + 1024);
	rib_free(rib);
}

/* Every field that a reader may look at must tell two sets apart. */
static void test_attributes_differ_in_any_field(void **state)
{
	struct rib *rib = rib_new();
	struct rib_peer *peer = peer_of(rib, 0, "10.0.0.1");
	struct ip_prefix p = prefix("10.0.0.0/8");
	struct rib_attr a = attr(1), v[11];
	uint8_t longer[12] = { 2, 2 };

	for (size_t i = 0; i < 11; i++)
		v[i] = a;
	v[0].origin_code = 2;
	v[1].has_local_pref = 1;
	v[2].has_med = 1;
	v[3].local_pref = 5;
	v[4].med = 5;
	v[5].next_hop.v = 5;
	v[6].next_hop.family = IP_V6;
	v[7].as_path = longer;
	v[7].as_path_len = 10;
	v[8].as_path = NULL;
	v[8].as_path_len = 0;
	v[9].origin_kind = RIB_ORIGIN_NONE;
	v[10].no_advertise = 1;
	assert_int_equal(rib_announce(peer, RIB_PRE, &p, 0, &a), 1);
	for (size_t i = 0; i < 11; i++) {
		const struct rib_attr *got;

		assert_int_equal(rib_announce(peer, RIB_PRE, &p, 0, &v[i]), 1);
		got = rib_lookup(peer, RIB_PRE, &p);
		assert_int_equal(got->as_path_len, v[i].as_path_len);
		assert_int_equal(got->med, v[i].med);
		assert_int_equal(rib_announce(peer, RIB_PRE, &p, 0, &a), 1);
	}
	rib_free(rib);
}

static void test_path_ids_are_paths_of_their_own(void **state)
{
	struct rib *rib = rib_new();
	struct rib_peer *peer = peer_of(rib, 0, "10.0.0.1");
	struct ip_prefix p = prefix("10.0.0.0/8");
	struct rib_attr a = attr(1), b = attr(2);

	rib_announce(peer, RIB_PRE, &p, 1, &a);
	rib_announce(peer, RIB_PRE, &p, 2, &b);
	assert_int_equal(rib_path_count(peer, RIB_PRE, IP_V4), 2);
	assert_true(rib_withdraw(peer, RIB_PRE, &p, 1));
	assert_int_equal(rib_lookup(peer, RIB_PRE, &p)->origin_as, 2);
	assert_true(rib_withdraw(peer, RIB_PRE, &p, 2));
	rib_free(rib);
}

struct sum {
	size_t n, origins, ids;
};

static void add_up(const struct ip_prefix *p, uint32_t path_id, const struct rib_attr *a,
		   void *arg)
{
	struct sum *sum = arg;

	assert_int_equal(p->len, 24);
	sum->n++;
	sum->origins += a->origin_as;
	sum->ids += path_id;
}

/* All paths of each of 200 prefixes, and none of its neighbours in the table. */
static void test_all_paths_of_one_prefix(void **state)
{
	struct rib *rib = rib_new();
	struct rib_peer *peer = peer_of(rib, 0, "10.0.0.1");
	struct ip_prefix p = prefix("10.0.0.0/24");

	for (uint32_t i = 0; i < 200; i++) {
		p.v = 0x0a000000 + (i << 8);
		for (uint32_t id = 0; id <= i % 5; id++) {
			struct rib_attr a = attr(i + id);

			rib_announce(peer, RIB_POST, &p, id, &a);
		}
	}
	for (uint32_t i = 0; i < 200; i++) {
		struct sum sum = { 0 };
		size_t n = i % 5 + 1;

		p.v = 0x0a000000 + (i << 8);
		assert_int_equal(rib_walk_prefix(peer, RIB_POST, &p, add_up, &sum), n);
		assert_int_equal(sum.n, n);
		assert_int_equal(sum.ids, n * (n - 1) / 2);
		assert_int_equal(sum.origins, n * i + n * (n - 1) / 2);
		assert_int_equal(rib_path(peer, RIB_POST, &p, i % 5)->origin_as, i + i % 5);
		assert_null(rib_path(peer, RIB_POST, &p, i % 5 + 1));
		assert_null(rib_path(peer, RIB_PRE, &p, 0));
		assert_int_equal(rib_walk_prefix(peer, RIB_PRE, &p, add_up, &sum), 0);
	}
	rib_free(rib);
}

static void test_one_prefix_cannot_have_paths_without_end(void **state)
{
	struct rib *rib = rib_new();
	struct rib_peer *peer = peer_of(rib, 0, "10.0.0.1");
	struct ip_prefix p = prefix("2001:db8::/32");
	struct rib_attr a = attr(1);
	struct rib_stats stats;

	for (uint32_t id = 0; id < PATH_TABLE_SIBLINGS_MAX + 10; id++)
		rib_announce(peer, RIB_PRE, &p, id, &a);
	rib_stats(rib, &stats);
	assert_int_equal(stats.paths, PATH_TABLE_SIBLINGS_MAX);
	assert_int_equal(stats.refused, 10);
	rib_free(rib);
}

static void test_peers_by_key(void **state)
{
	struct rib *rib = rib_new();
	struct rib_peer_key key = { .router = 1 };
	struct rib_peer *peers[300], *p;
	int n = 0;

	for (uint32_t i = 0; i < 300; i++) {
		key.router = i % 3;
		key.type = (uint8_t)(i / 3 % 2);
		key.distinguisher = i / 6 % 5;
		key.addr.v = i / 30;
		key.addr.family = i < 150 ? IP_V4 : IP_V6;
		assert_null(rib_peer_find(rib, &key));
		peers[i] = rib_peer_get(rib, &key);
		assert_ptr_equal(rib_peer_find(rib, &key), peers[i]);
		rib_peer_set_user(peers[i], &peers[i]);
	}
	for (p = rib_peer_first(rib); p; p = rib_peer_next(p)) {
		assert_ptr_equal(p, peers[n]);
		assert_ptr_equal(rib_peer_user(p), &peers[n]);
		assert_ptr_equal(rib_peer_get(rib, rib_peer_key(p)), p);
		n++;
	}
	assert_int_equal(n, 300);
	for (int i = 0; i < 300; i += 2)
		rib_peer_remove(peers[i]);
	for (p = rib_peer_first(rib), n = 1; p; p = rib_peer_next(p), n += 2)
		assert_ptr_equal(p, peers[n]);
	rib_free(rib);
}

static void test_view_is_post_once_seen(void **state)
{
	struct rib *rib = rib_new();
	struct rib_peer *peer = peer_of(rib, 0, "10.0.0.1");

	assert_int_equal(rib_peer_view(peer, IP_V4), RIB_PRE);
	rib_peer_saw_post(peer, IP_V4);
	assert_int_equal(rib_peer_view(peer, IP_V4), RIB_POST);
	assert_int_equal(rib_peer_view(peer, IP_V6), RIB_PRE);
	rib_peer_clear(peer, RIB_POST, IP_V4);
	assert_int_equal(rib_peer_view(peer, IP_V4), RIB_POST);
	rib_free(rib);
}

static void test_stale_paths_stay_until_swept(void **state)
{
	struct rib *rib = rib_new();
	struct rib_peer *peer = peer_of(rib, 0, "10.0.0.1");
	struct rib_attr a = attr(1), b = attr(2);
	struct ip_prefix p[3] = { prefix("10.0.0.0/8"), prefix("11.0.0.0/8"),
				  prefix("12.0.0.0/8") };

	for (int i = 0; i < 3; i++)
		rib_announce(peer, RIB_POST, &p[i], 0, &a);
	assert_int_equal(rib_stale_sweep(peer, RIB_POST, IP_V4), 0);
	rib_stale_mark(peer, RIB_POST, IP_V4);
	rib_stale_mark(peer, RIB_POST, IP_V4);
	assert_int_equal(rib_path_count(peer, RIB_POST, IP_V4), 3);
	assert_int_equal(rib_announce(peer, RIB_POST, &p[0], 0, &a), 0);
	assert_int_equal(rib_announce(peer, RIB_POST, &p[1], 0, &b), 1);
	assert_int_equal(rib_stale_sweep(peer, RIB_PRE, IP_V4), 0);
	assert_int_equal(rib_stale_sweep(peer, RIB_POST, IP_V4), 1);
	assert_non_null(rib_lookup(peer, RIB_POST, &p[0]));
	assert_non_null(rib_lookup(peer, RIB_POST, &p[1]));
	assert_null(rib_lookup(peer, RIB_POST, &p[2]));
	assert_int_equal(rib_stale_sweep(peer, RIB_POST, IP_V4), 0);
	/* a withdrawal of a stale path is no news to the sweep */
	rib_stale_mark(peer, RIB_POST, IP_V4);
	assert_true(rib_withdraw(peer, RIB_POST, &p[0], 0));
	assert_int_equal(rib_stale_sweep(peer, RIB_POST, IP_V4), 1);
	assert_int_equal(rib_path_count(peer, RIB_POST, IP_V4), 0);
	rib_free(rib);
}

/* ---- the same random history told to the rib and to plain arrays */

#define MODEL_PEERS    2
#define MODEL_PREFIXES 700
#define MODEL_IDS      3
#define MODEL_ATTRS    200

struct model {
	struct rib *rib;
	struct rib_peer *peer[MODEL_PEERS];
	struct ip_prefix prefix[IP_FAMILIES][MODEL_PREFIXES];
	/* attribute number + 1, or 0; and the stale mark */
	uint8_t path[MODEL_PEERS][RIB_VIEWS][IP_FAMILIES][MODEL_PREFIXES][MODEL_IDS];
	bool stale[MODEL_PEERS][RIB_VIEWS][IP_FAMILIES][MODEL_PREFIXES][MODEL_IDS];
	/* sum over the watcher's stories: paths there now, by attribute */
	long told[MODEL_ATTRS];
	long changes;
	uint64_t random;
	bool deferred; /* the rib sweeps when it is told to */
};

static uint32_t below(struct model *m, uint32_t n)
{
	m->random = m->random * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((m->random >> 33) % n);
}

static void watch(struct rib_peer *peer, enum rib_view view, const struct ip_prefix *p,
		  const struct rib_attr *old, const struct rib_attr *new, void *arg)
{
	struct model *m = arg;

	assert_true(old != NULL || new != NULL);
	m->changes++;
	if (old)
		m->told[old->origin_as]--;
	if (new)
		m->told[new->origin_as]++;
	/* told after the fact */
	if (new)
		assert_non_null(rib_lookup(peer, view, p));
}

static void model_drop(struct model *m, uint32_t peer, int view, int family,
		       bool only_stale)
{
	for (int i = 0; i < MODEL_PREFIXES; i++) {
		for (int id = 0; id < MODEL_IDS; id++) {
			if (only_stale && !m->stale[peer][view][family][i][id])
				continue;
			m->path[peer][view][family][i][id] = 0;
			m->stale[peer][view][family][i][id] = false;
		}
	}
}

static size_t model_count(const struct model *m, uint32_t peer, int view, int family,
			  bool only_stale)
{
	size_t n = 0;

	for (int i = 0; i < MODEL_PREFIXES; i++) {
		for (int id = 0; id < MODEL_IDS; id++)
			n += m->path[peer][view][family][i][id] != 0 &&
			     (!only_stale || m->stale[peer][view][family][i][id]);
	}
	return n;
}

static size_t model_pre_only(const struct model *m, uint32_t peer, int family)
{
	size_t n = 0;

	for (int i = 0; i < MODEL_PREFIXES; i++) {
		bool there[RIB_VIEWS] = { false };

		for (int k = 0; k < RIB_VIEWS * MODEL_IDS; k++)
			there[k % RIB_VIEWS] |=
				m->path[peer][k % RIB_VIEWS][family][i][k / RIB_VIEWS] != 0;
		n += there[RIB_PRE] && !there[RIB_POST];
	}
	return n;
}

static void model_step(struct model *m, uint32_t announce_percent)
{
	uint32_t peer = below(m, MODEL_PEERS), what = below(m, 3000);
	enum rib_view view = (enum rib_view)below(m, RIB_VIEWS);
	enum ip_family family = (enum ip_family)below(m, IP_FAMILIES);
	uint32_t i = below(m, MODEL_PREFIXES), id = below(m, MODEL_IDS);
	uint8_t *path = &m->path[peer][view][family][i][id];
	bool *stale = &m->stale[peer][view][family][i][id];
	struct rib_peer *rp = m->peer[peer];
	size_t budget = below(m, 30);

	if (m->deferred)
		rib_sweep(m->rib, &budget);
	if (what == 0) {
		rib_peer_clear(rp, view, family);
		model_drop(m, peer, view, family, false);
	} else if (what < 4) {
		rib_stale_mark(rp, view, family);
		for (int k = 0; k < MODEL_PREFIXES * MODEL_IDS; k++)
			m->stale[peer][view][family][k / MODEL_IDS][k % MODEL_IDS] =
				m->path[peer][view][family][k / MODEL_IDS]
				       [k % MODEL_IDS] != 0;
	} else if (what < 8) {
		size_t n = model_count(m, peer, view, family, true);

		assert_int_equal(rib_stale_sweep(rp, view, family), n);
		model_drop(m, peer, view, family, true);
	} else if (below(m, 100) < announce_percent) {
		uint32_t k = below(m, MODEL_ATTRS);
		struct rib_attr a = attr(k);

		int changed = rib_announce(rp, view, &m->prefix[family][i], id, &a);

		/* a dead path that comes again as it was has not changed */
		assert_true(changed == (*path != k + 1) || (m->deferred && *path == 0));
		*path = (uint8_t)(k + 1);
		*stale = false;
	} else {
		assert_int_equal(rib_withdraw(rp, view, &m->prefix[family][i], id),
				 *path != 0);
		*path = 0;
		*stale = false;
	}
}

struct walked {
	struct model *m;
	uint32_t peer;
	int view, family;
	size_t n;
};

static void walk(const struct ip_prefix *p, uint32_t id, const struct rib_attr *a,
		 void *arg)
{
	struct walked *w = arg;

	w->n++;
	for (int i = 0; i < MODEL_PREFIXES; i++) {
		if (ip_prefix_cmp(p, &w->m->prefix[w->family][i]) == 0) {
			assert_int_equal(w->m->path[w->peer][w->view][w->family][i][id],
					 a->origin_as + 1);
			return;
		}
	}
	fail_msg("a prefix that was never announced");
}

static void model_compare(struct model *m)
{
	long in_model[MODEL_ATTRS] = { 0 };
	struct rib_stats stats;
	size_t total = 0, used = 0, budget = SIZE_MAX;

	assert_false(rib_sweep(m->rib, &budget));
	for (uint32_t peer = 0; peer < MODEL_PEERS; peer++) {
		for (int family = 0; family < IP_FAMILIES; family++)
			assert_int_equal(rib_pre_only(m->peer[peer], (enum ip_family)family),
					 model_pre_only(m, peer, family));
		for (int view = 0; view < RIB_VIEWS; view++) {
			for (int family = 0; family < IP_FAMILIES; family++) {
				struct walked w = { m, peer, view, family, 0 };
				size_t n = model_count(m, peer, view, family, false);

				rib_walk(m->peer[peer], (enum rib_view)view,
					 (enum ip_family)family, walk, &w);
				assert_int_equal(w.n, n);
				assert_int_equal(rib_path_count(m->peer[peer],
								(enum rib_view)view,
								(enum ip_family)family),
						 n);
				total += n;
				for (int k = 0; k < MODEL_PREFIXES * MODEL_IDS; k++) {
					uint8_t v = m->path[peer][view][family]
							   [k / MODEL_IDS][k % MODEL_IDS];

					if (v != 0)
						in_model[v - 1]++;
				}
			}
		}
	}
	for (int k = 0; k < MODEL_ATTRS; k++) {
		assert_int_equal(in_model[k], m->told[k]);
		used += in_model[k] != 0;
	}
	rib_stats(m->rib, &stats);
	assert_int_equal(stats.paths, total);
	assert_int_equal(stats.attrs, used);
}

static void play_history(bool deferred)
{
	struct model *m = mem_alloc(sizeof(*m));

	m->random = 42;
	m->rib = rib_new();
	m->deferred = deferred;
	if (deferred)
		rib_defer(m->rib);
	rib_watch(m->rib, watch, m);
	m->peer[0] = peer_of(m->rib, 0, "10.0.0.1");
	m->peer[1] = peer_of(m->rib, 1, "10.0.0.1");
	for (uint32_t i = 0; i < MODEL_PREFIXES; i++) {
		/* nested, and some differ in the length alone */
		m->prefix[IP_V4][i] = ip_prefix_make(IP_V4, (uint32_t)(i / 5 + 1) << 20,
						     12 + i % 5 * 5);
		m->prefix[IP_V6][i] =
			ip_prefix_make(IP_V6, (u128)(i / 3 + 1) << 70, 60 + 20 * (i % 3));
	}
	for (int i = 0; i < 60000; i++) {
		/* fill for a while, then empty: tables grow and shrink */
		model_step(m, i / 10000 % 2 == 0 ? 85 : 15);
		if (i % 1500 == 0)
			model_compare(m);
	}
	model_compare(m);
	assert_true(m->changes > 10000);
	rib_peer_remove(m->peer[0]);
	memset(m->path[0], 0, sizeof(m->path[0]));
	m->peer[0] = peer_of(m->rib, 0, "10.0.0.1");
	model_compare(m);
	rib_free(m->rib);
	free(m);
}

static void test_random_history_equals_arrays(void **state)
{
	play_history(false);
}

static void test_random_history_swept_in_slices(void **state)
{
	play_history(true);
}

/* ---- removal in slices */

static size_t n_told;

static void count_gone(struct rib_peer *peer, enum rib_view view,
		       const struct ip_prefix *p, const struct rib_attr *old,
		       const struct rib_attr *new, void *arg)
{
	if (old && !new)
		n_told++;
}

static struct ip_prefix nth(uint32_t i)
{
	return ip_prefix_make(IP_V4, (i + 1) << 12, 24);
}

static void fill(struct rib_peer *peer, enum rib_view view, uint32_t from, uint32_t to)
{
	struct rib_attr a = attr(1);

	for (uint32_t i = from; i < to; i++)
		rib_announce(peer, view, (struct ip_prefix[]){ nth(i) }, 0, &a);
}

static void test_a_slice_removes_no_more_than_its_budget(void **state)
{
	struct rib *rib = rib_new();
	struct rib_peer *peer = peer_of(rib, 0, "10.0.0.1");
	size_t slices = 0;

	rib_defer(rib);
	fill(peer, RIB_POST, 0, 5000);
	fill(peer, RIB_PRE, 0, 5000);
	n_told = 0;
	rib_watch(rib, count_gone, NULL);
	rib_peer_clear(peer, RIB_POST, IP_V4);
	rib_peer_clear(peer, RIB_PRE, IP_V4);
	/* dead at once, and gone bit by bit, pre-policy first */
	assert_int_equal(n_told, 0);
	assert_int_equal(rib_path_count(peer, RIB_POST, IP_V4), 0);
	assert_non_null(rib_lookup(peer, RIB_POST, (struct ip_prefix[]){ nth(7) }));
	assert_true(rib_is_sweeping(rib) && rib_peer_is_sweeping(peer));
	for (bool more = true; more; slices++) {
		size_t budget = 100, before = n_told;

		more = rib_sweep(rib, &budget);
		assert_true(n_told - before <= 100);
		assert_true(!more || budget == 0);
		if (n_told < 5000)
			assert_non_null(rib_lookup(peer, RIB_POST,
						   (struct ip_prefix[]){ nth(7) }));
	}
	assert_int_equal(n_told, 10000);
	assert_in_range(slices, 100, 120);
	assert_false(rib_is_sweeping(rib) || rib_peer_is_sweeping(peer));
	rib_free(rib);
}

/* The session comes up again while its old paths still go: each path is there
 * once, as the new session has it. */
static void test_a_peer_comes_again_beside_its_sweep(void **state)
{
	struct rib *rib = rib_new();
	struct rib_peer *peer = peer_of(rib, 0, "10.0.0.1");
	struct rib_attr b = attr(2);
	size_t budget = 1000;

	rib_defer(rib);
	fill(peer, RIB_POST, 0, 4000);
	n_told = 0;
	rib_watch(rib, count_gone, NULL);
	rib_peer_clear(peer, RIB_POST, IP_V4);
	assert_true(rib_sweep(rib, &budget));
	rib_stale_mark(peer, RIB_POST, IP_V4); /* Peer Up */
	for (uint32_t i = 3000; i < 6000; i++)
		rib_announce(peer, RIB_POST, (struct ip_prefix[]){ nth(i) }, 0, &b);
	assert_int_equal(rib_path_count(peer, RIB_POST, IP_V4), 3000);
	for (bool more = true; more;) {
		budget = 100;
		more = rib_sweep(rib, &budget);
	}
	assert_int_equal(rib_path_count(peer, RIB_POST, IP_V4), 3000);
	assert_null(rib_lookup(peer, RIB_POST, (struct ip_prefix[]){ nth(2999) }));
	for (uint32_t i = 3000; i < 6000; i++)
		assert_int_equal(
			rib_lookup(peer, RIB_POST, (struct ip_prefix[]){ nth(i) })
				->origin_as,
			2);
	/* those that were gone before, and those that the new session lacks */
	assert_in_range(n_told, 3000, 4000);
	/* its End-of-RIB finds nothing stale */
	assert_int_equal(rib_stale_sweep(peer, RIB_POST, IP_V4), 0);
	assert_false(rib_is_sweeping(rib));
	rib_free(rib);
}

static void test_a_withdrawal_of_a_dead_path_is_unknown(void **state)
{
	struct rib *rib = rib_new();
	struct rib_peer *peer = peer_of(rib, 0, "10.0.0.1");

	rib_defer(rib);
	fill(peer, RIB_PRE, 0, 10);
	rib_peer_clear(peer, RIB_PRE, IP_V4);
	assert_false(rib_withdraw(peer, RIB_PRE, (struct ip_prefix[]){ nth(3) }, 0));
	assert_null(rib_lookup(peer, RIB_PRE, (struct ip_prefix[]){ nth(3) }));
	rib_peer_remove(peer);
	assert_false(rib_is_sweeping(rib));
	rib_free(rib);
}

static void test_generations_are_renumbered_before_they_wrap(void **state)
{
	struct path_table t;
	struct path_slot *slot[3];

	path_table_init(&t, IP_V4, 1);
	for (uint32_t i = 0; i < 3; i++) {
		struct path_key key = path_key_make((struct ip_prefix[]){ nth(i) }, 0);

		if (i == 1) /* the first is dead, the second stale, the third fresh */
			path_table_mark_stale(&t), path_table_kill_stale(&t);
		if (i == 2)
			path_table_mark_stale(&t);
		path_table_insert(&t, &key)->attr = i + 1;
	}
	/* as after 16 million marks */
	for (uint32_t i = 0; i < 3; i++) {
		slot[i] =
			path_table_find(&t, (struct path_key[]){ path_key_make(
						    (struct ip_prefix[]){ nth(i) }, 0) });
		slot[i]->generation += 0xffffff - t.generation;
	}
	t.dead_before += 0xffffff - t.generation;
	t.generation = 0xffffff;
	path_table_mark_stale(&t);
	assert_true(t.generation < 10);
	assert_true(path_table_is_dead(&t, slot[0]));
	assert_false(path_table_is_dead(&t, slot[1]));
	assert_int_equal(t.n_dead, 1);
	assert_int_equal(t.n_fresh, 0);
	path_table_refresh(&t, slot[2]);
	path_table_kill_stale(&t);
	assert_int_equal(t.n_dead, 2);
	assert_true(path_table_is_dead(&t, slot[1]));
	assert_false(path_table_is_dead(&t, slot[2]));
	path_table_fini(&t);
}

/* ---- the bound of a peer */

static unsigned int n_full;

static void count_full(struct rib_peer *peer, void *arg)
{
	n_full++;
	assert_ptr_equal(peer, arg);
}

static void test_a_peer_at_its_bound_keeps_what_it_has(void **state)
{
	struct rib *rib = rib_new();
	struct rib_peer *peer = peer_of(rib, 0, "10.0.0.1"),
			*other = peer_of(rib, 0, "10.0.0.2");
	struct rib_attr a = attr(1), b = attr(2);
	struct ip_prefix p6 = prefix("2001:db8::/32");

	n_full = 0;
	rib_bound(rib, 100, count_full, peer);
	for (uint32_t i = 0; i < 150; i++)
		assert_int_equal(rib_announce(peer, i % 2 ? RIB_PRE : RIB_POST,
					      (struct ip_prefix[]){ nth(i) }, 0, &a),
				 i < 100 ? 1 : -1);
	assert_int_equal(rib_announce(peer, RIB_PRE, &p6, 0, &a), -1);
	assert_int_equal(n_full, 1);
	assert_true(rib_peer_is_full(peer));
	assert_int_equal(rib_peer_refused(peer), 51);
	assert_int_equal(rib_path_count(peer, RIB_PRE, IP_V4), 50);
	assert_null(rib_lookup(peer, RIB_PRE, &p6));
	/* a change of what is there, and other peers, are not concerned */
	assert_int_equal(
		rib_announce(peer, RIB_PRE, (struct ip_prefix[]){ nth(1) }, 0, &b), 1);
	assert_int_equal(rib_announce(other, RIB_PRE, &p6, 0, &a), 1);
	assert_false(rib_peer_is_full(other));
	/* room again */
	assert_true(rib_withdraw(peer, RIB_PRE, (struct ip_prefix[]){ nth(1) }, 0));
	assert_int_equal(rib_announce(peer, RIB_PRE, &p6, 0, &a), 1);
	rib_peer_retry(peer);
	assert_int_equal(rib_announce(peer, RIB_POST, &p6, 0, &a), -1);
	assert_int_equal(n_full, 2);
	rib_peer_clear(peer, RIB_PRE, IP_V4);
	assert_int_equal(rib_announce(peer, RIB_POST, &p6, 0, &a), 1);
	rib_free(rib);
}

/* Otherwise few paths with a long AS_PATH each would fill memory. */
static void test_a_long_as_path_counts_for_more(void **state)
{
	struct rib *rib = rib_new();
	struct rib_peer *peer = peer_of(rib, 0, "10.0.0.1");
	static uint8_t path[4 * RIB_PATH_UNIT];
	struct rib_attr a = attr(1), b = { .as_path = path, .as_path_len = sizeof(path) };

	n_full = 0;
	rib_bound(rib, 10, count_full, peer);
	assert_int_equal(
		rib_announce(peer, RIB_PRE, (struct ip_prefix[]){ nth(1) }, 0, &b), 1);
	assert_int_equal(
		rib_announce(peer, RIB_PRE, (struct ip_prefix[]){ nth(2) }, 0, &a), 1);
	path[0] = 1;
	/* 5 + 1 + 5 is too much, 5 + 5 is not */
	assert_int_equal(
		rib_announce(peer, RIB_PRE, (struct ip_prefix[]){ nth(3) }, 0, &b), -1);
	assert_int_equal(
		rib_announce(peer, RIB_PRE, (struct ip_prefix[]){ nth(2) }, 0, &b), 1);
	assert_int_equal(
		rib_announce(peer, RIB_PRE, (struct ip_prefix[]){ nth(3) }, 0, &a), -1);
	assert_true(rib_withdraw(peer, RIB_PRE, (struct ip_prefix[]){ nth(1) }, 0));
	for (uint32_t i = 10; i < 15; i++)
		assert_int_equal(rib_announce(peer, RIB_PRE,
					      (struct ip_prefix[]){ nth(i) }, 0, &a),
				 1);
	assert_int_equal(
		rib_announce(peer, RIB_PRE, (struct ip_prefix[]){ nth(3) }, 0, &a), -1);
	rib_free(rib);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_announce_replace_withdraw),
		cmocka_unit_test(test_attributes_are_shared_and_let_go),
		cmocka_unit_test(test_attributes_differ_in_any_field),
		cmocka_unit_test(test_path_ids_are_paths_of_their_own),
		cmocka_unit_test(test_all_paths_of_one_prefix),
		cmocka_unit_test(test_one_prefix_cannot_have_paths_without_end),
		cmocka_unit_test(test_peers_by_key),
		cmocka_unit_test(test_view_is_post_once_seen),
		cmocka_unit_test(test_stale_paths_stay_until_swept),
		cmocka_unit_test(test_random_history_equals_arrays),
		cmocka_unit_test(test_random_history_swept_in_slices),
		cmocka_unit_test(test_a_slice_removes_no_more_than_its_budget),
		cmocka_unit_test(test_a_peer_comes_again_beside_its_sweep),
		cmocka_unit_test(test_a_withdrawal_of_a_dead_path_is_unknown),
		cmocka_unit_test(test_generations_are_renumbered_before_they_wrap),
		cmocka_unit_test(test_a_peer_at_its_bound_keeps_what_it_has),
		cmocka_unit_test(test_a_long_as_path_counts_for_more),
	};

	return cmocka_run_group_tests_name("rib", tests, NULL, NULL);
}
