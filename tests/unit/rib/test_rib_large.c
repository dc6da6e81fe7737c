/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Tables that are not small any more: in parts, each of which grows, shrinks, is
 * walked and is swept by itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "controller/rib/attr_pool.h"
#include "controller/rib/path_table.h"
#include "controller/rib/rib.h"
#include "lib/mem.h"

#define MANY 60000u

static uint64_t random_state = 7;

static uint32_t below(uint32_t n)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((random_state >> 33) % n);
}

static struct ip_prefix nth(enum ip_family family, uint32_t i)
{
	return family == IP_V4 ? ip_prefix_make(IP_V4, (i + 1) << 10, 24)
			       : ip_prefix_make(IP_V6, (u128)(i + 1) << 80, 48);
}

/* The i of a prefix above. */
static uint32_t number_of(const struct ip_prefix *p)
{
	return (uint32_t)(p->family == IP_V4 ? p->v >> 10 : p->v >> 80) - 1;
}

static struct rib_attr attr(uint32_t n)
{
	return (struct rib_attr){ .med = n, .has_med = 1 };
}

static struct rib_peer *one_peer(struct rib *rib)
{
	struct rib_peer_key key = { .addr = { 0x0a000001, IP_V4 } };

	return rib_peer_get(rib, &key);
}

static int put(struct rib_peer *peer, enum rib_view view, uint32_t i, uint32_t id)
{
	struct rib_attr a = attr(i);

	return rib_announce(peer, view, (struct ip_prefix[]){ nth(IP_V4, i) }, id, &a);
}

/* ---- no step is long */

static void grow_path_table(enum ip_family family)
{
	struct path_table t;
	size_t most = 0;

	path_table_init(&t, family, 12345);
	for (uint32_t i = 0; i < 5 * MANY; i++) {
		struct path_key key = path_key_make((struct ip_prefix[]){ nth(family, i) }, 0);
		size_t before = t.bytes, moved;

		path_table_insert(&t, &key)->attr = 1;
		moved = t.bytes - before;
		if (t.n > 20000 && moved * 100 / t.bytes > most)
			most = moved * 100 / t.bytes;
	}
	assert_int_equal(t.n, 5 * MANY);
	/* a part of 256 grows by a half at most */
	assert_true(most <= 1);
	for (uint32_t i = 0; i < 5 * MANY; i++) {
		struct path_key key = path_key_make((struct ip_prefix[]){ nth(family, i) }, 0);
		size_t before = t.bytes;

		path_table_erase(&t, path_table_find(&t, &key));
		path_table_fit(&t);
		assert_true(t.n < 20000 || before - t.bytes <= before / 50);
	}
	assert_int_equal(t.bytes, 0);
	path_table_fini(&t);
}

static void test_no_path_waits_for_all_others_to_move(void **state)
{
	grow_path_table(IP_V4);
	grow_path_table(IP_V6);
}

static void test_no_attributes_wait_for_all_others_to_move(void **state)
{
	struct attr_pool *pool = mem_alloc(sizeof(*pool));
	uint32_t *number = mem_calloc(5 * MANY, sizeof(*number));

	attr_pool_init(pool, 12345);
	for (uint32_t i = 0; i < 5 * MANY; i++) {
		struct rib_attr a = { .med = i, .has_med = 1 };
		size_t before = pool->bytes;

		number[i] = attr_pool_get(pool, &a);
		assert_true(i < 20000 || pool->bytes - before <= attr_pool_bytes(pool) / 50);
	}
	assert_int_equal(pool->n, 5 * MANY);
	for (uint32_t i = 0; i < 5 * MANY; i++) {
		struct rib_attr a = { .med = i, .has_med = 1 };

		assert_int_equal(attr_pool_at(pool, number[i])->med, i);
		assert_int_equal(attr_pool_get(pool, &a), number[i]);
		attr_pool_put(pool, number[i]);
	}
	for (uint32_t i = 0; i < 5 * MANY; i++)
		attr_pool_put(pool, number[i]);
	assert_int_equal(pool->n, 0);
	assert_int_equal(attr_pool_bytes(pool), 0);
	free(number);
	free(pool);
}

/* Of every length around the bounds of a block's size, and of what is kept apart. */
static void test_paths_of_all_lengths_are_kept(void **state)
{
	struct attr_pool *pool = mem_alloc(sizeof(*pool));
	uint32_t number[1024];
	uint8_t path[1024];

	for (int i = 0; i < 1024; i++)
		path[i] = (uint8_t)(i * 7);
	attr_pool_init(pool, 12345);
	for (uint16_t len = 0; len < 1024; len++) {
		struct rib_attr a = { .as_path = path, .as_path_len = len };

		number[len] = attr_pool_get(pool, &a);
	}
	for (uint16_t len = 0; len < 1024; len++) {
		const struct rib_attr *a = attr_pool_at(pool, number[len]);

		assert_int_equal(a->as_path_len, len);
		assert_memory_equal(a->as_path, path, len);
		if (len % 2)
			attr_pool_put(pool, number[len]);
	}
	attr_pool_fini(pool); /* with half of them in it */
	assert_int_equal(attr_pool_bytes(pool), 0);
	free(pool);
}

