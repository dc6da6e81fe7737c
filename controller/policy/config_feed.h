/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * config_feed - how much a feed may bring: "feed max-paths".
 *
 * Part of struct config. Each BGP neighbor of a router fills memory of ours; this
 * says how much of it one may.
 */
#ifndef SAV_CONFIG_FEED_H
#define SAV_CONFIG_FEED_H

#include <stdint.h>

#include "lib/diag.h"

struct config;

/* Paths of one neighbor, over both views and families: five times the Internet's
 * table, or twice with both views. */
#define CONFIG_MAX_PATHS     5000000
#define CONFIG_MAX_PATHS_MIN 1000
#define CONFIG_MAX_PATHS_MAX 1000000000

/* 0: back to the default. 0, or -1 with diag. */
int config_max_paths_set(struct config *cfg, uint32_t max_paths, struct diag *diag);
uint32_t config_max_paths(const struct config *cfg);

#endif /* SAV_CONFIG_FEED_H */
