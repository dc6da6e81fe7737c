/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/turn_packet.h"

#include <stdlib.h>

#include "lib/mem.h"

#define TURN_US 5000

struct turns {
	struct event_loop *loop;
	struct turn *first, *last;
	struct event *t_run;
};

struct turns *turns_new(struct event_loop *loop)
{
	struct turns *turns = mem_alloc(sizeof(*turns));

	turns->loop = loop;
	return turns;
}

void turns_free(struct turns *turns)
{
	if (!turns)
		return;
	EVENT_OFF(turns->t_run);
	free(turns);
}

static void on_run(struct event *t);

/* An event is run once in every round of the loop, beside its sockets. */
static void run_soon(struct turns *turns)
{
	event_add_event(turns->loop, on_run, turns, 0, &turns->t_run);
}

static struct turn *take_first(struct turns *turns)
{
	struct turn *turn = turns->first;

	turns->first = turn->next;
	if (!turns->first)
		turns->last = NULL;
	turn->queued = false;
	return turn;
}

static void on_run(struct event *t)
{
	struct turns *turns = EVENT_ARG(t);
	int64_t until_us = frr_now_us() + TURN_US;

	while (turns->first && frr_now_us() < until_us) {
		struct turn *turn = take_first(turns);

		turn->fn(turn->arg);
	}
	if (turns->first)
		run_soon(turns);
}

static void enqueue(struct turn *turn)
{
	struct turns *turns = turn->turns;

	if (turn->queued)
		return;
	turn->queued = true;
	turn->next = NULL;
	if (turns->last)
		turns->last->next = turn;
	else
		turns->first = turn;
	turns->last = turn;
	run_soon(turns);
}

static void on_readable(struct event *t)
{
	enqueue(EVENT_ARG(t));
}

void turn_init(struct turn *turn, struct turns *turns, int fd, void (*fn)(void *arg),
	       void *arg)
{
	*turn = (struct turn){ .turns = turns, .fd = fd, .fn = fn, .arg = arg };
}

void turn_want(struct turn *turn)
{
	if (!turn->queued)
		event_add_read(turn->turns->loop, on_readable, turn, turn->fd,
			       &turn->t_read);
}

void turn_again(struct turn *turn)
{
	EVENT_OFF(turn->t_read);
	enqueue(turn);
}

void turn_off(struct turn *turn)
{
	struct turns *turns = turn->turns;
	struct turn **at, *before = NULL;

	EVENT_OFF(turn->t_read);
	if (!turn->queued)
		return;
	for (at = &turns->first; *at != turn; at = &(*at)->next)
		before = *at;
	*at = turn->next;
	if (turns->last == turn)
		turns->last = before;
	turn->queued = false;
}