/* ---- blocks by number */

#define BLOCKS 400000

struct block {
	uint32_t number;
	uint8_t size; /* 0: not there */
};

static void block_check(const struct attr_slab *slab, const struct block *b, uint32_t i)
{
	const uint8_t *p = attr_slab_at(slab, b->number);
	uint32_t first;

	memcpy(&first, p, sizeof(first));
	assert_int_equal(first, i);
	assert_int_equal(p[b->size - 1], (uint8_t)i);
}

static void block_toggle(struct attr_slab *slab, struct block *b, uint32_t i, uint8_t size)
{
	uint8_t *p;

	if (b->size != 0) {
		block_check(slab, b, i);
		attr_slab_put(slab, b->number);
		b->size = 0;
		return;
	}
	*b = (struct block){ attr_slab_get(slab, size), size };
	assert_int_not_equal(b->number, 0);
	p = attr_slab_at(slab, b->number);
	memset(p, (int)i, size);
	memcpy(p, &i, sizeof(i));
}

static void test_blocks_do_not_meet_and_empty_chunks_go(void **state)
{
	struct block *block = mem_calloc(BLOCKS, sizeof(*block));
	struct attr_slab slab = { 0 };
	uint32_t random = 1, full;

	for (uint32_t step = 0; step < 5 * BLOCKS; step++) {
		uint32_t i;

		random = random * 1664525u + 1013904223u;
		i = (uint32_t)((uint64_t)random * BLOCKS >> 32);
		block_toggle(&slab, &block[i], i, (uint8_t)(193 + random % 62));
	}
	full = slab.n_held;
	for (uint32_t i = 0; i < BLOCKS; i++) {
		if (block[i].size != 0)
			block_toggle(&slab, &block[i], i, 0);
	}
	/* one chunk at most is left of each of the four sizes */
	assert_true(full > 8 && slab.n_held <= 4);
	for (uint32_t i = 0; i < BLOCKS; i++)
		block_toggle(&slab, &block[i], i, 100);
	for (uint32_t i = 0; i < BLOCKS; i++)
		block_check(&slab, &block[i], i);
	attr_slab_fini(&slab);
	assert_int_equal(slab.bytes, 0);
	free(block);
}

/* ---- against plain arrays */

#define IDS 3

struct model {
	bool there[RIB_VIEWS][MANY][IDS];
	struct rib *rib;
	struct rib_peer *peer;
	enum rib_view view;
	size_t n;
};

static void met(const struct ip_prefix *p, uint32_t id, const struct rib_attr *a, void *arg)
{
	struct model *m = arg;

	m->n++;
	assert_int_equal(a->med, number_of(p));
	assert_true(m->there[m->view][number_of(p)][id]);
}

static bool any(const struct model *m, enum rib_view view, uint32_t i)
{
	return m->there[view][i][0] || m->there[view][i][1] || m->there[view][i][2];
}

static void compare(struct model *m)
{
	size_t n[RIB_VIEWS] = { 0 }, pre_only = 0;

	for (uint32_t i = 0; i < MANY; i++) {
		for (int v = 0; v < RIB_VIEWS; v++) {
			const bool *there = m->there[v][i];

			n[v] += (size_t)there[0] + there[1] + there[2];
			assert_int_equal(rib_lookup(m->peer, (enum rib_view)v,
						    (struct ip_prefix[]){
							    nth(IP_V4, i) }) != NULL,
					 any(m, (enum rib_view)v, i));
		}
		pre_only += any(m, RIB_PRE, i) && !any(m, RIB_POST, i);
	}
	for (int v = 0; v < RIB_VIEWS; v++) {
		m->n = 0;
		m->view = (enum rib_view)v;
		rib_walk(m->peer, m->view, IP_V4, met, m);
		assert_int_equal(m->n, n[v]);
		assert_int_equal(rib_path_count(m->peer, m->view, IP_V4), n[v]);
	}
	assert_int_equal(rib_pre_only(m->peer, IP_V4), pre_only);
}

static void change(struct model *m, enum rib_view view, uint32_t i, uint32_t id, bool there)
{
	struct ip_prefix p = nth(IP_V4, i);

	if (there)
		assert_int_equal(put(m->peer, view, i, id), !m->there[view][i][id]);
	else
		assert_int_equal(rib_withdraw(m->peer, view, &p, id),
				 m->there[view][i][id]);
	m->there[view][i][id] = there;
}

