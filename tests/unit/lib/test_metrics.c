/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/metrics.h"

static const struct metric drops = { "sav_test_drops_total", "What was dropped", METRIC_COUNTER };
static const struct metric level = { "sav_test_level_seconds", "A level", METRIC_GAUGE };

static char *text_of(const struct metrics *m)
{
	const struct wr *const *pieces;
	size_t n = metrics_pieces(m, &pieces);
	struct wr all = { 0 };

	for (size_t i = 0; i < n; i++)
		wr_bytes(&all, pieces[i]->data, pieces[i]->len);
	assert_int_equal(all.len, metrics_bytes(m));
	wr_u8(&all, '\0');
	return (char *)all.data;
}

static void assert_text(const struct metrics *m, const char *expected)
{
	char *text = text_of(m);

	assert_string_equal(text, expected);
	free(text);
}

static void families_stay_together_in_any_order(void **state)
{
	struct metrics *m = metrics_new();
	struct metric_labels a = { 0 }, b = { 0 };

	(void)state;
	metric_label(&a, "edge", "eth1");
	metric_label(&b, "edge", "eth2");
	metric_add(m, &drops, &a, 7);
	metric_add_ms(m, &level, &a, 1500);
	metric_add(m, &drops, &b, UINT64_MAX);
	metric_add_us(m, &level, &b, -1);
	metric_add_bool(m, &drops, NULL, true);
	assert_text(m, "# HELP sav_test_drops_total What was dropped\n"
		       "# TYPE sav_test_drops_total counter\n"
		       "sav_test_drops_total{edge=\"eth1\"} 7\n"
		       "sav_test_drops_total{edge=\"eth2\"} 18446744073709551615\n"
		       "sav_test_drops_total 1\n"
		       "# HELP sav_test_level_seconds A level\n"
		       "# TYPE sav_test_level_seconds gauge\n"
		       "sav_test_level_seconds{edge=\"eth1\"} 1.500\n"
		       "sav_test_level_seconds{edge=\"eth2\"} -0.000001\n");
	metric_labels_fini(&a);
	metric_labels_fini(&b);
	metrics_free(m);
}

static void a_value_cannot_leave_its_quotes(void **state)
{
	struct metrics *m = metrics_new();
	struct metric_labels l = { 0 };
	char *text;

	(void)state;
	metric_label(&l, "a", "x\"} 1\nfaked{b=\"\\\t\xff");
	metric_add(m, &drops, &l, 0);
	text = text_of(m);
	assert_non_null(strstr(text, "\nsav_test_drops_total{a=\"x\\\"} 1\\nfaked{b=\\\"\\\\"
				     "\\\\x09\\\\xff\"} 0\n"));
	free(text);
	metric_labels_fini(&l);
	metrics_free(m);
}

static void labels_are_cut_back(void **state)
{
	struct metrics *m = metrics_new();
	struct metric_labels l = { 0 };
	size_t at;

	(void)state;
	metric_label(&l, "router", "pe1");
	at = metric_label(&l, "family", "ipv4");
	metric_labels_cut(&l, at);
	metric_label(&l, "family", "ipv6");
	metric_add(m, &drops, &l, 1);
	metric_labels_clear(&l);
	metric_add(m, &drops, &l, 2);
	assert_text(m, "# HELP sav_test_drops_total What was dropped\n"
		       "# TYPE sav_test_drops_total counter\n"
		       "sav_test_drops_total{router=\"pe1\",family=\"ipv6\"} 1\n"
		       "sav_test_drops_total 2\n");
	metric_labels_fini(&l);
	metrics_free(m);
}

static bool three_steps(struct metrics *m, uint64_t *step, void *arg)
{
	metric_add(m, arg, NULL, *step);
	return ++*step == 3;
}

static bool one_step(struct metrics *m, uint64_t *step, void *arg)
{
	assert_int_equal(*step, 0);
	metric_add(m, arg, NULL, 9);
	return true;
}

