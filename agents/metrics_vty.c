/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/frr_compat.h"

#include "version.h"

#include "opensav_config.h"

#include "agents/agent_metrics.h"
#include "agents/metrics_vty.h"
#include "lib/metrics_listen_vty.h"

static struct {
	struct metrics_registry *registry;
	struct agent_metrics *collectors;
} here;

static struct metrics_build build = {
	.family = { "sav_agent_build_info", "Versions of this program", METRIC_GAUGE },
	.version = PACKAGE_VERSION,
	.library = FRR_VERSION,
};

void agent_metrics_vty_init(void)
{
	metrics_listen_vty_init();
}

struct metrics_registry *agent_metrics_start(struct event_loop *loop, struct agent *agent)
{
	here.registry = metrics_registry_new();
	metrics_registry_add(here.registry, metrics_collect_build, &build);
	here.collectors = agent_metrics_new(agent, here.registry);
	metrics_listen_vty_start(loop, here.registry);
	return here.registry;
}

void agent_metrics_stop(void)
{
	metrics_listen_vty_stop();
	agent_metrics_free(here.collectors);
	metrics_registry_free(here.registry);
}
