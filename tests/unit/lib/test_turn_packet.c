/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/turn_packet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#define READERS 5

struct reader {
	struct turn turn;
	int fds[2];
	unsigned int turns;
	unsigned int wanted; /* so often it has more */
	bool gone;
};

static struct event_loop *loop;
static struct turns *turns;
static struct reader readers[READERS];
static bool other_served, done;

static int setup(void **state)
{
	loop = event_master_create("test");
	turns = turns_new(loop);
	other_served = done = false;
	memset(readers, 0, sizeof(readers));
	return 0;
}

static int teardown(void **state)
{
	for (int i = 0; i < READERS; i++) {
		if (readers[i].fds[0] == 0)
			continue;
		close(readers[i].fds[0]);
		close(readers[i].fds[1]);
	}
	turns_free(turns);
	event_master_free(loop);
	return 0;
}

static void spin_until(const bool *what)
{
	struct event fetched;

	while (!*what && event_fetch(loop, &fetched))
		event_call(&fetched);
}

static void on_turn(void *arg)
{
	struct reader *r = arg;
	char byte;

	assert_false(r->gone);
	r->turns++;
	if (r->wanted == 0) {
		assert_int_equal(read(r->fds[0], &byte, 1), 1);
		turn_want(&r->turn);
	} else if (r->turns < r->wanted) {
		turn_again(&r->turn);
	} else {
		r->gone = true;
		turn_off(&r->turn);
	}
	/* nobody is more than one turn ahead of anybody who has more */
	for (int i = 0; i < READERS; i++)
		if (!readers[i].gone && readers[i].wanted != 0)
			assert_true(r->turns <= readers[i].turns + 1);
	done = true;
	for (int i = 0; i < READERS; i++)
		done = done && (readers[i].gone || readers[i].turns >= 3);
}

static void open_reader(struct reader *r, unsigned int wanted)
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, r->fds), 0);
	r->wanted = wanted;
	turn_init(&r->turn, turns, r->fds[0], on_turn, r);
	turn_want(&r->turn);
	turn_want(&r->turn); /* twice is once */
}

static void test_readers_take_turns(void **state)
{
	for (int i = 0; i < READERS; i++) {
		open_reader(&readers[i], 1000);
		assert_int_equal(write(readers[i].fds[1], "x", 1), 1);
	}
	spin_until(&done);
	for (int i = 0; i < READERS; i++)
		assert_true(readers[i].turns == 3 || readers[i].gone ||
			    readers[i].turns <= 4);
	for (int i = 0; i < READERS; i++)
		turn_off(&readers[i].turn);
}

static void on_other(struct event *t)
{
	(void)t;
	other_served = true;
}

/* Readers that always have more do not keep the loop from its other sockets. */
static void test_the_loop_goes_on_beside_greedy_readers(void **state)
{
	struct event *t_other = NULL;
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	for (int i = 0; i < READERS; i++) {
		open_reader(&readers[i], UINT_MAX);
		turn_again(&readers[i].turn);
	}
	assert_int_equal(write(fds[1], "x", 1), 1);
	event_add_read(loop, on_other, NULL, fds[0], &t_other);
	spin_until(&other_served);
	assert_true(readers[0].turns > 0);
	for (int i = 0; i < READERS; i++)
		turn_off(&readers[i].turn);
	close(fds[0]);
	close(fds[1]);
}

static void test_a_turn_for_each_time_there_is_something(void **state)
{
	open_reader(&readers[0], 0);
	for (int i = 1; i < READERS; i++)
		readers[i].gone = true;
	assert_int_equal(write(readers[0].fds[1], "xyz", 3), 3);
	spin_until(&done);
	assert_int_equal(readers[0].turns, 3);
	turn_off(&readers[0].turn);
	turn_off(&readers[0].turn);
}

/* In the middle and at the end of the queue. */
static void test_who_leaves_gets_no_turn(void **state)
{
	for (int i = 0; i < READERS; i++) {
		open_reader(&readers[i], 3);
		turn_again(&readers[i].turn);
	}
	turn_off(&readers[4].turn);
	turn_off(&readers[2].turn);
	turn_off(&readers[0].turn);
	readers[0].gone = readers[2].gone = readers[4].gone = true;
	turn_again(&readers[1].turn);
	spin_until(&done);
	spin_until(&readers[1].gone);
	spin_until(&readers[3].gone);
	assert_int_equal(readers[1].turns, 3);
	assert_int_equal(readers[3].turns, 3);
	assert_int_equal(readers[0].turns + readers[2].turns + readers[4].turns, 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_readers_take_turns),
		T(test_the_loop_goes_on_beside_greedy_readers),
		T(test_a_turn_for_each_time_there_is_something),
		T(test_who_leaves_gets_no_turn),
	};

	return cmocka_run_group_tests_name("turn_packet", tests, NULL, NULL);
}
