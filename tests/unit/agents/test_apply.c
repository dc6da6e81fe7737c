/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agents/apply.h"
#include "agents/kernel_fake.h"

struct ack {
	char interface[FILTER_IFNAME_SIZE];
	uint64_t generation;
	char error[512];
};

/* One agent with a kernel of its own, and what it said. */
struct bench {
	struct kernel *kernel;
	struct apply *apply;
	struct ack acks[64];
	size_t n_acks;
	unsigned int changes;
	struct addrset connected;
};

static void on_ack(void *ctx, const char *interface, uint64_t generation,
		   const uint8_t hash[FILTER_HASH_SIZE], const char *error)
{
	struct bench *b = ctx;
	struct ack *a = &b->acks[b->n_acks++];

	(void)hash;
	snprintf(a->interface, sizeof(a->interface), "%s", interface);
	a->generation = generation;
	snprintf(a->error, sizeof(a->error), "%s", error);
}

static void on_changed(void *ctx)
{
	((struct bench *)ctx)->changes++;
}

static void on_note(void *ctx, bool alarm, const char *text)
{
	(void)ctx;
	(void)alarm;
	(void)text;
}

static const struct addrset *on_connected(void *ctx, const char *interface)
{
	(void)interface;
	return &((struct bench *)ctx)->connected;
}

static const struct apply_ops ops = { on_ack, on_changed, on_note, on_connected };

static int set_up(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));
	const struct kernel_options options = { 0 };
	struct diag diag;

	b->kernel = kernel_open(&options, &diag);
	b->apply = apply_new(b->kernel, &ops, b);
	*state = b;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *b = *state;

	apply_free(b->apply);
	kernel_close(b->kernel);
	addrset_fini(&b->connected);
	free(b);
	return 0;
}

static void add(struct addrset *s, const char *text)
{
	struct ip_prefix p;

	assert_int_equal(ip_prefix_parse(text, &p), IP_PARSE_OK);
	addrset_append(s, &p);
	addrset_normalize(s);
}

static struct agent_filter snapshot(const char *interface, uint64_t generation,
				    const char *prefix)
{
	struct agent_filter m = { .filter = { .generation = generation,
					      .action = FILTER_ENFORCE } };

	snprintf(m.filter.interface, sizeof(m.filter.interface), "%s", interface);
	add(&m.filter.accept, prefix);
	filter_hash(&m.filter, m.hash);
	return m;
}

/* From what is held: minus del, plus prefix. */
static struct agent_filter delta(const struct bench *b, const char *interface,
				 uint64_t generation, const char *del, const char *prefix)
{
	const struct filter *base = held_find(apply_held(b->apply), interface);
	struct agent_filter m = { .filter = { .generation = generation,
					      .action = FILTER_ENFORCE } };
	struct filter result = { 0 };

	snprintf(m.filter.interface, sizeof(m.filter.interface), "%s", interface);
	m.base_generation = base->generation;
	filter_hash(base, m.base_hash);
	if (del)
		add(&m.del, del);
	add(&m.filter.accept, prefix);
	filter_copy(&result, &m.filter);
	addrset_subtract(&result.accept, &base->accept, &m.del);
	addrset_union(&result.accept, &result.accept, &m.filter.accept);
	filter_hash(&result, m.hash);
	filter_fini(&result);
	return m;
}

static void fini(struct agent_filter *m)
{
	filter_fini(&m->filter);
	addrset_fini(&m->del);
}

static void send(struct bench *b, struct agent_filter *m)
{
	const struct agent_filter *list[] = { m };

	apply_filters(b->apply, list, 1);
	fini(m);
}

static void put(struct bench *b, const char *interface, uint64_t generation,
		const char *prefix)
{
	struct agent_filter m = snapshot(interface, generation, prefix);

	send(b, &m);
}

static const struct ack *last_ack(const struct bench *b)
{
	assert_int_not_equal(b->n_acks, 0);
	return &b->acks[b->n_acks - 1];
}

static bool in_kernel(const struct bench *b, const char *interface, const char *address)
{
	struct filter f = { 0 };
	struct ip_addr addr;
	struct diag diag;
	bool in;

	assert_true(ip_addr_parse(address, &addr));
	in = kernel_read(b->kernel, interface, &f, &diag) == 1 &&
	     addrset_contains(&f.accept, &addr);
	filter_fini(&f);
	return in;
}