static void a_walk_goes_over_all_collectors_and_begins_anew(void **state)
{
	struct metrics_registry *r = metrics_registry_new();

	(void)state;
	metrics_registry_add(r, one_step, (void *)(uintptr_t)&level);
	metrics_registry_add(r, three_steps, (void *)(uintptr_t)&drops);
	for (int i = 0; i < 2; i++) {
		struct metrics *m = metrics_new();
		struct metrics_walk w = { 0 };
		int steps = 1;

		while (metrics_walk_step(r, &w, m))
			steps++;
		assert_int_equal(steps, 4);
		assert_text(m, "# HELP sav_test_level_seconds A level\n"
			       "# TYPE sav_test_level_seconds gauge\n"
			       "sav_test_level_seconds 9\n"
			       "# HELP sav_test_drops_total What was dropped\n"
			       "# TYPE sav_test_drops_total counter\n"
			       "sav_test_drops_total 0\nsav_test_drops_total 1\n"
			       "sav_test_drops_total 2\n");
		metrics_free(m);
	}
	metrics_registry_free(r);
}

/* It may go while a snapshot is being made. */
static void a_collector_that_is_removed_is_not_called(void **state)
{
	struct metrics_registry *r = metrics_registry_new();
	struct metrics *m = metrics_new();
	struct metrics_walk w = { 0 };

	(void)state;
	metrics_registry_add(r, three_steps, (void *)(uintptr_t)&drops);
	metrics_registry_add(r, one_step, (void *)(uintptr_t)&level);
	assert_true(metrics_walk_step(r, &w, m));
	metrics_registry_remove(r, three_steps, (void *)(uintptr_t)&drops);
	assert_true(metrics_walk_step(r, &w, m));
	assert_false(metrics_walk_step(r, &w, m));
	assert_text(m, "# HELP sav_test_drops_total What was dropped\n"
		       "# TYPE sav_test_drops_total counter\n"
		       "sav_test_drops_total 0\n"
		       "# HELP sav_test_level_seconds A level\n"
		       "# TYPE sav_test_level_seconds gauge\n"
		       "sav_test_level_seconds 9\n");
	metrics_free(m);
	metrics_registry_free(r);
}

/* Prometheus' changes() counted an agent that flapped. */
static void a_date_does_not_tremble(void **unused)
{
	int64_t kept = 0;

	(void)unused;
	assert_int_equal(metric_steady_ms(&kept, 1000000), 1000000);
	assert_int_equal(metric_steady_ms(&kept, 1000001), 1000000);
	assert_int_equal(metric_steady_ms(&kept, 999500), 1000000);
	assert_int_equal(metric_steady_ms(&kept, 1000501), 1000501);
	assert_int_equal(metric_steady_ms(&kept, 940501), 940501);
}

static void a_process_knows_itself(void **state)
{
	static const char *const names[] = {
		"\nprocess_cpu_seconds_total ",	       "\nprocess_resident_memory_bytes ",
		"\nprocess_virtual_memory_bytes ",     "\nprocess_open_fds ",
		"\nprocess_start_time_seconds ",
	};
	struct metrics *m = metrics_new();
	uint64_t step = 0;
	char *text;

	(void)state;
	assert_true(metrics_collect_process(m, &step, NULL));
	text = text_of(m);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const char *at = strstr(text, names[i]);

		assert_non_null(at);
		assert_true(strtod(at + strlen(names[i]), NULL) > 0);
	}
	free(text);
	metrics_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(families_stay_together_in_any_order),
		cmocka_unit_test(a_value_cannot_leave_its_quotes),
		cmocka_unit_test(labels_are_cut_back),
		cmocka_unit_test(a_walk_goes_over_all_collectors_and_begins_anew),
		cmocka_unit_test(a_collector_that_is_removed_is_not_called),
		cmocka_unit_test(a_date_does_not_tremble),
		cmocka_unit_test(a_process_knows_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
