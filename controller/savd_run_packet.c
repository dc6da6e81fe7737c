/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/savd_run_packet.h"

#include "controller/feed/bmp_packet.h"
#include "controller/savd_edge.h"
#include "controller/savd_history.h"
#include "controller/savd_listen_packet.h"
#include "controller/savd_radius_packet.h"
#include "controller/savd_save_packet.h"
#include "lib/mem.h"

/* Route changes come in bursts. The first is worked off at once, later ones are
 * gathered for this time; after an expensive computation for longer, so that
 * savd never spends more than a quarter of its time on sets and always answers
 * its VTY. */
#define RUN_DELAY_MS	 10
#define RUN_DELAY_FACTOR 3
/* Routes that go en masse are taken away for so long between two looks at the
 * feeds, the VTY and the agents. */
#define SWEEP_US    5000
#define SWEEP_PATHS 256

static struct {
	struct savd *savd;
	struct event_loop *loop;
	struct event *t_run, *t_sweep;
	int64_t not_before_ms;
} run;

/* ---- what the engine asks for ---- */

static void filter_set(void *ctx, const char *router, const struct filter *f)
{
	struct savd_edge *e = savd_edge_get(run.savd, router, f->interface);

	(void)ctx;
	if (e) {
		e->generation = f->generation;
		e->changed_us = run.savd->changed_us;
		savd_history_sent(run.savd->history, e);
		savd_edge_changed(e, f->generation, time(NULL));
	}
	south_filter_set(south_packet_south(run.savd->south), router,
			 engine_filter(run.savd->engine, router, f->interface), savd_now_ms());
	savd_save_soon();
}

static void filter_gone(void *ctx, const char *router, const char *interface)
{
	(void)ctx;
	savd_history_gone(run.savd->history, router, interface);
	savd_save_soon();
	savd_edge_forget(run.savd, router, interface);
	drop_store_forget(run.savd->drops, router, interface);
	south_filter_remove(south_packet_south(run.savd->south), router, interface, savd_now_ms());
}

static void redump(void *ctx, struct engine_feed *feed)
{
	(void)ctx;
	if (engine_feed_is_relayed(feed))
		south_relay_redump(engine_feed_user(feed));
	else
		bmp_listeners_redump(run.savd->bmp, feed);
}

/* ---- when it works ---- */

static void on_run(struct event *t);

static void run_at(int64_t at_ms)
{
	int64_t delay = at_ms - savd_now_ms();

	EVENT_OFF(run.t_run);
	event_add_timer_msec(run.loop, on_run, NULL, delay > 0 ? (long)delay : 0, &run.t_run);
}

static void wake(void *ctx)
{
	int64_t now_ms = savd_now_ms(), delay = run.not_before_ms - now_ms;

	(void)ctx;
	if (run.savd->changed_us == 0)
		run.savd->changed_us = frr_now_us();
	if (delay < 0)
		delay = 0;
	if (!run.t_run || (int64_t)event_timer_remain_msec(run.t_run) > delay)
		run_at(now_ms + delay);
}

static int64_t run_once(void)
{
	int64_t began_us = frr_now_us(), next;

	if (run.savd->changed_us == 0) /* time alone brought us here */
		run.savd->changed_us = began_us;
	savd_history_run(run.savd->history);
	next = engine_run(run.savd->engine, began_us / 1000);
	run.savd->changed_us = 0;
	run.savd->run_last_us = frr_now_us() - began_us;
	run.savd->runs++;
	run.savd->run_total_us += run.savd->run_last_us;
	if (run.savd->run_last_us > run.savd->run_max_us)
		run.savd->run_max_us = run.savd->run_last_us;
	run.not_before_ms =
		savd_now_ms() + RUN_DELAY_MS + run.savd->run_last_us * RUN_DELAY_FACTOR / 1000;
	return next;
}

void savd_catch_up(void)
{
	if (engine_is_dirty(run.savd->engine))
		on_run(NULL);
}

/* South tells an agent only what is news to it, and those that come later. */
static void tell_wants(void)
{
	const struct config *cfg = &run.savd->cfg;
	bool *wants;

	if (!engine_wants_changed(run.savd->engine))
		return;
	wants = mem_calloc(cfg->n_routers + 1, sizeof(*wants));
	engine_wants_fibs(run.savd->engine, wants);
	for (size_t i = 0; i < cfg->n_routers; i++)
		south_want_routes(south_packet_south(run.savd->south), cfg->routers[i].name,
				  wants[i], savd_now_ms());
	free(wants);
}

static void on_sweep(struct event *t)
{
	int64_t until_us = frr_now_us() + SWEEP_US;
	bool more;

	(void)t;
	do
		more = engine_sweep(run.savd->engine, SWEEP_PATHS);
	while (more && frr_now_us() < until_us);
	if (more)
		event_add_event(run.loop, on_sweep, NULL, 0, &run.t_sweep);
}

static void on_run(struct event *t)
{
	int64_t next = run_once();

	(void)t;
	tell_wants();
	if (engine_is_sweeping(run.savd->engine))
		event_add_event(run.loop, on_sweep, NULL, 0, &run.t_sweep);
	if (engine_is_dirty(run.savd->engine))
		wake(NULL);
	else if (next >= 0)
		run_at(next);
}

static void note(void *ctx, bool alarm, const char *text)
{
	(void)ctx;
	savd_note(alarm, "%s", text);
}

static void listens_changed(void *ctx)
{
	(void)ctx;
	savd_listen_apply();
}

static void routers_changed(void *ctx)
{
	(void)ctx;
	savd_listen_routers();
}

const struct engine_ops savd_engine_ops = {
	.filter_set = filter_set,
	.filter_gone = filter_gone,
	.feed_redump = redump,
	.wake = wake,
	.listens_changed = listens_changed,
	.routers_changed = routers_changed,
	.edges_changed = savd_radius_edges_changed,
	.session = savd_radius_explain,
	.note = note,
};

void savd_run_init(struct savd *savd, struct event_loop *loop)
{
	run.savd = savd;
	run.loop = loop;
}

void savd_run_start(void)
{
	run_once();
}

void savd_run_stop(void)
{
	EVENT_OFF(run.t_run);
	EVENT_OFF(run.t_sweep);
}
