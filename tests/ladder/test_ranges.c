/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Children by their peers' addresses, against a look at each.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ipsec/ike/ranges.h"
#include "ipsec/ike/ts.h"
#include "lib/mem.h"

#define CHILDREN 200
#define ROUNDS	 20000

static unsigned seed = 4711;

static unsigned pick(unsigned n)
{
	return (unsigned)rand_r(&seed) / 7 % n;
}

/* Prefixes and ranges that are none, of both families, all in a small part of each. */
static struct ike_ts selector(void)
{
	u128 base = pick(2) ? (u128)0x0a000000 : (u128)0x20010db8 << 96;
	struct ike_ts ts = { .port_last = UINT16_MAX };

	ts.first.family = ts.last.family = base >> 32 ? IP_V6 : IP_V4;
	ts.first.v = base + pick(4096);
	ts.last.v = ts.first.v + (pick(3) ? 0 : pick(pick(2) ? 16 : 1024));
	if (pick(4) == 0) {
		struct ip_prefix p = ip_prefix_make((enum ip_family)ts.first.family, ts.first.v,
						    ip_bits((enum ip_family)ts.first.family) - pick(13));

		ts = ike_ts_of_prefix(&p);
	}
	if (pick(500) == 0)
		ts = ike_ts_of_prefix(&(struct ip_prefix){ .family = (uint8_t)pick(2) });
	return ts;
}

static struct sa_child *child_new(void)
{
	struct sa_child *child = mem_alloc(sizeof(*child));
	struct ike_ts_list *list = mem_alloc(sizeof(*list));

	list->n = 1 + pick(3);
	for (unsigned i = 0; i < list->n; i++)
		list->list[i] = i > 0 && pick(3) == 0 ? list->list[0] : selector();
	child->remote_ts = list;
	return child;
}

static void child_free(struct sa_child *child)
{
	free((void *)(uintptr_t)child->remote_ts);
	free(child);
}

static bool has_common(const struct sa_child *child, const struct ike_ts *ts)
{
	struct ike_ts common;

	for (unsigned i = 0; i < child->remote_ts->n; i++)
		if (ike_ts_intersect(&child->remote_ts->list[i], ts, &common))
			return true;
	return false;
}

struct asked {
	const struct ike_ts *ts;
	uint32_t not; /* spi_in */
	unsigned n;
};

static bool is_wanted(void *ctx, const struct sa_child *child)
{
	struct asked *asked = ctx;

	asked->n++;
	return child->spi_in != asked->not && has_common(child, asked->ts);
}

static void as_a_look_at_each(void **state)
{
	struct sa_child *all[CHILDREN] = { NULL };
	struct ranges *ranges = ranges_new(1);
	uint64_t asked_of = 0, there = 0;

	for (unsigned round = 0; round < ROUNDS; round++) {
		unsigned i = pick(CHILDREN);
		struct ike_ts ts = selector();
		struct asked asked = { &ts, 1 + pick(CHILDREN), 0 };
		const struct sa_child *found;
		bool any = false;

		if (all[i]) {
			ranges_remove(ranges, all[i]);
			child_free(all[i]);
			all[i] = NULL;
		} else {
			all[i] = child_new();
			all[i]->spi_in = i + 1;
			ranges_add(ranges, all[i]);
		}
		for (unsigned k = 0; k < CHILDREN; k++) {
			any = any || (all[k] && all[k]->spi_in != asked.not && has_common(all[k], &ts));
			there += all[k] != NULL;
		}
		found = ranges_find(ranges, &ts, is_wanted, &asked);
		assert_int_equal(found != NULL, any);
		assert_true(!found || (all[found->spi_in - 1] == found && found->spi_in != asked.not && has_common(found, &ts)));
		asked_of += asked.n;
	}
	assert_true(asked_of < there / 5); /* mostly others are not asked */
	for (unsigned k = 0; k < CHILDREN; k++)
		if (all[k] && k % 2) {
			ranges_remove(ranges, all[k]);
			child_free(all[k]);
			all[k] = NULL;
		}
	ranges_free(ranges); /* with the other half in it */
	for (unsigned k = 0; k < CHILDREN; k++)
		if (all[k])
			child_free(all[k]);
	ranges_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_a_look_at_each),
	};

	return cmocka_run_group_tests_name("ranges", tests, NULL, NULL);
}