static void a_snapshot_goes_in_and_is_acknowledged(void **state)
{
	struct bench *b = *state;

	put(b, "eth0", 3, "198.51.100.0/24");
	assert_int_equal(b->n_acks, 1);
	assert_string_equal(last_ack(b)->error, "");
	assert_int_equal(last_ack(b)->generation, 3);
	assert_true(in_kernel(b, "eth0", "198.51.100.7"));
	assert_int_equal(b->changes, 1);
}

static void a_delta_builds_on_what_is_held(void **state)
{
	struct bench *b = *state;
	struct agent_filter m;

	put(b, "eth0", 3, "198.51.100.0/24");
	m = delta(b, "eth0", 4, "198.51.100.128/25", "203.0.113.0/24");
	send(b, &m);
	assert_string_equal(last_ack(b)->error, "");
	assert_true(in_kernel(b, "eth0", "198.51.100.7"));
	assert_false(in_kernel(b, "eth0", "198.51.100.200"));
	assert_true(in_kernel(b, "eth0", "203.0.113.1"));
}

static void a_delta_on_another_base_asks_for_a_snapshot(void **state)
{
	struct bench *b = *state;
	struct agent_filter m;

	put(b, "eth0", 3, "198.51.100.0/24");
	m = delta(b, "eth0", 5, NULL, "203.0.113.0/24");
	m.base_generation = 4;
	send(b, &m);
	assert_non_null(strstr(last_ack(b)->error, "snapshot"));
	assert_int_equal(last_ack(b)->generation, 5);
	m = delta(b, "eth0", 5, NULL, "203.0.113.0/24");
	m.base_hash[0] ^= 1;
	send(b, &m);
	assert_non_null(strstr(last_ack(b)->error, "snapshot"));
	assert_false(in_kernel(b, "eth0", "203.0.113.1"));
	assert_true(in_kernel(b, "eth0", "198.51.100.7"));
}

static void a_wrong_hash_is_not_applied(void **state)
{
	struct bench *b = *state;
	struct agent_filter m;

	put(b, "eth0", 3, "198.51.100.0/24");
	m = snapshot("eth0", 4, "203.0.113.0/24");
	m.hash[31] ^= 1;
	send(b, &m);
	assert_non_null(strstr(last_ack(b)->error, "hash"));
	assert_true(in_kernel(b, "eth0", "198.51.100.7"));
	assert_int_equal(held_find(apply_held(b->apply), "eth0")->generation, 3);
}

/* A restored backup of the controller counts from a lower number again. */
static void a_lower_generation_is_accepted(void **state)
{
	struct bench *b = *state;

	put(b, "eth0", 300, "198.51.100.0/24");
	apply_epoch(b->apply, 77);
	put(b, "eth0", 2, "203.0.113.0/24");
	assert_string_equal(last_ack(b)->error, "");
	assert_int_equal(held_find(apply_held(b->apply), "eth0")->generation, 2);
	assert_int_equal(apply_held(b->apply)->epoch, 77);
}

static void a_refusing_kernel_keeps_the_last_good_one(void **state)
{
	struct bench *b = *state;

	put(b, "eth0", 3, "198.51.100.0/24");
	kernel_fake(b->kernel)->refuse = 1;
	put(b, "eth0", 4, "203.0.113.0/24");
	assert_non_null(strstr(last_ack(b)->error, "refuses"));
	assert_true(in_kernel(b, "eth0", "198.51.100.7"));
	assert_int_equal(held_find(apply_held(b->apply), "eth0")->generation, 3);
	assert_int_equal(apply_totals(b->apply)->refused, 1);
	put(b, "eth0", 4, "203.0.113.0/24");
	assert_string_equal(last_ack(b)->error, "");
}

/* The kernel says yes and does something else. */
static void a_lying_kernel_is_found_out(void **state)
{
	struct bench *b = *state;

	put(b, "eth0", 3, "198.51.100.0/24");
	strcpy(kernel_fake(b->kernel)->forget_interface, "eth0");
	put(b, "eth0", 4, "203.0.113.0/24");
	assert_non_null(strstr(last_ack(b)->error, "something else"));
	assert_int_equal(held_find(apply_held(b->apply), "eth0")->generation, 3);
}

