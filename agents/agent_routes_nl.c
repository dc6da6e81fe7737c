/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/frr_compat.h"

#include "log.h"

#include "agents/agent_routes_nl.h"
#include "agents/routes_nl.h"
#include "lib/digest.h"

/* Routes change in bursts, and a set that follows half a burst is wasted. */
#define SAY_DELAY_MS 20
#define RUN_S	     1

static struct event_loop *loop;
static struct agent_routes_ops ops;
static struct routes *routes;
static struct routes_nl *nl;
static struct event *t_events, *t_dump, *t_run, *t_say;
static char last_error[128];

static int64_t now_ms(void)
{
	return frr_now_us() / 1000;
}

static void log_error(const char *text)
{
	if (text[0] != '\0' && strcmp(text, last_error) != 0)
		zlog_warn("%s", text);
	snprintf(last_error, sizeof(last_error), "%s", text);
}

static void on_say(struct event *t)
{
	(void)t;
	ops.wake();
}

static void say_soon(void)
{
	log_error(routes_nl_status(nl)->error);
	if (!t_say)
		event_add_timer_msec(loop, on_say, NULL, SAY_DELAY_MS, &t_say);
}

static void on_events(struct event *t)
{
	(void)t;
	routes_nl_events(nl, now_ms());
	event_add_read(loop, on_events, NULL, routes_nl_event_fd(nl), &t_events);
	say_soon();
}

static void on_dump(struct event *t)
{
	(void)t;
	/* what is older than the dump goes first */
	routes_nl_events(nl, now_ms());
	routes_nl_dump(nl, now_ms());
	event_add_read(loop, on_dump, NULL, routes_nl_dump_fd(nl), &t_dump);
	say_soon();
}

static void on_run(struct event *t)
{
	(void)t;
	if (nl)
		routes_nl_run(nl, now_ms());
	else
		agent_routes_want(true);
	event_add_timer(loop, on_run, NULL, RUN_S, &t_run);
}

static void stop(void)
{
	EVENT_OFF(t_events);
	EVENT_OFF(t_dump);
	EVENT_OFF(t_run);
	EVENT_OFF(t_say);
	routes_nl_close(nl);
	routes_free(routes);
	nl = NULL;
	routes = NULL;
}

static void start(void)
{
	struct diag diag = { "" };
	uint64_t seed;

	if (!routes) {
		digest_random(&seed, sizeof(seed));
		routes = routes_new(seed);
	}
	ops.privileges(true); /* for a large socket buffer */
	nl = routes_nl_open(routes, &diag);
	ops.privileges(false);
	log_error(diag.text);
	if (!t_run)
		event_add_timer(loop, on_run, NULL, RUN_S, &t_run);
	if (!nl)
		return; /* on_run tries again */
	event_add_read(loop, on_events, NULL, routes_nl_event_fd(nl), &t_events);
	event_add_read(loop, on_dump, NULL, routes_nl_dump_fd(nl), &t_dump);
	routes_nl_run(nl, now_ms());
}

void agent_routes_init(struct event_loop *to, const struct agent_routes_ops *with)
{
	loop = to;
	ops = *with;
}

void agent_routes_fini(void)
{
	stop();
}

/* While the controller is away the table is kept, so that it is whole at once
 * when the controller is back. */
void agent_routes_want(bool want)
{
	if (!want) {
		stop();
		return;
	}
	if (!nl)
		start();
	routes_want(routes, true);
	/* not at once: this comes out of the session that would be written to */
	if (!t_say)
		event_add_timer_msec(loop, on_say, NULL, 0, &t_say);
}

bool agent_routes_next(struct agent_routes *out)
{
	return routes && routes_next(routes, out);
}

const struct routes_nl_status *agent_routes_status(size_t count[IP_FAMILIES])
{
	for (enum ip_family f = IP_V4; f < IP_FAMILIES; f++)
		count[f] = routes ? routes_count(routes, f) : 0;
	return nl ? routes_nl_status(nl) : NULL;
}