static void test_random_history_of_large_tables(void **state)
{
	struct model *m = mem_alloc(sizeof(*m));
	struct rib_stats empty, stats;

	m->rib = rib_new();
	m->peer = one_peer(m->rib);
	rib_stats(m->rib, &empty);
	/* fill, and empty again, twice */
	for (int round = 0; round < 4; round++) {
		for (uint32_t i = 0; i < 6 * MANY; i++)
			change(m, (enum rib_view)below(RIB_VIEWS), below(MANY),
			       below(10) ? 0 : below(IDS),
			       below(10) < (round % 2 ? 1 : 9));
		compare(m);
	}
	for (uint32_t i = 0; i < MANY * IDS * RIB_VIEWS; i++)
		change(m, (enum rib_view)(i / (MANY * IDS)), i / IDS % MANY, i % IDS, false);
	compare(m);
	rib_stats(m->rib, &stats);
	assert_int_equal(stats.paths, 0);
	assert_int_equal(stats.bytes, empty.bytes);
	rib_free(m->rib);
	free(m);
}

/* ---- walked and swept in parts, while it changes */

static void meet(const struct ip_prefix *p, uint32_t id, const struct rib_attr *a, void *arg)
{
	unsigned int *times = arg;

	times[number_of(p)]++;
}

static void test_a_walk_in_parts_beside_growth(void **state)
{
	struct rib *rib = rib_new();
	struct rib_peer *peer = one_peer(rib);
	unsigned int *times = mem_calloc(MANY, sizeof(*times)), part = 0;
	uint32_t n = 1000;

	for (uint32_t i = 0; i < n; i++)
		put(peer, RIB_PRE, i, 0);
	/* a small one is a single part: it may cease to be small after that */
	assert_false(rib_walk_part(peer, RIB_PRE, IP_V4, 0, meet, times));
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(times[i], 1);
	for (; n < 52000; n++)
		put(peer, RIB_PRE, n, 0);
	memset(times, 0, MANY * sizeof(*times));
	/* a large one that goes on growing */
	for (; rib_walk_part(peer, RIB_PRE, IP_V4, part, meet, times); part++)
		put(peer, RIB_PRE, n + part, 0);
	assert_int_equal(part, 255);
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(times[i], 1);
	free(times);
	rib_free(rib);
}

static void test_a_sweep_in_slices_beside_changes(void **state)
{
	struct rib *rib = rib_new();
	struct rib_peer *peer = one_peer(rib);
	bool *lives = mem_calloc(2 * MANY, sizeof(*lives));
	size_t slices = 0, n = 0, full, budget;
	struct rib_stats stats;

	rib_defer(rib);
	for (uint32_t i = 0; i < MANY; i++)
		put(peer, RIB_POST, i, 0);
	rib_stats(rib, &stats);
	full = stats.bytes;
	rib_peer_clear(peer, RIB_POST, IP_V4);
	do {
		/* comes again, comes anew, goes */
		for (int k = 0; k < 20; k++) {
			uint32_t i = below(2 * MANY);

			lives[i] = below(4) != 0;
			if (lives[i])
				put(peer, RIB_POST, i, 0);
			else
				rib_withdraw(peer, RIB_POST,
					     (struct ip_prefix[]){ nth(IP_V4, i) }, 0);
		}
		budget = 200;
		slices++;
	} while (rib_sweep(rib, &budget));
	assert_in_range(slices, MANY / 200 - 50, MANY / 200 + 50);
	for (uint32_t i = 0; i < 2 * MANY; i++) {
		n += lives[i];
		assert_int_equal(lives[i], rib_lookup(peer, RIB_POST,
						      (struct ip_prefix[]){
							      nth(IP_V4, i) }) != NULL);
	}
	rib_stats(rib, &stats);
	assert_int_equal(stats.paths, n);
	/* what it freed it gave back */
	assert_true(stats.bytes < full / 3);
	free(lives);
	rib_free(rib);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_path_waits_for_all_others_to_move),
		cmocka_unit_test(test_no_attributes_wait_for_all_others_to_move),
		cmocka_unit_test(test_paths_of_all_lengths_are_kept),
		cmocka_unit_test(test_blocks_do_not_meet_and_empty_chunks_go),
		cmocka_unit_test(test_random_history_of_large_tables),
		cmocka_unit_test(test_a_walk_in_parts_beside_growth),
		cmocka_unit_test(test_a_sweep_in_slices_beside_changes),
	};

	return cmocka_run_group_tests_name("rib_large", tests, NULL, NULL);
}