static void what_comes_together_is_one_transaction(void **state)
{
	struct bench *b = *state;
	struct agent_filter m[3] = {
		snapshot("eth0", 1, "198.51.100.0/26"),
		snapshot("eth1", 1, "198.51.100.64/26"),
		snapshot("eth2", 1, "198.51.100.128/26"),
	};
	const struct agent_filter *list[] = { &m[0], &m[1], &m[2] };

	apply_filters(b->apply, list, 3);
	assert_int_equal(kernel_fake(b->kernel)->applies, 1);
	assert_int_equal(b->n_acks, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_string_equal(b->acks[i].error, "");
		fini(&m[i]);
	}
}

static void one_bad_edge_does_not_hold_up_the_others(void **state)
{
	struct bench *b = *state;
	struct agent_filter m[3] = {
		snapshot("eth0", 1, "198.51.100.0/26"),
		snapshot("bad0", 1, "198.51.100.64/26"),
		snapshot("eth2", 1, "198.51.100.128/26"),
	};
	const struct agent_filter *list[] = { &m[0], &m[1], &m[2] };

	strcpy(kernel_fake(b->kernel)->refuse_interface, "bad0");
	apply_filters(b->apply, list, 3);
	assert_int_equal(b->n_acks, 3);
	assert_string_equal(b->acks[0].error, "");
	assert_string_not_equal(b->acks[1].error, "");
	assert_string_equal(b->acks[2].error, "");
	for (size_t i = 0; i < 3; i++)
		fini(&m[i]);
}

static void two_of_one_edge_go_one_after_the_other(void **state)
{
	struct bench *b = *state;
	struct agent_filter m[2] = {
		snapshot("eth0", 1, "198.51.100.0/26"),
		snapshot("eth0", 2, "198.51.100.64/26"),
	};
	const struct agent_filter *list[] = { &m[0], &m[1] };

	apply_filters(b->apply, list, 2);
	assert_int_equal(b->n_acks, 2);
	assert_int_equal(b->acks[1].generation, 2);
	assert_string_equal(b->acks[1].error, "");
	assert_true(in_kernel(b, "eth0", "198.51.100.65"));
	fini(&m[0]);
	fini(&m[1]);
}

static void edges_off_the_list_are_released(void **state)
{
	struct bench *b = *state;
	static const char list[][FILTER_IFNAME_SIZE] = { "eth1", "eth9" };

	put(b, "eth0", 1, "198.51.100.0/26");
	put(b, "eth1", 1, "198.51.100.64/26");
	put(b, "eth2", 1, "198.51.100.128/26");
	apply_edge_list(b->apply, list, 2);
	assert_int_equal(apply_held(b->apply)->n, 1);
	assert_false(in_kernel(b, "eth0", "198.51.100.1"));
	assert_true(in_kernel(b, "eth1", "198.51.100.65"));
	assert_false(in_kernel(b, "eth2", "198.51.100.129"));
}

static void a_flushed_ruleset_is_repaired(void **state)
{
	struct bench *b = *state;

	put(b, "eth0", 1, "198.51.100.0/26");
	put(b, "eth1", 1, "198.51.100.64/26");
	assert_false(apply_verify(b->apply, true));
	kernel_fake_flush(b->kernel);
	assert_true(apply_verify(b->apply, true));
	assert_true(in_kernel(b, "eth0", "198.51.100.1"));
	assert_true(in_kernel(b, "eth1", "198.51.100.65"));
	assert_int_equal(apply_totals(b->apply)->repairs, 1);
	assert_false(apply_verify(b->apply, true));
}

static void a_changed_set_is_repaired(void **state)
{
	struct bench *b = *state;

	put(b, "eth0", 1, "198.51.100.0/26");
	kernel_fake_damage(b->kernel, "eth0");
	assert_true(apply_verify(b->apply, true));
	assert_false(in_kernel(b, "eth0", "0.0.0.0"));
}

static void a_filter_for_a_damaged_table_goes_in_after_the_repair(void **state)
{
	struct bench *b = *state;

	put(b, "eth0", 1, "198.51.100.0/26");
	kernel_fake_flush(b->kernel);
	put(b, "eth1", 1, "198.51.100.64/26");
	assert_string_equal(last_ack(b)->error, "");
	assert_true(in_kernel(b, "eth0", "198.51.100.1"));
	assert_true(in_kernel(b, "eth1", "198.51.100.65"));
}

