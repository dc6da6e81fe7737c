/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/policy/config_feed.h"

#include "controller/policy/config.h"

int config_max_paths_set(struct config *cfg, uint32_t max_paths, struct diag *diag)
{
	if (max_paths != 0 &&
	    (max_paths < CONFIG_MAX_PATHS_MIN || max_paths > CONFIG_MAX_PATHS_MAX))
		return diag_set(diag, "feed max-paths: %u is not a number from %d to %d",
				max_paths, CONFIG_MAX_PATHS_MIN, CONFIG_MAX_PATHS_MAX);
	if (cfg->sink && cfg->sink->max_paths(cfg->sink_ctx, max_paths, diag) < 0)
		return -1;
	cfg->max_paths = max_paths;
	if (cfg->watch)
		cfg->watch(CONFIG_FEED, NULL, NULL, cfg->watch_arg);
	return 0;
}

uint32_t config_max_paths(const struct config *cfg)
{
	return cfg->max_paths ? cfg->max_paths : CONFIG_MAX_PATHS;
}