static void after_a_reboot_the_disk_is_loaded(void **state)
{
	struct bench *b = *state;
	struct agent_filter m = snapshot("eth0", 9, "198.51.100.0/26");
	struct held saved = { .epoch = 4 };

	held_put(&saved, &m.filter);
	apply_start(b->apply, &saved);
	assert_true(in_kernel(b, "eth0", "198.51.100.1"));
	assert_int_equal(apply_held(b->apply)->epoch, 4);
	assert_int_equal(held_find(apply_held(b->apply), "eth0")->generation, 9);
	assert_int_equal(kernel_fake(b->kernel)->applies, 2); /* filters, then links */
	held_fini(&saved);
	fini(&m);
}

/* The disk may be older than the kernel: it was full, or the agent was killed
 * before it had written. */
static void after_a_restart_the_kernel_is_adopted(void **state)
{
	struct bench *b = *state;
	struct agent_filter old = snapshot("eth0", 5, "203.0.113.0/24");
	struct held saved = { .epoch = 4 };
	struct apply *again;

	put(b, "eth0", 6, "198.51.100.0/26");
	put(b, "eth1", 2, "198.51.100.64/26");
	held_put(&saved, &old.filter);
	again = apply_new(b->kernel, &ops, b);
	apply_start(again, &saved);
	assert_int_equal(apply_held(again)->n, 2);
	assert_int_equal(held_find(apply_held(again), "eth0")->generation, 6);
	assert_true(in_kernel(b, "eth0", "198.51.100.1"));
	assert_false(in_kernel(b, "eth0", "203.0.113.1"));
	apply_free(again);
	held_fini(&saved);
	fini(&old);
}

static void a_damaged_kernel_is_rebuilt_from_the_disk(void **state)
{
	struct bench *b = *state;
	struct agent_filter m = snapshot("eth0", 5, "198.51.100.0/26");
	struct held saved = { .epoch = 4 };

	held_put(&saved, &m.filter);
	kernel_fake_flush(b->kernel);
	apply_start(b->apply, &saved);
	assert_true(in_kernel(b, "eth0", "198.51.100.1"));
	held_fini(&saved);
	fini(&m);
}

static void connected_subnets_follow_the_interface(void **state)
{
	struct bench *b = *state;

	add(&b->connected, "192.0.2.0/30");
	put(b, "eth0", 1, "198.51.100.0/26");
	assert_true(
		addrset_equal(kernel_fake_connected(b->kernel, "eth0"), &b->connected));
	add(&b->connected, "2001:db8::/64");
	apply_links(b->apply);
	assert_true(
		addrset_equal(kernel_fake_connected(b->kernel, "eth0"), &b->connected));
}

static void release_takes_everything_out(void **state)
{
	struct bench *b = *state;
	struct diag diag;

	put(b, "eth0", 1, "198.51.100.0/26");
	assert_int_equal(apply_release(b->apply, &diag), 0);
	assert_int_equal(apply_held(b->apply)->n, 0);
	assert_false(in_kernel(b, "eth0", "198.51.100.1"));
	assert_false(apply_verify(b->apply, true));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_snapshot_goes_in_and_is_acknowledged),
		TEST(a_delta_builds_on_what_is_held),
		TEST(a_delta_on_another_base_asks_for_a_snapshot),
		TEST(a_wrong_hash_is_not_applied),
		TEST(a_lower_generation_is_accepted),
		TEST(a_refusing_kernel_keeps_the_last_good_one),
		TEST(a_lying_kernel_is_found_out),
		TEST(what_comes_together_is_one_transaction),
		TEST(one_bad_edge_does_not_hold_up_the_others),
		TEST(two_of_one_edge_go_one_after_the_other),
		TEST(edges_off_the_list_are_released),
		TEST(a_flushed_ruleset_is_repaired),
		TEST(a_changed_set_is_repaired),
		TEST(a_filter_for_a_damaged_table_goes_in_after_the_repair),
		TEST(after_a_reboot_the_disk_is_loaded),
		TEST(after_a_restart_the_kernel_is_adopted),
		TEST(a_damaged_kernel_is_rebuilt_from_the_disk),
		TEST(connected_subnets_follow_the_interface),
		TEST(release_takes_everything_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
